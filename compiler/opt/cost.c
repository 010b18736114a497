/*
 * cost.c - guesses about predicates, for the passes that order and gate. They
 * rest on what rules look for in logs: text is rarely what a rule names, unless
 * ordinary values hold it; event ids and flags often are. A wrong guess costs
 * time, never a verdict.
 */
#include "opt/pass.h"

#include "match/grams.h"
#include "match/match.h"

enum {
    KEYWORDS_FACTOR = 16, /* every value of the event, not one field's */
    SHORT_LITERAL = 4,    /* bytes; common in any text */
    LONG_LITERAL = 8,     /* from here on it is found in hardly any */
    UNSEEN = 64           /* as if so many more rules did not ask */
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

static const sg_str ordinary[] = {
#define ORDINARY(text) SG_LIT(text),
#include "opt/ordinary.def"
#undef ORDINARY
};

enum {
    ORDINARIES = sizeof(ordinary) / sizeof(*ordinary),
    KINDS = 8 /* of fields that these are values of */
};

static bool holds(sigma_op op, sg_str lit, sg_str value)
{
    return op == SIGMA_OP_EQ       ? sg_str_eq(value, lit)
           : op == SIGMA_OP_STARTS ? sg_str_starts(value, lit)
           : op == SIGMA_OP_ENDS   ? sg_str_ends(value, lit)
                                   : sr_contains(value, lit);
}

/* How many of a field's values hold the text where the operator wants it, as
 * far as they are ordinary. */
static double ordinary_share(sigma_op op, sg_str text)
{
    uint32_t n = 0;

    for (size_t i = 0; i < ORDINARIES; i++)
        n += holds(op, text, ordinary[i]);
    return (double)(n * KINDS) / ORDINARIES;
}

/* Of values that a scan finds the predicate by: they are looked at. */
static double regex_share(sg_str pattern)
{
    sg_arena scratch = {0};
    sr_need need;
    double share = 0;

    sr_regex_need(&scratch, pattern, &need);
    for (uint32_t i = 0; i < need.count; i++)
        share += ordinary_share(SIGMA_OP_CONTAINS, need.texts[i]);
    sg_arena_free(&scratch);
    return share;
}

/* Few values hold a text, the fewer the longer it is. A whole value may be the
 * name of a kind of events, and expressions and networks are not what they are
 * written with. */
static double by_length(sigma_op op, size_t len)
{
    const double base = base_chance(op);

    if (op != SIGMA_OP_STARTS && op != SIGMA_OP_ENDS &&
        op != SIGMA_OP_CONTAINS && op != SIGMA_OP_GLOB)
        return base;
    if (len < SHORT_LITERAL)
        return base * 8;
    return len < LONG_LITERAL ? base : base / 10;
}

/* Of one literal: what its length says, or what ordinary values say. */
static double lit_chance(const sc_ir *ir, const sc_ir_pred *p, uint32_t i)
{
    const sg_str text = sc_pred_text(ir, p, i);
    const double guess = by_length(p->op, text.len);
    const double share = p->op == SIGMA_OP_REGEX ? regex_share(text)
                                                 : ordinary_share(p->op, text);

    return share > guess ? share : guess;
}

/* What many rules of a pack ask for is what events are told apart by, such as
 * the platform that a pipeline adds to each rule: about as many events have it.
 * The fewer rules there are the less that says. */
static double asked_share(const sc_ir *ir, const sc_ir_pred *p)
{
    return p->rules == 0 ? 0 : (p->rules - 1.0) / (ir->rules.count + UNSEEN);
}

/* By what it asks alone. */
static double own_chance(const sc_ir *ir, const sc_ir_pred *p)
{
    const sc_operand kind = sc_op_operand(p->op);
    double chance = 0;
    uint32_t i;

    if (kind != SC_OPERAND_LITS && kind != SC_OPERAND_NUMS)
        return base_chance(p->op);
    for (i = 0; i < p->count && chance < 0.9; i++)
        chance +=
            kind == SC_OPERAND_LITS ? lit_chance(ir, p, i) : base_chance(p->op);
    return chance;
}

double sc_pred_chance(const sc_ir *ir, const sc_ir_pred *p)
{
    const double own = own_chance(ir, p), share = asked_share(ir, p);
    const double chance = own > share ? own : share;

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

/* Bytes of a text that is found inside a value, or a line. */
static size_t shortest_found(const sc_ir *ir, const sc_ir_pred *p)
{
    return is_keywords(ir, p) ? SR_GRAM_LINE : 1;
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
        sr_need need;

        sr_regex_need(&scratch, sc_pred_text(ir, p, i), &need);
        for (uint32_t k = 0; k < need.count; k++)
            if (need.texts[k].len < shortest_found(ir, p))
                why = SC_INDEX_regex;
        if (need.kind == SR_NEED_NOTHING ||
            (need.kind == SR_NEED_RUN && is_keywords(ir, p)))
            why = SC_INDEX_regex;
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
