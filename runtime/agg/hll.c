/*
 * hll.c - a HyperLogLog that forgets: about how many distinct keys a sliding
 * window holds.
 *
 * A key's hash names a register and a rho (one more than the zeros it goes on
 * with); a register's value is the largest rho among its live events. So that
 * events can leave, live events are counted by register and rho: one plane of
 * 4096 counters a rho, made for its first event and freed with its last. All
 * counters of a plane have as many bits as its largest count ever needed, a
 * power of two from 1 to 64: half of all keys have rho 1, a quarter rho 2, so
 * nearly all planes stay at a bit or two. A counter never overflows: it is at
 * most the number of live events, which has 64 bits too.
 *
 * The values' histogram is kept as events come and go; the estimate is Ertl's
 * "improved raw estimator" (arXiv:1702.01284), which needs nothing else and no
 * tables, and only + * / and sqrt, which IEEE 754 defines to the last bit.
 */
#include "agg/parts.h"

#include <assert.h>
#include <math.h>
#include <string.h>

enum {
    REGISTER_BITS = 12,
    REGISTERS = 1 << REGISTER_BITS,
    RHO_MOST = 64 - REGISTER_BITS + 1, /* nothing but zeros */
    RHO_BITS = 6,                      /* of a cell, below the register */
    VERSION = 1                        /* of the portable form */
};

typedef struct plane {
    uint64_t *words; /* NULL: all counts are 0 */
    uint16_t used;   /* counters that are not 0 */
    uint8_t bits;    /* of each counter */
} plane;

struct sr_hll {
    uint64_t events;
    unsigned kept;                    /* planes that are not empty */
    plane planes[RHO_MOST + 1];       /* by rho; the first stays empty */
    uint16_t histogram[RHO_MOST + 1]; /* registers by value */
    uint8_t top[REGISTERS];           /* each register's value */
};

/* -------- planes ---------------------------------------------------------- */

static size_t word_count(unsigned bits)
{
    return (size_t)REGISTERS / 64 * bits;
}

static uint64_t largest(unsigned bits)
{
    return UINT64_MAX >> (64 - bits);
}

static uint64_t count_at(const plane *p, unsigned i)
{
    const unsigned bit = i * p->bits;

    if (p->words == NULL)
        return 0;
    return p->words[bit / 64] >> bit % 64 & largest(p->bits);
}

static void set_count(plane *p, unsigned i, uint64_t count)
{
    const unsigned bit = i * p->bits;
    uint64_t *word = &p->words[bit / 64];

    *word &= ~(largest(p->bits) << bit % 64);
    *word |= count << bit % 64;
}

static void free_plane(sr_pool *pool, plane *p)
{
    sr_pool_free(pool, p->words, word_count(p->bits) * sizeof(*p->words));
    *p = (plane){NULL, 0, 0};
}

/* No counts yet; false for want of memory. */
static bool make_plane(sr_pool *pool, plane *p, unsigned bits)
{
    const size_t size = word_count(bits) * sizeof(*p->words);
    uint64_t *words = sr_pool_alloc(pool, size);

    if (words == NULL)
        return false;
    memset(words, 0, size);
    *p = (plane){words, 0, (uint8_t)bits};
    return true;
}

/* Most of a sparse plane is skipped a word at a time. */
static void copy_counts(plane *to, const plane *from)
{
    const unsigned per_word = 64U / from->bits;

    for (unsigned w = 0; w < word_count(from->bits); w++) {
        if (from->words[w] == 0)
            continue;
        for (unsigned i = w * per_word; i < (w + 1) * per_word; i++)
            set_count(to, i, count_at(from, i));
    }
    to->used = from->used;
}

/* See that counter i can be one more. */
static bool make_room(sr_pool *pool, plane *p, unsigned i)
{
    plane wider;

    if (p->words == NULL)
        return make_plane(pool, p, 1);
    if (count_at(p, i) < largest(p->bits))
        return true;
    assert(p->bits < 64);
    if (!make_plane(pool, &wider, p->bits * 2U))
        return false;
    copy_counts(&wider, p);
    free_plane(pool, p);
    *p = wider;
    return true;
}

/* -------- cells ----------------------------------------------------------- */

uint32_t sr_hll_cell(sg_str key)
{
    const uint64_t hash = sg_str_hash(key);
    const uint64_t tail = hash << REGISTER_BITS;
    const uint32_t rho =
        tail == 0 ? RHO_MOST : 1 + (uint32_t)__builtin_clzll(tail);

    return (uint32_t)(hash >> (64 - REGISTER_BITS)) << RHO_BITS | rho;
}

static unsigned rho_of(uint32_t cell)
{
    return cell & ((1U << RHO_BITS) - 1);
}

static unsigned register_of(uint32_t cell)
{
    return cell >> RHO_BITS;
}

bool sr_hll_is_cell(uint32_t cell)
{
    return register_of(cell) < REGISTERS && rho_of(cell) >= 1 &&
           rho_of(cell) <= RHO_MOST;
}

/* -------- events come and go -----------------------------------------------
 */

static void set_top(sr_hll *hll, unsigned i, unsigned rho)
{
    hll->histogram[hll->top[i]]--;
    hll->histogram[rho]++;
    hll->top[i] = (uint8_t)rho;
}

sr_hll *sr_hll_new(sr_pool *pool)
{
    sr_hll *hll = sr_pool_alloc(pool, sizeof(*hll));

    if (hll == NULL)
        return NULL;
    memset(hll, 0, sizeof(*hll));
    hll->histogram[0] = REGISTERS;
    return hll;
}

bool sr_hll_add(sr_pool *pool, sr_hll *hll, uint32_t cell)
{
    const unsigned i = register_of(cell);
    const unsigned rho = rho_of(cell);
    plane *p = &hll->planes[rho];

    assert(sr_hll_is_cell(cell));
    if (hll->events == UINT64_MAX || !make_room(pool, p, i))
        return false;
    const uint64_t count = count_at(p, i);

    set_count(p, i, count + 1);
    if (count == 0 && p->used++ == 0)
        hll->kept++;
    if (rho > hll->top[i])
        set_top(hll, i, rho);
    hll->events++;
    return true;
}

void sr_hll_remove(sr_pool *pool, sr_hll *hll, uint32_t cell)
{
    const unsigned i = register_of(cell);
    unsigned rho = rho_of(cell);
    plane *p = &hll->planes[rho];

    assert(sr_hll_is_cell(cell));
    const uint64_t count = count_at(p, i);

    if (count == 0)
        return;
    hll->events--;
    set_count(p, i, count - 1);
    if (count > 1)
        return;
    if (--p->used == 0) {
        free_plane(pool, p);
        hll->kept--;
    }
    if (rho < hll->top[i])
        return;
    while (rho > 0 && count_at(&hll->planes[rho], i) == 0)
        rho--;
    set_top(hll, i, rho);
}

void sr_hll_free(sr_pool *pool, sr_hll *hll)
{
    if (hll == NULL)
        return;
    for (unsigned rho = 1; rho <= RHO_MOST; rho++)
        free_plane(pool, &hll->planes[rho]);
    sr_pool_free(pool, hll, sizeof(*hll));
}

static size_t bytes_of(uint64_t planes)
{
    return sr_pool_size(sizeof(sr_hll)) +
           planes * sr_pool_size(word_count(2) * sizeof(uint64_t));
}

size_t sr_hll_bytes(const sr_hll *hll)
{
    return hll == NULL ? 0 : bytes_of(hll->kept);
}

size_t sr_hll_bytes_most(uint64_t events)
{
    return bytes_of(events < RHO_MOST ? events : RHO_MOST);
}

/* -------- the estimate -----------------------------------------------------
 */

/* x + x^2 + 2 x^4 + 4 x^8 + ..., for x in [0, 1). */
static double sigma(double x)
{
    double sum = x;
    double before;
    double weight = 1;

    do {
        x *= x;
        before = sum;
        sum += x * weight;
        weight += weight;
    } while (sum != before);
    return sum;
}

/* (1 - x - (1 - x^1/2)^2 / 2 - (1 - x^1/4)^2 / 4 - ...) / 3, x in [0, 1]. */
static double tau(double x)
{
    double sum = 1 - x;
    double before;
    double weight = 1;

    if (x <= 0 || x >= 1)
        return 0;
    do {
        x = sqrt(x);
        before = sum;
        weight *= 0.5;
        sum -= (1 - x) * (1 - x) * weight;
    } while (sum != before);
    return sum / 3;
}

uint64_t sr_hll_events(const sr_hll *hll)
{
    return hll->events;
}

uint64_t sr_hll_estimate(const sr_hll *hll)
{
    static const double m = REGISTERS;
    static const double alpha = 0.72134752044448170368; /* 1 / (2 ln 2) */

    if (hll->events == 0)
        return 0;
    double z = m * tau(1 - hll->histogram[RHO_MOST] / m);

    for (unsigned rho = RHO_MOST - 1; rho >= 1; rho--)
        z = 0.5 * (z + hll->histogram[rho]);
    z += m * sigma(hll->histogram[0] / m);
    const double most = 0x1p64;

    /* Nothing honest comes near: each register is full of zeros. */
    if (z * most <= alpha * m * m)
        return UINT64_MAX;
    return (uint64_t)(alpha * m * m / z + 0.5);
}

/* -------- the portable form ------------------------------------------------
 */

/*
 * A byte VERSION; for each rho that has events, ascending, its plane: a byte
 * rho, a byte log2 of the bits a counter has (the fewest that will do), and
 * the counters' words, least byte first; then the hash of all that as eight
 * bytes, least first. Whatever loads is a state that events can lead to.
 */

/* log2 of the fewest bits that hold every count of a plane. */
static unsigned fewest_bits(const plane *p)
{
    uint64_t all = 0;
    unsigned log = 0;

    for (size_t w = 0; w < word_count(p->bits); w++)
        all |= p->words[w];
    /* All counters of a word, one over the other. */
    for (unsigned shift = 32; shift >= p->bits; shift /= 2)
        all |= all >> shift;
    all &= largest(p->bits);
    while (all > largest(1U << log))
        log++;
    return log;
}

/* Word w of a plane as it would be with counters of so many bits. */
static uint64_t word_at(const plane *p, unsigned bits, unsigned w)
{
    uint64_t word = 0;

    if (bits == p->bits)
        return p->words[w];
    for (unsigned i = 0; i < 64 / bits; i++)
        word |= count_at(p, w * (64 / bits) + i) << i * bits;
    return word;
}

static void put_plane(sg_buf *out, const plane *p, unsigned rho)
{
    const unsigned log = fewest_bits(p);
    const unsigned bits = 1U << log;

    sg_put_u8(out, (uint8_t)rho);
    sg_put_u8(out, (uint8_t)log);
    for (unsigned w = 0; w < word_count(bits); w++)
        sg_put_u64(out, word_at(p, bits, w));
}

void sr_hll_save(const sr_hll *hll, sg_buf *out)
{
    const size_t start = out->len;

    sg_put_u8(out, VERSION);
    for (unsigned rho = 1; rho <= RHO_MOST; rho++)
        if (hll->planes[rho].words != NULL)
            put_plane(out, &hll->planes[rho], rho);
    sg_put_u64(out, sg_str_hash(sg_str_sub(sg_buf_str(out), start, out->len)));
}

/* Fill in what follows from a plane's counts; false when they are too many.
 * Planes come by ascending rho. */
static bool take_counts(sr_hll *hll, unsigned rho)
{
    plane *p = &hll->planes[rho];

    for (unsigned i = 0; i < REGISTERS; i++) {
        const uint64_t count = count_at(p, i);

        if (count == 0)
            continue;
        if (count > UINT64_MAX - hll->events)
            return false;
        hll->events += count;
        p->used++;
        set_top(hll, i, rho);
    }
    hll->kept++;
    return p->used != 0;
}

/* The next plane; *rho is the last one's before. */
static bool load_plane(sr_pool *pool, sr_hll *hll, sg_reader *r, unsigned *rho)
{
    const unsigned next = sg_read_u8(r);
    const unsigned log = sg_read_u8(r);

    if (r->bad || next <= *rho || next > RHO_MOST || log > 6)
        return false;
    const size_t words = word_count(1U << log);
    plane *p = &hll->planes[next];

    if (r->rest.len < words * 8 || !make_plane(pool, p, 1U << log))
        return false;
    for (size_t w = 0; w < words; w++)
        p->words[w] = sg_read_u64(r);
    *rho = next;
    return take_counts(hll, next) && fewest_bits(p) == log;
}

sr_hll *sr_hll_load(sr_pool *pool, sg_str bytes)
{
    if (bytes.len < 1 + sizeof(uint64_t))
        return NULL;
    sg_reader hash = {bytes, false};
    sg_reader r = {sg_read_bytes(&hash, bytes.len - sizeof(uint64_t)), false};

    if (sg_read_u64(&hash) != sg_str_hash(r.rest) || sg_read_u8(&r) != VERSION)
        return NULL;
    sr_hll *hll = sr_hll_new(pool);
    unsigned rho = 0;

    while (hll != NULL && r.rest.len != 0)
        if (!load_plane(pool, hll, &r, &rho)) {
            sr_hll_free(pool, hll);
            return NULL;
        }
    return hll;
}
