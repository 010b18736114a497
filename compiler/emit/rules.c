/*
 * rules.c - one C function per route, per selection and per rule. The return
 * line of a rule's function is its condition, so && and || stop at the first
 * verdict that settles it. Expressions fit one line, or stand one operand per
 * line; what is larger than a screen is cut into functions of its own.
 */
#include "emit/module.h"

#include <inttypes.h>

enum {
    MAX_LEAVES = 48, /* operands of one function */
    MAX_NESTING = 4, /* parentheses of one function */
    MAX_LINES = 6,   /* of a quoted condition */
    MAX_CONDITION = MAX_LINES * SC_CW_COLUMNS
};

typedef enum expr_kind { ATOM, NOT, AND, OR } expr_kind;

/* A node ready to be written: operands of the same kind are joined. */
typedef struct expr expr;
struct expr {
    expr_kind kind;
    sg_str code;    /* ATOM: its C text */
    sg_str comment; /* ATOM: for readers */
    SG_VEC(expr *) kids;
    uint32_t leaves, nesting;
};

/* One function under construction. */
typedef struct function {
    sc_module *m;
    sc_cw *w;
    sg_str name, comment; /* comment: whole lines, or empty */
    uint32_t parts;
    bool linked; /* tables in another file name it */
    sc_cw_rows rows;
} function;

/* -------- what is needed ------------------------------------------------- */

static void mark_used(sc_module *m, const sc_ir_rule *rule, uint32_t node,
                      bool *used)
{
    const sc_ir_node *n = &m->ir->nodes.items[node];

    switch (n->kind) {
    case SC_NODE_SEL:
        used[rule->sel_first + n->first] = true;
        break;
    case SC_NODE_NOT:
        mark_used(m, rule, m->ir->kids.items[n->first], used);
        break;
    case SC_NODE_AND:
    case SC_NODE_OR:
        for (uint32_t i = 0; i < n->count; i++)
            mark_used(m, rule, m->ir->kids.items[n->first + i], used);
        break;
    case SC_NODE_FALSE:
    case SC_NODE_TRUE:
    case SC_NODE_PRED:
        break;
    }
}

/* Whether some derived field of the rule depends on its selection i. */
static bool derives_from(const sc_ir *ir, const sc_ir_rule *rule, uint32_t i)
{
    for (uint32_t d = 0; d < rule->derive_count; d++)
        if (ir->derives.items[rule->derive_first + d].selection == i)
            return true;
    return false;
}

/* `prefix` tells the rule's functions from those of all others. */
static void name_rule(sc_module *m, uint32_t index, sg_str prefix, bool *used)
{
    const sc_cw_style style = {"rule", SC_CW_NAME, false};
    const sc_cw_style sel_style = {"selection", SC_CW_NAME, false};
    const sc_ir_rule *rule = &m->ir->rules.items[index];

    mark_used(m, rule, rule->node, used);
    m->starts[index] = m->sel_count;
    m->rules[index] =
        sc_cw_unique(m->arena, &m->names, prefix, rule->meta.title, style);
    for (uint32_t i = 0; i < rule->sel_count; i++) {
        const uint32_t id = rule->sel_first + i;
        const sc_ir_sel *sel = &m->ir->sels.items[id];
        m->slots[id] = SIGMA_NONE;
        if (sel->named || derives_from(m->ir, rule, i))
            m->slots[id] = m->sel_count++ - m->starts[index];
        else if (!used[id])
            continue;
        m->sels[id] =
            sc_cw_unique(m->arena, &m->names, prefix, sel->name, sel_style);
    }
}

static void name_routes(sc_module *m)
{
    const sc_cw_style style = {"route", SC_CW_NAME, false};

    m->routes = sg_new_n(m->arena, sg_str, m->ir->routes.count);
    for (uint32_t i = 0; i < m->ir->routes.count; i++)
        m->routes[i] =
            sc_cw_unique(m->arena, &m->names, SG_S(""),
                         sg_arena_printf(m->arena, "route_%" PRIu32, i), style);
}

void sc_name_functions(sc_module *m)
{
    bool *used = sg_new_n(m->arena, bool, m->ir->sels.count);
    uint32_t counts[SC_MAX_PARTS] = {0}; /* rules of each part so far */

    m->rules = sg_new_n(m->arena, sg_str, m->ir->rules.count);
    m->starts = sg_new_n(m->arena, uint32_t, m->ir->rules.count);
    m->sels = sg_new_n(m->arena, sg_str, m->ir->sels.count);
    m->slots = sg_new_n(m->arena, uint32_t, m->ir->sels.count);
    for (uint32_t i = 0; i < m->ir->sels.count; i++)
        m->slots[i] = SIGMA_NONE;
    name_routes(m);
    for (uint32_t i = 0; i < m->ir->rules.count; i++) {
        sg_str prefix = sg_arena_printf(m->arena, "r%" PRIu32 "_", i);
        if (m->part_of != NULL)
            prefix = sg_arena_printf(m->arena, "p%" PRIu32 "r%" PRIu32 "_",
                                     m->part_of[i], counts[m->part_of[i]]++);
        name_rule(m, i, prefix, used);
    }
}

/* -------- expressions ---------------------------------------------------- */

static expr *atom(sg_arena *arena, sg_str code, sg_str comment)
{
    expr *x = sg_new(arena, expr);

    x->code = code;
    x->comment = comment;
    x->leaves = 1;
    return x;
}

static void add_kid(sg_arena *arena, expr *x, expr *kid)
{
    const uint32_t inner = kid->nesting + (kid->kind != ATOM);

    x->leaves += kid->leaves;
    x->nesting = inner > x->nesting ? inner : x->nesting;
    SG_PUSH(arena, &x->kids, kid);
}

static expr *negate(sg_arena *arena, expr *kid)
{
    expr *x;

    if (kid->kind == NOT)
        return kid->kids.items[0];
    if (kid->kind == ATOM)
        return atom(arena, sg_arena_printf(arena, "!%.*s", SG_FMT(kid->code)),
                    kid->comment);
    x = sg_new(arena, expr);
    x->kind = NOT;
    add_kid(arena, x, kid);
    return x;
}

static expr *expr_of(const sc_module *m, const sc_ir_rule *rule, uint32_t node);

static expr *chain_of(const sc_module *m, const sc_ir_rule *rule,
                      const sc_ir_node *n)
{
    expr *x = sg_new(m->arena, expr);

    x->kind = n->kind == SC_NODE_AND ? AND : OR;
    for (uint32_t i = 0; i < n->count; i++) {
        expr *kid = expr_of(m, rule, m->ir->kids.items[n->first + i]);
        if (kid->kind != x->kind) {
            add_kid(m->arena, x, kid);
            continue;
        }
        for (uint32_t k = 0; k < kid->kids.count; k++)
            add_kid(m->arena, x, kid->kids.items[k]);
    }
    if (x->kids.count == 0)
        return atom(m->arena, x->kind == AND ? SG_S("true") : SG_S("false"),
                    SG_S("constant"));
    return x->kids.count == 1 ? x->kids.items[0] : x;
}

static expr *expr_of(const sc_module *m, const sc_ir_rule *rule, uint32_t node)
{
    const sc_ir_node *n = &m->ir->nodes.items[node];
    uint32_t id;

    switch (n->kind) {
    case SC_NODE_TRUE:
        return atom(m->arena, SG_S("true"), SG_S("constant"));
    case SC_NODE_FALSE:
        break;
    case SC_NODE_PRED:
        return atom(m->arena,
                    sg_arena_printf(m->arena, "SIGMA_P(e, %.*s)",
                                    SG_FMT(sc_module_asked(m, n->first))),
                    sc_module_pred_text(m, n->first));
    case SC_NODE_SEL:
        id = rule->sel_first + n->first;
        return atom(m->arena,
                    sg_arena_printf(m->arena, "%.*s(e)", SG_FMT(m->sels[id])),
                    m->ir->sels.items[id].name);
    case SC_NODE_NOT:
        return negate(m->arena, expr_of(m, rule, m->ir->kids.items[n->first]));
    case SC_NODE_AND:
    case SC_NODE_OR:
        return chain_of(m, rule, n);
    }
    return atom(m->arena, SG_S("false"), SG_S("constant"));
}

/* -------- one line ------------------------------------------------------- */

/* Append x as C; gives up, false, past `max` bytes. */
static bool put_flat(sg_buf *out, const expr *x, size_t max)
{
    if (x->kind == ATOM) {
        sg_buf_put(out, x->code);
        return out->len <= max;
    }
    if (x->kind == NOT)
        sg_buf_putc(out, '!');
    for (uint32_t i = 0; i < x->kids.count; i++) {
        const expr *kid = x->kids.items[i];
        const bool wrap = kid->kind == AND || kid->kind == OR;
        if (i > 0)
            sg_buf_putz(out, x->kind == AND ? " && " : " || ");
        sg_buf_putz(out, wrap ? "(" : "");
        if (!put_flat(out, kid, max))
            return false;
        sg_buf_putz(out, wrap ? ")" : "");
    }
    return out->len <= max;
}

/* -------- many lines ----------------------------------------------------- */

static void put_function(function *f, expr *x);

/* Move x into a function of its own, before the one being written. */
static expr *outline(function *f, expr *x)
{
    function part = {.m = f->m, .w = f->w};
    sg_arena *arena = f->m->arena;
    sg_str text;

    f->parts++;
    text = sg_arena_printf(arena, "%.*s_part%" PRIu32,
                           (int)(f->name.len < 36 ? f->name.len : 36),
                           f->name.ptr, f->parts);
    part.name = sc_cw_unique(arena, &f->m->names, SG_S(""), text,
                             (sc_cw_style){"part", SC_CW_NAME, false});
    put_function(&part, x);
    return atom(arena, sg_arena_printf(arena, "%.*s(e)", SG_FMT(part.name)),
                sg_arena_printf(arena, "%" PRIu32 " terms", x->leaves));
}

/* Cut a chain of too many operands into chains of at most MAX_LEAVES. */
static expr *split_chain(function *f, const expr *x)
{
    const uint32_t count = x->kids.count;
    uint32_t size = (count + MAX_LEAVES - 1) / MAX_LEAVES;
    expr *out = sg_new(f->m->arena, expr);

    size = size < MAX_LEAVES ? MAX_LEAVES : size;
    out->kind = x->kind;
    for (uint32_t first = 0; first < count; first += size) {
        expr *slice = sg_new(f->m->arena, expr);
        slice->kind = x->kind;
        for (uint32_t i = first; i < count && i < first + size; i++)
            add_kid(f->m->arena, slice, x->kids.items[i]);
        add_kid(f->m->arena, out,
                slice->kids.count == 1 ? slice->kids.items[0]
                                       : outline(f, slice));
    }
    return out;
}

/* The same expression, small enough for one function. */
static expr *shrink(function *f, expr *x)
{
    expr *out;

    if (x->kind == ATOM ||
        (x->leaves <= MAX_LEAVES && x->nesting <= MAX_NESTING))
        return x;
    if (x->kids.count > MAX_LEAVES)
        x = split_chain(f, x);
    out = sg_new(f->m->arena, expr);
    out->kind = x->kind;
    for (uint32_t i = 0; i < x->kids.count; i++) {
        expr *kid = x->kids.items[i];
        if (kid->kind == NOT)
            kid = negate(f->m->arena, outline(f, kid->kids.items[0]));
        else if (kid->kind != ATOM)
            kid = outline(f, kid);
        add_kid(f->m->arena, out, kid);
    }
    return out->kind == NOT ? negate(f->m->arena, out->kids.items[0]) : out;
}

/* What stands around an operand on its line. */
typedef struct around {
    sg_str before, after;
    uint32_t column;
} around;

/* One row per operand, aligned the way clang-format does: below the first
 * operand inside the same parenthesis. */
static void put_rows(function *f, const expr *x, around a)
{
    sg_arena *arena = f->m->arena;

    if (x->kind == ATOM) {
        const uint32_t pad =
            f->rows.rows.count == 0 ? 0 : a.column - (uint32_t)a.before.len;
        sc_module_row(f->m, &f->rows, "%*s%.*s%.*s%.*s", (int)pad, "",
                      SG_FMT(a.before), SG_FMT(x->code), SG_FMT(a.after));
        sc_module_note(f->m, &f->rows, "%.*s", SG_FMT(x->comment));
        return;
    }
    if (x->kind == NOT) {
        put_rows(f, x->kids.items[0],
                 (around){sg_arena_printf(arena, "%.*s!(", SG_FMT(a.before)),
                          sg_arena_printf(arena, ")%.*s", SG_FMT(a.after)),
                          a.column + 2});
        return;
    }
    for (uint32_t i = 0; i < x->kids.count; i++) {
        const expr *kid = x->kids.items[i];
        const bool wrap = kid->kind == AND || kid->kind == OR;
        const bool last = i + 1 == x->kids.count;
        sg_str after = x->kind == AND ? SG_S(" &&") : SG_S(" ||");
        if (last)
            after = a.after;
        put_rows(f, kid,
                 (around){sg_arena_printf(arena, "%.*s%s",
                                          i == 0 ? (int)a.before.len : 0,
                                          a.before.ptr, wrap ? "(" : ""),
                          sg_arena_printf(arena, "%s%.*s", wrap ? ")" : "",
                                          SG_FMT(after)),
                          a.column + wrap});
    }
}

static void put_body(function *f, const expr *x)
{
    static const size_t room = SC_CW_COLUMNS - SC_CW_INDENT - sizeof("return ");
    sg_buf flat = {0};

    if (put_flat(&flat, x, room)) {
        sg_str text = sg_buf_str(&flat);
        if (sg_str_find(text, SG_S("(e")) == SIZE_MAX)
            sc_cw_line(f->w, "(void)e;");
        sc_cw_line(f->w, "return %.*s;", SG_FMT(text));
    } else {
        put_rows(f, x, (around){SG_S("return "), SG_S(";"), 7});
        sc_cw_rows_end(f->w, &f->rows);
    }
    sg_buf_free(&flat);
}

/* Parts of the expression that need their own functions come first. */
static void put_function(function *f, expr *x)
{
    const expr *body = shrink(f, x);

    if (f->comment.len > 0)
        sg_buf_put(f->w->out, f->comment);
    sc_cw_line(f->w, "%sbool %.*s(sigma_event *e)", f->linked ? "" : "static ",
               SG_FMT(f->name));
    sc_cw_line(f->w, "{");
    f->w->depth++;
    put_body(f, body);
    f->w->depth--;
    sc_cw_line(f->w, "}");
    sc_cw_blank(f->w);
}

/* -------- comments ------------------------------------------------------- */

static size_t margin_of(sg_str line)
{
    size_t n = 0;

    while (n < line.len && (line.ptr[n] == ' ' || line.ptr[n] == '-'))
        n++;
    return n;
}

/* The YAML of a selection from its name on, as one line of text. */
static sg_str yaml_of(const sc_module *m, sc_span at)
{
    uint32_t line, column;
    size_t margin;
    sg_buf out = {0};
    sg_str copy, text;
    const sc_source *source = &m->s->sources.items[at.source];

    sc_source_pos(m->s, at.source, at.beg, &line, &column);
    text = sc_source_line(m->s, at.source, line);
    margin = margin_of(text);
    sg_buf_put(&out, text);
    while (++line <= source->line_count && out.len < SC_CW_LONG) {
        text = sc_source_line(m->s, at.source, line);
        if (margin_of(text) <= margin &&
            !(text.len > margin && text.ptr[margin] == '-'))
            break;
        sg_buf_putc(&out, ' ');
        sg_buf_put(&out, text);
    }
    copy = sg_arena_dup(m->arena, sg_buf_str(&out));
    sg_buf_free(&out);
    return copy;
}

/* One line: where the selection stands and what it says. */
static sg_str sel_comment(const sc_module *m, const sc_ir_sel *sel)
{
    sg_str place = sc_module_place(m, sel->at);
    sg_str text = sel->name;

    if (place.len > 0 && sel->named)
        text = yaml_of(m, sel->at);
    text = sg_arena_printf(m->arena, "%.*s%s%.*s", SG_FMT(place),
                           place.len > 0 ? " " : "", SG_FMT(text));
    text = sc_cw_commented(m->arena, text, SC_CW_COLUMNS - 6);
    return sg_arena_printf(m->arena, "/* %.*s */\n", SG_FMT(text));
}

/* Lines of at most `room` bytes, broken at blanks where there are some. */
static void put_wrapped(sg_buf *out, sg_str text, const char *indent,
                        size_t room)
{
    for (int lines = 1; text.len > 0; lines++) {
        size_t n = text.len;
        if (n > room) {
            for (n = room; n > 0 && text.ptr[n] != ' '; n--)
                ;
            n = n > 0 ? n : room;
        }
        if (lines == MAX_LINES && n < text.len) {
            sg_buf_printf(out, " *%s...\n", indent);
            break;
        }
        sg_buf_printf(out, " *%s%.*s\n", indent, (int)n, text.ptr);
        while (n < text.len && text.ptr[n] == ' ')
            n++;
        text = sg_str_sub(text, n, text.len);
    }
}

/* The title, where the rule stands, its condition. */
static sg_str rule_comment(const sc_module *m, const sc_ir_rule *rule)
{
    sg_str title = sc_cw_commented(m->arena, rule->meta.title, 90);
    sg_str place =
        sc_cw_commented(m->arena, sc_module_place(m, rule->condition_at), 95);
    sg_str cond =
        sg_arena_printf(m->arena, "condition: %.*s", SG_FMT(rule->condition));
    sg_buf out = {0};
    sg_str copy;

    cond = sc_cw_commented(m->arena, cond, MAX_CONDITION);
    sg_buf_putz(&out, "/*\n");
    if (title.len > 0)
        sg_buf_printf(&out, " * %.*s\n", SG_FMT(title));
    if (place.len > 0)
        sg_buf_printf(&out, " * %.*s\n", SG_FMT(place));
    put_wrapped(&out, cond, "   ", SC_CW_COLUMNS - 10);
    sg_buf_putz(&out, " */\n");
    copy = sg_arena_dup(m->arena, sg_buf_str(&out));
    sg_buf_free(&out);
    return copy;
}

/* -------- the functions of the rules ------------------------------------- */

static void emit_route(sc_module *m, sc_cw *w, uint32_t index)
{
    const sc_ir_route *route = &m->ir->routes.items[index];
    const sc_ir_rule no_rule = {.sel_count = 0}; /* routes select nothing */
    function f = {
        .m = m, .w = w, .name = m->routes[index], .linked = m->part != NULL};
    sg_str text =
        sg_arena_printf(m->arena, "log source: %.*s", SG_FMT(route->text));

    text = sc_cw_commented(m->arena, text, SC_CW_COLUMNS - 6);
    f.comment = sg_arena_printf(m->arena, "/* %.*s */\n", SG_FMT(text));
    put_function(&f, expr_of(m, &no_rule, route->node));
}

void sc_emit_rule(sc_module *m, sc_cw *w, uint32_t index)
{
    const sc_ir_rule *rule = &m->ir->rules.items[index];
    function f = {.m = m, .w = w};

    for (uint32_t i = 0; i < rule->sel_count; i++) {
        const uint32_t id = rule->sel_first + i;
        const sc_ir_sel *sel = &m->ir->sels.items[id];
        f.name = m->sels[id];
        if (f.name.len == 0)
            continue;
        f.parts = 0;
        f.linked = m->part != NULL && m->slots[id] != SIGMA_NONE;
        f.comment = sel_comment(m, sel);
        put_function(&f, expr_of(m, rule, sel->node));
    }
    f.name = m->rules[index];
    f.parts = 0;
    f.linked = m->part != NULL;
    f.comment = rule_comment(m, rule);
    put_function(&f, expr_of(m, rule, rule->node));
}

void sc_emit_routes(sc_module *m, sc_cw *w)
{
    for (uint32_t i = 0; i < m->ir->routes.count; i++)
        emit_route(m, w, i);
}

void sc_emit_functions(sc_module *m, sc_cw *w)
{
    for (uint32_t i = 0; i < m->ir->rules.count; i++)
        sc_emit_rule(m, w, i);
}
