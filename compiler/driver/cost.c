/*
 * cost.c - `sigcc check --cost`: what the optimiser thinks of each rule, the
 * dearest first, as a table or as JSON.
 */
#include "driver/driver.h"
#include "match/match.h"
#include "opt/opt.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { ROWS = 40 }; /* of the table */

typedef struct named {
    const char *name, *doc;
} named;

static const named classes[SC_COST_CLASSES] = {
#define COST_CLASS(name, doc) {#name, doc},
#include "opt/cost_classes.def"
#undef COST_CLASS
};

static const named gate_whys[SC_GATE_WHYS] = {
#define GATE_WHY(name, doc) {#name, doc},
#include "ir/gate_reasons.def"
#undef GATE_WHY
};

static const named index_whys[SC_INDEX_WHYS] = {
#define INDEX_WHY(name, doc) {#name, doc},
#include "opt/index_reasons.def"
#undef INDEX_WHY
};

/* What the rules have in regular expressions. */
typedef struct regexes {
    uint32_t count, automaton, required;
} regexes;

typedef struct totals {
    uint32_t classes[SC_COST_CLASSES];
    uint32_t gate_whys[SC_GATE_WHYS];
    uint32_t index_whys[SC_INDEX_WHYS];
    regexes regexes;
} totals;

typedef struct report {
    sc_session *s;
    const sc_ir *ir;
    sg_buf *out;
    sc_rule_cost *costs; /* dearest first */
    totals totals;
} report;

/* -------- facts ---------------------------------------------------------- */

static int dearest_first(const void *a, const void *b)
{
    const sc_rule_cost *x = a, *y = b;

    if (x->work != y->work)
        return x->work < y->work ? 1 : -1;
    return x->rule < y->rule ? -1 : x->rule > y->rule;
}

static sg_str field_name(const report *r, uint32_t field)
{
    const sc_ir_field *f = &r->ir->fields.items[field];

    return (f->flags & SIGMA_FIELD_KEYWORDS) != 0 ? SG_S("(keywords)")
                                                  : f->name;
}

static bool has_texts(const sc_ir_pred *p)
{
    return sc_op_operand(p->op) == SC_OPERAND_LITS && p->op != SIGMA_OP_REGEX &&
           p->op != SIGMA_OP_CIDR;
}

static sr_regex_facts facts_of(const report *r, const sc_ir_pred *p, uint32_t i)
{
    const sg_str pattern = r->ir->lits.items[p->first + i];
    sr_regex_facts facts = {false, -1};
    char reason[256];
    size_t offset;
    sr_regex *regex =
        sr_regex_compile(pattern, p->flags, reason, sizeof reason, &offset);

    if (regex != NULL)
        facts = sr_regex_describe(regex);
    sr_regex_free(regex);
    return facts;
}

static regexes regexes_of(const report *r, const sc_rule_cost *c)
{
    regexes n = {0};

    for (uint32_t i = 0; i < c->pred_count; i++) {
        const sc_ir_pred *p = &r->ir->preds.items[c->preds[i]];

        for (uint32_t k = 0; p->op == SIGMA_OP_REGEX && k < p->count; k++) {
            const sr_regex_facts facts = facts_of(r, p, k);

            n.count++;
            n.automaton += facts.linear;
            n.required += facts.required >= 0;
        }
    }
    return n;
}

/* The shortest text of a predicate: what events hold most easily. */
static sg_str shortest(const sc_ir *ir, const sc_ir_pred *p)
{
    sg_str best = {NULL, 0};

    for (uint32_t i = 0; i < p->count; i++) {
        const sg_str text = sc_pred_text(ir, p, i);

        if (best.ptr == NULL || text.len < best.len)
            best = text;
    }
    return best;
}

static uint32_t line_of(const sc_session *s, sc_span at)
{
    uint32_t line = 0;
    uint32_t column;

    if (at.source < s->sources.count)
        sc_source_pos(s, at.source, at.beg, &line, &column);
    return line;
}

static void add_up(report *r)
{
    for (uint32_t i = 0; i < r->ir->rules.count; i++) {
        const sc_rule_cost *c = &r->costs[i];
        const sc_ir_rule *rule = &r->ir->rules.items[c->rule];
        const regexes n = regexes_of(r, c);

        r->totals.classes[c->class]++;
        r->totals.gate_whys[rule->gate_why] += rule->gate_count == 0;
        r->totals.index_whys[c->why] += c->obstacle != SIGMA_NONE;
        r->totals.regexes.count += n.count;
        r->totals.regexes.automaton += n.automaton;
        r->totals.regexes.required += n.required;
    }
}

/* -------- table ---------------------------------------------------------- */

/* "Image ends 'x.exe' and 3 more", "EventID num 4711". */
static void put_pred(report *r, uint32_t pred)
{
    const sc_ir_pred *p = &r->ir->preds.items[pred];
    const bool numbers = sc_op_operand(p->op) == SC_OPERAND_NUMS;
    char number[SG_NUM_TEXT];

    sc_put_safe(r->out, field_name(r, p->field));
    sg_buf_printf(r->out, " %s", sc_op_text(p->op));
    if (!numbers && !has_texts(p))
        return;
    if (numbers) {
        (void)sg_num_text(r->ir->nums.items[p->first], number);
        sg_buf_printf(r->out, " %s", number);
    } else {
        sg_buf_putz(r->out, " '");
        sc_put_safe(r->out, shortest(r->ir, p));
        sg_buf_putc(r->out, '\'');
    }
    if (p->count > 1)
        sg_buf_printf(r->out, " and %" PRIu32 " more", p->count - 1);
}

static void put_gate(report *r, const sc_rule_cost *c)
{
    const sc_ir_rule *rule = &r->ir->rules.items[c->rule];

    if (rule->gate_count == 0) {
        sg_buf_printf(r->out, "no gate: %s", gate_whys[rule->gate_why].doc);
        if (line_of(r->s, rule->gate_at) != 0)
            sg_buf_printf(r->out, " (line %" PRIu32 ")",
                          line_of(r->s, rule->gate_at));
        return;
    }
    if (c->obstacle != SIGMA_NONE) {
        sg_buf_printf(r->out, "no scan finds it: %s, ", index_whys[c->why].doc);
        put_pred(r, c->obstacle);
    } else {
        put_pred(r, r->ir->gates.items[rule->gate_first]);
        if (rule->gate_count > 1)
            sg_buf_printf(r->out, ", or %" PRIu32 " more",
                          rule->gate_count - 1);
    }
}

static void put_row(report *r, const sc_rule_cost *c)
{
    const regexes n = regexes_of(r, c);

    sg_buf_printf(
        r->out, "%8.1f  %-8s %5" PRIu32 " %5" PRIu32 " %5" PRIu32 "  ", c->work,
        classes[c->class].name, c->pred_count, n.count, n.count - n.automaton);
    sc_put_safe(r->out, r->ir->rules.items[c->rule].meta.title);
    sg_buf_putz(r->out, "\n          ");
    put_gate(r, c);
    sg_buf_putc(r->out, '\n');
}

/* Those that are not 0, under a heading. */
static void put_section(sg_buf *out, const char *heading,
                        const uint32_t *counts, const named *names, unsigned n)
{
    bool any = false;

    for (unsigned i = 0; i < n; i++) {
        if (counts[i] == 0)
            continue;
        sg_buf_printf(out, "%s%s%8" PRIu32 "  %s\n", any ? "" : heading,
                      any ? "" : "\n", counts[i], names[i].doc);
        any = true;
    }
}

static void put_totals(report *r)
{
    const totals *t = &r->totals;

    put_section(r->out, "\n   rules", t->classes, classes, SC_COST_CLASSES);
    put_section(r->out, "\n   rules whose gate no scan finds, as it has",
                t->index_whys, index_whys, SC_INDEX_WHYS);
    put_section(r->out, "\n   rules without a gate, since", t->gate_whys,
                gate_whys, SC_GATE_WHYS);
    sg_buf_printf(r->out,
                  "\nRegular expressions: %" PRIu32
                  ", with an automaton %" PRIu32 ", for PCRE2 alone %" PRIu32
                  ", with a byte that any match needs %" PRIu32 "\n",
                  t->regexes.count, t->regexes.automaton,
                  t->regexes.count - t->regexes.automaton, t->regexes.required);
}

static void put_table(report *r)
{
    const uint32_t count = r->ir->rules.count;

    sg_buf_putz(r->out, "    work  class    preds regex pcre2  rule, and how "
                        "events find it\n");
    for (uint32_t i = 0; i < count && i < ROWS; i++)
        put_row(r, &r->costs[i]);
    if (count > ROWS)
        sg_buf_printf(r->out,
                      "%8" PRIu32 "  more rules, none dearer: --cost=json "
                      "has all\n",
                      count - ROWS);
    put_totals(r);
}

/* -------- JSON ----------------------------------------------------------- */

static void put_key(sg_buf *out, const char *name, sg_str text)
{
    sg_buf_printf(out, "\"%s\":", name);
    sg_buf_put_json(out, text);
}

static void put_regexes_json(report *r, const sc_ir_pred *p)
{
    sg_buf_putz(r->out, ",\"regexes\":[");
    for (uint32_t i = 0; i < p->count; i++) {
        const sr_regex_facts facts = facts_of(r, p, i);
        const char byte = (char)facts.required;

        sg_buf_printf(r->out,
                      "%s{\"engine\":\"%s\",\"required\":", i > 0 ? "," : "",
                      facts.linear ? "automaton" : "pcre2");
        if (facts.required < 0)
            sg_buf_putz(r->out, "null");
        else
            sg_buf_put_json(r->out, (sg_str){&byte, 1});
        sg_buf_putc(r->out, '}');
    }
    sg_buf_putc(r->out, ']');
}

static void put_pred_json(report *r, uint32_t pred)
{
    const sc_ir_pred *p = &r->ir->preds.items[pred];

    sg_buf_putc(r->out, '{');
    put_key(r->out, "field", field_name(r, p->field));
    sg_buf_printf(r->out, ",\"op\":\"%s\",\"operands\":%" PRIu32,
                  sc_op_text(p->op), p->count);
    if (has_texts(p)) {
        sg_buf_putc(r->out, ',');
        put_key(r->out, "shortest", shortest(r->ir, p));
    }
    if (p->op == SIGMA_OP_REGEX)
        put_regexes_json(r, p);
    sg_buf_putc(r->out, '}');
}

static void put_preds_json(report *r, const char *name, const uint32_t *preds,
                           uint32_t count)
{
    sg_buf_printf(r->out, ",\"%s\":[", name);
    for (uint32_t i = 0; i < count; i++) {
        if (i > 0)
            sg_buf_putc(r->out, ',');
        put_pred_json(r, preds[i]);
    }
    sg_buf_putc(r->out, ']');
}

static void put_rule_json(report *r, const sc_rule_cost *c)
{
    const sc_ir_rule *rule = &r->ir->rules.items[c->rule];

    sg_buf_putc(r->out, '{');
    put_key(r->out, "path", r->s->docs.items[rule->meta.doc].path);
    sg_buf_putc(r->out, ',');
    put_key(r->out, "id", rule->meta.id);
    sg_buf_putc(r->out, ',');
    put_key(r->out, "title", rule->meta.title);
    sg_buf_printf(r->out, ",\"class\":\"%s\",\"work\":%.2f",
                  classes[c->class].name, c->work);
    if (rule->gate_count == 0)
        sg_buf_printf(
            r->out, ",\"no_gate\":{\"reason\":\"%s\",\"line\":%" PRIu32 "}",
            gate_whys[rule->gate_why].name, line_of(r->s, rule->gate_at));
    if (c->obstacle != SIGMA_NONE) {
        sg_buf_printf(r->out, ",\"no_scan\":{\"reason\":\"%s\",\"predicate\":",
                      index_whys[c->why].name);
        put_pred_json(r, c->obstacle);
        sg_buf_putc(r->out, '}');
    }
    put_preds_json(r, "gate", r->ir->gates.items + rule->gate_first,
                   rule->gate_count);
    put_preds_json(r, "predicates", c->preds, c->pred_count);
    sg_buf_putc(r->out, '}');
}

static void put_counts_json(report *r)
{
    const totals *t = &r->totals;

    sg_buf_printf(r->out, "],\"summary\":{\"rules\":%" PRIu32,
                  r->ir->rules.count);
    for (unsigned i = 0; i < SC_COST_CLASSES; i++)
        sg_buf_printf(r->out, ",\"%s\":%" PRIu32, classes[i].name,
                      t->classes[i]);
    sg_buf_printf(r->out,
                  ",\"regexes\":%" PRIu32 ",\"automata\":%" PRIu32
                  ",\"with_required_byte\":%" PRIu32 "}}\n",
                  t->regexes.count, t->regexes.automaton, t->regexes.required);
}

static void put_json(report *r)
{
    sg_buf_putz(r->out, "{\"schema\":\"sigcc.cost/1\",\"rules\":[");
    for (uint32_t i = 0; i < r->ir->rules.count; i++) {
        if (i > 0)
            sg_buf_putz(r->out, ",\n");
        put_rule_json(r, &r->costs[i]);
    }
    put_counts_json(r);
}

/* -------- all of it ------------------------------------------------------ */

const char *sc_cost_class_name(sc_cost_class class)
{
    return classes[class].name;
}

bool sc_cost_class_find(sg_str name, sc_cost_class *out)
{
    for (unsigned i = 0; i < SC_COST_CLASSES; i++) {
        if (!sg_str_eq(name, sg_str_of(classes[i].name)))
            continue;
        *out = (sc_cost_class)i;
        return true;
    }
    return false;
}

void sc_cost_put_gate(sc_session *s, const sc_ir *ir, const sc_rule_cost *cost,
                      sg_buf *out)
{
    report r = {.s = s, .ir = ir, .out = out};

    put_gate(&r, cost);
}

uint32_t sc_cost_bare_regexes(const sc_ir *ir, const sc_rule_cost *cost)
{
    const report r = {.ir = ir};
    const regexes n = regexes_of(&r, cost);

    return n.count - n.required;
}

static void cost_put(sc_session *s, const sc_ir *ir, bool json, sg_buf *out)
{
    const uint32_t count = ir->rules.count;
    report r = {.s = s, .ir = ir, .out = out};

    r.costs = sg_new_n(&s->arena, sc_rule_cost, (size_t)count + 1);
    sc_opt_costs(ir, &s->arena, r.costs);
    qsort(r.costs, count, sizeof(*r.costs), dearest_first);
    add_up(&r);
    if (json)
        put_json(&r);
    else
        put_table(&r);
}

void sc_cost_print(sc_session *s, const sc_ir *ir, bool json)
{
    sg_buf text = {0};

    cost_put(s, ir, json, &text);
    fwrite(text.ptr, 1, text.len, stdout);
    sg_buf_free(&text);
}
