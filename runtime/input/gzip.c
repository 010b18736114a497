/*
 * gzip.c - gzip streams; the only file that includes zlib.h. Members follow
 * one another, zeros may pad the last one; anything else behind it is damage.
 * As long as members are small they are decompressed at once (member.h); from
 * the first one on of which that cannot be done the stream is zlib's.
 */
#include "input/codec.h"
#include "input/member.h"

#include <stdlib.h>
#include <zlib.h>

typedef struct gzip {
    z_stream z;
    sr_member *whole; /* NULL: the rest is zlib's */
    bool inside;      /* a member has begun */
    bool later;       /* a member has ended */
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

    if (g == NULL)
        return NULL;
    if (inflateInit2(&g->z, GZIP_ONLY + MAX_WBITS) != Z_OK) {
        free(g);
        return NULL;
    }
    g->whole = sr_member_open();
    return g;
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

/* Bytes of members that are decompressed at once; 0 when that comes to an end.
 */
static size_t read_members(gzip *g, sr_raw *raw, void *dst, size_t cap)
{
    size_t got;

    while ((got = sr_member_give(g->whole, dst, cap)) == 0) {
        if (!next_member(g, raw))
            return 0;
        if (!sr_member_read(g->whole, raw)) {
            sr_member_close(g->whole);
            g->whole = NULL;
            return 0;
        }
        g->inside = false;
        g->later = true;
    }
    return got;
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
    bool more;

    *got = g->whole == NULL ? 0 : read_members(g, raw, dst, cap);
    if (*got != 0)
        return SR_CODEC_MORE;
    g->z.next_out = dst;
    g->z.avail_out = room;
    while (g->failure == NULL && g->z.avail_out == room) {
        if (!g->inside && !next_member(g, raw))
            return SR_CODEC_MORE;
        more = sr_raw_fill(raw);
        inflate_some(g, raw); /* what zlib holds back comes without input */
        if (!more && g->inside && g->failure == NULL && g->z.avail_out == room)
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

    sr_member_close(g->whole);
    inflateEnd(&g->z);
    free(g);
}

static bool is_steady(const void *state)
{
    const gzip *g = state;

    return g->whole == NULL || !sr_member_takes_long(g->whole);
}

const sr_codec sr_codec_gzip = {"gzip",    probe,      open_gzip,
                                read_gzip, close_gzip, is_steady};
