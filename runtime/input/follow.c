/*
 * follow.c - from one file of a path to the next.
 *
 * The order that loses nothing: a writer leaves the old file before it writes
 * to the new one. So first the new file is seen to have data (or the old one
 * to be quiet), then the old one is read once more, and only if that gives
 * nothing it is left. It stays open until the next one is, so that its inode
 * number cannot come back meanwhile.
 */
#include "input/follow.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

enum { TRIES = 8 };

int64_t sr_monotonic(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return sr_nanoseconds(&t);
}

bool sr_input_named(const sr_input *in)
{
    struct stat st;

    return stat(in->path, &st) == 0 && st.st_dev == in->stream->dev &&
           st.st_ino == in->stream->ino;
}

/* -------- the next file ------------------------------------------------ */

/* What comes next is behind this file. */
static void set_last(sr_input *in, const sr_entry *entry)
{
    in->only_path = false;
    in->last_dev = entry->dev;
    in->last_ino = entry->ino;
    in->last_modified = entry->modified;
}

static void set_last_stream(sr_input *in)
{
    sr_cursor at;

    sr_stream_cursor(in->stream, &at);
    in->only_path = false;
    in->last_dev = at.dev;
    in->last_ino = at.ino;
    in->last_modified = at.modified;
}

static const sr_entry *pick(const sr_input *in, const sr_folder *folder)
{
    const sr_entry *same =
        in->again ? sr_folder_find(folder, in->last_dev, in->last_ino) : NULL;

    if (same != NULL)
        return same;
    return in->only_path || in->again
               ? sr_folder_own(folder)
               : sr_folder_next(folder, in->last_dev, in->last_ino,
                                in->last_modified);
}

/* A file that was read and is gone may have come back as a copy, compressed
 * perhaps, which must not be read again. */
static void find_last(sr_input *in, const sr_folder *folder)
{
    const sr_entry *copy;
    sr_stream *found;
    sr_cursor at;

    if (in->only_path || in->again || in->stream == NULL ||
        in->last_dev != in->stream->dev || in->last_ino != in->stream->ino ||
        sr_folder_find(folder, in->last_dev, in->last_ino) != NULL)
        return;
    sr_stream_cursor(in->stream, &at);
    copy = sr_input_find_copy(in, folder, &at, &found);
    sr_stream_close(found);
    if (copy != NULL)
        set_last(in, copy);
}

/* There is no next file: back to the last, or wait. */
static sr_line_status stay(sr_input *in)
{
    if (!in->follow)
        return SR_END;
    if (in->stream != NULL && in->leaving) {
        sr_stream_follow(in->stream);
        in->leaving = false;
    }
    return SR_WAIT;
}

/* The next file cannot be opened. The path itself is tried again; a file
 * beside it is passed over. */
static sr_line_status refuse(sr_input *in, const sr_entry *entry, int failed)
{
    if (entry != NULL && !entry->own) {
        (void)snprintf(in->reason, sizeof in->reason,
                       "a rotated file beside it is passed over: %s",
                       strerror(failed));
        in->again = false;
        set_last(in, entry);
        in->generation++;
        return SR_BAD;
    }
    if (failed == in->told || (failed == ENOENT && in->follow))
        return stay(in);
    in->told = failed;
    (void)snprintf(in->reason, sizeof in->reason, "%s", strerror(failed));
    return SR_BAD;
}

/* Open the next file as the folder shows it: SR_LINE; with *moved that it is
 * not there any more. */
static sr_line_status open_next(sr_input *in, const sr_folder *folder,
                                bool *moved)
{
    const sr_entry *entry;
    sr_stream *s;

    *moved = false;
    if (folder->failed != NULL && !in->only_path && !in->scan_told) {
        in->scan_told = true;
        (void)snprintf(in->reason, sizeof in->reason,
                       "rotated files may be missed: %s", folder->failed);
        return SR_LOST;
    }
    find_last(in, folder);
    entry = in->stopped ? NULL : pick(in, folder);
    if (in->stopped)
        return SR_END;
    if (entry == NULL)
        return folder->path_failed == 0 ? stay(in)
                                        : refuse(in, NULL, folder->path_failed);
    s = sr_input_open_entry(in, entry);
    if (s != NULL) {
        in->generation += in->opened ? 1 : 0;
        sr_input_use(in, s, entry);
        return SR_LINE;
    }
    *moved = errno == ENOENT; /* renamed since the folder was read */
    return *moved ? SR_WAIT : refuse(in, entry, errno);
}

sr_line_status sr_input_advance(sr_input *in)
{
    sr_line_status status = SR_WAIT;
    bool moved = true;

    for (unsigned i = 0; i < TRIES && moved; i++) {
        sr_folder folder;
        sr_folder_read(in->path, &folder);
        status = open_next(in, &folder, &moved);
        sr_folder_free(&folder);
    }
    if (!moved)
        return status;
    return in->follow ? stay(in) : refuse(in, NULL, ENOENT);
}

/* -------- the end of a file -------------------------------------------- */

static void leave(sr_input *in, bool read_on)
{
    in->leaving = true;
    sr_stream_finish(in->stream, read_on);
}

/* The file was emptied in place. A copy made before may have more than was
 * read; otherwise what is there now is read from its beginning. */
static sr_line_status restart(sr_input *in)
{
    const sr_stream *s = in->stream;
    const uint64_t total = s->raw.total;
    sr_folder folder;
    const sr_entry *copy;
    sr_stream *found;
    sr_cursor at;

    sr_stream_cursor(s, &at);
    at.modified = s->modified; /* not that of the new content */
    sr_folder_read(in->path, &folder);
    copy = sr_input_find_copy(in, &folder, &at, &found);
    if (found != NULL &&
        (found->codec != &sr_codec_plain || copy->size > total)) {
        sr_input_use(in, found, copy);
    } else {
        sr_stream_close(found);
        set_last_stream(in);
        in->again = copy == NULL;
        if (copy != NULL)
            set_last(in, copy);
        leave(in, false);
    }
    sr_folder_free(&folder);
    return SR_LINE;
}

/* Whether the file that replaced the stream's is there (*there) and has
 * data. */
static bool has_heir(sr_input *in, bool *there)
{
    sr_folder folder;
    const sr_entry *entry;
    bool data;

    set_last_stream(in);
    sr_folder_read(in->path, &folder);
    entry = pick(in, &folder);
    *there = entry != NULL ||
             (folder.path_failed != 0 && folder.path_failed != ENOENT);
    data = entry != NULL && entry->size != 0;
    sr_folder_free(&folder);
    return data;
}

/* The file has lost its name, and with no heir yet: after a while its last
 * line is given, but it stays open for more. */
static sr_line_status flush(sr_input *in)
{
    if (in->flushed)
        return SR_WAIT;
    in->flushed = true;
    leave(in, true);
    return SR_LINE;
}

/* The end of a file that may grow. */
static sr_line_status look(sr_input *in)
{
    const uint64_t total = in->stream->raw.total;
    const int64_t now = sr_monotonic();
    bool there = false, data, quiet;

    if (sr_input_named(in)) {
        in->quiet_since = 0;
        in->looked_again = in->flushed = false;
        return SR_WAIT;
    }
    if (in->quiet_since == 0 || in->quiet_total != total) {
        in->quiet_since = now;
        in->quiet_total = total;
        in->looked_again = in->flushed = false;
        return SR_LINE;
    }
    if (in->looked_again) {
        leave(in, true);
        return SR_LINE;
    }
    data = has_heir(in, &there);
    quiet = now - in->quiet_since >= SR_GRACE_NS;
    if (!there)
        return quiet ? flush(in) : SR_WAIT;
    if (!data && !quiet)
        return SR_WAIT;
    in->looked_again = true;
    return SR_LINE;
}

/* A file that does not grow has ended. */
static sr_line_status finished(sr_input *in)
{
    if (in->leaving)
        return SR_LINE;
    if (!in->follow && !in->elsewhere)
        return SR_END;
    if (in->follow && sr_input_named(in))
        return in->stream->bad ? SR_WAIT : SR_END;
    set_last_stream(in);
    in->leaving = true;
    return SR_LINE;
}

sr_line_status sr_input_at_end(sr_input *in, sr_line_status status)
{
    if (in->stopped)
        return SR_END;
    if (!in->stream->regular)
        return status;
    if (in->stream->replaced && !in->leaving)
        return restart(in);
    return status == SR_WAIT ? look(in) : finished(in);
}
