/*
 * budget.c - what `sigcc ci` demands of costs: findings about rules that are
 * dearer than allowed, have no gate, or a regular expression without literal
 * text. Costs are those that `sigcc check --cost` shows for the rule by itself.
 */
#include "driver/budget.h"

#include "opt/opt.h"

#include <inttypes.h>
#include <stdlib.h>

/* -------- what is allowed ------------------------------------------------- */

/* A number of short comparisons: digits, perhaps with a fraction. */
static bool read_number(sg_str text, double *out)
{
    sg_num n;

    if (!sg_num_parse(text, &n) || sg_num_double(n) < 0)
        return false;
    *out = sg_num_double(n);
    return true;
}

bool sc_budget_read(const sc_options *o, sc_budget *out)
{
    sc_cost_class class;
    sg_buf shown = {0};

    *out = (sc_budget){.gate = o->require_gate,
                       .literal = o->require_regex_literal,
                       .class = SC_COST_CLASSES,
                       .work = -1};
    if (o->max_cost.len == 0 || read_number(o->max_cost, &out->work))
        return true;
    if (sc_cost_class_find(o->max_cost, &class)) {
        out->class = class;
        return true;
    }
    sc_put_safe(&shown, o->max_cost);
    sc_fail(0,
            "--max-cost takes indexed, gated, open or a number of short "
            "comparisons, not '%.*s'\nTry 'sigcc ci --help'.",
            SG_FMT(sg_buf_str(&shown)));
    sg_buf_free(&shown);
    return false;
}

/* -------- judging --------------------------------------------------------- */

/* Where the condition begins: the text of the place is no part of what tells
 * findings apart. */
static sc_span place_of(const sc_ir_rule *rule)
{
    sc_span at = rule->condition_at;

    at.end = at.beg;
    return at;
}

static void put_gate(sc_session *s, const sc_ir *ir, const sc_rule_cost *cost,
                     sg_buf *text)
{
    text->len = 0;
    sc_cost_put_gate(s, ir, cost, text);
}

static void judge_cost(sc_session *s, const sc_ir *ir, const sc_rule_cost *cost,
                       const sc_budget *b)
{
    const uint32_t doc = ir->rules.items[cost->rule].meta.doc;
    const sc_span at = place_of(&ir->rules.items[cost->rule]);
    sg_buf why = {0};

    put_gate(s, ir, cost, &why);
    if (b->class != SC_COST_CLASSES && cost->class > b->class)
        sc_fault(s, doc, SC_E1003, at,
                 "the rule is %s, and at most %s is "
                 "allowed; %.*s",
                 sc_cost_class_name(cost->class), sc_cost_class_name(b->class),
                 SG_FMT(sg_buf_str(&why)));
    else if (b->work >= 0 && cost->work > b->work)
        sc_fault(s, doc, SC_E1003, at,
                 "the rule costs %.1f, and at most %.1f is allowed; %.*s",
                 cost->work, b->work, SG_FMT(sg_buf_str(&why)));
    sg_buf_free(&why);
}

static void judge_gate(sc_session *s, const sc_ir *ir, const sc_rule_cost *cost)
{
    const sc_ir_rule *rule = &ir->rules.items[cost->rule];
    sg_buf why = {0};

    if (rule->gate_count > 0)
        return;
    put_gate(s, ir, cost, &why);
    sc_fault(s, rule->meta.doc, SC_E1004,
             rule->gate_at.source < s->sources.count ? rule->gate_at
                                                     : place_of(rule),
             "%.*s", SG_FMT(sg_buf_str(&why)));
    sg_buf_free(&why);
}

static void judge_regexes(sc_session *s, const sc_ir *ir,
                          const sc_rule_cost *cost)
{
    const sc_ir_rule *rule = &ir->rules.items[cost->rule];
    const uint32_t n = sc_cost_bare_regexes(ir, cost);

    if (n > 0)
        sc_fault(s, rule->meta.doc, SC_E1005, place_of(rule),
                 "%" PRIu32 " regular expression%s of the rule %s no byte "
                 "that every match has",
                 n, n == 1 ? "" : "s", n == 1 ? "has" : "have");
}

void sc_budget_judge(sc_session *s, const sc_ir *ir, const sc_rule_cost *costs,
                     const bool *docs, const sc_budget *b)
{
    for (uint32_t i = 0; i < ir->rules.count; i++) {
        if (!docs[ir->rules.items[costs[i].rule].meta.doc])
            continue;
        judge_cost(s, ir, &costs[i], b);
        if (b->gate)
            judge_gate(s, ir, &costs[i]);
        if (b->literal)
            judge_regexes(s, ir, &costs[i]);
    }
}
