/*
 * utf8.c - well-formedness, decoding, encoding. The decoder also takes WTF-8
 * surrogates, which JSON escapes can produce; the validity check does not.
 */
#include "base/sg_base.h"

#include <string.h>

#define HIGH_BITS UINT64_C(0x8080808080808080)
#define ILL_FORMED UINT32_C(0x80000000)

static uint64_t load8(const char *p)
{
    uint64_t word;

    memcpy(&word, p, sizeof word);
    return word;
}

/* Length of the well-formed sequence (surrogates included) at p, or 0. */
static size_t sequence(const unsigned char *p, size_t len, uint32_t *cp)
{
    static const uint32_t least[5] = {0, 0, 0x80, 0x800, 0x10000};
    const unsigned char lead = p[0];
    size_t n;

    if (lead < 0x80) {
        *cp = lead;
        return 1;
    }
    if (lead < 0xC2 || lead > 0xF4)
        return 0;
    n = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    if (n > len)
        return 0;
    *cp = lead & (0x7Fu >> n);
    for (size_t i = 1; i < n; i++) {
        if ((p[i] & 0xC0) != 0x80)
            return 0;
        *cp = *cp << 6 | (p[i] & 0x3Fu);
    }
    return *cp >= least[n] && *cp <= 0x10FFFF ? n : 0;
}

bool sg_utf8_valid(sg_str s)
{
    size_t i = 0;

    while (i < s.len) {
        uint32_t cp;
        size_t n;

        if (s.len - i >= 16 &&
            ((load8(s.ptr + i) | load8(s.ptr + i + 8)) & HIGH_BITS) == 0) {
            i += 16;
            continue;
        }
        n = sequence((const unsigned char *)s.ptr + i, s.len - i, &cp);
        if (n == 0 || (cp >= 0xD800 && cp <= 0xDFFF))
            return false;
        i += n;
    }
    return true;
}

uint32_t sg_utf8_next(sg_str s, size_t *pos)
{
    const unsigned char *p = (const unsigned char *)s.ptr + *pos;
    uint32_t cp;
    const size_t n = sequence(p, s.len - *pos, &cp);

    if (n == 0) {
        ++*pos;
        return *p | ILL_FORMED;
    }
    *pos += n;
    return cp;
}

size_t sg_utf8_put(char out[4], uint32_t cp)
{
    static const unsigned char leads[5] = {0, 0, 0xC0, 0xE0, 0xF0};
    const size_t n = cp < 0x80 ? 1 : cp < 0x800 ? 2 : cp < 0x10000 ? 3 : 4;

    if (n == 1) {
        out[0] = (char)cp;
        return 1;
    }
    for (size_t i = n; i-- > 1; cp >>= 6)
        out[i] = (char)(0x80 | (cp & 0x3F));
    out[0] = (char)(leads[n] | cp);
    return n;
}
