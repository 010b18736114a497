/*
 * toolchain.c - the argument vectors for compiling and linking, never a shell;
 * and digests of all that decides what comes of them: the compiler's path,
 * time and version, its arguments and environment, the headers, the runtime.
 */
#include "driver/toolchain.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
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

/* What sigcc itself was built for, as --target says it; set by the build
 * system. */
#ifndef SIGCC_NATIVE
#define SIGCC_NATIVE ""
#endif

extern char **environ;

enum {
    MANY_RULES = 300,
    /* A rule like that is a table, not a rule: optimising it takes minutes
     * and makes little of it faster. */
    MANY_SELECTIONS = 5000, /* of one rule */
    MANY_BYTES = 4 << 20    /* of C, for no more than MANY_RULES */
};

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

/* The program that a name without slash is, by $PATH. */
static sg_str find_program(sg_arena *arena, sg_str name)
{
    const char *set = getenv("PATH");
    sg_str path = sg_str_of(set != NULL ? set : "/usr/bin:/bin");

    if (memchr(name.ptr, '/', name.len) != NULL)
        return name;
    while (path.len > 0) {
        const size_t colon = sg_str_find(path, SG_S(":"));
        const sg_str folder = sg_str_sub(path, 0, colon);
        const sg_str full = sg_arena_printf(
            arena, "%.*s/%.*s", folder.len > 0 ? (int)folder.len : 1,
            folder.len > 0 ? folder.ptr : ".", SG_FMT(name));
        if (access(full.ptr, X_OK) == 0)
            return full;
        path = sg_str_sub(path, colon == SIZE_MAX ? path.len : colon + 1,
                          path.len);
    }
    return SG_S("");
}

sg_str sc_tool_target(const sc_options *o)
{
    return sg_str_eq(o->target, SG_S(SIGCC_NATIVE)) ? SG_S("") : o->target;
}

sg_str sc_tool_name(const sc_cc *cc)
{
    const sg_str target = sc_tool_target(cc->o);
    const char *env = getenv("CC");

    if (cc->o->cc.len > 0)
        return cc->o->cc;
    if (target.len > 0)
        return sg_arena_printf(&cc->s->arena, "%.*s-gcc", SG_FMT(target));
    return sg_str_of(env != NULL && env[0] != '\0' ? env : "cc");
}

/* A pack shares the library of the program that loads it. */
sg_str sc_tool_library(const sc_cc *cc)
{
    sg_arena *arena = &cc->s->arena;
    const sg_str target = sc_tool_target(cc->o);

    return sg_arena_printf(arena, "%.*s/lib%s%.*s/libsigccrt.%s",
                           SG_FMT(cc->home), target.len > 0 ? "/" : "",
                           SG_FMT(target), cc->shared ? "so" : "a");
}

/* Those of the runtime, which is another one for another target. */
static void add_shared_flags(const sc_cc *cc, args *a)
{
    if (sc_tool_target(cc->o).len == 0)
        add_words(a, SG_S(SIGCC_CC_FLAGS));
}

static sg_str include_folder(const sc_cc *cc)
{
    return sg_arena_printf(&cc->s->arena, "%.*s/include/sigcc",
                           SG_FMT(cc->home));
}

/* Archives, so that a detector loads only the C library: what it takes to find
 * and relocate five more would be a third of its start. */
static void add_libraries(const sc_cc *cc, args *a)
{
    static const char *const names[] = {
#define LIBRARY(name, link, version, licence) link,
#include "host/libraries.def"
#undef LIBRARY
    };

    add(a, sc_tool_library(cc));
    if (cc->shared)
        return;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (names[i][0] != '\0')
            add(a, sg_arena_printf(a->arena,
                                   cc->o->shared_libs ? "-l%s" : "-l:lib%s.a",
                                   names[i]));
    add_words(a, SG_S("-lm -lpthread"));
}

static sg_str level_of(const sc_options *o, const sc_cc_job *job, size_t bytes)
{
    if (o->optimise.len > 0)
        return o->optimise;
    if (job->selections > MANY_SELECTIONS)
        return SG_S("0");
    if (job->rules > MANY_RULES)
        return SG_S("1");
    return bytes > MANY_BYTES ? SG_S("0") : SG_S("2");
}

static sg_str inside(args *a, sg_str folder, sg_str name, const char *suffix)
{
    return sg_arena_printf(a->arena, "%.*s/%.*s%s", SG_FMT(folder),
                           SG_FMT(name), suffix);
}

char **sc_tool_compile(const sc_cc *cc, const sc_cc_job *job,
                       const sc_cc_file *file, sg_str folder)
{
    args a = {.arena = &cc->s->arena};
    const sg_str level = level_of(cc->o, job, file->bytes);

    add_words(&a, sc_tool_name(cc));
    add(&a, SG_S("-std=c11"));
    add(&a, sg_arena_printf(a.arena, "-O%.*s", SG_FMT(level)));
    add(&a, SG_S("-fstack-protector-strong"));
    if (!sg_str_eq(level, SG_S("0"))) /* it needs an optimiser */
        add(&a, SG_S("-D_FORTIFY_SOURCE=2"));
    add(&a, SG_S("-I"));
    add(&a, include_folder(cc));
    /* Nothing of this machine's folders goes into the output. */
    add(&a,
        sg_arena_printf(a.arena, "-ffile-prefix-map=%.*s/=", SG_FMT(folder)));
    add_shared_flags(cc, &a);
    if (cc->shared)
        add_words(&a, SG_S("-DSIGMA_WITH_PACK -fPIC"));
    else
        add_words(&a, SG_S("-DSIGMA_WITH_MAIN -fPIE"));
    add_words(&a, SG_S("-c -o"));
    add(&a, inside(&a, folder, file->name, ".o"));
    add(&a, inside(&a, folder, file->name, ".c"));
    SG_PUSH(a.arena, &a.v, NULL);
    return a.v.items;
}

/* gold links archives in half the time of the usual linker: its path, where the
 * system has it, the compiler's name has no options that may choose another,
 * and it can make what is asked for. Else empty. */
static sg_str find_gold(const sc_cc *cc)
{
    const sg_str name = sc_tool_name(cc);

    if (cc->shared || cc->o->static_link || sc_tool_target(cc->o).len > 0 ||
        memchr(name.ptr, ' ', name.len) != NULL)
        return SG_S("");
    return find_program(&cc->s->arena, SG_S("ld.gold"));
}

char **sc_tool_link(const sc_cc *cc, const sc_cc_job *job, sg_str folder,
                    sg_str out)
{
    args a = {.arena = &cc->s->arena};

    add_words(&a, sc_tool_name(cc));
    add_shared_flags(cc, &a);
    if (cc->shared)
        add_words(&a, SG_S("-shared"));
    else if (cc->o->static_link)
        add_words(&a, SG_S("-static-pie"));
    else
        add_words(&a, SG_S("-pie"));
    add(&a, SG_S("-o"));
    add(&a, out);
    for (uint32_t i = 0; i < job->files.count; i++)
        add(&a, inside(&a, folder, job->files.items[i]->name, ".o"));
    add_libraries(cc, &a);
    if (cc->o->encode_literals) /* functions are named after rules */
        add_words(&a, SG_S("-s"));
    add_words(&a, SG_S("-Wl,-z,relro,-z,now -Wl,-z,noexecstack "
                       "-Wl,--as-needed -Wl,--build-id=sha1"));
    /* To gold constants are code unless it is told otherwise. */
    if (find_gold(cc).len > 0)
        add_words(&a, SG_S("-fuse-ld=gold -fno-use-linker-plugin "
                           "-Wl,--rosegment"));
    if (cc->keep_linked)
        add(&a, sg_arena_printf(a.arena, "-Wl,--dependency-file=%.*s/link.d",
                                SG_FMT(folder)));
    SG_PUSH(a.arena, &a.v, NULL);
    return a.v.items;
}

/* -------- identity ------------------------------------------------------- */

/* What a file is told apart by without reading it. */
static bool put_stat(sg_buf *out, const char *path)
{
    struct stat st;

    if (stat(path, &st) != 0)
        return false;
    sg_put_text(out, sg_str_of(path));
    sg_put_u64(out, (uint64_t)st.st_size);
    sg_put_u64(out, (uint64_t)st.st_mtim.tv_sec);
    sg_put_u32(out, (uint32_t)st.st_mtim.tv_nsec);
    return true;
}

/* What the compiler says of itself. */
static bool put_version(const sc_cc *cc, sg_buf *out)
{
    args a = {.arena = &cc->s->arena};
    const sg_str path =
        sg_arena_printf(a.arena, "%.*s/version", SG_FMT(cc->folder));
    posix_spawn_file_actions_t actions;
    sg_buf text = {0};
    int status = -1;
    pid_t pid;

    add_words(&a, sc_tool_name(cc));
    if (a.v.count == 0 ||
        !put_stat(out, find_program(a.arena, sg_str_of(a.v.items[0])).ptr))
        return false;
    add(&a, SG_S("--version"));
    SG_PUSH(a.arena, &a.v, NULL);
    if (posix_spawn_file_actions_init(&actions) != 0)
        sg_fatal("out of memory");
    if (posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY,
                                         0) == 0 &&
        posix_spawn_file_actions_addopen(
            &actions, 1, path.ptr, O_WRONLY | O_CREAT | O_TRUNC, 0600) == 0 &&
        posix_spawn_file_actions_adddup2(&actions, 1, 2) == 0 &&
        posix_spawnp(&pid, a.v.items[0], &actions, NULL, a.v.items, environ) ==
            0)
        while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
            ;
    posix_spawn_file_actions_destroy(&actions);
    sc_path_read(path, &text);
    unlink(path.ptr);
    sg_put_text(out, sg_buf_str(&text));
    sg_buf_free(&text);
    return status == 0;
}

/* Variables that make compilers and linkers do something else. */
static void put_environment(sg_buf *out)
{
    static const char *const names[] = {"CPATH",
                                        "C_INCLUDE_PATH",
                                        "COMPILER_PATH",
                                        "GCC_EXEC_PREFIX",
                                        "LIBRARY_PATH",
                                        "LD_RUN_PATH",
                                        "LDEMULATION",
                                        "SOURCE_DATE_EPOCH",
                                        "CCC_OVERRIDE_OPTIONS",
                                        "DEPENDENCIES_OUTPUT",
                                        "GNUTARGET"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        const char *text = getenv(names[i]);
        sg_put_u8(out, text != NULL);
        sg_put_text(out, sg_str_of(text != NULL ? text : ""));
    }
}

static bool put_file(sg_buf *out, sg_str path)
{
    char digest[65];
    sg_buf text = {0};
    const bool ok = sc_path_read(path, &text);

    sr_digest(sg_buf_str(&text), digest);
    sg_put_text(out, sg_str_of(digest));
    sg_buf_free(&text);
    return ok;
}

/* All that emitted C can include of sigcc. */
static bool put_headers(const sc_cc *cc, sg_buf *out)
{
    static const char *const names[] = {"sigma_abi.h", "sigma_ops.def",
                                        "sigma_correlations.def"};
    bool ok = true;

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        ok &= put_file(out,
                       sg_arena_printf(&cc->s->arena, "%.*s/%s",
                                       SG_FMT(include_folder(cc)), names[i]));
    return ok;
}

bool sc_tool_identify(sc_cc *cc)
{
    sg_buf compiler = {0}, runtime = {0};
    const bool ok = put_version(cc, &compiler) && put_headers(cc, &compiler) &&
                    put_file(&runtime, sc_tool_library(cc));

    put_stat(&compiler, find_gold(cc).ptr);
    put_environment(&compiler);
    sr_digest(sg_buf_str(&compiler), cc->compiler_digest);
    sr_digest(sg_buf_str(&runtime), cc->runtime_digest);
    sg_buf_free(&compiler);
    sg_buf_free(&runtime);
    return ok;
}

/* -------- keys ----------------------------------------------------------- */

static void put_args(sg_buf *out, char **argv)
{
    for (; *argv != NULL; argv++)
        sg_put_text(out, sg_str_of(*argv));
}

static void begin_key(const sc_cc *cc, sg_buf *out, const char *what)
{
    sg_put_text(out, sg_str_of(what));
    sg_put_text(out, SG_S(SC_VERSION));
    sg_put_u32(out, SIGMA_ABI);
    sg_put_text(out, sc_tool_target(cc->o));
    sg_put_text(out, sg_str_of(cc->compiler_digest));
}

static void end_key(sg_buf *text, char key[65])
{
    sr_digest(sg_buf_str(text), key);
    sg_buf_free(text);
}

void sc_tool_object_key(const sc_cc *cc, const sc_cc_job *job,
                        const sc_cc_file *file, sg_str text, char key[65])
{
    sg_buf buf = {0};

    begin_key(cc, &buf, "object");
    put_args(&buf, sc_tool_compile(cc, job, file, SG_S("")));
    sg_put_text(&buf, text);
    end_key(&buf, key);
}

void sc_tool_link_key(const sc_cc *cc, const sc_cc_job *job, char key[65])
{
    sg_buf buf = {0};

    begin_key(cc, &buf, "detector");
    sg_put_text(&buf, sg_str_of(cc->runtime_digest));
    put_args(&buf, sc_tool_link(cc, job, SG_S(""), SG_S("")));
    for (uint32_t i = 0; i < job->files.count; i++)
        sg_put_text(&buf, sg_str_of(job->files.items[i]->key));
    end_key(&buf, key);
}

/* -------- what a linker read --------------------------------------------- */

/* The next name of a rule as make reads it; false at its end. A name with
 * blanks comes in pieces, which are no files. */
static bool next_name(sg_str *rest, sg_str *name)
{
    size_t n = 0;

    while (rest->len > 0 && (strchr(" \t\\", rest->ptr[0]) != NULL ||
                             sg_str_starts(*rest, SG_S("\n  "))))
        *rest = sg_str_sub(*rest, 1, rest->len);
    while (n < rest->len && strchr(" \t\n", rest->ptr[n]) == NULL)
        n++;
    *name = sg_str_sub(*rest, 0, n);
    *rest = sg_str_sub(*rest, n, rest->len);
    return n > 0;
}

void sc_tool_witness(sc_session *s, sg_str text, sg_str folder, sg_buf *out)
{
    const size_t colon = sg_str_find(text, SG_S(":")), start = out->len;
    sg_str rest = sg_str_sub(text, colon == SIZE_MAX ? text.len : colon + 1,
                             text.len),
           name;

    while (next_name(&rest, &name)) {
        if (sg_str_starts(name, folder) ||
            put_stat(out, sg_arena_dup(&s->arena, name).ptr))
            continue;
        out->len = start;
        return;
    }
}

bool sc_tool_unchanged(sc_session *s, sg_str witness)
{
    sg_reader r = {.rest = witness};

    while (r.rest.len > 0 && !r.bad) {
        const sg_str before = r.rest, name = sg_read_text(&r);
        sg_buf now = {0};
        bool same;
        sg_read_u64(&r); /* size and time, which are compared as bytes */
        sg_read_u64(&r);
        sg_read_u32(&r);
        same = put_stat(&now, sg_arena_dup(&s->arena, name).ptr) &&
               sg_str_eq(sg_buf_str(&now),
                         sg_str_sub(before, 0, before.len - r.rest.len));
        sg_buf_free(&now);
        if (!same)
            return false;
    }
    return !r.bad;
}
