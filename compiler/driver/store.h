/*
 * store.h - the cache of what compilers and linkers made: contents by a key
 * that names all they were made of. It is a folder of the user's; nothing in
 * it is believed: a content is handed out when it has the digest it was stored
 * with under that key, else it is gone. Processes share it without locks: an
 * entry appears whole, by a rename, or not at all.
 */
#ifndef SC_STORE_H
#define SC_STORE_H

#include "driver/driver.h"

enum { SC_STORE_KEY = 65 }; /* of sr_digest: 64 hex digits and NUL */

struct sc_store {
    sc_session *s;
    sg_str path;      /* of the folder; empty: there is none */
    int folder;       /* open while the store is in use, else -1 */
    uint64_t bound;   /* bytes */
    uint32_t touched; /* one bit a share that got an entry */
    bool warned;
};

/* Open the user's cache: $SIGCC_CACHE, else $XDG_CACHE_HOME/sigcc, else
 * ~/.cache/sigcc. It stays closed (folder < 0), and the rest does nothing,
 * when there is none, when `off`, or with a warning (W0901) when the folder is
 * not this user's alone. */
void sc_store_open(sc_store *store, sc_session *s, bool off);
/* The content of a key, appended to `out`. False when there is none. */
bool sc_store_get(sc_store *store, const char key[SC_STORE_KEY], sg_buf *out);
/* Keep a content. Failure is a warning and no more. */
void sc_store_put(sc_store *store, const char key[SC_STORE_KEY],
                  sg_str content);
/* Remove what is too much, the longest unused first, and close. */
void sc_store_close(sc_store *store);

/* Entries and their bytes; with `remove` they are gone then. */
void sc_store_count(sc_store *store, bool remove, uint64_t *count,
                    uint64_t *bytes);

#endif
