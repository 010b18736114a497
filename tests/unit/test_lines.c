/*
 * test_lines.c - many lines checked in one go against each line by itself: the
 * same lines are good, at every level, on random and hostile texts, wherever in
 * a block lines end. Texts lie in memory of their exact size, so that reading
 * past them is found.
 */
#include "record/scan.h"
#include "support/json_lines.h"
#include "support/test.h"

#include <stdlib.h>

enum { ROUNDS = 30000, PADS = 140 };

typedef struct fixture {
    sg_arena arena;
    sr_event event;
    sr_plan *plan;
    uint64_t random;
} fixture;

/* -------- comparing ---------------------------------------------------- */

/* Whether the careful scanner finds the line good. */
static bool is_good(fixture *f, sg_str line)
{
    sr_fault fault;

    sr_event_begin(&f->event, line);
    f->plan->level = sr_level_named("scalar");
    return sr_project(f->plan, &f->event, &fault);
}

/* What sr_good_lines has to say. */
static sr_good line_by_line(fixture *f, const sr_level *level, sg_str text)
{
    sr_good good = {.flat = true};
    const char *p = text.ptr, *end;
    bool flat;

    for (; (end = memchr(p, '\n', text.len - good.len)) != NULL; p = end + 1) {
        const sg_str line = {p, (size_t)(end - p)};
        f->plan->level = level;
        const bool good_line = sr_is_good(f->plan, line, &flat);
        CHECK(level->scan == NULL || good_line == is_good(f, line));
        if (!good_line)
            break;
        good.ends += sg_str_ends(line, SG_S("\r")) ? 2 : 1;
        good.len += line.len + 1;
        good.lines++;
        good.flat = good.flat && flat;
    }
    return good;
}

static bool same(sr_good a, sr_good b)
{
    return a.len == b.len && a.ends == b.ends && a.lines == b.lines &&
           a.flat == b.flat;
}

/* Returns how many good lines the text begins with. */
static sr_good compare(fixture *f, const sr_level *level, sg_str text)
{
    const sr_good want = line_by_line(f, level, text);

    f->plan->level = level;
    const sr_good have = sr_good_lines(f->plan, text);

    if (same(have, want)) {
        CHECK(true);
        return want;
    }
    CHECK(!"many lines are as good as each by itself");
    printf("  %s: %.*s  have %zu bytes, %zu lines; want %zu bytes, %zu lines\n",
           level->name, SG_FMT(text), have.len, (size_t)have.lines, want.len,
           (size_t)want.lines);
    return want;
}

/* From each line on that is not good, too. Returns how many are, at the best
 * level. */
static uint64_t compare_all(fixture *f, sg_str text)
{
    char *exact = malloc(text.len);
    uint64_t best = 0;

    if (exact == NULL)
        abort();
    memcpy(exact, text.ptr, text.len);
    for (size_t i = 0; sr_levels[i] != NULL; i++) {
        uint64_t good = 0;
        sg_str rest = {exact, text.len};
        while (sr_levels[i]->usable() && rest.len != 0) {
            const sr_good some = compare(f, sr_levels[i], rest);
            good += some.lines;
            rest = sg_str_sub(rest, some.len, rest.len);
            rest =
                sg_str_sub(rest, sg_str_find(rest, SG_S("\n")) + 1, rest.len);
        }
        best = good > best ? good : best;
    }
    free(exact);
    return best;
}

/* -------- tests -------------------------------------------------------- */

/* Strings alone, as most events are. */
static void put_plain(fixture *f, sg_buf *text)
{
    sg_buf_putc(text, '{');
    for (uint32_t i = 0, n = draw(&f->random, 12); i < n; i++) {
        sg_buf_putz(text, i == 0 ? "" : ",");
        put_text(&f->random, text);
        sg_buf_putc(text, ':');
        put_text(&f->random, text);
    }
    sg_buf_putc(text, '}');
}

static void put_line(fixture *f, sg_buf *text)
{
    static const char *const ends[] = {"\n",   "\n",   "\n",  "\r\n",
                                       "\r\n", "\n\n", " \n", "\r\r\n"};
    const size_t before = text->len;

    if (draw(&f->random, 3) != 0)
        put_plain(f, text);
    else
        put_members(&f->random, text, draw(&f->random, 4) == 0, 0);
    if (draw(&f->random, 6) == 0) {
        sg_buf line = {0};
        sg_buf_put(&line, (sg_str){text->ptr + before, text->len - before});
        damage(&f->random, &line);
        text->len = before;
        sg_buf_put(text, sg_buf_str(&line));
        sg_buf_free(&line);
    }
    sg_buf_putz(text, ends[draw(&f->random, sizeof ends / sizeof *ends)]);
}

static void test_random(fixture *f)
{
    const char *rounds = getenv("TEST_ROUNDS");
    const long most = rounds != NULL ? strtol(rounds, NULL, 10) : ROUNDS;
    uint64_t good = 0;
    sg_buf text = {0};

    for (long i = 0; i < most && test_failures == 0; i++) {
        text.len = 0;
        for (uint32_t n = draw(&f->random, 8) + 1; n-- > 0;)
            put_line(f, &text);
        good += compare_all(f, sg_buf_str(&text));
    }
    CHECK(good > (uint64_t)most * 2);
    sg_buf_free(&text);
}

/* A block of them, wherever blocks begin. */
#define COMMAS_8 ",,,,,,,,"
#define COMMAS_32 COMMAS_8 COMMAS_8 COMMAS_8 COMMAS_8
#define COMMAS COMMAS_32 COMMAS_32 COMMAS_32 COMMAS_32

/* What a line may end in, good and bad, at every place of a block. */
static void test_ends(fixture *f)
{
    static const char *const tails[] = {"\"}",
                                        "\\\\\"}",
                                        "\\\"}",
                                        "\\\"\"}",
                                        "}\"}",
                                        "\",\"b\":\"}\"}",
                                        "\"}\":\"\"}",
                                        "\",\"b\":\"\"}",
                                        "\",\"b\":12}",
                                        "\",\"b\":{\"c\":\"d\"}}",
                                        "\",\"b\":[]}",
                                        "\\u00e9\"}",
                                        "\xC3\xA9\"}",
                                        "\" }",
                                        "\"} ",
                                        "\",\"b\"}",
                                        "\",\"b\":}",
                                        "\",}",
                                        "\"}}",
                                        "\":\"}",
                                        "\"x\"b\":\"c\"}",
                                        "\",\"b\"x\"c\"x\"d\":\"e\"}",
                                        "\",\"b\":1" COMMAS ",\"c\":\"d\"}",
                                        "\"x}",
                                        "\"}x",
                                        "\"",
                                        "\\",
                                        "}",
                                        "",
                                        "\\u12\"}",
                                        "\\x\"}",
                                        "\xC3\"}",
                                        "\x01\"}"};
    static const char *const nexts[] = {"\n{\"n\":\"v\"}\n",
                                        "\r\n{\"n\":\"v\",\"m\":\"\"}\r\n",
                                        "\n\n",
                                        "\r\r\n {\"n\":1}\n",
                                        "\n\"n\":\"v\"}\n",
                                        "\n{\"n\":\"v\n",
                                        "\n{}\n{\"\n"};
    static const char *const behind =
        "{\"long\":\"enough that nothing before is the end of the text, so\","
        "\"that\":\"the next block is read\"}\n";

    for (int pad = 0; pad < PADS && test_failures == 0; pad++)
        for (size_t i = 0; i < sizeof tails / sizeof *tails; i++)
            for (size_t n = 0; n < sizeof nexts / sizeof *nexts; n++) {
                sg_buf text = {0};
                sg_buf_putz(&text, "{\"p\":\"");
                for (int k = 0; k < pad; k++)
                    sg_buf_putc(&text, '.');
                sg_buf_putz(&text, tails[i]);
                sg_buf_putz(&text, nexts[n]);
                sg_buf_putz(&text, behind);
                (void)compare_all(f, sg_buf_str(&text));
                sg_buf_free(&text);
            }
}

/* Where both ways might be wrong together. */
static void test_counts(fixture *f)
{
    static const struct {
        const char *text;
        size_t len, ends;
        uint64_t lines;
        bool flat;
    } cases[] = {
        {"{\"a\":\"b\"}\n{\"a\":\"b\"}\r\n{\"a\":1}\n", 29, 4, 3, true},
        {"{}\n{\"a\":{}}\n{\"a\":[{}]}\n[]\n", 23, 3, 3, false},
        {"{\"a\":\"b\"}\n\n{}\n", 10, 1, 1, true},
        {"{\"a\":\"}\n\"}\n", 0, 0, 0, true},
        {"\xEF\xBB\xBF{}\n", 0, 0, 0, true},
        {" {} \r\n{}\n", 9, 3, 2, true}};

    for (size_t l = 0; sr_levels[l] != NULL; l++)
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
            if (!sr_levels[l]->usable() || sr_levels[l]->lines == NULL)
                continue;
            f->plan->level = sr_levels[l];
            const sr_good good =
                sr_good_lines(f->plan, sg_str_of(cases[i].text));
            CHECK_INT(good.len, cases[i].len);
            CHECK_INT(good.ends, cases[i].ends);
            CHECK_INT(good.lines, cases[i].lines);
            CHECK_INT(good.flat, cases[i].flat);
        }
}

int main(void)
{
    fixture f = {.random = 17};

    f.plan = sr_plan_new(&f.arena, NULL, 0);
    sr_event_init(&f.event, 0);
    test_random(&f);
    test_ends(&f);
    test_counts(&f);
    sr_event_free(&f.event);
    sg_arena_free(&f.arena);
    return TEST_END();
}
