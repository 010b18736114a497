/*
 * enrich.c - tables of the enrichment: what is looked up or learned, and the
 * steps that do it. Ids are those of the IR.
 */
#include "emit/module.h"

#include <inttypes.h>

static void put_tables(sc_module *m, sc_cw *w)
{
    if (m->ir->tables.count == 0)
        return;
    sc_table_begin(w, "sigma_table", "enrich_tables");
    for (uint32_t i = 0; i < m->ir->tables.count; i++) {
        const sc_ir_table *t = &m->ir->tables.items[i];
        const sigma_ref name = sc_module_ref(m, t->name);
        const sg_str note = sc_cw_commented(m->arena, t->name, 80);
        sc_cw_line(w, "/* %" PRIu32 ": %.*s */", i, SG_FMT(note));
        sc_cw_line(w, "{");
        w->depth++;
        sc_cw_line(w, ".name = {%" PRIu32 ", %" PRIu32 "},", name.off,
                   name.len);
        if (t->learned)
            sc_cw_line(w, ".flags = SIGMA_TABLE_LEARNED,");
        sc_emit_number(w, "key_count", t->key_count);
        sc_emit_number(w, "key_first", t->key_first);
        sc_emit_slice(w, "column", t->column_first, t->column_count);
        w->depth--;
        sc_cw_line(w, "},");
    }
    sc_table_end(w);
}

static void put_whens(sc_module *m, sc_cw *w)
{
    sc_cw_rows rows = {0};

    for (uint32_t i = 0; i < m->ir->whens.count; i++) {
        const sigma_when *when = &m->ir->whens.items[i];
        sc_module_row(m, &rows, "{%.*s, %" PRIu32 ", %" PRIu32 "},",
                      SG_FMT(sc_module_field(m, when->field)), when->str_first,
                      when->str_count);
        sc_module_note(m, &rows, "%" PRIu32 ": %.*s%s", i,
                       SG_FMT(m->ir->strs.items[when->str_first]),
                       when->str_count > 1 ? ", ..." : "");
    }
    sc_table_rows(w, "sigma_when", "enrich_whens", &rows);
}

static void put_keys(sc_module *m, sc_cw *w)
{
    sc_cw_rows rows = {0};

    for (uint32_t i = 0; i < m->ir->enrich_keys.count; i++) {
        const uint32_t field = m->ir->enrich_keys.items[i];
        sc_module_row(m, &rows, "%.*s,", SG_FMT(sc_module_field(m, field)));
        sc_module_note(m, &rows, "%" PRIu32, i);
    }
    sc_table_rows(w, "uint32_t", "enrich_keys", &rows);
}

/* A field, or the number of a column. */
static sg_str place(const sc_module *m, bool column, uint32_t index)
{
    if (!column)
        return sc_module_field(m, index);
    return sg_arena_printf(m->arena, "%" PRIu32, index);
}

static void put_puts(sc_module *m, sc_cw *w)
{
    const sc_ir *ir = m->ir;
    sc_cw_rows rows = {0};

    for (uint32_t s = 0; s < ir->steps.count; s++) {
        const sigma_step *step = &ir->steps.items[s];
        for (uint32_t i = 0; i < step->put_count; i++) {
            const sigma_put *p = &ir->puts.items[step->put_first + i];
            const sg_str to = place(m, step->kind == SIGMA_STEP_LEARN, p->to);
            const sg_str from = place(m, step->kind == SIGMA_STEP_ADD, p->from);
            sc_module_row(m, &rows, "{%.*s, %.*s},", SG_FMT(to), SG_FMT(from));
            sc_module_note(m, &rows, "step %" PRIu32, s);
        }
    }
    sc_table_rows(w, "sigma_put", "enrich_puts", &rows);
}

static void put_steps(sc_module *m, sc_cw *w)
{
    static const char *const kinds[] = {[SIGMA_STEP_LEARN] = "LEARN",
                                        [SIGMA_STEP_ADD] = "ADD",
                                        [SIGMA_STEP_COPY] = "COPY"};

    if (m->ir->steps.count == 0)
        return;
    sc_table_begin(w, "sigma_step", "enrich_steps");
    for (uint32_t i = 0; i < m->ir->steps.count; i++) {
        const sigma_step *s = &m->ir->steps.items[i];
        sc_cw_line(w, "/* %" PRIu32 " */", i);
        sc_cw_line(w, "{");
        w->depth++;
        sc_cw_line(w, ".kind = SIGMA_STEP_%s,", kinds[s->kind]);
        sc_emit_number(w, "table", s->table);
        sc_emit_slice(w, "when", s->when_first, s->when_count);
        sc_emit_slice(w, "key", s->key_first, s->key_count);
        sc_emit_slice(w, "put", s->put_first, s->put_count);
        w->depth--;
        sc_cw_line(w, "},");
    }
    sc_table_end(w);
}

void sc_emit_enrich(sc_module *m, sc_cw *w)
{
    put_tables(m, w);
    put_whens(m, w);
    put_keys(m, w);
    put_puts(m, w);
    put_steps(m, w);
}
