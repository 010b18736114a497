/*
 * detector.c - a detector as a second opinion on rules: built as `build`
 * builds it, run as a user runs it (an argument vector, events on standard
 * input, alerts on standard output). Rules are told apart by ids that stand
 * for indices of the IR, whatever ids their authors gave them.
 */
#include "driver/detector.h"
#include "opt/opt.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

/* -------- building ------------------------------------------------------- */

/* Name everything by index, hide nothing. */
static void expose(sc_session *s, sc_ir *ir)
{
    for (uint32_t i = 0; i < ir->rules.count; i++) {
        ir->rules.items[i].meta.id = sg_arena_printf(&s->arena, "r%u", i);
        ir->rules.items[i].flags &= ~(unsigned)SIGMA_RULE_HIDDEN;
    }
    for (uint32_t i = 0; i < ir->corrs.count; i++) {
        ir->corrs.items[i].meta.id = sg_arena_printf(&s->arena, "c%u", i);
        ir->corrs.items[i].flags &= ~(unsigned)SIGMA_CORR_HIDDEN;
    }
}

static bool make_folder(sc_detector *d)
{
    const char *set = getenv("TMPDIR");
    const sg_str base =
        sc_path_safe(&d->session->arena,
                     sg_str_of(set != NULL && set[0] != '\0' ? set : "/tmp"));
    char *folder = sg_new_n(&d->session->arena, char, base.len + 32);

    snprintf(folder, base.len + 32, "%.*s/sigcc-test-XXXXXX", SG_FMT(base));
    if (mkdtemp(folder) == NULL)
        return sc_error(d->session, SC_E0903, SC_NOWHERE,
                        "no temporary folder in '%.*s': %s", SG_FMT(base),
                        strerror(errno));
    d->folder = sg_str_of(folder);
    return true;
}

bool sc_detector_build(sc_detector *d, sc_session *s, const sc_options *o,
                       const sc_loaded *loaded)
{
    sc_cc_job *job = sg_new(&s->arena, sc_cc_job);
    sc_emit_options emit = loaded->emit;
    sc_cc cc;

    *d = (sc_detector){.session = s,
                       .rules = loaded->ir->rules.count,
                       .corrs = loaded->ir->corrs.count};
    if (!make_folder(d) || !sc_cc_open(&cc, s, o, loaded->watch, true))
        return false;
    d->path = sg_arena_printf(&s->arena, "%.*s/detector", SG_FMT(d->folder));
    expose(s, loaded->ir);
    sc_opt_run(loaded->ir, loaded->disabled);
    emit.name = job->name = SG_S("rules");
    job->out = d->path;
    sc_cc_emit(&cc, job, loaded->ir, &emit);
    return sc_cc_close(&cc);
}

void sc_detector_remove(sc_detector *d)
{
    if (d->path.len > 0)
        unlink(d->path.ptr);
    if (d->folder.len > 0)
        rmdir(d->folder.ptr);
}

/* -------- running -------------------------------------------------------- */

/* The lines in a file that has no name, read from its start. */
static FILE *write_events(const sg_str *lines, uint32_t count)
{
    FILE *file = tmpfile();

    if (file == NULL)
        return NULL;
    for (uint32_t i = 0; i < count; i++) {
        fwrite(lines[i].ptr, 1, lines[i].len, file);
        fputc('\n', file);
    }
    if (fflush(file) == 0 && ferror(file) == 0 &&
        lseek(fileno(file), 0, SEEK_SET) == 0)
        return file;
    fclose(file);
    return NULL;
}

/* Start the detector between two files; 0 or an error number. */
static int start(const sc_detector *d, int in, int out, pid_t *pid)
{
    char format[] = "--format=ndjson", bare[] = "--no-event",
         every[] = "--every-firing", *path = strdup(d->path.ptr);
    char *argv[] = {path, format, bare, every, NULL};
    posix_spawn_file_actions_t actions;
    int code = path == NULL ? ENOMEM : posix_spawn_file_actions_init(&actions);

    if (code != 0) {
        free(path);
        return code;
    }
    posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null",
                                     O_WRONLY, 0);
    code = posix_spawn(pid, d->path.ptr, &actions, NULL, argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    free(path);
    return code;
}

/* -------- alerts --------------------------------------------------------- */

static bool read_alert(const sc_detector *d, const char *line, sc_rt_hit *out)
{
    cJSON *alert = cJSON_Parse(line);
    const cJSON *id = cJSON_GetObjectItemCaseSensitive(
        cJSON_GetObjectItemCaseSensitive(alert, "rule"), "id");
    const cJSON *at = cJSON_GetObjectItemCaseSensitive(
        cJSON_GetObjectItemCaseSensitive(alert, "source"), "line");
    bool ok = cJSON_IsString(id) && cJSON_IsNumber(at);

    if (ok) {
        const unsigned long index = strtoul(id->valuestring + 1, NULL, 10);
        out->is_correlation = id->valuestring[0] == 'c';
        out->index = (uint32_t)index;
        out->line = (uint32_t)at->valuedouble;
        ok = index < (out->is_correlation ? d->corrs : d->rules);
    }
    cJSON_Delete(alert);
    return ok;
}

static bool read_alerts(const sc_detector *d, FILE *file, sc_rt_hits *out)
{
    char *line = NULL;
    size_t cap = 0;
    bool ok = true;

    while (ok && getline(&line, &cap, file) >= 0) {
        sc_rt_hit hit;
        ok = read_alert(d, line, &hit);
        if (ok)
            SG_PUSH(&d->session->arena, &out->list, hit);
    }
    free(line);
    return ok && ferror(file) == 0;
}

static bool run(const sc_detector *d, FILE *in, FILE *out, int *status)
{
    pid_t pid;
    const int code = start(d, fileno(in), fileno(out), &pid);

    if (code != 0) {
        sc_fail(0, "the detector cannot be run: %s", strerror(code));
        return false;
    }
    while (waitpid(pid, status, 0) < 0)
        if (errno != EINTR)
            sg_fatal("waiting for the detector failed: %s", strerror(errno));
    if (WIFEXITED(*status) && WEXITSTATUS(*status) == 0)
        return true;
    sc_fail(0,
            WIFEXITED(*status) ? "the detector exits with status %d"
                               : "the detector ends by signal %d",
            WIFEXITED(*status) ? WEXITSTATUS(*status) : WTERMSIG(*status));
    return false;
}

bool sc_detector_run(const sc_detector *d, const sg_str *lines, uint32_t count,
                     sc_rt_hits *out)
{
    FILE *in = write_events(lines, count), *alerts = tmpfile();
    bool ok = in != NULL && alerts != NULL;
    int status = 0;

    if (!ok)
        sc_fail(0, "no temporary file: %s", strerror(errno));
    ok = ok && run(d, in, alerts, &status);
    if (ok) {
        rewind(alerts);
        ok = read_alerts(d, alerts, out);
        if (!ok)
            sc_fail(0, "the alerts of the detector cannot be read");
    }
    if (in != NULL)
        fclose(in);
    if (alerts != NULL)
        fclose(alerts);
    return ok;
}
