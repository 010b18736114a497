/*
 * plan.h - inside of the projector: the compiled plan and its working state.
 * Only runtime/record and its tests include it.
 *
 * A plan is a trie of keys. A trie node feeds cells; a cell is the value list
 * of one path. A wanted field uses several cells, best rank first. While a
 * line is scanned values are appended to the event in the order of the line;
 * what a repeated key overrides is a range of that array, marked dead.
 */
#ifndef SR_PLAN_H
#define SR_PLAN_H

#include "record/record.h"

#include <string.h>

/* -------- shapes.def as data ------------------------------------------- */

typedef enum sr_shape {
#define TEXT(root)
#define SHAPE(id, object1, object2, key1, key2) SR_SHAPE_##id,
#define FIELD(shape, name, path)
#define PREFIX(shape, path)
#include "record/shapes.def"
#undef TEXT
#undef SHAPE
#undef FIELD
#undef PREFIX
    SR_SHAPE_COUNT,
    SR_SHAPE_ANY /* a place that no shape guards */
} sr_shape;

typedef struct sr_shape_marks {
    sg_str object[2], key[2]; /* len 0: none */
} sr_shape_marks;

/* A FIELD or PREFIX row; name.len 0 in the latter. */
typedef struct sr_shape_row {
    sr_shape shape;
    sg_str name, path;
} sr_shape_row;

extern const sr_shape_marks sr_shape_marks_of[SR_SHAPE_COUNT];
extern const sr_shape_row sr_shape_rows[];
extern const uint32_t sr_shape_row_count;
/* Whether paths below this top-level key follow the #text rule. */
bool sr_shape_has_text(sg_str root);

/* -------- plan --------------------------------------------------------- */

/* A set of bytes: bit (byte >> 4 & 7) of low[byte & 15]. Non-ASCII bytes
 * share the places of ASCII ones. */
typedef struct sr_bytes {
    uint8_t low[16];
} sr_bytes;

/* What wanted keys begin and end with, quotes for the empty one. */
typedef struct sr_ends {
    sr_bytes first, last;
} sr_ends;

extern const sr_ends sr_any_ends; /* all bytes */

typedef struct sr_node {
    uint32_t table, mask; /* children: hash table in keys[table..+mask] */
    uint32_t sketch, sketch_mask; /* bits of their sr_key_sketch, in sketches */
    uint32_t wild;                /* child for every other key, or SIGMA_NONE */
    uint32_t feed_first, feed_count; /* cells its values go to */
    uint32_t feed;                   /* the first of them: most have no other */
    uint32_t mark; /* cell that notes an object here, or SIGMA_NONE */
    bool spaced;   /* has children for keys without their blanks */
    bool many;     /* so many children that their ends tell little */
} sr_node;

/* First byte of the key of such a child; no text of an event has it. */
#define SR_SPACED '\xFF'

static inline bool sr_has_blank(sg_str key)
{
    return key.len != 0 && memchr(key.ptr, ' ', key.len) != NULL;
}

/* The key without its blanks behind SR_SPACED, to dst of 1 + key.len bytes. */
static inline sg_str sr_spaced_key(char *dst, sg_str key)
{
    size_t len = 0;

    dst[len++] = SR_SPACED;
    for (size_t i = 0; i < key.len; i++)
        if (key.ptr[i] != ' ')
            dst[len++] = key.ptr[i];
    return (sg_str){dst, len};
}

typedef struct sr_key {
    sg_str text;
    uint32_t hash; /* upper half of sr_key_hash */
    uint32_t node; /* SIGMA_NONE: a free place */
} sr_key;

/* Field number `want`, whose slot it is, may take the values of a cell. */
typedef struct sr_use {
    uint32_t want, slot, rank, shape;
} sr_use;

typedef struct sr_cell {
    uint32_t use_first, use_count;
    sr_use use; /* the first of them: most have no other */
} sr_cell;

/* When lines are read by layouts (layout.c). */
typedef enum sr_layout_set {
    SR_LAYOUTS_NEVER,
    SR_LAYOUTS_PAYING, /* while most lines have a known one */
    SR_LAYOUTS_ALWAYS
} sr_layout_set;

typedef struct sr_level sr_level; /* a way of scanning: scan.h */

struct sr_plan {
    const sr_level *level;
    uint64_t seed[2];
    sr_node *nodes; /* 0 is the top-level object */
    sr_ends *ends;  /* per node, of the keys of its children */
    sr_key *keys;
    uint8_t *sketches; /* bit sets, 8 bits a byte */
    uint32_t *feeds;
    sr_cell *cells;
    sr_use *uses;
    uint32_t node_count, cell_count, want_count;
    uint32_t keywords; /* cell of every scalar, or SIGMA_NONE */
    sr_layout_set layouts;
    struct {
        uint32_t object[2], key[2]; /* cells */
    } marks[SR_SHAPE_COUNT];
};

/* Cell i of those that the node's values go to. */
static inline uint32_t sr_feed_of(const sr_plan *plan, const sr_node *node,
                                  uint32_t i)
{
    return i == 0 ? node->feed : plan->feeds[node->feed_first + i];
}

/* -------- hash of a key ------------------------------------------------ */

__extension__ typedef unsigned __int128 sr_wide;

static inline uint64_t sr_hash_mix(uint64_t a, uint64_t b)
{
    const sr_wide product = (sr_wide)a * b;

    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static inline uint64_t sr_hash_8(const char *p)
{
    uint64_t word;

    memcpy(&word, p, 8);
    return word;
}

static inline uint64_t sr_hash_4(const char *p)
{
    uint32_t word;

    memcpy(&word, p, 4);
    return word;
}

/* All of up to 7 bytes, loads overlapping. */
static inline uint64_t sr_hash_tail(const char *p, size_t len)
{
    if (len >= 4)
        return sr_hash_4(p) << 32 | sr_hash_4(p + len - 4);
    if (len == 0)
        return 0;
    return (uint64_t)(unsigned char)p[0] << 16 |
           (uint64_t)(unsigned char)p[len / 2] << 8 | (unsigned char)p[len - 1];
}

/* Keyed: an event cannot choose keys that collide. */
static inline uint64_t sr_key_hash(const sr_plan *plan, sg_str key)
{
    const uint64_t seed = plan->seed[1];
    const char *p = key.ptr;
    size_t left = key.len;
    uint64_t hash = plan->seed[0] ^ key.len;

    for (; left > 16; left -= 16, p += 16)
        hash = sr_hash_mix(sr_hash_8(p) ^ seed, sr_hash_8(p + 8) ^ hash);
    if (left >= 8)
        return sr_hash_mix(sr_hash_8(p) ^ seed, sr_hash_8(p + left - 8) ^ hash);
    return sr_hash_mix(sr_hash_tail(p, left) ^ seed, hash);
}

/* Whether two keys are the same; most have up to 16 bytes. */
static inline bool sr_key_eq(sg_str a, sg_str b)
{
    const size_t len = a.len;

    if (len != b.len)
        return false;
    if (len > 16)
        return memcmp(a.ptr, b.ptr, len) == 0;
    if (len >= 8)
        return ((sr_hash_8(a.ptr) ^ sr_hash_8(b.ptr)) |
                (sr_hash_8(a.ptr + len - 8) ^ sr_hash_8(b.ptr + len - 8))) == 0;
    return sr_hash_tail(a.ptr, len) == sr_hash_tail(b.ptr, len);
}

/* A guess at a key, much cheaper than its hash: tells most unwanted keys. */
static inline uint32_t sr_key_sketch(sg_str key)
{
    const unsigned char *p = (const unsigned char *)key.ptr;

    if (key.len == 0)
        return 0;
    return (uint32_t)key.len * 0x9E5u ^ p[0] * 0x3A7u ^
           p[key.len / 2] * 0x1C3u ^ p[key.len - 1] * 0x2F1u;
}

/* False: the node has no child of that key but the wild one. */
static inline bool sr_node_may_have(const sr_plan *plan, const sr_node *node,
                                    sg_str key)
{
    const uint32_t bit = sr_key_sketch(key) & node->sketch_mask;

    return (plan->sketches[node->sketch + bit / 8] >> bit % 8 & 1) != 0;
}

/* -------- working state, one per event object -------------------------- */

enum { SR_DEAD = 255 }; /* kind of a value that a repeated key overrode */

typedef struct sr_frame {
    uint64_t instance; /* of this object; unique for ever */
    const char *start;
    uint32_t *guess; /* where its next wanted key was last time */
    uint32_t node;   /* of this container, or SIGMA_NONE */
    uint32_t child;  /* node of the member being read */
    uint32_t seen;   /* entry of the member being read, or SIGMA_NONE */
    uint32_t values; /* value_count when it began */
    uint32_t keys;   /* seen_count when it began */
    char close;      /* '}' or ']' */
    bool fresh;      /* nothing read yet */
    bool direct;     /* no array around it */
    bool inner;      /* an array right inside an array */
    bool indexed;    /* its keys seen are in the index */
} sr_frame;

typedef struct sr_work_cell {
    uint64_t run; /* list valid in this run only */
    uint32_t first, last;
} sr_work_cell;

/* Values [from, to) came from this key's latest occurrence in `instance`. The
 * events of a source have their keys in the same order: which was the first one
 * in the object of this node, and which came behind this node's? Both are
 * places in the table of keys of the object's node, and mere guesses: whoever
 * uses one compares the key. */
typedef struct sr_work_node {
    uint64_t instance;
    uint32_t from, to;
    uint32_t first, behind;
} sr_work_node;

typedef struct sr_work_want {
    uint64_t run;
    uint32_t rank;
} sr_work_want;

/* A key of an object that is still open; those of one object are together. */
typedef struct sr_seen {
    uint64_t hash; /* of key and object */
    sg_str key;
    uint32_t from, to;
    bool indexed;
} sr_seen;

typedef struct sr_seen_ref {
    uint32_t epoch, entry;
    uint32_t hash; /* upper half of the entry's */
} sr_seen_ref;

typedef struct sr_layouts sr_layouts;

typedef struct sr_work {
    uint64_t serial; /* last instance or run given out */
    sr_work_cell *cells;
    uint32_t *touched; /* cells with values in this run */
    sr_work_node *nodes;
    sr_work_want *wants;
    sr_seen *seen;
    sr_seen_ref *index; /* hash table over seen of large objects; 2^n places */
    uint32_t cell_cap, node_cap, want_cap, seen_cap, index_cap;
    uint32_t touched_count, seen_count, seen_peak, epoch;
    uint32_t indexed; /* entries in the index */
    bool any_dead;
    sr_layouts *layouts; /* layout.c; NULL: not yet */
    sr_frame frames[SR_MAX_DEPTH];
} sr_work;

/* Ready the working state for one scan; returns the run's number, or 0 when
 * out of memory. */
uint64_t sr_work_begin(sr_event *event, const sr_plan *plan);
/* The layouts of a working state; accepts NULL. */
void sr_layouts_free(sr_layouts *layouts);
/* No values, all slots missing. */
void sr_event_forget(sr_event *event);
/* Append a value to a cell. The caller fills it, all but `next`, before the
 * next call. NULL: out of memory. */
sr_value *sr_work_add(sr_event *event, uint64_t run, uint32_t cell);
/* Override values [from, to). */
void sr_work_kill(sr_event *event, uint32_t from, uint32_t to);
/* Note a key of an object where any key may be repeated: kills what its
 * earlier occurrence gave. Returns its entry, or SIGMA_NONE out of memory. */
uint32_t sr_work_seen(sr_event *event, sr_frame *frame, uint64_t hash,
                      sg_str key);
/* The object is closed: forget its keys. */
void sr_work_unsee(sr_work *work, const sr_frame *frame);
/* Fill the event's slots from the cells. */
void sr_work_resolve(sr_event *event, const sr_plan *plan, uint64_t run);

/* -------- tokens (decode.c) -------------------------------------------- */

/* Text of a validated string's inside; dst holds s.len bytes. */
size_t sr_decode(char *dst, sg_str s);
/* Value of a validated number; beyond the range of doubles it is infinite. */
sg_num sr_number(sg_str token);

#endif
