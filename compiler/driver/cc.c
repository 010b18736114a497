/*
 * cc.c - runs the C compiler on emitted files: an argument vector, never a
 * shell; several at a time; output through a temporary name, so that a
 * detector is there whole or not at all. Leaves no temporary file behind, not
 * when the compiler fails and not on an interrupt.
 */
#include "driver/driver.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* Flags that the runtime was built with and a detector must share, such as
 * sanitizers; set by the build system. */
#ifndef SIGCC_CC_FLAGS
#define SIGCC_CC_FLAGS ""
#endif

extern char **environ;

enum {
    MANY_RULES = 300,
    /* A rule like that is a table, not a rule: optimising it takes minutes
     * and makes little of it faster. */
    MANY_SELECTIONS = 5000, /* of one rule */
    MANY_BYTES = 4 << 20,   /* of C, for no more than MANY_RULES */
    SHOWN_LINES = 5
};

/* -------- interrupts ----------------------------------------------------- */

static volatile sig_atomic_t interrupted;

static void on_signal(int number)
{
    interrupted = number;
}

/* The compiler that runs gets the signal too; waiting for it then ends. */
static void catch_signals(void)
{
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
    struct sigaction action = {.sa_handler = on_signal};

    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        struct sigaction old;
        if (sigaction(numbers[i], NULL, &old) == 0 && old.sa_handler != SIG_IGN)
            sigaction(numbers[i], &action, NULL);
    }
}

/* -------- argument vectors ----------------------------------------------- */

typedef struct args {
    sg_arena *arena;
    SG_VEC(char *) v;
} args;

static void add(args *a, sg_str text)
{
    char *copy = sg_new_n(a->arena, char, text.len + 1);

    if (text.len > 0)
        memcpy(copy, text.ptr, text.len);
    SG_PUSH(a->arena, &a->v, copy);
}

/* The words of text, separated by blanks. */
static void add_words(args *a, sg_str text)
{
    for (size_t i = 0; i < text.len;) {
        size_t n = 0;
        while (i + n < text.len && text.ptr[i + n] != ' ')
            n++;
        if (n > 0)
            add(a, sg_str_sub(text, i, i + n));
        i += n + 1;
    }
}

static sg_str compiler_of(const sc_options *o)
{
    const char *env = getenv("CC");

    if (o->cc.len > 0)
        return o->cc;
    return sg_str_of(env != NULL && env[0] != '\0' ? env : "cc");
}

/* The runtime; shared objects need position-independent code, which a build
 * may keep in an archive of its own. */
static sg_str library_of(const sc_cc *cc)
{
    sg_arena *arena = &cc->s->arena;
    const sg_str pic =
        sg_arena_printf(arena, "%.*s/lib/libsigccrt_pic.a", SG_FMT(cc->home));

    if (cc->shared && access(pic.ptr, R_OK) == 0)
        return pic;
    return sg_arena_printf(arena, "%.*s/lib/libsigccrt.a", SG_FMT(cc->home));
}

static void add_libraries(const sc_cc *cc, args *a)
{
    static const char *const names[] = {"pcre2-8", "z", "zstd", "sqlite3"};

    if (cc->shared)
        add(a, SG_S("-Wl,--whole-archive"));
    add(a, library_of(cc));
    if (cc->shared)
        add(a, SG_S("-Wl,--no-whole-archive"));
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        add(a, sg_arena_printf(a->arena,
                               cc->o->static_link ? "-l:lib%s.a" : "-l%s",
                               names[i]));
    add_words(a, SG_S("-lm -lpthread"));
}

static sg_str level_of(const sc_options *o, const sc_cc_job *job)
{
    if (o->optimise.len > 0)
        return o->optimise;
    if (job->selections > MANY_SELECTIONS)
        return SG_S("0");
    if (job->rules > MANY_RULES)
        return SG_S("1");
    return job->bytes > MANY_BYTES ? SG_S("0") : SG_S("2");
}

static char **make_args(const sc_cc *cc, const sc_cc_job *job)
{
    args a = {.arena = &cc->s->arena};
    const sg_str level = level_of(cc->o, job);

    add_words(&a, compiler_of(cc->o));
    add(&a, SG_S("-std=c11"));
    add(&a, sg_arena_printf(a.arena, "-O%.*s", SG_FMT(level)));
    add(&a, SG_S("-I"));
    add(&a, sg_arena_printf(a.arena, "%.*s/include/sigcc", SG_FMT(cc->home)));
    /* Nothing of this machine's folders goes into the output. */
    add(&a, sg_arena_printf(a.arena,
                            "-ffile-prefix-map=%.*s/=", SG_FMT(job->folder)));
    add_words(&a, SG_S(SIGCC_CC_FLAGS));
    if (cc->shared)
        add_words(&a, SG_S("-fPIC -shared"));
    else if (cc->o->static_link)
        add_words(&a, SG_S("-DSIGMA_WITH_MAIN -fno-pie -no-pie -static"));
    else
        add_words(&a, SG_S("-DSIGMA_WITH_MAIN -fPIE -pie"));
    add(&a, SG_S("-o"));
    add(&a, job->temp);
    add(&a, job->source);
    add_libraries(cc, &a);
    add_words(&a, SG_S("-Wl,-z,relro,-z,now -Wl,-z,noexecstack "
                       "-Wl,--as-needed -Wl,--build-id=sha1"));
    SG_PUSH(a.arena, &a.v, NULL);
    return a.v.items;
}

/* -------- one compiler --------------------------------------------------- */

static sg_str log_of(const sc_cc *cc, const sc_cc_job *job)
{
    return sg_arena_printf(&cc->s->arena, "%.*s/log", SG_FMT(job->folder));
}

static int spawn(const sc_cc *cc, const sc_cc_job *job, pid_t *pid)
{
    char **argv = make_args(cc, job);
    posix_spawn_file_actions_t actions;
    int code;

    if (posix_spawn_file_actions_init(&actions) != 0)
        sg_fatal("out of memory");
    code =
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    if (code == 0)
        code = posix_spawn_file_actions_addopen(
            &actions, 2, log_of(cc, job).ptr, O_WRONLY | O_CREAT | O_TRUNC,
            0600);
    if (code == 0)
        code = posix_spawn_file_actions_adddup2(&actions, 2, 1);
    if (code == 0)
        code = posix_spawnp(pid, argv[0], &actions, NULL, argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    return code;
}

/* The first lines the compiler wrote, as notes of the latest diagnostic. */
static void note_log(const sc_cc *cc, const sc_cc_job *job)
{
    FILE *file = fopen(log_of(cc, job).ptr, "rb");
    char text[4096];
    size_t len, beg = 0;

    if (file == NULL)
        return;
    len = fread(text, 1, sizeof(text), file);
    fclose(file);
    for (int i = 0; i < SHOWN_LINES && beg < len; i++) {
        const char *end = memchr(text + beg, '\n', len - beg);
        const size_t n = end != NULL ? (size_t)(end - text) - beg : len - beg;
        sc_note_at(cc->s, SC_NOWHERE, "%.*s", (int)n, text + beg);
        beg += n + 1;
    }
}

static void report(sc_cc *cc, const sc_cc_job *job, int status)
{
    const sg_str name = compiler_of(cc->o);

    if (interrupted)
        return;
    if (WIFSIGNALED(status))
        sc_error(cc->s, SC_E0901, SC_NOWHERE,
                 "the C compiler '%.*s' was killed by signal %d on '%.*s'",
                 SG_FMT(name), WTERMSIG(status), SG_FMT(job->name));
    else
        sc_error(cc->s, SC_E0901, SC_NOWHERE,
                 "the C compiler '%.*s' failed with exit code %d on '%.*s'",
                 SG_FMT(name), WEXITSTATUS(status), SG_FMT(job->name));
    note_log(cc, job);
}

static void remove_job(const sc_cc *cc, const sc_cc_job *job)
{
    unlink(job->source.ptr);
    unlink(log_of(cc, job).ptr);
    rmdir(job->folder.ptr);
    if (!job->ok && job->temp.len > 0)
        unlink(job->temp.ptr);
}

/* The job's compiler has ended. */
static void finish(sc_cc *cc, sc_cc_job *job, int status)
{
    job->ok = WIFEXITED(status) && WEXITSTATUS(status) == 0 && !interrupted;
    if (!job->ok) {
        report(cc, job, status);
    } else if (chmod(job->temp.ptr, 0777 & ~cc->mask) != 0 ||
               rename(job->temp.ptr, job->out.ptr) != 0) {
        job->ok = sc_error(cc->s, SC_E0903, SC_NOWHERE,
                           "'%.*s' cannot be written: %s", SG_FMT(job->out),
                           strerror(errno));
    }
    cc->failed |= !job->ok;
    remove_job(cc, job);
}

static void wait_one(sc_cc *cc)
{
    sc_cc_job *job = cc->running.items[0];
    int status = 0;

    /* In order of start: messages come in the same order every time. */
    while (waitpid(job->pid, &status, 0) < 0)
        if (errno != EINTR)
            sg_fatal("waiting for the C compiler failed: %s", strerror(errno));
    cc->running.count--;
    memmove(cc->running.items, cc->running.items + 1,
            cc->running.count * sizeof(cc->running.items[0]));
    finish(cc, job, status);
}

/* A name for the output in the folder where it will stand. */
static bool reserve_output(sc_cc *cc, sc_cc_job *job)
{
    sg_arena *arena = &cc->s->arena;
    const sg_str folder = sc_path_folder(arena, job->out);
    char *temp = sg_new_n(arena, char, folder.len + 32);
    int fd;

    snprintf(temp, folder.len + 32, "%.*s/.sigcc-XXXXXX", SG_FMT(folder));
    fd = mkstemp(temp);
    if (fd < 0)
        return sc_error(cc->s, SC_E0903, SC_NOWHERE,
                        "'%.*s' cannot be written: %s", SG_FMT(job->out),
                        strerror(errno));
    close(fd);
    job->temp = sg_str_of(temp);
    return true;
}

void sc_cc_start(sc_cc *cc, sc_cc_job *job, sg_str text)
{
    sg_arena *arena = &cc->s->arena;
    pid_t pid;
    int code;

    while (cc->running.count >= cc->limit)
        wait_one(cc);
    if (interrupted) {
        cc->failed = true;
        return;
    }
    job->bytes = text.len;
    job->out = sc_path_safe(arena, job->out);
    job->folder = sg_arena_printf(arena, "%.*s/%u", SG_FMT(cc->folder),
                                  (unsigned)cc->started++);
    /* Always this name: it stands in the output's symbol table. */
    job->source =
        sg_arena_printf(arena, "%.*s/detector.c", SG_FMT(job->folder));
    if (mkdir(job->folder.ptr, 0700) != 0 ||
        !sc_path_write(arena, job->source, text) || !reserve_output(cc, job)) {
        cc->failed = true;
        remove_job(cc, job);
        return;
    }
    code = spawn(cc, job, &pid);
    if (code != 0) {
        cc->failed = true;
        sc_error(cc->s, SC_E0901, SC_NOWHERE,
                 "the C compiler '%.*s' cannot be run: %s",
                 SG_FMT(compiler_of(cc->o)), strerror(code));
        remove_job(cc, job);
        return;
    }
    job->pid = pid;
    SG_PUSH(arena, &cc->running, job);
}

/* -------- the session ---------------------------------------------------- */

static bool find_runtime(sc_cc *cc)
{
    sg_str library;

    cc->home = sc_path_home(&cc->s->arena);
    library = library_of(cc);
    if (access(library.ptr, R_OK) == 0)
        return true;
    return sc_error(cc->s, SC_E0902, SC_NOWHERE,
                    "the runtime library '%.*s' cannot be read: %s",
                    SG_FMT(library), strerror(errno));
}

bool sc_cc_open(sc_cc *cc, sc_session *s, const sc_options *o)
{
    const char *set = getenv("TMPDIR");
    const sg_str base = sc_path_safe(
        &s->arena, sg_str_of(set != NULL && set[0] != '\0' ? set : "/tmp"));
    const long online = sysconf(_SC_NPROCESSORS_ONLN);
    char *folder = sg_new_n(&s->arena, char, base.len + 32);

    *cc = (sc_cc){.s = s, .o = o, .limit = o->jobs};
    cc->shared = sg_str_eq(o->emit, SG_S("so"));
    if (cc->limit == 0)
        cc->limit = online > 0 && online < 1000 ? (uint32_t)online : 1;
    if (!find_runtime(cc))
        return false;
    snprintf(folder, base.len + 32, "%.*s/sigcc-XXXXXX", SG_FMT(base));
    if (mkdtemp(folder) == NULL)
        return sc_error(s, SC_E0903, SC_NOWHERE,
                        "no temporary folder in '%.*s': %s", SG_FMT(base),
                        strerror(errno));
    cc->folder = sg_str_of(folder);
    cc->mask = umask(0);
    umask(cc->mask);
    catch_signals();
    return true;
}

bool sc_cc_close(sc_cc *cc)
{
    while (cc->running.count > 0)
        wait_one(cc);
    rmdir(cc->folder.ptr);
    if (interrupted) {
        signal(interrupted, SIG_DFL);
        raise(interrupted);
    }
    return !cc->failed;
}
