/*
 * build.c - resolved rules to IR, nothing clever: fields, selections,
 * conditions, derived fields. A rule that cannot be lowered is reported and
 * leaves nothing behind.
 *
 * Conditions (semantics section 6): a selector becomes an AND or OR of the
 * selections it names; one that names none is FALSE; one whose selections
 * were all dropped by a pipeline vanishes, and so does what is left empty.
 */
#include "ir/build.h"

#include <string.h>

/* A condition, or a part of it, that vanished. */
#define GONE (UINT32_MAX - 1)

typedef struct rule_build {
    sc_build *b;
    const sc_rule *rule;
    sg_map names;       /* "SPACE:NAME" to index into rule->selections */
    uint32_t *index;    /* of a selection among the rule's sels, or NONE */
    bool *in_condition; /* per selection: a condition names it */
} rule_build;

/* -------- fields and nodes ----------------------------------------------- */

/* A rule that is taken back leaves cells that point past the fields, or at a
 * later field of another name: both count as absent. */
uint32_t sc_build_field(sc_build *b, sg_str name, uint32_t flags)
{
    sc_ir *ir = b->ir;
    bool found;
    uint32_t *cell = sg_map_put(ir->arena, &b->fields, name, &found);

    if (!found || *cell >= ir->fields.count ||
        (ir->fields.items[*cell].flags & SIGMA_FIELD_KEYWORDS) != 0 ||
        !sg_str_eq(ir->fields.items[*cell].name, name)) {
        *cell = ir->fields.count;
        SG_PUSH(ir->arena, &ir->fields, ((sc_ir_field){name, 0}));
    }
    ir->fields.items[*cell].flags |= flags;
    return *cell;
}

static uint32_t push_node(sc_build *b, sc_ir_node node)
{
    if (b->rule_nodes >= SC_MAX_RULE_NODES) {
        b->full = true;
        return SC_NO_NODE;
    }
    b->rule_nodes++;
    SG_PUSH(b->ir->arena, &b->ir->nodes, node);
    return b->ir->nodes.count - 1;
}

uint32_t sc_build_node(sc_build *b, sc_node_kind kind, uint32_t first,
                       sc_span at)
{
    return push_node(b, (sc_ir_node){kind, first, 0, at});
}

uint32_t sc_build_not(sc_build *b, uint32_t kid, sc_span at)
{
    const uint32_t first = b->ir->kids.count;

    if (kid == SC_NO_NODE)
        return SC_NO_NODE;
    SG_PUSH(b->ir->arena, &b->ir->kids, kid);
    return push_node(b, (sc_ir_node){SC_NODE_NOT, first, 1, at});
}

uint32_t sc_build_group(sc_build *b, sc_node_kind kind, const sc_ids *kids,
                        sc_span at)
{
    const uint32_t first = b->ir->kids.count;
    uint32_t i;

    if (kids->count == 0)
        return sc_build_node(
            b, kind == SC_NODE_AND ? SC_NODE_TRUE : SC_NODE_FALSE, 0, at);
    if (kids->count == 1)
        return kids->items[0];
    for (i = 0; i < kids->count; i++)
        SG_PUSH(b->ir->arena, &b->ir->kids, kids->items[i]);
    return push_node(b, (sc_ir_node){kind, first, kids->count, at});
}

/* -------- which selections a rule uses ----------------------------------- */

static sg_str space_key(sc_build *b, uint32_t space, sg_str name)
{
    sg_str key;
    char *bytes = sg_arena_alloc(&b->tmp, name.len + sizeof(space), 1);

    memcpy(bytes, &space, sizeof(space));
    if (name.len > 0)
        memcpy(bytes + sizeof(space), name.ptr, name.len);
    key.ptr = bytes;
    key.len = name.len + sizeof(space);
    return key;
}

static uint32_t find_selection(rule_build *r, uint32_t space, sg_str name)
{
    const uint32_t *cell = sg_map_get(&r->names, space_key(r->b, space, name));

    return cell == NULL ? SIGMA_NONE : *cell;
}

static void mark_used(rule_build *r, const sc_cond *cond)
{
    uint32_t i, at;

    switch (cond->kind) {
    case SC_COND_AND:
    case SC_COND_OR:
    case SC_COND_NOT:
        for (i = 0; i < cond->kids.count; i++)
            mark_used(r, cond->kids.items[i]);
        return;
    case SC_COND_ID:
        at = find_selection(r, cond->space, cond->name);
        if (at != SIGMA_NONE)
            r->in_condition[at] = true;
        return;
    case SC_COND_OF:
        for (i = 0; i < r->rule->selections.count; i++)
            if (sc_cond_selects(cond, &r->rule->selections.items[i]))
                r->in_condition[i] = true;
        return;
    }
}

static bool derive_uses(const rule_build *r, const sc_selection *sel)
{
    uint32_t i, k;

    for (i = 0; sel->space == 0 && i < r->rule->derives.count; i++) {
        const sc_derive *d = &r->rule->derives.items[i];

        for (k = 0; k < d->branches.count; k++)
            if (sg_str_eq(d->branches.items[k].selection, sel->name))
                return true;
    }
    return false;
}

/* -------- selections ----------------------------------------------------- */

static bool add_selection(rule_build *r, uint32_t i)
{
    sc_ir *ir = r->b->ir;
    const sc_selection *sel = &r->rule->selections.items[i];
    const uint32_t node = sc_build_det(r->b, sel->det);
    const sc_ir_sel out = {.name = sel->name,
                           .node = node,
                           .at = sel->at,
                           .named = sel->space == 0 && r->in_condition[i]};

    if (node == SC_NO_NODE)
        return false;
    SG_PUSH(ir->arena, &ir->sels, out);
    return true;
}

/* Selections that a condition or a derived field uses, in rule order. */
static bool add_selections(rule_build *r)
{
    const sc_rule *rule = r->rule;
    uint32_t i, count = 0;

    for (i = 0; i < rule->conditions.count; i++)
        mark_used(r, rule->conditions.items[i]);
    for (i = 0; i < rule->selections.count; i++) {
        const sc_selection *sel = &rule->selections.items[i];

        r->index[i] = SIGMA_NONE;
        if (sel->det == NULL || !(r->in_condition[i] || derive_uses(r, sel)))
            continue;
        if (!add_selection(r, i))
            return false;
        r->index[i] = count++;
    }
    return true;
}

static void index_selections(rule_build *r)
{
    const sc_rule *rule = r->rule;
    const uint32_t n = rule->selections.count;
    uint32_t i;

    r->index = sg_new_n(&r->b->tmp, uint32_t, n + 1);
    r->in_condition = sg_new_n(&r->b->tmp, bool, n + 1);
    for (i = 0; i < n; i++) {
        const sc_selection *sel = &rule->selections.items[i];
        bool found;
        uint32_t *cell =
            sg_map_put(&r->b->tmp, &r->names,
                       space_key(r->b, sel->space, sel->name), &found);

        if (!found)
            *cell = i;
    }
}

/* -------- conditions ----------------------------------------------------- */

static uint32_t lower_cond(rule_build *r, const sc_cond *cond);

static uint32_t lower_id(rule_build *r, const sc_cond *cond)
{
    const uint32_t at = find_selection(r, cond->space, cond->name);

    if (at == SIGMA_NONE) {
        sc_error(r->b->s, SC_E0305, cond->at,
                 "'%.*s' is not a search identifier of this rule",
                 SG_FMT(cond->name));
        return SC_NO_NODE;
    }
    if (r->index[at] == SIGMA_NONE)
        return GONE;
    return sc_build_node(r->b, SC_NODE_SEL, r->index[at], cond->at);
}

static uint32_t lower_of(rule_build *r, const sc_cond *cond)
{
    const sc_rule *rule = r->rule;
    sc_ids kids = {0};
    bool any = false;
    uint32_t i;

    for (i = 0; i < rule->selections.count; i++) {
        uint32_t kid;

        if (!sc_cond_selects(cond, &rule->selections.items[i]))
            continue;
        any = true;
        if (r->index[i] == SIGMA_NONE)
            continue;
        kid = sc_build_node(r->b, SC_NODE_SEL, r->index[i], cond->at);
        if (kid == SC_NO_NODE)
            return SC_NO_NODE;
        SG_PUSH(&r->b->tmp, &kids, kid);
    }
    if (!any)
        return sc_build_node(r->b, SC_NODE_FALSE, 0, cond->at);
    if (kids.count == 0)
        return GONE;
    return sc_build_group(r->b, cond->all ? SC_NODE_AND : SC_NODE_OR, &kids,
                          cond->at);
}

static uint32_t lower_kids(rule_build *r, const sc_cond *cond)
{
    sc_ids kids = {0};
    uint32_t i;

    for (i = 0; i < cond->kids.count; i++) {
        const uint32_t kid = lower_cond(r, cond->kids.items[i]);

        if (kid == SC_NO_NODE)
            return SC_NO_NODE;
        if (kid != GONE)
            SG_PUSH(&r->b->tmp, &kids, kid);
    }
    if (kids.count == 0)
        return GONE;
    return sc_build_group(r->b,
                          cond->kind == SC_COND_AND ? SC_NODE_AND : SC_NODE_OR,
                          &kids, cond->at);
}

static uint32_t lower_cond(rule_build *r, const sc_cond *cond)
{
    uint32_t kid;

    switch (cond->kind) {
    case SC_COND_AND:
    case SC_COND_OR:
        return lower_kids(r, cond);
    case SC_COND_NOT:
        kid = lower_cond(r, cond->kids.items[0]);
        return kid == GONE ? GONE : sc_build_not(r->b, kid, cond->at);
    case SC_COND_ID:
        return lower_id(r, cond);
    case SC_COND_OF:
        return lower_of(r, cond);
    }
    sg_fatal("condition kind %d is unknown", (int)cond->kind);
}

/* Any of the conditions. */
static uint32_t lower_conditions(rule_build *r)
{
    const sc_rule *rule = r->rule;
    sc_ids kids = {0};
    uint32_t i;

    for (i = 0; i < rule->conditions.count; i++) {
        const uint32_t kid = lower_cond(r, rule->conditions.items[i]);

        if (kid == SC_NO_NODE)
            return SC_NO_NODE;
        if (kid != GONE)
            SG_PUSH(&r->b->tmp, &kids, kid);
    }
    if (kids.count == 0) {
        sc_error(r->b->s, SC_E0651, rule->at,
                 "nothing is left of the condition: a pipeline dropped every "
                 "selection it names");
        return SC_NO_NODE;
    }
    return sc_build_group(r->b, SC_NODE_OR, &kids, rule->at);
}

/* The condition as written, for comments: several are joined by " | ". */
static sg_str condition_text(sc_build *b, const sc_rule *rule)
{
    const sc_y *det = NULL, *cond = NULL;
    sg_buf buf = {0};
    sg_str text;
    uint32_t i;

    if (rule->yaml != NULL && rule->yaml->kind == SC_Y_MAP)
        det = sc_y_get(rule->yaml, "detection");
    if (det != NULL && det->kind == SC_Y_MAP)
        cond = sc_y_get(det, "condition");
    if (cond == NULL)
        return SG_S("");
    if (cond->kind != SC_Y_SEQ)
        return cond->text;
    for (i = 0; i < cond->count; i++) {
        if (i > 0)
            sg_buf_putz(&buf, " | ");
        sg_buf_put(&buf, cond->items[i]->text);
    }
    text = sg_arena_dup(b->ir->arena, sg_buf_str(&buf));
    sg_buf_free(&buf);
    return text;
}

/* -------- rules ---------------------------------------------------------- */

sc_ir_meta sc_build_meta(sc_build *b, const sc_rule *rule)
{
    const sc_ir_meta meta = {.doc = rule->doc,
                             .id = rule->id,
                             .name = rule->name,
                             .title = rule->title,
                             .level = rule->level,
                             .status = rule->status,
                             .description = rule->description,
                             .author = rule->author,
                             .license = rule->license,
                             .tag_first = b->ir->strs.count,
                             .tag_count = rule->tags.count};
    uint32_t i;

    for (i = 0; i < rule->tags.count; i++)
        SG_PUSH(b->ir->arena, &b->ir->strs, rule->tags.items[i]);
    return meta;
}

static void add_derives(rule_build *r)
{
    sc_ir *ir = r->b->ir;
    uint32_t i, k, at;

    for (i = 0; i < r->rule->derives.count; i++) {
        const sc_derive *d = &r->rule->derives.items[i];
        const uint32_t field = sc_build_field(r->b, d->field, 0);

        for (k = 0; k < d->branches.count; k++) {
            const sc_derive_branch *br = &d->branches.items[k];
            sc_ir_derive out = {field, SIGMA_NONE, br->value};

            if (br->selection.len > 0) {
                at = find_selection(r, 0, br->selection);
                /* Dropped by a pipeline: the branch never holds. */
                if (at == SIGMA_NONE || r->index[at] == SIGMA_NONE)
                    continue;
                out.selection = r->index[at];
            }
            SG_PUSH(ir->arena, &ir->derives, out);
        }
    }
}

static uint32_t time_field(sc_build *b, const sc_rule *rule)
{
    uint32_t i;

    for (i = rule->attributes.count; i-- > 0;)
        if (sg_str_eq(rule->attributes.items[i].name, SG_S("sigcc.time_field")))
            return sc_build_field(b, rule->attributes.items[i].value,
                                  SIGMA_FIELD_CONTEXT);
    return SIGMA_NONE;
}

/* Fill `out`; false when reported or b->full. */
static bool lower_rule(rule_build *r, sc_ir_rule *out)
{
    const sc_rule *rule = r->rule;
    sc_ir *ir = r->b->ir;

    index_selections(r);
    out->meta = sc_build_meta(r->b, rule);
    out->flags = rule->hidden ? SIGMA_RULE_HIDDEN : 0;
    out->route = SIGMA_NONE;
    out->category = rule->logsource.category;
    out->product = rule->logsource.product;
    out->service = rule->logsource.service;
    out->sel_first = ir->sels.count;
    if (!add_selections(r))
        return false;
    out->sel_count = ir->sels.count - out->sel_first;
    out->node = lower_conditions(r);
    if (out->node == SC_NO_NODE)
        return false;
    out->derive_first = ir->derives.count;
    add_derives(r);
    out->derive_count = ir->derives.count - out->derive_first;
    out->time_field = time_field(r->b, rule);
    out->condition = condition_text(r->b, rule);
    out->condition_at =
        rule->conditions.count > 0 ? rule->conditions.items[0]->at : rule->at;
    return true;
}

/* Forget what a failed document added; its strings stay in the arena. */
static void take_back(sc_ir *ir, const sc_ir *before)
{
    ir->fields.count = before->fields.count;
    ir->lits.count = before->lits.count;
    ir->nums.count = before->nums.count;
    ir->preds.count = before->preds.count;
    ir->nodes.count = before->nodes.count;
    ir->kids.count = before->kids.count;
    ir->sels.count = before->sels.count;
    ir->derives.count = before->derives.count;
    ir->strs.count = before->strs.count;
    ir->corr_refs.count = before->corr_refs.count;
    ir->keys.count = before->keys.count;
    ir->sources.count = before->sources.count;
    ir->conds.count = before->conds.count;
    ir->exprs.count = before->exprs.count;
    ir->columns.count = before->columns.count;
}

static bool build_rule(sc_build *b, const sc_rule *rule)
{
    rule_build r = {.b = b, .rule = rule};
    sc_ir_rule out = {0};

    if (lower_rule(&r, &out)) {
        SG_PUSH(b->ir->arena, &b->ir->rules, out);
        return true;
    }
    if (b->full)
        sc_error(b->s, SC_E0652, rule->at,
                 "the rule expands to more than %d terms", SC_MAX_RULE_NODES);
    return false;
}

/* -------- documents ------------------------------------------------------ */

/* The bytes of a pointer, which stay as long as the AST. */
static sg_str pointer_key(sc_rule *const *rule)
{
    return (sg_str){(const char *)rule, sizeof(void *)};
}

void sc_build_place(sc_build *b, sc_rule *const *rule, sigma_corr_ref place)
{
    const sg_str key = pointer_key(rule);
    bool found;

    *sg_map_put(b->ir->arena, &b->placed, key, &found) = b->places.count;
    SG_PUSH(b->ir->arena, &b->places, place);
}

bool sc_build_where(const sc_build *b, sc_rule *const *rule,
                    sigma_corr_ref *out)
{
    const sg_str key = pointer_key(rule);
    const uint32_t *cell = sg_map_get(&b->placed, key);

    if (cell == NULL)
        return false;
    *out = b->places.items[*cell];
    return true;
}

static void build_document(sc_build *b, sc_rule *const *slot)
{
    const sc_rule *rule = *slot;
    const sc_ir before = *b->ir;
    sigma_corr_ref place = {.is_correlation = rule->correlation != NULL};
    bool ok;

    b->s->doc = rule->doc;
    b->rule_nodes = 0;
    b->full = false;
    ok = place.is_correlation ? sc_build_corr(b, rule) : build_rule(b, rule);
    sg_arena_reset(&b->tmp);
    if (!ok) {
        take_back(b->ir, &before);
        return;
    }
    place.index =
        (place.is_correlation ? b->ir->corrs.count : b->ir->rules.count) - 1;
    sc_build_place(b, slot, place);
}

sc_ir *sc_ir_build(sc_session *s, const struct sc_ast *ast)
{
    sc_build b = {.s = s, .keywords = SIGMA_NONE};
    const uint32_t doc = s->doc;
    uint32_t i;

    b.ir = sg_new(&s->arena, sc_ir);
    b.ir->arena = &s->arena;
    for (i = 0; i < ast->rules.count; i++)
        if (sc_doc_ok(s, ast->rules.items[i]->doc))
            build_document(&b, &ast->rules.items[i]);
    s->doc = doc;
    sg_arena_free(&b.tmp);
    return b.ir;
}
