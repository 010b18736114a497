/*
 * enrich.c - enrichment as tables of the IR: names become fields and strings.
 */
#include "enrich/enrichment.h"
#include "ir/ir.h"

/* The field of a name, new when no rule has it. */
static uint32_t field_of(sc_ir *ir, sg_str name)
{
    uint32_t i;

    for (i = 0; i < ir->fields.count; i++)
        if ((ir->fields.items[i].flags & SIGMA_FIELD_KEYWORDS) == 0 &&
            sg_str_eq(ir->fields.items[i].name, name))
            break;
    if (i == ir->fields.count)
        SG_PUSH(ir->arena, &ir->fields, ((sc_ir_field){name, 0}));
    ir->fields.items[i].flags |= SIGMA_FIELD_ENRICH;
    return i;
}

/* Index of the first of the names among the strings. */
static uint32_t add_strs(sc_ir *ir, const sc_enrich_names *names)
{
    const uint32_t first = ir->strs.count;

    for (uint32_t i = 0; i < names->count; i++)
        SG_PUSH(ir->arena, &ir->strs, names->items[i]);
    return first;
}

static void add_table(sc_ir *ir, const sc_enrich_table *t)
{
    const uint32_t key = t->learned ? SIGMA_NONE : add_strs(ir, &t->key);
    const sc_ir_table table = {
        .name = t->name,
        .learned = t->learned,
        .key_count = t->key_count,
        .key_first = key,
        .column_first = add_strs(ir, &t->columns),
        .column_count = t->columns.count,
    };

    SG_PUSH(ir->arena, &ir->tables, table);
}

static sigma_put put_of(sc_ir *ir, sigma_step_kind kind,
                        const sc_enrich_put *put)
{
    const uint32_t field = field_of(ir, put->field);

    if (kind == SIGMA_STEP_LEARN)
        return (sigma_put){.to = put->column, .from = field};
    if (kind == SIGMA_STEP_ADD)
        return (sigma_put){.to = field, .from = put->column};
    return (sigma_put){.to = field, .from = field_of(ir, put->from)};
}

static bool same_values(const sc_ir *ir, const sigma_when *when,
                        const sc_enrich_when *w)
{
    if (when->str_count != w->values.count)
        return false;
    for (uint32_t i = 0; i < when->str_count; i++)
        if (!sg_str_eq(ir->strs.items[when->str_first + i], w->values.items[i]))
            return false;
    return true;
}

/* Where conditions equal to those of a step begin, or SIGMA_NONE: equal ones
 * are asked once. */
static uint32_t find_whens(sc_ir *ir, const sc_enrich_step *s)
{
    for (uint32_t at = 0; at + s->when.count <= ir->whens.count; at++) {
        uint32_t i = 0;
        for (; i < s->when.count; i++) {
            const sigma_when *when = &ir->whens.items[at + i];
            if (when->field != field_of(ir, s->when.items[i].field) ||
                !same_values(ir, when, &s->when.items[i]))
                break;
        }
        if (i == s->when.count)
            return at;
    }
    return SIGMA_NONE;
}

static uint32_t add_whens(sc_ir *ir, const sc_enrich_step *s)
{
    const uint32_t first = find_whens(ir, s);

    if (first != SIGMA_NONE)
        return first;
    for (uint32_t i = 0; i < s->when.count; i++) {
        const sc_enrich_when *w = &s->when.items[i];
        const sigma_when when = {field_of(ir, w->field),
                                 add_strs(ir, &w->values), w->values.count};
        SG_PUSH(ir->arena, &ir->whens, when);
    }
    return ir->whens.count - s->when.count;
}

static void add_step(sc_ir *ir, const sc_enrich_step *s)
{
    const uint32_t whens = add_whens(ir, s);
    const sigma_step step = {
        .kind = s->kind,
        .table = s->table,
        .when_first = whens,
        .when_count = s->when.count,
        .key_first = ir->enrich_keys.count,
        .key_count = s->key.count,
        .put_first = ir->puts.count,
        .put_count = s->puts.count,
    };

    for (uint32_t i = 0; i < s->key.count; i++) {
        const uint32_t field = field_of(ir, s->key.items[i]);
        SG_PUSH(ir->arena, &ir->enrich_keys, field);
    }
    for (uint32_t i = 0; i < s->puts.count; i++) {
        const sigma_put put = put_of(ir, s->kind, &s->puts.items[i]);
        SG_PUSH(ir->arena, &ir->puts, put);
    }
    SG_PUSH(ir->arena, &ir->steps, step);
}

void sc_ir_add_enrich(sc_ir *ir, const sc_enrich *enrich)
{
    for (uint32_t i = 0; i < enrich->tables.count; i++)
        add_table(ir, &enrich->tables.items[i]);
    for (uint32_t i = 0; i < enrich->lessons.count; i++)
        add_step(ir, &enrich->lessons.items[i]);
    for (uint32_t i = 0; i < enrich->steps.count; i++)
        add_step(ir, &enrich->steps.items[i]);
}
