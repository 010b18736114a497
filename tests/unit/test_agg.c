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
static sg_arena arena; /* of the layout in use */
static sr_layout *layout;
static sg_buf made; /* contributions of the event at hand */
static uint64_t event_count, untimed;
static int64_t newest;
static uint64_t most_memory = (uint64_t)64 << 20;
static uint32_t shards = 1;
static sr_firing last;  /* without its keys */
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
    last = *f;
    last.keys = NULL;
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
        .max_memory = most_memory,
        .exact_values = 1000,
        .shards = shards,
        .fire = note,
    };

    fired.len = 0;
    event_count = untimed = 0;
    newest = INT64_MIN;
    sg_arena_reset(&arena);
    layout = sr_layout_new(&arena, &kit.d, search);
    return sr_agg_open(layout, &options);
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
    sr_missed missed;

    made.len = 0;
    sr_contribute(layout,
                  &(sr_matched){hits, count, {.line = line}, read_field, NULL},
                  &made, &missed);
    event_count++;
    untimed += missed.untimed;
    for (size_t at = 0; at < made.len;) {
        sr_contribution *c = (sr_contribution *)(void *)(made.ptr + at);

        CHECK(sr_contribution_valid(layout, (sg_str){made.ptr + at, c->size}));
        if (c->time > newest)
            newest = c->time;
        c->event = event_count;
        c->newest = newest;
        sr_agg_feed(agg, c);
        at += c->size;
    }
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

/* Events in no order, and a chain of three asked for in two ways, of which one
 * follows whole chains only and the other all: both fire alike. */
static void test_late_chains(void)
{
    enum { EVENTS = 60, SEEDS = 300 };
    ev events[EVENTS];
    sg_buf want = {0};
    uint32_t state = 1;

    for (unsigned seed = 0; seed < SEEDS; seed++) {
        for (size_t i = 0; i < EVENTS; i++) {
            state = state * 1664525 + 1013904223;
            events[i] = (ev){(double)i + (state >> 8) % 20,
                             (state >> 16) % (seed % 2 == 0 ? 7 : 5),
                             {"x"}};
        }
        reset_kit();
        add_corr(SIGMA_CORR_TEMPORAL_ORDERED, 25, 3, 1, 0);
        run(events, EVENTS, false, true);
        want.len = 0;
        sg_buf_put(&want, sg_buf_str(&fired));
        add_cond(SIGMA_CMP_GTE, 3);
        add_cond(SIGMA_CMP_LTE, 3);
        run(events, EVENTS, false, true);
        CHECK_STR(sg_buf_str(&fired), sg_buf_str(&want));
    }
    sg_buf_free(&want);
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
    CHECK_INT(sr_agg_totals(agg).evicted, 15);
    CHECK_INT(sr_agg_losses(agg, 0).evicted, 15);
    /* The longest idle went: of g15 to g24 g15 is next, unless it is touched.
     */
    (void)snprintf(name, sizeof(name), "g15");
    push(agg, &e, 50);
    (void)snprintf(name, sizeof(name), "new");
    push(agg, &e, 51);
    (void)snprintf(name, sizeof(name), "g16");
    push(agg, &e, 52);
    (void)snprintf(name, sizeof(name), "g15");
    push(agg, &e, 53);
    CHECK_STR(sg_buf_str(&fired), SG_S("c0[g15] 2/2@50; c0[g15] 3/3@53; "));
    CHECK_INT(sr_agg_totals(agg).evicted, 17);
    /* Groups whose window is empty make room and are no loss. */
    e.t = 61;
    for (unsigned i = 0; i < 5; i++) {
        (void)snprintf(name, sizeof(name), "h%u", i);
        push(agg, &e, 90);
    }
    CHECK_INT(sr_agg_totals(agg).groups, 10);
    CHECK_INT(sr_agg_totals(agg).expired, 5);
    CHECK_INT(sr_agg_totals(agg).evicted, 17);
    CHECK_INT(sr_agg_totals(agg).refused, 0);
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
    CHECK(sr_agg_totals(agg).bytes < held + held / 20);
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
            most_memory = (uint64_t)700 << 10;
            sr_agg *agg = open_kit(search != 0, true, 1000000);

            for (unsigned i = 0; i < 20000; i++) {
                e.t = i / 1000.0;
                (void)snprintf(name, sizeof(name), "g%u", i * 7 % 5001);
                (void)snprintf(value, sizeof(value), "#%u.5", i);
                push(agg, &e, i);
            }
            CHECK(sr_agg_totals(agg).evicted != 0);
            CHECK(sr_agg_totals(agg).bytes <= most_memory);
            /* One group that outgrows it all loses what does not fit. */
            (void)snprintf(name, sizeof(name), "g0");
            for (unsigned i = 0; i < 100000; i++) {
                (void)snprintf(value, sizeof(value), "#%u.5", i);
                push(agg, &e, i);
            }
            CHECK(sr_agg_totals(agg).bytes <= most_memory);
            CHECK(search != 0 || sr_agg_totals(agg).refused != 0);
            /* Once all windows are empty there is room again. */
            const uint64_t refused = sr_agg_totals(agg).refused;

            e.t = 1000;
            push(agg, &e, 1);
            if (search == 0)
                CHECK_INT(sr_agg_totals(agg).refused, refused);
            sr_agg_finish(agg);
            sr_agg_close(agg);
            most_memory = (uint64_t)64 << 20;
        }
}

/* -------- sketches ------------------------------------------------------- */

static void check_near(double have, double want, double error)
{
    if (have < want * (1 - error) || have > want * (1 + error)) {
        (void)fprintf(stderr, "%g is not %g within %g\n", have, want, error);
        CHECK("a sketch is too far off" == NULL);
    }
}

/* Values go over to a sketch, slide out of the window exactly, and are exact
 * again once it has run empty. */
static void test_sketch(uint32_t type, bool search)
{
    char value[32];
    ev e = {0, 1, {"g", value}};

    reset_kit();
    add_corr(type, 1000, 1, 1, 1)->percentile = 90;
    add_cond(SIGMA_CMP_GTE, 0);
    sr_agg *agg = open_kit(search, true, 10);

    for (unsigned i = 0; i < 20000; i++) {
        e.t = i / 2.0; /* 2001 events in the window */
        (void)snprintf(value, sizeof(value), "#%u", i % 5000 + 1);
        push(agg, &e, i);
        if (search || (i != 999 && i != 15000 && i != 19999))
            continue;
        const bool count = type == SIGMA_CORR_VALUE_COUNT;
        const double value_now = i % 5000 + 1.0;

        CHECK(last.approximate == (i > 1000));
        if (i == 999)
            CHECK(sg_num_double(last.value) == (count ? 1000.0 : 900.1));
        if (i == 15000) /* 3000 to 5000, 1 */
            check_near(sg_num_double(last.value), count ? 2001 : 4799,
                       last.error.share);
        if (i == 19999)
            check_near(sg_num_double(last.value),
                       count ? 2001 : value_now - 200, last.error.share);
    }
    CHECK_INT(sr_agg_totals(agg).sketched, 1);
    sr_agg_finish(agg);
    if (search) {
        CHECK(last.approximate && last.count == 20000);
        check_near(sg_num_double(last.value),
                   type == SIGMA_CORR_VALUE_COUNT ? 5000 : 4500,
                   last.error.share);
    } else {
        e.t = 1e6;
        push(agg, &e, 1);
        CHECK(!last.approximate && last.count == 1);
    }
    sr_agg_close(agg);
}

static void test_sketches(void)
{
    test_sketch(SIGMA_CORR_VALUE_COUNT, false);
    test_sketch(SIGMA_CORR_VALUE_COUNT, true);
    test_sketch(SIGMA_CORR_VALUE_PERCENTILE, false);
    test_sketch(SIGMA_CORR_VALUE_PERCENTILE, true);
}

/* -------- shards --------------------------------------------------------- */

static void in_turn(void *pool, sr_run_fn *fn, void *ctx, uint32_t count)
{
    (void)pool;
    for (uint32_t i = count; i-- != 0;)
        fn(ctx, i);
}

/* Feed what `push` would in batches. */
static void run_batches(sr_agg *agg, size_t batch)
{
    enum { MOST = 4096 };
    static sr_contribution *all[MOST];
    size_t count = 0;
    char name[16];
    char value[16];
    ev e = {0, 0, {name, value}};

    for (unsigned i = 0; i < 8000; i++) {
        sr_hit hits[RULES];
        size_t n = 0;
        sr_missed missed;

        e.t = i / 100.0;
        e.rules = i * 7 % 13 % 8;
        (void)snprintf(name, sizeof(name), "g%u", i * 31 % 257 % 100);
        (void)snprintf(value, sizeof(value), "#%u", i * 17 % 23);
        current = &e;
        for (uint32_t r = 0; r < 3; r++)
            if ((e.rules >> r & 1) != 0)
                hits[n++] = (sr_hit){r, true, (int64_t)(e.t * 1e9), SR_NUMBER,
                                     SG_LIT("")};
        made.len = 0;
        sr_contribute(layout,
                      &(sr_matched){hits, n, {.line = i}, read_field, NULL},
                      &made, &missed);
        for (size_t at = 0; at < made.len;) {
            const sr_contribution *c = (void *)(made.ptr + at);

            at += c->size;
            all[count] = malloc(c->size);
            memcpy(all[count], c, c->size);
            all[count]->newest = c->time;
            count++;
        }
        if (count < batch && i != 7999)
            continue;
        sr_agg_feed_all(agg, (const sr_contribution *const *)all, count,
                        in_turn, NULL);
        while (count != 0)
            free(all[--count]);
    }
}

/* Any number of shards, and batches of any size (both are in `ways`), fire the
 * same in the same order and hold the same, also when bounds are reached. */
static void test_shards(void)
{
    static const uint32_t ways[][2] = {{1, 1}, {1, 150}, {4, 400}, {7, 700}};
    sg_buf want = {0};
    sr_agg_stats held = {0};

    for (unsigned bound = 0; bound < 2; bound++)
        for (size_t w = 0; w < sizeof(ways) / sizeof(*ways); w++) {
            reset_kit();
            add_corr(SIGMA_CORR_EVENT_COUNT, 60, 1, 1, 0);
            add_cond(SIGMA_CMP_GTE, 5);
            add_corr(SIGMA_CORR_VALUE_COUNT, 30, 2, 1, 1);
            add_cond(SIGMA_CMP_GTE, 3);
            add_corr(SIGMA_CORR_TEMPORAL, 10, 3, 1, 0);
            shards = ways[w][0];
            sr_agg *agg = open_kit(false, true, bound == 0 ? 100000 : 40);
            run_batches(agg, ways[w][1]);
            const sr_agg_stats stats = sr_agg_totals(agg);
            if (w == 0) {
                want.len = 0;
                sg_buf_put(&want, sg_buf_str(&fired));
                held = stats;
                CHECK(want.len > 10000 && held.bytes != 0);
            } else {
                CHECK(sg_str_eq(sg_buf_str(&fired), sg_buf_str(&want)));
                CHECK(stats.groups == held.groups &&
                      stats.bytes == held.bytes &&
                      stats.evicted == held.evicted);
            }
            CHECK((stats.evicted != 0) == (bound != 0));
            sr_agg_close(agg);
        }
    shards = 1;
    sg_buf_free(&want);
}

int main(void)
{
    test_event_count();
    test_out_of_order();
    test_late_chains();
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
    test_sketches();
    test_shards();
    sg_buf_free(&made);
    sg_arena_free(&arena);
    sg_buf_free(&fired);
    return TEST_END();
}
