/*
 * test_save.c - an engine that is saved and loaded again goes on as if nothing
 * had happened. Random correlations and events; at random moments everything
 * that changed is saved to a store, sometimes a new engine with another number
 * of shards takes over from it, or all groups are made anew where they are; one
 * that is never disturbed says what is right. Bounds are often small.
 */
#include "agg/engine.h"
#include "support/corr_kit.h"
#include "support/test.h"

enum { SEEDS = 900, EVENTS = 220, RANK_AT = 10, COUNT_AT = 14 };

/* The undisturbed engine, the other one, and what was saved of it. */
typedef struct trial {
    kit_chance r;
    kit_model model;
    kit kit;
    sr_agg_options options;
    kit_engine right, have;
    kit_store store;
    uint64_t since;
    bool begun; /* something was saved */
    uint64_t reloads, gone, all;
} trial;

static void check_totals(const trial *t)
{
    const sr_agg_stats a = sr_agg_totals(t->right.agg);
    const sr_agg_stats b = sr_agg_totals(t->have.agg);
    const sr_agg_clock x = sr_agg_clock_get(t->right.agg);
    const sr_agg_clock y = sr_agg_clock_get(t->have.agg);

    CHECK_INT(b.groups, a.groups);
    CHECK_INT(b.bytes, a.bytes);
    CHECK_INT(b.expired, a.expired);
    CHECK_INT(b.evicted, a.evicted);
    CHECK_INT(b.refused, a.refused);
    CHECK_INT(b.late, a.late);
    CHECK_INT(b.sketched, a.sketched);
    CHECK(x.turn == y.turn && x.watermark == y.watermark &&
          x.expired == y.expired && x.sketched == y.sketched);
    for (uint32_t c = 0; c < t->kit.d.correlation_count; c++) {
        const sr_corr_stats l = sr_agg_losses(t->right.agg, c);
        const sr_corr_stats k = sr_agg_losses(t->have.agg, c);

        CHECK(l.evicted == k.evicted && l.refused == k.refused &&
              l.late == k.late);
    }
}

/* -------- saving and loading --------------------------------------------- */

/* An sr_save_fn that counts what is gone. */
static bool keep(void *ctx, uint32_t correlation, sg_str key,
                 const sg_str *value)
{
    trial *t = ctx;

    t->gone += value == NULL;
    if (value == NULL) /* told only of what was saved */
        CHECK(kit_find(&t->store, correlation, key) != NULL);
    return kit_keep(&t->store, correlation, key, value);
}

/* Whether a group saved when an event touched it is what it is now. The ranks
 * among groups that one event touched are not the same once others of them were
 * touched again; their order is. Values have no order. */
static bool same_value(const trial *t, const kit_saved *a, const kit_saved *b)
{
    const sg_str x = sg_buf_str(&a->value);
    const sg_str y = sg_buf_str(&b->value);

    if (t->kit.corrs[a->correlation].type == SIGMA_CORR_VALUE_COUNT)
        return x.len == y.len;
    return sg_str_eq(sg_str_sub(x, 0, RANK_AT), sg_str_sub(y, 0, RANK_AT)) &&
           sg_str_eq(sg_str_sub(x, COUNT_AT, x.len),
                     sg_str_sub(y, COUNT_AT, y.len));
}

/* What was saved bit by bit is what is saved at once. */
static void check_store(const trial *t)
{
    kit_store whole = {NULL, 0, 0};

    CHECK(sr_agg_save(t->have.agg, 0, kit_keep, &whole));
    CHECK_INT(whole.count, t->store.count);
    for (size_t i = 0; i < whole.count; i++) {
        const kit_saved *w = &whole.items[i];
        const kit_saved *s =
            kit_find(&t->store, w->correlation, sg_buf_str(&w->key));

        CHECK(s != NULL && same_value(t, s, w));
    }
    kit_clear(&whole);
}

static void save(trial *t)
{
    if (sr_agg_must_save_all(t->have.agg) || !t->begun ||
        kit_one_in(&t->r, 10)) {
        kit_clear(&t->store);
        t->since = 0;
        t->all++;
    }
    t->begun = true;
    CHECK(sr_agg_save(t->have.agg, t->since, keep, t));
    CHECK(!sr_agg_must_save_all(t->have.agg));
    t->since = sr_agg_clock_get(t->have.agg).turn;
    CHECK_INT(t->store.count, sr_agg_totals(t->have.agg).groups);
    if (kit_one_in(&t->r, 3))
        check_store(t);
}

static void load_groups(trial *t, sr_agg *agg)
{
    kit_store *s = &t->store;

    for (size_t i = s->count; i-- > 1;) {
        const size_t k = kit_below(&t->r, (uint32_t)i + 1);
        const kit_saved was = s->items[i];

        s->items[i] = s->items[k];
        s->items[k] = was;
    }
    for (size_t i = 0; i < s->count; i++) {
        const kit_saved *g = &s->items[i];

        CHECK(sr_agg_load(agg, g->correlation, sg_buf_str(&g->key),
                          sg_buf_str(&g->value)));
        if (kit_one_in(&t->r, 20)) /* there already */
            CHECK(!sr_agg_load(agg, g->correlation, sg_buf_str(&g->key),
                               sg_buf_str(&g->value)));
    }
    CHECK(sr_agg_loaded(agg, UINT32_MAX));
}

/* A new engine takes the place of the other one. */
static void reload(trial *t)
{
    const sg_buf fired = t->have.fired;
    const sr_agg_clock clock = sr_agg_clock_get(t->have.agg);
    sr_corr_stats losses[KIT_ALL_CORRS];

    for (uint32_t c = 0; c < t->kit.d.correlation_count; c++)
        losses[c] = sr_agg_losses(t->have.agg, c);
    t->have.fired = (sg_buf){0};
    kit_close(&t->have);
    t->options.shards = kit_below(&t->r, 6);
    kit_open(&t->have, &t->kit, t->options);
    t->have.fired = fired;
    load_groups(t, t->have.agg);
    for (uint32_t c = 0; c < t->kit.d.correlation_count; c++)
        sr_agg_set_losses(t->have.agg, c, losses[c]);
    sr_agg_clock_set(t->have.agg, clock);
    t->reloads++;
    check_totals(t);
}

/* Make all groups anew, as compact.c does. */
static void renew_all(trial *t)
{
    for (uint32_t i = 0; i < t->have.agg->shard_count; i++) {
        sr_shard *s = &t->have.agg->shards[i];

        sr_pool_turn(&s->pool);
        for (unsigned class = 0; class < SR_CLASSES; class ++)
            for (sr_group *g = s->idle[class].first, *next; g != NULL;
                 g = next) {
                next = g->next;
                CHECK(sr_group_renew(s, g));
            }
    }
    check_totals(t);
}

/* -------- damage --------------------------------------------------------- */

static bool load_into(kit_engine *e, const kit_saved *g, sg_str value)
{
    return sr_agg_load(e->agg, g->correlation, sg_buf_str(&g->key), value);
}

/* Groups cut off do not load; of those with other bits some do, and the engine
 * goes on with them. */
static void check_damage(trial *t, const kit_event *last)
{
    kit_engine victim;
    kit_event e = *last;

    kit_open(&victim, &t->kit, t->options);
    for (size_t i = 0; i < t->store.count && i < 4; i++) {
        const kit_saved *g = &t->store.items[i];
        const sg_str value = sg_buf_str(&g->value);
        sg_buf copy = {0};

        for (size_t len = 0; len < value.len; len++)
            CHECK(!load_into(&victim, g, sg_str_sub(value, 0, len)));
        sg_buf_put(&copy, value);
        for (uint32_t k = kit_below(&t->r, 3) + 1; k-- != 0;)
            copy.ptr[kit_below(&t->r, (uint32_t)copy.len)] ^=
                (char)(1 << kit_below(&t->r, 8));
        (void)load_into(&victim, g, sg_buf_str(&copy));
        sg_buf_free(&copy);
    }
    (void)sr_agg_loaded(victim.agg, UINT32_MAX);
    sr_agg_clock_set(victim.agg, sr_agg_clock_get(t->have.agg));
    for (unsigned i = 0; i < 20; i++) {
        e = kit_draw_event(&t->r, &t->model, &e, t->options.search);
        kit_feed(&victim, &e);
    }
    sr_agg_finish(victim.agg);
    kit_close(&victim);
}

/* -------- a timeline ----------------------------------------------------- */

static void begin(trial *t, uint64_t seed)
{
    *t = (trial){.r = {seed * UINT64_C(0x2545F4914F6CDD1D)}};
    kit_draw_model(&t->r, &t->model);
    kit_build(&t->kit, &t->model, &t->r, false);
    t->options = (sr_agg_options){
        .search = kit_one_in(&t->r, 3),
        .every_firing = kit_one_in(&t->r, 2),
        .max_groups = kit_one_in(&t->r, 2) ? 3 + kit_below(&t->r, 20) : 1000,
        .max_memory = kit_one_in(&t->r, 2) ? 1000 + kit_below(&t->r, 30000)
                                           : (uint64_t)64 << 20,
        .exact_values = kit_one_in(&t->r, 2) ? 1 + kit_below(&t->r, 4) : 100,
        .shards = 1,
    };
    kit_open(&t->right, &t->kit, t->options);
    t->options.shards = kit_below(&t->r, 6);
    kit_open(&t->have, &t->kit, t->options);
}

/* False when both have not fired the same. */
static bool fired_same(const trial *t, uint64_t seed)
{
    const sg_str want = sg_buf_str(&t->right.fired);
    const sg_str have = sg_buf_str(&t->have.fired);

    test_count++;
    if (sg_str_eq(want, have))
        return true;
    test_failures++;
    printf("seed %llu:\n  want: %.*s  have: %.*s\n", (unsigned long long)seed,
           SG_FMT(want), SG_FMT(have));
    return false;
}

static void run(uint64_t seed, trial *sums)
{
    trial t;
    kit_event e = {.time = 1000 * KIT_SECOND};
    bool same = true;

    begin(&t, seed);
    for (unsigned i = 0; i < EVENTS && same; i++) {
        t.right.fired.len = t.have.fired.len = 0;
        e = kit_draw_event(&t.r, &t.model, &e, t.options.search);
        kit_feed(&t.right, &e);
        kit_feed(&t.have, &e);
        same = fired_same(&t, seed);
        sums->have.fired.len += t.have.fired.len;
        if (kit_one_in(&t.r, 300)) {
            sr_agg_forget(t.right.agg);
            sr_agg_forget(t.have.agg);
        }
        if (!kit_one_in(&t.r, 12))
            continue;
        save(&t);
        if (kit_one_in(&t.r, 20))
            check_damage(&t, &e);
        if (kit_one_in(&t.r, 2))
            reload(&t);
        if (kit_one_in(&t.r, 2))
            renew_all(&t);
    }
    check_totals(&t);
    t.right.fired.len = t.have.fired.len = 0;
    sr_agg_finish(t.right.agg);
    sr_agg_finish(t.have.agg);
    fired_same(&t, seed);
    const sr_agg_stats stats = sr_agg_totals(t.right.agg);

    sums->reloads += t.reloads;
    sums->gone += t.gone;
    sums->all += t.all;
    sums->since += stats.evicted != 0;
    sums->begun = sums->begun || stats.refused != 0;
    sums->options.max_groups += stats.sketched != 0;
    kit_close(&t.right);
    kit_close(&t.have);
    kit_clear(&t.store);
}

/* Many, and all that there is to go wrong did occur. */
static void test_random(void)
{
    trial sums = {.reloads = 0};

    for (uint64_t seed = 1; seed <= SEEDS; seed++)
        run(seed, &sums);
    CHECK(sums.reloads > (uint64_t)SEEDS * 5);
    CHECK(sums.gone > SEEDS);
    CHECK(sums.since > SEEDS / 4);               /* evictions */
    CHECK(sums.begun);                           /* refusals */
    CHECK(sums.options.max_groups > SEEDS / 16); /* sketches */
    CHECK(sums.have.fired.len > (size_t)SEEDS * 1000);
}

int main(void)
{
    test_random();
    return TEST_END();
}
