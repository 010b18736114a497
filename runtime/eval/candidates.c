/*
 * candidates.c - gates turned inside out: from what a field holds to the rules
 * that can match.
 *
 * A gate is a set of predicates one of which must hold; index.c files them by
 * field. Too many candidates cost time, one too few would cost a match: so this
 * only ever errs towards more.
 *
 * Nothing is built before it is needed: the gates of the rules that are open to
 * a class of events are filed with the first event of it, a field is indexed
 * with the first value it has. A log has few of the fields that a large pack
 * asks for.
 *
 * Keywords are looked for in the bytes of the line first (record.h, verbatim),
 * all at once by a few bytes of each, then one by one.
 * Only where the line may write them in another way the values of the event are
 * read for that: reading them all takes longer than all other fields.
 */
#include "eval/candidates.h"

#include "eval/index.h"

#include <stdlib.h>
#include <string.h>

/* With more rules looking costs less than asking, and texts are too many for a
 * prefilter. */
enum { FEW_RULES = SIGMA_CLAUSE_RULES };

/* What one thread knows of a field. */
typedef struct field_known {
    sr_recall_index recalled;  /* its values that come again */
    sr_habit sieve;            /* pays for lines that it keeps out */
    sr_prefilter *line_filter; /* where there is no sieve; NULL: not yet */
    bool unfiltered;           /* nor can there be one */
} field_known;

/* The index of a class. */
typedef struct class_index {
    sr_index *index;    /* NULL: not yet */
    field_known *known; /* for each of its fields */
} class_index;

struct sr_candidates {
    const sigma_detector *d;
    sg_arena *arena;
    sr_maker *maker;
    sr_indexes *indexes;
    const sr_routes *routes;
    sr_keywords *keywords;
    sr_recall *recall;     /* NULL: values are not kept */
    sr_verbatim *verbatim; /* NULL: not yet */
    class_index classes[SR_ROUTE_CLASS_ANY + 1];
    const sr_index *now; /* of the event at hand; NULL: not yet looked at */
    uint32_t words;      /* of a set of rules */
};

sr_index_set sr_index_setting(void)
{
    const char *set = getenv("SIGCC_INDEX");

    if (set == NULL || (strcmp(set, "0") != 0 && strcmp(set, "1") != 0))
        return SR_INDEX_LARGE;
    return *set == '0' ? SR_INDEX_NEVER : SR_INDEX_ALWAYS;
}

static bool is_worth_it(const sigma_detector *d)
{
    const sr_index_set set = sr_index_setting();

    return set == SR_INDEX_ALWAYS ||
           (set == SR_INDEX_LARGE && d->rule_count > FEW_RULES);
}

sr_candidates *sr_candidates_new(sg_arena *arena, sr_maker *maker,
                                 sr_indexes *indexes, const sr_routes *routes,
                                 sr_keywords *keywords, sr_recall *recall)
{
    const sigma_detector *d = indexes->d;

    if (!is_worth_it(d))
        return NULL;
    sr_candidates *c = sg_new(arena, sr_candidates);

    c->d = d;
    c->arena = arena;
    c->maker = maker;
    c->indexes = indexes;
    c->routes = routes;
    c->keywords = keywords;
    c->recall = recall;
    c->words = (d->rule_count + 63) / 64;
    return c;
}

/* -------- finding -------------------------------------------------------- */

typedef struct finding {
    sr_candidates *c;
    const sr_index *index;
    field_known *known;
    sigma_event *bits; /* of the event */
    uint64_t *rules;
    sr_recall *recall;
    sr_memory *memory; /* of the value at hand; NULL: none */
} finding;

/* sr_gram_fn: something that the predicate needs is there. */
static void add_rules(void *ctx, uint32_t pred)
{
    const finding *f = ctx;
    const sr_index *index = f->index;

    for (uint32_t i = index->rule_first[pred]; i < index->rule_first[pred + 1];
         i++) {
        const uint32_t rule = index->rule_list[i];

        f->rules[rule / 64] |= UINT64_C(1) << (rule % 64);
    }
}

static void set_verdict(const finding *f, uint32_t pred, bool verdict)
{
    const uint64_t bit = UINT64_C(1) << (pred % 64);

    f->bits->known[pred / 64] |= bit;
    if (verdict)
        f->bits->value[pred / 64] |= bit;
    else
        f->bits->value[pred / 64] &= ~bit;
}

/* The value has what the predicate needs. */
static void add_pred(finding *f, uint32_t pred)
{
    if (sr_index_decides(f->index, pred))
        set_verdict(f, pred, true);
    add_rules(f, pred);
}

/* sr_gram_fn: one of its literals is there, in a value. */
static void add_found(void *ctx, uint32_t pred)
{
    finding *f = ctx;

    if (f->memory != NULL)
        sr_recall_found(f->recall, f->memory, pred);
    add_pred(f, pred);
}

static void find_number(finding *f, const sr_field_index *x, int64_t value)
{
    uint32_t low = 0, high = x->number_count;

    while (low < high) {
        const uint32_t mid = low + (high - low) / 2;

        if (x->numbers[mid].value < value)
            low = mid + 1;
        else
            high = mid;
    }
    for (; low < x->number_count && x->numbers[low].value == value; low++)
        add_found(f, x->numbers[low].pred);
}

/* The whole number a value can stand for. */
static bool whole_number(sr_event *event, sr_value *v, int64_t *out)
{
    sg_num num = v->num;

    if (v->kind != SR_NUMBER && !sg_num_parse(sr_value_text(event, v), &num))
        return false;
    if (num.kind == SIGMA_FLOAT && num.v.f >= -0x1p63 && num.v.f < 0x1p63) {
        *out = (int64_t)num.v.f;
        return true;
    }
    *out = num.v.i;
    return num.kind == SIGMA_INT;
}

static bool is_scalar(const sr_value *v)
{
    return v->kind == SR_STRING || v->kind == SR_NUMBER || v->kind == SR_BOOL;
}

/* What is looked for one by one: there is little of it. */
static void find_rest(finding *f, const sr_field_index *x, sg_str text)
{
    for (uint32_t i = 0; i < x->byte_count && text.len != 0; i++)
        if (memchr(text.ptr, (unsigned char)x->bytes[i].byte, text.len) != NULL)
            add_found(f, x->bytes[i].pred);
    for (uint32_t i = 0; i < x->run_count; i++)
        if (sr_run_is_in(&x->runs[i].run, text))
            add_found(f, x->runs[i].pred);
}

/* What finds the texts of values, of which this is an ordinary one. */
static void make_reading(sr_maker *maker, sr_field_index *x, sg_str text)
{
    x->affixes = sr_affixes_new(&maker->arena, x->ends, x->end_count);
    x->grams = sr_grams_new(&maker->arena, x->lits, x->lit_count, 0, text);
    sr_made(maker, &x->read);
}

static void find_value(finding *f, sr_field_index *x, sr_event *event,
                       sr_value *v)
{
    int64_t whole;

    if (!is_scalar(v))
        return;
    if (x->number_count != 0 && v->kind != SR_BOOL &&
        whole_number(event, v, &whole))
        find_number(f, x, whole);
    if (!sr_index_reads_texts(x))
        return;
    const sg_str text = sr_value_folded(event, v);
    if (sr_makes(f->c->maker, &x->read))
        make_reading(f->c->maker, x, text);
    sr_affixes_find(x->affixes, text, add_found, f);
    sr_grams_scan(x->grams, text, add_found, f);
    find_rest(f, x, text);
}

static void add_facts(finding *f, const sr_memory *m)
{
    uint32_t count;
    const uint32_t *facts = sr_memory_facts(m, &count);

    for (uint32_t i = 0; i < count; i++) {
        const uint32_t pred = sr_fact_pred(facts[i]);
        const sr_fact kind = sr_fact_kind(facts[i]);

        if (kind == SR_FACT_FOUND)
            add_pred(f, pred);
        else
            set_verdict(f, pred, kind == SR_FACT_TRUE);
    }
}

static field_known *known_of(const finding *f, const sr_field_index *x)
{
    return &f->known[x - f->index->fields];
}

/* The only value of a field, which may have been seen before. */
static void find_only(finding *f, sr_field_index *x, sr_event *event,
                      sr_value *v)
{
    bool old = false;

    if (f->recall != NULL && is_scalar(v))
        f->memory = sr_recall_value(f->recall, &known_of(f, x)->recalled,
                                    x->field, v->raw, &old);
    if (old)
        add_facts(f, f->memory);
    else
        find_value(f, x, event, v);
    f->memory = NULL;
}

static void find_values(finding *f, sr_field_index *x, sr_event *event)
{
    sr_value *v = sr_first(event, x->field);

    if (v == NULL)
        return;
    for (uint32_t i = 0; i < x->present_count; i++)
        add_rules(f, x->present[i]);
    if (!sr_index_reads_texts(x) && x->number_count == 0)
        return;
    if (v->next == SIGMA_NONE && !x->keywords) {
        find_only(f, x, event, v);
        return;
    }
    for (; v != NULL; v = sr_next(event, v))
        find_value(f, x, event, v);
}

static sg_str *pieces_of(const sr_field_index *x, sg_arena *arena)
{
    sg_str *pieces = sg_new_n(arena, sg_str, (size_t)x->piece_count + 1);

    for (uint32_t i = 0; i < x->piece_count; i++)
        pieces[i] = x->pieces[i].text;
    return pieces;
}

/* What keeps out lines without keywords, of which this is an ordinary one. */
static void make_sieve(sr_maker *maker, sr_field_index *x, sg_str line)
{
    sg_arena scratch = {0};

    x->sieve = sr_sieve_new(&maker->arena, pieces_of(x, &scratch),
                            x->piece_count, line);
    sr_made(maker, &x->filtered);
    sg_arena_free(&scratch);
}

/* The same, slower and for one thread. */
static bool filter_passes(sr_candidates *c, const sr_field_index *x,
                          field_known *known, sg_str line)
{
    sg_arena scratch = {0};

    if (known->line_filter == NULL && !known->unfiltered) {
        known->line_filter = sr_prefilter_pieces(
            c->arena, pieces_of(x, &scratch), x->piece_count, line);
        known->unfiltered = known->line_filter == NULL;
        sg_arena_free(&scratch);
    }
    return known->unfiltered || sr_prefilter_passes(known->line_filter, line);
}

/* Whether the line has nothing that keywords need, in whatever way it writes
 * it. False says nothing. */
static bool lacks_keywords(const finding *f, sr_field_index *x, sg_str line)
{
    field_known *known = known_of(f, x);

    if (sr_makes(f->c->maker, &x->filtered))
        make_sieve(f->c->maker, x, line);
    return x->sieve != NULL ? sr_sieve_keeps_out(x->sieve, &known->sieve, line)
                            : !filter_passes(f->c, x, known, line);
}

static void find_keywords(finding *f, sr_field_index *x, sr_event *event)
{
    sr_candidates *c = f->c;

    if (lacks_keywords(f, x, event->line))
        return;
    if (c->verbatim == NULL)
        c->verbatim = sr_verbatim_new(c->arena);
    if (sr_verbatim_tells(c->verbatim, event->line)) {
        if (sr_makes(c->maker, &x->verbatim)) {
            x->pieced = sr_grams_new(&c->maker->arena, x->pieces,
                                     x->piece_count, SR_HIDE_CASE, event->line);
            sr_made(c->maker, &x->verbatim);
        }
        sr_grams_scan(x->pieced, event->line, add_rules, f);
        return;
    }
    sr_keywords_read(c->keywords, event);
    find_values(f, x, event);
}

static void find_field(finding *f, sr_field_index *x, sr_event *event,
                       sr_profile *profile)
{
    const int64_t start = profile == NULL ? 0 : sr_profile_start(profile);

    if (x->keywords)
        find_keywords(f, x, event);
    else
        find_values(f, x, event);
    if (profile != NULL)
        sr_profile_stop(profile, start, &profile->fields[x->field].scan_ns);
}

/* Of the rules that are open to a class. */
static sr_index *make_index(sr_candidates *c, uint32_t class)
{
    bool *open = sg_new_n(&c->maker->arena, bool, (size_t)c->d->rule_count + 1);

    for (uint32_t r = 0; r < c->d->rule_count; r++)
        open[r] = sr_routes_class_open(c->routes, class, c->d->rules[r].route);
    return sr_indexes_get(c->indexes, c->maker, open);
}

static const class_index *index_of(sr_candidates *c, uint32_t class)
{
    class_index *x = &c->classes[class];

    if (x->index == NULL) {
        x->index = make_index(c, class);
        x->known =
            sg_new_n(c->arena, field_known, (size_t)x->index->field_count + 1);
    }
    return x;
}

static void count_candidates(const sr_candidates *c, const uint64_t *rules,
                             sr_profile *profile)
{
    for (size_t w = 0; w < c->words; w++)
        for (uint64_t bits = rules[w]; bits != 0; bits &= bits - 1)
            profile->rules[w * 64 + (size_t)__builtin_ctzll(bits)].candidates++;
}

void sr_candidates_find(sr_candidates *c, sr_event *event, uint32_t class,
                        uint64_t *rules, sr_profile *profile)
{
    const class_index *x = index_of(c, class);
    sr_index *index = x->index;
    finding f = {.c = c,
                 .index = index,
                 .known = x->known,
                 .bits = &event->bits,
                 .rules = rules,
                 .recall = profile == NULL ? c->recall : NULL};

    for (uint32_t i = 0; i < c->words; i++)
        rules[i] |= index->always[i];
    for (uint32_t i = 0; i < index->keywords_count; i++)
        find_field(&f, &index->fields[i], event, profile);
    /* An event has fewer fields than gates read. */
    for (uint32_t i = 0; i < event->filled_count; i++) {
        const uint32_t field = event->filled[i];
        sr_field_index *read =
            field < c->d->field_count ? index->by_field[field] : NULL;

        if (read != NULL)
            find_field(&f, read, event, profile);
    }
    c->now = index;
    if (profile != NULL)
        count_candidates(c, rules, profile);
}

void sr_candidates_begin(sr_candidates *c)
{
    c->now = NULL;
}

bool sr_candidates_deny(const sr_candidates *c, uint32_t pred)
{
    return c->now != NULL && sr_index_decides(c->now, pred);
}
