/*
 * member.c - gzip members at once; the only file that includes libdeflate.h.
 *
 * libdeflate has no streams: a member is decompressed whole, from memory into
 * memory, or not at all. Both are bounded, whatever the member claims to be;
 * pages of the output are taken only as they are filled. Nothing is said about
 * a member that is not good: zlib reads it again from its beginning, so that
 * what there is of it comes out, and the reason is always zlib's. A checksum of
 * the header is checked by zlib alone.
 */
#include "input/member.h"

#include <libdeflate.h>
#include <stdlib.h>
#include <string.h>

enum {
    PACKED_MOST = 32 << 20,   /* bytes of a member */
    PACKED_SOME = 4 << 20,    /* room for most: the fewer pages to fill */
    UNPACKED_MOST = 64 << 20, /* bytes that come out of it */
    LONG = 4 << 20,           /* of those; they take a while */
    HEADER = 10,              /* bytes of one, at least */
    FLAGS_AT = 3,
    FLAG_HEADER_CRC = 2,
    FLAGS_MOST = 0x1F
};

struct sr_member {
    struct libdeflate_decompressor *libdeflate;
    char *bytes; /* [pos, len) is not yet given out */
    size_t pos, len;
    size_t used; /* bytes that the last member took */
};

static bool is_wanted(void)
{
    const char *value = getenv("SIGCC_INFLATE");

    return value == NULL || strcmp(value, "zlib") != 0;
}

sr_member *sr_member_open(void)
{
    sr_member *m = is_wanted() ? calloc(1, sizeof *m) : NULL;

    if (m == NULL)
        return NULL;
    m->libdeflate = libdeflate_alloc_decompressor();
    m->bytes = malloc(UNPACKED_MOST);
    if (m->libdeflate != NULL && m->bytes != NULL)
        return m;
    sr_member_close(m);
    return NULL;
}

void sr_member_close(sr_member *member)
{
    if (member == NULL)
        return;
    libdeflate_free_decompressor(member->libdeflate);
    free(member->bytes);
    free(member);
}

/* Try with the bytes at hand. */
static enum libdeflate_result decompress(sr_member *m, sr_raw *raw)
{
    const unsigned char *from = raw->buf + raw->pos;
    const size_t left = raw->len - raw->pos;
    size_t used = 0, got = 0;
    enum libdeflate_result result;

    if (left <= FLAGS_AT || (from[FLAGS_AT] & FLAG_HEADER_CRC) != 0)
        return LIBDEFLATE_BAD_DATA;
    result = libdeflate_gzip_decompress_ex(m->libdeflate, from, left, m->bytes,
                                           UNPACKED_MOST, &used, &got);
    if (result == LIBDEFLATE_SUCCESS) {
        raw->pos += used;
        m->used = used;
        m->pos = 0;
        m->len = got;
    }
    return result;
}

/* Whether some member seems to begin in the bytes. */
static bool has_header(const unsigned char *p, size_t len)
{
    const unsigned char *const end = p + len;

    while ((p = memmem(p, (size_t)(end - p), "\x1F\x8B\x08", 3)) != NULL) {
        if (end - p >= HEADER && p[FLAGS_AT] <= FLAGS_MOST &&
            (p[8] == 0 || p[8] == 2 || p[8] == 4)) /* how well packed */
            return true;
        p++;
    }
    return false;
}

/* Whether the member seems too large, with as much as may be at hand: no other
 * one begins there, or the file ends with a length that is. That is a guess,
 * which spares a try. */
static bool seems_large(const sr_raw *raw)
{
    const unsigned char *from = raw->buf + raw->pos;
    const size_t left = raw->len - raw->pos;

    if (left < HEADER)
        return false;
    if (!raw->end)
        return !has_header(from + 1, left - 1);
    const unsigned char *p = from + left - 4;

    return (p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 |
            (uint32_t)p[3] << 24) > UNPACKED_MOST;
}

/* A member that ends behind the bytes at hand looks like a damaged one. Members
 * of one file are much alike: where one like the last would do so there is more
 * to be read before anything is tried. */
bool sr_member_read(sr_member *member, sr_raw *raw)
{
    enum libdeflate_result result;

    if (!raw->regular)
        return false;
    if (raw->len - raw->pos < member->used)
        (void)sr_raw_gather(raw, member->used < PACKED_SOME ? PACKED_SOME
                                                            : PACKED_MOST);
    result = decompress(member, raw);
    for (size_t most = PACKED_SOME;
         result == LIBDEFLATE_BAD_DATA && most <= PACKED_MOST;
         most *= PACKED_MOST / PACKED_SOME)
        if (sr_raw_gather(raw, most) && !seems_large(raw))
            result = decompress(member, raw);
    return result == LIBDEFLATE_SUCCESS;
}

bool sr_member_takes_long(const sr_member *member)
{
    return member->len >= LONG;
}

size_t sr_member_give(sr_member *member, void *dst, size_t cap)
{
    const size_t left = member->len - member->pos;
    const size_t got = left < cap ? left : cap;

    if (got != 0)
        memcpy(dst, member->bytes + member->pos, got);
    member->pos += got;
    return got;
}
