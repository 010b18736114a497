/*
 * cwriter.h - C text for emitted files: indented lines, and the three escapes
 * (string, comment, identifier) that keep the text of rules from becoming C.
 *
 * Everything written here is a fixed point of clang-format at
 * SC_CW_COLUMNS columns: callers choose layouts that leave it no choice.
 */
#ifndef SC_CWRITER_H
#define SC_CWRITER_H

#include "base/base.h"

enum {
    SC_CW_COLUMNS = 100,
    SC_CW_LONG = 200, /* bytes of a text that will be cut to fit a line */
    SC_CW_INDENT = 4,
    SC_CW_NAME = 48,  /* longest identifier */
    SC_CW_SHORT = 32, /* longest name of a field or predicate */
    SC_CW_SLUG = 24   /* longest prefix of an identifier */
};

typedef struct sc_cw {
    sg_buf *out;
    unsigned depth;
    bool linked; /* tables are for other files too, which declare them */
} sc_cw;

/* One line at the current depth, end of line included. */
SC_PRINTF(2, 3) void sc_cw_line(sc_cw *w, const char *fmt, ...);
void sc_cw_blank(sc_cw *w);

/* `text` as the inside of a C string: three-digit octal for whatever is not
 * printable ASCII, `?` too, so that no trigraph and no digit is swallowed. */
void sc_cw_quoted(sg_buf *out, sg_str text);
/* Length of the longest prefix of text whose quoted form fits `room` bytes. */
size_t sc_cw_quoted_fit(sg_str text, size_t room);

/* `static const char NAME[] = "..." "...";` (not static where linked) over as
 * many lines as needed. Every piece starts a line of its own; an empty list
 * gives "". */
void sc_cw_string(sc_cw *w, const char *name, const sg_str *pieces,
                  size_t count);
/* MACRO(name, text), of a text that takes several lines. */
void sc_cw_note(sc_cw *w, const char *macro, const char *name, sg_str text);

/* `text` for the inside of a comment: printable ASCII on one line. White space
 * and control characters become single blanks, others U+XXXX; no comment
 * delimiter, trigraph or trailing backslash survives. Cut at `max` bytes,
 * marked by "...". */
void sc_cw_comment(sg_buf *out, sg_str text, size_t max);
/* The same in the arena. */
sg_str sc_cw_commented(sg_arena *arena, sg_str text, size_t max);

/* Rows of a table with a comment behind each, in one column. The texts stay
 * owned by the caller until sc_cw_rows_end writes them. */
typedef struct sc_cw_row {
    sg_str code, comment; /* comment: any text, escaped here; may be empty */
} sc_cw_row;

typedef struct sc_cw_rows {
    SG_VEC(sc_cw_row) rows;
} sc_cw_rows;

/* Write the rows, comments aligned and cut to fit, and empty the list. */
void sc_cw_rows_end(sc_cw *w, sc_cw_rows *rows);

/* -------- names (names.c) ------------------------------------------------ */

/* A legal identifier: prefix, then the letters and digits of text in lower
 * case (upper with `upper`), runs of anything else as one `_`, at most `max`
 * bytes. `fallback` stands in when nothing is left. */
typedef struct sc_cw_style {
    const char *fallback;
    size_t max;
    bool upper;
} sc_cw_style;

sg_str sc_cw_name(sg_arena *arena, sg_str prefix, sg_str text,
                  sc_cw_style style);

/* The same, made unique among the names in `used` by _2, _3, ... and added
 * to it. */
sg_str sc_cw_unique(sg_arena *arena, sg_map *used, sg_str prefix, sg_str text,
                    sc_cw_style style);

#endif
