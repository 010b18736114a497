/*
 * db.c - an SQLite database as the store uses it; the only file that includes
 * sqlite3.h.
 *
 * The database is in WAL mode and locked by its process alone, so that no
 * index of the log is shared (no PATH-shm). Each commit is synced: an alert
 * that is written after the commit that accounts for it is never ahead of it.
 */
#include "state/db.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    APPLICATION = 0x53674363, /* "SgCc" at offset 68 of our files */
    HEADER = 100,             /* bytes of an SQLite database's header */
    MIN_PAGE = 512,
    PAGE = 8192,     /* half as many to touch by keys in no order as of 4096 */
    SLACK = 64 << 10 /* of a row, beyond key and value */
};

#define TABLE                                                                  \
    "CREATE TABLE store(space INTEGER NOT NULL, key BLOB NOT NULL, "           \
    "value BLOB NOT NULL, checksum INTEGER NOT NULL, "                         \
    "PRIMARY KEY(space, key)) WITHOUT ROWID, STRICT"

static const char *const texts[SR_DB_STATEMENTS] = {
    [SR_DB_BEGIN] = "BEGIN IMMEDIATE",
    [SR_DB_COMMIT] = "COMMIT",
    [SR_DB_ROLLBACK] = "ROLLBACK",
    [SR_DB_PUT] = "INSERT INTO store VALUES(?1, ?2, ?3, ?4) ON CONFLICT DO "
                  "UPDATE SET value = ?3, checksum = ?4",
    [SR_DB_CHECKSUM] =
        "SELECT checksum FROM store WHERE space = ?1 AND key = ?2",
    [SR_DB_DELETE] = "DELETE FROM store WHERE space = ?1 AND key = ?2",
    [SR_DB_CLEAR] = "DELETE FROM store WHERE space = ?1",
    [SR_DB_GET] = "SELECT space, key, value, checksum FROM store "
                  "WHERE space = ?1 AND key = ?2",
    [SR_DB_WALK] = "SELECT space, key, value, checksum FROM store "
                   "WHERE space BETWEEN ?1 AND ?2 ORDER BY space, key",
};

/* -------- failure -------------------------------------------------------- */

bool sr_db_fail(sr_db *db, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(db->error, sizeof db->error, fmt, ap);
    va_end(ap);
    return false;
}

/* SQLite refused: in our words where we have some. */
static bool fail_sqlite(sr_db *db)
{
    const int code = sqlite3_errcode(db->handle) & 0xFF;
    const int system = sqlite3_system_errno(db->handle);

    switch (code) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return sr_db_fail(db, "in use by another process");
    case SQLITE_FULL:
        return sr_db_fail(db, "no space left on the device");
    case SQLITE_NOMEM:
        return sr_db_fail(db, "out of memory");
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return sr_db_fail(db, "damaged: %s", sqlite3_errmsg(db->handle));
    case SQLITE_READONLY:
        if (sqlite3_extended_errcode(db->handle) == SQLITE_READONLY_DIRECTORY)
            return sr_db_fail(db, "its folder cannot be written");
        return sr_db_fail(db, "%s", sqlite3_errmsg(db->handle));
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
        if (system == 0)
            return sr_db_fail(db, "%s", sqlite3_errmsg(db->handle));
        return sr_db_fail(db, "%s (%s)", sqlite3_errmsg(db->handle),
                          strerror(system));
    default:
        return sr_db_fail(db, "%s", sqlite3_errmsg(db->handle));
    }
}

/* -------- statements ----------------------------------------------------- */

/* A kept statement, ready to be bound. NULL after a failure. */
static sqlite3_stmt *statement(sr_db *db, sr_db_sql which)
{
    sqlite3_stmt **kept = &db->stmts[which];

    if (*kept == NULL &&
        sqlite3_prepare_v3(db->handle, texts[which], -1,
                           SQLITE_PREPARE_PERSISTENT, kept, NULL) != SQLITE_OK)
        fail_sqlite(db);
    return *kept;
}

/* Bound memory outlives the statement's run; it is let go at its end. */
static bool bind_bytes(sr_db *db, sqlite3_stmt *stmt, int place, sg_str s)
{
    if (sqlite3_bind_blob64(stmt, place, s.len == 0 ? "" : s.ptr, s.len,
                            SQLITE_STATIC) == SQLITE_OK)
        return true;
    return fail_sqlite(db);
}

static sqlite3_stmt *statement_for(sr_db *db, sr_db_sql which, int64_t space,
                                   sg_str key)
{
    sqlite3_stmt *stmt = statement(db, which);

    if (stmt == NULL)
        return NULL;
    sqlite3_bind_int64(stmt, 1, space);
    return bind_bytes(db, stmt, 2, key) ? stmt : NULL;
}

/* The statement has done its work: reset, with its code. */
static bool finish(sr_db *db, sqlite3_stmt *stmt)
{
    const bool ok = sqlite3_reset(stmt) == SQLITE_OK || fail_sqlite(db);

    sqlite3_clear_bindings(stmt);
    return ok;
}

/* Run a statement that returns no rows. */
static bool run(sr_db *db, sqlite3_stmt *stmt)
{
    if (stmt == NULL)
        return false;
    (void)sqlite3_step(stmt);
    return finish(db, stmt);
}

static bool exec(sr_db *db, const char *text)
{
    return sqlite3_exec(db->handle, text, NULL, NULL, NULL) == SQLITE_OK ||
           fail_sqlite(db);
}

/* The only row and column of a query, or "" where there is none. */
static bool query_text(sr_db *db, const char *text, char *out, size_t size)
{
    sqlite3_stmt *stmt;
    bool ok;

    out[0] = '\0';
    if (sqlite3_prepare_v2(db->handle, text, -1, &stmt, NULL) != SQLITE_OK)
        return fail_sqlite(db);
    if (sqlite3_step(stmt) == SQLITE_ROW &&
        sqlite3_column_text(stmt, 0) != NULL)
        (void)snprintf(out, size, "%s",
                       (const char *)sqlite3_column_text(stmt, 0));
    ok = sqlite3_reset(stmt) == SQLITE_OK || fail_sqlite(db);
    sqlite3_finalize(stmt);
    return ok;
}

/* -------- rows ----------------------------------------------------------- */

/* The hash has no seed of its own: files are portable. */
uint64_t sr_db_sum(int64_t space, sg_str key, sg_str value)
{
    const uint64_t parts[] = {(uint64_t)space, key.len, sg_str_hash(key),
                              value.len, sg_str_hash(value)};
    char text[sizeof parts];

    for (size_t i = 0; i < sizeof text; i++) /* on each machine the same */
        text[i] = (char)(unsigned char)(parts[i / 8] >> (8 * (i % 8)));
    return sg_str_hash((sg_str){text, sizeof text});
}

/* The bytes of a column; false when it holds something else. */
static bool bytes_of(sqlite3_stmt *stmt, int column, sg_str *out)
{
    if (sqlite3_column_type(stmt, column) != SQLITE_BLOB)
        return false;
    *out = (sg_str){sqlite3_column_blob(stmt, column),
                    (size_t)sqlite3_column_bytes(stmt, column)};
    if (out->ptr == NULL && out->len == 0)
        out->ptr = "";
    return out->ptr != NULL;
}

/* The row a statement stands at, verified. */
static bool read_row(sr_db *db, sqlite3_stmt *stmt, sr_db_row *out)
{
    out->space = sqlite3_column_int64(stmt, 0);
    if (!bytes_of(stmt, 1, &out->key) || !bytes_of(stmt, 2, &out->value)) {
        if (sqlite3_errcode(db->handle) == SQLITE_NOMEM)
            return fail_sqlite(db);
        return sr_db_fail(db, "damaged: a row is no row");
    }
    out->checksum = (uint64_t)sqlite3_column_int64(stmt, 3);
    if (out->checksum != sr_db_sum(out->space, out->key, out->value))
        return sr_db_fail(db, "damaged: a row does not have its checksum");
    return true;
}

/* fn for each row of a bound query. */
static bool each_row(sr_db *db, sqlite3_stmt *stmt, sr_db_fn *fn, void *ctx)
{
    bool ok = true;

    while (ok && sqlite3_step(stmt) == SQLITE_ROW) {
        sr_db_row row;

        ok = read_row(db, stmt, &row) && fn(ctx, &row);
    }
    if (ok)
        return finish(db, stmt);
    sqlite3_reset(stmt); /* the reason is known */
    return false;
}

bool sr_db_get(sr_db *db, int64_t space, sg_str key, sr_db_fn *fn, void *ctx)
{
    sqlite3_stmt *stmt = statement_for(db, SR_DB_GET, space, key);

    return stmt != NULL && each_row(db, stmt, fn, ctx);
}

bool sr_db_walk(sr_db *db, int64_t first, int64_t last, sr_db_fn *fn, void *ctx)
{
    sqlite3_stmt *stmt = statement(db, SR_DB_WALK);

    if (stmt == NULL)
        return false;
    sqlite3_bind_int64(stmt, 1, first);
    sqlite3_bind_int64(stmt, 2, last);
    return each_row(db, stmt, fn, ctx);
}

/* -------- changing ------------------------------------------------------- */

bool sr_db_begin(sr_db *db)
{
    return run(db, statement(db, SR_DB_BEGIN));
}

bool sr_db_commit(sr_db *db)
{
    return run(db, statement(db, SR_DB_COMMIT));
}

void sr_db_rollback(sr_db *db)
{
    sqlite3_stmt *stmt = db->stmts[SR_DB_ROLLBACK];

    /* The reason of what led here is worth more than that of a failure now. */
    if (stmt != NULL && !sqlite3_get_autocommit(db->handle)) {
        (void)sqlite3_step(stmt);
        sqlite3_reset(stmt);
    }
}

bool sr_db_put(sr_db *db, int64_t space, sg_str key, sg_str value,
               uint64_t checksum)
{
    sqlite3_stmt *stmt = statement_for(db, SR_DB_PUT, space, key);

    if (stmt == NULL || !bind_bytes(db, stmt, 3, value))
        return false;
    sqlite3_bind_int64(stmt, 4, (sqlite3_int64)checksum);
    return run(db, stmt);
}

bool sr_db_checksum(sr_db *db, int64_t space, sg_str key, uint64_t *checksum,
                    bool *found)
{
    sqlite3_stmt *stmt = statement_for(db, SR_DB_CHECKSUM, space, key);

    if (stmt == NULL)
        return false;
    *found = sqlite3_step(stmt) == SQLITE_ROW;
    if (*found)
        *checksum = (uint64_t)sqlite3_column_int64(stmt, 0);
    return finish(db, stmt);
}

bool sr_db_delete(sr_db *db, int64_t space, sg_str key)
{
    return run(db, statement_for(db, SR_DB_DELETE, space, key));
}

bool sr_db_clear(sr_db *db, int64_t space)
{
    sqlite3_stmt *stmt = statement(db, SR_DB_CLEAR);

    if (stmt != NULL)
        sqlite3_bind_int64(stmt, 1, space);
    return run(db, stmt);
}

/* -------- verifying ------------------------------------------------------ */

/* Our table and nothing else: no trigger, view or index of somebody's. */
static bool verify_schema(sr_db *db)
{
    char text[512], more[8];

    if (!query_text(db,
                    "SELECT type || name || tbl_name || sql FROM sqlite_schema",
                    text, sizeof text) ||
        !query_text(db, "SELECT count(*) FROM sqlite_schema", more,
                    sizeof more))
        return false;
    if (strcmp(text, "tablestorestore" TABLE) == 0 && strcmp(more, "1") == 0)
        return true;
    return sr_db_fail(db, "damaged: its table is not the one it should have");
}

/* Pages that are lost or used twice would be written over later. */
static bool verify_pages(sr_db *db)
{
    char text[128];

    if (!query_text(db, "PRAGMA quick_check(1)", text, sizeof text))
        return false;
    for (char *at = text; *at != '\0'; at++)
        if ((unsigned char)*at < ' ')
            *at = ' ';
    return strcmp(text, "ok") == 0 || sr_db_fail(db, "damaged: %s", text);
}

/* -------- opening -------------------------------------------------------- */

/* The kind of file is known before it is opened: opening a FIFO would wait.
 * Nothing of ours opens and closes a file that exists, since that would drop
 * the locks that this process may hold on it. */
static bool check_path(sr_db *db, const char *path)
{
    struct stat info;
    int fd;

    if (path[0] == '\0')
        return sr_db_fail(db, "the name is empty");
    if (stat(path, &info) != 0) {
        if (errno != ENOENT)
            return sr_db_fail(db, "%s", strerror(errno));
        fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        if (fd < 0)
            return sr_db_fail(db, "cannot be created: %s", strerror(errno));
        close(fd);
        return true;
    }
    if (S_ISDIR(info.st_mode))
        return sr_db_fail(db, "it is a directory");
    if (!S_ISREG(info.st_mode))
        return sr_db_fail(db, "it is not a regular file");
    if (info.st_size == 1) /* which SQLite takes for an empty one */
        return sr_db_fail(db, "not a state file");
    if (faccessat(AT_FDCWD, path, R_OK, AT_EACCESS) != 0)
        return sr_db_fail(db, "cannot be read: %s", strerror(errno));
    if (faccessat(AT_FDCWD, path, W_OK, AT_EACCESS) != 0)
        return sr_db_fail(db, "cannot be written: %s", strerror(errno));
    return true;
}

static bool configure(sr_db *db)
{
    static const struct {
        int what, on;
    } switches[] = {
        {SQLITE_DBCONFIG_DEFENSIVE, 1},
        {SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0},
        {SQLITE_DBCONFIG_ENABLE_TRIGGER, 0},
        {SQLITE_DBCONFIG_ENABLE_VIEW, 0},
        {SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0},
    };
    static const struct {
        int what, most;
    } limits[] = {
        {SQLITE_LIMIT_LENGTH, SR_STORE_ROW_MAX + SLACK},
        {SQLITE_LIMIT_SQL_LENGTH, 1 << 12},
        {SQLITE_LIMIT_COLUMN, 16},
        {SQLITE_LIMIT_EXPR_DEPTH, 16},
        {SQLITE_LIMIT_COMPOUND_SELECT, 2},
        {SQLITE_LIMIT_ATTACHED, 0},
        {SQLITE_LIMIT_TRIGGER_DEPTH, 1},
        {SQLITE_LIMIT_WORKER_THREADS, 0},
    };

    sqlite3_extended_result_codes(db->handle, 1);
    sqlite3_busy_timeout(db->handle, 0);
    for (size_t i = 0; i < sizeof switches / sizeof switches[0]; i++)
        sqlite3_db_config(db->handle, switches[i].what, switches[i].on, NULL);
    for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++)
        sqlite3_limit(db->handle, limits[i].what, limits[i].most);
    /* Never mapped: a file that is cut while in use would end the process. */
    return exec(db, "PRAGMA mmap_size = 0; PRAGMA cell_size_check = ON; "
                    "PRAGMA cache_size = -65536; PRAGMA temp_store = MEMORY; "
                    "PRAGMA synchronous = FULL");
}

static uint32_t be32(const unsigned char *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 |
           (uint32_t)at[2] << 8 | at[3];
}

/* Whose file is it? Asked of its first bytes, before SQLite looks at it: they
 * are there before anything else of it, whatever a killed process left. */
static bool check_header(sr_db *db, const unsigned char *head, int64_t size)
{
    const int32_t application = (int32_t)be32(head + 68);
    const int32_t format = (int32_t)be32(head + 60);

    if (memcmp(head, "SQLite format 3", 16) != 0)
        return sr_db_fail(db, "not a state file");
    if (size < MIN_PAGE)
        return sr_db_fail(db, "damaged: cut short at %d bytes", (int)size);
    if (application != APPLICATION)
        return sr_db_fail(db,
                          "a database of another program (application id "
                          "0x%08x)",
                          (unsigned)application);
    if (format > SR_STORE_FORMAT)
        return sr_db_fail(db,
                          "written by a newer version (format %d, this one "
                          "reads %d)",
                          (int)format, SR_STORE_FORMAT);
    /* Rollback journal (just created) or WAL; others would be read-only. */
    if (format < 1 || head[18] != head[19] || head[18] < 1 || head[18] > 2)
        return sr_db_fail(db, "damaged: its header is not one of ours");
    return true;
}

/* Through SQLite's own handle, see check_path. *fresh: nothing in it yet.
 * *young: created, but never in use. */
static bool look_at(sr_db *db, bool *fresh, bool *young)
{
    unsigned char head[HEADER] = {0};
    sqlite3_file *file = NULL;
    sqlite3_int64 size = 0;
    int code;

    sqlite3_file_control(db->handle, "main", SQLITE_FCNTL_FILE_POINTER, &file);
    if (file == NULL || file->pMethods == NULL)
        return sr_db_fail(db, "cannot be opened");
    if (file->pMethods->xFileSize(file, &size) != SQLITE_OK)
        return sr_db_fail(db, "cannot be read");
    *fresh = size == 0;
    *young = false;
    if (*fresh)
        return true;
    code = file->pMethods->xRead(file, head, HEADER, 0);
    if (code != SQLITE_OK && code != SQLITE_IOERR_SHORT_READ)
        return sr_db_fail(db, "cannot be read");
    *young = head[18] == 1;
    return check_header(db, head, size);
}

/* A creation that was cut short is undone when the file is first read. */
static bool undo_creation(sr_db *db, bool *fresh)
{
    char rows[8];
    bool young;

    return query_text(db, "SELECT count(*) FROM sqlite_schema", rows,
                      sizeof rows) &&
           look_at(db, fresh, &young);
}

/* An empty file becomes ours in one transaction. */
static bool create(sr_db *db)
{
    const sg_str none = SG_S("");
    char text[256], more[8];

    (void)snprintf(text, sizeof text, "PRAGMA page_size = %d", PAGE);
    if (!exec(db, text) || !sr_db_begin(db) ||
        !query_text(db, "SELECT count(*) FROM sqlite_schema", more,
                    sizeof more))
        return false;
    if (strcmp(more, "0") != 0)
        return sr_db_fail(db, "in use by another process");
    (void)snprintf(text, sizeof text,
                   "PRAGMA application_id = %d; PRAGMA user_version = %d",
                   APPLICATION, SR_STORE_FORMAT);
    return exec(db, text) && exec(db, TABLE) &&
           sr_db_put(db, SR_DB_TALLIES, none, none,
                     sr_db_sum(SR_DB_TALLIES, none, none)) &&
           sr_db_commit(db);
}

/* Lock the file for this process alone; see what it is made of. */
static bool take(sr_db *db)
{
    return statement(db, SR_DB_ROLLBACK) != NULL && /* before it is needed */
           exec(db, "PRAGMA locking_mode = EXCLUSIVE") && sr_db_begin(db) &&
           verify_schema(db) && verify_pages(db);
}

bool sr_db_accept(sr_db *db)
{
    char mode[16];

    if (!sr_db_commit(db) ||
        !query_text(db, "PRAGMA journal_mode = WAL", mode, sizeof mode))
        return false;
    if (strcmp(mode, "wal") != 0)
        return sr_db_fail(db, "its folder does not allow a log beside it");
    db->keep_log = false;
    return exec(db, "PRAGMA wal_autocheckpoint = 4000; "
                    "PRAGMA journal_size_limit = 67108864");
}

/* Whether a killed process left a log, which may hold committed rows. */
static bool has_log(const char *path)
{
    sg_buf name = {0};
    struct stat info;
    bool found;

    sg_buf_printf(&name, "%s-wal%c", path, '\0');
    found = stat(name.ptr, &info) == 0 && info.st_size > 0;
    sg_buf_free(&name);
    return found;
}

bool sr_db_open(sr_db *db, const char *path)
{
    const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX;
    /* Names that mean something to SQLite ("file:", ":memory:") do not here. */
    const char *folder = path[0] == '/' ? "" : "./";
    sg_buf name = {0};
    bool ok, fresh = false, young = false;

    if (!check_path(db, path))
        return false;
    db->keep_log = has_log(path);
    sg_buf_printf(&name, "%s%s%c", folder, path, '\0');
    ok = sqlite3_open_v2(name.ptr, &db->handle, flags, NULL) == SQLITE_OK ||
         fail_sqlite(db);
    sg_buf_free(&name);
    return ok && look_at(db, &fresh, &young) && configure(db) &&
           (!young || undo_creation(db, &fresh)) && (!fresh || create(db)) &&
           take(db);
}

void sr_db_close(sr_db *db)
{
    for (unsigned i = 0; i < SR_DB_STATEMENTS; i++)
        sqlite3_finalize(db->stmts[i]);
    /* What is refused is not touched: its log stays a log. */
    if (db->handle != NULL && db->keep_log)
        sqlite3_db_config(db->handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1,
                          NULL);
    sqlite3_close(db->handle);
}
