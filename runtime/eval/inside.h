/*
 * inside.h - what an evaluator is made of, private to this folder: ready.c
 * makes the detector's tables ready, which evaluators share, eval.c asks them.
 */
#ifndef SR_EVAL_INSIDE_H
#define SR_EVAL_INSIDE_H

#include "eval/candidates.h"
#include "eval/eval.h"
#include "eval/index.h"
#include "eval/keywords.h"
#include "eval/lazy_regex.h"
#include "eval/recall.h"
#include "eval/routes.h"
#include "eval/share.h"
#include "match/match.h"

/* A predicate with its operands made ready. */
typedef struct pred {
    sigma_op op;
    uint8_t flags;
    sr_once made; /* u.any.set */
    uint32_t field;
    uint32_t count;
    union {
        struct {
            const sg_str *lits;
            const sr_litset *set;
        } any; /* EQ, STARTS, ENDS, CONTAINS */
        const sg_str *globs;
        sr_lazy_regex *regexes;
        const sr_cidr *nets;
        struct {
            const sg_num *nums;
            const sg_str *texts; /* canonical; NUM_EQ only */
        } num;
        uint32_t other; /* REF_* */
        bool truth;     /* BOOL */
    } u;
} pred;

/* Rules of one route, ascending. */
typedef struct bucket {
    uint32_t *rules;
    uint32_t count;
} bucket;

/* What is made of the detector's tables, once for all who share it. */
typedef struct sr_ready {
    sr_once checked; /* the tables that only events need */
    sr_once made;    /* what follows, but for indexes */
    pred *preds;
    sg_str *lits;           /* the detector's, as views */
    sg_str *num_texts;      /* canonical texts of its nums */
    sr_lazy_regex *regexes; /* all of them, to free */
    uint32_t regex_count;
    bucket *buckets;   /* per route, and last those that take any event */
    sr_want *wants[2]; /* predicate fields, context fields */
    uint32_t want_count[2];
    sr_indexes indexes;
} sr_ready;

struct sr_eval {
    const sigma_detector *d;
    sr_maker *maker;
    sr_ready *ready; /* of all who share */
    sg_arena arena;  /* for what changes with events */
    bool begun;      /* an event or its fields were asked for */
    pred *preds;     /* of what is ready */
    uint64_t *known, *value;
    size_t words;
    sr_routes *routes;
    sr_keywords *keywords;     /* NULL: read with the other fields */
    sr_candidates *candidates; /* NULL: few rules, ask each */
    sr_recall *recall;         /* NULL: values are not kept */
    uint64_t *matched;         /* bit r: rule r; all 0 between events */
    size_t rule_words;
    bool searches_all; /* regular expressions, whatever texts they need */
    sr_eval_stats stats;
    sr_profile *profile; /* NULL: nobody asked */
};

/* Whether a value alone satisfies predicate p; not for those that ask for no
 * value or for those of another field. */
bool sr_value_holds(sr_eval *eval, sr_event *event, uint32_t p, sr_value *v);

/* The part of sr_detector_check that sr_detector_check_start leaves. */
bool sr_detector_check_events(const sigma_detector *d, char *reason,
                              size_t reason_size);
/* Make the tables of the detector ready, in the arena. Keywords: they are read
 * with the other fields. */
void sr_ready_tables(sr_ready *ready, sg_arena *arena, const sigma_detector *d,
                     bool keywords);

static inline bool sr_is_reference(const pred *p)
{
    return p->op >= SIGMA_OP_REF_EQ && p->op <= SIGMA_OP_REF_CONTAINS;
}

#endif
