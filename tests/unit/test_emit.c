/*
 * test_emit.c - emission of a hand-made IR that uses every operator, every
 * correlation type, derived fields, routes, hostile texts and expressions of
 * all shapes. Checks properties of the text; with a path as argument it writes
 * the C there, and the manifest to the second, for tests/e2e/emit.py.
 */
#include "emit/emit.h"

#include "support/test.h"

#include <inttypes.h>
#include <stdlib.h>

static sc_session session;

static sg_str hostile(uint32_t i)
{
    static const sg_str texts[] = {
        SG_LIT("Plain title"),
        SG_LIT("*/ int main(void) { return 1; } /*"),
        SG_LIT("quotes \" and \\ backslash \\"),
        SG_LIT("trigraphs ?\?/ ?\?= ?\?/"),
        SG_LIT("lines\n#error one\r\nafter\tanother"),
        SG_LIT("nul\0byte \x01\x1b[31m"),
        SG_LIT("bidi \xe2\x80\xae override \xf0\x9f\x98\x80 \xff\xfe \xc3"),
        SG_LIT(""),
        SG_LIT("clang-format off"),
        SG_LIT("%s%n%d {0} $(rm -rf /) `id`"),
        SG_LIT("\xe4\xbe\x8b\xe5\xa4\x96"),
        SG_LIT("octal 9\x01"
               "9"),
    };
    static char lengthy[10001];

    if (i % 13 == 12) {
        memset(lengthy, 'a', 10000);
        return (sg_str){lengthy, 10000};
    }
    return texts[i % 13];
}

static uint32_t add_node(sc_ir *ir, sc_node_kind kind, const uint32_t *kids,
                         uint32_t count)
{
    sc_ir_node node = {kind, ir->kids.count, count, SC_NOWHERE};

    for (uint32_t i = 0; i < count; i++)
        SG_PUSH(ir->arena, &ir->kids, kids[i]);
    SG_PUSH(ir->arena, &ir->nodes, node);
    return ir->nodes.count - 1;
}

static uint32_t add_leaf(sc_ir *ir, sc_node_kind kind, uint32_t id)
{
    sc_ir_node node = {kind, id, 1, SC_NOWHERE};

    SG_PUSH(ir->arena, &ir->nodes, node);
    return ir->nodes.count - 1;
}

static uint32_t seed = 1;

static uint32_t pick(uint32_t n)
{
    seed = seed * 1664525u + 1013904223u;
    return (seed >> 16) % n;
}

/* A random expression over leaves [0, leaves). */
static uint32_t add_expr(sc_ir *ir, sc_node_kind leaf, uint32_t leaves,
                         uint32_t depth, uint32_t width)
{
    uint32_t kids[200], count = 1 + pick(width);
    const uint32_t shape = pick(8);

    if (depth == 0 || shape == 0)
        return add_leaf(ir, leaf, pick(leaves));
    if (shape == 1) {
        kids[0] = add_expr(ir, leaf, leaves, depth - 1, width);
        return add_node(ir, SC_NODE_NOT, kids, 1);
    }
    if (shape == 2 && depth == 1)
        return add_leaf(ir, pick(2) ? SC_NODE_TRUE : SC_NODE_FALSE, 0);
    for (uint32_t i = 0; i < count; i++)
        kids[i] = add_expr(ir, leaf, leaves, depth - 1, width);
    return add_node(ir, shape & 1 ? SC_NODE_AND : SC_NODE_OR, kids, count);
}

static void add_tables(sc_ir *ir)
{
    static const sg_num nums[] = {
        {SIGMA_INT, {.i = 0}},         {SIGMA_INT, {.i = -1}},
        {SIGMA_INT, {.i = INT64_MIN}}, {SIGMA_INT, {.i = INT64_MAX}},
        {SIGMA_INT, {.i = INT32_MIN}}, {SIGMA_UINT, {.u = UINT64_MAX}},
        {SIGMA_FLOAT, {.f = 0.1}},     {SIGMA_FLOAT, {.f = -1e300}},
        {SIGMA_FLOAT, {.f = 5e-324}},
    };

    for (uint32_t i = 0; i < 13; i++) {
        sc_ir_field f = {hostile(i), i % 8};
        SG_PUSH(ir->arena, &ir->fields, f);
        SG_PUSH(ir->arena, &ir->lits, hostile(i));
        SG_PUSH(ir->arena, &ir->strs, hostile(i));
    }
    for (uint32_t i = 0; i < sizeof(nums) / sizeof(nums[0]); i++)
        SG_PUSH(ir->arena, &ir->nums, nums[i]);
    for (uint32_t i = 0; i < 3u * SIGMA_OP_COUNT; i++) {
        sc_ir_pred p = {i % 13,
                        (sigma_op)(i % SIGMA_OP_COUNT),
                        (uint8_t)(i / SIGMA_OP_COUNT),
                        0,
                        0,
                        SC_NOWHERE,
                        0};
        sc_operand kind = sc_op_operand(p.op);
        if (p.op == SIGMA_OP_TIME_EQ)
            p.flags = SIGMA_WEEK << SIGMA_F_PART_SHIFT;
        if (kind == SC_OPERAND_LITS || kind == SC_OPERAND_NUMS) {
            p.first = i % 3;
            p.count = 1 + i % 6;
        }
        SG_PUSH(ir->arena, &ir->preds, p);
    }
}

static void add_rule(sc_ir *ir, uint32_t i, uint32_t source)
{
    sc_ir_rule r = {.gate_first = ir->gates.count,
                    .gate_count = i % 3,
                    .time_field = i % 3 ? SIGMA_NONE : 2,
                    .sel_first = ir->sels.count,
                    .sel_count = 1 + i % 6,
                    .derive_first = ir->derives.count,
                    .route = i % 4 ? SIGMA_NONE : i % 3,
                    .flags = i % 5 ? 0 : SIGMA_RULE_HIDDEN};

    for (uint32_t k = 0; k < r.gate_count; k++)
        SG_PUSH(ir->arena, &ir->gates, (i + k) % 7);
    r.meta.doc = SIGMA_NONE;
    r.meta.title = hostile(i);
    r.meta.id = SG_S("6d4b7a1e");
    r.meta.level = SG_S("high");
    r.meta.tag_count = i % 3;
    r.digest = SG_S("0123456789abcdef0123456789abcdef"
                    "0123456789abcdef0123456789abcdef");
    r.condition = i % 3 ? hostile(i + 1) : SG_S("1 of port_* and\n not x \\");
    r.condition_at = (sc_span){source, i, i + 1};
    for (uint32_t k = 0; k < r.sel_count; k++) {
        sc_ir_sel sel = {hostile(i + k), 0, {source, 3, 4}, k != 2};
        if (k == 3)
            sel.at = SC_NOWHERE;
        sel.node = add_expr(ir, SC_NODE_PRED, ir->preds.count, k % 4, 1 + i);
        SG_PUSH(ir->arena, &ir->sels, sel);
    }
    r.node = add_expr(ir, SC_NODE_SEL, r.sel_count, 1 + i % 6, 4);
    if (i % 4 == 1) {
        sc_ir_derive d = {3, 0, hostile(i)};
        sc_ir_derive other = {3, SIGMA_NONE, SG_S("Unknown")};
        SG_PUSH(ir->arena, &ir->derives, d);
        SG_PUSH(ir->arena, &ir->derives, other);
        r.derive_count = 2;
    }
    SG_PUSH(ir->arena, &ir->rules, r);
}

static void add_correlation(sc_ir *ir, uint32_t type)
{
    sc_ir_corr c = {.type = (sigma_corr_type)type,
                    .flags = type & 7,
                    .timespan = INT64_C(300000000000) << type,
                    .timespan_text = SG_S("5m"),
                    .ref_first = ir->corr_refs.count,
                    .ref_count = 2,
                    .key_first = ir->keys.count,
                    .key_count = 1,
                    .source_first = ir->sources.count,
                    .value_count = 1,
                    .cond_first = ir->conds.count,
                    .cond_count = 1,
                    .expr_first = ir->exprs.count,
                    .expr_count = 3,
                    .percentile =
                        type == SIGMA_CORR_VALUE_PERCENTILE ? 99.9 : 0,
                    .column_first = ir->columns.count,
                    .column_count = 1,
                    .sort_column = type % 2 ? 0 : SIGMA_NONE,
                    .limit = type % 2 ? 100 : SIGMA_NONE,
                    .at = SC_NOWHERE};
    sigma_corr_ref inner = {type == 0 ? 0 : type - 1, type != 0};
    sigma_corr_ref rule = {type, false};
    sigma_corr_cond cond = {(sigma_cmp)(type % 6), ir->nums.items[type]};
    sc_ir_column column = {(sigma_column_kind)(type % 4), hostile(type)};

    c.meta.doc = SIGMA_NONE;
    c.meta.title = hostile(type);
    SG_PUSH(ir->arena, &ir->corr_refs, inner);
    SG_PUSH(ir->arena, &ir->corr_refs, rule);
    SG_PUSH(ir->arena, &ir->keys, hostile(type));
    for (uint32_t i = 0; i < 4; i++)
        SG_PUSH(ir->arena, &ir->sources, i == 3 ? SIGMA_NONE : i);
    SG_PUSH(ir->arena, &ir->conds, cond);
    for (uint32_t i = 0; i < 3; i++) {
        sigma_expr e = {i == 2 ? SIGMA_EXPR_AND : SIGMA_EXPR_REF, i & 1};
        SG_PUSH(ir->arena, &ir->exprs, e);
    }
    SG_PUSH(ir->arena, &ir->columns, column);
    SG_PUSH(ir->arena, &ir->corrs, c);
}

static sc_ir *make_ir(sc_session *s)
{
    sc_ir *ir = sg_new(&s->arena, sc_ir);
    sc_ir_route route = {.text = SG_S("*/ windows?\?/\n\xe2\x80\xae")};
    uint32_t source;

    ir->arena = &s->arena;
    source = sc_source_add(s, SG_S("/home/nobody/rules/x*/evil\n.yml"),
                           SG_S("title: x\n*/: \"*/ ?\?/\n"
                                "  - y: '\xe2\x80\xae'\n  - 1\nz: 1\n"));
    add_tables(ir);
    for (uint32_t i = 0; i < 3; i++) {
        route.node = add_expr(ir, SC_NODE_PRED, ir->preds.count, i, 2 + i * 9);
        SG_PUSH(ir->arena, &ir->routes, route);
    }
    for (uint32_t i = 0; i < 60; i++)
        add_rule(ir, i, source);
    for (uint32_t t = 0; t < SIGMA_CORR_COUNT; t++)
        add_correlation(ir, t);
    return ir;
}

/* -------- checks --------------------------------------------------------- */

static void check_lines(sg_str text)
{
    size_t column = 0;

    for (size_t i = 0; i < text.len; i++) {
        const unsigned char c = (unsigned char)text.ptr[i];
        if (c == '\n') {
            column = 0;
            continue;
        }
        column++;
        if (c < 0x20 || c > 0x7e || column > 100) {
            test_result(false, __FILE__, __LINE__, "printable, 100 columns");
            return;
        }
    }
    test_result(true, __FILE__, __LINE__, "");
}

static void check_paths(sg_arena *arena)
{
    static const struct {
        const char *path, *want;
    } rows[] = {
        {"rules/x.yml", "rules/x.yml"},
        {"./rules//x.yml", "rules/x.yml"},
        {"../../rules/./x.yml", "rules/x.yml"},
        {"a/../b/x.yml", "b/x.yml"},
        {"/srv/secret/rules/a/x.yml", "rules/a/x.yml"},
        {"/srv/secret/one.yml", "one.yml"},
        {"/elsewhere/deep/x.yml", "x.yml"},
        {"/", ""},
        {"", ""},
    };
    sc_emit_options o = {.name = SG_S("x")};
    sg_str roots[] = {SG_S("/srv/secret/rules/"), SG_S("/srv/secret/one.yml")};
    sc_session s;
    sc_ir ir = {.arena = arena};

    sc_session_init(&s);
    o.roots.items = roots;
    o.roots.count = 2;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        sc_manifest_file file = {.path = sg_str_of(rows[i].path)};
        sg_str want = sg_arena_printf(arena, "{\"path\":\"%s\",", rows[i].want);
        o.pipelines.items = &file;
        o.pipelines.count = 1;
        CHECK(sg_str_find(sc_emit_manifest(&s, &ir, &o), want) != SIZE_MAX);
    }
    sc_session_free(&s);
}

static bool write_file(const char *path, sg_str text)
{
    FILE *file = fopen(path, "wb");

    if (file == NULL)
        return false;
    fwrite(text.ptr, 1, text.len, file);
    return fclose(file) == 0;
}

int main(int argc, char **argv)
{
    sc_emit_options o = {.name = SG_S("all \"ops\"\n*/")};
    sc_emit_options minimal = {.name = SG_S("")};
    sg_buf first = {0}, second = {0}, empty = {0};
    sc_ir *ir, none = {0};

    sc_session_init(&session);
    ir = make_ir(&session);
    sc_emit_c(&session, ir, &o, &first);
    sc_emit_c(&session, ir, &o, &second);
    CHECK(sg_str_eq(sg_buf_str(&first), sg_buf_str(&second)));
    check_lines(sg_buf_str(&first));
    CHECK(sg_str_find(sg_buf_str(&first), SG_S("nobody")) == SIZE_MAX);
    CHECK(sg_str_find(sg_buf_str(&first), SG_S("??")) == SIZE_MAX);
    CHECK(sg_str_find(sc_emit_manifest(&session, ir, &o), SG_S("\n")) ==
          SIZE_MAX);
    check_paths(&session.arena);

    none.arena = &session.arena;
    sc_emit_c(&session, &none, &minimal, &empty);
    CHECK(sg_str_find(sg_buf_str(&empty), SG_S("sigma_detector_rules(")) !=
          SIZE_MAX);
    CHECK(sg_str_find(sg_buf_str(&empty), SG_S(".preds")) == SIZE_MAX);
    if (argc > 1)
        CHECK(write_file(argv[1], sg_buf_str(&first)));
    if (argc > 2)
        CHECK(write_file(argv[2], sg_buf_str(&empty)));
    sg_buf_free(&first);
    sg_buf_free(&second);
    sg_buf_free(&empty);
    sc_session_free(&session);
    return TEST_END();
}
