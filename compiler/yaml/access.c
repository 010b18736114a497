/*
 * access.c - looking at a YAML tree: lookup, names for messages, sub-spans,
 * and the dump.
 */
#include "yaml/ytree.h"

const sc_y *sc_y_get(const sc_y *map, const char *key)
{
    const sg_str name = sg_str_of(key);

    if (map->kind != SC_Y_MAP)
        return NULL;
    for (uint32_t i = 0; i < map->count; i++) {
        const sc_y *have = map->pairs[i].key;

        if (have->kind != SC_Y_NULL && sg_str_eq(have->text, name))
            return map->pairs[i].value;
    }
    return NULL;
}

bool sc_y_is_scalar(const sc_y *y)
{
    return y->kind != SC_Y_SEQ && y->kind != SC_Y_MAP;
}

const char *sc_y_kind_name(const sc_y *y)
{
    switch (y->kind) {
    case SC_Y_NULL:
        return "null";
    case SC_Y_BOOL:
        return "a boolean";
    case SC_Y_NUM:
        return "a number";
    case SC_Y_STR:
        return "a string";
    case SC_Y_SEQ:
        return "a list";
    case SC_Y_MAP:
        return "a map";
    }
    return "nothing";
}

sc_span sc_y_subspan(const sc_y *y, size_t beg, size_t end)
{
    if (!y->exact || beg > end || end > y->text.len)
        return y->span;
    return (sc_span){y->span.source, y->span.beg + (uint32_t)beg,
                     y->span.beg + (uint32_t)end};
}

/* -------- dump ---------------------------------------------------------- */

static void dump_scalar(sg_buf *out, const sc_y *y)
{
    char text[SG_NUM_TEXT];

    switch (y->kind) {
    case SC_Y_NULL:
        sg_buf_putz(out, "null");
        break;
    case SC_Y_BOOL:
        sg_buf_putz(out, y->boolean ? "bool true" : "bool false");
        break;
    case SC_Y_NUM:
        sg_buf_putz(out, y->num.kind == SIGMA_FLOAT ? "float " : "int ");
        sg_buf_put(out, (sg_str){text, sg_num_text(y->num, text)});
        break;
    case SC_Y_STR:
        sg_buf_putz(out, "str ");
        sg_buf_put_json(out, y->text);
        break;
    case SC_Y_SEQ:
    case SC_Y_MAP:
        break;
    }
}

static void put_place(sg_buf *out, const sc_y *y)
{
    sg_buf_printf(out, " @%u-%u%s\n", y->span.beg, y->span.end,
                  sc_y_is_scalar(y) && !y->exact ? " inexact" : "");
}

static void dump_node(sg_buf *out, const sc_y *y, int depth)
{
    if (sc_y_is_scalar(y))
        dump_scalar(out, y);
    else
        sg_buf_printf(out, "%s %u", y->kind == SC_Y_MAP ? "map" : "seq",
                      y->count);
    put_place(out, y);
    for (uint32_t i = 0; i < y->count; i++) {
        sg_buf_printf(out, "%*s", depth * 2 + 2, "");
        if (y->kind == SC_Y_MAP) {
            dump_scalar(out, y->pairs[i].key);
            sg_buf_putz(out, ": ");
        } else {
            sg_buf_putz(out, "- ");
        }
        dump_node(out, y->kind == SC_Y_MAP ? y->pairs[i].value : y->items[i],
                  depth + 1);
    }
}

void sc_y_dump(sg_buf *out, const sc_y *y)
{
    dump_node(out, y, 0);
}
