/*
 * fold.c - Unicode simple case folding: one code point to one code point,
 * never a change of length in characters (semantics section 2). The number of
 * bytes may change, by at most half.
 */
#include "base/sg_base.h"

#include <string.h>

#define EACH_BYTE(b) (UINT64_C(0x0101010101010101) * (b))
#define ILL_FORMED UINT32_C(0x80000000)

typedef struct fold_range {
    uint32_t first, last;
    uint32_t stride; /* 2: every other code point folds */
    int32_t delta;
} fold_range;

static const fold_range ranges[] = {
#include "base/fold_table.inc"
};

enum { RANGE_COUNT = sizeof ranges / sizeof ranges[0] };

uint32_t sg_fold_cp(uint32_t cp)
{
    size_t low = 0, high = RANGE_COUNT;

    if (cp < 0x80)
        return cp >= 'A' && cp <= 'Z' ? cp + 32 : cp;
    while (low < high) {
        const size_t mid = (low + high) / 2;
        const fold_range *r = &ranges[mid];

        if (cp > r->last)
            low = mid + 1;
        else if (cp < r->first)
            high = mid;
        else if ((cp - r->first) % r->stride != 0)
            return cp;
        else
            return (uint32_t)((int32_t)cp + r->delta);
    }
    return cp;
}

/* Lower-case eight ASCII bytes at once. */
static uint64_t lower8(uint64_t word)
{
    const uint64_t from_a = word + EACH_BYTE(0x80 - 'A');
    const uint64_t past_z = word + EACH_BYTE(0x7F - 'Z');
    const uint64_t upper = (from_a ^ past_z) & EACH_BYTE(0x80);

    return word | upper >> 2;
}

/* Fold the ASCII prefix of s by whole words; returns its length. */
static size_t fold_words(char *dst, sg_str s, size_t pos)
{
    const size_t beg = pos;

    while (s.len - pos >= 8) {
        uint64_t word;

        memcpy(&word, s.ptr + pos, 8);
        if ((word & EACH_BYTE(0x80)) != 0)
            break;
        word = lower8(word);
        memcpy(dst, &word, 8);
        dst += 8;
        pos += 8;
    }
    return pos - beg;
}

static size_t fold_one(char *dst, sg_str s, size_t *pos)
{
    const size_t beg = *pos;
    const uint32_t cp = sg_utf8_next(s, pos);
    const uint32_t folded = (cp & ILL_FORMED) != 0 ? cp : sg_fold_cp(cp);

    if (folded != cp)
        return sg_utf8_put(dst, folded);
    memcpy(dst, s.ptr + beg, *pos - beg);
    return *pos - beg;
}

size_t sg_fold(char *dst, sg_str s)
{
    size_t pos = 0, len = 0;

    while (pos < s.len) {
        const size_t n = fold_words(dst + len, s, pos);
        size_t stop;

        pos += n;
        len += n;
        stop = s.len - pos > 8 ? pos + 8 : s.len;
        while (pos < stop) {
            const unsigned char c = (unsigned char)s.ptr[pos];

            if (c >= 0x80) {
                len += fold_one(dst + len, s, &pos);
                continue;
            }
            dst[len++] = (char)sg_fold_cp(c);
            pos++;
        }
    }
    return len;
}

size_t sg_fold_bound(size_t len)
{
    return len + len / 2;
}
