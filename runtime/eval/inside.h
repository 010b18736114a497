/*
 * inside.h - what an evaluator is made of, private to this folder: ready.c
 * makes the predicates ready, eval.c asks them.
 */
#ifndef SR_EVAL_INSIDE_H
#define SR_EVAL_INSIDE_H

#include "eval/candidates.h"
#include "eval/eval.h"
#include "eval/keywords.h"
#include "eval/lazy_regex.h"
#include "eval/recall.h"
#include "eval/routes.h"
#include "match/match.h"

/* A predicate with its operands made ready. */
typedef struct pred {
    sigma_op op;
    uint8_t flags;
    uint32_t field;
    uint32_t count;
    union {
        struct {
            const sg_str *lits;
            const sr_litset *set; /* NULL: not yet asked */
        } any;                    /* EQ, STARTS, ENDS, CONTAINS */
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

struct sr_eval {
    const sigma_detector *d;
    sg_arena arena;
    bool ready; /* predicates, wants and buckets are made */
    pred *preds;
    sg_str *lits;      /* the detector's, as views */
    sg_str *num_texts; /* canonical texts of its nums */
    uint64_t *known, *value;
    size_t words;
    sr_routes *routes;
    bucket *buckets;       /* per route, and last those that take any event */
    sr_keywords *keywords; /* NULL: read with the other fields */
    sr_candidates *candidates; /* NULL: few rules, ask each */
    sr_recall *recall;         /* NULL: values are not kept */
    uint64_t *matched;         /* bit r: rule r; all 0 between events */
    size_t rule_words;
    sr_want *wants[2]; /* predicate fields, context fields */
    uint32_t want_count[2];
    sr_lazy_regex *regexes; /* all of them, to free */
    uint32_t regex_count;
    bool searches_all; /* regular expressions, whatever texts they need */
    sr_eval_stats stats;
    sr_profile *profile; /* NULL: nobody asked */
};

/* Whether a value alone satisfies predicate p; not for those that ask for no
 * value or for those of another field. */
bool sr_value_holds(sr_eval *eval, sr_event *event, uint32_t p, sr_value *v);

/* Make texts and predicates ready; once. */
void sr_ready_preds(sr_eval *eval);

#endif
