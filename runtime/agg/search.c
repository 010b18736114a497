/*
 * search.c - search mode's end: one firing per group whose condition holds
 * over the whole input, in the order the report asks for.
 */
#include "agg/engine.h"

#include <stdlib.h>
#include <string.h>

typedef struct row {
    sr_group *group;
    sg_num value;
} row;

/* What sorting looks at. */
typedef struct sorter {
    uint32_t column; /* a sigma_column_kind ... */
    uint32_t key;    /* ... or this key, unless SIGMA_NONE */
    bool descending;
} sorter;

/* One part of a group's key, by its index. */
static sr_cell part_of(const sr_group *group, uint32_t index)
{
    const sg_str parts = sr_group_parts(group);
    size_t at = 0;

    for (uint32_t i = 0; i < index; i++)
        sr_next_part(parts, &at);
    sr_cell cell = {.kind = sr_group_kinds(group)[index],
                    .text = sr_next_part(parts, &at)};

    if (cell.kind == SR_NUMBER && !sg_num_parse(cell.text, &cell.num))
        cell.kind = SR_STRING;
    return cell;
}

/* Numbers by value and before texts; texts in code point order. */
static int compare_cells(const sr_cell *a, const sr_cell *b)
{
    const bool a_num = a->kind == SR_NUMBER;
    const bool b_num = b->kind == SR_NUMBER;

    if (a_num && b_num)
        return sg_num_cmp(a->num, b->num);
    if (a_num != b_num)
        return a_num ? -1 : 1;
    return sg_str_cmp(a->text, b->text);
}

/* Groups without a time come last. */
static int compare_times(const sr_group *a, const sr_group *b, bool last)
{
    const int64_t s = last ? a->newest : a->row->oldest;
    const int64_t t = last ? b->newest : b->row->oldest;

    if (!a->timed || !b->timed)
        return (a->timed ? 0 : 1) - (b->timed ? 0 : 1);
    return s < t ? -1 : s > t;
}

static int compare_column(const sorter *by, const row *a, const row *b)
{
    if (by->key != SIGMA_NONE) {
        const sr_cell x = part_of(a->group, by->key);
        const sr_cell y = part_of(b->group, by->key);

        return compare_cells(&x, &y);
    }
    switch (by->column) {
    case SIGMA_COLUMN_COUNT:
        return a->group->count < b->group->count
                   ? -1
                   : a->group->count > b->group->count;
    case SIGMA_COLUMN_VALUE:
        return sg_num_cmp(a->value, b->value);
    default:
        return compare_times(a->group, b->group,
                             by->column == SIGMA_COLUMN_LAST_SEEN);
    }
}

/* Part by part; both keys have the same number of parts. */
static int compare_keys(const sr_group *a, const sr_group *b)
{
    const sg_str x = sr_group_parts(a);
    const sg_str y = sr_group_parts(b);
    size_t at_x = 0;
    size_t at_y = 0;
    int order = 0;

    while (order == 0 && at_x < x.len)
        order = sg_str_cmp(sr_next_part(x, &at_x), sr_next_part(y, &at_y));
    return order;
}

static int by_column(const void *a, const void *b, void *ctx)
{
    const sorter *by = ctx;
    const row *x = a;
    const row *y = b;
    int order = compare_column(by, x, y);

    if (by->descending)
        order = -order;
    return order != 0 ? order : compare_keys(x->group, y->group);
}

static uint32_t rank_of(const sr_agg *agg, uint32_t source)
{
    return agg->ranks == NULL ? source : agg->ranks[source];
}

static int by_first_seen(const void *a, const void *b, void *ctx)
{
    const sr_agg *agg = ctx;
    const row *x = a;
    const row *y = b;
    const int order = compare_times(x->group, y->group, false);

    const sr_place *one = &x->group->row->created;
    const sr_place *other = &y->group->row->created;

    if (order != 0)
        return order;
    if (one->source != other->source)
        return rank_of(agg, one->source) < rank_of(agg, other->source) ? -1 : 1;
    if (one->generation != other->generation)
        return one->generation < other->generation ? -1 : 1;
    if (one->line != other->line)
        return one->line < other->line ? -1 : 1;
    return compare_keys(x->group, y->group);
}

static void sort_rows(sr_agg *agg, const sigma_correlation *def, row *rows,
                      size_t count)
{
    const bool column = def->sort_column < def->column_count;
    const uint32_t key = def->sort_column - def->column_count;
    sorter by = {0, SIGMA_NONE, (def->flags & SIGMA_CORR_SORT_DESC) != 0};

    if (def->sort_column == SIGMA_NONE || (!column && key >= def->key_count)) {
        qsort_r(rows, count, sizeof(*rows), by_first_seen, agg);
        return;
    }
    if (column)
        by.column =
            agg->detector->columns[def->column_first + def->sort_column].kind;
    else
        by.key = key;
    qsort_r(rows, count, sizeof(*rows), by_column, &by);
}

static sr_seen seen_of(const sr_group *group, bool last)
{
    sr_seen seen = {.timed = group->timed,
                    .time = last ? group->newest : group->row->oldest};
    const sr_copy *copy = last ? &group->row->last : &group->row->first;

    if (copy->ptr != NULL) {
        seen.raw = (sg_str){copy->ptr, copy->len};
        seen.raw_kind = copy->kind;
    }
    return seen;
}

static void fire_row(sr_agg *agg, const row *r)
{
    const sr_group *group = r->group;
    const sr_firing firing = {
        .correlation = group->correlation,
        .keys = sr_group_cells(&agg->shards[0], group),
        .count = group->count,
        .value = r->value,
        .approximate = group->sketched,
        .error = sr_error_of(&agg->shards[0], group, r->value),
        .first = seen_of(group, false),
        .last = seen_of(group, true),
        .place = group->row->place,
        .timed = group->timed,
        .time = group->newest,
    };

    agg->options.fire(agg->options.ctx, &firing);
}

/* Call fn for every group. */
static void each_group(sr_agg *agg,
                       void (*fn)(void *ctx, sr_shard *s, sr_group *group),
                       void *ctx)
{
    for (uint32_t i = 0; i < agg->shard_count; i++)
        for (sr_group *g = agg->shards[i].idle[0].first; g != NULL; g = g->next)
            fn(ctx, &agg->shards[i], g);
}

/* The rows of correlation c end at ends[c]. */
typedef struct collector {
    row *rows;
    size_t *ends;
} collector;

static void count_group(void *ctx, sr_shard *s, sr_group *group)
{
    const collector *c = ctx;

    (void)s;
    c->ends[group->correlation]++;
}

/* Each start moves to its end; whatever does not hold leaves a gap. */
static void take_group(void *ctx, sr_shard *s, sr_group *group)
{
    const collector *c = ctx;
    row *r = &c->rows[c->ends[group->correlation]++];

    r->group = sr_holds(s, group, &r->value) ? group : NULL;
}

static void collect(sr_agg *agg, collector *c)
{
    size_t start = 0;

    each_group(agg, count_group, c);
    for (uint32_t i = 0; i < agg->detector->correlation_count; i++) {
        const size_t groups = c->ends[i];

        c->ends[i] = start;
        start += groups;
    }
    each_group(agg, take_group, c);
}

/* Close the gaps; returns the number of rows left. */
static size_t compact(row *rows, size_t count)
{
    size_t kept = 0;

    for (size_t i = 0; i < count; i++)
        if (rows[i].group != NULL)
            rows[kept++] = rows[i];
    return kept;
}

void sr_agg_finish(sr_agg *agg)
{
    const sigma_detector *d = agg->detector;
    const uint64_t groups = sr_agg_totals(agg).groups;
    size_t start = 0;

    if (!agg->options.search || groups == 0)
        return;
    collector c = {calloc(groups, sizeof(row)),
                   calloc(d->correlation_count, sizeof(size_t))};

    if (c.rows == NULL || c.ends == NULL)
        sg_fatal("out of memory");
    collect(agg, &c);
    for (uint32_t i = 0; i < d->correlation_count; start = c.ends[i++]) {
        const sigma_correlation *def = &d->correlations[i];

        if ((def->flags & SIGMA_CORR_HIDDEN) != 0)
            continue;
        const size_t count = compact(c.rows + start, c.ends[i] - start);

        sort_rows(agg, def, c.rows + start, count);
        for (size_t k = 0; k < count && k < def->limit; k++)
            fire_row(agg, &c.rows[start + k]);
    }
    free(c.ends);
    free(c.rows);
}
