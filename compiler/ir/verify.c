/*
 * verify.c - every invariant of the IR, checked: ids in range, operands that
 * fit their operator, nodes without cycles, conditions over selections and
 * selections over predicates. A broken one is a bug of the compiler, so the
 * program ends.
 */
#include "ir/ir.h"

#include <string.h>

typedef struct verifier {
    const sc_ir *ir;
    const char *what; /* kind and index of the entity being checked */
    uint32_t index;
    uint8_t *state; /* per node: 0 new, 1 open, 2 done */
} verifier;

#define REQUIRE(v, x)                                                          \
    ((x) ? (void)0                                                             \
         : sg_fatal("broken IR: %s %u: %s", (v)->what, (v)->index, #x))

/* Whether [first, first + count) lies within `total`. */
static bool range(uint32_t first, uint32_t count, uint32_t total)
{
    return first <= total && count <= total - first;
}

static void at(verifier *v, const char *what, uint32_t index)
{
    v->what = what;
    v->index = index;
}

/* -------- predicates ----------------------------------------------------- */

static bool is_time(sigma_op op)
{
    return op == SIGMA_OP_TIME_EQ || op == SIGMA_OP_TIME_LT ||
           op == SIGMA_OP_TIME_LTE || op == SIGMA_OP_TIME_GT ||
           op == SIGMA_OP_TIME_GTE;
}

/* The flags an operator reads. */
static unsigned flags_of(sigma_op op)
{
    if (op == SIGMA_OP_REGEX)
        return SIGMA_F_RE_I | SIGMA_F_RE_M | SIGMA_F_RE_S;
    if (is_time(op))
        return 7u << SIGMA_F_PART_SHIFT;
    if (op == SIGMA_OP_CIDR)
        return 0;
    if (sc_op_operand(op) == SC_OPERAND_LITS ||
        sc_op_operand(op) == SC_OPERAND_FIELD)
        return SIGMA_F_CASED;
    return 0;
}

/* Literals that ignore case are held folded. */
static bool is_folded(sg_str s)
{
    size_t pos = 0;

    while (pos < s.len) {
        const uint32_t cp = sg_utf8_next(s, &pos);

        if ((cp & 0x80000000u) == 0 && sg_fold_cp(cp) != cp)
            return false;
    }
    return true;
}

static void check_lits(verifier *v, const sc_ir_pred *p)
{
    const sc_ir *ir = v->ir;
    const bool fold = p->op != SIGMA_OP_REGEX && p->op != SIGMA_OP_CIDR &&
                      (p->flags & SIGMA_F_CASED) == 0;
    uint32_t i;

    REQUIRE(v, p->count > 0);
    REQUIRE(v, range(p->first, p->count, ir->lits.count));
    for (i = 0; i < p->count; i++)
        REQUIRE(v, !fold || is_folded(ir->lits.items[p->first + i]));
}

static void check_pred(verifier *v, const sc_ir_pred *p)
{
    const sc_ir *ir = v->ir;

    REQUIRE(v, p->field < ir->fields.count);
    REQUIRE(v, ir->fields.items[p->field].flags & SIGMA_FIELD_PRED);
    REQUIRE(v, (unsigned)p->op < SIGMA_OP_COUNT);
    REQUIRE(v, (p->flags & ~flags_of(p->op)) == 0);
    REQUIRE(v,
            !is_time(p->op) || (p->flags >> SIGMA_F_PART_SHIFT) <= SIGMA_YEAR);
    switch (sc_op_operand(p->op)) {
    case SC_OPERAND_LITS:
        check_lits(v, p);
        return;
    case SC_OPERAND_NUMS:
        REQUIRE(v, p->count > 0);
        REQUIRE(v, range(p->first, p->count, ir->nums.count));
        return;
    case SC_OPERAND_FIELD:
        REQUIRE(v, p->first < ir->fields.count && p->count == 0);
        REQUIRE(v, ir->fields.items[p->first].flags & SIGMA_FIELD_PRED);
        return;
    case SC_OPERAND_BOOL:
        REQUIRE(v, p->first <= 1 && p->count == 0);
        return;
    case SC_OPERAND_NONE:
        REQUIRE(v, p->first == 0 && p->count == 0);
        return;
    }
    sg_fatal("broken IR: %s %u: operand kind", v->what, v->index);
}

/* -------- nodes ---------------------------------------------------------- */

static void check_node(verifier *v, const sc_ir_node *n)
{
    const sc_ir *ir = v->ir;
    uint32_t i;

    switch (n->kind) {
    case SC_NODE_FALSE:
    case SC_NODE_TRUE:
    case SC_NODE_SEL:
        REQUIRE(v, n->count == 0);
        return;
    case SC_NODE_PRED:
        REQUIRE(v, n->count == 0);
        REQUIRE(v, n->first < ir->preds.count);
        return;
    case SC_NODE_NOT:
        REQUIRE(v, n->count == 1);
        break;
    case SC_NODE_AND:
    case SC_NODE_OR:
        REQUIRE(v, n->count >= 2);
        break;
    }
    REQUIRE(v, range(n->first, n->count, ir->kids.count));
    for (i = 0; i < n->count; i++)
        REQUIRE(v, ir->kids.items[n->first + i] < ir->nodes.count);
}

/* No node is its own descendant. Trees are as deep as rules nest. */
static void check_acyclic(verifier *v, uint32_t node)
{
    const sc_ir_node *n = &v->ir->nodes.items[node];
    uint32_t i;

    REQUIRE(v, v->state[node] != 1);
    if (v->state[node] != 0)
        return;
    v->state[node] = 1;
    if (n->kind == SC_NODE_NOT || n->kind == SC_NODE_AND ||
        n->kind == SC_NODE_OR)
        for (i = 0; i < n->count; i++)
            check_acyclic(v, v->ir->kids.items[n->first + i]);
    v->state[node] = 2;
}

/* Leaves below a root: selections (fewer than `sels`) or predicates. Shared
 * nodes are visited once per root, by the mark of that root. */
static void check_leaves(verifier *v, uint32_t *seen, uint32_t mark,
                         uint32_t node, uint32_t sels)
{
    const sc_ir_node *n = &v->ir->nodes.items[node];
    uint32_t i;

    if (seen[node] == mark)
        return;
    seen[node] = mark;
    if (n->kind == SC_NODE_PRED)
        REQUIRE(v, sels == SIGMA_NONE && "predicate in a condition");
    if (n->kind == SC_NODE_SEL)
        REQUIRE(v, sels != SIGMA_NONE && n->first < sels);
    if (n->kind == SC_NODE_NOT || n->kind == SC_NODE_AND ||
        n->kind == SC_NODE_OR)
        for (i = 0; i < n->count; i++)
            check_leaves(v, seen, mark, v->ir->kids.items[n->first + i], sels);
}

/* -------- rules ---------------------------------------------------------- */

static void check_meta(verifier *v, const sc_ir_meta *m)
{
    REQUIRE(v, range(m->tag_first, m->tag_count, v->ir->strs.count));
}

static void check_digest(verifier *v, sg_str digest)
{
    REQUIRE(v, digest.len == 0 || digest.len == 64);
    for (size_t i = 0; i < digest.len; i++)
        REQUIRE(v, strchr("0123456789abcdef", digest.ptr[i]) != NULL);
}

static void check_rule(verifier *v, const sc_ir_rule *r)
{
    const sc_ir *ir = v->ir;
    uint32_t i;

    check_meta(v, &r->meta);
    check_digest(v, r->digest);
    REQUIRE(v, (r->flags & ~(uint32_t)SIGMA_RULE_HIDDEN) == 0);
    REQUIRE(v, r->node < ir->nodes.count);
    REQUIRE(v, range(r->gate_first, r->gate_count, ir->gates.count));
    for (i = 0; i < r->gate_count; i++)
        REQUIRE(v, ir->gates.items[r->gate_first + i] < ir->preds.count);
    REQUIRE(v, r->route == SIGMA_NONE || r->route < ir->routes.count);
    REQUIRE(v, r->time_field == SIGMA_NONE || r->time_field < ir->fields.count);
    REQUIRE(v, range(r->sel_first, r->sel_count, ir->sels.count));
    REQUIRE(v, range(r->derive_first, r->derive_count, ir->derives.count));
    for (i = 0; i < r->derive_count; i++) {
        const sc_ir_derive *d = &ir->derives.items[r->derive_first + i];

        REQUIRE(v, d->field < ir->fields.count);
        REQUIRE(v, d->selection == SIGMA_NONE || d->selection < r->sel_count);
    }
}

static void check_clauses(verifier *v)
{
    const sc_ir *ir = v->ir;

    for (uint32_t i = 0; i < ir->clauses.count; i++) {
        const sigma_clause *c = &ir->clauses.items[i];

        at(v, "clause", i);
        REQUIRE(v, c->rule < ir->rules.count);
        REQUIRE(v, c->gate_count > 0);
        REQUIRE(v, range(c->gate_first, c->gate_count, ir->gates.count));
        for (uint32_t k = 0; k < c->gate_count; k++) {
            const uint32_t pred = ir->gates.items[c->gate_first + k];
            const uint32_t first = ir->gates.items[c->gate_first];

            REQUIRE(v, pred < ir->preds.count);
            REQUIRE(v, ir->preds.items[pred].field ==
                           ir->preds.items[first].field);
        }
    }
}

static void check_rules(verifier *v)
{
    const sc_ir *ir = v->ir;
    sg_arena tmp = {0};
    uint32_t *seen = sg_new_n(&tmp, uint32_t, (size_t)ir->nodes.count + 1);
    uint32_t i, mark = 0;

    for (i = 0; i < ir->sels.count; i++) {
        at(v, "selection", i);
        REQUIRE(v, ir->sels.items[i].node < ir->nodes.count);
        check_acyclic(v, ir->sels.items[i].node);
        check_leaves(v, seen, ++mark, ir->sels.items[i].node, SIGMA_NONE);
    }
    for (i = 0; i < ir->rules.count; i++) {
        const sc_ir_rule *r = &ir->rules.items[i];

        at(v, "rule", i);
        check_rule(v, r);
        check_acyclic(v, r->node);
        check_leaves(v, seen, ++mark, r->node, r->sel_count);
    }
    for (i = 0; i < ir->routes.count; i++) {
        at(v, "route", i);
        REQUIRE(v, ir->routes.items[i].node < ir->nodes.count);
        check_acyclic(v, ir->routes.items[i].node);
        check_leaves(v, seen, ++mark, ir->routes.items[i].node, SIGMA_NONE);
    }
    sg_arena_free(&tmp);
}

/* -------- correlations --------------------------------------------------- */

/* Postfix that leaves one value and never takes what is not there. */
static void check_expr(verifier *v, const sc_ir_corr *c)
{
    uint32_t i, depth = 0;

    for (i = 0; i < c->expr_count; i++) {
        const sigma_expr *e = &v->ir->exprs.items[c->expr_first + i];

        switch (e->op) {
        case SIGMA_EXPR_REF:
            REQUIRE(v, e->arg < c->ref_count);
            depth++;
            break;
        case SIGMA_EXPR_NOT:
            REQUIRE(v, depth >= 1);
            break;
        case SIGMA_EXPR_AND:
        case SIGMA_EXPR_OR:
            REQUIRE(v, depth >= 2);
            depth--;
            break;
        }
    }
    REQUIRE(v, c->expr_count == 0 || depth == 1);
}

static void check_corr(verifier *v, const sc_ir_corr *c, uint32_t index)
{
    const sc_ir *ir = v->ir;
    const uint64_t sources =
        (uint64_t)c->ref_count * ((uint64_t)c->key_count + c->value_count);
    uint64_t k;
    uint32_t i;

    check_meta(v, &c->meta);
    check_digest(v, c->digest);
    REQUIRE(v, (unsigned)c->type < SIGMA_CORR_COUNT);
    REQUIRE(v, c->timespan >= 0);
    REQUIRE(v, c->ref_count > 0);
    REQUIRE(v, range(c->ref_first, c->ref_count, ir->corr_refs.count));
    for (i = 0; i < c->ref_count; i++) {
        const sigma_corr_ref *r = &ir->corr_refs.items[c->ref_first + i];

        REQUIRE(v, r->index < (r->is_correlation ? index : ir->rules.count));
    }
    REQUIRE(v, range(c->key_first, c->key_count, ir->keys.count));
    REQUIRE(v, c->source_first <= ir->sources.count &&
                   sources <= ir->sources.count - c->source_first);
    for (k = 0; k < sources; k++)
        REQUIRE(v, ir->sources.items[c->source_first + k] < ir->fields.count);
    REQUIRE(v, range(c->cond_first, c->cond_count, ir->conds.count));
    REQUIRE(v, range(c->expr_first, c->expr_count, ir->exprs.count));
    REQUIRE(v, c->cond_count > 0 || c->expr_count > 0);
    check_expr(v, c);
    REQUIRE(v, c->percentile >= 0 && c->percentile <= 100);
    REQUIRE(v, range(c->column_first, c->column_count, ir->columns.count));
    REQUIRE(v, c->sort_column == SIGMA_NONE ||
                   c->sort_column < (uint64_t)c->column_count + c->key_count);
}

static void check_step(verifier *v, const sigma_step *s)
{
    const sc_ir *ir = v->ir;

    REQUIRE(v, s->kind == SIGMA_STEP_COPY || s->table < ir->tables.count);
    REQUIRE(v, range(s->when_first, s->when_count, ir->whens.count));
    REQUIRE(v, range(s->key_first, s->key_count, ir->enrich_keys.count));
    REQUIRE(v, range(s->put_first, s->put_count, ir->puts.count));
    REQUIRE(v, s->kind == SIGMA_STEP_COPY ||
                   s->key_count == ir->tables.items[s->table].key_count);
    for (uint32_t i = 0; i < s->key_count; i++)
        REQUIRE(v, ir->enrich_keys.items[s->key_first + i] < ir->fields.count);
}

void sc_ir_verify(const sc_ir *ir)
{
    verifier v = {.ir = ir};
    sg_arena tmp = {0};
    uint32_t i;

    v.state = sg_new_n(&tmp, uint8_t, (size_t)ir->nodes.count + 1);
    for (i = 0; i < ir->preds.count; i++) {
        at(&v, "predicate", i);
        check_pred(&v, &ir->preds.items[i]);
    }
    for (i = 0; i < ir->nodes.count; i++) {
        at(&v, "node", i);
        check_node(&v, &ir->nodes.items[i]);
    }
    check_rules(&v);
    check_clauses(&v);
    for (i = 0; i < ir->corrs.count; i++) {
        at(&v, "correlation", i);
        check_corr(&v, &ir->corrs.items[i], i);
    }
    for (i = 0; i < ir->steps.count; i++) {
        at(&v, "step", i);
        check_step(&v, &ir->steps.items[i]);
    }
    sg_arena_free(&tmp);
}
