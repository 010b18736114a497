/*
 * pack.c - the detector of tiny_detector.h as a pack, built as `sigcc build
 * --emit so` builds one. With TINY_ABI it claims to be of another ABI, with
 * TINY_POOL_SIZE its texts lie beyond their pool, with PACK_PLAIN it lacks what
 * a program looks for.
 */
#include "sigma_abi.h"

SIGMA_NOTE(manifest, "{\"schema\":\"sigcc.manifest/1\"}");

#define TINY_MANIFEST manifest.text
#include "support/tiny_detector.h"

const sigma_detector *sigma_detector_tiny(void);

const sigma_detector *sigma_detector_tiny(void)
{
    return &tiny_detector;
}

#ifndef PACK_PLAIN
SIGMA_MAIN(sigma_detector_tiny)
#endif
