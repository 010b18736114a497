/*
 * lazy_regex.h - the regular expressions of predicates: what they need is made
 * when first asked, as that is dear and most are never reached. Threads share
 * it.
 */
#ifndef SR_LAZY_REGEX_H
#define SR_LAZY_REGEX_H

#include "eval/share.h"
#include "match/match.h"

typedef struct sr_lazy_regex {
    sg_str pattern;
    sr_once compiled;
    sr_regex *regex;        /* malloc-owned; NULL: refused */
    sr_once studied;        /* what follows is known */
    const sr_litset *texts; /* one of which any match holds; NULL: none known */
    const sr_run *run;      /* that any match holds; NULL: none known */
} sr_lazy_regex;

/* NULL when refused: only by another PCRE2 than the compiler's. */
const sr_regex *sr_lazy_regex_get(sr_lazy_regex *lazy, sr_maker *maker,
                                  uint32_t flags);
/* Whether the folded text lacks what every match holds: that is found out much
 * sooner than by a search. */
bool sr_lazy_regex_denies(sr_lazy_regex *lazy, sr_maker *maker, sg_str folded);

#endif
