/*
 * find.h - the prefilter's scan, 64 places at a time. Each level_*.c includes
 * it once, after it has defined SR_TARGET and
 *
 *   pair(p, q)   mask of the places i where both bytes of probe q are, the
 *                first at p[i + q->at[0]]; reads up to p[SR_SPAN - 1]
 */
#include "record/level.h"
#include "record/needles.h"

/* Bytes that a step of 64 places looks at. */
enum { SR_SPAN = SR_BLOCK + SR_NEEDLE - 1 };

/* Whether anything is found in the 64 places from p on. */
SR_TARGET static inline __attribute__((always_inline)) bool
found_in(const sr_prefilter *f, const char *p, uint32_t count)
{
    uint64_t places = 0;

    for (uint32_t i = 0; i < count; i++)
        places |= pair(p, &f->probes[i]);
    for (; places != 0; places &= places - 1)
        if (sr_needle_at(f, p + __builtin_ctzll(places)))
            return true;
    return false;
}

/* The last bytes of a line are looked at in a copy with zeros behind. */
SR_TARGET static inline __attribute__((always_inline)) bool
found(const sr_prefilter *f, sg_str line, uint32_t count)
{
    const char *p = line.ptr;
    size_t left = line.len;
    char rest[SR_BLOCK + SR_SPAN + 1] = {0};

    for (; left >= SR_SPAN; p += SR_BLOCK, left -= SR_BLOCK)
        if (found_in(f, p, count))
            return true;
    memcpy(rest, p, left);
    return found_in(f, rest, count) ||
           (left > SR_BLOCK && found_in(f, rest + SR_BLOCK, count));
}

/* The usual numbers of probes are constants to the compiler. */
SR_TARGET static bool find(const sr_prefilter *f, sg_str line)
{
    if (f->count == 2)
        return found(f, line, 2);
    if (f->count == 3)
        return found(f, line, 3);
    return found(f, line, f->count);
}
