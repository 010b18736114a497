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

/* What a scan looks for, all at once. */
typedef struct sr_needles sr_needles;

struct sr_needles {
    const struct sr_level *level;
    uint32_t count; /* of needles, each with its probe ... */
    uint32_t plain; /* ... the first of which begin with ASCII */
    bool folds;     /* some hide the case of letters */
    sr_probe probes[SR_PROBES_MOST];
    sr_needle needles[SR_PROBES_MOST];
    bool hidden[128]; /* ASCII, lower case: an escape of it may hide a needle */
};

/* What a byte of a line may differ in from that of a needle. */
typedef enum sr_likeness {
    SR_AS_IS,
    SR_ANY_CASE,   /* the needle is in lower case */
    SR_HIDDEN_CASE /* see SR_HIDE_CASE: the needle has it in each byte */
} sr_likeness;

/* -------- making (needles.c) --------------------------------------------- */

void sr_needles_init(sr_needles *n);
/* Look for these 2 to SR_NEEDLE bytes, unless that is done; there must be room
 * for one more. */
void sr_needles_add(sr_needles *n, sg_str window, sr_likeness like);
/* Escapes of these characters, ASCII, hide needles, too. */
void sr_needles_hide(sr_needles *n, sg_str text);
/* For lines of which some value may hold one of the texts, in any case. False
 * when they are no use: see sr_prefilter_texts. */
bool sr_needles_texts(sr_needles *n, const sg_str *texts, uint32_t count);
/* For lines that write a slash as \/, or what folds to ASCII as U+017F or as
 * U+212A: with sr_needles_hide all ways to write a character as something else.
 */
void sr_needles_disguises(sr_needles *n);
/* Where the rarest part begins, of whatever bytes; `len` of them. */
size_t sr_needle_rarest(sg_str text, size_t len);
/* JSON has no way to write the character but itself and \uXXXX. */
bool sr_is_plain(char c);
/* Whether the character is in the text of some number. */
bool sr_is_in_numbers(char c);

/* -------- looking -------------------------------------------------------- */

/* Whether a needle, or an escape that may hide one, begins at p, of which
 * SR_NEEDLE bytes can be read. */
bool sr_needle_at(const sr_needles *n, const char *p);
/* The first place in the text where one does, or NULL. */
const char *sr_needles_find(const sr_needles *n, sg_str text);

static inline uint64_t sr_needle_load(const char *p)
{
    uint64_t word;

    memcpy(&word, p, sizeof word);
    return word;
}

/* A stage for needles that the caller adds. */
sr_needles *sr_prefilter_needles(sr_prefilter *filter);

/* -------- fields (keyed.c) ----------------------------------------------- */

/* Judges lines by what stands behind the keys of a field. */
typedef struct sr_keyed sr_keyed;

/* NULL: the field may be had in other ways than by few plain keys. In the
 * arena; borrows the name. */
sr_keyed *sr_keyed_new(sg_arena *arena, sg_str name, sr_value_fn *holds,
                       void *ctx);
/* Accepts NULL. */
void sr_keyed_free(sr_keyed *k);
/* How many needles it looks for. */
uint32_t sr_keyed_needles(const sr_keyed *k);
/* A place in the first line of the text, whole lines or one, in which a value
 * that the field may have holds, or which does not show its values; NULL when
 * there is none. Where it had to look closely is added to *stops. It does not
 * know of keys with blanks. */
const char *sr_keyed_find(sr_keyed *k, sg_str text, uint64_t *stops);
/* Whether the line may have the field under a key with blanks, which takes an
 * object in another. */
bool sr_keyed_has_blanks(const sr_keyed *k, sg_str line);

#endif
