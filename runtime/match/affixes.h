/*
 * affixes.h - many literals that texts are, begin or end with, by one look at
 * both ends of a text, whatever its length and theirs.
 */
#ifndef SR_AFFIXES_H
#define SR_AFFIXES_H

#include "match/grams.h"
#include "match/match.h"

/* A literal, what it must be of a text (not CONTAINS), and what it stands for;
 * several may stand for the same id. */
typedef struct sr_affix {
    sg_str text; /* borrowed: outlives the index */
    sr_lit_kind kind;
    uint32_t id;
} sr_affix;

typedef struct sr_affixes sr_affixes;

/* Owned by the arena; NULL when count is 0. */
sr_affixes *sr_affixes_new(sg_arena *arena, const sr_affix *lits,
                           uint32_t count);
/* Call `found` with the id of each literal that the text is, begins or ends
 * with: an id may come several times. NULL holds no literals. */
void sr_affixes_find(const sr_affixes *affixes, sg_str text, sr_gram_fn *found,
                     void *ctx);

#endif
