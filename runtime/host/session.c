/*
 * session.c - a run from its inputs to its exit code, and what becomes of each
 * line: fields, rules, times, alerts, correlations.
 */
#include "host/host.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { FLUSH_NS = 1000000000 };

static volatile sig_atomic_t interrupted;

/* -------- one event ------------------------------------------------------ */

/* Find the rules the line matches; false when it cannot be read. `again`: it
 * was here before. */
static bool match_line(sr_session *s, sg_str line, bool again, size_t *count)
{
    sr_fault fault = {0};

    sr_event_begin(&s->event, line);
    if (!sr_project(s->match, &s->event, &fault)) {
        sr_reject(s, line, fault.at, fault.reason);
        return false;
    }
    if (s->enrich != NULL)
        sr_enrich_event(s->enrich, &s->enriched, &s->event, again);
    sr_eval_begin(s->eval, &s->event);
    *count = sr_eval_rules(s->eval, &s->event, s->matches);
    return true;
}

/* What only events that match need: further fields, and their time. */
static bool add_context(sr_session *s, size_t count)
{
    sr_fault fault = {0};

    if (!sr_project(s->context, &s->event, &fault)) {
        sr_reject(s, s->event.line, fault.at, fault.reason);
        return false;
    }
    sr_read_times(s, count);
    return true;
}

/* Correlate the events whose turn has come. */
static void release(sr_session *s, bool all)
{
    const sr_place place = s->place;
    sr_held *held;

    while ((held = sr_late_next(s, all)) != NULL) {
        size_t count = 0;

        s->place = held->place;
        if (match_line(s, (sg_str){held->line, held->len}, true, &count) &&
            add_context(s, count))
            sr_agg_push(s->agg, s->hits, count, s->place);
        sr_late_done(s, held);
    }
    s->place = place;
}

static void correlate(sr_session *s, size_t count)
{
    if (s->detector->correlation_count == 0)
        return;
    if (s->options->lateness == 0 || s->options->search || !s->hits[0].timed ||
        !sr_late_hold(s, s->hits[0].time))
        sr_agg_push(s->agg, s->hits, count, s->place);
    if (s->options->lateness != 0)
        release(s, false);
}

static void run_line(sr_session *s, sg_str line)
{
    size_t count = 0;

    if (!match_line(s, line, false, &count))
        return;
    s->stats.events++;
    if (count == 0 || !add_context(s, count))
        return;
    s->stats.matches += count;
    sr_alert_hits(s, count);
    correlate(s, count);
}

/* -------- inputs --------------------------------------------------------- */

static int64_t clock_now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC_COARSE, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* After each line: notice a failure, and let nothing wait for long. */
static void flush_if_old(sr_session *s)
{
    if (sr_output_error(s->out) != 0)
        sr_session_flush(s);
    if (!sr_output_waiting(s->out))
        return;
    const int64_t now = clock_now();

    if (now - s->flushed >= FLUSH_NS) {
        s->flushed = now;
        sr_session_flush(s);
    }
}

/* The input is about to read and may wait for long: let go of what waits.
 * False ends the input. */
static bool before_read(void *ctx)
{
    sr_session *s = ctx;

    if (sr_output_waiting(s->out) && !s->options->search)
        sr_session_flush(s);
    return !s->stop && interrupted == 0;
}

static bool is_blank(sg_str line)
{
    for (size_t i = 0; i < line.len; i++)
        if (strchr(" \t\r", line.ptr[i]) == NULL || line.ptr[i] == '\0')
            return false;
    return true;
}

/* Read one line; false at the end of the input. */
static bool run_next(sr_session *s, sr_input *input)
{
    sg_str line;
    const sr_line_status status =
        sr_input_next(input, &line, &s->place.line, &s->offset);

    if (s->stop || interrupted != 0)
        return false; /* stopped in the middle of a line, perhaps */
    switch (status) {
    case SR_LINE:
        s->stats.lines++;
        s->stats.bytes += line.len;
        if (!is_blank(line))
            run_line(s, line);
        return true;
    case SR_TOO_LONG:
        s->stats.lines++;
        sr_reject(s, (sg_str){"", 0}, 0, "line longer than 16 MiB");
        return true;
    case SR_BAD:
        s->stats.inputs_failed++;
        s->exit_code = SR_EXIT_INPUT;
        sr_say(s, "cannot read %s after line %llu: %s",
               sr_shown(s, sg_str_of(s->options->files[s->place.source])),
               (unsigned long long)(s->place.line - 1), sr_input_reason(input));
        return true;
    case SR_END:
    default:
        return false;
    }
}

static void run_input(sr_session *s, uint32_t source)
{
    const char *path = s->options->files[source];
    char reason[SR_INPUT_REASON];
    sr_input *input = sr_input_open(path, SR_INPUT_MAX_LINE, reason);

    if (input == NULL) {
        s->stats.inputs_failed++;
        s->exit_code = SR_EXIT_INPUT;
        sr_say(s, "cannot read %s: %s", sr_shown(s, sg_str_of(path)), reason);
        return;
    }
    sr_input_before_read(input, before_read, s);
    s->place.source = source;
    while (!s->stop && interrupted == 0 && run_next(s, input))
        flush_if_old(s);
    sr_input_close(input);
}

/* -------- opening and closing -------------------------------------------- */

bool sr_session_flush(sr_session *s)
{
    if (sr_output_flush(s->out))
        return true;
    const int error = sr_output_error(s->out);

    if (!s->stop || s->exit_code != SR_EXIT_OUTPUT) {
        s->stop = true;
        s->abandoned = true;
        /* A reader that has seen enough is no failure. */
        if (error == EPIPE && s->options->output == NULL)
            return false;
        if (s->exit_code != SR_EXIT_OUTPUT)
            sr_say(s, "cannot write %s: %s",
                   s->options->output == NULL
                       ? "standard output"
                       : sr_shown(s, sg_str_of(s->options->output)),
                   strerror(error));
        s->exit_code = SR_EXIT_OUTPUT;
    }
    return false;
}

static void on_signal(int number)
{
    (void)number;
    interrupted = 1;
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
    sigaction(SIGPIPE, &ignore, NULL);
}

/* Whether writing to `path` would destroy an input. */
static bool is_input(const sr_session *s, const char *path)
{
    struct stat out;
    struct stat in;

    if (stat(path, &out) != 0 || !S_ISREG(out.st_mode))
        return false;
    for (uint32_t i = 0; i < s->options->file_count; i++) {
        const char *file = s->options->files[i];
        const bool known = strcmp(file, "-") == 0
                               ? fstat(STDIN_FILENO, &in) == 0
                               : stat(file, &in) == 0;

        if (known && in.st_dev == out.st_dev && in.st_ino == out.st_ino)
            return true;
    }
    return sr_enriching_reads(s, &out);
}

/* Whether two streams would write over each other. */
static bool same_file(int a, int b)
{
    struct stat one;
    struct stat other;

    return b >= 0 && fstat(a, &one) == 0 && fstat(b, &other) == 0 &&
           S_ISREG(one.st_mode) && one.st_dev == other.st_dev &&
           one.st_ino == other.st_ino;
}

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
    const char *const files[] = {o->output, o->rejects};

    for (unsigned i = 0; i < 2; i++)
        if (files[i] != NULL && is_input(s, files[i])) {
            sr_say(s, "%s is also an input", sr_shown(s, sg_str_of(files[i])));
            return SR_EXIT_USAGE;
        }
    s->out_fd = STDOUT_FILENO;
    if (o->output != NULL)
        s->out_fd =
            open(o->output, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (s->out_fd < 0) {
        sr_say(s, "cannot write %s: %s", sr_shown(s, sg_str_of(o->output)),
               strerror(errno));
        return SR_EXIT_OUTPUT;
    }
    const unsigned width = terminal_width(s->out_fd);
    const sr_output_options options = {
        .format = o->format_given ? o->format
                  : width != 0    ? SR_FORMAT_TABLE
                                  : SR_FORMAT_NDJSON,
        .fd = s->out_fd,
        .width = width,
    };

    s->out = sr_output_open(s->detector, &options);
    if (!sr_rejects_open(s))
        return SR_EXIT_OUTPUT;
    if (same_file(s->out_fd, s->rejects_fd)) {
        sr_say(s, "--rejects is where alerts go");
        return SR_EXIT_USAGE;
    }
    return SR_EXIT_OK;
}

/* One plan for what predicates read, one for what matched events need. */
static void open_plans(sr_session *s)
{
    uint32_t count;
    const sr_want *wants = sr_eval_wants(s->eval, false, &count);

    s->match = sr_plan_new(&s->arena, wants, count);
    wants = sr_eval_wants(s->eval, true, &count);
    sr_want *all =
        sg_new_n(&s->arena, sr_want, (size_t)count + sr_time_wants_max());

    if (count != 0)
        memcpy(all, wants, count * sizeof(*all));
    sr_time_wants(s, all + count);
    s->context = sr_plan_new(&s->arena, all, count + s->time_count);
    sr_event_init(&s->event, s->time_slot + s->time_count);
}

/* sr_read_fn: a field of the event at hand as a rule sees it. */
static bool read_field(void *ctx, uint32_t rule, uint32_t field, sr_cell *cell)
{
    sr_session *s = ctx;

    *cell = (sr_cell){.kind = SR_STRING};
    if (sr_eval_derives(s->eval, rule, field))
        return sr_eval_derived(s->eval, &s->event, rule, field, &cell->text);
    sr_value *v = sr_first(&s->event, field);

    if (v == NULL ||
        (v->kind != SR_STRING && v->kind != SR_NUMBER && v->kind != SR_BOOL))
        return false;
    cell->kind = v->kind;
    cell->text = sr_value_text(&s->event, v);
    cell->num = v->num;
    return true;
}

static int open_session(sr_session *s)
{
    const sigma_detector *d = s->detector;
    const sr_options *o = s->options;
    char reason[256];

    s->eval = sr_eval_open(d, reason, sizeof(reason));
    if (s->eval == NULL) {
        sr_say(s, "this detector is broken: %s", reason);
        return SR_EXIT_INTERNAL;
    }
    const sr_agg_options agg = {
        .search = o->search,
        .every_firing = o->every_firing,
        .max_groups = o->max_groups,
        .max_memory = o->max_memory,
        .read = read_field,
        .fire = sr_alert_firing,
        .ctx = s,
    };

    s->agg = sr_agg_open(d, &agg);
    s->late.pool.limit = o->max_memory;
    s->matches = sg_new_n(&s->arena, uint32_t, (size_t)d->rule_count + 1);
    s->hits = sg_new_n(&s->arena, sr_hit, (size_t)d->rule_count + 1);
    sr_alert_scratch(s);
    open_plans(s);
    const int code = sr_enriching_open(s);

    return code != SR_EXIT_OK ? code : open_output(s);
}

/* What is due only when all has been read. */
static void finish(sr_session *s)
{
    if (!s->abandoned) {
        release(s, true);
        sr_agg_finish(s->agg);
    }
    sr_output_finish(s->out);
    sr_session_flush(s);
    sr_rejects_flush(s);
    if (s->options->output != NULL && close(s->out_fd) != 0 &&
        s->exit_code != SR_EXIT_OUTPUT) {
        sr_say(s, "cannot write %s: %s",
               sr_shown(s, sg_str_of(s->options->output)), strerror(errno));
        s->exit_code = SR_EXIT_OUTPUT;
    }
    sr_report(s);
}

static void close_session(sr_session *s)
{
    if (s->rejects_fd >= 0)
        close(s->rejects_fd);
    sr_output_close(s->out);
    sr_agg_close(s->agg);
    sr_eval_close(s->eval);
    sr_event_free(&s->event);
    sr_late_close(&s->late);
    sr_enriching_close(s);
    sg_buf_free(&s->identity);
    sg_buf_free(&s->rejects);
    sg_arena_free(&s->arena);
}

int sr_session_run(const sigma_detector *detector, const sr_options *options,
                   const char *program)
{
    sr_session s = {.detector = detector,
                    .options = options,
                    .program = program,
                    .rejects_fd = -1};

    open_signals();
    s.exit_code = open_session(&s);
    if (s.exit_code == SR_EXIT_OK) {
        s.flushed = clock_now();
        for (uint32_t i = 0; i < options->file_count && !s.stop; i++)
            run_input(&s, i);
        finish(&s);
    }
    close_session(&s);
    return s.exit_code;
}
