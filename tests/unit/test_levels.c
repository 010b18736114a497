/*
 * test_levels.c - the fast scanners and layouts against the careful one: the
 * same values, and for bad lines the same reason and place, on generated lines,
 * on lines damaged at random, and at every alignment. Lines lie in memory of
 * their exact size, so that reading past them is found.
 */
#include "record/scan.h"
#include "support/json_lines.h"
#include "support/test.h"

#include <stdlib.h>

enum { SLOTS = 9, PLANS = 7, MANY = 80, ROUNDS = 30000 };

typedef struct fixture {
    sg_arena arena;
    sr_event want;
    sr_event have[PLANS]; /* layouts belong to a plan and an event */
    sr_plan *plans[PLANS];
    uint64_t random;
} fixture;

/* -------- comparing ---------------------------------------------------- */

static bool same_num(sg_num a, sg_num b)
{
    return a.kind == b.kind && a.v.u == b.v.u; /* all bits of any kind */
}

static bool same_text(sr_event *e, sr_value *a, sr_event *f, sr_value *b)
{
    return a->kind == SR_DEAD ||
           sg_str_eq(sr_value_text(e, a), sr_value_text(f, b));
}

static bool same_value(const sr_value *a, const sr_value *b)
{
    return a->kind == b->kind && a->raw.ptr == b->raw.ptr &&
           a->raw.len == b->raw.len && a->next == b->next &&
           a->boolean == b->boolean &&
           (a->kind != SR_NUMBER || same_num(a->num, b->num));
}

static bool same_event(sr_event *a, sr_event *b)
{
    if (a->value_count != b->value_count ||
        memcmp(a->slots, b->slots, SLOTS * sizeof *a->slots) != 0)
        return false;
    for (uint32_t i = 0; i < a->value_count; i++)
        if (!same_value(&a->values[i], &b->values[i]) ||
            !same_text(a, &a->values[i], b, &b->values[i]))
            return false;
    return true;
}

static void compare(fixture *f, int p, const sr_level *level, sg_str line)
{
    sr_fault want = {"", 0}, have = {"", 0};
    sr_plan *plan = f->plans[p];
    sr_event *event = &f->have[p];
    bool good;

    sr_event_begin(&f->want, line);
    sr_event_begin(event, line);
    plan->level = sr_level_named("scalar");
    good = sr_project(plan, &f->want, &want);
    plan->level = level;
    if (sr_project(plan, event, &have) == good && have.at == want.at &&
        strcmp(have.reason, want.reason) == 0 && same_event(event, &f->want)) {
        CHECK(true);
        return;
    }
    CHECK(!"levels agree");
    printf(
        "  plan %d, %s: %.*s\n  have %s at %zu, %u values\n  want %s at %zu, "
        "%u values\n",
        p, level->name, SG_FMT(line), have.reason, have.at, event->value_count,
        want.reason, want.at, f->want.value_count);
}

/* Twice, as the first time a line's layout is learned. */
static void compare_all(fixture *f, sg_str line)
{
    char *exact = malloc(line.len == 0 ? 1 : line.len);

    if (exact == NULL)
        abort();
    if (line.len != 0)
        memcpy(exact, line.ptr, line.len);
    for (size_t i = 0; sr_levels[i] != NULL; i++)
        for (int p = 0; sr_levels[i]->usable() && p < PLANS; p++) {
            compare(f, p, sr_levels[i], (sg_str){exact, line.len});
            if (f->plans[p]->layouts == SR_LAYOUTS_ALWAYS)
                compare(f, p, sr_levels[i], (sg_str){exact, line.len});
        }
    free(exact);
}

/* -------- tests -------------------------------------------------------- */

static void test_random(fixture *f)
{
    sg_buf line = {0};
    const char *rounds = getenv("TEST_ROUNDS");
    const long most = rounds != NULL ? strtol(rounds, NULL, 10) : ROUNDS;

    for (long i = 0; i < most && test_failures == 0; i++) {
        line.len = 0;
        put_blank(&f->random, &line, draw(&f->random, 2));
        put_members(&f->random, &line, draw(&f->random, 2), 0);
        put_blank(&f->random, &line, draw(&f->random, 2));
        if (draw(&f->random, 2) != 0)
            damage(&f->random, &line);
        compare_all(f, sg_buf_str(&line));
    }
    sg_buf_free(&line);
}

/* Short tokens at every place of a block, and what ends in the next one. */
static void test_alignment(fixture *f)
{
    static const char *const tails[] = {"a\":\"v\",\"Image\":\"w\"}",
                                        "a\" : [ 1 , \"x\" ] }",
                                        "a\":{\"b\":{}},\"b\":[[]]}",
                                        "a\":\"\\\\\\\"\",\"b\":true }",
                                        "\xF0\x9F\x98\x80\":\"\\u12aB\"}",
                                        "\":\"\"}",
                                        "a\":12.5e-7,\"b\":-1\t}",
                                        "a\":\"\xE2\x82\"}",
                                        "a\":\"\x1f\"}",
                                        "a\":\"\\u12\"}",
                                        "\\u0061\":1,\"a\":2}",
                                        "a\",\"b\":1}",
                                        "a\":\"b\":1}",
                                        "a\":1]"};

    for (int pad = 0; pad < 140; pad++)
        for (size_t i = 0; i < sizeof tails / sizeof *tails; i++) {
            sg_buf line = {0};
            sg_buf_putz(&line, "{\"p\":\"");
            for (int n = 0; n < pad; n++)
                sg_buf_putc(&line, '.');
            sg_buf_printf(&line, "\",\"%s", tails[i]);
            compare_all(f, sg_buf_str(&line));
            sg_buf_free(&line);
        }
}

/* Nesting up to the limit and beyond it. */
static void test_depth(fixture *f)
{
    for (int depth = SR_MAX_DEPTH - 2; depth < SR_MAX_DEPTH + 2; depth++)
        for (int object = 0; object < 2; object++) {
            sg_buf line = {0};
            sg_buf_putz(&line, "{\"a\":");
            for (int i = 0; i < depth; i++)
                sg_buf_putz(&line, object ? "{\"a\":" : "[");
            sg_buf_putz(&line, "1");
            for (int i = 0; i < depth; i++)
                sg_buf_putz(&line, object ? "}" : "]");
            sg_buf_putz(&line, "}");
            compare_all(f, sg_buf_str(&line));
            sg_buf_free(&line);
        }
}

/* -------- layouts ------------------------------------------------------ */

enum { LISTS = 12, KEYS_MOST = 8, CHANCES = 8 };

/* Lines of few lists of keys, whatever their values are. */
static void test_layouts(fixture *f)
{
    uint8_t lists[LISTS][KEYS_MOST], counts[LISTS];
    sg_buf line = {0};

    for (int i = 0; i < LISTS; i++) {
        counts[i] = (uint8_t)draw(&f->random, KEYS_MOST + 1);
        for (int k = 0; k < KEYS_MOST; k++)
            lists[i][k] = (uint8_t)draw(&f->random, sizeof keys / sizeof *keys);
    }
    for (int n = 0; n < 4000 && test_failures == 0; n++) {
        const uint32_t list = draw(&f->random, LISTS);
        const uint32_t spaced = draw(&f->random, CHANCES) == 0;
        line.len = 0;
        sg_buf_putz(&line, "{");
        for (int k = 0; k < counts[list]; k++) {
            put_blank(&f->random, &line, spaced);
            sg_buf_printf(&line, "%s\"%s\":", k == 0 ? "" : ",",
                          keys[lists[list][k]]);
            put_blank(&f->random, &line, spaced);
            put_value(&f->random, &line, spaced,
                      draw(&f->random, CHANCES) == 0 ? 1 : FLAT);
        }
        put_blank(&f->random, &line, spaced);
        sg_buf_putz(&line, "}");
        if (draw(&f->random, CHANCES) == 0)
            damage(&f->random, &line);
        compare_all(f, sg_buf_str(&line));
    }
    sg_buf_free(&line);
}

/* How a line is read shows in the working state: by a layout nothing is begun.
 */
static bool is_read_by_layout(sr_event *event, const sr_plan *plan,
                              const char *line)
{
    const uint64_t before = event->work == NULL ? 0 : event->work->serial;
    sr_fault fault;

    sr_event_begin(event, sg_str_of(line));
    CHECK(sr_project(plan, event, &fault));
    return event->work->serial == before;
}

static void test_layout_use(fixture *f)
{
    static const struct {
        const char *line;
        int known; /* from which time on; 0: never */
    } lines[] = {{"{\"a\":\"first\",\"x\":{\"a\":[1]},\"b\":2}", 2},
                 {"{\"a\":null,\"x\":1,\"b\":{\"c\" : 1}}", 0},
                 {"{\"a\":{\"b\": 1 },\"x\":[1],\"b\": { } }", 2},
                 {"{\"a\":{\"b\":\"v\"},\"x\":[],\"b\":{}}", 1},
                 {"{\"a\":{\"b\":[1,2]}}", 0}, /* how many? */
                 {"{\"a\":[{\"b\":1}]}", 0},
                 {"{\"b\":[]}", 0},
                 {"{\"Event\":{\"EventData\":{\"a\":1},\"System\":{}}}", 2},
                 {"{\"a\":\"v\",\"b\":\"w\",\"a\":1}", 0}, /* a again */
                 {"{\"x\":\"v\",\"b\":\"w\",\"x\":1}", 2},
                 {"{\"a\" :1}", 0},
                 {"{\"\\u0061\":1}", 0},
                 {"{ \"a\": [ ] }", 0},
                 {"{ \"a\": true , \"Image\": -1.5 }", 2},
                 {"{\"\":1}", 2},
                 {"{}", 2}};
    sr_plan *const plan = f->plans[PLANS - 1];
    sr_event event;

    sr_event_init(&event, SLOTS);
    plan->level = sr_level_choose();
    (void)is_read_by_layout(&event, plan, "{}"); /* there is no state before */
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        if (plan->level->scan == NULL)
            continue;
        CHECK(is_read_by_layout(&event, plan, lines[i].line) ==
              (lines[i].known == 1));
        CHECK(is_read_by_layout(&event, plan, lines[i].line) ==
              (lines[i].known != 0));
    }
    sr_event_free(&event);
}

/* Lines that all have other keys are soon not asked for theirs, and are once
 * more when these are known. */
static void test_layout_rest(void)
{
    enum { LINES = 256 };
    sg_arena arena = {0};
    const sr_want want = {SG_S("a"), 0, false};
    sr_plan *plan = sr_plan_new(&arena, &want, 1);
    sr_event event;
    char line[64];
    int known = 0;

    plan->layouts = SR_LAYOUTS_PAYING;
    sr_event_init(&event, 1);
    for (int i = 0; i < 2 * LINES; i++) {
        (void)snprintf(line, sizeof line, "{\"a\":%d,\"%d key\":1}", i, i);
        CHECK(!is_read_by_layout(&event, plan, line));
    }
    for (int i = 0; i < LINES; i++)
        known += is_read_by_layout(&event, plan, "{\"a\":1,\"b\":1}");
    CHECK_INT(known, 0); /* it rests */
    for (int i = 0; i < 9 * LINES; i++)
        known += is_read_by_layout(&event, plan, "{\"a\":1,\"b\":1}");
    CHECK(plan->level->scan == NULL || known > 0);
    sr_event_free(&event);
    sg_arena_free(&arena);
}

/* A name that the environment gives is taken when it can be. */
static void test_choice(void)
{
    CHECK(sr_level_named("scalar") != NULL);
    CHECK(sr_level_named("none") == NULL);
    CHECK(setenv("SIGCC_SIMD", "scalar", 1) == 0);
    CHECK(sr_level_choose()->scan == NULL);
    CHECK(setenv("SIGCC_SIMD", "none", 1) == 0);
    CHECK(sr_level_choose() != NULL);
    CHECK(unsetenv("SIGCC_SIMD") == 0);
#if defined(__x86_64__) || defined(__aarch64__)
    CHECK(sr_level_choose()->scan != NULL); /* all of them have vectors */
#endif
}

/* The same fields among many that no line has. */
static sr_plan *plan_of_many(fixture *f, const sr_want *wants)
{
    sr_want many[SLOTS - 1 + MANY];

    memcpy(many, wants, (SLOTS - 1) * sizeof *wants);
    for (uint32_t i = 0; i < MANY; i++) {
        char *name = sg_arena_alloc(&f->arena, 16, 1);
        (void)snprintf(name, 16, "%c other %u", (char)('A' + i % 60), i);
        many[SLOTS - 1 + i] = (sr_want){sg_str_of(name), 0, false};
    }
    return sr_plan_new(&f->arena, many, SLOTS - 1 + MANY);
}

int main(void)
{
    static const char *const names[SLOTS - 1] = {
        "a",        "b",        "Image", "", "a.b", "Event.EventData",
        "username", "k\xC3\xA9"};
    sr_want wants[SLOTS];
    fixture f = {.random = 42};

    for (uint32_t i = 0; i + 1 < SLOTS; i++)
        wants[i] = (sr_want){sg_str_of(names[i]), i, false};
    wants[SLOTS - 1] = (sr_want){SG_S(""), SLOTS - 1, true};
    f.plans[0] = sr_plan_new(&f.arena, wants, SLOTS - 1);
    f.plans[1] = sr_plan_new(&f.arena, wants, SLOTS);
    f.plans[2] = sr_plan_new(&f.arena, wants, 1);
    f.plans[3] = sr_plan_new(&f.arena, wants, 0);
    CHECK(setenv("SIGCC_LAYOUTS", "0", 1) == 0);
    f.plans[4] = plan_of_many(&f, wants);
    CHECK(setenv("SIGCC_LAYOUTS", "1", 1) == 0);
    f.plans[5] = sr_plan_new(&f.arena, wants, SLOTS - 1);
    f.plans[6] = plan_of_many(&f, wants);
    sr_event_init(&f.want, SLOTS);
    for (int p = 0; p < PLANS; p++)
        sr_event_init(&f.have[p], SLOTS);
    test_random(&f);
    test_layouts(&f);
    test_layout_use(&f);
    test_layout_rest();
    test_alignment(&f);
    test_depth(&f);
    test_choice();
    sr_event_free(&f.want);
    for (int p = 0; p < PLANS; p++)
        sr_event_free(&f.have[p]);
    sg_arena_free(&f.arena);
    return TEST_END();
}
