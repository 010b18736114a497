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
#include "host/resume.h"

#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
    VERSION = 2,
    KEPT_NS = 1000000000,    /* between two transactions, at most ... */
    ALERT_NS = 100000000,    /* ... or when alerts wait */
    SHARE = 10,              /* of the time for transactions: one in so many */
    JOURNAL_ROW = 4 << 20,   /* bytes that wait for a transaction, at most */
    JOURNAL_MOST = 32 << 20, /* bytes until groups are written */
    OUTPUT_MOST = 1 << 20,   /* bytes of alerts that may wait */
    OUTBOX_ROW = 32 << 20    /* bytes of them in one row */
};

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

/* What was read cannot be used, or the store has failed. */
static int damaged(sr_session *s, const char *what)
{
    const char *why = sr_store_error(s->resume->store);

    if (why[0] == '\0' || strcmp(why, "stopped") == 0)
        sr_say(s, "cannot use state %s: damaged: %s", s->resume->path, what);
    else
        sr_say(s, "cannot use state %s: %s", s->resume->path, why);
    return SR_EXIT_INPUT;
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
    sr_resume *r = s->resume;
    sg_buf want = {0};
    sg_str have;
    bool found;

    if (!sr_store_get(r->store, SR_SPACE_META, SG_S("options"), &have, &found))
        return damaged(s, "options");
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
    sr_resume *r = s->resume;

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

    if (!sr_number_of(key, &n) || n != s->sources.count || r.bad ||
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
    sr_resume *r = s->resume;

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
    sr_resume *r = s->resume;
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
        done = sr_store_put(r->store, SR_SPACE_CURSOR, sr_key_of(i, key),
                            sg_buf_str(&value));
        r->moved.items[i] = false;
    }
    sg_buf_free(&value);
    return done;
}

/* -------- outputs -------------------------------------------------------- */

/* Where bytes that are to be written begin. */
typedef struct origin {
    bool regular;
    uint64_t dev, ino, base;
} origin;

static sg_str outbox_key(unsigned sink, uint32_t part, char out[16])
{
    sr_key_of(sink, out);
    sr_key_of(part, out + 8);
    return (sg_str){out, part == 0 ? 8 : 16};
}

/* What is to be written next: the first row says where it begins. */
static bool put_outbox(sr_session *s, unsigned i, sg_buf *value)
{
    sr_resume *r = s->resume;
    const sr_sink *sink = &s->sinks[i];
    const sg_str bytes = sg_buf_str(sink->buf);
    uint32_t part = 0;
    bool done = true;
    char key[16];

    for (size_t at = 0; done && (part == 0 || at < bytes.len); part++) {
        const size_t left = bytes.len - at;
        const size_t len = left < OUTBOX_ROW ? left : OUTBOX_ROW;

        value->len = 0;
        if (part == 0) {
            sg_put_u8(value, sink->regular);
            sg_put_u64(value, sink->dev);
            sg_put_u64(value, sink->ino);
            sg_put_u64(value, sink->size + sink->written);
        }
        sg_put_text(value, sg_str_sub(bytes, at, at + len));
        done = sr_store_put(r->store, SR_SPACE_OUTBOX, outbox_key(i, part, key),
                            sg_buf_str(value));
        at += len;
    }
    for (uint32_t old = part; old < r->outbox[i] && done; old++)
        done =
            sr_store_delete(r->store, SR_SPACE_OUTBOX, outbox_key(i, old, key));
    r->outbox[i] = bytes.len == 0 ? 0 : part;
    return done;
}

static bool keep_outbox(sr_session *s)
{
    sg_buf value = {0};
    bool done = true;

    for (unsigned i = 0; i < SR_SINKS && done; i++) {
        const sr_sink *sink = &s->sinks[i];

        if (sink->fd >= 0 && (sink->buf->len != 0 || s->resume->outbox[i] != 0))
            done = put_outbox(s, i, &value);
    }
    sg_buf_free(&value);
    return done;
}

/* Read what was to be written; false when the store fails, or with *sound
 * false. */
static bool get_outbox(sr_session *s, unsigned i, sg_buf *bytes, origin *from,
                       bool *sound)
{
    sr_resume *r = s->resume;
    uint32_t part = 0;

    *from = (origin){.base = 0};
    *sound = true;
    for (;; part++) {
        char key[16];
        sg_str value;
        bool found;

        if (!sr_store_get(r->store, SR_SPACE_OUTBOX, outbox_key(i, part, key),
                          &value, &found))
            return false;
        if (!found)
            break;
        sg_reader in = {value, false};

        if (part == 0) {
            from->regular = sg_read_u8(&in) != 0;
            from->dev = sg_read_u64(&in);
            from->ino = sg_read_u64(&in);
            from->base = sg_read_u64(&in);
        }
        sg_buf_put(bytes, sg_read_text(&in));
        *sound = sg_read_done(&in);
        if (!*sound)
            return false;
    }
    r->outbox[i] = part;
    return true;
}

/* How much of `len` bytes lies in the file already. */
static size_t written_of(sr_session *s, const sr_sink *sink, const origin *from,
                         size_t len)
{
    if (from->regular && sink->regular && sink->dev == from->dev &&
        sink->ino == from->ino && sink->size >= from->base)
        return sink->size - from->base < len ? (size_t)(sink->size - from->base)
                                             : len;
    if (from->regular && sink->path != NULL)
        sr_say(s,
               "%s is not the file that was written before; its last alerts "
               "are written again",
               sr_shown(s, sg_str_of(sink->path)));
    return 0;
}

/* A file that somebody cut off within a line: what comes next is a line of its
 * own. */
static void end_line(sr_sink *sink)
{
    char last;

    if (sink->regular && sink->path != NULL && sink->size != 0 &&
        pread(sink->fd, &last, 1, (off_t)sink->size - 1) == 1 && last != '\n')
        sg_buf_putc(sink->buf, '\n');
}

/* What an earlier run left for the sink goes into its buffer. */
static bool fetch_outbox(sr_session *s, unsigned i)
{
    sr_sink *sink = &s->sinks[i];
    sg_buf bytes = {0};
    origin from;
    bool sound;

    if (!get_outbox(s, i, &bytes, &from, &sound)) {
        sg_buf_free(&bytes);
        if (sound)
            return broken(s);
        sr_say(s, "cannot use state %s: damaged: outbox", s->resume->path);
        return false;
    }
    const size_t written = written_of(s, sink, &from, bytes.len);

    if (written == 0 && sink->size != from.base)
        end_line(sink);
    sg_buf_put(sink->buf, sg_str_sub(sg_buf_str(&bytes), written, bytes.len));
    sg_buf_free(&bytes);
    return true;
}

bool sr_resume_outputs(sr_session *s)
{
    sr_resume *r = s->resume;

    if (!r->fresh)
        sr_output_state_set(s->out, r->output);
    for (unsigned i = 0; i < SR_SINKS; i++) {
        const sr_sink *sink = &s->sinks[i];

        if (sink->fd < 0)
            continue;
        if (sink->regular && sink->path != NULL)
            (void)lseek(sink->fd, 0, SEEK_END);
        if (!fetch_outbox(s, i))
            return false;
    }
    if (!sr_sinks_write(s))
        return false;
    r->dirty = true;
    return sr_resume_commit(s);
}

/* -------- transactions --------------------------------------------------- */

bool sr_resume_due(const sr_session *s, int64_t now)
{
    const sr_resume *r = s->resume;
    const bool waiting = sr_sinks_waiting(s);

    if (r->journal.bytes.len >= JOURNAL_ROW ||
        r->lessons.bytes.len >= JOURNAL_ROW)
        return true;
    for (unsigned i = 0; i < SR_SINKS; i++)
        if (s->sinks[i].buf->len >= OUTPUT_MOST)
            return true;
    return now - r->kept >= r->took * SHARE &&
           now - r->kept >= (waiting ? ALERT_NS : KEPT_NS);
}

static bool keep_all(sr_session *s, bool whole)
{
    sr_resume *r = s->resume;
    sg_buf options = {0};
    bool done = true;

    if (r->fresh) {
        put_options(s, &options);
        done = sr_put_meta(r, "options", &options);
        sg_buf_free(&options);
    }
    done = done && keep_sources(s) && sr_keep_counters(s) && keep_outbox(s);
    if (!whole)
        return done && sr_keep_journal(s);
    sr_records_clear(&r->journal);
    r->journal_bytes = 0;
    return done && sr_keep_correlations(s) && sr_keep_groups(s) &&
           sr_keep_held(s) && sr_keep_tables(s) && sr_keep_clocks(s) &&
           sr_store_clear(r->store, SR_SPACE_JOURNAL);
}

/* Everything in one transaction. */
static bool transact(sr_session *s, bool whole)
{
    sr_resume *r = s->resume;

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
        needs = needs || (s->resume->outbox[i] != 0 &&
                          (!s->sinks[i].regular || s->sinks[i].path == NULL));
    return needs;
}

static bool commit(sr_session *s, bool whole)
{
    sr_resume *r = s->resume;
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

bool sr_resume_finish(sr_session *s, bool complete)
{
    bool failed =
        s->exit_code == SR_EXIT_OUTPUT || s->exit_code == SR_EXIT_INTERNAL;

    /* A reader that went away too: the next run writes what it did not take. */
    for (unsigned i = 0; i < SR_SINKS; i++)
        failed = failed || s->sinks[i].broken;
    if (failed)
        return false;
    if (complete)
        s->resume->news = false;
    return commit(s, true);
}

bool sr_resume_news(const sr_session *s)
{
    return s->resume->news;
}

void sr_resume_refuse(sr_session *s)
{
    s->resume->refused = true;
}

bool sr_resume_refused(sr_session *s)
{
    if (s->resume == NULL || !s->resume->refused)
        return false;
    s->resume->refused = s->options->strict;
    return s->resume->refused;
}

/* -------- opening -------------------------------------------------------- */

/* This detector's correlations, to find them by their names; none is known to
 * be in the store yet. */
static void list_correlations(sr_loader *l)
{
    sr_session *s = l->s;
    const uint32_t count = s->detector->correlation_count;

    sr_name_correlations(s);
    s->resume->ids = sg_new_n(&s->arena, uint32_t, (size_t)count + 1);
    for (uint32_t c = 0; c < count; c++) {
        bool found;

        *sg_map_put(&s->arena, &l->by_name, s->resume->names[c], &found) = c;
        s->resume->ids[c] = SIGMA_NONE;
    }
}

static void number_correlations(sr_loader *l)
{
    sr_session *s = l->s;

    for (uint32_t c = 0; c < s->detector->correlation_count; c++) {
        char text[8];
        bool found;

        if (s->resume->ids[c] != SIGMA_NONE)
            *sg_map_put(
                &s->arena, &l->by_id,
                sg_arena_dup(&s->arena, sr_key_of(s->resume->ids[c], text)),
                &found) = c;
    }
}

/* State of correlations that are gone leaves the store. */
static bool drop_stale(sr_loader *l)
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
    done = done && sr_agg_save(s->agg, 0, sr_keep_group, s);
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

static int load_all(sr_session *s, sr_loader *l)
{
    sr_store *store = s->resume->store;
    sr_output_state out;
    sg_str value;

    if (!sr_store_each(store, SR_SPACE_CURSOR, load_source, s))
        return damaged(s, "cursors");
    list_correlations(l);
    if (!sr_store_each(store, SR_SPACE_CORRELATION, sr_load_correlation, l))
        return damaged(s, "correlations");
    number_correlations(l);
    sr_meet_correlations(s);
    if (s->resume->fresh)
        return SR_EXIT_OK;
    if (!sr_store_each(store, SR_SPACE_GROUP, sr_load_group, l) ||
        !sr_load_whole(l) || !sr_agg_loaded(s->agg, s->sources.count))
        return damaged(s, "groups");
    if (!get_meta(s, "clocks", &value) || !sr_load_clocks(s, value))
        return damaged(s, "clocks");
    if (!sr_store_each(store, SR_SPACE_HELD, sr_load_held, l))
        return damaged(s, "events held back");
    if (!drop_stale(l))
        return damaged(s, "correlations");
    if (!sr_store_each(store, SR_SPACE_TABLE, sr_load_table, l))
        return damaged(s, "learned tables");
    s->quiet = true;
    if (!sr_store_each(store, SR_SPACE_JOURNAL, sr_load_journal, l))
        return damaged(s, "journal");
    s->quiet = false;
    if (!get_meta(s, "counters", &value) || !sr_load_counters(s, value, &out))
        return damaged(s, "counters");
    s->resume->output = out;
    return SR_EXIT_OK;
}

int sr_resume_open(sr_session *s)
{
    char reason[SR_STORE_REASON];
    sr_loader l = {.s = s};

    if (!format_fits(s))
        return SR_EXIT_USAGE;
    s->resume = sg_new(&s->arena, sr_resume);
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
        sr_enrich_watch(s->enrich, sr_note_lesson, s);
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
    sg_buf_free(&s->resume->journal.bytes);
    sg_buf_free(&s->resume->lessons.bytes);
}
