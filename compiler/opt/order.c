/*
 * order.c - operands of AND and OR in the order that decides soonest for the
 * least work: in an AND by cost over the chance to fail, in an OR by cost over
 * the chance to hold. Verdicts do not depend on order.
 */
#include "opt/pass.h"

#include <stdlib.h>

/* A node's guess. */
typedef struct guess {
    double cost, chance;
} guess;

typedef struct orderer {
    SG_VEC(guess) guesses; /* per new node, for those that have one */
} orderer;

typedef struct operand {
    double rank;
    uint32_t id;
} operand;

static double within(double x, double low, double high)
{
    return x < low ? low : x > high ? high : x;
}

/* In a group, an operand is reached only if those before it decided nothing. */
static guess guess_group(const orderer *o, bool is_and, const uint32_t *kids,
                         uint32_t count)
{
    guess g = {0, 1};
    uint32_t i;

    for (i = 0; i < count; i++) {
        const guess k = o->guesses.items[kids[i]];

        g.cost += g.chance * k.cost;
        g.chance *= is_and ? k.chance : 1 - k.chance;
    }
    if (!is_and)
        g.chance = 1 - g.chance;
    g.chance = within(g.chance, 1e-6, 1 - 1e-6);
    return g;
}

static guess guess_leaf(const sc_maker *m, const orderer *o,
                        const sc_ir_node *n)
{
    const sc_ir *ir = m->ir;

    if (n->kind == SC_NODE_PRED)
        return (guess){sc_pred_cost(ir, &ir->preds.items[n->first]),
                       sc_pred_chance(ir, &ir->preds.items[n->first])};
    if (n->kind == SC_NODE_SEL)
        return o->guesses.items[ir->sels.items[m->sel_first + n->first].node];
    return (guess){0, n->kind == SC_NODE_TRUE ? 1 - 1e-6 : 1e-6};
}

/* SEL leaves are shared by rules whose selections differ, so a guess is set
 * anew each time its node is met. */
static uint32_t keep(sc_maker *m, uint32_t id, guess g)
{
    orderer *o = m->ctx;

    while (o->guesses.count <= id)
        SG_PUSH(m->tmp, &o->guesses, ((guess){0, 0}));
    o->guesses.items[id] = g;
    return id;
}

/* Ties by id: the same operands always come out in the same order. */
static int by_rank(const void *a, const void *b)
{
    const operand *x = a, *y = b;

    if (x->rank < y->rank)
        return -1;
    if (x->rank > y->rank)
        return 1;
    return x->id < y->id ? -1 : x->id > y->id;
}

static void sort_kids(sc_maker *m, bool is_and, uint32_t *kids, uint32_t count)
{
    const orderer *o = m->ctx;
    operand *ops = sg_new_n(m->tmp, operand, count);
    uint32_t i;

    for (i = 0; i < count; i++) {
        const guess g = o->guesses.items[kids[i]];

        ops[i].id = kids[i];
        ops[i].rank = g.cost / (is_and ? 1 - g.chance : g.chance);
    }
    qsort(ops, count, sizeof(*ops), by_rank);
    for (i = 0; i < count; i++)
        kids[i] = ops[i].id;
}

static uint32_t remake(sc_maker *m, const sc_ir_node *old, uint32_t *kids,
                       uint32_t count)
{
    const orderer *o = m->ctx;
    const bool is_and = old->kind == SC_NODE_AND;
    guess g;

    if (count == 0)
        return keep(m, sc_make_leaf(m, old->kind, old->first, old->at),
                    guess_leaf(m, o, old));
    if (old->kind == SC_NODE_NOT) {
        g = o->guesses.items[kids[0]];
        g.chance = 1 - g.chance;
    } else {
        sort_kids(m, is_and, kids, count);
        g = guess_group(o, is_and, kids, count);
    }
    return keep(m, sc_make(m, old->kind, kids, count, old->at), g);
}

void sc_pass_order(sc_ir *ir, sg_arena *tmp)
{
    orderer o = {.guesses = {0}};

    sc_rewrite(ir, tmp, remake, &o);
    sc_pass_share(ir, tmp); /* numbers predicates by first use */
}
