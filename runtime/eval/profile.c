/*
 * profile.c - the clock and the account of --profile.
 *
 * The first events are all timed, so that a short run has figures and what is
 * done once (compiling a regular expression) counts once; then one in many, at
 * a random distance, since logs repeat. Half of them are timed by phase alone,
 * the others rule by rule and field by field as well: reading the clock so
 * often makes these slower, so phases are told from the former, and rules and
 * fields get their shares of them. The processor time of a thread tells what
 * part of an event's time was its own, when it was preempted: it is dear to
 * read, so only once an event.
 */
#include "eval/profile.h"

#include <stdlib.h>
#include <time.h>

enum {
    FIRST = 1024,       /* events that are all timed */
    STEP = 16,          /* mean distance of those timed later */
    SLACK_NS = 500,     /* by which the clocks may differ */
    CALIBRATIONS = 1000 /* readings of the clock */
};

static int64_t read_clock(clockid_t id)
{
    struct timespec t;

    clock_gettime(id, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* The clock without what reading it has cost. */
static int64_t now(sr_profile *p)
{
    const int64_t t = read_clock(CLOCK_MONOTONIC) - p->own;

    p->own += p->cost;
    return t;
}

static int64_t clock_cost(void)
{
    const int64_t begin = read_clock(CLOCK_MONOTONIC);

    for (int i = 0; i < CALIBRATIONS; i++)
        (void)read_clock(CLOCK_MONOTONIC);
    return (read_clock(CLOCK_MONOTONIC) - begin) / CALIBRATIONS;
}

/* -------- life ----------------------------------------------------------- */

sr_profile *sr_profile_open(const sigma_detector *d)
{
    sr_profile *p = calloc(1, sizeof(*p));

    if (p == NULL)
        sg_fatal("out of memory");
    p->rule_count = d->rule_count;
    p->field_count = d->field_count;
    p->rules = sg_new_n(&p->arena, sr_profile_rule, p->rule_count);
    p->fields = sg_new_n(&p->arena, sr_profile_field, p->field_count);
    p->wait = 1;
    p->random = 1;
    p->cost = clock_cost();
    return p;
}

void sr_profile_close(sr_profile *p)
{
    if (p == NULL)
        return;
    sg_arena_free(&p->arena);
    free(p);
}

/* The events that phases are told from: in a very short run there may be none
 * without spans. */
static unsigned told(const sr_profile *p)
{
    return p->weight[0] > 0 ? 0 : 1;
}

/* How many times what was timed all events took. */
static double scale_of(const sr_profile *p)
{
    const double weight = p->weight[told(p)];

    return weight > 0 ? (double)p->bytes / weight : 0;
}

static double phase_ns(const sr_profile *p, unsigned phase)
{
    return p->exact[phase] + p->phases[told(p)][phase] * scale_of(p);
}

/* The same for spans within a phase: reading the clock for them made the phase
 * longer than it is. */
static double span_scale(const sr_profile *p, sr_phase phase)
{
    return p->phases[1][phase] > 0
               ? scale_of(p) * p->phases[told(p)][phase] / p->phases[1][phase]
               : 0;
}

static void add_rule(sr_profile_rule *sum, const sr_profile_rule *r,
                     double scale)
{
    sum->candidates += r->candidates;
    sum->asked += r->asked;
    sum->evaluated += r->evaluated;
    sum->matches += r->matches;
    sum->regexes += r->regexes;
    sum->ns += r->ns * scale;
}

static void add_field(sr_profile_field *sum, const sr_profile_field *f,
                      double predicates, double scan)
{
    sum->events += f->events;
    sum->values += f->values;
    sum->bytes += f->bytes;
    sum->folded += f->folded;
    sum->predicates += f->predicates;
    sum->predicates_ns += f->predicates_ns * predicates;
    sum->scan_ns += f->scan_ns * scan;
}

void sr_profile_add(sr_profile *sum, const sr_profile *p)
{
    double rules, gates;

    if (p == NULL)
        return;
    rules = span_scale(p, SR_PHASE_rules);
    gates = span_scale(p, SR_PHASE_gates);
    for (uint32_t i = 0; i < p->rule_count; i++)
        add_rule(&sum->rules[i], &p->rules[i], rules);
    for (uint32_t i = 0; i < p->field_count; i++)
        add_field(&sum->fields[i], &p->fields[i], rules, gates);
    for (unsigned i = 0; i < SR_PHASES; i++)
        sum->exact[i] += phase_ns(p, i);
    sum->events += p->events;
    sum->bytes += p->bytes;
    sum->timed += p->timed;
    sum->interrupted += p->interrupted;
}

/* -------- an event ------------------------------------------------------- */

/* Xorshift: where the next timed event is need not be secret. */
static uint64_t draw(sr_profile *p)
{
    p->random ^= p->random << 13;
    p->random ^= p->random >> 7;
    p->random ^= p->random << 17;
    return p->random;
}

void sr_profile_enter(sr_profile *p)
{
    p->events++;
    p->timing = --p->wait == 0;
    if (!p->timing)
        return;
    p->spanning = p->timed == 0 || (draw(p) & 1) != 0;
    p->stands_for = p->events <= FIRST ? 1 : STEP;
    p->wait = p->events < FIRST ? 1 : 1 + draw(p) % (2 * STEP - 1);
    p->spans.count = 0;
    p->own = 0;
    p->cpu = read_clock(CLOCK_THREAD_CPUTIME_ID);
    p->wall = p->lap = now(p);
}

static void count_fields(sr_profile *p, sr_event *event)
{
    for (uint32_t f = 0; f < p->field_count; f++) {
        sr_value *v = sr_first(event, f);

        p->fields[f].events += v != NULL;
        for (; v != NULL; v = sr_next(event, v)) {
            p->fields[f].values++;
            p->fields[f].bytes += v->raw.len;
            p->fields[f].folded += v->folded.ptr != NULL;
        }
    }
}

void sr_profile_leave(sr_profile *p, sr_event *event)
{
    count_fields(p, event);
    p->bytes += event->line.len;
    if (!p->timing)
        return;
    sr_profile_lap(p, SR_PHASE_profile);
    const int64_t took = p->lap - p->wall;
    const int64_t passed = read_clock(CLOCK_MONOTONIC) - p->wall;
    const int64_t worked = read_clock(CLOCK_THREAD_CPUTIME_ID) - p->cpu;

    const bool interrupted = passed > worked + SLACK_NS;
    const double part = interrupted ? (double)worked / (double)passed : 1;
    const double own = (double)worked - (double)took * part;

    p->timing = false;
    p->exact[SR_PHASE_profile] += own > 0 ? own : 0;
    for (uint32_t i = 0; i < p->spans.count; i++)
        *p->spans.items[i].sum +=
            (double)p->spans.items[i].ns * part * p->stands_for;
    p->timed++;
    p->interrupted += interrupted;
    p->weight[p->spanning] += (double)event->line.len * p->stands_for;
}

static void add_span(sr_profile *p, double *sum, int64_t ns)
{
    sr_profile_span span;

    span.sum = sum;
    span.ns = ns > 0 ? ns : 0;
    SG_PUSH(&p->arena, &p->spans, span);
}

void sr_profile_take_lap(sr_profile *p, sr_phase phase)
{
    const int64_t begin = p->lap;

    p->lap = now(p);
    add_span(p, &p->phases[p->spanning][phase], p->lap - begin);
}

int64_t sr_profile_start(sr_profile *p)
{
    return p->timing && p->spanning ? now(p) : 0;
}

void sr_profile_stop(sr_profile *p, int64_t start, double *sum)
{
    if (p->timing && p->spanning)
        add_span(p, sum, now(p) - start);
}

void sr_profile_predicate(sr_profile *p, uint32_t field, int64_t start)
{
    sr_profile_field *n = &p->fields[field];

    n->predicates++;
    sr_profile_stop(p, start, &n->predicates_ns);
}

/* -------- other spans ---------------------------------------------------- */

int64_t sr_profile_cpu(const sr_profile *p)
{
    return p == NULL ? 0 : read_clock(CLOCK_THREAD_CPUTIME_ID);
}

void sr_profile_spent(sr_profile *p, sr_phase phase, int64_t since)
{
    if (p != NULL)
        p->exact[phase] +=
            (double)(read_clock(CLOCK_THREAD_CPUTIME_ID) - since);
}

void sr_profile_rest(sr_profile *p, sr_phase phase, int64_t since)
{
    double rest;

    if (p == NULL)
        return;
    rest = (double)(read_clock(CLOCK_THREAD_CPUTIME_ID) - since);
    for (unsigned i = 0; i < SR_PHASES; i++)
        rest -= phase_ns(p, i);
    p->exact[phase] += rest > 0 ? rest : 0;
}
