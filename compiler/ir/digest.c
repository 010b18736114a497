/*
 * digest.c - what a rule or a correlation computes, as 64 hex digits. State
 * that a detector kept is that of a correlation as long as its digest is the
 * same; so everything that its verdicts depend on goes in, and nothing that
 * only says what it is called, where it stands or how it is reported.
 *
 * The canonical text is a sequence of words ("and "), numbers ("17 ") and texts
 * ("5:Image "). Each list begins with its length, so the text can be read back
 * from its start in one way: what differs in meaning differs in text. Fields
 * and literals are spelled out; ids of the IR, which depend on the rest of the
 * pack, do not occur. A correlation names its rules by their digests.
 *
 * Another meaning of the same IR, in a later version, needs another version
 * in the first words of the texts.
 */
#include "ir/ir.h"

#include <inttypes.h>

typedef struct writer {
    const sc_ir *ir;
    sg_buf text;
    sg_str *routes; /* their digests */
} writer;

/* -------- words, numbers, texts ------------------------------------------ */

static void put_word(writer *w, const char *word)
{
    sg_buf_putz(&w->text, word);
    sg_buf_putc(&w->text, ' ');
}

static void put_count(writer *w, uint64_t n)
{
    sg_buf_printf(&w->text, "%" PRIu64 " ", n);
}

static void put_text(writer *w, sg_str s)
{
    sg_buf_printf(&w->text, "%zu:", s.len);
    sg_buf_put(&w->text, s);
    sg_buf_putc(&w->text, ' ');
}

/* Equal numbers are written alike, whatever their kind. */
static void put_num(writer *w, sg_num n)
{
    char text[SG_NUM_TEXT];
    const size_t len = sg_num_text(n, text);

    put_text(w, (sg_str){text, len});
}

static void put_field(writer *w, uint32_t id)
{
    const sc_ir_field *f = &w->ir->fields.items[id];

    if (f->flags & SIGMA_FIELD_KEYWORDS) {
        put_word(w, "keywords");
        return;
    }
    put_word(w, "field");
    put_text(w, f->name);
}

/* The digest of what was written, in the arena of the IR; begin anew. */
static sg_str take_digest(writer *w)
{
    char digest[65];

    sr_sha256(sg_buf_str(&w->text), digest);
    w->text.len = 0;
    return sg_arena_dup(w->ir->arena, sg_str_of(digest));
}

/* -------- predicates and nodes ------------------------------------------- */

static void put_pred(writer *w, const sc_ir_pred *p)
{
    const sc_operand operand = sc_op_operand(p->op);

    put_word(w, sc_op_text(p->op));
    put_field(w, p->field);
    put_count(w, p->flags);
    switch (operand) {
    case SC_OPERAND_LITS:
    case SC_OPERAND_NUMS:
        put_count(w, p->count);
        for (uint32_t i = 0; i < p->count; i++)
            if (operand == SC_OPERAND_NUMS)
                put_num(w, w->ir->nums.items[p->first + i]);
            else
                put_text(w, w->ir->lits.items[p->first + i]);
        break;
    case SC_OPERAND_FIELD:
        put_field(w, p->first);
        break;
    case SC_OPERAND_BOOL:
        put_count(w, p->first);
        break;
    case SC_OPERAND_NONE:
        break;
    }
}

static void put_node(writer *w, uint32_t node)
{
    static const char *const words[] = {
        [SC_NODE_FALSE] = "false", [SC_NODE_TRUE] = "true",
        [SC_NODE_PRED] = "pred",   [SC_NODE_SEL] = "selection",
        [SC_NODE_NOT] = "not",     [SC_NODE_AND] = "and",
        [SC_NODE_OR] = "or"};
    const sc_ir_node *n = &w->ir->nodes.items[node];

    put_word(w, words[n->kind]);
    switch (n->kind) {
    case SC_NODE_FALSE:
    case SC_NODE_TRUE:
        break;
    case SC_NODE_PRED:
        put_pred(w, &w->ir->preds.items[n->first]);
        break;
    case SC_NODE_SEL:
        put_count(w, n->first);
        break;
    case SC_NODE_NOT:
    case SC_NODE_AND:
    case SC_NODE_OR:
        put_count(w, n->count);
        for (uint32_t i = 0; i < n->count; i++)
            put_node(w, w->ir->kids.items[n->first + i]);
        break;
    }
}

/* -------- rules ---------------------------------------------------------- */

static void put_derives(writer *w, const sc_ir_rule *r)
{
    put_count(w, r->derive_count);
    for (uint32_t i = 0; i < r->derive_count; i++) {
        const sc_ir_derive *d = &w->ir->derives.items[r->derive_first + i];

        put_field(w, d->field);
        if (d->selection == SIGMA_NONE) {
            put_word(w, "default");
        } else {
            put_word(w, "selection");
            put_count(w, d->selection);
        }
        put_text(w, d->value);
    }
}

/* Selections by place: their names are shown, not computed with. */
static void put_rule(writer *w, const sc_ir_rule *r)
{
    put_word(w, "sigcc.rule/1");
    put_count(w, r->sel_count);
    for (uint32_t i = 0; i < r->sel_count; i++)
        put_node(w, w->ir->sels.items[r->sel_first + i].node);
    put_node(w, r->node);
    put_derives(w, r);
    if (r->time_field == SIGMA_NONE)
        put_word(w, "time");
    else
        put_field(w, r->time_field);
    if (r->route == SIGMA_NONE)
        put_word(w, "everywhere");
    else
        put_text(w, w->routes[r->route]);
}

/* Routes are shared by many rules: written once. */
static void digest_routes(writer *w, sg_arena *tmp)
{
    w->routes = sg_new_n(tmp, sg_str, (size_t)w->ir->routes.count + 1);
    for (uint32_t i = 0; i < w->ir->routes.count; i++) {
        put_word(w, "sigcc.route/1");
        put_node(w, w->ir->routes.items[i].node);
        w->routes[i] = take_digest(w);
    }
}

/* -------- correlations --------------------------------------------------- */

static void put_refs(writer *w, const sc_ir_corr *c)
{
    const sc_ir *ir = w->ir;
    const size_t width = (size_t)c->key_count + c->value_count;

    put_count(w, c->key_count);
    for (uint32_t k = 0; k < c->key_count; k++)
        put_text(w, ir->keys.items[c->key_first + k]);
    put_count(w, c->value_count);
    put_count(w, c->ref_count);
    for (uint32_t i = 0; i < c->ref_count; i++) {
        const sigma_corr_ref *r = &ir->corr_refs.items[c->ref_first + i];

        put_text(w, r->is_correlation ? ir->corrs.items[r->index].digest
                                      : ir->rules.items[r->index].digest);
        for (size_t k = 0; k < width; k++)
            put_field(w, ir->sources.items[c->source_first + i * width + k]);
    }
}

static void put_conds(writer *w, const sc_ir_corr *c)
{
    static const char *const cmps[] = {
        [SIGMA_CMP_EQ] = "eq", [SIGMA_CMP_NEQ] = "neq",
        [SIGMA_CMP_LT] = "lt", [SIGMA_CMP_LTE] = "lte",
        [SIGMA_CMP_GT] = "gt", [SIGMA_CMP_GTE] = "gte"};
    static const char *const ops[] = {[SIGMA_EXPR_REF] = "ref",
                                      [SIGMA_EXPR_AND] = "and",
                                      [SIGMA_EXPR_OR] = "or",
                                      [SIGMA_EXPR_NOT] = "not"};

    put_count(w, c->cond_count);
    for (uint32_t i = 0; i < c->cond_count; i++) {
        const sigma_corr_cond *k = &w->ir->conds.items[c->cond_first + i];

        put_word(w, cmps[k->cmp]);
        put_num(w, k->threshold);
    }
    put_count(w, c->expr_count);
    for (uint32_t i = 0; i < c->expr_count; i++) {
        const sigma_expr *e = &w->ir->exprs.items[c->expr_first + i];

        put_word(w, ops[e->op]);
        if (e->op == SIGMA_EXPR_REF)
            put_count(w, e->arg);
    }
}

/* Without the report, which shapes rows and not groups. */
static void put_corr(writer *w, const sc_ir_corr *c)
{
    static const char *const types[SIGMA_CORR_COUNT] = {
#define CORR(name, text, operand, doc) [SIGMA_CORR_##name] = (text),
#include "sigma_correlations.def"
#undef CORR
    };

    put_word(w, "sigcc.correlation/1");
    put_word(w, types[c->type]);
    put_count(w, (uint64_t)c->timespan);
    put_refs(w, c);
    put_conds(w, c);
    put_num(w, (sg_num){.kind = SIGMA_FLOAT, .v = {.f = c->percentile}});
}

void sc_ir_add_digests(sc_ir *ir)
{
    sg_arena tmp = {0};
    writer w = {.ir = ir};

    digest_routes(&w, &tmp);
    for (uint32_t i = 0; i < ir->rules.count; i++) {
        put_rule(&w, &ir->rules.items[i]);
        ir->rules.items[i].digest = take_digest(&w);
    }
    for (uint32_t i = 0; i < ir->corrs.count; i++) { /* inner ones first */
        put_corr(&w, &ir->corrs.items[i]);
        ir->corrs.items[i].digest = take_digest(&w);
    }
    sg_buf_free(&w.text);
    sg_arena_free(&tmp);
}
