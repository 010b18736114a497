/*
 * json_lines.h - lines of JSON made at random for tests of the scanners, with
 * what makes them stumble: escapes, non-ASCII text, nesting, white space, keys
 * that shapes look for, and damage.
 */
#ifndef TEST_JSON_LINES_H
#define TEST_JSON_LINES_H

#include "base/sg_base.h"

#include <stddef.h>

enum { FLAT = 6 }; /* values at this depth are no containers */

/* Below count. */
static inline uint32_t draw(uint64_t *random, uint32_t count)
{
    *random = *random * UINT64_C(6364136223846793005) + 1442695040888963407;
    return (uint32_t)(*random >> 33) % count;
}

static const char *const keys[] = {
    "a",
    "b",
    "Image",
    "",
    "Event",
    "EventData",
    "k\xC3\xA9",
    "user name",
    "UserData",
    "winlog",
    "event_data",
    "#text",
    "\\u0061",
    "a long key that goes on from one block of bytes to the next one"};
static const char *const pieces[] = {
    "x",
    "plain text ",
    "\\\\",
    "\\\"",
    "\\n",
    "\\u00e9",
    "\xC3\xA9",
    "\xE2\x82\xAC",
    "\xF0\x9F\x98\x80",
    "{[,:]}",
    "\\\\\\\\\\\"",
    "/",
    "0123456789012345678901234567890123456789"};
static const char *const scalars[] = {"0",    "-1.5e+3", "true", "false",
                                      "null", "1234567", "12E5", "-0"};
static const char *const blanks[] = {" ", "", "\t", "", "   \r\n ", ""};

static inline void put_blank(uint64_t *random, sg_buf *out, uint32_t spaced)
{
    if (spaced != 0 && draw(random, 3) == 0)
        sg_buf_putz(out, blanks[draw(random, 6)]);
}

static inline void put_text(uint64_t *random, sg_buf *out)
{
    sg_buf_putc(out, '"');
    for (uint32_t i = draw(random, 6); i-- > 0;)
        sg_buf_putz(out, pieces[draw(random, sizeof pieces / sizeof *pieces)]);
    sg_buf_putc(out, '"');
}

static inline void put_value(uint64_t *random, sg_buf *out, uint32_t spaced,
                             int depth);

static inline void put_members(uint64_t *random, sg_buf *out, uint32_t spaced,
                               int depth)
{
    const bool object = depth == 0 || draw(random, 3) != 0;

    sg_buf_putc(out, object ? '{' : '[');
    put_blank(random, out, spaced);
    for (uint32_t i = 0, n = draw(random, depth == 0 ? 24 : 5); i < n; i++) {
        if (i != 0)
            sg_buf_putc(out, ',');
        put_blank(random, out, spaced);
        if (object) {
            sg_buf_printf(
                out, "\"%s\"",
                keys[draw(random, sizeof keys / sizeof *keys -
                                      (draw(random, 9) != 0 ? 2 : 0))]);
            put_blank(random, out, spaced);
            sg_buf_putc(out, ':');
        }
        put_blank(random, out, spaced);
        put_value(random, out, spaced, depth + 1);
        put_blank(random, out, spaced);
    }
    sg_buf_putc(out, object ? '}' : ']');
}

static inline void put_value(uint64_t *random, sg_buf *out, uint32_t spaced,
                             int depth)
{
    const uint32_t what = draw(random, 8);

    if (what == 0 && depth < FLAT)
        put_members(random, out, spaced, depth);
    else if (what == 1)
        sg_buf_putz(out,
                    scalars[draw(random, sizeof scalars / sizeof *scalars)]);
    else
        put_text(random, out);
}

/* Bytes that matter, put anywhere. */
static inline void damage(uint64_t *random, sg_buf *line)
{
    static const char bytes[] = "\"\\{}[]:,0ex \t\x01\x1f\x80\xC3\xFF\x7f";

    for (uint32_t i = draw(random, 3); i-- > 0 && line->len > 0;) {
        const uint32_t at = draw(random, (uint32_t)line->len);
        if (draw(random, 8) == 0)
            line->len = at;
        else
            line->ptr[at] = bytes[draw(random, sizeof bytes - 1)];
    }
}

#endif
