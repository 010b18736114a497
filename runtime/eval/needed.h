/*
 * needed.h - what lines must hold to match; inside of runtime/eval.
 */
#ifndef SR_EVAL_NEEDED_H
#define SR_EVAL_NEEDED_H

#include "eval/eval.h"

/* Passes every line that some rule of the detector can match. NULL when lines
 * tell nothing: some rule has no gate of texts, or they are too many or too
 * short, and there is no field about which each has a clause. A wildcard
 * pattern is a text whose wildcards are bytes that are never looked for.
 * SIGCC_CASCADE=0 of the environment leaves fields out. */
sr_prefilter *sr_needed_prefilter(sr_eval *eval, sg_arena *arena);

#endif
