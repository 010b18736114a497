/*
 * parts.h - the engine's building blocks, private to this folder: a
 * pool, a hash table of keyed items, a window, exact sums, order statistics,
 * and two sketches: what bounds a count of values and a percentile.
 *
 * All memory comes from the pool; whatever allocates returns NULL or false
 * when the system has none and leaves its object as it was. What `bytes`
 * functions tell depends on what an object holds alone, not on what it held
 * before: the bytes that it would take in a pool were it made anew.
 */
#ifndef SR_AGG_PARTS_H
#define SR_AGG_PARTS_H

#include "base/sg_base.h"

#include <string.h>

/* -------- pool (pool.c) ------------------------------------------------ */

enum { SR_POOL_CLASSES = 48 };

/* Size-class allocator over slabs; zero-initialise. */
typedef struct sr_pool {
    struct sr_slab *partial[SR_POOL_CLASSES]; /* slabs with room, per class */
    struct sr_slab *empty;
    struct sr_pool_block *blocks;
    size_t block_count;
    uint32_t era;   /* calls of sr_pool_turn */
    uint64_t limit; /* of `used`, to see what happens then; 0: none */
    uint64_t used;  /* bytes of live objects */
    uint64_t held;  /* bytes of the slabs and pages they lie in */
    uint64_t large; /* of these, pages: sr_pool_close does not free them */
} sr_pool;

/* Bytes that an object of this size takes. */
size_t sr_pool_size(size_t size);
/* Uninitialised, aligned to 16; NULL for want of memory. size > 0. */
void *sr_pool_alloc(sr_pool *pool, size_t size);
/* The same, all zero, for what is soon used all over. */
void *sr_pool_zeroed(sr_pool *pool, size_t size);
/* `size` as it was asked for. NULL is allowed. */
void sr_pool_free(sr_pool *pool, void *ptr, size_t size);
/* New objects lie in none of the slabs in use now: these run empty as their
 * objects are freed. */
void sr_pool_turn(sr_pool *pool);
/* Give everything back, objects of up to 8 KiB included. Larger ones must have
 * been freed one by one. */
void sr_pool_close(sr_pool *pool);

/* -------- table of keyed items (table.c) -------------------------------- */

/* First member of whatever lies in a table; the key's bytes are part of the
 * same object, key_at bytes from its start. */
typedef struct sr_item {
    uint64_t hash;
    uint32_t key_len, key_at;
} sr_item;

typedef struct sr_table_slot {
    uint64_t hash;
    sr_item *item; /* NULL: free */
} sr_table_slot;

/* Open addressing, linear probing, no tombstones; zero-initialise. */
typedef struct sr_table {
    sr_table_slot *slots;
    uint32_t count, cap;
} sr_table;

sg_str sr_item_key(const sr_item *item);
sr_item *sr_table_find(const sr_table *table, uint64_t hash, sg_str key);
/* Where a search for the hash begins, and the first item of that hash without a
 * look at its key; both may be NULL. For fetching ahead. */
const sr_table_slot *sr_table_home(const sr_table *table, uint64_t hash);
sr_item *sr_table_peek(const sr_table *table, uint64_t hash);
/* The key must not be there yet. */
bool sr_table_add(sr_pool *pool, sr_table *table, sr_item *item);
void sr_table_remove(sr_table *table, const sr_item *item);
/* Another item of the same hash and key in its place. */
void sr_table_replace(sr_table *table, const sr_item *item, sr_item *by);
/* Of the slots for so many items. */
size_t sr_table_bytes(uint32_t count);
void sr_table_free(sr_pool *pool, sr_table *table);

/* -------- window (window.c) --------------------------------------------- */

/* Entries of one size in ascending time; each begins with its time.
 * Zero-initialise; `stride` is a multiple of 8. */
typedef struct sr_window {
    union {
        struct sr_chunk *only;  /* cap == 0 */
        struct sr_chunk **ring; /* of cap places, a power of two */
    };
    uint32_t head, chunks, cap;
    uint32_t count; /* entries */
} sr_window;

/* The first few entries lie in room of so many bytes, aligned to 8, that an
 * empty window may be lent; it is never given back. */
size_t sr_window_room(size_t stride);
void sr_window_lend(sr_window *window, void *room);
/* Room for one more entry behind all of the same or an earlier time; the
 * caller fills the bytes after the time. *last says whether it is the newest.
 * NULL for want of memory. */
void *sr_window_insert(sr_pool *pool, sr_window *window, size_t stride,
                       int64_t time, bool *last);
/* The ends of a window that is not empty. */
int64_t sr_window_oldest(const sr_window *window, size_t stride);
int64_t sr_window_newest(const sr_window *window, size_t stride);
const void *sr_window_front(const sr_window *window, size_t stride);
/* Forget the oldest entry. */
void sr_window_pop(sr_pool *pool, sr_window *window, size_t stride);
/* Take one entry out again. */
void sr_window_remove(sr_pool *pool, sr_window *window, size_t stride,
                      void *entry);
static inline int64_t sr_window_time(const void *entry)
{
    int64_t time;

    memcpy(&time, entry, sizeof(time));
    return time;
}

/* All entries, oldest first: begin with a zeroed place, until NULL. */
typedef struct sr_window_at {
    uint32_t chunk, entry;
} sr_window_at;

void *sr_window_next(const sr_window *window, size_t stride, sr_window_at *at);
/* The same, newest first. */
void *sr_window_back(const sr_window *window, size_t stride, sr_window_at *at);
void sr_window_free(sr_pool *pool, sr_window *window, size_t stride);
/* Of a window of so many entries, beyond the room it was lent. */
size_t sr_window_bytes(uint32_t count, size_t stride);

/* -------- exact sums (sum.c) --------------------------------------------- */

/* A sum that additions and removals leave exact: integers in 128 bits, floats
 * in a fixed-point number as wide as a double's range, made when needed. */
typedef struct sr_sum {
    uint64_t low, high; /* two's complement sum of the integers */
    struct sr_wide *wide;
} sr_sum;

bool sr_sum_add(sr_pool *pool, sr_sum *sum, sg_num n);
void sr_sum_remove(sr_sum *sum, sg_num n);
/* The sum divided by `by` > 0: an exact integer when it is one that fits and
 * no float took part, else the nearest double. */
sg_num sr_sum_value(const sr_sum *sum, uint64_t by);
void sr_sum_free(sr_pool *pool, sr_sum *sum);
/* Of a sum that holds floats, or none. */
size_t sr_sum_bytes(bool floats);
bool sr_sum_floats(const sr_sum *sum);
void sr_sum_save(const sr_sum *sum, sg_buf *out);
/* False for damaged bytes or want of memory; the sum may be freed then. */
bool sr_sum_load(sr_pool *pool, sr_sum *sum, sg_reader *r);

/* -------- order statistics (order.c) ------------------------------------- */

/* Multiset of numbers in a balanced tree with subtree sizes. */
typedef struct sr_order {
    struct sr_order_node *root;
    uint64_t seed;  /* of the tree's shape; never of its meaning */
    uint64_t nodes; /* different numbers */
} sr_order;

/* times > 0. */
bool sr_order_add(sr_pool *pool, sr_order *order, sg_num n, uint64_t times);
void sr_order_remove(sr_pool *pool, sr_order *order, sg_num n);
/* Linear interpolation between order statistics; percent in [0, 100], the
 * multiset not empty. Exact where a rank falls on a number. */
sg_num sr_order_percentile(const sr_order *order, double percent);
/* The same of the magnitudes of the numbers that it lies between: so much an
 * error that is a share of each is a share of. The magnitude of the percentile,
 * unless the two have opposite signs. */
double sr_order_scale(const sr_order *order, double percent);
/* Every number in ascending order; false as soon as fn says so. */
typedef bool sr_order_fn(void *ctx, sg_num n, uint64_t times);
bool sr_order_each(const sr_order *order, sr_order_fn *fn, void *ctx);
void sr_order_free(sr_pool *pool, sr_order *order);
/* Of so many different numbers. */
size_t sr_order_bytes(uint64_t nodes);

/* -------- how many distinct keys, about (hll.c) -------------------------- */

/* A HyperLogLog of 4096 registers that counts the live events of each cell,
 * so that events can leave again. What it says depends on the live multiset
 * of cells alone, in every process and on every machine. It takes about 12 KB
 * for a thousand distinct keys, 43 KB for a million. Its error is a matter of
 * chance: keys chosen for their hashes can mislead it. */
typedef struct sr_hll sr_hll;

/* Three standard errors of the estimate, relative: 3 * 1.04 / sqrt(4096). */
#define SR_HLL_ERROR 0.04875

/* Empty; NULL for want of memory. */
sr_hll *sr_hll_new(sr_pool *pool);
/* All that the sketch wants to know of a key: kept with the event, it serves
 * to remove it. */
uint32_t sr_hll_cell(sg_str key);
/* Whether a number read from elsewhere is a cell; the others take no other. */
bool sr_hll_is_cell(uint32_t cell);
/* One more live event; false, and nothing changed, for want of memory. */
bool sr_hll_add(sr_pool *pool, sr_hll *hll, uint32_t cell);
/* One event fewer; never needs memory. A cell without a live event, as a
 * damaged window may hold it, is left alone. */
void sr_hll_remove(sr_pool *pool, sr_hll *hll, uint32_t cell);
/* Live events, duplicates included: exact. */
uint64_t sr_hll_events(const sr_hll *hll);
/* Distinct keys among them, to the nearest integer; 0 only when empty. */
uint64_t sr_hll_estimate(const sr_hll *hll);
/* Append the sketch's portable form, the same bytes for the same multiset. */
void sr_hll_save(const sr_hll *hll, sg_buf *out);
/* NULL when `bytes` is not what sr_hll_save wrote, or for want of memory. */
sr_hll *sr_hll_load(sr_pool *pool, sg_str bytes);
/* NULL is allowed. */
void sr_hll_free(sr_pool *pool, sr_hll *hll);
/* About, as counters are taken to have two bits; NULL is allowed. */
size_t sr_hll_bytes(const sr_hll *hll);
/* The same at most, after so many events. */
size_t sr_hll_bytes_most(uint64_t events);

/* -------- numbers to within a hundredth (quantize.c) --------------------- */

/* |sr_quantize(n) - n| <= SR_QUANTIZE_ERROR * |n|, for every finite number. */
#define SR_QUANTIZE_ERROR 0.01
/* Distinct results over all numbers: zero, and for each sign 35 to an octave,
 * the integers to 256, and the 8192 doubles next to zero. A group of values
 * between 1 and a million has at most 954. */
#define SR_QUANTIZE_BUCKETS 162847

/* The one float that stands for n and its neighbours. Odd, never decreasing,
 * its own results left as they are; integers to 256 and zero are exact. The
 * same on every machine. */
sg_num sr_quantize(sg_num n);

#endif
