/*
 * state.c - what each of the eight types of correlation remembers of the
 * events in a group's window, and when its condition holds.
 *
 * Every event costs the same few steps however full the window is: values go
 * in when an event comes and out when it leaves.
 */
#include "agg/engine.h"

#include <string.h>

/* One distinct value; its bytes follow. */
typedef struct distinct {
    sr_item item;
    uint64_t uses; /* events in the window that carry it */
    char bytes[];
} distinct;

/* In a window of rules: the ref, and whether it is its event's first entry. */
typedef struct mark_entry {
    uint32_t ref;
    bool fresh;
} mark_entry;

static const sr_corr *corr_of(const sr_agg *agg, const sr_group *group)
{
    return &agg->corrs[group->correlation];
}

static sg_num count_num(uint64_t n)
{
    return (sg_num){.kind = SIGMA_INT, .v = {.i = (int64_t)n}};
}

static int64_t cutoff_of(const sr_agg *agg, const sr_group *group)
{
    return agg->options.search
               ? SR_NEVER + 1
               : sr_cutoff(group->newest, corr_of(agg, group)->def->timespan);
}

/* -------- event_count ---------------------------------------------------- */

static bool count_add(sr_agg *agg, sr_group *group, uint32_t ref, void *entry)
{
    (void)agg;
    (void)group;
    (void)ref;
    (void)entry;
    return true;
}

static void count_drop(sr_agg *agg, sr_group *group, const void *entry)
{
    (void)agg;
    (void)entry;
    group->count--;
}

static sg_num count_value(sr_agg *agg, sr_group *group)
{
    (void)agg;
    return count_num(group->count);
}

static void nothing_to_free(sr_agg *agg, sr_group *group)
{
    (void)agg;
    (void)group;
}

/* -------- value_count ---------------------------------------------------- */

static bool distinct_add(sr_agg *agg, sr_group *group, uint32_t ref,
                         void *entry)
{
    const sg_str key = sr_encoded_key(&agg->tuple);
    const uint64_t hash = sr_encoded_hash(&agg->tuple);
    sr_item *item = sr_table_find(&group->state.distinct, hash, key);

    (void)ref;
    if (item == NULL) {
        const size_t size = sizeof(distinct) + key.len;
        distinct *d = sr_pool_alloc(&agg->pool, size);

        if (d == NULL)
            return false;
        d->item = (sr_item){hash, (uint32_t)key.len, sizeof(distinct)};
        d->uses = 0;
        memcpy(d->bytes, key.ptr, key.len);
        if (!sr_table_add(&agg->pool, &group->state.distinct, &d->item)) {
            sr_pool_free(&agg->pool, d, size);
            return false;
        }
        item = &d->item;
    }
    ((distinct *)(void *)item)->uses++;
    if (entry != NULL)
        memcpy(entry, &item, sizeof(void *));
    return true;
}

static void free_distinct(sr_agg *agg, distinct *d)
{
    sr_pool_free(&agg->pool, d, sizeof(*d) + d->item.key_len);
}

static void distinct_drop(sr_agg *agg, sr_group *group, const void *entry)
{
    distinct *d;

    memcpy(&d, entry, sizeof(void *));
    group->count--;
    if (--d->uses != 0)
        return;
    sr_table_remove(&group->state.distinct, &d->item);
    free_distinct(agg, d);
}

static sg_num distinct_value(sr_agg *agg, sr_group *group)
{
    (void)agg;
    return count_num(group->state.distinct.count);
}

static void distinct_free(sr_agg *agg, sr_group *group)
{
    sr_table *table = &group->state.distinct;

    for (uint32_t i = 0; i < table->cap; i++)
        if (table->slots[i].item != NULL)
            free_distinct(agg, (distinct *)(void *)table->slots[i].item);
    sr_table_free(&agg->pool, table);
}

/* -------- sums and means ------------------------------------------------- */

static bool sum_add(sr_agg *agg, sr_group *group, uint32_t ref, void *entry)
{
    (void)ref;
    if (!sr_sum_add(&agg->pool, &group->state.sum, agg->cells[0].num))
        return false;
    if (entry != NULL)
        memcpy(entry, &agg->cells[0].num, sizeof(sg_num));
    return true;
}

static void sum_drop(sr_agg *agg, sr_group *group, const void *entry)
{
    sg_num n;

    (void)agg;
    memcpy(&n, entry, sizeof(n));
    sr_sum_remove(&group->state.sum, n);
    group->count--;
}

static sg_num sum_value(sr_agg *agg, sr_group *group)
{
    (void)agg;
    return sr_sum_value(&group->state.sum, 1);
}

static sg_num mean_value(sr_agg *agg, sr_group *group)
{
    (void)agg;
    return sr_sum_value(&group->state.sum,
                        group->count == 0 ? 1 : group->count);
}

static void sum_free(sr_agg *agg, sr_group *group)
{
    sr_sum_free(&agg->pool, &group->state.sum);
}

/* -------- percentiles ---------------------------------------------------- */

static bool order_add(sr_agg *agg, sr_group *group, uint32_t ref, void *entry)
{
    (void)ref;
    if (!sr_order_add(&agg->pool, &group->state.order, agg->cells[0].num))
        return false;
    if (entry != NULL)
        memcpy(entry, &agg->cells[0].num, sizeof(sg_num));
    return true;
}

static void order_drop(sr_agg *agg, sr_group *group, const void *entry)
{
    sg_num n;

    memcpy(&n, entry, sizeof(n));
    sr_order_remove(&agg->pool, &group->state.order, n);
    group->count--;
}

static sg_num percentile_value(sr_agg *agg, sr_group *group)
{
    return sr_order_percentile(&group->state.order,
                               corr_of(agg, group)->def->percentile);
}

static sg_num median_value(sr_agg *agg, sr_group *group)
{
    (void)agg;
    return sr_order_percentile(&group->state.order, 50);
}

static void order_free(sr_agg *agg, sr_group *group)
{
    sr_order_free(&agg->pool, &group->state.order);
}

/* -------- temporal ------------------------------------------------------- */

/* marks[k]: when ref k was last seen. */
static bool temporal_add(sr_agg *agg, sr_group *group, uint32_t ref,
                         void *entry)
{
    const mark_entry e = {ref, group->event != agg->event};

    if (agg->now > group->marks[ref])
        group->marks[ref] = agg->now;
    if (entry != NULL)
        memcpy(entry, &e, sizeof(e));
    return true;
}

static void mark_drop(sr_agg *agg, sr_group *group, const void *entry)
{
    mark_entry e;

    (void)agg;
    memcpy(&e, entry, sizeof(e));
    if (e.fresh)
        group->count--;
}

/* How many refs were seen in the window, by the first marks. */
static uint32_t seen_refs(const sr_agg *agg, const sr_group *group)
{
    const int64_t cutoff = cutoff_of(agg, group);
    uint32_t n = 0;

    for (uint32_t k = 0; k < corr_of(agg, group)->def->ref_count; k++)
        n += group->marks[k] >= cutoff;
    return n;
}

static sg_num temporal_value(sr_agg *agg, sr_group *group)
{
    return count_num(seen_refs(agg, group));
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

static bool ordered_add(sr_agg *agg, sr_group *group, uint32_t ref, void *entry)
{
    const mark_entry e = {ref, group->event != agg->event};

    memcpy(entry, &e, sizeof(e));
    if (!group->dirty)
        chain(corr_of(agg, group), group->marks, ref, agg->now);
    return true;
}

/* An event came out of order: begin again from the window. */
static void rebuild(const sr_agg *agg, sr_group *group)
{
    const sr_corr *corr = corr_of(agg, group);
    const size_t stride = corr->type->stride;

    for (uint32_t i = 0; i < corr->mark_count; i++)
        group->marks[i] = SR_NEVER;
    for (uint32_t i = 0; i < group->window.count; i++) {
        const char *entry = sr_window_at(&group->window, stride, i);
        mark_entry e;

        memcpy(&e, entry + sizeof(int64_t), sizeof(e));
        chain(corr, group->marks, e.ref, sr_window_time(entry));
    }
    group->dirty = false;
}

static sg_num ordered_value(sr_agg *agg, sr_group *group)
{
    const sr_corr *corr = corr_of(agg, group);
    const uint32_t n = corr->def->ref_count;
    const int64_t cutoff = cutoff_of(agg, group);
    uint32_t length = 0;

    if (group->dirty)
        rebuild(agg, group);
    if (corr->plain) {
        while (length < n && group->marks[length] >= cutoff)
            length++;
        return count_num(length);
    }
    for (uint32_t l = 0; l < n; l++)
        for (uint32_t k = 0; k < n; k++)
            if (group->marks[n + l * n + k] >= cutoff)
                length = l + 1;
    return count_num(length);
}

/* -------- types ---------------------------------------------------------- */

static const sr_type types[SIGMA_CORR_COUNT] = {
    [SIGMA_CORR_EVENT_COUNT] = {8, false, false, count_add, count_drop,
                                count_value, nothing_to_free},
    [SIGMA_CORR_VALUE_COUNT] = {16, false, true, distinct_add, distinct_drop,
                                distinct_value, distinct_free},
    [SIGMA_CORR_TEMPORAL] = {16, true, false, temporal_add, mark_drop,
                             temporal_value, nothing_to_free},
    [SIGMA_CORR_TEMPORAL_ORDERED] = {16, true, false, ordered_add, mark_drop,
                                     ordered_value, nothing_to_free},
    [SIGMA_CORR_VALUE_SUM] = {24, false, true, sum_add, sum_drop, sum_value,
                              sum_free},
    [SIGMA_CORR_VALUE_AVG] = {24, false, true, sum_add, sum_drop, mean_value,
                              sum_free},
    [SIGMA_CORR_VALUE_PERCENTILE] = {24, false, true, order_add, order_drop,
                                     percentile_value, order_free},
    [SIGMA_CORR_VALUE_MEDIAN] = {24, false, true, order_add, order_drop,
                                 median_value, order_free},
};

_Static_assert(sizeof(sg_num) == 16 && sizeof(mark_entry) == 8,
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

bool sr_read_values(sr_agg *agg, const sr_corr *corr, uint32_t rule,
                    const uint32_t *fields)
{
    sr_cell *cell = &agg->cells[0];

    if (corr->def->type == SIGMA_CORR_VALUE_COUNT)
        return sr_encode(agg, &agg->tuple, rule, fields, corr->def->value_count,
                         NULL);
    if (!agg->options.read(agg->options.ctx, rule, fields[0], cell))
        return false;
    if (cell->kind == SR_STRING)
        return sg_num_parse(cell->text, &cell->num);
    return cell->kind == SR_NUMBER;
}

void sr_expire(sr_agg *agg, sr_group *group)
{
    const sr_corr *corr = corr_of(agg, group);
    const size_t stride = corr->type->stride;
    const int64_t cutoff = cutoff_of(agg, group);

    while (group->window.count != 0) {
        const char *entry = sr_window_at(&group->window, stride, 0);

        if (sr_window_time(entry) >= cutoff)
            return;
        corr->type->drop(agg, group, entry + sizeof(int64_t));
        sr_window_pop(&group->window);
    }
    group->holds = false; /* an empty window holds nothing */
}

/* -------- conditions ----------------------------------------------------- */

static bool compare(sg_num value, const sigma_corr_cond *cond)
{
    return sg_num_holds(value, cond->cmp, cond->threshold);
}

/* The boolean condition over the refs seen in the window. */
static bool expression(const sr_agg *agg, const sr_group *group)
{
    const sigma_correlation *def = corr_of(agg, group)->def;
    const sigma_expr *expr = agg->detector->corr_exprs + def->expr_first;
    const int64_t cutoff = cutoff_of(agg, group);
    bool *stack = agg->stack;
    uint32_t depth = 0;

    for (uint32_t i = 0; i < def->expr_count; i++) {
        switch (expr[i].op) {
        case SIGMA_EXPR_REF:
            stack[depth++] = group->marks[expr[i].arg] >= cutoff;
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

bool sr_holds(sr_agg *agg, sr_group *group, sg_num *value)
{
    const sr_corr *corr = corr_of(agg, group);
    const sigma_correlation *def = corr->def;
    const sigma_corr_cond *cond = agg->detector->corr_conds + def->cond_first;

    *value = count_num(0);
    if (group->count == 0)
        return false;
    *value = corr->type->value(agg, group);
    for (uint32_t i = 0; i < def->cond_count; i++)
        if (!compare(*value, &cond[i]))
            return false;
    if (def->expr_count == 0)
        return def->cond_count != 0 || !corr->type->rules ||
               sg_num_cmp(*value, count_num(def->ref_count)) >= 0;
    if (!expression(agg, group))
        return false;
    /* Ordered: what was seen must also stand in the order of the list. */
    return def->type != SIGMA_CORR_TEMPORAL_ORDERED ||
           sg_num_cmp(*value, count_num(seen_refs(agg, group))) == 0;
}
