/*
 * candidates.c - gates turned inside out: from what a field holds to the rules
 * that can match.
 *
 * A gate is a set of predicates one of which must hold. Those that look for
 * literals are filed in one gram index per field, by what the folded value must
 * contain; those that look for whole numbers in one table. A rule with a gate
 * that cannot be filed is always a candidate. Too many candidates cost time,
 * one too few would cost a match: so this only ever errs towards more.
 *
 * Nothing is built before it is needed: gates are filed with the first event, a
 * field is indexed with the first value it has. A log has few of the fields
 * that a large pack asks for.
 */
#include "eval/candidates.h"

#include "match/grams.h"
#include "match/match.h"

#include <stdlib.h>
#include <string.h>

enum { FEW_RULES = 16 };

/* A number that some gates ask for, and the first of them in `numbers`. */
typedef struct number {
    int64_t value;
    uint32_t pred;
} number;

typedef struct field_index {
    uint32_t field;
    sr_gram_lit *lits; /* of which grams is made with the first value */
    uint32_t lit_count;
    sr_grams *grams; /* NULL: not yet, or no literals */
    number *numbers; /* sorted by value */
    uint32_t number_count;
} field_index;

struct sr_candidates {
    const sigma_detector *d;
    sg_arena *arena;
    field_index *fields;
    uint32_t field_count;
    uint32_t words;       /* of a set of rules */
    uint64_t *always;     /* rules that no index decides */
    uint32_t *rule_first; /* per predicate: its rules in rule_list */
    uint32_t *rule_list;
};

/* What building needs and running does not. */
typedef struct builder {
    sr_candidates *c;
    sg_arena *arena;
    sg_arena scratch;
    bool *filed;                /* per predicate */
    SG_VEC(sr_gram_lit) * lits; /* per field */
    SG_VEC(number) * numbers;
} builder;

static sg_str lit_of(const sigma_detector *d, const sigma_pred *p, uint32_t i)
{
    const sigma_ref ref = d->lits[p->first + i];

    return (sg_str){d->pool + ref.off, ref.len};
}

static sg_str folded(sg_arena *arena, sg_str text)
{
    char *out = sg_arena_alloc(arena, sg_fold_bound(text.len) + 1, 1);

    return (sg_str){out, sg_fold(out, text)};
}

/* -------- filing --------------------------------------------------------- */

/* What a folded value must contain to match one literal of the predicate. */
static sg_str needed_text(builder *b, const sigma_pred *p, uint32_t i)
{
    const sg_str lit = lit_of(b->c->d, p, i);
    const sg_str text = p->op == SIGMA_OP_GLOB ? sr_glob_run(lit) : lit;

    return folded(b->arena, text);
}

static bool file_lits(builder *b, uint32_t pred)
{
    const sigma_pred *p = &b->c->d->preds[pred];

    for (uint32_t i = 0; i < p->count; i++)
        if (needed_text(b, p, i).len < SR_GRAM)
            return false;
    for (uint32_t i = 0; i < p->count; i++) {
        const sr_gram_lit lit = {needed_text(b, p, i), pred};

        SG_PUSH(&b->scratch, &b->lits[p->field], lit);
    }
    return true;
}

static bool file_nums(builder *b, uint32_t pred)
{
    const sigma_pred *p = &b->c->d->preds[pred];

    for (uint32_t i = 0; i < p->count; i++)
        if (b->c->d->nums[p->first + i].kind != SIGMA_INT)
            return false;
    for (uint32_t i = 0; i < p->count; i++) {
        const number n = {b->c->d->nums[p->first + i].v.i, pred};

        SG_PUSH(&b->scratch, &b->numbers[p->field], n);
    }
    return true;
}

/* Whether the index finds every event for which the predicate holds. */
static bool file_pred(builder *b, uint32_t pred)
{
    switch ((sigma_op)b->c->d->preds[pred].op) {
    case SIGMA_OP_EQ:
    case SIGMA_OP_STARTS:
    case SIGMA_OP_ENDS:
    case SIGMA_OP_CONTAINS:
    case SIGMA_OP_GLOB:
        return file_lits(b, pred);
    case SIGMA_OP_NUM_EQ:
        return file_nums(b, pred);
    case SIGMA_OP_ANY:
    case SIGMA_OP_REGEX:
    case SIGMA_OP_CIDR:
    case SIGMA_OP_LT:
    case SIGMA_OP_LTE:
    case SIGMA_OP_GT:
    case SIGMA_OP_GTE:
    case SIGMA_OP_BOOL:
    case SIGMA_OP_NULL:
    case SIGMA_OP_EXISTS:
    case SIGMA_OP_REF_EQ:
    case SIGMA_OP_REF_STARTS:
    case SIGMA_OP_REF_ENDS:
    case SIGMA_OP_REF_CONTAINS:
    case SIGMA_OP_TIME_EQ:
    case SIGMA_OP_TIME_LT:
    case SIGMA_OP_TIME_LTE:
    case SIGMA_OP_TIME_GT:
    case SIGMA_OP_TIME_GTE:
    case SIGMA_OP_COUNT:
        break;
    }
    return false;
}

/* File the predicates of all gates, each once. */
static void file_gates(builder *b)
{
    const sigma_detector *d = b->c->d;
    bool *seen = sg_new_n(&b->scratch, bool, (size_t)d->pred_count + 1);

    for (uint32_t r = 0; r < d->rule_count; r++)
        for (uint32_t i = 0; i < d->rules[r].gate_count; i++) {
            const uint32_t pred = d->gates[d->rules[r].gate_first + i];

            if (!seen[pred])
                b->filed[pred] = file_pred(b, pred);
            seen[pred] = true;
        }
}

static bool is_filed(const builder *b, const sigma_rule *rule)
{
    for (uint32_t i = 0; i < rule->gate_count; i++)
        if (!b->filed[b->c->d->gates[rule->gate_first + i]])
            return false;
    return rule->gate_count != 0;
}

/* Which rules a predicate makes candidates of; the rest are always. */
static void list_rules(builder *b)
{
    sr_candidates *c = b->c;
    const sigma_detector *d = c->d;
    uint32_t *next = sg_new_n(&b->scratch, uint32_t, (size_t)d->pred_count + 1);
    uint32_t total = 0;

    c->rule_first = sg_new_n(b->arena, uint32_t, (size_t)d->pred_count + 2);
    for (uint32_t r = 0; r < d->rule_count; r++) {
        if (!is_filed(b, &d->rules[r])) {
            c->always[r / 64] |= UINT64_C(1) << (r % 64);
            continue;
        }
        for (uint32_t i = 0; i < d->rules[r].gate_count; i++, total++)
            c->rule_first[d->gates[d->rules[r].gate_first + i] + 1]++;
    }
    for (uint32_t p = 0; p < d->pred_count; p++)
        c->rule_first[p + 1] += c->rule_first[p];
    c->rule_list = sg_new_n(b->arena, uint32_t, (size_t)total + 1);
    memcpy(next, c->rule_first, d->pred_count * sizeof(*next));
    for (uint32_t r = 0; r < d->rule_count; r++)
        if (is_filed(b, &d->rules[r]))
            for (uint32_t i = 0; i < d->rules[r].gate_count; i++)
                c->rule_list[next[d->gates[d->rules[r].gate_first + i]]++] = r;
}

static int by_value(const void *a, const void *b)
{
    const number *x = a, *y = b;

    return x->value < y->value ? -1 : x->value > y->value;
}

static void index_fields(builder *b)
{
    sr_candidates *c = b->c;

    c->fields = sg_new_n(b->arena, field_index, (size_t)c->d->field_count + 1);
    for (uint32_t f = 0; f < c->d->field_count; f++) {
        field_index *x = &c->fields[c->field_count];

        if (b->lits[f].count + b->numbers[f].count == 0)
            continue;
        x->field = f;
        x->lit_count = b->lits[f].count;
        x->lits = sg_new_n(b->arena, sr_gram_lit, (size_t)x->lit_count + 1);
        if (x->lit_count != 0)
            memcpy(x->lits, b->lits[f].items, x->lit_count * sizeof(*x->lits));
        x->number_count = b->numbers[f].count;
        x->numbers = sg_new_n(b->arena, number, (size_t)x->number_count + 1);
        if (x->number_count != 0) {
            memcpy(x->numbers, b->numbers[f].items,
                   x->number_count * sizeof(*x->numbers));
            qsort(x->numbers, x->number_count, sizeof(*x->numbers), by_value);
        }
        c->field_count++;
    }
}

static void build(sr_candidates *c)
{
    const sigma_detector *d = c->d;
    builder b = {.c = c, .arena = c->arena};

    c->always = sg_new_n(c->arena, uint64_t, c->words);
    b.filed = sg_new_n(&b.scratch, bool, (size_t)d->pred_count + 1);
    b.lits = sg_arena_zalloc(&b.scratch, (size_t)d->field_count + 1,
                             sizeof(*b.lits), _Alignof(void *));
    b.numbers = sg_arena_zalloc(&b.scratch, (size_t)d->field_count + 1,
                                sizeof(*b.numbers), _Alignof(void *));
    file_gates(&b);
    list_rules(&b);
    index_fields(&b);
    sg_arena_free(&b.scratch);
}

sr_candidates *sr_candidates_new(sg_arena *arena, const sigma_detector *d)
{
    sr_candidates *c;

    if (d->rule_count < FEW_RULES)
        return NULL;
    c = sg_new(arena, sr_candidates);
    c->d = d;
    c->arena = arena;
    c->words = (d->rule_count + 63) / 64;
    return c;
}

/* -------- finding -------------------------------------------------------- */

typedef struct finding {
    const sr_candidates *c;
    uint64_t *rules;
} finding;

static void add_rules(void *ctx, uint32_t pred)
{
    const finding *f = ctx;
    const sr_candidates *c = f->c;

    for (uint32_t i = c->rule_first[pred]; i < c->rule_first[pred + 1]; i++)
        f->rules[c->rule_list[i] / 64] |= UINT64_C(1) << (c->rule_list[i] % 64);
}

static void find_number(finding *f, const field_index *x, int64_t value)
{
    uint32_t low = 0, high = x->number_count;

    while (low < high) {
        const uint32_t mid = low + (high - low) / 2;

        if (x->numbers[mid].value < value)
            low = mid + 1;
        else
            high = mid;
    }
    for (; low < x->number_count && x->numbers[low].value == value; low++)
        add_rules(f, x->numbers[low].pred);
}

/* The whole number a value can stand for. */
static bool whole_number(sr_event *event, sr_value *v, int64_t *out)
{
    sg_num num = v->num;

    if (v->kind != SR_NUMBER && !sg_num_parse(sr_value_text(event, v), &num))
        return false;
    if (num.kind == SIGMA_FLOAT && num.v.f >= -0x1p63 && num.v.f < 0x1p63) {
        *out = (int64_t)num.v.f;
        return true;
    }
    *out = num.v.i;
    return num.kind == SIGMA_INT;
}

static void find_value(finding *f, field_index *x, sr_event *event, sr_value *v)
{
    int64_t whole;

    if (v->kind != SR_STRING && v->kind != SR_NUMBER && v->kind != SR_BOOL)
        return;
    if (x->number_count != 0 && v->kind != SR_BOOL &&
        whole_number(event, v, &whole))
        find_number(f, x, whole);
    if (x->lit_count == 0)
        return;
    if (x->grams == NULL)
        x->grams = sr_grams_new(f->c->arena, x->lits, x->lit_count);
    sr_grams_scan(x->grams, sr_value_folded(event, v), add_rules, f);
}

static void find_field(finding *f, field_index *x, sr_event *event,
                       sr_profile *profile)
{
    const int64_t start = profile == NULL ? 0 : sr_profile_start(profile);

    for (sr_value *v = sr_first(event, x->field); v != NULL;
         v = sr_next(event, v))
        find_value(f, x, event, v);
    if (profile != NULL)
        sr_profile_stop(profile, start, &profile->fields[x->field].scan_ns);
}

void sr_candidates_find(sr_candidates *c, sr_event *event, uint64_t *rules,
                        sr_profile *profile)
{
    finding f = {c, rules};

    if (c->fields == NULL)
        build(c);
    for (uint32_t i = 0; i < c->words; i++)
        rules[i] |= c->always[i];
    for (uint32_t i = 0; i < c->field_count; i++)
        if (sr_first(event, c->fields[i].field) != NULL)
            find_field(&f, &c->fields[i], event, profile);
}
