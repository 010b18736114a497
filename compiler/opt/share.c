/*
 * share.c - equal predicates become one, and so do equal nodes and equal sets
 * of operands. What nothing uses any more is dropped. Predicates are numbered
 * by first use.
 */
#include "opt/pass.h"

#include <string.h>

typedef struct sharer {
    sc_ir *ir;
    sg_arena *tmp;
    SG_VEC(sc_ir_pred) preds;
    SG_VEC(sg_str) lits;
    SG_VEC(sg_num) nums;
    sg_map known_preds; /* bytes to new id */
    sg_map known_sets;  /* bytes to first of lits or nums */
    uint32_t *memo;     /* old predicate id to new */
} sharer;

/* -------- sets of operands ----------------------------------------------- */

static void put_bytes(sg_buf *key, const void *bytes, size_t len)
{
    sg_buf_put(key, (sg_str){bytes, len});
}

static void put_u32(sg_buf *key, uint32_t n)
{
    put_bytes(key, &n, sizeof(n));
}

/* Field by field: the padding of a sg_num has no defined bytes. */
static void put_num(sg_buf *key, sg_num n)
{
    put_u32(key, (uint32_t)n.kind);
    put_bytes(key, &n.v.u, sizeof(n.v.u));
}

static void put_set(const sharer *s, sg_buf *key, const sc_ir_pred *p)
{
    const bool lits = sc_op_operand(p->op) == SC_OPERAND_LITS;
    uint32_t i;

    put_u32(key, lits);
    for (i = 0; i < p->count; i++) {
        if (lits) {
            const sg_str lit = s->ir->lits.items[p->first + i];

            put_bytes(key, &lit.len, sizeof(lit.len));
            sg_buf_put(key, lit);
        } else {
            put_num(key, s->ir->nums.items[p->first + i]);
        }
    }
}

static bool has_set(const sc_ir_pred *p)
{
    const sc_operand kind = sc_op_operand(p->op);

    return kind == SC_OPERAND_LITS || kind == SC_OPERAND_NUMS;
}

/* Where the set of an old predicate lies in the new tables. */
static uint32_t place_set(sharer *s, const sc_ir_pred *p)
{
    const bool lits = sc_op_operand(p->op) == SC_OPERAND_LITS;
    sg_buf key = {0};
    uint32_t *cell, i;
    bool found;

    put_set(s, &key, p);
    cell = sg_map_put(s->tmp, &s->known_sets,
                      sg_arena_dup(s->tmp, sg_buf_str(&key)), &found);
    sg_buf_free(&key);
    if (found)
        return *cell;
    *cell = lits ? s->lits.count : s->nums.count;
    for (i = 0; i < p->count; i++) {
        if (lits)
            SG_PUSH(s->ir->arena, &s->lits, s->ir->lits.items[p->first + i]);
        else
            SG_PUSH(s->ir->arena, &s->nums, s->ir->nums.items[p->first + i]);
    }
    return *cell;
}

/* -------- predicates ----------------------------------------------------- */

static uint32_t share_pred(sharer *s, uint32_t old)
{
    sc_ir_pred p = s->ir->preds.items[old];
    sg_buf key = {0};
    uint32_t *cell;
    bool found;

    if (s->memo[old] != SIGMA_NONE)
        return s->memo[old];
    if (has_set(&p))
        p.first = place_set(s, &p);
    put_u32(&key, p.field);
    put_u32(&key, (uint32_t)p.op);
    put_u32(&key, p.flags);
    put_u32(&key, p.first);
    put_u32(&key, p.count);
    cell = sg_map_put(s->tmp, &s->known_preds,
                      sg_arena_dup(s->tmp, sg_buf_str(&key)), &found);
    sg_buf_free(&key);
    if (!found) {
        *cell = s->preds.count;
        SG_PUSH(s->ir->arena, &s->preds, p);
    }
    s->memo[old] = *cell;
    return *cell;
}

static uint32_t remake(sc_maker *m, const sc_ir_node *old, uint32_t *kids,
                       uint32_t count)
{
    if (old->kind == SC_NODE_PRED)
        return sc_make_leaf(m, old->kind, share_pred(m->ctx, old->first),
                            old->at);
    if (count == 0)
        return sc_make_leaf(m, old->kind, old->first, old->at);
    return sc_make(m, old->kind, kids, count, old->at);
}

/* Only fields that a predicate still reads keep the flag. */
static void flag_fields(sc_ir *ir)
{
    uint32_t i;

    for (i = 0; i < ir->fields.count; i++)
        ir->fields.items[i].flags &= ~(uint32_t)SIGMA_FIELD_PRED;
    for (i = 0; i < ir->preds.count; i++) {
        const sc_ir_pred *p = &ir->preds.items[i];

        ir->fields.items[p->field].flags |= SIGMA_FIELD_PRED;
        if (sc_op_operand(p->op) == SC_OPERAND_FIELD)
            ir->fields.items[p->first].flags |= SIGMA_FIELD_PRED;
    }
}

static void install(sharer *s)
{
    sc_ir *ir = s->ir;

    ir->preds.items = s->preds.items;
    ir->preds.count = s->preds.count;
    ir->preds.cap = s->preds.cap;
    ir->lits.items = s->lits.items;
    ir->lits.count = s->lits.count;
    ir->lits.cap = s->lits.cap;
    ir->nums.items = s->nums.items;
    ir->nums.count = s->nums.count;
    ir->nums.cap = s->nums.cap;
    flag_fields(ir);
}

void sc_pass_share(sc_ir *ir, sg_arena *tmp)
{
    sharer s = {.ir = ir, .tmp = tmp};
    uint32_t i;

    s.memo = sg_new_n(tmp, uint32_t, (size_t)ir->preds.count + 1);
    memset(s.memo, 0xFF, ir->preds.count * sizeof(*s.memo));
    sc_rewrite(ir, tmp, remake, &s);
    for (i = 0; i < ir->gates.count; i++)
        ir->gates.items[i] = share_pred(&s, ir->gates.items[i]);
    install(&s);
}
