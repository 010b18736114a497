/*
 * walk.h - the fast scanner, 64 bytes at a time. Each level_*.c includes it
 * once, after it has defined
 *
 *   SR_TARGET        attribute of functions that may use its instructions
 *   classify(p)      masks of 64 bytes
 *   has_rare(p)      whether any of them is a backslash or odd
 *   brackets(p)      mask of those that are any of {}[]
 *   spaces(p)        mask of JSON's white space
 *   digits(p, low)   mask of the digits from low on
 *   letters(p)       mask of those that make an escape of two bytes, but for
 *                    quote and backslash
 *   non_ascii(p)     mask of bytes above 0x7F
 *   prefix_xor(m)    bit i: the parity of bits 0 to i of m
 *   members(p, set)  mask of the bytes in a set (or all: it only saves work)
 *
 * Bit masks of a block tell where strings are, where tokens begin, and what
 * may follow each of them; the grammar of JSON is checked for all tokens of a
 * block at once. Only brackets, numbers, words, rare escapes, non-ASCII text
 * and wanted members are looked at one by one. In doubt the line is left to
 * the careful scanner.
 *
 * What is true of the last byte of a block and matters to the next one is
 * carried in the walk: 1 for "the next token" or "the next byte".
 */
#include "record/level.h"

#include <string.h>

#define ALL (~UINT64_C(0))
#define EVEN UINT64_C(0x5555555555555555)

/* What one block hands to the next. */
typedef struct carry {
    uint64_t in_string; /* all ones: inside */
    uint64_t escaped;   /* 1: the next byte is */
    uint64_t in_key;    /* 1: the string that goes on is a key */
    uint64_t key;       /* 1: next comes a key, or } of an empty object */
    uint64_t colon;     /* 1: next comes a colon */
    uint64_t value;     /* 1: next comes a value, or ] of an empty array */
    uint64_t after;     /* 1: next comes a comma or a closing bracket */
    uint64_t primitive; /* 1: a number or word may go on */
    uint64_t object;    /* all ones: the innermost container is one */
    uint64_t likely;    /* 1: in_key, and it may be a wanted one */
    uint64_t last;      /* 1: the last byte may be the last of a wanted key */
    bool dense;         /* it had no white space between tokens */
} carry;

/* What a walk is for. The compiler makes a function of each. */
typedef enum purpose {
    CHECK, /* nothing but whether the line is good */
    LIST,  /* also where its colons and brackets are */
    TAKE   /* also the values that are wanted */
} purpose;

typedef struct walk {
    sr_scan *s;
    const char *utf8;         /* non-ASCII text is checked up to there */
    const sr_node *node;      /* of the top frame; NULL: none */
    const sr_ends *ends;      /* of the keys it wants */
    uint64_t takes_keys;      /* all ones: wanted keys are looked for */
    uint64_t takes_values;    /* all ones: so are elements */
    uint32_t depth;           /* open containers */
    uint32_t dead;            /* those of them that nobody wants anything of */
    bool every_key;           /* of the top frame is looked at */
    bool slashed;             /* the string below has a backslash so far */
    const char *open;         /* where a wanted string begins that goes on */
    bool kinds[SR_MAX_DEPTH]; /* which of the open containers are objects */
} walk;

/* The brackets of a block, and what they make of the rest. */
typedef struct pairs {
    uint64_t opening, curly, closing; /* curly: opening, an object */
    uint64_t empty;                   /* closing right behind its opening one */
    uint64_t objects;                 /* an object is the innermost container */
} pairs;

/* A block: bit i tells of base[i]. Behind the end of the line lies space. */
typedef struct block {
    const char *base;
    unsigned shift; /* its bytes lie so far up in what is loaded */
    uint64_t slash;
    uint64_t inside; /* strings, with the opening quote, without the closing */
    uint64_t quote_open, quote_close;
    uint64_t colon, comma, space, bracket; /* outside strings */
    uint64_t primitive; /* numbers and words, and whatever else there is */
    uint64_t key_open, key_close; /* quotes */
} block;

#define INLINE static inline __attribute__((always_inline))

static inline uint64_t lowest(uint64_t mask)
{
    return mask & (0 - mask);
}

static inline unsigned index_of(uint64_t mask)
{
    return (unsigned)__builtin_ctzll(mask);
}

/* -------- strings ------------------------------------------------------ */

/* The escapes of more than two bytes, of which all but \u are none. */
static bool check_escapes(const walk *w, const char *base, uint64_t escaped)
{
    const char *const end = w->s->end;

    for (; escaped != 0; escaped &= escaped - 1) {
        const char *p = base + index_of(escaped);
        if (p >= end || *p != 'u' || end - p < 5)
            return false;
        if (!sr_is_hex(p[1]) || !sr_is_hex(p[2]) || !sr_is_hex(p[3]) ||
            !sr_is_hex(p[4]))
            return false;
    }
    return true;
}

/* Bytes behind a backslash that is not itself escaped. In a run of
 * backslashes every second one escapes, from its first on. */
INLINE uint64_t find_escaped(carry *c, uint64_t slashes)
{
    const uint64_t slash = slashes & ~c->escaped;
    const uint64_t starts = slash & ~(slash << 1);
    const uint64_t even_runs = slash & ~(slash + (starts & EVEN));
    const uint64_t escapes = (even_runs & EVEN) | (slash & ~even_runs & ~EVEN);
    const uint64_t escaped = escapes << 1 | c->escaped;

    c->escaped = escapes >> 63;
    return escaped;
}

static bool check_utf8(walk *w, const char *base, uint64_t high)
{
    if (w->utf8 > base) /* by less than the length of a character */
        high &= ALL << (w->utf8 - base);
    while (high != 0) {
        const unsigned at = index_of(high);
        const size_t len = sr_sequence(base + at, w->s->end);
        if (len == 0)
            return false;
        w->utf8 = base + at + len;
        if (at + len >= SR_BLOCK)
            break;
        high &= ALL << (at + len);
    }
    return true;
}

/* Control and non-ASCII bytes: the former not in strings. */
static bool check_odd(walk *w, const char *base, uint64_t odd, uint64_t high,
                      uint64_t inside)
{
    return (odd & ~high & inside) == 0 && check_utf8(w, base, high);
}

/* Leave only the quotes that no backslash escapes. `bytes` are those of the
 * masks, *c says whether the first one is escaped; false when an escape is
 * none. */
SR_TARGET INLINE bool unescape(const walk *w, carry *c, const sr_masks *m,
                               const block *b, const char *bytes,
                               uint64_t *quote)
{
    const uint64_t escaped = find_escaped(c, m->slash);
    const uint64_t others =
        escaped & ~(m->quote | m->slash | letters(bytes) >> b->shift);

    *quote = m->quote & ~escaped;
    return others == 0 || check_escapes(w, b->base, others);
}

SR_TARGET INLINE bool find_strings(const walk *w, carry *c, const sr_masks *m,
                                   block *b, const char *bytes, purpose aim)
{
    uint64_t quote = m->quote;

    if ((m->slash | c->escaped) != 0) {
        if (aim != CHECK) /* which does not read keys, so these may have some */
            b->slash = m->slash;
        if (!unescape(w, c, m, b, bytes, &quote))
            return false;
    }
    b->inside = prefix_xor(quote) ^ c->in_string;
    c->in_string = 0 - (b->inside >> 63);
    b->quote_open = quote & b->inside;
    b->quote_close = quote & ~b->inside;
    return true;
}

/* -------- brackets ----------------------------------------------------- */

/* Whether the closing bracket at p has nothing but space before it. */
static bool is_empty(const char *p)
{
    const char open = *p == '}' ? '{' : '[';

    do
        p--; /* stops at the bracket that opens the line */
    while (sr_is_space(*p));
    return *p == open;
}

/* Pair a closing bracket; *object then tells of what is around. */
static bool close_one(walk *w, pairs *out, const char *at, uint64_t bit,
                      uint64_t *object)
{
    if (*at != (*object != 0 ? '}' : ']'))
        return false;
    out->closing |= bit;
    if (is_empty(at))
        out->empty |= bit;
    w->depth--;
    if (w->depth == 0)
        return at + 1 == w->s->end;
    *object = 0 - (uint64_t)w->kinds[w->depth - 1];
    return true;
}

/* Pair them, and tell objects from arrays. */
static bool find_pairs(walk *w, const char *base, uint64_t brackets,
                       uint64_t *object, pairs *out)
{
    for (; brackets != 0; brackets &= brackets - 1) {
        const uint64_t bit = lowest(brackets);
        const uint64_t behind = ~(bit | (bit - 1));
        const char *at = base + index_of(brackets);
        if (*at == '{' || *at == '[') {
            if (w->depth == SR_MAX_DEPTH)
                return false;
            w->s->nested = w->s->nested || (w->depth != 0 && *at == '{');
            w->kinds[w->depth++] = *at == '{';
            *object = 0 - (uint64_t)(*at == '{');
            out->opening |= bit;
            out->curly |= bit & *object;
        } else if (!close_one(w, out, at, bit, object)) {
            return false;
        }
        out->objects = (out->objects & ~behind) | (*object & behind);
    }
    return true;
}

/* -------- grammar ------------------------------------------------------ */

/* From places where a token may begin to where it does, over the space there.
 * *next is set when that is in the next block. */
INLINE uint64_t over_space(uint64_t at, uint64_t space, uint64_t *next)
{
    uint64_t sum;

    if (space == 0)
        return at;
    if (__builtin_add_overflow(space, at & space, &sum))
        *next = 1;
    return (at | sum) & ~space;
}

/* The tokens behind those of a set of bytes. */
INLINE uint64_t behind(uint64_t set, uint64_t space, uint64_t *next)
{
    const uint64_t at = set << 1 | *next;

    *next = set >> 63;
    return over_space(at, space, next);
}

/* Closing quotes of the strings that begin with `open` (1: one that goes on);
 * an addition carries through a string. *goes_on: the last one does. */
INLINE uint64_t closing_of(const block *b, uint64_t open, uint64_t *goes_on)
{
    uint64_t sum;

    *goes_on = __builtin_add_overflow(b->inside, open, &sum);
    return sum & ~b->inside;
}

/* Strings that begin where a key has to be are keys. False: one has escapes,
 * which only the careful scanner decodes. */
INLINE bool find_keys(carry *c, block *b, uint64_t keys)
{
    const uint64_t open = (keys & b->quote_open) | c->in_key;

    b->key_open = keys & b->quote_open;
    b->key_close = closing_of(b, open, &c->in_key);
    return ((b->key_close - open) & b->slash) == 0;
}

/* The same as check_grammar for a block without brackets and white space, in an
 * object: the bulk of most events. */
INLINE bool check_flat(carry *c, block *b)
{
    const uint64_t key = b->comma << 1 | c->key;
    const uint64_t value = b->colon << 1 | c->value;
    const uint64_t goes_on = b->primitive << 1 | c->primitive;
    const uint64_t starts = b->primitive & ~goes_on;
    uint64_t colon, comma, ends;

    if (!find_keys(c, b, key))
        return false;
    ends = b->quote_close & ~b->key_close;
    colon = b->key_close << 1 | c->colon;
    comma = ends << 1 | c->after | (goes_on & ~b->primitive);
    c->key = b->comma >> 63;
    c->value = b->colon >> 63;
    c->colon = b->key_close >> 63;
    c->after = ends >> 63;
    return ((colon ^ b->colon) | (comma ^ b->comma) | (starts & ~value) |
            ((key | value) ^ (b->quote_open | starts))) == 0;
}

/* What has to follow each token, and whether it does. */
INLINE bool check_grammar(carry *c, block *b, const pairs *p)
{
    const uint64_t space = b->space;
    const uint64_t keys =
        behind((b->comma & p->objects) | p->curly, space, &c->key);
    const uint64_t goes_on = b->primitive << 1 | c->primitive;
    uint64_t bad = keys & ~(b->quote_open | p->empty);
    uint64_t ends, at;

    if (!find_keys(c, b, keys))
        return false;
    bad |= behind(b->key_close, space, &c->colon) & ~b->colon;
    bad |=
        behind(b->colon | (b->comma & ~p->objects) | (p->opening & ~p->curly),
               space, &c->value) &
        ~(b->quote_open | b->primitive | p->opening | p->empty);
    ends = (b->quote_close & ~b->key_close) | p->closing;
    at = ends << 1 | c->after | (goes_on & ~b->primitive);
    c->after = ends >> 63;
    bad |= over_space(at, space, &c->after) & ~(b->comma | p->closing);
    return bad == 0;
}

/* Whether all numbers and words of a block are whole numbers without sign that
 * end in it. One that goes on was looked at before. */
SR_TARGET INLINE bool are_integers(const block *b, const char *bytes,
                                   uint64_t starts)
{
    const uint64_t digit = digits(bytes, '0') >> b->shift;
    const uint64_t leading = digits(bytes, '1') >> b->shift;

    return ((b->primitive & ~digit) | (starts & ~leading) |
            b->primitive >> (SR_BLOCK - 1)) == 0;
}

/* Numbers and words, one by one. */
static bool check_each(const walk *w, const char *base, uint64_t starts)
{
    sr_scan *s = w->s;
    sr_kind kind;

    for (; starts != 0; starts &= starts - 1) {
        s->p = base + index_of(starts);
        if (!sr_scan_scalar(s, &kind) || s->p == s->end)
            return false;
        if (*s->p != ',' && *s->p != '}' && *s->p != ']' && !sr_is_space(*s->p))
            return false;
    }
    return true;
}

SR_TARGET INLINE bool check_primitives(const walk *w, const block *b,
                                       const char *bytes, uint64_t starts)
{
    return starts == 0 || are_integers(b, bytes, starts) ||
           check_each(w, b->base, starts);
}

#include "record/reap.h"

/* What a block without brackets is walked for: `starts` are those of numbers
 * and words. */
SR_TARGET INLINE bool reap(walk *w, carry *c, const block *b, const char *bytes,
                           uint64_t starts, purpose aim)
{
    if (aim == TAKE)
        return take_flat(w, c, b, bytes, starts);
    return aim == CHECK || list(w->s, b->base, b->colon);
}

/* -------- flat blocks -------------------------------------------------- */

typedef enum fit { FITS, OTHER, BAD } fit;

/* A block in an object, without brackets and white space between tokens: each
 * token begins right behind the one before. OTHER: it is none; nothing is
 * done. */
SR_TARGET static __attribute__((noinline)) fit
flat_block(walk *w, carry *c, const char *p, purpose aim)
{
    const sr_masks m = classify(p);
    carry next = *c;
    block b = {.base = p};
    uint64_t starts;

    if (!find_strings(w, &next, &m, &b, p, aim))
        return BAD;
    b.colon = m.colon & ~b.inside;
    b.comma = m.comma & ~b.inside;
    b.primitive = ~(b.inside | b.quote_close | b.colon | b.comma);
    if (((brackets(p) | spaces(p)) & b.primitive) != 0)
        return OTHER;
    starts = b.primitive & ~(b.primitive << 1 | next.primitive);
    if (!check_flat(&next, &b))
        return BAD;
    next.primitive = b.primitive >> 63;
    if (!check_primitives(w, &b, p, starts))
        return BAD;
    if (m.odd != 0 && !check_odd(w, p, m.odd, non_ascii(p), b.inside))
        return BAD;
    if (!reap(w, &next, &b, p, starts, aim))
        return BAD;
    *c = next;
    return FITS;
}

/* -------- runs of them ------------------------------------------------- */

/* Most of those blocks are strings, colons and commas alone, all ASCII. Outside
 * strings they have single bytes, a colon and a comma in turn: that is all
 * there is to check, in fewer steps than the grammar takes. One of the first
 * three is always set: what the last byte of a block was. */
typedef struct run {
    uint64_t in_string; /* all ones: inside */
    uint64_t closed;    /* 1: it closes a string */
    uint64_t between;   /* 1: it is a colon or comma */
    uint64_t value;     /* 1: of these two, a colon came last */
} run;

/* Behind brackets, and where a number or word may go on, there is no run. */
INLINE bool run_enter(run *r, const carry *c)
{
    *r = (run){.in_string = c->in_string,
               .closed = c->colon | c->after,
               .between = c->key | c->value,
               .value = 1 & ~(c->key | c->in_key | c->colon)};
    return (r->in_string | r->closed | r->between) != 0;
}

INLINE void run_leave(const run *r, carry *c)
{
    c->in_string = r->in_string;
    c->in_key = r->in_string & ~r->value & 1;
    c->colon = r->closed & ~r->value;
    c->after = r->closed & r->value;
    c->key = r->between & ~r->value;
    c->value = r->between & r->value;
}

/* What a block is made of, when it goes on as the run does; of its bytes only
 * those in `valid`, from the first one on, are looked at. */
SR_TARGET INLINE bool run_parts(run *r, const sr_masks *m, uint64_t quote,
                                uint64_t valid, block *b)
{
    const uint64_t inside = prefix_xor(quote) ^ r->in_string;
    const uint64_t close = quote & ~inside, open = quote & inside;
    const uint64_t between = (close << 1) + r->closed;
    const uint64_t colon = m->colon & between, comma = m->comma & between;
    /* What lies from each colon up to the next comma, where they take turns.
     * Elsewhere it has some comma, or not all colons. */
    const uint64_t values = comma - colon - r->value;

    b->inside = inside;
    b->quote_open = open;
    b->quote_close = close;
    b->colon = colon;
    b->comma = comma;
    b->key_open = (comma << 1 | (r->between & ~r->value)) & open;
    if ((((between ^ (colon | comma)) | ((values ^ colon) & between) |
          (((between << 1) + r->between) ^ open)) &
         valid) != 0)
        return false;
    r->in_string = 0 - (inside >> 63);
    r->closed = close >> 63;
    r->between = between >> 63;
    r->value = values >> 63;
    return true;
}

/* What such a block is walked for. */
SR_TARGET INLINE bool run_reap(walk *w, carry *c, block *b, uint64_t in_key,
                               purpose aim)
{
    c->in_key = in_key;
    if ((b->slash != 0 || (aim == TAKE && w->ends == &sr_any_ends)) &&
        !find_keys(c, b, b->key_open))
        return false;
    return reap(w, c, b, b->base, 0, aim);
}

/* As many flat blocks as there are. Returns where the next one begins, or NULL
 * when the line is not for this scanner. */
SR_TARGET INLINE const char *run_blocks(walk *w, carry *c, const char *p,
                                        const char *end, purpose aim)
{
    run r;
    bool runs = run_enter(&r, c);

    for (; end - p >= SR_BLOCK; p += SR_BLOCK) {
        const sr_masks m = classify(p); /* two of them seldom computed */
        const uint64_t in_key = r.in_string & ~r.value & 1;
        uint64_t quote = m.quote, odd = 0;
        block b = {.base = p};
        carry next = {.escaped = c->escaped};

        if (has_rare(p) || c->escaped != 0) {
            if (!unescape(w, &next, &m, &b, p, &quote))
                return NULL;
            odd = m.odd;
            b.slash = m.slash;
        }
        if ((quote | odd) == 0 && (r.in_string & (0 - r.value)) != 0) {
            /* It is the inside of a value: half of the blocks of some logs. */
            c->escaped = next.escaped;
            w->slashed = w->slashed || b.slash != 0;
            continue;
        }
        if (odd == 0 && runs && run_parts(&r, &m, quote, ALL, &b)) {
            c->escaped = next.escaped;
            if (!run_reap(w, c, &b, in_key, aim))
                return NULL;
            continue;
        }
        run_leave(&r, c);
        const fit how = flat_block(w, c, p, aim);
        if (how != FITS)
            return how == OTHER ? p : NULL;
        runs = run_enter(&r, c);
    }
    run_leave(&r, c);
    return p;
}

/* Apart from the rest of the walk, so that registers suffice. */
SR_TARGET static __attribute__((noinline)) const char *
run_taking(walk *w, carry *c, const char *p, const char *end)
{
    return run_blocks(w, c, p, end, TAKE);
}

SR_TARGET static __attribute__((noinline)) const char *
run_listing(walk *w, carry *c, const char *p, const char *end)
{
    return run_blocks(w, c, p, end, LIST);
}

#include "record/check.h"

SR_TARGET static __attribute__((noinline)) const char *
run_checking(walk *w, carry *c, const char *p, const char *end)
{
    return check_run(w, c, p, end, NULL);
}

SR_TARGET INLINE const char *run_on(walk *w, carry *c, const char *p,
                                    const char *end, purpose aim)
{
    if (aim == TAKE)
        return run_taking(w, c, p, end);
    return aim == LIST ? run_listing(w, c, p, end) : run_checking(w, c, p, end);
}

/* Nothing yet. One by one: a short memset costs more than all of these. */
INLINE void start_carry(carry *c)
{
    c->in_string = c->escaped = c->in_key = 0;
    c->key = c->colon = c->value = c->after = c->primitive = 0;
    c->object = c->likely = c->last = 0;
    c->dense = false;
}

/* Behind the line's first bracket, before a key. */
INLINE void begin_object(walk *w, carry *c)
{
    c->key = 1;
    c->object = ALL;
    w->kinds[0] = true;
    w->depth = 1;
}

/* From the line's first byte on, as far as it goes. */
SR_TARGET INLINE const char *run_start(walk *w, carry *c, const char *p,
                                       const char *end, purpose aim)
{
    if (p[1] != '"')
        return p;
    begin_object(w, c);
    w->s->p = p;
    if ((aim == TAKE && !take_opening(w)) || (aim == LIST && !list(w->s, p, 1)))
        return NULL;
    return run_on(w, c, p + 1, end, aim);
}

/* -------- the walk ----------------------------------------------------- */

/* A block of any kind. */
SR_TARGET static __attribute__((noinline)) bool
walk_any(walk *w, carry *c, block *b, const char *bytes, purpose aim)
{
    const uint64_t outside = ~b->inside;
    pairs p = {.objects = c->object};
    uint64_t starts;

    /* Behind the line lies space. */
    b->space = (spaces(bytes) >> b->shift | ~(ALL >> b->shift)) & outside;
    b->bracket = brackets(bytes) >> b->shift & outside;
    c->dense = b->space == 0;
    if (b->bracket != 0 && !find_pairs(w, b->base, b->bracket, &c->object, &p))
        return false;
    b->primitive = outside & ~(b->quote_close | b->colon | b->comma | b->space |
                               b->bracket);
    if (!check_grammar(c, b, &p))
        return false;
    starts = b->primitive & ~(b->primitive << 1 | c->primitive);
    c->primitive = b->primitive >> 63;
    if (!check_primitives(w, b, bytes, starts))
        return false;
    if (aim != TAKE)
        return aim == CHECK || list(w->s, b->base, b->colon | b->bracket);
    if (b->bracket == 0)
        return take_flat(w, c, b, bytes, starts);
    c->likely = c->in_key;
    c->last = 1;
    return take_stretches(w,
                          &(wanted){b->base, b->key_open, b->key_close,
                                    b->quote_open | starts, b->quote_close,
                                    b->slash},
                          b->bracket, p.opening);
}

/* One block of the line from `base` on; its bytes are at bytes[shift]. */
SR_TARGET INLINE bool walk_block(walk *w, carry *c, const char *base,
                                 const char *bytes, unsigned shift, purpose aim)
{
    sr_masks m = classify(bytes);
    block b = {.base = base, .shift = shift};

    if (shift != 0) {
        m.quote >>= shift;
        m.slash >>= shift;
        m.colon >>= shift;
        m.comma >>= shift;
        m.odd >>= shift;
    }
    if (!find_strings(w, c, &m, &b, bytes, aim))
        return false;
    b.colon = m.colon & ~b.inside;
    b.comma = m.comma & ~b.inside;
    if (m.odd != 0 &&
        !check_odd(w, base, m.odd, non_ascii(bytes) >> shift, b.inside))
        return false;
    return walk_any(w, c, &b, bytes, aim);
}

/* A line from p on, where *c says how it goes on. */
SR_TARGET INLINE bool walk_on(walk *w, carry *c, const char *p, const char *end,
                              purpose aim)
{
    const char *bytes = p;
    char rest[SR_BLOCK];
    unsigned shift = 0;

    for (;;) {
        const size_t left = (size_t)(end - p);
        if (left == 0) /* a string has the last brace, and does not end */
            return false;
        if (left < SR_BLOCK) { /* the last ones of the line */
            shift = SR_BLOCK - (unsigned)left;
            bytes = end - SR_BLOCK;
            if ((size_t)(end - w->s->line) < SR_BLOCK) {
                memset(rest, ' ', sizeof rest);
                memcpy(rest + shift, p, left);
                bytes = rest;
            }
        }
        if (!walk_block(w, c, p, bytes, shift, aim))
            return false;
        if (left <= SR_BLOCK)
            return c->in_string == 0 && w->depth == 0;
        p += SR_BLOCK;
        if (c->dense && c->object != 0)
            p = run_on(w, c, p, end, aim);
        if (p == NULL)
            return false;
        bytes = p;
    }
}

SR_TARGET INLINE bool walk_whole(walk *w, const char *p, const char *end,
                                 purpose aim)
{
    carry c;

    start_carry(&c);
    p = run_start(w, &c, p, end, aim);
    return p != NULL && walk_on(w, &c, p, end, aim);
}

/* As start_carry has it. */
static inline void start_walk(walk *w, sr_scan *s, const char *p)
{
    w->s = s;
    w->utf8 = p;
    w->node = NULL;
    w->ends = &sr_any_ends;
    w->takes_keys = w->takes_values = 0;
    w->depth = w->dead = 0;
    w->every_key = w->slashed = false;
    w->open = NULL;
}

SR_TARGET static bool walk_line(sr_scan *s)
{
    const char *p = s->line;
    walk w;

    while (p < s->end && sr_is_space(*p))
        p++;
    while (p < s->end && sr_is_space(s->end[-1]))
        s->end--;
    if (s->end - p < 2 || *p != '{' || s->end[-1] != '}')
        return false;
    start_walk(&w, s, p);
    if (s->joints != NULL)
        return walk_whole(&w, p, s->end, LIST);
    return s->plan->want_count == 0 ? walk_whole(&w, p, s->end, CHECK)
                                    : walk_whole(&w, p, s->end, TAKE);
}

#include "record/lines.h"
