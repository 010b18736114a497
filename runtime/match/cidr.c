/*
 * cidr.c - addresses and networks, IPv4 and IPv6, as text. Strict: what is
 * not exactly an address (ports, zone ids, leading zeros, white space) is
 * none.
 */
#include "match/match.h"

#include <string.h>

/* Decimal number of at most three digits without leading zeros, up to `max`;
 * *pos moves behind it. */
static bool read_decimal(sg_str s, size_t *pos, unsigned max, unsigned *out)
{
    const size_t beg = *pos;
    unsigned n = 0;

    while (*pos < s.len && *pos - beg < 3 && s.ptr[*pos] >= '0' &&
           s.ptr[*pos] <= '9')
        n = n * 10 + (unsigned)(s.ptr[(*pos)++] - '0');
    *out = n;
    if (*pos == beg || n > max)
        return false;
    return *pos - beg == 1 || s.ptr[beg] != '0';
}

/* The whole of s as four decimal parts. */
static bool read_v4(sg_str s, uint8_t out[4])
{
    size_t pos = 0;

    for (int i = 0; i < 4; i++) {
        unsigned part;
        if (i > 0 && (pos == s.len || s.ptr[pos++] != '.'))
            return false;
        if (!read_decimal(s, &pos, 255, &part))
            return false;
        out[i] = (uint8_t)part;
    }
    return pos == s.len;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* One to four hexadecimal digits. */
static bool read_group(sg_str s, size_t *pos, unsigned *out)
{
    const size_t beg = *pos;

    *out = 0;
    while (*pos < s.len && *pos - beg < 4 && hex_digit(s.ptr[*pos]) >= 0)
        *out = *out * 16 + (unsigned)hex_digit(s.ptr[(*pos)++]);
    return *pos > beg;
}

/* An IPv6 address being read: `len` bytes so far, `gap` where :: stood. */
typedef struct v6 {
    uint8_t bytes[16];
    size_t len, gap;
} v6;

static const size_t no_gap = SIZE_MAX;

/* A group at *pos, or a dotted quad that takes the rest of the text. */
static bool read_part(sg_str s, size_t *pos, v6 *a)
{
    const sg_str rest = sg_str_sub(s, *pos, s.len);
    unsigned group;

    if (a->len <= 12 && read_v4(rest, a->bytes + a->len)) {
        a->len += 4;
        *pos = s.len;
        return true;
    }
    if (a->len > 14 || !read_group(s, pos, &group))
        return false;
    a->bytes[a->len++] = (uint8_t)(group >> 8);
    a->bytes[a->len++] = (uint8_t)(group & 0xff);
    return true;
}

/* `::` at *pos, at most once. */
static bool read_gap(sg_str s, size_t *pos, v6 *a)
{
    if (*pos + 1 >= s.len || s.ptr[*pos] != ':' || s.ptr[*pos + 1] != ':' ||
        a->gap != no_gap)
        return false;
    a->gap = a->len;
    *pos += 2;
    return true;
}

/* The bytes behind the gap move to the end. A gap stands for at least one
 * group. */
static bool close_gap(v6 *a)
{
    if (a->gap == no_gap)
        return a->len == 16;
    if (a->len > 14)
        return false;
    const size_t tail = a->len - a->gap;
    memmove(a->bytes + 16 - tail, a->bytes + a->gap, tail);
    memset(a->bytes + a->gap, 0, 16 - a->len);
    return true;
}

static bool read_v6(sg_str s, uint8_t out[16])
{
    v6 a = {{0}, 0, no_gap};
    size_t pos = 0;

    (void)read_gap(s, &pos, &a);
    while (pos < s.len) {
        if (!read_part(s, &pos, &a))
            return false;
        if (pos == s.len || read_gap(s, &pos, &a))
            continue;
        if (s.ptr[pos++] != ':' || pos == s.len)
            return false;
    }
    if (!close_gap(&a))
        return false;
    memcpy(out, a.bytes, 16);
    return true;
}

bool sr_address_parse(sg_str text, sr_cidr *out)
{
    memset(out, 0, sizeof(*out));
    /* The longest spelling has 45 bytes. */
    if (text.len < 2 || text.len > 45)
        return false;
    if (memchr(text.ptr, ':', text.len) == NULL) {
        out->family = 4;
        out->prefix = 32;
        return read_v4(text, out->bytes);
    }
    out->family = 6;
    out->prefix = 128;
    return read_v6(text, out->bytes);
}

/* Whether the first `bits` bits are equal. */
static bool same_prefix(const uint8_t *a, const uint8_t *b, unsigned bits)
{
    const unsigned whole = bits / 8;
    const unsigned rest = bits % 8;

    if (memcmp(a, b, whole) != 0)
        return false;
    return rest == 0 || ((a[whole] ^ b[whole]) >> (8 - rest)) == 0;
}

/* Whether a bit behind the prefix is set. */
static bool has_host_bits(const sr_cidr *net)
{
    const unsigned bytes = net->family == 4 ? 4 : 16;

    for (unsigned bit = net->prefix; bit < bytes * 8; bit++)
        if ((net->bytes[bit / 8] >> (7 - bit % 8)) & 1)
            return true;
    return false;
}

bool sr_cidr_parse(sg_str text, sr_cidr *out)
{
    const char *slash = text.len == 0 ? NULL : memchr(text.ptr, '/', text.len);
    size_t pos = slash == NULL ? text.len : (size_t)(slash - text.ptr);
    unsigned prefix;

    if (!sr_address_parse(sg_str_sub(text, 0, pos), out))
        return false;
    if (slash == NULL)
        return true;
    pos++;
    if (!read_decimal(text, &pos, out->prefix, &prefix) || pos != text.len)
        return false;
    out->prefix = (uint8_t)prefix;
    out->host_bits = has_host_bits(out);
    return !out->host_bits;
}

bool sr_cidr_covers(const sr_cidr *net, const sr_cidr *address)
{
    return net->family == address->family &&
           same_prefix(net->bytes, address->bytes, net->prefix);
}

bool sr_cidr_has(const sr_cidr *net, sg_str address)
{
    sr_cidr parsed;

    return sr_address_parse(address, &parsed) && sr_cidr_covers(net, &parsed);
}
