/*
 * buf.c - append buffers, and JSON strings as text. A buffer doubles, so
 * appending is linear in the bytes appended.
 */
#include "base/sg_base.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char *sg_buf_grow(sg_buf *buf, size_t extra)
{
    size_t need, cap;
    char *grown;

    if (extra > SIZE_MAX / 4 || buf->len > SIZE_MAX / 4)
        sg_fatal("out of memory (%zu bytes)", extra);
    need = buf->len + extra;
    cap = buf->cap < 32 ? 64 : buf->cap * 2;
    if (cap < need)
        cap = need;
    grown = realloc(buf->ptr, cap);
    if (grown == NULL)
        sg_fatal("out of memory (%zu bytes)", cap);
    buf->ptr = grown;
    buf->cap = cap;
    return buf->ptr + buf->len;
}

void sg_buf_put(sg_buf *buf, sg_str s)
{
    if (s.len == 0)
        return;
    memcpy(sg_buf_reserve(buf, s.len), s.ptr, s.len);
    buf->len += s.len;
}

void sg_buf_putz(sg_buf *buf, const char *z)
{
    sg_buf_put(buf, sg_str_of(z));
}

void sg_buf_putc(sg_buf *buf, char c)
{
    *sg_buf_reserve(buf, 1) = c;
    buf->len++;
}

void sg_buf_vprintf(sg_buf *buf, const char *fmt, va_list ap)
{
    va_list again;
    size_t room;
    int n;

    va_copy(again, ap);
    sg_buf_reserve(buf, 64);
    room = buf->cap - buf->len;
    n = vsnprintf(buf->ptr + buf->len, room, fmt, ap);
    if (n < 0)
        sg_fatal("cannot format \"%s\"", fmt);
    if ((size_t)n >= room) {
        sg_buf_reserve(buf, (size_t)n + 1);
        room = buf->cap - buf->len;
        n = vsnprintf(buf->ptr + buf->len, room, fmt, again);
        if (n < 0)
            sg_fatal("cannot format \"%s\"", fmt);
    }
    va_end(again);
    buf->len += (size_t)n;
}

void sg_buf_printf(sg_buf *buf, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    sg_buf_vprintf(buf, fmt, ap);
    va_end(ap);
}

sg_str sg_buf_str(const sg_buf *buf)
{
    return (sg_str){buf->ptr == NULL ? "" : buf->ptr, buf->len};
}

void sg_buf_clear(sg_buf *buf, size_t kept)
{
    if (buf->cap > kept)
        sg_buf_free(buf);
    buf->len = 0;
}

void sg_buf_free(sg_buf *buf)
{
    free(buf->ptr);
    *buf = (sg_buf){0};
}

/* -------- JSON ---------------------------------------------------------- */

static bool is_plain(unsigned char c)
{
    return c >= 0x20 && c < 0x7F && c != '"' && c != '\\';
}

static void put_escape(sg_buf *buf, uint32_t cp)
{
    static const char letters[] = "\"\\\b\f\n\r\t";
    static const char names[] = "\"\\bfnrt";
    const char *at = cp == 0 || cp > 0x7F ? NULL : strchr(letters, (int)cp);

    if (at != NULL)
        sg_buf_printf(buf, "\\%c", names[at - letters]);
    else
        sg_buf_printf(buf, "\\u%04x", cp);
}

/* One code point that is not plain ASCII. C1 controls are escaped too, since
 * alerts end up on terminals. */
static void put_json_cp(sg_buf *buf, sg_str s, size_t *pos)
{
    const size_t beg = *pos;
    const uint32_t cp = sg_utf8_next(s, pos);

    if (cp >= 0x80000000)
        sg_buf_putz(buf, "\xEF\xBF\xBD");
    else if (cp < 0xA0 || (cp >= 0xD800 && cp <= 0xDFFF))
        put_escape(buf, cp);
    else
        sg_buf_put(buf, sg_str_sub(s, beg, *pos));
}

void sg_buf_put_json(sg_buf *buf, sg_str s)
{
    size_t pos = 0;

    sg_buf_reserve(buf, s.len + 2);
    sg_buf_putc(buf, '"');
    while (pos < s.len) {
        const size_t beg = pos;

        while (pos < s.len && is_plain((unsigned char)s.ptr[pos]))
            pos++;
        sg_buf_put(buf, sg_str_sub(s, beg, pos));
        if (pos < s.len)
            put_json_cp(buf, s, &pos);
    }
    sg_buf_putc(buf, '"');
}
