/*
 * correlate.c - runs events through the correlations: which of them listen to
 * the rules that matched, which groups the event belongs to, and whether a
 * condition now holds. Inner correlations come first in the table, so one
 * pass serves chains: what fires is an event for whoever listens to it.
 */
#include "agg/engine.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

/* -------- opening ------------------------------------------------------- */

/* Ordered correlations: only whole chains count when no condition asks for
 * less. */
static bool is_plain(const sigma_detector *d, const sigma_correlation *def)
{
    const sigma_corr_cond *cond = d->corr_conds + def->cond_first;

    if (def->expr_count != 0 || def->cond_count > 1)
        return false;
    if (def->cond_count == 0)
        return true;
    return (cond->cmp == SIGMA_CMP_GTE || cond->cmp == SIGMA_CMP_EQ) &&
           cond->threshold.kind == SIGMA_INT &&
           cond->threshold.v.i == (int64_t)def->ref_count;
}

static bool has_twins(const sigma_corr_ref *refs, uint32_t count)
{
    for (uint32_t i = 1; i < count; i++)
        for (uint32_t j = 0; j < i; j++)
            if (refs[i].index == refs[j].index &&
                refs[i].is_correlation == refs[j].is_correlation)
                return true;
    return false;
}

static bool shows_times(const sigma_detector *d, const sigma_correlation *def)
{
    for (uint32_t i = 0; i < def->column_count; i++) {
        const sigma_column_kind kind = d->columns[def->column_first + i].kind;

        if (kind == SIGMA_COLUMN_FIRST_SEEN || kind == SIGMA_COLUMN_LAST_SEEN)
            return true;
    }
    return false;
}

static void open_corr(sr_agg *agg, sr_corr *corr, const sigma_correlation *def)
{
    const sigma_detector *d = agg->detector;
    const sigma_corr_ref *refs = d->corr_refs + def->ref_first;

    if (def->type >= SIGMA_CORR_COUNT || def->ref_count > UINT16_MAX)
        sg_fatal("the detector holds an invalid correlation");
    /* Inner ones first: this is also what rules out cycles. */
    for (uint32_t i = 0; i < def->ref_count; i++)
        if (refs[i].is_correlation &&
            refs[i].index >= (uint32_t)(corr - agg->corrs))
            sg_fatal("the detector's correlations are out of order");
    corr->def = def;
    corr->type = sr_type_of(def->type);
    if (corr->type->values && def->value_count == 0)
        sg_fatal("the detector holds a correlation without its field");
    corr->pending = sg_new_n(&agg->arena, sr_pending, def->ref_count);
    corr->plain = is_plain(d, def);
    corr->twice = has_twins(refs, def->ref_count);
    corr->windowed =
        !agg->options.search || def->type == SIGMA_CORR_TEMPORAL_ORDERED;
    corr->ends = agg->options.search && shows_times(d, def);
    corr->mark_count = sr_mark_count(corr);
    if (def->timespan < agg->min_timespan)
        agg->min_timespan = def->timespan;
}

/* Rules first, then correlations: the index of a ref among those listened
 * to. */
static uint32_t source_of(const sigma_detector *d, const sigma_corr_ref *ref)
{
    return ref->is_correlation ? d->rule_count + ref->index : ref->index;
}

/* Lists who listens to each rule and correlation, by counting sort. */
static void open_listeners(sr_agg *agg)
{
    const sigma_detector *d = agg->detector;
    const uint32_t sources = d->rule_count + d->correlation_count;
    uint32_t *first = sg_new_n(&agg->arena, uint32_t, (size_t)sources + 2);

    agg->listeners = sg_new_n(&agg->arena, sr_listener, d->corr_ref_count);
    agg->rule_first = first;
    first++; /* shifted by one: the fill below moves each start to its end */
    for (uint32_t i = 0; i < d->corr_ref_count; i++)
        first[source_of(d, &d->corr_refs[i]) + 1]++;
    for (uint32_t i = 0; i < sources; i++)
        first[i + 1] += first[i];
    for (uint32_t c = 0; c < d->correlation_count; c++) {
        const sigma_correlation *def = &d->correlations[c];

        for (uint32_t r = 0; r < def->ref_count; r++) {
            const sigma_corr_ref *ref = &d->corr_refs[def->ref_first + r];

            agg->listeners[first[source_of(d, ref)]++] = (sr_listener){c, r};
        }
    }
}

/* Scratch for the widest correlation. */
static void open_scratch(sr_agg *agg)
{
    const sigma_detector *d = agg->detector;
    uint32_t keys = 1;
    uint32_t refs = 1;
    uint32_t exprs = 1;

    for (uint32_t c = 0; c < d->correlation_count; c++) {
        const sigma_correlation *def = &d->correlations[c];

        keys = def->key_count > keys ? def->key_count : keys;
        refs = def->ref_count > refs ? def->ref_count : refs;
        exprs = def->expr_count > exprs ? def->expr_count : exprs;
    }
    agg->kinds = sg_new_n(&agg->arena, uint8_t, keys);
    agg->cells = sg_new_n(&agg->arena, sr_cell, keys);
    agg->touched = sg_new_n(&agg->arena, sr_touched, refs);
    agg->stack = sg_new_n(&agg->arena, bool, exprs);
    agg->active = sg_new_n(&agg->arena, uint64_t,
                           ((size_t)d->correlation_count + 63) / 64);
}

/* Without randomness the salt is what it is: only speed depends on it. */
static void open_salt(sr_agg *agg)
{
    uint64_t salt = 0;

    if (getrandom(&salt, sizeof(salt), GRND_NONBLOCK) != sizeof(salt))
        salt = UINT64_C(0x5851F42D4C957F2D);
    sg_buf_put(&agg->key, (sg_str){(const char *)&salt, sizeof(salt)});
    sg_buf_put(&agg->tuple, (sg_str){(const char *)&salt, sizeof(salt)});
}

sr_agg *sr_agg_open(const sigma_detector *detector,
                    const sr_agg_options *options)
{
    sr_agg *agg = calloc(1, sizeof(*agg));

    if (agg == NULL)
        sg_fatal("out of memory");
    agg->detector = detector;
    agg->options = *options;
    agg->pool.limit = options->max_memory;
    agg->index.limit = UINT64_MAX;
    agg->watermark = SR_NEVER;
    agg->sweep_at = SR_NEVER;
    agg->min_timespan = INT64_MAX;
    agg->corrs = sg_new_n(&agg->arena, sr_corr, detector->correlation_count);
    for (uint32_t c = 0; c < detector->correlation_count; c++)
        open_corr(agg, &agg->corrs[c], &detector->correlations[c]);
    open_listeners(agg);
    open_scratch(agg);
    open_salt(agg);
    return agg;
}

void sr_agg_close(sr_agg *agg)
{
    if (agg == NULL)
        return;
    while (agg->first != NULL)
        sr_group_free(agg, agg->first);
    for (uint32_t c = 0; c < agg->detector->correlation_count; c++)
        for (unsigned i = 0; i < SR_SHARDS; i++)
            sr_table_free(&agg->index, &agg->corrs[c].shards[i]);
    sr_pool_close(&agg->index);
    sr_pool_close(&agg->pool);
    sg_buf_free(&agg->key);
    sg_buf_free(&agg->tuple);
    sg_arena_free(&agg->arena);
    free(agg);
}

/* -------- one contribution ------------------------------------------------ */

/* There is no room for a contribution; nor is there any use for a group
 * without events. Returns NULL. */
static sr_group *lose(sr_agg *agg, sr_corr *corr, sr_group *group)
{
    corr->refused++;
    agg->stats.refused++;
    if (group->count == 0)
        sr_group_free(agg, group);
    return NULL;
}

/* Keep the text of a time field; false for want of memory. */
static bool copy_raw(sr_agg *agg, sr_copy *copy, const sr_hit *hit)
{
    if (hit->raw.len > copy->cap) {
        if (hit->raw.len > UINT32_MAX)
            return false;
        char *ptr = sr_pool_alloc(&agg->pool, hit->raw.len);

        if (ptr == NULL)
            return false;
        sr_pool_free(&agg->pool, copy->ptr, copy->cap);
        copy->ptr = ptr;
        copy->cap = (uint32_t)hit->raw.len;
    }
    if (hit->raw.len != 0)
        memcpy(copy->ptr, hit->raw.ptr, hit->raw.len);
    copy->len = (uint32_t)hit->raw.len;
    copy->kind = hit->raw_kind;
    return true;
}

/* Search mode, reports: the texts of the first and last time. */
static bool keep_ends(sr_agg *agg, sr_group *group, const sr_hit *hit)
{
    if (group->ends == NULL) {
        group->ends = sr_pool_alloc(&agg->pool, sizeof(*group->ends));
        if (group->ends == NULL)
            return false;
        memset(group->ends, 0, sizeof(*group->ends));
    }
    if ((!group->timed || hit->time < group->oldest) &&
        !copy_raw(agg, &group->ends->first, hit))
        return false;
    return (group->timed && hit->time <= group->newest) ||
           copy_raw(agg, &group->ends->last, hit);
}

/* Move the group's clock. False when the event is too old for the window. */
static bool advance(sr_agg *agg, const sr_corr *corr, sr_group *group,
                    const sr_hit *hit)
{
    agg->now = hit->timed     ? hit->time
               : group->timed ? group->newest
                              : SR_NEVER + 1;
    if (agg->options.search) {
        if (!hit->timed)
            return true;
        if (!group->timed || hit->time < group->oldest)
            group->oldest = hit->time;
    } else if (group->timed &&
               hit->time < sr_cutoff(group->newest, corr->def->timespan)) {
        return false;
    }
    if (!group->timed || hit->time > group->newest)
        group->newest = hit->time;
    group->timed = true;
    if (!agg->options.search)
        sr_expire(agg, group);
    return true;
}

/* Let the event into the window. */
static bool enter(sr_agg *agg, const sr_corr *corr, sr_group *group,
                  uint32_t ref)
{
    bool last = true;
    char *entry = NULL;

    if (corr->windowed) {
        entry = sr_window_insert(&agg->pool, &group->window, corr->type->stride,
                                 agg->now, &last);
        if (entry == NULL)
            return false;
        entry += sizeof(int64_t);
    }
    group->dirty = group->dirty || !last;
    if (corr->type->add(agg, group, ref, entry))
        return true;
    if (entry != NULL)
        sr_window_remove(&group->window, corr->type->stride,
                         entry - sizeof(int64_t));
    return false;
}

/* The event's time in a correlation: that of the first rule in its list which
 * the event matches. */
static const sr_hit *time_in(const sr_corr *corr)
{
    return corr->pending[corr->twice ? corr->pending_count - 1 : 0].hit;
}

/* The group an event of this ref adds to; NULL when it takes no part. */
static sr_group *contribute(sr_agg *agg, sr_corr *corr, uint32_t ref,
                            const sr_hit *hit)
{
    const sr_hit *when = time_in(corr);
    const sigma_correlation *def = corr->def;
    const uint32_t *fields = agg->detector->corr_sources + def->source_first +
                             (size_t)ref * (def->key_count + def->value_count);

    if (corr->type->values &&
        !sr_read_values(agg, corr, hit->rule, fields + def->key_count))
        return NULL;
    if (!sr_encode(agg, &agg->key, hit->rule, fields, def->key_count,
                   agg->kinds))
        return NULL;
    sr_group *group = sr_group_of(agg, corr);

    if (group == NULL)
        return NULL;
    if (group->event == agg->event && !corr->type->rules)
        return NULL; /* one event counts once */
    if (corr->ends && when->timed && !keep_ends(agg, group, when))
        return lose(agg, corr, group);
    if (!advance(agg, corr, group, when)) {
        agg->stats.late++;
        return NULL;
    }
    while (!enter(agg, corr, group, ref))
        if (!sr_make_room(agg, group))
            return lose(agg, corr, group);
    return group;
}

/* -------- firing --------------------------------------------------------- */

static void fire(sr_agg *agg, sr_group *group, sg_num value)
{
    const sr_corr *corr = &agg->corrs[group->correlation];
    const sr_hit *when = time_in(corr);
    const size_t stride = corr->type->stride;
    const sr_window *window = &group->window;
    sr_firing firing = {
        .correlation = group->correlation,
        .keys = sr_group_cells(agg, group),
        .count = group->count,
        .value = value,
        .place = group->place,
        .timed = when->timed,
        .time = when->time,
    };

    if (window->count != 0) {
        firing.first.timed = true;
        firing.first.time = sr_window_time(sr_window_at(window, stride, 0));
        firing.last.timed = true;
        firing.last.time =
            sr_window_time(sr_window_at(window, stride, window->count - 1));
    }
    agg->options.fire(agg->options.ctx, &firing);
}

static void await(sr_agg *agg, const sr_listener *listener, const sr_hit *hit)
{
    sr_corr *corr = &agg->corrs[listener->correlation];
    uint32_t i = corr->pending_count++;

    /* By place in the list of rules; where a rule stands there twice the other
     * way round, so that one event does not take two of its places. */
    while (i != 0 &&
           (corr->pending[i - 1].ref > listener->ref) != corr->twice) {
        corr->pending[i] = corr->pending[i - 1];
        i--;
    }
    corr->pending[i] = (sr_pending){listener->ref, hit};
    agg->active[listener->correlation / 64] |= UINT64_C(1)
                                               << listener->correlation % 64;
}

static void notify(sr_agg *agg, uint32_t source, const sr_hit *hit)
{
    for (uint32_t i = agg->rule_first[source]; i < agg->rule_first[source + 1];
         i++)
        await(agg, &agg->listeners[i], hit);
}

/* Judge one group after the event; true when it fires. */
static bool judge(sr_agg *agg, sr_group *group)
{
    const sigma_correlation *def = agg->corrs[group->correlation].def;
    sg_num value;
    const bool held = group->holds;

    group->holds = sr_holds(agg, group, &value);
    if (!group->holds)
        return false;
    if (!agg->options.search && (def->flags & SIGMA_CORR_HIDDEN) == 0 &&
        (!held || agg->options.every_firing))
        fire(agg, group, value);
    return true;
}

/* The event adds to a group: note it once. Later rules stand behind in the
 * list, or before where they are taken backwards. Returns the number noted. */
static uint32_t touch(sr_agg *agg, sr_group *group, const sr_pending *by,
                      uint32_t count)
{
    uint32_t i = 0;

    if (group->event != agg->event) {
        agg->touched[count] = (sr_touched){group, *by};
        return count + 1;
    }
    if (!agg->corrs[group->correlation].twice)
        return count;
    while (agg->touched[i].group != group)
        i++;
    agg->touched[i].by = *by;
    return count;
}

/* Everything one event means to one correlation. */
static void run_corr(sr_agg *agg, uint32_t c, sr_place place)
{
    sr_corr *corr = &agg->corrs[c];
    const uint32_t source = agg->detector->rule_count + c;
    const bool heard = agg->rule_first[source] != agg->rule_first[source + 1];
    const sr_pending *fired = NULL;
    uint32_t touched = 0;

    for (uint32_t i = 0; i < corr->pending_count; i++) {
        const sr_pending *p = &corr->pending[i];
        sr_group *group = contribute(agg, corr, p->ref, p->hit);

        if (group == NULL)
            continue;
        touched = touch(agg, group, p, touched);
        if (group->event == agg->event)
            continue;
        group->event = agg->event;
        group->place = place;
        group->count++;
    }
    if (!agg->options.search || heard)
        for (uint32_t i = 0; i < touched; i++) {
            const sr_touched *t = &agg->touched[i];

            if (judge(agg, t->group) &&
                (fired == NULL || t->by.ref < fired->ref))
                fired = &t->by;
        }
    corr->pending_count = 0;
    if (fired != NULL)
        notify(agg, source, fired->hit);
}

void sr_agg_push(sr_agg *agg, const sr_hit *hits, size_t count, sr_place place)
{
    const uint32_t words = (agg->detector->correlation_count + 63) / 64;
    bool untimed = false;

    agg->event++;
    for (size_t i = 0; i < count; i++) {
        const uint32_t rule = hits[i].rule;

        assert(rule < agg->detector->rule_count);
        if (agg->rule_first[rule] == agg->rule_first[rule + 1])
            continue;
        if (!hits[i].timed && !agg->options.search) {
            untimed = true;
            continue;
        }
        if (hits[i].timed && hits[i].time > agg->watermark)
            agg->watermark = hits[i].time;
        notify(agg, rule, &hits[i]);
    }
    agg->stats.untimed += untimed ? 1 : 0;
    for (uint32_t w = 0; w < words; w++)
        while (agg->active[w] != 0) {
            const unsigned bit = (unsigned)__builtin_ctzll(agg->active[w]);

            agg->active[w] &= agg->active[w] - 1;
            run_corr(agg, w * 64 + bit, place);
        }
}

sr_agg_stats sr_agg_totals(const sr_agg *agg)
{
    sr_agg_stats stats = agg->stats;

    stats.bytes = agg->pool.held;
    return stats;
}

uint64_t sr_agg_refused(const sr_agg *agg, uint32_t correlation)
{
    return agg->corrs[correlation].refused;
}
