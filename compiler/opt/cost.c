/*
 * cost.c - guesses about predicates, for the passes that order and gate. They
 * rest on what rules look for in logs: text is rarely what a rule names, event
 * ids and flags often are. A wrong guess costs time, never a verdict.
 */
#include "opt/pass.h"

#include "match/grams.h"
#include "match/match.h"

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

sg_str sc_pred_text(const sc_ir *ir, const sc_ir_pred *p, uint32_t i)
{
    const sg_str lit = ir->lits.items[p->first + i];

    return p->op == SIGMA_OP_GLOB ? sr_glob_run(lit) : lit;
}

static bool is_keywords(const sc_ir *ir, const sc_ir_pred *p)
{
    return (ir->fields.items[p->field].flags & SIGMA_FIELD_KEYWORDS) != 0;
}

/* Bytes of a text that is found inside a value. */
static size_t shortest_found(const sc_ir *ir, const sc_ir_pred *p)
{
    return is_keywords(ir, p) ? SR_GRAM_LINE : SR_GRAM;
}

static sc_index_why index_of_lits(const sc_ir *ir, const sc_ir_pred *p)
{
    const bool inside = p->op == SIGMA_OP_CONTAINS || p->op == SIGMA_OP_GLOB;

    /* Texts at the end of a value are found whatever their length. */
    if (!inside && !is_keywords(ir, p))
        return SC_INDEX_found;
    for (uint32_t i = 0; i < p->count; i++)
        if (sc_pred_text(ir, p, i).len < shortest_found(ir, p))
            return SC_INDEX_short;
    return SC_INDEX_found;
}

static sc_index_why index_of_regexes(const sc_ir *ir, const sc_ir_pred *p)
{
    sc_index_why why = SC_INDEX_found;
    sg_arena scratch = {0};

    for (uint32_t i = 0; i < p->count && why == SC_INDEX_found; i++) {
        sg_str texts[SR_REGEX_TEXTS];
        const uint32_t count =
            sr_regex_texts(&scratch, sc_pred_text(ir, p, i), texts);

        for (uint32_t k = 0; k < count; k++)
            if (texts[k].len < shortest_found(ir, p))
                why = SC_INDEX_regex;
        why = count == 0 ? SC_INDEX_regex : why;
    }
    sg_arena_free(&scratch);
    return why;
}

static sc_index_why index_of_nums(const sc_ir *ir, const sc_ir_pred *p)
{
    for (uint32_t i = 0; i < p->count; i++)
        if (ir->nums.items[p->first + i].kind != SIGMA_INT)
            return SC_INDEX_fraction;
    return SC_INDEX_found;
}

sc_index_why sc_pred_index(const sc_ir *ir, const sc_ir_pred *p)
{
    if (p->op == SIGMA_OP_NUM_EQ)
        return index_of_nums(ir, p);
    if (p->op == SIGMA_OP_REGEX)
        return index_of_regexes(ir, p);
    return sc_op_operand(p->op) == SC_OPERAND_LITS && p->op != SIGMA_OP_CIDR
               ? index_of_lits(ir, p)
               : SC_INDEX_operator;
}
