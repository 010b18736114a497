/*
 * store.c - transactions and tallies over the rows of db.c: what is in a
 * space is known apart from its rows, so that lost ones are missed.
 */
#include "state/db.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TALLY_BYTES = 1 + 8 + 8 }; /* number of the space, rows, sum */

static const unsigned char numbers[SR_SPACE_COUNT] = {
#define SPACE(name, number, text, doc) [SR_SPACE_##name] = (number),
#include "state/spaces.def"
#undef SPACE
};

static const char *const names[SR_SPACE_COUNT] = {
#define SPACE(name, number, text, doc) [SR_SPACE_##name] = (text),
#include "state/spaces.def"
#undef SPACE
};

/* What is known of the rows of a space. */
typedef struct tally {
    uint64_t rows;
    uint64_t sum; /* of their checksums: order does not matter */
} tally;

struct sr_store {
    sr_db db;
    tally live[SR_SPACE_COUNT]; /* with the open transaction */
    tally kept[SR_SPACE_COUNT]; /* as committed */
    bool open;                  /* a transaction is */
    bool reading;               /* inside sr_store_each */
    sg_buf value;               /* of the last sr_store_get */
};

/* -------- tallies -------------------------------------------------------- */

static bool same_tally(tally a, tally b)
{
    return a.rows == b.rows && a.sum == b.sum;
}

static bool need_tally(sr_store *st, sr_space space, tally have)
{
    if (same_tally(have, st->live[space]))
        return true;
    if (have.rows == st->live[space].rows)
        return sr_db_fail(&st->db,
                          "damaged: space %s does not hold the rows it held",
                          names[space]);
    return sr_db_fail(&st->db, "damaged: space %s holds %llu rows and not %llu",
                      names[space], (unsigned long long)have.rows,
                      (unsigned long long)st->live[space].rows);
}

/* -------- changing ------------------------------------------------------- */

void sr_store_rollback(sr_store *st)
{
    if (!st->open)
        return;
    st->open = false;
    memcpy(st->live, st->kept, sizeof st->live);
    sr_db_rollback(&st->db);
}

/* The result of a change: a failed one takes its transaction along. */
static bool settle(sr_store *st, bool ok)
{
    if (!ok)
        sr_store_rollback(st);
    return ok;
}

bool sr_store_begin(sr_store *st)
{
    if (st->open)
        return sr_db_fail(&st->db, "a transaction is open already");
    if (st->reading)
        return sr_db_fail(&st->db, "the store is being read");
    st->open = sr_db_begin(&st->db);
    return st->open;
}

/* All tallies are one row: one change to a transaction, however many rows it
 * changes. */
static bool put_tallies(sr_store *st)
{
    const sg_str key = SG_S("");
    sg_buf value = {0};

    for (unsigned i = 0; i < SR_SPACE_COUNT; i++) {
        sg_put_u8(&value, numbers[i]);
        sg_put_u64(&value, st->live[i].rows);
        sg_put_u64(&value, st->live[i].sum);
    }
    const uint64_t sum = sr_db_sum(SR_DB_TALLIES, key, sg_buf_str(&value));
    const bool done =
        sr_db_put(&st->db, SR_DB_TALLIES, key, sg_buf_str(&value), sum);

    sg_buf_free(&value);
    return done;
}

bool sr_store_commit(sr_store *st)
{
    if (!st->open)
        return sr_db_fail(&st->db, "no transaction is open");
    if (st->reading)
        return sr_db_fail(&st->db, "the store is being read");
    if (memcmp(st->live, st->kept, sizeof st->live) != 0 &&
        !settle(st, put_tallies(st)))
        return false;
    if (!settle(st, sr_db_commit(&st->db)))
        return false;
    memcpy(st->kept, st->live, sizeof st->kept);
    st->open = false;
    return true;
}

static bool may_change(sr_store *st, sr_space space)
{
    if (st->reading)
        return sr_db_fail(&st->db, "the store is being read");
    if (!st->open)
        return sr_db_fail(&st->db, "no transaction is open");
    if ((unsigned)space >= SR_SPACE_COUNT)
        return settle(st, sr_db_fail(&st->db, "there is no such space"));
    return true;
}

/* Take the row of the key out of the tally, if there is one. */
static bool forget(sr_store *st, sr_space space, sg_str key, bool *found)
{
    uint64_t checksum = 0;

    if (!sr_db_checksum(&st->db, numbers[space], key, &checksum, found))
        return false;
    if (*found) {
        st->live[space].rows--;
        st->live[space].sum -= checksum;
    }
    return true;
}

bool sr_store_put(sr_store *st, sr_space space, sg_str key, sg_str value)
{
    uint64_t checksum;
    bool found;

    if (!may_change(st, space))
        return false;
    if (key.len > SR_STORE_ROW_MAX || value.len > SR_STORE_ROW_MAX - key.len)
        return settle(
            st, sr_db_fail(&st->db, "a key and its value have more than %d MiB",
                           SR_STORE_ROW_MAX >> 20));
    checksum = sr_db_sum(numbers[space], key, value);
    if (!forget(st, space, key, &found) ||
        !sr_db_put(&st->db, numbers[space], key, value, checksum))
        return settle(st, false);
    st->live[space].rows++;
    st->live[space].sum += checksum;
    return true;
}

bool sr_store_delete(sr_store *st, sr_space space, sg_str key)
{
    bool found;

    if (!may_change(st, space))
        return false;
    if (!forget(st, space, key, &found))
        return settle(st, false);
    return !found || settle(st, sr_db_delete(&st->db, numbers[space], key));
}

bool sr_store_clear(sr_store *st, sr_space space)
{
    if (!may_change(st, space))
        return false;
    if (!settle(st, sr_db_clear(&st->db, numbers[space])))
        return false;
    st->live[space] = (tally){0};
    return true;
}

/* -------- reading -------------------------------------------------------- */

typedef struct copy {
    sg_buf *to;
    bool found;
} copy;

static bool copy_value(void *ctx, const sr_db_row *row)
{
    copy *c = ctx;

    c->found = true;
    c->to->len = 0;
    sg_buf_put(c->to, row->value);
    return true;
}

bool sr_store_get(sr_store *st, sr_space space, sg_str key, sg_str *value,
                  bool *found)
{
    copy c = {.to = &st->value};

    *value = SG_S("");
    *found = false;
    if ((unsigned)space >= SR_SPACE_COUNT)
        return settle(st, sr_db_fail(&st->db, "there is no such space"));
    if (!settle(st, sr_db_get(&st->db, numbers[space], key, copy_value, &c)))
        return false;
    *found = c.found;
    if (c.found && st->value.len > 0)
        *value = sg_buf_str(&st->value);
    return true;
}

typedef struct each {
    sr_store *st;
    sr_store_fn *fn;
    void *ctx;
    tally have;
} each;

static bool each_row(void *ctx, const sr_db_row *row)
{
    each *e = ctx;

    e->have.rows++;
    e->have.sum += row->checksum;
    return e->fn(e->ctx, row->key, row->value) ||
           sr_db_fail(&e->st->db, "stopped");
}

bool sr_store_each(sr_store *st, sr_space space, sr_store_fn *fn, void *ctx)
{
    each e = {.st = st, .fn = fn, .ctx = ctx};
    bool ok;

    if (st->reading)
        return sr_db_fail(&st->db, "the store is being read");
    if ((unsigned)space >= SR_SPACE_COUNT)
        return settle(st, sr_db_fail(&st->db, "there is no such space"));
    st->reading = true;
    ok = sr_db_walk(&st->db, numbers[space], numbers[space], each_row, &e);
    st->reading = false;
    return settle(st, ok && need_tally(st, space, e.have));
}

uint64_t sr_store_count(const sr_store *st, sr_space space)
{
    return (unsigned)space < SR_SPACE_COUNT ? st->live[space].rows : 0;
}

const char *sr_store_error(const sr_store *st)
{
    return st->db.error;
}

/* -------- verifying all of it -------------------------------------------- */

typedef struct audit {
    sr_store *st;
    tally have[SR_SPACE_COUNT];
    bool tallies; /* their row was seen */
} audit;

/* The space that has this number, or SR_SPACE_COUNT. */
static unsigned space_of(int64_t number)
{
    unsigned i = 0;

    while (i < SR_SPACE_COUNT && numbers[i] != number)
        i++;
    return i;
}

static bool read_tallies(sr_store *st, sg_str value)
{
    sg_reader r = {value, false};

    if (value.len % TALLY_BYTES != 0)
        return sr_db_fail(&st->db, "damaged: the tallies are cut short");
    while (r.rest.len != 0) {
        const unsigned space = space_of(sg_read_u8(&r));

        if (space == SR_SPACE_COUNT)
            return sr_db_fail(&st->db,
                              "written by a newer version, which keeps more");
        st->live[space].rows = sg_read_u64(&r);
        st->live[space].sum = sg_read_u64(&r);
    }
    return true;
}

static bool audit_row(void *ctx, const sr_db_row *row)
{
    audit *a = ctx;
    const unsigned space = space_of(row->space);

    if (row->space == SR_DB_TALLIES && row->key.len == 0) {
        a->tallies = true;
        return read_tallies(a->st, row->value);
    }
    if (space == SR_SPACE_COUNT)
        return sr_db_fail(&a->st->db, "damaged: a row of no known space");
    a->have[space].rows++;
    a->have[space].sum += row->checksum;
    return true;
}

static bool verify_rows(sr_store *st)
{
    audit a = {.st = st};

    if (!sr_db_walk(&st->db, INT64_MIN, INT64_MAX, audit_row, &a))
        return false;
    if (!a.tallies)
        return sr_db_fail(&st->db, "damaged: the tallies are missing");
    for (unsigned i = 0; i < SR_SPACE_COUNT; i++)
        if (!need_tally(st, (sr_space)i, a.have[i]))
            return false;
    memcpy(st->kept, st->live, sizeof st->kept);
    return true;
}

/* -------- opening -------------------------------------------------------- */

void sr_store_close(sr_store *st)
{
    if (st == NULL)
        return;
    sr_store_rollback(st);
    sr_db_close(&st->db);
    sg_buf_free(&st->value);
    free(st);
}

sr_store *sr_store_open(const char *path, char reason[SR_STORE_REASON])
{
    sr_store *st = calloc(1, sizeof *st);

    reason[0] = '\0';
    if (st == NULL) {
        (void)snprintf(reason, SR_STORE_REASON, "out of memory");
        return NULL;
    }
    if (sr_db_open(&st->db, path) && verify_rows(st) && sr_db_accept(&st->db))
        return st;
    (void)snprintf(reason, SR_STORE_REASON, "%s", st->db.error);
    sr_store_close(st);
    return NULL;
}
