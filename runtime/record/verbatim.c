/*
 * verbatim.c - many texts looked for in the bytes of a line instead of its
 * values.
 *
 * Why a value of the line that holds a text shows in its bytes. Let the value,
 * decoded and folded, hold a part of the text of printable ASCII that is in no
 * number's text. Such a character stands in the line as itself, a quote or
 * backslash behind one more backslash, a letter in either case - unless it is
 * written as an escape (\uXXXX, or \/ for the slash) or is one of the two other
 * characters that fold to ASCII, U+017F and U+212A. Lines with these do not
 * serve. In the others the characters of the part, so written, stand one behind
 * the other. prefilter.c argues the same at greater length.
 *
 * Case is hidden by setting bit 5 in all bytes of both: that makes more bytes
 * equal than case does, so it can find what is not there but misses nothing.
 */
#include "record/needles.h"

struct sr_verbatim {
    sr_prefilter *disguises;
};

sr_verbatim *sr_verbatim_new(sg_arena *arena)
{
    sr_verbatim *v = sg_new(arena, sr_verbatim);

    v->disguises = sr_prefilter_disguises(arena);
    return v;
}

bool sr_verbatim_tells(sr_verbatim *v, sg_str line)
{
    return !sr_prefilter_passes(v->disguises, line);
}

static bool is_printable(char c)
{
    return c >= ' ' && c <= '~';
}

/* Write a part of a text as a line does, bit 5 set; empty when it could be in
 * the text of a number. */
static sg_str written(sg_arena *arena, sg_str part)
{
    char *to = sg_arena_alloc(arena, 2 * part.len + 1, 1);
    size_t len = 0;
    bool text = false;

    for (size_t i = 0; i < part.len; i++) {
        const char c = part.ptr[i];
        if (c == '"' || c == '\\')
            to[len++] = '\\' | SR_HIDE_CASE;
        to[len++] = (char)(c | SR_HIDE_CASE);
        text = text || !sr_is_in_numbers(c);
    }
    return (sg_str){to, text ? len : 0};
}

sg_str sr_verbatim_piece(sg_arena *arena, sg_str text)
{
    sg_str best = SG_S("");

    for (size_t at = 0; at < text.len; at++) {
        size_t end = at;
        while (end < text.len && is_printable(text.ptr[end]))
            end++;
        const sg_str piece = written(arena, sg_str_sub(text, at, end));
        if (piece.len > best.len)
            best = piece;
        at = end;
    }
    return best;
}
