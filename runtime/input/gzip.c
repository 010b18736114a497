/*
 * gzip.c - gzip streams; the only file that includes zlib.h. Members follow
 * one another, zeros may pad the last one; anything else behind it is damage.
 */
#include "input/codec.h"

#include <stdlib.h>
#include <zlib.h>

typedef struct gzip {
    z_stream z;
    bool inside; /* a member has begun */
    bool later;  /* a member has ended */
    const char *failure;
} gzip;

enum { GZIP_ONLY = 16, MAX_STEP = 1 << 30 };

static bool probe(const unsigned char *head, size_t len)
{
    return len >= 2 && head[0] == 0x1F && head[1] == 0x8B;
}

static void *open_gzip(void)
{
    gzip *g = calloc(1, sizeof *g);

    if (g == NULL || inflateInit2(&g->z, GZIP_ONLY + MAX_WBITS) == Z_OK)
        return g;
    free(g);
    return NULL;
}

/* Go to the next member; false when there is none. */
static bool next_member(gzip *g, sr_raw *raw)
{
    while (sr_raw_fill(raw)) {
        if (!g->later || raw->buf[raw->pos] != 0) {
            g->inside = inflateReset(&g->z) == Z_OK;
            return true;
        }
        raw->pos++;
    }
    return false;
}

static void inflate_some(gzip *g, sr_raw *raw)
{
    const size_t left = raw->len - raw->pos;
    int result;

    g->z.next_in = raw->buf + raw->pos;
    g->z.avail_in = (uInt)(left < MAX_STEP ? left : MAX_STEP);
    result = inflate(&g->z, Z_NO_FLUSH);
    raw->pos = (size_t)(g->z.next_in - raw->buf);
    if (result == Z_STREAM_END) {
        g->inside = false;
        g->later = true;
    } else if (result == Z_MEM_ERROR) {
        g->failure = "out of memory";
    } else if (result != Z_OK && result != Z_BUF_ERROR) {
        g->failure = "gzip data is damaged";
    }
}

static sr_codec_status read_gzip(void *state, sr_raw *raw, const char **reason,
                                 void *dst, size_t cap, size_t *got)
{
    gzip *g = state;
    const uInt room = (uInt)(cap < MAX_STEP ? cap : MAX_STEP);

    *got = 0;
    g->z.next_out = dst;
    g->z.avail_out = room;
    while (g->failure == NULL && g->z.avail_out == room) {
        if (!g->inside && !next_member(g, raw))
            return SR_CODEC_MORE;
        if (sr_raw_fill(raw))
            inflate_some(g, raw);
        else
            g->failure = "gzip data is cut short";
    }
    *got = room - g->z.avail_out;
    if (*got != 0)
        return SR_CODEC_MORE;
    *reason = g->failure;
    return SR_CODEC_BAD;
}

static void close_gzip(void *state)
{
    gzip *g = state;

    inflateEnd(&g->z);
    free(g);
}

const sr_codec sr_codec_gzip = {"gzip", probe, open_gzip, read_gzip,
                                close_gzip};
