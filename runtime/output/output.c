/*
 * output.c - the writer: dispatch to a format, buffering, and errors of the
 * file behind it, which stick.
 */
#include "output/formats.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

enum { ENOUGH = 64 * 1024 }; /* bytes that wait before they are written */

static const struct {
    sg_str name;
    const char *doc;
} formats[SR_FORMAT_COUNT] = {
#define OUTPUT(name, text, doc) [SR_FORMAT_##name] = {SG_LIT(text), doc},
#include "output/outputs.def"
#undef OUTPUT
};

static const sr_format_ops *const ops_of[SR_FORMAT_COUNT] = {
    [SR_FORMAT_NDJSON] = &sr_format_ndjson,
    [SR_FORMAT_JSON] = &sr_format_json,
    [SR_FORMAT_CSV] = &sr_format_csv,
    [SR_FORMAT_TABLE] = &sr_format_table,
};

bool sr_format_find(sg_str name, sr_format *out)
{
    for (unsigned i = 0; i < SR_FORMAT_COUNT; i++)
        if (sg_str_eq(formats[i].name, name)) {
            *out = (sr_format)i;
            return true;
        }
    return false;
}

const char *sr_format_name(sr_format format)
{
    return formats[format].name.ptr;
}

const char *sr_format_doc(sr_format format)
{
    return formats[format].doc;
}

sr_output *sr_output_open(const sigma_detector *detector,
                          const sr_output_options *options)
{
    sr_output *out = calloc(1, sizeof(*out));

    if (out == NULL)
        sg_fatal("out of memory");
    out->detector = detector;
    out->ops = ops_of[options->format];
    out->fd = options->fd;
    out->hold = options->hold;
    out->take = options->take;
    out->ctx = options->ctx;
    out->width = options->width;
    out->rows = SR_ROWS_NONE;
    return out;
}

/* Write all bytes; short writes and signals are no errors. */
static void write_all(sr_output *out)
{
    size_t at = 0;

    while (at < out->buf.len && out->error == 0) {
        const ssize_t n = write(out->fd, out->buf.ptr + at, out->buf.len - at);

        if (n >= 0)
            at += (size_t)n;
        else if (errno != EINTR)
            out->error = errno;
    }
    out->buf.len = 0;
}

/* A line is complete. */
static void line_done(sr_output *out, sr_told told, uint32_t index)
{
    if (out->take != NULL) {
        out->take(out->ctx, told, index, &out->buf);
        out->buf.len = 0;
        return;
    }
    if (out->buf.len >= ENOUGH && !out->hold)
        write_all(out);
}

/* Note what kind of line comes next. */
static void begin_rows(sr_output *out, int64_t rows)
{
    out->fresh_rows = out->rows != rows;
    if (out->fresh_rows && out->ops->settle != NULL)
        out->ops->settle(out);
    out->rows = rows;
}

void sr_output_alert(sr_output *out, const sr_alert *alert)
{
    if (out->error != 0)
        return;
    begin_rows(out, SR_ROWS_ALERTS);
    if (out->ops->begin != NULL)
        out->ops->begin(out);
    out->ops->alert(out, alert);
    if (out->ops->end != NULL)
        out->ops->end(out);
    line_done(out, alert->correlation ? SR_TOLD_CORRELATION : SR_TOLD_DETECTION,
              alert->index);
}

bool sr_output_pieces(const sr_output *out)
{
    return out->ops->pieces;
}

void sr_output_piece(sr_output *out, const sr_alert *alert)
{
    out->ops->alert(out, alert);
}

void sr_output_put(sr_output *out, sg_str piece)
{
    if (out->error != 0)
        return;
    begin_rows(out, SR_ROWS_ALERTS);
    if (out->ops->begin != NULL)
        out->ops->begin(out);
    sg_buf_put(&out->buf, piece);
    if (out->ops->end != NULL)
        out->ops->end(out);
    line_done(out, SR_TOLD_DETECTION, SIGMA_NONE);
}

sg_buf *sr_output_buffer(sr_output *out)
{
    return &out->buf;
}

sr_output_state sr_output_state_get(const sr_output *out)
{
    return (sr_output_state){out->rows, out->objects};
}

void sr_output_state_set(sr_output *out, sr_output_state state)
{
    out->rows = state.rows;
    out->objects = state.objects;
}

void sr_output_row(sr_output *out, uint32_t correlation, const sr_pair *pairs,
                   uint32_t count)
{
    if (out->error != 0)
        return;
    begin_rows(out, correlation);
    out->ops->row(out, pairs, count);
    line_done(out, SR_TOLD_ROW, correlation);
}

bool sr_output_waiting(const sr_output *out)
{
    return out->buf.len != 0;
}

bool sr_output_flush(sr_output *out)
{
    write_all(out);
    return out->error == 0;
}

bool sr_output_finish(sr_output *out)
{
    if (out->error == 0) {
        if (out->ops->settle != NULL)
            out->ops->settle(out);
        if (out->ops->finish != NULL)
            out->ops->finish(out);
    }
    return out->hold || sr_output_flush(out);
}

int sr_output_error(const sr_output *out)
{
    return out->error;
}

void sr_output_close(sr_output *out)
{
    if (out == NULL)
        return;
    sg_buf_free(&out->buf);
    sg_buf_free(&out->grid.text);
    free(out->grid.cells);
    sg_arena_free(&out->arena);
    free(out);
}

/* -------- pieces --------------------------------------------------------- */

sg_str sr_pool_str(const sr_output *out, sigma_ref ref)
{
    return (sg_str){out->detector->pool + ref.off, ref.len};
}

const sigma_meta *sr_alert_meta(const sr_output *out, const sr_alert *alert)
{
    return alert->correlation ? &out->detector->correlations[alert->index].meta
                              : &out->detector->rules[alert->index].meta;
}

void sr_put_u64(sg_buf *buf, uint64_t n)
{
    char digits[20];
    size_t at = sizeof(digits);

    do {
        digits[--at] = (char)('0' + n % 10);
        n /= 10;
    } while (n != 0);
    sg_buf_put(buf, (sg_str){digits + at, sizeof(digits) - at});
}

void sr_put_num(sg_buf *buf, sg_num n)
{
    char text[SG_NUM_TEXT];

    sg_buf_put(buf, (sg_str){text, sg_num_text(n, text)});
}

void sr_put_time(sg_buf *buf, int64_t ns)
{
    char text[SG_TIME_TEXT];

    sg_buf_put(buf, (sg_str){text, sg_time_text(ns, text)});
}

static void put_pair_value(sg_buf *buf, const sr_pair *pair)
{
    if (pair->kind == SR_NULL)
        sg_buf_put(buf, SG_S("null"));
    else if (pair->kind == SR_STRING)
        sg_buf_put_json(buf, pair->text);
    else
        sg_buf_put(buf, pair->text);
}

void sr_put_pairs(sg_buf *buf, const sr_pair *pairs, uint32_t count)
{
    sg_buf_putc(buf, '{');
    for (uint32_t i = 0; i < count; i++) {
        if (i != 0)
            sg_buf_putc(buf, ',');
        sg_buf_put_json(buf, pairs[i].name);
        sg_buf_putc(buf, ':');
        put_pair_value(buf, &pairs[i]);
    }
    sg_buf_putc(buf, '}');
}

void sr_put_matched(sg_buf *buf, const sr_alert *alert, char between)
{
    for (uint32_t i = 0; i < alert->matched_count; i++) {
        if (i != 0)
            sg_buf_putc(buf, between);
        sg_buf_put(buf, alert->matched[i]);
    }
}
