/*
 * charge.c - what a group counts for against --max-memory: the bytes it would
 * take had it just been made from what it holds, not those that it has grown to
 * on the way. So a group counts the same in a run that was resumed, and what is
 * let go for room is the same, too. That the memory itself stays near what is
 * counted is seen to by compact.c.
 */
#include "agg/engine.h"

enum {
    INDEX = 48 /* a slot of a table that is between half and all full */
};

static uint64_t charge_of_copies(const sr_row_state *row)
{
    return row == NULL
               ? 0
               : sr_pool_size(row->first.len) + sr_pool_size(row->last.len);
}

static uint64_t charge_of_state(const sr_corr *corr, const sr_group *group)
{
    switch (corr->def->type) {
    case SIGMA_CORR_VALUE_COUNT:
        return group->sketched ? sr_hll_bytes(group->state->hll)
                               : sr_table_bytes(group->state->distinct.count) +
                                     group->state->distinct_bytes;
    case SIGMA_CORR_VALUE_SUM:
    case SIGMA_CORR_VALUE_AVG:
        return sr_sum_bytes(sr_sum_floats(&group->state->sum));
    case SIGMA_CORR_VALUE_PERCENTILE:
    case SIGMA_CORR_VALUE_MEDIAN:
        return sr_order_bytes(group->state->order.nodes);
    default:
        return 0;
    }
}

uint64_t sr_charge_content(const sr_corr *corr, const sr_group *group)
{
    return charge_of_copies(group->row) +
           sr_window_bytes(group->window.count, corr->type->stride) +
           charge_of_state(corr, group);
}

uint64_t sr_charge_itself(const sr_shard *s, const sr_corr *corr,
                          size_t key_len)
{
    return INDEX + sr_pool_size(sr_group_size(corr, key_len)) +
           (s->agg->options.search ? sr_pool_size(sizeof(sr_row_state)) : 0);
}

uint64_t sr_charge(const sr_shard *s, const sr_group *group)
{
    const sr_corr *corr = sr_corr_of(s, group);

    return sr_charge_itself(s, corr, group->item.key_len) +
           sr_charge_content(corr, group);
}

/* -------- by how much it grows ------------------------------------------- */

/* value_count: one value more, or the step to a sketch. */
static uint64_t growth_of_values(const sr_shard *s, const sr_group *group)
{
    const uint32_t count =
        group == NULL || group->sketched ? 0 : group->state->distinct.count;

    if ((group != NULL && group->sketched) ||
        count >= s->agg->options.exact_values)
        return sr_hll_bytes_most((uint64_t)count + 1);
    return sr_pool_size(sizeof(sr_distinct) + s->tuple.len) +
           sr_table_bytes(count + 1) - sr_table_bytes(count);
}

static uint64_t growth_of_state(const sr_shard *s, const sr_corr *corr,
                                const sr_group *group)
{
    switch (corr->def->type) {
    case SIGMA_CORR_VALUE_COUNT:
        return growth_of_values(s, group);
    case SIGMA_CORR_VALUE_SUM:
    case SIGMA_CORR_VALUE_AVG:
        return group != NULL && sr_sum_floats(&group->state->sum)
                   ? 0
                   : sr_sum_bytes(true);
    case SIGMA_CORR_VALUE_PERCENTILE:
    case SIGMA_CORR_VALUE_MEDIAN:
        return sr_order_bytes(1);
    default:
        return 0;
    }
}

uint64_t sr_charge_growth(const sr_shard *s, const sr_corr *corr,
                          const sr_group *group, const sr_part_hit *when)
{
    const uint32_t count = group == NULL ? 0 : group->window.count;
    uint64_t bytes = growth_of_state(s, corr, group);

    if (group == NULL)
        bytes += sr_charge_itself(s, corr, s->key.len);
    if (group == NULL && s->agg->options.search)
        bytes += 2 * sr_pool_size(0);
    if (corr->ends)
        bytes += 2 * sr_pool_size(when->raw_len);
    if (corr->windowed && count != UINT32_MAX)
        bytes += sr_window_bytes(count + 1, corr->type->stride) -
                 sr_window_bytes(count, corr->type->stride);
    return bytes;
}

uint64_t sr_charge_step(const sr_agg *agg, const sr_corr *corr)
{
    enum { STEP = 8192, VALUE = 64 }; /* of each value a sketch is made from */
    const uint64_t sketch = sr_hll_bytes_most(UINT64_MAX);

    return corr->def->type == SIGMA_CORR_VALUE_COUNT &&
                   agg->options.exact_values < sketch / VALUE
               ? STEP + sketch
               : STEP;
}
