/*
 * transform_values.c - transformations of values: replacement by regular
 * expression, whole-value mapping, constants, types, letter case.
 */
#include "resolve/pipeline.h"

#include <string.h>

/* -------- replace_string -------------------------------------------------- */

bool sc_check_regex(sc_session *s, sc_step *step)
{
    const sc_y *regex = sc_y_get(step->y, "regex");
    return regex == NULL || sc_param_regex(s, regex);
}

/* What each byte of a text under replacement is. */
enum mark {
    MARK_TEXT,        /* itself */
    MARK_ESCAPE,      /* the backslash before a literal wildcard */
    MARK_WILDCARD,    /* * or ? as a wildcard */
    MARK_PLACEHOLDER, /* part of %name% */
    MARK_NEW          /* written by a replacement: still to be read */
};

/* Text with a mark for each byte, so that what no replacement touches comes
 * back as it was: the text alone cannot tell a backslash before a wildcard
 * from a literal wildcard. */
struct marked {
    sg_buf text, marks;
};

/* Marks are kept as bytes beside the text. */
static char mark_char(enum mark mark)
{
    return "tewpn"[mark];
}

static void put_marked(struct marked *m, sg_str text, enum mark mark)
{
    sg_buf_put(&m->text, text);
    for (size_t i = 0; i < text.len; i++)
        sg_buf_putc(&m->marks, mark_char(mark));
}

static void free_marked(struct marked *m)
{
    sg_buf_free(&m->text);
    sg_buf_free(&m->marks);
}

static void copy_marked(struct marked *to, const struct marked *from,
                        size_t beg, size_t end)
{
    sg_buf_put(&to->text, sg_str_sub(sg_buf_str(&from->text), beg, end));
    sg_buf_put(&to->marks, sg_str_sub(sg_buf_str(&from->marks), beg, end));
}

/* The text of sc_plain with its marks. */
static void mark_pattern(struct marked *m, const sc_pattern *p)
{
    for (uint32_t i = 0; i < p->toks.count; i++) {
        const sc_tok *tok = &p->toks.items[i];
        if (tok->kind == SC_TOK_STAR || tok->kind == SC_TOK_ANY) {
            put_marked(m, tok->kind == SC_TOK_STAR ? SG_S("*") : SG_S("?"),
                       MARK_WILDCARD);
            continue;
        }
        if (tok->kind == SC_TOK_PLACEHOLDER) {
            put_marked(m, SG_S("%"), MARK_PLACEHOLDER);
            put_marked(m, tok->text, MARK_PLACEHOLDER);
            put_marked(m, SG_S("%"), MARK_PLACEHOLDER);
            continue;
        }
        for (size_t k = 0; k < tok->text.len; k++) {
            const sg_str c = {tok->text.ptr + k, 1};
            if (c.ptr[0] == '*' || c.ptr[0] == '?')
                put_marked(m, SG_S("\\"), MARK_ESCAPE);
            put_marked(m, c, MARK_TEXT);
        }
    }
}

/* The inverse, with what replacements wrote read as plain text. */
static void unmark(sc_session *s, const struct marked *m, bool placeholders,
                   sc_pattern *out)
{
    const sg_str text = sg_arena_dup(&s->arena, sg_buf_str(&m->text));

    for (size_t beg = 0, end; beg < text.len; beg = end) {
        const char mark = m->marks.ptr[beg];
        end = beg + 1;
        while (end < text.len && m->marks.ptr[end] == mark)
            end++;
        const sg_str part = sg_str_sub(text, beg, end);
        if (mark == mark_char(MARK_TEXT))
            sc_pattern_add(s, out, (sc_tok){SC_TOK_TEXT, part});
        else if (mark != mark_char(MARK_ESCAPE))
            sc_plain_parse(s, part,
                           mark == mark_char(MARK_PLACEHOLDER) ||
                               (mark == mark_char(MARK_NEW) && placeholders),
                           out);
    }
}

/* One run of re.sub. */
struct sub {
    const sr_regex *re;
    sg_str with; /* the replacement */
    const struct marked *from;
    struct marked *to;
    size_t ovector[2 * SR_REGEX_GROUPS];
};

/* Put a group named or numbered in the replacement; unset ones are empty. */
static void put_group(struct sub *sub, sg_str name)
{
    const bool digit =
        name.len != 0 && name.ptr[0] >= '0' && name.ptr[0] <= '9';
    int g = sr_regex_group(sub->re, name);
    size_t beg, end;

    if (digit)
        g = name.len == 1 ? name.ptr[0] - '0' : SR_REGEX_GROUPS;
    if (sc_group_at(sub->ovector, g, &beg, &end))
        copy_marked(sub->to, sub->from, beg, end);
}

/* Put what a backslash in the replacement begins: \1 and \g<name> are groups,
 * \n and \t control characters, \\ a backslash; others stay as written.
 * Returns the bytes read. */
static size_t put_escape(struct sub *sub, sg_str with)
{
    char next = '\0';

    if (with.len > 1)
        next = with.ptr[1];
    if (next >= '0' && next <= '9') {
        put_group(sub, sg_str_sub(with, 1, 2));
        return 2;
    }
    if (next == 'g' && with.len > 2 && with.ptr[2] == '<') {
        const char *end = memchr(with.ptr, '>', with.len);
        const size_t len = end ? (size_t)(end - with.ptr) : with.len;
        put_group(sub, sg_str_sub(with, 3, len));
        return len < with.len ? len + 1 : len;
    }
    if (next == 'n' || next == 't')
        put_marked(sub->to, next == 'n' ? SG_S("\n") : SG_S("\t"), MARK_NEW);
    else if (next == '\\' || with.len == 1)
        put_marked(sub->to, SG_S("\\"), MARK_NEW);
    else
        put_marked(sub->to, sg_str_sub(with, 0, 2), MARK_NEW);
    return with.len > 1 ? 2 : 1;
}

static void put_replacement(struct sub *sub)
{
    for (size_t i = 0; i < sub->with.len;) {
        const sg_str rest = sg_str_sub(sub->with, i, sub->with.len);
        if (rest.ptr[0] == '\\') {
            i += put_escape(sub, rest);
            continue;
        }
        put_marked(sub->to, sg_str_sub(rest, 0, 1), MARK_NEW);
        i++;
    }
}

/* Replace every match. False when nothing matched, or the rule failed. */
static bool substitute(sc_run *run, const sc_step *step,
                       const struct marked *from, struct marked *to)
{
    struct sub sub = {sc_run_regex(run, sc_param_str(step->y, "regex")),
                      sc_param_str(step->y, "replacement"),
                      from,
                      to,
                      {0}};
    const sg_str text = sg_buf_str(&from->text);
    size_t pos = 0, copied = 0;
    unsigned groups;
    bool found = false;

    while (pos <= text.len && to->text.len <= SC_REPLACE_MAX &&
           sr_regex_exec(sub.re, text, pos, sub.ovector, &groups)) {
        found = true;
        copy_marked(to, from, copied, sub.ovector[0]);
        put_replacement(&sub);
        copied = pos = sub.ovector[1];
        if (sub.ovector[0] != sub.ovector[1])
            continue;
        if (pos >= text.len) /* empty: step over one code point */
            break;
        sg_utf8_next(text, &pos);
    }
    copy_marked(to, from, copied, text.len);
    if (to->text.len <= SC_REPLACE_MAX)
        return found;
    return sc_run_fail(run, step, SC_E0414, run->rule->at,
                       "replacing makes a value longer than %d bytes",
                       SC_REPLACE_MAX);
}

/* Replace inside one literal part. */
static bool replace_part(sc_run *run, const sc_step *step, sg_str part,
                         sc_pattern *out)
{
    struct marked from = {{0}, {0}}, to = {{0}, {0}};

    put_marked(&from, part, MARK_TEXT);
    const bool changed = substitute(run, step, &from, &to);
    const sg_str text = sg_arena_dup(&run->s->arena, sg_buf_str(&to.text));
    free_marked(&from);
    free_marked(&to);
    if (changed && sc_param_true(step->y, "interpret_special"))
        sc_pattern_parse(run->s, text, false, out);
    else if (changed)
        *out = sc_pattern_text(run->s, text);
    return changed;
}

/* Only the literal parts; wildcards and placeholders stay. */
static bool replace_parts(sc_run *run, const sc_step *step,
                          const sc_pattern *from, sc_pattern *to)
{
    bool changed = false;

    for (uint32_t i = 0; i < from->toks.count; i++) {
        const sc_tok tok = from->toks.items[i];
        sc_pattern part = {0};
        if (tok.kind != SC_TOK_TEXT ||
            !replace_part(run, step, tok.text, &part)) {
            sc_pattern_add(run->s, to, tok);
            continue;
        }
        changed = true;
        for (uint32_t k = 0; k < part.toks.count; k++)
            sc_pattern_add(run->s, to, part.toks.items[k]);
    }
    return changed;
}

static bool replace_whole(sc_run *run, const sc_step *step,
                          const sc_pattern *from, sc_pattern *to)
{
    struct marked before = {{0}, {0}}, after = {{0}, {0}};

    mark_pattern(&before, from);
    const bool changed = substitute(run, step, &before, &after);
    if (changed)
        unmark(run->s, &after, sc_pattern_has_placeholder(from), to);
    free_marked(&before);
    free_marked(&after);
    return changed;
}

static bool replace_value(sc_run *run, const sc_step *step, const sc_item *item,
                          const sc_value *v, sc_values *out)
{
    sc_pattern from = v->pattern, to = {0};

    (void)item;
    if (v->kind == SC_V_NUM)
        from = sc_pattern_text(run->s, sc_num_str(&run->s->arena, v->num));
    else if (v->kind != SC_V_STRING)
        return false;
    const bool changed = sc_param_true(step->y, "skip_special")
                             ? replace_parts(run, step, &from, &to)
                             : replace_whole(run, step, &from, &to);
    if (!changed)
        return false;
    const sc_value made = sc_string_value(v, to);
    SG_PUSH(&run->s->arena, out, made);
    return true;
}

bool sc_x_replace_string(sc_run *run, const sc_step *step)
{
    return sc_each_value(run, step, replace_value);
}

/* -------- map_string ------------------------------------------------------ */

bool sc_check_map_string(sc_session *s, sc_step *step)
{
    const sc_y *map = sc_y_get(step->y, "mapping");
    bool ok = true;

    for (uint32_t i = 0; map != NULL && i < map->count; i++) {
        const sc_y *to = map->pairs[i].value;
        bool good =
            sc_y_is_scalar(to) || (to->kind == SC_Y_SEQ && to->count != 0);
        for (uint32_t k = 0; good && to->kind == SC_Y_SEQ && k < to->count; k++)
            good = sc_y_is_scalar(to->items[k]);
        if (!good)
            ok = sc_error(s, SC_E0405, to->span,
                          "a text is mapped to a text or a list of texts");
    }
    return ok;
}

static bool map_value(sc_run *run, const sc_step *step, const sc_item *item,
                      const sc_value *v, sc_values *out)
{
    (void)item;
    if (v->kind != SC_V_STRING)
        return false;
    const sg_str text = sc_plain(&run->s->arena, &v->pattern);
    const sc_y *to = sc_y_find(sc_y_get(step->y, "mapping"), text);
    for (uint32_t i = 0; i < sc_param_count(to); i++) {
        sc_value made = sc_string_value(v, (sc_pattern){0});
        sc_pattern_parse(run->s, sc_param_at(to, i), false, &made.pattern);
        SG_PUSH(&run->s->arena, out, made);
    }
    return to != NULL;
}

bool sc_x_map_string(sc_run *run, const sc_step *step)
{
    return sc_each_value(run, step, map_value);
}

/* -------- set_value and convert_type -------------------------------------- */

static bool make_value(sc_session *s, const sc_y *y, sg_str force,
                       sc_value *out)
{
    sg_num num;

    *out = sc_value_of(s, y);
    if (sg_str_eq(force, SG_S("str")) && y->kind != SC_Y_STR) {
        *out = (sc_value){.kind = SC_V_STRING, .at = y->span};
        out->pattern = sc_pattern_text(s, y->text);
    } else if (sg_str_eq(force, SG_S("num")) && y->kind != SC_Y_NUM) {
        if (!sg_num_parse(y->text, &num))
            return false;
        *out = (sc_value){.kind = SC_V_NUM, .at = y->span, .num = num};
    }
    return true;
}

bool sc_check_set_value(sc_session *s, sc_step *step)
{
    const sc_y *y = sc_y_get(step->y, "value");
    const sg_str force = sc_param_str(step->y, "force_type");
    sc_value v;

    if (!sc_y_is_scalar(y))
        return sc_error(s, SC_E0405, y->span, "value must be a scalar, not %s",
                        sc_y_kind_name(y));
    if (force.len != 0 && y->kind != SC_Y_STR && y->kind != SC_Y_NUM)
        return sc_error(s, SC_E0405, y->span,
                        "force_type is for texts and numbers");
    if (!make_value(s, y, force, &v))
        return sc_error(s, SC_E0405, y->span, "'%.*s' is no number",
                        SG_FMT(y->text));
    return true;
}

static bool set_value(sc_run *run, const sc_step *step, const sc_item *item,
                      const sc_value *v, sc_values *out)
{
    sc_value made;

    make_value(run->s, sc_y_get(step->y, "value"),
               sc_param_str(step->y, "force_type"), &made);
    made.cased = v->kind == SC_V_STRING && v->cased;
    if (v == &item->values.items[0]) /* all become the same: one is enough */
        SG_PUSH(&run->s->arena, out, made);
    return true;
}

bool sc_x_set_value(sc_run *run, const sc_step *step)
{
    return sc_each_value(run, step, set_value);
}

/* The value in the wanted type; false when it has it, or cannot. */
static bool convert(sc_run *run, const sc_step *step, sc_value *v)
{
    const bool to_num =
        sg_str_eq(sc_param_str(step->y, "target_type"), SG_S("num"));
    sg_num num;

    if (!to_num && v->kind == SC_V_NUM) {
        const sg_str text = sc_num_str(&run->s->arena, v->num);
        *v = sc_string_value(v, sc_pattern_text(run->s, text));
        return true;
    }
    if (!to_num || v->kind != SC_V_STRING)
        return false;
    const sg_str text = sc_plain(&run->s->arena, &v->pattern);
    if (!sg_num_parse(text, &num))
        return sc_run_fail(run, step, SC_E0410, v->at,
                           "'%.*s' cannot become a number", SG_FMT(text));
    *v = (sc_value){.kind = SC_V_NUM, .at = v->at, .num = num};
    return true;
}

/* Alternatives are converted one by one. */
static bool convert_value(sc_run *run, const sc_step *step, const sc_item *item,
                          const sc_value *v, sc_values *out)
{
    sc_value made = sc_value_copy(&run->s->arena, v);
    bool changed = convert(run, step, &made);

    (void)item;
    for (uint32_t i = 0; i < made.kids.count && !run->failed; i++)
        changed = convert(run, step, &made.kids.items[i]) || changed;
    if (changed)
        SG_PUSH(&run->s->arena, out, made);
    return changed;
}

bool sc_x_convert_type(sc_run *run, const sc_step *step)
{
    return sc_each_value(run, step, convert_value);
}

/* -------- case ------------------------------------------------------------ */

enum { LAST_CASED = 0x1E943, MICRO_SIGN = 0xB5, GREEK_IOTA_BELOW = 0x345 };

/* The inverse of case folding: the first code point that folds to each. Two
 * symbols that come before the letter they look like are left out. */
static const uint32_t *upper_table(sc_run *run)
{
    if (run->upper != NULL)
        return run->upper;
    run->upper = sg_new_n(&run->s->arena, uint32_t, LAST_CASED + 1);
    for (uint32_t cp = 1; cp <= LAST_CASED; cp++) {
        const uint32_t low = sg_fold_cp(cp);
        if (low != cp && low <= LAST_CASED && run->upper[low] == 0 &&
            cp != MICRO_SIGN && cp != GREEK_IOTA_BELOW)
            run->upper[low] = cp;
    }
    return run->upper;
}

static void put_upper(sg_buf *buf, sg_str text, const uint32_t *upper)
{
    for (size_t i = 0; i < text.len;) {
        const size_t beg = i;
        const uint32_t cp = sg_utf8_next(text, &i);
        const uint32_t low = cp <= LAST_CASED ? sg_fold_cp(cp) : cp;
        char out[4];
        if (low > LAST_CASED || upper[low] == 0)
            sg_buf_put(buf, sg_str_sub(text, beg, i));
        else
            sg_buf_put(buf, (sg_str){out, sg_utf8_put(out, upper[low])});
    }
}

/* A _ before each capital but the first character; then lower case. */
static void put_snake(sg_buf *buf, sg_str text)
{
    for (size_t i = 0; i < text.len; i++) {
        const char c = text.ptr[i];
        if (i > 0 && c >= 'A' && c <= 'Z')
            sg_buf_putc(buf, '_');
        sg_buf_putc(buf, c);
    }
}

static sg_str change_case(sc_run *run, sg_str method, sg_str text)
{
    sg_buf buf = {0};

    if (sg_str_eq(method, SG_S("upper")))
        put_upper(&buf, text, upper_table(run));
    else if (sg_str_eq(method, SG_S("snake_case")))
        put_snake(&buf, text);
    else
        sg_buf_put(&buf, text);
    sg_str out = sg_arena_dup(&run->s->arena, sg_buf_str(&buf));
    sg_buf_free(&buf);
    if (sg_str_eq(method, SG_S("upper")))
        return out;
    char *low = sg_arena_alloc(&run->s->arena, sg_fold_bound(out.len) + 1, 1);
    return (sg_str){low, sg_fold(low, out)};
}

static bool case_value(sc_run *run, const sc_step *step, const sc_item *item,
                       const sc_value *v, sc_values *out)
{
    const sg_str method = sc_param_str(step->y, "method");

    (void)item;
    if (v->kind != SC_V_STRING)
        return false;
    sc_value made = sc_value_copy(&run->s->arena, v);
    for (uint32_t i = 0; i < made.pattern.toks.count; i++) {
        sc_tok *tok = &made.pattern.toks.items[i];
        if (tok->kind == SC_TOK_TEXT)
            tok->text = change_case(run, method, tok->text);
    }
    SG_PUSH(&run->s->arena, out, made);
    return true;
}

bool sc_x_case(sc_run *run, const sc_step *step)
{
    return sc_each_value(run, step, case_value);
}
