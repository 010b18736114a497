/*
 * refcorr.c - the oracle for correlations (semantics section 9): keeps every
 * event that ever took part in a group and looks at all of them again after
 * each new one. Reference for the runtime's incremental engine.
 *
 * Where the semantics leave room: a window reaches back from the newest event
 * of its group, and an event that lies before it takes no part; events of one
 * window are ordered by time, then arrival; an event without a value to count
 * takes no part in a correlation of values.
 *
 * In search mode the window is the whole input and no event is too late. One
 * without a time counts, and stands at the newest time that its group knows.
 */
#include "ir/ref.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

/* An event that took part in a group. */
typedef struct entry {
    int64_t time;
    bool *seen;           /* per ref: the event matched it */
    const sg_str *values; /* value_count: the texts of the tuple */
    sg_num num;           /* other value types */
} entry;

typedef struct group {
    const sg_str *keys;
    const bool *numbers;
    SG_VEC(entry) entries;   /* by time, then arrival */
    bool held;               /* the condition did, after the last event */
    uint32_t created, line;  /* of the first event to arrive, and the last */
    sc_ref_seen first, last; /* search mode only */
} group;

/* Whether a rule or correlation holds at the event at hand, and as which rule
 * and when. */
typedef struct hit {
    bool holds;
    uint32_t rule;
    sc_ref_seen when;
} hit;

typedef struct state {
    const sc_ir *ir;
    sg_arena *arena;
    sc_ref_enrich *enrich; /* or NULL */
    const sc_ref_event *event;
    hit *rules, *corrs;
    struct {
        SG_VEC(group) groups;
    } * kept; /* per correlation */
    uint32_t line;
    bool search;
    bool *heard; /* search mode, per correlation: another listens to it */
    sc_ref_firings *out;
} state;

/* -------- values and times ----------------------------------------------- */

/* The rule's derived value of a field: the first branch that holds. */
static bool derived(const state *s, uint32_t rule, uint32_t field,
                    bool *is_derived, sg_str *text)
{
    const sc_ir *ir = s->ir;
    const sc_ir_rule *r = &ir->rules.items[rule];
    uint32_t i;

    for (i = 0; i < r->derive_count; i++) {
        const sc_ir_derive *d = &ir->derives.items[r->derive_first + i];

        if (d->field != field)
            continue;
        *is_derived = true;
        *text = d->value;
        if (d->selection == SIGMA_NONE ||
            sc_ref_node(ir, rule,
                        ir->sels.items[r->sel_first + d->selection].node,
                        s->event))
            return true;
    }
    return false;
}

/* The first value of a field as the rule sees it; false when it has none. */
static bool first_value(const state *s, uint32_t rule, uint32_t field,
                        sc_ref_value *out)
{
    sc_ref_values values;
    bool is_derived = false;

    *out = (sc_ref_value){.kind = SC_REF_STRING};
    if (derived(s, rule, field, &is_derived, &out->text))
        return true;
    if (is_derived)
        return false;
    sc_ref_lookup(s->event, s->ir->fields.items[field].name, s->arena, &values);
    if (values.list.count == 0 || !sc_ref_has_text(&values.list.items[0]))
        return false;
    *out = values.list.items[0];
    return true;
}

/* Whether a field is present, and its time when it has one: that of its first
 * value that is not null. */
typedef struct reading {
    bool present;
    sc_ref_seen seen;
} reading;

static reading read_time(const state *s, sg_str field)
{
    sc_ref_values values;
    reading out = {.present = false};
    uint32_t i = 0;

    sc_ref_lookup(s->event, field, s->arena, &values);
    while (i < values.list.count && values.list.items[i].kind == SC_REF_NULL)
        i++;
    if (i == values.list.count)
        return out;
    out.present = true;
    out.seen.number = values.list.items[i].kind == SC_REF_NUMBER;
    out.seen.text = values.list.items[i].text;
    out.seen.timed =
        (out.seen.number || values.list.items[i].kind == SC_REF_STRING) &&
        sg_time_parse(out.seen.text, &out.seen.time);
    return out;
}

/* The event's time for a rule: its own field if present, else the first
 * present of the usual names. */
static sc_ref_seen time_of(const state *s, uint32_t rule)
{
    static const sg_str usual[] = {
#define TIME_FIELD(path) SG_LIT(path),
#include "record/time_fields.def"
#undef TIME_FIELD
    };
    const uint32_t field = s->ir->rules.items[rule].time_field;
    reading r = {.present = false};
    size_t i;

    if (field != SIGMA_NONE)
        r = read_time(s, s->ir->fields.items[field].name);
    for (i = 0; !r.present && i < sizeof(usual) / sizeof(usual[0]); i++)
        r = read_time(s, usual[i]);
    return r.seen;
}

bool sc_ref_first(const sc_ir *ir, uint32_t rule, uint32_t field,
                  const sc_ref_event *event, sg_arena *arena, sc_ref_value *out)
{
    const state s = {.ir = ir, .arena = arena, .event = event};

    return first_value(&s, rule, field, out);
}

bool sc_ref_time(const sc_ir *ir, uint32_t rule, const sc_ref_event *event,
                 sg_arena *arena, int64_t *time)
{
    const state s = {.ir = ir, .arena = arena, .event = event};
    const sc_ref_seen seen = time_of(&s, rule);

    *time = seen.time;
    return seen.timed;
}

/* -------- what a window amounts to --------------------------------------- */

/* Entries [first, count) of the group are in the window. */
typedef struct window {
    const sc_ir *ir;
    const sc_ir_corr *c;
    const group *g;
    uint32_t first;
} window;

static sg_num int_num(int64_t n)
{
    return (sg_num){.kind = SIGMA_INT, .v = {.i = n}};
}

static bool same_texts(const sg_str *a, const sg_str *b, uint32_t count)
{
    uint32_t i;

    for (i = 0; i < count; i++)
        if (!sg_str_eq(a[i], b[i]))
            return false;
    return true;
}

static int64_t distinct(const window *w)
{
    int64_t n = 0;
    uint32_t i, k;

    for (i = w->first; i < w->g->entries.count; i++) {
        for (k = w->first; k < i; k++)
            if (same_texts(w->g->entries.items[i].values,
                           w->g->entries.items[k].values, w->c->value_count))
                break;
        n += k == i;
    }
    return n;
}

static bool seen(const window *w, uint32_t ref)
{
    uint32_t i;

    for (i = w->first; i < w->g->entries.count; i++)
        if (w->g->entries.items[i].seen[ref])
            return true;
    return false;
}

static int64_t seen_count(const window *w)
{
    int64_t n = 0;
    uint32_t k;

    for (k = 0; k < w->c->ref_count; k++)
        n += seen(w, k);
    return n;
}

/* Whether the list names some rule twice. Then an event takes one place in a
 * sequence, else it may stand for several rules that follow each other. */
static bool has_twins(const window *w)
{
    const sigma_corr_ref *refs = w->ir->corr_refs.items + w->c->ref_first;
    uint32_t i, k;

    for (i = 0; i < w->c->ref_count; i++)
        for (k = 0; k < i; k++)
            if (refs[i].index == refs[k].index &&
                refs[i].is_correlation == refs[k].is_correlation)
                return true;
    return false;
}

/* The most refs, in list order, that events of the window satisfy in order:
 * from event `at` and ref `ref` on, the best of leaving the ref out and of
 * taking the first event that satisfies it. */
static int64_t longest(const window *w, uint32_t at, uint32_t ref)
{
    const int64_t rest = (int64_t)w->c->ref_count - ref;
    int64_t skip, take = 0;
    uint32_t i = at;

    if (rest == 0)
        return 0;
    while (i < w->g->entries.count && !w->g->entries.items[i].seen[ref])
        i++;
    if (i < w->g->entries.count)
        take = 1 + longest(w, has_twins(w) ? i + 1 : i, ref + 1);
    if (take == rest)
        return take;
    skip = longest(w, at, ref + 1);
    return take > skip ? take : skip;
}

/* Integers add up exactly; a float makes the result one. */
static sg_num total(const window *w, uint32_t by)
{
    __extension__ __int128 whole = 0;
    long double floats = 0;
    bool exact = true;
    uint32_t i;

    for (i = w->first; i < w->g->entries.count; i++) {
        const sg_num n = w->g->entries.items[i].num;

        exact = exact && n.kind != SIGMA_FLOAT;
        if (n.kind == SIGMA_INT)
            whole += n.v.i;
        else if (n.kind == SIGMA_UINT)
            whole += n.v.u;
        else
            floats += (long double)n.v.f;
    }
    if (exact && whole % by == 0 && whole / by >= INT64_MIN &&
        whole / by <= INT64_MAX)
        return int_num((int64_t)(whole / by));
    if (exact && whole % by == 0 && whole > 0 && whole / by <= UINT64_MAX)
        return (sg_num){.kind = SIGMA_UINT, .v = {.u = (uint64_t)(whole / by)}};
    const long double sum = (long double)whole + floats;
    double f = (double)sum / by;

    if (isinf(f)) /* the mean may be a double where the sum is none */
        f = ldexp((double)ldexpl(sum, -64) / by, 64);
    return (sg_num){.kind = SIGMA_FLOAT,
                    .v = {.f = fmax(fmin(f, DBL_MAX), -DBL_MAX)}};
}

static int by_value(const void *a, const void *b)
{
    return sg_num_cmp(*(const sg_num *)a, *(const sg_num *)b);
}

/* Linear interpolation between order statistics. */
static sg_num percentile(const window *w, double percent)
{
    const uint32_t n = w->g->entries.count - w->first;
    const double rank = percent * (double)(n - 1) / 100;
    const double part = rank - floor(rank);
    uint32_t k = (uint32_t)rank, i;
    sg_arena tmp = {0};
    sg_num *nums = sg_new_n(&tmp, sg_num, n);
    sg_num low, high;

    for (i = 0; i < n; i++)
        nums[i] = w->g->entries.items[w->first + i].num;
    qsort(nums, n, sizeof(*nums), by_value);
    low = nums[k];
    high = nums[k + 1 < n ? k + 1 : k];
    sg_arena_free(&tmp);
    if (part <= 0 || sg_num_cmp(low, high) == 0)
        return low;
    return (sg_num){.kind = SIGMA_FLOAT,
                    .v = {.f = sg_num_double(low) * (1 - part) +
                               sg_num_double(high) * part}};
}

static sg_num quantity(const window *w)
{
    const uint32_t n = w->g->entries.count - w->first;

    switch (w->c->type) {
    case SIGMA_CORR_EVENT_COUNT:
        return int_num(n);
    case SIGMA_CORR_VALUE_COUNT:
        return int_num(distinct(w));
    case SIGMA_CORR_TEMPORAL:
        return int_num(seen_count(w));
    case SIGMA_CORR_TEMPORAL_ORDERED:
        return int_num(longest(w, w->first, 0));
    case SIGMA_CORR_VALUE_SUM:
        return total(w, 1);
    case SIGMA_CORR_VALUE_AVG:
        return total(w, n);
    case SIGMA_CORR_VALUE_PERCENTILE:
        return percentile(w, w->c->percentile);
    case SIGMA_CORR_VALUE_MEDIAN:
        return percentile(w, 50);
    case SIGMA_CORR_COUNT:
        break;
    }
    sg_fatal("correlation type %d is unknown", (int)w->c->type);
}

/* -------- conditions ----------------------------------------------------- */

static bool cond_holds(sg_num have, const sigma_corr_cond *cond)
{
    const int c = sg_num_cmp(have, cond->threshold);

    switch (cond->cmp) {
    case SIGMA_CMP_EQ:
        return c == 0;
    case SIGMA_CMP_NEQ:
        return c != 0;
    case SIGMA_CMP_LT:
        return c < 0;
    case SIGMA_CMP_LTE:
        return c <= 0;
    case SIGMA_CMP_GT:
        return c > 0;
    case SIGMA_CMP_GTE:
        return c >= 0;
    }
    return false;
}

/* The boolean condition, by the postfix expression that ends at *at. */
static bool expr_holds(const window *w, uint32_t *at)
{
    const sigma_expr e = w->ir->exprs.items[--*at];
    bool a, b;

    if (e.op == SIGMA_EXPR_REF)
        return seen(w, e.arg);
    a = expr_holds(w, at);
    if (e.op == SIGMA_EXPR_NOT)
        return !a;
    b = expr_holds(w, at);
    return e.op == SIGMA_EXPR_AND ? a && b : a || b;
}

static bool holds(const window *w, sg_num have)
{
    const sc_ir_corr *c = w->c;
    uint32_t i, end = c->expr_first + c->expr_count;

    for (i = 0; i < c->cond_count; i++)
        if (!cond_holds(have, &w->ir->conds.items[c->cond_first + i]))
            return false;
    if (c->expr_count == 0)
        return true;
    /* In a sequence all that was seen stands in the order of the list. */
    if (c->type == SIGMA_CORR_TEMPORAL_ORDERED &&
        sg_num_cmp(have, int_num(seen_count(w))) != 0)
        return false;
    return expr_holds(w, &end);
}

/* -------- events --------------------------------------------------------- */

static const hit *ref_hit(const state *s, const sc_ir_corr *c, uint32_t ref)
{
    const sigma_corr_ref *r = &s->ir->corr_refs.items[c->ref_first + ref];

    return r->is_correlation ? &s->corrs[r->index] : &s->rules[r->index];
}

/* Numbers that no double holds are texts to correlations. */
static bool is_finite(sg_num n)
{
    return n.kind != SIGMA_FLOAT || isfinite(n.v.f);
}

/* Texts of the fields from sources[first]; false when one has none. */
static bool read_texts(const state *s, uint32_t rule, uint32_t first,
                       uint32_t count, const sg_str **out, const bool **numbers)
{
    sg_str *texts = sg_new_n(s->arena, sg_str, (size_t)count + 1);
    bool *are = sg_new_n(s->arena, bool, (size_t)count + 1);
    uint32_t i;

    for (i = 0; i < count; i++) {
        sc_ref_value v;

        if (!first_value(s, rule, s->ir->sources.items[first + i], &v))
            return false;
        texts[i] = v.text;
        are[i] = v.kind == SC_REF_NUMBER && is_finite(v.num);
    }
    *out = texts;
    *numbers = are;
    return true;
}

/* What the event adds to a correlation of values; false for nothing. */
static bool read_values(const state *s, const sc_ir_corr *c, uint32_t rule,
                        uint32_t first, entry *e)
{
    const bool *numbers;
    sc_ref_value v;

    if (c->value_count == 0)
        return true;
    if (c->type == SIGMA_CORR_VALUE_COUNT)
        return read_texts(s, rule, first, c->value_count, &e->values, &numbers);
    if (!first_value(s, rule, s->ir->sources.items[first], &v))
        return false;
    e->num = v.num;
    return (v.kind == SC_REF_NUMBER && is_finite(v.num)) ||
           (v.kind == SC_REF_STRING && sg_num_parse(v.text, &e->num));
}

static group *group_of(state *s, uint32_t corr, const sg_str *keys,
                       const bool *numbers)
{
    const uint32_t count = s->ir->corrs.items[corr].key_count;
    uint32_t i;

    for (i = 0; i < s->kept[corr].groups.count; i++)
        if (same_texts(s->kept[corr].groups.items[i].keys, keys, count))
            return &s->kept[corr].groups.items[i];
    SG_PUSH(s->arena, &s->kept[corr].groups,
            ((group){.keys = keys, .numbers = numbers, .created = s->line}));
    return &s->kept[corr].groups.items[s->kept[corr].groups.count - 1];
}

/* Whether `time` lies more than the timespan before `newest`. */
static bool is_before(int64_t time, int64_t newest, int64_t span)
{
    return newest > time && (uint64_t)newest - (uint64_t)time > (uint64_t)span;
}

/* Put an entry behind those of the same or an earlier time; false when it is
 * too late to be in the window. */
static bool insert(state *s, group *g, entry e, int64_t span)
{
    uint32_t i = g->entries.count;

    if (!s->search && i > 0 &&
        is_before(e.time, g->entries.items[i - 1].time, span))
        return false;
    SG_PUSH(s->arena, &g->entries, e);
    for (; i > 0 && g->entries.items[i - 1].time > e.time; i--)
        g->entries.items[i] = g->entries.items[i - 1];
    g->entries.items[i] = e;
    return true;
}

/* Search mode: an event adds to a group. Returns the time at which it counts.
 */
static int64_t widen(group *g, const sc_ref_seen *when, uint32_t line)
{
    g->line = line;
    if (!when->timed)
        return g->last.timed ? g->last.time : INT64_MIN + 1;
    if (!g->first.timed || when->time < g->first.time)
        g->first = *when;
    if (!g->last.timed || when->time > g->last.time)
        g->last = *when;
    return when->time;
}

static void judge(state *s, uint32_t corr, group *g, const hit *by,
                  int64_t time)
{
    const sc_ir_corr *c = &s->ir->corrs.items[corr];
    const uint32_t n = g->entries.count;
    const bool held = g->held;
    sc_ref_firing firing = {.corr = corr, .line = s->line, .keys = g->keys};
    window w = {s->ir, c, g, 0};

    while (!s->search && is_before(g->entries.items[w.first].time,
                                   g->entries.items[n - 1].time, c->timespan))
        w.first++;
    firing.time = time;
    firing.count = n - w.first;
    firing.value = quantity(&w);
    firing.begins = !held || firing.count == 1;
    g->held = holds(&w, firing.value);
    if (!g->held)
        return;
    if (!s->search)
        SG_PUSH(s->arena, &s->out->list, firing);
    if (!s->corrs[corr].holds)
        s->corrs[corr] = *by;
}

/* What the event adds to one group of a correlation. */
typedef struct part {
    const sg_str *keys;
    const bool *numbers;
    const hit *by;
    entry e;
} part;

typedef SG_VEC(part) parts;

static void add_part(state *s, const sc_ir_corr *c, uint32_t ref, parts *all)
{
    const uint32_t width = c->key_count + c->value_count;
    const uint32_t first = c->source_first + ref * width;
    part p = {.by = ref_hit(s, c, ref)};
    uint32_t i;

    if (!read_texts(s, p.by->rule, first, c->key_count, &p.keys, &p.numbers) ||
        !read_values(s, c, p.by->rule, first + c->key_count, &p.e))
        return;
    for (i = 0; i < all->count; i++)
        if (same_texts(all->items[i].keys, p.keys, c->key_count)) {
            all->items[i].e.seen[ref] = true;
            return;
        }
    p.e.seen = sg_new_n(s->arena, bool, c->ref_count);
    p.e.seen[ref] = true;
    SG_PUSH(s->arena, all, p);
}

/* One event is one entry per group, however many refs it satisfies, at the
 * time of the first of them. */
static void take_in(state *s, uint32_t corr)
{
    const sc_ir_corr *c = &s->ir->corrs.items[corr];
    const hit *first = NULL;
    parts all = {0};
    uint32_t i;

    for (i = 0; i < c->ref_count; i++)
        if (ref_hit(s, c, i)->holds) {
            first = first == NULL ? ref_hit(s, c, i) : first;
            add_part(s, c, i, &all);
        }
    for (i = 0; i < all.count; i++) {
        const part *p = &all.items[i];
        group *g = group_of(s, corr, p->keys, p->numbers);
        entry e = p->e;

        e.time = s->search ? widen(g, &first->when, s->line) : first->when.time;
        if (insert(s, g, e, c->timespan) && (!s->search || s->heard[corr]))
            judge(s, corr, g, p->by, e.time);
    }
}

static void one_event(state *s)
{
    const sc_ir *ir = s->ir;
    uint32_t i;

    for (i = 0; i < ir->rules.count; i++) {
        s->rules[i] = (hit){.rule = i, .when = time_of(s, i)};
        s->rules[i].holds = (s->search || s->rules[i].when.timed) &&
                            sc_ref_rule(ir, i, s->event);
    }
    for (i = 0; i < ir->corrs.count; i++)
        s->corrs[i] = (hit){0};
    for (i = 0; i < ir->corrs.count; i++)
        take_in(s, i);
}

static void begin(state *s)
{
    const sc_ir *ir = s->ir;
    const size_t corrs = (size_t)ir->corrs.count + 1;
    uint32_t i;

    s->rules = sg_new_n(s->arena, hit, (size_t)ir->rules.count + 1);
    s->corrs = sg_new_n(s->arena, hit, corrs);
    s->heard = sg_new_n(s->arena, bool, corrs);
    s->kept =
        sg_arena_zalloc(s->arena, corrs, sizeof(*s->kept), _Alignof(uint64_t));
    for (i = 0; i < ir->corr_refs.count; i++)
        if (ir->corr_refs.items[i].is_correlation)
            s->heard[ir->corr_refs.items[i].index] = true;
}

static void all_events(state *s, const sg_str *lines, uint32_t count)
{
    uint32_t i;

    begin(s);
    for (i = 0; i < count; i++) {
        sc_ref_event *event = sc_ref_event_parse(lines[i]);

        if (event == NULL)
            continue;
        if (s->enrich != NULL)
            sc_ref_enrich_event(s->enrich, event);
        s->event = event;
        s->line = i + 1;
        one_event(s);
        sc_ref_event_free(event);
    }
}

void sc_ref_correlate(const sc_ir *ir, const sg_str *lines, uint32_t count,
                      sg_arena *arena, sc_ref_firings *out)
{
    sc_ref_correlate_enriched(ir, NULL, lines, count, arena, out);
}

void sc_ref_correlate_enriched(const sc_ir *ir, sc_ref_enrich *enrich,
                               const sg_str *lines, uint32_t count,
                               sg_arena *arena, sc_ref_firings *out)
{
    state s = {.ir = ir, .arena = arena, .enrich = enrich, .out = out};

    *out = (sc_ref_firings){.list = {0}};
    all_events(&s, lines, count);
}

/* The rows of one correlation. */
static void take_rows(const state *s, uint32_t corr, sc_ref_rows *out)
{
    uint32_t i;

    for (i = 0; i < s->kept[corr].groups.count; i++) {
        const group *g = &s->kept[corr].groups.items[i];
        const window w = {s->ir, &s->ir->corrs.items[corr], g, 0};
        const sc_ref_row row = {
            .corr = corr,
            .created = g->created,
            .line = g->line,
            .keys = g->keys,
            .numbers = g->numbers,
            .count = g->entries.count,
            .value = quantity(&w),
            .first = g->first,
            .last = g->last,
        };

        if (holds(&w, row.value))
            SG_PUSH(s->arena, &out->list, row);
    }
}

void sc_ref_search(const sc_ir *ir, sc_ref_enrich *enrich, const sg_str *lines,
                   uint32_t count, sg_arena *arena, sc_ref_rows *out)
{
    state s = {.ir = ir, .arena = arena, .enrich = enrich, .search = true};
    uint32_t i;

    *out = (sc_ref_rows){.list = {0}};
    all_events(&s, lines, count);
    for (i = 0; i < ir->corrs.count; i++) {
        const uint32_t first = out->list.count;

        if ((ir->corrs.items[i].flags & SIGMA_CORR_HIDDEN) != 0)
            continue;
        take_rows(&s, i, out);
        out->list.count = first + sc_ref_order(ir, out->list.items + first,
                                               out->list.count - first);
    }
}
