/*
 * num.c - exact numbers: reading, comparing, canonical text. Integers that fit
 * 64 bits are never rounded; decimal text is read to the nearest double and
 * written as the shortest decimal that reads back. No function depends on the
 * locale.
 */
#include "base/sg_base.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Digits that can matter to rounding; what follows counts as "a bit more". */
enum { MAX_DIGITS = 800, MAX_EXPONENT = 100000 };

/* Powers of ten that are exact doubles. */
static const double exact_pow10[] = {
    1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
    1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

/* -------- reading ------------------------------------------------------- */

/* A decimal as written, taken apart. */
typedef struct decimal {
    bool negative, integral; /* integral: neither fraction nor exponent */
    sg_str whole, fraction;  /* digits */
    int32_t exponent;        /* clamped to MAX_EXPONENT */
} decimal;

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static sg_str take_digits(sg_str text, size_t *pos)
{
    const size_t beg = *pos;

    while (*pos < text.len && is_digit(text.ptr[*pos]))
        ++*pos;
    return sg_str_sub(text, beg, *pos);
}

static bool take_sign(sg_str text, size_t *pos)
{
    const bool negative = *pos < text.len && text.ptr[*pos] == '-';

    if (negative || (*pos < text.len && text.ptr[*pos] == '+'))
        ++*pos;
    return negative;
}

static bool take_exponent(sg_str text, size_t *pos, int32_t *out)
{
    bool negative;
    sg_str digits;
    int32_t n = 0;

    ++*pos;
    negative = take_sign(text, pos);
    digits = take_digits(text, pos);
    for (size_t i = 0; i < digits.len && n < MAX_EXPONENT; i++)
        n = n * 10 + (digits.ptr[i] - '0');
    if (n > MAX_EXPONENT)
        n = MAX_EXPONENT;
    *out = negative ? -n : n;
    return digits.len != 0;
}

static bool split(sg_str text, decimal *d)
{
    size_t pos = 0;

    *d = (decimal){.integral = true};
    d->negative = take_sign(text, &pos);
    d->whole = take_digits(text, &pos);
    if (d->whole.len == 0)
        return false;
    if (pos < text.len && text.ptr[pos] == '.') {
        pos++;
        d->integral = false;
        d->fraction = take_digits(text, &pos);
        if (d->fraction.len == 0)
            return false;
    }
    if (pos < text.len && (text.ptr[pos] == 'e' || text.ptr[pos] == 'E')) {
        d->integral = false;
        if (!take_exponent(text, &pos, &d->exponent))
            return false;
    }
    return pos == text.len;
}

static bool read_integer(const decimal *d, sg_num *out)
{
    uint64_t n = 0;

    for (size_t i = 0; i < d->whole.len; i++) {
        const unsigned digit = (unsigned)(d->whole.ptr[i] - '0');

        if (n > (UINT64_MAX - digit) / 10)
            return false;
        n = n * 10 + digit;
    }
    if (d->negative) {
        if (n > (uint64_t)INT64_MAX + 1)
            return false;
        out->kind = SIGMA_INT;
        out->v.i = n == 0 ? 0 : -(int64_t)(n - 1) - 1;
    } else if (n > INT64_MAX) {
        out->kind = SIGMA_UINT;
        out->v.u = n;
    } else {
        out->kind = SIGMA_INT;
        out->v.i = (int64_t)n;
    }
    return true;
}

/* Significant digits and the power of ten of the last one. */
typedef struct digits {
    char text[MAX_DIGITS + 16]; /* room for the exponent, see round_slow */
    size_t count;
    int64_t exponent;
    bool more; /* a non-zero digit was dropped */
} digits;

static void add_digits(digits *out, sg_str run)
{
    for (size_t i = 0; i < run.len; i++) {
        if (out->count == 0 && run.ptr[i] == '0')
            continue;
        if (out->count < MAX_DIGITS) {
            out->text[out->count++] = run.ptr[i];
            continue;
        }
        out->more = out->more || run.ptr[i] != '0';
        out->exponent++;
    }
}

/* Up to 2^53 times or over an exact power of ten is rounded once. */
static bool round_fast(const digits *in, double *out)
{
    uint64_t n = 0;

    if (in->count > 15 || in->exponent < -22 || in->exponent > 22)
        return false;
    for (size_t i = 0; i < in->count; i++)
        n = n * 10 + (uint64_t)(in->text[i] - '0');
    *out = (double)n;
    if (in->exponent < 0)
        *out /= exact_pow10[-in->exponent];
    else
        *out *= exact_pow10[in->exponent];
    return true;
}

static double round_slow(digits *in)
{
    int64_t exponent = in->exponent;

    if (in->more)
        in->text[in->count - 1] |= 1; /* breaks ties; even digits only */
    if (exponent > MAX_EXPONENT)
        exponent = MAX_EXPONENT;
    if (exponent < -MAX_EXPONENT)
        exponent = -MAX_EXPONENT;
    snprintf(in->text + in->count, 16, "e%d", (int)exponent);
    return strtod(in->text, NULL);
}

static double read_double(const decimal *d)
{
    digits in; /* its text stays uninitialised: this is a hot path */
    double value;

    in.count = 0;
    in.more = false;
    in.exponent = d->exponent;
    add_digits(&in, d->whole);
    add_digits(&in, d->fraction);
    in.exponent -= (int64_t)d->fraction.len;
    if (in.count == 0)
        value = 0;
    else if (!round_fast(&in, &value))
        value = round_slow(&in);
    return d->negative ? -value : value;
}

bool sg_num_parse(sg_str text, sg_num *out)
{
    decimal d;

    if (!split(text, &d))
        return false;
    if (d.integral && read_integer(&d, out))
        return true;
    out->kind = SIGMA_FLOAT;
    out->v.f = read_double(&d);
    return isfinite(out->v.f);
}

/* -------- comparing ----------------------------------------------------- */

static int cmp_uint(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

static int cmp_int(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

static int cmp_double(double a, double b)
{
    return (a > b) - (a < b);
}

static int cmp_double_int(double a, int64_t b)
{
    double whole;
    int order;

    if (a >= 0x1p63)
        return 1;
    if (a < -0x1p63)
        return -1;
    whole = trunc(a);
    order = cmp_int((int64_t)whole, b);
    return order != 0 ? order : cmp_double(a, whole);
}

static int cmp_double_uint(double a, uint64_t b)
{
    double whole;
    int order;

    if (a >= 0x1p64)
        return 1;
    if (a < 0)
        return -1;
    whole = trunc(a);
    order = cmp_uint((uint64_t)whole, b);
    return order != 0 ? order : cmp_double(a, whole);
}

static int cmp_float(double a, sg_num b)
{
    if (b.kind == SIGMA_FLOAT)
        return cmp_double(a, b.v.f);
    if (b.kind == SIGMA_UINT)
        return cmp_double_uint(a, b.v.u);
    return cmp_double_int(a, b.v.i);
}

int sg_num_cmp(sg_num a, sg_num b)
{
    if (a.kind == SIGMA_FLOAT)
        return cmp_float(a.v.f, b);
    if (b.kind == SIGMA_FLOAT)
        return -cmp_float(b.v.f, a);
    if (a.kind == SIGMA_INT && b.kind == SIGMA_INT)
        return cmp_int(a.v.i, b.v.i);
    if (a.kind == SIGMA_INT)
        return a.v.i < 0 ? -1 : cmp_uint((uint64_t)a.v.i, b.v.u);
    if (b.kind == SIGMA_INT)
        return b.v.i < 0 ? 1 : cmp_uint(a.v.u, (uint64_t)b.v.i);
    return cmp_uint(a.v.u, b.v.u);
}

double sg_num_double(sg_num n)
{
    if (n.kind == SIGMA_FLOAT)
        return n.v.f;
    return n.kind == SIGMA_UINT ? (double)n.v.u : (double)n.v.i;
}

/* -------- text ---------------------------------------------------------- */

static size_t put_uint(char *out, uint64_t n)
{
    char text[20];
    size_t len = 0;

    do {
        text[len++] = (char)('0' + n % 10);
        n /= 10;
    } while (n != 0);
    for (size_t i = 0; i < len; i++)
        out[i] = text[len - 1 - i];
    return len;
}

/* Shortest digits of a positive double: value = 0.DIGITS * 10^point. */
typedef struct shortest {
    char digits[24];
    size_t count;
    int point;
} shortest;

static void strip_zeros(shortest *s)
{
    while (s->count > 1 && s->digits[s->count - 1] == '0')
        s->count--;
}

/* Values such as 12.25: few decimals, found with exact arithmetic. */
static bool shorten_fast(double f, shortest *s)
{
    for (int decimals = 0; decimals <= 9; decimals++) {
        const double scaled = f * exact_pow10[decimals];
        const double n = rint(scaled);

        if (scaled >= 1e15)
            return false;
        if (n < 1 || n / exact_pow10[decimals] != f)
            continue;
        s->count = put_uint(s->digits, (uint64_t)n);
        s->point = (int)s->count - decimals;
        strip_zeros(s);
        return true;
    }
    return false;
}

/* Try `precision` digits; whether they read back as f. */
static bool shorten_to(double f, int precision, shortest *s)
{
    char text[48];
    const char *e;
    int exponent;

    snprintf(text, sizeof text, "%.*e", precision - 1, f);
    e = strchr(text, 'e');
    exponent = (int)strtol(e + 1, NULL, 10);
    s->count = 0;
    for (const char *p = text; p < e; p++)
        if (is_digit(*p))
            s->digits[s->count++] = *p;
    s->point = exponent + 1;
    snprintf(text, sizeof text, "%.*se%d", (int)s->count, s->digits,
             s->point - (int)s->count);
    if (precision < 17 && strtod(text, NULL) != f)
        return false;
    strip_zeros(s);
    return true;
}

static void shorten(double f, shortest *s)
{
    /* Below DBL_MIN fewer than 15 digits may do. */
    int precision = f < DBL_MIN ? 1 : 15;

    if (shorten_fast(f, s))
        return;
    while (!shorten_to(f, precision, s))
        precision++;
}

static size_t put_zeros(char *out, int count)
{
    for (int i = 0; i < count; i++)
        out[i] = '0';
    return count > 0 ? (size_t)count : 0;
}

static size_t put_plain(char *out, const shortest *s)
{
    const int count = (int)s->count;
    const int whole = s->point <= 0 ? 0 : s->point < count ? s->point : count;
    size_t len = 0;

    memcpy(out, s->digits, (size_t)whole);
    len += (size_t)whole;
    len += put_zeros(out + len, whole == 0 ? 1 : s->point - whole);
    if (whole == count)
        return len;
    out[len++] = '.';
    len += put_zeros(out + len, -s->point);
    memcpy(out + len, s->digits + whole, (size_t)(count - whole));
    return len + (size_t)(count - whole);
}

static size_t put_scientific(char *out, const shortest *s)
{
    const int exponent = s->point - 1;
    size_t len = 0;

    out[len++] = s->digits[0];
    if (s->count > 1)
        out[len++] = '.';
    memcpy(out + len, s->digits + 1, s->count - 1);
    len += s->count - 1;
    out[len++] = 'e';
    out[len++] = exponent < 0 ? '-' : '+';
    return len + put_uint(out + len, (uint64_t)abs(exponent));
}

static size_t put_float(char *out, double f)
{
    shortest s;
    size_t len = 0;

    if (f == 0)
        return put_uint(out, 0);
    if (f < 0)
        out[len++] = '-';
    shorten(fabs(f), &s);
    if (s.point > 21 || s.point < -5)
        return len + put_scientific(out + len, &s);
    return len + put_plain(out + len, &s);
}

size_t sg_num_text(sg_num n, char out[SG_NUM_TEXT])
{
    size_t len = 0;

    if (n.kind == SIGMA_FLOAT) {
        len = put_float(out, n.v.f);
    } else if (n.kind == SIGMA_UINT) {
        len = put_uint(out, n.v.u);
    } else {
        if (n.v.i < 0)
            out[len++] = '-';
        len += put_uint(out + len, n.v.i < 0 ? UINT64_C(0) - (uint64_t)n.v.i
                                             : (uint64_t)n.v.i);
    }
    out[len] = '\0';
    return len;
}

bool sg_num_holds(sg_num value, sigma_cmp cmp, sg_num threshold)
{
    const int order = sg_num_cmp(value, threshold);

    switch (cmp) {
    case SIGMA_CMP_EQ:
        return order == 0;
    case SIGMA_CMP_NEQ:
        return order != 0;
    case SIGMA_CMP_LT:
        return order < 0;
    case SIGMA_CMP_LTE:
        return order <= 0;
    case SIGMA_CMP_GT:
        return order > 0;
    case SIGMA_CMP_GTE:
        return order >= 0;
    default:
        return false;
    }
}
