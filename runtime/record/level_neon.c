/*
 * level_neon.c - the fast scanner with Advanced SIMD, which every 64-bit Arm
 * has.
 */
#include "record/level.h"
#include "record/needles.h"

#ifdef SR_NEON

#include <arm_neon.h>

#define SR_TARGET

enum { QUARTERS = 4 };

typedef struct quarters {
    uint8x16_t v[QUARTERS];
} quarters;

static inline quarters load(const char *p)
{
    quarters q;

    for (int i = 0; i < QUARTERS; i++)
        q.v[i] = vld1q_u8((const uint8_t *)p + 16 * i);
    return q;
}

/* Of bytes that are all ones or all zeros: pairs are added three times, which
 * brings the bits of eight bytes together in one. */
static inline uint64_t mask_of(quarters q)
{
    static const uint8_t places[16] = {1, 2, 4, 8, 16, 32, 64, 128,
                                       1, 2, 4, 8, 16, 32, 64, 128};
    const uint8x16_t bits = vld1q_u8(places);
    const uint8x16_t low =
        vpaddq_u8(vandq_u8(q.v[0], bits), vandq_u8(q.v[1], bits));
    const uint8x16_t high =
        vpaddq_u8(vandq_u8(q.v[2], bits), vandq_u8(q.v[3], bits));
    const uint8x16_t both = vpaddq_u8(low, high);

    return vgetq_lane_u64(vreinterpretq_u64_u8(vpaddq_u8(both, both)), 0);
}

static inline uint64_t equal(quarters q, char c)
{
    for (int i = 0; i < QUARTERS; i++)
        q.v[i] = vceqq_u8(q.v[i], vdupq_n_u8((uint8_t)c));
    return mask_of(q);
}

static inline uint64_t brackets(const char *p)
{
    quarters q = load(p);

    /* Square ones differ from curly ones in that bit only. */
    for (int i = 0; i < QUARTERS; i++)
        q.v[i] = vorrq_u8(q.v[i], vdupq_n_u8(0x20));
    return equal(q, '{') | equal(q, '}');
}

#include "record/quarters.h"

/* Those from `low` to 9. */
static inline uint64_t digits(const char *p, char low)
{
    quarters q = load(p);

    for (int i = 0; i < QUARTERS; i++)
        q.v[i] = vandq_u8(vcgeq_u8(q.v[i], vdupq_n_u8((uint8_t)low)),
                          vcleq_u8(q.v[i], vdupq_n_u8('9')));
    return mask_of(q);
}

/* As signed numbers, control and non-ASCII are those below space. */
static inline uint64_t odd(quarters q)
{
    for (int i = 0; i < QUARTERS; i++)
        q.v[i] = vcltq_s8(vreinterpretq_s8_u8(q.v[i]), vdupq_n_s8(0x20));
    return mask_of(q);
}

static inline uint64_t non_ascii(const char *p)
{
    quarters q = load(p);

    for (int i = 0; i < QUARTERS; i++)
        q.v[i] = vcltzq_s8(vreinterpretq_s8_u8(q.v[i]));
    return mask_of(q);
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

typedef quarters places;

static inline places like(const char *p, uint8_t byte, uint8_t fold)
{
    quarters q = load(p);

    for (int i = 0; i < QUARTERS; i++)
        q.v[i] = vceqq_u8(vorrq_u8(q.v[i], vdupq_n_u8(fold)), vdupq_n_u8(byte));
    return q;
}

static inline places both(places a, places b)
{
    for (int i = 0; i < QUARTERS; i++)
        a.v[i] = vandq_u8(a.v[i], b.v[i]);
    return a;
}

static inline places either(places a, places b)
{
    for (int i = 0; i < QUARTERS; i++)
        a.v[i] = vorrq_u8(a.v[i], b.v[i]);
    return a;
}

static inline bool any(places a)
{
    return vmaxvq_u8(vorrq_u8(vorrq_u8(a.v[0], a.v[1]),
                              vorrq_u8(a.v[2], a.v[3]))) != 0;
}

static inline uint64_t places_mask(places a)
{
    return mask_of(a);
}

typedef uint8x16_t table;
typedef quarters lanes;

static inline table table_of(const uint8_t bytes[16])
{
    return vld1q_u8(bytes);
}

static inline lanes look_up(table low, table high, const char *p)
{
    quarters q = load(p);

    for (int i = 0; i < QUARTERS; i++)
        q.v[i] = vandq_u8(vqtbl1q_u8(low, vandq_u8(q.v[i], vdupq_n_u8(15))),
                          vqtbl1q_u8(high, vshrq_n_u8(q.v[i], 4)));
    return q;
}

static inline lanes common(lanes a, lanes b)
{
    return both(a, b);
}

static inline bool any_lane(lanes a)
{
    return any(a);
}

static inline uint64_t lanes_mask(lanes a)
{
    for (int i = 0; i < QUARTERS; i++)
        a.v[i] = vtstq_u8(a.v[i], a.v[i]);
    return mask_of(a);
}

static inline void store(uint8_t *to, lanes a)
{
    for (int i = 0; i < QUARTERS; i++)
        vst1q_u8(to + 16 * i, a.v[i]);
}

#include "record/find.h"
#include "record/sift.h"
#include "record/walk.h"

static bool usable(void)
{
    return true;
}

const sr_level sr_level_neon = {"neon",     usable, walk_line,
                                walk_lines, find,   sift};

#else
typedef int sr_level_neon_not_here;
#endif
