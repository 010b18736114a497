/*
 * affixes.c - the index of affixes.h: literals are filed by up to eight bytes
 * at that end of a text where they must stand. A text is looked up once for
 * each number of bytes that some literal is filed by.
 */
#include "match/affixes.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

enum { KEY_MOST = 8 };

/* The first or last `len` bytes of a text, the first of them lowest. */
typedef struct key {
    uint64_t bytes;
    uint8_t len;
    bool last;
} key;

typedef struct entry {
    key key;
    sr_affix lit;
} entry;

struct sr_affixes {
    entry *entries;  /* sorted by key */
    uint32_t *slots; /* open addressing: first entry of a key, or NONE */
    uint32_t count;
    uint32_t slot_log2;
    uint32_t lens[2]; /* first, last; bit n: some literal has a key of n */
};

/* The bytes at an end of the text that its keys are of: the first ones from the
 * lowest byte on, or the last ones up to the highest. */
static uint64_t end_of(sg_str text, bool last)
{
    const size_t len = text.len < KEY_MOST ? text.len : KEY_MOST;
    char bytes[KEY_MOST] = {0};
    uint64_t word;

    if (len == KEY_MOST)
        memcpy(bytes, last ? text.ptr + text.len - KEY_MOST : text.ptr,
               KEY_MOST);
    else if (len != 0)
        memcpy(last ? bytes + KEY_MOST - len : bytes, text.ptr, len);
    memcpy(&word, bytes, sizeof(word));
    return le64toh(word);
}

static key key_of(uint64_t end, uint32_t len, bool last)
{
    const uint32_t others = 8 * (KEY_MOST - len); /* bits */
    key k = {.len = (uint8_t)len, .last = last};

    if (len != 0)
        k.bytes = last ? end >> others : end << others >> others;
    return k;
}

static uint32_t hash(key k, uint32_t log2)
{
    const uint64_t mixed = (k.bytes ^ ((uint64_t)k.len << 1 | k.last)) *
                           UINT64_C(0x9E3779B97F4A7C15);

    return (uint32_t)((mixed ^ mixed >> 29) * UINT64_C(0xBF58476D1CE4E5B9) >>
                      (64 - log2));
}

static int compare(key x, key y)
{
    if (x.bytes != y.bytes)
        return x.bytes < y.bytes ? -1 : 1;
    return x.len != y.len ? x.len - y.len : (int)x.last - (int)y.last;
}

/* -------- building ------------------------------------------------------- */

static int by_key(const void *a, const void *b)
{
    const entry *x = a, *y = b;
    const int order = compare(x->key, y->key);

    if (order != 0)
        return order;
    return x->lit.id < y->lit.id ? -1 : x->lit.id > y->lit.id;
}

static void fill_slots(sg_arena *arena, sr_affixes *x)
{
    while ((UINT32_C(1) << x->slot_log2) < x->count * 2)
        x->slot_log2++;
    const uint32_t mask = (UINT32_C(1) << x->slot_log2) - 1;

    x->slots = sg_new_n(arena, uint32_t, (size_t)mask + 1);
    memset(x->slots, 0xFF, ((size_t)mask + 1) * sizeof(*x->slots));
    for (uint32_t i = 0; i < x->count; i++) {
        uint32_t s = hash(x->entries[i].key, x->slot_log2);

        if (i > 0 && compare(x->entries[i - 1].key, x->entries[i].key) == 0)
            continue;
        while (x->slots[s] != SIGMA_NONE)
            s = (s + 1) & mask;
        x->slots[s] = i;
    }
}

sr_affixes *sr_affixes_new(sg_arena *arena, const sr_affix *lits,
                           uint32_t count)
{
    if (count == 0)
        return NULL;
    sr_affixes *x = sg_new(arena, sr_affixes);

    x->slot_log2 = 4;
    x->count = count;
    x->entries = sg_new_n(arena, entry, count);
    for (uint32_t i = 0; i < count; i++) {
        const sg_str text = lits[i].text;
        const bool last = lits[i].kind != SR_LIT_STARTS;
        const uint32_t len =
            text.len < KEY_MOST ? (uint32_t)text.len : KEY_MOST;

        x->entries[i] = (entry){key_of(end_of(text, last), len, last), lits[i]};
        x->lens[last] |= UINT32_C(1) << len;
    }
    qsort(x->entries, count, sizeof(*x->entries), by_key);
    fill_slots(arena, x);
    return x;
}

/* -------- finding -------------------------------------------------------- */

static bool holds(const sr_affix *lit, sg_str text)
{
    if (lit->kind == SR_LIT_EQ)
        return sg_str_eq(text, lit->text);
    return lit->kind == SR_LIT_STARTS ? sg_str_starts(text, lit->text)
                                      : sg_str_ends(text, lit->text);
}

static void look_up(const sr_affixes *x, sg_str text, key k, sr_gram_fn *found,
                    void *ctx)
{
    const uint32_t mask = (UINT32_C(1) << x->slot_log2) - 1;
    uint32_t s = hash(k, x->slot_log2);

    while (x->slots[s] != SIGMA_NONE &&
           compare(x->entries[x->slots[s]].key, k) != 0)
        s = (s + 1) & mask;
    for (uint32_t i = x->slots[s];
         i < x->count && compare(x->entries[i].key, k) == 0; i++)
        if (holds(&x->entries[i].lit, text))
            found(ctx, x->entries[i].lit.id);
}

void sr_affixes_find(const sr_affixes *affixes, sg_str text, sr_gram_fn *found,
                     void *ctx)
{
    for (int last = 0; affixes != NULL && last < 2; last++) {
        const uint64_t end = end_of(text, last != 0);

        for (uint32_t lens = affixes->lens[last]; lens != 0; lens &= lens - 1) {
            const uint32_t len = (uint32_t)__builtin_ctz(lens);

            if (len <= text.len)
                look_up(affixes, text, key_of(end, len, last != 0), found, ctx);
        }
    }
}
