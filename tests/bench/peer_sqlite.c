/*
 * peer_sqlite.c - GROUP BY in SQLite, as well as it can: in memory, prepared
 * statements, one transaction, no rowid where the key is the table.
 */
#include "peer_sqlite.h"

#include <sqlite3.h>
#include <stdlib.h>

struct peer_sqlite {
    sqlite3 *db;
    sqlite3_stmt *add;
    bool upsert;
};

static void check(const peer_sqlite *p, int code)
{
    if (code != SQLITE_OK && code != SQLITE_DONE && code != SQLITE_ROW)
        sg_fatal("SQLite: %s", sqlite3_errmsg(p->db));
}

static void run(peer_sqlite *p, const char *sql)
{
    check(p, sqlite3_exec(p->db, sql, NULL, NULL, NULL));
}

peer_sqlite *peer_sqlite_open(bool upsert)
{
    peer_sqlite *p = calloc(1, sizeof(*p));

    if (p == NULL)
        sg_fatal("out of memory");
    p->upsert = upsert;
    check(p, sqlite3_open(":memory:", &p->db));
    run(p, "PRAGMA journal_mode=OFF; PRAGMA temp_store=MEMORY;");
    run(p, upsert ? "CREATE TABLE g(key BLOB PRIMARY KEY, n INT) WITHOUT ROWID"
                  : "CREATE TABLE e(key BLOB)");
    run(p, "BEGIN");
    check(p,
          sqlite3_prepare_v2(p->db,
                             upsert ? "INSERT INTO g VALUES(?1, 1) "
                                      "ON CONFLICT(key) DO UPDATE SET n = n + 1"
                                    : "INSERT INTO e VALUES(?1)",
                             -1, &p->add, NULL));
    return p;
}

void peer_sqlite_add(peer_sqlite *p, sg_str key)
{
    check(p,
          sqlite3_bind_blob(p->add, 1, key.ptr, (int)key.len, SQLITE_STATIC));
    check(p, sqlite3_step(p->add));
    check(p, sqlite3_reset(p->add));
}

uint64_t peer_sqlite_finish(peer_sqlite *p)
{
    sqlite3_stmt *all;
    uint64_t groups = 0;

    run(p, "COMMIT");
    if (p->upsert)
        check(p, sqlite3_prepare_v2(p->db, "SELECT count(*) FROM g", -1, &all,
                                    NULL));
    else
        check(p, sqlite3_prepare_v2(p->db,
                                    "SELECT key, count(*) FROM e GROUP BY key",
                                    -1, &all, NULL));
    while (sqlite3_step(all) == SQLITE_ROW)
        groups =
            p->upsert ? (uint64_t)sqlite3_column_int64(all, 0) : groups + 1;
    sqlite3_finalize(all);
    return groups;
}

void peer_sqlite_close(peer_sqlite *p)
{
    sqlite3_finalize(p->add);
    sqlite3_close(p->db);
    free(p);
}
