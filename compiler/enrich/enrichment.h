/*
 * enrichment.h - what an enrichment file says: tables, the events that fill
 * them, and the fields that events get from them. Names are those of the
 * events, that is, of what pipelines map to.
 *
 *   name: Example
 *   lookups:                    # filled from a file at the start
 *     hosts: {key: [aid], columns: [ComputerName]}
 *   learned:                    # filled from events
 *     processes:
 *       columns: [Image, User]
 *       from:
 *         - when: {type: [start, snapshot]}   # all must hold; exact text
 *           key: [aid, pid]
 *           # COLUMN: FIELD, the first that has a value; else its name
 *           values: {User: [user, login]}
 *   enrich:                     # in this order; later steps see earlier ones
 *     - when: {type: connect}
 *       table: processes
 *       key: [aid, parent]
 *       add: [Image]
 *     - {table: hosts, add: {Host: ComputerName}}     # FIELD: COLUMN
 *     - {when: {type: connect}, copy: {Image: file}}  # FIELD: FIELD
 *
 * A step fills a field that has no value (missing, null, empty text or list)
 * and leaves any other alone.
 */
#ifndef SC_ENRICHMENT_H
#define SC_ENRICHMENT_H

#include "yaml/ytree.h"

enum {
    SC_ENRICH_TABLES = 64, /* over all files */
    SC_ENRICH_STEPS = 1024,
    SC_ENRICH_PARTS = 16,   /* of a key, a list of columns, conditions */
    SC_ENRICH_VALUES = 1000 /* of one condition */
};

typedef SG_VEC(sg_str) sc_enrich_names;

typedef struct sc_enrich_table {
    sg_str name;
    sc_span at;
    bool learned, used;
    uint32_t key_count;
    sc_enrich_names key;     /* lookups: columns of the file */
    sc_enrich_names columns; /* values kept */
} sc_enrich_table;

typedef struct sc_enrich_when {
    sg_str field;
    sc_enrich_names values; /* one of them, exactly */
} sc_enrich_when;

/* A value from a place to another; of several for one target the first that
 * has a value counts. */
typedef struct sc_enrich_put {
    sg_str field;    /* LEARN: source; else target */
    uint32_t column; /* LEARN: target; ADD: source */
    sg_str from;     /* COPY: source */
} sc_enrich_put;

typedef struct sc_enrich_step {
    sigma_step_kind kind;
    uint32_t table; /* COPY: SIGMA_NONE */
    SG_VEC(sc_enrich_when) when;
    sc_enrich_names key; /* fields */
    SG_VEC(sc_enrich_put) puts;
    sc_span at;
} sc_enrich_step;

/* All files together; zero-initialise to use. */
typedef struct sc_enrich {
    SG_VEC(sc_enrich_table) tables;
    SG_VEC(sc_enrich_step) lessons, steps;
} sc_enrich;

/* Read a file (one YAML document) and add what it says. False when reported. */
bool sc_enrich_read(sc_session *s, uint32_t source, sc_enrich *out);

#endif
