/*
 * litset.c - many literals at once: a sorted table for whole, leading and
 * trailing matches, an Aho-Corasick automaton for matches anywhere.
 *
 * The automaton only says whether some literal occurs. So nothing is kept
 * behind a state that already is a hit, and the states, numbered level by
 * level, need no child pointers: the children of a state are a range. That is
 * about ten bytes for each byte of the literals.
 */
#include "match/litset.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* -------- the sorted table ---------------------------------------------- */

static int compare_forward(const void *a, const void *b)
{
    return sg_str_cmp(*(const sg_str *)a, *(const sg_str *)b);
}

static int compare_reversed(sg_str a, sg_str b)
{
    const size_t n = a.len < b.len ? a.len : b.len;

    for (size_t i = 1; i <= n; i++) {
        const int x = (unsigned char)a.ptr[a.len - i];
        const int y = (unsigned char)b.ptr[b.len - i];
        if (x != y)
            return x - y;
    }
    return (a.len > b.len) - (a.len < b.len);
}

static int compare_backward(const void *a, const void *b)
{
    return compare_reversed(*(const sg_str *)a, *(const sg_str *)b);
}

/* Whether having `kept` makes `next`, which sorts behind it, redundant. */
static bool implies(sr_lit_kind kind, sg_str kept, sg_str next)
{
    switch (kind) {
    case SR_LIT_EQ:
        return sg_str_eq(kept, next);
    case SR_LIT_ENDS:
        return sg_str_ends(next, kept);
    case SR_LIT_STARTS:
    case SR_LIT_CONTAINS:
        return sg_str_starts(next, kept);
    }
    return false;
}

sr_sorted sr_sorted_new(sg_arena *arena, sr_lit_kind kind, const sg_str *lits,
                        uint32_t count)
{
    sr_sorted sorted = {NULL, 0};

    if (count == 0)
        return sorted;
    sorted.lits = sg_new_n(arena, sg_str, count);
    memcpy(sorted.lits, lits, count * sizeof(*lits));
    qsort(sorted.lits, count, sizeof(*lits),
          kind == SR_LIT_ENDS ? compare_backward : compare_forward);
    for (uint32_t i = 0; i < count; i++) {
        const sg_str lit = sorted.lits[i];
        if (sorted.count == 0 ||
            !implies(kind, sorted.lits[sorted.count - 1], lit))
            sorted.lits[sorted.count++] = lit;
    }
    return sorted;
}

/* Since no literal leads another one, the only candidate is the greatest that
 * sorts at or before the text. */
bool sr_sorted_match(const sr_sorted *sorted, sr_lit_kind kind, sg_str text)
{
    uint32_t lo = 0;
    uint32_t hi = sorted->count;

    while (lo < hi) {
        const uint32_t mid = lo + (hi - lo) / 2;
        const int order = kind == SR_LIT_ENDS
                              ? compare_reversed(sorted->lits[mid], text)
                              : sg_str_cmp(sorted->lits[mid], text);
        if (order <= 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo > 0 && implies(kind, sorted->lits[lo - 1], text);
}

/* -------- the automaton -------------------------------------------------- */

struct sr_automaton {
    uint32_t count;      /* states; 0 is the root */
    uint32_t *first;     /* children of s: [first[s], first[s + 1]) */
    uint32_t *fail;      /* longest proper suffix that is a state */
    unsigned char *byte; /* the byte that leads to a state */
    bool *hit;           /* some literal ends here */
    uint32_t root[256];  /* children of the root by byte, or 0 */
};

/* The literals [lo, hi) that share the path to a state. */
typedef struct range {
    uint32_t lo, hi;
    uint32_t depth;
} range;

static uint32_t child(const sr_automaton *a, uint32_t state, unsigned char c)
{
    if (state == 0)
        return a->root[c];
    const uint32_t first = a->first[state];
    const uint32_t n = a->first[state + 1] - first;
    if (n == 1)
        return a->byte[first] == c ? first : 0;
    if (n == 0)
        return 0;
    const unsigned char *at = memchr(a->byte + first, c, n);
    return at == NULL ? 0 : (uint32_t)(at - a->byte);
}

static uint32_t step(const sr_automaton *a, uint32_t state, unsigned char c)
{
    for (;;) {
        const uint32_t next = child(a, state, c);
        if (next != 0 || state == 0)
            return next;
        state = a->fail[state];
    }
}

/* An upper bound of the number of states. */
static uint32_t bound_states(const sr_sorted *sorted)
{
    size_t total = 1;

    for (uint32_t i = 0; i < sorted->count; i++)
        total += sorted->lits[i].len;
    if (total >= UINT32_MAX)
        sg_fatal("literals of one predicate exceed 4 GiB");
    return (uint32_t)total;
}

/* Append the children of `state`, whose literals are `r`. */
static void expand(sr_automaton *a, const sr_sorted *sorted, range *ranges,
                   uint32_t state)
{
    const range r = ranges[state];
    uint32_t lo = r.lo;

    a->first[state] = a->count;
    if (sorted->lits[lo].len == r.depth) {
        a->hit[state] = true;
        return;
    }
    while (lo < r.hi) {
        const char c = sorted->lits[lo].ptr[r.depth];
        uint32_t hi = lo + 1;
        while (hi < r.hi && sorted->lits[hi].ptr[r.depth] == c)
            hi++;
        a->byte[a->count] = (unsigned char)c;
        ranges[a->count] = (range){lo, hi, r.depth + 1};
        if (state == 0)
            a->root[(unsigned char)c] = a->count;
        a->count++;
        lo = hi;
    }
}

/* Parents come before children and have shorter paths, so that the failure
 * links a child needs are there. */
static void link_children(sr_automaton *a, uint32_t state)
{
    for (uint32_t c = a->first[state]; c < a->first[state + 1]; c++) {
        a->fail[c] = state == 0 ? 0 : step(a, a->fail[state], a->byte[c]);
        a->hit[c] = a->hit[c] || a->hit[a->fail[c]];
    }
}

sr_automaton *sr_automaton_new(sg_arena *arena, const sr_sorted *sorted)
{
    sr_automaton *a = sg_new(arena, sr_automaton);
    const uint32_t most = bound_states(sorted);

    assert(sorted->count > 0);
    a->first = sg_new_n(arena, uint32_t, (size_t)most + 1);
    a->fail = sg_new_n(arena, uint32_t, most);
    a->byte = sg_new_n(arena, unsigned char, most);
    a->hit = sg_new_n(arena, bool, most);
    /* Last in the arena and given back: needed only while building. */
    const sg_mark mark = sg_arena_mark(arena);
    range *ranges = sg_new_n(arena, range, most);
    ranges[0] = (range){0, sorted->count, 0};
    a->count = 1;
    for (uint32_t s = 0; s < a->count; s++)
        expand(a, sorted, ranges, s);
    a->first[a->count] = a->count;
    sg_arena_rewind(arena, mark);
    for (uint32_t s = 0; s < a->count; s++)
        link_children(a, s);
    return a;
}

bool sr_automaton_match(const sr_automaton *a, sg_str text)
{
    uint32_t state = 0;

    if (a->hit[0])
        return true;
    for (size_t i = 0; i < text.len; i++) {
        const unsigned char c = (unsigned char)text.ptr[i];

        /* Most of the time no literal begins here. */
        state = state == 0 ? a->root[c] : step(a, state, c);
        if (state != 0 && a->hit[state])
            return true;
    }
    return false;
}
