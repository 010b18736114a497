/*
 * fuzz_pattern.c - printing a Sigma string and parsing it again gives the same
 * tokens, and tokens are in normal form. Input: a flag byte, then the text.
 */
#include "sigma/reader.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_same(const sc_pattern *a, const sc_pattern *b)
{
    if (a->toks.count != b->toks.count)
        abort();
    for (uint32_t i = 0; i < a->toks.count; i++)
        if (a->toks.items[i].kind != b->toks.items[i].kind ||
            !sg_str_eq(a->toks.items[i].text, b->toks.items[i].text))
            abort();
}

/* Texts are neither empty nor adjacent; wildcards carry no text. */
static void check_normal(const sc_pattern *p)
{
    for (uint32_t i = 0; i < p->toks.count; i++) {
        const sc_tok *tok = &p->toks.items[i];
        const bool wild = tok->kind == SC_TOK_STAR || tok->kind == SC_TOK_ANY;

        if (wild != (tok->text.len == 0))
            abort();
        if (i > 0 && tok->kind == SC_TOK_TEXT &&
            p->toks.items[i - 1].kind == SC_TOK_TEXT)
            abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    sc_session s;
    sc_pattern first, again, changed = {0};
    sg_str text;

    if (size == 0)
        return 0;
    sc_session_init(&s);
    text = (sg_str){(const char *)data + 1, size - 1};
    sc_pattern_parse(&s, text, (data[0] & 1) != 0, &first);
    check_normal(&first);
    sc_pattern_parse(&s, sc_pattern_print(&s.arena, &first),
                     sc_pattern_has_placeholder(&first), &again);
    check_same(&first, &again);
    sc_pattern_expand(&s, text, (data[0] & 2) != 0, &changed);
    check_normal(&changed);
    sc_session_free(&s);
    return 0;
}
