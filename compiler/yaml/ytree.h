/*
 * ytree.h - YAML as a tree with spans. libyaml reads; this adds byte spans,
 * the YAML 1.2 core schema (semantics section 1), unique keys, merge keys and
 * bounds on depth and alias expansion.
 */
#ifndef SC_YTREE_H
#define SC_YTREE_H

#include "base/base.h"

typedef enum sc_y_kind {
    SC_Y_NULL,
    SC_Y_BOOL,
    SC_Y_NUM,
    SC_Y_STR, /* also plain scalars with leading zeros, dates, 1_000 */
    SC_Y_SEQ,
    SC_Y_MAP
} sc_y_kind;

typedef struct sc_y sc_y;

typedef struct sc_y_pair {
    const sc_y *key, *value;
} sc_y_pair;

struct sc_y {
    sc_y_kind kind;
    bool plain; /* written without quotes */
    bool exact; /* text equals the source bytes of span, without quotes:
                 * sub-spans into it are exact */
    bool boolean;
    uint32_t count; /* of items or pairs */
    sg_num num;
    sc_span span; /* for exact scalars: the text itself */
    sg_str text;  /* scalars of every kind: as written, unescaped */
    const sc_y *const *items;
    const sc_y_pair *pairs;
};

/* `at` holds the bytes of the document: from behind the line of `---` (or
 * behind `---` itself when content follows there) to the next marker. */
typedef struct sc_y_doc {
    const sc_y *root; /* never NULL; empty documents are left out */
    sc_span at;
} sc_y_doc;

enum {
    SC_Y_MAX_DEPTH = 64,     /* lists and maps in each other */
    SC_Y_MAX_NODES = 250000, /* of one document, aliases expanded */
    SC_Y_NODE_TEXT = 64,     /* bytes of a scalar that count as another node */
    SC_Y_MAX_TEXT = 1 << 20, /* bytes of one scalar */
    SC_Y_MAX_DOCS = 100000   /* of one source */
};

/* Read all documents of a source; returns the array (arena) and its length.
 * The caller opens a session doc (sc_doc_begin) for each document returned.
 * What cannot be returned is reported and opened here, as a rejected session
 * doc: a document with unsound contents (E0103, E0107-E0109, unknown aliases),
 * after which reading goes on; and, once the text is broken or beyond a bound
 * (E0102, E0104, E0106), the rest of the file from the start of that document
 * on. s->doc is SIGMA_NONE afterwards. */
const sc_y_doc *sc_yaml_parse(sc_session *s, uint32_t source, uint32_t *count);

/* Value of a key of a map, or NULL. A null key is found by no name. */
const sc_y *sc_y_get(const sc_y *map, const char *key);
/* Whether this is a scalar (null, bool, num, str). */
bool sc_y_is_scalar(const sc_y *y);
/* "a list", "a map", "a string", ... for messages. */
const char *sc_y_kind_name(const sc_y *y);
/* Span of bytes [beg, end) of an exact scalar's text, else the whole. */
sc_span sc_y_subspan(const sc_y *y, size_t beg, size_t end);
/* The tree as stable text (--dump=yaml). */
void sc_y_dump(sg_buf *out, const sc_y *y);

#endif
