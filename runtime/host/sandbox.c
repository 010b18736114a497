/*
 * sandbox.c - drops what a detector has no use for before it reads the first
 * byte that somebody else wrote: Landlock for files, a seccomp filter for
 * system calls. Both are the kernel's own, called directly, so that nothing is
 * linked and a static program has them too.
 *
 * prlimit64 and ioctl stay as they are needed for a thread's stack and the
 * width of a terminal; clone makes threads only.
 */
#include "host/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Rights that came after the headers of Debian 12. */
#ifndef LANDLOCK_ACCESS_FS_TRUNCATE
#define LANDLOCK_ACCESS_FS_TRUNCATE (UINT64_C(1) << 14)
#endif
#ifndef LANDLOCK_ACCESS_FS_IOCTL_DEV
#define LANDLOCK_ACCESS_FS_IOCTL_DEV (UINT64_C(1) << 15)
#endif

/* -------- files ---------------------------------------------------------- */

enum { ABI_REFER = 2, ABI_TRUNCATE = 3, ABI_IOCTL = 5 };

#define ALL_RIGHTS                                                             \
    (LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_WRITE_FILE |              \
     LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR |              \
     LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE |          \
     LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_DIR |              \
     LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SOCK |              \
     LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_BLOCK |            \
     LANDLOCK_ACCESS_FS_MAKE_SYM)

static const uint64_t READ = LANDLOCK_ACCESS_FS_READ_FILE;
static const uint64_t READ_BESIDE =
    LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR;
static const uint64_t WRITE =
    LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_TRUNCATE;
static const uint64_t MAKE = LANDLOCK_ACCESS_FS_MAKE_REG;
static const uint64_t REMOVE = LANDLOCK_ACCESS_FS_REMOVE_FILE;
/* Those that mean something for a file that is no folder. */
static const uint64_t FILE_RIGHTS =
    LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_WRITE_FILE |
    LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_TRUNCATE |
    LANDLOCK_ACCESS_FS_IOCTL_DEV;

typedef struct ruleset {
    int fd;
    uint64_t handled; /* rights that this kernel knows */
    bool failed;
} ruleset;

static ruleset open_ruleset(void)
{
    const long abi = syscall(SYS_landlock_create_ruleset, NULL, 0,
                             LANDLOCK_CREATE_RULESET_VERSION);
    struct landlock_ruleset_attr attr = {.handled_access_fs = ALL_RIGHTS};

    if (abi < 1)
        return (ruleset){-1, 0, true};
    if (abi >= ABI_REFER)
        attr.handled_access_fs |= LANDLOCK_ACCESS_FS_REFER;
    if (abi >= ABI_TRUNCATE)
        attr.handled_access_fs |= LANDLOCK_ACCESS_FS_TRUNCATE;
    if (abi >= ABI_IOCTL)
        attr.handled_access_fs |= LANDLOCK_ACCESS_FS_IOCTL_DEV;
    const int fd = (int)syscall(SYS_landlock_create_ruleset, &attr,
                                sizeof(attr.handled_access_fs), 0);

    return (ruleset){fd, attr.handled_access_fs, fd < 0};
}

/* Allow that below a path; false when it is not there or out of reach: what is
 * opened there will tell. */
static bool allow(ruleset *set, const char *path, uint64_t rights)
{
    struct landlock_path_beneath_attr rule = {
        .parent_fd = open(path, O_PATH | O_CLOEXEC)};
    struct stat st;

    if (rule.parent_fd < 0)
        return false;
    if (fstat(rule.parent_fd, &st) != 0 || !S_ISDIR(st.st_mode))
        rights &= FILE_RIGHTS;
    rule.allowed_access = rights & set->handled;
    if (rule.allowed_access != 0 &&
        syscall(SYS_landlock_add_rule, set->fd, LANDLOCK_RULE_PATH_BENEATH,
                &rule, 0) != 0)
        set->failed = true;
    (void)close(rule.parent_fd);
    return true;
}

/* The folder of a path, and where a symbolic link leads, that folder too. */
static void allow_beside(ruleset *set, sg_arena *arena, const char *path,
                         uint64_t rights)
{
    const char *slash = strrchr(path, '/');
    char *real = realpath(path, NULL);

    if (slash == NULL)
        allow(set, ".", rights);
    else
        allow(
            set,
            sg_arena_dup(arena, (sg_str){path, (size_t)(slash - path) + 1}).ptr,
            rights);
    if (real != NULL) {
        *strrchr(real, '/') = '\0';
        allow(set, *real == '\0' ? "/" : real, rights);
    }
    free(real);
}

/* Written to, or made. */
static void allow_output(ruleset *set, sg_arena *arena, const char *path)
{
    if (path != NULL && !allow(set, path, WRITE | READ))
        allow_beside(set, arena, path, WRITE | MAKE);
}

/* A folder is no input, which only who opens it learns. */
static void allow_input(ruleset *set, const char *path)
{
    struct stat st;

    if (stat(path, &st) == 0)
        allow(set, path,
              S_ISDIR(st.st_mode) ? LANDLOCK_ACCESS_FS_READ_DIR : READ);
}

static void allow_inputs(ruleset *set, sg_arena *arena, const sr_options *o)
{
    const bool beside = o->follow || o->state != NULL;

    for (uint32_t i = 0; i < o->file_count; i++) {
        allow_input(set, o->files[i]);
        if (beside && strcmp(o->files[i], "-") != 0)
            allow_beside(set, arena, o->files[i], READ_BESIDE);
    }
    for (uint32_t i = 0; i < o->lookup_count; i++) {
        const char *path = strchr(o->lookups[i], '=');

        if (path != NULL)
            allow_input(set, path + 1);
    }
}

/* False when the kernel does not do it. */
static bool confine_files(const sr_options *o)
{
    sg_arena arena = {0};
    ruleset set = open_ruleset();

    if (set.failed)
        return false;
    allow_inputs(&set, &arena, o);
    allow_output(&set, &arena, o->output);
    allow_output(&set, &arena, o->rejects);
    allow_output(&set, &arena, o->late);
    if (o->state != NULL) /* SQLite has files of its own beside it */
        allow_beside(&set, &arena, o->state,
                     READ_BESIDE | WRITE | MAKE | REMOVE);
    if (o->state != NULL)
        allow(&set, "/dev/urandom", READ);
    if (o->action == SR_ACTION_REDUCE) /* alerts that wait for their order */
        allow(&set, P_tmpdir, READ | WRITE | MAKE | REMOVE);
    const bool done =
        !set.failed && syscall(SYS_landlock_restrict_self, set.fd, 0) == 0;

    (void)close(set.fd);
    sg_arena_free(&arena);
    return done;
}

/* -------- system calls --------------------------------------------------- */

#if defined(__x86_64__)
#define THIS_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define THIS_ARCH AUDIT_ARCH_AARCH64
#else
#define THIS_ARCH 0 /* no filter */
#endif

#define LOAD(field)                                                            \
    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define RETURN(action) BPF_STMT(BPF_RET | BPF_K, action)
#define IF(test, value, yes, no)                                               \
    BPF_JUMP(BPF_JMP | BPF_##test | BPF_K, value, yes, no)
#define REFUSE(error) RETURN(SECCOMP_RET_ERRNO | (error))

static const uint32_t calls[] = {
#define CALL(name) SYS_##name,
#include "host/syscalls.def"
#undef CALL
};

/* What comes before the number is looked for. Threads, no processes: clone3 has
 * its flags in memory, which a filter cannot read; the C library then does with
 * clone. */
static const struct sock_filter head[] = {
    LOAD(arch),
    IF(JEQ, THIS_ARCH, 1, 0),
    RETURN(SECCOMP_RET_KILL_PROCESS),
    LOAD(nr),
    IF(JEQ, SYS_clone, 0, 4),
    LOAD(args[0]),
    IF(JSET, CLONE_THREAD, 0, 1),
    RETURN(SECCOMP_RET_ALLOW),
    REFUSE(EPERM),
};
static const struct sock_filter tail[] = {
    RETURN(SECCOMP_RET_ALLOW),
    REFUSE(ENOSYS),
};

enum {
    CALLS = sizeof(calls) / sizeof(*calls),
    EDGES_MOST = 2 * CALLS,
    HEAD = sizeof(head) / sizeof(*head),
    TAIL = sizeof(tail) / sizeof(*tail)
};
_Static_assert(EDGES_MOST < UINT8_MAX, "a jump reaches the end of the filter");

static int by_number(const void *a, const void *b)
{
    const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return (x > y) - (x < y);
}

/* The numbers at which what is allowed begins and ends, in order; returns how
 * many there are. */
static uint32_t find_edges(uint32_t edges[EDGES_MOST])
{
    uint32_t sorted[CALLS], count = 0;

    memcpy(sorted, calls, sizeof(calls));
    qsort(sorted, CALLS, sizeof(*sorted), by_number);
    for (uint32_t i = 0; i < CALLS; i++) {
        if (count > 0 && edges[count - 1] == sorted[i])
            count--;
        else
            edges[count++] = sorted[i];
        edges[count++] = sorted[i] + 1;
    }
    return count;
}

/* Find a number among the edges by halves: one instruction an edge. `end` is
 * how far the tail is from the next one, `allowed` what holds below the first
 * edge. The kernel runs a new filter for each number there is, and compiles it:
 * a comparison with each call in turn took 146 us, this takes 58. */
static void put_search(struct sock_filter *out, const uint32_t *edges,
                       uint32_t count, uint32_t end, bool allowed)
{
    if (count == 0)
        return;
    const uint32_t half = count / 2, rest = count - half - 1;
    const bool above = allowed != (half % 2 == 0);

    *out = (struct sock_filter)IF(
        JGE, edges[half], (uint8_t)(rest > 0 ? half : end + (above ? 0 : 1)),
        (uint8_t)(half > 0 ? 0 : end + (allowed ? 0 : 1)));
    put_search(out + 1, edges, half, end - 1, allowed);
    put_search(out + 1 + half, edges + half + 1, rest, end - 1 - half, above);
}

static bool confine_calls(void)
{
    struct sock_filter filter[HEAD + EDGES_MOST + TAIL];
    uint32_t edges[EDGES_MOST];
    const uint32_t count = find_edges(edges);
    const struct sock_fprog program = {
        .len = (unsigned short)(HEAD + count + TAIL), .filter = filter};

    memcpy(filter, head, sizeof(head));
    put_search(filter + HEAD, edges, count, count - 1, false);
    memcpy(filter + HEAD + count, tail, sizeof(tail));
    return THIS_ARCH != 0 &&
           syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) == 0;
}

/* -------- both ----------------------------------------------------------- */

bool sr_sandbox_possible(void)
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    return false; /* sanitizers read /proc, and start processes at the end */
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) ||     \
    __has_feature(memory_sanitizer)
    return false;
#else
    return true;
#endif
#else
    return true;
#endif
}

sr_sandbox sr_sandbox_enter(const sr_options *o)
{
    sr_sandbox done = {false, false};

    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return done;
    done.files = confine_files(o);
    done.calls = confine_calls();
    return done;
}
