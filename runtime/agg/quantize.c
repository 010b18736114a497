/*
 * quantize.c - logarithmic buckets, as DDSketch has them: one number stands
 * for all that lie within a hundredth of it, so a multiset of such numbers
 * stays small however many events it holds.
 *
 * Where DDSketch takes a logarithm, or a polynomial in its place, here is a
 * table: the 35 bucket edges of an octave, each 2^(1/35) above the last. That
 * is 1.02000, and the bound allows a step of 1.01/0.99 = 1.02020; rounding
 * disappears in between. Finding an edge is comparing, so results are the same
 * on every machine and never decrease.
 *
 * Among subnormal numbers fewer bits than the bound needs may be left. They
 * are whole multiples of the smallest double, and the first 8192 stay as they
 * are; above, buckets are wide enough for rounding. So the bound holds for
 * every finite number.
 */
#include "agg/parts.h"

#include <assert.h>
#include <float.h>
#include <math.h>

enum {
    EDGES = 35,
    WHOLE = 256,     /* integers up to here stay themselves */
    SUBNORMAL = 8192 /* so do multiples of the smallest double */
};

/* 2^(i/35 - 1), correctly rounded: frexp's range, [1/2, 1), and its end. */
static const double edges[EDGES + 1] = {
    0x1.0000000000000p-1, 0x1.051ed35254d7bp-1, 0x1.0a57de9c16bc7p-1,
    0x1.0faba81d4e5dfp-1, 0x1.151ab8c56eea2p-1, 0x1.1aa59c4115e7dp-1,
    0x1.204ce10811781p-1, 0x1.2611186bae675p-1, 0x1.2bf2d6a54f7dap-1,
    0x1.31f2b2e54f85dp-1, 0x1.381147622f886p-1, 0x1.3e4f316812c30p-1,
    0x1.44ad116889e7bp-1, 0x1.4b2b8b0aaf3c7p-1, 0x1.51cb453b9536cp-1,
    0x1.588cea3f093bep-1, 0x1.5f7127c0ac32ap-1, 0x1.6678aee5629f8p-1,
    0x1.6da4345d1e0adp-1, 0x1.74f47075017a0p-1, 0x1.7c6a1f29e2ce6p-1,
    0x1.8406003b2ae5cp-1, 0x1.8bc8d73e16610p-1, 0x1.93b36bb158fffp-1,
    0x1.9bc68911258c0p-1, 0x1.a402feeb9c533p-1, 0x1.ac69a0f5a241cp-1,
    0x1.b4fb472022b1ap-1, 0x1.bdb8cdadbe120p-1, 0x1.c6a31548e794dp-1,
    0x1.cfbb031a741a5p-1, 0x1.d90180e09c9e4p-1, 0x1.e2777d0676770p-1,
    0x1.ec1deabbe3c14p-1, 0x1.f5f5c20dfe5f2p-1, 0x1.0000000000000p+0};

/* The last edge that is not above part. */
static unsigned edge_below(double part)
{
    unsigned low = 0;
    unsigned high = EDGES;

    while (high - low > 1) {
        const unsigned middle = (low + high) / 2;

        if (part < edges[middle])
            high = middle;
        else
            low = middle;
    }
    return low;
}

/* The number equally far, relatively, from both ends of a's bucket: 0.0099 of
 * each. a > 0 is not subnormal. */
static double middle_of_bucket(double a)
{
    int exponent;
    const double part = frexp(a, &exponent);
    const unsigned i = edge_below(part);
    const double low = edges[i];
    const double high = edges[i + 1];

    return ldexp(2 * low * high / (low + high), exponent);
}

/* As above, but integers up to `whole`, a power of two, stay themselves. If
 * one lies between a and the middle of its bucket, it is nearer, and takes a
 * with it: so the result never decreases. */
static double quantize(double a, double whole)
{
    const double middle = middle_of_bucket(a);

    if (a > whole)
        return middle;
    const double integer = a <= middle ? ceil(a) : floor(a);
    const bool between =
        a <= middle ? integer <= middle : integer >= middle && integer > 0;

    return between ? integer : middle;
}

/* Scaled by 2^1074 they are integers below 2^52; the way back rounds once, to
 * the nearest. */
static double quantize_subnormal(double a)
{
    return quantize(a * 0x1p537 * 0x1p537, SUBNORMAL) * 0x1p-1074;
}

sg_num sr_quantize(sg_num n)
{
    const double value = sg_num_double(n);
    const double a = fabs(value);
    double result = 0;

    assert(isfinite(value));
    if (a >= DBL_MIN)
        result = quantize(a, WHOLE);
    else if (a > 0)
        result = quantize_subnormal(a);
    return (sg_num){.kind = SIGMA_FLOAT,
                    .v = {.f = value < 0 ? -result : result}};
}
