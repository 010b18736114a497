/*
 * find.h - the prefilter's scan, 64 places at a time. Each level_*.c includes
 * it once, after it has defined SR_TARGET and
 *
 *   places             a set of 64 places, in whatever form suits
 *   like(p, b, fold)   those i where p[i], or-ed with fold, is b
 *   both, either       of two sets
 *   any(a)             whether there are any
 *   places_mask(a)     the same as a mask
 */
#include "record/level.h"
#include "record/needles.h"

#define INLINE_FIND static inline __attribute__((always_inline))

enum {
    SR_SPAN = SR_BLOCK + SR_NEEDLE - 1 /* bytes that 64 places reach over */
};

/* Where the bytes of an escape \uXXXX or of a probe may begin. */
SR_TARGET INLINE_FIND places maybe(const char *p, const sr_probe *probes,
                                   uint32_t count, bool folds)
{
    places out = both(like(p, '\\', 0), like(p + 1, 'u', 0));

    for (uint32_t i = 0; i < count; i++) {
        const sr_probe *q = &probes[i];
        out = either(
            out, both(like(p + q->at[0], q->byte[0], folds ? q->fold[0] : 0),
                      like(p + q->at[1], q->byte[1], folds ? q->fold[1] : 0)));
    }
    return out;
}

/* The first of the places that is more than a maybe, or NULL. */
static const char *certain(const sr_needles *n, const char *p, uint64_t mask)
{
    for (; mask != 0; mask &= mask - 1)
        if (sr_needle_at(n, p + __builtin_ctzll(mask)))
            return p + __builtin_ctzll(mask);
    return NULL;
}

/* The same for every needle, and certain: the places in the block. */
SR_TARGET static __attribute__((noinline)) const char *
find_in_block(const sr_needles *n, const char *p)
{
    const places at = maybe(p, n->probes, n->count, true);

    return any(at) ? certain(n, p, places_mask(at)) : NULL;
}

/* The last bytes are looked at in a copy with zeros behind. */
SR_TARGET static const char *find_rest(const sr_needles *n, sg_str text)
{
    char rest[SR_BLOCK + SR_SPAN + 1] = {0};

    memcpy(rest, text.ptr, text.len);
    for (const char *p = rest; p < rest + text.len; p += SR_BLOCK) {
        const char *hit = find_in_block(n, p);
        if (hit != NULL)
            return text.ptr + (hit - rest);
    }
    return NULL;
}

/* Needles that begin outside of ASCII are looked for where the block has such a
 * byte: or-ed with all other bits it is all ones. */
SR_TARGET INLINE_FIND const char *find_with(const sr_needles *n, sg_str text,
                                            uint32_t plain, bool folds)
{
    sr_probe probes[SR_PROBES_MOST]; /* what the calls below cannot change */
    const bool wide = n->count != n->plain;
    const char *p = text.ptr;
    size_t left = text.len;

    memcpy(probes, n->probes, plain * sizeof *probes);
    for (; left >= SR_SPAN; p += SR_BLOCK, left -= SR_BLOCK) {
        places at = maybe(p, probes, plain, folds);
        if (wide)
            at = either(at, like(p, 0xFF, 0x7F));
        if (!any(at))
            continue;
        const char *hit = find_in_block(n, p);
        if (hit != NULL)
            return hit;
    }
    return left == 0 ? NULL : find_rest(n, (sg_str){p, left});
}

/* The usual numbers of probes are constants to the compiler. */
SR_TARGET INLINE_FIND const char *find_counted(const sr_needles *n, sg_str text,
                                               bool folds)
{
    switch (n->plain) {
    case 1:
        return find_with(n, text, 1, folds);
    case 2:
        return find_with(n, text, 2, folds);
    case 3:
        return find_with(n, text, 3, folds);
    case 4: /* three needles and \/ */
        return find_with(n, text, 4, folds);
    default:
        return find_with(n, text, n->plain, folds);
    }
}

/* Needles that hide no case take fewer steps. */
SR_TARGET static const char *find(const sr_needles *n, sg_str text)
{
    return n->folds ? find_counted(n, text, true)
                    : find_counted(n, text, false);
}
