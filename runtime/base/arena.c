/*
 * arena.c - memory that is given back all at once. Blocks form a list; those
 * behind the head are spare and are used again before more are asked for, so
 * an arena that is rewound per event stops calling malloc. Under ASan, free
 * parts are poisoned and allocations have a red zone; other debug builds fill
 * what is given back.
 */
#include "base/sg_base.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if defined(__SANITIZE_ADDRESS__)
#define HAVE_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HAVE_ASAN 1
#endif
#endif

#ifdef HAVE_ASAN
#include <sanitizer/asan_interface.h>
enum { RED_ZONE = 16 };
#else
enum { RED_ZONE = 0 };
#endif

enum { MIN_BLOCK = 4096, MAX_GROWTH = 1 << 20 };

struct sg_block {
    _Alignas(16) sg_block *prev;
    sg_block *following; /* spare, newer than the head */
    size_t size;         /* with this header */
};

static char *data_of(sg_block *block)
{
    return (char *)(block + 1);
}

static void spoil(void *beg, size_t size)
{
#if defined(HAVE_ASAN)
    __asan_poison_memory_region(beg, size);
#elif !defined(NDEBUG)
    memset(beg, 0xA5, size);
#else
    (void)beg;
    (void)size;
#endif
}

static void unspoil(const char *beg, size_t size)
{
#ifdef HAVE_ASAN
    __asan_unpoison_memory_region(beg, size);
#else
    (void)beg;
    (void)size;
#endif
}

static void use_block(sg_arena *arena, sg_block *block)
{
    arena->head = block;
    arena->next = data_of(block);
    arena->end = (char *)block + block->size;
    spoil(arena->next, (size_t)(arena->end - arena->next));
}

static sg_block *new_block(sg_arena *arena, size_t size)
{
    sg_block *block = malloc(size);

    if (block == NULL)
        sg_fatal("out of memory (%zu bytes)", size);
    *block = (sg_block){NULL, NULL, size};
    arena->total += size;
    return block;
}

/* Free a block and those that follow it. */
static void free_from(sg_arena *arena, sg_block *block)
{
    while (block != NULL) {
        sg_block *following = block->following;

        arena->total -= block->size;
        unspoil((char *)block, block->size);
        free(block);
        block = following;
    }
}

static size_t block_size(const sg_arena *arena, size_t need)
{
    size_t size = arena->total < MAX_GROWTH ? arena->total : MAX_GROWTH;

    if (size < MIN_BLOCK)
        size = MIN_BLOCK;
    return size < need ? need : size;
}

/* Make the head a block with `need` free bytes. */
static void grow(sg_arena *arena, size_t need)
{
    sg_block *head = arena->head;
    sg_block *block = head == NULL ? NULL : head->following;

    need += sizeof(sg_block);
    if (block != NULL && block->size < need) {
        free_from(arena, block);
        head->following = NULL;
        block = NULL;
    }
    if (block == NULL) {
        block = new_block(arena, block_size(arena, need));
        block->prev = head;
        if (head != NULL)
            head->following = block;
    }
    use_block(arena, block);
}

static size_t padding(const sg_arena *arena, size_t align)
{
    return (size_t)(-(uintptr_t)arena->next) & (align - 1);
}

void *sg_arena_alloc(sg_arena *arena, size_t size, size_t align)
{
    size_t pad;
    char *p;

    if (size > SIZE_MAX / 4 || align > MIN_BLOCK)
        sg_fatal("out of memory (%zu bytes)", size);
    pad = padding(arena, align);
    if (arena->head == NULL ||
        (size_t)(arena->end - arena->next) < pad + size + RED_ZONE) {
        grow(arena, size + align + RED_ZONE);
        pad = padding(arena, align);
    }
    p = arena->next + pad;
    arena->next = p + size + RED_ZONE;
    unspoil(p, size);
    return p;
}

void *sg_arena_zalloc(sg_arena *arena, size_t n, size_t size, size_t align)
{
    void *p;

    if (size != 0 && n > SIZE_MAX / 4 / size)
        sg_fatal("out of memory (%zu objects of %zu bytes)", n, size);
    p = sg_arena_alloc(arena, n * size, align);
    memset(p, 0, n * size);
    return p;
}

sg_mark sg_arena_mark(const sg_arena *arena)
{
    return (sg_mark){arena->head, arena->next};
}

static sg_block *first_block(sg_block *block)
{
    while (block->prev != NULL)
        block = block->prev;
    return block;
}

void sg_arena_rewind(sg_arena *arena, sg_mark mark)
{
    sg_block *block = mark.block;
    const char *used = arena->next; /* what lies behind is spoilt already */

    if (arena->head == NULL)
        return;
    if (block == NULL) {
        block = first_block(arena->head);
        mark.next = data_of(block);
    }
    if (block != arena->head)
        used = (char *)block + block->size;
    arena->head = block;
    arena->next = mark.next;
    arena->end = (char *)block + block->size;
    spoil(arena->next, (size_t)(used - arena->next));
}

void sg_arena_reset(sg_arena *arena)
{
    const size_t total = arena->total;
    sg_block *first;

    if (arena->head == NULL)
        return;
    first = first_block(arena->head);
    if (first->following != NULL) {
        free_from(arena, first);
        first = new_block(arena, total);
    }
    use_block(arena, first);
}

void sg_arena_free(sg_arena *arena)
{
    if (arena->head != NULL)
        free_from(arena, first_block(arena->head));
    *arena = (sg_arena){0};
}

sg_str sg_arena_dup(sg_arena *arena, sg_str s)
{
    char *p = sg_arena_alloc(arena, s.len + 1, 1);

    if (s.len != 0)
        memcpy(p, s.ptr, s.len);
    p[s.len] = '\0';
    return (sg_str){p, s.len};
}

sg_str sg_arena_printf(sg_arena *arena, const char *fmt, ...)
{
    va_list ap;
    sg_buf buf = {0};
    sg_str text;

    va_start(ap, fmt);
    sg_buf_vprintf(&buf, fmt, ap);
    va_end(ap);
    text = sg_arena_dup(arena, sg_buf_str(&buf));
    sg_buf_free(&buf);
    return text;
}

void sg_vec_grow(sg_arena *arena, void **items, uint32_t count, uint32_t *cap,
                 size_t size)
{
    void *grown;
    uint32_t wider;

    if (count < *cap)
        return;
    if (*cap > UINT32_MAX / 2)
        sg_fatal("more than %u elements", *cap);
    wider = *cap == 0 ? 8 : *cap * 2;
    if (size > SIZE_MAX / 4 / wider)
        sg_fatal("out of memory (%u objects of %zu bytes)", wider, size);
    grown = sg_arena_alloc(arena, size * wider, _Alignof(max_align_t));
    if (count != 0)
        memcpy(grown, *items, size * count);
    *items = grown;
    *cap = wider;
}
