/*
 * asked.c - the predicates that a rule asks, each once, and of all rules of a
 * pack, how many ask for each.
 */
#include "opt/pass.h"

void sc_asked_open(sc_asked *a, const sc_ir *ir, sg_arena *arena)
{
    *a = (sc_asked){.ir = ir, .arena = arena};
    a->node_stamp = sg_new_n(arena, uint32_t, (size_t)ir->nodes.count + 1);
    a->pred_stamp = sg_new_n(arena, uint32_t, (size_t)ir->preds.count + 1);
}

static void collect(sc_asked *a, const sc_ir_rule *rule, uint32_t node)
{
    const sc_ir_node *n = &a->ir->nodes.items[node];

    if (a->node_stamp[node] == a->round)
        return;
    a->node_stamp[node] = a->round;
    if (n->kind == SC_NODE_PRED && a->pred_stamp[n->first] != a->round) {
        a->pred_stamp[n->first] = a->round;
        SG_PUSH(a->arena, &a->preds, n->first);
    }
    if (n->kind == SC_NODE_SEL)
        collect(a, rule, a->ir->sels.items[rule->sel_first + n->first].node);
    if (n->kind != SC_NODE_NOT && n->kind != SC_NODE_AND &&
        n->kind != SC_NODE_OR)
        return;
    for (uint32_t i = 0; i < n->count; i++)
        collect(a, rule, a->ir->kids.items[n->first + i]);
}

sc_node_ids sc_asked_by(sc_asked *a, const sc_ir_rule *rule)
{
    a->round++;
    a->preds = (sc_node_ids){0};
    collect(a, rule, rule->node);
    return a->preds;
}

void sc_pass_count(sc_ir *ir, sg_arena *tmp)
{
    sc_asked asked;

    sc_asked_open(&asked, ir, tmp);
    for (uint32_t i = 0; i < ir->rules.count; i++) {
        const sc_node_ids preds = sc_asked_by(&asked, &ir->rules.items[i]);

        for (uint32_t k = 0; k < preds.count; k++)
            ir->preds.items[preds.items[k]].rules++;
    }
}
