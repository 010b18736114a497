/*
 * session.c - a run from its inputs to its exit code, and what becomes of each
 * line: alerts, correlations, or a place among the losses.
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

/* What becomes of a line, in the order of lines. */
static void settle(sr_session *s, sr_worker *w, const sr_item *item)
{
    if (item->reason != NULL) {
        sr_reject(s, item);
        return;
    }
    s->stats.events++;
    if (item->matches == 0)
        return;
    s->stats.matches += item->matches;
    s->stats.untimed += item->untimed ? 1 : 0;
    s->stats.alerts += sr_alert_hits(w, s->out, item->place, item->matches);
    sr_sequence_event(s->sequence, item, w->contributions.ptr);
}

static void run_line(sr_session *s, sr_item *item)
{
    s->worker->contributions.len = 0;
    sr_worker_match(s->worker, item);
    settle(s, s->worker, item);
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
static bool run_next(sr_session *s, sr_input *input, uint32_t source)
{
    sr_item item = {.place.source = source};
    const sr_line_status status =
        sr_input_next(input, &item.line, &item.place.line, &item.offset);

    if (s->stop || interrupted != 0)
        return false; /* stopped in the middle of a line, perhaps */
    switch (status) {
    case SR_LINE:
        s->stats.lines++;
        s->stats.bytes += item.line.len;
        if (!is_blank(item.line))
            run_line(s, &item);
        return true;
    case SR_TOO_LONG:
        s->stats.lines++;
        item.reason = "line longer than 16 MiB";
        item.line = SG_S("");
        sr_reject(s, &item);
        return true;
    case SR_BAD:
        s->stats.inputs_failed++;
        s->exit_code = SR_EXIT_INPUT;
        sr_say(s, "cannot read %s after line %llu: %s",
               sr_shown(s, sg_str_of(s->options->files[source])),
               (unsigned long long)(item.place.line - 1),
               sr_input_reason(input));
        return true;
    case SR_LOST:
        sr_say(s, "%s: %s",
               sr_shown(s, sg_str_of(s->options->files[s->place.source])),
               sr_input_reason(input));
        return true;
    case SR_WAIT: /* only of inputs that are followed */
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
    while (!s->stop && interrupted == 0 && run_next(s, input, source))
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
    return false;
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

static int open_session(sr_session *s)
{
    const sigma_detector *d = s->detector;
    const sr_options *o = s->options;
    const sr_agg_options agg = {
        .search = o->search,
        .every_firing = o->every_firing,
        .max_groups = o->max_groups,
        .max_memory = o->max_memory,
        .exact_values = o->exact_values,
        .fire = sr_alert_firing,
        .ctx = s,
    };

    s->layout = sr_layout_new(&s->arena, d, o->search);
    s->agg = sr_agg_open(s->layout, &agg);
    s->sequence = sr_sequence_open(s);
    sr_alert_scratch(d, &s->arena, &s->scratch);
    s->worker = sr_worker_open(s);
    return s->worker == NULL ? SR_EXIT_INTERNAL : open_output(s);
}

/* What is due only when all has been read. */
static void finish(sr_session *s)
{
    if (!s->abandoned) {
        sr_sequence_finish(s->sequence);
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
    sr_worker_close(s->worker);
    sr_sequence_close(s->sequence);
    sg_buf_free(&s->scratch.identity);
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
