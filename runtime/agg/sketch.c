/*
 * sketch.c - a group that holds more different values than it may keep goes
 * over to a sketch: value_count to HyperLogLog, percentiles to the logarithmic
 * buckets of DDSketch. Both forget what leaves the window exactly; an alert
 * says that its value is approximate, and by how much at most.
 */
#include "agg/engine.h"

#include <math.h>
#include <string.h>

/* -------- value_count ---------------------------------------------------- */

static uint32_t cell_of(const sr_distinct *d)
{
    return sr_hll_cell(sr_item_key(&d->item));
}

/* Each value as often as the window has it, so that it leaves with the last. */
static bool add_values(sr_shard *s, const sr_group *group, sr_hll *hll)
{
    const sr_table *table = &group->state->distinct;

    for (uint32_t i = 0; i < table->cap; i++) {
        const sr_distinct *d = (const void *)table->slots[i].item;

        for (uint64_t n = 0; d != NULL && n < d->uses; n++) {
            if (!sr_hll_add(&s->pool, hll, cell_of(d)))
                return false;
            if (!sr_corr_of(s, group)->windowed)
                break; /* nothing ever leaves */
        }
    }
    return true;
}

/* Entries of the window say which cell they are in, no longer which value. */
static void name_cells(sr_shard *s, sr_group *group, const void *except)
{
    const size_t stride = sr_corr_of(s, group)->type->stride;
    sr_window_at at = {0, 0};
    char *entry;

    while ((entry = sr_window_next(&group->window, stride, &at)) != NULL) {
        uint64_t n;

        entry += sizeof(int64_t);
        if (entry == except)
            continue;
        memcpy(&n, entry, sizeof(n));
        n = cell_of((const sr_distinct *)(uintptr_t)n);
        memcpy(entry, &n, sizeof(n));
    }
}

bool sr_sketch_distinct(sr_shard *s, sr_group *group, const void *entry)
{
    sr_hll *hll = sr_hll_new(&s->pool);

    if (hll == NULL)
        return false;
    if (!add_values(s, group, hll)) {
        sr_hll_free(&s->pool, hll);
        return false;
    }
    name_cells(s, group, entry);
    sr_distinct_free(s, group);
    group->state->hll = hll;
    group->sketched = true;
    s->stats.sketched++;
    return true;
}

/* -------- percentiles ---------------------------------------------------- */

typedef struct copier {
    sr_pool *pool;
    sr_order *to;
} copier;

static bool add_quantized(void *ctx, sg_num n, uint64_t times)
{
    const copier *c = ctx;

    return sr_order_add(c->pool, c->to, sr_quantize(n), times);
}

bool sr_sketch_order(sr_shard *s, sr_group *group)
{
    sr_order fresh = {.seed = s->agg->layout->salt};
    copier c = {&s->pool, &fresh};

    if (!sr_order_each(&group->state->order, add_quantized, &c)) {
        sr_order_free(&s->pool, &fresh);
        return false;
    }
    sr_order_free(&s->pool, &group->state->order);
    group->state->order = fresh;
    group->sketched = true;
    s->stats.sketched++;
    return true;
}

/* -------- how far off ----------------------------------------------------- */

/* What the sketch's error is a share of: the value, but between numbers of
 * opposite sign, whose errors do not cancel as they do themselves, more. */
static double scale_of(const sr_corr *corr, const sr_group *group, double value)
{
    switch (corr->def->type) {
    case SIGMA_CORR_VALUE_PERCENTILE:
        return sr_order_scale(&group->state->order, corr->def->percentile);
    case SIGMA_CORR_VALUE_MEDIAN:
        return sr_order_scale(&group->state->order, 50);
    default:
        return fabs(value);
    }
}

sr_error sr_error_of(const sr_shard *s, const sr_group *group, sg_num value)
{
    const sr_corr *corr = sr_corr_of(s, group);
    const double size = fabs(sg_num_double(value));
    const double error = corr->type->error;

    if (!group->sketched)
        return (sr_error){0, 0};
    const double scale = scale_of(corr, group, sg_num_double(value));

    return (sr_error){.share = scale <= size ? error
                               : size > 0    ? error * (scale / size)
                                             : INFINITY,
                      .most = error * scale};
}
