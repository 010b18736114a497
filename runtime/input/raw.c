/*
 * raw.c - raw bytes from a descriptor.
 */
#include "input/codec.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

size_t sr_raw_read(sr_raw *raw, void *dst, size_t cap)
{
    ssize_t got;

    if (raw->end)
        return 0;
    do {
        if (raw->before != NULL && !raw->before(raw->ctx)) {
            raw->end = raw->stopped = true;
            return 0;
        }
        got = read(raw->fd, dst, cap);
    } while (got < 0 && errno == EINTR);
    if (got < 0)
        raw->failed = errno;
    raw->end = got <= 0;
    if (got <= 0)
        return 0;
    raw->total += (size_t)got;
    return (size_t)got;
}

bool sr_raw_fill(sr_raw *raw)
{
    if (raw->pos < raw->len)
        return true;
    raw->pos = 0;
    raw->len = sr_raw_read(raw, raw->buf,
                           raw->cap < SR_RAW_STEP ? raw->cap : SR_RAW_STEP);
    return raw->len != 0;
}

bool sr_raw_gather(sr_raw *raw, size_t most)
{
    const size_t before = raw->len - raw->pos;
    size_t got = 1;

    if (raw->end || before >= most)
        return false;
    if (raw->cap < most) {
        unsigned char *larger = realloc(raw->buf, most);
        if (larger == NULL)
            return false;
        raw->buf = larger;
        raw->cap = most;
    }
    memmove(raw->buf, raw->buf + raw->pos, before);
    raw->pos = 0;
    raw->len = before;
    while (raw->len < most && got != 0) {
        got = sr_raw_read(raw, raw->buf + raw->len, most - raw->len);
        raw->len += got;
    }
    return raw->len != before;
}
