/*
 * level.h - the fast scanners there are, and what one has to provide: masks of
 * 64 bytes. The rest of each is walk.h.
 */
#ifndef SR_LEVEL_H
#define SR_LEVEL_H

#include "record/scan.h"

#if defined(__x86_64__)
#define SR_X86 1
extern const sr_level sr_level_sse2, sr_level_avx2, sr_level_avx512;
#elif defined(__aarch64__) && defined(__ARM_NEON)
#define SR_NEON 1
extern const sr_level sr_level_neon;
#endif

enum { SR_BLOCK = 64 };

/* Bit i tells of byte i, wherever it is: in a string or outside. */
typedef struct sr_masks {
    uint64_t quote, slash, colon, comma;
    uint64_t odd; /* control or non-ASCII */
} sr_masks;

#endif
