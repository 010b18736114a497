/*
 * deflate.c - blocks of the DEFLATE format. The fast loop takes eight bytes of
 * input at once and writes matches in words, so it keeps away from both ends of
 * its buffers; a block that reaches them is refused, as is all that is not
 * plainly sound. Whatever is accepted here zlib would accept, to the same text.
 */
#include "input/deflate.h"

#include <stdlib.h>
#include <string.h>

enum {
    CODE_MOST = 15, /* bits of a code */
    LITS = 288,
    DISTS = 32,
    ORDERS = 19, /* codes for lengths of codes */
    END_OF_BLOCK = 256,
    LITS_MOST = 286, /* that a block may define */
    DISTS_MOST = 30,
    LIT_BITS = 11, /* codes up to so long are looked up at once */
    DIST_BITS = 9,
    ORDER_BITS = 7,
    IN_MARGIN = 8,                   /* bytes that a refill reads */
    MATCH_MOST = 258,                /* bytes */
    OUT_MARGIN = MATCH_MOST + 3 + 32 /* a step may write */
};

/* What a code stands for: VALUE is a literal, or the least length or distance,
 * to which EXTRA bits are added. 0: the code is longer than the table. */
#define ENTRY(value, extra, kind)                                              \
    ((uint32_t)(value) << 16 | (uint32_t)(extra) << 8 | (uint32_t)(kind))
enum { LITERAL = 0x20, STOP = 0x40, INVALID = 0x80, LENGTH_MASK = 0x1F };

/* A complete set of prefix codes. */
typedef struct codes {
    uint32_t *table; /* by the next `bits` bits, their length or'ed in */
    uint32_t bits;
    uint16_t count[CODE_MOST + 1]; /* of codes by length */
    uint16_t sorted[LITS];         /* symbols by code */
    const uint32_t *entries;       /* by symbol */
} codes;

struct sr_deflate {
    codes lit, dist, order;
    uint32_t lit_table[1 << LIT_BITS];
    uint32_t dist_table[1 << DIST_BITS];
    uint32_t order_table[1 << ORDER_BITS];
    uint32_t lit_entries[LITS], dist_entries[DISTS], order_entries[ORDERS];
};

/* -------- codes --------------------------------------------------------- */

static uint32_t reversed(uint32_t code, uint32_t len)
{
    uint32_t out = 0;

    for (uint32_t i = 0; i < len; i++)
        out |= (code >> i & 1) << (len - 1 - i);
    return out;
}

/* Sort the symbols by code; false unless the codes use up all bits. */
static bool sort_symbols(codes *c, const unsigned char *lengths, uint32_t n)
{
    uint16_t next[CODE_MOST + 2] = {0};
    int32_t left = 1;

    memset(c->count, 0, sizeof c->count);
    for (uint32_t i = 0; i < n; i++)
        c->count[lengths[i]]++;
    c->count[0] = 0;
    for (uint32_t len = 1; len <= CODE_MOST; len++) {
        left = left * 2 - c->count[len];
        if (left < 0)
            return false;
        next[len + 1] = (uint16_t)(next[len] + c->count[len]);
    }
    for (uint32_t i = 0; i < n; i++)
        if (lengths[i] != 0)
            c->sorted[next[lengths[i]]++] = (uint16_t)i;
    return left == 0;
}

/* Ready the codes of these lengths. */
static bool make_codes(codes *c, const unsigned char *lengths, uint32_t n)
{
    uint32_t code = 0, index = 0;

    if (!sort_symbols(c, lengths, n))
        return false;
    memset(c->table, 0, sizeof *c->table << c->bits);
    for (uint32_t len = 1; len <= c->bits; len++, code *= 2)
        for (uint32_t i = 0; i < c->count[len]; i++, code++) {
            const uint32_t entry = c->entries[c->sorted[index++]] | len;
            for (uint32_t at = reversed(code, len); at >> c->bits == 0;
                 at += UINT32_C(1) << len)
                c->table[at] = entry;
        }
    return true;
}

/* A code longer than the table, a bit at a time. */
static uint32_t look_further(const codes *c, uint64_t hold)
{
    uint32_t code = 0, first = 0, index = 0;

    for (uint32_t len = 1; len <= CODE_MOST; len++) {
        code |= (uint32_t)(hold & 1);
        hold >>= 1;
        if (code - first < c->count[len])
            return c->entries[c->sorted[index + code - first]] | len;
        index += c->count[len];
        first = (first + c->count[len]) * 2;
        code *= 2;
    }
    return INVALID;
}

/* `table` and `bits` are those of c, said again so that they are constants. */
static inline uint32_t look_up(const codes *c, const uint32_t *table,
                               uint32_t bits, uint64_t hold)
{
    const uint32_t e = table[hold & ((UINT64_C(1) << bits) - 1)];

    return e != 0 ? e : look_further(c, hold);
}

static void list_entries(sr_deflate *d)
{
    static const unsigned char length_extra[] = {0, 0, 0, 0, 0, 0, 0, 0, 1, 1,
                                                 1, 1, 2, 2, 2, 2, 3, 3, 3, 3,
                                                 4, 4, 4, 4, 5, 5, 5, 5, 0};
    uint32_t base = 3;

    for (uint32_t i = 0; i < LITS; i++)
        d->lit_entries[i] = i < END_OF_BLOCK    ? ENTRY(i, 0, LITERAL)
                            : i == END_OF_BLOCK ? ENTRY(0, 0, STOP)
                                                : ENTRY(0, 0, INVALID);
    for (uint32_t i = 0; i < sizeof length_extra; i++) {
        d->lit_entries[END_OF_BLOCK + 1 + i] = ENTRY(base, length_extra[i], 0);
        base += UINT32_C(1) << length_extra[i];
    }
    /* The last length has a code of its own. */
    d->lit_entries[LITS_MOST - 1] = ENTRY(MATCH_MOST, 0, 0);
    base = 1;
    for (uint32_t i = 0; i < DISTS; i++) {
        const uint32_t extra = i < 4 ? 0 : i / 2 - 1;
        d->dist_entries[i] =
            i < DISTS_MOST ? ENTRY(base, extra, 0) : ENTRY(0, 0, INVALID);
        base += UINT32_C(1) << extra;
    }
    for (uint32_t i = 0; i < ORDERS; i++)
        d->order_entries[i] = ENTRY(i, 0, 0);
}

sr_deflate *sr_deflate_new(void)
{
    sr_deflate *d = calloc(1, sizeof *d);

    if (d == NULL)
        return NULL;
    d->lit.table = d->lit_table;
    d->lit.bits = LIT_BITS;
    d->lit.entries = d->lit_entries;
    d->dist.table = d->dist_table;
    d->dist.bits = DIST_BITS;
    d->dist.entries = d->dist_entries;
    d->order.table = d->order_table;
    d->order.bits = ORDER_BITS;
    d->order.entries = d->order_entries;
    list_entries(d);
    return d;
}

void sr_deflate_free(sr_deflate *d)
{
    free(d);
}

/* -------- bits ---------------------------------------------------------- */

/* Bits taken from the input ahead of their use. */
typedef struct reader {
    const unsigned char *next, *end;
    uint64_t hold; /* `count` bits; above them, more of the bytes at next */
    uint32_t count;
} reader;

/* At least 56 bits; false near the end of the input. */
static inline bool refill(reader *r)
{
    uint64_t bytes;

    if (r->end - r->next < IN_MARGIN)
        return false;
    memcpy(&bytes, r->next, sizeof bytes);
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    bytes = __builtin_bswap64(bytes);
#endif
    r->hold |= bytes << r->count;
    r->next += (63 - r->count) >> 3;
    r->count |= 56;
    return true;
}

static inline void drop(reader *r, uint32_t count)
{
    r->hold >>= count;
    r->count -= count;
}

static inline uint32_t take(reader *r, uint32_t count)
{
    const uint32_t out = (uint32_t)(r->hold & ((UINT64_C(1) << count) - 1));

    drop(r, count);
    return out;
}

/* -------- headers of blocks --------------------------------------------- */

/* Symbols of `order`: lengths, or how often to repeat one. */
static bool read_lengths(sr_deflate *d, reader *r, unsigned char *lengths,
                         uint32_t total)
{
    uint32_t n = 0;

    while (n < total) {
        uint32_t symbol, repeat;
        unsigned char length = 0;

        if (!refill(r))
            return false;
        const uint32_t e =
            look_up(&d->order, d->order_table, ORDER_BITS, r->hold);
        drop(r, e & LENGTH_MASK);
        symbol = e >> 16;
        if (symbol < 16) {
            lengths[n++] = (unsigned char)symbol;
            continue;
        }
        if (symbol == 16 && n == 0)
            return false;
        if (symbol == 16)
            length = lengths[n - 1];
        repeat = symbol == 16   ? 3 + take(r, 2)
                 : symbol == 17 ? 3 + take(r, 3)
                                : 11 + take(r, 7);
        if (repeat > total - n)
            return false;
        memset(lengths + n, length, repeat);
        n += repeat;
    }
    return true;
}

static bool read_codes(sr_deflate *d, reader *r)
{
    static const unsigned char order[ORDERS] = {
        16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15};
    unsigned char lengths[LITS + DISTS] = {0};
    unsigned char of_order[ORDERS] = {0};

    if (!refill(r))
        return false;
    const uint32_t lits = 257 + take(r, 5), dists = 1 + take(r, 5);
    const uint32_t orders = 4 + take(r, 4);

    if (lits > LITS_MOST || dists > DISTS_MOST)
        return false;
    for (uint32_t i = 0; i < orders; i++) {
        if (!refill(r))
            return false;
        of_order[order[i]] = (unsigned char)take(r, 3);
    }
    return make_codes(&d->order, of_order, ORDERS) &&
           read_lengths(d, r, lengths, lits + dists) &&
           lengths[END_OF_BLOCK] != 0 && make_codes(&d->lit, lengths, lits) &&
           make_codes(&d->dist, lengths + lits, dists);
}

static bool fixed_codes(sr_deflate *d)
{
    unsigned char lengths[LITS];

    memset(lengths, 8, 144);
    memset(lengths + 144, 9, 112);
    memset(lengths + 256, 7, 24);
    memset(lengths + 280, 8, 8);
    if (!make_codes(&d->lit, lengths, LITS))
        return false;
    memset(lengths, 5, DISTS);
    return make_codes(&d->dist, lengths, DISTS);
}

/* -------- contents of blocks -------------------------------------------- */

static inline void copy_words(unsigned char *to, const unsigned char *from,
                              size_t word)
{
    if (word == 16)
        memcpy(to, from, 16);
    else
        memcpy(to, from, 8);
}

/* May write up to 31 bytes more. Most matches are short: the first words are
 * written whatever the length. */
static inline void copy_match(unsigned char *to, size_t distance, size_t length)
{
    const unsigned char *from = to - distance;
    const unsigned char *end = to + length;
    const size_t word = distance >= 16 ? 16 : 8;

    if (distance == 1) {
        memset(to, *from, length);
        return;
    }
    if (distance < 8) {
        while (to < end)
            *to++ = *from++;
        return;
    }
    copy_words(to, from, word);
    copy_words(to + word, from + word, word);
    for (size_t at = 2 * word; at < length; at += word)
        copy_words(to + at, from + at, word);
}

/* Text that bytes are put to. A structure of one's own stays in registers:
 * what is written through `next` may be anything else. */
typedef struct writer {
    unsigned char *next;
    const unsigned char *start, *end;
} writer;

static inline uint32_t next_lit(const sr_deflate *d, const reader *r)
{
    return look_up(&d->lit, d->lit_table, LIT_BITS, r->hold);
}

static inline void put_literal(reader *r, writer *w, uint32_t e)
{
    *w->next++ = (unsigned char)(e >> 16);
    drop(r, e & LENGTH_MASK);
}

/* The match that entry `e` begins; false when it is none. */
static inline bool put_match(const sr_deflate *d, reader *r, writer *w,
                             uint32_t e)
{
    drop(r, e & LENGTH_MASK);
    const size_t length = (e >> 16) + take(r, e >> 8 & 0x1F);

    e = look_up(&d->dist, d->dist_table, DIST_BITS, r->hold);
    drop(r, e & LENGTH_MASK);
    const size_t distance = (e >> 16) + take(r, e >> 8 & 0x1F);

    if ((e & INVALID) != 0 || distance > (size_t)(w->next - w->start))
        return false;
    copy_match(w->next, distance, length);
    w->next += length;
    return true;
}

/* All up to the end of the block. */
static inline bool put_all(const sr_deflate *d, reader *r, writer *w)
{
    while (w->end - w->next >= OUT_MARGIN && refill(r)) {
        uint32_t e = next_lit(d, r);

        /* Three literals of 15 bits leave too few bits for a match. */
        for (int i = 0; i < 2 && (e & LITERAL) != 0; i++) {
            put_literal(r, w, e);
            e = next_lit(d, r);
        }
        if ((e & LITERAL) != 0) {
            put_literal(r, w, e);
            continue;
        }
        if ((e & STOP) != 0) {
            drop(r, e & LENGTH_MASK);
            return true;
        }
        if ((e & INVALID) != 0 || !refill(r) || !put_match(d, r, w, e))
            return false;
    }
    return false;
}

static bool put_coded(const sr_deflate *d, reader *in, sr_text *text)
{
    reader r = *in;
    writer w = {text->next, text->start, text->end};
    const bool done = put_all(d, &r, &w);

    *in = r;
    text->next = w.next;
    return done;
}

/* The bits left of the byte at hand count for nothing. */
static bool put_stored(reader *r, sr_text *t)
{
    size_t length;

    if (!refill(r))
        return false;
    drop(r, r->count & 7);
    r->next -= r->count >> 3;
    r->hold = r->count = 0;
    if (r->end - r->next < 4)
        return false;
    length = (size_t)r->next[0] | (size_t)r->next[1] << 8;
    if (length != (0xFFFF ^ ((size_t)r->next[2] | (size_t)r->next[3] << 8)))
        return false;
    r->next += 4;
    if ((size_t)(r->end - r->next) < length ||
        (size_t)(t->end - t->next) < length)
        return false;
    memcpy(t->next, r->next, length);
    r->next += length;
    t->next += length;
    return true;
}

bool sr_deflate_block(sr_deflate *d, sr_bits *in, sr_text *text, bool *last)
{
    reader r = {in->next, in->end, in->hold, in->bits};
    sr_text t = *text;
    bool done = false;

    if (!refill(&r))
        return false;
    const bool final = take(&r, 1) != 0;

    switch (take(&r, 2)) {
    case 0:
        done = put_stored(&r, &t);
        break;
    case 1:
        done = fixed_codes(d) && put_coded(d, &r, &t);
        break;
    case 2:
        done = read_codes(d, &r) && put_coded(d, &r, &t);
        break;
    default:
        break;
    }
    if (!done)
        return false;
    in->next = r.next - (r.count >> 3);
    in->bits = r.count & 7;
    in->hold = (uint32_t)r.hold & ((1u << in->bits) - 1);
    *text = t;
    *last = final;
    return true;
}
