/*
 * item.c - an entry of a selection: `field|modifiers: values`, or keywords.
 * Splits the key, takes each value through the modifiers, and checks what came
 * out.
 */
#include "sigma/modifier.h"

typedef struct uses {
    sc_mod_use list[SC_MAX_MODIFIERS];
    uint32_t count;
} uses;

/* -------- keys ----------------------------------------------------------- */

static bool read_use(sc_reader *r, const sc_y *key, size_t beg, size_t end,
                     uses *out)
{
    const sg_str name = sg_str_sub(key->text, beg, end);
    const sc_span at = sc_y_subspan(key, beg, end);
    const sc_modifier *mod = sc_mod_find(r, name, at);

    if (mod == NULL)
        return false;
    if (out->count == SC_MAX_MODIFIERS)
        return sc_error(r->s, SC_E0213, at, "more than %d modifiers",
                        SC_MAX_MODIFIERS);
    out->list[out->count++] = (sc_mod_use){mod, name, at};
    return true;
}

/* Split `field|modifier|...`. */
static bool read_key(sc_reader *r, const sc_y *key, sc_item *item, uses *out)
{
    const sg_str text = key->text;
    size_t beg = 0, end = 0;

    for (bool first = true; first || beg <= text.len; first = false) {
        for (end = beg; end < text.len && text.ptr[end] != '|';)
            end++;
        if (first)
            item->field = sg_str_sub(text, beg, end);
        else if (!read_use(r, key, beg, end, out))
            return false;
        beg = end + 1;
    }
    item->has_field = item->field.len > 0;
    for (uint32_t i = 0; i < out->count; i++)
        SG_PUSH(&r->s->arena, &item->modifiers, out->list[i].name);
    if (item->has_field || out->count > 0)
        return true;
    return sc_error(r->s, SC_E0209, key->span, "the field name is empty");
}

/* -------- values --------------------------------------------------------- */

static sc_value new_value(sc_reader *r, const sc_y *y)
{
    sc_value v = {.at = y->span};

    switch (y->kind) {
    case SC_Y_BOOL:
        v.kind = SC_V_BOOL;
        v.boolean = y->boolean;
        break;
    case SC_Y_NUM:
        v.kind = SC_V_NUM;
        v.num = y->num;
        break;
    case SC_Y_STR:
        v.kind = SC_V_STRING;
        sc_pattern_parse(r->s, y->text, false, &v.pattern);
        break;
    case SC_Y_NULL:
    case SC_Y_SEQ: /* the empty list: null; others never come here */
    case SC_Y_MAP:
        v.kind = SC_V_NULL;
        break;
    }
    return v;
}

static bool check_regex(sc_chain *c, const sc_value *v)
{
    char reason[128] = "";
    size_t offset = 0;
    const sg_str text =
        v->pattern.toks.count == 0 ? SG_S("") : v->pattern.toks.items[0].text;

    if (sc_pattern_has_placeholder(&v->pattern) ||
        sc_regex_check(text, v->re_flags, reason, &offset))
        return true;
    if (offset > c->value->text.len)
        offset = c->value->text.len;
    sc_error(c->r->s, SC_E0206,
             sc_y_subspan(c->value, offset < text.len ? offset : 0,
                          offset < text.len ? offset + 1 : text.len),
             "invalid regex: %s", reason);
    return false;
}

/* UTF-16 bytes that no event can hold, because its text is UTF-8. */
static bool check_text(sc_chain *c, const sc_value *v)
{
    for (uint32_t i = 0; i < v->kids.count; i++)
        if (!check_text(c, &v->kids.items[i]))
            return false;
    for (uint32_t i = 0; i < v->pattern.toks.count; i++)
        if (!sg_utf8_valid(v->pattern.toks.items[i].text)) {
            sc_error(c->r->s, SC_E0214, c->value->span,
                     "as UTF-16 the value is not text");
            return false;
        }
    return true;
}

static void check_time_part(sc_chain *c, const sc_value *v)
{
    static const int64_t low[] = {0, 0, 1, 1, 1, 0};
    static const int64_t high[] = {59, 23, 31, 53, 12, 9999};
    const sg_num min = {SIGMA_INT, {.i = low[v->part]}};
    const sg_num max = {SIGMA_INT, {.i = high[v->part]}};

    if (sg_num_cmp(v->num, min) < 0 || sg_num_cmp(v->num, max) > 0)
        sc_warn(c->r->s, SC_W0202, c->value->span,
                "'%.*s' runs from %lld to %lld", SG_FMT(c->name),
                (long long)low[v->part], (long long)high[v->part]);
}

static bool check_keyword(sc_chain *c, const sc_value *v)
{
    switch (v->kind) {
    case SC_V_STRING:
    case SC_V_NUM:
    case SC_V_REGEX:
    case SC_V_EXPANSION:
        return true;
    case SC_V_NULL:
    case SC_V_BOOL:
    case SC_V_CIDR:
    case SC_V_COMPARE:
    case SC_V_FIELDREF:
    case SC_V_EXISTS:
    case SC_V_TIMEPART:
        break;
    }
    return sc_error(c->r->s, SC_E0212, c->value->span, "%s cannot be a keyword",
                    sc_value_kind_name(v->kind));
}

static bool check_value(sc_chain *c, const sc_value *v)
{
    if (!c->item->has_field && !check_keyword(c, v))
        return false;
    if (v->kind == SC_V_REGEX && !check_regex(c, v))
        return false;
    if (v->kind == SC_V_TIMEPART && v->cmp == SIGMA_CMP_EQ)
        check_time_part(c, v);
    if (v->kind == SC_V_NULL && c->value_count > 1)
        sc_warn(c->r->s, SC_W0201, c->value->span,
                "null in a list also matches where the field is missing");
    return !c->utf16 || check_text(c, v);
}

static bool read_value(sc_reader *r, sc_item *item, const uses *u,
                       const sc_y *y, uint32_t count)
{
    sc_chain c = {.r = r, .item = item, .value = y, .value_count = count};
    sc_value v;

    if (y->kind == SC_Y_MAP || (y->kind == SC_Y_SEQ && y->count > 0))
        return sc_error(r->s, SC_E0210, y->span,
                        "%s cannot be a value of '%.*s'", sc_y_kind_name(y),
                        SG_FMT(sc_show(r->s, item->field)));
    v = new_value(r, y);
    c.raw = v.kind == SC_V_STRING;
    if (!sc_chain_charge(&c, v.pattern.toks.count * sizeof(sc_tok)))
        return false;
    for (uint32_t i = 0; i < u->count; i++)
        if (!sc_mod_is_item(u->list[i].mod) &&
            !sc_mod_apply(&c, &u->list[i], &v))
            return false;
    if (!check_value(&c, &v))
        return false;
    SG_PUSH(&r->s->arena, &item->values, v);
    return true;
}

static bool read_values(sc_reader *r, sc_item *item, const uses *u,
                        const sc_y *y)
{
    if (y->kind != SC_Y_SEQ || y->count == 0)
        return read_value(r, item, u, y, y->kind == SC_Y_SEQ ? 0 : 1);
    for (uint32_t i = 0; i < y->count; i++) {
        const sc_y *value = y->items[i];

        if (value->kind == SC_Y_SEQ)
            return sc_error(r->s, SC_E0210, value->span,
                            "a list inside the list of values of '%.*s'",
                            SG_FMT(sc_show(r->s, item->field)));
        if (!read_value(r, item, u, value, y->count))
            return false;
    }
    return true;
}

static bool apply_item(sc_reader *r, sc_item *item, const uses *u,
                       const sc_y *value)
{
    sc_chain c = {.r = r, .item = item, .value = value};

    c.value_count = value->kind == SC_Y_SEQ ? value->count : 1;
    for (uint32_t i = 0; i < u->count; i++) {
        const sc_mod_use *use = &u->list[i];

        if (sc_mod_is_item(use->mod) && !sc_mod_apply_item(&c, use))
            return false;
    }
    return true;
}

sc_item *sc_read_item(sc_reader *r, const sc_y_pair *pair)
{
    sc_item *item = sg_new(&r->s->arena, sc_item);
    uses u = {.count = 0};

    item->at = pair->key->span;
    if (pair->key->kind != SC_Y_STR) {
        sc_error(r->s, SC_E0209, pair->key->span,
                 "a field name must be a string, this is %s",
                 sc_y_kind_name(pair->key));
        sc_hint(r->s, "put it in quotes");
        return NULL;
    }
    if (!read_key(r, pair->key, item, &u) ||
        !apply_item(r, item, &u, pair->value) ||
        !read_values(r, item, &u, pair->value))
        return NULL;
    return item;
}

sc_item *sc_read_keywords(sc_reader *r, sc_span at, const sc_y *const *items,
                          uint32_t count)
{
    sc_item *item = sg_new(&r->s->arena, sc_item);
    const uses none = {.count = 0};

    item->at = at;
    for (uint32_t i = 0; i < count; i++)
        if (!read_value(r, item, &none, items[i], 1))
            return NULL;
    return item;
}
