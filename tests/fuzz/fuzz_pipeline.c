/*
 * fuzz_pipeline.c - any bytes as a pipeline over a fixed set of rules. What is
 * accepted must resolve; and a rule that comes out has only sound parts: no
 * item without values, no placeholder left, no condition on nothing.
 */
#include "resolve/resolve.h"

#include <stdlib.h>

static const char rules[] =
    "title: a\nname: a\nid: 0\nlogsource: {product: windows, category: c}\n"
    "fields: [A, B]\ndetection:\n"
    "  one: {A|contains: ['x\\', y], B: 1, C|re: 'a.*'}\n"
    "  two: [k, '*w', 5]\n"
    "  three: {D|expand: '%p%', E|fieldref: A, F: null, G|neq: [t, u]}\n"
    "  four: {Hashes|contains: ['MD5=0', 'SHA1=1'], H|windash: ' -z'}\n"
    "  condition: one or (two and not three) or 1 of f*\n---\n"
    "title: b\nname: b\ncorrelation:\n  type: value_count\n  rules: [a]\n"
    "  group-by: [A, z]\n  timespan: 1m\n  aliases: {z: {a: B}}\n"
    "  condition: {field: C, gte: 2}\n";

static void check_value(const sc_value *v)
{
    if (v->kind == SC_V_EXPANSION && v->kids.count == 0)
        abort();
    if ((v->kind == SC_V_STRING || v->kind == SC_V_REGEX) &&
        sc_pattern_has_placeholder(&v->pattern))
        abort();
    for (uint32_t i = 0; i < v->kids.count; i++)
        check_value(&v->kids.items[i]);
}

static void check_det(const sc_det *det)
{
    if (det->kind == SC_DET_ITEM) {
        if (det->item->values.count == 0)
            abort();
        for (uint32_t i = 0; i < det->item->values.count; i++)
            check_value(&det->item->values.items[i]);
        return;
    }
    if (det->kids.count == 0)
        abort();
    for (uint32_t i = 0; i < det->kids.count; i++)
        check_det(det->kids.items[i]);
}

static void check_ast(const sc_ast *ast)
{
    for (uint32_t i = 0; i < ast->rules.count; i++) {
        const sc_rule *rule = ast->rules.items[i];
        for (uint32_t k = 0; k < rule->selections.count; k++) {
            if (rule->selections.items[k].det != NULL)
                check_det(rule->selections.items[k].det);
        }
        if (rule->correlation == NULL && rule->conditions.count == 0)
            abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    sc_session s;
    sc_ast ast = {0};
    sc_pipelines pipes = {0};
    sg_buf out = {0};

    sc_session_init(&s);
    const sg_str text =
        sg_arena_dup(&s.arena, (sg_str){(const char *)data, size});
    sc_read_source(&s, sc_source_add(&s, SG_S("rules"), sg_str_of(rules)),
                   &ast);
    if (ast.rules.count != 2)
        abort();
    if (sc_pipeline_read(&s, sc_source_add(&s, SG_S("pipe"), text), &pipes)) {
        sc_resolve(&s, &ast, &pipes, NULL);
        check_ast(&ast);
    }
    sc_ast_dump(&out, &ast);
    sc_diag_render(&s, &out, false);
    sg_buf_free(&out);
    sc_session_free(&s);
    return 0;
}
