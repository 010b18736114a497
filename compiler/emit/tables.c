/*
 * tables.c - the constant data of an emitted file: enumerators for fields and
 * predicates, literals, numbers, predicates, selections, derived fields,
 * routes and rules. One row per entity, ids in the order of the IR.
 */
#include "emit/module.h"

#include <inttypes.h>

/* -------- texts for readers ---------------------------------------------- */

static sg_str op_code(sigma_op op)
{
    static const sg_str codes[] = {
#define OP(name, text, operand, cost, doc) [SIGMA_OP_##name] = SG_LIT(#name),
#include "sigma_ops.def"
#undef OP
    };
    return codes[op];
}

static const char *field_name(const sc_module *m, uint32_t field, sg_str *name)
{
    const sc_ir_field *f = &m->ir->fields.items[field];

    *name = f->name;
    if ((f->flags & SIGMA_FIELD_KEYWORDS) != 0)
        *name = SG_S("keywords");
    return name->ptr;
}

/* A literal between quotes, wildcards of patterns as * and ?. Long ones are
 * cut: comments are. */
static void put_literal(sg_buf *out, sg_str lit)
{
    const size_t len = lit.len < SC_CW_LONG ? lit.len : SC_CW_LONG;

    sg_buf_putc(out, '"');
    for (size_t i = 0; i < len; i++) {
        const char c = lit.ptr[i];
        if (c == SIGMA_GLOB_STAR)
            sg_buf_putc(out, '*');
        else if (c == SIGMA_GLOB_ANY)
            sg_buf_putc(out, '?');
        else
            sg_buf_putc(out, c);
    }
    sg_buf_putc(out, '"');
}

static void put_operand(const sc_module *m, sg_buf *out, const sc_ir_pred *p,
                        uint32_t i)
{
    char text[SG_NUM_TEXT];
    sg_str name;

    switch (sc_op_operand(p->op)) {
    case SC_OPERAND_LITS:
        put_literal(out, m->ir->lits.items[p->first + i]);
        break;
    case SC_OPERAND_NUMS:
        sg_buf_put(
            out,
            (sg_str){text, sg_num_text(m->ir->nums.items[p->first + i], text)});
        break;
    case SC_OPERAND_FIELD:
        field_name(m, p->first, &name);
        sg_buf_put(out, name);
        break;
    case SC_OPERAND_BOOL:
        sg_buf_putz(out, p->first != 0 ? "true" : "false");
        break;
    case SC_OPERAND_NONE:
        break;
    }
}

static void put_flags(sg_buf *out, const sc_ir_pred *p)
{
    static const char *const parts[] = {"minute", "hour", "day",  "week",
                                        "month",  "year", "part", "part"};

    if (p->op == SIGMA_OP_REGEX) {
        sg_buf_putz(out, (p->flags & SIGMA_F_RE_I) != 0 ? "|i" : "");
        sg_buf_putz(out, (p->flags & SIGMA_F_RE_M) != 0 ? "|m" : "");
        sg_buf_putz(out, (p->flags & SIGMA_F_RE_S) != 0 ? "|s" : "");
    } else if (p->op >= SIGMA_OP_TIME_EQ) {
        sg_buf_printf(out, "|%s", parts[(p->flags >> SIGMA_F_PART_SHIFT) & 7]);
    } else if ((p->flags & SIGMA_F_CASED) != 0) {
        sg_buf_putz(out, "|cased");
    }
}

sg_str sc_module_pred_text(const sc_module *m, uint32_t pred)
{
    const sc_ir_pred *p = &m->ir->preds.items[pred];
    const sc_operand kind = sc_op_operand(p->op);
    uint32_t count = p->count;
    sg_buf out = {0};
    sg_str name, copy;

    if (kind == SC_OPERAND_FIELD || kind == SC_OPERAND_BOOL)
        count = 1;
    if (kind == SC_OPERAND_NONE)
        count = 0;
    field_name(m, p->field, &name);
    sg_buf_put(&out, name);
    sg_buf_printf(&out, "|%s", sc_op_text(p->op));
    put_flags(&out, p);
    if (count > 1)
        sg_buf_printf(&out, ", any of %" PRIu32, count);
    for (uint32_t i = 0; i < count && out.len < SC_CW_LONG; i++) {
        sg_buf_putz(&out, i == 0 ? ": " : ", ");
        put_operand(m, &out, p, i);
    }
    copy = sg_arena_dup(m->arena, sg_buf_str(&out));
    sg_buf_free(&out);
    return copy;
}

/* -------- enumerators ---------------------------------------------------- */

static sg_str indexed(sg_arena *arena, char prefix, uint32_t index)
{
    return sg_arena_printf(arena, "%c%" PRIu32 "_", prefix, index);
}

static void name_fields(sc_module *m)
{
    const uint32_t count = m->ir->fields.count;

    m->fields = sg_new_n(m->arena, sg_str, count);
    for (uint32_t i = 0; i < count; i++) {
        sg_str name;
        field_name(m, i, &name);
        m->fields[i] = sc_cw_name(m->arena, indexed(m->arena, 'F', i), name,
                                  (sc_cw_style){"field", SC_CW_SHORT, true});
    }
}

sg_str sc_module_pred_name(const sc_module *m, uint32_t pred, uint32_t number)
{
    const sc_ir_pred *p = &m->ir->preds.items[pred];
    const sg_str op = op_code(p->op);
    sg_str name;

    field_name(m, p->field, &name);
    /* The operator is kept whole: it tells siblings apart. */
    name = sc_cw_name(m->arena, indexed(m->arena, 'P', number), name,
                      (sc_cw_style){"field", SC_CW_SHORT - 1 - op.len, true});
    return sg_arena_printf(m->arena, "%.*s_%.*s", SG_FMT(name), SG_FMT(op));
}

static void name_preds(sc_module *m)
{
    const uint32_t count = m->ir->preds.count;

    m->preds = sg_new_n(m->arena, sg_str, count);
    for (uint32_t i = 0; i < count; i++)
        m->preds[i] = sc_module_pred_name(m, i, i);
}

void sc_name_tables(sc_module *m)
{
    name_fields(m);
    name_preds(m);
}

void sc_emit_enums(sc_module *m, sc_cw *w)
{
    sc_cw_rows rows = {0};

    if (m->ir->fields.count > 0) {
        sc_cw_line(w, "enum {");
        w->depth++;
        for (uint32_t i = 0; i < m->ir->fields.count; i++) {
            sg_str name;
            field_name(m, i, &name);
            sc_module_row(m, &rows, "%.*s,", SG_FMT(m->fields[i]));
            sc_module_note(m, &rows, "%" PRIu32 ": %.*s", i, SG_FMT(name));
        }
        sc_cw_rows_end(w, &rows);
        w->depth--;
        sc_cw_line(w, "};");
        sc_cw_blank(w);
    }
    if (m->ir->preds.count > 0) {
        sc_cw_line(w, "enum {");
        w->depth++;
        for (uint32_t i = 0; i < m->ir->preds.count; i++)
            sc_cw_line(w, "%.*s,", SG_FMT(m->preds[i]));
        w->depth--;
        sc_cw_line(w, "};");
        sc_cw_blank(w);
    }
}

/* -------- tables --------------------------------------------------------- */

void sc_table_begin(sc_cw *w, const char *type, const char *name)
{
    sc_cw_line(w, "%sconst %s %s[] = {", w->linked ? "" : "static ", type,
               name);
    w->depth++;
}

void sc_table_end(sc_cw *w)
{
    w->depth--;
    sc_cw_line(w, "};");
    sc_cw_blank(w);
}

void sc_table_rows(sc_cw *w, const char *type, const char *name,
                   sc_cw_rows *rows)
{
    if (rows->rows.count == 0)
        return;
    sc_table_begin(w, type, name);
    sc_cw_rows_end(w, rows);
    sc_table_end(w);
}

static void put_fields(sc_module *m, sc_cw *w)
{
    static const char *const flags[16] = {
        "0",
        "SIGMA_FIELD_PRED",
        "SIGMA_FIELD_CONTEXT",
        "SIGMA_FIELD_PRED | SIGMA_FIELD_CONTEXT",
        "SIGMA_FIELD_KEYWORDS",
        "SIGMA_FIELD_PRED | SIGMA_FIELD_KEYWORDS",
        "SIGMA_FIELD_CONTEXT | SIGMA_FIELD_KEYWORDS",
        "7",
        "SIGMA_FIELD_ENRICH",
        "SIGMA_FIELD_PRED | SIGMA_FIELD_ENRICH",
        "SIGMA_FIELD_CONTEXT | SIGMA_FIELD_ENRICH",
        "SIGMA_FIELD_PRED | SIGMA_FIELD_CONTEXT | SIGMA_FIELD_ENRICH",
        "12",
        "13",
        "14",
        "15"};

    if (m->ir->fields.count == 0)
        return;
    sc_table_begin(w, "sigma_field", "fields");
    for (uint32_t i = 0; i < m->ir->fields.count; i++) {
        const sc_ir_field *f = &m->ir->fields.items[i];
        const sigma_ref ref = sc_module_ref(m, f->name);
        sg_str name = sc_cw_commented(m->arena, f->name, 80);
        sc_cw_line(w, "/* %" PRIu32 ": %.*s */", i, SG_FMT(name));
        sc_cw_line(w, "{{%" PRIu32 ", %" PRIu32 "}, %s},", ref.off, ref.len,
                   flags[f->flags & 15]);
    }
    sc_table_end(w);
}

static void put_strings(sc_module *m, sc_cw *w, const char *table,
                        const sg_str *items, uint32_t count)
{
    sc_cw_rows rows = {0};
    sg_buf text = {0};

    for (uint32_t i = 0; i < count; i++) {
        const sigma_ref ref = sc_module_ref(m, items[i]);
        text.len = 0;
        put_literal(&text, items[i]);
        sc_module_row(m, &rows, "{%" PRIu32 ", %" PRIu32 "},", ref.off,
                      ref.len);
        sc_module_note(m, &rows, "%" PRIu32 ": %.*s", i,
                       SG_FMT(sg_buf_str(&text)));
    }
    sc_table_rows(w, "sigma_ref", table, &rows);
    sg_buf_free(&text);
}

static void put_nums(sc_module *m, sc_cw *w)
{
    sc_cw_rows rows = {0};

    for (uint32_t i = 0; i < m->ir->nums.count; i++) {
        const sg_num n = m->ir->nums.items[i];
        char text[SG_NUM_TEXT];
        const size_t len = sg_num_text(n, text);
        sc_module_row(m, &rows, "%.*s,", SG_FMT(sc_module_num(m->arena, n)));
        sc_module_note(m, &rows, "%" PRIu32 ": %.*s", i, (int)len, text);
    }
    sc_table_rows(w, "sigma_num", "nums", &rows);
}

static void put_preds(sc_module *m, sc_cw *w)
{
    if (m->ir->preds.count == 0)
        return;
    sc_table_begin(w, "sigma_pred", "preds");
    for (uint32_t i = 0; i < m->ir->preds.count; i++) {
        const sc_ir_pred *p = &m->ir->preds.items[i];
        sg_str text = sc_cw_commented(m->arena, sc_module_pred_text(m, i), 88);
        sg_str first = sg_arena_printf(m->arena, "%" PRIu32, p->first);
        if (sc_op_operand(p->op) == SC_OPERAND_FIELD)
            first = sc_module_field(m, p->first);
        sc_cw_line(w, "/* %.*s */", SG_FMT(text));
        sc_cw_line(
            w, "[%" PRIu32 "] = {%.*s, SIGMA_OP_%.*s, %u, %.*s, %" PRIu32 "},",
            i, SG_FMT(m->fields[p->field]), SG_FMT(op_code(p->op)),
            (unsigned)p->flags, SG_FMT(first), p->count);
    }
    sc_table_end(w);
}

void sc_emit_data(sc_module *m, sc_cw *texts, sc_cw *w)
{
    put_strings(m, texts, "lits", m->ir->lits.items, m->ir->lits.count);
    put_nums(m, w);
    put_fields(m, w);
    put_preds(m, w);
    put_strings(m, texts, "strs", m->ir->strs.items, m->ir->strs.count);
}

/* -------- rules ---------------------------------------------------------- */

/* Their names, then their functions. */
static void put_selections(sc_module *m, sc_cw *w)
{
    sc_cw_rows rows = {0}, holds = {0};

    for (uint32_t i = 0; i < m->ir->sels.count; i++) {
        const sc_ir_sel *sel = &m->ir->sels.items[i];
        sigma_ref ref = {0, 0};
        if (m->slots[i] == SIGMA_NONE)
            continue;
        if (sel->named)
            ref = sc_module_ref(m, sel->name);
        sc_module_row(m, &rows, "{{%" PRIu32 ", %" PRIu32 "}},", ref.off,
                      ref.len);
        sc_module_note(m, &rows, "%" PRIu32 ": %.*s", i, SG_FMT(sel->name));
        sc_module_row(m, &holds, "%.*s,", SG_FMT(m->sels[i]));
        sc_module_note(m, &holds, "%" PRIu32, i);
    }
    sc_table_rows(w, "sigma_selection", "selections", &rows);
    sc_table_rows(w, "sigma_match", "holds", &holds);
}

static void put_derives(sc_module *m, sc_cw *w)
{
    const sc_ir *ir = m->ir;

    if (ir->derives.count == 0)
        return;
    sc_table_begin(w, "sigma_derive", "derives");
    for (uint32_t r = 0; r < ir->rules.count; r++) {
        const sc_ir_rule *rule = &ir->rules.items[r];
        for (uint32_t i = 0; i < rule->derive_count; i++) {
            const sc_ir_derive *d = &ir->derives.items[rule->derive_first + i];
            const sigma_ref ref = sc_module_ref(m, d->value);
            sg_str sel = SG_S("SIGMA_NONE");
            sg_str text = sc_cw_commented(m->arena, d->value, 80);
            if (d->selection != SIGMA_NONE)
                sel = sg_arena_printf(m->arena, "%" PRIu32,
                                      m->slots[rule->sel_first + d->selection]);
            sc_cw_line(w, "/* rule %" PRIu32 ": %.*s */", r, SG_FMT(text));
            sc_cw_line(w, "{%.*s, %.*s, {%" PRIu32 ", %" PRIu32 "}},",
                       SG_FMT(m->fields[d->field]), SG_FMT(sel), ref.off,
                       ref.len);
        }
    }
    sc_table_end(w);
}

void sc_emit_route_table(sc_module *m, sc_cw *w)
{
    sc_cw_rows rows = {0};

    for (uint32_t i = 0; i < m->ir->routes.count; i++) {
        sc_module_row(m, &rows, "{%.*s},", SG_FMT(m->routes[i]));
        sc_module_note(m, &rows, "%" PRIu32 ": %.*s", i,
                       SG_FMT(m->ir->routes.items[i].text));
    }
    sc_table_rows(w, "sigma_route", "routes", &rows);
}

static void put_ref(sc_module *m, sc_cw *w, const char *name, sg_str text)
{
    const sigma_ref ref = sc_module_ref(m, text);

    if (ref.len > 0)
        sc_cw_line(w, ".%s = {%" PRIu32 ", %" PRIu32 "},", name, ref.off,
                   ref.len);
}

void sc_emit_number(sc_cw *w, const char *name, uint32_t value)
{
    if (value == SIGMA_NONE)
        sc_cw_line(w, ".%s = SIGMA_NONE,", name);
    else if (value != 0)
        sc_cw_line(w, ".%s = %" PRIu32 ",", name, value);
}

/* A slice of a table; an empty one needs no words. */
void sc_emit_slice(sc_cw *w, const char *name, uint32_t first, uint32_t count)
{
    if (count == 0)
        return;
    sc_cw_line(w, ".%s_first = %" PRIu32 ",", name, first);
    sc_cw_line(w, ".%s_count = %" PRIu32 ",", name, count);
}

void sc_emit_meta(sc_module *m, sc_cw *w, const sc_ir_meta *meta)
{
    sg_buf lines = {0};
    sc_cw inner = {.out = &lines, .depth = w->depth + 2};

    put_ref(m, &inner, "id", meta->id);
    put_ref(m, &inner, "name", meta->name);
    put_ref(m, &inner, "title", meta->title);
    put_ref(m, &inner, "level", meta->level);
    put_ref(m, &inner, "status", meta->status);
    if (meta->doc < m->s->docs.count)
        put_ref(m, &inner, "sha256",
                sg_str_of(m->s->docs.items[meta->doc].sha256));
    sc_emit_slice(&inner, "tag", meta->tag_first, meta->tag_count);
    if (lines.len > 0) {
        sc_cw_line(w, ".meta =");
        w->depth++;
        sc_cw_line(w, "{");
        sg_buf_put(w->out, sg_buf_str(&lines));
        sc_cw_line(w, "},");
        w->depth--;
    }
    sg_buf_free(&lines);
}

void sc_emit_digest(sc_module *m, sc_cw *w, sg_str digest)
{
    put_ref(m, w, "digest", digest);
}

/* How many selections of the rule stand in the emitted table. */
static uint32_t listed(const sc_module *m, const sc_ir_rule *rule)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < rule->sel_count; i++)
        n += m->slots[rule->sel_first + i] != SIGMA_NONE;
    return n;
}

static void put_clauses(sc_module *m, sc_cw *w)
{
    sc_cw_rows rows = {0};

    for (uint32_t i = 0; i < m->ir->clauses.count; i++) {
        const sigma_clause *c = &m->ir->clauses.items[i];
        const uint32_t pred = m->ir->gates.items[c->gate_first];
        const sg_str field =
            m->ir->fields.items[m->ir->preds.items[pred].field].name;
        const sg_str shown = sc_cw_commented(m->arena, field, 60);

        sc_module_row(m, &rows, "{%" PRIu32 ", %" PRIu32 ", %" PRIu32 "},",
                      c->rule, c->gate_first, c->gate_count);
        sc_module_note(m, &rows, "%.*s", SG_FMT(shown));
    }
    sc_table_rows(w, "sigma_clause", "clauses", &rows);
}

void sc_emit_gates(sc_module *m, sc_cw *w)
{
    sc_cw_rows rows = {0};

    for (uint32_t i = 0; i < m->ir->gates.count; i++) {
        const uint32_t pred = m->ir->gates.items[i];
        sc_module_row(m, &rows, "%.*s,", SG_FMT(sc_module_pred(m, pred)));
        sc_module_note(m, &rows, "%" PRIu32, i);
    }
    sc_table_rows(w, "uint32_t", "gates", &rows);
    put_clauses(m, w);
}

static void put_matches(sc_module *m, sc_cw *w)
{
    sc_cw_rows rows = {0};

    for (uint32_t i = 0; i < m->ir->rules.count; i++) {
        sc_module_row(m, &rows, "%.*s,", SG_FMT(m->rules[i]));
        sc_module_note(m, &rows, "%" PRIu32, i);
    }
    sc_table_rows(w, "sigma_match", "matches", &rows);
}

void sc_emit_rules(sc_module *m, sc_cw *w)
{
    put_selections(m, w);
    put_derives(m, w);
    if (m->ir->rules.count == 0)
        return;
    sc_table_begin(w, "sigma_rule", "rules");
    for (uint32_t i = 0; i < m->ir->rules.count; i++) {
        const sc_ir_rule *r = &m->ir->rules.items[i];
        sg_str title = sc_cw_commented(m->arena, r->meta.title, 80);
        sc_cw_line(w, "/* %" PRIu32 ": %.*s */", i, SG_FMT(title));
        sc_cw_line(w, "{");
        w->depth++;
        sc_emit_meta(m, w, &r->meta);
        if ((r->flags & SIGMA_RULE_HIDDEN) != 0)
            sc_cw_line(w, ".flags = SIGMA_RULE_HIDDEN,");
        sc_emit_slice(w, "gate", r->gate_first, r->gate_count);
        sc_cw_line(w, ".time_field = %.*s,",
                   SG_FMT(sc_module_field(m, r->time_field)));
        sc_emit_slice(w, "selection", m->starts[i], listed(m, r));
        sc_emit_slice(w, "derive", r->derive_first, r->derive_count);
        sc_emit_number(w, "route", r->route);
        sc_emit_digest(m, w, r->digest);
        w->depth--;
        sc_cw_line(w, "},");
    }
    sc_table_end(w);
    put_matches(m, w);
}
