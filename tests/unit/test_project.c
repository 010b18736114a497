/*
 * test_project.c - which values a field has: literal keys before dotted
 * paths, fan-out over arrays, keys given twice, keywords, text of values; and
 * that a warm event allocates nothing.
 */
#include "record/record.h"
#include "support/alloc_count.h"
#include "support/fields.h"
#include "support/test.h"

#include <math.h>
#include <stdlib.h>

typedef struct field_case {
    const char *name; /* NULL: keywords */
    const char *line;
    const char *want; /* see fields.h */
} field_case;

static const field_case cases[] = {
    /* kinds */
    {"a", "{\"a\":\"x\"}", "\"x\""},
    {"a", "{\"a\":\"\"}", "\"\""},
    {"a", "{\"a\":12}", "12"},
    {"a", "{\"a\":-0}", "0"},
    {"a", "{\"a\":1.50}", "1.5"},
    {"a", "{\"a\":1e2}", "100"},
    {"a", "{\"a\":18446744073709551615}", "18446744073709551615"},
    {"a", "{\"a\":-9223372036854775808}", "-9223372036854775808"},
    {"a", "{\"a\":1e999}", "1e999"},
    {"a", "{\"a\":true}", "true"},
    {"a", "{\"a\":false}", "false"},
    {"a", "{\"a\":null}", "null"},
    {"a", "{\"a\":{}}", "{}"},
    {"a", "{\"a\":{\"a\":1}}", "{}"},
    {"a", "{\"a\":[]}", "[]"},
    {"a", "{}", "-"},
    {"a", "{\"A\":1,\"b\":{\"a\":1},\"aa\":1,\"\":2}", "-"},
    {"", "{\"\":3}", "3"},
    /* arrays */
    {"a", "{\"a\":[1,\"x\",null,true]}", "1 | \"x\" | null | true"},
    {"a", "{\"a\":[[1],[[2,3]],[]]}", "1 | 2 | 3"},
    {"a", "{\"a\":[[],[]]}", "[]"},
    {"a", "{\"a\":[{},1,{\"a\":2}]}", "{} | 1 | {}"},
    /* dotted paths */
    {"a.b", "{\"a\":{\"b\":1}}", "1"},
    {"a.b", "{\"a\":{\"b\":{\"c\":1}}}", "{}"},
    {"a.b", "{\"a\":{\"b\":null}}", "null"},
    {"a.b", "{\"a\":{}}", "-"},
    {"a.b", "{\"a\":5}", "-"},
    {"a.b", "{\"a\":null}", "-"},
    {"a.b", "{\"b\":5}", "-"},
    {"a.b.c", "{\"a\":{\"b\":\"x\"}}", "-"},
    {"a.b.c", "{\"a\":{\"b\":{\"c\":\"x\"}}}", "\"x\""},
    {"a.b.c", "{\"a\":{\"b.c\":\"x\"}}", "-"},
    {"a.b", "{\"a\":[{\"b\":1},{\"c\":2},{\"b\":[3,4]}]}", "1 | 3 | 4"},
    {"a.b", "{\"a\":[[{\"b\":1}],[[{\"b\":2}]]]}", "1 | 2"},
    {"a.b", "{\"a\":[]}", "-"},
    {"a.b", "{\"a\":[{\"b\":[]},{\"b\":1}]}", "[] | 1"},
    {"a.b", "{\"a\":[{\"b\":{}},7]}", "{}"},
    {"a..b", "{\"a\":{\"\":{\"b\":1}}}", "1"},
    {".a", "{\"\":{\"a\":1}}", "1"},
    {"a.", "{\"a\":{\"\":1}}", "1"},
    {"a.*", "{\"a\":{\"x\":1}}", "-"},
    {"a.*", "{\"a\":{\"*\":1}}", "1"},
    {"a.%F", "{\"a\":{\"%F\":1}}", "1"},
    /* the literal key decides */
    {"a.b", "{\"a.b\":\"flat\",\"a\":{\"b\":\"deep\"}}", "\"flat\""},
    {"a.b", "{\"a\":{\"b\":\"deep\"},\"a.b\":\"flat\"}", "\"flat\""},
    {"a.b", "{\"a\":{\"b\":\"deep\"},\"a.b\":null}", "null"},
    {"a.b", "{\"a\":{\"b\":\"deep\"},\"a.b\":[]}", "[]"},
    {"a.b", "{\"a\":{\"b\":\"deep\"},\"a.b\":{}}", "{}"},
    {"a.b", "{\"a\":{\"a.b\":1}}", "-"},
    /* keys compare decoded */
    {"RemotePort", "{\"Remote\\u0050ort\":1}", "1"},
    {"a.b", "{\"\\u0061\":{\"\\u0062\":1}}", "1"},
    {"a.b", "{\"a\\u002eb\":1}", "1"},
    {"a/b", "{\"a\\/b\":1}", "1"},
    {"a\\u0062", "{\"ab\":1}", "-"},
    {"a\xC3\xA9", "{\"a\\u00e9\":1}", "1"},
    {"a\xC3\xA9", "{\"a\xC3\xA9\":1}", "1"},
    {"\xF0\x9F\x98\x80", "{\"\\ud83d\\ude00\":1}", "1"},
    {"longer than sixteen bytes", "{\"longer than sixteen bytes\":1}", "1"},
    {"longer than sixteen bytes", "{\"longer than sixteen bytez\":1}", "-"},
    {"longer than sixteen bytes", "{\"longer than sixteem bytes\":1}", "-"},
    {"longer than sixteen bytes", "{\"l\\u006fnger than sixteen bytes\":1}",
     "1"},
    /* keys given twice: the last one */
    {"a", "{\"a\":1,\"a\":2}", "2"},
    {"a", "{\"a\":1,\"\\u0061\":2}", "2"},
    {"a", "{\"a\":1,\"a\":2,\"a\":[3,4]}", "3 | 4"},
    {"a", "{\"a\":[1,2],\"b\":0,\"a\":3}", "3"},
    {"a", "{\"a\":1,\"a\":null}", "null"},
    {"a", "{\"a\":{},\"a\":[]}", "[]"},
    {"a.b", "{\"a\":{\"b\":1},\"a\":{}}", "-"},
    {"a.b", "{\"a\":{\"b\":1},\"a\":5}", "-"},
    {"a.b", "{\"a\":{\"b\":1},\"a\":{\"b\":2}}", "2"},
    {"a.b", "{\"a\":{\"b\":1,\"b\":2},\"a\":{\"c\":2}}", "-"},
    {"a.b", "{\"a\":[{\"b\":1,\"b\":2},{\"b\":3}]}", "2 | 3"},
    {"a.b", "{\"a\":[{\"b\":1},{\"b\":2},{\"b\":[3,4],\"b\":5}]}", "1 | 2 | 5"},
    {"a.b", "{\"a\":[{\"b\":1},{\"b\":2}],\"a\":[{\"b\":9}]}", "9"},
    {"a.b.c", "{\"a\":{\"b\":{\"c\":1}},\"a\":{\"b\":{},\"b\":{\"c\":2}}}",
     "2"},
    {"a.b", "{\"a.b\":1,\"a\":{\"b\":2},\"a.b\":3}", "3"},
    {"a", "{\"b\":{\"a\":1},\"a\":2,\"b\":{\"a\":3}}", "2"},
    /* keywords: scalars but null, in order, names left out */
    {NULL, "{}", "-"},
    {NULL, "{\"a\":null,\"b\":{},\"c\":[]}", "-"},
    {NULL, "{\"a\":1,\"b\":{\"c\":\"x\",\"d\":[true,[2.5]]}}",
     "1 | \"x\" | true | 2.5"},
    {NULL, "{\"a\":1,\"a\":2}", "2"},
    {NULL, "{\"z\":{\"a\":1,\"b\":3},\"y\":0,\"z\":{\"b\":4}}", "0 | 4"},
    {NULL, "{\"z\":[{\"a\":1,\"\\u0061\":2},{\"a\":3}]}", "2 | 3"},
    {NULL, "{\"z\":{\"q\":{\"r\":1},\"q\":2},\"\\u007a\":[]}", "-"},
    {NULL, "{\"a\":{\"b\":1},\"b\":{\"a\":2},\"c\":{\"a\":3,\"b\":4}}",
     "1 | 2 | 3 | 4"},
};

static void test_cases(void)
{
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const int before = test_failures;
        sg_buf have = fields_of(sg_str_of(cases[i].line), cases[i].name);
        CHECK_STR(sg_buf_str(&have), sg_str_of(cases[i].want));
        if (test_failures != before)
            printf("  %s of %s\n",
                   cases[i].name == NULL ? "keywords" : cases[i].name,
                   cases[i].line);
        sg_buf_free(&have);
    }
}

/* Decoded text, byte for byte. */
static void test_text(void)
{
    static const struct {
        const char *line;
        sg_str want;
    } texts[] = {
        {"{\"a\":\"plain\"}", SG_LIT("plain")},
        {"{\"a\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"}", SG_LIT("\"\\/\b\f\n\r\t")},
        {"{\"a\":\"C:\\\\Windows\\\\x.exe\"}", SG_LIT("C:\\Windows\\x.exe")},
        {"{\"a\":\"x\\u0000y\"}", SG_LIT("x\0y")},
        {"{\"a\":\"\\u0041\\u00e9\\u20aC\"}", SG_LIT("A\xC3\xA9\xE2\x82\xAC")},
        {"{\"a\":\"\\ud83d\\ude00!\"}", SG_LIT("\xF0\x9F\x98\x80!")},
        {"{\"a\":\"\\ud800\"}", SG_LIT("\xED\xA0\x80")},
        {"{\"a\":\"\\udfff\\ud800x\"}", SG_LIT("\xED\xBF\xBF\xED\xA0\x80x")},
        {"{\"a\":\"\\ud800\\ud800\\udc00\"}",
         SG_LIT("\xED\xA0\x80\xF0\x90\x80\x80")},
        {"{\"a\":\"\\ud800\\u0041\"}", SG_LIT("\xED\xA0\x80"
                                              "A")},
        {"{\"a\":\"\\ud800\\\\udc00\"}", SG_LIT("\xED\xA0\x80\\udc00")},
    };
    const sr_want want = {SG_LIT("a"), 0, false};
    sg_arena arena = {0};
    const sr_plan *plan = sr_plan_new(&arena, &want, 1);
    sr_event event;
    sr_fault fault;

    sr_event_init(&event, 1);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        sr_event_begin(&event, sg_str_of(texts[i].line));
        CHECK(sr_project(plan, &event, &fault));
        if (sr_first(&event, 0) == NULL)
            continue;
        CHECK_STR(sr_value_text(&event, sr_first(&event, 0)), texts[i].want);
        CHECK_STR(sr_value_text(&event, sr_first(&event, 0)), texts[i].want);
    }
    sr_event_free(&event);
    sg_arena_free(&arena);
}

/* raw, kind, num and folded; text of a string without escapes is the line. */
static void test_members(void)
{
    static const char line[] =
        "{\"s\":\"AbC\", \"n\":-12, \"f\":2.5, \"b\":true,"
        "\"o\" : {\"x\": 1} , \"e\":[ ], \"h\":-1e999}";
    static const char *const names[] = {"s", "n", "f", "b", "o", "e", "h"};
    static const char *const raws[] = {"\"AbC\"",    "-12", "2.5",   "true",
                                       "{\"x\": 1}", "[ ]", "-1e999"};
    sr_want wants[7];
    sg_arena arena = {0};
    sr_value *v[7];
    sr_event event;
    sr_fault fault;

    for (uint32_t i = 0; i < 7; i++)
        wants[i] = (sr_want){sg_str_of(names[i]), 6 - i, false};
    sr_event_init(&event, 7);
    sr_event_begin(&event, sg_str_of(line));
    CHECK(sr_project(sr_plan_new(&arena, wants, 7), &event, &fault));
    for (uint32_t i = 0; i < 7; i++) {
        v[i] = sr_first(&event, 6 - i);
        CHECK(v[i] != NULL);
        if (v[i] != NULL)
            CHECK_STR(v[i]->raw, sg_str_of(raws[i]));
    }
    CHECK(sr_value_text(&event, v[0]).ptr == v[0]->raw.ptr + 1);
    CHECK_STR(sr_value_folded(&event, v[0]), SG_S("abc"));
    CHECK_STR(sr_value_text(&event, v[0]), SG_S("AbC"));
    CHECK(v[1]->num.kind == SIGMA_INT && v[1]->num.v.i == -12);
    CHECK(v[2]->num.kind == SIGMA_FLOAT && v[2]->num.v.f == 2.5);
    CHECK(v[3]->kind == SR_BOOL && v[3]->boolean);
    CHECK_STR(sr_value_folded(&event, v[3]), SG_S("true"));
    CHECK(v[6]->num.kind == SIGMA_FLOAT && v[6]->num.v.f < 0 &&
          isinf(v[6]->num.v.f));
    sr_event_free(&event);
    sg_arena_free(&arena);
}

/* Two plans over one event fill their own slots; a shared name is fine. */
static void test_two_plans(void)
{
    const sr_want first[] = {{SG_LIT("a"), 0, false},
                             {SG_LIT("b.c"), 1, false}};
    const sr_want second[] = {{SG_LIT("a"), 3, false},
                              {SG_LIT(""), 2, true},
                              {SG_LIT("a"), 4, false}};
    sg_arena arena = {0};
    const sr_plan *plans[] = {sr_plan_new(&arena, first, 2),
                              sr_plan_new(&arena, second, 3)};
    static const char *const want[] = {"1 | 2", "3", "1 | 2 | 3", "1 | 2",
                                       "1 | 2"};
    sr_event event;
    sr_fault fault;

    sr_event_init(&event, 5);
    for (int round = 0; round < 3; round++) {
        sr_event_begin(&event, SG_S("{\"a\":[1,2],\"b\":{\"c\":3}}"));
        CHECK(sr_project(plans[round & 1], &event, &fault));
        CHECK(sr_project(plans[!(round & 1)], &event, &fault));
        for (uint32_t slot = 0; slot < 5; slot++) {
            sg_buf have = {0};
            fields_put_slot(&have, &event, slot);
            CHECK_STR(sg_buf_str(&have), sg_str_of(want[slot]));
            sg_buf_free(&have);
        }
        sr_event_begin(&event, SG_S("{\"x\":1}"));
        for (uint32_t slot = 0; slot < 5; slot++)
            CHECK(sr_first(&event, slot) == NULL);
    }
    sr_event_free(&event);
    sg_arena_free(&arena);
}

static void put_members(sg_buf *buf, int count, bool same_key)
{
    sg_buf_putc(buf, '{');
    for (int i = 0; i < count; i++)
        sg_buf_printf(buf, "%s\"k%d\":{\"a\":[%d,\"\\u0041\"]}",
                      i == 0 ? "" : ",", same_key ? 0 : i, i);
    sg_buf_putc(buf, '}');
}

/* Large lines: work stays linear in their length, and their memory goes. */
static void test_large(void)
{
    const sr_want wants[] = {{SG_LIT("k0.a"), 0, false}, {SG_LIT(""), 1, true}};
    sg_arena arena = {0};
    const sr_plan *plan = sr_plan_new(&arena, wants, 2);
    sr_event event;
    sr_fault fault;

    sr_event_init(&event, 2);
    for (int same = 0; same < 2; same++) {
        sg_buf buf = {0};
        put_members(&buf, 100000, same);
        sr_event_begin(&event, sg_buf_str(&buf));
        CHECK(sr_project(plan, &event, &fault));
        CHECK(sr_first(&event, 0) != NULL &&
              sr_first(&event, 0)->num.v.i == (same ? 99999 : 0));
        sr_event_begin(&event, SG_S("{\"k0\":{\"a\":7}}"));
        CHECK(sr_project(plan, &event, &fault));
        CHECK(sr_first(&event, 1) != NULL && sr_first(&event, 1)->num.v.i == 7);
        sr_event_begin(&event, SG_S("{}"));
        CHECK(event.value_cap <= 1 << 15);
        sg_buf_free(&buf);
    }
    sr_event_free(&event);
    sg_arena_free(&arena);
}

static void test_no_allocation(void)
{
    const sr_want wants[] = {{SG_LIT("Image"), 0, false},
                             {SG_LIT("a.b"), 1, false},
                             {SG_LIT(""), 2, true},
                             {SG_LIT("EventID"), 3, false}};
    static const char *const lines[] = {
        "{\"Image\":\"C:\\\\x\",\"a\":[{\"b\":1},{\"b\":2.5,\"b\":3}]}",
        "{\"Event\":{\"System\":{},\"EventData\":{\"Image\":\"\\u0041\"}}}",
        "{\"Im\\u0061ge\":[],\"Image\":{}}",
        "{\"bad\":",
        "{\"winlog\":{\"event_id\":\"3\"},\"x\":[1,2,3,[4,5,{\"y\":6}]]}",
    };
    sg_arena arena = {0};
    const sr_plan *plan = sr_plan_new(&arena, wants, 4);
    unsigned long before = 0;
    sr_event event;
    sr_fault fault;

    sr_event_init(&event, 4);
    CHECK(alloc_count_start());
    for (int round = 0; round < 50; round++) {
        if (round == 3)
            before = alloc_calls;
        for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
            sr_event_begin(&event, sg_str_of(lines[i]));
            if (!sr_project(plan, &event, &fault))
                continue;
            for (uint32_t slot = 0; slot < 4; slot++)
                for (sr_value *v = sr_first(&event, slot); v != NULL;
                     v = sr_next(&event, v))
                    sr_value_folded(&event, v);
        }
    }
    CHECK(before != 0); /* the warm-up was counted */
    CHECK_INT(alloc_calls - before, 0);
    sr_event_free(&event);
    sg_arena_free(&arena);
}

int main(void)
{
    test_cases();
    test_text();
    test_members();
    test_two_plans();
    test_large();
    test_no_allocation();
    return TEST_END();
}
