/*
 * cc.c - makes detectors of C: several compilers at a time, then a linker;
 * what was made before of the same comes from the cache (store.h). Output goes
 * through a temporary name, so that a detector is there whole or not at all.
 * Leaves no temporary file behind, not when the compiler fails and not on an
 * interrupt.
 */
#include "driver/store.h"
#include "driver/toolchain.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

enum { SHOWN_LINES = 5, SHOWN_BYTES = 4096 };

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

/* -------- files of a job ------------------------------------------------- */

static sg_str file_of(const sc_cc *cc, const sc_cc_job *job, sg_str name,
                      const char *suffix)
{
    return sg_arena_printf(&cc->s->arena, "%.*s/%.*s%s", SG_FMT(job->folder),
                           SG_FMT(name), suffix);
}

static void remove_files(const sc_cc *cc, const sc_cc_job *job, sg_str name)
{
    static const char *const suffixes[] = {".c", ".o", ".log", ".d"};

    for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++)
        unlink(file_of(cc, job, name, suffixes[i]).ptr);
}

static void remove_job(const sc_cc *cc, const sc_cc_job *job)
{
    for (uint32_t i = 0; i < job->files.count; i++)
        remove_files(cc, job, job->files.items[i]->name);
    remove_files(cc, job, SG_S("link"));
    rmdir(job->folder.ptr);
    if (job->failed && job->temp.len > 0)
        unlink(job->temp.ptr);
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

/* -------- failures ------------------------------------------------------- */

/* What the program wrote first is kept until all have ended: messages come in
 * the order of jobs and files, whoever failed first. */
static void fail_step(sc_cc *cc, sc_cc_job *job, sc_cc_file *step, int status)
{
    sg_buf text = {0};

    cc->failed = job->failed = true;
    step->failed = true;
    step->status = status;
    sc_path_read(file_of(cc, job, step->name, ".log"), &text);
    step->log = sg_arena_dup(&cc->s->arena,
                             sg_str_sub(sg_buf_str(&text), 0, SHOWN_BYTES));
    sg_buf_free(&text);
}

/* Its first lines, as notes of the latest diagnostic. */
static void note_log(const sc_cc *cc, sg_str log)
{
    for (int i = 0; i < SHOWN_LINES && log.len > 0; i++) {
        const size_t end = sg_str_find(log, SG_S("\n"));
        const sg_str line = sg_str_sub(log, 0, end);
        sc_note_at(cc->s, SC_NOWHERE, "%.*s", SG_FMT(line));
        log = sg_str_sub(log, line.len + 1, log.len);
    }
}

/* What another target takes. */
static void note_target(const sc_cc *cc)
{
    const sg_str target = sc_tool_target(cc->o);

    if (target.len > 0)
        sc_note_at(
            cc->s, SC_NOWHERE,
            "for %.*s it takes a compiler, %.*s-gcc or that of --cc, and "
            "libraries; in a clone './bootstrap cross' installs them "
            "and builds the runtime",
            SG_FMT(target), SG_FMT(target));
}

static void report_step(const sc_cc *cc, const sc_cc_job *job,
                        const sc_cc_file *step)
{
    const sg_str name = sc_tool_name(cc);

    if (step->code != 0)
        sc_error(cc->s, SC_E0901, SC_NOWHERE,
                 "the C compiler '%.*s' cannot be run: %s", SG_FMT(name),
                 strerror(step->code));
    else if (WIFSIGNALED(step->status))
        sc_error(cc->s, SC_E0901, SC_NOWHERE,
                 "the C compiler '%.*s' was killed by signal %d on '%.*s'",
                 SG_FMT(name), WTERMSIG(step->status), SG_FMT(job->name));
    else
        sc_error(cc->s, SC_E0901, SC_NOWHERE,
                 "the C compiler '%.*s' failed with exit code %d on '%.*s'",
                 SG_FMT(name), WEXITSTATUS(step->status), SG_FMT(job->name));
    note_log(cc, step->log);
    note_target(cc);
}

/* The first step of the job that failed. */
static void report_job(const sc_cc *cc, const sc_cc_job *job)
{
    for (uint32_t i = 0; i < job->files.count; i++) {
        if (job->files.items[i]->failed) {
            report_step(cc, job, job->files.items[i]);
            return;
        }
    }
    if (job->link.failed)
        report_step(cc, job, &job->link);
}

/* -------- processes ------------------------------------------------------ */

static int spawn(char **argv, sg_str log, pid_t *pid)
{
    posix_spawn_file_actions_t actions;
    int code;

    if (posix_spawn_file_actions_init(&actions) != 0)
        sg_fatal("out of memory");
    code =
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    if (code == 0)
        code = posix_spawn_file_actions_addopen(
            &actions, 2, log.ptr, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (code == 0)
        code = posix_spawn_file_actions_adddup2(&actions, 2, 1);
    if (code == 0)
        code = posix_spawnp(pid, argv[0], &actions, NULL, argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    return code;
}

static void run(sc_cc *cc, sc_cc_job *job, sc_cc_file *step, char **argv)
{
    sc_cc_process p = {.job = job, .step = step};

    step->code = spawn(argv, file_of(cc, job, step->name, ".log"), &p.pid);
    if (step->code != 0) {
        fail_step(cc, job, step, 0);
        return;
    }
    job->running++;
    SG_PUSH(&cc->s->arena, &cc->running, p);
}

static void show_progress(const sc_cc *cc)
{
    if (cc->jobs.count > 1)
        sc_watch_step(cc->watch, cc->jobs_done, cc->jobs.count);
    else
        sc_watch_step(cc->watch, cc->watch->files - (uint32_t)cc->running.count,
                      cc->watch->files);
}

/* The process that ended next, taken from those that run. */
static sc_cc_process wait_any(sc_cc *cc, int *status)
{
    const sc_phase before = sc_watch_enter(
        cc->watch,
        cc->running.items[0].step->is_link ? SC_PHASE_link : SC_PHASE_cc);
    struct rusage usage;
    uint32_t i = UINT32_MAX;
    sc_cc_process p;

    while (i >= cc->running.count) {
        const pid_t pid = wait4(-1, status, 0, &usage);
        if (pid < 0 && errno != EINTR)
            sg_fatal("waiting for the C compiler failed: %s", strerror(errno));
        /* A child of whoever ran before in this process is passed over. */
        for (i = 0; i < cc->running.count; i++)
            if (cc->running.items[i].pid == pid)
                break;
    }
    p = cc->running.items[i];
    cc->running.items[i] = cc->running.items[--cc->running.count];
    sc_watch_child(cc->watch, p.step->is_link ? SC_PHASE_link : SC_PHASE_cc,
                   &usage);
    show_progress(cc);
    sc_watch_enter(cc->watch, before);
    return p;
}

/* -------- what was made before ------------------------------------------- */

/* A stored detector is what the linker had read, then the file. */
static bool unpack(sc_cc *cc, sg_str entry, sg_str *content)
{
    sg_reader r = {.rest = entry};
    const sg_str witness = sg_read_text(&r);

    *content = r.rest;
    return !r.bad && sc_tool_unchanged(cc->s, witness);
}

static bool write_plain(sg_str path, sg_str text)
{
    const int fd =
        open(path.ptr, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    bool ok = fd >= 0 && sc_write_all(fd, text);

    if (fd >= 0 && close(fd) != 0)
        ok = false;
    return ok;
}

static bool fetch_object(sc_cc *cc, const sc_cc_job *job,
                         const sc_cc_file *file)
{
    sg_buf object = {0};
    const bool found =
        sc_store_get(cc->store, file->key, &object) &&
        write_plain(file_of(cc, job, file->name, ".o"), sg_buf_str(&object));

    sg_buf_free(&object);
    return found;
}

static void keep_object(sc_cc *cc, const sc_cc_job *job, const sc_cc_file *file)
{
    sg_buf object = {0};

    if (cc->keeps && sc_path_read(file_of(cc, job, file->name, ".o"), &object))
        sc_store_put(cc->store, file->key, sg_buf_str(&object));
    sg_buf_free(&object);
}

static bool fetch_linked(sc_cc *cc, const sc_cc_job *job)
{
    sg_buf entry = {0};
    sg_str content;
    const bool found = cc->keep_linked &&
                       sc_store_get(cc->store, job->link.key, &entry) &&
                       unpack(cc, sg_buf_str(&entry), &content) &&
                       write_plain(job->temp, content);

    sg_buf_free(&entry);
    return found;
}

static void keep_linked(sc_cc *cc, const sc_cc_job *job)
{
    sg_buf entry = {0}, read = {0}, content = {0};

    if (!cc->keep_linked)
        return;
    if (sc_path_read(file_of(cc, job, job->link.name, ".d"), &read)) {
        const size_t at = sg_put_text_begin(&entry);
        sc_tool_witness(cc->s, sg_buf_str(&read), job->folder, &entry);
        sg_put_text_end(&entry, at);
        /* A linker that says nothing of what it read is not trusted. */
        if (entry.len > at && sc_path_read(job->temp, &content)) {
            sg_buf_put(&entry, sg_buf_str(&content));
            sc_store_put(cc->store, job->link.key, sg_buf_str(&entry));
        }
    }
    sg_buf_free(&entry);
    sg_buf_free(&read);
    sg_buf_free(&content);
}

/* -------- jobs ----------------------------------------------------------- */

static void publish(sc_cc *cc, sc_cc_job *job)
{
    if (chmod(job->temp.ptr, 0777 & ~cc->mask) == 0 &&
        rename(job->temp.ptr, job->out.ptr) == 0)
        return;
    cc->failed = job->failed = true;
    sc_error(cc->s, SC_E0903, SC_NOWHERE, "'%.*s' cannot be written: %s",
             SG_FMT(job->out), strerror(errno));
}

static void end_job(sc_cc *cc, sc_cc_job *job)
{
    if (!job->failed)
        publish(cc, job);
    job->done = true;
    cc->jobs_done++;
    remove_job(cc, job);
}

/* Link when all files are compiled; end when there is nothing to link. */
static void settle(sc_cc *cc, sc_cc_job *job)
{
    if (!job->complete || job->running > 0 || job->done)
        return;
    if (interrupted)
        cc->failed = job->failed = true;
    if (job->failed) {
        end_job(cc, job);
        return;
    }
    cc->watch->linked++;
    if (cc->keep_linked)
        sc_tool_link_key(cc, job, job->link.key);
    if (fetch_linked(cc, job)) {
        cc->watch->linked_cached++;
        end_job(cc, job);
        return;
    }
    run(cc, job, &job->link, sc_tool_link(cc, job, job->folder, job->temp));
    if (job->failed)
        end_job(cc, job);
}

static void wait_one(sc_cc *cc)
{
    int status = 0;
    const sc_cc_process p = wait_any(cc, &status);
    sc_cc_job *job = p.job;

    job->running--;
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0 || interrupted) {
        fail_step(cc, job, p.step, status);
    } else if (p.step->is_link) {
        keep_linked(cc, job);
        end_job(cc, job);
        return;
    } else {
        keep_object(cc, job, p.step);
    }
    settle(cc, job);
}

void sc_cc_begin(sc_cc *cc, sc_cc_job *job)
{
    sg_arena *arena = &cc->s->arena;

    job->out = sc_path_safe(arena, job->out);
    job->folder = sg_arena_printf(arena, "%.*s/%" PRIu32, SG_FMT(cc->folder),
                                  cc->jobs.count);
    job->link = (sc_cc_file){.name = SG_S("link"), .is_link = true};
    SG_PUSH(arena, &cc->jobs, job);
    if (mkdir(job->folder.ptr, 0700) != 0 || !reserve_output(cc, job))
        cc->failed = job->failed = true;
}

static void add_file(sc_cc *cc, sc_cc_job *job, sg_str name, sg_str text)
{
    sc_cc_file *file = sg_new(&cc->s->arena, sc_cc_file);

    file->name = name;
    file->bytes = text.len;
    SG_PUSH(&cc->s->arena, &job->files, file);
    cc->watch->files++;
    if (cc->keeps)
        sc_tool_object_key(cc, job, file, text, file->key);
    if (fetch_object(cc, job, file)) {
        cc->watch->files_cached++;
        return;
    }
    while (cc->running.count >= cc->limit)
        wait_one(cc);
    if (job->failed || interrupted)
        return;
    if (!write_plain(file_of(cc, job, name, ".c"), text)) {
        cc->failed = job->failed = true;
        sc_error(cc->s, SC_E0903, SC_NOWHERE, "'%.*s' cannot be written: %s",
                 SG_FMT(file_of(cc, job, name, ".c")), strerror(errno));
        return;
    }
    run(cc, job, file, sc_tool_compile(cc, job, file, job->folder));
}

void sc_cc_add(sc_cc *cc, sc_cc_job *job, sg_str name, sg_str text)
{
    const sc_phase before = sc_watch_enter(cc->watch, SC_PHASE_cc);

    if (!job->failed && !interrupted)
        add_file(cc, job, name, text);
    sc_watch_enter(cc->watch, before);
}

void sc_cc_end(sc_cc *cc, sc_cc_job *job)
{
    while (cc->running.count >= cc->limit)
        wait_one(cc);
    job->complete = true;
    settle(cc, job);
}

/* -------- the session ---------------------------------------------------- */

static bool find_runtime(sc_cc *cc)
{
    sg_str library;

    cc->home = sc_path_home(&cc->s->arena);
    library = sc_tool_library(cc);
    if (access(library.ptr, R_OK) == 0)
        return true;
    sc_error(cc->s, SC_E0902, SC_NOWHERE,
             "the runtime library '%.*s' cannot be read: %s", SG_FMT(library),
             strerror(errno));
    note_target(cc);
    return false;
}

static bool make_folder(sc_cc *cc)
{
    const char *set = getenv("TMPDIR");
    const sg_str base = sc_path_safe(
        &cc->s->arena, sg_str_of(set != NULL && set[0] != '\0' ? set : "/tmp"));
    char *folder = sg_new_n(&cc->s->arena, char, base.len + 32);

    snprintf(folder, base.len + 32, "%.*s/sigcc-XXXXXX", SG_FMT(base));
    if (mkdtemp(folder) == NULL)
        return sc_error(cc->s, SC_E0903, SC_NOWHERE,
                        "no temporary folder in '%.*s': %s", SG_FMT(base),
                        strerror(errno));
    cc->folder = sg_str_of(folder);
    return true;
}

static void open_store(sc_cc *cc, bool one)
{
    cc->store = sg_new(&cc->s->arena, sc_store);
    sc_store_open(cc->store, cc->s, cc->o->no_cache);
    if (cc->store->folder < 0)
        return;
    cc->keeps = sc_tool_identify(cc);
    cc->keep_linked = cc->keeps && one;
    if (!cc->keeps)
        sc_store_close(cc->store);
}

bool sc_cc_open(sc_cc *cc, sc_session *s, const sc_options *o, sc_watch *watch,
                bool one)
{
    const long online = sysconf(_SC_NPROCESSORS_ONLN);

    *cc = (sc_cc){.s = s, .o = o, .watch = watch, .limit = o->jobs};
    cc->shared = sg_str_eq(o->emit, SG_S("so"));
    if (cc->limit == 0)
        cc->limit = online > 0 && online < 1000 ? (uint32_t)online : 1;
    if (!find_runtime(cc) || !make_folder(cc))
        return false;
    open_store(cc, one);
    cc->mask = umask(0);
    umask(cc->mask);
    catch_signals();
    return true;
}

bool sc_cc_close(sc_cc *cc)
{
    while (cc->running.count > 0)
        wait_one(cc);
    for (uint32_t i = 0; i < cc->jobs.count; i++) {
        sc_cc_job *job = cc->jobs.items[i];
        if (!job->done) {
            cc->failed = job->failed = true;
            end_job(cc, job);
        }
        if (!interrupted)
            report_job(cc, job);
    }
    rmdir(cc->folder.ptr);
    sc_store_close(cc->store);
    sc_watch_clear(cc->watch);
    if (interrupted) {
        signal(interrupted, SIG_DFL);
        raise(interrupted);
    }
    return !cc->failed;
}
