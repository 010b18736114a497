/*
 * take.c - what becomes of keys, values and containers that a scanner found:
 * values of planned paths go to the event's cells, and a key given again in
 * one object takes back what it gave before.
 */
#include "record/scan.h"

#include <string.h>

/* -------- values ------------------------------------------------------- */

/* A new value of a cell. */
static bool add(sr_scan *s, uint32_t cell, sr_kind kind, sg_str raw)
{
    sr_value *value = sr_work_add(s->event, s->run, cell);

    if (value == NULL)
        return sr_fail_memory(s);
    sr_fill_value(value, kind, raw, s->escaped);
    return true;
}

bool sr_take_scalar(sr_scan *s, uint32_t node, sr_kind kind, sg_str raw)
{
    const sr_node *to;

    if (s->plan->keywords != SIGMA_NONE && kind != SR_NULL &&
        !add(s, s->plan->keywords, kind, raw))
        return false;
    if (node == SIGMA_NONE)
        return true;
    to = &s->plan->nodes[node];
    for (uint32_t i = 0; i < to->feed_count; i++)
        if (!add(s, sr_feed_of(s->plan, to, i), kind, raw))
            return false;
    return true;
}

/* An object, or an empty array, at a wanted place: one value in each cell
 * that got none from inside. */
static bool take_container(sr_scan *s, const sr_frame *frame, sr_kind kind)
{
    const sr_node *to = &s->plan->nodes[frame->node];
    const sg_str raw = {frame->start, (size_t)(s->p - frame->start)};

    for (uint32_t i = 0; i < to->feed_count; i++) {
        const uint32_t id = sr_feed_of(s->plan, to, i);
        const sr_work_cell *cell = &s->work->cells[id];
        if (cell->run == s->run && cell->last >= frame->values)
            continue;
        if (!add(s, id, kind, raw))
            return false;
    }
    if (kind == SR_OBJECT && frame->direct && to->mark != SIGMA_NONE)
        return add(s, to->mark, kind, raw);
    return true;
}

/* -------- containers --------------------------------------------------- */

bool sr_enter(sr_scan *s, uint32_t node)
{
    const sr_frame *outer;
    sr_frame *frame;

    if (s->depth == SR_MAX_DEPTH)
        return sr_fail(s, "nested too deeply");
    outer = s->depth == 0 ? NULL : &s->work->frames[s->depth - 1];
    frame = &s->work->frames[s->depth++];
    *frame = (sr_frame){
        .start = s->p,
        .guess = node == SIGMA_NONE ? NULL : &s->work->nodes[node].first,
        .node = node,
        .child = SIGMA_NONE,
        .seen = SIGMA_NONE,
        .values = s->event->value_count,
        .keys = s->work->seen_count,
        .fresh = true};
    if (*s->p == '{') {
        frame->close = '}';
        frame->instance = ++s->work->serial;
        frame->direct = outer == NULL || outer->direct;
    } else {
        frame->close = ']';
        frame->inner = outer != NULL && outer->close == ']';
    }
    s->p++;
    return true;
}

/* The member of an object has been read: note which values it gave. */
void sr_end_member(sr_scan *s, const sr_frame *frame)
{
    if (frame->child != SIGMA_NONE)
        s->work->nodes[frame->child].to = s->event->value_count;
    if (frame->seen != SIGMA_NONE)
        s->work->seen[frame->seen].to = s->event->value_count;
}

/* s->p at the closing bracket of the top frame. */
bool sr_leave(sr_scan *s)
{
    const sr_frame *frame = &s->work->frames[--s->depth];
    const bool object = frame->close == '}';

    s->p++;
    sr_work_unsee(s->work, frame);
    if (frame->node != SIGMA_NONE && (object || !frame->inner) &&
        !take_container(s, frame, object ? SR_OBJECT : SR_EMPTY))
        return false;
    if (s->depth != 0)
        sr_end_member(s, frame - 1);
    return true;
}

/* -------- members ------------------------------------------------------ */

/* The place of a key in a node's table, or SIGMA_NONE. */
static uint32_t find(const sr_plan *plan, const sr_node *node, uint64_t hash,
                     sg_str key)
{
    const sr_key *table = plan->keys + node->table;
    uint32_t i = (uint32_t)hash & node->mask;

    for (; table[i].node != SIGMA_NONE; i = (i + 1) & node->mask)
        if (table[i].hash == (uint32_t)(hash >> 32) &&
            sr_key_eq(table[i].text, key))
            return i;
    return SIGMA_NONE;
}

/* The node of a place. */
static uint32_t child_at(const sr_plan *plan, const sr_node *node,
                         uint32_t place)
{
    return place == SIGMA_NONE ? node->wild
                               : plan->keys[node->table + place].node;
}

bool sr_is_wanted(const sr_plan *plan, const sr_node *node, sg_str key)
{
    if (node->wild != SIGMA_NONE || (node->spaced && sr_has_blank(key)))
        return true;
    return sr_node_may_have(plan, node, key) &&
           find(plan, node, sr_key_hash(plan, key), key) != SIGMA_NONE;
}

/* The place of a key for what it is without its blanks. */
static uint32_t find_spaced(const sr_scan *s, const sr_node *node, sg_str key)
{
    char *dst = sg_arena_alloc(&s->event->arena, key.len + 1, 1);
    const sg_str spaced = sr_spaced_key(dst, key);

    return find(s->plan, node, sr_key_hash(s->plan, spaced), spaced);
}

/* The child is there once more, or for the first time. */
static void begin_child(sr_scan *s, const sr_frame *frame)
{
    sr_work_node *at = &s->work->nodes[frame->child];

    if (at->instance == frame->instance)
        sr_work_kill(s->event, at->from, at->to);
    at->instance = frame->instance;
    at->from = at->to = s->event->value_count;
}

/* The key in this place of the table is that of the next member. */
static void begin_named(sr_scan *s, sr_frame *frame, const sr_node *node,
                        uint32_t place)
{
    frame->child = child_at(s->plan, node, place);
    *frame->guess = place;
    frame->guess = &s->work->nodes[frame->child].behind;
    begin_child(s, frame);
}

void sr_begin_guessed(sr_scan *s, sr_frame *frame)
{
    frame->seen = SIGMA_NONE;
    begin_named(s, frame, &s->plan->nodes[frame->node], *frame->guess);
}

bool sr_begin_member(sr_scan *s, sr_frame *frame, sg_str key)
{
    const sr_node *node =
        frame->node == SIGMA_NONE ? NULL : &s->plan->nodes[frame->node];
    const bool blank = node != NULL && node->spaced && sr_has_blank(key);
    const bool any_key = s->plan->keywords != SIGMA_NONE || blank ||
                         (node != NULL && node->wild != SIGMA_NONE);
    const uint64_t hash = sr_key_hash(s->plan, key);
    uint32_t place = SIGMA_NONE;

    frame->child = frame->seen = SIGMA_NONE;
    if (any_key) {
        frame->seen = sr_work_seen(s->event, frame, hash, key);
        if (frame->seen == SIGMA_NONE)
            return sr_fail_memory(s);
    }
    if (node == NULL)
        return true;
    place = find(s->plan, node, hash, key);
    if (place != SIGMA_NONE) {
        begin_named(s, frame, node, place);
        return true;
    }
    /* The node serves other keys, too. */
    if (blank)
        place = find_spaced(s, node, key);
    frame->child = child_at(s->plan, node, place);
    return true;
}
