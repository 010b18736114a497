/*
 * test_regex.c - the dialect, what is refused, and hostile patterns and
 * subjects: a search ends soon and never as a false "no".
 */
#include "match/match.h"
#include "support/test.h"

#include <stdlib.h>
#include <time.h>

static sr_regex *compile(const char *pattern, uint32_t flags)
{
    char reason[256] = "";
    size_t offset;
    sr_regex *regex = sr_regex_compile(sg_str_of(pattern), flags, reason,
                                       sizeof(reason), &offset);

    if (regex == NULL)
        printf("%s: %s\n", pattern, reason);
    CHECK(regex != NULL);
    return regex;
}

static sr_re_result match(const char *pattern, uint32_t flags, sg_str subject)
{
    sr_regex *regex = compile(pattern, flags);
    const sr_re_result result =
        regex == NULL ? SR_RE_LIMIT : sr_regex_match(regex, subject);

    sr_regex_free(regex);
    return result;
}

enum { I = SIGMA_F_RE_I, M = SIGMA_F_RE_M, S = SIGMA_F_RE_S };

static void test_dialect(void)
{
    static const struct {
        const char *pattern;
        uint32_t flags;
        sg_str subject;
        bool want;
    } rows[] = {
        {"ab+c", 0, SG_LIT("xxabbbcxx"), true},
        {"ab+c", 0, SG_LIT("ABC"), false},
        {"ab+c", I, SG_LIT("ABC"), true},
        {"(?i)ab+c", 0, SG_LIT("ABC"), true},
        {"^[0-9a-f]{8}$", 0, SG_LIT("deadbeef"), true},
        {"^[0-9a-f]{8}$", 0, SG_LIT("x\ndeadbeef"), false},
        {"^[0-9a-f]{8}$", 0, SG_LIT("deadbeef\n"), false},
        {"^[0-9a-f]{8}$", M, SG_LIT("deadbeef\n"), true},
        {"^second$", M, SG_LIT("first\nsecond\nthird"), true},
        {"^second$", 0, SG_LIT("first\nsecond\nthird"), false},
        {"a.b", 0, SG_LIT("a\nb"), false},
        {"a.b", S, SG_LIT("a\nb"), true},
        {"a.b", 0, SG_LIT("a\rb"), true},
        {"^.x$", 0, SG_LIT("\xC3\xA9x"), true},
        {"^.x$", 0, SG_LIT("\xF0\x9F\x98\x80x"), true},
        {"^.x$", 0, SG_LIT("abx"), false},
        {"\xC3\xA9", I, SG_LIT("\xC3\x89"), true},
        {"^\\w+$", 0, SG_LIT("\xC3\xA9"), false},
        {"\\\\AppData\\\\[^\\\\]{1,5}$", 0, SG_LIT("C:\\AppData\\abc"), true},
        {"(?:\\bcmd\\b|\\bps\\b)\\s+\\S+?\\s\\d{2,}", 0,
         SG_LIT("run cmd /c 42"), true},
        {"(?<=a)b(?!c)", 0, SG_LIT("abd"), true},
        {"(a|b)\\1", 0, SG_LIT("xbb"), true},
        {"C:\\\\Games", 0, SG_LIT("C:\\Games"), true},
        {"", 0, SG_LIT(""), true},
        {".*", 0, SG_LIT(""), true},
        {"a\\x00b", 0, SG_LIT("xa\0b"), true},
        {"b$", 0, SG_LIT("a\0b"), true},
        /* Lone surrogates and other ill-formed bytes around a match. */
        {"abc", 0,
         SG_LIT("\xED\xA0\x80"
                "abc"),
         true},
        {"abc", 0,
         SG_LIT("\xFF\xFE"
                "abc\xC3"),
         true},
        {"a.c", 0,
         SG_LIT("a\xED\xA0\x80"
                "c"),
         false},
        {"x+y", 0, SG_LIT("\x80\x80xxy\x80"), true},
        /* Opposites match what is beyond ASCII, within classes and without. */
        {"^\\W\\D\\S$", 0, SG_LIT("\xC5\xBF\xE2\x84\xAA\xF0\x9F\x98\x80"),
         true},
        {"^[^\\W]$", 0, SG_LIT("\xC5\xBF"), false},
        {"^[]\\S]\\S$", 0, SG_LIT("]\xC5\xBF"), true},
        {"^[^]\\s]\\S$", 0, SG_LIT("a\xC5\xBF"), true},
        {"^[[:alpha:]\\S]\\S$", 0, SG_LIT("\xC5\xBF\xC5\xBF"), true},
        {"^\\Q\\S[\\E\\S$", 0, SG_LIT("\\S[\xC5\xBF"), true},
        {"^\\\\S\\[\\S$", 0, SG_LIT("\\S[\xC5\xBF"), true},
        {"^QcSDW]\\S$", 0, SG_LIT("QcSDW]\xC5\xBF"), true},
        {"\\S{2}\\W+?x", 0, SG_LIT("\xC5\xBF\xC5\xBF\xC5\xBFx"), true},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
        CHECK_INT(match(rows[i].pattern, rows[i].flags, rows[i].subject),
                  rows[i].want ? SR_RE_YES : SR_RE_NO);
    CHECK_INT(match("^$", 0, (sg_str){NULL, 0}), SR_RE_YES);
}

static void test_refused(void)
{
    static const struct {
        const char *pattern;
        size_t offset;
    } rows[] = {
        {"a(b", 3},
        {"*abc", 0},
        {"[a", 2},
        {"a\\", 2},
        {"(?<n>a)(?<n>b)", 12},
        {"ab\\C", 4},
        {"x(?C1)y", 6},
        {"(?P<", 4},
        {"a{2,1}", 5},
        {"\xC3", 0},
        {"(?<=a*)b", 0},
        {"a\\Gb", 1},
        {"(*COMMIT)a", 0},
        {"a+(*SKIP)b", 2},
    };
    char reason[256];

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        size_t offset = SIZE_MAX;
        reason[0] = '\0';
        CHECK(!sr_regex_check(sg_str_of(rows[i].pattern), 0, reason,
                              sizeof(reason), &offset));
        CHECK(reason[0] != '\0');
        if (offset != rows[i].offset)
            printf("pattern %s\n", rows[i].pattern);
        CHECK_INT(offset, rows[i].offset);
    }
}

/* Patterns that are too long, nest too deep or blow up when compiled. */
static void test_refused_sizes(void)
{
    enum { LONG = SR_REGEX_MAX + 1 };
    char *text = malloc(LONG);
    char reason[256];
    size_t offset;

    CHECK(text != NULL);
    if (text == NULL)
        return;
    memset(text, 'a', LONG);
    CHECK(!sr_regex_check((sg_str){text, LONG}, 0, reason, sizeof(reason),
                          &offset));
    memset(text, '(', 10000);
    CHECK(!sr_regex_check((sg_str){text, 10000}, 0, reason, sizeof(reason),
                          &offset));
    free(text);
    CHECK(!sr_regex_check(SG_S("((((a{1000}){1000}){1000}){1000})"), 0, reason,
                          sizeof(reason), &offset));
}

static void test_exec(void)
{
    sr_regex *regex = compile("(?P<algo>[A-Z0-9]+)=(?P<hash>[0-9a-f]+)(;)?", 0);
    const sg_str text = SG_LIT("x MD5=0aff, SHA1=ffff;");
    size_t at[2 * SR_REGEX_GROUPS];
    unsigned groups = 0;

    CHECK_INT(sr_regex_group(regex, SG_S("algo")), 1);
    CHECK_INT(sr_regex_group(regex, SG_S("hash")), 2);
    CHECK_INT(sr_regex_group(regex, SG_S("none")), -1);
    CHECK(sr_regex_exec(regex, text, 0, at, &groups));
    CHECK_INT(groups, 4);
    CHECK_STR(sg_str_sub(text, at[2], at[3]), SG_S("MD5"));
    CHECK_STR(sg_str_sub(text, at[4], at[5]), SG_S("0aff"));
    CHECK(at[6] == SIZE_MAX && at[7] == SIZE_MAX);
    CHECK(sr_regex_exec(regex, text, at[1], at, &groups));
    CHECK_STR(sg_str_sub(text, at[0], at[1]), SG_S("SHA1=ffff;"));
    CHECK(!sr_regex_exec(regex, text, at[1], at, &groups));
    CHECK(!sr_regex_exec(regex, text, text.len + 1, at, &groups));
    sr_regex_free(regex);

    regex = compile("()()()()()()()()()()()(a)", 0);
    CHECK(sr_regex_exec(regex, SG_S("ba"), 0, at, &groups));
    CHECK_INT(groups, SR_REGEX_GROUPS);
    CHECK_INT(at[0], 1);
    sr_regex_free(regex);
}

/* -------- long and hostile subjects ----------------------------------------*/

static char *fill(size_t n, const char *unit)
{
    char *text = malloc(n);
    const size_t len = strlen(unit);

    if (text == NULL)
        abort();
    for (size_t i = 0; i < n; i++)
        text[i] = unit[i % len];
    return text;
}

/* What overflows a small JIT stack is found all the same. */
static void test_long_matches(void)
{
    static const struct {
        const char *pattern;
        const char *unit;
        size_t size;
    } rows[] = {
        {"(.){200,}", "a", 100000},         {"^(a|b)+$", "ab", 32768},
        {"^(?:a|b|ab)*$", "ab", 32768},     {".{1000,}", "a", 1000},
        {"(\\w+\\s?){500,}", "ab ", 20000}, {"^(.*?,){11}", "a,", 50000},
        {"^(?:(.)(.))+$", "xy", 400000},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        char *text = fill(rows[i].size, rows[i].unit);
        const sr_re_result result =
            match(rows[i].pattern, 0, (sg_str){text, rows[i].size});
        if (result != SR_RE_YES)
            printf("pattern %s: %d\n", rows[i].pattern, (int)result);
        CHECK_INT(result, SR_RE_YES);
        free(text);
    }
}

/* Pieces must not hide a match at their borders, nor what surrounds it. */
static void test_pieces(void)
{
    static const char *const fillers[] = {"\xC3\xA9x ", "a", "\xED\xA0\x80z",
                                          "\x80\xBF\xFF", "nee"};
    const sg_str needle = SG_LIT("xneedle ");
    sr_regex *regex = compile("(?<=x)needle\\b", 0);

    for (size_t f = 0; f < sizeof(fillers) / sizeof(*fillers); f++) {
        const size_t n = 3001;
        char *text = fill(n, fillers[f]);
        CHECK_INT(sr_regex_match(regex, (sg_str){text, n}), SR_RE_NO);
        for (size_t at = 0; at + needle.len <= n; at++) {
            char saved[16];
            memcpy(saved, text + at, needle.len);
            memcpy(text + at, needle.ptr, needle.len);
            CHECK_INT(sr_regex_match(regex, (sg_str){text, n}), SR_RE_YES);
            memcpy(text + at, saved, needle.len);
        }
        free(text);
    }
    sr_regex_free(regex);
}

static uint32_t random_below(uint32_t n)
{
    static uint64_t state = 88172645463325252;

    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (uint32_t)((state >> 16) % n);
}

/* The same search without pieces: anchored, it has one place to start at. */
static sr_re_result match_anchored(const char *pattern, sg_str subject)
{
    char text[256];

    (void)snprintf(text, sizeof(text), "^(?s:.*?)(?:%s)", pattern);
    return match(text, 0, subject);
}

/* A piece that ends within a match, or within what a look-around or an
 * assertion sees, tells nothing. */
static void test_pieces_agree(void)
{
    static const char *const patterns[] = {
        "x\\w{90,}y",     "x(?=\\w*y)",       "x(?!\\w)",     "x\\w*\\b ",
        "x\\w*$",         "xw*\\z",           "x.{100}$",     "(?<=x)w{70}\\W",
        "(x|y)w*\\1",     "x(?>w*)w",         "x\\X*z",       "x[^y]*\\R",
        "\\Bw{60,80}\\b", "xw{64}",           "xw{127,128}y", "x+?w*?(?<!w)$",
        "x(?:w|y)*(?= )", "(?i)XW{65}(?-i)y", "x\\K\\w+\\n",  "\xC3\xA9w*x",
    };
    static const char alphabet[] = "wwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwxxyy \n";
    enum { SIZE = 900 };
    char text[SIZE];
    unsigned found = 0;

    for (size_t i = 0; i < sizeof(patterns) / sizeof(*patterns); i++)
        for (int round = 0; round < 60; round++) {
            const uint32_t kinds = round % 3 == 0 ? 34 : 38;
            for (size_t k = 0; k < SIZE; k++)
                text[k] = alphabet[random_below(kinds)];
            char *letter = text + random_below(SIZE - 1);
            letter[0] = '\xC3';
            letter[1] = '\xA9';
            const sg_str subject = {text, SIZE - random_below(200)};
            const sr_re_result want = match_anchored(patterns[i], subject);
            const sr_re_result have = match(patterns[i], 0, subject);
            if (have != want)
                printf("pattern %s\n", patterns[i]);
            CHECK_INT(have, want);
            found += have == SR_RE_YES;
        }
    CHECK(found > 200 && found < 1000);
}

/* A match behind places that take many steps. */
static void test_costly_places(void)
{
    const size_t n = 60000;
    char *text = fill(n, "a");

    memcpy(text + n - 3, "abc", 3);
    CHECK_INT(match("(?:a|b)+bc", 0, (sg_str){text, n}), SR_RE_YES);
    text[n - 1] = 'd';
    const sr_re_result result = match("(?:a|b)+bc", 0, (sg_str){text, n});
    CHECK(result != SR_RE_YES);
    free(text);
}

/* Also that it ends the same way again. */
static sr_re_result match_soon(const char *pattern, sg_str subject)
{
    const clock_t beg = clock();
    const sr_re_result result = match(pattern, 0, subject);
    const double s = (double)(clock() - beg) / CLOCKS_PER_SEC;

    if (getenv("TEST_VERBOSE") != NULL)
        printf("%8zu %-34s %d %.3f s\n", subject.len, pattern, (int)result, s);
    CHECK(s < 5);
    CHECK_INT(match(pattern, 0, subject), result);
    return result;
}

static void test_hostile(void)
{
    static const struct {
        const char *pattern;
        const char *unit;
    } rows[] = {
        {"(a+)+$", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab"},
        {"(a|aa)+$", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab"},
        {"(.*)(.*)(.*)(.*)(.*)x$", "a"},
        {"(?:a|b)*c", "ab"},
        {"a.*b.*c.*d$", "abc"},
        {"(x+x+)+y", "x"},
        {"\\s+$", " a"},
        {"^(?:(?:[a-z])+.)+[A-Z]([a-z])+$", "aaaa"},
        {"(?=(.+))\\1z", "a"},
        {"x.*y.*z\\d", "zyyyyyyyyyyyyyyyyyyyyyyyyyxxxx"},
        {"x.*b.*b.*\\d$", "xb"},
        {"x\\w+\\s*y\\d", "yxx"},
        {"^.*b.*b\\d", "b"},
        {"^.*b.*b.*b\\d", "b"},
        {"(a?){50}a{50}b", "a"},
        /* Work that hides within an item that fails. */
        {"[a-z]{5000}\\d", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab1c1"},
        {"(?:ab){1000}(?:$|c|d)", "ababababababababababababababababababababx"},
        {"(?=(a+))\\1{3}b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab"},
        {"(?=(.+))b\\1(?:y|z)", "ab"},
    };
    const size_t sizes[] = {1000, 32768, 1000000};

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
        for (size_t k = 0; k < sizeof(sizes) / sizeof(*sizes); k++) {
            char backtracking[128];
            char *text = fill(sizes[k], rows[i].unit);
            const sg_str subject = {text, sizes[k]};
            /* A look-ahead keeps the linear search away. */
            (void)snprintf(backtracking, sizeof(backtracking), "(?=)%s",
                           rows[i].pattern);
            text[sizes[k] - 1] = '!';
            CHECK(match_soon(rows[i].pattern, subject) != SR_RE_YES);
            CHECK(match_soon(backtracking, subject) != SR_RE_YES);
            free(text);
        }
}

/* What has no look-around, back reference or large repeat meets no limit. */
static void test_no_limit(void)
{
    static const struct {
        const char *pattern;
        const char *unit;
        sr_re_result want; /* with ! at the end */
    } rows[] = {
        {"\\+.*\\+.*\\+.*\\+.*\\+.*\\+.*\\+.*\\+.*\\+.*\\+.*\\+.*\\+.*\\+.*!x",
         "a+", SR_RE_NO},
        {"\\+.*\\+.*\\+.*\\+.*\\+.*\\+.*\\+.*\\+.*\\+.*\\+.*\\+.*\\+.*\\+.*!",
         "a+", SR_RE_YES},
        {".+:assumed-role/aws:.+", "a:", SR_RE_NO},
        {"[^/]{100,}$", "a/", SR_RE_NO},
        {"(.){200,}", "a\n", SR_RE_NO},
        {"(a+)+$", "a", SR_RE_NO},
        {"(a|aa)+!$", "a", SR_RE_YES},
    };
    const size_t sizes[] = {300, 2000, 100000};

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
        for (size_t k = 0; k < sizeof(sizes) / sizeof(*sizes); k++) {
            char *text = fill(sizes[k], rows[i].unit);
            text[sizes[k] - 1] = '!';
            CHECK_INT(match_soon(rows[i].pattern, (sg_str){text, sizes[k]}),
                      rows[i].want);
            free(text);
        }
}

/* The limit is a point in the work, the same one at each run. */
static void test_limit_is_exact(void)
{
    const char *const pattern = "^(?=)(a|aa)+$";
    size_t no = 1;
    size_t limit = 1000;

    while (limit - no > 1) {
        const size_t n = (no + limit) / 2;
        char *text = fill(n, "a");
        text[n - 1] = 'b';
        const sr_re_result result = match(pattern, 0, (sg_str){text, n});
        CHECK(result != SR_RE_YES);
        for (int round = 0; round < 5; round++)
            CHECK_INT(match(pattern, 0, (sg_str){text, n}), result);
        *(result == SR_RE_NO ? &no : &limit) = n;
        free(text);
    }
    CHECK(no > 10 && limit < 100);
}

/* Start verbs may lower limits but not raise them. */
static void test_verbs(void)
{
    char *text = fill(5000, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab");

    CHECK_INT(match("(*LIMIT_MATCH=4000000000)(a+)+$", 0, (sg_str){text, 5000}),
              SR_RE_LIMIT);
    CHECK_INT(match("(*LIMIT_MATCH=1)(*NO_JIT)(a|b)+c", 0, SG_S("abababc")),
              SR_RE_LIMIT);
    free(text);
}

static void test_facts(void)
{
    static const struct {
        const char *pattern;
        bool linear;
        int required;
    } rows[] = {
        {"a+x", true, 'x'},
        {"[ab]+", true, -1},
        {"(?=b)[bc]", false, -1},
        {"(a)\\1x", false, 'x'},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        sr_regex *regex = compile(rows[i].pattern, 0);
        const sr_regex_facts facts = sr_regex_describe(regex);

        CHECK(facts.linear == rows[i].linear);
        CHECK_INT(facts.required, rows[i].required);
        sr_regex_free(regex);
    }
}

int main(void)
{
    test_dialect();
    test_facts();
    test_refused();
    test_refused_sizes();
    test_exec();
    test_long_matches();
    test_pieces();
    test_pieces_agree();
    test_costly_places();
    test_hostile();
    test_no_limit();
    test_limit_is_exact();
    test_verbs();
    return TEST_END();
}
