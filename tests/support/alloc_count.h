/*
 * alloc_count.h - counts calls of malloc, calloc and realloc in the whole
 * test program: by the sanitizer's hooks where it owns the allocator, else by
 * standing in front of glibc's. Include in one file.
 */
#ifndef ALLOC_COUNT_H
#define ALLOC_COUNT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>

static unsigned long alloc_calls;

#if defined(__SANITIZE_ADDRESS__)
#define ALLOC_HOOKS 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ALLOC_HOOKS 1
#endif
#endif

#ifdef ALLOC_HOOKS
/* As in sanitizer/allocator_interface.h, which gcc does not always ship. */
int __sanitizer_install_malloc_and_free_hooks(
    void (*on_malloc)(const volatile void *, size_t),
    void (*on_free)(const volatile void *));

static void alloc_note(const volatile void *ptr, size_t size)
{
    (void)ptr;
    (void)size;
    alloc_calls++;
}

static void alloc_ignore(const volatile void *ptr)
{
    (void)ptr;
}

/* False when calls cannot be counted here. */
static bool alloc_count_start(void)
{
    return __sanitizer_install_malloc_and_free_hooks(alloc_note,
                                                     alloc_ignore) != 0;
}
#else
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *ptr, size_t size);

void *malloc(size_t size)
{
    alloc_calls++;
    return __libc_malloc(size);
}

void *calloc(size_t n, size_t size)
{
    alloc_calls++;
    return __libc_calloc(n, size);
}

void *realloc(void *ptr, size_t size)
{
    alloc_calls++;
    return __libc_realloc(ptr, size);
}

static bool alloc_count_start(void)
{
    return true;
}
#endif

#endif
