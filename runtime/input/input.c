/*
 * input.c - inputs as the caller sees them.
 */
#include "input/input.h"
#include "input/follow.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* -------- streams ------------------------------------------------------ */

static bool ask(void *ctx)
{
    sr_input *in = ctx;

    if (in->before != NULL && !in->before(in->ctx))
        in->stopped = true;
    return !in->stopped;
}

sr_stream *sr_input_stream(sr_input *in, int fd)
{
    sr_stream *s = sr_stream_new(fd, in->max_line);

    if (s != NULL) {
        s->raw.before = ask;
        s->raw.ctx = in;
        /* A file that is followed is not left to a thread: what it becomes is
         * looked at between two reads. */
        s->beside = !in->follow && sr_ahead_wanted();
    }
    return s;
}

sr_stream *sr_input_open_entry(sr_input *in, const sr_entry *entry)
{
    const int fd = sr_stream_path(entry->name, in->follow);
    sr_stream *s = fd < 0 ? NULL : sr_input_stream(in, fd);

    if (s == NULL || !s->regular ||
        (s->dev == entry->dev && s->ino == entry->ino))
        return s;
    sr_stream_close(s);
    errno = ENOENT;
    return NULL;
}

void sr_input_forget_left(sr_input *in)
{
    sr_stream_close_fd(in->left_fd);
    in->left_fd = -1;
}

/* Leave the stream, and watch its file for a while. */
static void leave_stream(sr_input *in)
{
    sr_stream *s = in->stream;

    sr_input_forget_left(in);
    if (in->follow && s != NULL && s->regular && !s->replaced && !s->bad) {
        in->left_fd = s->raw.fd;
        in->left_size = s->raw.total;
        in->left_at = sr_monotonic();
        s->raw.fd = -1;
    }
    sr_stream_close(s);
}

void sr_input_use(sr_input *in, sr_stream *s, const sr_entry *entry)
{
    leave_stream(in);
    in->stream = s;
    in->elsewhere = entry != NULL && !entry->own;
    in->opened = true;
    in->resuming = in->leaving = in->only_path = in->scan_told = false;
    in->quiet_since = 0;
    in->looked_again = in->flushed = in->flushing = false;
    in->again = false;
    in->told = 0;
    sr_input_unwatch_file(in);
    if (in->follow)
        sr_stream_follow(s);
}

/* -------- opening and closing ------------------------------------------ */

static sr_input *new_input(const char *path, const sr_input_options *options)
{
    sr_input *in = calloc(1, sizeof *in);

    if (in == NULL)
        return NULL;
    in->path = strdup(path);
    if (in->path == NULL) {
        free(in);
        return NULL;
    }
    in->max_line = options->max_line;
    in->follow = options->follow;
    in->only_path = true;
    in->notify = in->watch = in->left_fd = -1;
    if (options->resume == NULL)
        return in;
    in->at = *options->resume;
    in->generation = in->at.generation;
    in->resuming = in->at.ino != 0 || in->at.dev != 0 || in->at.line != 0;
    in->opened = in->resuming;
    return in;
}

/* 0, or errno. A regular file to resume in is looked for later. */
static int open_input(sr_input *in)
{
    const int fd = sr_stream_path(in->path, in->follow);
    sr_stream *s;

    if (fd < 0)
        return errno == ENOENT && in->follow ? 0 : errno;
    s = sr_input_stream(in, fd);
    if (s == NULL)
        return errno;
    if (strcmp(in->path, "-") == 0) { /* whatever it is, it has no name */
        s->regular = false;
        s->dev = s->ino = 0;
    }
    const bool resuming = in->resuming;

    if (resuming && s->regular) {
        sr_stream_close(s);
        return 0;
    }

    sr_input_use(in, s, NULL);
    in->resuming = resuming;
    return 0;
}

sr_input *sr_input_open_with(const char *path, const sr_input_options *options,
                             char reason[SR_INPUT_REASON])
{
    sr_input *in = new_input(path, options);
    const int failed = in == NULL ? ENOMEM : open_input(in);

    if (failed == 0)
        return in;
    sr_input_close(in);
    (void)snprintf(reason, SR_INPUT_REASON, "%s", strerror(failed));
    return NULL;
}

sr_input *sr_input_open(const char *path, size_t max_line,
                        char reason[SR_INPUT_REASON])
{
    const sr_input_options options = {.max_line = max_line};

    return sr_input_open_with(path, &options, reason);
}

void sr_input_close(sr_input *input)
{
    if (input == NULL)
        return;
    sr_input_unwatch(input);
    sr_input_forget_left(input);
    sr_stream_close(input->stream);
    free(input->path);
    free(input);
}

void sr_input_before_read(sr_input *input, bool (*before)(void *ctx), void *ctx)
{
    input->before = before;
    input->ctx = ctx;
}

sg_str sr_input_ahead(const sr_input *input, uint64_t *number, uint64_t *offset)
{
    *number = *offset = 0;
    if (input->stream == NULL || input->resuming || input->ended)
        return SG_S("");
    return sr_stream_ahead(input->stream, number, offset);
}

void sr_input_pass(sr_input *input, size_t len, uint64_t lines)
{
    if (len != 0) /* there may be no stream yet */
        sr_stream_pass(input->stream, len, lines);
}

bool sr_input_give(sr_input *input, size_t len, uint64_t lines, char **room)
{
    return len != 0 && sr_stream_give(input->stream, len, lines, room);
}

bool sr_input_lend(sr_input *input, size_t size, sr_range *out)
{
    return input->stream != NULL && !input->resuming && !input->ended &&
           sr_stream_lend(input->stream, size, out);
}

void sr_input_lent(sr_input *input, uint64_t offset, uint64_t lines)
{
    sr_stream_lent(input->stream, offset, lines);
}

uint64_t sr_input_generation(const sr_input *input)
{
    return input->generation;
}

const char *sr_input_reason(const sr_input *input)
{
    return input->reason;
}

const char *sr_input_format(const sr_input *input)
{
    const sr_stream *s = input->stream;

    return s == NULL || s->codec == NULL ? "" : s->codec->name;
}

int sr_input_fd(const sr_input *input)
{
    return input->stream == NULL ? -1 : input->stream->raw.fd;
}

/* -------- reading ------------------------------------------------------ */

void sr_input_cursor(const sr_input *input, sr_cursor *out)
{
    const sr_stream *s = input->stream;

    if (s == NULL || input->resuming) {
        *out = input->at;
        return;
    }
    sr_stream_cursor(s, out);
    out->generation = input->generation;
    out->ended = s->ended && !s->bad && !input->stopped &&
                 (input->leaving || !s->regular || s->codec != &sr_codec_plain);
    if (input->flushed && s->pos == s->len && !sr_stream_changed(s))
        out->ended = true;
}

/* Have a stream at the right place: SR_LINE. */
static sr_line_status prepare(sr_input *in)
{
    if (in->resuming)
        return sr_input_resume(in);
    if (in->stream == NULL || (in->leaving && in->stream->ended))
        return sr_input_advance(in);
    return SR_LINE;
}

/* No line: an end, or something to be told. */
static sr_line_status tell(sr_input *in, sr_line_status status,
                           uint64_t *number, uint64_t *offset)
{
    sr_cursor at;

    if (in->stopped)
        status = SR_END;
    if (status == SR_END)
        in->ended = true;
    if (status != SR_BAD && status != SR_LOST)
        in->reason[0] = '\0';
    if (in->resuming && in->stream != NULL)
        sr_stream_cursor(in->stream, &at); /* of what is skipped */
    else
        sr_input_cursor(in, &at);
    *number = at.line + 1;
    *offset = at.offset;
    return status;
}

/* One step of the stream; SR_LINE with `*done` false to take another. */
static sr_line_status step(sr_input *in, sg_str *line, uint64_t *number,
                           uint64_t *offset, bool *done)
{
    sr_stream *s = in->stream;
    const sr_line_status status = sr_stream_next(s, line, number, offset);

    *done = status != SR_END && status != SR_WAIT;
    if (status == SR_BAD)
        memcpy(in->reason, s->reason, sizeof in->reason);
    return *done ? status : sr_input_at_end(in, status);
}

sr_line_status sr_input_next(sr_input *input, sg_str *line, uint64_t *number,
                             uint64_t *offset)
{
    sr_line_status status = SR_LINE;
    bool done = false;

    *line = SG_S("");
    input->reason[0] = '\0';
    while (!done && !input->ended && status == SR_LINE) {
        status = prepare(input);
        if (status == SR_LINE)
            status = step(input, line, number, offset, &done);
    }
    if (done)
        return status;
    return tell(input, input->ended ? SR_END : status, number, offset);
}
