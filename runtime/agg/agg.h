/*
 * agg.h - correlations: groups of matched events, windows over event time,
 * and the moment a correlation's condition starts to hold.
 *
 * What an event means to correlations is a list of contributions:
 * self-contained records with the rules that matched and the values that
 * group-by and conditions read. They are made from the event once (by any
 * thread), and may then be held back, written to a journal, or carried to
 * another machine before the engine takes them in; the engine knows neither
 * JSON nor the machine's clock. Meaning: semantics section 9. What goes beyond
 * it:
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

/* Where an event came from: an index the host gives meaning to, how many files
 * that source had been before, and the 1-based line. */
typedef struct sr_place {
    uint32_t source, generation;
    uint64_t line;
} sr_place;

/* An event that matched `count` rules (ascending, no rule twice), and how to
 * read its fields. */
typedef struct sr_matched {
    const sr_hit *hits;
    size_t count;
    sr_place place;
    sr_read_fn *read;
    void *ctx; /* for read */
} sr_matched;

/* One end of the time a group covers. */
typedef struct sr_seen {
    bool timed;
    int64_t time;
    uint8_t raw_kind; /* as in sr_hit; reports in search mode only */
    sg_str raw;
} sr_seen;

/* How far off a value may be. */
typedef struct sr_error {
    double share; /* of its magnitude; infinite where that is 0, yet inexact */
    double most;  /* the same as a number */
} sr_error;

/* A correlation whose condition holds for one group. Views live until the
 * callback returns. */
typedef struct sr_firing {
    uint32_t correlation;
    uint64_t turn; /* of the contribution fed that completed it, from 1; 0 at
                    * the end of search mode */
    const sr_cell *keys; /* one per group-by key, in rule order */
    uint64_t count;      /* events in the window */
    sg_num value;        /* what the condition compares */
    bool approximate;    /* the value comes from a sketch ... */
    sr_error error;      /* ... and is off by so much at most */
    sr_seen first, last;
    sr_place place; /* of the event that completed it */
    bool timed;     /* that event's time */
    int64_t time;
} sr_firing;

/* -------- contributions (contribution.c) --------------------------------- */

/*
 * Correlations that refer to each other, directly or not, are one component;
 * an event's hits reach each component as one contribution. Contributions that
 * can meet in a group have the same component and the same partition: the
 * values of the fields by which all of its correlations group.
 */
typedef struct sr_contribution {
    uint32_t size; /* in bytes, a multiple of 8; everything lies within */
    uint32_t component;
    uint64_t event; /* number of the event in order of arrival */
    uint64_t hash;  /* of component and partition; salted, of this process */
    int64_t time;   /* of the first hit */
    int64_t newest; /* of all events that came before its turn, and it */
    sr_place place;
    uint32_t hit_count;
    uint32_t timed;    /* 0: no time (search mode only) */
    uint32_t hit_at;   /* offset of its hits */
    uint32_t cells_at; /* offset of the cells of all hits */
    uint32_t parts_at; /* offset of the partition, each value behind its length,
                        * where it lies in one piece; else 0 */
    uint32_t parts_len;
} sr_contribution;

/* What does not change while a detector runs: which rules concern which
 * components, and which fields they need. Shared by threads. */
typedef struct sr_layout sr_layout;

/* Owned by the arena; never NULL. The detector must outlive it. */
sr_layout *sr_layout_new(sg_arena *arena, const sigma_detector *detector,
                         bool search);
/* Whether any correlation listens to the rule. */
bool sr_layout_hears(const sr_layout *layout, uint32_t rule);

/* What correlations do not see of an event. */
typedef struct sr_missed {
    bool untimed;       /* a hit without a time was left out (stream mode) */
    uint32_t oversized; /* contributions of more than SR_CONTRIBUTION_MOST */
} sr_missed;

enum {
    SR_CONTRIBUTION_MOST = 32 << 20, /* bytes of one contribution ... */
    SR_EVENT_MOST = 64 << 20         /* ... and of all that one event makes */
};

/* Append the contributions of one event to `out`, which holds nothing else or
 * other contributions; their `event` and `newest` are left for the caller.
 * Returns their number. */
uint32_t sr_contribute(const sr_layout *layout, const sr_matched *event,
                       sg_buf *out, sr_missed *missed);

/* So many more lines are before the event of each of the contributions. */
void sr_contributions_move(char *contributions, size_t len, uint64_t lines);
/* Whether `bytes`, aligned to 8, are one contribution of this detector: for
 * what comes from files. */
bool sr_contribution_valid(const sr_layout *layout, sg_str bytes);

/* The i-th value of the partition; false when there are not so many. */
bool sr_contribution_part(const sr_layout *layout, const sr_contribution *c,
                          uint32_t i, sg_str *value);

/* -------- contributions on the way (wire.c) ------------------------------- */

/* The component of a correlation; names that are the same in every build of the
 * same rules. */
uint64_t sr_layout_component_id(const sr_layout *layout, uint32_t component);
uint32_t sr_layout_component(const sr_layout *layout, uint32_t correlation);
uint64_t sr_layout_rule_id(const sr_layout *layout, uint32_t rule);

/* Append a contribution as bytes that any machine and any build of a detector
 * with the same correlations can read; source is the number that stands for
 * its source there. */
void sr_wire_put(const sr_layout *layout, const sr_contribution *c,
                 uint32_t source, sg_buf *out);

typedef enum sr_wire_status {
    SR_WIRE_DONE,
    SR_WIRE_UNKNOWN, /* of a correlation that this detector does not have */
    SR_WIRE_DAMAGED
} sr_wire_status;

/* Append to `out`, aligned to 8, the contribution that begins the reader's
 * bytes. */
sr_wire_status sr_wire_get(const sr_layout *layout, sg_reader *r, sg_buf *out);

/* -------- the engine ------------------------------------------------------ */

typedef void sr_firing_fn(void *ctx, const sr_firing *firing);

typedef struct sr_agg_options {
    bool search;           /* the window is the whole input */
    bool every_firing;     /* not only the first of a run of firings */
    uint64_t max_groups;   /* over all correlations */
    uint64_t max_memory;   /* bytes of groups and windows (charge.c) */
    uint64_t exact_values; /* distinct values a group keeps; above, a sketch */
    uint32_t shards;       /* engines that may run at once; 0: one */
    sr_firing_fn *fire;
    void *ctx;
} sr_agg_options;

/* What was kept and what was lost. */
typedef struct sr_agg_stats {
    uint64_t groups;   /* now alive */
    uint64_t bytes;    /* what they count for against max_memory */
    uint64_t held;     /* bytes of memory they take for it */
    uint64_t expired;  /* groups let go whose window had run empty */
    uint64_t evicted;  /* groups let go for room, oldest idle first */
    uint64_t refused;  /* contributions lost for want of room */
    uint64_t late;     /* contributions too old for their group's window */
    uint64_t sketched; /* groups that went over to a sketch */
} sr_agg_stats;

typedef struct sr_agg sr_agg;

/* The layout and what options.ctx names must outlive the engine. Never
 * NULL. */
sr_agg *sr_agg_open(const sr_layout *layout, const sr_agg_options *options);
void sr_agg_close(sr_agg *agg);

/* Take in one contribution. Fires in order of the correlations of its
 * component; allocates only until warm. */
void sr_agg_feed(sr_agg *agg, const sr_contribution *contribution);

/* Run fn(ctx, i) for every i < count, at once or one after the other. */
typedef void sr_run_fn(void *ctx, uint32_t i);
typedef void sr_parallel_fn(void *pool, sr_run_fn *fn, void *ctx,
                            uint32_t count);

/* The same as feeding one after the other, but faster: what the next ones need
 * is fetched meanwhile, and several threads work where the bounds cannot be
 * reached. `parallel` may be NULL: one thread. */
void sr_agg_feed_all(sr_agg *agg, const sr_contribution *const *contributions,
                     size_t count, sr_parallel_fn *parallel, void *pool);

/* Search mode: fire once for each group whose condition holds at the end of
 * the input, correlation by correlation, in report order: the sort column,
 * then ascending by the group's values; unsorted, by first_seen and then
 * arrival. Stops at the report's limit. Does nothing in stream mode. */
void sr_agg_finish(sr_agg *agg);
/* Before that: the rank of each source, where their numbers say nothing. */
void sr_agg_rank_sources(sr_agg *agg, const uint32_t *ranks);
/* Stream mode: forget all groups without counting them: what is to come has
 * nothing to do with what was. */
void sr_agg_forget(sr_agg *agg);

sr_agg_stats sr_agg_totals(const sr_agg *agg);
/* What one correlation lost. */
typedef struct sr_corr_stats {
    uint64_t evicted, refused, late;
} sr_corr_stats;
sr_corr_stats sr_agg_losses(const sr_agg *agg, uint32_t correlation);

/* -------- what outlives the process (save.c) ------------------------------ */

/* One group: `key` tells it from others of its correlation; no value: it is
 * gone. False stops. */
typedef bool sr_save_fn(void *ctx, uint32_t correlation, sg_str key,
                        const sg_str *value);

/* Groups that a contribution after the `since`th touched, and those that are
 * gone since the last call; with 0 all there are. False when `save` said so. */
bool sr_agg_save(sr_agg *agg, uint64_t since, sr_save_fn *save, void *ctx);
/* Too many groups are gone to name them: what was saved before must be dropped,
 * and all saved anew. */
bool sr_agg_must_save_all(const sr_agg *agg);
/* Bring groups back, in any order, say that all are there, which come from so
 * many sources, then set the clock. False when the bytes are not what
 * sr_agg_save wrote. */
bool sr_agg_load(sr_agg *agg, uint32_t correlation, sg_str key, sg_str value);
bool sr_agg_loaded(sr_agg *agg, uint32_t sources);
void sr_agg_set_losses(sr_agg *agg, uint32_t correlation, sr_corr_stats losses);

/* What goes on over all groups. */
typedef struct sr_agg_clock {
    uint64_t turn;     /* contributions fed */
    int64_t watermark; /* newest time of all events */
    uint64_t expired, sketched;
} sr_agg_clock;

sr_agg_clock sr_agg_clock_get(const sr_agg *agg);
void sr_agg_clock_set(sr_agg *agg, sr_agg_clock clock);

#endif
