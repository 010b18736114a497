/*
 * test.c - `sigcc test`: finds the events beside rules, asks the reference
 * evaluator, then a detector built of the same rules, and reports. What the
 * files mean is testing/find.c's.
 */
#include "driver/detector.h"
#include "driver/driver.h"

#include <stdlib.h>
#include <unistd.h>

static void judge_all(sc_ruletest *t)
{
    for (uint32_t i = 0; i < t->tests.count; i++)
        sc_rt_judge(t, &t->tests.items[i]);
}

/* Whether any test has events for a detector. */
static bool has_events(const sc_ruletest *t)
{
    for (uint32_t i = 0; i < t->tests.count; i++)
        if (t->tests.items[i].events > 0)
            return true;
    return false;
}

static bool ask_detector(sc_ruletest *t, const sc_detector *d, sc_rt_test *test)
{
    sc_rt_hits hits = {0};

    if (test->events == 0)
        return true;
    if (!sc_detector_run(d, test->lines.items, test->lines.count, &hits))
        return false;
    sc_rt_compare(t, test, &hits);
    return true;
}

/* The second opinion. Optimises the IR: comes last. */
static int compare_all(sc_ruletest *t, const sc_options *o,
                       const sc_loaded *loaded)
{
    sc_detector d;
    bool ok;

    if (o->no_build || !has_events(t))
        return SC_EXIT_OK;
    ok = sc_detector_build(&d, t->session, o, loaded);
    for (uint32_t i = 0; i < t->tests.count && ok; i++)
        ok = ask_detector(t, &d, &t->tests.items[i]);
    sc_detector_remove(&d);
    return ok ? SC_EXIT_OK : SC_EXIT_FAILED;
}

static void print(const sc_options *o, const sc_ruletest *t)
{
    const char *off = getenv("NO_COLOR");
    const bool colour =
        (off == NULL || off[0] == '\0') && isatty(STDOUT_FILENO);
    sg_buf out = {0};

    if (sg_str_eq(o->test_format, SG_S("json")))
        sc_rt_json(&out, t);
    else if (sg_str_eq(o->test_format, SG_S("junit")))
        sc_rt_junit(&out, t, o->require_tests);
    else
        sc_rt_text(&out, t, colour);
    fwrite(out.ptr, 1, out.len, stdout);
    sg_buf_free(&out);
}

static sc_rt_places places_of(const sc_options *o)
{
    return (sc_rt_places){
        .paths = o->paths.items,
        .path_count = o->paths.count,
        .events = o->test_events.items,
        .event_count = o->test_events.count,
        .regression_root = o->regression_root,
    };
}

void sc_test_find(sc_session *s, const sc_options *o, const sc_ir *ir,
                  sc_ruletest *t)
{
    const uint32_t diags = s->diags.count, errors = s->errors,
                   warnings = s->warnings;
    const sc_rt_places places = places_of(o);

    *t = (sc_ruletest){.session = s, .ir = ir};
    sc_rt_find(t, &places);
    s->diags.count = diags;
    s->errors = errors;
    s->warnings = warnings;
    s->doc = SIGMA_NONE;
}

int sc_test_run(sc_session *s, const sc_options *o, const sc_loaded *loaded,
                sc_ruletest *t)
{
    const sc_rt_places places = places_of(o);

    *t = (sc_ruletest){.session = s, .ir = loaded->ir};
    sc_rt_find(t, &places);
    judge_all(t);
    return compare_all(t, o, loaded);
}

static int run(sc_session *s, const sc_options *o, const sc_loaded *loaded)
{
    sc_ruletest t;
    sc_rt_totals n;
    int code = sc_test_run(s, o, loaded, &t);

    print(o, &t);
    n = sc_rt_count(&t);
    if (code == SC_EXIT_OK &&
        (n.failed > 0 || n.rules[SC_RT_RULE_REJECTED] > 0 ||
         (o->require_tests && n.rules[SC_RT_RULE_UNTESTED] > 0)))
        code = SC_EXIT_REJECTED;
    return code;
}

int sc_test_guard(const sc_options *o, const char *command)
{
    for (uint32_t i = 0; i < o->test_events.count; i++)
        if (!sc_path_is_folder(o->test_events.items[i]))
            return sc_fail(SC_EXIT_USAGE,
                           "--events takes a folder\n"
                           "Try 'sigcc %s --help'.",
                           command);
    return SC_EXIT_OK;
}

int sc_cmd_test(sc_session *s, const sc_options *o)
{
    sc_loaded loaded;
    int code = sc_test_guard(o, "test");

    if (code == SC_EXIT_OK)
        code = sc_load(s, o, &loaded);
    if (code == SC_EXIT_OK)
        code = run(s, o, &loaded);
    return sc_finish(s, o, code);
}
