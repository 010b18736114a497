/*
 * watch.c - the clock of the phases, and the one line that a terminal shows
 * of long work.
 */
#include "driver/watch.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
    SECOND = 1000000000,
    DRAW_EVERY = SECOND / 10,
    /* Work that is done by then shows no line. */
    DRAW_AFTER = SECOND / 2
};

typedef struct phase_info {
    const char *name, *doing;
} phase_info;

static const phase_info phases[] = {
#define PHASE(name, doing) [SC_PHASE_##name] = {#name, doing},
#include "driver/phases.def"
#undef PHASE
};

static int64_t read_clock(clockid_t clock)
{
    struct timespec t = {0};

    clock_gettime(clock, &t);
    return (int64_t)t.tv_sec * SECOND + t.tv_nsec;
}

static int64_t of_timeval(struct timeval t)
{
    return (int64_t)t.tv_sec * SECOND + (int64_t)t.tv_usec * 1000;
}

/* -------- phases --------------------------------------------------------- */

static bool can_rewrite(void)
{
    const char *term = getenv("TERM");

    return isatty(STDERR_FILENO) && term != NULL && term[0] != '\0' &&
           strcmp(term, "dumb") != 0;
}

void sc_watch_start(sc_watch *w)
{
    *w = (sc_watch){.since_wall = read_clock(CLOCK_MONOTONIC),
                    .since_cpu = read_clock(CLOCK_PROCESS_CPUTIME_ID),
                    .terminal = can_rewrite()};
    w->next = w->since_wall + DRAW_AFTER;
}

sc_phase sc_watch_enter(sc_watch *w, sc_phase phase)
{
    const int64_t wall = read_clock(CLOCK_MONOTONIC),
                  cpu = read_clock(CLOCK_PROCESS_CPUTIME_ID);
    const sc_phase left = w->now;

    w->wall[left] += wall - w->since_wall;
    w->cpu[left] += cpu - w->since_cpu;
    w->since_wall = wall;
    w->since_cpu = cpu;
    w->now = phase;
    return left;
}

void sc_watch_child(sc_watch *w, sc_phase phase, const struct rusage *usage)
{
    w->cpu[phase] += of_timeval(usage->ru_utime) + of_timeval(usage->ru_stime);
}

/* -------- the line on a terminal ----------------------------------------- */

void sc_watch_step(sc_watch *w, uint32_t done, uint32_t total)
{
    int64_t now;

    if (!w->terminal)
        return;
    now = read_clock(CLOCK_MONOTONIC);
    if (now < w->next)
        return;
    w->next = now + DRAW_EVERY;
    w->drawn = true;
    fprintf(stderr, "\r\x1b[Ksigcc: %s: %" PRIu32 " of %" PRIu32,
            phases[w->now].doing, done, total);
    fflush(stderr);
}

void sc_watch_clear(sc_watch *w)
{
    if (!w->drawn)
        return;
    w->drawn = false;
    fputs("\r\x1b[K", stderr);
    fflush(stderr);
}

/* -------- the table ------------------------------------------------------ */

static double ms(int64_t nanoseconds)
{
    return (double)nanoseconds / 1e6;
}

static void put_text(const sc_watch *w, sg_buf *out)
{
    int64_t wall = 0, cpu = 0;

    sg_buf_printf(out, "%-10s %10s %10s\n", "phase", "wall ms", "cpu ms");
    for (int i = 0; i < SC_PHASE_COUNT; i++) {
        wall += w->wall[i];
        cpu += w->cpu[i];
        if (w->wall[i] > 0)
            sg_buf_printf(out, "%-10s %10.1f %10.1f\n", phases[i].name,
                          ms(w->wall[i]), ms(w->cpu[i]));
    }
    sg_buf_printf(out, "%-10s %10.1f %10.1f\n", "total", ms(wall), ms(cpu));
    if (w->files > 0)
        sg_buf_printf(out,
                      "C files: %" PRIu32 ", %" PRIu32 " from the cache\n"
                      "detectors: %" PRIu32 ", %" PRIu32 " from the cache\n",
                      w->files, w->files_cached, w->linked, w->linked_cached);
}

static void put_json(const sc_watch *w, sg_buf *out)
{
    int64_t wall = 0, cpu = 0;

    sg_buf_putz(out, "{\"schema\":\"sigcc.timings/1\",\"phases\":{");
    for (int i = 0; i < SC_PHASE_COUNT; i++) {
        wall += w->wall[i];
        cpu += w->cpu[i];
        sg_buf_printf(out, "%s\"%s\":{\"wall_ms\":%.3f,\"cpu_ms\":%.3f}",
                      i > 0 ? "," : "", phases[i].name, ms(w->wall[i]),
                      ms(w->cpu[i]));
    }
    sg_buf_printf(out,
                  "},\"wall_ms\":%.3f,\"cpu_ms\":%.3f,"
                  "\"files\":%" PRIu32 ",\"files_cached\":%" PRIu32
                  ",\"detectors\":%" PRIu32 ",\"detectors_cached\":%" PRIu32
                  "}\n",
                  ms(wall), ms(cpu), w->files, w->files_cached, w->linked,
                  w->linked_cached);
}

void sc_watch_put(sc_watch *w, sg_buf *out, bool json)
{
    sc_watch_enter(w, w->now);
    if (json)
        put_json(w, out);
    else
        put_text(w, out);
}
