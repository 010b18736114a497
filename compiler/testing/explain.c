/*
 * explain.c - a rule's condition and selections with the oracle's verdict on
 * every part. Predicates on the same field that ask the same kind of thing
 * become one item again, as the rule wrote them. What decides is marked from
 * the root down: the parts whose verdict alone would keep the whole as it is,
 * and where it takes all of them, all.
 */
#include "testing/explain.h"

typedef struct judge {
    const sc_ir *ir;
    const sc_ref_event *event;
    sg_arena *arena;
    uint32_t rule;
} judge;

/* -------- items ---------------------------------------------------------- */

/* A GLOB literal as Sigma writes it. */
static sg_str glob_text(sg_arena *arena, sg_str lit)
{
    sg_buf text = {0};
    sg_str out;

    for (size_t i = 0; i < lit.len; i++) {
        const char c = lit.ptr[i];
        if (c == SIGMA_GLOB_STAR) {
            sg_buf_putc(&text, '*');
        } else if (c == SIGMA_GLOB_ANY) {
            sg_buf_putc(&text, '?');
        } else {
            if (c == '*' || c == '?')
                sg_buf_putc(&text, '\\');
            sg_buf_putc(&text, c);
        }
    }
    out = sg_arena_dup(arena, sg_buf_str(&text));
    sg_buf_free(&text);
    return out;
}

static sg_str num_text(sg_arena *arena, sg_num num)
{
    char text[SG_NUM_TEXT];
    const size_t len = sg_num_text(num, text);

    return sg_arena_dup(arena, (sg_str){text, len});
}

static void add_asks(const judge *j, uint32_t pred, sc_x_node *item)
{
    const sc_ir_pred *p = &j->ir->preds.items[pred];
    const sc_operand operand = sc_op_operand(p->op);
    const bool holds = sc_ref_pred(j->ir, pred, j->event);
    sc_x_ask ask = {.holds = holds};
    uint32_t i;

    switch (operand) {
    case SC_OPERAND_LITS:
    case SC_OPERAND_NUMS:
        for (i = 0; i < p->count; i++) {
            ask.is_text = operand == SC_OPERAND_LITS;
            if (!ask.is_text)
                ask.text = num_text(j->arena, j->ir->nums.items[p->first + i]);
            else if (p->op == SIGMA_OP_GLOB)
                ask.text = glob_text(j->arena, j->ir->lits.items[p->first + i]);
            else
                ask.text = j->ir->lits.items[p->first + i];
            SG_PUSH(j->arena, &item->asks, ask);
        }
        return;
    case SC_OPERAND_FIELD:
        ask.text = j->ir->fields.items[p->first].name;
        SG_PUSH(j->arena, &item->asks, ask);
        return;
    case SC_OPERAND_BOOL:
        ask.text = p->first != 0 ? SG_S("true") : SG_S("false");
        SG_PUSH(j->arena, &item->asks, ask);
        return;
    case SC_OPERAND_NONE:
        return;
    }
}

static void read_item(const judge *j, uint32_t pred, sc_x_node *item)
{
    const sc_ir_pred *p = &j->ir->preds.items[pred];
    const sc_ir_field *field = &j->ir->fields.items[p->field];

    item->kind = SC_X_ITEM;
    item->holds = sc_ref_pred(j->ir, pred, j->event);
    item->op = p->op;
    item->flags = p->flags;
    item->field = field->name;
    item->keywords = (field->flags & SIGMA_FIELD_KEYWORDS) != 0;
    if (item->keywords)
        sc_ref_scalars(j->event, j->arena, &item->values);
    else
        sc_ref_lookup(j->event, field->name, j->arena, &item->values);
    add_asks(j, pred, item);
}

static const sc_ir_pred *pred_of(const sc_ir *ir, uint32_t node)
{
    const sc_ir_node *n = &ir->nodes.items[node];

    return n->kind == SC_NODE_PRED ? &ir->preds.items[n->first] : NULL;
}

/* Whether all kids are predicates that differ in their operands alone. */
static bool is_list(const sc_ir *ir, const sc_ir_node *n)
{
    const sc_ir_pred *first = pred_of(ir, ir->kids.items[n->first]);

    if (first == NULL || sc_op_operand(first->op) == SC_OPERAND_NONE)
        return false;
    for (uint32_t i = 1; i < n->count; i++) {
        const sc_ir_pred *p = pred_of(ir, ir->kids.items[n->first + i]);
        if (p == NULL || p->field != first->field || p->op != first->op ||
            p->flags != first->flags)
            return false;
    }
    return true;
}

static void read_list(const judge *j, const sc_ir_node *n, sc_x_node *item)
{
    const uint32_t *kids = j->ir->kids.items + n->first;

    read_item(j, j->ir->nodes.items[kids[0]].first, item);
    item->every = n->kind == SC_NODE_AND;
    for (uint32_t i = 1; i < n->count; i++) {
        const uint32_t pred = j->ir->nodes.items[kids[i]].first;
        const bool holds = sc_ref_pred(j->ir, pred, j->event);
        item->holds = item->every ? item->holds && holds : item->holds || holds;
        add_asks(j, pred, item);
    }
}

/* -------- the tree ------------------------------------------------------- */

static sc_x_node *read_node(const judge *j, uint32_t node);

static void read_kids(const judge *j, const sc_ir_node *n, sc_x_node *out)
{
    const uint32_t count = n->kind == SC_NODE_NOT ? 1 : n->count;

    out->holds = n->kind == SC_NODE_AND;
    for (uint32_t i = 0; i < count; i++) {
        sc_x_node *kid = read_node(j, j->ir->kids.items[n->first + i]);
        SG_PUSH(j->arena, &out->kids, kid);
        if (n->kind == SC_NODE_NOT)
            out->holds = !kid->holds;
        else if (n->kind == SC_NODE_AND)
            out->holds = out->holds && kid->holds;
        else
            out->holds = out->holds || kid->holds;
    }
}

static sc_x_node *read_node(const judge *j, uint32_t node)
{
    const sc_ir_node *n = &j->ir->nodes.items[node];
    const sc_ir_rule *rule = &j->ir->rules.items[j->rule];
    sc_x_node *out = sg_new(j->arena, sc_x_node);

    out->at = n->at;
    switch (n->kind) {
    case SC_NODE_FALSE:
        out->kind = SC_X_NEVER;
        break;
    case SC_NODE_TRUE:
        out->kind = SC_X_ALWAYS;
        out->holds = true;
        break;
    case SC_NODE_PRED:
        read_item(j, n->first, out);
        break;
    case SC_NODE_SEL:
        out->kind = SC_X_SELECTION;
        out->selection = n->first;
        out->holds = sc_ref_node(
            j->ir, j->rule, j->ir->sels.items[rule->sel_first + n->first].node,
            j->event);
        break;
    case SC_NODE_NOT:
        out->kind = SC_X_NOT;
        read_kids(j, n, out);
        break;
    case SC_NODE_AND:
    case SC_NODE_OR:
        out->kind = n->kind == SC_NODE_AND ? SC_X_ALL : SC_X_ANY;
        if (is_list(j->ir, n))
            read_list(j, n, out);
        else
            read_kids(j, n, out);
        break;
    }
    return out;
}

/* In an ALL that fails, each part that fails suffices; one that holds needs
 * them all. ANY is the other way round. */
static void mark(sc_x_node *n, sc_x_node *const *selections)
{
    const bool only =
        (n->kind == SC_X_ALL && !n->holds) || (n->kind == SC_X_ANY && n->holds);

    n->decides = true;
    if (n->kind == SC_X_SELECTION && !selections[n->selection]->decides)
        mark(selections[n->selection], selections);
    for (uint32_t i = 0; i < n->kids.count; i++)
        if (!only || n->kids.items[i]->holds == n->holds)
            mark(n->kids.items[i], selections);
}

sc_x_rule sc_explain_rule(const sc_ir *ir, uint32_t rule,
                          const sc_ref_event *event, sg_arena *arena)
{
    const judge j = {ir, event, arena, rule};
    const sc_ir_rule *r = &ir->rules.items[rule];
    sc_x_node *condition = read_node(&j, r->node);
    sc_x_node **sels = sg_new_n(arena, sc_x_node *, (size_t)r->sel_count + 1);
    sc_x_rule out = {.index = rule, .condition = condition};

    for (uint32_t i = 0; i < r->sel_count; i++)
        sels[i] = read_node(&j, ir->sels.items[r->sel_first + i].node);
    if (r->route != SIGMA_NONE) {
        sc_x_node *route = read_node(&j, ir->routes.items[r->route].node);
        out.route = route;
        out.route_text = ir->routes.items[r->route].text;
        /* Not for the rule: nothing else matters. */
        if (!route->holds)
            mark(route, sels);
    }
    if (out.route == NULL || out.route->holds)
        mark(condition, sels);
    for (uint32_t i = 0; i < r->sel_count; i++)
        SG_PUSH(arena, &out.selections, sels[i]);
    out.holds = sc_ref_rule(ir, rule, event);
    return out;
}

/* -------- correlations --------------------------------------------------- */

static bool fired(const sc_ref_firings *firings, uint32_t corr)
{
    for (uint32_t i = 0; i < firings->list.count; i++)
        if (firings->list.items[i].corr == corr)
            return true;
    return false;
}

/* The rule whose event reaches the correlation through this reference. */
static uint32_t base_rule(const judge *j, const sigma_corr_ref *ref)
{
    const sc_ir_corr *c;

    if (!ref->is_correlation)
        return ref->index;
    c = &j->ir->corrs.items[ref->index];
    for (uint32_t i = 0; i < c->ref_count; i++) {
        const uint32_t rule =
            base_rule(j, &j->ir->corr_refs.items[c->ref_first + i]);
        if (rule != SIGMA_NONE && sc_ref_rule(j->ir, rule, j->event))
            return rule;
    }
    return SIGMA_NONE;
}

static sc_x_part read_part(const judge *j, uint32_t rule, uint32_t source)
{
    sc_x_part part = {.name = j->ir->fields.items[source].name};

    if (rule != SIGMA_NONE)
        part.found =
            sc_ref_first(j->ir, rule, source, j->event, j->arena, &part.value);
    return part;
}

static sc_x_ref read_ref(const judge *j, const sc_ref_firings *firings,
                         const sc_ir_corr *c, uint32_t i)
{
    const sigma_corr_ref *ref = &j->ir->corr_refs.items[c->ref_first + i];
    const uint32_t width = c->key_count + c->value_count;
    const uint32_t *sources = j->ir->sources.items + c->source_first;
    const uint32_t rule = base_rule(j, ref);
    sc_x_ref out = {.index = ref->index, .is_correlation = ref->is_correlation};
    int64_t time;

    if (ref->is_correlation)
        out.holds = fired(firings, ref->index);
    else
        out.holds = sc_ref_rule(j->ir, ref->index, j->event);
    out.timed = rule != SIGMA_NONE &&
                sc_ref_time(j->ir, rule, j->event, j->arena, &time);
    out.takes_part = out.holds && out.timed;
    for (uint32_t k = 0; k < width; k++) {
        const sc_x_part part =
            read_part(j, rule, sources[(size_t)i * width + k]);
        out.takes_part = out.takes_part && part.found;
        if (k < c->key_count)
            SG_PUSH(j->arena, &out.keys, part);
        else
            SG_PUSH(j->arena, &out.values, part);
    }
    return out;
}

static void read_corrs(const judge *j, sg_str line, sc_explained *out)
{
    sc_ref_firings firings;

    sc_ref_correlate(j->ir, &line, 1, j->arena, &firings);
    for (uint32_t i = 0; i < j->ir->corrs.count; i++) {
        const sc_ir_corr *c = &j->ir->corrs.items[i];
        sc_x_corr corr = {.index = i, .fires = fired(&firings, i)};
        for (uint32_t k = 0; k < c->ref_count; k++)
            SG_PUSH(j->arena, &corr.refs, read_ref(j, &firings, c, k));
        SG_PUSH(j->arena, &out->corrs, corr);
    }
}

bool sc_explain(sg_arena *arena, sg_str event, sc_explained *out)
{
    const sc_ir *ir = out->ir;
    sc_ref_event *parsed = sc_ref_event_parse(event);
    const judge j = {ir, parsed, arena, 0};

    if (parsed == NULL)
        return false;
    for (uint32_t i = 0; i < ir->rules.count; i++)
        SG_PUSH(arena, &out->rules, sc_explain_rule(ir, i, parsed, arena));
    if (ir->corrs.count > 0)
        read_corrs(&j, event, out);
    sc_ref_event_free(parsed);
    return true;
}

/* -------- words ---------------------------------------------------------- */

const char *sc_x_corr_type(const sc_ir *ir, const sc_x_corr *c)
{
    static const char *const texts[SIGMA_CORR_COUNT] = {
#define CORR(name, text, operand, doc) [SIGMA_CORR_##name] = (text),
#include "sigma_correlations.def"
#undef CORR
    };

    return texts[ir->corrs.items[c->index].type];
}

sg_str sc_x_label(const sc_ir_meta *meta)
{
    return meta->name.len > 0 ? meta->name : meta->title;
}

static sg_str ref_label(const sc_ir *ir, const sc_ir_corr *c, uint32_t ref)
{
    const sigma_corr_ref *r = &ir->corr_refs.items[c->ref_first + ref];

    return sc_x_label(r->is_correlation ? &ir->corrs.items[r->index].meta
                                        : &ir->rules.items[r->index].meta);
}

/* The expression that ends at *at, in infix. */
static void put_expr(sg_buf *out, const sc_ir *ir, const sc_ir_corr *c,
                     uint32_t *at)
{
    const sigma_expr e = ir->exprs.items[--*at];
    sg_buf right = {0};

    if (e.op == SIGMA_EXPR_REF) {
        sg_buf_put(out, ref_label(ir, c, e.arg));
        return;
    }
    if (e.op == SIGMA_EXPR_NOT) {
        sg_buf_putz(out, "not ");
        put_expr(out, ir, c, at);
        return;
    }
    /* Postfix is read from its end: the right side comes first. */
    put_expr(&right, ir, c, at);
    sg_buf_putc(out, '(');
    put_expr(out, ir, c, at);
    sg_buf_putz(out, e.op == SIGMA_EXPR_AND ? " and " : " or ");
    sg_buf_put(out, sg_buf_str(&right));
    sg_buf_putc(out, ')');
    sg_buf_free(&right);
}

void sc_x_corr_condition(sg_buf *out, const sc_ir *ir, uint32_t corr)
{
    static const char *const cmps[] = {
        [SIGMA_CMP_EQ] = "eq", [SIGMA_CMP_NEQ] = "neq",
        [SIGMA_CMP_LT] = "lt", [SIGMA_CMP_LTE] = "lte",
        [SIGMA_CMP_GT] = "gt", [SIGMA_CMP_GTE] = "gte",
    };
    const sc_ir_corr *c = &ir->corrs.items[corr];
    uint32_t end = c->expr_first + c->expr_count;
    char num[SG_NUM_TEXT];

    for (uint32_t i = 0; i < c->cond_count; i++) {
        const sigma_corr_cond *k = &ir->conds.items[c->cond_first + i];
        sg_num_text(k->threshold, num);
        sg_buf_printf(out, "%s%s %s", i > 0 ? ", " : "", cmps[k->cmp], num);
    }
    if (c->expr_count == 0)
        return;
    if (c->cond_count > 0)
        sg_buf_putz(out, ", ");
    put_expr(out, ir, c, &end);
}
