/*
 * corr_kit.h - random correlations, detectors made of them in any order, and
 * random events: for tests of what the engine saves and sends.
 *
 * A model says what there is; a kit is a detector built of a model, its rules,
 * fields and correlations in an order of its own, with others in between.
 */
#ifndef CORR_KIT_H
#define CORR_KIT_H

#include "agg/agg.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    KIT_RULES = 6,
    KIT_FIELDS = 6,
    KIT_CORRS = 6,
    KIT_REFS = 4,
    KIT_KEYS = 2,
    KIT_WIDTH = 4, /* key and value fields */
    KIT_EXPRS = 12
};

#define KIT_SECOND INT64_C(1000000000)

/* -------- chance --------------------------------------------------------- */

typedef struct kit_chance {
    uint64_t state;
} kit_chance;

static inline uint64_t kit_next(kit_chance *r)
{
    uint64_t z = r->state += UINT64_C(0x9E3779B97F4A7C15);

    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

/* Below `most` > 0. */
static inline uint32_t kit_below(kit_chance *r, uint32_t most)
{
    return (uint32_t)(kit_next(r) >> 32) % most;
}

static inline bool kit_one_in(kit_chance *r, uint32_t times)
{
    return kit_below(r, times) == 0;
}

/* -------- models --------------------------------------------------------- */

typedef struct kit_corr {
    sigma_correlation def; /* without places in tables */
    sigma_corr_ref refs[KIT_REFS];
    uint32_t sources[KIT_REFS][KIT_WIDTH];
    sigma_corr_cond conds[2];
    sigma_expr exprs[KIT_EXPRS];
    uint32_t same_as; /* what it computes is what this one does */
    bool absent;
} kit_corr;

typedef struct kit_model {
    uint32_t corr_count;
    kit_corr corrs[KIT_CORRS];
    uint32_t rule_same_as[KIT_RULES]; /* that matches the same events */
    bool derives[KIT_RULES][KIT_FIELDS];
    bool rule_absent[KIT_RULES];
} kit_model;

static inline bool kit_counts_rules(uint32_t type)
{
    return type == SIGMA_CORR_TEMPORAL || type == SIGMA_CORR_TEMPORAL_ORDERED;
}

static inline void kit_draw_refs(kit_chance *r, kit_corr *c, uint32_t index)
{
    const bool ordered = c->def.type == SIGMA_CORR_TEMPORAL_ORDERED;

    c->def.ref_count = 1 + kit_below(r, KIT_REFS);
    for (uint32_t i = 0; i < c->def.ref_count; i++) {
        bool fresh = true;

        c->refs[i] = (sigma_corr_ref){kit_below(r, KIT_RULES), false};
        if (index != 0 && kit_one_in(r, 4))
            c->refs[i] = (sigma_corr_ref){kit_below(r, index), true};
        for (uint32_t k = 0; k < i; k++)
            fresh = fresh &&
                    (c->refs[k].index != c->refs[i].index ||
                     c->refs[k].is_correlation != c->refs[i].is_correlation);
        if (!fresh && !(ordered && kit_one_in(r, 2))) {
            c->def.ref_count = i;
            break;
        }
    }
}

/* Group-by fields are 0 to 3, values 3 to 5; an alias differs between refs. */
static inline void kit_draw_fields(kit_chance *r, kit_corr *c)
{
    const bool alias = kit_one_in(r, 3);

    c->def.key_count = kit_below(r, KIT_KEYS + 1);
    if (c->def.type == SIGMA_CORR_VALUE_COUNT)
        c->def.value_count = 1 + kit_below(r, 2);
    else if (c->def.type != SIGMA_CORR_EVENT_COUNT &&
             !kit_counts_rules(c->def.type))
        c->def.value_count = 1;
    for (uint32_t i = 0; i < c->def.ref_count; i++)
        for (uint32_t k = 0; k < c->def.key_count + c->def.value_count; k++) {
            const bool key = k < c->def.key_count;

            c->sources[i][k] =
                i != 0 && !(alias && key)
                    ? c->sources[0][k]
                    : (key ? kit_below(r, 4) : 3 + kit_below(r, 3));
        }
}

/* All refs in some expression, by the operators of a postfix form. */
static inline void kit_draw_expr(kit_chance *r, kit_corr *c)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < c->def.ref_count; i++) {
        c->exprs[n++] = (sigma_expr){SIGMA_EXPR_REF, i};
        if (kit_one_in(r, 3))
            c->exprs[n++] = (sigma_expr){SIGMA_EXPR_NOT, 0};
        if (i != 0)
            c->exprs[n++] = (sigma_expr){
                kit_one_in(r, 2) ? SIGMA_EXPR_AND : SIGMA_EXPR_OR, 0};
    }
    c->def.expr_count = n;
}

static inline void kit_draw_conds(kit_chance *r, kit_corr *c)
{
    static const sigma_cmp often[] = {SIGMA_CMP_GTE, SIGMA_CMP_GTE,
                                      SIGMA_CMP_GT,  SIGMA_CMP_LT,
                                      SIGMA_CMP_LTE, SIGMA_CMP_NEQ};
    const bool rules = kit_counts_rules(c->def.type);

    if (rules && kit_one_in(r, 3)) {
        kit_draw_expr(r, c);
        return;
    }
    if (rules && kit_one_in(r, 2))
        return;
    c->def.cond_count = kit_one_in(r, 5) ? 2 : 1;
    for (uint32_t i = 0; i < c->def.cond_count; i++)
        c->conds[i] = (sigma_corr_cond){
            often[kit_below(r, 6)],
            {.kind = SIGMA_INT, .v = {.i = 1 + (int64_t)kit_below(r, 4)}}};
}

static inline void kit_draw_corr(kit_chance *r, kit_corr *c, uint32_t index)
{
    static const int64_t spans[] = {2, 5, 10, 60};

    c->same_as = index;
    c->def = (sigma_correlation){
        .type = kit_below(r, SIGMA_CORR_COUNT),
        .flags = (kit_one_in(r, 5) ? SIGMA_CORR_HIDDEN : 0u) |
                 (kit_one_in(r, 2) ? SIGMA_CORR_SORT_DESC : 0u),
        .timespan = spans[kit_below(r, 4)] * KIT_SECOND,
        .percentile = 10.0 * kit_below(r, 11),
        .column_count = kit_below(r, 5),
        .sort_column = SIGMA_NONE,
        .limit = kit_one_in(r, 4) ? kit_below(r, 4) : SIGMA_NONE,
    };
    kit_draw_refs(r, c, index);
    kit_draw_fields(r, c);
    kit_draw_conds(r, c);
    if (c->def.column_count + c->def.key_count != 0 && kit_one_in(r, 2))
        c->def.sort_column =
            kit_below(r, c->def.column_count + c->def.key_count);
}

static inline void kit_draw_model(kit_chance *r, kit_model *m)
{
    *m = (kit_model){.corr_count = 1 + kit_below(r, KIT_CORRS)};
    for (uint32_t i = 0; i < KIT_RULES; i++) {
        m->rule_same_as[i] = i;
        for (uint32_t f = 0; f < KIT_FIELDS; f++)
            m->derives[i][f] = kit_one_in(r, 16);
        if (i != 0 && kit_one_in(r, 5)) {
            m->rule_same_as[i] = m->rule_same_as[kit_below(r, i)];
            memcpy(m->derives[i], m->derives[m->rule_same_as[i]],
                   sizeof(m->derives[i]));
        }
    }
    for (uint32_t i = 0; i < m->corr_count; i++)
        kit_draw_corr(r, &m->corrs[i], i);
    /* The last one again, under another name. */
    if (m->corr_count > 1 && m->corr_count < KIT_CORRS && kit_one_in(r, 4)) {
        m->corrs[m->corr_count] = m->corrs[m->corr_count - 1];
        m->corr_count++;
    }
}

/* -------- detectors ------------------------------------------------------ */

enum {
    KIT_ALL_RULES = KIT_RULES + 3, /* others included */
    KIT_ALL_FIELDS = KIT_FIELDS + 3,
    KIT_ALL_CORRS = KIT_CORRS + 2
};

typedef struct kit {
    const kit_model *model;
    sigma_detector d;
    char pool[2 * KIT_ALL_RULES + 2 * KIT_ALL_FIELDS + 2 * KIT_ALL_CORRS];
    sigma_rule rules[KIT_ALL_RULES];
    sigma_field fields[KIT_ALL_FIELDS];
    sigma_derive derives[KIT_RULES * KIT_FIELDS];
    sigma_correlation corrs[KIT_ALL_CORRS];
    sigma_corr_ref refs[KIT_ALL_CORRS * KIT_REFS];
    uint32_t sources[KIT_ALL_CORRS * KIT_REFS * KIT_WIDTH];
    sigma_corr_cond conds[KIT_ALL_CORRS * 2];
    sigma_expr exprs[KIT_ALL_CORRS * KIT_EXPRS];
    sigma_column columns[4];
    /* From the model to the detector; SIGMA_NONE where it is absent. */
    uint32_t rule_at[KIT_RULES], field_at[KIT_FIELDS], corr_at[KIT_CORRS];
    /* And back; SIGMA_NONE for what the model does not know. */
    uint32_t rule_of[KIT_ALL_RULES], field_of[KIT_ALL_FIELDS];
    uint32_t corr_of[KIT_ALL_CORRS];
} kit;

/* Places for `count` things among `all`, in order or in any. */
static inline void kit_place(kit_chance *r, bool shuffle, uint32_t count,
                             uint32_t all, uint32_t *at, uint32_t *of)
{
    for (uint32_t i = 0; i < all; i++)
        of[i] = i < count ? i : SIGMA_NONE;
    for (uint32_t i = all; shuffle && i-- > 1;) {
        const uint32_t k = kit_below(r, i + 1);
        const uint32_t was = of[i];

        of[i] = of[k];
        of[k] = was;
    }
    for (uint32_t i = 0; i < all; i++)
        if (of[i] != SIGMA_NONE)
            at[of[i]] = i;
}

static inline bool kit_is_ready(const kit *k, uint32_t c)
{
    const kit_corr *m = &k->model->corrs[c];

    for (uint32_t i = 0; i < m->def.ref_count; i++)
        if (m->refs[i].is_correlation &&
            k->corr_at[m->refs[i].index] == SIGMA_NONE)
            return false;
    return k->corr_at[c] == SIGMA_NONE && !m->absent;
}

/* A name of two letters in the pool; how many there are is *pool. */
static inline sigma_ref kit_name(kit *k, uint32_t *pool, char kind,
                                 uint32_t number)
{
    k->pool[*pool] = kind;
    k->pool[*pool + 1] = (char)('A' + number);
    *pool += 2;
    return (sigma_ref){*pool - 2, 2};
}

static inline void kit_add_corr(kit *k, uint32_t *pool, uint32_t c)
{
    const kit_corr *m = &k->model->corrs[c];
    const uint32_t width = m->def.key_count + m->def.value_count;
    sigma_correlation *out = &k->corrs[k->d.correlation_count];

    k->corr_at[c] = k->d.correlation_count;
    k->corr_of[k->d.correlation_count++] = c;
    *out = m->def;
    out->ref_first = k->d.corr_ref_count;
    out->source_first = k->d.corr_source_count;
    out->cond_first = k->d.corr_cond_count;
    out->expr_first = k->d.corr_expr_count;
    out->digest = kit_name(k, pool, 'c', m->same_as);
    for (uint32_t i = 0; i < m->def.ref_count; i++) {
        const sigma_corr_ref *ref = &m->refs[i];

        k->refs[k->d.corr_ref_count++] =
            (sigma_corr_ref){ref->is_correlation ? k->corr_at[ref->index]
                                                 : k->rule_at[ref->index],
                             ref->is_correlation};
        for (uint32_t s = 0; s < width; s++)
            k->sources[k->d.corr_source_count++] =
                k->field_at[m->sources[i][s]];
    }
    for (uint32_t i = 0; i < m->def.cond_count; i++)
        k->conds[k->d.corr_cond_count++] = m->conds[i];
    for (uint32_t i = 0; i < m->def.expr_count; i++)
        k->exprs[k->d.corr_expr_count++] = m->exprs[i];
}

/* A correlation that the model does not know, over any rule. */
static inline void kit_add_other(kit *k, uint32_t *pool, kit_chance *r)
{
    const uint32_t c = k->d.correlation_count++;

    k->corr_of[c] = SIGMA_NONE;
    k->corrs[c] = (sigma_correlation){
        .type = SIGMA_CORR_EVENT_COUNT,
        .timespan = KIT_SECOND,
        .ref_first = k->d.corr_ref_count,
        .ref_count = 1,
        .key_count = 1,
        .source_first = k->d.corr_source_count,
        .cond_first = k->d.corr_cond_count,
        .sort_column = SIGMA_NONE,
        .limit = SIGMA_NONE,
        .digest = kit_name(k, pool, 'o', c),
    };
    k->refs[k->d.corr_ref_count++].index = kit_below(r, k->d.rule_count);
    k->sources[k->d.corr_source_count++] = kit_below(r, k->d.field_count);
}

/* Correlations in order, or in any in which inner ones come first. */
static inline void kit_add_corrs(kit *k, uint32_t *pool, kit_chance *r,
                                 bool shuffle)
{
    uint32_t others = shuffle ? 2 : 0;

    for (uint32_t i = 0; i < KIT_CORRS; i++)
        k->corr_at[i] = SIGMA_NONE;
    for (;;) {
        uint32_t ready[KIT_CORRS];
        uint32_t count = 0;

        for (uint32_t i = 0; i < k->model->corr_count; i++)
            if (kit_is_ready(k, i))
                ready[count++] = i;
        if (others != 0 && (count == 0 || kit_one_in(r, 3))) {
            kit_add_other(k, pool, r);
            others--;
        } else if (count == 0) {
            return;
        } else {
            kit_add_corr(k, pool, ready[shuffle ? kit_below(r, count) : 0]);
        }
    }
}

/* Rules that are absent keep their places, under another name. */
static inline void kit_add_rules(kit *k, uint32_t *pool)
{
    for (uint32_t i = 0; i < k->d.rule_count; i++) {
        const uint32_t m = k->rule_of[i];
        const bool known = m != SIGMA_NONE && !k->model->rule_absent[m];

        k->rules[i].derive_first = k->d.derive_count;
        k->rules[i].digest =
            known ? kit_name(k, pool, 'r', k->model->rule_same_as[m])
                  : kit_name(k, pool, 'q', i);
        for (uint32_t f = 0; f < KIT_FIELDS && known; f++)
            if (k->model->derives[m][f])
                k->derives[k->d.derive_count++].field = k->field_at[f];
        k->rules[i].derive_count = k->d.derive_count - k->rules[i].derive_first;
    }
}

/* The detector of a model, which must outlive it; shuffled, with others in
 * between. */
static inline void kit_build(kit *k, const kit_model *model, kit_chance *r,
                             bool shuffle)
{
    uint32_t pool = 0;

    memset(k, 0, sizeof(*k));
    k->model = model;
    k->d = (sigma_detector){
        .abi = SIGMA_ABI,
        .size = sizeof(sigma_detector),
        .pool = k->pool,
        .fields = k->fields,
        .rules = k->rules,
        .derives = k->derives,
        .correlations = k->corrs,
        .corr_refs = k->refs,
        .corr_sources = k->sources,
        .corr_conds = k->conds,
        .corr_exprs = k->exprs,
        .columns = k->columns,
        .rule_count = shuffle ? KIT_ALL_RULES : KIT_RULES,
        .field_count = shuffle ? KIT_ALL_FIELDS : KIT_FIELDS,
        .column_count = 4,
    };
    kit_place(r, shuffle, KIT_RULES, k->d.rule_count, k->rule_at, k->rule_of);
    kit_place(r, shuffle, KIT_FIELDS, k->d.field_count, k->field_at,
              k->field_of);
    for (uint32_t i = 0; i < 4; i++)
        k->columns[i].kind = (sigma_column_kind)i;
    for (uint32_t i = 0; i < k->d.field_count; i++)
        k->fields[i].name =
            kit_name(k, &pool, k->field_of[i] == SIGMA_NONE ? 'g' : 'f',
                     k->field_of[i] == SIGMA_NONE ? i : k->field_of[i]);
    kit_add_rules(k, &pool);
    kit_add_corrs(k, &pool, r, shuffle);
}

/* -------- events --------------------------------------------------------- */

typedef struct kit_event {
    uint64_t seed; /* of its values */
    uint64_t line; /* from 1 */
    bool timed;
    int64_t time;
    uint32_t rules; /* of the model: bit r, rule r matches */
} kit_event;

/* Times go on, stand still, or go back a little. */
static inline kit_event kit_draw_event(kit_chance *r, const kit_model *m,
                                       const kit_event *before, bool untimed)
{
    kit_event e = {kit_next(r), before->line + 1, true, before->time,
                   kit_below(r, 1u << KIT_RULES) &
                       kit_below(r, 1u << KIT_RULES)};

    if (!kit_one_in(r, 3))
        e.time += kit_below(r, 4000) * (KIT_SECOND / 1000);
    if (kit_one_in(r, 5))
        e.time -= kit_below(r, 9) * KIT_SECOND;
    if (kit_one_in(r, 40))
        e.time += 70 * KIT_SECOND;
    e.timed = !untimed || !kit_one_in(r, 10);
    for (uint32_t i = 0; i < KIT_RULES; i++)
        if ((e.rules >> m->rule_same_as[i] & 1) == 0)
            e.rules &= ~(1u << i);
        else
            e.rules |= 1u << i;
    return e;
}

/* What an event is read with. */
typedef struct kit_reading {
    const kit *kit;
    const kit_event *event;
    char text[SG_NUM_TEXT];
} kit_reading;

/* An sr_read_fn. */
static inline bool kit_read(void *ctx, uint32_t rule, uint32_t field,
                            sr_cell *cell)
{
    static const char *const texts[] = {"a", "b", "", "7", "1.5", "true"};
    kit_reading *at = ctx;
    const uint32_t f = at->kit->field_of[field];
    const uint32_t m = at->kit->rule_of[rule];
    kit_chance r = {at->event->seed + (f + 1) * 977u};

    if (f == SIGMA_NONE)
        return false;
    if (m != SIGMA_NONE && at->kit->model->derives[m][f])
        r.state += (at->kit->model->rule_same_as[m] + 1) * 104729u;
    *cell = (sr_cell){.kind = SR_STRING};
    switch (kit_below(&r, 8)) {
    case 0:
        return false;
    case 1:
        cell->kind = SR_BOOL;
        cell->text = kit_one_in(&r, 2) ? SG_S("true") : SG_S("false");
        return true;
    case 2:
    case 3:
        cell->text = sg_str_of(texts[kit_below(&r, 6)]);
        return true;
    default:
        cell->kind = SR_NUMBER;
        cell->num = (sg_num){.kind = SIGMA_INT,
                             .v = {.i = (int64_t)kit_below(&r, 9) - 2}};
        if (kit_one_in(&r, 4))
            cell->num = (sg_num){.kind = SIGMA_FLOAT,
                                 .v = {.f = 0.1 * kit_below(&r, 60)}};
        cell->text = (sg_str){at->text, sg_num_text(cell->num, at->text)};
        return true;
    }
}

/* Append the contributions of an event; all of them have its number. */
static inline void kit_contribute(const kit *k, const sr_layout *layout,
                                  const kit_event *e, sg_buf *out)
{
    kit_reading at = {k, e, ""};
    sr_hit hits[KIT_ALL_RULES];
    size_t count = 0;
    char raw[SG_TIME_TEXT];
    const size_t len = sg_time_text(e->time, raw);
    const size_t beg = out->len;
    sr_missed missed;

    for (uint32_t i = 0; i < k->d.rule_count; i++)
        if (k->rule_of[i] != SIGMA_NONE && (e->rules >> k->rule_of[i] & 1) != 0)
            hits[count++] =
                (sr_hit){i, e->timed, e->time, SR_STRING, {raw, len}};
    sr_contribute(layout,
                  &(sr_matched){hits, count, {.line = e->line}, kit_read, &at},
                  out, &missed);
    for (size_t i = beg; i < out->len;) {
        sr_contribution *c = (sr_contribution *)(void *)(out->ptr + i);

        c->event = e->line;
        c->newest = c->time;
        i += c->size;
    }
}

/* -------- engines -------------------------------------------------------- */

/* An engine and what it fired, as text. */
typedef struct kit_engine {
    const kit *kit;
    sg_arena arena;
    sr_layout *layout;
    sr_agg *agg;
    sg_buf fired;
} kit_engine;

static inline void kit_note_seen(sg_buf *out, const sr_seen *seen)
{
    sg_buf_printf(out, " %d/%lld/%u/%.*s", seen->timed, (long long)seen->time,
                  seen->raw_kind, SG_FMT(seen->raw));
}

/* An sr_firing_fn: a line by the correlation's name, all that it says. */
static inline void kit_note(void *ctx, const sr_firing *f)
{
    kit_engine *e = ctx;
    const sigma_correlation *def = &e->kit->corrs[f->correlation];
    char text[SG_NUM_TEXT];

    if (e->kit->corr_of[f->correlation] == SIGMA_NONE)
        return;
    sg_buf_printf(&e->fired, "%.*s turn %llu", (int)def->digest.len,
                  e->kit->pool + def->digest.off, (unsigned long long)f->turn);
    for (uint32_t i = 0; i < def->key_count; i++)
        sg_buf_printf(&e->fired, " %u:%.*s", f->keys[i].kind,
                      SG_FMT(f->keys[i].text));
    sg_buf_printf(&e->fired, " count %llu value %.*s about %d %g",
                  (unsigned long long)f->count,
                  (int)sg_num_text(f->value, text), text, f->approximate,
                  f->error.share);
    kit_note_seen(&e->fired, &f->first);
    kit_note_seen(&e->fired, &f->last);
    sg_buf_printf(&e->fired, " at %u:%llu %d %lld\n", f->place.source,
                  (unsigned long long)f->place.line, f->timed,
                  (long long)f->time);
}

/* What of the options is not set here is taken as it is; the engine must stay
 * where it is. */
static inline void kit_open(kit_engine *e, const kit *k, sr_agg_options o)
{
    *e = (kit_engine){.kit = k};
    o.fire = kit_note;
    o.ctx = e;
    e->layout = sr_layout_new(&e->arena, &k->d, o.search);
    e->agg = sr_agg_open(e->layout, &o);
}

static inline void kit_close(kit_engine *e)
{
    sr_agg_close(e->agg);
    sg_arena_free(&e->arena);
    sg_buf_free(&e->fired);
}

static inline void kit_feed_all(kit_engine *e, const sg_buf *contributions)
{
    for (size_t i = 0; i < contributions->len;) {
        const sr_contribution *c = (void *)(contributions->ptr + i);

        sr_agg_feed(e->agg, c);
        i += c->size;
    }
}

static inline void kit_feed(kit_engine *e, const kit_event *event)
{
    sg_buf out = {0};

    kit_contribute(e->kit, e->layout, event, &out);
    kit_feed_all(e, &out);
    sg_buf_free(&out);
}

/* -------- what was saved ------------------------------------------------- */

typedef struct kit_saved {
    uint32_t correlation;
    sg_buf key, value;
} kit_saved;

/* Groups by key, as a store would have them. */
typedef struct kit_store {
    kit_saved *items;
    size_t count, cap;
} kit_store;

static inline kit_saved *kit_find(const kit_store *s, uint32_t correlation,
                                  sg_str key)
{
    for (size_t i = 0; i < s->count; i++)
        if (s->items[i].correlation == correlation &&
            sg_str_eq(sg_buf_str(&s->items[i].key), key))
            return &s->items[i];
    return NULL;
}

static inline void kit_drop(kit_store *s, kit_saved *item)
{
    sg_buf_free(&item->key);
    sg_buf_free(&item->value);
    *item = s->items[--s->count];
}

static inline void kit_clear(kit_store *s)
{
    while (s->count != 0)
        kit_drop(s, &s->items[s->count - 1]);
    free(s->items);
    *s = (kit_store){NULL, 0, 0};
}

/* An sr_save_fn. */
static inline bool kit_keep(void *ctx, uint32_t correlation, sg_str key,
                            const sg_str *value)
{
    kit_store *s = ctx;
    kit_saved *item = kit_find(s, correlation, key);

    if (value == NULL) {
        if (item != NULL)
            kit_drop(s, item);
        return true;
    }
    if (item == NULL && s->count == s->cap) {
        s->cap = s->cap == 0 ? 16 : s->cap * 2;
        s->items = realloc(s->items, s->cap * sizeof(*s->items));
        if (s->items == NULL)
            sg_fatal("out of memory");
    }
    if (item == NULL) {
        item = &s->items[s->count++];
        *item = (kit_saved){.correlation = correlation};
        sg_buf_put(&item->key, key);
    }
    item->value.len = 0;
    sg_buf_put(&item->value, *value);
    return true;
}

#endif
