/*
 * routes.h - which log-source routes an event is open to.
 *
 * Belongs to one thread and one evaluator. Logs repeat themselves: what was
 * found for an event is kept for those that say the same of themselves.
 */
#ifndef SR_ROUTES_H
#define SR_ROUTES_H

#include "record/record.h"

typedef struct sr_routes sr_routes;

enum {
    SR_ROUTE_CLASSES = 48, /* at most */
    SR_ROUTE_CLASS_ANY = SR_ROUTE_CLASSES
};

/* Of a checked detector; in the arena. */
sr_routes *sr_routes_new(sg_arena *arena, const sigma_detector *d);
/* Another event begins: event->bits are clear. */
void sr_routes_begin(sr_routes *r);
/* Whether the route accepts the event; NONE always does. Each is asked at most
 * once an event. */
bool sr_routes_open(sr_routes *r, sr_event *event, uint32_t route);

/* The class of the event: the same routes are open to all events of one. ANY
 * when there are too many classes: nothing is known then. To be asked before
 * any predicate of the event. */
uint32_t sr_routes_class(sr_routes *r, sr_event *event);
/* Whether the route is open to events of a class; to ANY all may be. */
bool sr_routes_class_open(const sr_routes *r, uint32_t class, uint32_t route);

#endif
