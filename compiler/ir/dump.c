/*
 * dump.c - the IR as stable text, one entity a line, for --dump=ir, golden
 * tests and people. Ids as in the tables; leaves are written where they are
 * used: p3 a predicate, s0 a selection of the rule. The position in the YAML
 * stands behind a semicolon.
 */
#include "ir/ir.h"

typedef struct dumper {
    const sc_session *s;
    sg_buf *out;
    const sc_ir *ir;
} dumper;

static void put_at(const dumper *d, sc_span at)
{
    uint32_t line, column;

    if (at.source < d->s->sources.count) {
        sc_source_pos(d->s, at.source, at.beg, &line, &column);
        sg_buf_putz(d->out, " ; ");
        sc_put_safe(d->out, d->s->sources.items[at.source].path);
        sg_buf_printf(d->out, ":%u:%u", line, column);
    }
    sg_buf_putc(d->out, '\n');
}

static void put_node_ref(const dumper *d, uint32_t node)
{
    const sc_ir_node *n = &d->ir->nodes.items[node];

    switch (n->kind) {
    case SC_NODE_FALSE:
        sg_buf_putz(d->out, "false");
        return;
    case SC_NODE_TRUE:
        sg_buf_putz(d->out, "true");
        return;
    case SC_NODE_PRED:
        sg_buf_printf(d->out, "p%u", n->first);
        return;
    case SC_NODE_SEL:
        sg_buf_printf(d->out, "s%u", n->first);
        return;
    case SC_NODE_NOT:
    case SC_NODE_AND:
    case SC_NODE_OR:
        sg_buf_printf(d->out, "n%u", node);
        return;
    }
}

/* -------- predicates ----------------------------------------------------- */

/* A GLOB literal as a Sigma string: wildcards plain, the rest escaped. */
static void put_glob(const dumper *d, sg_str lit)
{
    sg_buf text = {0};
    size_t i;

    for (i = 0; i < lit.len; i++) {
        const char c = lit.ptr[i];

        if (c == SIGMA_GLOB_STAR) {
            sg_buf_putc(&text, '*');
        } else if (c == SIGMA_GLOB_ANY) {
            sg_buf_putc(&text, '?');
        } else {
            if (c == '*' || c == '?' || c == '\\')
                sg_buf_putc(&text, '\\');
            sg_buf_putc(&text, c);
        }
    }
    sg_buf_put_json(d->out, sg_buf_str(&text));
    sg_buf_free(&text);
}

static void put_num(const dumper *d, sg_num num)
{
    char text[SG_NUM_TEXT];
    const sg_str s = {text, sg_num_text(num, text)};

    sg_buf_put(d->out, s);
}

static void put_operands(const dumper *d, const sc_ir_pred *p)
{
    uint32_t i;

    sg_buf_putz(d->out, " {");
    for (i = 0; i < p->count; i++) {
        if (i > 0)
            sg_buf_putc(d->out, ' ');
        if (sc_op_operand(p->op) == SC_OPERAND_NUMS)
            put_num(d, d->ir->nums.items[p->first + i]);
        else if (p->op == SIGMA_OP_GLOB)
            put_glob(d, d->ir->lits.items[p->first + i]);
        else
            sg_buf_put_json(d->out, d->ir->lits.items[p->first + i]);
    }
    sg_buf_putc(d->out, '}');
}

static void put_flags(const dumper *d, const sc_ir_pred *p)
{
    static const char *const parts[] = {"minute", "hour",  "day",
                                        "week",   "month", "year"};
    const unsigned part = (unsigned)p->flags >> SIGMA_F_PART_SHIFT;

    if (p->op == SIGMA_OP_REGEX) {
        if (p->flags & SIGMA_F_RE_I)
            sg_buf_putz(d->out, " i");
        if (p->flags & SIGMA_F_RE_M)
            sg_buf_putz(d->out, " m");
        if (p->flags & SIGMA_F_RE_S)
            sg_buf_putz(d->out, " s");
    } else if (p->op >= SIGMA_OP_TIME_EQ && p->op <= SIGMA_OP_TIME_GTE) {
        sg_buf_printf(d->out, " %s", parts[part]);
    } else if (p->flags & SIGMA_F_CASED) {
        sg_buf_putz(d->out, " cased");
    }
}

static void put_pred(const dumper *d, uint32_t i)
{
    const sc_ir_pred *p = &d->ir->preds.items[i];

    sg_buf_printf(d->out, "pred p%u f%u %s", i, p->field, sc_op_text(p->op));
    put_flags(d, p);
    switch (sc_op_operand(p->op)) {
    case SC_OPERAND_LITS:
    case SC_OPERAND_NUMS:
        put_operands(d, p);
        break;
    case SC_OPERAND_FIELD:
        sg_buf_printf(d->out, " f%u", p->first);
        break;
    case SC_OPERAND_BOOL:
        sg_buf_putz(d->out, p->first ? " true" : " false");
        break;
    case SC_OPERAND_NONE:
        break;
    }
    put_at(d, p->at);
}

/* -------- rules ---------------------------------------------------------- */

static void put_field(const dumper *d, uint32_t i)
{
    const sc_ir_field *f = &d->ir->fields.items[i];

    sg_buf_printf(d->out, "field f%u ", i);
    if (f->flags & SIGMA_FIELD_KEYWORDS)
        sg_buf_putz(d->out, "keywords");
    else
        sg_buf_put_json(d->out, f->name);
    if (f->flags & SIGMA_FIELD_PRED)
        sg_buf_putz(d->out, " pred");
    if (f->flags & SIGMA_FIELD_CONTEXT)
        sg_buf_putz(d->out, " context");
    if (f->flags & SIGMA_FIELD_ENRICH)
        sg_buf_putz(d->out, " enrich");
    sg_buf_putc(d->out, '\n');
}

static void put_node(const dumper *d, uint32_t i)
{
    const sc_ir_node *n = &d->ir->nodes.items[i];
    const char *name = n->kind == SC_NODE_NOT   ? "not"
                       : n->kind == SC_NODE_AND ? "and"
                                                : "or";
    uint32_t k;

    if (n->kind != SC_NODE_NOT && n->kind != SC_NODE_AND &&
        n->kind != SC_NODE_OR)
        return;
    sg_buf_printf(d->out, "node n%u %s", i, name);
    for (k = 0; k < n->count; k++) {
        sg_buf_putc(d->out, ' ');
        put_node_ref(d, d->ir->kids.items[n->first + k]);
    }
    put_at(d, n->at);
}

static void put_title(const dumper *d, const sc_ir_meta *m)
{
    if (m->level.len > 0) {
        sg_buf_putz(d->out, " level=");
        sg_buf_put_json(d->out, m->level);
    }
    sg_buf_putc(d->out, ' ');
    sg_buf_put_json(d->out, m->name.len > 0 ? m->name : m->title);
}

static void put_digest(const dumper *d, sg_str digest)
{
    if (digest.len > 0)
        sg_buf_printf(d->out, "digest %.*s\n", SG_FMT(digest));
}

static void put_rule_parts(const dumper *d, const sc_ir_rule *r)
{
    uint32_t i;

    for (i = 0; i < r->sel_count; i++) {
        const sc_ir_sel *sel = &d->ir->sels.items[r->sel_first + i];

        sg_buf_printf(d->out, "sel  s%u ", i);
        put_node_ref(d, sel->node);
        sg_buf_putz(d->out, sel->named ? " " : " unnamed ");
        sg_buf_put_json(d->out, sel->name);
        put_at(d, sel->at);
    }
    for (i = 0; i < r->derive_count; i++) {
        const sc_ir_derive *v = &d->ir->derives.items[r->derive_first + i];

        sg_buf_printf(d->out, "derive f%u ", v->field);
        if (v->selection == SIGMA_NONE)
            sg_buf_putz(d->out, "default ");
        else
            sg_buf_printf(d->out, "s%u ", v->selection);
        sg_buf_put_json(d->out, v->value);
        sg_buf_putc(d->out, '\n');
    }
}

static void put_clauses(const dumper *d, uint32_t rule)
{
    for (uint32_t i = 0; i < d->ir->clauses.count; i++) {
        const sigma_clause *c = &d->ir->clauses.items[i];

        for (uint32_t k = 0; c->rule == rule && k < c->gate_count; k++)
            sg_buf_printf(d->out, "%sp%u", k == 0 ? " clause=" : "|",
                          d->ir->gates.items[c->gate_first + k]);
    }
}

static void put_rule(const dumper *d, uint32_t i)
{
    const sc_ir_rule *r = &d->ir->rules.items[i];

    sg_buf_printf(d->out, "rule r%u ", i);
    put_node_ref(d, r->node);
    for (uint32_t k = 0; k < r->gate_count; k++)
        sg_buf_printf(d->out, "%sp%u", k == 0 ? " gate=" : "|",
                      d->ir->gates.items[r->gate_first + k]);
    put_clauses(d, i);
    if (r->time_field != SIGMA_NONE)
        sg_buf_printf(d->out, " time=f%u", r->time_field);
    if (r->route != SIGMA_NONE)
        sg_buf_printf(d->out, " route=t%u", r->route);
    if (r->flags & SIGMA_RULE_HIDDEN)
        sg_buf_putz(d->out, " hidden");
    put_title(d, &r->meta);
    put_at(d, r->condition_at);
    put_rule_parts(d, r);
    put_digest(d, r->digest);
}

/* -------- correlations --------------------------------------------------- */

static const char *corr_text(sigma_corr_type type)
{
    static const char *const texts[SIGMA_CORR_COUNT] = {
#define CORR(name, text, operand, doc) [SIGMA_CORR_##name] = (text),
#include "sigma_correlations.def"
#undef CORR
    };

    return texts[type];
}

static void put_refs(const dumper *d, const sc_ir_corr *c)
{
    const uint32_t width = c->key_count + c->value_count;
    uint32_t i, k;

    for (i = 0; i < c->ref_count; i++) {
        const sigma_corr_ref *r = &d->ir->corr_refs.items[c->ref_first + i];

        sg_buf_printf(d->out, "ref  %c%u", r->is_correlation ? 'c' : 'r',
                      r->index);
        for (k = 0; k < width; k++)
            sg_buf_printf(
                d->out, "%s f%u", k == c->key_count ? " of" : "",
                d->ir->sources.items[c->source_first + (size_t)i * width + k]);
        sg_buf_putc(d->out, '\n');
    }
}

static void put_conds(const dumper *d, const sc_ir_corr *c)
{
    static const char *const cmps[] = {"eq", "neq", "lt", "lte", "gt", "gte"};
    static const char *const ops[] = {"", "and", "or", "not"};
    uint32_t i;

    for (i = 0; i < c->cond_count; i++) {
        const sigma_corr_cond *k = &d->ir->conds.items[c->cond_first + i];

        sg_buf_printf(d->out, "cond %s ", cmps[k->cmp]);
        put_num(d, k->threshold);
        sg_buf_putc(d->out, '\n');
    }
    if (c->expr_count > 0)
        sg_buf_putz(d->out, "expr");
    for (i = 0; i < c->expr_count; i++) {
        const sigma_expr *e = &d->ir->exprs.items[c->expr_first + i];

        if (e->op == SIGMA_EXPR_REF)
            sg_buf_printf(d->out, " %u", e->arg);
        else
            sg_buf_printf(d->out, " %s", ops[e->op]);
    }
    if (c->expr_count > 0)
        sg_buf_putc(d->out, '\n');
}

static void put_report(const dumper *d, const sc_ir_corr *c)
{
    static const char *const kinds[] = {"count", "value", "first_seen",
                                        "last_seen"};
    uint32_t i;

    if ((c->flags & SIGMA_CORR_REPORT) == 0)
        return;
    sg_buf_putz(d->out, "report");
    for (i = 0; i < c->column_count; i++) {
        const sc_ir_column *k = &d->ir->columns.items[c->column_first + i];

        sg_buf_printf(d->out, " %s=", kinds[k->kind]);
        sg_buf_put_json(d->out, k->name);
    }
    if (c->sort_column != SIGMA_NONE)
        sg_buf_printf(d->out, " sort=%s%u",
                      c->flags & SIGMA_CORR_SORT_DESC ? "-" : "",
                      c->sort_column);
    if (c->limit != SIGMA_NONE)
        sg_buf_printf(d->out, " limit=%u", c->limit);
    sg_buf_putc(d->out, '\n');
}

static void put_corr(const dumper *d, uint32_t i)
{
    const sc_ir_corr *c = &d->ir->corrs.items[i];
    uint32_t k;

    sg_buf_printf(d->out, "corr c%u %s ", i, corr_text(c->type));
    sg_buf_put(d->out, c->timespan_text);
    if (c->flags & SIGMA_CORR_HIDDEN)
        sg_buf_putz(d->out, " hidden");
    if (c->type == SIGMA_CORR_VALUE_PERCENTILE) {
        sg_buf_putz(d->out, " percentile=");
        put_num(d, (sg_num){.kind = SIGMA_FLOAT, .v = {.f = c->percentile}});
    }
    put_title(d, &c->meta);
    put_at(d, c->at);
    if (c->key_count > 0)
        sg_buf_putz(d->out, "by  ");
    for (k = 0; k < c->key_count; k++) {
        sg_buf_putc(d->out, ' ');
        sg_buf_put_json(d->out, d->ir->keys.items[c->key_first + k]);
    }
    if (c->key_count > 0)
        sg_buf_putc(d->out, '\n');
    put_refs(d, c);
    put_conds(d, c);
    put_report(d, c);
    put_digest(d, c->digest);
}

static void put_routes(const dumper *d)
{
    uint32_t i;

    for (i = 0; i < d->ir->routes.count; i++) {
        sg_buf_printf(d->out, "route t%u ", i);
        put_node_ref(d, d->ir->routes.items[i].node);
        sg_buf_putc(d->out, ' ');
        sg_buf_put_json(d->out, d->ir->routes.items[i].text);
        sg_buf_putc(d->out, '\n');
    }
}

static void put_strs(const dumper *d, uint32_t first, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        sg_buf_putc(d->out, ' ');
        sg_buf_put_json(d->out, d->ir->strs.items[first + i]);
    }
}

static void put_table(const dumper *d, uint32_t i)
{
    const sc_ir_table *t = &d->ir->tables.items[i];

    sg_buf_printf(d->out, "table e%u %s %u ", i,
                  t->learned ? "learned" : "lookup", t->key_count);
    sg_buf_put_json(d->out, t->name);
    if (!t->learned)
        put_strs(d, t->key_first, t->key_count);
    sg_buf_putz(d->out, " ->");
    put_strs(d, t->column_first, t->column_count);
    sg_buf_putc(d->out, '\n');
}

static void put_step(const dumper *d, uint32_t i)
{
    static const char *const kinds[] = {[SIGMA_STEP_LEARN] = "learn",
                                        [SIGMA_STEP_ADD] = "add",
                                        [SIGMA_STEP_COPY] = "copy"};
    const sigma_step *s = &d->ir->steps.items[i];

    sg_buf_printf(d->out, "step s%u %s", i, kinds[s->kind]);
    if (s->table != SIGMA_NONE)
        sg_buf_printf(d->out, " e%u", s->table);
    for (uint32_t k = 0; k < s->when_count; k++) {
        const sigma_when *w = &d->ir->whens.items[s->when_first + k];
        sg_buf_printf(d->out, " when f%u", w->field);
        put_strs(d, w->str_first, w->str_count);
    }
    sg_buf_putz(d->out, " key");
    for (uint32_t k = 0; k < s->key_count; k++)
        sg_buf_printf(d->out, " f%u",
                      d->ir->enrich_keys.items[s->key_first + k]);
    sg_buf_putz(d->out, " put");
    for (uint32_t k = 0; k < s->put_count; k++) {
        const sigma_put *p = &d->ir->puts.items[s->put_first + k];
        sg_buf_printf(d->out, " %u<%u", p->to, p->from);
    }
    sg_buf_putc(d->out, '\n');
}

void sc_ir_dump(const sc_session *s, sg_buf *out, const sc_ir *ir)
{
    const dumper d = {s, out, ir};
    uint32_t i;

    for (i = 0; i < ir->fields.count; i++)
        put_field(&d, i);
    for (i = 0; i < ir->preds.count; i++)
        put_pred(&d, i);
    for (i = 0; i < ir->nodes.count; i++)
        put_node(&d, i);
    put_routes(&d);
    for (i = 0; i < ir->rules.count; i++)
        put_rule(&d, i);
    for (i = 0; i < ir->corrs.count; i++)
        put_corr(&d, i);
    for (i = 0; i < ir->tables.count; i++)
        put_table(&d, i);
    for (i = 0; i < ir->steps.count; i++)
        put_step(&d, i);
}
