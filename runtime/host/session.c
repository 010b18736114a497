/*
 * session.c - a run from its inputs to its exit code, and what becomes of each
 * line: alerts, correlations, or a place among the losses.
 */
#include "host/block.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static volatile sig_atomic_t interrupted;

/* -------- what becomes of lines ------------------------------------------ */

/* The alerts of an item that a thread has made. */
static void put_pieces(sr_session *s, const sr_item *item)
{
    sg_reader r = {{s->settling.alerts + item->alerts_at, item->alerts_len},
                   false};

    while (r.rest.len != 0) {
        sr_output_put(s->out, sg_read_text(&r));
        s->stats.alerts++;
    }
}

void sr_settle_until(sr_session *s, uint32_t item)
{
    sr_settling *g = &s->settling;

    if (s->options->action == SR_ACTION_MAP)
        return;
    while (g->next < g->count && g->next <= item) {
        const sr_item *i = &g->items[g->next++];

        if (i->alerts_len != 0)
            put_pieces(s, i);
    }
}

/* What an item means, but for its alerts. */
static void settle(sr_session *s, const sr_item *item, uint32_t number,
                   char *contributions, const char *alerts)
{
    if (item->reason != NULL) {
        sr_reject(s, item);
        return;
    }
    s->stats.matches += item->matches;
    s->stats.untimed += item->missed.untimed ? 1 : 0;
    s->stats.oversized += item->missed.oversized;
    if (item->contributions_len == 0 && s->options->action != SR_ACTION_MAP)
        return;
    char *at = contributions + item->contributions_at;

    if (s->options->action == SR_ACTION_MAP) {
        sr_map_item(s, item, contributions, alerts);
        return;
    }
    if (s->resume != NULL)
        sr_resume_note(s, at, item->contributions_len);
    if (sr_sequence_event(s->sequence, at, item->contributions_len, number))
        sr_alert_late(s, item);
}

void sr_settle_items(sr_session *s, const sr_item *items, size_t count,
                     char *contributions, const char *alerts)
{
    size_t i = 0;

    s->settling = (sr_settling){items, alerts, count, 0};
    for (; i < count && !s->stop; i++)
        settle(s, &items[i], (uint32_t)i, contributions, alerts);
    s->settling.count = i;
    sr_sequence_flush(s->sequence);
    sr_settle_until(s, UINT32_MAX);
    s->settling = (sr_settling){.count = 0};
}

/* What a huge event needed goes back with the first that is not. */
static void empty(sg_buf *buf)
{
    if (buf->len < SR_ROOM_KEPT)
        sg_buf_clear(buf, SR_ROOM_KEPT);
    buf->len = 0;
}

static void settle_line(sr_session *s, sr_worker *w, sr_item *item)
{
    empty(&w->contributions);
    sr_worker_match(w, item);
    if (item->reason == NULL) {
        if (item->matches == 0)
            return;
        if (w->pieces != NULL) {
            empty(&w->alerts);
            sr_alert_pieces(w, item);
        } else {
            s->stats.alerts +=
                sr_alert_hits(w, s->out, item->place, item->matches);
        }
    }
    sr_profile_lap(w->profile, SR_PHASE_output);
    settle(s, item, 0, w->contributions.ptr, w->alerts.ptr);
    sr_sequence_flush(s->sequence);
    sr_profile_lap(w->profile, SR_PHASE_correlate);
}

void sr_settle_line(sr_session *s, sr_item *item)
{
    sr_worker *w = s->worker;

    sr_profile_begin(w->profile);
    settle_line(s, w, item);
    sr_profile_end(w->profile, &w->event);
}

/* -------- signals -------------------------------------------------------- */

bool sr_interrupted(void)
{
    return interrupted != 0;
}

static void on_signal(int number)
{
    interrupted = number;
}

/* The first signal ends the run in order; a second one kills. */
static void open_signals(void)
{
    struct sigaction end = {.sa_handler = on_signal,
                            .sa_flags = (int)SA_RESETHAND};
    struct sigaction ignore = {.sa_handler = SIG_IGN};

    interrupted = 0;
    sigaction(SIGINT, &end, NULL);
    sigaction(SIGTERM, &end, NULL);
    sigaction(SIGXCPU, &end, NULL);
    sigaction(SIGPIPE, &ignore, NULL);
    sigaction(SIGXFSZ, &ignore, NULL);
}

/* -------- opening -------------------------------------------------------- */

static unsigned terminal_width(int fd)
{
    struct winsize size;

    if (isatty(fd) == 0)
        return 0;
    if (ioctl(fd, TIOCGWINSZ, &size) != 0 || size.ws_col < 20)
        return 80;
    return size.ws_col;
}

static int open_output(sr_session *s)
{
    const sr_options *o = s->options;
    sr_sink *alerts = &s->sinks[SR_SINK_ALERTS];
    const int code = sr_sinks_open(s, s->resume != NULL && !sr_resume_fresh(s));

    if (code != SR_EXIT_OK)
        return code;
    const unsigned width = terminal_width(alerts->fd);

    s->format = o->action == SR_ACTION_MAP ? SR_FORMAT_NDJSON
                : o->format_given          ? o->format
                : width != 0 && s->resume == NULL && o->action == SR_ACTION_RUN
                    ? SR_FORMAT_TABLE
                    : SR_FORMAT_NDJSON;
    const sr_output_options options = {
        .format = s->format,
        .fd = -1,
        .hold = true,
        .width = width,
    };

    s->out = sr_output_open(s->detector, &options);
    alerts->buf = sr_output_buffer(s->out);
    return s->resume == NULL || sr_resume_outputs(s) ? SR_EXIT_OK
                                                     : SR_EXIT_OUTPUT;
}

/* Alerts made in threads need a format that allows it. */
static int open_threads(sr_session *s)
{
    const uint32_t threads = s->options->threads;

    if (threads <= 1)
        return SR_EXIT_OK;
    s->threads = sr_threads_open(threads);
    if (s->threads == NULL) {
        sr_say(s, "cannot start %u threads", threads);
        return SR_EXIT_INTERNAL;
    }
    /* Alerts come in pieces, and events that teach in their order. A state
     * must not be ahead of the line at which --strict stops. */
    if (!sr_output_pieces(s->out) ||
        (s->options->strict && s->resume != NULL) ||
        (s->enrich != NULL && sr_enrich_learns(s->enrich)))
        return SR_EXIT_OK;
    s->blocks = sr_blocks_open(s);
    return s->blocks == NULL ? SR_EXIT_INTERNAL : SR_EXIT_OK;
}

/* The names of inputs: those a kept state knows come first. It can know of each
 * name only one place. */
static int open_sources(sr_session *s)
{
    const sr_options *o = s->options;
    const uint32_t known = s->sources.count;
    sg_map map = {0};
    bool found;

    for (uint32_t i = 0; i < known; i++)
        *sg_map_put(&s->arena, &map, s->sources.items[i], &found) = i;
    bool *named = sg_new_n(&s->arena, bool, (size_t)known + o->file_count + 1);

    s->source_of = sg_new_n(&s->arena, uint32_t, o->file_count);
    for (uint32_t i = 0; i < o->file_count; i++) {
        const sg_str name = sg_str_of(o->files[i]);
        uint32_t *source = sg_map_put(&s->arena, &map, name, &found);

        if (!found) {
            *source = s->sources.count;
            SG_PUSH(&s->arena, &s->sources, name);
        }
        if (named[*source] && s->resume != NULL) {
            sr_say(s, "%s is named twice: with --state that cannot be",
                   sr_shown(s, name));
            return SR_EXIT_USAGE;
        }
        named[*source] = true;
        s->source_of[i] = *source;
    }
    return SR_EXIT_OK;
}

int sr_session_open(sr_session *s)
{
    enum { SHARDS_EACH = 4, SHARDS_MOST = 64 };
    const sigma_detector *d = s->detector;
    const sr_options *o = s->options;
    const uint32_t shards = o->threads * SHARDS_EACH;
    const sr_agg_options agg = {
        .search = o->search,
        .every_firing = o->every_firing,
        .max_groups = o->max_groups,
        .max_memory = o->max_memory,
        .exact_values = o->exact_values,
        .shards = o->threads <= 1        ? 1
                  : shards < SHARDS_MOST ? shards
                                         : SHARDS_MOST,
        .fire = sr_alert_firing,
        .ctx = s,
    };

    s->layout = sr_layout_new(&s->arena, d, o->search);
    s->agg = sr_agg_open(s->layout, &agg);
    s->sequence = sr_sequence_open(s);
    if (d->correlation_count != 0 || o->action == SR_ACTION_REDUCE)
        sr_alert_scratch(d, &s->arena, &s->scratch);
    if (o->action == SR_ACTION_REDUCE)
        return SR_EXIT_OK;
    const int code = sr_enriching_open(s);

    if (code != SR_EXIT_OK)
        return code;
    s->worker = sr_worker_open(s);
    return s->worker == NULL ? SR_EXIT_INTERNAL : SR_EXIT_OK;
}

/* The same for a run: also where events come from, and where alerts go. */
static int open_run(sr_session *s)
{
    int code = sr_session_open(s);

    if (code != SR_EXIT_OK)
        return code;
    if (s->options->action == SR_ACTION_REDUCE)
        return open_output(s);
    if (s->options->state != NULL)
        code = sr_resume_open(s);
    if (code == SR_EXIT_OK)
        code = open_sources(s);
    if (code == SR_EXIT_OK)
        code = open_output(s);
    return code == SR_EXIT_OK ? open_threads(s) : code;
}

/* -------- the run -------------------------------------------------------- */

bool sr_session_flush(sr_session *s)
{
    sr_profile *profile = sr_profile_main(s);
    const int64_t begin = sr_profile_cpu(profile);
    const bool done =
        s->resume != NULL ? sr_resume_commit(s) : sr_sinks_write(s);

    sr_profile_spent(profile, SR_PHASE_output, begin);
    return done;
}

/* What is due only when all has been read. A run with a state that was asked to
 * end goes on another time. */
static void finish(sr_session *s)
{
    const bool pauses = s->resume != NULL && sr_interrupted();
    sr_profile *profile = sr_profile_main(s);
    int64_t begin = sr_profile_cpu(profile);

    if (s->options->action == SR_ACTION_MAP && !s->abandoned &&
        !sr_interrupted())
        sr_map_finish(s);

    if (!s->abandoned && !pauses && s->options->action == SR_ACTION_RUN) {
        sr_sequence_finish(s->sequence);
        if (s->resume == NULL || sr_resume_news(s))
            sr_agg_finish(s->agg);
    }
    sr_profile_spent(profile, SR_PHASE_correlate, begin);
    begin = sr_profile_cpu(profile);
    if (s->options->action == SR_ACTION_RUN)
        sr_output_finish(s->out);
    if (s->resume != NULL)
        sr_resume_finish(s, !s->abandoned && !pauses);
    else
        sr_sinks_write(s);
    sr_sinks_close(s);
    sr_profile_spent(profile, SR_PHASE_output, begin);
    sr_report(s);
}

void sr_session_close(sr_session *s)
{
    sr_threads_close(s->threads);
    sr_blocks_close(s->blocks);
    sr_output_close(s->out);
    sr_resume_close(s);
    sr_agg_close(s->agg);
    sr_worker_close(s->worker);
    sr_enriching_close(s);
    sr_sequence_close(s->sequence);
    sg_buf_free(&s->scratch.identity);
    sg_arena_free(&s->arena);
}

int sr_session_run(const sigma_detector *detector, const sr_options *options,
                   const char *program)
{
    sr_session s = {
        .detector = detector, .options = options, .program = program};

    for (unsigned i = 0; i < SR_SINKS; i++)
        s.sinks[i].fd = -1;
    open_signals();
    s.exit_code = open_run(&s);
    if (s.exit_code == SR_EXIT_OK) {
        const int64_t begin = sr_profile_cpu(sr_profile_main(&s));

        if (options->action == SR_ACTION_REDUCE)
            sr_reduce_run(&s);
        else
            sr_feed(&s);
        sr_profile_rest(sr_profile_main(&s), SR_PHASE_read, begin);
        finish(&s);
    }
    if (interrupted == SIGXCPU) {
        sr_say(&s, "stopped: the time of --cpu-limit is used up");
        s.exit_code = SR_EXIT_INTERNAL;
    }
    sr_session_close(&s);
    return s.exit_code;
}
