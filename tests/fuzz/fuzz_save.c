/*
 * fuzz_save.c - groups from a store that lies: what sr_agg_load takes, the
 * engine can go on with, and saves as bytes that load again. Input: a byte that
 * draws the detector and another the events, a byte of flags; then changes to
 * what an honest engine saved, four bytes each: which group, where, and what
 * for. Or, if the flags say so, groups as they are: a correlation, the lengths
 * of key and value, and both.
 */
#include "support/corr_kit.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { SEARCH = 1, RAW = 2, FEW_VALUES = 4, FEW_GROUPS = 8, EVENTS = 40 };

/* What a round works on. */
typedef struct round {
    kit_chance r;
    kit_model model;
    kit kit;
    sr_agg_options options;
    kit_event last;
    kit_store store;
} round;

static void must(bool ok)
{
    if (!ok)
        abort();
}

static void feed_some(round *t, kit_engine *e, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        t->last = kit_draw_event(&t->r, &t->model, &t->last, t->options.search);
        kit_feed(e, &t->last);
    }
}

/* -------- a store -------------------------------------------------------- */

/* Three bytes: a place, and a byte for it, or what to do there. */
static void change(sg_buf *buf, const uint8_t *in)
{
    const size_t at = buf->len == 0 ? 0 : (in[0] + in[1] * 64u) % buf->len;

    if (buf->len == 0)
        return;
    switch (in[1] >> 6) {
    case 0:
        buf->len = at; /* cut off */
        break;
    case 1:
        sg_buf_putc(buf, (char)in[2]);
        break;
    case 2:
        buf->ptr[at] = (char)(buf->ptr[at] + (in[2] % 2 == 0 ? 1 : -1));
        break;
    default:
        buf->ptr[at] = (char)in[2];
        break;
    }
}

/* Most changes are to values; in[0] says to which. */
static void change_store(kit_store *s, const uint8_t *in)
{
    if (s->count == 0)
        return;
    kit_saved *g = &s->items[in[0] % s->count];

    if (in[0] >= 240)
        g->correlation ^= in[3] % 2;
    else
        change(in[0] >= 220 ? &g->key : &g->value, in + 1);
}

static void take_raw(round *t, const uint8_t *data, size_t size)
{
    const uint32_t corrs = t->kit.d.correlation_count;

    for (size_t at = 0; size - at >= 4;) {
        const size_t key = data[at + 1];
        const size_t value = data[at + 2] + data[at + 3] * 256u;
        const uint32_t c = data[at] % corrs;

        at += 4;
        if (key > size - at || value > size - at - key)
            return;
        const sg_str bytes = {(const char *)data + at + key, value};

        kit_keep(&t->store, c, (sg_str){(const char *)data + at, key}, &bytes);
        at += key + value;
    }
}

static void make_store(round *t, const uint8_t *data, size_t size)
{
    kit_engine honest;

    kit_open(&honest, &t->kit, t->options);
    feed_some(t, &honest, EVENTS);
    sr_agg_save(honest.agg, 0, kit_keep, &t->store);
    kit_close(&honest);
    for (size_t at = 0; size - at >= 4; at += 4)
        change_store(&t->store, data + at);
}

/* -------- going on ------------------------------------------------------- */

/* How many groups were taken. */
static size_t load_all(kit_engine *e, const kit_store *s)
{
    size_t taken = 0;

    for (size_t i = 0; i < s->count; i++) {
        const kit_saved *g = &s->items[i];

        if (g->correlation < e->kit->d.correlation_count)
            taken += sr_agg_load(e->agg, g->correlation, sg_buf_str(&g->key),
                                 sg_buf_str(&g->value));
    }
    (void)sr_agg_loaded(e->agg, UINT32_MAX);
    return taken;
}

/* What was saved loads. */
static void check_again(round *t, kit_engine *e)
{
    kit_store again = {NULL, 0, 0};
    kit_engine other;

    must(sr_agg_save(e->agg, 0, kit_keep, &again));
    kit_open(&other, &t->kit, t->options);
    must(load_all(&other, &again) == again.count);
    kit_close(&other);
    kit_clear(&again);
}

static void go_on(round *t, uint64_t turn)
{
    kit_engine e;

    kit_open(&e, &t->kit, t->options);
    must(sr_agg_totals(e.agg).groups == 0);
    const size_t taken = load_all(&e, &t->store);

    must(taken == sr_agg_totals(e.agg).groups);
    sr_agg_clock_set(e.agg,
                     (sr_agg_clock){.turn = turn, .watermark = t->last.time});
    check_again(t, &e);
    feed_some(t, &e, EVENTS);
    sr_agg_finish(e.agg);
    check_again(t, &e);
    kit_close(&e);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static round t;

    if (size < 4)
        return 0;
    t = (round){.r = {data[0]}, .last = {.time = 1000 * KIT_SECOND}};
    kit_draw_model(&t.r, &t.model);
    kit_build(&t.kit, &t.model, &t.r, false);
    t.r.state += data[1];
    t.options = (sr_agg_options){
        .search = (data[2] & SEARCH) != 0,
        .every_firing = true,
        .max_groups = (data[2] & FEW_GROUPS) != 0 ? 5 : 1000,
        .max_memory = (uint64_t)64 << 20,
        .exact_values = (data[2] & FEW_VALUES) != 0 ? 2 : 1000,
        .shards = data[2] >> 6,
    };
    if ((data[2] & RAW) != 0)
        take_raw(&t, data + 4, size - 4);
    else
        make_store(&t, data + 4, size - 4);
    go_on(&t, data[3] == 255 ? UINT64_MAX : data[3]);
    kit_clear(&t.store);
    return 0;
}
