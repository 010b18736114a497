/*
 * text.c - diagnostics for people: all errors in full, of each warning the
 * first few, then a table that says how many there were of each.
 */
#include "report/lint.h"

#include <inttypes.h>
#include <string.h>

enum { SHOWN = 5 }; /* of each warning */

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

    for (uint32_t i = 0; i < s->diags.count; i++) {
        const sc_diag *diag = &s->diags.items[order[i]];

        counts[diag->code]++;
        if (diag->severity == SC_ERROR || all || counts[diag->code] <= SHOWN)
            sc_diag_render_one(s, out, colour, order[i]);
        else
            hidden[diag->code]++;
    }
    put_table(s, out, counts, hidden);
    sg_arena_free(&tmp);
}
