/*
 * test_keyed.c - a line that a field's stage keeps out gives the field no value
 * that holds: on generated lines with escaped, repeated and nested keys, in
 * every shape of event, against a reading of the field. All levels find the
 * same. Lines lie in memory of their exact size, so that reading past them is
 * found.
 */
#include "record/needles.h"
#include "record/scan.h"
#include "support/test.h"

#include <stdlib.h>

enum { ROUNDS = 40000, LEVELS_MOST = 8 };

typedef struct fixture {
    sg_arena arena;
    sr_event event;
    uint64_t random;
    uint32_t held, kept_out; /* lines with a value that holds, lines kept out */
} fixture;

static uint32_t draw(fixture *f, uint32_t count)
{
    f->random = f->random * UINT64_C(6364136223846793005) + 1442695040888963407;
    return (uint32_t)(f->random >> 33) % count;
}

/* sr_value_fn: a number that is 25, or this text. */
static bool is_25(void *ctx, sr_event *event, sr_value *value)
{
    (void)ctx;
    if (value->kind == SR_NUMBER)
        return value->num.kind == SIGMA_INT ? value->num.v.i == 25
                                            : value->num.v.f == 25;
    return value->kind == SR_STRING &&
           sg_str_eq(sr_value_text(event, value), SG_S("25"));
}

/* The same field looked for on every level. */
typedef struct subject {
    sr_plan *plan; /* fills slot 0 */
    sr_keyed *levels[LEVELS_MOST];
    uint32_t count;
} subject;

static subject subject_of(fixture *f, const char *name)
{
    const sr_want want = {sg_str_of(name), 0, false};
    subject s = {.plan = sr_plan_new(&f->arena, &want, 1)};

    for (size_t i = 0; sr_levels[i] != NULL; i++) {
        if (!sr_levels[i]->usable())
            continue;
        CHECK(setenv("SIGCC_SIMD", sr_levels[i]->name, 1) == 0);
        s.levels[s.count] = sr_keyed_new(&f->arena, want.name, is_25, NULL);
        CHECK(s.levels[s.count] != NULL);
        s.count++;
    }
    CHECK(unsetenv("SIGCC_SIMD") == 0);
    return s;
}

static void subject_free(subject *s)
{
    for (uint32_t i = 0; i < s->count; i++)
        sr_keyed_free(s->levels[i]);
}

/* Whether some value of the field holds. */
static bool field_holds(fixture *f, const subject *s, sg_str line)
{
    sr_fault fault;

    sr_event_begin(&f->event, line);
    if (!sr_project(s->plan, &f->event, &fault))
        return false;
    for (sr_value *v = sr_first(&f->event, 0); v != NULL;
         v = sr_next(&f->event, v))
        if (is_25(NULL, &f->event, v))
            return true;
    return false;
}

/* Whether the line passes; on every level, in memory of its own size. */
static bool passes(subject *s, sg_str line)
{
    char *exact = malloc(line.len == 0 ? 1 : line.len);
    size_t want = SIZE_MAX;

    if (exact == NULL)
        abort();
    if (line.len != 0)
        memcpy(exact, line.ptr, line.len);
    for (uint32_t i = 0; i < s->count; i++) {
        const sg_str copy = {exact, line.len};
        uint64_t stops = 0;
        const char *hit = sr_keyed_find(s->levels[i], copy, &stops);
        const bool blanks = sr_keyed_has_blanks(s->levels[i], copy);
        const size_t at = hit != NULL ? (size_t)(hit - exact)
                          : blanks    ? SIZE_MAX - 1
                                      : SIZE_MAX - 2;
        CHECK(want == SIZE_MAX || want == at);
        CHECK(hit == NULL || stops != 0);
        want = at;
    }
    free(exact);
    return want != SIZE_MAX - 2;
}

/* -------- generated lines ------------------------------------------------ */

static void put_blanks(fixture *f, sg_buf *out)
{
    for (uint32_t n = draw(f, 8) == 0 ? draw(f, 3) : 0; n > 0; n--)
        sg_buf_putc(out, draw(f, 2) == 0 ? ' ' : '\t');
}

/* A key in quotes, now and then with an escape or, where asked, with blanks. */
static void put_key(fixture *f, sg_buf *out, sg_str key, bool blanks)
{
    const bool escapes = draw(f, 12) == 0;

    sg_buf_putc(out, '"');
    for (size_t i = 0; i < key.len; i++) {
        const uint32_t how = draw(f, 4);
        if (blanks && how == 0)
            sg_buf_putz(out, escapes ? "\\u0020" : " ");
        if (escapes && how == 1)
            sg_buf_printf(out, "\\u%04X", (unsigned)key.ptr[i]);
        else
            sg_buf_putc(out, key.ptr[i]);
    }
    sg_buf_putz(out, blanks && draw(f, 3) == 0 ? " \"" : "\"");
    put_blanks(f, out);
    sg_buf_putc(out, ':');
    put_blanks(f, out);
}

static void put_value(fixture *f, sg_buf *out)
{
    static const char *const values[] = {"25",
                                         "\"25\"",
                                         "25.0",
                                         "2.5e1",
                                         "250E-1",
                                         "\"2\\u0035\"",
                                         "[25]",
                                         "[1,\"25\"]",
                                         "{\"#text\":25}",
                                         "{\"x\":25}",
                                         "24",
                                         "\"24\"",
                                         "null",
                                         "true",
                                         "\"\"",
                                         "-25",
                                         "\"25 \"",
                                         "[]",
                                         "{}",
                                         "\"a \\\"RemotePort\\\":25\"",
                                         "1e400",
                                         "\"\xC3\xA9\"",
                                         "[{\"#text\":\"25\"}]",
                                         "443"};
    const uint32_t count = sizeof values / sizeof *values;

    /* Mostly such as do not hold. */
    sg_buf_putz(out, draw(f, 3) == 0 ? values[draw(f, count)] : "\"443\"");
}

static void put_member(fixture *f, sg_buf *out, sg_str name, bool blanks)
{
    static const char *const others[] = {
        "Remote",      "emotePort", "RemotePort2",
        "remoteport",  "event_id",  "data",
        "XRemotePort", "",          "x\\\"RemotePort"};
    if (draw(f, 3) == 0) {
        put_key(f, out, name, blanks && draw(f, 2) == 0);
        put_value(f, out);
    } else {
        sg_buf_printf(out, "\"%s\":", others[draw(f, 9)]);
        sg_buf_putz(out, draw(f, 4) == 0 ? "\"RemotePort\"" : "25");
    }
}

static void put_members(fixture *f, sg_buf *out, sg_str name, bool blanks)
{
    for (uint32_t i = 0, n = draw(f, 4); i < n; i++) {
        put_member(f, out, name, blanks);
        sg_buf_putz(out, ",");
        put_blanks(f, out);
    }
    put_member(f, out, name, blanks);
}

/* Objects around the members, as in some shape of events. */
static void put_line(fixture *f, sg_buf *out, sg_str name)
{
    static const char *const shapes[][2] = {
        {"{", "}"},
        {"{\"winlog\":{\"event_data\":{", "}}}"},
        {"{\"winlog\":{\"user_data\":{", "}}}"},
        {"{\"Event\":{\"System\":{},\"EventData\":{", "}}}"},
        {"{\"Event\":{\"EventData\":{},\"System\":{", "}}}"},
        {"{\"Event\":{\"System\":{},\"EventData\":{},\"UserData\":{\"x\":{",
         "}}}}"},
        {"{\"event_data\":{", "},\"log_name\":\"x\",\"event_id\":1}"},
        {"{\"winlog\":{", "}}"},
        {"{\"winlog\":{\"event_\\u0064ata\":{", "}}}"},
        {"{\"a\":[{", "}]}"}};
    const uint32_t shape = draw(f, 2) == 0 ? 0 : draw(f, 10);

    sg_buf_putz(out, shapes[shape][0]);
    put_members(f, out, name, shape != 0);
    sg_buf_putz(out, shapes[shape][1]);
}

static void test_random(fixture *f, const char *name)
{
    subject s = subject_of(f, name);
    sg_buf line = {0};

    f->held = f->kept_out = 0;
    for (int i = 0; i < ROUNDS && test_failures == 0; i++) {
        line.len = 0;
        put_line(f, &line, sg_str_of(name));
        const bool must = field_holds(f, &s, sg_buf_str(&line));
        const bool does = passes(&s, sg_buf_str(&line));

        f->held += must;
        f->kept_out += !does;
        CHECK(does || !must);
        if (test_failures != 0)
            printf("  %s: %.*s\n", name, SG_FMT(sg_buf_str(&line)));
    }
    /* Neither always passes nor never. */
    CHECK(f->held > ROUNDS / 50);
    CHECK(f->kept_out > ROUNDS / 10);
    sg_buf_free(&line);
    subject_free(&s);
}

/* The key at every place of a block, and cut off at the line's end. */
static void test_alignment(fixture *f)
{
    subject s = subject_of(f, "RemotePort");

    for (int pad = 0; pad < 150; pad++) {
        sg_buf line = {0};
        sg_buf_putz(&line, "{\"");
        for (int n = 0; n < pad; n++)
            sg_buf_putc(&line, '.');
        sg_buf_putz(&line, "\":1,");
        const size_t from = line.len;
        sg_buf_putz(&line, "\"RemotePort\":25}");
        CHECK(passes(&s, sg_buf_str(&line)));
        line.ptr[line.len - 2] = '6';
        CHECK(!passes(&s, sg_buf_str(&line)));
        for (; line.len > from; line.len--)
            (void)passes(&s, sg_buf_str(&line));
        sg_buf_free(&line);
    }
    subject_free(&s);
}

/* -------- single cases --------------------------------------------------- */

static const struct {
    const char *name, *line;
    bool passes;
} cases[] = {
    {"P", "", false},
    {"P", "{}", false},
    {"P", "{\"P\":25}", true},
    {"P", "{\"P\":\"25\"}", true},
    {"P", "{\"P\":24}", false},
    {"P", "{\"P\" \t: \t24}", false},
    {"P", "{\"P\" \t: \t25}", true},
    {"P", "{\"P\":2.5e1}", true},
    {"P", "{\"P\":2.4e1}", false},
    {"P", "{\"P\":null}", false},
    {"P", "{\"P\":true}", false},
    {"P", "{\"P\":\"2\\u0035\"}", true},
    {"P", "{\"P\":\"\\\"\"}", false},
    {"P", "{\"p\":25}", false},      /* case counts */
    {"P", "{\"PP\":25}", false},     /* another key */
    {"P", "{\"\\u0050\":25}", true}, /* that key */
    {"P", "{\"\\u0070\":1}", true},  /* in doubt */
    {"P", "{\"x\":\"\\u00e9\"}", false},
    {"P", "{\"P\":25,\"P\":24}", true}, /* any of them */
    {"P", "{\"P\":24,\"P\":25}", true},
    {"P", "{\"P\":[24]}", true}, /* not looked into */
    {"P", "{\"P\":{}}", true},
    {"P", "{\"x\":{\"P\":25}}", true},        /* wherever it is */
    {"P", "{\"Name\":\"P\"}", true},          /* as a value */
    {"P", "{\"x\":\"\\\"P\\\":25\"}", false}, /* inside of one */
    {"P", "{\"x\\\"P\":25}", true},           /* the end of another key */
    {"P", "{\"P\":", true},                   /* bad lines */
    {"P", "{\"P\"", true},
    {"P", "{\"P\":x}", true},
    {"P", "{\"P\":\"\x01\"}", true},
    {"P", "{\"P\":\"\xFF\"}", true},
    {"P", "{\"P\":\n25}", true}, /* not in the next line */
    {"P", "{\"P\":24}\n{\"P\":23}\n", false},
    {"P", "{\"P\":24}\n{\"P\":25}\n", true},
    /* Keys with blanks, where events may have them. */
    {"ab", "{\"a b\":25}", false},
    {"ab", "{\"winlog\":{\"event_data\":{\"a b\":25}}}", true},
    {"ab", "{\"winlog\":{\"event_data\":{\" ab\":25}}}", true},
    {"ab", "{\"winlog\":{\"event_data\":{\"a b \":25}}}", true},
    {"ab", "{\"winlog\":{\"event_data\":{\"a\\u0020b\":25}}}", true},
    {"ab", "{\"winlog\":{\"event_data\":{\"a c\":25, \"xab\":25}}}", false},
    {"ab", "{\"winlog\":{\"event_data\":{\"ab\":24, \"b\":25}}}", false},
    {"ab", "{\"a b\":25,\"winlog\":{\"event_data\":{}}}", false}, /* before */
    {"ab", "{\"ev\\u0065nt_d\\u0061ta\":{\"a b\":25}}", true},
    {"XY", "{\"winlog\":{\"event_d\\u0061ta\":{\"X Y\":25}}}", true},
    {"a b", "{\"winlog\":{\"event_data\":{\"ab\":25}}}", false},
    {"a b", "{\"a b\":25}", true},
    /* Fields found under other names. */
    {"EventID", "{\"winlog\":{\"event_id\":25}}", true},
    {"EventID", "{\"winlog\":{\"event_id\":24}}", false},
    {"EventID", "{\"EventID\":25}", true},
    {"a.b.c", "{\"a\":{\"b\":[{\"c\":25}]}}", true},
    {"a.b.c", "{\"a.b.c\":25}", true},
    {"a.b.c", "{\"b.c\":25,\"a\":{\"b\":{\"c\":24}}}", false},
};

static void test_cases(fixture *f)
{
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        subject s = subject_of(f, cases[i].name);
        if (passes(&s, sg_str_of(cases[i].line)) == cases[i].passes)
            CHECK(true);
        else
            CHECK_STR(sg_str_of(cases[i].line), SG_S("judged otherwise"));
        subject_free(&s);
    }
}

/* Fields whose keys a line may write in many ways. */
static void test_refused(fixture *f)
{
    static const char *const none[] = {"",         "a/b", "a\"b",
                                       "\xC3\xA9", "a.",  "."};

    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        CHECK(sr_keyed_new(&f->arena, sg_str_of(none[i]), is_25, NULL) == NULL);
}

/* As many values as there are keys, and keys with blanks everywhere: each byte
 * is looked at a few times at most. */
static void test_large(fixture *f)
{
    subject s = subject_of(f, "RemotePort");
    sg_buf line = {0};
    uint64_t stops = 0;

    for (int i = 0; i < 200000; i++)
        sg_buf_putz(&line, "\"RemotePort\":\"x\",\"event_data\":\"  t \",");
    CHECK(sr_keyed_find(s.levels[0], sg_buf_str(&line), &stops) == NULL);
    CHECK_INT(stops, 200000);
    CHECK(!sr_keyed_has_blanks(s.levels[0], sg_buf_str(&line)));
    sg_buf_free(&line);
    subject_free(&s);
}

/* -------- stages --------------------------------------------------------- */

static const char *const lines[] = {
    "{\"P\":24,\"a\":\"mimikatz\"}\n",
    "{\"P\":25,\"a\":\"other\"}\n",
    "{\"P\":24,\"a\":\"other\"}\n",
    "{\"P\":25,\"a\":\"mimikatz\",\"!\":1}\n",
    "{\"winlog\":{\"event_data\":{\"P \":25}},\"a\":\"mimikatz\",\"!\":1}\n",
    "{\"winlog\":{\"event_data\":{\"P\":24}},\"a\":\"mimikatz\"}\n",
    "{\"P\":24,\"a\":bad}\n"};
enum { KINDS = sizeof lines / sizeof *lines };

/* Goes through many lines with two stages; returns how many passed over. Only
 * those with an exclamation mark have to pass, and always do. */
static uint64_t pass_over(fixture *f, uint32_t usual, bool checked)
{
    sr_prefilter *filter = sr_prefilter_new(&f->arena);
    const sr_plan *nothing = sr_plan_new(&f->arena, NULL, 0);
    const sg_str text_wanted = SG_S("mimikatz");
    uint64_t over = 0;
    sg_buf text = {0};
    size_t clear = 0;

    CHECK(sr_prefilter_texts(filter, &text_wanted, 1));
    CHECK(sr_prefilter_field(filter, &f->arena, SG_S("P"), is_25, NULL));
    for (int i = 0; i < 60000; i++)
        sg_buf_putz(&text, lines[draw(f, 20) == 0 ? draw(f, KINDS) : usual]);
    for (sg_str rest = sg_buf_str(&text); rest.len != 0;) {
        const sr_kept_out out =
            sr_prefilter_lines(filter, rest, checked ? nothing : NULL, &clear);
        const sg_str kept_out = sg_str_sub(rest, 0, out.len);
        CHECK(sg_str_find(kept_out, SG_S("!")) == SIZE_MAX);
        over += out.lines;
        rest = sg_str_sub(rest, out.len, rest.len);
        if (rest.len == 0)
            break;
        const size_t end = sg_str_find(rest, SG_S("\n"));
        const sg_str next = sg_str_sub(rest, 0, end);
        CHECK(out.next != SR_KEPT_OUT ||
              sg_str_find(next, SG_S("!")) == SIZE_MAX);
        rest = sg_str_sub(rest, end + 1, rest.len);
    }
    sr_prefilter_free(filter);
    sg_buf_free(&text);
    return over;
}

static void test_stages(fixture *f)
{
    /* Whichever of the two lets most pass, the other keeps them out. */
    for (uint32_t usual = 0; usual < 3; usual++) {
        CHECK(pass_over(f, usual, true) > 55000);
        CHECK(pass_over(f, usual, false) > 55000);
    }
    /* Neither is of any use: they rest, but for a trial now and then. */
    const uint64_t over = pass_over(f, 3, true);
    CHECK(over > 20 && over < 500);
}

/* All of one kind of line. */
static void go_through(sr_prefilter *filter, const char *line)
{
    const size_t len = strlen(line);
    size_t clear = 0;
    sg_buf text = {0};

    for (int i = 0; i < 4000; i++)
        sg_buf_putz(&text, line);
    for (size_t at = 0; at < text.len;) {
        const sg_str rest = sg_str_sub(sg_buf_str(&text), at, text.len);
        const sr_kept_out out = sr_prefilter_lines(filter, rest, NULL, &clear);
        at += out.len + (out.len == rest.len ? 0 : len);
    }
    sg_buf_free(&text);
}

/* What one stage has kept out of an input is not forgotten when, by then,
 * another one is at work for the sake of some other input. */
static void test_inputs(fixture *f)
{
    sr_prefilter *filter = sr_prefilter_new(&f->arena);
    const sr_plan *nothing = sr_plan_new(&f->arena, NULL, 0);
    const sg_str wanted = SG_S("mimikatz");
    sg_buf text = {0};
    size_t clear = 0;

    CHECK(sr_prefilter_texts(filter, &wanted, 1));
    CHECK(sr_prefilter_field(filter, &f->arena, SG_S("P"), is_25, NULL));
    go_through(filter, lines[0]);
    sg_buf_putz(&text, lines[6]); /* cannot be read */
    sg_buf_putz(&text, lines[4]); /* has to pass */
    sr_kept_out out =
        sr_prefilter_lines(filter, sg_buf_str(&text), nothing, &clear);
    CHECK(out.lines == 0 && out.next == SR_KEPT_OUT);
    CHECK_INT(clear, strlen(lines[4]));
    go_through(filter, lines[1]);
    out = sr_prefilter_lines(filter, sg_str_of(lines[4]), nothing, &clear);
    CHECK(out.lines == 0 && out.next == SR_PASSES);
    sr_prefilter_free(filter);
    sg_buf_free(&text);
}

int main(void)
{
    fixture f = {.random = 7};

    sr_event_init(&f.event, 1);
    test_cases(&f);
    test_refused(&f);
    test_alignment(&f);
    test_random(&f, "RemotePort");
    test_random(&f, "EventID");
    test_random(&f, "a.event_id");
    test_random(&f, "P");
    test_large(&f);
    test_stages(&f);
    test_inputs(&f);
    sr_event_free(&f.event);
    sg_arena_free(&f.arena);
    return TEST_END();
}
