/*
 * literal.c - one literal against one text, and which way of looking up
 * serves a set of literals. Few literals are tried in turn; many go to
 * litset.c's sorted table or automaton.
 */
#include "match/litset.h"

#include <string.h>

/* Up to so many literals a plain loop is faster than a lookup. */
enum { FEW_WHOLE = 4, FEW_CONTAINS = 8 };

struct sr_litset {
    sr_lit_kind kind;
    sr_sorted sorted;
    sr_automaton *automaton; /* CONTAINS with many literals, else NULL */
};

bool sr_contains(sg_str text, sg_str needle)
{
    return sg_str_find(text, needle) != SIZE_MAX;
}

static bool match_one(sr_lit_kind kind, sg_str text, sg_str lit)
{
    if (lit.len > text.len || (lit.len == 0 && kind != SR_LIT_EQ))
        return lit.len == 0;
    switch (kind) {
    case SR_LIT_EQ:
        return lit.len == text.len &&
               (lit.len == 0 || memcmp(text.ptr, lit.ptr, lit.len) == 0);
    case SR_LIT_STARTS:
        return memcmp(text.ptr, lit.ptr, lit.len) == 0;
    case SR_LIT_ENDS:
        return memcmp(text.ptr + (text.len - lit.len), lit.ptr, lit.len) == 0;
    case SR_LIT_CONTAINS:
        return sr_contains(text, lit);
    }
    return false;
}

sr_litset *sr_litset_new(sg_arena *arena, sr_lit_kind kind, const sg_str *lits,
                         uint32_t count)
{
    sr_litset *set = sg_new(arena, sr_litset);

    set->kind = kind;
    set->sorted = sr_sorted_new(arena, kind, lits, count);
    if (kind == SR_LIT_CONTAINS && set->sorted.count > FEW_CONTAINS)
        set->automaton = sr_automaton_new(arena, &set->sorted);
    return set;
}

bool sr_litset_match(const sr_litset *set, sg_str text)
{
    const sr_sorted *sorted = &set->sorted;

    if (set->automaton != NULL)
        return sr_automaton_match(set->automaton, text);
    if (set->kind != SR_LIT_CONTAINS && sorted->count > FEW_WHOLE)
        return sr_sorted_match(sorted, set->kind, text);
    for (uint32_t i = 0; i < sorted->count; i++)
        if (match_one(set->kind, text, sorted->lits[i]))
            return true;
    return false;
}
