/*
 * event.c - life of an event and the lists that a scan builds in it: append,
 * override, and the choice of a field's place at the end.
 *
 * Promises: no allocation once an event has seen its largest line; what one
 * huge line needed is given back by the next.
 */
#include "record/plan.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum {
    VALUES_KEPT = 1 << 15, /* more than these are given back */
    SEEN_KEPT = 1 << 15,
    ARENA_KEPT = 4 << 20, /* bytes */
    LINEAR_KEYS = 12      /* objects of more keys are indexed */
};

/* -------- growing arrays ----------------------------------------------- */

static bool resize(void **items, uint32_t cap, size_t size)
{
    void *grown = realloc(*items, (size_t)cap * size);

    if (grown == NULL)
        return false;
    *items = grown;
    return true;
}

/* Room for `need` zeroed items. */
static bool reserve(void **items, uint32_t *cap, uint32_t need, size_t size)
{
    if (need <= *cap)
        return true;
    if (!resize(items, need, size))
        return false;
    memset((char *)*items + *cap * size, 0, (need - *cap) * size);
    *cap = need;
    return true;
}

static bool grow(void **items, uint32_t *cap, size_t size)
{
    const uint32_t larger = *cap == 0 ? 64 : *cap * 2;

    if (*cap > UINT32_MAX / 4 || !resize(items, larger, size))
        return false;
    *cap = larger;
    return true;
}

/* -------- life of an event --------------------------------------------- */

void sr_event_init(sr_event *event, uint32_t slot_count)
{
    memset(event, 0, sizeof *event);
    event->slot_count = slot_count;
    if (slot_count == 0)
        return;
    event->slots = calloc(slot_count, sizeof *event->slots);
    event->filled = calloc(slot_count, sizeof *event->filled);
    if (event->slots == NULL || event->filled == NULL)
        sg_fatal("out of memory");
    memset(event->slots, 0xFF, slot_count * sizeof *event->slots);
}

/* A large pack has many slots, an event few fields. */
void sr_event_forget(sr_event *event)
{
    event->value_count = 0;
    while (event->filled_count != 0)
        event->slots[event->filled[--event->filled_count]] =
            (sr_slot){SIGMA_NONE, SIGMA_NONE};
}

static void fill(sr_event *event, uint32_t slot, sr_slot values)
{
    if (event->slots[slot].first == SIGMA_NONE)
        event->filled[event->filled_count++] = slot;
    event->slots[slot] = values;
}

/* One huge line must not hold its memory for ever; `next` is the length of the
 * one that follows. */
static void shrink(sr_event *event, size_t next)
{
    sr_work *work = event->work;

    if (event->arena.total > ARENA_KEPT && next < ARENA_KEPT / 8)
        sg_arena_free(&event->arena);
    if (event->value_cap > VALUES_KEPT &&
        event->value_count < VALUES_KEPT / 2 &&
        resize((void **)&event->values, VALUES_KEPT, sizeof *event->values))
        event->value_cap = VALUES_KEPT;
    if (work == NULL || work->seen_cap <= SEEN_KEPT ||
        work->seen_peak >= SEEN_KEPT / 2)
        return;
    if (resize((void **)&work->seen, SEEN_KEPT, sizeof *work->seen))
        work->seen_cap = SEEN_KEPT;
    free(work->index);
    work->index = NULL;
    work->index_cap = 0;
}

void sr_event_begin(sr_event *event, sg_str line)
{
    shrink(event, line.len);
    sr_event_forget(event);
    event->line = line;
    sg_arena_reset(&event->arena);
}

void sr_event_free(sr_event *event)
{
    sr_work *work = event->work;

    if (work != NULL) {
        free(work->cells);
        free(work->touched);
        free(work->nodes);
        free(work->wants);
        free(work->seen);
        free(work->index);
        sr_layouts_free(work->layouts);
        free(work);
    }
    free(event->slots);
    free(event->filled);
    free(event->values);
    sg_arena_free(&event->arena);
    memset(event, 0, sizeof *event);
}

bool sr_event_put(sr_event *event, uint32_t slot, const sr_value *value)
{
    const uint32_t id = event->value_count;
    const sr_value copy = *value; /* which may be one of the event's own */

    if (id == event->value_cap &&
        !grow((void **)&event->values, &event->value_cap,
              sizeof *event->values))
        return false;
    event->values[id] = copy;
    event->values[id].next = SIGMA_NONE;
    event->value_count++;
    fill(event, slot, (sr_slot){id, id});
    return true;
}

/* -------- one run ------------------------------------------------------ */

static bool work_room(sr_work *work, const sr_plan *plan)
{
    uint32_t touched_cap = work->cell_cap;

    return reserve((void **)&work->touched, &touched_cap, plan->cell_count,
                   sizeof *work->touched) &&
           reserve((void **)&work->cells, &work->cell_cap, plan->cell_count,
                   sizeof *work->cells) &&
           reserve((void **)&work->nodes, &work->node_cap, plan->node_count,
                   sizeof *work->nodes) &&
           reserve((void **)&work->wants, &work->want_cap, plan->want_count,
                   sizeof *work->wants);
}

uint64_t sr_work_begin(sr_event *event, const sr_plan *plan)
{
    sr_work *work = event->work;

    if (work == NULL)
        work = event->work = calloc(1, sizeof *work);
    if (work == NULL || !work_room(work, plan))
        return 0;
    work->touched_count = 0;
    work->seen_count = work->seen_peak = work->indexed = 0;
    work->any_dead = false;
    if (++work->epoch == 0) { /* entries of 2^32 runs ago look current */
        if (work->index != NULL)
            memset(work->index, 0, work->index_cap * sizeof *work->index);
        work->epoch = 1;
    }
    return ++work->serial;
}

sr_value *sr_work_add(sr_event *event, uint64_t run, uint32_t cell)
{
    sr_work *work = event->work;
    sr_work_cell *list = &work->cells[cell];
    const uint32_t id = event->value_count;

    if (id == event->value_cap &&
        !grow((void **)&event->values, &event->value_cap,
              sizeof *event->values))
        return NULL;
    event->values[id].next = SIGMA_NONE;
    event->value_count++;
    if (list->run != run) {
        list->run = run;
        list->first = id;
        work->touched[work->touched_count++] = cell;
    } else {
        event->values[list->last].next = id;
    }
    list->last = id;
    return &event->values[id];
}

void sr_work_kill(sr_event *event, uint32_t from, uint32_t to)
{
    assert(from <= to && to <= event->value_count);
    for (uint32_t i = from; i < to; i++)
        event->values[i].kind = SR_DEAD;
    if (from < to)
        event->work->any_dead = true;
}

/* -------- keys seen ---------------------------------------------------- */

/* Where an entry is in the index, or the free place where it would be. */
static uint32_t place(const sr_work *work, uint64_t hash, uint32_t entry)
{
    const uint32_t mask = work->index_cap - 1;
    uint32_t i = (uint32_t)hash & mask;

    while (work->index[i].epoch == work->epoch && work->index[i].entry != entry)
        i = (i + 1) & mask;
    return i;
}

static void index_entry(sr_work *work, uint32_t entry)
{
    const uint64_t hash = work->seen[entry].hash;
    const uint32_t at = place(work, hash, entry);

    work->index[at] = (sr_seen_ref){work->epoch, entry, (uint32_t)(hash >> 32)};
    work->indexed++;
}

/* Make the index so large that it stays at most half full with `more`. */
static bool index_room(sr_work *work, uint32_t more)
{
    const uint32_t old_cap = work->index_cap;
    sr_seen_ref *old = work->index;
    uint32_t cap = old_cap == 0 ? 1024 : old_cap;

    while (cap / 2 < work->indexed + more) {
        if (cap > UINT32_MAX / 4)
            return false;
        cap *= 2;
    }
    if (cap == old_cap)
        return true;
    work->index = calloc(cap, sizeof *work->index);
    if (work->index == NULL) {
        work->index = old;
        return false;
    }
    work->index_cap = cap;
    work->indexed = 0;
    /* In the order of entries, so that the last one can be taken out. */
    for (uint32_t i = 0; i < work->seen_count; i++)
        if (work->seen[i].indexed)
            index_entry(work, i);
    free(old);
    return true;
}

static bool same_key(const sr_seen *entry, uint64_t hash, sg_str key)
{
    return entry->hash == hash && sg_str_eq(entry->key, key);
}

/* The entry of a key in this object, or SIGMA_NONE. The hash tells objects
 * apart too, but only by chance: entries below the object's do not count. */
static uint32_t find_seen(const sr_work *work, const sr_frame *frame,
                          uint64_t hash, sg_str key)
{
    const uint32_t mask = work->index_cap - 1;

    if (!frame->indexed) {
        for (uint32_t i = frame->keys; i < work->seen_count; i++)
            if (same_key(&work->seen[i], hash, key))
                return i;
        return SIGMA_NONE;
    }
    for (uint32_t i = (uint32_t)hash & mask;
         work->index[i].epoch == work->epoch; i = (i + 1) & mask) {
        const uint32_t entry = work->index[i].entry;
        if (work->index[i].hash == (uint32_t)(hash >> 32) &&
            entry >= frame->keys && same_key(&work->seen[entry], hash, key))
            return entry;
    }
    return SIGMA_NONE;
}

/* Add an entry; the object's entries go to the index when they are many. */
static bool add_seen(sr_work *work, sr_frame *frame, const sr_seen *entry)
{
    const uint32_t count = work->seen_count - frame->keys;

    if (work->seen_count == work->seen_cap &&
        !grow((void **)&work->seen, &work->seen_cap, sizeof *work->seen))
        return false;
    work->seen[work->seen_count] = *entry;
    work->seen_count++;
    if (work->seen_count > work->seen_peak)
        work->seen_peak = work->seen_count;
    if (!frame->indexed && count < LINEAR_KEYS)
        return true;
    if (!index_room(work, frame->indexed ? 1 : count + 1))
        return false;
    for (uint32_t i = frame->indexed ? count : 0; i <= count; i++) {
        work->seen[frame->keys + i].indexed = true;
        index_entry(work, frame->keys + i);
    }
    frame->indexed = true;
    return true;
}

uint32_t sr_work_seen(sr_event *event, sr_frame *frame, uint64_t hash,
                      sg_str key)
{
    sr_work *work = event->work;
    const uint32_t now = event->value_count;
    const uint64_t both = hash ^ frame->instance * UINT64_C(0x9E3779B97F4A7C15);
    const uint32_t id = find_seen(work, frame, both, key);

    if (id == SIGMA_NONE) {
        const sr_seen entry = {both, key, now, now, false};
        return add_seen(work, frame, &entry) ? work->seen_count - 1
                                             : SIGMA_NONE;
    }
    sr_work_kill(event, work->seen[id].from, work->seen[id].to);
    work->seen[id].from = work->seen[id].to = now;
    return id;
}

void sr_work_unsee(sr_work *work, const sr_frame *frame)
{
    assert(frame->keys <= work->seen_count);
    while (frame->indexed && work->seen_count > frame->keys) {
        const uint32_t last = --work->seen_count;
        /* Nothing was put behind the last one: its place may be emptied. */
        work->index[place(work, work->seen[last].hash, last)].epoch = 0;
        work->indexed--;
    }
    work->seen_count = frame->keys;
}

/* -------- from cells to slots ------------------------------------------ */

/* Take dead values out of a list. */
static void relink(sr_event *event, sr_work_cell *list)
{
    uint32_t last = SIGMA_NONE;
    uint32_t next;

    for (uint32_t i = list->first; i != SIGMA_NONE; i = next) {
        next = event->values[i].next;
        if (event->values[i].kind == SR_DEAD)
            continue;
        if (last == SIGMA_NONE)
            list->first = i;
        else
            event->values[last].next = i;
        last = i;
    }
    if (last == SIGMA_NONE)
        list->first = SIGMA_NONE;
    else
        event->values[last].next = SIGMA_NONE;
    list->last = last;
}

static bool holds(const sr_work *work, uint64_t run, uint32_t cell)
{
    return cell != SIGMA_NONE && work->cells[cell].run == run &&
           work->cells[cell].first != SIGMA_NONE;
}

/* Bit s: the event has shape s. */
static uint32_t shapes_of(const sr_work *work, const sr_plan *plan,
                          uint64_t run)
{
    uint32_t bits = 0;

    _Static_assert(SR_SHAPE_ANY < 32, "shapes are bits of an uint32_t");
    for (uint32_t s = 0; s < SR_SHAPE_COUNT; s++) {
        const uint32_t *object = plan->marks[s].object;
        const uint32_t *key = plan->marks[s].key;
        if (object[0] != SIGMA_NONE && !holds(work, run, object[0]) &&
            !holds(work, run, object[1]))
            continue;
        if (key[0] == SIGMA_NONE || holds(work, run, key[0]) ||
            holds(work, run, key[1]))
            bits |= UINT32_C(1) << s;
    }
    return bits | UINT32_C(1) << SR_SHAPE_ANY;
}

static void offer(sr_event *event, uint64_t run, const sr_use *use,
                  const sr_work_cell *list)
{
    sr_work_want *want = &event->work->wants[use->want];

    if (want->run == run && want->rank <= use->rank)
        return;
    want->run = run;
    want->rank = use->rank;
    fill(event, use->slot, (sr_slot){list->first, list->last});
}

void sr_work_resolve(sr_event *event, const sr_plan *plan, uint64_t run)
{
    sr_work *work = event->work;
    uint32_t shapes;

    if (work->any_dead)
        for (uint32_t i = 0; i < work->touched_count; i++)
            relink(event, &work->cells[work->touched[i]]);
    shapes = shapes_of(work, plan, run);
    for (uint32_t i = 0; i < work->touched_count; i++) {
        const sr_work_cell *list = &work->cells[work->touched[i]];
        const sr_cell *cell = &plan->cells[work->touched[i]];
        if (list->first == SIGMA_NONE)
            continue;
        for (uint32_t u = 0; u < cell->use_count; u++) {
            const sr_use *use =
                u == 0 ? &cell->use : &plan->uses[cell->use_first + u];
            if ((shapes >> use->shape & 1) != 0)
                offer(event, run, use, list);
        }
    }
}
