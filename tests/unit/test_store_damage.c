/*
 * test_store_damage.c - the store when things go wrong: a process killed at
 * any moment, flipped bits, cut files, disks that are full or broken.
 */
#include "support/store.h"

#include <errno.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

static uint64_t state = 4711;

static uint32_t random_below(uint32_t n)
{
    state = state * UINT64_C(6364136223846793005) + 1442695040888963407U;
    return (uint32_t)(state >> 33) % n;
}

/* -------- the system's calls --------------------------------------------- */

/* How many calls that change files succeed from now on; -1: all. What then
 * happens: an errno, or 0, death. */
static int calls_left = -1, call_errno;

static bool may_call(void)
{
    if (calls_left != 0) {
        calls_left -= calls_left > 0;
        return true;
    }
    if (call_errno == 0)
        kill(getpid(), SIGKILL);
    errno = call_errno;
    return false;
}

static ssize_t meddled_write(int fd, const void *bytes, size_t n, off_t at)
{
    return may_call() ? pwrite(fd, bytes, n, at) : -1;
}

/* SQLite calls this one by name: it stands in front of glibc's. */
__attribute__((visibility("default"))) int fdatasync(int fd)
{
    /* A full disk shows when there is something to write. */
    return call_errno == ENOSPC || may_call() ? (int)syscall(SYS_fdatasync, fd)
                                              : -1;
}

static int meddled_truncate(int fd, off_t size)
{
    return may_call() ? ftruncate(fd, size) : -1;
}

static int meddled_unlink(const char *name)
{
    return may_call() ? unlink(name) : -1;
}

static void meddle_with_calls(bool on)
{
    sqlite3_vfs *vfs = sqlite3_vfs_find(NULL);
    const struct {
        const char *name;
        sqlite3_syscall_ptr fn;
    } calls[] = {
        {"pwrite", (sqlite3_syscall_ptr)meddled_write},
        {"pwrite64", (sqlite3_syscall_ptr)meddled_write},
        {"ftruncate", (sqlite3_syscall_ptr)meddled_truncate},
        {"unlink", (sqlite3_syscall_ptr)meddled_unlink},
    };

    calls_left = -1;
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++)
        vfs->xSetSystemCall(vfs, calls[i].name, on ? calls[i].fn : NULL);
}

/* -------- killed --------------------------------------------------------- */

enum { KILLS = 120, ROWS = 40 };

/* Transaction n writes n to each of some rows; says so once committed. */
static void write_some(int out, uint64_t n, uint64_t end)
{
    sr_store *st = store_open();

    if (st == NULL)
        _exit(1);
    for (; n < end; n++) {
        char key[32], value[32];

        if (!sr_store_begin(st))
            _exit(1);
        for (unsigned i = 0; i < ROWS; i++) {
            snprintf(key, sizeof key, "key %u", i);
            snprintf(value, sizeof value, "%llu", (unsigned long long)n);
            if (!sr_store_put(st, SR_SPACE_GROUP, sg_str_of(key),
                              sg_str_of(value)))
                _exit(1);
        }
        if (!sr_store_clear(st, SR_SPACE_JOURNAL) ||
            !sr_store_put(st, SR_SPACE_JOURNAL, sg_str_of(value), SG_S("")) ||
            !sr_store_commit(st) || write(out, &n, sizeof n) != sizeof n)
            _exit(1);
    }
    sr_store_close(st);
}

typedef struct seen {
    uint64_t value;
    unsigned rows;
    bool same;
} seen;

static bool see_row(void *ctx, sg_str key, sg_str value)
{
    seen *s = ctx;
    uint64_t n = 0;

    (void)key;
    for (size_t i = 0; i < value.len; i++)
        n = n * 10 + (unsigned)(value.ptr[i] - '0');
    s->same &= s->rows == 0 || n == s->value;
    s->value = n;
    s->rows++;
    return true;
}

/* The state is that of one transaction; returns its number. */
static uint64_t read_back(uint64_t at_least)
{
    sr_store *st = store_open();
    seen s = {.same = true};
    char journal[32];

    CHECK(st != NULL);
    if (st == NULL)
        return 0;
    CHECK(sr_store_each(st, SR_SPACE_GROUP, see_row, &s));
    CHECK(s.same && (s.rows == ROWS || (s.rows == 0 && at_least == 0)));
    CHECK(s.value >= at_least && s.value <= at_least + 1);
    snprintf(journal, sizeof journal, "%llu= ", (unsigned long long)s.value);
    store_check_each(st, SR_SPACE_JOURNAL, s.rows == 0 ? "" : journal);
    sr_store_close(st);
    return s.value;
}

static void test_killed(void)
{
    uint64_t last = 0, dead_in_creation = 0;

    for (unsigned k = 0; k < KILLS; k++) {
        const struct timespec wait = {
            0, random_below(k % 4 == 0 ? 1500 * 1000 : 25000000)};
        int ends[2], status;
        uint64_t n;
        pid_t pid;

        if (k % 10 == 0) { /* also in the middle of creation */
            store_remove();
            last = 0;
        }
        CHECK(pipe(ends) == 0);
        fflush(stdout);
        pid = fork();
        if (pid == 0) {
            close(ends[0]);
            write_some(ends[1], last + 1, UINT64_MAX);
            _exit(1);
        }
        close(ends[1]);
        nanosleep(&wait, NULL);
        kill(pid, SIGKILL);
        CHECK(waitpid(pid, &status, 0) == pid && WIFSIGNALED(status));
        while (read(ends[0], &n, sizeof n) == sizeof n)
            last = n;
        close(ends[0]);
        dead_in_creation += last == 0;
        last = read_back(last);
        CHECK(store_alone());
    }
    printf("killed %d times, %llu of them before the first commit\n", KILLS,
           (unsigned long long)dead_in_creation);
    store_remove();
}

/* Death at each single change to the files, from creation to close. */
static void test_killed_at_each(void)
{
    int k, ends[2], status = -1;

    for (k = 0; k < 1000 && status != 0; k++) {
        uint64_t last = 0, n;
        pid_t pid;

        store_remove();
        CHECK(pipe(ends) == 0);
        fflush(stdout);
        pid = fork();
        if (pid == 0) {
            meddle_with_calls(true);
            calls_left = k;
            write_some(ends[1], 1, 4);
            _exit(0);
        }
        close(ends[1]);
        CHECK(waitpid(pid, &status, 0) == pid);
        while (read(ends[0], &n, sizeof n) == sizeof n)
            last = n;
        close(ends[0]);
        read_back(last);
        CHECK(store_alone());
    }
    printf("killed at each of %d calls\n", k - 1);
    CHECK(k > 30 && status == 0);
    store_remove();
}

/* -------- damage --------------------------------------------------------- */

enum { MANY = 300 };

static void many_rows(void)
{
    sr_store *st = store_open();
    char key[32], value[160];

    CHECK(sr_store_begin(st));
    for (unsigned i = 0; i < MANY; i++) {
        snprintf(key, sizeof key, "%05u", i);
        snprintf(value, sizeof value, "%0*u", 20 + (int)i % 100, i * 7);
        store_put(st, SR_SPACE_GROUP, key, value);
    }
    store_put(st, SR_SPACE_META, "a", "1");
    CHECK(sr_store_commit(st));
    CHECK(sr_store_begin(st));
    for (unsigned i = 100; i < 160; i++) { /* pages that are free */
        snprintf(key, sizeof key, "%05u", i);
        CHECK(sr_store_delete(st, SR_SPACE_GROUP, sg_str_of(key)));
    }
    CHECK(sr_store_commit(st));
    sr_store_close(st);
}

static bool hash_row(void *ctx, sg_str key, sg_str value)
{
    uint64_t *hash = ctx;

    *hash = *hash * 31 + sg_str_hash(key);
    *hash = *hash * 31 + sg_str_hash(value);
    return true;
}

/* All values as one number; false when the store refuses or fails. */
static bool whole(uint64_t *hash, char reason[SR_STORE_REASON])
{
    sr_store *st = sr_store_open(store_path, reason);
    bool ok = st != NULL;

    *hash = 0;
    for (unsigned i = 0; ok && i < SR_SPACE_COUNT; i++)
        ok = sr_store_each(st, (sr_space)i, hash_row, hash);
    if (st != NULL && !ok)
        snprintf(reason, SR_STORE_REASON, "%s", sr_store_error(st));
    sr_store_close(st);
    return ok;
}

/* Refused and untouched, or whole. */
static bool check_damaged(sg_str bytes, uint64_t want)
{
    char reason[SR_STORE_REASON];
    uint64_t have;
    bool ok;
    sg_buf after;

    store_spit(store_path, bytes);
    ok = whole(&have, reason);
    if (ok) {
        CHECK(have == want);
        return true;
    }
    CHECK(reason[0] != '\0' && strchr(reason, '\n') == NULL);
    after = store_slurp(store_path);
    CHECK(sg_str_eq(bytes, sg_buf_str(&after)));
    CHECK(store_alone());
    sg_buf_free(&after);
    return false;
}

static void test_flips(void)
{
    char reason[SR_STORE_REASON];
    unsigned refused = 0, whole_ones = 0;
    uint64_t want;
    sg_buf file;

    many_rows();
    CHECK(whole(&want, reason));
    file = store_slurp(store_path);
    CHECK(file.len > 20000);
    for (size_t i = 0; i < file.len; i += i < 300 ? 1 : 1 + random_below(24)) {
        const char old = file.ptr[i];

        file.ptr[i] = (char)(old ^ (char)(1 << random_below(8)));
        if (check_damaged(sg_buf_str(&file), want))
            whole_ones++;
        else
            refused++;
        file.ptr[i] = old;
    }
    printf("bits flipped: %u refused, %u without effect\n", refused,
           whole_ones);
    CHECK(refused > 1000);
    sg_buf_free(&file);
    store_remove();
}

/* Bytes at random, and pages in places of others: each of them is sound. */
static void mangle(sg_buf *file, uint32_t page)
{
    const uint32_t pages = (uint32_t)(file->len / page);
    char *a = file->ptr + (size_t)page * random_below(pages),
         *b = file->ptr + (size_t)page * random_below(pages);

    if (random_below(2) == 0) {
        memmove(a, b, page);
        return;
    }
    for (unsigned i = random_below(20) + 1; i > 0; i--)
        file->ptr[random_below((uint32_t)file->len)] = (char)random_below(256);
}

static void test_mangled(void)
{
    char reason[SR_STORE_REASON];
    unsigned refused = 0;
    uint64_t want;
    sg_buf file;

    many_rows();
    CHECK(whole(&want, reason));
    file = store_slurp(store_path);
    for (unsigned i = 0; i < 600; i++) {
        sg_buf copy = {0};

        sg_buf_put(&copy, sg_buf_str(&file));
        mangle(&copy, 8192);
        refused += !check_damaged(sg_buf_str(&copy), want);
        sg_buf_free(&copy);
    }
    printf("mangled: %u of 600 refused\n", refused);
    CHECK(refused > 300);
    sg_buf_free(&file);
    store_remove();
}

static void test_cut(void)
{
    char reason[SR_STORE_REASON];
    uint64_t want;
    sg_buf file;

    many_rows();
    CHECK(whole(&want, reason));
    file = store_slurp(store_path);
    for (size_t len = 1; len < file.len;
         len += len < 600 ? 7 : 1 + random_below(400)) {
        CHECK(!check_damaged(sg_str_sub(sg_buf_str(&file), 0, len), want));
        len = len < 4096 && len > 4000 ? 4095 : len;
    }
    for (size_t len = 4096; len < file.len; len += 4096)
        CHECK(!check_damaged(sg_str_sub(sg_buf_str(&file), 0, len), want));
    sg_buf_free(&file);
    store_remove();
}

/* The log of a killed process, damaged: what it says is some committed state,
 * or it is refused. */
static void test_log_damage(void)
{
    sg_buf file, log;
    unsigned refused = 0, back[4] = {0};
    const pid_t pid = fork();
    int status;

    if (pid == 0) {
        sr_store *st = store_open();

        for (unsigned i = 1; i <= 3; i++) {
            char text[8];

            snprintf(text, sizeof text, "%u", i);
            sr_store_begin(st);
            store_put(st, SR_SPACE_META, "n", text);
            sr_store_commit(st);
        }
        kill(getpid(), SIGKILL);
    }
    CHECK(waitpid(pid, &status, 0) == pid && WIFSIGNALED(status));
    file = store_slurp(store_path);
    log = store_slurp(store_beside("-wal"));
    CHECK(log.len > 3 * 8192);
    for (size_t i = 0; i < log.len; i += 1 + random_below(40)) {
        char reason[SR_STORE_REASON];
        sr_store *st;
        sg_str value;
        bool found;

        log.ptr[i] = (char)(log.ptr[i] ^ 4);
        store_spit(store_path, sg_buf_str(&file));
        store_spit(store_beside("-wal"), sg_buf_str(&log));
        st = sr_store_open(store_path, reason);
        refused += st == NULL;
        if (st != NULL) {
            CHECK(sr_store_get(st, SR_SPACE_META, SG_S("n"), &value, &found));
            CHECK(!found ||
                  (value.len == 1 && *value.ptr >= '1' && *value.ptr <= '3'));
            back[found ? *value.ptr - '0' : 0]++;
        }
        sr_store_close(st);
        log.ptr[i] = (char)(log.ptr[i] ^ 4);
    }
    printf("log damaged: %u refused, then at commit 0-3: %u %u %u %u\n",
           refused, back[0], back[1], back[2], back[3]);
    sg_buf_free(&file);
    sg_buf_free(&log);
    store_remove();
}

static bool transaction(sr_store *st, const char *value)
{
    char key[32];

    if (!sr_store_begin(st))
        return false;
    for (unsigned i = 0; i < 900; i++) {
        snprintf(key, sizeof key, "%u", i);
        if (!sr_store_put(st, SR_SPACE_META, sg_str_of(key), sg_str_of(value)))
            return false;
    }
    return sr_store_commit(st);
}

static void check_disk(int error, const char *want)
{
    unsigned failed = 0;

    call_errno = error;
    for (int k = 0; k < 30; k++) {
        sr_store *st;

        calls_left = -1;
        st = store_open();
        CHECK(transaction(st, "old"));
        calls_left = k;
        if (!transaction(st, "new")) {
            failed++;
            CHECK(
                sg_str_starts(sg_str_of(sr_store_error(st)), sg_str_of(want)));
            CHECK(!sr_store_commit(st)); /* nothing is open */
            store_check_get(st, SR_SPACE_META, "7", "old");
            calls_left = -1; /* there is room again */
            store_check_get(st, SR_SPACE_META, "199", "old");
            CHECK(transaction(st, "later"));
            store_check_get(st, SR_SPACE_META, "199", "later");
        }
        calls_left = -1;
        sr_store_close(st);
        st = store_open();
        CHECK(st != NULL);
        sr_store_close(st);
        store_remove();
    }
    CHECK(failed > 3);
}

static void test_disk(void)
{
    char reason[SR_STORE_REASON];

    meddle_with_calls(true);
    check_disk(ENOSPC, "no space left on the device");
    check_disk(EIO, "disk I/O error");
    calls_left = 0;
    call_errno = ENOSPC;
    CHECK(sr_store_open(store_path, reason) == NULL);
    CHECK_STR(sg_str_of(reason), SG_S("no space left on the device"));
    meddle_with_calls(false);
    store_remove();
}

int main(void)
{
    store_setup();
    test_killed();
    test_killed_at_each();
    test_flips();
    test_mangled();
    test_cut();
    test_log_damage();
    test_disk();
    CHECK(rmdir(store_folder) == 0);
    return TEST_END();
}
