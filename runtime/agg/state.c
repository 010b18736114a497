/*
 * state.c - what each of the eight types of correlation remembers of the
 * events in a group's window, and when its condition holds.
 *
 * Every event costs the same few steps however full the window is: values go
 * in when an event comes and out when it leaves.
 */
#include "agg/engine.h"

#include <string.h>

static sg_num count_num(uint64_t n)
{
    return (sg_num){.kind = SIGMA_INT, .v = {.i = (int64_t)n}};
}

static int64_t cutoff_of(const sr_shard *s, const sr_group *group)
{
    return s->agg->options.search
               ? SR_NEVER + 1
               : sr_cutoff(group->newest, sr_corr_of(s, group)->def->timespan);
}

/* -------- event_count ---------------------------------------------------- */

static bool count_add(sr_shard *s, sr_group *group, uint32_t ref, void *entry)
{
    (void)s;
    (void)group;
    (void)ref;
    (void)entry;
    return true;
}

static void count_drop(sr_shard *s, sr_group *group, const void *entry)
{
    (void)s;
    (void)entry;
    group->count--;
}

static sg_num count_value(sr_shard *s, sr_group *group)
{
    (void)s;
    return count_num(group->count);
}

static void nothing_to_free(sr_shard *s, sr_group *group)
{
    (void)s;
    (void)group;
}

/* -------- value_count ---------------------------------------------------- */

sr_distinct *sr_distinct_of(sr_shard *s, sr_group *group, sg_str key)
{
    const uint64_t hash = sg_str_hash_seeded(key, s->agg->layout->salt);
    sr_item *item = sr_table_find(&group->state->distinct, hash, key);
    const size_t size = sizeof(sr_distinct) + key.len;

    if (item != NULL)
        return (sr_distinct *)(void *)item;
    sr_distinct *d = sr_pool_alloc(&s->pool, size);

    if (d == NULL)
        return NULL;
    *d = (sr_distinct){
        .item = {hash, (uint32_t)key.len, offsetof(sr_distinct, bytes)}};
    memcpy(d->bytes, key.ptr, key.len);
    if (!sr_table_add(&s->pool, &group->state->distinct, &d->item)) {
        sr_pool_free(&s->pool, d, size);
        return NULL;
    }
    group->state->distinct_bytes += sr_pool_size(size);
    return d;
}

static void free_distinct(sr_shard *s, sr_group *group, sr_distinct *d)
{
    const size_t size = sizeof(*d) + d->item.key_len;

    group->state->distinct_bytes -= sr_pool_size(size);
    sr_pool_free(&s->pool, d, size);
}

/* The entry holds the value itself, or in a sketch its cell. */
static void set_entry(void *entry, uint64_t n)
{
    if (entry != NULL)
        memcpy(entry, &n, sizeof(n));
}

static bool sketch_add(sr_shard *s, sr_group *group, void *entry)
{
    const uint32_t cell = sr_hll_cell(sg_buf_str(&s->tuple));

    if (!sr_hll_add(&s->pool, group->state->hll, cell))
        return false;
    set_entry(entry, cell);
    return true;
}

/* One value more than a group may keep. */
static bool is_full(const sr_shard *s, const sr_group *group)
{
    const sg_str key = sg_buf_str(&s->tuple);

    return group->state->distinct.count >= s->agg->options.exact_values &&
           sr_table_find(&group->state->distinct,
                         sg_str_hash_seeded(key, s->agg->layout->salt),
                         key) == NULL;
}

static bool distinct_add(sr_shard *s, sr_group *group, uint32_t ref,
                         void *entry)
{
    (void)ref;
    if (!group->sketched && is_full(s, group) &&
        !sr_sketch_distinct(s, group, entry))
        return false;
    if (group->sketched)
        return sketch_add(s, group, entry);
    sr_distinct *d = sr_distinct_of(s, group, sg_buf_str(&s->tuple));

    if (d == NULL)
        return false;
    d->uses++;
    set_entry(entry, (uintptr_t)d);
    return true;
}

static void distinct_drop(sr_shard *s, sr_group *group, const void *entry)
{
    uint64_t n;

    memcpy(&n, entry, sizeof(n));
    group->count--;
    if (group->sketched) {
        sr_hll_remove(&s->pool, group->state->hll, (uint32_t)n);
        return;
    }
    sr_distinct *d = (sr_distinct *)(uintptr_t)n;

    if (--d->uses != 0)
        return;
    sr_table_remove(&group->state->distinct, &d->item);
    free_distinct(s, group, d);
}

static sg_num distinct_value(sr_shard *s, sr_group *group)
{
    (void)s;
    return count_num(group->sketched ? sr_hll_estimate(group->state->hll)
                                     : group->state->distinct.count);
}

void sr_distinct_free(sr_shard *s, sr_group *group)
{
    sr_table *table = &group->state->distinct;

    if (group->sketched) {
        sr_hll_free(&s->pool, group->state->hll);
        group->state->hll = NULL;
        return;
    }
    for (uint32_t i = 0; i < table->cap; i++)
        if (table->slots[i].item != NULL)
            free_distinct(s, group,
                          (sr_distinct *)(void *)table->slots[i].item);
    sr_table_free(&s->pool, table);
}

/* -------- sums and means ------------------------------------------------- */

static bool sum_add(sr_shard *s, sr_group *group, uint32_t ref, void *entry)
{
    (void)ref;
    if (!sr_sum_add(&s->pool, &group->state->sum, s->cells[0].num))
        return false;
    if (entry != NULL)
        memcpy(entry, &s->cells[0].num, sizeof(sg_num));
    return true;
}

static void sum_drop(sr_shard *s, sr_group *group, const void *entry)
{
    sg_num n;

    (void)s;
    memcpy(&n, entry, sizeof(n));
    sr_sum_remove(&group->state->sum, n);
    group->count--;
}

static sg_num sum_value(sr_shard *s, sr_group *group)
{
    (void)s;
    return sr_sum_value(&group->state->sum, 1);
}

static sg_num mean_value(sr_shard *s, sr_group *group)
{
    (void)s;
    return sr_sum_value(&group->state->sum,
                        group->count == 0 ? 1 : group->count);
}

static void sum_free(sr_shard *s, sr_group *group)
{
    sr_sum_free(&s->pool, &group->state->sum);
}

/* -------- percentiles ---------------------------------------------------- */

static sg_num order_num(const sr_group *group, sg_num n)
{
    return group->sketched ? sr_quantize(n) : n;
}

static bool order_add(sr_shard *s, sr_group *group, uint32_t ref, void *entry)
{
    const sg_num num = s->cells[0].num;

    (void)ref;
    if (group->state->order.nodes == 0) /* no numbers can aim at its shape */
        group->state->order.seed = s->agg->layout->salt;
    if (!group->sketched &&
        group->state->order.nodes >= s->agg->options.exact_values &&
        !sr_sketch_order(s, group))
        return false;
    if (!sr_order_add(&s->pool, &group->state->order, order_num(group, num), 1))
        return false;
    if (entry != NULL)
        memcpy(entry, &num, sizeof(num));
    return true;
}

static void order_drop(sr_shard *s, sr_group *group, const void *entry)
{
    sg_num n;

    memcpy(&n, entry, sizeof(n));
    sr_order_remove(&s->pool, &group->state->order, order_num(group, n));
    group->count--;
}

static sg_num percentile_value(sr_shard *s, sr_group *group)
{
    return sr_order_percentile(&group->state->order,
                               sr_corr_of(s, group)->def->percentile);
}

static sg_num median_value(sr_shard *s, sr_group *group)
{
    (void)s;
    return sr_order_percentile(&group->state->order, 50);
}

static void order_free(sr_shard *s, sr_group *group)
{
    sr_order_free(&s->pool, &group->state->order);
}

/* -------- temporal ------------------------------------------------------- */

/* marks[k]: when ref k was last seen. */
static bool temporal_add(sr_shard *s, sr_group *group, uint32_t ref,
                         void *entry)
{
    const sr_mark_entry e = {ref, group->turn != s->turn};

    if (s->now > sr_marks_of(group)[ref])
        sr_marks_of(group)[ref] = s->now;
    if (entry != NULL)
        memcpy(entry, &e, sizeof(e));
    return true;
}

static void mark_drop(sr_shard *s, sr_group *group, const void *entry)
{
    sr_mark_entry e;

    (void)s;
    memcpy(&e, entry, sizeof(e));
    if (e.fresh)
        group->count--;
}

/* How many refs were seen in the window, by the first marks. */
static uint32_t seen_refs(const sr_shard *s, const sr_group *group)
{
    const int64_t cutoff = cutoff_of(s, group);
    uint32_t n = 0;

    for (uint32_t k = 0; k < sr_corr_of(s, group)->def->ref_count; k++)
        n += sr_marks_of(group)[k] >= cutoff;
    return n;
}

static sg_num temporal_value(sr_shard *s, sr_group *group)
{
    return count_num(seen_refs(s, group));
}

/* -------- temporal_ordered ----------------------------------------------- */

/*
 * A chain is an in-order subsequence of the list. Of each kind of chain the
 * one that began last is enough: it is the last to leave the window.
 *
 * Plain: marks[k] is the start of the best chain 0, 1 .. k.
 * Otherwise: marks[k] is when ref k was last seen, and row l of the table
 * behind holds the starts of the best chains of l + 1 refs that end with k.
 */
static void chain(const sr_corr *corr, int64_t *marks, uint32_t ref,
                  int64_t time)
{
    const uint32_t n = corr->def->ref_count;

    if (corr->plain) {
        const int64_t start = ref == 0 ? time : marks[ref - 1];

        if (start > marks[ref])
            marks[ref] = start;
        return;
    }
    int64_t *row = marks + n;

    marks[ref] = time;
    row[ref] = time;
    for (uint32_t l = 1; l <= ref; l++, row += n)
        for (uint32_t j = 0; j < ref; j++)
            if (row[j] > row[n + ref])
                row[n + ref] = row[j];
}

static bool ordered_add(sr_shard *s, sr_group *group, uint32_t ref, void *entry)
{
    const sr_mark_entry e = {ref, group->turn != s->turn};

    memcpy(entry, &e, sizeof(e));
    if (!group->dirty)
        chain(sr_corr_of(s, group), sr_marks_of(group), ref, s->now);
    return true;
}

/* The best chain 0 .. k ends with the last k, before it the last k - 1, and so
 * on: going back from the newest entry, all are found as soon as possible.
 * Chains that wait for the same ref stay together, and a longer one never waits
 * for a lower ref: waits[i] is the number of chains that wait for a ref below
 * i, at first 0 .. i - 1, and waits[0] that of chains found. */
static void rebuild_plain(const sr_shard *s, sr_group *group, size_t stride,
                          uint32_t n)
{
    uint32_t *waits = s->chains;
    sr_window_at at = {0, 0};
    const char *entry;

    for (uint32_t i = 0; i <= n; i++)
        waits[i] = i;
    while (waits[0] != n &&
           (entry = sr_window_back(&group->window, stride, &at)) != NULL) {
        sr_mark_entry e;

        memcpy(&e, entry + sizeof(int64_t), sizeof(e));
        if (e.ref == 0)
            for (uint32_t k = waits[0]; k < waits[1]; k++)
                sr_marks_of(group)[k] = sr_window_time(entry);
        waits[e.ref] = waits[e.ref + 1];
    }
}

static void rebuild_all(const sr_corr *corr, sr_group *group, size_t stride)
{
    sr_window_at at = {0, 0};

    for (const char *entry;
         (entry = sr_window_next(&group->window, stride, &at)) != NULL;) {
        sr_mark_entry e;

        memcpy(&e, entry + sizeof(int64_t), sizeof(e));
        chain(corr, sr_marks_of(group), e.ref, sr_window_time(entry));
    }
}

/* An event came out of order: begin again from the window. */
static void rebuild(const sr_shard *s, sr_group *group)
{
    const sr_corr *corr = sr_corr_of(s, group);

    for (uint32_t i = 0; i < corr->mark_count; i++)
        sr_marks_of(group)[i] = SR_NEVER;
    if (corr->plain)
        rebuild_plain(s, group, corr->type->stride, corr->def->ref_count);
    else
        rebuild_all(corr, group, corr->type->stride);
    group->dirty = false;
}

static sg_num ordered_value(sr_shard *s, sr_group *group)
{
    const sr_corr *corr = sr_corr_of(s, group);
    const uint32_t n = corr->def->ref_count;
    const int64_t cutoff = cutoff_of(s, group);
    uint32_t length = 0;

    if (group->dirty)
        rebuild(s, group);
    if (corr->plain) {
        while (length < n && sr_marks_of(group)[length] >= cutoff)
            length++;
        return count_num(length);
    }
    for (uint32_t l = 0; l < n; l++)
        for (uint32_t k = 0; k < n; k++)
            if (sr_marks_of(group)[n + l * n + k] >= cutoff)
                length = l + 1;
    return count_num(length);
}

/* -------- types ---------------------------------------------------------- */

static const sr_type types[SIGMA_CORR_COUNT] = {
    [SIGMA_CORR_EVENT_COUNT] = {8, false, false, 0, count_add, count_drop,
                                count_value, nothing_to_free},
    [SIGMA_CORR_VALUE_COUNT] = {16, false, true, SR_HLL_ERROR, distinct_add,
                                distinct_drop, distinct_value,
                                sr_distinct_free},
    [SIGMA_CORR_TEMPORAL] = {16, true, false, 0, temporal_add, mark_drop,
                             temporal_value, nothing_to_free},
    [SIGMA_CORR_TEMPORAL_ORDERED] = {16, true, false, 0, ordered_add, mark_drop,
                                     ordered_value, nothing_to_free},
    [SIGMA_CORR_VALUE_SUM] = {24, false, true, 0, sum_add, sum_drop, sum_value,
                              sum_free},
    [SIGMA_CORR_VALUE_AVG] = {24, false, true, 0, sum_add, sum_drop, mean_value,
                              sum_free},
    [SIGMA_CORR_VALUE_PERCENTILE] = {24, false, true, SR_QUANTIZE_ERROR,
                                     order_add, order_drop, percentile_value,
                                     order_free},
    [SIGMA_CORR_VALUE_MEDIAN] = {24, false, true, SR_QUANTIZE_ERROR, order_add,
                                 order_drop, median_value, order_free},
};

_Static_assert(sizeof(sg_num) == 16 && sizeof(sr_mark_entry) == 8,
               "strides above");

const sr_type *sr_type_of(uint32_t corr_type)
{
    return &types[corr_type];
}

uint32_t sr_mark_count(const sr_corr *corr)
{
    const uint32_t n = corr->def->ref_count;

    if (!corr->type->rules)
        return 0;
    return corr->def->type == SIGMA_CORR_TEMPORAL || corr->plain ? n
                                                                 : n + n * n;
}

bool sr_read_values(sr_shard *s, const sr_corr *corr, const sr_part_hit *hit,
                    const uint32_t *fields)
{
    sr_cell *cell = &s->cells[0];

    const sr_encoding values = {hit, 0, fields, corr->def->value_count};

    if (corr->def->type == SIGMA_CORR_VALUE_COUNT)
        return sr_encode(s, &values, &s->tuple, NULL);
    const sr_part_cell *have =
        sr_part_find(s->agg->layout, s->c, hit, fields[0], 0);

    if (have == NULL)
        return false;
    cell->num = have->num;
    if (have->kind == SR_STRING)
        return sg_num_parse(sr_bytes_of(s->c, have->at, have->len), &cell->num);
    return have->kind == SR_NUMBER;
}

void sr_expire(sr_shard *s, sr_group *group)
{
    const sr_corr *corr = sr_corr_of(s, group);
    const size_t stride = corr->type->stride;
    const int64_t cutoff = cutoff_of(s, group);

    while (group->window.count != 0) {
        const char *entry = sr_window_front(&group->window, stride);

        if (sr_window_time(entry) >= cutoff)
            return;
        corr->type->drop(s, group, entry + sizeof(int64_t));
        sr_window_pop(&s->pool, &group->window, stride);
    }
    group->holds = false; /* an empty window holds nothing */
    if (group->sketched) {
        corr->type->free(s, group); /* and begins exact again */
        group->sketched = false;
    }
}

/* -------- conditions ----------------------------------------------------- */

static bool compare(sg_num value, const sigma_corr_cond *cond)
{
    return sg_num_holds(value, cond->cmp, cond->threshold);
}

/* The boolean condition over the refs seen in the window. */
static bool expression(const sr_shard *s, const sr_group *group)
{
    const sigma_correlation *def = sr_corr_of(s, group)->def;
    const sigma_expr *expr = s->agg->detector->corr_exprs + def->expr_first;
    const int64_t cutoff = cutoff_of(s, group);
    bool *stack = s->stack;
    uint32_t depth = 0;

    for (uint32_t i = 0; i < def->expr_count; i++) {
        switch (expr[i].op) {
        case SIGMA_EXPR_REF:
            stack[depth++] = sr_marks_of(group)[expr[i].arg] >= cutoff;
            break;
        case SIGMA_EXPR_NOT:
            stack[depth - 1] = !stack[depth - 1];
            break;
        case SIGMA_EXPR_AND:
            depth--;
            stack[depth - 1] = stack[depth - 1] && stack[depth];
            break;
        case SIGMA_EXPR_OR:
            depth--;
            stack[depth - 1] = stack[depth - 1] || stack[depth];
            break;
        default:
            break;
        }
    }
    return depth != 0 && stack[0];
}

bool sr_holds(sr_shard *s, sr_group *group, sg_num *value)
{
    const sr_corr *corr = sr_corr_of(s, group);
    const sigma_correlation *def = corr->def;
    const sigma_corr_cond *cond =
        s->agg->detector->corr_conds + def->cond_first;

    *value = count_num(0);
    if (group->count == 0)
        return false;
    *value = corr->type->value(s, group);
    for (uint32_t i = 0; i < def->cond_count; i++)
        if (!compare(*value, &cond[i]))
            return false;
    if (def->expr_count == 0)
        return def->cond_count != 0 || !corr->type->rules ||
               sg_num_cmp(*value, count_num(def->ref_count)) >= 0;
    if (!expression(s, group))
        return false;
    /* Ordered: what was seen must also stand in the order of the list. */
    return def->type != SIGMA_CORR_TEMPORAL_ORDERED ||
           sg_num_cmp(*value, count_num(seen_refs(s, group))) == 0;
}
