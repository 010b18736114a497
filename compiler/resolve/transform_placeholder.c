/*
 * transform_placeholder.c - transformations of %placeholders%: values of
 * pipeline variables, wildcards, values of a file beside the pipeline.
 */
#include "resolve/pipeline.h"

#include <string.h>

/* -------- include and exclude --------------------------------------------- */

bool sc_check_placeholders(sc_session *s, sc_step *step)
{
    if (sc_y_get(step->y, "include") == NULL ||
        sc_y_get(step->y, "exclude") == NULL)
        return true;
    return sc_error(s, SC_E0405, step->at,
                    "include and exclude exclude each other");
}

static bool is_handled(const sc_step *step, sg_str name)
{
    const sc_y *include = sc_y_get(step->y, "include");
    const sc_y *exclude = sc_y_get(step->y, "exclude");

    if (include != NULL)
        return sc_param_holds(include, name);
    return exclude == NULL || !sc_param_holds(exclude, name);
}

/* -------- value_placeholders ---------------------------------------------- */

/* A variable: of the latest pipeline that defines it, else of the file of
 * --placeholders. */
static const sc_y *find_values(const sc_run *run, sg_str name)
{
    for (uint32_t i = run->pipes->list.count; i > 0; i--) {
        const sc_y *vars = run->pipes->list.items[i - 1]->vars;
        const sc_y *values = vars != NULL ? sc_y_find(vars, name) : NULL;
        if (values != NULL)
            return values;
    }
    return sc_placeholders_get(run->placeholders, name);
}

static bool from_vars(sc_run *run, const sc_step *step, sg_str name,
                      sc_patterns *out)
{
    if (!is_handled(step, name))
        return false;
    const sc_y *values = find_values(run, name);
    if (values == NULL) {
        sc_run_fail(run, step, SC_E0412, run->rule->at,
                    "no variable gives values to the placeholder '%%%.*s%%'",
                    SG_FMT(name));
        return false;
    }
    for (uint32_t i = 0; i < sc_param_count(values); i++) {
        sc_pattern p = {0};
        sc_pattern_parse(run->s, sc_param_at(values, i), false, &p);
        SG_PUSH(&run->s->arena, out, p);
    }
    return true;
}

static bool value_from_vars(sc_run *run, const sc_step *step,
                            const sc_item *item, const sc_value *v,
                            sc_values *out)
{
    (void)item;
    return sc_fill_value(run, step, v, from_vars, out);
}

bool sc_x_value_placeholders(sc_run *run, const sc_step *step)
{
    return sc_each_value(run, step, value_from_vars);
}

/* -------- wildcard_placeholders ------------------------------------------- */

static bool to_star(sc_run *run, const sc_step *step, sg_str name,
                    sc_patterns *out)
{
    sc_pattern star = {0};

    if (!is_handled(step, name))
        return false;
    sc_pattern_add(run->s, &star, (sc_tok){SC_TOK_STAR, {0}});
    SG_PUSH(&run->s->arena, out, star);
    return true;
}

/* The same in a regular expression, spelt without a star: a literal star of a
 * value is escaped when it gets there. */
static bool to_any_run(sc_run *run, const sc_step *step, sg_str name,
                       sc_patterns *out)
{
    const sc_pattern any = sc_pattern_text(run->s, SG_S(".{0,}"));

    if (!is_handled(step, name))
        return false;
    SG_PUSH(&run->s->arena, out, any);
    return true;
}

static bool value_to_star(sc_run *run, const sc_step *step, const sc_item *item,
                          const sc_value *v, sc_values *out)
{
    (void)item;
    return sc_fill_value(run, step, v,
                         v->kind == SC_V_REGEX ? to_any_run : to_star, out);
}

bool sc_x_wildcard_placeholders(sc_run *run, const sc_step *step)
{
    return sc_each_value(run, step, value_to_star);
}

/* -------- file_placeholders ----------------------------------------------- */

/* Whether a path stays below the folder it is relative to. */
static bool is_inside(sg_str path)
{
    size_t beg = 0;

    if (path.len == 0 || path.ptr[0] == '/' ||
        memchr(path.ptr, '\0', path.len) != NULL)
        return false;
    for (size_t i = 0; i <= path.len; i++) {
        if (i < path.len && path.ptr[i] != '/')
            continue;
        if (sg_str_eq(sg_str_sub(path, beg, i), SG_S("..")))
            return false;
        beg = i + 1;
    }
    return true;
}

static sg_str beside(sc_session *s, uint32_t source, sg_str path)
{
    const sg_str base = s->sources.items[source].path;
    size_t dir = base.len;

    while (dir > 0 && base.ptr[dir - 1] != '/')
        dir--;
    return sg_arena_printf(&s->arena, "%.*s%.*s", (int)dir, base.ptr,
                           SG_FMT(path));
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static sg_str trim(sg_str s)
{
    while (s.len != 0 && is_blank(s.ptr[s.len - 1]))
        s.len--;
    while (s.len != 0 && is_blank(s.ptr[0]))
        s = sg_str_sub(s, 1, s.len);
    return s;
}

static void read_lines(sc_session *s, sg_str text, sc_names *out)
{
    size_t beg = 0;

    for (size_t i = 0; i <= text.len; i++) {
        if (i < text.len && text.ptr[i] != '\n')
            continue;
        const sg_str line = trim(sg_str_sub(text, beg, i));
        if (line.len != 0)
            SG_PUSH(&s->arena, out, line);
        beg = i + 1;
    }
}

/* The cell at *pos; moves behind it and its comma. *end: last of its row. */
static sg_str read_cell(sc_session *s, sg_str text, size_t *pos, bool *end)
{
    sg_buf buf = {0};
    bool quoted = false;
    size_t i = *pos;

    for (; i < text.len; i++) {
        const char c = text.ptr[i];
        if (c == '"' && quoted && i + 1 < text.len && text.ptr[i + 1] == '"')
            sg_buf_putc(&buf, text.ptr[i++]);
        else if (c == '"')
            quoted = !quoted;
        else if (!quoted && (c == ',' || c == '\n'))
            break;
        else if (c != '\r' || quoted)
            sg_buf_putc(&buf, c);
    }
    *end = i >= text.len || text.ptr[i] == '\n';
    *pos = i < text.len ? i + 1 : i;
    sg_str cell = sg_arena_dup(&s->arena, sg_buf_str(&buf));
    sg_buf_free(&buf);
    return cell;
}

/* The number of the wanted column, or a negative one while a named column was
 * not found yet. */
static int64_t wanted_column(const sc_y *column)
{
    if (column->kind == SC_Y_NUM && column->num.kind == SIGMA_INT)
        return column->num.v.i;
    return -1;
}

static bool read_csv(sc_session *s, const sc_step *step, sg_str text,
                     sc_names *out)
{
    const sc_y *column = sc_y_get(step->y, "csv_column");
    const sc_y *has = sc_y_get(step->y, "csv_has_header");
    const bool header = has == NULL || has->boolean;

    if (column == NULL)
        return sc_error(s, SC_E0405, step->at,
                        "csv_column is missing: a name or a number");
    int64_t want = wanted_column(column);
    for (size_t pos = 0, row = 0; pos < text.len; row++) {
        bool end = false;
        for (int64_t col = 0; !end; col++) {
            const sg_str cell = read_cell(s, text, &pos, &end);
            if (row == 0 && header) {
                if (want < 0 && sg_str_eq(cell, column->text))
                    want = col;
            } else if (col == want) {
                SG_PUSH(&s->arena, out, cell);
            }
        }
    }
    return want >= 0 ||
           sc_error(s, SC_E0413, column->span, "the file has no column '%.*s'",
                    SG_FMT(column->text));
}

/* JSON is YAML: a list of texts and numbers. */
static bool read_list(sc_session *s, const sc_step *step, uint32_t source,
                      sc_names *out)
{
    const uint32_t errors = s->errors;
    uint32_t count = 0;
    const sc_y_doc *docs = sc_yaml_parse(s, source, &count);

    if (s->errors != errors)
        return false;
    const sc_y *root = count == 1 ? docs[0].root : NULL;
    if (root == NULL || root->kind != SC_Y_SEQ)
        return sc_error(s, SC_E0413, step->at,
                        "the file must be one list of texts");
    for (uint32_t i = 0; i < root->count; i++) {
        if (!sc_y_is_scalar(root->items[i]))
            return sc_error(s, SC_E0413, root->items[i]->span,
                            "a value must be text or a number");
        if (root->items[i]->kind != SC_Y_NULL)
            SG_PUSH(&s->arena, out, root->items[i]->text);
    }
    return true;
}

static bool keep_matching(sc_session *s, const sc_y *filter, sc_names *values)
{
    char reason[128] = "";
    size_t offset = 0, count = 0;
    sr_regex *re =
        sr_regex_compile(filter->text, 0, reason, sizeof(reason), &offset);

    if (re == NULL)
        return sc_error(s, SC_E0408, filter->span,
                        "invalid regular expression at offset %zu: %s", offset,
                        reason);
    for (uint32_t i = 0; i < values->count; i++) {
        if (sr_regex_match(re, values->items[i]) == SR_RE_YES)
            values->items[count++] = values->items[i];
    }
    values->count = (uint32_t)count;
    sr_regex_free(re);
    return true;
}

/* The file is read with the pipeline, once. */
bool sc_check_file(sc_session *s, sc_step *step)
{
    const sc_y *path = sc_y_get(step->y, "path");
    const sc_y *jq = sc_y_get(step->y, "jq_expression");
    const sc_y *filter = sc_y_get(step->y, "filter");
    const sg_str format = sc_param_str(step->y, "format");
    uint32_t source;

    if (!sc_check_placeholders(s, step))
        return false;
    if (jq != NULL)
        return sc_error(s, SC_E0406, jq->span,
                        "jq_expression is not supported: give the values as "
                        "one list");
    if (!is_inside(path->text))
        return sc_error(s, SC_E0413, path->span,
                        "'%.*s' lies outside the folder of the pipeline",
                        SG_FMT(path->text));
    if (!sc_source_open(s, beside(s, step->source, path->text), &source))
        return false;
    const sg_str text = s->sources.items[source].text;
    bool ok = true;
    if (format.len == 0 || sg_str_eq(format, SG_S("plaintext")))
        read_lines(s, text, &step->values);
    else if (sg_str_eq(format, SG_S("csv")))
        ok = read_csv(s, step, text, &step->values);
    else
        ok = read_list(s, step, source, &step->values);
    if (ok && filter != NULL)
        ok = keep_matching(s, filter, &step->values);
    if (ok && step->values.count == 0)
        return sc_error(s, SC_E0413, path->span, "'%.*s' holds no value",
                        SG_FMT(path->text));
    return ok;
}

static bool from_values(sc_run *run, const sc_step *step, sg_str name,
                        sc_patterns *out)
{
    if (!is_handled(step, name))
        return false;
    for (uint32_t i = 0; i < step->values.count; i++) {
        sc_pattern p = {0};
        sc_pattern_parse(run->s, step->values.items[i], false, &p);
        SG_PUSH(&run->s->arena, out, p);
    }
    return true;
}

static bool value_from_file(sc_run *run, const sc_step *step,
                            const sc_item *item, const sc_value *v,
                            sc_values *out)
{
    (void)item;
    return sc_fill_value(run, step, v, from_values, out);
}

bool sc_x_file_placeholders(sc_run *run, const sc_step *step)
{
    return sc_each_value(run, step, value_from_file);
}
