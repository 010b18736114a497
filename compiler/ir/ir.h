/*
 * ir.h - the program between Sigma and C: flat arrays, referenced by index.
 *
 * A predicate is one bit per event. A node is a hash-consable boolean over
 * predicates. A rule is a list of selections (nodes) and a match node whose
 * leaves are selections. Operand tables are those of the ABI, with text in
 * place of pool offsets.
 */
#ifndef SC_IR_H
#define SC_IR_H

#include "base/base.h"

/* Whom the IR borrows texts from. */
struct sc_ast;
struct sc_enrich;

typedef struct sc_ir_field {
    sg_str name;
    uint32_t flags; /* SIGMA_FIELD_* */
} sc_ir_field;

typedef struct sc_ir_pred {
    uint32_t field; /* NULL-named keyword field included */
    sigma_op op;
    uint8_t flags;
    uint32_t first, count; /* as in sigma_pred; FIELD, BOOL: first only */
    sc_span at;            /* first rule that asked for it */
    uint32_t rules;        /* that ask for it; 0: not counted */
} sc_ir_pred;

typedef enum sc_node_kind {
    SC_NODE_FALSE,
    SC_NODE_TRUE,
    SC_NODE_PRED, /* first: predicate id */
    SC_NODE_SEL,  /* first: selection index within the rule */
    SC_NODE_NOT,  /* kids[first] */
    SC_NODE_AND,  /* kids[first .. first+count) */
    SC_NODE_OR
} sc_node_kind;

typedef struct sc_ir_node {
    sc_node_kind kind;
    uint32_t first, count;
    sc_span at;
} sc_ir_node;

typedef struct sc_ir_sel {
    sg_str name;   /* as written, by the rule or by a filter of it */
    uint32_t node; /* over PRED leaves only */
    sc_span at;
    bool named; /* the rule's own identifier: shown in alerts' `matched` */
} sc_ir_sel;

typedef struct sc_ir_derive {
    uint32_t field;
    uint32_t selection; /* relative to the rule, or SIGMA_NONE */
    sg_str value;
} sc_ir_derive;

typedef struct sc_ir_meta {
    uint32_t doc; /* session doc: path, sha256 */
    sg_str id, name, title, level, status, description, author, license;
    uint32_t tag_first, tag_count; /* ir->strs */
} sc_ir_meta;

typedef enum sc_gate_why {
#define GATE_WHY(name, doc) SC_GATE_##name,
#include "ir/gate_reasons.def"
#undef GATE_WHY
    SC_GATE_WHYS
} sc_gate_why;

typedef struct sc_ir_rule {
    sc_ir_meta meta;
    uint32_t flags;                  /* SIGMA_RULE_* */
    uint32_t node;                   /* the condition, over SEL leaves */
    uint32_t gate_first, gate_count; /* ir->gates: one of these predicates
                                      * holds whenever it matches */
    sc_gate_why gate_why;            /* there is none ... */
    sc_span gate_at; /* ... for the sake of this part of the rule */
    uint32_t time_field;
    uint32_t sel_first, sel_count;
    uint32_t derive_first, derive_count;
    uint32_t route; /* or SIGMA_NONE: looks at any event (sc_ir_add_routes) */
    sg_str category, product, service; /* log source after pipelines */
    sg_str condition; /* text of the condition(s), for comments */
    sc_span condition_at;
    sg_str digest; /* of what it computes, or empty (sc_ir_add_digests) */
} sc_ir_rule;

/* What rules of some log sources ask of an event before they look at it. */
typedef struct sc_ir_route {
    uint32_t node; /* over PRED leaves only; true: the event may be theirs */
    sg_str text;   /* those sources: "windows/process_creation" */
} sc_ir_route;

typedef struct sc_ir_column {
    sigma_column_kind kind;
    sg_str name;
} sc_ir_column;

typedef struct sc_ir_corr {
    sc_ir_meta meta;
    sigma_corr_type type;
    uint32_t flags; /* SIGMA_CORR_* */
    int64_t timespan;
    sg_str timespan_text;
    uint32_t ref_first, ref_count;
    uint32_t key_first, key_count; /* ir->keys: names shown */
    uint32_t source_first, value_count;
    uint32_t cond_first, cond_count;
    uint32_t expr_first, expr_count;
    double percentile;
    uint32_t column_first, column_count;
    uint32_t sort_column, limit;
    sc_span at;
    sg_str digest; /* as a rule's */
} sc_ir_corr;

/* A table that events are enriched from (sigma_table). */
typedef struct sc_ir_table {
    sg_str name;
    bool learned;
    uint32_t key_count, key_first;       /* strs; SIGMA_NONE when learned */
    uint32_t column_first, column_count; /* strs */
} sc_ir_table;

typedef struct sc_ir {
    sg_arena *arena;
    SG_VEC(sc_ir_field) fields;
    SG_VEC(sg_str) lits; /* folded unless the predicate is CASED, REGEX, CIDR */
    SG_VEC(sg_num) nums;
    SG_VEC(sc_ir_pred) preds;
    SG_VEC(sc_ir_node) nodes;
    SG_VEC(uint32_t) kids;
    SG_VEC(sc_ir_sel) sels;
    SG_VEC(sc_ir_derive) derives;
    SG_VEC(sg_str) strs;
    SG_VEC(sc_ir_rule) rules;
    SG_VEC(uint32_t) gates;       /* predicate ids (opt/gate.c) */
    SG_VEC(sigma_clause) clauses; /* likewise; ascending by rule and field */
    SG_VEC(sc_ir_route) routes;
    SG_VEC(sc_ir_corr) corrs; /* inner ones first */
    SG_VEC(sigma_corr_ref) corr_refs;
    SG_VEC(sg_str) keys;
    SG_VEC(uint32_t) sources;
    SG_VEC(sigma_corr_cond) conds;
    SG_VEC(sigma_expr) exprs;
    SG_VEC(sc_ir_column) columns;
    SG_VEC(sc_ir_table) tables;
    SG_VEC(sigma_when) whens;
    SG_VEC(uint32_t) enrich_keys; /* field ids */
    SG_VEC(sigma_put) puts;
    SG_VEC(sigma_step) steps; /* those that learn first */
} sc_ir;

typedef enum sc_operand {
    SC_OPERAND_LITS,
    SC_OPERAND_NUMS,
    SC_OPERAND_FIELD,
    SC_OPERAND_BOOL,
    SC_OPERAND_NONE
} sc_operand;

/* Columns of sigma_ops.def. */
const char *sc_op_text(sigma_op op);
sc_operand sc_op_operand(sigma_op op);
unsigned sc_op_cost(sigma_op op);

/* Lower resolved rules (struct sc_ast) to IR. Rules that cannot be lowered are
 * reported against their doc and left out. Never NULL. */
struct sc_session;
sc_ir *sc_ir_build(sc_session *s, const struct sc_ast *ast);
/* Give each rule the route of its log source (logsources.def): rules whose
 * source has none look at every event. */
void sc_ir_add_routes(sc_ir *ir);
/* Give each rule and correlation the digest of what it computes: 64 hex
 * digits that stay as long as that does, whatever it is called and whatever
 * else is in the pack. After routes, before compiler/opt. */
void sc_ir_add_digests(sc_ir *ir);
/* Add the tables and steps of enrichment files, once. */
void sc_ir_add_enrich(sc_ir *ir, const struct sc_enrich *enrich);
/* Assert every invariant; aborts with a message when one is broken. */
void sc_ir_verify(const sc_ir *ir);
/* Stable text, one entity a line (--dump=ir). */
void sc_ir_dump(const sc_session *s, sg_buf *out, const sc_ir *ir);

/* -------- the oracle (refeval.c) ----------------------------------------- */

/* An event as the oracle sees it: a cJSON tree. */
typedef struct sc_ref_event sc_ref_event;
/* NULL when the text is no JSON object. malloc-owned. */
sc_ref_event *sc_ref_event_parse(sg_str line);
void sc_ref_event_free(sc_ref_event *event);
/* Slow, obvious verdicts: the meaning of the IR. */
bool sc_ref_pred(const sc_ir *ir, uint32_t pred, const sc_ref_event *event);
bool sc_ref_node(const sc_ir *ir, uint32_t rule, uint32_t node,
                 const sc_ref_event *event);
/* Whether the rule looks at the event at all. */
bool sc_ref_accepts(const sc_ir *ir, uint32_t rule, const sc_ref_event *event);
bool sc_ref_rule(const sc_ir *ir, uint32_t rule, const sc_ref_event *event);

/* Enrichment (refenrich.c): tables that fill while events pass, in order. In
 * the arena, which grows with every event. */
typedef struct sc_ref_enrich sc_ref_enrich;
sc_ref_enrich *sc_ref_enrich_new(const sc_ir *ir, sg_arena *arena);
/* Fill a lookup table from the text of a file: NDJSON if it begins with '{',
 * else CSV. Rows that cannot be used are left out. False: no such lookup. */
bool sc_ref_enrich_lookup(sc_ref_enrich *enrich, sg_str name, sg_str text);
/* Learn from the event, and add to it. Before anything else looks at it. */
void sc_ref_enrich_event(sc_ref_enrich *enrich, sc_ref_event *event);

/* A correlation whose condition held after an event. */
typedef struct sc_ref_firing {
    uint32_t corr;
    uint32_t line;      /* 1-based, of the event that completed it */
    int64_t time;       /* of that event, ns since 1970 */
    const sg_str *keys; /* text of each group-by value, in rule order */
    uint32_t count;     /* events in the window */
    sg_num value;       /* what the condition compares */
    bool begins;        /* it did not hold after the group's last event, or
                         * the window had run empty since */
} sc_ref_firing;

typedef struct sc_ref_firings {
    SG_VEC(sc_ref_firing) list;
} sc_ref_firings;

/* Naive correlations, after enrichment unless `enrich` is NULL (refcorr.c;
 * semantics section 9): every firing, level triggered, that the lines cause in
 * order; inner correlations fire before outer ones. Lines that are no JSON
 * object count as lines and nothing else; events without a readable time take
 * no part. Result in the arena. */
void sc_ref_correlate_enriched(const sc_ir *ir, sc_ref_enrich *enrich,
                               const sg_str *lines, uint32_t count,
                               sg_arena *arena, sc_ref_firings *out);
/* The same without enrichment. */
void sc_ref_correlate(const sc_ir *ir, const sg_str *lines, uint32_t count,
                      sg_arena *arena, sc_ref_firings *out);

/* One end of the time a group covers, and how its event wrote it. */
typedef struct sc_ref_seen {
    bool timed;
    int64_t time; /* ns since 1970 */
    bool number;  /* the text is that of a number */
    sg_str text;
} sc_ref_seen;

/* A group whose condition holds over the whole input. */
typedef struct sc_ref_row {
    uint32_t corr;
    uint32_t created, line; /* of its first event to arrive, and the last */
    const sg_str *keys;     /* as in sc_ref_firing */
    const bool *numbers;    /* per key: its first event had a number */
    uint32_t count;
    sg_num value;
    sc_ref_seen first, last; /* the first to arrive among equal times */
} sc_ref_row;

typedef struct sc_ref_rows {
    SG_VEC(sc_ref_row) list;
} sc_ref_rows;

/* The same in search mode (refcorr.c, refsearch.c): the window is the whole
 * input, events without a time take part, and the result is one row per group
 * whose condition holds at the end, for each correlation in the order and up
 * to the limit of its report. Inner correlations fire as events come. */
void sc_ref_search(const sc_ir *ir, sc_ref_enrich *enrich, const sg_str *lines,
                   uint32_t count, sg_arena *arena, sc_ref_rows *out);

#endif
