/*
 * lazy_regex.c - compiling and studying regular expressions at the last moment.
 */
#include "eval/lazy_regex.h"

const sr_regex *sr_lazy_regex_get(sr_lazy_regex *lazy, uint32_t flags)
{
    char reason[256];
    size_t offset;

    if (lazy->regex == NULL && !lazy->refused) {
        lazy->regex = sr_regex_compile(lazy->pattern, flags, reason,
                                       sizeof(reason), &offset);
        lazy->refused = lazy->regex == NULL;
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
    lazy->studied = true;
}

bool sr_lazy_regex_denies(sr_lazy_regex *lazy, sg_arena *arena, sg_str folded)
{
    if (!lazy->studied)
        study(lazy, arena);
    if (lazy->run != NULL)
        return !sr_run_is_in(lazy->run, folded);
    return lazy->texts != NULL && !sr_litset_match(lazy->texts, folded);
}
