/*
 * test_store.c - the store: values, transactions, refusals that touch nothing,
 * two processes at once.
 */
#include "support/store.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/wait.h>
#include <time.h>

static void check_refused(const char *want)
{
    char reason[SR_STORE_REASON];
    sr_store *st = sr_store_open(store_path, reason);

    CHECK(st == NULL);
    CHECK_STR(sg_str_of(reason), sg_str_of(want));
    sr_store_close(st);
}

static void test_values(void)
{
    const sg_str nul = {"a\0b", 3};
    sr_store *st = store_open();
    struct stat info;
    sg_str value;
    bool found;

    CHECK(st != NULL && stat(store_path, &info) == 0);
    CHECK_INT(info.st_mode & 07777, 0600);
    CHECK(!store_file_exists(store_beside("-shm")));
    CHECK(sr_store_begin(st));
    store_put(st, SR_SPACE_META, "b", "2");
    store_put(st, SR_SPACE_META, "a", "1");
    store_put(st, SR_SPACE_META, "", "");
    store_put(st, SR_SPACE_META, "b", "3");
    store_put(st, SR_SPACE_GROUP, "b", "other");
    CHECK(sr_store_put(st, SR_SPACE_HELD, nul, nul));
    CHECK(sr_store_delete(st, SR_SPACE_GROUP, SG_S("none")));
    store_check_each(st, SR_SPACE_META, "= a=1 b=3 ");
    CHECK(sr_store_commit(st));
    sr_store_close(st);
    CHECK(store_alone());

    st = store_open();
    CHECK(st != NULL);
    store_check_each(st, SR_SPACE_META, "= a=1 b=3 ");
    store_check_get(st, SR_SPACE_META, "b", "3");
    store_check_get(st, SR_SPACE_META, "", "");
    store_check_get(st, SR_SPACE_META, "c", "(none)");
    store_check_get(st, SR_SPACE_GROUP, "b", "other");
    CHECK(sr_store_get(st, SR_SPACE_HELD, nul, &value, &found) && found);
    CHECK_STR(value, nul);
    CHECK_INT(sr_store_count(st, SR_SPACE_META), 3);
    CHECK(sr_store_begin(st));
    CHECK(sr_store_delete(st, SR_SPACE_META, SG_S("a")));
    CHECK(sr_store_clear(st, SR_SPACE_GROUP));
    store_check_each(st, SR_SPACE_GROUP, "");
    CHECK(sr_store_commit(st));
    sr_store_close(st);

    st = store_open();
    CHECK(st != NULL);
    store_check_each(st, SR_SPACE_META, "= b=3 ");
    store_check_each(st, SR_SPACE_GROUP, "");
    sr_store_close(st);
    store_remove();
}

static void test_transactions(void)
{
    sr_store *st = store_open();

    CHECK(!sr_store_put(st, SR_SPACE_META, SG_S("a"), SG_S("1")));
    CHECK_STR(sg_str_of(sr_store_error(st)), SG_S("no transaction is open"));
    CHECK(!sr_store_delete(st, SR_SPACE_META, SG_S("a")));
    CHECK(!sr_store_clear(st, SR_SPACE_META));
    CHECK(!sr_store_commit(st));
    sr_store_rollback(st);
    CHECK(sr_store_begin(st));
    CHECK(!sr_store_begin(st));
    store_put(st, SR_SPACE_META, "a", "1");
    CHECK(sr_store_commit(st));
    CHECK(sr_store_begin(st));
    store_put(st, SR_SPACE_META, "a", "2");
    store_put(st, SR_SPACE_META, "b", "2");
    CHECK(sr_store_clear(st, SR_SPACE_META));
    store_put(st, SR_SPACE_META, "c", "2");
    sr_store_rollback(st);
    store_check_each(st, SR_SPACE_META, "a=1 ");
    CHECK_INT(sr_store_count(st, SR_SPACE_META), 1);
    CHECK(sr_store_begin(st));
    CHECK(sr_store_commit(st));
    CHECK(sr_store_begin(st));
    store_put(st, SR_SPACE_META, "d", "never committed");
    sr_store_close(st);
    CHECK(store_alone());
    st = store_open();
    store_check_each(st, SR_SPACE_META, "a=1 ");
    CHECK(sr_store_begin(st));
    CHECK(!sr_store_put(st, (sr_space)99, SG_S("a"), SG_S("1")));
    CHECK(!sr_store_commit(st));
    sr_store_close(st);
    store_remove();
}

typedef struct meddler {
    sr_store *st;
    unsigned calls;
} meddler;

static bool meddle(void *ctx, sg_str key, sg_str value)
{
    meddler *m = ctx;
    sg_buf out = {0};

    (void)value;
    m->calls++;
    CHECK(!sr_store_put(m->st, SR_SPACE_META, key, SG_S("x")));
    CHECK_STR(sg_str_of(sr_store_error(m->st)),
              SG_S("the store is being read"));
    CHECK(!sr_store_commit(m->st));
    CHECK(!sr_store_begin(m->st) && !sr_store_clear(m->st, SR_SPACE_META));
    CHECK(!sr_store_each(m->st, SR_SPACE_META, store_list_row, &out));
    store_check_get(m->st, SR_SPACE_META, "b", "2");
    return m->calls < 2;
}

static void test_each(void)
{
    sr_store *st = store_open();
    meddler m = {st, 0};

    CHECK(sr_store_begin(st));
    store_put(st, SR_SPACE_META, "a", "1");
    store_put(st, SR_SPACE_META, "b", "2");
    store_put(st, SR_SPACE_META, "c", "3");
    CHECK(sr_store_commit(st));
    CHECK(!sr_store_each(st, SR_SPACE_META, meddle, &m));
    CHECK_STR(sg_str_of(sr_store_error(st)), SG_S("stopped"));
    CHECK_INT(m.calls, 2);
    store_check_each(st, SR_SPACE_META, "a=1 b=2 c=3 ");
    sr_store_close(st);
    store_remove();
}

static void test_large(void)
{
    sr_store *st = store_open();
    char *big = calloc(1, SR_STORE_ROW_MAX);
    const sg_str most = {big, SR_STORE_ROW_MAX - 1};
    sg_str value;
    bool found;

    memset(big, 'x', SR_STORE_ROW_MAX);
    CHECK(sr_store_begin(st));
    CHECK(sr_store_put(st, SR_SPACE_OUTBOX, SG_S("k"), most));
    CHECK(sr_store_commit(st));
    CHECK(sr_store_get(st, SR_SPACE_OUTBOX, SG_S("k"), &value, &found));
    CHECK(found && sg_str_eq(value, most));
    CHECK(sr_store_begin(st));
    CHECK(!sr_store_put(st, SR_SPACE_OUTBOX, SG_S("kk"), most));
    CHECK_STR(sg_str_of(sr_store_error(st)),
              SG_S("a key and its value have more than 64 MiB"));
    sr_store_close(st);
    free(big);
    store_remove();
}

/* -------- refusals ------------------------------------------------------- */

/* Refused with the reason, and not touched. */
static void check_untouched(const char *want)
{
    sg_buf before = store_slurp(store_path), after;
    const bool alone = store_alone();
    struct stat a, b;

    CHECK(stat(store_path, &a) == 0);
    check_refused(want);
    after = store_slurp(store_path);
    CHECK(stat(store_path, &b) == 0);
    CHECK(sg_str_eq(sg_buf_str(&before), sg_buf_str(&after)));
    CHECK(a.st_mtim.tv_sec == b.st_mtim.tv_sec &&
          a.st_mtim.tv_nsec == b.st_mtim.tv_nsec);
    CHECK(alone == store_alone());
    sg_buf_free(&before);
    sg_buf_free(&after);
}

static void foreign(const char *sql)
{
    sqlite3 *db;

    CHECK_INT(sqlite3_open(store_path, &db), SQLITE_OK);
    CHECK_INT(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

/* A store with two rows, changed behind its back. */
static void meddled(const char *sql)
{
    sr_store *st;

    store_remove();
    st = store_open();
    CHECK(sr_store_begin(st));
    store_put(st, SR_SPACE_META, "a", "1");
    store_put(st, SR_SPACE_META, "b", "2");
    CHECK(sr_store_commit(st));
    sr_store_close(st);
    foreign(sql);
}

static void test_foreign(void)
{
    static const struct {
        const char *sql, *want;
    } rows[] = {
        {"PRAGMA user_version = 2",
         "written by a newer version (format 2, this one reads 1)"},
        {"PRAGMA user_version = 0", "damaged: its header is not one of ours"},
        {"PRAGMA application_id = 7",
         "a database of another program (application id 0x00000007)"},
        {"CREATE TABLE more(x)",
         "damaged: its table is not the one it should have"},
        {"CREATE VIEW v AS SELECT * FROM store",
         "damaged: its table is not the one it should have"},
        {"CREATE TRIGGER t AFTER INSERT ON store BEGIN DELETE FROM store; END",
         "damaged: its table is not the one it should have"},
        {"DROP TABLE store",
         "damaged: its table is not the one it should have"},
        {"ALTER TABLE store ADD COLUMN x BLOB",
         "damaged: its table is not the one it should have"},
        {"DELETE FROM store WHERE key = x'61'",
         "damaged: space meta holds 1 rows and not 2"},
        {"DELETE FROM store WHERE space = 0",
         "damaged: the tallies are missing"},
        {"DELETE FROM store", "damaged: the tallies are missing"},
        {"UPDATE store SET value = x'39' WHERE key = x'61'",
         "damaged: a row does not have its checksum"},
        {"UPDATE store SET key = x'63' WHERE key = x'61'",
         "damaged: a row does not have its checksum"},
        {"UPDATE store SET space = 2 WHERE key = x'61'",
         "damaged: a row does not have its checksum"},
        {"UPDATE store SET space = 77 WHERE key = x'61'",
         "damaged: a row does not have its checksum"},
        {"UPDATE store SET space = 1 << 40 WHERE key = x'61'",
         "damaged: a row does not have its checksum"},
    };

    foreign("CREATE TABLE t(x); INSERT INTO t VALUES (1)");
    check_untouched("a database of another program (application id "
                    "0x00000000)");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        meddled(rows[i].sql);
        check_untouched(rows[i].want);
    }
    store_remove();
}

static void test_other_files(void)
{
    char reason[SR_STORE_REASON];
    sr_store *st;

    store_spit(store_path, SG_S("title: a rule\n"));
    check_untouched("not a state file");
    store_spit(store_path, SG_S("x"));
    check_untouched("not a state file");
    store_spit(store_path, SG_S("SQLite format 3\0abc"));
    check_untouched("damaged: cut short at 19 bytes");
    store_remove();
    CHECK(mkdir(store_path, 0700) == 0);
    check_refused("it is a directory");
    rmdir(store_path);
    CHECK(mkfifo(store_path, 0600) == 0);
    check_refused("it is not a regular file");
    unlink(store_path);
    CHECK(sr_store_open("", reason) == NULL);
    CHECK_STR(sg_str_of(reason), SG_S("the name is empty"));
    CHECK(sr_store_open("/nowhere/at/all", reason) == NULL);
    CHECK_STR(sg_str_of(reason),
              SG_S("cannot be created: No such file or directory"));
    CHECK(sr_store_open("/dev/null/x", reason) == NULL);
    CHECK_STR(sg_str_of(reason), SG_S("Not a directory"));
    store_spit(store_path, SG_S(""));
    st = store_open();
    CHECK(st != NULL);
    sr_store_close(st);
    store_remove();
}

/* Names that SQLite would not take for files. */
static void test_names(void)
{
    static const char *const odd[] = {":memory:", "file:x?mode=memory", "a b%"};
    char reason[SR_STORE_REASON], old[4096];

    CHECK(getcwd(old, sizeof old) != NULL && chdir(store_folder) == 0);
    for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++) {
        sr_store *st = sr_store_open(odd[i], reason);

        CHECK(st != NULL && store_file_exists(odd[i]));
        sr_store_close(st);
        CHECK(unlink(odd[i]) == 0);
    }
    CHECK(chdir(old) == 0);
}

/* As somebody whom permissions bind. */
static void in_child(void (*body)(void))
{
    int status = -1;
    const pid_t pid = fork();

    if (pid == 0) {
        test_count = test_failures = 0;
        if (geteuid() == 0 && seteuid(65534) != 0)
            _exit(2);
        body();
        fflush(stdout);
        _exit(test_failures != 0);
    }
    CHECK(pid > 0 && waitpid(pid, &status, 0) == pid);
    CHECK_INT(status, 0);
}

static void body_unreadable(void)
{
    check_refused("cannot be read: Permission denied");
}

static void body_unwritable(void)
{
    check_untouched("cannot be written: Permission denied");
}

static void body_locked_folder(void)
{
    char reason[SR_STORE_REASON];

    CHECK(sr_store_open(store_path, reason) == NULL);
    CHECK_STR(sg_str_of(reason), SG_S("its folder cannot be written"));
}

static void body_no_creation(void)
{
    check_refused("cannot be created: Permission denied");
}

static void test_permissions(void)
{
    meddled("SELECT 1");
    CHECK(chmod(store_folder, 0755) == 0 && chmod(store_path, 0000) == 0);
    in_child(body_unreadable);
    CHECK(chmod(store_path, 0444) == 0);
    in_child(body_unwritable);
    CHECK(chmod(store_path, 0666) == 0 && chmod(store_folder, 0555) == 0);
    in_child(body_locked_folder);
    store_remove();
    in_child(body_no_creation);
    CHECK(chmod(store_folder, 0700) == 0);
    store_remove();
}

/* -------- two at once ---------------------------------------------------- */

static void body_in_use(void)
{
    char reason[SR_STORE_REASON];

    CHECK(sr_store_open(store_path, reason) == NULL);
    CHECK_STR(sg_str_of(reason), SG_S("in use by another process"));
}

static void check_in_use(void)
{
    struct timespec a, b;
    int status = -1;
    pid_t pid;

    clock_gettime(CLOCK_MONOTONIC, &a);
    fflush(stdout);
    pid = fork();
    if (pid == 0) {
        test_failures = 0;
        body_in_use();
        _exit(test_failures != 0);
    }
    CHECK(waitpid(pid, &status, 0) == pid);
    CHECK_INT(status, 0);
    clock_gettime(CLOCK_MONOTONIC, &b);
    CHECK(b.tv_sec - a.tv_sec < 3);
}

static void test_in_use(void)
{
    sr_store *st = store_open();

    check_in_use();
    body_in_use(); /* nor twice by this one, which keeps its lock */
    check_in_use();
    CHECK(sr_store_begin(st));
    store_put(st, SR_SPACE_META, "a", "1");
    check_in_use();
    CHECK(sr_store_commit(st));
    check_in_use();
    sr_store_close(st);
    st = store_open();
    store_check_each(st, SR_SPACE_META, "a=1 ");
    sr_store_close(st);
    store_remove();
}

int main(void)
{
    store_setup();
    test_values();
    test_transactions();
    test_each();
    test_large();
    test_foreign();
    test_other_files();
    test_names();
    test_permissions();
    test_in_use();
    CHECK(rmdir(store_folder) == 0);
    return TEST_END();
}
