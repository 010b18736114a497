/*
 * store.h - a small durable map from (space, key) to value, in one file: what
 * a detector keeps between runs. What values mean is their owners' business;
 * transactions, integrity and clear refusals are this folder's.
 *
 * What is committed survives the end of the process at any moment, SIGKILL
 * included, and a power cut (the log is synced before a commit returns, as far
 * as the disk keeps its word). What is not committed leaves no trace.
 *
 * Damage is noticed, not healed: each row carries a checksum, each space the
 * number of its rows and the sum of their checksums, changed in the same
 * transaction. All of it is verified when a file is opened, and again what is
 * read later. One damage shows as an earlier committed state instead: to the
 * log that a killed process left beside its file (PATH-wal), since nothing
 * tells it from a commit that was cut short.
 *
 * A store belongs to one thread at a time and is held open by one process at a
 * time. On failure functions return false, sr_store_error says why, and an
 * open transaction is rolled back.
 */
#ifndef SR_STORE_H
#define SR_STORE_H

#include "base/sg_base.h"

typedef struct sr_store sr_store;

typedef enum sr_space {
#define SPACE(name, number, text, doc) SR_SPACE_##name,
#include "state/spaces.def"
#undef SPACE
    SR_SPACE_COUNT
} sr_space;

enum {
    SR_STORE_REASON = 256,       /* bytes of a reason with its NUL */
    SR_STORE_FORMAT = 1,         /* of the files written; others are refused */
    SR_STORE_ROW_MAX = 64 << 20, /* bytes of a key and its value */
};

/* Open the file, or create it (mode 0600; an empty file counts as none), and
 * verify all of it. NULL with a reason, one line fit to follow "cannot use
 * state PATH: "; a file that is refused is left as it is, byte for byte. */
sr_store *sr_store_open(const char *path, char reason[SR_STORE_REASON]);
/* Everything committed moves into the file itself; nothing is left beside it.
 * An open transaction is rolled back. NULL is nothing to close. */
void sr_store_close(sr_store *store);
/* Why the last call failed: one line, valid until the next failure. */
const char *sr_store_error(const sr_store *store);

/* Transactions do not nest; put, delete and clear need one. */
bool sr_store_begin(sr_store *store);
bool sr_store_commit(sr_store *store);
void sr_store_rollback(sr_store *store);

/* Insert, or replace the value of the key. */
bool sr_store_put(sr_store *store, sr_space space, sg_str key, sg_str value);
/* A key that is not there is deleted already. */
bool sr_store_delete(sr_store *store, sr_space space, sg_str key);
/* Delete all keys of a space. */
bool sr_store_clear(sr_store *store, sr_space space);

/* The value of a key: *value is valid until the next sr_store_get, *found
 * whether there is one. */
bool sr_store_get(sr_store *store, sr_space space, sg_str key, sg_str *value,
                  bool *found);
/* False stops, and makes sr_store_each fail with the reason "stopped". */
typedef bool sr_store_fn(void *ctx, sg_str key, sg_str value);
/* Call fn for each row of a space, by key in byte order. Key and value are
 * valid during the call, in which the store may be asked (sr_store_get) but
 * not changed. That rows are missing shows at the end, after fn saw the
 * others. */
bool sr_store_each(sr_store *store, sr_space space, sr_store_fn *fn, void *ctx);
/* Rows of a space, those of the open transaction included. */
uint64_t sr_store_count(const sr_store *store, sr_space space);

#endif
