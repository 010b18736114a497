/*
 * fold.c - boolean algebra that needs no thought about events: constants go,
 * NOT of NOT goes, an AND within an AND is one AND, an operand stands once, an
 * operand beside its negation decides.
 */
#include "opt/pass.h"

typedef struct folder {
    SG_VEC(uint32_t) marks; /* per new node: the group that holds it */
    uint32_t serial;        /* of the group at hand */
    sc_node_ids flat;       /* its operands */
} folder;

static uint32_t constant(sc_maker *m, bool value, sc_span at)
{
    return sc_make_leaf(m, value ? SC_NODE_TRUE : SC_NODE_FALSE, 0, at);
}

static sc_node_kind kind_of(const sc_maker *m, uint32_t id)
{
    return m->nodes.items[id].kind;
}

/* -------- leaves and negations ------------------------------------------- */

/* A selection that is constant is so in the condition. */
static uint32_t fold_sel(sc_maker *m, const sc_ir_node *old)
{
    const sc_ir_sel *sel = &m->ir->sels.items[m->sel_first + old->first];
    const sc_node_kind kind = kind_of(m, sel->node);

    if (kind == SC_NODE_TRUE || kind == SC_NODE_FALSE)
        return constant(m, kind == SC_NODE_TRUE, old->at);
    return sc_make_leaf(m, SC_NODE_SEL, old->first, old->at);
}

static uint32_t fold_not(sc_maker *m, uint32_t kid, sc_span at)
{
    switch (kind_of(m, kid)) {
    case SC_NODE_FALSE:
    case SC_NODE_TRUE:
        return constant(m, kind_of(m, kid) == SC_NODE_FALSE, at);
    case SC_NODE_NOT:
        return m->kids.items[m->nodes.items[kid].first];
    case SC_NODE_PRED:
    case SC_NODE_SEL:
    case SC_NODE_AND:
    case SC_NODE_OR:
        break;
    }
    return sc_make(m, SC_NODE_NOT, &kid, 1, at);
}

/* -------- groups --------------------------------------------------------- */

static bool is_marked(const folder *f, uint32_t id)
{
    return id < f->marks.count && f->marks.items[id] == f->serial;
}

static void add_once(sc_maker *m, folder *f, uint32_t id)
{
    while (f->marks.count <= id)
        SG_PUSH(m->tmp, &f->marks, 0);
    if (f->marks.items[id] == f->serial)
        return;
    f->marks.items[id] = f->serial;
    SG_PUSH(m->tmp, &f->flat, id);
}

/* Operands of groups of the same kind become the group's own. Nodes below were
 * folded before, so one level is enough. */
static void flatten(sc_maker *m, folder *f, sc_node_kind kind, uint32_t id)
{
    const sc_ir_node *n = &m->nodes.items[id];
    uint32_t i;

    if (n->kind != kind) {
        add_once(m, f, id);
        return;
    }
    for (i = 0; i < n->count; i++)
        add_once(m, f, m->kids.items[n->first + i]);
}

/* Whether some operand is the negation of another. */
static bool contradicts(const sc_maker *m, const folder *f)
{
    uint32_t i;

    for (i = 0; i < f->flat.count; i++) {
        const sc_ir_node *n = &m->nodes.items[f->flat.items[i]];

        if (n->kind == SC_NODE_NOT && is_marked(f, m->kids.items[n->first]))
            return true;
    }
    return false;
}

static uint32_t fold_group(sc_maker *m, const sc_ir_node *old,
                           const uint32_t *kids, uint32_t count)
{
    folder *f = m->ctx;
    const bool is_and = old->kind == SC_NODE_AND;
    const sc_node_kind neutral = is_and ? SC_NODE_TRUE : SC_NODE_FALSE;
    const sc_node_kind decides = is_and ? SC_NODE_FALSE : SC_NODE_TRUE;
    uint32_t i;

    f->serial++;
    f->flat.count = 0;
    for (i = 0; i < count; i++) {
        if (kind_of(m, kids[i]) == decides)
            return constant(m, !is_and, old->at);
        if (kind_of(m, kids[i]) != neutral)
            flatten(m, f, old->kind, kids[i]);
    }
    if (contradicts(m, f))
        return constant(m, !is_and, old->at);
    return sc_make(m, old->kind, f->flat.items, f->flat.count, old->at);
}

static uint32_t remake(sc_maker *m, const sc_ir_node *old, uint32_t *kids,
                       uint32_t count)
{
    switch (old->kind) {
    case SC_NODE_SEL:
        return fold_sel(m, old);
    case SC_NODE_NOT:
        return fold_not(m, kids[0], old->at);
    case SC_NODE_AND:
    case SC_NODE_OR:
        return fold_group(m, old, kids, count);
    case SC_NODE_FALSE:
    case SC_NODE_TRUE:
    case SC_NODE_PRED:
        break;
    }
    return sc_make_leaf(m, old->kind, old->first, old->at);
}

void sc_pass_fold(sc_ir *ir, sg_arena *tmp)
{
    folder f = {.serial = 0};

    sc_rewrite(ir, tmp, remake, &f);
    sc_pass_share(ir, tmp); /* drops what is no longer used */
}
