/*
 * refeval.c - the oracle: what the IR means, written to be obvious. Slow,
 * keeps nothing but the event's values, and shares no matching code with the
 * runtime except the regular expressions, which are PCRE2's in both.
 */
#include "ir/ref.h"

#include "match/match.h"

#include <arpa/inet.h>
#include <string.h>

/* -------- texts ---------------------------------------------------------- */

sg_str sc_ref_folded(sg_str s, sg_arena *arena)
{
    sg_buf buf = {0};
    char bytes[4];
    size_t pos = 0;
    sg_str out;

    while (pos < s.len) {
        const uint32_t cp = sg_utf8_next(s, &pos);

        if (cp & 0x80000000u)
            sg_buf_putc(&buf, (char)(cp & 0xff));
        else
            sg_buf_put(&buf,
                       (sg_str){bytes, sg_utf8_put(bytes, sg_fold_cp(cp))});
    }
    out = sg_arena_dup(arena, sg_buf_str(&buf));
    sg_buf_free(&buf);
    return out;
}

static bool holds_text(sg_str text, sg_str part)
{
    size_t i;

    for (i = 0; i + part.len <= text.len; i++)
        if (sg_str_eq(sg_str_sub(text, i, i + part.len), part))
            return true;
    return false;
}

/* Greedy with one point of return: a later star makes earlier choices moot. */
static bool glob(sg_str pattern, sg_str text)
{
    size_t p = 0, t = 0, star = SIZE_MAX, mark = 0;

    while (t < text.len) {
        if (p < pattern.len && pattern.ptr[p] == SIGMA_GLOB_STAR) {
            star = p++;
            mark = t;
        } else if (p < pattern.len && pattern.ptr[p] == SIGMA_GLOB_ANY) {
            p++;
            (void)sg_utf8_next(text, &t);
        } else if (p < pattern.len && pattern.ptr[p] == text.ptr[t]) {
            p++;
            t++;
        } else if (star != SIZE_MAX) {
            p = star + 1;
            (void)sg_utf8_next(text, &mark);
            t = mark;
        } else {
            return false;
        }
    }
    while (p < pattern.len && pattern.ptr[p] == SIGMA_GLOB_STAR)
        p++;
    return p == pattern.len;
}

static bool regex(sg_str pattern, unsigned flags, sg_str text)
{
    char reason[128];
    size_t offset;
    sr_regex *re =
        sr_regex_compile(pattern, flags, reason, sizeof(reason), &offset);
    bool found;

    if (re == NULL)
        return false;
    found = sr_regex_match(re, text) == SR_RE_YES;
    sr_regex_free(re);
    return found;
}

/* -------- networks ------------------------------------------------------- */

/* Bytes of an address: 4, 16, or 0 when the text is none. */
static size_t address(sg_str text, unsigned char out[16])
{
    char z[64];

    if (text.len == 0 || text.len >= sizeof(z) ||
        memchr(text.ptr, '\0', text.len) != NULL)
        return 0;
    memcpy(z, text.ptr, text.len);
    z[text.len] = '\0';
    if (inet_pton(AF_INET, z, out) == 1)
        return 4;
    return inet_pton(AF_INET6, z, out) == 1 ? 16 : 0;
}

static bool bit(const unsigned char *bytes, int64_t i)
{
    return (bytes[i / 8] >> (7 - i % 8)) & 1;
}

static bool in_network(sg_str network, sg_str text)
{
    const size_t slash = sg_str_find(network, SG_S("/"));
    unsigned char net[16] = {0}, have[16] = {0};
    const sg_str prefix_text =
        slash == SIZE_MAX ? SG_S("")
                          : sg_str_sub(network, slash + 1, network.len);
    sg_num prefix = {.kind = SIGMA_INT};
    size_t len;
    int64_t i;

    len = address(
        sg_str_sub(network, 0, slash == SIZE_MAX ? network.len : slash), net);
    prefix.v.i = (int64_t)len * 8;
    if (slash != SIZE_MAX && !sg_num_parse(prefix_text, &prefix))
        return false;
    if (len == 0 || len != address(text, have))
        return false;
    for (i = 0; i < prefix.v.i && i < (int64_t)len * 8; i++)
        if (bit(net, i) != bit(have, i))
            return false;
    return true;
}

/* -------- timestamps ----------------------------------------------------- */

typedef struct stamp {
    long part[SIGMA_YEAR + 1];
    bool has[SIGMA_YEAR + 1];
} stamp;

/* Digits [at, at + n) of text as a number, or -1. */
static long digits(sg_str text, size_t at, size_t n)
{
    long value = 0;
    size_t i;

    if (at + n > text.len)
        return -1;
    for (i = at; i < at + n; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9')
            return -1;
        value = value * 10 + (text.ptr[i] - '0');
    }
    return value;
}

static bool has_char(sg_str text, size_t at, const char *any)
{
    return at < text.len && text.ptr[at] != '\0' &&
           strchr(any, text.ptr[at]) != NULL;
}

static bool leap(long y)
{
    return (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;
}

static long month_days(long y, long m)
{
    if (m == 2)
        return leap(y) ? 29 : 28;
    return m == 4 || m == 6 || m == 9 || m == 11 ? 30 : 31;
}

/* Days since 0000-01-01, counted month by month. */
static long day_number(long y, long m, long d)
{
    long days = d - 1, i;

    for (i = 0; i < y; i++)
        days += leap(i) ? 366 : 365;
    for (i = 1; i < m; i++)
        days += month_days(y, i);
    return days;
}

/* The ISO week of a day is that of its Thursday, counted within the Thursday's
 * year. 0000-01-01 was a Saturday. */
static long iso_week(long y, long m, long d)
{
    const long day = day_number(y, m, d);
    const long thursday = day - (day + 5) % 7 + 3;
    long year = y;

    if (thursday < day_number(y, 1, 1)) {
        /* The year before 0000 is a common one that began on a Friday. */
        if (y == 0)
            return 52;
        year--;
    } else if (thursday >= day_number(y + 1, 1, 1)) {
        year++;
    }
    return (thursday - day_number(year, 1, 1)) / 7 + 1;
}

/* [:ss[.f]] and [Z|+hh:mm|+hhmm] from `at` to the end. */
static bool good_tail(sg_str text, size_t at)
{
    if (has_char(text, at, ":")) {
        const long second = digits(text, at + 1, 2);

        if (second < 0 || second > 60)
            return false;
        at += 3;
        if (has_char(text, at, ".,")) {
            if (!has_char(text, ++at, "0123456789"))
                return false;
            while (has_char(text, at, "0123456789"))
                at++;
        }
    }
    if (at == text.len)
        return true;
    if (has_char(text, at, "Zz"))
        return at + 1 == text.len;
    if (!has_char(text, at, "+-"))
        return false;
    if (digits(text, at + 1, 2) < 0 || digits(text, at + 1, 2) > 23)
        return false;
    at += 3;
    if (has_char(text, at, ":"))
        at++;
    return digits(text, at, 2) >= 0 && digits(text, at, 2) < 60 &&
           at + 2 == text.len;
}

static bool read_stamp(sg_str text, stamp *s)
{
    const long y = digits(text, 0, 4), m = digits(text, 5, 2);
    const long d = digits(text, 8, 2);

    memset(s, 0, sizeof(*s));
    if (y < 0 || m < 1 || m > 12 || d < 1 || d > month_days(y, m) ||
        !has_char(text, 4, "-") || !has_char(text, 7, "-"))
        return false;
    s->part[SIGMA_YEAR] = y;
    s->part[SIGMA_MONTH] = m;
    s->part[SIGMA_DAY] = d;
    s->part[SIGMA_WEEK] = iso_week(y, m, d);
    s->has[SIGMA_YEAR] = s->has[SIGMA_MONTH] = true;
    s->has[SIGMA_DAY] = s->has[SIGMA_WEEK] = true;
    if (text.len == 10)
        return true;
    s->part[SIGMA_HOUR] = digits(text, 11, 2);
    s->part[SIGMA_MINUTE] = digits(text, 14, 2);
    s->has[SIGMA_HOUR] = s->has[SIGMA_MINUTE] = true;
    return has_char(text, 10, "Tt ") && has_char(text, 13, ":") &&
           s->part[SIGMA_HOUR] >= 0 && s->part[SIGMA_HOUR] <= 23 &&
           s->part[SIGMA_MINUTE] >= 0 && s->part[SIGMA_MINUTE] <= 59 &&
           good_tail(text, 16);
}

/* -------- one value and one operand -------------------------------------- */

static bool compare(sigma_op op, sg_num have, sg_num want)
{
    const int c = sg_num_cmp(have, want);

    switch ((int)op) {
    case SIGMA_OP_LT:
    case SIGMA_OP_TIME_LT:
        return c < 0;
    case SIGMA_OP_LTE:
    case SIGMA_OP_TIME_LTE:
        return c <= 0;
    case SIGMA_OP_GT:
    case SIGMA_OP_TIME_GT:
        return c > 0;
    case SIGMA_OP_GTE:
    case SIGMA_OP_TIME_GTE:
        return c >= 0;
    default:
        return c == 0;
    }
}

/* EQ, STARTS, ENDS, CONTAINS, GLOB, REGEX, CIDR; the text is folded already
 * where the predicate ignores case. */
static bool text_holds(const sc_ir_pred *p, sg_str text, sg_str lit)
{
    switch ((int)p->op) {
    case SIGMA_OP_EQ:
        return sg_str_eq(text, lit);
    case SIGMA_OP_STARTS:
        return sg_str_starts(text, lit);
    case SIGMA_OP_ENDS:
        return sg_str_ends(text, lit);
    case SIGMA_OP_CONTAINS:
        return holds_text(text, lit);
    case SIGMA_OP_GLOB:
        return glob(lit, text);
    case SIGMA_OP_REGEX:
        return regex(lit, p->flags, text);
    default:
        return in_network(lit, text);
    }
}

static bool ignores_case(const sc_ir_pred *p)
{
    return p->op != SIGMA_OP_REGEX && p->op != SIGMA_OP_CIDR &&
           (p->flags & SIGMA_F_CASED) == 0;
}

static bool any_lit(const sc_ir *ir, const sc_ir_pred *p, const sc_ref_value *v)
{
    const sg_str text = ignores_case(p) ? v->folded : v->text;
    uint32_t i;

    for (i = 0; i < p->count; i++)
        if (text_holds(p, text, ir->lits.items[p->first + i]))
            return true;
    return false;
}

/* Equal as numbers, or the canonical decimal text. */
static bool num_equal(const sc_ref_value *v, sg_num want)
{
    char text[SG_NUM_TEXT];
    const sg_str canonical = {text, sg_num_text(want, text)};

    if (v->kind == SC_REF_NUMBER)
        return sg_num_cmp(v->num, want) == 0;
    return v->kind == SC_REF_STRING && sg_str_eq(v->text, canonical);
}

/* LT .. GTE: a number, or text that reads as one. */
static bool num_compares(sigma_op op, const sc_ref_value *v, sg_num want)
{
    sg_num have = v->num;

    if (v->kind != SC_REF_NUMBER &&
        !(v->kind == SC_REF_STRING && sg_num_parse(v->text, &have)))
        return false;
    return compare(op, have, want);
}

static bool time_holds(const sc_ir_pred *p, const sc_ref_value *v, sg_num want)
{
    const unsigned part = (unsigned)p->flags >> SIGMA_F_PART_SHIFT;
    sg_num have = {.kind = SIGMA_INT};
    stamp s;

    if (!read_stamp(v->text, &s) || !s.has[part])
        return false;
    have.v.i = s.part[part];
    return compare(p->op, have, want);
}

static bool any_num(const sc_ir *ir, const sc_ir_pred *p, const sc_ref_value *v)
{
    uint32_t i;

    for (i = 0; i < p->count; i++) {
        const sg_num want = ir->nums.items[p->first + i];

        if (p->op == SIGMA_OP_NUM_EQ) {
            if (num_equal(v, want))
                return true;
        } else if (p->op >= SIGMA_OP_TIME_EQ) {
            if (time_holds(p, v, want))
                return true;
        } else if (num_compares(p->op, v, want)) {
            return true;
        }
    }
    return false;
}

static bool bool_holds(bool want, const sc_ref_value *v)
{
    if (v->kind == SC_REF_BOOL)
        return v->boolean == want;
    return v->kind == SC_REF_STRING &&
           sg_str_eq_nocase(v->text, want ? SG_S("true") : SG_S("false"));
}

static bool ref_holds(const sc_ir_pred *p, sg_str text, sg_str other)
{
    switch ((int)p->op) {
    case SIGMA_OP_REF_EQ:
        return sg_str_eq(text, other);
    case SIGMA_OP_REF_STARTS:
        return sg_str_starts(text, other);
    case SIGMA_OP_REF_ENDS:
        return sg_str_ends(text, other);
    default:
        return holds_text(text, other);
    }
}

static bool any_ref(const sc_ir *ir, const sc_ir_pred *p, const sc_ref_value *v,
                    const sc_ref_event *event)
{
    const sc_ref_values *others =
        sc_ref_recall(event, ir->fields.items[p->first].name, false);
    uint32_t i;

    for (i = 0; i < others->list.count; i++) {
        const sc_ref_value *other = &others->list.items[i];

        if (!sc_ref_has_text(other))
            continue;
        if (ignores_case(p) ? ref_holds(p, v->folded, other->folded)
                            : ref_holds(p, v->text, other->text))
            return true;
    }
    return false;
}

/* -------- predicates ----------------------------------------------------- */

static bool value_holds(const sc_ir *ir, const sc_ir_pred *p,
                        const sc_ref_value *v, const sc_ref_event *event)
{
    if (p->op == SIGMA_OP_NULL)
        return v->kind == SC_REF_NULL;
    if (!sc_ref_has_text(v))
        return false;
    switch (sc_op_operand(p->op)) {
    case SC_OPERAND_LITS:
        return any_lit(ir, p, v);
    case SC_OPERAND_NUMS:
        return any_num(ir, p, v);
    case SC_OPERAND_FIELD:
        return any_ref(ir, p, v, event);
    case SC_OPERAND_BOOL:
        return bool_holds(p->first != 0, v);
    case SC_OPERAND_NONE:
        return true; /* ANY */
    }
    return false;
}

bool sc_ref_pred(const sc_ir *ir, uint32_t pred, const sc_ref_event *event)
{
    const sc_ir_pred *p = &ir->preds.items[pred];
    const sc_ir_field *field = &ir->fields.items[p->field];
    const sc_ref_values *values = sc_ref_recall(
        event, field->name, (field->flags & SIGMA_FIELD_KEYWORDS) != 0);
    bool holds;
    uint32_t i;

    if (p->op == SIGMA_OP_EXISTS)
        return values->present;
    holds = p->op == SIGMA_OP_NULL && !values->present;
    for (i = 0; !holds && i < values->list.count; i++)
        holds = value_holds(ir, p, &values->list.items[i], event);
    return holds;
}

/* -------- nodes and rules ------------------------------------------------ */

bool sc_ref_node(const sc_ir *ir, uint32_t rule, uint32_t node,
                 const sc_ref_event *event)
{
    const sc_ir_node *n = &ir->nodes.items[node];
    const uint32_t *kids = ir->kids.items + n->first;
    uint32_t i;

    switch (n->kind) {
    case SC_NODE_FALSE:
        return false;
    case SC_NODE_TRUE:
        return true;
    case SC_NODE_PRED:
        return sc_ref_pred(ir, n->first, event);
    case SC_NODE_SEL:
        i = ir->rules.items[rule].sel_first + n->first;
        return sc_ref_node(ir, rule, ir->sels.items[i].node, event);
    case SC_NODE_NOT:
        return !sc_ref_node(ir, rule, kids[0], event);
    case SC_NODE_AND:
        for (i = 0; i < n->count; i++)
            if (!sc_ref_node(ir, rule, kids[i], event))
                return false;
        return true;
    case SC_NODE_OR:
        for (i = 0; i < n->count; i++)
            if (sc_ref_node(ir, rule, kids[i], event))
                return true;
        return false;
    }
    return false;
}

bool sc_ref_accepts(const sc_ir *ir, uint32_t rule, const sc_ref_event *event)
{
    const uint32_t route = ir->rules.items[rule].route;

    return route == SIGMA_NONE ||
           sc_ref_node(ir, rule, ir->routes.items[route].node, event);
}

bool sc_ref_rule(const sc_ir *ir, uint32_t rule, const sc_ref_event *event)
{
    return sc_ref_accepts(ir, rule, event) &&
           sc_ref_node(ir, rule, ir->rules.items[rule].node, event);
}
