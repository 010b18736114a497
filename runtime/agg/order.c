/*
 * order.c - order statistics of a sliding multiset: a treap whose nodes carry
 * a number, how often it occurs and the size of their subtree. Adding,
 * removing and ranking take logarithmic time.
 */
#include "agg/parts.h"

#include <assert.h>
#include <math.h>

typedef struct sr_order_node {
    sg_num num;
    uint64_t times, size; /* of this number; of the whole subtree */
    struct sr_order_node *left, *right;
    uint64_t priority; /* no node above has a smaller one */
} node;

static uint64_t size_of(const node *n)
{
    return n == NULL ? 0 : n->size;
}

static void resize(node *n)
{
    n->size = n->times + size_of(n->left) + size_of(n->right);
}

static uint64_t next_priority(sr_order *order)
{
    order->seed += UINT64_C(0x9E3779B97F4A7C15);
    uint64_t z = order->seed;

    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

static node *rotate_right(node *n)
{
    node *up = n->left;

    n->left = up->right;
    up->right = n;
    resize(n);
    resize(up);
    return up;
}

static node *rotate_left(node *n)
{
    node *up = n->right;

    n->right = up->left;
    up->left = n;
    resize(n);
    resize(up);
    return up;
}

static node *find(node *n, sg_num num)
{
    while (n != NULL) {
        const int order = sg_num_cmp(num, n->num);

        if (order == 0)
            return n;
        n = order < 0 ? n->left : n->right;
    }
    return NULL;
}

/* Change the sizes along the path to a number that is there. */
static void adjust(node *n, sg_num num, uint64_t more, uint64_t less)
{
    for (;;) {
        const int order = sg_num_cmp(num, n->num);

        n->size += more - less;
        if (order == 0)
            return;
        n = order < 0 ? n->left : n->right;
    }
}

/* Depth is logarithmic in expectation, as in any treap. */
static node *insert(node *n, node *fresh)
{
    if (n == NULL)
        return fresh;
    if (sg_num_cmp(fresh->num, n->num) < 0) {
        n->left = insert(n->left, fresh);
        resize(n);
        return n->left->priority < n->priority ? rotate_right(n) : n;
    }
    n->right = insert(n->right, fresh);
    resize(n);
    return n->right->priority < n->priority ? rotate_left(n) : n;
}

static node *merge(node *a, node *b)
{
    if (a == NULL)
        return b;
    if (b == NULL)
        return a;
    if (a->priority < b->priority) {
        a->right = merge(a->right, b);
        resize(a);
        return a;
    }
    b->left = merge(a, b->left);
    resize(b);
    return b;
}

bool sr_order_add(sr_pool *pool, sr_order *order, sg_num num, uint64_t times)
{
    node *n = find(order->root, num);

    if (n != NULL) {
        adjust(order->root, num, times, 0);
        n->times += times;
        return true;
    }
    n = sr_pool_alloc(pool, sizeof(*n));
    if (n == NULL)
        return false;
    *n = (node){.num = num,
                .times = times,
                .size = times,
                .priority = next_priority(order)};
    order->root = insert(order->root, n);
    order->nodes++;
    return true;
}

void sr_order_remove(sr_pool *pool, sr_order *order, sg_num num)
{
    node *n = find(order->root, num);

    assert(n != NULL);
    adjust(order->root, num, 0, 1);
    if (--n->times != 0)
        return;
    node **link = &order->root;

    while (*link != n)
        link = sg_num_cmp(num, (*link)->num) < 0 ? &(*link)->left
                                                 : &(*link)->right;
    *link = merge(n->left, n->right);
    order->nodes--;
    sr_pool_free(pool, n, sizeof(*n));
}

/* An integer, if it can be one: of equal numbers the first to come made the
 * node, and may have left. */
static sg_num as_integer(sg_num n)
{
    if (n.kind != SIGMA_FLOAT || !(n.v.f >= -0x1p63 && n.v.f < 0x1p64) ||
        trunc(n.v.f) != n.v.f)
        return n;
    if (n.v.f < 0x1p63)
        return (sg_num){.kind = SIGMA_INT, .v = {.i = (int64_t)n.v.f}};
    return (sg_num){.kind = SIGMA_UINT, .v = {.u = (uint64_t)n.v.f}};
}

/* The number of rank k (from 0) in ascending order. */
static sg_num nth(const node *n, uint64_t k)
{
    for (;;) {
        const uint64_t left = size_of(n->left);

        if (k < left) {
            n = n->left;
        } else if (k - left < n->times) {
            return as_integer(n->num);
        } else {
            k -= left + n->times;
            n = n->right;
        }
    }
}

/* Two neighbours in ascending order, and how far from the first to the second a
 * percentile lies, in [0, 1). */
typedef struct between {
    sg_num low, high;
    double part;
} between;

static between find_place(const sr_order *order, double percent)
{
    const uint64_t count = size_of(order->root);
    const double rank = percent * (double)(count - 1) / 100;
    const double whole = floor(rank);
    uint64_t k = whole <= 0 ? 0 : (uint64_t)whole;
    double part = rank - whole;

    assert(count != 0);
    if (k >= count - 1) {
        k = count - 1;
        part = 0;
    }
    const sg_num low = nth(order->root, k);

    if (part <= 0)
        return (between){low, low, 0};
    return (between){low, nth(order->root, k + 1), part};
}

/* Weights, not a difference: no overflow between far numbers. */
static double weigh(double low, double high, double part)
{
    return low * (1 - part) + high * part;
}

sg_num sr_order_percentile(const sr_order *order, double percent)
{
    const between at = find_place(order, percent);

    if (sg_num_cmp(at.low, at.high) == 0)
        return at.low;
    const double value =
        weigh(sg_num_double(at.low), sg_num_double(at.high), at.part);
    return (sg_num){.kind = SIGMA_FLOAT, .v = {.f = value}};
}

double sr_order_scale(const sr_order *order, double percent)
{
    const between at = find_place(order, percent);
    const double low = sg_num_double(at.low);
    const double high = sg_num_double(at.high);

    return low < 0 && high > 0
               ? weigh(-low, high, at.part)
               : fabs(sg_num_double(sr_order_percentile(order, percent)));
}

static void free_nodes(sr_pool *pool, node *n)
{
    while (n != NULL) {
        node *right = n->right;

        free_nodes(pool, n->left);
        sr_pool_free(pool, n, sizeof(*n));
        n = right;
    }
}

/* Depth is logarithmic in expectation. */
static bool each(const node *n, sr_order_fn *fn, void *ctx)
{
    while (n != NULL) {
        if (!each(n->left, fn, ctx) || !fn(ctx, n->num, n->times))
            return false;
        n = n->right;
    }
    return true;
}

bool sr_order_each(const sr_order *order, sr_order_fn *fn, void *ctx)
{
    return each(order->root, fn, ctx);
}

void sr_order_free(sr_pool *pool, sr_order *order)
{
    free_nodes(pool, order->root);
    order->root = NULL;
    order->nodes = 0;
}

size_t sr_order_bytes(uint64_t nodes)
{
    return nodes * sr_pool_size(sizeof(node));
}
