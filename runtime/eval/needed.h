/*
 * needed.h - what lines must hold to match; inside of runtime/eval.
 */
#ifndef SR_EVAL_NEEDED_H
#define SR_EVAL_NEEDED_H

#include "record/record.h"

/* Passes every line that some rule of the detector can match. NULL when a rule
 * has no gate of texts, or they are too many or too short. A wildcard pattern
 * is a text whose wildcards are bytes that are never looked for. */
sr_prefilter *sr_needed_prefilter(const sigma_detector *d, sg_arena *arena);

#endif
