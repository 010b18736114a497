/*
 * profile.h - what rules and fields cost on the events at hand (--profile).
 *
 * Counts are exact. Times are those of some events, picked at random and scaled
 * up by bytes, since what an event takes grows with its length; of an
 * event that was preempted its share of the processor counts. One profile
 * belongs to one thread; NULL, where it is accepted, means that nobody asked.
 */
#ifndef SR_PROFILE_H
#define SR_PROFILE_H

#include "record/record.h"

typedef enum sr_phase {
#define PHASE(name, doc) SR_PHASE_##name,
#include "eval/phases.def"
#undef PHASE
    SR_PHASES
} sr_phase;

typedef struct sr_profile_rule {
    uint64_t candidates; /* events whose fields make it one, or all */
    uint64_t asked;      /* ... that its log source accepts */
    uint64_t evaluated;  /* ... for which its gate holds */
    uint64_t matches;    /* ... that it matches */
    uint64_t regexes; /* searches by regular expression it was first to ask */
    double ns;        /* predicates that it was first to ask included */
} sr_profile_rule;

typedef struct sr_profile_field {
    uint64_t events, values, bytes; /* that have it; in them; of raw tokens */
    uint64_t folded;                /* values whose case was folded */
    uint64_t predicates;            /* asked */
    double predicates_ns, scan_ns;  /* those; finding candidates by it */
} sr_profile_field;

/* A phase or span of the event being timed, which adds to `sum` at its end. */
typedef struct sr_profile_span {
    double *sum;
    int64_t ns;
} sr_profile_span;

typedef struct sr_profile {
    uint32_t rule_count, field_count;
    sr_profile_rule *rules;
    sr_profile_field *fields;
    double phases[2][SR_PHASES]; /* ns, of events timed without spans, and
                                  * with them, which takes longer */
    double exact[SR_PHASES];     /* ns, from other spans of time */
    uint64_t events, timed;
    uint64_t interrupted; /* of those timed: others had the processor */
    uint64_t bytes;       /* of lines */
    double weight[2];     /* bytes that those timed stand for; as phases */
    /* The event at hand. */
    bool timing, spanning;
    uint32_t stands_for;
    uint64_t wait, random; /* events until the next is timed */
    int64_t cpu, wall;     /* when it began */
    int64_t lap;           /* end of the last phase */
    int64_t own, cost;     /* spent on reading the clock; one reading, ns */
    SG_VEC(sr_profile_span) spans;
    sg_arena arena;
} sr_profile;

/* Never NULL. */
sr_profile *sr_profile_open(const sigma_detector *d);
/* Accepts NULL. */
void sr_profile_close(sr_profile *p);
/* Add what another thread's profile holds to sum->exact, rules and fields: its
 * times as those of all its events. Accepts NULL for `p`. */
void sr_profile_add(sr_profile *sum, const sr_profile *p);

/* An event begins and ends; it then still has its fields. Inline so that a
 * run without a profile pays for a comparison; NULL is accepted by what is. */
void sr_profile_enter(sr_profile *p);
void sr_profile_leave(sr_profile *p, sr_event *event);
static inline void sr_profile_begin(sr_profile *p)
{
    if (p != NULL)
        sr_profile_enter(p);
}
static inline void sr_profile_end(sr_profile *p, sr_event *event)
{
    if (p != NULL)
        sr_profile_leave(p, event);
}

/* A phase of the event ends, another begins. */
void sr_profile_take_lap(sr_profile *p, sr_phase phase);
static inline void sr_profile_lap(sr_profile *p, sr_phase phase)
{
    if (p != NULL && p->timing)
        sr_profile_take_lap(p, phase);
}

/* A span within a phase: from `start` to `stop`. Not for NULL. */
int64_t sr_profile_start(sr_profile *p);
void sr_profile_stop(sr_profile *p, int64_t start, double *sum);

/* A predicate over the field was asked, since `start`. Not for NULL. */
void sr_profile_predicate(sr_profile *p, uint32_t field, int64_t start);

/* Rare spans outside of events, by the processor time of this thread (ns).
 * These accept NULL. */
int64_t sr_profile_cpu(const sr_profile *p);
void sr_profile_spent(sr_profile *p, sr_phase phase, int64_t since);
/* What this thread spent since then and is not accounted for is this phase. */
void sr_profile_rest(sr_profile *p, sr_phase phase, int64_t since);

#endif
