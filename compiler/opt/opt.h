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

#endif
