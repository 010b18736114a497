/*
 * keywords.h - all values of an event, for predicates that look in them. In a
 * pack hardly any event needs them, so they are read when the first one asks.
 */
#ifndef SR_KEYWORDS_H
#define SR_KEYWORDS_H

#include "record/record.h"

typedef struct sr_keywords sr_keywords;

/* For the fields with SIGMA_FIELD_KEYWORDS. In the arena, in which it grows. */
sr_keywords *sr_keywords_new(sg_arena *arena, const sigma_detector *d);
/* Another event begins. */
void sr_keywords_begin(sr_keywords *k);
/* Fill the slots of these fields, unless that is done for this event. Its line
 * has been read once without a fault. Pointers to its values are void then. */
void sr_keywords_read(sr_keywords *k, sr_event *event);

#endif
