/*
 * test_refeval.c - the oracle: events as JSON, fields in them, operators on
 * values, correlations. Expectations are written by hand from the semantics.
 */
#include "support/test.h"

#include "support/lower.h"

/* -------- events --------------------------------------------------------- */

typedef struct event_case {
    const char *line;
    bool good;
} event_case;

static void test_event_syntax(void)
{
    static const event_case cases[] = {
        {"{}", true},
        {" \t{\"a\":1} \r\n", true},
        {"{\"a\":[1,-0.5e+3,true,false,null,\"x\",{}]}", true},
        {"{\"a\":\"\\u0000\\ud800\\udc00\\ud83d\"}", true},
        {"{\"a\":1,\"a\":2}", true},
        {"{\"a\":1e999}", true},
        {"", false},
        {"[]", false},
        {"1", false},
        {"{", false},
        {"{}{}", false},
        {"{} x", false},
        {"{\"a\":01}", false},
        {"{\"a\":+1}", false},
        {"{\"a\":1.}", false},
        {"{\"a\":.5}", false},
        {"{\"a\":1e}", false},
        {"{\"a\":NaN}", false},
        {"{1:2}", false},
        {"{1 :2}", false},
        {"{\"a\":\"\\x\"}", false},
        {"{\"a\":\"\\u12\"}", false},
        {"{\"a\":\"\n\"}", false},
        {"{\"a\":\"x}", false},
        {"{\"a\":1,}", false},
        {"{\"a\":\"\xff\"}", false},
        {"\xef\xbb\xbf{}", false},
        {"\v{}", false},
        {"{\v}", false},
    };
    size_t i;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        sc_ref_event *e = sc_ref_event_parse(sg_str_of(cases[i].line));

        if ((e != NULL) != cases[i].good)
            printf("  for: %s\n", cases[i].line);
        CHECK((e != NULL) == cases[i].good);
        sc_ref_event_free(e);
    }
}

static void test_event_depth(void)
{
    sg_buf deep = {0};
    sc_ref_event *e;
    int i;

    sg_buf_putz(&deep, "{\"a\":");
    for (i = 0; i < 100000; i++)
        sg_buf_putc(&deep, '[');
    e = sc_ref_event_parse(sg_buf_str(&deep));
    CHECK(e == NULL);
    sg_buf_free(&deep);
}

/* -------- verdicts ------------------------------------------------------- */

typedef struct verdict_case {
    const char *detection; /* body of selection s */
    const char *event;
    bool match;
} verdict_case;

static bool verdict(const verdict_case *c)
{
    sg_buf text = {0};
    lowered *l;
    sc_ref_event *e = sc_ref_event_parse(sg_str_of(c->event));
    bool match = false;

    sg_buf_printf(&text, "  s:\n    %s\n  condition: s\n", c->detection);
    sg_buf_putc(&text, '\0');
    l = lower_detection(text.ptr);
    CHECK_INT(l->ir->rules.count, 1);
    CHECK(e != NULL);
    if (l->ir->rules.count == 1 && e != NULL)
        match = sc_ref_rule(l->ir, 0, e);
    sc_ref_event_free(e);
    lower_free(l);
    sg_buf_free(&text);
    return match;
}

static void check_verdicts(const verdict_case *cases, size_t count)
{
    size_t i;

    for (i = 0; i < count; i++) {
        const bool have = verdict(&cases[i]);

        if (have != cases[i].match)
            printf("  for: %s on %s\n", cases[i].detection, cases[i].event);
        CHECK(have == cases[i].match);
    }
}

#define CHECK_VERDICTS(cases)                                                  \
    check_verdicts((cases), sizeof(cases) / sizeof((cases)[0]))

static void test_values(void)
{
    static const verdict_case cases[] = {
        {"F: 9223372036854775807", "{\"F\":9223372036854775807}", true},
        {"F: 9223372036854775807", "{\"F\":9223372036854775806}", false},
        {"F: 18446744073709551615", "{\"F\":18446744073709551615}", true},
        {"F: 3", "{\"F\":3.0}", true},
        {"F: 3", "{\"F\":\"3.0\"}", false},
        {"F: '3'", "{\"F\":3.0}", true},
        {"F: '100000'", "{\"F\":1e5}", true},
        {"F|contains: \"a\\0b\"", "{\"F\":\"xa\\u0000by\"}", true},
        {"F|contains: \"a\\0b\"", "{\"F\":\"xaby\"}", false},
        {"F: 'x?y'", "{\"F\":\"x\\ud800y\"}", true},
        {"F: 'x??y'", "{\"F\":\"x\\ud83d\\ude00y\"}", false},
        {"F: 'x?y'", "{\"F\":\"x\\ud83d\\ude00y\"}", true},
        {"F: 'a*b*c'", "{\"F\":\"a\\nb-c\"}", true},
        {"F: 'a*b*c'", "{\"F\":\"a-c-b\"}", false},
        {"F: 'a*\\*'", "{\"F\":\"abc*\"}", true},
        {"F: 'a*\\*'", "{\"F\":\"abc\"}", false},
        {"F: 'STRA\xc3\x9f"
         "E'",
         "{\"F\":\"stra\xc3\x9f"
         "e\"}",
         true},
        {"F: 'STRASSE'",
         "{\"F\":\"stra\xc3\x9f"
         "e\"}",
         false},
        {"F|cased: Ab", "{\"F\":\"Ab\"}", true},
        {"F|cased: Ab", "{\"F\":\"ab\"}", false},
        {"F: true", "{\"F\":\"TRUE\"}", true},
        {"F: true", "{\"F\":1}", false},
        {"F: null", "{\"F\":[]}", false},
        {"F: null", "{\"F\":[1,null]}", true},
        {"F: null", "{}", true},
        {"F: null", "{\"F\":{}}", false},
        {"F|exists: true", "{\"F\":null}", true},
        {"F|exists: true", "{\"F\":[]}", true},
        {"F|exists: false", "{\"G\":1}", true},
        {"F: '*'", "{\"F\":{}}", false},
        {"F: '*'", "{\"F\":\"\"}", true},
        {"F|contains: ''", "{\"F\":null}", false},
        {"F|gt: 1.5", "{\"F\":\"2e0\"}", true},
        {"F|gt: 1.5", "{\"F\":true}", false},
        {"F|gt: 1.5", "{\"F\":1e999}", true},
        {"F|lt: 1.5", "{\"F\":-1e999}", true},
        {"F: '1e999'", "{\"F\":1e999}", true},
        {"F|neq: x", "{}", true},
        {"F|cidr: 10.0.0.0/8", "{\"F\":\"10.255.0.1\"}", true},
        {"F|cidr: 10.0.0.0/8", "{\"F\":\"10.255.0.1\\u0000\"}", false},
        {"F|cidr: 'fe80::/10'", "{\"F\":\"FEBF::1\"}", true},
        {"F|cidr: 'fe80::/10'", "{\"F\":\"fec0::1\"}", false},
        {"F|re: 'a.c$'", "{\"F\":\"xxabc\"}", true},
        {"F|re: 'a.c$'", "{\"F\":\"xxABC\"}", false},
        {"F|re|i: 'a.c$'", "{\"F\":\"xxABC\"}", true},
        {"F|fieldref: G", "{\"F\":[1,\"b\"],\"G\":[\"B\"]}", true},
        {"F|fieldref: G", "{\"F\":null,\"G\":null}", false},
        {"F|fieldref|startswith: G", "{\"F\":\"Abc\",\"G\":\"aB\"}", true},
    };

    CHECK_VERDICTS(cases);
}

static void test_fields(void)
{
    static const verdict_case cases[] = {
        {"a.b: 1", "{\"a.b\":1,\"a\":{\"b\":2}}", true},
        {"a.b: 2", "{\"a.b\":1,\"a\":{\"b\":2}}", false},
        {"a.b: 2", "{\"a.b\":null,\"a\":{\"b\":2}}", false},
        {"a.b: 3", "{\"a\":[{\"b\":1},[{\"b\":[2,[3]]}]]}", true},
        {"a.b: null", "{\"a\":\"x\"}", true},
        {"a: 2", "{\"a\":1,\"a\":2}", true},
        {"a: 1", "{\"a\":1,\"a\":2}", false},
        {"A: 1", "{\"a\":1}", false},
        /* evtx_dump */
        {"X: 1", "{\"Event\":{\"EventData\":{\"X\":1}}}", true},
        {"X: 1", "{\"Event\":{\"X\":1}}", false},
        {"X: 1", "{\"X\":2,\"Event\":{\"EventData\":{\"X\":1}}}", false},
        {"X: 1", "{\"Event\":{\"System\":{},\"UserData\":{\"Any\":{\"X\":1}}}}",
         true},
        {"EventID: 7",
         "{\"Event\":{\"System\":{\"EventID\":{\"#text\":7,"
         "\"#attributes\":{}}}}}",
         true},
        {"Provider_Name: p",
         "{\"Event\":{\"System\":{\"Provider\":{\"#attributes\":"
         "{\"Name\":\"p\"}}}}}",
         true},
        {"Provider_Name: p",
         "{\"Event\":{\"System\":{\"Provider_attributes\":"
         "{\"Name\":\"p\"}}}}",
         true},
        /* Winlogbeat */
        {"X: 1", "{\"winlog\":{\"event_data\":{\"X\":1}}}", true},
        {"EventID: 1", "{\"winlog\":{\"event_id\":\"1\"}}", true},
        {"Computer: c", "{\"winlog\":{\"computer_name\":\"c\"}}", true},
        {"X: 1", "{\"log_name\":\"l\",\"event_data\":{\"X\":1}}", true},
        {"X: 1", "{\"event_data\":{\"X\":1}}", false},
        {"Channel: l", "{\"log_name\":\"l\",\"event_data\":{}}", true},
        /* flat */
        {"Computer: h", "{\"Hostname\":\"h\"}", true},
        {"Computer: h", "{\"Hostname\":\"h\",\"Computer\":null}", false},
        {"Provider_Name: s", "{\"SourceName\":\"s\"}", true},
        /* keywords */
        {"- 'abc'", "{\"x\":{\"y\":[1,[\"zABCz\"]]}}", true},
        {"- 'abc'", "{\"abc\":1}", false},
        {"- 'abc'", "{\"x\":\"abc\",\"x\":1}", false},
        {"- 12", "{\"x\":4123}", true},
        {"- 'a*c'", "{\"x\":\"zza--czz\"}", true},
        {"'|all': ['a', 'b']", "{\"x\":\"a\",\"y\":\"b\"}", true},
        {"'|all': ['a', 'b']", "{\"x\":\"a\"}", false},
    };

    CHECK_VERDICTS(cases);
}

static void test_times(void)
{
    static const verdict_case cases[] = {
        {"T|hour: 23", "{\"T\":\"2024-05-01T23:30:00+02:00\"}", true},
        {"T|minute: 30", "{\"T\":\"2024-05-01 23:30\"}", true},
        {"T|day: 29", "{\"T\":\"2024-02-29\"}", true},
        {"T|day: 29", "{\"T\":\"2023-02-29\"}", false},
        {"T|hour: 0", "{\"T\":\"2024-02-29\"}", false},
        {"T|week: 53", "{\"T\":\"2021-01-01\"}", true},
        {"T|week: 1", "{\"T\":\"2024-12-30\"}", true},
        {"T|week: 52", "{\"T\":\"2024-12-29\"}", true},
        {"T|week: 1", "{\"T\":\"2026-01-01\"}", true},
        {"T|week: 53", "{\"T\":\"2026-12-31\"}", true},
        {"T|week: 25", "{\"T\":\"2024-06-19T12:00:00Z\"}", true},
        {"T|year|gte: 2024", "{\"T\":\"2024-06-19\"}", true},
        {"T|year|lt: 2024", "{\"T\":\"2024-06-19\"}", false},
        {"T|hour|neq: 5", "{\"T\":\"none\"}", true},
        {"T|hour|neq: 5", "{\"T\":\"2024-06-19T05:00:00\"}", false},
        {"T|hour: 5", "{\"T\":\"2024-06-19T05:00:00Zx\"}", false},
        {"T|hour: 5", "{\"T\":\"2024-06-19T05:00:00.\"}", false},
        {"T|hour: 5", "{\"T\":\"2024-06-19T05:00:00,5-0330\"}", true},
    };

    CHECK_VERDICTS(cases);
}

/* -------- correlations --------------------------------------------------- */

#define BASE(name)                                                             \
    "title: " name "\n"                                                        \
    "name: " name "\n"                                                         \
    "logsource: {category: test}\n"                                            \
    "detection: {s: {E: " name "}, condition: s}\n"                            \
    "---\n"

typedef struct corr_case {
    const char *correlation; /* body under `correlation:` in flow style */
    const char *events;      /* "NAME@SECONDS[=VALUE] ..." of group g */
    const char *fires;       /* 1-based events at which it fires */
} corr_case;

/* Lines for "a@5=7": rule a, second 5, value 7. */
static uint32_t put_lines(const char *events, sg_arena *arena, sg_str *lines)
{
    uint32_t n = 0;

    while (*events != '\0') {
        const char *end = strchr(events, ' ');
        const size_t len =
            end == NULL ? strlen(events) : (size_t)(end - events);
        const sg_str one = {events, len};
        const size_t at = sg_str_find(one, SG_S("@"));
        const size_t eq = sg_str_find(one, SG_S("="));
        const sg_str time = sg_str_sub(one, at + 1, eq == SIZE_MAX ? len : eq);
        const sg_str value =
            eq == SIZE_MAX ? SG_S("null") : sg_str_sub(one, eq + 1, len);

        lines[n++] = sg_arena_printf(
            arena,
            "{\"E\":\"%.*s\",\"@timestamp\":%.*s,\"G\":\"g\",\"V\":%.*s}",
            (int)at, events, SG_FMT(time), SG_FMT(value));
        events += end == NULL ? len : len + 1;
    }
    return n;
}

static void check_corr(const corr_case *c)
{
    sg_arena arena = {0};
    sg_buf yaml = {0}, have = {0};
    sg_str lines[32];
    sc_ref_firings out;
    lowered *l;
    uint32_t i, n;

    sg_buf_printf(&yaml,
                  BASE("a") BASE("b") BASE("c") "title: k\n"
                                                "correlation: {%s}\n",
                  c->correlation);
    sg_buf_putc(&yaml, '\0');
    l = lower(yaml.ptr);
    CHECK_INT(l->ir->corrs.count, 1);
    n = put_lines(c->events, &arena, lines);
    sc_ref_correlate(l->ir, lines, n, &arena, &out);
    for (i = 0; i < out.list.count; i++)
        sg_buf_printf(&have, i > 0 ? " %u" : "%u", out.list.items[i].line);
    if (!sg_str_eq(sg_buf_str(&have), sg_str_of(c->fires)))
        printf("  for: %s on %s\n", c->correlation, c->events);
    CHECK_STR(sg_buf_str(&have), sg_str_of(c->fires));
    lower_free(l);
    sg_buf_free(&yaml);
    sg_buf_free(&have);
    sg_arena_free(&arena);
}

#define COUNT(cond) "type: event_count, rules: [a], timespan: 10s, " cond
#define VALUES(type, cond)                                                     \
    "type: " type ", rules: [a], group-by: [G], timespan: 10s, condition: "    \
    "{field: V, " cond "}"

static void test_correlations(void)
{
    static const corr_case cases[] = {
        /* inclusive window */
        {COUNT("condition: {gte: 2}"), "a@100 a@110 a@121 a@122", "2 4"},
        {COUNT("condition: {gt: 1, lte: 2}"), "a@100 a@101 a@102", "2"},
        {COUNT("condition: {eq: 1}"), "a@100 b@101 a@102", "1"},
        /* out of order: in the window counts, before it does not */
        {COUNT("condition: {gte: 2}"), "a@100 a@95 a@80", "2"},
        {COUNT("condition: {gte: 3}"), "a@100 a@95 a@108", ""},
        {COUNT("condition: {gte: 2}, group-by: [Nope]"), "a@100 a@101", ""},
        {VALUES("value_count", "gte: 2"),
         "a@100=1 a@101=\"1\" a@102 a@103=2 a@104", "4"},
        {VALUES("value_sum", "gt: 10"),
         "a@100=4 a@101=\"6\" a@102=\"x\" "
         "a@103=0.5 a@104=true",
         "4"},
        {VALUES("value_avg", "gte: 2.5"), "a@100=2 a@101=3 a@102=1", "2"},
        {VALUES("value_median", "gte: 7"), "a@100=1 a@101=7 a@102=9 a@103=1",
         "3"},
        {VALUES("value_percentile", "percentile: 90, gte: 9.5"),
         "a@100=10 a@101=5 a@102=10", "1 2 3"},
        {"type: temporal, rules: [a, b], timespan: 10s",
         "a@100 b@111 a@112 b@113", "3 4"},
        {"type: temporal, rules: [a, b, c], timespan: 10s, "
         "condition: {gte: 2}",
         "a@100 a@101 c@102", "3"},
        {"type: temporal, rules: [a, b], timespan: 10s, "
         "condition: a and not b",
         "b@100 a@105 a@120", "3"},
        {"type: temporal_ordered, rules: [a, b, c], timespan: 10s",
         "b@100 a@101 c@102 b@103 c@104", "5"},
        {"type: temporal_ordered, rules: [a, b], timespan: 10s",
         "a@100 b@111 a@112 b@112 a@113", "4 5"},
        {"type: temporal_ordered, rules: [a, b], timespan: 10s", "b@105 a@104",
         "2"},
        /* all that was seen stands in order */
        {"type: temporal_ordered, rules: [a, b, c], timespan: 10s, "
         "condition: a and (b or c)",
         "a@100 c@101 b@102 b@120 a@121 b@122 c@123", "2 6 7"},
        {"type: temporal_ordered, rules: [a, b, c], timespan: 10s, "
         "condition: {gte: 2}",
         "c@100 b@101 a@102 c@103", "4"},
    };
    size_t i;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        check_corr(&cases[i]);
}

/* An alias gives each rule its own field; a chain fires inner first. */
static void test_chain_and_alias(void)
{
    static const char yaml[] = BASE("a") BASE(
        "b") "title: inner\n"
             "name: inner\n"
             "correlation: {type: event_count, rules: [a], group-by: [who], "
             "aliases: {who: {a: G}}, timespan: 10s, condition: {gte: 2}}\n"
             "---\n"
             "title: outer\n"
             "correlation: {type: temporal_ordered, rules: [inner, b], "
             "timespan: 1m}\n";
    sg_arena arena = {0};
    sg_str lines[8];
    sc_ref_firings out;
    lowered *l = lower(yaml);
    const uint32_t n = put_lines("b@99 a@100 b@101 a@102 b@103", &arena, lines);

    CHECK_INT(l->ir->corrs.count, 2);
    sc_ref_correlate(l->ir, lines, n, &arena, &out);
    CHECK_INT(out.list.count, 2);
    if (out.list.count == 2) {
        CHECK_INT(out.list.items[0].corr, 0);
        CHECK_INT(out.list.items[0].line, 4);
        CHECK_STR(out.list.items[0].keys[0], SG_S("g"));
        CHECK_INT(out.list.items[1].corr, 1);
        CHECK_INT(out.list.items[1].line, 5);
        CHECK_INT(out.list.items[1].time, 103000000000);
    }
    lower_free(l);
    sg_arena_free(&arena);
}

int main(void)
{
    test_event_syntax();
    test_event_depth();
    test_values();
    test_fields();
    test_times();
    test_correlations();
    test_chain_and_alias();
    return TEST_END();
}
