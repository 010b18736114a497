/*
 * plain.c - the format that is none: bytes as they are. What the probe read
 * is served first, then the descriptor is read into the caller's memory.
 */
#include "input/codec.h"

#include <string.h>

static bool probe(const unsigned char *head, size_t len)
{
    (void)head;
    (void)len;
    return true;
}

static void *open_plain(void)
{
    static char nothing;

    return &nothing;
}

static sr_codec_status read_plain(void *state, sr_raw *raw, const char **reason,
                                  void *dst, size_t cap, size_t *got)
{
    const size_t left = raw->len - raw->pos;

    (void)state;
    (void)reason;
    if (left == 0) {
        *got = sr_raw_read(raw, dst, cap);
        return SR_CODEC_MORE;
    }
    *got = left < cap ? left : cap;
    memcpy(dst, raw->buf + raw->pos, *got);
    raw->pos += *got;
    return SR_CODEC_MORE;
}

static void close_plain(void *state)
{
    (void)state;
}

const sr_codec sr_codec_plain = {"plain",    probe,       open_plain,
                                 read_plain, close_plain, NULL};
