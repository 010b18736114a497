/*
 * value.c - how the values of a detection relate: which covers which, which
 * exclude each other. Answers are safe: in doubt, values are unrelated.
 */
#include "report/pass.h"

#include <arpa/inet.h>
#include <string.h>

/* -------- text ------------------------------------------------------------ */

/* A value as text with stars. */
typedef struct shape {
    const sc_tok *toks;
    uint32_t count;
} shape;

static bool has_text(const sc_value *v)
{
    return v->kind == SC_V_STRING || v->kind == SC_V_NUM;
}

static sg_str fold(sc_lint *l, sg_str text)
{
    char *out = sg_arena_alloc(l->tmp, sg_fold_bound(text.len) + 1, 1);

    return (sg_str){out, sg_fold(out, text)};
}

static void prepare(sc_lint *l, const sc_value *v, sc_lint_value *out)
{
    const uint32_t count = v->pattern.toks.count;
    char number[SG_NUM_TEXT];
    sc_tok *toks;

    out->v = v;
    if (v->kind == SC_V_NUM) {
        const sg_str text = {number, sg_num_text(v->num, number)};

        toks = sg_new(l->tmp, sc_tok);
        *toks = (sc_tok){SC_TOK_TEXT, sg_arena_dup(l->tmp, text)};
        out->raw = out->folded = toks;
        out->count = 1;
        return;
    }
    if (v->kind != SC_V_STRING)
        return;
    toks = sg_new_n(l->tmp, sc_tok, count);
    for (uint32_t i = 0; i < count; i++) {
        toks[i] = v->pattern.toks.items[i];
        if (toks[i].kind == SC_TOK_TEXT)
            toks[i].text = fold(l, toks[i].text);
        out->odd |= toks[i].kind == SC_TOK_PLACEHOLDER;
    }
    out->raw = v->pattern.toks.items;
    out->folded = toks;
    out->count = count;
}

sc_lint_value *sc_lint_prepare(sc_lint *l, const sc_value *values,
                               uint32_t count)
{
    sc_lint_value *out = sg_new_n(l->tmp, sc_lint_value, count);

    for (uint32_t i = 0; i < count; i++)
        prepare(l, &values[i], &out[i]);
    return out;
}

static bool is_kind(const shape *p, uint32_t i, sc_tok_kind kind)
{
    return i < p->count && p->toks[i].kind == kind;
}

/* Text of a pattern without wildcards. */
static bool is_exact(const shape *p, sg_str *text)
{
    *text = p->count == 0 ? SG_S("") : p->toks[0].text;
    return p->count == 0 || (p->count == 1 && is_kind(p, 0, SC_TOK_TEXT));
}

static bool any_contains(const shape *p, sg_str text)
{
    for (uint32_t i = 0; i < p->count; i++)
        if (p->toks[i].kind == SC_TOK_TEXT &&
            sg_str_find(p->toks[i].text, text) != SIZE_MAX)
            return true;
    return false;
}

static bool same_shape(const shape *a, const shape *b)
{
    if (a->count != b->count)
        return false;
    for (uint32_t i = 0; i < a->count; i++)
        if (a->toks[i].kind != b->toks[i].kind ||
            !sg_str_eq(a->toks[i].text, b->toks[i].text))
            return false;
    return true;
}

/* a is one literal with stars at either end, or nothing but a star. */
static bool shape_covers(const shape *a, const shape *b)
{
    const bool open = is_kind(a, 0, SC_TOK_STAR);
    const bool close = a->count > 0 && is_kind(a, a->count - 1, SC_TOK_STAR);
    const uint32_t inner = a->count - open - (close && a->count > 1);
    sg_str text;

    if (same_shape(a, b))
        return true;
    if (a->count == 1 && open)
        return true;
    if (inner != 1 || !is_kind(a, open, SC_TOK_TEXT) || b->count == 0)
        return false;
    text = a->toks[open].text;
    if (open && close)
        return any_contains(b, text);
    if (open)
        return is_kind(b, b->count - 1, SC_TOK_TEXT) &&
               sg_str_ends(b->toks[b->count - 1].text, text);
    return close && is_kind(b, 0, SC_TOK_TEXT) &&
           sg_str_starts(b->toks[0].text, text);
}

static bool text_covers(const sc_lint_value *a, const sc_lint_value *b)
{
    const bool cased = a->v->cased;
    const shape x = {cased ? a->raw : a->folded, a->count};
    const shape y = {cased ? b->raw : b->folded, b->count};

    return (!cased || b->v->cased) && !a->odd && !b->odd &&
           shape_covers(&x, &y);
}

/* -------- text that excludes text ----------------------------------------- */

/* Whether the pattern, a list of literals and stars, matches text. */
static bool glob(const shape *p, sg_str text)
{
    size_t pos = 0, star_pos = 0;
    uint32_t i = 0, star = UINT32_MAX;

    for (;;) {
        const sc_tok *tok = i < p->count ? &p->toks[i] : NULL;

        if (tok == NULL && pos == text.len)
            return true;
        if (tok != NULL && tok->kind == SC_TOK_STAR) {
            star = i++;
            star_pos = pos;
        } else if (tok != NULL && tok->kind == SC_TOK_ANY && pos < text.len) {
            sg_utf8_next(text, &pos);
            i++;
        } else if (tok != NULL && tok->kind == SC_TOK_TEXT &&
                   sg_str_starts(sg_str_sub(text, pos, text.len), tok->text)) {
            pos += tok->text.len;
            i++;
        } else if (star != UINT32_MAX && star_pos < text.len) {
            pos = ++star_pos;
            i = star + 1;
        } else {
            return false;
        }
    }
}

/* Literals at the same end that disagree. */
static bool ends_differ(const shape *a, const shape *b)
{
    const uint32_t x = a->count - 1, y = b->count - 1;
    sg_str s, t;

    if (is_kind(a, 0, SC_TOK_TEXT) && is_kind(b, 0, SC_TOK_TEXT)) {
        s = a->toks[0].text;
        t = b->toks[0].text;
        if (!sg_str_starts(s, t) && !sg_str_starts(t, s))
            return true;
    }
    if (!is_kind(a, x, SC_TOK_TEXT) || !is_kind(b, y, SC_TOK_TEXT))
        return false;
    s = a->toks[x].text;
    t = b->toks[y].text;
    return !sg_str_ends(s, t) && !sg_str_ends(t, s);
}

static bool text_excludes(const sc_lint_value *a, const sc_lint_value *b)
{
    const shape x = {a->folded, a->count}, y = {b->folded, b->count};
    sg_str text;

    if (a->odd || b->odd)
        return false;
    if (is_exact(&x, &text))
        return !glob(&y, text);
    if (is_exact(&y, &text))
        return !glob(&x, text);
    return ends_differ(&x, &y);
}

/* -------- numbers --------------------------------------------------------- */

static bool is_upper(sigma_cmp cmp)
{
    return cmp == SIGMA_CMP_LT || cmp == SIGMA_CMP_LTE;
}

static bool is_lower(sigma_cmp cmp)
{
    return cmp == SIGMA_CMP_GT || cmp == SIGMA_CMP_GTE;
}

static bool ranges_exclude(const sc_value *a, const sc_value *b)
{
    const sc_value *low = is_lower(a->cmp) ? a : b;
    const sc_value *high = low == a ? b : a;
    int order;

    if (!is_lower(low->cmp) || !is_upper(high->cmp))
        return false;
    order = sg_num_cmp(low->num, high->num);
    return order > 0 || (order == 0 && (low->cmp == SIGMA_CMP_GT ||
                                        high->cmp == SIGMA_CMP_LT));
}

/* Each number of b's range is in a's. */
static bool range_covers(const sc_value *a, const sc_value *b)
{
    const int order = sg_num_cmp(a->num, b->num);

    if (is_upper(a->cmp) && is_upper(b->cmp))
        return order > 0 || (order == 0 && (a->cmp == SIGMA_CMP_LTE ||
                                            b->cmp == SIGMA_CMP_LT));
    if (is_lower(a->cmp) && is_lower(b->cmp))
        return order < 0 || (order == 0 && (a->cmp == SIGMA_CMP_GTE ||
                                            b->cmp == SIGMA_CMP_GT));
    return false;
}

/* -------- networks -------------------------------------------------------- */

typedef struct network {
    int family;
    unsigned char bytes[16];
    unsigned bits;
} network;

static bool read_network(sg_str text, network *out)
{
    char copy[64];
    char *slash;

    if (text.len >= sizeof copy)
        return false;
    memcpy(copy, text.ptr, text.len);
    copy[text.len] = '\0';
    slash = strchr(copy, '/');
    if (slash == NULL)
        return false;
    *slash++ = '\0';
    out->bits = 0;
    for (; *slash >= '0' && *slash <= '9' && out->bits < 1000; slash++)
        out->bits = out->bits * 10 + (unsigned)(*slash - '0');
    out->family = strchr(copy, ':') != NULL ? AF_INET6 : AF_INET;
    return inet_pton(out->family, copy, out->bytes) == 1 &&
           out->bits <= (out->family == AF_INET ? 32 : 128);
}

static bool same_prefix(const network *a, const network *b, unsigned bits)
{
    for (unsigned i = 0; i < bits; i++)
        if (((a->bytes[i / 8] ^ b->bytes[i / 8]) >> (7 - i % 8) & 1) != 0)
            return false;
    return true;
}

static bool networks_relate(const sc_value *a, const sc_value *b, bool covers)
{
    network x, y;

    if (!read_network(a->text, &x) || !read_network(b->text, &y))
        return false;
    if (x.family != y.family)
        return !covers;
    if (covers)
        return x.bits <= y.bits && same_prefix(&x, &y, x.bits);
    return !same_prefix(&x, &y, x.bits < y.bits ? x.bits : y.bits);
}

/* -------- values ---------------------------------------------------------- */

static bool same_regex(const sc_value *a, const sc_value *b)
{
    const shape x = {a->pattern.toks.items, a->pattern.toks.count};
    const shape y = {b->pattern.toks.items, b->pattern.toks.count};

    return a->re_flags == b->re_flags && same_shape(&x, &y);
}

/* Values of one kind that are no text. */
static bool kind_covers(const sc_value *a, const sc_value *b)
{
    switch (a->kind) {
    case SC_V_NULL:
        return true;
    case SC_V_BOOL:
    case SC_V_EXISTS:
        return a->boolean == b->boolean;
    case SC_V_REGEX:
        return same_regex(a, b);
    case SC_V_CIDR:
        return networks_relate(a, b, true);
    case SC_V_COMPARE:
        return range_covers(a, b);
    case SC_V_FIELDREF:
        return a->ref_kind == b->ref_kind && a->cased == b->cased &&
               sg_str_eq(a->text, b->text);
    case SC_V_TIMEPART:
        return a->part == b->part && a->cmp == b->cmp &&
               sg_num_cmp(a->num, b->num) == 0;
    case SC_V_NUM:
    case SC_V_STRING:
    case SC_V_EXPANSION:
        break;
    }
    return false;
}

static bool is_anything(const sc_value *v)
{
    return v->kind == SC_V_STRING && v->pattern.toks.count == 1 &&
           v->pattern.toks.items[0].kind == SC_TOK_STAR;
}

bool sc_lint_covers(const sc_lint_value *x, const sc_lint_value *y)
{
    const sc_value *a = x->v, *b = y->v;

    if (has_text(a) && has_text(b))
        return text_covers(x, y);
    if (a->kind == SC_V_COMPARE && b->kind == SC_V_NUM)
        return sg_num_holds(b->num, a->cmp, a->num);
    if (is_anything(a))
        return b->kind == SC_V_REGEX || b->kind == SC_V_CIDR ||
               b->kind == SC_V_COMPARE || b->kind == SC_V_BOOL;
    return a->kind == b->kind && kind_covers(a, b);
}

/* Texts that cover each other are the same tokens: no other literal with stars
 * holds one that holds it. */
static bool same_text(const sc_lint_value *a, const sc_lint_value *b)
{
    const bool cased = a->v->cased;
    const shape x = {cased ? a->raw : a->folded, a->count};
    const shape y = {cased ? b->raw : b->folded, b->count};

    return cased == b->v->cased && !a->odd && !b->odd && same_shape(&x, &y);
}

bool sc_lint_same(const sc_lint_value *a, const sc_lint_value *b)
{
    if (has_text(a->v) && has_text(b->v))
        return same_text(a, b);
    return sc_lint_covers(a, b) && sc_lint_covers(b, a);
}

/* null holds where the field is absent or null, exists looks at presence. */
static bool absence_excludes(const sc_value *a, const sc_value *b)
{
    const bool null = b->kind == SC_V_NULL, exists = b->kind == SC_V_EXISTS;

    if (a->kind == SC_V_EXISTS)
        return exists ? a->boolean != b->boolean : !a->boolean && !null;
    return !null && !exists;
}

static bool is_absence(const sc_value *v)
{
    return v->kind == SC_V_NULL || v->kind == SC_V_EXISTS;
}

static bool range_excludes(const sc_value *range, const sc_value *number)
{
    return range->kind == SC_V_COMPARE && number->kind == SC_V_NUM &&
           !sg_num_holds(number->num, range->cmp, range->num);
}

bool sc_lint_excludes(const sc_lint_value *x, const sc_lint_value *y)
{
    const sc_value *a = x->v, *b = y->v;

    if (is_absence(a))
        return absence_excludes(a, b);
    if (is_absence(b))
        return absence_excludes(b, a);
    if (has_text(a) && has_text(b))
        return text_excludes(x, y);
    if (a->kind == SC_V_COMPARE && b->kind == SC_V_COMPARE)
        return ranges_exclude(a, b);
    if (a->kind == SC_V_CIDR && b->kind == SC_V_CIDR)
        return networks_relate(a, b, false);
    return range_excludes(a, b) || range_excludes(b, a);
}
