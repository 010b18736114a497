/*
 * sink.c - the files a run writes: alerts, --rejects and --late. Bytes gather
 * in a buffer each; the session says when they go out.
 */
#include "host/host.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Whether writing to `path` would destroy an input. */
static bool is_input(const sr_session *s, const char *path)
{
    struct stat out;
    struct stat in;

    if (stat(path, &out) != 0 || !S_ISREG(out.st_mode))
        return false;
    if (sr_enriching_reads(s, &out))
        return true;
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

/* Whether it would destroy what --state keeps. */
static bool is_state(const sr_session *s, const char *path)
{
    struct stat out;
    struct stat state;

    return s->options->state != NULL && stat(path, &out) == 0 &&
           stat(s->options->state, &state) == 0 && out.st_dev == state.st_dev &&
           out.st_ino == state.st_ino;
}

/* Whether two streams would write over each other. */
static bool same_file(const sr_sink *a, const sr_sink *b)
{
    return a->fd >= 0 && b->fd >= 0 && a->regular && b->regular &&
           a->dev == b->dev && a->ino == b->ino;
}

static bool open_file(sr_session *s, sr_sink *sink, bool keep)
{
    const int flags = O_RDWR | O_CREAT | O_CLOEXEC | (keep ? 0 : O_TRUNC);

    sink->fd = open(sink->path, flags, 0666);
    if (sink->fd < 0 && (errno == EACCES || errno == ENXIO))
        sink->fd = open(sink->path, (flags & ~O_RDWR) | O_WRONLY, 0666);
    if (sink->fd >= 0)
        return true;
    sr_say(s, "cannot write %s: %s", sr_shown(s, sg_str_of(sink->path)),
           strerror(errno));
    return false;
}

/* What kind of file it is, and where its end is. */
static void look_at(sr_sink *sink)
{
    struct stat st;

    if (fstat(sink->fd, &st) != 0)
        return;
    sink->regular = S_ISREG(st.st_mode);
    sink->dev = (uint64_t)st.st_dev;
    sink->ino = (uint64_t)st.st_ino;
    sink->size = (uint64_t)st.st_size;
}

int sr_sinks_open(sr_session *s, bool keep)
{
    const sr_options *o = s->options;
    const char *const paths[SR_SINKS] = {o->output, o->rejects, o->late};

    for (unsigned i = 0; i < SR_SINKS; i++) {
        sr_sink *sink = &s->sinks[i];

        *sink = (sr_sink){.path = paths[i], .fd = -1, .buf = &sink->own};
        if (sink->path == NULL)
            continue;
        if (is_state(s, sink->path)) {
            sr_say(s, "%s is also the state",
                   sr_shown(s, sg_str_of(sink->path)));
            return SR_EXIT_USAGE;
        }
        if (is_input(s, sink->path)) {
            sr_say(s, "%s is also an input",
                   sr_shown(s, sg_str_of(sink->path)));
            return SR_EXIT_USAGE;
        }
    }
    for (unsigned i = 0; i < SR_SINKS; i++) {
        sr_sink *sink = &s->sinks[i];

        if (i == SR_SINK_ALERTS && sink->path == NULL)
            sink->fd = STDOUT_FILENO;
        else if (sink->path != NULL && !open_file(s, sink, keep))
            return SR_EXIT_OUTPUT;
        if (sink->fd >= 0)
            look_at(sink);
        for (unsigned k = 0; k < i; k++)
            if (same_file(sink, &s->sinks[k])) {
                sr_say(s, "%s is written to for two purposes",
                       sr_shown(s, sg_str_of(sink->path)));
                return SR_EXIT_USAGE;
            }
    }
    return SR_EXIT_OK;
}

/* A reader of standard output that has seen enough is no failure. */
static void fail(sr_session *s, const sr_sink *sink, int error)
{
    s->stop = true;
    s->abandoned = true;
    if (error == EPIPE && sink->path == NULL)
        return;
    if (s->exit_code != SR_EXIT_OUTPUT)
        sr_say(s, "cannot write %s: %s",
               sink->path == NULL ? "standard output"
                                  : sr_shown(s, sg_str_of(sink->path)),
               strerror(error));
    s->exit_code = SR_EXIT_OUTPUT;
}

bool sr_sink_write(sr_session *s, sr_sink *sink)
{
    size_t at = 0;

    if (sink->broken)
        sink->buf->len = 0;
    while (sink->fd >= 0 && at < sink->buf->len) {
        const ssize_t n =
            write(sink->fd, sink->buf->ptr + at, sink->buf->len - at);

        if (n >= 0) {
            at += (size_t)n;
            sink->written += (uint64_t)n;
        } else if (errno != EINTR) {
            sink->broken = true;
            fail(s, sink, errno);
            break;
        }
    }
    sg_buf_clear(sink->buf, SR_ROOM_KEPT);
    return !sink->broken;
}

bool sr_sinks_waiting(const sr_session *s)
{
    for (unsigned i = 0; i < SR_SINKS; i++)
        if (s->sinks[i].buf->len != 0)
            return true;
    return false;
}

bool sr_sinks_full(const sr_session *s)
{
    enum { ENOUGH = 64 * 1024 };

    for (unsigned i = 0; i < SR_SINKS; i++)
        if (s->sinks[i].buf->len >= ENOUGH)
            return true;
    return false;
}

bool sr_sinks_write(sr_session *s)
{
    bool done = true;

    for (unsigned i = 0; i < SR_SINKS; i++)
        done = sr_sink_write(s, &s->sinks[i]) && done;
    return done;
}

void sr_sinks_close(sr_session *s)
{
    for (unsigned i = 0; i < SR_SINKS; i++) {
        sr_sink *sink = &s->sinks[i];

        if (sink->path != NULL && sink->fd >= 0 && close(sink->fd) != 0 &&
            !sink->broken)
            fail(s, sink, errno);
        sink->fd = -1;
        sg_buf_free(&sink->own);
    }
}
