/*
 * fuzz_enrich.c - any bytes as an enrichment file, and behind a NUL as a
 * lookup of it and then as events. What is accepted must make a sound IR, and
 * the oracle must come through the events.
 */
#include "enrich/enrichment.h"
#include "ir/ref.h"
#include "sigma/ast.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Cut off what is before a NUL. */
static sg_str next_part(sg_str *rest)
{
    const char *nul = rest->len == 0 ? NULL : memchr(rest->ptr, 0, rest->len);
    const size_t len = nul == NULL ? rest->len : (size_t)(nul - rest->ptr);
    const sg_str part = sg_str_sub(*rest, 0, len);

    *rest = sg_str_sub(*rest, len + 1, rest->len);
    return part;
}

static void run(sc_session *s, const sc_enrich *enrich, sg_str rest)
{
    const sc_ast none = {0};
    sc_ir *ir = sc_ir_build(s, &none);
    sc_ref_enrich *tables;

    sc_ir_add_enrich(ir, enrich);
    sc_ir_verify(ir);
    tables = sc_ref_enrich_new(ir, &s->arena);
    const sg_str lookup = next_part(&rest);
    for (uint32_t i = 0; i < ir->tables.count; i++)
        (void)sc_ref_enrich_lookup(tables, ir->tables.items[i].name, lookup);
    while (rest.len != 0) {
        sc_ref_event *event = sc_ref_event_parse(next_part(&rest));
        if (event != NULL)
            sc_ref_enrich_event(tables, event);
        sc_ref_event_free(event);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    sg_str rest = {(const char *)data, size};
    sc_enrich enrich = {.tables = {0}};
    sg_buf out = {0};
    sc_session s;

    sc_session_init(&s);
    const sg_str text = sg_arena_dup(&s.arena, next_part(&rest));
    if (sc_enrich_read(&s, sc_source_add(&s, SG_S("enrich"), text), &enrich))
        run(&s, &enrich, rest);
    sc_diag_render(&s, &out, false);
    sg_buf_free(&out);
    sc_session_free(&s);
    return 0;
}
