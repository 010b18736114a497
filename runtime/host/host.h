/*
 * host.h - one run of a detector, private to this folder. session.c drives it:
 * feed.c brings lines (events.c: a program does), worker.c finds out what one
 * means (block.c, fetch.c and threads.c: many at once), times.c reads its event
 * times, alerts.c says what goes out, enriching.c sees to lookups and added
 * fields, sequence.c puts contributions to correlations in order of time,
 * resume.c keeps a state (kept.c, moves.c, lessons.c: its rows), map.c and
 * reduce.c split a run over machines, sink.c writes files, losses.c keeps
 * account of what was not read, profile.c of what it took.
 */
#ifndef SR_HOST_HOST_H
#define SR_HOST_HOST_H

#include "agg/agg.h"
#include "enrich/enrich.h"
#include "eval/eval.h"
#include "host/events.h"
#include "host/options.h"
#include "host/threads.h"
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

/* Buffers that are filled again and again keep no more bytes than these. */
#define SR_ROOM_KEPT ((size_t)4 << 20)

typedef struct sr_stats {
#define STAT(name, loss, doc) uint64_t name;
#include "host/stats.def"
#undef STAT
} sr_stats;

/* What alerts are put together in; one per thread. */
typedef struct sr_scratch {
    sg_str *matched; /* names of selections */
    sr_pair *pairs;  /* group, columns or derived fields */
    sr_pair *added;  /* fields that enrichment added */
    sg_buf identity;
} sr_scratch;

/* What became of the lines that a worker saw; counters of stats.def. */
typedef struct sr_tally {
    uint64_t lines, bytes, events, skipped, prefiltered;
} sr_tally;

/* What is read of lines; workers share it. */
typedef struct sr_plans {
    sr_once made;
    sr_plan *match, *context; /* fields of predicates; those needed after */
    sr_plan *nothing;         /* no field: is the line readable? */
    uint32_t time_slot;       /* first of the slots for time fields */
    uint32_t time_count;
} sr_plans;

/* What matches lines: everything that changes with each event. One per
 * thread. */
typedef struct sr_worker {
    const struct sr_session *s; /* read only */
    sg_arena arena;             /* as long as the run */
    sr_eval *eval;
    sr_plans own;            /* others may share them */
    sr_plans *shared;        /* these, or those of the main thread's */
    const sr_plans *plans;   /* the same, made; NULL: no line was looked at */
    sr_prefilter *prefilter; /* or NULL */
    sr_tally tally;
    sr_event event;
    uint32_t *matches; /* rules the event at hand matches */
    sr_hit *hits;      /* the same with times */
    sr_scratch scratch;
    sr_enrich_work enriched; /* the event at hand, and counts */
    sr_profile *profile;     /* --profile; or NULL */
    sg_buf contributions;    /* of the event at hand, or of a block's */
    sr_output *pieces; /* in a thread: makes alerts for others to write ... */
    sg_buf alerts;     /* ... here, each behind its length in 32 bits */
} sr_worker;

/* What a worker found out about one line. */
typedef struct sr_item {
    sg_str line;
    sr_place place;
    uint64_t offset;    /* of the line in its input */
    sr_look look;       /* what the prefilter said of it */
    const char *reason; /* why it cannot be read, from byte `at` on; or NULL */
    size_t at;          /* 0-based */
    size_t matches;     /* rules */
    sr_missed missed;   /* what correlations do not see of it */
    size_t contributions_at, contributions_len; /* in the worker's buffer */
    size_t alerts_at, alerts_len;               /* likewise; pieces only */
} sr_item;

/* The files that a run writes. */
enum { SR_SINK_ALERTS, SR_SINK_REJECTS, SR_SINK_LATE, SR_SINKS };

typedef struct sr_sink {
    const char *path; /* as the user gave it; alerts: NULL is standard output */
    int fd;           /* -1: not wanted */
    sg_buf own, *buf; /* what waits to be written */
    bool regular, broken;
    uint64_t dev, ino, size; /* of a regular file, when it was opened */
    uint64_t written;        /* bytes since then */
} sr_sink;

/* Items of a block that are being settled: alerts of events and of
 * correlations alternate as they would line by line. */
typedef struct sr_settling {
    const sr_item *items;
    const char *alerts;
    size_t count, next; /* items; the first whose alerts are not out */
} sr_settling;

typedef struct sr_session {
    const sigma_detector *detector;
    const sr_options *options;
    const char *program; /* for messages */
    sg_buf *said;        /* takes messages; NULL: they go to standard error */
    sg_arena arena;      /* as long as the run */
    sr_layout *layout;
    sr_agg *agg;
    sr_output *out;
    sr_worker *worker;  /* the only one, or that of the main thread */
    sr_scratch scratch; /* for what correlations fire and what is reduced */
    sr_enrich *enrich;  /* NULL: none */
    sr_enrich_stats carried; /* by earlier runs, less what loading counted */
    struct sr_sequence *sequence;
    struct sr_resume *resume; /* --state; or NULL */
    struct sr_reduce *reduce; /* while reducing; or NULL */
    sr_threads *threads;      /* --threads above 1; or NULL */
    struct sr_blocks *blocks; /* likewise, if lines go through them */
    sr_settling settling;
    sr_format format; /* of alerts */
    sr_sink sinks[SR_SINKS];
    SG_VEC(sg_str) sources; /* names of inputs, by sr_place.source */
    uint32_t *source_of;    /* per file of the options */
    int64_t flushed;        /* clock of the last flush, ns */
    sr_stats stats;
    uint64_t checks; /* map: of the lines written, the sum of their hashes */
    int exit_code;
    bool stop;      /* no more input: error, --strict or signal */
    bool abandoned; /* results would be of half the input: leave them out */
    bool quiet;     /* what fires was written by an earlier run */
} sr_session;

/* -------- session.c ------------------------------------------------------ */

/* Run the detector over the inputs of the options; returns the exit code. */
int sr_session_run(const sigma_detector *detector, const sr_options *options,
                   const char *program);
/* What judges and correlates events, by the detector and options of the
 * session; an exit code, all told. */
int sr_session_open(sr_session *s);
void sr_session_close(sr_session *s);
/* Write what waits, and with --state keep it first; false when that fails. */
bool sr_session_flush(sr_session *s);
/* What becomes of lines, in their order; `contributions` and `alerts` are what
 * the items point into. */
void sr_settle_items(sr_session *s, const sr_item *items, size_t count,
                     char *contributions, const char *alerts);
/* One line, by the main thread's worker. */
void sr_settle_line(sr_session *s, sr_item *item);
/* While that goes on: write the alerts of all items up to this one. */
void sr_settle_until(sr_session *s, uint32_t item);
/* A signal asks the run to end. */
bool sr_interrupted(void);

/* -------- map.c, reduce.c ------------------------------------------------ */

/* Lines for what a run would tell its correlations, and for alerts. */
void sr_map_item(sr_session *s, const sr_item *item, char *contributions,
                 const char *alerts);
/* The last line. */
void sr_map_finish(sr_session *s);
/* Read sorted lines and write what one run would. */
void sr_reduce_run(sr_session *s);
/* A correlation fired: false when the alert is to be written at once. */
bool sr_reduce_firing(struct sr_reduce *r, const sr_alert *alert,
                      sr_place place, uint32_t component);

/* -------- sink.c --------------------------------------------------------- */

/* Open the files of the options, those of an earlier run with `keep`; an exit
 * code. */
int sr_sinks_open(sr_session *s, bool keep);
/* Write what waits; false once writing has failed, which is told. */
bool sr_sink_write(sr_session *s, sr_sink *sink);
bool sr_sinks_write(sr_session *s);
bool sr_sinks_waiting(const sr_session *s);
/* So much waits that it should be written now. */
bool sr_sinks_full(const sr_session *s);
void sr_sinks_close(sr_session *s);

/* -------- feed.c --------------------------------------------------------- */

/* One line, which counts: settled unless it is blank, a loss when item->reason
 * says why it cannot be read. */
void sr_feed_line(sr_session *s, sr_item *item);
/* Read the inputs of the options, one after the other or, with --follow, in
 * turn, until they end or the run does. */
void sr_feed(sr_session *s);

/* -------- resume.c ------------------------------------------------------- */

/* Open --state and bring back what it holds; an exit code, all told. */
int sr_resume_open(sr_session *s);
/* Whether there was no state. */
bool sr_resume_fresh(const sr_session *s);
/* The sinks are open: write what an earlier run did not come to write. */
bool sr_resume_outputs(sr_session *s);
/* Where reading of a source stood; NULL when it was never read. */
const sr_cursor *sr_resume_cursor(sr_session *s, uint32_t source);
/* Remember where it stands now. */
void sr_resume_reading(sr_session *s, uint32_t source, const sr_cursor *cursor);
/* The contributions of one event go to the engine next. */
void sr_resume_note(sr_session *s, const char *contributions, size_t len);
/* Whether it is time to keep what happened. */
bool sr_resume_due(const sr_session *s, int64_t now);
/* Keep everything, in one transaction, and write the outputs; no event is in
 * the middle of being settled. */
bool sr_resume_commit(sr_session *s);
/* The last one; all groups are kept, the run is over: `complete` when the
 * results of all that was read are out. After a failure nothing is kept, and
 * the next run goes on from the last transaction. */
bool sr_resume_finish(sr_session *s, bool complete);
/* Whether anything was read since the results of search mode were written. */
bool sr_resume_news(const sr_session *s);
/* --strict stops at a line: the next run with it goes no further, one without
 * goes on behind that line. */
void sr_resume_refuse(sr_session *s);
/* Whether an earlier run did so, and this one is not to go on. */
bool sr_resume_refused(sr_session *s);
void sr_resume_close(sr_session *s);

/* -------- moves.c -------------------------------------------------------- */

/* Components of correlations that a kept state knows by another name: some of
 * their correlations are gone, changed or new. */
typedef struct sr_moves {
    SG_VEC(uint64_t) from; /* old name ... */
    SG_VEC(uint32_t) to;   /* ... and a component of this detector */
    sg_buf record;         /* scratch */
} sr_moves;

/* A correlation of component `to` was in a component of name `from`. True when
 * that is another name. */
bool sr_moves_add(sr_moves *m, sr_session *s, uint64_t from, uint32_t to);
/* As sr_wire_get, of one whole record; those of components that moved go to
 * each they moved to. */
sr_wire_status sr_moves_get(sr_moves *m, const sr_session *s, sg_str bytes,
                            sg_buf *out);
void sr_moves_free(sr_moves *m);

/* -------- profile.c ------------------------------------------------------ */

/* What the threads found, on standard error. */
void sr_profile_report(sr_session *s);
/* That of the main thread; NULL without --profile. */
sr_profile *sr_profile_main(const sr_session *s);

/* -------- worker.c ------------------------------------------------------- */

/* NULL, and told, when the detector is broken. The session's detector, options
 * and layout are set. One for another thread than the main thread's shares with
 * that what is made once, unless SIGCC_SHARE=0; it is closed first. */
sr_worker *sr_worker_open(sr_session *s);
void sr_worker_close(sr_worker *w);
/* Count a line; false for one of white space alone, which is no event. */
bool sr_worker_meet(sr_worker *w, sg_str line);
/* Whether there are lines now that may be passed over. */
bool sr_worker_may_pass_over(const sr_worker *w);
/* Pass over lines at the beginning of a text that cannot match, many at once:
 * checked, which is all that an event comes to that matches nothing, or with
 * --unchecked not even that. They are counted. Text, result and *clear are
 * those of sr_prefilter_lines. */
sr_kept_out sr_worker_pass_over(sr_worker *w, sg_str text, size_t *clear);
/* Give back what a huge line needed; the event at hand is forgotten. */
void sr_worker_rest(sr_worker *w);
/* Find out what item->line, place and offset mean. Contributions are appended
 * to w->contributions. The event stays for sr_alert_hits until the next. */
void sr_worker_match(sr_worker *w, sr_item *item);

/* -------- times.c -------------------------------------------------------- */

/* Time fields wanted of matched events, into `wants`, which holds
 * sr_time_wants_max(); sets time_slot and time_count. */
uint32_t sr_time_wants_max(void);
void sr_time_wants(const sr_session *s, sr_plans *plans, sr_want *wants);
/* Fill w->hits with the rules matched and the event's time for each. */
void sr_read_times(sr_worker *w, size_t count);

/* -------- alerts.c ------------------------------------------------------- */

/* Write alerts of the visible ones among the worker's first `count` hits;
 * returns their number. */
size_t sr_alert_hits(sr_worker *w, sr_output *out, sr_place place,
                     size_t count);
/* The alert of a rule as another process made it: its place and identity. */
void sr_alert_again(sr_session *s, sr_output *out, sr_place place,
                    sr_alert *alert);
/* sr_firing_fn; ctx is the session. */
void sr_alert_firing(void *ctx, const sr_firing *firing);
/* Room for alerts of this detector, in the arena. */
void sr_alert_scratch(const sigma_detector *d, sg_arena *arena,
                      sr_scratch *scratch);

/* In a thread: make the alerts of the item just matched. */
void sr_alert_pieces(sr_worker *w, sr_item *item);
/* Whether there are any. */
bool sr_alert_due(const sr_worker *w, const sr_item *item);
/* The alert of an event that came too late, for --late. */
void sr_alert_late(sr_session *s, const sr_item *item);

/* -------- sequence.c ----------------------------------------------------- */

/* Puts contributions in order of time, as far as --allowed-lateness goes, and
 * feeds them to the engine. Never NULL. */
struct sr_sequence *sr_sequence_open(sr_session *s);
void sr_sequence_close(struct sr_sequence *q);
/* The contributions of one event, in order of arrival; they stay where they are
 * until the next flush. `item` is given back by sr_sequence_item. True when the
 * event came later than allowed. */
bool sr_sequence_event(struct sr_sequence *q, char *contributions, size_t len,
                       uint32_t item);
/* Feed what is due. */
void sr_sequence_flush(struct sr_sequence *q);
/* All that waits is due, and is fed. */
void sr_sequence_finish(struct sr_sequence *q);
/* While feeding: the item of the event that made this turn (by its number) due;
 * UINT32_MAX for none. */
uint32_t sr_sequence_item(const struct sr_sequence *q, uint64_t number);

typedef struct sr_sequence_clock {
    uint64_t events, fed;
    int64_t newest;
} sr_sequence_clock;
sr_sequence_clock sr_sequence_clock_get(const struct sr_sequence *q);
void sr_sequence_clock_set(struct sr_sequence *q, sr_sequence_clock clock);
/* What is held back, in no order, and back again. */
void sr_sequence_each(const struct sr_sequence *q,
                      void (*fn)(void *ctx, const sr_contribution *c),
                      void *ctx);
bool sr_sequence_restore(struct sr_sequence *q, const sr_contribution *c);

/* -------- lessons.c ------------------------------------------------------ */

/* Append an entry of a learned table as a record. */
void sr_lesson_put(const sr_session *s, uint32_t table, sg_str key,
                   sg_str value, sg_buf *out);
/* Take such records back; counts those of tables that are not there. False when
 * they are damaged. */
bool sr_lessons_read(sr_session *s, sg_str bytes, uint64_t *dropped);

/* -------- enriching.c ---------------------------------------------------- */

/* Open the enrichment and read its lookup files; returns an exit code. */
int sr_enriching_open(sr_session *s);
void sr_enriching_close(sr_session *s);
/* Whether the file is one of the lookups. */
bool sr_enriching_reads(const sr_session *s, const struct stat *file);
/* Fill w->scratch.added with what the event at hand got; returns how many. */
uint32_t sr_enriching_pairs(sr_worker *w);
/* Add a worker's counts; take over those of the tables. */
void sr_enriching_count(sr_session *s, sr_worker *w);
void sr_enriching_gather(sr_session *s);
/* The counters are those of earlier runs: what the tables count comes on top.
 */
void sr_enriching_carry(sr_session *s);

/* -------- losses.c ------------------------------------------------------- */

/* A line on standard error: "PROGRAM: ...", or the same without PROGRAM where
 * s->said takes it; %s of paths go through sr_shown. */
#if defined(__GNUC__)
__attribute__((format(printf, 2, 3)))
#endif
void sr_say(const sr_session *s, const char *fmt, ...);
/* Text fit for a terminal, in the session's arena. */
const char *sr_shown(sr_session *s, sg_str text);
/* The item's line cannot be read. */
void sr_reject(sr_session *s, const sr_item *item);
/* Add what a worker, which is idle, has counted to the session's counters. */
void sr_count_worker(sr_session *s, sr_worker *w);
/* The same for whatever counts on its own; all lines so far are settled. */
void sr_gather(sr_session *s);
/* The counters with what stats.def says of them. */
void sr_counters_get(const sr_stats *stats, sr_counter out[SR_COUNTERS]);
/* At the end: the losses, and --stats. */
void sr_report(sr_session *s);

#endif
