/*
 * build.c - `sigcc build`: splits the rules into detectors, emits each and has
 * it compiled. What goes into a detector is decided here, by root; how it
 * looks, in emit.
 */
#include "driver/driver.h"
#include "driver/sbom.h"
#include "opt/opt.h"

#include <string.h>

/* What a detector is made of. */
typedef struct unit {
    sg_str name, out;
    uint32_t doc; /* of its only root, or SIGMA_NONE */
    sc_ast ast;
    sc_ir *ir;
} unit;

typedef struct unit_list {
    SG_VEC(unit) list;
} unit_list;

/* -------- roots ---------------------------------------------------------- */

/* Add a rule and all it refers to. Rules are ordered so that a correlation
 * follows what it refers to; marks keep that order. */
static void mark_needed(const sc_ast *ast, const sc_rule *rule, bool *needed)
{
    for (uint32_t i = 0; i < ast->rules.count; i++) {
        if (ast->rules.items[i] != rule)
            continue;
        if (needed[i])
            return;
        needed[i] = true;
    }
    if (rule->correlation == NULL)
        return;
    for (uint32_t i = 0; i < rule->correlation->refs.count; i++)
        if (rule->correlation->refs.items[i].rule != NULL)
            mark_needed(ast, rule->correlation->refs.items[i].rule, needed);
}

static sc_ast those_marked(sc_session *s, const sc_ast *ast, const bool *needed)
{
    sc_ast out = {0};

    for (uint32_t i = 0; i < ast->rules.count; i++)
        if (needed[i])
            SG_PUSH(&s->arena, &out.rules, ast->rules.items[i]);
    return out;
}

static sc_ast closure_of(sc_session *s, const sc_ast *ast, const sc_rule *root)
{
    bool *needed = sg_new_n(&s->arena, bool, ast->rules.count);

    mark_needed(ast, root, needed);
    return those_marked(s, ast, needed);
}

sc_ast sc_build_closure(sc_session *s, const sc_ast *ast, const bool *docs)
{
    bool *needed = sg_new_n(&s->arena, bool, ast->rules.count);

    for (uint32_t i = 0; i < ast->rules.count; i++)
        if (docs[ast->rules.items[i]->doc])
            mark_needed(ast, ast->rules.items[i], needed);
    return those_marked(s, ast, needed);
}

/* Rules that no correlation hides and that are still good. */
static uint32_t find_roots(const sc_session *s, const sc_ast *ast,
                           const sc_rule **roots)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < ast->rules.count; i++) {
        const sc_rule *rule = ast->rules.items[i];
        if (!rule->hidden && sc_doc_ok(s, rule->doc))
            roots[count++] = rule;
    }
    return count;
}

/* -------- names ---------------------------------------------------------- */

/* A stem that no other detector has. */
static sg_str unique_stem(sc_session *s, sg_map *used, sg_str path)
{
    const sg_str stem = sc_path_stem(&s->arena, path);
    sg_str name = stem;
    bool found;

    for (unsigned n = 2;; n++) {
        sg_map_put(&s->arena, used, name, &found);
        if (!found)
            return name;
        name = sg_arena_printf(&s->arena, "%.*s-%u", SG_FMT(stem), n);
    }
}

static sg_str doc_path(const sc_session *s, const sc_rule *rule)
{
    return s->docs.items[rule->doc].path;
}

static const char *suffix_of(const sc_options *o)
{
    if (sg_str_eq(o->emit, SG_S("c")))
        return ".c";
    return sg_str_eq(o->emit, SG_S("so")) ? ".so" : "";
}

static sg_str inside(sc_session *s, const sc_options *o, sg_str name)
{
    const bool slash = sg_str_ends(o->output, SG_S("/"));

    return sg_arena_printf(&s->arena, "%.*s%s%.*s%s", SG_FMT(o->output),
                           slash ? "" : "/", SG_FMT(name), suffix_of(o));
}

/* -------- units ---------------------------------------------------------- */

/* The rules were lowered before, all together, so this can report nothing
 * new. */
sc_ir *sc_build_lower(sc_session *s, const sc_options *o,
                      const sc_loaded *loaded, const sc_ast *ast)
{
    const uint32_t diags = s->diags.count, errors = s->errors,
                   warnings = s->warnings;
    sc_ir *ir = sc_ir_build(s, ast);

    if (!o->no_routing)
        sc_ir_add_routes(ir);
    sc_ir_add_digests(ir);
    sc_ir_add_enrich(ir, &loaded->enrich);
    s->diags.count = diags;
    s->errors = errors;
    s->warnings = warnings;
    s->doc = SIGMA_NONE;
    return ir;
}

static void split_roots(sc_session *s, const sc_options *o,
                        const sc_loaded *loaded, const sc_rule *const *roots,
                        uint32_t count, unit_list *out)
{
    sg_map used = {0};

    for (uint32_t i = 0; i < count; i++) {
        unit u = {.doc = roots[i]->doc,
                  .ast = closure_of(s, &loaded->ast, roots[i])};
        u.name = unique_stem(s, &used, doc_path(s, roots[i]));
        u.out = inside(s, o, u.name);
        SG_PUSH(&s->arena, &out->list, u);
    }
}

/* Name of a pack: that of the only PATH. */
static sg_str pack_name(sc_session *s, const sc_options *o)
{
    sg_str path = o->paths.items[0];

    if (o->paths.count > 1 || sg_str_ends(path, SG_S(".")))
        return SG_S("pack");
    return sc_path_stem(&s->arena, path);
}

/* Decide which detectors there are, and where they go. */
static bool plan(sc_session *s, const sc_options *o, const sc_loaded *loaded,
                 unit_list *out)
{
    const sc_rule **roots =
        sg_new_n(&s->arena, const sc_rule *, loaded->ast.rules.count);
    const uint32_t count = find_roots(s, &loaded->ast, roots);
    const bool folder =
        sc_path_is_folder(o->output) || sg_str_ends(o->output, SG_S("/"));

    if (count == 0)
        return true;
    if (count > 1 && !o->pack) {
        split_roots(s, o, loaded, roots, count, out);
    } else {
        unit u = {.doc = SIGMA_NONE,
                  .ast = loaded->ast,
                  .ir = loaded->ir,
                  .out = o->output};
        if (!o->pack) {
            u.doc = roots[0]->doc;
            u.ast = closure_of(s, &loaded->ast, roots[0]);
        }
        /* What a rejected correlation left behind stays out. */
        if (u.ast.rules.count != loaded->ast.rules.count)
            u.ir = NULL;
        u.name = count == 1 ? sc_path_stem(&s->arena, doc_path(s, roots[0]))
                            : pack_name(s, o);
        if (folder)
            u.out = inside(s, o, u.name);
        SG_PUSH(&s->arena, &out->list, u);
        if (!folder)
            return true;
    }
    return sc_path_make(&s->arena, o->output);
}

/* -------- output --------------------------------------------------------- */

/* OUT.json for OUT, OUT.c or OUT.so. */
static sg_str sibling(sc_session *s, const unit *u, const sc_options *o,
                      const char *suffix)
{
    sg_str base = u->out;
    const sg_str own = sg_str_of(suffix_of(o));

    if (own.len > 0 && sg_str_ends(base, own) && base.len > own.len)
        base.len -= own.len;
    return sg_arena_printf(&s->arena, "%.*s%s", SG_FMT(base), suffix);
}

typedef struct c_files {
    sc_session *s;
    const sc_options *o;
    const unit *u;
} c_files;

/* OUT.c, or beside it OUT.part000.c. */
static bool write_file(void *context, sg_str name, sg_str text)
{
    const c_files *f = context;
    sg_str path = f->u->out;

    if (!sg_str_eq(name, SG_S("detector")))
        path =
            sibling(f->s, f->u, f->o,
                    sg_arena_printf(&f->s->arena, ".%.*s.c", SG_FMT(name)).ptr);
    else if (!sg_str_eq(f->o->emit, SG_S("c")))
        path = sibling(f->s, f->u, f->o, ".c");
    return sc_path_write(&f->s->arena, path, text);
}

/* The C as it is compiled, but in one file when it only is to be read and
 * --parts says nothing else. */
static bool write_c(sc_session *s, const sc_options *o, const unit *u,
                    const sc_emit_options *emit)
{
    const bool whole = sg_str_eq(o->emit, SG_S("c")) && o->parts == 0;
    const uint32_t parts = whole ? 1 : sc_cc_parts(o, u->ir->rules.count);
    c_files files = {s, o, u};
    sg_buf manifest = {0};
    bool ok;

    sg_buf_put(&manifest, sc_emit_manifest(s, u->ir, emit));
    sg_buf_putc(&manifest, '\n');
    ok = sc_emit_files(s, u->ir, emit, parts, write_file, &files) &&
         sc_path_write(&s->arena, sibling(s, u, o, ".json"),
                       sg_buf_str(&manifest));
    sg_buf_free(&manifest);
    return ok;
}

static bool build_unit(sc_session *s, const sc_options *o,
                       const sc_loaded *loaded, unit *u, sc_cc *cc)
{
    sc_emit_options emit = loaded->emit;
    sc_cc_job *job;

    emit.name = u->name;
    if (u->ir == NULL) {
        sc_watch_enter(loaded->watch, SC_PHASE_ir);
        u->ir = sc_build_lower(s, o, loaded, &u->ast);
    }
    sc_watch_enter(loaded->watch, SC_PHASE_opt);
    sc_opt_run(u->ir, loaded->disabled);
    sc_watch_enter(loaded->watch, SC_PHASE_emit);
    if ((cc == NULL || o->save_temps) && !write_c(s, o, u, &emit))
        return false;
    if (cc == NULL)
        return true;
    job = sg_new(&s->arena, sc_cc_job);
    job->name = u->name;
    job->out = u->out;
    sc_cc_emit(cc, job, u->ir, &emit);
    return true;
}

/* Keep the units that are asked for. */
static void choose(unit_list *units, const bool *docs)
{
    uint32_t kept = 0;

    for (uint32_t i = 0; i < units->list.count; i++) {
        const unit u = units->list.items[i];

        if (u.doc == SIGMA_NONE || docs[u.doc])
            units->list.items[kept++] = u;
    }
    units->list.count = kept;
}

/* What those that were built are made of, by what they say of themselves. */
static bool write_sbom(sc_session *s, const sc_options *o,
                       const unit_list *units)
{
    const uint32_t count = units->list.count;
    sg_str *paths = sg_new_n(&s->arena, sg_str, (size_t)count + 1), path;
    sg_buf out = {0};
    const char *why;

    if (count == 0)
        return true;
    for (uint32_t i = 0; i < count; i++)
        paths[i] = units->list.items[i].out;
    why = sc_sbom_put(&s->arena, paths, count, &out, &path);
    if (why != NULL)
        sc_fail_file(0, "cannot tell what is in", path, why);
    const bool done =
        why == NULL && sc_path_write(&s->arena, o->sbom, sg_buf_str(&out));

    sg_buf_free(&out);
    return done;
}

int sc_build_detectors(sc_session *s, const sc_options *o,
                       const sc_loaded *loaded, const bool *docs)
{
    const bool text_only = sg_str_eq(o->emit, SG_S("c"));
    unit_list units = {0};
    bool ok = true;
    sc_cc cc;

    if (o->static_link && o->shared_libs)
        return sc_fail(SC_EXIT_USAGE,
                       "--static and --shared-libs contradict each other");
    if (!plan(s, o, loaded, &units))
        return SC_EXIT_FAILED;
    if (units.list.count == 0)
        return SC_EXIT_REJECTED;
    if (docs != NULL)
        choose(&units, docs);
    if (!text_only &&
        !sc_cc_open(&cc, s, o, loaded->watch, units.list.count == 1))
        return SC_EXIT_FAILED;
    for (uint32_t i = 0; i < units.list.count && ok; i++)
        ok = build_unit(s, o, loaded, &units.list.items[i],
                        text_only ? NULL : &cc);
    if (!text_only)
        ok &= sc_cc_close(&cc);
    if (ok && o->sbom.len > 0)
        ok = write_sbom(s, o, &units);
    return ok ? SC_EXIT_OK : SC_EXIT_FAILED;
}

/* -------- what it was made from ------------------------------------------ */

/* As a rule of make wants it. */
static void put_prerequisite(sg_buf *out, sg_str path)
{
    for (size_t i = 0; i < path.len; i++) {
        const char c = path.ptr[i];

        if (c == ' ' || c == '#' || c == '\\')
            sg_buf_putc(out, '\\');
        if (c == '$')
            sg_buf_putc(out, '$');
        if (c != '\n') /* no file of make's has one */
            sg_buf_putc(out, c);
    }
}

/* The files that were read, and the folders that were searched: one of these
 * changes when there is another file in it. */
static bool write_depfile(sc_session *s, const sc_options *o)
{
    sg_buf out = {0};

    put_prerequisite(&out, o->output);
    sg_buf_putc(&out, ':');
    for (uint32_t i = 0; i < s->sources.count; i++) {
        sg_buf_putz(&out, " \\\n  ");
        put_prerequisite(&out, s->sources.items[i].path);
    }
    for (uint32_t i = 0; i < o->paths.count; i++) {
        if (!sc_path_is_folder(o->paths.items[i]))
            continue;
        sg_buf_putz(&out, " \\\n  ");
        put_prerequisite(&out, o->paths.items[i]);
    }
    sg_buf_putc(&out, '\n');
    const bool done = sc_path_write(&s->arena, o->depfile, sg_buf_str(&out));

    sg_buf_free(&out);
    return done;
}

/* What each rule costs in a pack of all, whatever is built of them. */
static void put_costs(sc_session *s, const sc_options *o,
                      const sc_loaded *loaded)
{
    sc_ir *ir = sc_build_lower(s, o, loaded, &loaded->ast);

    sc_opt_run(ir, loaded->disabled);
    sc_cost_print(s, ir, sg_str_eq(o->cost, SG_S("json")));
}

int sc_cmd_build(sc_session *s, const sc_options *o)
{
    sc_loaded loaded;
    int code;

    if (o->output.len == 0 && o->dump.len == 0)
        return sc_fail(SC_EXIT_USAGE, "build needs -o OUT\n"
                                      "Try 'sigcc build --help'.");
    if (o->sbom.len > 0 && sg_str_eq(o->emit, SG_S("c")))
        return sc_fail(SC_EXIT_USAGE, "--sbom is about detectors, and --emit c "
                                      "makes none\n"
                                      "Try 'sigcc build --help'.");
    code = sc_load(s, o, &loaded);
    if (code == SC_EXIT_OK && !loaded.dumped &&
        (s->errors == 0 || o->keep_going))
        code = sc_build_detectors(s, o, &loaded, NULL);
    if (o->depfile.len > 0 && !write_depfile(s, o))
        code = SC_EXIT_FAILED;
    if (o->cost.len > 0 && code == SC_EXIT_OK && !loaded.dumped)
        put_costs(s, o, &loaded);
    sc_watch_enter(loaded.watch, SC_PHASE_finish);
    code = sc_finish(s, o, code);
    sc_put_timings(o, loaded.watch);
    if (s->errors > 0 && !o->keep_going && code <= SC_EXIT_REJECTED &&
        !loaded.dumped)
        sc_fail(0, "nothing was built: some rule was rejected "
                   "(--keep-going builds the rest)");
    return code;
}
