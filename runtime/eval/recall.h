/*
 * recall.h - what was found out about values, kept for when they come again.
 *
 * Images, users, registry keys: most of what a log says it has said before.
 * What a predicate says of a field with one value depends on that value alone,
 * so an event whose value is known needs no scan of it and no predicate asked.
 * Belongs to one thread and one evaluator.
 */
#ifndef SR_RECALL_H
#define SR_RECALL_H

#include "record/habit.h"
#include "record/record.h"

typedef struct sr_recall sr_recall;
/* What is known of one value. */
typedef struct sr_memory sr_memory;

/* What a predicate is to a value. */
typedef enum sr_fact {
    SR_FACT_FALSE,
    SR_FACT_TRUE,
    SR_FACT_FOUND /* the index of the field leads to it; may be false */
} sr_fact;

/* One whose values are kept; its address stands for it. All 0 to begin with. */
typedef struct sr_recall_index {
    sr_habit habit; /* pays for known values; where hardly any is, it rests */
    struct sr_place *last; /* where the last one is kept, which often comes
                            * again at once */
} sr_recall_index;

/* In the arena, in which it grows to 26 MB at most. NULL where nothing can be
 * kept (enrichment makes values that no line holds), or SIGCC_RECALL=0. */
sr_recall *sr_recall_new(sg_arena *arena, const sigma_detector *d);
/* Another event begins. Accepts NULL. */
void sr_recall_begin(sr_recall *r);

/* What is known of the event's only value of a field, a scalar, by its raw
 * text. *old: all that the index leads to is in it; else nothing is, and what
 * the caller finds is to be added at once. Good until the next call. NULL: not
 * kept. */
sr_memory *sr_recall_value(sr_recall *r, sr_recall_index *index, uint32_t field,
                           sg_str raw, bool *old);
/* The index leads to the predicate; several times is as good as once. */
void sr_recall_found(sr_recall *r, sr_memory *m, uint32_t pred);

/* What is known, each with its predicate; good until more is added. */
const uint32_t *sr_memory_facts(const sr_memory *m, uint32_t *count);
enum { SR_FACT_BITS = 2 };
static inline uint32_t sr_fact_pred(uint32_t fact)
{
    return fact >> SR_FACT_BITS;
}
static inline sr_fact sr_fact_kind(uint32_t fact)
{
    return (sr_fact)(fact & ((1u << SR_FACT_BITS) - 1));
}

/* The verdict of a predicate that reads nothing but this field of the event,
 * kept if a value of it is. Accepts NULL. */
void sr_recall_verdict(sr_recall *r, uint32_t field, uint32_t pred,
                       bool verdict);

#endif
