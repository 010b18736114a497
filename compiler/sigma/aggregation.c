/*
 * aggregation.c - the aggregations of Sigma 1, which private packs are full
 * of, lowered to correlations (semantics section 9, "Legacy aggregation").
 *
 *   condition := detection '|' ( near | count )
 *   count     := ('count'|'sum'|'avg'|'min'|'max') '(' [field] ')'
 *                ['by' field (',' field)*] operator number
 *   near      := 'near' expr over search identifiers
 *
 * `timeframe` gives the window and must be there. count() becomes event_count,
 * count(F) value_count, sum and avg their namesakes, min and max the 0th and
 * 100th percentile; near becomes a temporal correlation of the detection and
 * of one hidden rule for each identifier that it names.
 */
#include "sigma/reader.h"

#include <string.h>

typedef struct lexer {
    sg_str text; /* behind the pipe */
    size_t pos;
} lexer;

typedef struct function {
    sg_str name;
    sigma_corr_type type; /* with a field */
    double percentile;
} function;

static const function functions[] = {
    {SG_LIT("count"), SIGMA_CORR_VALUE_COUNT, 0},
    {SG_LIT("sum"), SIGMA_CORR_VALUE_SUM, 0},
    {SG_LIT("avg"), SIGMA_CORR_VALUE_AVG, 0},
    {SG_LIT("min"), SIGMA_CORR_VALUE_PERCENTILE, 0},
    {SG_LIT("max"), SIGMA_CORR_VALUE_PERCENTILE, 100},
};

typedef struct comparison {
    sg_str sign;
    sigma_cmp cmp;
} comparison;

static const comparison comparisons[] = {
    {SG_LIT(">="), SIGMA_CMP_GTE}, {SG_LIT("<="), SIGMA_CMP_LTE},
    {SG_LIT("!="), SIGMA_CMP_NEQ}, {SG_LIT("=="), SIGMA_CMP_EQ},
    {SG_LIT(">"), SIGMA_CMP_GT},   {SG_LIT("<"), SIGMA_CMP_LT},
    {SG_LIT("="), SIGMA_CMP_EQ},
};

enum {
    FUNCTIONS = sizeof(functions) / sizeof(*functions),
    COMPARISONS = sizeof(comparisons) / sizeof(*comparisons)
};

/* What the correlation calls the rule of the part before the pipe: no search
 * identifier can have this name. */
static const sg_str base_name = SG_LIT("condition");

/* -------- words ---------------------------------------------------------- */

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static bool is_sign(char c)
{
    return c != '\0' && strchr("()<>=!,|", c) != NULL;
}

static void skip_blanks(lexer *x)
{
    while (x->pos < x->text.len && is_blank(x->text.ptr[x->pos]))
        x->pos++;
}

/* Up to a blank or one of the signs of this grammar; may be empty. */
static sg_str take_word(lexer *x)
{
    size_t beg;

    skip_blanks(x);
    beg = x->pos;
    while (x->pos < x->text.len && !is_blank(x->text.ptr[x->pos]) &&
           !is_sign(x->text.ptr[x->pos]))
        x->pos++;
    return sg_str_sub(x->text, beg, x->pos);
}

static bool take(lexer *x, sg_str sign)
{
    skip_blanks(x);
    if (!sg_str_starts(sg_str_sub(x->text, x->pos, x->text.len), sign))
        return false;
    x->pos += sign.len;
    return true;
}

/* -------- the part behind the pipe --------------------------------------- */

static bool refuse(sc_reader *r, const sc_y *y, size_t pipe, const char *why)
{
    sc_error(r->s, SC_E0304, sc_y_subspan(y, pipe, y->text.len),
             "the aggregation after '|' cannot be read: %s", why);
    sc_hint(r->s, "write a correlation: count() is type event_count, "
                  "count(F) value_count, sum(F) value_sum, near temporal");
    return false;
}

static bool read_group_by(sc_reader *r, lexer *x, sc_correlation *c)
{
    const size_t back = x->pos;

    if (!sg_str_eq(take_word(x), SG_S("by"))) {
        x->pos = back;
        return true;
    }
    do {
        const sg_str field = take_word(x);

        if (field.len == 0 || c->group_by.count >= SC_MAX_REFS)
            return false;
        SG_PUSH(&r->s->arena, &c->group_by, field);
    } while (take(x, SG_S(",")));
    return true;
}

static bool read_comparison(sc_reader *r, lexer *x, sc_correlation *c)
{
    sigma_corr_cond cond;

    for (size_t i = 0; i < COMPARISONS; i++) {
        if (!take(x, comparisons[i].sign))
            continue;
        cond.cmp = comparisons[i].cmp;
        if (!sg_num_parse(take_word(x), &cond.threshold))
            return false;
        SG_PUSH(&r->s->arena, &c->conds, cond);
        skip_blanks(x);
        return x->pos == x->text.len;
    }
    return false;
}

static bool read_count(sc_reader *r, lexer *x, sg_str name, sc_correlation *c)
{
    size_t i = 0;
    sg_str field;

    while (i < FUNCTIONS && !sg_str_eq(functions[i].name, name))
        i++;
    if (i == FUNCTIONS || !take(x, SG_S("(")))
        return false;
    field = take_word(x);
    if (!take(x, SG_S(")")))
        return false;
    c->type = functions[i].type;
    c->percentile = functions[i].percentile;
    if (field.len > 0)
        SG_PUSH(&r->s->arena, &c->fields, field);
    else if (i == 0)
        c->type = SIGMA_CORR_EVENT_COUNT;
    else
        return false;
    return read_group_by(r, x, c) && read_comparison(r, x, c);
}

/* -------- rules of its parts --------------------------------------------- */

static sc_cond *name_cond(sc_reader *r, sg_str name, sc_span at)
{
    sc_cond *cond = sg_new(&r->s->arena, sc_cond);

    cond->kind = SC_COND_ID;
    cond->name = name;
    cond->at = at;
    return cond;
}

/* A hidden rule that feeds the correlation under a name of its own. */
static void add_part(sc_reader *r, sc_correlation *c, sc_rule *part,
                     sg_str name, sc_ast *ast)
{
    const sc_corr_rule_ref ref = {.text = name, .at = part->at, .rule = part};

    part->id = part->name = SG_S("");
    SG_PUSH(&r->s->arena, &c->refs, ref);
    SG_PUSH(&r->s->arena, &ast->rules, part);
}

static bool has_part(const sc_correlation *c, sg_str name)
{
    for (uint32_t i = 0; i < c->refs.count; i++)
        if (sg_str_eq(c->refs.items[i].text, name))
            return true;
    return false;
}

/* One rule for each identifier of the expression, each read afresh, since
 * pipelines change what a rule holds. False for a selector. */
static bool add_named(sc_reader *r, const sc_y *root, const sc_cond *cond,
                      sc_correlation *c, sc_ast *ast)
{
    sc_aggregation ignored = {0};
    sc_rule *part;

    if (cond->kind == SC_COND_OF)
        return false;
    if (cond->kind == SC_COND_ID && !has_part(c, cond->name)) {
        part = sc_read_rule(r, root, &ignored);
        if (part == NULL || c->refs.count >= SC_MAX_REFS)
            return false;
        part->conditions.items[0] = name_cond(r, cond->name, cond->at);
        part->conditions.count = 1;
        add_part(r, c, part, cond->name, ast);
    }
    for (uint32_t i = 0; i < cond->kids.count; i++)
        if (!add_named(r, root, cond->kids.items[i], c, ast))
            return false;
    return true;
}

static bool read_near(sc_reader *r, const sc_y *root, const sc_aggregation *agg,
                      sg_str text, sc_correlation *c, sc_ast *ast)
{
    sc_cond *both = sg_new(&r->s->arena, sc_cond);
    sc_cond *expr = sc_read_condition_text(r, agg->condition, text, &agg->names,
                                           agg->selections);

    if (expr == NULL)
        return false;
    if (!add_named(r, root, expr, c, ast))
        return refuse(r, agg->condition, agg->pipe,
                      "near takes search identifiers, not selectors");
    c->type = SIGMA_CORR_TEMPORAL;
    both->kind = SC_COND_AND;
    both->at = expr->at;
    SG_PUSH(&r->s->arena, &both->kids, name_cond(r, base_name, expr->at));
    SG_PUSH(&r->s->arena, &both->kids, expr);
    c->expr = both;
    return true;
}

/* -------- the correlation ------------------------------------------------- */

static bool read_timeframe(sc_reader *r, const sc_aggregation *agg,
                           sc_correlation *c)
{
    const sc_y *y = agg->timeframe;

    if (y != NULL && sc_y_is_scalar(y) &&
        sg_duration_parse(y->text, false, &c->timespan)) {
        c->timespan_text = y->text;
        return true;
    }
    if (y != NULL)
        return sc_error(r->s, SC_E0522, y->span,
                        "the timeframe is no number and unit, as in 5m");
    sc_error(r->s, SC_E0304,
             sc_y_subspan(agg->condition, agg->pipe, agg->condition->text.len),
             "an aggregation after '|' needs a timeframe");
    sc_hint(r->s, "add 'timeframe: 5m' to the detection, or write a "
                  "correlation");
    return false;
}

/* The rule that the document stands for: its metadata, and the correlation. */
static sc_rule *outer_rule(sc_reader *r, const sc_rule *base)
{
    sc_rule *rule = sg_new(&r->s->arena, sc_rule);

    *rule = (sc_rule){
        .doc = base->doc,
        .at = base->at,
        .yaml = base->yaml,
        .title = base->title,
        .id = base->id,
        .name = base->name,
        .status = base->status,
        .level = base->level,
        .description = base->description,
        .author = base->author,
        .license = base->license,
        .date = base->date,
        .taxonomy = base->taxonomy,
        .spaces = 1,
        .report.limit = SIGMA_NONE,
        .correlation = sg_new(&r->s->arena, sc_correlation),
    };
    for (uint32_t i = 0; i < base->tags.count; i++)
        SG_PUSH(&r->s->arena, &rule->tags, base->tags.items[i]);
    rule->correlation->at = base->at;
    return rule;
}

bool sc_lower_aggregation(sc_reader *r, const sc_y *root, sc_rule *base,
                          const sc_aggregation *agg, sc_ast *ast)
{
    sc_rule *rule = outer_rule(r, base);
    sc_correlation *c = rule->correlation;
    const sc_y *y = agg->condition;
    lexer x = {sg_str_sub(y->text, agg->pipe + 1, y->text.len), 0};
    sg_str word;

    if (!read_timeframe(r, agg, c))
        return false;
    add_part(r, c, base, base_name, ast);
    word = take_word(&x);
    if (sg_str_eq(word, SG_S("near"))) {
        if (!read_near(r, root, agg, sg_str_sub(x.text, x.pos, x.text.len), c,
                       ast))
            return false;
    } else if (!read_count(r, &x, word, c)) {
        return refuse(r, y, agg->pipe,
                      "expected count, sum, avg, min or max of a field, 'by' "
                      "fields, an operator and a number");
    }
    sc_warn(r->s, SC_W0304, sc_y_subspan(y, agg->pipe, y->text.len),
            "aggregations in conditions are deprecated; read as a "
            "correlation of type %s",
            sc_corr_type_name(c->type));
    SG_PUSH(&r->s->arena, &ast->rules, rule);
    return true;
}
