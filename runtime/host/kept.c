/*
 * kept.c - correlations, groups, clocks, counters, what is held back, the
 * journal and learned tables as rows of a kept state, and back.
 */
#include "host/resume.h"

#include <string.h>

enum {
    EVENTS = 1, /* kinds of rows in the journal */
    LESSONS = 2,
    LESSON = 16,          /* bytes of a lesson besides key and value */
    ROW = 4 << 20,        /* bytes of one row of records, about */
    VALUE_PART = 32 << 20 /* bytes of a group in one row */
};

/* Numbers as keys, in their order. */
sg_str sr_key_of(uint64_t n, char out[8])
{
    for (unsigned i = 0; i < 8; i++)
        out[i] = (char)(n >> (56 - 8 * i) & 0xFF);
    return (sg_str){out, 8};
}

bool sr_number_of(sg_str key, uint64_t *n)
{
    *n = 0;
    for (size_t i = 0; i < key.len; i++)
        *n = *n << 8 | (unsigned char)key.ptr[i];
    return key.len == 8;
}

bool sr_put_meta(sr_resume *r, const char *name, const sg_buf *value)
{
    return sr_store_put(r->store, SR_SPACE_META, sg_str_of(name),
                        sg_buf_str(value));
}

/* -------- correlations --------------------------------------------------- */

/* What it computes. Of several that compute the same the second has another
 * number. */
void sr_name_correlations(sr_session *s)
{
    const sigma_detector *d = s->detector;
    sg_map twins = {0};
    sg_buf name = {0};

    s->resume->names = sg_new_n(&s->arena, sg_str, d->correlation_count + 1);
    for (uint32_t c = 0; c < d->correlation_count; c++) {
        const sigma_ref digest = d->correlations[c].digest;
        const sg_str text = {d->pool + digest.off, digest.len};
        bool found;
        uint32_t *before = sg_map_put(&s->arena, &twins, text, &found);

        name.len = 0;
        sg_buf_put(&name, text);
        sg_put_u32(&name, text.len == 0 ? c : *before);
        s->resume->names[c] = sg_arena_dup(&s->arena, sg_buf_str(&name));
        (*before)++;
    }
    sg_buf_free(&name);
}

static sg_str title_of(const sr_session *s, uint32_t c)
{
    const sigma_ref title = s->detector->correlations[c].meta.title;

    return (sg_str){s->detector->pool + title.off, title.len};
}

bool sr_load_correlation(void *ctx, sg_str key, sg_str value)
{
    sr_loader *l = ctx;
    sr_session *s = l->s;
    sr_resume *r = s->resume;
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

bool sr_keep_correlations(sr_session *s)
{
    sr_resume *r = s->resume;
    sg_buf value = {0};
    bool done = true;

    for (uint32_t c = 0; c < s->detector->correlation_count && done; c++) {
        const sr_corr_stats lost = sr_agg_losses(s->agg, c);

        value.len = 0;
        sg_put_u32(&value, r->ids[c]);
        sg_put_u64(&value, sr_layout_component_id(
                               s->layout, sr_layout_component(s->layout, c)));
        sg_put_text(&value, title_of(s, c));
        sg_put_u64(&value, lost.evicted);
        sg_put_u64(&value, lost.refused);
        sg_put_u64(&value, lost.late);
        done = sr_store_put(r->store, SR_SPACE_CORRELATION, r->names[c],
                            sg_buf_str(&value));
    }
    sg_buf_free(&value);
    return done;
}

/* Those of the detector that the store does not know get a number. */
void sr_meet_correlations(sr_session *s)
{
    sr_resume *r = s->resume;

    for (uint32_t c = 0; c < s->detector->correlation_count; c++) {
        if (r->ids[c] != SIGMA_NONE)
            continue;
        r->ids[c] = r->next_id++;
        r->rebuilt = r->rebuilt || !r->fresh;
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
    sg_buf_put(out, sr_key_of(id, n));
    sg_buf_put(out, parts);
    sg_buf_put(out, sr_key_of(part, n));
}

/* A group that had more rows leaves none behind. */
static bool drop_parts(sr_resume *r, sg_buf *key, uint32_t id, sg_str parts,
                       uint32_t part)
{
    bool found = r->parted;

    while (found) {
        sg_str value;

        put_group_key(key, id, parts, part++);
        if (!sr_store_get(r->store, SR_SPACE_GROUP, sg_buf_str(key), &value,
                          &found) ||
            (found &&
             !sr_store_delete(r->store, SR_SPACE_GROUP, sg_buf_str(key))))
            return false;
    }
    return true;
}

/* sr_save_fn */
bool sr_keep_group(void *ctx, uint32_t correlation, sg_str parts,
                   const sg_str *value)
{
    sr_session *s = ctx;
    sr_resume *r = s->resume;
    sg_buf key = {0};
    uint32_t part = 0;
    bool done = true;

    if (value == NULL) {
        put_group_key(&key, r->ids[correlation], parts, part++);
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
    done = done && drop_parts(r, &key, r->ids[correlation], parts, part);
    r->parted = r->parted || part > 1;
    sg_buf_free(&key);
    return done;
}

bool sr_keep_groups(sr_session *s)
{
    sr_resume *r = s->resume;
    uint64_t since = r->saved;

    if (sr_agg_must_save_all(s->agg)) {
        if (!sr_store_clear(r->store, SR_SPACE_GROUP))
            return false;
        since = 0;
    }
    if (!sr_agg_save(s->agg, since, sr_keep_group, s))
        return false;
    r->saved = sr_agg_clock_get(s->agg).turn;
    return true;
}

/* The group at hand is complete. */
bool sr_load_whole(sr_loader *l)
{
    const sg_str key = sg_buf_str(&l->key);
    uint64_t id;

    if (key.len == 0)
        return true;
    char text[8];

    if (key.len < 8 || !sr_number_of(sg_str_sub(key, 0, 8), &id))
        return false;
    const uint32_t *c = sg_map_get(&l->by_id, sr_key_of(id, text));
    const bool done =
        c == NULL || sr_agg_load(l->s->agg, *c, sg_str_sub(key, 8, key.len),
                                 sg_buf_str(&l->value));

    l->key.len = l->value.len = 0;
    return done;
}

bool sr_load_group(void *ctx, sg_str key, sg_str value)
{
    sr_loader *l = ctx;
    uint64_t part;

    if (key.len < 16 ||
        !sr_number_of(sg_str_sub(key, key.len - 8, key.len), &part))
        return false;
    const sg_str name = sg_str_sub(key, 0, key.len - 8);

    l->s->resume->parted = l->s->resume->parted || part != 0;
    if (!sg_str_eq(name, sg_buf_str(&l->key))) {
        if (!sr_load_whole(l) || part != 0)
            return false;
        sg_buf_put(&l->key, name);
    }
    sg_buf_put(&l->value, value);
    return true;
}

/* -------- clocks and counters -------------------------------------------- */

bool sr_keep_clocks(sr_session *s)
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
    const bool done = sr_put_meta(s->resume, "clocks", &out);

    sg_buf_free(&out);
    return done;
}

bool sr_load_clocks(sr_session *s, sg_str bytes)
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

enum { NEWS = 1, REFUSED = 2 };

/* What the run has counted, and where its output stands. */
bool sr_keep_counters(sr_session *s)
{
    const sr_output_state out = sr_output_state_get(s->out);
    sg_buf value = {0};

    sr_gather(s);
    sg_put_u8(&value, (uint8_t)((s->resume->news ? NEWS : 0) |
                                (s->resume->refused ? REFUSED : 0)));
    sg_put_u64(&value, (uint64_t)out.rows);
    sg_put_u64(&value, out.objects);
#define STAT(name, loss, doc) sg_put_u64(&value, s->stats.name);
#include "host/stats.def"
#undef STAT
    const bool done = sr_put_meta(s->resume, "counters", &value);

    sg_buf_free(&value);
    return done;
}

bool sr_load_counters(sr_session *s, sg_str bytes, sr_output_state *out)
{
    sg_reader r = {bytes, false};

    const uint8_t flags = sg_read_u8(&r);

    s->resume->news = (flags & NEWS) != 0;
    s->resume->refused = (flags & REFUSED) != 0;
    out->rows = (int64_t)sg_read_u64(&r);
    out->objects = sg_read_u64(&r);
#define STAT(name, loss, doc) s->stats.name = sg_read_u64(&r);
#include "host/stats.def"
#undef STAT
    sr_enriching_carry(s);
    return sg_read_done(&r) && flags <= (NEWS | REFUSED);
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
                               sr_key_of(r->next++, key), sg_buf_str(&r->buf));
    r->buf.len = 0;
}

static void put_contribution(const sr_session *s, const sr_contribution *c,
                             sg_buf *out)
{
    const size_t at = sg_put_text_begin(out);

    sr_wire_put(s->layout, c, c->place.source, out);
    sg_put_text_end(out, at);
}

static void put_held(void *ctx, const sr_contribution *c)
{
    rows *r = ctx;

    put_contribution(r->s, c, &r->buf);
    if (r->buf.len >= ROW)
        put_row(r);
}

bool sr_keep_held(sr_session *s)
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
static bool read_record(sr_loader *l, sg_reader *r)
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

bool sr_load_held(void *ctx, sg_str key, sg_str value)
{
    sr_loader *l = ctx;
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
bool sr_load_journal(void *ctx, sg_str key, sg_str value)
{
    sr_loader *l = ctx;
    sr_session *s = l->s;
    sg_reader r = {value, false};
    uint64_t n;

    if (!sr_number_of(key, &n))
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

/* A record of up to `len` bytes follows, in a row that the store can take: each
 * begins with its kind. */
static void begin_record(sr_session *s, sr_records *to, uint8_t kind,
                         size_t len)
{
    const uint32_t count = to->rows.count;
    const size_t row = count == 0 ? 0 : to->rows.items[count - 1];

    if (count != 0 && to->bytes.len - row + len <= ROW)
        return;
    SG_PUSH(&s->arena, &to->rows, to->bytes.len);
    sg_put_u8(&to->bytes, kind);
}

void sr_records_clear(sr_records *records)
{
    records->bytes.len = 0;
    records->rows.count = 0;
}

void sr_resume_note(sr_session *s, const char *contributions, size_t len)
{
    sr_resume *r = s->resume;
    uint32_t count = 0;

    for (size_t at = 0; at < len; count++)
        at +=
            ((const sr_contribution *)(const void *)(contributions + at))->size;
    begin_record(s, &r->journal, EVENTS, len); /* on the way it takes less */
    sg_put_u32(&r->journal.bytes, count);
    for (size_t at = 0; at < len;) {
        const sr_contribution *c = (const void *)(contributions + at);

        put_contribution(s, c, &r->journal.bytes);
        at += c->size;
    }
    r->dirty = true;
}

static bool keep_rows(sr_resume *r, sr_records *records)
{
    const sg_str bytes = sg_buf_str(&records->bytes);
    const uint32_t count = records->rows.count;
    bool done = true;

    for (uint32_t i = 0; i < count && done; i++) {
        const size_t end =
            i + 1 < count ? records->rows.items[i + 1] : bytes.len;
        char key[8];

        done = sr_store_put(r->store, SR_SPACE_JOURNAL,
                            sr_key_of(r->journal_row++, key),
                            sg_str_sub(bytes, records->rows.items[i], end));
    }
    r->journal_bytes += bytes.len;
    sr_records_clear(records);
    return done;
}

bool sr_keep_journal(sr_session *s)
{
    return keep_rows(s->resume, &s->resume->lessons) &&
           keep_rows(s->resume, &s->resume->journal);
}

/* -------- learned tables ------------------------------------------------- */

/* sr_enrich_fn: a lesson goes into the journal. What is forgotten for want of
 * room is forgotten again when the lessons are learned again. */
bool sr_note_lesson(void *ctx, uint32_t table, sg_str key, sg_str value)
{
    sr_session *s = ctx;
    sr_resume *r = s->resume;

    if (value.ptr == NULL)
        return true;
    begin_record(s, &r->lessons, LESSONS, LESSON + key.len + value.len);
    sr_lesson_put(s, table, key, value, &r->lessons.bytes);
    r->dirty = true;
    return true;
}

static bool put_lesson(void *ctx, uint32_t table, sg_str key, sg_str value)
{
    rows *r = ctx;

    sr_lesson_put(r->s, table, key, value, &r->buf);
    if (r->buf.len >= ROW) {
        r->s->resume->table_bytes += r->buf.len;
        put_row(r);
    }
    return r->done;
}

bool sr_keep_tables(sr_session *s)
{
    rows r = {.s = s, .space = SR_SPACE_TABLE, .done = true};

    if (s->enrich == NULL || !sr_enrich_learns(s->enrich))
        return true;
    sr_records_clear(&s->resume->lessons);
    s->resume->table_bytes = 0;
    if (!sr_store_clear(s->resume->store, SR_SPACE_TABLE))
        return false;
    (void)sr_enrich_each(s->enrich, put_lesson, &r);
    s->resume->table_bytes += r.buf.len;
    put_row(&r);
    sg_buf_free(&r.buf);
    return r.done;
}

bool sr_load_table(void *ctx, sg_str key, sg_str value)
{
    sr_loader *l = ctx;

    (void)key;
    l->s->resume->table_bytes += value.len;
    return sr_lessons_read(l->s, value, &l->forgotten);
}
