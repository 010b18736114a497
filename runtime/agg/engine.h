/*
 * engine.h - the correlation engine's own types, private to this folder:
 * group.c keeps the groups, state.c what each type of correlation remembers,
 * correlate.c runs events through, search.c writes the rows at the end.
 */
#ifndef SR_AGG_ENGINE_H
#define SR_AGG_ENGINE_H

#include "agg/agg.h"
#include "agg/parts.h"

enum { SR_SHARDS = 256 }; /* sub-tables, so that none takes long to grow */

/* "Never": before any time a window can reach. */
#define SR_NEVER INT64_MIN

typedef struct sr_copy {
    char *ptr;
    uint32_t len, cap;
    uint8_t kind;
} sr_copy;

/* The time fields behind first_seen and last_seen, as written. */
typedef struct sr_ends {
    sr_copy first, last;
} sr_ends;

/* What every update touches comes first and fits one cache line. */
typedef struct sr_group {
    sr_item item;   /* the key: per part its length and text */
    uint64_t event; /* number of the event that touched it last */
    uint64_t count; /* events in the window */
    int64_t newest; /* time */
    sr_window window;
    sr_place place; /* of the event that touched it last */
    uint32_t correlation;
    bool timed; /* oldest and newest mean something */
    bool holds;
    bool dirty; /* marks must be made anew from the window */
    union {
        sr_table distinct;
        sr_sum sum;
        sr_order order;
    } state;
    int64_t oldest; /* time; in search mode only */
    sr_ends *ends;
    uint64_t serial;
    struct sr_group *prev, *next; /* all groups, in order of creation */
    int64_t marks[]; /* then the key's bytes, then a kind per part */
} sr_group;

/* A referenced rule (or correlation) met by the event at hand. */
typedef struct sr_pending {
    uint32_t ref;
    const sr_hit *hit;
} sr_pending;

/* A group the event at hand added to, and the first in the list of rules by
 * which it did. */
typedef struct sr_touched {
    sr_group *group;
    sr_pending by;
} sr_touched;

typedef struct sr_listener {
    uint32_t correlation, ref;
} sr_listener;

/* What the engine keeps per correlation. */
typedef struct sr_corr {
    const sigma_correlation *def;
    const struct sr_type *type;
    sr_table shards[SR_SHARDS];
    sr_pending *pending; /* room for every ref */
    uint32_t pending_count;
    uint32_t mark_count;
    bool plain;    /* ordered: only the whole list counts */
    bool twice;    /* ordered: some rule stands in the list twice */
    bool windowed; /* keeps its events one by one */
    bool ends;     /* keeps the text of first and last times */
    uint32_t listener_first, listener_count;
    uint64_t refused;
} sr_corr;

struct sr_agg {
    const sigma_detector *detector;
    sr_agg_options options;
    sg_arena arena; /* what lives as long as the engine */
    sr_pool pool;   /* groups and windows: bounded by max_memory */
    sr_pool index;  /* tables of groups: how these grow depends on the salt, so
                     * that counting them would make results differ */
    sr_corr *corrs;
    sr_listener *listeners; /* of rules, then of correlations */
    uint32_t *rule_first;   /* rule r: [rule_first[r], rule_first[r + 1]) */
    uint64_t *active;       /* bit c: correlation c has something pending */
    sr_group *first, *last; /* all groups */
    sr_group *hand;         /* where the search for dead groups goes on */
    uint64_t fruitless;     /* groups it passed since it last found one */
    int64_t sweep_at;       /* no search before the watermark is here */
    int64_t watermark;      /* newest time of all events */
    int64_t min_timespan;
    uint64_t serial, event;
    int64_t now;       /* time of the contribution at hand */
    sg_buf key, tuple; /* scratch: salt, then encoded parts */
    uint8_t *kinds;    /* of the key's parts */
    sr_cell *cells;
    sr_touched *touched; /* within one correlation */
    bool *stack;         /* of boolean conditions */
    sr_agg_stats stats;
};

/* -------- groups (group.c) ----------------------------------------------- */

/* Encode the values of `count` fields into buf. With `kinds`, note the kind of
 * each. False when some field has no value. */
bool sr_encode(sr_agg *agg, sg_buf *buf, uint32_t rule, const uint32_t *fields,
               uint32_t count, uint8_t *kinds);
uint64_t sr_encoded_hash(const sg_buf *buf);
sg_str sr_encoded_key(const sg_buf *buf);
/* The group of the encoded key, made when new. NULL, counted as refused, when
 * there is no room. */
sr_group *sr_group_of(sr_agg *agg, sr_corr *corr);
void sr_group_free(sr_agg *agg, sr_group *group);
/* Free a few groups whose window is empty, never `keep`; false when none was
 * found. */
bool sr_make_room(sr_agg *agg, const sr_group *keep);
/* The key as cells; they live until the next call. */
const sr_cell *sr_group_cells(sr_agg *agg, const sr_group *group);
/* t - span without overflow, never SR_NEVER. */
int64_t sr_cutoff(int64_t t, int64_t span);

/* -------- what a type remembers (state.c) -------------------------------- */

/* How a type of correlation counts. `entry` is what lies in the window behind
 * the time. */
typedef struct sr_type {
    size_t stride; /* of window entries, the time included */
    bool rules;    /* counts rules: each ref of an event adds */
    bool values;   /* needs value fields */
    /* Take in ref and the value at hand; false for want of memory. */
    bool (*add)(sr_agg *agg, sr_group *group, uint32_t ref, void *entry);
    /* Forget what entry added. */
    void (*drop)(sr_agg *agg, sr_group *group, const void *entry);
    /* What the condition compares. */
    sg_num (*value)(sr_agg *agg, sr_group *group);
    void (*free)(sr_agg *agg, sr_group *group);
} sr_type;

const sr_type *sr_type_of(uint32_t corr_type);
/* int64_t marks a group of this correlation needs. */
uint32_t sr_mark_count(const sr_corr *corr);
/* Read the value fields of a ref into agg->tuple (value_count) or
 * agg->cells[0] (numbers). False when the event adds nothing. */
bool sr_read_values(sr_agg *agg, const sr_corr *corr, uint32_t rule,
                    const uint32_t *fields);
/* Let go of what is older than the group's newest minus the timespan. */
void sr_expire(sr_agg *agg, sr_group *group);
/* Whether the condition holds now; *value is what it compared. */
bool sr_holds(sr_agg *agg, sr_group *group, sg_num *value);

#endif
