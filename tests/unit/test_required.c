/*
 * test_required.c - texts that every match of a regular expression holds: what
 * is known of which patterns, and that it is true, on random ones.
 */
#include "match/match.h"
#include "support/test.h"

#include <stdlib.h>
#include <string.h>

/* The texts with | between them. */
static sg_str texts_of(sg_arena *arena, sg_str pattern)
{
    sg_str texts[SR_REGEX_TEXTS];
    const uint32_t count = sr_regex_texts(arena, pattern, texts);
    sg_buf buf = {0};

    for (uint32_t i = 0; i < count; i++) {
        sg_buf_putz(&buf, i == 0 ? "" : "|");
        sg_buf_put(&buf, texts[i]);
    }
    const sg_str all = sg_arena_dup(arena, sg_buf_str(&buf));
    sg_buf_free(&buf);
    return all;
}

static void test_table(void)
{
    static const struct {
        const char *pattern, *want;
    } rows[] = {
        /* characters, in whatever case */
        {"PowerShell", "powershell"},
        {"(?i)PowerShell", "powershell"},
        {"a\\.b\\\\c\\x41\\t", "a.b\\ca\t"},
        {"^abc$", "abc"},
        {"\\bnet\\b", "net"},
        {"", ""},
        /* what is not known splits */
        {"abc.defg", "defg"},
        {"net\\s+user", "user"},
        {"abcd[0-9]ef", "abcd"},
        {"abcd\xC3\xA9"
         "ef",
         "abcd"},
        /* small classes and what may be missing */
        {"[Ee]xec", "exec"},
        {"ab[cd]e", "abce|abde"},
        {"[-a]b", "-b|ab"},
        {"[]a]b", "]b|ab"},
        {"[a-c]b", "b"},
        {"[^a]b", "b"},
        {"[abcdef]g", "g"},
        {"colou?r", "colour|color"},
        {"x(ab)?y", "xaby|xy"},
        /* repeats */
        {"abc+d", "ab"},
        {"(?:abc)+d", "abc"},
        {"(?:abc){2,3}?d", "abc"},
        {"(?:abc){0,3}d", "d"},
        {"(?:abc)*d", "d"},
        {"abc*+", "ab"},
        {"a{b", "a{b"},
        /* alternatives */
        {"abc|def", "abc|def"},
        {"abc|de.*", "abc|de"},
        {"abc|.*", ""},
        {"abc|", ""},
        {"x(abc|def)y", "xabcy|xdefy"},
        {"(abc|.)yz", "yz"},
        {"(?i:abc)(?-i)d", "abcd"},
        {"(?<n>abc)(?P<m>d)(?>e)", "abcde"},
        /* what only looks */
        {"abc(?=defgh)", "abc"},
        {"(?<!abcdef)gh", "gh"},
        /* what is left alone */
        {"a{,3}bcd", ""},
        {"a{1 }bcd", ""},
        {"(?x)a b", ""},
        {"(?#x)abc", ""},
        {"(a)bcd\\1", ""},
        {"abc\\Kd", ""},
        {"\\Qabc\\E", ""},
        {"\\x{61}bc", ""},
        {"\\pLabc", ""},
        {"[[:alpha:]]abc", ""},
        {"[\\Qa\\E]abc", ""},
        {"(?|abc|abd)", ""},
        {"(abc)(?1)", ""},
        {"(*UTF)abc", ""},
        {"abc)", ""},
        {"(abc", ""},
        {"[abc", ""},
    };
    sg_arena arena = {0};

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        const sg_str have = texts_of(&arena, sg_str_of(rows[i].pattern));
        if (!sg_str_eq(have, sg_str_of(rows[i].want)))
            printf("texts of %s\n", rows[i].pattern);
        CHECK_STR(have, sg_str_of(rows[i].want));
    }
    sg_arena_free(&arena);
}

/* -------- random patterns ------------------------------------------------ */

static const char *const atoms[] = {
    "a",    "b",      "K",      "s",        "A",      "\\.",         "\\x6b",
    ".",    "\\w",    "\\D",    "[ab]",     "[^a]",   "[a-k]",       "[Ks]",
    "^",    "$",      "\\b",    "(?i)",     "(?-i)",  "(?=a)",       "(?!b)",
    "{",    "]",      "-",      "\xC3\xA9", "\\\\",   "\\n",         "[]a]",
    "[-a]", "[\\w-]", "[a\\]]", "\\s",      "(?s)",   "[[:digit:]]", "\\Qa\\E",
    "(?x)", " ",      "#",      "\\K",      "(?<=a)", "\\h",         "\\A",
};

static const char *const repeats[] = {
    "",    "",      "",       "",   "",   "?",    "*",  "+",   "{2}",
    "{0}", "{1,2}", "{0,1}?", "??", "*+", "{,2}", "+?", "{1}", "{1,}"};

#define PICK(list) ((list)[(size_t)rand() % (sizeof(list) / sizeof(*(list)))])

static void random_pattern(sg_buf *out, int depth)
{
    const int items = 1 + rand() % 4;

    for (int i = 0; i < items; i++) {
        if (depth > 0 && rand() % 4 == 0) {
            static const char *const groups[] = {"(", "(?:", "(?i:", "(?>",
                                                 "(?<n>"};
            sg_buf_putz(out, PICK(groups));
            random_pattern(out, depth - 1);
            sg_buf_putz(out, ")");
        } else {
            sg_buf_putz(out, PICK(atoms));
        }
        sg_buf_putz(out, PICK(repeats));
    }
    if (rand() % 4 == 0) {
        sg_buf_putz(out, "|");
        if (depth > 0)
            random_pattern(out, depth - 1);
    }
}

static void random_subject(sg_buf *out)
{
    static const char *const pieces[] = {"a",
                                         "b",
                                         "k",
                                         "K",
                                         "s",
                                         "S",
                                         ".",
                                         "\n",
                                         "1",
                                         " ",
                                         "{",
                                         "]",
                                         "-",
                                         "\\",
                                         "A",
                                         "B",
                                         "\xC3\xA9",
                                         "\xC5\xBF",
                                         "\xE2\x84\xAA",
                                         "\xFF",
                                         "#",
                                         "{,2}"};

    for (int i = rand() % 8; i >= 0; i--)
        sg_buf_putz(out, PICK(pieces));
}

static bool holds_one(const sg_str *texts, uint32_t count, sg_str subject)
{
    char *to = malloc(sg_fold_bound(subject.len) + 1);
    bool holds = false;

    if (to == NULL)
        exit(1);
    const sg_str folded = {to, sg_fold(to, subject)};
    for (uint32_t i = 0; i < count; i++)
        holds = holds || sr_contains(folded, texts[i]);
    free(to);
    return holds;
}

/* Returns how many subjects matched a pattern with texts. */
static int try_pattern(sg_str pattern, uint32_t flags)
{
    sg_arena arena = {0};
    sg_str texts[SR_REGEX_TEXTS];
    char reason[256];
    size_t offset;
    int matched = 0;
    sr_regex *regex =
        sr_regex_compile(pattern, flags, reason, sizeof(reason), &offset);
    const uint32_t count = sr_regex_texts(&arena, pattern, texts);

    for (int i = 0; regex != NULL && count != 0 && i < 40; i++) {
        sg_buf subject = {0};

        random_subject(&subject);
        if (sr_regex_match(regex, sg_buf_str(&subject)) == SR_RE_YES) {
            const bool holds = holds_one(texts, count, sg_buf_str(&subject));

            if (!holds)
                printf("/%.*s/ on '%.*s'\n", (int)pattern.len, pattern.ptr,
                       (int)subject.len, subject.ptr);
            CHECK(holds);
            matched++;
        }
        sg_buf_free(&subject);
    }
    sr_regex_free(regex);
    sg_arena_free(&arena);
    return matched;
}

static void test_random(void)
{
    int matched = 0;

    srand(11);
    for (int i = 0; i < 20000; i++) {
        sg_buf pattern = {0};
        uint32_t flags = 0;

        random_pattern(&pattern, 2);
        flags |= rand() % 2 == 0 ? SIGMA_F_RE_I : 0u;
        flags |= rand() % 4 == 0 ? SIGMA_F_RE_M : 0u;
        flags |= rand() % 4 == 0 ? SIGMA_F_RE_S : 0u;
        matched += try_pattern(sg_buf_str(&pattern), flags);
        sg_buf_free(&pattern);
    }
    /* Or nothing was tried. */
    CHECK(matched > 1000);
}

int main(void)
{
    test_table();
    test_random();
    return TEST_END();
}
