/*
 * gate.c - gives each rule a set of predicates, one of which holds whenever the
 * rule matches, so that the runtime finds the rules an event can match by what
 * its fields hold instead of asking every rule. Of several sets the one that
 * lets the fewest events through for the least work.
 *
 * In small detectors a rule also gets such a set for each field that has one, a
 * clause: the runtime looks for values of these fields in the bytes of a line
 * (runtime/record/keyed.c).
 */
#include "opt/pass.h"

#include <assert.h>
#include <stdlib.h>

/* In short comparisons: a rule that is let through, and one whose gate has to
 * be asked, since no scan finds it. */
static const double rule_cost = 40, asking_cost = 20;

/* Larger sets hardly keep anything out. */
enum { GATE_MOST = 256 };

/* One of the predicates holds whenever the node does; `score` is what the set
 * costs, lower is better. Empty: nothing is known, and why, by which node. */
typedef struct cover {
    sc_node_ids preds; /* ascending */
    double score;
    sc_gate_why why;
    sc_span at;
} cover;

typedef struct gates {
    const sc_ir *ir;
    sg_arena *tmp;
    const sc_ir_rule *rule;
    uint32_t field;  /* for clauses: no other counts; else SIGMA_NONE */
    cover *covers;   /* per node */
    uint32_t *stamp; /* per node: the round its cover is of, or 0 */
    uint32_t round;
} gates;

enum { OF_SELECTIONS = 1 }; /* the first round; then one per rule */

static const cover *covered(gates *g, uint32_t node);

/* -------- one node ------------------------------------------------------- */

static double score(const sc_ir *ir, uint32_t pred)
{
    const sc_ir_pred *p = &ir->preds.items[pred];
    const double work = sc_pred_index(ir, p) == SC_INDEX_found
                            ? 0
                            : asking_cost + sc_pred_cost(ir, p);

    return work + rule_cost * sc_pred_chance(ir, p);
}

/* Whether one value of the field has to satisfy it, and nothing is lost when
 * that is tried more often: regular expressions can meet their limit. */
static bool is_of_value(sigma_op op)
{
    return op != SIGMA_OP_NULL && op != SIGMA_OP_EXISTS &&
           op != SIGMA_OP_REGEX && sc_op_operand(op) != SC_OPERAND_FIELD;
}

static bool counts(const gates *g, const sc_ir_pred *p)
{
    return g->field == SIGMA_NONE ||
           (p->field == g->field && is_of_value(p->op));
}

static cover of_pred(gates *g, uint32_t pred)
{
    cover out = {.score = score(g->ir, pred), .why = SC_GATE_found};

    if (!counts(g, &g->ir->preds.items[pred]))
        return out;
    SG_PUSH(g->tmp, &out.preds, pred);
    return out;
}

static cover nothing(sc_gate_why why, const sc_ir_node *n)
{
    return (cover){.why = why, .at = n->at};
}

/* Any operand's cover serves: the best one. Without any the first one says
 * why. */
static cover of_and(gates *g, const sc_ir_node *n)
{
    cover out = nothing(SC_GATE_constant, n);

    for (uint32_t i = 0; i < n->count; i++) {
        const cover *kid = covered(g, g->ir->kids.items[n->first + i]);

        if (kid->preds.count != 0
                ? out.preds.count == 0 || kid->score < out.score
                : i == 0)
            out = *kid;
    }
    return out;
}

static int by_id(const void *a, const void *b)
{
    const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return x < y ? -1 : x > y;
}

static void sort_unique(sc_node_ids *ids)
{
    uint32_t kept = 0;

    qsort(ids->items, ids->count, sizeof(*ids->items), by_id);
    for (uint32_t i = 0; i < ids->count; i++)
        if (kept == 0 || ids->items[kept - 1] != ids->items[i])
            ids->items[kept++] = ids->items[i];
    ids->count = kept;
}

/* All operands' covers together; nothing when one has none. */
static cover of_or(gates *g, const sc_ir_node *n)
{
    cover out = {.why = SC_GATE_found};

    for (uint32_t i = 0; i < n->count; i++) {
        const cover *kid = covered(g, g->ir->kids.items[n->first + i]);

        if (kid->preds.count == 0)
            return *kid;
        for (uint32_t k = 0; k < kid->preds.count; k++)
            SG_PUSH(g->tmp, &out.preds, kid->preds.items[k]);
    }
    sort_unique(&out.preds);
    if (out.preds.count > GATE_MOST)
        return nothing(SC_GATE_many, n);
    for (uint32_t i = 0; i < out.preds.count; i++)
        out.score += score(g->ir, out.preds.items[i]);
    return out;
}

static cover work_out(gates *g, const sc_ir_node *n)
{
    switch (n->kind) {
    case SC_NODE_PRED:
        return of_pred(g, n->first);
    case SC_NODE_SEL:
        assert(g->rule != NULL);
        return *covered(g,
                        g->ir->sels.items[g->rule->sel_first + n->first].node);
    case SC_NODE_AND:
        return of_and(g, n);
    case SC_NODE_OR:
        return of_or(g, n);
    case SC_NODE_FALSE:
        return nothing(SC_GATE_never, n);
    case SC_NODE_NOT:
        return nothing(SC_GATE_negation, n);
    case SC_NODE_TRUE:
        break;
    }
    return nothing(SC_GATE_constant, n);
}

/* Selections need the same in every rule, conditions do not. */
static const cover *covered(gates *g, uint32_t node)
{
    const bool known =
        g->stamp[node] == OF_SELECTIONS && g->field == SIGMA_NONE;

    if (!known && g->stamp[node] != g->round) {
        g->covers[node] = work_out(g, &g->ir->nodes.items[node]);
        g->stamp[node] = g->round;
    }
    return &g->covers[node];
}

/* -------- rules ---------------------------------------------------------- */

static void set_gate(sc_ir *ir, sc_ir_rule *rule, const cover *c)
{
    rule->gate_first = ir->gates.count;
    rule->gate_count = c->preds.count;
    rule->gate_why = c->why;
    rule->gate_at = c->at;
    for (uint32_t i = 0; i < c->preds.count; i++)
        SG_PUSH(ir->arena, &ir->gates, c->preds.items[i]);
}

static void add_clause(sc_ir *ir, uint32_t rule, const sc_node_ids *preds)
{
    const sigma_clause clause = {rule, ir->gates.count, preds->count};

    if (preds->count == 0)
        return;
    SG_PUSH(ir->arena, &ir->clauses, clause);
    for (uint32_t i = 0; i < preds->count; i++)
        SG_PUSH(ir->arena, &ir->gates, preds->items[i]);
}

static void add_clauses(sc_ir *ir, gates *g)
{
    for (uint32_t i = 0; i < ir->rules.count; i++) {
        g->rule = &ir->rules.items[i];
        for (g->field = 0; g->field < ir->fields.count; g->field++) {
            g->round++;
            if ((ir->fields.items[g->field].flags & SIGMA_FIELD_KEYWORDS) == 0)
                add_clause(ir, i, &covered(g, g->rule->node)->preds);
        }
    }
}

void sc_pass_gate(sc_ir *ir, sg_arena *tmp)
{
    gates g = {.ir = ir, .tmp = tmp, .field = SIGMA_NONE};

    g.stamp = sg_new_n(tmp, uint32_t, (size_t)ir->nodes.count + 1);
    g.covers = sg_new_n(tmp, cover, (size_t)ir->nodes.count + 1);
    g.round = OF_SELECTIONS;
    for (uint32_t i = 0; i < ir->sels.count; i++)
        (void)covered(&g, ir->sels.items[i].node);
    for (uint32_t i = 0; i < ir->rules.count; i++) {
        g.round++;
        g.rule = &ir->rules.items[i];
        set_gate(ir, &ir->rules.items[i], covered(&g, g.rule->node));
    }
    if (ir->rules.count <= SIGMA_CLAUSE_RULES)
        add_clauses(ir, &g);
}
