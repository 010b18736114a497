/*
 * base.h - what every compiler stage shares: the session with its arena,
 * sources with byte spans, and diagnostics.
 */
#ifndef SC_BASE_H
#define SC_BASE_H

#include "sign/sign.h"

#define SC_VERSION "0.1.0"

/* Bytes [beg, end) of a source. {0} with source SC_NO_SOURCE: no place. */
typedef struct sc_span {
    uint32_t source, beg, end;
} sc_span;

#define SC_NO_SOURCE UINT32_MAX
#define SC_NOWHERE ((sc_span){SC_NO_SOURCE, 0, 0})

typedef struct sc_source {
    sg_str path;           /* as given, shown in messages */
    sg_str text;           /* whole file; owned by the session's arena */
    uint32_t *line_starts; /* byte offset of each line */
    uint32_t line_count;
} sc_source;

typedef enum sc_code {
#define DIAG(code, severity, slug, hint, doc) SC_##code,
#include "base/diag_codes.def"
#undef DIAG
    SC_CODE_COUNT
} sc_code;

typedef enum sc_severity { SC_ERROR, SC_WARNING, SC_NOTE } sc_severity;

/* One YAML document given to the compiler: the unit that is compiled,
 * rejected or skipped, and reported. */
typedef enum sc_doc_status {
    SC_DOC_OK,
    SC_DOC_REJECTED,
    SC_DOC_SKIPPED,
    SC_DOC_UNCHANGED /* good or not: not asked for (sigcc ci --since) */
} sc_doc_status;

typedef struct sc_doc {
    sc_span at;
    sg_str path, id, title, name; /* empty where unknown */
    sc_doc_status status;
    uint32_t diag;   /* index of the first error, or SIGMA_NONE */
    char sha256[65]; /* hex digest of the document's bytes */
} sc_doc;

typedef struct sc_related {
    sc_span at;
    sg_str text;
} sc_related;

typedef struct sc_diag {
    sc_code code;
    sc_severity severity;
    sc_span at;
    uint32_t doc; /* index into session docs, or SIGMA_NONE */
    sg_str message;
    sg_str hint; /* empty: none */
    SG_VEC(sc_related) notes;
} sc_diag;

typedef struct sc_session {
    sg_arena arena;
    SG_VEC(sc_source) sources;
    SG_VEC(sc_diag) diags;
    SG_VEC(sc_doc) docs;
    uint32_t doc; /* the document being worked on, or SIGMA_NONE */
    uint32_t errors, warnings;
} sc_session;

void sc_session_init(sc_session *s);
void sc_session_free(sc_session *s);

/* -------- sources (source.c) -------------------------------------------- */

/* Read a whole file (at most SC_MAX_SOURCE bytes, regular files only).
 * Reports E0101 and returns false when it cannot. */
enum { SC_MAX_SOURCE = 16 << 20 };
bool sc_source_open(sc_session *s, sg_str path, uint32_t *id);
/* Register text that is already in memory (tests, embedded files). */
uint32_t sc_source_add(sc_session *s, sg_str path, sg_str text);
/* 1-based line and column (in code points) of a byte offset. */
void sc_source_pos(const sc_session *s, uint32_t source, uint32_t at,
                   uint32_t *line, uint32_t *column);
/* The line (1-based) without its end. */
sg_str sc_source_line(const sc_session *s, uint32_t source, uint32_t line);

/* Folder of a path: "." when it has none. */
sg_str sc_path_folder(sg_arena *arena, sg_str path);

/* -------- documents ------------------------------------------------------ */

/* Start a document: becomes s->doc. Returns its index. */
uint32_t sc_doc_begin(sc_session *s, sc_span at);
/* Whether s->docs[doc] is still accepted. */
bool sc_doc_ok(const sc_session *s, uint32_t doc);

/* -------- diagnostics (diag.c) ------------------------------------------- */

/* Report an error at a place: marks s->doc rejected. Always false, so that
 * callers can `return sc_error(...)`. */
#if defined(__GNUC__)
#define SC_PRINTF(a, b) __attribute__((format(printf, a, b)))
#else
#define SC_PRINTF(a, b)
#endif
SC_PRINTF(4, 5)
bool sc_error(sc_session *s, sc_code code, sc_span at, const char *fmt, ...);
SC_PRINTF(4, 5)
void sc_warn(sc_session *s, sc_code code, sc_span at, const char *fmt, ...);
/* Report an error that a document answers for but that does not keep it from
 * being compiled: it stays accepted. */
SC_PRINTF(5, 6)
void sc_fault(sc_session *s, uint32_t doc, sc_code code, sc_span at,
              const char *fmt, ...);
/* Add to the latest diagnostic: a hint in place of the code's own, a note. */
SC_PRINTF(2, 3) void sc_hint(sc_session *s, const char *fmt, ...);
SC_PRINTF(3, 4)
void sc_note_at(sc_session *s, sc_span at, const char *fmt, ...);

/* "E0201"; the slug; the paragraph of --explain. */
const char *sc_code_name(sc_code code);
const char *sc_code_slug(sc_code code);
const char *sc_code_doc(sc_code code);
bool sc_code_find(sg_str name, sc_code *out);

/* Errors, and warnings, of one file that text shows. */
enum { SC_MAX_SHOWN = 20 };

/* All diagnostics, ordered by source and place, as text with source line and
 * caret (colour: SGR sequences). At most SC_MAX_SHOWN errors and as many
 * warnings of a file are shown; the rest is counted. Text of the input goes
 * through sc_put_safe.
 */
void sc_diag_render(const sc_session *s, sg_buf *out, bool colour);
/* One of them, by its index. */
void sc_diag_render_one(const sc_session *s, sg_buf *out, bool colour,
                        uint32_t diag);
/* Drop the diagnostics that `keep`, one flag each, does not name. */
void sc_diag_retain(sc_session *s, const bool *keep);
/* Indices of all diagnostics, ordered by source and place. */
const uint32_t *sc_diag_order(const sc_session *s, sg_arena *arena);
/* Append text that came from outside so that a terminal shows it and obeys
 * none of it: control characters, bidirectional controls and other invisible
 * characters become \x1b, \u202e, \U000e0001. */
void sc_put_safe(sg_buf *out, sg_str text);

/* The candidate nearest to `word` (distance at most a third of it), or an
 * empty string. */
sg_str sc_nearest(sg_str word, const sg_str *candidates, size_t count);

#endif
