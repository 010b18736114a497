/*
 * extension.c - the `sigcc:` block: derived fields of a rule (or of all rules
 * that a correlation refers to), the report of a correlation. Unlike foreign
 * custom attributes it is ours, so whatever is not known in it is refused by
 * name.
 */
#include "sigma/reader.h"

/* -------- derive --------------------------------------------------------- */

/* What the branches of a rule's derived fields may name. */
typedef struct derive_context {
    sc_reader *r;
    sc_rule *rule;
    sg_map names; /* of the rule's selections */
} derive_context;

static bool refuse_selection(derive_context *c, const sc_y *key)
{
    enum { MOST = 1000 };
    const sc_rule *rule = c->rule;
    const uint32_t count =
        rule->selections.count < MOST ? rule->selections.count : MOST;
    sg_str *names = sg_new_n(&c->r->s->arena, sg_str, count + 1);

    for (uint32_t i = 0; i < count; i++)
        names[i] = rule->selections.items[i].name;
    sc_error(c->r->s, SC_E0530, key->span,
             "'%.*s' is not a selection of this rule",
             SG_FMT(sc_show(c->r->s, key->text)));
    if (!sc_hint_nearest(c->r->s, key->text, names, count))
        sc_hint(c->r->s, "name a selection, or 'default'");
    return false;
}

static bool read_branch(derive_context *c, const sc_y_pair *pair,
                        sc_derive_branch *out)
{
    const bool text = sc_is_text(pair->key);
    const bool last = text && sg_str_eq(pair->key->text, SG_S("default"));

    /* A correlation's branches name selections of the rules it refers to,
     * which linking looks up. */
    if (!last && (!text || (c->rule->correlation == NULL &&
                            sg_map_get(&c->names, pair->key->text) == NULL)))
        return refuse_selection(c, pair->key);
    if (!sc_y_is_scalar(pair->value) || pair->value->kind == SC_Y_NULL)
        return sc_error(c->r->s, SC_E0530, pair->value->span,
                        "a derived value must be text, this is %s",
                        sc_y_kind_name(pair->value));
    *out = (sc_derive_branch){.selection = last ? SG_S("") : pair->key->text,
                              .value = pair->value->text,
                              .at = pair->key->span};
    return true;
}

/* Branches in written order, the default behind them. */
static bool read_branches(derive_context *c, const sc_y *map, sc_derive *derive)
{
    sc_derive_branch last = {0};
    bool has_last = false;

    for (uint32_t i = 0; i < map->count; i++) {
        sc_derive_branch branch = {0};

        if (!read_branch(c, &map->pairs[i], &branch))
            return false;
        if (branch.selection.len == 0) {
            last = branch;
            has_last = true;
        } else {
            SG_PUSH(&c->r->s->arena, &derive->branches, branch);
        }
    }
    if (has_last)
        SG_PUSH(&c->r->s->arena, &derive->branches, last);
    return true;
}

static bool read_field(derive_context *c, const sc_y_pair *pair)
{
    sc_derive derive = {.field = pair->key->text, .at = pair->key->span};

    if (pair->key->kind != SC_Y_STR || pair->key->text.len == 0)
        return sc_error(c->r->s, SC_E0530, pair->key->span,
                        "a derived field needs a name");
    if (pair->value->kind != SC_Y_MAP || pair->value->count == 0)
        return sc_error(c->r->s, SC_E0530, pair->value->span,
                        "a derived field is a map of SELECTION: VALUE");
    if (!read_branches(c, pair->value, &derive))
        return false;
    SG_PUSH(&c->r->s->arena, &c->rule->derives, derive);
    return true;
}

static bool read_derive(sc_reader *r, const sc_y *y, sc_rule *rule)
{
    derive_context c = {.r = r, .rule = rule};

    if (y->kind != SC_Y_MAP || y->count == 0)
        return sc_error(r->s, SC_E0530, y->span,
                        "derive must be a map of FIELD: {SELECTION: VALUE}");
    c.names =
        sc_selection_names(r, rule->selections.items, rule->selections.count);
    for (uint32_t i = 0; i < y->count; i++)
        if (!read_field(&c, &y->pairs[i]))
            return false;
    return true;
}

/* -------- report --------------------------------------------------------- */

static const sg_str column_kinds[] = {
    [SIGMA_COLUMN_COUNT] = SG_LIT("count"),
    [SIGMA_COLUMN_VALUE] = SG_LIT("value"),
    [SIGMA_COLUMN_FIRST_SEEN] = SG_LIT("first_seen"),
    [SIGMA_COLUMN_LAST_SEEN] = SG_LIT("last_seen"),
};

enum { COLUMN_KINDS = sizeof(column_kinds) / sizeof(*column_kinds) };

static bool is_key_name(const sc_rule *rule, sg_str name)
{
    return sc_one_of(name, rule->correlation->group_by.items,
                     rule->correlation->group_by.count, NULL);
}

static bool is_column_name(const sc_report *report, sg_str name)
{
    for (uint32_t i = 0; i < report->columns.count; i++)
        if (sg_str_eq(report->columns.items[i].name, name))
            return true;
    return false;
}

static bool read_column(sc_reader *r, const sc_y_pair *pair, sc_rule *rule)
{
    const sg_str name = pair->value->text;
    size_t kind;

    if (pair->key->kind != SC_Y_STR ||
        !sc_one_of(pair->key->text, column_kinds, COLUMN_KINDS, &kind))
        return sc_unknown_key(r->s, pair->key, "columns", column_kinds,
                              COLUMN_KINDS);
    if (pair->value->kind != SC_Y_STR || name.len == 0)
        return sc_error(r->s, SC_E0530, pair->value->span,
                        "a column's name must be a string");
    if (is_column_name(&rule->report, name) || is_key_name(rule, name))
        return sc_error(r->s, SC_E0530, pair->value->span,
                        "the report has two columns named '%.*s'",
                        SG_FMT(sc_show(r->s, name)));
    SG_PUSH(&r->s->arena, &rule->report.columns,
            ((sc_report_column){(sigma_column_kind)kind, name}));
    return true;
}

static bool read_columns(sc_reader *r, const sc_y *y, sc_rule *rule)
{
    if (y == NULL)
        return true;
    if (y->kind != SC_Y_MAP)
        return sc_error(r->s, SC_E0530, y->span,
                        "columns must be a map of KIND: NAME, this is %s",
                        sc_y_kind_name(y));
    for (uint32_t i = 0; i < y->count; i++)
        if (!read_column(r, &y->pairs[i], rule))
            return false;
    return true;
}

static bool read_sort(sc_reader *r, const sc_y *y, sc_rule *rule)
{
    sc_report *report = &rule->report;

    if (y == NULL)
        return true;
    if (y->kind != SC_Y_STR || y->text.len == 0)
        return sc_error(r->s, SC_E0530, y->span,
                        "sort must name a column, this is %s",
                        sc_y_kind_name(y));
    report->descending = y->text.ptr[0] == '-';
    report->sort = sg_str_sub(y->text, report->descending, y->text.len);
    report->sort_at = y->span;
    if (is_column_name(report, report->sort) || is_key_name(rule, report->sort))
        return true;
    sc_error(r->s, SC_E0530, y->span, "the report has no column '%.*s'",
             SG_FMT(sc_show(r->s, report->sort)));
    sc_hint(r->s, "sort by a name in 'columns' or in group-by");
    return false;
}

static bool read_limit(sc_reader *r, const sc_y *y, sc_rule *rule)
{
    if (y == NULL)
        return true;
    if (y->kind != SC_Y_NUM || y->num.kind != SIGMA_INT || y->num.v.i < 1 ||
        y->num.v.i >= SIGMA_NONE)
        return sc_error(r->s, SC_E0530, y->span,
                        "limit must be a positive whole number");
    rule->report.limit = (uint32_t)y->num.v.i;
    return true;
}

static bool check_keys(sc_reader *r, const sc_y *map, const char *where,
                       const sg_str *known, size_t count)
{
    for (uint32_t i = 0; i < map->count; i++) {
        const sc_y *key = map->pairs[i].key;

        if (!sc_y_is_scalar(key) || !sc_one_of(key->text, known, count, NULL))
            return sc_unknown_key(r->s, key, where, known, count);
    }
    return true;
}

static bool read_report(sc_reader *r, const sc_y *y, sc_rule *rule)
{
    static const sg_str known[] = {
        SG_LIT("columns"),
        SG_LIT("sort"),
        SG_LIT("limit"),
    };

    if (y->kind != SC_Y_MAP)
        return sc_error(r->s, SC_E0530, y->span,
                        "report must be a map, this is %s", sc_y_kind_name(y));
    rule->report.present = true;
    rule->report.at = y->span;
    return check_keys(r, y, "report", known, 3) &&
           read_columns(r, sc_y_get(y, "columns"), rule) &&
           read_sort(r, sc_y_get(y, "sort"), rule) &&
           read_limit(r, sc_y_get(y, "limit"), rule);
}

/* -------- the block ------------------------------------------------------ */

static bool misplaced(sc_reader *r, const sc_y *y, const char *key,
                      const char *where)
{
    sc_error(r->s, SC_E0530, y->span, "%s belongs to %s", key, where);
    return false;
}

bool sc_read_extension(sc_reader *r, const sc_y *root, sc_rule *rule)
{
    static const sg_str known[] = {SG_LIT("derive"), SG_LIT("report")};
    const sc_y *y = sc_y_get(root, "sigcc"), *derive, *report;

    if (y == NULL)
        return true;
    if (y->kind != SC_Y_MAP)
        return sc_error(r->s, SC_E0530, y->span,
                        "sigcc must be a map, this is %s", sc_y_kind_name(y));
    if (!check_keys(r, y, "sigcc", known, 2))
        return false;
    derive = sc_y_get(y, "derive");
    report = sc_y_get(y, "report");
    if (report != NULL && rule->correlation == NULL)
        return misplaced(r, report, "report", "correlations, not to rules");
    if (derive != NULL && !read_derive(r, derive, rule))
        return false;
    return report == NULL || read_report(r, report, rule);
}
