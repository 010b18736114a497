/*
 * test_verbatim.c - what a value holds shows in its line, however the line
 * writes it, or the line is said not to tell.
 */
#include "record/record.h"
#include "support/test.h"

#include <stdlib.h>

typedef struct fixture {
    sg_arena arena;
    sr_event event;
    sr_plan *plan;
    sr_verbatim *verbatim;
} fixture;

static void open_fixture(fixture *f)
{
    const sr_want want = {.keywords = true};

    memset(f, 0, sizeof(*f));
    f->plan = sr_plan_new(&f->arena, &want, 1);
    f->verbatim = sr_verbatim_new(&f->arena);
    sr_event_init(&f->event, 1);
}

static void close_fixture(fixture *f)
{
    sr_event_free(&f->event);
    sg_arena_free(&f->arena);
}

static bool some_value_holds(sr_event *event, sg_str text)
{
    for (sr_value *v = sr_first(event, 0); v != NULL; v = sr_next(event, v))
        if ((v->kind == SR_STRING || v->kind == SR_NUMBER ||
             v->kind == SR_BOOL) &&
            sg_str_find(sr_value_folded(event, v), text) != SIZE_MAX)
            return true;
    return false;
}

typedef enum { SILENT, HOLDS, LACKS } answer;

static answer ask(fixture *f, sg_str json, sg_str text)
{
    const sg_str piece = sr_verbatim_piece(&f->arena, text);
    char *bytes = sg_arena_alloc(&f->arena, json.len + 1, 1);

    if (!sr_verbatim_tells(f->verbatim, json))
        return SILENT;
    for (size_t i = 0; i < json.len; i++)
        bytes[i] = (char)(json.ptr[i] | SR_HIDE_CASE);
    return sg_str_find((sg_str){bytes, json.len}, piece) != SIZE_MAX ? HOLDS
                                                                     : LACKS;
}

static void test_table(void)
{
    static const struct {
        const char *json, *text;
        answer want;
    } rows[] = {
        {"{\"a\":\"x PowerShell y\"}", "powershell", HOLDS},
        {"{\"a\":\"x PowerShel y\"}", "powershell", LACKS},
        {"{\"a\":[{\"b\":\"C:\\\\x\\\"y\"}]}", "c:\\x\"y", HOLDS},
        {"{\"a\":\"a\\\\b\"}", "ab", LACKS},
        {"{\"a\":\"p\\u0077n\"}", "pwn", SILENT},
        {"{\"a\":\"p\\u00e9n\"}", "pwn", LACKS},
        {"{\"a\":\"x\\/y\"}", "x/y", SILENT},
        {"{\"a\":\"x/y\"}", "x/y", HOLDS},
        {"{\"a\":\"\xE2\x84\xAA\"}", "pwn", SILENT},
        {"{\"a\":\"\xC5\xBF\"}", "pwn", SILENT},
        {"{\"a\":\"\\r\\npwn\\t\"}", "pwn", HOLDS},
    };
    fixture f;

    open_fixture(&f);
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        const answer have =
            ask(&f, sg_str_of(rows[i].json), sg_str_of(rows[i].text));
        if (have != rows[i].want)
            printf("%s in %s\n", rows[i].text, rows[i].json);
        CHECK_INT(have, rows[i].want);
    }
    /* The longest part of printable ASCII that is in no number's text. */
    CHECK_STR(sr_verbatim_piece(&f.arena, SG_S("ab\ncde\xC3\xA9")),
              SG_S("cde"));
    CHECK_STR(sr_verbatim_piece(&f.arena, SG_S("12.5e3")), SG_S(""));
    CHECK_STR(sr_verbatim_piece(&f.arena, SG_S("\n")), SG_S(""));
    close_fixture(&f);
}

/* A character of a string, in one of the ways JSON has. */
static void put_random(sg_buf *out)
{
    static const char *const ways[] = {
        "a",       "A",    "k",        "K",        "s",
        "\\\\",    "\\\"", "/",        "1",        "\\n",
        "{",       ",",    ":",        " ",        "e",
        "|",       "\\t",  "\xC3\xA9", "@",        "`",
        "_",       "a",    "k",        "\xC5\xBF", "\xE2\x84\xAA",
        "\\u0061", "\\/",  "\\u00e9"};
    /* The last ones seldom: lines with them tell nothing. */
    const int most = rand() % 40 == 0 ? 28 : 23;

    sg_buf_putz(out, ways[rand() % most]);
}

static void random_line(sg_buf *out)
{
    sg_buf_putz(out, "{");
    for (int i = rand() % 4; i >= 0; i--) {
        static const char *const plain[] = {"12", "1e3", "true", "-0.5",
                                            "null"};

        sg_buf_printf(out, "\"f%d\":", i);
        if (rand() % 4 == 0) {
            sg_buf_putz(out, plain[rand() % 5]);
        } else {
            sg_buf_putz(out, "\"");
            for (int k = rand() % 12; k > 0; k--)
                put_random(out);
            sg_buf_putz(out, "\"");
        }
        sg_buf_putz(out, i == 0 ? "}" : ",");
    }
}

/* A part of a value of the event, folded; empty when it has none. */
static sg_str random_part(sr_event *event)
{
    sr_value *v = sr_first(event, 0);

    for (int skip = rand() % 3; skip > 0 && v != NULL; skip--)
        v = sr_next(event, v);
    if (v == NULL || v->kind == SR_NULL)
        return SG_S("");
    const sg_str all = sr_value_folded(event, v);
    if (all.len == 0)
        return SG_S("");
    const size_t at = (size_t)rand() % all.len;
    return sg_str_sub(all, at, at + 1 + (size_t)rand() % 6);
}

/* A line that a filter of the text's piece and some others keeps out tells, and
 * lacks the text. */
static bool keeps_out(fixture *f, sg_str line, sg_str text)
{
    static const sg_str others[] = {SG_LIT("kkk1"), SG_LIT("ss::"),
                                    SG_LIT("aes::"), SG_LIT("{|#")};
    sg_str pieces[5] = {sr_verbatim_piece(&f->arena, text)};
    const uint32_t count = 1 + (uint32_t)(rand() % 5);

    for (uint32_t i = 1; i < count; i++)
        pieces[i] = others[i - 1];
    sr_prefilter *filter =
        sr_prefilter_pieces(&f->arena, pieces, count, SG_S(""));
    CHECK((filter == NULL) == (pieces[0].len < 2));
    return filter != NULL && !sr_prefilter_passes(filter, line);
}

static void test_filter(void)
{
    sg_str pieces[65];
    fixture f;

    open_fixture(&f);
    for (size_t i = 0; i < 65; i++)
        pieces[i] = SG_S("lsadump::");
    CHECK(sr_prefilter_pieces(&f.arena, pieces, 64, SG_S("")) != NULL);
    CHECK(sr_prefilter_pieces(&f.arena, pieces, 65, SG_S("")) == NULL);
    /* Nothing of it is rare, in whatever case. */
    CHECK(sr_prefilter_pieces(&f.arena, pieces, 1, SG_S("{\"LSADUMP::\"}")) ==
          NULL);
    /* Of a long line only the beginning is looked at. */
    static char line[10000];
    memset(line, 'x', sizeof(line));
    memcpy(line + 9000, "lsadump::", 9);
    CHECK(sr_prefilter_pieces(&f.arena, pieces, 1,
                              (sg_str){line, sizeof(line)}) != NULL);
    /* One window too many. */
    for (size_t i = 0; i < 9; i++)
        pieces[i] = sg_str_sub(SG_S("aabbccddeeffgghhii"), 2 * i, 2 * i + 2);
    CHECK(sr_prefilter_pieces(&f.arena, pieces, 8, SG_S("")) != NULL);
    CHECK(sr_prefilter_pieces(&f.arena, pieces, 9, SG_S("")) == NULL);
    close_fixture(&f);
}

static void test_random(void)
{
    int told = 0, kept_out = 0;
    sg_str before = SG_S(""); /* the text of the event before */
    fixture f;

    open_fixture(&f);
    srand(5);
    for (int i = 0; i < 50000; i++) {
        sg_buf line = {0};
        sr_fault fault;

        random_line(&line);
        sr_event_begin(&f.event, sg_buf_str(&line));
        CHECK(sr_project(f.plan, &f.event, &fault));
        const sg_str text = sg_arena_dup(&f.arena, random_part(&f.event));
        const bool held = some_value_holds(&f.event, text);
        const answer a = ask(&f, sg_buf_str(&line), text);
        if (held && a == LACKS)
            printf("'%.*s' in %.*s\n", (int)text.len, text.ptr, (int)line.len,
                   line.ptr);
        CHECK(!held || a != LACKS);
        told += held && a == HOLDS;
        CHECK(a == LACKS || !keeps_out(&f, sg_buf_str(&line), text));
        if (keeps_out(&f, sg_buf_str(&line), before)) {
            CHECK(!some_value_holds(&f.event, before));
            CHECK(ask(&f, sg_buf_str(&line), before) == LACKS);
            kept_out++;
        }
        before = text;
        sg_buf_free(&line);
    }
    /* Or nothing was tried. */
    CHECK(told > 1000 && kept_out > 1000);
    close_fixture(&f);
}

int main(void)
{
    test_table();
    test_filter();
    test_random();
    return TEST_END();
}
