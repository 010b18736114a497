/*
 * linear.h - regular expressions searched in linear time.
 *
 * For the subset of the dialect that needs no backtracking, whether a subject
 * matches is told by one pass over it, whatever the subject: there is no limit
 * to meet. It agrees with PCRE2 (see regex.c) or refuses; where the match lies
 * it does not tell.
 */
#ifndef SR_LINEAR_H
#define SR_LINEAR_H

#include "match/match.h"

typedef struct sr_linear sr_linear;

/* For a pattern that PCRE2 accepts with these flags (SIGMA_F_RE_*). NULL when
 * it holds what is not supported: back references, look-around, word
 * boundaries, flag m, properties and the like, or when it is large (1000
 * characters, repeats counted as often as they repeat). malloc-owned and
 * immutable. */
sr_linear *sr_linear_new(sg_str pattern, uint32_t flags);
/* Whether a match begins at byte `start`, where a character begins, or later.
 * LIMIT when a part that was read is not well-formed UTF-8. Takes less than
 * about a microsecond a byte, mostly some nanoseconds. */
sr_re_result sr_linear_match(const sr_linear *linear, sg_str subject,
                             size_t start);
/* Accepts NULL. */
void sr_linear_free(sr_linear *linear);

#endif
