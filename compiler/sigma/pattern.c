/*
 * pattern.c - Sigma strings: escapes, wildcards, placeholders.
 *
 * Escapes apply left to right (semantics section 2): a backslash before *, ?
 * or a backslash drops out; before anything else, and at the end, it is
 * itself. With placeholders %name% counts too, and \% is a plain percent.
 */
#include "sigma/reader.h"

#include <string.h>

typedef struct scanner {
    sc_session *s;
    sg_str in;
    size_t pos;
    bool placeholders;
    char *text; /* where the literal text goes; never longer than the input */
    size_t beg, len; /* of the pending literal */
    sc_pattern *out;
} scanner;

static bool is_name_byte(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c >= '0' && c <= '9') || c == '_' || c == '-';
}

static void flush(scanner *c)
{
    if (c->len > c->beg) {
        const sg_str text = {c->text + c->beg, c->len - c->beg};
        SG_PUSH(&c->s->arena, &c->out->toks, ((sc_tok){SC_TOK_TEXT, text}));
    }
    c->beg = c->len;
}

static void put_special(scanner *c, sc_tok_kind kind, sg_str name)
{
    flush(c);
    SG_PUSH(&c->s->arena, &c->out->toks, ((sc_tok){kind, name}));
}

static bool is_escapable(const scanner *c, char next)
{
    return next == '*' || next == '?' || next == '\\' ||
           (c->placeholders && next == '%');
}

/* At a percent sign: take %name% as a placeholder, if it is one. */
static bool scan_placeholder(scanner *c)
{
    size_t end = c->pos + 1;

    while (end < c->in.len && is_name_byte(c->in.ptr[end]))
        end++;
    if (end == c->pos + 1 || end == c->in.len || c->in.ptr[end] != '%')
        return false;
    put_special(c, SC_TOK_PLACEHOLDER, sg_str_sub(c->in, c->pos + 1, end));
    c->pos = end + 1;
    return true;
}

static void scan_char(scanner *c)
{
    const char ch = c->in.ptr[c->pos];

    if (ch == '%' && c->placeholders && scan_placeholder(c))
        return;
    c->pos++;
    if (ch == '*' || ch == '?') {
        put_special(c, ch == '*' ? SC_TOK_STAR : SC_TOK_ANY, SG_S(""));
        return;
    }
    if (ch == '\\' && c->pos < c->in.len && is_escapable(c, c->in.ptr[c->pos]))
        c->text[c->len++] = c->in.ptr[c->pos++];
    else
        c->text[c->len++] = ch;
}

void sc_pattern_parse(sc_session *s, sg_str text, bool placeholders,
                      sc_pattern *out)
{
    scanner c = {.s = s, .in = text, .placeholders = placeholders, .out = out};

    *out = (sc_pattern){0};
    if (text.len == 0)
        return;
    c.text = sg_arena_alloc(&s->arena, text.len, 1);
    while (c.pos < text.len)
        scan_char(&c);
    flush(&c);
}

/* One step of sc_pattern_expand: copy what is no placeholder. */
static void copy_char(scanner *c, bool re)
{
    const char ch = c->in.ptr[c->pos++];

    if (ch == '\\' && c->pos < c->in.len && c->in.ptr[c->pos] == '%') {
        c->text[c->len++] = c->in.ptr[c->pos++];
        return;
    }
    c->text[c->len++] = ch;
    if (re && ch == '\\' && c->pos < c->in.len)
        c->text[c->len++] = c->in.ptr[c->pos++];
}

void sc_pattern_expand(sc_session *s, sg_str text, bool re, sc_pattern *out)
{
    scanner c = {.s = s, .in = text, .placeholders = true, .out = out};

    if (text.len == 0)
        return;
    c.text = sg_arena_alloc(&s->arena, text.len, 1);
    while (c.pos < text.len)
        if (text.ptr[c.pos] != '%' || !scan_placeholder(&c))
            copy_char(&c, re);
    flush(&c);
}

/* Whether a backslash before this must be doubled to stay itself. */
static bool starts_special(const sc_pattern *p, size_t tok, size_t pos,
                           bool placeholders)
{
    const sc_tok *t = &p->toks.items[tok];
    char next;

    if (t->kind == SC_TOK_TEXT && pos == t->text.len) {
        if (tok + 1 == p->toks.count)
            return false;
        t++;
        pos = 0;
    }
    if (t->kind != SC_TOK_TEXT)
        return true;
    next = t->text.ptr[pos];
    return next == '*' || next == '?' || next == '\\' ||
           (placeholders && next == '%');
}

static char *print_text(char *at, const sc_pattern *p, size_t tok,
                        bool placeholders)
{
    const sg_str text = p->toks.items[tok].text;

    for (size_t i = 0; i < text.len; i++) {
        const char c = text.ptr[i];
        const bool escape =
            c == '*' || c == '?' || (placeholders && c == '%') ||
            (c == '\\' && starts_special(p, tok, i + 1, placeholders));

        if (escape)
            *at++ = '\\';
        *at++ = c;
    }
    return at;
}

static char *print_tok(char *at, const sc_pattern *p, size_t tok,
                       bool placeholders)
{
    const sc_tok *t = &p->toks.items[tok];

    switch (t->kind) {
    case SC_TOK_TEXT:
        return print_text(at, p, tok, placeholders);
    case SC_TOK_STAR:
        *at++ = '*';
        return at;
    case SC_TOK_ANY:
        *at++ = '?';
        return at;
    case SC_TOK_PLACEHOLDER:
        *at++ = '%';
        memcpy(at, t->text.ptr, t->text.len);
        at += t->text.len;
        *at++ = '%';
        return at;
    }
    return at;
}

/* Parses back with placeholders exactly when the pattern has some. */
sg_str sc_pattern_print(sg_arena *arena, const sc_pattern *p)
{
    const bool placeholders = sc_pattern_has_placeholder(p);
    size_t bound = 1;
    char *text, *at;

    for (uint32_t i = 0; i < p->toks.count; i++)
        bound += 2 * p->toks.items[i].text.len + 2;
    text = at = sg_arena_alloc(arena, bound, 1);
    for (uint32_t i = 0; i < p->toks.count; i++)
        at = print_tok(at, p, i, placeholders);
    return (sg_str){text, (size_t)(at - text)};
}

bool sc_pattern_has_wildcard(const sc_pattern *p)
{
    for (uint32_t i = 0; i < p->toks.count; i++)
        if (p->toks.items[i].kind == SC_TOK_STAR ||
            p->toks.items[i].kind == SC_TOK_ANY)
            return true;
    return false;
}

bool sc_pattern_has_placeholder(const sc_pattern *p)
{
    for (uint32_t i = 0; i < p->toks.count; i++)
        if (p->toks.items[i].kind == SC_TOK_PLACEHOLDER)
            return true;
    return false;
}

sc_pattern sc_pattern_text(sc_session *s, sg_str text)
{
    sc_pattern out = {0};

    if (text.len > 0)
        SG_PUSH(&s->arena, &out.toks, ((sc_tok){SC_TOK_TEXT, text}));
    return out;
}

void sc_pattern_add(sc_session *s, sc_pattern *p, sc_tok tok)
{
    sc_tok *last =
        p->toks.count == 0 ? NULL : &p->toks.items[p->toks.count - 1];
    char *joined;

    if (tok.kind == SC_TOK_TEXT && tok.text.len == 0)
        return;
    if (last == NULL || last->kind != SC_TOK_TEXT || tok.kind != SC_TOK_TEXT) {
        SG_PUSH(&s->arena, &p->toks, tok);
        return;
    }
    joined = sg_arena_alloc(&s->arena, last->text.len + tok.text.len, 1);
    memcpy(joined, last->text.ptr, last->text.len);
    memcpy(joined + last->text.len, tok.text.ptr, tok.text.len);
    last->text = (sg_str){joined, last->text.len + tok.text.len};
}
