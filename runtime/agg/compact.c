/*
 * compact.c - sees to it that the memory of groups and windows stays near what
 * they count for. A group that shrinks keeps its room for the next events, and
 * a slab of the pool is held by the last of its objects, so that whoever
 * chooses the events can have much memory held by little. Once that is more
 * than max_memory by a quarter, all groups of a shard are made anew, a few with
 * each contribution: they then take what they count for, in slabs of their own,
 * and those of before run empty.
 *
 * No result depends on it: a group made anew from its bytes is the same group.
 */
#include "agg/engine.h"

enum {
    SLACK = 8 << 20,      /* bytes that do not matter ... */
    SLACK_EACH = 2 << 20, /* ... and more in each shard: slabs of every class */
    PORTION = 64 << 10    /* bytes of groups made anew at a time */
};

static uint64_t held_by(const sr_agg *agg)
{
    uint64_t held = 0;

    for (uint32_t i = 0; i < agg->shard_count; i++)
        held += agg->shards[i].pool.held;
    return held;
}

static bool is_going(const sr_agg *agg)
{
    for (uint32_t i = 0; i < agg->shard_count; i++)
        if (agg->shards[i].compaction.going)
            return true;
    return false;
}

bool sr_compact_due(const sr_agg *agg)
{
    const uint64_t slack = SLACK + (uint64_t)agg->shard_count * SLACK_EACH;
    const uint64_t held = held_by(agg);

    return (held > slack && (held - slack) / 5 * 4 > agg->options.max_memory) ||
           is_going(agg);
}

/* The shard where most is to be won; NULL where it is not worth while. */
static sr_shard *most_sparse(sr_agg *agg)
{
    sr_shard *best = NULL;
    uint64_t most = 0;

    for (uint32_t i = 0; i < agg->shard_count; i++) {
        sr_shard *s = &agg->shards[i];
        const uint64_t waste =
            s->pool.held > s->charged ? s->pool.held - s->charged : 0;

        if (waste <= most || s->pool.held < s->compaction.enough)
            continue;
        most = waste;
        best = s;
    }
    return best;
}

static void begin(sr_shard *s)
{
    sr_pool_turn(&s->pool);
    s->compaction.going = true;
    s->compaction.class = 0;
    s->compaction.next = s->idle[0].first;
}

/* Not again before much has changed. */
static void end(sr_shard *s)
{
    s->compaction.going = false;
    s->compaction.enough = s->pool.held + s->pool.held / 4;
}

/* The next group, whether it is to be made anew or not; NULL at the end. Groups
 * that are touched meanwhile move to the end of their list, those that are new
 * come behind them: none is missed. */
static sr_group *next_group(sr_shard *s)
{
    sr_compaction *c = &s->compaction;

    while (c->next == NULL && ++c->class < SR_CLASSES)
        c->next = s->idle[c->class].first;
    sr_group *group = c->next;

    if (group != NULL)
        c->next = group->next;
    return group;
}

static void proceed(sr_shard *s)
{
    const bool odd = s->pool.era % 2 != 0;

    for (uint64_t bytes = 0; bytes < PORTION;) {
        sr_group *group = next_group(s);

        if (group == NULL) {
            end(s);
            return;
        }
        bytes += sizeof(*group);
        if (group->odd == odd)
            continue;
        bytes += sr_charge(s, group);
        if (!sr_group_renew(s, group)) {
            end(s);
            return;
        }
    }
}

void sr_compact(sr_agg *agg)
{
    if (!sr_compact_due(agg))
        return;
    if (!is_going(agg)) {
        sr_shard *s = most_sparse(agg);

        if (s != NULL)
            begin(s);
    }
    for (uint32_t i = 0; i < agg->shard_count; i++)
        if (agg->shards[i].compaction.going)
            proceed(&agg->shards[i]);
}
