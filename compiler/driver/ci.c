/*
 * ci.c - `sigcc ci`: check, test and build in one go, then every report. Each
 * finding is a diagnostic, whatever found it: what fails a run, what a baseline
 * knows and what the reports show is decided over these alone.
 */
#include "ci/ci.h"

#include "driver/budget.h"
#include "driver/changes.h"

#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

/* A run. */
typedef struct run {
    sc_session *s;
    const sc_options *o;
    sc_options build; /* the same with an output for detectors */
    sc_loaded loaded;
    sc_code_set codes;
    sc_budget budget;
    sg_map baseline; /* fingerprints known before */
    sc_changes changes;
    const bool *docs; /* which documents are looked at */
    sc_ruletest tests;
    sc_ci ci;
    int code;
} run;

/* -------- before anything is read ----------------------------------------- */

static int usage(const char *what)
{
    return sc_fail(SC_EXIT_USAGE, "%s\nTry 'sigcc ci --help'.", what);
}

static int read_baseline(run *r)
{
    sg_buf text = {0}, shown = {0};
    int code = SC_EXIT_OK;

    if (r->o->baseline.len == 0)
        return SC_EXIT_OK;
    sc_put_safe(&shown, r->o->baseline);
    if (!sc_path_read(r->o->baseline, &text))
        code = sc_fail(SC_EXIT_USAGE, "--baseline: '%.*s' cannot be read",
                       SG_FMT(sg_buf_str(&shown)));
    else if (!sc_ci_baseline(&r->s->arena, sg_buf_str(&text), &r->baseline))
        code = sc_fail(SC_EXIT_USAGE,
                       "--baseline: '%.*s' is neither a report.json of sigcc "
                       "ci nor SARIF",
                       SG_FMT(sg_buf_str(&shown)));
    sg_buf_free(&text);
    sg_buf_free(&shown);
    return code;
}

static sg_str inside(const run *r, const char *name)
{
    return sg_arena_printf(&r->s->arena, "%.*s/%s", SG_FMT(r->o->ci_folder),
                           name);
}

static int prepare(run *r)
{
    int code;

    if (r->o->ci_folder.len == 0)
        return usage("ci needs -o DIR");
    if (!sc_check_choose(r->o, &r->codes) || !sc_budget_read(r->o, &r->budget))
        return SC_EXIT_USAGE;
    code = sc_test_guard(r->o, "ci");
    if (code == SC_EXIT_OK)
        code = read_baseline(r);
    if (code == SC_EXIT_OK && r->o->since.len > 0)
        code = sc_changes_open(r->s, r->o, r->o->since, &r->changes);
    if (code == SC_EXIT_OK && !sc_path_make(&r->s->arena, r->o->ci_folder))
        code = SC_EXIT_FAILED;
    r->build = *r->o;
    r->build.output = inside(r, r->o->pack ? "pack" : "detectors/");
    r->build.sbom = inside(r, "sbom.spdx.json");
    return code;
}

/* -------- what is looked at ----------------------------------------------- */

/* Say what comes, where no line of a terminal does. */
static void say(const run *r, const char *text)
{
    if (r->loaded.watch != NULL ? !r->loaded.watch->terminal
                                : isatty(STDERR_FILENO) == 0)
        fprintf(stderr, "sigcc: %s\n", text);
}

static bool concerns(const run *r, sg_str path)
{
    for (uint32_t i = 0; i < r->s->docs.count; i++)
        if (r->docs[i] && sg_str_eq(r->s->docs.items[i].path, path))
            return true;
    return false;
}

/* A finding about an unchanged document is kept when it points to one that is
 * looked at: one of two that are the same. */
static bool is_wanted(const run *r, const sc_diag *diag)
{
    if (diag->doc >= r->s->docs.count || r->docs[diag->doc])
        return true;
    for (uint32_t i = 0; i < diag->notes.count; i++) {
        const uint32_t source = diag->notes.items[i].at.source;

        if (source < r->s->sources.count &&
            concerns(r, r->s->sources.items[source].path))
            return true;
    }
    return false;
}

static void start(run *r)
{
    const size_t count = (size_t)r->s->docs.count + 1;

    r->ci = (sc_ci){.s = r->s,
                    .docs = sg_new_n(&r->s->arena, sc_ci_doc, count),
                    .tests = &r->tests,
                    .since = r->changes.commit};
    for (uint32_t i = 0; i < r->loaded.ast.rules.count; i++) {
        const sc_rule *rule = r->loaded.ast.rules.items[i];

        if (r->ci.docs[rule->doc].rule == NULL)
            r->ci.docs[rule->doc].rule = rule;
    }
}

static void choose(run *r)
{
    bool *keep = sg_new_n(&r->s->arena, bool, (size_t)r->s->diags.count + 1);
    bool *all = sg_new_n(&r->s->arena, bool, (size_t)r->s->docs.count + 1);

    for (uint32_t i = 0; i < r->s->docs.count; i++)
        all[i] = true;
    r->docs = all;
    sc_code_set_filter(r->s, &r->codes);
    if (r->o->since.len == 0 || r->loaded.ir == NULL)
        return;
    r->docs = sc_changes_affected(&r->changes, &r->loaded);
    for (uint32_t i = 0; i < r->s->diags.count; i++)
        keep[i] = is_wanted(r, &r->s->diags.items[i]);
    sc_diag_retain(r->s, keep);
}

/* The rules of some documents, and what they refer to, on their own. */
static sc_ir *lower(run *r, const bool *docs)
{
    const sc_ast ast = sc_build_closure(r->s, &r->loaded.ast, docs);

    return sc_build_lower(r->s, r->o, &r->loaded, &ast);
}

/* -------- stages ---------------------------------------------------------- */

static void worsen(run *r, int code)
{
    r->code = code > r->code ? code : r->code;
}

static void build(run *r)
{
    sc_watch *w = r->loaded.watch;
    const int code = sc_build_detectors(r->s, &r->build, &r->loaded, r->docs);

    /* That no rule is good is told by the findings. */
    if (code == SC_EXIT_FAILED)
        worsen(r, code);
    r->ci.detectors = code == SC_EXIT_OK ? w->linked : 0;
}

/* Which documents that are looked at have tests: no others need a detector to
 * be tested with. */
static const bool *find_tested(run *r)
{
    bool *docs = sg_new_n(&r->s->arena, bool, (size_t)r->s->docs.count + 1);
    sc_ruletest t;

    sc_test_find(r->s, r->o, r->loaded.ir, &t);
    for (uint32_t i = 0; i < t.tests.count; i++) {
        const sc_rt_file *file = &t.files.items[t.tests.items[i].file];

        for (uint32_t k = 0; k < file->rules.count; k++)
            docs[t.ir->rules.items[file->rules.items[k]].meta.doc] = true;
        for (uint32_t k = 0; k < file->corrs.count; k++)
            docs[t.ir->corrs.items[file->corrs.items[k]].meta.doc] = true;
    }
    for (uint32_t i = 0; i < r->s->docs.count; i++)
        docs[i] &= r->docs[i];
    return docs;
}

/* A place in a file that is not kept: only its lines are counted. */
static sc_span line_of(sc_session *s, sg_str path, uint32_t line)
{
    const uint32_t before = line > 0 ? line - 1 : 0;
    char *text = sg_new_n(&s->arena, char, (size_t)before + 1);

    for (uint32_t i = 0; i < before; i++)
        text[i] = '\n';
    return (sc_span){sc_source_add(s, path, (sg_str){text, before}), before,
                     before};
}

/* The document that a test has most to do with. */
static uint32_t doc_of(const sc_ruletest *t, const sc_rt_test *test)
{
    const sc_rt_file *file = &t->files.items[test->file];

    if (test->corr != SIGMA_NONE)
        return t->ir->corrs.items[test->corr].meta.doc;
    if (test->rule != SIGMA_NONE)
        return t->ir->rules.items[test->rule].meta.doc;
    if (file->corrs.count > 0)
        return t->ir->corrs.items[file->corrs.items[0]].meta.doc;
    return t->ir->rules.items[file->rules.items[0]].meta.doc;
}

static void report_tests(run *r)
{
    const sc_ruletest *t = &r->tests;

    for (uint32_t i = 0; i < t->tests.count; i++) {
        const sc_rt_test *test = &t->tests.items[i];
        const sc_rt_failure *first = test->failures.items;

        if (test->status != SC_RT_FAILED || test->failures.count == 0)
            continue;
        sc_fault(r->s, doc_of(t, test), SC_E1001,
                 line_of(r->s, test->path, first->line), "%.*s",
                 SG_FMT(first->reason));
        if (test->failure_count > 1)
            sc_note_at(r->s, SC_NOWHERE, "the first of %" PRIu32 " failures",
                       test->failure_count);
    }
}

static void report_untested(run *r)
{
    for (uint32_t i = 0; r->o->require_tests && i < r->s->docs.count; i++) {
        sc_span at;

        if (!r->docs[i] || r->ci.docs[i].rule == NULL ||
            sc_rt_rule_verdict(&r->tests, i) != SC_RT_RULE_UNTESTED)
            continue;
        at = r->ci.docs[i].rule->at;
        at.end = at.beg;
        sc_fault(r->s, i, SC_E1002, at, "the rule has no tests");
    }
}

static void test(run *r)
{
    sc_loaded mine = r->loaded;
    int code;

    mine.ir = lower(r, find_tested(r));
    code = sc_test_run(r->s, r->o, &mine, &r->tests);
    worsen(r, code);
    report_tests(r);
    report_untested(r);
}

static void weigh(run *r)
{
    sc_ir *ir = lower(r, r->docs);
    sc_rule_cost *costs =
        sg_new_n(&r->s->arena, sc_rule_cost, (size_t)ir->rules.count + 1);
    sg_buf text = {0};

    /* Each rule by itself: what it costs must not depend on which others are in
     * this run. */
    sc_opt_run(ir, r->loaded.disabled | sc_opt_bit(SG_S("count")));
    sc_opt_costs(ir, &r->s->arena, costs);
    for (uint32_t i = 0; i < ir->rules.count; i++) {
        sc_ci_doc *doc = &r->ci.docs[ir->rules.items[i].meta.doc];

        text.len = 0;
        sc_cost_put_gate(r->s, ir, &costs[i], &text);
        doc->cost_class = sc_cost_class_name(costs[i].class);
        doc->work = costs[i].work;
        doc->found_by = sg_arena_dup(&r->s->arena, sg_buf_str(&text));
    }
    sg_buf_free(&text);
    sc_budget_judge(r->s, ir, costs, r->docs, &r->budget);
}

/* -------- the outcome ----------------------------------------------------- */

/* Last of all, as what is unchanged is no longer good. */
static void settle_docs(run *r)
{
    for (uint32_t i = 0; i < r->s->docs.count; i++) {
        r->ci.docs[i].good = sc_doc_ok(r->s, i);
        if (!r->docs[i] && r->s->docs.items[i].status != SC_DOC_SKIPPED)
            r->s->docs.items[i].status = SC_DOC_UNCHANGED;
    }
}

/* Which findings fail the run, and which are known. */
static void judge(run *r)
{
    const bool strict = !sg_str_eq(r->o->ci_fail_on, SG_S("error"));
    const sc_places places = sc_places_of(r->s, r->o);
    const uint32_t count = r->s->diags.count;
    bool *fatal = sg_new_n(&r->s->arena, bool, (size_t)count + 1);
    bool *known = sg_new_n(&r->s->arena, bool, (size_t)count + 1);

    r->ci.fingerprints = sc_fingerprints(r->s, &places, &r->s->arena);
    for (uint32_t i = 0; i < count; i++) {
        fatal[i] = strict || r->s->diags.items[i].severity == SC_ERROR;
        known[i] = sg_map_get(&r->baseline, r->ci.fingerprints[i]) != NULL;
        if (fatal[i] && !known[i])
            worsen(r, SC_EXIT_REJECTED);
    }
    r->ci.fatal = fatal;
    r->ci.known = known;
}

static void write_file(run *r, const char *name, sg_buf *text)
{
    if (!sc_path_write(&r->s->arena, inside(r, name), sg_buf_str(text)))
        worsen(r, SC_EXIT_FAILED);
    text->len = 0;
}

static void write_reports(run *r)
{
    const sc_places places = sc_places_of(r->s, r->o);
    sg_buf text = {0}, json = {0};

    sc_rt_junit(&text, &r->tests, r->o->require_tests);
    write_file(r, "junit.xml", &text);
    sc_check_sarif(r->s, &text, &places,
                   r->o->baseline.len > 0 ? r->ci.known : NULL);
    write_file(r, "results.sarif", &text);
    sc_ci_navigator(&r->ci, &text);
    write_file(r, "navigator.json", &text);
    sc_ci_json(&r->ci, &json);
    sc_ci_page(sg_buf_str(&json), &text);
    write_file(r, "report.html", &text);
    write_file(r, "report.json", &json);
    sg_buf_free(&text);
    sg_buf_free(&json);
}

/* -------- for people ------------------------------------------------------ */

static bool wants_colour(void)
{
    const char *off = getenv("NO_COLOR");

    return (off == NULL || off[0] == '\0') && isatty(STDERR_FILENO);
}

/* The findings that are not known; drops the others. */
static void show_findings(run *r)
{
    bool *keep = sg_new_n(&r->s->arena, bool, (size_t)r->s->diags.count + 1);
    sg_buf text = {0};

    for (uint32_t i = 0; i < r->s->diags.count; i++)
        keep[i] = !r->ci.known[i];
    sc_diag_retain(r->s, keep);
    sc_check_text(r->s, &text, wants_colour(), false);
    if (text.len > 0)
        fwrite(text.ptr, 1, text.len, stderr);
    sg_buf_free(&text);
}

static void show_table(const run *r, const sc_ci_totals *n)
{
    sg_buf shown = {0};

    sc_put_safe(&shown, r->o->ci_folder);
    printf("rules      %7" PRIu32 "  %" PRIu32 " compiled, %" PRIu32
           " rejected, %" PRIu32 " skipped, %" PRIu32 " unchanged\n",
           n->rules.rules, n->rules.compiled, n->rules.rejected,
           n->rules.skipped, n->rules.unchanged);
    printf("tests      %7" PRIu32 "  %" PRIu32 " passed, %" PRIu32
           " failed, %" PRIu32 " skipped; %" PRIu32 " rules untested\n",
           n->tests.tests, n->tests.passed, n->tests.failed, n->tests.skipped,
           n->tests.rules[SC_RT_RULE_UNTESTED]);
    printf("findings   %7" PRIu32 "  %" PRIu32 " known, %" PRIu32
           " fail the run\n",
           n->findings, n->known, n->fatal);
    printf("detectors  %7" PRIu32 "  in %.*s\n", r->ci.detectors,
           SG_FMT(sg_buf_str(&shown)));
    printf("%s\n", r->code == SC_EXIT_OK         ? "passed"
                   : r->code == SC_EXIT_REJECTED ? "failed"
                                                 : "broken");
    sg_buf_free(&shown);
}

/* -------- the command ----------------------------------------------------- */

/* All that is done with rules that could be read. */
static void work(run *r)
{
    sc_watch *w = r->loaded.watch;

    if (!r->o->no_build) {
        say(r, "building detectors");
        build(r);
    }
    sc_watch_enter(w, SC_PHASE_test);
    say(r, "testing rules");
    test(r);
    sc_watch_enter(w, SC_PHASE_opt);
    weigh(r);
}

static void finish(run *r)
{
    sc_ci_totals n;

    sc_watch_enter(r->loaded.watch, SC_PHASE_finish);
    say(r, "writing reports");
    settle_docs(r);
    judge(r);
    n = sc_ci_count(&r->ci);
    write_reports(r);
    sc_watch_clear(r->loaded.watch);
    show_findings(r);
    show_table(r, &n);
    sc_put_timings(r->o, r->loaded.watch);
}

/* Bad pipelines and the like leave nothing to work on, but are findings. */
static void settle_empty(run *r)
{
    const sc_ast nothing = {0};

    worsen(r, SC_EXIT_REJECTED);
    r->tests =
        (sc_ruletest){.session = r->s,
                      .ir = sc_build_lower(r->s, r->o, &r->loaded, &nothing)};
}

int sc_cmd_ci(sc_session *s, const sc_options *o)
{
    run r = {.s = s, .o = o};
    int code = prepare(&r);

    if (code != SC_EXIT_OK)
        return code;
    say(&r, "reading rules");
    code = sc_load(s, &r.build, &r.loaded);
    if (code > SC_EXIT_REJECTED)
        return sc_finish(s, o, code);
    choose(&r);
    start(&r);
    if (r.loaded.ir != NULL)
        work(&r);
    else
        settle_empty(&r);
    finish(&r);
    return r.code;
}
