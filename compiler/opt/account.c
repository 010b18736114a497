/*
 * account.c - what rules cost by what the passes made of them: for people who
 * want to know which rules of a pack are dear and why.
 */
#include "opt/pass.h"

typedef struct account {
    const sc_ir *ir;
    const sc_ir_rule *rule;
    sg_arena *arena;
    uint32_t *node_stamp, *pred_stamp; /* the round that saw them */
    uint32_t round;
    sc_node_ids preds;
} account;

/* Add the predicates of a node, each once a rule. */
static void collect(account *a, uint32_t node)
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
        collect(a, a->ir->sels.items[a->rule->sel_first + n->first].node);
    if (n->kind != SC_NODE_NOT && n->kind != SC_NODE_AND &&
        n->kind != SC_NODE_OR)
        return;
    for (uint32_t i = 0; i < n->count; i++)
        collect(a, a->ir->kids.items[n->first + i]);
}

/* How often the gate lets an event through. */
static double gate_chance(const sc_ir *ir, const sc_ir_rule *r)
{
    double chance = 0;

    for (uint32_t i = 0; i < r->gate_count; i++)
        chance += sc_pred_chance(
            ir, &ir->preds.items[ir->gates.items[r->gate_first + i]]);
    return r->gate_count == 0 || chance > 1 ? 1 : chance;
}

/* Look for a predicate of the gate that no scan finds. */
static void find_obstacle(const sc_ir *ir, const sc_ir_rule *r,
                          sc_rule_cost *out)
{
    for (uint32_t i = 0; i < r->gate_count; i++) {
        const uint32_t pred = ir->gates.items[r->gate_first + i];
        const sc_index_why why = sc_pred_index(ir, &ir->preds.items[pred]);

        if (why == SC_INDEX_found)
            continue;
        out->obstacle = pred;
        out->why = why;
        return;
    }
}

static void weigh(const sc_ir *ir, const sc_ir_rule *r, sc_rule_cost *out)
{
    double all = 0;

    for (uint32_t i = 0; i < out->pred_count; i++)
        all += sc_pred_cost(ir, &ir->preds.items[out->preds[i]]);
    out->work = all * gate_chance(ir, r);
    out->class = r->gate_count == 0            ? SC_COST_open
                 : out->obstacle != SIGMA_NONE ? SC_COST_gated
                                               : SC_COST_indexed;
    for (uint32_t i = 0; out->class == SC_COST_gated && i < r->gate_count; i++)
        out->work += sc_pred_cost(
            ir, &ir->preds.items[ir->gates.items[r->gate_first + i]]);
}

void sc_opt_costs(const sc_ir *ir, sg_arena *arena, sc_rule_cost *out)
{
    account a = {.ir = ir, .arena = arena};

    a.node_stamp = sg_new_n(arena, uint32_t, (size_t)ir->nodes.count + 1);
    a.pred_stamp = sg_new_n(arena, uint32_t, (size_t)ir->preds.count + 1);
    for (uint32_t i = 0; i < ir->rules.count; i++) {
        const sc_ir_rule *r = &ir->rules.items[i];

        a.rule = r;
        a.round++;
        a.preds = (sc_node_ids){0};
        collect(&a, r->node);
        out[i] = (sc_rule_cost){.rule = i,
                                .preds = a.preds.items,
                                .pred_count = a.preds.count,
                                .obstacle = SIGMA_NONE};
        find_obstacle(ir, r, &out[i]);
        weigh(ir, r, &out[i]);
    }
}
