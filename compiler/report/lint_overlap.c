/*
 * lint_overlap.c - values, entries and selections against each other: what is
 * said twice, what is covered by something wider, and what contradicts itself
 * so that no event can match. A field is taken to have one value; for lists of
 * values in events the contradictions may hold after all, which the paragraphs
 * of the codes say.
 */
#include "report/pass.h"

#include "resolve/resolve.h"

enum {
    MAX_VALUES = 2000, /* of an item, compared pairwise */
    MAX_PAIRS = 20000  /* of two items */
};

/* -------- values of one item ---------------------------------------------- */

static bool covers(const sc_lint *l, const sc_lint_value *a,
                   const sc_lint_value *b)
{
    /* Keywords are searched, so they cover like `contains`; numbers and text
     * alike. Exact equality is enough here. */
    return l->item->has_field ? sc_lint_covers(a, b) : sc_lint_same(a, b);
}

static void report_same(sc_lint *l, sc_span at, sc_span first)
{
    sc_lint_warn(l, at, "the value is listed twice");
    sc_note_at(l->s, first, "the first one is here");
}

void sc_lint_same_value(sc_lint *l)
{
    const uint32_t count = l->item->values.count;
    const sc_lint_value *values;

    if (count < 2 || count > MAX_VALUES)
        return;
    values = sc_lint_prepare(l, l->item->values.items, count);
    for (uint32_t i = 1; i < count; i++)
        for (uint32_t k = 0; k < i; k++)
            if (sc_lint_same(&values[i], &values[k])) {
                report_same(l, values[i].v->at, values[k].v->at);
                break;
            }
}

/* Of two values, the idle one: the narrower of an OR, the wider of an AND. */
static const sc_lint_value *idle_of(const sc_lint *l, const sc_lint_value *a,
                                    const sc_lint_value *b)
{
    const bool down = covers(l, a, b), up = covers(l, b, a);

    if (down == up)
        return NULL;
    return down != l->item->all ? b : a;
}

static bool is_star(const sc_lint_value *a)
{
    return a->count == 1 && a->raw[0].kind == SC_TOK_STAR;
}

/* Pairs of the item's values of which one is idle. */
static void find_idle(sc_lint *l)
{
    const uint32_t count = l->item->values.count;
    const sc_lint_value *values;
    bool *done;

    if (count < 2 || count > MAX_VALUES)
        return;
    values = sc_lint_prepare(l, l->item->values.items, count);
    done = sg_new_n(l->tmp, bool, count);
    for (uint32_t i = 1; i < count; i++)
        for (uint32_t k = 0; k < i; k++) {
            const sc_lint_value *idle, *other;

            if (done[i] || done[k] || is_star(&values[i]) ||
                is_star(&values[k]))
                continue;
            idle = idle_of(l, &values[i], &values[k]);
            if (idle == NULL)
                continue;
            done[idle - values] = true;
            other = idle == &values[i] ? &values[k] : &values[i];
            sc_lint_warn(l, idle->v->at, "the value adds nothing");
            sc_note_at(l->s, other->v->at,
                       l->item->all ? "this one implies it"
                                    : "this one matches all it matches");
        }
}

/* Lists of text often name what they cover, to tell the reader. */
static bool is_text_list(const sc_item *item)
{
    return !item->all && item->values.items[0].kind != SC_V_CIDR &&
           item->values.items[0].kind != SC_V_COMPARE;
}

void sc_lint_covered_value(sc_lint *l)
{
    if (is_text_list(l->item))
        find_idle(l);
}

void sc_lint_implied_value(sc_lint *l)
{
    if (!is_text_list(l->item))
        find_idle(l);
}

/* -------- selections that are the same ------------------------------------ */

static bool same_item(sc_lint *l, const sc_item *a, const sc_item *b)
{
    const sc_lint_value *x, *y;

    if (a->has_field != b->has_field || !sg_str_eq(a->field, b->field) ||
        a->all != b->all || a->negated != b->negated ||
        a->values.count != b->values.count || a->values.count > MAX_VALUES)
        return false;
    x = sc_lint_prepare(l, a->values.items, a->values.count);
    y = sc_lint_prepare(l, b->values.items, b->values.count);
    for (uint32_t i = 0; i < a->values.count; i++)
        if (!sc_lint_same(&x[i], &y[i]))
            return false;
    return true;
}

static bool same_det(sc_lint *l, const sc_det *a, const sc_det *b)
{
    if (a->kind != b->kind || a->kids.count != b->kids.count)
        return false;
    if (a->kind == SC_DET_ITEM)
        return same_item(l, a->item, b->item);
    for (uint32_t i = 0; i < a->kids.count; i++)
        if (!same_det(l, a->kids.items[i], b->kids.items[i]))
            return false;
    return true;
}

void sc_lint_same_selection(sc_lint *l)
{
    const uint32_t count = l->sel_count < 200 ? l->sel_count : 200;

    for (uint32_t i = 1; i < count; i++)
        for (uint32_t k = 0; k < i; k++) {
            const sc_selection *a = &l->sels[i], *b = &l->sels[k];

            if (a->det == NULL || b->det == NULL ||
                !same_det(l, a->det, b->det))
                continue;
            sc_lint_warn(l, a->at, "'%.*s' is the same as '%.*s'",
                         SG_FMT(sc_lint_cut(a->name)),
                         SG_FMT(sc_lint_cut(b->name)));
            sc_note_at(l->s, b->at, "the other one is here");
            break;
        }
}

/* -------- demands -------------------------------------------------------- */

/* One of `values` must match the field. */
typedef struct demand {
    sg_str field;
    const sc_lint_value *values;
    uint32_t count;
    sc_span at;
    bool one_of_all; /* a part of an item with `all` */
} demand;

typedef struct demands {
    SG_VEC(demand) list;
} demands;

static void demand_item(sc_lint *l, const sc_item *item, demands *out)
{
    const sc_lint_value *values;
    const uint32_t count = item->values.count;

    if (!item->has_field || item->negated || count == 0 || count > MAX_VALUES)
        return;
    values = sc_lint_prepare(l, item->values.items, count);
    if (!item->all) {
        const demand d = {item->field, values, count, item->at, false};

        SG_PUSH(l->tmp, &out->list, d);
        return;
    }
    for (uint32_t i = 0; i < count; i++) {
        const demand d = {item->field, &values[i], 1, values[i].v->at, true};

        SG_PUSH(l->tmp, &out->list, d);
    }
}

static void demand_det(sc_lint *l, const sc_det *det, demands *out)
{
    if (det == NULL)
        return;
    if (det->kind == SC_DET_ITEM)
        demand_item(l, det->item, out);
    if (det->kind == SC_DET_AND)
        for (uint32_t i = 0; i < det->kids.count; i++)
            demand_det(l, det->kids.items[i], out);
}

static const sc_selection *find_sel(const sc_lint *l, sg_str name)
{
    for (uint32_t i = 0; i < l->sel_count; i++)
        if (sg_str_eq(l->sels[i].name, name))
            return &l->sels[i];
    return NULL;
}

/* What every event that satisfies the condition must have. */
static void demand_cond(sc_lint *l, const sc_cond *cond, demands *out)
{
    const sc_selection *sel;

    if (cond->kind == SC_COND_AND)
        for (uint32_t i = 0; i < cond->kids.count; i++)
            demand_cond(l, cond->kids.items[i], out);
    if (cond->kind == SC_COND_ID && (sel = find_sel(l, cond->name)) != NULL)
        demand_det(l, sel->det, out);
    if (cond->kind == SC_COND_OF && cond->all)
        for (uint32_t i = 0; i < l->sel_count; i++)
            if (sc_cond_selects(cond, &l->sels[i]))
                demand_det(l, l->sels[i].det, out);
}

/* -------- contradictions ------------------------------------------------- */

static bool excludes(const demand *a, const demand *b)
{
    if (!sg_str_eq(a->field, b->field) ||
        (uint64_t)a->count * b->count > MAX_PAIRS)
        return false;
    for (uint32_t i = 0; i < a->count; i++)
        for (uint32_t k = 0; k < b->count; k++)
            if (!sc_lint_excludes(&a->values[i], &b->values[k]))
                return false;
    return true;
}

static bool report_contradiction(sc_lint *l, const demands *d)
{
    for (uint32_t i = 1; i < d->list.count && i < MAX_VALUES; i++)
        for (uint32_t k = 0; k < i; k++) {
            const demand *a = &d->list.items[i], *b = &d->list.items[k];

            if (!excludes(a, b))
                continue;
            sc_lint_warn(l, a->at, "no value of '%.*s' satisfies this",
                         SG_FMT(sc_lint_cut(a->field)));
            sc_note_at(l->s, b->at, "and this");
            return true;
        }
    return false;
}

/* Contradictions inside of the parts of an OR. */
static bool inside_or(sc_lint *l, const sc_det *det)
{
    bool found = false;

    if (det == NULL)
        return false;
    for (uint32_t i = 0; i < det->kids.count; i++) {
        const sc_det *kid = det->kids.items[i];

        if (det->kind == SC_DET_OR && kid->kind != SC_DET_OR) {
            demands d = {0};

            demand_det(l, kid, &d);
            found |= report_contradiction(l, &d);
        }
        found |= inside_or(l, kid);
    }
    return found;
}

void sc_lint_contradiction(sc_lint *l)
{
    bool found = false;

    for (uint32_t i = 0; i < l->sel_count; i++) {
        demands d = {0};

        demand_det(l, l->sels[i].det, &d);
        found |= report_contradiction(l, &d);
        found |= inside_or(l, l->sels[i].det);
    }
    for (uint32_t i = 0; i < l->cond_count && !found; i++) {
        demands d = {0};

        demand_cond(l, l->conds[i], &d);
        report_contradiction(l, &d);
    }
}

/* -------- filters that remove everything --------------------------------- */

/* Whether whatever meets the demand meets the item. */
static bool is_met(const demand *d, const sc_item *item,
                   const sc_lint_value *values)
{
    if (!item->has_field || item->all || item->negated ||
        !sg_str_eq(d->field, item->field) ||
        (uint64_t)d->count * item->values.count > MAX_PAIRS)
        return false;
    for (uint32_t i = 0; i < d->count; i++) {
        bool covered = false;

        for (uint32_t k = 0; k < item->values.count && !covered; k++)
            covered = sc_lint_covers(&values[k], &d->values[i]);
        if (!covered)
            return false;
    }
    return true;
}

static bool meets_item(sc_lint *l, const demands *d, const sc_item *item)
{
    const sc_lint_value *values;

    if (item->values.count > MAX_VALUES)
        return false;
    values = sc_lint_prepare(l, item->values.items, item->values.count);
    for (uint32_t i = 0; i < d->list.count; i++)
        if (is_met(&d->list.items[i], item, values))
            return true;
    return false;
}

/* Whether whatever meets the demands meets the detection. */
static bool meets(sc_lint *l, const demands *d, const sc_det *det)
{
    if (det->kind == SC_DET_ITEM)
        return meets_item(l, d, det->item);
    for (uint32_t i = 0; i < det->kids.count; i++) {
        const bool kid = meets(l, d, det->kids.items[i]);

        if (kid != (det->kind == SC_DET_AND))
            return kid;
    }
    return det->kind == SC_DET_AND;
}

static bool is_negated(const sc_cond *cond, const sc_selection *sel)
{
    const sc_cond *kid;

    if (cond->kind == SC_COND_AND) {
        for (uint32_t i = 0; i < cond->kids.count; i++)
            if (is_negated(cond->kids.items[i], sel))
                return true;
        return false;
    }
    if (cond->kind != SC_COND_NOT)
        return false;
    kid = cond->kids.items[0];
    if (kid->kind == SC_COND_ID)
        return sg_str_eq(kid->name, sel->name);
    return kid->kind == SC_COND_OF && !kid->all && sc_cond_selects(kid, sel);
}

void sc_lint_removed(sc_lint *l)
{
    for (uint32_t i = 0; i < l->cond_count; i++) {
        demands d = {0};

        demand_cond(l, l->conds[i], &d);
        for (uint32_t k = 0; k < l->sel_count; k++) {
            const sc_selection *sel = &l->sels[k];

            if (sel->det == NULL || !is_negated(l->conds[i], sel) ||
                !meets(l, &d, sel->det))
                continue;
            sc_lint_warn(l, sel->at,
                         "'%.*s' removes everything that the condition lets "
                         "through",
                         SG_FMT(sc_lint_cut(sel->name)));
            break;
        }
    }
}
