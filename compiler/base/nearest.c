/*
 * nearest.c - "did you mean": the closest of a list of known words.
 */
#include "base/base.h"

sg_str sc_nearest(sg_str word, const sg_str *candidates, size_t count)
{
    sg_str best = SG_S("");
    size_t least = word.len / 3 + 1;

    for (size_t i = 0; i < count; i++) {
        size_t distance = sg_str_distance(word, candidates[i], least);

        if (sg_str_eq_nocase(word, candidates[i]))
            distance = 0; /* wrong case is the likeliest slip */
        if (distance < least) {
            least = distance;
            best = candidates[i];
        }
    }
    return best;
}
