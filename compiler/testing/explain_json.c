/*
 * explain_json.c - an explanation as data: {"schema":"sigcc.explain/1",...}.
 * Holds what the text holds, uncut but for the number of values of one field.
 */
#include "testing/explain.h"

#include <inttypes.h>

enum { MAX_VALUES = 1000 };

typedef struct writer {
    sg_buf *out;
    const sc_explained *x;
    const sc_ir_rule *rule;
} writer;

static const char *word(bool b)
{
    return b ? "true" : "false";
}

static void put_text(sg_buf *out, const char *key, sg_str text)
{
    sg_buf_printf(out, ",\"%s\":", key);
    sg_buf_put_json(out, text);
}

static void put_optional(sg_buf *out, const char *key, sg_str text)
{
    if (text.len > 0)
        put_text(out, key, text);
}

static void put_place(const writer *w, sc_span at)
{
    const sc_session *s = w->x->session;
    uint32_t line, column;

    if (at.source >= s->sources.count)
        return;
    sc_source_pos(s, at.source, at.beg, &line, &column);
    sg_buf_printf(w->out, ",\"line\":%" PRIu32 ",\"column\":%" PRIu32, line,
                  column);
}

/* -------- items ---------------------------------------------------------- */

static void put_value(sg_buf *out, const sc_ref_value *v)
{
    sg_num number;

    switch (v->kind) {
    case SC_REF_NULL:
        sg_buf_putz(out, "null");
        return;
    case SC_REF_OBJECT:
        sg_buf_putz(out, "{}");
        return;
    case SC_REF_BOOL:
        sg_buf_put(out, v->text);
        return;
    case SC_REF_NUMBER:
        /* One too large for a double is shown as text. */
        if (sg_num_parse(v->text, &number)) {
            sg_buf_put(out, v->text);
            return;
        }
        break;
    case SC_REF_STRING:
        break;
    }
    sg_buf_put_json(out, v->text);
}

static void put_item(const writer *w, const sc_x_node *n)
{
    sg_buf *out = w->out;

    if (n->keywords)
        sg_buf_putz(out, ",\"keywords\":true");
    else
        put_text(out, "field", n->field);
    put_text(out, "operator", sg_str_of(sc_op_text(n->op)));
    if (n->op != SIGMA_OP_REGEX && (n->flags & SIGMA_F_CASED) != 0)
        sg_buf_putz(out, ",\"cased\":true");
    if (n->asks.count > 1)
        put_text(out, "quantifier", n->every ? SG_S("all") : SG_S("any"));
    sg_buf_putz(out, ",\"asks\":[");
    for (uint32_t i = 0; i < n->asks.count; i++) {
        sg_buf_putz(out, i > 0 ? ",{\"text\":" : "{\"text\":");
        sg_buf_put_json(out, n->asks.items[i].text);
        sg_buf_printf(out, ",\"holds\":%s}", word(n->asks.items[i].holds));
    }
    sg_buf_printf(out, "],\"present\":%s,\"value_count\":%" PRIu32,
                  word(n->values.present), n->values.list.count);
    sg_buf_putz(out, ",\"values\":[");
    for (uint32_t i = 0; i < n->values.list.count && i < MAX_VALUES; i++) {
        sg_buf_putz(out, i > 0 ? "," : "");
        put_value(out, &n->values.list.items[i]);
    }
    sg_buf_putc(out, ']');
}

/* -------- nodes ---------------------------------------------------------- */

static void put_node(const writer *w, const sc_x_node *n)
{
    static const char *const kinds[] = {
        [SC_X_NEVER] = "never",
        [SC_X_ALWAYS] = "always",
        [SC_X_ITEM] = "item",
        [SC_X_NOT] = "not",
        [SC_X_SELECTION] = "selection",
        [SC_X_ALL] = "all",
        [SC_X_ANY] = "any",
    };

    sg_buf_printf(w->out, "{\"kind\":\"%s\",\"holds\":%s,\"decides\":%s",
                  kinds[n->kind], word(n->holds), word(n->decides));
    if (n->kind == SC_X_SELECTION)
        put_text(w->out, "name",
                 w->x->ir->sels.items[w->rule->sel_first + n->selection].name);
    if (n->kind == SC_X_ITEM)
        put_item(w, n);
    if (n->kids.count > 0)
        sg_buf_putz(w->out, ",\"of\":[");
    for (uint32_t i = 0; i < n->kids.count; i++) {
        sg_buf_putz(w->out, i > 0 ? "," : "");
        put_node(w, n->kids.items[i]);
    }
    sg_buf_putz(w->out, n->kids.count > 0 ? "]}" : "}");
}

/* -------- rules and correlations ----------------------------------------- */

static void put_meta(const writer *w, const sc_ir_meta *meta)
{
    const sc_doc *doc = &w->x->session->docs.items[meta->doc];

    sg_buf_putz(w->out, "{\"path\":");
    sg_buf_put_json(w->out, doc->path);
    put_place(w, doc->at);
    put_optional(w->out, "id", meta->id);
    put_optional(w->out, "name", meta->name);
    put_optional(w->out, "title", meta->title);
}

static void put_rule(const writer *w, const sc_x_rule *x)
{
    const sc_ir_rule *r = w->rule;

    put_meta(w, &r->meta);
    sg_buf_printf(w->out, ",\"match\":%s,\"hidden\":%s", word(x->holds),
                  word((r->flags & SIGMA_RULE_HIDDEN) != 0));
    if (x->route != NULL) {
        sg_buf_putz(w->out, ",\"route\":{\"logsource\":");
        sg_buf_put_json(w->out, x->route_text);
        sg_buf_printf(w->out, ",\"holds\":%s,\"tree\":", word(x->route->holds));
        put_node(w, x->route);
        sg_buf_putc(w->out, '}');
    }
    put_text(w->out, "condition", r->condition);
    sg_buf_putz(w->out, ",\"tree\":");
    put_node(w, x->condition);
    sg_buf_putz(w->out, ",\"selections\":[");
    for (uint32_t i = 0; i < x->selections.count; i++) {
        const sc_ir_sel *sel = &w->x->ir->sels.items[r->sel_first + i];
        const sc_x_node *n = x->selections.items[i];
        sg_buf_putz(w->out, i > 0 ? ",{\"name\":" : "{\"name\":");
        sg_buf_put_json(w->out, sel->name);
        put_place(w, sel->at);
        sg_buf_printf(w->out, ",\"holds\":%s,\"tree\":", word(n->holds));
        put_node(w, n);
        sg_buf_putc(w->out, '}');
    }
    sg_buf_putz(w->out, "]}");
}

static void put_parts(sg_buf *out, const char *key, const sc_x_part *parts,
                      uint32_t count)
{
    sg_buf_printf(out, ",\"%s\":[", key);
    for (uint32_t i = 0; i < count; i++) {
        sg_buf_putz(out, i > 0 ? ",{\"field\":" : "{\"field\":");
        sg_buf_put_json(out, parts[i].name);
        if (parts[i].found) {
            sg_buf_putz(out, ",\"value\":");
            put_value(out, &parts[i].value);
        } else {
            sg_buf_putz(out, ",\"missing\":true");
        }
        sg_buf_putc(out, '}');
    }
    sg_buf_putc(out, ']');
}

static void put_ref(const writer *w, const sc_x_ref *ref)
{
    const sc_ir *ir = w->x->ir;

    sg_buf_printf(w->out,
                  "{\"%s\":", ref->is_correlation ? "correlation" : "rule");
    sg_buf_put_json(w->out,
                    sc_x_label(ref->is_correlation
                                   ? &ir->corrs.items[ref->index].meta
                                   : &ir->rules.items[ref->index].meta));
    sg_buf_printf(w->out, ",\"holds\":%s,\"timed\":%s,\"takes_part\":%s",
                  word(ref->holds), word(ref->timed), word(ref->takes_part));
    put_parts(w->out, "group", ref->keys.items, ref->keys.count);
    put_parts(w->out, "values", ref->values.items, ref->values.count);
    sg_buf_putc(w->out, '}');
}

static void put_corr(const writer *w, const sc_x_corr *x)
{
    const sc_ir_corr *c = &w->x->ir->corrs.items[x->index];
    sg_buf condition = {0};

    sc_x_corr_condition(&condition, w->x->ir, x->index);
    put_meta(w, &c->meta);
    sg_buf_printf(w->out, ",\"type\":\"%s\",\"fires\":%s,\"hidden\":%s",
                  sc_x_corr_type(w->x->ir, x), word(x->fires),
                  word((c->flags & SIGMA_CORR_HIDDEN) != 0));
    put_text(w->out, "condition", sg_buf_str(&condition));
    put_text(w->out, "timespan", c->timespan_text);
    sg_buf_putz(w->out, ",\"refs\":[");
    for (uint32_t i = 0; i < x->refs.count; i++) {
        sg_buf_putz(w->out, i > 0 ? "," : "");
        put_ref(w, &x->refs.items[i]);
    }
    sg_buf_putz(w->out, "]}");
    sg_buf_free(&condition);
}

void sc_explain_json(sg_buf *out, const sc_explained *x)
{
    writer w = {out, x, NULL};
    uint32_t matched = 0;

    sg_buf_putz(out, "{\"schema\":\"sigcc.explain/1\",\"event\":{\"path\":");
    sg_buf_put_json(out, x->path);
    sg_buf_printf(out, ",\"line\":%" PRIu64 "},\"rules\":[", x->line);
    for (uint32_t i = 0; i < x->rules.count; i++) {
        sg_buf_putz(out, i > 0 ? "," : "");
        w.rule = &x->ir->rules.items[x->rules.items[i].index];
        put_rule(&w, &x->rules.items[i]);
        matched += x->rules.items[i].holds;
    }
    sg_buf_putz(out, "],\"correlations\":[");
    for (uint32_t i = 0; i < x->corrs.count; i++) {
        sg_buf_putz(out, i > 0 ? "," : "");
        put_corr(&w, &x->corrs.items[i]);
        matched += x->corrs.items[i].fires;
    }
    sg_buf_printf(
        out, "],\"summary\":{\"rules\":%" PRIu32 ",\"matched\":%" PRIu32 "}}\n",
        x->rules.count + x->corrs.count, matched);
}
