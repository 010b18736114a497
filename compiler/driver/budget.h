/*
 * budget.h - bounds on what rules may cost, for `sigcc ci`.
 */
#ifndef SC_BUDGET_H
#define SC_BUDGET_H

#include "driver/driver.h"
#include "opt/opt.h"

typedef struct sc_budget {
    bool gate, literal;  /* --require-gate, --require-regex-literal */
    sc_cost_class class; /* the dearest allowed; SC_COST_CLASSES: any */
    double work;         /* short comparisons allowed; negative: any */
} sc_budget;

/* From the options; false with a printed reason. */
bool sc_budget_read(const sc_options *o, sc_budget *out);
/* Report what goes beyond (E1003 to E1005), of rules of the flagged documents.
 * `costs` are those of sc_opt_costs. */
void sc_budget_judge(sc_session *s, const sc_ir *ir, const sc_rule_cost *costs,
                     const bool *docs, const sc_budget *b);

#endif
