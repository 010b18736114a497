/*
 * json.c - the result of `sigcc check` as JSON ("sigcc.check/1"). Lines and
 * columns are 1-based, columns count code points, ends are exclusive.
 */
#include "report/lint.h"

#include <inttypes.h>

static const char *severity_name(sc_severity severity)
{
    return severity == SC_ERROR     ? "error"
           : severity == SC_WARNING ? "warning"
                                    : "note";
}

static void put_text(sg_buf *out, const char *key, sg_str value)
{
    sg_buf_printf(out, ",\"%s\":", key);
    sg_buf_put_json(out, value);
}

static void put_place(const sc_session *s, sg_buf *out, sc_span at)
{
    uint32_t line, column, end_line, end_column;

    if (at.source >= s->sources.count)
        return;
    sc_source_pos(s, at.source, at.beg, &line, &column);
    sc_source_pos(s, at.source, at.end, &end_line, &end_column);
    put_text(out, "path", s->sources.items[at.source].path);
    sg_buf_printf(out,
                  ",\"line\":%" PRIu32 ",\"column\":%" PRIu32
                  ",\"end_line\":%" PRIu32 ",\"end_column\":%" PRIu32,
                  line, column, end_line, end_column);
}

static void put_rule(const sc_session *s, sg_buf *out, uint32_t index)
{
    const sc_doc *doc;

    if (index >= s->docs.count)
        return;
    doc = &s->docs.items[index];
    sg_buf_putz(out, ",\"rule\":{\"id\":");
    sg_buf_put_json(out, doc->id);
    put_text(out, "title", doc->title);
    sg_buf_putc(out, '}');
}

static void put_notes(const sc_session *s, sg_buf *out, const sc_diag *diag)
{
    if (diag->notes.count == 0)
        return;
    sg_buf_putz(out, ",\"notes\":[");
    for (uint32_t i = 0; i < diag->notes.count; i++) {
        const sc_related *note = &diag->notes.items[i];

        sg_buf_putz(out, i > 0 ? ",{\"message\":" : "{\"message\":");
        sg_buf_put_json(out, note->text);
        put_place(s, out, note->at);
        sg_buf_putc(out, '}');
    }
    sg_buf_putc(out, ']');
}

void sc_check_put_diag(const sc_session *s, sg_buf *out, const sc_diag *diag)
{
    sg_buf_printf(out, "\"code\":\"%s\",\"severity\":\"%s\",\"slug\":\"%s\"",
                  sc_code_name(diag->code), severity_name(diag->severity),
                  sc_code_slug(diag->code));
    put_text(out, "message", diag->message);
    if (diag->at.source < s->sources.count)
        put_place(s, out, diag->at);
    else if (diag->doc < s->docs.count)
        put_text(out, "path", s->docs.items[diag->doc].path);
    if (diag->hint.len > 0)
        put_text(out, "hint", diag->hint);
    put_rule(s, out, diag->doc);
    put_notes(s, out, diag);
}

static void put_summary(const sc_session *s, sg_buf *out)
{
    uint32_t accepted = 0, rejected = 0, skipped = 0;

    for (uint32_t i = 0; i < s->docs.count; i++) {
        const sc_doc_status status = s->docs.items[i].status;

        accepted += status == SC_DOC_OK;
        rejected += status == SC_DOC_REJECTED;
        skipped += status == SC_DOC_SKIPPED;
    }
    sg_buf_printf(out,
                  "\"summary\":{\"rules\":%" PRIu32 ",\"accepted\":%" PRIu32
                  ",\"rejected\":%" PRIu32 ",\"skipped\":%" PRIu32
                  ",\"errors\":%" PRIu32 ",\"warnings\":%" PRIu32 "}",
                  s->docs.count, accepted, rejected, skipped, s->errors,
                  s->warnings);
}

void sc_check_json(const sc_session *s, sg_buf *out)
{
    sg_arena tmp = {0};
    const uint32_t *order = sc_diag_order(s, &tmp);

    sg_buf_putz(out, "{\"schema\":\"sigcc.check/1\",\"diagnostics\":[");
    for (uint32_t i = 0; i < s->diags.count; i++) {
        sg_buf_putz(out, i > 0 ? ",{" : "{");
        sc_check_put_diag(s, out, &s->diags.items[order[i]]);
        sg_buf_putc(out, '}');
    }
    sg_buf_putz(out, "],");
    put_summary(s, out);
    sg_buf_putz(out, "}\n");
    sg_arena_free(&tmp);
}
