/*
 * test_linear.c - the linear search: what it supports, that it agrees with
 * PCRE2 on random patterns and subjects, and that its time is linear.
 */
#include "match/linear.h"
#include "support/test.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { I = SIGMA_F_RE_I, M = SIGMA_F_RE_M, S = SIGMA_F_RE_S };

static void test_support(void)
{
    static const struct {
        const char *pattern;
        uint32_t flags;
        bool want;
    } rows[] = {
        {"", 0, true},
        {"\\+.*\\+.*\\+", 0, true},
        {"(?i)a(b|c)*?[^d-f\\w]{2,}$", 0, true},
        {"^a|(^|/)b{3}$", S, true},
        {"[]a][^]a][a-][-a][[]", 0, true},
        {"a{1000}", 0, true},
        {"\xC3\xA9[\xE2\x80\x93x]", 0, true},
        {"a", M, false},
        {"a{1025}", 0, false},
        {"((((a{1000}){1000}){1000}){1000})", 0, false},
        {"(((((){1000}){1000}){1000}){1000})", 0, false},
        {"(a)\\1", 0, false},
        {"a(?=b)", 0, false},
        {"(?<!a)b", 0, false},
        {"(?<n>a)", 0, false},
        {"(?>a)", 0, false},
        {"(?s)a", 0, false},
        {"(*NO_JIT)a", 0, false},
        {"a++", 0, false},
        {"a{2}+", 0, false},
        {"a{", 0, false},
        {"a{,3}", 0, false},
        {"a\\b", 0, false},
        {"\\x41", 0, false},
        {"\\Qa\\E", 0, false},
        {"\\pL", 0, false},
        {"[[:alpha:]]", 0, false},
        {"[\\d-z]", 0, false},
        {"[a-\xC3\xA9]", 0, false},
        {"\xC3\xA9", I, false},
        {"^^a", 0, false},
        {"(^|a)(^|b)", 0, false},
        {"a$$", 0, false},
        {"$^", 0, false},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        sr_linear *linear =
            sr_linear_new(sg_str_of(rows[i].pattern), rows[i].flags);
        if ((linear != NULL) != rows[i].want)
            printf("pattern %s\n", rows[i].pattern);
        CHECK((linear != NULL) == rows[i].want);
        sr_linear_free(linear);
    }
}

static sr_re_result match(const char *pattern, uint32_t flags, sg_str subject,
                          size_t start)
{
    sr_linear *linear = sr_linear_new(sg_str_of(pattern), flags);
    const sr_re_result result =
        linear == NULL ? SR_RE_LIMIT : sr_linear_match(linear, subject, start);

    sr_linear_free(linear);
    return result;
}

static void test_match(void)
{
    static const struct {
        const char *pattern;
        uint32_t flags;
        sg_str subject;
        size_t start;
        sr_re_result want;
    } rows[] = {
        {"a.*b.*c", 0, SG_LIT("xaxbxc"), 0, SR_RE_YES},
        {"a.*b.*c", 0, SG_LIT("xbxaxc"), 0, SR_RE_NO},
        {"a.*b.*c", 0, SG_LIT("ab\nc"), 0, SR_RE_NO},
        {"a.*b.*c", S, SG_LIT("ab\nc"), 0, SR_RE_YES},
        {"^ab", 0, SG_LIT("abab"), 0, SR_RE_YES},
        {"^ab", 0, SG_LIT("abab"), 2, SR_RE_NO},
        {"ab", 0, SG_LIT("abab"), 2, SR_RE_YES},
        {"ab$", 0, SG_LIT("ab\n"), 0, SR_RE_NO},
        {"^$", 0, SG_LIT(""), 0, SR_RE_YES},
        {"^$", 0, SG_LIT("a"), 0, SR_RE_NO},
        {"[^\\\\]{1,256}$", 0, SG_LIT("a\\"), 0, SR_RE_NO},
        {"[k-t]", I, SG_LIT("\xE2\x84\xAA"), 0, SR_RE_YES},
        {"[^k]", I, SG_LIT("\xE2\x84\xAA"), 0, SR_RE_NO},
        {"s", I, SG_LIT("\xC5\xBF"), 0, SR_RE_YES},
        {"s", 0, SG_LIT("\xC5\xBF"), 0, SR_RE_NO},
        {"a\\W$", 0, SG_LIT("a\xC3\xA9"), 0, SR_RE_YES},
        {"a.$", 0, SG_LIT("a\xF0\x9F\x98\x80"), 0, SR_RE_YES},
        {"ab", 0, SG_LIT("ab\xFF"), 0, SR_RE_YES},
        {"ab", 0, SG_LIT("\xFF\x61\x62"), 0, SR_RE_LIMIT},
        {"ab", 0, SG_LIT("\xED\xA0\x80\x61\x62"), 0, SR_RE_LIMIT},
        {"ab", 0, SG_LIT("a\0ab"), 0, SR_RE_YES},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        const sr_re_result have = match(rows[i].pattern, rows[i].flags,
                                        rows[i].subject, rows[i].start);
        if (have != rows[i].want)
            printf("pattern %s\n", rows[i].pattern);
        CHECK_INT(have, rows[i].want);
    }
}

/* -------- random patterns -------------------------------------------------*/

static uint32_t random_below(uint32_t n)
{
    static uint64_t state = 88172645463325252;

    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (uint32_t)((state >> 16) % n);
}

#define PICK(table) ((table)[random_below(sizeof(table) / sizeof(*(table)))])

static const char *const characters[] = {
    "a",
    "b",
    "k",
    "K",
    "s",
    "S",
    "_",
    "7",
    " ",
    "\t",
    "\\.",
    "\\n",
    "-",
    "\\^",
    "a",
    "\\",
    "\xC3\xA9",
    "\xC5\xBF",
    "\xE2\x84\xAA",
};

static void put_class(sg_buf *out)
{
    static const char *const items[] = {
        "a",   "b",   "k",   "S",        "a-k",          "K-T",
        "0-9", "\\d", "\\S", "\\w",      "\\s",          "\\]",
        "\\n", ".",   "$",   "\xC3\xA9", "\xE2\x84\xAA",
    };

    sg_buf_putz(out, random_below(3) == 0 ? "[^" : "[");
    for (uint32_t n = 1 + random_below(3); n > 0; n--)
        sg_buf_putz(out, PICK(items));
    sg_buf_putz(out, random_below(6) == 0 ? "-]" : "]");
}

static void put_choice(sg_buf *out, uint32_t depth);

static void put_atom(sg_buf *out, uint32_t depth)
{
    static const char *const kinds[] = {".",   ".",   "\\w", "\\W", "\\d",
                                        "\\D", "\\s", "\\S", "^",   "$"};
    static const char *const groups[] = {"(", "(?:", "(?i:"};
    const uint32_t what = random_below(10);

    if (what < 5) {
        sg_buf_putz(out, PICK(characters));
    } else if (what < 7) {
        sg_buf_putz(out, PICK(kinds));
    } else if (what < 8 || depth == 0) {
        put_class(out);
    } else {
        sg_buf_putz(out, PICK(groups));
        put_choice(out, depth - 1);
        sg_buf_putc(out, ')');
    }
}

static void put_choice(sg_buf *out, uint32_t depth)
{
    static const char *const repeats[] = {
        "*",    "+",     "?",      "*?", "+?", "{2}", "{1,3}",
        "{2,}", "{0,2}", "{3,5}?", ".*", ".*", ".+",
    };

    for (uint32_t n = 1 + random_below(4); n > 0; n--) {
        put_atom(out, depth);
        if (random_below(3) == 0)
            sg_buf_putz(out, PICK(repeats));
    }
    if (random_below(5) == 0) {
        sg_buf_putc(out, '|');
        put_choice(out, depth);
    }
}

static void put_subject(sg_buf *out)
{
    static const char *const pieces[] = {
        "a",
        "b",
        "k",
        "K",
        "s",
        "S",
        "_",
        "7",
        " ",
        "\t",
        ".",
        "\n",
        "-",
        "^",
        "a",
        "a",
        "b",
        "\xC3\xA9",
        "\xC5\xBF",
        "\xE2\x84\xAA",
        "\xF0\x9F\x98\x80",
    };

    for (uint32_t n = random_below(14); n > 0; n--)
        sg_buf_putz(out, PICK(pieces));
    if (random_below(40) == 0)
        sg_buf_putz(out, "\xC3");
}

/* sr_regex_exec never takes the linear search. */
static bool pcre_finds(const sr_regex *regex, sg_str subject, size_t start)
{
    size_t at[2 * SR_REGEX_GROUPS];
    unsigned groups;

    return sr_regex_exec(regex, subject, start, at, &groups);
}

static unsigned compare(const sr_regex *regex, const sr_linear *linear,
                        sg_str pattern)
{
    unsigned found = 0;

    for (int round = 0; round < 20; round++) {
        sg_buf buf = {0};
        put_subject(&buf);
        const sg_str subject = buf.len == 0 ? SG_S("") : sg_buf_str(&buf);
        size_t start = 0;
        if (subject.len != 0 && random_below(4) == 0)
            (void)sg_utf8_next(subject, &start);
        const sr_re_result have = sr_linear_match(linear, subject, start);
        if (have == SR_RE_LIMIT) {
            CHECK(!sg_utf8_valid(subject));
        } else {
            const bool want = pcre_finds(regex, subject, start);
            if ((have == SR_RE_YES) != want)
                printf("pattern <%.*s> subject <%.*s> from %zu\n",
                       SG_FMT(pattern), SG_FMT(subject), start);
            CHECK_INT(have, want ? SR_RE_YES : SR_RE_NO);
            found += want;
        }
        sg_buf_free(&buf);
    }
    return found;
}

static void test_agrees(void)
{
    static const uint32_t flags[] = {0, 0, I, S, I | S};
    unsigned compared = 0;
    unsigned found = 0;
    const char *rounds = getenv("TEST_ROUNDS");
    const int most = rounds != NULL ? (int)strtol(rounds, NULL, 10) : 4000;

    for (int round = 0; round < most; round++) {
        sg_buf buf = {0};
        char reason[256];
        size_t offset;
        const uint32_t f = PICK(flags);
        if (random_below(8) == 0)
            sg_buf_putz(&buf, "(?i)");
        put_choice(&buf, 3);
        const sg_str pattern = sg_buf_str(&buf);
        sr_regex *regex =
            sr_regex_compile(pattern, f, reason, sizeof(reason), &offset);
        sr_linear *linear = regex != NULL ? sr_linear_new(pattern, f) : NULL;
        if (linear != NULL) {
            found += compare(regex, linear, pattern);
            compared += 20;
        }
        sr_linear_free(linear);
        sr_regex_free(regex);
        sg_buf_free(&buf);
    }
    CHECK(compared > (unsigned)most * 20 / 3);
    CHECK(found > compared / 10 && found < compared - compared / 10);
}

/* -------- long subjects ---------------------------------------------------*/

static void test_time(void)
{
    static const char *const patterns[] = {
        "(?:a|aa|b)*c", "a.*a.*a.*a.*a.*a.*c",     "(a?){50}a{50}c",
        "a{1,900}c",    "(?:(?:a|b){1,5}a){1,9}c", "(a*b*)*c$",
        ".{999}c",
    };
    const size_t n = 1000000;
    char *text = malloc(n);

    if (text == NULL)
        abort();
    for (size_t i = 0; i < n; i++)
        text[i] = random_below(9) == 0 ? 'b' : 'a';
    for (size_t i = 0; i < sizeof(patterns) / sizeof(*patterns); i++) {
        const clock_t beg = clock();
        CHECK_INT(match(patterns[i], 0, (sg_str){text, n}, 0), SR_RE_NO);
        const double s = (double)(clock() - beg) / CLOCKS_PER_SEC;
        if (getenv("TEST_VERBOSE") != NULL)
            printf("%-30s %.3f s\n", patterns[i], s);
        CHECK(s < 20);
    }
    free(text);
}

int main(void)
{
    test_support();
    test_match();
    test_agrees();
    test_time();
    return TEST_END();
}
