/*
 * required.c - texts that every match of a regular expression holds.
 *
 * The pattern is read once. Of each part of it one of two things is known: all
 * texts it can match (`exact`), or some of which each match holds one; or
 * nothing. Parts in a row that are exact are multiplied out while that makes
 * few texts; what they make is one choice of texts, and the best choice wins.
 *
 * Texts are ASCII, folded: what a letter matches, in either case, folds to the
 * same text. Whatever is not surely understood as PCRE2 does gives up: no texts
 * cost time, a wrong one would cost a match.
 */
#include "match/match.h"

#include <string.h>

enum {
    TEXT_MOST = 64,  /* bytes of a text */
    CLASS_MOST = 4,  /* characters of a class that is multiplied out */
    LONG_ENOUGH = 8, /* bytes; longer texts are hardly rarer */
    PATTERN_MOST = 4096,
    DEPTH_MOST = 32
};

typedef struct texts {
    sg_str items[SR_REGEX_TEXTS];
    uint32_t count; /* 0: nothing is known */
} texts;

/* What is known of a part. */
typedef struct part {
    bool exact; /* it matches these texts and no others */
    texts texts;
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

static const part anything = {.exact = false, .texts = {.count = 0}};

/* What matches without a character: also what only looks at the subject. */
static part nothing(void)
{
    part one = {.exact = true, .texts = {.count = 1}};

    one.texts.items[0] = SG_S("");
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
    size_t x = shortest(a), y = shortest(b);

    x = x > LONG_ENOUGH ? LONG_ENOUGH : x;
    y = y > LONG_ENOUGH ? LONG_ENOUGH : y;
    return x != y ? x > y : x != 0 && a->count < b->count;
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

static part one_character(parser *p, int c)
{
    part one = {.exact = true, .texts = {.count = 1}};
    char *text = sg_arena_alloc(p->arena, 1, 1);

    *text = (char)(is_letter(c) ? c | 0x20 : c);
    one.texts.items[0] = (sg_str){text, 1};
    return one;
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

/* Behind a backslash, outside of classes. */
static part parse_escape(parser *p)
{
    const int c = peek(p, 0);

    p->at += c >= 0;
    if (c > 0 && strchr("dDsSwWhHvV", c) != NULL)
        return anything;
    if (c > 0 && strchr("bBAzZ", c) != NULL)
        return nothing();
    const int literal = escaped_character(p, c);
    if (literal >= 0)
        return one_character(p, literal);
    give_up(p);
    return anything;
}

/* One character of a class, which is read: -1 for what stands for more, or is
 * not ASCII. */
static int class_character(parser *p)
{
    const int c = peek(p, 0);

    if (c >= 0x80) {
        (void)sg_utf8_next(p->text, &p->at);
        return -1;
    }
    p->at++;
    if (c == '[' &&
        (peek(p, 0) == ':' || peek(p, 0) == '.' || peek(p, 0) == '='))
        give_up(p);
    if (c != '\\')
        return c;
    const int escaped = peek(p, 0);
    p->at += escaped >= 0;
    if (escaped > 0 && strchr("dDsSwWhHvVb", escaped) != NULL)
        return -1;
    const int literal = escaped_character(p, escaped);
    if (literal < 0)
        give_up(p);
    return literal;
}

/* Behind [ to behind ]. */
static part parse_class(parser *p)
{
    part all = {.exact = !take(p, SG_S("^")), .texts = {.count = 0}};

    for (bool any = false; any ? peek(p, 0) != ']' : true; any = true) {
        if (peek(p, 0) < 0) {
            give_up(p);
            return anything;
        }
        const int c = class_character(p);
        /* A range, or a - at the end: not told apart, so neither is exact. */
        if (c < 0 || peek(p, 0) == '-' || all.texts.count > CLASS_MOST)
            all.exact = false;
        if (!all.exact)
            continue;
        const part one = one_character(p, c);
        (void)add_text(&all.texts, one.texts.items[0]);
    }
    p->at++;
    return all.exact && all.texts.count <= CLASS_MOST ? all : anything;
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
        return anything;
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

/* {n}, {n,} or {n,m}, behind {: whether n is 0, or gives up. */
static bool parse_count(parser *p)
{
    bool zero = true;

    if (!is_digit(peek(p, 0)))
        give_up(p);
    for (; is_digit(peek(p, 0)); p->at++)
        zero = zero && peek(p, 0) == '0';
    if (take(p, SG_S(",")))
        while (is_digit(peek(p, 0)))
            p->at++;
    if (!take(p, SG_S("}")))
        give_up(p);
    return zero;
}

/* An atom and how often it may stand. */
static part parse_item(parser *p)
{
    part item = parse_atom(p);
    bool once = true, optional = false;

    if (take(p, SG_S("?"))) {
        /* Or nothing: that stays exact. */
        if (!item.exact || !add_text(&item.texts, SG_S("")))
            item = anything;
    } else if (take(p, SG_S("*"))) {
        optional = true;
    } else if (take(p, SG_S("+"))) {
        once = false;
    } else if (peek(p, 0) == '{' && is_digit(peek(p, 1))) {
        p->at++;
        once = false;
        optional = parse_count(p);
    } else {
        return item;
    }
    if (!take(p, SG_S("?")))
        (void)take(p, SG_S("+"));
    if (optional)
        return anything;
    item.exact = item.exact && once;
    return item;
}

/* Items in a row. */
static part parse_row(parser *p)
{
    part row = nothing(); /* texts: those of the items since the last gap */
    texts best = {.count = 0};

    while (peek(p, 0) >= 0 && peek(p, 0) != '|' && peek(p, 0) != ')') {
        const part item = parse_item(p);

        if (item.exact && multiply(p->arena, &row.texts, &item.texts))
            continue;
        row.exact = false;
        offer(&best, &row.texts);
        offer(&best, &item.texts);
        row.texts = item.exact ? item.texts : nothing().texts;
    }
    if (row.exact)
        return row;
    offer(&best, &row.texts);
    row.texts = best;
    return row;
}

/* Rows with | between them. */
static part parse_choice(parser *p)
{
    part all = parse_row(p);

    while (take(p, SG_S("|"))) {
        const part row = parse_row(p);

        all.exact = all.exact && row.exact;
        if (all.texts.count == 0 || row.texts.count == 0 ||
            !add_texts(&all.texts, &row.texts))
            all = anything;
    }
    return all;
}

uint32_t sr_regex_texts(sg_arena *arena, sg_str pattern,
                        sg_str out[SR_REGEX_TEXTS])
{
    sg_arena scratch = {0};
    parser p = {.arena = &scratch, .text = pattern};
    uint32_t count = 0;

    if (pattern.len > PATTERN_MOST)
        return 0;
    const part all = parse_choice(&p);
    if (!p.failed && p.at == pattern.len && shortest(&all.texts) != 0)
        for (; count < all.texts.count; count++)
            out[count] = sg_arena_dup(arena, all.texts.items[count]);
    sg_arena_free(&scratch);
    return count;
}
