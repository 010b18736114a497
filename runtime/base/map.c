/*
 * map.c - from strings to indices: open addressing with linear probing, at
 * most three quarters full. Keys are borrowed; memory comes from an arena, so
 * a grown table leaves its predecessor behind until the arena goes.
 */
#include "base/sg_base.h"

#include <string.h>

struct sg_map_slot {
    sg_str key; /* ptr NULL: free */
    uint64_t hash;
    uint32_t value;
};

/* The slot of key, or the free one where it would go. */
static sg_map_slot *find_slot(sg_map_slot *slots, uint32_t cap, sg_str key,
                              uint64_t hash)
{
    const uint32_t mask = cap - 1;

    for (uint32_t i = (uint32_t)hash & mask;; i = (i + 1) & mask) {
        sg_map_slot *slot = &slots[i];

        if (slot->key.ptr == NULL)
            return slot;
        if (slot->hash == hash && sg_str_eq(slot->key, key))
            return slot;
    }
}

static void grow(sg_arena *arena, sg_map *map)
{
    const uint32_t cap = map->cap == 0 ? 16 : map->cap * 2;
    sg_map_slot *slots;

    if (map->cap > UINT32_MAX / 4)
        sg_fatal("map of more than %u keys", map->count);
    slots = sg_new_n(arena, sg_map_slot, cap);
    for (uint32_t i = 0; i < map->cap; i++) {
        const sg_map_slot *old = &map->slots[i];

        if (old->key.ptr != NULL)
            *find_slot(slots, cap, old->key, old->hash) = *old;
    }
    map->slots = slots;
    map->cap = cap;
}

uint32_t *sg_map_get(const sg_map *map, sg_str key)
{
    sg_map_slot *slot;

    if (map->cap == 0)
        return NULL;
    slot = find_slot(map->slots, map->cap, key, sg_str_hash(key));
    return slot->key.ptr == NULL ? NULL : &slot->value;
}

uint32_t *sg_map_put(sg_arena *arena, sg_map *map, sg_str key, bool *found)
{
    const uint64_t hash = sg_str_hash(key);
    sg_map_slot *slot;

    if (map->count >= map->cap / 4 * 3)
        grow(arena, map);
    slot = find_slot(map->slots, map->cap, key, hash);
    *found = slot->key.ptr != NULL;
    if (!*found) {
        slot->key = key.ptr == NULL ? SG_S("") : key;
        slot->hash = hash;
        slot->value = 0;
        map->count++;
    }
    return &slot->value;
}
