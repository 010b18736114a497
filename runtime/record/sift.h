/*
 * sift.h - what levels with look-ups in tables have in common: the members of a
 * set, and a sieve's look-ups, 64 places at a time. Each of them includes it
 * once, after it has defined SR_TARGET and
 *
 *   table              16 bytes, as its look-ups take them
 *   table_of(bytes)    such a one
 *   lanes              64 bytes
 *   look_up(l, h, p)   for each byte from p on what table l has at its low half
 *                      and h at its high half, and-ed
 *   common(a, b)       and-ed
 *   any_lane(a)        whether any byte is not 0
 *   lanes_mask(a)      those that are not
 *   store(to, a)
 */
#include "record/level.h"
#include "record/sieve.h"

/* As walk.h wants it: by its high half a byte is looked up as its bit in the
 * set. */
SR_TARGET static inline uint64_t members(const char *p, const sr_bytes *set)
{
    static const uint8_t bits[16] = {1, 2, 4, 8, 16, 32, 64, 128,
                                     1, 2, 4, 8, 16, 32, 64, 128};

    return lanes_mask(look_up(table_of(set->low), table_of(bits), p));
}

SR_TARGET static size_t sift(const sr_sift *s, const char *p, size_t blocks,
                             sr_sifted *out)
{
    table low[SR_SIFTED], high[SR_SIFTED];

    for (int i = 0; i < SR_SIFTED; i++) {
        low[i] = table_of(s->low[i]);
        high[i] = table_of(s->high[i]);
    }
    for (size_t done = 0; done < blocks; done++, p += SR_BLOCK) {
        const lanes at = common(common(look_up(low[0], high[0], p),
                                       look_up(low[1], high[1], p + 1)),
                                common(look_up(low[2], high[2], p + 2),
                                       look_up(low[3], high[3], p + 3)));

        if (!any_lane(at))
            continue;
        out->places = lanes_mask(at);
        store(out->buckets, at);
        return done;
    }
    return blocks;
}
