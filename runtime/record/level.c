/*
 * level.c - which scanner this processor gets. Chosen once per plan; all levels
 * give the same values and faults, so the choice is one of speed only.
 */
#include "record/level.h"

#include <stdlib.h>
#include <string.h>

static bool always(void)
{
    return true;
}

static const sr_level scalar = {"scalar", always,        NULL,
                                NULL,     sr_find_plain, NULL};

const sr_level *const sr_levels[] = {
#ifdef SR_X86
    &sr_level_avx512, &sr_level_avx2,
    &sr_level_sse2,
#endif
#ifdef SR_NEON
    &sr_level_neon,
#endif
    &scalar,          NULL};

const sr_level *sr_level_named(const char *name)
{
    for (size_t i = 0; sr_levels[i] != NULL; i++)
        if (strcmp(sr_levels[i]->name, name) == 0)
            return sr_levels[i]->usable() ? sr_levels[i] : NULL;
    return NULL;
}

const sr_level *sr_level_choose(void)
{
    const char *name = getenv("SIGCC_SIMD");
    const sr_level *level = name == NULL ? NULL : sr_level_named(name);

    if (level != NULL)
        return level;
    for (size_t i = 0; sr_levels[i] != NULL; i++)
        if (sr_levels[i]->usable())
            return sr_levels[i];
    return &scalar;
}
