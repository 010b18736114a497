/*
 * worker.c - what one line means: its fields, the rules that match, the times,
 * and what correlations need of it. Touches nothing but its own state, so that
 * several workers may run at once.
 */
#include "host/host.h"

#include <stdlib.h>
#include <string.h>

/* -------- opening -------------------------------------------------------- */

/* One plan for what predicates read, one for what matched events need. */
static void make_plans(sr_worker *w, sr_plans *plans, sg_arena *arena)
{
    uint32_t count;
    const sr_want *wants = sr_eval_wants(w->eval, false, &count);

    plans->match = sr_plan_new(arena, wants, count);
    plans->nothing = sr_plan_new(arena, NULL, 0);
    wants = sr_eval_wants(w->eval, true, &count);
    sr_want *all =
        sg_new_n(arena, sr_want, (size_t)count + sr_time_wants_max());

    if (count != 0)
        memcpy(all, wants, count * sizeof(*all));
    sr_time_wants(w->s, plans, all + count);
    plans->context = sr_plan_new(arena, all, count + plans->time_count);
}

/* The plans, and room for what matches. Made with the first line: in a large
 * pack that is most of the start-up. */
static void open_plans(sr_worker *w)
{
    const sigma_detector *d = w->s->detector;
    sr_maker *maker = sr_eval_maker(w->eval);

    if (sr_makes(maker, &w->shared->made)) {
        make_plans(w, w->shared, &maker->arena);
        sr_made(maker, &w->shared->made);
    }
    w->plans = w->shared;
    sr_event_init(&w->event, w->plans->time_slot + w->plans->time_count);
    w->matches = sg_new_n(&w->arena, uint32_t, (size_t)d->rule_count + 1);
    w->hits = sg_new_n(&w->arena, sr_hit, (size_t)d->rule_count + 1);
    sr_alert_scratch(d, &w->arena, &w->scratch);
}

static bool shares(void)
{
    const char *set = getenv("SIGCC_SHARE");

    return set == NULL || strcmp(set, "0") != 0;
}

/* False: told. */
static bool open_eval(sr_worker *w)
{
    sr_worker *other = shares() ? w->s->worker : NULL;
    char reason[256];

    w->shared = other == NULL ? &w->own : other->shared;
    w->eval = other == NULL
                  ? sr_eval_open(w->s->detector, reason, sizeof(reason))
                  : sr_eval_beside(other->eval, reason, sizeof(reason));
    if (w->eval == NULL)
        sr_say(w->s, "this detector is broken: %s", reason);
    return w->eval != NULL;
}

sr_worker *sr_worker_open(sr_session *s)
{
    const sigma_detector *d = s->detector;
    sr_worker *w = calloc(1, sizeof(*w));

    if (w == NULL)
        sg_fatal("out of memory");
    w->s = s;
    if (!open_eval(w)) {
        free(w);
        return NULL;
    }
    if (s->threads != NULL || s->options->action == SR_ACTION_MAP) {
        const sr_output_options pieces = {
            .format = s->format, .fd = -1, .hold = true};

        w->pieces = sr_output_open(d, &pieces);
    }
    if (s->enrich != NULL)
        sr_enrich_work_open(&w->enriched, s->enrich);
    if (s->options->profile) {
        w->profile = sr_profile_open(d);
        sr_eval_profile(w->eval, w->profile);
    }
    if (s->enrich == NULL && !s->options->no_prefilter)
        w->prefilter = sr_eval_prefilter(w->eval, &w->arena);
    return w;
}

void sr_worker_close(sr_worker *w)
{
    if (w == NULL)
        return;
    sr_prefilter_free(w->prefilter);
    sr_eval_close(w->eval);
    sr_event_free(&w->event);
    sr_enrich_work_close(&w->enriched);
    sg_buf_free(&w->scratch.identity);
    sg_buf_free(&w->contributions);
    sg_buf_free(&w->alerts);
    sr_output_close(w->pieces);
    sr_profile_close(w->profile);
    sg_arena_free(&w->arena);
    free(w);
}

/* -------- lines ---------------------------------------------------------- */

static bool is_blank(sg_str line)
{
    for (size_t i = 0; i < line.len; i++)
        if (strchr(" \t\r", line.ptr[i]) == NULL || line.ptr[i] == '\0')
            return false;
    return true;
}

bool sr_worker_meet(sr_worker *w, sg_str line)
{
    w->tally.lines++;
    w->tally.bytes += line.len;
    return !is_blank(line);
}

/* Neither a profile nor another slice may look for them. Unchecked ones are
 * nobody's. */
bool sr_worker_may_pass_over(const sr_worker *w)
{
    const sr_options *o = w->s->options;

    return w->prefilter != NULL &&
           (o->unchecked ||
            (w->plans != NULL && !o->profile && o->slices == 0));
}

sr_kept_out sr_worker_pass_over(sr_worker *w, sg_str text, size_t *clear)
{
    const bool unchecked = w->s->options->unchecked;
    const sr_kept_out out = sr_prefilter_lines(
        w->prefilter, text, unchecked ? NULL : w->plans->nothing, clear);

    w->tally.lines += out.lines;
    w->tally.bytes += out.len - out.ends;
    if (unchecked) {
        w->tally.skipped += out.lines;
    } else {
        w->tally.events += out.lines;
        w->tally.prefiltered += out.lines;
    }
    return out;
}

void sr_worker_rest(sr_worker *w)
{
    sr_event_begin(&w->event, SG_S(""));
    if (w->pieces != NULL)
        sg_buf_clear(sr_output_buffer(w->pieces), SR_ROOM_KEPT);
    sg_buf_clear(&w->scratch.identity, SR_ROOM_KEPT);
}

/* -------- one line ------------------------------------------------------- */

/* sr_read_fn: a field of the event at hand as a rule sees it. A number that no
 * double holds is the text it is written as. */
static bool read_field(void *ctx, uint32_t rule, uint32_t field, sr_cell *cell)
{
    sr_worker *w = ctx;

    *cell = (sr_cell){.kind = SR_STRING};
    if (sr_eval_derives(w->eval, rule, field))
        return sr_eval_derived(w->eval, &w->event, rule, field, &cell->text);
    sr_value *v = sr_first(&w->event, field);

    if (v == NULL ||
        (v->kind != SR_STRING && v->kind != SR_NUMBER && v->kind != SR_BOOL))
        return false;
    cell->text = sr_value_text(&w->event, v);
    if (v->kind == SR_NUMBER && !sr_number_fits(&v->num))
        return true;
    cell->kind = v->kind;
    cell->num = v->num;
    return true;
}

static bool fail(sr_item *item, const sr_fault *fault)
{
    item->reason = fault->reason;
    item->at = fault->at;
    return false;
}

static bool is_kept_out(sr_worker *w, const sr_item *item)
{
    if (w->prefilter == NULL || w->s->options->unchecked)
        return false;
    return item->look == SR_UNKNOWN
               ? !sr_prefilter_passes(w->prefilter, item->line)
               : item->look == SR_KEPT_OUT;
}

/* Find the rules the line matches; false when it cannot be read. A line that
 * the prefilter keeps out is still read to its end: each unreadable one counts,
 * whatever it says. */
static bool match_line(sr_worker *w, sr_item *item)
{
    sr_fault fault = {0};

    if (w->plans == NULL)
        open_plans(w);
    sr_event_begin(&w->event, item->line);
    if (is_kept_out(w, item)) {
        w->tally.prefiltered++;
        return sr_project(w->plans->nothing, &w->event, &fault) ||
               fail(item, &fault);
    }
    if (!sr_project(w->plans->match, &w->event, &fault))
        return fail(item, &fault);
    sr_profile_lap(w->profile, SR_PHASE_project);
    if (w->s->enrich != NULL)
        sr_enrich_event(w->s->enrich, &w->enriched, &w->event, false);
    sr_profile_lap(w->profile, SR_PHASE_enrich);
    sr_eval_begin(w->eval, &w->event);
    item->matches = sr_eval_rules(w->eval, &w->event, w->matches);
    sr_profile_lap(w->profile, SR_PHASE_rules);
    return true;
}

void sr_worker_match(sr_worker *w, sr_item *item)
{
    sr_fault fault = {0};

    item->reason = NULL;
    item->matches = 0;
    item->alerts_len = 0;
    item->contributions_at = w->contributions.len;
    if (match_line(w, item) && item->matches != 0) {
        /* What only events that match need: further fields, and their time. */
        if (!sr_project(w->plans->context, &w->event, &fault)) {
            fail(item, &fault);
        } else {
            sr_read_times(w, item->matches);
            const sr_matched event = {w->hits, item->matches, item->place,
                                      read_field, w};

            sr_contribute(w->s->layout, &event, &w->contributions,
                          &item->missed);
        }
    }
    sr_profile_lap(w->profile, SR_PHASE_context);
    w->tally.events += item->reason == NULL;
    item->contributions_len = w->contributions.len - item->contributions_at;
}
