/*
 * base64.c - RFC 4648 base64 without padding, for bytes inside lines of text.
 */
#include "base/sg_base.h"

static const char digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void sg_put_base64(sg_buf *buf, sg_str bytes)
{
    const unsigned char *in = (const unsigned char *)bytes.ptr;

    for (size_t i = 0; i < bytes.len; i += 3) {
        const size_t have = bytes.len - i < 3 ? bytes.len - i : 3;
        uint32_t n = (uint32_t)in[i] << 16;

        n |= have > 1 ? (uint32_t)in[i + 1] << 8 : 0;
        n |= have > 2 ? in[i + 2] : 0;
        for (size_t k = 0; k <= have; k++)
            sg_buf_putc(buf, digits[n >> (18 - 6 * k) & 63]);
    }
}

/* -1: no digit. */
static int value_of(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

bool sg_get_base64(sg_buf *out, sg_str text)
{
    const size_t beg = out->len;
    uint32_t n = 0;
    unsigned bits = 0;

    for (size_t i = 0; i < text.len; i++) {
        const int v = value_of(text.ptr[i]);

        if (v < 0) {
            out->len = beg;
            return false;
        }
        n = (n << 6 | (uint32_t)v) & 0xFFFF;
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            sg_buf_putc(out, (char)(n >> bits & 0xFF));
        }
    }
    if (text.len % 4 != 1 && (n & ((1U << bits) - 1)) == 0)
        return true;
    out->len = beg;
    return false;
}
