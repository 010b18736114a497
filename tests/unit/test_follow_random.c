/*
 * test_follow_random.c - a process writes numbered lines in pieces and
 * rotates; a reader follows and is closed and opened again at its cursor. What
 * is read is what was written, once and in order.
 *
 * usage: test_follow_random [FIRST_SEED [SEEDS]]
 */
#include "support/files.h"

#include <sys/wait.h>

enum { LINES = 3000, KEEP = 400, NAME = 32 };

typedef enum scheme { COUNTERS, DATES } scheme;

/* -------- the writer --------------------------------------------------- */

typedef struct writer {
    unsigned random;
    scheme scheme;
    int fd;
    unsigned rotations;
    unsigned number; /* of the last line */
} writer;

static unsigned roll(unsigned *state, unsigned sides)
{
    *state = *state * 1103515245U + 12345U;
    return (*state >> 16) % sides;
}

static void reopen(writer *w)
{
    close(w->fd);
    w->fd = open("log", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

/* log.1 becomes log.2 and so on. */
static void move_on(unsigned count)
{
    char from[NAME], to[NAME];

    for (unsigned i = count; i > 0; i--) {
        (void)snprintf(from, sizeof from, "log.%u", i);
        (void)snprintf(to, sizeof to, "log.%u", i + 1);
        if (access(from, F_OK) == 0)
            files_move(from, to);
    }
}

/* "NUMBER xxx", in pieces. */
static void write_line(writer *w)
{
    char line[200];
    const unsigned number = ++w->number;
    const unsigned filler = roll(&w->random, 50);
    const int head = snprintf(line, sizeof line, "%u ", number);
    const size_t len = (size_t)head + filler + 1;
    size_t at = 0;

    memset(line + head, 'a' + (int)(number % 26), filler);
    line[len - 1] = '\n';
    while (at < len) {
        size_t n = len - at;
        if (roll(&w->random, 3) == 0)
            n = 1 + roll(&w->random, (unsigned)n);
        if (write(w->fd, line + at, n) != (ssize_t)n)
            abort();
        at += n;
    }
}

/* The old file has lost its name and is written to a little longer. */
static void rotate(writer *w)
{
    char to[NAME] = "log.1";

    if (w->rotations >= KEEP)
        return;
    if (w->scheme == DATES)
        (void)snprintf(to, sizeof to, "log-%08u", 20260000 + w->rotations);
    else
        move_on(w->rotations);
    w->rotations++;
    files_move("log", to);
    for (unsigned more = roll(&w->random, 4); more > 0; more--) {
        usleep(roll(&w->random, 300));
        if (w->number < LINES)
            write_line(w);
    }
    reopen(w);
}

static void write_all(unsigned seed, scheme by)
{
    writer w = {seed, by, -1, 0, 0};

    reopen(&w);
    while (w.number < LINES) {
        write_line(&w);
        if (roll(&w.random, 40) == 0)
            usleep(roll(&w.random, 4000));
        if (roll(&w.random, 60) == 0)
            rotate(&w);
        if (roll(&w.random, 300) == 0) {
            rotate(&w); /* one in between stays empty, perhaps */
            rotate(&w);
        }
    }
    _exit(0);
}

/* -------- the reader --------------------------------------------------- */

typedef struct reader {
    unsigned random;
    unsigned last;    /* number of the last line read */
    uint64_t in_file; /* its number in its file */
    unsigned reopened;
    unsigned lost, bad; /* statuses of that kind */
} reader;

static void check_line(reader *r, sg_str line, uint64_t number)
{
    char text[NAME];
    const int n = snprintf(text, sizeof text, "%u ", r->last + 1);

    if (!sg_str_starts(line, (sg_str){text, (size_t)n}) ||
        (number != 1 && number != r->in_file + 1)) {
        r->bad++;
        printf("after %u (%llu): %llu: %.*s\n", r->last,
               (unsigned long long)r->in_file, (unsigned long long)number,
               SG_FMT(line));
    }
    r->last = (unsigned)strtoul(line.ptr, NULL, 10);
    r->in_file = number;
}

/* Through bytes, as a state file would. */
static sr_input *open_again(reader *r, sr_input *in)
{
    sr_cursor at;
    sg_buf bytes = {0};

    sr_input_cursor(in, &at);
    sr_cursor_write(&at, &bytes);
    sr_input_close(in);
    CHECK(sr_cursor_read(sg_buf_str(&bytes), &at));
    sg_buf_free(&bytes);
    if (roll(&r->random, 4) == 0)
        usleep(roll(&r->random, 30000)); /* rotations may pass meanwhile */
    r->reopened++;
    return files_input("log", true, &at);
}

/* One step; false when nothing came for long. */
static bool step(reader *r, sr_input **in)
{
    uint64_t number, offset;
    sg_str line;
    const sr_line_status status = sr_input_next(*in, &line, &number, &offset);

    if (status == SR_LINE)
        check_line(r, line, number);
    else if (status == SR_WAIT && !sr_inputs_wait(in, 1, 10000))
        return false;
    else if (status != SR_WAIT) {
        printf("status %d: %s\n", (int)status, sr_input_reason(*in));
        r->lost++;
    }
    if (roll(&r->random, 200) == 0)
        *in = open_again(r, *in);
    return status != SR_END;
}

static void follow(unsigned seed, scheme by)
{
    reader r = {.random = seed + 1};

    files_clear();
    files_write("log", "");
    sr_input *in = files_input("log", true, NULL);
    const pid_t child = fork();

    if (child == 0)
        write_all(seed, by);
    while (r.last < LINES && r.bad == 0 && step(&r, &in))
        ;
    waitpid(child, NULL, 0);
    sr_input_close(in);
    CHECK_INT(r.last, LINES);
    CHECK_INT(r.bad, 0);
    CHECK_INT(r.lost, 0);
    if (r.last != LINES || r.bad != 0 || r.lost != 0)
        printf("  seed %u, scheme %d, opened again %u times\n", seed, (int)by,
               r.reopened);
}

int main(int argc, char **argv)
{
    const unsigned first = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 1;
    const unsigned seeds = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 8;

    files_open();
    for (unsigned seed = first; seed < first + seeds; seed++) {
        follow(seed, COUNTERS);
        follow(seed, DATES);
    }
    files_close();
    return TEST_END();
}
