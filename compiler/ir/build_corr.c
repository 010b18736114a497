/*
 * build_corr.c - correlations to IR tables (semantics section 9): references,
 * group keys, the field that plays each key for each reference, conditions,
 * boolean expressions in postfix, report columns.
 */
#include "ir/build.h"

typedef struct corr_build {
    sc_build *b;
    const sc_rule *rule;
    const sc_correlation *c;
    sc_ir_corr out;
} corr_build;

/* -------- references ----------------------------------------------------- */

static bool add_refs(corr_build *k)
{
    sc_ir *ir = k->b->ir;
    uint32_t i;

    k->out.ref_first = ir->corr_refs.count;
    k->out.ref_count = k->c->refs.count;
    for (i = 0; i < k->c->refs.count; i++) {
        const sc_corr_rule_ref *ref = &k->c->refs.items[i];
        sigma_corr_ref place;

        if (ref->rule == NULL || !sc_build_where(k->b, &ref->rule, &place))
            return sc_error(k->b->s, SC_E0653, ref->at,
                            "the rule '%.*s' that this correlation needs was "
                            "rejected",
                            SG_FMT(ref->text));
        SG_PUSH(ir->arena, &ir->corr_refs, place);
    }
    return true;
}

/* -------- group keys and values ------------------------------------------ */

/* Whether `text` (an id or a name) refers to the rule of `ref`. */
static bool names_ref(sg_str text, const sc_corr_rule_ref *ref)
{
    if (sg_str_eq(text, ref->text))
        return true;
    return text.len > 0 &&
           (sg_str_eq(text, ref->rule->id) || sg_str_eq(text, ref->rule->name));
}

/* The field of group key `key` in events of `ref`: the alias's, or the key
 * itself. */
static sg_str key_field(const sc_correlation *c, sg_str key,
                        const sc_corr_rule_ref *ref)
{
    uint32_t i, r;

    for (i = 0; i < c->aliases.count; i++) {
        const sc_corr_alias *alias = &c->aliases.items[i];

        if (!sg_str_eq(alias->alias, key))
            continue;
        for (r = 0; r < alias->rules.count && r < alias->fields.count; r++)
            if (names_ref(alias->rules.items[r], ref))
                return alias->fields.items[r];
    }
    return key;
}

static void add_source(corr_build *k, sg_str field)
{
    const uint32_t id = sc_build_field(k->b, field, SIGMA_FIELD_CONTEXT);

    SG_PUSH(k->b->ir->arena, &k->b->ir->sources, id);
}

static void add_keys(corr_build *k)
{
    const sc_correlation *c = k->c;
    sc_ir *ir = k->b->ir;
    uint32_t i, r;

    k->out.key_first = ir->keys.count;
    k->out.key_count = c->group_by.count;
    for (i = 0; i < c->group_by.count; i++)
        SG_PUSH(ir->arena, &ir->keys, c->group_by.items[i]);
    k->out.source_first = ir->sources.count;
    k->out.value_count = c->fields.count;
    for (r = 0; r < c->refs.count; r++) {
        for (i = 0; i < c->group_by.count; i++)
            add_source(k,
                       key_field(c, c->group_by.items[i], &c->refs.items[r]));
        for (i = 0; i < c->fields.count; i++)
            add_source(k, c->fields.items[i]);
    }
}

/* -------- conditions ----------------------------------------------------- */

static bool wants_rules(sigma_corr_type type)
{
    return type == SIGMA_CORR_TEMPORAL || type == SIGMA_CORR_TEMPORAL_ORDERED;
}

static bool wants_values(sigma_corr_type type)
{
    return !wants_rules(type) && type != SIGMA_CORR_EVENT_COUNT;
}

/* Temporal types without a condition ask for every rule. */
static void add_conds(corr_build *k)
{
    const sc_correlation *c = k->c;
    sc_ir *ir = k->b->ir;
    sigma_corr_cond all = {.cmp = SIGMA_CMP_GTE,
                           .threshold = {.kind = SIGMA_INT}};
    uint32_t i;

    k->out.cond_first = ir->conds.count;
    for (i = 0; i < c->conds.count; i++)
        SG_PUSH(ir->arena, &ir->conds, c->conds.items[i]);
    all.threshold.v.i = c->refs.count;
    if (c->conds.count == 0 && c->expr == NULL && wants_rules(c->type))
        SG_PUSH(ir->arena, &ir->conds, all);
    k->out.cond_count = ir->conds.count - k->out.cond_first;
}

static bool add_expr_ref(corr_build *k, const sc_cond *cond)
{
    sc_ir *ir = k->b->ir;
    uint32_t i;

    for (i = 0; i < k->c->refs.count; i++)
        if (names_ref(cond->name, &k->c->refs.items[i])) {
            SG_PUSH(ir->arena, &ir->exprs, ((sigma_expr){SIGMA_EXPR_REF, i}));
            return true;
        }
    return sc_error(k->b->s, SC_E0653, cond->at,
                    "the condition names '%.*s', which is not among the rules",
                    SG_FMT(cond->name));
}

static bool add_expr(corr_build *k, const sc_cond *cond)
{
    sc_ir *ir = k->b->ir;
    sigma_expr op = {SIGMA_EXPR_NOT, 0};
    uint32_t i;

    if (cond->kind == SC_COND_ID)
        return add_expr_ref(k, cond);
    if (cond->kind == SC_COND_OF)
        return sc_error(k->b->s, SC_E0523, cond->at,
                        "a selector is not supported in a condition over "
                        "rules");
    for (i = 0; i < cond->kids.count; i++) {
        if (!add_expr(k, cond->kids.items[i]))
            return false;
        if (cond->kind == SC_COND_NOT || i > 0) {
            if (cond->kind != SC_COND_NOT)
                op.op =
                    cond->kind == SC_COND_AND ? SIGMA_EXPR_AND : SIGMA_EXPR_OR;
            SG_PUSH(ir->arena, &ir->exprs, op);
        }
    }
    return true;
}

/* -------- reports -------------------------------------------------------- */

static bool find_sort(corr_build *k)
{
    const sc_report *report = &k->rule->report;
    uint32_t i;

    for (i = 0; i < report->columns.count; i++)
        if (sg_str_eq(report->columns.items[i].name, report->sort)) {
            k->out.sort_column = i;
            return true;
        }
    for (i = 0; i < k->c->group_by.count; i++)
        if (sg_str_eq(k->c->group_by.items[i], report->sort)) {
            k->out.sort_column = report->columns.count + i;
            return true;
        }
    return sc_error(k->b->s, SC_E0530, report->sort_at,
                    "the report is sorted by '%.*s', which is neither a column "
                    "nor a group-by field",
                    SG_FMT(report->sort));
}

static bool add_report(corr_build *k)
{
    const sc_report *report = &k->rule->report;
    sc_ir *ir = k->b->ir;
    uint32_t i;

    k->out.column_first = ir->columns.count;
    k->out.sort_column = k->out.limit = SIGMA_NONE;
    if (!report->present)
        return true;
    k->out.flags |= SIGMA_CORR_REPORT;
    k->out.column_count = report->columns.count;
    k->out.limit = report->limit;
    for (i = 0; i < report->columns.count; i++) {
        const sc_report_column *c = &report->columns.items[i];

        SG_PUSH(ir->arena, &ir->columns, ((sc_ir_column){c->kind, c->name}));
    }
    if (report->sort.len == 0)
        return true;
    if (report->descending)
        k->out.flags |= SIGMA_CORR_SORT_DESC;
    return find_sort(k);
}

/* -------- whole correlations --------------------------------------------- */

/* Combinations that have no meaning here; the reader refuses most of them
 * with a better place. */
static bool check_shape(const corr_build *k)
{
    const sc_correlation *c = k->c;
    sc_session *s = k->b->s;

    if (c->refs.count == 0)
        return sc_error(s, SC_E0523, c->at,
                        "a correlation without rules is not supported");
    if (c->expr != NULL && !wants_rules(c->type))
        return sc_error(s, SC_E0523, c->at,
                        "a condition over rules is only supported for "
                        "temporal correlations");
    if (wants_values(c->type) && c->fields.count == 0)
        return sc_error(s, SC_E0523, c->at,
                        "a correlation of values needs a field");
    if (c->fields.count > 1 && c->type != SIGMA_CORR_VALUE_COUNT)
        return sc_error(s, SC_E0523, c->at,
                        "several fields are only supported for value_count");
    if (!wants_rules(c->type) && c->conds.count == 0)
        return sc_error(s, SC_E0523, c->at,
                        "a correlation of events needs a threshold");
    if (c->type == SIGMA_CORR_VALUE_PERCENTILE &&
        !(c->percentile >= 0 && c->percentile <= 100))
        return sc_error(s, SC_E0523, c->at,
                        "a percentile lies between 0 and 100");
    return true;
}

bool sc_build_corr(sc_build *b, const sc_rule *rule)
{
    const sc_correlation *c = rule->correlation;
    corr_build k = {.b = b, .rule = rule, .c = c};
    sc_ir *ir = b->ir;

    if (!check_shape(&k))
        return false;
    k.out.type = c->type;
    k.out.flags = rule->hidden ? SIGMA_CORR_HIDDEN : 0;
    k.out.timespan = c->timespan;
    k.out.timespan_text = c->timespan_text;
    k.out.percentile =
        c->type == SIGMA_CORR_VALUE_PERCENTILE ? c->percentile : 0;
    k.out.at = rule->at;
    if (!add_refs(&k))
        return false;
    k.out.meta = sc_build_meta(b, rule);
    add_keys(&k);
    add_conds(&k);
    k.out.expr_first = ir->exprs.count;
    if (c->expr != NULL && !add_expr(&k, c->expr))
        return false;
    k.out.expr_count = ir->exprs.count - k.out.expr_first;
    if (!add_report(&k))
        return false;
    SG_PUSH(ir->arena, &ir->corrs, k.out);
    return true;
}
