/*
 * layout.h - what the correlations of a detector need of an event, private to
 * this folder: components, the rules that concern them, the fields to carry.
 */
#ifndef SR_AGG_LAYOUT_H
#define SR_AGG_LAYOUT_H

#include "agg/agg.h"

/* What one component needs of events that match one rule. */
typedef struct sr_need {
    uint32_t component;
    uint32_t field_first, field_count; /* into fields; ascending */
    uint32_t part_at; /* of these, the first of the partition's, where those
                       * follow each other in its order; else SIGMA_NONE */
} sr_need;

typedef struct sr_component {
    uint32_t corr_first, corr_count; /* into corrs; inner ones first */
    uint32_t part_first, part_count; /* into parts: fields of the partition */
    bool ends;  /* reports show times as events write them */
    bool whole; /* groups and partitions are the same thing: one correlation
                 * that groups by nothing but what all its events share */
} sr_component;

/* A name that is the same in every build, and what it names in this one. */
typedef struct sr_named {
    uint64_t id;
    uint32_t index;
} sr_named;

struct sr_layout {
    const sigma_detector *detector;
    bool search;
    uint64_t salt;
    uint32_t component_count;
    sr_component *components;
    uint32_t *corrs;        /* correlations by component */
    uint32_t *component_of; /* per correlation */
    uint32_t *parts;        /* field ids */
    uint32_t *need_first; /* rule r: needs [need_first[r], need_first[r + 1]) */
    sr_need *needs;       /* ascending by component */
    uint32_t *fields;
    uint64_t *component_ids, *field_ids;
    uint32_t heard_count; /* rules that some component listens to */
    sr_named *heard_by_id, *components_by_id; /* ascending; rules that compute
                                               * the same have one id */
};

/* A hit as a contribution carries it. */
typedef struct sr_part_hit {
    uint32_t rule;
    uint32_t need; /* into needs */
    uint32_t cell; /* index of its first cell */
    uint8_t timed, raw_kind;
    uint32_t raw_at, raw_len;
    int64_t time;
} sr_part_hit;

/* A value as a contribution carries it. */
typedef struct sr_part_cell {
    uint32_t kind; /* sr_kind, or SR_NO_VALUE */
    uint32_t at, len;
    sg_num num;
} sr_part_cell;

#define SR_NO_VALUE UINT32_MAX

static inline const sr_part_hit *sr_hits_of(const sr_contribution *c)
{
    return (const sr_part_hit *)(const void *)((const char *)c + c->hit_at);
}

static inline const sr_part_cell *sr_cells_of(const sr_contribution *c)
{
    return (const sr_part_cell *)(const void *)((const char *)c + c->cells_at);
}

static inline sg_str sr_bytes_of(const sr_contribution *c, uint32_t at,
                                 uint32_t len)
{
    return (sg_str){(const char *)c + at, len};
}

/* The partition of a contribution, if it lies there in one piece. */
static inline bool sr_parts_inside(const sr_contribution *c, sg_str *parts)
{
    *parts = sr_bytes_of(c, c->parts_at, c->parts_len);
    return c->parts_at != 0;
}

/* The component's entry of a rule in needs, or SIGMA_NONE. */
uint32_t sr_need_for(const sr_layout *l, uint32_t rule, uint32_t component);
/* What the hits mean to one component; false when nothing. */
bool sr_contribute_to(const sr_layout *layout, uint32_t component,
                      const sr_matched *event, sg_buf *out);
/* The part of a correlation's key that is this field, whichever way an event
 * comes to it; SIGMA_NONE when there is none. */
uint32_t sr_layout_key(const sigma_detector *d, uint32_t c, uint32_t field);

/* Whether a value of this kind can have this text: alerts write what is no
 * string as it is, so it must be what JSON allows. */
bool sr_cell_valid(uint32_t kind, sg_str text);
/* The same of a time field as an event wrote it. */
bool sr_raw_valid(uint32_t kind, sg_str raw);

/* Append a value behind its length, as keys of groups and partitions hold
 * them. `value` may lie in the buffer. */
void sr_put_sized(sg_buf *buf, sg_str value);
/* The hash of a partition, of such values. */
uint64_t sr_partition_hash(const sr_layout *layout, uint32_t component,
                           sg_str parts);
/* Whether the correlation's report shows times as events write them. */
bool sr_shows_times(const sigma_detector *d, const sigma_correlation *def);
/* The value of a field as the hit's rule sees it, or NULL. Place `likely` among
 * the rule's fields is looked at first: where a correlation's fields are all
 * that is carried, they stand in the same order. */
const sr_part_cell *sr_part_find(const sr_layout *layout,
                                 const sr_contribution *c,
                                 const sr_part_hit *hit, uint32_t field,
                                 uint32_t likely);

#endif
