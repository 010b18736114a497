/*
 * str.c - string views: comparing, searching, hashing. Nothing allocates.
 * Case is ASCII only here; Unicode folding is in fold.c.
 */
#include "base/sg_base.h"

#include <string.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#define XXH_INLINE_ALL
#include <xxhash.h>

sg_str sg_str_of(const char *z)
{
    return (sg_str){z, strlen(z)};
}

sg_str sg_str_sub(sg_str s, size_t beg, size_t end)
{
    if (end > s.len)
        end = s.len;
    if (beg > end)
        beg = end;
    return (sg_str){s.len == 0 ? "" : s.ptr + beg, end - beg};
}

bool sg_str_eq(sg_str a, sg_str b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

static unsigned char lower(char c)
{
    const unsigned char u = (unsigned char)c;

    return u >= 'A' && u <= 'Z' ? (unsigned char)(u | 0x20) : u;
}

bool sg_str_eq_nocase(sg_str a, sg_str b)
{
    if (a.len != b.len)
        return false;
    for (size_t i = 0; i < a.len; i++)
        if (lower(a.ptr[i]) != lower(b.ptr[i]))
            return false;
    return true;
}

int sg_str_cmp(sg_str a, sg_str b)
{
    const size_t n = a.len < b.len ? a.len : b.len;
    const int order = n == 0 ? 0 : memcmp(a.ptr, b.ptr, n);

    if (order != 0)
        return order;
    return (a.len > b.len) - (a.len < b.len);
}

bool sg_str_starts(sg_str s, sg_str prefix)
{
    return s.len >= prefix.len &&
           sg_str_eq(sg_str_sub(s, 0, prefix.len), prefix);
}

bool sg_str_ends(sg_str s, sg_str suffix)
{
    return s.len >= suffix.len &&
           sg_str_eq(sg_str_sub(s, s.len - suffix.len, s.len), suffix);
}

/* -------- searching ------------------------------------------------------ */

/* From `at` on, in time linear in both, whatever they are. */
static size_t find_from(sg_str s, sg_str needle, size_t at)
{
    const char *found = memmem(s.ptr + at, s.len - at, needle.ptr, needle.len);

    return found == NULL ? SIZE_MAX : (size_t)(found - s.ptr);
}

#ifdef __SSE2__

enum {
    AT_ONCE = 16,
    VAIN_MOST = 32, /* places compared for nothing, and for each stretch ... */
    VAIN_STRETCH = 64 /* ... of so many bytes one more */
};

/* Bit i: at p + i the needle may stand, by its first and its last byte. */
static unsigned may_stand(const char *p, sg_str needle)
{
    const __m128i first = _mm_set1_epi8(needle.ptr[0]);
    const __m128i last = _mm_set1_epi8(needle.ptr[needle.len - 1]);
    const __m128i a = _mm_loadu_si128((const __m128i *)(const void *)p);
    const __m128i b =
        _mm_loadu_si128((const __m128i *)(const void *)(p + (needle.len - 1)));

    return (unsigned)_mm_movemask_epi8(
        _mm_and_si128(_mm_cmpeq_epi8(a, first), _mm_cmpeq_epi8(b, last)));
}

/* Much faster than memmem on ordinary text. Where the text is full of those two
 * bytes, memmem goes on. */
static size_t find_quick(sg_str s, sg_str needle, size_t places)
{
    size_t vain = 0;

    for (size_t at = 0; at < places; at += AT_ONCE) {
        /* The last ones are looked at together with some that were before. */
        const size_t block = places - at < AT_ONCE ? places - AT_ONCE : at;
        unsigned mask = may_stand(s.ptr + block, needle);

        for (; mask != 0; mask &= mask - 1, vain++) {
            const size_t here = block + (size_t)__builtin_ctz(mask);
            if (memcmp(s.ptr + here, needle.ptr, needle.len) == 0)
                return here;
        }
        if (vain > VAIN_MOST + at / VAIN_STRETCH)
            return find_from(s, needle, block);
    }
    return SIZE_MAX;
}

#endif

size_t sg_str_find(sg_str s, sg_str needle)
{
    if (needle.len == 0)
        return 0;
    if (needle.len > s.len)
        return SIZE_MAX;
#ifdef __SSE2__
    const size_t places = s.len - needle.len + 1;

    if (places >= AT_ONCE)
        return find_quick(s, needle, places);
#endif
    return find_from(s, needle, 0);
}

/* -------- distance ------------------------------------------------------- */

/* Longer words are never near enough to suggest. */
enum { MAX_WORD = 127 };

static size_t min3(size_t a, size_t b, size_t c)
{
    const size_t m = a < b ? a : b;

    return m < c ? m : c;
}

size_t sg_str_distance(sg_str a, sg_str b, size_t cap)
{
    size_t row[MAX_WORD + 1];

    if (a.len > MAX_WORD || b.len > MAX_WORD)
        return sg_str_eq(a, b) ? 0 : cap;
    for (size_t j = 0; j <= b.len; j++)
        row[j] = j;
    for (size_t i = 0; i < a.len; i++) {
        size_t diagonal = row[0];

        row[0] = i + 1;
        for (size_t j = 0; j < b.len; j++) {
            const size_t above = row[j + 1];
            const size_t change = a.ptr[i] != b.ptr[j];

            row[j + 1] = min3(above + 1, row[j] + 1, diagonal + change);
            diagonal = above;
        }
    }
    return row[b.len] < cap ? row[b.len] : cap;
}

/* -------- hashing -------------------------------------------------------- */

uint64_t sg_str_hash(sg_str s)
{
    return XXH3_64bits(s.len == 0 ? "" : s.ptr, s.len);
}

uint64_t sg_str_hash_seeded(sg_str s, uint64_t seed)
{
    return XXH3_64bits_withSeed(s.len == 0 ? "" : s.ptr, s.len, seed);
}
