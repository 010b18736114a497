/*
 * fuzz_condition.c - a condition that parses can be written down from its tree
 * and parses to the same tree; one that does not is reported exactly once, with
 * a place inside the text. Input: a flag byte, then the text.
 */
#include "sigma/reader.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void write_cond(sg_buf *out, const sc_cond *cond)
{
    switch (cond->kind) {
    case SC_COND_ID:
        sg_buf_put(out, cond->name);
        return;
    case SC_COND_OF:
        sg_buf_putz(out, cond->all ? "all of " : "any of ");
        sg_buf_put(out, cond->name);
        return;
    case SC_COND_NOT:
        sg_buf_putz(out, "not ");
        write_cond(out, cond->kids.items[0]);
        return;
    case SC_COND_AND:
    case SC_COND_OR:
        break;
    }
    sg_buf_putz(out, "(");
    for (uint32_t i = 0; i < cond->kids.count; i++) {
        if (i > 0)
            sg_buf_putz(out, cond->kind == SC_COND_AND ? " and " : "\nor ");
        write_cond(out, cond->kids.items[i]);
    }
    sg_buf_putz(out, ")");
}

static sc_cond *parse(sc_session *s, sg_str text, bool plain)
{
    const uint32_t id = sc_source_add(s, SG_S("x"), text);
    sc_y *y = sg_new(&s->arena, sc_y);

    y->kind = SC_Y_STR;
    y->exact = true;
    y->text = s->sources.items[id].text;
    y->span = (sc_span){id, 0, (uint32_t)y->text.len};
    return sc_parse_condition(s, y, y->text, plain);
}

static void check_reported(const sc_session *s, size_t size)
{
    if (s->errors != 1 || s->diags.count != 1 ||
        s->diags.items[0].at.beg > s->diags.items[0].at.end ||
        s->diags.items[0].at.end > size)
        abort();
}

/* Parentheses for precedence may go beyond the depth that is allowed. */
static void check_again(sc_session *s, const sc_cond *cond, bool plain)
{
    sg_buf text = {0}, same = {0};
    const sc_cond *again;

    write_cond(&text, cond);
    again = parse(s, sg_buf_str(&text), plain);
    if (again != NULL)
        write_cond(&same, again);
    else if (s->diags.items[0].code != SC_E0306)
        abort();
    if (again != NULL && !sg_str_eq(sg_buf_str(&text), sg_buf_str(&same)))
        abort();
    sg_buf_free(&text);
    sg_buf_free(&same);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    sc_session s;
    const sc_cond *cond;

    if (size == 0)
        return 0;
    sc_session_init(&s);
    cond = parse(&s, (sg_str){(const char *)data + 1, size - 1},
                 (data[0] & 1) != 0);
    if (cond == NULL)
        check_reported(&s, size - 1);
    else
        check_again(&s, cond, (data[0] & 1) != 0);
    sc_session_free(&s);
    return 0;
}
