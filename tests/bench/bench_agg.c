/*
 * bench_agg.c - the correlation engine measured alone: no JSON, one thread.
 *
 * usage: bench_agg [--quick] [--json] [--rounds N] [--only SECTION] [--type
 * NAME]
 *
 * --quick takes a few seconds: smaller numbers, three rounds. Sections: types,
 * windows, flood, many, peers. Rates are per second of this
 * thread on a processor, sr_contribute included unless a column says "engine".
 * What is compared runs in turn, N (5) times; tables show medians. Nothing here
 * passes or fails.
 */
#include "agg_kit.h"
#include "bench_report.h"
#include "peer_sqlite.h"

#include <stdlib.h>
#include <string.h>

enum { STEP = 1000 }; /* ns between events */

#define NO_LIMIT (UINT64_MAX / 4)
#define MIB (UINT64_C(1) << 20)

typedef struct plan {
    bench_report *report;
    bool quick, json;
    unsigned rounds;
    const char *only, *type; /* section; of the first section, the type */
    kit_event *events;       /* KIT_BATCH */
} plan;

/* Where events come from: the same in every run. */
typedef struct source {
    uint64_t seed, count;
    uint64_t groups; /* drawn at random; 0: each event has a new one */
    uint32_t rules;
    uint32_t keys;    /* 1 or 6 */
    uint64_t values;  /* different ones; 0: none */
    int64_t lateness; /* ns that an event may be late */
} source;

typedef struct type_name {
    const char *name;
    uint32_t type;
} type_name;

static const type_name types[] = {
#define CORR(NAME, text, operand, doc) {text, SIGMA_CORR_##NAME},
#include "sigma_correlations.def"
#undef CORR
};

enum { TYPES = sizeof(types) / sizeof(*types) };

/* -------- driving -------------------------------------------------------- */

static bool has_values(uint32_t type)
{
    return type != SIGMA_CORR_EVENT_COUNT && type != SIGMA_CORR_TEMPORAL &&
           type != SIGMA_CORR_TEMPORAL_ORDERED;
}

static void draw(source *s, kit_event *e)
{
    const uint64_t r = kit_random(&s->seed);
    const uint64_t g = s->groups == 0 ? s->count : r % s->groups;
    const uint64_t more =
        s->values != 0 || s->lateness != 0 ? kit_random(&s->seed) : r;

    e->rule = (uint32_t)((r >> 40) % s->rules);
    e->time = (int64_t)s->count++ * STEP;
    if (s->lateness != 0)
        e->time -= (int64_t)((more >> 32) % (uint64_t)s->lateness);
    if (s->keys == 6)
        kit_name_long(e, g);
    else
        kit_name_short(e, g);
    if (s->values != 0)
        kit_put_number(e, s->keys, (more & UINT32_MAX) % s->values);
}

/* Feed `count` events, fewer when they take more than `most` seconds. */
static void drive(const plan *p, kit *k, source *s, uint64_t count, double most)
{
    const double beg = k->making + k->feeding;

    while (count != 0 && k->making + k->feeding - beg < most) {
        const size_t n = count < KIT_BATCH ? (size_t)count : KIT_BATCH;

        for (size_t i = 0; i < n; i++)
            draw(s, &p->events[i]);
        kit_feed(k, p->events, n);
        count -= n;
    }
}

static void drive_slowly(const plan *p, kit *k, source *s, uint64_t count,
                         kit_histogram *pauses)
{
    for (uint64_t left = count; left != 0;) {
        const size_t n = left < KIT_BATCH ? (size_t)left : KIT_BATCH;

        for (size_t i = 0; i < n; i++)
            draw(s, &p->events[i]);
        kit_feed_slowly(k, p->events, n, pauses);
        left -= n;
    }
}

static double rate(const kit *k)
{
    return (double)k->updates / (k->making + k->feeding);
}

static double engine_rate(const kit *k)
{
    return (double)k->updates / k->feeding;
}

static double bytes_per_group(const kit *k)
{
    const sr_agg_stats stats = sr_agg_totals(k->agg);

    return stats.groups == 0 ? 0 : (double)stats.bytes / (double)stats.groups;
}

/* -------- each type at several numbers of groups ------------------------- */

typedef struct runner {
    kit *k;
    source s;
    double resident;
} runner;

/* Windows of about four events; each kit filled before the first round. */
static void open_type(const plan *p, runner *r, uint32_t type, uint64_t groups)
{
    const kit_shape shape = {.type = type,
                             .corrs = 1,
                             .one_rule = true,
                             .keys = 1,
                             .timespan = (int64_t)groups * 4 * STEP,
                             .max_memory = NO_LIMIT,
                             .exact_values = NO_LIMIT};
    const double before = kit_resident();

    r->k = kit_open(&shape);
    r->s = (source){
        .groups = groups,
        .rules = has_values(type) || type == SIGMA_CORR_EVENT_COUNT ? 1 : 2,
        .keys = 1,
        .values = has_values(type) ? 16 : 0};
    drive(p, r->k, &r->s, groups * 8, 1e9);
    r->resident = kit_resident() - before;
}

static bool is_wanted(const plan *p, size_t type)
{
    return p->type == NULL || strcmp(p->type, types[type].name) == 0;
}

static void types_at(const plan *p, uint64_t groups)
{
    const uint64_t events = p->quick ? 20000 : 1000000;
    runner runners[TYPES];
    char table[128];

    (void)snprintf(table, sizeof(table),
                   "Updates/s by type, %llu live groups of about four events",
                   (unsigned long long)groups);
    for (size_t t = 0; t < TYPES; t++)
        if (is_wanted(p, t))
            open_type(p, &runners[t], types[t].type, groups);
    for (unsigned round = 0; round < p->rounds; round++)
        for (size_t t = 0; t < TYPES; t++) {
            if (!is_wanted(p, t))
                continue;
            kit *k = runners[t].k;

            kit_reset_clocks(k);
            drive(p, k, &runners[t].s, events, 1e9);
            bench_note(p->report, table, types[t].name, "updates/s", rate(k));
            bench_note(p->report, table, types[t].name, "engine",
                       engine_rate(k));
            bench_note(p->report, table, types[t].name, "bytes/group",
                       bytes_per_group(k));
            bench_note(p->report, table, types[t].name, "RSS",
                       runners[t].resident);
        }
    for (size_t t = 0; t < TYPES; t++)
        if (is_wanted(p, t))
            kit_close(runners[t].k);
}

static void run_types(const plan *p)
{
    types_at(p, 1);
    types_at(p, 1000);
    types_at(p, p->quick ? 20000 : 1000000);
}

/* -------- how the fill of a window matters ------------------------------- */

enum { SKETCHED = 3 }; /* types that have a sketch */

/* Every type exact, then those that have a sketch as sketches. */
static const char *window_row(size_t i, char name[64], kit_shape *shape)
{
    static const uint32_t sketched[SKETCHED] = {SIGMA_CORR_VALUE_COUNT,
                                                SIGMA_CORR_VALUE_PERCENTILE,
                                                SIGMA_CORR_VALUE_MEDIAN};
    const bool sketch = i >= TYPES;
    const uint32_t type = sketch ? sketched[i - TYPES] : types[i].type;

    *shape = (kit_shape){.type = type,
                         .corrs = 1,
                         .one_rule = true,
                         .keys = 1,
                         .max_memory = NO_LIMIT,
                         .exact_values = sketch ? 64 : NO_LIMIT};
    (void)snprintf(name, 64, "%s%s", types[type].name,
                   sketch ? ", sketch" : "");
    return name;
}

/* One group with `fill` events in its window. */
static void windows_at(const plan *p, uint64_t fill, bool ordered)
{
    enum { ROWS = TYPES + SKETCHED };
    const uint64_t events = p->quick ? 5000 : 200000;
    const char *table = ordered ? "ns/event by events in the group's window"
                                : "ns/event, events up to a tenth of it late";
    runner runners[ROWS];
    kit_shape shape;
    char name[64];
    char column[32];

    (void)snprintf(column, sizeof(column), "%llu", (unsigned long long)fill);
    for (size_t i = 0; i < ROWS; i++) {
        window_row(i, name, &shape);
        shape.timespan = (int64_t)fill * STEP;
        runners[i].k = kit_open(&shape);
        runners[i].s = (source){.groups = 1,
                                .rules = strncmp(name, "temporal", 8) ? 1 : 2,
                                .keys = 1,
                                .values = has_values(shape.type) ? 1 << 20 : 0};
        drive(p, runners[i].k, &runners[i].s, fill + 1, 1e9);
        runners[i].s.lateness = ordered ? 0 : shape.timespan / 10;
    }
    for (unsigned round = 0; round < p->rounds; round++)
        for (size_t i = 0; i < ROWS; i++) {
            kit *k = runners[i].k;

            kit_reset_clocks(k);
            drive(p, k, &runners[i].s, events, 0.3);
            bench_note(p->report, table, window_row(i, name, &shape), column,
                       1e9 * k->feeding / (double)k->updates);
        }
    for (size_t i = 0; i < ROWS; i++)
        kit_close(runners[i].k);
}

static void run_windows(const plan *p)
{
    const uint64_t most = p->quick ? 10000 : 1000000;

    for (int ordered = 1; ordered >= 0; ordered--)
        for (uint64_t fill = 100; fill <= most; fill *= 10)
            windows_at(p, fill, ordered != 0);
}

/* -------- very many groups ----------------------------------------------- */

static const kit_shape flood_shape = {.type = SIGMA_CORR_EVENT_COUNT,
                                      .corrs = 1,
                                      .one_rule = true,
                                      .keys = 6,
                                      .timespan = INT64_MAX / 2,
                                      .max_memory = NO_LIMIT,
                                      .exact_values = NO_LIMIT};

static void note_pauses(const plan *p, const char *table, const char *row,
                        const kit_histogram *pauses)
{
    bench_note(p->report, table, row, "p50 ns",
               (double)kit_quantile(pauses, 0.5));
    bench_note(p->report, table, row, "p99.99 ns",
               (double)kit_quantile(pauses, 0.9999));
    bench_note(p->report, table, row, "longest ns", (double)pauses->most);
}

static void note_rates(const plan *p, const char *table, const char *row,
                       const kit *k)
{
    bench_note(p->report, table, row, "updates/s", rate(k));
    bench_note(p->report, table, row, "engine", engine_rate(k));
    bench_note(p->report, table, row, "bytes/group", bytes_per_group(k));
}

/* All groups new, then touched again at random. */
static void flood(const plan *p, const char *table, uint64_t groups, bool slow)
{
    source s = {.rules = 1, .keys = 6};
    kit_histogram *pauses = calloc(2, sizeof(*pauses));
    const uint64_t again = groups / 4;
    const double before = kit_resident();
    kit *k = kit_open(&flood_shape);

    if (pauses == NULL)
        sg_fatal("out of memory");
    if (slow)
        drive_slowly(p, k, &s, groups, &pauses[0]);
    else
        drive(p, k, &s, groups, 1e9);
    if (slow)
        note_pauses(p, table, "all new", &pauses[0]);
    else
        note_rates(p, table, "all new", k);
    bench_note(p->report, table, "all new", "RSS", kit_resident() - before);
    kit_reset_clocks(k);
    s.groups = groups;
    if (slow)
        drive_slowly(p, k, &s, again, &pauses[1]);
    else
        drive(p, k, &s, again, 1e9);
    if (slow)
        note_pauses(p, table, "at random again", &pauses[1]);
    else
        note_rates(p, table, "at random again", k);
    kit_close(k);
    free(pauses);
}

/* The same flood in less memory than it needs. */
static void bounded_flood(const plan *p, const char *table, uint64_t groups,
                          bool slow)
{
    kit_shape shape = flood_shape;
    source s = {.rules = 1, .keys = 6};
    kit_histogram *pauses = calloc(1, sizeof(*pauses));

    if (pauses == NULL)
        sg_fatal("out of memory");
    shape.max_memory = (p->quick ? 8 : 256) * MIB;
    kit *k = kit_open(&shape);

    if (slow) {
        drive_slowly(p, k, &s, groups, pauses);
        note_pauses(p, table, "all new", pauses);
    } else {
        drive(p, k, &s, groups, 1e9);
        note_rates(p, table, "all new", k);
    }
    const sr_agg_stats stats = sr_agg_totals(k->agg);

    bench_note(p->report, table, "all new", "groups", (double)stats.groups);
    bench_note(p->report, table, "all new", "evicted", (double)stats.evicted);
    kit_close(k);
    free(pauses);
}

static void name_flood(char out[128], uint64_t groups)
{
    (void)snprintf(out, 128,
                   "event_count, %llu groups of six fields, about 100 bytes",
                   (unsigned long long)groups);
}

static void run_flood(const plan *p)
{
    const uint64_t groups = p->quick ? 100000 : 10000000;
    char table[128];
    char tenth[128];
    char bounded[128];

    name_flood(table, groups);
    name_flood(tenth, groups / 10);
    (void)snprintf(bounded, sizeof(bounded), "The same in %d MiB",
                   p->quick ? 8 : 256);
    /* Less than a tenth of the groups fit: a third of them shows as much. */
    for (unsigned round = 0; round < p->rounds; round++) {
        flood(p, tenth, groups / 10, false);
        flood(p, table, groups, false);
        bounded_flood(p, bounded, groups / 3, false);
    }
    flood(p, table, groups, true);
    bounded_flood(p, bounded, groups / 3, true);
}

/* -------- very many correlations ----------------------------------------- */

static void run_many(const plan *p)
{
    enum { CORRS = 10000 };
    static const char *const names[] = {"each on a rule of its own",
                                        "all on one rule"};
    const char *table = "10,000 correlations, 1,000 groups each";
    kit *kits[2];
    source sources[2];

    for (int one = 0; one < 2; one++) {
        const kit_shape shape = {.type = SIGMA_CORR_EVENT_COUNT,
                                 .corrs = CORRS,
                                 .one_rule = one != 0,
                                 .keys = 1,
                                 .timespan = INT64_MAX / 2,
                                 .max_memory = NO_LIMIT,
                                 .exact_values = NO_LIMIT};

        kits[one] = kit_open(&shape);
        sources[one] =
            (source){.groups = 1000, .rules = one != 0 ? 1 : CORRS, .keys = 1};
    }
    for (unsigned round = 0; round < p->rounds; round++)
        for (int one = 0; one < 2; one++) {
            kit *k = kits[one];
            const uint64_t before = k->events;

            kit_reset_clocks(k);
            /* Small batches: each event makes 10,000 contributions. */
            for (int i = 0; i < (p->quick ? 2 : 40); i++)
                drive(p, k, &sources[one], one != 0 ? 4 : 25000, 1e9);
            bench_note(p->report, table, names[one], "events/s",
                       (double)(k->events - before) / (k->making + k->feeding));
            note_rates(p, table, names[one], k);
        }
    kit_close(kits[0]);
    kit_close(kits[1]);
}

/* -------- beside SQLite -------------------------------------------------- */

/* The six fields lie one behind the other. */
static sg_str key_of(const kit_event *e)
{
    const sg_str last = e->fields[5].text;

    return (sg_str){e->text, (size_t)(last.ptr + last.len - e->text)};
}

static double peer_rate(const plan *p, bool upsert, source s, uint64_t events)
{
    peer_sqlite *peer = peer_sqlite_open(upsert);
    double seconds = 0;

    for (uint64_t left = events; left != 0;) {
        const size_t n = left < KIT_BATCH ? (size_t)left : KIT_BATCH;

        for (size_t i = 0; i < n; i++)
            draw(&s, &p->events[i]);
        const double beg = kit_seconds();

        for (size_t i = 0; i < n; i++)
            peer_sqlite_add(peer, key_of(&p->events[i]));
        seconds += kit_seconds() - beg;
        left -= n;
    }
    const double beg = kit_seconds();

    (void)peer_sqlite_finish(peer);
    seconds += kit_seconds() - beg;
    peer_sqlite_close(peer);
    return (double)events / seconds;
}

static double our_rate(const plan *p, source s, uint64_t events)
{
    kit *k = kit_open(&flood_shape);

    drive(p, k, &s, events, 1e9);
    const double have = rate(k);

    kit_close(k);
    return have;
}

static void peers_at(const plan *p, uint64_t groups, uint64_t events)
{
    static const char table[] =
        "Events/s of a GROUP BY over six fields, from empty";
    const source s = {
        .groups = groups == events ? 0 : groups, .rules = 1, .keys = 6};
    char row[96];

    (void)snprintf(row, sizeof(row), "%llu events, %llu groups",
                   (unsigned long long)events, (unsigned long long)groups);
    for (unsigned round = 0; round < p->rounds; round++) {
        bench_note(p->report, table, row, "sigcc", our_rate(p, s, events));
        bench_note(p->report, table, row, "SQLite upsert",
                   peer_rate(p, true, s, events));
        bench_note(p->report, table, row, "SQLite GROUP BY",
                   peer_rate(p, false, s, events));
    }
    const double ours = bench_median(p->report, table, row, "sigcc");

    bench_note(p->report, table, row, "sigcc / upsert",
               ours / bench_median(p->report, table, row, "SQLite upsert"));
    bench_note(p->report, table, row, "sigcc / GROUP BY",
               ours / bench_median(p->report, table, row, "SQLite GROUP BY"));
}

static void run_peers(const plan *p)
{
    peers_at(p, 1000, p->quick ? 50000 : 2000000);
    peers_at(p, p->quick ? 30000 : 1000000, p->quick ? 50000 : 2000000);
    if (!p->quick) /* SQLite takes long for it, and longer for more */
        peers_at(p, 3000000, 3000000);
}

/* -------- main ----------------------------------------------------------- */

typedef struct section {
    const char *name;
    void (*run)(const plan *p);
} section;

static const section sections[] = {{"types", run_types},
                                   {"windows", run_windows},
                                   {"flood", run_flood},
                                   {"many", run_many},
                                   {"peers", run_peers}};

static bool parse(plan *p, int argc, char **argv)
{
    unsigned rounds = 0;

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--quick") == 0)
            p->quick = true;
        else if (strcmp(argv[i], "--json") == 0)
            p->json = true;
        else if (strcmp(argv[i], "--rounds") == 0 && i + 1 < argc)
            rounds = (unsigned)strtoul(argv[++i], NULL, 10);
        else if (strcmp(argv[i], "--only") == 0 && i + 1 < argc)
            p->only = argv[++i];
        else if (strcmp(argv[i], "--type") == 0 && i + 1 < argc)
            p->type = argv[++i];
        else
            return false;
    }
    p->rounds = rounds != 0 ? rounds : p->quick ? 3 : 5;
    return true;
}

int main(int argc, char **argv)
{
    plan p = {.report = NULL};

    if (!parse(&p, argc, argv)) {
        (void)fprintf(stderr, "usage: bench_agg [--quick] [--json] "
                              "[--rounds N] [--only SECTION] [--type NAME]\n");
        return 2;
    }
    p.report = bench_report_new();
    p.events = calloc(KIT_BATCH, sizeof(*p.events));
    if (p.events == NULL)
        sg_fatal("out of memory");
    for (size_t i = 0; i < sizeof(sections) / sizeof(*sections); i++)
        if (p.only == NULL || strcmp(p.only, sections[i].name) == 0)
            sections[i].run(&p);
    bench_print(p.report, stdout, p.json);
    bench_report_free(p.report);
    free(p.events);
    return 0;
}
