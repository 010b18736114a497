/*
 * agg.c - the engine as others see it: shards, to which contributions go by
 * the hash of what they can meet in, and the bounds over all of them. Whatever
 * the number of shards and threads, the result is that of one after the other.
 *
 * When a bound is reached, groups are let go, the longest idle first. Those
 * whose window has run empty meanwhile are no loss; the others are counted.
 */
#include "agg/engine.h"

#include <stdlib.h>
#include <string.h>

enum { SCRATCH_KEPT = 1 << 20 }; /* bytes */

/* -------- opening -------------------------------------------------------- */

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

/* Which key holds each field of the partition. */
static const uint32_t *part_keys(sr_agg *agg, uint32_t c)
{
    const sr_layout *l = agg->layout;
    const sr_component *k = &l->components[l->component_of[c]];
    uint32_t *keys = sg_new_n(&agg->arena, uint32_t, (size_t)k->part_count + 1);

    for (uint32_t i = 0; i < k->part_count; i++)
        keys[i] = sr_layout_key(agg->detector, c, l->parts[k->part_first + i]);
    return keys;
}

static void open_corr(sr_agg *agg, uint32_t c)
{
    const sigma_detector *d = agg->detector;
    const sigma_correlation *def = &d->correlations[c];
    sr_corr *corr = &agg->corrs[c];

    corr->def = def;
    corr->type = sr_type_of(def->type);
    if (corr->type->values && def->value_count == 0)
        sg_fatal("the detector holds a correlation without its field");
    corr->sources = d->corr_sources + def->source_first;
    corr->part_keys = part_keys(agg, c);
    corr->plain = is_plain(d, def);
    corr->twice = has_twins(d->corr_refs + def->ref_first, def->ref_count);
    corr->windowed =
        !agg->options.search || def->type == SIGMA_CORR_TEMPORAL_ORDERED;
    corr->ends = agg->options.search && sr_shows_times(d, def);
    corr->whole = agg->layout->components[agg->layout->component_of[c]].whole;
    corr->ready = corr->whole;
    for (uint32_t i = 0; i < def->key_count && corr->ready; i++)
        corr->ready = corr->part_keys[i] == i;
    corr->mark_count = sr_mark_count(corr);
    if (sr_charge_step(agg, corr) > agg->step)
        agg->step = sr_charge_step(agg, corr);
}

/* Rules first, then correlations: the index of a ref among those listened
 * to. */
static uint32_t source_of(const sigma_detector *d, const sigma_corr_ref *ref)
{
    return ref->is_correlation ? d->rule_count + ref->index : ref->index;
}

/* Lists who listens to each rule and correlation, component by component, by
 * counting sort. */
static void open_listeners(sr_agg *agg)
{
    const sigma_detector *d = agg->detector;
    const uint32_t sources = d->rule_count + d->correlation_count;
    uint32_t *first = sg_new_n(&agg->arena, uint32_t, (size_t)sources + 2);

    agg->listeners = sg_new_n(&agg->arena, sr_listener, d->corr_ref_count);
    agg->listener_first = first;
    first++; /* shifted by one: the fill below moves each start to its end */
    for (uint32_t i = 0; i < d->corr_ref_count; i++)
        first[source_of(d, &d->corr_refs[i]) + 1]++;
    for (uint32_t i = 0; i < sources; i++)
        first[i + 1] += first[i];
    for (uint32_t i = 0; i < d->correlation_count; i++) {
        const uint32_t c = agg->layout->corrs[i];
        const sigma_correlation *def = &d->correlations[c];

        for (uint32_t r = 0; r < def->ref_count; r++) {
            const sigma_corr_ref *ref = &d->corr_refs[def->ref_first + r];

            agg->listeners[first[source_of(d, ref)]++] = (sr_listener){c, r};
        }
    }
}

static int by_span(const void *a, const void *b)
{
    const int64_t x = *(const int64_t *)a;
    const int64_t y = *(const int64_t *)b;

    return x < y ? -1 : x > y;
}

/* One class for each timespan in use; of more than SR_CLASSES, neighbours
 * share one. In search mode nothing expires. */
static void open_classes(sr_agg *agg)
{
    const uint32_t count = agg->detector->correlation_count;
    int64_t *spans = sg_new_n(&agg->arena, int64_t, (size_t)count + 1);
    uint32_t distinct = 0;

    for (uint32_t c = 0; c < count; c++)
        spans[c] = agg->options.search ? 0 : agg->corrs[c].def->timespan;
    qsort(spans, count, sizeof(*spans), by_span);
    for (uint32_t c = 0; c < count; c++)
        if (c == 0 || spans[c] != spans[distinct - 1])
            spans[distinct++] = spans[c];
    agg->classes = distinct < SR_CLASSES ? distinct : SR_CLASSES;
    for (uint32_t c = 0; c < count; c++) {
        const int64_t span =
            agg->options.search ? 0 : agg->corrs[c].def->timespan;
        const int64_t *at =
            bsearch(&span, spans, distinct, sizeof(*spans), by_span);
        const uint64_t rank = (uint64_t)(at - spans);

        agg->corrs[c].class =
            (uint32_t)(distinct <= SR_CLASSES ? rank
                                              : rank * SR_CLASSES / distinct);
    }
}

/* Scratch for the widest correlation. */
static void open_shard(sr_agg *agg, sr_shard *s)
{
    const sigma_detector *d = agg->detector;
    uint32_t keys = 1;
    uint32_t refs = 1;
    uint32_t exprs = 1;

    s->agg = agg;
    s->runs =
        sg_new_n(&s->arena, sr_corr_run, (size_t)d->correlation_count + 1);
    for (uint32_t c = 0; c < d->correlation_count; c++) {
        const sigma_correlation *def = &d->correlations[c];

        s->runs[c].pending = sg_new_n(&s->arena, sr_pending, def->ref_count);
        keys = def->key_count > keys ? def->key_count : keys;
        refs = def->ref_count > refs ? def->ref_count : refs;
        exprs = def->expr_count > exprs ? def->expr_count : exprs;
    }
    s->kinds = sg_new_n(&s->arena, uint8_t, keys);
    s->cells = sg_new_n(&s->arena, sr_cell, keys);
    s->touched = sg_new_n(&s->arena, sr_touched, refs);
    s->stack = sg_new_n(&s->arena, bool, exprs);
    s->chains = sg_new_n(&s->arena, uint32_t, (size_t)refs + 1);
}

sr_agg *sr_agg_open(const sr_layout *layout, const sr_agg_options *options)
{
    const sigma_detector *d = layout->detector;
    sr_agg *agg = calloc(1, sizeof(*agg));

    if (agg == NULL)
        sg_fatal("out of memory");
    agg->layout = layout;
    agg->detector = d;
    agg->options = *options;
    agg->watermark = SR_NEVER;
    agg->corrs =
        sg_new_n(&agg->arena, sr_corr, (size_t)d->correlation_count + 1);
    for (uint32_t c = 0; c < d->correlation_count; c++)
        open_corr(agg, c);
    open_listeners(agg);
    open_classes(agg);
    agg->shard_count = options->shards == 0 ? 1 : options->shards;
    agg->shards = sg_new_n(&agg->arena, sr_shard, agg->shard_count);
    for (uint32_t i = 0; i < agg->shard_count; i++)
        open_shard(agg, &agg->shards[i]);
    return agg;
}

void sr_agg_close(sr_agg *agg)
{
    if (agg == NULL)
        return;
    for (uint32_t i = 0; i < agg->shard_count; i++) {
        sr_shard *s = &agg->shards[i];

        sr_groups_close(s);
        sg_buf_free(&s->key);
        sg_buf_free(&s->tuple);
        sg_buf_free(&s->fired);
        sg_buf_free(&s->gone);
        sg_arena_free(&s->arena);
    }
    sg_arena_free(&agg->arena);
    free(agg);
}

void sr_agg_forget(sr_agg *agg)
{
    for (uint32_t i = 0; i < agg->shard_count; i++)
        sr_groups_free(&agg->shards[i]);
    agg->watermark = SR_NEVER;
}

void sr_agg_rank_sources(sr_agg *agg, const uint32_t *ranks)
{
    agg->ranks = ranks;
}

/* -------- bounds --------------------------------------------------------- */

/* The longest idle group of a class that is neither `keep` nor touched by the
 * event at hand, and its shard. */
static sr_group *idlest(sr_agg *agg, unsigned class, const sr_group *keep,
                        uint64_t turn, sr_shard **where)
{
    sr_group *best = NULL;

    for (uint32_t i = 0; i < agg->shard_count; i++) {
        sr_group *group = agg->shards[i].idle[class].first;

        while (group != NULL && (group == keep || group->turn == turn))
            group = group->next;
        if (group == NULL || (best != NULL && group->turn >= best->turn))
            continue;
        best = group;
        *where = &agg->shards[i];
    }
    return best;
}

/* Its window is empty by now, as far as events arrive in order. */
static bool is_dead(const sr_agg *agg, const sr_group *group)
{
    return !agg->options.search && group->timed &&
           group->newest <
               sr_cutoff(agg->watermark,
                         agg->corrs[group->correlation].def->timespan);
}

static uint64_t bytes_of(const sr_agg *agg)
{
    uint64_t bytes = 0;

    for (uint32_t i = 0; i < agg->shard_count; i++)
        bytes += agg->shards[i].charged;
    return bytes;
}

static uint64_t groups_of(const sr_agg *agg)
{
    uint64_t groups = 0;

    for (uint32_t i = 0; i < agg->shard_count; i++)
        groups += agg->shards[i].stats.groups;
    return groups;
}

/* Let one group go, a dead one if there is one; false when there is none. */
static bool evict(sr_shard *s, const sr_group *keep)
{
    sr_agg *agg = s->agg;
    sr_group *best = NULL;
    sr_shard *where = NULL;

    for (unsigned class = 0; class < agg->classes; class ++) {
        sr_shard *here = NULL;
        sr_group *group = idlest(agg, class, keep, s->turn, &here);

        if (group == NULL)
            continue;
        if (is_dead(agg, group)) {
            sr_group_fetch_next(here, group);
            sr_group_free(here, group);
            s->stats.expired++;
            return true;
        }
        if (best == NULL || group->turn < best->turn) {
            best = group;
            where = here;
        }
    }
    if (best == NULL)
        return false;
    sr_group_fetch_next(where, best);
    s->runs[best->correlation].losses.evicted++;
    s->stats.evicted++;
    sr_group_free(where, best);
    return true;
}

/* Whether there may be so many bytes more, in one more group when `keep` is
 * NULL. */
static bool fits(const sr_agg *agg, const sr_group *keep, uint64_t bytes)
{
    const uint64_t most = agg->options.max_memory;

    return bytes <= most && bytes_of(agg) <= most - bytes &&
           (keep != NULL || groups_of(agg) < agg->options.max_groups);
}

bool sr_make_room(sr_shard *s, const sr_group *keep, uint64_t bytes)
{
    const sr_agg *agg = s->agg;
    const uint64_t most = agg->options.max_memory;

    if (agg->roomy || fits(agg, keep, bytes))
        return true;
    const uint64_t own = keep == NULL ? 0 : sr_charge(s, keep);

    if (bytes > most || own > most - bytes)
        return false; /* not even alone: nothing need go for it */
    while (!fits(agg, keep, bytes))
        if (!evict(s, keep))
            return false;
    return true;
}

/* -------- feeding -------------------------------------------------------- */

sr_shard *sr_shard_of(sr_agg *agg, uint64_t partition)
{
    return &agg->shards[(partition >> 32 & 0xFFFF) % agg->shard_count];
}

/* A huge value is not held in the scratch of every shard that has seen one. */
static void run(sr_shard *s, const sr_contribution *c, uint64_t turn)
{
    s->c = c;
    s->turn = turn;
    sr_correlate(s);
    s->c = NULL;
    sg_buf_clear(&s->key, SCRATCH_KEPT);
    sg_buf_clear(&s->tuple, SCRATCH_KEPT);
}

void sr_agg_feed(sr_agg *agg, const sr_contribution *c)
{
    sr_shard *s = sr_shard_of(agg, c->hash);

    if (c->newest > agg->watermark)
        agg->watermark = c->newest;
    run(s, c, ++agg->turn);
    if (!agg->roomy)
        sr_compact(agg);
}

/* What contributions will need from memory is fetched while those before them
 * run: their places in the table, then the groups, then the groups' neighbours.
 * Some together, as a hint for a page that the processor has yet to look up
 * holds up what comes behind it, but not another hint right after it. A shard
 * of FEW groups has them in a cache. */
enum { BURST = 8, FEW = 1024 };

typedef void fetch_fn(const sr_shard *s, uint64_t hash);

/* Of contributions from `beg` on up to `end`: those of the shard whose group
 * can be told from their hash. */
static void fetch(const sr_shard *s, const sr_contribution *const *list,
                  size_t beg, size_t end, fetch_fn *fn)
{
    for (size_t n = beg; n < end; n++)
        if (sr_shard_of(s->agg, list[n]->hash) == s &&
            s->agg->layout->components[list[n]->component].whole)
            fn(s, list[n]->hash);
}

static void fetch_ahead(const sr_shard *s, const sr_contribution *const *list,
                        size_t n, size_t count)
{
    static fetch_fn *const steps[] = {sr_group_fetch_behind, sr_group_fetch,
                                      sr_group_fetch_slot};

    if (n % BURST != 0 || s->stats.groups < FEW)
        return;
    for (size_t i = sizeof(steps) / sizeof(*steps); i != 0; i--) {
        const size_t beg = n == 0 ? 0 : n + i * BURST;
        const size_t end = n + (i + 1) * BURST;

        fetch(s, list, beg, end < count ? end : count, steps[i - 1]);
    }
}

/* What a batch works on. */
typedef struct batch {
    sr_agg *agg;
    const sr_contribution *const *contributions;
    size_t count;
} batch;

/* One shard's share. */
static void run_shard(void *ctx, uint32_t i)
{
    const batch *b = ctx;
    sr_shard *s = &b->agg->shards[i];

    for (size_t n = 0; n < b->count; n++) {
        fetch_ahead(s, b->contributions, n, b->count);
        if (sr_shard_of(b->agg, b->contributions[n]->hash) == s)
            run(s, b->contributions[n], b->agg->turn + n + 1);
    }
}

/* Whether so many contributions cannot reach a bound, whatever they hold:
 * tables at most double, and what else an event adds is bounded. */
static bool is_safe(const sr_agg *agg, const sr_contribution *const *list,
                    size_t count)
{
    enum { COPIES = 8 };
    const uint64_t quarter = agg->options.max_memory / 4;
    uint64_t bytes = 0;
    uint64_t touches = 0;

    for (size_t i = 0; i < count; i++) {
        const sr_contribution *c = list[i];
        const sr_component *k = &agg->layout->components[c->component];
        const uint64_t most = (uint64_t)k->corr_count * c->hit_count;

        touches += most;
        bytes += most * (agg->step + (uint64_t)c->size * COPIES);
    }
    return bytes_of(agg) < quarter && bytes < quarter &&
           touches < agg->options.max_groups &&
           groups_of(agg) < agg->options.max_groups - touches &&
           !sr_compact_due(agg);
}

/* Hand out what the shards' correlations fired, in the order of events. */
static void fire_all(sr_agg *agg)
{
    size_t *at = calloc(agg->shard_count, sizeof(*at));

    if (at == NULL)
        sg_fatal("out of memory");
    for (;;) {
        const sr_deferred *least = NULL;
        uint32_t who = 0;

        for (uint32_t i = 0; i < agg->shard_count; i++) {
            const sr_deferred *d = sr_deferred_at(&agg->shards[i], at[i]);

            if (d == NULL || (least != NULL && d->turn > least->turn))
                continue;
            least = d;
            who = i;
        }
        if (least == NULL)
            break;
        sr_fire_deferred(&agg->shards[who], &at[who]);
    }
    for (uint32_t i = 0; i < agg->shard_count; i++)
        sg_buf_clear(&agg->shards[i].fired, SCRATCH_KEPT);
    free(at);
}

/* Whether a bound is near is decided for a few contributions at a time. */
static void feed_in_turn(sr_agg *agg, const sr_contribution *const *list,
                         size_t count)
{
    enum { PIECE = 64 };

    for (size_t n = 0; n < count; n++) {
        if (n % PIECE == 0) {
            const size_t rest = count - n;

            agg->roomy = is_safe(agg, list + n, rest < PIECE ? rest : PIECE);
        }
        if (agg->shard_count == 1)
            fetch_ahead(&agg->shards[0], list, n, count);
        sr_agg_feed(agg, list[n]);
    }
    agg->roomy = false;
}

void sr_agg_feed_all(sr_agg *agg, const sr_contribution *const *contributions,
                     size_t count, sr_parallel_fn *parallel, void *pool)
{
    enum { WORTH = 64 };
    batch b = {agg, contributions, count};

    if (agg->shard_count == 1 || parallel == NULL || count < WORTH ||
        !is_safe(agg, contributions, count)) {
        feed_in_turn(agg, contributions, count);
        return;
    }
    for (size_t i = 0; i < count; i++)
        if (contributions[i]->newest > agg->watermark)
            agg->watermark = contributions[i]->newest;
    agg->roomy = true;
    for (uint32_t i = 0; i < agg->shard_count; i++)
        agg->shards[i].defer = true;
    parallel(pool, run_shard, &b, agg->shard_count);
    agg->turn += count;
    for (uint32_t i = 0; i < agg->shard_count; i++)
        agg->shards[i].defer = false;
    agg->roomy = false;
    fire_all(agg);
}

/* -------- account -------------------------------------------------------- */

sr_agg_stats sr_agg_totals(const sr_agg *agg)
{
    sr_agg_stats stats = {.groups = 0};

    for (uint32_t i = 0; i < agg->shard_count; i++) {
        const sr_shard *s = &agg->shards[i];

        stats.groups += s->stats.groups;
        stats.bytes += s->charged;
        stats.held += s->pool.held;
        stats.expired += s->stats.expired;
        stats.evicted += s->stats.evicted;
        stats.refused += s->stats.refused;
        stats.late += s->stats.late;
        stats.sketched += s->stats.sketched;
    }
    return stats;
}

sr_corr_stats sr_agg_losses(const sr_agg *agg, uint32_t correlation)
{
    sr_corr_stats sum = {.evicted = 0};

    for (uint32_t i = 0; i < agg->shard_count; i++) {
        const sr_corr_stats *own = &agg->shards[i].runs[correlation].losses;

        sum.evicted += own->evicted;
        sum.refused += own->refused;
        sum.late += own->late;
    }
    return sum;
}

void sr_agg_set_losses(sr_agg *agg, uint32_t correlation, sr_corr_stats losses)
{
    sr_shard *s = &agg->shards[0];

    s->runs[correlation].losses = losses;
    s->stats.evicted += losses.evicted;
    s->stats.refused += losses.refused;
    s->stats.late += losses.late;
}

sr_agg_clock sr_agg_clock_get(const sr_agg *agg)
{
    const sr_agg_stats stats = sr_agg_totals(agg);

    return (sr_agg_clock){agg->turn, agg->watermark, stats.expired,
                          stats.sketched};
}

void sr_agg_clock_set(sr_agg *agg, sr_agg_clock clock)
{
    const uint64_t most = UINT64_MAX / 4; /* it never wraps */

    agg->turn = clock.turn < most ? clock.turn : most;
    agg->watermark = clock.watermark;
    for (uint32_t i = 0; i < agg->shard_count; i++)
        sr_groups_cap(&agg->shards[i], agg->turn);
    agg->shards[0].stats.expired = clock.expired;
    agg->shards[0].stats.sketched = clock.sketched;
}
