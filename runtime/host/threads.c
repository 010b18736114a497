/*
 * threads.c - the threads of --threads: one queue of jobs, one lock. Jobs are
 * blocks of many events, so that nobody waits for the lock.
 */
#include "host/threads.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>

struct sr_threads {
    pthread_mutex_t lock;
    pthread_cond_t work, done;
    sr_job *first, *last;
    bool closing;
    uint32_t count;
    pthread_t *threads;
    atomic_uint started; /* numbers the threads */
};

/* The next job, or NULL at the end. With the lock. */
static sr_job *take(sr_threads *t)
{
    while (t->first == NULL && !t->closing)
        pthread_cond_wait(&t->work, &t->lock);
    if (t->closing)
        return NULL;
    sr_job *job = t->first;

    t->first = job->next;
    if (t->first == NULL)
        t->last = NULL;
    job->started = true;
    return job;
}

static void *serve(void *arg)
{
    sr_threads *t = arg;
    const uint32_t number = atomic_fetch_add(&t->started, 1);
    sr_job *job;

    pthread_mutex_lock(&t->lock);
    while ((job = take(t)) != NULL) {
        pthread_mutex_unlock(&t->lock);
        job->fn(job->ctx, number);
        pthread_mutex_lock(&t->lock);
        job->done = true;
        if (job->awaited)
            pthread_cond_signal(&t->done);
    }
    pthread_mutex_unlock(&t->lock);
    return NULL;
}

sr_threads *sr_threads_open(uint32_t count)
{
    sr_threads *t = calloc(1, sizeof(*t));
    sigset_t all;
    sigset_t old;

    if (t == NULL)
        sg_fatal("out of memory");
    pthread_mutex_init(&t->lock, NULL);
    pthread_cond_init(&t->work, NULL);
    pthread_cond_init(&t->done, NULL);
    t->threads = calloc(count, sizeof(*t->threads));
    if (t->threads == NULL)
        sg_fatal("out of memory");
    /* Signals are the main thread's. */
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &old);
    while (t->count < count &&
           pthread_create(&t->threads[t->count], NULL, serve, t) == 0)
        t->count++;
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    if (t->count == count)
        return t;
    sr_threads_close(t);
    return NULL;
}

void sr_threads_close(sr_threads *threads)
{
    if (threads == NULL)
        return;
    pthread_mutex_lock(&threads->lock);
    threads->closing = true;
    pthread_cond_broadcast(&threads->work);
    pthread_mutex_unlock(&threads->lock);
    for (uint32_t i = 0; i < threads->count; i++)
        pthread_join(threads->threads[i], NULL);
    pthread_cond_destroy(&threads->work);
    pthread_cond_destroy(&threads->done);
    pthread_mutex_destroy(&threads->lock);
    free(threads->threads);
    free(threads);
}

void sr_threads_submit(sr_threads *threads, sr_job *job)
{
    job->next = NULL;
    job->started = job->done = job->awaited = false;
    pthread_mutex_lock(&threads->lock);
    if (threads->last != NULL)
        threads->last->next = job;
    else
        threads->first = job;
    threads->last = job;
    pthread_cond_signal(&threads->work);
    pthread_mutex_unlock(&threads->lock);
}

/* With the lock. */
static void wait_for(sr_threads *t, sr_job *job)
{
    job->awaited = true;
    while (!job->done)
        pthread_cond_wait(&t->done, &t->lock);
}

void sr_threads_wait(sr_threads *threads, sr_job *job)
{
    pthread_mutex_lock(&threads->lock);
    wait_for(threads, job);
    pthread_mutex_unlock(&threads->lock);
}

/* -------- many at once --------------------------------------------------- */

typedef struct share {
    sr_run_fn *fn;
    void *ctx;
    uint32_t count;
    atomic_uint next;
} share;

static void work(share *s)
{
    for (;;) {
        const uint32_t i = atomic_fetch_add(&s->next, 1);

        if (i >= s->count)
            return;
        s->fn(s->ctx, i);
    }
}

static void help(void *ctx, uint32_t thread)
{
    (void)thread;
    work(ctx);
}

/* Ahead of what waits: the caller does until they are done. */
static void push_first(sr_threads *t, sr_job *job)
{
    job->next = t->first;
    t->first = job;
    if (t->last == NULL)
        t->last = job;
}

/* Jobs that nobody has begun are not needed any more. */
static void withdraw(sr_threads *t, const sr_job *jobs, uint32_t count)
{
    sr_job **link = &t->first;

    t->last = NULL;
    while (*link != NULL) {
        if (*link >= jobs && *link < jobs + count) {
            *link = (*link)->next;
        } else {
            t->last = *link;
            link = &(*link)->next;
        }
    }
}

void sr_threads_run(void *threads, sr_run_fn *fn, void *ctx, uint32_t count)
{
    enum { MOST = 64 };
    sr_threads *t = threads;
    sr_job jobs[MOST];
    share s = {fn, ctx, count, 0};
    const uint32_t helpers = t->count - 1 < MOST ? t->count - 1 : MOST;

    pthread_mutex_lock(&t->lock);
    for (uint32_t i = 0; i < helpers; i++) {
        jobs[i] = (sr_job){.fn = help, .ctx = &s};
        push_first(t, &jobs[i]);
    }
    pthread_cond_broadcast(&t->work);
    pthread_mutex_unlock(&t->lock);
    work(&s);
    pthread_mutex_lock(&t->lock);
    withdraw(t, jobs, helpers);
    for (uint32_t i = 0; i < helpers; i++)
        if (jobs[i].started)
            wait_for(t, &jobs[i]);
    pthread_mutex_unlock(&t->lock);
}
