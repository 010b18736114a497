/*
 * agg_kit.c - detectors in memory, events, clocks for bench_agg.
 */
#include "agg_kit.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* -------- clocks --------------------------------------------------------- */

static uint64_t now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * 1000000000U + (uint64_t)t.tv_nsec;
}

double kit_seconds(void)
{
    return (double)now_ns() / 1e9;
}

double kit_resident(void)
{
    FILE *f = fopen("/proc/self/statm", "re");
    char line[128] = "";
    char *rest = line;

    if (f != NULL) {
        if (fgets(line, sizeof(line), f) == NULL)
            line[0] = '\0';
        fclose(f);
    }
    (void)strtoull(line, &rest, 10); /* the whole comes first */
    return (double)strtoull(rest, NULL, 10) * (double)sysconf(_SC_PAGESIZE);
}

uint64_t kit_random(uint64_t *state)
{
    *state += UINT64_C(0x9E3779B97F4A7C15);
    uint64_t z = *state;

    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
    return z ^ z >> 31;
}

/* -------- histograms ----------------------------------------------------- */

static unsigned bucket_of(uint64_t ns)
{
    if (ns < 16)
        return (unsigned)ns;
    const unsigned octave = 63U - (unsigned)__builtin_clzll(ns);

    return (octave - 3) * 16 + (unsigned)(ns >> (octave - 4) & 15);
}

/* The largest time of a bucket. */
static uint64_t bucket_end(unsigned bucket)
{
    if (bucket < 16)
        return bucket;
    const unsigned octave = bucket / 16 + 3;

    return ((uint64_t)(16 + bucket % 16 + 1) << (octave - 4)) - 1;
}

static void note(kit_histogram *h, uint64_t ns)
{
    h->counts[bucket_of(ns)]++;
    h->count++;
    if (ns > h->most)
        h->most = ns;
}

uint64_t kit_quantile(const kit_histogram *h, double share)
{
    const double rank = share * (double)h->count;
    uint64_t seen = 0;

    for (unsigned i = 0; i < KIT_BUCKETS; i++) {
        seen += h->counts[i];
        if ((double)seen >= rank)
            return bucket_end(i);
    }
    return h->most;
}

/* -------- events --------------------------------------------------------- */

/* Append n in `digits` decimal digits at `at`. */
static char *put_digits(char *at, uint64_t n, unsigned digits)
{
    for (unsigned i = digits; i != 0; i--) {
        at[i - 1] = (char)('0' + n % 10);
        n /= 10;
    }
    return at + digits;
}

static char *put_text(char *at, sg_str text)
{
    memcpy(at, text.ptr, text.len);
    return at + text.len;
}

static void set_field(kit_event *e, uint32_t i, const char *beg,
                      const char *end)
{
    e->fields[i] =
        (sr_cell){.kind = SR_STRING, .text = {beg, (size_t)(end - beg)}};
}

void kit_name_short(kit_event *e, uint64_t g)
{
    char *end = put_digits(put_text(e->text, SG_S("host")), g, 8);

    set_field(e, 0, e->text, end);
}

void kit_name_long(kit_event *e, uint64_t g)
{
    char *beg = e->text;
    char *end = put_digits(put_text(beg, SG_S("WORKSTATION-")), g / 64, 7);

    set_field(e, 0, beg, end);
    beg = end;
    end = put_text(beg, SG_S("C:\\Program Files\\Vendor\\service-host-"));
    end = put_text(put_digits(end, g % 8, 2), SG_S(".exe"));
    set_field(e, 1, beg, end);
    beg = end;
    end = put_digits(put_text(beg, SG_S("203.0.113.")), g / 8 % 8 + 100, 3);
    set_field(e, 2, beg, end);
    beg = end;
    end = put_text(beg, SG_S("587"));
    set_field(e, 3, beg, end);
    beg = end;
    end = put_text(beg, SG_S("SMTP"));
    set_field(e, 4, beg, end);
    beg = end;
    end = put_digits(put_text(beg, SG_S("EXAMPLE\\user.")), g / 64, 7);
    set_field(e, 5, beg, end);
}

void kit_put_number(kit_event *e, uint32_t at, uint64_t n)
{
    char *text = e->text + KIT_TEXT - 8;
    char *end = put_digits(text, n % 9000000 + 1000000, 7);

    set_field(e, at, text, end);
    e->fields[at].kind = SR_NUMBER;
    e->fields[at].num = (sg_num){.kind = SIGMA_INT,
                                 .v = {.i = (int64_t)(n % 9000000 + 1000000)}};
}

/* -------- detectors ------------------------------------------------------ */

static bool is_temporal(uint32_t type)
{
    return type == SIGMA_CORR_TEMPORAL || type == SIGMA_CORR_TEMPORAL_ORDERED;
}

static uint32_t value_count(uint32_t type)
{
    return is_temporal(type) || type == SIGMA_CORR_EVENT_COUNT ? 0 : 1;
}

static void fill_detector(kit *k, const kit_shape *shape)
{
    const uint32_t refs = is_temporal(shape->type) ? 2 : 1;
    const uint32_t values = value_count(shape->type);
    const uint32_t width = shape->keys + values;
    sigma_correlation *corrs =
        sg_new_n(&k->arena, sigma_correlation, shape->corrs);
    sigma_corr_ref *list =
        sg_new_n(&k->arena, sigma_corr_ref, (size_t)shape->corrs * refs);
    uint32_t *sources = sg_new_n(&k->arena, uint32_t, (size_t)refs * width + 1);
    sigma_corr_cond *never = sg_new(&k->arena, sigma_corr_cond);

    *never = (sigma_corr_cond){SIGMA_CMP_GTE,
                               {.kind = SIGMA_INT, .v = {.i = INT64_MAX}}};
    for (uint32_t i = 0; i < refs * width; i++)
        sources[i] = i % width;
    for (uint32_t c = 0; c < shape->corrs; c++) {
        for (uint32_t r = 0; r < refs; r++)
            list[c * refs + r].index = (shape->one_rule ? 0 : c) + r;
        corrs[c] = (sigma_correlation){
            .type = shape->type,
            .timespan = shape->timespan,
            .ref_first = c * refs,
            .ref_count = refs,
            .key_count = shape->keys,
            .value_count = values,
            /* Temporal ones hold when both rules were seen. */
            .cond_count = is_temporal(shape->type) ? 0 : 1,
            .percentile = 95,
            .sort_column = SIGMA_NONE,
            .limit = SIGMA_NONE,
        };
    }
    k->detector = (sigma_detector){
        .abi = SIGMA_ABI,
        .size = sizeof(sigma_detector),
        .fields = sg_new_n(&k->arena, sigma_field, KIT_FIELDS),
        .rules = sg_new_n(&k->arena, sigma_rule, (size_t)shape->corrs + 1),
        .correlations = corrs,
        .corr_refs = list,
        .corr_sources = sources,
        .corr_conds = never,
        .field_count = KIT_FIELDS,
        .rule_count = shape->corrs + 1,
        .correlation_count = shape->corrs,
        .corr_ref_count = shape->corrs * refs,
        .corr_source_count = refs * width,
        .corr_cond_count = 1,
    };
}

static void count_firing(void *ctx, const sr_firing *firing)
{
    kit *k = ctx;

    (void)firing;
    k->fired++;
}

kit *kit_open(const kit_shape *shape)
{
    kit *k = calloc(1, sizeof(*k));

    if (k == NULL)
        sg_fatal("out of memory");
    fill_detector(k, shape);
    k->layout = sr_layout_new(&k->arena, &k->detector, false);
    const sr_agg_options options = {
        .max_groups = UINT64_MAX / 2,
        .max_memory = shape->max_memory,
        .exact_values = shape->exact_values,
        .fire = count_firing,
        .ctx = k,
    };

    k->agg = sr_agg_open(k->layout, &options);
    k->newest = INT64_MIN;
    return k;
}

void kit_close(kit *k)
{
    sr_agg_close(k->agg);
    sg_buf_free(&k->made);
    free(k->list);
    sg_arena_free(&k->arena);
    free(k);
}

/* -------- feeding -------------------------------------------------------- */

static bool read_field(void *ctx, uint32_t rule, uint32_t field, sr_cell *cell)
{
    const kit_event *e = ctx;

    (void)rule;
    *cell = e->fields[field];
    return true;
}

/* The batch's contributions in k->made, which stays where it is until the
 * next. Returns their number. */
static size_t make(kit *k, const kit_event *events, size_t count)
{
    sr_missed missed;
    size_t made = 0;

    k->made.len = 0;
    for (size_t i = 0; i < count; i++) {
        const kit_event *e = &events[i];
        const sr_hit hit = {.rule = e->rule, .timed = true, .time = e->time};
        size_t at = k->made.len;

        const sr_matched matched = {
            &hit, 1, {.line = ++k->events}, read_field, (void *)(uintptr_t)e};

        made += sr_contribute(k->layout, &matched, &k->made, &missed);
        k->newest = e->time > k->newest ? e->time : k->newest;
        while (at < k->made.len) {
            sr_contribution *c = (sr_contribution *)(void *)(k->made.ptr + at);

            c->event = k->events;
            c->newest = k->newest;
            at += c->size;
        }
    }
    return made;
}

static void list_all(kit *k, size_t count)
{
    size_t at = 0;

    if (count > k->list_cap) {
        free((void *)k->list);
        k->list = malloc(count * sizeof(*k->list));
        k->list_cap = count;
        if (k->list == NULL)
            sg_fatal("out of memory");
    }
    for (size_t i = 0; i < count; i++) {
        k->list[i] = (const sr_contribution *)(const void *)(k->made.ptr + at);
        at += k->list[i]->size;
    }
}

void kit_feed(kit *k, const kit_event *events, size_t count)
{
    const uint64_t beg = now_ns();
    const size_t made = make(k, events, count);
    const uint64_t middle = now_ns();

    list_all(k, made);
    sr_agg_feed_all(k->agg, k->list, made, NULL, NULL);
    k->making += (double)(middle - beg) / 1e9;
    k->feeding += (double)(now_ns() - middle) / 1e9;
    k->updates += made;
}

void kit_feed_slowly(kit *k, const kit_event *events, size_t count,
                     kit_histogram *pauses)
{
    const size_t made = make(k, events, count);

    list_all(k, made);
    k->updates += made;
    uint64_t beg = now_ns();

    for (size_t i = 0; i < made; i++) {
        sr_agg_feed(k->agg, k->list[i]);
        const uint64_t end = now_ns();

        note(pauses, end - beg);
        beg = end;
    }
}

void kit_reset_clocks(kit *k)
{
    k->updates = 0;
    k->making = k->feeding = 0;
}
