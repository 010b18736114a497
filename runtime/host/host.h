/*
 * host.h - one run of a detector, private to this folder. session.c drives
 * it; times.c reads event times, alerts.c says what goes out, late.c puts
 * events in order of time, losses.c keeps account of what was not read,
 * enriching.c sees to lookups and added fields.
 */
#ifndef SR_HOST_HOST_H
#define SR_HOST_HOST_H

#include "agg/agg.h"
#include "agg/parts.h"
#include "enrich/enrich.h"
#include "eval/eval.h"
#include "host/options.h"
#include "input/input.h"
#include "output/output.h"

#include <sys/stat.h>

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

/* An event held back; its line follows. */
typedef struct sr_held {
    int64_t time;
    uint64_t serial; /* order of arrival, for equal times */
    sr_place place;
    size_t len;
    char line[];
} sr_held;

/* Binary heap, the earliest on top. */
typedef struct sr_late {
    sr_pool pool;
    sr_held **items;
    size_t count, cap;
    uint64_t serial;
    int64_t newest; /* time seen so far */
} sr_late;

typedef struct sr_session {
    const sigma_detector *detector;
    const sr_options *options;
    const char *program; /* for messages */
    sg_arena arena;      /* as long as the run */
    sr_eval *eval;
    sr_agg *agg;
    sr_output *out;
    sr_plan *match, *context; /* fields of predicates; those needed after */
    sr_event event;
    uint32_t *matches;  /* rules the event at hand matches */
    sr_hit *hits;       /* the same with times */
    uint32_t time_slot; /* first of the slots for time fields */
    uint32_t time_count;
    sr_place place; /* of the event at hand */
    uint64_t offset;
    sg_str *matched; /* scratch for an alert */
    sr_pair *pairs;
    sg_buf identity;
    sr_late late;
    sr_enrich *enrich;       /* NULL: none */
    sr_enrich_work enriched; /* the event at hand, and counts */
    sr_pair *added;          /* scratch for an alert */
    sg_buf rejects;          /* waiting to be written to rejects_fd */
    int out_fd, rejects_fd;  /* -1: none */
    int64_t flushed;         /* clock of the last flush, ns */
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

/* -------- times.c -------------------------------------------------------- */

/* Time fields wanted of matched events, into `wants`, which holds
 * sr_time_wants_max(); sets time_slot and time_count. */
uint32_t sr_time_wants_max(void);
void sr_time_wants(sr_session *s, sr_want *wants);
/* Fill s->hits with the rules matched and the event's time for each. */
void sr_read_times(sr_session *s, size_t count);

/* -------- alerts.c ------------------------------------------------------- */

/* Alerts of the visible ones among the first `count` hits. */
void sr_alert_hits(sr_session *s, size_t count);
/* sr_firing_fn; ctx is the session. */
void sr_alert_firing(void *ctx, const sr_firing *firing);
/* Width needed of s->matched and s->pairs. */
void sr_alert_scratch(sr_session *s);

/* -------- late.c --------------------------------------------------------- */

/* Keep the event for later; false when it cannot wait. */
bool sr_late_hold(sr_session *s, int64_t time);
/* The next event due, or with `all` the next at all; NULL when none. The
 * caller gives it back by sr_late_done. */
sr_held *sr_late_next(sr_session *s, bool all);
void sr_late_done(sr_session *s, sr_held *held);
void sr_late_close(sr_late *late);

/* -------- enriching.c ---------------------------------------------------- */

/* Open the enrichment and read its lookup files; returns an exit code. */
int sr_enriching_open(sr_session *s);
void sr_enriching_close(sr_session *s);
/* Whether the file is one of the lookups. */
bool sr_enriching_reads(const sr_session *s, const struct stat *file);
/* Fill s->added with what the event at hand got; returns how many. */
uint32_t sr_enriching_pairs(sr_session *s);
/* Take over its counts. */
void sr_enriching_gather(sr_session *s);

/* -------- losses.c ------------------------------------------------------- */

/* A line on standard error: "PROGRAM: ..."; %s of paths go through
 * sr_shown. */
#if defined(__GNUC__)
__attribute__((format(printf, 2, 3)))
#endif
void sr_say(const sr_session *s, const char *fmt, ...);
/* Text fit for a terminal, in the session's arena. */
const char *sr_shown(sr_session *s, sg_str text);
/* The line at hand cannot be read, from byte `at` (0-based) on. */
void sr_reject(sr_session *s, sg_str line, size_t at, const char *reason);
/* Open and close --rejects; false when that failed. */
bool sr_rejects_open(sr_session *s);
bool sr_rejects_flush(sr_session *s);
/* At the end: the losses, and --stats. */
void sr_report(sr_session *s);

#endif
