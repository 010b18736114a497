/*
 * linear.c - regular expressions as automata of positions (Glushkov).
 *
 * A position is one character of the pattern, repeats written out. The pattern
 * tells which positions may begin a match, follow each other and end a match.
 * The search keeps the set of positions that the characters read so far may
 * have come to, as bits, and steps it by shifts and masks. The begin and the
 * end of the subject are read as two more symbols, which ^ and $ match.
 * Refuses all that it does not surely understand as PCRE2 does.
 */
#include "match/linear.h"

#include <stdlib.h>
#include <string.h>

enum {
    WORD = 64,
    WORDS = 16, /* of a set of positions */
    POSITIONS = WORDS * WORD,
    STEPS = 50000,    /* items parsed, those of repeats each time */
    COST_MOST = 1024, /* words of masks applied a symbol */
    /* Symbols: ASCII is itself. */
    OTHER = 128, /* code points that the pattern does not name */
    NAMED,       /* those it does, from here on */
    NAMED_MOST = 16,
    SUBJECT_BEGIN = NAMED + NAMED_MOST,
    SUBJECT_END,
    SYMBOLS
};

/* What equals a letter in ASCII but for case, beside the other letter. */
enum { KELVIN_SIGN = 0x212A, LONG_S = 0x17F };

typedef struct set {
    uint64_t words[WORDS];
} set;

/* Symbols that a position matches. */
typedef struct symbols {
    bool has[SYMBOLS];
} symbols;

/* A part of the pattern. */
typedef struct part {
    bool empty;       /* matches the empty text */
    set first, final; /* positions it may begin and end with */
} part;

struct sr_linear {
    uint32_t words; /* used of a set */
    bool always;    /* matches anything */
    uint32_t names; /* code points named, see NAMED */
    uint32_t name[NAMED_MOST];
    bool begins[SYMBOLS]; /* whether a match may begin by the symbol */
    set first, final;
    set stay, next, skip;    /* positions followed by themselves, the next one,
                                the one behind that */
    set jump;                /* ... by others: those in `follow` */
    uint16_t row[POSITIONS]; /* of `follow` */
    uint64_t *follow;        /* rows of `words` words, malloc-owned */
    uint64_t *matches;       /* ... by symbol: the positions that match it */
};

/* -------- sets ------------------------------------------------------------ */

static void set_add(set *s, uint32_t i)
{
    s->words[i / WORD] |= UINT64_C(1) << i % WORD;
}

static bool set_has(const set *s, uint32_t i)
{
    return (s->words[i / WORD] >> i % WORD & 1) != 0;
}

static void set_remove(set *s, uint32_t i)
{
    s->words[i / WORD] &= ~(UINT64_C(1) << i % WORD);
}

static void set_unite(set *s, const set *t)
{
    for (uint32_t w = 0; w < WORDS; w++)
        s->words[w] |= t->words[w];
}

static bool sets_meet(const set *s, const set *t)
{
    uint64_t common = 0;

    for (uint32_t w = 0; w < WORDS; w++)
        common |= s->words[w] & t->words[w];
    return common != 0;
}

static bool set_is_empty(const set *s)
{
    return !sets_meet(s, s);
}

/* -------- parsing ----------------------------------------------------------*/

typedef struct parser {
    sg_str text;
    size_t at;
    bool caseless, dot_all;
    bool failed; /* not supported; what is parsed then means nothing */
    uint32_t depth, steps;
    uint32_t count; /* positions so far */
    sr_linear *to;
    set follow[POSITIONS]; /* positions behind each */
    set matches[SYMBOLS];
} parser;

static part parse_choice(parser *p);

static void refuse(parser *p)
{
    p->failed = true;
    p->at = p->text.len;
}

static bool more(const parser *p)
{
    return p->at < p->text.len;
}

static int peek(const parser *p)
{
    return more(p) ? (unsigned char)p->text.ptr[p->at] : -1;
}

static bool take(parser *p, sg_str word)
{
    if (!sg_str_starts(sg_str_sub(p->text, p->at, p->text.len), word))
        return false;
    p->at += word.len;
    return true;
}

/* -------- characters and classes -----------------------------------------*/

static uint32_t symbol_of(const sr_linear *linear, uint32_t cp)
{
    if (cp < OTHER)
        return cp;
    for (uint32_t i = 0; i < linear->names; i++)
        if (linear->name[i] == cp)
            return NAMED + i;
    return OTHER;
}

/* All code points are named before the first position is made. */
static void name_code_point(parser *p, uint32_t cp)
{
    if (cp < OTHER || symbol_of(p->to, cp) != OTHER)
        return;
    if (p->to->names == NAMED_MOST)
        refuse(p);
    else
        p->to->name[p->to->names++] = cp;
}

static void name_code_points(parser *p)
{
    name_code_point(p, KELVIN_SIGN);
    name_code_point(p, LONG_S);
    for (size_t at = 0; at < p->text.len && !p->failed;)
        name_code_point(p, sg_utf8_next(p->text, &at));
}

static void add_literal(parser *p, symbols *s, uint32_t cp)
{
    const uint32_t lower = cp | 0x20;

    s->has[symbol_of(p->to, cp)] = true;
    if (!p->caseless)
        return;
    if (cp >= OTHER)
        refuse(p);
    if (lower < 'a' || lower > 'z')
        return;
    s->has[lower] = s->has[lower ^ 0x20] = true;
    if (lower == 'k')
        s->has[symbol_of(p->to, KELVIN_SIGN)] = true;
    if (lower == 's')
        s->has[symbol_of(p->to, LONG_S)] = true;
}

/* All characters it does not have. */
static void negate(symbols *s)
{
    for (uint32_t i = 0; i < SUBJECT_BEGIN; i++)
        s->has[i] = !s->has[i];
}

static void unite(symbols *s, const symbols *t)
{
    for (uint32_t i = 0; i < SYMBOLS; i++)
        s->has[i] |= t->has[i];
}

static bool is_digit(uint32_t c)
{
    return c - '0' < 10;
}

static bool is_letter(uint32_t c)
{
    return (c | 0x20) - 'a' < 26;
}

/* \d \s \w and their opposites; false for other letters. */
static bool add_kind(symbols *s, int letter)
{
    symbols kind = {{false}};

    for (uint32_t c = 0; c < OTHER; c++) {
        const bool word = is_digit(c) || is_letter(c) || c == '_';
        const bool space = c == ' ' || (c >= '\t' && c <= '\r');
        switch (letter | 0x20) {
        case 'd':
            kind.has[c] = is_digit(c);
            break;
        case 's':
            kind.has[c] = space;
            break;
        case 'w':
            kind.has[c] = word;
            break;
        default:
            return false;
        }
    }
    if ((letter & 0x20) == 0)
        negate(&kind);
    unite(s, &kind);
    return true;
}

/* A character after a backslash that stands for one, or refuses. */
static uint32_t parse_escaped(parser *p)
{
    static const char letters[] = "tnrfea";
    static const char means[] = "\t\n\r\f\x1B\a";
    const int c = peek(p);
    const char *found;

    if (c <= 0 || c >= OTHER) {
        refuse(p);
        return 0;
    }
    p->at++;
    if (!is_digit((uint32_t)c) && !is_letter((uint32_t)c))
        return (uint32_t)c;
    found = strchr(letters, c);
    if (found != NULL)
        return (unsigned char)means[found - letters];
    refuse(p);
    return 0;
}

static uint32_t parse_character(parser *p)
{
    if (take(p, SG_S("\\")))
        return parse_escaped(p);
    return sg_utf8_next(p->text, &p->at);
}

/* X-Y in a class behind X-, or X alone. */
static void parse_range(parser *p, symbols *s)
{
    const uint32_t first = parse_character(p);
    uint32_t last = first;

    if (peek(p) == '-' && p->at + 1 < p->text.len &&
        p->text.ptr[p->at + 1] != ']') {
        p->at++;
        /* X-\d and X-[ are ranges to some, not to others. */
        if (peek(p) == '[')
            refuse(p);
        else
            last = parse_character(p);
        if (first >= OTHER || last >= OTHER)
            refuse(p);
    }
    for (uint32_t cp = first; cp <= last && !p->failed; cp++)
        add_literal(p, s, cp);
}

/* Behind [ to behind ]. */
static symbols parse_class(parser *p)
{
    symbols s = {{false}};
    const bool negated = take(p, SG_S("^"));
    bool any = false;

    for (; more(p) && (peek(p) != ']' || !any); any = true) {
        const int c = peek(p);
        const int ahead = p->at + 1 < p->text.len ? p->text.ptr[p->at + 1] : -1;
        if (c == '[' && (ahead == ':' || ahead == '.' || ahead == '=')) {
            refuse(p);
        } else if (c == '\\' && ahead > 0 && add_kind(&s, ahead)) {
            p->at += 2;
            if (peek(p) == '-')
                refuse(p);
        } else {
            parse_range(p, &s);
        }
    }
    if (!take(p, SG_S("]")))
        refuse(p);
    if (negated)
        negate(&s);
    return s;
}

/* -------- parts -----------------------------------------------------------*/

static part part_of(parser *p, const symbols *s)
{
    part one = {.empty = false};
    const uint32_t i = p->count;

    if (i == POSITIONS) {
        refuse(p);
        return one;
    }
    p->count++;
    memset(&p->follow[i], 0, sizeof(p->follow[i]));
    for (uint32_t c = 0; c < SYMBOLS; c++)
        if (s->has[c])
            set_add(&p->matches[c], i);
    set_add(&one.first, i);
    set_add(&one.final, i);
    return one;
}

static part part_of_symbol(parser *p, uint32_t symbol)
{
    symbols s = {{false}};

    s.has[symbol] = true;
    return part_of(p, &s);
}

/* Each position of `from` may be followed by each of `to`. */
static void link_sets(parser *p, const set *from, const set *to)
{
    for (uint32_t w = 0; w < WORDS; w++)
        for (uint64_t bits = from->words[w]; bits != 0; bits &= bits - 1)
            set_unite(&p->follow[w * WORD + (uint32_t)__builtin_ctzll(bits)],
                      to);
}

static part join(parser *p, const part *a, const part *b)
{
    part both = {a->empty && b->empty, a->first, b->final};

    link_sets(p, &a->final, &b->first);
    if (a->empty)
        set_unite(&both.first, &b->first);
    if (b->empty)
        set_unite(&both.final, &a->final);
    return both;
}

static part parse_dot(parser *p)
{
    symbols s = {{false}};

    negate(&s);
    s.has['\n'] = p->dot_all;
    return part_of(p, &s);
}

static part parse_escape(parser *p)
{
    symbols s = {{false}};

    if (more(p) && add_kind(&s, peek(p)))
        p->at++;
    else
        add_literal(p, &s, parse_escaped(p));
    return part_of(p, &s);
}

/* Behind ( to behind ). */
static part parse_group(parser *p)
{
    const bool caseless = p->caseless;

    if (peek(p) == '*')
        refuse(p);
    if (take(p, SG_S("?i:")))
        p->caseless = true;
    else if (!take(p, SG_S("?:")) && peek(p) == '?')
        refuse(p);
    p->depth++;
    if (p->depth > SR_REGEX_NEST)
        refuse(p);
    const part inner = parse_choice(p);
    p->depth--;
    if (!take(p, SG_S(")")))
        refuse(p);
    p->caseless = caseless;
    return inner;
}

static part parse_atom(parser *p)
{
    symbols s = {{false}};

    if (++p->steps > STEPS)
        refuse(p);
    if (take(p, SG_S("(")))
        return parse_group(p);
    if (take(p, SG_S(".")))
        return parse_dot(p);
    if (take(p, SG_S("\\")))
        return parse_escape(p);
    if (take(p, SG_S("^")))
        return part_of_symbol(p, SUBJECT_BEGIN);
    if (take(p, SG_S("$")))
        return part_of_symbol(p, SUBJECT_END);
    if (take(p, SG_S("["))) {
        s = parse_class(p);
        return part_of(p, &s);
    }
    const int c = peek(p);
    if (c < 0 || c == '*' || c == '+' || c == '?' || c == '{')
        refuse(p);
    else
        add_literal(p, &s, sg_utf8_next(p->text, &p->at));
    return part_of(p, &s);
}

/* -------- repeats ---------------------------------------------------------*/

enum { ENDLESS = UINT16_MAX };

typedef struct repeat {
    uint32_t least, most;
} repeat;

static uint32_t parse_number(parser *p)
{
    uint32_t n = 0;

    if (!is_digit((uint32_t)peek(p)))
        refuse(p);
    for (; more(p) && is_digit((uint32_t)peek(p)); p->at++)
        n = n < ENDLESS ? n * 10 + (uint32_t)(peek(p) - '0') : n;
    if (n > POSITIONS)
        refuse(p);
    return n > POSITIONS ? POSITIONS : n;
}

static repeat parse_repeat(parser *p)
{
    repeat r = {1, 1};

    if (take(p, SG_S("*"))) {
        r = (repeat){0, ENDLESS};
    } else if (take(p, SG_S("+"))) {
        r = (repeat){1, ENDLESS};
    } else if (take(p, SG_S("?"))) {
        r = (repeat){0, 1};
    } else if (take(p, SG_S("{"))) {
        r.least = r.most = parse_number(p);
        if (take(p, SG_S(",")))
            r.most = peek(p) == '}' ? ENDLESS : parse_number(p);
        if (!take(p, SG_S("}")) || r.most < r.least)
            refuse(p);
    } else {
        return r;
    }
    /* Lazy or not, the same texts match; possessive ones do not. */
    if (!take(p, SG_S("?")) && peek(p) == '+')
        refuse(p);
    return r;
}

/* One more of the atom at `at`. */
static part again(parser *p, size_t at)
{
    p->at = at;
    return parse_atom(p);
}

/* x{0,3} is parsed as ((x?x)?x)?: its positions can all be begun with, but
 * each is followed by the next one alone, which steps fast. */
static part repeat_atom(parser *p, size_t at, repeat r)
{
    part all = {.empty = true};
    const bool endless = r.most == ENDLESS;
    const uint32_t most = !endless ? r.most : r.least > 0 ? r.least : 1;

    for (uint32_t i = 0; i < most && !p->failed; i++) {
        part one = again(p, at);
        if (endless && i + 1 == most) {
            link_sets(p, &one.final, &one.first);
            one.empty |= r.least == 0;
        }
        all.empty |= !endless && i <= most - r.least;
        all = join(p, &all, &one);
    }
    all.empty |= r.least == 0;
    return all;
}

static part parse_item(parser *p)
{
    const size_t at = p->at;
    const uint32_t count = p->count;
    const part one = parse_atom(p);
    const size_t end = p->at;
    const repeat r = parse_repeat(p);
    const size_t behind = p->at;

    if (p->failed || (end == behind) || r.most == 0) {
        if (r.most == 0)
            refuse(p);
        return one;
    }
    /* The first parse only told where the atom ends. */
    for (uint32_t c = 0; c < SYMBOLS; c++)
        for (uint32_t i = count; i < p->count; i++)
            set_remove(&p->matches[c], i);
    p->count = count;
    const part all = repeat_atom(p, at, r);
    p->at = p->failed ? p->text.len : behind;
    return all;
}

static part parse_sequence(parser *p)
{
    part all = {.empty = true};

    while (more(p) && peek(p) != '|' && peek(p) != ')') {
        const part one = parse_item(p);
        all = join(p, &all, &one);
    }
    return all;
}

static part parse_choice(parser *p)
{
    part all = parse_sequence(p);

    while (take(p, SG_S("|"))) {
        const part one = parse_sequence(p);
        all.empty |= one.empty;
        set_unite(&all.first, &one.first);
        set_unite(&all.final, &one.final);
    }
    return all;
}

/* -------- the automaton --------------------------------------------------- */

/* Begin and end are symbols that are read once: ^^, $$ and $^ would wait for
 * more of them. */
static bool repeats_ends(const parser *p)
{
    const set *begin = &p->matches[SUBJECT_BEGIN];
    const set *end = &p->matches[SUBJECT_END];

    for (uint32_t i = 0; i < p->count; i++) {
        const bool is_end = set_has(end, i);
        if ((is_end || set_has(begin, i)) && sets_meet(&p->follow[i], begin))
            return true;
        if (is_end && sets_meet(&p->follow[i], end))
            return true;
    }
    return false;
}

/* Move a follower out of the set into a mask. */
static void move_follower(set *from, uint32_t follower, set *mask, uint32_t i)
{
    if (follower < POSITIONS && set_has(from, follower)) {
        set_remove(from, follower);
        set_add(mask, i);
    }
}

/* The first `words` words of some sets, one behind the other. */
static uint64_t *pack(const set *sets, uint32_t count, uint32_t words)
{
    const size_t row = words * sizeof(uint64_t);
    uint64_t *rows = malloc(count * row + 1);

    if (rows == NULL)
        sg_fatal("out of memory");
    for (uint32_t i = 0; i < count; i++)
        memcpy(rows + (size_t)i * words, sets[i].words, row);
    return rows;
}

/* Who follows whom, as masks and rows; false when they cost too much. */
static bool make_rows(parser *p)
{
    sr_linear *to = p->to;
    uint32_t rows = 0;

    to->words = p->count == 0 ? 1 : (p->count + WORD - 1) / WORD;
    for (uint32_t i = 0; i < p->count; i++) {
        set *s = &p->follow[i];
        move_follower(s, i, &to->stay, i);
        move_follower(s, i + 1, &to->next, i);
        move_follower(s, i + 2, &to->skip, i);
        if (set_is_empty(s))
            continue;
        set_add(&to->jump, i);
        to->row[i] = (uint16_t)rows;
        p->follow[rows++] = *s;
    }
    if (rows * to->words > COST_MOST)
        return false;
    to->follow = pack(p->follow, rows, to->words);
    to->matches = pack(p->matches, SYMBOLS, to->words);
    return true;
}

static bool build(parser *p)
{
    sr_linear *to = p->to;

    name_code_points(p);
    p->caseless |= take(p, SG_S("(?i)"));
    const part all = parse_choice(p);
    if (p->failed || more(p) || repeats_ends(p) || !make_rows(p))
        return false;
    to->always = all.empty;
    to->first = all.first;
    to->final = all.final;
    for (uint32_t c = 0; c < SYMBOLS; c++)
        to->begins[c] = sets_meet(&p->matches[c], &to->first);
    return true;
}

sr_linear *sr_linear_new(sg_str pattern, uint32_t flags)
{
    sr_linear *linear = calloc(1, sizeof(*linear));
    parser *p = calloc(1, sizeof(*p));

    if (linear == NULL || p == NULL)
        sg_fatal("out of memory");
    p->text = pattern;
    p->caseless = (flags & SIGMA_F_RE_I) != 0;
    p->dot_all = (flags & SIGMA_F_RE_S) != 0;
    p->to = linear;
    if ((flags & SIGMA_F_RE_M) != 0 || !build(p)) {
        sr_linear_free(linear);
        linear = NULL;
    }
    free(p);
    return linear;
}

void sr_linear_free(sr_linear *linear)
{
    if (linear == NULL)
        return;
    free(linear->follow);
    free(linear->matches);
    free(linear);
}

/* -------- searching ------------------------------------------------------- */

/* Positions that the symbols read so far may have come to. */
typedef struct state {
    set now;
    bool idle; /* none */
} state;

/* Add the followers that are not beside their position. */
static void jump(const sr_linear *l, const set *now, set *then)
{
    for (uint32_t w = 0; w < l->words; w++) {
        uint64_t bits = now->words[w] & l->jump.words[w];
        for (; bits != 0; bits &= bits - 1) {
            const uint32_t i = w * WORD + (uint32_t)__builtin_ctzll(bits);
            const uint64_t *to = l->follow + (size_t)l->row[i] * l->words;
            for (uint32_t k = 0; k < l->words; k++)
                then->words[k] |= to[k];
        }
    }
}

/* Read a symbol; whether a match ends with it. */
static bool step(const sr_linear *l, state *s, uint32_t symbol)
{
    const uint64_t *matches = l->matches + (size_t)symbol * l->words;
    set then;
    uint64_t carry = 0; /* what the shifts move to the next word */
    uint64_t any = 0;
    uint64_t final = 0;

    for (uint32_t w = 0; w < l->words; w++) {
        const uint64_t now = s->now.words[w];
        const uint64_t next = now & l->next.words[w];
        const uint64_t skip = now & l->skip.words[w];
        then.words[w] = l->first.words[w] | (now & l->stay.words[w]) |
                        next << 1 | skip << 2 | carry;
        carry = next >> (WORD - 1) | skip >> (WORD - 2);
    }
    jump(l, &s->now, &then);
    for (uint32_t w = 0; w < l->words; w++) {
        const uint64_t now = then.words[w] & matches[w];
        s->now.words[w] = now;
        any |= now;
        final |= now & l->final.words[w];
    }
    s->idle = any == 0;
    return final != 0;
}

/* The next symbol, or SYMBOLS when ill-formed. */
static uint32_t read_symbol(const sr_linear *l, sg_str subject, size_t *at)
{
    const unsigned char byte = (unsigned char)subject.ptr[*at];

    if (byte < OTHER) {
        (*at)++;
        return byte;
    }
    const uint32_t cp = sg_utf8_next(subject, at);
    if (cp > 0x10FFFF || (cp >= 0xD800 && cp < 0xE000))
        return SYMBOLS;
    return symbol_of(l, cp);
}

sr_re_result sr_linear_match(const sr_linear *linear, sg_str subject,
                             size_t start)
{
    state s = {.idle = true};
    size_t at = start;

    if (linear->always)
        return SR_RE_YES;
    if (at == 0 && step(linear, &s, SUBJECT_BEGIN))
        return SR_RE_YES;
    while (at < subject.len) {
        const uint32_t symbol = read_symbol(linear, subject, &at);
        if (symbol == SYMBOLS)
            return SR_RE_LIMIT;
        if (s.idle && !linear->begins[symbol])
            continue;
        if (step(linear, &s, symbol))
            return SR_RE_YES;
    }
    return step(linear, &s, SUBJECT_END) ? SR_RE_YES : SR_RE_NO;
}
