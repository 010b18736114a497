/*
 * detection.c - what a search identifier selects (semantics section 4).
 *
 *   map                AND of its entries
 *   list of maps       OR of them
 *   scalars            keywords, OR; a list of them is one item
 *   mixed, nested      OR of the parts
 *
 * Empty maps and lists, and null, select nothing and are refused.
 */
#include "sigma/reader.h"

static sc_det *new_det(sc_reader *r, sc_det_kind kind, sc_span at)
{
    sc_det *det = sg_new(&r->s->arena, sc_det);

    det->kind = kind;
    det->at = at;
    return det;
}

static sc_det *item_det(sc_reader *r, sc_item *item)
{
    sc_det *det;

    if (item == NULL)
        return NULL;
    det = new_det(r, SC_DET_ITEM, item->at);
    det->item = item;
    return det;
}

/* A group of one is its only part. */
static sc_det *unwrap(sc_det *det)
{
    return det->kids.count == 1 ? det->kids.items[0] : det;
}

static sc_det *read_map(sc_reader *r, const sc_y *y)
{
    sc_det *all = new_det(r, SC_DET_AND, y->span);

    for (uint32_t i = 0; i < y->count; i++) {
        sc_det *kid = item_det(r, sc_read_item(r, &y->pairs[i]));

        if (kid == NULL)
            return NULL;
        SG_PUSH(&r->s->arena, &all->kids, kid);
    }
    return unwrap(all);
}

/* Index behind the run of scalars that starts at i. */
static uint32_t end_of_scalars(const sc_y *y, uint32_t i)
{
    while (i < y->count && sc_y_is_scalar(y->items[i]))
        i++;
    return i;
}

static sc_det *read_list(sc_reader *r, const sc_y *y)
{
    sc_det *any = new_det(r, SC_DET_OR, y->span);

    for (uint32_t i = 0; i < y->count;) {
        const uint32_t end = end_of_scalars(y, i);
        const sc_span at =
            end == y->count && i == 0 ? y->span : y->items[i]->span;
        sc_det *kid =
            end > i
                ? item_det(r, sc_read_keywords(r, at, y->items + i, end - i))
                : sc_read_detection_in(r, y->items[i]);

        if (kid == NULL)
            return NULL;
        SG_PUSH(&r->s->arena, &any->kids, kid);
        i = end > i ? end : i + 1;
    }
    return unwrap(any);
}

sc_det *sc_read_detection_in(sc_reader *r, const sc_y *y)
{
    switch (y->kind) {
    case SC_Y_NULL:
        sc_error(r->s, SC_E0211, y->span, "the selection has no value");
        return NULL;
    case SC_Y_MAP:
    case SC_Y_SEQ:
        if (y->count == 0) {
            sc_error(r->s, SC_E0211, y->span, "the selection is an empty %s",
                     y->kind == SC_Y_MAP ? "map" : "list");
            return NULL;
        }
        return y->kind == SC_Y_MAP ? read_map(r, y) : read_list(r, y);
    case SC_Y_BOOL:
    case SC_Y_NUM:
    case SC_Y_STR:
        break;
    }
    return item_det(r, sc_read_keywords(r, y->span, &y, 1));
}

sc_det *sc_read_detection(sc_session *s, const sc_y *y)
{
    sc_reader r;

    sc_reader_init(&r, s);
    return sc_read_detection_in(&r, y);
}

bool sc_read_selection(sc_reader *r, const sc_y_pair *pair, sc_selection *out)
{
    const sc_y *key = pair->key;

    if (key->kind != SC_Y_STR || key->text.len == 0) {
        sc_error(r->s, SC_E0209, key->span,
                 "a search identifier must be a string, this is %s",
                 key->kind == SC_Y_STR ? "empty" : sc_y_kind_name(key));
        sc_hint(r->s, "give it a name such as 'selection'");
        return false;
    }
    *out = (sc_selection){.name = key->text, .at = key->span};
    if (pair->value->kind == SC_Y_NULL)
        return sc_error(r->s, SC_E0211, key->span,
                        "the selection '%.*s' has no value",
                        SG_FMT(sc_show(r->s, key->text)));
    out->det = sc_read_detection_in(r, pair->value);
    return out->det != NULL;
}
