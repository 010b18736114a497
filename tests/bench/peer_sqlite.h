/*
 * peer_sqlite.h - SQLite counting events by group, in memory: a peer to
 * measure event_count against.
 */
#ifndef BENCH_PEER_SQLITE_H
#define BENCH_PEER_SQLITE_H

#include "base/sg_base.h"

typedef struct peer_sqlite peer_sqlite;

/* Counts as events come (`upsert`), or keeps all events and counts at the end.
 * Never NULL. One transaction is open from here to the end. */
peer_sqlite *peer_sqlite_open(bool upsert);
void peer_sqlite_add(peer_sqlite *p, sg_str key);
/* The number of groups; counts them first where that is still to do. */
uint64_t peer_sqlite_finish(peer_sqlite *p);
void peer_sqlite_close(peer_sqlite *p);

#endif
