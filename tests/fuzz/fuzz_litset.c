/*
 * fuzz_litset.c - every kind of set of literals agrees with a scan of all.
 * Input: literals and the text behind them, each with a length byte in front.
 */
#include "match/match.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { LITS_MOST = 64 };

static bool holds(sr_lit_kind kind, sg_str text, sg_str lit)
{
    switch (kind) {
    case SR_LIT_EQ:
        return sg_str_eq(text, lit);
    case SR_LIT_STARTS:
        return sg_str_starts(text, lit);
    case SR_LIT_ENDS:
        return sg_str_ends(text, lit);
    case SR_LIT_CONTAINS:
        break;
    }
    for (size_t i = 0; i + lit.len <= text.len; i++)
        if (sg_str_eq(sg_str_sub(text, i, i + lit.len), lit))
            return true;
    return false;
}

static void compare(sr_lit_kind kind, const sg_str *lits, uint32_t count,
                    sg_str text)
{
    sg_arena arena = {0};
    const sr_litset *set = sr_litset_new(&arena, kind, lits, count);
    bool want = false;

    for (uint32_t i = 0; i < count; i++)
        want = want || holds(kind, text, lits[i]);
    if (sr_litset_match(set, text) != want)
        abort();
    sg_arena_free(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    sg_str lits[LITS_MOST];
    uint32_t count = 0;
    size_t pos = 0;

    while (pos < size && count < LITS_MOST) {
        const size_t left = size - pos - 1;
        const size_t len = data[pos] % 16 < left ? data[pos] % 16 : left;
        lits[count++] = (sg_str){(const char *)data + pos + 1, len};
        pos += 1 + len;
    }
    const sg_str text = {(const char *)data + pos, size - pos};
    for (int kind = SR_LIT_EQ; kind <= SR_LIT_CONTAINS; kind++) {
        compare((sr_lit_kind)kind, lits, count, text);
        /* And over what one of the literals is, so that all kinds meet. */
        if (count > 1)
            compare((sr_lit_kind)kind, lits + 1, count - 1, lits[0]);
    }
    return 0;
}
