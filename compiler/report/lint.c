/*
 * lint.c - runs the lints of lints.def over a collection: each document is
 * walked once per lint that is on, down to the part the lint looks at. Also
 * the sets of codes that --enable, --disable and --only make.
 */
#include "report/pass.h"

#include <string.h>

typedef enum scope {
    ALL,
    RULE,
    FILTER,
    DETECTION,
    SELECTION,
    ITEM,
    VALUE
} scope;

enum { OFF, ON };

static const struct lint {
    sc_code code;
    scope scope;
    bool preset;
    void (*run)(sc_lint *l);
} lints[] = {
#define LINT(code, scope, preset, function)                                    \
    {SC_##code, scope, (preset) == ON, function},
#include "report/lints.def"
#undef LINT
};

enum { LINT_COUNT = sizeof(lints) / sizeof(*lints) };

/* -------- sets ------------------------------------------------------------ */

static bool is_warning(sc_code code)
{
    return sc_code_name(code)[0] == 'W';
}

bool sc_lint_find(sc_code code, bool *on)
{
    for (size_t i = 0; i < LINT_COUNT; i++)
        if (lints[i].code == code) {
            *on = lints[i].preset;
            return true;
        }
    return false;
}

void sc_code_set_init(sc_code_set *set)
{
    for (size_t i = 0; i < SC_CODE_COUNT; i++)
        set->on[i] = true;
    for (size_t i = 0; i < LINT_COUNT; i++)
        set->on[lints[i].code] = lints[i].preset;
}

void sc_code_set_clear(sc_code_set *set)
{
    for (size_t i = 0; i < SC_CODE_COUNT; i++)
        set->on[i] = !is_warning((sc_code)i);
}

bool sc_code_set_put(sc_code_set *set, sg_str word, bool on)
{
    const bool all = sg_str_eq(word, SG_S("all"));
    bool found = false;

    for (size_t i = 0; i < SC_CODE_COUNT; i++) {
        const sc_code code = (sc_code)i;

        if (!is_warning(code) ||
            !(all || sg_str_eq_nocase(word, sg_str_of(sc_code_name(code))) ||
              sg_str_eq(word, sg_str_of(sc_code_slug(code)))))
            continue;
        set->on[i] = on;
        found = true;
    }
    return found;
}

sg_str sc_code_set_nearest(sg_str word)
{
    sg_str names[SC_CODE_COUNT];
    size_t count = 0;

    for (size_t i = 0; i < SC_CODE_COUNT; i++)
        if (is_warning((sc_code)i))
            names[count++] = sg_str_of(sc_code_slug((sc_code)i));
    return sc_nearest(word, names, count);
}

void sc_code_set_filter(sc_session *s, const sc_code_set *set)
{
    bool *keep = sg_new_n(&s->arena, bool, s->diags.count + 1);

    for (uint32_t i = 0; i < s->diags.count; i++) {
        const sc_diag *diag = &s->diags.items[i];

        keep[i] = diag->severity == SC_ERROR || set->on[diag->code];
    }
    sc_diag_retain(s, keep);
}

/* -------- help for the lints ---------------------------------------------- */

void sc_lint_warn(sc_lint *l, sc_span at, const char *fmt, ...)
{
    sg_buf text = {0};
    va_list ap;

    va_start(ap, fmt);
    sg_buf_vprintf(&text, fmt, ap);
    va_end(ap);
    sc_warn(l->s, l->code, at, "%.*s", SG_FMT(sg_buf_str(&text)));
    sg_buf_free(&text);
}

void sc_lint_hint(sc_lint *l, const char *fmt, ...)
{
    sg_buf text = {0};
    va_list ap;

    va_start(ap, fmt);
    sg_buf_vprintf(&text, fmt, ap);
    va_end(ap);
    sc_hint(l->s, "%.*s", SG_FMT(sg_buf_str(&text)));
    sg_buf_free(&text);
}

sg_str sc_lint_cut(sg_str text)
{
    enum { MOST = 80 };
    size_t end = MOST;

    if (text.len <= MOST)
        return text;
    while (end > 0 && (text.ptr[end] & 0xC0) == 0x80)
        end--;
    return sg_str_sub(text, 0, end);
}

sg_str sc_lint_bytes(const sc_lint *l, sc_span at)
{
    if (at.source >= l->s->sources.count)
        return SG_S("");
    return sg_str_sub(l->s->sources.items[at.source].text, at.beg, at.end);
}

sg_str sc_lint_text(sc_lint *l, const sc_value *v)
{
    sg_str text = sc_lint_bytes(l, v->at);

    if (text.len >= 2 && (text.ptr[0] == '\'' || text.ptr[0] == '"') &&
        text.ptr[text.len - 1] == text.ptr[0])
        text = sg_str_sub(text, 1, text.len - 1);
    return text;
}

bool sc_lint_has_modifier(const sc_item *item, const char *name)
{
    for (uint32_t i = 0; i < item->modifiers.count; i++)
        if (sg_str_eq(item->modifiers.items[i], sg_str_of(name)))
            return true;
    return false;
}

sg_str sc_lint_lower(sg_arena *arena, sg_str s)
{
    char *copy = sg_arena_alloc(arena, s.len + 1, 1);

    for (size_t i = 0; i < s.len; i++) {
        const char c = s.ptr[i];
        copy[i] = (char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
    }
    return (sg_str){copy, s.len};
}

size_t sc_lint_digits(sg_str s, size_t most)
{
    size_t n = 0;

    while (n < s.len && n < most && s.ptr[n] >= '0' && s.ptr[n] <= '9')
        n++;
    return n;
}

/* -------- the walk -------------------------------------------------------- */

static void walk_item(sc_lint *l, const struct lint *lint, const sc_item *item)
{
    l->item = item;
    if (lint->scope == ITEM) {
        lint->run(l);
        return;
    }
    for (uint32_t i = 0; i < item->values.count; i++) {
        l->value = &item->values.items[i];
        lint->run(l);
    }
    l->value = NULL;
}

static void walk_det(sc_lint *l, const struct lint *lint, const sc_det *det)
{
    if (det == NULL)
        return;
    if (det->kind == SC_DET_ITEM)
        walk_item(l, lint, det->item);
    for (uint32_t i = 0; i < det->kids.count; i++)
        walk_det(l, lint, det->kids.items[i]);
}

static void walk_detection(sc_lint *l, const struct lint *lint)
{
    if (lint->scope == DETECTION) {
        lint->run(l);
        return;
    }
    for (uint32_t i = 0; i < l->sel_count; i++) {
        l->sel = &l->sels[i];
        if (lint->scope == SELECTION)
            lint->run(l);
        else
            walk_det(l, lint, l->sel->det);
    }
    l->sel = NULL;
    l->item = NULL;
}

/* One document under all lints that are on. */
static void walk_doc(sc_lint *l, const sc_code_set *set, uint32_t doc)
{
    const sg_mark mark = sg_arena_mark(l->tmp);

    l->s->doc = doc;
    for (size_t i = 0; i < LINT_COUNT; i++) {
        const struct lint *lint = &lints[i];

        if (!set->on[lint->code] || lint->scope == ALL)
            continue;
        l->code = lint->code;
        if (lint->scope == RULE || lint->scope == FILTER) {
            if ((lint->scope == RULE) == (l->rule != NULL))
                lint->run(l);
        } else if (l->sel_count > 0) {
            walk_detection(l, lint);
        }
    }
    l->s->doc = SIGMA_NONE;
    sg_arena_rewind(l->tmp, mark);
}

/* Rules that one document was read as, because of an aggregation: only the
 * first stands for it. */
static bool is_made(const sc_ast *ast, uint32_t i)
{
    return ast->rules.items[i]->correlation != NULL &&
           sc_y_get(ast->rules.items[i]->yaml, "correlation") == NULL;
}

bool sc_lint_stands_for_doc(const sc_ast *ast, uint32_t i)
{
    return !is_made(ast, i) &&
           (i == 0 || ast->rules.items[i]->doc != ast->rules.items[i - 1]->doc);
}

static bool has_aggregation(const sc_ast *ast, uint32_t i)
{
    const uint32_t doc = ast->rules.items[i]->doc;

    for (; i < ast->rules.count && ast->rules.items[i]->doc == doc; i++)
        if (is_made(ast, i))
            return true;
    return false;
}

static void walk_rule(sc_lint *l, const sc_code_set *set, const sc_rule *rule)
{
    l->rule = rule;
    l->filter = NULL;
    l->root = rule->yaml;
    l->source = &rule->logsource;
    l->sels = rule->selections.items;
    l->sel_count = rule->selections.count;
    l->conds = rule->conditions.items;
    l->cond_count = rule->conditions.count;
    walk_doc(l, set, rule->doc);
}

static void walk_filter(sc_lint *l, const sc_code_set *set,
                        const sc_filter *filter)
{
    l->rule = NULL;
    l->filter = filter;
    l->root = NULL;
    l->source = &filter->logsource;
    l->sels = filter->selections.items;
    l->sel_count = filter->selections.count;
    l->conds = &filter->condition;
    l->cond_count = 1;
    walk_doc(l, set, filter->doc);
}

void sc_lint_run(sc_session *s, const sc_ast *ast, const sc_code_set *set)
{
    sg_arena tmp = {0};
    sc_lint l = {.s = s, .tmp = &tmp, .ast = ast};

    for (size_t i = 0; i < LINT_COUNT; i++) {
        if (lints[i].scope != ALL || !set->on[lints[i].code])
            continue;
        l.code = lints[i].code;
        lints[i].run(&l);
    }
    for (uint32_t i = 0; i < ast->rules.count; i++) {
        if (!sc_lint_stands_for_doc(ast, i))
            continue;
        l.aggregates = has_aggregation(ast, i);
        walk_rule(&l, set, ast->rules.items[i]);
    }
    l.aggregates = false;
    for (uint32_t i = 0; i < ast->filters.count; i++)
        walk_filter(&l, set, ast->filters.items[i]);
    s->doc = SIGMA_NONE;
    sg_arena_free(&tmp);
}
