/*
 * main.c - sigma_main: what a detector does when it is started.
 */
#include "host/host.h"
#include "host/sandbox.h"

#include <malloc.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/* -------- what it is made of --------------------------------------------- */

/* Here, as every detector has this file. */
#define TEXT_OF(number) #number
#define VERSION_OF(major, minor) TEXT_OF(major) "." TEXT_OF(minor)
#define PART(id, name, link, version, licence)                                 \
    SIGMA_NOTE_OF(id, SIGMA_NOTE_PART,                                         \
                  "{\"name\":\"" name "\",\"link\":\"" link                    \
                  "\",\"version\":\"" version "\",\"license\":\"" licence      \
                  "\"}");

PART(note_runtime, "libsigccrt", "", SR_VERSION, "MIT")
#define LIBRARY(name, link, version, licence)                                  \
    PART(note_##name, #name, link, version, licence)
#include "host/libraries.def"
#undef LIBRARY
#ifdef __GLIBC__
PART(note_libc, "glibc", "c", VERSION_OF(__GLIBC__, __GLIBC_MINOR__),
     "LGPL-2.1-or-later")
#endif

enum { CPU_GRACE = 10 }; /* seconds to end in order */

static int print(const sg_buf *buf)
{
    return fwrite(buf->ptr, 1, buf->len, stdout) == buf->len &&
                   fflush(stdout) == 0
               ? SR_EXIT_OK
               : SR_EXIT_OUTPUT;
}

/* -------- list ----------------------------------------------------------- */

typedef struct lister {
    sr_output *out;
    const sigma_detector *d;
    unsigned columns; /* a digest is too wide for a table */
} lister;

static void list_meta(const lister *l, const char *kind, const sigma_meta *meta,
                      bool hidden, sigma_ref digest)
{
    const struct {
        sg_str name;
        sigma_ref ref;
    } texts[] = {{SG_S("level"), meta->level},
                 {SG_S("id"), meta->id},
                 {SG_S("name"), meta->name},
                 {SG_S("title"), meta->title},
                 {SG_S("digest"), digest}};
    sr_pair pairs[7] = {
        {SG_S("kind"), SR_STRING, sg_str_of(kind)},
        {SG_S("alerts"), SR_BOOL, hidden ? SG_S("false") : SG_S("true")},
    };

    for (unsigned i = 0; i < 5; i++)
        pairs[2 + i] =
            (sr_pair){texts[i].name,
                      texts[i].ref.len == 0 ? SR_NULL : SR_STRING,
                      {l->d->pool + texts[i].ref.off, texts[i].ref.len}};
    sr_output_row(l->out, 0, pairs, l->columns);
}

static int list_rules(const sigma_detector *d, const sr_options *options)
{
    const sr_output_options how = {
        .format = options->format_given ? options->format : SR_FORMAT_TABLE,
        .fd = STDOUT_FILENO};
    const lister l = {.out = sr_output_open(d, &how),
                      .d = d,
                      .columns = how.format == SR_FORMAT_TABLE ? 6 : 7};

    for (uint32_t i = 0; i < d->rule_count; i++)
        list_meta(&l, "rule", &d->rules[i].meta,
                  (d->rules[i].flags & SIGMA_RULE_HIDDEN) != 0,
                  d->rules[i].digest);
    for (uint32_t i = 0; i < d->correlation_count; i++)
        list_meta(&l, "correlation", &d->correlations[i].meta,
                  (d->correlations[i].flags & SIGMA_CORR_HIDDEN) != 0,
                  d->correlations[i].digest);
    const bool done = sr_output_finish(l.out);

    sr_output_close(l.out);
    return done ? SR_EXIT_OK : SR_EXIT_OUTPUT;
}

/* -------- actions -------------------------------------------------------- */

/* What the detector was called as: the last part of argv[0], fit to be
 * shown. */
static const char *called(sg_arena *arena, const char *path, const char *name)
{
    const char *slash = path != NULL ? strrchr(path, '/') : NULL;
    sg_buf shown = {0};
    sg_str copy;

    if (slash != NULL)
        path = slash + 1;
    sr_put_shown(&shown, sg_str_of(path != NULL && *path ? path : name));
    copy = sg_arena_dup(arena, sg_buf_str(&shown));
    sg_buf_free(&shown);
    return copy.ptr;
}

/* What a long line needed goes back to the system when it is freed: left to
 * itself malloc learns from the first one to keep blocks of that size, in each
 * thread. */
static void bound_malloc(void)
{
    (void)mallopt(M_MMAP_THRESHOLD, 1 << 20);
}

/* Limits, and the sandbox: before anything is read. */
static void confine(const sr_options *o, const char *program)
{
    const struct rlimit cpu = {o->cpu_limit, o->cpu_limit + CPU_GRACE};
    const struct rlimit memory = {o->memory_limit, o->memory_limit};

    if (o->cpu_limit != 0)
        (void)setrlimit(RLIMIT_CPU, &cpu);
    if (o->memory_limit != 0)
        (void)setrlimit(RLIMIT_DATA, &memory);
    if (o->no_sandbox || !sr_sandbox_possible())
        return;
    const sr_sandbox done = sr_sandbox_enter(o);

    /* To whoever looks: a person, an account, the log of a service. */
    if (!o->stats && !o->follow && isatty(STDERR_FILENO) == 0)
        return;
    if (!done.files)
        fprintf(stderr,
                "%s: no sandbox for files: this kernel has no Landlock\n",
                program);
    if (!done.calls)
        fprintf(stderr,
                "%s: no sandbox for system calls: no seccomp filter can be "
                "set\n",
                program);
}

static void put_manifest(sg_buf *out, const sigma_detector *file)
{
    sg_arena arena = {0};

    sg_buf_printf(out, "%s\n", sr_detector_manifest(file, &arena));
    sg_arena_free(&arena);
}

/* `file` is the detector as it stands in its file, d in clear. */
static int act(const sigma_detector *file, const sigma_detector *d,
               const sr_options *options, const char *program)
{
    sg_buf buf = {0};
    int code;

    switch (options->action) {
    case SR_ACTION_RUN:
    case SR_ACTION_MAP:
    case SR_ACTION_REDUCE:
        bound_malloc();
        confine(options, program);
        return sr_session_run(d, options, program);
    case SR_ACTION_LIST:
        return list_rules(d, options);
    case SR_ACTION_MANIFEST:
        put_manifest(&buf, file);
        break;
    case SR_ACTION_VERSION:
        sg_buf_printf(&buf, "%s (sigcc %s, ABI %u)\n", d->name, d->version,
                      (unsigned)d->abi);
        break;
    case SR_ACTION_HELP:
    default:
        sr_options_help(&buf, program);
        break;
    }
    code = print(&buf);
    sg_buf_free(&buf);
    return code;
}

int sigma_main(int argc, char **argv, const sigma_detector *detector)
{
    sg_arena arena = {0};
    sg_buf error = {0};
    sr_options options;
    char reason[256];
    int code;

    const sigma_detector *clear = sr_detector_decode(detector, &arena);

    if (!sr_detector_check_start(clear, reason, sizeof(reason))) {
        fprintf(stderr, "%s: this detector is broken: %s\n", "detector",
                reason);
        sg_arena_free(&arena);
        return SR_EXIT_INTERNAL;
    }
    const char *program =
        called(&arena, argc > 0 ? argv[0] : NULL, clear->name);

    if (sr_options_parse(argc, argv, &arena, &options, &error)) {
        code = act(detector, clear, &options, program);
    } else {
        fprintf(stderr, "%s: %.*s\nTry '%s --help'.\n", program, SG_FMT(error),
                program);
        code = SR_EXIT_USAGE;
    }
    sg_buf_free(&error);
    sg_arena_free(&arena);
    return code;
}
