/*
 * correlate.c - runs one contribution through the correlations of its
 * component: which of them listen to the rules that matched, which groups the
 * event belongs to, and whether a condition now holds. Inner correlations come
 * first, so one pass serves chains: what fires is an event for whoever listens
 * to it.
 */
#include "agg/engine.h"

#include <string.h>

/* -------- one event in one group ----------------------------------------- */

static sr_corr_run *run_of(sr_shard *s, const sr_corr *corr)
{
    return &s->runs[corr - s->agg->corrs];
}

/* There is no room for a contribution. Returns NULL. */
static sr_group *lose(sr_shard *s, const sr_corr *corr)
{
    run_of(s, corr)->losses.refused++;
    s->stats.refused++;
    return NULL;
}

/* The same; nor is there any use for a group without events. What stays may
 * have let go of old ones, though no event touched it. */
static sr_group *lose_in(sr_shard *s, const sr_corr *corr, sr_group *group)
{
    if (group->count == 0)
        sr_group_free(s, group);
    else
        s->save_all = true;
    return lose(s, corr);
}

/* Keep the text of a time field; false for want of memory. */
static bool copy_raw(sr_shard *s, sr_copy *copy, const sr_part_hit *hit)
{
    if (hit->raw_len > copy->cap) {
        char *ptr = sr_pool_alloc(&s->pool, hit->raw_len);

        if (ptr == NULL)
            return false;
        sr_pool_free(&s->pool, copy->ptr, copy->cap);
        copy->ptr = ptr;
        copy->cap = hit->raw_len;
    }
    if (hit->raw_len != 0)
        memcpy(copy->ptr, (const char *)s->c + hit->raw_at, hit->raw_len);
    copy->len = hit->raw_len;
    copy->kind = hit->raw_kind;
    return true;
}

/* Search mode, reports: the texts of the first and last time. */
static bool keep_ends(sr_shard *s, sr_group *group, const sr_part_hit *hit)
{
    if ((!group->timed || hit->time < group->row->oldest) &&
        !copy_raw(s, &group->row->first, hit))
        return false;
    return (group->timed && hit->time <= group->newest) ||
           copy_raw(s, &group->row->last, hit);
}

/* Move the group's clock. False when the event is too old for the window. */
static bool advance(sr_shard *s, const sr_corr *corr, sr_group *group,
                    const sr_part_hit *hit)
{
    s->now = hit->timed != 0 ? hit->time
             : group->timed  ? group->newest
                             : SR_NEVER + 1;
    if (s->agg->options.search) {
        if (hit->timed == 0)
            return true;
        if (!group->timed || hit->time < group->row->oldest)
            group->row->oldest = hit->time;
    } else if (group->timed &&
               hit->time < sr_cutoff(group->newest, corr->def->timespan)) {
        return false;
    }
    if (!group->timed || hit->time > group->newest)
        group->newest = hit->time;
    group->timed = true;
    if (!s->agg->options.search)
        sr_expire(s, group);
    return true;
}

/* Let the event into the window. */
static bool enter(sr_shard *s, const sr_corr *corr, sr_group *group,
                  uint32_t ref)
{
    bool last = true;
    char *entry = NULL;

    if (corr->windowed) {
        entry = sr_window_insert(&s->pool, &group->window, corr->type->stride,
                                 s->now, &last);
        if (entry == NULL)
            return false;
        entry += sizeof(int64_t);
    }
    group->dirty = group->dirty || !last;
    if (corr->type->add(s, group, ref, entry))
        return true;
    if (entry != NULL)
        sr_window_remove(&s->pool, &group->window, corr->type->stride,
                         entry - sizeof(int64_t));
    return false;
}

/* The event's time in a correlation: that of the first rule in its list which
 * the event matches. */
static const sr_part_hit *time_in(const sr_corr *corr, const sr_corr_run *run)
{
    return run->pending[corr->twice ? run->pending_count - 1 : 0].hit;
}

/* A group's content changes: *charge is what the shard was charged for it. */
static void recharge(sr_shard *s, const sr_corr *corr, const sr_group *group,
                     uint64_t *charge)
{
    const uint64_t now = sr_charge_content(corr, group);

    s->charged += now - *charge;
    *charge = now;
}

/* A new group of the key in s->key; NULL for want of memory. */
static sr_group *new_group(sr_shard *s, const sr_corr *corr)
{
    sr_group *group =
        sr_group_new(s, corr, s->hash, sg_buf_str(&s->key), s->kinds);

    if (group == NULL)
        return NULL;
    s->charged += sr_charge_itself(s, corr, s->key.len);
    if (group->row != NULL)
        group->row->created = s->c->place;
    return group;
}

/* Let the event into its group, made when new (NULL). Room comes first from
 * what leaves the window: in search mode, nothing. Returns the group, or NULL
 * when the event takes no part. */
static sr_group *join(sr_shard *s, const sr_corr *corr, sr_group *group,
                      uint32_t ref, const sr_part_hit *when)
{
    const bool moves = group != NULL && !s->agg->options.search;
    uint64_t charge = group == NULL ? 0 : sr_charge_content(corr, group);

    if (moves && !advance(s, corr, group, when)) {
        run_of(s, corr)->losses.late++;
        s->stats.late++;
        return NULL;
    }
    if (moves && !s->agg->roomy)
        recharge(s, corr, group, &charge);
    if (!s->agg->roomy &&
        !sr_make_room(s, group, sr_charge_growth(s, corr, group, when)))
        return group == NULL ? lose(s, corr) : lose_in(s, corr, group);
    if (group == NULL)
        group = new_group(s, corr);
    if (group == NULL)
        return lose(s, corr);
    bool done = !corr->ends || when->timed == 0 || keep_ends(s, group, when);

    done = done && (moves || advance(s, corr, group, when)) &&
           enter(s, corr, group, ref);
    recharge(s, corr, group, &charge);
    return done ? group : lose_in(s, corr, group);
}

/* The group an event of this ref adds to; NULL when it takes no part. */
static sr_group *contribute(sr_shard *s, const sr_corr *corr, uint32_t ref,
                            const sr_part_hit *hit)
{
    const sr_part_hit *when = time_in(corr, run_of(s, corr));
    const sigma_correlation *def = corr->def;
    const uint32_t *fields =
        corr->sources + (size_t)ref * (def->key_count + def->value_count);

    if (corr->type->values &&
        !sr_read_values(s, corr, hit, fields + def->key_count))
        return NULL;
    sr_group *group;

    if (!sr_group_seek(s, corr, hit, fields, &group))
        return NULL;
    if (group != NULL && group->turn == s->turn && !corr->type->rules)
        return NULL; /* one event counts once */
    return join(s, corr, group, ref, when);
}

/* -------- firing --------------------------------------------------------- */

static void defer(sr_shard *s, const sr_firing *firing, uint32_t keys)
{
    sg_buf *buf = &s->fired;
    const size_t beg = buf->len;
    sr_deferred d = {s->turn, 0, *firing};

    sg_buf_reserve(buf, sizeof(d) + keys * sizeof(sr_cell));
    buf->len += sizeof(d);
    for (uint32_t i = 0; i < keys; i++)
        sg_buf_put(buf, (sg_str){(const char *)&firing->keys[i],
                                 sizeof(firing->keys[i])});
    for (uint32_t i = 0; i < keys; i++)
        sg_buf_put(buf, firing->keys[i].text);
    while (buf->len % 16 != 0)
        sg_buf_putc(buf, '\0');
    d.size = buf->len - beg;
    memcpy(buf->ptr + beg, &d, sizeof(d));
}

const sr_deferred *sr_deferred_at(const sr_shard *s, size_t at)
{
    return at >= s->fired.len
               ? NULL
               : (const sr_deferred *)(const void *)(s->fired.ptr + at);
}

void sr_fire_deferred(sr_shard *s, size_t *at)
{
    char *base = s->fired.ptr + *at;
    sr_deferred *d = (sr_deferred *)(void *)base;
    sr_cell *cells = (sr_cell *)(void *)(base + sizeof(*d));
    const uint32_t keys = s->agg->corrs[d->firing.correlation].def->key_count;
    const char *text = (const char *)(cells + keys);

    for (uint32_t i = 0; i < keys; i++) {
        cells[i].text.ptr = text;
        text += cells[i].text.len;
    }
    d->firing.keys = cells;
    s->agg->options.fire(s->agg->options.ctx, &d->firing);
    *at += d->size;
}

static void fire(sr_shard *s, const sr_corr *corr, sr_group *group,
                 sg_num value)
{
    const sr_part_hit *when = time_in(corr, run_of(s, corr));
    const size_t stride = corr->type->stride;
    sr_firing firing = {
        .correlation = group->correlation,
        .turn = s->turn,
        .keys = sr_group_cells(s, group),
        .count = group->count,
        .value = value,
        .approximate = group->sketched,
        .error = sr_error_of(s, group, value),
        .place = s->c->place,
        .timed = when->timed != 0,
        .time = when->time,
    };

    if (group->window.count != 0) {
        firing.first.timed = true;
        firing.first.time = sr_window_oldest(&group->window, stride);
        firing.last.timed = true;
        firing.last.time = sr_window_newest(&group->window, stride);
    }
    if (s->defer)
        defer(s, &firing, corr->def->key_count);
    else
        s->agg->options.fire(s->agg->options.ctx, &firing);
}

static void await(sr_shard *s, const sr_listener *listener,
                  const sr_part_hit *hit)
{
    sr_corr_run *run = &s->runs[listener->correlation];
    const bool twice = s->agg->corrs[listener->correlation].twice;
    uint32_t i = run->pending_count++;

    /* By place in the list of rules; where a rule stands there twice the other
     * way round, so that one event does not take two of its places. */
    while (i != 0 && (run->pending[i - 1].ref > listener->ref) != twice) {
        run->pending[i] = run->pending[i - 1];
        i--;
    }
    run->pending[i] = (sr_pending){listener->ref, hit};
}

/* Tell the listeners of one component; a rule may have others. */
static void notify(sr_shard *s, uint32_t source, const sr_part_hit *hit)
{
    const sr_agg *agg = s->agg;
    const uint32_t *component_of = agg->layout->component_of;
    uint32_t low = agg->listener_first[source];
    uint32_t high = agg->listener_first[source + 1];

    /* Listeners are sorted by component. */
    while (low < high) {
        const uint32_t mid = low + (high - low) / 2;

        if (component_of[agg->listeners[mid].correlation] < s->c->component)
            low = mid + 1;
        else
            high = mid;
    }
    for (uint32_t i = low; i < agg->listener_first[source + 1]; i++) {
        if (component_of[agg->listeners[i].correlation] != s->c->component)
            return;
        await(s, &agg->listeners[i], hit);
    }
}

/* Judge one group after the event; true when it fires. */
static bool judge(sr_shard *s, const sr_corr *corr, sr_group *group)
{
    sg_num value;
    const bool held = group->holds;

    group->holds = sr_holds(s, group, &value);
    if (!group->holds)
        return false;
    if (!s->agg->options.search &&
        (corr->def->flags & SIGMA_CORR_HIDDEN) == 0 &&
        (!held || s->agg->options.every_firing))
        fire(s, corr, group, value);
    return true;
}

/* The event adds to a group: note it once. Later rules stand behind in the
 * list, or before where they are taken backwards. Returns the number noted. */
static uint32_t touch(sr_shard *s, const sr_corr *corr, sr_group *group,
                      const sr_pending *by, uint32_t count)
{
    uint32_t i = 0;

    if (group->turn == s->turn) {
        while (corr->twice && s->touched[i].group != group)
            i++;
        if (corr->twice)
            s->touched[i].by = *by;
        return count;
    }
    s->touched[count] = (sr_touched){group, *by};
    group->count++;
    sr_group_touch(s, group);
    if (group->row != NULL)
        group->row->place = s->c->place;
    return count + 1;
}

/* Everything one event means to one correlation. */
static void run_corr(sr_shard *s, uint32_t c)
{
    const sr_corr *corr = &s->agg->corrs[c];
    sr_corr_run *run = &s->runs[c];
    const uint32_t source = s->agg->detector->rule_count + c;
    const bool heard =
        s->agg->listener_first[source] != s->agg->listener_first[source + 1];
    const sr_pending *fired = NULL;
    uint32_t touched = 0;

    for (uint32_t i = 0; i < run->pending_count; i++) {
        const sr_pending *p = &run->pending[i];
        sr_group *group = contribute(s, corr, p->ref, p->hit);

        if (group != NULL)
            touched = touch(s, corr, group, p, touched);
    }
    if (!s->agg->options.search || heard)
        for (uint32_t i = 0; i < touched; i++) {
            const sr_touched *t = &s->touched[i];

            if (judge(s, corr, t->group) &&
                (fired == NULL || t->by.ref < fired->ref))
                fired = &t->by;
        }
    run->pending_count = 0;
    if (fired != NULL)
        notify(s, source, fired->hit);
}

void sr_correlate(sr_shard *s)
{
    const sr_layout *layout = s->agg->layout;
    const sr_component *k = &layout->components[s->c->component];
    const sr_part_hit *hits = sr_hits_of(s->c);

    for (uint32_t i = 0; i < s->c->hit_count; i++)
        notify(s, hits[i].rule, &hits[i]);
    for (uint32_t i = 0; i < k->corr_count; i++) {
        const uint32_t c = layout->corrs[k->corr_first + i];

        if (s->runs[c].pending_count != 0)
            run_corr(s, c);
    }
}
