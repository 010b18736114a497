/*
 * parts.c - a pack in several C files: the detector with what tables the others
 * do not hold, the tables of the rules, all texts, and the functions of the
 * rules in parts: files that two processors compile side by side. What a
 * part says is numbered within the part: its rules, and the predicates they ask
 * for, which the table `partN` of the detector's file translates. So a part's
 * text depends on its own rules and on nothing else.
 */
#include "emit/module.h"

#include <assert.h>
#include <inttypes.h>

/* What says which part a rule is in: whatever stays when it is edited. */
static sg_str identity(const sc_ir_meta *meta)
{
    if (meta->id.len > 0)
        return meta->id;
    return meta->name.len > 0 ? meta->name : meta->title;
}

static void assign_parts(sc_module *m, uint32_t parts)
{
    m->part_of = sg_new_n(m->arena, uint32_t, m->ir->rules.count);
    for (uint32_t i = 0; i < m->ir->rules.count; i++)
        m->part_of[i] =
            (uint32_t)(sg_str_hash(identity(&m->ir->rules.items[i].meta)) %
                       parts);
}

/* -------- declarations --------------------------------------------------- */

/* The rule's functions that the tables name. */
static void declare_functions(const sc_module *m, sc_cw *w, uint32_t index)
{
    const sc_ir_rule *rule = &m->ir->rules.items[index];

    for (uint32_t i = 0; i < rule->sel_count; i++)
        if (m->slots[rule->sel_first + i] != SIGMA_NONE)
            sc_cw_line(w, "SIGMA_HIDDEN sigma_match_fn %.*s;",
                       SG_FMT(m->sels[rule->sel_first + i]));
    sc_cw_line(w, "SIGMA_HIDDEN sigma_match_fn %.*s;", SG_FMT(m->rules[index]));
}

typedef struct table {
    const char *type, *name;
    uint32_t count;
} table;

static void declare(sc_cw *w, const table *tables, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (tables[i].count > 0)
            sc_cw_line(w, "extern SIGMA_HIDDEN const %s %s[];", tables[i].type,
                       tables[i].name);
    sc_cw_blank(w);
}

/* The tables that the file "rules" defines and "detector" names. */
static void declare_tables(const sc_module *m, sc_cw *w)
{
    const table tables[] = {
        {"sigma_selection", "selections", m->sel_count},
        {"sigma_match", "holds", m->sel_count},
        {"sigma_derive", "derives", m->ir->derives.count},
        {"sigma_rule", "rules", m->ir->rules.count},
        {"sigma_match", "matches", m->ir->rules.count},
    };

    declare(w, tables, sizeof(tables) / sizeof(tables[0]));
}

/* The same of the file "texts". */
static void declare_texts(const sc_module *m, sc_cw *w)
{
    const table tables[] = {
        {"char", "pool", m->pool_size},
        {"sigma_ref", "lits", m->ir->lits.count},
        {"sigma_ref", "strs", m->ir->strs.count},
    };

    declare(w, tables, sizeof(tables) / sizeof(tables[0]));
}

/* -------- handing over ---------------------------------------------------- */

/* Where the files go, and the text of the one being written. */
typedef struct files {
    sc_emit_sink *sink;
    void *context;
    sg_buf text;
} files;

static bool hand_over(files *f, sg_str name)
{
    bool more;

    /* No blank line at the end. */
    while (sg_str_ends(sg_buf_str(&f->text), SG_S("\n\n")))
        f->text.len--;
    more = f->sink(f->context, name, sg_buf_str(&f->text));
    f->text.len = 0;
    return more;
}

/* -------- files of functions --------------------------------------------- */

/* The predicates that the part asks for: its enumerators, and into `tables`
 * their numbers in the detector, as `name`. */
static void put_numbers(sc_module *m, const char *name, sc_cw *w, sc_cw *tables)
{
    const sc_part *part = m->part;
    sc_cw_rows rows = {0};

    if (part->preds.count == 0)
        return;
    sc_cw_line(w, "enum {");
    w->depth++;
    for (uint32_t i = 0; i < part->preds.count; i++)
        sc_cw_line(w, "%.*s,", SG_FMT(part->names[part->preds.items[i]]));
    w->depth--;
    sc_cw_line(w, "};");
    sc_cw_blank(w);
    sc_cw_line(tables, "extern SIGMA_HIDDEN const uint32_t %s[];", name);
    sc_cw_blank(tables);
    tables->linked = true;
    sc_table_begin(tables, "uint32_t", name);
    tables->linked = false;
    for (uint32_t i = 0; i < part->preds.count; i++) {
        sc_module_row(m, &rows, "%.*s,",
                      SG_FMT(m->preds[part->preds.items[i]]));
        sc_module_note(m, &rows, "%" PRIu32, i);
    }
    sc_cw_rows_end(tables, &rows);
    sc_table_end(tables);
}

/* A file of functions being made. */
typedef struct functions {
    sc_part part;
    sg_str name, what;     /* of the file and its table; for the banner */
    sg_buf declared, body; /* what tables elsewhere name; the functions */
} functions;

static void functions_begin(sc_module *m, functions *p)
{
    p->part.names = sg_new_n(m->arena, sg_str, m->ir->preds.count);
    m->part = &p->part;
}

/* Its predicates come before the functions, which asked for them. */
static bool functions_end(sc_module *m, functions *p, files *f, sc_cw *tables)
{
    sc_cw w = {.out = &f->text};

    sc_emit_banner(&w, p->what);
    sc_cw_line(&w, "#define SIGMA_PART %.*s", SG_FMT(p->name));
    sc_cw_line(&w, "#include \"sigma_abi.h\"");
    sc_cw_blank(&w);
    sg_buf_put(w.out, sg_buf_str(&p->declared));
    sc_cw_blank(&w);
    put_numbers(m, p->name.ptr, &w, tables);
    sg_buf_put(w.out, sg_buf_str(&p->body));
    sg_buf_free(&p->declared);
    sg_buf_free(&p->body);
    m->part = NULL;
    return hand_over(f, p->name);
}

static bool emit_part(sc_module *m, uint32_t index, uint32_t parts, files *f,
                      sc_cw *tables)
{
    functions p = {.name = sg_arena_printf(m->arena, "part%03" PRIu32, index)};
    sc_cw declared = {.out = &p.declared}, body = {.out = &p.body};
    uint32_t count = 0;

    functions_begin(m, &p);
    for (uint32_t i = 0; i < m->ir->rules.count; i++) {
        if (m->part_of[i] != index)
            continue;
        count++;
        declare_functions(m, &declared, i);
        sc_emit_rule(m, &body, i);
    }
    p.what = sg_arena_printf(
        m->arena,
        "Part %" PRIu32 " of %" PRIu32 ": functions of %" PRIu32 " %s", index,
        parts, count, count == 1 ? "rule" : "rules");
    if (count == 0) {
        m->part = NULL;
        return true;
    }
    return functions_end(m, &p, f, tables);
}

/* The routes, as a part of their own: they seldom change. */
static bool emit_routes(sc_module *m, files *f, sc_cw *tables)
{
    functions p = {.name = SG_S("log_sources"), .what = SG_S("Log sources")};
    sc_cw body = {.out = &p.body};

    if (m->ir->routes.count == 0)
        return true;
    functions_begin(m, &p);
    for (uint32_t i = 0; i < m->ir->routes.count; i++)
        sg_buf_printf(&p.declared, "SIGMA_HIDDEN sigma_match_fn %.*s;\n",
                      SG_FMT(m->routes[i]));
    sg_buf_put(tables->out, sg_buf_str(&p.declared));
    sc_cw_blank(tables);
    sc_emit_routes(m, &body);
    return functions_end(m, &p, f, tables);
}

/* -------- files of tables ------------------------------------------------ */

/* The tables of the rules. */
static bool emit_rules(sc_module *m, files *f)
{
    sc_cw w = {.out = &f->text};

    sc_emit_banner(&w, SG_S("Tables of the rules"));
    sc_cw_line(&w, "#include \"sigma_abi.h\"");
    sc_cw_blank(&w);
    sc_emit_enums(m, &w);
    for (uint32_t i = 0; i < m->ir->rules.count; i++)
        declare_functions(m, &w, i);
    sc_cw_blank(&w);
    declare_tables(m, &w);
    w.linked = true;
    sc_emit_rules(m, &w);
    return hand_over(f, SG_S("rules"));
}

/* All texts, and the tables that are little else. */
static bool emit_texts(sc_module *m, files *f, sg_str tables)
{
    sc_cw w = {.out = &f->text, .linked = true};

    sc_emit_banner(&w, SG_S("Texts"));
    sc_cw_line(&w, "#include \"sigma_abi.h\"");
    sc_cw_blank(&w);
    declare_texts(m, &w);
    sc_emit_pool(m, &w, tables);
    return hand_over(f, SG_S("texts"));
}

static bool emit_detector(sc_module *m, files *f, sg_str tables)
{
    sc_cw w = {.out = &f->text};

    sc_emit_head(m, &w);
    sc_emit_enums(m, &w);
    declare_texts(m, &w);
    declare_tables(m, &w);
    sg_buf_put(w.out, tables);
    sc_emit_detector(m, &w);
    return hand_over(f, SG_S("detector"));
}

static bool emit_parts(sc_module *m, uint32_t parts, files *f)
{
    sg_buf tables = {0}, texts = {0};
    sc_cw t = {.out = &tables}, x = {.out = &texts, .linked = true};
    bool more;

    assign_parts(m, parts);
    sc_name_tables(m);
    sc_name_functions(m);
    sc_emit_data(m, &x, &t);
    /* What takes longest to compile comes first. */
    more = emit_rules(m, f);
    sc_emit_gates(m, &t);
    sc_emit_correlations(m, &t);
    sc_emit_enrich(m, &t);
    /* By now all texts are known. */
    more =
        more && emit_texts(m, f, sg_buf_str(&texts)) && emit_routes(m, f, &t);
    sc_emit_route_table(m, &t);
    for (uint32_t i = 0; i < parts && more; i++)
        more = emit_part(m, i, parts, f, &t);
    more = more && emit_detector(m, f, sg_buf_str(&tables));
    sg_buf_free(&texts);
    sg_buf_free(&tables);
    return more;
}

bool sc_emit_files(sc_session *s, const sc_ir *ir, const sc_emit_options *o,
                   uint32_t parts, sc_emit_sink *sink, void *context)
{
    sc_module m = {.s = s, .ir = ir, .o = o, .arena = &s->arena};
    files f = {.sink = sink, .context = context};
    bool more;

    assert(parts > 0 && parts <= SC_MAX_PARTS);
    if (parts == 1) {
        sc_emit_c(s, ir, o, &f.text);
        more = hand_over(&f, SG_S("detector"));
    } else {
        more = emit_parts(&m, parts, &f);
    }
    sg_buf_free(&f.text);
    return more;
}
