/*
 * driver.h - from the command line to an exit code: options, commands, and the
 * stages they share. Knows every stage; no stage knows it.
 */
#ifndef SC_DRIVER_H
#define SC_DRIVER_H

#include "driver/watch.h"
#include "emit/emit.h"
#include "enrich/enrichment.h"
#include "opt/opt.h"
#include "report/lint.h"
#include "resolve/resolve.h"
#include "testing/ruletest.h"

/* Exit codes (interface.md). The larger of two counts. */
enum {
    SC_EXIT_OK = 0,
    SC_EXIT_REJECTED = 1, /* some rule was rejected */
    SC_EXIT_USAGE = 2,
    SC_EXIT_FAILED = 3 /* toolchain, I/O, internal */
};

/* -------- options (options.c) -------------------------------------------- */

typedef enum sc_command {
#define COMMAND(name, usage, summary, doc, example) SC_CMD_##name,
#include "driver/commands.def"
#undef COMMAND
    SC_CMD_COUNT
} sc_command;

typedef struct sc_strs {
    sg_str *items;
    uint32_t count, cap;
} sc_strs;

/* One member per row of options.def; unset ones are empty, false or 0. */
typedef struct sc_options {
    sc_command command;
    sc_strs paths; /* what is no option */
#define SC_FIELD_FLAG(field) bool field
#define SC_FIELD_TEXT(field) sg_str field
#define SC_FIELD_LIST(field) sc_strs field
#define SC_FIELD_NUMBER(field) uint32_t field
#define SC_FIELD_CHOICE(field) sg_str field
#define OPT(commands, name, letter, kind, field, metavar, help)                \
    SC_FIELD_##kind(field);
#include "driver/options.def"
#undef OPT
} sc_options;

typedef enum sc_parsed {
    SC_PARSED,      /* run the command */
    SC_PARSED_SHOW, /* nothing to run: `text` is for standard output */
    SC_PARSED_WRONG /* `text` says what is wrong, for standard error */
} sc_parsed;

/* Read the arguments (argv[0] is skipped). Texts in the options borrow argv or
 * the arena. */
sc_parsed sc_options_parse(sg_arena *arena, int argc, char **argv,
                           sc_options *out, sg_buf *text);
/* Help of one command, or of all with SC_CMD_COUNT. */
void sc_options_help(sg_buf *out, sc_command command);

/* -------- commands ------------------------------------------------------- */

#define COMMAND(name, usage, summary, doc, example)                            \
    int sc_cmd_##name(sc_session *s, const sc_options *o);
#include "driver/commands.def"
#undef COMMAND

/* The whole program. */
int sc_main(int argc, char **argv);

/* -------- stages shared by commands (driver.c) --------------------------- */

/* Rules ready for the emitter, all roots together. */
typedef struct sc_loaded {
    sc_ast ast;           /* resolved */
    sc_enrich enrich;     /* of all enrichment files */
    sc_ir *ir;            /* not optimised */
    uint32_t disabled;    /* passes left out */
    sc_emit_options emit; /* without a name */
    sc_watch *watch;      /* in use since the load */
    bool dumped;          /* --dump was asked for and served */
    uint32_t doc_base;    /* documents before it belong to no rule file */
} sc_loaded;

/* Read, resolve and lower everything the options name. Diagnostics stay in the
 * session for sc_finish. SC_EXIT_OK, also when rules were rejected (see
 * s->errors), or why there is nothing to go on with; has printed the reason
 * then, or left it in the diagnostics. */
int sc_load(sc_session *s, const sc_options *o, sc_loaded *out);
/* Called by sc_load between reading and resolving: what the author wrote. */
void sc_check_lint(sc_session *s, const sc_options *o, const sc_ast *ast);
/* The warnings that --enable, --disable and --only leave. False with a printed
 * reason. */
bool sc_check_choose(const sc_options *o, sc_code_set *set);
/* How reports name files. */
sc_places sc_places_of(sc_session *s, const sc_options *o);
/* Print diagnostics and the summary, write the report. Returns `code`, or a
 * graver one. */
int sc_finish(sc_session *s, const sc_options *o, int code);
/* Print --timings, last of all. */
void sc_put_timings(const sc_options *o, sc_watch *watch);

/* "sigcc: " and a message on standard error; texts from outside are shown
 * escaped. Returns `code`. */
SC_PRINTF(2, 3) int sc_fail(int code, const char *fmt, ...);
/* "cannot read 'PATH': why" */
int sc_fail_file(int code, const char *what, sg_str path, const char *why);

/* -------- parts of commands that `ci` runs, too --------------------------- */

/* Build what `sigcc build` builds (build.c): all, or only the detectors whose
 * root is of a document that `docs` flags. A pack is always whole. Changes
 * loaded->ir. Errors are reported. */
int sc_build_detectors(sc_session *s, const sc_options *o,
                       const sc_loaded *loaded, const bool *docs);
/* The good rules of the flagged documents and all they refer to, in order. */
sc_ast sc_build_closure(sc_session *s, const sc_ast *ast, const bool *docs);
/* IR of some of the loaded rules, on their own and not optimised. */
sc_ir *sc_build_lower(sc_session *s, const sc_options *o,
                      const sc_loaded *loaded, const sc_ast *ast);
/* Whether --events names folders: SC_EXIT_OK, or with a printed reason another
 * code (test.c). */
int sc_test_guard(const sc_options *o, const char *command);
/* Find and judge the tests of the loaded rules: by the oracle and, unless
 * --no-build, by a detector. Changes loaded->ir, which `t` refers to. Other
 * than SC_EXIT_OK when the detector could not be built or run. */
int sc_test_run(sc_session *s, const sc_options *o, const sc_loaded *loaded,
                sc_ruletest *t);
/* Only find them. What cannot be read is not reported. */
void sc_test_find(sc_session *s, const sc_options *o, const sc_ir *ir,
                  sc_ruletest *t);

/* -------- paths (paths.c) ------------------------------------------------ */

enum {
    SC_MAX_FOLDERS = 64, /* nesting below a PATH */
    SC_MAX_FILES = 1000000
};

/* The files that PATHs stand for: files as they are, folders searched for
 * *.yml and *.yaml in byte order. A file reached twice is taken once. What
 * cannot be read below a folder is among them, for whoever opens it to report.
 * False with a printed reason when a PATH itself cannot be read. */
bool sc_paths_collect(sg_arena *arena, const sc_strs *paths, sc_strs *out);
/* Whether --output, --report and --sbom spare the files that the options name
 * to be read: SC_EXIT_OK, or with a printed reason another code. */
int sc_paths_guard(sg_arena *arena, const sc_options *o);
/* Name of a detector made from this file: its stem, [A-Za-z0-9._-] only, never
 * empty, hidden or longer than 100 bytes. */
sg_str sc_path_stem(sg_arena *arena, sg_str path);
bool sc_path_is_folder(sg_str path);
/* Create a folder and those above it; false with a printed reason. */
bool sc_path_make(sg_arena *arena, sg_str path);
/* The same with these permissions; false without a word, errno says why. */
bool sc_path_make_for(sg_arena *arena, sg_str path, unsigned mode);
/* A path that no program takes for an option: "./-x" for "-x". */
sg_str sc_path_safe(sg_arena *arena, sg_str path);
/* Where sigcc and its parts are installed ($SIGCC_HOME, else from the
 * executable's own place); empty when unknown. */
sg_str sc_path_home(sg_arena *arena);
/* A pipeline by the name of a shipped one, or else by file name; what has a
 * '/' or ends in .yml or .yaml is a file. Empty, with a printed reason, when
 * there is none. */
sg_str sc_path_pipeline(sg_arena *arena, sg_str name);
/* Names of the shipped pipelines, sorted. */
void sc_path_pipelines(sg_arena *arena, sc_strs *out);
/* The same for enrichments. */
sg_str sc_path_enrichment(sg_arena *arena, sg_str name);
void sc_path_enrichments(sg_arena *arena, sc_strs *out);
/* Write a file through a temporary name beside it, so that it is there whole
 * or not at all. */
bool sc_path_write(sg_arena *arena, sg_str path, sg_str text);
/* Append a file's bytes; false when not all could be read. */
bool sc_path_read(sg_str path, sg_buf *out);
/* The same from and to an open file: `size` bytes, or fail. */
bool sc_read_all(int fd, size_t size, sg_buf *out);
bool sc_write_all(int fd, sg_str text);

/* -------- the C compiler (cc.c) ------------------------------------------ */

/* A step towards a detector: a C file to compile, or the linking. Private to
 * cc.c and toolchain.c. */
typedef struct sc_cc_file {
    sg_str name;  /* without suffix */
    size_t bytes; /* of C */
    bool is_link;
    char key[65]; /* of what it makes, in the cache */
    bool failed;
    int code, status; /* why it could not be run; how it ended */
    sg_str log;       /* what it wrote then */
} sc_cc_file;

/* A detector to make. */
typedef struct sc_cc_job {
    sg_str name, out; /* for messages; where it goes */
    uint32_t rules;
    uint32_t selections; /* of the rule that has most */

    /* Private to cc.c. */
    sg_str folder, temp; /* of its files; of the output */
    SG_VEC(sc_cc_file *) files;
    sc_cc_file link;
    uint32_t running; /* processes */
    bool complete;    /* all files were added */
    bool failed, done;
} sc_cc_job;

typedef struct sc_cc_process {
    sc_cc_job *job;
    sc_cc_file *step;
    int pid;
} sc_cc_process;

typedef struct sc_store sc_store;

typedef struct sc_cc {
    sc_session *s;
    const sc_options *o;
    sc_watch *watch;
    sg_str folder; /* temporary, removed by sc_cc_close */
    sg_str home;
    bool shared;
    SG_VEC(sc_cc_job *) jobs;
    SG_VEC(sc_cc_process) running;
    uint32_t limit, jobs_done;
    unsigned mask; /* umask */
    bool failed;
    sc_store *store;         /* the cache */
    bool keeps, keep_linked; /* objects go there; the detector too */
    char compiler_digest[65], runtime_digest[65];
} sc_cc;

/* Find the toolchain's parts, make a temporary folder, open the cache; `one`:
 * there will be one detector, which is worth keeping whole. False when reported
 * (E0902, E0903). */
bool sc_cc_open(sc_cc *cc, sc_session *s, const sc_options *o, sc_watch *watch,
                bool one);
/* A detector: begin it, add its C files, end it. Files are compiled meanwhile,
 * and waited for where as many compilers run as are allowed. Failures are
 * reported by sc_cc_close, in the order of detectors (E0901, E0903). */
void sc_cc_begin(sc_cc *cc, sc_cc_job *job);
void sc_cc_add(sc_cc *cc, sc_cc_job *job, sg_str name, sg_str text);
void sc_cc_end(sc_cc *cc, sc_cc_job *job);
/* Wait for all, remove what is temporary. Whether all went well. */
bool sc_cc_close(sc_cc *cc);

/* How many parts the functions of so many rules are compiled in; 1: all is one
 * file. --parts decides, else the number of rules. */
uint32_t sc_cc_parts(const sc_options *o, uint32_t rules);
/* Emit the IR and make the detector of job->name: begin, add, end. */
void sc_cc_emit(sc_cc *cc, sc_cc_job *job, const sc_ir *ir,
                const sc_emit_options *emit);

/* -------- costs (cost.c) ------------------------------------------------- */

/* Print what each of the optimised rules costs: a table, or one JSON object. */
void sc_cost_print(sc_session *s, const sc_ir *ir, bool json);
/* Names of cost_classes.def. */
const char *sc_cost_class_name(sc_cost_class class);
bool sc_cost_class_find(sg_str name, sc_cost_class *out);
/* How events find a rule in a pack, or why they do not: one line, safe for a
 * terminal. */
void sc_cost_put_gate(sc_session *s, const sc_ir *ir, const sc_rule_cost *cost,
                      sg_buf *out);
/* How many regular expressions of the rule have no byte that any match needs.
 */
uint32_t sc_cost_bare_regexes(const sc_ir *ir, const sc_rule_cost *cost);

#endif
