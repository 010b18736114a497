/*
 * filter.c - Sigma filters (semantics section 8): each becomes a namespace of
 * its own in the rules it is for, and `(rule) and (filter)` in every one of
 * their conditions. Correlations are never filtered, the rules below them are.
 */
#include "resolve/pipeline.h"

static void attach(sc_session *s, const sc_filter *filter, sc_rule *rule)
{
    sg_arena *arena = &s->arena;
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
static void attach_named(sc_session *s, const sc_index *index,
                         const sc_filter *filter, uint32_t which,
                         uint32_t *done)
{
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
            attach(s, filter, rule);
        }
        e = e->next != SIGMA_NONE ? &index->entries.items[e->next] : NULL;
    }
}

void sc_filters_apply(sc_session *s, const sc_ast *ast, const sc_index *index)
{
    uint32_t *done = sg_new_n(&s->arena, uint32_t, (size_t)s->docs.count + 1);

    for (uint32_t f = 0; f < ast->filters.count; f++) {
        const sc_filter *filter = ast->filters.items[f];
        if (!sc_doc_ok(s, filter->doc) || filter->condition == NULL)
            continue;
        if (!filter->any) {
            for (uint32_t i = 0; i < filter->rules.count; i++)
                attach_named(s, index, filter, i, done);
            continue;
        }
        for (uint32_t i = 0; i < ast->rules.count; i++) {
            if (is_for(filter, ast->rules.items[i]))
                attach(s, filter, ast->rules.items[i]);
        }
    }
}
