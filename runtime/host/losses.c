/*
 * losses.c - the account of a run: lines that could not be read (the first
 * few told at once, all of them in --rejects) and the counters at the end.
 */
#include "host/host.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { TOLD = 10, ENOUGH = 64 * 1024 };

void sr_say(const sr_session *s, const char *fmt, ...)
{
    sg_buf buf = {0};
    va_list ap;

    sg_buf_printf(&buf, "%s: ", s->program);
    va_start(ap, fmt);
    sg_buf_vprintf(&buf, fmt, ap);
    va_end(ap);
    sg_buf_putc(&buf, '\n');
    fwrite(buf.ptr, 1, buf.len, stderr);
    sg_buf_free(&buf);
}

const char *sr_shown(sr_session *s, sg_str text)
{
    sg_buf buf = {0};

    sr_put_shown(&buf, text);
    const sg_str shown = sg_arena_dup(&s->arena, sg_buf_str(&buf));

    sg_buf_free(&buf);
    return shown.ptr;
}

/* -------- lines that cannot be read -------------------------------------- */

bool sr_rejects_open(sr_session *s)
{
    s->rejects_fd = -1;
    if (s->options->rejects == NULL)
        return true;
    s->rejects_fd = open(s->options->rejects,
                         O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (s->rejects_fd < 0)
        sr_say(s, "cannot write %s: %s",
               sr_shown(s, sg_str_of(s->options->rejects)), strerror(errno));
    return s->rejects_fd >= 0;
}

bool sr_rejects_flush(sr_session *s)
{
    size_t at = 0;

    while (s->rejects_fd >= 0 && at < s->rejects.len) {
        const ssize_t n =
            write(s->rejects_fd, s->rejects.ptr + at, s->rejects.len - at);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            sr_say(s, "cannot write %s: %s",
                   sr_shown(s, sg_str_of(s->options->rejects)),
                   strerror(errno));
            close(s->rejects_fd);
            s->rejects_fd = -1;
            s->exit_code = SR_EXIT_OUTPUT;
            s->stop = true;
            break;
        }
        at += (size_t)n;
    }
    s->rejects.len = 0;
    return s->exit_code != SR_EXIT_OUTPUT;
}

static void put_u64(sg_buf *buf, const char *name, uint64_t n)
{
    sg_buf_printf(buf, ",\"%s\":%llu", name, (unsigned long long)n);
}

static void put_reject(sr_session *s, sg_str line, size_t at,
                       const char *reason)
{
    sg_buf *buf = &s->rejects;

    if (s->rejects_fd < 0)
        return;
    sg_buf_put(buf, SG_S("{\"path\":"));
    sg_buf_put_json(buf, sg_str_of(s->options->files[s->place.source]));
    put_u64(buf, "line", s->place.line);
    put_u64(buf, "byte", at + 1);
    put_u64(buf, "offset", s->offset);
    put_u64(buf, "bytes", line.len);
    sg_buf_put(buf, SG_S(",\"reason\":"));
    sg_buf_put_json(buf, sg_str_of(reason));
    sg_buf_put(buf, SG_S(",\"text\":"));
    sg_buf_put_json(buf, line);
    sg_buf_put(buf, SG_S("}\n"));
    if (buf->len >= ENOUGH)
        sr_rejects_flush(s);
}

void sr_reject(sr_session *s, sg_str line, size_t at, const char *reason)
{
    s->stats.unreadable++;
    put_reject(s, line, at, reason);
    if (s->stats.unreadable <= TOLD || s->options->strict) {
        sg_buf buf = {0};

        sr_put_shown(&buf, sg_str_of(s->options->files[s->place.source]));
        fprintf(stderr, "%.*s:%llu:%zu: unreadable: %s\n", SG_FMT(buf),
                (unsigned long long)s->place.line, at + 1, reason);
        sg_buf_free(&buf);
    }
    if (s->options->strict) {
        s->exit_code = SR_EXIT_INPUT;
        s->stop = true;
        s->abandoned = true;
    }
}

/* -------- the end -------------------------------------------------------- */

typedef struct counter {
    const char *name, *doc;
    bool loss;
    uint64_t value;
} counter;

/* Take over what the layers below counted. */
static void gather(sr_session *s)
{
    const sr_agg_stats agg = sr_agg_totals(s->agg);
    const sr_eval_stats *eval = sr_eval_stats_get(s->eval);

    s->stats.groups = agg.groups;
    s->stats.group_bytes = agg.bytes;
    s->stats.groups_refused = agg.refused;
    s->stats.late = agg.late;
    s->stats.untimed += agg.untimed;
    s->stats.regex_limits = eval->regex_limits;
    s->stats.candidates = eval->candidates;
    s->stats.regex_refusals = eval->regex_refusals;
    s->stats.pair_limits = eval->pair_limits;
    sr_enriching_gather(s);
}

static void say_refused(sr_session *s)
{
    for (uint32_t c = 0; c < s->detector->correlation_count; c++) {
        const uint64_t n = sr_agg_refused(s->agg, c);
        const sigma_ref title = s->detector->correlations[c].meta.title;

        if (n != 0)
            sr_say(
                s, "  of these by '%s': %llu",
                sr_shown(s, (sg_str){s->detector->pool + title.off, title.len}),
                (unsigned long long)n);
    }
}

static void say_json(const counter *counters, size_t count)
{
    for (size_t i = 0; i < count; i++)
        fprintf(stderr, "%c\"%s\":%llu", i == 0 ? '{' : ',', counters[i].name,
                (unsigned long long)counters[i].value);
    fputs("}\n", stderr);
}

void sr_report(sr_session *s)
{
    gather(s);
    const counter counters[] = {
#define STAT(name, loss, doc) {#name, doc, loss, s->stats.name},
#include "host/stats.def"
#undef STAT
    };
    const size_t count = sizeof(counters) / sizeof(counters[0]);

    for (size_t i = 0; i < count; i++) {
        const bool lost = counters[i].loss && counters[i].value != 0;

        if (!lost && (!s->options->stats || s->options->stats_json))
            continue;
        sr_say(s, "%s%llu %s", lost ? "warning: " : "",
               (unsigned long long)counters[i].value, counters[i].doc);
        if (counters[i].value != 0 &&
            strcmp(counters[i].name, "groups_refused") == 0)
            say_refused(s);
    }
    if (s->options->stats_json)
        say_json(counters, count);
}
