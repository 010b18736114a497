/*
 * events.h - a detector that a program feeds with one event after the other: a
 * run without inputs, outputs, threads, signals or messages on standard error.
 * The only header of this folder that others may include.
 */
#ifndef SR_HOST_EVENTS_H
#define SR_HOST_EVENTS_H

#include "output/output.h"

typedef struct sr_events sr_events;

typedef struct sr_events_options {
    sr_take_fn *take; /* alerts and rows, as NDJSON */
    void *ctx;        /* for it */
    const char *source;
    const char *const *words; /* options of the command line that fit */
    size_t word_count;
} sr_events_options;

/* The detector is sound and outlives the run; words are copied. NULL when an
 * option does not do, with the reason as a line in `error`. */
sr_events *sr_events_open(const sigma_detector *detector,
                          const sr_events_options *options, sg_buf *error);
/* One event, or what is blank. False when it cannot be read: see
 * sr_events_said. */
bool sr_events_feed(sr_events *e, sg_str event);
/* There are no more events. */
void sr_events_finish(sr_events *e);
/* What the run had to say since it began to work on the latest event: lines. */
sg_str sr_events_said(const sr_events *e);
/* Accepts NULL. */
void sr_events_close(sr_events *e);

/* -------- counters ------------------------------------------------------- */

typedef struct sr_counter {
    const char *name, *doc;
    bool loss;
    uint64_t value;
} sr_counter;

/* Rows of stats.def. */
enum {
#define STAT(name, loss, doc) SR_COUNTER_##name,
#include "host/stats.def"
#undef STAT
    SR_COUNTERS
};

void sr_events_count(sr_events *e, sr_counter out[SR_COUNTERS]);

#endif
