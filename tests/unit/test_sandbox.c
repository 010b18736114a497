/*
 * test_sandbox.c - what is left to a process in the sandbox: each question is
 * asked in a child of its own. Where the kernel cannot do it, or a sanitizer
 * must not be confined, the test says so.
 */
#include "host/sandbox.h"
#include "support/test.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static char folder[] = "/tmp/sigcc-sandbox-XXXXXX";
static char input[64], other[64], output[64], state[64], wal[64], elsewhere[64];

static const char *inputs[1];

static sr_options options(void)
{
    inputs[0] = input;
    return (sr_options){.files = inputs, .file_count = 1};
}

typedef bool question(void);

/* Ask in a child; what the sandbox did of what it can goes to *done. */
static bool ask(const sr_options *o, question *fn)
{
    int status = 0;
    const pid_t pid = fork();

    if (pid == 0) {
        const sr_sandbox done = sr_sandbox_enter(o);

        _exit(!done.files || !done.calls ? 2 : fn() ? 0 : 1);
    }
    waitpid(pid, &status, 0);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) < 2);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static bool can(const char *path, int flags)
{
    const int fd = open(path, flags | O_CLOEXEC, 0600);

    if (fd >= 0)
        (void)close(fd);
    return fd >= 0;
}

static bool refused(const char *path, int flags)
{
    return !can(path, flags) && errno == EACCES;
}

static bool read_input(void)
{
    return can(input, O_RDONLY) && refused(input, O_WRONLY);
}

static bool read_others(void)
{
    return !refused(other, O_RDONLY) || !refused("/etc/passwd", O_RDONLY) ||
           !refused("/proc/self/environ", O_RDONLY);
}

static bool write_others(void)
{
    return !refused(other, O_WRONLY) || !refused(elsewhere, O_WRONLY | O_CREAT);
}

static bool write_output(void)
{
    return can(output, O_WRONLY | O_CREAT | O_TRUNC);
}

static bool keep_state(void)
{
    return can(state, O_RDWR | O_CREAT) && can(wal, O_RDWR | O_CREAT) &&
           unlink(wal) == 0 && can(state, O_RDONLY);
}

static bool list_folder(void)
{
    return can(folder, O_RDONLY | O_DIRECTORY) && can(other, O_RDONLY);
}

static bool use_socket(void)
{
    return socket(AF_INET, SOCK_STREAM, 0) >= 0 ||
           socket(AF_UNIX, SOCK_STREAM, 0) >= 0;
}

static bool run_program(void)
{
    (void)execl("/bin/true", "true", (char *)NULL);
    return errno != ENOSYS && errno != EACCES && errno != EPERM;
}

static bool make_process(void)
{
    const pid_t pid = fork();

    if (pid == 0)
        _exit(0);
    return pid > 0;
}

static void *add_one(void *number)
{
    ++*(int *)number;
    return NULL;
}

static bool make_thread(void)
{
    pthread_t thread;
    int number = 1;

    return pthread_create(&thread, NULL, add_one, &number) == 0 &&
           pthread_join(thread, NULL) == 0 && number == 2;
}

/* Those of syscalls.def: true for what the list says, whatever comes of it. */
static bool is_listed(long number)
{
    switch (number) {
#define CALL(name) case SYS_##name:
#include "host/syscalls.def"
#undef CALL
        return true;
    default:
        return number == SYS_clone;
    }
}

enum { SYS_URETPROBE = 335, SYS_UPROBE = 336 }; /* younger than the headers */

/* Who calls these does not come back; the last two pass by all filters. */
static bool is_final(long number)
{
    return number == SYS_exit || number == SYS_exit_group ||
           number == SYS_rt_sigreturn || number == SYS_clone ||
           number == SYS_URETPROBE || number == SYS_UPROBE;
}

/* Whether a call with arguments that mean nothing is refused as the list says.
 */
static bool is_as_listed(long number)
{
    /* What futex does not know is ENOSYS, too. */
    const long second = number == SYS_futex ? 0 : -1;

    errno = 0;
    const long result = syscall(number, -1L, second, -1L, -1L, -1L, -1L);
    const bool refused_call = result == -1 && errno == ENOSYS;

    return refused_call == !is_listed(number);
}

static bool try_all(void)
{
    for (long i = 0; i < 2000; i++)
        if (!is_final(i) && !is_as_listed(i))
            return false;
    return is_as_listed(0x40000000) && is_as_listed(0x7fffffff);
}

static void test_files(void)
{
    sr_options o = options();

    CHECK(ask(&o, read_input));
    CHECK(!ask(&o, read_others));
    CHECK(!ask(&o, write_others));
    CHECK(!ask(&o, write_output));
    CHECK(!ask(&o, list_folder));
    o.output = output;
    CHECK(ask(&o, write_output)); /* it is not there yet */
    CHECK(close(open(output, O_CREAT | O_WRONLY | O_CLOEXEC, 0600)) == 0);
    CHECK(ask(&o, write_output));
    CHECK(!ask(&o, write_others));
    o = options();
    o.follow = true;
    CHECK(ask(&o, list_folder));
    CHECK(!ask(&o, write_others));
    o = options();
    CHECK(!ask(&o, keep_state));
    o.state = state;
    CHECK(ask(&o, keep_state));
}

static void test_calls(void)
{
    const sr_options o = options();

    CHECK(!ask(&o, use_socket));
    CHECK(!ask(&o, run_program));
    CHECK(!ask(&o, make_process));
    CHECK(ask(&o, make_thread));
    CHECK(ask(&o, try_all));
}

static bool is_available(void)
{
    const sr_options o = {.file_count = 0};
    int status = 0;
    const pid_t pid = fork();

    if (pid == 0) {
        const sr_sandbox done = sr_sandbox_enter(&o);

        _exit(done.files && done.calls ? 0 : 1);
    }
    waitpid(pid, &status, 0);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static void name(char *out, const char *base)
{
    (void)snprintf(out, sizeof(input), "%s/%s", folder, base);
}

int main(void)
{
    if (!sr_sandbox_possible()) {
        printf("skipped: a program under a sanitizer is not confined\n");
        return 0;
    }
    if (!is_available()) {
        printf("skipped: this kernel has no Landlock or no seccomp\n");
        return 0;
    }
    CHECK(mkdtemp(folder) != NULL);
    name(input, "input");
    name(other, "other");
    name(output, "output");
    name(state, "state");
    name(wal, "state-wal");
    (void)snprintf(elsewhere, sizeof(elsewhere), "/tmp/%s-too",
                   strrchr(folder, '/') + 1);
    CHECK(close(open(input, O_CREAT | O_WRONLY | O_CLOEXEC, 0600)) == 0);
    CHECK(close(open(other, O_CREAT | O_WRONLY | O_CLOEXEC, 0600)) == 0);
    test_files();
    test_calls();
    CHECK(unlink(input) == 0 && unlink(other) == 0 && unlink(output) == 0 &&
          unlink(state) == 0 && rmdir(folder) == 0);
    return TEST_END();
}
