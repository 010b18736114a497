/*
 * required.c - what every match of a regular expression holds: texts, or a run
 * of characters of one class.
 *
 * The pattern is read once. Of each part of it is known, if anything, all texts
 * it can match (`exact`), some texts of which each match holds one (`best`) and
 * a run that each match holds. Parts in a row that are exact are multiplied out
 * while that makes few texts; what they make is one choice of texts, and the
 * best choice wins.
 *
 * Texts are ASCII, folded: what a letter matches, in either case, folds to the
 * same text. So does a run: a character that a class matches folds to one of
 * the class, folded, or is not ASCII (struct chars). Whatever is not surely
 * understood as PCRE2 does gives up: no texts cost time, a wrong one would cost
 * a match.
 */
#include "match/match.h"

#include <string.h>

enum {
    TEXT_MOST = 64,  /* bytes of a text */
    CLASS_MOST = 10, /* characters of a class that is multiplied out */
    LONG_ENOUGH = 8, /* bytes; longer texts are hardly rarer */
    PATTERN_MOST = 4096,
    DEPTH_MOST = 32,
    RUN_LEAST = 8, /* bytes; shorter runs are everywhere */
    RUN_MOST = UINT16_MAX
};

typedef struct texts {
    sg_str items[SR_REGEX_TEXTS];
    uint32_t count; /* 0: nothing is known */
} texts;

/* Characters, of any case when folded. */
typedef struct chars {
    uint64_t ascii[2]; /* bit c: this one */
    bool others;       /* some that are not ASCII, and what they fold to */
} chars;

/* Characters of a class in a row. */
typedef struct run {
    chars of;
    uint32_t least; /* bytes; 0: nothing is known */
} run;

/* What is known of a part. */
typedef struct part {
    bool exact;  /* it matches `texts` and no others */
    bool single; /* it is one character, one of run.of */
    texts texts;
    texts best; /* each match holds one of these */
    run run;    /* each match holds it */
} part;

typedef struct parser {
    sg_arena *arena;
    sg_str text;
    size_t at;
    bool failed; /* not understood: what is known then means nothing */
    uint32_t depth;
} parser;

static part parse_choice(parser *p);

static void give_up(parser *p)
{
    p->failed = true;
    p->at = p->text.len;
}

static int peek(const parser *p, size_t ahead)
{
    return ahead < p->text.len - p->at
               ? (unsigned char)p->text.ptr[p->at + ahead]
               : -1;
}

static bool take(parser *p, sg_str word)
{
    if (!sg_str_starts(sg_str_sub(p->text, p->at, p->text.len), word))
        return false;
    p->at += word.len;
    return true;
}

static bool is_digit(int c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(int c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* -------- texts ---------------------------------------------------------- */

static const part anything = {.exact = false};

/* What matches without a character: also what only looks at the subject. */
static part nothing(void)
{
    part one = {.exact = true, .texts = {.count = 1}};

    one.texts.items[0] = SG_S("");
    one.best = one.texts;
    return one;
}

/* Add a text, once; false when there are too many. */
static bool add_text(texts *to, sg_str text)
{
    for (uint32_t i = 0; i < to->count; i++)
        if (sg_str_eq(to->items[i], text))
            return true;
    if (to->count == SR_REGEX_TEXTS)
        return false;
    to->items[to->count++] = text;
    return true;
}

static bool add_texts(texts *to, const texts *from)
{
    for (uint32_t i = 0; i < from->count; i++)
        if (!add_text(to, from->items[i]))
            return false;
    return true;
}

static size_t shortest(const texts *t)
{
    size_t least = t->count == 0 ? 0 : SIZE_MAX;

    for (uint32_t i = 0; i < t->count; i++)
        if (t->items[i].len < least)
            least = t->items[i].len;
    return least;
}

/* Texts serve by the shortest of them, then by being few. */
static bool is_better(const texts *a, const texts *b)
{
    const size_t x = shortest(a), y = shortest(b);

    if (x != y && (x < LONG_ENOUGH || y < LONG_ENOUGH))
        return x > y;
    return a->count != b->count ? a->count < b->count : x > y;
}

static void offer(texts *best, const texts *other)
{
    if (is_better(other, best))
        *best = *other;
}

static sg_str joined(sg_arena *arena, sg_str a, sg_str b)
{
    char *to = sg_arena_alloc(arena, a.len + b.len + 1, 1);

    if (a.len != 0)
        memcpy(to, a.ptr, a.len);
    if (b.len != 0)
        memcpy(to + a.len, b.ptr, b.len);
    return (sg_str){to, a.len + b.len};
}

/* Every text of `a` with every text of `b` behind it; false when they are too
 * many or too long. */
static bool multiply(sg_arena *arena, texts *a, const texts *b)
{
    texts out = {.count = 0};

    for (uint32_t i = 0; i < a->count; i++)
        for (uint32_t k = 0; k < b->count; k++)
            if (a->items[i].len + b->items[k].len > TEXT_MOST ||
                !add_text(&out, joined(arena, a->items[i], b->items[k])))
                return false;
    *a = out;
    return true;
}

/* -------- characters ----------------------------------------------------- */

static void add_char(chars *set, int c)
{
    set->ascii[c / 64] |= UINT64_C(1) << (c % 64);
}

static bool has_char(const chars *set, int c)
{
    return (set->ascii[c / 64] >> (c % 64) & 1) != 0;
}

static void add_range(chars *set, int first, int last)
{
    for (int c = first; c <= last; c++)
        add_char(set, c);
}

static void add_chars(chars *set, const chars *more)
{
    set->ascii[0] |= more->ascii[0];
    set->ascii[1] |= more->ascii[1];
    set->others = set->others || more->others;
}

/* Those of ASCII are exactly the others; what is negated may be any character
 * beyond. */
static chars inverted(const chars *set)
{
    return (chars){{~set->ascii[0], ~set->ascii[1]}, true};
}

static chars folded(const chars *set)
{
    chars out = *set;

    for (int c = 'A'; c <= 'Z'; c++)
        if (has_char(set, c)) {
            out.ascii[1] &= ~(UINT64_C(1) << (c - 64));
            add_char(&out, c | 0x20);
        }
    return out;
}

static uint32_t count_chars(const chars *set)
{
    return (uint32_t)(__builtin_popcountll(set->ascii[0]) +
                      __builtin_popcountll(set->ascii[1]));
}

static sg_str text_of(sg_arena *arena, int c)
{
    char *text = sg_arena_alloc(arena, 1, 1);

    *text = (char)c;
    return (sg_str){text, 1};
}

/* One character of these; not folded yet. */
static part one_of(parser *p, const chars *set)
{
    part one = {.single = true, .run = {folded(set), 1}};
    const chars *of = &one.run.of;

    if (of->others || count_chars(of) > CLASS_MOST)
        return one;
    one.exact = true;
    for (int c = 0; c < 0x80; c++)
        if (has_char(of, c))
            (void)add_text(&one.texts, text_of(p->arena, c));
    one.best = one.texts;
    return one;
}

static part one_character(parser *p, int c)
{
    chars set = {{0}, false};

    add_char(&set, c);
    return one_of(p, &set);
}

/* Some character, whichever. */
static part any_character(parser *p)
{
    const chars none = {{0}, false}, all = inverted(&none);

    return one_of(p, &all);
}

/* \xHH, at HH; -1 for what is not ASCII or not written so. */
static int hex_escape(parser *p)
{
    int value = 0;

    for (int i = 0; i < 2; i++) {
        const int c = peek(p, 0);
        if (!is_digit(c) && !((c | 0x20) >= 'a' && (c | 0x20) <= 'f'))
            return -1;
        value = value * 16 + (is_digit(c) ? c - '0' : (c | 0x20) - 'a' + 10);
        p->at++;
    }
    return value < 0x80 ? value : -1;
}

/* The character that the escape of `c`, which was read, stands for, or -1. */
static int escaped_character(parser *p, int c)
{
    static const char letters[] = "tnrfea";
    static const char means[] = "\t\n\r\f\x1B\a";
    const char *found = c > 0 ? strchr(letters, c) : NULL;

    if (found != NULL)
        return means[found - letters];
    if (c == 'x')
        return hex_escape(p);
    return c > 0 && c < 0x80 && !is_letter(c) && !is_digit(c) ? c : -1;
}

/* What \c stands for: several characters. False: something else. */
static bool escaped_class(int c, chars *set)
{
    chars some = {{0}, false};

    if (c <= 0 || strchr("dDsSwWhHvV", c) == NULL)
        return false;
    if ((c | 0x20) == 'w') {
        add_range(&some, 'a', 'z');
        add_range(&some, 'A', 'Z');
        add_char(&some, '_');
    }
    if ((c | 0x20) == 'w' || (c | 0x20) == 'd')
        add_range(&some, '0', '9');
    if ((c | 0x20) == 's')
        add_range(&some, '\t', '\r');
    if ((c | 0x20) == 'v')
        add_range(&some, '\n', '\r');
    if ((c | 0x20) == 'h')
        add_char(&some, '\t');
    if ((c | 0x20) == 's' || (c | 0x20) == 'h')
        add_char(&some, ' ');
    some.others = c == 'h' || c == 'v';
    if (c < 'a')
        some = inverted(&some);
    add_chars(set, &some);
    return true;
}

/* Behind a backslash, outside of classes. */
static part parse_escape(parser *p)
{
    const int c = peek(p, 0);
    chars set = {{0}, false};

    p->at += c >= 0;
    if (escaped_class(c, &set))
        return one_of(p, &set);
    if (c > 0 && strchr("bBAzZ", c) != NULL)
        return nothing();
    const int literal = escaped_character(p, c);
    if (literal >= 0)
        return one_character(p, literal);
    give_up(p);
    return anything;
}

/* What class_character reads that is no single ASCII character; it is added to
 * the set. */
enum { SEVERAL = -1, BEYOND_ASCII = -2 };

/* One character of a class. */
static int class_character(parser *p, chars *set)
{
    const int c = peek(p, 0);

    if (c >= 0x80) {
        (void)sg_utf8_next(p->text, &p->at);
        set->others = true;
        return BEYOND_ASCII;
    }
    p->at += c >= 0;
    if (c == '[' &&
        (peek(p, 0) == ':' || peek(p, 0) == '.' || peek(p, 0) == '='))
        give_up(p);
    if (c != '\\')
        return c;
    const int escaped = peek(p, 0);
    p->at += escaped >= 0;
    if (escaped_class(escaped, set))
        return SEVERAL;
    if (escaped == 'b')
        return '\b';
    const int literal = escaped_character(p, escaped);
    if (literal < 0)
        give_up(p);
    return literal;
}

/* Add a character of a class, or a range of them. */
static void parse_class_item(parser *p, chars *set)
{
    const int first = class_character(p, set);

    if (first >= 0)
        add_char(set, first);
    if (peek(p, 0) != '-' || peek(p, 1) < 0 || peek(p, 1) == ']' ||
        first == SEVERAL)
        return; /* behind several characters - is one itself */
    p->at++;
    const int last = class_character(p, set);
    if (last == SEVERAL)
        give_up(p); /* refused, or no range: that differs between versions */
    else if (first >= 0)
        add_range(set, first, last == BEYOND_ASCII ? 0x7F : last);
}

/* Behind [ to behind ]. */
static part parse_class(parser *p)
{
    const bool negated = take(p, SG_S("^"));
    chars set = {{0}, false};

    for (bool any = false; any ? peek(p, 0) != ']' : true; any = true) {
        if (peek(p, 0) < 0) {
            give_up(p);
            return anything;
        }
        parse_class_item(p, &set);
    }
    p->at++;
    if (negated)
        set = inverted(&set);
    return one_of(p, &set);
}

/* -------- parts ---------------------------------------------------------- */

/* Behind (? of a group: whether it is one that matches what stands in it
 * (true), or looks (false). Others give up. Options change nothing here, but
 * for x. */
static bool parse_group_kind(parser *p)
{
    if (take(p, SG_S(":")) || take(p, SG_S(">")))
        return true;
    if (take(p, SG_S("=")) || take(p, SG_S("!")) || take(p, SG_S("<=")) ||
        take(p, SG_S("<!")))
        return false;
    if (take(p, SG_S("P<")) || take(p, SG_S("<"))) {
        while (is_letter(peek(p, 0)) || is_digit(peek(p, 0)) ||
               peek(p, 0) == '_')
            p->at++;
        if (take(p, SG_S(">")))
            return true;
    }
    while (peek(p, 0) > 0 && strchr("ims-", peek(p, 0)) != NULL)
        p->at++;
    if (peek(p, 0) != ')' && !take(p, SG_S(":")))
        give_up(p);
    return true;
}

/* Behind ( to behind ). */
static part parse_group(parser *p)
{
    bool matches = true;
    part inner = anything;

    if (peek(p, 0) == '*' || ++p->depth > DEPTH_MOST) {
        give_up(p);
        return anything;
    }
    if (take(p, SG_S("?")))
        matches = parse_group_kind(p);
    inner = parse_choice(p);
    if (!take(p, SG_S(")")))
        give_up(p);
    p->depth--;
    return matches ? inner : nothing();
}

static part parse_atom(parser *p)
{
    const int c = peek(p, 0);

    if (c >= 0x80) {
        (void)sg_utf8_next(p->text, &p->at);
        return anything;
    }
    p->at++;
    switch (c) {
    case '\\':
        return parse_escape(p);
    case '[':
        return parse_class(p);
    case '(':
        return parse_group(p);
    case '.':
        return any_character(p);
    case '^':
    case '$':
        return nothing();
    case '{':
        /* What counts as a repeat here differs between versions. */
        if (is_digit(peek(p, 0)) || peek(p, 0) == ',' || peek(p, 0) == ' ')
            give_up(p);
        break;
    case '*':
    case '+':
    case '?':
        give_up(p);
        break;
    default:
        break;
    }
    return one_character(p, c);
}

/* How often an item may stand. */
typedef struct repeat {
    uint32_t least;
    bool exactly; /* and no more */
} repeat;

/* What may stand behind a repeat. */
static void take_greed(parser *p)
{
    if (!take(p, SG_S("?")))
        (void)take(p, SG_S("+"));
}

/* {n}, {n,} or {n,m}; gives up on others. */
static repeat parse_count(parser *p)
{
    repeat r = {0, true};

    p->at++;
    for (; is_digit(peek(p, 0)); p->at++)
        if (r.least <= RUN_MOST)
            r.least = r.least * 10 + (uint32_t)(peek(p, 0) - '0');
    if (take(p, SG_S(","))) {
        r.exactly = false;
        while (is_digit(peek(p, 0)))
            p->at++;
    }
    if (!take(p, SG_S("}")))
        give_up(p);
    return r;
}

static repeat parse_repeat(parser *p)
{
    repeat r = {1, true};

    if (take(p, SG_S("*")))
        r = (repeat){0, false};
    else if (take(p, SG_S("+")))
        r.exactly = false;
    else if (peek(p, 0) == '{' && is_digit(peek(p, 1)))
        r = parse_count(p);
    else
        return r;
    take_greed(p);
    return r;
}

/* A part so often in a row. */
static part repeated(parser *p, const part *once, repeat r)
{
    part all = *once;

    if (r.least == 0 || (r.least == 1 && r.exactly))
        return r.least == 0 ? anything : all;
    for (uint32_t i = 1; i < r.least && all.exact; i++)
        all.exact =
            i < TEXT_MOST && multiply(p->arena, &all.texts, &once->texts);
    if (once->exact)
        offer(&all.best, &all.texts);
    if (once->single)
        all.run.least = r.least < RUN_MOST ? r.least : RUN_MOST;
    all.exact = all.exact && r.exactly;
    all.single = false;
    return all;
}

/* The part or nothing: that stays exact. */
static part optional(const part *item)
{
    part out = {.exact = item->exact, .texts = item->texts};

    out.exact = out.exact && add_text(&out.texts, SG_S(""));
    return out;
}

/* An atom and how often it may stand. */
static part parse_item(parser *p)
{
    const part item = parse_atom(p);

    if (take(p, SG_S("?"))) {
        take_greed(p);
        return optional(&item);
    }
    const repeat r = parse_repeat(p);

    return repeated(p, &item, r);
}

/* Runs serve by being long; of characters that are easily met they must be
 * longer. */
static uint32_t worth(const run *r)
{
    return r->of.others ? r->least : 4 * r->least;
}

static void offer_run(run *best, const run *other)
{
    if (worth(other) > worth(best))
        *best = *other;
}

/* Put an item behind those of a row, whose texts are those since the last
 * gap. */
static void add_item(parser *p, part *row, const part *item)
{
    offer_run(&row->run, &item->run);
    /* More texts may be worse ones. */
    offer(&row->best, &row->texts);
    if (item->exact && multiply(p->arena, &row->texts, &item->texts))
        return;
    row->exact = false;
    offer(&row->best, &item->best);
    row->texts = item->exact ? item->texts : nothing().texts;
}

/* Items in a row. */
static part parse_row(parser *p)
{
    part row = nothing();
    uint32_t count = 0;

    for (; peek(p, 0) >= 0 && peek(p, 0) != '|' && peek(p, 0) != ')'; count++) {
        const part item = parse_item(p);

        add_item(p, &row, &item);
        row.single = count == 0 && item.single;
    }
    offer(&row.best, &row.texts);
    return row;
}

/* One of two, for both of which something is known. */
static part either(const part *a, const part *b)
{
    part all = *a;

    all.single = a->single && b->single;
    all.exact = a->exact && b->exact && add_texts(&all.texts, &b->texts);
    if (a->best.count == 0 || b->best.count == 0 ||
        !add_texts(&all.best, &b->best))
        all.best.count = 0;
    add_chars(&all.run.of, &b->run.of);
    if (b->run.least < all.run.least)
        all.run.least = b->run.least;
    return all;
}

/* Rows with | between them. */
static part parse_choice(parser *p)
{
    part all = parse_row(p);

    while (take(p, SG_S("|"))) {
        const part row = parse_row(p);

        all = either(&all, &row);
    }
    return all;
}

/* What is known of a pattern; nothing when it is not understood. */
static part parse_pattern(sg_arena *arena, sg_str pattern)
{
    parser p = {.arena = arena, .text = pattern};

    if (pattern.len > PATTERN_MOST)
        return anything;
    const part all = parse_choice(&p);
    return p.failed || p.at != pattern.len ? anything : all;
}

/* The bytes of folded texts that these characters are written with. Two letters
 * of ASCII are what others fold to: the signs of Kelvin and the long s. */
static void set_bytes(uint64_t to[4], const chars *of)
{
    to[0] = of->ascii[0];
    to[1] = of->ascii[1];
    to[2] = to[3] = of->others ? UINT64_MAX : 0;
    if (of->others)
        to[1] |= UINT64_C(1) << ('k' - 64) | UINT64_C(1) << ('s' - 64);
}

/* Whether texts of one byte may be rare: that a value has some letter or blank
 * says nothing. */
static bool are_rare(const texts *t)
{
    enum { SELDOM = 2 }; /* sr_byte_weight */

    for (uint32_t i = 0; i < t->count; i++)
        if (sr_byte_weight(t->items[i].ptr[0]) > SELDOM)
            return false;
    return true;
}

static sr_need_kind kind_of(const part *all)
{
    const size_t len = shortest(&all->best);

    if (len > 1)
        return SR_NEED_TEXTS;
    if (all->run.least >= RUN_LEAST)
        return SR_NEED_RUN;
    return len == 1 && are_rare(&all->best) ? SR_NEED_TEXTS : SR_NEED_NOTHING;
}

void sr_regex_need(sg_arena *arena, sg_str pattern, sr_need *out)
{
    sg_arena scratch = {0};
    const part all = parse_pattern(&scratch, pattern);

    out->kind = kind_of(&all);
    out->count = out->kind == SR_NEED_TEXTS ? all.best.count : 0;
    for (uint32_t i = 0; i < out->count; i++)
        out->texts[i] = sg_arena_dup(arena, all.best.items[i]);
    set_bytes(out->run.of, &all.run.of);
    out->run.least = all.run.least;
    sg_arena_free(&scratch);
}
