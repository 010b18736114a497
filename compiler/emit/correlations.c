/*
 * correlations.c - tables of the correlations: what they listen to, how they
 * group, their conditions and reports. Ids are those of the IR.
 */
#include "emit/module.h"

#include <inttypes.h>

static const char *corr_type(sigma_corr_type type)
{
    static const char *const names[] = {
#define CORR(name, text, operand, doc)                                         \
    [SIGMA_CORR_##name] = "SIGMA_CORR_" #name,
#include "sigma_correlations.def"
#undef CORR
    };
    return names[type];
}

static void put_refs(sc_module *m, sc_cw *w)
{
    sc_cw_rows rows = {0};

    for (uint32_t i = 0; i < m->ir->corr_refs.count; i++) {
        const sigma_corr_ref *ref = &m->ir->corr_refs.items[i];
        const sc_ir_meta *meta = ref->is_correlation
                                     ? &m->ir->corrs.items[ref->index].meta
                                     : &m->ir->rules.items[ref->index].meta;
        sc_module_row(m, &rows, "{%" PRIu32 ", %s},", ref->index,
                      ref->is_correlation ? "true" : "false");
        sc_module_note(m, &rows, "%" PRIu32 ": %.*s", i, SG_FMT(meta->title));
    }
    sc_table_rows(w, "sigma_corr_ref", "corr_refs", &rows);
}

static void put_keys(sc_module *m, sc_cw *w)
{
    sc_cw_rows rows = {0};

    for (uint32_t i = 0; i < m->ir->keys.count; i++) {
        const sg_str name = m->ir->keys.items[i];
        const sigma_ref ref = sc_module_ref(m, name);
        sc_module_row(m, &rows, "{{%" PRIu32 ", %" PRIu32 "}},", ref.off,
                      ref.len);
        sc_module_note(m, &rows, "%" PRIu32 ": %.*s", i, SG_FMT(name));
    }
    sc_table_rows(w, "sigma_corr_key", "corr_keys", &rows);
}

static void put_sources(sc_module *m, sc_cw *w)
{
    sc_cw_rows rows = {0};

    for (uint32_t i = 0; i < m->ir->sources.count; i++) {
        const uint32_t field = m->ir->sources.items[i];
        sc_module_row(m, &rows, "%.*s,", SG_FMT(sc_module_field(m, field)));
        sc_module_note(m, &rows, "%" PRIu32, i);
    }
    sc_table_rows(w, "uint32_t", "corr_sources", &rows);
}

static void put_conds(sc_module *m, sc_cw *w)
{
    static const char *const cmps[] = {
        [SIGMA_CMP_EQ] = "EQ", [SIGMA_CMP_NEQ] = "NEQ",
        [SIGMA_CMP_LT] = "LT", [SIGMA_CMP_LTE] = "LTE",
        [SIGMA_CMP_GT] = "GT", [SIGMA_CMP_GTE] = "GTE"};
    sc_cw_rows rows = {0};

    for (uint32_t i = 0; i < m->ir->conds.count; i++) {
        const sigma_corr_cond *c = &m->ir->conds.items[i];
        sc_module_row(m, &rows, "{SIGMA_CMP_%s, %.*s},", cmps[c->cmp],
                      SG_FMT(sc_module_num(m->arena, c->threshold)));
        sc_module_note(m, &rows, "%" PRIu32, i);
    }
    sc_table_rows(w, "sigma_corr_cond", "corr_conds", &rows);
}

static void put_exprs(sc_module *m, sc_cw *w)
{
    static const char *const ops[] = {[SIGMA_EXPR_REF] = "REF",
                                      [SIGMA_EXPR_AND] = "AND",
                                      [SIGMA_EXPR_OR] = "OR",
                                      [SIGMA_EXPR_NOT] = "NOT"};
    sc_cw_rows rows = {0};

    for (uint32_t i = 0; i < m->ir->exprs.count; i++) {
        const sigma_expr *e = &m->ir->exprs.items[i];
        sc_module_row(m, &rows, "{SIGMA_EXPR_%s, %" PRIu32 "},", ops[e->op],
                      e->arg);
        sc_module_note(m, &rows, "%" PRIu32, i);
    }
    sc_table_rows(w, "sigma_expr", "corr_exprs", &rows);
}

static void put_columns(sc_module *m, sc_cw *w)
{
    static const char *const kinds[] = {[SIGMA_COLUMN_COUNT] = "COUNT",
                                        [SIGMA_COLUMN_VALUE] = "VALUE",
                                        [SIGMA_COLUMN_FIRST_SEEN] =
                                            "FIRST_SEEN",
                                        [SIGMA_COLUMN_LAST_SEEN] = "LAST_SEEN"};
    sc_cw_rows rows = {0};

    for (uint32_t i = 0; i < m->ir->columns.count; i++) {
        const sc_ir_column *c = &m->ir->columns.items[i];
        const sigma_ref ref = sc_module_ref(m, c->name);
        sc_module_row(m, &rows,
                      "{SIGMA_COLUMN_%s, {%" PRIu32 ", %" PRIu32 "}},",
                      kinds[c->kind], ref.off, ref.len);
        sc_module_note(m, &rows, "%" PRIu32 ": %.*s", i, SG_FMT(c->name));
    }
    sc_table_rows(w, "sigma_column", "columns", &rows);
}

static void put_flags(sc_cw *w, uint32_t flags)
{
    static const char *const names[] = {
        [0] = NULL,
        [1] = "SIGMA_CORR_HIDDEN",
        [2] = "SIGMA_CORR_REPORT",
        [3] = "SIGMA_CORR_HIDDEN | SIGMA_CORR_REPORT",
        [4] = "SIGMA_CORR_SORT_DESC",
        [5] = "SIGMA_CORR_HIDDEN | SIGMA_CORR_SORT_DESC",
        [6] = "SIGMA_CORR_REPORT | SIGMA_CORR_SORT_DESC",
        [7] = "SIGMA_CORR_HIDDEN | SIGMA_CORR_REPORT | SIGMA_CORR_SORT_DESC"};

    if ((flags & 7) != 0)
        sc_cw_line(w, ".flags = %s,", names[flags & 7]);
}

static void put_correlation(sc_module *m, sc_cw *w, const sc_ir_corr *c)
{
    const sigma_ref timespan = sc_module_ref(m, c->timespan_text);

    sc_emit_meta(m, w, &c->meta);
    sc_cw_line(w, ".type = %s,", corr_type(c->type));
    put_flags(w, c->flags);
    sc_cw_line(w, ".timespan = INT64_C(%" PRId64 "),", c->timespan);
    if (timespan.len > 0)
        sc_cw_line(w, ".timespan_text = {%" PRIu32 ", %" PRIu32 "},",
                   timespan.off, timespan.len);
    sc_emit_slice(w, "ref", c->ref_first, c->ref_count);
    sc_emit_slice(w, "key", c->key_first, c->key_count);
    sc_emit_number(w, "source_first", c->source_first);
    sc_emit_number(w, "value_count", c->value_count);
    sc_emit_slice(w, "cond", c->cond_first, c->cond_count);
    sc_emit_slice(w, "expr", c->expr_first, c->expr_count);
    if (c->percentile > 0)
        sc_cw_line(w, ".percentile = %.17g,", c->percentile);
    sc_emit_slice(w, "column", c->column_first, c->column_count);
    sc_emit_number(w, "sort_column", c->sort_column);
    sc_emit_number(w, "limit", c->limit);
    sc_emit_digest(m, w, c->digest);
}

void sc_emit_correlations(sc_module *m, sc_cw *w)
{
    put_refs(m, w);
    put_keys(m, w);
    put_sources(m, w);
    put_conds(m, w);
    put_exprs(m, w);
    put_columns(m, w);
    if (m->ir->corrs.count == 0)
        return;
    sc_table_begin(w, "sigma_correlation", "correlations");
    for (uint32_t i = 0; i < m->ir->corrs.count; i++) {
        const sc_ir_corr *c = &m->ir->corrs.items[i];
        sg_str title = sc_cw_commented(m->arena, c->meta.title, 60);
        sg_str place = sc_cw_commented(m->arena, sc_module_place(m, c->at), 90);
        if (place.len > 0)
            sc_cw_line(w, "/* %.*s */", SG_FMT(place));
        sc_cw_line(w, "/* %" PRIu32 ": %.*s */", i, SG_FMT(title));
        sc_cw_line(w, "{");
        w->depth++;
        put_correlation(m, w, c);
        w->depth--;
        sc_cw_line(w, "},");
    }
    sc_table_end(w);
}
