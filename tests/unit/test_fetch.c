/*
 * test_fetch.c - ranges that several threads fetch: numbers of lines, and what
 * becomes of a file that is cut meanwhile.
 */
#include "host/fetch.h"
#include "support/test.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

enum { LINE = 10, LINES = 5000, THREADS = 3, MOST = 1000, SIZE = 333 };

static char path[] = "/tmp/sigcc_fetch.XXXXXX";

typedef struct work {
    sr_fetches *fetches;
    sr_range ranges[MOST];
    uint64_t numbers[MOST];
    unsigned count;
    atomic_uint next;
    atomic_uint seen[LINES + 1]; /* how often each line was fetched */
    atomic_bool wrong;           /* a line had another's number */
    atomic_uint counted;         /* ranges that were when they were read */
} work;

static void write_lines(void)
{
    FILE *f = fopen(path, "w");

    for (unsigned i = 1; i <= LINES; i++)
        fprintf(f, "%*u\n", LINE - 1, i);
    fclose(f);
}

/* They count from the one of the range. */
static void check_lines(work *w, unsigned i, const char *text)
{
    uint64_t line = text == NULL ? 0 : strtoull(text, NULL, 10);

    for (size_t at = 0; text != NULL && at < w->ranges[i].len; at += LINE) {
        if (strtoull(text + at, NULL, 10) != line)
            w->wrong = true;
        w->seen[line++]++;
    }
}

static void *fetch_some(void *arg)
{
    work *w = arg;
    char *room = malloc(SR_INPUT_ROOM);
    unsigned i;

    while ((i = atomic_fetch_add(&w->next, 1)) < w->count) {
        const uint64_t number = w->numbers[i];
        bool counted;
        const char *text =
            sr_fetch(w->fetches, number, &w->ranges[i], room, &counted);

        w->counted += counted && text != NULL;
        check_lines(w, i, text);
        if (!counted)
            sr_fetch_counted(w->fetches, number, w->ranges[i].len / LINE);
        if (text != NULL)
            w->wrong |=
                sr_fetch_before(w->fetches, number, i % 100 == 50) + 1 !=
                strtoull(text, NULL, 10);
    }
    free(room);
    return NULL;
}

/* Lend all of the file there is behind its first line, cut it to `left` bytes
 * (0: do not), fetch, and read what remains. Returns how many lines of it there
 * were in all. */
static uint64_t run(work *w, off_t left)
{
    char reason[SR_INPUT_REASON];
    sr_input *input = sr_input_open(path, 64, reason);
    pthread_t threads[THREADS];
    uint64_t number, offset, lines;
    sg_str line;

    w->count = 0;
    w->next = 0;
    for (unsigned i = 0; i <= LINES; i++)
        w->seen[i] = 0;
    CHECK(sr_input_next(input, &line, &number, &offset) == SR_LINE);
    w->seen[1]++;
    sr_fetches_begin(w->fetches, LINE, 1);
    while (sr_input_lend(input, SIZE, &w->ranges[w->count]))
        w->numbers[w->count++] = sr_fetches_next(w->fetches);
    CHECK(w->count > LINES * LINE / SIZE * 9 / 10);
    CHECK(left == 0 || truncate(path, left) == 0);
    for (unsigned i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, fetch_some, w);
    sr_fetches_end(w->fetches, &offset, &lines);
    sr_input_lent(input, offset, lines);
    CHECK_INT(offset, lines * LINE);
    while (sr_input_next(input, &line, &number, &offset) == SR_LINE) {
        CHECK_INT(number, lines + 1);
        CHECK_INT(strtoull(line.ptr, NULL, 10), number);
        w->seen[number]++;
        lines = number;
    }
    for (unsigned i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    CHECK(!w->wrong);
    sr_input_close(input);
    return lines;
}

/* Each of the first `count` lines was there once, and no other. */
static void check_seen(work *w, uint64_t count)
{
    bool once = true;

    for (unsigned i = 1; i <= LINES; i++)
        once = once && w->seen[i] == (i <= count);
    CHECK(once);
}

int main(void)
{
    const int fd = mkstemp(path);
    work *w = calloc(1, sizeof(*w));

    if (fd < 0 || w == NULL)
        return 1;
    close(fd);
    w->fetches = sr_fetches_open(MOST);
    for (unsigned i = 0; i < 20; i++) {
        const uint64_t left = 1 + LINES / 20 * i; /* lines */

        write_lines();
        CHECK_INT(run(w, 0), LINES);
        check_seen(w, LINES);
        CHECK_INT(run(w, (off_t)left * LINE), left);
        check_seen(w, left);
    }
    CHECK(w->counted > 20 * 64);
    sr_fetches_close(w->fetches);
    sr_fetches_close(NULL);
    CHECK_INT(sr_count_lines(SG_S("")), 0);
    CHECK_INT(sr_count_lines(SG_S("\na\n\nb")), 3);
    free(w);
    unlink(path);
    return TEST_END();
}
