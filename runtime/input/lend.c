/*
 * lend.c - lines of a plain file that others read. Where they end is looked up
 * in few bytes, so that all they say is touched by those others alone.
 */
#include "input/stream.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

enum {
    PAGE = 1 << 12,
    STEP = 1 << 12,
    STEPS = 1 << 4,  /* in which the end of a line is looked for */
    PAUSE = 16 << 20 /* bytes that are read here, where lines are longer */
};

_Static_assert(PAGE + SR_RANGE_MOST + STEP * STEPS <= SR_INPUT_ROOM,
               "a range and the rest of its last line fit a room");

/* Where a line ends at `from` or behind it, or 0. */
static uint64_t line_end(int fd, uint64_t from)
{
    char bytes[STEP];

    for (unsigned i = 0; i < STEPS; i++) {
        const ssize_t got = pread(fd, bytes, sizeof(bytes), (off_t)from);
        const char *lf = got <= 0 ? NULL : memchr(bytes, '\n', (size_t)got);

        if (got <= 0)
            return 0;
        if (lf != NULL)
            return from + (uint64_t)(lf - bytes) + 1;
        from += (uint64_t)got;
    }
    return 0;
}

/* The first line of all may have a byte order mark, and cursors need the
 * beginning of the file. */
static bool may_lend(const sr_stream *s, uint64_t from)
{
    return s->regular && !s->follow && s->codec == &sr_codec_plain &&
           !s->ended && !s->skipping && !s->raw.end &&
           s->head_len == sizeof(s->head) && from >= s->lend_from && from != 0;
}

bool sr_stream_lend(sr_stream *s, size_t size, sr_range *out)
{
    const uint64_t from = s->base + s->pos;

    if (!may_lend(s, from))
        return false;
    const uint64_t end = line_end(
        s->raw.fd, from + (size < SR_RANGE_MOST ? size : SR_RANGE_MOST));

    if (end == 0 || !sr_stream_jump(s, end)) {
        s->lend_from = from + PAUSE;
        return false;
    }
    *out = (sr_range){s->raw.fd, from, (size_t)(end - from)};
    return true;
}

void sr_stream_lent(sr_stream *s, uint64_t offset, uint64_t lines)
{
    s->lines = lines;
    if (offset == s->base + s->pos)
        return;
    s->lend_from = UINT64_MAX;
    if (!sr_stream_jump(s, offset)) {
        s->raw.failed = errno;
        s->raw.end = true;
    }
}

/* Copied to the same place of a page as it is in in the file: some processors
 * take four times as long when they differ by less than 32 bytes. */
static char *place_for(const sr_range *range, char *room)
{
    return room + ((range->offset - (uintptr_t)room) % PAGE);
}

const char *sr_range_read(const sr_range *range, char *room)
{
    char *const text = place_for(range, room);
    size_t len = 0;

    while (len < range->len) {
        const ssize_t got = pread(range->fd, text + len, range->len - len,
                                  (off_t)(range->offset + len));

        if (got == 0 || (got < 0 && errno != EINTR))
            return NULL;
        len += got < 0 ? 0 : (size_t)got;
    }
    return len != 0 && text[len - 1] == '\n' ? text : NULL;
}
