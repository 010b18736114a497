/*
 * save.c - groups as bytes, and back. Events of a window are written one by
 * one; what a type remembers is made anew from them. Where there is no window
 * (search mode) the state itself is written. The bytes may come back damaged,
 * or altered on purpose: nothing is believed.
 */
#include "agg/engine.h"

#include <string.h>

enum { VERSION = 1, TIMED = 1, HOLDS = 2, SKETCHED = 4, ALL_FLAGS = 7 };

/* No honest run counts as far. */
#define TURN_MOST (UINT64_MAX / 2)

static bool is_order(const sr_corr *corr)
{
    return corr->def->type == SIGMA_CORR_VALUE_PERCENTILE ||
           corr->def->type == SIGMA_CORR_VALUE_MEDIAN;
}

static bool is_sum(const sr_corr *corr)
{
    return corr->def->type == SIGMA_CORR_VALUE_SUM ||
           corr->def->type == SIGMA_CORR_VALUE_AVG;
}

/* -------- writing -------------------------------------------------------- */

static void put_place(sg_buf *out, sr_place place)
{
    sg_put_u32(out, place.source);
    sg_put_u32(out, place.generation);
    sg_put_u64(out, place.line);
}

static void put_copy(sg_buf *out, const sr_copy *copy)
{
    sg_put_u8(out, copy->kind);
    sg_put_text(out, (sg_str){copy->len == 0 ? "" : copy->ptr, copy->len});
}

static void put_row(sg_buf *out, const sr_row_state *row)
{
    if (row == NULL)
        return;
    sg_put_u64(out, (uint64_t)row->oldest);
    put_place(out, row->created);
    put_place(out, row->place);
    put_copy(out, &row->first);
    put_copy(out, &row->last);
}

/* Different values, each with a number of its own for the entries. */
static void put_values(sg_buf *out, const sr_group *group)
{
    const sr_table *table = &group->state->distinct;
    uint32_t index = 0;

    sg_put_u32(out, table->count);
    for (uint32_t i = 0; i < table->cap; i++) {
        sr_distinct *d = (sr_distinct *)(void *)table->slots[i].item;

        if (d == NULL)
            continue;
        d->index = index++;
        sg_put_u64(out, d->uses);
        sg_put_text(out, sr_item_key(&d->item));
    }
}

static void put_entry(sg_buf *out, const sr_corr *corr, const sr_group *group,
                      const char *payload)
{
    uint64_t n;
    sg_num num;
    sr_mark_entry e;

    if (corr->def->type == SIGMA_CORR_VALUE_COUNT) {
        memcpy(&n, payload, sizeof(n));
        if (!group->sketched)
            n = ((const sr_distinct *)(uintptr_t)n)->index;
        sg_put_u32(out, (uint32_t)n);
    } else if (corr->type->values) {
        memcpy(&num, payload, sizeof(num));
        sg_put_num(out, num);
    } else if (corr->type->rules) {
        memcpy(&e, payload, sizeof(e));
        sg_put_u32(out, e.ref);
        sg_put_u8(out, e.fresh);
    }
}

static void put_window(sg_buf *out, const sr_corr *corr, const sr_group *group)
{
    const size_t stride = corr->type->stride;
    sr_window_at at = {0, 0};
    const char *entry;

    sg_put_u32(out, group->window.count);
    while ((entry = sr_window_next(&group->window, stride, &at)) != NULL) {
        sg_put_u64(out, (uint64_t)sr_window_time(entry));
        put_entry(out, corr, group, entry + sizeof(int64_t));
    }
}

static bool put_node(void *ctx, sg_num n, uint64_t times)
{
    sg_buf *out = ctx;

    sg_put_num(out, n);
    sg_put_u64(out, times);
    return true;
}

/* What a group without a window remembers. */
static void put_state(sg_buf *out, const sr_corr *corr, const sr_group *group)
{
    if (is_sum(corr)) {
        sr_sum_save(&group->state->sum, out);
    } else if (is_order(corr)) {
        sg_put_u64(out, group->state->order.nodes);
        sr_order_each(&group->state->order, put_node, out);
    } else if (corr->type->values && group->sketched) {
        sr_hll_save(group->state->hll, out);
    } else {
        for (uint32_t i = 0; i < corr->mark_count; i++)
            sg_put_u64(out, (uint64_t)sr_marks_of(group)[i]);
    }
}

static void put_group(sg_buf *out, const sr_corr *corr, const sr_group *group,
                      uint32_t rank)
{
    sg_put_u8(out, VERSION);
    sg_put_u8(out, (uint8_t)((group->timed ? TIMED : 0) |
                             (group->holds ? HOLDS : 0) |
                             (group->sketched ? SKETCHED : 0)));
    sg_put_u64(out, group->turn);
    sg_put_u32(out, rank < UINT16_MAX ? rank : UINT16_MAX);
    sg_put_u64(out, group->count);
    sg_put_u64(out, (uint64_t)group->newest);
    sg_buf_put(out, (sg_str){(const char *)sr_group_kinds(group),
                             corr->def->key_count});
    put_row(out, group->row);
    if (corr->def->type == SIGMA_CORR_VALUE_COUNT && !group->sketched)
        put_values(out, group);
    if (corr->windowed)
        put_window(out, corr, group);
    else
        put_state(out, corr, group);
}

/* -------- telling what changed ------------------------------------------- */

static bool is_twin(const sr_group *a, const sr_group *b)
{
    return a->turn == b->turn && a->correlation == b->correlation;
}

static bool tell_gone(sr_shard *s, sr_save_fn *save, void *ctx)
{
    sg_str rest = sg_buf_str(&s->gone);

    while (rest.len != 0) {
        uint32_t len;
        uint32_t c;

        memcpy(&len, rest.ptr, sizeof(len));
        memcpy(&c, rest.ptr + sizeof(len), sizeof(c));
        if (!save(ctx, c,
                  sg_str_sub(rest, sizeof(len) + sizeof(c), sizeof(len) + len),
                  NULL))
            return false;
        rest = sg_str_sub(rest, sizeof(len) + len, rest.len);
    }
    return true;
}

/* How many groups of its correlation the same contribution touched before it.
 * `later` is the group asked for last, the next in the list, if any. */
static uint32_t rank_of(const sr_group *group, const sr_group *later,
                        uint32_t rank_of_later)
{
    uint32_t rank = 0;

    if (later != NULL && is_twin(group, later))
        return rank_of_later - 1;
    for (const sr_group *g = group->prev; g != NULL && is_twin(g, group);
         g = g->prev)
        rank++;
    return rank;
}

static bool save_shard(sr_shard *s, uint64_t since, sr_save_fn *save, void *ctx)
{
    sg_buf out = {0};
    uint32_t rank = 0;
    bool done = since == 0 || tell_gone(s, save, ctx);

    for (unsigned i = 0; i < SR_CLASSES; i++)
        for (sr_group *g = s->idle[i].last;
             done && g != NULL && (since == 0 || g->turn > since);
             g = g->prev) {
            const sr_corr *corr = sr_corr_of(s, g);

            out.len = 0;
            rank = rank_of(g, g->next, rank);
            put_group(&out, corr, g, rank);
            const sg_str value = sg_buf_str(&out);

            g->saved = true;
            done = save(ctx, g->correlation, sr_group_parts(g), &value);
        }
    s->gone.len = 0;
    s->save_all = !done; /* who knows what was kept */
    sg_buf_free(&out);
    return done;
}

bool sr_agg_save(sr_agg *agg, uint64_t since, sr_save_fn *save, void *ctx)
{
    bool done = true;

    for (uint32_t i = 0; i < agg->shard_count; i++)
        done = save_shard(&agg->shards[i], since, save, ctx) && done;
    return done;
}

bool sr_agg_must_save_all(const sr_agg *agg)
{
    bool all = false;

    for (uint32_t i = 0; i < agg->shard_count; i++)
        all = all || agg->shards[i].save_all;
    return all;
}

/* -------- reading -------------------------------------------------------- */

static sr_place read_place(sg_reader *r)
{
    sr_place place = {.source = sg_read_u32(r)};

    place.generation = sg_read_u32(r);
    place.line = sg_read_u64(r);
    return place;
}

/* How an event wrote its time; with `time` it is to be shown. */
static bool read_copy(sr_shard *s, sg_reader *r, sr_copy *copy,
                      const int64_t *time)
{
    char canonical[SG_TIME_TEXT];
    uint8_t kind = sg_read_u8(r);
    sg_str text = sg_read_text(r);

    /* Kept without texts, when the report showed none. */
    if (text.len == 0 && time != NULL) {
        kind = SR_STRING;
        text = (sg_str){canonical, sg_time_text(*time, canonical)};
    }
    copy->kind = kind;
    if (text.len == 0)
        return kind == SR_NULL || kind == SR_STRING;
    if (!sr_raw_valid(kind, text))
        return false;
    copy->ptr = sr_pool_alloc(&s->pool, text.len);
    if (copy->ptr == NULL)
        return false;
    memcpy(copy->ptr, text.ptr, text.len);
    copy->len = copy->cap = (uint32_t)text.len;
    return true;
}

static bool read_row(sr_shard *s, sg_reader *r, sr_group *group)
{
    sr_row_state *row = group->row;
    const bool shown = group->timed && sr_corr_of(s, group)->ends;

    if (row == NULL)
        return true;
    row->oldest = (int64_t)sg_read_u64(r);
    row->created = read_place(r);
    row->place = read_place(r);
    return read_copy(s, r, &row->first, shown ? &row->oldest : NULL) &&
           read_copy(s, r, &row->last, shown ? &group->newest : NULL);
}

/* The values, by their numbers, in the arena. Between them they were used by
 * all the group's events. */
static sr_distinct **read_values(sr_shard *s, sg_reader *r, sr_group *group,
                                 sg_arena *tmp, uint32_t *count)
{
    enum { VALUE_MIN = 12 }; /* bytes that a value takes at least */
    uint64_t rest = group->count;

    *count = sg_read_u32(r);
    r->bad = r->bad || *count > r->rest.len / VALUE_MIN;
    if (r->bad)
        return NULL;
    sr_distinct **values = sg_new_n(tmp, sr_distinct *, (size_t)*count + 1);

    for (uint32_t i = 0; i < *count && !r->bad; i++) {
        const uint64_t uses = sg_read_u64(r);
        const sg_str text = sg_read_text(r);

        values[i] = r->bad ? NULL : sr_distinct_of(s, group, text);
        r->bad = values[i] == NULL || uses == 0 || uses > rest ||
                 group->state->distinct.count != i + 1; /* twice the same */
        rest -= r->bad ? 0 : uses;
        /* Entries of a window count again. */
        if (!r->bad && !sr_corr_of(s, group)->windowed)
            values[i]->uses = uses;
    }
    r->bad = r->bad || rest != 0;
    return values;
}

/* A number of the window, into the order or the sum. Whether there are too many
 * of them was decided when they came, in another order. */
static bool read_number(sr_shard *s, sg_reader *r, sr_group *group, char *entry)
{
    const sr_corr *corr = sr_corr_of(s, group);
    const sg_num n = sg_read_num(r);

    if (r->bad)
        return false;
    if (!is_order(corr)) {
        s->cells[0].num = n;
        return corr->type->add(s, group, 0, entry);
    }
    if (group->state->order.nodes == 0)
        group->state->order.seed = s->agg->layout->salt;
    memcpy(entry, &n, sizeof(n));
    return sr_order_add(&s->pool, &group->state->order,
                        group->sketched ? sr_quantize(n) : n, 1);
}

/* One entry's payload to `entry`, and into what the type remembers. */
static bool read_entry(sr_shard *s, sg_reader *r, sr_group *group,
                       sr_distinct **values, uint32_t count, char *entry)
{
    const sr_corr *corr = sr_corr_of(s, group);

    if (corr->def->type == SIGMA_CORR_VALUE_COUNT) {
        uint64_t n = sg_read_u32(r);

        if (r->bad ||
            (group->sketched ? !sr_hll_is_cell((uint32_t)n) : n >= count))
            return false;
        if (group->sketched &&
            !sr_hll_add(&s->pool, group->state->hll, (uint32_t)n))
            return false;
        if (!group->sketched) {
            values[n]->uses++;
            n = (uintptr_t)values[n];
        }
        memcpy(entry, &n, sizeof(n));
        return true;
    }
    if (corr->type->values)
        return read_number(s, r, group, entry);
    if (corr->type->rules) {
        sr_mark_entry e = {.ref = sg_read_u32(r)};

        const uint8_t fresh = sg_read_u8(r);

        if (r->bad || e.ref >= corr->def->ref_count || fresh > 1)
            return false;
        e.fresh = fresh != 0;
        if (corr->def->type == SIGMA_CORR_TEMPORAL &&
            s->now > sr_marks_of(group)[e.ref])
            sr_marks_of(group)[e.ref] = s->now;
        memcpy(entry, &e, sizeof(e));
    }
    return true;
}

static bool read_window(sr_shard *s, sg_reader *r, sr_group *group,
                        sr_distinct **values, uint32_t count)
{
    const sr_corr *corr = sr_corr_of(s, group);
    const uint32_t entries = sg_read_u32(r);

    group->dirty = true; /* marks come from the window */
    for (uint32_t i = 0; i < entries && !r->bad; i++) {
        bool last;

        s->now = (int64_t)sg_read_u64(r);
        char *entry = r->bad
                          ? NULL
                          : sr_window_insert(&s->pool, &group->window,
                                             corr->type->stride, s->now, &last);

        if (entry == NULL || !last)
            return false;
        if (!read_entry(s, r, group, values, count, entry + sizeof(int64_t))) {
            sr_window_remove(&s->pool, &group->window, corr->type->stride,
                             entry);
            return false;
        }
    }
    return !r->bad;
}

/* Numbers, each once, and between them as many as the group's events. */
static bool read_order(sr_shard *s, sg_reader *r, sr_group *group)
{
    sr_order *order = &group->state->order;
    const uint64_t nodes = sg_read_u64(r);
    uint64_t rest = group->count;

    order->seed = s->agg->layout->salt;
    for (uint64_t i = 0; i < nodes && !r->bad; i++) {
        const sg_num n = sg_read_num(r);
        const uint64_t times = sg_read_u64(r);

        if (r->bad || times == 0 || times > rest ||
            !sr_order_add(&s->pool, order, n, times) || order->nodes != i + 1)
            return false;
        rest -= times;
    }
    return !r->bad && rest == 0;
}

static bool read_state(sr_shard *s, sg_reader *r, sr_group *group)
{
    const sr_corr *corr = sr_corr_of(s, group);

    if (is_sum(corr))
        return sr_sum_load(&s->pool, &group->state->sum, r);
    if (is_order(corr))
        return read_order(s, r, group);
    if (corr->type->values) {
        group->state->hll =
            sr_hll_load(&s->pool, sg_read_bytes(r, r->rest.len));
        return group->state->hll != NULL &&
               sr_hll_events(group->state->hll) <= group->count;
    }
    for (uint32_t i = 0; i < corr->mark_count; i++)
        sr_marks_of(group)[i] = (int64_t)sg_read_u64(r);
    return !r->bad;
}

static bool fill_group(sr_shard *s, sg_reader *r, sr_group *group,
                       bool sketched)
{
    const sr_corr *corr = sr_corr_of(s, group);
    const bool counts = corr->def->type == SIGMA_CORR_VALUE_COUNT;
    sg_arena tmp = {0};
    sr_distinct **values = NULL;
    uint32_t count = 0;
    bool done = !sketched || corr->type->error > 0;

    if (done && sketched && counts && corr->windowed) {
        group->state->hll = sr_hll_new(&s->pool);
        done = group->state->hll != NULL;
    }
    group->sketched = done && sketched;
    done = done && read_row(s, r, group);
    if (done && counts && !group->sketched)
        values = read_values(s, r, group, &tmp, &count);
    done = done && !r->bad;
    if (done)
        done = corr->windowed
                   ? read_window(s, r, group, values, count)
                   : (counts && !group->sketched) || read_state(s, r, group);
    for (uint32_t i = 0; done && corr->windowed && i < count; i++)
        done = values[i]->uses != 0;
    sg_arena_free(&tmp);
    return done && sg_read_done(r);
}

/* Events in a window: for types that count rules, the entries that begin
 * one. */
static uint64_t count_events(const sr_corr *corr, const sr_group *group)
{
    const size_t stride = corr->type->stride;
    sr_window_at at = {0, 0};
    uint64_t count = 0;
    const char *entry;

    if (!corr->type->rules)
        return group->window.count;
    while ((entry = sr_window_next(&group->window, stride, &at)) != NULL) {
        sr_mark_entry e;

        memcpy(&e, entry + sizeof(int64_t), sizeof(e));
        count += e.fresh;
    }
    return count;
}

/* Whether counts and times are those of what was read. */
static bool is_sound(const sr_shard *s, const sr_group *group)
{
    const sr_corr *corr = sr_corr_of(s, group);
    const size_t stride = corr->type->stride;

    if (corr->windowed && count_events(corr, group) != group->count)
        return false;
    if (s->agg->options.search)
        return !group->timed || group->row->oldest <= group->newest;
    return group->timed &&
           sr_window_newest(&group->window, stride) <= group->newest;
}

/* The encoded key and its partition's hash; false when the parts are not
 * those of a key, or not of these kinds. */
static bool read_key(sr_shard *s, const sr_corr *corr, sg_str parts,
                     sg_str kinds, uint64_t *partition)
{
    const sr_layout *l = s->agg->layout;
    const uint32_t c = (uint32_t)(corr - s->agg->corrs);
    const sr_component *k = &l->components[l->component_of[c]];
    sg_reader r = {parts, false};

    s->key.len = 0;
    sg_buf_put(&s->key, (sg_str){(const char *)&c, sizeof(c)});
    sg_buf_put(&s->key, parts);
    for (uint32_t i = 0; i < corr->def->key_count; i++) {
        uint32_t len;
        const sg_str raw = sg_read_bytes(&r, sizeof(len));

        if (r.bad)
            return false;
        memcpy(&len, raw.ptr, sizeof(len));
        s->cells[i].text = sg_read_bytes(&r, len);
        if (r.bad || !sr_cell_valid((uint8_t)kinds.ptr[i], s->cells[i].text))
            return false;
    }
    s->tuple.len = 0;
    for (uint32_t i = 0; i < k->part_count; i++)
        sr_put_sized(&s->tuple, s->cells[corr->part_keys[i]].text);
    *partition =
        sr_partition_hash(l, l->component_of[c], sg_buf_str(&s->tuple));
    return sg_read_done(&r);
}

/* What begins a group's bytes. */
typedef struct header {
    uint8_t flags;
    uint64_t turn;
    uint32_t rank;
    uint64_t count;
    int64_t newest;
    sg_str kinds;
} header;

static bool read_header(const sr_agg *agg, const sr_corr *corr, sg_reader *r,
                        header *h)
{
    const uint8_t version = sg_read_u8(r);

    h->flags = sg_read_u8(r);
    h->turn = sg_read_u64(r);
    h->rank = sg_read_u32(r);
    h->count = sg_read_u64(r);
    h->newest = (int64_t)sg_read_u64(r);
    h->kinds = sg_read_bytes(r, corr->def->key_count);
    return !r->bad && version == VERSION && h->flags <= ALL_FLAGS &&
           h->turn <= TURN_MOST && h->rank <= UINT16_MAX && h->count != 0 &&
           (agg->turn == 0 || h->turn <= agg->turn);
}

/* Into a new group what comes behind the header. */
static bool read_group(sr_shard *s, sg_reader *r, sr_group *group,
                       const header *h)
{
    group->turn = h->turn;
    group->rank = (uint16_t)h->rank;
    group->count = h->count;
    group->newest = h->newest;
    group->timed = (h->flags & TIMED) != 0;
    group->holds = (h->flags & HOLDS) != 0;
    return fill_group(s, r, group, (h->flags & SKETCHED) != 0) &&
           is_sound(s, group);
}

static bool load_group(sr_shard *s, sg_reader *r, sr_group *group,
                       const header *h)
{
    const bool done = read_group(s, r, group, h);

    s->charged += sr_charge(s, group);
    if (done)
        group->saved = true;
    else
        sr_group_free(s, group);
    return done;
}

bool sr_agg_load(sr_agg *agg, uint32_t correlation, sg_str key, sg_str value)
{
    const sr_corr *corr = &agg->corrs[correlation];
    sr_shard *s = &agg->shards[0];
    sg_reader r = {value, false};
    header h;
    uint64_t partition;

    if (!read_header(agg, corr, &r, &h) ||
        !read_key(s, corr, key, h.kinds, &partition))
        return false;
    const sg_str encoded = sg_buf_str(&s->key);
    const uint64_t hash = sr_group_hash(agg, corr, partition, encoded);

    s = sr_shard_of(agg, partition);
    if (sr_group_find(s, hash, encoded) != NULL)
        return false;
    sr_group *group =
        sr_group_new(s, corr, hash, encoded, (const uint8_t *)h.kinds.ptr);

    return group != NULL && load_group(s, &r, group, &h);
}

/* -------- anew ----------------------------------------------------------- */

bool sr_group_renew(sr_shard *s, sr_group *group)
{
    sr_group *twin = sr_group_twin(s, group);
    sg_buf bytes = {0};
    header h;

    if (twin == NULL)
        return false;
    put_group(&bytes, sr_corr_of(s, group), group, group->rank);
    sg_reader r = {sg_buf_str(&bytes), false};
    const bool done = read_header(s->agg, sr_corr_of(s, group), &r, &h) &&
                      read_group(s, &r, twin, &h);

    sg_buf_free(&bytes);
    if (!done) {
        sr_group_discard(s, twin);
        return false;
    }
    twin->saved = group->saved;
    sr_group_replace(s, group, twin);
    return true;
}

/* Rows of search mode say where their events came from. */
static bool sources_known(const sr_shard *s, uint32_t sources)
{
    for (unsigned i = 0; i < SR_CLASSES; i++)
        for (const sr_group *g = s->idle[i].first; g != NULL; g = g->next)
            if (g->row != NULL && (g->row->created.source >= sources ||
                                   g->row->place.source >= sources))
                return false;
    return true;
}

bool sr_agg_loaded(sr_agg *agg, uint32_t sources)
{
    bool known = true;

    for (uint32_t i = 0; i < agg->shard_count; i++) {
        sr_groups_sort(&agg->shards[i]);
        known = known && sources_known(&agg->shards[i], sources);
    }
    return known;
}
