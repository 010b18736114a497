/*
 * litset.c - alternatives become sets: in an OR, predicates of one field, one
 * operator and the same flags are one predicate with the operands of all,
 * sorted, each once. One set costs little more than one operand.
 */
#include "opt/pass.h"

#include <stdlib.h>

/* An operand of an OR that may be merged. */
typedef struct member {
    uint64_t key;  /* field, operator, flags */
    uint32_t slot; /* among the kids */
    uint32_t pred;
} member;

static uint64_t key_of(const sc_ir_pred *p)
{
    return ((uint64_t)p->field << 16) | ((uint64_t)p->op << 8) | p->flags;
}

static bool has_set(const sc_ir_pred *p)
{
    const sc_operand kind = sc_op_operand(p->op);

    return kind == SC_OPERAND_LITS || kind == SC_OPERAND_NUMS;
}

static int by_key(const void *a, const void *b)
{
    const member *x = a, *y = b;

    if (x->key != y->key)
        return x->key < y->key ? -1 : 1;
    return x->slot < y->slot ? -1 : x->slot > y->slot;
}

static int by_text(const void *a, const void *b)
{
    return sg_str_cmp(*(const sg_str *)a, *(const sg_str *)b);
}

static int by_number(const void *a, const void *b)
{
    return sg_num_cmp(*(const sg_num *)a, *(const sg_num *)b);
}

/* -------- sets ----------------------------------------------------------- */

/* Sort what lies from `first` on and drop repetitions; returns how many are
 * left. */
static uint32_t settle_lits(sc_ir *ir, uint32_t first)
{
    sg_str *lits = ir->lits.items + first;
    const uint32_t n = ir->lits.count - first;
    uint32_t i, kept = 0;

    qsort(lits, n, sizeof(*lits), by_text);
    for (i = 0; i < n; i++)
        if (kept == 0 || !sg_str_eq(lits[kept - 1], lits[i]))
            lits[kept++] = lits[i];
    ir->lits.count = first + kept;
    return kept;
}

static uint32_t settle_nums(sc_ir *ir, uint32_t first)
{
    sg_num *nums = ir->nums.items + first;
    const uint32_t n = ir->nums.count - first;
    uint32_t i, kept = 0;

    qsort(nums, n, sizeof(*nums), by_number);
    for (i = 0; i < n; i++)
        if (kept == 0 || sg_num_cmp(nums[kept - 1], nums[i]) != 0)
            nums[kept++] = nums[i];
    ir->nums.count = first + kept;
    return kept;
}

/* One predicate for members [0, count). */
static uint32_t merge(sc_ir *ir, const member *members, uint32_t count)
{
    sc_ir_pred out = ir->preds.items[members[0].pred];
    const bool lits = sc_op_operand(out.op) == SC_OPERAND_LITS;
    uint32_t i, k;

    out.first = lits ? ir->lits.count : ir->nums.count;
    for (i = 0; i < count; i++) {
        const sc_ir_pred p = ir->preds.items[members[i].pred];

        for (k = p.first; k < p.first + p.count; k++) {
            if (lits) {
                const sg_str lit = ir->lits.items[k];

                SG_PUSH(ir->arena, &ir->lits, lit);
            } else {
                const sg_num num = ir->nums.items[k];

                SG_PUSH(ir->arena, &ir->nums, num);
            }
        }
    }
    out.count = lits ? settle_lits(ir, out.first) : settle_nums(ir, out.first);
    SG_PUSH(ir->arena, &ir->preds, out);
    return ir->preds.count - 1;
}

/* -------- ORs ------------------------------------------------------------ */

static uint32_t gather(const sc_maker *m, const uint32_t *kids, uint32_t count,
                       member *out)
{
    uint32_t i, n = 0;

    for (i = 0; i < count; i++) {
        const sc_ir_node *node = &m->nodes.items[kids[i]];
        const sc_ir_pred *p;

        if (node->kind != SC_NODE_PRED)
            continue;
        p = &m->ir->preds.items[node->first];
        if (has_set(p))
            out[n++] = (member){key_of(p), i, node->first};
    }
    qsort(out, n, sizeof(*out), by_key);
    return n;
}

/* The merged predicate stands where its first member stood. */
static uint32_t merge_or(sc_maker *m, const sc_ir_node *old, uint32_t *kids,
                         uint32_t count)
{
    member *members = sg_new_n(m->tmp, member, count);
    const uint32_t n = gather(m, kids, count, members);
    uint32_t i, end, k, kept = 0;

    for (i = 0; i < n; i = end) {
        for (end = i + 1; end < n && members[end].key == members[i].key; end++)
            kids[members[end].slot] = SIGMA_NONE;
        if (end - i < 2)
            continue;
        kids[members[i].slot] =
            sc_make_leaf(m, SC_NODE_PRED, merge(m->ir, members + i, end - i),
                         m->ir->preds.items[members[i].pred].at);
    }
    for (k = 0; k < count; k++)
        if (kids[k] != SIGMA_NONE)
            kids[kept++] = kids[k];
    return sc_make(m, SC_NODE_OR, kids, kept, old->at);
}

static uint32_t remake(sc_maker *m, const sc_ir_node *old, uint32_t *kids,
                       uint32_t count)
{
    if (count == 0)
        return sc_make_leaf(m, old->kind, old->first, old->at);
    if (old->kind == SC_NODE_OR)
        return merge_or(m, old, kids, count);
    return sc_make(m, old->kind, kids, count, old->at);
}

void sc_pass_litset(sc_ir *ir, sg_arena *tmp)
{
    sc_rewrite(ir, tmp, remake, NULL);
    sc_pass_share(ir, tmp); /* drops the members */
}
