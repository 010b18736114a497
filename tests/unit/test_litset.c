/*
 * test_litset.c - many literals: the sorted table and the automaton against a
 * plain scan of all literals.
 */
#include "match/match.h"
#include "support/test.h"

#include <stdio.h>

static uint32_t seed = 12345;

static uint32_t draw(uint32_t below)
{
    seed = seed * 1664525u + 1013904223u;
    return (seed >> 8) % below;
}

static bool scan(sr_lit_kind kind, const sg_str *lits, uint32_t n, sg_str text)
{
    for (uint32_t i = 0; i < n; i++) {
        if ((kind == SR_LIT_EQ && sg_str_eq(text, lits[i])) ||
            (kind == SR_LIT_STARTS && sg_str_starts(text, lits[i])) ||
            (kind == SR_LIT_ENDS && sg_str_ends(text, lits[i])) ||
            (kind == SR_LIT_CONTAINS && sg_str_find(text, lits[i]) != SIZE_MAX))
            return true;
    }
    return false;
}

static sg_str random_text(sg_arena *arena, uint32_t least, uint32_t most,
                          uint32_t letters)
{
    char buf[64];
    const uint32_t n = least + draw(most - least + 1);

    for (uint32_t i = 0; i < n; i++)
        buf[i] = (char)('a' + draw(letters));
    return sg_arena_dup(arena, (sg_str){buf, n});
}

static void test_random_sets(void)
{
    sg_arena arena = {0};
    sg_str lits[60];

    for (int round = 0; round < 400; round++) {
        const uint32_t n = 1 + draw(60);
        const uint32_t letters = 2 + draw(3);
        const uint32_t least = draw(20) == 0 ? 0 : 1 + draw(4);
        for (uint32_t i = 0; i < n; i++)
            lits[i] = random_text(&arena, least, 8, letters);
        for (int k = SR_LIT_EQ; k <= SR_LIT_CONTAINS; k++) {
            const sr_lit_kind kind = (sr_lit_kind)k;
            const sr_litset *set = sr_litset_new(&arena, kind, lits, n);
            for (int t = 0; t < 20; t++) {
                const sg_str text = random_text(&arena, 0, 20, letters);
                CHECK(sr_litset_match(set, text) == scan(kind, lits, n, text));
            }
        }
        sg_arena_reset(&arena);
    }
    sg_arena_free(&arena);
}

/* Failure links must keep what a failed longer literal has in common with
 * another. */
static void test_overlaps(void)
{
    static const sg_str lits[] = {
        SG_LIT("abcd"),   SG_LIT("bce"),  SG_LIT("cf"),       SG_LIT("hers"),
        SG_LIT("hishe"),  SG_LIT("she1"), SG_LIT("\xFF\x80"), SG_LIT("aaab"),
        SG_LIT("zzzzzz"), SG_LIT("q"),    SG_LIT("abab1"),
    };
    static const struct {
        sg_str text;
        bool want;
    } rows[] = {
        {SG_LIT("xabce"), true},   {SG_LIT("abcf"), true},
        {SG_LIT("ushers"), true},  {SG_LIT("hishers"), true},
        {SG_LIT("hishe"), true},   {SG_LIT("hish"), false},
        {SG_LIT("aaaaaab"), true}, {SG_LIT("zzzzz"), false},
        {SG_LIT("ababab1"), true}, {SG_LIT("\x80\xFF\x80"), true},
        {SG_LIT("\xFF"), false},   {SG_LIT(""), false},
        {SG_LIT("a\0q"), true},    {SG_LIT("abcabcab"), false},
    };
    sg_arena arena = {0};
    const sr_litset *set = sr_litset_new(&arena, SR_LIT_CONTAINS, lits,
                                         sizeof(lits) / sizeof(*lits));

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
        CHECK(sr_litset_match(set, rows[i].text) == rows[i].want);
    sg_arena_free(&arena);
}

static void test_large_set(void)
{
    enum { MANY = 5000 };
    static sg_str lits[MANY];
    sg_arena arena = {0};

    for (int i = 0; i < MANY; i++)
        lits[i] = sg_arena_printf(&arena, "name%05d.example", i * 7);
    const sr_litset *eq = sr_litset_new(&arena, SR_LIT_EQ, lits, MANY);
    const sr_litset *in = sr_litset_new(&arena, SR_LIT_CONTAINS, lits, MANY);
    for (int i = 0; i < MANY; i += 13) {
        const sg_str yes = sg_arena_printf(&arena, "x %.*s y", SG_FMT(lits[i]));
        const sg_str no =
            sg_arena_printf(&arena, "name%05d.example", i * 7 + 1);
        CHECK(sr_litset_match(eq, lits[i]));
        CHECK(sr_litset_match(in, yes));
        CHECK(!sr_litset_match(eq, yes));
        CHECK(!sr_litset_match(eq, no));
        CHECK(!sr_litset_match(in, no));
    }
    sg_arena_free(&arena);
}

int main(void)
{
    test_random_sets();
    test_overlaps();
    test_large_set();
    return TEST_END();
}
