/*
 * condition.c - condition text to a tree, and what its selectors select.
 *
 *   expr   := and ('or' and)*
 *   and    := not ('and' not)*
 *   not    := 'not' not | atom
 *   atom   := '(' expr ')' | ('1' | 'any' | 'all') 'of' pattern | identifier
 *   pattern and identifier: the longest run of [A-Za-z0-9_-], * in patterns
 *
 * Words are read whole, so 'notepad' is a name. Boolean conditions of temporal
 * correlations use the same grammar without 'of'. Length and nesting are
 * bounded; the recursion is no deeper than SC_MAX_COND_DEPTH.
 */
#include "sigma/reader.h"

typedef enum tok_kind {
    T_END,
    T_WORD,
    T_OPEN,
    T_CLOSE,
    T_PIPE,
    T_OTHER
} tok_kind;

typedef struct token {
    tok_kind kind;
    size_t beg, end;
    sg_str text;
} token;

typedef struct parser {
    sc_session *s;
    const sc_y *y;
    sg_str text;
    size_t last_end; /* of the token before the current one */
    token tok;
    unsigned depth;
    bool plain;
} parser;

static sc_cond *parse_expr(parser *p);

static sc_span span_of(const parser *p, size_t beg, size_t end)
{
    if (p->y == NULL)
        return SC_NOWHERE;
    if (p->text.ptr != p->y->text.ptr)
        return p->y->span;
    return sc_y_subspan(p->y, beg, end);
}

static sc_span tok_span(const parser *p)
{
    return span_of(p, p->tok.beg, p->tok.end);
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '*';
}

static tok_kind punct_of(char c)
{
    switch (c) {
    case '(':
        return T_OPEN;
    case ')':
        return T_CLOSE;
    case '|':
        return T_PIPE;
    default:
        return T_OTHER;
    }
}

static void advance(parser *p)
{
    size_t pos = p->tok.end;

    p->last_end = p->tok.end;
    while (pos < p->text.len && is_space(p->text.ptr[pos]))
        pos++;
    p->tok = (token){T_END, pos, pos, SG_S("")};
    if (pos == p->text.len)
        return;
    if (is_word(p->text.ptr[pos])) {
        while (pos < p->text.len && is_word(p->text.ptr[pos]))
            pos++;
        p->tok.kind = T_WORD;
    } else {
        p->tok.kind = punct_of(p->text.ptr[pos]);
        sg_utf8_next(p->text, &pos);
    }
    p->tok.end = pos;
    p->tok.text = sg_str_sub(p->text, p->tok.beg, pos);
}

static bool at_word(const parser *p, const char *word)
{
    return p->tok.kind == T_WORD && sg_str_eq(p->tok.text, sg_str_of(word));
}

static bool at_operator(const parser *p)
{
    return at_word(p, "and") || at_word(p, "or") || at_word(p, "not");
}

static bool is_quantifier(sg_str word)
{
    return sg_str_eq(word, SG_S("1")) || sg_str_eq(word, SG_S("any")) ||
           sg_str_eq(word, SG_S("all"));
}

static sc_cond *new_cond(parser *p, sc_cond_kind kind, size_t beg)
{
    sc_cond *cond = sg_new(&p->s->arena, sc_cond);

    cond->kind = kind;
    cond->at = span_of(p, beg, p->last_end);
    return cond;
}

/* -------- refusals ------------------------------------------------------- */

/* count(), near and the like: what version 1 of Sigma wrote after a pipe.
 * The one place to change for lowering them. */
static sc_cond *refuse_aggregation(parser *p)
{
    sc_error(p->s, SC_E0304, span_of(p, p->tok.beg, p->text.len),
             "aggregations after '|' are not part of conditions any more");
    sc_hint(p->s, "write a correlation: count() is type event_count, "
                  "count(F) value_count, sum(F) value_sum, near temporal");
    return NULL;
}

static void hint_other(parser *p)
{
    switch (p->tok.text.ptr[0]) {
    case '&':
        sc_hint(p->s, "write 'and'");
        break;
    case '!':
        sc_hint(p->s, "write 'not'");
        break;
    default:
        sc_hint(p->s, "names are made of letters, digits, '_' and '-'; "
                      "others are reached by a pattern, as in 1 of name*");
        break;
    }
}

/* The current token is not what `wanted` asks for. */
static sc_cond *unexpected(parser *p, const char *wanted)
{
    const sg_str shown = sc_show(p->s, p->tok.text);

    if (p->tok.kind == T_PIPE)
        return refuse_aggregation(p);
    if (p->tok.kind == T_END) {
        sc_error(p->s, SC_E0301, span_of(p, p->last_end, p->text.len),
                 "the condition ends where %s should follow", wanted);
        return NULL;
    }
    sc_error(p->s, SC_E0301, tok_span(p), "found '%.*s' where %s should stand",
             SG_FMT(shown), wanted);
    if (p->tok.kind == T_OTHER)
        hint_other(p);
    return NULL;
}

/* `word of`, and the word is no quantifier. */
static sc_cond *refuse_quantifier(parser *p, const token *word)
{
    sc_error(p->s, SC_E0303, span_of(p, word->beg, p->tok.end),
             "'%.*s of': only 1, any and all may stand before 'of'",
             SG_FMT(sc_show(p->s, word->text)));
    return NULL;
}

/* After a complete expression something other than the end follows. */
static sc_cond *trailing(parser *p)
{
    const sg_str shown = sc_show(p->s, p->tok.text);

    if (p->tok.kind == T_CLOSE) {
        sc_error(p->s, SC_E0301, tok_span(p),
                 "')' without a '(' that it closes");
        return NULL;
    }
    unexpected(p, "'and', 'or' or the end");
    if (sg_str_eq(shown, SG_S("not")))
        sc_hint(p->s, "write 'and not'");
    else if (sg_str_eq_nocase(shown, SG_S("and")) ||
             sg_str_eq_nocase(shown, SG_S("or")) ||
             sg_str_eq_nocase(shown, SG_S("not")))
        sc_hint(p->s, "operators are lower case");
    else if (p->tok.kind == T_WORD || p->tok.kind == T_OPEN)
        sc_hint(p->s, "join the two with 'and' or 'or'");
    return NULL;
}

static bool enter(parser *p)
{
    if (++p->depth <= SC_MAX_COND_DEPTH)
        return true;
    return sc_error(p->s, SC_E0306, tok_span(p),
                    "the condition nests deeper than %d levels",
                    SC_MAX_COND_DEPTH);
}

/* -------- grammar -------------------------------------------------------- */

static sc_cond *parse_of(parser *p, size_t beg, bool all)
{
    sc_cond *cond;

    if (p->plain) {
        sc_error(p->s, SC_E0303, span_of(p, beg, p->tok.end),
                 "quantifiers have no place among the rules of a correlation");
        sc_hint(p->s, "join rule names with and, or, not");
        return NULL;
    }
    advance(p); /* of */
    if (p->tok.kind != T_WORD) {
        unexpected(p, "a name pattern or 'them'");
        if (p->tok.kind == T_OPEN)
            sc_hint(p->s, "a selector takes one pattern, as in 1 of name*");
        return NULL;
    }
    const sg_str name = p->tok.text;
    advance(p);
    cond = new_cond(p, SC_COND_OF, beg);
    cond->all = all;
    cond->them = sg_str_eq(name, SG_S("them"));
    cond->name = name;
    return cond;
}

static bool has_star(sg_str word)
{
    return sg_str_find(word, SG_S("*")) != SIZE_MAX;
}

static sc_cond *parse_word(parser *p)
{
    const token word = p->tok;
    sc_cond *cond;

    if (at_operator(p))
        return unexpected(p, "a name");
    advance(p);
    if (is_quantifier(word.text) && at_word(p, "of"))
        return parse_of(p, word.beg, sg_str_eq(word.text, SG_S("all")));
    if (at_word(p, "of"))
        return refuse_quantifier(p, &word);
    if (has_star(word.text)) {
        sc_error(p->s, SC_E0301, span_of(p, word.beg, word.end),
                 "the pattern '%.*s' stands without a quantifier",
                 SG_FMT(sc_show(p->s, word.text)));
        sc_hint(p->s, "write '1 of %.*s' or 'all of %.*s'",
                SG_FMT(sc_show(p->s, word.text)),
                SG_FMT(sc_show(p->s, word.text)));
        return NULL;
    }
    cond = new_cond(p, SC_COND_ID, word.beg);
    cond->name = word.text;
    return cond;
}

static sc_cond *parse_group(parser *p)
{
    const sc_span open = tok_span(p);
    sc_cond *inner;

    if (!enter(p))
        return NULL;
    advance(p);
    inner = parse_expr(p);
    if (inner == NULL)
        return NULL;
    if (p->tok.kind == T_END) {
        sc_error(p->s, SC_E0301, open, "'(' is never closed");
        return NULL;
    }
    if (p->tok.kind != T_CLOSE)
        return trailing(p);
    advance(p);
    p->depth--;
    return inner;
}

static sc_cond *parse_not(parser *p)
{
    const size_t beg = p->tok.beg;
    sc_cond *kid, *cond;

    if (p->tok.kind == T_OPEN)
        return parse_group(p);
    if (!at_word(p, "not"))
        return p->tok.kind == T_WORD ? parse_word(p) : unexpected(p, "a name");
    if (!enter(p))
        return NULL;
    advance(p);
    kid = parse_not(p);
    if (kid == NULL)
        return NULL;
    p->depth--;
    cond = new_cond(p, SC_COND_NOT, beg);
    SG_PUSH(&p->s->arena, &cond->kids, kid);
    return cond;
}

/* One or more operands joined by `word`. */
static sc_cond *parse_chain(parser *p, sc_cond_kind kind, const char *word,
                            sc_cond *(*operand)(parser *))
{
    const size_t beg = p->tok.beg;
    sc_cond *first = operand(p), *cond;

    if (first == NULL || !at_word(p, word))
        return first;
    cond = new_cond(p, kind, beg);
    SG_PUSH(&p->s->arena, &cond->kids, first);
    while (at_word(p, word)) {
        sc_cond *next;

        advance(p);
        next = operand(p);
        if (next == NULL)
            return NULL;
        SG_PUSH(&p->s->arena, &cond->kids, next);
    }
    cond->at = span_of(p, beg, p->last_end);
    return cond;
}

static sc_cond *parse_and(parser *p)
{
    return parse_chain(p, SC_COND_AND, "and", parse_not);
}

static sc_cond *parse_expr(parser *p)
{
    return parse_chain(p, SC_COND_OR, "or", parse_and);
}

sc_cond *sc_parse_condition(sc_session *s, const sc_y *y, sg_str text,
                            bool plain)
{
    parser p = {.s = s, .y = y, .text = text, .plain = plain};
    sc_cond *cond;

    if (text.len > SC_MAX_COND_TEXT) {
        sc_error(s, SC_E0306, span_of(&p, 0, text.len),
                 "the condition is longer than %d bytes", SC_MAX_COND_TEXT);
        return NULL;
    }
    advance(&p);
    if (p.tok.kind == T_END) {
        sc_error(s, SC_E0302, span_of(&p, 0, text.len),
                 "the condition is empty");
        return NULL;
    }
    cond = parse_expr(&p);
    if (cond != NULL && p.tok.kind != T_END)
        return trailing(&p);
    return cond;
}

/* -------- selectors ------------------------------------------------------ */

/* Whether text matches a pattern of characters and `*`. */
static bool glob_name(sg_str pattern, sg_str text)
{
    size_t p = 0, t = 0, star = SIZE_MAX, resume = 0;

    while (t < text.len) {
        if (p < pattern.len && pattern.ptr[p] == '*') {
            star = p++;
            resume = t;
        } else if (p < pattern.len && pattern.ptr[p] == text.ptr[t]) {
            p++;
            t++;
        } else if (star != SIZE_MAX) {
            p = star + 1;
            t = ++resume;
        } else {
            return false;
        }
    }
    while (p < pattern.len && pattern.ptr[p] == '*')
        p++;
    return p == pattern.len;
}

bool sc_cond_selects(const sc_cond *of, const sc_selection *sel)
{
    const bool hidden = sel->name.len != 0 && sel->name.ptr[0] == '_';

    if (of->space != sel->space)
        return false;
    if (of->them)
        return !hidden;
    if (hidden && (of->name.len == 0 || of->name.ptr[0] != '_'))
        return false;
    return glob_name(of->name, sel->name);
}
