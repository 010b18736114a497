/*
 * reader.c - helpers of every reader in compiler/sigma: the budget, messages
 * that quote the input, typed access to YAML.
 */
#include "sigma/reader.h"

void sc_reader_init(sc_reader *r, sc_session *s)
{
    *r = (sc_reader){.s = s,
                     .nodes = SC_READ_NODES,
                     .bytes = SC_READ_BYTES,
                     .merges = SC_READ_MERGES};
}

/* -------- messages ------------------------------------------------------- */

sg_str sc_show(sc_session *s, sg_str text)
{
    enum { LONGEST = 80 };
    size_t end = LONGEST;

    if (text.len <= LONGEST)
        return text;
    while (end > 0 && ((unsigned char)text.ptr[end] & 0xC0) == 0x80)
        end--;
    return sg_arena_printf(&s->arena, "%.*s...", (int)end, text.ptr);
}

bool sc_hint_nearest(sc_session *s, sg_str word, const sg_str *candidates,
                     size_t count)
{
    const sg_str near = sc_nearest(word, candidates, count);

    if (near.len == 0)
        return false;
    sc_hint(s, "did you mean '%.*s'?", SG_FMT(sc_show(s, near)));
    return true;
}

void sc_hint_list(sc_session *s, const char *what, const sg_str *list,
                  size_t count)
{
    enum { MOST = 12 };
    sg_str all = SG_S("");

    for (size_t i = 0; i < count && i < MOST; i++)
        all = sg_arena_printf(&s->arena, "%.*s%s%.*s", SG_FMT(all),
                              i == 0 ? "" : ", ", SG_FMT(sc_show(s, list[i])));
    sc_hint(s, "%s: %.*s%s", what, SG_FMT(all), count > MOST ? ", ..." : "");
}

bool sc_unknown_key(sc_session *s, const sc_y *key, const char *where,
                    const sg_str *known, size_t count)
{
    sc_error(s, SC_E0521, key->span, "unknown key '%.*s' in %s",
             SG_FMT(sc_show(s, key->text)), where);
    if (!sc_hint_nearest(s, key->text, known, count))
        sc_hint_list(s, "known are", known, count);
    return false;
}

bool sc_one_of(sg_str word, const sg_str *list, size_t count, size_t *index)
{
    for (size_t i = 0; i < count; i++) {
        if (!sg_str_eq(word, list[i]))
            continue;
        if (index != NULL)
            *index = i;
        return true;
    }
    return false;
}

/* -------- typed access --------------------------------------------------- */

bool sc_is_text(const sc_y *y)
{
    return y->kind == SC_Y_STR || y->kind == SC_Y_NUM;
}

static bool push_text(sc_reader *r, const sc_y *y, const char *what,
                      sc_code code, sc_texts *out)
{
    if (!sc_is_text(y) || y->text.len == 0)
        return sc_error(r->s, code, y->span,
                        "%s must be a string or a list of strings, "
                        "this is %s",
                        what,
                        sc_is_text(y) ? "an empty string" : sc_y_kind_name(y));
    SG_PUSH(&r->s->arena, &out->list, ((sc_text){y->text, y->span}));
    return true;
}

bool sc_read_texts(sc_reader *r, const sc_y *y, const char *what, sc_code code,
                   sc_texts *out)
{
    if (y->kind == SC_Y_NULL)
        return true;
    if (y->kind != SC_Y_SEQ)
        return push_text(r, y, what, code, out);
    for (uint32_t i = 0; i < y->count; i++)
        if (!push_text(r, y->items[i], what, code, out))
            return false;
    return true;
}
