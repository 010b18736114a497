/*
 * ring.c - see ring.h. The index is a hash table with linear probing; hashes
 * are salted, so that events cannot be made to collide.
 */
#include "enrich/ring.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

enum {
    LIMIT_LEAST = 4096,
    FIRST_RING = 64 * 1024,
    FIRST_SLOTS = 64,
    CHANCES = 8 /* entries that may move on to make room for one */
};

/* Beyond it a place does not fit its 32 bits. */
static const uint64_t limit_most = (uint64_t)16 << 30;

static void *must(void *ptr)
{
    if (ptr == NULL)
        sg_fatal("out of memory");
    return ptr;
}

static sr_stored *entry_at(const sr_ring *store, uint64_t at)
{
    return (sr_stored *)(void *)(store->ring + at);
}

/* -------- life ----------------------------------------------------------- */

void sr_ring_open(sr_ring *store, uint64_t limit, bool keep)
{
    *store = (sr_ring){.keep = keep, .slot_count = FIRST_SLOTS};
    if (limit < LIMIT_LEAST)
        limit = LIMIT_LEAST;
    if (limit > limit_most)
        limit = limit_most;
    store->slot_limit = FIRST_SLOTS;
    while ((uint64_t)store->slot_limit * 2 * sizeof(sr_ring_slot) <= limit / 4)
        store->slot_limit *= 2;
    store->limit = (limit - limit / 4) & ~(uint64_t)7;
    /* Halved often, so that the last step of growing is to twice the size. */
    for (store->cap = store->limit; store->cap / 2 >= FIRST_RING;)
        store->cap = (store->cap / 2 + 7) & ~(uint64_t)7;
    store->ring = must(malloc(store->cap));
    store->slots = must(calloc(store->slot_count, sizeof(sr_ring_slot)));
    if (getrandom(&store->salt, sizeof(store->salt), GRND_NONBLOCK) !=
        (ssize_t)sizeof(store->salt))
        store->salt = (uintptr_t)store->ring * UINT64_C(0x9E3779B97F4A7C15);
}

void sr_ring_close(sr_ring *store)
{
    free(store->ring);
    free(store->spare);
    free(store->slots);
    *store = (sr_ring){.ring = NULL};
}

/* -------- index ---------------------------------------------------------- */

static uint32_t hash_of(const sr_ring *store, uint32_t table, sg_str key)
{
    return (uint32_t)sg_str_hash_seeded(key, store->salt + table);
}

static sr_ring_slot *slot_of(const sr_ring *store, uint32_t hash, uint64_t at)
{
    const uint32_t mask = store->slot_count - 1;
    uint32_t i = hash & mask;

    while (store->slots[i].at != (uint32_t)(at / 8) + 1)
        i = (i + 1) & mask;
    return &store->slots[i];
}

static void index_place(sr_ring *store, uint32_t hash, uint64_t at)
{
    const uint32_t mask = store->slot_count - 1;
    uint32_t i = hash & mask;

    while (store->slots[i].at != 0)
        i = (i + 1) & mask;
    store->slots[i] = (sr_ring_slot){hash, (uint32_t)(at / 8) + 1};
}

static void index_remove(sr_ring *store, uint32_t hash, uint64_t at)
{
    const uint32_t mask = store->slot_count - 1;
    uint32_t hole = (uint32_t)(slot_of(store, hash, at) - store->slots);

    /* Whoever sits further from home than the hole moves in. */
    for (uint32_t i = (hole + 1) & mask; store->slots[i].at != 0;
         i = (i + 1) & mask) {
        const uint32_t home = store->slots[i].hash & mask;
        if (((i - home) & mask) >= ((i - hole) & mask)) {
            store->slots[hole] = store->slots[i];
            hole = i;
        }
    }
    store->slots[hole] = (sr_ring_slot){0, 0};
}

static void index_grow(sr_ring *store)
{
    const uint32_t old_count = store->slot_count;
    sr_ring_slot *old = store->slots;

    store->slot_count *= 2;
    store->slots = must(calloc(store->slot_count, sizeof(*old)));
    for (uint32_t i = 0; i < old_count; i++)
        if (old[i].at != 0)
            index_place(store, old[i].hash, ((uint64_t)old[i].at - 1) * 8);
    free(old);
}

/* Not full: at most three quarters, so that probing stays short. */
static bool index_has_room(const sr_ring *store)
{
    return store->count < store->slot_count / 4 * 3;
}

/* -------- ring ----------------------------------------------------------- */

static uint64_t next_at(const sr_ring *store, uint64_t at)
{
    at += entry_at(store, at)->size;
    return store->head <= store->tail && at == store->end ? 0 : at;
}

/* Whether `size` bytes fit without forgetting anything; moves the head to the
 * start of the ring when they fit there alone. */
static bool fits(sr_ring *store, uint64_t size)
{
    if (store->held == 0)
        store->head = store->tail = 0;
    if (store->held == 0 || store->head > store->tail) {
        if (store->cap - store->head >= size)
            return true;
        if (store->tail < size || store->held == 0)
            return false;
        store->end = store->head;
        store->head = 0;
        return true;
    }
    return store->tail - store->head >= size;
}

/* Put the bytes of an entry at the head, where they fit. */
static void append(sr_ring *store, const sr_stored *entry)
{
    sr_stored *to = entry_at(store, store->head);

    memcpy(to, entry, entry->size);
    store->held += entry->size;
    store->alive += entry->size;
    store->count++;
    index_place(store, entry->hash, store->head);
    store->head += entry->size;
}

/* The entry is no longer found; its bytes stay until the tail passes. */
static void kill(sr_ring *store, sr_stored *entry)
{
    index_remove(store, entry->hash,
                 (uint64_t)((const char *)entry - store->ring));
    entry->live = false;
    store->alive -= entry->size;
    store->count--;
}

/* Take the oldest entry out of the ring. */
static void pass(sr_ring *store, bool forget)
{
    sr_stored *entry = entry_at(store, store->tail);
    const uint64_t next = next_at(store, store->tail);

    if (entry->live) {
        kill(store, entry);
        if (forget && store->evicted != NULL)
            store->evicted(store->ctx, entry);
    }
    store->held -= entry->size;
    store->tail = next;
}

/* All live entries in a ring of another size, oldest first. */
static void rebuild(sr_ring *store, uint64_t cap)
{
    char *old = store->ring;
    char *ring = must(malloc(cap));
    uint64_t to = 0;
    uint64_t left = store->held;

    memset(store->slots, 0, store->slot_count * sizeof(*store->slots));
    for (uint64_t at = store->tail; left != 0;) {
        const sr_stored *entry = entry_at(store, at);
        left -= entry->size;
        if (entry->live) {
            memcpy(ring + to, entry, entry->size);
            index_place(store, entry->hash, to);
            to += entry->size;
        }
        at = next_at(store, at);
    }
    free(old);
    store->ring = ring;
    store->cap = cap;
    store->tail = 0;
    store->head = store->held = store->alive = to;
}

/* A larger ring, or the same without what is dead; false when it is as large
 * as may be. */
static bool grow(sr_ring *store, uint64_t size)
{
    uint64_t cap = store->cap;

    if (cap == store->limit)
        return false;
    while (cap < store->limit && cap / 2 < store->alive + size)
        cap = cap * 2 < store->limit ? cap * 2 : store->limit;
    rebuild(store, cap);
    return true;
}

/* The oldest entry moves to the head. Where it was there is room for it: at
 * the tail, or behind the head when it was the last before the end. */
static void move_on(sr_ring *store)
{
    const sr_stored *oldest = entry_at(store, store->tail);

    if (store->spare == NULL)
        store->spare = must(malloc(SR_RING_ENTRY_MAX + sizeof(sr_stored) + 8));
    memcpy(store->spare, oldest, oldest->size);
    pass(store, false);
    sr_stored *entry = (sr_stored *)(void *)store->spare;
    entry->used = false;
    if (!fits(store, entry->size))
        sg_fatal("enrichment: a ring of %llu bytes is broken",
                 (unsigned long long)store->cap);
    append(store, entry);
}

/* Get on with the oldest entry: out if it is dead, to the head if the ring is
 * mostly dead or the entry in use, else forgotten. False when nothing may be
 * forgotten. */
static bool advance(sr_ring *store, unsigned *chances)
{
    const sr_stored *oldest = entry_at(store, store->tail);

    if (!oldest->live) {
        pass(store, false);
    } else if (index_has_room(store) && store->alive <= store->cap / 2) {
        move_on(store);
    } else if (store->keep) {
        return false;
    } else if (oldest->used && *chances != 0) {
        --*chances;
        move_on(store);
    } else {
        pass(store, true);
    }
    return true;
}

/* Room for an entry of `size` bytes in ring and index. */
static bool make_room(sr_ring *store, uint64_t size)
{
    unsigned chances = CHANCES;

    if (size > store->limit / 4)
        return false;
    while (!index_has_room(store) || !fits(store, size)) {
        if (!index_has_room(store) && store->slot_count < store->slot_limit)
            index_grow(store);
        else if (index_has_room(store) && grow(store, size))
            continue;
        else if (!advance(store, &chances))
            return false;
    }
    return true;
}

/* -------- use ------------------------------------------------------------ */

static sr_stored *find(const sr_ring *store, uint32_t hash, uint32_t table,
                       sg_str key)
{
    const uint32_t mask = store->slot_count - 1;

    for (uint32_t i = hash & mask; store->slots[i].at != 0;
         i = (i + 1) & mask) {
        if (store->slots[i].hash != hash)
            continue;
        sr_stored *entry =
            entry_at(store, ((uint64_t)store->slots[i].at - 1) * 8);
        if (entry->table == table && sg_str_eq(sr_stored_key(entry), key))
            return entry;
    }
    return NULL;
}

sr_stored *sr_ring_find(const sr_ring *store, uint32_t table, sg_str key)
{
    return find(store, hash_of(store, table, key), table, key);
}

/* Write the entry where make_room found room. */
static void write(sr_ring *store, sr_stored head, sg_str key, sg_str value)
{
    sr_stored *entry = entry_at(store, store->head);
    char *bytes = (char *)(entry + 1);

    *entry = head;
    memcpy(bytes, key.ptr, key.len);
    memcpy(bytes + key.len, value.ptr, value.len);
    store->held += head.size;
    store->alive += head.size;
    store->count++;
    index_place(store, head.hash, store->head);
    store->head += head.size;
}

sr_stored_how sr_ring_put(sr_ring *store, uint32_t table, sg_str key,
                          sg_str value)
{
    const uint32_t hash = hash_of(store, table, key);
    sr_stored *old = find(store, hash, table, key);

    if (old != NULL && sg_str_eq(sr_stored_value(old), value)) {
        old->used = true;
        return SR_STORED_SAME;
    }
    if (key.len > SR_RING_ENTRY_MAX || value.len > SR_RING_ENTRY_MAX ||
        key.len + value.len > SR_RING_ENTRY_MAX)
        return SR_RING_REFUSED;
    const size_t bytes = sizeof(sr_stored) + key.len + value.len;
    const sr_stored head = {.size = (uint32_t)((bytes + 7) & ~(size_t)7),
                            .hash = hash,
                            .key_len = (uint32_t)key.len,
                            .value_len = (uint32_t)value.len,
                            .table = (uint16_t)table,
                            .live = true};

    if (!make_room(store, head.size))
        return SR_RING_REFUSED;
    old = find(store, hash, table, key); /* it may have moved, or gone */
    if (old != NULL)
        kill(store, old);
    write(store, head, key, value);
    return SR_STORED;
}

bool sr_ring_each(const sr_ring *store,
                  bool (*fn)(void *ctx, const sr_stored *entry), void *ctx)
{
    uint64_t left = store->held;

    for (uint64_t at = store->tail; left != 0; at = next_at(store, at)) {
        const sr_stored *entry = entry_at(store, at);
        left -= entry->size;
        if (entry->live && !fn(ctx, entry))
            return false;
    }
    return true;
}
