/*
 * pack.c - the detector of tiny_detector.h as a pack, built as `sigcc build
 * --emit so` builds one. With PACK_ABI it claims to be of another ABI, with
 * PACK_BROKEN one of its tables is, with PACK_PLAIN it lacks what a program
 * looks for.
 */
#include "support/tiny_detector.h"

SIGMA_NOTE(manifest, "{\"schema\":\"sigcc.manifest/1\"}");

static sigma_detector detector;

static const sigma_detector *get(void)
{
    if (detector.abi == 0) {
        detector = tiny_detector;
        detector.manifest = manifest.text;
#ifdef PACK_ABI
        detector.abi = PACK_ABI;
#endif
#ifdef PACK_BROKEN
        detector.pool_size = 3;
#endif
    }
    return &detector;
}

#ifdef PACK_PLAIN
const sigma_detector *sigma_detector_tiny(void);

const sigma_detector *sigma_detector_tiny(void)
{
    return get();
}
#else
SIGMA_MAIN(get)
#endif
