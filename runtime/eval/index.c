/*
 * index.c - files the gates of a detector: each predicate of a gate under its
 * field, by what any value that satisfies it must be or hold.
 *
 * Those that look for literals go by these, or by parts of them; regular
 * expressions by literals or a run of bytes that any match holds; those that
 * look for whole numbers by these; all others by the field itself, since
 * without a value only "null" holds. A rule without a gate, or one with a
 * predicate that cannot be filed, is always a candidate.
 */
#include "eval/index.h"

#include "eval/eval.h"

#include "match/match.h"
#include "record/record.h"

#include <stdlib.h>
#include <string.h>

typedef struct builder {
    const sigma_detector *d;
    const bool *rules; /* to file */
    sr_index *index;
    sg_arena *arena;
    sg_arena scratch;
    bool *filed;             /* per predicate */
    SG_VEC(sr_affix) * ends; /* per field */
    SG_VEC(sr_gram_lit) * lits, *pieces;
    SG_VEC(sr_index_byte) * bytes;
    SG_VEC(sr_index_run) * runs;
    SG_VEC(sr_index_number) * numbers;
    SG_VEC(uint32_t) * present;
} builder;

static sg_str lit_of(const sigma_detector *d, const sigma_pred *p, uint32_t i)
{
    return sr_text_of(d, d->lits[p->first + i]);
}

/* -------- predicates ----------------------------------------------------- */

/* Literals are folded when they are compiled, but for those with a case. */
static sg_str folded(builder *b, const sigma_pred *p, sg_str text)
{
    if ((p->flags & SIGMA_F_CASED) == 0)
        return text;
    char *out = sg_arena_alloc(b->arena, sg_fold_bound(text.len) + 1, 1);

    return (sg_str){out, sg_fold(out, text)};
}

/* Whether the indexes of the field can find what a folded value must hold. */
static bool can_find(const builder *b, uint32_t field, const sr_need *need)
{
    const bool keywords = sr_is_keywords(b->d, field);

    for (uint32_t i = 0; i < need->count; i++)
        if (keywords
                ? sr_verbatim_piece(b->arena, need->texts[i]).len < SR_GRAM_LINE
                : need->texts[i].len == 0)
            return false;
    return need->kind == SR_NEED_TEXTS ||
           (need->kind == SR_NEED_RUN && !keywords);
}

static void file_text(builder *b, uint32_t pred, sg_str text)
{
    const uint32_t field = b->d->preds[pred].field;
    const sr_gram_lit lit = {text, pred};

    if (text.len < SR_GRAM) {
        const sr_index_byte byte = {text.ptr[0], pred};

        SG_PUSH(b->arena, &b->bytes[field], byte);
        return;
    }
    SG_PUSH(b->arena, &b->lits[field], lit);
    if (!sr_is_keywords(b->d, field))
        return;
    /* Keywords are looked for in lines, too. */
    const sr_gram_lit piece = {sr_verbatim_piece(b->arena, text), pred};
    SG_PUSH(b->arena, &b->pieces[field], piece);
}

static void file_need(builder *b, uint32_t pred, const sr_need *need)
{
    const sr_index_run run = {need->run, pred};

    for (uint32_t i = 0; i < need->count; i++)
        file_text(b, pred, need->texts[i]);
    if (need->kind == SR_NEED_RUN)
        SG_PUSH(b->arena, &b->runs[b->d->preds[pred].field], run);
}

/* What a folded value must hold to satisfy operand `i`. */
static void find_need(builder *b, const sigma_pred *p, uint32_t i, sr_need *out)
{
    const sg_str lit = lit_of(b->d, p, i);

    if (p->op == SIGMA_OP_REGEX) {
        sr_regex_need(b->arena, lit, out);
        return;
    }
    out->kind = SR_NEED_TEXTS;
    out->count = 1;
    out->texts[0] =
        folded(b, p, p->op == SIGMA_OP_GLOB ? sr_glob_run(lit) : lit);
}

/* All or none. */
static bool file_lits(builder *b, uint32_t pred)
{
    const sigma_pred *p = &b->d->preds[pred];
    const sg_mark mark = sg_arena_mark(&b->scratch);
    sr_need *needs =
        sg_arena_alloc(&b->scratch, (p->count + (size_t)1) * sizeof(*needs),
                       _Alignof(sr_need));
    uint32_t found = 0;

    for (; found < p->count; found++) {
        find_need(b, p, found, &needs[found]);
        if (!can_find(b, p->field, &needs[found]))
            break;
    }
    for (uint32_t i = 0; found == p->count && i < found; i++)
        file_need(b, pred, &needs[i]);
    sg_arena_rewind(&b->scratch, mark);
    return found == p->count;
}

static bool file_ends(builder *b, uint32_t pred, sr_lit_kind kind)
{
    const sigma_pred *p = &b->d->preds[pred];

    if (sr_is_keywords(b->d, p->field))
        return file_lits(b, pred);
    for (uint32_t i = 0; i < p->count; i++) {
        const sr_affix end = {folded(b, p, lit_of(b->d, p, i)), kind, pred};

        SG_PUSH(b->arena, &b->ends[p->field], end);
    }
    return true;
}

static bool file_nums(builder *b, uint32_t pred)
{
    const sigma_pred *p = &b->d->preds[pred];

    for (uint32_t i = 0; i < p->count; i++)
        if (b->d->nums[p->first + i].kind != SIGMA_INT)
            return false;
    for (uint32_t i = 0; i < p->count; i++) {
        const sr_index_number n = {b->d->nums[p->first + i].v.i, pred};

        SG_PUSH(b->arena, &b->numbers[p->field], n);
    }
    return true;
}

/* By a literal or number that its field must hold, if there is one. */
static bool file_operands(builder *b, uint32_t pred)
{
    switch ((sigma_op)b->d->preds[pred].op) {
    case SIGMA_OP_EQ:
        return file_ends(b, pred, SR_LIT_EQ);
    case SIGMA_OP_STARTS:
        return file_ends(b, pred, SR_LIT_STARTS);
    case SIGMA_OP_ENDS:
        return file_ends(b, pred, SR_LIT_ENDS);
    case SIGMA_OP_CONTAINS:
    case SIGMA_OP_GLOB:
    case SIGMA_OP_REGEX:
        return file_lits(b, pred);
    case SIGMA_OP_NUM_EQ:
        return !sr_is_keywords(b->d, b->d->preds[pred].field) &&
               file_nums(b, pred);
    case SIGMA_OP_ANY:
    case SIGMA_OP_CIDR:
    case SIGMA_OP_LT:
    case SIGMA_OP_LTE:
    case SIGMA_OP_GT:
    case SIGMA_OP_GTE:
    case SIGMA_OP_BOOL:
    case SIGMA_OP_NULL:
    case SIGMA_OP_EXISTS:
    case SIGMA_OP_REF_EQ:
    case SIGMA_OP_REF_STARTS:
    case SIGMA_OP_REF_ENDS:
    case SIGMA_OP_REF_CONTAINS:
    case SIGMA_OP_TIME_EQ:
    case SIGMA_OP_TIME_LT:
    case SIGMA_OP_TIME_LTE:
    case SIGMA_OP_TIME_GT:
    case SIGMA_OP_TIME_GTE:
    case SIGMA_OP_COUNT:
        break;
    }
    return false;
}

/* Whether there is no more to a predicate than a literal, in one field. */
static bool is_plain(const builder *b, const sigma_pred *p)
{
    return !sr_is_keywords(b->d, p->field) && (p->flags & SIGMA_F_CASED) == 0 &&
           (p->op == SIGMA_OP_EQ || p->op == SIGMA_OP_STARTS ||
            p->op == SIGMA_OP_ENDS || p->op == SIGMA_OP_CONTAINS);
}

/* Whether the index finds every event for which the predicate holds. Every
 * event has keywords: to file one under them would be no use. */
static bool file_pred(builder *b, uint32_t pred)
{
    const sigma_pred *p = &b->d->preds[pred];

    if (file_operands(b, pred)) {
        if (is_plain(b, p))
            b->index->decided[pred / 64] |= UINT64_C(1) << (pred % 64);
        return true;
    }
    if (p->op == SIGMA_OP_NULL || sr_is_keywords(b->d, p->field))
        return false;
    SG_PUSH(b->arena, &b->present[p->field], pred);
    return true;
}

/* -------- rules ---------------------------------------------------------- */

static const uint32_t *gate_of(const builder *b, uint32_t rule)
{
    return b->d->gates + b->d->rules[rule].gate_first;
}

/* File the predicates of the rules' gates, each once. */
static void file_gates(builder *b)
{
    bool *seen = sg_new_n(&b->scratch, bool, (size_t)b->d->pred_count + 1);

    for (uint32_t r = 0; r < b->d->rule_count; r++)
        for (uint32_t i = 0; b->rules[r] && i < b->d->rules[r].gate_count;
             i++) {
            const uint32_t pred = gate_of(b, r)[i];

            if (!seen[pred])
                b->filed[pred] = file_pred(b, pred);
            seen[pred] = true;
        }
}

static bool is_filed(const builder *b, uint32_t rule)
{
    const uint32_t count = b->d->rules[rule].gate_count;

    for (uint32_t i = 0; i < count; i++)
        if (!b->filed[gate_of(b, rule)[i]])
            return false;
    return count != 0;
}

/* Which rules a predicate makes candidates of; the rest are always. */
static void list_rules(builder *b)
{
    sr_index *index = b->index;
    const sigma_detector *d = b->d;
    uint32_t *next = sg_new_n(&b->scratch, uint32_t, (size_t)d->pred_count + 1);
    sg_arena *arena = b->arena;

    index->always =
        sg_new_n(arena, uint64_t, ((size_t)d->rule_count + 63) / 64);
    index->rule_first = sg_new_n(arena, uint32_t, (size_t)d->pred_count + 2);
    for (uint32_t r = 0; r < d->rule_count; r++)
        if (b->rules[r] && !is_filed(b, r))
            index->always[r / 64] |= UINT64_C(1) << (r % 64);
        else if (b->rules[r])
            for (uint32_t i = 0; i < d->rules[r].gate_count; i++)
                index->rule_first[gate_of(b, r)[i] + 1]++;
    for (uint32_t p = 0; p < d->pred_count; p++)
        index->rule_first[p + 1] += index->rule_first[p];
    index->rule_list =
        sg_new_n(arena, uint32_t, (size_t)index->rule_first[d->pred_count] + 1);
    memcpy(next, index->rule_first, d->pred_count * sizeof(*next));
    for (uint32_t r = 0; r < d->rule_count; r++)
        for (uint32_t i = 0;
             b->rules[r] && is_filed(b, r) && i < d->rules[r].gate_count; i++)
            index->rule_list[next[gate_of(b, r)[i]]++] = r;
}

/* -------- fields --------------------------------------------------------- */

static int by_value(const void *a, const void *b)
{
    const sr_index_number *x = a, *y = b;

    return x->value < y->value ? -1 : x->value > y->value;
}

static void index_field(builder *b, uint32_t f)
{
    const bool keywords = sr_is_keywords(b->d, f);
    const sr_field_index x = {.field = f,
                              .keywords = keywords,
                              .ends = b->ends[f].items,
                              .end_count = b->ends[f].count,
                              .lits = b->lits[f].items,
                              .lit_count = b->lits[f].count,
                              .bytes = b->bytes[f].items,
                              .byte_count = b->bytes[f].count,
                              .runs = b->runs[f].items,
                              .run_count = b->runs[f].count,
                              .pieces = b->pieces[f].items,
                              .piece_count = b->pieces[f].count,
                              .numbers = b->numbers[f].items,
                              .number_count = b->numbers[f].count,
                              .present = b->present[f].items,
                              .present_count = b->present[f].count};

    if (x.number_count != 0)
        qsort(x.numbers, x.number_count, sizeof(*x.numbers), by_value);
    if (sr_index_reads_texts(&x) || x.number_count + x.present_count != 0)
        b->index->fields[b->index->field_count++] = x;
}

static void index_fields(builder *b)
{
    const sigma_detector *d = b->d;
    sr_index *index = b->index;

    index->fields =
        sg_new_n(b->arena, sr_field_index, (size_t)d->field_count + 1);
    index->by_field =
        sg_new_n(b->arena, sr_field_index *, (size_t)d->field_count + 1);
    for (uint32_t f = 0; f < d->field_count; f++)
        if (sr_is_keywords(d, f))
            index_field(b, f);
    index->keywords_count = index->field_count;
    for (uint32_t f = 0; f < d->field_count; f++)
        if (!sr_is_keywords(d, f))
            index_field(b, f);
    for (uint32_t i = index->keywords_count; i < index->field_count; i++)
        index->by_field[index->fields[i].field] = &index->fields[i];
}

/* One vector of the kind for each field. */
static void *vectors(builder *b, size_t size)
{
    return sg_arena_zalloc(&b->scratch, (size_t)b->d->field_count + 1, size,
                           _Alignof(void *));
}

sr_index *sr_index_new(sg_arena *arena, const sigma_detector *d,
                       const bool *rules)
{
    sr_index *index = sg_new(arena, sr_index);
    builder b = {.d = d, .rules = rules, .index = index, .arena = arena};

    b.filed = sg_new_n(&b.scratch, bool, (size_t)d->pred_count + 1);
    b.ends = vectors(&b, sizeof(*b.ends));
    b.lits = vectors(&b, sizeof(*b.lits));
    b.pieces = vectors(&b, sizeof(*b.pieces));
    b.bytes = vectors(&b, sizeof(*b.bytes));
    b.runs = vectors(&b, sizeof(*b.runs));
    b.numbers = vectors(&b, sizeof(*b.numbers));
    b.present = vectors(&b, sizeof(*b.present));
    index->decided =
        sg_new_n(arena, uint64_t, ((size_t)d->pred_count + 63) / 64);
    file_gates(&b);
    list_rules(&b);
    index_fields(&b);
    sg_arena_free(&b.scratch);
    return index;
}

/* -------- by rules ------------------------------------------------------- */

sr_index *sr_indexes_get(sr_indexes *indexes, sr_maker *maker,
                         const bool *rules)
{
    const sigma_detector *d = indexes->d;

    for (uint32_t i = 0; i <= SR_ROUTE_CLASSES; i++) {
        if (sr_makes(maker, &indexes->places[i].taken)) {
            indexes->places[i].rules = rules;
            sr_made(maker, &indexes->places[i].taken);
        }
        if (memcmp(indexes->places[i].rules, rules, d->rule_count) != 0)
            continue;
        if (sr_makes(maker, &indexes->places[i].made)) {
            indexes->places[i].index = sr_index_new(&maker->arena, d, rules);
            sr_made(maker, &indexes->places[i].made);
        }
        return indexes->places[i].index;
    }
    /* Threads have met more classes than one thread can have. */
    return sr_index_new(&maker->arena, d, rules);
}
