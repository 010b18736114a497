/*
 * ops.c - the columns of sigma_ops.def: how an operator is written, what its
 * operand indexes, what it costs. Every stage asks here, so that the table
 * stays the only list.
 */
#include "ir/ir.h"

typedef struct op_info {
    const char *text;
    sc_operand operand;
    unsigned cost;
} op_info;

static const op_info ops[SIGMA_OP_COUNT] = {
#define OP(name, text, operand, cost, doc)                                     \
    [SIGMA_OP_##name] = {text, SC_OPERAND_##operand, cost},
#include "sigma_ops.def"
#undef OP
};

const char *sc_op_text(sigma_op op)
{
    return ops[op].text;
}

sc_operand sc_op_operand(sigma_op op)
{
    return ops[op].operand;
}

unsigned sc_op_cost(sigma_op op)
{
    return ops[op].cost;
}
