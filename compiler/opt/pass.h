/*
 * pass.h - what the passes share: building nodes anew with equal ones joined,
 * and guesses at what a predicate costs and how often it holds. Private to
 * compiler/opt.
 */
#ifndef SC_OPT_PASS_H
#define SC_OPT_PASS_H

#include "opt/opt.h"

/* Passes put results in ir->arena and keep nothing in tmp. */
typedef void sc_pass(sc_ir *ir, sg_arena *tmp);

#define PASS(name, doc) sc_pass sc_pass_##name;
#include "opt/passes.def"
#undef PASS

typedef SG_VEC(uint32_t) sc_node_ids;

/* -------- rewriting (rewrite.c) ------------------------------------------ */

typedef struct sc_maker sc_maker;

/* The node that takes the place of `old`, whose kids have become `kids`
 * (`count` ids of new nodes, free to edit). Made with sc_make and
 * sc_make_leaf. */
typedef uint32_t sc_remake(sc_maker *m, const sc_ir_node *old, uint32_t *kids,
                           uint32_t count);

struct sc_maker {
    sc_ir *ir; /* nodes and kids are still the old ones */
    sg_arena *tmp;
    sc_remake *remake;
    void *ctx;          /* of remake */
    uint32_t sel_first; /* of the rule whose condition is rewritten, or NONE */
    SG_VEC(sc_ir_node) nodes;
    SG_VEC(uint32_t) kids;
    sg_map known;    /* bytes of a node to its id */
    uint32_t *memo;  /* old id to new */
    uint32_t *stamp; /* per old id: the round its memo is of */
    uint32_t round;
};

/* A leaf or constant: FALSE, TRUE, PRED, SEL. */
uint32_t sc_make_leaf(sc_maker *m, sc_node_kind kind, uint32_t first,
                      sc_span at);
/* NOT, AND or OR of kids; a group of one is its kid, of none its constant. */
uint32_t sc_make(sc_maker *m, sc_node_kind kind, const uint32_t *kids,
                 uint32_t count, sc_span at);

/* Rebuild every selection, route and condition, kids first. Selections come
 * before conditions, so remake may look at a selection's new node. */
void sc_rewrite(sc_ir *ir, sg_arena *tmp, sc_remake *remake, void *ctx);

/* -------- what rules ask (asked.c) ---------------------------------------- */

typedef struct sc_asked {
    const sc_ir *ir;
    sg_arena *arena;
    uint32_t *node_stamp, *pred_stamp; /* the round that saw them */
    uint32_t round;
    sc_node_ids preds;
} sc_asked;

void sc_asked_open(sc_asked *a, const sc_ir *ir, sg_arena *arena);
/* The predicates of the rule, each once; in the arena. */
sc_node_ids sc_asked_by(sc_asked *a, const sc_ir_rule *rule);

/* -------- guesses (cost.c) ----------------------------------------------- */

/* Time to evaluate a predicate, in units of a short comparison. */
double sc_pred_cost(const sc_ir *ir, const sc_ir_pred *p);
/* Whether the runtime finds it by one scan of its field for all rules
 * (runtime/eval/candidates.c), so that asking costs nothing more; or why it
 * does not. */
sc_index_why sc_pred_index(const sc_ir *ir, const sc_ir_pred *p);
/* How often it holds: between 0 and 1, never either. Takes heed of how many
 * rules ask it once that is known, which is from the pass `count` on. */
double sc_pred_chance(const sc_ir *ir, const sc_ir_pred *p);

#endif
