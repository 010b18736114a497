/*
 * test_session.c - a detector run end to end by sigma_main: alerts, reports,
 * losses, options and exit codes, and no allocation once warm.
 */
#include "support/test.h"
#include "support/tiny_detector.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MOST_ARGS = 16, MOST_TEXT = 1 << 20 };

static char dir[] = "/tmp/sigcc-session-XXXXXX";
static char out_text[MOST_TEXT], err_text[MOST_TEXT];
static sg_str out, err; /* of the last run */

static void put_file(const char *name, sg_str text)
{
    const int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0600);

    CHECK(fd >= 0 && write(fd, text.ptr, text.len) == (ssize_t)text.len);
    close(fd);
}

static sg_str get_file(const char *name, char *text)
{
    const int fd = open(name, O_RDONLY);
    ssize_t len = 0;

    if (fd >= 0) {
        len = read(fd, text, MOST_TEXT);
        close(fd);
    }
    return (sg_str){text, len < 0 ? 0 : (size_t)len};
}

static void redirect(int to, const char *name)
{
    const int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0600);

    dup2(fd, to);
    close(fd);
}

/* Run in a child with the input file `in`; fills out and err, returns the
 * exit code. Arguments are separated by blanks. */
static int run(const char *args, sg_str input)
{
    char copy[256];
    char *argv[MOST_ARGS] = {copy};
    char *save = NULL;
    int argc = 1;
    int status = 0;

    put_file("in", input);
    (void)snprintf(copy, sizeof(copy), "tiny %s", args);
    strtok_r(copy, " ", &save);
    while ((argv[argc] = strtok_r(NULL, " ", &save)) != NULL)
        argc++;
    (void)fflush(stdout);
    const pid_t child = fork();

    if (child == 0) {
        const int fd = open("in", O_RDONLY);

        dup2(fd, STDIN_FILENO);
        redirect(STDOUT_FILENO, "out");
        redirect(STDERR_FILENO, "err");
        exit(sigma_main(argc, argv, &tiny_detector));
    }
    waitpid(child, &status, 0);
    out = get_file("out", out_text);
    err = get_file("err", err_text);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static bool has(sg_str text, const char *part)
{
    if (sg_str_find(text, sg_str_of(part)) != SIZE_MAX)
        return true;
    printf("no '%s' in:\n%.*s\n", part, SG_FMT(text));
    return false;
}

static unsigned lines_in(sg_str text)
{
    unsigned n = 0;

    for (size_t i = 0; i < text.len; i++)
        n += text.ptr[i] == '\n';
    return n;
}

#define T(s) "\"ts\":\"2026-01-02T03:04:" s "Z\""

static void test_stream(void)
{
    static const sg_str events = SG_LIT(
        " {" T("05") ",\"kind\":\"FAIL\",\"user\":\"ann\","
                     "\"port\":\"25\"} \r\n"
                     "\n"
                     "{" T("06") ",\"kind\":\"other\"}\n"
                                 "{" T("07") ",\"kind\":\"fail\",\"user\":"
                                             "\"ann\",\"port\":587,"
                                             "\"Proto\":\"6\"}\n"
                                             "{\"when\":1767323048,\"ts\":1,"
                                             "\"kind\":\"ok\","
                                             "\"user\":\"ann\"}");

    CHECK_INT(run("", events), 0);
    CHECK_STR(err, SG_S(""));
    CHECK_INT(lines_in(out), 4);
    CHECK(has(out, "\"type\":\"detection\",\"alert_id\":\""));
    CHECK(has(out, "\"timestamp\":\"2026-01-02T03:04:05.000Z\",\"rule\":{"
                   "\"id\":\"fail\",\"title\":\"Failed\",\"level\":\"high\","
                   "\"tags\":[],\"sha256\":\"0123456789\"},\"source\":{"
                   "\"path\":\"-\",\"line\":1},\"matched\":[\"sel_fail\","
                   "\"sel_mail\"],\"derived\":{\"Proto\":\"SMTP\"},"
                   "\"event\":{\"ts\":\"2026-01-02T03:04:05Z\",\"kind\":"
                   "\"FAIL\",\"user\":\"ann\",\"port\":\"25\"}}\n"));
    CHECK(has(out, "\"correlation_type\":\"event_count\",\"group\":{\"user\":"
                   "\"ann\",\"Proto\":\"SMTP\"},\"count\":2,\"value\":2,"
                   "\"first_seen\":\"2026-01-02T03:04:05.000Z\","
                   "\"last_seen\":\"2026-01-02T03:04:07.000Z\","
                   "\"timespan\":\"60s\",\"source\":{\"path\":\"-\","
                   "\"line\":4}}\n"));
    /* By the rule's own time field. */
    CHECK(has(out, "\"timestamp\":\"2026-01-02T03:04:08.000Z\",\"rule\":{"
                   "\"title\":\"broken\",\"tags\":[]}"));
    CHECK_INT(run("--no-event -", events), 0);
    CHECK(sg_str_find(out, SG_S("\"event\"")) == SIZE_MAX);
    /* The same bytes each time. */
    char first[8192];

    memcpy(first, out.ptr, out.len);
    const sg_str before = {first, out.len};

    run("--no-event", events);
    CHECK_STR(out, before);
    CHECK_INT(run("--time-field nothing", events), 0);
    CHECK(has(out, "\"timestamp\":null"));
    CHECK(has(err, "warning: 3 events without a readable time"));
    CHECK_INT(lines_in(out), 2);
    CHECK_INT(run("", SG_S("")), 0);
    CHECK_STR(out, SG_S(""));
    CHECK_STR(err, SG_S(""));
}

static void test_search(void)
{
    static const sg_str events =
        SG_LIT("{\"ts\":\"3\",\"kind\":\"fail\",\"user\":\"a\"}\n"
               "{\"ts\":2.50,\"kind\":\"fail\",\"user\":\"a\"}\n"
               "{\"kind\":\"fail\",\"user\":\"a\"}\n"
               "{\"ts\":2000000000,\"kind\":\"fail\",\"user\":7}\n"
               "{\"ts\":\"2000000001\",\"kind\":\"fail\",\"user\":\"7\"}\n"
               "{\"ts\":9,\"kind\":\"fail\",\"user\":null}\n");

    CHECK_INT(run("--mode=search --no-event", events), 0);
    CHECK(has(out, "{\"user\":\"a\",\"Proto\":\"Other\",\"Count\":3,\"First\":"
                   "2.50,\"Last\":\"3\"}\n"
                   "{\"user\":7,\"Proto\":\"Other\",\"Count\":2,\"First\":"
                   "2000000000,\"Last\":\"2000000001\"}\n"));
    CHECK_INT(lines_in(out), 8);
    CHECK_INT(run("--mode search -fcsv --no-event", events), 0);
    CHECK(has(out, "\nuser,Proto,Count,First,Last\na,Other,3,2.50,3\n"));
}

static void test_losses(void)
{
    static const sg_str events = SG_LIT("{\"kind\":\"fail\",\"ts\":1}\n"
                                        "{\"kind\":\n"
                                        "\xFF\"x\n"
                                        "{\"kind\":\"fail\",\"ts\":1}\n");
    sg_buf many = {0};
    static char rejects[MOST_TEXT];

    CHECK_INT(run("--rejects rej", events), 0);
    CHECK_INT(lines_in(out), 2);
    CHECK(has(err, "-:2:"));
    CHECK(has(err, ": unreadable: "));
    CHECK(has(err, "tiny: warning: 2 lines that could not be read\n"));
    const sg_str text = get_file("rej", rejects);

    CHECK_INT(lines_in(text), 2);
    CHECK(has(text, "{\"path\":\"-\",\"line\":3,\"byte\":1,\"offset\":32,"
                    "\"bytes\":3,\"reason\":\""));
    CHECK(has(text, "\"text\":\"\xEF\xBF\xBD\\\"x\"}\n"));

    CHECK_INT(run("--strict", events), 4);
    CHECK_INT(lines_in(out), 1);
    for (unsigned i = 0; i < 25; i++)
        sg_buf_putz(&many, "nonsense\n");
    CHECK_INT(run("--stats=json", sg_buf_str(&many)), 0);
    CHECK_INT(lines_in(err), 12);
    CHECK(has(err, "\"lines\":25,\"bytes\":200,\"events\":0,"
                   "\"unreadable\":25,"));
    CHECK_INT(run("--stats", SG_S("{}\n")), 0);
    CHECK(has(err, "tiny: 1 events read\n"));
    sg_buf_free(&many);

    CHECK_INT(run("--max-groups 1 --no-event",
                  SG_S("{\"kind\":\"fail\",\"ts\":1,\"user\":\"a\"}\n"
                       "{\"kind\":\"fail\",\"ts\":1,\"user\":\"b\"}\n")),
              0);
    CHECK(has(err, "warning: 3 groups let go for room"));
    CHECK(has(err, "of these by 'many': 2\n"));
}

static void test_inputs(void)
{
    put_file("good", SG_S("{\"kind\":\"fail\",\"ts\":1}\n"));
    CHECK_INT(run("missing . good", SG_S("")), 4);
    CHECK_INT(lines_in(out), 1);
    CHECK(has(out, "\"source\":{\"path\":\"good\",\"line\":1}"));
    CHECK(has(err, "tiny: cannot read missing: No such file"));
    CHECK(has(err, "tiny: cannot read .: "));
    CHECK_INT(run("good good", SG_S("")), 0);
    CHECK_INT(lines_in(out), 2);
    CHECK_INT(run("-o good good", SG_S("")), 2);
    CHECK(has(err, "good is also an input"));
    CHECK_INT(run("-o res good", SG_S("")), 0);
    CHECK_STR(out, SG_S(""));
    CHECK_INT(lines_in(get_file("res", out_text)), 1);
    CHECK_INT(run("-o /dev/full good", SG_S("")), 5);
    CHECK(has(err, "tiny: cannot write /dev/full: No space left"));
    CHECK_INT(run("-o no/such good", SG_S("")), 5);
    CHECK_INT(run("--rejects /dev/full", SG_S("x\n")), 5);
}

static void test_options(void)
{
    static const struct {
        const char *args;
        int code;
        const char *message;
    } cases[] = {
        {"--help", 0, ""},
        {"-h", 0, ""},
        {"--frobnicate", 2, "tiny: unknown option '--frobnicate'\n"},
        {"--moed=stream", 2, "did you mean --mode?"},
        {"-x", 2, "unknown option '-x'"},
        {"--mode=both", 2, "--mode takes stream|search, not 'both'"},
        {"-f xml", 2, "--format takes ndjson|json|csv|table, not 'xml'"},
        {"-f", 2, "--format needs a value"},
        {"--strict=yes", 2, "no value belongs to '--strict=yes'"},
        {"--state= x", 2, "bad value"},
        {"--threads 1000", 2, "bad value"},
        {"--max-groups 0", 2, "bad value '0'"},
        {"--max-groups 99999999999999999999", 2, "bad value"},
        {"--max-memory 1Q", 2, "bad value"},
        {"--allowed-lateness 5", 2, "bad value"},
        {"--stats=xml", 2, "--stats takes json, not 'xml'"},
        {"--output=", 2, "bad value"},
        {"--\x1b[31m", 2, "unknown option '--\\x1B[31m'"},
        {"--max-memory 10M --allowed-lateness 500ms -- -", 0, ""},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        CHECK_INT(run(cases[i].args, SG_S("")), cases[i].code);
        CHECK(has(err, cases[i].message));
    }
    run("--help", SG_S(""));
    CHECK(has(out, "Usage: tiny [OPTION...] [FILE...]\n"));
    CHECK(has(out, "  -f, --format FORMAT         ndjson, json, csv or table"));
    CHECK_INT(run("--version", SG_S("")), 0);
    CHECK_STR(out, SG_S("tiny (sigcc 1.2.3, ABI 3)\n"));
    CHECK_INT(run("--manifest", SG_S("")), 0);
    CHECK_STR(out, SG_S("{\"schema\":\"sigcc.manifest/1\"}\n"));
    CHECK_INT(run("--list", SG_S("")), 0);
    CHECK_INT(lines_in(out), 5);
    CHECK(has(out, "rule         true    high   fail  -     Failed\n"));
}

/* Events in the wrong order are put right within the lateness. */
static void test_lateness(void)
{
    static const sg_str events =
        SG_LIT("{\"kind\":\"ok\",\"when\":20,\"user\":\"u\"}\n"
               "{\"kind\":\"fail\",\"ts\":19,\"user\":\"u\"}\n"
               "{\"kind\":\"fail\",\"ts\":500,\"user\":\"u\"}\n"
               "{\"kind\":\"fail\",\"ts\":1,\"user\":\"u\"}\n");

    CHECK_INT(run("--allowed-lateness 10s --no-event", events), 0);
    CHECK(has(out, "\"title\":\"broken\",\"tags\":[]},\"correlation_type\":"
                   "\"temporal_ordered\",\"group\":{\"user\":\"u\"},"
                   "\"count\":2,\"value\":2"));
    CHECK(has(out, "\"source\":{\"path\":\"-\",\"line\":1}}\n"));
    /* Later than that, yet within its group's window: nothing is lost. */
    CHECK(has(out, "\"correlation_type\":\"event_count\""));
    CHECK_INT(lines_in(out), 5);
    CHECK_STR(err, SG_S(""));
}

/* A reader that goes away ends the run without a word. */
static void test_closed_pipe(void)
{
    int ends[2];
    int status = 0;
    sg_buf many = {0};

    for (unsigned i = 0; i < 5000; i++)
        sg_buf_putz(&many, "{\"kind\":\"fail\"}\n");
    put_file("in", sg_buf_str(&many));
    sg_buf_free(&many);
    CHECK(pipe(ends) == 0);
    (void)fflush(stdout);
    const pid_t child = fork();

    if (child == 0) {
        char *argv[] = {(char[]){"tiny"}, (char[]){"in"}, NULL};

        dup2(ends[1], STDOUT_FILENO);
        close(ends[0]);
        close(ends[1]);
        redirect(STDERR_FILENO, "err");
        exit(sigma_main(2, argv, &tiny_detector));
    }
    close(ends[0]);
    close(ends[1]);
    waitpid(child, &status, 0);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    err = get_file("err", err_text);
    CHECK(sg_str_find(err, SG_S("cannot")) == SIZE_MAX);
}

/* Alerts reach a reader although the input stays open; a signal ends the run
 * in order. */
static void test_live(void)
{
    static const char line[] = "{\"kind\":\"fail\"}\n";
    int to[2];
    int from[2];
    int status = 0;
    char text[1024];

    CHECK(pipe(to) == 0 && pipe(from) == 0);
    (void)fflush(stdout);
    const pid_t child = fork();

    if (child == 0) {
        char *argv[] = {(char[]){"tiny"}, NULL};

        dup2(to[0], STDIN_FILENO);
        dup2(from[1], STDOUT_FILENO);
        close(to[1]);
        redirect(STDERR_FILENO, "err");
        exit(sigma_main(1, argv, &tiny_detector));
    }
    close(to[0]);
    close(from[1]);
    CHECK(write(to[1], line, sizeof(line) - 1) == sizeof(line) - 1);
    CHECK(read(from[0], text, sizeof(text)) > 100);
    kill(child, SIGTERM);
    waitpid(child, &status, 0);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    close(to[1]);
    close(from[0]);
}

/* -------- allocations ---------------------------------------------------- */

/* Of the address sanitizer, when it is there. */
extern int __sanitizer_install_malloc_and_free_hooks(
    void (*on_malloc)(const volatile void *, size_t),
    void (*on_free)(const volatile void *)) __attribute__((weak));

static volatile unsigned allocations;

static void count_malloc(const volatile void *ptr, size_t size)
{
    (void)ptr;
    (void)size;
    allocations++;
}

static void ignore_free(const volatile void *ptr)
{
    (void)ptr;
}

/* Allocations of a run over so many events, in this process. */
static unsigned allocations_of(unsigned events)
{
    char *argv[] = {(char[]){"tiny"}, (char[]){"-o"}, (char[]){"out"},
                    (char[]){"in"}, NULL};
    sg_buf text = {0};

    for (unsigned i = 0; i < events; i++)
        sg_buf_printf(&text,
                      "{\"kind\":\"%s\",\"ts\":%u,\"user\":\"u%u\",\"port\":"
                      "\"2\\u0035\"}\n",
                      i % 3 == 0 ? "ok" : "fail", 1000 + i, i % 10);
    put_file("in", sg_buf_str(&text));
    sg_buf_free(&text);
    allocations = 0;
    CHECK_INT(sigma_main(4, argv, &tiny_detector), 0);
    return allocations;
}

static void test_allocations(void)
{
    if (__sanitizer_install_malloc_and_free_hooks == NULL)
        return;
    __sanitizer_install_malloc_and_free_hooks(count_malloc, ignore_free);
    const unsigned warm = allocations_of(2000);

    CHECK_INT(allocations_of(20000), warm);
}

int main(void)
{
    if (mkdtemp(dir) == NULL || chdir(dir) != 0)
        return 1;
    test_stream();
    test_search();
    test_losses();
    test_inputs();
    test_options();
    test_lateness();
    test_closed_pipe();
    test_live();
    test_allocations();
    static const char *const files[] = {"in",  "out",  "err",
                                        "rej", "good", "res"};
    for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++)
        unlink(files[i]);
    if (chdir("/") == 0)
        rmdir(dir);
    return TEST_END();
}
