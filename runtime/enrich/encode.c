/*
 * encode.c - keys and values as bytes, and back. Bytes that come back may be
 * anybody's: nothing is read that is not there.
 */
#include "enrich/tables.h"

#include <string.h>

static void put_u32(sg_buf *buf, size_t n)
{
    const uint32_t word = (uint32_t)n;

    sg_buf_put(buf, (sg_str){(const char *)&word, sizeof(word)});
}

void sr_put_part(sg_buf *buf, sg_str text)
{
    put_u32(buf, text.len);
    sg_buf_put(buf, text);
}

void sr_put_column(sg_buf *buf, uint8_t kind, sg_str text)
{
    sg_buf_putc(buf, (char)kind);
    if (kind != SR_NULL)
        sr_put_part(buf, text);
}

/* Take a length and that many bytes, at least one. */
static bool take_part(sg_str *bytes, sg_str *out)
{
    uint32_t len;

    if (bytes->len < sizeof(len))
        return false;
    memcpy(&len, bytes->ptr, sizeof(len));
    if (len == 0 || len > bytes->len - sizeof(len))
        return false;
    *out = sg_str_sub(*bytes, sizeof(len), sizeof(len) + len);
    *bytes = sg_str_sub(*bytes, sizeof(len) + len, bytes->len);
    return true;
}

bool sr_take_column(sg_str *value, sr_column *out)
{
    *out = (sr_column){.kind = SR_NULL, .text = SG_S("")};
    if (value->len == 0)
        return false;
    out->kind = (uint8_t)value->ptr[0];
    *value = sg_str_sub(*value, 1, value->len);
    if (out->kind == SR_NULL)
        return true;
    if (!take_part(value, &out->text))
        return false;
    if (out->kind == SR_NUMBER)
        return sg_num_parse(out->text, &out->num);
    if (out->kind == SR_BOOL)
        return sg_str_eq(out->text, SG_S("true")) ||
               sg_str_eq(out->text, SG_S("false"));
    return out->kind == SR_STRING;
}

bool sr_is_key(const sigma_table *table, sg_str key)
{
    sg_str part;

    for (uint32_t i = 0; i < table->key_count; i++)
        if (!take_part(&key, &part))
            return false;
    return key.len == 0;
}

bool sr_is_value(const sigma_table *table, sg_str value)
{
    sr_column column;

    for (uint32_t i = 0; i < table->column_count; i++)
        if (!sr_take_column(&value, &column))
            return false;
    return value.len == 0;
}

sr_value *sr_usable(sr_event *event, uint32_t slot)
{
    for (sr_value *v = sr_first(event, slot); v != NULL;
         v = sr_next(event, v)) {
        if (v->kind == SR_BOOL || v->kind == SR_STRING ||
            (v->kind == SR_NUMBER && sr_number_fits(&v->num)))
            if (sr_value_text(event, v).len != 0)
                return v;
    }
    return NULL;
}
