/*
 * encode.c - the modifiers that rewrite text: windash, base64, base64offset
 * and the UTF-16 family. Patterns are byte strings, NULs included. All output
 * is charged to the reader's budget before it is made.
 */
#include "sigma/modifier.h"

#include <string.h>

enum { TEXT_COST = sizeof(sc_value) + sizeof(sc_tok) };

/* -------- windash -------------------------------------------------------- */

static const sg_str dashes[] = {
    SG_LIT("-"),
    SG_LIT("/"),
    SG_LIT("\xE2\x80\x93"),
    SG_LIT("\xE2\x80\x94"),
    SG_LIT("\xE2\x80\x95"),
};

enum { DASH_COUNT = sizeof(dashes) / sizeof(*dashes) };

typedef struct flag_dash {
    uint32_t tok;
    size_t beg, end; /* in the token's text */
} flag_dash;

typedef struct flag_dashes {
    flag_dash at[SC_MAX_WINDASH];
    unsigned count;
    bool too_many;
} flag_dashes;

/* Letters, digits and underscore; beyond ASCII all but the blocks that hold
 * punctuation, symbols of Latin-1 among them. */
static bool is_word_cp(uint32_t cp)
{
    if (cp < 0x80)
        return (cp >= 'a' && cp <= 'z') || (cp >= 'A' && cp <= 'Z') ||
               (cp >= '0' && cp <= '9') || cp == '_';
    if (cp < 0xC0)
        return cp == 0xAA || cp == 0xB5 || cp == 0xBA;
    if (cp == 0xD7 || cp == 0xF7 || cp == 0xFEFF)
        return false;
    return !(cp >= 0x2000 && cp <= 0x206F) && !(cp >= 0x3000 && cp <= 0x303F) &&
           !(cp >= 0xFF00 && cp <= 0xFF0F);
}

static bool is_dash_cp(uint32_t cp)
{
    return cp == '-' || cp == '/' || (cp >= 0x2013 && cp <= 0x2015);
}

/* A flag dash has no word character before it and one behind. Each stretch
 * of text stands alone: a wildcard beside the dash is no word character. */
static void find_in_text(const sc_tok *tok, uint32_t index, flag_dashes *out)
{
    bool word_before = false;
    size_t pos = 0;

    while (pos < tok->text.len) {
        const size_t beg = pos;
        const uint32_t cp = sg_utf8_next(tok->text, &pos);
        size_t next = pos;

        if (is_dash_cp(cp) && !word_before && pos < tok->text.len &&
            is_word_cp(sg_utf8_next(tok->text, &next))) {
            if (out->count == SC_MAX_WINDASH) {
                out->too_many = true;
                return;
            }
            out->at[out->count++] = (flag_dash){index, beg, pos};
        }
        word_before = is_word_cp(cp);
    }
}

static void find_flags(const sc_pattern *p, flag_dashes *out)
{
    for (uint32_t i = 0; i < p->toks.count && !out->too_many; i++)
        if (p->toks.items[i].kind == SC_TOK_TEXT)
            find_in_text(&p->toks.items[i], i, out);
}

/* The token's text with its dashes chosen by the digits of `choice`; *used
 * digits were consumed by tokens before it. */
static sg_str choose(sc_session *s, const sc_tok *tok, uint32_t index,
                     const flag_dashes *flags, const unsigned *choice)
{
    char *out = sg_arena_alloc(&s->arena,
                               tok->text.len + 3 * (size_t)SC_MAX_WINDASH, 1);
    size_t len = 0, pos = 0;

    for (unsigned i = 0; i < flags->count; i++) {
        const flag_dash *f = &flags->at[i];
        const sg_str dash = dashes[choice[i]];

        if (f->tok != index)
            continue;
        memcpy(out + len, tok->text.ptr + pos, f->beg - pos);
        len += f->beg - pos;
        memcpy(out + len, dash.ptr, dash.len);
        len += dash.len;
        pos = f->end;
    }
    memcpy(out + len, tok->text.ptr + pos, tok->text.len - pos);
    return (sg_str){out, len + tok->text.len - pos};
}

static sc_value alternative(sc_session *s, const sc_value *v,
                            const flag_dashes *flags, const unsigned *choice)
{
    sc_value out = *v;

    out.pattern = (sc_pattern){0};
    for (uint32_t i = 0; i < v->pattern.toks.count; i++) {
        sc_tok tok = v->pattern.toks.items[i];

        if (tok.kind == SC_TOK_TEXT)
            tok.text = choose(s, &tok, i, flags, choice);
        SG_PUSH(&s->arena, &out.pattern.toks, tok);
    }
    return out;
}

/* Count up in base DASH_COUNT; false on overflow to zero. */
static bool next_choice(unsigned *choice, unsigned count)
{
    for (unsigned i = count; i-- > 0;) {
        if (++choice[i] < DASH_COUNT)
            return true;
        choice[i] = 0;
    }
    return false;
}

static uint64_t pattern_cost(const sc_pattern *p)
{
    uint64_t cost = TEXT_COST;

    for (uint32_t i = 0; i < p->toks.count; i++)
        cost += p->toks.items[i].text.len + 2 * sizeof(sc_tok) +
                UINT64_C(3) * SC_MAX_WINDASH;
    return cost;
}

bool sc_mod_windash(sc_chain *c, int arg, sc_value *v)
{
    sc_session *s = c->r->s;
    flag_dashes flags = {0};
    unsigned choice[SC_MAX_WINDASH] = {0};
    sc_value any = {.kind = SC_V_EXPANSION, .at = v->at};
    uint64_t count = 1;

    (void)arg;
    find_flags(&v->pattern, &flags);
    if (flags.too_many)
        return sc_error(s, SC_E0213, v->at,
                        "the value has more than %d flags for 'windash'",
                        SC_MAX_WINDASH);
    if (flags.count == 0)
        return true;
    for (unsigned i = 0; i < flags.count; i++)
        count *= DASH_COUNT;
    if (!sc_chain_charge(c, count * pattern_cost(&v->pattern)))
        return false;
    do
        SG_PUSH(&s->arena, &any.kids, alternative(s, v, &flags, choice));
    while (next_choice(choice, flags.count));
    *v = any;
    return true;
}

/* -------- base64 --------------------------------------------------------- */

/* Base64, without padding, of `skip` zero bytes followed by the text. */
static void put_base64(sg_buf *out, sg_str text, size_t skip)
{
    sg_buf bytes = {0};

    while (skip-- != 0)
        sg_buf_putc(&bytes, '\0');
    sg_buf_put(&bytes, text);
    sg_put_base64(out, sg_buf_str(&bytes));
    sg_buf_free(&bytes);
}

static sg_str base64_padded(sc_session *s, sg_str text)
{
    sg_buf out = {0};

    put_base64(&out, text, 0);
    while (out.len % 4 != 0)
        sg_buf_putc(&out, '=');
    const sg_str all = sg_arena_dup(&s->arena, sg_buf_str(&out));

    sg_buf_free(&out);
    return all;
}

bool sc_mod_base64(sc_chain *c, int arg, sc_value *v)
{
    sg_str text;

    (void)arg;
    if (!sc_chain_plain(c, v, "cannot encode", &text) ||
        !sc_chain_charge(c, TEXT_COST + text.len * 2))
        return false;
    v->pattern = sc_pattern_text(c->r->s, base64_padded(c->r->s, text));
    return true;
}

/* The part of the Base64 text that any neighbours leave alone when `skip`
 * bytes precede the value in its group of three: a digit that it shares with
 * what follows is cut off. */
static sg_str base64_stable(sc_session *s, sg_str text, size_t skip)
{
    static const size_t head[] = {0, 2, 3};
    const size_t tail = (text.len + skip) % 3 == 0 ? 0 : 1;
    sg_buf all = {0};

    put_base64(&all, text, skip);
    const sg_str stable = sg_arena_dup(
        &s->arena, sg_str_sub(sg_buf_str(&all), head[skip], all.len - tail));

    sg_buf_free(&all);
    return stable;
}

bool sc_mod_base64offset(sc_chain *c, int arg, sc_value *v)
{
    sc_session *s = c->r->s;
    sc_value any = {.kind = SC_V_EXPANSION, .at = v->at};
    sg_str text;

    (void)arg;
    if (!sc_chain_plain(c, v, "cannot encode", &text))
        return false;
    if (text.len < 2) {
        sc_error(s, SC_E0205, v->at,
                 "the value is too short for 'base64offset'");
        return false;
    }
    if (!sc_chain_charge(c, 3 * (TEXT_COST + text.len * 2)))
        return false;
    for (size_t skip = 0; skip < 3; skip++) {
        sc_value kid = *v;

        kid.pattern = sc_pattern_text(s, base64_stable(s, text, skip));
        SG_PUSH(&s->arena, &any.kids, kid);
    }
    *v = any;
    return true;
}

/* -------- UTF-16 --------------------------------------------------------- */

static unsigned char *put_unit(unsigned char *at, uint32_t unit, bool big)
{
    const unsigned char low = (unsigned char)(unit & 0xFF);
    const unsigned char high = (unsigned char)(unit >> 8 & 0xFF);

    *at++ = big ? high : low;
    *at++ = big ? low : high;
    return at;
}

static sg_str utf16_text(sc_session *s, sg_str text, bool big, bool bom)
{
    unsigned char *out = sg_arena_alloc(&s->arena, 2 * text.len + 2, 1);
    unsigned char *at = out;
    size_t pos = 0;

    if (bom)
        at = put_unit(at, 0xFEFF, big);
    while (pos < text.len) {
        const uint32_t cp = sg_utf8_next(text, &pos);

        if (cp < 0x10000) {
            at = put_unit(at, cp, big);
            continue;
        }
        at = put_unit(at, 0xD800 + ((cp - 0x10000) >> 10 & 0x3FF), big);
        at = put_unit(at, 0xDC00 + ((cp - 0x10000) & 0x3FF), big);
    }
    return (sg_str){(const char *)out, (size_t)(at - out)};
}

static bool check_utf16(sc_chain *c, const sc_tok *tok)
{
    switch (tok->kind) {
    case SC_TOK_TEXT:
        if (sg_utf8_valid(tok->text))
            return true;
        return sc_error(c->r->s, SC_E0202, c->at,
                        "'%.*s' needs text, '%.*s' before it gave bytes",
                        SG_FMT(c->name), SG_FMT(c->before));
    case SC_TOK_STAR:
        return true;
    case SC_TOK_ANY:
    case SC_TOK_PLACEHOLDER:
        break;
    }
    sc_error(c->r->s, SC_E0204, c->value->span, "'%.*s' cannot encode %s",
             SG_FMT(c->name),
             tok->kind == SC_TOK_ANY ? "the wildcard '?'" : "a placeholder");
    sc_hint(c->r->s, tok->kind == SC_TOK_ANY ? "for a question mark write \\?"
                                             : "remove 'expand'");
    return false;
}

bool sc_mod_utf16(sc_chain *c, int arg, sc_value *v)
{
    bool bom = arg == UTF16_BOM;

    if (c->utf16)
        return sc_error(c->r->s, SC_E0202, c->at,
                        "'%.*s' is a second UTF-16 encoding", SG_FMT(c->name));
    for (uint32_t i = 0; i < v->pattern.toks.count; i++) {
        sc_tok *tok = &v->pattern.toks.items[i];

        if (!check_utf16(c, tok) ||
            !sc_chain_charge(c, TEXT_COST + 2 * tok->text.len))
            return false;
        if (tok->kind != SC_TOK_TEXT)
            continue;
        tok->text = utf16_text(c->r->s, tok->text, arg == UTF16_BE, bom);
        bom = false;
    }
    return true;
}
