/*
 * cost.c - guesses about predicates, for the passes that order and gate. They
 * rest on what rules look for in logs: text is rarely what a rule names, event
 * ids and flags often are. A wrong guess costs time, never a verdict.
 */
#include "opt/pass.h"

enum {
    KEYWORDS_FACTOR = 16, /* every value of the event, not one field's */
    SHORT_LITERAL = 4     /* bytes; common in any text */
};

double sc_pred_cost(const sc_ir *ir, const sc_ir_pred *p)
{
    double cost = sc_op_cost(p->op);

    /* Sets of patterns are tried one by one, sets of literals are not. */
    if (p->op == SIGMA_OP_REGEX || p->op == SIGMA_OP_GLOB)
        cost *= p->count;
    if (ir->fields.items[p->field].flags & SIGMA_FIELD_KEYWORDS)
        cost *= KEYWORDS_FACTOR;
    return cost;
}

/* Of one operand. */
static double base_chance(sigma_op op)
{
    switch (op) {
    case SIGMA_OP_EQ:
    case SIGMA_OP_ENDS:
    case SIGMA_OP_CONTAINS:
    case SIGMA_OP_GLOB:
        return 0.01;
    case SIGMA_OP_STARTS:
    case SIGMA_OP_REGEX:
        return 0.03;
    case SIGMA_OP_NUM_EQ:
    case SIGMA_OP_CIDR:
    case SIGMA_OP_REF_EQ:
    case SIGMA_OP_REF_STARTS:
    case SIGMA_OP_REF_ENDS:
    case SIGMA_OP_REF_CONTAINS:
        return 0.1;
    case SIGMA_OP_TIME_EQ:
    case SIGMA_OP_TIME_LT:
    case SIGMA_OP_TIME_LTE:
    case SIGMA_OP_TIME_GT:
    case SIGMA_OP_TIME_GTE:
        return 0.2;
    case SIGMA_OP_LT:
    case SIGMA_OP_LTE:
    case SIGMA_OP_GT:
    case SIGMA_OP_GTE:
    case SIGMA_OP_BOOL:
        return 0.3;
    case SIGMA_OP_ANY:
    case SIGMA_OP_EXISTS:
        return 0.6;
    case SIGMA_OP_NULL:
        return 0.5;
    case SIGMA_OP_COUNT:
        break;
    }
    return 0.5;
}

static double lit_chance(const sc_ir_pred *p, sg_str lit)
{
    const double base = base_chance(p->op);

    return lit.len < SHORT_LITERAL && p->op != SIGMA_OP_EQ ? base * 8 : base;
}

double sc_pred_chance(const sc_ir *ir, const sc_ir_pred *p)
{
    const sc_operand kind = sc_op_operand(p->op);
    double chance = 0;
    uint32_t i;

    if (kind != SC_OPERAND_LITS && kind != SC_OPERAND_NUMS)
        return base_chance(p->op);
    for (i = 0; i < p->count && chance < 0.9; i++)
        chance += kind == SC_OPERAND_LITS
                      ? lit_chance(p, ir->lits.items[p->first + i])
                      : base_chance(p->op);
    return chance < 0.9 ? chance : 0.9;
}

bool sc_pred_indexed(const sc_ir *ir, const sc_ir_pred *p)
{
    const bool literal = p->op == SIGMA_OP_EQ || p->op == SIGMA_OP_STARTS ||
                         p->op == SIGMA_OP_ENDS || p->op == SIGMA_OP_CONTAINS;

    for (uint32_t i = 0; literal && i < p->count; i++)
        if (ir->lits.items[p->first + i].len < SHORT_LITERAL)
            return false;
    return literal || p->op == SIGMA_OP_NUM_EQ;
}
