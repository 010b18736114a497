/*
 * route.c - log-source routing: what an event must not say of itself to be of
 * a rule's log source, from logsources.def. Rules that the same rows serve
 * share a route.
 */
#include "ir/ir.h"

#include "sigma/ast.h"

typedef struct row {
    sc_logsource source;
    sg_str marks;
} row;

static const row rows[] = {
#define SOURCE(product, category, service, marks)                              \
    {{SG_LIT(category), SG_LIT(product), SG_LIT(service)}, SG_LIT(marks)},
#include "ir/logsources.def"
#undef SOURCE
};

enum { ROWS = sizeof(rows) / sizeof(rows[0]) };

/* Values that fit any source. */
static const struct vague {
    sg_str field, value;
} vague[] = {
#define VAGUE(field, value) {SG_LIT(field), SG_LIT(value)},
#include "ir/logsources.def"
#undef VAGUE
};

typedef SG_VEC(uint32_t) node_ids;

typedef struct router {
    sc_ir *ir;
    sg_arena tmp;
    sg_map known;      /* rows of a route, as bytes, to its index */
    bool serves[ROWS]; /* the rule at hand */
} router;

/* -------- nodes ----------------------------------------------------------- */

static uint32_t push_node(router *r, sc_node_kind kind, uint32_t first,
                          uint32_t count)
{
    const sc_ir_node node = {kind, first, count, SC_NOWHERE};

    SG_PUSH(r->ir->arena, &r->ir->nodes, node);
    return r->ir->nodes.count - 1;
}

static uint32_t push_group(router *r, sc_node_kind kind, const node_ids *kids)
{
    const uint32_t first = r->ir->kids.count;

    if (kids->count == 1 && kind != SC_NODE_NOT)
        return kids->items[0];
    for (uint32_t i = 0; i < kids->count; i++)
        SG_PUSH(r->ir->arena, &r->ir->kids, kids->items[i]);
    return push_node(r, kind, first, kids->count);
}

static uint32_t push_pred(router *r, sc_ir_pred pred)
{
    pred.at = SC_NOWHERE;
    SG_PUSH(r->ir->arena, &r->ir->preds, pred);
    return push_node(r, SC_NODE_PRED, r->ir->preds.count - 1, 0);
}

static uint32_t field_of(router *r, sg_str name)
{
    sc_ir *ir = r->ir;
    uint32_t i = 0;

    while (i < ir->fields.count &&
           ((ir->fields.items[i].flags & SIGMA_FIELD_KEYWORDS) != 0 ||
            !sg_str_eq(ir->fields.items[i].name, name)))
        i++;
    if (i == ir->fields.count)
        SG_PUSH(ir->arena, &ir->fields, ((sc_ir_field){name, 0}));
    ir->fields.items[i].flags |= SIGMA_FIELD_PRED;
    return i;
}

/* -------- marks ----------------------------------------------------------- */

/* Cut what stands before the next `by` off a text; all of it without one. */
static sg_str cut(sg_str *text, sg_str by)
{
    const size_t at = sg_str_find(*text, by);
    const sg_str head = sg_str_sub(*text, 0, at);

    *text = at == SIZE_MAX ? SG_S("") : sg_str_sub(*text, at + 1, text->len);
    return head;
}

static void push_lit(router *r, sg_str value)
{
    char *dst = sg_arena_alloc(r->ir->arena, sg_fold_bound(value.len) + 1, 1);
    const sg_str lit = {dst, sg_fold(dst, value)};

    SG_PUSH(r->ir->arena, &r->ir->lits, lit);
}

/* The field has one of the values: numbers when the first is one. Vague ones
 * count when this speaks for the source. */
static uint32_t has_value(router *r, uint32_t field, sg_str values, bool speaks)
{
    sc_ir *ir = r->ir;
    const sg_str name = ir->fields.items[field].name;
    sc_ir_pred p = {.field = field, .op = SIGMA_OP_NUM_EQ};
    sg_str text = values;
    sg_num num;

    if (sg_num_parse(cut(&text, SG_S("|")), &num)) {
        p.first = ir->nums.count;
        while (values.len > 0 && sg_num_parse(cut(&values, SG_S("|")), &num))
            SG_PUSH(ir->arena, &ir->nums, num);
        p.count = ir->nums.count - p.first;
        return push_pred(r, p);
    }
    p.op = SIGMA_OP_EQ;
    p.first = ir->lits.count;
    while (values.len > 0)
        push_lit(r, cut(&values, SG_S("|")));
    for (size_t i = 0; speaks && i < sizeof(vague) / sizeof(vague[0]); i++)
        if (sg_str_eq(vague[i].field, name))
            push_lit(r, vague[i].value);
    p.count = ir->lits.count - p.first;
    return push_pred(r, p);
}

static uint32_t negated(router *r, uint32_t node)
{
    node_ids kids = {0};

    SG_PUSH(&r->tmp, &kids, node);
    return push_group(r, SC_NODE_NOT, &kids);
}

/* The event does not carry the field, or with one of the values; with "!" not
 * with one of the values. */
static uint32_t lower_mark(router *r, sg_str mark)
{
    sg_str name = cut(&mark, SG_S("="));

    if (sg_str_ends(name, SG_S("!"))) {
        name.len--;
        return negated(r, has_value(r, field_of(r, name), mark, false));
    }
    const uint32_t field = field_of(r, name);
    const uint32_t carried =
        push_pred(r, (sc_ir_pred){.field = field, .op = SIGMA_OP_ANY});
    node_ids kids = {0};

    SG_PUSH(&r->tmp, &kids, negated(r, carried));
    if (mark.len > 0)
        SG_PUSH(&r->tmp, &kids, has_value(r, field, mark, true));
    return push_group(r, SC_NODE_OR, &kids);
}

static uint32_t lower_row(router *r, sg_str marks)
{
    node_ids kids = {0};

    while (marks.len > 0) {
        const uint32_t kid = lower_mark(r, cut(&marks, SG_S(";")));
        SG_PUSH(&r->tmp, &kids, kid);
    }
    return push_group(r, SC_NODE_AND, &kids);
}

/* -------- routes ---------------------------------------------------------- */

/* "windows/process_creation", "zeek/dns" */
static void put_source(sg_buf *out, const sc_logsource *l)
{
    const sg_str parts[] = {l->product, l->category, l->service};
    const size_t before = out->len;

    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        if (parts[i].len == 0)
            continue;
        if (out->len > before)
            sg_buf_putc(out, '/');
        sg_buf_put(out, parts[i]);
    }
}

static bool same_source(const sc_logsource *a, const sc_logsource *b)
{
    return sc_logsource_contains(a, b) && sc_logsource_contains(b, a);
}

/* The sources of the rows, each once. */
static sg_str route_text(router *r)
{
    const sc_logsource *last = NULL;
    sg_buf out = {0};
    sg_str text;

    for (uint32_t i = 0; i < ROWS; i++) {
        if (!r->serves[i] ||
            (last != NULL && same_source(last, &rows[i].source)))
            continue;
        if (out.len > 0)
            sg_buf_putz(&out, ", ");
        last = &rows[i].source;
        put_source(&out, last);
    }
    text = sg_arena_dup(r->ir->arena, sg_buf_str(&out));
    sg_buf_free(&out);
    return text;
}

/* Any row that serves will do. */
static sc_ir_route make_route(router *r)
{
    node_ids kids = {0};

    for (uint32_t i = 0; i < ROWS; i++) {
        if (r->serves[i]) {
            const uint32_t kid = lower_row(r, rows[i].marks);
            SG_PUSH(&r->tmp, &kids, kid);
        }
    }
    return (sc_ir_route){push_group(r, SC_NODE_OR, &kids), route_text(r)};
}

static unsigned parts_set(const sc_logsource *source)
{
    return (source->category.len != 0 ? 1u : 0) +
           (source->product.len != 0 ? 1u : 0) +
           (source->service.len != 0 ? 1u : 0);
}

/* The rows that serve the rule: of those for its source the ones that say most
 * of it. */
static bool find_rows(router *r, const sc_ir_rule *rule)
{
    const sc_logsource source = {rule->category, rule->product, rule->service};
    unsigned most = 0;

    for (uint32_t i = 0; i < ROWS; i++) {
        r->serves[i] = sc_logsource_contains(&rows[i].source, &source);
        if (r->serves[i] && parts_set(&rows[i].source) > most)
            most = parts_set(&rows[i].source);
    }
    for (uint32_t i = 0; i < ROWS; i++)
        r->serves[i] = r->serves[i] && parts_set(&rows[i].source) == most;
    return most != 0;
}

void sc_ir_add_routes(sc_ir *ir)
{
    router r = {.ir = ir};

    for (uint32_t i = 0; i < ir->rules.count; i++) {
        sc_ir_rule *rule = &ir->rules.items[i];
        uint32_t *cell;
        bool found;
        if (!find_rows(&r, rule))
            continue;
        cell = sg_map_put(&r.tmp, &r.known,
                          sg_arena_dup(&r.tmp, (sg_str){(const char *)r.serves,
                                                        sizeof(r.serves)}),
                          &found);
        if (!found) {
            const sc_ir_route route = make_route(&r);
            *cell = ir->routes.count;
            SG_PUSH(ir->arena, &ir->routes, route);
        }
        rule->route = *cell;
    }
    sg_arena_free(&r.tmp);
}
