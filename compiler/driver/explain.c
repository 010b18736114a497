/*
 * explain.c - `sigcc explain`: rules and one event to the reasons of their
 * verdicts. The judging is testing/explain.c's.
 */
#include "testing/explain.h"
#include "driver/driver.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* -------- the event ------------------------------------------------------ */

enum { MAX_EVENTS_FILE = 64 << 20 };

static bool read_file(sg_arena *arena, sg_str path, sg_str *out)
{
    FILE *file = sg_str_eq(path, SG_S("-")) ? stdin : fopen(path.ptr, "rb");
    sg_buf text = {0};
    size_t n = 1;

    if (file == NULL)
        return false;
    while (n > 0 && text.len <= MAX_EVENTS_FILE) {
        char *to = sg_buf_reserve(&text, 65536);
        n = fread(to, 1, 65536, file);
        text.len += n;
    }
    if (text.len > MAX_EVENTS_FILE)
        errno = EFBIG;
    *out = sg_arena_dup(arena, sg_buf_str(&text));
    n = ferror(file) || text.len > MAX_EVENTS_FILE;
    sg_buf_free(&text);
    if (file != stdin)
        fclose(file);
    return n == 0;
}

/* Line `want` of the text; 0 asks for the first that is not blank. */
static bool pick_line(sg_str text, uint32_t want, sg_str *out, uint64_t *number)
{
    size_t beg = 0;

    for (*number = 1; beg < text.len; ++*number) {
        const sg_str rest = sg_str_sub(text, beg, text.len);
        size_t n = sg_str_find(rest, SG_S("\n"));
        size_t blank = 0;
        n = n == SIZE_MAX ? rest.len : n;
        *out = sg_str_sub(rest, 0, n);
        while (blank < n &&
               (rest.ptr[blank] == ' ' || rest.ptr[blank] == '\t' ||
                rest.ptr[blank] == '\r'))
            blank++;
        if (want == 0 ? blank < n : *number == want)
            return true;
        beg += n + 1;
    }
    return false;
}

/* The event, which may be one object over several lines. */
static bool find_event(const sc_options *o, sg_str text, sg_str *line,
                       uint64_t *number)
{
    sc_ref_event *whole = NULL;

    if (o->line == 0 && (whole = sc_ref_event_parse(text)) != NULL) {
        sc_ref_event_free(whole);
        *line = text;
        *number = 1;
        return true;
    }
    return pick_line(text, o->line, line, number);
}

/* -------- which rules ---------------------------------------------------- */

static bool is_named(const sc_strs *names, const sc_ir_meta *meta, bool *used)
{
    bool found = names->count == 0;

    for (uint32_t i = 0; i < names->count; i++) {
        const sg_str name = names->items[i];
        if (!sg_str_eq(name, meta->id) && !sg_str_eq(name, meta->name) &&
            !sg_str_eq(name, meta->title))
            continue;
        used[i] = found = true;
    }
    return found;
}

/* Leave out what --rule does not name. */
static int select_rules(sc_session *s, const sc_options *o, sc_explained *x)
{
    bool *used = sg_new_n(&s->arena, bool, (size_t)o->explain_rules.count + 1);
    uint32_t kept = 0;

    for (uint32_t i = 0; i < x->rules.count; i++)
        if (is_named(&o->explain_rules,
                     &x->ir->rules.items[x->rules.items[i].index].meta, used))
            x->rules.items[kept++] = x->rules.items[i];
    x->rules.count = kept;
    kept = 0;
    for (uint32_t i = 0; i < x->corrs.count; i++)
        if (is_named(&o->explain_rules,
                     &x->ir->corrs.items[x->corrs.items[i].index].meta, used))
            x->corrs.items[kept++] = x->corrs.items[i];
    x->corrs.count = kept;
    for (uint32_t i = 0; i < o->explain_rules.count; i++) {
        sg_buf shown = {0};
        if (used[i])
            continue;
        sc_put_safe(&shown, o->explain_rules.items[i]);
        sc_fail(SC_EXIT_USAGE, "no rule has '%.*s' as its id, name or title",
                SG_FMT(sg_buf_str(&shown)));
        sg_buf_free(&shown);
        return SC_EXIT_USAGE;
    }
    return SC_EXIT_OK;
}

/* -------- the command ---------------------------------------------------- */

/* Whether the environment's character encoding is UTF-8. */
static bool is_utf8(void)
{
    static const char *const names[] = {"LC_ALL", "LC_CTYPE", "LANG"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        const char *set = getenv(names[i]);
        if (set == NULL || set[0] == '\0')
            continue;
        return strstr(set, "UTF-8") != NULL || strstr(set, "utf8") != NULL ||
               strstr(set, "utf-8") != NULL;
    }
    return false;
}

static void print(const sc_options *o, const sc_explained *x)
{
    const char *off = getenv("NO_COLOR");
    const bool terminal = isatty(STDOUT_FILENO);
    const sc_x_style style = {terminal && (off == NULL || off[0] == '\0'),
                              terminal && is_utf8()};
    sg_buf out = {0};

    if (sg_str_eq(o->explain_format, SG_S("json")))
        sc_explain_json(&out, x);
    else
        sc_explain_text(&out, x, style);
    fwrite(out.ptr, 1, out.len, stdout);
    sg_buf_free(&out);
}

static int explain(sc_session *s, const sc_options *o, const sc_ir *ir,
                   sg_str path)
{
    sc_explained x = {.session = s, .ir = ir, .path = path};
    sg_str text, line;
    int code;

    if (!read_file(&s->arena, path, &text))
        return sc_fail(SC_EXIT_FAILED, "the event: %s", strerror(errno));
    if (!find_event(o, text, &line, &x.line))
        return sc_fail(SC_EXIT_FAILED, o->line > 0
                                           ? "the event: no such line"
                                           : "the event: nothing there");
    if (!sc_explain(&s->arena, line, &x))
        return sc_fail(SC_EXIT_FAILED,
                       "the event: line %" PRIu64 " is no JSON object", x.line);
    code = select_rules(s, o, &x);
    if (code == SC_EXIT_OK)
        print(o, &x);
    return code;
}

int sc_cmd_explain(sc_session *s, const sc_options *o)
{
    sc_options rules = *o;
    sc_loaded loaded;
    int code;

    if (o->paths.count < 2)
        return sc_fail(SC_EXIT_USAGE, "explain needs a rule and an event\n"
                                      "Try 'sigcc explain --help'.");
    rules.paths.count--;
    code = sc_load(s, &rules, &loaded);
    if (code == SC_EXIT_OK)
        code = explain(s, o, loaded.ir, o->paths.items[o->paths.count - 1]);
    return sc_finish(s, o, code);
}
