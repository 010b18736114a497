/*
 * regression.c - tests as SigmaHQ keeps them: a rule's regression_tests_path
 * names an info.yml, whose regression_tests_info names event files and how
 * many events must match at least (none given: one). For an EVTX file the
 * JSON beside it is read. Paths come from rules: absolute ones, other kinds
 * of files, and event paths that lead upwards are not followed.
 */
#include "testing/ruletest.h"
#include "yaml/ytree.h"

#include <stdlib.h>
#include <unistd.h>

enum { MAX_UP = 32 }; /* folders above a rule file that are tried */

typedef struct finder {
    sc_ruletest *t;
    sg_arena *arena;
    const sc_rt_places *places;
    uint32_t file, rule;
    sg_str root, info; /* where info.yml was found: root/path, and that */
} finder;

static bool is_file(sg_str path)
{
    return access(path.ptr, R_OK) == 0;
}

static sg_str join(const finder *f, sg_str folder, sg_str name)
{
    return sg_arena_printf(f->arena, "%.*s/%.*s", SG_FMT(folder), SG_FMT(name));
}

static size_t last_slash(sg_str path)
{
    size_t end = path.len;

    while (end > 0 && path.ptr[end - 1] != '/')
        end--;
    return end;
}

/* -------- the rule's attribute ------------------------------------------- */

/* The document again: the AST does not keep attributes that no stage uses.
 * It was read before without an error, so nothing is reported twice. */
static sg_str attribute(const finder *f, uint32_t doc)
{
    sc_session *s = f->t->session;
    const sc_span at = s->docs.items[doc].at;
    const uint32_t diags = s->diags.count, docs = s->docs.count;
    const uint32_t errors = s->errors, warnings = s->warnings;
    const sc_y_doc *all;
    sg_str out = SG_S("");
    uint32_t count;

    if (at.source >= s->sources.count ||
        sg_str_find(
            sg_str_sub(s->sources.items[at.source].text, at.beg, at.end),
            SG_S("regression_tests_path")) == SIZE_MAX)
        return out;
    all = sc_yaml_parse(s, at.source, &count);
    for (uint32_t i = 0; i < count; i++) {
        const sc_y *value = NULL;
        if (all[i].at.beg == at.beg && all[i].root->kind == SC_Y_MAP)
            value = sc_y_get(all[i].root, "regression_tests_path");
        if (value != NULL && value->kind == SC_Y_STR)
            out = value->text;
    }
    s->diags.count = diags;
    s->docs.count = docs;
    s->errors = errors;
    s->warnings = warnings;
    s->doc = SIGMA_NONE;
    return out;
}

/* -------- where it leads ------------------------------------------------- */

static bool try_root(finder *f, sg_str root, sg_str path)
{
    const sg_str whole = join(f, root, path);

    if (!is_file(whole))
        return false;
    f->root = root;
    f->info = whole;
    return true;
}

static bool find_info(finder *f, sg_str path)
{
    const sg_str folder = f->t->files.items[f->file].folder;
    char *real;
    sg_str up;
    bool found;

    if (f->places->regression_root.len > 0 &&
        try_root(f, f->places->regression_root, path))
        return true;
    if (try_root(f, folder, path))
        return true;
    real = realpath(folder.ptr, NULL);
    if (real == NULL)
        return false;
    up = sg_arena_dup(f->arena, sg_str_of(real));
    free(real);
    found = false;
    for (int i = 0; i < MAX_UP && up.len > 1 && !found; i++) {
        found = try_root(f, up, path);
        up = sg_arena_dup(f->arena, sg_str_sub(up, 0, last_slash(up) - 1));
    }
    return found;
}

static sg_str find_events(const finder *f, sg_str path)
{
    const sg_str folder = sg_str_sub(f->info, 0, last_slash(f->info) - 1);
    const sg_str name = sg_str_sub(path, last_slash(path), path.len);
    const sg_str tries[] = {join(f, f->root, path), join(f, folder, path),
                            join(f, folder, name)};

    for (size_t i = 0; i < sizeof(tries) / sizeof(tries[0]); i++)
        if (is_file(tries[i]))
            return tries[i];
    return SG_S("");
}

/* -------- tests ---------------------------------------------------------- */

static void add(const finder *f, sg_str path, uint32_t at_least,
                const char *skipped)
{
    const sc_rt_test test = {
        .path = path,
        .label = SG_S(""),
        .expect_match = true,
        .concatenated = true,
        .kind = SC_RT_COUNT,
        .at_least = at_least,
        .file = f->file,
        .rule = f->rule,
        .corr = SIGMA_NONE,
        .status = skipped == NULL ? SC_RT_PASSED : SC_RT_SKIPPED,
        .skipped = sg_str_of(skipped == NULL ? "" : skipped),
    };

    /* EVTX and JSON of one test may lead to the same file. */
    for (uint32_t i = 0; i < f->t->tests.count; i++)
        if (f->t->tests.items[i].rule == f->rule &&
            sg_str_eq(f->t->tests.items[i].path, path))
            return;
    SG_PUSH(f->arena, &f->t->tests, test);
}

static uint32_t match_count(const sc_y *entry)
{
    const sc_y *count = sc_y_get(entry, "match_count");

    if (count == NULL || count->kind != SC_Y_NUM ||
        count->num.kind != SIGMA_INT || count->num.v.i < 1 ||
        count->num.v.i > UINT32_MAX)
        return 1;
    return (uint32_t)count->num.v.i;
}

static void read_entry(const finder *f, const sc_y *entry)
{
    const sc_y *path = NULL, *pipelines = NULL;
    sg_str name, events;

    if (entry->kind == SC_Y_MAP) {
        path = sc_y_get(entry, "path");
        pipelines = sc_y_get(entry, "pipelines");
    }
    if (path == NULL || path->kind != SC_Y_STR) {
        add(f, f->info, 1, "an entry has no path");
        return;
    }
    name = path->text;
    if (sg_str_ends(name, SG_S(".evtx")))
        name = sg_arena_printf(f->arena, "%.*s.json", (int)(name.len - 5),
                               name.ptr);
    events = find_events(f, name);
    if (sg_str_starts(name, SG_S("/")) ||
        sg_str_find(name, SG_S("..")) != SIZE_MAX)
        add(f, name, 1, "its path leads out of the folder");
    else if (!sg_str_ends(name, SG_S(".json")) &&
             !sg_str_ends(name, SG_S(".ndjson")) &&
             !sg_str_ends(name, SG_S(".jsonl")))
        add(f, name, 1, "only JSON can be read");
    else if (events.len == 0)
        add(f, name, 1, "there is no such JSON file");
    else if (pipelines != NULL && pipelines->count > 0)
        add(f, events, 1, "it asks for pipelines of its own");
    else
        add(f, events, match_count(entry), NULL);
}

static void read_info(const finder *f)
{
    sc_session *s = f->t->session;
    const sc_y_doc *docs;
    const sc_y *list;
    uint32_t source, count;

    s->doc = SIGMA_NONE;
    if (!sc_source_open(s, f->info, &source))
        return;
    docs = sc_yaml_parse(s, source, &count);
    if (count == 0 || docs[0].root->kind != SC_Y_MAP)
        return;
    list = sc_y_get(docs[0].root, "regression_tests_info");
    if (list == NULL || list->kind != SC_Y_SEQ) {
        add(f, f->info, 1, "it has no regression_tests_info");
        return;
    }
    for (uint32_t i = 0; i < list->count; i++)
        read_entry(f, list->items[i]);
}

void sc_rt_find_regression(sc_ruletest *t, uint32_t file,
                           const sc_rt_places *places)
{
    finder f = {
        .t = t, .arena = &t->session->arena, .places = places, .file = file};
    const sc_rt_file *rules = &t->files.items[file];

    for (uint32_t i = 0; i < rules->rules.count; i++) {
        sg_str path;
        f.rule = rules->rules.items[i];
        path = attribute(&f, t->ir->rules.items[f.rule].meta.doc);
        if (path.len == 0)
            continue;
        if (sg_str_starts(path, SG_S("/")) ||
            !(sg_str_ends(path, SG_S(".yml")) ||
              sg_str_ends(path, SG_S(".yaml"))))
            add(&f, path, 1, "its path is not that of an info.yml");
        else if (!find_info(&f, path))
            add(&f, path, 1, "not found (see --regression-root)");
        else
            read_info(&f);
    }
}
