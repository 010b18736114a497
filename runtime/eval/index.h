/*
 * index.h - inside of candidates.h: the gates of a detector filed by field, and
 * what is made of them when events first need it. Threads share all of it.
 */
#ifndef SR_INDEX_H
#define SR_INDEX_H

#include "eval/routes.h"
#include "eval/share.h"
#include "match/affixes.h"
#include "match/match.h"
#include "record/record.h"
#include "record/sieve.h"

/* A number that some gates ask for. */
typedef struct sr_index_number {
    int64_t value;
    uint32_t pred;
} sr_index_number;

/* A byte, or a run, that folded values must hold. */
typedef struct sr_index_byte {
    char byte;
    uint32_t pred;
} sr_index_byte;

typedef struct sr_index_run {
    sr_run run;
    uint32_t pred;
} sr_index_run;

/* The predicates of gates that read one field. */
typedef struct sr_field_index {
    uint32_t field;
    bool keywords;  /* its values are those of the whole event */
    sr_affix *ends; /* what folded values must be, begin or end with */
    uint32_t end_count;
    sr_gram_lit *lits; /* what folded values must hold; ids are predicates */
    uint32_t lit_count;
    sr_index_byte *bytes; /* literals too short for those */
    uint32_t byte_count;
    sr_index_run *runs;
    uint32_t run_count;
    sr_gram_lit *pieces; /* keywords: the same as a line writes it */
    uint32_t piece_count;
    sr_index_number *numbers; /* sorted by value */
    uint32_t number_count;
    uint32_t *present; /* predicates that any value may satisfy */
    uint32_t present_count;
    sr_once read;        /* with the first value: */
    sr_affixes *affixes; /* of ends */
    sr_grams *grams;     /* of lits */
    sr_once filtered;    /* with the first line: */
    sr_sieve *sieve;     /* of pieces; NULL: cannot be */
    sr_once verbatim;    /* with the first line that passes: */
    sr_grams *pieced;    /* of pieces */
} sr_field_index;

/* Whether the texts of values tell anything. */
static inline bool sr_index_reads_texts(const sr_field_index *x)
{
    return (x->end_count | x->lit_count | x->byte_count | x->run_count) != 0;
}

typedef struct sr_index {
    sr_field_index *fields; /* those that gates read, keywords first */
    uint32_t field_count, keywords_count;
    sr_field_index **by_field; /* per field, but for keywords; NULL: not read */
    uint64_t *always;          /* bit r: no field decides about the rule */
    uint64_t *decided;         /* bit p: see sr_index_decides */
    uint32_t *rule_first;      /* per predicate, and one more: its rules ... */
    uint32_t *rule_list;       /* ... here */
} sr_index;

/* Of the rules marked in `rules`, by index. Owned by the arena, as all it
 * holds. */
sr_index *sr_index_new(sg_arena *arena, const sigma_detector *d,
                       const bool *rules);

/* Whether the predicate holds where the index leads to it, and nowhere else. */
static inline bool sr_index_decides(const sr_index *index, uint32_t pred)
{
    return (index->decided[pred / 64] >> (pred % 64) & 1) != 0;
}

/* Those of one detector. */
typedef struct sr_indexes {
    const sigma_detector *d;
    struct {
        sr_once taken; /* by these: */
        const bool *rules;
        sr_once made; /* of them: */
        sr_index *index;
    } places[SR_ROUTE_CLASSES + 1];
} sr_indexes;

/* That of the rules marked in `rules`, which the caller then has no more use
 * for: in the maker's arena. */
sr_index *sr_indexes_get(sr_indexes *indexes, sr_maker *maker,
                         const bool *rules);

#endif
