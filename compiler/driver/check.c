/*
 * check.c - `sigcc check`: everything up to the C compiler, and the lints, for
 * their messages.
 */
#include "driver/driver.h"
#include "opt/opt.h"

#include <unistd.h>

/* -------- which warnings -------------------------------------------------- */

static bool put_words(sc_code_set *set, const sc_strs *words, bool on)
{
    for (uint32_t i = 0; i < words->count; i++) {
        const sg_str word = words->items[i];
        const sg_str near = sc_code_set_nearest(word);
        sg_buf shown = {0};

        if (sc_code_set_put(set, word, on))
            continue;
        sc_put_safe(&shown, word);
        if (near.len > 0)
            sg_buf_printf(&shown, "'; did you mean '%.*s", SG_FMT(near));
        sc_fail(SC_EXIT_USAGE,
                "no warning is called '%.*s'; see 'sigcc list diagnostics'",
                SG_FMT(sg_buf_str(&shown)));
        sg_buf_free(&shown);
        return false;
    }
    return true;
}

bool sc_check_choose(const sc_options *o, sc_code_set *set)
{
    sc_code_set_init(set);
    if (o->only.count > 0)
        sc_code_set_clear(set);
    return put_words(set, &o->only, true) && put_words(set, &o->enable, true) &&
           put_words(set, &o->disable, false);
}

void sc_check_lint(sc_session *s, const sc_options *o, const sc_ast *ast)
{
    sc_code_set set;

    if (sc_check_choose(o, &set))
        sc_lint_run(s, ast, &set);
}

/* -------- the command ----------------------------------------------------- */

sc_places sc_places_of(sc_session *s, const sc_options *o)
{
    char folder[4096];
    const char *here = getcwd(folder, sizeof folder);

    return (sc_places){
        .folder = sg_arena_dup(&s->arena, sg_str_of(here != NULL ? here : "")),
        .roots = o->paths.items,
        .root_count = o->paths.count};
}

static void put_sarif(sc_session *s, const sc_options *o, sg_buf *out)
{
    const sc_places places = sc_places_of(s, o);

    sc_check_sarif(s, out, &places, NULL);
}

static void put_result(sc_session *s, const sc_options *o, sc_loaded *loaded)
{
    sg_buf text = {0};

    if (o->cost.len > 0 && loaded->ir != NULL) {
        sc_opt_run(loaded->ir, loaded->disabled);
        sc_cost_print(s, loaded->ir, sg_str_eq(o->cost, SG_S("json")));
    } else if (sg_str_eq(o->check_format, SG_S("json")))
        sc_check_json(s, &text);
    else if (sg_str_eq(o->check_format, SG_S("sarif")))
        put_sarif(s, o, &text);
    if (text.len > 0)
        fwrite(text.ptr, 1, text.len, stdout);
    sg_buf_free(&text);
}

int sc_cmd_check(sc_session *s, const sc_options *o)
{
    sc_code_set set;
    sc_loaded loaded;
    int code;

    if (!sc_check_choose(o, &set))
        return SC_EXIT_USAGE;
    if (o->cost.len > 0 && o->check_format.len > 0 &&
        !sg_str_eq(o->check_format, SG_S("text")))
        return sc_fail(SC_EXIT_USAGE,
                       "--cost and --format=%.*s would both "
                       "write to standard output",
                       SG_FMT(o->check_format));
    code = sc_load(s, o, &loaded);
    sc_watch_enter(loaded.watch, SC_PHASE_finish);
    sc_code_set_filter(s, &set);
    if (!loaded.dumped && code <= SC_EXIT_REJECTED)
        put_result(s, o, &loaded);
    if (code == SC_EXIT_OK && s->warnings > 0 &&
        sg_str_eq(o->fail_on, SG_S("warning")))
        code = SC_EXIT_REJECTED;
    code = sc_finish(s, o, code);
    sc_put_timings(o, loaded.watch);
    return code;
}
