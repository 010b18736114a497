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

/* All that makes a line not serve. */
static void add_disguises(sr_needles *n)
{
    for (int i = ' '; i <= '~'; i++) {
        const char c = (char)i;

        sr_needles_hide(n, (sg_str){&c, 1});
    }
    sr_needles_disguises(n);
}

sr_verbatim *sr_verbatim_new(sg_arena *arena)
{
    sr_verbatim *v = sg_new(arena, sr_verbatim);

    v->disguises = sr_prefilter_new(arena);
    add_disguises(sr_prefilter_needles(v->disguises));
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

/* -------- a prefilter of pieces ------------------------------------------ */

enum {
    PIECES_MOST = 64,
    PLACES_MOST = 64, /* where windows of a piece begin */
    WINDOW_LEAST = 2,
    WINDOW_MOST = 4,
    SAMPLE_MOST = 1 << 13 /* bytes; more would say little and take long */
};

/* The pieces for which there is no needle yet. */
typedef struct bare {
    const sg_str *pieces;
    bool *done;
    uint32_t count;
} bare;

static uint32_t holders(const bare *r, sg_str window)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < r->count; i++)
        n += !r->done[i] && sg_str_find(r->pieces[i], window) != SIZE_MAX;
    return n;
}

/* The window of a piece that most of the others hold, too; of those the
 * longest. What the sample has is not rare. Empty when there is none. */
static sg_str shared_window(const bare *r, sg_str piece, sg_str sample)
{
    sg_str best = SG_S("");
    uint32_t most = 0;

    for (size_t len = WINDOW_MOST; len >= WINDOW_LEAST; len--)
        for (size_t at = 0; at + len <= piece.len && at < PLACES_MOST; at++) {
            const sg_str window = {piece.ptr + at, len};
            const uint32_t n = holders(r, window);
            if (n <= most || sg_str_find(sample, window) != SIZE_MAX)
                continue;
            best = window;
            most = n;
        }
    return best;
}

static bool add_pieces(sr_needles *n, const bare *r, sg_str sample)
{
    const uint32_t most = n->count + SR_NEEDLES_MOST;

    for (uint32_t i = 0; i < r->count; i++) {
        if (r->done[i])
            continue;
        const sg_str window = shared_window(r, r->pieces[i], sample);
        if (window.len == 0 || n->count == most)
            return false;
        sr_needles_add(n, window, SR_HIDDEN_CASE);
        for (uint32_t k = i; k < r->count; k++)
            r->done[k] =
                r->done[k] || sg_str_find(r->pieces[k], window) != SIZE_MAX;
    }
    return true;
}

sr_prefilter *sr_prefilter_pieces(sg_arena *arena, const sg_str *pieces,
                                  uint32_t count, sg_str sample)
{
    sr_prefilter *f = sr_prefilter_new(arena);
    sr_needles *n = sr_prefilter_needles(f);
    sg_arena scratch = {0};

    add_disguises(n);
    sample.len = sample.len < SAMPLE_MOST ? sample.len : SAMPLE_MOST;
    char *hidden = sg_arena_alloc(&scratch, sample.len + 1, 1);
    const bare r = {pieces, sg_new_n(&scratch, bool, (size_t)count + 1), count};

    for (size_t i = 0; i < sample.len; i++)
        hidden[i] = (char)(sample.ptr[i] | SR_HIDE_CASE);
    const bool good =
        count <= PIECES_MOST && add_pieces(n, &r, (sg_str){hidden, sample.len});
    sg_arena_free(&scratch);
    return good ? f : NULL;
}
