/*
 * sieve.h - tells most lines without any of some dozens of pieces
 * (verbatim.c), however many they are, in one pass of few steps.
 */
#ifndef SR_SIEVE_H
#define SR_SIEVE_H

#include "record/habit.h"
#include "record/record.h"

typedef struct sr_sieve sr_sieve;

/* Of pieces as sr_verbatim_piece makes them, which may go then. The sample is
 * an ordinary line: speed depends on it, nothing else. NULL where a piece is
 * shorter than four bytes, there are none or too many, or this processor (or
 * $SIGCC_SIMD) has no AVX2. In the arena; threads may share it. */
sr_sieve *sr_sieve_new(sg_arena *arena, const sg_str *pieces, uint32_t count,
                       sg_str sample);
/* Whether the line has none of the pieces and tells what its values hold. False
 * says nothing: it is also the answer while looking does not pay, of which the
 * habit, one for each thread, keeps account. */
bool sr_sieve_keeps_out(const sr_sieve *sieve, sr_habit *habit, sg_str line);

#endif
