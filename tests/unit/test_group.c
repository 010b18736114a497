/*
 * test_group.c - the correlation engine's building blocks against slow and
 * obvious counterparts: pool, keyed table, window, exact sums, order
 * statistics.
 */
#include "agg/parts.h"
#include "support/test.h"

#include <float.h>
#include <stdlib.h>

static uint64_t state = 12345;

static uint32_t random_below(uint32_t n)
{
    state = state * UINT64_C(6364136223846793005) + 1442695040888963407U;
    return (uint32_t)(state >> 33) % n;
}

static sg_num integer(int64_t i)
{
    return (sg_num){.kind = SIGMA_INT, .v = {.i = i}};
}

static sg_num real(double f)
{
    return (sg_num){.kind = SIGMA_FLOAT, .v = {.f = f}};
}

static void check_num(sg_num have, const char *want)
{
    char text[SG_NUM_TEXT];

    CHECK_STR(((sg_str){text, sg_num_text(have, text)}), sg_str_of(want));
}

static void test_pool(void)
{
    static const size_t sizes[] = {1,   16,  17,   255,   256,   257,    320,
                                   321, 512, 1000, 65535, 65536, 100000, 0};
    sr_pool pool = {0};
    unsigned char *live[14];

    for (unsigned round = 0; round < 3; round++) {
        for (unsigned i = 0; sizes[i] != 0; i++) {
            live[i] = sr_pool_alloc(&pool, sizes[i]);
            CHECK(live[i] != NULL && (uintptr_t)live[i] % 16 == 0);
            memset(live[i], (int)i + 1, sizes[i]);
        }
        for (unsigned i = 0; sizes[i] != 0; i++) {
            for (size_t k = 0; k < sizes[i]; k++)
                if (live[i][k] != i + 1) {
                    CHECK("objects overlap" == NULL);
                    break;
                }
            sr_pool_free(&pool, live[i], sizes[i]);
        }
    }
    CHECK_INT(pool.used, 0);
    CHECK(pool.block_count <= 3); /* of 256 KiB */
    sr_pool_free(&pool, NULL, 5);
    sr_pool_close(&pool);

    sr_pool tight = {.limit = 300 * 1024};

    CHECK(sr_pool_alloc(&tight, 400 * 1024) == NULL);
    for (unsigned i = 0; i < 5; i++)
        live[i] = sr_pool_alloc(&tight, 60000);
    CHECK(live[4] != NULL);
    CHECK(sr_pool_alloc(&tight, 8192) == NULL);
    CHECK_INT(tight.used, 5 * 15 * 4096); /* whole pages */
    CHECK_INT(tight.held, tight.used);
    for (unsigned i = 0; i < 5; i++)
        sr_pool_free(&tight, live[i], 60000);
    CHECK_INT(tight.used, 0);
    sr_pool_close(&tight);
}

/* Slabs that ran empty serve other sizes: with nothing left of one size before
 * the next comes, the pool takes no more from the system. */
static void test_pool_sizes(void)
{
    enum { LIMIT = 4 << 20, MOST = LIMIT / 16 };
    sr_pool pool = {.limit = LIMIT};
    static void *live[MOST];

    for (size_t size = 16; size <= 8192; size += 16) {
        size_t count = 0;

        while (count < MOST && (live[count] = sr_pool_alloc(&pool, size)))
            count++;
        CHECK(count > 400);
        while (count != 0)
            sr_pool_free(&pool, live[--count], size);
    }
    CHECK(pool.block_count <= 18 + 2);
    CHECK_INT(pool.held, 0);
    sr_pool_close(&pool);
}

/* A slab in a hundred objects: much is held by little, until what is left is
 * made anew. */
static void test_pool_turn(void)
{
    enum { COUNT = 100000, SIZE = 208, EACH = 300 };
    sr_pool pool = {0};
    static char *live[COUNT];

    for (unsigned i = 0; i < COUNT; i++)
        live[i] = sr_pool_alloc(&pool, SIZE);
    for (unsigned i = 0; i < COUNT; i++)
        if (i % EACH != 0)
            sr_pool_free(&pool, live[i], SIZE);
    CHECK(pool.held > 50 * pool.used);
    sr_pool_turn(&pool);
    for (unsigned i = 0; i < COUNT; i += EACH) {
        char *fresh = sr_pool_alloc(&pool, SIZE);

        memset(fresh, 1, SIZE);
        sr_pool_free(&pool, live[i], SIZE);
        live[i] = fresh;
    }
    CHECK(pool.held < 2 * pool.used);
    for (unsigned i = 0; i < COUNT; i += EACH)
        sr_pool_free(&pool, live[i], SIZE);
    CHECK_INT(pool.used, 0);
    CHECK_INT(pool.held, 0);
    sr_pool_close(&pool);
}

typedef struct thing {
    sr_item item;
    uint32_t key;
} thing;

/* Hashes on purpose poor, so that probes run into each other. */
static void test_table(void)
{
    enum { KEYS = 600 };
    sr_pool pool = {0};
    sr_table table = {0};
    static thing things[KEYS];
    static bool in[KEYS];

    for (uint32_t i = 0; i < KEYS; i++) {
        things[i].key = i;
        things[i].item =
            (sr_item){i % 37 * 5, sizeof(uint32_t), offsetof(thing, key)};
    }
    for (unsigned step = 0; step < 20000; step++) {
        const uint32_t i = random_below(KEYS);
        const sg_str key = sr_item_key(&things[i].item);
        sr_item *found = sr_table_find(&table, things[i].item.hash, key);

        if (found != (in[i] ? &things[i].item : NULL)) {
            CHECK("table and set disagree" == NULL);
            break;
        }
        if (in[i])
            sr_table_remove(&table, &things[i].item);
        else
            CHECK(sr_table_add(&pool, &table, &things[i].item));
        in[i] = !in[i];
    }
    sr_table_free(&pool, &table);
    sr_pool_close(&pool);
}

typedef struct entry {
    int64_t time;
    uint64_t serial;
} entry;

static void check_window(const sr_window *w, const entry *want, size_t count)
{
    sr_window_at at = {0, 0};
    size_t i = 0;

    CHECK_INT(w->count, count);
    if (count != 0) {
        const entry *front = sr_window_front(w, sizeof(entry));

        CHECK_INT(front->serial, want[0].serial);
        CHECK_INT(sr_window_oldest(w, sizeof(entry)), want[0].time);
        CHECK_INT(sr_window_newest(w, sizeof(entry)), want[count - 1].time);
    }
    for (const entry *e; (e = sr_window_next(w, sizeof(entry), &at)); i++)
        if (i >= count || e->time != want[i].time ||
            e->serial != want[i].serial) {
            CHECK("window and list disagree" == NULL);
            return;
        }
    CHECK_INT(i, count);
}

static entry *entry_at(const sr_window *w, uint32_t i)
{
    sr_window_at at = {0, 0};
    entry *e;

    do
        e = sr_window_next(w, sizeof(entry), &at);
    while (i-- != 0);
    return e;
}

/* Windows of up to `most` entries, events up to `disorder` late, with and
 * without room for the first. */
static void run_window(size_t most, uint32_t disorder, bool lent)
{
    static char room[256] __attribute__((aligned(16)));
    sr_pool pool = {0};
    sr_window w = {.count = 0};
    static entry want[8192];
    size_t count = 0;
    int64_t clock = 0;

    CHECK(sr_window_room(sizeof(entry)) <= sizeof(room));
    if (lent)
        sr_window_lend(&w, room);
    for (uint64_t step = 0; step < 8000; step++) {
        bool last;
        const int64_t time = clock - (int64_t)random_below(disorder);
        entry *e = sr_window_insert(&pool, &w, sizeof(entry), time, &last);
        size_t at = count;

        clock += random_below(3);
        e->serial = step;
        while (at != 0 && want[at - 1].time > time)
            at--;
        memmove(want + at + 1, want + at, (count - at) * sizeof(*want));
        want[at] = (entry){time, step};
        CHECK(last == (at == count));
        count++;
        while (count > most || (count != 0 && random_below(5) == 0)) {
            sr_window_pop(&pool, &w, sizeof(entry));
            memmove(want, want + 1, --count * sizeof(*want));
        }
        if (count > 3 && random_below(10) == 0) {
            const uint32_t out = random_below((uint32_t)count);

            sr_window_remove(&pool, &w, sizeof(entry), entry_at(&w, out));
            count--;
            memmove(want + out, want + out + 1, (count - out) * sizeof(*want));
        }
        if (step % 64 == 0)
            check_window(&w, want, count);
    }
    check_window(&w, want, count);
    sr_window_free(&pool, &w, sizeof(entry));
    CHECK_INT(pool.used, 0);
    sr_pool_close(&pool);
}

static void test_window(void)
{
    for (int lent = 0; lent < 2; lent++) {
        run_window(1, 20, lent != 0);
        run_window(3, 20, lent != 0);
        run_window(50, 20, lent != 0);
        run_window(4000, 1, lent != 0);
        run_window(4000, 40, lent != 0);
        run_window(4000, 100000, lent != 0);
    }
}

static void test_sum(void)
{
    sr_pool pool = {0};
    sr_sum sum = {0};

    check_num(sr_sum_value(&sum, 1), "0");
    sr_sum_add(&pool, &sum, integer(INT64_MAX));
    sr_sum_add(&pool, &sum, integer(INT64_MAX));
    sr_sum_add(&pool, &sum, integer(1));
    check_num(sr_sum_value(&sum, 1), "18446744073709551615");
    sr_sum_add(&pool, &sum, integer(1));
    check_num(sr_sum_value(&sum, 1), "18446744073709552000");
    check_num(sr_sum_value(&sum, 2), "9223372036854775808");
    sr_sum_remove(&sum, integer(INT64_MAX));
    sr_sum_remove(&sum, integer(INT64_MAX));
    check_num(sr_sum_value(&sum, 1), "2");
    sr_sum_add(&pool, &sum, integer(INT64_MIN));
    check_num(sr_sum_value(&sum, 1), "-9223372036854775806");
    sr_sum_remove(&sum, integer(2));
    check_num(sr_sum_value(&sum, 1), "-9223372036854775808");
    check_num(sr_sum_value(&sum, 3), "-3074457345618258400");
    /* Means of what a double holds exactly, and of what it just does not. */
    sr_sum_remove(&sum, integer(INT64_MIN));
    sr_sum_add(&pool, &sum, integer(7));
    check_num(sr_sum_value(&sum, 2), "3.5");
    sr_sum_remove(&sum, integer(14));
    check_num(sr_sum_value(&sum, 2), "-3.5");
    sr_sum_add(&pool, &sum, integer(6 + (INT64_C(1) << 53)));
    check_num(sr_sum_value(&sum, 2), "4503599627370495.5");
    sr_sum_add(&pool, &sum, integer(2));
    check_num(sr_sum_value(&sum, 2), "4503599627370496");
    sr_sum_free(&pool, &sum);

    /* What naive sums lose. */
    sr_sum_add(&pool, &sum, real(1e17));
    sr_sum_add(&pool, &sum, real(0.5));
    sr_sum_add(&pool, &sum, integer(3));
    sr_sum_remove(&sum, real(1e17));
    check_num(sr_sum_value(&sum, 1), "3.5");
    check_num(sr_sum_value(&sum, 2), "1.75");
    sr_sum_add(&pool, &sum, real(-1e300));
    check_num(sr_sum_value(&sum, 1), "-1e+300");
    sr_sum_remove(&sum, real(-1e300));
    sr_sum_remove(&sum, real(0.5));
    sr_sum_remove(&sum, integer(3));
    check_num(sr_sum_value(&sum, 1), "0");
    /* Floats that have left leave no trace. */
    sr_sum_add(&pool, &sum, integer(INT64_MAX));
    check_num(sr_sum_value(&sum, 1), "9223372036854775807");
    sr_sum_remove(&sum, integer(INT64_MAX));
    sr_sum_add(&pool, &sum, real(DBL_MAX));
    sr_sum_add(&pool, &sum, real(DBL_MAX));
    CHECK(sr_sum_value(&sum, 1).v.f == DBL_MAX);
    CHECK(sr_sum_value(&sum, 2).v.f == DBL_MAX);
    CHECK(sr_sum_value(&sum, 4).v.f == DBL_MAX / 2);
    sr_sum_remove(&sum, real(DBL_MAX));
    sr_sum_remove(&sum, real(DBL_MAX));
    sr_sum_add(&pool, &sum, real(DBL_TRUE_MIN));
    CHECK(sr_sum_value(&sum, 1).v.f == DBL_TRUE_MIN);
    sr_sum_add(&pool, &sum, real(-0.1));
    CHECK(sr_sum_value(&sum, 1).v.f == -0.1);
    sr_sum_free(&pool, &sum);

    /* Every double is its own sum. */
    for (unsigned i = 0; i < 3000; i++) {
        const double d = ((double)random_below(1U << 30) - 536870912.0) *
                         (1.0 + (double)random_below(1U << 30) / 1073741824.0);
        const double other = d * 1e-9 * random_below(1000);

        sr_sum_add(&pool, &sum, real(other));
        sr_sum_add(&pool, &sum, real(d));
        sr_sum_remove(&sum, real(other));
        if (sr_sum_value(&sum, 1).v.f != d)
            CHECK("a sum of one double is not that double" == NULL);
        sr_sum_remove(&sum, real(d));
    }
    sr_sum_free(&pool, &sum);
    sr_pool_close(&pool);
}

static int by_number(const void *a, const void *b)
{
    return sg_num_cmp(*(const sg_num *)a, *(const sg_num *)b);
}

static double naive_percentile(const sg_num *nums, size_t count, double p)
{
    static sg_num sorted[4096];
    const double rank = p * (double)(count - 1) / 100;
    const size_t k = (size_t)rank;

    memcpy(sorted, nums, count * sizeof(*nums));
    qsort(sorted, count, sizeof(*sorted), by_number);
    if (k + 1 >= count)
        return sg_num_double(sorted[count - 1]);
    return sg_num_double(sorted[k]) * (1 - (rank - (double)k)) +
           sg_num_double(sorted[k + 1]) * (rank - (double)k);
}

static void test_order(void)
{
    sr_pool pool = {0};
    sr_order order = {0};
    static sg_num live[4096];
    size_t count = 0;

    for (unsigned step = 0; step < 6000; step++) {
        if (count < 5 || (count < 4000 && random_below(5) < 3)) {
            const sg_num n = random_below(2) == 0
                                 ? integer(random_below(200))
                                 : real(random_below(2000) / 8.0);

            CHECK(sr_order_add(&pool, &order, n, 1));
            live[count++] = n;
        } else {
            const uint32_t i = random_below((uint32_t)count);

            sr_order_remove(&pool, &order, live[i]);
            live[i] = live[--count];
        }
        if (step % 50 != 0)
            continue;
        for (unsigned p = 0; p <= 100; p += 25) {
            const double have = sg_num_double(sr_order_percentile(&order, p));
            const double want = naive_percentile(live, count, p);

            CHECK(have - want < 1e-9 && want - have < 1e-9);
        }
    }
    sr_order_free(&pool, &order);

    /* Ranks that hit a number give exactly that number. */
    for (int64_t i = 0; i <= 100; i++)
        sr_order_add(&pool, &order, integer(i), 1);
    for (int64_t i = 0; i <= 100; i++) {
        const sg_num n = sr_order_percentile(&order, (double)i);

        CHECK(n.kind == SIGMA_INT && n.v.i == i);
    }
    sr_order_free(&pool, &order);

    /* Which of equal numbers came first, and has left, does not show. */
    sr_order_add(&pool, &order, real(0x1p63), 1);
    check_num(sr_order_percentile(&order, 50), "9223372036854775808");
    sr_order_add(&pool, &order, (sg_num){.kind = SIGMA_UINT, .v.u = 1ULL << 63},
                 1);
    sr_order_remove(&pool, &order, real(0x1p63));
    check_num(sr_order_percentile(&order, 50), "9223372036854775808");
    sr_order_add(&pool, &order, real(0x1p64), 1);
    check_num(sr_order_percentile(&order, 100), "18446744073709552000");
    sr_order_free(&pool, &order);
    sr_pool_close(&pool);
}

int main(void)
{
    test_pool();
    test_pool_sizes();
    test_pool_turn();
    test_table();
    test_window();
    test_sum();
    test_order();
    return TEST_END();
}
