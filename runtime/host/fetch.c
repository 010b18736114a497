/*
 * fetch.c - threads that read for themselves: all read at once, and take turns
 * only to say that they have. Nobody looks at lines before its turn, so that
 * whatever is behind a range that cannot be read has not been looked at. Lines
 * are added up in the order of ranges, whenever they are counted.
 */
#include "host/fetch.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { HURRY = 64 }; /* ranges */

/* What is known of a range. */
typedef struct count {
    uint64_t before; /* lines; set once those before it are added up */
    uint64_t lines;
    bool counted;
} count;

struct sr_fetches {
    uint64_t given; /* ranges; the main thread's */
    uint32_t most;  /* counts */
    pthread_mutex_t lock;
    pthread_cond_t turn;
    /* With the lock: */
    uint64_t done;   /* ranges read; the next one's turn it is */
    uint64_t added;  /* ranges added up */
    count *counts;   /* by number of the range, modulo most */
    uint64_t offset; /* of what was fetched: its end */
    bool failed;     /* what is there now could not be fetched */
    uint32_t hurry;  /* ranges to count as soon as they are read */
};

sr_fetches *sr_fetches_open(uint32_t most)
{
    sr_fetches *f = calloc(1, sizeof(*f));

    if (f == NULL)
        sg_fatal("out of memory");
    pthread_mutex_init(&f->lock, NULL);
    pthread_cond_init(&f->turn, NULL);
    f->most = most + 1; /* and what is before the next one */
    f->counts = calloc(f->most, sizeof(*f->counts));
    if (f->counts == NULL)
        sg_fatal("out of memory");
    return f;
}

void sr_fetches_close(sr_fetches *fetches)
{
    if (fetches == NULL)
        return;
    pthread_cond_destroy(&fetches->turn);
    pthread_mutex_destroy(&fetches->lock);
    free(fetches->counts);
    free(fetches);
}

/* -------- turns ---------------------------------------------------------- */

static count *count_of(sr_fetches *f, uint64_t number)
{
    return &f->counts[number % f->most];
}

/* Takes the lock. */
static void wait_for_turn(sr_fetches *f, uint64_t number)
{
    pthread_mutex_lock(&f->lock);
    while (f->done != number)
        pthread_cond_wait(&f->turn, &f->lock);
}

/* With the lock: add up as far as is known. */
static void add_up(sr_fetches *f, uint64_t number, uint64_t lines)
{
    count *c = count_of(f, number);

    c->lines = lines;
    c->counted = true;
    for (c = count_of(f, f->added); c->counted; c = count_of(f, f->added)) {
        c->counted = false;
        count_of(f, ++f->added)->before = c->before + c->lines;
    }
    pthread_cond_broadcast(&f->turn);
}

void sr_fetches_begin(sr_fetches *f, uint64_t offset, uint64_t lines)
{
    pthread_mutex_lock(&f->lock);
    f->offset = offset;
    count_of(f, f->added)->before = lines;
    f->failed = false;
    pthread_mutex_unlock(&f->lock);
}

uint64_t sr_fetches_next(sr_fetches *f)
{
    return f->given++;
}

/* Takes the lock. What is fetched during the wait is counted with `hurry`. */
static uint64_t wait_for_lines(sr_fetches *f, uint64_t number, bool hurry)
{
    pthread_mutex_lock(&f->lock);
    if (hurry)
        f->hurry = HURRY;
    while (f->added < number)
        pthread_cond_wait(&f->turn, &f->lock);
    return count_of(f, number)->before;
}

void sr_fetches_end(sr_fetches *f, uint64_t *offset, uint64_t *lines)
{
    *lines = wait_for_lines(f, f->given, false);
    *offset = f->offset;
    pthread_mutex_unlock(&f->lock);
}

/* -------- in a thread ---------------------------------------------------- */

uint64_t sr_count_lines(sg_str text)
{
    const char *const end = text.ptr + text.len;
    const char *p = text.ptr;
    uint64_t lines = 0;

    for (; p < end && (p = memchr(p, '\n', (size_t)(end - p))) != NULL; p++)
        lines++;
    return lines;
}

static bool in_a_hurry(sr_fetches *f)
{
    pthread_mutex_lock(&f->lock);
    const bool hurry = f->hurry != 0;

    f->hurry -= hurry ? 1 : 0;
    pthread_mutex_unlock(&f->lock);
    return hurry;
}

const char *sr_fetch(sr_fetches *f, uint64_t number, const sr_range *range,
                     char *room, bool *counted)
{
    const bool hurry = in_a_hurry(f);
    const char *text = sr_range_read(range, room);
    const uint64_t lines =
        text == NULL || !hurry ? 0 : sr_count_lines((sg_str){text, range->len});

    wait_for_turn(f, number);
    f->failed = f->failed || text == NULL;
    const bool done = !f->failed;

    *counted = hurry || !done;
    if (done)
        f->offset = range->offset + range->len;
    f->done++;
    if (*counted)
        add_up(f, number, done ? lines : 0);
    pthread_cond_broadcast(&f->turn);
    pthread_mutex_unlock(&f->lock);
    return done ? text : NULL;
}

void sr_fetch_counted(sr_fetches *f, uint64_t number, uint64_t lines)
{
    pthread_mutex_lock(&f->lock);
    add_up(f, number, lines);
    pthread_mutex_unlock(&f->lock);
}

uint64_t sr_fetch_before(sr_fetches *f, uint64_t number, bool hurry)
{
    const uint64_t before = wait_for_lines(f, number, hurry);

    pthread_mutex_unlock(&f->lock);
    return before;
}
