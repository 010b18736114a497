/*
 * grams.c - the index of grams.h: a table of marks over hashed windows of a
 * text says at once that no literal can be here; what passes is looked up by
 * its window and compared. Marks are bytes, as a scan takes most of its time to
 * ask for them.
 *
 * Not every window is looked at. A literal long enough is filed under four
 * windows in a row, one of which begins where the scan looks if that looks at
 * every fourth byte, or under more where all of them are longer; shorter ones
 * make do with fewer, smaller windows. Which
 * windows of a literal these are: those that other literals and ordinary event
 * text use least. What is ordinary the sample tells, a text of those to be
 * scanned: logs repeat themselves.
 */
#include "match/grams.h"

#include "match/match.h"

#include <string.h>

enum {
    MARKS_LEAST = 8,   /* log2 */
    MARKS_MOST = 18,   /* 256 KiB: stays in the second-level cache */
    MARKS_SPARSE = 5,  /* log2 of marks for each window */
    MARKS_SPARSER = 7, /* the same where every byte is looked at */
    USES_LEAST = 10,
    USES_MOST = 17,
    STRIDE_MOST = 8,            /* windows of a literal */
    TAIL = sizeof(uint32_t) - 1 /* bytes that are less than a load */
};

/* How literals of a length are filed. */
typedef struct filing {
    uint32_t window; /* bytes */
    uint32_t stride; /* windows of a literal, bytes from look to look */
} filing;

/* The first one's stride may be longer. */
static const filing shapes[] = {{4, 4}, {3, 2}, {2, 1}};

enum { TIERS = sizeof(shapes) / sizeof(shapes[0]) };

typedef struct entry {
    sg_str text;
    uint32_t window;
    uint32_t at; /* of the window in the text */
    uint32_t id;
    uint32_t end_at; /* of `end` in the text */
    uint32_t end;    /* four bytes of the end that is farther from the window */
} entry;

/* Open addressing: the first entry of a window, or NONE. */
typedef struct slot {
    uint32_t window;
    uint32_t first;
} slot;

/* The literals of one shape. */
typedef struct tier {
    filing shape;
    uint32_t mask; /* of the bytes of a window, in a load of four */
    uint32_t mark_log2, slot_log2;
    uint8_t *marks; /* 1: some window may be one of a literal */
    slot *slots;
    entry *entries; /* those of a window in a row */
    uint32_t count;
} tier;

struct sr_grams {
    tier tiers[TIERS];
    uint32_t hide; /* bits, in each byte */
};

static uint32_t load(const char *p)
{
    uint32_t w;

    memcpy(&w, p, sizeof(w));
    return w;
}

/* The window at p, of which `left` bytes can be read. */
static uint32_t window_at(const char *p, size_t left, uint32_t mask)
{
    uint32_t w = 0;

    if (left >= sizeof(w))
        return load(p) & mask;
    memcpy(&w, p, left);
    return w & mask;
}

static uint32_t hash(uint32_t window, unsigned log2)
{
    return (uint32_t)(window * UINT32_C(2654435761)) >> (32 - log2);
}

/* -------- building ------------------------------------------------------- */

/* Bytes a literal of the shape has at least. */
static size_t length_of(const filing *shape)
{
    return shape->window + shape->stride - 1;
}

static uint32_t tier_of(sg_str text)
{
    uint32_t t = 0;

    while (t + 1 < TIERS && text.len < length_of(&shapes[t]))
        t++;
    return t;
}

/* The first tier's, by the shortest of its literals. */
static filing long_shape(const sr_gram_lit *lits, uint32_t count)
{
    static const filing longer[] = {{4, STRIDE_MOST}, {4, 6}};
    size_t least = SIZE_MAX;

    for (uint32_t i = 0; i < count; i++)
        if (tier_of(lits[i].text) == 0 && lits[i].text.len < least)
            least = lits[i].text.len;
    for (size_t i = 0; i < sizeof(longer) / sizeof(*longer); i++)
        if (least >= length_of(&longer[i]))
            return longer[i];
    return shapes[0];
}

/* Counts by the hash of a window how often it is used: each time by a literal,
 * and much more by the sample. */
typedef struct uses {
    uint16_t *counts;
    unsigned log2;
} uses;

enum { SAMPLE_USES = 16, SAMPLE_MOST = 1 << 16 };

static uint16_t *use_of(const uses *u, uint32_t window)
{
    return &u->counts[hash(window, u->log2)];
}

static void count_sample(const uses *u, const sr_grams *g, sg_str sample)
{
    for (uint32_t t = 0; t < TIERS; t++)
        for (size_t i = 0; i + shapes[t].window <= sample.len; i++) {
            const uint32_t mask = g->tiers[t].mask;
            const uint32_t w = window_at(sample.ptr + i, sample.len - i, mask);

            *use_of(u, w | (g->hide & mask)) = SAMPLE_USES;
        }
}

static uint32_t window_cost(const tier *t, sg_str text, uint32_t at,
                            const uses *u)
{
    const char *p = text.ptr + at;
    uint32_t cost = 4u * *use_of(u, window_at(p, text.len - at, t->mask));

    for (uint32_t k = 0; k < t->shape.window; k++)
        cost += sr_byte_weight(p[k]);
    return cost;
}

/* Where the windows in a row begin whose bytes are rarest. */
static uint32_t choose(const tier *t, sg_str text, const uses *u)
{
    const uint32_t stride = t->shape.stride;
    uint32_t costs[STRIDE_MOST] = {0}; /* of those in the row */
    uint32_t best = 0;
    uint32_t cost = 0, best_cost = UINT32_MAX;

    for (uint32_t i = 0; i + t->shape.window <= text.len; i++) {
        uint32_t *const oldest = &costs[i % stride];

        cost -= *oldest;
        *oldest = window_cost(t, text, i, u);
        cost += *oldest;
        if (i + 1 < stride || cost >= best_cost)
            continue;
        best_cost = cost;
        best = i + 1 - stride;
    }
    return best;
}

static entry entry_of(const sr_gram_lit *lit, uint32_t at, uint32_t window)
{
    const sg_str text = lit->text;
    entry e = {text, window, at, lit->id, 0, 0};

    if (text.len < sizeof(e.end))
        return e;
    if (at < text.len - at - 1)
        e.end_at = (uint32_t)(text.len - sizeof(e.end));
    e.end = load(text.ptr + e.end_at);
    return e;
}

static void file_lit(tier *t, const sr_gram_lit *lit, const uses *u)
{
    const uint32_t at = choose(t, lit->text, u);

    for (uint32_t k = at; k < at + t->shape.stride; k++) {
        const uint32_t w =
            window_at(lit->text.ptr + k, lit->text.len - k, t->mask);
        uint16_t *used = use_of(u, w);

        if (*used < UINT16_MAX)
            ++*used;
        t->entries[t->count++] = entry_of(lit, k, w);
    }
}

/* Smallest with room for `count` times 2^more. */
static uint32_t log2_of(uint32_t count, uint32_t more, uint32_t least)
{
    uint32_t log2 = least;

    while ((UINT64_C(1) << log2) < (uint64_t)count << more)
        log2++;
    return log2;
}

/* The slot of a window, or the free one that it would have. */
static inline slot *slot_of(const tier *t, uint32_t window)
{
    const uint32_t mask = (UINT32_C(1) << t->slot_log2) - 1;
    uint32_t at = hash(window, t->slot_log2);

    while (t->slots[at].first != SIGMA_NONE && t->slots[at].window != window)
        at = (at + 1) & mask;
    return &t->slots[at];
}

/* Bring those of a window together: each slot counts its entries, then is told
 * where they end, and comes to their beginning as they are put there. */
static void group(tier *t, const entry *filed)
{
    const size_t slots = (size_t)1 << t->slot_log2;
    uint32_t end = 0;

    memset(t->slots, 0xFF, slots * sizeof(*t->slots));
    for (uint32_t i = 0; i < t->count; i++) {
        slot *s = slot_of(t, filed[i].window);

        if (s->first == SIGMA_NONE)
            *s = (slot){filed[i].window, 0};
        s->first++;
        t->marks[hash(s->window, t->mark_log2)] = 1;
    }
    for (size_t i = 0; i < slots; i++)
        if (t->slots[i].first != SIGMA_NONE)
            t->slots[i].first = end += t->slots[i].first;
    for (uint32_t i = t->count; i-- > 0;)
        t->entries[--slot_of(t, filed[i].window)->first] = filed[i];
}

static void index_tier(sg_arena *arena, tier *t)
{
    const uint32_t more = t->shape.stride == 1 ? MARKS_SPARSER : MARKS_SPARSE;
    const uint32_t marks = log2_of(t->count, more, MARKS_LEAST);
    const entry *filed = t->entries;

    t->entries = sg_arena_alloc(arena, (t->count + (size_t)1) * sizeof(entry),
                                _Alignof(entry));
    t->mark_log2 = marks < MARKS_MOST ? marks : MARKS_MOST;
    t->marks = sg_new_n(arena, uint8_t, (size_t)1 << t->mark_log2);
    t->slot_log2 = log2_of(t->count, 1, 4);
    t->slots = sg_new_n(arena, slot, (size_t)1 << t->slot_log2);
    group(t, filed);
}

/* Entries are in the arena until they are grouped. */
static void ready_tier(sg_arena *arena, tier *t, filing shape, uint32_t lits)
{
    t->shape = shape;
    t->mask = UINT32_MAX;
    if (shape.window < sizeof(t->mask))
        memset((char *)&t->mask + shape.window, 0,
               sizeof(t->mask) - shape.window);
    t->entries =
        sg_arena_alloc(arena, ((size_t)lits * shape.stride + 1) * sizeof(entry),
                       _Alignof(entry));
}

static void ready_tiers(sg_arena *arena, sr_grams *g, const sr_gram_lit *lits,
                        uint32_t count)
{
    uint32_t members[TIERS] = {0};

    for (uint32_t i = 0; i < count; i++)
        members[tier_of(lits[i].text)]++;
    ready_tier(arena, &g->tiers[0], long_shape(lits, count), members[0]);
    for (uint32_t t = 1; t < TIERS; t++)
        ready_tier(arena, &g->tiers[t], shapes[t], members[t]);
}

/* Room for the windows of the sample and some of each literal. */
static uses make_uses(sg_arena *scratch, uint32_t lits, size_t sample)
{
    enum { OF_EACH = 16 };
    const uint32_t log2 =
        log2_of((uint32_t)(TIERS * sample) + OF_EACH * lits, 1, USES_LEAST);
    uses u = {.log2 = log2 < USES_MOST ? log2 : USES_MOST};

    u.counts = sg_new_n(scratch, uint16_t, (size_t)1 << u.log2);
    return u;
}

sr_grams *sr_grams_new(sg_arena *arena, const sr_gram_lit *lits, uint32_t count,
                       uint8_t hide, sg_str sample)
{
    if (count == 0)
        return NULL;
    sr_grams *g = sg_new(arena, sr_grams);
    sg_arena scratch = {0};

    sample.len = sample.len < SAMPLE_MOST ? sample.len : SAMPLE_MOST;
    g->hide = hide * UINT32_C(0x01010101);
    ready_tiers(&scratch, g, lits, count);
    const uses u = make_uses(&scratch, count, sample.len);
    count_sample(&u, g, sample);
    for (uint32_t i = 0; i < count; i++)
        file_lit(&g->tiers[tier_of(lits[i].text)], &lits[i], &u);
    for (uint32_t t = 0; t < TIERS; t++)
        index_tier(arena, &g->tiers[t]);
    sg_arena_free(&scratch);
    return g;
}

/* -------- scanning ------------------------------------------------------- */

/* What a scan looks in and reports to. */
typedef struct scan {
    sg_str text;
    uint32_t hide;
    sr_gram_fn *found;
    void *ctx;
    char tail[2 * TAIL + 1]; /* its last TAIL bytes, zeros behind */
} scan;

static void set_tail(scan *s)
{
    const size_t len = s->text.len < TAIL ? s->text.len : TAIL;
    char *const end = s->tail + TAIL;

    memset(s->tail, 0, sizeof(s->tail));
    for (size_t i = 1; i <= len; i++)
        end[-(ptrdiff_t)i] = s->text.ptr[s->text.len - i];
}

/* The window at p, behind which `left` bytes of the text are left. */
static inline uint32_t window_in(const scan *s, const char *p, size_t left)
{
    return load(left > TAIL ? p : s->tail + TAIL - left);
}

/* Whether the literal stands at p. Most do not, which is told without a look at
 * the literal itself: that may be far away. */
static bool stands(const scan *s, const entry *e, const char *p)
{
    const sg_str lit = e->text;

    if (lit.len >= sizeof(e->end) && (load(p + e->end_at) | s->hide) != e->end)
        return false;
    if (s->hide == 0)
        return memcmp(p, lit.ptr, lit.len) == 0;
    for (size_t i = 0; i < lit.len; i++)
        if ((char)(p[i] | (char)s->hide) != lit.ptr[i])
            return false;
    return true;
}

/* Compare what is filed under a window that stands at p. */
static void look_up(const tier *t, const scan *s, uint32_t window,
                    const char *p)
{
    const size_t pos = (size_t)(p - s->text.ptr);

    for (uint32_t i = slot_of(t, window)->first;
         i < t->count && t->entries[i].window == window; i++) {
        const entry *e = &t->entries[i];

        if (e->at <= pos && e->text.len - e->at <= s->text.len - pos &&
            stands(s, e, p - e->at))
            s->found(s->ctx, e->id);
    }
}

/* `stride` is a constant where this is called. */
static inline void scan_tier(const tier *t, const scan *s, size_t stride)
{
    enum { AT_ONCE = 4 };
    const uint8_t *const marks = t->marks;
    const uint32_t mask = t->mask, hide = s->hide & mask, log2 = t->mark_log2;
    const char *p = s->text.ptr;
    size_t left = s->text.len;

    if (t->count == 0)
        return;
    /* Most of the time none of several is marked: one branch for all. */
    for (; left >= AT_ONCE * stride + sizeof(mask);
         p += AT_ONCE * stride, left -= AT_ONCE * stride) {
        const uint32_t w0 = (load(p) & mask) | hide,
                       w1 = (load(p + stride) & mask) | hide;
        const uint32_t w2 = (load(p + 2 * stride) & mask) | hide;
        const uint32_t w3 = (load(p + 3 * stride) & mask) | hide;
        const uint32_t m0 = marks[hash(w0, log2)], m1 = marks[hash(w1, log2)];
        const uint32_t m2 = marks[hash(w2, log2)], m3 = marks[hash(w3, log2)];

        if ((m0 | m1 | m2 | m3) == 0)
            continue;
        if (m0 != 0)
            look_up(t, s, w0, p);
        if (m1 != 0)
            look_up(t, s, w1, p + stride);
        if (m2 != 0)
            look_up(t, s, w2, p + 2 * stride);
        if (m3 != 0)
            look_up(t, s, w3, p + 3 * stride);
    }
    for (; left != 0; p += stride, left -= stride < left ? stride : left) {
        const uint32_t w = (window_in(s, p, left) & mask) | hide;

        if (marks[hash(w, log2)] != 0)
            look_up(t, s, w, p);
    }
}

void sr_grams_scan(const sr_grams *grams, sg_str text, sr_gram_fn *found,
                   void *ctx)
{
    if (grams == NULL)
        return;
    scan s = {.text = text, .hide = grams->hide, .found = found, .ctx = ctx};

    set_tail(&s);
    if (grams->tiers[0].shape.stride == STRIDE_MOST)
        scan_tier(&grams->tiers[0], &s, STRIDE_MOST);
    else if (grams->tiers[0].shape.stride == 6)
        scan_tier(&grams->tiers[0], &s, 6);
    else
        scan_tier(&grams->tiers[0], &s, 4);
    scan_tier(&grams->tiers[1], &s, 2);
    scan_tier(&grams->tiers[2], &s, 1);
}
