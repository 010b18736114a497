/*
 * refenrich.c - the oracle for enrichment: every entry in one list, searched
 * from end to end, nothing forgotten. Shares no code with runtime/enrich.
 */
#include "ir/ref.h"

#include <math.h>

/* A row of a table; a value of kind NULL is none. */
typedef struct entry {
    uint32_t table;
    const sg_str *key;
    sc_ref_value *values;
} entry;

struct sc_ref_enrich {
    const sc_ir *ir;
    sg_arena *arena;
    bool *filled; /* per table: learned, or given a file */
    SG_VEC(entry) entries;
};

sc_ref_enrich *sc_ref_enrich_new(const sc_ir *ir, sg_arena *arena)
{
    sc_ref_enrich *e = sg_new(arena, sc_ref_enrich);

    e->ir = ir;
    e->arena = arena;
    e->filled = sg_new_n(arena, bool, ir->tables.count);
    for (uint32_t i = 0; i < ir->tables.count; i++)
        e->filled[i] = ir->tables.items[i].learned;
    return e;
}

/* -------- entries -------------------------------------------------------- */

static bool same_key(const sg_str *a, const sg_str *b, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        if (!sg_str_eq(a[i], b[i]))
            return false;
    return true;
}

static entry *find(sc_ref_enrich *e, uint32_t table, const sg_str *key)
{
    for (uint32_t i = 0; i < e->entries.count; i++) {
        entry *have = &e->entries.items[i];

        if (have->table == table &&
            same_key(have->key, key, e->ir->tables.items[table].key_count))
            return have;
    }
    return NULL;
}

static void keep(sc_ref_enrich *e, uint32_t table, const sg_str *key,
                 sc_ref_value *values)
{
    entry *have = find(e, table, key);

    if (have != NULL)
        have->values = values;
    else
        SG_PUSH(e->arena, &e->entries, ((entry){table, key, values}));
}

/* -------- values of an event --------------------------------------------- */

static bool is_usable(const sc_ref_value *v)
{
    if (v->kind == SC_REF_NUMBER && v->num.kind == SIGMA_FLOAT &&
        !isfinite(v->num.v.f))
        return false;
    return sc_ref_has_text(v) && v->text.len > 0;
}

/* The first value that can be a key or be handed on. */
static bool usable(sc_ref_enrich *e, const sc_ref_event *event, sg_str field,
                   sc_ref_value *out)
{
    sc_ref_values values;

    sc_ref_lookup(event, field, e->arena, &values);
    for (uint32_t i = 0; i < values.list.count; i++) {
        *out = values.list.items[i];
        if (!is_usable(out))
            continue;
        out->text = sg_arena_dup(e->arena, out->text);
        return true;
    }
    return false;
}

static bool lacks(sc_ref_enrich *e, const sc_ref_event *event, sg_str field)
{
    sc_ref_values values;

    sc_ref_lookup(event, field, e->arena, &values);
    for (uint32_t i = 0; i < values.list.count; i++) {
        const sc_ref_value *v = &values.list.items[i];

        if (v->kind != SC_REF_NULL &&
            (v->kind != SC_REF_STRING || v->text.len > 0))
            return false;
    }
    return true;
}

static sg_str field_name(const sc_ref_enrich *e, uint32_t field)
{
    return e->ir->fields.items[field].name;
}

/* -------- steps ---------------------------------------------------------- */

static bool when_holds(sc_ref_enrich *e, const sc_ref_event *event,
                       const sigma_when *w)
{
    sc_ref_values values;

    sc_ref_lookup(event, field_name(e, w->field), e->arena, &values);
    for (uint32_t i = 0; i < values.list.count; i++)
        for (uint32_t k = 0; k < w->str_count; k++)
            if (sc_ref_has_text(&values.list.items[i]) &&
                sg_str_eq(values.list.items[i].text,
                          e->ir->strs.items[w->str_first + k]))
                return true;
    return false;
}

/* The key of the event for a step; NULL when a part of it has no value. */
static const sg_str *key_of(sc_ref_enrich *e, const sc_ref_event *event,
                            const sigma_step *s)
{
    sg_str *key = sg_new_n(e->arena, sg_str, s->key_count);
    sc_ref_value v;

    for (uint32_t i = 0; i < s->key_count; i++) {
        const uint32_t field = e->ir->enrich_keys.items[s->key_first + i];

        if (!usable(e, event, field_name(e, field), &v))
            return NULL;
        key[i] = v.text;
    }
    return key;
}

static void learn(sc_ref_enrich *e, const sc_ref_event *event,
                  const sigma_step *s)
{
    const sg_str *key = key_of(e, event, s);
    sc_ref_value *values = sg_new_n(e->arena, sc_ref_value,
                                    e->ir->tables.items[s->table].column_count);
    bool any = false;

    for (uint32_t i = 0; i < s->put_count; i++) {
        const sigma_put *p = &e->ir->puts.items[s->put_first + i];
        sc_ref_value v;

        if (values[p->to].kind != SC_REF_NULL ||
            !usable(e, event, field_name(e, p->from), &v))
            continue;
        values[p->to] = v;
        any = true;
    }
    if (key != NULL && any)
        keep(e, s->table, key, values);
}

static void add(sc_ref_enrich *e, sc_ref_event *event, const sigma_step *s)
{
    const sg_str *key = key_of(e, event, s);
    const entry *have = NULL;

    if (s->kind == SIGMA_STEP_ADD) {
        if (key != NULL && e->filled[s->table])
            have = find(e, s->table, key);
        if (have == NULL)
            return;
    }
    for (uint32_t i = 0; i < s->put_count; i++) {
        const sigma_put *p = &e->ir->puts.items[s->put_first + i];
        const sg_str to = field_name(e, p->to);
        sc_ref_value v = {.kind = SC_REF_NULL};

        if (have != NULL)
            v = have->values[p->from];
        else if (!usable(e, event, field_name(e, p->from), &v))
            continue;
        if (v.kind != SC_REF_NULL && lacks(e, event, to))
            sc_ref_event_add(event, to, v);
    }
}

void sc_ref_enrich_event(sc_ref_enrich *e, sc_ref_event *event)
{
    for (uint32_t i = 0; i < e->ir->steps.count; i++) {
        const sigma_step *s = &e->ir->steps.items[i];
        bool holds = true;

        for (uint32_t k = 0; k < s->when_count; k++)
            holds &=
                when_holds(e, event, &e->ir->whens.items[s->when_first + k]);
        if (!holds)
            continue;
        if (s->kind == SIGMA_STEP_LEARN)
            learn(e, event, s);
        else
            add(e, event, s);
    }
}

/* -------- lookup files --------------------------------------------------- */

typedef SG_VEC(sg_str) texts;

/* The next record of CSV, one character at a time; false at the end. */
static bool next_record(sg_str text, size_t *at, sg_arena *arena, texts *out)
{
    bool quoted = false, ended = false;
    sg_buf cell = {0};

    *out = (texts){0};
    if (*at >= text.len)
        return false;
    for (; *at <= text.len && !ended; ++*at) {
        const char c = (char)(*at < text.len ? text.ptr[*at] : '\n');
        const bool twice = *at + 1 < text.len && text.ptr[*at + 1] == '"';

        if (quoted && c == '"' && twice)
            sg_buf_putc(&cell, text.ptr[++*at]);
        else if (c == '"' && (quoted || cell.len == 0))
            quoted = !quoted;
        else if (quoted || (c != ',' && c != '\n' && c != '\r'))
            sg_buf_putc(&cell, c);
        if (quoted || (c != ',' && c != '\n'))
            continue;
        SG_PUSH(arena, out, sg_arena_dup(arena, sg_buf_str(&cell)));
        cell.len = 0;
        ended = c == '\n';
    }
    sg_buf_free(&cell);
    return true;
}

/* The cell below a heading, empty when there is none. */
static sg_str cell_of(const texts *head, const texts *row, sg_str name)
{
    for (uint32_t i = 0; i < head->count && i < row->count; i++)
        if (sg_str_eq(head->items[i], name))
            return row->items[i];
    return SG_S("");
}

static void take_row(sc_ref_enrich *e, uint32_t table, const texts *head,
                     const texts *row)
{
    const sc_ir_table *t = &e->ir->tables.items[table];
    sg_str *key = sg_new_n(e->arena, sg_str, t->key_count);
    sc_ref_value *values = sg_new_n(e->arena, sc_ref_value, t->column_count);

    if (row->count != head->count)
        return;
    for (uint32_t i = 0; i < t->key_count; i++) {
        key[i] = cell_of(head, row, e->ir->strs.items[t->key_first + i]);
        if (key[i].len == 0)
            return;
    }
    for (uint32_t i = 0; i < t->column_count; i++) {
        values[i].text =
            cell_of(head, row, e->ir->strs.items[t->column_first + i]);
        values[i].kind = values[i].text.len > 0 ? SC_REF_STRING : SC_REF_NULL;
    }
    keep(e, table, key, values);
}

static void take_line(sc_ref_enrich *e, uint32_t table, sg_str line)
{
    const sc_ir_table *t = &e->ir->tables.items[table];
    sg_str *key = sg_new_n(e->arena, sg_str, t->key_count);
    sc_ref_value *values = sg_new_n(e->arena, sc_ref_value, t->column_count);
    sc_ref_event *event = sc_ref_event_parse(line);
    bool ok = event != NULL;
    sc_ref_value v;

    for (uint32_t i = 0; i < t->key_count && ok; i++) {
        ok = usable(e, event, e->ir->strs.items[t->key_first + i], &v);
        key[i] = v.text;
    }
    for (uint32_t i = 0; i < t->column_count && ok; i++)
        if (usable(e, event, e->ir->strs.items[t->column_first + i], &v))
            values[i] = v;
    if (ok)
        keep(e, table, key, values);
    sc_ref_event_free(event);
}

static void take_lines(sc_ref_enrich *e, uint32_t table, sg_str text)
{
    for (size_t beg = 0, end; beg < text.len; beg = end + 1) {
        for (end = beg; end < text.len && text.ptr[end] != '\n'; end++)
            ;
        take_line(e, table, sg_str_sub(text, beg, end));
    }
}

bool sc_ref_enrich_lookup(sc_ref_enrich *e, sg_str name, sg_str text)
{
    uint32_t table = 0;
    size_t at = 0;
    texts head, row;

    while (table < e->ir->tables.count &&
           (e->ir->tables.items[table].learned ||
            !sg_str_eq(e->ir->tables.items[table].name, name)))
        table++;
    if (table == e->ir->tables.count)
        return false;
    e->filled[table] = true;
    if (text.len > 0 && text.ptr[0] == '{') {
        take_lines(e, table, text);
        return true;
    }
    if (next_record(text, &at, e->arena, &head))
        while (next_record(text, &at, e->arena, &row))
            take_row(e, table, &head, &row);
    return true;
}
