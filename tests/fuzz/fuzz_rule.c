/*
 * fuzz_rule.c - reading a source: whatever the bytes, every document ends up
 * accepted, skipped, or rejected with an error of its own, and reading is
 * repeatable. Input: a YAML file.
 */
#include "sigma/reader.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_docs(const sc_session *s, const sc_ast *ast)
{
    uint32_t good = 0;

    for (uint32_t i = 0; i < s->docs.count; i++) {
        const sc_doc *doc = &s->docs.items[i];

        good += doc->status == SC_DOC_OK;
        if ((doc->status == SC_DOC_REJECTED) != (doc->diag < s->diags.count))
            abort();
    }
    if (good != ast->rules.count + ast->filters.count)
        abort();
}

static void read_and_dump(sg_str text, sg_buf *out)
{
    sc_session s;
    sc_ast ast = {0};

    sc_session_init(&s);
    sc_read_source(&s, sc_source_add(&s, SG_S("x.yml"), text), &ast);
    check_docs(&s, &ast);
    sc_ast_dump(out, &ast);
    sc_diag_render(&s, out, false);
    sc_session_free(&s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const sg_str text = {(const char *)data, size};
    sg_buf first = {0}, again = {0};

    if (size > 1 << 16)
        return 0;
    read_and_dump(text, &first);
    read_and_dump(text, &again);
    if (!sg_str_eq(sg_buf_str(&first), sg_buf_str(&again)))
        abort();
    sg_buf_free(&first);
    sg_buf_free(&again);
    return 0;
}
