/*
 * keywords.c - a second look at a line, for all its values.
 */
#include "eval/keywords.h"

#include "eval/eval.h"

struct sr_keywords {
    const sigma_detector *d;
    sg_arena *arena;
    sr_plan *plan; /* NULL: never asked */
    bool read;     /* the event at hand */
};

sr_keywords *sr_keywords_new(sg_arena *arena, const sigma_detector *d)
{
    sr_keywords *k = sg_new(arena, sr_keywords);

    k->d = d;
    k->arena = arena;
    return k;
}

static sr_plan *make_plan(sr_keywords *k)
{
    const sigma_detector *d = k->d;
    sr_want *wants = sg_new_n(k->arena, sr_want, (size_t)d->field_count + 1);
    uint32_t count = 0;

    for (uint32_t i = 0; i < d->field_count; i++)
        if (sr_is_keywords(d, i))
            wants[count++] = (sr_want){.slot = i, .keywords = true};
    return sr_plan_new(k->arena, wants, count);
}

void sr_keywords_begin(sr_keywords *k)
{
    k->read = false;
}

void sr_keywords_read(sr_keywords *k, sr_event *event)
{
    sr_fault fault;

    if (k->read)
        return;
    if (k->plan == NULL)
        k->plan = make_plan(k);
    /* It was read before: only memory can be short. */
    if (!sr_project(k->plan, event, &fault))
        sg_fatal("%s", fault.reason);
    k->read = true;
}
