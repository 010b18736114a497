/*
 * grams.c - the index of grams.h: a bitmap over hashed four-byte windows says
 * at once that no literal can be here; what passes is looked up by its window
 * and compared. Each literal is filed under the window of its text that other
 * literals and ordinary event text use least.
 */
#include "match/grams.h"

#include <stdlib.h>
#include <string.h>

enum { BITMAP_LOG2 = 17 }; /* 16 KiB: stays in the first-level cache */

typedef struct entry {
    sg_str text;
    uint32_t window;
    uint32_t at; /* of the window in the text */
    uint32_t id;
} entry;

struct sr_grams {
    uint64_t bitmap[(1u << BITMAP_LOG2) / 64];
    entry *entries;  /* sorted by window */
    uint32_t *slots; /* open addressing: first entry of a window, or NONE */
    uint32_t count;
    uint32_t slot_log2;
};

/* How common a byte is in paths and command lines, 0 rare to 9 everywhere;
 * those not listed are 2. */
static unsigned weight(unsigned char c)
{
    static const unsigned char listed[256] = {
        ['e'] = 9, ['\\'] = 9, ['.'] = 9, ['s'] = 9, ['i'] = 9, ['o'] = 9,
        ['t'] = 9, ['r'] = 9,  ['n'] = 9, ['a'] = 9, ['c'] = 9, ['l'] = 6,
        ['m'] = 6, ['d'] = 6,  ['p'] = 6, ['u'] = 6, ['h'] = 6, ['w'] = 6,
        ['x'] = 6, ['f'] = 6,  ['g'] = 6, ['-'] = 6, ['/'] = 6, [' '] = 6,
        [':'] = 6, ['0'] = 6,  ['1'] = 6, ['2'] = 6, ['3'] = 6, ['_'] = 6,
        ['b'] = 4, ['j'] = 4,  ['k'] = 4, ['q'] = 4, ['v'] = 4, ['y'] = 4,
        ['z'] = 4};

    return listed[c] == 0 ? 2 : listed[c];
}

static uint32_t window_at(const char *p)
{
    uint32_t w;

    memcpy(&w, p, sizeof(w));
    return w;
}

static uint32_t hash(uint32_t window, unsigned log2)
{
    return (uint32_t)(window * UINT32_C(2654435761)) >> (32 - log2);
}

/* -------- building ------------------------------------------------------- */

/* The window of a literal whose bytes are rarest; `uses` counts, by hash, how
 * many literals chose it before. */
static uint32_t choose(sg_str text, uint16_t *uses)
{
    uint32_t best = 0;
    unsigned best_cost = UINT32_MAX;

    for (uint32_t i = 0; i + SR_GRAM <= text.len; i++) {
        unsigned cost = 4u * uses[hash(window_at(text.ptr + i), BITMAP_LOG2)];

        for (uint32_t k = 0; k < SR_GRAM; k++)
            cost += weight((unsigned char)text.ptr[i + k]);
        if (cost < best_cost) {
            best_cost = cost;
            best = i;
        }
    }
    uint16_t *used = &uses[hash(window_at(text.ptr + best), BITMAP_LOG2)];

    if (*used < UINT16_MAX)
        ++*used;
    return best;
}

static int by_window(const void *a, const void *b)
{
    const entry *x = a, *y = b;

    if (x->window != y->window)
        return x->window < y->window ? -1 : 1;
    return x->id < y->id ? -1 : x->id > y->id;
}

static void file_entries(sg_arena *arena, sr_grams *g)
{
    while ((UINT32_C(1) << g->slot_log2) < g->count * 2)
        g->slot_log2++;
    const uint32_t mask = (UINT32_C(1) << g->slot_log2) - 1;

    g->slots = sg_new_n(arena, uint32_t, (size_t)mask + 1);
    memset(g->slots, 0xFF, ((size_t)mask + 1) * sizeof(*g->slots));
    for (uint32_t i = 0; i < g->count; i++) {
        const uint32_t w = g->entries[i].window;
        uint32_t s = hash(w, g->slot_log2);

        if (i > 0 && g->entries[i - 1].window == w)
            continue;
        while (g->slots[s] != SIGMA_NONE)
            s = (s + 1) & mask;
        g->slots[s] = i;
    }
}

sr_grams *sr_grams_new(sg_arena *arena, const sr_gram_lit *lits, uint32_t count)
{
    if (count == 0)
        return NULL;
    sr_grams *g = sg_new(arena, sr_grams);
    sg_arena scratch = {0};
    uint16_t *uses = sg_new_n(&scratch, uint16_t, 1u << BITMAP_LOG2);

    g->slot_log2 = 4;
    g->count = count;
    g->entries = sg_new_n(arena, entry, count);
    for (uint32_t i = 0; i < count; i++) {
        const uint32_t at = choose(lits[i].text, uses);
        const uint32_t w = window_at(lits[i].text.ptr + at);
        const uint32_t bit = hash(w, BITMAP_LOG2);

        g->entries[i] = (entry){lits[i].text, w, at, lits[i].id};
        g->bitmap[bit / 64] |= UINT64_C(1) << (bit % 64);
    }
    qsort(g->entries, count, sizeof(*g->entries), by_window);
    file_entries(arena, g);
    sg_arena_free(&scratch);
    return g;
}

/* -------- scanning ------------------------------------------------------- */

/* Compare what is filed under the window that stands at `pos`. */
static void look_up(const sr_grams *g, sg_str text, size_t pos,
                    sr_gram_fn *found, void *ctx)
{
    const uint32_t w = window_at(text.ptr + pos);
    const uint32_t mask = (UINT32_C(1) << g->slot_log2) - 1;
    uint32_t s = hash(w, g->slot_log2);

    while (g->slots[s] != SIGMA_NONE && g->entries[g->slots[s]].window != w)
        s = (s + 1) & mask;
    for (uint32_t i = g->slots[s]; i < g->count && g->entries[i].window == w;
         i++) {
        const entry *e = &g->entries[i];

        if (e->at <= pos && e->text.len - e->at <= text.len - pos &&
            memcmp(text.ptr + pos - e->at, e->text.ptr, e->text.len) == 0)
            found(ctx, e->id);
    }
}

void sr_grams_scan(const sr_grams *grams, sg_str text, sr_gram_fn *found,
                   void *ctx)
{
    for (size_t pos = 0; pos + SR_GRAM <= text.len; pos++) {
        const uint32_t bit = hash(window_at(text.ptr + pos), BITMAP_LOG2);

        if ((grams->bitmap[bit / 64] >> (bit % 64) & 1) != 0)
            look_up(grams, text, pos, found, ctx);
    }
}
