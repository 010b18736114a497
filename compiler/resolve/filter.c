/*
 * filter.c - Sigma filters (semantics section 8): each becomes a namespace of
 * its own in the rules it is for, and `(rule) and (filter)` in every one of
 * their conditions. Correlations are never filtered, the rules below them are.
 */
#include "resolve/pipeline.h"

/* -------- size ----------------------------------------------------------- */

static uint32_t det_parts(const sc_det *det)
{
    uint32_t parts = 1;

    if (det->kind == SC_DET_ITEM)
        return parts + det->item->values.count;
    for (uint32_t i = 0; i < det->kids.count; i++)
        parts += det_parts(det->kids.items[i]);
    return parts;
}

static uint32_t cond_parts(const sc_cond *cond)
{
    uint32_t parts = 1;

    for (uint32_t i = 0; i < cond->kids.count; i++)
        parts += cond_parts(cond->kids.items[i]);
    return parts;
}

/* -------- attaching ------------------------------------------------------ */

/* One filter on its way into rules. */
typedef struct job {
    sc_session *s;
    const sc_filter *filter;
    uint32_t det_parts, cond_parts; /* that it adds, to each condition */
    uint32_t *budget;               /* parts that all filters may still add */
} job;

/* Take what the filter adds to the rule out of the budget. Where that does not
 * suffice the rule is rejected: it must not run without the filter. */
static bool afford(const job *j, const sc_rule *rule)
{
    const uint64_t parts =
        j->det_parts + (uint64_t)rule->conditions.count * j->cond_parts;

    if (parts <= *j->budget) {
        *j->budget -= (uint32_t)parts;
        return true;
    }
    j->s->doc = rule->doc;
    return sc_error(j->s, SC_E0555, rule->at,
                    "the filters add more than %d parts to the rules",
                    SC_MAX_FILTERED);
}

static void attach(const job *j, sc_rule *rule)
{
    const sc_filter *filter = j->filter;
    sg_arena *arena = &j->s->arena;

    if (!sc_doc_ok(j->s, rule->doc) || !afford(j, rule))
        return;

    const uint32_t space = rule->spaces++;

    for (uint32_t i = 0; i < filter->selections.count; i++) {
        sc_selection sel = filter->selections.items[i];
        sel.space = space;
        sel.det = sc_det_copy(arena, sel.det);
        SG_PUSH(arena, &rule->selections, sel);
    }
    for (uint32_t i = 0; i < rule->conditions.count; i++) {
        sc_cond *old = rule->conditions.items[i];
        sc_cond *both = sc_cond_new(arena, SC_COND_AND, old->at);
        sc_cond *more = sc_cond_copy(arena, filter->condition, space);
        SG_PUSH(arena, &both->kids, old);
        SG_PUSH(arena, &both->kids, more);
        rule->conditions.items[i] = both;
    }
}

static bool is_for(const sc_filter *filter, const sc_rule *rule)
{
    return rule->correlation == NULL &&
           sc_logsource_contains(&filter->logsource, &rule->logsource);
}

/* Attach to the rules of the filter's reference `which`; `done` holds, per
 * session doc, the number of the last filter attached to it. */
static void attach_named(const job *j, const sc_index *index, uint32_t which,
                         uint32_t *done)
{
    sc_session *s = j->s;
    const sc_filter *filter = j->filter;
    const sg_str ref = filter->rules.items[which];
    const sc_span at = filter->rules_at.items[which];
    const sc_entry *e = sc_index_find(s, index, ref);

    s->doc = filter->doc;
    if (e == NULL)
        sc_warn(s, SC_W0551, at,
                "the filter refers to '%.*s', which "
                "was not given",
                SG_FMT(ref));
    while (e != NULL) {
        sc_rule *rule = e->rule;
        if (!is_for(filter, rule)) {
            sc_warn(s, SC_W0552, at,
                    "the filter does not apply to '%.*s': its log source "
                    "does not contain the rule's",
                    SG_FMT(ref));
        } else if (done[rule->doc] != filter->doc + 1) {
            done[rule->doc] = filter->doc + 1;
            attach(j, rule);
            s->doc = filter->doc;
        }
        e = e->next != SIGMA_NONE ? &index->entries.items[e->next] : NULL;
    }
}

static void apply(const job *j, const sc_ast *ast, const sc_index *index,
                  uint32_t *done)
{
    if (!j->filter->any) {
        for (uint32_t i = 0; i < j->filter->rules.count; i++)
            attach_named(j, index, i, done);
        return;
    }
    for (uint32_t i = 0; i < ast->rules.count; i++) {
        if (is_for(j->filter, ast->rules.items[i]))
            attach(j, ast->rules.items[i]);
    }
}

void sc_filters_apply(sc_session *s, const sc_ast *ast, const sc_index *index)
{
    uint32_t *done = sg_new_n(&s->arena, uint32_t, (size_t)s->docs.count + 1);
    uint32_t budget = SC_MAX_FILTERED;

    for (uint32_t f = 0; f < ast->filters.count; f++) {
        job j = {.s = s, .filter = ast->filters.items[f], .budget = &budget};

        if (!sc_doc_ok(s, j.filter->doc) || j.filter->condition == NULL)
            continue;
        for (uint32_t i = 0; i < j.filter->selections.count; i++)
            j.det_parts += det_parts(j.filter->selections.items[i].det);
        j.cond_parts = cond_parts(j.filter->condition);
        apply(&j, ast, index, done);
    }
}
