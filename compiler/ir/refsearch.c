/*
 * refsearch.c - the oracle's order of rows in search mode: the report's sort
 * column, then the group's texts; without one the first time, then arrival.
 */
#include "ir/ref.h"

#include <stdlib.h>

/* What the rows of one correlation are sorted by. */
typedef struct order {
    uint32_t keys;            /* of a group */
    uint32_t key;             /* sort by this one, unless SIGMA_NONE */
    sigma_column_kind column; /* ... or by this */
    bool arrival;             /* no column at all */
    bool descending;
} order;

static int less(bool a, bool b)
{
    return a ? -1 : b ? 1 : 0;
}

/* What has no time comes last. */
static int by_seen(const sc_ref_seen *a, const sc_ref_seen *b)
{
    if (!a->timed || !b->timed)
        return less(a->timed && !b->timed, b->timed && !a->timed);
    return less(a->time < b->time, b->time < a->time);
}

/* Numbers by value and before texts. */
static int by_key(const sc_ref_row *a, const sc_ref_row *b, uint32_t k)
{
    sg_num x, y;

    if (!a->numbers[k] || !b->numbers[k])
        return a->numbers[k] == b->numbers[k]
                   ? sg_str_cmp(a->keys[k], b->keys[k])
                   : less(a->numbers[k], b->numbers[k]);
    if (!sg_num_parse(a->keys[k], &x) || !sg_num_parse(b->keys[k], &y))
        sg_fatal("a number's text is no number");
    return sg_num_cmp(x, y);
}

static int by_column(const order *o, const sc_ref_row *a, const sc_ref_row *b)
{
    if (o->key != SIGMA_NONE)
        return by_key(a, b, o->key);
    switch (o->column) {
    case SIGMA_COLUMN_COUNT:
        return less(a->count < b->count, b->count < a->count);
    case SIGMA_COLUMN_VALUE:
        return sg_num_cmp(a->value, b->value);
    case SIGMA_COLUMN_FIRST_SEEN:
        return by_seen(&a->first, &b->first);
    case SIGMA_COLUMN_LAST_SEEN:
        return by_seen(&a->last, &b->last);
    }
    return 0;
}

static int compare(const void *x, const void *y, void *ctx)
{
    const sc_ref_row *a = x;
    const sc_ref_row *b = y;
    const order *o = ctx;
    int c;
    uint32_t k;

    if (o->arrival) {
        c = by_seen(&a->first, &b->first);
        if (c == 0)
            c = less(a->created < b->created, b->created < a->created);
    } else {
        c = o->descending ? by_column(o, b, a) : by_column(o, a, b);
    }
    for (k = 0; c == 0 && k < o->keys; k++)
        c = sg_str_cmp(a->keys[k], b->keys[k]);
    return c;
}

uint32_t sc_ref_order(const sc_ir *ir, sc_ref_row *rows, uint32_t count)
{
    const sc_ir_corr *c = count == 0 ? NULL : &ir->corrs.items[rows->corr];
    order o = {.key = SIGMA_NONE};

    if (c == NULL)
        return 0;
    o.keys = c->key_count;
    o.arrival = c->sort_column == SIGMA_NONE;
    o.descending = (c->flags & SIGMA_CORR_SORT_DESC) != 0;
    if (!o.arrival && c->sort_column < c->column_count)
        o.column = ir->columns.items[c->column_first + c->sort_column].kind;
    else if (!o.arrival)
        o.key = c->sort_column - c->column_count;
    qsort_r(rows, count, sizeof(*rows), compare, &o);
    return count < c->limit ? count : c->limit;
}
