/*
 * junit.c - results as JUnit XML, what build servers read: a suite per rule
 * file, a case per event file, in the order of the rules. XML 1.0 has no way
 * to write most control characters and lone surrogates: U+FFFD stands for
 * them.
 */
#include "testing/ruletest.h"

#include <inttypes.h>

/* -------- XML ------------------------------------------------------------ */

/* XML 1.0, section 2.2; ill-formed bytes are out of range too. */
static bool is_xml_char(uint32_t cp)
{
    return cp == '\t' || cp == '\n' || cp == '\r' ||
           (cp >= 0x20 && cp <= 0x7E) || cp == 0x85 ||
           (cp >= 0xA0 && cp <= 0xD7FF) || (cp >= 0xE000 && cp <= 0xFFFD) ||
           (cp >= 0x10000 && cp <= 0x10FFFF);
}

static void put_xml(sg_buf *out, sg_str text)
{
    for (size_t pos = 0; pos < text.len;) {
        const size_t beg = pos;
        const uint32_t cp = sg_utf8_next(text, &pos);
        if (!is_xml_char(cp))
            sg_buf_putz(out, "\xEF\xBF\xBD");
        else if (cp == '&')
            sg_buf_putz(out, "&amp;");
        else if (cp == '<')
            sg_buf_putz(out, "&lt;");
        else if (cp == '>')
            sg_buf_putz(out, "&gt;");
        else if (cp == '"')
            sg_buf_putz(out, "&quot;");
        else if (cp < 0x20 || cp == 0x85) /* blanks in attributes; a control */
            sg_buf_printf(out, "&#%u;", (unsigned)cp);
        else
            sg_buf_put(out, sg_str_sub(text, beg, pos));
    }
}

static void put_attribute(sg_buf *out, const char *name, sg_str value)
{
    sg_buf_printf(out, " %s=\"", name);
    put_xml(out, value);
    sg_buf_putc(out, '"');
}

/* -------- cases ---------------------------------------------------------- */

typedef struct tally {
    uint32_t tests, failures, errors, skipped;
} tally;

static void open_case(sg_buf *out, sg_str suite, sg_str name)
{
    sg_buf_putz(out, "    <testcase");
    put_attribute(out, "classname", suite);
    put_attribute(out, "name", name);
    sg_buf_putc(out, '>');
}

static void put_failure(sg_buf *out, const sc_rt_test *test)
{
    sg_buf_putz(out, "<failure");
    put_attribute(out, "message",
                  test->failures.count > 0 ? test->failures.items[0].reason
                                           : SG_S("failed"));
    sg_buf_putc(out, '>');
    for (uint32_t i = 0; i < test->failures.count; i++) {
        const sc_rt_failure *f = &test->failures.items[i];
        put_xml(out, test->path);
        if (f->line > 0)
            sg_buf_printf(out, ":%" PRIu32, f->line);
        sg_buf_putz(out, ": ");
        put_xml(out, f->reason);
        sg_buf_putc(out, '\n');
        put_xml(out, f->detail);
    }
    if (test->failure_count > test->failures.count)
        sg_buf_printf(out, "and %" PRIu32 " more\n",
                      test->failure_count - test->failures.count);
    sg_buf_putz(out, "</failure>");
}

static void put_test(sg_buf *out, const sc_rt_test *test, sg_str suite,
                     tally *n)
{
    n->tests++;
    open_case(out, suite, test->path);
    if (test->status == SC_RT_FAILED) {
        n->failures++;
        put_failure(out, test);
    } else if (test->status == SC_RT_SKIPPED) {
        n->skipped++;
        sg_buf_putz(out, "<skipped");
        put_attribute(out, "message", test->skipped);
        sg_buf_putz(out, "/>");
    }
    sg_buf_putz(out, "</testcase>\n");
}

static void put_rule(sg_buf *out, const sc_ruletest *t, uint32_t index,
                     bool strict, tally *n)
{
    const sc_session *s = t->session;
    const sc_doc *doc = &s->docs.items[index];
    const sc_rt_verdict verdict = sc_rt_rule_verdict(t, index);

    if (verdict != SC_RT_RULE_UNTESTED && verdict != SC_RT_RULE_REJECTED)
        return;
    n->tests++;
    open_case(out, doc->path,
              doc->title.len > 0 ? doc->title : SG_S("document"));
    if (verdict == SC_RT_RULE_REJECTED) {
        n->errors++;
        sg_buf_putz(out, "<error");
        if (doc->diag < s->diags.count) {
            const sc_diag *diag = &s->diags.items[doc->diag];
            put_attribute(out, "type", sg_str_of(sc_code_name(diag->code)));
            put_attribute(out, "message", diag->message);
        }
        sg_buf_putz(out, "/>");
    } else {
        n->failures += strict;
        n->skipped += !strict;
        sg_buf_printf(out, "<%s message=\"untested\"/>",
                      strict ? "failure" : "skipped");
    }
    sg_buf_putz(out, "</testcase>\n");
}

/* -------- suites --------------------------------------------------------- */

static void put_counts(sg_buf *out, const tally *n)
{
    sg_buf_printf(out,
                  " tests=\"%" PRIu32 "\" failures=\"%" PRIu32
                  "\" errors=\"%" PRIu32 "\" skipped=\"%" PRIu32 "\">\n",
                  n->tests, n->failures, n->errors, n->skipped);
}

/* All that concerns the rule file of a path. */
static tally put_suite(sg_buf *out, const sc_ruletest *t, sg_str path,
                       bool strict)
{
    const sc_session *s = t->session;
    sg_buf body = {0};
    tally n = {0};

    for (uint32_t i = 0; i < t->tests.count; i++)
        if (sg_str_eq(t->files.items[t->tests.items[i].file].path, path))
            put_test(&body, &t->tests.items[i], path, &n);
    for (uint32_t i = 0; i < s->docs.count; i++)
        if (sg_str_eq(s->docs.items[i].path, path))
            put_rule(&body, t, i, strict, &n);
    if (n.tests > 0) {
        sg_buf_putz(out, "  <testsuite");
        put_attribute(out, "name", path);
        put_counts(out, &n);
        sg_buf_put(out, sg_buf_str(&body));
        sg_buf_putz(out, "  </testsuite>\n");
    }
    sg_buf_free(&body);
    return n;
}

void sc_rt_junit(sg_buf *out, const sc_ruletest *t, bool strict)
{
    const sc_session *s = t->session;
    sg_arena tmp = {0};
    sg_map seen = {0};
    sg_buf body = {0};
    tally all = {0};

    for (uint32_t i = 0; i < s->docs.count; i++) {
        tally n;
        bool known;
        sg_map_put(&tmp, &seen, s->docs.items[i].path, &known);
        if (known)
            continue;
        n = put_suite(&body, t, s->docs.items[i].path, strict);
        all.tests += n.tests;
        all.failures += n.failures;
        all.errors += n.errors;
        all.skipped += n.skipped;
    }
    sg_buf_putz(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                     "<testsuites name=\"sigcc test\"");
    put_counts(out, &all);
    sg_buf_put(out, sg_buf_str(&body));
    sg_buf_putz(out, "</testsuites>\n");
    sg_buf_free(&body);
    sg_arena_free(&tmp);
}
