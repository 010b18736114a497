/*
 * store.c - entries of the cache as files of one folder, named by their keys.
 * All goes through the descriptor of a folder that was found to be this user's
 * alone, so what is linked was stored by this user; the digest in front of a
 * content tells whether it still is what was stored.
 */
#include "driver/store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* An entry: this line, the key, the digest, the content. */
static const sg_str magic = SG_LIT("sigcc cache 1\n");

enum {
    HEX = SC_STORE_KEY - 1,
    DEFAULT_MIB = 512,
    /* The bound is kept for each share of the keys alone, by their first digit:
     * so one listing and the entries of a share are all that is looked at. */
    SHARES = 16,
    STALE = 3600 /* seconds: what is being written that long never ends */
};

static const char unfinished[] = ".new-";

SC_PRINTF(2, 3)
static void warn(sc_store *store, const char *fmt, ...)
{
    sg_buf text = {0};
    va_list ap;

    if (store->warned)
        return;
    store->warned = true;
    va_start(ap, fmt);
    sg_buf_vprintf(&text, fmt, ap);
    va_end(ap);
    sc_warn(store->s, SC_W0901, SC_NOWHERE, "%.*s", SG_FMT(sg_buf_str(&text)));
    sg_buf_free(&text);
}

/* Whether nobody else can have written it. */
static bool is_private(const struct stat *st)
{
    return st->st_uid == geteuid() && (st->st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

/* -------- the folder ----------------------------------------------------- */

static sg_str env_of(const char *name)
{
    const char *text = getenv(name);

    return sg_str_of(text != NULL ? text : "");
}

/* Relative paths in XDG_CACHE_HOME and HOME mean nothing. */
static sg_str default_path(sg_arena *arena)
{
    const sg_str xdg = env_of("XDG_CACHE_HOME"), home = env_of("HOME");

    if (sg_str_starts(xdg, SG_S("/")))
        return sg_arena_printf(arena, "%.*s/sigcc", SG_FMT(xdg));
    if (sg_str_starts(home, SG_S("/")))
        return sg_arena_printf(arena, "%.*s/.cache/sigcc", SG_FMT(home));
    return SG_S("");
}

static uint64_t read_bound(sc_store *store)
{
    const sg_str text = env_of("SIGCC_CACHE_SIZE");
    uint64_t mib = 0;

    if (text.len == 0)
        return (uint64_t)DEFAULT_MIB << 20;
    for (size_t i = 0; i < text.len && i < 8; i++)
        mib = text.ptr[i] >= '0' && text.ptr[i] <= '9'
                  ? mib * 10 + (uint64_t)(text.ptr[i] - '0')
                  : UINT32_MAX;
    if (mib > 0 && mib < UINT32_MAX && text.len < 8)
        return mib << 20;
    warn(store,
         "SIGCC_CACHE_SIZE is a number of MiB from 1 to 9999999, not "
         "'%.*s'",
         SG_FMT(text));
    return (uint64_t)DEFAULT_MIB << 20;
}

void sc_store_open(sc_store *store, sc_session *s, bool off)
{
    const sg_str set = env_of("SIGCC_CACHE");
    struct stat st;

    *store = (sc_store){.s = s, .folder = -1};
    if (off || sg_str_eq(set, SG_S("off")))
        return;
    store->path = sc_path_safe(
        &s->arena,
        sg_arena_dup(&s->arena, set.len > 0 ? set : default_path(&s->arena)));
    if (store->path.len == 0)
        return;
    store->bound = read_bound(store);
    /* For this user alone; opening it tells what went wrong. */
    (void)sc_path_make_for(&s->arena, store->path, 0700);
    store->folder =
        open(store->path.ptr, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NONBLOCK);
    if (store->folder >= 0 && fstat(store->folder, &st) == 0 && is_private(&st))
        return;
    if (store->folder >= 0) {
        warn(store,
             "the cache '%.*s' is not used: it belongs to another user, "
             "or others may write in it",
             SG_FMT(store->path));
        close(store->folder);
    } else {
        warn(store, "the cache '%.*s' cannot be used: %s", SG_FMT(store->path),
             strerror(errno));
    }
    store->folder = -1;
}

/* -------- entries -------------------------------------------------------- */

/* Whether text is the whole entry of the key. */
static bool is_sound(sg_str text, const char *key, sg_str *content)
{
    const size_t head = magic.len + HEX + HEX;
    char digest[SC_STORE_KEY];

    if (text.len < head || !sg_str_starts(text, magic) ||
        memcmp(text.ptr + magic.len, key, HEX) != 0)
        return false;
    *content = sg_str_sub(text, head, text.len);
    sr_digest(*content, digest);
    return memcmp(text.ptr + magic.len + HEX, digest, HEX) == 0;
}

/* Read an open entry; false when it is not what was stored. */
static bool read_entry(int fd, const char *key, sg_buf *out)
{
    const size_t start = out->len;
    struct stat st;
    sg_str content;

    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || !is_private(&st) ||
        st.st_size > INT32_MAX || !sc_read_all(fd, (size_t)st.st_size, out) ||
        !is_sound(sg_str_sub(sg_buf_str(out), start, out->len), key,
                  &content)) {
        out->len = start;
        return false;
    }
    memmove(out->ptr + start, content.ptr, content.len);
    out->len = start + content.len;
    /* It was used now. */
    futimens(fd, NULL);
    return true;
}

bool sc_store_get(sc_store *store, const char key[SC_STORE_KEY], sg_buf *out)
{
    bool found;
    int fd;

    if (store->folder < 0)
        return false;
    fd = openat(store->folder, key,
                O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 && errno == ENOENT)
        return false;
    found = fd >= 0 && read_entry(fd, key, out);
    if (fd >= 0)
        close(fd);
    if (found)
        return true;
    unlinkat(store->folder, key, 0);
    warn(store, "an entry of the cache '%.*s' was damaged; it is made anew",
         SG_FMT(store->path));
    return false;
}

static unsigned share_of(const char *key)
{
    return (unsigned)(key[0] <= '9' ? key[0] - '0' : key[0] - 'a' + 10);
}

static bool write_entry(int fd, const char *key, sg_str content)
{
    char digest[SC_STORE_KEY];

    sr_digest(content, digest);
    return sc_write_all(fd, magic) && sc_write_all(fd, (sg_str){key, HEX}) &&
           sc_write_all(fd, (sg_str){digest, HEX}) && sc_write_all(fd, content);
}

void sc_store_put(sc_store *store, const char key[SC_STORE_KEY], sg_str content)
{
    static unsigned count;
    char temp[64];
    int fd;
    bool ok;

    /* What fills a share alone would only push out the rest. */
    if (store->folder < 0 ||
        content.len + magic.len + HEX + HEX > store->bound / SHARES)
        return;
    snprintf(temp, sizeof temp, "%s%ld-%u", unfinished, (long)getpid(),
             count++);
    fd = openat(store->folder, temp,
                O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    ok = fd >= 0 && write_entry(fd, key, content);
    if (fd >= 0 && close(fd) != 0)
        ok = false;
    ok = ok && renameat(store->folder, temp, store->folder, key) == 0;
    if (ok) {
        store->touched |= 1u << share_of(key);
        return;
    }
    warn(store, "the cache '%.*s' cannot be written: %s", SG_FMT(store->path),
         strerror(errno));
    if (fd >= 0)
        unlinkat(store->folder, temp, 0);
}

/* -------- the bound ------------------------------------------------------ */

typedef struct entry {
    char name[SC_STORE_KEY];
    struct timespec used;
    off_t size;
} entry;

typedef struct entries {
    SG_VEC(entry) list;
    uint64_t bytes;
} entries;

static bool is_key(const char *name)
{
    return strlen(name) == HEX && strspn(name, "0123456789abcdef") == HEX;
}

/* Remove what some process left unfinished when it was killed. */
static void remove_stale(const sc_store *store, const char *name, bool all)
{
    struct stat st;

    if (fstatat(store->folder, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
        (all || time(NULL) - st.st_mtime > STALE))
        unlinkat(store->folder, name, 0);
}

/* The entries of the shares whose bits are set; `all` unfinished ones go. */
static void list_entries(const sc_store *store, uint32_t shares, bool all,
                         entries *out)
{
    const int fd = openat(store->folder, ".", O_RDONLY | O_DIRECTORY);
    DIR *folder = fd >= 0 ? fdopendir(fd) : NULL;
    const struct dirent *d;

    if (folder == NULL) {
        if (fd >= 0)
            close(fd);
        return;
    }
    while ((d = readdir(folder)) != NULL) {
        entry e = {.size = 0};
        struct stat st;
        if (strncmp(d->d_name, unfinished, strlen(unfinished)) == 0)
            remove_stale(store, d->d_name, all);
        if (!is_key(d->d_name) || (shares >> share_of(d->d_name) & 1) == 0 ||
            fstatat(store->folder, d->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0)
            continue;
        memcpy(e.name, d->d_name, SC_STORE_KEY);
        e.used = st.st_mtim;
        e.size = st.st_size;
        out->bytes += (uint64_t)st.st_size;
        SG_PUSH(&store->s->arena, &out->list, e);
    }
    closedir(folder);
}

/* By share, then the longest unused first. */
static int order_entries(const void *a, const void *b)
{
    const entry *x = a, *y = b;

    if (x->name[0] != y->name[0])
        return x->name[0] < y->name[0] ? -1 : 1;
    if (x->used.tv_sec != y->used.tv_sec)
        return x->used.tv_sec < y->used.tv_sec ? -1 : 1;
    if (x->used.tv_nsec != y->used.tv_nsec)
        return x->used.tv_nsec < y->used.tv_nsec ? -1 : 1;
    return strcmp(x->name, y->name);
}

static void trim(sc_store *store)
{
    uint64_t bytes[SHARES] = {0};
    entries found = {.bytes = 0};

    list_entries(store, store->touched, false, &found);
    for (uint32_t i = 0; i < found.list.count; i++)
        bytes[share_of(found.list.items[i].name)] +=
            (uint64_t)found.list.items[i].size;
    if (found.list.count > 0)
        qsort(found.list.items, found.list.count, sizeof(entry), order_entries);
    for (uint32_t i = 0; i < found.list.count; i++) {
        const entry *e = &found.list.items[i];
        uint64_t *share = &bytes[share_of(e->name)];
        if (*share <= store->bound / SHARES)
            continue;
        unlinkat(store->folder, e->name, 0);
        *share -= (uint64_t)e->size;
    }
}

void sc_store_close(sc_store *store)
{
    if (store->folder < 0)
        return;
    if (store->touched != 0)
        trim(store);
    close(store->folder);
    store->folder = -1;
}

void sc_store_count(sc_store *store, bool remove, uint64_t *count,
                    uint64_t *bytes)
{
    entries found = {.bytes = 0};

    if (store->folder >= 0)
        list_entries(store, UINT32_MAX, remove, &found);
    *count = found.list.count;
    *bytes = found.bytes;
    for (uint32_t i = 0; remove && i < found.list.count; i++)
        unlinkat(store->folder, found.list.items[i].name, 0);
}
