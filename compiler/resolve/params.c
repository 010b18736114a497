/*
 * params.c - the keys of pipeline maps. Each kind of map has a spec in a
 * table; this checks keys and types against it once, when the pipeline is
 * read, so that the code behind can take what it finds.
 */
#include "resolve/pipeline.h"

enum { MAX_KEYS = 64 };

struct word {
    sg_str key, type;
    bool must;
};

/* The next word of a spec; false at its end. */
static bool next_word(const char **spec, struct word *w)
{
    const char *p = *spec;
    while (*p == ' ')
        p++;
    if (*p == '\0')
        return false;
    const char *beg = p;
    while (*p != ':')
        p++;
    w->key = (sg_str){beg, (size_t)(p - beg)};
    beg = ++p;
    while (*p != '\0' && *p != ' ' && *p != '!')
        p++;
    w->type = (sg_str){beg, (size_t)(p - beg)};
    w->must = *p == '!';
    *spec = p + w->must;
    return true;
}

static bool find_word(const char *const *specs, size_t count, sg_str key,
                      struct word *w)
{
    for (size_t i = 0; i < count; i++) {
        const char *p = specs[i];
        while (next_word(&p, w)) {
            if (sg_str_eq(w->key, key))
                return true;
        }
    }
    return false;
}

static bool is_text(const sc_y *y)
{
    return sc_y_is_scalar(y) && y->kind != SC_Y_NULL;
}

static bool is_text_list(const sc_y *y)
{
    if (y->kind != SC_Y_SEQ)
        return false;
    for (uint32_t i = 0; i < y->count; i++) {
        if (!is_text(y->items[i]))
            return false;
    }
    return true;
}

/* Whether `text` is one of the words a/b/c behind the =. */
static bool is_choice(sg_str choices, sg_str text)
{
    size_t beg = 1;
    for (size_t i = 1; i <= choices.len; i++) {
        if (i < choices.len && choices.ptr[i] != '/')
            continue;
        if (sg_str_eq(sg_str_sub(choices, beg, i), text))
            return true;
        beg = i + 1;
    }
    return false;
}

/* NULL when the value has the type, else what was wanted. */
static const char *wanted(sg_str type, const sc_y *y)
{
    if (sg_str_eq(type, SG_S("str")))
        return is_text(y) ? NULL : "text";
    if (sg_str_eq(type, SG_S("strs")))
        return is_text(y) || is_text_list(y) ? NULL : "text or a list of texts";
    if (sg_str_eq(type, SG_S("list")))
        return is_text_list(y) ? NULL : "a list of texts";
    if (sg_str_eq(type, SG_S("bool")))
        return y->kind == SC_Y_BOOL ? NULL : "true or false";
    if (sg_str_eq(type, SG_S("num")))
        return y->kind == SC_Y_NUM ? NULL : "a number";
    if (sg_str_eq(type, SG_S("scalar")))
        return is_text(y) ? NULL : "text, a number or a boolean";
    if (sg_str_eq(type, SG_S("map")))
        return y->kind == SC_Y_MAP ? NULL : "a map";
    return NULL;
}

static bool check_value(sc_session *s, const char *what, const struct word *w,
                        const sc_y *y)
{
    if (w->type.ptr[0] == '=') {
        if (is_text(y) && is_choice(w->type, y->text))
            return true;
        return sc_error(s, SC_E0405, y->span, "%s: '%.*s' must be one of %.*s",
                        what, SG_FMT(w->key), (int)w->type.len - 1,
                        w->type.ptr + 1);
    }
    const char *want = wanted(w->type, y);
    if (want == NULL)
        return true;
    return sc_error(s, SC_E0405, y->span, "%s: '%.*s' must be %s, not %s", what,
                    SG_FMT(w->key), want, sc_y_kind_name(y));
}

static bool unknown_key(sc_session *s, const char *what, const sc_y *key,
                        const char *const *specs, size_t count)
{
    sg_str names[MAX_KEYS];
    size_t n = 0;
    struct word w;

    if (!sc_y_is_scalar(key))
        return sc_error(s, SC_E0402, key->span, "%s: a key must be text", what);
    for (size_t i = 0; i < count; i++) {
        const char *p = specs[i];
        while (n < MAX_KEYS && next_word(&p, &w))
            names[n++] = w.key;
    }
    sc_error(s, SC_E0402, key->span, "%s: unknown key '%.*s'", what,
             SG_FMT(key->text));
    sg_str near = sc_nearest(key->text, names, n);
    if (near.len != 0)
        sc_hint(s, "did you mean '%.*s'?", SG_FMT(near));
    return false;
}

bool sc_params_check(sc_session *s, const sc_y *map, const char *what,
                     const char *const *specs, size_t count)
{
    struct word w;
    bool ok = true;

    if (map->kind != SC_Y_MAP)
        return sc_error(s, SC_E0401, map->span, "%s must be a map, not %s",
                        what, sc_y_kind_name(map));
    for (uint32_t i = 0; i < map->count; i++) {
        const sc_y *key = map->pairs[i].key;
        if (!is_text(key) || !find_word(specs, count, key->text, &w))
            ok = unknown_key(s, what, key, specs, count);
        else if (!check_value(s, what, &w, map->pairs[i].value))
            ok = false;
    }
    for (size_t i = 0; i < count; i++) {
        const char *p = specs[i];
        while (next_word(&p, &w)) {
            if (w.must && sc_y_find(map, w.key) == NULL)
                ok = sc_error(s, SC_E0405, map->span, "%s: '%.*s' is missing",
                              what, SG_FMT(w.key));
        }
    }
    return ok;
}

const sc_y *sc_y_find(const sc_y *map, sg_str key)
{
    for (uint32_t i = 0; i < map->count; i++) {
        const sc_y *k = map->pairs[i].key;
        if (is_text(k) && sg_str_eq(k->text, key))
            return map->pairs[i].value;
    }
    return NULL;
}

sg_str sc_param_str(const sc_y *map, const char *key)
{
    const sc_y *y = sc_y_find(map, sg_str_of(key));
    return y != NULL && is_text(y) ? y->text : (sg_str)SG_LIT("");
}

bool sc_param_true(const sc_y *map, const char *key)
{
    const sc_y *y = sc_y_find(map, sg_str_of(key));
    return y != NULL && y->kind == SC_Y_BOOL && y->boolean;
}

uint32_t sc_param_count(const sc_y *y)
{
    if (y == NULL)
        return 0;
    return y->kind == SC_Y_SEQ ? y->count : 1;
}

sg_str sc_param_at(const sc_y *y, uint32_t i)
{
    return y->kind == SC_Y_SEQ ? y->items[i]->text : y->text;
}

bool sc_param_holds(const sc_y *y, sg_str text)
{
    for (uint32_t i = 0; i < sc_param_count(y); i++) {
        if (sg_str_eq(sc_param_at(y, i), text))
            return true;
    }
    return false;
}

bool sc_param_regex(sc_session *s, const sc_y *y)
{
    char reason[128] = "";
    size_t offset = 0;

    if (sr_regex_check(y->text, 0, reason, sizeof(reason), &offset))
        return true;
    return sc_error(s, SC_E0408, y->span,
                    "invalid regular expression at offset %zu: %s", offset,
                    reason);
}
