/*
 * ahead.h - inside of runtime/input: a codec that decompresses ahead in a
 * thread of its own, a bounded number of pieces.
 */
#ifndef SR_AHEAD_H
#define SR_AHEAD_H

#include "input/codec.h"

typedef struct sr_ahead sr_ahead;

/* Whether that is wanted: unless $SIGCC_AHEAD is 0. */
bool sr_ahead_wanted(void);
/* From now on codec, state and the descriptor are the thread's, and must
 * outlive it; what is in raw moves to it. NULL when there can be no thread:
 * then they are not. */
sr_ahead *sr_ahead_open(const sr_codec *codec, void *state, sr_raw *raw);
/* As the codec's function. raw->before is asked each time, raw->failed set at
 * the end. */
sr_codec_status sr_ahead_read(sr_ahead *ahead, sr_raw *raw, const char **reason,
                              void *dst, size_t cap, size_t *got);
/* NULL is allowed. */
void sr_ahead_close(sr_ahead *ahead);

#endif
