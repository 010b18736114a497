/*
 * table.c - hash table of items that carry their own keys: 64-bit hash and
 * pointer in a flat array, full keys compared. Removal shifts back, so probes
 * stay short however many groups come and go.
 */
#include "agg/parts.h"

#include <assert.h>

enum { FIRST_CAP = 8 };

sg_str sr_item_key(const sr_item *item)
{
    return (sg_str){(const char *)item + item->key_at, item->key_len};
}

static uint32_t home_of(const sr_table *table, uint64_t hash)
{
    return (uint32_t)hash & (table->cap - 1);
}

sr_item *sr_table_find(const sr_table *table, uint64_t hash, sg_str key)
{
    if (table->cap == 0)
        return NULL;
    for (uint32_t i = home_of(table, hash);; i = (i + 1) & (table->cap - 1)) {
        const sr_table_slot *slot = &table->slots[i];

        if (slot->item == NULL)
            return NULL;
        if (slot->hash == hash && sg_str_eq(sr_item_key(slot->item), key))
            return slot->item;
    }
}

const sr_table_slot *sr_table_home(const sr_table *table, uint64_t hash)
{
    return table->cap == 0 ? NULL : &table->slots[home_of(table, hash)];
}

sr_item *sr_table_peek(const sr_table *table, uint64_t hash)
{
    if (table->cap == 0)
        return NULL;
    for (uint32_t i = home_of(table, hash);; i = (i + 1) & (table->cap - 1)) {
        const sr_table_slot *slot = &table->slots[i];

        if (slot->item == NULL || slot->hash == hash)
            return slot->item;
    }
}

/* Whether so many items are too many for the slots to take one more. */
static bool is_full(uint32_t count, uint32_t cap)
{
    return count >= cap / 4 * 3;
}

static void place(sr_table *table, sr_table_slot entry)
{
    uint32_t i = home_of(table, entry.hash);

    while (table->slots[i].item != NULL)
        i = (i + 1) & (table->cap - 1);
    table->slots[i] = entry;
}

static bool grow(sr_pool *pool, sr_table *table)
{
    const sr_table old = *table;

    if (old.cap > UINT32_MAX / 2)
        return false;
    const uint32_t cap = old.cap == 0 ? FIRST_CAP : old.cap * 2;
    sr_table_slot *slots = sr_pool_zeroed(pool, cap * sizeof(*slots));

    if (slots == NULL)
        return false;
    table->slots = slots;
    table->cap = cap;
    for (uint32_t i = 0; i < old.cap; i++)
        if (old.slots[i].item != NULL)
            place(table, old.slots[i]);
    sr_pool_free(pool, old.slots, old.cap * sizeof(*old.slots));
    return true;
}

bool sr_table_add(sr_pool *pool, sr_table *table, sr_item *item)
{
    if (is_full(table->count, table->cap) && !grow(pool, table))
        return false;
    place(table, (sr_table_slot){item->hash, item});
    table->count++;
    return true;
}

/* The slot of an item that is there. */
static uint32_t slot_of(const sr_table *table, const sr_item *item)
{
    uint32_t i = home_of(table, item->hash);

    while (table->slots[i].item != item) {
        assert(table->slots[i].item != NULL);
        i = (i + 1) & (table->cap - 1);
    }
    return i;
}

void sr_table_replace(sr_table *table, const sr_item *item, sr_item *by)
{
    table->slots[slot_of(table, item)].item = by;
}

void sr_table_remove(sr_table *table, const sr_item *item)
{
    const uint32_t mask = table->cap - 1;
    uint32_t hole = slot_of(table, item);

    /* Close the gap: whoever sits further from home than the hole moves in. */
    for (uint32_t i = (hole + 1) & mask; table->slots[i].item != NULL;
         i = (i + 1) & mask) {
        const uint32_t home = home_of(table, table->slots[i].hash);

        if (((i - home) & mask) >= ((i - hole) & mask)) {
            table->slots[hole] = table->slots[i];
            hole = i;
        }
    }
    table->slots[hole] = (sr_table_slot){0, NULL};
    table->count--;
}

size_t sr_table_bytes(uint32_t count)
{
    uint32_t cap = FIRST_CAP;

    if (count == 0)
        return 0;
    while (is_full(count - 1, cap) && cap <= UINT32_MAX / 2)
        cap *= 2;
    return sr_pool_size(cap * sizeof(sr_table_slot));
}

void sr_table_free(sr_pool *pool, sr_table *table)
{
    sr_pool_free(pool, table->slots, table->cap * sizeof(*table->slots));
    *table = (sr_table){NULL, 0, 0};
}
