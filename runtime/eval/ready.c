/*
 * ready.c - the operands of predicates, made ready from the detector's tables.
 */
#include "eval/inside.h"

static void make_texts(sr_eval *eval)
{
    const sigma_detector *d = eval->d;
    char buf[SG_NUM_TEXT];

    eval->lits = sg_new_n(&eval->arena, sg_str, d->lit_count);
    for (uint32_t i = 0; i < d->lit_count; i++)
        eval->lits[i] = sr_text_of(d, d->lits[i]);
    eval->num_texts = sg_new_n(&eval->arena, sg_str, d->num_count);
    for (uint32_t i = 0; i < d->num_count; i++) {
        const sg_str text = {buf, sg_num_text(d->nums[i], buf)};
        eval->num_texts[i] = sg_arena_dup(&eval->arena, text);
    }
}

static void ready_regexes(sr_eval *eval, const sigma_pred *from, pred *p)
{
    p->u.regexes = eval->regexes + eval->regex_count;
    for (uint32_t i = 0; i < from->count; i++)
        p->u.regexes[i].pattern = eval->lits[from->first + i];
    eval->regex_count += from->count;
}

static void ready_nets(sr_eval *eval, const sigma_pred *from, pred *p)
{
    sr_cidr *nets = sg_new_n(&eval->arena, sr_cidr, from->count);

    p->u.nets = nets;
    for (uint32_t i = 0; i < from->count; i++)
        (void)sr_cidr_parse(eval->lits[from->first + i], &nets[i]);
}

static void ready_pred(sr_eval *eval, uint32_t i)
{
    const sigma_pred *from = &eval->d->preds[i];
    pred *p = &eval->preds[i];

    p->op = (sigma_op)from->op;
    p->flags = from->flags;
    p->field = from->field;
    p->count = from->count;
    switch (p->op) {
    case SIGMA_OP_EQ:
    case SIGMA_OP_STARTS:
    case SIGMA_OP_ENDS:
    case SIGMA_OP_CONTAINS:
        p->u.any.lits = eval->lits + from->first;
        break;
    case SIGMA_OP_GLOB:
        p->u.globs = eval->lits + from->first;
        break;
    case SIGMA_OP_REGEX:
        ready_regexes(eval, from, p);
        break;
    case SIGMA_OP_CIDR:
        ready_nets(eval, from, p);
        break;
    case SIGMA_OP_NUM_EQ:
    case SIGMA_OP_LT:
    case SIGMA_OP_LTE:
    case SIGMA_OP_GT:
    case SIGMA_OP_GTE:
    case SIGMA_OP_TIME_EQ:
    case SIGMA_OP_TIME_LT:
    case SIGMA_OP_TIME_LTE:
    case SIGMA_OP_TIME_GT:
    case SIGMA_OP_TIME_GTE:
        p->u.num.nums = eval->d->nums + from->first;
        p->u.num.texts = eval->num_texts + from->first;
        break;
    case SIGMA_OP_REF_EQ:
    case SIGMA_OP_REF_STARTS:
    case SIGMA_OP_REF_ENDS:
    case SIGMA_OP_REF_CONTAINS:
        p->u.other = from->first;
        break;
    case SIGMA_OP_BOOL:
        p->u.truth = from->first != 0;
        break;
    case SIGMA_OP_ANY:
    case SIGMA_OP_NULL:
    case SIGMA_OP_EXISTS:
    case SIGMA_OP_COUNT:
        break;
    }
}

static size_t count_regexes(const sigma_detector *d)
{
    size_t n = 0;

    for (uint32_t i = 0; i < d->pred_count; i++)
        if (d->preds[i].op == SIGMA_OP_REGEX)
            n += d->preds[i].count;
    return n;
}

void sr_ready_preds(sr_eval *eval)
{
    const sigma_detector *d = eval->d;

    make_texts(eval);
    eval->preds = sg_new_n(&eval->arena, pred, d->pred_count);
    eval->regexes = sg_new_n(&eval->arena, sr_lazy_regex, count_regexes(d));
    eval->words = ((size_t)d->pred_count + 63) / 64;
    eval->known = sg_new_n(&eval->arena, uint64_t, eval->words);
    eval->value = sg_new_n(&eval->arena, uint64_t, eval->words);
    for (uint32_t i = 0; i < d->pred_count; i++)
        ready_pred(eval, i);
}
