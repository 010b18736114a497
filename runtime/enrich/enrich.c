/*
 * enrich.c - events through the steps: teach, then fill what is missing.
 */
#include "enrich/tables.h"

#include <stdlib.h>
#include <string.h>

/* -------- life ----------------------------------------------------------- */

/* sr_ring_evict_fn */
static void forgotten(void *ctx, const sr_stored *entry)
{
    sr_enrich *e = ctx;

    e->stats.evicted++;
    if (e->watch != NULL)
        (void)e->watch(e->watch_ctx, entry->table, sr_stored_key(entry),
                       (sg_str){NULL, 0});
}

sr_enrich *sr_enrich_open(const sigma_detector *d, uint64_t max_memory)
{
    if (d->enrich_step_count == 0)
        return NULL;
    sr_enrich *e = calloc(1, sizeof(*e));

    if (e == NULL)
        sg_fatal("out of memory");
    e->d = d;
    e->strs = sg_new_n(&e->arena, sg_str, d->str_count);
    for (uint32_t i = 0; i < d->str_count; i++)
        e->strs[i] = (sg_str){d->pool + d->strs[i].off, d->strs[i].len};
    e->filled = sg_new_n(&e->arena, bool, d->enrich_table_count);
    for (uint32_t i = 0; i < d->enrich_table_count; i++)
        e->filled[i] = (d->enrich_tables[i].flags & SIGMA_TABLE_LEARNED) != 0;
    for (uint32_t i = 0; i < d->enrich_step_count; i++)
        e->learns |= d->enrich_steps[i].kind == SIGMA_STEP_LEARN;
    sr_ring_open(&e->learned, max_memory, false);
    sr_ring_open(&e->fixed, max_memory, true);
    e->learned.evicted = forgotten;
    e->learned.ctx = e;
    return e;
}

void sr_enrich_close(sr_enrich *e)
{
    if (e == NULL)
        return;
    sr_ring_close(&e->learned);
    sr_ring_close(&e->fixed);
    sg_arena_free(&e->arena);
    free(e);
}

static size_t most_columns(const sigma_detector *d)
{
    size_t most = 0;

    for (uint32_t i = 0; i < d->enrich_table_count; i++)
        if (d->enrich_tables[i].column_count > most)
            most = d->enrich_tables[i].column_count;
    return most;
}

void sr_enrich_work_open(sr_enrich_work *work, const sr_enrich *e)
{
    *work = (sr_enrich_work){.added_count = 0};
    work->added =
        calloc((size_t)e->d->enrich_put_count + 1, sizeof(*work->added));
    work->whens =
        calloc((size_t)e->d->enrich_when_count + 1, sizeof(*work->whens));
    work->columns = calloc(most_columns(e->d) + 1, sizeof(*work->columns));
    if (work->added == NULL || work->whens == NULL || work->columns == NULL)
        sg_fatal("out of memory");
}

void sr_enrich_work_close(sr_enrich_work *work)
{
    sg_buf_free(&work->key);
    sg_buf_free(&work->value);
    free(work->added);
    free(work->whens);
    free(work->columns);
    *work = (sr_enrich_work){.added_count = 0};
}

bool sr_enrich_learns(const sr_enrich *e)
{
    return e->learns;
}

/* -------- conditions and keys -------------------------------------------- */

/* What the event at hand is judged in. */
typedef struct scene {
    sr_enrich *e;
    sr_enrich_work *work;
    sr_event *event;
    bool missed;
} scene;

static bool is_one_of(const scene *s, const sigma_when *when, sg_str text)
{
    for (uint32_t i = 0; i < when->str_count; i++)
        if (sg_str_eq(s->e->strs[when->str_first + i], text))
            return true;
    return false;
}

static bool when_holds(const scene *s, const sigma_when *when)
{
    for (sr_value *v = sr_first(s->event, when->field); v != NULL;
         v = sr_next(s->event, v)) {
        if ((v->kind == SR_STRING || v->kind == SR_NUMBER ||
             v->kind == SR_BOOL) &&
            is_one_of(s, when, sr_value_text(s->event, v)))
            return true;
    }
    return false;
}

/* Each condition is asked once an event, and anew when its field gets a value
 * (see added). */
static bool applies(const scene *s, const sigma_step *step)
{
    for (uint32_t i = 0; i < step->when_count; i++) {
        const uint32_t w = step->when_first + i;
        int8_t *verdict = &s->work->whens[w];

        if (*verdict < 0)
            *verdict = when_holds(s, &s->e->d->enrich_whens[w]) ? 1 : 0;
        if (*verdict == 0)
            return false;
    }
    return true;
}

/* Write the key of a step; false when a part of it has no value. */
static bool make_key(const scene *s, const sigma_step *step)
{
    const uint32_t *fields = s->e->d->enrich_keys + step->key_first;

    s->work->key.len = 0;
    for (uint32_t i = 0; i < step->key_count; i++) {
        const sr_value *v = sr_usable(s->event, fields[i]);

        if (v == NULL)
            return false;
        sr_put_part(&s->work->key, v->text);
    }
    return true;
}

/* -------- learning ------------------------------------------------------- */

/* Write the columns that the event gives; false when it gives none. */
static bool make_value(const scene *s, const sigma_step *step)
{
    const sigma_put *puts = s->e->d->enrich_puts + step->put_first;
    const uint32_t count = s->e->d->enrich_tables[step->table].column_count;
    bool any = false;

    s->work->value.len = 0;
    for (uint32_t column = 0; column < count; column++) {
        const sr_value *v = NULL;

        for (uint32_t i = 0; i < step->put_count && v == NULL; i++)
            if (puts[i].to == column)
                v = sr_usable(s->event, puts[i].from);
        any |= v != NULL;
        if (v == NULL)
            sr_put_column(&s->work->value, SR_NULL, SG_S(""));
        else
            sr_put_column(&s->work->value, v->kind, v->text);
    }
    return any;
}

static void learn(const scene *s, const sigma_step *step)
{
    sr_enrich *e = s->e;

    if (!make_key(s, step) || !make_value(s, step))
        return;
    const sg_str key = sg_buf_str(&s->work->key);
    const sg_str value = sg_buf_str(&s->work->value);

    switch (sr_ring_put(&e->learned, step->table, key, value)) {
    case SR_STORED:
        e->stats.learned++;
        if (e->watch != NULL)
            (void)e->watch(e->watch_ctx, step->table, key, value);
        break;
    case SR_STORED_SAME:
        break;
    case SR_RING_REFUSED:
        e->stats.refused++;
        break;
    }
}

/* -------- adding --------------------------------------------------------- */

/* Whether a field has nothing to keep. */
static bool lacks(const scene *s, uint32_t field)
{
    for (sr_value *v = sr_first(s->event, field); v != NULL;
         v = sr_next(s->event, v)) {
        if (v->kind == SR_NULL || v->kind == SR_EMPTY)
            continue;
        if (v->kind != SR_STRING || sr_value_text(s->event, v).len != 0)
            return false;
    }
    return true;
}

static bool lacks_any(const scene *s, const sigma_step *step)
{
    for (uint32_t i = 0; i < step->put_count; i++)
        if (lacks(s, s->e->d->enrich_puts[step->put_first + i].to))
            return true;
    return false;
}

/* Note that a field has a value now; conditions on it are asked anew. */
static void added(const scene *s, uint32_t field)
{
    s->work->added[s->work->added_count++] = field;
    for (uint32_t i = 0; i < s->e->d->enrich_when_count; i++)
        if (s->e->d->enrich_whens[i].field == field)
            s->work->whens[i] = -1;
}

static void put(const scene *s, uint32_t field, const sr_value *value)
{
    if (lacks(s, field) && sr_event_put(s->event, field, value))
        added(s, field);
}

static sr_value value_of(const sr_column *column)
{
    return (sr_value){.raw = column->text,
                      .text = column->text,
                      .num = column->num,
                      .next = SIGMA_NONE,
                      .kind = column->kind,
                      .boolean = column->kind == SR_BOOL &&
                                 sg_str_eq(column->text, SG_S("true"))};
}

/* The columns of a value from a store, whose bytes are sound. */
static const sr_column *columns_of(const scene *s, const sigma_step *step,
                                   sg_str value)
{
    sr_column *columns = s->work->columns;

    for (uint32_t i = 0; i < s->e->d->enrich_tables[step->table].column_count;
         i++)
        (void)sr_take_column(&value, &columns[i]);
    return columns;
}

static void add_from(scene *s, const sigma_step *step)
{
    sr_enrich *e = s->e;
    const sigma_put *puts = e->d->enrich_puts + step->put_first;
    const bool learned =
        (e->d->enrich_tables[step->table].flags & SIGMA_TABLE_LEARNED) != 0;
    sr_stored *entry;

    if (!e->filled[step->table] || !lacks_any(s, step) || !make_key(s, step))
        return;
    entry = sr_ring_find(learned ? &e->learned : &e->fixed, step->table,
                         sg_buf_str(&s->work->key));
    if (entry == NULL) {
        s->missed = true;
        return;
    }
    if (learned)
        entry->used = true;
    const sr_column *columns = columns_of(s, step, sr_stored_value(entry));

    for (uint32_t i = 0; i < step->put_count; i++) {
        const sr_column *column = &columns[puts[i].from];
        const sr_value value = value_of(column);

        if (column->kind != SR_NULL)
            put(s, puts[i].to, &value);
    }
}

static void copy(const scene *s, const sigma_step *step)
{
    const sigma_put *puts = s->e->d->enrich_puts + step->put_first;

    for (uint32_t i = 0; i < step->put_count; i++) {
        const sr_value *from = sr_usable(s->event, puts[i].from);

        if (from != NULL)
            put(s, puts[i].to, from);
    }
}

void sr_enrich_event(sr_enrich *e, sr_enrich_work *work, sr_event *event,
                     bool again)
{
    scene s = {e, work, event, false};

    work->added_count = 0;
    memset(work->whens, -1, e->d->enrich_when_count);
    for (uint32_t i = 0; i < e->d->enrich_step_count; i++) {
        const sigma_step *step = &e->d->enrich_steps[i];

        if ((again && step->kind == SIGMA_STEP_LEARN) || !applies(&s, step))
            continue;
        if (step->kind == SIGMA_STEP_LEARN)
            learn(&s, step);
        else if (step->kind == SIGMA_STEP_ADD)
            add_from(&s, step);
        else
            copy(&s, step);
    }
    if (again)
        return;
    work->enriched += work->added_count != 0;
    work->missed += s.missed;
}

/* -------- state ---------------------------------------------------------- */

typedef struct each {
    sr_enrich_fn *fn;
    void *ctx;
} each;

static bool give(void *ctx, const sr_stored *entry)
{
    const each *to = ctx;

    return to->fn(to->ctx, entry->table, sr_stored_key(entry),
                  sr_stored_value(entry));
}

bool sr_enrich_each(const sr_enrich *e, sr_enrich_fn *fn, void *ctx)
{
    each to = {fn, ctx};

    return sr_ring_each(&e->learned, give, &to);
}

bool sr_enrich_restore(sr_enrich *e, uint32_t table, sg_str key, sg_str value)
{
    if (table >= e->d->enrich_table_count ||
        (e->d->enrich_tables[table].flags & SIGMA_TABLE_LEARNED) == 0 ||
        !sr_is_key(&e->d->enrich_tables[table], key) ||
        !sr_is_value(&e->d->enrich_tables[table], value))
        return false;
    return sr_ring_put(&e->learned, table, key, value) != SR_RING_REFUSED;
}

void sr_enrich_watch(sr_enrich *e, sr_enrich_fn *fn, void *ctx)
{
    e->watch = fn;
    e->watch_ctx = ctx;
}

sr_enrich_stats sr_enrich_totals(const sr_enrich *e)
{
    sr_enrich_stats stats = e->stats;

    stats.entries = (uint64_t)e->learned.count + e->fixed.count;
    return stats;
}
