/*
 * routes.c - routes asked once an event, and answers kept between events.
 *
 * Why an answer may be kept. A route reads predicates one after the other, each
 * decides which is next, and each is decided by the values of its field. Let
 * `fields` be all fields that routes ever read. For two events with the same
 * values of these, of which the first one's routes read no other field, the
 * second one's take the same way to the same answers. When an event's routes
 * read a new field, it joins `fields` and what was kept is forgotten.
 */
#include "eval/routes.h"

#include <string.h>

enum {
    FIELDS_MOST = 16, /* more are not kept account of */
    KEY_MOST = 240,   /* bytes; events that say more of themselves are asked */
    KEPT_LOG2 = 8     /* answers */
};

/* What is known of a route for the event at hand. */
enum { UNKNOWN, CLOSED, OPEN };

/* The class of events with these values. */
typedef struct kept {
    char key[KEY_MOST];
    uint32_t len;
    uint32_t class;
    bool used;
} kept;

struct sr_routes {
    const sigma_detector *d;
    sg_arena *arena;
    uint8_t *verdicts; /* per route: OPEN, ... */
    uint8_t *classes;  /* the verdicts of each class */
    uint32_t class_count;
    uint32_t fields[FIELDS_MOST];
    uint32_t field_count;
    bool keeps_none; /* since it cannot be told what routes depend on */
    kept *kept;      /* NULL: no class was asked for yet */
};

sr_routes *sr_routes_new(sg_arena *arena, const sigma_detector *d)
{
    sr_routes *r = sg_new(arena, sr_routes);

    r->d = d;
    r->arena = arena;
    /* Values of enrichment are none of the line: their raw text may be that of
     * another value. */
    r->keeps_none = d->enrich_step_count != 0;
    r->verdicts = sg_new_n(arena, uint8_t, (size_t)d->route_count + 1);
    r->classes =
        sg_new_n(arena, uint8_t, SR_ROUTE_CLASSES * (size_t)d->route_count + 1);
    return r;
}

void sr_routes_begin(sr_routes *r)
{
    memset(r->verdicts, UNKNOWN, r->d->route_count);
}

bool sr_routes_open(sr_routes *r, sr_event *event, uint32_t route)
{
    if (route == SIGMA_NONE)
        return true;
    uint8_t *verdict = &r->verdicts[route];

    if (*verdict == UNKNOWN)
        *verdict = r->d->routes[route].accepts(&event->bits) ? OPEN : CLOSED;
    return *verdict == OPEN;
}

/* -------- answers kept --------------------------------------------------- */

/* What the event says of itself; false when it is too much to keep. */
static bool key_of(const sr_routes *r, sr_event *event, kept *k)
{
    k->len = 0;
    for (uint32_t i = 0; i < r->field_count; i++) {
        for (sr_value *v = sr_first(event, r->fields[i]); v != NULL;
             v = sr_next(event, v)) {
            const size_t len = v->raw.len;

            if (len == 0 || k->len + len + FIELDS_MOST >= KEY_MOST)
                return false;
            k->key[k->len++] = (char)(len + 1);
            memcpy(k->key + k->len, v->raw.ptr, len);
            k->len += (uint32_t)len;
        }
        k->key[k->len++] = 0; /* no value is next */
    }
    return true;
}

static kept *place_of(const sr_routes *r, const kept *k)
{
    uint64_t h = k->len;

    for (uint32_t i = 0; i < k->len; i += (uint32_t)sizeof(h)) {
        uint64_t word = 0;
        const size_t left = k->len - i;

        memcpy(&word, k->key + i, left < sizeof(word) ? left : sizeof(word));
        h = (h ^ word) * UINT64_C(0x9E3779B97F4A7C15);
        h ^= h >> 32;
    }
    return &r->kept[h >> (64 - KEPT_LOG2)];
}

static bool is_read(const sr_routes *r, uint32_t field)
{
    for (uint32_t i = 0; i < r->field_count; i++)
        if (r->fields[i] == field)
            return true;
    return false;
}

/* Only what depends on the values of one field is understood here. */
static void add_field(sr_routes *r, const sigma_pred *pred)
{
    const bool other =
        pred->op >= SIGMA_OP_REF_EQ && pred->op <= SIGMA_OP_REF_CONTAINS;
    const uint32_t flags = r->d->fields[pred->field].flags;

    if (other || (flags & SIGMA_FIELD_KEYWORDS) != 0 ||
        r->field_count == FIELDS_MOST)
        r->keeps_none = true;
    else
        r->fields[r->field_count++] = pred->field;
}

/* Add the fields of the predicates asked so far; whether any is new. */
static bool add_fields(sr_routes *r, const sr_event *event)
{
    bool added = false;

    for (uint32_t w = 0; w * 64 < r->d->pred_count; w++)
        for (uint64_t bits = event->bits.known[w]; bits != 0 && !r->keeps_none;
             bits &= bits - 1) {
            const sigma_pred *pred =
                &r->d->preds[w * 64 + (uint32_t)__builtin_ctzll(bits)];

            if (is_read(r, pred->field))
                continue;
            add_field(r, pred);
            added = true;
        }
    return added;
}

/* -------- classes -------------------------------------------------------- */

/* The class whose routes are open as they are to this event. */
static uint32_t find_class(sr_routes *r)
{
    const size_t count = r->d->route_count;
    uint32_t i = 0;

    while (i < r->class_count &&
           memcmp(r->classes + i * count, r->verdicts, count) != 0)
        i++;
    if (i == r->class_count && i < SR_ROUTE_CLASSES) {
        memcpy(r->classes + i * count, r->verdicts, count);
        r->class_count++;
    }
    return i; /* ANY: no room for another */
}

static uint32_t ask_all(sr_routes *r, sr_event *event)
{
    for (uint32_t i = 0; i < r->d->route_count; i++)
        (void)sr_routes_open(r, event, i);
    return find_class(r);
}

uint32_t sr_routes_class(sr_routes *r, sr_event *event)
{
    kept now = {.used = true};

    if (r->kept == NULL)
        r->kept = sg_new_n(r->arena, kept, (size_t)1 << KEPT_LOG2);
    const bool keeps = !r->keeps_none && key_of(r, event, &now);
    kept *place = place_of(r, &now);

    if (keeps && place->len == now.len &&
        memcmp(place->key, now.key, now.len) == 0 && place->used)
        return place->class;
    now.class = ask_all(r, event);
    if (keeps && add_fields(r, event))
        memset(r->kept, 0, sizeof(*r->kept) << KEPT_LOG2);
    else if (keeps)
        *place = now;
    return now.class;
}

bool sr_routes_class_open(const sr_routes *r, uint32_t class, uint32_t route)
{
    return class == SR_ROUTE_CLASS_ANY || route == SIGMA_NONE ||
           r->classes[class * (size_t)r->d->route_count + route] == OPEN;
}
