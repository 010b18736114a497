/*
 * test_hll.c - the counting HyperLogLog against a table of all counts and a
 * plain reading of the estimator; its error, memory, the pool's limit, and
 * the portable form whole and damaged.
 */
#include "agg/parts.h"
#include "support/test.h"

#include <math.h>
#include <stdlib.h>

enum { REGISTERS = 4096, RHOS = 54 };

static uint64_t state = 1;

static uint64_t random_64(void)
{
    uint64_t z = state += UINT64_C(0x9E3779B97F4A7C15);

    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

static sr_pool fresh_pool(void)
{
    return (sr_pool){0};
}

static uint32_t cell_of(unsigned reg, unsigned rho)
{
    return reg << 6 | rho;
}

/* The cell of key number i of a series. */
static uint32_t key_cell(uint32_t series, uint32_t i)
{
    char text[32];
    const int len = snprintf(text, sizeof(text), "%u/%u", series, i);

    return sr_hll_cell((sg_str){text, (size_t)len});
}

/* -------- the obvious counterpart ----------------------------------------- */

static uint32_t model[REGISTERS][RHOS];

/* The estimator as it is written down: sums of powers, no recursion. */
static uint64_t model_estimate(void)
{
    double histogram[RHOS] = {0};
    double z = 0;

    for (unsigned i = 0; i < REGISTERS; i++) {
        unsigned rho = RHOS - 1;

        while (rho > 0 && model[i][rho] == 0)
            rho--;
        histogram[rho]++;
    }
    if (histogram[0] >= REGISTERS)
        return 0;
    const double empty = histogram[0] / REGISTERS;
    const double full = 1 - histogram[RHOS - 1] / REGISTERS;

    z += REGISTERS * empty;
    for (int k = 1; k < 60; k++)
        z += REGISTERS * pow(empty, pow(2, k)) * pow(2, k - 1);
    for (int k = 1; k < RHOS - 1; k++)
        z += histogram[k] * pow(2, -k);
    double tail = full < 1 ? 1 - full : 0;

    for (int k = 1; full > 0 && full < 1 && k < 60; k++)
        tail -= pow(1 - pow(full, pow(2, -k)), 2) * pow(2, -k);
    z += REGISTERS * tail / 3 * pow(2, 2 - RHOS);
    return (uint64_t)llround(REGISTERS / (2 * log(2)) * REGISTERS / z);
}

/* The same multiset, built from nothing in one go. */
static sr_hll *from_model(sr_pool *pool)
{
    sr_hll *hll = sr_hll_new(pool);

    for (unsigned rho = RHOS - 1; rho >= 1; rho--)
        for (unsigned i = 0; i < REGISTERS; i++)
            for (uint32_t k = 0; k < model[i][rho]; k++)
                CHECK(sr_hll_add(pool, hll, cell_of(i, rho)));
    return hll;
}

static bool same(const sr_hll *a, const sr_hll *b)
{
    sg_buf one = {0};
    sg_buf two = {0};

    sr_hll_save(a, &one);
    sr_hll_save(b, &two);
    const bool equal = sg_str_eq(sg_buf_str(&one), sg_buf_str(&two)) &&
                       sr_hll_estimate(a) == sr_hll_estimate(b) &&
                       sr_hll_events(a) == sr_hll_events(b);

    sg_buf_free(&one);
    sg_buf_free(&two);
    return equal;
}

static void check_model(sr_pool *pool, const sr_hll *hll)
{
    sr_hll *fresh = from_model(pool);
    sg_buf bytes = {0};

    CHECK(same(hll, fresh));
    const double want = (double)model_estimate();

    CHECK(fabs((double)sr_hll_estimate(hll) - want) <= want * 1e-12);
    sr_hll_free(pool, fresh);
    sr_hll_save(hll, &bytes);
    fresh = sr_hll_load(pool, sg_buf_str(&bytes));
    CHECK(fresh != NULL && same(hll, fresh));
    sr_hll_free(pool, fresh);
    sg_buf_free(&bytes);
}

/* -------- tests ------------------------------------------------------------
 */

static void test_cells(void)
{
    /* Pinned: alerts must not depend on the machine or the library. */
    CHECK_INT(sr_hll_cell(SG_S("")), cell_of(0x2D0, 2));
    CHECK(sr_hll_cell(SG_S("a")) != sr_hll_cell(SG_S("b")));
    CHECK(!sr_hll_is_cell(0) && !sr_hll_is_cell(UINT32_MAX));
    CHECK(!sr_hll_is_cell(cell_of(0, 0)) && !sr_hll_is_cell(cell_of(0, RHOS)));
    CHECK(sr_hll_is_cell(cell_of(0, 1)) && sr_hll_is_cell(cell_of(4095, 53)));
    CHECK(!sr_hll_is_cell(cell_of(4096, 1)));
    for (uint32_t i = 0; i < 10000; i++)
        CHECK(sr_hll_is_cell(key_cell(0, i)));
}

static void test_small(void)
{
    sr_pool pool = fresh_pool();
    sr_hll *hll = sr_hll_new(&pool);

    CHECK_INT(sr_hll_estimate(hll), 0);
    sr_hll_remove(&pool, hll, cell_of(7, 7)); /* not there: left alone */
    CHECK_INT(sr_hll_events(hll), 0);
    for (uint32_t i = 0; i < 5; i++)
        for (uint32_t k = 0; k < 3; k++)
            CHECK(sr_hll_add(&pool, hll, key_cell(0, i)));
    CHECK_INT(sr_hll_estimate(hll), 5);
    CHECK_INT(sr_hll_events(hll), 15);
    for (uint32_t i = 0; i < 15; i++)
        sr_hll_remove(&pool, hll, key_cell(0, i % 5));
    CHECK_INT(sr_hll_estimate(hll), 0);
    for (uint32_t i = 0; i < 100000; i++)
        CHECK(sr_hll_add(&pool, hll, key_cell(0, i)));
    CHECK_INT(sr_hll_estimate(hll), 100363);
    sr_hll_free(&pool, hll);
    sr_hll_free(&pool, NULL);
    sr_pool_close(&pool);
}

/* A cell: mostly like a key's, sometimes any at all, so that high rhos occur,
 * sometimes one of a few, so that counts grow wide. */
static uint32_t random_cell(void)
{
    const uint64_t r = random_64();

    if (r % 4 == 0)
        return cell_of(r >> 8 & 4095, 1 + (unsigned)(r >> 32) % 53);
    if (r % 4 == 1)
        return cell_of(r >> 8 & 3, 1 + (unsigned)(r >> 32) % 3);
    return key_cell(2, (uint32_t)(r >> 32) % 5000);
}

enum { LIVE_MOST = 30000 };

static uint32_t live[LIVE_MOST];

static void forget(sr_pool *pool, sr_hll *hll, uint32_t at, uint32_t *count)
{
    const uint32_t cell = live[at];

    sr_hll_remove(pool, hll, cell);
    model[cell >> 6][cell & 63]--;
    live[at] = live[--*count];
}

static void test_random(void)
{
    sr_pool pool = fresh_pool();
    sr_hll *hll = sr_hll_new(&pool);
    uint32_t count = 0;

    memset(model, 0, sizeof(model));
    for (unsigned round = 0; round < 12; round++) {
        /* Alternately towards full and towards empty. */
        const uint64_t chance = round % 2 == 0 ? 75 : 25;

        for (unsigned step = 0; step < 40000; step++) {
            const uint64_t r = random_64();

            if (count == 0 || (count < LIVE_MOST && r % 100 < chance)) {
                const uint32_t cell = live[count++] = random_cell();

                model[cell >> 6][cell & 63]++;
                CHECK(sr_hll_add(&pool, hll, cell));
            } else {
                forget(&pool, hll, (uint32_t)(r >> 32) % count, &count);
            }
        }
        check_model(&pool, hll);
    }
    while (count > 0)
        forget(&pool, hll, count - 1, &count);
    check_model(&pool, hll);
    CHECK_INT(sr_hll_estimate(hll), 0);
    sr_hll_free(&pool, hll);
    sr_pool_close(&pool);
}

/* Counts over 8 and 16 bits, and back. */
static void test_wide(void)
{
    sr_pool pool = fresh_pool();
    sr_hll *hll = sr_hll_new(&pool);

    memset(model, 0, sizeof(model));
    for (uint32_t k = 0; k < 70000; k++) {
        CHECK(sr_hll_add(&pool, hll, cell_of(4095, 9)));
        CHECK(k % 2 != 0 || sr_hll_add(&pool, hll, cell_of(0, 9)));
    }
    model[4095][9] = 70000;
    model[0][9] = 35000;
    check_model(&pool, hll);
    for (uint32_t k = 0; k < 69999; k++)
        sr_hll_remove(&pool, hll, cell_of(4095, 9));
    model[4095][9] = 1;
    check_model(&pool, hll);
    sr_hll_free(&pool, hll);
    sr_pool_close(&pool);
}

/* All registers full of zeros: no key set does that, damaged state may. */
static void test_extreme(void)
{
    sr_pool pool = fresh_pool();
    sr_hll *hll = sr_hll_new(&pool);

    memset(model, 0, sizeof(model));
    for (unsigned i = 0; i < REGISTERS; i++)
        CHECK(sr_hll_add(&pool, hll, cell_of(i, 53)));
    CHECK(sr_hll_estimate(hll) == UINT64_MAX);
    sr_hll_remove(&pool, hll, cell_of(5, 53));
    for (unsigned i = 0; i < REGISTERS; i++)
        model[i][53] = i != 5;
    check_model(&pool, hll);
    /* Half of them: the estimator's correction for these counts for much. */
    for (unsigned i = 0; i < REGISTERS; i++) {
        if (i % 2 == 0)
            continue;
        sr_hll_remove(&pool, hll, cell_of(i, 53));
        model[i][53] = 0;
        CHECK(sr_hll_add(&pool, hll, cell_of(i, 50)));
        model[i][50] = 1;
    }
    check_model(&pool, hll);
    for (unsigned i = 0; i < REGISTERS; i++)
        sr_hll_remove(&pool, hll, cell_of(i, i % 2 == 0 ? 53 : 50));
    CHECK_INT(sr_hll_events(hll), 0);
    for (unsigned i = 0; i < REGISTERS; i++)
        CHECK(sr_hll_add(&pool, hll, cell_of(i, 52)));
    CHECK(sr_hll_estimate(hll) > (uint64_t)1 << 63);
    CHECK(sr_hll_estimate(hll) < UINT64_MAX);
    sr_hll_free(&pool, hll);
    sr_pool_close(&pool);
}

/* -------- error ------------------------------------------------------------
 */

typedef struct spread {
    uint32_t n, runs, beyond; /* keys; series; those beyond SR_HLL_ERROR */
    double most, squares;     /* of the relative errors */
} spread;

static void note_error(spread *s, uint64_t estimate)
{
    const double error = fabs((double)estimate - s->n) / s->n;

    s->runs++;
    s->beyond += error > SR_HLL_ERROR;
    s->squares += error * error;
    if (error > s->most)
        s->most = error;
}

/* One series of keys, as far as spreads[count - 1].n. */
static void run_series(spread *spreads, size_t count, uint32_t series)
{
    sr_pool pool = fresh_pool();
    sr_hll *hll = sr_hll_new(&pool);
    uint32_t i = 0;

    for (size_t s = 0; s < count; s++) {
        while (i < spreads[s].n)
            (void)sr_hll_add(&pool, hll, key_cell(series, i++));
        note_error(&spreads[s], sr_hll_estimate(hll));
    }
    sr_hll_free(&pool, hll);
    sr_pool_close(&pool);
}

static void test_error(void)
{
    spread spreads[] = {
        {.n = 100}, {.n = 1000}, {.n = 10000}, {.n = 100000}, {.n = 1000000}};

    for (uint32_t series = 0; series < 300; series++)
        run_series(spreads, series < 10 ? 5 : series < 60 ? 4 : 3, series);
    for (unsigned s = 0; s < 5; s++) {
        const double rms = sqrt(spreads[s].squares / spreads[s].runs);

        printf("%7u keys, %3u series: error at most %.4f, rms %.4f\n",
               spreads[s].n, spreads[s].runs, spreads[s].most, rms);
        CHECK(rms < SR_HLL_ERROR / 3 * 1.15);
        CHECK(spreads[s].most < SR_HLL_ERROR / 3 * 4);
        CHECK(spreads[s].beyond <= spreads[s].runs / 100);
    }
}

/* -------- memory ------------------------------------------------------------
 */

/* Bytes a sketch takes. */
static size_t bytes_taken(uint32_t keys)
{
    enum { SKETCHES = 50 };
    sr_pool pool = fresh_pool();
    sr_hll *many[SKETCHES];

    for (uint32_t k = 0; k < SKETCHES; k++) {
        many[k] = sr_hll_new(&pool);
        for (uint32_t i = 0; i < keys; i++)
            (void)sr_hll_add(&pool, many[k], key_cell(k, i));
    }
    const size_t taken = (size_t)(pool.used / SKETCHES);

    for (uint32_t k = 0; k < SKETCHES; k++)
        sr_hll_free(&pool, many[k]);
    sr_pool_close(&pool);
    return taken;
}

static void test_memory(void)
{
    static const struct {
        uint32_t keys;
        size_t most;
    } rows[] = {{1000, 18000}, {10000, 26000}, {100000, 40000}};

    for (unsigned i = 0; i < 3; i++) {
        const size_t taken = bytes_taken(rows[i].keys);

        printf("%7u keys: %zu bytes\n", rows[i].keys, taken);
        CHECK(taken <= rows[i].most);
    }
}

/* -------- the pool's limit --------------------------------------------------
 */

/* Leave nothing of a pool. */
static void starve(sr_pool *pool)
{
    pool->limit = pool->used == 0 ? 1 : pool->used;
}

static void test_add_at_limit(void)
{
    sr_pool pool = fresh_pool();
    sr_pool other = fresh_pool();
    sr_hll *hll = sr_hll_new(&pool);
    sr_hll *twin = sr_hll_new(&other);
    uint32_t refused = 0;

    for (uint32_t i = 0; i < 3000; i++) {
        (void)sr_hll_add(&pool, hll, key_cell(0, i));
        (void)sr_hll_add(&other, twin, key_cell(0, i));
    }
    starve(&pool);
    CHECK(sr_hll_new(&pool) == NULL);
    for (uint32_t i = 0; i < 20000; i++) {
        const uint32_t cell = random_cell();

        if (sr_hll_add(&pool, hll, cell))
            (void)sr_hll_add(&other, twin, cell);
        else
            refused++;
        if (i % 500 == 0)
            CHECK(same(hll, twin));
    }
    CHECK(refused > 1000 && refused < 19000);
    CHECK(same(hll, twin));
    sr_hll_free(&pool, hll);
    sr_hll_free(&other, twin);
    sr_pool_close(&pool);
    sr_pool_close(&other);
}

/* Sizes of the pieces a saved sketch takes, the sketch itself first. */
static unsigned piece_sizes(sg_str bytes, size_t *sizes)
{
    unsigned count = 0;

    sizes[count++] = 5120;
    for (size_t at = 1; at < bytes.len - 8; at += 2 + sizes[count - 1])
        sizes[count++] = (size_t)512 << bytes.ptr[at + 1];
    return count;
}

/* Load with memory for the first `grant` pieces only. */
static void load_with(sg_str bytes, const size_t *sizes, unsigned count,
                      unsigned grant)
{
    sr_pool pool = fresh_pool();
    void *pieces[RHOS];

    for (unsigned i = 0; i < grant; i++)
        pieces[i] = sr_pool_alloc(&pool, sizes[i]);
    starve(&pool);
    for (unsigned i = 0; i < grant; i++)
        sr_pool_free(&pool, pieces[i], sizes[i]);
    sr_hll *hll = sr_hll_load(&pool, bytes);

    CHECK((hll != NULL) == (grant == count));
    sr_hll_free(&pool, hll);
    for (unsigned i = 0; i < grant; i++)
        CHECK(sr_pool_alloc(&pool, sizes[i]) != NULL);
    sr_pool_close(&pool);
}

static void test_load_at_limit(void)
{
    sr_pool pool = fresh_pool();
    sr_hll *hll = sr_hll_new(&pool);
    size_t sizes[RHOS];
    sg_buf bytes = {0};

    for (uint32_t i = 0; i < 20000; i++)
        (void)sr_hll_add(&pool, hll, key_cell(0, i));
    sr_hll_save(hll, &bytes);
    const unsigned count = piece_sizes(sg_buf_str(&bytes), sizes);

    CHECK(count > 10 && count <= RHOS);
    for (unsigned grant = 0; grant <= count; grant++)
        load_with(sg_buf_str(&bytes), sizes, count, grant);
    sg_buf_free(&bytes);
    sr_hll_free(&pool, hll);
    sr_pool_close(&pool);
}

/* -------- damage ------------------------------------------------------------
 */

static bool loads(sr_pool *pool, sg_str bytes)
{
    sr_hll *hll = sr_hll_load(pool, bytes);
    const bool ok = hll != NULL;

    sr_hll_free(pool, hll);
    return ok;
}

/* Whether it loads once the hash is right again. */
static bool loads_sealed(sr_pool *pool, sg_str bytes)
{
    sg_buf copy = {0};

    sg_buf_put(&copy, sg_str_sub(bytes, 0, bytes.len - 8));
    const uint64_t hash = sg_str_hash(sg_buf_str(&copy));

    for (unsigned i = 0; i < 8; i++)
        sg_buf_putc(&copy, (char)(unsigned char)(hash >> 8 * i));
    const bool ok = loads(pool, sg_buf_str(&copy));

    sg_buf_free(&copy);
    return ok;
}

static void test_damage(void)
{
    sr_pool pool = fresh_pool();
    sr_hll *hll = sr_hll_new(&pool);
    sg_buf bytes = {0};

    for (uint32_t i = 0; i < 300; i++)
        (void)sr_hll_add(&pool, hll, key_cell(0, i));
    sr_hll_save(hll, &bytes);
    sr_hll_free(&pool, hll);
    CHECK(loads(&pool, sg_buf_str(&bytes)));
    for (size_t i = 0; i < bytes.len; i++) {
        bytes.ptr[i] = (char)(bytes.ptr[i] ^ 1 << i % 8);
        CHECK(!loads(&pool, sg_buf_str(&bytes)));
        bytes.ptr[i] = (char)(bytes.ptr[i] ^ 1 << i % 8);
        CHECK(!loads(&pool, sg_str_sub(sg_buf_str(&bytes), 0, i)));
    }
    sg_buf_putc(&bytes, '\0');
    CHECK(!loads(&pool, sg_buf_str(&bytes)));
    sg_buf_free(&bytes);
    sr_pool_close(&pool);
}

/* One plane under a right hash: rho, log2 of its bits, first and last byte,
 * length of the counts. */
static bool loads_plane(unsigned rho, unsigned log, unsigned char first,
                        unsigned char last, size_t len)
{
    sr_pool pool = fresh_pool();
    sg_buf bytes = {0};

    sg_buf_putc(&bytes, 1);
    sg_buf_putc(&bytes, (char)rho);
    sg_buf_putc(&bytes, (char)log);
    for (size_t i = 0; i < len; i++)
        sg_buf_putc(&bytes, (char)(i == 0 ? first : i + 1 == len ? last : 0));
    sg_buf_putz(&bytes, "12345678");
    const bool ok = loads_sealed(&pool, sg_buf_str(&bytes));

    sg_buf_free(&bytes);
    sr_pool_close(&pool);
    return ok;
}

static void test_hostile(void)
{
    CHECK(loads_plane(1, 0, 1, 0, 512));
    CHECK(loads_plane(53, 0, 0, 0x80, 512));
    CHECK(!loads_plane(0, 0, 1, 0, 512));   /* no such rho */
    CHECK(!loads_plane(54, 0, 1, 0, 512));  /* nor this */
    CHECK(!loads_plane(255, 0, 1, 0, 512)); /* nor this */
    CHECK(!loads_plane(1, 0, 0, 0, 512));   /* no counts */
    CHECK(!loads_plane(1, 0, 1, 0, 511));   /* too short */
    CHECK(!loads_plane(1, 0, 1, 0, 513));   /* too long */
    CHECK(!loads_plane(1, 1, 1, 0, 1024));  /* a bit would do */
    CHECK(loads_plane(1, 1, 2, 0, 1024));
    CHECK(loads_plane(1, 6, 1, 0xFF, 32768));
    CHECK(!loads_plane(1, 7, 1, 0xFF, 65536)); /* no such width */
    CHECK(!loads_plane(1, 255, 1, 0xFF, 65536));
    CHECK(!loads_plane(1, 0, 0, 0, 0));
}

/* More events than can be counted, and as many as just can. */
static void test_uncountable(void)
{
    sr_pool pool = fresh_pool();
    sg_buf bytes = {0};

    sg_buf_put(&bytes, SG_S("\1\1\6"));
    for (unsigned i = 0; i < 32768; i++)
        sg_buf_putc(&bytes, i < 8 ? '\xFF' : '\0');
    sg_buf_putz(&bytes, "12345678");
    CHECK(loads_sealed(&pool, sg_buf_str(&bytes)));
    bytes.ptr[3 + 8] = 1;
    CHECK(!loads_sealed(&pool, sg_buf_str(&bytes)));
    bytes.ptr[3] = '\xFE';
    CHECK(loads_sealed(&pool, sg_buf_str(&bytes)));
    const uint64_t hash =
        sg_str_hash(sg_str_sub(sg_buf_str(&bytes), 0, bytes.len - 8));

    for (unsigned i = 0; i < 8; i++)
        bytes.ptr[bytes.len - 8 + i] = (char)(unsigned char)(hash >> 8 * i);
    sr_hll *hll = sr_hll_load(&pool, sg_buf_str(&bytes));

    CHECK(sr_hll_events(hll) == UINT64_MAX);
    CHECK(!sr_hll_add(&pool, hll, cell_of(2, 1)));
    CHECK_INT(sr_hll_estimate(hll), 2);
    sr_hll_remove(&pool, hll, cell_of(1, 1));
    CHECK_INT(sr_hll_estimate(hll), 1);
    CHECK(sr_hll_add(&pool, hll, cell_of(0, 1)));
    sr_hll_free(&pool, hll);
    sg_buf_free(&bytes);
    sr_pool_close(&pool);
}

int main(void)
{
    test_cells();
    test_small();
    test_random();
    test_wide();
    test_extreme();
    test_error();
    test_memory();
    test_add_at_limit();
    test_load_at_limit();
    test_damage();
    test_hostile();
    test_uncountable();
    return TEST_END();
}
