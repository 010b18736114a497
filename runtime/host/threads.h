/*
 * threads.h - a fixed number of threads that take jobs from one queue, private
 * to this folder. All functions are for the thread that opened them.
 */
#ifndef SR_HOST_THREADS_H
#define SR_HOST_THREADS_H

#include "agg/agg.h"

typedef struct sr_threads sr_threads;

/* Something to do: fn(ctx, thread) with the number of the thread that does it.
 * Zero-initialise; owned by the caller until it is done. */
typedef struct sr_job {
    void (*fn)(void *ctx, uint32_t thread);
    void *ctx;
    struct sr_job *next;
    bool started, done;
    bool awaited; /* somebody is to be woken when it is done */
} sr_job;

/* NULL when not all of them can be started. */
sr_threads *sr_threads_open(uint32_t count);
/* Jobs that wait are dropped. NULL is allowed. */
void sr_threads_close(sr_threads *threads);

/* Put a job behind the others; sr_threads_wait returns once it is done. */
void sr_threads_submit(sr_threads *threads, sr_job *job);
void sr_threads_wait(sr_threads *threads, sr_job *job);
/* sr_parallel_fn; `threads` is a sr_threads. The calling thread helps. */
void sr_threads_run(void *threads, sr_run_fn *fn, void *ctx, uint32_t count);

#endif
