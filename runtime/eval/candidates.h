/*
 * candidates.h - which rules an event can match at all, by one scan per field
 * instead of one question per rule.
 */
#ifndef SR_CANDIDATES_H
#define SR_CANDIDATES_H

#include "eval/profile.h"

typedef struct sr_candidates sr_candidates;

/* An index of the gates of a checked detector, built as events ask for it.
 * Owned by the arena, in which it grows; NULL when the detector has too few
 * rules for this to pay. */
sr_candidates *sr_candidates_new(sg_arena *arena, const sigma_detector *d);

/* Set the bit of every rule whose gate may be open for the event, and of every
 * rule without a gate; others are left alone. `rules` has a bit per rule.
 * Unless `profile` is NULL the time for each field goes there. */
void sr_candidates_find(sr_candidates *c, sr_event *event, uint64_t *rules,
                        sr_profile *profile);

#endif
