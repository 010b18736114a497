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

/* The part of an encoded key at *at; moves on. */
static sg_str next_part(sg_str key, size_t *at)
{
    uint32_t len;

    memcpy(&len, key.ptr + *at, sizeof(len));
    *at += sizeof(len) + len;
    return sg_str_sub(key, *at - len, *at);
}

/* One part of a group's key, by its index. */
static sr_cell part_of(const sr_group *group, uint32_t index)
{
    const sg_str key = sr_item_key(&group->item);
    size_t at = 0;

    for (uint32_t i = 0; i < index; i++)
        next_part(key, &at);
    sr_cell cell = {.kind = (uint8_t)key.ptr[key.len + index],
                    .text = next_part(key, &at)};

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
    const int64_t s = last ? a->newest : a->oldest;
    const int64_t t = last ? b->newest : b->oldest;

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
    const sg_str x = sr_item_key(&a->item);
    const sg_str y = sr_item_key(&b->item);
    size_t at_x = 0;
    size_t at_y = 0;
    int order = 0;

    while (order == 0 && at_x < x.len)
        order = sg_str_cmp(next_part(x, &at_x), next_part(y, &at_y));
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

static int by_first_seen(const void *a, const void *b)
{
    const row *x = a;
    const row *y = b;
    const int order = compare_times(x->group, y->group, false);

    if (order != 0)
        return order;
    return x->group->serial < y->group->serial ? -1 : 1;
}

static void sort_rows(sr_agg *agg, const sigma_correlation *def, row *rows,
                      size_t count)
{
    const bool column = def->sort_column < def->column_count;
    const uint32_t key = def->sort_column - def->column_count;
    sorter by = {0, SIGMA_NONE, (def->flags & SIGMA_CORR_SORT_DESC) != 0};

    if (def->sort_column == SIGMA_NONE || (!column && key >= def->key_count)) {
        qsort(rows, count, sizeof(*rows), by_first_seen);
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
                    .time = last ? group->newest : group->oldest};

    if (group->ends != NULL) {
        const sr_copy *copy = last ? &group->ends->last : &group->ends->first;

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
        .keys = sr_group_cells(agg, group),
        .count = group->count,
        .value = r->value,
        .first = seen_of(group, false),
        .last = seen_of(group, true),
        .place = group->place,
        .timed = group->timed,
        .time = group->newest,
    };

    agg->options.fire(agg->options.ctx, &firing);
}

/* The groups that hold, correlation by correlation; those of c end at
 * ends[c]. */
static void collect(sr_agg *agg, row *rows, size_t *ends)
{
    const uint32_t count = agg->detector->correlation_count;
    size_t start = 0;

    for (const sr_group *g = agg->first; g != NULL; g = g->next)
        ends[g->correlation]++;
    for (uint32_t c = 0; c < count; c++) {
        const size_t groups = ends[c];

        ends[c] = start;
        start += groups;
    }
    /* Each start moves to its end; whatever does not hold leaves a gap. */
    for (sr_group *g = agg->first; g != NULL; g = g->next) {
        row *r = &rows[ends[g->correlation]++];

        r->group = sr_holds(agg, g, &r->value) ? g : NULL;
    }
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
    size_t start = 0;

    if (!agg->options.search || agg->stats.groups == 0)
        return;
    row *rows = calloc(agg->stats.groups, sizeof(*rows));
    size_t *ends = calloc(d->correlation_count, sizeof(*ends));

    if (rows == NULL || ends == NULL)
        sg_fatal("out of memory");
    collect(agg, rows, ends);
    for (uint32_t c = 0; c < d->correlation_count; start = ends[c++]) {
        const sigma_correlation *def = &d->correlations[c];

        if ((def->flags & SIGMA_CORR_HIDDEN) != 0)
            continue;
        const size_t count = compact(rows + start, ends[c] - start);

        sort_rows(agg, def, rows + start, count);
        for (size_t i = 0; i < count && i < def->limit; i++)
            fire_row(agg, &rows[start + i]);
    }
    free(ends);
    free(rows);
}
