/*
 * decode.c - from tokens to values: the text of strings, the value and the
 * canonical text of numbers. Tokens were validated by the scanner; surrogates
 * without a partner become three bytes (WTF-8).
 */
#include "record/scan.h"

#include <assert.h>
#include <math.h>
#include <string.h>

uint32_t sr_hex4(const char *p)
{
    uint32_t value = 0;

    for (int i = 0; i < 4; i++) {
        const uint32_t c = (unsigned char)p[i];
        value = value << 4 | (c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
    }
    return value;
}

/* \uXXXX at p, with its low surrogate if one follows. */
static uint32_t unicode(const char **p, const char *end)
{
    const uint32_t high = sr_hex4(*p + 2);
    uint32_t low;

    *p += 6;
    if (high < 0xD800 || high > 0xDBFF || end - *p < 6 || (*p)[0] != '\\' ||
        (*p)[1] != 'u')
        return high;
    low = sr_hex4(*p + 2);
    if (low < 0xDC00 || low > 0xDFFF)
        return high;
    *p += 6;
    return 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00);
}

static char control(char c)
{
    switch (c) {
    case 'b':
        return '\b';
    case 'f':
        return '\f';
    case 'n':
        return '\n';
    case 'r':
        return '\r';
    case 't':
        return '\t';
    default:
        return c; /* quote, backslash, slash */
    }
}

size_t sr_decode(char *dst, sg_str s)
{
    const char *p = s.ptr;
    const char *const end = s.ptr + s.len;
    char *out = dst;

    while (p < end) {
        const char *escape = memchr(p, '\\', (size_t)(end - p));
        const size_t run = (size_t)((escape == NULL ? end : escape) - p);
        memcpy(out, p, run);
        out += run;
        p += run;
        if (p == end)
            break;
        if (p[1] == 'u') {
            out += sg_utf8_put(out, unicode(&p, end));
        } else {
            *out++ = control(p[1]);
            p += 2;
        }
    }
    return (size_t)(out - dst);
}

/* Integers of up to 19 digits that fit, the usual case: Windows has keywords
 * of 64 bits. */
static bool small_integer(sg_str token, int64_t *out)
{
    const bool minus = token.ptr[0] == '-';
    uint64_t value = 0;

    if (token.len - minus > 19)
        return false;
    for (size_t i = minus; i < token.len; i++) {
        if (token.ptr[i] < '0' || token.ptr[i] > '9')
            return false;
        value = value * 10 + (uint64_t)(token.ptr[i] - '0');
    }
    if (value > (uint64_t)INT64_MAX + minus)
        return false;
    *out = (int64_t)(minus ? 0 - value : value);
    return true;
}

sg_num sr_number(sg_str token)
{
    sg_num n = {.kind = SIGMA_INT};

    assert(token.len > 0);
    if (small_integer(token, &n.v.i) || sg_num_parse(token, &n))
        return n;
    n.kind = SIGMA_FLOAT;
    n.v.f = token.ptr[0] == '-' ? -(double)INFINITY : (double)INFINITY;
    return n;
}

bool sr_number_fits(const sg_num *n)
{
    return n->kind != SIGMA_FLOAT || isfinite(n->v.f);
}

static sg_str string_text(sr_event *event, sg_str raw)
{
    const sg_str inside = {raw.ptr + 1, raw.len - 2};
    char *dst;

    if (memchr(inside.ptr, '\\', inside.len) == NULL)
        return inside;
    dst = sg_arena_alloc(&event->arena, inside.len, 1);
    return (sg_str){dst, sr_decode(dst, inside)};
}

static sg_str number_text(sr_event *event, const sr_value *value)
{
    char *dst;

    if (!sr_number_fits(&value->num))
        return value->raw; /* as written: no double holds it */
    if (value->num.kind != SIGMA_FLOAT && !sg_str_eq(value->raw, SG_S("-0")))
        return value->raw; /* JSON writes integers canonically */
    dst = sg_arena_alloc(&event->arena, SG_NUM_TEXT, 1);
    return (sg_str){dst, sg_num_text(value->num, dst)};
}

sg_str sr_value_text(sr_event *event, sr_value *value)
{
    if (value->text.ptr != NULL)
        return value->text;
    switch ((sr_kind)value->kind) {
    case SR_STRING:
        value->text = string_text(event, value->raw);
        break;
    case SR_NUMBER:
        value->text = number_text(event, value);
        break;
    case SR_NULL:
    case SR_BOOL:
    case SR_OBJECT:
    case SR_EMPTY:
        value->text = value->raw;
        break;
    }
    return value->text;
}

sg_str sr_value_folded(sr_event *event, sr_value *value)
{
    sg_str text;
    char *dst;

    if (value->folded.ptr != NULL)
        return value->folded;
    text = sr_value_text(event, value);
    dst = sg_arena_alloc(&event->arena, sg_fold_bound(text.len) + 1, 1);
    value->folded = (sg_str){dst, sg_fold(dst, text)};
    return value->folded;
}
