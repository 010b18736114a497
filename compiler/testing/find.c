/*
 * find.c - which event files test which rules. For X.yml: X.match.ndjson,
 * X.no_match.ndjson and both with a label in between, in the folder of the
 * rule file and in each events folder, there below the same path or flat. The
 * longest stem of a rule file wins, so that a.b.match.ndjson is b's variant
 * of a.yml only while there is no a.b.yml. A label that is the name of a rule
 * of the file means that rule alone.
 */
#include "testing/ruletest.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>

/* -------- folders -------------------------------------------------------- */

/* An event file, by name. */
typedef struct entry {
    sg_str name, stem, label;
    bool expect_match;
} entry;

typedef SG_VEC(entry) entries;

typedef struct finder {
    sc_ruletest *t;
    const sc_rt_places *places;
    sg_arena *arena;
    sg_map stems;   /* of all rule files */
    sg_map folders; /* path to index into lists */
    SG_VEC(entries) lists;
} finder;

static int by_name(const void *a, const void *b)
{
    return sg_str_cmp(((const entry *)a)->name, ((const entry *)b)->name);
}

/* Split STEM[.LABEL] by the longest stem that some rule file has. */
static bool split_name(const finder *f, sg_str name, entry *out)
{
    for (size_t end = name.len; end > 0; end--) {
        const sg_str stem = sg_str_sub(name, 0, end);
        if (end < name.len && name.ptr[end] != '.')
            continue;
        if (sg_map_get(&f->stems, stem) == NULL)
            continue;
        out->stem = stem;
        out->label =
            end == name.len ? SG_S("") : sg_str_sub(name, end + 1, name.len);
        return true;
    }
    return false;
}

static bool read_entry(const finder *f, sg_str name, entry *out)
{
    static const struct {
        sg_str suffix;
        bool expect_match;
    } kinds[] = {{SG_LIT(".no_match.ndjson"), false},
                 {SG_LIT(".match.ndjson"), true}};

    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (!sg_str_ends(name, kinds[i].suffix))
            continue;
        out->name = name;
        out->expect_match = kinds[i].expect_match;
        return split_name(
            f, sg_str_sub(name, 0, name.len - kinds[i].suffix.len), out);
    }
    return false;
}

/* Event files of a folder, sorted; none when it cannot be read. */
static const entries *list_folder(finder *f, sg_str folder)
{
    bool known;
    const uint32_t index = *sg_map_put(f->arena, &f->folders, folder, &known);
    const struct dirent *e;
    entries list = {0};
    DIR *dir;

    if (known)
        return &f->lists.items[index];
    *sg_map_get(&f->folders, folder) = f->lists.count;
    dir = opendir(folder.ptr);
    while (dir != NULL && (e = readdir(dir)) != NULL) {
        entry found;
        if (read_entry(f, sg_arena_dup(f->arena, sg_str_of(e->d_name)), &found))
            SG_PUSH(f->arena, &list, found);
    }
    if (dir != NULL)
        closedir(dir);
    if (list.count > 1)
        qsort(list.items, list.count, sizeof(*list.items), by_name);
    SG_PUSH(f->arena, &f->lists, list);
    return &f->lists.items[f->lists.count - 1];
}

static sg_str join(sg_arena *arena, sg_str folder, sg_str name)
{
    if (folder.len == 0 || sg_str_eq(folder, SG_S(".")))
        return sg_arena_dup(arena, name);
    return sg_arena_printf(arena, "%.*s%s%.*s", SG_FMT(folder),
                           sg_str_ends(folder, SG_S("/")) ? "" : "/",
                           SG_FMT(name));
}

/* -------- tests ---------------------------------------------------------- */

/* What a label means, and how the events are judged. */
static void aim(const sc_ruletest *t, const sc_rt_file *file, sc_rt_test *test)
{
    const sc_ir *ir = t->ir;

    test->rule = test->corr = SIGMA_NONE;
    test->kind = file->corrs.count > 0 ? SC_RT_STREAM : SC_RT_EVENTS;
    if (test->label.len == 0)
        return;
    for (uint32_t i = 0; i < file->corrs.count; i++) {
        const uint32_t corr = file->corrs.items[i];
        if (sg_str_eq(ir->corrs.items[corr].meta.name, test->label))
            test->corr = corr;
    }
    for (uint32_t i = 0; i < file->rules.count; i++) {
        const uint32_t rule = file->rules.items[i];
        if (!sg_str_eq(ir->rules.items[rule].meta.name, test->label))
            continue;
        test->rule = rule;
        test->kind = SC_RT_EVENTS;
    }
}

static void look_in(finder *f, uint32_t file, sg_str folder)
{
    const sc_rt_file *rules = &f->t->files.items[file];
    const entries *list = list_folder(f, folder);

    for (uint32_t i = 0; i < list->count; i++) {
        const entry *e = &list->items[i];
        sc_rt_test test = {
            .label = e->label, .expect_match = e->expect_match, .file = file};
        if (!sg_str_eq(e->stem, rules->stem))
            continue;
        test.path = join(f->arena, folder, e->name);
        aim(f->t, rules, &test);
        SG_PUSH(f->arena, &f->t->tests, test);
    }
}

/* -------- rule files ----------------------------------------------------- */

static sg_str stem_of(sg_str path)
{
    size_t beg = path.len;

    while (beg > 0 && path.ptr[beg - 1] != '/')
        beg--;
    if (sg_str_ends(path, SG_S(".yml")))
        path.len -= 4;
    else if (sg_str_ends(path, SG_S(".yaml")))
        path.len -= 5;
    return beg < path.len ? sg_str_sub(path, beg, path.len) : SG_S("");
}

/* The part of the folder below the PATH that holds it. */
static sg_str below(const sc_rt_places *places, sg_str folder)
{
    for (uint32_t i = 0; i < places->path_count; i++) {
        sg_str root = places->paths[i];
        while (root.len > 1 && root.ptr[root.len - 1] == '/')
            root.len--;
        if (sg_str_starts(folder, root) && folder.len > root.len &&
            folder.ptr[root.len] == '/')
            return sg_str_sub(folder, root.len + 1, folder.len);
    }
    return SG_S("");
}

static sc_rt_file *file_of(finder *f, sg_map *index, uint32_t doc)
{
    sc_ruletest *t = f->t;
    const sg_str path = t->session->docs.items[doc].path;
    bool known;
    uint32_t *cell = sg_map_put(f->arena, index, path, &known);

    if (!known) {
        sc_rt_file file = {.path = path};
        *cell = t->files.count;
        file.folder = sc_path_folder(f->arena, path);
        file.stem = stem_of(path);
        file.below = below(f->places, file.folder);
        SG_PUSH(f->arena, &t->files, file);
        return &t->files.items[t->files.count - 1];
    }
    return &t->files.items[*cell];
}

/* Rejected rules, and those that the IR leaves out, keep their events too. */
static void find_stems(finder *f)
{
    const sc_session *s = f->t->session;
    bool ignored;

    for (uint32_t i = 0; i < s->docs.count; i++)
        sg_map_put(f->arena, &f->stems, stem_of(s->docs.items[i].path),
                   &ignored);
}

static void find_files(finder *f)
{
    const sc_ir *ir = f->t->ir;
    sg_map index = {0};

    for (uint32_t i = 0; i < ir->rules.count; i++) {
        sc_rt_file *file = file_of(f, &index, ir->rules.items[i].meta.doc);
        SG_PUSH(f->arena, &file->rules, i);
    }
    for (uint32_t i = 0; i < ir->corrs.count; i++) {
        sc_rt_file *file = file_of(f, &index, ir->corrs.items[i].meta.doc);
        SG_PUSH(f->arena, &file->corrs, i);
    }
}

static void find_tests(finder *f, uint32_t file)
{
    const sg_str folder = f->t->files.items[file].folder;
    const sg_str sub = f->t->files.items[file].below;

    look_in(f, file, folder);
    for (uint32_t i = 0; i < f->places->event_count; i++) {
        const sg_str dir = sg_arena_dup(f->arena, f->places->events[i]);
        const sg_str mirror = join(f->arena, dir, sub);
        if (sub.len > 0 && !sg_str_eq(mirror, folder))
            look_in(f, file, mirror);
        if (!sg_str_eq(dir, folder))
            look_in(f, file, dir);
    }
    sc_rt_find_regression(f->t, file, f->places);
}

void sc_rt_find(sc_ruletest *out, const sc_rt_places *places)
{
    finder f = {.t = out, .places = places, .arena = &out->session->arena};

    find_stems(&f);
    find_files(&f);
    for (uint32_t i = 0; i < out->files.count; i++)
        find_tests(&f, i);
}
