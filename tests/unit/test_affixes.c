/*
 * test_affixes.c - the index of literals at the ends of texts finds exactly
 * what a naive comparison finds.
 */
#include "match/affixes.h"
#include "support/test.h"

#include <stdlib.h>

enum { IDS = 64 };

static void mark(void *ctx, uint32_t id)
{
    ((bool *)ctx)[id] = true;
}

static bool holds(const sr_affix *a, sg_str text)
{
    return a->kind == SR_LIT_EQ       ? sg_str_eq(text, a->text)
           : a->kind == SR_LIT_STARTS ? sg_str_starts(text, a->text)
                                      : sg_str_ends(text, a->text);
}

static void compare(const sr_affix *lits, uint32_t count, sg_str text)
{
    sg_arena arena = {0};
    bool have[IDS] = {false}, want[IDS] = {false};
    sr_affixes *x = sr_affixes_new(&arena, lits, count);

    sr_affixes_find(x, text, mark, have);
    for (uint32_t i = 0; i < count; i++)
        want[lits[i].id] |= holds(&lits[i], text);
    CHECK(memcmp(have, want, sizeof(have)) == 0);
    sg_arena_free(&arena);
}

static void test_table(void)
{
    const sr_affix lits[] = {
        {SG_LIT(""), SR_LIT_EQ, 0},
        {SG_LIT(""), SR_LIT_ENDS, 1},
        {SG_LIT("x"), SR_LIT_EQ, 2},
        {SG_LIT("\\cmd.exe"), SR_LIT_ENDS, 3},
        {SG_LIT("hell.exe"), SR_LIT_ENDS, 4},
        {SG_LIT("\\powershell.exe"), SR_LIT_ENDS, 5},
        {SG_LIT("c:\\windows\\"), SR_LIT_STARTS, 6},
        {SG_LIT("c:\\"), SR_LIT_STARTS, 6},
        {SG_LIT("c:\\windows\\system32\\cmd.exe"), SR_LIT_EQ, 7},
        {SG_LIT("\0x"), SR_LIT_ENDS, 8},
    };
    const sg_str texts[] = {
        SG_LIT(""),
        SG_LIT("x"),
        SG_LIT("\0x"),
        SG_LIT("c:\\"),
        SG_LIT("cmd.exe"),
        SG_LIT("c:\\windows\\system32\\cmd.exe"),
        SG_LIT("d:\\c:\\windows\\system32\\cmd.exe"),
        SG_LIT("c:\\powershell.exe"),
    };

    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
        compare(lits, sizeof(lits) / sizeof(*lits), texts[i]);
}

/* A tiny alphabet, so that literals are ends of each other. */
static void random_text(char *out, size_t len)
{
    for (size_t i = 0; i < len; i++)
        out[i] = "ab"[rand() % 2];
}

static void test_random(void)
{
    char texts[IDS][16], text[16];
    sr_affix lits[IDS];

    srand(7);
    for (int round = 0; round < 5000; round++) {
        const uint32_t count = 1 + (uint32_t)(rand() % IDS);

        for (uint32_t i = 0; i < count; i++) {
            const size_t len = (size_t)(rand() % 14);

            random_text(texts[i], len);
            lits[i] = (sr_affix){{texts[i], len}, (sr_lit_kind)(rand() % 3), i};
        }
        const size_t len = (size_t)(rand() % 16);

        random_text(text, len);
        compare(lits, count, (sg_str){text, len});
    }
}

int main(void)
{
    sg_arena arena = {0};

    CHECK(sr_affixes_new(&arena, NULL, 0) == NULL);
    test_table();
    test_random();
    return TEST_END();
}
