/*
 * agg.h - correlations: groups of matched events, windows over event time,
 * and the moment a correlation's condition starts to hold.
 *
 * The engine sees an event only through a reader (values of fields) and hits
 * (rules that matched, each with its event time); it knows neither JSON nor
 * the machine's clock. Meaning: semantics section 9. What goes beyond it:
 *   - a window that has run empty ends a state of "holding";
 *   - events may arrive out of order: a window is kept in order of time, and
 *     an event older than its group's newest minus the timespan is late: it
 *     takes no part and is counted;
 *   - nothing is lost without a counter.
 */
#ifndef SR_AGG_H
#define SR_AGG_H

#include "record/record.h"

/* A value as the engine keeps it: key text and how JSON would write it. */
typedef struct sr_cell {
    uint8_t kind; /* SR_STRING, SR_NUMBER or SR_BOOL */
    sg_str text;  /* decoded or canonical */
    sg_num num;   /* SR_NUMBER only */
} sr_cell;

/* The first value of `field` in the event at hand, as `rule` sees it (derived
 * fields hide the event's). False when there is none: missing, null, object,
 * empty array. The text lives until the next event. */
typedef bool sr_read_fn(void *ctx, uint32_t rule, uint32_t field,
                        sr_cell *cell);

/* A rule that matched, and the event's time for that rule. */
typedef struct sr_hit {
    uint32_t rule;
    bool timed;
    int64_t time;     /* ns since 1970; meaningless unless timed */
    uint8_t raw_kind; /* SR_STRING: raw is the decoded text; SR_NUMBER: token */
    sg_str raw;       /* the time field as the event wrote it */
} sr_hit;

/* Where an event came from: an index the host gives meaning to, and the
 * 1-based line. */
typedef struct sr_place {
    uint32_t source;
    uint64_t line;
} sr_place;

/* One end of the time a group covers. */
typedef struct sr_seen {
    bool timed;
    int64_t time;
    uint8_t raw_kind; /* as in sr_hit; reports in search mode only */
    sg_str raw;
} sr_seen;

/* A correlation whose condition holds for one group. Views live until the
 * callback returns. */
typedef struct sr_firing {
    uint32_t correlation;
    const sr_cell *keys; /* one per group-by key, in rule order */
    uint64_t count;      /* events in the window */
    sg_num value;        /* what the condition compares */
    sr_seen first, last;
    sr_place place; /* of the event that completed it */
    bool timed;     /* that event's time */
    int64_t time;
} sr_firing;

typedef void sr_firing_fn(void *ctx, const sr_firing *firing);

typedef struct sr_agg_options {
    bool search;         /* the window is the whole input */
    bool every_firing;   /* not only the first of a run of firings */
    uint64_t max_groups; /* over all correlations */
    uint64_t max_memory; /* bytes of groups and windows; the index over
                          * groups, some 40 bytes each, comes on top */
    sr_read_fn *read;
    sr_firing_fn *fire;
    void *ctx; /* for both */
} sr_agg_options;

/* What was kept and what was lost. */
typedef struct sr_agg_stats {
    uint64_t groups;  /* now alive */
    uint64_t bytes;   /* now held */
    uint64_t refused; /* contributions lost to max_groups or max_memory */
    uint64_t late;    /* contributions too old for their group's window */
    uint64_t untimed; /* events without a readable time, stream mode */
} sr_agg_stats;

typedef struct sr_agg sr_agg;

/* The detector and what options.ctx names must outlive the engine. Never
 * NULL. */
sr_agg *sr_agg_open(const sigma_detector *detector,
                    const sr_agg_options *options);
void sr_agg_close(sr_agg *agg);

/* One event that matched `count` rules (ascending, no rule twice). Fires in
 * order of the correlations table; allocates only until warm. */
void sr_agg_push(sr_agg *agg, const sr_hit *hits, size_t count, sr_place place);

/* Search mode: fire once for each group whose condition holds at the end of
 * the input, correlation by correlation, in report order: the sort column,
 * then ascending by the group's values; unsorted, by first_seen and then
 * arrival. Stops at the report's limit. Does nothing in stream mode. */
void sr_agg_finish(sr_agg *agg);

sr_agg_stats sr_agg_totals(const sr_agg *agg);
/* Contributions of one correlation lost to a bound. */
uint64_t sr_agg_refused(const sr_agg *agg, uint32_t correlation);

#endif
