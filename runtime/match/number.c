/*
 * number.c - numbers and words: a rule's number or boolean against an event's
 * number or text.
 */
#include "match/match.h"

#include <assert.h>

bool sr_num_holds(sigma_op op, sg_num have, sg_num want)
{
    const int order = sg_num_cmp(have, want);

    if (op == SIGMA_OP_NUM_EQ || op == SIGMA_OP_TIME_EQ)
        return order == 0;
    if (op == SIGMA_OP_LT || op == SIGMA_OP_TIME_LT)
        return order < 0;
    if (op == SIGMA_OP_LTE || op == SIGMA_OP_TIME_LTE)
        return order <= 0;
    if (op == SIGMA_OP_GT || op == SIGMA_OP_TIME_GT)
        return order > 0;
    assert(op == SIGMA_OP_GTE || op == SIGMA_OP_TIME_GTE);
    return order >= 0;
}

bool sr_num_is_text(sg_num num, sg_str text)
{
    char buf[SG_NUM_TEXT];
    const size_t len = sg_num_text(num, buf);

    return sg_str_eq((sg_str){buf, len}, text);
}

bool sr_bool_is_text(bool want, sg_str text)
{
    return sg_str_eq_nocase(text, want ? SG_S("true") : SG_S("false"));
}
