/*
 * pool.c - memory for groups and windows: slabs of one size class each, and
 * pages of their own for what is large. A slab that runs empty serves whichever
 * class needs one next; a warm engine asks the system for nothing.
 *
 * Objects do not move, so whoever chooses which of them to free can leave slabs
 * that hold one object each. `held` tells; compact.c then makes all objects
 * anew after sr_pool_turn, which keeps them out of the slabs of before.
 */
#include "agg/parts.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum {
    SLAB = 64 * 1024,
    ROOM = SLAB - 64,   /* of a slab, for objects */
    SMALL = 512,        /* classes are multiples of 16 up to here ... */
    SMALL_CLASSES = 32, /* ... */
    LARGE = 8 * 1024,   /* ... then four to a doubling up to here */
    PAGE = 4096,        /* larger ones are whole pages */
    BLOCK = 256 * 1024, /* slabs come from blocks: the first few small ... */
    SMALL_BLOCKS = 16,
    HUGE_BLOCK = 2 * 1024 * 1024 /* ... then what one huge page holds */
};

/* At the start of each slab; slabs are aligned to their size. */
typedef struct sr_slab {
    struct sr_slab *prev, *next; /* of those with room, or of the empty ones */
    struct sr_pool_free *free;
    uint32_t class, live;
    uint32_t fresh; /* objects from here on were never used */
    uint32_t era;   /* the pool's, when it was taken into use */
    bool listed;    /* among those with room */
} slab;

typedef struct sr_pool_free {
    struct sr_pool_free *next;
} free_item;

typedef struct sr_pool_block {
    struct sr_pool_block *next;
    char *memory;
    size_t size, cut; /* so much of it has been made slabs */
} block;

_Static_assert(sizeof(slab) <= SLAB - ROOM, "the header fits");

/* The class of a size up to LARGE and the bytes its objects take. */
static unsigned class_of(size_t size, size_t *bytes)
{
    if (size <= SMALL) {
        *bytes = size == 0 ? 16 : (size + 15) & ~(size_t)15;
        return (unsigned)(*bytes / 16 - 1);
    }
    const unsigned shift =
        63U - (unsigned)__builtin_clzll((unsigned long long)size - 1);
    const size_t low = (size_t)1 << shift;
    const size_t step = low / 4;

    *bytes = (size + step - 1) & ~(step - 1);
    return SMALL_CLASSES + (shift - 9) * 4 + (unsigned)((*bytes - low) / step) -
           1;
}

/* -------- slabs ---------------------------------------------------------- */

size_t sr_pool_size(size_t size)
{
    size_t bytes;

    if (size > LARGE)
        return (size + PAGE - 1) & ~(size_t)(PAGE - 1);
    (void)class_of(size, &bytes);
    return bytes;
}

static void push_empty(sr_pool *pool, slab *s)
{
    s->next = pool->empty;
    pool->empty = s;
}

static bool new_block(sr_pool *pool)
{
    const bool large = pool->block_count >= SMALL_BLOCKS;
    const size_t size = large ? HUGE_BLOCK : BLOCK;
    block *b = malloc(sizeof(*b));
    void *memory = NULL;

    if (b == NULL || posix_memalign(&memory, large ? HUGE_BLOCK : SLAB, size)) {
        free(b);
        return false;
    }
    *b = (block){pool->blocks, memory, size, 0};
    pool->blocks = b;
    pool->block_count++;
    return true;
}

/* The pages of a slab come at once, for half of what as many faults take; those
 * of a huge page would come at once as well, which can take ten milliseconds.
 * A block that is in use to its end may become one huge page when the kernel
 * gets to it, as a large pool is read at random. Where the kernel knows of
 * neither, nothing is lost. */
static slab *cut_slab(block *b)
{
    char *at = b->memory + b->cut;

    b->cut += SLAB;
    if (b->size == HUGE_BLOCK) {
        (void)madvise(at, SLAB, MADV_POPULATE_WRITE);
        if (b->cut == b->size)
            (void)madvise(b->memory, b->size, MADV_HUGEPAGE);
    }
    return (slab *)(void *)at;
}

/* One that nothing lies in; NULL for want of memory. */
static slab *take_empty(sr_pool *pool)
{
    slab *s = pool->empty;

    if (s != NULL) {
        pool->empty = s->next;
        return s;
    }
    if ((pool->blocks == NULL || pool->blocks->cut == pool->blocks->size) &&
        !new_block(pool))
        return NULL;
    return cut_slab(pool->blocks);
}

static void link_slab(sr_pool *pool, slab *s)
{
    slab *next = pool->partial[s->class];

    s->prev = NULL;
    s->next = next;
    if (next != NULL)
        next->prev = s;
    pool->partial[s->class] = s;
    s->listed = true;
}

static void unlink_slab(sr_pool *pool, slab *s)
{
    if (s->next != NULL)
        s->next->prev = s->prev;
    if (s->prev != NULL)
        s->prev->next = s->next;
    else
        pool->partial[s->class] = s->next;
    s->listed = false;
}

/* A slab of the class that has room. */
static slab *slab_for(sr_pool *pool, unsigned class)
{
    slab *s = pool->partial[class];

    if (s != NULL)
        return s;
    s = take_empty(pool);
    if (s == NULL)
        return NULL;
    *s = (slab){.class = class, .era = pool->era};
    link_slab(pool, s);
    pool->held += SLAB;
    return s;
}

/* -------- objects -------------------------------------------------------- */

static bool has_room(const sr_pool *pool, size_t bytes)
{
    return pool->limit == 0 ||
           (bytes <= pool->limit && pool->used <= pool->limit - bytes);
}

/* Pages go back to the system as soon as they are free. */
static void *large_alloc(sr_pool *pool, size_t size, int more)
{
    const size_t bytes = sr_pool_size(size);
    void *ptr = bytes < size || !has_room(pool, bytes)
                    ? MAP_FAILED
                    : mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS | more, -1, 0);

    if (ptr == MAP_FAILED)
        return NULL;
    pool->used += bytes;
    pool->held += bytes;
    pool->large += bytes;
    return ptr;
}

void *sr_pool_alloc(sr_pool *pool, size_t size)
{
    size_t bytes;

    if (size > LARGE)
        return large_alloc(pool, size, 0);
    const unsigned class = class_of(size, &bytes);
    slab *s = has_room(pool, bytes) ? slab_for(pool, class) : NULL;

    assert(class < SR_POOL_CLASSES);
    if (s == NULL)
        return NULL;
    free_item *item = s->free;

    if (item != NULL)
        s->free = item->next;
    else
        item = (void *)((char *)s + (SLAB - ROOM) + s->fresh++ * bytes);
    s->live++;
    if (s->free == NULL && (s->fresh + 1) * bytes > ROOM)
        unlink_slab(pool, s);
    pool->used += bytes;
    return item;
}

void *sr_pool_zeroed(sr_pool *pool, size_t size)
{
    if (size > LARGE)
        return large_alloc(pool, size, MAP_POPULATE);
    void *ptr = sr_pool_alloc(pool, size);

    return ptr == NULL ? NULL : memset(ptr, 0, size);
}

static void small_free(sr_pool *pool, void *ptr, size_t bytes)
{
    slab *s = (slab *)(void *)((uintptr_t)ptr & ~(uintptr_t)(SLAB - 1));
    free_item *item = ptr;

    item->next = s->free;
    s->free = item;
    s->live--;
    pool->used -= bytes;
    if (s->live == 0) {
        if (s->listed)
            unlink_slab(pool, s);
        push_empty(pool, s);
        pool->held -= SLAB;
    } else if (!s->listed && s->era == pool->era) {
        link_slab(pool, s);
    }
}

void sr_pool_free(sr_pool *pool, void *ptr, size_t size)
{
    const size_t bytes = sr_pool_size(size);

    if (ptr == NULL)
        return;
    assert(pool->used >= bytes);
    if (size <= LARGE) {
        small_free(pool, ptr, bytes);
        return;
    }
    (void)munmap(ptr, bytes);
    pool->used -= bytes;
    pool->held -= bytes;
    pool->large -= bytes;
}

void sr_pool_turn(sr_pool *pool)
{
    for (unsigned i = 0; i < SR_POOL_CLASSES; i++)
        while (pool->partial[i] != NULL)
            unlink_slab(pool, pool->partial[i]);
    pool->era++;
}

void sr_pool_close(sr_pool *pool)
{
    while (pool->blocks != NULL) {
        block *b = pool->blocks;

        pool->blocks = b->next;
        free(b->memory);
        free(b);
    }
    *pool = (sr_pool){.limit = pool->limit};
}
