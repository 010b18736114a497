/*
 * driver.c - the stages from files to IR, top to bottom, and what every command
 * does at its end: diagnostics, summary, report.
 */
#include "driver/driver.h"
#include "opt/opt.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int sc_fail(int code, const char *fmt, ...)
{
    va_list ap;

    fputs("sigcc: ", stderr);
    va_start(ap, fmt);
    vfprintf(stderr, fmt, ap);
    va_end(ap);
    fputc('\n', stderr);
    return code;
}

int sc_fail_file(int code, const char *what, sg_str path, const char *why)
{
    sg_buf shown = {0};

    sc_put_safe(&shown, path);
    sc_fail(code, "%s '%.*s': %s", what, SG_FMT(sg_buf_str(&shown)), why);
    sg_buf_free(&shown);
    return code;
}

/* -------- reading -------------------------------------------------------- */

/* A document stands for a file that cannot be read: it is a rejected one. */
static bool open_source(sc_session *s, sg_str path, uint32_t *source)
{
    sc_doc doc = {.at = SC_NOWHERE, .path = path, .diag = SIGMA_NONE};
    const uint32_t index = s->docs.count;
    bool ok;

    doc.id = doc.title = doc.name = SG_S("");
    SG_PUSH(&s->arena, &s->docs, doc);
    s->doc = index;
    ok = sc_source_open(s, path, source);
    s->doc = SIGMA_NONE;
    if (ok)
        s->docs.count = index;
    return ok;
}

static sc_manifest_file manifest_file(const sc_session *s, uint32_t source)
{
    sc_manifest_file file = {.path = s->sources.items[source].path};

    sr_sha256(s->sources.items[source].text, file.sha256);
    return file;
}

static int read_pipelines(sc_session *s, const sc_options *o, sc_loaded *out,
                          sc_pipelines *pipelines)
{
    for (uint32_t i = 0; i < o->pipelines.count; i++) {
        const sg_str path = sc_path_pipeline(&s->arena, o->pipelines.items[i]);
        uint32_t source;
        if (path.len == 0)
            return SC_EXIT_USAGE;
        s->doc = SIGMA_NONE;
        if (!sc_source_open(s, path, &source) ||
            !sc_pipeline_read(s, source, pipelines))
            return SC_EXIT_REJECTED;
        SG_PUSH(&s->arena, &out->emit.pipelines, manifest_file(s, source));
    }
    return SC_EXIT_OK;
}

static int read_enrichments(sc_session *s, const sc_options *o, sc_loaded *out)
{
    for (uint32_t i = 0; i < o->enrichments.count; i++) {
        const sg_str path =
            sc_path_enrichment(&s->arena, o->enrichments.items[i]);
        uint32_t source;
        if (path.len == 0)
            return SC_EXIT_USAGE;
        s->doc = SIGMA_NONE;
        if (!sc_source_open(s, path, &source) ||
            !sc_enrich_read(s, source, &out->enrich))
            return SC_EXIT_REJECTED;
        SG_PUSH(&s->arena, &out->emit.enrichments, manifest_file(s, source));
    }
    return SC_EXIT_OK;
}

static int read_filters(sc_session *s, const sc_options *o, sc_loaded *out)
{
    for (uint32_t i = 0; i < o->filters.count; i++) {
        uint32_t source;
        s->doc = SIGMA_NONE;
        if (!sc_source_open(s, o->filters.items[i], &source))
            return SC_EXIT_REJECTED;
        sc_read_source(s, source, &out->ast);
        SG_PUSH(&s->arena, &out->emit.filters, manifest_file(s, source));
    }
    return SC_EXIT_OK;
}

static int read_placeholders(sc_session *s, const sc_options *o, sc_loaded *out,
                             const sc_placeholders **values)
{
    sc_manifest_file file;
    uint32_t source;

    *values = NULL;
    if (o->placeholders.len == 0)
        return SC_EXIT_OK;
    s->doc = SIGMA_NONE;
    if (!sc_source_open(s, o->placeholders, &source))
        return SC_EXIT_REJECTED;
    *values = sc_placeholders_read(s, source);
    file = manifest_file(s, source);
    SG_PUSH(&s->arena, &out->emit.flags,
            sg_arena_printf(&s->arena, "placeholders=%s", file.sha256));
    return *values == NULL ? SC_EXIT_REJECTED : SC_EXIT_OK;
}

static void dump_yaml(sc_session *s, uint32_t source, sg_buf *out)
{
    uint32_t count;
    const sc_y_doc *docs = sc_yaml_parse(s, source, &count);

    for (uint32_t i = 0; i < count; i++)
        sc_y_dump(out, docs[i].root);
}

static int read_rules(sc_session *s, const sc_options *o, sc_loaded *out,
                      sg_buf *dump)
{
    const bool yaml = sg_str_eq(o->dump, SG_S("yaml"));
    sc_strs files = {0};

    if (!sc_paths_collect(&s->arena, &o->paths, &files))
        return SC_EXIT_FAILED;
    for (uint32_t i = 0; i < o->paths.count; i++)
        SG_PUSH(&s->arena, &out->emit.roots, o->paths.items[i]);
    for (uint32_t i = 0; i < files.count; i++) {
        uint32_t source;
        sc_watch_step(out->watch, i, files.count);
        if (!open_source(s, files.items[i], &source))
            continue;
        if (yaml)
            dump_yaml(s, source, dump);
        else
            sc_read_source(s, source, &out->ast);
        s->doc = SIGMA_NONE;
    }
    out->dumped |= yaml;
    if (files.count == 0)
        return sc_fail(SC_EXIT_USAGE, "no rule found: no *.yml or *.yaml file "
                                      "below the given folders");
    return SC_EXIT_OK;
}

/* -------- options that need other stages --------------------------------- */

static int unknown_pass(sg_str text, sg_str name)
{
    static const sg_str names[] = {
#define PASS(name, doc) SG_LIT(#name),
#include "opt/passes.def"
#undef PASS
    };
    const sg_str near =
        sc_nearest(name, names, sizeof(names) / sizeof(names[0]));
    sg_buf shown = {0};

    sc_put_safe(&shown, text);
    if (near.len > 0)
        sg_buf_printf(&shown, "'; did you mean '-fno-%.*s", SG_FMT(near));
    sc_fail(SC_EXIT_USAGE, "unknown option '-f%.*s'",
            SG_FMT(sg_buf_str(&shown)));
    sg_buf_free(&shown);
    return SC_EXIT_USAGE;
}

/* Passes left out, from -fno-NAME. */
static int read_passes(sc_session *s, const sc_options *o, sc_loaded *out)
{
    for (uint32_t i = 0; i < o->passes.count; i++) {
        const sg_str text = o->passes.items[i];
        const sg_str name = sg_str_sub(text, text.len < 3 ? 0 : 3, text.len);
        const uint32_t bit =
            sg_str_starts(text, SG_S("no-")) ? sc_opt_bit(name) : 0;
        if (bit == 0)
            return unknown_pass(text, name);
        if ((out->disabled & bit) == 0)
            SG_PUSH(&s->arena, &out->emit.flags,
                    sg_arena_printf(&s->arena, "f%.*s", SG_FMT(text)));
        out->disabled |= bit;
    }
    return SC_EXIT_OK;
}

/* -------- all of it ------------------------------------------------------ */

/* Filters are applied, not compiled: they count as skipped. */
static void settle_filters(sc_session *s, const uint32_t *docs, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        if (sc_doc_ok(s, docs[i]))
            s->docs.items[docs[i]].status = SC_DOC_SKIPPED;
}

static void resolve(sc_session *s, sc_loaded *out,
                    const sc_pipelines *pipelines,
                    const sc_placeholders *placeholders)
{
    const uint32_t count = out->ast.filters.count;
    uint32_t *filters = sg_new_n(&s->arena, uint32_t, count);

    for (uint32_t i = 0; i < count; i++)
        filters[i] = out->ast.filters.items[i]->doc;
    sc_resolve(s, &out->ast, pipelines, placeholders);
    s->doc = SIGMA_NONE;
    settle_filters(s, filters, count);
}

static int lower(sc_session *s, const sc_options *o, sc_loaded *out,
                 sg_buf *dump)
{
    const bool opt = sg_str_eq(o->dump, SG_S("opt"));

    sc_watch_enter(out->watch, SC_PHASE_ir);
    out->ir = sc_ir_build(s, &out->ast);
    if (!o->no_routing)
        sc_ir_add_routes(out->ir);
    /* They are for detectors and for who reads the IR. */
    if (o->command != SC_CMD_check || o->dump.len > 0)
        sc_ir_add_digests(out->ir);
    sc_ir_add_enrich(out->ir, &out->enrich);
    s->doc = SIGMA_NONE;
    if (!opt && !sg_str_eq(o->dump, SG_S("ir")))
        return SC_EXIT_OK;
    if (opt)
        sc_opt_run(out->ir, out->disabled);
    sc_ir_dump(s, dump, out->ir);
    out->dumped = true;
    return SC_EXIT_OK;
}

static int load(sc_session *s, const sc_options *o, sc_loaded *out,
                sg_buf *dump)
{
    sc_pipelines pipelines = {0};
    const sc_placeholders *placeholders = NULL;
    int code = read_passes(s, o, out);

    sc_watch_enter(out->watch, SC_PHASE_read);
    if (o->no_routing)
        SG_PUSH(&s->arena, &out->emit.flags, SG_S("no-logsource-routing"));
    out->emit.encode = o->encode_literals;
    if (o->encode_literals)
        SG_PUSH(&s->arena, &out->emit.flags, SG_S("encode-literals"));
    if (code == SC_EXIT_OK)
        code = read_pipelines(s, o, out, &pipelines);
    if (code == SC_EXIT_OK)
        code = read_enrichments(s, o, out);
    if (code == SC_EXIT_OK)
        code = read_placeholders(s, o, out, &placeholders);
    if (code == SC_EXIT_OK)
        code = read_rules(s, o, out, dump);
    if (code == SC_EXIT_OK)
        code = read_filters(s, o, out);
    if (code != SC_EXIT_OK || out->dumped)
        return code;
    if (sg_str_eq(o->dump, SG_S("ast"))) {
        sc_ast_dump(dump, &out->ast);
        out->dumped = true;
        return SC_EXIT_OK;
    }
    if (out->ast.rules.count == 0 && s->errors == 0)
        return sc_fail(SC_EXIT_USAGE, "no rule found in the given files");
    if (o->command == SC_CMD_check || o->command == SC_CMD_ci) {
        sc_watch_enter(out->watch, SC_PHASE_lint);
        sc_check_lint(s, o, &out->ast);
    }
    sc_watch_enter(out->watch, SC_PHASE_resolve);
    resolve(s, out, &pipelines, placeholders);
    if (sg_str_eq(o->dump, SG_S("rules"))) {
        sc_ast_dump(dump, &out->ast);
        out->dumped = true;
        return SC_EXIT_OK;
    }
    return lower(s, o, out, dump);
}

int sc_load(sc_session *s, const sc_options *o, sc_loaded *out)
{
    sg_buf dump = {0};
    int code;

    *out = (sc_loaded){.watch = sg_new(&s->arena, sc_watch)};
    sc_watch_start(out->watch);
    code = load(s, o, out, &dump);
    sc_watch_clear(out->watch);
    if (dump.len > 0)
        fwrite(dump.ptr, 1, dump.len, stdout);
    sg_buf_free(&dump);
    return code;
}

/* -------- the end of every command --------------------------------------- */

static void put_summary(const sc_session *s)
{
    const sc_totals t = sc_report_totals(s);

    fprintf(stderr,
            "sigcc: %" PRIu32 " compiled, %" PRIu32 " rejected, %" PRIu32
            " skipped; %" PRIu32 " warning%s\n",
            t.compiled, t.rejected, t.skipped, s->warnings,
            s->warnings == 1 ? "" : "s");
}

static bool wants_colour(void)
{
    const char *off = getenv("NO_COLOR");

    return (off == NULL || off[0] == '\0') && isatty(STDERR_FILENO);
}

int sc_finish(sc_session *s, const sc_options *o, int code)
{
    sg_buf text = {0};

    if (s->errors > 0 && code < SC_EXIT_REJECTED)
        code = SC_EXIT_REJECTED;
    if (o->command != SC_CMD_check)
        sc_diag_render(s, &text, wants_colour());
    else if (o->check_format.len == 0 ||
             sg_str_eq(o->check_format, SG_S("text")))
        sc_check_text(s, &text, wants_colour(), o->all);
    if (text.len > 0)
        fwrite(text.ptr, 1, text.len, stderr);
    if (s->docs.count > 0 && o->command != SC_CMD_explain)
        put_summary(s);
    if (o->report.len > 0) {
        text.len = 0;
        sc_report_put(s, &text);
        if (!sc_path_write(&s->arena, o->report, sg_buf_str(&text)))
            code = SC_EXIT_FAILED;
    }
    sg_buf_free(&text);
    return code;
}

void sc_put_timings(const sc_options *o, sc_watch *watch)
{
    sg_buf text = {0};

    if (o->timings.len == 0)
        return;
    sc_watch_put(watch, &text, sg_str_eq(o->timings, SG_S("json")));
    fwrite(text.ptr, 1, text.len, stderr);
    sg_buf_free(&text);
}

int sc_main(int argc, char **argv)
{
    static int (*const run[])(sc_session *, const sc_options *) = {
#define COMMAND(name, usage, summary, doc, example)                            \
    [SC_CMD_##name] = sc_cmd_##name,
#include "driver/commands.def"
#undef COMMAND
    };
    sc_session session;
    sc_options options;
    sg_buf text = {0};
    sc_parsed parsed;
    int code;

    sc_session_init(&session);
    parsed = sc_options_parse(&session.arena, argc, argv, &options, &text);
    if (text.len > 0)
        fwrite(text.ptr, 1, text.len,
               parsed == SC_PARSED_SHOW ? stdout : stderr);
    sg_buf_free(&text);
    if (parsed == SC_PARSED)
        code = sc_paths_guard(&session.arena, &options);
    else
        code = parsed == SC_PARSED_SHOW ? SC_EXIT_OK : SC_EXIT_USAGE;
    if (parsed == SC_PARSED && code == SC_EXIT_OK)
        code = run[options.command](&session, &options);
    sc_session_free(&session);
    if (fflush(stdout) != 0 || ferror(stdout))
        code = sc_fail(SC_EXIT_FAILED, "standard output cannot be written");
    return code;
}
