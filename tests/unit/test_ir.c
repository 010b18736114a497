/*
 * test_ir.c - lowering: what rules become, as dumps; what is refused.
 */
#include "support/test.h"

#include "support/lower.h"

#include <sys/wait.h>
#include <unistd.h>

typedef struct dump_case {
    const char *detection;
    const char *dump;
} dump_case;

static void check_dump(lowered *l, const char *want)
{
    sg_buf have = {0};
    sg_buf diags = {0};

    sc_diag_render(&l->s, &diags, false);
    if (l->s.errors > 0)
        printf("%.*s", SG_FMT(sg_buf_str(&diags)));
    CHECK_INT(l->s.errors, 0);
    CHECK_STR(lower_dump(l, &have), sg_str_of(want));
    sg_buf_free(&have);
    sg_buf_free(&diags);
    lower_free(l);
}

/* Values of field F and the predicates they become. */
static void test_values(void)
{
    static const dump_case cases[] = {
        {"F: Abc", "eq {\"abc\"}"},
        {"F: ''", "eq {\"\"}"},
        {"F: 'Abc*'", "starts {\"abc\"}"},
        {"F: '*Abc'", "ends {\"abc\"}"},
        {"F: '**Abc**'", "contains {\"abc\"}"},
        {"F: '*'", "any"},
        {"F|contains: ''", "any"},
        {"F: 'A?c'", "glob {\"a?c\"}"},
        {"F: '?'", "glob {\"?\"}"},
        {"F: 'A*c'", "glob {\"a*c\"}"},
        {"F: 'A*\\*\\?\\\\'", "glob {\"a*\\\\*\\\\?\\\\\\\\\"}"},
        {"F|cased: 'A?c'", "glob cased {\"A?c\"}"},
        {"F|cased|startswith: 'Ac'", "starts cased {\"Ac\"}"},
        {"F: 12", "num {12}"},
        {"F: 1.50", "num {1.5}"},
        {"F: true", "bool true"},
        {"F: null", "null"},
        {"F|exists: true", "exists"},
        {"F|re|i|s: 'A.c'", "regex i s {\"A.c\"}"},
        {"F|cidr: 10.1.2.3", "cidr {\"10.1.2.3/32\"}"},
        {"F|gt: 5", "gt {5}"},
        {"F|week: 5", "time-eq week {5}"},
        {"F|hour|lte: 5", "time-lte hour {5}"},
    };
    sg_buf detection = {0}, want = {0};
    size_t i;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        detection.len = want.len = 0;
        sg_buf_printf(&detection, "  s: {%s}\n  condition: s\n",
                      cases[i].detection);
        sg_buf_putc(&detection, '\0');
        sg_buf_printf(&want,
                      "field f0 \"F\" pred\n"
                      "pred p0 f0 %s\n"
                      "rule r0 s0 \"r\"\n"
                      "sel  s0 p0 \"s\"\n",
                      cases[i].dump);
        sg_buf_putc(&want, '\0');
        check_dump(lower_detection(detection.ptr), want.ptr);
    }
    sg_buf_free(&detection);
    sg_buf_free(&want);
}

static void test_items(void)
{
    static const dump_case cases[] = {
        /* a list is OR, all is AND, neq is NOT of the whole */
        {"  s: {F|contains|all|neq: [x, y]}\n"
         "  t: {F|exists: false, G|fieldref|endswith: H}\n"
         "  condition: s and not t\n",
         "field f0 \"F\" pred\n"
         "field f1 \"G\" pred\n"
         "field f2 \"H\" pred\n"
         "pred p0 f0 contains {\"x\"}\n"
         "pred p1 f0 contains {\"y\"}\n"
         "pred p2 f0 exists\n"
         "pred p3 f1 ref-ends f2\n"
         "node n2 and p0 p1\n"
         "node n3 not n2\n"
         "node n5 not p2\n"
         "node n7 and n5 p3\n"
         "node n10 not s1\n"
         "node n11 and s0 n10\n"
         "rule r0 n11 \"r\"\n"
         "sel  s0 n3 \"s\"\n"
         "sel  s1 n7 \"t\"\n"},
        /* keywords; numbers among them are text */
        {"  k: [Foo, 'b*r', 42]\n"
         "  condition: k\n",
         "field f0 keywords pred\n"
         "pred p0 f0 contains {\"foo\"}\n"
         "pred p1 f0 glob {\"*b*r*\"}\n"
         "pred p2 f0 contains {\"42\"}\n"
         "node n3 or p0 p1 p2\n"
         "rule r0 s0 \"r\"\n"
         "sel  s0 n3 \"k\"\n"},
        /* neq after a time part denies the equality */
        {"  s: {T|hour|neq: 3}\n"
         "  condition: s\n",
         "field f0 \"T\" pred\n"
         "pred p0 f0 time-eq hour {3}\n"
         "node n1 not p0\n"
         "rule r0 s0 \"r\"\n"
         "sel  s0 n1 \"s\"\n"},
        /* windash alternatives are any of, under all too */
        {"  s: {F|windash|contains|all: [' -a', 'b']}\n"
         "  condition: s\n",
         "field f0 \"F\" pred\n"
         "pred p0 f0 contains {\" -a\"}\n"
         "pred p1 f0 contains {\" /a\"}\n"
         "pred p2 f0 contains {\" \xe2\x80\x93"
         "a\"}\n"
         "pred p3 f0 contains {\" \xe2\x80\x94"
         "a\"}\n"
         "pred p4 f0 contains {\" \xe2\x80\x95"
         "a\"}\n"
         "pred p5 f0 contains {\"b\"}\n"
         "node n5 or p0 p1 p2 p3 p4\n"
         "node n7 and n5 p5\n"
         "rule r0 s0 \"r\"\n"
         "sel  s0 n7 \"s\"\n"},
    };
    size_t i;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        check_dump(lower_detection(cases[i].detection), cases[i].dump);
}

static void test_conditions(void)
{
    static const dump_case cases[] = {
        /* selectors; leading underscores; what is not used is left out */
        {"  sa: {A: 1}\n"
         "  sb: {B: 1}\n"
         "  _s: {C: 1}\n"
         "  un: {D: 1}\n"
         "  condition: all of s* or 1 of _*\n",
         "field f0 \"A\" pred\n"
         "field f1 \"B\" pred\n"
         "field f2 \"C\" pred\n"
         "pred p0 f0 num {1}\n"
         "pred p1 f1 num {1}\n"
         "pred p2 f2 num {1}\n"
         "node n5 and s0 s1\n"
         "node n7 or n5 s2\n"
         "rule r0 n7 \"r\"\n"
         "sel  s0 p0 \"sa\"\n"
         "sel  s1 p1 \"sb\"\n"
         "sel  s2 p2 \"_s\"\n"},
        /* a pattern that names nothing is false; a list is any of */
        {"  s: {A: 1}\n"
         "  condition:\n"
         "    - s and not 1 of f_*\n"
         "    - all of f_*\n",
         "field f0 \"A\" pred\n"
         "pred p0 f0 num {1}\n"
         "node n3 not false\n"
         "node n4 and s0 n3\n"
         "node n6 or n4 false\n"
         "rule r0 n6 \"r\"\n"
         "sel  s0 p0 \"s\"\n"},
    };
    size_t i;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        check_dump(lower_detection(cases[i].detection), cases[i].dump);
}

static void test_documents(void)
{
    check_dump(lower("title: base\n"
                     "name: base\n"
                     "level: high\n"
                     "logsource: {category: test}\n"
                     "detection: {s: {A: 1}, t: {B: 2}, condition: s}\n"
                     "sigcc:\n"
                     "  derive:\n"
                     "    Kind: {t: two, default: other}\n"
                     "---\n"
                     "title: other\n"
                     "name: other\n"
                     "logsource: {category: test}\n"
                     "detection: {s: {A: 2}, condition: s}\n"
                     "---\n"
                     "title: outer\n"
                     "correlation:\n"
                     "  type: temporal\n"
                     "  rules: [inner, other]\n"
                     "  timespan: 1m\n"
                     "---\n"
                     "title: inner\n"
                     "name: inner\n"
                     "correlation:\n"
                     "  type: value_count\n"
                     "  rules: [base, other]\n"
                     "  group-by: [who]\n"
                     "  aliases: {who: {base: Kind, other: U}}\n"
                     "  timespan: 5m\n"
                     "  condition: {field: V, gte: 3, lt: 9}\n"),
               "field f0 \"A\" pred\n"
               "field f1 \"B\" pred\n"
               "field f2 \"Kind\" context\n"
               "field f3 \"V\" context\n"
               "field f4 \"U\" context\n"
               "pred p0 f0 num {1}\n"
               "pred p1 f1 num {2}\n"
               "pred p2 f0 num {2}\n"
               "rule r0 s0 hidden level=\"high\" \"base\"\n"
               "sel  s0 p0 \"s\"\n"
               "sel  s1 p1 unnamed \"t\"\n"
               "derive f2 s1 \"two\"\n"
               "derive f2 default \"other\"\n"
               "rule r1 s0 hidden \"other\"\n"
               "sel  s0 p2 \"s\"\n"
               "corr c0 value_count 5m hidden \"inner\"\n"
               "by   \"who\"\n"
               "ref  r0 f2 of f3\n"
               "ref  r1 f4 of f3\n"
               "cond gte 3\n"
               "cond lt 9\n"
               "corr c1 temporal 1m \"outer\"\n"
               "ref  c0\n"
               "ref  r1\n"
               "cond gte 2\n");
    check_dump(lower("title: a\n"
                     "name: a\n"
                     "logsource: {category: test}\n"
                     "detection: {s: {A: 1}, condition: s}\n"
                     "---\n"
                     "title: b\n"
                     "name: b\n"
                     "logsource: {category: test}\n"
                     "detection: {s: {A: 2}, condition: s}\n"
                     "---\n"
                     "title: k\n"
                     "correlation:\n"
                     "  type: temporal\n"
                     "  rules: [a, b]\n"
                     "  group-by: [U]\n"
                     "  timespan: 1m\n"
                     "  condition: not (a and not b) or b\n"
                     "sigcc:\n"
                     "  report:\n"
                     "    columns: {count: N, last_seen: L}\n"
                     "    sort: -N\n"
                     "    limit: 7\n"),
               "field f0 \"A\" pred\n"
               "field f1 \"U\" context\n"
               "pred p0 f0 num {1}\n"
               "pred p1 f0 num {2}\n"
               "rule r0 s0 hidden \"a\"\n"
               "sel  s0 p0 \"s\"\n"
               "rule r1 s0 hidden \"b\"\n"
               "sel  s0 p1 \"s\"\n"
               "corr c0 temporal 1m \"k\"\n"
               "by   \"U\"\n"
               "ref  r0 f1\n"
               "ref  r1 f1\n"
               "expr 0 1 not and not 1 or\n"
               "report count=\"N\" last_seen=\"L\" sort=-0 limit=7\n");
}

/* A filter's selections are used but not the rule's own. */
static void test_filter(void)
{
    check_dump(lower("title: r\n"
                     "name: r\n"
                     "logsource: {category: test}\n"
                     "detection: {s: {A: 1}, condition: 1 of them}\n"
                     "---\n"
                     "title: f\n"
                     "logsource: {category: test}\n"
                     "filter:\n"
                     "  rules: [r]\n"
                     "  s: {B: 1}\n"
                     "  condition: not s\n"),
               "field f0 \"A\" pred\n"
               "field f1 \"B\" pred\n"
               "pred p0 f0 num {1}\n"
               "pred p1 f1 num {1}\n"
               "node n4 not s1\n"
               "node n5 and s0 n4\n"
               "rule r0 n5 \"r\"\n"
               "sel  s0 p0 \"s\"\n"
               "sel  s1 p1 unnamed \"s\"\n");
}

/* A refused rule leaves nothing behind; the others stay. */
static void test_refused(void)
{
    static const char *const bad[] = {
        "  s: [null]\n  condition: s\n",
        "  s: true\n  condition: s\n",
        "  s: {'|cidr': 10.0.0.0/8}\n  condition: s\n",
        "  s: {'|gt': 5}\n  condition: s\n",
        "  s: {'|exists': true}\n  condition: s\n",
        "  s: {'|fieldref': A}\n  condition: s\n",
        "  s: {'|hour': 5}\n  condition: s\n",
    };
    sg_buf yaml = {0};
    size_t i;

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        lowered *l;

        yaml.len = 0;
        sg_buf_printf(&yaml,
                      "title: bad\n"
                      "logsource: {category: test}\n"
                      "detection:\n"
                      "  x: {Lost: 1}\n"
                      "%s"
                      "---\n"
                      "title: good\n"
                      "logsource: {category: test}\n"
                      "detection: {s: {Kept: 1}, condition: s}\n",
                      bad[i]);
        sg_buf_putc(&yaml, '\0');
        l = lower(yaml.ptr);
        if (l->s.errors != 1)
            printf("  for: %s\n", bad[i]);
        CHECK_INT(l->s.errors, 1);
        CHECK_INT(l->ir->rules.count, 1);
        CHECK_INT(l->ir->preds.count, 1);
        CHECK_INT(l->ir->fields.count, 1);
        lower_free(l);
    }
    sg_buf_free(&yaml);
}

/* A pipeline that drops all a condition names takes the rule with it, and
 * what depends on the rule. */
static void test_emptied(void)
{
    sc_session s;
    sc_ast ast = {.rules = {0}};
    sc_pipelines pipelines = {.list = {0}};
    sc_ir *ir;

    sc_session_init(&s);
    sc_read_source(&s,
                   sc_source_add(&s, SG_S("t"),
                                 SG_S("title: r\n"
                                      "name: r\n"
                                      "logsource: {category: test}\n"
                                      "detection: {s: {A: 1}, t: {A: 2}, "
                                      "condition: s and not 1 of t*}\n"
                                      "---\n"
                                      "title: kept\n"
                                      "logsource: {category: test}\n"
                                      "detection: {s: {A: 1}, t: {B: 2}, "
                                      "condition: s or t}\n"
                                      "---\n"
                                      "title: k\n"
                                      "correlation: {type: event_count, "
                                      "rules: [r], timespan: 1m, "
                                      "condition: {gte: 2}}\n")),
                   &ast);
    CHECK(sc_pipeline_read(
        &s,
        sc_source_add(&s, SG_S("p"),
                      SG_S("name: p\n"
                           "transformations:\n"
                           "  - type: drop_detection_item\n"
                           "    field_name_conditions:\n"
                           "      - {type: include_fields, fields: [A]}\n")),
        &pipelines));
    sc_resolve(&s, &ast, &pipelines, NULL);
    ir = sc_ir_build(&s, &ast);
    sc_ir_verify(ir);
    CHECK_INT(s.errors, 2);
    CHECK_INT(ir->corrs.count, 0);
    CHECK_INT(ir->rules.count, 1);
    CHECK_INT(ir->sels.count, 1);
    CHECK_INT(ir->fields.count, 1);
    if (ir->rules.count == 1)
        CHECK_STR(ir->rules.items[0].meta.title, SG_S("kept"));
    sc_session_free(&s);
}

/* Selectors of selectors are bounded. */
static void test_bound(void)
{
    enum { COUNT = 1100 };
    sg_buf detection = {0};
    lowered *l;
    int i;

    for (i = 0; i < COUNT; i++)
        sg_buf_printf(&detection, "  s%d: {A: %d}\n", i, i);
    sg_buf_putz(&detection, "  condition: all of s*");
    for (i = 1; i < COUNT; i++)
        sg_buf_putz(&detection, " or all of s*");
    sg_buf_putz(&detection, "\n");
    sg_buf_putc(&detection, '\0');
    l = lower_detection(detection.ptr);
    CHECK_INT(l->s.errors, 1);
    CHECK_INT(l->ir->rules.count, 0);
    CHECK_INT(l->ir->nodes.count, 0);
    lower_free(l);
    sg_buf_free(&detection);
}

/* The verifier ends the program (status 3) for each way to break the IR. */
static void break_ir(sc_ir *ir, int how)
{
    switch (how) {
    case 0:
        ir->preds.items[0].field = 99;
        return;
    case 1:
        ir->preds.items[0].count = 3;
        return;
    case 2:
        ir->lits.items[0] = SG_S("ABC");
        return;
    case 3:
        ir->kids.items[0] = ir->nodes.count;
        return;
    case 4: /* a cycle */
        ir->kids.items[0] = ir->sels.items[0].node;
        return;
    case 5: /* a predicate in the condition */
        ir->rules.items[0].node = ir->sels.items[0].node;
        return;
    case 6:
        ir->rules.items[0].sel_count = 0;
        return;
    case 7:
        ir->rules.items[0].digest = SG_S("0123");
        return;
    default:
        ir->preds.items[0].flags = SIGMA_F_RE_I;
        return;
    }
}

static void test_verify(void)
{
    int how;

    for (how = 0; how < 9; how++) {
        pid_t child;
        int status = 0;

        fflush(stdout); /* or the child prints it again */
        child = fork();

        if (child == 0) {
            lowered *l = lower_detection("  s: {A: abc, B: x}\n"
                                         "  condition: s\n");

            break_ir(l->ir, how);
            if (freopen("/dev/null", "w", stderr) == NULL)
                _exit(1);
            sc_ir_verify(l->ir);
            _exit(0);
        }
        CHECK(child > 0);
        CHECK(waitpid(child, &status, 0) == child);
        if (!WIFEXITED(status) || WEXITSTATUS(status) != 3)
            printf("  for: %d\n", how);
        CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 3);
    }
}

int main(void)
{
    test_emptied();
    test_bound();
    test_verify();
    test_values();
    test_items();
    test_conditions();
    test_documents();
    test_filter();
    test_refused();
    return TEST_END();
}
