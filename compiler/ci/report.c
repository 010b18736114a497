/*
 * report.c - the outcome as JSON: each rule with what became of it, its tests
 * and its cost; each finding with its fingerprint; each test; ATT&CK.
 */
#include "ci/ci.h"

#include <inttypes.h>

static void put_text(sg_buf *out, const char *key, sg_str value)
{
    if (value.len == 0)
        return;
    sg_buf_printf(out, ",\"%s\":", key);
    sg_buf_put_json(out, value);
}

sc_ci_totals sc_ci_count(const sc_ci *ci)
{
    sc_ci_totals n = {.rules = sc_report_totals(ci->s),
                      .tests = sc_rt_count(ci->tests),
                      .findings = ci->s->diags.count};

    for (uint32_t i = 0; i < ci->s->diags.count; i++) {
        n.known += ci->known[i];
        n.fatal += ci->fatal[i] && !ci->known[i];
    }
    return n;
}

static void put_summary(const sc_ci *ci, sg_buf *out)
{
    const sc_ci_totals n = sc_ci_count(ci);

    sg_buf_printf(out,
                  "\"summary\":{\"rules\":%" PRIu32 ",\"compiled\":%" PRIu32
                  ",\"rejected\":%" PRIu32 ",\"skipped\":%" PRIu32
                  ",\"unchanged\":%" PRIu32 ",\"findings\":%" PRIu32
                  ",\"known\":%" PRIu32 ",\"failing\":%" PRIu32
                  ",\"tests\":%" PRIu32 ",\"passed\":%" PRIu32
                  ",\"failed\":%" PRIu32 ",\"untested\":%" PRIu32
                  ",\"detectors\":%" PRIu32 "}",
                  n.rules.rules, n.rules.compiled, n.rules.rejected,
                  n.rules.skipped, n.rules.unchanged, n.findings, n.known,
                  n.fatal, n.tests.tests, n.tests.passed, n.tests.failed,
                  n.tests.rules[SC_RT_RULE_UNTESTED], ci->detectors);
}

static void put_rule(const sc_ci *ci, uint32_t index, sg_buf *out)
{
    const sc_doc *doc = &ci->s->docs.items[index];
    const sc_ci_doc *more = &ci->docs[index];
    const sc_rt_verdict verdict = sc_rt_rule_verdict(ci->tests, index);

    sc_report_put_doc(ci->s, out, doc);
    if (doc->status == SC_DOC_REJECTED && doc->diag < ci->s->diags.count)
        put_text(out, "hint", ci->s->diags.items[doc->diag].hint);
    if (verdict != SC_RT_RULE_NONE && verdict != SC_RT_RULE_REJECTED)
        put_text(out, "test", sg_str_of(sc_rt_verdict_name(verdict)));
    if (more->cost_class != NULL) {
        sg_buf_printf(out, ",\"cost\":{\"class\":\"%s\",\"work\":%.2f",
                      more->cost_class, more->work);
        put_text(out, "found_by", more->found_by);
        sg_buf_putc(out, '}');
    }
    if (more->rule == NULL)
        return;
    put_text(out, "level", more->rule->level);
    for (uint32_t i = 0; i < more->rule->tags.count; i++) {
        sg_buf_putz(out, i == 0 ? ",\"tags\":[" : ",");
        sg_buf_put_json(out, more->rule->tags.items[i]);
    }
    if (more->rule->tags.count > 0)
        sg_buf_putc(out, ']');
}

static void put_findings(const sc_ci *ci, sg_buf *out)
{
    sg_arena tmp = {0};
    const uint32_t *order = sc_diag_order(ci->s, &tmp);

    for (uint32_t i = 0; i < ci->s->diags.count; i++) {
        const uint32_t at = order[i];

        sg_buf_putz(out, i > 0 ? ",{" : "{");
        sc_check_put_diag(ci->s, out, &ci->s->diags.items[at]);
        put_text(out, "fingerprint", ci->fingerprints[at]);
        sg_buf_printf(out, ",\"failing\":%s,\"known\":%s}",
                      ci->fatal[at] ? "true" : "false",
                      ci->known[at] ? "true" : "false");
    }
    sg_arena_free(&tmp);
}

void sc_ci_json(const sc_ci *ci, sg_buf *out)
{
    sg_buf_putz(out,
                "{\"schema\":\"sigcc.ci/1\",\"compiler\":\"" SC_VERSION "\"");
    put_text(out, "since", ci->since);
    sg_buf_putc(out, ',');
    put_summary(ci, out);
    sg_buf_putz(out, ",\"rules\":[");
    for (uint32_t i = 0; i < ci->s->docs.count; i++) {
        sg_buf_putz(out, i > 0 ? ",{" : "{");
        put_rule(ci, i, out);
        sg_buf_putc(out, '}');
    }
    sg_buf_putz(out, "],\"findings\":[");
    put_findings(ci, out);
    sg_buf_putz(out, "],\"tests\":");
    sc_rt_put_tests(out, ci->tests);
    sg_buf_putc(out, ',');
    sc_ci_attack_json(ci, out);
    sg_buf_putz(out, "}\n");
}
