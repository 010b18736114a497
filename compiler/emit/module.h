/*
 * module.h - private to emit: what the writers of one C file share. Strings go
 * into the pool as the tables that name them are written; the pool itself is
 * put before them at the end.
 */
#ifndef SC_MODULE_H
#define SC_MODULE_H

#include "emit/cwriter.h"
#include "emit/emit.h"

/* A part of a pack's functions. It numbers the predicates it asks for. */
typedef struct sc_part {
    SG_VEC(uint32_t) preds; /* in order of their numbers */
    sg_str *names;          /* per predicate of the IR: its name here, empty
                             * when it was not asked for */
} sc_part;

typedef struct sc_module {
    sc_session *s;
    const sc_ir *ir;
    const sc_emit_options *o;
    sg_arena *arena;

    SG_VEC(sg_str) pool; /* distinct strings, in order */
    sg_map offsets;      /* text to its offset in the pool */
    uint32_t pool_size;
    sg_str manifest; /* known once the pool is written */
    uint64_t key;    /* of encoded texts, or 0; likewise */

    sg_map names; /* of functions, to keep them unique */

    sg_str *fields;     /* per field: name of its enumerator */
    sg_str *preds;      /* per predicate: name of its enumerator */
    sg_str *rules;      /* per rule: name of its function */
    sg_str *routes;     /* per route: name of its function */
    sg_str *sels;       /* per selection: name of its function, or empty when
                         * nothing needs it */
    uint32_t *slots;    /* per selection: its index in the emitted table counted
                         * from its rule's first, or SIGMA_NONE */
    uint32_t *starts;   /* per rule: first of its selections in that table */
    uint32_t sel_count; /* of the emitted table */

    uint32_t *part_of; /* per rule: its part; NULL: all is in one file */
    sc_part *part;     /* whose functions are being written, or NULL */
} sc_module;

/* Offset and length of a text in the pool, which it joins when new. */
sigma_ref sc_module_ref(sc_module *m, sg_str text);

/* Code of a row, and its comment. */
SC_PRINTF(3, 4)
void sc_module_row(sc_module *m, sc_cw_rows *rows, const char *fmt, ...);
SC_PRINTF(3, 4)
void sc_module_note(sc_module *m, sc_cw_rows *rows, const char *fmt, ...);

/* "F3_USER" or "SIGMA_NONE"; the same for predicates. */
sg_str sc_module_field(const sc_module *m, uint32_t field);
sg_str sc_module_pred(const sc_module *m, uint32_t pred);
/* A number of the ABI as an initialiser: {SIGMA_INT, {.i = 22}}. */
sg_str sc_module_num(sg_arena *arena, sg_num n);
/* Name of a predicate's enumerator, its value being `number`. */
sg_str sc_module_pred_name(const sc_module *m, uint32_t pred, uint32_t number);
/* How functions call a predicate; in a part that numbers it, if need be. */
sg_str sc_module_asked(const sc_module *m, uint32_t pred);
/* A predicate for readers: Image|ends: "\certutil.exe". */
sg_str sc_module_pred_text(const sc_module *m, uint32_t pred);
/* path:line of a span, or empty. */
sg_str sc_module_place(const sc_module *m, sc_span at);
/* A path as emitted files and manifests show it (emit.h: roots). */
sg_str sc_emit_path(sg_arena *arena, const sc_emit_options *o, sg_str path);

/* Each writes its tables; empty ones are left out. */
void sc_emit_enums(sc_module *m, sc_cw *w); /* tables.c */
/* Tables of texts go to `texts`, which may be the same writer (tables.c). */
void sc_emit_data(sc_module *m, sc_cw *texts, sc_cw *w);
void sc_emit_routes(sc_module *m, sc_cw *w);       /* rules.c */
void sc_emit_functions(sc_module *m, sc_cw *w);    /* rules.c */
void sc_emit_gates(sc_module *m, sc_cw *w);        /* tables.c: and clauses */
void sc_emit_rules(sc_module *m, sc_cw *w);        /* tables.c */
void sc_emit_route_table(sc_module *m, sc_cw *w);  /* tables.c */
void sc_emit_correlations(sc_module *m, sc_cw *w); /* correlations.c */
void sc_emit_enrich(sc_module *m, sc_cw *w);       /* enrich.c */

/* `static const TYPE NAME[] = {` and its end. */
void sc_table_begin(sc_cw *w, const char *type, const char *name);
void sc_table_end(sc_cw *w);
/* A table of rows, nothing when there are none. Each row wants a comment:
 * clang-format packs short rows without one into columns. */
void sc_table_rows(sc_cw *w, const char *type, const char *name,
                   sc_cw_rows *rows);
/* `.NAME = value,` unless 0, and a slice's two lines unless empty. */
void sc_emit_number(sc_cw *w, const char *name, uint32_t value);
void sc_emit_slice(sc_cw *w, const char *name, uint32_t first, uint32_t count);
/* `.meta = {...},` unless all of it is empty. */
void sc_emit_meta(sc_module *m, sc_cw *w, const sc_ir_meta *meta);
/* `.digest = {...},` unless empty. */
void sc_emit_digest(sc_module *m, sc_cw *w, sg_str digest);

/* Names of enumerators (tables.c), names and use of functions (rules.c), before
 * anything is written. */
void sc_name_tables(sc_module *m);
void sc_name_functions(sc_module *m);
/* Functions of one rule. */
void sc_emit_rule(sc_module *m, sc_cw *w, uint32_t index);

/* The frame of a file (module.c): a comment on what it is; that and the header,
 * for files with tables; the pool and the tables that were written before and
 * filled it; and at the end of the file that holds the detector, the manifest,
 * the detector and its export. */
void sc_emit_banner(sc_cw *w, sg_str what);
void sc_emit_head(const sc_module *m, sc_cw *w);
void sc_emit_pool(sc_module *m, sc_cw *w, sg_str tables);
void sc_emit_detector(sc_module *m, sc_cw *w);

#endif
