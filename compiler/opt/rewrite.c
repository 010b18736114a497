/*
 * rewrite.c - builds all nodes anew: a pass says what becomes of a node, this
 * walks the trees and joins equal nodes. Nodes that nothing refers to any more
 * are left behind.
 */
#include "opt/pass.h"

#include <string.h>

static bool has_kids(sc_node_kind kind)
{
    return kind == SC_NODE_NOT || kind == SC_NODE_AND || kind == SC_NODE_OR;
}

/* The id of the node of these bytes, made when new. */
static uint32_t intern(sc_maker *m, sc_ir_node node, const uint32_t *kids)
{
    const size_t len = (2 + (size_t)node.count) * sizeof(uint32_t);
    uint32_t *key = sg_arena_alloc(m->tmp, len, _Alignof(uint32_t));
    uint32_t *cell, i;
    bool found;

    key[0] = (uint32_t)node.kind;
    key[1] = has_kids(node.kind) ? 0 : node.first;
    if (node.count > 0)
        memcpy(key + 2, kids, node.count * sizeof(*kids));
    cell =
        sg_map_put(m->tmp, &m->known, (sg_str){(const char *)key, len}, &found);
    if (found)
        return *cell;
    *cell = m->nodes.count;
    if (has_kids(node.kind)) {
        node.first = m->kids.count;
        for (i = 0; i < node.count; i++)
            SG_PUSH(m->ir->arena, &m->kids, key[2 + i]);
    }
    SG_PUSH(m->ir->arena, &m->nodes, node);
    return m->nodes.count - 1;
}

uint32_t sc_make_leaf(sc_maker *m, sc_node_kind kind, uint32_t first,
                      sc_span at)
{
    return intern(m, (sc_ir_node){kind, first, 0, at}, NULL);
}

uint32_t sc_make(sc_maker *m, sc_node_kind kind, const uint32_t *kids,
                 uint32_t count, sc_span at)
{
    if (kind != SC_NODE_NOT && count == 0)
        return sc_make_leaf(
            m, kind == SC_NODE_AND ? SC_NODE_TRUE : SC_NODE_FALSE, 0, at);
    if (kind != SC_NODE_NOT && count == 1)
        return kids[0];
    return intern(m, (sc_ir_node){kind, 0, count, at}, kids);
}

static uint32_t rebuild(sc_maker *m, uint32_t id)
{
    const sc_ir_node old = m->ir->nodes.items[id];
    const uint32_t count = has_kids(old.kind) ? old.count : 0;
    uint32_t *kids, i;

    if (m->stamp[id] == m->round)
        return m->memo[id];
    kids = sg_new_n(m->tmp, uint32_t, (size_t)count + 1);
    for (i = 0; i < count; i++)
        kids[i] = rebuild(m, m->ir->kids.items[old.first + i]);
    m->memo[id] = m->remake(m, &old, kids, count);
    m->stamp[id] = m->round;
    return m->memo[id];
}

/* What a SEL leaf becomes may differ from rule to rule: a round per rule. */
void sc_rewrite(sc_ir *ir, sg_arena *tmp, sc_remake *remake, void *ctx)
{
    sc_maker m = {.ir = ir, .tmp = tmp, .remake = remake, .ctx = ctx};
    uint32_t i;

    m.memo = sg_new_n(tmp, uint32_t, (size_t)ir->nodes.count + 1);
    m.stamp = sg_new_n(tmp, uint32_t, (size_t)ir->nodes.count + 1);
    m.sel_first = SIGMA_NONE;
    m.round = 1;
    for (i = 0; i < ir->sels.count; i++)
        ir->sels.items[i].node = rebuild(&m, ir->sels.items[i].node);
    for (i = 0; i < ir->routes.count; i++)
        ir->routes.items[i].node = rebuild(&m, ir->routes.items[i].node);
    for (i = 0; i < ir->rules.count; i++) {
        m.round++;
        m.sel_first = ir->rules.items[i].sel_first;
        ir->rules.items[i].node = rebuild(&m, ir->rules.items[i].node);
    }
    ir->nodes.items = m.nodes.items;
    ir->nodes.count = m.nodes.count;
    ir->nodes.cap = m.nodes.cap;
    ir->kids.items = m.kids.items;
    ir->kids.count = m.kids.count;
    ir->kids.cap = m.kids.cap;
}
