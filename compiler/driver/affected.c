/*
 * affected.c - from changed files to the documents that they concern. What a
 * file said before matters too: a filter that is gone, or a correlation that no
 * longer hides its rules, changes others without leaving a trace in them.
 */
#include "driver/changes.h"

#include <unistd.h>

enum { MAX_OLD = 1000 /* files whose old text is read */ };

typedef struct finder {
    const sc_changes *c;
    const sc_loaded *loaded;
    sc_session *s;
    bool *docs;
    sg_map files; /* paths of rule files, to whether they changed */
    bool all;     /* everything is concerned */
} finder;

/* -------- what files say now ---------------------------------------------- */

static void mark_files(finder *f)
{
    for (uint32_t i = 0; i < f->s->docs.count; i++) {
        const sg_str path = f->s->docs.items[i].path;
        bool known;
        uint32_t *changed = sg_map_put(&f->s->arena, &f->files, path, &known);

        if (!known)
            *changed = sc_changes_has(f->c, path);
        f->docs[i] = *changed != 0;
    }
}

/* A filter may join any rule of its log source. */
static void mark_filters(finder *f)
{
    for (uint32_t i = 0; i < f->loaded->ast.filters.count; i++)
        f->all |= f->docs[f->loaded->ast.filters.items[i]->doc];
}

/* What was read and holds no rules serves any of them: pipelines, placeholders,
 * lists of tests. Shipped ones change with the compiler alone. */
static void mark_sources(finder *f)
{
    const sg_str home = sg_arena_printf(&f->s->arena, "%.*s/share/sigcc/",
                                        SG_FMT(sc_path_home(&f->s->arena)));

    for (uint32_t i = 0; i < f->s->sources.count && !f->all; i++) {
        const sg_str path = f->s->sources.items[i].path;

        if (sg_map_get(&f->files, path) == NULL && !sg_str_starts(path, home))
            f->all = sc_changes_has(f->c, path);
    }
}

static void mark_path(finder *f, sg_str path)
{
    for (uint32_t i = 0; i < f->s->docs.count; i++)
        f->docs[i] |= sg_str_eq(f->s->docs.items[i].path, path);
}

/* Whether any file of the revision is gone. */
static bool lost_files(const finder *f)
{
    for (uint32_t i = 0; i < f->c->names.count; i++)
        if (access(sg_arena_printf(&f->s->arena, "%.*s/%.*s", SG_FMT(f->c->top),
                                   SG_FMT(f->c->names.items[i]))
                       .ptr,
                   F_OK) != 0)
            return true;
    return false;
}

/* Rules whose events changed. A test whose file is not found is skipped: it may
 * be one that is gone. */
static void mark_tests(finder *f)
{
    const bool lost = lost_files(f);
    sc_ruletest t;

    sc_test_find(f->s, f->c->o, f->loaded->ir, &t);
    for (uint32_t i = 0; i < t.tests.count; i++) {
        const sc_rt_test *test = &t.tests.items[i];

        if (test->status == SC_RT_SKIPPED ? lost
                                          : sc_changes_has(f->c, test->path))
            mark_path(f, t.files.items[test->file].path);
    }
}

/* What a reference means depends on other files: one that fails is judged each
 * time. */
static void mark_lost_references(finder *f)
{
    for (uint32_t i = 0; i < f->s->diags.count; i++) {
        const sc_diag *diag = &f->s->diags.items[i];

        if (diag->doc < f->s->docs.count &&
            ((diag->code >= SC_E0550 && diag->code <= SC_E0555) ||
             diag->code == SC_E0653))
            f->docs[diag->doc] = true;
    }
}

/* -------- what files said before ------------------------------------------ */

static void mark_reference(finder *f, sg_str text)
{
    for (uint32_t i = 0; i < f->s->docs.count; i++)
        f->docs[i] |= sg_str_eq_nocase(f->s->docs.items[i].id, text) ||
                      sg_str_eq(f->s->docs.items[i].name, text);
}

static void mark_old_rules(finder *f, const sc_ast *ast)
{
    f->all |= ast->filters.count > 0;
    for (uint32_t i = 0; i < ast->rules.count; i++) {
        const sc_correlation *corr = ast->rules.items[i]->correlation;

        for (uint32_t k = 0; corr != NULL && k < corr->refs.count; k++)
            mark_reference(f, corr->refs.items[k].text);
    }
}

static void mark_old_file(finder *f, sg_str name)
{
    sc_session old;
    sc_ast ast = {0};
    sg_buf text = {0};

    if (sg_map_get(&f->c->stored, name) == NULL)
        return;
    sc_session_init(&old);
    if (!sc_changes_old(f->c, name, &text) || text.len > SC_MAX_SOURCE) {
        f->all = true;
    } else {
        sc_read_source(&old, sc_source_add(&old, name, sg_buf_str(&text)),
                       &ast);
        mark_old_rules(f, &ast);
    }
    sc_session_free(&old);
    sg_buf_free(&text);
}

static sg_str base_of(sg_str path)
{
    size_t beg = path.len;

    while (beg > 0 && path.ptr[beg - 1] != '/')
        beg--;
    return sg_str_sub(path, beg, path.len);
}

/* Events that are gone leave rules untested: X.match.ndjson was one of X.yml's,
 * X.LABEL.match.ndjson too. */
static void mark_old_events(finder *f, sg_str name)
{
    const sg_str base = base_of(name);

    for (uint32_t i = 0; i < f->s->docs.count; i++) {
        sg_str stem = base_of(f->s->docs.items[i].path);

        while (stem.len > 0 && stem.ptr[stem.len - 1] != '.')
            stem.len--;
        f->docs[i] |= stem.len > 0 && sg_str_starts(base, stem);
    }
}

static void mark_old(finder *f)
{
    uint32_t read = 0;

    for (uint32_t i = 0; i < f->c->names.count && !f->all; i++) {
        const sg_str name = f->c->names.items[i];

        if (sg_str_ends(name, SG_S("match.ndjson")))
            mark_old_events(f, name);
        else if (!sg_str_ends(name, SG_S(".yml")) &&
                 !sg_str_ends(name, SG_S(".yaml")))
            continue;
        else if (++read > MAX_OLD)
            f->all = true;
        else
            mark_old_file(f, name);
    }
}

/* -------- all of it ------------------------------------------------------- */

/* Rules are ordered so that a correlation follows what it refers to. */
static void mark_correlations(finder *f)
{
    for (uint32_t i = 0; i < f->loaded->ast.rules.count; i++) {
        const sc_rule *rule = f->loaded->ast.rules.items[i];

        for (uint32_t k = 0;
             rule->correlation != NULL && k < rule->correlation->refs.count;
             k++) {
            const sc_rule *inner = rule->correlation->refs.items[k].rule;
            f->docs[rule->doc] |= inner == NULL || f->docs[inner->doc];
        }
    }
}

const bool *sc_changes_affected(const sc_changes *c, const sc_loaded *loaded)
{
    finder f = {.c = c, .loaded = loaded, .s = c->s};

    f.docs = sg_new_n(&c->s->arena, bool, (size_t)c->s->docs.count + 1);
    mark_files(&f);
    mark_filters(&f);
    mark_tests(&f);
    mark_sources(&f);
    mark_lost_references(&f);
    mark_old(&f);
    mark_correlations(&f);
    for (uint32_t i = 0; i < c->s->docs.count; i++)
        f.docs[i] |= f.all;
    return f.docs;
}
