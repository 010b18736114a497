/*
 * project.c - compile wanted fields into a trie of keys (see plan.h).
 *
 * A draft is built first, nodes linked by parent; then it is laid out in flat
 * tables. Rows of shapes.def that hold for any field make paths with one
 * wildcard step; its subtree is copied into the named siblings, so that a
 * scan follows one node at a time. A %S step is a child whose key has a byte
 * before it that no event has; its subtree is copied into the siblings that
 * are the same name with blanks.
 */
#include "record/scan.h"

#include <assert.h>
#include <string.h>
#include <sys/random.h>

/* -------- hashing ------------------------------------------------------ */

/* Odd numbers unknown to who writes the events. Without a random source the
 * address space layout has to do. */
static void fill_seed(sr_plan *plan)
{
    if (getrandom(plan->seed, sizeof plan->seed, GRND_NONBLOCK) !=
        (ssize_t)sizeof plan->seed) {
        plan->seed[0] = (uintptr_t)plan * UINT64_C(0x9E3779B97F4A7C15);
        plan->seed[1] = (uintptr_t)&plan * UINT64_C(0xD1B54A32D192ED03);
    }
    plan->seed[0] |= 1;
    plan->seed[1] |= 1;
}

/* -------- draft -------------------------------------------------------- */

typedef SG_VEC(uint32_t) ids;

typedef struct draft_node {
    sg_str key;
    uint32_t first_child, next; /* siblings */
    uint32_t child_count;
    uint32_t wild;
    uint32_t cell; /* of the path that ends here, or SIGMA_NONE */
    uint32_t mark;
    bool has_text; /* objects here may stand for their #text */
    ids feeds;
} draft_node;

typedef struct draft_use {
    uint32_t cell;
    sr_use use;
} draft_use;

typedef struct draft {
    sg_arena *arena; /* of the draft */
    sg_arena *keep;  /* of the plan */
    SG_VEC(draft_node) nodes;
    SG_VEC(draft_use) uses;
    sg_map children; /* parent id and key to child */
    uint32_t cell_count;
} draft;

enum { ROOT = 0 };

static uint32_t new_node(draft *d, sg_str key)
{
    draft_node node = {.key = key,
                       .first_child = SIGMA_NONE,
                       .next = SIGMA_NONE,
                       .wild = SIGMA_NONE,
                       .cell = SIGMA_NONE,
                       .mark = SIGMA_NONE};

    SG_PUSH(d->arena, &d->nodes, node);
    return d->nodes.count - 1;
}

static uint32_t child(draft *d, uint32_t parent, sg_str key)
{
    char *name = sg_arena_alloc(d->arena, sizeof parent + key.len, 1);
    uint32_t *cell;
    uint32_t id;
    bool found;

    memcpy(name, &parent, sizeof parent);
    if (key.len != 0)
        memcpy(name + sizeof parent, key.ptr, key.len);
    cell = sg_map_put(d->arena, &d->children,
                      (sg_str){name, sizeof parent + key.len}, &found);
    if (found)
        return *cell;
    id = *cell = new_node(d, key);
    d->nodes.items[id].next = d->nodes.items[parent].first_child;
    d->nodes.items[parent].first_child = id;
    d->nodes.items[parent].child_count++;
    return id;
}

static uint32_t wild_child(draft *d, uint32_t parent)
{
    uint32_t id = d->nodes.items[parent].wild;

    if (id == SIGMA_NONE) {
        id = new_node(d, SG_S("*"));
        d->nodes.items[parent].wild = id;
    }
    return id;
}

static uint32_t cell_of(draft *d, uint32_t id)
{
    draft_node *node = &d->nodes.items[id];

    if (node->cell == SIGMA_NONE)
        node->cell = d->cell_count++;
    return node->cell;
}

/* -------- paths -------------------------------------------------------- */

/* Cut the first step off a dotted path; false when none is left. */
static bool next_step(sg_str *path, bool *more, sg_str *step)
{
    const char *dot;

    if (!*more)
        return false;
    dot = path->len == 0 ? NULL : memchr(path->ptr, '.', path->len);
    *more = dot != NULL;
    *step = *path;
    if (dot != NULL) {
        step->len = (size_t)(dot - path->ptr);
        *path = sg_str_sub(*path, step->len + 1, path->len);
    }
    return true;
}

static sg_str spaced_key(sg_arena *arena, sg_str key)
{
    return sr_spaced_key(sg_arena_alloc(arena, key.len + 1, 1), key);
}

/* The node of a path. In a row of shapes.def (field given) %F is that field,
 * %S the same for keys with blanks, and * any key; in the name of a field all
 * are themselves. */
static uint32_t node_of(draft *d, sg_str path, const sg_str *field)
{
    uint32_t node = ROOT;
    uint32_t depth = 0;
    bool more = true, text = false;
    sg_str step;

    for (; next_step(&path, &more, &step); depth++) {
        if (field != NULL && sg_str_eq(step, SG_S("*"))) {
            node = wild_child(d, node);
            continue;
        }
        if (field != NULL && sg_str_eq(step, SG_S("%F")))
            step = *field;
        else if (field != NULL && sg_str_eq(step, SG_S("%S")))
            step = spaced_key(d->keep, *field);
        node = child(d, node, step);
        if (depth == 0)
            text = sr_shape_has_text(step);
    }
    if (text && depth > 1)
        d->nodes.items[node].has_text = true;
    return node;
}

static void add_use(draft *d, uint32_t node, sr_use use)
{
    const draft_use added = {cell_of(d, node), use};

    SG_PUSH(d->arena, &d->uses, added);
}

static void add_rows(draft *d, uint32_t want, uint32_t slot, sg_str name)
{
    for (uint32_t i = 0; i < sr_shape_row_count; i++) {
        const sr_shape_row *row = &sr_shape_rows[i];
        /* No key without its blanks is a name that has some. */
        if (sg_str_ends(row->path, SG_S("%S")) && sr_has_blank(name))
            continue;
        if (row->name.len == 0 || sg_str_eq(row->name, name))
            add_use(d, node_of(d, row->path, &name),
                    (sr_use){want, slot, 2 + i, row->shape});
    }
}

static void add_field(draft *d, uint32_t want, uint32_t slot, sg_str name)
{
    add_use(d, child(d, ROOT, name), (sr_use){want, slot, 0, SR_SHAPE_ANY});
    if (name.len != 0 && memchr(name.ptr, '.', name.len) != NULL)
        add_use(d, node_of(d, name, NULL),
                (sr_use){want, slot, 1, SR_SHAPE_ANY});
    add_rows(d, want, slot, name);
}

static void add_marks(draft *d, sr_plan *plan)
{
    for (uint32_t s = 0; s < SR_SHAPE_COUNT; s++) {
        const sr_shape_marks *marks = &sr_shape_marks_of[s];
        for (int i = 0; i < 2; i++) {
            if (marks->object[i].len != 0) {
                const uint32_t id = node_of(d, marks->object[i], NULL);
                d->nodes.items[id].mark = d->cell_count;
                plan->marks[s].object[i] = d->cell_count++;
            }
            if (marks->key[i].len != 0)
                plan->marks[s].key[i] =
                    cell_of(d, child(d, ROOT, marks->key[i]));
        }
    }
}

/* -------- feeds -------------------------------------------------------- */

static void add_feed(draft *d, uint32_t node, uint32_t cell)
{
    ids *feeds = &d->nodes.items[node].feeds;

    for (uint32_t i = 0; i < feeds->count; i++)
        if (feeds->items[i] == cell)
            return;
    SG_PUSH(d->arena, feeds, cell);
}

/* Every node feeds its own cell, and #text also that of its parent. */
static void add_feeds(draft *d)
{
    const uint32_t count = d->nodes.count;

    for (uint32_t i = 0; i < count; i++) {
        const uint32_t cell = d->nodes.items[i].cell;
        if (cell == SIGMA_NONE)
            continue;
        add_feed(d, i, cell);
        if (d->nodes.items[i].has_text)
            add_feed(d, child(d, i, SG_S("#text")), cell);
    }
}

/* Copy what lies below `from` to below `to`. The depth is that of the rows
 * of shapes.def behind a wildcard. */
static void copy_below(draft *d, uint32_t from, uint32_t to)
{
    assert(d->nodes.items[from].wild == SIGMA_NONE);
    for (uint32_t i = d->nodes.items[from].first_child; i != SIGMA_NONE;
         i = d->nodes.items[i].next) {
        const uint32_t copy = child(d, to, d->nodes.items[i].key);
        for (uint32_t f = 0; f < d->nodes.items[i].feeds.count; f++)
            add_feed(d, copy, d->nodes.items[i].feeds.items[f]);
        copy_below(d, i, copy);
    }
}

static void copy_wildcards(draft *d)
{
    const uint32_t count = d->nodes.count;

    for (uint32_t i = 0; i < count; i++) {
        const uint32_t wild = d->nodes.items[i].wild;
        if (wild == SIGMA_NONE)
            continue;
        for (uint32_t c = d->nodes.items[i].first_child; c != SIGMA_NONE;
             c = d->nodes.items[c].next)
            copy_below(d, wild, c);
    }
}

/* A named child with blanks is also what its %S sibling stands for. */
static void copy_spaced_to(draft *d, uint32_t parent, uint32_t to)
{
    const sg_str key = spaced_key(d->arena, d->nodes.items[to].key);

    for (uint32_t i = d->nodes.items[parent].first_child; i != SIGMA_NONE;
         i = d->nodes.items[i].next) {
        if (!sg_str_eq(d->nodes.items[i].key, key))
            continue;
        for (uint32_t f = 0; f < d->nodes.items[i].feeds.count; f++)
            add_feed(d, to, d->nodes.items[i].feeds.items[f]);
        copy_below(d, i, to);
    }
}

static void copy_spaced(draft *d)
{
    const uint32_t count = d->nodes.count;

    for (uint32_t i = 0; i < count; i++)
        for (uint32_t c = d->nodes.items[i].first_child; c != SIGMA_NONE;
             c = d->nodes.items[c].next)
            if (sr_has_blank(d->nodes.items[c].key))
                copy_spaced_to(d, i, c);
}

/* -------- layout ------------------------------------------------------- */

static uint32_t table_size(uint32_t children)
{
    uint32_t size = 1;

    while (size < 2 * children)
        size *= 2;
    return size;
}

enum { ENDS_MOST = 48 }; /* children whose ends are worth looking at */

const sr_ends sr_any_ends = {{{255, 255, 255, 255, 255, 255, 255, 255, 255, 255,
                               255, 255, 255, 255, 255, 255}},
                             {{255, 255, 255, 255, 255, 255, 255, 255, 255, 255,
                               255, 255, 255, 255, 255, 255}}};

static void add_byte(sr_bytes *set, char c)
{
    const unsigned char byte = (unsigned char)c;

    set->low[byte & 15] |= (uint8_t)(1u << (byte >> 4 & 7));
}

static void add_ends(sr_ends *ends, sg_str key)
{
    add_byte(&ends->first, key.ptr[0]);
    add_byte(&ends->last, key.ptr[key.len - 1]);
}

static void fill_table(const draft *d, sr_plan *plan, uint32_t id)
{
    sr_node *node = &plan->nodes[id];

    for (uint32_t c = d->nodes.items[id].first_child; c != SIGMA_NONE;
         c = d->nodes.items[c].next) {
        const sg_str key = d->nodes.items[c].key;
        const uint64_t hash = sr_key_hash(plan, key);
        uint32_t i = (uint32_t)hash & node->mask;
        while (plan->keys[node->table + i].node != SIGMA_NONE)
            i = (i + 1) & node->mask;
        plan->keys[node->table + i] = (sr_key){key, (uint32_t)(hash >> 32), c};
        i = sr_key_sketch(key) & node->sketch_mask;
        plan->sketches[node->sketch + i / 8] |= (uint8_t)(1u << i % 8);
        add_ends(&plan->ends[id], key.len == 0 ? SG_S("\"") : key);
        node->spaced |= key.len != 0 && key.ptr[0] == SR_SPACED;
    }
}

static void lay_out_nodes(const draft *d, sr_plan *plan, sg_arena *arena)
{
    uint32_t keys = 0, feeds = 0;

    plan->node_count = d->nodes.count;
    plan->nodes = sg_new_n(arena, sr_node, d->nodes.count);
    plan->ends = sg_new_n(arena, sr_ends, d->nodes.count);
    for (uint32_t i = 0; i < d->nodes.count; i++) {
        const draft_node *from = &d->nodes.items[i];
        const uint32_t size = table_size(from->child_count);
        plan->nodes[i] = (sr_node){.table = keys,
                                   .mask = size - 1,
                                   .sketch = keys,
                                   .sketch_mask = size * 8 - 1,
                                   .wild = from->wild,
                                   .many = from->child_count > ENDS_MOST,
                                   .feed_first = feeds,
                                   .feed_count = from->feeds.count,
                                   .mark = from->mark};
        keys += size;
        feeds += from->feeds.count;
    }
    plan->keys = sg_new_n(arena, sr_key, keys);
    plan->sketches = sg_new_n(arena, uint8_t, keys); /* 8 bits a place */
    plan->feeds = sg_new_n(arena, uint32_t, feeds + 1);
    for (uint32_t i = 0; i < keys; i++)
        plan->keys[i].node = SIGMA_NONE;
    for (uint32_t i = 0; i < d->nodes.count; i++) {
        const ids *from = &d->nodes.items[i].feeds;
        if (from->count != 0) {
            memcpy(plan->feeds + plan->nodes[i].feed_first, from->items,
                   from->count * sizeof *from->items);
            plan->nodes[i].feed = from->items[0];
        }
        fill_table(d, plan, i);
    }
}

static void lay_out_uses(const draft *d, sr_plan *plan, sg_arena *arena)
{
    uint32_t first = 0;

    plan->cell_count = d->cell_count;
    plan->cells = sg_new_n(arena, sr_cell, d->cell_count + 1);
    plan->uses = sg_new_n(arena, sr_use, d->uses.count + 1);
    for (uint32_t i = 0; i < d->uses.count; i++)
        plan->cells[d->uses.items[i].cell].use_count++;
    for (uint32_t i = 0; i < d->cell_count; i++) {
        plan->cells[i].use_first = first;
        first += plan->cells[i].use_count;
        plan->cells[i].use_count = 0;
    }
    for (uint32_t i = 0; i < d->uses.count; i++) {
        sr_cell *cell = &plan->cells[d->uses.items[i].cell];
        if (cell->use_count == 0)
            cell->use = d->uses.items[i].use;
        plan->uses[cell->use_first + cell->use_count++] = d->uses.items[i].use;
    }
}

static void add_keywords(draft *d, sr_plan *plan, uint32_t want, uint32_t slot)
{
    const sr_use use = {want, slot, 0, SR_SHAPE_ANY};

    if (plan->keywords == SIGMA_NONE)
        plan->keywords = d->cell_count++;
    SG_PUSH(d->arena, &d->uses, ((draft_use){plan->keywords, use}));
}

sr_plan *sr_plan_new(sg_arena *arena, const sr_want *wants, uint32_t count)
{
    sr_plan *plan = sg_new(arena, sr_plan);
    sg_arena scratch = {0};
    draft d = {.arena = &scratch, .keep = arena};
    bool fields = false;

    fill_seed(plan);
    plan->level = sr_level_choose();
    plan->keywords = SIGMA_NONE;
    memset(plan->marks, 0xFF, sizeof plan->marks); /* SIGMA_NONE */
    plan->want_count = count;
    new_node(&d, SG_S(""));
    for (uint32_t i = 0; i < count; i++) {
        if (wants[i].keywords)
            add_keywords(&d, plan, i, wants[i].slot);
        else
            add_field(&d, i, wants[i].slot, sg_arena_dup(arena, wants[i].name));
        fields = fields || !wants[i].keywords;
    }
    if (fields)
        add_marks(&d, plan);
    add_feeds(&d);
    copy_wildcards(&d);
    copy_spaced(&d);
    lay_out_nodes(&d, plan, arena);
    lay_out_uses(&d, plan, arena);
    plan->layouts = sr_layouts_choose(plan, d.nodes.items[ROOT].child_count);
    sg_arena_free(&scratch);
    return plan;
}
