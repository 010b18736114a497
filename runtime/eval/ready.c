/*
 * ready.c - a detector's tables made ready: the operands of predicates, the
 * fields wanted, the rules by their routes. Made once and shared by threads.
 */
#include "eval/inside.h"

/* What is made of what, and where. */
typedef struct maker {
    const sigma_detector *d;
    sg_arena *arena;
    sr_ready *out;
} maker;

/* -------- predicates ----------------------------------------------------- */

static void make_texts(const maker *m)
{
    const sigma_detector *d = m->d;
    sr_ready *out = m->out;
    char buf[SG_NUM_TEXT];

    out->lits = sg_new_n(m->arena, sg_str, d->lit_count);
    for (uint32_t i = 0; i < d->lit_count; i++)
        out->lits[i] = sr_text_of(d, d->lits[i]);
    out->num_texts = sg_new_n(m->arena, sg_str, d->num_count);
    for (uint32_t i = 0; i < d->num_count; i++) {
        const sg_str text = {buf, sg_num_text(d->nums[i], buf)};
        out->num_texts[i] = sg_arena_dup(m->arena, text);
    }
}

static void ready_regexes(const maker *m, const sigma_pred *from, pred *p)
{
    p->u.regexes = m->out->regexes + m->out->regex_count;
    for (uint32_t i = 0; i < from->count; i++)
        p->u.regexes[i].pattern = m->out->lits[from->first + i];
    m->out->regex_count += from->count;
}

static void ready_nets(const maker *m, const sigma_pred *from, pred *p)
{
    sr_cidr *nets = sg_new_n(m->arena, sr_cidr, from->count);

    p->u.nets = nets;
    for (uint32_t i = 0; i < from->count; i++)
        (void)sr_cidr_parse(m->out->lits[from->first + i], &nets[i]);
}

static void ready_pred(const maker *m, uint32_t i)
{
    const sigma_pred *from = &m->d->preds[i];
    pred *p = &m->out->preds[i];

    p->op = (sigma_op)from->op;
    p->flags = from->flags;
    p->field = from->field;
    p->count = from->count;
    switch (p->op) {
    case SIGMA_OP_EQ:
    case SIGMA_OP_STARTS:
    case SIGMA_OP_ENDS:
    case SIGMA_OP_CONTAINS:
        p->u.any.lits = m->out->lits + from->first;
        break;
    case SIGMA_OP_GLOB:
        p->u.globs = m->out->lits + from->first;
        break;
    case SIGMA_OP_REGEX:
        ready_regexes(m, from, p);
        break;
    case SIGMA_OP_CIDR:
        ready_nets(m, from, p);
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
        p->u.num.nums = m->d->nums + from->first;
        p->u.num.texts = m->out->num_texts + from->first;
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

static void make_preds(const maker *m)
{
    const sigma_detector *d = m->d;

    m->out->preds = sg_new_n(m->arena, pred, d->pred_count);
    m->out->regexes = sg_new_n(m->arena, sr_lazy_regex, count_regexes(d));
    for (uint32_t i = 0; i < d->pred_count; i++)
        ready_pred(m, i);
}

/* -------- fields --------------------------------------------------------- */

/* Which fields predicates read: by the predicates themselves, whatever the
 * flags of the field say. */
static void make_wants(const maker *m, bool keywords)
{
    const sigma_detector *d = m->d;
    sr_ready *out = m->out;
    bool *read = sg_new_n(m->arena, bool, d->field_count);

    for (uint32_t i = 0; i < d->pred_count; i++) {
        read[out->preds[i].field] = true;
        if (sr_is_reference(&out->preds[i]))
            read[out->preds[i].u.other] = true;
    }
    out->wants[0] = sg_new_n(m->arena, sr_want, d->field_count);
    out->wants[1] = sg_new_n(m->arena, sr_want, d->field_count);
    for (uint32_t i = 0; i < d->field_count; i++) {
        const sigma_field *f = &d->fields[i];
        const sr_want want = {sr_text_of(d, f->name), i, sr_is_keywords(d, i)};
        const bool first =
            read[i] ||
            (f->flags & (SIGMA_FIELD_PRED | SIGMA_FIELD_ENRICH)) != 0;
        if (want.keywords && !keywords)
            continue;
        if (first || (f->flags & SIGMA_FIELD_CONTEXT) != 0) {
            const int phase = first ? 0 : 1;
            out->wants[phase][out->want_count[phase]++] = want;
        }
    }
}

/* -------- rules ---------------------------------------------------------- */

static bucket *bucket_of(const maker *m, const sigma_rule *rule)
{
    const uint32_t any = m->d->route_count;

    return &m->out->buckets[rule->route == SIGMA_NONE ? any : rule->route];
}

static void make_buckets(const maker *m)
{
    const sigma_detector *d = m->d;
    const uint32_t count = d->route_count + 1;
    uint32_t *rules = sg_new_n(m->arena, uint32_t, d->rule_count);
    bucket *buckets = m->out->buckets = sg_new_n(m->arena, bucket, count);

    for (uint32_t i = 0; i < d->rule_count; i++)
        bucket_of(m, &d->rules[i])->count++;
    for (uint32_t i = 0; i < count; i++) {
        buckets[i].rules = rules;
        rules += buckets[i].count;
        buckets[i].count = 0;
    }
    for (uint32_t i = 0; i < d->rule_count; i++) {
        bucket *b = bucket_of(m, &d->rules[i]);
        b->rules[b->count++] = i;
    }
}

void sr_ready_tables(sr_ready *ready, sg_arena *arena, const sigma_detector *d,
                     bool keywords)
{
    const maker m = {d, arena, ready};

    make_texts(&m);
    make_preds(&m);
    make_wants(&m, keywords);
    make_buckets(&m);
}
