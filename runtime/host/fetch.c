/*
 * fetch.c - threads that read for themselves: all read and count at once, and
 * take turns only to add up. Nobody looks at lines before its turn, so that
 * whatever is behind a range that cannot be read has not been looked at.
 */
#include "host/fetch.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct sr_fetches {
    uint64_t given; /* ranges; the main thread's */
    pthread_mutex_t lock;
    pthread_cond_t turn;
    /* With the lock: */
    uint64_t done; /* ranges; the next one's turn it is */
    uint64_t offset,
        lines;   /* of what was fetched: its end, lines up to there */
    bool failed; /* what is there now could not be fetched */
};

sr_fetches *sr_fetches_open(void)
{
    sr_fetches *f = calloc(1, sizeof(*f));

    if (f == NULL)
        sg_fatal("out of memory");
    pthread_mutex_init(&f->lock, NULL);
    pthread_cond_init(&f->turn, NULL);
    return f;
}

void sr_fetches_close(sr_fetches *fetches)
{
    if (fetches == NULL)
        return;
    pthread_cond_destroy(&fetches->turn);
    pthread_mutex_destroy(&fetches->lock);
    free(fetches);
}

/* -------- turns ---------------------------------------------------------- */

/* Takes the lock. */
static void wait_for_turn(sr_fetches *f, uint64_t number)
{
    pthread_mutex_lock(&f->lock);
    while (f->done != number)
        pthread_cond_wait(&f->turn, &f->lock);
}

/* Gives it back. */
static void pass_turn(sr_fetches *f)
{
    f->done++;
    pthread_cond_broadcast(&f->turn);
    pthread_mutex_unlock(&f->lock);
}

void sr_fetches_begin(sr_fetches *f, uint64_t offset, uint64_t lines)
{
    pthread_mutex_lock(&f->lock);
    f->offset = offset;
    f->lines = lines;
    f->failed = false;
    pthread_mutex_unlock(&f->lock);
}

uint64_t sr_fetches_next(sr_fetches *f)
{
    return f->given++;
}

void sr_fetches_end(sr_fetches *f, uint64_t *offset, uint64_t *lines)
{
    wait_for_turn(f, f->given);
    *offset = f->offset;
    *lines = f->lines;
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

const char *sr_fetch(sr_fetches *f, uint64_t number, const sr_range *range,
                     char *room, uint64_t *line)
{
    const char *text = sr_range_read(range, room);
    const uint64_t lines =
        text == NULL ? 0 : sr_count_lines((sg_str){text, range->len});

    wait_for_turn(f, number);
    f->failed = f->failed || text == NULL;
    const bool done = !f->failed;

    *line = f->lines + 1;
    if (done) {
        f->offset = range->offset + range->len;
        f->lines += lines;
    }
    pass_turn(f);
    return done ? text : NULL;
}
