/*
 * layout.c - which correlations hang together, which rules concern them, and
 * by which fields all of them group. Made once; read by every thread.
 */
#include "agg/layout.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

/* Scratch while the layout is made. */
typedef struct draft {
    const sigma_detector *d;
    sr_layout *l;
    sg_arena *arena;
    sg_arena tmp;
    uint64_t **rules; /* per correlation: bit r, rule r can reach it */
    size_t words;
    SG_VEC(sr_need) needs;
    SG_VEC(uint32_t) fields;
    SG_VEC(uint32_t) parts;
} draft;

static const sigma_corr_ref *refs_of(const sigma_detector *d, uint32_t c)
{
    return d->corr_refs + d->correlations[c].ref_first;
}

static const uint32_t *sources_of(const sigma_detector *d, uint32_t c,
                                  uint32_t ref)
{
    const sigma_correlation *def = &d->correlations[c];

    return d->corr_sources + def->source_first +
           (size_t)ref * (def->key_count + def->value_count);
}

/* -------- components ----------------------------------------------------- */

/* Each correlation gets the smallest index of its component. Inner ones come
 * first in the table, so their components are known, but may have to merge. */
static void find_components(draft *b)
{
    const uint32_t count = b->d->correlation_count;
    uint32_t *root = sg_new_n(&b->tmp, uint32_t, (size_t)count + 1);

    for (uint32_t c = 0; c < count; c++) {
        root[c] = c;
        for (uint32_t i = 0; i < b->d->correlations[c].ref_count; i++) {
            const sigma_corr_ref *ref = &refs_of(b->d, c)[i];

            if (!ref->is_correlation)
                continue;
            const uint32_t one = root[ref->index];
            const uint32_t other = root[c];
            const uint32_t least = one < other ? one : other;

            for (uint32_t k = 0; k <= c && one != other; k++)
                if (root[k] == one || root[k] == other)
                    root[k] = least;
        }
    }
    b->l->component_of = sg_new_n(b->arena, uint32_t, (size_t)count + 1);
    for (uint32_t c = 0; c < count; c++)
        b->l->component_of[c] = root[c] == c ? b->l->component_count++
                                             : b->l->component_of[root[c]];
}

/* Lists the correlations of each component, by counting sort. */
static void list_components(draft *b)
{
    sr_layout *l = b->l;
    const uint32_t count = b->d->correlation_count;
    uint32_t first = 0;

    l->components =
        sg_new_n(b->arena, sr_component, (size_t)l->component_count + 1);
    l->corrs = sg_new_n(b->arena, uint32_t, (size_t)count + 1);
    for (uint32_t c = 0; c < count; c++)
        l->components[l->component_of[c]].corr_count++;
    for (uint32_t i = 0; i < l->component_count; i++) {
        l->components[i].corr_first = first;
        first += l->components[i].corr_count;
        l->components[i].corr_count = 0;
    }
    for (uint32_t c = 0; c < count; c++) {
        sr_component *k = &l->components[l->component_of[c]];

        l->corrs[k->corr_first + k->corr_count++] = c;
    }
}

/* -------- rules ---------------------------------------------------------- */

static bool reaches(const draft *b, uint32_t c, uint32_t rule)
{
    return (b->rules[c][rule / 64] >> rule % 64 & 1) != 0;
}

/* Which rules lead to each correlation, over any number of others. */
static void find_rules(draft *b)
{
    const sigma_detector *d = b->d;

    b->words = ((size_t)d->rule_count + 63) / 64;
    b->rules = sg_new_n(&b->tmp, uint64_t *, (size_t)d->correlation_count + 1);
    for (uint32_t c = 0; c < d->correlation_count; c++) {
        b->rules[c] = sg_new_n(&b->tmp, uint64_t, b->words + 1);
        for (uint32_t i = 0; i < d->correlations[c].ref_count; i++) {
            const sigma_corr_ref *ref = &refs_of(d, c)[i];

            if (!ref->is_correlation)
                b->rules[c][ref->index / 64] |= UINT64_C(1) << ref->index % 64;
            for (size_t w = 0; ref->is_correlation && w < b->words; w++)
                b->rules[c][w] |= b->rules[ref->index][w];
        }
    }
}

static int by_number(const void *a, const void *b)
{
    const uint32_t x = *(const uint32_t *)a;
    const uint32_t y = *(const uint32_t *)b;

    return x < y ? -1 : x > y;
}

static bool leads(const draft *b, const sigma_corr_ref *ref, uint32_t rule)
{
    return ref->is_correlation ? reaches(b, ref->index, rule)
                               : ref->index == rule;
}

/* The fields that a component reads of events which match the rule; false when
 * it does not listen to it at all. */
static bool need_of(draft *b, uint32_t component, uint32_t rule, sr_need *need)
{
    const sr_component *k = &b->l->components[component];
    bool heard = false;

    *need = (sr_need){component, b->fields.count, 0, SIGMA_NONE};
    for (uint32_t i = 0; i < k->corr_count; i++) {
        const uint32_t c = b->l->corrs[k->corr_first + i];
        const sigma_correlation *def = &b->d->correlations[c];

        for (uint32_t r = 0; r < def->ref_count; r++) {
            if (!leads(b, &refs_of(b->d, c)[r], rule))
                continue;
            heard = true;
            for (uint32_t f = 0; f < def->key_count + def->value_count; f++)
                SG_PUSH(b->arena, &b->fields, sources_of(b->d, c, r)[f]);
        }
    }
    uint32_t *fields = b->fields.items + need->field_first;
    const uint32_t all = b->fields.count - need->field_first;

    if (all != 0)
        qsort(fields, all, sizeof(*fields), by_number);
    for (uint32_t i = 0; i < all; i++)
        if (i == 0 || fields[i] != fields[need->field_count - 1])
            fields[need->field_count++] = fields[i];
    b->fields.count = need->field_first + need->field_count;
    return heard;
}

/* The components that listen to a rule: marked in `seen`. */
static void mark_components(const draft *b, uint32_t rule, uint64_t *seen)
{
    for (uint32_t c = 0; c < b->d->correlation_count; c++)
        if (reaches(b, c, rule)) {
            const uint32_t k = b->l->component_of[c];

            seen[k / 64] |= UINT64_C(1) << k % 64;
        }
}

static void find_needs(draft *b)
{
    const size_t words = ((size_t)b->l->component_count + 63) / 64;
    uint64_t *seen = sg_new_n(&b->tmp, uint64_t, words + 1);
    sr_need need;

    b->fields.items = sg_new_n(b->arena, uint32_t, 1); /* never NULL */
    b->l->need_first =
        sg_new_n(b->arena, uint32_t, (size_t)b->d->rule_count + 1);
    /* Without correlations this would be a part of every start. */
    for (uint32_t r = 0; words != 0 && r < b->d->rule_count; r++) {
        memset(seen, 0, words * sizeof(*seen));
        mark_components(b, r, seen);
        for (size_t w = 0; w < words; w++)
            for (uint64_t bits = seen[w]; bits != 0; bits &= bits - 1)
                if (need_of(
                        b, (uint32_t)(w * 64) + (uint32_t)__builtin_ctzll(bits),
                        r, &need))
                    SG_PUSH(b->arena, &b->needs, need);
        b->l->need_first[r + 1] = b->needs.count;
    }
    b->l->needs = b->needs.items;
    b->l->fields = b->fields.items;
}

/* -------- partitions ----------------------------------------------------- */

static bool derives(const sigma_detector *d, uint32_t rule, uint32_t field)
{
    const sigma_rule *r = &d->rules[rule];

    for (uint32_t i = 0; i < r->derive_count; i++)
        if (d->derives[r->derive_first + i].field == field)
            return true;
    return false;
}

uint32_t sr_layout_key(const sigma_detector *d, uint32_t c, uint32_t field)
{
    const sigma_correlation *def = &d->correlations[c];

    for (uint32_t i = 0; i < def->key_count; i++) {
        uint32_t r = 0;

        while (r < def->ref_count && sources_of(d, c, r)[i] == field)
            r++;
        if (r == def->ref_count)
            return i;
    }
    return SIGMA_NONE;
}

/* Whether an event has one value of the field, whichever rule looks at it. */
static bool is_common(const draft *b, const sr_component *k, uint32_t field)
{
    uint32_t rules = 0;
    bool derived = false;

    for (uint32_t r = 0; r < b->d->rule_count; r++)
        for (uint32_t i = 0; i < k->corr_count; i++)
            if (reaches(b, b->l->corrs[k->corr_first + i], r)) {
                rules++;
                derived = derived || derives(b->d, r, field);
                break;
            }
    return rules == 1 || !derived;
}

/* The same field twice in a group-by is one field of the partition. */
static bool is_part(const draft *b, const sr_component *k, uint32_t field)
{
    for (uint32_t i = k->part_first; i < b->parts.count; i++)
        if (b->parts.items[i] == field)
            return true;
    return false;
}

static void find_parts(draft *b, sr_component *k)
{
    const uint32_t first = b->l->corrs[k->corr_first];
    const sigma_correlation *def = &b->d->correlations[first];

    k->part_first = b->parts.count;
    for (uint32_t i = 0; i < def->key_count && def->ref_count != 0; i++) {
        const uint32_t field = sources_of(b->d, first, 0)[i];
        bool all = !is_part(b, k, field);

        for (uint32_t c = 0; c < k->corr_count && all; c++)
            all = sr_layout_key(b->d, b->l->corrs[k->corr_first + c], field) !=
                  SIGMA_NONE;
        if (all && is_common(b, k, field))
            SG_PUSH(b->arena, &b->parts, field);
    }
    k->part_count = b->parts.count - k->part_first;
}

/* Where in the fields of a need those of the partition stand together. */
static uint32_t part_at(const draft *b, const sr_need *need)
{
    const sr_component *k = &b->l->components[need->component];
    const uint32_t *want = b->l->parts + k->part_first;
    const uint32_t *have = b->l->fields + need->field_first;
    uint32_t first = 0;

    if (k->part_count == 0)
        return SIGMA_NONE;
    while (first < need->field_count && have[first] != want[0])
        first++;
    return k->part_count <= need->field_count - first &&
                   memcmp(have + first, want, k->part_count * sizeof(*want)) ==
                       0
               ? first
               : SIGMA_NONE;
}

/* -------- times ---------------------------------------------------------- */

bool sr_shows_times(const sigma_detector *d, const sigma_correlation *def)
{
    for (uint32_t i = 0; i < def->column_count; i++) {
        const sigma_column_kind kind = d->columns[def->column_first + i].kind;

        if (kind == SIGMA_COLUMN_FIRST_SEEN || kind == SIGMA_COLUMN_LAST_SEEN)
            return true;
    }
    return false;
}

static bool shows_times(const draft *b, const sr_component *k)
{
    bool shows = false;

    for (uint32_t i = 0; i < k->corr_count && b->l->search; i++)
        shows = shows ||
                sr_shows_times(
                    b->d, &b->d->correlations[b->l->corrs[k->corr_first + i]]);
    return shows;
}

/* -------- names ---------------------------------------------------------- */

static int by_id(const void *a, const void *b)
{
    const sr_named *x = a;
    const sr_named *y = b;

    if (x->id != y->id)
        return x->id < y->id ? -1 : 1;
    return x->index < y->index ? -1 : x->index > y->index;
}

static uint64_t text_id(const sigma_detector *d, sigma_ref ref)
{
    return sg_str_hash((sg_str){d->pool + ref.off, ref.len});
}

/* Only rules that somebody listens to are looked for by name; in a large pack
 * they are few, often none. */
static void sort_heard(const draft *b)
{
    const sigma_detector *d = b->d;
    sr_layout *l = b->l;

    if (l->need_first[d->rule_count] == 0)
        return;
    l->heard_by_id = sg_new_n(b->arena, sr_named, d->rule_count);
    for (uint32_t r = 0; r < d->rule_count; r++)
        if (sr_layout_hears(l, r))
            l->heard_by_id[l->heard_count++] =
                (sr_named){sr_layout_rule_id(l, r), r};
    qsort(l->heard_by_id, l->heard_count, sizeof(*l->heard_by_id), by_id);
}

static void sort_components(const draft *b)
{
    sr_layout *l = b->l;

    l->components_by_id =
        sg_new_n(b->arena, sr_named, (size_t)l->component_count + 1);
    for (uint32_t i = 0; i < l->component_count; i++)
        l->components_by_id[i] = (sr_named){l->component_ids[i], i};
    qsort(l->components_by_id, l->component_count, sizeof(*l->components_by_id),
          by_id);
}

/* Tell equal names apart, in the order of their indices. */
static void tell_apart(sr_named *named, uint64_t *ids, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        if (i != 0 && named[i].id <= named[i - 1].id)
            named[i].id = named[i - 1].id + 1;
        ids[named[i].index] = named[i].id;
    }
}

/* Rules and correlations are named by what they compute. Rules that compute the
 * same share a name: which of them a component listens to depends on the order
 * of the pack. */
static void name_all(const draft *b)
{
    const sigma_detector *d = b->d;
    sr_layout *l = b->l;

    l->component_ids =
        sg_new_n(b->arena, uint64_t, (size_t)l->component_count + 1);
    l->field_ids = sg_new_n(b->arena, uint64_t, (size_t)d->field_count + 1);
    for (uint32_t f = 0; f < d->field_count; f++)
        l->field_ids[f] = text_id(d, d->fields[f].name);
    for (uint32_t c = 0; c < d->correlation_count; c++) {
        uint64_t *id = &l->component_ids[l->component_of[c]];

        /* In any order: the table's depends on the rest of the pack. */
        *id += text_id(d, d->correlations[c].digest);
    }
    sort_heard(b);
    sort_components(b);
    tell_apart(l->components_by_id, l->component_ids, l->component_count);
}

/* -------- the whole ------------------------------------------------------ */

/* Without randomness the salt is what it is: only speed depends on it. */
static uint64_t make_salt(void)
{
    uint64_t salt = 0;

    if (getrandom(&salt, sizeof(salt), GRND_NONBLOCK) != sizeof(salt))
        salt = UINT64_C(0x5851F42D4C957F2D);
    return salt;
}

/* Inner correlations first: this is also what rules out cycles. */
static void check_order(const sigma_detector *d)
{
    for (uint32_t c = 0; c < d->correlation_count; c++) {
        const sigma_correlation *def = &d->correlations[c];

        if (def->type >= SIGMA_CORR_COUNT || def->ref_count > UINT16_MAX)
            sg_fatal("the detector holds an invalid correlation");
        for (uint32_t i = 0; i < def->ref_count; i++)
            if (refs_of(d, c)[i].is_correlation && refs_of(d, c)[i].index >= c)
                sg_fatal("the detector's correlations are out of order");
    }
}

sr_layout *sr_layout_new(sg_arena *arena, const sigma_detector *detector,
                         bool search)
{
    sr_layout *l = sg_new(arena, sr_layout);
    draft b = {.d = detector, .l = l, .arena = arena};

    check_order(detector);
    l->detector = detector;
    l->search = search;
    l->salt = make_salt();
    find_components(&b);
    list_components(&b);
    find_rules(&b);
    find_needs(&b);
    for (uint32_t i = 0; i < l->component_count; i++) {
        sr_component *k = &l->components[i];

        find_parts(&b, k);
        k->ends = shows_times(&b, k);
        k->whole =
            k->corr_count == 1 &&
            k->part_count ==
                detector->correlations[l->corrs[k->corr_first]].key_count;
    }
    l->parts = b.parts.items;
    for (uint32_t i = 0; i < b.needs.count; i++)
        l->needs[i].part_at = part_at(&b, &l->needs[i]);
    name_all(&b);
    sg_arena_free(&b.tmp);
    return l;
}

bool sr_layout_hears(const sr_layout *layout, uint32_t rule)
{
    return layout->need_first[rule] != layout->need_first[rule + 1];
}

uint64_t sr_layout_component_id(const sr_layout *layout, uint32_t component)
{
    return layout->component_ids[component];
}

uint32_t sr_layout_component(const sr_layout *layout, uint32_t correlation)
{
    return layout->component_of[correlation];
}

uint64_t sr_layout_rule_id(const sr_layout *layout, uint32_t rule)
{
    const sigma_detector *d = layout->detector;
    const sigma_ref digest = d->rules[rule].digest;

    return text_id(d, digest) + (digest.len == 0 ? rule : 0);
}
