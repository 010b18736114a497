/*
 * test_enrich.c - enrichment at run time: the bounded store against a model,
 * bytes that come back from anywhere, CSV, and a small detector's steps.
 */
#include "enrich/csv.h"
#include "enrich/tables.h"
#include "eval/eval.h"

#include "support/alloc_count.h"
#include "support/test.h"

/* -------- the store ------------------------------------------------------ */

enum { KEYS = 3000, ROUNDS = 60000 };

static uint32_t seed = 1;

static uint32_t next_random(uint32_t below)
{
    seed = seed * 1664525u + 1013904223u;
    return (uint32_t)(((uint64_t)seed * below) >> 32);
}

/* Key number i, in a buffer of its own. */
static sg_str key_text(char out[16], uint32_t i)
{
    return (sg_str){out, (size_t)snprintf(out, 16, "key%u", i)};
}

/* The value that version v of key i has: longer ones among short ones. */
static sg_str value_text(char out[512], uint32_t i, uint32_t v)
{
    const size_t len = 8 + (i * 7u + v * 13u) % 400 / (1 + i % 9);

    memset(out, 'a' + (int)(v % 26), len);
    return (sg_str){out, len};
}

static uint64_t evictions;

static void count_eviction(void *ctx, const sr_stored *entry)
{
    uint32_t *versions = ctx;
    const sg_str key = sr_stored_key(entry);
    sg_num n;

    evictions++;
    CHECK(sg_num_parse(sg_str_sub(key, 3, key.len), &n));
    const int64_t i = n.v.i;
    CHECK(versions[i] != 0);
    versions[i] = 0;
}

static bool count_entry(void *ctx, const sr_stored *entry)
{
    (void)entry;
    ++*(uint32_t *)ctx;
    return true;
}

/* Random puts and finds: what the store has is the latest version, and what it
 * has not it told to have forgotten. */
static void run_store(uint64_t limit, uint32_t keys, bool *forgot)
{
    static uint32_t versions[KEYS];
    sr_ring store;
    char k[16], v[512];

    memset(versions, 0, sizeof(versions));
    evictions = 0;
    sr_ring_open(&store, limit, false);
    store.evicted = count_eviction;
    store.ctx = versions;
    for (uint32_t round = 1; round <= ROUNDS; round++) {
        const uint32_t i = next_random(keys);
        const sg_str key = key_text(k, i);
        sr_stored *have = sr_ring_find(&store, 3, key);

        CHECK((have != NULL) == (versions[i] != 0));
        if (have != NULL)
            CHECK_STR(sr_stored_value(have), value_text(v, i, versions[i]));
        if (next_random(3) == 0) {
            if (have != NULL)
                have->used = true;
            continue;
        }
        const uint32_t version = 1 + next_random(4);
        const bool same = versions[i] == version;
        const sr_stored_how how =
            sr_ring_put(&store, 3, key, value_text(v, i, version));
        CHECK(how == SR_STORED || how == SR_STORED_SAME);
        CHECK(!same || how == SR_STORED_SAME);
        versions[i] = version;
        CHECK(store.cap + store.slot_count * sizeof(sr_ring_slot) <= limit);
    }
    uint32_t alive = 0, entries = 0;

    for (uint32_t i = 0; i < keys; i++)
        alive += versions[i] != 0;
    CHECK(sr_ring_each(&store, count_entry, &entries));
    CHECK_INT(entries, alive);
    CHECK_INT(store.count, alive);
    CHECK(sr_ring_find(&store, 2, key_text(k, 0)) == NULL);
    *forgot = evictions != 0;
    sr_ring_close(&store);
}

static void test_store(void)
{
    bool forgot;

    run_store((uint64_t)64 << 20, KEYS, &forgot);
    CHECK(!forgot);
    for (uint64_t limit = 4096; limit <= (uint64_t)1 << 20; limit *= 4)
        run_store(limit, KEYS, &forgot);
    /* Few keys that change all the time: mostly dead, nothing is lost. */
    run_store(16384, 20, &forgot);
    CHECK(!forgot);
}

/* What is asked for stays, however many others pass. */
static void test_recency(void)
{
    sr_ring store;
    char k[16];

    sr_ring_open(&store, 4096, false);
    sr_ring_put(&store, 0, SG_S("wanted"), SG_S("value"));
    for (uint32_t i = 0; i < 10000; i++) {
        sr_stored *have = sr_ring_find(&store, 0, SG_S("wanted"));
        CHECK(have != NULL);
        if (have == NULL)
            break;
        have->used = true;
        sr_ring_put(&store, 0, key_text(k, i), SG_S("some other value"));
    }
    CHECK(sr_ring_find(&store, 0, SG_S("key1")) == NULL);
    CHECK(sr_ring_find(&store, 0, SG_S("key9999")) != NULL);
    sr_ring_close(&store);
}

static void test_warm(void)
{
    sr_ring store;
    unsigned long before = 0;
    char k[16], v[512];

    sr_ring_open(&store, (uint64_t)1 << 18, false);
    for (uint32_t i = 0; i < 2 * ROUNDS; i++) {
        if (i == ROUNDS)
            before = alloc_calls;
        sr_ring_put(&store, 0, key_text(k, i), value_text(v, i, i));
    }
    CHECK_INT(alloc_calls, before);
    sr_ring_close(&store);
}

static void test_refusals(void)
{
    static char huge[SR_RING_ENTRY_MAX + 1];
    const sg_str text = {huge, sizeof(huge)};
    sr_ring store;
    char k[16], v[512];
    uint32_t kept = 0;

    sr_ring_open(&store, (uint64_t)1 << 20, false);
    CHECK_INT(sr_ring_put(&store, 0, SG_S("k"), text), SR_RING_REFUSED);
    CHECK_INT(sr_ring_put(&store, 0, text, SG_S("v")), SR_RING_REFUSED);
    CHECK_INT(sr_ring_put(&store, 0, SG_S("k"),
                          sg_str_sub(text, 0, SR_RING_ENTRY_MAX - 1)),
              SR_STORED);
    sr_ring_close(&store);
    sr_ring_open(&store, 0, false);
    CHECK_INT(sr_ring_put(&store, 0, SG_S("k"), sg_str_sub(text, 0, 1000)),
              SR_RING_REFUSED);
    sr_ring_close(&store);
    /* One that forgets nothing is full at last, and has what it took. */
    sr_ring_open(&store, 16384, true);
    while (sr_ring_put(&store, 0, key_text(k, kept), value_text(v, kept, 1)) ==
           SR_STORED)
        kept++;
    CHECK(kept > 50 && kept == store.count);
    for (uint32_t i = 0; i < kept; i++)
        CHECK(sr_ring_find(&store, 0, key_text(k, i)) != NULL);
    CHECK_INT(
        sr_ring_put(&store, 0, key_text(k, kept + 1), value_text(v, kept, 1)),
        SR_RING_REFUSED);
    sr_ring_close(&store);
}

/* -------- CSV ------------------------------------------------------------ */

static void test_csv(void)
{
    static const struct {
        const char *record, *cells; /* joined by | */
    } rows[] = {
        {"", ""},
        {"a", "a"},
        {"a,b,,c", "a|b||c"},
        {",", "|"},
        {"\"a\",b", "a|b"},
        {"\"a,\"\"b\"\"\",\"\"", "a,\"b\"|"},
        {"\"\n\",x", "\n|x"},
        {"a\"b,c\"", "a\"b|c\""},
        {" \"a\"", " \"a\""},
        {"\"\"\"\"", "\""},
        {"\"a\"b", NULL},
        {"\"a", NULL},
        {"\"", NULL},
        {"a,\"b\"\"", NULL},
    };
    static sg_str cells[SR_CSV_CELLS];
    sg_buf text = {0}, joined = {0}, many = {0};
    uint32_t count;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const sg_str record = sg_str_of(rows[i].record);
        const char *fault = sr_csv_split(record, &text, cells, &count);

        CHECK((fault == NULL) == (rows[i].cells != NULL));
        joined.len = 0;
        for (uint32_t k = 0; k < count; k++) {
            if (k > 0)
                sg_buf_putc(&joined, '|');
            sg_buf_put(&joined, cells[k]);
        }
        if (rows[i].cells != NULL)
            CHECK_STR(sg_buf_str(&joined), sg_str_of(rows[i].cells));
    }
    CHECK(sr_csv_is_open(SG_S("a,\"b"), 0) &&
          sr_csv_is_open(SG_S("\"b\"\""), 0));
    CHECK(!sr_csv_is_open(SG_S("a\"b"), 0) &&
          !sr_csv_is_open(SG_S("\"b\""), 0));
    CHECK(!sr_csv_is_open(SG_S("\"a\"\"b\",c"), 0) &&
          !sr_csv_is_open(SG_S(""), 0));
    CHECK(sr_csv_is_open(SG_S("a,\"b\nc"), 4));
    CHECK(sr_csv_is_open(SG_S("a,\"b\n\",\"\"\""), 4));
    CHECK(!sr_csv_is_open(SG_S("a,\"b\n\"\"c\",d\"\n"), 4));
    for (uint32_t i = 0; i < SR_CSV_CELLS; i++)
        sg_buf_putc(&many, ',');
    CHECK(sr_csv_split(sg_buf_str(&many), &text, cells, &count) != NULL);
    many.len--;
    CHECK(sr_csv_split(sg_buf_str(&many), &text, cells, &count) == NULL);
    CHECK_INT(count, SR_CSV_CELLS);
    sg_buf_free(&text);
    sg_buf_free(&joined);
    sg_buf_free(&many);
}

/* -------- a detector ----------------------------------------------------- */

/* type: start teaches (host, pid) -> image, user; act gets both, the user from
 * `fallback` when there is none. */
enum { TYPE, HOST, PID, IMAGE, USER, FALLBACK, FIELDS };

static const char pool[] = "typehostpidimageuserfallbackstartactprocs";
static const sigma_field fields[FIELDS] = {
    {{0, 4}, SIGMA_FIELD_ENRICH},  {{4, 4}, SIGMA_FIELD_ENRICH},
    {{8, 3}, SIGMA_FIELD_ENRICH},  {{11, 5}, SIGMA_FIELD_ENRICH},
    {{16, 4}, SIGMA_FIELD_ENRICH}, {{20, 8}, SIGMA_FIELD_ENRICH}};
static const sigma_ref strs[] = {{28, 5}, {33, 3}, {11, 5}, {16, 4}};
static const sigma_table the_tables[] = {{.name = {36, 5},
                                          .flags = SIGMA_TABLE_LEARNED,
                                          .key_count = 2,
                                          .key_first = SIGMA_NONE,
                                          .column_first = 2,
                                          .column_count = 2}};
static const sigma_when the_whens[] = {{TYPE, 0, 1}, {TYPE, 1, 1}};
static const uint32_t keys[] = {HOST, PID};
static const sigma_put the_puts[] = {
    {0, IMAGE}, {1, USER}, {IMAGE, 0}, {USER, 1}, {USER, FALLBACK}};
static const sigma_step the_steps[] = {
    {.kind = SIGMA_STEP_LEARN, .when_count = 1, .key_count = 2, .put_count = 2},
    {.kind = SIGMA_STEP_ADD,
     .when_first = 1,
     .when_count = 1,
     .key_count = 2,
     .put_first = 2,
     .put_count = 2},
    {.kind = SIGMA_STEP_COPY,
     .table = SIGMA_NONE,
     .when_first = 1,
     .when_count = 1,
     .put_first = 4,
     .put_count = 1},
};
static const sigma_detector detector = {.abi = SIGMA_ABI,
                                        .size = sizeof(sigma_detector),
                                        .name = "e",
                                        .version = "1",
                                        .manifest = "{}",
                                        .pool = pool,
                                        .pool_size = sizeof(pool) - 1,
                                        .fields = fields,
                                        .field_count = FIELDS,
                                        .strs = strs,
                                        .str_count = 4,
                                        .enrich_tables = the_tables,
                                        .enrich_table_count = 1,
                                        .enrich_whens = the_whens,
                                        .enrich_when_count = 2,
                                        .enrich_keys = keys,
                                        .enrich_key_count = 2,
                                        .enrich_puts = the_puts,
                                        .enrich_put_count = 5,
                                        .enrich_steps = the_steps,
                                        .enrich_step_count = 3};

typedef struct bench {
    sr_enrich *enrich;
    sr_enrich_work work;
    sr_eval *eval;
    sr_plan *plan;
    sr_event event;
    sg_arena arena;
} bench;

static void open_bench(bench *b)
{
    char reason[256] = "";
    uint32_t count;

    *b = (bench){.eval = sr_eval_open(&detector, reason, sizeof(reason))};
    CHECK_STR(sg_str_of(reason), SG_S(""));
    const sr_want *wants = sr_eval_wants(b->eval, false, &count);
    CHECK_INT(count, FIELDS);
    b->plan = sr_plan_new(&b->arena, wants, count);
    sr_event_init(&b->event, FIELDS);
    b->enrich = sr_enrich_open(&detector, 1 << 16);
    sr_enrich_work_open(&b->work, b->enrich);
}

static void close_bench(bench *b)
{
    sr_enrich_work_close(&b->work);
    sr_enrich_close(b->enrich);
    sr_event_free(&b->event);
    sr_eval_close(b->eval);
    sg_arena_free(&b->arena);
}

/* "image/user" of the event afterwards; - for none. */
static sg_str pass(bench *b, const char *line, bool again)
{
    static char out[256];
    sr_fault fault;
    size_t len = 0;

    sr_event_begin(&b->event, sg_str_of(line));
    CHECK(sr_project(b->plan, &b->event, &fault));
    sr_enrich_event(b->enrich, &b->work, &b->event, again);
    for (uint32_t f = IMAGE; f <= USER; f++) {
        sr_value *v = sr_usable(&b->event, f);
        const sg_str text = v == NULL ? SG_S("-") : v->text;

        len += (size_t)snprintf(out + len, sizeof(out) - len, "%s%.*s",
                                f == USER ? "/" : "", SG_FMT(text));
    }
    return (sg_str){out, len};
}

static void test_steps(void)
{
    static const char act[] = "{\"type\":\"act\",\"host\":\"h\",\"pid\":\"7\"}";
    bench b;

    open_bench(&b);
    CHECK(sr_enrich_learns(b.enrich));
    CHECK_STR(pass(&b, act, false), SG_S("-/-"));
    CHECK_INT(b.work.missed, 1);
    pass(&b, "{\"type\":\"start\",\"host\":\"h\",\"pid\":7,\"image\":\"i\"}",
         true);
    CHECK_STR(pass(&b, act, false), SG_S("-/-")); /* again: it did not teach */
    pass(&b, "{\"type\":\"start\",\"host\":\"h\",\"pid\":7,\"image\":\"i\"}",
         false);
    CHECK_STR(pass(&b, act, false), SG_S("i/-"));
    CHECK_INT(b.work.added_count, 1);
    CHECK_STR(pass(&b,
                   "{\"type\":[\"x\",\"act\"],\"host\":\"h\",\"pid\":7.0,"
                   "\"image\":[\"\",null],\"fallback\":true,\"user\":null}",
                   false),
              SG_S("i/true"));
    CHECK_STR(pass(&b,
                   "{\"type\":\"act\",\"host\":\"h\",\"pid\":7,"
                   "\"image\":\"own\",\"user\":{},\"fallback\":\"f\"}",
                   false),
              SG_S("own/-"));
    CHECK_INT(b.work.enriched, 2);
    CHECK_INT(b.work.missed, 2);
    /* A lesson replaces the whole entry; one without values teaches nothing. */
    pass(&b, "{\"type\":\"start\",\"host\":\"h\",\"pid\":7,\"user\":1e2}",
         false);
    pass(&b, "{\"type\":\"start\",\"host\":\"h\",\"pid\":7,\"user\":\"\"}",
         false);
    CHECK_STR(pass(&b, act, false), SG_S("-/100"));
    pass(&b, "{\"type\":\"start\",\"host\":\"h\",\"pid\":8,\"user\":1e999}",
         false);
    CHECK_INT(sr_enrich_totals(b.enrich).learned, 2);
    CHECK_INT(sr_enrich_totals(b.enrich).entries, 1);
    close_bench(&b);
}

/* -------- state ---------------------------------------------------------- */

/* sr_enrich_fn: into another one. */
static bool hand_over(void *ctx, uint32_t table, sg_str key, sg_str value)
{
    CHECK(value.ptr == NULL || sr_enrich_restore(ctx, table, key, value));
    return true;
}

static void teach(bench *b, uint32_t count)
{
    char line[200];

    for (uint32_t i = 0; i < count; i++) {
        (void)snprintf(line, sizeof(line),
                       "{\"type\":\"start\",\"host\":\"h%u\",\"pid\":%u,"
                       "\"image\":\"i%u\",\"user\":%s}",
                       i % 7, i, i, i % 3 == 0 ? "true" : "2.5");
        pass(b, line, false);
    }
}

static void test_state(void)
{
    static const char act[] =
        "{\"type\":\"act\",\"host\":\"h3\",\"pid\":\"199\"}";
    bench from, to, watched;

    open_bench(&from);
    open_bench(&to);
    open_bench(&watched);
    sr_enrich_watch(from.enrich, hand_over, watched.enrich);
    teach(&from, 200);
    CHECK(sr_enrich_each(from.enrich, hand_over, to.enrich));
    CHECK_INT(sr_enrich_totals(to.enrich).entries, 200);
    CHECK_INT(sr_enrich_totals(watched.enrich).entries, 200);
    CHECK_INT(sr_enrich_totals(to.enrich).learned, 0);
    CHECK_STR(pass(&to, act, false), SG_S("i199/2.5"));
    CHECK_STR(pass(&watched, act, false), SG_S("i199/2.5"));
    close_bench(&from);
    close_bench(&to);
    close_bench(&watched);
}

/* An entry as bytes. */
typedef struct copied {
    char key[256], value[256];
    size_t key_len, value_len;
} copied;

static bool copy_one(void *ctx, uint32_t table, sg_str key, sg_str value)
{
    copied *c = ctx;

    (void)table;
    memcpy(c->key, key.ptr, key.len);
    memcpy(c->value, value.ptr, value.len);
    c->key_len = key.len;
    c->value_len = value.len;
    return false;
}

/* Bytes that were cut, grown or changed are refused, or are another entry:
 * either way reading them afterwards is safe. */
static void test_hostile_state(void)
{
    copied good, bad;
    bench b;

    open_bench(&b);
    teach(&b, 2);
    CHECK(!sr_enrich_each(b.enrich, copy_one, &good));
    const sg_str key = {good.key, good.key_len};
    const sg_str value = {good.value, good.value_len};

    CHECK(!sr_enrich_restore(b.enrich, 1, key, value));
    CHECK(!sr_enrich_restore(b.enrich, 0, value, key));
    for (size_t n = 0; n < key.len; n++)
        CHECK(!sr_enrich_restore(b.enrich, 0, sg_str_sub(key, 0, n), value));
    for (size_t n = 0; n < value.len; n++)
        CHECK(!sr_enrich_restore(b.enrich, 0, key, sg_str_sub(value, 0, n)));
    CHECK(!sr_enrich_restore(b.enrich, 0, key,
                             (sg_str){good.value, good.value_len + 1}));
    for (uint32_t round = 0; round < 20000; round++) {
        bad = good;
        bad.key[next_random((uint32_t)good.key_len)] = (char)next_random(256);
        bad.value[next_random((uint32_t)good.value_len)] =
            (char)next_random(256);
        sr_enrich_restore(b.enrich, 0, (sg_str){bad.key, bad.key_len}, value);
        if (sr_enrich_restore(b.enrich, 0, key,
                              (sg_str){bad.value, bad.value_len}))
            pass(&b, "{\"type\":\"act\",\"host\":\"h0\",\"pid\":0}", false);
    }
    close_bench(&b);
}

/* Tables that point out of themselves are refused before anything reads. */
static void test_broken_detectors(void)
{
    char reason[256];
    sigma_detector d = detector;
    sigma_step wrong[3];

    for (uint32_t i = 0; i < 7; i++) {
        memcpy(wrong, the_steps, sizeof(the_steps));
        wrong[0].kind = (sigma_step_kind)(i == 0 ? 3 : SIGMA_STEP_LEARN);
        wrong[0].table = i == 1 ? 1 : 0;
        wrong[0].key_count = i == 2 ? 1 : 2;
        wrong[0].put_first = i == 3 ? 2 : 0;
        wrong[0].when_first = i == 4 ? 2 : 0;
        wrong[1].put_first = i == 5 ? 4 : 2;
        wrong[2].put_first = i == 6 ? UINT32_MAX : 4;
        d.enrich_steps = wrong;
        CHECK(!sr_detector_check(&d, reason, sizeof(reason)));
    }
    d.enrich_steps = the_steps;
    CHECK(sr_detector_check(&d, reason, sizeof(reason)));
    d.field_count = FALLBACK;
    CHECK(!sr_detector_check(&d, reason, sizeof(reason)));
    d = detector;
    d.enrich_steps = NULL;
    CHECK(!sr_detector_check(&d, reason, sizeof(reason)));
}

int main(void)
{
    (void)alloc_count_start();
    test_store();
    test_recency();
    test_warm();
    test_refusals();
    test_csv();
    test_steps();
    test_state();
    test_hostile_state();
    test_broken_detectors();
    return TEST_END();
}
