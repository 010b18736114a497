/*
 * csv.c - see csv.h. Quotes are special at the start of a cell and within
 * quoted ones; elsewhere they are themselves.
 */
#include "enrich/csv.h"

/* Where a quoted cell, the inside of which begins or goes on at `at`, ends:
 * behind its last quote, or SIZE_MAX when it does not. */
static size_t quoted_end(sg_str s, size_t at)
{
    for (; at < s.len; at++) {
        if (s.ptr[at] != '"')
            continue;
        if (at + 1 == s.len || s.ptr[at + 1] != '"')
            return at + 1;
        at++;
    }
    return SIZE_MAX;
}

static size_t plain_end(sg_str s, size_t at)
{
    while (at < s.len && s.ptr[at] != ',')
        at++;
    return at;
}

bool sr_csv_is_open(sg_str record, size_t open)
{
    const sg_str s = record;

    for (size_t at = open; at < s.len; at++) {
        if (open != 0 && at == open)
            at = quoted_end(s, at);
        else
            at = s.ptr[at] == '"' ? quoted_end(s, at + 1) : plain_end(s, at);
        if (at == SIZE_MAX)
            return true;
        at = plain_end(s, at); /* what is wrong here is for the split */
    }
    return false;
}

/* The inside of a quoted cell, doubled quotes single. */
static void put_quoted(sg_buf *text, sg_str cell)
{
    for (size_t i = 1; i + 1 < cell.len; i++) {
        sg_buf_putc(text, cell.ptr[i]);
        if (cell.ptr[i] == '"')
            i++;
    }
}

const char *sr_csv_split(sg_str record, sg_buf *text, sg_str *cells,
                         uint32_t *count)
{
    const sg_str s = record;

    *count = 0;
    text->len = 0;
    (void)sg_buf_reserve(text, s.len + 1); /* so that no cell moves */
    for (size_t at = 0;; at++) {
        const bool quoted = at < s.len && s.ptr[at] == '"';
        const size_t end = quoted ? quoted_end(s, at + 1) : plain_end(s, at);
        const size_t first = text->len;

        if (end == SIZE_MAX)
            return "a quote is not closed";
        if (*count == SR_CSV_CELLS)
            return "too many cells";
        if (quoted)
            put_quoted(text, sg_str_sub(s, at, end));
        else
            sg_buf_put(text, sg_str_sub(s, at, end));
        cells[(*count)++] = (sg_str){text->ptr + first, text->len - first};
        if (end >= s.len)
            return NULL;
        if (s.ptr[end] != ',')
            return "text behind a closing quote";
        at = end;
    }
}
