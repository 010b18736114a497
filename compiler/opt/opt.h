/*
 * opt.h - passes over the IR: same verdicts, cheaper. The only stage that
 * changes its input in place.
 */
#ifndef SC_OPT_H
#define SC_OPT_H

#include "ir/ir.h"

/* Run every pass of passes.def in order; the verifier runs after each in debug
 * builds. `disabled` is a bit per pass (-fno-NAME). */
void sc_opt_run(sc_ir *ir, uint32_t disabled);
/* Bit of a pass by name, or 0. */
uint32_t sc_opt_bit(sg_str name);

/* -------- what rules cost (account.c) ------------------------------------ */

typedef enum sc_index_why {
#define INDEX_WHY(name, doc) SC_INDEX_##name,
#include "opt/index_reasons.def"
#undef INDEX_WHY
    SC_INDEX_WHYS
} sc_index_why;

typedef enum sc_cost_class {
#define COST_CLASS(name, doc) SC_COST_##name,
#include "opt/cost_classes.def"
#undef COST_CLASS
    SC_COST_CLASSES
} sc_cost_class;

/* What an optimised rule costs, as the passes guess it. */
typedef struct sc_rule_cost {
    uint32_t rule;
    sc_cost_class class;
    double work; /* short comparisons for an event of its log source, in a
                  * pack large enough for scans */
    const uint32_t *preds; /* all it may ask, in the arena */
    uint32_t pred_count;
    uint32_t obstacle; /* predicate of the gate that no scan finds, or NONE */
    sc_index_why why;  /* ... and why */
} sc_rule_cost;

/* Of each rule, in order; `out` holds as many. */
void sc_opt_costs(const sc_ir *ir, sg_arena *arena, sc_rule_cost *out);
/* What a value must hold to satisfy operand `i` of a predicate over literals;
 * may be empty for wildcards. */
sg_str sc_pred_text(const sc_ir *ir, const sc_ir_pred *p, uint32_t i);

#endif
