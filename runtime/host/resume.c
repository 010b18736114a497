/*
 * resume.c - what --state keeps, so that a run that ends at any moment, by
 * SIGKILL too, goes on as if nothing had happened.
 *
 * One transaction holds: where reading stands, the contributions since groups
 * were last written (the journal), and the bytes that are to be written to the
 * outputs (the outbox). Only then are they written. Whoever comes next looks at
 * the outputs, writes what is missing, brings back groups and journal, and
 * reads on. Now and then, and at the end, groups are written and the journal
 * begins anew.
 *
 * Of a regular file the length tells how much of the outbox was written. Of a
 * pipe nobody can tell: a second transaction says so right after writing, and a
 * process that dies between the two writes those alerts again, with the same
 * alert_id.
 */
#include "host/host.h"
#include "state/store.h"

#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
    VERSION = 2,
    EVENTS = 1, /* kinds of rows in the journal */
    LESSONS = 2,
    KEPT_NS = 1000000000,    /* between two transactions, at most ... */
    ALERT_NS = 100000000,    /* ... or when alerts wait */
    SHARE = 10,              /* of the time for transactions: one in so many */
    JOURNAL_ROW = 4 << 20,   /* bytes of one transaction's, about */
    JOURNAL_MOST = 32 << 20, /* bytes until groups are written */
    VALUE_PART = 32 << 20,   /* bytes of a group in one row */
    OUTPUT_MOST = 1 << 20    /* bytes of alerts that may wait */
};

typedef struct sr_resume {
    sr_store *store;
    const char *path;          /* as shown */
    bool fresh;                /* there was no state */
    bool rebuilt;              /* it is of another pack */
    bool dirty;                /* something is not kept yet */
    bool news;                 /* lines were read since results were written */
    SG_VEC(sr_cursor) cursors; /* per source */
    SG_VEC(bool) known;        /* the source was read before */
    SG_VEC(bool) moved;        /* its cursor is not kept yet */
    uint32_t *ids;             /* per correlation: its number in the store */
    uint32_t next_id;
    sg_buf journal, lessons; /* records since the last transaction */
    uint64_t journal_row, journal_bytes; /* next key; in the store */
    uint64_t table_bytes;   /* of learned tables, when last written */
    uint64_t saved;         /* turn at which groups were last written */
    bool outbox[SR_SINKS];  /* a row is there */
    int64_t kept, took;     /* clock of the last transaction; what it cost */
    sr_output_state output; /* as the last run left it */
} resume;

/* -------- small things --------------------------------------------------- */

static int64_t clock_now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* The store has failed: nothing more may go out. */
static bool broken(sr_session *s)
{
    if (!s->stop || s->exit_code != SR_EXIT_OUTPUT)
        sr_say(s, "cannot keep state in %s: %s", s->resume->path,
               sr_store_error(s->resume->store));
    s->exit_code = SR_EXIT_OUTPUT;
    s->stop = s->abandoned = true;
    for (unsigned i = 0; i < SR_SINKS; i++)
        s->sinks[i].broken = true;
    return false;
}

/* Numbers as keys, in their order. */
static sg_str key_of(uint64_t n, char out[8])
{
    for (unsigned i = 0; i < 8; i++)
        out[i] = (char)(n >> (56 - 8 * i) & 0xFF);
    return (sg_str){out, 8};
}

static bool number_of(sg_str key, uint64_t *n)
{
    *n = 0;
    for (size_t i = 0; i < key.len; i++)
        *n = *n << 8 | (unsigned char)key.ptr[i];
    return key.len == 8;
}

static bool put_meta(resume *r, const char *name, const sg_buf *value)
{
    return sr_store_put(r->store, SR_SPACE_META, sg_str_of(name),
                        sg_buf_str(value));
}

/* -------- options that must not change ----------------------------------- */

/* What the state means depends on these. */
static void put_options(const sr_session *s, sg_buf *out)
{
    const sr_options *o = s->options;

    sg_put_u8(out, VERSION);
    sg_put_u8(out, o->search);
    sg_put_text(out,
                o->time_field == NULL ? SG_S("") : sg_str_of(o->time_field));
}

static int check_options(sr_session *s)
{
    resume *r = s->resume;
    sg_buf want = {0};
    sg_str have;
    bool found;

    if (!sr_store_get(r->store, SR_SPACE_META, SG_S("options"), &have, &found))
        return SR_EXIT_INPUT;
    r->fresh = !found;
    if (!found)
        return SR_EXIT_OK;
    put_options(s, &want);
    const bool same = sg_str_eq(have, sg_buf_str(&want));
    const bool version = have.len != 0 && have.ptr[0] == VERSION;

    sg_buf_free(&want);
    if (same)
        return SR_EXIT_OK;
    sr_say(s, "cannot use state %s: %s", r->path,
           version ? "it was made with another --mode or --time-field"
                   : "it was made by another version");
    return SR_EXIT_USAGE;
}

/* Alerts go on where they ended: formats that must be one piece cannot. */
static bool format_fits(sr_session *s)
{
    const sr_options *o = s->options;

    if (!o->format_given || o->format == SR_FORMAT_NDJSON ||
        o->format == SR_FORMAT_CSV)
        return true;
    sr_say(s, "--state needs --format ndjson or csv");
    return false;
}

/* -------- sources and cursors -------------------------------------------- */

static void add_source(sr_session *s, const sr_cursor *cursor)
{
    resume *r = s->resume;

    SG_PUSH(&s->arena, &r->cursors,
            cursor == NULL ? (sr_cursor){.dev = 0} : *cursor);
    SG_PUSH(&s->arena, &r->known, cursor != NULL);
    SG_PUSH(&s->arena, &r->moved, false);
}

static bool load_source(void *ctx, sg_str key, sg_str value)
{
    sr_session *s = ctx;
    sg_reader r = {value, false};
    const sg_str name = sg_read_text(&r);
    const bool known = sg_read_u8(&r) != 0;
    sr_cursor cursor;
    uint64_t n;

    if (!number_of(key, &n) || n != s->sources.count || r.bad ||
        !sr_cursor_read(r.rest, &cursor))
        return false;
    SG_PUSH(&s->arena, &s->sources, sg_arena_dup(&s->arena, name));
    add_source(s, known ? &cursor : NULL);
    return true;
}

/* Sources that this run names for the first time. */
static void meet_sources(sr_session *s)
{
    while (s->resume->cursors.count < s->sources.count)
        add_source(s, NULL);
}

const sr_cursor *sr_resume_cursor(sr_session *s, uint32_t source)
{
    meet_sources(s);
    return s->resume->known.items[source] ? &s->resume->cursors.items[source]
                                          : NULL;
}

void sr_resume_reading(sr_session *s, uint32_t source, const sr_cursor *cursor)
{
    resume *r = s->resume;

    meet_sources(s);
    sr_cursor *old = &r->cursors.items[source];
    const bool read = cursor->offset != old->offset ||
                      cursor->line != old->line || cursor->ino != old->ino ||
                      cursor->generation != old->generation;

    if (!read && cursor->ended == old->ended && r->known.items[source])
        return;
    r->news = r->news || read;
    *old = *cursor;
    r->known.items[source] = r->moved.items[source] = true;
    r->dirty = true;
}

static bool keep_sources(sr_session *s)
{
    resume *r = s->resume;
    sg_buf value = {0};
    bool done = true;

    meet_sources(s);
    for (uint32_t i = 0; i < r->cursors.count && done; i++) {
        char key[8];

        if (!r->moved.items[i] && !r->fresh &&
            i < sr_store_count(r->store, SR_SPACE_CURSOR))
            continue;
        value.len = 0;
        sg_put_text(&value, s->sources.items[i]);
        sg_put_u8(&value, r->known.items[i]);
        sr_cursor_write(&r->cursors.items[i], &value);
        done = sr_store_put(r->store, SR_SPACE_CURSOR, key_of(i, key),
                            sg_buf_str(&value));
        r->moved.items[i] = false;
    }
    sg_buf_free(&value);
    return done;
}

/* -------- correlations --------------------------------------------------- */

/* The name of a correlation in the store: what it computes. Of several that
 * compute the same the second has another number. */
static void put_name(const sr_session *s, uint32_t c, sg_buf *out)
{
    const sigma_detector *d = s->detector;
    const sigma_ref digest = d->correlations[c].digest;
    const sg_str text = {d->pool + digest.off, digest.len};
    uint32_t before = 0;

    for (uint32_t i = 0; i < c && text.len != 0; i++) {
        const sigma_ref other = d->correlations[i].digest;

        before += sg_str_eq((sg_str){d->pool + other.off, other.len}, text);
    }
    sg_buf_put(out, text);
    sg_put_u32(out, text.len == 0 ? c : before);
}

static sg_str title_of(const sr_session *s, uint32_t c)
{
    const sigma_ref title = s->detector->correlations[c].meta.title;

    return (sg_str){s->detector->pool + title.off, title.len};
}

/* What loading looks up. */
typedef struct loader {
    sr_session *s;
    sg_map by_name;       /* correlations of this detector */
    SG_VEC(sg_str) stale; /* names in the store of others */
    SG_VEC(uint32_t) stale_ids;
    sg_map by_id;      /* number in the store: 1 + correlation */
    sg_buf key, value; /* of the group at hand */
    sg_buf contributions;
    sr_moves moves;     /* components that have another name now */
    uint64_t dropped;   /* contributions of correlations that are gone */
    uint64_t forgotten; /* lessons of tables that are */
} loader;

static bool load_correlation(void *ctx, sg_str key, sg_str value)
{
    loader *l = ctx;
    sr_session *s = l->s;
    resume *r = s->resume;
    sg_reader in = {value, false};
    const uint32_t id = sg_read_u32(&in);
    const uint64_t component = sg_read_u64(&in);
    const sg_str title = sg_read_text(&in);
    const sr_corr_stats lost = {sg_read_u64(&in), sg_read_u64(&in),
                                sg_read_u64(&in)};
    const uint32_t *c = sg_map_get(&l->by_name, key);

    if (!sg_read_done(&in) || id == SIGMA_NONE)
        return false;
    if (id >= r->next_id)
        r->next_id = id + 1;
    if (c == NULL) {
        r->rebuilt = true;
        SG_PUSH(&s->arena, &l->stale, sg_arena_dup(&s->arena, key));
        SG_PUSH(&s->arena, &l->stale_ids, id);
        sr_say(s,
               "state of correlation '%s' is dropped: the detector has no such "
               "correlation any more, or it was changed",
               sr_shown(s, title));
        return true;
    }
    r->ids[*c] = id;
    r->rebuilt = sr_moves_add(&l->moves, s, component,
                              sr_layout_component(s->layout, *c)) ||
                 r->rebuilt;
    sr_agg_set_losses(s->agg, *c, lost);
    return true;
}

static bool keep_correlations(sr_session *s)
{
    resume *r = s->resume;
    sg_buf key = {0};
    sg_buf value = {0};
    bool done = true;

    for (uint32_t c = 0; c < s->detector->correlation_count && done; c++) {
        const sr_corr_stats lost = sr_agg_losses(s->agg, c);

        key.len = value.len = 0;
        put_name(s, c, &key);
        sg_put_u32(&value, r->ids[c]);
        sg_put_u64(&value, sr_layout_component_id(
                               s->layout, sr_layout_component(s->layout, c)));
        sg_put_text(&value, title_of(s, c));
        sg_put_u64(&value, lost.evicted);
        sg_put_u64(&value, lost.refused);
        sg_put_u64(&value, lost.late);
        done = sr_store_put(r->store, SR_SPACE_CORRELATION, sg_buf_str(&key),
                            sg_buf_str(&value));
    }
    sg_buf_free(&key);
    sg_buf_free(&value);
    return done;
}

/* Those of the detector that the store does not know get a number. */
static void meet_correlations(sr_session *s)
{
    resume *r = s->resume;

    for (uint32_t c = 0; c < s->detector->correlation_count; c++) {
        if (r->ids[c] != SIGMA_NONE)
            continue;
        r->ids[c] = r->next_id++;
        r->rebuilt = !r->fresh;
        if (!r->fresh)
            sr_say(s, "correlation '%s' is new or was changed: it starts empty",
                   sr_shown(s, title_of(s, c)));
    }
}

/* -------- groups --------------------------------------------------------- */

/* The correlation's number, the group's key, and the number of the part. */
static void put_group_key(sg_buf *out, uint32_t id, sg_str parts, uint32_t part)
{
    char n[8];

    out->len = 0;
    sg_buf_put(out, key_of(id, n));
    sg_buf_put(out, parts);
    sg_buf_put(out, key_of(part, n));
}

/* sr_save_fn */
static bool keep_group(void *ctx, uint32_t correlation, sg_str parts,
                       const sg_str *value)
{
    sr_session *s = ctx;
    resume *r = s->resume;
    sg_buf key = {0};
    uint32_t part = 0;
    bool done = true;

    if (value == NULL) {
        put_group_key(&key, r->ids[correlation], parts, 0);
        done = sr_store_delete(r->store, SR_SPACE_GROUP, sg_buf_str(&key));
    }
    for (size_t at = 0; value != NULL && done && at < value->len;) {
        const size_t left = value->len - at;
        const size_t len = left < VALUE_PART ? left : VALUE_PART;

        put_group_key(&key, r->ids[correlation], parts, part++);
        done = sr_store_put(r->store, SR_SPACE_GROUP, sg_buf_str(&key),
                            sg_str_sub(*value, at, at + len));
        at += len;
    }
    sg_buf_free(&key);
    return done;
}

static bool keep_groups(sr_session *s)
{
    resume *r = s->resume;
    uint64_t since = r->saved;

    if (sr_agg_must_save_all(s->agg)) {
        if (!sr_store_clear(r->store, SR_SPACE_GROUP))
            return false;
        since = 0;
    }
    if (!sr_agg_save(s->agg, since, keep_group, s))
        return false;
    r->saved = sr_agg_clock_get(s->agg).turn;
    return true;
}

/* The group at hand is complete. */
static bool load_whole(loader *l)
{
    const sg_str key = sg_buf_str(&l->key);
    uint64_t id;

    if (key.len == 0)
        return true;
    char text[8];

    if (key.len < 8 || !number_of(sg_str_sub(key, 0, 8), &id))
        return false;
    const uint32_t *c = sg_map_get(&l->by_id, key_of(id, text));
    const bool done =
        c == NULL || sr_agg_load(l->s->agg, *c, sg_str_sub(key, 8, key.len),
                                 sg_buf_str(&l->value));

    l->key.len = l->value.len = 0;
    return done;
}

static bool load_group(void *ctx, sg_str key, sg_str value)
{
    loader *l = ctx;
    uint64_t part;

    if (key.len < 16 ||
        !number_of(sg_str_sub(key, key.len - 8, key.len), &part))
        return false;
    const sg_str name = sg_str_sub(key, 0, key.len - 8);

    if (!sg_str_eq(name, sg_buf_str(&l->key))) {
        if (!load_whole(l) || part != 0)
            return false;
        sg_buf_put(&l->key, name);
    }
    sg_buf_put(&l->value, value);
    return true;
}

/* -------- clocks and counters -------------------------------------------- */

static bool keep_clocks(sr_session *s)
{
    const sr_sequence_clock q = sr_sequence_clock_get(s->sequence);
    const sr_agg_clock a = sr_agg_clock_get(s->agg);
    sg_buf out = {0};

    sg_put_u64(&out, q.events);
    sg_put_u64(&out, q.fed);
    sg_put_u64(&out, (uint64_t)q.newest);
    sg_put_u64(&out, a.turn);
    sg_put_u64(&out, (uint64_t)a.watermark);
    sg_put_u64(&out, a.expired);
    sg_put_u64(&out, a.sketched);
    const bool done = put_meta(s->resume, "clocks", &out);

    sg_buf_free(&out);
    return done;
}

static bool load_clocks(sr_session *s, sg_str bytes)
{
    sg_reader r = {bytes, false};
    sr_sequence_clock q = {.events = sg_read_u64(&r)};
    sr_agg_clock a = {0};

    q.fed = sg_read_u64(&r);
    q.newest = (int64_t)sg_read_u64(&r);
    a.turn = sg_read_u64(&r);
    a.watermark = (int64_t)sg_read_u64(&r);
    a.expired = sg_read_u64(&r);
    a.sketched = sg_read_u64(&r);
    if (!sg_read_done(&r) || q.fed != a.turn)
        return false;
    sr_sequence_clock_set(s->sequence, q);
    sr_agg_clock_set(s->agg, a);
    s->resume->saved = a.turn;
    return true;
}

/* What the run has counted, and where its output stands. */
static bool keep_counters(sr_session *s)
{
    const sr_output_state out = sr_output_state_get(s->out);
    sg_buf value = {0};

    sg_put_u8(&value, s->resume->news);
    sg_put_u64(&value, (uint64_t)out.rows);
    sg_put_u64(&value, out.objects);
#define STAT(name, loss, doc) sg_put_u64(&value, s->stats.name);
#include "host/stats.def"
#undef STAT
    const bool done = put_meta(s->resume, "counters", &value);

    sg_buf_free(&value);
    return done;
}

static bool load_counters(sr_session *s, sg_str bytes, sr_output_state *out)
{
    sg_reader r = {bytes, false};

    s->resume->news = sg_read_u8(&r) != 0;
    out->rows = (int64_t)sg_read_u64(&r);
    out->objects = sg_read_u64(&r);
#define STAT(name, loss, doc) s->stats.name = sg_read_u64(&r);
#include "host/stats.def"
#undef STAT
    return sg_read_done(&r);
}

/* -------- held back and journal ------------------------------------------ */

/* Rows of records, each behind its length. */
typedef struct rows {
    sr_session *s;
    sr_space space;
    sg_buf buf;
    uint64_t next;
    bool done;
} rows;

static void put_row(rows *r)
{
    char key[8];

    if (r->buf.len != 0)
        r->done = r->done &&
                  sr_store_put(r->s->resume->store, r->space,
                               key_of(r->next++, key), sg_buf_str(&r->buf));
    r->buf.len = 0;
}

static void put_contribution(const sr_session *s, const sr_contribution *c,
                             sg_buf *out)
{
    const size_t at = out->len;

    sg_put_u32(out, 0);
    sr_wire_put(s->layout, c, c->place.source, out);
    const uint32_t len = (uint32_t)(out->len - at - 4);

    for (unsigned i = 0; i < 4; i++)
        out->ptr[at + i] = (char)(len >> 8 * i & 0xFF);
}

static void put_held(void *ctx, const sr_contribution *c)
{
    rows *r = ctx;

    put_contribution(r->s, c, &r->buf);
    if (r->buf.len >= JOURNAL_ROW)
        put_row(r);
}

static bool keep_held(sr_session *s)
{
    rows r = {.s = s, .space = SR_SPACE_HELD, .done = true};

    if (!sr_store_clear(s->resume->store, SR_SPACE_HELD))
        return false;
    sr_sequence_each(s->sequence, put_held, &r);
    put_row(&r);
    sg_buf_free(&r.buf);
    return r.done;
}

static bool source_known(const sr_session *s, const sr_contribution *c)
{
    return c->place.source < s->sources.count;
}

/* One record; its contributions go behind those in l->contributions: one, or
 * more or none where correlations hang together in another way now. */
static bool read_record(loader *l, sg_reader *r)
{
    const sg_str bytes = sg_read_text(r);
    size_t at = l->contributions.len;
    const sr_wire_status status =
        r->bad ? SR_WIRE_DAMAGED
               : sr_moves_get(&l->moves, l->s, bytes, &l->contributions);

    l->dropped += status == SR_WIRE_UNKNOWN;
    while (at < l->contributions.len) {
        const sr_contribution *c = (const void *)(l->contributions.ptr + at);

        if (!source_known(l->s, c))
            return false;
        at += c->size;
    }
    return status != SR_WIRE_DAMAGED;
}

static bool load_held(void *ctx, sg_str key, sg_str value)
{
    loader *l = ctx;
    sg_reader r = {value, false};

    (void)key;
    while (r.rest.len != 0) {
        l->contributions.len = 0;
        if (!read_record(l, &r))
            return false;
        for (size_t at = 0; at < l->contributions.len;) {
            const sr_contribution *c =
                (const void *)(l->contributions.ptr + at);

            if (!sr_sequence_restore(l->s->sequence, c))
                return false;
            at += c->size;
        }
    }
    return true;
}

/* Feed the events of one row again, each a list of records behind their
 * number; or learn its lessons again. */
static bool load_journal(void *ctx, sg_str key, sg_str value)
{
    loader *l = ctx;
    sr_session *s = l->s;
    sg_reader r = {value, false};
    uint64_t n;

    if (!number_of(key, &n))
        return false;
    s->resume->journal_row = n + 1;
    s->resume->journal_bytes += value.len;
    if (sg_read_u8(&r) == LESSONS)
        return sr_lessons_read(s, r.rest, &l->forgotten);
    while (r.rest.len != 0) {
        const uint32_t count = sg_read_u32(&r);

        l->contributions.len = 0;
        for (uint32_t i = 0; i < count; i++)
            if (!read_record(l, &r))
                return false;
        sr_sequence_event(s->sequence, l->contributions.ptr,
                          l->contributions.len, 0);
        sr_sequence_flush(s->sequence);
    }
    return true;
}

void sr_resume_note(sr_session *s, const char *contributions, size_t len)
{
    resume *r = s->resume;
    uint32_t count = 0;

    for (size_t at = 0; at < len; count++)
        at +=
            ((const sr_contribution *)(const void *)(contributions + at))->size;
    if (r->journal.len == 0)
        sg_put_u8(&r->journal, EVENTS);
    sg_put_u32(&r->journal, count);
    for (size_t at = 0; at < len;) {
        const sr_contribution *c = (const void *)(contributions + at);

        put_contribution(s, c, &r->journal);
        at += c->size;
    }
    r->dirty = true;
}

/* One row; its kind comes first. */
static bool keep_rows(resume *r, sg_buf *records)
{
    char key[8];

    if (records->len == 0)
        return true;
    const bool done =
        sr_store_put(r->store, SR_SPACE_JOURNAL, key_of(r->journal_row++, key),
                     sg_buf_str(records));

    r->journal_bytes += records->len;
    records->len = 0;
    return done;
}

static bool keep_journal(sr_session *s)
{
    return keep_rows(s->resume, &s->resume->lessons) &&
           keep_rows(s->resume, &s->resume->journal);
}

/* -------- learned tables ------------------------------------------------- */

/* sr_enrich_fn: a lesson goes into the journal. What is forgotten for want of
 * room is forgotten again when the lessons are learned again. */
static bool note_lesson(void *ctx, uint32_t table, sg_str key, sg_str value)
{
    sr_session *s = ctx;
    resume *r = s->resume;

    if (value.ptr == NULL)
        return true;
    if (r->lessons.len == 0)
        sg_put_u8(&r->lessons, LESSONS);
    sr_lesson_put(s, table, key, value, &r->lessons);
    r->dirty = true;
    return true;
}

static bool put_lesson(void *ctx, uint32_t table, sg_str key, sg_str value)
{
    rows *r = ctx;

    sr_lesson_put(r->s, table, key, value, &r->buf);
    if (r->buf.len >= JOURNAL_ROW) {
        r->s->resume->table_bytes += r->buf.len;
        put_row(r);
    }
    return r->done;
}

static bool keep_tables(sr_session *s)
{
    rows r = {.s = s, .space = SR_SPACE_TABLE, .done = true};

    if (s->enrich == NULL || !sr_enrich_learns(s->enrich))
        return true;
    s->resume->lessons.len = 0;
    s->resume->table_bytes = 0;
    if (!sr_store_clear(s->resume->store, SR_SPACE_TABLE))
        return false;
    (void)sr_enrich_each(s->enrich, put_lesson, &r);
    s->resume->table_bytes += r.buf.len;
    put_row(&r);
    sg_buf_free(&r.buf);
    return r.done;
}

static bool load_table(void *ctx, sg_str key, sg_str value)
{
    loader *l = ctx;

    (void)key;
    l->s->resume->table_bytes += value.len;
    return sr_lessons_read(l->s, value, &l->forgotten);
}

/* -------- outputs -------------------------------------------------------- */

/* What is to be written next, and where it begins. */
static bool keep_outbox(sr_session *s)
{
    resume *r = s->resume;
    sg_buf value = {0};
    bool done = true;

    for (unsigned i = 0; i < SR_SINKS && done; i++) {
        const sr_sink *sink = &s->sinks[i];
        char key[8];

        if (sink->fd < 0 || (sink->buf->len == 0 && !r->outbox[i]))
            continue;
        value.len = 0;
        sg_put_u8(&value, sink->regular);
        sg_put_u64(&value, sink->dev);
        sg_put_u64(&value, sink->ino);
        sg_put_u64(&value, sink->size + sink->written);
        sg_put_text(&value, sg_buf_str(sink->buf));
        done = sr_store_put(r->store, SR_SPACE_OUTBOX, key_of(i, key),
                            sg_buf_str(&value));
        r->outbox[i] = sink->buf->len != 0;
    }
    sg_buf_free(&value);
    return done;
}

/* How much of the outbox lies in the file already. */
static size_t written_of(sr_session *s, sr_sink *sink, sg_reader *r)
{
    const bool regular = sg_read_u8(r) != 0;
    const uint64_t dev = sg_read_u64(r);
    const uint64_t ino = sg_read_u64(r);
    const uint64_t base = sg_read_u64(r);
    const sg_str bytes = sg_read_text(r);

    if (regular && sink->regular && sink->dev == dev && sink->ino == ino &&
        sink->size >= base)
        return sink->size - base < bytes.len ? (size_t)(sink->size - base)
                                             : bytes.len;
    if (regular && sink->path != NULL)
        sr_say(s,
               "%s is not the file that was written before; its last alerts "
               "are written again",
               sr_shown(s, sg_str_of(sink->path)));
    return 0;
}

bool sr_resume_outputs(sr_session *s)
{
    resume *r = s->resume;

    if (!r->fresh)
        sr_output_state_set(s->out, r->output);
    for (unsigned i = 0; i < SR_SINKS; i++) {
        sr_sink *sink = &s->sinks[i];
        char key[8];
        sg_str value;
        bool found;

        if (sink->fd < 0)
            continue;
        if (sink->regular && sink->path != NULL)
            (void)lseek(sink->fd, 0, SEEK_END);
        if (!sr_store_get(r->store, SR_SPACE_OUTBOX, key_of(i, key), &value,
                          &found))
            return broken(s);
        if (!found)
            continue;
        sg_reader whole = {value, false};
        sg_reader text = whole;
        const size_t done = written_of(s, sink, &whole);

        (void)sg_read_bytes(&text, 1 + 3 * 8);
        const sg_str bytes = sg_read_text(&text);

        if (!sg_read_done(&whole)) {
            sr_say(s, "cannot use state %s: damaged: outbox", r->path);
            return false;
        }
        r->outbox[i] = true;
        sg_buf_put(sink->buf, sg_str_sub(bytes, done, bytes.len));
    }
    if (!sr_sinks_write(s))
        return false;
    r->dirty = true;
    return sr_resume_commit(s);
}

/* -------- transactions --------------------------------------------------- */

bool sr_resume_due(const sr_session *s, int64_t now)
{
    const resume *r = s->resume;
    const bool waiting = sr_sinks_waiting(s);

    if (r->journal.len >= JOURNAL_ROW || r->lessons.len >= JOURNAL_ROW)
        return true;
    for (unsigned i = 0; i < SR_SINKS; i++)
        if (s->sinks[i].buf->len >= OUTPUT_MOST)
            return true;
    return now - r->kept >= r->took * SHARE &&
           now - r->kept >= (waiting ? ALERT_NS : KEPT_NS);
}

static bool keep_all(sr_session *s, bool whole)
{
    resume *r = s->resume;
    sg_buf options = {0};
    bool done = true;

    if (r->fresh) {
        put_options(s, &options);
        done = put_meta(r, "options", &options);
        sg_buf_free(&options);
    }
    done = done && keep_sources(s) && keep_counters(s) && keep_outbox(s);
    if (!whole)
        return done && keep_journal(s);
    r->journal.len = 0;
    r->journal_bytes = 0;
    return done && keep_correlations(s) && keep_groups(s) && keep_held(s) &&
           keep_tables(s) && keep_clocks(s) &&
           sr_store_clear(r->store, SR_SPACE_JOURNAL);
}

/* Everything in one transaction. */
static bool transact(sr_session *s, bool whole)
{
    resume *r = s->resume;

    if (!sr_store_begin(r->store))
        return broken(s);
    if (!keep_all(s, whole || r->fresh || r->rebuilt) ||
        !sr_store_commit(r->store)) {
        sr_store_rollback(r->store);
        return broken(s);
    }
    r->fresh = r->dirty = r->rebuilt = false;
    return true;
}

/* Pipes cannot tell what was written to them. */
static bool needs_receipt(const sr_session *s)
{
    bool needs = false;

    for (unsigned i = 0; i < SR_SINKS; i++)
        needs = needs || (s->resume->outbox[i] &&
                          (!s->sinks[i].regular || s->sinks[i].path == NULL));
    return needs;
}

static bool commit(sr_session *s, bool whole)
{
    resume *r = s->resume;
    const int64_t start = clock_now();

    if (!whole && !r->dirty && !sr_sinks_waiting(s))
        return true;
    if (!transact(s,
                  whole || r->journal_bytes >= JOURNAL_MOST + r->table_bytes) ||
        !sr_sinks_write(s))
        return false;
    if ((needs_receipt(s) || whole) && !transact(s, false))
        return false;
    r->kept = clock_now();
    r->took = r->kept - start;
    return true;
}

bool sr_resume_commit(sr_session *s)
{
    return !s->stop && commit(s, false);
}

bool sr_resume_finish(sr_session *s)
{
    if (s->exit_code == SR_EXIT_OUTPUT || s->exit_code == SR_EXIT_INTERNAL)
        return false;
    if (!s->abandoned && !sr_interrupted())
        s->resume->news = false;
    return commit(s, true);
}

bool sr_resume_news(const sr_session *s)
{
    return s->resume->news;
}

/* -------- opening -------------------------------------------------------- */

static int damaged(sr_session *s, const char *what)
{
    const char *why = sr_store_error(s->resume->store);

    if (strcmp(why, "stopped") == 0)
        sr_say(s, "cannot use state %s: damaged: %s", s->resume->path, what);
    else
        sr_say(s, "cannot use state %s: %s", s->resume->path, why);
    return SR_EXIT_INPUT;
}

/* The names of this detector's correlations, to find them by. */
static void name_correlations(loader *l)
{
    sr_session *s = l->s;
    const uint32_t count = s->detector->correlation_count;
    sg_buf name = {0};

    s->resume->ids = sg_new_n(&s->arena, uint32_t, (size_t)count + 1);
    for (uint32_t c = 0; c < count; c++) {
        bool found;

        name.len = 0;
        put_name(s, c, &name);
        *sg_map_put(&s->arena, &l->by_name,
                    sg_arena_dup(&s->arena, sg_buf_str(&name)), &found) = c;
        s->resume->ids[c] = SIGMA_NONE;
    }
    sg_buf_free(&name);
}

static void number_correlations(loader *l)
{
    sr_session *s = l->s;

    for (uint32_t c = 0; c < s->detector->correlation_count; c++) {
        char text[8];
        bool found;

        if (s->resume->ids[c] != SIGMA_NONE)
            *sg_map_put(
                &s->arena, &l->by_id,
                sg_arena_dup(&s->arena, key_of(s->resume->ids[c], text)),
                &found) = c;
    }
}

/* State of correlations that are gone leaves the store. */
static bool drop_stale(loader *l)
{
    sr_session *s = l->s;
    sr_store *store = s->resume->store;

    if (l->stale.count == 0)
        return true;
    /* Groups are few kinds of keys: what is left is written anew. */
    if (!sr_store_begin(store))
        return false;
    bool done = sr_store_clear(store, SR_SPACE_GROUP);

    for (uint32_t i = 0; i < l->stale.count && done; i++)
        done = sr_store_delete(store, SR_SPACE_CORRELATION, l->stale.items[i]);
    done = done && sr_agg_save(s->agg, 0, keep_group, s);
    if (done && sr_store_commit(store))
        return true;
    sr_store_rollback(store);
    return false;
}

static bool get_meta(sr_session *s, const char *name, sg_str *value)
{
    bool found;

    return sr_store_get(s->resume->store, SR_SPACE_META, sg_str_of(name), value,
                        &found) &&
           found;
}

static int load_all(sr_session *s, loader *l)
{
    sr_store *store = s->resume->store;
    sr_output_state out;
    sg_str value;

    if (!sr_store_each(store, SR_SPACE_CURSOR, load_source, s))
        return damaged(s, "cursors");
    name_correlations(l);
    if (!sr_store_each(store, SR_SPACE_CORRELATION, load_correlation, l))
        return damaged(s, "correlations");
    number_correlations(l);
    meet_correlations(s);
    if (s->resume->fresh)
        return SR_EXIT_OK;
    if (!sr_store_each(store, SR_SPACE_GROUP, load_group, l) || !load_whole(l))
        return damaged(s, "groups");
    sr_agg_loaded(s->agg);
    if (!get_meta(s, "clocks", &value) || !load_clocks(s, value))
        return damaged(s, "clocks");
    if (!sr_store_each(store, SR_SPACE_HELD, load_held, l))
        return damaged(s, "events held back");
    if (!drop_stale(l))
        return damaged(s, "correlations");
    if (!sr_store_each(store, SR_SPACE_TABLE, load_table, l))
        return damaged(s, "learned tables");
    s->quiet = true;
    if (!sr_store_each(store, SR_SPACE_JOURNAL, load_journal, l))
        return damaged(s, "journal");
    s->quiet = false;
    if (!get_meta(s, "counters", &value) || !load_counters(s, value, &out))
        return damaged(s, "counters");
    s->resume->output = out;
    return SR_EXIT_OK;
}

int sr_resume_open(sr_session *s)
{
    char reason[SR_STORE_REASON];
    loader l = {.s = s};

    if (!format_fits(s))
        return SR_EXIT_USAGE;
    s->resume = sg_new(&s->arena, resume);
    s->resume->path = sr_shown(s, sg_str_of(s->options->state));
    s->resume->store = sr_store_open(s->options->state, reason);
    if (s->resume->store == NULL) {
        sr_say(s, "cannot use state %s: %s", s->resume->path, reason);
        return SR_EXIT_INPUT;
    }
    int code = check_options(s);

    if (code == SR_EXIT_OK)
        code = load_all(s, &l);
    if (s->enrich != NULL)
        sr_enrich_watch(s->enrich, note_lesson, s);
    if (l.forgotten != 0)
        sr_say(s,
               "%llu learned entries are of tables that are gone or were "
               "changed: they are left out",
               (unsigned long long)l.forgotten);
    if (l.dropped != 0)
        sr_say(s,
               "%llu contributions to correlations that are gone, or that are "
               "chained to others than before, were left out",
               (unsigned long long)l.dropped);
    sg_buf_free(&l.key);
    sg_buf_free(&l.value);
    sg_buf_free(&l.contributions);
    sr_moves_free(&l.moves);
    return code;
}

bool sr_resume_fresh(const sr_session *s)
{
    return s->resume->fresh;
}

void sr_resume_close(sr_session *s)
{
    if (s->resume == NULL)
        return;
    sr_store_close(s->resume->store);
    sg_buf_free(&s->resume->journal);
    sg_buf_free(&s->resume->lessons);
}
