/*
 * lower.h - for tests of the IR: rules as YAML text, read, resolved, lowered
 * and verified, and its dump as text.
 */
#ifndef TEST_LOWER_H
#define TEST_LOWER_H

#include "ir/ir.h"
#include "resolve/resolve.h"

#include <string.h>

typedef struct lowered {
    sc_session s;
    sc_ast ast;
    sc_ir *ir;
} lowered;

/* Documents of one source named "t". Free with lower_free. */
static inline lowered *lower(const char *yaml)
{
    static lowered l;
    sc_pipelines none = {.list = {0}};

    memset(&l, 0, sizeof(l));
    sc_session_init(&l.s);
    sc_read_source(&l.s, sc_source_add(&l.s, SG_S("t"), sg_str_of(yaml)),
                   &l.ast);
    sc_resolve(&l.s, &l.ast, &none, NULL);
    l.ir = sc_ir_build(&l.s, &l.ast);
    sc_ir_verify(l.ir);
    return &l;
}

static inline void lower_free(lowered *l)
{
    sc_session_free(&l->s);
}

/* A rule named r with this detection section (indented by two). */
static inline lowered *lower_detection(const char *detection)
{
    sg_buf yaml = {0};
    lowered *l;

    sg_buf_printf(&yaml,
                  "title: r\n"
                  "logsource:\n"
                  "  category: test\n"
                  "detection:\n"
                  "%s",
                  detection);
    sg_buf_putc(&yaml, '\0');
    l = lower(yaml.ptr);
    sg_buf_free(&yaml);
    return l;
}

/* The dump without the positions; the buffer is the caller's. */
static inline sg_str lower_dump(const lowered *l, sg_buf *out)
{
    sg_buf full = {0};
    size_t i;
    bool drop = false;

    sc_ir_dump(&l->s, &full, l->ir);
    out->len = 0;
    for (i = 0; i < full.len; i++) {
        if (sg_str_starts(sg_str_sub(sg_buf_str(&full), i, full.len),
                          SG_S(" ; ")))
            drop = true;
        if (full.ptr[i] == '\n')
            drop = false;
        if (!drop)
            sg_buf_putc(out, full.ptr[i]);
    }
    sg_buf_free(&full);
    return sg_buf_str(out);
}

#endif
