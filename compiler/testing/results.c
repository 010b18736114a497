/*
 * results.c - what became of each rule and test, and the reports for people
 * and programs. Texts of rules and file names are made safe for terminals and
 * escaped for JSON.
 */
#include "testing/ruletest.h"

#include <inttypes.h>

/* -------- verdicts ------------------------------------------------------- */

const char *sc_rt_status_name(sc_rt_status status)
{
    static const char *const names[] = {[SC_RT_PASSED] = "passed",
                                        [SC_RT_FAILED] = "failed",
                                        [SC_RT_SKIPPED] = "skipped"};

    return names[status];
}

const char *sc_rt_verdict_name(sc_rt_verdict verdict)
{
    static const char *const names[] = {
        [SC_RT_RULE_PASSED] = "passed",     [SC_RT_RULE_FAILED] = "failed",
        [SC_RT_RULE_UNTESTED] = "untested", [SC_RT_RULE_REJECTED] = "rejected",
        [SC_RT_RULE_NONE] = "none",
    };

    return names[verdict];
}

/* Whether a test says something about a rule: it aims at it, at a correlation
 * over it, or at the correlations of its file. */
static bool reaches(const sc_ruletest *t, const sc_rt_test *test,
                    const sigma_corr_ref *ref)
{
    const sc_ir *ir = t->ir;

    if (sc_rt_targets(t, test, ref->is_correlation, ref->index))
        return true;
    if (test->kind != SC_RT_STREAM)
        return false;
    for (uint32_t i = 0; i < ir->corrs.count; i++) {
        const sc_ir_corr *c = &ir->corrs.items[i];
        if (!sc_rt_targets(t, test, true, i))
            continue;
        for (uint32_t k = 0; k < c->ref_count; k++) {
            const sigma_corr_ref *r = &ir->corr_refs.items[c->ref_first + k];
            if (r->index == ref->index &&
                r->is_correlation == ref->is_correlation)
                return true;
        }
    }
    return false;
}

static sc_rt_verdict verdict_of(const sc_ruletest *t, const sigma_corr_ref *ref)
{
    sc_rt_verdict verdict = SC_RT_RULE_UNTESTED;

    for (uint32_t i = 0; i < t->tests.count; i++) {
        const sc_rt_test *test = &t->tests.items[i];
        if (test->status == SC_RT_SKIPPED || !reaches(t, test, ref))
            continue;
        if (test->status == SC_RT_FAILED)
            return SC_RT_RULE_FAILED;
        verdict = SC_RT_RULE_PASSED;
    }
    return verdict;
}

/* The graver of two; passed counts before untested. */
static sc_rt_verdict both(sc_rt_verdict a, sc_rt_verdict b)
{
    if (a == SC_RT_RULE_FAILED || b == SC_RT_RULE_FAILED)
        return SC_RT_RULE_FAILED;
    if (a == SC_RT_RULE_PASSED || b == SC_RT_RULE_PASSED)
        return SC_RT_RULE_PASSED;
    return SC_RT_RULE_UNTESTED;
}

sc_rt_verdict sc_rt_rule_verdict(const sc_ruletest *t, uint32_t doc)
{
    const sc_doc_status status = t->session->docs.items[doc].status;
    sc_rt_verdict verdict = SC_RT_RULE_UNTESTED;
    sigma_corr_ref ref = {0, false};

    if (status != SC_DOC_OK)
        return status == SC_DOC_REJECTED ? SC_RT_RULE_REJECTED
                                         : SC_RT_RULE_NONE;
    for (; ref.index < t->ir->rules.count; ref.index++)
        if (t->ir->rules.items[ref.index].meta.doc == doc)
            verdict = both(verdict, verdict_of(t, &ref));
    ref = (sigma_corr_ref){0, true};
    for (; ref.index < t->ir->corrs.count; ref.index++)
        if (t->ir->corrs.items[ref.index].meta.doc == doc)
            verdict = both(verdict, verdict_of(t, &ref));
    return verdict;
}

sc_rt_totals sc_rt_count(const sc_ruletest *t)
{
    sc_rt_totals out = {.tests = t->tests.count};

    for (uint32_t i = 0; i < t->tests.count; i++) {
        const sc_rt_test *test = &t->tests.items[i];
        out.passed += test->status == SC_RT_PASSED;
        out.failed += test->status == SC_RT_FAILED;
        out.skipped += test->status == SC_RT_SKIPPED;
        out.events += test->events;
    }
    for (uint32_t i = 0; i < t->session->docs.count; i++) {
        const sc_rt_verdict verdict = sc_rt_rule_verdict(t, i);
        if (verdict != SC_RT_RULE_NONE)
            out.rules[verdict]++;
    }
    return out;
}

/* -------- text ----------------------------------------------------------- */

static void put_lines(sg_buf *out, sg_str text, const char *indent)
{
    for (size_t beg = 0; beg < text.len;) {
        const sg_str rest = sg_str_sub(text, beg, text.len);
        size_t n = sg_str_find(rest, SG_S("\n"));
        n = n == SIZE_MAX ? rest.len : n;
        sg_buf_putz(out, indent);
        sg_buf_put(out, sg_str_sub(rest, 0, n)); /* safe already */
        sg_buf_putc(out, '\n');
        beg += n + 1;
    }
}

static void put_failures(sg_buf *out, const sc_rt_test *test)
{
    for (uint32_t i = 0; i < test->failures.count; i++) {
        const sc_rt_failure *f = &test->failures.items[i];
        sg_buf_putz(out, "  ");
        sc_put_safe(out, test->path);
        if (f->line > 0)
            sg_buf_printf(out, ":%" PRIu32, f->line);
        sg_buf_putz(out, ": ");
        sc_put_safe(out, f->reason);
        sg_buf_putc(out, '\n');
        put_lines(out, f->detail, "    ");
    }
    if (test->failure_count > test->failures.count)
        sg_buf_printf(out, "  and %" PRIu32 " more\n",
                      test->failure_count - test->failures.count);
}

static void put_test(sg_buf *out, const sc_ruletest *t, const sc_rt_test *test,
                     bool colour)
{
    static const char *const words[] = {[SC_RT_PASSED] = "ok  ",
                                        [SC_RT_FAILED] = "FAIL",
                                        [SC_RT_SKIPPED] = "skip"};
    static const char *const codes[] = {
        [SC_RT_PASSED] = "32", [SC_RT_FAILED] = "1;31", [SC_RT_SKIPPED] = "33"};

    if (colour)
        sg_buf_printf(out, "\x1b[%sm", codes[test->status]);
    sg_buf_putz(out, words[test->status]);
    sg_buf_putz(out, colour ? "\x1b[0m " : " ");
    sc_put_safe(out, test->path);
    if (test->status == SC_RT_SKIPPED) {
        sg_buf_putz(out, ": ");
        sc_put_safe(out, test->skipped);
        sg_buf_putz(out, " (of ");
        sc_put_safe(out, t->files.items[test->file].path);
        sg_buf_putz(out, ")\n");
        return;
    }
    sg_buf_printf(out, "  %s, %" PRIu32 " event%s%s\n",
                  test->expect_match ? "match" : "no match", test->events,
                  test->events == 1 ? "" : "s",
                  test->kind == SC_RT_STREAM ? ", a stream" : "");
    put_failures(out, test);
}

static void put_untested(sg_buf *out, const sc_ruletest *t)
{
    const sc_session *s = t->session;

    for (uint32_t i = 0; i < s->docs.count; i++) {
        const sc_rt_verdict verdict = sc_rt_rule_verdict(t, i);
        if (verdict != SC_RT_RULE_UNTESTED && verdict != SC_RT_RULE_REJECTED)
            continue;
        sg_buf_putz(out, sc_rt_verdict_name(verdict));
        sg_buf_putc(out, ' ');
        sc_put_safe(out, s->docs.items[i].path);
        sg_buf_putz(out, ": ");
        sc_put_safe(out, s->docs.items[i].title);
        sg_buf_putc(out, '\n');
    }
}

void sc_rt_text(sg_buf *out, const sc_ruletest *t, bool colour)
{
    const sc_rt_totals n = sc_rt_count(t);

    for (uint32_t i = 0; i < t->tests.count; i++)
        put_test(out, t, &t->tests.items[i], colour);
    put_untested(out, t);
    sg_buf_printf(out,
                  "%" PRIu32 " event files (%" PRIu32 " events): %" PRIu32
                  " passed, %" PRIu32 " failed, %" PRIu32 " skipped\n",
                  n.tests, n.events, n.passed, n.failed, n.skipped);
    sg_buf_printf(out,
                  "rules: %" PRIu32 " passed, %" PRIu32 " failed, %" PRIu32
                  " untested, %" PRIu32 " rejected\n",
                  n.rules[SC_RT_RULE_PASSED], n.rules[SC_RT_RULE_FAILED],
                  n.rules[SC_RT_RULE_UNTESTED], n.rules[SC_RT_RULE_REJECTED]);
}

/* -------- JSON ----------------------------------------------------------- */

static void put_key(sg_buf *out, const char *key, sg_str text)
{
    if (text.len == 0)
        return;
    sg_buf_printf(out, ",\"%s\":", key);
    sg_buf_put_json(out, text);
}

static void json_test(sg_buf *out, const sc_ruletest *t, const sc_rt_test *test)
{
    static const char *const kinds[] = {[SC_RT_EVENTS] = "events",
                                        [SC_RT_STREAM] = "stream",
                                        [SC_RT_COUNT] = "count"};

    sg_buf_putz(out, "{\"path\":");
    sg_buf_put_json(out, test->path);
    put_key(out, "rule_path", t->files.items[test->file].path);
    put_key(out, "label", test->label);
    sg_buf_printf(out, ",\"kind\":\"%s\",\"expect\":\"%s\",\"status\":\"%s\"",
                  kinds[test->kind], test->expect_match ? "match" : "no_match",
                  sc_rt_status_name(test->status));
    put_key(out, "reason", test->skipped);
    sg_buf_printf(out, ",\"events\":%" PRIu32 ",\"failed\":%" PRIu32,
                  test->events, test->failure_count);
    sg_buf_putz(out, ",\"failures\":[");
    for (uint32_t i = 0; i < test->failures.count; i++) {
        const sc_rt_failure *f = &test->failures.items[i];
        sg_buf_printf(out, "%s{\"line\":%" PRIu32, i > 0 ? "," : "", f->line);
        put_key(out, "reason", f->reason);
        put_key(out, "detail", f->detail);
        sg_buf_putc(out, '}');
    }
    sg_buf_putz(out, "]}");
}

static void json_rules(sg_buf *out, const sc_ruletest *t)
{
    const sc_session *s = t->session;
    bool more = false;

    for (uint32_t i = 0; i < s->docs.count; i++) {
        const sc_doc *doc = &s->docs.items[i];
        const sc_rt_verdict verdict = sc_rt_rule_verdict(t, i);
        if (verdict == SC_RT_RULE_NONE)
            continue;
        sg_buf_putz(out, more ? ",{\"path\":" : "{\"path\":");
        sg_buf_put_json(out, doc->path);
        put_key(out, "id", doc->id);
        put_key(out, "title", doc->title);
        put_key(out, "status", sg_str_of(sc_rt_verdict_name(verdict)));
        if (verdict == SC_RT_RULE_REJECTED && doc->diag < s->diags.count) {
            const sc_diag *diag = &s->diags.items[doc->diag];
            put_key(out, "code", sg_str_of(sc_code_name(diag->code)));
            put_key(out, "reason", diag->message);
        }
        sg_buf_putc(out, '}');
        more = true;
    }
}

void sc_rt_put_tests(sg_buf *out, const sc_ruletest *t)
{
    sg_buf_putc(out, '[');
    for (uint32_t i = 0; i < t->tests.count; i++) {
        sg_buf_putz(out, i > 0 ? "," : "");
        json_test(out, t, &t->tests.items[i]);
    }
    sg_buf_putc(out, ']');
}

void sc_rt_json(sg_buf *out, const sc_ruletest *t)
{
    const sc_rt_totals n = sc_rt_count(t);

    sg_buf_putz(out, "{\"schema\":\"sigcc.test/1\",\"tests\":");
    sc_rt_put_tests(out, t);
    sg_buf_putz(out, ",\"rules\":[");
    json_rules(out, t);
    sg_buf_printf(out,
                  "],\"summary\":{\"tests\":%" PRIu32 ",\"passed\":%" PRIu32
                  ",\"failed\":%" PRIu32 ",\"skipped\":%" PRIu32
                  ",\"events\":%" PRIu32 ",\"rules\":{",
                  n.tests, n.passed, n.failed, n.skipped, n.events);
    for (int i = 0; i < SC_RT_RULE_NONE; i++)
        sg_buf_printf(out, "%s\"%s\":%" PRIu32, i > 0 ? "," : "",
                      sc_rt_verdict_name((sc_rt_verdict)i), n.rules[i]);
    sg_buf_putz(out, "}}}\n");
}
