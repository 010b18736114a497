/*
 * gate.c - gives each rule a predicate that holds whenever the rule matches,
 * so that the runtime need not call rules whose gate is closed. Of several the
 * one that is cheapest for what it keeps out; what many rules share costs each
 * of them less.
 */
#include "opt/pass.h"

#include <stdlib.h>

/* A rule that is let through costs about this many short comparisons. */
static const double rule_cost = 40;

/* Ascending predicate ids that hold whenever a node does. */
typedef sc_node_ids id_set;

typedef struct gates {
    const sc_ir *ir;
    sg_arena *tmp;
    const sc_ir_rule *rule;
    uint32_t *uses;  /* per predicate: rules that need it */
    id_set *needs;   /* per node */
    uint32_t *stamp; /* per node: the round its needs are of, or 0 */
    uint32_t round;
} gates;

enum { OF_SELECTIONS = 1 }; /* the first round; then one per rule */

static id_set needed(gates *g, uint32_t node);

static int by_id(const void *a, const void *b)
{
    const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return x < y ? -1 : x > y;
}

static id_set all_of(gates *g, const sc_ir_node *n)
{
    id_set out = {0};
    uint32_t i, k, kept = 0;

    for (i = 0; i < n->count; i++) {
        const id_set kid = needed(g, g->ir->kids.items[n->first + i]);

        for (k = 0; k < kid.count; k++)
            SG_PUSH(g->tmp, &out, kid.items[k]);
    }
    if (out.count > 1)
        qsort(out.items, out.count, sizeof(*out.items), by_id);
    for (i = 0; i < out.count; i++)
        if (kept == 0 || out.items[kept - 1] != out.items[i])
            out.items[kept++] = out.items[i];
    out.count = kept;
    return out;
}

static id_set common(gates *g, id_set a, id_set b)
{
    id_set out = {0};
    uint32_t i = 0, k = 0;

    while (i < a.count && k < b.count) {
        if (a.items[i] == b.items[k])
            SG_PUSH(g->tmp, &out, a.items[i]);
        if (a.items[i] <= b.items[k])
            i++;
        else
            k++;
    }
    return out;
}

static id_set any_of(gates *g, const sc_ir_node *n)
{
    id_set out = needed(g, g->ir->kids.items[n->first]);
    uint32_t i;

    for (i = 1; i < n->count && out.count > 0; i++)
        out = common(g, out, needed(g, g->ir->kids.items[n->first + i]));
    return out;
}

static id_set work_out(gates *g, const sc_ir_node *n)
{
    id_set out = {0};

    switch (n->kind) {
    case SC_NODE_PRED:
        SG_PUSH(g->tmp, &out, n->first);
        return out;
    case SC_NODE_SEL:
        if (g->rule == NULL)
            sg_fatal("a selection refers to a selection");
        return needed(g, g->ir->sels.items[g->rule->sel_first + n->first].node);
    case SC_NODE_AND:
        return all_of(g, n);
    case SC_NODE_OR:
        return any_of(g, n);
    case SC_NODE_FALSE:
    case SC_NODE_TRUE:
    case SC_NODE_NOT:
        return out;
    }
    return out;
}

/* Selections need the same in every rule, conditions do not. */
static id_set needed(gates *g, uint32_t node)
{
    if (g->stamp[node] != OF_SELECTIONS && g->stamp[node] != g->round) {
        g->needs[node] = work_out(g, &g->ir->nodes.items[node]);
        g->stamp[node] = g->round;
    }
    return g->needs[node];
}

/* -------- choice --------------------------------------------------------- */

static double score(const gates *g, uint32_t pred)
{
    const sc_ir_pred *p = &g->ir->preds.items[pred];

    return sc_pred_cost(g->ir, p) / g->uses[pred] +
           rule_cost * sc_pred_chance(g->ir, p);
}

static uint32_t best(const gates *g, id_set set)
{
    uint32_t out = SIGMA_NONE, i;
    double low = 0;

    for (i = 0; i < set.count; i++) {
        const double s = score(g, set.items[i]);

        if (out == SIGMA_NONE || s < low) {
            out = set.items[i];
            low = s;
        }
    }
    return out;
}

void sc_pass_gate(sc_ir *ir, sg_arena *tmp)
{
    gates g = {.ir = ir, .tmp = tmp};
    id_set *sets = sg_new_n(tmp, id_set, (size_t)ir->rules.count + 1);
    uint32_t i, k;

    g.uses = sg_new_n(tmp, uint32_t, (size_t)ir->preds.count + 1);
    g.stamp = sg_new_n(tmp, uint32_t, (size_t)ir->nodes.count + 1);
    g.needs = sg_new_n(tmp, id_set, (size_t)ir->nodes.count + 1);
    g.round = OF_SELECTIONS;
    for (i = 0; i < ir->sels.count; i++)
        (void)needed(&g, ir->sels.items[i].node);
    for (i = 0; i < ir->rules.count; i++) {
        g.round++;
        g.rule = &ir->rules.items[i];
        sets[i] = needed(&g, g.rule->node);
        for (k = 0; k < sets[i].count; k++)
            g.uses[sets[i].items[k]]++;
    }
    for (i = 0; i < ir->rules.count; i++)
        ir->rules.items[i].gate = best(&g, sets[i]);
}
