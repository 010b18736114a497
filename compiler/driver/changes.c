/*
 * changes.c - asks git what the work tree has of a revision. A file is
 * unchanged when the revision has it and git finds no difference; names that
 * git does not know, ignored ones too, are changes.
 */
#include "driver/changes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* -------- asking ---------------------------------------------------------- */

/* Print what git said, its first line. */
static int refuse(int code, const char *what, sg_str revision, sg_str said)
{
    const size_t end = sg_str_find(said, SG_S("\n"));
    sg_buf text = {0};

    sg_buf_printf(&text, "--since: %s '", what);
    sc_put_safe(&text, revision);
    sg_buf_putz(&text, said.len > 0 ? "': " : "'");
    sc_put_safe(&text, sg_str_sub(said, 0, end == SIZE_MAX ? said.len : end));
    sc_fail(code, "%.*s", SG_FMT(sg_buf_str(&text)));
    sg_buf_free(&text);
    return code;
}

/* One line of output, in the arena; SC_EXIT_OK, or a printed reason. */
static int ask_line(const sc_changes *c, sg_str folder, const char *const *args,
                    const char *what, sg_str revision, sg_str *line)
{
    sg_buf out = {0}, error = {0};
    const int status = sc_git(&c->s->arena, folder, args, &out, &error);
    int code = SC_EXIT_OK;

    if (status != 0 || out.len < 2)
        code = refuse(status < 0 ? SC_EXIT_FAILED : SC_EXIT_USAGE, what,
                      revision, sg_buf_str(&error));
    else
        *line = sg_arena_dup(&c->s->arena,
                             sg_str_sub(sg_buf_str(&out), 0, out.len - 1));
    sg_buf_free(&out);
    sg_buf_free(&error);
    return code;
}

/* A list of names, each with a NUL behind it. */
static int ask_names(sc_changes *c, const char *const *args, sg_map *set,
                     sc_strs *list)
{
    sg_arena *arena = &c->s->arena;
    sg_buf out = {0}, error = {0};
    const int status = sc_git(arena, c->top, args, &out, &error);
    int code = SC_EXIT_OK;

    if (status != 0)
        code = refuse(SC_EXIT_FAILED, "git cannot compare with", c->commit,
                      sg_buf_str(&error));
    for (size_t beg = 0; status == 0 && beg < out.len;) {
        const size_t len = strnlen(out.ptr + beg, out.len - beg);
        const sg_str name = sg_arena_dup(arena, (sg_str){out.ptr + beg, len});
        bool found;

        sg_map_put(arena, set, name, &found);
        if (list != NULL)
            SG_PUSH(arena, list, name);
        beg += len + 1;
    }
    sg_buf_free(&out);
    sg_buf_free(&error);
    return code;
}

static int compare(sc_changes *c)
{
    const char *const tree[] = {"ls-tree",     "-r",          "-z",
                                "--name-only", "--full-tree", c->commit.ptr,
                                NULL};
    const char *const diff[] = {"diff",
                                "--name-only",
                                "-z",
                                "--no-renames",
                                "--no-ext-diff",
                                "--no-textconv",
                                "--no-relative",
                                "--no-color",
                                "--ignore-submodules=none",
                                c->commit.ptr,
                                "--",
                                NULL};
    int code = ask_names(c, tree, &c->stored, NULL);

    if (code == SC_EXIT_OK)
        code = ask_names(c, diff, &c->differing, &c->names);
    return code;
}

int sc_changes_open(sc_session *s, const sc_options *o, sg_str revision,
                    sc_changes *out)
{
    static const char *const top[] = {"rev-parse", "--show-toplevel", NULL};
    const sg_str spec =
        sg_arena_printf(&s->arena, "%.*s^{commit}", SG_FMT(revision));
    const char *const commit[] = {"rev-parse",        "--verify", "--quiet",
                                  "--end-of-options", spec.ptr,   NULL};
    sg_str folder = o->paths.items[0];
    int code;

    *out = (sc_changes){.s = s, .o = o};
    if (!sc_path_is_folder(folder))
        folder = sc_path_folder(&s->arena, folder);
    folder = sc_path_safe(&s->arena, folder);
    if (revision.ptr[0] == '-')
        return refuse(SC_EXIT_USAGE, "no revision is called", revision,
                      SG_S(""));
    code =
        ask_line(out, folder, top, "no git work tree holds", folder, &out->top);
    if (code == SC_EXIT_OK)
        code = ask_line(out, folder, commit, "no revision is called", revision,
                        &out->commit);
    return code == SC_EXIT_OK ? compare(out) : code;
}

bool sc_changes_old(const sc_changes *c, sg_str name, sg_buf *out)
{
    const sg_str spec = sg_arena_printf(&c->s->arena, "%.*s:%.*s",
                                        SG_FMT(c->commit), SG_FMT(name));
    const char *const args[] = {"cat-file", "blob", spec.ptr, NULL};
    sg_buf error = {0};
    const int status = sc_git(&c->s->arena, c->top, args, out, &error);

    sg_buf_free(&error);
    return status == 0;
}

/* -------- files ----------------------------------------------------------- */

/* The path without links, in the arena; empty when there is none. */
static sg_str real(const sc_changes *c, sg_str path)
{
    char *text = realpath(sg_arena_dup(&c->s->arena, path).ptr, NULL);
    const sg_str out =
        text == NULL ? SG_S("") : sg_arena_dup(&c->s->arena, sg_str_of(text));

    free(text);
    return out;
}

static bool is_link(const sc_changes *c, sg_str path)
{
    struct stat st;

    return lstat(sg_arena_dup(&c->s->arena, path).ptr, &st) != 0 ||
           S_ISLNK(st.st_mode);
}

/* Whether a link lies between a PATH and the file: what it leads to may be as
 * it was, but not that it leads there. */
static bool is_detour(const sc_changes *c, sg_str path, sg_str target)
{
    for (uint32_t i = 0; i < c->o->paths.count; i++) {
        sg_str root = c->o->paths.items[i];

        while (root.len > 1 && root.ptr[root.len - 1] == '/')
            root.len--;
        if (path.len > root.len && sg_str_starts(path, root) &&
            path.ptr[root.len] == '/') {
            const sg_str direct =
                sg_arena_printf(&c->s->arena, "%.*s%.*s", SG_FMT(real(c, root)),
                                SG_FMT(sg_str_sub(path, root.len, path.len)));
            return !sg_str_eq(direct, target);
        }
    }
    return false;
}

bool sc_changes_has(const sc_changes *c, sg_str path)
{
    const sg_str target = real(c, path);
    sg_str name;

    if (target.len <= c->top.len + 1 || !sg_str_starts(target, c->top) ||
        target.ptr[c->top.len] != '/' || is_link(c, path) ||
        is_detour(c, path, target))
        return true;
    name = sg_str_sub(target, c->top.len + 1, target.len);
    return sg_map_get(&c->stored, name) == NULL ||
           sg_map_get(&c->differing, name) != NULL;
}
