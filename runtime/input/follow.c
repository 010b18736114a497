/*
 * follow.c - from one file of a path to the next.
 *
 * The order that loses nothing: a writer leaves the old file before it writes
 * to the new one. So first the new file is seen to have data, then the old one
 * is read once more, and only if that gives nothing it is left. It stays open
 * until the next one is, so that its inode number cannot come back meanwhile,
 * and a while longer, to tell when somebody writes to it all the same.
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

/* Where the stream stands, to look for a copy of its file: told by all of its
 * beginning that was read, and as old as it was when it was read last. */
static void trace(const sr_stream *s, sr_cursor *at)
{
    sr_stream_cursor(s, at);
    at->print_len = s->head_len;
    at->print_hash = sg_str_hash((sg_str){s->head, s->head_len});
    at->modified = s->modified;
}

/* A file that was read and is gone may have come back as a copy, compressed
 * perhaps, which must not be read again. */
static void find_last(sr_input *in, const sr_folder *folder, bool *moved)
{
    const sr_entry *copy;
    sr_stream *found;
    sr_cursor at;

    if (in->only_path || in->again || in->stream == NULL ||
        in->last_dev != in->stream->dev || in->last_ino != in->stream->ino ||
        sr_folder_find(folder, in->last_dev, in->last_ino) != NULL)
        return;
    trace(in->stream, &at);
    copy = sr_input_find_copy(in, folder, &at, &found, moved);
    sr_stream_close(found);
    if (copy == NULL)
        return;
    set_last(in, copy);
    *moved = false;
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
    find_last(in, folder, moved);
    if (in->stopped)
        return SR_END;
    if (*moved)
        return SR_WAIT;
    entry = pick(in, folder);
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

    if (in->flushing) {
        in->flushing = false;
        return stay(in);
    }
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

/* Go on in a copy of the file, at *found; or give what is left of the stream,
 * then what comes behind the copy, or without one the file anew. */
static void go_on_in(sr_input *in, const sr_entry *copy, sr_stream *found)
{
    if (found != NULL && (found->codec != &sr_codec_plain ||
                          copy->size > in->stream->raw.total)) {
        sr_input_use(in, found, copy);
        return;
    }
    sr_stream_close(found);
    set_last_stream(in);
    in->again = copy == NULL;
    if (copy != NULL)
        set_last(in, copy);
    leave(in, false);
}

/* The file was emptied in place. A copy made before may have more than was
 * read; otherwise what is there now is read from its beginning. */
static sr_line_status restart(sr_input *in)
{
    bool moved = true;
    sr_cursor at;

    trace(in->stream, &at);
    for (unsigned i = 1; moved; i++) {
        sr_folder folder;
        sr_stream *found;
        sr_folder_read(in->path, &folder);
        const sr_entry *copy =
            sr_input_find_copy(in, &folder, &at, &found, &moved);

        moved = moved && copy == NULL && i < TRIES;
        if (!moved)
            go_on_in(in, copy, found);
        sr_folder_free(&folder);
    }
    return SR_LINE;
}

/* Whether the file that replaced the stream's has data, or was itself replaced,
 * or cannot be read, which is to be told. */
static bool has_heir(sr_input *in)
{
    sr_folder folder;
    const sr_entry *entry;
    bool data;

    set_last_stream(in);
    sr_folder_read(in->path, &folder);
    entry = pick(in, &folder);
    data = entry == NULL
               ? folder.path_failed != 0 && folder.path_failed != ENOENT
               : !entry->own || entry->size != 0;
    sr_folder_free(&folder);
    return data;
}

/* The file has lost its name, and there is nothing to go on to. After a while
 * its last line is given, but it stays open for more: a writer may be slow to
 * move on. */
static sr_line_status flush(sr_input *in)
{
    if (in->flushed || sr_monotonic() - in->quiet_since < SR_GRACE_NS)
        return SR_WAIT;
    in->flushed = in->flushing = true;
    leave(in, true);
    return SR_LINE;
}

/* The end of a file that may grow. */
static sr_line_status look(sr_input *in)
{
    const uint64_t total = in->stream->raw.total;

    if (sr_input_named(in)) {
        in->quiet_since = 0;
        in->looked_again = in->flushed = false;
        return SR_WAIT;
    }
    if (in->quiet_since == 0 || in->quiet_total != total) {
        in->quiet_since = sr_monotonic();
        in->quiet_total = total;
        in->looked_again = in->flushed = false;
        return SR_LINE;
    }
    if (in->looked_again) {
        leave(in, true);
        return SR_LINE;
    }
    if (!has_heir(in))
        return flush(in);
    in->looked_again = true;
    return SR_LINE;
}

/* Whether somebody went on writing to the file that was left last. Told once;
 * after a while nobody is expected to. */
static bool has_late_bytes(sr_input *in)
{
    struct stat st;
    uint64_t size;

    if (in->left_fd < 0 || fstat(in->left_fd, &st) != 0 || st.st_size < 0)
        return false;
    size = (uint64_t)st.st_size;
    if (size <= in->left_size) {
        if (sr_monotonic() - in->left_at >= SR_LINGER_NS)
            sr_input_forget_left(in);
        return false;
    }
    (void)snprintf(in->reason, sizeof in->reason,
                   "%llu bytes or more were written to a file after the one "
                   "that replaced it; they are lost",
                   (unsigned long long)(size - in->left_size));
    sr_input_forget_left(in);
    return true;
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
    if (has_late_bytes(in))
        return SR_LOST;
    if (in->stream->replaced && !in->leaving)
        return restart(in);
    return status == SR_WAIT ? look(in) : finished(in);
}
