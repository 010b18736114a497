/*
 * build_pred.c - detections to nodes over predicates: how each kind of value
 * meets a field (semantics sections 2-5). One predicate per value; sharing
 * and merging of sets belongs to opt.
 */
#include "ir/build.h"

/* What an item's values are compared with. */
typedef struct target {
    uint32_t field;
    bool keywords;
} target;

static uint32_t lower_value(sc_build *b, target t, const sc_value *v);

/* -------- predicates ------------------------------------------------------ */

static uint32_t add_pred(sc_build *b, sc_ir_pred pred)
{
    SG_PUSH(b->ir->arena, &b->ir->preds, pred);
    return sc_build_node(b, SC_NODE_PRED, b->ir->preds.count - 1, pred.at);
}

static uint32_t add_plain(sc_build *b, target t, sigma_op op, sc_span at)
{
    return add_pred(b, (sc_ir_pred){.field = t.field, .op = op, .at = at});
}

static uint32_t add_lit(sc_build *b, target t, sigma_op op, unsigned flags,
                        sg_str lit, sc_span at)
{
    const sc_ir_pred pred = {.field = t.field,
                             .op = op,
                             .flags = (uint8_t)flags,
                             .first = b->ir->lits.count,
                             .count = 1,
                             .at = at};

    SG_PUSH(b->ir->arena, &b->ir->lits, lit);
    return add_pred(b, pred);
}

static uint32_t add_num(sc_build *b, target t, sigma_op op, unsigned flags,
                        const sc_value *v)
{
    const sc_ir_pred pred = {.field = t.field,
                             .op = op,
                             .flags = (uint8_t)flags,
                             .first = b->ir->nums.count,
                             .count = 1,
                             .at = v->at};

    SG_PUSH(b->ir->arena, &b->ir->nums, v->num);
    return add_pred(b, pred);
}

/* -------- strings --------------------------------------------------------- */

/* Append a token, a run of stars being one. */
static void push_tok(sc_build *b, sc_pattern *p, sc_tok tok)
{
    const uint32_t n = p->toks.count;

    if (tok.kind == SC_TOK_STAR && n > 0 &&
        p->toks.items[n - 1].kind == SC_TOK_STAR)
        return;
    SG_PUSH(&b->tmp, &p->toks, tok);
}

/* The pattern with runs of stars joined; `open` searches for it instead of
 * comparing the whole value. */
static sc_pattern normal(sc_build *b, const sc_pattern *p, bool open)
{
    const sc_tok star = {.kind = SC_TOK_STAR};
    sc_pattern out = {{0}};
    uint32_t i;

    if (open)
        push_tok(b, &out, star);
    for (i = 0; i < p->toks.count; i++)
        push_tok(b, &out, p->toks.items[i]);
    if (open)
        push_tok(b, &out, star);
    return out;
}

/* The literal as predicates hold it: folded unless cased. */
static sg_str literal(sc_build *b, sg_str text, bool cased)
{
    char *dst;

    if (cased)
        return text;
    dst = sg_arena_alloc(b->ir->arena, sg_fold_bound(text.len) + 1, 1);
    return (sg_str){dst, sg_fold(dst, text)};
}

/* Whether some text holds a byte that stands for a wildcard in GLOB. Such
 * bytes (from UTF-16 without Base64) occur in no event. */
static bool holds_wild_byte(const sc_pattern *p)
{
    uint32_t i;
    size_t k;

    for (i = 0; i < p->toks.count; i++) {
        const sg_str text = p->toks.items[i].text;

        if (p->toks.items[i].kind != SC_TOK_TEXT)
            continue;
        for (k = 0; k < text.len; k++)
            if (text.ptr[k] == SIGMA_GLOB_STAR || text.ptr[k] == SIGMA_GLOB_ANY)
                return true;
    }
    return false;
}

static uint32_t lower_glob(sc_build *b, target t, const sc_pattern *p,
                           const sc_value *v)
{
    sg_buf buf = {0};
    sg_str lit;
    uint32_t i;

    if (holds_wild_byte(p))
        return sc_build_node(b, SC_NODE_FALSE, 0, v->at);
    for (i = 0; i < p->toks.count; i++) {
        const sc_tok *tok = &p->toks.items[i];

        if (tok->kind == SC_TOK_TEXT)
            sg_buf_put(&buf, literal(b, tok->text, v->cased));
        else
            sg_buf_putc(&buf, tok->kind == SC_TOK_STAR ? SIGMA_GLOB_STAR
                                                       : SIGMA_GLOB_ANY);
    }
    lit = sg_arena_dup(b->ir->arena, sg_buf_str(&buf));
    sg_buf_free(&buf);
    return add_lit(b, t, SIGMA_OP_GLOB, v->cased ? SIGMA_F_CASED : 0, lit,
                   v->at);
}

/* A placeholder that reached the IR: resolve refuses these first. */
static bool has_placeholder(sc_build *b, const sc_value *v)
{
    if (!sc_pattern_has_placeholder(&v->pattern))
        return false;
    sc_error(b->s, SC_E0411, v->at, "a placeholder is not resolved");
    return true;
}

static uint32_t lower_string(sc_build *b, target t, const sc_value *v)
{
    const sc_pattern p = normal(b, &v->pattern, t.keywords);
    const sc_tok *tok = p.toks.items;
    const uint32_t n = p.toks.count;
    const bool head = n > 0 && tok[0].kind == SC_TOK_STAR;
    const bool tail = n > 1 && tok[n - 1].kind == SC_TOK_STAR;
    const unsigned flags = v->cased ? SIGMA_F_CASED : 0;
    const uint32_t body = n - (head ? 1 : 0) - (tail ? 1 : 0);
    sigma_op op;

    if (has_placeholder(b, v))
        return SC_NO_NODE;
    if (n == 0)
        return add_lit(b, t, SIGMA_OP_EQ, flags, SG_S(""), v->at);
    if (n == 1 && head)
        return add_plain(b, t, SIGMA_OP_ANY, v->at);
    if (body != 1 || tok[head ? 1 : 0].kind != SC_TOK_TEXT)
        return lower_glob(b, t, &p, v);
    if (head)
        op = tail ? SIGMA_OP_CONTAINS : SIGMA_OP_ENDS;
    else
        op = tail ? SIGMA_OP_STARTS : SIGMA_OP_EQ;
    return add_lit(b, t, op, flags,
                   literal(b, tok[head ? 1 : 0].text, v->cased), v->at);
}

static uint32_t lower_regex(sc_build *b, target t, const sc_value *v)
{
    sg_buf buf = {0};
    sg_str lit;
    uint32_t i;

    if (has_placeholder(b, v))
        return SC_NO_NODE;
    for (i = 0; i < v->pattern.toks.count; i++)
        sg_buf_put(&buf, v->pattern.toks.items[i].text);
    lit = sg_arena_dup(b->ir->arena, sg_buf_str(&buf));
    sg_buf_free(&buf);
    return add_lit(b, t, SIGMA_OP_REGEX, v->re_flags, lit, v->at);
}

/* -------- other kinds ---------------------------------------------------- */

/* A number among keywords is searched as its text. */
static uint32_t lower_num(sc_build *b, target t, const sc_value *v)
{
    char text[SG_NUM_TEXT];
    sg_str lit;

    if (!t.keywords)
        return add_num(b, t, SIGMA_OP_NUM_EQ, 0, v);
    lit.ptr = text;
    lit.len = sg_num_text(v->num, text);
    return add_lit(b, t, SIGMA_OP_CONTAINS, 0,
                   literal(b, sg_arena_dup(b->ir->arena, lit), false), v->at);
}

static uint32_t lower_compare(sc_build *b, target t, const sc_value *v)
{
    switch (v->cmp) {
    case SIGMA_CMP_EQ:
        return add_num(b, t, SIGMA_OP_NUM_EQ, 0, v);
    case SIGMA_CMP_NEQ:
        return sc_build_not(b, add_num(b, t, SIGMA_OP_NUM_EQ, 0, v), v->at);
    case SIGMA_CMP_LT:
        return add_num(b, t, SIGMA_OP_LT, 0, v);
    case SIGMA_CMP_LTE:
        return add_num(b, t, SIGMA_OP_LTE, 0, v);
    case SIGMA_CMP_GT:
        return add_num(b, t, SIGMA_OP_GT, 0, v);
    case SIGMA_CMP_GTE:
        return add_num(b, t, SIGMA_OP_GTE, 0, v);
    }
    sg_fatal("comparison %d is unknown", (int)v->cmp);
}

/* `neq` inside the chain denies the equality as a whole: a value without that
 * part differs from every number (section 5). */
static uint32_t lower_time(sc_build *b, target t, const sc_value *v)
{
    const unsigned flags = (unsigned)v->part << SIGMA_F_PART_SHIFT;

    switch (v->cmp) {
    case SIGMA_CMP_EQ:
        return add_num(b, t, SIGMA_OP_TIME_EQ, flags, v);
    case SIGMA_CMP_NEQ:
        return sc_build_not(b, add_num(b, t, SIGMA_OP_TIME_EQ, flags, v),
                            v->at);
    case SIGMA_CMP_LT:
        return add_num(b, t, SIGMA_OP_TIME_LT, flags, v);
    case SIGMA_CMP_LTE:
        return add_num(b, t, SIGMA_OP_TIME_LTE, flags, v);
    case SIGMA_CMP_GT:
        return add_num(b, t, SIGMA_OP_TIME_GT, flags, v);
    case SIGMA_CMP_GTE:
        return add_num(b, t, SIGMA_OP_TIME_GTE, flags, v);
    }
    sg_fatal("comparison %d is unknown", (int)v->cmp);
}

static uint32_t lower_fieldref(sc_build *b, target t, const sc_value *v)
{
    static const sigma_op ops[] = {
        [SC_REF_EQ] = SIGMA_OP_REF_EQ,
        [SC_REF_STARTS] = SIGMA_OP_REF_STARTS,
        [SC_REF_ENDS] = SIGMA_OP_REF_ENDS,
        [SC_REF_CONTAINS] = SIGMA_OP_REF_CONTAINS,
    };
    const uint32_t other = sc_build_field(b, v->text, SIGMA_FIELD_PRED);

    return add_pred(b, (sc_ir_pred){.field = t.field,
                                    .op = ops[v->ref_kind],
                                    .flags = v->cased ? SIGMA_F_CASED : 0,
                                    .first = other,
                                    .at = v->at});
}

/* Alternatives of one value: any of them, also under `all`. */
static uint32_t lower_expansion(sc_build *b, target t, const sc_value *v)
{
    sc_ids kids = {0};
    uint32_t i;

    for (i = 0; i < v->kids.count; i++) {
        const uint32_t kid = lower_value(b, t, &v->kids.items[i]);

        if (kid == SC_NO_NODE)
            return SC_NO_NODE;
        SG_PUSH(&b->tmp, &kids, kid);
    }
    return sc_build_group(b, SC_NODE_OR, &kids, v->at);
}

/* Why a kind of value cannot be a keyword, or NULL when it can. */
static const char *not_a_keyword(sc_value_kind kind)
{
    switch (kind) {
    case SC_V_NULL:
        return "null";
    case SC_V_BOOL:
        return "a boolean";
    case SC_V_CIDR:
        return "a network";
    case SC_V_COMPARE:
        return "a comparison";
    case SC_V_FIELDREF:
        return "a field reference";
    case SC_V_EXISTS:
        return "exists";
    case SC_V_TIMEPART:
        return "a part of a time";
    case SC_V_NUM:
    case SC_V_STRING:
    case SC_V_REGEX:
    case SC_V_EXPANSION:
        return NULL;
    }
    return NULL;
}

static uint32_t lower_value(sc_build *b, target t, const sc_value *v)
{
    const char *bad = t.keywords ? not_a_keyword(v->kind) : NULL;
    uint32_t node;

    if (bad != NULL) {
        sc_error(b->s, SC_E0250, v->at, "%s cannot be a keyword", bad);
        return SC_NO_NODE;
    }
    switch (v->kind) {
    case SC_V_NULL:
        return add_plain(b, t, SIGMA_OP_NULL, v->at);
    case SC_V_BOOL:
        return add_pred(b, (sc_ir_pred){.field = t.field,
                                        .op = SIGMA_OP_BOOL,
                                        .first = v->boolean ? 1 : 0,
                                        .at = v->at});
    case SC_V_NUM:
        return lower_num(b, t, v);
    case SC_V_STRING:
        return lower_string(b, t, v);
    case SC_V_REGEX:
        return lower_regex(b, t, v);
    case SC_V_CIDR:
        return add_lit(b, t, SIGMA_OP_CIDR, 0, v->text, v->at);
    case SC_V_COMPARE:
        return lower_compare(b, t, v);
    case SC_V_FIELDREF:
        return lower_fieldref(b, t, v);
    case SC_V_EXISTS:
        node = add_plain(b, t, SIGMA_OP_EXISTS, v->at);
        return v->boolean ? node : sc_build_not(b, node, v->at);
    case SC_V_TIMEPART:
        return lower_time(b, t, v);
    case SC_V_EXPANSION:
        return lower_expansion(b, t, v);
    }
    sg_fatal("value kind %d is unknown", (int)v->kind);
}

/* -------- items and detections ------------------------------------------- */

/* The pseudo field that stands for every value of the event. */
static uint32_t keyword_field(sc_build *b)
{
    const sc_ir_field field = {SG_S(""),
                               SIGMA_FIELD_PRED | SIGMA_FIELD_KEYWORDS};

    if (b->keywords == SIGMA_NONE || b->keywords >= b->ir->fields.count ||
        (b->ir->fields.items[b->keywords].flags & SIGMA_FIELD_KEYWORDS) == 0) {
        b->keywords = b->ir->fields.count;
        SG_PUSH(b->ir->arena, &b->ir->fields, field);
    }
    return b->keywords;
}

static uint32_t lower_item(sc_build *b, const sc_item *item)
{
    target t = {.keywords = !item->has_field};
    sc_ids kids = {0};
    uint32_t i, node;

    t.field = t.keywords ? keyword_field(b)
                         : sc_build_field(b, item->field, SIGMA_FIELD_PRED);
    for (i = 0; i < item->values.count; i++) {
        node = lower_value(b, t, &item->values.items[i]);
        if (node == SC_NO_NODE)
            return SC_NO_NODE;
        SG_PUSH(&b->tmp, &kids, node);
    }
    node = sc_build_group(b, item->all ? SC_NODE_AND : SC_NODE_OR, &kids,
                          item->at);
    return item->negated ? sc_build_not(b, node, item->at) : node;
}

uint32_t sc_build_det(sc_build *b, const sc_det *det)
{
    sc_ids kids = {0};
    uint32_t i;

    if (det->kind == SC_DET_ITEM)
        return lower_item(b, det->item);
    for (i = 0; i < det->kids.count; i++) {
        const uint32_t kid = sc_build_det(b, det->kids.items[i]);

        if (kid == SC_NO_NODE)
            return SC_NO_NODE;
        SG_PUSH(&b->tmp, &kids, kid);
    }
    return sc_build_group(b, det->kind == SC_DET_AND ? SC_NODE_AND : SC_NODE_OR,
                          &kids, det->at);
}
