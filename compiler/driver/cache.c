/*
 * cache.c - `sigcc cache`: what the cache holds, and clearing it.
 */
#include "driver/store.h"

#include <inttypes.h>

int sc_cmd_cache(sc_session *s, const sc_options *o)
{
    const sg_str verb = o->paths.items[0];
    const bool clear = sg_str_eq(verb, SG_S("clear"));
    sg_buf shown = {0};
    sc_store store;
    uint64_t count, bytes;

    if (o->paths.count > 1 || (!clear && !sg_str_eq(verb, SG_S("show")))) {
        sc_put_safe(&shown, o->paths.items[o->paths.count > 1 ? 1 : 0]);
        sc_fail(SC_EXIT_USAGE, "cache takes show or clear, not '%.*s'",
                SG_FMT(sg_buf_str(&shown)));
        sg_buf_free(&shown);
        return SC_EXIT_USAGE;
    }
    sc_store_open(&store, s, false);
    if (store.folder < 0 && s->warnings == 0)
        return sc_fail(SC_EXIT_FAILED, "there is no cache: it is turned off, "
                                       "or no folder for it is known");
    if (store.folder < 0)
        return sc_finish(s, o, SC_EXIT_FAILED);
    sc_store_count(&store, clear, &count, &bytes);
    sc_put_safe(&shown, store.path);
    printf("%.*s: %" PRIu64 " %s, %.1f of %" PRIu64 " MiB%s\n",
           SG_FMT(sg_buf_str(&shown)), count, count == 1 ? "entry" : "entries",
           (double)bytes / (1 << 20), store.bound >> 20,
           clear ? " removed" : "");
    sg_buf_free(&shown);
    sc_store_close(&store);
    return SC_EXIT_OK;
}
