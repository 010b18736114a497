/*
 * grams.h - many literals in one pass over a text, by windows of few bytes.
 *
 * Built once from the literals of gates; scanning costs less than a
 * nanosecond a byte whatever their number. Literals are found exactly.
 */
#ifndef SR_GRAMS_H
#define SR_GRAMS_H

#include "base/sg_base.h"

enum {
    SR_GRAM = 2,     /* bytes; shorter literals cannot be indexed */
    SR_GRAM_LINE = 4 /* ... and in whole lines these are everywhere */
};

/* A literal of at least SR_GRAM bytes and what it stands for; several may
 * stand for the same id. */
typedef struct sr_gram_lit {
    sg_str text; /* borrowed: outlives the index */
    uint32_t id;
} sr_gram_lit;

typedef struct sr_grams sr_grams;

/* Owned by the arena; NULL when count is 0. The bits of `hide` are taken for
 * set in each byte of texts; they are set in those of the literals. The sample
 * is a text like those to be scanned, or empty: speed depends on it, nothing
 * else. */
sr_grams *sr_grams_new(sg_arena *arena, const sr_gram_lit *lits, uint32_t count,
                       uint8_t hide, sg_str sample);

typedef void sr_gram_fn(void *ctx, uint32_t id);

/* Call `found` with the id of each literal at each place where it stands in the
 * text: an id may come several times. NULL holds no literals. */
void sr_grams_scan(const sr_grams *grams, sg_str text, sr_gram_fn *found,
                   void *ctx);

#endif
