/*
 * page.c - puts the page together: page.html with its style, its script and
 * the report as data. Why nothing in the report can become markup: in JSON the
 * characters that HTML knows only stand inside of strings, where an escape
 * means the same, so none is left; the script makes text nodes of what it
 * reads; and the page's own policy runs no script but the one whose digest it
 * names.
 */
#include "ci/page.h"

#include "ci/ci.h"

#include <string.h>

static sg_str bytes(const unsigned char *text, size_t size)
{
    return (sg_str){(const char *)text, size};
}

/* -------- parts ----------------------------------------------------------- */

/* JSON without <, >, & and the two line ends of JavaScript (U+2028, U+2029). */
static void put_data(sg_str json, sg_buf *out)
{
    static const char line_end[] = "\xE2\x80";

    sg_buf_reserve(out, json.len);
    for (size_t i = 0; i < json.len; i++) {
        const char c = json.ptr[i];

        if (c == '<' || c == '>' || c == '&') {
            sg_buf_printf(out, "\\u%04x", (unsigned)c);
        } else if (i + 2 < json.len && memcmp(json.ptr + i, line_end, 2) == 0 &&
                   ((unsigned char)json.ptr[i + 2] & 0xFE) == 0xA8) {
            sg_buf_printf(out, "\\u20%02x",
                          (unsigned)(unsigned char)json.ptr[i + 2] - 0x80);
            i += 2;
        } else {
            sg_buf_putc(out, c);
        }
    }
}

static unsigned digit(char c)
{
    return (unsigned)(c <= '9' ? c - '0' : c - 'a' + 10);
}

/* 'sha256-BASE64', as a policy names an inline script or style. */
static void put_digest(sg_str text, sg_buf *out)
{
    char hex[65], raw[32];

    sr_sha256(text, hex);
    for (size_t i = 0; i < sizeof raw; i++)
        raw[i] = (char)(digit(hex[2 * i]) << 4 | digit(hex[2 * i + 1]));
    sg_buf_putz(out, "'sha256-");
    sg_put_base64(out, (sg_str){raw, sizeof raw});
    sg_buf_putz(out, "='"); /* what 32 bytes are padded with */
}

/* -------- the page -------------------------------------------------------- */

/* What stands for {{name}} in page.html. */
static void put_part(sg_str name, sg_str json, sg_buf *out)
{
    const sg_str style = bytes(sc_ci_page_css, sc_ci_page_css_size);
    const sg_str script = bytes(sc_ci_page_js, sc_ci_page_js_size);

    if (sg_str_eq(name, SG_S("style")))
        sg_buf_put(out, style);
    else if (sg_str_eq(name, SG_S("script")))
        sg_buf_put(out, script);
    else if (sg_str_eq(name, SG_S("style-digest")))
        put_digest(style, out);
    else if (sg_str_eq(name, SG_S("script-digest")))
        put_digest(script, out);
    else if (sg_str_eq(name, SG_S("data")))
        put_data(json, out);
}

void sc_ci_page(sg_str json, sg_buf *out)
{
    sg_str rest = bytes(sc_ci_page_html, sc_ci_page_html_size);

    for (;;) {
        const size_t beg = sg_str_find(rest, SG_S("{{"));
        const size_t end = sg_str_find(rest, SG_S("}}"));

        if (beg == SIZE_MAX || end == SIZE_MAX || end < beg)
            break;
        sg_buf_put(out, sg_str_sub(rest, 0, beg));
        put_part(sg_str_sub(rest, beg + 2, end), json, out);
        rest = sg_str_sub(rest, end + 2, rest.len);
    }
    sg_buf_put(out, rest);
}
