/*
 * test_sieve.c - a line that a sieve keeps out has none of the texts, in
 * whatever way it may write them; most such lines are kept out.
 */
#include "record/scan.h"
#include "record/sieve.h"
#include "support/test.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

typedef struct fixture {
    sg_arena arena;
    sr_sieve *sieve;
    sr_habit habit;
} fixture;

/* As sr_verbatim_piece makes them. */
static const char *const texts[] = {"mimidrv.sys",       "sekurlsa::", "drop",
                                    "sql syntax; check", "a\"b\\c",    "  x ",
                                    "x_@[y]/z"};

enum { TEXTS = sizeof(texts) / sizeof(*texts) };

static void open_fixture(fixture *f, const char *sample)
{
    sg_str pieces[TEXTS];

    memset(f, 0, sizeof(*f));
    for (size_t i = 0; i < TEXTS; i++)
        pieces[i] =
            sr_verbatim_piece(&f->arena, (sg_str){texts[i], strlen(texts[i])});
    f->sieve = sr_sieve_new(&f->arena, pieces, TEXTS,
                            (sg_str){sample, strlen(sample)});
    CHECK(f->sieve != NULL);
}

static void close_fixture(fixture *f)
{
    sg_arena_free(&f->arena);
}

static bool keeps_out(fixture *f, const char *line)
{
    return sr_sieve_keeps_out(f->sieve, &f->habit,
                              (sg_str){line, strlen(line)});
}

static void test_lines(const char *sample)
{
    static const struct {
        const char *line;
        bool kept_out;
    } cases[] = {
        {"", true},
        {"d", true},
        {"dro", true},
        {"drop", false},
        {"DrOp", false},
        {"{\"a\":\"to DROP table\"}", false},
        {"{\"a\":\"dr op\",\"b\":\"d.r.o.p\"}", true},
        {"{\"a\":\"MIMIDRV.SYS\"}", false},
        {"{\"a\":\"mimi.drv.s.ys\"}", true},
        {"{\"a\":\"a\\\"b\\\\c\"}", false},
        {"{\"a\":\"  X \"}", false},
        {"{\"a\":\"\\u0064rop\"}", false},
        {"{\"a\":\"\\u017Fekurlsa\"}", false},
        {"{\"a\":\"se\\u212aurlsa::\"}", false},
        {"{\"a\":\"\\u0053E\\u004burlsa::\"}", false},
        {"{\"a\":\"\\u00e9\\u007f\\u001f\"}", true},
        {"{\"a\":\"\\u003d\\u003C\\u0027\"}", true}, /* of no text */
        {"{\"a\":\"a\\u0022b\\\\c\"}", false},
        {"{\"a\":\"a\\\"b\\u005cc\"}", false},
        {"{\"a\":\"\\u00", true},
        {"{\"a\":\"C:\\\\users\\\\x\\r\\n\"}", true},
        {"{\"a\":\"\\/\"}", false},
        {"{\"a\":\"\xC5\xBF\"}", false},
        {"{\"a\":\"\xE2\x84\xAA\"}", false},
        {"{\"a\":\"\xC5\xBE\xE2\x84\xAB\xC3\xA9\"}", true},
    };
    fixture f;

    open_fixture(&f, sample);
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
        CHECK(keeps_out(&f, cases[i].line) == cases[i].kept_out);
    close_fixture(&f);
}

/* Wherever it stands in lines of any length, and nowhere beyond their end. */
static void test_places(void)
{
    enum { LONGEST = 150 };
    static const char *const marks[] = {
        "sekurlsa::", "DROP", "\\/", "\\u0041", "\xC5\xBF", "\xE2\x84\xAA"};
    fixture f;

    open_fixture(&f, "");
    for (size_t m = 0; m < 6; m++) {
        const size_t len = strlen(marks[m]);

        for (size_t all = len; all <= LONGEST; all++) {
            for (size_t at = 0; at + len <= all; at++) {
                char *line = memset(malloc(all), '.', all);

                memcpy(line + at, marks[m], len);
                CHECK(!sr_sieve_keeps_out(f.sieve, &f.habit,
                                          (sg_str){line, all}));
                memset(line + at, '.', len);
                for (int i = 0; i < 4; i++) /* or it would rest soon */
                    CHECK(sr_sieve_keeps_out(f.sieve, &f.habit,
                                             (sg_str){line, all}));
                free(line);
            }
        }
    }
    close_fixture(&f);
}

/* A character, folded as far as these texts go; 1 for others. */
static char folded(uint32_t cp)
{
    if (cp == 0x17F)
        return 's';
    if (cp == 0x212A)
        return 'k';
    return cp < 128 ? (char)tolower((int)cp) : '\1';
}

/* What stands for one character of a value; *p goes behind it. */
static char decode_one(const char **p)
{
    const char *at = *p;
    const bool pair = at[0] == '\\' || (unsigned char)at[0] == 0xC5;

    if (at[0] == '\\' && at[1] == 'u') {
        const bool good = strspn(at + 2, "0123456789abcdefABCDEF") >= 4;

        *p += good ? 6 : 2;
        return good ? folded(sr_hex4(at + 2)) : '\1';
    }
    *p += pair ? 2 : 1;
    if (pair && at[0] != '\\')
        return 's'; /* U+017F: the only one with that byte here */
    return folded((unsigned char)at[pair ? 1 : 0]);
}

/* Whether it holds one of the texts, in whatever way it writes it. */
static bool holds_text(sg_arena *arena, const char *line)
{
    char *value = sg_arena_alloc(arena, strlen(line) + 1, 1);
    size_t len = 0;

    while (*line != '\0')
        value[len++] = decode_one(&line);
    value[len] = '\0';
    for (size_t i = 0; i < TEXTS; i++)
        if (strstr(value, texts[i]) != NULL)
            return true;
    return false;
}

static void put_random(sg_buf *out)
{
    static const char *const parts[] = {
        "mimi",     "drv.",    "sys",     "sekur",   "lsa",    "::",
        "dr",       "op",      "sql ",    "syntax;", " check", "a\\\"b",
        "\\\\",     "c",       "  ",      "x",       " ",      "\\u003d",
        "\\u0064",  "\\u00e9", "\\u0022", "\\u005C", "\\/",    "\\u0",
        "\xC5\xBF", "MIMI"};
    /* The last ones seldom: with most of them a line passes. */
    const int most = rand() % 20 == 0 ? sizeof(parts) / sizeof(*parts) : 18;

    sg_buf_putz(out, parts[rand() % most]);
}

/* A text, now and then with some character as something else. */
static void put_text(sg_buf *out, const char *p)
{
    for (; *p != '\0'; p++) {
        if (rand() % 8 == 0)
            sg_buf_printf(out, rand() % 2 == 0 ? "\\u%04x" : "\\u%04X",
                          (unsigned)*p);
        else if (*p == 's' && rand() % 8 == 0)
            sg_buf_putz(out, rand() % 2 == 0 ? "\xC5\xBF" : "\\u017F");
        else if (*p == '/' && rand() % 2 == 0)
            sg_buf_putz(out, "\\/");
        else
            sg_buf_printf(out, *p == '"' || *p == '\\' ? "\\%c" : "%c", *p);
    }
}

/* Against what it stands for. */
static void test_random(void)
{
    int kept_out = 0, clear = 0;
    fixture f;

    open_fixture(&f, "dr op :: sql");
    srand(7);
    for (int i = 0; i < 20000; i++) {
        sg_buf line = {0};
        sg_arena scratch = {0};

        for (int k = rand() % 20; k >= 0; k--)
            put_random(&line);
        if (rand() % 8 == 0)
            put_text(&line, texts[(size_t)rand() % TEXTS]);
        sg_buf_putc(&line, '\0');
        const bool holds = holds_text(&scratch, line.ptr);
        const bool out = keeps_out(&f, line.ptr);
        CHECK(!holds || !out);
        clear += !holds;
        kept_out += out;
        sg_arena_free(&scratch);
        sg_buf_free(&line);
    }
    CHECK(kept_out > clear / 2 && kept_out > 2000);
    close_fixture(&f);
}

/* Where most lines pass it looks again only after a while. */
static void test_rest(void)
{
    int looked = 0;
    fixture f;

    open_fixture(&f, "");
    for (int i = 0; i < 512; i++)
        CHECK(!keeps_out(&f, "drop"));
    for (int i = 0; i < 40000; i++)
        looked += keeps_out(&f, "nothing");
    CHECK(looked > 5000 && looked < 20000);
    close_fixture(&f);
}

static void test_none(void)
{
    sg_str pieces[97];
    sg_arena arena = {0};

    for (size_t i = 0; i < 97; i++)
        pieces[i] = SG_S("piece");
    CHECK(sr_sieve_new(&arena, pieces, 0, SG_S("")) == NULL);
    CHECK(sr_sieve_new(&arena, pieces, 97, SG_S("")) == NULL);
    pieces[5] = SG_S("pie");
    CHECK(sr_sieve_new(&arena, pieces, 6, SG_S("")) == NULL);
    CHECK(setenv("SIGCC_SIMD", "scalar", 1) == 0);
    CHECK(sr_sieve_new(&arena, pieces, 5, SG_S("")) == NULL);
    CHECK(unsetenv("SIGCC_SIMD") == 0);
    sg_arena_free(&arena);
}

/* With the look-ups of one level. */
static void test_level(const sr_level *level)
{
    if (level->sift == NULL || !level->usable())
        return;
    CHECK(setenv("SIGCC_SIMD", level->name, 1) == 0);
    test_lines("");
    test_lines("{\"a\":\"mimi.drv.dll drip dump sekur::sekur\"}");
    test_places();
    test_random();
    test_rest();
}

int main(void)
{
    for (size_t i = 0; sr_levels[i] != NULL; i++)
        test_level(sr_levels[i]);
    test_none();
    return TEST_END();
}
