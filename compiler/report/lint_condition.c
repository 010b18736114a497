/*
 * lint_condition.c - conditions: selections that are not used or change
 * nothing, selectors that select one thing, and conditions that are decided
 * before any event comes. Truth tables over the selections settle the latter.
 */
#include "report/pass.h"

#include "resolve/resolve.h"

enum { MAX_TABLE = 10 }; /* selections of a truth table */

/* -------- walking --------------------------------------------------------- */

static bool uses(const sc_cond *cond, const sc_selection *sel)
{
    if (cond->kind == SC_COND_ID)
        return sg_str_eq(cond->name, sel->name);
    if (cond->kind == SC_COND_OF)
        return sc_cond_selects(cond, sel);
    for (uint32_t i = 0; i < cond->kids.count; i++)
        if (uses(cond->kids.items[i], sel))
            return true;
    return false;
}

static bool any_uses(const sc_lint *l, const sc_selection *sel)
{
    for (uint32_t i = 0; i < l->cond_count; i++)
        if (uses(l->conds[i], sel))
            return true;
    return false;
}

void sc_lint_unused(sc_lint *l)
{
    for (uint32_t i = 0; i < l->sel_count && !l->aggregates; i++)
        if (!any_uses(l, &l->sels[i]))
            sc_lint_warn(l, l->sels[i].at, "the condition does not use '%.*s'",
                         SG_FMT(sc_lint_cut(l->sels[i].name)));
}

/* -------- selectors ------------------------------------------------------- */

static uint32_t count_selected(const sc_lint *l, const sc_cond *of,
                               sg_str *name)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < l->sel_count; i++)
        if (sc_cond_selects(of, &l->sels[i])) {
            *name = l->sels[i].name;
            count++;
        }
    return count;
}

/* Selectors written for a family may have one member for now; `them` and
 * patterns without a star never will have more. */
static void check_selector(sc_lint *l, const sc_cond *cond)
{
    sg_str name;

    for (uint32_t i = 0; i < cond->kids.count; i++)
        check_selector(l, cond->kids.items[i]);
    if (cond->kind != SC_COND_OF || count_selected(l, cond, &name) != 1 ||
        (!cond->them && sg_str_find(cond->name, SG_S("*")) != SIZE_MAX))
        return;
    sc_lint_warn(l, cond->at, "the selector stands for one selection");
    sc_lint_hint(l, "write '%.*s'", SG_FMT(sc_lint_cut(name)));
}

void sc_lint_lone_selector(sc_lint *l)
{
    for (uint32_t i = 0; i < l->cond_count; i++)
        check_selector(l, l->conds[i]);
}

static void check_all_of_them(sc_lint *l, const sc_cond *cond)
{
    for (uint32_t i = 0; i < cond->kids.count; i++)
        check_all_of_them(l, cond->kids.items[i]);
    if (cond->kind == SC_COND_OF && cond->all && cond->them)
        sc_lint_warn(l, cond->at, "'all of them' takes in what is added later");
}

void sc_lint_all_of_them(sc_lint *l)
{
    for (uint32_t i = 0; i < l->cond_count; i++)
        check_all_of_them(l, l->conds[i]);
}

/* -------- truth ----------------------------------------------------------- */

static bool truth(const sc_lint *l, const sc_cond *cond, const bool *holds);

static bool truth_of(const sc_lint *l, const sc_cond *of, const bool *holds)
{
    uint32_t count = 0, good = 0;

    for (uint32_t i = 0; i < l->sel_count; i++)
        if (sc_cond_selects(of, &l->sels[i])) {
            count++;
            good += holds[i];
        }
    return of->all ? count > 0 && good == count : good > 0;
}

static bool truth(const sc_lint *l, const sc_cond *cond, const bool *holds)
{
    switch (cond->kind) {
    case SC_COND_AND:
        for (uint32_t i = 0; i < cond->kids.count; i++)
            if (!truth(l, cond->kids.items[i], holds))
                return false;
        return true;
    case SC_COND_OR:
        for (uint32_t i = 0; i < cond->kids.count; i++)
            if (truth(l, cond->kids.items[i], holds))
                return true;
        return false;
    case SC_COND_NOT:
        return !truth(l, cond->kids.items[0], holds);
    case SC_COND_ID:
        for (uint32_t i = 0; i < l->sel_count; i++)
            if (sg_str_eq(l->sels[i].name, cond->name))
                return holds[i];
        return false;
    case SC_COND_OF:
        return truth_of(l, cond, holds);
    }
    return false;
}

static bool any_truth(const sc_lint *l, const bool *holds)
{
    for (uint32_t i = 0; i < l->cond_count; i++)
        if (truth(l, l->conds[i], holds))
            return true;
    return false;
}

/* Results of the condition(s) for each set of selections that hold; NULL when
 * there are too many. */
static const bool *make_table(sc_lint *l, uint32_t *size)
{
    bool holds[MAX_TABLE];
    bool *table;

    if (l->sel_count > MAX_TABLE || l->cond_count == 0)
        return NULL;
    *size = 1u << l->sel_count;
    table = sg_new_n(l->tmp, bool, *size);
    for (uint32_t mask = 0; mask < *size; mask++) {
        for (uint32_t i = 0; i < l->sel_count; i++)
            holds[i] = (mask >> i & 1) != 0;
        table[mask] = any_truth(l, holds);
    }
    return table;
}

static bool is_constant(const bool *table, uint32_t size)
{
    for (uint32_t i = 1; i < size; i++)
        if (table[i] != table[0])
            return false;
    return true;
}

/* A selector without members is reported elsewhere. */
static bool selects_nothing(const sc_lint *l, const sc_cond *cond)
{
    sg_str name;

    for (uint32_t i = 0; i < cond->kids.count; i++)
        if (selects_nothing(l, cond->kids.items[i]))
            return true;
    return cond->kind == SC_COND_OF && count_selected(l, cond, &name) == 0;
}

void sc_lint_constant(sc_lint *l)
{
    uint32_t size;
    const bool *table = make_table(l, &size);

    if (table == NULL || !is_constant(table, size) ||
        selects_nothing(l, l->conds[0]))
        return;
    sc_lint_warn(l, l->conds[0]->at, "the condition %s, whatever the event",
                 table[0] ? "always holds" : "never holds");
}

static bool depends_on(const bool *table, uint32_t size, uint32_t sel)
{
    for (uint32_t mask = 0; mask < size; mask++)
        if (table[mask] != table[mask ^ (1u << sel)])
            return true;
    return false;
}

void sc_lint_no_effect(sc_lint *l)
{
    uint32_t size;
    const bool *table = make_table(l, &size);

    if (table == NULL || is_constant(table, size))
        return;
    for (uint32_t i = 0; i < l->sel_count; i++)
        if (any_uses(l, &l->sels[i]) && !depends_on(table, size, i)) {
            sc_lint_warn(l, l->conds[0]->at,
                         "'%.*s' does not change the condition's result",
                         SG_FMT(sc_lint_cut(l->sels[i].name)));
            sc_note_at(l->s, l->sels[i].at, "the selection is here");
        }
}

/* -------- the event without fields ---------------------------------------- */

static bool value_holds_empty(const sc_value *v)
{
    return v->kind == SC_V_NULL || (v->kind == SC_V_EXISTS && !v->boolean);
}

static bool item_holds_empty(const sc_item *item)
{
    uint32_t good = 0;

    for (uint32_t i = 0; i < item->values.count; i++)
        good += value_holds_empty(&item->values.items[i]);
    return item->negated != (item->all ? good == item->values.count : good > 0);
}

static bool det_holds_empty(const sc_det *det)
{
    uint32_t good = 0;

    if (det->kind == SC_DET_ITEM)
        return item_holds_empty(det->item);
    for (uint32_t i = 0; i < det->kids.count; i++)
        good += det_holds_empty(det->kids.items[i]);
    return det->kind == SC_DET_AND ? good == det->kids.count : good > 0;
}

void sc_lint_matches_empty(sc_lint *l)
{
    bool *holds = sg_new_n(l->tmp, bool, l->sel_count);
    uint32_t size;
    const bool *table;

    if (l->filter != NULL)
        return;
    for (uint32_t i = 0; i < l->sel_count; i++)
        holds[i] = l->sels[i].det != NULL && det_holds_empty(l->sels[i].det);
    for (uint32_t i = 0; i < l->cond_count; i++) {
        if (!truth(l, l->conds[i], holds))
            continue;
        table = make_table(l, &size);
        if (table == NULL || !is_constant(table, size))
            sc_lint_warn(l, l->conds[i]->at,
                         "events with none of the rule's fields match");
        return;
    }
}

/* -------- filters --------------------------------------------------------- */

/* Whether the condition can hold though every selection fails. */
void sc_lint_positive_filter(sc_lint *l)
{
    bool *holds = sg_new_n(l->tmp, bool, l->sel_count);

    if (l->filter->condition == NULL || any_truth(l, holds))
        return;
    sc_lint_warn(l, l->filter->condition->at,
                 "the filter keeps only what its selections match");
}
