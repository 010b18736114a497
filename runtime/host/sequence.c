/*
 * sequence.c - contributions in the order in which the engine is to see them: a
 * heap by event time. One is due once the newest time seen is
 * --allowed-lateness ahead of it. What waits is bounded by --max-memory; a
 * contribution that finds no room, or that is due already, goes on at once:
 * windows then judge whether it is late.
 */
#include "host/host.h"

#include <stdlib.h>
#include <string.h>

typedef struct sr_sequence {
    sr_session *s;
    sr_contribution **items; /* binary heap, the earliest on top */
    size_t count, cap;
    uint64_t bytes;  /* of what waits */
    uint64_t events; /* that arrived with a contribution */
    int64_t newest;  /* time seen so far */
} sequence;

/* -------- the heap ------------------------------------------------------- */

static bool before(const sr_contribution *a, const sr_contribution *b)
{
    if (a->time != b->time)
        return a->time < b->time;
    return a->event != b->event ? a->event < b->event
                                : a->component < b->component;
}

static void swap(sequence *q, size_t i, size_t j)
{
    sr_contribution *c = q->items[i];

    q->items[i] = q->items[j];
    q->items[j] = c;
}

static void rise(sequence *q, size_t i)
{
    while (i != 0 && before(q->items[i], q->items[(i - 1) / 2])) {
        swap(q, i, (i - 1) / 2);
        i = (i - 1) / 2;
    }
}

static void sink(sequence *q, size_t i)
{
    for (;;) {
        size_t least = i;

        for (size_t child = 2 * i + 1; child <= 2 * i + 2; child++)
            if (child < q->count && before(q->items[child], q->items[least]))
                least = child;
        if (least == i)
            return;
        swap(q, i, least);
        i = least;
    }
}

static bool make_room(sequence *q)
{
    if (q->count < q->cap)
        return true;
    const size_t cap = q->cap == 0 ? 64 : q->cap * 2;
    sr_contribution **items = realloc(q->items, cap * sizeof(*items));

    if (items == NULL)
        return false;
    q->items = items;
    q->cap = cap;
    return true;
}

/* Keep a copy for later; false when there is no room. */
static bool hold(sequence *q, const sr_contribution *c)
{
    if (q->bytes > q->s->options->max_memory - c->size || !make_room(q))
        return false;
    sr_contribution *copy = malloc(c->size);

    if (copy == NULL)
        return false;
    memcpy(copy, c, c->size);
    q->bytes += c->size;
    q->items[q->count] = copy;
    rise(q, q->count++);
    return true;
}

static sr_contribution *take(sequence *q)
{
    sr_contribution *c = q->items[0];

    q->items[0] = q->items[--q->count];
    sink(q, 0);
    q->bytes -= c->size;
    return c;
}

/* -------- order ---------------------------------------------------------- */

static bool is_due(const sequence *q, int64_t time)
{
    const int64_t wait = q->s->options->lateness;

    return q->newest >= INT64_MIN + wait && time <= q->newest - wait;
}

static void feed(sequence *q, sr_contribution *c)
{
    c->newest = q->newest;
    sr_agg_feed(q->s->agg, c);
}

static void release(sequence *q, bool all)
{
    while (q->count != 0 && (all || is_due(q, q->items[0]->time))) {
        sr_contribution *c = take(q);

        feed(q, c);
        free(c);
    }
}

static void arrive(sequence *q, sr_contribution *c)
{
    const sr_options *o = q->s->options;

    c->event = q->events;
    if (o->lateness == 0 || o->search || c->timed == 0 ||
        (is_due(q, c->time) && c->time < q->newest) || !hold(q, c))
        feed(q, c);
}

void sr_sequence_event(sequence *q, const sr_item *item, char *contributions)
{
    char *at = contributions + item->contributions_at;
    const char *end = at + item->contributions_len;

    if (at == end)
        return;
    const sr_contribution *first = (const void *)at;

    q->events++;
    if (first->timed != 0 && first->time > q->newest)
        q->newest = first->time;
    while (at < end) {
        sr_contribution *c = (void *)at;

        at += c->size;
        arrive(q, c);
    }
    if (q->s->options->lateness != 0)
        release(q, false);
}

void sr_sequence_finish(sequence *q)
{
    release(q, true);
}

sequence *sr_sequence_open(sr_session *s)
{
    sequence *q = calloc(1, sizeof(*q));

    if (q == NULL)
        sg_fatal("out of memory");
    q->s = s;
    q->newest = INT64_MIN;
    return q;
}

void sr_sequence_close(sequence *q)
{
    if (q == NULL)
        return;
    for (size_t i = 0; i < q->count; i++)
        free(q->items[i]);
    free(q->items);
    free(q);
}
