/*
 * test_literal.c - one literal, and small sets that are tried in turn.
 */
#include "match/match.h"
#include "support/test.h"

static bool one(sr_lit_kind kind, const char *text, const char *lit)
{
    sg_arena arena = {0};
    const sg_str lits[] = {sg_str_of(lit)};
    const bool result =
        sr_litset_match(sr_litset_new(&arena, kind, lits, 1), sg_str_of(text));

    sg_arena_free(&arena);
    return result;
}

static void test_kinds(void)
{
    static const struct {
        const char *text, *lit;
        bool eq, starts, ends, contains;
    } rows[] = {
        {"abc", "abc", true, true, true, true},
        {"abc", "ab", false, true, false, true},
        {"abc", "bc", false, false, true, true},
        {"abc", "b", false, false, false, true},
        {"abc", "abcd", false, false, false, false},
        {"abc", "ABC", false, false, false, false},
        {"abc", "", false, true, true, true},
        {"", "", true, true, true, true},
        {"", "a", false, false, false, false},
        {"aab", "ab", false, false, true, true},
        {"caf\xC3\xA9", "\xC3\xA9", false, false, true, true},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        CHECK(one(SR_LIT_EQ, rows[i].text, rows[i].lit) == rows[i].eq);
        CHECK(one(SR_LIT_STARTS, rows[i].text, rows[i].lit) == rows[i].starts);
        CHECK(one(SR_LIT_ENDS, rows[i].text, rows[i].lit) == rows[i].ends);
        CHECK(one(SR_LIT_CONTAINS, rows[i].text, rows[i].lit) ==
              rows[i].contains);
    }
}

static void test_nul_bytes(void)
{
    const sg_str text = SG_LIT("a\0b");

    CHECK(sr_contains(text, SG_S("\0b")));
    CHECK(!sr_contains(text, SG_S("ab")));
    CHECK(sr_contains((sg_str){NULL, 0}, (sg_str){NULL, 0}));
    CHECK(!sr_contains((sg_str){NULL, 0}, SG_S("a")));
}

static void test_no_literals(void)
{
    sg_arena arena = {0};

    for (int kind = SR_LIT_EQ; kind <= SR_LIT_CONTAINS; kind++)
        CHECK(!sr_litset_match(
            sr_litset_new(&arena, (sr_lit_kind)kind, NULL, 0), SG_S("a")));
    sg_arena_free(&arena);
}

int main(void)
{
    test_kinds();
    test_nul_bytes();
    test_no_literals();
    return TEST_END();
}
