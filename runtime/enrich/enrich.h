/*
 * enrich.h - fields that events do not carry, from what others said: tables
 * filled from files (lookups) or from earlier events (learned), and the steps
 * that use them, as compiled from an enrichment file.
 *
 * An event first teaches, by its own fields, then gets values, step by step. A
 * step fills a field that has no value: missing, null, an empty text or list;
 * it never replaces one. Keys and conditions compare the text of values; a
 * field that is a list teaches and is a key by its first value. What a table
 * learns under a key replaces what it knew. Keywords do not see added values.
 *
 * Tables are bounded; what is idle longest is forgotten first. Nothing is
 * allocated per event once warm.
 */
#ifndef SR_ENRICH_H
#define SR_ENRICH_H

#include "input/input.h"
#include "record/record.h"

typedef struct sr_enrich sr_enrich;

/* NULL when the detector, which must have been checked and outlive this, has no
 * enrichment. `max_memory`: bytes of learned tables; as much again for those
 * from files. */
sr_enrich *sr_enrich_open(const sigma_detector *detector, uint64_t max_memory);
/* Accepts NULL. */
void sr_enrich_close(sr_enrich *enrich);

/* -------- events --------------------------------------------------------- */

/* What one thread needs to enrich: scratch, and its counts. */
typedef struct sr_enrich_work {
    sg_buf key, value;
    uint32_t *added; /* fields the event at hand got, in order */
    uint32_t added_count;
    struct sr_column *columns; /* of an entry */
    int8_t *whens;     /* per condition: -1 not asked yet, else its verdict */
    uint64_t enriched; /* events that got a value */
    uint64_t missed;   /* events with a key that a table does not have */
} sr_enrich_work;

void sr_enrich_work_open(sr_enrich_work *work, const sr_enrich *enrich);
void sr_enrich_work_close(sr_enrich_work *work);

/* Whether events fill tables: then their order matters and one thread must
 * enrich all. Else any number may, each with work of its own. */
bool sr_enrich_learns(const sr_enrich *enrich);

/* Learn from a projected event, and add to its slots (those of field ids).
 * `again`: the event was here before; it does not teach and is not counted.
 * Values added borrow from the tables until the next event. */
void sr_enrich_event(sr_enrich *enrich, sr_enrich_work *work, sr_event *event,
                     bool again);

/* -------- lookups -------------------------------------------------------- */

/* A row of a lookup file that cannot be used. */
typedef void sr_lookup_reject_fn(void *ctx, uint64_t line, const char *reason);

/* Index of the lookup table of that name, or SIGMA_NONE. */
uint32_t sr_lookup_find(const sr_enrich *enrich, sg_str name);
/* Fill a lookup table from a file, plain or compressed: NDJSON when its first
 * line begins with '{', else CSV (RFC 4180) with a header. Several files may
 * fill one table; of rows with the same key the last counts. False with the
 * reason, without the path, when the file cannot be read to its end or lacks a
 * column. */
bool sr_lookup_load(sr_enrich *enrich, uint32_t table, const char *path,
                    sr_lookup_reject_fn *reject, void *ctx,
                    char reason[SR_INPUT_REASON]);

/* -------- state ---------------------------------------------------------- */

/* An entry of a learned table (index into detector->enrich_tables): its key,
 * and its value, whose ptr is NULL when it was forgotten. Opaque bytes of this
 * version of the runtime on this kind of machine, living until the callback
 * returns. */
typedef bool sr_enrich_fn(void *ctx, uint32_t table, sg_str key, sg_str value);

/* Each learned entry, oldest first, until `fn` returns false; then false. */
bool sr_enrich_each(const sr_enrich *enrich, sr_enrich_fn *fn, void *ctx);
/* Take an entry back, whatever its bytes are: false when they are not those of
 * an entry of this table, or do not fit. */
bool sr_enrich_restore(sr_enrich *enrich, uint32_t table, sg_str key,
                       sg_str value);
/* Have `fn` (or nobody: NULL) called for each later change of a learned table;
 * what it returns does not count. */
void sr_enrich_watch(sr_enrich *enrich, sr_enrich_fn *fn, void *ctx);

/* -------- counts --------------------------------------------------------- */

typedef struct sr_enrich_stats {
    uint64_t learned; /* entries made or changed by events */
    uint64_t evicted; /* learned entries forgotten for want of room */
    uint64_t refused; /* entries too large to keep, or lookup rows beyond the
                       * bound */
    uint64_t entries; /* now in all tables */
    uint64_t lookup_rows, lookup_rejected, lookup_duplicates;
} sr_enrich_stats;

sr_enrich_stats sr_enrich_totals(const sr_enrich *enrich);

#endif
