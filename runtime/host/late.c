/*
 * late.c - events that wait for others of an earlier time: a heap by event
 * time. An event is due once the newest time seen is --allowed-lateness ahead
 * of it. What waits is bounded by --max-memory; an event that finds no room, or
 * that is due already, goes on at once: windows then judge whether it is late.
 */
#include "host/host.h"

#include <stdlib.h>
#include <string.h>

static bool before(const sr_held *a, const sr_held *b)
{
    return a->time != b->time ? a->time < b->time : a->serial < b->serial;
}

static void swap(sr_late *late, size_t i, size_t j)
{
    sr_held *held = late->items[i];

    late->items[i] = late->items[j];
    late->items[j] = held;
}

static void rise(sr_late *late, size_t i)
{
    while (i != 0 && before(late->items[i], late->items[(i - 1) / 2])) {
        swap(late, i, (i - 1) / 2);
        i = (i - 1) / 2;
    }
}

static void sink(sr_late *late, size_t i)
{
    for (;;) {
        size_t least = i;

        for (size_t child = 2 * i + 1; child <= 2 * i + 2; child++)
            if (child < late->count &&
                before(late->items[child], late->items[least]))
                least = child;
        if (least == i)
            return;
        swap(late, i, least);
        i = least;
    }
}

static bool make_room(sr_late *late)
{
    if (late->count < late->cap)
        return true;
    const size_t cap = late->cap == 0 ? 64 : late->cap * 2;
    sr_held **items = realloc(late->items, cap * sizeof(void *));

    if (items == NULL)
        return false;
    late->items = items;
    late->cap = cap;
    return true;
}

static bool is_due(const sr_session *s, int64_t time)
{
    const int64_t wait = s->options->lateness;

    return s->late.newest >= INT64_MIN + wait && time <= s->late.newest - wait;
}

bool sr_late_hold(sr_session *s, int64_t time)
{
    sr_late *late = &s->late;
    const sg_str line = s->event.line;

    if (late->serial == 0 || time > late->newest)
        late->newest = time;
    if (is_due(s, time) && time < late->newest)
        return false; /* late already */
    if (!make_room(late))
        return false;
    sr_held *held = sr_pool_alloc(&late->pool, sizeof(*held) + line.len);

    if (held == NULL)
        return false;
    *held = (sr_held){time, late->serial++, s->place, line.len};
    memcpy(held->line, line.ptr, line.len);
    late->items[late->count] = held;
    rise(late, late->count++);
    return true;
}

sr_held *sr_late_next(sr_session *s, bool all)
{
    sr_late *late = &s->late;

    if (late->count == 0 || (!all && !is_due(s, late->items[0]->time)))
        return NULL;
    sr_held *held = late->items[0];

    late->items[0] = late->items[--late->count];
    sink(late, 0);
    return held;
}

void sr_late_done(sr_session *s, sr_held *held)
{
    sr_pool_free(&s->late.pool, held, sizeof(*held) + held->len);
}

void sr_late_close(sr_late *late)
{
    for (size_t i = 0; i < late->count; i++)
        sr_pool_free(&late->pool, late->items[i],
                     sizeof(sr_held) + late->items[i]->len);
    free(late->items);
    sr_pool_close(&late->pool);
}
