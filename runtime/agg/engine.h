/*
 * engine.h - the correlation engine's own types, private to this folder:
 * agg.c hands contributions to shards and keeps the bounds, correlate.c runs
 * one through its correlations, group.c keeps the groups of a shard, state.c
 * and sketch.c what each type of correlation remembers, charge.c says what a
 * group counts for, compact.c keeps the memory near that, search.c writes the
 * rows at the end, save.c turns groups into bytes and back.
 */
#ifndef SR_AGG_ENGINE_H
#define SR_AGG_ENGINE_H

#include "agg/layout.h"
#include "agg/parts.h"

enum {
    SR_TABLES = 1024, /* sub-tables of a shard: none takes long to grow */
    SR_CLASSES = 64   /* of timespans; groups of a class expire in order */
};

/* "Never": before any time a window can reach. */
#define SR_NEVER INT64_MIN

typedef struct sr_copy {
    char *ptr;
    uint32_t len, cap;
    uint8_t kind;
} sr_copy;

/* What search mode keeps of a group for its row. */
typedef struct sr_row_state {
    int64_t oldest;          /* time */
    sr_place created, place; /* of its first event to arrive, and the last */
    sr_copy first, last;     /* time fields as written, for reports */
} sr_row_state;

/* What a type with value fields remembers. */
typedef union sr_state {
    struct {
        sr_table distinct;
        uint64_t distinct_bytes; /* of what lies in the table */
    };
    struct sr_hll *hll;
    sr_sum sum;
    sr_order order;
} sr_state;

/* What every update touches comes first. */
typedef struct sr_group {
    sr_item item;   /* the key: the correlation; per part its length and text */
    uint64_t turn;  /* of the contribution that touched it last */
    uint64_t count; /* events in the window */
    int64_t newest; /* time */
    struct sr_group *prev, *next; /* of its class, the longest idle first */
    sr_window window;
    uint32_t correlation;
    uint16_t rank;     /* scratch of save.c: among those of one event */
    bool timed : 1;    /* oldest and newest mean something */
    bool holds : 1;    /* the condition did, after the last event */
    bool dirty : 1;    /* marks must be made anew from the window */
    bool sketched : 1; /* the state is a sketch */
    bool saved : 1;    /* sr_agg_save told of it */
    bool odd : 1;      /* it was made in an odd era of the pool */
    sr_row_state *row; /* search mode only */
    sr_state state[];  /* one; or marks, of types that count rules; or nothing.
                        * Then room for the first events of the window, the
                        * key's bytes, a kind per part */
} sr_group;

/* Times of refs, as many as the type needs. */
static inline int64_t *sr_marks_of(const sr_group *group)
{
    return (int64_t *)(uintptr_t)group->state;
}

/* A referenced rule (or correlation) met by the event at hand. */
typedef struct sr_pending {
    uint32_t ref;
    const sr_part_hit *hit;
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

/* What does not change about a correlation. */
typedef struct sr_corr {
    const sigma_correlation *def;
    const struct sr_type *type;
    const uint32_t *sources;
    const uint32_t *part_keys; /* per field of the partition: its key */
    uint32_t mark_count;
    uint32_t class;
    bool plain;    /* ordered: only the whole list counts */
    bool twice;    /* ordered: some rule stands in the list twice */
    bool windowed; /* keeps its events one by one */
    bool ends;     /* keeps the text of first and last times */
    bool whole;    /* its groups are the component's partitions ... */
    bool ready;    /* ... and their keys the values in the same order */
} sr_corr;

/* A correlation as one shard runs it. */
typedef struct sr_corr_run {
    sr_pending *pending; /* room for every ref */
    uint32_t pending_count;
    sr_corr_stats losses;
} sr_corr_run;

/* Groups of one class of timespans, the longest idle first. */
typedef struct sr_idle_list {
    sr_group *first, *last;
} sr_idle_list;

/* All groups are made anew, a few each time; see compact.c. */
typedef struct sr_compaction {
    bool going;
    unsigned class;        /* of the groups at hand */
    struct sr_group *next; /* of them */
    uint64_t enough;       /* bytes held below which it is not worth while */
} sr_compaction;

/* An engine of its own: its groups meet no other shard's contributions. */
typedef struct sr_shard {
    struct sr_agg *agg;
    sg_arena arena;   /* what lives as long as the engine */
    sr_pool pool;     /* groups and windows */
    sr_pool index;    /* tables of groups */
    uint64_t charged; /* what the groups count for */
    sr_compaction compaction;
    sr_table tables[SR_TABLES];
    sr_idle_list idle[SR_CLASSES];
    sr_corr_run *runs;
    const sr_contribution *c; /* at hand */
    uint64_t turn;            /* its number in the order of feeding */
    int64_t now;              /* its time */
    sg_buf key, tuple;        /* scratch: encoded parts */
    uint64_t hash;            /* of the key, by sr_group_hash */
    uint8_t *kinds;           /* of the key's parts */
    sr_cell *cells;
    sr_touched *touched; /* within one correlation */
    bool *stack;         /* of boolean conditions */
    uint32_t *chains;    /* scratch of ordered correlations: refs and one */
    bool defer;          /* firings wait in `fired` */
    sg_buf fired;
    sr_agg_stats stats;
    sg_buf gone;   /* saved groups that were freed since they were */
    bool save_all; /* there are too many of them to name */
} sr_shard;

struct sr_agg {
    const sr_layout *layout;
    const sigma_detector *detector;
    sr_agg_options options;
    sg_arena arena;
    sr_corr *corrs;
    sr_listener *listeners;   /* of rules, then of correlations */
    uint32_t *listener_first; /* of source i: [first[i], first[i + 1]) */
    sr_shard *shards;
    uint32_t shard_count;
    uint32_t classes;      /* in use */
    int64_t watermark;     /* newest time of all events */
    uint64_t turn;         /* contributions fed */
    uint64_t step;         /* the largest sr_charge_step */
    const uint32_t *ranks; /* of sources; or NULL */
    bool roomy;            /* no bound can be reached by what is at hand */
};

/* -------- agg.c ---------------------------------------------------------- */

sr_shard *sr_shard_of(sr_agg *agg, uint64_t partition);
/* Let groups go until there may be `bytes` more in `keep`, or in one more group
 * when it is NULL. False when that cannot be, whatever goes. */
bool sr_make_room(sr_shard *s, const sr_group *keep, uint64_t bytes);

/* -------- correlate.c ---------------------------------------------------- */

/* Run the contribution s->c through the correlations of its component. */
void sr_correlate(sr_shard *s);

/* What fires, as it waits in s->fired while shards run at once; the keys' cells
 * follow, then their texts. */
typedef struct sr_deferred {
    uint64_t turn;
    size_t size; /* of it all, a multiple of 16 */
    sr_firing firing;
} sr_deferred;

/* The one that begins at byte `at`; NULL at the end. */
const sr_deferred *sr_deferred_at(const sr_shard *s, size_t at);
/* Hand it out and move on. */
void sr_fire_deferred(sr_shard *s, size_t *at);

/* -------- charge.c ------------------------------------------------------- */

/* The bytes that a group counts for: those it would take had it just been made
 * from what it holds. So it counts the same however it came to be. */
uint64_t sr_charge(const sr_shard *s, const sr_group *group);
/* Of these, what changes while it is there, and what does not. */
uint64_t sr_charge_content(const sr_corr *corr, const sr_group *group);
uint64_t sr_charge_itself(const sr_shard *s, const sr_corr *corr,
                          size_t key_len);
/* By how much that can grow, at most, by the contribution at hand. With
 * `group` NULL: of a new group, whose key lies in s->key. The values lie in
 * s->tuple. */
uint64_t sr_charge_growth(const sr_shard *s, const sr_corr *corr,
                          const sr_group *group, const sr_part_hit *when);
/* The most that any contribution can add to a group of a correlation beyond
 * the bytes of its own and what at most doubles. */
uint64_t sr_charge_step(const sr_agg *agg, const sr_corr *corr);

/* -------- compact.c ------------------------------------------------------ */

/* Whether memory is held far beyond what max_memory allows. */
bool sr_compact_due(const sr_agg *agg);
/* Do some of the work, if there is any. */
void sr_compact(sr_agg *agg);

/* -------- groups (group.c) ----------------------------------------------- */

/* What to encode: values of fields as a hit's rule sees them. */
typedef struct sr_encoding {
    const sr_part_hit *hit;
    uint32_t number; /* goes first */
    const uint32_t *fields;
    uint32_t count;
} sr_encoding;

/* Encode a correlation's number and the values of `count` fields into buf.
 * With `kinds`, note the kind of each. False when some field has no value. */
bool sr_encode(const sr_shard *s, const sr_encoding *what, sg_buf *buf,
               uint8_t *kinds);
/* The group that a hit adds to by its values of `fields`; with NULL for *group
 * a new one, whose key lies in s->key, the kinds of its parts in s->kinds and
 * its hash in s->hash. False when some field has no value. */
bool sr_group_seek(sr_shard *s, const sr_corr *corr, const sr_part_hit *hit,
                   const uint32_t *fields, sr_group **group);
sr_group *sr_group_find(sr_shard *s, uint64_t hash, sg_str key);
/* Hints, of no other effect: a group of this hash is soon to be found. First
 * its place in the table, when that is there the group, then what lies behind
 * it: its window and its neighbours in the order of use. */
void sr_group_fetch_slot(const sr_shard *s, uint64_t hash);
void sr_group_fetch(const sr_shard *s, uint64_t hash);
void sr_group_fetch_behind(const sr_shard *s, uint64_t hash);
/* The same: this one is being let go, those behind it in the order of use will
 * be soon. */
void sr_group_fetch_next(const sr_shard *s, const sr_group *group);
/* A new group of this key, which must not be there; the caller fills it, and
 * charges the shard. NULL for want of memory. */
sr_group *sr_group_new(sr_shard *s, const sr_corr *corr, uint64_t hash,
                       sg_str key, const uint8_t *kinds);
void sr_group_free(sr_shard *s, sr_group *group);
/* The same of all there are. */
void sr_groups_free(sr_shard *s);
/* The same, and their memory: no group can be made any more. */
void sr_groups_close(sr_shard *s);
/* Bytes of a group itself, and of its key. */
size_t sr_group_size(const sr_corr *corr, size_t key_len);
/* The group again, made from its bytes (save.c), in the same place. False for
 * want of memory; it is as it was then. */
bool sr_group_renew(sr_shard *s, sr_group *group);
/* An empty one of the same key that is in no table and no list, or NULL; let it
 * take the other's place, or free it again with all that it holds. */
sr_group *sr_group_twin(sr_shard *s, const sr_group *group);
void sr_group_replace(sr_shard *s, sr_group *group, sr_group *by);
void sr_group_discard(sr_shard *s, sr_group *group);
/* The hash of an encoded key whose partition has that of `partition`. */
uint64_t sr_group_hash(const sr_agg *agg, const sr_corr *corr,
                       uint64_t partition, sg_str key);
/* Restore the order of use after groups came in any other. */
void sr_groups_sort(sr_shard *s);
/* No group was touched later than that. */
void sr_groups_cap(sr_shard *s, uint64_t turn);
/* The event at hand touches it. */
void sr_group_touch(sr_shard *s, sr_group *group);
/* The key without the correlation's number. */
sg_str sr_group_parts(const sr_group *group);
const uint8_t *sr_group_kinds(const sr_group *group);
/* The key as cells; they live until the next call. */
const sr_cell *sr_group_cells(sr_shard *s, const sr_group *group);
/* The part of an encoded key at *at; moves on. */
sg_str sr_next_part(sg_str parts, size_t *at);
/* t - span without overflow, never SR_NEVER. */
static inline int64_t sr_cutoff(int64_t t, int64_t span)
{
    return t < SR_NEVER + 1 + span ? SR_NEVER + 1 : t - span;
}

/* -------- what a type remembers (state.c, sketch.c) ----------------------- */

/* How a type of correlation counts. `entry` is what lies in the window behind
 * the time. */
typedef struct sr_type {
    size_t stride; /* of window entries, the time included */
    bool rules;    /* counts rules: each ref of an event adds */
    bool values;   /* needs value fields */
    double error;  /* of its sketch; 0: always exact */
    /* Take in ref and the value at hand; false for want of memory. */
    bool (*add)(sr_shard *s, sr_group *group, uint32_t ref, void *entry);
    /* Forget what entry added. */
    void (*drop)(sr_shard *s, sr_group *group, const void *entry);
    /* What the condition compares. */
    sg_num (*value)(sr_shard *s, sr_group *group);
    void (*free)(sr_shard *s, sr_group *group);
} sr_type;

/* One distinct value; its bytes follow. */
typedef struct sr_distinct {
    sr_item item;
    uint64_t uses;  /* events in the window that carry it */
    uint32_t index; /* scratch of save.c */
    char bytes[];
} sr_distinct;

/* In a window of rules: the ref, and whether it is its event's first entry. */
typedef struct sr_mark_entry {
    uint32_t ref;
    bool fresh;
} sr_mark_entry;

const sr_type *sr_type_of(uint32_t corr_type);
static inline const sr_corr *sr_corr_of(const sr_shard *s,
                                        const sr_group *group)
{
    return &s->agg->corrs[group->correlation];
}
/* int64_t marks a group of this correlation needs. */
uint32_t sr_mark_count(const sr_corr *corr);
/* Read the value fields of a ref into s->tuple (value_count) or s->cells[0]
 * (numbers). False when the event adds nothing. */
bool sr_read_values(sr_shard *s, const sr_corr *corr, const sr_part_hit *hit,
                    const uint32_t *fields);
/* Let go of what is older than the group's newest minus the timespan. */
void sr_expire(sr_shard *s, sr_group *group);
/* Whether the condition holds now; *value is what it compared. */
bool sr_holds(sr_shard *s, sr_group *group, sg_num *value);

/* The value of this key in a group that is not sketched, made when new; NULL
 * for want of memory. */
sr_distinct *sr_distinct_of(sr_shard *s, sr_group *group, sg_str key);
void sr_distinct_free(sr_shard *s, sr_group *group);

/* Go over to a sketch, of the values in the window but for that of `entry`
 * (value_count) or of all (percentiles). False for want of memory. */
bool sr_sketch_distinct(sr_shard *s, sr_group *group, const void *entry);
bool sr_sketch_order(sr_shard *s, sr_group *group);
/* How far off the group's value, `value`, may be: 0 unless it is sketched. */
sr_error sr_error_of(const sr_shard *s, const sr_group *group, sg_num value);

#endif
