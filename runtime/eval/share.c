/*
 * share.c - one lock for all that is made: it is held to say that something is
 * begun or made, not while it is. Who makes one thing may need another, never
 * the other way round, so that nobody waits for itself.
 */
#include "eval/share.h"

#include <pthread.h>
#include <stdlib.h>

struct sr_share {
    pthread_mutex_t lock;
    pthread_cond_t made;
    /* With the lock: */
    sr_maker *makers;
    uint32_t users; /* that have not left */
};

static struct sr_share *open_share(void)
{
    struct sr_share *s = calloc(1, sizeof(*s));

    if (s == NULL)
        sg_fatal("out of memory");
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->made, NULL);
    return s;
}

sr_maker *sr_maker_open(const sr_maker *beside)
{
    sr_maker *m = calloc(1, sizeof(*m));

    if (m == NULL)
        sg_fatal("out of memory");
    m->share = beside == NULL ? open_share() : beside->share;
    pthread_mutex_lock(&m->share->lock);
    m->next = m->share->makers;
    m->share->makers = m;
    m->share->users++;
    pthread_mutex_unlock(&m->share->lock);
    return m;
}

bool sr_maker_leave(sr_maker *maker)
{
    struct sr_share *s = maker->share;

    pthread_mutex_lock(&s->lock);
    const bool last = --s->users == 0;

    pthread_mutex_unlock(&s->lock);
    return last;
}

void sr_makers_free(sr_maker *maker)
{
    struct sr_share *s = maker->share;

    while (s->makers != NULL) {
        sr_maker *m = s->makers;

        s->makers = m->next;
        sg_arena_free(&m->arena);
        free(m);
    }
    pthread_cond_destroy(&s->made);
    pthread_mutex_destroy(&s->lock);
    free(s);
}

bool sr_maker_claim(sr_maker *maker, sr_once *once)
{
    struct sr_share *s = maker->share;
    unsigned char state;

    pthread_mutex_lock(&s->lock);
    while ((state = atomic_load(&once->state)) == SR_ONCE_BEGUN)
        pthread_cond_wait(&s->made, &s->lock);
    if (state == SR_ONCE_NOT)
        atomic_store(&once->state, SR_ONCE_BEGUN);
    pthread_mutex_unlock(&s->lock);
    return state == SR_ONCE_NOT;
}

void sr_made(sr_maker *maker, sr_once *once)
{
    struct sr_share *s = maker->share;

    pthread_mutex_lock(&s->lock);
    atomic_store(&once->state, SR_ONCE_MADE);
    pthread_cond_broadcast(&s->made);
    pthread_mutex_unlock(&s->lock);
}
