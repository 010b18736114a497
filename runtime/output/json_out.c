/*
 * json_out.c - alerts as JSON objects, one a line or in one array. Written by
 * hand piece by piece; what is constant about a rule is made once.
 */
#include "output/formats.h"

#include <math.h>

/* "name":"text", with a comma before unless it is the first. */
static void put_text(sg_buf *buf, const char *name, sg_str text, bool *first)
{
    if (text.len == 0)
        return;
    if (!*first)
        sg_buf_putc(buf, ',');
    *first = false;
    sg_buf_putc(buf, '"');
    sg_buf_putz(buf, name);
    sg_buf_put(buf, SG_S("\":"));
    sg_buf_put_json(buf, text);
}

/* What an alert says about its rule; absent texts are left out. */
static void put_rule(const sr_output *out, sg_buf *buf, const sigma_meta *meta)
{
    bool first = true;

    sg_buf_putc(buf, '{');
    put_text(buf, "id", sr_pool_str(out, meta->id), &first);
    put_text(buf, "name", sr_pool_str(out, meta->name), &first);
    put_text(buf, "title", sr_pool_str(out, meta->title), &first);
    put_text(buf, "level", sr_pool_str(out, meta->level), &first);
    put_text(buf, "status", sr_pool_str(out, meta->status), &first);
    sg_buf_putz(buf, first ? "\"tags\":[" : ",\"tags\":[");
    for (uint32_t i = 0; i < meta->tag_count; i++) {
        if (i != 0)
            sg_buf_putc(buf, ',');
        sg_buf_put_json(
            buf, sr_pool_str(out, out->detector->strs[meta->tag_first + i]));
    }
    sg_buf_putc(buf, ']');
    first = false;
    put_text(buf, "sha256", sr_pool_str(out, meta->sha256), &first);
    sg_buf_putc(buf, '}');
}

static sg_str rule_json(sr_output *out, const sr_alert *alert)
{
    const sigma_detector *d = out->detector;
    sg_str *cached;

    if (out->rules == NULL)
        out->rules = sg_new_n(&out->arena, sg_str,
                              (size_t)d->rule_count + d->correlation_count);
    cached =
        &out->rules[alert->index + (alert->correlation ? d->rule_count : 0)];
    if (cached->ptr == NULL) {
        sg_buf buf = {0};

        put_rule(out, &buf, sr_alert_meta(out, alert));
        *cached = sg_arena_dup(&out->arena, sg_buf_str(&buf));
        sg_buf_free(&buf);
    }
    return *cached;
}

static void put_seen(sg_buf *buf, bool timed, int64_t time)
{
    if (!timed) {
        sg_buf_put(buf, SG_S("null"));
        return;
    }
    sg_buf_putc(buf, '"');
    sr_put_time(buf, time);
    sg_buf_putc(buf, '"');
}

static void put_source(sg_buf *buf, const sr_alert *alert)
{
    sg_buf_put(buf, SG_S(",\"source\":{\"path\":"));
    sg_buf_put_json(buf, alert->path);
    sg_buf_put(buf, SG_S(",\"line\":"));
    sr_put_u64(buf, alert->line);
    sg_buf_putc(buf, '}');
}

static void put_detection(sg_buf *buf, const sr_alert *alert)
{
    put_source(buf, alert);
    sg_buf_put(buf, SG_S(",\"matched\":["));
    for (uint32_t i = 0; i < alert->matched_count; i++) {
        if (i != 0)
            sg_buf_putc(buf, ',');
        sg_buf_put_json(buf, alert->matched[i]);
    }
    sg_buf_putc(buf, ']');
    if (alert->pair_count != 0) {
        sg_buf_put(buf, SG_S(",\"derived\":"));
        sr_put_pairs(buf, alert->pairs, alert->pair_count);
    }
    if (alert->added_count != 0) {
        sg_buf_put(buf, SG_S(",\"enriched\":"));
        sr_put_pairs(buf, alert->added, alert->added_count);
    }
    if (alert->event.len != 0) {
        sg_buf_put(buf, SG_S(",\"event\":"));
        sg_buf_put(buf, alert->event);
    }
}

static void put_double(sg_buf *buf, double f)
{
    sr_put_num(buf, (sg_num){.kind = SIGMA_FLOAT, .v = {.f = f}});
}

/* No share of 0 is a bound: null. */
static void put_error(sg_buf *buf, const sr_alert *alert)
{
    sg_buf_put(buf, SG_S(",\"approximate\":true,\"error_bound\":"));
    if (isfinite(alert->error_share))
        put_double(buf, alert->error_share);
    else
        sg_buf_put(buf, SG_S("null"));
    sg_buf_put(buf, SG_S(",\"error_absolute\":"));
    put_double(buf, alert->error_most);
}

static void put_correlation(const sr_output *out, sg_buf *buf,
                            const sr_alert *alert)
{
    static const sg_str types[SIGMA_CORR_COUNT] = {
#define CORR(name, text, operand, doc) [SIGMA_CORR_##name] = SG_LIT(text),
#include "sigma_correlations.def"
#undef CORR
    };
    const sigma_correlation *def = &out->detector->correlations[alert->index];

    sg_buf_put(buf, SG_S(",\"correlation_type\":\""));
    sg_buf_put(buf, types[def->type]);
    sg_buf_put(buf, SG_S("\",\"group\":"));
    sr_put_pairs(buf, alert->pairs, alert->pair_count);
    sg_buf_put(buf, SG_S(",\"count\":"));
    sr_put_u64(buf, alert->count);
    sg_buf_put(buf, SG_S(",\"value\":"));
    sr_put_num(buf, alert->value);
    if (alert->approximate)
        put_error(buf, alert);
    sg_buf_put(buf, SG_S(",\"first_seen\":"));
    put_seen(buf, alert->first.timed, alert->first.time);
    sg_buf_put(buf, SG_S(",\"last_seen\":"));
    put_seen(buf, alert->last.timed, alert->last.time);
    sg_buf_put(buf, SG_S(",\"timespan\":"));
    sg_buf_put_json(buf, sr_pool_str(out, def->timespan_text));
    put_source(buf, alert);
}

static void put_object(sr_output *out, const sr_alert *alert)
{
    sg_buf *buf = &out->buf;

    sg_buf_put(buf, alert->correlation
                        ? SG_S("{\"schema\":\"sigcc.alert/1\","
                               "\"type\":\"correlation\",\"alert_id\":\"")
                        : SG_S("{\"schema\":\"sigcc.alert/1\","
                               "\"type\":\"detection\",\"alert_id\":\""));
    sg_buf_put(buf, alert->id);
    sg_buf_put(buf, SG_S("\",\"timestamp\":"));
    put_seen(buf, alert->timed, alert->time);
    sg_buf_put(buf, SG_S(",\"rule\":"));
    sg_buf_put(buf, rule_json(out, alert));
    if (alert->correlation)
        put_correlation(out, buf, alert);
    else
        put_detection(buf, alert);
    sg_buf_putc(buf, '}');
}

/* -------- one object a line ---------------------------------------------- */

static void end_line(sr_output *out)
{
    sg_buf_putc(&out->buf, '\n');
}

static void line_row(sr_output *out, const sr_pair *pairs, uint32_t count)
{
    sr_put_pairs(&out->buf, pairs, count);
    sg_buf_putc(&out->buf, '\n');
}

const sr_format_ops sr_format_ndjson = {NULL,     put_object, end_line, true,
                                        line_row, NULL,       NULL};

/* -------- one array ------------------------------------------------------ */

static void begin_element(sr_output *out)
{
    sg_buf_put(&out->buf, out->objects++ == 0 ? SG_S("[\n") : SG_S(",\n"));
}

static void array_row(sr_output *out, const sr_pair *pairs, uint32_t count)
{
    begin_element(out);
    sr_put_pairs(&out->buf, pairs, count);
}

static void array_end(sr_output *out)
{
    sg_buf_put(&out->buf, out->objects == 0 ? SG_S("[]\n") : SG_S("\n]\n"));
}

const sr_format_ops sr_format_json = {begin_element, put_object, NULL,     true,
                                      array_row,     NULL,       array_end};
