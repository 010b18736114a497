/* test_arena.c - arenas: alignment, marks, reuse without new memory. */
#include "support/test.h"

static void test_alloc(void)
{
    sg_arena arena = {0};
    char *big;

    for (size_t align = 1; align <= 64; align *= 2)
        for (size_t size = 0; size < 100; size += 7) {
            char *p = sg_arena_alloc(&arena, size, align);

            CHECK((uintptr_t)p % align == 0);
            memset(p, 0x5A, size);
        }
    big = sg_arena_alloc(&arena, 5 << 20, 16);
    memset(big, 1, 5 << 20);
    CHECK(arena.total >= 5 << 20);
    sg_arena_free(&arena);
    CHECK(arena.total == 0 && arena.head == NULL);
}

static void test_zero(void)
{
    sg_arena arena = {0};
    sg_mark mark;
    const uint64_t *n;

    memset(sg_arena_alloc(&arena, 800, 8), 0xFF, 800);
    mark = (sg_mark){0};
    sg_arena_rewind(&arena, mark);
    n = sg_new_n(&arena, uint64_t, 100);
    for (int i = 0; i < 100; i++)
        CHECK(n[i] == 0);
    sg_arena_free(&arena);
}

/* Work of one event, across several blocks. */
static void work(sg_arena *arena)
{
    for (int i = 0; i < 100; i++)
        memset(sg_arena_alloc(arena, 1000, 8), i, 1000);
}

static void test_rewind(void)
{
    sg_arena arena = {0};
    const sg_str kept = sg_arena_dup(&arena, SG_S("kept"));
    const sg_mark mark = sg_arena_mark(&arena);
    size_t total;

    work(&arena);
    total = arena.total;
    for (int i = 0; i < 50; i++) {
        sg_arena_rewind(&arena, mark);
        work(&arena);
    }
    CHECK_INT(arena.total, total);
    CHECK_STR(kept, SG_S("kept"));
    sg_arena_free(&arena);
}

static void test_rewind_bigger(void)
{
    sg_arena arena = {0};
    const sg_mark mark = sg_arena_mark(&arena);

    for (size_t size = 1; size < (4 << 20); size = size * 3) {
        sg_arena_rewind(&arena, mark);
        memset(sg_arena_alloc(&arena, size, 1), 1, size);
        memset(sg_arena_alloc(&arena, size, 1), 2, size);
    }
    CHECK(arena.total < 16 << 20);
    sg_arena_free(&arena);
}

static void test_reset(void)
{
    sg_arena arena = {0};
    size_t total;

    sg_arena_reset(&arena);
    work(&arena);
    total = arena.total;
    for (int i = 0; i < 50; i++) {
        sg_arena_reset(&arena);
        work(&arena);
        CHECK_INT(arena.total, total);
    }
    sg_arena_free(&arena);
}

static void test_text(void)
{
    sg_arena arena = {0};
    const sg_str dup = sg_arena_dup(&arena, SG_S("a\0b"));

    CHECK_INT(dup.len, 3);
    CHECK_INT(dup.ptr[3], 0);
    CHECK_STR(sg_arena_dup(&arena, (sg_str){NULL, 0}), SG_S(""));
    CHECK_STR(sg_arena_printf(&arena, "%s=%d", "x", 5), SG_S("x=5"));
    CHECK_INT(sg_arena_printf(&arena, "%9000d", 1).len, 9000);
    sg_arena_free(&arena);
}

static void test_vec(void)
{
    sg_arena arena = {0};
    SG_VEC(uint32_t) vec = {0};
    uint64_t sum = 0;

    for (uint32_t i = 0; i < 10000; i++)
        SG_PUSH(&arena, &vec, i);
    for (uint32_t i = 0; i < vec.count; i++)
        sum += vec.items[i];
    CHECK_INT(vec.count, 10000);
    CHECK_INT(sum, 49995000);
    sg_arena_free(&arena);
}

int main(void)
{
    test_alloc();
    test_zero();
    test_rewind();
    test_rewind_bigger();
    test_reset();
    test_text();
    test_vec();
    return TEST_END();
}
