/*
 * times.c - the time of an event: the field the rule names, else the first
 * present of the usual ones, or the one --time-field names for all.
 */
#include "host/host.h"

static const sg_str usual[] = {
#define TIME_FIELD(path) SG_LIT(path),
#include "record/time_fields.def"
#undef TIME_FIELD
};

enum { USUAL = sizeof(usual) / sizeof(usual[0]) };

uint32_t sr_time_wants_max(void)
{
    return USUAL;
}

void sr_time_wants(const sr_session *s, sr_plans *plans, sr_want *wants)
{
    plans->time_slot = s->detector->field_count;
    plans->time_count = s->options->time_field != NULL ? 1 : USUAL;
    for (uint32_t i = 0; i < plans->time_count; i++) {
        wants[i] = (sr_want){.name = usual[i], .slot = plans->time_slot + i};
        if (s->options->time_field != NULL)
            wants[i].name = sg_str_of(s->options->time_field);
    }
}

/* The first value; null and an empty array are none. */
static sr_value *value_in(sr_worker *w, uint32_t slot)
{
    sr_value *v = sr_first(&w->event, slot);

    while (v != NULL && (v->kind == SR_NULL || v->kind == SR_EMPTY))
        v = sr_next(&w->event, v);
    return v;
}

static void read_value(sr_worker *w, sr_value *v, sr_hit *hit)
{
    if (v->kind == SR_STRING)
        hit->raw = sr_value_text(&w->event, v);
    else if (v->kind == SR_NUMBER)
        hit->raw = v->raw;
    else
        return;
    hit->raw_kind = v->kind;
    hit->timed = sg_time_parse(hit->raw, &hit->time);
    /* 1.7e9 is a number, too. */
    if (!hit->timed && v->kind == SR_NUMBER)
        hit->timed = sg_time_parse(sr_value_text(&w->event, v), &hit->time);
}

/* By the usual fields. */
static sr_hit usual_time(sr_worker *w)
{
    sr_hit hit = {0};

    for (uint32_t i = 0; i < w->plans->time_count; i++) {
        sr_value *v = value_in(w, w->plans->time_slot + i);

        if (v != NULL) {
            read_value(w, v, &hit);
            break;
        }
    }
    return hit;
}

void sr_read_times(sr_worker *w, size_t count)
{
    const sr_hit common = usual_time(w);

    for (size_t i = 0; i < count; i++) {
        const uint32_t rule = w->matches[i];
        const uint32_t own = w->s->detector->rules[rule].time_field;
        sr_value *v = NULL;

        if (own != SIGMA_NONE && w->s->options->time_field == NULL)
            v = value_in(w, own);
        w->hits[i] = common;
        if (v != NULL) {
            w->hits[i] = (sr_hit){0};
            read_value(w, v, &w->hits[i]);
        }
        w->hits[i].rule = rule;
    }
}
