/*
 * reader.h - what the files of compiler/sigma share and nobody else needs:
 * the reader's state with its budget, typed access to YAML with messages, and
 * one entry point per kind of document. Every function that returns false or
 * NULL has reported why.
 */
#ifndef SC_READER_H
#define SC_READER_H

#include "sigma/ast.h"

enum {
    SC_MAX_TITLE = 256,        /* characters */
    SC_MAX_MODIFIERS = 16,     /* of one key */
    SC_MAX_REFS = 4096,        /* rules, fields of a correlation */
    SC_MAX_WINDASH = 6,        /* flag dashes of one value: 5^6 alternatives */
    SC_MAX_COND_DEPTH = 64,    /* nested parentheses and nots */
    SC_MAX_COND_TEXT = 1 << 16 /* bytes of one condition */
};

/* What a single source may cost: aliases, templates and modifiers multiply
 * text, and a hostile pack must not exhaust memory. */
#define SC_READ_NODES UINT64_C(2000000)     /* YAML nodes, aliases expanded */
#define SC_READ_BYTES (UINT64_C(256) << 20) /* bytes that modifiers produce */
#define SC_READ_MERGES UINT64_C(50000000)   /* keys compared by action: */

/* Texts with their places. */
typedef struct sc_text {
    sg_str text;
    sc_span at;
} sc_text;

typedef struct sc_texts {
    SG_VEC(sc_text) list;
} sc_texts;

typedef struct sc_reader {
    sc_session *s;
    uint64_t nodes, bytes, merges; /* left */
} sc_reader;

void sc_reader_init(sc_reader *r, sc_session *s);

/* -------- messages ------------------------------------------------------- */

/* Text of the input, cut to a length fit for a message. */
sg_str sc_show(sc_session *s, sg_str text);
/* Hint "did you mean '...'?" after an error, if a candidate is near. */
bool sc_hint_nearest(sc_session *s, sg_str word, const sg_str *candidates,
                     size_t count);
/* Hint "WHAT: a, b, ..." after an error, naming the first dozen. */
void sc_hint_list(sc_session *s, const char *what, const sg_str *list,
                  size_t count);
/* E0521 for a key of `where` that is not among `known`. Always false. */
bool sc_unknown_key(sc_session *s, const sc_y *key, const char *where,
                    const sg_str *known, size_t count);
/* Whether `word` is one of a list; its index then in *index (may be NULL). */
bool sc_one_of(sg_str word, const sg_str *list, size_t count, size_t *index);

/* -------- typed access --------------------------------------------------- */

/* Whether the node is text: a string, or a number as written. */
bool sc_is_text(const sc_y *y);
/* Append the texts of a list, or one text; `what` names it in the message
 * "WHAT must be a string or a list of strings". Null is an empty list. */
bool sc_read_texts(sc_reader *r, const sc_y *y, const char *what, sc_code code,
                   sc_texts *out);

/* Append text to a pattern with its %name% as placeholders; \% is a plain
 * percent. No other escape counts, but in a regex a backslash keeps the
 * character behind it to itself. */
void sc_pattern_expand(sc_session *s, sg_str text, bool re, sc_pattern *out);

/* -------- parts of documents --------------------------------------------- */

/* E0501 "WHAT has no KEY"; points at a key that looks like it. Always false. */
bool sc_missing(sc_reader *r, const sc_y *root, const char *key,
                const char *what);
/* title, id, name of a document's root; only the title is mandatory. */
bool sc_read_title(sc_reader *r, const sc_y *root, const char *what,
                   sg_str *out);
bool sc_read_label(sc_reader *r, const sc_y *root, const char *key,
                   sg_str *out);
/* status, level, author, ... and tags, fields; only warns. */
void sc_read_metadata(sc_reader *r, const sc_y *root, sc_rule *rule);
bool sc_read_logsource(sc_reader *r, const sc_y *root, sc_logsource *out);

/* One entry of a detection or filter map as selection. */
bool sc_read_selection(sc_reader *r, const sc_y_pair *pair, sc_selection *out);
sc_det *sc_read_detection_in(sc_reader *r, const sc_y *y);
/* An entry `field|modifiers: values` (or '|modifiers: keywords'). */
sc_item *sc_read_item(sc_reader *r, const sc_y_pair *pair);
/* A list of keywords without modifiers: items[0 .. count). */
sc_item *sc_read_keywords(sc_reader *r, sc_span at, const sc_y *const *items,
                          uint32_t count);

/* Names of selections; the values are their indices. */
sg_map sc_selection_names(sc_reader *r, const sc_selection *selections,
                          uint32_t count);
/* Parse a condition that must be a string and check that it uses no name but
 * these, the names of the selections. */
sc_cond *sc_read_condition(sc_reader *r, const sc_y *y, const sg_map *names,
                           const sc_selection *selections);
/* The same for a part of the text of y. */
sc_cond *sc_read_condition_text(sc_reader *r, const sc_y *y, sg_str text,
                                const sg_map *names,
                                const sc_selection *selections);

/* A condition of Sigma 1 with an aggregation behind a pipe. */
typedef struct sc_aggregation {
    const sc_y *condition; /* NULL: there is none */
    const sc_y *timeframe; /* or NULL */
    size_t pipe;           /* where '|' stands in the condition's text */
    sg_map names;          /* of the search identifiers */
    const sc_selection *selections;
} sc_aggregation;

/* Turn `base`, the rule of what stands before the pipe, into a hidden one and
 * add it to the AST, with the correlation that the aggregation means. */
bool sc_lower_aggregation(sc_reader *r, const sc_y *root, sc_rule *base,
                          const sc_aggregation *agg, sc_ast *ast);
/* "event_count", ... */
const char *sc_corr_type_name(sigma_corr_type type);

/* -------- documents ------------------------------------------------------ */

/* An aggregation behind the condition is left to the caller, in *agg. */
sc_rule *sc_read_rule(sc_reader *r, const sc_y *root, sc_aggregation *agg);
sc_rule *sc_read_correlation(sc_reader *r, const sc_y *root);
sc_filter *sc_read_filter(sc_reader *r, const sc_y *root);

/* The sigcc: block of a document, if any: derive for rules, report for
 * correlations. After everything it refers to was read. */
bool sc_read_extension(sc_reader *r, const sc_y *root, sc_rule *rule);

#endif
