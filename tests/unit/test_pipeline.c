/*
 * test_pipeline.c - processing pipelines: each case reads one rule and one
 * pipeline and compares a piece of the dump, or the code of the first error.
 */
#include "resolve/resolve.h"
#include "support/test.h"

#include <stdlib.h>
#include <unistd.h>

#define NO_ERROR SC_CODE_COUNT

struct world {
    sc_session s;
    sc_ast ast;
    sc_pipelines pipes;
    sg_buf dump;
    bool read; /* all pipelines were read */
};

static uint32_t add(struct world *w, const char *path, const char *text)
{
    return sc_source_add(&w->s, sg_str_of(path), sg_str_of(text));
}

static void start(struct world *w, const char *rules)
{
    memset(w, 0, sizeof(*w));
    sc_session_init(&w->s);
    sc_read_source(&w->s, add(w, "rules.yml", rules), &w->ast);
    w->read = true;
}

static void pipe_in(struct world *w, const char *text)
{
    w->read =
        sc_pipeline_read(&w->s, add(w, "pipe.yml", text), &w->pipes) && w->read;
}

static void finish(struct world *w, const sc_placeholders *file)
{
    if (w->read)
        sc_resolve(&w->s, &w->ast, &w->pipes, file);
    sc_ast_dump(&w->dump, &w->ast);
}

static void stop(struct world *w)
{
    sg_buf_free(&w->dump);
    sc_session_free(&w->s);
}

static sc_code first_error(const struct world *w)
{
    for (uint32_t i = 0; i < w->s.diags.count; i++) {
        if (w->s.diags.items[i].severity == SC_ERROR)
            return w->s.diags.items[i].code;
    }
    return NO_ERROR;
}

static uint32_t count_code(const struct world *w, sc_code code)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < w->s.diags.count; i++)
        n += w->s.diags.items[i].code == code;
    return n;
}

/* The dump holds `want`; else both are shown. */
static void check_dump(const struct world *w, const char *name,
                       const char *want)
{
    const sg_str dump = sg_buf_str(&w->dump);
    const bool ok = sg_str_find(dump, sg_str_of(want)) != SIZE_MAX;

    CHECK(ok);
    if (!ok)
        printf("case '%s'\nhave:\n%.*swant:\n%s\n", name, SG_FMT(dump), want);
}

static void check_code(const struct world *w, const char *name, sc_code want)
{
    const sc_code have = first_error(w);

    CHECK_INT(have, want);
    if (have != want)
        printf("case '%s': have %s, want %s\n", name,
               have < NO_ERROR ? sc_code_name(have) : "no error",
               want < NO_ERROR ? sc_code_name(want) : "no error");
}

/* A rule around one detection map. */
#define RULE(detection)                                                        \
    "title: t\nid: 5f2d7c4a-0b55-4f6e-9a53-0a4d6a0c1b11\n"                     \
    "logsource: {product: windows, category: process_creation}\n"              \
    "level: high\nstatus: test\ntags: [attack.t1071]\n"                        \
    "fields: [A, Image]\ndetection:\n  sel: " detection "\n  condition: sel\n"

#define STEPS(text) "transformations:\n" text
#define STEP(text) STEPS("  - {" text "}\n")

struct one {
    const char *name, *detection, *pipeline, *want;
};

/* What the only selection becomes, as the dump writes it. */
static const struct one transforms[] = {
    {"map one", RULE("{A: 1}"),
     STEP("type: field_name_mapping, mapping: {A: b}"),
     "    field \"b\"\n      number 1\n"},
    {"map the list of fields", RULE("{A: 1}"),
     STEP("type: field_name_mapping, mapping: {A: [b, c]}"),
     "fields \"b\" \"c\" \"Image\"\n"},
    {"map to many", RULE("{A: 1}"),
     STEP("type: field_name_mapping, mapping: {A: [b, c]}"),
     "    or\n      field \"b\"\n        number 1\n      field \"c\"\n"},
    {"map a negated item to many: none of them", RULE("{A|neq: 1}"),
     STEP("type: field_name_mapping, mapping: {A: [b, c]}"),
     "    and\n      field \"b\" not\n        number 1\n"},
    {"map references to many", RULE("{X|fieldref: A}"),
     STEP("type: field_name_mapping, mapping: {A: [b, c]}"),
     "    field \"X\"\n      fieldref \"b\"\n      fieldref \"c\"\n"},
    {"keywords to a field", RULE("['x y', 5, '*z']"),
     STEP("type: field_name_mapping, mapping: {null: msg}"),
     "field \"msg\"\n      string \"*x y*\"\n      string \"*5*\"\n"
     "      string \"*z*\"\n"},
    {"prefix mapping takes the first", RULE("{a.b: 1}"),
     STEP("type: field_name_prefix_mapping, mapping: {a.: x_, a: y_}"),
     "field \"x_b\"\n"},
    {"suffix", RULE("{A: 1}"), STEP("type: field_name_suffix, suffix: .kw"),
     "field \"A.kw\"\n"},
    {"exclude fields", RULE("{A: 1, B: 2}"),
     STEP("type: field_name_prefix, prefix: p., field_name_conditions: "
          "[{type: exclude_fields, fields: [B]}]"),
     "field \"p.A\"\n        number 1\n      field \"B\"\n"},
    {"field patterns are anchored at the start", RULE("{xAB: 1, ABx: 2}"),
     STEP("type: field_name_prefix, prefix: p., field_name_conditions: "
          "[{type: include_fields, fields: ['A.'], mode: re}]"),
     "field \"xAB\"\n        number 1\n      field \"p.ABx\"\n"},
    {"drop inside a list of maps", RULE("[{A: 1}, {B: 2}]"),
     STEP("type: drop_detection_item, field_name_conditions: "
          "[{type: include_fields, fields: [B]}]"),
     "    or\n      field \"A\"\n        number 1\n  condition"},
    {"drop all", RULE("{A: 1}"), STEP("type: drop_detection_item"),
     "selection \"sel\" dropped\n"},
    {"replace with groups", RULE("{A: 'user@host'}"),
     STEP("type: replace_string, regex: '(\\w+)@(?P<h>\\w+)', "
          "replacement: '\\g<h>/\\1'"),
     "string \"host/user\"\n"},
    {"replacements may hold wildcards", RULE("{A: 'abc'}"),
     STEP("type: replace_string, regex: b, replacement: '*'"),
     "string \"a*c\"\n"},
    {"replacements escape wildcards", RULE("{A: 'abc'}"),
     STEP("type: replace_string, regex: b, replacement: '\\*'"),
     "string \"a\\\\*c\"\n"},
    {"a backslash before a wildcard survives",
     RULE("{A|endswith: 'x', "
          "B|startswith: 'q\\'}"),
     STEP("type: replace_string, regex: q, replacement: r"),
     "string \"r\\\\\\\\*\"\n"},
    {"literal wildcards survive", RULE("{A: 'q\\*\\?'}"),
     STEP("type: replace_string, regex: q, replacement: r"),
     "string \"r\\\\*\\\\?\"\n"},
    {"empty matches", RULE("{A: 'ab'}"),
     STEP("type: replace_string, regex: 'x*', replacement: '-'"),
     "string \"-a-b-\"\n"},
    {"numbers become text", RULE("{A: 42}"),
     STEP("type: replace_string, regex: '4', replacement: '7'"),
     "string \"72\"\n"},
    {"skip_special leaves wildcards", RULE("{A: 'a*a'}"),
     STEP("type: replace_string, regex: '.', replacement: 'b', "
          "skip_special: true"),
     "string \"b*b\"\n"},
    {"skip_special writes literal wildcards", RULE("{A: 'a'}"),
     STEP("type: replace_string, regex: 'a', replacement: '*', "
          "skip_special: true"),
     "string \"\\\\*\"\n"},
    {"map_string under all keeps alternatives", RULE("{A|all: [x, y]}"),
     STEP("type: map_string, mapping: {x: [p, q]}"),
     "field \"A\" all\n      any\n        string \"p\"\n        string \"q\"\n"
     "      string \"y\"\n"},
    {"set_value null", RULE("{A: [1, 2]}"),
     STEP("type: set_value, value: null"), "field \"A\"\n      null\n"},
    {"set_value as text", RULE("{A: x}"),
     STEP("type: set_value, value: 7, force_type: str"), "string \"7\"\n"},
    {"set_value as number", RULE("{A: x}"),
     STEP("type: set_value, value: '7', force_type: num"), "number 7\n"},
    {"convert to text", RULE("{A: 1.50}"),
     STEP("type: convert_type, target_type: str"), "string \"1.5\"\n"},
    {"convert to number", RULE("{A: '12'}"),
     STEP("type: convert_type, target_type: num"), "number 12\n"},
    {"upper case", RULE("{A: 'straße-ÿµ'}"), STEP("type: case, method: upper"),
     "string \"STRAẞE-ŸΜ\"\n"},
    {"snake case", RULE("{A: 'EventCode'}"),
     STEP("type: case, method: snake_case"), "string \"event_code\"\n"},
    {"hashes by length, all",
     RULE("{Hashes|contains|all: "
          "['MD5=00', 'SHA1=11']}"),
     STEP("type: hashes_fields, valid_hash_algos: [MD5, SHA1], "
          "drop_algo_prefix: true, field_prefix: H"),
     "    and\n      field \"H\" all\n        string \"00\"\n"},
    {"extract fields", RULE("{A: ['u:7', 'v:x']}"),
     STEP("type: extract_fields, regex: '(?P<n>\\w):(?P<v>\\w)', "
          "field_prefix: f"),
     "    or\n      and\n        field \"f.n\"\n          string \"u\"\n"
     "        field \"f.v\"\n          number 7\n"},
    {"add_condition, negated", RULE("{A: 1}"),
     STEP("type: add_condition, negated: true, name: extra, "
          "conditions: {C: [1, 2]}"),
     "condition (not \"extra\"@1 and \"sel\")\n"},
    {"templates", RULE("{A: 1}"),
     STEP("type: add_condition, template: true, conditions: "
          "{i: '$product/${category}$service$$x$y'}"),
     "string \"windows/process_creation$x$y\"\n"},
    {"attributes", RULE("{A: 1}"),
     STEP("type: set_custom_attribute, attribute: k, value: 5"),
     "attribute \"k\" \"5\"\n"},
    {"lists of fields", RULE("{A: 1}"),
     STEPS("  - {type: add_field, field: [x, y]}\n"
           "  - {type: remove_field, field: A}\n"),
     "fields \"Image\" \"x\" \"y\"\n"},
    {"wildcard placeholders in a regex", RULE("{A|re|expand: 'a%p%b'}"),
     STEP("type: wildcard_placeholders"), "regex \"a.{0,}b\"\n"},
    {"values under all stay alternatives",
     RULE("{A|contains|all|expand: ['%p%', z]}"),
     "vars: {p: [1, 'b*']}\n" STEP("type: value_placeholders"),
     "field \"A\" all\n      any\n        string \"*1*\"\n"
     "        string \"*b*\"\n      string \"*z*\"\n"},
    {"exclude leaves to the next", RULE("{A|expand: '%p%%q%'}"),
     "vars: {p: 1, q: 2}\n" STEPS(
         "  - {type: value_placeholders, exclude: [q]}\n"
         "  - {type: wildcard_placeholders}\n"),
     "string \"1*\"\n"},
    {"nothing else changes", RULE("{A: 1}"), "name: empty\n",
     "  selection \"sel\"\n    field \"A\"\n      number 1\n"},
};

/* Steps that rename A to hit when their conditions hold. */
#define WHEN(conditions)                                                       \
    STEPS("  - {type: set_state, key: k, val: 3}\n"                            \
          "  - {type: field_name_mapping, id: first, mapping: {B: b}}\n"       \
          "  - {type: field_name_mapping, mapping: {A: hit}, " conditions      \
          "}\n")

static const struct {
    const char *conditions; /* pipeline */
    bool holds;
} conditions[] = {
    {WHEN("id: x"), true},
    {WHEN("rule_conditions: [{type: logsource, product: windows}]"), true},
    {WHEN("rule_conditions: [{type: logsource, product: linux}]"), false},
    {WHEN("rule_conditions: [{type: logsource, service: sysmon}]"), false},
    {WHEN("rule_cond_not: true, rule_conditions: "
          "[{type: logsource, product: linux}]"),
     true},
    {WHEN("rule_cond_op: or, rule_conditions: "
          "[{type: logsource, product: linux}, {type: is_sigma_rule}]"),
     true},
    {WHEN("rule_conditions: [{type: is_sigma_correlation_rule}]"), false},
    {WHEN("rule_conditions: [{type: contains_field, field: A}]"), true},
    {WHEN("rule_conditions: [{type: contains_field, field: a}]"), false},
    {WHEN("rule_conditions: [{type: contains_detection_item, field: A, "
          "value: 'x*'}]"),
     true},
    {WHEN("rule_conditions: [{type: contains_detection_item, field: A, "
          "value: x}]"),
     false},
    {WHEN("rule_conditions: [{type: processing_item_applied, "
          "processing_item_id: first}]"),
     true},
    {WHEN("detection_item_conditions: [{type: processing_item_applied, "
          "processing_item_id: first}]"),
     false},
    {WHEN("rule_conditions: [{type: processing_state, key: k, val: 3}]"), true},
    {WHEN("rule_conditions: [{type: processing_state, key: k, val: 3, "
          "op: gt}]"),
     false},
    {WHEN("rule_conditions: [{type: processing_state, key: z, val: 3}]"),
     false},
    {WHEN("field_name_conditions: [{type: processing_state, key: k, val: 2, "
          "op: gte}]"),
     true},
    {WHEN("rule_conditions: [{type: tag, tag: attack.t1071}]"), true},
    {WHEN("rule_conditions: [{type: tag, tag: attack}]"), false},
    {WHEN("rule_conditions: [{type: rule_attribute, attribute: level, "
          "value: medium, op: gt}]"),
     true},
    {WHEN("rule_conditions: [{type: rule_attribute, attribute: status, "
          "value: stable, op: gte}]"),
     false},
    {WHEN("rule_conditions: [{type: rule_attribute, attribute: title, "
          "value: t}]"),
     true},
    {WHEN("rule_conditions: [{type: rule_attribute, attribute: tags, "
          "value: attack.t1071, op: in}]"),
     true},
    {WHEN("rule_conditions: [{type: rule_attribute, attribute: tags, "
          "value: attack.t1071, op: not_in}]"),
     false},
    {WHEN("rule_conditions: [{type: rule_attribute, attribute: own, "
          "value: 5, op: lt}]"),
     true},
    {WHEN("rule_conditions: [{type: rule_attribute, attribute: nothing, "
          "value: 5}]"),
     false},
    {WHEN("detection_item_conditions: [{type: match_string, cond: any, "
          "pattern: x}]"),
     true},
    {WHEN("detection_item_conditions: [{type: match_string, cond: any, "
          "pattern: z}]"),
     false},
    {WHEN("detection_item_conditions: [{type: match_string, cond: all, "
          "pattern: x}]"),
     false},
    {WHEN("detection_item_conditions: [{type: match_string, cond: all, "
          "pattern: 'q', negate: true}]"),
     true},
    {WHEN("detection_item_conditions: [{type: match_value, cond: any, "
          "value: yz}]"),
     true},
    {WHEN("detection_item_conditions: [{type: contains_wildcard, cond: any}]"),
     true},
    {WHEN("detection_item_conditions: [{type: contains_wildcard, cond: all}]"),
     false},
    {WHEN("detection_item_conditions: [{type: is_null, cond: any}]"), false},
    {WHEN("rule_cond_expr: a and not (b or b), rule_conditions: "
          "{a: {type: is_sigma_rule}, b: {type: is_sigma_correlation_rule}}"),
     true},
};

static const struct one errors[] = {
    {"E0401", RULE("{A: 1}"), "- a\n", NULL},
    {"E0401", RULE("{A: 1}"), "transformations: 5\n", NULL},
    {"E0402", RULE("{A: 1}"), "transfromations: []\n", NULL},
    {"E0402", RULE("{A: 1}"), STEP("type: nest, items: [], prefix: x"), NULL},
    {"E0402", RULE("{A: 1}"),
     STEP("type: add_field, field: x, rule_condition: []"), NULL},
    {"E0403", RULE("{A: 1}"), STEP("type: no_such_thing"), NULL},
    {"E0403", RULE("{A: 1}"), "finalizers: [{type: nope}]\n", NULL},
    {"E0404", RULE("{A: 1}"),
     STEP("type: add_field, field: x, rule_conditions: [{type: is_null, "
          "cond: any}]"),
     NULL},
    {"E0405", RULE("{A: 1}"), STEP("id: x"), NULL},
    {"E0405", RULE("{A: 1}"), STEP("type: field_name_mapping"), NULL},
    {"E0405", RULE("{A: 1}"),
     STEP("type: field_name_mapping, mapping: {A: []}"), NULL},
    {"E0405", RULE("{A: 1}"), STEP("type: case, method: title"), NULL},
    {"E0405", RULE("{A: 1}"), STEP("type: set_value, value: [1]"), NULL},
    {"E0405", RULE("{A: 1}"),
     STEP("type: value_placeholders, include: [a], exclude: [b]"), NULL},
    {"E0405", RULE("{A: 1}"), STEP("type: extract_fields, regex: '(a)'"), NULL},
    {"E0406", RULE("{A: 1}"),
     STEP("type: query_expression_placeholders, expression: x"), NULL},
    {"E0406", RULE("{A: 1}"), STEP("type: http_placeholders, url: x"), NULL},
    {"E0406", RULE("{A: 1}"), STEP("type: regex"), NULL},
    {"E0407", RULE("{A: 1}"),
     STEP("type: add_field, field: x, rule_cond_expr: a, rule_conditions: "
          "{a: {type: is_sigma_rule}, b: {type: is_sigma_rule}}"),
     NULL},
    {"E0407", RULE("{A: 1}"),
     STEP("type: add_field, field: x, rule_cond_expr: b, rule_conditions: "
          "{a: {type: is_sigma_rule}}"),
     NULL},
    {"E0407", RULE("{A: 1}"),
     STEP("type: add_field, field: x, rule_cond_expr: a, rule_conditions: "
          "[{type: is_sigma_rule}]"),
     NULL},
    {"E0408", RULE("{A: 1}"),
     STEP("type: replace_string, regex: '(', replacement: x"), NULL},
    {"E0409", RULE("{A: 1}"), STEP("type: rule_failure, message: no"), NULL},
    {"E0409", RULE("{A: 1}"),
     STEP("type: detection_item_failure, message: no, field_name_conditions: "
          "[{type: include_fields, fields: [A]}]"),
     NULL},
    {"E0409", RULE("{A: 1, B: 1}"),
     STEPS("  - {type: field_name_mapping, mapping: {A: a}}\n"
           "  - {type: strict_field_mapping_failure}\n"),
     NULL},
    {"E0410", RULE("{A: x}"), STEP("type: convert_type, target_type: num"),
     NULL},
    {"E0410", RULE("{Hashes: 'IMPHASH=1'}"),
     STEP("type: hashes_fields, valid_hash_algos: [MD5]"), NULL},
    {"E0411", RULE("{A|expand: '%x%'}"), "name: p\n", NULL},
    {"E0412", RULE("{A|expand: '%x%'}"), STEP("type: value_placeholders"),
     NULL},
    {"E0412", RULE("{A: 1}"), "vars: {a: {b: c}}\n", NULL},
    {"E0412", RULE("{A|re|expand: 'a%x%'}"),
     "vars: {x: '('}\n" STEP("type: value_placeholders"), NULL},
    {"E0413", RULE("{A: 1}"),
     STEP("type: file_placeholders, path: ../../etc/passwd"), NULL},
    {"E0413", RULE("{A: 1}"),
     STEP("type: file_placeholders, path: /etc/passwd"), NULL},
};

static void test_transforms(void)
{
    for (size_t i = 0; i < sizeof(transforms) / sizeof(transforms[0]); i++) {
        const struct one *c = &transforms[i];
        struct world w;
        start(&w, c->detection);
        pipe_in(&w, c->pipeline);
        finish(&w, NULL);
        check_code(&w, c->name, NO_ERROR);
        check_dump(&w, c->name, c->want);
        stop(&w);
    }
}

static void test_conditions(void)
{
    for (size_t i = 0; i < sizeof(conditions) / sizeof(conditions[0]); i++) {
        struct world w;
        start(&w, "own: 4\n" RULE("{A: ['x*', yz], B: 2}"));
        pipe_in(&w, conditions[i].conditions);
        finish(&w, NULL);
        check_code(&w, conditions[i].conditions, NO_ERROR);
        check_dump(&w, conditions[i].conditions,
                   conditions[i].holds ? "      field \"hit\""
                                       : "      field \"A\"");
        stop(&w);
    }
}

static void test_errors(void)
{
    for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
        const struct one *c = &errors[i];
        struct world w;
        sc_code want = NO_ERROR;
        CHECK(sc_code_find(sg_str_of(c->name), &want));
        start(&w, c->detection);
        pipe_in(&w, c->pipeline);
        finish(&w, NULL);
        check_code(&w, c->pipeline, want);
        CHECK(!w.read || w.ast.rules.count == 0);
        stop(&w);
    }
}

static void test_priorities(void)
{
    struct world w;

    start(&w, RULE("{A: 1}"));
    pipe_in(&w, "priority: 20\n" STEP("type: field_name_suffix, suffix: 2"));
    pipe_in(&w, "priority: 10\n" STEP("type: field_name_suffix, suffix: 1"));
    pipe_in(&w, "priority: 20\n" STEP("type: field_name_suffix, suffix: 3"));
    finish(&w, NULL);
    check_dump(&w, "priorities", "field \"A123\"\n");
    stop(&w);
}

static void test_placeholder_file(void)
{
    struct world w;

    start(&w, RULE("{A|expand|windash: '%x% -y', B|expand: '%n%'}"));
    const sc_placeholders *file = sc_placeholders_read(
        &w.s, sc_source_add(&w.s, SG_S("p.yml"), SG_S("x: [a, b]\nn: 5\n")));
    CHECK(file != NULL);
    finish(&w, file);
    check_code(&w, "placeholder file", NO_ERROR);
    check_dump(&w, "placeholder file", "string \"5\"\n");
    check_dump(&w, "in expansions", "string \"b /y\"\n");
    stop(&w);

    start(&w, RULE("{A: 1}"));
    CHECK(sc_placeholders_read(
              &w.s, sc_source_add(&w.s, SG_S("p.yml"), SG_S("x: {y: 1}\n"))) ==
          NULL);
    check_code(&w, "bad placeholder file", SC_E0413);
    stop(&w);
}

/* A mapping that doubles its field again and again must end. */
static void test_bounds(void)
{
    sg_buf pipe = {0};
    struct world w;

    sg_buf_putz(&pipe, "transformations:\n");
    for (int i = 0; i < 64; i++)
        sg_buf_putz(&pipe,
                    "  - {type: field_name_mapping, mapping: {A: [A, A]}}\n");
    start(&w, RULE("{A: 1}"));
    const uint32_t id = sc_source_add(&w.s, SG_S("p"), sg_buf_str(&pipe));
    w.read = sc_pipeline_read(&w.s, id, &w.pipes);
    finish(&w, NULL);
    check_code(&w, "doubling", SC_E0414);
    stop(&w);
    sg_buf_free(&pipe);

    start(&w, RULE("{A|expand: '%p%%p%%p%%p%%p%%p%%p%%p%%p%%p%'}"));
    pipe_in(&w, "vars: {p: [1, 2, 3, 4, 5, 6, 7, 8]}\n" STEP(
                    "type: value_placeholders"));
    finish(&w, NULL);
    check_code(&w, "combinations", SC_E0414);
    stop(&w);
}

static void test_correlation(void)
{
    static const char rules[] =
        "title: a\nname: a\nlogsource: {category: x}\n"
        "detection: {s: {F: 1}, condition: s}\n"
        "sigcc: {derive: {Kind: {s: one, default: two}}}\n"
        "---\n"
        "title: c\nname: c\ncorrelation:\n  type: value_count\n"
        "  rules: a\n  group-by: [U, who, Kind]\n  timespan: 1m\n"
        "  aliases: {who: {a: V}}\n  condition: {field: F, gte: 2}\n";
    struct world w;

    start(&w, rules);
    pipe_in(&w, STEP("type: field_name_prefix, prefix: p., rule_conditions: "
                     "[{type: logsource, category: x}]"));
    finish(&w, NULL);
    check_code(&w, "correlation", NO_ERROR);
    check_dump(&w, "group-by", "group-by \"p.U\" \"who\" \"Kind\"\n");
    check_dump(&w, "alias", "\"a\" \"p.V\"\n");
    check_dump(&w, "field", "of \"p.F\"\n");
    stop(&w);

    start(&w, rules);
    pipe_in(&w, STEP("type: field_name_mapping, mapping: {V: [x, y]}"));
    finish(&w, NULL);
    check_code(&w, "an alias is one field", SC_E0410);
    CHECK_INT(w.ast.rules.count, 1);
    stop(&w);
}

static void test_query_parts(void)
{
    struct world w;

    start(&w, RULE("{A: 1}"));
    pipe_in(&w, "postprocessing: [{type: embed, prefix: x}]\n"
                "finalizers: [{type: concat}]\nallowed_backends: [splunk]\n");
    finish(&w, NULL);
    CHECK(w.read);
    CHECK_INT(count_code(&w, SC_W0450), 2);
    CHECK_INT(w.ast.rules.count, 1);
    stop(&w);
}

static void write_file(const char *dir, const char *name, const char *text)
{
    char path[256];

    snprintf(path, sizeof(path), "%s/%s", dir, name);
    FILE *f = fopen(path, "w");
    CHECK(f != NULL);
    if (f == NULL)
        return;
    fputs(text, f);
    CHECK(fclose(f) == 0);
}

static void remove_file(const char *dir, const char *name)
{
    char path[256];

    snprintf(path, sizeof(path), "%s/%s", dir, name);
    CHECK(unlink(path) == 0);
}

/* Values of a file beside the pipeline, in each format. */
static void test_files(void)
{
    static const struct {
        const char *name, *text, *step;
    } files[] = {
        {"v.txt", " a \n\nb\r\nno\n",
         "type: file_placeholders, path: v.txt, filter: '^.$'"},
        {"v.csv", "id,name\r\n1,a\r\n2,\"b\"\r\n",
         "type: file_placeholders, path: v.csv, format: csv, "
         "csv_column: name"},
        {"v.csv", "a,1\nb,\"2,\n\"\"\"\n",
         "type: file_placeholders, path: v.csv, format: csv, csv_column: 0, "
         "csv_has_header: false"},
        {"v.json", "[\"a\", \"b\"]",
         "type: file_placeholders, path: v.json, format: json"},
    };
    char dir[] = "/tmp/sigcc_pipeline_XXXXXX";

    CHECK(mkdtemp(dir) != NULL);
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        struct world w;
        char path[256], step[512];
        write_file(dir, files[i].name, files[i].text);
        snprintf(path, sizeof(path), "%s/p.yml", dir);
        snprintf(step, sizeof(step), STEP("%s"), files[i].step);
        start(&w, RULE("{A|expand: '%x%'}"));
        w.read = sc_pipeline_read(&w.s, add(&w, path, step), &w.pipes);
        finish(&w, NULL);
        check_code(&w, files[i].step, NO_ERROR);
        check_dump(&w, files[i].step,
                   "field \"A\"\n      string \"a\"\n      string \"b\"\n  c");
        stop(&w);
        remove_file(dir, files[i].name);
    }
    CHECK(rmdir(dir) == 0);
}

int main(void)
{
    test_transforms();
    test_conditions();
    test_errors();
    test_priorities();
    test_placeholder_file();
    test_bounds();
    test_correlation();
    test_query_parts();
    test_files();
    return TEST_END();
}
