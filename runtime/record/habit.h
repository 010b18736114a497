/*
 * habit.h - whether to go on with what pays for most lines, or values, and
 * costs a little for all.
 *
 * Of so many in a round it is noted how often it paid. Where that was too
 * seldom, some pass without it, then there is another round.
 */
#ifndef SR_HABIT_H
#define SR_HABIT_H

#include "base/sg_base.h"

/* When to go on; constant. */
typedef struct sr_habit_rule {
    uint32_t round;     /* so many are looked at, */
    uint32_t pays;      /* of which it must have paid for so many: */
    uint32_t rest;      /* else so many pass, and each time twice as many */
    uint32_t rest_most; /* up to these */
} sr_habit_rule;

/* All 0 to begin with. */
typedef struct sr_habit {
    uint32_t asked, paid; /* in this round */
    uint32_t resting;     /* that pass until the next one */
    uint32_t rest;        /* so many the last time; 0: the round had paid */
} sr_habit;

/* Cold: once in a round. */
static inline void sr_habit_end_round(sr_habit *h, const sr_habit_rule *rule)
{
    if (h->paid >= rule->pays)
        h->rest = 0;
    else if (h->rest == 0)
        h->rest = rule->rest;
    else if (h->rest < rule->rest_most)
        h->rest *= 2;
    h->resting = h->rest;
    h->asked = h->paid = 0;
}

/* Whether to do it for the next one. */
static inline bool sr_habit_is_due(sr_habit *h, const sr_habit_rule *rule)
{
    if (h->asked == rule->round)
        sr_habit_end_round(h, rule);
    if (h->resting != 0) {
        h->resting--;
        return false;
    }
    h->asked++;
    return true;
}

/* It paid for that one. */
static inline void sr_habit_paid(sr_habit *h)
{
    h->paid++;
}

#endif
