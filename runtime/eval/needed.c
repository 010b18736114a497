/*
 * needed.c - what an event must hold to match any rule: texts somewhere, from
 * the rules' gates, and values of fields, from their clauses.
 */
#include "eval/needed.h"

#include "eval/inside.h"

#include <stdlib.h>

/* So many texts hardly ever end up as few enough needles. */
enum { TEXTS_MOST = 64 };

/* -------- texts ---------------------------------------------------------- */

typedef struct needed {
    const sigma_detector *d;
    sg_arena *arena;
    SG_VEC(sg_str) texts;
} needed;

/* Whether what satisfies the predicate holds one of its literals, or every
 * piece between the wildcards of one. */
static bool is_textual(const sigma_pred *p)
{
    return p->op == SIGMA_OP_EQ || p->op == SIGMA_OP_STARTS ||
           p->op == SIGMA_OP_ENDS || p->op == SIGMA_OP_CONTAINS ||
           p->op == SIGMA_OP_GLOB;
}

static bool add_pred(needed *n, const sigma_pred *p)
{
    if (!is_textual(p) || n->texts.count + p->count > TEXTS_MOST)
        return false;
    for (uint32_t i = 0; i < p->count; i++) {
        const sg_str text = sr_text_of(n->d, n->d->lits[p->first + i]);

        SG_PUSH(n->arena, &n->texts, text);
    }
    return true;
}

static bool add_rule(needed *n, const sigma_rule *rule)
{
    for (uint32_t i = 0; i < rule->gate_count; i++)
        if (!add_pred(n, &n->d->preds[n->d->gates[rule->gate_first + i]]))
            return false;
    return rule->gate_count != 0;
}

static void add_texts(sr_prefilter *filter, const sigma_detector *d)
{
    sg_arena scratch = {0};
    needed n = {.d = d, .arena = &scratch};
    uint32_t rules = 0;

    while (rules < d->rule_count && add_rule(&n, &d->rules[rules]))
        rules++;
    if (rules == d->rule_count)
        (void)sr_prefilter_texts(filter, n.texts.items, n.texts.count);
    sg_arena_free(&scratch);
}

/* -------- fields --------------------------------------------------------- */

/* What a field must satisfy: one of these predicates, for any rule. */
typedef struct wanted {
    sr_eval *eval;
    SG_VEC(uint32_t) preds;
} wanted;

/* sr_value_fn */
static bool is_wanted(void *ctx, sr_event *event, sr_value *value)
{
    const wanted *w = ctx;

    for (uint32_t i = 0; i < w->preds.count; i++)
        if (sr_value_holds(w->eval, event, w->preds.items[i], value))
            return true;
    return false;
}

/* The rule's clause about the field; false when it has none. */
static bool add_clause(wanted *w, sg_arena *arena, uint32_t rule,
                       uint32_t field)
{
    const sigma_detector *d = w->eval->d;

    for (uint32_t i = 0; i < d->clause_count; i++) {
        const sigma_clause *c = &d->clauses[i];
        const uint32_t *preds = d->gates + c->gate_first;
        if (c->rule != rule || d->preds[preds[0]].field != field)
            continue;
        for (uint32_t k = 0; k < c->gate_count; k++)
            SG_PUSH(arena, &w->preds, preds[k]);
        return true;
    }
    return false;
}

/* Fields about which every rule has a clause. */
static void add_fields(sr_prefilter *filter, sr_eval *eval, sg_arena *arena)
{
    const sigma_detector *d = eval->d;

    for (uint32_t f = 0; f < d->field_count; f++) {
        wanted *w = sg_new(arena, wanted);
        uint32_t rules = 0;

        w->eval = eval;
        while (rules < d->rule_count && add_clause(w, arena, rules, f))
            rules++;
        if (rules == d->rule_count && rules != 0)
            (void)sr_prefilter_field(
                filter, arena, sr_text_of(d, d->fields[f].name), is_wanted, w);
    }
}

static bool looks_at_fields(void)
{
    const char *set = getenv("SIGCC_CASCADE");

    return set == NULL || set[0] != '0' || set[1] != '\0';
}

sr_prefilter *sr_needed_prefilter(sr_eval *eval, sg_arena *arena)
{
    sr_prefilter *filter = sr_prefilter_new(arena);

    add_texts(filter, eval->d);
    if (looks_at_fields())
        add_fields(filter, eval, arena);
    return sr_prefilter_has_stages(filter) ? filter : NULL;
}
