/*
 * share.h - what several threads need of a detector and none of them changes:
 * made by the first that needs it, used by all. Each thread has a maker, with
 * the memory for what it makes for all.
 */
#ifndef SR_SHARE_H
#define SR_SHARE_H

#include "base/sg_base.h"

#include <stdatomic.h>

/* A thread that shares; belongs to it but for what is said here. */
typedef struct sr_maker {
    sg_arena arena; /* what is made in it lasts until all have left */
    struct sr_share *share;
    struct sr_maker *next; /* of the share */
} sr_maker;

/* Whether one thing is made; lies beside it. All 0 to begin with. */
typedef struct sr_once {
    atomic_uchar state;
} sr_once;

enum { SR_ONCE_NOT, SR_ONCE_BEGUN, SR_ONCE_MADE };

/* One that shares with another, or a first one; never NULL. */
sr_maker *sr_maker_open(const sr_maker *beside);
/* It makes nothing more. True: it was the last to leave, and sr_makers_free is
 * to be called. */
bool sr_maker_leave(sr_maker *maker);
/* All that share with this one, with what they made. */
void sr_makers_free(sr_maker *maker);

/* sr_makes for what is not made yet. */
bool sr_maker_claim(sr_maker *maker, sr_once *once);

/* True: the caller is to make the thing, then to call sr_made. False: it is
 * made; where another thread was about it, that is waited for. */
static inline bool sr_makes(sr_maker *maker, sr_once *once)
{
    return atomic_load_explicit(&once->state, memory_order_acquire) !=
               SR_ONCE_MADE &&
           sr_maker_claim(maker, once);
}

/* The thing is made and does not change any more. */
void sr_made(sr_maker *maker, sr_once *once);

#endif
