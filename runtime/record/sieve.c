/*
 * sieve.c - pieces looked for by four bytes of each, in 64 places of a line at
 * once (sift.h).
 *
 * Pieces are dealt out to buckets. For each of the four bytes two tables of 16
 * say, by the low and by the high half of a byte of the line, in which buckets
 * some piece may have it there: bit b for bucket b. A place where the bits of
 * all eight look-ups have one in common may begin a piece of that bucket; what
 * stands there is compared then. That is how Hyperscan's Teddy finds few
 * literals.
 *
 * Which four bytes of a piece these are: those whose pairs the sample has
 * least, and of such the least ordinary ones; what looks like a piece and is
 * none costs as much as all the rest.
 *
 * What makes a line not tell (verbatim.c) is looked for in the same way: two
 * buckets hold the ways to write a character as something else. Escapes make a
 * line pass where they stand for a character of what is looked for, so that the
 * `\u003d` of some sensors does not. A part that begins or ends between a quote
 * or backslash and the backslash before it is found all the same: an escape of
 * that character begins with one, too.
 */
#include "record/sieve.h"

#include "record/level.h"
#include "record/needles.h"

#include <stdlib.h>

enum {
    COMPARED = 6, /* bytes of a piece, at least, if it has them */
    BUCKETS = 6,  /* of pieces; two more: */
    FOREIGN = 6,  /* U+017F and U+212A */
    ESCAPES = 7,  /* \uXXXX and \/ */
    PIECES_MOST = 96,
    READ = SR_BLOCK + SR_NEEDLE, /* bytes that 64 places reach over */
    SAMPLE_MOST = 1 << 14,
    PLAIN = 16 * SR_SIFTED
};

/* Pays for lines that are kept out: where three of four pass it is not worth
 * it. */
static const sr_habit_rule habit_rule = {
    .round = 512, .pays = 512 / 4 + 1, .rest = 1 << 15, .rest_most = 1 << 15};

/* Up to eight bytes that stand where a piece may begin, bit 5 set. */
typedef struct window {
    uint64_t want, mask;
} window;

struct sr_sieve {
    sr_sift sift;
    window windows[PIECES_MOST];
    uint32_t first[BUCKETS + 1]; /* windows of bucket b: from first[b] on */
    sr_needles disguises;        /* what the other two buckets hold; of the
                                  * level that looks */
};

/* -------- building ------------------------------------------------------- */

/* How often the sample has bytes and pairs of them, bit 5 set in all. */
typedef struct counts {
    uint16_t bytes[1 << 8];
    uint16_t pairs[1 << 16];
} counts;

static uint32_t byte_of(const char *p)
{
    return (uint8_t)(*p | SR_HIDE_CASE);
}

static uint32_t pair_of(const char *p)
{
    return byte_of(p) << 8 | byte_of(p + 1);
}

static counts *counts_of(sg_arena *scratch, sg_str sample)
{
    counts *c = sg_new(scratch, counts);

    for (size_t i = 0; i + 1 < sample.len && i < SAMPLE_MOST; i++) {
        c->bytes[byte_of(sample.ptr + i)]++;
        c->pairs[pair_of(sample.ptr + i)]++;
    }
    return c;
}

/* How ordinary a byte is, at most PLAIN / SR_SIFTED. A letter always is, though
 * one line need not have it. */
static uint32_t plainness(const counts *c, const char *p)
{
    const uint32_t byte = byte_of(p);
    const uint32_t letter = byte >= 'a' && byte <= 'z' ? 3 : 0;

    return 31 - (uint32_t)__builtin_clz(c->bytes[byte] + letter + 1);
}

/* Pairs come first. */
static uint32_t cost_of(const counts *c, const char *p)
{
    uint32_t cost = plainness(c, p + SR_SIFTED - 1);

    for (size_t k = 0; k + 1 < SR_SIFTED; k++)
        cost += c->pairs[pair_of(p + k)] * PLAIN + plainness(c, p + k);
    return cost;
}

/* Where the rarest part of a piece begins; as much as is compared must follow,
 * if the piece is that long. */
static sg_str best_part(sg_str piece, const counts *c)
{
    const size_t least = piece.len < COMPARED ? SR_SIFTED : COMPARED;
    size_t best = 0;
    uint32_t best_cost = UINT32_MAX;

    for (size_t at = 0; at + least <= piece.len; at++) {
        const uint32_t cost = cost_of(c, piece.ptr + at);

        if (cost >= best_cost)
            continue;
        best = at;
        best_cost = cost;
    }
    return sg_str_sub(piece, best, best + SR_NEEDLE);
}

static int by_text(const void *a, const void *b)
{
    return sg_str_cmp(*(const sg_str *)a, *(const sg_str *)b);
}

static window window_of(sg_str part)
{
    window w = {0, 0};

    memcpy(&w.want, part.ptr, part.len);
    memset(&w.mask, 0xFF, part.len);
    return w;
}

/* The byte may stand at that place of something in the bucket. */
static void allow(sr_sieve *s, uint32_t bucket, size_t at, uint8_t byte)
{
    s->sift.low[at][byte & 15] |= (uint8_t)(1u << bucket);
    s->sift.high[at][byte >> 4] |= (uint8_t)(1u << bucket);
}

/* The bytes of it, and any behind them. */
static void allow_text(sr_sieve *s, uint32_t bucket, sg_str text)
{
    for (size_t at = 0; at < text.len; at++)
        allow(s, bucket, at, (uint8_t)text.ptr[at]);
    for (size_t at = text.len; at < SR_SIFTED; at++)
        for (unsigned half = 0; half < 16; half++)
            allow(s, bucket, at, (uint8_t)(half << 4 | half));
}

/* Parts that begin alike share a bucket, whose bytes are few then. */
static void deal(sr_sieve *s, sg_str *parts, uint32_t count)
{
    qsort(parts, count, sizeof(*parts), by_text);
    for (uint32_t b = 0; b <= BUCKETS; b++)
        s->first[b] = b * count / BUCKETS;
    for (uint32_t b = 0; b < BUCKETS; b++)
        for (uint32_t i = s->first[b]; i < s->first[b + 1]; i++) {
            s->windows[i] = window_of(parts[i]);
            for (size_t at = 0; at < SR_SIFTED; at++) {
                const uint8_t c = (uint8_t)parts[i].ptr[at];

                allow(s, b, at, c);
                allow(s, b, at, (uint8_t)(c & ~SR_HIDE_CASE));
            }
        }
}

/* Escapes matter of characters that some part may be of. */
static void find_disguises(sr_sieve *s, const sg_str *parts, uint32_t count)
{
    bool used[256] = {false}; /* bit 5 set */

    for (uint32_t i = 0; i < count; i++)
        for (size_t at = 0; at < parts[i].len; at++)
            used[byte_of(parts[i].ptr + at)] = true;
    sr_needles_init(&s->disguises);
    sr_needles_disguises(&s->disguises);
    for (int i = ' '; i <= '~'; i++) {
        const char c = (char)i;

        if (used[byte_of(&c)])
            sr_needles_hide(&s->disguises, (sg_str){&c, 1});
    }
}

static bool can_sieve(const sg_str *pieces, uint32_t count)
{
    if (sr_level_choose()->sift == NULL || count == 0 || count > PIECES_MOST)
        return false;
    for (uint32_t i = 0; i < count; i++)
        if (pieces[i].len < SR_SIFTED)
            return false;
    return true;
}

sr_sieve *sr_sieve_new(sg_arena *arena, const sg_str *pieces, uint32_t count,
                       sg_str sample)
{
    sg_arena scratch = {0};
    sg_str parts[PIECES_MOST];

    if (!can_sieve(pieces, count))
        return NULL;
    sr_sieve *s = sg_new(arena, sr_sieve);
    const counts *c = counts_of(&scratch, sample);

    for (uint32_t i = 0; i < count; i++)
        parts[i] = best_part(pieces[i], c);
    sg_arena_free(&scratch);
    deal(s, parts, count);
    find_disguises(s, parts, count);
    allow_text(s, FOREIGN, SG_S("\xC5\xBF"));
    allow_text(s, FOREIGN, SG_S("\xE2\x84\xAA"));
    allow_text(s, ESCAPES, SG_S("\\u"));
    allow_text(s, ESCAPES, SG_S("\\/"));
    return s;
}

/* -------- looking -------------------------------------------------------- */

/* Whether something in one of the buckets begins at p. */
static bool begins(const sr_sieve *s, uint32_t buckets, const char *p)
{
    const uint64_t word =
        sr_needle_load(p) | SR_HIDE_CASE * UINT64_C(0x0101010101010101);

    if (buckets >> BUCKETS != 0 && sr_needle_at(&s->disguises, p))
        return true;
    for (uint32_t bits = buckets & ((1u << BUCKETS) - 1); bits != 0;
         bits &= bits - 1) {
        const uint32_t b = (uint32_t)__builtin_ctz(bits);

        for (uint32_t i = s->first[b]; i < s->first[b + 1]; i++)
            if ((word & s->windows[i].mask) == s->windows[i].want)
                return true;
    }
    return false;
}

/* Whether one begins at one of these places in the block at p. */
static bool any_begins(const sr_sieve *s, const sr_sifted *at, const char *p)
{
    for (uint64_t places = at->places; places != 0; places &= places - 1) {
        const int i = __builtin_ctzll(places);

        if (begins(s, at->buckets[i], p + i))
            return true;
    }
    return false;
}

/* Of the text whole blocks, as far as READ bytes can be read. */
static bool finds(const sr_sieve *s, sg_str text, size_t *done)
{
    size_t left = text.len < READ ? 0 : (text.len - READ) / SR_BLOCK + 1;
    const char *p = text.ptr;
    sr_sifted at;

    *done = left * SR_BLOCK;
    for (;;) {
        const size_t passed = s->disguises.level->sift(&s->sift, p, left, &at);

        if (passed == left)
            return false;
        p += passed * SR_BLOCK;
        left -= passed + 1;
        if (any_begins(s, &at, p))
            return true;
        p += SR_BLOCK;
    }
}

/* The last bytes are looked at in a copy with zeros behind. */
static bool passes(const sr_sieve *s, sg_str line)
{
    char rest[2 * READ] = {0};
    size_t done;

    if (finds(s, line, &done))
        return true;
    if (done < line.len)
        memcpy(rest, line.ptr + done, line.len - done);
    return finds(s, (sg_str){rest, sizeof(rest)}, &done);
}

bool sr_sieve_keeps_out(const sr_sieve *s, sr_habit *habit, sg_str line)
{
    if (!sr_habit_is_due(habit, &habit_rule) || passes(s, line))
        return false;
    sr_habit_paid(habit);
    return true;
}
