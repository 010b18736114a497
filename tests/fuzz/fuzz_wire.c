/*
 * fuzz_wire.c - contributions from a journal that lies: what sr_wire_get takes
 * is valid, feeds an engine, and is put as bytes that come back. Input: a byte
 * that draws the detector, another the events, a byte of flags; then changes to
 * what an honest detector wrote, four bytes each: which record, where, and what
 * for. Or, if the flags say so, one record as it is.
 */
#include "support/corr_kit.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { SEARCH = 1, RAW = 2, SHUFFLED = 4, EVENTS = 12, RECORDS = 64 };

/* What an honest detector wrote, and who reads it. */
typedef struct round {
    kit_chance r;
    kit_model model;
    kit writer, reader;
    kit_engine put, get;
    sg_buf records[RECORDS];
    size_t count;
} round;

static void must(bool ok)
{
    if (!ok)
        abort();
}

/* -------- records -------------------------------------------------------- */

static void write_records(round *t, bool search)
{
    kit_event e = {.time = 1000 * KIT_SECOND};
    sg_buf made = {0};

    for (unsigned i = 0; i < EVENTS; i++) {
        e = kit_draw_event(&t->r, &t->model, &e, search);
        kit_contribute(&t->writer, t->put.layout, &e, &made);
    }
    for (size_t at = 0; at < made.len && t->count < RECORDS;) {
        const sr_contribution *c = (void *)(made.ptr + at);

        sr_wire_put(t->put.layout, c, 0, &t->records[t->count++]);
        at += c->size;
    }
    sg_buf_free(&made);
}

/* Which record; a place; a byte for it, or what to do there. */
static void change(round *t, const uint8_t *in)
{
    if (t->count == 0)
        return;
    sg_buf *buf = &t->records[in[0] % t->count];
    const size_t at = buf->len == 0 ? 0 : (in[1] + in[2] * 64u) % buf->len;

    if (buf->len == 0)
        return;
    switch (in[2] >> 6) {
    case 0:
        buf->len = at; /* cut off */
        break;
    case 1:
        sg_buf_putc(buf, (char)in[3]);
        break;
    case 2:
        buf->ptr[at] = (char)(buf->ptr[at] + (in[3] % 2 == 0 ? 1 : -1));
        break;
    default:
        buf->ptr[at] = (char)in[3];
        break;
    }
}

/* -------- reading -------------------------------------------------------- */

/* Put again, it comes back once more. */
static void check_again(const round *t, const sr_contribution *c)
{
    sg_buf bytes = {0};
    sg_buf again = {0};
    sg_buf back = {0};

    sr_wire_put(t->get.layout, c, c->place.source, &bytes);
    sg_reader r = {sg_buf_str(&bytes), false};

    must(sr_wire_get(t->get.layout, &r, &back) == SR_WIRE_DONE);
    must(sg_read_done(&r));
    sr_wire_put(t->get.layout, (void *)back.ptr, c->place.source, &again);
    must(sg_str_eq(sg_buf_str(&bytes), sg_buf_str(&again)));
    sg_buf_free(&bytes);
    sg_buf_free(&again);
    sg_buf_free(&back);
}

static void read_record(round *t, sg_str bytes)
{
    sg_reader r = {bytes, false};
    sg_buf out = {0};
    const sr_wire_status status = sr_wire_get(t->get.layout, &r, &out);

    must((status == SR_WIRE_DONE) == (out.len != 0));
    if (status == SR_WIRE_DONE) {
        sr_contribution *c = (void *)out.ptr;

        must(c->size == out.len);
        must(sr_contribution_valid(t->get.layout, sg_buf_str(&out)));
        c->newest = c->time;
        check_again(t, c);
        sr_agg_feed(t->get.agg, c);
    }
    sg_buf_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static round t;

    if (size < 3)
        return 0;
    t = (round){.r = {data[0]}};
    const sr_agg_options options = {
        .search = (data[2] & SEARCH) != 0,
        .every_firing = true,
        .max_groups = 1000,
        .max_memory = (uint64_t)64 << 20,
        .exact_values = 3,
    };

    kit_draw_model(&t.r, &t.model);
    kit_build(&t.writer, &t.model, &t.r, false);
    kit_build(&t.reader, &t.model, &t.r, (data[2] & SHUFFLED) != 0);
    t.r.state += data[1];
    kit_open(&t.put, &t.writer, options);
    kit_open(&t.get, &t.reader, options);
    if ((data[2] & RAW) != 0) {
        read_record(&t, (sg_str){(const char *)data + 3, size - 3});
    } else {
        write_records(&t, options.search);
        for (size_t at = 3; size - at >= 4; at += 4)
            change(&t, data + at);
    }
    for (size_t i = 0; i < t.count; i++) {
        read_record(&t, sg_buf_str(&t.records[i]));
        sg_buf_free(&t.records[i]);
    }
    sr_agg_finish(t.get.agg);
    kit_close(&t.put);
    kit_close(&t.get);
    return 0;
}
