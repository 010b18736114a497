/*
 * gzip.c - gzip streams; the only file that includes zlib.h and libdeflate.h.
 * Members follow one another, zeros may pad the last one; anything else behind
 * it is damage.
 *
 * zlib reads the header of a member. Of its blocks deflate.c takes those that
 * are sound and wholly there, which is more than twice as fast; each of the
 * others zlib takes from its first bit on. So zlib alone says what is cut short
 * or damaged, and what stands before it. libdeflate computes the checksum, in a
 * quarter of zlib's time.
 */
#include "input/codec.h"
#include "input/deflate.h"

#include <libdeflate.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum {
    GZIP_ONLY = 16,
    MAX_STEP = 1 << 30,
    HISTORY = 1 << 15, /* bytes that a match may go back */
    WINDOW = 1 << 20,  /* them, and text of some blocks */
    TRAILER = 8,       /* checksum and length of the text */
    BLOCK_BITS = 7,    /* of data_type: bits of a byte that are unused, */
    BLOCK_LAST = 64,   /* in the last block of a member, */
    BLOCK_BORDER = 128 /* behind a block, or the header */
};

typedef enum stage {
    OUTSIDE, /* no member, or behind one */
    WHOLE,   /* in a member that is all zlib's */
    HEADER,
    BORDER, /* a block comes next */
    BLOCK,  /* in a block that is zlib's */
    END     /* in the trailer */
} stage;

typedef struct gzip {
    z_stream z;
    stage stage;
    bool later; /* a member has ended */
    const char *failure;
    sr_deflate *deflate; /* NULL: all blocks are zlib's */
    unsigned char *window;
    size_t start, given, len; /* in it: text of the member, and not given out */
    uint32_t bits;            /* of last_byte, that are the next ones */
    unsigned char last_byte;  /* taken by zlib or deflate.c */
    bool last;                /* no block follows */
    uint32_t checksum, size;  /* of the text of the member */
    unsigned char trailer[TRAILER];
    size_t trailer_len;
} gzip;

static bool probe(const unsigned char *head, size_t len)
{
    return len >= 2 && head[0] == 0x1F && head[1] == 0x8B;
}

static void close_gzip(void *state)
{
    gzip *g = state;

    inflateEnd(&g->z);
    sr_deflate_free(g->deflate);
    free(g->window);
    free(g);
}

/* $SIGCC_INFLATE set to zlib leaves all to zlib, for comparison. */
static bool wants_zlib(void)
{
    const char *name = getenv("SIGCC_INFLATE");

    return name != NULL && strcmp(name, "zlib") == 0;
}

static void *open_gzip(void)
{
    const bool slow = wants_zlib();
    gzip *g = calloc(1, sizeof *g);

    if (g == NULL)
        return NULL;
    g->window = malloc(WINDOW);
    g->deflate = slow ? NULL : sr_deflate_new();
    if (inflateInit2(&g->z, GZIP_ONLY + MAX_WBITS) == Z_OK &&
        g->window != NULL && (slow || g->deflate != NULL))
        return g;
    close_gzip(g);
    return NULL;
}

/* -------- zlib ---------------------------------------------------------- */

/* One step into the window; false when something failed. */
static bool step_zlib(gzip *g, sr_raw *raw)
{
    const size_t left = raw->len - raw->pos;
    const unsigned char *from = raw->buf + raw->pos;
    int result;

    g->z.next_in = raw->buf + raw->pos;
    g->z.avail_in = (uInt)(left < MAX_STEP ? left : MAX_STEP);
    g->z.next_out = g->window + g->len;
    g->z.avail_out = (uInt)(WINDOW - g->len);
    result = inflate(&g->z, g->stage == WHOLE ? Z_NO_FLUSH : Z_BLOCK);
    raw->pos = (size_t)(g->z.next_in - raw->buf);
    if (g->z.next_in != from)
        g->last_byte = g->z.next_in[-1];
    if (result == Z_MEM_ERROR)
        g->failure = "out of memory";
    else if (result != Z_OK && result != Z_BUF_ERROR && result != Z_STREAM_END)
        g->failure = "gzip data is damaged";
    if (result == Z_STREAM_END)
        g->stage = OUTSIDE;
    return g->failure == NULL;
}

/* zlib takes the next block, as if it had taken those before. */
static void hand_over(gzip *g)
{
    const size_t have = g->len - g->start;
    const size_t history = have < HISTORY ? have : HISTORY;

    (void)inflateReset2(&g->z, -MAX_WBITS);
    (void)inflatePrime(&g->z, (int)g->bits, g->last_byte >> (8 - g->bits));
    if (inflateSetDictionary(&g->z, g->window + g->len - history,
                             (uInt)history) != Z_OK)
        g->failure = "out of memory";
    g->stage = BLOCK;
}

/* -------- members ------------------------------------------------------- */

/* Text of the member was appended to the window. */
static void append(gzip *g, size_t got)
{
    g->checksum = libdeflate_crc32(g->checksum, g->window + g->len, got);
    g->size += (uint32_t)got;
    g->len += got;
}

/* Room in the window, all of which was given out: what no match can go back to
 * is let go. */
static void make_room(gzip *g)
{
    const size_t have = g->len - g->start;
    const size_t keep = have < HISTORY ? have : HISTORY;

    if (WINDOW - g->len >= WINDOW / 2)
        return;
    memmove(g->window, g->window + g->len - keep, keep);
    g->start = 0;
    g->given = g->len = keep;
}

/* Go to the next member; false when there is none. */
static bool next_member(gzip *g, sr_raw *raw)
{
    while (sr_raw_fill(raw)) {
        if (!g->later || raw->buf[raw->pos] != 0) {
            (void)inflateReset2(&g->z, GZIP_ONLY + MAX_WBITS);
            g->start = g->given = g->len = 0;
            g->checksum = g->size = 0;
            g->trailer_len = 0;
            g->stage = g->deflate == NULL ? WHOLE : HEADER;
            return true;
        }
        raw->pos++;
    }
    return false;
}

/* zlib sees to header and trailer as well. */
static void read_whole(gzip *g, sr_raw *raw)
{
    (void)step_zlib(g, raw);
    g->len = (size_t)(g->z.next_out - g->window);
}

static void read_header(gzip *g, sr_raw *raw)
{
    if (step_zlib(g, raw) && (g->z.data_type & BLOCK_BORDER) != 0) {
        g->bits = 0;
        g->stage = BORDER;
    }
}

static void read_block(gzip *g, sr_raw *raw)
{
    if (raw->regular)
        sr_raw_top_up(raw);
    sr_bits in = {raw->buf + raw->pos, raw->buf + raw->len,
                  g->last_byte >> (8 - g->bits), g->bits};
    sr_text text = {g->window + g->start, g->window + g->len,
                    g->window + WINDOW};

    if (!sr_deflate_block(g->deflate, &in, &text, &g->last)) {
        hand_over(g);
        return;
    }
    raw->pos = (size_t)(in.next - raw->buf);
    g->bits = in.bits;
    g->last_byte = raw->buf[raw->pos - 1];
    append(g, (size_t)(text.next - (g->window + g->len)));
    g->stage = g->last ? END : BORDER;
}

/* A part of a block that is zlib's. */
static void read_part(gzip *g, sr_raw *raw)
{
    (void)step_zlib(g, raw);
    append(g, (size_t)(g->z.next_out - (g->window + g->len)));
    if ((g->z.data_type & BLOCK_BORDER) == 0)
        return;
    g->bits = (uint32_t)g->z.data_type & BLOCK_BITS;
    g->stage = (g->z.data_type & BLOCK_LAST) != 0 ? END : BORDER;
}

static uint32_t number_at(const unsigned char *p)
{
    return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 |
           (uint32_t)p[3] << 24;
}

static void read_trailer(gzip *g, sr_raw *raw)
{
    while (g->trailer_len < TRAILER && raw->pos < raw->len)
        g->trailer[g->trailer_len++] = raw->buf[raw->pos++];
    if ((g->trailer_len >= 4 && number_at(g->trailer) != g->checksum) ||
        (g->trailer_len == TRAILER && number_at(g->trailer + 4) != g->size))
        g->failure = "gzip data is damaged";
    else if (g->trailer_len == TRAILER)
        g->stage = OUTSIDE;
}

/* One step, which may move input, text or both. */
static void step(gzip *g, sr_raw *raw)
{
    const bool more = sr_raw_fill(raw);
    const stage at = g->stage;
    const size_t before = g->len;

    switch (at) {
    case WHOLE:
        read_whole(g, raw);
        break;
    case HEADER:
        read_header(g, raw);
        break;
    case BORDER:
        read_block(g, raw);
        break;
    case BLOCK:
        read_part(g, raw);
        break;
    case END:
        read_trailer(g, raw);
        break;
    case OUTSIDE:
        break;
    }
    g->later = g->later || g->stage == OUTSIDE;
    if (!more && g->stage == at && g->len == before && g->failure == NULL)
        g->failure = "gzip data is cut short";
}

static sr_codec_status read_gzip(void *state, sr_raw *raw, const char **reason,
                                 void *dst, size_t cap, size_t *got)
{
    gzip *g = state;
    size_t left;

    *got = 0;
    while (g->failure == NULL && g->given == g->len) {
        if (g->stage == OUTSIDE && !next_member(g, raw))
            return SR_CODEC_MORE;
        make_room(g);
        step(g, raw);
    }
    left = g->len - g->given;
    *got = left < cap ? left : cap;
    memcpy(dst, g->window + g->given, *got);
    g->given += *got;
    if (*got != 0)
        return SR_CODEC_MORE;
    *reason = g->failure;
    return SR_CODEC_BAD;
}

const sr_codec sr_codec_gzip = {"gzip", probe, open_gzip, read_gzip,
                                close_gzip};
