/*
 * git.c - runs git: an argument vector, never a shell; no setting from the
 * environment, no pager, no prompt, no hook and no program of the repository's
 * configuration that these commands would start.
 */
#include "driver/changes.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

enum { MAX_ARGS = 32, SHOWN_BYTES = 300 };

static bool is_setting(const char *entry)
{
    return strncmp(entry, "GIT_", 4) == 0 || strncmp(entry, "LC_ALL=", 7) == 0;
}

static char *copy(sg_arena *arena, const char *text)
{
    const size_t size = strlen(text) + 1;

    return memcpy(sg_new_n(arena, char, size), text, size);
}

/* The environment without what changes git's behaviour. Its entries are
 * borrowed. */
static char **clean_environment(sg_arena *arena)
{
    static const char *const own[] = {
        "LC_ALL=C", "GIT_OPTIONAL_LOCKS=0", "GIT_TERMINAL_PROMPT=0",
        "GIT_NO_LAZY_FETCH=1", "GIT_NO_REPLACE_OBJECTS=1"};
    enum { OWN = sizeof(own) / sizeof(own[0]) };
    size_t count = 0, n = 0;
    char **out;

    while (environ[count] != NULL)
        count++;
    out = sg_new_n(arena, char *, count + OWN + 1);
    for (size_t i = 0; i < count; i++)
        if (!is_setting(environ[i]))
            out[n++] = environ[i];
    for (size_t i = 0; i < OWN; i++)
        out[n++] = copy(arena, own[i]);
    out[n] = NULL;
    return out;
}

/* Standard output and error go to files without names. */
static int start(char **argv, char **env, int out, int err, pid_t *pid)
{
    posix_spawn_file_actions_t actions;
    int code = posix_spawn_file_actions_init(&actions);

    if (code != 0)
        return code;
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null",
                                     O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, err, STDERR_FILENO);
    code = posix_spawnp(pid, "git", &actions, NULL, argv, env);
    posix_spawn_file_actions_destroy(&actions);
    return code;
}

static bool read_back(FILE *file, size_t most, sg_buf *out)
{
    const off_t size = lseek(fileno(file), 0, SEEK_END);

    if (size < 0 || lseek(fileno(file), 0, SEEK_SET) != 0)
        return false;
    return sc_read_all(fileno(file),
                       (uint64_t)size < most ? (size_t)size : most, out);
}

static int wait_for(pid_t pid)
{
    int status;

    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int run(char **argv, char **env, FILE *files[2], sg_buf *out,
               sg_buf *error)
{
    pid_t pid;
    int code, status;

    if (files[0] == NULL || files[1] == NULL) {
        sg_buf_putz(error, "no temporary file");
        return -1;
    }
    code = start(argv, env, fileno(files[0]), fileno(files[1]), &pid);
    if (code != 0) {
        sg_buf_printf(error, "git cannot be run: %s", strerror(code));
        return -1;
    }
    status = wait_for(pid);
    if (!read_back(files[0], SIZE_MAX, out) ||
        !read_back(files[1], SHOWN_BYTES, error))
        return -1;
    return status;
}

int sc_git(sg_arena *arena, sg_str folder, const char *const *args, sg_buf *out,
           sg_buf *error)
{
    static const char *const first[] = {"git",
                                        "--no-pager",
                                        "--literal-pathspecs",
                                        "-c",
                                        "core.fsmonitor=false",
                                        "-c",
                                        "core.hooksPath=/dev/null",
                                        "-C"};
    FILE *files[2] = {tmpfile(), tmpfile()};
    char *argv[MAX_ARGS];
    size_t n = 0;
    int status;

    for (size_t i = 0; i < sizeof(first) / sizeof(first[0]); i++)
        argv[n++] = copy(arena, first[i]);
    argv[n++] = copy(arena, sg_arena_dup(arena, folder).ptr);
    for (; *args != NULL && n + 1 < MAX_ARGS; args++)
        argv[n++] = copy(arena, *args);
    argv[n] = NULL;
    status = run(argv, clean_environment(arena), files, out, error);
    for (int i = 0; i < 2; i++)
        if (files[i] != NULL)
            fclose(files[i]);
    return status;
}
