/*
 * window.c - the events of one group within its timespan, in ascending order
 * of time: chunks of entries, and above one chunk a ring of chunks. An event in
 * order is stored behind the last one; one out of order costs two searches and
 * at most one chunk moved. Nothing here takes longer for a fuller window.
 */
#include "agg/parts.h"

#include <assert.h>
#include <string.h>

enum {
    LENT_CAP = 2,   /* entries of the chunk that a window is lent */
    FIRST_CAP = 4,  /* entries of the first chunk of its own */
    CHUNK = 128,    /* entries of a full-grown chunk */
    FIRST_RING = 4, /* chunks */
    MAX_RING = 1 << 28
};

struct sr_chunk {
    uint16_t beg, end, cap; /* entries [beg, end) are used */
    uint16_t lent;          /* it belongs to whoever has the window */
    char items[] __attribute__((aligned(8)));
};

typedef struct sr_chunk chunk;

static size_t chunk_size(size_t stride, uint32_t cap)
{
    return sizeof(chunk) + cap * stride;
}

static chunk *new_chunk(sr_pool *pool, size_t stride, uint32_t cap)
{
    chunk *c = sr_pool_alloc(pool, chunk_size(stride, cap));

    if (c != NULL)
        *c = (chunk){0, 0, (uint16_t)cap, 0};
    return c;
}

static void free_chunk(sr_pool *pool, chunk *c, size_t stride)
{
    if (c != NULL && c->lent == 0)
        sr_pool_free(pool, c, chunk_size(stride, c->cap));
}

size_t sr_window_room(size_t stride)
{
    return chunk_size(stride, LENT_CAP);
}

void sr_window_lend(sr_window *w, void *room)
{
    w->only = room;
    w->chunks = 1;
    *w->only = (chunk){0, 0, LENT_CAP, 1};
}

static char *entry_at(chunk *c, size_t stride, uint32_t i)
{
    return c->items + i * stride;
}

static int64_t first_time(chunk *c, size_t stride)
{
    return sr_window_time(entry_at(c, stride, c->beg));
}

static int64_t last_time(chunk *c, size_t stride)
{
    return sr_window_time(entry_at(c, stride, c->end - 1U));
}

/* -------- the ring of chunks --------------------------------------------- */

static chunk **slot(const sr_window *w, uint32_t i)
{
    return &w->ring[(w->head + i) & (w->cap - 1)];
}

static chunk *chunk_of(const sr_window *w, uint32_t i)
{
    assert(i < w->chunks);
    return w->cap == 0 ? w->only : *slot(w, i);
}

static bool grow_ring(sr_pool *pool, sr_window *w)
{
    const uint32_t cap = w->cap == 0 ? FIRST_RING : w->cap * 2;

    if (cap > MAX_RING)
        return false;
    chunk **ring = sr_pool_alloc(pool, cap * sizeof(*ring));

    if (ring == NULL)
        return false;
    for (uint32_t i = 0; i < w->chunks; i++)
        ring[i] = chunk_of(w, i);
    if (w->cap != 0)
        sr_pool_free(pool, w->ring, w->cap * sizeof(*ring));
    w->ring = ring;
    w->head = 0;
    w->cap = cap;
    return true;
}

/* Put a chunk at place i among the others. */
static bool add_chunk(sr_pool *pool, sr_window *w, uint32_t i, chunk *c)
{
    if (w->chunks == 0 && w->cap == 0) {
        w->only = c;
        w->chunks = 1;
        return true;
    }
    if (w->chunks >= w->cap && !grow_ring(pool, w))
        return false;
    w->chunks++;
    for (uint32_t k = w->chunks - 1; k > i; k--)
        *slot(w, k) = *slot(w, k - 1);
    *slot(w, i) = c;
    return true;
}

/* Forget the first chunk, which is empty. */
static void pop_chunk(sr_pool *pool, sr_window *w, size_t stride)
{
    chunk *c = chunk_of(w, 0);

    if (w->chunks == 1) {
        c->beg = c->end = 0; /* the next entry will want it */
        return;
    }
    w->head = (w->head + 1) & (w->cap - 1);
    w->chunks--;
    free_chunk(pool, c, stride);
}

/* -------- inserting ------------------------------------------------------ */

/* A larger copy of a chunk that is not full-grown. */
static chunk *grow_chunk(sr_pool *pool, chunk *c, size_t stride)
{
    const uint32_t twice = c->lent != 0 ? FIRST_CAP : c->cap * 2U;
    const uint32_t cap = twice > CHUNK ? CHUNK : twice;
    chunk *larger = new_chunk(pool, stride, cap);

    if (larger == NULL)
        return NULL;
    larger->end = (uint16_t)(c->end - c->beg);
    memcpy(larger->items, entry_at(c, stride, c->beg), larger->end * stride);
    free_chunk(pool, c, stride);
    return larger;
}

/* Room behind the last entry of the last chunk. NULL for want of memory. */
static chunk *room_at_end(sr_pool *pool, sr_window *w, size_t stride)
{
    chunk *c = w->chunks == 0 ? NULL : chunk_of(w, w->chunks - 1);

    if (c != NULL && c->end < c->cap)
        return c;
    if (c != NULL && c->beg >= c->cap / 2) {
        c->end = (uint16_t)(c->end - c->beg);
        memmove(c->items, entry_at(c, stride, c->beg), c->end * stride);
        c->beg = 0;
        return c;
    }
    if (c != NULL && c->cap < CHUNK) {
        c = grow_chunk(pool, c, stride);
        if (c != NULL && w->cap == 0)
            w->only = c;
        else if (c != NULL)
            *slot(w, w->chunks - 1) = c;
        return c;
    }
    c = new_chunk(pool, stride, c == NULL ? FIRST_CAP : CHUNK);
    if (c != NULL && !add_chunk(pool, w, w->chunks, c)) {
        free_chunk(pool, c, stride);
        return NULL;
    }
    return c;
}

/* The chunk that holds the last entry not later than time; the first one when
 * there is none. */
static uint32_t chunk_for(const sr_window *w, size_t stride, int64_t time)
{
    uint32_t low = 0;
    uint32_t high = w->chunks;

    while (high - low > 1) {
        const uint32_t mid = low + (high - low) / 2;

        if (first_time(chunk_of(w, mid), stride) <= time)
            low = mid;
        else
            high = mid;
    }
    return low;
}

/* Entries of the chunk not later than time end here. */
static uint32_t rank_in(chunk *c, size_t stride, int64_t time)
{
    uint32_t low = c->beg;
    uint32_t high = c->end;

    while (low < high) {
        const uint32_t mid = low + (high - low) / 2;

        if (sr_window_time(entry_at(c, stride, mid)) <= time)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

/* Move the later half of a full chunk into one of its own. */
static bool split(sr_pool *pool, sr_window *w, size_t stride, uint32_t i)
{
    chunk *c = chunk_of(w, i);
    const uint32_t half = (uint32_t)(c->end - c->beg) / 2;
    chunk *later = new_chunk(pool, stride, CHUNK);

    if (later == NULL)
        return false;
    if (!add_chunk(pool, w, i + 1, later)) {
        free_chunk(pool, later, stride);
        return false;
    }
    later->end = (uint16_t)half;
    c->end = (uint16_t)(c->end - half);
    memcpy(later->items, entry_at(c, stride, c->end), half * stride);
    return true;
}

/* Out of order: a gap inside a chunk. */
static char *insert_inside(sr_pool *pool, sr_window *w, size_t stride,
                           int64_t time)
{
    uint32_t i = chunk_for(w, stride, time);
    chunk *c = chunk_of(w, i);

    if (c->end - c->beg == c->cap) {
        if (c->cap < CHUNK) {
            /* The only one: the last is the one that grows. */
            if (room_at_end(pool, w, stride) == NULL)
                return NULL;
        } else if (!split(pool, w, stride, i)) {
            return NULL;
        }
        i = chunk_for(w, stride, time);
        c = chunk_of(w, i);
    }
    uint32_t at = rank_in(c, stride, time);

    if (c->beg != 0) {
        memmove(entry_at(c, stride, c->beg - 1U), entry_at(c, stride, c->beg),
                (at - c->beg) * stride);
        c->beg--;
        at--;
    } else {
        memmove(entry_at(c, stride, at + 1), entry_at(c, stride, at),
                (c->end - at) * stride);
        c->end++;
    }
    return entry_at(c, stride, at);
}

void *sr_window_insert(sr_pool *pool, sr_window *w, size_t stride, int64_t time,
                       bool *last)
{
    char *entry = NULL;

    *last = w->count == 0 || sr_window_newest(w, stride) <= time;
    if (w->count == UINT32_MAX)
        return NULL;
    if (*last) {
        chunk *c = room_at_end(pool, w, stride);

        if (c != NULL)
            entry = entry_at(c, stride, c->end++);
    } else {
        entry = insert_inside(pool, w, stride, time);
    }
    if (entry == NULL)
        return NULL;
    w->count++;
    memcpy(entry, &time, sizeof(time));
    return entry;
}

/* -------- reading and removing ------------------------------------------- */

int64_t sr_window_oldest(const sr_window *w, size_t stride)
{
    return first_time(chunk_of(w, 0), stride);
}

int64_t sr_window_newest(const sr_window *w, size_t stride)
{
    return last_time(chunk_of(w, w->chunks - 1), stride);
}

const void *sr_window_front(const sr_window *w, size_t stride)
{
    chunk *c = chunk_of(w, 0);

    return entry_at(c, stride, c->beg);
}

void sr_window_pop(sr_pool *pool, sr_window *w, size_t stride)
{
    chunk *c = chunk_of(w, 0);

    assert(w->count != 0);
    c->beg++;
    w->count--;
    if (c->beg == c->end)
        pop_chunk(pool, w, stride);
}

void *sr_window_next(const sr_window *w, size_t stride, sr_window_at *at)
{
    if (at->chunk >= w->chunks)
        return NULL;
    chunk *c = chunk_of(w, at->chunk);

    if (c->beg + at->entry >= c->end) {
        *at = (sr_window_at){at->chunk + 1, 0};
        return sr_window_next(w, stride, at);
    }
    return entry_at(c, stride, c->beg + at->entry++);
}

void *sr_window_back(const sr_window *w, size_t stride, sr_window_at *at)
{
    if (at->chunk >= w->chunks)
        return NULL;
    chunk *c = chunk_of(w, w->chunks - 1 - at->chunk);

    if (c->end - at->entry <= c->beg) {
        *at = (sr_window_at){at->chunk + 1, 0};
        return sr_window_back(w, stride, at);
    }
    return entry_at(c, stride, c->end - ++at->entry);
}

/* Forget chunk i, which is empty; the only one stays for the next entry. */
static void drop_chunk(sr_pool *pool, sr_window *w, size_t stride, uint32_t i)
{
    chunk *c = chunk_of(w, i);

    if (w->chunks == 1) {
        c->beg = c->end = 0;
        return;
    }
    for (uint32_t k = i; k + 1 < w->chunks; k++)
        *slot(w, k) = *slot(w, k + 1);
    w->chunks--;
    free_chunk(pool, c, stride);
}

void sr_window_remove(sr_pool *pool, sr_window *w, size_t stride, void *entry)
{
    uint32_t i = chunk_for(w, stride, sr_window_time(entry));
    chunk *c = chunk_of(w, i);
    char *at = entry;

    /* Among equal times it may lie in an earlier chunk. */
    while (at < c->items || at >= entry_at(c, stride, c->end))
        c = chunk_of(w, --i);
    memmove(at, at + stride,
            (size_t)(entry_at(c, stride, c->end) - at) - stride);
    c->end--;
    w->count--;
    if (c->beg == c->end)
        drop_chunk(pool, w, stride, i);
}

void sr_window_free(sr_pool *pool, sr_window *w, size_t stride)
{
    for (uint32_t i = 0; i < w->chunks; i++)
        free_chunk(pool, chunk_of(w, i), stride);
    if (w->cap != 0)
        sr_pool_free(pool, w->ring, w->cap * sizeof(chunk *));
    *w = (sr_window){.count = 0};
}

/* The power of two that is at least n and at least `least`, which is one. */
static uint32_t power_for(uint32_t n, uint32_t least)
{
    return n <= least ? least : UINT32_C(1) << (32 - __builtin_clz(n - 1));
}

size_t sr_window_bytes(uint32_t count, size_t stride)
{
    const uint32_t chunks = count / CHUNK + (count % CHUNK != 0);

    if (count <= LENT_CAP)
        return 0;
    if (chunks == 1)
        return sr_pool_size(chunk_size(stride, power_for(count, FIRST_CAP)));
    return sr_pool_size(power_for(chunks, FIRST_RING) * sizeof(chunk *)) +
           chunks * sr_pool_size(chunk_size(stride, CHUNK));
}
