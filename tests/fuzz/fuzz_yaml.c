/*
 * fuzz_yaml.c - any bytes as a Sigma file. Properties: nothing crashes; every
 * span lies inside the source; exact scalars equal their bytes; each rejected
 * document has its error; what is shown holds no control characters.
 */
#include "yaml/ytree.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(bool holds)
{
    if (!holds)
        abort();
}

static void check_span(const sc_session *s, sc_span at)
{
    const uint32_t len = (uint32_t)s->sources.items[0].text.len;

    demand(at.source == 0 && at.beg <= at.end && at.end <= len);
}

static void check_tree(const sc_session *s, const sc_y *y, int depth)
{
    const sg_str text = s->sources.items[0].text;

    demand(depth <= SC_Y_MAX_DEPTH);
    check_span(s, y->span);
    if (y->exact)
        demand(sg_str_eq(y->text, sg_str_sub(text, y->span.beg, y->span.end)));
    for (uint32_t i = 0; i < y->count; i++) {
        if (y->kind == SC_Y_SEQ) {
            check_tree(s, y->items[i], depth + 1);
            continue;
        }
        demand(sc_y_is_scalar(y->pairs[i].key));
        check_tree(s, y->pairs[i].key, depth + 1);
        check_tree(s, y->pairs[i].value, depth + 1);
    }
}

static void check_shown(const sc_session *s)
{
    sg_buf out = {0};

    sc_diag_render(s, &out, false);
    for (size_t i = 0; i < out.len; i++)
        demand(out.ptr[i] == '\n' || (unsigned char)out.ptr[i] >= ' ');
    demand(sg_utf8_valid(sg_buf_str(&out)));
    sg_buf_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    sc_session s;
    const sc_y_doc *docs;
    uint32_t count;
    sg_buf dump = {0};

    if (size > 1 << 16)
        return 0;
    sc_session_init(&s);
    sc_source_add(&s, SG_S("fuzz.yml"), (sg_str){(const char *)data, size});
    docs = sc_yaml_parse(&s, 0, &count);
    demand(s.doc == SIGMA_NONE);
    for (uint32_t i = 0; i < count; i++) {
        check_span(&s, docs[i].at);
        check_tree(&s, docs[i].root, 0);
        sc_y_dump(&dump, docs[i].root);
        dump.len = 0;
    }
    for (uint32_t i = 0; i < s.docs.count; i++) {
        check_span(&s, s.docs.items[i].at);
        demand(!sc_doc_ok(&s, i) && s.docs.items[i].diag < s.diags.count);
    }
    check_shown(&s);
    sg_buf_free(&dump);
    sc_session_free(&s);
    return 0;
}
