/*
 * resume.c - back to a cursor: by counting lines in a stream, by looking for
 * the file otherwise.
 */
#include "input/follow.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { TRIES = 16 };

/* -------- streams ------------------------------------------------------ */

static sr_line_status say_lost(sr_input *in, const char *what)
{
    in->resuming = false;
    (void)snprintf(in->reason, sizeof in->reason, "%s", what);
    return SR_LOST;
}

/* Read the beginning, which must be what it was. Nothing is skipped yet, so
 * that another stream is read from its beginning. One that holds nothing is no
 * other. */
static sr_line_status check_beginning(sr_input *in)
{
    sr_stream *s = in->stream;
    sr_line_status status = SR_LINE;

    while (s->head_len < in->at.print_len && status == SR_LINE)
        status = sr_stream_more(s);
    if (status == SR_WAIT || in->stopped)
        return status;
    in->checked = true;
    if (s->head_len == 0 || sr_stream_begins(s, &in->at))
        return SR_LINE;
    return say_lost(in, "it does not begin as what was read before; "
                        "nothing of it is skipped");
}

static sr_line_status say_bad(sr_input *in)
{
    in->fell_short = true;
    memcpy(in->reason, in->stream->reason, sizeof in->reason);
    return SR_BAD;
}

/* A stream that ends before the cursor is one whose feeder was cut off: the
 * cursor stays where it is, for the next time. */
static sr_line_status say_short(sr_input *in)
{
    if (in->fell_short)
        return SR_END;
    in->fell_short = true;
    (void)snprintf(in->reason, sizeof in->reason,
                   "it ends after line %llu, but was read up to %llu",
                   (unsigned long long)in->stream->lines,
                   (unsigned long long)in->at.line);
    return SR_LOST;
}

static sr_line_status skip_lines(sr_input *in)
{
    sr_stream *s = in->stream;
    uint64_t number, offset;
    sr_cursor now;
    sg_str line;

    while (s->lines < in->at.line) {
        const sr_line_status status =
            sr_stream_next(s, &line, &number, &offset);
        if (status == SR_WAIT || in->stopped)
            return status;
        if (status == SR_BAD)
            return say_bad(in);
        if (status == SR_END)
            return say_short(in);
    }
    sr_stream_cursor(s, &now);
    if (now.offset != in->at.offset)
        return say_lost(in, "the lines skipped are not those read before");
    in->resuming = false;
    return SR_LINE;
}

/* -------- files -------------------------------------------------------- */

const sr_entry *sr_input_find_copy(sr_input *in, const sr_folder *folder,
                                   const sr_cursor *cursor, sr_stream **found,
                                   bool *moved)
{
    /* Tools that keep times may keep only the seconds. */
    const int64_t since = cursor->modified / 1000000000;
    const sr_entry *copy = NULL;

    *found = NULL;
    *moved = false;
    for (size_t i = 0; cursor->print_len != 0 && i < folder->count; i++) {
        const sr_entry *entry = &folder->items[i];
        sr_stream *s = NULL;
        sr_match match = SR_OTHER;

        if (entry->own || entry->modified / 1000000000 < since)
            continue;
        s = sr_input_open_entry(in, entry);
        if (s != NULL)
            match = sr_stream_seek(s, cursor);
        else if (errno == ENOENT)
            *moved = true;
        if (match == SR_FOUND) {
            *found = s;
            return entry;
        }
        sr_stream_close(s);
        if (match == SR_SHORT && copy == NULL)
            copy = entry;
    }
    return copy;
}

/* Read on in this file if it is the right one. *moved when it has another
 * name by now. */
static bool try_entry(sr_input *in, const sr_entry *entry, bool *moved)
{
    sr_stream *s = entry == NULL ? NULL : sr_input_open_entry(in, entry);

    if (s == NULL) {
        *moved = *moved || (entry != NULL && errno == ENOENT);
        return false;
    }
    if (s->regular && sr_stream_seek(s, &in->at) == SR_FOUND) {
        sr_input_use(in, s, entry);
        return true;
    }
    sr_stream_close(s);
    return false;
}

/* Begin anew, behind the file `copy` or behind what the cursor says. */
static sr_line_status begin_anew(sr_input *in, const sr_entry *copy)
{
    const bool silent = copy != NULL || in->at.ended;

    in->resuming = in->only_path = false;
    in->last_dev = copy == NULL ? 0 : copy->dev;
    in->last_ino = copy == NULL ? 0 : copy->ino;
    in->last_modified = copy == NULL ? in->at.modified : copy->modified;
    in->at.ended = true;
    if (silent)
        return sr_input_advance(in);
    (void)snprintf(in->reason, sizeof in->reason,
                   "the file read before, up to line %llu, was not found; "
                   "what it had behind that is lost",
                   (unsigned long long)in->at.line);
    return SR_LOST;
}

/* With *moved the folder is to be read again, unless `last`. */
static sr_line_status find_file(sr_input *in, const sr_folder *folder,
                                bool last, bool *moved)
{
    const sr_entry *known = sr_folder_find(folder, in->at.dev, in->at.ino);
    const sr_entry *own = sr_folder_own(folder);
    const sr_entry *copy;
    sr_stream *found;

    *moved = false;
    if (try_entry(in, known, moved))
        return SR_LINE;
    if (own != known && in->at.print_len != 0 && !in->stopped &&
        try_entry(in, own, moved))
        return SR_LINE;
    if (in->stopped || (*moved && !last))
        return SR_END;
    copy = sr_input_find_copy(in, folder, &in->at, &found, moved);
    if (in->stopped) {
        sr_stream_close(found);
        return SR_END;
    }
    if (found == NULL && *moved && !last)
        return SR_END;
    *moved = false;
    if (found == NULL)
        return begin_anew(in, copy);
    sr_input_use(in, found, copy);
    return SR_LINE;
}

sr_line_status sr_input_resume(sr_input *in)
{
    sr_line_status status = SR_END;
    bool moved = true;

    if (in->stream != NULL) {
        status = in->checked ? SR_LINE : check_beginning(in);
        return status == SR_LINE ? skip_lines(in) : status;
    }
    for (unsigned i = 1; moved && !in->stopped && i <= TRIES; i++) {
        sr_folder folder;
        sr_folder_read(in->path, &folder);
        status = find_file(in, &folder, i == TRIES, &moved);
        sr_folder_free(&folder);
    }
    return status;
}
