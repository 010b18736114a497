/*
 * test_read.c - documents: kinds, mandatory parts, action:, selections,
 * filters, correlations, the sigcc block; every refusal with its place.
 */
#include "sigma/reader.h"
#include "support/test.h"

static sc_session session;
static sc_ast ast;
static uint32_t source;

static void read_text(sg_str text)
{
    sc_session_free(&session);
    sc_session_init(&session);
    ast = (sc_ast){0};
    source = sc_source_add(&session, SG_S("x.yml"), text);
    sc_read_source(&session, source, &ast);
}

static void read_doc(const char *text)
{
    read_text(sg_str_of(text));
}

static sg_str bytes(sc_span at)
{
    return sg_str_sub(session.sources.items[source].text, at.beg, at.end);
}

static void check_dump(const char *text, const char *want, int line)
{
    sg_buf out = {0};

    read_doc(text);
    test_int(session.errors, 0, __FILE__, line);
    sc_ast_dump(&out, &ast);
    test_str(out.len == 0 ? SG_S("") : sg_buf_str(&out), sg_str_of(want),
             __FILE__, line);
    sg_buf_free(&out);
}

/* One error with this code, place, and some hint; nothing accepted but
 * `accepted` documents. */
static void check_error(const char *text, sc_code code, const char *at,
                        int line)
{
    const sc_diag *diag;

    read_doc(text);
    test_int(session.errors, 1, __FILE__, line);
    if (session.errors != 1) {
        printf("  for: %s\n", text);
        return;
    }
    diag = &session.diags.items[session.diags.count - 1];
    test_str(sg_str_of(sc_code_name(diag->code)), sg_str_of(sc_code_name(code)),
             __FILE__, line);
    test_str(bytes(diag->at), sg_str_of(at), __FILE__, line);
    test_result(diag->hint.len > 0, __FILE__, line, "a hint");
    test_result(diag->doc != SIGMA_NONE &&
                    session.docs.items[diag->doc].status == SC_DOC_REJECTED,
                __FILE__, line, "the document is rejected");
}

#define DUMP(text, want) check_dump(text, want, __LINE__)
#define ERROR(text, code, at) check_error(text, code, at, __LINE__)

#define HEAD "title: t\nlogsource: {product: p}\n"
#define DET "detection: {s: {A: 1}, condition: s}\n"

static void test_rule(void)
{
    DUMP("title: \"t \\u00E4\"\nid: my-1\nname: n\nstatus: test\nlevel: high\n"
         "tags: [attack.t1, car.2]\nfields: [A]\ndate: 2024-05-01\n"
         "author: [odd, but, fine]\nmy_key: {x: 1}\n"
         "logsource: {category: c, product: p, definition: d}\n"
         "detection:\n  sel:\n    A|endswith: x\n    B: [1, 2]\n"
         "  kw: [a, b]\n  timeframe: 5m\n  list:\n    - A: 1\n      B: 2\n"
         "    - C: 3\n    - word\n    - 7\n    - [x, {D: 4}]\n"
         "  condition:\n    - sel and not 1 of k*\n    - all of them\n",
         "rule \"t \xC3\xA4\"\n"
         "  id \"my-1\"\n"
         "  name \"n\"\n"
         "  status \"test\"\n"
         "  level \"high\"\n"
         "  tags \"attack.t1\" \"car.2\"\n"
         "  fields \"A\"\n"
         "  category \"c\"\n"
         "  product \"p\"\n"
         "  selection \"sel\"\n"
         "    and\n"
         "      field \"A\"\n"
         "        string \"*x\"\n"
         "      field \"B\"\n"
         "        number 1\n"
         "        number 2\n"
         "  selection \"kw\"\n"
         "    keywords\n"
         "      string \"a\"\n"
         "      string \"b\"\n"
         "  selection \"list\"\n"
         "    or\n"
         "      and\n"
         "        field \"A\"\n"
         "          number 1\n"
         "        field \"B\"\n"
         "          number 2\n"
         "      field \"C\"\n"
         "        number 3\n"
         "      keywords\n"
         "        string \"word\"\n"
         "        number 7\n"
         "      or\n"
         "        keywords\n"
         "          string \"x\"\n"
         "        field \"D\"\n"
         "          number 4\n"
         "  condition (\"sel\" and not 1 of \"k*\")\n"
         "  condition all of them\n");
    CHECK_INT(session.warnings, 1); /* author */
    CHECK_STR(session.docs.items[0].title, SG_S("t \xC3\xA4"));
    CHECK_STR(session.docs.items[0].id, SG_S("my-1"));
    CHECK_STR(session.docs.items[0].path, SG_S("x.yml"));
    CHECK_INT(strlen(session.docs.items[0].sha256), 64);
}

static void test_metadata_warnings(void)
{
    read_doc(HEAD "level: hig\nstatus: [x]\n" DET);
    CHECK_INT(session.errors, 0);
    CHECK_INT(session.warnings, 2);
    CHECK_STR(ast.rules.items[0]->level, SG_S("hig"));
    CHECK_STR(session.diags.items[0].hint, SG_S("did you mean 'high'?"));
}

static void test_rule_errors(void)
{
    ERROR("logsource: {product: p}\n" DET, SC_E0501, "logsource");
    ERROR("Title: x\nlogsource: {product: p}\n" DET, SC_E0501, "Title");
    ERROR("title: 5\nlogsource: {product: p}\n" DET, SC_E0502, "5");
    ERROR("title: ''\nlogsource: {product: p}\n" DET, SC_E0501, "");
    ERROR("title: t\n" DET, SC_E0501, "title");
    ERROR("title: t\nlogsource: windows\n" DET, SC_E0504, "windows");
    ERROR("title: t\nlogsource: {}\n" DET, SC_E0504, "{}");
    ERROR("title: t\nlogsource: {definition: x}\n" DET, SC_E0504,
          "{definition: x}");
    ERROR("title: t\nlogsource: {category: [a]}\n" DET, SC_E0504, "[a]");
    ERROR("title: t\nlogsource: {category: 5}\n" DET, SC_E0504, "5");
    ERROR(HEAD "id: [a]\n" DET, SC_E0502, "[a]");
    ERROR(HEAD, SC_E0501, "title");
    ERROR(HEAD "detections: {s: {A: 1}}\n", SC_E0501, "detections");
    ERROR(HEAD "detection: x\n", SC_E0502, "x");
    ERROR(HEAD "detection: {}\n", SC_E0501, "{}");
    ERROR(HEAD "detection: {condition: s}\n", SC_E0501, "condition");
    ERROR(HEAD "detection: {s: {A: 1}}\n", SC_E0307, "s");
    ERROR(HEAD "detection: {s: {A: 1}, condition: null}\n", SC_E0307, "null");
    ERROR(HEAD "detection: {s: {A: 1}, condition: []}\n", SC_E0307, "[]");
    ERROR(HEAD "detection: {s: {A: 1}, condition: {a: b}}\n", SC_E0307,
          "{a: b}");
    ERROR(HEAD "detection: {s: {A: 1}, condition: [s, 5]}\n", SC_E0307, "5");
    ERROR(HEAD "detection: {sel: {A: 1}, condition: sal}\n", SC_E0305, "sal");
    ERROR(HEAD "detection: {s: {A: 1}, condition: [s, s and zzzzzz]}\n",
          SC_E0305, "zzzzzz");
    ERROR(HEAD "detection: {s: {}, condition: s}\n", SC_E0211, "{}");
    ERROR(HEAD "detection: {s: [], condition: s}\n", SC_E0211, "[]");
    ERROR(HEAD "detection: {s: [[]], condition: s}\n", SC_E0211, "[]");
    ERROR(HEAD "detection: {s: [{A: 1}, {}], condition: s}\n", SC_E0211, "{}");
    ERROR(HEAD "detection: {s: null, condition: s}\n", SC_E0211, "s");
    ERROR(HEAD "detection: {s: true, condition: s}\n", SC_E0212, "true");
    ERROR(HEAD "detection: {s: [a, null], condition: s}\n", SC_E0212, "null");
    ERROR(HEAD "detection: {5: {A: 1}, condition: '5'}\n", SC_E0209, "5");
    ERROR("- a\n", SC_E0105, "- a");
    ERROR(HEAD DET "filter: {}\n", SC_E0507, HEAD DET "filter: {}");
}

static void test_title_length(void)
{
    char text[1200] = "title: ";
    size_t len = strlen(text);

    for (int i = 0; i < SC_MAX_TITLE; i++, len += 2)
        memcpy(text + len, "\xC3\xA4", 3);
    strcpy(text + len, "\nlogsource: {product: p}\n" DET);
    read_doc(text);
    CHECK_INT(session.errors, 0);
    strcpy(text + len, "x\nlogsource: {product: p}\n" DET);
    read_doc(text);
    CHECK_INT(session.errors, 1);
    CHECK_INT(session.diags.items[0].code, SC_E0503);
}

#define RULE_DUMP(title, value)                                                \
    "rule \"" title "\"\n  product \"p\"\n  selection \"s\"\n"                 \
    "    field \"A\"\n      number " value "\n  condition \"s\"\n"

static void test_action(void)
{
    /* the template wins, maps merge, lists are replaced */
    DUMP("title: g\naction: global\nlogsource: {product: p}\n"
         "detection: {condition: s}\n"
         "---\nname: ignored\ntitle: own\ndetection: {s: {A: 1}}\n"
         "---\ndetection: {s: {A: 2}, condition: nonsense of}\n",
         "rule \"g\"\n  name \"ignored\"\n  product \"p\"\n"
         "  selection \"s\"\n    field \"A\"\n      number 1\n"
         "  condition \"s\"\n" RULE_DUMP("g", "2"));
    CHECK_INT(session.docs.count, 3);
    CHECK_INT(session.docs.items[0].status, SC_DOC_SKIPPED);
    CHECK_STR(session.docs.items[2].title, SG_S("g"));
    /* a new one replaces it; reset clears it */
    DUMP("action: global\ntitle: g\n---\n"
         "action: global\nlogsource: {product: p}\n---\n"
         "title: t\n" DET "---\naction: reset\n---\n" HEAD
         "detection: {s: {A: 2}, condition: s}\n",
         RULE_DUMP("t", "1") RULE_DUMP("t", "2"));
    /* repeat: over the rule before it */
    DUMP(HEAD DET "---\naction: repeat\ntitle: u\n"
                  "detection: {s: {A: 2}}\n---\n"
                  "action: repeat\ntitle: v\n",
         RULE_DUMP("t", "1") RULE_DUMP("u", "2") RULE_DUMP("v", "2"));
    ERROR("action: globl\n", SC_E0505, "globl");
    ERROR("action: [x]\n", SC_E0505, "[x]");
    ERROR("action: repeat\n", SC_E0505, "repeat");
    /* not merged into others */
    read_doc("action: global\ntitle: g\nlevel: low\n---\ntitle: f\n"
             "logsource: {product: p}\n"
             "filter: {rules: any, s: {A: 1}, condition: s}\n---\n"
             "title: c\ncorrelation: {type: event_count, rules: x, "
             "timespan: 1m, condition: {gte: 1}}\n");
    CHECK_INT(session.errors, 0);
    CHECK_STR(ast.filters.items[0]->title, SG_S("f"));
    CHECK_STR(ast.rules.items[0]->title, SG_S("c"));
}

/* Templates must not multiply without bound. */
static void test_action_limit(void)
{
    sg_buf buf = {0};

    sg_buf_putz(&buf, "action: global\n");
    for (int i = 0; i < 4000; i++)
        sg_buf_printf(&buf, "k%d: 1\n", i);
    for (int i = 0; i < 2000; i++)
        sg_buf_putz(&buf, "---\na: 1\nb: 2\n");
    read_text(sg_buf_str(&buf));
    CHECK(session.errors > 0);
    CHECK_INT(session.diags.items[session.diags.count - 1].code, SC_E0506);
    sg_buf_free(&buf);
}

static void test_one_bad_document(void)
{
    read_doc(HEAD DET "---\ntitle: bad\n---\n" HEAD DET);
    CHECK_INT(session.errors, 1);
    CHECK_INT(ast.rules.count, 2);
    CHECK_INT(session.docs.count, 3);
    CHECK_INT(session.docs.items[1].status, SC_DOC_REJECTED);
    CHECK_STR(session.docs.items[1].title, SG_S("bad"));
    CHECK_INT(ast.rules.items[1]->doc, 2);
    CHECK_INT(session.doc, SIGMA_NONE);
}

#define FILTER(body) HEAD "filter: " body "\n"

static void test_filter(void)
{
    DUMP(FILTER("{rules: [r1, r2], s: {A: 1}, condition: not s}"),
         "filter \"t\"\n  product \"p\"\n  rule \"r1\"\n  rule \"r2\"\n"
         "  selection \"s\"\n    field \"A\"\n      number 1\n"
         "  condition not \"s\"\n");
    read_doc(FILTER("{rules: any, s: {A: 1}, condition: s}"));
    CHECK(ast.filters.items[0]->any);
    read_doc(FILTER("{rules: [], s: {A: 1}, condition: s}"));
    CHECK(ast.filters.items[0]->any);
    read_doc(FILTER("{rules: r1, s: {A: 1}, condition: s}"));
    CHECK(!ast.filters.items[0]->any);
    CHECK_STR(ast.filters.items[0]->rules.items[0], SG_S("r1"));
    ERROR("title: t\nfilter: {rules: any, s: {A: 1}, condition: s}\n", SC_E0501,
          "title");
    ERROR(FILTER("x"), SC_E0502, "x");
    ERROR(FILTER("{s: {A: 1}, condition: s}"), SC_E0501,
          "{s: {A: 1}, condition: s}");
    ERROR(FILTER("{rules: null, s: {A: 1}, condition: s}"), SC_E0502, "null");
    ERROR(FILTER("{rules: [[a]], s: {A: 1}, condition: s}"), SC_E0502, "[a]");
    ERROR(FILTER("{rules: any, condition: s}"), SC_E0501,
          "{rules: any, condition: s}");
    ERROR(FILTER("{rules: any, s: {A: 1}}"), SC_E0307,
          "{rules: any, s: {A: 1}}");
    ERROR(FILTER("{rules: any, s: {A: 1}, condition: [s]}"), SC_E0307, "[s]");
    ERROR(FILTER("{rules: any, s: {A: 1}, condition: not t}"), SC_E0305, "t");
}

#define CORR(body) "title: t\ncorrelation: {" body "}\n"
#define COUNT "type: event_count, rules: r, timespan: 5m, "

static void test_correlation(void)
{
    DUMP("title: t\nid: i\ngenerate: true\ncorrelation:\n"
         "  type: value_count\n  rules: [a, b]\n  group-by: [who, Host]\n"
         "  timespan: 10m\n"
         "  condition: {field: [X, Y], gt: 1, lte: 2.5}\n"
         "  aliases:\n    who: {a: User, b: Account}\n",
         "correlation \"t\"\n  id \"i\"\n"
         "  type value_count timespan 10m generate\n"
         "  rule \"a\"\n  rule \"b\"\n  group-by \"who\" \"Host\"\n"
         "  of \"X\" \"Y\"\n  condition gt 1\n  condition lte 2.5\n"
         "  alias \"who\"\n    \"a\" \"User\"\n    \"b\" \"Account\"\n");
    CHECK_INT(ast.rules.items[0]->correlation->timespan, INT64_C(600000000000));
    DUMP(CORR("type: temporal, timespan: 5m, "
              "condition: a and (b or not a)"),
         "correlation \"t\"\n  type temporal timespan 5m\n"
         "  rule \"a\"\n  rule \"b\"\n"
         "  condition (\"a\" and (\"b\" or not \"a\"))\n");
    DUMP(CORR("type: temporal_ordered, rules: [a, b, a], timespan: 1d"),
         "correlation \"t\"\n  type temporal_ordered timespan 1d\n"
         "  rule \"a\"\n  rule \"b\"\n  rule \"a\"\n");
    CHECK_INT(session.warnings, 0);
    DUMP(CORR("type: value_percentile, rules: r, timespan: 1w, "
              "condition: {field: B, percentile: 99.5, neq: -3}"),
         "correlation \"t\"\n  type value_percentile timespan 1w\n"
         "  rule \"r\"\n  of \"B\"\n  condition neq -3\n"
         "  percentile 99.5\n");
    read_doc(CORR("type: temporal, rules: [a, a], group-by: [x, x], "
                  "timespan: 1m, aliases: {y: {a: F}}"));
    CHECK_INT(session.errors, 0);
    CHECK_INT(session.warnings, 3);
    CHECK_INT(ast.rules.items[0]->correlation->group_by.count, 1);
}

static void test_correlation_errors(void)
{
    ERROR("title: t\ncorrelation: x\n", SC_E0502, "x");
    ERROR(CORR("rules: r"), SC_E0501, "rules");
    ERROR(CORR("type: event_total, rules: r"), SC_E0520, "event_total");
    ERROR(CORR("type: [x]"), SC_E0520, "[x]");
    ERROR(CORR(COUNT "groupby: x"), SC_E0521, "groupby");
    ERROR(CORR("type: event_count, timespan: 5m, condition: {gte: 1}"),
          SC_E0501, "type");
    ERROR(CORR("type: event_count, rules: [], timespan: 5m"), SC_E0501, "[]");
    ERROR(CORR("type: event_count, rules: [{a: b}], timespan: 5m"), SC_E0502,
          "{a: b}");
    ERROR(CORR("type: event_count, rules: r, condition: {gte: 1}"), SC_E0501,
          "type");
    ERROR(CORR("type: event_count, rules: r, timespan: 5x"), SC_E0522, "5x");
    ERROR(CORR("type: event_count, rules: r, timespan: 1h30m"), SC_E0522,
          "1h30m");
    ERROR(CORR("type: event_count, rules: r, timespan: -5m"), SC_E0522, "-5m");
    ERROR(CORR("type: event_count, rules: r, timespan: 300"), SC_E0522, "300");
    ERROR(CORR("type: event_count, rules: r, timespan: 99999999999999999y"),
          SC_E0522, "99999999999999999y");
    ERROR(CORR("type: event_count, rules: r, timespan: 5m"), SC_E0501, "type");
    ERROR(CORR(COUNT "condition: null"), SC_E0523, "null");
    ERROR(CORR(COUNT "condition: {}"), SC_E0523, "{}");
    ERROR(CORR(COUNT "condition: 5"), SC_E0523, "5");
    ERROR(CORR(COUNT "condition: r"), SC_E0523, "r");
    ERROR(CORR(COUNT "condition: {gte: 2, foo: 1}"), SC_E0521, "foo");
    ERROR(CORR(COUNT "condition: {gte: many}"), SC_E0524, "many");
    ERROR(CORR(COUNT "condition: {gte: '5'}"), SC_E0524, "5");
    ERROR(CORR(COUNT "condition: {gte: 5, field: x}"), SC_E0525, "x");
    ERROR(CORR(COUNT "condition: {gte: 5, percentile: 5}"), SC_E0526, "5");
    ERROR(CORR(COUNT "group-by: {a: b}, condition: {gte: 1}"), SC_E0502,
          "{a: b}");
    ERROR(CORR(COUNT "generate: 3, condition: {gte: 1}"), SC_E0502, "3");
    ERROR(CORR(COUNT "aliases: [a], condition: {gte: 1}"), SC_E0528, "[a]");
    ERROR(CORR(COUNT "aliases: {a: b}, condition: {gte: 1}"), SC_E0528, "a");
    ERROR(CORR(COUNT "aliases: {a: {r: 5}}, condition: {gte: 1}, "
                     "group-by: a"),
          SC_E0528, "r");
    ERROR(CORR("type: value_count, rules: r, timespan: 5m, "
               "condition: {gte: 2}"),
          SC_E0525, "{gte: 2}");
    ERROR(CORR("type: value_sum, rules: r, timespan: 5m, "
               "condition: {gte: 2, field: [a, b]}"),
          SC_E0525, "[a, b]");
    ERROR(CORR("type: value_percentile, rules: r, timespan: 5m, "
               "condition: {gte: 2, field: a}"),
          SC_E0526, "{gte: 2, field: a}");
    ERROR(CORR("type: value_percentile, rules: r, timespan: 5m, "
               "condition: {gte: 2, field: a, percentile: 101}"),
          SC_E0526, "101");
    ERROR(CORR("type: temporal, timespan: 5m"), SC_E0501, "type");
    ERROR(CORR("type: temporal, rules: [a], timespan: 5m, "
               "condition: a and b"),
          SC_E0527, "b");
    ERROR(CORR("type: temporal, rules: [a, b], timespan: 5m, condition: a"),
          SC_E0527, "b");
    ERROR(CORR("type: temporal, rules: [a, b], timespan: 5m, "
               "condition: a and and b"),
          SC_E0301, "and");
    ERROR(CORR("type: temporal, timespan: 5m, condition: 1 of a*"), SC_E0303,
          "1 of");
}

#define REPORT(body)                                                           \
    CORR(COUNT "condition: {gte: 1}, group-by: [G]")                           \
    "sigcc: {report: {" body "}}\n"

static void test_extension(void)
{
    DUMP(HEAD "detection: {a: {A: 1}, b: {A: 2}, condition: a or b}\n"
              "sigcc: {derive: {P: {default: U, b: 5, a: X}}}\n",
         "rule \"t\"\n  product \"p\"\n  selection \"a\"\n    field \"A\"\n"
         "      number 1\n  selection \"b\"\n    field \"A\"\n"
         "      number 2\n  condition (\"a\" or \"b\")\n  derive \"P\"\n"
         "    \"b\" \"5\"\n    \"a\" \"X\"\n    default \"U\"\n");
    DUMP(REPORT("columns: {count: N, last_seen: L}, sort: -N, limit: 10"),
         "correlation \"t\"\n  type event_count timespan 5m\n  rule \"r\"\n"
         "  group-by \"G\"\n  condition gte 1\n  report limit 10\n"
         "    count \"N\"\n    last_seen \"L\"\n    sort-descending \"N\"\n");
    read_doc(REPORT("sort: G"));
    CHECK_INT(session.errors, 0);
    CHECK(!ast.rules.items[0]->report.descending);
    CHECK_INT(ast.rules.items[0]->report.limit, SIGMA_NONE);
    ERROR(HEAD DET "sigcc: x\n", SC_E0530, "x");
    ERROR(HEAD DET "sigcc: {derived: {}}\n", SC_E0521, "derived");
    ERROR(HEAD DET "sigcc: {report: {limit: 1}}\n", SC_E0530, "{limit: 1}");
    ERROR(HEAD DET "sigcc: {derive: [a]}\n", SC_E0530, "[a]");
    ERROR(HEAD DET "sigcc: {derive: {P: x}}\n", SC_E0530, "x");
    ERROR(HEAD DET "sigcc: {derive: {P: {t: x}}}\n", SC_E0530, "t");
    ERROR(HEAD DET "sigcc: {derive: {P: {s: [x]}}}\n", SC_E0530, "[x]");
    ERROR(CORR(COUNT "condition: {gte: 1}") "sigcc: {derive: {P: {}}}\n",
          SC_E0530, "{}");
    ERROR(REPORT("column: {}"), SC_E0521, "column");
    ERROR(REPORT("columns: {counts: N}"), SC_E0521, "counts");
    ERROR(REPORT("columns: {count: [N]}"), SC_E0530, "[N]");
    ERROR(REPORT("columns: {count: N, value: N}"), SC_E0530, "N");
    ERROR(REPORT("columns: {count: G}"), SC_E0530, "G");
    ERROR(REPORT("columns: [a]"), SC_E0530, "[a]");
    ERROR(REPORT("sort: -X"), SC_E0530, "-X");
    ERROR(REPORT("limit: 0"), SC_E0530, "0");
    ERROR(REPORT("limit: 4294967295"), SC_E0530, "4294967295");
    ERROR(REPORT("limit: '5'"), SC_E0530, "5");
}

static void test_logsource_contains(void)
{
    const sc_logsource rule = {SG_LIT("c"), SG_LIT("p"), SG_LIT("")};
    const sc_logsource wide = {SG_LIT("c"), SG_LIT(""), SG_LIT("")};
    const sc_logsource other = {SG_LIT("c"), SG_LIT("P"), SG_LIT("")};
    const sc_logsource narrow = {SG_LIT("c"), SG_LIT("p"), SG_LIT("s")};

    CHECK(sc_logsource_contains(&wide, &rule));
    CHECK(sc_logsource_contains(&rule, &rule));
    CHECK(!sc_logsource_contains(&rule, &wide));
    CHECK(!sc_logsource_contains(&other, &rule));
    CHECK(!sc_logsource_contains(&narrow, &rule));
}

int main(void)
{
    test_rule();
    test_metadata_warnings();
    test_rule_errors();
    test_title_length();
    test_action();
    test_action_limit();
    test_one_bad_document();
    test_filter();
    test_correlation();
    test_correlation_errors();
    test_extension();
    test_logsource_contains();
    sc_session_free(&session);
    return TEST_END();
}
