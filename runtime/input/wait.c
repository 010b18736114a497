/*
 * wait.c - sleeping until an input may have more. The kernel tells of changes
 * in a folder where it can; looking four times a second makes up for what it
 * does not tell (links, network file systems, watches used up).
 */
#include "input/follow.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LOOK_MS = 250 };

/* -------- inotify ------------------------------------------------------ */

void sr_input_unwatch(sr_input *in)
{
    if (in->notify >= 0)
        close(in->notify);
    in->notify = in->watch = -1;
}

void sr_input_unwatch_file(sr_input *in)
{
    if (in->notify >= 0 && in->watch >= 0)
        (void)inotify_rm_watch(in->notify, in->watch);
    in->watch = -1;
}

/* Watch the folder of the path, or looking must do. */
static void watch_folder(sr_input *in)
{
    const char *slash = strrchr(in->path, '/');
    char *folder = slash == NULL
                       ? strdup(".")
                       : strndup(in->path, (size_t)(slash - in->path) + 1);

    in->notify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    in->unwatched =
        in->notify < 0 || folder == NULL ||
        inotify_add_watch(in->notify, folder,
                          IN_CREATE | IN_MOVE | IN_DELETE | IN_MODIFY) < 0;
    if (in->unwatched)
        sr_input_unwatch(in);
    free(folder);
}

/* Watch the file itself, which may lie elsewhere or have lost its name. */
static void watch_file(sr_input *in)
{
    char name[64];

    if (in->notify < 0 || in->stream == NULL || in->watch >= 0)
        return;
    (void)snprintf(name, sizeof name, "/proc/self/fd/%d", in->stream->raw.fd);
    in->watch = inotify_add_watch(in->notify, name, IN_MODIFY | IN_ATTRIB);
}

static void drain(int fd)
{
    char events[4096];

    while (read(fd, events, sizeof events) > 0)
        ;
}

/* -------- what there may be -------------------------------------------- */

static bool is_pipe(const sr_input *in)
{
    return in->stream != NULL && !in->stream->regular;
}

/* No file is open: whether the path can be opened now. */
static bool can_open(const sr_input *in)
{
    struct stat st;

    if (in->told != 0)
        return access(in->path, R_OK) == 0 && stat(in->path, &st) == 0 &&
               !S_ISDIR(st.st_mode);
    return !in->only_path || stat(in->path, &st) == 0 || errno != ENOENT;
}

/* The file has lost its name: whether sr_input_next would do something. */
static bool may_leave(const sr_input *in)
{
    struct stat st;
    const bool there = stat(in->path, &st) == 0;

    if (in->told != 0)
        return can_open(in);
    if (in->quiet_since == 0 || in->looked_again)
        return true;
    if (there ? st.st_size != 0 || !S_ISREG(st.st_mode) : errno != ENOENT)
        return true;
    return !in->flushed && sr_monotonic() - in->quiet_since >= SR_GRACE_NS;
}

static bool is_written_late(const sr_input *in)
{
    struct stat st;

    return in->left_fd >= 0 && fstat(in->left_fd, &st) == 0 &&
           st.st_size >= 0 && (uint64_t)st.st_size > in->left_size;
}

static bool may_have_more(const sr_input *in)
{
    const sr_stream *s = in->stream;

    if (in->ended || is_pipe(in))
        return false;
    if (!in->follow || in->resuming)
        return true;
    if (s == NULL)
        return can_open(in);
    if (in->leaving || (!s->bad && sr_stream_changed(s)) || is_written_late(in))
        return true;
    return !sr_input_named(in) && may_leave(in);
}

/* -------- sleeping ----------------------------------------------------- */

bool sr_input_may_wait(const sr_input *input)
{
    struct pollfd fd = {.fd = sr_input_fd(input), .events = POLLIN};

    return fd.fd < 0 || poll(&fd, 1, 0) == 0;
}

/* What to poll: `fds` holds one of each input. False if all have ended. */
static bool list_fds(sr_input **inputs, size_t count, struct pollfd *fds)
{
    bool any = false;

    for (size_t i = 0; i < count; i++) {
        sr_input *in = inputs[i];

        fds[i] = (struct pollfd){.fd = -1, .events = POLLIN};
        if (in->ended)
            continue;
        any = true;
        if (is_pipe(in)) {
            fds[i].fd = in->stream->raw.fd;
            continue;
        }
        if (in->notify < 0 && !in->unwatched)
            watch_folder(in);
        watch_file(in);
        fds[i].fd = in->notify;
    }
    return any;
}

/* Whether one has more, or has been told to stop (*stop). */
static bool look_at(sr_input **inputs, size_t count, const struct pollfd *fds,
                    bool *stop)
{
    bool more = false;

    for (size_t i = 0; i < count; i++) {
        sr_input *in = inputs[i];

        if (in->ended)
            continue;
        if (in->before != NULL && !in->before(in->ctx))
            *stop = true;
        if (is_pipe(in))
            more = more || fds[i].revents != 0;
        else if (fds[i].revents != 0)
            drain(fds[i].fd);
        more = more || may_have_more(in);
    }
    return more && !*stop;
}

static bool wait_for(sr_input **inputs, size_t count, struct pollfd *fds,
                     int timeout_ms)
{
    const int64_t end = sr_monotonic() + (int64_t)timeout_ms * 1000000;
    int64_t left = 0;
    bool stop = false;

    for (;;) {
        const int step = left < LOOK_MS ? (int)left : LOOK_MS;

        if (poll(fds, (nfds_t)count, step) < 0)
            return false;
        if (look_at(inputs, count, fds, &stop))
            return true;
        left = timeout_ms < 0 ? LOOK_MS : (end - sr_monotonic()) / 1000000;
        if (stop || left <= 0)
            return false;
    }
}

bool sr_inputs_wait(sr_input **inputs, size_t count, int timeout_ms)
{
    struct pollfd *fds = calloc(count == 0 ? 1 : count, sizeof *fds);
    bool more = true; /* without memory: ask them */

    if (fds == NULL)
        return more;
    more = list_fds(inputs, count, fds) &&
           wait_for(inputs, count, fds, timeout_ms);
    free(fds);
    return more;
}
