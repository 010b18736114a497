/*
 * test_resolve.c - rules as a collection: references, order, cycles, what a
 * rejected rule takes with it, hidden rules, filters, selectors.
 */
#include "resolve/resolve.h"
#include "support/test.h"

#define NO_ERROR SC_CODE_COUNT

#define BASE(name)                                                             \
    "title: " name "\nname: " name "\n"                                        \
    "logsource: {product: p, category: c}\n"                                   \
    "detection: {sel: {F: 1}, condition: sel}\n---\n"
#define CORR(name, rules, more)                                                \
    "title: " name "\nname: " name "\ncorrelation:\n  type: event_count\n"     \
    "  rules: " rules "\n  timespan: 1m\n  condition: {gte: 2}\n" more "---\n"
#define FILTER(rules, logsource, condition)                                    \
    "title: f\nlogsource: " logsource "\nfilter:\n  rules: " rules "\n"        \
    "  sel: {X: 1}\n  other: {Y: 2}\n  condition: " condition "\n---\n"

struct world {
    sc_session s;
    sc_ast ast;
    sg_buf dump;
};

static void run(struct world *w, const char *text)
{
    memset(w, 0, sizeof(*w));
    sc_session_init(&w->s);
    const uint32_t id =
        sc_source_add(&w->s, SG_S("rules.yml"), sg_str_of(text));
    sc_read_source(&w->s, id, &w->ast);
    sc_resolve(&w->s, &w->ast, NULL, NULL);
    sc_ast_dump(&w->dump, &w->ast);
}

static void stop(struct world *w)
{
    sg_buf_free(&w->dump);
    sc_session_free(&w->s);
}

static bool has_code(const struct world *w, sc_code code)
{
    for (uint32_t i = 0; i < w->s.diags.count; i++) {
        if (w->s.diags.items[i].code == code)
            return true;
    }
    return false;
}

/* Names of the rules in order; hidden ones in parentheses. */
static void put_names(const struct world *w, sg_buf *out)
{
    for (uint32_t i = 0; i < w->ast.rules.count; i++) {
        const sc_rule *rule = w->ast.rules.items[i];
        sg_buf_printf(out, rule->hidden ? "(%.*s) " : "%.*s ",
                      SG_FMT(rule->name));
    }
}

static const struct {
    const char *text;
    const char *want; /* names as put_names writes them */
    sc_code code;     /* of some diagnostic, or NO_ERROR */
} collections[] = {
    {BASE("a") CORR("c", "[a]", ""), "(a) c ", NO_ERROR},
    {CORR("c", "[a]", "") BASE("a"), "(a) c ", NO_ERROR},
    {CORR("d", "[c]", "") CORR("c", "[a]", "") BASE("a"), "(a) (c) d ",
     NO_ERROR},
    {BASE("a") CORR("c", "[a]", "generate: true\n"), "a c ", NO_ERROR},
    {BASE("a") CORR("c", "[a]", "generate: true\n") CORR("d", "[a]", ""),
     "a c d ", NO_ERROR},
    {BASE("a") CORR("c", "[a]", "") CORR("d", "[a]", "generate: true\n"),
     "a c d ", NO_ERROR},
    {BASE("a") CORR("c", "[b]", ""), "a ", SC_E0551},
    {BASE("a") BASE("a") CORR("c", "[a]", ""), "a a ", SC_E0550},
    {BASE("a") BASE("a"), "a a ", SC_W0550},
    {CORR("c", "[c]", "") BASE("a"), "a ", SC_E0552},
    {CORR("c", "[d]", "") CORR("d", "[c]", "") CORR("e", "[c]", "") BASE("a"),
     "a ", SC_E0553},
    {"title: a\nname: a\nlogsource: {product: p}\ndetection: 5\n---\n" CORR(
         "c", "[a]", "") BASE("b"),
     "b ", SC_E0553},
    {"title: a\nname: a\nlogsource: {product: p}\n"
     "detection: {s: {A|expand: '%x%'}, condition: s}\n---\n" CORR(
         "c", "[a]", "") CORR("d", "[c]", "") BASE("b"),
     "b ", SC_E0553},
    {"title: a\nname: a\nid: AAAAAAAA-0000-4000-8000-00000000000A\n"
     "logsource: {product: p}\ndetection: {s: {F: 1}, condition: s}\n"
     "---\n" CORR("c", "[aaaaaaaa-0000-4000-8000-00000000000a]", ""),
     "(a) c ", NO_ERROR},
};

static void test_collections(void)
{
    for (size_t i = 0; i < sizeof(collections) / sizeof(collections[0]); i++) {
        struct world w;
        sg_buf names = {0};
        run(&w, collections[i].text);
        put_names(&w, &names);
        CHECK_STR(sg_buf_str(&names), sg_str_of(collections[i].want));
        if (collections[i].code != NO_ERROR)
            CHECK(has_code(&w, collections[i].code));
        else
            CHECK_INT(w.s.errors, 0);
        sg_buf_free(&names);
        stop(&w);
    }
}

/* Exactly the two on the cycle are called a cycle, the third depends on it. */
static void test_cycle_members(void)
{
    struct world w;
    unsigned cycle = 0, depends = 0;

    run(&w, CORR("c", "[d]", "") CORR("d", "[c]", "") CORR("e", "[c]", ""));
    for (uint32_t i = 0; i < w.s.diags.count; i++) {
        cycle += w.s.diags.items[i].code == SC_E0552;
        depends += w.s.diags.items[i].code == SC_E0553;
    }
    CHECK_INT(cycle, 2);
    CHECK_INT(depends, 1);
    stop(&w);
}

/* A chain of correlations: 64 are fine, more are not; neither recurses. */
static void test_depth(void)
{
    sg_buf text = {0};
    struct world w;

    sg_buf_putz(&text, BASE("n0"));
    for (int i = 1; i <= 70; i++)
        sg_buf_printf(&text,
                      "title: n\nname: n%d\ncorrelation: {type: event_count, "
                      "rules: [n%d], timespan: 1m, condition: {gte: 1}}\n"
                      "---\n",
                      i, i - 1);
    sg_buf_putc(&text, '\0');
    run(&w, text.ptr);
    CHECK(has_code(&w, SC_E0554));
    CHECK_INT(w.ast.rules.count, 65);
    stop(&w);
    sg_buf_free(&text);
}

static const struct {
    const char *text;
    const char *want;
} filters[] = {
    {BASE("a") FILTER("[a]", "{product: p}", "not sel"),
     "condition (\"sel\" and not \"sel\"@1)\n"},
    {BASE("a") FILTER("any", "{category: c}", "not 1 of them"),
     "condition (\"sel\" and not 1 of them@1)\n"},
    {BASE("a") FILTER("[]", "{category: c}", "other"),
     "condition (\"sel\" and \"other\"@1)\n"},
    {BASE("a") FILTER("[a]", "{product: q}", "not sel"), "condition \"sel\"\n"},
    {BASE("a") FILTER("[a]", "{product: p, service: s}", "not sel"),
     "condition \"sel\"\n"},
    {BASE("a") FILTER("[b]", "{product: p}", "not sel"), "condition \"sel\"\n"},
    {BASE("a") FILTER("[a]", "{product: p}", "not sel")
         FILTER("[a, a]", "{product: p}", "other"),
     "condition ((\"sel\" and not \"sel\"@1) and \"other\"@2)\n"},
    {"title: a\nname: a\nlogsource: {product: p}\n"
     "detection: {x: {F: 1}, y: {F: 2}, condition: [x, y]}\n---\n" FILTER(
         "[a]", "{product: p}", "not sel"),
     "condition (\"x\" and not \"sel\"@1)\n"
     "  condition (\"y\" and not \"sel\"@1)\n"},
};

static void test_filters(void)
{
    for (size_t i = 0; i < sizeof(filters) / sizeof(filters[0]); i++) {
        struct world w;
        run(&w, filters[i].text);
        CHECK_INT(w.s.errors, 0);
        const sg_str dump = sg_buf_str(&w.dump);
        const bool ok =
            sg_str_find(dump, sg_str_of(filters[i].want)) != SIZE_MAX;
        CHECK(ok);
        if (!ok)
            printf("have:\n%.*swant:\n%s\n", SG_FMT(dump), filters[i].want);
        stop(&w);
    }
}

static const struct {
    const char *pattern; /* NULL: them */
    const char *name;
    uint32_t space;
    bool want;
} selectors[] = {
    {NULL, "sel", 0, true},          {NULL, "_sel", 0, false},
    {NULL, "sel", 1, false},         {"sel*", "sel", 0, true},
    {"sel*", "sel_a", 0, true},      {"sel*", "xsel", 0, false},
    {"*b*", "abc", 0, true},         {"*b", "abc", 0, false},
    {"a*b*c", "a__b_c", 0, true},    {"a*b*c", "a__c_b", 0, false},
    {"*", "_x", 0, false},           {"_*", "_x", 0, true},
    {"_*", "x", 0, false},           {"sel", "sel", 0, true},
    {"sel", "selx", 0, false},       {"sel*", "sel_a", 2, false},
    {"x*.conf", "xy.conf", 0, true}, {"Sel*", "sel", 0, false},
};

static void test_selectors(void)
{
    for (size_t i = 0; i < sizeof(selectors) / sizeof(selectors[0]); i++) {
        const sc_selection sel = {.name = sg_str_of(selectors[i].name),
                                  .space = selectors[i].space};
        sc_cond of = {.kind = SC_COND_OF, .them = selectors[i].pattern == NULL};
        if (selectors[i].pattern != NULL)
            of.name = sg_str_of(selectors[i].pattern);
        CHECK_INT(sc_cond_selects(&of, &sel), selectors[i].want);
    }
}

static void test_empty_selector(void)
{
    struct world w;

    run(&w, "title: a\nlogsource: {product: p}\ndetection:\n"
            "  sel: {F: 1}\n  condition: sel and not 1 of filter_*\n");
    CHECK(has_code(&w, SC_W0350));
    CHECK_INT(w.s.errors, 0);
    CHECK_INT(w.ast.rules.count, 1);
    stop(&w);
}

int main(void)
{
    test_collections();
    test_cycle_members();
    test_depth();
    test_filters();
    test_selectors();
    test_empty_selector();
    return TEST_END();
}
