/*
 * lint_correlation.c - correlations: thresholds that always or never hold, and
 * windows of no length.
 */
#include "report/pass.h"

static const sc_y *part_of(const sc_lint *l, const char *key)
{
    return sc_y_get(sc_y_get(l->root, "correlation"), key);
}

static bool is_count(sigma_corr_type type)
{
    return type == SIGMA_CORR_EVENT_COUNT || type == SIGMA_CORR_VALUE_COUNT ||
           type == SIGMA_CORR_TEMPORAL || type == SIGMA_CORR_TEMPORAL_ORDERED;
}

/* Rules of a temporal correlation; without bound for counts. */
static double most_of(const sc_correlation *c)
{
    return c->type == SIGMA_CORR_TEMPORAL ||
                   c->type == SIGMA_CORR_TEMPORAL_ORDERED
               ? (double)c->refs.count
               : 1e300;
}

/* Whether no count in [0, most] satisfies it. */
static bool is_never(sigma_cmp cmp, double limit, double most)
{
    switch (cmp) {
    case SIGMA_CMP_LT:
        return limit <= 0;
    case SIGMA_CMP_LTE:
        return limit < 0;
    case SIGMA_CMP_GT:
        return limit >= most;
    case SIGMA_CMP_GTE:
        return limit > most;
    case SIGMA_CMP_EQ:
        return limit < 0 || limit > most;
    case SIGMA_CMP_NEQ:
        break;
    }
    return false;
}

/* Whether each count in [1, most] does: those that an event brings about. */
static bool is_always(sigma_cmp cmp, double limit, double most)
{
    switch (cmp) {
    case SIGMA_CMP_LT:
        return limit > most;
    case SIGMA_CMP_LTE:
        return limit >= most;
    case SIGMA_CMP_GT:
        return limit < 1;
    case SIGMA_CMP_GTE:
        return limit <= 1;
    case SIGMA_CMP_NEQ:
        return limit < 1 || limit > most;
    case SIGMA_CMP_EQ:
        break;
    }
    return false;
}

static void tell(sc_lint *l, sc_span at, bool never, double most)
{
    if (!never) {
        sc_lint_warn(l, at, "one event satisfies this condition");
        sc_lint_hint(l, "raise the threshold, or use the rule on its own");
        return;
    }
    sc_lint_warn(l, at, "no count satisfies this condition");
    if (most < 1e9)
        sc_lint_hint(l, "counts run from 0 to %.0f, the number of rules", most);
    else
        sc_lint_hint(l, "counts are 0 or more");
}

void sc_lint_threshold(sc_lint *l)
{
    const sc_correlation *c = l->rule->correlation;
    const sc_y *map;

    if (c == NULL || !is_count(c->type))
        return;
    map = part_of(l, "condition");
    for (uint32_t i = 0; i < c->conds.count; i++) {
        const sigma_corr_cond *cond = &c->conds.items[i];
        const double limit = sg_num_double(cond->threshold);
        const bool never = is_never(cond->cmp, limit, most_of(c));

        if (map == NULL || (!never && !is_always(cond->cmp, limit, most_of(c))))
            continue;
        tell(l, map->span, never, most_of(c));
        return;
    }
}

void sc_lint_timespan(sc_lint *l)
{
    const sc_correlation *c = l->rule->correlation;

    if (c == NULL || c->timespan != 0)
        return;
    sc_lint_warn(l, part_of(l, "timespan")->span,
                 "the window holds events of one instant only");
}
