/*
 * level_sse2.c - the fast scanner with what every x86-64 has.
 */
#include "record/level.h"
#include "record/needles.h"

#ifdef SR_X86

#include <emmintrin.h>

#define SR_TARGET

enum { QUARTERS = 4 };

typedef struct quarters {
    __m128i v[QUARTERS];
} quarters;

static inline quarters load(const char *p)
{
    quarters q;

    for (size_t i = 0; i < QUARTERS; i++)
        q.v[i] = _mm_loadu_si128((const __m128i *)(const void *)(p + 16 * i));
    return q;
}

static inline uint64_t mask_of(quarters q)
{
    uint64_t mask = 0;

    for (int i = QUARTERS; i-- > 0;)
        mask = mask << 16 | (uint32_t)_mm_movemask_epi8(q.v[i]);
    return mask;
}

static inline uint64_t equal(quarters q, char c)
{
    for (int i = 0; i < QUARTERS; i++)
        q.v[i] = _mm_cmpeq_epi8(q.v[i], _mm_set1_epi8(c));
    return mask_of(q);
}

static inline uint64_t brackets(const char *p)
{
    quarters q = load(p);

    for (int i = 0; i < QUARTERS; i++) {
        /* Square ones differ from curly ones in that bit only. */
        const __m128i curly = _mm_or_si128(q.v[i], _mm_set1_epi8(0x20));
        q.v[i] = _mm_or_si128(_mm_cmpeq_epi8(curly, _mm_set1_epi8('{')),
                              _mm_cmpeq_epi8(curly, _mm_set1_epi8('}')));
    }
    return mask_of(q);
}

#include "record/quarters.h"

/* Those from `low` to 9. */
static inline uint64_t digits(const char *p, char low)
{
    quarters q = load(p);

    for (int i = 0; i < QUARTERS; i++)
        q.v[i] = _mm_and_si128(
            _mm_cmpgt_epi8(q.v[i], _mm_set1_epi8((char)(low - 1))),
            _mm_cmplt_epi8(q.v[i], _mm_set1_epi8('9' + 1)));
    return mask_of(q);
}

/* As signed numbers, control and non-ASCII are those below space. */
static inline uint64_t odd(quarters q)
{
    for (int i = 0; i < QUARTERS; i++)
        q.v[i] = _mm_cmplt_epi8(q.v[i], _mm_set1_epi8(0x20));
    return mask_of(q);
}

static inline uint64_t non_ascii(const char *p)
{
    return mask_of(load(p));
}

static inline sr_masks classify(const char *p)
{
    const quarters q = load(p);

    return (sr_masks){.quote = equal(q, '"'),
                      .slash = equal(q, '\\'),
                      .colon = equal(q, ':'),
                      .comma = equal(q, ','),
                      .odd = odd(q)};
}

static inline bool has_rare(const char *p)
{
    const sr_masks m = classify(p);

    return (m.slash | m.odd) != 0;
}

static inline uint64_t prefix_xor(uint64_t mask)
{
    for (unsigned by = 1; by < SR_BLOCK; by *= 2)
        mask ^= mask << by;
    return mask;
}

/* No cheap way to tell. */
static inline uint64_t members(const char *p, const sr_bytes *set)
{
    (void)p;
    (void)set;
    return ~UINT64_C(0);
}

typedef quarters places;

static inline places like(const char *p, uint8_t byte, uint8_t fold)
{
    quarters q = load(p);

    for (int i = 0; i < QUARTERS; i++)
        q.v[i] = _mm_cmpeq_epi8(_mm_or_si128(q.v[i], _mm_set1_epi8((char)fold)),
                                _mm_set1_epi8((char)byte));
    return q;
}

static inline places both(places a, places b)
{
    for (int i = 0; i < QUARTERS; i++)
        a.v[i] = _mm_and_si128(a.v[i], b.v[i]);
    return a;
}

static inline places either(places a, places b)
{
    for (int i = 0; i < QUARTERS; i++)
        a.v[i] = _mm_or_si128(a.v[i], b.v[i]);
    return a;
}

static inline bool any(places a)
{
    return _mm_movemask_epi8(_mm_or_si128(_mm_or_si128(a.v[0], a.v[1]),
                                          _mm_or_si128(a.v[2], a.v[3]))) != 0;
}

static inline uint64_t places_mask(places a)
{
    return mask_of(a);
}

#include "record/find.h"
#include "record/walk.h"

static bool usable(void)
{
    return true;
}

const sr_level sr_level_sse2 = {"sse2",     usable, walk_line,
                                walk_lines, find,   NULL};

#else
typedef int sr_level_sse2_not_here;
#endif
