/*
 * host.h - one run of a detector, private to this folder. session.c drives
 * it: worker.c finds out what a line means, times.c reads its event times,
 * alerts.c says what goes out, sequence.c puts contributions to correlations
 * in order of time, losses.c keeps account of what was not read.
 */
#ifndef SR_HOST_HOST_H
#define SR_HOST_HOST_H

#include "agg/agg.h"
#include "eval/eval.h"
#include "host/options.h"
#include "input/input.h"
#include "output/output.h"

/* Exit codes of the interface. */
enum {
    SR_EXIT_OK = 0,
    SR_EXIT_USAGE = 2,
    SR_EXIT_INTERNAL = 3,
    SR_EXIT_INPUT = 4,
    SR_EXIT_OUTPUT = 5
};

typedef struct sr_stats {
#define STAT(name, loss, doc) uint64_t name;
#include "host/stats.def"
#undef STAT
} sr_stats;

/* What alerts are put together in; one per thread. */
typedef struct sr_scratch {
    sg_str *matched; /* names of selections */
    sr_pair *pairs;  /* group, columns or derived fields */
    sg_buf identity;
} sr_scratch;

/* What matches lines: everything that changes with each event. One per
 * thread. */
typedef struct sr_worker {
    const struct sr_session *s; /* read only */
    sg_arena arena;             /* as long as the run */
    sr_eval *eval;
    sr_plan *match, *context; /* fields of predicates; those needed after */
    sr_event event;
    uint32_t *matches;  /* rules the event at hand matches */
    sr_hit *hits;       /* the same with times */
    uint32_t time_slot; /* first of the slots for time fields */
    uint32_t time_count;
    sr_scratch scratch;
    sg_buf contributions; /* of the event at hand, or of a block's */
} sr_worker;

/* What a worker found out about one line. */
typedef struct sr_item {
    sg_str line;
    sr_place place;
    uint64_t offset;    /* of the line in its input */
    const char *reason; /* why it cannot be read, from byte `at` on; or NULL */
    size_t at;          /* 0-based */
    size_t matches;     /* rules */
    bool untimed;       /* some correlation missed it for want of a time */
    uint32_t contributions; /* their number, and bytes in the worker's buffer */
    size_t contributions_at, contributions_len;
} sr_item;

typedef struct sr_session {
    const sigma_detector *detector;
    const sr_options *options;
    const char *program; /* for messages */
    sg_arena arena;      /* as long as the run */
    sr_layout *layout;
    sr_agg *agg;
    sr_output *out;
    sr_worker *worker;  /* the only one, or that of the main thread */
    sr_scratch scratch; /* for what correlations fire */
    struct sr_sequence *sequence;
    sg_buf rejects;         /* waiting to be written to rejects_fd */
    int out_fd, rejects_fd; /* -1: none */
    int64_t flushed;        /* clock of the last flush, ns */
    sr_stats stats;
    int exit_code;
    bool stop;      /* no more input: error, --strict or signal */
    bool abandoned; /* results would be of half the input: leave them out */
} sr_session;

/* -------- session.c ------------------------------------------------------ */

/* Run the detector over the inputs of the options; returns the exit code. */
int sr_session_run(const sigma_detector *detector, const sr_options *options,
                   const char *program);
/* Write and remember an output failure; false when there is one. */
bool sr_session_flush(sr_session *s);

/* -------- worker.c ------------------------------------------------------- */

/* NULL, and told, when the detector is broken. The session's detector, options
 * and layout are set. */
sr_worker *sr_worker_open(sr_session *s);
void sr_worker_close(sr_worker *w);
/* Find out what item->line, place and offset mean. Contributions are appended
 * to w->contributions. The event stays for sr_alert_hits until the next. */
void sr_worker_match(sr_worker *w, sr_item *item);

/* -------- times.c -------------------------------------------------------- */

/* Time fields wanted of matched events, into `wants`, which holds
 * sr_time_wants_max(); sets time_slot and time_count. */
uint32_t sr_time_wants_max(void);
void sr_time_wants(sr_worker *w, sr_want *wants);
/* Fill w->hits with the rules matched and the event's time for each. */
void sr_read_times(sr_worker *w, size_t count);

/* -------- alerts.c ------------------------------------------------------- */

/* Write alerts of the visible ones among the worker's first `count` hits;
 * returns their number. */
size_t sr_alert_hits(sr_worker *w, sr_output *out, sr_place place,
                     size_t count);
/* sr_firing_fn; ctx is the session. */
void sr_alert_firing(void *ctx, const sr_firing *firing);
/* Room for alerts of this detector, in the arena. */
void sr_alert_scratch(const sigma_detector *d, sg_arena *arena,
                      sr_scratch *scratch);

/* -------- sequence.c ----------------------------------------------------- */

/* Puts contributions in order of time, as far as --allowed-lateness goes, and
 * feeds them to the engine. Never NULL. */
struct sr_sequence *sr_sequence_open(sr_session *s);
void sr_sequence_close(struct sr_sequence *q);
/* The contributions of one event, in order of arrival; its line for --late. */
void sr_sequence_event(struct sr_sequence *q, const sr_item *item,
                       char *contributions);
/* All that waits is due. */
void sr_sequence_finish(struct sr_sequence *q);

/* -------- losses.c ------------------------------------------------------- */

/* A line on standard error: "PROGRAM: ..."; %s of paths go through
 * sr_shown. */
#if defined(__GNUC__)
__attribute__((format(printf, 2, 3)))
#endif
void sr_say(const sr_session *s, const char *fmt, ...);
/* Text fit for a terminal, in the session's arena. */
const char *sr_shown(sr_session *s, sg_str text);
/* The item's line cannot be read. */
void sr_reject(sr_session *s, const sr_item *item);
/* Open and close --rejects; false when that failed. */
bool sr_rejects_open(sr_session *s);
bool sr_rejects_flush(sr_session *s);
/* At the end: the losses, and --stats. */
void sr_report(sr_session *s);

#endif
