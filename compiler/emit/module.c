/*
 * module.c - the order of an emitted file: banner, enumerators, pool, tables,
 * functions, rules, correlations, the detector and its one export. Decides
 * nothing; same IR and options, same bytes.
 */
#include "emit/module.h"

#include <inttypes.h>
#include <string.h>

/* -------- shared by the writers ------------------------------------------ */

sigma_ref sc_module_ref(sc_module *m, sg_str text)
{
    uint32_t *offset;
    bool found;

    if (text.len == 0)
        return (sigma_ref){0, 0};
    offset = sg_map_put(m->arena, &m->offsets, text, &found);
    if (!found) {
        if (text.len >= UINT32_MAX - m->pool_size)
            sg_fatal("the texts of the rules exceed 4 GiB");
        *offset = m->pool_size;
        m->pool_size += (uint32_t)text.len;
        SG_PUSH(m->arena, &m->pool, text);
    }
    return (sigma_ref){*offset, (uint32_t)text.len};
}

SC_PRINTF(2, 0)
static sg_str print(sg_arena *arena, const char *fmt, va_list ap)
{
    sg_buf buf = {0};
    sg_str copy;

    sg_buf_vprintf(&buf, fmt, ap);
    copy = sg_arena_dup(arena, sg_buf_str(&buf));
    sg_buf_free(&buf);
    return copy;
}

void sc_module_row(sc_module *m, sc_cw_rows *rows, const char *fmt, ...)
{
    sc_cw_row row = {{NULL, 0}, {NULL, 0}};
    va_list ap;

    va_start(ap, fmt);
    row.code = print(m->arena, fmt, ap);
    va_end(ap);
    SG_PUSH(m->arena, &rows->rows, row);
}

void sc_module_note(sc_module *m, sc_cw_rows *rows, const char *fmt, ...)
{
    va_list ap;
    sg_str text;

    va_start(ap, fmt);
    text = sc_cw_commented(m->arena, print(m->arena, fmt, ap), SC_CW_LONG);
    va_end(ap);
    /* A row without comment would be laid out differently. */
    rows->rows.items[rows->rows.count - 1].comment =
        text.len > 0 ? text : SG_S("-");
}

sg_str sc_module_field(const sc_module *m, uint32_t field)
{
    return field < m->ir->fields.count ? m->fields[field] : SG_S("SIGMA_NONE");
}

sg_str sc_module_pred(const sc_module *m, uint32_t pred)
{
    return pred < m->ir->preds.count ? m->preds[pred] : SG_S("SIGMA_NONE");
}

sg_str sc_module_num(sg_arena *arena, sg_num n)
{
    switch (n.kind) {
    case SIGMA_UINT:
        return sg_arena_printf(
            arena, "{SIGMA_UINT, {.u = UINT64_C(%" PRIu64 ")}}", n.v.u);
    case SIGMA_FLOAT:
        /* Hexadecimal: exact, whatever the libraries round. */
        return sg_arena_printf(arena, "{SIGMA_FLOAT, {.f = %a}}", n.v.f);
    case SIGMA_INT:
        break;
    }
    /* The smallest integer has no literal of its own. */
    if (n.v.i == INT64_MIN)
        return SG_S("{SIGMA_INT, {.i = INT64_MIN}}");
    if (n.v.i > INT32_MAX || n.v.i < INT32_MIN + 1)
        return sg_arena_printf(
            arena, "{SIGMA_INT, {.i = INT64_C(%" PRId64 ")}}", n.v.i);
    return sg_arena_printf(arena, "{SIGMA_INT, {.i = %" PRId64 "}}", n.v.i);
}

sg_str sc_module_place(const sc_module *m, sc_span at)
{
    uint32_t line, column;
    sg_str path;

    if (at.source >= m->s->sources.count)
        return (sg_str){"", 0};
    sc_source_pos(m->s, at.source, at.beg, &line, &column);
    path = sc_emit_path(m->arena, m->o, m->s->sources.items[at.source].path);
    return sg_arena_printf(m->arena, "%.*s:%" PRIu32, SG_FMT(path), line);
}

sg_str sc_module_asked(const sc_module *m, uint32_t pred)
{
    sc_part *part = m->part;

    if (part == NULL)
        return m->preds[pred];
    if (part->names[pred].len == 0) {
        part->names[pred] = sc_module_pred_name(m, pred, part->preds.count);
        SG_PUSH(m->arena, &part->preds, pred);
    }
    return part->names[pred];
}

/* -------- paths ---------------------------------------------------------- */

/* The part of an absolute path that says nothing about this machine: from the
 * last component of the root it was found under, else the last component. */
static sg_str strip_root(const sc_emit_options *o, sg_str path)
{
    size_t keep = 0;

    for (uint32_t i = 0; i < o->roots.count; i++) {
        sg_str root = o->roots.items[i];
        while (root.len > 1 && root.ptr[root.len - 1] == '/')
            root.len--;
        if (root.len > keep && root.len < path.len &&
            sg_str_starts(path, root) && path.ptr[root.len] == '/')
            keep = root.len;
    }
    if (keep == 0)
        keep = path.len;
    while (keep > 0 && path.ptr[keep - 1] != '/')
        keep--;
    return sg_str_sub(path, keep, path.len);
}

sg_str sc_emit_path(sg_arena *arena, const sc_emit_options *o, sg_str path)
{
    sg_buf out = {0};
    sg_str copy;

    if (path.len > 0 && path.ptr[0] == '/')
        path = strip_root(o, path);
    for (size_t beg = 0, end; beg < path.len; beg = end + 1) {
        sg_str part;
        for (end = beg; end < path.len && path.ptr[end] != '/'; end++)
            ;
        part = sg_str_sub(path, beg, end);
        if (part.len == 0 || sg_str_eq(part, SG_S(".")))
            continue;
        if (sg_str_eq(part, SG_S(".."))) {
            while (out.len > 0 && out.ptr[out.len - 1] != '/')
                out.len--;
            out.len -= out.len > 0;
            continue;
        }
        if (out.len > 0)
            sg_buf_putc(&out, '/');
        sg_buf_put(&out, part);
    }
    copy = sg_arena_dup(arena, sg_buf_str(&out));
    sg_buf_free(&out);
    return copy;
}

/* -------- encoded texts -------------------------------------------------- */

/* What the detector is made from decides the key: same input, same bytes. */
static uint64_t key_of(sg_str manifest)
{
    return sg_str_hash(manifest) | 1;
}

static sg_str encoded(const sc_module *m, sg_str text, uint64_t at)
{
    char *out = sg_arena_alloc(m->arena, text.len + 1, 1);

    sg_encode(out, text, m->key, at);
    return (sg_str){out, text.len};
}

/* Each text of the pool where it stands. */
static void encode_pool(sc_module *m)
{
    uint64_t at = 0;

    for (uint32_t i = 0; i < m->pool.count; i++) {
        m->pool.items[i] = encoded(m, m->pool.items[i], at);
        at += m->pool.items[i].len;
    }
}

static void put_encoded_note(const sc_module *m, sc_cw *w, sg_str manifest)
{
    const sg_str text = encoded(m, manifest, SIGMA_AT_MANIFEST);
    sg_buf note = {0};

    sg_put_u64(&note, m->key);
    sg_buf_put(&note, text);
    sc_cw_note(w, "SIGMA_NOTE_ENCODED", "manifest", sg_buf_str(&note));
    sg_buf_free(&note);
}

/* -------- the file ------------------------------------------------------- */

static sg_str detector_name(sg_arena *arena, const sc_emit_options *o)
{
    return sc_cw_name(arena, SG_S("sigma_detector_"), o->name,
                      (sc_cw_style){"rules", SC_CW_NAME, false});
}

void sc_emit_banner(sc_cw *w, sg_str what)
{
    sc_cw_line(w, "/*");
    sc_cw_line(w, " * %.*s.", SG_FMT(what));
    sc_cw_line(w, " * Generated by sigcc %s; edit the rules instead.",
               SC_VERSION);
    sc_cw_line(w, " */");
}

void sc_emit_head(const sc_module *m, sc_cw *w)
{
    const uint32_t rules = m->ir->rules.count, corrs = m->ir->corrs.count;
    sg_str name = sc_cw_commented(m->arena, m->o->name, 60);

    sc_emit_banner(
        w, sg_arena_printf(m->arena, "%.*s: %" PRIu32 " %s, %" PRIu32 " %s",
                           SG_FMT(name), rules, rules == 1 ? "rule" : "rules",
                           corrs, corrs == 1 ? "correlation" : "correlations"));
    sc_cw_line(w, "#include \"sigma_abi.h\"");
    sc_cw_blank(w);
}

/* A pointer and its count, unless the table is empty and so not there. */
static void put_table(sc_cw *w, const char *name, uint32_t count)
{
    if (count > 0)
        sc_cw_line(w, ".%s = %s,", name, name);
}

static void put_count(sc_cw *w, const char *name, uint32_t count)
{
    if (count > 0)
        sc_cw_line(w, ".%s_count = %" PRIu32 ",", name, count);
}

/* As much of the name as is shown. */
static sg_str shown_name(const sc_module *m)
{
    return sg_str_sub(m->o->name, 0, sc_cw_quoted_fit(m->o->name, 80));
}

static void put_names(const sc_module *m, sc_cw *w)
{
    sg_buf name = {0};

    sc_cw_quoted(&name, shown_name(m));
    if (m->key == 0)
        sc_cw_line(w, ".name = \"%.*s\",", SG_FMT(sg_buf_str(&name)));
    else
        sc_cw_line(w, ".name = name,");
    sc_cw_line(w, ".version = \"" SC_VERSION "\",");
    sc_cw_line(w, ".manifest = manifest.text%s,",
               m->key == 0 ? "" : " + SIGMA_KEY_SIZE");
    sg_buf_free(&name);
}

static void put_encoding(const sc_module *m, sc_cw *w, size_t manifest_size)
{
    if (m->key == 0)
        return;
    sc_cw_line(w, ".key = UINT64_C(0x%016" PRIx64 "),", m->key);
    sc_cw_line(w, ".name_size = %zu,", shown_name(m).len);
    sc_cw_line(w, ".manifest_size = %zu,", manifest_size);
}

static void put_detector(const sc_module *m, sc_cw *w, size_t manifest_size)
{
    const sc_ir *ir = m->ir;
    const struct {
        const char *table, *item; /* NULL: as many as in another one */
        uint32_t count;
    } tables[] = {
        {"fields", "field", ir->fields.count},
        {"lits", "lit", ir->lits.count},
        {"nums", "num", ir->nums.count},
        {"preds", "pred", ir->preds.count},
        {"selections", "selection", m->sel_count},
        {"holds", NULL, m->sel_count},
        {"derives", "derive", ir->derives.count},
        {"strs", "str", ir->strs.count},
        {"rules", "rule", ir->rules.count},
        {"matches", NULL, ir->rules.count},
        {"gates", "gate", ir->gates.count},
        {"clauses", "clause", ir->clauses.count},
        {"routes", "route", ir->routes.count},
        {"correlations", "correlation", ir->corrs.count},
        {"corr_refs", "corr_ref", ir->corr_refs.count},
        {"corr_keys", "corr_key", ir->keys.count},
        {"corr_sources", "corr_source", ir->sources.count},
        {"corr_conds", "corr_cond", ir->conds.count},
        {"corr_exprs", "corr_expr", ir->exprs.count},
        {"columns", "column", ir->columns.count},
        {"enrich_tables", "enrich_table", ir->tables.count},
        {"enrich_whens", "enrich_when", ir->whens.count},
        {"enrich_keys", "enrich_key", ir->enrich_keys.count},
        {"enrich_puts", "enrich_put", ir->puts.count},
        {"enrich_steps", "enrich_step", ir->steps.count},
    };
    const size_t n = sizeof(tables) / sizeof(tables[0]);

    sc_cw_line(w, "static const sigma_detector detector = {");
    w->depth++;
    sc_cw_line(w, ".abi = SIGMA_ABI,");
    sc_cw_line(w, ".size = sizeof(sigma_detector),");
    put_names(m, w);
    put_table(w, "pool", m->pool_size);
    for (size_t i = 0; i < n; i++)
        put_table(w, tables[i].table, tables[i].count);
    if (m->pool_size > 0)
        sc_cw_line(w, ".pool_size = %" PRIu32 ",", m->pool_size);
    for (size_t i = 0; i < n; i++)
        if (tables[i].item != NULL)
            put_count(w, tables[i].item, tables[i].count);
    put_encoding(m, w, manifest_size);
    w->depth--;
    sc_cw_line(w, "};");
    sc_cw_blank(w);
}

static void put_export(sc_module *m, sc_cw *w)
{
    sg_str name = detector_name(m->arena, m->o);

    sc_cw_line(w, "const sigma_detector *%.*s(void);", SG_FMT(name));
    sc_cw_blank(w);
    sc_cw_line(w, "const sigma_detector *%.*s(void)", SG_FMT(name));
    sc_cw_line(w, "{");
    w->depth++;
    sc_cw_line(w, "return &detector;");
    w->depth--;
    sc_cw_line(w, "}");
    sc_cw_blank(w);
    sc_cw_line(w, "SIGMA_MAIN(%.*s)", SG_FMT(name));
}

void sc_emit_pool(sc_module *m, sc_cw *w, sg_str tables)
{
    m->manifest = sc_emit_manifest(m->s, m->ir, m->o);
    if (m->o->encode) {
        m->key = key_of(m->manifest);
        encode_pool(m);
    }
    if (m->pool_size > 0) {
        sc_cw_string(w, "pool", m->pool.items, m->pool.count);
        sc_cw_blank(w);
    }
    sg_buf_put(w->out, tables);
}

void sc_emit_detector(sc_module *m, sc_cw *w)
{
    if (m->key == 0) {
        sc_cw_note(w, "SIGMA_NOTE", "manifest", m->manifest);
    } else {
        const sg_str name = encoded(m, shown_name(m), SIGMA_AT_NAME);
        sc_cw_string(w, "name", &name, 1);
        sc_cw_blank(w);
        put_encoded_note(m, w, m->manifest);
    }
    sc_cw_blank(w);
    put_detector(m, w, m->manifest.len);
    put_export(m, w);
}

void sc_emit_c(sc_session *s, const sc_ir *ir, const sc_emit_options *o,
               sg_buf *out)
{
    sc_module m = {.s = s, .ir = ir, .o = o, .arena = &s->arena};
    sg_buf tables = {0};
    sc_cw w = {.out = out}, t = {.out = &tables};

    sc_name_tables(&m);
    sc_name_functions(&m);
    sc_emit_head(&m, &w);
    sc_emit_enums(&m, &w);
    sc_emit_data(&m, &t, &t);
    sc_emit_routes(&m, &t);
    sc_emit_functions(&m, &t);
    sc_emit_gates(&m, &t);
    sc_emit_rules(&m, &t);
    sc_emit_route_table(&m, &t);
    sc_emit_correlations(&m, &t);
    sc_emit_enrich(&m, &t);
    sc_emit_pool(&m, &w, sg_buf_str(&tables));
    sc_emit_detector(&m, &w);
    sg_buf_free(&tables);
}
