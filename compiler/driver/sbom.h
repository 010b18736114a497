/*
 * sbom.h - what detectors are made of: a software bill of materials, as SPDX
 * 2.3 has it in JSON.
 */
#ifndef SC_DRIVER_SBOM_H
#define SC_DRIVER_SBOM_H

#include "base/base.h"

/* Append the document of these detectors, from what their files say of
 * themselves; none is run. The same files give the same bytes. Returns NULL, or
 * what is wrong with the file that *bad is then. */
const char *sc_sbom_put(sg_arena *arena, const sg_str *paths, uint32_t count,
                        sg_buf *out, sg_str *bad);

#endif
