/*
 * group.c - the groups of all correlations: found by the text of their key
 * values, kept in order of creation, bounded in number and bytes.
 *
 * Hashes are salted per process, so that events cannot be made to collide; no
 * result depends on a hash. When a bound is reached, groups whose window has
 * run empty are let go, oldest first, a few at a time; if there are none, the
 * new group is refused and counted.
 */
#include "agg/engine.h"

#include <string.h>

enum {
    SALT = 8,       /* bytes at the start of an encoding */
    SWEEP = 256,    /* groups looked at per attempt */
    SWEEP_FREE = 8, /* ... or until so many were freed */
    SWEEP_PART = 64 /* a search in vain is repeated after timespan / this */
};

int64_t sr_cutoff(int64_t t, int64_t span)
{
    return t < SR_NEVER + 1 + span ? SR_NEVER + 1 : t - span;
}

bool sr_encode(sr_agg *agg, sg_buf *buf, uint32_t rule, const uint32_t *fields,
               uint32_t count, uint8_t *kinds)
{
    buf->len = SALT;
    for (uint32_t i = 0; i < count; i++) {
        sr_cell cell;

        if (!agg->options.read(agg->options.ctx, rule, fields[i], &cell))
            return false;
        if (cell.text.len > UINT32_MAX / 2 || buf->len > UINT32_MAX / 4)
            return false;
        const uint32_t len = (uint32_t)cell.text.len;

        sg_buf_put(buf, (sg_str){(const char *)&len, sizeof(len)});
        sg_buf_put(buf, cell.text);
        if (kinds != NULL)
            kinds[i] = cell.kind;
    }
    return true;
}

uint64_t sr_encoded_hash(const sg_buf *buf)
{
    return sg_str_hash(sg_buf_str(buf));
}

sg_str sr_encoded_key(const sg_buf *buf)
{
    return sg_str_sub(sg_buf_str(buf), SALT, buf->len);
}

static size_t group_size(const sr_corr *corr, size_t key_len)
{
    return sizeof(sr_group) + corr->mark_count * sizeof(int64_t) + key_len +
           corr->def->key_count;
}

static sr_table *shard_of(sr_corr *corr, uint64_t hash)
{
    return &corr->shards[hash >> 56];
}

static void link_group(sr_agg *agg, sr_group *group)
{
    group->prev = agg->last;
    if (agg->last == NULL)
        agg->first = group;
    else
        agg->last->next = group;
    agg->last = group;
    agg->stats.groups++;
}

static void unlink_group(sr_agg *agg, sr_group *group)
{
    if (agg->hand == group)
        agg->hand = group->next;
    if (group->prev == NULL)
        agg->first = group->next;
    else
        group->prev->next = group->next;
    if (group->next == NULL)
        agg->last = group->prev;
    else
        group->next->prev = group->prev;
    agg->stats.groups--;
}

static void free_copy(sr_pool *pool, sr_copy *copy)
{
    sr_pool_free(pool, copy->ptr, copy->cap);
}

void sr_group_free(sr_agg *agg, sr_group *group)
{
    sr_corr *corr = &agg->corrs[group->correlation];

    sr_table_remove(shard_of(corr, group->item.hash), &group->item);
    unlink_group(agg, group);
    corr->type->free(agg, group);
    sr_window_free(&agg->pool, &group->window, corr->type->stride);
    if (group->ends != NULL) {
        free_copy(&agg->pool, &group->ends->first);
        free_copy(&agg->pool, &group->ends->last);
        sr_pool_free(&agg->pool, group->ends, sizeof(*group->ends));
    }
    sr_pool_free(&agg->pool, group, group_size(corr, group->item.key_len));
}

/* Its window is empty by now, as far as events arrive in order. */
static bool is_dead(const sr_agg *agg, const sr_group *group)
{
    const sr_corr *corr = &agg->corrs[group->correlation];

    return group->event != agg->event &&
           group->newest < sr_cutoff(agg->watermark, corr->def->timespan);
}

bool sr_make_room(sr_agg *agg, const sr_group *keep)
{
    unsigned freed = 0;

    if (agg->options.search || agg->watermark < agg->sweep_at)
        return false;
    for (unsigned i = 0; i < SWEEP && freed < SWEEP_FREE; i++) {
        sr_group *group = agg->hand == NULL ? agg->first : agg->hand;

        if (group == NULL)
            break;
        agg->hand = group->next;
        if (group != keep && is_dead(agg, group)) {
            sr_group_free(agg, group);
            agg->fruitless = 0;
            freed++;
        } else if (++agg->fruitless >= agg->stats.groups) {
            const int64_t pause = agg->min_timespan / SWEEP_PART + 1;

            agg->fruitless = 0;
            agg->sweep_at = agg->watermark > INT64_MAX - pause
                                ? INT64_MAX
                                : agg->watermark + pause;
            break;
        }
    }
    return freed != 0;
}

static sr_group *new_group(sr_agg *agg, sr_corr *corr, uint64_t hash)
{
    const sg_str key = sr_encoded_key(&agg->key);
    const uint32_t parts = corr->def->key_count;
    const size_t size = group_size(corr, key.len);
    const size_t key_at = size - key.len - parts;
    sr_group *group = sr_pool_alloc(&agg->pool, size);

    if (group == NULL)
        return NULL;
    memset(group, 0, sizeof(*group));
    group->item = (sr_item){hash, (uint32_t)key.len, (uint32_t)key_at};
    group->correlation = (uint32_t)(corr - agg->corrs);
    group->serial = agg->serial;
    for (uint32_t i = 0; i < corr->mark_count; i++)
        group->marks[i] = SR_NEVER;
    if (key.len != 0)
        memcpy((char *)group + key_at, key.ptr, key.len);
    if (parts != 0)
        memcpy((char *)group + key_at + key.len, agg->kinds, parts);
    if (!sr_table_add(&agg->index, shard_of(corr, hash), &group->item)) {
        sr_pool_free(&agg->pool, group, size);
        return NULL;
    }
    agg->serial++;
    link_group(agg, group);
    return group;
}

sr_group *sr_group_of(sr_agg *agg, sr_corr *corr)
{
    const uint64_t hash = sr_encoded_hash(&agg->key);
    sr_item *item =
        sr_table_find(shard_of(corr, hash), hash, sr_encoded_key(&agg->key));
    sr_group *group = NULL;

    if (item != NULL)
        return (sr_group *)(void *)item;
    if (agg->stats.groups < agg->options.max_groups || sr_make_room(agg, NULL))
        group = new_group(agg, corr, hash);
    if (group == NULL && agg->stats.groups < agg->options.max_groups &&
        sr_make_room(agg, NULL))
        group = new_group(agg, corr, hash);
    if (group == NULL) {
        corr->refused++;
        agg->stats.refused++;
    }
    return group;
}

const sr_cell *sr_group_cells(sr_agg *agg, const sr_group *group)
{
    const sr_corr *corr = &agg->corrs[group->correlation];
    const sg_str key = sr_item_key(&group->item);
    const uint8_t *kinds = (const uint8_t *)key.ptr + key.len;
    size_t at = 0;

    for (uint32_t i = 0; i < corr->def->key_count; i++) {
        uint32_t len;

        memcpy(&len, key.ptr + at, sizeof(len));
        at += sizeof(len);
        agg->cells[i] =
            (sr_cell){.kind = kinds[i], .text = {key.ptr + at, len}};
        at += len;
        if (kinds[i] == SR_NUMBER &&
            !sg_num_parse(agg->cells[i].text, &agg->cells[i].num))
            agg->cells[i].kind = SR_STRING;
    }
    return agg->cells;
}
