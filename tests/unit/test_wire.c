/*
 * test_wire.c - contributions as bytes: what comes back is what was put, also
 * in a detector of another order, or with other rules; one that lacks a rule
 * or correlation says so; and damaged bytes are damaged, or mean something
 * valid.
 */
#include "support/corr_kit.h"
#include "support/test.h"

/* From the folder itself: what a contribution holds. */
#include "agg/layout.h"

enum { SEEDS = 500, EVENTS = 60, LINES = 256 };

/* -------- the same again ------------------------------------------------- */

static bool same_text(const sr_contribution *a, uint32_t at, uint32_t len,
                      const sr_contribution *b, uint32_t other_at,
                      uint32_t other_len)
{
    return at == other_at && sg_str_eq(sr_bytes_of(a, at, len),
                                       sr_bytes_of(b, other_at, other_len));
}

static bool same_cell(const sr_contribution *a, const sr_part_cell *x,
                      const sr_contribution *b, const sr_part_cell *y)
{
    if (x->kind == SR_NO_VALUE || y->kind == SR_NO_VALUE)
        return x->kind == y->kind;
    return x->kind == y->kind &&
           same_text(a, x->at, x->len, b, y->at, y->len) &&
           (x->kind != SR_NUMBER ||
            (x->num.kind == y->num.kind && x->num.v.u == y->num.v.u));
}

static bool same_hit(const sr_layout *l, const sr_contribution *a,
                     const sr_part_hit *x, const sr_contribution *b,
                     const sr_part_hit *y)
{
    bool same = x->rule == y->rule && x->need == y->need &&
                x->cell == y->cell && x->timed == y->timed &&
                x->time == y->time;

    if (x->raw_len != 0)
        same = same && x->raw_kind == y->raw_kind &&
               same_text(a, x->raw_at, x->raw_len, b, y->raw_at, y->raw_len);
    for (uint32_t i = 0; same && i < l->needs[x->need].field_count; i++)
        same = same_cell(a, &sr_cells_of(a)[x->cell + i], b,
                         &sr_cells_of(b)[y->cell + i]);
    return same;
}

/* Every field, but for the hash, which is salted, and `newest`; not the bytes
 * between them, which have no meaning. */
static bool same(const sr_layout *l, const sr_contribution *a,
                 const sr_contribution *b)
{
    bool same = a->size == b->size && a->component == b->component &&
                a->event == b->event && a->time == b->time &&
                a->place.source == b->place.source &&
                a->place.line == b->place.line &&
                a->hit_count == b->hit_count && a->timed == b->timed &&
                a->hit_at == b->hit_at && a->cells_at == b->cells_at &&
                a->hash == b->hash; /* of one layout */

    for (uint32_t i = 0; same && i < a->hit_count; i++)
        same = same_hit(l, a, &sr_hits_of(a)[i], b, &sr_hits_of(b)[i]);
    return same;
}

/* -------- partitions ----------------------------------------------------- */

static uint64_t inside, apart; /* that lie in one piece, or do not */

/* Wherever its values lie, a partition has one hash. */
static void check_partition(const sr_layout *l, const sr_contribution *c)
{
    sg_buf want = {0};
    sg_str value;
    sg_str have;

    for (uint32_t i = 0; sr_contribution_part(l, c, i, &value); i++)
        sr_put_sized(&want, value);
    if (!sr_parts_inside(c, &have)) {
        apart += want.len != 0;
    } else {
        inside++;
        CHECK_STR(have, sg_buf_str(&want));
    }
    CHECK(c->hash == sr_partition_hash(l, c->component, sg_buf_str(&want)));
    sg_buf_free(&want);
}

/* -------- damage --------------------------------------------------------- */

static sr_wire_status get(const sr_layout *l, sg_str bytes, sg_buf *out)
{
    sg_reader r = {bytes, false};
    const size_t beg = out->len;
    const sr_wire_status status = sr_wire_get(l, &r, out);

    if (status == SR_WIRE_DONE) {
        CHECK(sr_contribution_valid(
            l, sg_str_sub(sg_buf_str(out), beg, out->len)));
        check_partition(
            l, (const sr_contribution *)(const void *)(out->ptr + beg));
    } else {
        CHECK_INT(out->len, beg);
    }
    return status;
}

static void check_damage(const kit_engine *e, kit_engine *victim, sg_str bytes,
                         kit_chance *r)
{
    sg_buf out = {0};

    for (size_t len = 0; len < bytes.len; len++)
        CHECK_INT(get(e->layout, sg_str_sub(bytes, 0, len), &out),
                  SR_WIRE_DAMAGED);
    for (unsigned i = 0; i < 40; i++) {
        sg_buf copy = {0};

        sg_buf_put(&copy, bytes);
        for (uint32_t k = kit_below(r, 3) + 1; k-- != 0;)
            copy.ptr[kit_below(r, (uint32_t)copy.len)] ^=
                (char)(1 << kit_below(r, 8));
        out.len = 0;
        if (get(victim->layout, sg_buf_str(&copy), &out) == SR_WIRE_DONE)
            kit_feed_all(victim, &out);
        sg_buf_free(&copy);
    }
    sg_buf_free(&out);
}

/* -------- other detectors ------------------------------------------------ */

static int by_text(const void *a, const void *b)
{
    return sg_str_cmp(*(const sg_str *)a, *(const sg_str *)b);
}

/* Lines of what fired, sorted: the order of correlations is the detector's. */
static size_t lines_of(const kit_engine *e, sg_str lines[LINES])
{
    const sg_str all = sg_buf_str(&e->fired);
    size_t count = 0;

    for (size_t at = 0, beg = 0; at < all.len; at++)
        if (all.ptr[at] == '\n') {
            CHECK(count < LINES);
            lines[count++] = sg_str_sub(all, beg, at);
            beg = at + 1;
        }
    qsort(lines, count, sizeof(*lines), by_text);
    return count;
}

/* -------- the whole ------------------------------------------------------ */

/* One that puts; the same one, one of another order, and one that lacks
 * something, all of which get. */
typedef struct trial {
    kit_chance r;
    kit_model model, less;
    kit kits[3];
    kit_engine put, got, other, lacking, victim;
    uint64_t seed, known, unknown;
} trial;

/* Takes a rule away, or a correlation, and what refers to it. */
static void take_away(trial *t)
{
    const bool rule = kit_one_in(&t->r, 2);
    const uint32_t gone =
        kit_below(&t->r, rule ? (uint32_t)KIT_RULES : t->model.corr_count);

    t->less = t->model;
    if (rule)
        for (uint32_t i = 0; i < KIT_RULES; i++)
            t->less.rule_absent[i] =
                t->model.rule_same_as[i] == t->model.rule_same_as[gone];
    else
        for (uint32_t c = 0; c < t->less.corr_count; c++)
            t->less.corrs[c].absent =
                t->model.corrs[c].same_as == t->model.corrs[gone].same_as;
    for (uint32_t c = 0; c < t->less.corr_count; c++)
        for (uint32_t i = 0; i < t->less.corrs[c].def.ref_count; i++) {
            const sigma_corr_ref *ref = &t->less.corrs[c].refs[i];

            if (ref->is_correlation ? t->less.corrs[ref->index].absent
                                    : t->less.rule_absent[ref->index])
                t->less.corrs[c].absent = true;
        }
}

static void begin(trial *t, uint64_t seed)
{
    *t = (trial){.r = {seed * UINT64_C(0x2545F4914F6CDD1D)}, .seed = seed};
    kit_draw_model(&t->r, &t->model);
    take_away(t);
    kit_build(&t->kits[0], &t->model, &t->r, false);
    kit_build(&t->kits[1], &t->model, &t->r, true);
    kit_build(&t->kits[2], &t->less, &t->r, true);
    const sr_agg_options options = {
        .search = kit_one_in(&t->r, 3),
        .every_firing = true,
        .max_groups = 100000,
        .max_memory = (uint64_t)64 << 20,
        .exact_values = 3,
    };

    kit_open(&t->put, &t->kits[0], options);
    kit_open(&t->got, &t->kits[0], options);
    kit_open(&t->victim, &t->kits[0], options);
    kit_open(&t->other, &t->kits[1], options);
    kit_open(&t->lacking, &t->kits[2], options);
}

/* Whether every correlation of a component is in the other detector, and no
 * other in that one's component. */
static bool has_component(const trial *t, uint32_t component)
{
    const sr_layout *l = t->put.layout;
    const sr_component *k = &l->components[component];

    for (uint32_t i = 0; i < k->corr_count; i++) {
        const uint32_t c = t->kits[0].corr_of[l->corrs[k->corr_first + i]];

        if (t->kits[2].corr_at[c] == SIGMA_NONE)
            return false;
    }
    return true;
}

/* Feed what comes back of one contribution. `turn` stays that of the writer, so
 * that firings compare. */
static void get_and_feed(kit_engine *e, sg_str bytes, uint64_t turn,
                         sr_wire_status want)
{
    sg_buf out = {0};
    sr_agg_clock clock = sr_agg_clock_get(e->agg);

    clock.turn = turn;
    sr_agg_clock_set(e->agg, clock);
    CHECK_INT(get(e->layout, bytes, &out), want);
    for (size_t at = 0; at < out.len;) {
        sr_contribution *c = (void *)(out.ptr + at);

        c->newest = c->time;
        at += c->size;
    }
    kit_feed_all(e, &out);
    sg_buf_free(&out);
}

static void check_one(trial *t, const sr_contribution *c)
{
    const bool known = has_component(t, c->component);
    const uint64_t turn = sr_agg_clock_get(t->put.agg).turn;
    sg_buf bytes = {0};
    sg_buf back = {0};
    kit_engine *e = &t->put;

    sr_wire_put(e->layout, c, c->place.source, &bytes);
    CHECK_INT(get(e->layout, sg_buf_str(&bytes), &back), SR_WIRE_DONE);
    CHECK(back.len == c->size && same(e->layout, c, (void *)back.ptr));
    sr_agg_feed(e->agg, c);
    get_and_feed(&t->got, sg_buf_str(&bytes), turn, SR_WIRE_DONE);
    get_and_feed(&t->other, sg_buf_str(&bytes), turn, SR_WIRE_DONE);
    get_and_feed(&t->lacking, sg_buf_str(&bytes), turn,
                 known ? SR_WIRE_DONE : SR_WIRE_UNKNOWN);
    t->known += known;
    t->unknown += !known;
    if (kit_one_in(&t->r, 15))
        check_damage(e, &t->victim, sg_buf_str(&bytes), &t->r);
    sg_buf_free(&bytes);
    sg_buf_free(&back);
}

/* Whether the line is of a correlation that the detector without some rule or
 * correlation cannot know: the whole component is another one there. */
static bool is_absent(const trial *t, sg_str line)
{
    const kit *k = &t->kits[0];

    for (uint32_t c = 0; c < k->d.correlation_count; c++) {
        const sigma_ref name = k->corrs[c].digest;

        if (sg_str_eq(sg_str_sub(line, 0, 2),
                      (sg_str){k->pool + name.off, name.len}))
            return !has_component(t, t->put.layout->component_of[c]);
    }
    return false;
}

static void fired_same(const trial *t, const kit_engine *have)
{
    sg_str a[LINES];
    sg_str b[LINES];
    const size_t count = lines_of(&t->put, a);
    const size_t others = lines_of(have, b);
    size_t at = 0;

    for (size_t i = 0; i < count; i++) {
        if (have == &t->lacking && is_absent(t, a[i]))
            continue;
        test_count++;
        if (at < others && sg_str_eq(a[i], b[at++]))
            continue;
        test_failures++;
        printf("seed %llu, engine %d\n  want: %.*s\n  have: %.*s\n",
               (unsigned long long)t->seed, (int)(have - &t->put), SG_FMT(a[i]),
               SG_FMT(at == 0 || at > others ? SG_S("nothing") : b[at - 1]));
        return;
    }
    CHECK_INT(at, others);
}

static void compare(trial *t)
{
    fired_same(t, &t->got);
    fired_same(t, &t->other);
    fired_same(t, &t->lacking);
    t->put.fired.len = t->got.fired.len = 0;
    t->other.fired.len = t->lacking.fired.len = 0;
}

static void run(uint64_t seed, uint64_t *known, uint64_t *unknown)
{
    static trial t;
    kit_event e = {.time = 1000 * KIT_SECOND};
    kit_engine *all[] = {&t.put, &t.got, &t.other, &t.lacking, &t.victim};
    sg_buf made = {0};

    begin(&t, seed);
    for (unsigned i = 0; i < EVENTS; i++) {
        e = kit_draw_event(&t.r, &t.model, &e, t.put.layout->search);
        made.len = 0;
        kit_contribute(&t.kits[0], t.put.layout, &e, &made);
        for (size_t at = 0; at < made.len;) {
            const sr_contribution *c = (void *)(made.ptr + at);

            at += c->size;
            check_one(&t, c);
        }
        compare(&t);
    }
    for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
        sr_agg_finish(all[i]->agg);
        all[i]->fired.len = i == 4 ? 0 : all[i]->fired.len;
    }
    compare(&t);
    *known += t.known;
    *unknown += t.unknown;
    for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
        kit_close(all[i]);
    sg_buf_free(&made);
}

int main(void)
{
    uint64_t known = 0;
    uint64_t unknown = 0;

    for (uint64_t seed = 1; seed <= SEEDS; seed++)
        run(seed, &known, &unknown);
    CHECK(known > SEEDS * 10 && unknown > SEEDS);
    CHECK(inside > SEEDS && apart > SEEDS);
    return TEST_END();
}
