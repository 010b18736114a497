/*
 * losses.c - the account of a run: lines that could not be read (the first
 * few told at once, all of them in --rejects) and the counters at the end.
 */
#include "host/block.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { TOLD = 10 };

/* Lines that are complete; those of s->said stay there. */
static void tell(const sr_session *s, const sg_buf *lines)
{
    if (s->said == NULL)
        fwrite(lines->ptr, 1, lines->len, stderr);
}

void sr_say(const sr_session *s, const char *fmt, ...)
{
    sg_buf own = {0};
    sg_buf *buf = s->said != NULL ? s->said : &own;
    va_list ap;

    if (s->said == NULL)
        sg_buf_printf(buf, "%s: ", s->program);
    va_start(ap, fmt);
    sg_buf_vprintf(buf, fmt, ap);
    va_end(ap);
    sg_buf_putc(buf, '\n');
    tell(s, buf);
    sg_buf_free(&own);
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

static void put_u64(sg_buf *buf, const char *name, uint64_t n)
{
    sg_buf_printf(buf, ",\"%s\":%llu", name, (unsigned long long)n);
}

static void put_reject(sr_session *s, const sr_item *item)
{
    sg_buf *buf = s->sinks[SR_SINK_REJECTS].buf;

    if (s->sinks[SR_SINK_REJECTS].fd < 0)
        return;
    sg_buf_put(buf, SG_S("{\"path\":"));
    sg_buf_put_json(buf, s->sources.items[item->place.source]);
    put_u64(buf, "line", item->place.line);
    put_u64(buf, "byte", item->at + 1);
    put_u64(buf, "offset", item->offset);
    put_u64(buf, "bytes", item->line.len);
    sg_buf_put(buf, SG_S(",\"reason\":"));
    sg_buf_put_json(buf, sg_str_of(item->reason));
    sg_buf_put(buf, SG_S(",\"text\":"));
    sg_buf_put_json(buf, item->line);
    sg_buf_put(buf, SG_S("}\n"));
}

static void say_reject(const sr_session *s, const sr_item *item)
{
    sg_buf own = {0};
    sg_buf *buf = s->said != NULL ? s->said : &own;

    sr_put_shown(buf, s->sources.items[item->place.source]);
    sg_buf_printf(buf, ":%llu:%zu: unreadable: %s\n",
                  (unsigned long long)item->place.line, item->at + 1,
                  item->reason);
    tell(s, buf);
    sg_buf_free(&own);
}

void sr_reject(sr_session *s, const sr_item *item)
{
    s->stats.unreadable++;
    put_reject(s, item);
    if (s->stats.unreadable <= TOLD || s->options->strict || s->said != NULL)
        say_reject(s, item);
    if (s->options->strict) {
        s->exit_code = SR_EXIT_INPUT;
        s->stop = true;
        s->abandoned = true;
        if (s->resume != NULL)
            sr_resume_refuse(s);
    }
}

/* -------- the end -------------------------------------------------------- */

void sr_count_worker(sr_session *s, sr_worker *w)
{
    const sr_eval_stats stats = sr_eval_stats_take(w->eval);

    s->stats.regex_limits += stats.regex_limits;
    s->stats.candidates += stats.candidates;
    s->stats.regex_refusals += stats.regex_refusals;
    s->stats.pair_limits += stats.pair_limits;
    s->stats.lines += w->tally.lines;
    s->stats.bytes += w->tally.bytes;
    s->stats.events += w->tally.events;
    s->stats.skipped += w->tally.skipped;
    s->stats.prefiltered += w->tally.prefiltered;
    w->tally = (sr_tally){0};
    sr_enriching_count(s, w);
}

void sr_gather(sr_session *s)
{
    const sr_agg_stats agg = sr_agg_totals(s->agg);

    if (s->worker != NULL)
        sr_count_worker(s, s->worker);
    if (s->blocks != NULL)
        sr_blocks_count(s->blocks);
    s->stats.groups = agg.groups;
    s->stats.group_bytes = agg.bytes;
    s->stats.groups_expired = agg.expired;
    s->stats.groups_evicted = agg.evicted;
    s->stats.groups_refused = agg.refused;
    s->stats.groups_sketched = agg.sketched;
    s->stats.late = agg.late;
    sr_enriching_gather(s);
}

/* Whose losses a counter adds up. */
static void say_correlations(sr_session *s, const char *name)
{
    for (uint32_t c = 0; c < s->detector->correlation_count; c++) {
        const sr_corr_stats lost = sr_agg_losses(s->agg, c);
        const sigma_ref title = s->detector->correlations[c].meta.title;
        const uint64_t n = strcmp(name, "groups_evicted") == 0   ? lost.evicted
                           : strcmp(name, "groups_refused") == 0 ? lost.refused
                           : strcmp(name, "late") == 0           ? lost.late
                                                                 : 0;

        if (n != 0)
            sr_say(
                s, "  of these by '%s': %llu",
                sr_shown(s, (sg_str){s->detector->pool + title.off, title.len}),
                (unsigned long long)n);
    }
}

void sr_counters_get(const sr_stats *stats, sr_counter out[SR_COUNTERS])
{
#define STAT(name, loss, doc)                                                  \
    out[SR_COUNTER_##name] = (sr_counter){#name, doc, loss, stats->name};
#include "host/stats.def"
#undef STAT
}

static void say_json(const sr_counter *counters)
{
    for (size_t i = 0; i < SR_COUNTERS; i++)
        fprintf(stderr, "%c\"%s\":%llu", i == 0 ? '{' : ',', counters[i].name,
                (unsigned long long)counters[i].value);
    fputs("}\n", stderr);
}

void sr_report(sr_session *s)
{
    sr_counter counters[SR_COUNTERS];

    sr_gather(s);
    sr_counters_get(&s->stats, counters);
    for (size_t i = 0; i < SR_COUNTERS; i++) {
        const bool lost = counters[i].loss && counters[i].value != 0;

        if (!lost && (!s->options->stats || s->options->stats_json))
            continue;
        sr_say(s, "%s%llu %s", lost ? "warning: " : "",
               (unsigned long long)counters[i].value, counters[i].doc);
        if (counters[i].value != 0)
            say_correlations(s, counters[i].name);
    }
    if (s->options->stats_json)
        say_json(counters);
    if (s->options->profile)
        sr_profile_report(s);
}
