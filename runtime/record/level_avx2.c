/*
 * level_avx2.c - the fast scanner with AVX2 and carry-less multiplication.
 */
#include "record/level.h"
#include "record/needles.h"

#ifdef SR_X86

#include "record/cpu.h"

#include <immintrin.h>

#define SR_TARGET __attribute__((target("avx2,pclmul,bmi,bmi2")))

typedef struct halves {
    __m256i low, high;
} halves;

SR_TARGET static inline halves load(const char *p)
{
    return (halves){
        _mm256_loadu_si256((const __m256i *)(const void *)p),
        _mm256_loadu_si256((const __m256i *)(const void *)(p + 32))};
}

SR_TARGET static inline uint64_t mask_of(__m256i low, __m256i high)
{
    const uint32_t l = (uint32_t)_mm256_movemask_epi8(low);
    const uint32_t h = (uint32_t)_mm256_movemask_epi8(high);

    return l | (uint64_t)h << 32;
}

SR_TARGET static inline uint64_t equal(halves v, char c)
{
    const __m256i all = _mm256_set1_epi8(c);

    return mask_of(_mm256_cmpeq_epi8(v.low, all),
                   _mm256_cmpeq_epi8(v.high, all));
}

SR_TARGET static inline __m256i bracket(__m256i v)
{
    /* Square ones differ from curly ones in that bit only. */
    const __m256i curly = _mm256_or_si256(v, _mm256_set1_epi8(0x20));

    return _mm256_or_si256(_mm256_cmpeq_epi8(curly, _mm256_set1_epi8('{')),
                           _mm256_cmpeq_epi8(curly, _mm256_set1_epi8('}')));
}

SR_TARGET static inline __m256i space(__m256i v)
{
    /* At the place of a byte's low half: the space that ends in it. */
    const __m256i by_low = _mm256_setr_epi8(
        ' ', 0, 0, 0, 0, 0, 0, 0, 0, '\t', '\n', 0, 0, '\r', 0, 0, ' ', 0, 0, 0,
        0, 0, 0, 0, 0, '\t', '\n', 0, 0, '\r', 0, 0);

    return _mm256_cmpeq_epi8(_mm256_shuffle_epi8(by_low, v), v);
}

/* What a backslash may have behind it, but for u, quote and backslash. */
SR_TARGET static inline __m256i letter(__m256i v)
{
    /* At the place of a byte's low half: the letter that ends in it, but for r,
     * whose place b has, too. */
    const __m256i by_low = _mm256_setr_epi8(
        'b', 0, 'b', 0, 't', 0, 'f', 0, 0, 0, 0, 0, 0, 0, 'n', '/', 'b', 0, 'b',
        0, 't', 0, 'f', 0, 0, 0, 0, 0, 0, 0, 'n', '/');

    return _mm256_or_si256(_mm256_cmpeq_epi8(_mm256_shuffle_epi8(by_low, v), v),
                           _mm256_cmpeq_epi8(v, _mm256_set1_epi8('r')));
}

/* As signed numbers, control and non-ASCII are those below space. */
SR_TARGET static inline __m256i odd(__m256i v)
{
    return _mm256_cmpgt_epi8(_mm256_set1_epi8(0x20), v);
}

SR_TARGET static inline uint64_t non_ascii(const char *p)
{
    const halves v = load(p);

    return mask_of(v.low, v.high);
}

SR_TARGET static inline uint64_t brackets(const char *p)
{
    const halves v = load(p);

    return mask_of(bracket(v.low), bracket(v.high));
}

SR_TARGET static inline uint64_t spaces(const char *p)
{
    const halves v = load(p);

    return mask_of(space(v.low), space(v.high));
}

SR_TARGET static inline uint64_t letters(const char *p)
{
    const halves v = load(p);

    return mask_of(letter(v.low), letter(v.high));
}

/* Those from `low` to 9. */
SR_TARGET static inline uint64_t digits(const char *p, char low)
{
    const __m256i before = _mm256_set1_epi8((char)(low - 1));
    const __m256i behind = _mm256_set1_epi8('9' + 1);
    const halves v = load(p);

    return mask_of(_mm256_and_si256(_mm256_cmpgt_epi8(v.low, before),
                                    _mm256_cmpgt_epi8(behind, v.low)),
                   _mm256_and_si256(_mm256_cmpgt_epi8(v.high, before),
                                    _mm256_cmpgt_epi8(behind, v.high)));
}

SR_TARGET static inline sr_masks classify(const char *p)
{
    const halves v = load(p);

    return (sr_masks){.quote = equal(v, '"'),
                      .slash = equal(v, '\\'),
                      .colon = equal(v, ':'),
                      .comma = equal(v, ','),
                      .odd = mask_of(odd(v.low), odd(v.high))};
}

SR_TARGET static inline bool has_rare(const char *p)
{
    const halves v = load(p);
    const __m256i slash = _mm256_set1_epi8('\\');
    const __m256i any =
        _mm256_or_si256(odd(_mm256_min_epi8(v.low, v.high)),
                        _mm256_or_si256(_mm256_cmpeq_epi8(v.low, slash),
                                        _mm256_cmpeq_epi8(v.high, slash)));

    return _mm256_testz_si256(any, any) == 0;
}

SR_TARGET static inline uint64_t prefix_xor(uint64_t mask)
{
    const __m128i ones = _mm_set1_epi8((char)0xFF);

    return (uint64_t)_mm_cvtsi128_si64(
        _mm_clmulepi64_si128(_mm_set_epi64x(0, (long long)mask), ones, 0));
}

typedef halves places;

SR_TARGET static inline places like(const char *p, uint8_t byte, uint8_t fold)
{
    const __m256i bytes = _mm256_set1_epi8((char)byte);
    const __m256i folds = _mm256_set1_epi8((char)fold);
    const halves v = load(p);

    return (halves){_mm256_cmpeq_epi8(_mm256_or_si256(v.low, folds), bytes),
                    _mm256_cmpeq_epi8(_mm256_or_si256(v.high, folds), bytes)};
}

SR_TARGET static inline places both(places a, places b)
{
    return (halves){_mm256_and_si256(a.low, b.low),
                    _mm256_and_si256(a.high, b.high)};
}

SR_TARGET static inline places either(places a, places b)
{
    return (halves){_mm256_or_si256(a.low, b.low),
                    _mm256_or_si256(a.high, b.high)};
}

SR_TARGET static inline bool any(places a)
{
    const __m256i all = _mm256_or_si256(a.low, a.high);

    return _mm256_testz_si256(all, all) == 0;
}

SR_TARGET static inline uint64_t places_mask(places a)
{
    return mask_of(a.low, a.high);
}

typedef __m256i table; /* twice in a row */
typedef halves lanes;

SR_TARGET static inline table table_of(const uint8_t bytes[16])
{
    return _mm256_broadcastsi128_si256(
        _mm_loadu_si128((const __m128i *)(const void *)bytes));
}

SR_TARGET static inline __m256i look_up_half(table low, table high, __m256i v)
{
    const __m256i nibble = _mm256_set1_epi8(15);

    return _mm256_and_si256(
        _mm256_shuffle_epi8(low, _mm256_and_si256(v, nibble)),
        _mm256_shuffle_epi8(high,
                            _mm256_and_si256(_mm256_srli_epi16(v, 4), nibble)));
}

SR_TARGET static inline lanes look_up(table low, table high, const char *p)
{
    const halves v = load(p);

    return (halves){look_up_half(low, high, v.low),
                    look_up_half(low, high, v.high)};
}

SR_TARGET static inline lanes common(lanes a, lanes b)
{
    return both(a, b);
}

SR_TARGET static inline bool any_lane(lanes a)
{
    return any(a);
}

SR_TARGET static inline uint64_t lanes_mask(lanes a)
{
    const __m256i none = _mm256_setzero_si256();

    return ~mask_of(_mm256_cmpeq_epi8(a.low, none),
                    _mm256_cmpeq_epi8(a.high, none));
}

SR_TARGET static inline void store(uint8_t *to, lanes a)
{
    _mm256_storeu_si256((__m256i *)(void *)to, a.low);
    _mm256_storeu_si256((__m256i *)(void *)(to + 32), a.high);
}

#include "record/find.h"
#include "record/sift.h"
#include "record/walk.h"

static bool usable(void)
{
    return SR_CPU_HAS(AVX2, "avx2") && SR_CPU_HAS(PCLMULQDQ, "pclmul") &&
           SR_CPU_HAS(BMI1, "bmi") && SR_CPU_HAS(BMI2, "bmi2");
}

const sr_level sr_level_avx2 = {"avx2",     usable, walk_line,
                                walk_lines, find,   sift};

#else
typedef int sr_level_avx2_not_here;
#endif
