/*
 * test_quantize.c - buckets of numbers: every bucket there is, from edge to
 * edge; random numbers and integers; beside DDSketch's mapping with log(); and
 * percentiles of quantized numbers.
 */
#include "agg/parts.h"
#include "support/test.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

static uint64_t state = 7;

static uint64_t random_64(void)
{
    uint64_t z = state += UINT64_C(0x9E3779B97F4A7C15);

    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

static double of_bits(uint64_t bits)
{
    double d;

    memcpy(&d, &bits, sizeof(d));
    return d;
}

static uint64_t bits_of(double d)
{
    uint64_t bits;

    memcpy(&bits, &d, sizeof(bits));
    return bits;
}

static sg_num real(double f)
{
    return (sg_num){.kind = SIGMA_FLOAT, .v = {.f = f}};
}

static sg_num integer(int64_t i)
{
    return (sg_num){.kind = SIGMA_INT, .v = {.i = i}};
}

static sg_num natural(uint64_t u)
{
    return (sg_num){.kind = SIGMA_UINT, .v = {.u = u}};
}

static double q(double f)
{
    return sr_quantize(real(f)).v.f;
}

/* In more precision than a double has, so that the check does not round. */
static bool is_near(double have, double want)
{
    const long double off = fabsl((long double)have - (long double)want);

    return off <= (long double)SR_QUANTIZE_ERROR * fabsl((long double)want);
}

/* The last double that goes where `bits` goes, as bits. */
static uint64_t bucket_end(uint64_t bits)
{
    const double want = q(of_bits(bits));
    uint64_t step = 1;
    uint64_t end = bits;
    const uint64_t last = bits_of(DBL_MAX);

    while (step <= last - end && q(of_bits(end + step)) <= want) {
        end += step;
        step *= 2;
    }
    for (; step != 0; step /= 2)
        if (step <= last - end && q(of_bits(end + step)) <= want)
            end += step;
    return end;
}

/* Every bucket of the positive doubles. The result is constant inside, so the
 * bound at both edges is the bound for all. */
static void test_every_bucket(void)
{
    uint64_t bits = 1;
    uint32_t buckets = 0;
    double before = 0;
    double widest = 0;

    for (;;) {
        const uint64_t end = bucket_end(bits);
        const double first = of_bits(bits);
        const double last = of_bits(end);
        const double stands = q(first);
        const double off =
            fmax((stands - first) / first, (last - stands) / last);

        buckets++;
        widest = fmax(widest, off);
        if (!(stands > before && q(last) == stands && q(stands) == stands &&
              is_near(stands, first) && is_near(stands, last) &&
              q(-first) == -stands && q(-last) == -stands))
            CHECK("a bucket is wrong" == NULL);
        before = stands;
        if (last >= DBL_MAX)
            break;
        bits = end + 1;
    }
    printf("%u buckets of one sign, off by at most %.6f\n", buckets, widest);
    CHECK_INT(2 * buckets + 1, SR_QUANTIZE_BUCKETS);
    CHECK(before < DBL_MAX);
}

static void test_random(void)
{
    unsigned bad = 0;
    double last = 0;
    double last_q = 0;

    for (uint32_t i = 0; i < 3000000; i++) {
        const double d = of_bits(random_64());

        if (!isfinite(d))
            continue;
        const double have = q(d);

        bad += !is_near(have, d) || q(have) != have || q(-d) != -have;
        bad += d < last ? have > last_q : have < last_q;
        last = d;
        last_q = have;
    }
    CHECK_INT(bad, 0);
    /* Where most numbers are: close together, so order matters. */
    for (uint32_t i = 0; i < 1000000; i++) {
        const double a = (double)(random_64() % 1000000) / 997;
        const double b = nextafter(a, random_64() % 2 == 0 ? 0 : INFINITY);

        bad += a < b ? q(a) > q(b) : q(a) < q(b);
        bad += !is_near(q(a), a);
    }
    CHECK_INT(bad, 0);
}

/* |have - want| <= want / 100 in integers of 128 bits. */
static bool near_integer(double have, uint64_t want)
{
    /* A double from 2^53 is an integer; below, want is exactly a double. */
    if (want < (uint64_t)1 << 53)
        return is_near(have, (double)want);
    __extension__ typedef unsigned __int128 wide;
    const wide a = (wide)have;
    const wide off = a > want ? a - want : want - a;

    return off * 100 <= want;
}

static void test_integers(void)
{
    unsigned bad = 0;

    CHECK(sg_num_cmp(sr_quantize(integer(0)), integer(0)) == 0);
    CHECK(!signbit(q(-0.0)) && q(-0.0) == 0);
    for (int64_t i = -256; i <= 256; i++)
        CHECK(sg_num_cmp(sr_quantize(integer(i)), integer(i)) == 0);
    CHECK(sg_num_cmp(sr_quantize(integer(257)), integer(257)) != 0);
    for (unsigned shift = 8; shift < 64; shift++)
        for (uint64_t d = 0; d < 2000; d++) {
            const uint64_t edge = (uint64_t)1 << shift;
            const uint64_t n = d < 1000 ? edge - d % edge : edge + (d - 1000);
            const double have = sr_quantize(natural(n)).v.f;
            const double next =
                n == UINT64_MAX ? have : sr_quantize(natural(n + 1)).v.f;

            bad += !near_integer(have, n) || next < have;
            if (n > INT64_MAX)
                continue;
            bad += sr_quantize(integer((int64_t)n)).v.f != have;
            bad += sr_quantize(integer(-(int64_t)n)).v.f != -have;
        }
    for (uint32_t i = 0; i < 1000000; i++) {
        const uint64_t n = random_64() >> (i & 63);

        bad += n != 0 && !near_integer(sr_quantize(natural(n)).v.f, n);
    }
    CHECK_INT(bad, 0);
    CHECK(near_integer(sr_quantize(natural(UINT64_MAX)).v.f, UINT64_MAX));
    CHECK(near_integer(-sr_quantize(integer(INT64_MIN)).v.f,
                       (uint64_t)INT64_MAX + 1));
}

/* The mapping with a logarithm: bucket i is (gamma^(i-1), gamma^i]. */
static double reference(double a, int *bucket)
{
    const double alpha = SR_QUANTIZE_ERROR;
    const double gamma = (1 + alpha) / (1 - alpha);

    *bucket = (int)ceil(log(a) / log(gamma));
    return 2 * pow(gamma, *bucket) / (gamma + 1);
}

static void test_reference(void)
{
    unsigned bad = 0;
    unsigned ours = 0;
    unsigned theirs = 0;
    unsigned integers = 0;
    double last = 0;
    int last_bucket = -1000;

    for (unsigned i = 0; i < 46000; i++) {
        const double a = exp(i * 3.0034e-4); /* 1 to 1e6 */
        int bucket;
        const double want = reference(a, &bucket);
        const double have = q(a);

        /* Both are within a hundredth of a. */
        bad += fabs(have - want) > 2.01 * SR_QUANTIZE_ERROR * a;
        ours += have > last;
        integers += have > last && have <= 256 && have == floor(have);
        theirs += bucket > last_bucket;
        last = have;
        last_bucket = bucket;
    }
    printf("from 1 to 1e6: %u results, %u of them small integers; with log() "
           "%u\n",
           ours, integers, theirs);
    CHECK_INT(bad, 0);
    CHECK(ours - integers <= theirs + 10);
}

static unsigned distinct_integers(uint64_t most)
{
    unsigned count = 0;
    double last = 0;

    for (uint64_t n = 1; n <= most; n++) {
        const double have = sr_quantize(natural(n)).v.f;

        count += have > last;
        last = have;
    }
    return count;
}

static unsigned distinct_doubles(double low, double high)
{
    unsigned count = 0;

    for (uint64_t bits = bits_of(low); bits <= bits_of(high);
         bits = bucket_end(bits) + 1)
        count++;
    return count;
}

static void test_distinct(void)
{
    printf("integers to 1e6: %u results; doubles from 1 to 1e6: %u\n",
           distinct_integers(1000000), distinct_doubles(1, 1e6));
    CHECK_INT(distinct_integers(1000000), 674);
    CHECK_INT(distinct_doubles(1, 1e6), 954);
    CHECK_INT(distinct_doubles(0x1p40, 0x1.fffffffffffffp40), 35);
}

/* Pinned bits: the same on every machine. */
static void test_pinned(void)
{
    /* An edge begins its bucket. */
    CHECK(q(0x1.051ed35254d7bp10) > 0x1.051ed35254d7bp10);
    CHECK(q(0x1.051ed35254d7ap10) < 0x1.051ed35254d7ap10);
    CHECK_INT(bits_of(q(1000)), 0x408F0FD5CAD89BB7);
    CHECK_INT(bits_of(q(3.3)), 0x400A82BAA2B0A39D);
    CHECK_INT(bits_of(q(DBL_MIN)), 0x0010288EC48C67E9);
    CHECK_INT(bits_of(q(-1e300)), 0xFE3802E6AE6BE5E1);
}

static int by_value(const void *a, const void *b)
{
    const double x = *(const double *)a;
    const double y = *(const double *)b;

    return (x > y) - (x < y);
}

/* As the engine uses it: percentiles that fall on a number are within the
 * bound of the exact ones, and the tree stays small. */
static void test_percentiles(void)
{
    enum { COUNT = 20001 };
    static double values[COUNT];
    static const double percents[] = {0, 5, 25, 50, 90, 99, 99.5, 100};
    sr_pool pool = {.limit = (uint64_t)1 << 30};
    sr_order order = {0};

    for (unsigned i = 0; i < COUNT; i++) {
        const double u = (double)(random_64() >> 11) * 0x1p-53;

        values[i] = (i % 3 == 0 ? -1 : 1) * 50 / (u + 1e-4);
        CHECK(sr_order_add(&pool, &order, sr_quantize(real(values[i])), 1));
    }
    CHECK(pool.used <= 262144); /* 20001 nodes would take 1.2 MB */
    qsort(values, COUNT, sizeof(*values), by_value);
    for (unsigned p = 0; p < sizeof(percents) / sizeof(*percents); p++) {
        const unsigned rank = (unsigned)(percents[p] * (COUNT - 1) / 100);
        const sg_num have = sr_order_percentile(&order, percents[p]);

        CHECK(is_near(sg_num_double(have), values[rank]));
    }
    for (unsigned i = 0; i < COUNT; i++)
        sr_order_remove(&pool, &order, sr_quantize(real(values[i])));
    CHECK(order.root == NULL);
    sr_pool_close(&pool);
}

/* Between numbers of opposite sign a percentile may be any share off, but not
 * more than its scale says. */
static void test_scale(void)
{
    enum { ROUNDS = 2000, MOST = 12 };
    unsigned opposite = 0;

    for (unsigned round = 0; round < ROUNDS; round++) {
        const unsigned count = 2 + (unsigned)(random_64() % (MOST - 1));
        const double percent = (double)(random_64() % 101);
        sr_pool pool = {.limit = 1 << 20};
        sr_order exact = {0};
        sr_order about = {0};

        for (unsigned i = 0; i < count; i++) {
            const double u = (double)(random_64() >> 11) * 0x1p-53 - 0.5;

            CHECK(sr_order_add(&pool, &exact, real(1000 * u), 1));
            CHECK(sr_order_add(&pool, &about, sr_quantize(real(1000 * u)), 1));
        }
        const double want = sg_num_double(sr_order_percentile(&exact, percent));
        const double have = sg_num_double(sr_order_percentile(&about, percent));
        const double scale = sr_order_scale(&about, percent);

        CHECK(fabs(have - want) <= SR_QUANTIZE_ERROR * scale);
        CHECK(scale >= fabs(have));
        opposite += scale > fabs(have);
        sr_order_free(&pool, &exact);
        sr_order_free(&pool, &about);
        sr_pool_close(&pool);
    }
    CHECK(opposite > ROUNDS / 20);
    CHECK(opposite < ROUNDS / 2);
}

int main(void)
{
    test_every_bucket();
    test_random();
    test_integers();
    test_reference();
    test_distinct();
    test_pinned();
    test_percentiles();
    test_scale();
    return TEST_END();
}
