/*
 * check.c - selectors: which selections `1 of x*` and `all of them` mean, and a
 * warning for those that mean none (semantics section 6). Plain identifiers
 * were checked when their document was read.
 */
#include "resolve/pipeline.h"

/* The selections a condition may name. */
struct scope {
    sc_session *s;
    const sc_selection *items;
    uint32_t count;
};

/* Whether text matches a pattern of characters and `*`. */
static bool glob_name(sg_str pattern, sg_str text)
{
    size_t p = 0, t = 0, star = SIZE_MAX, resume = 0;

    while (t < text.len) {
        if (p < pattern.len && pattern.ptr[p] == '*') {
            star = p++;
            resume = t;
        } else if (p < pattern.len && pattern.ptr[p] == text.ptr[t]) {
            p++;
            t++;
        } else if (star != SIZE_MAX) {
            p = star + 1;
            t = ++resume;
        } else {
            return false;
        }
    }
    while (p < pattern.len && pattern.ptr[p] == '*')
        p++;
    return p == pattern.len;
}

bool sc_cond_selects(const sc_cond *of, const sc_selection *sel)
{
    const bool hidden = sel->name.len != 0 && sel->name.ptr[0] == '_';

    if (of->space != sel->space)
        return false;
    if (of->them)
        return !hidden;
    if (hidden && (of->name.len == 0 || of->name.ptr[0] != '_'))
        return false;
    return glob_name(of->name, sel->name);
}

static void check_selector(const struct scope *sc, const sc_cond *cond)
{
    for (uint32_t i = 0; i < sc->count; i++) {
        if (sc_cond_selects(cond, &sc->items[i]))
            return;
    }
    const sg_str name = cond->them ? SG_S("them") : cond->name;
    sc_warn(sc->s, SC_W0350, cond->at,
            "'%.*s' matches no search identifier: always false", SG_FMT(name));
}

static void check_cond(const struct scope *sc, const sc_cond *cond)
{
    if (cond->kind == SC_COND_OF)
        check_selector(sc, cond);
    for (uint32_t i = 0; i < cond->kids.count; i++)
        check_cond(sc, cond->kids.items[i]);
}

void sc_check_rule(sc_session *s, const sc_rule *rule)
{
    const struct scope sc = {s, rule->selections.items, rule->selections.count};

    s->doc = rule->doc;
    for (uint32_t i = 0; i < rule->conditions.count; i++)
        check_cond(&sc, rule->conditions.items[i]);
}

void sc_check_filter(sc_session *s, const sc_filter *filter)
{
    const struct scope sc = {s, filter->selections.items,
                             filter->selections.count};

    s->doc = filter->doc;
    if (filter->condition != NULL)
        check_cond(&sc, filter->condition);
}
