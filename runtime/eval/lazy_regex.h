/*
 * lazy_regex.h - the regular expressions of predicates: what they need is made
 * when first asked, as that is dear and most are never reached.
 */
#ifndef SR_LAZY_REGEX_H
#define SR_LAZY_REGEX_H

#include "match/match.h"

typedef struct sr_lazy_regex {
    sg_str pattern;
    sr_regex *regex; /* malloc-owned */
    bool refused;
    bool studied;           /* what follows is known */
    const sr_litset *texts; /* one of which any match holds; NULL: none known */
    const sr_run *run;      /* that any match holds; NULL: none known */
} sr_lazy_regex;

/* NULL when refused: only by another PCRE2 than the compiler's. */
const sr_regex *sr_lazy_regex_get(sr_lazy_regex *lazy, uint32_t flags);
/* Whether the folded text lacks what every match holds: that is found out much
 * sooner than by a search. What this needs is made in the arena. */
bool sr_lazy_regex_denies(sr_lazy_regex *lazy, sg_arena *arena, sg_str folded);

#endif
