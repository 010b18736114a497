/*
 * bytes.c - numbers and texts as bytes that every machine writes and reads the
 * same way: little-endian, lengths first. What is read may be damaged; a reader
 * that ran past its end says so once, at the end.
 */
#include "base/sg_base.h"

#include <math.h>
#include <string.h>

static void put_le(sg_buf *buf, uint64_t n, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        sg_buf_putc(buf, (char)(n >> 8 * i & 0xFF));
}

void sg_put_u8(sg_buf *buf, uint8_t n)
{
    put_le(buf, n, 1);
}

void sg_put_u32(sg_buf *buf, uint32_t n)
{
    put_le(buf, n, 4);
}

void sg_put_u64(sg_buf *buf, uint64_t n)
{
    put_le(buf, n, 8);
}

void sg_put_text(sg_buf *buf, sg_str text)
{
    sg_put_u32(buf, (uint32_t)text.len);
    sg_buf_put(buf, text);
}

void sg_put_num(sg_buf *buf, sg_num n)
{
    uint64_t bits;

    memcpy(&bits, &n.v, sizeof(bits));
    sg_put_u8(buf, (uint8_t)n.kind);
    sg_put_u64(buf, bits);
}

size_t sg_put_text_begin(sg_buf *buf)
{
    sg_put_u32(buf, 0);
    return buf->len;
}

void sg_put_text_end(sg_buf *buf, size_t at)
{
    const size_t end = buf->len;

    buf->len = at - sizeof(uint32_t);
    sg_put_u32(buf, (uint32_t)(end - at));
    buf->len = end;
}

sg_str sg_read_bytes(sg_reader *r, size_t len)
{
    if (r->bad || len > r->rest.len) {
        r->bad = true;
        return SG_S("");
    }
    const sg_str bytes = sg_str_sub(r->rest, 0, len);

    r->rest = sg_str_sub(r->rest, len, r->rest.len);
    return bytes;
}

static uint64_t read_le(sg_reader *r, unsigned bytes)
{
    const sg_str text = sg_read_bytes(r, bytes);
    uint64_t n = 0;

    for (size_t i = text.len; i-- != 0;)
        n = n << 8 | (unsigned char)text.ptr[i];
    return n;
}

uint8_t sg_read_u8(sg_reader *r)
{
    return (uint8_t)read_le(r, 1);
}

uint32_t sg_read_u32(sg_reader *r)
{
    return (uint32_t)read_le(r, 4);
}

uint64_t sg_read_u64(sg_reader *r)
{
    return read_le(r, 8);
}

sg_str sg_read_text(sg_reader *r)
{
    const uint32_t len = sg_read_u32(r);

    return sg_read_bytes(r, len);
}

sg_num sg_read_num(sg_reader *r)
{
    const uint8_t kind = sg_read_u8(r);
    const uint64_t bits = sg_read_u64(r);
    sg_num n = {.kind = SIGMA_INT};

    memcpy(&n.v, &bits, sizeof(bits));
    r->bad = r->bad || kind > SIGMA_FLOAT ||
             (kind == SIGMA_FLOAT && !isfinite(n.v.f));
    if (!r->bad)
        n.kind = (sigma_num_kind)kind;
    return n;
}

bool sg_read_done(const sg_reader *r)
{
    return !r->bad && r->rest.len == 0;
}
