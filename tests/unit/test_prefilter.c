/*
 * test_prefilter.c - a line that the prefilter keeps out has no value that
 * holds one of its texts: on generated lines full of escapes, cases and
 * characters that fold to ASCII, against a reading of every value. All levels
 * find the same. Lines lie in memory of their exact size, so that reading past
 * them is found.
 */
#include "record/needles.h"
#include "record/scan.h"
#include "support/test.h"

#include <stdlib.h>

enum { ROUNDS = 20000 };

typedef struct fixture {
    sg_arena arena;
    sr_event event;
    sr_plan *everything; /* every scalar of a line */
    uint64_t random;
    uint32_t held, kept_out; /* lines with a text, lines kept out */
} fixture;

static uint32_t draw(fixture *f, uint32_t count)
{
    f->random = f->random * UINT64_C(6364136223846793005) + 1442695040888963407;
    return (uint32_t)(f->random >> 33) % count;
}

static sr_prefilter *filter_of(fixture *f, const char *text)
{
    sr_prefilter *filter = sr_prefilter_new(&f->arena);
    const sg_str one = sg_str_of(text);

    return sr_prefilter_texts(filter, &one, 1) ? filter : NULL;
}

/* What its scan looks for. */
static sr_needles needles_of(const char *text)
{
    const sg_str one = sg_str_of(text);
    sr_needles n;

    sr_needles_init(&n);
    CHECK(sr_needles_texts(&n, &one, 1));
    return n;
}

/* -------- what lines hold ---------------------------------------------- */

static bool holds(sg_str text, sg_str part)
{
    for (size_t i = 0; i + part.len <= text.len; i++)
        if (memcmp(text.ptr + i, part.ptr, part.len) == 0)
            return true;
    return false;
}

/* Whether a value of the line, decoded and folded, holds the text. */
static bool line_holds(fixture *f, sg_str line, sg_str text)
{
    sr_fault fault;

    sr_event_begin(&f->event, line);
    if (!sr_project(f->everything, &f->event, &fault))
        return false;
    for (sr_value *v = sr_first(&f->event, 0); v != NULL;
         v = sr_next(&f->event, v))
        if ((v->kind == SR_STRING || v->kind == SR_NUMBER ||
             v->kind == SR_BOOL) &&
            holds(sr_value_folded(&f->event, v), text))
            return true;
    return false;
}

/* On every level, in memory of the line's own size. */
static void check_line(fixture *f, const sr_needles *n, sg_str line, bool must)
{
    const char *want = sr_find_plain(n, line);
    char *exact = malloc(line.len == 0 ? 1 : line.len);

    if (exact == NULL)
        abort();
    if (line.len != 0)
        memcpy(exact, line.ptr, line.len);
    f->held += must;
    f->kept_out += want == NULL;
    CHECK(want != NULL || !must);
    for (size_t i = 0; sr_levels[i] != NULL; i++) {
        if (!sr_levels[i]->usable())
            continue;
        const char *have = sr_levels[i]->find(n, (sg_str){exact, line.len});
        CHECK((have == NULL) == (want == NULL));
        CHECK(have == NULL || have - exact == want - line.ptr);
    }
    if (test_failures != 0)
        printf("  %.*s\n", SG_FMT(line));
    free(exact);
}

/* -------- generated lines ---------------------------------------------- */

static const char *const texts[] = {"kerberos",
                                    "skiskisk",
                                    "powershell.exe",
                                    "\\certutil.exe",
                                    "a\\b\"c/task",
                                    "x1e3y",
                                    "mask",
                                    "\xC3\xA9t\xC3\xA9_key",
                                    "yes *** no",
                                    "true",
                                    "\xFFnetwork\xFE"
                                    "connect\xFF"};

/* One character of a text as a line may write it. */
static void put_char(fixture *f, sg_buf *out, char c)
{
    const uint32_t how = draw(f, 12);
    const bool letter = c >= 'a' && c <= 'z';

    if (how == 0 && (unsigned char)c < 0x80)
        sg_buf_printf(out, draw(f, 2) == 0 ? "\\u%04x" : "\\u%04X",
                      letter && draw(f, 2) == 0 ? c - 32 : c);
    else if (how == 1 && c == 's')
        sg_buf_putz(out, draw(f, 2) == 0 ? "\xC5\xBF" : "\\u017F");
    else if (how == 1 && c == 'k')
        sg_buf_putz(out, draw(f, 2) == 0 ? "\xE2\x84\xAA" : "\\u212a");
    else if (c == '"' || c == '\\' || (c == '/' && draw(f, 2) == 0))
        sg_buf_printf(out, "\\%c", c);
    else if (c != SIGMA_GLOB_STAR && c != SIGMA_GLOB_ANY)
        sg_buf_putc(out, letter && how < 6 ? (char)(c - 32) : c);
    else
        sg_buf_putc(out, '.');
}

static void put_text(fixture *f, sg_buf *out, const char *text)
{
    const size_t len = strlen(text);
    /* Often all of it, else a part. */
    const size_t end = draw(f, 3) != 0 ? len : draw(f, (uint32_t)len + 1);

    for (size_t i = 0; i < end; i++)
        put_char(f, out, text[i]);
}

static void put_line(fixture *f, sg_buf *out, const char *text)
{
    static const char *const fillers[] = {
        "C:\\\\Users\\\\unknown",
        "\\n",
        "\xE2\x84\xA2",
        "\xC5\xBE",
        "plain ",
        "\\u0000",
        "\\\\u0041",
        "0123456789012345678901234567890123456789"};
    static const char *const scalars[] = {"1e3", "true", "-0.5", "null"};

    sg_buf_putz(out, "{");
    for (uint32_t i = 0, n = 1 + draw(f, 5); i < n; i++) {
        sg_buf_printf(out, "%s\"k%u\":", i == 0 ? "" : ",", i);
        if (draw(f, 6) == 0) {
            sg_buf_putz(out, scalars[draw(f, 4)]);
            continue;
        }
        sg_buf_putc(out, '"');
        for (uint32_t k = draw(f, 4); k-- > 0;)
            sg_buf_putz(out, fillers[draw(f, 8)]);
        if (draw(f, 2) == 0)
            put_text(f, out, text);
        sg_buf_putz(out, draw(f, 3) == 0 ? fillers[draw(f, 8)] : "");
        sg_buf_putc(out, '"');
    }
    sg_buf_putz(out, "}");
}

static void test_random(fixture *f)
{
    enum { COUNT = sizeof texts / sizeof *texts };
    sr_needles needles[COUNT];
    sg_buf line = {0};

    for (int i = 0; i < COUNT; i++)
        needles[i] = needles_of(texts[i]);
    for (int i = 0; i < ROUNDS && test_failures == 0; i++) {
        const uint32_t t = draw(f, COUNT);
        line.len = 0;
        put_line(f, &line, texts[t]);
        check_line(f, &needles[t], sg_buf_str(&line),
                   line_holds(f, sg_buf_str(&line), sg_str_of(texts[t])));
    }
    /* Neither always passes nor never. */
    CHECK(f->held > ROUNDS / 10);
    CHECK(f->kept_out > ROUNDS / 10);
    sg_buf_free(&line);
}

/* The text at every place of a block, and cut off at the line's end. */
static void test_alignment(fixture *f)
{
    const sr_needles needles = needles_of("mimikatz");
    const sg_str texts_in_line[] = {SG_S("MimiKatz"),
                                    SG_S("mimi\xE2\x84\xAA"
                                         "atz"),
                                    SG_S("\\u006dimikatz")};

    for (int pad = 0; pad < 200; pad++)
        for (size_t t = 0; t < 3; t++) {
            sg_buf line = {0};
            for (int n = 0; n < pad; n++)
                sg_buf_putc(&line, '.');
            sg_buf_put(&line, texts_in_line[t]);
            check_line(f, &needles, sg_buf_str(&line), true);
            sg_buf_putz(&line, "\"}");
            check_line(f, &needles, sg_buf_str(&line), true);
            line.len = (size_t)pad + 2;
            CHECK(sr_needles_find(&needles, sg_buf_str(&line)) == NULL);
            sg_buf_free(&line);
        }
}

/* -------- single cases ------------------------------------------------- */

static void test_cases(void)
{
    static const struct {
        const char *text, *line;
        bool passes;
    } cases[] = {
        {"mimikatz", "{\"a\":\"x\"}", false},
        {"mimikatz", "{\"a\":\"MIMIKATZ\"}", true},
        {"mimikatz", "{\"a\":\"mimi\\u006Batz\"}", true},
        {"mimikatz", "{\"a\":\"\\u212A\"}", true},
        {"mimikatz", "{\"a\":\"\\u017f\"}", false}, /* there is no s */
        {"mimikatz", "{\"a\":\"\\u0027 \\u00e9\"}", false},
        {"mimikatz", "{\"a\":\"c:\\\\users\\\\x\"}", false},
        {"mimikatz", "{\"a\":\"mimikat\"}", false},
        {"mimikatz", "", false},
        {"443x", "{\"a\":4.43e2}", false},
        {"a/b\\cdef", "{\"a\":\"a\\/b\\\\cdef\"}", true},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const sr_needles n = needles_of(cases[i].text);
        if ((sr_needles_find(&n, sg_str_of(cases[i].line)) != NULL) ==
            cases[i].passes)
            CHECK(true);
        else
            CHECK_STR(sg_str_of(cases[i].line), SG_S("judged otherwise"));
    }
}

/* Texts that lines cannot be told by. */
static void test_refused(fixture *f)
{
    static const char *const none[] = {"",    "ab",     "443",      "1.5e+300",
                                       "inf", "\\\\//", "a\\b\\cd", "\xC3\xA9"};
    sg_str many[SR_NEEDLES_MOST + 1];

    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        CHECK(filter_of(f, none[i]) == NULL);
    CHECK(!sr_prefilter_texts(sr_prefilter_new(&f->arena), NULL, 0));
    for (size_t i = 0; i <= SR_NEEDLES_MOST; i++)
        many[i] = sg_arena_printf(&f->arena, "%cbc", (int)('g' + (int)i));
    sr_prefilter *filter = sr_prefilter_new(&f->arena);
    CHECK(!sr_prefilter_texts(filter, many, SR_NEEDLES_MOST + 1));
    CHECK(!sr_prefilter_has_stages(filter));
    CHECK(sr_prefilter_texts(filter, many, SR_NEEDLES_MOST));
    CHECK(sr_prefilter_has_stages(filter));
}

/* What the argument in prefilter.c rests on. */
static void test_folding(void)
{
    for (uint32_t cp = 0x80; cp <= 0x10FFFF; cp++) {
        const uint32_t folded = sg_fold_cp(cp);
        if (cp == 0x17F)
            CHECK_INT(folded, 's');
        else if (cp == 0x212A)
            CHECK_INT(folded, 'k');
        else if (folded < 0x80)
            CHECK_INT(cp, 0);
    }
}

/* Useless, it rests, and tries again. */
static void test_rest(fixture *f)
{
    const sg_str hit = SG_S("{\"a\":\"mimikatz\"}"), miss = SG_S("{\"a\":1}");
    sr_prefilter *filter = filter_of(f, "mimikatz");
    int lines = 0;

    CHECK(!sr_prefilter_passes(filter, miss));
    for (int i = 0; i < 1024; i++)
        CHECK(sr_prefilter_passes(filter, hit));
    while (sr_prefilter_passes(filter, miss) && lines < 1000000)
        lines++;
    CHECK(lines > 10000 && lines < 1000000);
    for (int i = 0; i < 2000; i++)
        CHECK(!sr_prefilter_passes(filter, miss));
}

/* Whole lines up to the first that passes. */
static void test_lines(fixture *f)
{
    static const struct {
        const char *text;
        size_t len, ends, lines;
        sr_look next;
    } cases[] = {{"", 0, 0, 0, SR_UNKNOWN},
                 {"a\n", 2, 1, 1, SR_UNKNOWN},
                 {"a\r\n\n\r\nmimi\n", 11, 6, 4, SR_UNKNOWN},
                 {"a\nmimikatz\nb\n", 2, 1, 1, SR_PASSES},
                 {"mimikatz\nb\n", 0, 0, 0, SR_PASSES},
                 {"a\r\n\\u004Db\nmimikatz\n", 3, 2, 1, SR_PASSES}};
    sr_prefilter *filter = filter_of(f, "mimikatz");

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t clear = 0;
        const sr_kept_out out =
            sr_prefilter_lines(filter, sg_str_of(cases[i].text), NULL, &clear);
        CHECK_INT(out.len, cases[i].len);
        CHECK_INT(out.ends, cases[i].ends);
        CHECK_INT(out.lines, cases[i].lines);
        CHECK_INT(out.next, cases[i].next);
        CHECK_INT(clear, 0);
    }
    /* It rests here too. */
    size_t clear = 0;
    for (int i = 0; i < 1024; i++)
        (void)sr_prefilter_lines(filter, SG_S("mimikatz\n"), NULL, &clear);
    const sr_kept_out out =
        sr_prefilter_lines(filter, SG_S("a\n"), NULL, &clear);
    CHECK(out.lines == 0 && out.next == SR_PASSES);
}

/* Lines checked, as a detector goes through them: what is passed over can be
 * read and does not pass, what is kept out does not pass either. */
static void test_checked(fixture *f)
{
    static const char *const lines[] = {"{\"a\":\"mimikatz\"}\n",
                                        "{\"a\":\"nothing\",\"b\":[1,{}]}\r\n",
                                        "{\"a\":1}\n",
                                        "{\"a\":nothing}\n",
                                        "\n",
                                        " \r\n",
                                        "{\"a\":\"mimikatz\"\n",
                                        "{\"a\":\"\xFF\"}\n"};
    enum { KINDS = sizeof lines / sizeof *lines };
    sr_prefilter *filter = filter_of(f, "mimikatz");
    const sr_plan *nothing = sr_plan_new(&f->arena, NULL, 0);
    uint64_t passed_over = 0, kept_out = 0, passing = 0;
    sg_buf text = {0};
    size_t clear = 0;

    for (int i = 0; i < 20000; i++)
        sg_buf_putz(&text, lines[draw(f, 4) == 0 ? draw(f, KINDS) : 1]);
    for (sg_str rest = sg_buf_str(&text); rest.len != 0;) {
        const sr_kept_out out =
            sr_prefilter_lines(filter, rest, nothing, &clear);
        const sg_str over = sg_str_sub(rest, 0, out.len);
        CHECK(sg_str_find(over, SG_S("mimikatz")) == SIZE_MAX);
        CHECK(sg_str_find(over, SG_S("\xFF")) == SIZE_MAX);
        CHECK(sg_str_find(over, SG_S(":nothing")) == SIZE_MAX);
        CHECK(sg_str_find(over, SG_S("\n\n")) == SIZE_MAX);
        passed_over += out.lines;
        rest = sg_str_sub(rest, out.len, rest.len);
        const sg_str line =
            sg_str_sub(rest, 0, sg_str_find(rest, SG_S("\n")) + 1);
        const bool holds = sg_str_find(line, SG_S("mimikatz")) != SIZE_MAX;
        CHECK(out.next != SR_KEPT_OUT || !holds);
        CHECK(out.next != SR_PASSES || holds);
        kept_out += out.next == SR_KEPT_OUT;
        passing += out.next == SR_PASSES;
        rest = sg_str_sub(rest, line.len, rest.len);
        CHECK(clear <= rest.len);
    }
    CHECK(passed_over > 10000);
    CHECK(kept_out > 1000 && passing > 500);
    sg_buf_free(&text);
}

int main(void)
{
    const sr_want want = {SG_S(""), 0, true};
    fixture f = {.random = 7};

    f.everything = sr_plan_new(&f.arena, &want, 1);
    sr_event_init(&f.event, 1);
    test_random(&f);
    test_alignment(&f);
    test_cases();
    test_refused(&f);
    test_folding();
    test_rest(&f);
    test_lines(&f);
    test_checked(&f);
    sr_event_free(&f.event);
    sg_arena_free(&f.arena);
    return TEST_END();
}
