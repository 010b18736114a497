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
    sg_str texts[SR_REGEX_TEXTS];
    const uint32_t count = sr_regex_texts(arena, lazy->pattern, texts);

    if (count != 0)
        lazy->needed = sr_litset_new(arena, SR_LIT_CONTAINS, texts, count);
    lazy->studied = true;
}

bool sr_lazy_regex_denies(sr_lazy_regex *lazy, sg_arena *arena, sg_str folded)
{
    if (!lazy->studied)
        study(lazy, arena);
    return lazy->needed != NULL && !sr_litset_match(lazy->needed, folded);
}
