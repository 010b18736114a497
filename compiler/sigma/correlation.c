/*
 * correlation.c - correlation documents (semantics section 9).
 *
 * Checks what one document can tell: mandatory parts, kinds, and that a
 * boolean condition uses exactly the rules listed. References are linked, and
 * aliases checked against them, when all documents are known.
 */
#include "sigma/reader.h"

enum { COUNT, VALUE, RULES };

typedef struct corr_type {
    sg_str name;
    int operand;
} corr_type;

static const corr_type types[] = {
#define CORR(name, text, operand, doc) {SG_LIT(text), operand},
#include "sigma_correlations.def"
#undef CORR
};

typedef struct operator_name {
    sg_str name;
    sigma_cmp cmp;
} operator_name;

static const operator_name operators[] = {
    {SG_LIT("eq"), SIGMA_CMP_EQ}, {SG_LIT("neq"), SIGMA_CMP_NEQ},
    {SG_LIT("lt"), SIGMA_CMP_LT}, {SG_LIT("lte"), SIGMA_CMP_LTE},
    {SG_LIT("gt"), SIGMA_CMP_GT}, {SG_LIT("gte"), SIGMA_CMP_GTE},
};

enum { OPERATORS = sizeof(operators) / sizeof(*operators) };

const char *sc_corr_type_name(sigma_corr_type type)
{
    return types[type].name.ptr;
}

static bool is_temporal(const sc_correlation *c)
{
    return types[c->type].operand == RULES;
}

static bool takes_field(const sc_correlation *c)
{
    return types[c->type].operand == VALUE;
}

/* -------- type, timespan, generate --------------------------------------- */

static bool read_type(sc_reader *r, const sc_y *map, sc_correlation *c)
{
    const sc_y *y = sc_y_get(map, "type");
    sg_str names[SIGMA_CORR_COUNT];
    size_t index;

    if (y == NULL)
        return sc_missing(r, map, "type", "the correlation");
    for (size_t i = 0; i < SIGMA_CORR_COUNT; i++)
        names[i] = types[i].name;
    if (y->kind != SC_Y_STR)
        return sc_error(r->s, SC_E0520, y->span,
                        "type must be a string, this is %s", sc_y_kind_name(y));
    if (sc_one_of(y->text, names, SIGMA_CORR_COUNT, &index)) {
        c->type = (sigma_corr_type)index;
        return true;
    }
    sc_error(r->s, SC_E0520, y->span, "unknown correlation type '%.*s'",
             SG_FMT(sc_show(r->s, y->text)));
    sc_hint_nearest(r->s, y->text, names, SIGMA_CORR_COUNT);
    return false;
}

static bool read_timespan(sc_reader *r, const sc_y *map, sc_correlation *c)
{
    const sc_y *y = sc_y_get(map, "timespan");

    if (y == NULL)
        return sc_missing(r, map, "timespan", "the correlation");
    if (y->kind == SC_Y_STR &&
        sg_duration_parse(y->text, false, &c->timespan)) {
        c->timespan_text = y->text;
        return true;
    }
    sc_error(r->s, SC_E0522, y->span, "'%.*s' is not a timespan",
             SG_FMT(sc_show(r->s, sc_y_is_scalar(y) ? y->text : SG_S(""))));
    if (y->kind == SC_Y_NUM)
        sc_hint(r->s, "add a unit, as in %.*ss",
                SG_FMT(sc_show(r->s, y->text)));
    return false;
}

static bool read_flag(sc_reader *r, const sc_y *map, bool *out)
{
    const sc_y *y = sc_y_get(map, "generate");

    if (y == NULL)
        return true;
    if (y->kind != SC_Y_BOOL) {
        sc_error(r->s, SC_E0502, y->span,
                 "generate must be true or false, this is %s",
                 sc_y_kind_name(y));
        return false;
    }
    *out = y->boolean;
    return true;
}

/* -------- rules, group-by ------------------------------------------------ */

static bool has_ref(const sc_correlation *c, sg_str text)
{
    for (uint32_t i = 0; i < c->refs.count; i++)
        if (sg_str_eq(c->refs.items[i].text, text))
            return true;
    return false;
}

static void push_ref(sc_reader *r, sc_correlation *c, sg_str text, sc_span at)
{
    const sc_corr_rule_ref ref = {.text = text, .at = at};

    SG_PUSH(&r->s->arena, &c->refs, ref);
}

/* A list may be left out where a boolean condition names the rules. */
static bool read_refs(sc_reader *r, const sc_y *map, sc_correlation *c)
{
    const sc_y *y = sc_y_get(map, "rules");
    const sc_y *condition = sc_y_get(map, "condition");
    sc_texts texts = {0};

    if (y == NULL && is_temporal(c) && condition != NULL &&
        condition->kind == SC_Y_STR)
        return true;
    if (y == NULL)
        return sc_missing(r, map, "rules", "the correlation");
    if (!sc_read_texts(r, y, "rules", SC_E0502, &texts))
        return false;
    if (texts.list.count == 0)
        return sc_error(r->s, SC_E0501, y->span,
                        "the correlation refers to no rule");
    if (texts.list.count > SC_MAX_REFS)
        return sc_error(r->s, SC_E0506, y->span,
                        "a correlation may refer to %d rules at most",
                        SC_MAX_REFS);
    for (uint32_t i = 0; i < texts.list.count; i++) {
        const sc_text *t = &texts.list.items[i];

        if (has_ref(c, t->text) && c->type != SIGMA_CORR_TEMPORAL_ORDERED)
            sc_warn(r->s, SC_W0503, t->at, "'%.*s' is listed twice",
                    SG_FMT(sc_show(r->s, t->text)));
        push_ref(r, c, t->text, t->at);
    }
    return true;
}

static bool has_text(const sg_str *list, uint32_t count, sg_str text)
{
    return sc_one_of(text, list, count, NULL);
}

static bool read_group_by(sc_reader *r, const sc_y *map, sc_correlation *c)
{
    const sc_y *y = sc_y_get(map, "group-by");
    sc_texts texts = {0};

    if (y == NULL)
        return true;
    if (!sc_read_texts(r, y, "group-by", SC_E0502, &texts))
        return false;
    if (texts.list.count > SC_MAX_REFS)
        return sc_error(r->s, SC_E0506, y->span,
                        "a correlation may group by %d fields at most",
                        SC_MAX_REFS);
    for (uint32_t i = 0; i < texts.list.count; i++) {
        const sc_text *t = &texts.list.items[i];

        if (has_text(c->group_by.items, c->group_by.count, t->text)) {
            sc_warn(r->s, SC_W0505, t->at, "'%.*s' is listed twice",
                    SG_FMT(sc_show(r->s, t->text)));
            continue;
        }
        SG_PUSH(&r->s->arena, &c->group_by, t->text);
    }
    return true;
}

/* -------- aliases -------------------------------------------------------- */

static bool read_alias_entry(sc_reader *r, const sc_y_pair *pair,
                             sc_corr_alias *alias)
{
    if (!sc_is_text(pair->key) || pair->value->kind != SC_Y_STR ||
        pair->value->text.len == 0) {
        sc_error(r->s, SC_E0528, pair->key->span,
                 "an alias maps rules to field names");
        sc_hint(r->s, "write RULE: FIELD");
        return false;
    }
    SG_PUSH(&r->s->arena, &alias->rules, pair->key->text);
    SG_PUSH(&r->s->arena, &alias->fields, pair->value->text);
    SG_PUSH(&r->s->arena, &alias->spans, pair->key->span);
    return true;
}

static bool read_alias(sc_reader *r, const sc_y_pair *pair, sc_correlation *c)
{
    sc_corr_alias alias = {.alias = pair->key->text, .at = pair->key->span};

    if (pair->key->kind != SC_Y_STR || pair->value->kind != SC_Y_MAP ||
        pair->value->count == 0)
        return sc_error(r->s, SC_E0528, pair->key->span,
                        "an alias is a name with a map of RULE: FIELD");
    for (uint32_t i = 0; i < pair->value->count; i++)
        if (!read_alias_entry(r, &pair->value->pairs[i], &alias))
            return false;
    if (!has_text(c->group_by.items, c->group_by.count, alias.alias))
        sc_warn(r->s, SC_W0504, alias.at,
                "the alias '%.*s' is not used in group-by",
                SG_FMT(sc_show(r->s, alias.alias)));
    SG_PUSH(&r->s->arena, &c->aliases, alias);
    return true;
}

static bool read_aliases(sc_reader *r, const sc_y *map, sc_correlation *c)
{
    const sc_y *y = sc_y_get(map, "aliases");

    if (y == NULL || y->kind == SC_Y_NULL)
        return true;
    if (y->kind != SC_Y_MAP)
        return sc_error(r->s, SC_E0528, y->span,
                        "aliases must be a map, this is %s", sc_y_kind_name(y));
    if (y->count > SC_MAX_REFS)
        return sc_error(r->s, SC_E0506, y->span,
                        "a correlation may have %d aliases at most",
                        SC_MAX_REFS);
    for (uint32_t i = 0; i < y->count; i++)
        if (!read_alias(r, &y->pairs[i], c))
            return false;
    return true;
}

/* -------- boolean conditions --------------------------------------------- */

/* Every name must be a listed rule; without a list they make it. */
static bool take_names(sc_reader *r, sc_correlation *c, const sc_cond *cond,
                       bool listed)
{
    if (cond->kind == SC_COND_ID && !has_ref(c, cond->name)) {
        if (listed) {
            sc_error(r->s, SC_E0527, cond->at,
                     "the condition uses '%.*s', which 'rules' does not list",
                     SG_FMT(sc_show(r->s, cond->name)));
            return false;
        }
        if (c->refs.count == SC_MAX_REFS)
            return sc_error(r->s, SC_E0506, cond->at,
                            "a correlation may refer to %d rules at most",
                            SC_MAX_REFS);
        push_ref(r, c, cond->name, cond->at);
    }
    for (uint32_t i = 0; i < cond->kids.count; i++)
        if (!take_names(r, c, cond->kids.items[i], listed))
            return false;
    return true;
}

static bool uses_name(const sc_cond *cond, sg_str name)
{
    if (cond->kind == SC_COND_ID)
        return sg_str_eq(cond->name, name);
    for (uint32_t i = 0; i < cond->kids.count; i++)
        if (uses_name(cond->kids.items[i], name))
            return true;
    return false;
}

static bool read_boolean(sc_reader *r, const sc_y *y, sc_correlation *c)
{
    const bool listed = c->refs.count > 0;

    if (!is_temporal(c)) {
        sc_error(r->s, SC_E0523, y->span,
                 "only temporal correlations take a boolean condition");
        sc_hint(r->s, "write a map such as {gte: 5}");
        return false;
    }
    c->expr = sc_parse_condition(r->s, y, y->text, true);
    if (c->expr == NULL || !take_names(r, c, c->expr, listed))
        return false;
    for (uint32_t i = 0; i < c->refs.count; i++)
        if (!uses_name(c->expr, c->refs.items[i].text)) {
            sc_error(r->s, SC_E0527, c->refs.items[i].at,
                     "'%.*s' is listed, but the condition does not use it",
                     SG_FMT(sc_show(r->s, c->refs.items[i].text)));
            return false;
        }
    return true;
}

/* -------- conditions with operators -------------------------------------- */

static bool read_fields(sc_reader *r, const sc_y *y, sc_correlation *c)
{
    sc_texts texts = {0};

    if (!takes_field(c)) {
        sc_error(r->s, SC_E0525, y->span,
                 "%.*s does not look at a field's values",
                 SG_FMT(types[c->type].name));
        sc_hint(r->s, "to count distinct values use type value_count");
        return false;
    }
    if (!sc_read_texts(r, y, "field", SC_E0525, &texts))
        return false;
    if (texts.list.count > 1 && c->type != SIGMA_CORR_VALUE_COUNT)
        return sc_error(r->s, SC_E0525, y->span,
                        "%.*s takes one field, several only make sense for "
                        "value_count",
                        SG_FMT(types[c->type].name));
    if (texts.list.count > SC_MAX_REFS)
        return sc_error(r->s, SC_E0506, y->span,
                        "a correlation may look at %d fields at most",
                        SC_MAX_REFS);
    for (uint32_t i = 0; i < texts.list.count; i++)
        SG_PUSH(&r->s->arena, &c->fields, texts.list.items[i].text);
    return true;
}

static bool read_percentile(sc_reader *r, const sc_y *y, sc_correlation *c)
{
    if (c->type != SIGMA_CORR_VALUE_PERCENTILE)
        return sc_error(r->s, SC_E0526, y->span,
                        "percentile is only for value_percentile");
    c->percentile = y->kind == SC_Y_NUM ? sg_num_double(y->num) : -1;
    if (c->percentile >= 0 && c->percentile <= 100)
        return true;
    return sc_error(r->s, SC_E0526, y->span,
                    "percentile must be a number from 0 to 100");
}

static bool read_threshold(sc_reader *r, const sc_y_pair *pair, sigma_cmp cmp,
                           sc_correlation *c)
{
    const sigma_corr_cond cond = {cmp, pair->value->num};
    sg_num num;

    if (pair->value->kind == SC_Y_NUM) {
        SG_PUSH(&r->s->arena, &c->conds, cond);
        return true;
    }
    sc_error(r->s, SC_E0524, pair->value->span,
             "the threshold of '%.*s' must be a number, this is %s",
             SG_FMT(pair->key->text), sc_y_kind_name(pair->value));
    if (sc_y_is_scalar(pair->value) && sg_num_parse(pair->value->text, &num))
        sc_hint(r->s, "write it without quotes");
    return false;
}

static bool read_criterion(sc_reader *r, const sc_y_pair *pair,
                           sc_correlation *c)
{
    sg_str known[OPERATORS + 2] = {[OPERATORS] = SG_LIT("field"),
                                   [OPERATORS + 1] = SG_LIT("percentile")};
    size_t index;

    for (size_t i = 0; i < OPERATORS; i++)
        known[i] = operators[i].name;
    if (pair->key->kind != SC_Y_STR ||
        !sc_one_of(pair->key->text, known, OPERATORS + 2, &index))
        return sc_unknown_key(r->s, pair->key, "the condition", known,
                              OPERATORS + 2);
    if (index == OPERATORS)
        return read_fields(r, pair->value, c);
    if (index == OPERATORS + 1)
        return read_percentile(r, pair->value, c);
    return read_threshold(r, pair, operators[index].cmp, c);
}

/* What must be there once all criteria were read. */
static bool check_criteria(sc_reader *r, const sc_y *y, sc_correlation *c)
{
    if (c->conds.count == 0) {
        sc_error(r->s, SC_E0523, y->span, "the condition compares nothing");
        sc_hint(r->s, "add an operator, as in gte: 5");
        return false;
    }
    if (takes_field(c) && c->fields.count == 0)
        return sc_error(r->s, SC_E0525, y->span, "%.*s needs a 'field'",
                        SG_FMT(types[c->type].name));
    if (c->type == SIGMA_CORR_VALUE_PERCENTILE &&
        sc_y_get(y, "percentile") == NULL)
        return sc_error(r->s, SC_E0526, y->span,
                        "value_percentile needs a 'percentile'");
    return true;
}

static bool read_condition(sc_reader *r, const sc_y *map, sc_correlation *c)
{
    const sc_y *y = sc_y_get(map, "condition");

    if (y == NULL || y->kind == SC_Y_NULL) {
        if (is_temporal(c)) /* all rules */
            return true;
        return y == NULL ? sc_missing(r, map, "condition", "the correlation")
                         : sc_error(r->s, SC_E0523, y->span,
                                    "the condition has no value");
    }
    if (y->kind == SC_Y_STR)
        return read_boolean(r, y, c);
    if (y->kind != SC_Y_MAP)
        return sc_error(r->s, SC_E0523, y->span,
                        "the condition of a correlation must be a map, this "
                        "is %s",
                        sc_y_kind_name(y));
    for (uint32_t i = 0; i < y->count; i++)
        if (!read_criterion(r, &y->pairs[i], c))
            return false;
    return check_criteria(r, y, c);
}

/* -------- the document --------------------------------------------------- */

static bool check_keys(sc_reader *r, const sc_y *map)
{
    static const sg_str known[] = {
        SG_LIT("type"),     SG_LIT("rules"),     SG_LIT("group-by"),
        SG_LIT("timespan"), SG_LIT("condition"), SG_LIT("aliases"),
        SG_LIT("generate"),
    };
    enum { KNOWN = sizeof(known) / sizeof(*known) };

    for (uint32_t i = 0; i < map->count; i++) {
        const sc_y *key = map->pairs[i].key;

        if (!sc_y_is_scalar(key) || !sc_one_of(key->text, known, KNOWN, NULL))
            return sc_unknown_key(r->s, key, "the correlation", known, KNOWN);
    }
    return true;
}

static bool read_parts(sc_reader *r, const sc_y *root, const sc_y *map,
                       sc_correlation *c)
{
    if (map->kind != SC_Y_MAP)
        return sc_error(r->s, SC_E0502, map->span,
                        "correlation must be a map, this is %s",
                        sc_y_kind_name(map));
    return check_keys(r, map) && read_type(r, map, c) && read_refs(r, map, c) &&
           read_group_by(r, map, c) && read_timespan(r, map, c) &&
           read_aliases(r, map, c) && read_condition(r, map, c) &&
           read_flag(r, root, &c->generate) && read_flag(r, map, &c->generate);
}

sc_rule *sc_read_correlation(sc_reader *r, const sc_y *root)
{
    const sc_y *map = sc_y_get(root, "correlation");
    sc_rule *rule = sg_new(&r->s->arena, sc_rule);

    rule->doc = r->s->doc;
    rule->at = root->span;
    rule->yaml = root;
    rule->spaces = 1;
    rule->report.limit = SIGMA_NONE;
    rule->correlation = sg_new(&r->s->arena, sc_correlation);
    rule->correlation->at = map->span;
    if (!sc_read_title(r, root, "the correlation", &rule->title) ||
        !sc_read_label(r, root, "id", &rule->id) ||
        !sc_read_label(r, root, "name", &rule->name))
        return NULL;
    sc_read_metadata(r, root, rule);
    if (!read_parts(r, root, map, rule->correlation) ||
        !sc_read_extension(r, root, rule))
        return NULL;
    return rule;
}
