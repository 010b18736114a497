/*
 * fuzz_hll.c - the counting HyperLogLog is the multiset of its live cells: it
 * equals one built anew from a list of them, and one loaded from its saved
 * form; and no bytes make the loader accept what would not be saved again as
 * the same bytes. Input: a byte of flags, then steps of four bytes, or, if the
 * flags say so, planes of a saved form: rho, log2 of the bits, the length's
 * error and the number of bytes that are not 0; then these, each behind its
 * place.
 */
#include "agg/parts.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { LIVE_MOST = 4096, FORM = 1, LITTLE_MEMORY = 2 };

typedef struct list {
    uint32_t cells[LIVE_MOST];
    uint32_t count;
} list;

static void must(bool ok)
{
    if (!ok)
        abort();
}

static void check_same(const sr_hll *a, const sr_hll *b)
{
    sg_buf one = {0};
    sg_buf two = {0};

    sr_hll_save(a, &one);
    sr_hll_save(b, &two);
    must(sg_str_eq(sg_buf_str(&one), sg_buf_str(&two)));
    must(sr_hll_estimate(a) == sr_hll_estimate(b));
    must(sr_hll_events(a) == sr_hll_events(b));
    sg_buf_free(&one);
    sg_buf_free(&two);
}

/* Against the list, last cell first. */
static void check_list(const sr_hll *hll, const list *live)
{
    sr_pool pool = {.limit = (uint64_t)64 << 20};
    sr_hll *fresh = sr_hll_new(&pool);

    for (uint32_t i = live->count; i > 0; i--)
        must(sr_hll_add(&pool, fresh, live->cells[i - 1]));
    check_same(hll, fresh);
    sr_hll_free(&pool, fresh);
    sr_pool_close(&pool);
}

/* A loaded copy takes the place of the sketch. */
static sr_hll *reload(sr_pool *pool, sr_hll *hll)
{
    sg_buf bytes = {0};

    sr_hll_save(hll, &bytes);
    sr_hll *copy = sr_hll_load(pool, sg_buf_str(&bytes));

    sg_buf_free(&bytes);
    if (copy == NULL)
        return hll; /* little memory */
    check_same(hll, copy);
    sr_hll_free(pool, hll);
    return copy;
}

static void forget(sr_pool *pool, sr_hll *hll, list *live, uint32_t which)
{
    const uint32_t at = which % live->count;

    sr_hll_remove(pool, hll, live->cells[at]);
    live->cells[at] = live->cells[--live->count];
}

/* Four bytes: what to do, and a cell or a place in the list. */
static sr_hll *step(sr_pool *pool, sr_hll *hll, list *live, const uint8_t *in)
{
    const uint32_t arg = (uint32_t)in[1] << 16 | (uint32_t)in[2] << 8 | in[3];
    const uint32_t cell = (arg >> 8 & 4095) << 6 | (1 + (arg & 255) % 53);
    const uint32_t times = in[0] >> 4;

    if (in[0] % 16 == 15)
        return reload(pool, hll);
    for (uint32_t i = 0; i <= times; i++)
        if (in[0] % 16 >= 10 && live->count > 0)
            forget(pool, hll, live, arg + i);
        else if (in[0] % 16 < 10 && live->count < LIVE_MOST &&
                 sr_hll_add(pool, hll, cell))
            live->cells[live->count++] = cell;
    return hll;
}

static void run_steps(const uint8_t *data, size_t size, uint64_t limit)
{
    static list live;
    sr_pool pool = {.limit = limit};
    sr_hll *hll = sr_hll_new(&pool);

    live.count = 0;
    for (size_t i = 0; i + 4 <= size; i += 4)
        hll = step(&pool, hll, &live, data + i);
    check_list(hll, &live);
    while (live.count > 0)
        forget(&pool, hll, &live, live.count - 1);
    must(sr_hll_events(hll) == 0 && sr_hll_estimate(hll) == 0);
    sr_hll_free(&pool, hll);
    sr_pool_close(&pool);
}

/* One plane from its description; the bytes of that. */
static size_t put_plane(sg_buf *form, const uint8_t *in, size_t size)
{
    const unsigned log = in[1] % 8;
    const size_t len = ((size_t)512 << log) + in[2] % 4;
    const size_t more = in[3] < (size - 4) / 3 ? in[3] : (size - 4) / 3;

    sg_buf_putc(form, (char)in[0]);
    sg_buf_putc(form, (char)in[1]);
    char *counts = sg_buf_reserve(form, len);

    memset(counts, 0, len);
    form->len += len;
    for (size_t i = 0; i < more; i++) {
        const uint8_t *at = in + 4 + i * 3;

        counts[((size_t)at[0] << 8 | at[1]) % len] = (char)at[2];
    }
    return 4 + more * 3;
}

static void load_form(const uint8_t *data, size_t size)
{
    sr_pool pool = {.limit = (uint64_t)64 << 20};
    sg_buf bytes = {0};
    sg_buf again = {0};

    sg_buf_putc(&bytes, 1);
    for (size_t i = 0; size - i >= 4;)
        i += put_plane(&bytes, data + i, size - i);
    const uint64_t hash = sg_str_hash(sg_buf_str(&bytes));

    for (unsigned i = 0; i < 8; i++)
        sg_buf_putc(&bytes, (char)(unsigned char)(hash >> 8 * i));
    sr_hll *hll = sr_hll_load(&pool, sg_buf_str(&bytes));

    if (hll != NULL) {
        (void)sr_hll_estimate(hll);
        sr_hll_save(hll, &again);
        must(sg_str_eq(sg_buf_str(&again), sg_buf_str(&bytes)));
    }
    sr_hll_free(&pool, hll);
    sg_buf_free(&bytes);
    sg_buf_free(&again);
    sr_pool_close(&pool);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    if ((data[0] & FORM) != 0)
        load_form(data + 1, size - 1);
    else
        run_steps(data + 1, size - 1,
                  (data[0] & LITTLE_MEMORY) != 0 ? 256 * 1024 : 64 << 20);
    return 0;
}
