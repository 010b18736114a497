/*
 * folder.c - which files a path has been. A folder may change while it is
 * read, so that a file renamed meanwhile is seen twice or not at all; it is
 * read until two readings agree.
 */
#include "input/folder.h"
#include "input/stream.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

enum { TRIES = 16, ENTRIES_MAX = 1 << 20, COUNTER_DIGITS = 5 };

/* -------- order -------------------------------------------------------- */

/* The number of a suffix like ".12" or ".3.gz"; 0 if it has none. Longer ones
 * are dates. */
static unsigned counter(const char *suffix)
{
    unsigned digits = 0, n = 0;

    for (suffix++; *suffix >= '0' && *suffix <= '9'; suffix++)
        if (++digits <= COUNTER_DIGITS)
            n = n * 10 + (unsigned)(*suffix - '0');
    return digits != 0 && digits <= COUNTER_DIGITS &&
                   (*suffix == '\0' || *suffix == '.')
               ? n + 1
               : 0;
}

/* For files written at the same time: counters count back, names forth. */
static int compare_suffixes(const sr_entry *a, const sr_entry *b)
{
    const unsigned one = counter(a->name + a->stem);
    const unsigned other = counter(b->name + b->stem);

    if (one != other && one != 0 && other != 0)
        return one > other ? -1 : 1;
    return strcmp(a->name + a->stem, b->name + b->stem);
}

static int compare(const void *x, const void *y)
{
    const sr_entry *a = x;
    const sr_entry *b = y;

    if (a->own != b->own)
        return a->own ? 1 : -1;
    if (a->modified != b->modified)
        return a->modified < b->modified ? -1 : 1;
    return compare_suffixes(a, b);
}

/* -------- one reading -------------------------------------------------- */

/* Take the entry; its name is freed if that fails. */
static void add(sr_folder *folder, sr_entry *entry)
{
    const size_t n = folder->count;
    sr_entry *items = folder->items;

    folder->failed = entry->name == NULL  ? "out of memory"
                     : n >= SR_FOLDER_MAX ? "too many files beside it"
                                          : NULL;
    if (folder->failed == NULL && (n & (n - 1)) == 0) {
        items = realloc(items, (n == 0 ? 1 : 2 * n) * sizeof *items);
        if (items == NULL)
            folder->failed = "out of memory";
        else
            folder->items = items;
    }
    if (folder->failed == NULL)
        folder->items[folder->count++] = *entry;
    else
        free(entry->name);
}

static void add_own(sr_folder *folder, const char *path)
{
    struct stat st;
    sr_entry entry = {.own = true};

    folder->path_failed = stat(path, &st) == 0 ? 0 : errno;
    if (folder->path_failed != 0)
        return;
    entry.dev = st.st_dev;
    entry.ino = st.st_ino;
    entry.size = !S_ISREG(st.st_mode) ? UINT64_MAX
                 : st.st_size < 0     ? 0
                                      : (uint64_t)st.st_size;
    entry.modified = sr_nanoseconds(&st.st_mtim);
    entry.name = strdup(path);
    entry.stem = strlen(path);
    add(folder, &entry);
}

/* A file whose name goes on behind the `stem` bytes of `path`. No links: who
 * may write to the folder need not be one who may choose what is read. */
static void add_file(sr_folder *folder, int dir, const char *path, size_t base,
                     const char *file)
{
    const size_t stem = strlen(path), len = strlen(file);
    struct stat st;
    sr_entry entry = {.stem = stem};

    if (fstatat(dir, file, &st, AT_SYMLINK_NOFOLLOW) != 0 ||
        !S_ISREG(st.st_mode) ||
        sr_folder_find(folder, st.st_dev, st.st_ino) != NULL)
        return;
    entry.dev = st.st_dev;
    entry.ino = st.st_ino;
    entry.size = st.st_size < 0 ? 0 : (uint64_t)st.st_size;
    entry.modified = sr_nanoseconds(&st.st_mtim);
    entry.name = malloc(base + len + 1);
    if (entry.name == NULL) {
        folder->failed = "out of memory";
        return;
    }
    memcpy(entry.name, path, base);
    memcpy(entry.name + base, file, len + 1);
    entry.rotated = entry.name[stem + 1] >= '0' && entry.name[stem + 1] <= '9';
    add(folder, &entry);
}

static void add_beside(sr_folder *folder, const char *path)
{
    const char *slash = strrchr(path, '/');
    const size_t base = slash == NULL ? 0 : (size_t)(slash - path) + 1;
    const char *stem = path + base;
    const size_t len = strlen(stem);
    char *name = base == 0 ? strdup(".") : strndup(path, base);
    DIR *dir = name == NULL ? NULL : opendir(name);
    const struct dirent *d;
    size_t seen = 0;

    if (dir == NULL)
        folder->failed = strerror(errno);
    free(name);
    if (dir == NULL)
        return;
    while (folder->failed == NULL && (d = readdir(dir)) != NULL) {
        if (++seen > ENTRIES_MAX)
            folder->failed = "too many files beside it";
        if (strncmp(d->d_name, stem, len) == 0 &&
            (d->d_name[len] == '.' || d->d_name[len] == '-') &&
            d->d_name[len + 1] != '\0')
            add_file(folder, dirfd(dir), path, base, d->d_name);
    }
    closedir(dir);
}

static bool is_packed_copy(const sr_folder *folder, const sr_entry *entry)
{
    const sg_str name = sg_str_of(entry->name);
    const size_t end = sg_str_ends(name, SG_S(".gz"))    ? name.len - 3
                       : sg_str_ends(name, SG_S(".zst")) ? name.len - 4
                                                         : 0;

    for (size_t i = 0; end > entry->stem && i < folder->count; i++)
        if (sg_str_eq(sg_str_of(folder->items[i].name),
                      sg_str_sub(name, 0, end)))
            return true;
    return false;
}

static void drop_copies(sr_folder *folder)
{
    size_t i = 0;

    while (i < folder->count) {
        sr_entry *entry = &folder->items[i];
        if (entry->own || !is_packed_copy(folder, entry)) {
            i++;
            continue;
        }
        free(entry->name);
        *entry = folder->items[--folder->count];
    }
}

static void read_once(const char *path, sr_folder *folder)
{
    *folder = (sr_folder){0};
    add_own(folder, path);
    add_beside(folder, path);
    char *target = folder->path_failed == 0 ? realpath(path, NULL) : NULL;
    struct stat link;

    if (target != NULL && lstat(path, &link) == 0 && S_ISLNK(link.st_mode))
        add_beside(folder, target);
    free(target);
    drop_copies(folder);
    if (folder->count != 0)
        qsort(folder->items, folder->count, sizeof *folder->items, compare);
}

/* -------- use ---------------------------------------------------------- */

static bool same(const sr_folder *a, const sr_folder *b)
{
    if (a->count != b->count || a->path_failed != b->path_failed)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (a->items[i].dev != b->items[i].dev ||
            a->items[i].ino != b->items[i].ino ||
            strcmp(a->items[i].name, b->items[i].name) != 0)
            return false;
    return true;
}

/* Let a rotation of many files come to its end. */
static void pause_for(unsigned ms)
{
    const struct timespec t = {.tv_nsec = (long)ms * 1000000};

    (void)nanosleep(&t, NULL);
}

void sr_folder_read(const char *path, sr_folder *out)
{
    bool agreed = false;

    for (unsigned i = 0; !agreed; i++) {
        sr_folder first;

        if (i != 0)
            pause_for(i);
        read_once(path, &first);
        read_once(path, out);
        agreed = out->failed != NULL || same(&first, out);
        sr_folder_free(&first);
        if (!agreed && i == TRIES) {
            out->failed = "they change too fast";
            return;
        }
        if (!agreed)
            sr_folder_free(out);
    }
}

void sr_folder_free(sr_folder *folder)
{
    for (size_t i = 0; i < folder->count; i++)
        free(folder->items[i].name);
    free(folder->items);
    *folder = (sr_folder){0};
}

const sr_entry *sr_folder_find(const sr_folder *folder, uint64_t dev,
                               uint64_t ino)
{
    for (size_t i = 0; i < folder->count; i++)
        if (folder->items[i].ino == ino && folder->items[i].dev == dev)
            return &folder->items[i];
    return NULL;
}

const sr_entry *sr_folder_next(const sr_folder *folder, uint64_t dev,
                               uint64_t ino, int64_t modified)
{
    const sr_entry *known = sr_folder_find(folder, dev, ino);
    const sr_entry *end = folder->items + folder->count;
    const sr_entry *e = known == NULL ? folder->items : known + 1;

    for (; e < end; e++)
        if (e->own || (e->rotated && (known != NULL || e->modified > modified)))
            return e;
    return NULL;
}

const sr_entry *sr_folder_own(const sr_folder *folder)
{
    return folder->count != 0 && folder->items[folder->count - 1].own
               ? &folder->items[folder->count - 1]
               : NULL;
}
