/*
 * test_grams.c - the gram index finds exactly what a naive search finds.
 */
#include "match/grams.h"
#include "support/test.h"

#include <stdlib.h>

enum { IDS = 64 };

static void mark(void *ctx, uint32_t id)
{
    ((bool *)ctx)[id] = true;
}

/* A copy with the bits set in each byte. */
static sg_str hidden(sg_arena *arena, sg_str text, uint8_t hide)
{
    char *to = sg_arena_alloc(arena, text.len + 1, 1);

    for (size_t i = 0; i < text.len; i++)
        to[i] = (char)(text.ptr[i] | hide);
    return (sg_str){to, text.len};
}

static void compare_hidden(const sr_gram_lit *lits, uint32_t count,
                           uint8_t hide, sg_str text)
{
    sg_arena arena = {0};
    bool have[IDS] = {false}, want[IDS] = {false};
    sr_gram_lit *mine = sg_new_n(&arena, sr_gram_lit, count);

    for (uint32_t i = 0; i < count; i++)
        mine[i] = (sr_gram_lit){hidden(&arena, lits[i].text, hide), lits[i].id};
    sr_grams *g = sr_grams_new(&arena, mine, count, hide,
                               count % 2 == 0 ? text : SG_S(""));

    sr_grams_scan(g, text, mark, have);
    for (uint32_t i = 0; i < count; i++)
        if (sg_str_find(hidden(&arena, text, hide), mine[i].text) != SIZE_MAX)
            want[lits[i].id] = true;
    CHECK(memcmp(have, want, sizeof(have)) == 0);
    sg_arena_free(&arena);
}

static void compare(const sr_gram_lit *lits, uint32_t count, sg_str text)
{
    compare_hidden(lits, count, 0, text);
    compare_hidden(lits, count, 0x20, text);
}

static void test_table(void)
{
    const sr_gram_lit lits[] = {
        {SG_LIT("\\cmd.exe"), 0},
        {SG_LIT(".exe"), 1},
        {SG_LIT("powershell"), 2},
        {SG_LIT("shell"), 3},
        {SG_LIT("aaaa"), 4},
        {SG_LIT("aaaaaaaa"), 5},
        {SG_LIT("\0\0\0\0"), 6},
        {SG_LIT("power"), 2},
        {SG_LIT("\xC3\xA9\xC3\xA9"), 7},
    };
    const sg_str texts[] = {
        SG_LIT(""),
        SG_LIT("exe"),
        SG_LIT(".exe"),
        SG_LIT("x.exe"),
        SG_LIT("c:\\cmd.exe"),
        SG_LIT("aaaaaaa"),
        SG_LIT("aaaaaaaaa"),
        SG_LIT("powershel"),
        SG_LIT("\0\0\0\0\0"),
        SG_LIT("\xC3\xA9\xC3\xA9"),
    };

    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
        compare(lits, sizeof(lits) / sizeof(*lits), texts[i]);
}

/* A tiny alphabet, so that literals overlap and share windows. */
static void random_text(char *out, size_t len)
{
    for (size_t i = 0; i < len; i++)
        out[i] = "aAb\\"[rand() % 4];
}

/* Literals of `least` bytes and more: what is looked at
 * depends on the shortest. */
static void test_random(size_t least)
{
    char texts[IDS][24], text[200];
    sr_gram_lit lits[IDS];

    srand(7);
    for (int round = 0; round < 1000; round++) {
        const uint32_t count = 1 + (uint32_t)(rand() % IDS);

        for (uint32_t i = 0; i < count; i++) {
            const size_t len = least + (size_t)(rand() % 9);

            random_text(texts[i], len);
            lits[i] = (sr_gram_lit){{texts[i], len}, i};
        }
        const size_t len = (size_t)(rand() % 200);

        random_text(text, len);
        /* Long ones hardly stand there by chance. */
        const sg_str some = lits[rand() % (int)count].text;
        if (some.len < len)
            memcpy(text + (size_t)rand() % (len - some.len), some.ptr,
                   some.len);
        compare(lits, count, (sg_str){text, len});
    }
}

int main(void)
{
    sg_arena arena = {0};

    CHECK(sr_grams_new(&arena, NULL, 0, 0, SG_S("")) == NULL);
    test_table();
    test_random(SR_GRAM);
    test_random(7);
    test_random(9);
    test_random(11);
    return TEST_END();
}
