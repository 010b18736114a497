/*
 * paths.c - files and folders: which rules a PATH stands for, names of
 * detectors, where the parts of an installation lie, writing whole files.
 */
#include "driver/driver.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A file or folder, whatever its name. */
typedef struct identity {
    dev_t device;
    ino_t number;
} identity;

typedef struct walk {
    sg_arena *arena;
    sc_strs *out;
    sg_map seen; /* identities of files */
    identity folders[SC_MAX_FOLDERS];
    uint32_t depth;
} walk;

static bool fail(sg_str path, const char *why)
{
    sg_buf shown = {0};

    sc_put_safe(&shown, path);
    sc_fail(SC_EXIT_FAILED, "%.*s: %s", SG_FMT(sg_buf_str(&shown)), why);
    sg_buf_free(&shown);
    return false;
}

static void add_file(walk *w, sg_str path, const struct stat *st)
{
    identity id;
    sg_str key;
    bool found;

    memset(&id, 0, sizeof(id)); /* padding is part of the key */
    id.device = st->st_dev;
    id.number = st->st_ino;
    key = sg_arena_dup(w->arena, (sg_str){(const char *)&id, sizeof(id)});
    sg_map_put(w->arena, &w->seen, key, &found);
    if (!found)
        SG_PUSH(w->arena, w->out, path);
}

/* Whether the folder is one of those being walked: a loop of links. */
static bool is_open(const walk *w, const struct stat *st)
{
    for (uint32_t i = 0; i < w->depth; i++)
        if (w->folders[i].device == st->st_dev &&
            w->folders[i].number == st->st_ino)
            return true;
    return false;
}

static int by_name(const void *a, const void *b)
{
    return sg_str_cmp(*(const sg_str *)a, *(const sg_str *)b);
}

static bool list_folder(sg_arena *arena, sg_str path, sc_strs *out)
{
    DIR *dir = opendir(path.ptr);
    const struct dirent *entry;

    if (dir == NULL)
        return false;
    while ((entry = readdir(dir)) != NULL)
        if (entry->d_name[0] != '.')
            SG_PUSH(arena, out, sg_arena_dup(arena, sg_str_of(entry->d_name)));
    closedir(dir);
    if (out->count > 0)
        qsort(out->items, out->count, sizeof(*out->items), by_name);
    return true;
}

static bool is_rule_file(sg_str name)
{
    return sg_str_ends(name, SG_S(".yml")) || sg_str_ends(name, SG_S(".yaml"));
}

/* Below a PATH what cannot be read is listed all the same: reading it fails
 * and rejects it alone. */
static bool add_unreadable(walk *w, sg_str path)
{
    if (w->depth == 0)
        return fail(path, strerror(errno));
    if (w->out->count >= SC_MAX_FILES)
        return fail(path, "too many files");
    SG_PUSH(w->arena, w->out, path);
    return true;
}

static bool walk_folder(walk *w, sg_str path, const struct stat *st);

static bool walk_entry(walk *w, sg_str folder, sg_str name)
{
    const bool slash = folder.len > 0 && folder.ptr[folder.len - 1] == '/';
    const sg_str path = sg_arena_printf(w->arena, "%.*s%s%.*s", SG_FMT(folder),
                                        slash ? "" : "/", SG_FMT(name));
    struct stat st;

    if (stat(path.ptr, &st) != 0)
        return is_rule_file(name) ? add_unreadable(w, path) : true;
    if (S_ISDIR(st.st_mode))
        return walk_folder(w, path, &st);
    if (is_rule_file(name) && w->out->count >= SC_MAX_FILES)
        return fail(path, "too many files");
    if (is_rule_file(name))
        add_file(w, path, &st);
    return true;
}

static bool walk_folder(walk *w, sg_str path, const struct stat *st)
{
    sc_strs names = {0};
    bool ok = true;

    if (is_open(w, st))
        return true;
    if (w->depth >= SC_MAX_FOLDERS)
        return fail(path, "folders nest too deeply");
    if (!list_folder(w->arena, path, &names))
        return add_unreadable(w, path);
    w->folders[w->depth].device = st->st_dev;
    w->folders[w->depth++].number = st->st_ino;
    for (uint32_t i = 0; i < names.count && ok; i++)
        ok = walk_entry(w, path, names.items[i]);
    w->depth--;
    return ok;
}

bool sc_paths_collect(sg_arena *arena, const sc_strs *paths, sc_strs *out)
{
    walk w = {.arena = arena, .out = out};
    bool ok = true;

    for (uint32_t i = 0; i < paths->count && ok; i++) {
        const sg_str path = sg_arena_dup(arena, paths->items[i]);
        struct stat st;
        if (stat(path.ptr, &st) != 0)
            ok = fail(path, strerror(errno));
        else if (S_ISDIR(st.st_mode))
            ok = walk_folder(&w, path, &st);
        else
            add_file(&w, path, &st);
    }
    return ok;
}

/* -------- what is not to be written over --------------------------------- */

static bool is_one_of(sg_arena *arena, const struct stat *st,
                      const sc_strs *files)
{
    for (uint32_t i = 0; i < files->count; i++) {
        const sg_str file = sg_arena_dup(arena, files->items[i]);
        struct stat other;
        if (stat(file.ptr, &other) == 0 && other.st_dev == st->st_dev &&
            other.st_ino == st->st_ino)
            return true;
    }
    return false;
}

int sc_paths_guard(sg_arena *arena, const sc_options *o)
{
    const sg_str outputs[] = {o->output, o->report, o->sbom};
    sc_strs files = {0};

    for (unsigned i = 0; i < sizeof(outputs) / sizeof(*outputs); i++) {
        const sg_str path = sg_arena_dup(arena, outputs[i]);
        struct stat st;
        if (path.len == 0 || stat(path.ptr, &st) != 0 || !S_ISREG(st.st_mode))
            continue;
        if (files.count == 0) {
            if (!sc_paths_collect(arena, &o->paths, &files))
                return SC_EXIT_FAILED;
            SG_PUSH(arena, &files, o->placeholders);
        }
        if (is_one_of(arena, &st, &files) ||
            is_one_of(arena, &st, &o->pipelines) ||
            is_one_of(arena, &st, &o->enrichments) ||
            is_one_of(arena, &st, &o->filters)) {
            fail(path, "is also an input");
            return SC_EXIT_USAGE;
        }
    }
    return SC_EXIT_OK;
}

/* -------- names ---------------------------------------------------------- */

static sg_str last_part(sg_str path)
{
    size_t beg;

    while (path.len > 1 && path.ptr[path.len - 1] == '/')
        path.len--;
    for (beg = path.len; beg > 0 && path.ptr[beg - 1] != '/'; beg--)
        ;
    return sg_str_sub(path, beg, path.len);
}

static bool is_plain(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
}

sg_str sc_path_stem(sg_arena *arena, sg_str path)
{
    sg_str name = last_part(path);
    char stem[101];
    size_t len = 0;

    if (sg_str_ends(name, SG_S(".yml")))
        name.len -= 4;
    else if (sg_str_ends(name, SG_S(".yaml")))
        name.len -= 5;
    for (size_t i = 0; i < name.len && len < sizeof(stem) - 1; i++) {
        const char c = (char)(is_plain(name.ptr[i]) ? name.ptr[i] : '_');
        /* Neither hidden, nor "..", nor taken for an option. */
        if (len == 0 && (c == '.' || c == '-'))
            stem[len++] = '_';
        else
            stem[len++] = c;
    }
    if (len == 0)
        return SG_S("detector");
    return sg_arena_dup(arena, (sg_str){stem, len});
}

bool sc_path_is_folder(sg_str path)
{
    struct stat st;

    return stat(path.ptr, &st) == 0 && S_ISDIR(st.st_mode);
}

bool sc_path_make_for(sg_arena *arena, sg_str path, unsigned mode)
{
    char *p = sg_new_n(arena, char, path.len + 1);

    memcpy(p, path.ptr, path.len);
    for (size_t i = 1; i <= path.len; i++) {
        if (i < path.len && p[i] != '/')
            continue;
        p[i] = '\0';
        if (mkdir(p, (mode_t)mode) != 0 && !sc_path_is_folder(sg_str_of(p)))
            return false;
        p[i] = '/';
    }
    return true;
}

bool sc_path_make(sg_arena *arena, sg_str path)
{
    return sc_path_make_for(arena, path, 0777) || fail(path, strerror(errno));
}

sg_str sc_path_safe(sg_arena *arena, sg_str path)
{
    if (path.len > 0 && path.ptr[0] == '-')
        return sg_arena_printf(arena, "./%.*s", SG_FMT(path));
    return path;
}

/* -------- the installation ----------------------------------------------- */

sg_str sc_path_home(sg_arena *arena)
{
    const char *set = getenv("SIGCC_HOME");
    char path[4096];
    ssize_t len;

    if (set != NULL && set[0] != '\0')
        return sc_path_safe(arena, sg_arena_dup(arena, sg_str_of(set)));
    len = readlink("/proc/self/exe", path, sizeof(path));
    if (len <= 0 || (size_t)len >= sizeof(path))
        return SG_S("");
    return sc_path_folder(arena,
                          sc_path_folder(arena, (sg_str){path, (size_t)len}));
}

/* A kind of shipped YAML: its folder, what one of it is called, and the topic
 * of `sigcc list`. */
typedef struct shipped_kind {
    const char *folder, *one, *topic;
} shipped_kind;

static const shipped_kind pipelines = {"pipelines", "pipeline", "pipelines"};
static const shipped_kind enrichments = {"enrich", "enrichment", "enrichments"};

static sg_str shipped_folder(sg_arena *arena, const shipped_kind *kind)
{
    return sg_arena_printf(arena, "%.*s/share/sigcc/sigma/%s",
                           SG_FMT(sc_path_home(arena)), kind->folder);
}

static void list_shipped(sg_arena *arena, const shipped_kind *kind,
                         sc_strs *out)
{
    sc_strs names = {0};

    list_folder(arena, shipped_folder(arena, kind), &names);
    for (uint32_t i = 0; i < names.count; i++) {
        sg_str name = names.items[i];
        if (!sg_str_ends(name, SG_S(".yml")))
            continue;
        name.len -= 4;
        SG_PUSH(arena, out, name);
    }
}

void sc_path_pipelines(sg_arena *arena, sc_strs *out)
{
    list_shipped(arena, &pipelines, out);
}

void sc_path_enrichments(sg_arena *arena, sc_strs *out)
{
    list_shipped(arena, &enrichments, out);
}

/* Text that can only be meant as a path. */
static bool is_path(sg_str name)
{
    return is_rule_file(name) || memchr(name.ptr, '/', name.len) != NULL;
}

static sg_str find_shipped(sg_arena *arena, const shipped_kind *kind,
                           sg_str name)
{
    struct stat st;
    sc_strs shipped = {0};
    sg_buf shown = {0};
    sg_str near;

    list_shipped(arena, kind, &shipped);
    /* A file that happens to be there does not hide a shipped one. */
    for (uint32_t i = 0; i < shipped.count && !is_path(name); i++)
        if (sg_str_eq(shipped.items[i], name))
            return sg_arena_printf(arena, "%.*s/%.*s.yml",
                                   SG_FMT(shipped_folder(arena, kind)),
                                   SG_FMT(name));
    if (stat(name.ptr, &st) == 0 && !S_ISDIR(st.st_mode))
        return name;
    near = sc_nearest(name, shipped.items, shipped.count);
    sc_put_safe(&shown, name);
    sc_fail(SC_EXIT_USAGE,
            "no %s '%.*s': neither a file nor a shipped one%s%.*s%s "
            "(see 'sigcc list %s')",
            kind->one, SG_FMT(sg_buf_str(&shown)),
            near.len > 0 ? "; did you mean '" : "", SG_FMT(near),
            near.len > 0 ? "'?" : "", kind->topic);
    sg_buf_free(&shown);
    return SG_S("");
}

sg_str sc_path_pipeline(sg_arena *arena, sg_str name)
{
    return find_shipped(arena, &pipelines, name);
}

sg_str sc_path_enrichment(sg_arena *arena, sg_str name)
{
    return find_shipped(arena, &enrichments, name);
}

/* -------- reading and writing -------------------------------------------- */

bool sc_read_all(int fd, size_t size, sg_buf *out)
{
    while (size > 0) {
        const ssize_t n = read(fd, sg_buf_reserve(out, size), size);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        out->len += (size_t)n;
        size -= (size_t)n;
    }
    return true;
}

bool sc_path_read(sg_str path, sg_buf *out)
{
    const int fd = open(path.ptr, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat st;
    bool ok = fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
              sc_read_all(fd, (size_t)st.st_size, out);

    if (fd >= 0)
        close(fd);
    return ok;
}

bool sc_write_all(int fd, sg_str text)
{
    while (text.len > 0) {
        const ssize_t n = write(fd, text.ptr, text.len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        text = sg_str_sub(text, (size_t)n, text.len);
    }
    return true;
}

/* Through a temporary name beside it. */
static bool write_file(sg_arena *arena, sg_str path, sg_str text)
{
    const sg_str folder = sc_path_folder(arena, path);
    char *temp = sg_new_n(arena, char, folder.len + 32);
    const mode_t mask = umask(0);
    int fd, saved;
    bool ok;

    umask(mask);
    snprintf(temp, folder.len + 32, "%.*s/.sigcc-XXXXXX", SG_FMT(folder));
    fd = mkstemp(temp);
    if (fd < 0)
        return fail(path, strerror(errno));
    ok = sc_write_all(fd, text) && fchmod(fd, 0666 & ~mask) == 0;
    saved = errno;
    if (close(fd) != 0 && ok) {
        saved = errno;
        ok = false;
    }
    if (ok && rename(temp, path.ptr) != 0) {
        saved = errno;
        ok = false;
    }
    if (!ok)
        unlink(temp);
    return ok || fail(path, strerror(saved));
}

/* Devices and pipes are written to, not replaced. */
static bool write_special(sg_str path, sg_str text)
{
    const int fd = open(path.ptr, O_WRONLY | O_CLOEXEC);
    bool ok = fd >= 0 && sc_write_all(fd, text);
    const int saved = errno;

    if (fd >= 0)
        close(fd);
    return ok || fail(path, strerror(saved));
}

bool sc_path_write(sg_arena *arena, sg_str path, sg_str text)
{
    struct stat st;

    path = sg_arena_dup(arena, path);
    if (stat(path.ptr, &st) == 0 && !S_ISREG(st.st_mode))
        return write_special(path, text);
    return write_file(arena, path, text);
}
