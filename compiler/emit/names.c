/*
 * names.c - C identifiers from any text. A prefix with an index makes every
 * name legal and unique on its own; sc_cw_unique settles names that share a
 * prefix.
 */
#include "emit/cwriter.h"

#include <assert.h>
#include <string.h>

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c >= '0' && c <= '9');
}

static char change_case(char c, bool upper)
{
    if (upper && c >= 'a' && c <= 'z')
        return (char)(c - 'a' + 'A');
    if (!upper && c >= 'A' && c <= 'Z')
        return (char)(c - 'A' + 'a');
    return c;
}

/* Append the words of text, joined by `_`, until `max` bytes; returns the new
 * length. */
static size_t put_words(char *out, size_t len, sg_str text, sc_cw_style style)
{
    const size_t start = len;
    bool gap = false;

    for (size_t i = 0; i < text.len && len < style.max; i++) {
        const char c = text.ptr[i];
        if (!is_word(c)) {
            gap = len > start;
            continue;
        }
        if (gap && len + 1 >= style.max)
            break;
        if (gap)
            out[len++] = '_';
        gap = false;
        out[len++] = change_case(c, style.upper);
    }
    return len;
}

sg_str sc_cw_name(sg_arena *arena, sg_str prefix, sg_str text,
                  sc_cw_style style)
{
    char name[SC_CW_NAME + 1];
    size_t len = prefix.len, start = len;

    assert(style.max <= SC_CW_NAME && prefix.len <= SC_CW_SLUG &&
           prefix.len < style.max);
    memcpy(name, prefix.ptr, prefix.len);
    len = put_words(name, len, text, style);
    if (len == start)
        len = put_words(name, len, sg_str_of(style.fallback), style);
    return sg_arena_dup(arena, (sg_str){name, len});
}

sg_str sc_cw_unique(sg_arena *arena, sg_map *used, sg_str prefix, sg_str text,
                    sc_cw_style style)
{
    sg_str name = sc_cw_name(arena, prefix, text, style), base;
    bool found;

    for (uint32_t n = 2;; n++) {
        char suffix[16];
        int len;
        sg_map_put(arena, used, name, &found);
        if (!found)
            return name;
        len = snprintf(suffix, sizeof(suffix), "_%u", (unsigned)n);
        base = sc_cw_name(arena, prefix, text,
                          (sc_cw_style){style.fallback, style.max - (size_t)len,
                                        style.upper});
        name = sg_arena_printf(arena, "%.*s%s", SG_FMT(base), suffix);
    }
}
