/*
 * cwriter.c - text of emitted C. Escapes are total functions over any bytes;
 * layouts are those clang-format 14 leaves alone: one item per line, trailing
 * comments in one column, strings broken before the column limit.
 */
#include "emit/cwriter.h"

#include <string.h>

static void indent(sc_cw *w)
{
    for (unsigned i = 0; i < w->depth * SC_CW_INDENT; i++)
        sg_buf_putc(w->out, ' ');
}

void sc_cw_line(sc_cw *w, const char *fmt, ...)
{
    va_list ap;

    indent(w);
    va_start(ap, fmt);
    sg_buf_vprintf(w->out, fmt, ap);
    va_end(ap);
    sg_buf_putc(w->out, '\n');
}

void sc_cw_blank(sc_cw *w)
{
    sg_buf_putc(w->out, '\n');
}

/* -------- strings -------------------------------------------------------- */

/* One byte as it stands in a C string; returns the length. */
static size_t quote_byte(unsigned char c, char out[4])
{
    if (c == '"' || c == '\\') {
        out[0] = '\\';
        out[1] = (char)c;
        return 2;
    }
    if (c >= 0x20 && c < 0x7f && c != '?') {
        out[0] = (char)c;
        return 1;
    }
    out[0] = '\\';
    out[1] = (char)('0' + (c >> 6));
    out[2] = (char)('0' + ((c >> 3) & 7));
    out[3] = (char)('0' + (c & 7));
    return 4;
}

void sc_cw_quoted(sg_buf *out, sg_str text)
{
    char byte[4];

    for (size_t i = 0; i < text.len; i++) {
        size_t n = quote_byte((unsigned char)text.ptr[i], byte);
        sg_buf_put(out, (sg_str){byte, n});
    }
}

size_t sc_cw_quoted_fit(sg_str text, size_t room)
{
    char byte[4];
    size_t used = 0, i = 0;

    for (; i < text.len; i++) {
        used += quote_byte((unsigned char)text.ptr[i], byte);
        if (used > room)
            break;
    }
    return i;
}

/* A string literal in pieces, one below the other from `column` on, with room
 * for so many characters behind the last. */
static void put_literal(sc_cw *w, const sg_str *pieces, size_t count,
                        size_t column, size_t behind)
{
    bool first = true;

    for (size_t p = 0; p < count; p++) {
        for (sg_str rest = pieces[p]; rest.len > 0;) {
            size_t n =
                sc_cw_quoted_fit(rest, SC_CW_COLUMNS - column - 2 - behind);
            if (!first)
                sg_buf_printf(w->out, "\n%*s", (int)column, "");
            first = false;
            sg_buf_putc(w->out, '"');
            sc_cw_quoted(w->out, sg_str_sub(rest, 0, n));
            sg_buf_putc(w->out, '"');
            rest = sg_str_sub(rest, n, rest.len);
        }
    }
    if (first)
        sg_buf_putz(w->out, "\"\"");
}

void sc_cw_string(sc_cw *w, const char *name, const sg_str *pieces,
                  size_t count)
{
    const size_t start = w->out->len;

    sg_buf_printf(w->out, "%sconst char %s[] = ", w->linked ? "" : "static ",
                  name);
    put_literal(w, pieces, count, w->out->len - start, 1);
    sg_buf_putz(w->out, ";\n");
}

void sc_cw_note(sc_cw *w, const char *macro, const char *name, sg_str text)
{
    const size_t column = strlen(macro) + 1;

    sg_buf_printf(w->out, "%s(%s,\n%*s", macro, name, (int)column, "");
    put_literal(w, &text, 1, column, 2);
    sg_buf_putz(w->out, ");\n");
}

/* -------- comments ------------------------------------------------------- */

/* One code point as it stands in a comment: a blank for white space and
 * control characters (0: nothing after a blank), else its ASCII form. */
static size_t comment_cp(uint32_t cp, char prev, char out[16])
{
    size_t n = 0;

    if (cp <= 0x20 || cp == 0x7f) {
        if (prev == ' ')
            return 0;
        out[n++] = ' ';
        return n;
    }
    if (cp > 0x7f) {
        /* Ill-formed bytes come with the top bit set. */
        const bool bad = (cp & 0x80000000u) != 0;
        return (size_t)snprintf(out, 16, "<%s%02X>", bad ? "" : "U+",
                                (unsigned)(cp & 0x7fffffffu));
    }
    /* Break "*" "/" pairs in either order, and runs of "?". */
    if ((prev == '*' && cp == '/') || (prev == '/' && cp == '*') ||
        (prev == '?' && cp == '?'))
        out[n++] = ' ';
    out[n++] = (char)cp;
    return n;
}

/* A backslash at the end of a line would splice it to the next; a slash or
 * star could meet the comment's own delimiter. */
static void close_text(sg_buf *out, size_t start, size_t max)
{
    while (out->len > start && strchr(" \\/*", out->ptr[out->len - 1])) {
        const unsigned char last = (unsigned char)out->ptr[--out->len];
        if (last != ' ' && out->len - start + 4 <= max)
            sg_buf_printf(out, "<%02X>", (unsigned)last);
    }
}

/* `clang-format off` in a comment would switch the formatter off. */
static void disarm_formatter(sg_buf *out, size_t start)
{
    const sg_str word = SG_LIT("clang-format");
    size_t at;

    while ((at = sg_str_find(sg_str_sub(sg_buf_str(out), start, out->len),
                             word)) != SIZE_MAX) {
        start += at;
        out->ptr[start + 5] = '_';
    }
}

void sc_cw_comment(sg_buf *out, sg_str text, size_t max)
{
    static const char cut[] = "...";
    const size_t start = out->len;
    size_t pos = 0, fits = 0;
    char prev = ' ', form[16];

    while (pos < text.len && max > sizeof(cut)) {
        size_t n = comment_cp(sg_utf8_next(text, &pos), prev, form);
        if (n == 0)
            continue;
        if (out->len - start + n > max) {
            out->len = start + fits;
            sg_buf_putz(out, cut);
            break;
        }
        sg_buf_put(out, (sg_str){form, n});
        prev = form[n - 1];
        if (out->len - start + sizeof(cut) - 1 <= max)
            fits = out->len - start;
    }
    disarm_formatter(out, start);
    close_text(out, start, max);
}

sg_str sc_cw_commented(sg_arena *arena, sg_str text, size_t max)
{
    sg_buf buf = {0};
    sg_str copy;

    sc_cw_comment(&buf, text, max);
    copy = sg_arena_dup(arena, sg_buf_str(&buf));
    sg_buf_free(&buf);
    return copy;
}

/* -------- rows ----------------------------------------------------------- */

void sc_cw_rows_end(sc_cw *w, sc_cw_rows *rows)
{
    const size_t margin = (size_t)w->depth * SC_CW_INDENT;
    size_t width = 0;

    for (uint32_t i = 0; i < rows->rows.count; i++) {
        const sc_cw_row *row = &rows->rows.items[i];
        if (row->comment.len > 0 && row->code.len > width)
            width = row->code.len;
    }
    for (uint32_t i = 0; i < rows->rows.count; i++) {
        const sc_cw_row *row = &rows->rows.items[i];
        indent(w);
        sg_buf_put(w->out, row->code);
        if (row->comment.len > 0) {
            /* Blank, delimiters and their blanks. */
            const size_t taken = margin + width + 7;
            const size_t room =
                taken < SC_CW_COLUMNS ? SC_CW_COLUMNS - taken : 0;
            sg_buf_printf(w->out, "%*s /* ", (int)(width - row->code.len), "");
            sc_cw_comment(w->out, row->comment, room);
            sg_buf_putz(w->out, " */");
        }
        sg_buf_putc(w->out, '\n');
    }
    rows->rows.count = 0;
}
