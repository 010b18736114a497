/*
 * test_share.c - what threads share is made once, whole before anybody uses it,
 * and lasts until the last has left.
 */
#include "eval/share.h"
#include "support/test.h"

#include <pthread.h>
#include <stdlib.h>

enum { THREADS = 4, THINGS = 400, NUMBERS = 100 };

typedef struct thing {
    sr_once made;
    unsigned *numbers;
    atomic_uint times; /* that it was made */
} thing;

typedef struct work {
    sr_maker *makers[THREADS];
    thing things[THINGS];
    atomic_uint started, wrong;
} work;

static void make(sr_maker *maker, thing *t, unsigned i)
{
    t->numbers = sg_new_n(&maker->arena, unsigned, NUMBERS);
    for (unsigned k = 0; k < NUMBERS; k++)
        t->numbers[k] = i * k;
    t->times++;
    sr_made(maker, &t->made);
}

/* Half of the threads begin at the other end. */
static void *use_all(void *arg)
{
    work *w = arg;
    const unsigned number = atomic_fetch_add(&w->started, 1);
    sr_maker *maker = w->makers[number];

    for (unsigned n = 0; n < THINGS; n++) {
        const unsigned i = number % 2 == 0 ? n : THINGS - 1 - n;
        thing *t = &w->things[i];

        if (sr_makes(maker, &t->made))
            make(maker, t, i);
        for (unsigned k = 0; k < NUMBERS; k++)
            w->wrong += t->numbers[k] != i * k;
    }
    return NULL;
}

static void test_threads(void)
{
    work *w = calloc(1, sizeof(*w));
    pthread_t threads[THREADS];

    for (unsigned i = 0; i < THREADS; i++)
        w->makers[i] = sr_maker_open(i == 0 ? NULL : w->makers[i - 1]);
    for (unsigned i = 0; i < THREADS; i++)
        CHECK_INT(pthread_create(&threads[i], NULL, use_all, w), 0);
    for (unsigned i = 0; i < THREADS; i++)
        CHECK_INT(pthread_join(threads[i], NULL), 0);
    CHECK_INT(w->wrong, 0);
    for (unsigned i = 0; i < THINGS; i++)
        CHECK_INT(w->things[i].times, 1);

    for (unsigned i = 0; i < THREADS; i++)
        CHECK(sr_maker_leave(w->makers[i]) == (i == THREADS - 1));
    CHECK_INT(w->things[0].numbers[1] + w->things[7].numbers[3], 21);
    sr_makers_free(w->makers[1]);
    free(w);
}

/* Those who do not share make their own. */
static void test_apart(void)
{
    sr_maker *a = sr_maker_open(NULL), *b = sr_maker_open(NULL);
    sr_once one = {0}, other = {0};

    CHECK(sr_makes(a, &one));
    CHECK(sr_makes(b, &other));
    sr_made(a, &one);
    CHECK(!sr_makes(a, &one));
    sr_made(b, &other);
    CHECK(sr_maker_leave(a) && sr_maker_leave(b));
    sr_makers_free(a);
    sr_makers_free(b);
}

int main(void)
{
    test_threads();
    test_apart();
    return TEST_END();
}
