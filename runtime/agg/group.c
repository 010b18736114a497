/*
 * group.c - the groups of a shard: found by correlation and the text of their
 * key values, and kept in the order in which events last touched them.
 *
 * Hashes are salted per process, so that events cannot be made to collide; no
 * result depends on a hash.
 */
#include "agg/engine.h"

#include <stdlib.h>
#include <string.h>

/* -------- keys ----------------------------------------------------------- */

static char *put_u32(char *at, uint32_t n)
{
    memcpy(at, &n, sizeof(n));
    return at + sizeof(n);
}

bool sr_encode(const sr_shard *s, const sr_encoding *what, sg_buf *buf,
               uint8_t *kinds)
{
    buf->len = 0;
    put_u32(sg_buf_reserve(buf, sizeof(uint32_t)), what->number);
    buf->len = sizeof(uint32_t);
    for (uint32_t i = 0; i < what->count; i++) {
        const sr_part_cell *cell =
            sr_part_find(s->agg->layout, s->c, what->hit, what->fields[i], i);

        if (cell == NULL || buf->len > UINT32_MAX / 4)
            return false;
        sr_put_sized(buf, sr_bytes_of(s->c, cell->at, cell->len));
        if (kinds != NULL)
            kinds[i] = (uint8_t)cell->kind;
    }
    return true;
}

sg_str sr_group_parts(const sr_group *group)
{
    const sg_str key = sr_item_key(&group->item);

    return sg_str_sub(key, sizeof(uint32_t), key.len);
}

const uint8_t *sr_group_kinds(const sr_group *group)
{
    const sg_str key = sr_item_key(&group->item);

    return (const uint8_t *)key.ptr + key.len;
}

sg_str sr_next_part(sg_str parts, size_t *at)
{
    uint32_t len;

    memcpy(&len, parts.ptr + *at, sizeof(len));
    *at += sizeof(len) + len;
    return sg_str_sub(parts, *at - len, *at);
}

const sr_cell *sr_group_cells(sr_shard *s, const sr_group *group)
{
    const sg_str parts = sr_group_parts(group);
    const uint8_t *kinds = sr_group_kinds(group);
    size_t at = 0;

    for (uint32_t i = 0; i < sr_corr_of(s, group)->def->key_count; i++) {
        sr_cell *cell = &s->cells[i];

        *cell = (sr_cell){.kind = kinds[i], .text = sr_next_part(parts, &at)};
        if (cell->kind == SR_NUMBER && !sg_num_parse(cell->text, &cell->num))
            cell->kind = SR_STRING;
    }
    return s->cells;
}

/* -------- finding -------------------------------------------------------- */

static uint32_t table_at(uint64_t hash)
{
    return (uint32_t)((hash >> 32) * SR_TABLES >> 32);
}

static sr_table *table_of(sr_shard *s, uint64_t hash)
{
    return &s->tables[table_at(hash)];
}

sr_group *sr_group_find(sr_shard *s, uint64_t hash, sg_str key)
{
    return (sr_group *)(void *)sr_table_find(table_of(s, hash), hash, key);
}

/* The group whose parts are those of the contribution at hand, unless another
 * one has the same hash. */
static sr_group *peek(sr_shard *s, uint32_t number, sg_str parts)
{
    sr_group *group =
        (sr_group *)(void *)sr_table_peek(table_of(s, s->c->hash), s->c->hash);

    return group != NULL && group->correlation == number &&
                   sg_str_eq(sr_group_parts(group), parts)
               ? group
               : NULL;
}

/* What sr_encode does, of parts that lie in one piece. */
static void copy_key(sr_shard *s, uint32_t number, sg_str parts, uint32_t count)
{
    const sr_part_hit *hit = sr_hits_of(s->c);
    const sr_part_cell *cells = sr_cells_of(s->c) + hit->cell +
                                s->agg->layout->needs[hit->need].part_at;

    s->key.len = 0;
    sg_buf_put(&s->key, (sg_str){(const char *)&number, sizeof(number)});
    sg_buf_put(&s->key, parts);
    for (uint32_t i = 0; i < count; i++)
        s->kinds[i] = (uint8_t)cells[i].kind;
}

bool sr_group_seek(sr_shard *s, const sr_corr *corr, const sr_part_hit *hit,
                   const uint32_t *fields, sr_group **group)
{
    const uint32_t number = (uint32_t)(corr - s->agg->corrs);
    const uint32_t count = corr->def->key_count;
    const sr_encoding key = {hit, number, fields, count};
    sg_str parts;

    if (corr->ready && sr_parts_inside(s->c, &parts)) {
        if ((*group = peek(s, number, parts)) != NULL)
            return true;
        copy_key(s, number, parts, count);
    } else if (!sr_encode(s, &key, &s->key, s->kinds)) {
        return false;
    }
    const sg_str text = sg_buf_str(&s->key);

    s->hash = sr_group_hash(s->agg, corr, s->c->hash, text);
    *group = sr_group_find(s, s->hash, text);
    return true;
}

/* -------- in the order of use -------------------------------------------- */

static sr_idle_list *list_of(sr_shard *s, const sr_group *group)
{
    return &s->idle[sr_corr_of(s, group)->class];
}

static void append(sr_idle_list *list, sr_group *group)
{
    group->prev = list->last;
    group->next = NULL;
    if (list->last == NULL)
        list->first = group;
    else
        list->last->next = group;
    list->last = group;
}

static void detach(sr_shard *s, sr_group *group)
{
    sr_idle_list *list = list_of(s, group);

    if (s->compaction.next == group)
        s->compaction.next = group->next;
    if (group->prev == NULL)
        list->first = group->next;
    else
        group->prev->next = group->next;
    if (group->next == NULL)
        list->last = group->prev;
    else
        group->next->prev = group->prev;
}

void sr_group_touch(sr_shard *s, sr_group *group)
{
    sr_idle_list *list = list_of(s, group);

    group->turn = s->turn;
    if (list->last == group)
        return;
    detach(s, group);
    append(list, group);
}

/* -------- making and freeing --------------------------------------------- */

/* Where the room for the first events of the window begins. */
static size_t room_at(const sr_corr *corr)
{
    return sizeof(sr_group) + (corr->type->values ? sizeof(sr_state) : 0) +
           corr->mark_count * sizeof(int64_t);
}

size_t sr_group_size(const sr_corr *corr, size_t key_len)
{
    return room_at(corr) +
           (corr->windowed ? sr_window_room(corr->type->stride) : 0) + key_len +
           corr->def->key_count;
}

static void free_copy(sr_pool *pool, sr_copy *copy)
{
    sr_pool_free(pool, copy->ptr, copy->cap);
}

/* Names a group that save.c has told of, so that it can be taken back. */
static void note_gone(sr_shard *s, const sr_group *group)
{
    enum { MOST = 8 << 20 };
    const sg_str key = sr_item_key(&group->item);
    const uint32_t len = (uint32_t)key.len;

    if (!group->saved || s->save_all)
        return;
    sg_buf_put(&s->gone, (sg_str){(const char *)&len, sizeof(len)});
    sg_buf_put(&s->gone, key);
    if (s->gone.len > MOST)
        s->save_all = true;
}

void sr_group_free(sr_shard *s, sr_group *group)
{
    note_gone(s, group);
    s->charged -= sr_charge(s, group);
    sr_table_remove(table_of(s, group->item.hash), &group->item);
    detach(s, group);
    s->stats.groups--;
    sr_group_discard(s, group);
}

void sr_group_discard(sr_shard *s, sr_group *group)
{
    const sr_corr *corr = sr_corr_of(s, group);

    corr->type->free(s, group);
    sr_window_free(&s->pool, &group->window, corr->type->stride);
    if (group->row != NULL) {
        free_copy(&s->pool, &group->row->first);
        free_copy(&s->pool, &group->row->last);
        sr_pool_free(&s->pool, group->row, sizeof(*group->row));
    }
    sr_pool_free(&s->pool, group, sr_group_size(corr, group->item.key_len));
}

static void free_tables(sr_shard *s)
{
    for (unsigned t = 0; t < SR_TABLES; t++)
        sr_table_free(&s->index, &s->tables[t]);
}

/* Tables and lists are emptied at once, so that none need be kept in order
 * meanwhile. */
void sr_groups_free(sr_shard *s)
{
    for (unsigned i = 0; i < SR_CLASSES; i++) {
        sr_group *next;

        for (sr_group *g = s->idle[i].first; g != NULL; g = next) {
            next = g->next;
            note_gone(s, g);
            sr_group_discard(s, g);
        }
        s->idle[i] = (sr_idle_list){NULL, NULL};
    }
    free_tables(s);
    s->compaction.next = NULL;
    s->charged = 0;
    s->stats.groups = 0;
}

/* What lies in slabs goes with them: to visit ten million groups takes longer
 * than a second. */
void sr_groups_close(sr_shard *s)
{
    if (s->pool.large != 0)
        sr_groups_free(s);
    else
        free_tables(s);
    sr_pool_close(&s->index);
    sr_pool_close(&s->pool);
}

/* A group without its place in table and list. */
static sr_group *make_group(sr_shard *s, const sr_corr *corr, uint64_t hash,
                            sg_str key, const uint8_t *kinds)
{
    const uint32_t parts = corr->def->key_count;
    const size_t size = sr_group_size(corr, key.len);
    const size_t key_at = size - key.len - parts;
    const bool search = s->agg->options.search;
    sr_group *group = sr_pool_alloc(&s->pool, size);
    sr_row_state *row =
        search ? sr_pool_alloc(&s->pool, sizeof(sr_row_state)) : NULL;

    if (group == NULL || (search && row == NULL)) {
        sr_pool_free(&s->pool, group, size);
        sr_pool_free(&s->pool, row, sizeof(*row));
        return NULL;
    }
    if (row != NULL)
        *row = (sr_row_state){.oldest = 0};
    memset(group, 0, key_at);
    if (corr->windowed)
        sr_window_lend(&group->window, (char *)group + room_at(corr));
    group->row = row;
    group->item = (sr_item){hash, (uint32_t)key.len, (uint32_t)key_at};
    group->correlation = (uint32_t)(corr - s->agg->corrs);
    group->odd = s->pool.era % 2 != 0;
    for (uint32_t i = 0; i < corr->mark_count; i++)
        sr_marks_of(group)[i] = SR_NEVER;
    memcpy((char *)group + key_at, key.ptr, key.len);
    if (parts != 0)
        memcpy((char *)group + key_at + key.len, kinds, parts);
    return group;
}

sr_group *sr_group_new(sr_shard *s, const sr_corr *corr, uint64_t hash,
                       sg_str key, const uint8_t *kinds)
{
    sr_group *group = make_group(s, corr, hash, key, kinds);

    if (group == NULL)
        return NULL;
    if (!sr_table_add(&s->index, table_of(s, hash), &group->item)) {
        sr_group_discard(s, group);
        return NULL;
    }
    append(list_of(s, group), group);
    s->stats.groups++;
    return group;
}

sr_group *sr_group_twin(sr_shard *s, const sr_group *group)
{
    return make_group(s, sr_corr_of(s, group), group->item.hash,
                      sr_item_key(&group->item), sr_group_kinds(group));
}

void sr_group_replace(sr_shard *s, sr_group *group, sr_group *by)
{
    sr_idle_list *list = list_of(s, group);

    by->prev = group->prev;
    by->next = group->next;
    if (by->prev == NULL)
        list->first = by;
    else
        by->prev->next = by;
    if (by->next == NULL)
        list->last = by;
    else
        by->next->prev = by;
    sr_table_replace(table_of(s, group->item.hash), &group->item, &by->item);
    sr_group_discard(s, group);
}

uint64_t sr_group_hash(const sr_agg *agg, const sr_corr *corr,
                       uint64_t partition, sg_str key)
{
    return corr->whole ? partition : sg_str_hash_seeded(key, agg->layout->salt);
}

/* One event touches groups in the order of its component's correlations. */
static int by_turn(const void *a, const void *b)
{
    const sr_group *x = *(sr_group *const *)a;
    const sr_group *y = *(sr_group *const *)b;

    if (x->turn != y->turn)
        return x->turn < y->turn ? -1 : 1;
    if (x->correlation != y->correlation)
        return x->correlation < y->correlation ? -1 : 1;
    return x->rank < y->rank ? -1 : x->rank > y->rank;
}

void sr_groups_sort(sr_shard *s)
{
    sr_group **groups = calloc(s->stats.groups + 1, sizeof(*groups));

    if (groups == NULL)
        sg_fatal("out of memory");
    for (unsigned i = 0; i < SR_CLASSES; i++) {
        sr_idle_list *list = &s->idle[i];
        size_t count = 0;

        for (sr_group *g = list->first; g != NULL; g = g->next)
            groups[count++] = g;
        qsort(groups, count, sizeof(*groups), by_turn);
        *list = (sr_idle_list){NULL, NULL};
        for (size_t k = 0; k < count; k++)
            append(list, groups[k]);
    }
    free(groups);
}

void sr_groups_cap(sr_shard *s, uint64_t turn)
{
    for (unsigned i = 0; i < SR_CLASSES; i++)
        for (sr_group *g = s->idle[i].last; g != NULL && g->turn > turn;
             g = g->prev)
            g->turn = turn;
}

/* -------- fetching ahead ------------------------------------------------- */

enum { LINE = 64 }; /* bytes of a cache line */

void sr_group_fetch_slot(const sr_shard *s, uint64_t hash)
{
    const sr_table_slot *slot = sr_table_home(&s->tables[table_at(hash)], hash);

    if (slot != NULL)
        __builtin_prefetch(slot);
}

void sr_group_fetch(const sr_shard *s, uint64_t hash)
{
    enum { LINES = 4 }; /* what comes first, and most keys */
    const char *item =
        (const void *)sr_table_peek(&s->tables[table_at(hash)], hash);

    for (size_t i = 0; item != NULL && i < LINES; i++)
        __builtin_prefetch(item + i * LINE);
}

void sr_group_fetch_behind(const sr_shard *s, uint64_t hash)
{
    const sr_group *group =
        (const void *)sr_table_peek(&s->tables[table_at(hash)], hash);

    if (group == NULL)
        return;
    if (group->prev != NULL)
        __builtin_prefetch(&group->prev->next, 1);
    if (group->next != NULL)
        __builtin_prefetch(&group->next->prev, 1);
    if (group->window.only != NULL) { /* small ones end in the next line */
        __builtin_prefetch(group->window.only, 1);
        __builtin_prefetch((const char *)group->window.only + LINE, 1);
    }
}

void sr_group_fetch_next(const sr_shard *s, const sr_group *group)
{
    const sr_group *next = group->next;

    if (next == NULL)
        return;
    sr_group_fetch_slot(s, next->item.hash);
    if (next->next != NULL) {
        __builtin_prefetch(next->next, 1);
        __builtin_prefetch((const char *)next->next + LINE, 1);
    }
}
