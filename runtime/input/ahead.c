/*
 * ahead.c - decompression beside matching. One thread fills a ring of pieces,
 * the stream's empties it; a piece belongs to one of them at a time, and what
 * comes out is what the codec alone would give.
 */
#include "input/ahead.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

enum { PIECES = 4, PIECE_SIZE = 1 << 18 };

typedef struct piece {
    sr_codec_status status;
    const char *reason;
    size_t len, given;
    int failed; /* errno of a read so far, or 0 */
    char *bytes;
} piece;

struct sr_ahead {
    const sr_codec *codec;
    void *state;
    sr_raw raw; /* the thread's own, also its buffer */
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t filled, emptied;
    unsigned used;  /* pieces filled and not yet emptied; with the lock */
    bool closing;   /* with the lock */
    unsigned first; /* of them: the stream's */
    char *memory;
    piece pieces[PIECES];
};

bool sr_ahead_wanted(void)
{
    const char *value = getenv("SIGCC_AHEAD");

    return value == NULL || strcmp(value, "0") != 0;
}

/* -------- in the thread -------------------------------------------------- */

/* Wait until fewer than all pieces are filled; false when nobody wants more. */
static bool wait_emptied(sr_ahead *a)
{
    bool goes_on;

    pthread_mutex_lock(&a->lock);
    while (a->used == PIECES && !a->closing)
        pthread_cond_wait(&a->emptied, &a->lock);
    goes_on = !a->closing;
    pthread_mutex_unlock(&a->lock);
    return goes_on;
}

static void hand_over(sr_ahead *a)
{
    pthread_mutex_lock(&a->lock);
    a->used++;
    pthread_cond_signal(&a->filled);
    pthread_mutex_unlock(&a->lock);
}

static void *fill(void *arg)
{
    sr_ahead *a = arg;
    bool goes_on = true;

    for (unsigned i = 0; goes_on && wait_emptied(a); i = (i + 1) % PIECES) {
        piece *p = &a->pieces[i];

        p->given = 0;
        p->status = a->codec->read(a->state, &a->raw, &p->reason, p->bytes,
                                   PIECE_SIZE, &p->len);
        p->failed = a->raw.failed;
        goes_on = p->status == SR_CODEC_MORE && p->len != 0;
        hand_over(a);
    }
    return NULL;
}

/* -------- in the stream's thread ------------------------------------------ */

/* Signals stay with the threads there were. */
static bool start(sr_ahead *a)
{
    sigset_t all, old;
    bool done;

    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &old);
    done = pthread_create(&a->thread, NULL, fill, a) == 0;
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    return done;
}

static void free_all(sr_ahead *a)
{
    pthread_cond_destroy(&a->filled);
    pthread_cond_destroy(&a->emptied);
    pthread_mutex_destroy(&a->lock);
    free(a->raw.buf);
    free(a->memory);
    free(a);
}

sr_ahead *sr_ahead_open(const sr_codec *codec, void *state, sr_raw *raw)
{
    sr_ahead *a = calloc(1, sizeof *a);

    if (a == NULL)
        return NULL;
    a->codec = codec;
    a->state = state;
    a->raw = *raw;
    a->raw.before = NULL;
    a->memory = malloc((size_t)PIECES * PIECE_SIZE);
    for (unsigned i = 0; i < PIECES && a->memory != NULL; i++)
        a->pieces[i].bytes = a->memory + (size_t)i * PIECE_SIZE;
    pthread_mutex_init(&a->lock, NULL);
    pthread_cond_init(&a->filled, NULL);
    pthread_cond_init(&a->emptied, NULL);
    if (a->memory != NULL && start(a)) {
        raw->buf = NULL; /* it is freed with the thread's */
        raw->pos = raw->len = raw->cap = 0;
        return a;
    }
    a->raw.buf = NULL;
    free_all(a);
    return NULL;
}

static void wait_filled(sr_ahead *a)
{
    pthread_mutex_lock(&a->lock);
    while (a->used == 0)
        pthread_cond_wait(&a->filled, &a->lock);
    pthread_mutex_unlock(&a->lock);
}

/* The first piece was given out. The last one stays, to be met again. */
static void give_back(sr_ahead *a)
{
    a->first = (a->first + 1) % PIECES;
    pthread_mutex_lock(&a->lock);
    a->used--;
    pthread_cond_signal(&a->emptied);
    pthread_mutex_unlock(&a->lock);
}

sr_codec_status sr_ahead_read(sr_ahead *ahead, sr_raw *raw, const char **reason,
                              void *dst, size_t cap, size_t *got)
{
    *got = 0;
    if (raw->before != NULL && !raw->before(raw->ctx)) {
        raw->end = raw->stopped = true;
        return SR_CODEC_MORE;
    }
    wait_filled(ahead);
    piece *p = &ahead->pieces[ahead->first];
    const size_t left = p->len - p->given;

    if (p->len == 0) {
        raw->end = true;
        raw->failed = p->failed;
        *reason = p->reason;
        return p->status;
    }
    *got = left < cap ? left : cap;
    memcpy(dst, p->bytes + p->given, *got);
    p->given += *got;
    if (p->given == p->len)
        give_back(ahead);
    return SR_CODEC_MORE;
}

void sr_ahead_close(sr_ahead *ahead)
{
    if (ahead == NULL)
        return;
    pthread_mutex_lock(&ahead->lock);
    ahead->closing = true;
    pthread_cond_signal(&ahead->emptied);
    pthread_mutex_unlock(&ahead->lock);
    pthread_join(ahead->thread, NULL);
    free_all(ahead);
}
