/*
 * inspect.h - reading what a detector's file says of itself, for those who show
 * it.
 */
#ifndef SC_DRIVER_INSPECT_H
#define SC_DRIVER_INSPECT_H

#include "driver/elfnote.h"

#include <cjson/cJSON.h>

/* Read a file and parse its manifest, which the caller deletes. Returns NULL,
 * or what is wrong. */
const char *sc_inspect_read(sg_arena *arena, sg_str path, sc_elf *elf,
                            cJSON **manifest);
/* A member that is a text; else empty. */
sg_str sc_inspect_text(const cJSON *object, const char *name);

#endif
