/*
 * spool.h - alerts in any order, given back in the order of positions, private
 * to this folder. Much of it lies in a temporary file.
 */
#ifndef SR_HOST_SPOOL_H
#define SR_HOST_SPOOL_H

#include "base/sg_base.h"

/* What decides about the order, the first first. */
typedef struct sr_spool_key {
    uint32_t ordinal, source; /* of the input; its path's number */
    uint64_t line;
    uint32_t kind; /* alerts of rules before those of correlations */
    uint32_t component;
} sr_spool_key;

typedef struct sr_spool sr_spool;

/* `names` are the paths by their numbers: the order of paths is that of their
 * bytes. Never NULL. */
sr_spool *sr_spool_open(void);
void sr_spool_close(sr_spool *spool);
/* Keep the bytes; false when the temporary file fails, see errno. */
bool sr_spool_put(sr_spool *spool, const sr_spool_key *key, sg_str bytes);
/* Give everything back, equal keys in the order of putting; false when reading
 * fails. `ranks` orders the sources. */
bool sr_spool_each(sr_spool *spool, const uint32_t *ranks,
                   void (*fn)(void *ctx, sg_str bytes), void *ctx);

#endif
