/*
 * window.c - the events of one group within its timespan: a ring in ascending
 * order of time. Events in order cost a store; one out of order is moved to
 * its place from the nearer end.
 */
#include "agg/parts.h"

#include <assert.h>
#include <string.h>

enum { FIRST_CAP = 4, MAX_CAP = 1 << 30 };

void *sr_window_at(const sr_window *window, size_t stride, uint32_t i)
{
    assert(i < window->cap);
    return window->items + ((window->head + i) & (window->cap - 1)) * stride;
}

int64_t sr_window_time(const void *entry)
{
    int64_t time;

    memcpy(&time, entry, sizeof(time));
    return time;
}

static bool grow(sr_pool *pool, sr_window *window, size_t stride)
{
    const sr_window old = *window;

    if (old.cap >= MAX_CAP)
        return false;
    const uint32_t cap = old.cap == 0 ? FIRST_CAP : old.cap * 2;
    char *items = sr_pool_alloc(pool, cap * stride);

    if (items == NULL)
        return false;
    for (uint32_t i = 0; i < old.count; i++)
        memcpy(items + i * stride, sr_window_at(&old, stride, i), stride);
    sr_pool_free(pool, old.items, old.cap * stride);
    *window = (sr_window){items, 0, old.count, cap};
    return true;
}

/* Entries not later than time: where a new one of that time belongs. */
static uint32_t rank_of(const sr_window *window, size_t stride, int64_t time)
{
    uint32_t low = 0;
    uint32_t high = window->count;

    while (low < high) {
        const uint32_t mid = low + (high - low) / 2;

        if (sr_window_time(sr_window_at(window, stride, mid)) <= time)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

/* Make a gap at rank `at` by moving the shorter side one step outwards. */
static void open_gap(sr_window *window, size_t stride, uint32_t at)
{
    if (at >= window->count / 2) {
        for (uint32_t i = window->count; i > at; i--)
            memcpy(sr_window_at(window, stride, i),
                   sr_window_at(window, stride, i - 1), stride);
    } else {
        window->head = (window->head - 1) & (window->cap - 1);
        for (uint32_t i = 0; i < at; i++)
            memcpy(sr_window_at(window, stride, i),
                   sr_window_at(window, stride, i + 1), stride);
    }
}

void *sr_window_insert(sr_pool *pool, sr_window *window, size_t stride,
                       int64_t time, bool *last)
{
    if (window->count == window->cap && !grow(pool, window, stride))
        return NULL;
    uint32_t at = window->count;

    if (at != 0 &&
        sr_window_time(sr_window_at(window, stride, at - 1)) > time) {
        at = rank_of(window, stride, time);
        open_gap(window, stride, at);
    }
    *last = at == window->count;
    window->count++;
    char *entry = sr_window_at(window, stride, at);

    memcpy(entry, &time, sizeof(time));
    return entry;
}

void sr_window_pop(sr_window *window)
{
    assert(window->count != 0);
    window->head = (window->head + 1) & (window->cap - 1);
    window->count--;
}

void sr_window_remove(sr_window *window, size_t stride, const void *entry)
{
    uint32_t i = 0;

    while (sr_window_at(window, stride, i) != entry)
        i++;
    for (; i + 1 < window->count; i++)
        memcpy(sr_window_at(window, stride, i),
               sr_window_at(window, stride, i + 1), stride);
    window->count--;
}

void sr_window_free(sr_pool *pool, sr_window *window, size_t stride)
{
    sr_pool_free(pool, window->items, window->cap * stride);
    *window = (sr_window){NULL, 0, 0, 0};
}
