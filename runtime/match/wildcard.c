/*
 * wildcard.c - `*` and `?` without backtracking into earlier stars.
 *
 * The pattern is cut at its stars. The first piece must begin the text, the
 * last one end it, those between are found leftmost, one after the other:
 * taking the leftmost never loses a match, so no choice is ever undone. A
 * piece without `?` is found by sg_str_find.
 */
#include "match/match.h"

#include <string.h>

/* Match `piece` at `at`; *end is where it ends. */
static bool match_at(sg_str piece, sg_str text, size_t at, size_t *end)
{
    for (size_t i = 0; i < piece.len; i++) {
        if (at == text.len)
            return false;
        if (piece.ptr[i] == SIGMA_GLOB_ANY)
            (void)sg_utf8_next(text, &at);
        else if (text.ptr[at] == piece.ptr[i])
            at++;
        else
            return false;
    }
    *end = at;
    return true;
}

static bool has_any(sg_str piece)
{
    return piece.len > 0 &&
           memchr(piece.ptr, (unsigned char)SIGMA_GLOB_ANY, piece.len) != NULL;
}

/* The next place from `at` on where the piece, which is not empty, could
 * begin; false when there is none. */
static bool skip_to(sg_str piece, sg_str text, size_t *at)
{
    if (*at >= text.len)
        return false;
    if (piece.ptr[0] == SIGMA_GLOB_ANY)
        return true;
    const char *p =
        memchr(text.ptr + *at, (unsigned char)piece.ptr[0], text.len - *at);
    if (p == NULL)
        return false;
    *at = (size_t)(p - text.ptr);
    return true;
}

/* Leftmost place of a piece between two stars; *at moves behind it. */
static bool find_middle(sg_str piece, sg_str text, size_t *at)
{
    if (piece.len == 0)
        return true;
    if (!has_any(piece)) {
        const size_t found =
            sg_str_find(sg_str_sub(text, *at, text.len), piece);
        if (found == SIZE_MAX)
            return false;
        *at += found + piece.len;
        return true;
    }
    for (size_t i = *at; skip_to(piece, text, &i); (void)sg_utf8_next(text, &i))
        if (match_at(piece, text, i, at))
            return true;
    return false;
}

/* Whether the last piece ends the text, at or behind `at`. */
static bool match_last(sg_str piece, sg_str text, size_t at)
{
    size_t end;

    if (piece.len == 0)
        return true;
    if (!has_any(piece))
        return text.len - at >= piece.len &&
               memcmp(text.ptr + (text.len - piece.len), piece.ptr,
                      piece.len) == 0;
    for (size_t i = at; skip_to(piece, text, &i); (void)sg_utf8_next(text, &i))
        if (match_at(piece, text, i, &end) && end == text.len)
            return true;
    return false;
}

/* The bytes of `pattern` from *pos to the next star, or to its end; *pos moves
 * behind the star. False when the piece is the last one. */
static bool next_piece(sg_str pattern, size_t *pos, sg_str *piece)
{
    const char *beg = pattern.ptr + *pos;
    const size_t left = pattern.len - *pos;
    const char *star =
        left == 0 ? NULL : memchr(beg, (unsigned char)SIGMA_GLOB_STAR, left);

    piece->ptr = beg;
    piece->len = star == NULL ? left : (size_t)(star - beg);
    *pos += piece->len + (star != NULL);
    return star != NULL;
}

bool sr_glob_match(sg_str pattern, sg_str text)
{
    sg_str piece;
    size_t pos = 0;
    size_t at = 0;

    if (pattern.len == 0)
        return text.len == 0;
    if (text.len == 0)
        text.ptr = ""; /* so that the pointer is never NULL below */
    bool more = next_piece(pattern, &pos, &piece);
    if (!match_at(piece, text, 0, &at))
        return false;
    if (!more)
        return at == text.len;
    while (more) {
        more = next_piece(pattern, &pos, &piece);
        if (more && !find_middle(piece, text, &at))
            return false;
    }
    return match_last(piece, text, at);
}

/* How rare a run of bytes is: the longer, and the rarer its bytes. */
static unsigned rarity(sg_str run)
{
    enum { MOST_COMMON = 10, SHORT = 3, LONG = 1000 };
    unsigned rare = run.len < SHORT ? 0 : LONG;

    for (size_t i = 0; i < run.len; i++)
        rare += MOST_COMMON - sr_byte_weight(run.ptr[i]);
    return rare;
}

sg_str sr_glob_run(sg_str pattern)
{
    sg_str best = {"", 0};
    size_t beg = 0;

    for (size_t i = 0; i <= pattern.len; i++) {
        if (i < pattern.len && pattern.ptr[i] != SIGMA_GLOB_STAR &&
            pattern.ptr[i] != SIGMA_GLOB_ANY)
            continue;
        const sg_str run = sg_str_sub(pattern, beg, i);
        if (rarity(run) > rarity(best))
            best = run;
        beg = i + 1;
    }
    return best;
}
