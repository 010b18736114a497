/*
 * pool.c - memory for groups and windows: size classes over large blocks,
 * bounded in total, with free lists so that a warm engine asks the system for
 * nothing.
 */
#include "agg/parts.h"

#include <assert.h>
#include <stdlib.h>
#include <sys/mman.h>

enum {
    SMALL = 256,        /* classes are multiples of 16 up to here ... */
    SMALL_CLASSES = 16, /* ... */
    LARGE = 64 * 1024,  /* ... then four to a doubling up to here */
    BLOCK = 256 * 1024, /* the first few; then ... */
    BLOCKS = 16,
    HUGE_BLOCK = 2 * 1024 * 1024 /* ... what one huge page holds */
};

typedef struct sr_pool_free {
    struct sr_pool_free *next;
} free_item;

/* 16 bytes, so that objects behind it stay aligned. */
typedef struct sr_pool_block {
    struct sr_pool_block *next;
    uint64_t size;
} block;

/* The class of a size and the bytes its objects take. */
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
    return SMALL_CLASSES + (shift - 8) * 4 + (unsigned)((*bytes - low) / step) -
           1;
}

static void *system_alloc(sr_pool *pool, size_t size)
{
    if (size > pool->limit || pool->held > pool->limit - size)
        return NULL;
    void *ptr = malloc(size);

    if (ptr != NULL)
        pool->held += size;
    return ptr;
}

/* A large pool is read at random: huge pages spare it most of the misses of
 * address translation. Where there are none, nothing is lost. */
static block *huge_block(sr_pool *pool)
{
    void *ptr = NULL;

    if (pool->limit < HUGE_BLOCK || pool->held > pool->limit - HUGE_BLOCK ||
        posix_memalign(&ptr, HUGE_BLOCK, HUGE_BLOCK) != 0)
        return NULL;
    (void)madvise(ptr, HUGE_BLOCK, MADV_HUGEPAGE);
    pool->held += HUGE_BLOCK;
    return ptr;
}

/* What is left of the old block is lost until the pool closes: less than one
 * object of the class that did not fit. */
static bool new_block(sr_pool *pool)
{
    uint64_t size = HUGE_BLOCK;
    block *b = NULL;

    if (pool->held >= (uint64_t)BLOCKS * BLOCK)
        b = huge_block(pool);
    if (b == NULL) {
        size = BLOCK;
        b = system_alloc(pool, BLOCK);
    }
    if (b == NULL)
        return false;
    b->next = pool->blocks;
    b->size = size;
    pool->blocks = b;
    pool->next = (char *)(b + 1);
    pool->end = (char *)b + size;
    return true;
}

void *sr_pool_alloc(sr_pool *pool, size_t size)
{
    size_t bytes;

    if (size > LARGE)
        return system_alloc(pool, size);
    const unsigned class = class_of(size, &bytes);
    free_item *item = pool->free[class];

    assert(class < SR_POOL_CLASSES);
    if (item != NULL) {
        pool->free[class] = item->next;
        return item;
    }
    if ((size_t)(pool->end - pool->next) < bytes && !new_block(pool))
        return NULL;
    pool->next += bytes;
    return pool->next - bytes;
}

void sr_pool_free(sr_pool *pool, void *ptr, size_t size)
{
    size_t bytes;

    if (ptr == NULL)
        return;
    if (size > LARGE) {
        assert(pool->held >= size);
        pool->held -= size;
        free(ptr);
        return;
    }
    const unsigned class = class_of(size, &bytes);
    free_item *item = ptr;

    item->next = pool->free[class];
    pool->free[class] = item;
}

void sr_pool_close(sr_pool *pool)
{
    while (pool->blocks != NULL) {
        block *b = pool->blocks;

        pool->blocks = b->next;
        pool->held -= b->size;
        free(b);
    }
    assert(pool->held == 0);
}
