/*
 * decode.c - the texts of a detector that keeps them out of its file in clear.
 * They are decoded into memory once, before anything reads them, the manifest
 * only for who asks for it; what the file says stays as it is.
 */
#include "eval/eval.h"

/* One text; a missing one is left for the check to find. */
static const char *decode(sg_arena *arena, const sigma_detector *d,
                          const char *text, uint32_t size, uint64_t at)
{
    char *clear;

    if (text == NULL)
        return NULL;
    clear = sg_arena_alloc(arena, (size_t)size + 1, 1);
    sg_encode(clear, (sg_str){text, size}, d->key, at);
    clear[size] = '\0';
    return clear;
}

const sigma_detector *sr_detector_decode(const sigma_detector *d,
                                         sg_arena *arena)
{
    sigma_detector *clear;

    if (d == NULL || d->abi != SIGMA_ABI || d->size != sizeof(*d) ||
        d->key == 0)
        return d;
    clear = sg_new(arena, sigma_detector);
    *clear = *d;
    clear->pool = decode(arena, d, d->pool, d->pool_size, 0);
    clear->name = decode(arena, d, d->name, d->name_size, SIGMA_AT_NAME);
    clear->manifest = NULL;
    clear->key = 0;
    return clear;
}

const char *sr_detector_manifest(const sigma_detector *d, sg_arena *arena)
{
    if (d->key == 0)
        return d->manifest;
    return decode(arena, d, d->manifest, d->manifest_size, SIGMA_AT_MANIFEST);
}
