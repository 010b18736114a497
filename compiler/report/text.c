/*
 * text.c - diagnostics for people: the first errors of each file in full, of
 * each warning the first few, then a table that says how many there were of
 * each.
 */
#include "report/lint.h"

#include <inttypes.h>
#include <string.h>

enum { SHOWN = 5 }; /* of each warning */

/* Diagnostics come file by file: what was seen of the latest. */
typedef struct file_tally {
    uint32_t source, errors;
} file_tally;

/* A file is left: tell how many of its errors were not shown. */
static void end_file(const sc_session *s, sg_buf *out, const file_tally *t)
{
    const uint32_t rest = t->errors - SC_MAX_SHOWN;

    if (t->errors <= SC_MAX_SHOWN)
        return;
    sc_put_safe(out, s->sources.items[t->source].path);
    sg_buf_printf(out, ": %" PRIu32 " more error%s; --all shows %s\n", rest,
                  rest == 1 ? "" : "s", rest == 1 ? "it" : "them");
}

/* Whether an error is among the first of its file. Without a file it is. */
static bool is_early(const sc_session *s, sg_buf *out, const sc_diag *diag,
                     file_tally *t)
{
    if (diag->at.source != t->source) {
        end_file(s, out, t);
        *t = (file_tally){.source = diag->at.source};
    }
    if (diag->severity != SC_ERROR || t->source >= s->sources.count)
        return true;
    return ++t->errors <= SC_MAX_SHOWN;
}

static void put_table(const sc_session *s, sg_buf *out, const uint32_t *counts,
                      const uint32_t *hidden)
{
    uint32_t rest = 0, rows = 0;

    for (size_t i = 0; i < SC_CODE_COUNT; i++) {
        rest += hidden[i];
        rows += counts[i] > 0;
    }
    if (rows < 2 && rest == 0)
        return;
    sg_buf_printf(out, "\n%6s  %-6s %s\n", "count", "code", "name");
    for (size_t i = 0; i < SC_CODE_COUNT; i++)
        if (counts[i] > 0)
            sg_buf_printf(out, "%6" PRIu32 "  %-6s %s\n", counts[i],
                          sc_code_name((sc_code)i), sc_code_slug((sc_code)i));
    if (rest > 0)
        sg_buf_printf(out,
                      "%" PRIu32 " of %" PRIu32 " warnings are not shown; "
                      "--all shows them, --only CODE those of a code\n",
                      rest, s->warnings);
}

void sc_check_text(const sc_session *s, sg_buf *out, bool colour, bool all)
{
    uint32_t counts[SC_CODE_COUNT] = {0}, hidden[SC_CODE_COUNT] = {0};
    sg_arena tmp = {0};
    const uint32_t *order = sc_diag_order(s, &tmp);
    file_tally file = {.source = SC_NO_SOURCE};

    for (uint32_t i = 0; i < s->diags.count; i++) {
        const sc_diag *diag = &s->diags.items[order[i]];
        const bool early = all || is_early(s, out, diag, &file);

        counts[diag->code]++;
        if (diag->severity == SC_ERROR ? early
                                       : all || counts[diag->code] <= SHOWN)
            sc_diag_render_one(s, out, colour, order[i]);
        else if (diag->severity != SC_ERROR)
            hidden[diag->code]++;
    }
    end_file(s, out, &file);
    put_table(s, out, counts, hidden);
    sg_arena_free(&tmp);
}
