/*
 * modifier.c - `field|modifiers: values`: find the modifiers of a key and
 * apply them to each value in written order (semantics section 5).
 *
 * Which kinds of value a modifier accepts is a column of modifiers.def, and so
 * is every illegal combination: a modifier changes the kind, and the next one
 * does not take it. `all` and `neq` act on the whole item instead.
 */
#include "sigma/modifier.h"

enum {
    TEXT = 1,
    NUM = 2,
    BOOL = 4,
    RE = 8,
    REF = 16,
    PART = 32,
    FIRST = 64,
    ITEM = 128
};

struct sc_modifier {
    sg_str name, alias;
    bool (*apply)(sc_chain *c, int arg, sc_value *v);
    unsigned takes;
    int arg;
};

/* -------- kinds ---------------------------------------------------------- */

static unsigned mask_of(sc_value_kind kind)
{
    switch (kind) {
    case SC_V_STRING:
        return TEXT;
    case SC_V_NUM:
        return NUM;
    case SC_V_BOOL:
        return BOOL;
    case SC_V_REGEX:
        return RE;
    case SC_V_FIELDREF:
        return REF;
    case SC_V_TIMEPART:
        return PART;
    case SC_V_NULL:
    case SC_V_CIDR:
    case SC_V_COMPARE:
    case SC_V_EXISTS:
    case SC_V_EXPANSION:
        return 0;
    }
    return 0;
}

const char *sc_value_kind_name(sc_value_kind kind)
{
    switch (kind) {
    case SC_V_NULL:
        return "null";
    case SC_V_BOOL:
        return "a boolean";
    case SC_V_NUM:
        return "a number";
    case SC_V_STRING:
        return "a string";
    case SC_V_REGEX:
        return "a regex";
    case SC_V_CIDR:
        return "a network";
    case SC_V_COMPARE:
        return "a comparison";
    case SC_V_FIELDREF:
        return "a field reference";
    case SC_V_EXISTS:
        return "a presence test";
    case SC_V_TIMEPART:
        return "a time part";
    case SC_V_EXPANSION:
        return "a set of alternatives";
    }
    return "";
}

/* -------- refusals ------------------------------------------------------- */

bool sc_chain_charge(sc_chain *c, uint64_t bytes)
{
    if (bytes > c->r->bytes) {
        c->r->bytes = 0;
        return sc_error(c->r->s, SC_E0213, c->at,
                        "the modifiers of this file produce more than %u MiB",
                        (unsigned)(SC_READ_BYTES >> 20));
    }
    c->r->bytes -= bytes;
    return true;
}

bool sc_chain_plain(sc_chain *c, const sc_value *v, const char *why,
                    sg_str *text)
{
    sc_session *s = c->r->s;
    const sc_pattern *p = &v->pattern;

    *text = p->toks.count == 0 ? SG_S("") : p->toks.items[0].text;
    if (sc_pattern_has_placeholder(p)) {
        sc_error(s, SC_E0204, c->value->span, "'%.*s' %s a placeholder",
                 SG_FMT(c->name), why);
        sc_hint(s, "remove 'expand', or write the value out");
        return false;
    }
    if (!sc_pattern_has_wildcard(p))
        return true;
    if (c->wrapper.len > 0) {
        sc_error(s, SC_E0204, c->at, "'%.*s' %s the wildcards of '%.*s'",
                 SG_FMT(c->name), why, SG_FMT(c->wrapper));
        sc_hint(s, "modifiers apply in order: put '%.*s' behind '%.*s'",
                SG_FMT(c->wrapper), SG_FMT(c->name));
        return false;
    }
    sc_error(s, SC_E0204, c->value->span, "'%.*s' %s wildcards",
             SG_FMT(c->name), why);
    sc_hint(s, "for a literal star or question mark write \\* or \\?");
    return false;
}

/* What would please a modifier that was given this YAML value. */
static void hint_value(sc_chain *c, const sc_modifier *m, sc_value_kind have)
{
    sc_session *s = c->r->s;
    sg_num num;

    if ((m->takes & BOOL) != 0)
        sc_hint(s, "write true or false, without quotes");
    else if (m->takes == (NUM | PART) || m->takes == NUM)
        sc_hint(s, sg_num_parse(c->value->text, &num)
                       ? "write the number without quotes"
                       : "give a number");
    else if ((m->takes & TEXT) == 0)
        sc_hint(s, "'%.*s' follows 're'", SG_FMT(c->name));
    else if (have == SC_V_NULL)
        sc_hint(s, "null stands alone, without modifiers other than 'neq'");
    else
        sc_hint(s, "put the value in quotes");
}

/* The value's kind is not one that the modifier takes. */
static bool refuse_kind(sc_chain *c, const sc_modifier *m, sc_value_kind have)
{
    sc_session *s = c->r->s;

    if (c->before.len == 0) {
        sc_error(s, SC_E0203, c->value->span, "'%.*s' does not apply to %s",
                 SG_FMT(c->name), sc_value_kind_name(have));
        hint_value(c, m, have);
        sc_note_at(s, c->at, "the modifier is here");
        return false;
    }
    sc_error(s, SC_E0202, c->at, "'%.*s' cannot follow '%.*s'", SG_FMT(c->name),
             SG_FMT(c->before));
    if ((m->takes & FIRST) != 0)
        sc_hint(s, "'%.*s' must be the first modifier", SG_FMT(c->name));
    else if (have == SC_V_COMPARE && m->takes == (NUM | PART))
        sc_hint(s, "give each bound an entry of its own, as in %.*s|%.*s",
                SG_FMT(sc_show(s, c->item->field)), SG_FMT(c->name));
    else if (m->takes == NUM && have == SC_V_COMPARE)
        sc_hint(s, "put '%.*s' before '%.*s'", SG_FMT(c->name),
                SG_FMT(c->before));
    else
        sc_hint(s, "it does not apply to %s", sc_value_kind_name(have));
    return false;
}

/* -------- modifiers on the whole item ------------------------------------ */

static bool join_all(sc_chain *c, int arg, sc_value *v)
{
    (void)arg;
    (void)v;
    c->item->all = true;
    if (c->value_count > 1)
        return true;
    return sc_error(c->r->s, SC_E0208, c->at,
                    "'all' joins several values, there is %s",
                    c->value_count == 0 ? "none" : "only one");
}

static bool negate(sc_chain *c, int arg, sc_value *v)
{
    (void)arg;
    (void)v;
    c->item->negated = true;
    return true;
}

/* -------- modifiers on a value ------------------------------------------- */

static sc_ref_kind join_ref(sc_ref_kind old, sc_ref_kind more)
{
    return old == SC_REF_EQ || old == more ? more : SC_REF_CONTAINS;
}

static bool starts_with_star(const sc_pattern *p)
{
    return p->toks.count > 0 && p->toks.items[0].kind == SC_TOK_STAR;
}

static bool ends_with_star(const sc_pattern *p)
{
    return p->toks.count > 0 &&
           p->toks.items[p->toks.count - 1].kind == SC_TOK_STAR;
}

/* Stars on the sides asked for, unless they are there. */
static bool add_stars(sc_chain *c, sc_pattern *p, bool front, bool back)
{
    const sc_tok star = {SC_TOK_STAR, SG_LIT("")};
    sc_pattern out = {0};

    if (!sc_chain_charge(c, (p->toks.count + 2) * sizeof(sc_tok)))
        return false;
    if (front && !starts_with_star(p))
        SG_PUSH(&c->r->s->arena, &out.toks, star);
    for (uint32_t i = 0; i < p->toks.count; i++)
        SG_PUSH(&c->r->s->arena, &out.toks, p->toks.items[i]);
    if (back && !ends_with_star(&out))
        SG_PUSH(&c->r->s->arena, &out.toks, star);
    *p = out;
    return true;
}

static bool wrap(sc_chain *c, int arg, sc_value *v)
{
    char text[SG_NUM_TEXT];

    if (v->kind == SC_V_REGEX) /* a search already */
        return true;
    if (v->kind == SC_V_FIELDREF) {
        v->ref_kind = join_ref(v->ref_kind, (sc_ref_kind)arg);
        return true;
    }
    if (v->kind == SC_V_NUM) {
        const size_t len = sg_num_text(v->num, text);

        v->kind = SC_V_STRING;
        v->pattern = sc_pattern_text(
            c->r->s, sg_arena_dup(&c->r->s->arena, (sg_str){text, len}));
        c->raw = false;
    }
    c->wrapper = c->name;
    return add_stars(c, &v->pattern, arg != SC_REF_STARTS, arg != SC_REF_ENDS);
}

static bool exists(sc_chain *c, int arg, sc_value *v)
{
    (void)c;
    (void)arg;
    v->kind = SC_V_EXISTS;
    return true;
}

static bool cased(sc_chain *c, int arg, sc_value *v)
{
    (void)c;
    (void)arg;
    v->cased = true;
    return true;
}

static bool regex(sc_chain *c, int arg, sc_value *v)
{
    (void)arg;
    v->kind = SC_V_REGEX;
    v->pattern = sc_pattern_text(c->r->s, c->value->text);
    return true;
}

static bool regex_flag(sc_chain *c, int arg, sc_value *v)
{
    (void)c;
    v->re_flags = (uint8_t)(v->re_flags | arg);
    return true;
}

static bool cidr(sc_chain *c, int arg, sc_value *v)
{
    sc_session *s = c->r->s;
    sg_str canonical = {0};
    const char *reason = "";

    (void)arg;
    if (sc_cidr_check(&s->arena, c->value->text, &canonical, &reason)) {
        v->kind = SC_V_CIDR;
        v->text = canonical;
        return true;
    }
    sc_error(s, SC_E0207, c->value->span, "'%.*s' %s",
             SG_FMT(sc_show(s, c->value->text)), reason);
    if (canonical.len > 0)
        sc_hint(s, "the network is %.*s", SG_FMT(canonical));
    return false;
}

static bool compare(sc_chain *c, int arg, sc_value *v)
{
    (void)c;
    if (v->kind == SC_V_NUM)
        v->kind = SC_V_COMPARE;
    else if (v->cmp != SIGMA_CMP_EQ) /* a time part compared already */
        return sc_error(c->r->s, SC_E0202, c->at, "'%.*s' cannot follow '%.*s'",
                        SG_FMT(c->name), SG_FMT(c->before));
    v->cmp = (sigma_cmp)arg;
    return true;
}

static bool fieldref(sc_chain *c, int arg, sc_value *v)
{
    sg_str text;

    (void)arg;
    if (!sc_chain_plain(c, v, "names a field and cannot hold", &text))
        return false;
    if (text.len == 0)
        return sc_error(c->r->s, SC_E0209, c->value->span,
                        "'fieldref' names no field");
    v->kind = SC_V_FIELDREF;
    v->text = text;
    v->ref_kind = SC_REF_EQ;
    v->pattern = (sc_pattern){0};
    return true;
}

static bool time_part(sc_chain *c, int arg, sc_value *v)
{
    (void)c;
    v->kind = SC_V_TIMEPART;
    v->part = (sigma_time_part)arg;
    v->cmp = SIGMA_CMP_EQ;
    return true;
}

/* Placeholders in text that is no longer what the value says (or is a regex):
 * in each stretch of literal text by itself. */
static void expand_texts(sc_session *s, sc_pattern *p, bool re)
{
    sc_pattern out = {0};

    for (uint32_t i = 0; i < p->toks.count; i++) {
        const sc_tok *tok = &p->toks.items[i];

        if (tok->kind == SC_TOK_TEXT)
            sc_pattern_expand(s, tok->text, re, &out);
        else
            sc_pattern_add(s, &out, *tok);
    }
    *p = out;
}

static bool expand(sc_chain *c, int arg, sc_value *v)
{
    const bool front = starts_with_star(&v->pattern);
    const bool back = ends_with_star(&v->pattern);

    (void)arg;
    if (!sc_chain_charge(c, c->value->text.len * sizeof(sc_tok)))
        return false;
    if (v->kind == SC_V_REGEX || !c->raw) {
        expand_texts(c->r->s, &v->pattern, v->kind == SC_V_REGEX);
        return true;
    }
    sc_pattern_parse(c->r->s, c->value->text, true, &v->pattern);
    return add_stars(c, &v->pattern, front, back);
}

/* -------- the table ------------------------------------------------------ */

static const sc_modifier modifiers[] = {
#define MOD(name, alias, takes, apply, arg, doc)                               \
    {SG_LIT(#name), SG_LIT(alias), apply, takes, (int)(arg)},
#include "sigma/modifiers.def"
#undef MOD
};

enum { MODIFIER_COUNT = sizeof(modifiers) / sizeof(*modifiers) };

static const sc_modifier *find(sg_str name)
{
    for (size_t i = 0; i < MODIFIER_COUNT && name.len > 0; i++)
        if (sg_str_eq(modifiers[i].name, name) ||
            sg_str_eq(modifiers[i].alias, name))
            return &modifiers[i];
    return NULL;
}

static sg_str trim(sg_str s)
{
    while (s.len > 0 && (s.ptr[0] == ' ' || s.ptr[0] == '\t'))
        s = sg_str_sub(s, 1, s.len);
    while (s.len > 0 && (s.ptr[s.len - 1] == ' ' || s.ptr[s.len - 1] == '\t'))
        s = sg_str_sub(s, 0, s.len - 1);
    return s;
}

static bool refuse_unknown(sc_reader *r, sg_str name, sc_span at)
{
    sg_str names[2 * MODIFIER_COUNT];
    size_t count = 0;

    if (name.len == 0) {
        sc_error(r->s, SC_E0201, at, "empty modifier name after '|'");
        sc_hint(r->s, "remove the '|'");
        return false;
    }
    sc_error(r->s, SC_E0201, at, "unknown modifier '%.*s'",
             SG_FMT(sc_show(r->s, name)));
    for (size_t i = 0; i < MODIFIER_COUNT; i++) {
        names[count++] = modifiers[i].name;
        if (modifiers[i].alias.len > 0)
            names[count++] = modifiers[i].alias;
    }
    for (size_t i = 0; i < count; i++)
        if (sg_str_eq_nocase(trim(name), names[i])) {
            sc_hint(r->s, "write '%.*s', lower case and without spaces",
                    SG_FMT(names[i]));
            return false;
        }
    if (!sc_hint_nearest(r->s, name, names, count))
        sc_hint(r->s, "`sigcc list modifiers` names them all");
    return false;
}

const sc_modifier *sc_mod_find(sc_reader *r, sg_str name, sc_span at)
{
    const sc_modifier *m = find(name);

    if (m == NULL)
        refuse_unknown(r, name, at);
    return m;
}

bool sc_mod_is_item(const sc_modifier *m)
{
    return m->takes == ITEM;
}

/* -------- application ---------------------------------------------------- */

static bool apply_one(sc_chain *c, const sc_mod_use *u, sc_value *v)
{
    const sc_modifier *m = u->mod;

    if ((m->takes & mask_of(v->kind)) == 0 ||
        ((m->takes & FIRST) != 0 && c->before.len > 0))
        return refuse_kind(c, m, v->kind);
    return m->apply(c, m->arg, v);
}

bool sc_mod_apply_item(sc_chain *c, const sc_mod_use *u)
{
    c->name = u->name;
    c->at = u->at;
    return u->mod->apply(c, u->mod->arg, NULL);
}

static bool apply_to_kids(sc_chain *c, const sc_mod_use *u, sc_value *v)
{
    sc_value out = {.kind = SC_V_EXPANSION, .at = v->at};

    for (uint32_t i = 0; i < v->kids.count; i++) {
        sc_value kid = v->kids.items[i];

        if (!apply_one(c, u, &kid))
            return false;
        if (kid.kind != SC_V_EXPANSION) {
            SG_PUSH(&c->r->s->arena, &out.kids, kid);
            continue;
        }
        for (uint32_t k = 0; k < kid.kids.count; k++)
            SG_PUSH(&c->r->s->arena, &out.kids, kid.kids.items[k]);
    }
    *v = out;
    return true;
}

bool sc_mod_apply(sc_chain *c, const sc_mod_use *u, sc_value *v)
{
    c->name = u->name;
    c->at = u->at;
    if (!(v->kind == SC_V_EXPANSION ? apply_to_kids(c, u, v)
                                    : apply_one(c, u, v)))
        return false;
    c->before = u->name;
    if (u->mod->apply != wrap && u->mod->apply != cased)
        c->raw = false;
    if (u->mod->apply == sc_mod_utf16)
        c->utf16 = true;
    return true;
}
