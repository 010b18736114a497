/*
 * scalar.c - kinds of scalars: YAML 1.2 core schema, with two changes. A plain
 * decimal integer with leading zeros keeps its text, since such values are
 * identifiers in rules; and .inf and .nan are strings, since no event holds
 * them. Integers are exact up to 64 bits.
 */
#include "yaml/scalar.h"

#include <string.h>

static bool is_one_of(sg_str text, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (sg_str_eq(text, sg_str_of(words[i])))
            return true;
    return false;
}

static bool read_null(sc_y *y)
{
    static const char *const words[] = {"", "~", "null", "Null", "NULL"};

    y->kind = SC_Y_NULL;
    return is_one_of(y->text, words, sizeof words / sizeof words[0]);
}

static bool read_bool(sc_y *y)
{
    static const char *const yes[] = {"true", "True", "TRUE"};
    static const char *const no[] = {"false", "False", "FALSE"};

    y->kind = SC_Y_BOOL;
    y->boolean = is_one_of(y->text, yes, 3);
    return y->boolean || is_one_of(y->text, no, 3);
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static size_t skip_sign(sg_str text)
{
    return text.len != 0 && (text.ptr[0] == '-' || text.ptr[0] == '+');
}

static size_t skip_digits(sg_str text, size_t pos)
{
    while (pos < text.len && is_digit(text.ptr[pos]))
        pos++;
    return pos;
}

static unsigned digit_value(char c)
{
    if (is_digit(c))
        return (unsigned)(c - '0');
    if (c >= 'a' && c <= 'f')
        return (unsigned)(c - 'a') + 10;
    return c >= 'A' && c <= 'F' ? (unsigned)(c - 'A') + 10 : 16;
}

/* Digits of base 8 or 16, up to 64 bits. */
static bool read_radix(sg_str digits, unsigned base, sg_num *out)
{
    uint64_t n = 0;

    for (size_t i = 0; i < digits.len; i++) {
        const unsigned digit = digit_value(digits.ptr[i]);

        if (digit >= base || n > (UINT64_MAX - digit) / base)
            return false;
        n = n * base + digit;
    }
    if (n > INT64_MAX) {
        out->kind = SIGMA_UINT;
        out->v.u = n;
    } else {
        out->kind = SIGMA_INT;
        out->v.i = (int64_t)n;
    }
    return digits.len != 0;
}

static bool read_int(sc_y *y, bool zeros)
{
    const sg_str text = y->text;
    const size_t sign = skip_sign(text);

    y->kind = SC_Y_NUM;
    if (sg_str_starts(text, SG_S("0x")))
        return read_radix(sg_str_sub(text, 2, text.len), 16, &y->num);
    if (sg_str_starts(text, SG_S("0o")))
        return read_radix(sg_str_sub(text, 2, text.len), 8, &y->num);
    if (text.len == sign || skip_digits(text, sign) != text.len)
        return false;
    if (!zeros && text.len > sign + 1 && text.ptr[sign] == '0')
        return false;
    return sg_num_parse(text, &y->num);
}

/* Longer ones are no number anyone wrote. */
enum { MAX_FLOAT_TEXT = 1000 };

/* `[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?`: wider than what
 * sg_num_parse takes, so `.5` and `1.` are completed first. */
static bool read_float(sc_y *y)
{
    const sg_str text = y->text;
    const size_t sign = skip_sign(text);
    const size_t whole_end = skip_digits(text, sign);
    size_t fraction_beg = whole_end, fraction_end;
    char full[MAX_FLOAT_TEXT + 2];
    size_t len = 0;

    y->kind = SC_Y_NUM;
    if (text.len > MAX_FLOAT_TEXT)
        return false;
    if (whole_end < text.len && text.ptr[whole_end] == '.')
        fraction_beg++;
    fraction_end = skip_digits(text, fraction_beg);
    if (whole_end == sign && fraction_end == fraction_beg)
        return false;
    memcpy(full, text.ptr, whole_end);
    len = whole_end;
    if (whole_end == sign)
        full[len++] = '0';
    if (fraction_end > fraction_beg) {
        memcpy(full + len, text.ptr + whole_end, fraction_end - whole_end);
        len += fraction_end - whole_end;
    }
    memcpy(full + len, text.ptr + fraction_end, text.len - fraction_end);
    len += text.len - fraction_end;
    if (!sg_num_parse((sg_str){full, len}, &y->num))
        return false;
    y->num.v.f = sg_num_double(y->num);
    y->num.kind = SIGMA_FLOAT;
    return true;
}

/* Whether a float may be meant: integers were tried before. */
static bool looks_float(sg_str text)
{
    const size_t sign = skip_sign(text);

    return skip_digits(text, sign) != text.len;
}

void sc_scalar_resolve(sc_y *y)
{
    if (read_null(y) || read_bool(y) || read_int(y, false) ||
        (looks_float(y->text) && read_float(y)))
        return;
    y->kind = SC_Y_STR;
}

bool sc_scalar_tagged(sc_y *y, sg_str tag)
{
    if (sg_str_eq(tag, SG_S("int")))
        return read_int(y, true);
    if (sg_str_eq(tag, SG_S("float")))
        return read_float(y);
    if (sg_str_eq(tag, SG_S("bool")))
        return read_bool(y);
    if (sg_str_eq(tag, SG_S("null")))
        return read_null(y);
    y->kind = SC_Y_STR;
    return sg_str_eq(tag, SG_S("str"));
}
