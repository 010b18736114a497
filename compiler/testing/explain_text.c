/*
 * explain_text.c - an explanation for a person: verdict, condition, selections,
 * items with what the event has for them. Long texts are cut; control
 * characters of rules and events never reach the terminal.
 */
#include "testing/explain.h"

enum { MAX_TEXT = 100, MAX_SHOWN = 6, EXCERPT_ITEMS = 3 };

typedef struct printer {
    sg_buf *out;
    const sc_ir *ir;
    const sc_session *session; /* NULL: no places */
    const sc_ir_rule *rule;
    sc_x_style style;
} printer;

/* -------- words ---------------------------------------------------------- */

static void indent(const printer *p, unsigned depth)
{
    sg_buf_printf(p->out, "%*s", (int)(depth * 2), "");
}

static void put_colour(const printer *p, const char *codes)
{
    if (p->style.colour)
        sg_buf_printf(p->out, "\x1b[%sm", codes);
}

static void put_verdict(const printer *p, bool holds)
{
    put_colour(p, holds ? "32" : "31");
    if (p->style.marks)
        sg_buf_putz(p->out, holds ? "\u2713" : "\u2717");
    else
        sg_buf_putz(p->out, holds ? "yes" : "no ");
    put_colour(p, "0");
    sg_buf_putc(p->out, ' ');
}

/* Ends a line; what decides is marked. */
static void end_line(const printer *p, bool decides)
{
    if (decides) {
        put_colour(p, "1");
        sg_buf_putz(p->out, "  <- decides");
        put_colour(p, "0");
    }
    sg_buf_putc(p->out, '\n');
}

/* Text from outside, at most MAX_TEXT bytes of it, cut between characters. */
static void put_text(const printer *p, sg_str text)
{
    size_t end = 0;

    if (text.len <= MAX_TEXT) {
        sc_put_safe(p->out, text);
        return;
    }
    while (end < MAX_TEXT)
        (void)sg_utf8_next(text, &end);
    sc_put_safe(p->out, sg_str_sub(text, 0, end));
    sg_buf_printf(p->out, "... (%zu bytes)", text.len);
}

static void put_quoted(const printer *p, sg_str text)
{
    sg_buf_putc(p->out, '\'');
    put_text(p, text);
    sg_buf_putc(p->out, '\'');
}

static void put_place(const printer *p, sc_span at)
{
    uint32_t line, column;

    if (p->session == NULL || at.source >= p->session->sources.count)
        return;
    sc_source_pos(p->session, at.source, at.beg, &line, &column);
    put_colour(p, "2");
    sg_buf_putz(p->out, "  ");
    sc_put_safe(p->out, p->session->sources.items[at.source].path);
    sg_buf_printf(p->out, ":%u", line);
    put_colour(p, "0");
}

/* -------- items ---------------------------------------------------------- */

static void put_value(const printer *p, const sc_ref_value *v)
{
    switch (v->kind) {
    case SC_REF_NULL:
        sg_buf_putz(p->out, "null");
        return;
    case SC_REF_OBJECT:
        sg_buf_putz(p->out, "an object");
        return;
    case SC_REF_BOOL:
    case SC_REF_NUMBER:
        put_text(p, v->text);
        return;
    case SC_REF_STRING:
        put_quoted(p, v->text);
        return;
    }
}

static void put_values(const printer *p, const sc_x_node *n)
{
    const uint32_t count = n->values.list.count;

    if (!n->values.present && !n->keywords) {
        sg_buf_putz(p->out, "missing");
        return;
    }
    if (n->keywords) {
        sg_buf_printf(p->out, "any of its %u value%s", count,
                      count == 1 ? "" : "s");
        return;
    }
    if (count == 0)
        sg_buf_putz(p->out, "an empty list");
    for (uint32_t i = 0; i < count && i < MAX_SHOWN; i++) {
        sg_buf_putz(p->out, i > 0 ? ", " : "");
        put_value(p, &n->values.list.items[i]);
    }
    if (count > MAX_SHOWN)
        sg_buf_printf(p->out, ", and %u more", count - MAX_SHOWN);
}

static void put_ask(const printer *p, const sc_x_ask *ask)
{
    if (ask->is_text)
        put_quoted(p, ask->text);
    else
        put_text(p, ask->text);
}

/* Those that hold, or those that do not, first; few of many. */
static void put_asks(const printer *p, const sc_x_node *n)
{
    const bool first = !n->every;
    uint32_t shown = 0;

    if (n->asks.count > 1)
        sg_buf_putz(p->out, n->every ? " all of" : " any of");
    for (int pass = 0; pass < 2; pass++) {
        for (uint32_t i = 0; i < n->asks.count && shown < MAX_SHOWN; i++) {
            if (n->asks.items[i].holds != ((pass == 0) == first))
                continue;
            sg_buf_putz(p->out, shown++ > 0 ? ", " : " ");
            put_ask(p, &n->asks.items[i]);
        }
    }
    if (n->asks.count > shown)
        sg_buf_printf(p->out, ", and %u more", n->asks.count - shown);
}

static void put_flags(const printer *p, const sc_x_node *n)
{
    static const char *const parts[] = {"minute", "hour",  "day",
                                        "week",   "month", "year"};

    if (n->op == SIGMA_OP_REGEX) {
        if (n->flags & SIGMA_F_RE_I)
            sg_buf_putz(p->out, " i");
        if (n->flags & SIGMA_F_RE_M)
            sg_buf_putz(p->out, " m");
        if (n->flags & SIGMA_F_RE_S)
            sg_buf_putz(p->out, " s");
    } else if (n->op >= SIGMA_OP_TIME_EQ && n->op <= SIGMA_OP_TIME_GTE) {
        sg_buf_printf(p->out, " %s", parts[n->flags >> SIGMA_F_PART_SHIFT]);
    } else if (n->flags & SIGMA_F_CASED) {
        sg_buf_putz(p->out, " cased");
    }
}

/* Which of several operands hold, where that is not all or none of them. */
static void put_hits(const printer *p, const sc_x_node *n)
{
    uint32_t hits = 0;

    for (uint32_t i = 0; i < n->asks.count; i++)
        hits += n->asks.items[i].holds;
    if (hits > 0 && hits < n->asks.count)
        sg_buf_printf(p->out, " (%u of %u hold%s)", hits, n->asks.count,
                      hits == 1 ? "s" : "");
}

static void put_question(const printer *p, const sc_x_node *n)
{
    if (n->keywords)
        sg_buf_putz(p->out, "any value");
    else
        put_text(p, n->field);
    sg_buf_printf(p->out, " %s", sc_op_text(n->op));
    put_flags(p, n);
    put_asks(p, n);
    put_hits(p, n);
}

/* -------- nodes ---------------------------------------------------------- */

static void put_node(const printer *p, const sc_x_node *n, unsigned depth);

static void put_group(const printer *p, const sc_x_node *n, const char *word,
                      unsigned depth)
{
    sg_buf_printf(p->out, "%s\n", word);
    for (uint32_t i = 0; i < n->kids.count; i++)
        put_node(p, n->kids.items[i], depth + 1);
}

static void put_node(const printer *p, const sc_x_node *n, unsigned depth)
{
    indent(p, depth);
    put_verdict(p, n->holds);
    switch (n->kind) {
    case SC_X_NEVER:
        sg_buf_putz(p->out, "never");
        end_line(p, n->decides);
        return;
    case SC_X_ALWAYS:
        sg_buf_putz(p->out, "always");
        end_line(p, n->decides);
        return;
    case SC_X_SELECTION:
        put_text(p, p->ir->sels.items[p->rule->sel_first + n->selection].name);
        end_line(p, n->decides);
        return;
    case SC_X_ITEM:
        put_question(p, n);
        end_line(p, n->decides);
        indent(p, depth + 2);
        sg_buf_putz(p->out, "event has: ");
        put_values(p, n);
        sg_buf_putc(p->out, '\n');
        return;
    case SC_X_NOT:
        put_group(p, n, "not", depth);
        return;
    case SC_X_ALL:
        put_group(p, n, "all of", depth);
        return;
    case SC_X_ANY:
        put_group(p, n, "any of", depth);
        return;
    }
}

/* -------- rules and correlations ----------------------------------------- */

static void put_title(const printer *p, const sc_ir_meta *meta)
{
    put_colour(p, "1");
    put_text(p, meta->title);
    put_colour(p, "0");
    if (meta->name.len > 0) {
        sg_buf_putz(p->out, " [");
        put_text(p, meta->name);
        sg_buf_putc(p->out, ']');
    }
    put_place(p, p->session->docs.items[meta->doc].at);
    sg_buf_putc(p->out, '\n');
}

static void put_rule(const printer *p, const sc_x_rule *x)
{
    const sc_ir_rule *r = p->rule;

    put_verdict(p, x->holds);
    put_title(p, &r->meta);
    if (r->flags & SIGMA_RULE_HIDDEN)
        sg_buf_putz(p->out, "  (raises no alert itself: feeds a "
                            "correlation)\n");
    if (x->route != NULL && !x->route->holds) {
        sg_buf_putz(p->out, "  not an event of ");
        put_text(p, x->route_text);
        sg_buf_putc(p->out, '\n');
        put_node(p, x->route, 1);
    }
    sg_buf_putz(p->out, "  condition: ");
    put_text(p, r->condition);
    sg_buf_putc(p->out, '\n');
    if (x->condition->kind != SC_X_SELECTION)
        put_node(p, x->condition, 1);
    for (uint32_t i = 0; i < x->selections.count; i++) {
        const sc_ir_sel *sel = &p->ir->sels.items[r->sel_first + i];
        const sc_x_node *n = x->selections.items[i];
        indent(p, 1);
        put_verdict(p, n->holds);
        sg_buf_putz(p->out, "selection ");
        put_text(p, sel->name);
        put_place(p, sel->at);
        sg_buf_putc(p->out, '\n');
        put_node(p, n, 2);
    }
}

static void put_part(const printer *p, const sc_x_part *part)
{
    put_text(p, part->name);
    sg_buf_putz(p->out, " = ");
    if (part->found)
        put_value(p, &part->value);
    else
        sg_buf_putz(p->out, "missing");
}

static void put_parts(const printer *p, const sc_x_ref *ref)
{
    for (uint32_t i = 0; i < ref->keys.count; i++) {
        sg_buf_putz(p->out, i > 0 ? ", " : "      group: ");
        put_part(p, &ref->keys.items[i]);
    }
    sg_buf_putz(p->out, ref->keys.count > 0 ? "\n" : "");
    for (uint32_t i = 0; i < ref->values.count; i++) {
        sg_buf_putz(p->out, i > 0 ? ", " : "      value: ");
        put_part(p, &ref->values.items[i]);
    }
    sg_buf_putz(p->out, ref->values.count > 0 ? "\n" : "");
    if (ref->holds && !ref->timed)
        sg_buf_putz(p->out, "      the event has no readable time\n");
    if (ref->holds && !ref->takes_part)
        sg_buf_putz(p->out, "      so it takes no part\n");
}

static void put_corr(const printer *p, const sc_x_corr *x)
{
    const sc_ir_corr *c = &p->ir->corrs.items[x->index];
    sg_buf condition = {0};

    sc_x_corr_condition(&condition, p->ir, x->index);
    put_verdict(p, x->fires);
    put_title(p, &c->meta);
    sg_buf_printf(p->out, "  correlation: %s ", sc_x_corr_type(p->ir, x));
    put_text(p, sg_buf_str(&condition));
    sg_buf_putz(p->out, " within ");
    put_text(p, c->timespan_text);
    sg_buf_putz(p->out, x->fires
                            ? "\n  fires after this event alone\n"
                            : "\n  does not fire after this event alone\n");
    for (uint32_t i = 0; i < x->refs.count; i++) {
        const sc_x_ref *ref = &x->refs.items[i];
        sg_buf_putz(p->out, "  ");
        put_verdict(p, ref->holds);
        sg_buf_putz(p->out, ref->is_correlation ? "correlation " : "rule ");
        put_text(p, sc_x_label(ref->is_correlation
                                   ? &p->ir->corrs.items[ref->index].meta
                                   : &p->ir->rules.items[ref->index].meta));
        sg_buf_putc(p->out, '\n');
        put_parts(p, ref);
    }
    sg_buf_free(&condition);
}

void sc_explain_text(sg_buf *out, const sc_explained *x, sc_x_style style)
{
    printer p = {.out = out, .ir = x->ir, .session = x->session};
    bool blank = false;

    p.style = style;
    for (uint32_t i = 0; i < x->rules.count; i++) {
        sg_buf_putz(out, blank ? "\n" : "");
        p.rule = &x->ir->rules.items[x->rules.items[i].index];
        put_rule(&p, &x->rules.items[i]);
        blank = true;
    }
    for (uint32_t i = 0; i < x->corrs.count; i++) {
        sg_buf_putz(out, blank ? "\n" : "");
        put_corr(&p, &x->corrs.items[i]);
        blank = true;
    }
}

/* -------- excerpt -------------------------------------------------------- */

static void put_deciders(const printer *p, const sc_x_node *n,
                         const char *space, uint32_t *left)
{
    if (!n->decides || *left == 0)
        return;
    if (n->kind == SC_X_ITEM) {
        sg_buf_printf(p->out, "%s%s ", space, n->holds ? "yes" : "no ");
        put_question(p, n);
        sg_buf_putz(p->out, "; event has: ");
        put_values(p, n);
        sg_buf_putc(p->out, '\n');
        --*left;
    }
    for (uint32_t i = 0; i < n->kids.count; i++)
        put_deciders(p, n->kids.items[i], space, left);
}

void sc_explain_excerpt(sg_buf *out, const sc_x_rule *rule, const char *space)
{
    const printer p = {.out = out};
    uint32_t left = EXCERPT_ITEMS;

    if (rule->route != NULL && !rule->route->holds) {
        sg_buf_printf(out, "%snot an event of ", space);
        put_text(&p, rule->route_text);
        sg_buf_putc(out, '\n');
        put_deciders(&p, rule->route, space, &left);
    }
    for (uint32_t i = 0; i < rule->selections.count; i++)
        put_deciders(&p, rule->selections.items[i], space, &left);
}
