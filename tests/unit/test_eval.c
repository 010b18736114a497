/*
 * test_eval.c - a hand-made detector: every operator against values of every
 * kind, gates, routes, derived fields, tables that must be refused, that
 * nothing is allocated once warm, and that evaluators share what they make.
 */
#include "eval/eval.h"
#include "support/alloc_count.h"
#include "support/test.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

/* -------- building tables --------------------------------------------------*/

enum { MOST = 64 };

/* A detector under construction. Field 0 is F, 1 is G, 2 the keywords. */
typedef struct bench {
    sigma_detector d;
    sg_buf pool;
    sigma_field fields[3];
    sigma_ref lits[MOST];
    sigma_num nums[MOST];
    sigma_pred preds[MOST];
    sigma_selection selections[MOST];
    sigma_match holds[MOST];
    sigma_derive derives[MOST];
    sigma_rule rules[MOST];
    sigma_match matches[MOST];
    uint32_t gates[MOST];
    sigma_clause clauses[MOST];
    sigma_route routes[MOST];
} bench;

static sigma_ref pooled(bench *b, sg_str s)
{
    const sigma_ref ref = {(uint32_t)b->pool.len, (uint32_t)s.len};

    sg_buf_put(&b->pool, s);
    return ref;
}

static void start(bench *b)
{
    memset(b, 0, sizeof(*b));
    b->fields[0] = (sigma_field){pooled(b, SG_S("F")), SIGMA_FIELD_PRED};
    b->fields[1] = (sigma_field){pooled(b, SG_S("G")), SIGMA_FIELD_CONTEXT};
    b->fields[2] = (sigma_field){pooled(b, SG_S("")),
                                 SIGMA_FIELD_PRED | SIGMA_FIELD_KEYWORDS};
    b->d = (sigma_detector){.abi = SIGMA_ABI,
                            .size = sizeof(sigma_detector),
                            .name = "bench",
                            .version = "0",
                            .manifest = "{}",
                            .fields = b->fields,
                            .lits = b->lits,
                            .nums = b->nums,
                            .preds = b->preds,
                            .selections = b->selections,
                            .holds = b->holds,
                            .derives = b->derives,
                            .rules = b->rules,
                            .matches = b->matches,
                            .gates = b->gates,
                            .clauses = b->clauses,
                            .routes = b->routes,
                            .field_count = 3};
}

static sr_eval *open_bench(bench *b)
{
    char reason[256] = "";

    b->d.pool = b->pool.ptr;
    b->d.pool_size = (uint32_t)b->pool.len;
    sr_eval *eval = sr_eval_open(&b->d, reason, sizeof(reason));
    if (eval == NULL)
        printf("%s\n", reason);
    return eval;
}

/* Add literals, separated by '|', and a predicate over them. */
static uint32_t pred_lits(bench *b, uint32_t field, sigma_op op, uint8_t flags,
                          const char *lits)
{
    const uint32_t first = b->d.lit_count;

    for (const char *p = lits; p != NULL;) {
        const char *bar = strchr(p, '|');
        const size_t len = bar == NULL ? strlen(p) : (size_t)(bar - p);
        b->lits[b->d.lit_count++] = pooled(b, (sg_str){p, len});
        p = bar == NULL ? NULL : bar + 1;
    }
    b->preds[b->d.pred_count] =
        (sigma_pred){field, (uint8_t)op, flags, first, b->d.lit_count - first};
    return b->d.pred_count++;
}

static uint32_t pred_num(bench *b, sigma_op op, uint8_t flags, const char *num)
{
    CHECK(sg_num_parse(sg_str_of(num), &b->nums[b->d.num_count]));
    b->preds[b->d.pred_count] =
        (sigma_pred){0, (uint8_t)op, flags, b->d.num_count++, 1};
    return b->d.pred_count++;
}

static uint32_t pred_first(bench *b, sigma_op op, uint8_t flags, uint32_t first)
{
    b->preds[b->d.pred_count] = (sigma_pred){0, (uint8_t)op, flags, first, 0};
    return b->d.pred_count++;
}

/* -------- running ----------------------------------------------------------*/

typedef struct runner {
    sr_eval *eval;
    sg_arena arena;
    sr_plan *plan;
    sr_event event;
} runner;

static void run_open(runner *r, bench *b)
{
    uint32_t count;

    memset(r, 0, sizeof(*r));
    r->eval = open_bench(b);
    CHECK(r->eval != NULL);
    if (r->eval == NULL)
        exit(1);
    const sr_want *wants = sr_eval_wants(r->eval, false, &count);
    r->plan = sr_plan_new(&r->arena, wants, count);
    sr_event_init(&r->event, b->d.field_count);
}

static void run_close(runner *r)
{
    sr_event_free(&r->event);
    sg_arena_free(&r->arena);
    sr_eval_close(r->eval);
}

static void run_event(runner *r, const char *json)
{
    sr_fault fault;

    sr_event_begin(&r->event, sg_str_of(json));
    CHECK(sr_project(r->plan, &r->event, &fault));
    sr_eval_begin(r->eval, &r->event);
}

static void expect(bench *b, uint32_t pred, const char *json, bool want,
                   int line)
{
    runner r;

    run_open(&r, b);
    run_event(&r, json);
    if (SIGMA_P(&r.event.bits, pred) != want)
        printf("line %d: predicate on %s\n", line, json);
    CHECK(SIGMA_P(&r.event.bits, pred) == want);
    CHECK((r.event.bits.known[pred >> 6] >> (pred & 63) & 1) == 1);
    CHECK(SIGMA_P(&r.event.bits, pred) == want);
    run_close(&r);
}
#define YES(pred, json) expect(&b, (pred), (json), true, __LINE__)
#define NO(pred, json) expect(&b, (pred), (json), false, __LINE__)

/* -------- operators --------------------------------------------------------*/

static void test_strings(void)
{
    bench b;

    start(&b);
    uint32_t p = pred_lits(&b, 0, SIGMA_OP_EQ, 0, "abc|443|true|\xC3\xA9");
    YES(p, "{\"F\":\"ABC\"}");
    YES(p, "{\"F\":443}");
    YES(p, "{\"F\":443.0}");
    YES(p, "{\"F\":true}");
    YES(p, "{\"F\":\"\\u00c9\"}");
    YES(p, "{\"F\":[\"x\",[\"abc\"]]}");
    NO(p, "{\"F\":\"abcd\"}");
    NO(p, "{\"F\":null}");
    NO(p, "{\"F\":{\"x\":\"abc\"}}");
    NO(p, "{\"F\":[]}");
    NO(p, "{}");
    p = pred_lits(&b, 0, SIGMA_OP_EQ, SIGMA_F_CASED, "AbC");
    YES(p, "{\"F\":\"AbC\"}");
    NO(p, "{\"F\":\"abc\"}");
    p = pred_lits(&b, 0, SIGMA_OP_STARTS, 0, "44");
    YES(p, "{\"F\":4430}");
    NO(p, "{\"F\":144}");
    p = pred_lits(&b, 0, SIGMA_OP_ENDS, 0, ".exe|.dll|.sys|.ocx|.com");
    YES(p, "{\"F\":\"C:\\\\X.EXE\"}");
    NO(p, "{\"F\":\"x.exe \"}");
    p = pred_lits(&b, 0, SIGMA_OP_CONTAINS, 0, "");
    YES(p, "{\"F\":\"\"}");
    YES(p, "{\"F\":0}");
    NO(p, "{\"F\":null}");
    NO(p, "{}");
    p = pred_lits(&b, 0, SIGMA_OP_CONTAINS, 0, "aa|bb|cc|dd|ee|ff|gg|hh|ii|jj");
    YES(p, "{\"F\":\"xxJJyy\"}");
    NO(p, "{\"F\":\"jxj\"}");
    p = pred_lits(&b, 0, SIGMA_OP_GLOB, 0, "a\xFF.\xFEs|x\xFEy");
    YES(p, "{\"F\":\"A\\n.Ss\"}");
    YES(p, "{\"F\":\"X\\ud83d\\ude00Y\"}");
    NO(p, "{\"F\":\"xy\"}");
    p = pred_lits(&b, 2, SIGMA_OP_CONTAINS, 0, "needle|46");
    YES(p, "{\"q\":{\"r\":[1,\"a NEEDLE\"]}}");
    YES(p, "{\"q\":1465}");
    NO(p, "{\"needle\":1}");
    sg_buf_free(&b.pool);
}

static void test_regex_and_cidr(void)
{
    bench b;

    start(&b);
    uint32_t p = pred_lits(&b, 0, SIGMA_OP_REGEX, 0, "^4\\d{3}$");
    YES(p, "{\"F\":4444}");
    YES(p, "{\"F\":[\"x\",\"4001\"]}");
    NO(p, "{\"F\":444}");
    NO(p, "{\"F\":null}");
    p = pred_lits(&b, 0, SIGMA_OP_REGEX, SIGMA_F_RE_I, "ab|^$");
    YES(p, "{\"F\":\"xAB\"}");
    YES(p, "{\"F\":\"\"}");
    NO(p, "{}");
    p = pred_lits(&b, 0, SIGMA_OP_CIDR, 0, "10.0.0.0/8|fe80::/10");
    YES(p, "{\"F\":\"10.1.2.3\"}");
    YES(p, "{\"F\":[\"x\",\"FE80::1\"]}");
    NO(p, "{\"F\":\"::ffff:10.0.0.1\"}");
    NO(p, "{\"F\":167772161}");
    sg_buf_free(&b.pool);
}

static void test_numbers(void)
{
    bench b;

    start(&b);
    uint32_t p = pred_num(&b, SIGMA_OP_NUM_EQ, 0, "1");
    YES(p, "{\"F\":1}");
    YES(p, "{\"F\":1.0}");
    YES(p, "{\"F\":\"1\"}");
    NO(p, "{\"F\":\"1.0\"}");
    NO(p, "{\"F\":true}");
    NO(p, "{\"F\":\"+1\"}");
    NO(p, "{}");
    p = pred_num(&b, SIGMA_OP_GT, 0, "9007199254740992");
    YES(p, "{\"F\":9007199254740993}");
    YES(p, "{\"F\":\"9007199254740993\"}");
    NO(p, "{\"F\":9007199254740992}");
    p = pred_num(&b, SIGMA_OP_GTE, 0, "0");
    YES(p, "{\"F\":\"0\"}");
    YES(p, "{\"F\":[\"x\",5]}");
    NO(p, "{\"F\":\"0x10\"}");
    NO(p, "{\"F\":\"12 kb\"}");
    NO(p, "{\"F\":\"\"}");
    NO(p, "{\"F\":true}");
    NO(p, "{\"F\":null}");
    p = pred_num(&b, SIGMA_OP_LT, 0, "-10");
    YES(p, "{\"F\":\"-10.5\"}");
    NO(p, "{\"F\":-10}");
    p = pred_num(&b, SIGMA_OP_LTE, 0, "-10");
    YES(p, "{\"F\":-10}");
    p = pred_num(&b, SIGMA_OP_TIME_GTE, SIGMA_HOUR << SIGMA_F_PART_SHIFT, "18");
    YES(p, "{\"F\":\"2024-03-01T18:00:00Z\"}");
    NO(p, "{\"F\":\"2024-03-01T17:59:59Z\"}");
    NO(p, "{\"F\":\"2024-03-01\"}");
    NO(p, "{\"F\":1715912399}");
    p = pred_num(&b, SIGMA_OP_TIME_EQ, SIGMA_YEAR << SIGMA_F_PART_SHIFT,
                 "2024");
    YES(p, "{\"F\":\"2024-03-01\"}");
    sg_buf_free(&b.pool);
}

static void test_presence(void)
{
    bench b;

    start(&b);
    const uint32_t null = pred_first(&b, SIGMA_OP_NULL, 0, 0);
    const uint32_t exists = pred_first(&b, SIGMA_OP_EXISTS, 0, 0);
    const uint32_t any = pred_first(&b, SIGMA_OP_ANY, 0, 0);
    const uint32_t yes = pred_first(&b, SIGMA_OP_BOOL, 0, 1);
    const uint32_t no = pred_first(&b, SIGMA_OP_BOOL, 0, 0);
    static const struct {
        const char *json;
        bool null, exists, any, yes, no;
    } rows[] = {
        {"{}", true, false, false, false, false},
        {"{\"F\":null}", true, true, false, false, false},
        {"{\"F\":\"\"}", false, true, true, false, false},
        {"{\"F\":\"null\"}", false, true, true, false, false},
        {"{\"F\":0}", false, true, true, false, false},
        {"{\"F\":[]}", false, true, false, false, false},
        {"{\"F\":{}}", false, true, false, false, false},
        {"{\"F\":[null,\"x\"]}", true, true, true, false, false},
        {"{\"F\":true}", false, true, true, true, false},
        {"{\"F\":\"TRUE\"}", false, true, true, true, false},
        {"{\"F\":1}", false, true, true, false, false},
        {"{\"F\":\"yes\"}", false, true, true, false, false},
        {"{\"F\":[false,\"true\"]}", false, true, true, true, true},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        expect(&b, null, rows[i].json, rows[i].null, __LINE__);
        expect(&b, exists, rows[i].json, rows[i].exists, __LINE__);
        expect(&b, any, rows[i].json, rows[i].any, __LINE__);
        expect(&b, yes, rows[i].json, rows[i].yes, __LINE__);
        expect(&b, no, rows[i].json, rows[i].no, __LINE__);
    }
    sg_buf_free(&b.pool);
}

static void test_references(void)
{
    bench b;

    start(&b);
    uint32_t p = pred_first(&b, SIGMA_OP_REF_EQ, 0, 1);
    YES(p, "{\"F\":\"bob\",\"G\":\"BOB\"}");
    YES(p, "{\"F\":1,\"G\":\"1\"}");
    YES(p, "{\"F\":[1,2],\"G\":[3,2]}");
    YES(p, "{\"F\":\"\",\"G\":\"\"}");
    NO(p, "{\"F\":null,\"G\":null}");
    NO(p, "{\"F\":\"a\"}");
    NO(p, "{\"G\":\"a\"}");
    NO(p, "{\"F\":{},\"G\":{}}");
    NO(p, "{}");
    p = pred_first(&b, SIGMA_OP_REF_EQ, SIGMA_F_CASED, 1);
    NO(p, "{\"F\":\"bob\",\"G\":\"BOB\"}");
    p = pred_first(&b, SIGMA_OP_REF_STARTS, 0, 1);
    YES(p, "{\"F\":\"C:\\\\Users\\\\x\",\"G\":\"c:\\\\users\"}");
    NO(p, "{\"G\":\"C:\\\\Users\\\\x\",\"F\":\"c:\\\\users\"}");
    p = pred_first(&b, SIGMA_OP_REF_ENDS, 0, 1);
    YES(p, "{\"F\":\"x\\\\Tool.EXE\",\"G\":\"tool.exe\"}");
    p = pred_first(&b, SIGMA_OP_REF_CONTAINS, 0, 1);
    YES(p, "{\"F\":\"xabcx\",\"G\":\"ABC\"}");
    NO(p, "{\"F\":\"abc\",\"G\":\"xabcx\"}");
    sg_buf_free(&b.pool);
}

/* Arrays whose product is out of reach are cut off, and that is counted. */
static void test_pair_limit(void)
{
    bench b;
    runner r;
    sg_buf json = {0};

    start(&b);
    const uint32_t p = pred_first(&b, SIGMA_OP_REF_EQ, 0, 1);
    sg_buf_putz(&json, "{\"F\":[0");
    for (int i = 0; i < 3000; i++)
        sg_buf_putz(&json, ",0");
    sg_buf_putz(&json, "],\"G\":[1");
    for (int i = 0; i < 3000; i++)
        sg_buf_putz(&json, ",1");
    sg_buf_putz(&json, "]}");
    sg_buf_putc(&json, '\0');
    run_open(&r, &b);
    run_event(&r, json.ptr);
    CHECK(!SIGMA_P(&r.event.bits, p));
    CHECK_INT(sr_eval_stats_get(r.eval)->pair_limits, 1);
    run_close(&r);
    sg_buf_free(&json);
    sg_buf_free(&b.pool);
}

static void test_regex_limit(void)
{
    bench b;
    runner r;

    start(&b);
    const uint32_t p = pred_lits(&b, 0, SIGMA_OP_REGEX, 0, "(?=)(a+)+$");
    run_open(&r, &b);
    run_event(&r, "{\"F\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab\"}");
    CHECK(!SIGMA_P(&r.event.bits, p));
    CHECK_INT(sr_eval_stats_get(r.eval)->regex_limits, 1);
    run_close(&r);
    sg_buf_free(&b.pool);
}

/* What does not compile is a loss at each search, and stops no other one. */
static void test_regex_refused(void)
{
    bench b;
    runner r;

    start(&b);
    const uint32_t p = pred_lits(&b, 0, SIGMA_OP_REGEX, 0, "a(b");
    const uint32_t q = pred_lits(&b, 0, SIGMA_OP_REGEX, 0, "a(b|^a$");
    run_open(&r, &b);
    CHECK_INT(sr_eval_stats_get(r.eval)->regex_refusals, 0);
    for (int round = 0; round < 2; round++) {
        run_event(&r, "{\"F\":\"a\"}");
        CHECK(!SIGMA_P(&r.event.bits, p));
        CHECK(SIGMA_P(&r.event.bits, q));
    }
    CHECK_INT(sr_eval_stats_get(r.eval)->regex_refusals, 4);
    CHECK_INT(sr_eval_stats_get(r.eval)->regex_limits, 0);
    run_close(&r);
    sg_buf_free(&b.pool);
}

/* -------- rules ------------------------------------------------------------*/

static bool select_0(sigma_event *p)
{
    return SIGMA_P(p, 0);
}

static bool select_1(sigma_event *p)
{
    return SIGMA_P(p, 1);
}

/* G is absent or x; notes that it was asked. */
static unsigned route_asked;

static bool route_g_x(sigma_event *p)
{
    route_asked++;
    return !SIGMA_P(p, 3) || SIGMA_P(p, 2);
}

static bool always(sigma_event *p)
{
    (void)p;
    return true;
}

/* Predicates: F = a, F = b, G = x, G exists. Rules: select_0; always behind
 * the gate F = b; always routed by G = x, twice; between them one routed by
 * F = a. */
static void build_rules(bench *b)
{
    start(b);
    (void)pred_lits(b, 0, SIGMA_OP_EQ, 0, "a");
    (void)pred_lits(b, 0, SIGMA_OP_EQ, 0, "b");
    (void)pred_lits(b, 1, SIGMA_OP_EQ, 0, "x");
    b->preds[b->d.pred_count++] = (sigma_pred){1, SIGMA_OP_EXISTS, 0, 0, 0};
    b->routes[0] = (sigma_route){route_g_x};
    b->routes[1] = (sigma_route){select_0};
    b->d.route_count = 2;
    b->holds[0] = select_0;
    b->holds[1] = select_1;
    b->d.selection_count = 2;
    b->derives[0] = (sigma_derive){1, 0, pooled(b, SG_S("first"))};
    b->derives[1] = (sigma_derive){1, 1, pooled(b, SG_S("second"))};
    b->derives[2] = (sigma_derive){0, SIGMA_NONE, pooled(b, SG_S("default"))};
    b->d.derive_count = 3;
    for (int i = 0; i < 5; i++) {
        b->rules[i].time_field = SIGMA_NONE;
        b->rules[i].route = SIGMA_NONE;
        b->matches[i] = always;
    }
    b->matches[0] = select_0;
    b->rules[0].selection_count = 2;
    b->rules[0].derive_count = 3;
    b->gates[0] = 1;
    b->d.gate_count = 1;
    b->rules[1].gate_count = 1;
    b->rules[2].route = b->rules[4].route = 0;
    b->rules[3].route = 1;
    b->d.rule_count = 5;
}

static void expect_hits(runner *r, const char *json, unsigned want)
{
    uint32_t hits[MOST];
    unsigned have = 0;

    run_event(r, json);
    const size_t n = sr_eval_rules(r->eval, &r->event, hits);
    for (size_t i = 0; i < n; i++) {
        CHECK(i == 0 || hits[i - 1] < hits[i]);
        have |= 1u << hits[i];
    }
    if (have != want)
        printf("rules on %s\n", json);
    CHECK_INT(have, want);
}

static void test_rules(void)
{
    bench b;
    runner r;
    sg_str text = {0};

    build_rules(&b);
    run_open(&r, &b);
    route_asked = 0;
    expect_hits(&r, "{}", 4 | 16);
    expect_hits(&r, "{\"F\":\"a\"}", 1 | 4 | 8 | 16);
    expect_hits(&r, "{\"F\":\"b\",\"G\":\"y\"}", 2);
    expect_hits(&r, "{\"F\":\"b\",\"G\":\"X\"}", 2 | 4 | 16);
    expect_hits(&r, "{\"F\":\"a\",\"G\":null}", 1 | 8);
    CHECK(!sr_eval_rule(r.eval, &r.event, 4));
    CHECK_INT(route_asked, 5);
    CHECK(sr_eval_derives(r.eval, 0, 1));
    CHECK(!sr_eval_derives(r.eval, 0, 2));
    CHECK(!sr_eval_derives(r.eval, 1, 1));
    CHECK(sr_eval_derived(r.eval, &r.event, 0, 1, &text));
    CHECK_STR(text, SG_S("first"));
    CHECK(sr_eval_derived(r.eval, &r.event, 0, 0, &text));
    CHECK_STR(text, SG_S("default"));
    run_event(&r, "{\"F\":\"b\"}");
    CHECK(sr_eval_derived(r.eval, &r.event, 0, 1, &text));
    CHECK_STR(text, SG_S("second"));
    run_event(&r, "{\"F\":\"c\"}");
    CHECK(!sr_eval_derived(r.eval, &r.event, 0, 1, &text));
    CHECK(!sr_eval_selection(r.eval, &r.event, 0));
    run_close(&r);
    sg_buf_free(&b.pool);
}

static void test_wants(void)
{
    bench b;
    uint32_t count;

    start(&b);
    (void)pred_lits(&b, 0, SIGMA_OP_EQ, 0, "a");
    sr_eval *eval = open_bench(&b);
    const sr_want *wants = sr_eval_wants(eval, false, &count);
    CHECK_INT(count, 2);
    CHECK_STR(wants[0].name, SG_S("F"));
    CHECK(wants[1].slot == 2 && wants[1].keywords && !wants[0].keywords);
    wants = sr_eval_wants(eval, true, &count);
    CHECK_INT(count, 1);
    CHECK_STR(wants[0].name, SG_S("G"));
    sr_eval_close(eval);
    /* A field a predicate refers to is needed at once. */
    (void)pred_first(&b, SIGMA_OP_REF_EQ, 0, 1);
    eval = open_bench(&b);
    (void)sr_eval_wants(eval, false, &count);
    CHECK_INT(count, 3);
    (void)sr_eval_wants(eval, true, &count);
    CHECK_INT(count, 0);
    sr_eval_close(eval);
    sg_buf_free(&b.pool);
}

/* -------- refused tables ---------------------------------------------------*/

static void refuse(bench *b, const char *what)
{
    char reason[256] = "";

    b->d.pool = b->pool.ptr;
    b->d.pool_size = (uint32_t)b->pool.len;
    sr_eval *eval = sr_detector_check(&b->d, reason, sizeof(reason))
                        ? sr_eval_open(&b->d, reason, sizeof(reason))
                        : NULL;
    if (eval != NULL)
        printf("accepted: %s\n", what);
    CHECK(eval == NULL);
    CHECK(reason[0] != '\0');
    sr_eval_close(eval);
    sg_buf_free(&b->pool);
}
#define REFUSED(change)                                                        \
    do {                                                                       \
        bench b;                                                               \
        build_rules(&b);                                                       \
        change;                                                                \
        refuse(&b, #change);                                                   \
    } while (0)

/* Rows of texts are looked at together; which one is at fault is told. */
static void test_place_of_fault(void)
{
    char reason[256] = "", want[256];
    bench b;

    build_rules(&b);
    b.d.pool = b.pool.ptr;
    b.d.pool_size = (uint32_t)b.pool.len;
    CHECK(sr_detector_check(&b.d, reason, sizeof(reason)));
    const uint32_t last = b.d.lit_count - 1;

    CHECK(last > 0);
    b.lits[last].len = UINT32_MAX;
    CHECK(!sr_detector_check(&b.d, reason, sizeof(reason)));
    snprintf(want, sizeof(want),
             "detector table lits, row %u: text beyond the pool",
             (unsigned)last);
    CHECK_STR(sg_str_of(reason), sg_str_of(want));
    b.lits[last].len = 0;
    b.gates[0] = UINT32_MAX;
    CHECK(!sr_detector_check(&b.d, reason, sizeof(reason)));
    CHECK_STR(sg_str_of(reason), SG_S("detector table gates, row 0: index "
                                      "beyond its table"));
    sg_buf_free(&b.pool);
}

static void test_refused_tables(void)
{
    sigma_correlation corr[2] = {{.ref_count = 1, .sort_column = SIGMA_NONE},
                                 {.sort_column = SIGMA_NONE}};
    const sigma_corr_ref ref = {1, true};

    REFUSED(b.d.abi++);
    REFUSED(b.d.size--);
    REFUSED(b.d.fields = NULL);
    REFUSED(b.fields[1].name.len = 1000);
    REFUSED(b.fields[1].name.off = UINT32_MAX);
    REFUSED(b.lits[0].off = (uint32_t)b.pool.len);
    REFUSED(b.preds[0].field = 3);
    REFUSED(b.preds[0].op = SIGMA_OP_COUNT);
    REFUSED(b.preds[0].count = UINT32_MAX);
    REFUSED(b.preds[2].first = 3);
    REFUSED((b.preds[2].op = SIGMA_OP_NUM_EQ));
    REFUSED((b.preds[2].op = SIGMA_OP_REF_EQ, b.preds[2].first = 3));
    REFUSED((b.preds[2].op = SIGMA_OP_BOOL, b.preds[2].first = 2));
    REFUSED((b.preds[2] = (sigma_pred){0, SIGMA_OP_TIME_EQ, 0x60, 0, 0}));
    REFUSED((b.preds[2].op = SIGMA_OP_CIDR));
    REFUSED(b.matches[0] = NULL);
    REFUSED(b.d.matches = NULL);
    REFUSED(b.gates[0] = 4);
    REFUSED(b.rules[0].gate_count = 2);
    REFUSED((b.d.clause_count = 1));
    REFUSED((b.d.clause_count = 1, b.clauses[0] = (sigma_clause){9, 0, 1}));
    REFUSED((b.d.clause_count = 1, b.clauses[0] = (sigma_clause){0, 0, 2}));
    REFUSED((b.d.clause_count = 1, b.clauses[0] = (sigma_clause){0, 0, 2},
             b.gates[1] = 0, b.d.gate_count = 2, b.preds[0].field = 1));
    REFUSED(b.rules[0].route = 2);
    REFUSED(b.rules[0].time_field = 3);
    REFUSED(b.rules[0].selection_first = 1);
    REFUSED(b.rules[0].derive_first = 1);
    REFUSED(b.rules[0].meta.tag_count = 1);
    REFUSED(b.rules[0].meta.title.len = 1u << 30);
    REFUSED((b.rules[0].digest.off = 1u << 30, b.rules[0].digest.len = 64));
    REFUSED(b.rules[0].digest.len = 1);
    REFUSED(b.derives[0].selection = 2);
    REFUSED(b.derives[0].field = 3);
    REFUSED(b.holds[1] = NULL);
    REFUSED(b.d.holds = NULL);
    REFUSED(b.routes[0].accepts = NULL);
    REFUSED((b.d.correlations = corr, b.d.correlation_count = 2,
             b.d.corr_refs = &ref, b.d.corr_ref_count = 1));
    REFUSED((b.d.num_count = 1, b.nums[0].kind = SIGMA_FLOAT,
             b.nums[0].v.u = UINT64_C(0x7ff8000000000000)));
}

/* Tables that only events need are looked at before the first. */
static void test_late_refusal(void)
{
    char reason[256] = "";
    int status = 0;
    bench b;

    build_rules(&b);
    sr_eval_close(open_bench(&b));
    b.gates[0] = UINT32_MAX;
    CHECK(sr_detector_check_start(&b.d, reason, sizeof(reason)));
    fflush(NULL);
    const pid_t child = fork();

    if (child == 0) {
        uint32_t count;

        (void)dup2(open("/dev/null", O_WRONLY), STDERR_FILENO);
        (void)sr_eval_wants(open_bench(&b), false, &count);
        _exit(0);
    }
    CHECK(waitpid(child, &status, 0) == child);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 3);
    sg_buf_free(&b.pool);
}

/* -------- memory -----------------------------------------------------------*/

/* One predicate of each kind of operand. */
static void build_every_kind(bench *b)
{
    start(b);
    (void)pred_lits(b, 0, SIGMA_OP_EQ, 0, "a|bc");
    (void)pred_lits(b, 0, SIGMA_OP_STARTS, SIGMA_F_CASED, "a|bc");
    (void)pred_lits(b, 0, SIGMA_OP_CONTAINS, 0, "xyz|bc");
    (void)pred_lits(b, 0, SIGMA_OP_ENDS, 0, "xyz|bc");
    (void)pred_lits(b, 0, SIGMA_OP_GLOB, 0,
                    "a\xFF"
                    "b|\xFE"
                    "bc");
    (void)pred_lits(b, 2, SIGMA_OP_CONTAINS, 0, "keyword");
    (void)pred_lits(b, 0, SIGMA_OP_REGEX, 0, "(?=)(a+)+$|[a-z]+\\d(?=x)");
    (void)pred_lits(b, 0, SIGMA_OP_CIDR, 0, "10.0.0.0/8");
    (void)pred_num(b, SIGMA_OP_NUM_EQ, 0, "1.5");
    (void)pred_num(b, SIGMA_OP_GT, 0, "7");
    (void)pred_num(b, SIGMA_OP_TIME_EQ, SIGMA_HOUR << SIGMA_F_PART_SHIFT, "7");
    (void)pred_first(b, SIGMA_OP_BOOL, 0, 1);
    (void)pred_first(b, SIGMA_OP_NULL, 0, 0);
    (void)pred_first(b, SIGMA_OP_EXISTS, 0, 0);
    (void)pred_first(b, SIGMA_OP_REF_CONTAINS, 0, 1);
}

static void run_all(runner *r, uint32_t preds, const char *json)
{
    run_event(r, json);
    for (uint32_t p = 0; p < preds; p++)
        (void)SIGMA_P(&r->event.bits, p);
}

static const char *const some[] = {
    "{\"F\":\"ABC\",\"G\":\"b\"}",
    "{\"F\":[1.5,8,true,null,\"10.1.2.3\"],\"x\":\"a keyword\"}",
    "{\"F\":\"2026-01-02T07:00:00Z\",\"G\":[\"\\u00c4\",\"7\"]}",
    "{\"F\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab\"}",
    "{}",
};

enum { SOME = sizeof(some) / sizeof(*some) };

static void test_no_allocation(void)
{
    bench b;
    runner r;
    unsigned long before = 0;
    sg_buf text = {0};

    /* Long enough to be searched by pieces. */
    sg_buf_put(&text, SG_S("{\"F\":\""));
    for (int i = 0; i < 500; i++)
        sg_buf_put(&text, SG_S("abc1 \xC3\xA9 "));
    sg_buf_put(&text, SG_S("\"}"));
    sg_buf_putc(&text, '\0');
    build_every_kind(&b);
    run_open(&r, &b);
    CHECK(alloc_count_start());
    for (int round = 0; round < 20; round++) {
        if (round == 3)
            before = alloc_calls;
        for (size_t i = 0; i < SOME; i++)
            run_all(&r, b.d.pred_count, some[i]);
        run_all(&r, b.d.pred_count, text.ptr);
    }
    CHECK(before != 0); /* the warm-up was counted */
    CHECK_INT(alloc_calls - before, 0);
    CHECK(sr_eval_stats_get(r.eval)->regex_limits != 0);
    run_close(&r);
    sg_buf_free(&text);
    sg_buf_free(&b.pool);
}

/* -------- sharing ----------------------------------------------------------*/

/* Whichever makes it, and whichever is closed first. */
static void test_sharing(void)
{
    char reason[256] = "";
    bench b;
    runner alone, one, other = {.eval = NULL};

    build_every_kind(&b);
    run_open(&alone, &b);
    run_open(&one, &b);
    other.eval = sr_eval_beside(one.eval, reason, sizeof(reason));
    other.plan = alone.plan;
    sr_event_init(&other.event, b.d.field_count);
    for (size_t i = 0; i < SOME; i++) {
        run_all(&alone, b.d.pred_count, some[i]);
        run_all(i % 2 == 0 ? &one : &other, b.d.pred_count, some[i]);
        run_all(i % 2 == 0 ? &other : &one, b.d.pred_count, some[i]);
        CHECK_INT(one.event.bits.value[0], alone.event.bits.value[0]);
        CHECK_INT(other.event.bits.value[0], alone.event.bits.value[0]);
    }
    run_close(&one);
    run_all(&other, b.d.pred_count, some[0]);
    CHECK_INT(other.event.bits.value[0] >> 2 & 1, 1);
    run_close(&other);
    run_close(&alone);
    sg_buf_free(&b.pool);
}

int main(void)
{
    test_strings();
    test_regex_and_cidr();
    test_numbers();
    test_presence();
    test_references();
    test_pair_limit();
    test_regex_limit();
    test_regex_refused();
    test_rules();
    test_wants();
    test_place_of_fault();
    test_refused_tables();
    test_late_refusal();
    test_no_allocation();
    test_sharing();
    return TEST_END();
}
