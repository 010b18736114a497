/*
 * test_agg.c - correlations under a hand clock: every type, window edges,
 * groups, chains, bounds, and search mode. Events are a few field texts, rules
 * a bit mask; no JSON, no clock of the machine.
 */
#include "agg/agg.h"
#include "support/test.h"

#include <stdlib.h>

enum { RULES = 4, FIELDS = 4, CORRS = 3 };

#define SECOND INT64_C(1000000000)

/* One event: the rules it matches and its fields. "#7" is the number 7, NULL
 * is missing. */
typedef struct ev {
    double t; /* seconds; negative: no time */
    unsigned rules;
    const char *fields[FIELDS];
} ev;

/* A detector of up to three correlations, filled in by each test. */
static struct {
    sigma_detector d;
    sigma_rule rules[RULES];
    sigma_field fields[FIELDS];
    sigma_correlation corrs[CORRS];
    sigma_corr_ref refs[16];
    uint32_t sources[64];
    sigma_corr_cond conds[8];
    sigma_expr exprs[16];
    sigma_corr_key keys[8];
    sigma_column columns[8];
} kit;

static const ev *current;
static sg_buf fired;    /* what fired, as text */
static bool fire_times; /* with times */

static bool read_field(void *ctx, uint32_t rule, uint32_t field, sr_cell *cell)
{
    const char *text = current->fields[field];

    (void)ctx;
    (void)rule;
    if (text == NULL)
        return false;
    *cell = (sr_cell){.kind = SR_STRING, .text = sg_str_of(text)};
    if (text[0] == '#') {
        cell->kind = SR_NUMBER;
        cell->text = sg_str_of(text + 1);
        CHECK(sg_num_parse(cell->text, &cell->num));
    }
    return true;
}

/* "c0[a,b] 3/2.5@17 " - correlation, group, count, value, line. */
static void note(void *ctx, const sr_firing *f)
{
    const sigma_correlation *def = &kit.corrs[f->correlation];
    char text[SG_NUM_TEXT];

    (void)ctx;
    sg_buf_printf(&fired, "c%u[", f->correlation);
    for (uint32_t i = 0; i < def->key_count; i++)
        sg_buf_printf(&fired, "%s%.*s", i == 0 ? "" : ",",
                      SG_FMT(f->keys[i].text));
    text[sg_num_text(f->value, text)] = '\0';
    sg_buf_printf(&fired, "] %llu/%s@%llu", (unsigned long long)f->count, text,
                  (unsigned long long)f->place.line);
    if (fire_times && f->first.timed)
        sg_buf_printf(&fired, " %lld-%lld", (long long)(f->first.time / SECOND),
                      (long long)(f->last.time / SECOND));
    sg_buf_putz(&fired, "; ");
}

static void reset_kit(void)
{
    memset(&kit, 0, sizeof(kit));
    kit.d = (sigma_detector){
        .abi = SIGMA_ABI,
        .size = sizeof(sigma_detector),
        .fields = kit.fields,
        .rules = kit.rules,
        .correlations = kit.corrs,
        .corr_refs = kit.refs,
        .corr_keys = kit.keys,
        .corr_sources = kit.sources,
        .corr_conds = kit.conds,
        .corr_exprs = kit.exprs,
        .columns = kit.columns,
        .field_count = FIELDS,
        .rule_count = RULES,
    };
}

/* Append a correlation over rules 0 .. refs-1: group-by fields 0 .. keys-1,
 * value fields after them. */
static sigma_correlation *add_corr(uint32_t type, double timespan,
                                   uint32_t refs, uint32_t keys,
                                   uint32_t values)
{
    sigma_correlation *c = &kit.corrs[kit.d.correlation_count++];

    *c = (sigma_correlation){
        .type = type,
        .timespan = (int64_t)(timespan * (double)SECOND),
        .ref_first = kit.d.corr_ref_count,
        .ref_count = refs,
        .key_count = keys,
        .source_first = kit.d.corr_source_count,
        .value_count = values,
        .cond_first = kit.d.corr_cond_count,
        .expr_first = kit.d.corr_expr_count,
        .sort_column = SIGMA_NONE,
        .limit = SIGMA_NONE,
    };
    for (uint32_t r = 0; r < refs; r++) {
        kit.refs[kit.d.corr_ref_count++].index = r;
        for (uint32_t k = 0; k < keys + values; k++)
            kit.sources[kit.d.corr_source_count++] = k;
    }
    return c;
}

/* A condition of the correlation added last. */
static void add_cond(sigma_cmp cmp, int64_t threshold)
{
    kit.conds[kit.d.corr_cond_count++] =
        (sigma_corr_cond){cmp, {.kind = SIGMA_INT, .v = {.i = threshold}}};
    kit.corrs[kit.d.correlation_count - 1].cond_count++;
}

static void add_expr(sigma_expr_op op, uint32_t arg)
{
    kit.exprs[kit.d.corr_expr_count++] = (sigma_expr){op, arg};
    kit.corrs[kit.d.correlation_count - 1].expr_count++;
}

static sr_agg *open_kit(bool search, bool every, uint64_t max_groups)
{
    const sr_agg_options options = {
        .search = search,
        .every_firing = every,
        .max_groups = max_groups,
        .max_memory = (uint64_t)64 << 20,
        .read = read_field,
        .fire = note,
    };

    fired.len = 0;
    return sr_agg_open(&kit.d, &options);
}

static void push(sr_agg *agg, const ev *e, uint64_t line)
{
    sr_hit hits[RULES];
    size_t count = 0;
    char raw[32];

    (void)snprintf(raw, sizeof(raw), "%g", e->t);
    current = e;
    for (uint32_t r = 0; r < RULES; r++)
        if ((e->rules >> r & 1) != 0)
            hits[count++] =
                (sr_hit){r, e->t >= 0, (int64_t)(e->t * (double)SECOND),
                         SR_NUMBER, sg_str_of(raw)};
    sr_agg_push(agg, hits, count, (sr_place){0, line});
}

static sr_agg_stats run(const ev *events, size_t count, bool search, bool every)
{
    sr_agg *agg = open_kit(search, every, 1000);

    for (size_t i = 0; i < count; i++)
        push(agg, &events[i], i + 1);
    sr_agg_finish(agg);
    const sr_agg_stats stats = sr_agg_totals(agg);

    sr_agg_close(agg);
    return stats;
}

/* Every firing, as text. */
#define FIRES(want, ...)                                                       \
    do {                                                                       \
        static const ev events[] = {__VA_ARGS__};                              \
        run(events, sizeof(events) / sizeof(*events), false, true);            \
        CHECK_STR(sg_buf_str(&fired), SG_S(want));                             \
    } while (0)
/* Alerts: the first of each run of firings. */
#define ALERTS(want, ...)                                                      \
    do {                                                                       \
        static const ev events[] = {__VA_ARGS__};                              \
        run(events, sizeof(events) / sizeof(*events), false, false);           \
        CHECK_STR(sg_buf_str(&fired), SG_S(want));                             \
    } while (0)
#define SEARCH(want, ...)                                                      \
    do {                                                                       \
        static const ev events[] = {__VA_ARGS__};                              \
        run(events, sizeof(events) / sizeof(*events), true, false);            \
        CHECK_STR(sg_buf_str(&fired), SG_S(want));                             \
    } while (0)

static void test_event_count(void)
{
    reset_kit();
    add_corr(SIGMA_CORR_EVENT_COUNT, 60, 2, 1, 0);
    add_cond(SIGMA_CMP_GTE, 2);
    /* Exactly a timespan old stays, a nanosecond more does not. */
    FIRES("c0[x] 2/2@2; c0[x] 2/2@3; ", {0, 1, {"x"}}, {60, 1, {"x"}},
          {120, 1, {"x"}}, {180.000000001, 1, {"x"}});
    /* Groups by text: the number 7 and "7" are one; missing takes no part. */
    FIRES("c0[7] 2/2@4; ", {0, 1, {"#7"}}, {1, 1, {"y"}}, {2, 1, {NULL}},
          {3, 1, {"7"}}, {4, 4, {"y"}});
    /* One event is one event, whatever it matches. */
    FIRES("c0[x] 2/2@2; ", {0, 3, {"x"}}, {1, 2, {"x"}});
    /* One alert while it holds; an empty window ends that. */
    ALERTS("c0[x] 2/2@2; c0[x] 2/2@6; ", {0, 1, {"x"}}, {1, 1, {"x"}},
           {2, 1, {"x"}}, {3, 1, {"x"}}, {100, 1, {"x"}}, {101, 1, {"x"}});
    /* It stops holding without running empty. */
    ALERTS("c0[x] 2/2@2; c0[x] 2/2@4; ", {0, 1, {"x"}}, {30, 1, {"x"}},
           {90.5, 1, {"x"}}, {100, 1, {"x"}}, {110, 1, {"x"}});
    /* Same times; no time at all. */
    FIRES("c0[x] 2/2@2; c0[x] 3/3@4; ", {5, 1, {"x"}}, {5, 1, {"x"}},
          {-1, 1, {"x"}}, {5, 1, {"x"}});
    fire_times = true;
    FIRES("c0[x] 2/2@2 0-60; c0[x] 2/2@3 60-61; ", {0, 1, {"x"}},
          {60, 1, {"x"}}, {61, 1, {"x"}});
    fire_times = false;

    reset_kit();
    add_corr(SIGMA_CORR_EVENT_COUNT, 60, 1, 0, 0);
    add_cond(SIGMA_CMP_LT, 2);
    FIRES("c0[] 1/1@1; c0[] 1/1@3; ", {0, 1, {0}}, {1, 1, {0}}, {90, 1, {0}});
    /* An empty window between them: two alerts. */
    ALERTS("c0[] 1/1@1; c0[] 1/1@2; ", {0, 1, {0}}, {61, 1, {0}});

    reset_kit();
    add_corr(SIGMA_CORR_EVENT_COUNT, 60, 1, 2, 0);
    add_cond(SIGMA_CMP_GT, 1);
    add_cond(SIGMA_CMP_LTE, 2);
    FIRES("c0[a,bc] 2/2@3; ", {0, 1, {"a", "bc"}}, {1, 1, {"ab", "c"}},
          {2, 1, {"a", "bc"}}, {3, 1, {"a", "bc"}}, {4, 1, {"a"}});
}

static void test_out_of_order(void)
{
    sr_agg_stats stats;
    static const ev unordered[] = {
        {100, 1, {"x"}}, {30, 1, {"x"}}, {70, 1, {"x"}}, {131, 1, {"x"}}};

    reset_kit();
    add_corr(SIGMA_CORR_EVENT_COUNT, 60, 1, 1, 0);
    add_cond(SIGMA_CMP_GTE, 2);
    /* 30 is more than a timespan behind 100; 70 takes its place before 100
     * and leaves first. */
    stats = run(unordered, 4, false, true);
    CHECK_STR(sg_buf_str(&fired), SG_S("c0[x] 2/2@3; c0[x] 2/2@4; "));
    CHECK_INT(stats.late, 1);

    reset_kit();
    add_corr(SIGMA_CORR_TEMPORAL_ORDERED, 60, 2, 1, 0);
    FIRES("c0[x] 2/2@2; ", {20, 2, {"x"}}, {10, 1, {"x"}});
    FIRES("c0[x] 3/2@3; ", {10, 1, {"x"}}, {5, 2, {"x"}}, {20, 2, {"x"}});
    reset_kit();
    add_corr(SIGMA_CORR_TEMPORAL, 60, 2, 1, 0);
    FIRES("c0[x] 2/2@2; ", {20, 2, {"x"}}, {10, 1, {"x"}}, {71, 2, {"x"}});
}

static void test_value_count(void)
{
    reset_kit();
    add_corr(SIGMA_CORR_VALUE_COUNT, 60, 1, 1, 1);
    add_cond(SIGMA_CMP_GTE, 2);
    FIRES("c0[a] 3/2@3; ", {0, 1, {"a", "u1"}}, {50, 1, {"a", "u1"}},
          {55, 1, {"a", "u2"}}, {170, 1, {"a", "u3"}}, {171, 1, {"a"}});
    /* A value seen again stays as long as its last event. */
    FIRES("c0[a] 2/2@3; ", {0, 1, {"a", "u"}}, {50, 1, {"a", "u"}},
          {100, 1, {"a", "v"}}, {111, 1, {"a", "v"}});

    reset_kit();
    add_corr(SIGMA_CORR_VALUE_COUNT, 60, 1, 1, 2);
    add_cond(SIGMA_CMP_GTE, 3);
    FIRES("c0[a] 4/3@4; ", {0, 1, {"a", "u1", "d1"}}, {1, 1, {"a", "u1", "d2"}},
          {2, 1, {"a", "u1", "d1"}}, {3, 1, {"a", "u2", "d2"}},
          {100, 1, {"a", "u9", "d9"}});
}

static void test_temporal(void)
{
    reset_kit();
    add_corr(SIGMA_CORR_TEMPORAL, 60, 3, 1, 0);
    FIRES("c0[u] 4/3@5; ", {0, 4, {"u"}}, {10, 1, {"u"}}, {20, 1, {"u"}},
          {30, 2, {"v"}}, {40, 2, {"u"}}, {61, 2, {"u"}});
    add_cond(SIGMA_CMP_GTE, 2);
    FIRES("c0[u] 1/2@1; c0[u] 2/2@2; ", {0, 3, {"u"}}, {1, 1, {"u"}},
          {61, 1, {"u"}});

    reset_kit();
    add_corr(SIGMA_CORR_TEMPORAL, 60, 2, 1, 0);
    add_expr(SIGMA_EXPR_REF, 0);
    add_expr(SIGMA_EXPR_REF, 1);
    add_expr(SIGMA_EXPR_NOT, 0);
    add_expr(SIGMA_EXPR_AND, 0);
    FIRES("c0[u] 1/1@3; ", {0, 2, {"u"}}, {10, 1, {"u"}}, {100, 1, {"u"}},
          {110, 2, {"u"}}, {120, 1, {"u"}});
}

static void test_ordered(void)
{
    reset_kit();
    add_corr(SIGMA_CORR_TEMPORAL_ORDERED, 60, 3, 1, 0);
    FIRES("c0[u] 5/3@5; c0[u] 6/3@6; ", {0, 2, {"u"}}, {1, 1, {"u"}},
          {2, 4, {"u"}}, {3, 2, {"u"}}, {4, 4, {"u"}}, {5, 1, {"u"}});
    /* The chain that began last counts; all of it must be in the window. */
    FIRES("c0[u] 3/3@4; ", {0, 1, {"u"}}, {50, 1, {"u"}}, {60, 2, {"u"}},
          {110, 4, {"u"}}, {111, 4, {"u"}});
    /* Equal times: in order of arrival. One event may take several places. */
    FIRES("c0[u] 3/3@3; ", {7, 1, {"u"}}, {7, 2, {"u"}}, {7, 4, {"u"}},
          {7, 4, {"v"}}, {7, 2, {"v"}}, {7, 1, {"v"}});
    FIRES("c0[u] 1/3@1; ", {7, 7, {"u"}});

    /* Fewer than all of them. */
    add_cond(SIGMA_CMP_GTE, 2);
    FIRES("c0[u] 3/2@3; ", {0, 4, {"u"}}, {1, 1, {"u"}}, {2, 4, {"u"}},
          {100, 1, {"u"}});
    /* The table of chains, made anew for events out of order. */
    FIRES("c0[u] 2/2@2; c0[u] 3/3@3; ", {20, 4, {"u"}}, {10, 1, {"u"}},
          {15, 2, {"u"}});

    /* The same rule twice needs two events. */
    reset_kit();
    add_corr(SIGMA_CORR_TEMPORAL_ORDERED, 60, 2, 1, 0);
    kit.refs[1].index = 0;
    FIRES("c0[u] 2/2@2; ", {0, 1, {"u"}}, {1, 1, {"u"}});
}

static void test_numbers(void)
{
    reset_kit();
    add_corr(SIGMA_CORR_VALUE_SUM, 60, 1, 1, 1);
    add_cond(SIGMA_CMP_GTE, 5);
    FIRES("c0[h] 2/5@5; ", {0, 1, {"h", "abc"}}, {1, 1, {"h"}},
          {2, 1, {"h", "#4"}}, {3, 1, {"i", "#4"}}, {4, 1, {"h", "1"}},
          {63, 1, {"h", "#1.5"}});
    FIRES("c0[h] 2/9007199254740993@2; c0[h] 3/9007199254740994@3; ",
          {0, 1, {"h", "#1"}}, {1, 1, {"h", "#9007199254740992"}},
          {2, 1, {"h", "#1"}});

    kit.corrs[0].type = SIGMA_CORR_VALUE_AVG;
    kit.conds[0].threshold = (sg_num){.kind = SIGMA_FLOAT, .v = {.f = 2.5}};
    kit.conds[0].cmp = SIGMA_CMP_GT;
    FIRES("c0[h] 3/3@3; ", {0, 1, {"h", "#2"}}, {1, 1, {"h", "#3"}},
          {2, 1, {"h", "#4"}}, {3, 1, {"h", "#0"}});

    kit.corrs[0].type = SIGMA_CORR_VALUE_MEDIAN;
    FIRES("c0[h] 2/3.5@2; c0[h] 3/3@3; ", {0, 1, {"h", "#1"}},
          {1, 1, {"h", "#6"}}, {2, 1, {"h", "#3"}}, {63, 1, {"h", "#2"}});

    kit.corrs[0].type = SIGMA_CORR_VALUE_PERCENTILE;
    kit.corrs[0].percentile = 90;
    FIRES("c0[h] 2/10.9@2; ", {0, 1, {"h", "#1"}}, {1, 1, {"h", "#12"}},
          {62, 1, {"h", "#2.5"}});
    /* Nothing but values that are no numbers: an empty window. */
    kit.conds[0].cmp = SIGMA_CMP_LT;
    FIRES("", {0, 1, {"h", "x"}}, {1, 1, {"h"}});
}

static void test_chain(void)
{
    /* c0: two of rule 0 by field 0; c1: c0 then rule 1, by field 1. */
    reset_kit();
    add_corr(SIGMA_CORR_EVENT_COUNT, 60, 1, 1, 0)->flags = SIGMA_CORR_HIDDEN;
    add_cond(SIGMA_CMP_GTE, 2);
    add_corr(SIGMA_CORR_TEMPORAL_ORDERED, 60, 2, 1, 0);
    kit.refs[1] = (sigma_corr_ref){0, true};
    kit.refs[2] = (sigma_corr_ref){1, false};
    kit.sources[kit.corrs[1].source_first] = 1;
    kit.sources[kit.corrs[1].source_first + 1] = 1;
    FIRES("c1[bob] 2/2@4; ", {0, 1, {"h", "bob"}}, {1, 1, {"h", "bob"}},
          {2, 2, {"h", "eve"}}, {3, 2, {"z", "bob"}});
    /* A visible inner one fires itself, before the outer. */
    kit.corrs[0].flags = 0;
    kit.refs[2] = (sigma_corr_ref){0, false};
    FIRES("c0[h] 2/2@2; c1[b] 1/2@2; ", {0, 1, {"h", "a"}}, {1, 1, {"h", "b"}});
}

static void test_aliases(void)
{
    reset_kit();
    add_corr(SIGMA_CORR_TEMPORAL, 30, 2, 2, 0);
    kit.sources[2] = 1;
    kit.sources[3] = 0;
    FIRES("c0[p,q] 2/2@3; ", {0, 1, {"p", "q"}}, {1, 2, {"p", "q"}},
          {2, 2, {"q", "p"}});
}

static void test_search(void)
{
    reset_kit();
    sigma_correlation *c = add_corr(SIGMA_CORR_EVENT_COUNT, 1, 1, 1, 0);

    add_cond(SIGMA_CMP_GTE, 2);
    fire_times = true;
    /* The window is everything; untimed events count; by first time. */
    SEARCH("c0[b] 2/2@4 1-9; c0[a] 3/3@5 2-500; ", {500, 1, {"a"}},
           {9, 1, {"b"}}, {2, 1, {"a"}}, {1, 1, {"b"}}, {-1, 1, {"a"}},
           {3, 1, {"c"}});
    kit.columns[0].kind = SIGMA_COLUMN_COUNT;
    kit.d.column_count = c->column_count = 1;
    c->sort_column = 0;
    c->flags = SIGMA_CORR_REPORT | SIGMA_CORR_SORT_DESC;
    c->limit = 2;
    fire_times = false;
    /* Ties by group, ascending; then the limit. */
    SEARCH("c0[b] 3/3@7; c0[a] 2/2@8; ", {0, 1, {"c"}}, {1, 1, {"c"}},
           {2, 1, {"b"}}, {3, 1, {"b"}}, {4, 1, {"a"}}, {5, 1, {"d"}},
           {6, 1, {"b"}}, {7, 1, {"a"}}, {8, 1, {"d"}});
    /* By key: numbers by value. */
    c->sort_column = 1;
    c->flags = SIGMA_CORR_REPORT;
    c->limit = SIGMA_NONE;
    SEARCH("c0[9] 2/2@2; c0[10] 2/2@4; ", {0, 1, {"#9"}}, {1, 1, {"#9"}},
           {2, 1, {"#10"}}, {3, 1, {"#10"}});

    /* Ordered over the whole input, in order of time. */
    reset_kit();
    add_corr(SIGMA_CORR_TEMPORAL_ORDERED, 1, 2, 1, 0);
    SEARCH("c0[u] 2/2@2; ", {900, 2, {"u"}}, {10, 1, {"u"}}, {10, 2, {"v"}},
           {900, 1, {"v"}});
    /* An inner correlation fires as it goes. */
    reset_kit();
    add_corr(SIGMA_CORR_EVENT_COUNT, 1, 1, 1, 0)->flags = SIGMA_CORR_HIDDEN;
    add_cond(SIGMA_CMP_GTE, 2);
    add_corr(SIGMA_CORR_EVENT_COUNT, 1, 1, 0, 0);
    add_cond(SIGMA_CMP_GTE, 1);
    kit.refs[1] = (sigma_corr_ref){0, true};
    SEARCH("c1[] 2/2@3; ", {0, 1, {"a"}}, {100, 1, {"a"}}, {200, 1, {"a"}});
}

static void test_bounds(void)
{
    char name[16];
    ev e = {0, 1, {name}};

    reset_kit();
    add_corr(SIGMA_CORR_EVENT_COUNT, 60, 1, 1, 0);
    add_cond(SIGMA_CMP_GTE, 2);
    sr_agg *agg = open_kit(false, true, 10);

    for (unsigned i = 0; i < 25; i++) {
        (void)snprintf(name, sizeof(name), "g%u", i);
        push(agg, &e, i);
    }
    CHECK_INT(sr_agg_totals(agg).groups, 10);
    CHECK_INT(sr_agg_totals(agg).refused, 15);
    CHECK_INT(sr_agg_refused(agg, 0), 15);
    /* Groups whose window is empty make room. */
    e.t = 61;
    push(agg, &e, 90);
    e.t = 62;
    push(agg, &e, 91);
    CHECK_STR(sg_buf_str(&fired), SG_S("c0[g24] 2/2@91; "));
    CHECK(sr_agg_totals(agg).groups < 10);
    CHECK_INT(sr_agg_totals(agg).refused, 15);
    sr_agg_close(agg);
}

/* Many groups and windows in steady state must not grow. */
static void test_steady(void)
{
    char name[16];
    char value[16];
    ev e = {0, 3, {name, value}};
    uint64_t held = 0;

    reset_kit();
    add_corr(SIGMA_CORR_EVENT_COUNT, 60, 1, 1, 0);
    add_cond(SIGMA_CMP_GTE, 1000000);
    add_corr(SIGMA_CORR_VALUE_COUNT, 60, 1, 1, 1);
    add_cond(SIGMA_CMP_GTE, 1000000);
    add_corr(SIGMA_CORR_VALUE_MEDIAN, 60, 1, 1, 1);
    add_cond(SIGMA_CMP_GTE, 1000000);
    sr_agg *agg = open_kit(false, true, 600);

    for (unsigned i = 0; i < 60000; i++) {
        e.t = i / 10.0;
        (void)snprintf(name, sizeof(name), "g%u", i / 8 % 5000);
        (void)snprintf(value, sizeof(value), "#%u", i % 7);
        push(agg, &e, i);
        if (i == 30000)
            held = sr_agg_totals(agg).bytes;
    }
    CHECK_INT(sr_agg_totals(agg).refused, 0);
    CHECK_INT(sr_agg_totals(agg).bytes, held);
    sr_agg_close(agg);
}

/* Every type in little memory: what does not fit is counted, the rest goes
 * on. */
static void test_little_memory(void)
{
    char name[16];
    char value[32];
    ev e = {0, 3, {name, value}};

    for (uint32_t type = 0; type < SIGMA_CORR_COUNT; type++)
        for (unsigned search = 0; search < 2; search++) {
            reset_kit();
            add_corr(type, 60, 2, 1, 1)->percentile = 90;
            add_cond(SIGMA_CMP_GTE, 1000000);
            sr_agg *agg = open_kit(search != 0, true, 1000000);
            const sr_agg_options tight = {
                .search = search != 0,
                .max_groups = 1000000,
                .max_memory = (uint64_t)700 << 10,
                .read = read_field,
                .fire = note,
            };

            sr_agg_close(agg);
            agg = sr_agg_open(&kit.d, &tight);
            for (unsigned i = 0; i < 20000; i++) {
                e.t = i / 1000.0;
                (void)snprintf(name, sizeof(name), "g%u", i * 7 % 5001);
                (void)snprintf(value, sizeof(value), "#%u.5", i);
                push(agg, &e, i);
            }
            CHECK(sr_agg_totals(agg).refused != 0);
            CHECK(sr_agg_totals(agg).bytes <= tight.max_memory);
            /* Once all windows are empty there is room again. */
            const uint64_t refused = sr_agg_totals(agg).refused;

            e.t = 1000;
            (void)snprintf(name, sizeof(name), "g0");
            push(agg, &e, 1);
            if (search == 0)
                CHECK_INT(sr_agg_totals(agg).refused, refused);
            sr_agg_finish(agg);
            sr_agg_close(agg);
        }
}

int main(void)
{
    test_event_count();
    test_out_of_order();
    test_value_count();
    test_temporal();
    test_ordered();
    test_numbers();
    test_chain();
    test_aliases();
    test_search();
    test_bounds();
    test_steady();
    test_little_memory();
    sg_buf_free(&fired);
    return TEST_END();
}
