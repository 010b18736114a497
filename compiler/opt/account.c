/*
 * account.c - what rules cost by what the passes made of them: for people who
 * want to know which rules of a pack are dear and why.
 */
#include "opt/pass.h"

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
    sc_asked asked;

    sc_asked_open(&asked, ir, arena);
    for (uint32_t i = 0; i < ir->rules.count; i++) {
        const sc_ir_rule *r = &ir->rules.items[i];
        const sc_node_ids preds = sc_asked_by(&asked, r);

        out[i] = (sc_rule_cost){.rule = i,
                                .preds = preds.items,
                                .pred_count = preds.count,
                                .obstacle = SIGMA_NONE};
        find_obstacle(ir, r, &out[i]);
        weigh(ir, r, &out[i]);
    }
}
