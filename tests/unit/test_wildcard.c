/*
 * test_wildcard.c - `*` and `?`; in these tables written as such and put into
 * the bytes that stand for them.
 */
#include "match/match.h"
#include "support/test.h"

#include <stdlib.h>
#include <time.h>

static bool match(const char *pattern, sg_str text)
{
    char buf[128];
    size_t n = 0;

    for (; pattern[n] != '\0'; n++)
        buf[n] = pattern[n] == '*'   ? SIGMA_GLOB_STAR
                 : pattern[n] == '?' ? SIGMA_GLOB_ANY
                                     : pattern[n];
    return sr_glob_match((sg_str){buf, n}, text);
}

static void test_table(void)
{
    static const struct {
        const char *pattern;
        sg_str text;
        bool want;
    } rows[] = {
        {"", SG_LIT(""), true},
        {"", SG_LIT("a"), false},
        {"*", SG_LIT(""), true},
        {"*", SG_LIT("abc"), true},
        {"**", SG_LIT(""), true},
        {"?", SG_LIT("a"), true},
        {"?", SG_LIT(""), false},
        {"?", SG_LIT("ab"), false},
        {"?", SG_LIT("\xC3\xA9"), true},
        {"??", SG_LIT("\xC3\xA9"), false},
        {"?", SG_LIT("\xF0\x9F\x98\x80"), true},
        {"?", SG_LIT("\xED\xA0\x80"), true},
        {"?", SG_LIT("\n"), true},
        {"abc", SG_LIT("abc"), true},
        {"abc", SG_LIT("abcd"), false},
        {"a*c", SG_LIT("ac"), true},
        {"a*c", SG_LIT("a\nb\nc"), true},
        {"a*c", SG_LIT("acd"), false},
        {"a*a", SG_LIT("a"), false},
        {"ab*bc", SG_LIT("abc"), false},
        {"ab*bc", SG_LIT("abbc"), true},
        {"*b*", SG_LIT("abc"), true},
        {"*b*b*", SG_LIT("abc"), false},
        {"*b*b*", SG_LIT("bb"), true},
        {"*ab?", SG_LIT("ababx"), true},
        {"*a?", SG_LIT("aaab"), true},
        {"*a?", SG_LIT("aaa\xC3\xA9"), true},
        {"*?", SG_LIT(""), false},
        {"*?", SG_LIT("\xC3\xA9"), true},
        {"*?b", SG_LIT("\xC3\xA9"), false},
        {"*?b", SG_LIT("b"), false},
        {"*?b",
         SG_LIT("\xC3\xA9"
                "b"),
         true},
        {"?*?", SG_LIT("a"), false},
        {"?*?", SG_LIT("ab"), true},
        {"*a?c*x", SG_LIT("aabcx"), true},
        {"*a?c*x", SG_LIT("aabcxy"), false},
        {"a?c*", SG_LIT("abc"), true},
        {"a?c", SG_LIT("abbc"), false},
        {"*\\b", SG_LIT("a\\b"), true},
        {"a*", SG_LIT("b"), false},
        {"*.exe", SG_LIT("x.exe.exe"), true},
        {"*.e?e", SG_LIT("x.exe.exf"), false},
        {"a*b*c*d", SG_LIT("a1b2c3d"), true},
        {"a*b*c*d", SG_LIT("a1c2b3d"), false},
        {"*\x01*", SG_LIT("a\0\x01"), true},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        if (match(rows[i].pattern, rows[i].text) != rows[i].want)
            printf("pattern %s, text %.*s\n", rows[i].pattern,
                   SG_FMT(rows[i].text));
        CHECK(match(rows[i].pattern, rows[i].text) == rows[i].want);
    }
    CHECK(match("*", (sg_str){NULL, 0}));
    CHECK(!match("a", (sg_str){NULL, 0}));
}

/* A matcher that tries every length of every star would not come back. */
static void test_hostile(void)
{
    const size_t n = 200000;
    char *text = malloc(n);

    CHECK(text != NULL);
    if (text == NULL)
        return;
    memset(text, 'a', n);
    const clock_t beg = clock();
    CHECK(!match("*a*a*a*a*a*a*a*a*a*a*b", (sg_str){text, n}));
    CHECK(!match("*a?a*a?a*a?a*a?a*b?a*a", (sg_str){text, n}));
    CHECK(!match("*aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab*", (sg_str){text, n}));
    CHECK(match("*a*a*a*a*a*a*a?a", (sg_str){text, n}));
    CHECK((clock() - beg) / CLOCKS_PER_SEC < 5);
    free(text);
}

static void test_run(void)
{
    static const char glob[] = {'a', 'b', SIGMA_GLOB_STAR, 'c',
                                'd', 'e', SIGMA_GLOB_ANY,  'f',
                                'g', 'h'};

    CHECK_STR(sr_glob_run((sg_str){glob, 10}), SG_S("fgh"));
    CHECK_STR(sr_glob_run((sg_str){glob, 7}), SG_S("cde"));
    /* The rarest is not the longest, but not too short either. */
    CHECK_STR(sr_glob_run(SG_S("\\7z\xFF.exe")), SG_S("\\7z"));
    CHECK_STR(sr_glob_run(SG_S("7z\xFF.exe")), SG_S(".exe"));
    CHECK_STR(sr_glob_run(SG_S("7z\xFFx")), SG_S("7z"));
    CHECK_STR(sr_glob_run((sg_str){glob, 2}), SG_S("ab"));
    CHECK_STR(sr_glob_run((sg_str){glob + 2, 1}), SG_S(""));
    CHECK_STR(sr_glob_run(SG_S("")), SG_S(""));
}

int main(void)
{
    test_table();
    test_run();
    test_hostile();
    return TEST_END();
}
