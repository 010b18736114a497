/*
 * recall.c - a table of values by their hash: a few places for each hash, of
 * which a new value takes the one that was not asked for the longest. So an
 * attacker who fills it with other values makes others be looked at anew, which
 * is what happens without it, and nothing else. Texts are compared in full: a
 * hash alone could be forged. Long ones, encoded commands say, are what it pays
 * most to know again; they have few places of their own.
 */
#include "eval/recall.h"

#include <stdlib.h>
#include <string.h>

enum {
    CACHE_LINE = 64, /* bytes; speed depends on it, nothing else */
    WAYS = 4,        /* places that a value can have */
    SETS_LOG2 = 10,
    LONG_SETS_LOG2 = 5,    /* of values too long for those */
    KEY_LEAST = 88,        /* fills two lines of the cache */
    KEY_MOST = 1024,       /* bytes of a value, */
    LONG_KEY_MOST = 16384, /* ... of a long one; others are not kept */
    FACTS_LEAST = 16,
    FACTS_MOST = 256
};

/* One value of six must be known. */
static const sr_habit_rule habit_rule = {
    .round = 512, .pays = 512 / 6, .rest = 1 << 13, .rest_most = 1 << 13};

struct sr_memory {
    const sr_recall_index *owner; /* NULL: void */
    uint64_t birth;               /* when it was made, by count of memories */
    uint32_t *facts;              /* predicate and sr_fact */
    uint32_t count, cap;
    uint32_t len, key_cap;
    char key[]; /* the value's raw text */
};

typedef struct sr_place {
    uint32_t hash;     /* of it one half */
    uint32_t event;    /* when it was asked for, last; may wrap */
    sr_memory *memory; /* NULL: never used */
} place;

/* The places that a value can have, in one line of the cache. */
typedef struct set {
    _Alignas(CACHE_LINE) place places[WAYS];
} set;

/* The memory of a field's value in an event. */
typedef struct current {
    sr_memory *memory;
    uint64_t birth; /* another one: its place was taken meanwhile */
    uint64_t event;
} current;

struct sr_recall {
    const sigma_detector *d;
    sg_arena *arena;
    set *sets;      /* NULL: not yet */
    set *long_sets; /* few: what a long value takes must not add up */
    current *fields;
    uint64_t events, births;
};

sr_recall *sr_recall_new(sg_arena *arena, const sigma_detector *d)
{
    const char *wish = getenv("SIGCC_RECALL");

    if (d->enrich_step_count != 0 ||
        d->pred_count >> (32 - SR_FACT_BITS) != 0 ||
        (wish != NULL && strcmp(wish, "0") == 0))
        return NULL;
    sr_recall *r = sg_new(arena, sr_recall);

    r->d = d;
    r->arena = arena;
    return r;
}

void sr_recall_begin(sr_recall *r)
{
    if (r != NULL)
        r->events++;
}

/* -------- looking -------------------------------------------------------- */

static void make_tables(sr_recall *r)
{
    r->sets = sg_new_n(r->arena, set, (size_t)1 << SETS_LOG2);
    r->long_sets = sg_new_n(r->arena, set, (size_t)1 << LONG_SETS_LOG2);
    r->fields = sg_new_n(r->arena, current, (size_t)r->d->field_count + 1);
}

static set *set_of(sr_recall *r, const sr_recall_index *owner, sg_str raw,
                   uint64_t *hash)
{
    *hash = sg_str_hash(raw) ^
            (uint64_t)(uintptr_t)owner * UINT64_C(0x9E3779B97F4A7C15);
    return raw.len > KEY_MOST ? &r->long_sets[*hash >> (64 - LONG_SETS_LOG2)]
                              : &r->sets[*hash >> (64 - SETS_LOG2)];
}

static bool is_of(const sr_memory *m, const sr_recall_index *owner, sg_str raw)
{
    if (m->owner != owner || m->len != raw.len)
        return false;
    __builtin_prefetch(m->facts);
    return raw.len == 0 || memcmp(m->key, raw.ptr, raw.len) == 0;
}

/* The place that the value has, or is to have. */
static place *place_of(sr_recall *r, const sr_recall_index *owner, sg_str raw,
                       bool *old)
{
    uint64_t hash;
    set *s = set_of(r, owner, raw, &hash);
    place *p = s->places;

    *old = false;
    for (int i = 0; i < WAYS && !*old; i++) {
        place *q = &s->places[i];

        *old = q->hash == (uint32_t)hash && q->memory != NULL &&
               is_of(q->memory, owner, raw);
        if (*old || q->event < p->event)
            p = q;
    }
    p->hash = (uint32_t)hash;
    return p;
}

/* One with room for the key: the place's own, or a larger one that takes its
 * place and its room for facts. */
static sr_memory *roomy(sr_recall *r, sr_memory *old, size_t len)
{
    size_t cap = old == NULL ? KEY_LEAST : old->key_cap;

    if (old != NULL && cap >= len)
        return old;
    while (cap < len)
        cap *= 2;
    sr_memory *m = sg_arena_zalloc(r->arena, 1, sizeof(*m) + cap, CACHE_LINE);

    m->key_cap = (uint32_t)cap;
    if (old == NULL)
        return m;
    m->facts = old->facts;
    m->cap = old->cap;
    old->birth = 0; /* nothing is added to it any more */
    return m;
}

static void renew(sr_recall *r, place *p, const sr_recall_index *owner,
                  sg_str raw)
{
    sr_memory *m = p->memory = roomy(r, p->memory, raw.len);

    m->owner = owner;
    m->birth = ++r->births;
    m->len = (uint32_t)raw.len;
    m->count = 0;
    if (raw.len != 0)
        memcpy(m->key, raw.ptr, raw.len);
}

sr_memory *sr_recall_value(sr_recall *r, sr_recall_index *index, uint32_t field,
                           sg_str raw, bool *old)
{
    if (raw.len > LONG_KEY_MOST || !sr_habit_is_due(&index->habit, &habit_rule))
        return NULL;
    if (r->sets == NULL)
        make_tables(r);
    place *p = index->last;

    *old = p != NULL && is_of(p->memory, index, raw);
    if (!*old)
        p = place_of(r, index, raw, old);
    p->event = (uint32_t)r->events;
    index->last = p;
    if (*old)
        sr_habit_paid(&index->habit);
    else
        renew(r, p, index, raw);
    r->fields[field] = (current){p->memory, p->memory->birth, r->events};
    return p->memory;
}

/* -------- facts ---------------------------------------------------------- */

static bool add(sr_recall *r, sr_memory *m, uint32_t pred, sr_fact fact)
{
    if (m->count == FACTS_MOST)
        return false;
    if (m->count == m->cap) {
        const uint32_t cap = m->cap == 0 ? FACTS_LEAST : 2 * m->cap;
        uint32_t *facts = sg_new_n(r->arena, uint32_t, cap);

        if (m->count != 0)
            memcpy(facts, m->facts, m->count * sizeof(*facts));
        m->facts = facts;
        m->cap = cap;
    }
    m->facts[m->count++] = pred << SR_FACT_BITS | fact;
    return true;
}

void sr_recall_found(sr_recall *r, sr_memory *m, uint32_t pred)
{
    for (uint32_t i = 0; i < m->count; i++)
        if (m->facts[i] == (pred << SR_FACT_BITS | SR_FACT_FOUND))
            return;
    if (!add(r, m, pred, SR_FACT_FOUND))
        m->owner = NULL; /* what is not whole is of no use */
}

const uint32_t *sr_memory_facts(const sr_memory *m, uint32_t *count)
{
    *count = m->count;
    return m->facts;
}

void sr_recall_verdict(sr_recall *r, uint32_t field, uint32_t pred,
                       bool verdict)
{
    if (r == NULL || r->sets == NULL)
        return;
    const current *c = &r->fields[field];

    if (c->event == r->events && c->birth != 0 && c->memory->birth == c->birth)
        (void)add(r, c->memory, pred, verdict ? SR_FACT_TRUE : SR_FACT_FALSE);
}
