/*
 * tables.h - shared by the files of this folder: the tables, and how keys and
 * values are written as bytes. A key is its parts, each a length (32 bits) and
 * a text. A value is, per column, a kind (one byte) and unless that is SR_NULL
 * a length and a text.
 */
#ifndef SR_ENRICH_TABLES_H
#define SR_ENRICH_TABLES_H

#include "enrich/enrich.h"
#include "enrich/ring.h"

struct sr_enrich {
    const sigma_detector *d;
    sg_arena arena;
    sg_str *strs; /* the detector's, as views */
    bool *filled; /* per table: learned, or a file was read */
    bool learns;
    sr_ring learned, fixed; /* fixed: from files */
    sr_enrich_fn *watch;    /* or NULL */
    void *watch_ctx;
    sr_enrich_stats stats;
};

/* Append a part of a key. */
void sr_put_part(sg_buf *buf, sg_str text);
/* Append a column. Not for numbers that are not finite. */
void sr_put_column(sg_buf *buf, uint8_t kind, sg_str text);

/* One column of a value read back. */
typedef struct sr_column {
    uint8_t kind; /* SR_NULL, SR_STRING, SR_NUMBER or SR_BOOL */
    sg_str text;
    sg_num num; /* SR_NUMBER */
} sr_column;

/* Take the next column off a value; false when its bytes are none. */
bool sr_take_column(sg_str *value, sr_column *out);
/* Whether bytes are a key, or a value, of a table. */
bool sr_is_key(const sigma_table *table, sg_str key);
bool sr_is_value(const sigma_table *table, sg_str value);

/* The first value of a field that is not null, an object or empty; NULL when
 * there is none. Its text is ready. */
sr_value *sr_usable(sr_event *event, uint32_t slot);

#endif
