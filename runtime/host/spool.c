/*
 * spool.c - alerts that wait for their order: an index in memory, the bytes in
 * memory up to a bound and then in a temporary file without a name.
 */
#include "host/spool.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MEMORY = 64 << 20 }; /* bytes, before the file is used */

typedef struct entry {
    sr_spool_key key;
    uint32_t rank; /* of the source */
    uint64_t at, serial;
    size_t len;
} entry;

struct sr_spool {
    entry *entries;
    size_t count, cap;
    sg_buf memory; /* bytes from `written` on */
    FILE *file;    /* bytes before; or NULL */
    uint64_t written;
};

sr_spool *sr_spool_open(void)
{
    sr_spool *spool = calloc(1, sizeof(*spool));

    if (spool == NULL)
        sg_fatal("out of memory");
    return spool;
}

void sr_spool_close(sr_spool *spool)
{
    if (spool == NULL)
        return;
    if (spool->file != NULL)
        (void)fclose(spool->file);
    free(spool->entries);
    sg_buf_free(&spool->memory);
    free(spool);
}

static bool spill(sr_spool *spool)
{
    if (spool->file == NULL)
        spool->file = tmpfile();
    if (spool->file == NULL || fwrite(spool->memory.ptr, 1, spool->memory.len,
                                      spool->file) != spool->memory.len)
        return false;
    spool->written += spool->memory.len;
    spool->memory.len = 0;
    return true;
}

bool sr_spool_put(sr_spool *spool, const sr_spool_key *key, sg_str bytes)
{
    if (spool->count == spool->cap) {
        spool->cap = spool->cap == 0 ? 256 : spool->cap * 2;
        spool->entries =
            realloc(spool->entries, spool->cap * sizeof(*spool->entries));
        if (spool->entries == NULL)
            sg_fatal("out of memory");
    }
    spool->entries[spool->count] = (entry){
        *key, 0, spool->written + spool->memory.len, spool->count, bytes.len};
    spool->count++;
    sg_buf_put(&spool->memory, bytes);
    return spool->memory.len < MEMORY || spill(spool);
}

static int compare(uint64_t a, uint64_t b)
{
    return a < b ? -1 : a > b;
}

static int by_key(const void *a, const void *b)
{
    const entry *x = a;
    const entry *y = b;
    int order = compare(x->key.ordinal, y->key.ordinal);

    order = order != 0 ? order : compare(x->rank, y->rank);
    order = order != 0 ? order : compare(x->key.line, y->key.line);
    order = order != 0 ? order : compare(x->key.kind, y->key.kind);
    order = order != 0 ? order : compare(x->key.component, y->key.component);
    return order != 0 ? order : compare(x->serial, y->serial);
}

static bool bytes_of(sr_spool *spool, const entry *e, sg_buf *scratch,
                     sg_str *out)
{
    if (e->at >= spool->written) {
        *out = (sg_str){spool->memory.ptr + (e->at - spool->written), e->len};
        return true;
    }
    scratch->len = 0;
    *out = (sg_str){sg_buf_reserve(scratch, e->len + 1), e->len};
    return fseeko(spool->file, (off_t)e->at, SEEK_SET) == 0 &&
           fread(scratch->ptr, 1, e->len, spool->file) == e->len;
}

bool sr_spool_each(sr_spool *spool, const uint32_t *ranks,
                   void (*fn)(void *ctx, sg_str bytes), void *ctx)
{
    sg_buf scratch = {0};
    bool done = spool->file == NULL || fflush(spool->file) == 0;

    for (size_t i = 0; i < spool->count; i++)
        spool->entries[i].rank = ranks[spool->entries[i].key.source];
    if (spool->count != 0)
        qsort(spool->entries, spool->count, sizeof(entry), by_key);
    for (size_t i = 0; i < spool->count && done; i++) {
        sg_str bytes;

        done = bytes_of(spool, &spool->entries[i], &scratch, &bytes);
        if (done)
            fn(ctx, bytes);
    }
    sg_buf_free(&scratch);
    return done;
}
