/*
 * resume.h - the state of --state between resume.c, which decides what is kept
 * and when, and kept.c, which turns it into rows and back; private to this
 * folder.
 */
#ifndef SR_HOST_RESUME_H
#define SR_HOST_RESUME_H

#include "host/host.h"
#include "state/store.h"

/* Records that wait for a transaction, and where each row of them begins. */
typedef struct sr_records {
    sg_buf bytes;
    SG_VEC(size_t) rows;
} sr_records;

typedef struct sr_resume {
    sr_store *store;
    const char *path;          /* as shown */
    bool fresh;                /* there was no state */
    bool rebuilt;              /* it is of another pack */
    bool dirty;                /* something is not kept yet */
    bool news;                 /* lines were read since results were written */
    bool refused;              /* --strict stopped at an unreadable line */
    SG_VEC(sr_cursor) cursors; /* per source */
    SG_VEC(bool) known;        /* the source was read before */
    SG_VEC(bool) moved;        /* its cursor is not kept yet */
    uint32_t *ids;             /* per correlation: its number in the store */
    sg_str *names;             /* per correlation: its name there */
    uint32_t next_id;
    bool parted;                         /* some group took more than one row */
    sr_records journal, lessons;         /* since the last transaction */
    uint64_t journal_row, journal_bytes; /* next key; in the store */
    uint64_t table_bytes;      /* of learned tables, when last written */
    uint64_t saved;            /* turn at which groups were last written */
    uint32_t outbox[SR_SINKS]; /* rows of bytes to be written */
    int64_t kept, took;        /* clock of the last transaction; what it cost */
    sr_output_state output;    /* as the last run left it */
} sr_resume;

/* What loading looks up. */
typedef struct sr_loader {
    sr_session *s;
    sg_map by_name;       /* correlations of this detector */
    SG_VEC(sg_str) stale; /* names in the store of others */
    sg_map by_id;         /* number in the store: correlation */
    sg_buf key, value;    /* of the group at hand */
    sg_buf contributions;
    sr_moves moves;     /* components that have another name now */
    uint64_t dropped;   /* contributions of correlations that are gone */
    uint64_t forgotten; /* lessons of tables that are */
} sr_loader;

/* Numbers as keys, in their order. */
sg_str sr_key_of(uint64_t n, char out[8]);
bool sr_number_of(sg_str key, uint64_t *n);
bool sr_put_meta(sr_resume *r, const char *name, const sg_buf *value);
void sr_records_clear(sr_records *records);

/* -------- keeping: inside a transaction; false when the store fails ------ */

/* Correlations of the detector that the store does not know get a number. */
void sr_meet_correlations(sr_session *s);
bool sr_keep_correlations(sr_session *s);
/* Groups touched since they were last kept. */
bool sr_keep_groups(sr_session *s);
bool sr_keep_group(void *ctx, uint32_t correlation, sg_str parts,
                   const sg_str *value); /* sr_save_fn */
bool sr_keep_clocks(sr_session *s);
bool sr_keep_counters(sr_session *s);
bool sr_keep_held(sr_session *s);
bool sr_keep_journal(sr_session *s);
bool sr_keep_tables(sr_session *s);
/* sr_enrich_fn; ctx is the session: a lesson goes into the journal. */
bool sr_note_lesson(void *ctx, uint32_t table, sg_str key, sg_str value);

/* -------- names ---------------------------------------------------------- */

/* The name of each correlation in the store. */
void sr_name_correlations(sr_session *s);

/* -------- loading: sr_store_fn, ctx a loader; false for damaged rows ----- */

bool sr_load_correlation(void *ctx, sg_str key, sg_str value);
bool sr_load_group(void *ctx, sg_str key, sg_str value);
/* The last group is complete. */
bool sr_load_whole(sr_loader *l);
bool sr_load_clocks(sr_session *s, sg_str bytes);
bool sr_load_counters(sr_session *s, sg_str bytes, sr_output_state *out);
bool sr_load_held(void *ctx, sg_str key, sg_str value);
bool sr_load_journal(void *ctx, sg_str key, sg_str value);
bool sr_load_table(void *ctx, sg_str key, sg_str value);

#endif
