/*
 * csv_out.c - RFC 4180 with LF line ends. A header goes before the first row
 * and again where the kind of row changes (alerts, then one report's rows).
 * Values are never altered: a cell that a spreadsheet would take for a formula
 * stays what the event said.
 */
#include "output/formats.h"

#include <string.h>

/* The columns of alerts, in order; CELL writes one from `alert`. */
#define COLUMNS(CELL)                                                          \
    CELL("timestamp", put_time)                                                \
    CELL("type", put_type)                                                     \
    CELL("level", put_level)                                                   \
    CELL("rule_id", put_rule_id)                                               \
    CELL("rule_name", put_rule_name)                                           \
    CELL("rule_title", put_rule_title)                                         \
    CELL("group", put_group)                                                   \
    CELL("count", put_count)                                                   \
    CELL("value", put_value)                                                   \
    CELL("first_seen", put_first)                                              \
    CELL("last_seen", put_last)                                                \
    CELL("path", put_path)                                                     \
    CELL("line", put_line)                                                     \
    CELL("matched", put_matched)                                               \
    CELL("derived", put_derived)                                               \
    CELL("alert_id", put_id)                                                   \
    CELL("event", put_event)                                                   \
    CELL("enriched", put_enriched)

typedef void put_fn(const sr_output *out, sg_buf *buf, const sr_alert *alert);

static void put_moment(sg_buf *buf, bool timed, int64_t time)
{
    if (timed)
        sr_put_time(buf, time);
}

static void put_time(const sr_output *out, sg_buf *buf, const sr_alert *a)
{
    (void)out;
    put_moment(buf, a->timed, a->time);
}

static void put_type(const sr_output *out, sg_buf *buf, const sr_alert *a)
{
    (void)out;
    sg_buf_putz(buf, a->correlation ? "correlation" : "detection");
}

static void put_level(const sr_output *out, sg_buf *buf, const sr_alert *a)
{
    sg_buf_put(buf, sr_pool_str(out, sr_alert_meta(out, a)->level));
}

static void put_rule_id(const sr_output *out, sg_buf *buf, const sr_alert *a)
{
    sg_buf_put(buf, sr_pool_str(out, sr_alert_meta(out, a)->id));
}

static void put_rule_name(const sr_output *out, sg_buf *buf, const sr_alert *a)
{
    sg_buf_put(buf, sr_pool_str(out, sr_alert_meta(out, a)->name));
}

static void put_rule_title(const sr_output *out, sg_buf *buf, const sr_alert *a)
{
    sg_buf_put(buf, sr_pool_str(out, sr_alert_meta(out, a)->title));
}

static void put_group(const sr_output *out, sg_buf *buf, const sr_alert *a)
{
    (void)out;
    if (a->correlation)
        sr_put_pairs(buf, a->pairs, a->pair_count);
}

static void put_count(const sr_output *out, sg_buf *buf, const sr_alert *a)
{
    (void)out;
    if (a->correlation)
        sr_put_u64(buf, a->count);
}

static void put_value(const sr_output *out, sg_buf *buf, const sr_alert *a)
{
    (void)out;
    if (a->correlation)
        sr_put_num(buf, a->value);
}

static void put_first(const sr_output *out, sg_buf *buf, const sr_alert *a)
{
    (void)out;
    if (a->correlation)
        put_moment(buf, a->first.timed, a->first.time);
}

static void put_last(const sr_output *out, sg_buf *buf, const sr_alert *a)
{
    (void)out;
    if (a->correlation)
        put_moment(buf, a->last.timed, a->last.time);
}

static void put_path(const sr_output *out, sg_buf *buf, const sr_alert *a)
{
    (void)out;
    sg_buf_put(buf, a->path);
}

static void put_line(const sr_output *out, sg_buf *buf, const sr_alert *a)
{
    (void)out;
    sr_put_u64(buf, a->line);
}

static void put_matched(const sr_output *out, sg_buf *buf, const sr_alert *a)
{
    (void)out;
    sr_put_matched(buf, a, ';');
}

static void put_derived(const sr_output *out, sg_buf *buf, const sr_alert *a)
{
    (void)out;
    if (!a->correlation && a->pair_count != 0)
        sr_put_pairs(buf, a->pairs, a->pair_count);
}

static void put_enriched(const sr_output *out, sg_buf *buf, const sr_alert *a)
{
    (void)out;
    if (a->added_count != 0)
        sr_put_pairs(buf, a->added, a->added_count);
}

static void put_id(const sr_output *out, sg_buf *buf, const sr_alert *a)
{
    (void)out;
    sg_buf_put(buf, a->id);
}

static void put_event(const sr_output *out, sg_buf *buf, const sr_alert *a)
{
    (void)out;
    sg_buf_put(buf, a->event);
}

/* -------- cells ---------------------------------------------------------- */

static bool needs_quotes(sg_str text)
{
    for (size_t i = 0; i < text.len; i++)
        if (strchr(",\"\r\n", text.ptr[i]) != NULL && text.ptr[i] != '\0')
            return true;
    return text.len != 0 &&
           (text.ptr[0] == ' ' || text.ptr[text.len - 1] == ' ');
}

/* Quote what stands in buf from `beg` on, if it needs quotes. */
static void quote_from(sg_buf *buf, size_t beg)
{
    const size_t len = buf->len - beg;
    size_t quotes = 2;

    if (!needs_quotes((sg_str){buf->ptr + beg, len}))
        return;
    for (size_t i = beg; i < buf->len; i++)
        quotes += buf->ptr[i] == '"';
    sg_buf_reserve(buf, quotes);
    buf->len += quotes;

    /* From the end, so that nothing is overwritten before it is moved. */
    size_t to = buf->len;

    buf->ptr[--to] = '"';
    for (size_t i = beg + len; i > beg; i--) {
        buf->ptr[--to] = buf->ptr[i - 1];
        if (buf->ptr[i - 1] == '"')
            buf->ptr[--to] = '"';
    }
    buf->ptr[--to] = '"';
}

static void put_cell(sg_buf *buf, sg_str text, bool first)
{
    if (!first)
        sg_buf_putc(buf, ',');
    const size_t beg = buf->len;

    sg_buf_put(buf, text);
    quote_from(buf, beg);
}

static void csv_begin(sr_output *out)
{
    static const char header[] =
#define CELL(name, put) "," name
        COLUMNS(CELL) "\n";
#undef CELL

    if (out->fresh_rows)
        sg_buf_putz(&out->buf, header + 1);
}

static void csv_alert(sr_output *out, const sr_alert *alert)
{
    static put_fn *const puts[] = {
#define CELL(name, put) put,
        COLUMNS(CELL)
#undef CELL
    };

    for (size_t i = 0; i < sizeof(puts) / sizeof(puts[0]); i++) {
        if (i != 0)
            sg_buf_putc(&out->buf, ',');
        const size_t beg = out->buf.len;

        puts[i](out, &out->buf, alert);
        quote_from(&out->buf, beg);
    }
}

static void csv_end(sr_output *out)
{
    sg_buf_putc(&out->buf, '\n');
}

static void csv_row(sr_output *out, const sr_pair *pairs, uint32_t count)
{
    if (out->fresh_rows) {
        for (uint32_t i = 0; i < count; i++)
            put_cell(&out->buf, pairs[i].name, i == 0);
        sg_buf_putc(&out->buf, '\n');
    }
    for (uint32_t i = 0; i < count; i++)
        put_cell(&out->buf, pairs[i].kind == SR_NULL ? SG_S("") : pairs[i].text,
                 i == 0);
    sg_buf_putc(&out->buf, '\n');
}

const sr_format_ops sr_format_csv = {csv_begin, csv_alert, csv_end, true,
                                     csv_row,   NULL,      NULL};
