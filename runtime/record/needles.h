/*
 * needles.h - inside of the prefilter: what is looked for in the bytes of
 * lines, and how each level does it (find.h). Only runtime/record and its tests
 * include it.
 */
#ifndef SR_NEEDLES_H
#define SR_NEEDLES_H

#include "record/record.h"

#include <string.h>

enum {
    SR_NEEDLE = 8,       /* bytes of one, at most: those of a load */
    SR_NEEDLES_MOST = 8, /* texts; beyond that a scan costs what it saves */
    SR_PROBES_MOST = SR_NEEDLES_MOST + 3 /* one too many, U+017F and U+212A */
};

/* Two bytes of a needle, the rarest far apart: both are compared in all places
 * at once, the rest only where they are. A byte of the line is or-ed with
 * `fold` first: 0x20 for letters, whose case it hides. */
typedef struct sr_probe {
    uint8_t at[2], byte[2], fold[2];
} sr_probe;

/* Up to 8 bytes as they lie in memory, zeros behind. */
typedef struct sr_needle {
    uint64_t want, fold, mask;
} sr_needle;

struct sr_prefilter {
    const struct sr_level *level;
    uint32_t count; /* of needles, each with its probe */
    sr_probe probes[SR_PROBES_MOST];
    sr_needle needles[SR_PROBES_MOST];
    bool hidden[128]; /* ASCII, lower case: an escape of it may hide a needle */
    /* Is it worth its while? */
    uint64_t asked, passed; /* in this round */
    uint32_t resting;       /* lines that pass unseen until the next round */
};

/* Whether a needle, or an escape that may hide one, begins at p, of which
 * SR_NEEDLE bytes can be read. */
bool sr_needle_at(const sr_prefilter *f, const char *p);

/* For lines that write some character of printable ASCII, or what folds to
 * it, as \uXXXX, as \/, as U+017F or as U+212A. */
sr_prefilter *sr_prefilter_disguises(sg_arena *arena);
/* Whether the character is in the text of some number. */
bool sr_is_in_numbers(char c);

static inline uint64_t sr_needle_load(const char *p)
{
    uint64_t word;

    memcpy(&word, p, sizeof word);
    return word;
}

#endif
