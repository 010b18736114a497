/*
 * level_avx512.c - the fast scanner with AVX-512 (F, BW), whose comparisons
 * give masks of 64 bytes at once.
 */
#include "record/level.h"
#include "record/needles.h"

#ifdef SR_X86

#include "record/cpu.h"

#include <immintrin.h>

#define SR_TARGET __attribute__((target("avx512f,avx512bw,pclmul,bmi,bmi2")))

SR_TARGET static inline __m512i load(const char *p)
{
    return _mm512_loadu_si512((const void *)p);
}

SR_TARGET static inline uint64_t equal(__m512i v, char c)
{
    return _mm512_cmpeq_epi8_mask(v, _mm512_set1_epi8(c));
}

SR_TARGET static inline uint64_t non_ascii(const char *p)
{
    return _mm512_movepi8_mask(load(p));
}

SR_TARGET static inline uint64_t brackets(const char *p)
{
    /* Square ones differ from curly ones in that bit only. */
    const __m512i curly = _mm512_or_si512(load(p), _mm512_set1_epi8(0x20));

    return equal(curly, '{') | equal(curly, '}');
}

SR_TARGET static inline uint64_t spaces(const char *p)
{
    /* At the place of a byte's low half: the space that ends in it. */
    const __m512i by_low = _mm512_broadcast_i32x4(_mm_setr_epi8(
        ' ', 0, 0, 0, 0, 0, 0, 0, 0, '\t', '\n', 0, 0, '\r', 0, 0));
    const __m512i v = load(p);

    return _mm512_cmpeq_epi8_mask(_mm512_shuffle_epi8(by_low, v), v);
}

/* What a backslash may have behind it, but for u, quote and backslash. */
SR_TARGET static inline uint64_t letters(const char *p)
{
    /* At the place of a byte's low half: the letter that ends in it, but for r,
     * whose place b has, too. */
    const __m512i by_low = _mm512_broadcast_i32x4(_mm_setr_epi8(
        'b', 0, 'b', 0, 't', 0, 'f', 0, 0, 0, 0, 0, 0, 0, 'n', '/'));
    const __m512i v = load(p);

    return _mm512_cmpeq_epi8_mask(_mm512_shuffle_epi8(by_low, v), v) |
           equal(v, 'r');
}

/* Those from `low` to 9. */
SR_TARGET static inline uint64_t digits(const char *p, char low)
{
    const __m512i v = load(p);

    return _mm512_cmpge_epi8_mask(v, _mm512_set1_epi8(low)) &
           _mm512_cmple_epi8_mask(v, _mm512_set1_epi8('9'));
}

SR_TARGET static inline sr_masks classify(const char *p)
{
    const __m512i v = load(p);

    /* As signed numbers, control and non-ASCII are those below space. */
    return (sr_masks){.quote = equal(v, '"'),
                      .slash = equal(v, '\\'),
                      .colon = equal(v, ':'),
                      .comma = equal(v, ','),
                      .odd = _mm512_cmplt_epi8_mask(v, _mm512_set1_epi8(0x20))};
}

SR_TARGET static inline bool has_rare(const char *p)
{
    const sr_masks m = classify(p);

    return (m.slash | m.odd) != 0;
}

SR_TARGET static inline uint64_t prefix_xor(uint64_t mask)
{
    const __m128i ones = _mm_set1_epi8((char)0xFF);

    return (uint64_t)_mm_cvtsi128_si64(
        _mm_clmulepi64_si128(_mm_set_epi64x(0, (long long)mask), ones, 0));
}

typedef uint64_t places;

SR_TARGET static inline places like(const char *p, uint8_t byte, uint8_t fold)
{
    return equal(_mm512_or_si512(load(p), _mm512_set1_epi8((char)fold)),
                 (char)byte);
}

static inline places both(places a, places b)
{
    return a & b;
}

static inline places either(places a, places b)
{
    return a | b;
}

static inline bool any(places a)
{
    return a != 0;
}

static inline uint64_t places_mask(places a)
{
    return a;
}

typedef __m512i table; /* four times in a row */
typedef __m512i lanes;

SR_TARGET static inline table table_of(const uint8_t bytes[16])
{
    return _mm512_broadcast_i32x4(
        _mm_loadu_si128((const __m128i *)(const void *)bytes));
}

SR_TARGET static inline lanes look_up(table low, table high, const char *p)
{
    const __m512i nibble = _mm512_set1_epi8(15);
    const __m512i v = load(p);

    return _mm512_and_si512(
        _mm512_shuffle_epi8(low, _mm512_and_si512(v, nibble)),
        _mm512_shuffle_epi8(high,
                            _mm512_and_si512(_mm512_srli_epi16(v, 4), nibble)));
}

SR_TARGET static inline lanes common(lanes a, lanes b)
{
    return _mm512_and_si512(a, b);
}

SR_TARGET static inline bool any_lane(lanes a)
{
    return _mm512_test_epi8_mask(a, a) != 0;
}

SR_TARGET static inline uint64_t lanes_mask(lanes a)
{
    return _mm512_test_epi8_mask(a, a);
}

SR_TARGET static inline void store(uint8_t *to, lanes a)
{
    _mm512_storeu_si512((void *)to, a);
}

#include "record/find.h"
#include "record/sift.h"
#include "record/walk.h"

static bool usable(void)
{
    return SR_CPU_HAS(AVX512F, "avx512f") && SR_CPU_HAS(AVX512BW, "avx512bw") &&
           SR_CPU_HAS(PCLMULQDQ, "pclmul") && SR_CPU_HAS(BMI1, "bmi") &&
           SR_CPU_HAS(BMI2, "bmi2");
}

const sr_level sr_level_avx512 = {"avx512",   usable, walk_line,
                                  walk_lines, find,   sift};

#else
typedef int sr_level_avx512_not_here;
#endif
