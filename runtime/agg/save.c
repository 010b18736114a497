/*
 * save.c - groups as bytes, and back. Events of a window are written one by
 * one; what a type remembers is made anew from them. Where there is no window
 * (search mode) the state itself is written. The bytes may come back damaged,
 * or altered on purpose: nothing is believed.
 */
#include "agg/engine.h"

#include <string.h>

enum { VERSION = 1, TIMED = 1, HOLDS = 2, SKETCHED = 4 };

static void put_num(sg_buf *out, sg_num n)
{
    uint64_t bits;

    memcpy(&bits, &n.v, sizeof(bits));
    sg_put_u8(out, (uint8_t)n.kind);
    sg_put_u64(out, bits);
}

static sg_num read_num(sg_reader *r)
{
    sg_num n = {.kind = (sigma_num_kind)sg_read_u8(r)};
    const uint64_t bits = sg_read_u64(r);

    memcpy(&n.v, &bits, sizeof(bits));
    r->bad = r->bad || n.kind > SIGMA_FLOAT ||
             (n.kind == SIGMA_FLOAT && !(n.v.f - n.v.f == 0));
    return n;
}

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
    const sr_table *table = &group->state.distinct;
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
        put_num(out, num);
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

    put_num(out, n);
    sg_put_u64(out, times);
    return true;
}

/* What a group without a window remembers. */
static void put_state(sg_buf *out, const sr_corr *corr, const sr_group *group)
{
    if (is_sum(corr)) {
        sr_sum_save(&group->state.sum, out);
    } else if (is_order(corr)) {
        sg_put_u64(out, group->state.order.nodes);
        sr_order_each(&group->state.order, put_node, out);
    } else if (corr->type->values && group->sketched) {
        sr_hll_save(group->state.hll, out);
    } else {
        for (uint32_t i = 0; i < corr->mark_count; i++)
            sg_put_u64(out, (uint64_t)group->marks[i]);
    }
}

static void put_group(sg_buf *out, const sr_corr *corr, const sr_group *group)
{
    sg_put_u8(out, VERSION);
    sg_put_u8(out, (uint8_t)((group->timed ? TIMED : 0) |
                             (group->holds ? HOLDS : 0) |
                             (group->sketched ? SKETCHED : 0)));
    sg_put_u64(out, group->turn);
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

static bool save_shard(sr_shard *s, uint64_t since, sr_save_fn *save, void *ctx)
{
    sg_buf out = {0};
    bool done = since == 0 || tell_gone(s, save, ctx);

    for (unsigned i = 0; i < SR_CLASSES; i++)
        for (sr_group *g = s->idle[i].last;
             done && g != NULL && (since == 0 || g->turn > since);
             g = g->prev) {
            const sr_corr *corr = sr_corr_of(s, g);

            out.len = 0;
            put_group(&out, corr, g);
            const sg_str value = sg_buf_str(&out);

            g->saved = true;
            done = save(ctx, g->correlation, sr_group_parts(g), &value);
        }
    s->gone.len = 0;
    s->save_all = false;
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

    place.line = sg_read_u64(r);
    return place;
}

static bool read_copy(sr_shard *s, sg_reader *r, sr_copy *copy)
{
    copy->kind = sg_read_u8(r);
    const sg_str text = sg_read_text(r);

    if (text.len == 0)
        return true;
    copy->ptr = sr_pool_alloc(&s->pool, text.len);
    if (copy->ptr == NULL)
        return false;
    memcpy(copy->ptr, text.ptr, text.len);
    copy->len = copy->cap = (uint32_t)text.len;
    return true;
}

static bool read_row(sr_shard *s, sg_reader *r, sr_row_state *row)
{
    if (row == NULL)
        return true;
    row->oldest = (int64_t)sg_read_u64(r);
    row->created = read_place(r);
    row->place = read_place(r);
    return read_copy(s, r, &row->first) && read_copy(s, r, &row->last);
}

/* The values, by their numbers, in the arena. */
static sr_distinct **read_values(sr_shard *s, sg_reader *r, sr_group *group,
                                 bool windowed, sg_arena *tmp, uint32_t *count)
{
    *count = sg_read_u32(r);
    if (*count > r->rest.len) /* each takes more than a byte */
        r->bad = true;
    if (r->bad)
        return NULL;
    sr_distinct **values = sg_new_n(tmp, sr_distinct *, (size_t)*count + 1);

    for (uint32_t i = 0; i < *count && !r->bad; i++) {
        const uint64_t uses = sg_read_u64(r);
        const sg_str text = sg_read_text(r);

        values[i] = r->bad ? NULL : sr_distinct_of(s, group, text);
        if (values[i] == NULL || values[i]->uses != 0)
            r->bad = true; /* twice the same, or no memory */
        else               /* entries of a window count again */
            values[i]->uses = windowed ? 0 : uses;
        if (!r->bad && !windowed && uses == 0)
            r->bad = true;
    }
    return values;
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
            !sr_hll_add(&s->pool, group->state.hll, (uint32_t)n))
            return false;
        if (!group->sketched) {
            values[n]->uses++;
            n = (uintptr_t)values[n];
        }
        memcpy(entry, &n, sizeof(n));
        return true;
    }
    if (corr->type->values) {
        s->cells[0].num = read_num(r);
        return !r->bad && corr->type->add(s, group, 0, entry);
    }
    if (corr->type->rules) {
        sr_mark_entry e = {.ref = sg_read_u32(r)};

        e.fresh = sg_read_u8(r) != 0;
        if (r->bad || e.ref >= corr->def->ref_count)
            return false;
        if (corr->def->type == SIGMA_CORR_TEMPORAL &&
            s->now > group->marks[e.ref])
            group->marks[e.ref] = s->now;
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

static bool read_state(sr_shard *s, sg_reader *r, sr_group *group)
{
    const sr_corr *corr = sr_corr_of(s, group);

    if (is_sum(corr))
        return sr_sum_load(&s->pool, &group->state.sum, r);
    if (is_order(corr)) {
        const uint64_t nodes = sg_read_u64(r);

        for (uint64_t i = 0; i < nodes && !r->bad; i++) {
            const sg_num n = read_num(r);
            const uint64_t times = sg_read_u64(r);

            if (r->bad || times == 0 || times > UINT64_C(1) << 36 ||
                !sr_order_add(&s->pool, &group->state.order, n, times))
                return false;
        }
        return !r->bad;
    }
    if (corr->type->values && group->sketched) {
        sr_hll *hll = sr_hll_load(&s->pool, sg_read_bytes(r, r->rest.len));

        if (hll == NULL)
            return false;
        sr_hll_free(&s->pool, group->state.hll);
        group->state.hll = hll;
        return true;
    }
    for (uint32_t i = 0; i < corr->mark_count; i++)
        group->marks[i] = (int64_t)sg_read_u64(r);
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

    if (done && sketched && counts) {
        group->state.hll = sr_hll_new(&s->pool);
        done = group->state.hll != NULL;
    }
    group->sketched = done && sketched;
    done = done && read_row(s, r, group->row);
    if (done && counts && !group->sketched)
        values = read_values(s, r, group, corr->windowed, &tmp, &count);
    if (done && !r->bad)
        done = corr->windowed
                   ? read_window(s, r, group, values, count)
                   : (counts && !group->sketched) || read_state(s, r, group);
    for (uint32_t i = 0; done && corr->windowed && i < count; i++)
        done = values[i]->uses != 0;
    sg_arena_free(&tmp);
    return done && sg_read_done(r);
}

/* Events in a window: for types that count rules, those that begin one. */
static bool count_is_right(const sr_corr *corr, const sr_group *group)
{
    return !corr->windowed ||
           (corr->type->rules ? group->count <= group->window.count
                              : group->count == group->window.count);
}

/* The encoded key and its partition's hash; false when the parts are not
 * those of a key. */
static bool read_key(sr_shard *s, const sr_corr *corr, sg_str parts,
                     uint64_t *partition)
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
    }
    uint64_t hash = sr_hash_begin(l, l->component_of[c]);

    for (uint32_t i = 0; i < k->part_count; i++)
        hash = sr_hash_part(hash, s->cells[corr->part_keys[i]].text);
    *partition = sr_hash_end(hash);
    return sg_read_done(&r);
}

static bool kinds_valid(const sr_corr *corr, sg_str kinds)
{
    for (uint32_t i = 0; i < corr->def->key_count; i++)
        if (kinds.ptr[i] != SR_STRING && kinds.ptr[i] != SR_NUMBER &&
            kinds.ptr[i] != SR_BOOL)
            return false;
    return true;
}

bool sr_agg_load(sr_agg *agg, uint32_t correlation, sg_str key, sg_str value)
{
    const sr_corr *corr = &agg->corrs[correlation];
    sr_shard *s = &agg->shards[0];
    sg_reader r = {value, false};
    uint64_t partition;

    if (!read_key(s, corr, key, &partition) || sg_read_u8(&r) != VERSION)
        return false;
    const sg_str encoded = sg_buf_str(&s->key);

    s = sr_shard_of(agg, partition);
    s->pool.limit = UINT64_MAX; /* it fitted when it was saved */
    const uint8_t flags = sg_read_u8(&r);
    const uint64_t turn = sg_read_u64(&r);
    const uint64_t count = sg_read_u64(&r);
    const int64_t newest = (int64_t)sg_read_u64(&r);
    const sg_str kinds = sg_read_bytes(&r, corr->def->key_count);
    const uint64_t hash = sr_group_hash(agg, corr, partition, encoded);

    if (r.bad || !kinds_valid(corr, kinds) ||
        sr_group_find(s, hash, encoded) != NULL)
        return false;
    sr_group *group =
        sr_group_new(s, corr, hash, encoded, (const uint8_t *)kinds.ptr);

    if (group == NULL)
        return false;
    group->newest = newest;
    group->timed = (flags & TIMED) != 0;
    group->holds = (flags & HOLDS) != 0;
    const bool filled = fill_group(s, &r, group, (flags & SKETCHED) != 0);

    group->turn = turn;
    group->count = count;
    group->saved = true;
    if (filled && count_is_right(corr, group))
        return true;
    group->saved = false;
    sr_group_free(s, group);
    return false;
}

void sr_agg_loaded(sr_agg *agg)
{
    for (uint32_t i = 0; i < agg->shard_count; i++)
        sr_groups_sort(&agg->shards[i]);
}
