/*
 * watch.h - how long each phase takes, for --timings, and which one it is, for
 * a terminal. One phase at a time is entered; what compilers and linkers use
 * is added to theirs.
 */
#ifndef SC_WATCH_H
#define SC_WATCH_H

#include "base/base.h"

#include <sys/resource.h>

typedef enum sc_phase {
#define PHASE(name, doing) SC_PHASE_##name,
#include "driver/phases.def"
#undef PHASE
    SC_PHASE_COUNT
} sc_phase;

typedef struct sc_watch {
    sc_phase now;
    int64_t since_wall, since_cpu; /* of the phase; nanoseconds */
    int64_t wall[SC_PHASE_COUNT];  /* of this process; nanoseconds */
    int64_t cpu[SC_PHASE_COUNT];   /* and of its children */
    uint32_t files, files_cached;  /* C files, and objects found in the cache */
    uint32_t linked, linked_cached;

    bool terminal; /* standard error is one that can rewrite a line */
    bool drawn;    /* there is a line on it */
    int64_t next;  /* when it may be rewritten; nanoseconds */
} sc_watch;

void sc_watch_start(sc_watch *w);
/* Returns the phase that was left. */
sc_phase sc_watch_enter(sc_watch *w, sc_phase phase);
/* A child of that phase has ended. */
void sc_watch_child(sc_watch *w, sc_phase phase, const struct rusage *usage);
/* So many of so many are done: now and then shown on a terminal. */
void sc_watch_step(sc_watch *w, uint32_t done, uint32_t total);
/* Take the line from the terminal; before anything else is printed. */
void sc_watch_clear(sc_watch *w);
/* The table of --timings: text, or one line of JSON. */
void sc_watch_put(sc_watch *w, sg_buf *out, bool json);

#endif
