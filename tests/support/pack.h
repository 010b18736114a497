/*
 * pack.h - compressed streams without a compressor: gzip members of stored
 * blocks, zstd frames of raw blocks.
 */
#ifndef PACK_H
#define PACK_H

#include "base/sg_base.h"

static inline void put_le(sg_buf *out, uint64_t value, int bytes)
{
    for (int i = 0; i < bytes; i++)
        sg_buf_putc(out, (char)(value >> (8 * i) & 0xFF));
}

static inline uint32_t crc32_of(sg_str s)
{
    uint32_t crc = UINT32_MAX;

    for (size_t i = 0; i < s.len; i++) {
        crc ^= (unsigned char)s.ptr[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (UINT32_C(0xEDB88320) & (0 - (crc & 1)));
    }
    return ~crc;
}

/* One gzip member of stored blocks. */
static inline void put_gzip(sg_buf *out, sg_str text)
{
    sg_buf_put(out, SG_S("\x1f\x8b\x08\0\0\0\0\0\0\xff"));
    for (size_t pos = 0; pos < text.len || pos == 0;) {
        const size_t left = text.len - pos;
        const size_t n = left < 65535 ? left : 65535;
        put_le(out, n == left, 1);
        put_le(out, n, 2);
        put_le(out, ~n, 2);
        sg_buf_put(out, sg_str_sub(text, pos, pos + n));
        pos += n == 0 ? 1 : n;
    }
    put_le(out, crc32_of(text), 4);
    put_le(out, text.len, 4);
}

/* One zstd frame of raw blocks, no checksum, 1 MiB window. */
static inline void put_zstd(sg_buf *out, sg_str text)
{
    sg_buf_put(out, SG_S("\x28\xb5\x2f\xfd\x00\x50"));
    for (size_t pos = 0; pos < text.len || pos == 0;) {
        const size_t left = text.len - pos;
        const size_t n = left < 100000 ? left : 100000;
        put_le(out, n << 3 | (n == left), 3);
        sg_buf_put(out, sg_str_sub(text, pos, pos + n));
        pos += n == 0 ? 1 : n;
    }
}

#endif
