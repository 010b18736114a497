/*
 * candidates.h - which rules an event can match at all, by one scan per field
 * instead of one question per rule.
 */
#ifndef SR_CANDIDATES_H
#define SR_CANDIDATES_H

#include "eval/keywords.h"
#include "eval/profile.h"
#include "eval/recall.h"
#include "eval/routes.h"
#include "eval/share.h"

typedef struct sr_candidates sr_candidates;
typedef struct sr_indexes sr_indexes; /* index.h */

/* When detectors use what tells rules and regular expressions that cannot
 * match before they are asked, by SIGCC_INDEX of the environment: 0 never, 1
 * always. The verdicts are the same. */
typedef enum sr_index_set {
    SR_INDEX_LARGE, /* not set: where there are many rules */
    SR_INDEX_NEVER,
    SR_INDEX_ALWAYS
} sr_index_set;
sr_index_set sr_index_setting(void);

/* Indexes of the gates of a checked detector, one for each class of events
 * (routes.h), built as events ask for them, for all who share with the maker:
 * in `indexes`. What one thread knows is in the arena. NULL when the detector
 * has too few rules for this to pay. Reads keywords by what is given for that,
 * and knows values again by `recall`, which may be NULL. */
sr_candidates *sr_candidates_new(sg_arena *arena, sr_maker *maker,
                                 sr_indexes *indexes, const sr_routes *routes,
                                 sr_keywords *keywords, sr_recall *recall);

/* Of the rules whose route is open to the event's class, set the bit of each
 * whose gate may be open for the event, and of each without a gate; others are
 * left alone. `rules` has a bit per rule, all 0. Unless `profile` is NULL the
 * time for each field and the number of candidates go there; what is counted
 * must not depend on earlier events, so no value is known again then. */
void sr_candidates_find(sr_candidates *c, sr_event *event, uint32_t class,
                        uint64_t *rules, sr_profile *profile);
/* Another event begins. */
void sr_candidates_begin(sr_candidates *c);
/* Whether a predicate whose verdict is not known is false, since the event has
 * been looked through for all of its literals. */
bool sr_candidates_deny(const sr_candidates *c, uint32_t pred);

#endif
