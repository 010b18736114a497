/*
 * sum.c - sums over a sliding window that never drift: what was added is
 * removed exactly, so the result depends on the window's content alone.
 *
 * Integers live in a 128-bit two's complement number. Floats live in a
 * fixed-point number of 68 limbs of 32 bits that covers every double, limb 0
 * beginning at 2^-1074; carries are settled rarely and when reading.
 */
#include "agg/parts.h"

#include <float.h>
#include <math.h>
#include <string.h>

enum {
    LIMBS = 68,
    POINT = 1074,    /* bit of weight 1 */
    SETTLE = 1 << 28 /* operations a limb survives without a carry */
};

typedef struct sr_wide {
    int64_t limb[LIMBS];
    uint32_t pending;
    uint64_t floats; /* in the sum now */
} wide;

static const uint64_t LOW32 = UINT32_MAX;

/* Propagate carries: limbs below the top in [0, 2^32), the top one signed. */
static void settle(wide *w)
{
    int64_t carry = 0;

    for (int i = 0; i < LIMBS - 1; i++) {
        const int64_t v = w->limb[i] + carry;

        w->limb[i] = (int64_t)((uint64_t)v & LOW32);
        carry = (v - w->limb[i]) / ((int64_t)1 << 32);
    }
    w->limb[LIMBS - 1] += carry;
    w->pending = 0;
}

/* Add sign * magnitude * 2^(bit - POINT). */
static void add_bits(wide *w, uint64_t magnitude, unsigned bit, int64_t sign)
{
    const unsigned i = bit / 32;
    const unsigned shift = bit % 32;
    const uint64_t a = (magnitude & LOW32) << shift;
    const uint64_t b = (magnitude >> 32) << shift;

    w->limb[i] += sign * (int64_t)(a & LOW32);
    w->limb[i + 1] += sign * (int64_t)((a >> 32) + (b & LOW32));
    w->limb[i + 2] += sign * (int64_t)(b >> 32);
    if (++w->pending >= SETTLE)
        settle(w);
}

static void add_float(wide *w, double d, int64_t sign)
{
    int exponent;
    double part = frexp(fabs(d), &exponent); /* d = part * 2^exponent */

    if (d == 0)
        return;
    /* 53 bits of mantissa, fewer for the subnormal: no bit below 2^-1074. */
    int bit = exponent - DBL_MANT_DIG + POINT;

    part = ldexp(part, DBL_MANT_DIG);
    if (bit < 0) {
        part = ldexp(part, bit);
        bit = 0;
    }
    add_bits(w, (uint64_t)part, (unsigned)bit, d < 0 ? -sign : sign);
}

static void add_128(sr_sum *sum, uint64_t low, uint64_t high)
{
    sum->low += low;
    sum->high += high + (sum->low < low ? 1 : 0);
}

/* Add or, negated, remove an integer. */
static void add_integer(sr_sum *sum, sg_num n, bool negate)
{
    uint64_t low = n.kind == SIGMA_INT ? (uint64_t)n.v.i : n.v.u;
    uint64_t high = n.kind == SIGMA_INT && n.v.i < 0 ? UINT64_MAX : 0;

    if (negate) {
        low = ~low + 1;
        high = ~high + (low == 0 ? 1 : 0);
    }
    add_128(sum, low, high);
}

bool sr_sum_add(sr_pool *pool, sr_sum *sum, sg_num n)
{
    if (n.kind != SIGMA_FLOAT) {
        add_integer(sum, n, false);
        return true;
    }
    if (sum->wide == NULL) {
        sum->wide = sr_pool_alloc(pool, sizeof(wide));
        if (sum->wide == NULL)
            return false;
        memset(sum->wide, 0, sizeof(wide));
    }
    add_float(sum->wide, n.v.f, 1);
    sum->wide->floats++;
    return true;
}

void sr_sum_remove(sr_sum *sum, sg_num n)
{
    if (n.kind != SIGMA_FLOAT) {
        add_integer(sum, n, true);
        return;
    }
    add_float(sum->wide, n.v.f, -1);
    sum->wide->floats--;
}

/* The integers' sum as sign and magnitude. */
static bool magnitude_of(const sr_sum *sum, uint64_t *low, uint64_t *high)
{
    const bool negative = sum->high >> 63 != 0;

    *low = negative ? ~sum->low + 1 : sum->low;
    *high = negative ? ~sum->high + (*low == 0 ? 1 : 0) : sum->high;
    return negative;
}

/* Round a settled, non-negative number to the nearest double: the top 64 bits
 * and a sticky one for all below. Then times 2^scale. */
static double round_up(const wide *w, int scale)
{
    int top = LIMBS - 1;

    while (top > 0 && w->limb[top] == 0)
        top--;
    if (top < 3) {
        double d = 0;

        for (int i = top; i >= 0; i--)
            d += ldexp((double)w->limb[i], i * 32 - POINT + scale);
        return d;
    }
    uint64_t high = (uint64_t)w->limb[top];
    uint64_t bits = high << 32 | (uint64_t)w->limb[top - 1];
    const unsigned spare =
        high == 0 ? 0 : (unsigned)__builtin_clzll((unsigned long long)bits);
    const uint64_t next = (uint64_t)w->limb[top - 2];

    if (spare != 0)
        bits = bits << spare | next >> (32 - spare);
    bool sticky = spare != 0 ? (next << spare & LOW32) != 0 : next != 0;

    for (int i = top - 3; i >= 0 && !sticky; i--)
        sticky = w->limb[i] != 0;
    return ldexp((double)(bits | (sticky ? 1 : 0)),
                 (top - 1) * 32 - POINT - (int)spare + scale);
}

static double double_of(wide w, int scale)
{
    settle(&w);
    if (w.limb[LIMBS - 1] >= 0)
        return round_up(&w, scale);
    for (int i = 0; i < LIMBS; i++)
        w.limb[i] = -w.limb[i];
    settle(&w);
    return -round_up(&w, scale);
}

/* A sum beyond every double can have a mean that is none. */
static double quotient(const wide *w, uint64_t by)
{
    enum { FAR = 128 }; /* more than the bits that a sum has above DBL_MAX */
    const double sum = double_of(*w, 0);

    return isfinite(sum) ? sum / (double)by
                         : ldexp(double_of(*w, -FAR) / (double)by, FAR);
}

/* JSON has no infinity: what overflows stays at the largest double. */
static sg_num float_num(double d)
{
    if (d > DBL_MAX)
        d = DBL_MAX;
    if (d < -DBL_MAX)
        d = -DBL_MAX;
    return (sg_num){.kind = SIGMA_FLOAT, .v = {.f = d}};
}

/* The quotient when it is an integer that fits. */
static bool exact_value(uint64_t low, uint64_t high, bool negative, uint64_t by,
                        sg_num *out)
{
    __extension__ const unsigned __int128 sum =
        (unsigned __int128)high << 64 | low;

    if (sum % by != 0 || sum / by > UINT64_MAX)
        return false;
    const uint64_t q = (uint64_t)(sum / by);

    if (negative && q > (uint64_t)INT64_MAX + 1)
        return false;
    if (negative)
        *out = (sg_num){.kind = SIGMA_INT, .v = {.i = (int64_t)(~q + 1)}};
    else if (q <= INT64_MAX)
        *out = (sg_num){.kind = SIGMA_INT, .v = {.i = (int64_t)q}};
    else
        *out = (sg_num){.kind = SIGMA_UINT, .v = {.u = q}};
    return true;
}

/* Whether a double holds the number: most means need no more than that. */
static bool is_exact_double(uint64_t low, uint64_t high)
{
    return high == 0 && low >> DBL_MANT_DIG == 0;
}

sg_num sr_sum_value(const sr_sum *sum, uint64_t by)
{
    uint64_t low;
    uint64_t high;
    const bool negative = magnitude_of(sum, &low, &high);
    wide w;
    sg_num n;

    if (sum->wide == NULL || sum->wide->floats == 0) {
        if (exact_value(low, high, negative, by, &n))
            return n;
        if (is_exact_double(low, high))
            return float_num((negative ? -(double)low : (double)low) /
                             (double)by);
        memset(&w, 0, sizeof(w));
    } else {
        w = *sum->wide;
    }
    add_bits(&w, low, POINT, negative ? -1 : 1);
    add_bits(&w, high, POINT + 64, negative ? -1 : 1);
    return float_num(quotient(&w, by));
}

void sr_sum_free(sr_pool *pool, sr_sum *sum)
{
    sr_pool_free(pool, sum->wide, sizeof(wide));
    *sum = (sr_sum){0, 0, NULL};
}

/* -------- to bytes and back ---------------------------------------------- */

void sr_sum_save(const sr_sum *sum, sg_buf *out)
{
    sg_put_u64(out, sum->low);
    sg_put_u64(out, sum->high);
    sg_put_u8(out, sum->wide != NULL);
    if (sum->wide == NULL)
        return;
    wide w = *sum->wide;

    settle(&w);
    sg_put_u64(out, w.floats);
    for (int i = 0; i < LIMBS; i++)
        sg_put_u64(out, (uint64_t)w.limb[i]);
}

/* As sr_sum_save writes it; no sum of doubles fills the top limb. */
static bool is_settled(int64_t limb, int i)
{
    if (i < LIMBS - 1)
        return (uint64_t)limb <= LOW32;
    return limb >= INT32_MIN && limb <= INT32_MAX;
}

bool sr_sum_load(sr_pool *pool, sr_sum *sum, sg_reader *r)
{
    *sum = (sr_sum){.low = sg_read_u64(r)};
    sum->high = sg_read_u64(r);
    if (sg_read_u8(r) == 0)
        return !r->bad;
    sum->wide = sr_pool_alloc(pool, sizeof(wide));
    if (sum->wide == NULL)
        return false;
    *sum->wide = (wide){.floats = sg_read_u64(r)};
    for (int i = 0; i < LIMBS; i++) {
        sum->wide->limb[i] = (int64_t)sg_read_u64(r);
        r->bad = r->bad || !is_settled(sum->wide->limb[i], i);
    }
    return !r->bad;
}

size_t sr_sum_bytes(bool floats)
{
    return floats ? sr_pool_size(sizeof(wide)) : 0;
}

bool sr_sum_floats(const sr_sum *sum)
{
    return sum->wide != NULL && sum->wide->floats != 0;
}
