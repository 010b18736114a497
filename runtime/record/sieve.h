/*
 * sieve.h - tells most lines without any of some dozens of pieces
 * (verbatim.c), however many they are, in one pass of few steps.
 */
#ifndef SR_SIEVE_H
#define SR_SIEVE_H

#include "record/habit.h"
#include "record/record.h"

typedef struct sr_sieve sr_sieve;

/* What levels look up (sift.h): in which of eight buckets something has a byte
 * as its byte i, by the two halves of that byte; bit b for bucket b. */
enum { SR_SIFTED = 4 };
typedef struct sr_sift {
    uint8_t low[SR_SIFTED][16], high[SR_SIFTED][16];
} sr_sift;

/* Places in 64 bytes where something may begin, and the buckets of each. */
typedef struct sr_sifted {
    uint64_t places;
    uint8_t buckets[64];
} sr_sifted;

/* How many blocks of 64 places from p on come before the first that has any,
 * which *out then tells of. SR_SIFTED - 1 bytes behind all of them can be read.
 */
typedef size_t sr_sift_fn(const sr_sift *s, const char *p, size_t blocks,
                          sr_sifted *out);

/* Of pieces as sr_verbatim_piece makes them, which may go then. The sample is
 * an ordinary line: speed depends on it, nothing else. NULL where a piece is
 * shorter than four bytes, there are none or too many, or the level of this
 * processor (or $SIGCC_SIMD) has no look-ups. In the arena; threads may share
 * it. */
sr_sieve *sr_sieve_new(sg_arena *arena, const sg_str *pieces, uint32_t count,
                       sg_str sample);
/* Whether no value of the line holds a text of the pieces. False says nothing:
 * it is also the answer while looking does not pay, of which the habit, one for
 * each thread, keeps account. */
bool sr_sieve_keeps_out(const sr_sieve *sieve, sr_habit *habit, sg_str line);

#endif
