/*
 * status.c - what became of each rule: the JSON of --report and the totals.
 * Every document is there with its status; a rejected one with code, reason
 * and place.
 */
#include "report/lint.h"

#include <inttypes.h>

static void put_text(sg_buf *out, const char *key, sg_str value)
{
    if (value.len == 0)
        return;
    sg_buf_printf(out, ",\"%s\":", key);
    sg_buf_put_json(out, value);
}

static void put_reason(const sc_session *s, sg_buf *out, const sc_doc *doc)
{
    const sc_diag *diag;
    uint32_t line, column;

    if (doc->diag >= s->diags.count)
        return;
    diag = &s->diags.items[doc->diag];
    put_text(out, "code", sg_str_of(sc_code_name(diag->code)));
    put_text(out, "reason", diag->message);
    if (diag->at.source >= s->sources.count)
        return;
    sc_source_pos(s, diag->at.source, diag->at.beg, &line, &column);
    sg_buf_printf(out, ",\"line\":%" PRIu32 ",\"column\":%" PRIu32, line,
                  column);
}

void sc_report_put_doc(const sc_session *s, sg_buf *out, const sc_doc *doc)
{
    static const char *const names[] = {[SC_DOC_OK] = "compiled",
                                        [SC_DOC_REJECTED] = "rejected",
                                        [SC_DOC_SKIPPED] = "skipped",
                                        [SC_DOC_UNCHANGED] = "unchanged"};

    sg_buf_putz(out, "\"path\":");
    sg_buf_put_json(out, doc->path);
    put_text(out, "id", doc->id);
    put_text(out, "title", doc->title);
    put_text(out, "status", sg_str_of(names[doc->status]));
    if (doc->status == SC_DOC_REJECTED)
        put_reason(s, out, doc);
    if (doc->status == SC_DOC_SKIPPED)
        put_text(out, "reason", SG_S("not a rule"));
}

sc_totals sc_report_totals(const sc_session *s)
{
    sc_totals t = {.rules = s->docs.count};

    for (uint32_t i = 0; i < s->docs.count; i++) {
        const sc_doc_status status = s->docs.items[i].status;
        t.compiled += status == SC_DOC_OK;
        t.rejected += status == SC_DOC_REJECTED;
        t.skipped += status == SC_DOC_SKIPPED;
        t.unchanged += status == SC_DOC_UNCHANGED;
    }
    return t;
}

void sc_report_put(const sc_session *s, sg_buf *out)
{
    const sc_totals t = sc_report_totals(s);

    sg_buf_putz(out, "{\"schema\":\"sigcc.report/1\",\"rules\":[");
    for (uint32_t i = 0; i < s->docs.count; i++) {
        sg_buf_putz(out, i > 0 ? ",{" : "{");
        sc_report_put_doc(s, out, &s->docs.items[i]);
        sg_buf_putc(out, '}');
    }
    sg_buf_printf(out,
                  "],\"summary\":{\"rules\":%" PRIu32 ",\"compiled\":%" PRIu32
                  ",\"rejected\":%" PRIu32 ",\"skipped\":%" PRIu32 "}}\n",
                  t.rules, t.compiled, t.rejected, t.skipped);
}
