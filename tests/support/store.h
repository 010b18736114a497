/*
 * store.h - for tests of the store: a state file in a folder of its own, and
 * what it holds as text.
 */
#ifndef TEST_STORE_H
#define TEST_STORE_H

#include "state/store.h"
#include "support/test.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char store_folder[64], store_path[128];

static inline void store_setup(void)
{
    snprintf(store_folder, sizeof store_folder, "/tmp/sigcc-store-XXXXXX");
    CHECK(mkdtemp(store_folder) != NULL);
    snprintf(store_path, sizeof store_path, "%s/state", store_folder);
}

/* -------- files ---------------------------------------------------------- */

static inline const char *store_beside(const char *ending)
{
    static char name[160];

    snprintf(name, sizeof name, "%s%s", store_path, ending);
    return name;
}

static inline bool store_file_exists(const char *name)
{
    struct stat info;

    return lstat(name, &info) == 0;
}

static inline void store_remove(void)
{
    unlink(store_path);
    unlink(store_beside("-wal"));
    unlink(store_beside("-shm"));
    unlink(store_beside("-journal"));
}

static inline bool store_alone(void)
{
    return !store_file_exists(store_beside("-wal")) &&
           !store_file_exists(store_beside("-shm")) &&
           !store_file_exists(store_beside("-journal"));
}

static inline sg_buf store_slurp(const char *name)
{
    FILE *f = fopen(name, "rb");
    sg_buf out = {0};

    if (f == NULL)
        return out;
    for (;;) {
        char *at = sg_buf_reserve(&out, 1 << 16);
        const size_t n = fread(at, 1, 1 << 16, f);

        out.len += n;
        if (n == 0)
            break;
    }
    fclose(f);
    return out;
}

static inline void store_spit(const char *name, sg_str bytes)
{
    FILE *f = fopen(name, "wb");

    CHECK(f != NULL);
    CHECK(bytes.len == 0 || fwrite(bytes.ptr, 1, bytes.len, f) == bytes.len);
    fclose(f);
}

/* -------- stores --------------------------------------------------------- */

static inline sr_store *store_open(void)
{
    char reason[SR_STORE_REASON];
    sr_store *st = sr_store_open(store_path, reason);

    if (st == NULL)
        printf("cannot use state %s: %s\n", store_path, reason);
    return st;
}

static inline void store_put(sr_store *st, sr_space space, const char *key,
                             const char *value)
{
    CHECK(sr_store_put(st, space, sg_str_of(key), sg_str_of(value)));
}

static inline void store_check_get(sr_store *st, sr_space space,
                                   const char *key, const char *want)
{
    sg_str value;
    bool found;

    CHECK(sr_store_get(st, space, sg_str_of(key), &value, &found));
    CHECK_STR(found ? value : SG_S("(none)"), sg_str_of(want));
}

static inline bool store_list_row(void *ctx, sg_str key, sg_str value)
{
    sg_buf *out = ctx;

    sg_buf_printf(out, "%.*s=%.*s ", SG_FMT(key), SG_FMT(value));
    return true;
}

static inline void store_check_each(sr_store *st, sr_space space,
                                    const char *want)
{
    sg_buf out = {0};

    CHECK(sr_store_each(st, space, store_list_row, &out));
    CHECK_STR(sg_buf_str(&out), sg_str_of(want));
    sg_buf_free(&out);
}

#endif
