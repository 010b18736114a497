/*
 * check.c - is a detector what its header says? Every index and range of
 * every table is compared with the size of what it points into, once, before
 * anything else reads them: of tables that only events need, with the first.
 */
#include "eval/inside.h"

#include "match/match.h"

#include <stdio.h>

typedef struct check {
    const sigma_detector *d;
    const char *fault; /* the first one, or NULL */
    const char *table; /* where: name and row */
    uint32_t row;
} check;

static void require(check *c, bool ok, const char *fault)
{
    if (!ok && c->fault == NULL)
        c->fault = fault;
}

static bool in_range(uint32_t first, uint32_t count, uint32_t total)
{
    return first <= total && count <= total - first;
}

static void need_range(check *c, uint32_t first, uint32_t count, uint32_t total)
{
    require(c, in_range(first, count, total), "range beyond its table");
}

static void need_index(check *c, uint32_t index, uint32_t total)
{
    require(c, index < total, "index beyond its table");
}

static void need_optional(check *c, uint32_t index, uint32_t total)
{
    require(c, index == SIGMA_NONE || index < total, "index beyond its table");
}

static bool fits(sigma_ref ref, uint64_t size)
{
    return (uint64_t)ref.off + ref.len <= size;
}

static void need_text(check *c, sigma_ref ref)
{
    require(c, fits(ref, c->d->pool_size), "text beyond the pool");
}

static void need_num(check *c, sigma_num num)
{
    require(c, num.kind <= SIGMA_FLOAT, "unknown kind of number");
    if (num.kind == SIGMA_FLOAT)
        require(c, num.v.f - num.v.f == 0, "a number that is not finite");
}

static void need_meta(check *c, const sigma_meta *meta)
{
    const uint64_t size = c->d->pool_size;

    require(c,
            fits(meta->id, size) && fits(meta->name, size) &&
                fits(meta->title, size) && fits(meta->level, size) &&
                fits(meta->status, size) && fits(meta->sha256, size),
            "text beyond the pool");
    need_range(c, meta->tag_first, meta->tag_count, c->d->str_count);
}

static void need_digest(check *c, sigma_ref ref)
{
    need_text(c, ref);
    require(c, ref.len == 0 || ref.len == 64, "a digest of another length");
}

/* Some tables have rows that mean nothing by themselves. */
static void nothing(check *c, uint32_t i)
{
    (void)c;
    (void)i;
}

/* -------- one row of each table ------------------------------------------- */

typedef enum operand {
    OPERAND_LITS,
    OPERAND_NUMS,
    OPERAND_FIELD,
    OPERAND_BOOL,
    OPERAND_NONE
} operand;

static const operand operands[SIGMA_OP_COUNT] = {
#define OP(name, text, operand, cost, doc)                                     \
    [SIGMA_OP_##name] = OPERAND_##operand,
#include "sigma_ops.def"
#undef OP
};

static void need_nets(check *c, const sigma_pred *p)
{
    sr_cidr net;

    for (uint32_t i = 0; c->fault == NULL && i < p->count; i++) {
        const sigma_ref ref = c->d->lits[p->first + i];
        require(c, sr_cidr_parse((sg_str){c->d->pool + ref.off, ref.len}, &net),
                "network refused");
    }
}

static bool is_time_op(uint8_t op)
{
    return op >= SIGMA_OP_TIME_EQ && op <= SIGMA_OP_TIME_GTE;
}

static void check_pred(check *c, uint32_t i)
{
    const sigma_pred *p = &c->d->preds[i];

    need_index(c, p->field, c->d->field_count);
    require(c, p->op < SIGMA_OP_COUNT, "unknown operator");
    if (p->op >= SIGMA_OP_COUNT)
        return;
    switch (operands[p->op]) {
    case OPERAND_LITS:
        need_range(c, p->first, p->count, c->d->lit_count);
        if (p->op == SIGMA_OP_CIDR)
            need_nets(c, p);
        break;
    case OPERAND_NUMS:
        need_range(c, p->first, p->count, c->d->num_count);
        break;
    case OPERAND_FIELD:
        need_index(c, p->first, c->d->field_count);
        break;
    case OPERAND_BOOL:
        require(c, p->first <= 1, "a boolean that is neither");
        break;
    case OPERAND_NONE:
        break;
    }
    if (is_time_op(p->op))
        require(c, p->flags >> SIGMA_F_PART_SHIFT <= SIGMA_YEAR,
                "unknown part of a timestamp");
}

static void check_field(check *c, uint32_t i)
{
    need_text(c, c->d->fields[i].name);
}

static void check_num(check *c, uint32_t i)
{
    need_num(c, c->d->nums[i]);
}

static void check_selection(check *c, uint32_t i)
{
    need_text(c, c->d->selections[i].name);
}

static void check_holds(check *c, uint32_t i)
{
    require(c, c->d->holds[i] != NULL, "no function");
}

static void check_match(check *c, uint32_t i)
{
    require(c, c->d->matches[i] != NULL, "no function");
}

static void check_derive(check *c, uint32_t i)
{
    need_index(c, c->d->derives[i].field, c->d->field_count);
    need_text(c, c->d->derives[i].value);
}

static void check_rule(check *c, uint32_t i)
{
    const sigma_detector *d = c->d;
    const sigma_rule *r = &d->rules[i];

    need_meta(c, &r->meta);
    need_digest(c, r->digest);
    need_range(c, r->gate_first, r->gate_count, d->gate_count);
    need_optional(c, r->time_field, d->field_count);
    need_optional(c, r->route, d->route_count);
    need_range(c, r->selection_first, r->selection_count, d->selection_count);
    need_range(c, r->derive_first, r->derive_count, d->derive_count);
    for (uint32_t k = 0; c->fault == NULL && k < r->derive_count; k++)
        need_optional(c, d->derives[r->derive_first + k].selection,
                      r->selection_count);
}

static void check_gate(check *c, uint32_t i)
{
    need_index(c, c->d->gates[i], c->d->pred_count);
}

static void check_clause(check *c, uint32_t i)
{
    const sigma_detector *d = c->d;
    const sigma_clause *n = &d->clauses[i];

    need_index(c, n->rule, d->rule_count);
    need_range(c, n->gate_first, n->gate_count, d->gate_count);
    require(c, n->gate_count != 0, "an empty clause");
    for (uint32_t k = 1; c->fault == NULL && k < n->gate_count; k++)
        require(c,
                d->preds[d->gates[n->gate_first + k]].field ==
                    d->preds[d->gates[n->gate_first]].field,
                "a clause of several fields");
}

static void check_route(check *c, uint32_t i)
{
    require(c, c->d->routes[i].accepts != NULL, "no function");
}

/* Every ref has its own row of key and value fields. */
static void need_sources(check *c, const sigma_correlation *r)
{
    const uint64_t each = (uint64_t)r->key_count + r->value_count;
    const uint64_t total = c->d->corr_source_count;

    require(c,
            each == 0 || r->ref_count == 0 ||
                (r->source_first <= total &&
                 each <= (total - r->source_first) / r->ref_count),
            "range beyond its table");
}

/* A postfix expression that never pops too much and leaves one value. */
static void need_expr(check *c, const sigma_correlation *r)
{
    uint32_t depth = 0;

    for (uint32_t k = 0; c->fault == NULL && k < r->expr_count; k++) {
        const sigma_expr *e = &c->d->corr_exprs[r->expr_first + k];
        require(c, e->op <= SIGMA_EXPR_NOT, "unknown operator");
        if (e->op == SIGMA_EXPR_REF) {
            need_index(c, e->arg, r->ref_count);
            depth++;
        } else if (e->op == SIGMA_EXPR_NOT) {
            require(c, depth >= 1, "unbalanced expression");
        } else {
            require(c, depth >= 2, "unbalanced expression");
            depth--;
        }
    }
    require(c, r->expr_count == 0 || depth == 1, "unbalanced expression");
}

static void check_correlation(check *c, uint32_t i)
{
    const sigma_detector *d = c->d;
    const sigma_correlation *r = &d->correlations[i];

    need_meta(c, &r->meta);
    need_digest(c, r->digest);
    require(c, r->type < SIGMA_CORR_COUNT, "unknown type");
    require(c, r->timespan >= 0, "negative timespan");
    require(c, r->percentile >= 0 && r->percentile <= 100, "bad percentile");
    need_text(c, r->timespan_text);
    need_range(c, r->ref_first, r->ref_count, d->corr_ref_count);
    need_range(c, r->key_first, r->key_count, d->corr_key_count);
    need_range(c, r->cond_first, r->cond_count, d->corr_cond_count);
    need_range(c, r->expr_first, r->expr_count, d->corr_expr_count);
    need_range(c, r->column_first, r->column_count, d->column_count);
    need_sources(c, r);
    require(c,
            r->sort_column == SIGMA_NONE ||
                r->sort_column < (uint64_t)r->column_count + r->key_count,
            "unknown sort column");
    for (uint32_t k = 0; c->fault == NULL && k < r->ref_count; k++) {
        const sigma_corr_ref *ref = &d->corr_refs[r->ref_first + k];
        need_index(c, ref->index, ref->is_correlation ? i : d->rule_count);
    }
    need_expr(c, r);
}

static void check_key(check *c, uint32_t i)
{
    need_text(c, c->d->corr_keys[i].name);
}

static void check_source(check *c, uint32_t i)
{
    need_index(c, c->d->corr_sources[i], c->d->field_count);
}

static void check_cond(check *c, uint32_t i)
{
    require(c, c->d->corr_conds[i].cmp <= SIGMA_CMP_GTE, "unknown operator");
    need_num(c, c->d->corr_conds[i].threshold);
}

static void check_column(check *c, uint32_t i)
{
    require(c, c->d->columns[i].kind <= SIGMA_COLUMN_LAST_SEEN,
            "unknown kind of column");
    need_text(c, c->d->columns[i].name);
}

/* -------- enrichment ----------------------------------------------------- */

static void check_table(check *c, uint32_t i)
{
    const sigma_table *t = &c->d->enrich_tables[i];

    need_text(c, t->name);
    need_range(c, t->column_first, t->column_count, c->d->str_count);
    require(c, t->key_count != 0 && t->column_count != 0, "an empty table");
    if ((t->flags & SIGMA_TABLE_LEARNED) == 0)
        need_range(c, t->key_first, t->key_count, c->d->str_count);
}

static void check_when(check *c, uint32_t i)
{
    const sigma_when *w = &c->d->enrich_whens[i];

    need_index(c, w->field, c->d->field_count);
    need_range(c, w->str_first, w->str_count, c->d->str_count);
}

static void check_enrich_key(check *c, uint32_t i)
{
    need_index(c, c->d->enrich_keys[i], c->d->field_count);
}

/* What a step puts where, by its kind. */
static void check_puts(check *c, const sigma_step *s)
{
    const uint32_t fields = c->d->field_count;
    const uint32_t columns = s->kind == SIGMA_STEP_COPY
                                 ? fields
                                 : c->d->enrich_tables[s->table].column_count;

    for (uint32_t k = 0; c->fault == NULL && k < s->put_count; k++) {
        const sigma_put *p = &c->d->enrich_puts[s->put_first + k];

        need_index(c, p->to, s->kind == SIGMA_STEP_LEARN ? columns : fields);
        need_index(c, p->from, s->kind == SIGMA_STEP_ADD ? columns : fields);
    }
}

static void check_step(check *c, uint32_t i)
{
    const sigma_step *s = &c->d->enrich_steps[i];

    require(c, s->kind <= SIGMA_STEP_COPY, "unknown kind of step");
    need_range(c, s->when_first, s->when_count, c->d->enrich_when_count);
    need_range(c, s->key_first, s->key_count, c->d->enrich_key_count);
    need_range(c, s->put_first, s->put_count, c->d->enrich_put_count);
    if (s->kind != SIGMA_STEP_COPY) {
        need_index(c, s->table, c->d->enrich_table_count);
        if (c->fault == NULL)
            require(c, s->key_count == c->d->enrich_tables[s->table].key_count,
                    "a key of another length than its table's");
    }
    if (c->fault == NULL)
        check_puts(c, s);
}

/* -------- the whole ------------------------------------------------------ */

/* Tables in an order in which each may rely on those before it: rows, their
 * number, what checks one of them unless they are texts. */
#define START_TABLES(TABLE, TEXTS)                                             \
    TABLE(pool, pool_size, nothing)                                            \
    TABLE(fields, field_count, check_field)                                    \
    TEXTS(strs, str_count)                                                     \
    TABLE(derives, derive_count, check_derive)                                 \
    TABLE(rules, rule_count, check_rule)                                       \
    TABLE(corr_refs, corr_ref_count, nothing)                                  \
    TABLE(corr_keys, corr_key_count, check_key)                                \
    TABLE(corr_sources, corr_source_count, check_source)                       \
    TABLE(corr_conds, corr_cond_count, check_cond)                             \
    TABLE(corr_exprs, corr_expr_count, nothing)                                \
    TABLE(columns, column_count, check_column)                                 \
    TABLE(correlations, correlation_count, check_correlation)                  \
    TABLE(enrich_tables, enrich_table_count, check_table)                      \
    TABLE(enrich_whens, enrich_when_count, check_when)                         \
    TABLE(enrich_keys, enrich_key_count, check_enrich_key)                     \
    TABLE(enrich_puts, enrich_put_count, nothing)                              \
    TABLE(enrich_steps, enrich_step_count, check_step)

/* What only events need, behind those. */
#define EVENT_TABLES(TABLE, TEXTS)                                             \
    TEXTS(lits, lit_count)                                                     \
    TABLE(nums, num_count, check_num)                                          \
    TABLE(preds, pred_count, check_pred)                                       \
    TABLE(selections, selection_count, check_selection)                        \
    TABLE(holds, selection_count, check_holds)                                 \
    TABLE(routes, route_count, check_route)                                    \
    TABLE(gates, gate_count, check_gate)                                       \
    TABLE(clauses, clause_count, check_clause)                                 \
    TABLE(matches, rule_count, check_match)

/* Whether all lie in the pool, without looking which. */
static bool texts_fit(const check *c, const sigma_ref *refs, uint32_t count)
{
    const uint64_t size = c->d->pool_size;
    bool fit = true;

    for (uint32_t i = 0; i < count; i++)
        fit &= fits(refs[i], size);
    return fit;
}

/* A loop of its own for each: a large pack has 70,000 rows, half of them texts,
 * and to look at them is a part of every start. */
#define TABLE(rows, count, row_check)                                          \
    static void check_all_##rows(check *c)                                     \
    {                                                                          \
        require(c, c->d->count == 0 || c->d->rows != NULL, "missing");         \
        uint32_t i = 0;                                                        \
                                                                               \
        while (c->fault == NULL && i < c->d->count)                            \
            row_check(c, i++);                                                 \
        c->row = i == 0 ? 0 : i - 1;                                           \
    }
#define TEXTS(rows, count)                                                     \
    static void check_all_##rows(check *c)                                     \
    {                                                                          \
        require(c, c->d->count == 0 || c->d->rows != NULL, "missing");         \
        if (c->fault != NULL || texts_fit(c, c->d->rows, c->d->count))         \
            return;                                                            \
        for (c->row = 0; c->fault == NULL; c->row++)                           \
            need_text(c, c->d->rows[c->row]);                                  \
        c->row--;                                                              \
    }
START_TABLES(TABLE, TEXTS)
EVENT_TABLES(TABLE, TEXTS)
#undef TEXTS
#undef TABLE

typedef struct table {
    const char *name;
    void (*check_all)(check *);
} table;

#define TABLE(rows, count, row_check) {#rows, check_all_##rows},
#define TEXTS(rows, count) {#rows, check_all_##rows},
static const table start_tables[] = {START_TABLES(TABLE, TEXTS)};
static const table event_tables[] = {EVENT_TABLES(TABLE, TEXTS)};
#undef TEXTS
#undef TABLE

static bool check_tables(const sigma_detector *d, const table *tables,
                         size_t count, char *reason, size_t reason_size)
{
    check c = {d, NULL, "", 0};

    for (size_t t = 0; c.fault == NULL && t < count; t++) {
        c.table = tables[t].name;
        c.row = 0;
        tables[t].check_all(&c);
    }
    if (c.fault == NULL)
        return true;
    (void)snprintf(reason, reason_size, "detector table %s, row %u: %s",
                   c.table, c.row, c.fault);
    return false;
}

bool sr_detector_check_start(const sigma_detector *d, char *reason,
                             size_t reason_size)
{
    if (d == NULL || d->abi != SIGMA_ABI) {
        (void)snprintf(reason, reason_size, "detector is of another ABI");
        return false;
    }
    if (d->size != sizeof(*d)) {
        (void)snprintf(reason, reason_size, "detector header has another size");
        return false;
    }
    return check_tables(d, start_tables,
                        sizeof(start_tables) / sizeof(*start_tables), reason,
                        reason_size);
}

bool sr_detector_check_events(const sigma_detector *d, char *reason,
                              size_t reason_size)
{
    return check_tables(d, event_tables,
                        sizeof(event_tables) / sizeof(*event_tables), reason,
                        reason_size);
}

bool sr_detector_check(const sigma_detector *d, char *reason,
                       size_t reason_size)
{
    return sr_detector_check_start(d, reason, reason_size) &&
           sr_detector_check_events(d, reason, reason_size);
}
