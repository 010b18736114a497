/*
 * lookup.c - lookup tables from files: CSV or NDJSON, row by row. A row that
 * cannot be used is told and counted, and the next one is read.
 */
#include "enrich/csv.h"
#include "enrich/tables.h"

#include <stdio.h>
#include <string.h>

/* A file being read. Columns of the table come after those of its key. */
typedef struct loader {
    sr_enrich *e;
    uint32_t table;
    const sigma_table *def;
    sr_input *input;
    sr_lookup_reject_fn *reject;
    void *ctx;
    char *reason;
    sg_arena arena;
    sg_buf key, value;
    /* CSV */
    sg_buf record, text;
    sg_str *cells;
    uint32_t *places;    /* where in a record each column is */
    uint32_t cell_count; /* of the header; 0: not read yet */
    /* NDJSON */
    bool json;
    sr_plan *plan;
    sr_event event;
} loader;

static sg_str str_at(const loader *l, uint32_t i)
{
    return l->e->strs[i];
}

static uint32_t wanted_count(const loader *l)
{
    return l->def->key_count + l->def->column_count;
}

static sg_str wanted_name(const loader *l, uint32_t i)
{
    if (i < l->def->key_count)
        return str_at(l, l->def->key_first + i);
    return str_at(l, l->def->column_first + i - l->def->key_count);
}

static void refuse(loader *l, uint64_t line, const char *reason)
{
    l->e->stats.lookup_rejected++;
    l->reject(l->ctx, line, reason);
}

/* Key and value are written: keep them. */
static void keep(loader *l, uint64_t line)
{
    const sg_str key = sg_buf_str(&l->key);
    const bool again = sr_ring_find(&l->e->fixed, l->table, key) != NULL;

    if (sr_ring_put(&l->e->fixed, l->table, key, sg_buf_str(&l->value)) ==
        SR_RING_REFUSED) {
        l->e->stats.refused++;
        l->reject(l->ctx, line, "no room for this row (--max-enrich)");
        return;
    }
    l->e->stats.lookup_rows++;
    l->e->stats.lookup_duplicates += again;
}

/* -------- CSV ------------------------------------------------------------ */

static bool read_header(loader *l)
{
    const char *fault = sr_csv_split(sg_buf_str(&l->record), &l->text, l->cells,
                                     &l->cell_count);

    if (fault != NULL) {
        (void)snprintf(l->reason, SR_INPUT_REASON, "its header: %s", fault);
        return false;
    }
    for (uint32_t i = 0; i < wanted_count(l); i++) {
        const sg_str name = wanted_name(l, i);
        uint32_t at = 0;

        while (at < l->cell_count && !sg_str_eq(l->cells[at], name))
            at++;
        if (at == l->cell_count) {
            (void)snprintf(l->reason, SR_INPUT_REASON,
                           "its header has no column '%.*s'",
                           (int)(name.len > 100 ? 100 : name.len), name.ptr);
            return false;
        }
        l->places[i] = at;
    }
    return true;
}

static void read_record(loader *l, uint64_t line)
{
    const char *fault = "not UTF-8";
    uint32_t count;

    if (sg_utf8_valid(sg_buf_str(&l->record)))
        fault =
            sr_csv_split(sg_buf_str(&l->record), &l->text, l->cells, &count);
    if (fault == NULL && count != l->cell_count)
        fault = "not as many cells as the header";
    for (uint32_t i = 0; fault == NULL && i < l->def->key_count; i++)
        if (l->cells[l->places[i]].len == 0)
            fault = "an empty key";
    if (fault != NULL) {
        refuse(l, line, fault);
        return;
    }
    l->key.len = l->value.len = 0;
    for (uint32_t i = 0; i < wanted_count(l); i++) {
        const sg_str cell = l->cells[l->places[i]];

        if (i < l->def->key_count)
            sr_put_part(&l->key, cell);
        else
            sr_put_column(&l->value, cell.len == 0 ? SR_NULL : SR_STRING, cell);
    }
    keep(l, line);
}

/* A line of CSV, which may be a part of a record only. False: give up. */
static bool take_csv(loader *l, sg_str line, uint64_t number)
{
    if (l->record.len + line.len + 1 > SR_CSV_RECORD) {
        l->record.len = 0;
        refuse(l, number, "a record larger than 1 MiB");
        return true;
    }
    const size_t open = l->record.len;

    if (open != 0)
        sg_buf_putc(&l->record, '\n');
    sg_buf_put(&l->record, line);
    if (sr_csv_is_open(sg_buf_str(&l->record), open))
        return true;
    if (l->cell_count != 0)
        read_record(l, number);
    else if (!read_header(l))
        return false;
    l->record.len = 0;
    return true;
}

/* -------- NDJSON --------------------------------------------------------- */

static void open_json(loader *l)
{
    const uint32_t count = wanted_count(l);
    sr_want *wants = sg_new_n(&l->arena, sr_want, count);

    for (uint32_t i = 0; i < count; i++)
        wants[i] = (sr_want){.name = wanted_name(l, i), .slot = i};
    l->plan = sr_plan_new(&l->arena, wants, count);
    sr_event_init(&l->event, count);
}

static void take_json(loader *l, sg_str line, uint64_t number)
{
    sr_fault fault = {0};

    sr_event_begin(&l->event, line);
    if (!sr_project(l->plan, &l->event, &fault)) {
        refuse(l, number, fault.reason);
        return;
    }
    l->key.len = l->value.len = 0;
    for (uint32_t i = 0; i < wanted_count(l); i++) {
        const sr_value *v = sr_usable(&l->event, i);

        if (i >= l->def->key_count) {
            sr_put_column(&l->value, v == NULL ? SR_NULL : v->kind,
                          v == NULL ? SG_S("") : v->text);
        } else if (v == NULL) {
            refuse(l, number, "no key");
            return;
        } else {
            sr_put_part(&l->key, v->text);
        }
    }
    keep(l, number);
}

/* -------- the file ------------------------------------------------------- */

static sg_str trim_start(sg_str line)
{
    while (line.len != 0 && (line.ptr[0] == ' ' || line.ptr[0] == '\t'))
        line = sg_str_sub(line, 1, line.len);
    return line;
}

/* False: give up; the reason is set. */
static bool take_line(loader *l, sg_str line, uint64_t number)
{
    const sg_str start = trim_start(line);

    if (start.len == 0 && l->record.len == 0)
        return true;
    if (l->cell_count == 0 && l->plan == NULL && l->record.len == 0) {
        l->json = start.len != 0 && start.ptr[0] == '{';
        if (l->json)
            open_json(l);
    }
    if (!l->json)
        return take_csv(l, line, number);
    take_json(l, line, number);
    return true;
}

static bool read_all(loader *l)
{
    uint64_t number = 0;
    uint64_t offset;
    sg_str line;

    for (;;) {
        switch (sr_input_next(l->input, &line, &number, &offset)) {
        case SR_LINE:
            if (!take_line(l, line, number))
                return false;
            break;
        case SR_TOO_LONG:
            refuse(l, number, "line longer than 16 MiB");
            break;
        case SR_BAD:
            (void)snprintf(l->reason, SR_INPUT_REASON, "%s",
                           sr_input_reason(l->input));
            return false;
        case SR_WAIT: /* lookups are not followed or resumed */
        case SR_LOST:
        case SR_END:
        default:
            if (l->record.len != 0 && l->cell_count != 0)
                refuse(l, number, "a quote is not closed");
            if (l->plan != NULL || l->cell_count != 0)
                return true;
            (void)snprintf(l->reason, SR_INPUT_REASON, "it has no rows");
            return false;
        }
    }
}

uint32_t sr_lookup_find(const sr_enrich *e, sg_str name)
{
    for (uint32_t i = 0; i < e->d->enrich_table_count; i++) {
        const sigma_table *t = &e->d->enrich_tables[i];
        const sg_str own = {e->d->pool + t->name.off, t->name.len};

        if ((t->flags & SIGMA_TABLE_LEARNED) == 0 && sg_str_eq(own, name))
            return i;
    }
    return SIGMA_NONE;
}

bool sr_lookup_load(sr_enrich *e, uint32_t table, const char *path,
                    sr_lookup_reject_fn *reject, void *ctx,
                    char reason[SR_INPUT_REASON])
{
    loader l = {.e = e,
                .table = table,
                .def = &e->d->enrich_tables[table],
                .reject = reject,
                .ctx = ctx,
                .reason = reason};
    bool ok;

    l.input = sr_input_open(path, SR_INPUT_MAX_LINE, reason);
    if (l.input == NULL)
        return false;
    l.cells = sg_new_n(&l.arena, sg_str, SR_CSV_CELLS);
    l.places = sg_new_n(&l.arena, uint32_t, wanted_count(&l));
    ok = read_all(&l);
    e->filled[table] |= ok;
    sr_input_close(l.input);
    sr_event_free(&l.event);
    sg_buf_free(&l.key);
    sg_buf_free(&l.value);
    sg_buf_free(&l.record);
    sg_buf_free(&l.text);
    sg_arena_free(&l.arena);
    return ok;
}
