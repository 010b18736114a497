/*
 * ring.h - the memory of enrichment, private to this folder: entries of
 * several tables in one ring of bytes, found by an index of hashes.
 *
 * A new entry goes to the head of the ring. When there is no room the oldest
 * goes, unless it was asked for since it was last passed: then it moves to the
 * head once more. So what is idle longest is forgotten first, each entry costs
 * a bounded amount of work, and nothing is allocated once the ring has its full
 * size. Keys and values are bytes; their meaning is enrich.c's.
 */
#ifndef SR_ENRICH_RING_H
#define SR_ENRICH_RING_H

#include "base/sg_base.h"

enum { SR_RING_ENTRY_MAX = 64 * 1024 }; /* bytes of key and value */

typedef struct sr_ring_slot {
    uint32_t hash;
    uint32_t at; /* place in the ring / 8 + 1; 0: free */
} sr_ring_slot;

/* An entry of the ring; the key's bytes follow, then the value's. */
typedef struct sr_stored {
    uint32_t size; /* bytes in the ring, a multiple of 8 */
    uint32_t hash;
    uint32_t key_len, value_len;
    uint16_t table;
    bool live; /* else overwritten by a later one */
    bool used; /* asked for since it was stored or passed */
} sr_stored;

/* What the store forgot to make room. */
typedef void sr_ring_evict_fn(void *ctx, const sr_stored *entry);

typedef struct sr_ring {
    char *ring;
    char *spare;         /* room for an entry that moves */
    uint64_t cap, limit; /* bytes of the ring: now, at most */
    uint64_t head, tail; /* where the next entry goes, where the oldest is */
    uint64_t end;        /* of what lies from tail on, when head < tail */
    uint64_t held;       /* bytes of entries in the ring ... */
    uint64_t alive;      /* ... and of the live ones */
    sr_ring_slot *slots;
    uint32_t slot_count, slot_limit; /* powers of two */
    uint32_t count;                  /* live entries */
    uint64_t salt;
    bool keep; /* nothing is forgotten: what has no room is refused */
    sr_ring_evict_fn *evicted; /* or NULL */
    void *ctx;
} sr_ring;

/* `limit` is in bytes for ring and index together; at least 4 KiB are taken.
 * While it grows, up to half as much again is in use. */
void sr_ring_open(sr_ring *store, uint64_t limit, bool keep);
void sr_ring_close(sr_ring *store);

/* The entry of a key, or NULL. Lives until the next put. Does not mark it as
 * used, so that several threads may read a store that nobody fills. */
sr_stored *sr_ring_find(const sr_ring *store, uint32_t table, sg_str key);

typedef enum sr_stored_how {
    SR_STORED,      /* new, or another value than before */
    SR_STORED_SAME, /* the value it has already */
    SR_RING_REFUSED
} sr_stored_how;

sr_stored_how sr_ring_put(sr_ring *store, uint32_t table, sg_str key,
                          sg_str value);

/* Each live entry, oldest first, until `fn` returns false; then false. */
bool sr_ring_each(const sr_ring *store,
                  bool (*fn)(void *ctx, const sr_stored *entry), void *ctx);

static inline sg_str sr_stored_key(const sr_stored *entry)
{
    return (sg_str){(const char *)(entry + 1), entry->key_len};
}

static inline sg_str sr_stored_value(const sr_stored *entry)
{
    return (sg_str){(const char *)(entry + 1) + entry->key_len,
                    entry->value_len};
}

#endif
