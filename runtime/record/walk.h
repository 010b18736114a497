/*
 * walk.h - the fast scanner, 64 bytes at a time. Each level_*.c includes it
 * once, after it has defined
 *
 *   SR_TARGET        attribute of functions that may use its instructions
 *   classify(p)      masks of 64 bytes
 *   has_rare(p)      whether any of them is a backslash or odd
 *   brackets(p)      mask of those that are any of {}[]
 *   spaces(p)        mask of JSON's white space
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
    bool plain;         /* it had nothing but strings, colons and commas */
} carry;

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

/* The escapes that are not a quote or a backslash. */
static bool check_escapes(const walk *w, const char *base, uint64_t escaped)
{
    const char *const end = w->s->end;

    for (; escaped != 0; escaped &= escaped - 1) {
        const char *p = base + index_of(escaped);
        if (p >= end)
            return false;
        if (sr_is_short_escape(*p))
            continue;
        if (*p != 'u' || end - p < 5)
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

SR_TARGET INLINE bool find_strings(const walk *w, carry *c, const sr_masks *m,
                                   block *b)
{
    uint64_t quote = m->quote;

    if ((m->slash | c->escaped) != 0) {
        const uint64_t escaped = find_escaped(c, m->slash);
        const uint64_t rare = escaped & ~(m->quote | m->slash);
        quote &= ~escaped;
        if (rare != 0 && !check_escapes(w, b->base, rare))
            return false;
    }
    b->slash = m->slash;
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

/* The same as check_grammar for a block of strings, colons and commas alone,
 * in an object: the bulk of most events. */
INLINE bool check_plain(carry *c, block *b)
{
    const uint64_t key = b->comma << 1 | c->key;
    const uint64_t value = b->colon << 1 | c->value;
    uint64_t colon, comma, ends;

    if (!find_keys(c, b, key))
        return false;
    ends = b->quote_close & ~b->key_close;
    colon = b->key_close << 1 | c->colon;
    comma = ends << 1 | c->after;
    c->key = b->comma >> 63;
    c->value = b->colon >> 63;
    c->colon = b->key_close >> 63;
    c->after = ends >> 63;
    return ((colon ^ b->colon) | (comma ^ b->comma) |
            ((key | value) ^ b->quote_open)) == 0;
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

/* Numbers and words, one by one. */
static bool check_primitives(const walk *w, const char *base, uint64_t starts)
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

/* -------- values ------------------------------------------------------- */

/* The top frame has changed: what is wanted of it? */
static void note_top(walk *w)
{
    const sr_plan *plan = w->s->plan;
    const sr_frame *top;

    w->takes_keys = w->takes_values = 0;
    if (w->s->depth == 0 || w->dead != 0)
        return;
    top = &w->s->work->frames[w->s->depth - 1];
    if (top->close == '}')
        w->takes_keys = ALL;
    else
        w->takes_values = ALL;
    w->node = top->node == SIGMA_NONE ? NULL : &plan->nodes[top->node];
    w->every_key = plan->keywords != SIGMA_NONE || w->node == NULL ||
                   w->node->wild != SIGMA_NONE;
    w->ends = w->every_key || w->node->spaced ? &sr_any_ends : &w->node->ends;
}

/* A member with this key: its value, unless that is a container. */
static bool take_member(walk *w, sr_frame *frame, sg_str key)
{
    sr_scan *s = w->s;
    const char *start;
    sr_kind kind = SR_NULL;

    if (!sr_begin_member(s, frame, key))
        return false;
    if (frame->child == SIGMA_NONE && frame->seen == SIGMA_NONE)
        return true;
    s->p = key.ptr + key.len + 1;
    sr_skip_space(s);
    if (s->p == s->end || *s->p != ':')
        return false;
    s->p++;
    sr_skip_space(s);
    start = s->p;
    if (s->p == s->end)
        return false;
    if (*start == '{' || *start == '[')
        return true; /* its bracket finds frame->child */
    if (!sr_scan_scalar(s, &kind) ||
        !sr_take_scalar(s, frame->child, kind,
                        (sg_str){start, (size_t)(s->p - start)}))
        return false;
    sr_end_member(s, frame);
    frame->child = frame->seen = SIGMA_NONE;
    return true;
}

static inline bool may_want(const walk *w, sg_str key)
{
    return w->every_key || sr_node_may_have(w->s->plan, w->node, key) ||
           (w->node->spaced && sr_has_blank(key));
}

/* Members of the top frame whose keys end in the given places. */
static bool take_members(walk *w, const char *base, uint64_t opening,
                         uint64_t ends)
{
    for (; ends != 0; ends &= ends - 1) {
        const uint64_t before = opening & (lowest(ends) - 1);
        const char *end = base + index_of(ends);
        const char *start = base;
        if (before != 0)
            start += SR_BLOCK - __builtin_clzll(before);
        else /* in an earlier block; without escapes there is but one quote */
            while (start[-1] != '"')
                start--;
        const sg_str key = {start, (size_t)(end - start)};
        if (may_want(w, key) &&
            !take_member(w, &w->s->work->frames[w->s->depth - 1], key))
            return false;
    }
    return true;
}

/* Elements of the top frame, an array, that begin in the given places. */
static bool take_elements(walk *w, const char *base, uint64_t starts)
{
    sr_scan *s = w->s;
    const uint32_t node = s->work->frames[s->depth - 1].node;
    sr_kind kind = SR_NULL;

    for (; starts != 0; starts &= starts - 1) {
        const char *start = base + index_of(starts);
        s->p = start;
        if (!sr_scan_scalar(s, &kind) ||
            !sr_take_scalar(s, node, kind,
                            (sg_str){start, (size_t)(s->p - start)}))
            return false;
    }
    return true;
}

static bool take_opening(walk *w)
{
    sr_scan *s = w->s;
    const sr_frame *top = &s->work->frames[s->depth == 0 ? 0 : s->depth - 1];
    uint32_t node = 0;

    if (w->dead != 0) {
        w->dead++;
        return true;
    }
    if (s->depth != 0)
        node = top->close == '}' ? top->child : top->node;
    if (node == SIGMA_NONE && s->plan->keywords == SIGMA_NONE) {
        w->dead = 1;
        note_top(w);
        return true;
    }
    if (!sr_enter(s, node))
        return false;
    note_top(w);
    return true;
}

static bool take_closing(walk *w)
{
    sr_scan *s = w->s;
    sr_frame *top;

    if (w->dead != 0) {
        w->dead--;
        if (w->dead == 0)
            note_top(w);
        return true;
    }
    if (!sr_leave(s))
        return false;
    if (s->depth != 0) {
        top = &s->work->frames[s->depth - 1];
        top->child = top->seen = SIGMA_NONE;
    }
    note_top(w);
    return true;
}

/* The keys and the values of a block. */
typedef struct wanted {
    const char *base;
    uint64_t key_open, key_close;
    uint64_t values; /* strings, numbers and words, keys too */
} wanted;

/* What is wanted of a stretch without brackets. */
static bool take_span(walk *w, const wanted *b, uint64_t span)
{
    const uint64_t keys = b->key_close & span & w->takes_keys;
    const uint64_t values = b->values & span & w->takes_values;

    return (keys == 0 || take_members(w, b->base, b->key_open, keys)) &&
           (values == 0 || take_elements(w, b->base, values));
}

/* A block with brackets: stretch by stretch. */
static bool take_stretches(walk *w, const wanted *b, uint64_t brackets,
                           uint64_t opening)
{
    uint64_t rest = ALL;

    for (; brackets != 0; brackets &= brackets - 1) {
        const uint64_t bit = lowest(brackets);
        if (!take_span(w, b, rest & (bit - 1)))
            return false;
        rest = ~(bit | (bit - 1));
        w->s->p = b->base + index_of(brackets);
        if ((opening & bit) != 0 ? !take_opening(w) : !take_closing(w))
            return false;
    }
    return take_span(w, b, rest);
}

/* Take what is wanted of a block without brackets: the first and the last byte
 * tell most unwanted keys. */
SR_TARGET INLINE bool take_flat(walk *w, carry *c, const block *b,
                                const char *bytes, uint64_t starts)
{
    const uint64_t first = members(bytes, &w->ends->first) >> b->shift;
    const uint64_t last = members(bytes, &w->ends->last) >> b->shift;
    const uint64_t values = (b->quote_open | starts) & w->takes_values;
    uint64_t keys = b->key_open & (first >> 1 | UINT64_C(1) << 63);

    keys = closing_of(b, keys | c->likely, &c->likely);
    keys &= (last << 1 | c->last) & w->takes_keys;
    c->last = last >> 63;
    if ((keys | values) == 0)
        return true;
    return (keys == 0 || take_members(w, b->base, b->key_open, keys)) &&
           (values == 0 || take_elements(w, b->base, values));
}

/* -------- runs of plain blocks ----------------------------------------- */

/* Most of most lines is blocks of strings, colons and commas, in an object, all
 * ASCII. Outside strings they have single bytes, a colon and a comma in turn:
 * that is all there is to check, in fewer steps than the grammar takes. What
 * the last byte of a block was: */
typedef struct run {
    uint64_t in_string;  /* all ones: inside */
    uint64_t colon_next; /* all ones: the next byte outside is a colon */
    uint64_t closed;     /* 1: it closes a string */
    uint64_t between;    /* 1: it is a colon or comma */
} run;

/* The escapes of a block, as find_strings; false: not for this to judge. Where
 * keys are wanted blocks with escapes are not. */
SR_TARGET INLINE bool run_escapes(const walk *w, carry *c, const sr_masks *m,
                                  const char *p, bool taking, uint64_t *quote)
{
    carry next = {.escaped = c->escaped};
    uint64_t escaped, rare;

    if (taking)
        return false;
    escaped = find_escaped(&next, m->slash);
    rare = escaped & ~(m->quote | m->slash);
    if (rare != 0 && !check_escapes(w, p, rare))
        return false;
    *quote = m->quote & ~escaped;
    c->escaped = next.escaped;
    return true;
}

/* What a block is made of, when it goes on as the run does. */
SR_TARGET INLINE bool run_parts(run *r, const sr_masks *m, uint64_t quote,
                                block *b)
{
    const uint64_t inside = prefix_xor(quote) ^ r->in_string;
    const uint64_t close = quote & ~inside;
    const uint64_t between = ~(inside | close);
    const uint64_t odd_ones = prefix_xor(between);
    const uint64_t colon = between & ~(odd_ones ^ r->colon_next);
    const uint64_t comma = between ^ colon;

    b->inside = inside;
    b->quote_open = quote & inside;
    b->key_open = (comma << 1 | (r->between & r->colon_next)) & b->quote_open;
    if ((((close << 1 | r->closed) ^ between) |
         ((between << 1 | r->between) ^ b->quote_open) |
         ((m->colon & between) ^ colon) | ((m->comma & between) ^ comma)) != 0)
        return false;
    r->in_string = 0 - (inside >> 63);
    r->colon_next ^= 0 - (odd_ones >> 63);
    r->closed = close >> 63;
    r->between = between >> 63;
    return true;
}

/* As many whole blocks of that kind as there are. Returns where the next one
 * begins, or NULL when the line is not for this scanner. */
SR_TARGET INLINE const char *run_blocks(walk *w, carry *c, const char *p,
                                        const char *end, bool taking)
{
    run r = {.in_string = c->in_string,
             .colon_next = 0 - (c->key | c->in_key | c->colon),
             .closed = c->colon | c->after,
             .between = c->key | c->value};

    for (; end - p >= SR_BLOCK; p += SR_BLOCK) {
        const sr_masks m = classify(p); /* two of them seldom computed */
        const uint64_t before = c->escaped;
        uint64_t quote = m.quote;
        block b = {.base = p};
        if ((has_rare(p) || before != 0) &&
            (m.odd != 0 || !run_escapes(w, c, &m, p, taking, &quote)))
            break;
        if (!run_parts(&r, &m, quote, &b)) {
            c->escaped = before;
            break;
        }
        if (taking && !take_flat(w, c, &b, p, 0))
            return NULL;
    }
    c->in_string = r.in_string;
    c->in_key = r.in_string & r.colon_next & 1;
    c->colon = r.closed & r.colon_next;
    c->after = r.closed & ~r.colon_next;
    c->key = r.between & r.colon_next;
    c->value = r.between & ~r.colon_next;
    return p;
}

/* Apart from the rest of the walk, so that registers suffice. */
SR_TARGET static __attribute__((noinline)) const char *
run_taking(walk *w, carry *c, const char *p, const char *end)
{
    return run_blocks(w, c, p, end, true);
}

SR_TARGET static __attribute__((noinline)) const char *
run_checking(walk *w, carry *c, const char *p, const char *end)
{
    return run_blocks(w, c, p, end, false);
}

SR_TARGET INLINE const char *run_on(walk *w, carry *c, const char *p,
                                    const char *end, bool taking)
{
    return taking ? run_taking(w, c, p, end) : run_checking(w, c, p, end);
}

/* From the line's first byte on, as far as it goes. */
SR_TARGET INLINE const char *run_start(walk *w, carry *c, const char *p,
                                       const char *end, bool taking)
{
    if (p[1] != '"')
        return p;
    w->kinds[w->depth++] = true;
    w->s->p = p;
    if (taking && !take_opening(w))
        return NULL;
    c->object = ALL;
    c->key = 1;
    return run_on(w, c, p + 1, end, taking);
}

/* -------- the walk ----------------------------------------------------- */

/* A block with anything else than strings, colons and commas; whether values
 * are wanted of it. */
SR_TARGET static __attribute__((noinline)) bool
walk_other(walk *w, carry *c, block *b, const char *bytes, bool taking)
{
    const uint64_t outside = ~b->inside;
    pairs p = {.objects = c->object};
    uint64_t starts;

    /* Behind the line lies space. */
    b->space = (spaces(bytes) >> b->shift | ~(ALL >> b->shift)) & outside;
    b->bracket = brackets(bytes) >> b->shift & outside;
    if (b->bracket != 0 && !find_pairs(w, b->base, b->bracket, &c->object, &p))
        return false;
    b->primitive = outside & ~(b->quote_close | b->colon | b->comma | b->space |
                               b->bracket);
    if (!check_grammar(c, b, &p))
        return false;
    starts = b->primitive & ~(b->primitive << 1 | c->primitive);
    c->primitive = b->primitive >> 63;
    if (starts != 0 && !check_primitives(w, b->base, starts))
        return false;
    if (!taking)
        return true;
    if (b->bracket == 0)
        return take_flat(w, c, b, bytes, starts);
    c->likely = c->in_key;
    c->last = 1;
    return take_stretches(
        w,
        &(wanted){b->base, b->key_open, b->key_close, b->quote_open | starts},
        b->bracket, p.opening);
}

/* One block of the line from `base` on; its bytes are at bytes[shift]. */
SR_TARGET INLINE bool walk_block(walk *w, carry *c, const char *base,
                                 const char *bytes, unsigned shift, bool taking)
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
    if (!find_strings(w, c, &m, &b))
        return false;
    b.colon = m.colon & ~b.inside;
    b.comma = m.comma & ~b.inside;
    if (m.odd != 0) {
        const uint64_t high = non_ascii(bytes) >> shift;
        if ((m.odd & ~high & b.inside) != 0 || !check_utf8(w, base, high))
            return false;
    }
    if ((~(b.inside | b.quote_close | b.colon | b.comma) | c->primitive |
         ~c->object) != 0) {
        carry next = *c;
        next.plain = false;
        block copy = b;
        const bool good = walk_other(w, &next, &copy, bytes, taking);
        *c = next;
        return good;
    }
    c->plain = true;
    return check_plain(c, &b) && (!taking || take_flat(w, c, &b, bytes, 0));
}

SR_TARGET INLINE bool walk_blocks(walk *w, const char *p, const char *end,
                                  bool taking)
{
    carry c = {.in_string = 0};
    char rest[SR_BLOCK];
    unsigned shift = 0;

    p = run_start(w, &c, p, end, taking);
    if (p == NULL)
        return false;
    const char *bytes = p;

    for (;;) {
        const size_t left = (size_t)(end - p);
        if (left < SR_BLOCK) { /* the last ones of the line */
            shift = SR_BLOCK - (unsigned)left;
            bytes = end - SR_BLOCK;
            if ((size_t)(end - w->s->line) < SR_BLOCK) {
                memset(rest, ' ', sizeof rest);
                memcpy(rest + shift, p, left);
                bytes = rest;
            }
        }
        if (!walk_block(w, &c, p, bytes, shift, taking))
            return false;
        if (left <= SR_BLOCK)
            return c.in_string == 0 && w->depth == 0;
        p += SR_BLOCK;
        if (c.plain)
            p = run_on(w, &c, p, end, taking);
        if (p == NULL)
            return false;
        bytes = p;
    }
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
    /* One by one: a short memset costs more than all of these. */
    w.s = s;
    w.utf8 = p;
    w.node = NULL;
    w.ends = &sr_any_ends;
    w.takes_keys = w.takes_values = 0;
    w.depth = w.dead = 0;
    w.every_key = false;
    return s->plan->want_count == 0 ? walk_blocks(&w, p, s->end, false)
                                    : walk_blocks(&w, p, s->end, true);
}
