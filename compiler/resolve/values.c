/*
 * values.c - values, detections and conditions as things to copy, compare and
 * turn into text: what pipelines need and the reader does not.
 */
#include "resolve/pipeline.h"

#include <string.h>

/* -------- text of patterns ------------------------------------------------ */

static bool is_wildcard(char c)
{
    return c == '*' || c == '?';
}

static void put_text(sg_buf *buf, sg_str text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (is_wildcard(text.ptr[i]))
            sg_buf_putc(buf, '\\');
        sg_buf_putc(buf, text.ptr[i]);
    }
}

static sg_str take_buf(sg_arena *arena, sg_buf *buf)
{
    sg_str text = sg_arena_dup(arena, sg_buf_str(buf));
    sg_buf_free(buf);
    return text;
}

sg_str sc_plain(sg_arena *arena, const sc_pattern *p)
{
    sg_buf buf = {0};

    for (uint32_t i = 0; i < p->toks.count; i++) {
        const sc_tok *tok = &p->toks.items[i];
        switch (tok->kind) {
        case SC_TOK_TEXT:
            put_text(&buf, tok->text);
            break;
        case SC_TOK_STAR:
            sg_buf_putc(&buf, '*');
            break;
        case SC_TOK_ANY:
            sg_buf_putc(&buf, '?');
            break;
        case SC_TOK_PLACEHOLDER:
            sg_buf_putc(&buf, '%');
            sg_buf_put(&buf, tok->text);
            sg_buf_putc(&buf, '%');
            break;
        }
    }
    return take_buf(arena, &buf);
}

sg_str sc_regex_text(sg_arena *arena, const sc_pattern *p)
{
    sg_buf buf = {0};

    for (uint32_t i = 0; i < p->toks.count; i++) {
        if (p->toks.items[i].kind == SC_TOK_TEXT)
            sg_buf_put(&buf, p->toks.items[i].text);
    }
    return take_buf(arena, &buf);
}

static void add_text(sc_session *s, sc_pattern *p, sg_str text)
{
    if (text.len != 0)
        sc_pattern_add(s, p, (sc_tok){SC_TOK_TEXT, text});
}

/* Length of `%name%` at the start of text, or 0. */
static size_t placeholder_len(sg_str text)
{
    if (text.len < 3 || text.ptr[0] != '%')
        return 0;
    const char *end = memchr(text.ptr + 1, '%', text.len - 1);
    if (end == NULL || end == text.ptr + 1)
        return 0;
    return (size_t)(end - text.ptr) + 1;
}

/* Read backslashes and the wildcard behind them at `*pos`: the last backslash
 * makes the wildcard literal, others are themselves. */
static void parse_special(sc_session *s, sg_str text, size_t *pos,
                          sc_pattern *out)
{
    const size_t beg = *pos;

    while (text.ptr[*pos] == '\\')
        (*pos)++;
    const sg_str special = sg_str_sub(text, *pos, *pos + 1);
    if (*pos > beg) {
        add_text(s, out, sg_str_sub(text, beg, *pos - 1));
        add_text(s, out, special);
    } else {
        const bool star = special.ptr[0] == '*';
        sc_pattern_add(s, out, (sc_tok){star ? SC_TOK_STAR : SC_TOK_ANY, {0}});
    }
    (*pos)++;
}

/* Where the plain text that begins at `pos` ends. */
static size_t plain_end(sg_str text, size_t pos, bool placeholders)
{
    for (; pos < text.len; pos++) {
        const char c = text.ptr[pos];
        if (is_wildcard(c))
            return pos;
        if (c == '%' && placeholders &&
            placeholder_len(sg_str_sub(text, pos, text.len)) != 0)
            return pos;
        if (c != '\\')
            continue;
        size_t end = pos;
        while (end < text.len && text.ptr[end] == '\\')
            end++;
        if (end < text.len && is_wildcard(text.ptr[end]))
            return pos;
        pos = end - 1;
    }
    return pos;
}

void sc_plain_parse(sc_session *s, sg_str text, bool placeholders,
                    sc_pattern *out)
{
    size_t pos = 0;

    while (pos < text.len) {
        size_t end = plain_end(text, pos, placeholders);
        if (end != pos) {
            add_text(s, out, sg_str_sub(text, pos, end));
            pos = end;
        } else if (text.ptr[pos] == '%') {
            size_t len = placeholder_len(sg_str_sub(text, pos, text.len));
            sg_str name = sg_str_sub(text, pos + 1, pos + len - 1);
            sc_pattern_add(s, out, (sc_tok){SC_TOK_PLACEHOLDER, name});
            pos += len;
        } else {
            parse_special(s, text, &pos, out);
        }
    }
}

bool sc_pattern_same(const sc_pattern *a, const sc_pattern *b)
{
    if (a->toks.count != b->toks.count)
        return false;
    for (uint32_t i = 0; i < a->toks.count; i++) {
        const sc_tok *x = &a->toks.items[i], *y = &b->toks.items[i];
        if (x->kind != y->kind)
            return false;
        if ((x->kind == SC_TOK_TEXT || x->kind == SC_TOK_PLACEHOLDER) &&
            !sg_str_eq(x->text, y->text))
            return false;
    }
    return true;
}

/* -------- values ---------------------------------------------------------- */

sg_str sc_num_str(sg_arena *arena, sg_num n)
{
    char text[SG_NUM_TEXT];
    size_t len = sg_num_text(n, text);
    return sg_arena_dup(arena, (sg_str){text, len});
}

sc_value sc_value_of(sc_session *s, const sc_y *y)
{
    sc_value v = {.kind = SC_V_NULL, .at = y->span};

    switch (y->kind) {
    case SC_Y_STR:
        v.kind = SC_V_STRING;
        sc_pattern_parse(s, y->text, false, &v.pattern);
        break;
    case SC_Y_NUM:
        v.kind = SC_V_NUM;
        v.num = y->num;
        break;
    case SC_Y_BOOL:
        v.kind = SC_V_BOOL;
        v.boolean = y->boolean;
        break;
    case SC_Y_NULL:
    case SC_Y_SEQ:
    case SC_Y_MAP:
        break;
    }
    return v;
}

bool sc_value_same(const sc_value *a, const sc_value *b)
{
    if (a->kind != b->kind)
        return false;
    switch (a->kind) {
    case SC_V_NULL:
        return true;
    case SC_V_BOOL:
        return a->boolean == b->boolean;
    case SC_V_NUM:
        return sg_num_cmp(a->num, b->num) == 0;
    case SC_V_STRING:
        return sc_pattern_same(&a->pattern, &b->pattern);
    case SC_V_REGEX:
    case SC_V_CIDR:
    case SC_V_COMPARE:
    case SC_V_FIELDREF:
    case SC_V_EXISTS:
    case SC_V_TIMEPART:
    case SC_V_EXPANSION:
        break;
    }
    return false;
}

sc_value sc_string_value(const sc_value *like, sc_pattern pattern)
{
    return (sc_value){.kind = SC_V_STRING,
                      .at = like->at,
                      .cased = like->kind == SC_V_STRING && like->cased,
                      .pattern = pattern};
}

/* -------- copies ---------------------------------------------------------- */

sc_value sc_value_copy(sg_arena *arena, const sc_value *v)
{
    sc_value copy = *v;

    copy.pattern = (sc_pattern){0};
    for (uint32_t i = 0; i < v->pattern.toks.count; i++)
        SG_PUSH(arena, &copy.pattern.toks, v->pattern.toks.items[i]);
    copy.kids.items = NULL;
    copy.kids.count = copy.kids.cap = 0;
    for (uint32_t i = 0; i < v->kids.count; i++) {
        sc_value kid = sc_value_copy(arena, &v->kids.items[i]);
        SG_PUSH(arena, &copy.kids, kid);
    }
    return copy;
}

static void copy_applied(sg_arena *arena, const sc_applied *from,
                         sc_applied *to)
{
    *to = (sc_applied){0};
    for (uint32_t i = 0; i < from->ids.count; i++)
        SG_PUSH(arena, &to->ids, from->ids.items[i]);
}

sc_item *sc_item_copy(sg_arena *arena, const sc_item *item)
{
    sc_item *copy = sg_new(arena, sc_item);

    *copy = *item; /* modifiers are never changed: shared */
    copy->values.items = NULL;
    copy->values.count = copy->values.cap = 0;
    for (uint32_t i = 0; i < item->values.count; i++) {
        sc_value v = sc_value_copy(arena, &item->values.items[i]);
        SG_PUSH(arena, &copy->values, v);
    }
    copy_applied(arena, &item->applied, &copy->applied);
    copy_applied(arena, &item->field_applied, &copy->field_applied);
    return copy;
}

sc_det *sc_det_leaf(sg_arena *arena, sc_item *item)
{
    sc_det *det = sg_new(arena, sc_det);

    det->kind = SC_DET_ITEM;
    det->at = item->at;
    det->item = item;
    return det;
}

sc_det *sc_det_group(sg_arena *arena, sc_det_kind kind, sc_span at)
{
    sc_det *det = sg_new(arena, sc_det);

    det->kind = kind;
    det->at = at;
    return det;
}

sc_det *sc_det_copy(sg_arena *arena, const sc_det *det)
{
    if (det->kind == SC_DET_ITEM) {
        sc_det *leaf = sc_det_leaf(arena, sc_item_copy(arena, det->item));
        leaf->at = det->at;
        return leaf;
    }
    sc_det *copy = sc_det_group(arena, det->kind, det->at);
    for (uint32_t i = 0; i < det->kids.count; i++) {
        sc_det *kid = sc_det_copy(arena, det->kids.items[i]);
        SG_PUSH(arena, &copy->kids, kid);
    }
    return copy;
}

sc_cond *sc_cond_new(sg_arena *arena, sc_cond_kind kind, sc_span at)
{
    sc_cond *cond = sg_new(arena, sc_cond);

    cond->kind = kind;
    cond->at = at;
    return cond;
}

sc_cond *sc_cond_copy(sg_arena *arena, const sc_cond *cond, uint32_t space)
{
    sc_cond *copy = sg_new(arena, sc_cond);

    *copy = *cond;
    copy->space = space;
    copy->kids.items = NULL;
    copy->kids.count = copy->kids.cap = 0;
    for (uint32_t i = 0; i < cond->kids.count; i++) {
        sc_cond *kid = sc_cond_copy(arena, cond->kids.items[i], space);
        SG_PUSH(arena, &copy->kids, kid);
    }
    return copy;
}
