/*
 * sequence.c - contributions in the order in which the engine is to see them: a
 * heap by event time. One is due once the newest time seen is
 * --allowed-lateness ahead of it. What waits may take as much as --max-memory
 * says, besides the groups: were it to share that with them, other groups would
 * be let go than without lateness. For want of room the earliest goes on before
 * its time, which is counted. One that is due already goes on at once: windows
 * then judge whether it is late.
 *
 * What is due is fed when the caller says so, after one event or after a block
 * of them; the engine may then run several groups at once.
 */
#include "host/host.h"

#include <stdlib.h>
#include <string.h>

/* A contribution whose turn has come. */
typedef struct turn {
    uint32_t item; /* of the event that made it due */
    bool owned;    /* it was held, and is freed when fed */
} turn;

typedef struct sr_sequence {
    sr_session *s;
    sr_contribution **held; /* binary heap, the earliest on top */
    size_t held_count, held_cap;
    uint64_t held_bytes;
    const sr_contribution **due;
    turn *turns; /* one for each of them */
    size_t due_count, due_cap;
    uint64_t fed;    /* before those */
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
    sr_contribution *c = q->held[i];

    q->held[i] = q->held[j];
    q->held[j] = c;
}

static void rise(sequence *q, size_t i)
{
    while (i != 0 && before(q->held[i], q->held[(i - 1) / 2])) {
        swap(q, i, (i - 1) / 2);
        i = (i - 1) / 2;
    }
}

static void sink(sequence *q, size_t i)
{
    for (;;) {
        size_t least = i;

        for (size_t child = 2 * i + 1; child <= 2 * i + 2; child++)
            if (child < q->held_count && before(q->held[child], q->held[least]))
                least = child;
        if (least == i)
            return;
        swap(q, i, least);
        i = least;
    }
}

static bool make_room(sequence *q)
{
    if (q->held_count < q->held_cap)
        return true;
    const size_t cap = q->held_cap == 0 ? 64 : q->held_cap * 2;
    sr_contribution **held = realloc(q->held, cap * sizeof(*held));

    if (held == NULL)
        return false;
    q->held = held;
    q->held_cap = cap;
    return true;
}

/* The bytes that one takes while it is held, with what malloc and the heap need
 * for it. */
static uint64_t cost_of(const sr_contribution *c)
{
    enum { PLACE = 32 };

    return (uint64_t)c->size + PLACE;
}

/* Whether one more may be held back. */
static bool has_room(const sequence *q, const sr_contribution *c)
{
    const uint64_t most = q->s->options->max_memory;
    const uint64_t cost = cost_of(c);

    return cost <= most && q->held_bytes <= most - cost;
}

/* Keep a copy for later; false for want of memory. */
static bool hold(sequence *q, const sr_contribution *c)
{
    sr_contribution *copy = make_room(q) ? malloc(c->size) : NULL;

    if (copy == NULL)
        return false;
    memcpy(copy, c, c->size);
    q->held_bytes += cost_of(c);
    q->held[q->held_count] = copy;
    rise(q, q->held_count++);
    return true;
}

static sr_contribution *take(sequence *q)
{
    sr_contribution *c = q->held[0];

    q->held[0] = q->held[--q->held_count];
    sink(q, 0);
    q->held_bytes -= cost_of(c);
    return c;
}

/* -------- order ---------------------------------------------------------- */

static void make_due(sequence *q, sr_contribution *c, uint32_t item, bool owned)
{
    if (q->due_count == q->due_cap) {
        q->due_cap = q->due_cap == 0 ? 64 : q->due_cap * 2;
        q->due = realloc(q->due, q->due_cap * sizeof(*q->due));
        q->turns = realloc(q->turns, q->due_cap * sizeof(*q->turns));
        if (q->due == NULL || q->turns == NULL)
            sg_fatal("out of memory");
    }
    /* Not what was seen: what is held back is still to come. */
    c->newest = c->timed != 0 ? c->time : INT64_MIN;
    q->due[q->due_count] = c;
    q->turns[q->due_count++] = (turn){item, owned};
}

static bool is_due(const sequence *q, int64_t time)
{
    const int64_t wait = q->s->options->lateness;

    return q->newest >= INT64_MIN + wait && time <= q->newest - wait;
}

/* The event came after others whose turn may be over. One that is as late as is
 * allowed is in time: of its equals the last to arrive comes last anyway. */
static bool is_late(const sequence *q, int64_t time)
{
    const int64_t wait = q->s->options->lateness;

    return q->newest >= INT64_MIN + wait && time < q->newest - wait;
}

static void release(sequence *q, uint32_t item, bool all)
{
    while (q->held_count != 0 && (all || is_due(q, q->held[0]->time)))
        make_due(q, take(q), item, true);
}

static void arrive(sequence *q, sr_contribution *c, uint32_t item)
{
    const sr_options *o = q->s->options;

    c->event = q->events;
    /* An earlier run may have held some back that allowed more. */
    if ((o->lateness == 0 && q->held_count == 0) || o->search ||
        c->timed == 0 || is_late(q, c->time)) {
        make_due(q, c, item, false);
        return;
    }
    while (!has_room(q, c) || !hold(q, c)) {
        q->s->stats.hurried++;
        if (q->held_count == 0 || before(c, q->held[0])) {
            make_due(q, c, item, false);
            return;
        }
        make_due(q, take(q), item, true);
    }
}

bool sr_sequence_event(sequence *q, char *contributions, size_t len,
                       uint32_t item)
{
    const sr_options *o = q->s->options;
    const sr_contribution *first = (const void *)contributions;
    bool late = false;

    if (len == 0)
        return false;
    q->events++;
    if (first->timed != 0 && !o->search) {
        if (first->time > q->newest)
            q->newest = first->time;
        late = is_late(q, first->time);
    }
    for (size_t at = 0; at < len;) {
        sr_contribution *c = (void *)(contributions + at);

        at += c->size;
        arrive(q, c, item);
    }
    release(q, item, false);
    return late;
}

void sr_sequence_flush(sequence *q)
{
    sr_session *s = q->s;

    sr_agg_feed_all(s->agg, q->due, q->due_count,
                    s->threads == NULL ? NULL : sr_threads_run, s->threads);
    q->fed += q->due_count;
    for (size_t i = 0; i < q->due_count; i++)
        if (q->turns[i].owned)
            free((void *)(uintptr_t)q->due[i]);
    q->due_count = 0;
}

void sr_sequence_finish(sequence *q)
{
    release(q, UINT32_MAX, true);
    sr_sequence_flush(q);
}

uint32_t sr_sequence_item(const sequence *q, uint64_t number)
{
    return number > q->fed && number - q->fed <= q->due_count
               ? q->turns[number - q->fed - 1].item
               : UINT32_MAX;
}

/* -------- what outlives the process -------------------------------------- */

sr_sequence_clock sr_sequence_clock_get(const sequence *q)
{
    return (sr_sequence_clock){q->events, q->fed, q->newest};
}

void sr_sequence_clock_set(sequence *q, sr_sequence_clock clock)
{
    q->events = clock.events;
    q->fed = clock.fed;
    q->newest = clock.newest;
}

void sr_sequence_each(const sequence *q,
                      void (*fn)(void *ctx, const sr_contribution *c),
                      void *ctx)
{
    for (size_t i = 0; i < q->held_count; i++)
        fn(ctx, q->held[i]);
}

bool sr_sequence_restore(sequence *q, const sr_contribution *c)
{
    return hold(q, c);
}

/* -------- opening -------------------------------------------------------- */

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
    for (size_t i = 0; i < q->held_count; i++)
        free(q->held[i]);
    free(q->held);
    free(q->due);
    free(q->turns);
    free(q);
}
