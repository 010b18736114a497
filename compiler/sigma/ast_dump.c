/*
 * ast_dump.c - the AST as stable text, one construct a line, indented by
 * nesting: the golden format of --dump=ast and --dump=rules. No spans and no
 * pointers; texts are JSON strings. What has its default value is not shown.
 */
#include "sigma/ast.h"

#include <inttypes.h>

typedef struct dumper {
    sg_buf *out;
    sg_arena tmp;
    unsigned depth;
} dumper;

static void begin_line(dumper *d)
{
    for (unsigned i = 0; i < d->depth; i++)
        sg_buf_putz(d->out, "  ");
}

static void end_line(dumper *d)
{
    sg_buf_putc(d->out, '\n');
}

static void put_json(dumper *d, sg_str text)
{
    sg_buf_putc(d->out, ' ');
    sg_buf_put_json(d->out, text);
}

static void put_num(dumper *d, sg_num num)
{
    char text[SG_NUM_TEXT];
    const size_t len = sg_num_text(num, text);

    sg_buf_putc(d->out, ' ');
    sg_buf_put(d->out, (sg_str){text, len});
}

/* A line `name "text"`, unless the text is empty. */
static void put_text(dumper *d, const char *name, sg_str text)
{
    if (text.len == 0)
        return;
    begin_line(d);
    sg_buf_putz(d->out, name);
    put_json(d, text);
    end_line(d);
}

static void put_texts(dumper *d, const char *name, const sg_str *items,
                      uint32_t count)
{
    if (count == 0)
        return;
    begin_line(d);
    sg_buf_putz(d->out, name);
    for (uint32_t i = 0; i < count; i++)
        put_json(d, items[i]);
    end_line(d);
}

static const char *cmp_name(sigma_cmp cmp)
{
    switch (cmp) {
    case SIGMA_CMP_EQ:
        return "eq";
    case SIGMA_CMP_NEQ:
        return "neq";
    case SIGMA_CMP_LT:
        return "lt";
    case SIGMA_CMP_LTE:
        return "lte";
    case SIGMA_CMP_GT:
        return "gt";
    case SIGMA_CMP_GTE:
        return "gte";
    }
    return "";
}

/* -------- values --------------------------------------------------------- */

/* A regex is not a Sigma string: its text has no escapes of ours. */
static void put_regex(dumper *d, const sc_value *v)
{
    static const struct {
        uint8_t flag;
        char name;
    } flags[] = {{SIGMA_F_RE_I, 'i'}, {SIGMA_F_RE_M, 'm'}, {SIGMA_F_RE_S, 's'}};

    sg_buf_putz(d->out, "regex");
    if (v->pattern.toks.count == 0)
        put_json(d, SG_S(""));
    for (uint32_t i = 0; i < v->pattern.toks.count; i++) {
        const sc_tok *tok = &v->pattern.toks.items[i];

        if (tok->kind == SC_TOK_PLACEHOLDER)
            sg_buf_putz(d->out, " placeholder");
        put_json(d, tok->text);
    }
    if (v->re_flags != 0)
        sg_buf_putz(d->out, " flags ");
    for (size_t i = 0; i < sizeof(flags) / sizeof(*flags); i++)
        if ((v->re_flags & flags[i].flag) != 0)
            sg_buf_putc(d->out, flags[i].name);
}

static void put_fieldref(dumper *d, const sc_value *v)
{
    static const char *const kinds[] = {
        [SC_REF_EQ] = "fieldref",
        [SC_REF_STARTS] = "fieldref-starts",
        [SC_REF_ENDS] = "fieldref-ends",
        [SC_REF_CONTAINS] = "fieldref-contains",
    };

    sg_buf_putz(d->out, kinds[v->ref_kind]);
    put_json(d, v->text);
    if (v->cased)
        sg_buf_putz(d->out, " cased");
}

static void put_time_part(dumper *d, const sc_value *v)
{
    static const char *const parts[] = {
        [SIGMA_MINUTE] = "minute", [SIGMA_HOUR] = "hour",
        [SIGMA_DAY] = "day",       [SIGMA_WEEK] = "week",
        [SIGMA_MONTH] = "month",   [SIGMA_YEAR] = "year",
    };

    sg_buf_printf(d->out, "%s %s", parts[v->part], cmp_name(v->cmp));
    put_num(d, v->num);
}

static void put_string(dumper *d, const sc_value *v)
{
    sg_buf_putz(d->out, "string");
    put_json(d, sc_pattern_print(&d->tmp, &v->pattern));
    if (sc_pattern_has_placeholder(&v->pattern))
        sg_buf_putz(d->out, " placeholders");
    if (v->cased)
        sg_buf_putz(d->out, " cased");
}

static void put_value(dumper *d, const sc_value *v)
{
    switch (v->kind) {
    case SC_V_NULL:
        sg_buf_putz(d->out, "null");
        break;
    case SC_V_BOOL:
        sg_buf_putz(d->out, v->boolean ? "true" : "false");
        break;
    case SC_V_NUM:
        sg_buf_putz(d->out, "number");
        put_num(d, v->num);
        break;
    case SC_V_STRING:
        put_string(d, v);
        break;
    case SC_V_REGEX:
        put_regex(d, v);
        break;
    case SC_V_CIDR:
        sg_buf_printf(d->out, "cidr %.*s", SG_FMT(v->text));
        break;
    case SC_V_COMPARE:
        sg_buf_putz(d->out, cmp_name(v->cmp));
        put_num(d, v->num);
        break;
    case SC_V_FIELDREF:
        put_fieldref(d, v);
        break;
    case SC_V_EXISTS:
        sg_buf_putz(d->out, v->boolean ? "exists" : "exists not");
        break;
    case SC_V_TIMEPART:
        put_time_part(d, v);
        break;
    case SC_V_EXPANSION:
        sg_buf_putz(d->out, "any");
        break;
    }
}

static void dump_value(dumper *d, const sc_value *v)
{
    begin_line(d);
    put_value(d, v);
    end_line(d);
    d->depth++;
    for (uint32_t i = 0; i < v->kids.count; i++)
        dump_value(d, &v->kids.items[i]);
    d->depth--;
}

/* -------- detections ----------------------------------------------------- */

static void dump_item(dumper *d, const sc_item *item)
{
    begin_line(d);
    if (item->has_field) {
        sg_buf_putz(d->out, "field");
        put_json(d, item->field);
    } else {
        sg_buf_putz(d->out, "keywords");
    }
    if (item->all)
        sg_buf_putz(d->out, " all");
    if (item->negated)
        sg_buf_putz(d->out, " not");
    end_line(d);
    d->depth++;
    for (uint32_t i = 0; i < item->values.count; i++)
        dump_value(d, &item->values.items[i]);
    d->depth--;
}

static void dump_det(dumper *d, const sc_det *det)
{
    if (det->kind == SC_DET_ITEM) {
        dump_item(d, det->item);
        return;
    }
    begin_line(d);
    sg_buf_putz(d->out, det->kind == SC_DET_AND ? "and" : "or");
    end_line(d);
    d->depth++;
    for (uint32_t i = 0; i < det->kids.count; i++)
        dump_det(d, det->kids.items[i]);
    d->depth--;
}

static void dump_selection(dumper *d, const sc_selection *sel)
{
    begin_line(d);
    sg_buf_putz(d->out, "selection");
    put_json(d, sel->name);
    if (sel->space != 0)
        sg_buf_printf(d->out, " space %" PRIu32, sel->space);
    if (sel->det == NULL)
        sg_buf_putz(d->out, " dropped");
    end_line(d);
    if (sel->det == NULL)
        return;
    d->depth++;
    dump_det(d, sel->det);
    d->depth--;
}

/* -------- conditions ----------------------------------------------------- */

static void put_cond(dumper *d, const sc_cond *cond);

static void put_joined(dumper *d, const sc_cond *cond, const char *word)
{
    sg_buf_putc(d->out, '(');
    for (uint32_t i = 0; i < cond->kids.count; i++) {
        if (i > 0)
            sg_buf_putz(d->out, word);
        put_cond(d, cond->kids.items[i]);
    }
    sg_buf_putc(d->out, ')');
}

static void put_space(dumper *d, const sc_cond *cond)
{
    if (cond->space != 0)
        sg_buf_printf(d->out, "@%" PRIu32, cond->space);
}

static void put_cond(dumper *d, const sc_cond *cond)
{
    switch (cond->kind) {
    case SC_COND_AND:
        put_joined(d, cond, " and ");
        break;
    case SC_COND_OR:
        put_joined(d, cond, " or ");
        break;
    case SC_COND_NOT:
        sg_buf_putz(d->out, "not ");
        for (uint32_t i = 0; i < cond->kids.count; i++)
            put_cond(d, cond->kids.items[i]);
        break;
    case SC_COND_ID:
        sg_buf_put_json(d->out, cond->name);
        put_space(d, cond);
        break;
    case SC_COND_OF:
        sg_buf_putz(d->out, cond->all ? "all of " : "1 of ");
        if (cond->them)
            sg_buf_putz(d->out, "them");
        else
            sg_buf_put_json(d->out, cond->name);
        put_space(d, cond);
        break;
    }
}

static void dump_cond(dumper *d, const sc_cond *cond)
{
    begin_line(d);
    sg_buf_putz(d->out, "condition ");
    put_cond(d, cond);
    end_line(d);
}

/* -------- documents ------------------------------------------------------ */

static void dump_logsource(dumper *d, const sc_logsource *source)
{
    put_text(d, "category", source->category);
    put_text(d, "product", source->product);
    put_text(d, "service", source->service);
}

static void dump_metadata(dumper *d, const sc_rule *rule)
{
    put_text(d, "id", rule->id);
    put_text(d, "name", rule->name);
    put_text(d, "status", rule->status);
    put_text(d, "level", rule->level);
    put_text(d, "taxonomy", rule->taxonomy);
    put_texts(d, "tags", rule->tags.items, rule->tags.count);
    put_texts(d, "fields", rule->fields.items, rule->fields.count);
    for (uint32_t i = 0; i < rule->attributes.count; i++) {
        begin_line(d);
        sg_buf_putz(d->out, "attribute");
        put_json(d, rule->attributes.items[i].name);
        put_json(d, rule->attributes.items[i].value);
        end_line(d);
    }
    dump_logsource(d, &rule->logsource);
}

static void dump_derive(dumper *d, const sc_derive *derive)
{
    put_text(d, "derive", derive->field);
    d->depth++;
    for (uint32_t i = 0; i < derive->branches.count; i++) {
        const sc_derive_branch *branch = &derive->branches.items[i];

        begin_line(d);
        if (branch->selection.len == 0)
            sg_buf_putz(d->out, "default");
        else
            sg_buf_put_json(d->out, branch->selection);
        put_json(d, branch->value);
        end_line(d);
    }
    d->depth--;
}

static void dump_report(dumper *d, const sc_report *report)
{
    static const char *const kinds[] = {
        [SIGMA_COLUMN_COUNT] = "count",
        [SIGMA_COLUMN_VALUE] = "value",
        [SIGMA_COLUMN_FIRST_SEEN] = "first_seen",
        [SIGMA_COLUMN_LAST_SEEN] = "last_seen",
    };

    begin_line(d);
    sg_buf_putz(d->out, "report");
    if (report->limit != SIGMA_NONE)
        sg_buf_printf(d->out, " limit %" PRIu32, report->limit);
    end_line(d);
    d->depth++;
    for (uint32_t i = 0; i < report->columns.count; i++)
        put_text(d, kinds[report->columns.items[i].kind],
                 report->columns.items[i].name);
    put_text(d, report->descending ? "sort-descending" : "sort", report->sort);
    d->depth--;
}

static void dump_alias(dumper *d, const sc_corr_alias *alias)
{
    put_text(d, "alias", alias->alias);
    d->depth++;
    for (uint32_t i = 0; i < alias->rules.count; i++) {
        begin_line(d);
        sg_buf_put_json(d->out, alias->rules.items[i]);
        put_json(d, alias->fields.items[i]);
        end_line(d);
    }
    d->depth--;
}

static void dump_criteria(dumper *d, const sc_correlation *c)
{
    for (uint32_t i = 0; i < c->conds.count; i++) {
        begin_line(d);
        sg_buf_printf(d->out, "condition %s", cmp_name(c->conds.items[i].cmp));
        put_num(d, c->conds.items[i].threshold);
        end_line(d);
    }
    if (c->type == SIGMA_CORR_VALUE_PERCENTILE) {
        begin_line(d);
        sg_buf_putz(d->out, "percentile");
        put_num(d, (sg_num){SIGMA_FLOAT, {.f = c->percentile}});
        end_line(d);
    }
    if (c->expr != NULL)
        dump_cond(d, c->expr);
}

static void dump_correlation(dumper *d, const sc_correlation *c)
{
    static const char *const types[] = {
#define CORR(name, text, operand, doc) [SIGMA_CORR_##name] = (text),
#include "sigma_correlations.def"
#undef CORR
    };

    begin_line(d);
    sg_buf_printf(d->out, "type %s timespan %.*s%s", types[c->type],
                  SG_FMT(c->timespan_text), c->generate ? " generate" : "");
    end_line(d);
    for (uint32_t i = 0; i < c->refs.count; i++)
        put_text(d, "rule", c->refs.items[i].text);
    put_texts(d, "group-by", c->group_by.items, c->group_by.count);
    put_texts(d, "of", c->fields.items, c->fields.count);
    dump_criteria(d, c);
    for (uint32_t i = 0; i < c->aliases.count; i++)
        dump_alias(d, &c->aliases.items[i]);
}

static void dump_rule(dumper *d, const sc_rule *rule)
{
    begin_line(d);
    sg_buf_putz(d->out, rule->correlation == NULL ? "rule" : "correlation");
    put_json(d, rule->title);
    if (rule->hidden)
        sg_buf_putz(d->out, " hidden");
    end_line(d);
    d->depth++;
    dump_metadata(d, rule);
    for (uint32_t i = 0; i < rule->selections.count; i++)
        dump_selection(d, &rule->selections.items[i]);
    for (uint32_t i = 0; i < rule->conditions.count; i++)
        dump_cond(d, rule->conditions.items[i]);
    if (rule->correlation != NULL)
        dump_correlation(d, rule->correlation);
    for (uint32_t i = 0; i < rule->derives.count; i++)
        dump_derive(d, &rule->derives.items[i]);
    if (rule->report.present)
        dump_report(d, &rule->report);
    d->depth--;
}

static void dump_filter(dumper *d, const sc_filter *filter)
{
    begin_line(d);
    sg_buf_putz(d->out, "filter");
    put_json(d, filter->title);
    end_line(d);
    d->depth++;
    put_text(d, "id", filter->id);
    put_text(d, "name", filter->name);
    dump_logsource(d, &filter->logsource);
    if (filter->any)
        put_text(d, "rules", SG_S("any"));
    for (uint32_t i = 0; i < filter->rules.count; i++)
        put_text(d, "rule", filter->rules.items[i]);
    for (uint32_t i = 0; i < filter->selections.count; i++)
        dump_selection(d, &filter->selections.items[i]);
    dump_cond(d, filter->condition);
    d->depth--;
}

void sc_ast_dump(sg_buf *out, const sc_ast *ast)
{
    dumper d = {.out = out};

    for (uint32_t i = 0; i < ast->rules.count; i++)
        dump_rule(&d, ast->rules.items[i]);
    for (uint32_t i = 0; i < ast->filters.count; i++)
        dump_filter(&d, ast->filters.items[i]);
    sg_arena_free(&d.tmp);
}
