/*
 * db.h - the store's file: one table of an SQLite database, opened with care.
 * For store.c alone.
 *
 * Functions return false with a reason in `error`; nothing is rolled back but
 * what SQLite does by itself.
 */
#ifndef SR_DB_H
#define SR_DB_H

#include "state/store.h"

enum {
    SR_DB_TALLIES = 0 /* space of one row, with the key "": the tallies */
};

/* Kept statements; their texts are in db.c. */
typedef enum sr_db_sql {
    SR_DB_BEGIN,
    SR_DB_COMMIT,
    SR_DB_ROLLBACK,
    SR_DB_PUT,
    SR_DB_CHECKSUM,
    SR_DB_DELETE,
    SR_DB_CLEAR,
    SR_DB_GET,
    SR_DB_WALK,
    SR_DB_STATEMENTS
} sr_db_sql;

/* Zero-initialise to use. */
typedef struct sr_db {
    struct sqlite3 *handle;
    struct sqlite3_stmt *stmts[SR_DB_STATEMENTS];
    bool keep_log; /* refused: the log that was found stays */
    char error[SR_STORE_REASON];
} sr_db;

typedef struct sr_db_row {
    int64_t space; /* as in the file */
    sg_str key, value;
    uint64_t checksum;
} sr_db_row;

typedef bool sr_db_fn(void *ctx, const sr_db_row *row);

/* Always false. */
__attribute__((format(printf, 2, 3))) bool sr_db_fail(sr_db *db,
                                                      const char *fmt, ...);

/* Open or create and lock the file and verify all but its rows, which is the
 * caller's part: with true a transaction is open that sr_db_accept ends. After
 * false only sr_db_close is of use. */
bool sr_db_open(sr_db *db, const char *path);
/* The rows are good: from here on the file may be written. */
bool sr_db_accept(sr_db *db);
void sr_db_close(sr_db *db);

bool sr_db_begin(sr_db *db);
bool sr_db_commit(sr_db *db);
/* Nothing to do where SQLite did so already. */
void sr_db_rollback(sr_db *db);

/* Over space, key and value, lengths included, so that nothing can move from
 * one to another. */
uint64_t sr_db_sum(int64_t space, sg_str key, sg_str value);
/* Insert or replace; checksum is sr_db_sum of the three. */
bool sr_db_put(sr_db *db, int64_t space, sg_str key, sg_str value,
               uint64_t checksum);
/* The checksum that a row has, and whether there is one. */
bool sr_db_checksum(sr_db *db, int64_t space, sg_str key, uint64_t *checksum,
                    bool *found);
bool sr_db_delete(sr_db *db, int64_t space, sg_str key);
bool sr_db_clear(sr_db *db, int64_t space);

/* fn for the row of this key, if there is one. Rows are verified against
 * their checksums. Fails when fn does, which then has said why. */
bool sr_db_get(sr_db *db, int64_t space, sg_str key, sr_db_fn *fn, void *ctx);
/* fn for each row of the spaces first to last, by space and key. */
bool sr_db_walk(sr_db *db, int64_t first, int64_t last, sr_db_fn *fn,
                void *ctx);

#endif
