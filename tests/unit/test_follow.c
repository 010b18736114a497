/*
 * test_follow.c - files that grow and are replaced while they are read.
 */
#include "support/files.h"
#include "support/pack.h"

#include <signal.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>

enum { GRACE_MS = 1300 };

static void want_for(sr_input *in, int ms, const char *want)
{
    sg_buf have = {0};

    files_read_for(in, &have, ms);
    CHECK_STR(sg_buf_str(&have), sg_str_of(want));
    sg_buf_free(&have);
}

static uint64_t generation(const sr_input *in)
{
    sr_cursor at;

    sr_input_cursor(in, &at);
    return at.generation;
}

/* -------- growth ------------------------------------------------------- */

/* Pieces that cut lines, line ends and UTF-8 sequences anywhere. */
static void test_pieces(unsigned seed)
{
    static const char text[] = "\xEF\xBB\xBFone\r\n\n\xC3\xA4\xE2\x82\xAC\n"
                               "\xF0\x9F\x98\x80 x\r\n\x1f\nlast\n";
    sg_buf have = {0};
    size_t at = 0;

    srand(seed);
    files_write("log", "");
    sr_input *in = files_input("log", true, NULL);

    while (at < sizeof text - 1) {
        size_t n = (size_t)(rand() % 7);
        if (n > sizeof text - 1 - at)
            n = sizeof text - 1 - at;
        files_put("log", O_APPEND, (sg_str){text + at, n});
        at += n;
        CHECK_INT(files_read(in, &have), SR_WAIT);
    }
    CHECK_STR(sg_buf_str(&have),
              SG_S("1 one;2 ;3 \xC3\xA4\xE2\x82\xAC;4 \xF0\x9F\x98\x80 x;"
                   "5 \x1f;6 last;"));
    CHECK_INT(generation(in), 0);
    sr_input_close(in);
    sg_buf_free(&have);
}

static void test_growth(void)
{
    char longer[100];
    sr_input *in = files_input("log", true, NULL);

    CHECK_INT(sr_input_fd(in), -1);
    WANT(in, "");
    files_append("log", "a\nb");
    WANT(in, "1 a;");
    CHECK(sr_input_fd(in) > 2);
    WANT(in, "");
    files_append("log", "c\n\n");
    WANT(in, "2 bc;3 ;");
    memset(longer, 'x', sizeof longer);
    files_put("log", O_APPEND, (sg_str){longer, sizeof longer});
    WANT(in, "");
    files_put("log", O_APPEND, (sg_str){longer, sizeof longer});
    WANT(in, "");
    files_append("log", "\nd\n");
    WANT(in, "4 long;5 d;");
    CHECK_INT(generation(in), 0);
    sr_input_close(in);
}

/* -------- rotation ----------------------------------------------------- */

static void test_rename(void)
{
    files_write("log", "a\nb");
    sr_input *in = files_input("log", true, NULL);

    WANT(in, "1 a;");
    files_move("log", "log.1");
    WANT(in, ""); /* no new file: the writer may go on */
    files_append("log.1", "b\nc\nd");
    WANT(in, "2 bb;3 c;");
    files_write("log", "");
    files_append("log.1", "d\n"); /* has not moved on yet */
    WANT(in, "4 dd;");
    files_append("log.1", "e");
    files_append("log", "f\n");
    WANT(in, "5 e;1 f;");
    CHECK_INT(generation(in), 1);
    files_append("log", "g\n");
    WANT(in, "2 g;");
    sr_input_close(in);
}

/* The new file stays empty: a second of quiet is enough for the last line, but
 * a slow writer may still go on. */
static void test_empty_heir(void)
{
    files_write("log", "a\nb");
    sr_input *in = files_input("log", true, NULL);

    WANT(in, "1 a;");
    files_move("log", "log.1");
    files_write("log", "");
    WANT(in, "");
    want_for(in, GRACE_MS, "2 b;");
    files_append("log.1", "late\n");
    WANT(in, "3 late;");
    CHECK_INT(generation(in), 0);
    files_append("log", "c\n");
    WANT(in, "1 c;");
    CHECK_INT(generation(in), 1);
    CHECK(!sr_inputs_wait(&in, 1, 20));
    files_append("log.1", "too late\n");
    CHECK(sr_inputs_wait(&in, 1, 20));
    WANT(in, "lost;");
    CHECK(!sr_inputs_wait(&in, 1, 20));
    sr_input_close(in);
}

/* Several rotations between two looks, by any scheme of names. */
static void test_chain(const char *const names[3])
{
    files_write("log", "a\nb");
    sr_input *in = files_input("log", true, NULL);

    WANT(in, "1 a;");
    files_append("log", "b\n");
    for (int i = 0; i < 3; i++) {
        const char text[] = {'x', '\n', (char)('0' + i), '\n', '\0'};
        if (strcmp(names[0], "log.1") == 0) { /* each moves on by one */
            if (access("log.2", F_OK) == 0)
                files_move("log.2", "log.3");
            if (access("log.1", F_OK) == 0)
                files_move("log.1", "log.2");
            files_move("log", "log.1");
        } else {
            files_move("log", names[i]);
        }
        files_write("log", text);
    }
    WANT(in, "2 bb;1 x;2 0;1 x;2 1;1 x;2 2;");
    CHECK_INT(generation(in), 3);
    files_append("log", "c\n");
    WANT(in, "3 c;");
    sr_input_close(in);
}

/* A file that was replaced before anything was written to it. */
static void test_empty_between(void)
{
    files_write("log", "a\n");
    sr_input *in = files_input("log", true, NULL);

    WANT(in, "1 a;");
    files_move("log", "log.2");
    files_write("log.1", "");
    files_write("log", "");
    WANT(in, "");
    CHECK_INT(generation(in), 1);
    files_append("log", "b\n");
    CHECK(sr_inputs_wait(&in, 1, 20));
    WANT(in, "1 b;");
    CHECK_INT(generation(in), 2);
    sr_input_close(in);
}

/* Files beside it that are no rotated ones, or older, are left alone. */
static void test_neighbours(void)
{
    files_write("log.2", "old\n");
    files_write("log.1", "old\n");
    usleep(20000);
    files_write("log", "a\n");
    sr_input *in = files_input("log", true, NULL);

    WANT(in, "1 a;");
    usleep(20000);
    files_move("log.1", "log.3");
    files_move("log", "log.1");
    files_write("log.idx", "index\n");
    files_write("log-error", "error\n");
    files_write("log2", "other\n");
    CHECK(symlink("log2", "log.0") == 0);
    files_write("log", "b\n");
    WANT(in, "1 b;");
    sr_input_close(in);
}

/* -------- emptied in place --------------------------------------------- */

static void test_truncate(void)
{
    files_write("log", "a1\na2\na3");
    sr_input *in = files_input("log", true, NULL);

    WANT(in, "1 a1;2 a2;");
    files_write("log", "");
    WANT(in, "3 a3;");
    CHECK_INT(generation(in), 1);
    files_append("log", "b1\n");
    WANT(in, "1 b1;");
    files_write("log", "c1\nc2\nc3\n"); /* longer than it was */
    WANT(in, "1 c1;2 c2;3 c3;");
    files_write("log", "d1\nd2\nd3\n"); /* as long */
    WANT(in, "1 d1;2 d2;3 d3;");
    CHECK_INT(generation(in), 3);
    sr_input_close(in);
}

/* What was copied away and not read yet is read from the copy. */
static void test_copytruncate(void)
{
    files_write("log", "a1\na2\na3");
    sr_input *in = files_input("log", true, NULL);

    WANT(in, "1 a1;2 a2;");
    files_append("log", "a\na4\n");
    files_copy("log", "log.1");
    files_write("log", "b1\n");
    WANT(in, "3 a3a;4 a4;1 b1;");
    CHECK_INT(generation(in), 1);
    files_move("log.1", "log.2");
    files_copy("log", "log.1"); /* nothing that was not read */
    files_write("log", "");
    files_append("log", "c1\n");
    WANT(in, "1 c1;");
    CHECK_INT(generation(in), 2);
    sr_input_close(in);
}

/* -------- gone --------------------------------------------------------- */

static void test_delete(void)
{
    files_write("log", "a\nb");
    sr_input *in = files_input("log", true, NULL);
    sr_cursor at;

    WANT(in, "1 a;");
    unlink("log");
    WANT(in, "");
    want_for(in, GRACE_MS, "2 b;");
    sr_input_cursor(in, &at);
    CHECK(at.ended && at.line == 2);
    files_write("log", "a\nc\n"); /* may get the same inode number */
    WANT(in, "1 a;2 c;");
    CHECK_INT(generation(in), 1);
    unlink("log");
    files_write("log", "d\n");
    WANT(in, "1 d;");
    sr_input_close(in);
    in = files_input("log", true, &at); /* gone, but it was read whole */
    WANT(in, "1 d;");
    sr_input_close(in);
}

/* The old file is compressed while it is still being read. */
static void test_compressed_meanwhile(void)
{
    sg_buf packed = {0};

    files_write("log", "a\nb\n");
    sr_input *in = files_input("log", true, NULL);

    WANT(in, "1 a;2 b;");
    files_move("log", "log.1");
    put_gzip(&packed, SG_S("a\nb\n"));
    files_put("log.1.gz", 0, sg_buf_str(&packed));
    unlink("log.1");
    usleep(20000);
    files_write("log.0", "c\n");
    files_write("log", "d\n");
    WANT(in, "1 c;1 d;");
    CHECK_INT(generation(in), 2);
    sr_input_close(in);
    sg_buf_free(&packed);
}

static void test_link(void)
{
    files_write("one", "a\n");
    files_write("two", "b\n");
    CHECK(symlink("one", "log") == 0);
    sr_input *in = files_input("log", true, NULL);

    WANT(in, "1 a;");
    files_append("one", "aa\n");
    CHECK(symlink("two", "new") == 0);
    files_move("new", "log");
    WANT(in, "2 aa;1 b;");
    files_move("two", "two.1"); /* rotated beside its target */
    files_write("two", "c\n");
    files_move("two", "two.0");
    files_write("two", "d\n");
    WANT(in, "1 c;1 d;");
    sr_input_close(in);
}

/* The path becomes something that cannot be read: told once. */
static void test_unreadable(void)
{
    files_write("log", "a\nb");
    sr_input *in = files_input("log", true, NULL);

    WANT(in, "1 a;");
    files_move("log", "log.1");
    CHECK(mkdir("log", 0700) == 0);
    want_for(in, GRACE_MS, "2 b;bad;");
    want_for(in, 200, "");
    CHECK(!sr_inputs_wait(&in, 1, 300));
    CHECK(rmdir("log") == 0);
    files_write("log", "c\n");
    CHECK(sr_inputs_wait(&in, 1, 300));
    WANT(in, "1 c;");
    sr_input_close(in);
}

static void test_compressed(void)
{
    sg_buf packed = {0}, have = {0};

    put_zstd(&packed, SG_S("a\nb"));
    files_put("log", 0, sg_buf_str(&packed));
    sr_input *in = files_input("log", true, NULL);

    CHECK_INT(files_read(in, &have), SR_END);
    CHECK_STR(sg_buf_str(&have), SG_S("1 a;2 b;"));
    CHECK(!sr_inputs_wait(&in, 1, -1));
    sr_input_close(in);
    sg_buf_free(&packed);
    sg_buf_free(&have);
}

/* -------- pipes and waiting -------------------------------------------- */

static void test_pipe(void)
{
    sg_buf have = {0};
    int ends[2];

    CHECK(pipe(ends) == 0);
    dup2(ends[0], STDIN_FILENO);
    close(ends[0]);
    sr_input *in = files_input("-", true, NULL);

    WANT(in, "");
    CHECK(!sr_inputs_wait(&in, 1, 20));
    CHECK(write(ends[1], "a\nb", 3) == 3);
    CHECK(sr_inputs_wait(&in, 1, -1));
    WANT(in, "1 a;");
    close(ends[1]);
    CHECK(sr_inputs_wait(&in, 1, -1));
    CHECK_INT(files_read(in, &have), SR_END);
    CHECK_STR(sg_buf_str(&have), SG_S("2 b;"));
    sr_input_close(in);
    sg_buf_free(&have);
}

static void test_fifo(void)
{
    sg_buf have = {0};

    CHECK(mkfifo("log", 0600) == 0);
    sr_input *in = files_input("log", true, NULL); /* nobody writes yet */

    WANT(in, "");
    const int fd = open("log", O_WRONLY | O_CLOEXEC);

    CHECK(write(fd, "a\n", 2) == 2);
    WANT(in, "1 a;");
    close(fd);
    CHECK_INT(files_read(in, &have), SR_END);
    sr_input_close(in);
    sg_buf_free(&have);
}

static void nothing(int number)
{
    (void)number;
}

static bool no(void *ctx)
{
    (void)ctx;
    return false;
}

static int64_t now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* A child does something to the files in a moment. */
static pid_t later(void (*act)(void))
{
    const pid_t child = fork();

    if (child != 0)
        return child;
    usleep(50000);
    act();
    _exit(0);
}

static void append_b(void)
{
    files_append("two", "b\n");
}

static void replace_one(void)
{
    files_move("one", "one.1");
    files_write("one", "c\n");
}

static void test_wait(void)
{
    const struct itimerval soon = {{0, 0}, {0, 50000}};
    const struct sigaction action = {.sa_handler = nothing};
    sr_input *in[2];
    int64_t start;

    files_write("one", "");
    in[0] = files_input("one", true, NULL);
    in[1] = files_input("two", true, NULL);
    WANT(in[0], "");
    WANT(in[1], "");
    CHECK(!sr_inputs_wait(in, 2, 0));
    start = now_ms();
    CHECK(!sr_inputs_wait(in, 2, 300));
    CHECK(now_ms() - start >= 290);
    const pid_t first = later(append_b);
    CHECK(sr_inputs_wait(in, 2, 5000));
    waitpid(first, NULL, 0);
    WANT(in[1], "1 b;");
    const pid_t second = later(replace_one);
    CHECK(sr_inputs_wait(in, 2, 5000));
    waitpid(second, NULL, 0);
    WANT(in[0], "1 c;");
    CHECK(!sr_inputs_wait(in, 2, 20));
    CHECK(now_ms() - start < 2000);
    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &soon, NULL);
    CHECK(!sr_inputs_wait(in, 2, -1));
    sr_input_before_read(in[0], no, NULL);
    CHECK(!sr_inputs_wait(in, 2, -1));
    sr_input_close(in[0]);
    sr_input_close(in[1]);
}

/* A reader told to stop does not give out the line it was in. */
static void test_stop(void)
{
    sg_buf have = {0};
    sr_cursor at;

    files_write("log", "a\nb");
    sr_input *in = files_input("log", true, NULL);

    WANT(in, "1 a;");
    sr_input_before_read(in, no, NULL);
    CHECK_INT(files_read(in, &have), SR_END);
    CHECK_INT(have.len, 0);
    sr_input_cursor(in, &at);
    CHECK(at.offset == 2 && at.line == 1 && !at.ended);
    sr_input_close(in);
    sg_buf_free(&have);
}

int main(void)
{
    static const char *const counters[] = {"log.1", "log.2", "log.3"};
    static const char *const dates[] = {"log-20260101", "log-20260102",
                                        "log-20260103"};
    static void (*const tests[])(void) = {
        test_empty_between, test_growth,
        test_rename,        test_empty_heir,
        test_neighbours,    test_truncate,
        test_copytruncate,  test_delete,
        test_compressed,    test_compressed_meanwhile,
        test_link,          test_unreadable,
        test_pipe,          test_fifo,
        test_wait,          test_stop};

    files_open();
    for (unsigned seed = 0; seed < 50; seed++)
        test_pieces(seed);
    for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++) {
        const int before = test_failures;
        files_clear();
        tests[i]();
        if (test_failures != before)
            printf("  in test %zu\n", i);
    }
    files_clear();
    test_chain(counters);
    files_clear();
    test_chain(dates);
    files_close();
    return TEST_END();
}
