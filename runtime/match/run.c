/*
 * run.c - whether a text holds enough bytes of a set in a row.
 *
 * Looks backwards from where the run would end: the first other byte met rules
 * out all runs up to it, so most bytes of ordinary text are never looked at.
 */
#include "match/match.h"

static bool has(const sr_run *run, char c)
{
    const unsigned char b = (unsigned char)c;

    return (run->of[b / 64] >> (b % 64) & 1) != 0;
}

bool sr_run_is_in(const sr_run *run, sg_str text)
{
    size_t first = 0; /* a run may begin here ... */
    size_t known = 0; /* ... and all before this is of the set */

    while (text.len - first >= run->least) {
        const size_t end = first + run->least;
        size_t at = end;

        while (at > known && has(run, text.ptr[at - 1]))
            at--;
        if (at == known)
            return true;
        first = at;
        known = end;
    }
    return false;
}
