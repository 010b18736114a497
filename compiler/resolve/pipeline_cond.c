/*
 * pipeline_cond.c - conditions of pipeline steps: reading the three groups
 * (rule, detection item, field name) and evaluating them. The list of
 * conditions is pconditions.def; semantics section 11 says what each means.
 */
#include "resolve/pipeline.h"

#include <string.h>

/* -------- conditions on rules --------------------------------------------- */

static bool check_logsource(sc_session *s, const sc_y *y)
{
    if (sc_param_str(y, "category").len + sc_param_str(y, "product").len +
            sc_param_str(y, "service").len !=
        0)
        return true;
    return sc_error(s, SC_E0405, y->span,
                    "a logsource condition needs category, product or "
                    "service");
}

static bool rule_within(const sc_rule *rule, const void *arg)
{
    const sc_logsource *outer = arg;
    return rule->correlation == NULL &&
           sc_logsource_contains(outer, &rule->logsource);
}

/* A correlation counts as all that it refers to. */
static bool logsource_within(sc_run *run, const sc_y *y, const sc_subject *sub)
{
    const sc_logsource outer = {sc_param_str(y, "category"),
                                sc_param_str(y, "product"),
                                sc_param_str(y, "service")};
    (void)sub;
    return sc_run_any(run, run->rule, rule_within, &outer);
}

struct wanted_item {
    sg_str field;
    const sc_value *value; /* NULL: any */
};

static bool det_has(const sc_det *det, const struct wanted_item *want)
{
    if (det->kind != SC_DET_ITEM) {
        for (uint32_t i = 0; i < det->kids.count; i++) {
            if (det_has(det->kids.items[i], want))
                return true;
        }
        return false;
    }
    const sc_item *item = det->item;
    if (!item->has_field || !sg_str_eq(item->field, want->field))
        return false;
    if (want->value == NULL)
        return true;
    for (uint32_t i = 0; i < item->values.count; i++) {
        if (sc_value_same(&item->values.items[i], want->value))
            return true;
    }
    return false;
}

static bool rule_has(const sc_rule *rule, const struct wanted_item *want)
{
    for (uint32_t i = 0; i < rule->selections.count; i++) {
        const sc_det *det = rule->selections.items[i].det;
        if (det != NULL && det_has(det, want))
            return true;
    }
    return false;
}

static bool has_field(sc_run *run, const sc_y *y, const sc_subject *sub)
{
    (void)sub;
    return rule_has(run->rule,
                    &(struct wanted_item){sc_param_str(y, "field"), NULL});
}

static bool has_item(sc_run *run, const sc_y *y, const sc_subject *sub)
{
    const sc_value value = sc_value_of(run->s, sc_y_get(y, "value"));
    (void)sub;
    return rule_has(run->rule,
                    &(struct wanted_item){sc_param_str(y, "field"), &value});
}

static bool is_plain_rule(sc_run *run, const sc_y *y, const sc_subject *sub)
{
    (void)y;
    (void)sub;
    return run->rule->correlation == NULL;
}

static bool is_correlation(sc_run *run, const sc_y *y, const sc_subject *sub)
{
    (void)y;
    (void)sub;
    return run->rule->correlation != NULL;
}

static bool has_tag(sc_run *run, const sc_y *y, const sc_subject *sub)
{
    const sg_str tag = sc_param_str(y, "tag");

    (void)sub;
    for (uint32_t i = 0; i < run->rule->tags.count; i++) {
        if (sg_str_eq(run->rule->tags.items[i], tag))
            return true;
    }
    return false;
}

/* -------- comparisons: states and attributes ------------------------------ */

/* Whether an ordering (<0, 0, >0) satisfies eq ne lt lte gt gte. */
static bool op_holds(sg_str op, int order)
{
    if (op.len == 0 || sg_str_eq(op, SG_S("eq")))
        return order == 0;
    if (sg_str_eq(op, SG_S("ne")))
        return order != 0;
    if (sg_str_eq(op, SG_S("lt")))
        return order < 0;
    if (sg_str_eq(op, SG_S("lte")))
        return order <= 0;
    if (sg_str_eq(op, SG_S("gt")))
        return order > 0;
    return order >= 0;
}

static bool state_is(sc_run *run, const sc_y *y, const sc_subject *sub)
{
    const sg_str key = sc_param_str(y, "key"), op = sc_param_str(y, "op");
    const sc_y *want = sc_y_get(y, "val"), *have = NULL;

    (void)sub;
    for (uint32_t i = 0; i < run->state.count; i++) {
        if (sg_str_eq(run->state.items[i].key, key))
            have = run->state.items[i].value;
    }
    if (have == NULL)
        return false;
    if (have->kind != want->kind)
        return sg_str_eq(op, SG_S("ne"));
    if (have->kind == SC_Y_NUM)
        return op_holds(op, sg_num_cmp(have->num, want->num));
    if (have->kind == SC_Y_BOOL)
        return op_holds(op, (int)have->boolean - (int)want->boolean);
    return op_holds(op, sg_str_cmp(have->text, want->text));
}

/* Position of a word in a table, or -1: how levels and statuses are ordered. */
static int rank_of(sg_str word, const char *const *table, int count)
{
    for (int i = 0; i < count; i++) {
        if (sg_str_eq_nocase(word, sg_str_of(table[i])))
            return i;
    }
    return -1;
}

static bool rank_is(sg_str op, sg_str have, sg_str want, bool level)
{
    static const char *const levels[] = {"informational", "low", "medium",
                                         "high", "critical"};
    static const char *const states[] = {"unsupported", "deprecated",
                                         "experimental", "test", "stable"};
    const char *const *table = level ? levels : states;
    const int a = rank_of(have, table, 5), b = rank_of(want, table, 5);

    if (a < 0 || b < 0)
        return sg_str_eq(op, SG_S("ne"));
    return op_holds(op, a - b);
}

/* A text attribute of the rule; false when it is none of them. */
static bool text_attribute(const sc_rule *rule, sg_str name, sg_str *out)
{
    const struct {
        sg_str name, value;
    } table[] = {
        {SG_LIT("title"), rule->title},
        {SG_LIT("id"), rule->id},
        {SG_LIT("name"), rule->name},
        {SG_LIT("description"), rule->description},
        {SG_LIT("author"), rule->author},
        {SG_LIT("date"), rule->date},
        {SG_LIT("taxonomy"), rule->taxonomy},
    };
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        if (sg_str_eq(table[i].name, name)) {
            *out = table[i].value;
            return true;
        }
    }
    for (uint32_t i = 0; i < rule->attributes.count; i++) {
        if (sg_str_eq(rule->attributes.items[i].name, name)) {
            *out = rule->attributes.items[i].value;
            return true;
        }
    }
    return false;
}

static bool list_is(sg_str op, const sg_str *items, uint32_t count, sg_str want)
{
    bool found = false;

    for (uint32_t i = 0; i < count; i++)
        found = found || sg_str_eq(items[i], want);
    if (sg_str_eq(op, SG_S("in")))
        return found;
    if (sg_str_eq(op, SG_S("not_in")))
        return !found;
    return sg_str_eq(op, SG_S("ne")); /* a list equals no single value */
}

static bool is_membership(sg_str op)
{
    return sg_str_eq(op, SG_S("in")) || sg_str_eq(op, SG_S("not_in"));
}

/* An attribute of the document that the reader does not know. */
static bool custom_is(const sc_y *have, const sc_y *want, sg_str op)
{
    if (have->kind == SC_Y_SEQ) {
        bool found = false;
        for (uint32_t i = 0; i < have->count; i++)
            found = found || (sc_y_is_scalar(have->items[i]) &&
                              sg_str_eq(have->items[i]->text, want->text));
        return list_is(op, &want->text, found ? 1 : 0, want->text);
    }
    if (!sc_y_is_scalar(have) || is_membership(op))
        return false;
    if (have->kind == SC_Y_NUM && want->kind == SC_Y_NUM)
        return op_holds(op, sg_num_cmp(have->num, want->num));
    return op_holds(op, sg_str_cmp(have->text, want->text));
}

static bool attribute_is(sc_run *run, const sc_y *y, const sc_subject *sub)
{
    const sc_rule *rule = run->rule;
    const sg_str name = sc_param_str(y, "attribute");
    const sg_str op = sc_param_str(y, "op");
    const sc_y *want = sc_y_get(y, "value");
    sg_str have;

    (void)sub;
    if (sg_str_eq(name, SG_S("tags")))
        return list_is(op, rule->tags.items, rule->tags.count, want->text);
    if (sg_str_eq(name, SG_S("fields")))
        return list_is(op, rule->fields.items, rule->fields.count, want->text);
    if (sg_str_eq(name, SG_S("level")))
        return rank_is(op, rule->level, want->text, true);
    if (sg_str_eq(name, SG_S("status")))
        return rank_is(op, rule->status, want->text, false);
    if (text_attribute(rule, name, &have))
        return !is_membership(op) && op_holds(op, sg_str_cmp(have, want->text));
    const sc_y *custom = sc_y_find(rule->yaml, name);
    return custom != NULL && custom_is(custom, want, op);
}

/* -------- conditions on items --------------------------------------------- */

/* any or all of the item's values satisfy a test. */
static bool values_are(const sc_y *y, const sc_subject *sub,
                       bool (*test)(const sc_value *, void *), void *arg)
{
    const bool all = sg_str_eq(sc_param_str(y, "cond"), SG_S("all"));

    if (sub->item == NULL)
        return false;
    for (uint32_t i = 0; i < sub->item->values.count; i++) {
        if (test(&sub->item->values.items[i], arg) != all)
            return !all;
    }
    return all;
}

static bool value_is_wild(const sc_value *v, void *arg)
{
    (void)arg;
    return v->kind == SC_V_STRING && sc_pattern_has_wildcard(&v->pattern);
}

static bool value_is_null(const sc_value *v, void *arg)
{
    (void)arg;
    return v->kind == SC_V_NULL;
}

static bool value_is_same(const sc_value *v, void *arg)
{
    return sc_value_same(v, arg);
}

static bool is_wild(sc_run *run, const sc_y *y, const sc_subject *sub)
{
    (void)run;
    return values_are(y, sub, value_is_wild, NULL);
}

static bool is_null(sc_run *run, const sc_y *y, const sc_subject *sub)
{
    (void)run;
    return values_are(y, sub, value_is_null, NULL);
}

static bool value_equals(sc_run *run, const sc_y *y, const sc_subject *sub)
{
    sc_value want = sc_value_of(run->s, sc_y_get(y, "value"));
    return values_are(y, sub, value_is_same, &want);
}

static bool check_pattern(sc_session *s, const sc_y *y)
{
    const sc_y *pattern = sc_y_get(y, "pattern");
    return pattern == NULL || sc_param_regex(s, pattern);
}

/* A match at the very start, as patterns of pipelines are read. */
static bool regex_at_start(const sr_regex *regex, sg_str text)
{
    size_t ovector[2 * SR_REGEX_GROUPS];
    unsigned groups;

    return sr_regex_exec(regex, text, 0, ovector, &groups) && ovector[0] == 0;
}

struct string_test {
    sc_run *run;
    const sr_regex *regex;
    bool negate;
};

static bool value_matches(const sc_value *v, void *arg)
{
    const struct string_test *t = arg;
    bool found = false;

    if (v->kind == SC_V_STRING) {
        sg_str text = sc_plain(&t->run->s->arena, &v->pattern);
        found = regex_at_start(t->regex, text);
    }
    return found != t->negate;
}

static bool string_matches(sc_run *run, const sc_y *y, const sc_subject *sub)
{
    struct string_test t = {run, sc_run_regex(run, sc_param_str(y, "pattern")),
                            sc_param_true(y, "negate")};
    return values_are(y, sub, value_matches, &t);
}

/* -------- conditions on field names --------------------------------------- */

static bool check_field_list(sc_session *s, const sc_y *y)
{
    const sc_y *fields = sc_y_get(y, "fields");
    bool ok = true;

    if (fields == NULL || !sg_str_eq(sc_param_str(y, "mode"), SG_S("re")))
        return true;
    if (fields->kind != SC_Y_SEQ)
        return sc_param_regex(s, fields);
    for (uint32_t i = 0; i < fields->count; i++)
        ok = sc_param_regex(s, fields->items[i]) && ok;
    return ok;
}

static bool field_listed(sc_run *run, const sc_y *y, const sc_subject *sub)
{
    const sc_y *fields = sc_y_get(y, "fields");

    if (!sub->has_field)
        return false;
    if (!sg_str_eq(sc_param_str(y, "mode"), SG_S("re")))
        return sc_param_holds(fields, sub->field);
    for (uint32_t i = 0; i < sc_param_count(fields); i++) {
        const sr_regex *re = sc_run_regex(run, sc_param_at(fields, i));
        if (regex_at_start(re, sub->field))
            return true;
    }
    return false;
}

static bool field_not_listed(sc_run *run, const sc_y *y, const sc_subject *sub)
{
    return !field_listed(run, y, sub);
}

/* -------- steps applied before -------------------------------------------- */

bool sc_applied_has(const sc_applied *applied, sg_str id)
{
    for (uint32_t i = 0; i < applied->ids.count; i++) {
        if (sg_str_eq(applied->ids.items[i], id))
            return true;
    }
    return false;
}

/* On a rule, an item (NULL subject and item decide), or a bare field name. */
static bool step_applied(sc_run *run, const sc_y *y, const sc_subject *sub)
{
    const sg_str id = sc_param_str(y, "processing_item_id");

    if (sub == NULL)
        return sc_applied_has(&run->rule->applied, id);
    if (sub->item != NULL)
        return sc_applied_has(&sub->item->applied, id);
    for (uint32_t i = 0; i < run->tracked.count; i++) {
        const sc_tracked *t = &run->tracked.items[i];
        if (!sub->has_field || !sg_str_eq(t->field, sub->field))
            continue;
        for (uint32_t k = 0; k < t->ids.count; k++) {
            if (sg_str_eq(t->ids.items[k], id))
                return true;
        }
    }
    return false;
}

/* -------- the table and groups of conditions ------------------------------ */

static const sc_pcond_info infos[] = {
#define PCOND(name, scope, params, check, holds)                               \
    {SG_LIT(#name), scope, "type:str! " params, check, holds},
#include "resolve/pconditions.def"
#undef PCOND
};

enum { INFO_COUNT = sizeof(infos) / sizeof(infos[0]) };

static const sc_pcond_info *find_info(sc_session *s, const sc_y *type,
                                      uint32_t scope)
{
    sg_str names[INFO_COUNT];
    size_t n = 0;

    for (size_t i = 0; i < INFO_COUNT; i++) {
        if ((infos[i].scope & scope) == 0)
            continue;
        if (sg_str_eq(infos[i].name, type->text))
            return &infos[i];
        names[n++] = infos[i].name;
    }
    sc_error(s, SC_E0404, type->span, "unknown %s condition '%.*s'",
             scope == SC_ON_RULE   ? "rule"
             : scope == SC_ON_ITEM ? "detection item"
                                   : "field name",
             SG_FMT(type->text));
    sg_str near = sc_nearest(type->text, names, n);
    if (near.len != 0)
        sc_hint(s, "did you mean '%.*s'?", SG_FMT(near));
    return NULL;
}

static bool read_one(sc_session *s, const sc_y *y, uint32_t scope, sg_str name,
                     sc_pconds *out)
{
    if (y->kind != SC_Y_MAP)
        return sc_error(s, SC_E0401, y->span, "a condition must be a map");
    const sc_y *type = sc_y_get(y, "type");
    if (type == NULL || type->kind != SC_Y_STR)
        return sc_error(s, SC_E0405, y->span, "a condition needs a type");
    const sc_pcond_info *info = find_info(s, type, scope);
    if (info == NULL || !sc_params_check(s, y, "condition", &info->params, 1))
        return false;
    if (info->check != NULL && !info->check(s, y))
        return false;
    SG_PUSH(&s->arena, &out->list, ((sc_pcond){info, name, y}));
    return true;
}

static bool read_list(sc_session *s, const sc_y *y, uint32_t scope,
                      sc_pconds *out)
{
    bool ok = true;

    if (y->kind != SC_Y_SEQ && y->kind != SC_Y_MAP)
        return sc_error(s, SC_E0401, y->span,
                        "conditions must be a list or a map");
    for (uint32_t i = 0; i < y->count; i++) {
        if (y->kind == SC_Y_SEQ)
            ok = read_one(s, y->items[i], scope, (sg_str)SG_LIT(""), out) && ok;
        else
            ok = read_one(s, y->pairs[i].value, scope, y->pairs[i].key->text,
                          out) &&
                 ok;
    }
    return ok;
}

/* Mark the conditions that the expression names; unknown names are errors. */
static bool resolve_names(sc_session *s, const sc_cond *expr,
                          const sc_pconds *conds, bool *used)
{
    bool ok = true;

    if (expr->kind != SC_COND_ID) {
        for (uint32_t i = 0; i < expr->kids.count; i++)
            ok = resolve_names(s, expr->kids.items[i], conds, used) && ok;
        return ok;
    }
    for (uint32_t i = 0; i < conds->list.count; i++) {
        if (sg_str_eq(conds->list.items[i].name, expr->name)) {
            used[i] = true;
            return true;
        }
    }
    return sc_error(s, SC_E0407, expr->at, "no condition is named '%.*s'",
                    SG_FMT(expr->name));
}

static bool read_expr(sc_session *s, const sc_y *y, const sc_y *defs,
                      sc_pconds *out)
{
    if (defs == NULL || defs->kind != SC_Y_MAP)
        return sc_error(s, SC_E0407, y->span,
                        "an expression needs its conditions as a map of "
                        "names");
    out->expr = sc_parse_condition(s, y, y->text, true);
    if (out->expr == NULL)
        return false;
    bool *used = sg_new_n(&s->arena, bool, out->list.count + 1);
    bool ok = resolve_names(s, out->expr, out, used);
    for (uint32_t i = 0; i < out->list.count; i++) {
        if (!used[i])
            ok = sc_error(s, SC_E0407, y->span,
                          "condition '%.*s' is not used in the expression",
                          SG_FMT(out->list.items[i].name));
    }
    return ok;
}

bool sc_pconds_read(sc_session *s, const sc_y *step, uint32_t scope,
                    sc_pconds *out)
{
    static const char *const keys[][4] = {
        {"rule_conditions", "rule_cond_op", "rule_cond_expr", "rule_cond_not"},
        {"detection_item_conditions", "detection_item_cond_op",
         "detection_item_cond_expr", "detection_item_cond_not"},
        {"field_name_conditions", "field_name_cond_op", "field_name_cond_expr",
         "field_name_cond_not"},
    };
    const char *const *k = keys[scope / 2];
    const sc_y *defs = sc_y_get(step, k[0]), *op = sc_y_get(step, k[1]);
    const sc_y *expr = sc_y_get(step, k[2]);

    memset(out, 0, sizeof(*out));
    out->any = op != NULL && sg_str_eq(op->text, SG_S("or"));
    out->negated = sc_param_true(step, k[3]);
    if (op != NULL && expr != NULL)
        return sc_error(s, SC_E0407, expr->span, "%s and %s exclude each other",
                        k[1], k[2]);
    if (defs != NULL && !read_list(s, defs, scope, out))
        return false;
    return expr == NULL || read_expr(s, expr, defs, out);
}

/* Field conditions on an item look at its field and at fields it refers to. */
static bool one_holds(sc_run *run, const sc_pcond *cond, const sc_subject *sub)
{
    const sc_pcond_info *info = cond->info;

    if (info->holds(run, cond->y, sub))
        return true;
    if (sub == NULL || sub->item == NULL || info->scope != SC_ON_FIELD)
        return false;
    for (uint32_t i = 0; i < sub->item->values.count; i++) {
        const sc_value *v = &sub->item->values.items[i];
        const sc_subject ref = {NULL, true, v->text};
        if (v->kind == SC_V_FIELDREF && info->holds(run, cond->y, &ref))
            return true;
    }
    return false;
}

static bool expr_holds(sc_run *run, const sc_pconds *conds, const sc_cond *expr,
                       const sc_subject *sub)
{
    if (expr->kind == SC_COND_ID) {
        for (uint32_t i = 0; i < conds->list.count; i++) {
            if (sg_str_eq(conds->list.items[i].name, expr->name))
                return one_holds(run, &conds->list.items[i], sub);
        }
        return false;
    }
    if (expr->kind == SC_COND_NOT)
        return !expr_holds(run, conds, expr->kids.items[0], sub);
    const bool want = expr->kind == SC_COND_OR;
    for (uint32_t i = 0; i < expr->kids.count; i++) {
        if (expr_holds(run, conds, expr->kids.items[i], sub) == want)
            return want;
    }
    return !want;
}

static bool list_holds(sc_run *run, const sc_pconds *conds,
                       const sc_subject *sub)
{
    for (uint32_t i = 0; i < conds->list.count; i++) {
        if (one_holds(run, &conds->list.items[i], sub) == conds->any)
            return conds->any;
    }
    return !conds->any;
}

bool sc_pconds_hold(sc_run *run, const sc_pconds *conds, const sc_subject *sub)
{
    if (conds->list.count == 0)
        return true;
    const bool holds = conds->expr != NULL
                           ? expr_holds(run, conds, conds->expr, sub)
                           : list_holds(run, conds, sub);
    return holds != conds->negated;
}

bool sc_step_takes_item(sc_run *run, const sc_step *step, const sc_item *item)
{
    const sc_subject sub = {item, item->has_field, item->field};
    return sc_pconds_hold(run, &step->on_item, &sub) &&
           sc_pconds_hold(run, &step->on_field, &sub);
}

bool sc_step_takes_field(sc_run *run, const sc_step *step, bool has_field_name,
                         sg_str field)
{
    const sc_subject sub = {NULL, has_field_name, field};
    return sc_pconds_hold(run, &step->on_field, &sub);
}
