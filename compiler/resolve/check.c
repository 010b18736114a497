/*
 * check.c - a warning for selectors that mean no selection. Plain identifiers
 * were checked when their document was read.
 */
#include "resolve/pipeline.h"

/* The selections a condition may name. */
struct scope {
    sc_session *s;
    const sc_selection *items;
    uint32_t count;
};

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
