/*
 * fields.h - for tests of the projector: one field of one line, as text.
 *
 * Values are joined by " | ": strings in quotes, numbers, null and booleans as
 * they are, {} an object, [] an empty array; "-" is a missing field.
 */
#ifndef FIELDS_H
#define FIELDS_H

#include "record/record.h"

static inline void fields_put_value(sg_buf *out, sr_event *event,
                                    sr_value *value)
{
    switch ((sr_kind)value->kind) {
    case SR_STRING:
        sg_buf_put_json(out, sr_value_text(event, value));
        break;
    case SR_NUMBER:
    case SR_BOOL:
        sg_buf_put(out, sr_value_text(event, value));
        break;
    case SR_NULL:
        sg_buf_putz(out, "null");
        break;
    case SR_OBJECT:
        sg_buf_putz(out, "{}");
        break;
    case SR_EMPTY:
        sg_buf_putz(out, "[]");
        break;
    }
}

static inline void fields_put_slot(sg_buf *out, sr_event *event, uint32_t slot)
{
    sr_value *v = sr_first(event, slot);

    if (v == NULL)
        sg_buf_putz(out, "-");
    for (; v != NULL; v = sr_next(event, v)) {
        fields_put_value(out, event, v);
        if (v->next != SIGMA_NONE)
            sg_buf_putz(out, " | ");
    }
}

/* The field `name` of a line, or with name NULL the keywords' values; "!" and
 * the reason when the line is refused. Freed with sg_buf_free. */
static inline sg_buf fields_of(sg_str line, const char *name)
{
    const sr_want want = {name == NULL ? SG_S("") : sg_str_of(name), 0,
                          name == NULL};
    sg_arena arena = {0};
    sg_buf out = {0};
    sr_event event;
    sr_fault fault;

    sr_event_init(&event, 1);
    sr_event_begin(&event, line);
    if (sr_project(sr_plan_new(&arena, &want, 1), &event, &fault))
        fields_put_slot(&out, &event, 0);
    else
        sg_buf_printf(&out, "!%s", fault.reason);
    sr_event_free(&event);
    sg_arena_free(&arena);
    return out;
}

#endif
