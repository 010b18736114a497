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
    sg_buf buf = {0};
    sr_need need;

    sr_regex_need(arena, pattern, &need);
    for (uint32_t i = 0; i < need.count; i++) {
        sg_buf_putz(&buf, i == 0 ? "" : "|");
        sg_buf_put(&buf, need.texts[i]);
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
        {"abcd[0-9a]ef", "abcd"},
        {"abcd\xC3\xA9"
         "ef",
         "abcd"},
        /* small classes and what may be missing */
        {"[Ee]xec", "exec"},
        {"ab[cd]e", "abce|abde"},
        {"[-a]b", "-b|ab"},
        {"[]a]b", "]b|ab"},
        {"[a-c]b", "ab|bb|cb"},
        {"[a-cB-]d", "-d|ad|bd|cd"},
        {"[\\w-.]de", "de"},
        {"[a-\\w]bcd", ""},
        {"[^a]bc", "bc"},
        {"[abcdefghijk]gh", "gh"},
        {"[6-9]\\dx", "0x|1x|2x|3x|4x|5x|6x|7x|8x|9x"},
        {"colou?r", "colour|color"},
        {"x(ab)?y", "xaby|xy"},
        /* repeats */
        {"abc+d", "ab"},
        {"(?:abc)+d", "abc"},
        {"(?:abc){2,3}?d", "abcabc"},
        {"(?:abc){2}d", "abcabcd"},
        {"a[ '\"]{1}b", "a b|a\"b|a'b"},
        {"[ab]{3}c", "aaac|aabc|abac|abbc|baac|babc|bbac|bbbc"},
        {"\"(?:\\{[0-3]\\})+\"\\s*-f", "{0}|{1}|{2}|{3}"},
        {"abcdefgh(?:ij|kl)", "abcdefgh"},
        {"(?:abc){0,3}de", "de"},
        {"(?:abc)*de", "de"},
        {"abc*+", "ab"},
        {"a{b", "a{b"},
        /* alternatives */
        /* one byte serves if it is rare */
        {"\\w+`\\w", "`"},
        {"\\w+[`|]\\w", "`||"},
        {"\\w+e\\W", ""},
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

static bool has_byte(const sr_run *run, int b)
{
    return b >= 0 && b < 256 && (run->of[b / 64] >> (b % 64) & 1) != 0;
}

/* Its length, and its bytes as ranges in hexadecimal. */
static void put_run(sg_buf *out, const sr_run *run)
{
    sg_buf_printf(out, "%u", run->least);
    for (int b = 0; b < 256; b++) {
        if (has_byte(run, b) && !has_byte(run, b - 1))
            sg_buf_printf(out, " %02x", (unsigned)b);
        if (has_byte(run, b) && !has_byte(run, b + 1))
            sg_buf_printf(out, "-%02x", (unsigned)b);
    }
}

static void test_runs(void)
{
    static const struct {
        const char *pattern, *want;
    } rows[] = {
        {"[a-f0-9]{64}", "64 30-39 61-66"},
        {"\\s[a-fA-F0-9]{64}\\s[a-f]{16}", "64 30-39 61-66"},
        {"[a-f]{7}", ""},
        {"[a-f]{8,}x*", "8 61-66"},
        {"[a-f]{8,9}?|g{10}", "8 61-67"},
        {"([a-f]|[0-1]){20}", "20 30-31 61-66"},
        {"(?:[a-m]{8}\\d)+", "8 61-6d"},
        {"(?:[ab]{8}x)?", ""},
        {"[a-f]{8}|gh", ""},
        {"\\d{9}", "9 30-39"},
        {"[^\\x00-/A-Z]{12}", "12 30-40 5b-ff"},
        {"[!-\xC3\xA9]{8}", "8 21-40 5b-ff"},
        {"[\xC3\xA9]{8}", "8 6b-6b 73-73 80-ff"},
        {"[\\Ha]{8}", "8 00-08 0a-1f 21-40 5b-ff"},
        {".{200}[a-f]{60}", "60 61-66"},
        {"[a-f]{0,8}", ""},
    };
    sg_arena arena = {0};

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        sg_buf have = {0};
        sr_need need;

        sr_regex_need(&arena, sg_str_of(rows[i].pattern), &need);
        if (need.kind == SR_NEED_RUN)
            put_run(&have, &need.run);
        if (!sg_str_eq(sg_buf_str(&have), sg_str_of(rows[i].want)))
            printf("run of %s\n", rows[i].pattern);
        CHECK_STR(sg_buf_str(&have), sg_str_of(rows[i].want));
        sg_buf_free(&have);
    }
    sg_arena_free(&arena);
}

/* Against a count of bytes in a row. */
static void test_run_is_in(void)
{
    for (int i = 0; i < 20000; i++) {
        const sr_run run = {{UINT64_C(1) << '1'}, 1 + (uint32_t)rand() % 6};
        char text[24];
        const size_t len = (size_t)rand() % sizeof(text);
        uint32_t row = 0, longest = 0;

        for (size_t k = 0; k < len; k++) {
            text[k] = rand() % 4 == 0 ? '0' : '1';
            row = text[k] == '1' ? row + 1 : 0;
            longest = row > longest ? row : longest;
        }
        CHECK(sr_run_is_in(&run, (sg_str){text, len}) ==
              (longest >= run.least));
    }
}

/* -------- random patterns ------------------------------------------------ */

static const char *const atoms[] = {
    "a",           "b",       "K",           "s",
    "A",           "\\.",     "\\x6b",       ".",
    "\\w",         "\\D",     "\\d",         "\\H",
    "\\V",         "[^\\W]",  "[^\xC3\xA9]", "[A-\xC3\xA9]",
    "[^\\h1-k]",   "[ab]",    "[^a]",        "[a-k]",
    "[Ks]",        "^",       "$",           "\\b",
    "(?i)",        "(?-i)",   "(?=a)",       "(?!b)",
    "{",           "]",       "-",           "\xC3\xA9",
    "\\\\",        "\\n",     "[]a]",        "[-a]",
    "[\\w-]",      "[a\\]]",  "\\s",         "(?s)",
    "[[:digit:]]", "\\Qa\\E", "(?x)",        " ",
    "#",           "\\K",     "(?<=a)",      "\\h",
    "\\A",
};

static const char *const repeats[] = {
    "",     "",    "",    "",      "",       "?",     "*",
    "+",    "{2}", "{0}", "{1,2}", "{0,1}?", "??",    "*+",
    "{,2}", "+?",  "{1}", "{1,}",  "{8}",    "{9,}?", "{8,10}+"};

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

    for (int i = rand() % 8; i >= 0; i--) {
        const char *piece = PICK(pieces);

        for (int k = rand() % 4 == 0 ? 9 : 1; k > 0; k--)
            sg_buf_putz(out, piece);
    }
}

static bool has_need(const sr_need *need, sg_str subject)
{
    char *to = malloc(sg_fold_bound(subject.len) + 1);
    bool has = need->kind == SR_NEED_NOTHING;

    if (to == NULL)
        exit(1);
    const sg_str folded = {to, sg_fold(to, subject)};
    for (uint32_t i = 0; i < need->count; i++)
        has = has || sr_contains(folded, need->texts[i]);
    if (need->kind == SR_NEED_RUN)
        has = sr_run_is_in(&need->run, folded);
    free(to);
    return has;
}

/* How many subjects matched patterns of which is known what they need. */
typedef struct tally {
    int texts, runs;
} tally;

static void try_pattern(sg_str pattern, uint32_t flags, tally *matched)
{
    sg_arena arena = {0};
    char reason[256];
    size_t offset;
    sr_need need;
    sr_regex *regex =
        sr_regex_compile(pattern, flags, reason, sizeof(reason), &offset);

    sr_regex_need(&arena, pattern, &need);
    for (int i = 0; regex != NULL && need.kind != SR_NEED_NOTHING && i < 40;
         i++) {
        sg_buf subject = {0};

        random_subject(&subject);
        if (sr_regex_match(regex, sg_buf_str(&subject)) == SR_RE_YES) {
            const bool holds = has_need(&need, sg_buf_str(&subject));

            if (!holds)
                printf("/%.*s/ on '%.*s'\n", (int)pattern.len, pattern.ptr,
                       (int)subject.len, subject.ptr);
            CHECK(holds);
            matched->texts += need.kind == SR_NEED_TEXTS;
            matched->runs += need.kind == SR_NEED_RUN;
        }
        sg_buf_free(&subject);
    }
    sr_regex_free(regex);
    sg_arena_free(&arena);
}

static void test_random(void)
{
    tally matched = {0, 0};

    srand(11);
    for (int i = 0; i < 20000; i++) {
        sg_buf pattern = {0};
        uint32_t flags = 0;

        random_pattern(&pattern, 2);
        flags |= rand() % 2 == 0 ? SIGMA_F_RE_I : 0u;
        flags |= rand() % 4 == 0 ? SIGMA_F_RE_M : 0u;
        flags |= rand() % 4 == 0 ? SIGMA_F_RE_S : 0u;
        try_pattern(sg_buf_str(&pattern), flags, &matched);
        sg_buf_free(&pattern);
    }
    /* Or nothing was tried. */
    CHECK(matched.texts > 1000);
    CHECK(matched.runs > 1000);
}

int main(void)
{
    test_table();
    test_runs();
    test_run_is_in();
    test_random();
    return TEST_END();
}
