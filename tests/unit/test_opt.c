/*
 * test_opt.c - each pass by its dump, and the whole by its verdicts: the
 * oracle says the same before and after.
 */
#include "support/test.h"

#include "opt/opt.h"
#include "support/lower.h"

/* All passes but those named. */
static uint32_t all_but(const char *names)
{
    static const char *const known[] = {"share", "fold",  "litset",
                                        "order", "count", "gate"};
    uint32_t bits = 0;
    size_t i;

    for (i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        const uint32_t bit = sc_opt_bit(sg_str_of(known[i]));

        CHECK(bit != 0);
        if (strstr(names, known[i]) == NULL)
            bits |= bit;
    }
    return bits;
}

typedef struct opt_case {
    const char *passes;
    const char *detection;
    const char *dump;
} opt_case;

static void test_passes(void)
{
    static const opt_case cases[] = {
        {"share",
         "  s: [{A: x, B: y}, {A: x, B: y}]\n"
         "  t: {B: y}\n"
         "  condition: s or s and t\n",
         "field f0 \"A\" pred\n"
         "field f1 \"B\" pred\n"
         "pred p0 f0 eq {\"x\"}\n"
         "pred p1 f1 eq {\"y\"}\n"
         "node n2 and p0 p1\n"
         "node n3 or n2 n2\n"
         "node n6 and s0 s1\n"
         "node n7 or s0 n6\n"
         "rule r0 n7 \"r\"\n"
         "sel  s0 n3 \"s\"\n"
         "sel  s1 p1 \"t\"\n"},
        {"share fold",
         "  s: [{A: x, B: y}, {A: x, B: y}]\n"
         "  t: {B: y}\n"
         "  u: {C|neq: z}\n"
         "  condition: not not s and (s and (t and not 1 of f*)) and not u\n",
         "field f0 \"A\" pred\n"
         "field f1 \"B\" pred\n"
         "field f2 \"C\" pred\n"
         "pred p0 f0 eq {\"x\"}\n"
         "pred p1 f1 eq {\"y\"}\n"
         "pred p2 f2 eq {\"z\"}\n"
         "node n2 and p0 p1\n"
         "node n4 not p2\n"
         "node n8 not s2\n"
         "node n9 and s0 s1 n8\n"
         "rule r0 n9 \"r\"\n"
         "sel  s0 n2 \"s\"\n"
         "sel  s1 p1 \"t\"\n"
         "sel  s2 n4 \"u\"\n"},
        {"share fold",
         "  s: {A: x}\n"
         "  condition: s or not s\n",
         "field f0 \"A\" pred\n"
         "pred p0 f0 eq {\"x\"}\n"
         "rule r0 true \"r\"\n"
         "sel  s0 p0 \"s\"\n"},
        {"litset",
         "  s: {A: [z, x*, y, 'Y', 3, 2], B|contains|all: [p, q]}\n"
         "  t: {A: [y, z]}\n"
         "  u: [{A: y}, {C|cased: y}, {A: z}, {C: y}]\n"
         "  condition: 1 of them\n",
         "field f0 \"A\" pred\n"
         "field f1 \"B\" pred\n"
         "field f2 \"C\" pred\n"
         "pred p0 f0 eq {\"y\" \"z\"}\n"
         "pred p1 f0 starts {\"x\"}\n"
         "pred p2 f0 num {2 3}\n"
         "pred p3 f1 contains {\"p\"}\n"
         "pred p4 f1 contains {\"q\"}\n"
         "pred p5 f2 eq cased {\"y\"}\n"
         "pred p6 f2 eq {\"y\"}\n"
         "node n3 or p0 p1 p2\n"
         "node n6 and p3 p4\n"
         "node n7 and n3 n6\n"
         "node n10 or p0 p5 p6\n"
         "node n14 or s0 s1 s2\n"
         "rule r0 n14 \"r\"\n"
         "sel  s0 n7 \"s\"\n"
         "sel  s1 p0 \"t\"\n"
         "sel  s2 n10 \"u\"\n"},
        {"order",
         "  s: {A|re: x, B|contains: abcdef, C: y}\n"
         "  t: {D: z}\n"
         "  condition: s and t\n",
         "field f0 \"A\" pred\n"
         "field f1 \"B\" pred\n"
         "field f2 \"C\" pred\n"
         "field f3 \"D\" pred\n"
         "pred p0 f2 eq {\"y\"}\n"
         "pred p1 f1 contains {\"abcdef\"}\n"
         "pred p2 f0 regex {\"x\"}\n"
         "pred p3 f3 eq {\"z\"}\n"
         "node n3 and p0 p1 p2\n"
         "node n7 and s1 s0\n"
         "rule r0 n7 \"r\"\n"
         "sel  s0 n3 \"s\"\n"
         "sel  s1 p3 \"t\"\n"},
    };
    sg_buf have = {0};
    size_t i;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        lowered *l = lower_detection(cases[i].detection);

        sc_opt_run(l->ir, all_but(cases[i].passes));
        sc_ir_verify(l->ir);
        CHECK_STR(lower_dump(l, &have), sg_str_of(cases[i].dump));
        lower_free(l);
    }
    sg_buf_free(&have);
}

typedef struct gate_case {
    const char *detection;
    const char *gate; /* operands of the gate, "" for none */
    sc_gate_why why;
} gate_case;

static void put_gate(const sc_ir *ir, sg_buf *out)
{
    const sc_ir_rule *r = &ir->rules.items[0];

    for (uint32_t i = 0; i < r->gate_count; i++) {
        const uint32_t pred = ir->gates.items[r->gate_first + i];

        sg_buf_putz(out, i == 0 ? "" : "|");
        sg_buf_put(out, ir->lits.items[ir->preds.items[pred].first]);
    }
}

/* Whether one of these predicates holds, by the oracle. */
static bool any_holds(const sc_ir *ir, uint32_t first, uint32_t count,
                      const sc_ref_event *event)
{
    for (uint32_t i = 0; i < count; i++)
        if (sc_ref_pred(ir, ir->gates.items[first + i], event))
            return true;
    return false;
}

static bool gate_holds(const sc_ir *ir, const sc_ref_event *event)
{
    const sc_ir_rule *r = &ir->rules.items[0];

    return r->gate_count == 0 ||
           any_holds(ir, r->gate_first, r->gate_count, event);
}

/* The clauses that do not hold. */
static int count_failing(const sc_ir *ir, const sc_ref_event *event)
{
    int n = 0;

    for (uint32_t i = 0; i < ir->clauses.count; i++) {
        const sigma_clause *c = &ir->clauses.items[i];

        n += !any_holds(ir, c->gate_first, c->gate_count, event);
    }
    return n;
}

static void test_gate(void)
{
    static const gate_case cases[] = {
        {"  s: {EventID: 1, Image|endswith: \\evil.exe}\n  condition: s\n",
         "\\evil.exe", SC_GATE_found},
        {"  s: {A: x}\n  t: {B: y}\n  condition: s or t\n", "x|y",
         SC_GATE_found},
        {"  s: {A: x}\n  t: {B: y}\n  condition: s or not t\n", "",
         SC_GATE_negation},
        {"  s: {A: x, B: y}\n  t: {B: y, C: z}\n  condition: s or t\n", "x|y",
         SC_GATE_found},
        {"  s: {A: x}\n  condition: not s\n", "", SC_GATE_negation},
        {"  s: {A|re: x}\n  t: {A: y}\n  condition: s and not t\n", "x",
         SC_GATE_found},
        {"  s: {A: x}\n  t: {B: y}\n  condition: 1 of s* and not t\n", "x",
         SC_GATE_found},
        {"  s: {A: x}\n  t: {B: y}\n  condition: not s and not t\n", "",
         SC_GATE_negation},
        {"  s: {A: x}\n  condition: s and not s\n", "", SC_GATE_never},
        {"  s: {A: x}\n  condition: s or not s\n", "", SC_GATE_constant},
        /* Of two the one that ordinary values do not satisfy ... */
        {"  s: {A|endswith: .exe, B|contains: [pqab, qrst]}\n  condition: s\n",
         "pqab", SC_GATE_found},
        {"  s: {A|contains: '\\windows\\', B|contains: [ab1c, ef2g, hi3j]}\n"
         "  condition: s\n",
         "ab1c", SC_GATE_found},
        {"  s: {A: Microsoft Corporation, B: [a, b, c]}\n  condition: s\n", "a",
         SC_GATE_found},
        {"  s: {A|re: 'c:\\windows\\.', B|contains: [ab1c, ef2g]}\n"
         "  condition: s\n",
         "ab1c", SC_GATE_found},
        {"  s: {A: 'q*.exe', B|contains: [ab1c, ef2g]}\n  condition: s\n",
         "ab1c", SC_GATE_found},
        /* ... or that a scan finds. */
        {"  s: {A|contains: '<', B|contains: [ab1c, ef2g]}\n  condition: s\n",
         "ab1c", SC_GATE_found},
    };
    size_t i;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        lowered *l = lower_detection(cases[i].detection);
        sg_buf have = {0};

        sc_opt_run(l->ir, 0);
        put_gate(l->ir, &have);
        CHECK_STR(sg_buf_str(&have), sg_str_of(cases[i].gate));
        CHECK_INT(l->ir->rules.items[0].gate_why, cases[i].why);
        sg_buf_free(&have);
        lower_free(l);
    }
}

/* What a pipeline adds to each rule of a pack is said of most of its events,
 * and no gate. */
static void test_gate_in_pack(void)
{
    enum { RULES = 100 };
    sg_buf yaml = {0};

    for (int i = 0; i < RULES; i++)
        sg_buf_printf(&yaml,
                      "%stitle: r%d\nlogsource: {category: x}\ndetection:\n"
                      "  s: {platform: Win, B|endswith: [ab%d, cd%d]}\n"
                      "  condition: s\n",
                      i == 0 ? "" : "---\n", i, i, i);
    sg_buf_putc(&yaml, '\0');
    lowered *l = lower(yaml.ptr);

    CHECK_INT(l->ir->rules.count, RULES);
    sc_opt_run(l->ir, 0);
    for (uint32_t i = 0; i < l->ir->rules.count; i++) {
        const sc_ir_rule *r = &l->ir->rules.items[i];
        const uint32_t pred = l->ir->gates.items[r->gate_first];

        CHECK_INT(l->ir->preds.items[pred].op, SIGMA_OP_ENDS);
    }
    sg_buf_free(&yaml);
    lower_free(l);
}

/* "A=x|y B=z": the fields of the clauses and the operands. */
static void put_clauses(const sc_ir *ir, sg_buf *out)
{
    for (uint32_t i = 0; i < ir->clauses.count; i++) {
        const sigma_clause *c = &ir->clauses.items[i];

        for (uint32_t k = 0; k < c->gate_count; k++) {
            const sc_ir_pred *p =
                &ir->preds.items[ir->gates.items[c->gate_first + k]];
            const sg_str text = sc_op_operand(p->op) == SC_OPERAND_LITS
                                    ? ir->lits.items[p->first]
                                    : SG_S("#");

            if (k == 0)
                sg_buf_printf(out, "%s%.*s=", i == 0 ? "" : " ",
                              SG_FMT(ir->fields.items[p->field].name));
            sg_buf_printf(out, "%s%.*s", k == 0 ? "" : "|", SG_FMT(text));
        }
    }
}

static void test_clauses(void)
{
    static const struct {
        const char *detection, *clauses;
    } cases[] = {
        {"  s: {A: x, B|endswith: y}\n  condition: s\n", "A=x B=y"},
        {"  s: {A: x}\n  t: {A|startswith: y}\n  condition: s or t\n", "A=x|y"},
        {"  s: {A: x}\n  t: {B: y}\n  condition: s or t\n", ""},
        {"  s: {A: x, B: y}\n  t: {B: z, C: u}\n  condition: s or t\n",
         "B=y|z"},
        {"  s: {A: 1}\n  t: {B: y}\n  condition: s and not t\n", "A=#"},
        {"  s: {A|re: x}\n  t: {B: y}\n  condition: s and t\n", "B=y"},
        {"  s: {A: null}\n  t: {B|exists: true}\n  condition: s and t\n", ""},
        {"  s: {A|fieldref: B}\n  condition: s\n", ""},
        {"  s: [word]\n  condition: s\n", ""},
        {"  s: {A: x}\n  condition: s or not s\n", ""},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        lowered *l = lower_detection(cases[i].detection);
        sg_buf have = {0};

        sc_opt_run(l->ir, 0);
        sc_ir_verify(l->ir);
        put_clauses(l->ir, &have);
        CHECK_STR(sg_buf_str(&have), sg_str_of(cases[i].clauses));
        sg_buf_free(&have);
        lower_free(l);
    }
}

/* One field each, so that no pass joins them. */
static void put_alternatives(sg_buf *out, unsigned count)
{
    sg_buf_putz(out, "  s:\n");
    for (unsigned i = 0; i < count; i++)
        sg_buf_printf(out, "    - F%u: x\n", i);
    sg_buf_putz(out, "  condition: s\n");
}

static void test_gate_of_many(void)
{
    static const struct {
        unsigned alternatives, gate;
        uint32_t disabled;
        sc_gate_why why;
    } rows[] = {
        {256, 256, 0, SC_GATE_found},
        {257, 0, 0, SC_GATE_many},
        {2, 0, UINT32_MAX, SC_GATE_off},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        sg_buf text = {0};

        put_alternatives(&text, rows[i].alternatives);
        sg_buf_putc(&text, '\0');
        lowered *l = lower_detection(text.ptr);

        sc_opt_run(l->ir, rows[i].disabled);
        CHECK_INT(l->ir->rules.items[0].gate_count, rows[i].gate);
        CHECK_INT(l->ir->rules.items[0].gate_why, rows[i].why);
        sg_buf_free(&text);
        lower_free(l);
    }
}

/* -------- costs ---------------------------------------------------------- */

static void test_costs(void)
{
    static const struct {
        const char *detection;
        sc_cost_class class;
        sc_index_why why;
        unsigned preds;
    } rows[] = {
        {"  s: {A: abcd, B|contains: x}\n  condition: s\n", SC_COST_indexed,
         SC_INDEX_found, 2},
        {"  s: {A: abc}\n  condition: s\n", SC_COST_indexed, SC_INDEX_found, 1},
        {"  s: {A|contains: ab}\n  condition: s\n", SC_COST_indexed,
         SC_INDEX_found, 1},
        {"  s: {A|contains: a}\n  condition: s\n", SC_COST_indexed,
         SC_INDEX_found, 1},
        {"  s: [abc]\n  condition: s\n", SC_COST_gated, SC_INDEX_short, 1},
        {"  s: {A: a*bcde?f}\n  condition: s\n", SC_COST_indexed,
         SC_INDEX_found, 1},
        {"  s: ['a*b?cd']\n  condition: s\n", SC_COST_gated, SC_INDEX_short, 1},
        {"  s: {A: '*?*'}\n  condition: s\n", SC_COST_gated, SC_INDEX_short, 1},
        {"  s: {A|re: '(?i)\\sabcd?e'}\n  condition: s\n", SC_COST_indexed,
         SC_INDEX_found, 1},
        {"  s: {A|re: [abcd, 'a\\d', '[^a]{20}', '`']}\n  condition: s\n",
         SC_COST_indexed, SC_INDEX_found, 1},
        {"  s: {A|re: [abcd, 'a\\W']}\n  condition: s\n", SC_COST_gated,
         SC_INDEX_regex, 1},
        {"  s: {'|re': '[^a]{20}'}\n  condition: s\n", SC_COST_gated,
         SC_INDEX_regex, 1},
        {"  s: {A: 17}\n  condition: s\n", SC_COST_indexed, SC_INDEX_found, 1},
        {"  s: {A: 1.5}\n  condition: s\n", SC_COST_gated, SC_INDEX_fraction,
         1},
        {"  s: {A|gt: 17}\n  condition: s\n", SC_COST_gated, SC_INDEX_operator,
         1},
        {"  s: {A|cidr: 10.0.0.0/8}\n  condition: s\n", SC_COST_gated,
         SC_INDEX_operator, 1},
        {"  s: {A: abcd}\n  t: {B: efgh}\n  condition: not s and not t\n",
         SC_COST_open, SC_INDEX_found, 2},
        {"  s: {A: abcd}\n  t: {A: abcd}\n  condition: s or t\n",
         SC_COST_indexed, SC_INDEX_found, 1},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        lowered *l = lower_detection(rows[i].detection);
        sg_arena arena = {0};
        sc_rule_cost cost;

        sc_opt_run(l->ir, 0);
        sc_opt_costs(l->ir, &arena, &cost);
        CHECK_INT(cost.class, rows[i].class);
        CHECK_INT(cost.why, rows[i].why);
        CHECK_INT(cost.pred_count, rows[i].preds);
        CHECK((cost.obstacle != SIGMA_NONE) == (cost.class == SC_COST_gated));
        CHECK(cost.work > 0);
        sg_arena_free(&arena);
        lower_free(l);
    }
}

/* -------- verdicts ------------------------------------------------------- */

static uint32_t next_random(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return *state >> 16;
}

/* A random rule over three fields and four selections. */
static void put_rule(sg_buf *out, uint32_t *seed)
{
    static const char *const mods[] = {
        "", "|contains", "|startswith", "|neq", "|re", "|cased", "|endswith"};
    static const char *const values[] = {"a", "b",  "'*'",  "null",
                                         "1", "ab", "'a?'", "true"};
    static const char *const ops[] = {" and ", " or ", " and not ", " or not "};
    int i, k;

    for (i = 0; i < 4; i++) {
        sg_buf_printf(out, "  s%d:\n", i);
        for (k = 0; k < 2; k++) {
            const uint32_t mod = next_random(seed) % 7;
            /* Modifiers of strings get strings. */
            const uint32_t v = next_random(seed) % 2;
            const uint32_t w = mod == 0 || mod == 3 ? next_random(seed) % 8 : 5;

            sg_buf_printf(out, "    %s%c%s: [%s, %s]\n", k == 0 ? "- " : "  ",
                          'A' + (int)(next_random(seed) % 2) + k * 2, mods[mod],
                          values[v], values[w]);
        }
    }
    sg_buf_putz(out, "  condition: (s0");
    for (i = 1; i < 4; i++)
        sg_buf_printf(out, "%ss%d%s", ops[next_random(seed) % 4], i,
                      i == 2 ? ")" : "");
    sg_buf_putc(out, '\n');
    sg_buf_putc(out, '\0');
}

static sc_ref_event *random_event(uint32_t *seed)
{
    static const char *const values[] = {
        "\"a\"", "\"B\"", "\"ab\"", "\"xaby\"",  "1",
        "true",  "\"1\"", "null",   "[\"a\",1]", "{}"};
    sg_buf line = {0};
    sc_ref_event *e;
    int i;

    sg_buf_putz(&line, "{\"Z\":0");
    for (i = 0; i < 4; i++)
        if (next_random(seed) % 4 != 0)
            sg_buf_printf(&line, ",\"%c\":%s", 'A' + i,
                          values[next_random(seed) % 10]);
    sg_buf_putc(&line, '}');
    e = sc_ref_event_parse(sg_buf_str(&line));
    sg_buf_free(&line);
    return e;
}

/* The oracle says the same before and after, and no match is lost: whenever a
 * rule matches, its gate and all of its clauses hold. */
static void test_verdicts(void)
{
    enum { RULES = 150, EVENTS = 40 };
    bool before[EVENTS];
    sc_ref_event *events[EVENTS];
    uint32_t seed = 7;
    int i, k, matches = 0, failing = 0;

    for (i = 0; i < EVENTS; i++)
        events[i] = random_event(&seed);
    for (k = 0; k < RULES; k++) {
        sg_buf yaml = {0};
        lowered *l;

        put_rule(&yaml, &seed);
        l = lower_detection(yaml.ptr);
        CHECK_INT(l->ir->rules.count, 1);
        for (i = 0; i < EVENTS; i++)
            before[i] = sc_ref_rule(l->ir, 0, events[i]);
        sc_opt_run(l->ir, (uint32_t)(k % 2 == 0 ? 0 : k % 32));
        for (i = 0; i < EVENTS; i++) {
            const bool after = sc_ref_rule(l->ir, 0, events[i]);
            const int missing = count_failing(l->ir, events[i]);

            matches += after;
            failing += missing;
            if (after != before[i])
                printf("  for: %s\n", yaml.ptr);
            CHECK(after == before[i]);
            CHECK(!after || (gate_holds(l->ir, events[i]) && missing == 0));
        }
        lower_free(l);
        sg_buf_free(&yaml);
    }
    CHECK(matches > RULES && matches < RULES * EVENTS - RULES);
    CHECK(failing > RULES);
    for (i = 0; i < EVENTS; i++)
        sc_ref_event_free(events[i]);
}

int main(void)
{
    CHECK_INT(sc_opt_bit(SG_S("nothing")), 0);
    test_passes();
    test_gate();
    test_gate_in_pack();
    test_clauses();
    test_gate_of_many();
    test_costs();
    test_verdicts();
    return TEST_END();
}
