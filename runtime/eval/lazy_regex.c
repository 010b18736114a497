/*
 * lazy_regex.c - compiling and studying regular expressions at the last moment.
 */
#include "eval/lazy_regex.h"

const sr_regex *sr_lazy_regex_get(sr_lazy_regex *lazy, sr_maker *maker,
                                  uint32_t flags)
{
    char reason[256];
    size_t offset;

    if (sr_makes(maker, &lazy->compiled)) {
        lazy->regex = sr_regex_compile(lazy->pattern, flags, reason,
                                       sizeof(reason), &offset);
        sr_made(maker, &lazy->compiled);
    }
    return lazy->regex;
}

static void study(sr_lazy_regex *lazy, sg_arena *arena)
{
    sr_need *need = sg_new(arena, sr_need);

    sr_regex_need(arena, lazy->pattern, need);
    if (need->kind == SR_NEED_TEXTS)
        lazy->texts =
            sr_litset_new(arena, SR_LIT_CONTAINS, need->texts, need->count);
    if (need->kind == SR_NEED_RUN)
        lazy->run = &need->run;
}

bool sr_lazy_regex_denies(sr_lazy_regex *lazy, sr_maker *maker, sg_str folded)
{
    if (sr_makes(maker, &lazy->studied)) {
        study(lazy, &maker->arena);
        sr_made(maker, &lazy->studied);
    }
    if (lazy->run != NULL)
        return !sr_run_is_in(lazy->run, folded);
    return lazy->texts != NULL && !sr_litset_match(lazy->texts, folded);
}
