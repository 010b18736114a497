/*
 * eval.c - from values to bits to verdicts.
 *
 * What a predicate's operands need beforehand (parsed networks, the text of
 * numbers) is made with the first event, for all threads (ready.c); a set of
 * literals is indexed and a regular expression compiled when first asked, as
 * that is dear and most are never reached. A predicate is asked at most once
 * per event: each operator looks at one value, and any value of the field will
 * do.
 */
#include "eval/inside.h"
#include "eval/needed.h"

#include "match/match.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Pairs of values one field reference may compare. */
enum { PAIRS_MOST = 1 << 20 };

/* -------- opening -------------------------------------------------------- */

/* Where rules are found by their gates hardly any event needs keywords. */
static void make_candidates(sr_eval *eval)
{
    sr_keywords *keywords = sr_keywords_new(&eval->arena, eval->d);

    eval->routes = sr_routes_new(&eval->arena, eval->d);
    eval->recall = sr_recall_new(&eval->arena, eval->d);
    eval->candidates =
        sr_candidates_new(&eval->arena, eval->maker, &eval->ready->indexes,
                          eval->routes, keywords, eval->recall);
    if (eval->candidates != NULL)
        eval->keywords = keywords;
}

static void check_once(sr_eval *eval)
{
    char reason[256];

    if (!sr_makes(eval->maker, &eval->ready->checked))
        return;
    if (!sr_detector_check_events(eval->d, reason, sizeof(reason)))
        sg_fatal("this detector is broken: %s", reason);
    sr_made(eval->maker, &eval->ready->checked);
}

/* With the first event, as that is most of what it takes to open a large
 * pack. */
static void make_ready(sr_eval *eval)
{
    const sigma_detector *d = eval->d;
    sr_ready *ready = eval->ready;

    if (eval->begun)
        return;
    eval->begun = true;
    check_once(eval);
    if (sr_makes(eval->maker, &ready->made)) {
        sr_ready_tables(ready, &eval->maker->arena, d, eval->keywords == NULL);
        sr_made(eval->maker, &ready->made);
    }
    eval->preds = ready->preds;
    eval->words = ((size_t)d->pred_count + 63) / 64;
    eval->known = sg_new_n(&eval->arena, uint64_t, eval->words);
    eval->value = sg_new_n(&eval->arena, uint64_t, eval->words);
    eval->rule_words = ((size_t)d->rule_count + 63) / 64;
    eval->matched = sg_new_n(&eval->arena, uint64_t, eval->rule_words);
}

/* `other`: one to share with, or NULL. */
static sr_eval *open_eval(const sigma_detector *d, const sr_eval *other,
                          char *reason, size_t reason_size)
{
    sr_eval *eval = calloc(1, sizeof(*eval));
    if (eval == NULL) {
        (void)snprintf(reason, reason_size, "out of memory");
        return NULL;
    }
    eval->d = d;
    eval->searches_all = sr_index_setting() == SR_INDEX_NEVER;
    eval->maker = sr_maker_open(other == NULL ? NULL : other->maker);
    eval->ready =
        other == NULL ? sg_new(&eval->maker->arena, sr_ready) : other->ready;
    if (other == NULL)
        eval->ready->indexes.d = d;
    make_candidates(eval);
    return eval;
}

sr_eval *sr_eval_open(const sigma_detector *d, char *reason, size_t reason_size)
{
    return open_eval(d, NULL, reason, reason_size);
}

sr_eval *sr_eval_beside(const sr_eval *other, char *reason, size_t reason_size)
{
    return open_eval(other->d, other, reason, reason_size);
}

static void free_shared(const sr_ready *ready, sr_maker *maker)
{
    for (uint32_t i = 0; i < ready->regex_count; i++)
        sr_regex_free(ready->regexes[i].regex);
    sr_makers_free(maker);
}

void sr_eval_close(sr_eval *eval)
{
    if (eval == NULL)
        return;
    if (sr_maker_leave(eval->maker))
        free_shared(eval->ready, eval->maker);
    sg_arena_free(&eval->arena);
    free(eval);
}

sr_maker *sr_eval_maker(const sr_eval *eval)
{
    return eval->maker;
}

const sr_want *sr_eval_wants(sr_eval *eval, bool context, uint32_t *count)
{
    make_ready(eval);
    *count = eval->ready->want_count[context];
    return eval->ready->wants[context];
}

sr_prefilter *sr_eval_prefilter(sr_eval *eval, sg_arena *arena)
{
    if (eval->candidates != NULL)
        return NULL;
    check_once(eval);
    return sr_needed_prefilter(eval, arena);
}

const sr_eval_stats *sr_eval_stats_get(const sr_eval *eval)
{
    return &eval->stats;
}

sr_eval_stats sr_eval_stats_take(sr_eval *eval)
{
    const sr_eval_stats stats = eval->stats;

    eval->stats = (sr_eval_stats){.candidates = 0};
    return stats;
}

void sr_eval_profile(sr_eval *eval, sr_profile *profile)
{
    eval->profile = profile;
}

/* -------- one value ------------------------------------------------------ */

/* What a predicate is judged in. */
typedef struct scene {
    sr_eval *eval;
    sr_event *event;
} scene;

static bool is_scalar(const sr_value *v)
{
    return v->kind == SR_STRING || v->kind == SR_NUMBER || v->kind == SR_BOOL;
}

/* The text to compare: as it is or folded. */
static sg_str text_for(scene s, const pred *p, sr_value *v)
{
    if ((p->flags & SIGMA_F_CASED) != 0)
        return sr_value_text(s.event, v);
    return sr_value_folded(s.event, v);
}

static sr_lit_kind kind_of(sigma_op op)
{
    return op == SIGMA_OP_EQ       ? SR_LIT_EQ
           : op == SIGMA_OP_STARTS ? SR_LIT_STARTS
           : op == SIGMA_OP_ENDS   ? SR_LIT_ENDS
                                   : SR_LIT_CONTAINS;
}

static bool any_lit(scene s, pred *p, sg_str text)
{
    sr_maker *maker = s.eval->maker;

    if (sr_makes(maker, &p->made)) {
        p->u.any.set = sr_litset_new(&maker->arena, kind_of(p->op),
                                     p->u.any.lits, p->count);
        sr_made(maker, &p->made);
    }
    return sr_litset_match(p->u.any.set, text);
}

static bool any_glob(const pred *p, sg_str text)
{
    for (uint32_t i = 0; i < p->count; i++)
        if (sr_glob_match(p->u.globs[i], text))
            return true;
    return false;
}

static bool any_regex(scene s, const pred *p, sr_value *v)
{
    sr_eval *eval = s.eval;

    for (uint32_t i = 0; i < p->count; i++) {
        sr_lazy_regex *lazy = &p->u.regexes[i];

        if (!eval->searches_all &&
            sr_lazy_regex_denies(lazy, eval->maker,
                                 sr_value_folded(s.event, v)))
            continue;
        const sr_regex *regex = sr_lazy_regex_get(lazy, eval->maker, p->flags);
        if (regex == NULL) {
            eval->stats.regex_refusals++;
            continue;
        }
        const sr_re_result result =
            sr_regex_match(regex, sr_value_text(s.event, v));
        eval->stats.regexes++;
        if (result == SR_RE_YES)
            return true;
        eval->stats.regex_limits += result == SR_RE_LIMIT;
    }
    return false;
}

static bool any_net(scene s, const pred *p, sr_value *v)
{
    sr_cidr address;

    if (v->kind != SR_STRING ||
        !sr_address_parse(sr_value_text(s.event, v), &address))
        return false;
    for (uint32_t i = 0; i < p->count; i++)
        if (sr_cidr_covers(&p->u.nets[i], &address))
            return true;
    return false;
}

static bool any_num(const pred *p, sg_num have)
{
    for (uint32_t i = 0; i < p->count; i++)
        if (sr_num_holds(p->op, have, p->u.num.nums[i]))
            return true;
    return false;
}

/* Equal numbers, or exactly their text; true is not 1. */
static bool equals_num(scene s, const pred *p, sr_value *v)
{
    if (v->kind == SR_NUMBER)
        return any_num(p, v->num);
    if (v->kind != SR_STRING)
        return false;
    const sg_str text = sr_value_text(s.event, v);
    for (uint32_t i = 0; i < p->count; i++)
        if (sg_str_eq(text, p->u.num.texts[i]))
            return true;
    return false;
}

static bool compares(scene s, const pred *p, sr_value *v)
{
    sg_num num;

    if (v->kind == SR_NUMBER)
        return any_num(p, v->num);
    return v->kind == SR_STRING &&
           sg_num_parse(sr_value_text(s.event, v), &num) && any_num(p, num);
}

static bool part_compares(scene s, const pred *p, sr_value *v)
{
    const sigma_time_part part =
        (sigma_time_part)(p->flags >> SIGMA_F_PART_SHIFT);
    sg_num num = {.kind = SIGMA_INT, .v.i = 0};

    return v->kind == SR_STRING &&
           sr_time_part(sr_value_text(s.event, v), part, &num.v.i) &&
           any_num(p, num);
}

static bool is_bool(scene s, const pred *p, sr_value *v)
{
    if (v->kind == SR_BOOL)
        return v->boolean == p->u.truth;
    return v->kind == SR_STRING &&
           sr_bool_is_text(p->u.truth, sr_value_text(s.event, v));
}

static bool pair_holds(const pred *p, sg_str text, sg_str other)
{
    if (p->op == SIGMA_OP_REF_EQ)
        return sg_str_eq(text, other);
    if (p->op == SIGMA_OP_REF_STARTS)
        return sg_str_starts(text, other);
    if (p->op == SIGMA_OP_REF_ENDS)
        return sg_str_ends(text, other);
    return sr_contains(text, other);
}

/* Whether one scalar satisfies the predicate; not for those that
 * pred_holds judges itself. */
static bool value_holds(scene s, pred *p, sr_value *v)
{
    switch (p->op) {
    case SIGMA_OP_EQ:
    case SIGMA_OP_STARTS:
    case SIGMA_OP_ENDS:
    case SIGMA_OP_CONTAINS:
        return any_lit(s, p, text_for(s, p, v));
    case SIGMA_OP_GLOB:
        return any_glob(p, text_for(s, p, v));
    case SIGMA_OP_ANY:
        return true;
    case SIGMA_OP_REGEX:
        return any_regex(s, p, v);
    case SIGMA_OP_CIDR:
        return any_net(s, p, v);
    case SIGMA_OP_NUM_EQ:
        return equals_num(s, p, v);
    case SIGMA_OP_LT:
    case SIGMA_OP_LTE:
    case SIGMA_OP_GT:
    case SIGMA_OP_GTE:
        return compares(s, p, v);
    case SIGMA_OP_BOOL:
        return is_bool(s, p, v);
    case SIGMA_OP_TIME_EQ:
    case SIGMA_OP_TIME_LT:
    case SIGMA_OP_TIME_LTE:
    case SIGMA_OP_TIME_GT:
    case SIGMA_OP_TIME_GTE:
        return part_compares(s, p, v);
    case SIGMA_OP_NULL:
    case SIGMA_OP_EXISTS:
    case SIGMA_OP_REF_EQ:
    case SIGMA_OP_REF_STARTS:
    case SIGMA_OP_REF_ENDS:
    case SIGMA_OP_REF_CONTAINS:
    case SIGMA_OP_COUNT:
        break;
    }
    return false;
}

/* -------- all values of a field ------------------------------------------ */

bool sr_value_holds(sr_eval *eval, sr_event *event, uint32_t p, sr_value *v)
{
    make_ready(eval);
    return is_scalar(v) &&
           value_holds((scene){eval, event}, &eval->preds[p], v);
}

static bool any_value(scene s, pred *p)
{
    for (sr_value *v = sr_first(s.event, p->field); v != NULL;
         v = sr_next(s.event, v))
        if (is_scalar(v) && value_holds(s, p, v))
            return true;
    return false;
}

static bool is_null(scene s, const pred *p)
{
    const sr_value *v = sr_first(s.event, p->field);

    if (v == NULL)
        return true;
    for (; v != NULL; v = sr_next(s.event, v))
        if (v->kind == SR_NULL)
            return true;
    return false;
}

/* Any pair of scalars of the two fields. An event may hold arrays so large
 * that their product is out of reach; what is cut off is counted. */
static bool any_pair(scene s, const pred *p)
{
    uint32_t pairs = 0;

    for (sr_value *v = sr_first(s.event, p->field); v != NULL;
         v = sr_next(s.event, v)) {
        for (sr_value *w = sr_first(s.event, p->u.other); w != NULL;
             w = sr_next(s.event, w)) {
            if (pairs++ == PAIRS_MOST) {
                s.eval->stats.pair_limits++;
                return false;
            }
            if (is_scalar(v) && is_scalar(w) &&
                pair_holds(p, text_for(s, p, v), text_for(s, p, w)))
                return true;
        }
    }
    return false;
}

static bool pred_holds(scene s, pred *p)
{
    const sr_candidates *c = s.eval->candidates;

    if (c != NULL && sr_candidates_deny(c, (uint32_t)(p - s.eval->preds)))
        return false;
    if (s.eval->keywords != NULL && sr_is_keywords(s.eval->d, p->field))
        sr_keywords_read(s.eval->keywords, s.event);
    if (p->op == SIGMA_OP_NULL)
        return is_null(s, p);
    if (p->op == SIGMA_OP_EXISTS)
        return sr_first(s.event, p->field) != NULL;
    if (sr_is_reference(p))
        return any_pair(s, p);
    return any_value(s, p);
}

/* Searches that were given up: their verdicts are not kept, so that each is
 * counted. */
static uint64_t losses(const sr_eval *eval)
{
    return eval->stats.regex_limits + eval->stats.regex_refusals +
           eval->stats.pair_limits;
}

bool sigma_pred_eval(sigma_event *bits, uint32_t p)
{
    sr_event *event = (sr_event *)(void *)bits;
    sr_eval *eval = event->evaluator;

    assert(p < eval->d->pred_count);
    const uint64_t bit = UINT64_C(1) << (p & 63);
    sr_profile *profile = eval->profile;
    const int64_t start = profile == NULL ? 0 : sr_profile_start(profile);
    const uint64_t lost = losses(eval);
    const bool verdict = pred_holds((scene){eval, event}, &eval->preds[p]);
    if (profile != NULL)
        sr_profile_predicate(profile, eval->preds[p].field, start);
    if (!sr_is_reference(&eval->preds[p]) && losses(eval) == lost)
        sr_recall_verdict(eval->recall, eval->preds[p].field, p, verdict);
    bits->known[p >> 6] |= bit;
    if (verdict)
        bits->value[p >> 6] |= bit;
    else
        bits->value[p >> 6] &= ~bit;
    return verdict;
}

bool sigma_ask(sigma_event *bits, uint32_t p)
{
    return sigma_verdict(bits, p);
}

/* -------- rules ---------------------------------------------------------- */

void sr_eval_begin(sr_eval *eval, sr_event *event)
{
    make_ready(eval);
    event->bits.known = eval->known;
    event->bits.value = eval->value;
    event->evaluator = eval;
    if (eval->keywords != NULL)
        sr_keywords_begin(eval->keywords);
    if (eval->candidates != NULL)
        sr_candidates_begin(eval->candidates);
    sr_recall_begin(eval->recall);
    memset(eval->known, 0, eval->words * sizeof(*eval->known));
    sr_routes_begin(eval->routes);
}

static bool is_known_true(const sigma_event *bits, uint32_t p)
{
    const uint64_t both = bits->known[p >> 6] & bits->value[p >> 6];

    return (both >> (p & 63) & 1) != 0;
}

static bool gate_holds(const sr_eval *eval, sr_event *event,
                       const sigma_rule *r)
{
    const uint32_t *gate = eval->d->gates + r->gate_first;

    /* What is known already, for candidates by what made them one. */
    for (uint32_t i = 0; i < r->gate_count; i++)
        if (is_known_true(&event->bits, gate[i]))
            return true;
    for (uint32_t i = 0; i < r->gate_count; i++)
        if (SIGMA_P(&event->bits, gate[i]))
            return true;
    return r->gate_count == 0;
}

/* A rule was asked: the time it began, the searches made until then. */
static void count_rule(const sr_eval *eval, uint32_t rule, int64_t start,
                       uint64_t regexes, bool open, bool matches)
{
    sr_profile_rule *n = &eval->profile->rules[rule];

    sr_profile_stop(eval->profile, start, &n->ns);
    n->asked++;
    n->evaluated += open;
    n->matches += matches;
    n->regexes += eval->stats.regexes - regexes;
}

static bool rule_matches(const sr_eval *eval, sr_event *event, uint32_t rule)
{
    const sigma_rule *r = &eval->d->rules[rule];
    sr_profile *profile = eval->profile;
    const int64_t start = profile == NULL ? 0 : sr_profile_start(profile);
    const uint64_t regexes = eval->stats.regexes;
    const bool open = gate_holds(eval, event, r);
    const bool matches = open && eval->d->matches[rule](&event->bits);

    if (profile != NULL)
        count_rule(eval, rule, start, regexes, open, matches);
    return matches;
}

bool sr_eval_rule(sr_eval *eval, sr_event *event, uint32_t rule)
{
    return sr_routes_open(eval->routes, event, eval->d->rules[rule].route) &&
           rule_matches(eval, event, rule);
}

/* Note the rules of a bucket that match; returns their number. */
static size_t match_bucket(sr_eval *eval, sr_event *event, const bucket *b)
{
    size_t n = 0;

    for (uint32_t i = 0; i < b->count; i++) {
        const uint32_t rule = b->rules[i];
        if (!rule_matches(eval, event, rule))
            continue;
        eval->matched[rule >> 6] |= UINT64_C(1) << (rule & 63);
        n++;
    }
    return n;
}

/* The rules noted, ascending, which are then forgotten. */
static void take_matched(sr_eval *eval, uint32_t *hits)
{
    for (size_t w = 0; w < eval->rule_words; w++) {
        for (uint64_t bits = eval->matched[w]; bits != 0; bits &= bits - 1)
            *hits++ = (uint32_t)(w * 64) + (uint32_t)__builtin_ctzll(bits);
        eval->matched[w] = 0;
    }
}

/* Candidates of a class have open routes. */
static bool rule_asked(sr_eval *eval, sr_event *event, uint32_t class,
                       uint32_t rule)
{
    return class == SR_ROUTE_CLASS_ANY ? sr_eval_rule(eval, event, rule)
                                       : rule_matches(eval, event, rule);
}

/* Of the rules that the event's fields make candidates, those that match. */
static size_t match_candidates(sr_eval *eval, sr_event *event, uint32_t *hits)
{
    const uint32_t class = sr_routes_class(eval->routes, event);
    size_t n = 0;

    sr_candidates_find(eval->candidates, event, class, eval->matched,
                       eval->profile);
    sr_profile_lap(eval->profile, SR_PHASE_gates);
    for (size_t w = 0; w < eval->rule_words; w++) {
        for (uint64_t bits = eval->matched[w]; bits != 0; bits &= bits - 1) {
            const uint32_t rule =
                (uint32_t)(w * 64) + (uint32_t)__builtin_ctzll(bits);

            eval->stats.candidates++;
            if (rule_asked(eval, event, class, rule))
                hits[n++] = rule;
        }
        eval->matched[w] = 0;
    }
    return n;
}

size_t sr_eval_rules(sr_eval *eval, sr_event *event, uint32_t *hits)
{
    if (eval->candidates != NULL)
        return match_candidates(eval, event, hits);
    const uint32_t any = eval->d->route_count;
    const bucket *buckets = eval->ready->buckets;
    size_t n = match_bucket(eval, event, &buckets[any]);

    for (uint32_t i = 0; i < any; i++)
        if (buckets[i].count != 0 && sr_routes_open(eval->routes, event, i))
            n += match_bucket(eval, event, &buckets[i]);
    if (n != 0)
        take_matched(eval, hits);
    return n;
}

bool sr_eval_selection(sr_eval *eval, sr_event *event, uint32_t selection)
{
    assert(selection < eval->d->selection_count);
    return eval->d->holds[selection](&event->bits);
}

bool sr_eval_derives(const sr_eval *eval, uint32_t rule, uint32_t field)
{
    const sigma_rule *r = &eval->d->rules[rule];

    for (uint32_t i = 0; i < r->derive_count; i++)
        if (eval->d->derives[r->derive_first + i].field == field)
            return true;
    return false;
}

bool sr_eval_derived(sr_eval *eval, sr_event *event, uint32_t rule,
                     uint32_t field, sg_str *text)
{
    const sigma_rule *r = &eval->d->rules[rule];

    for (uint32_t i = 0; i < r->derive_count; i++) {
        const sigma_derive *b = &eval->d->derives[r->derive_first + i];
        if (b->field != field)
            continue;
        if (b->selection == SIGMA_NONE ||
            sr_eval_selection(eval, event, r->selection_first + b->selection)) {
            *text = sr_text_of(eval->d, b->value);
            return true;
        }
    }
    return false;
}
