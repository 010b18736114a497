/*
 * placeholders.c - values for %placeholders%: filling strings and regular
 * expressions with all combinations, the file of --placeholders, and the
 * refusal of what nothing filled (semantics section 10).
 */
#include "resolve/pipeline.h"

#include <string.h>

struct sc_placeholders {
    const sc_y *map;
    sg_map index; /* name to pair */
};

/* -------- the file -------------------------------------------------------- */

static bool is_value(const sc_y *y)
{
    return y->kind == SC_Y_STR || y->kind == SC_Y_NUM;
}

static bool check_entry(sc_session *s, const sc_y_pair *pair)
{
    const sc_y *v = pair->value;
    bool good = is_value(v) || (v->kind == SC_Y_SEQ && v->count != 0);

    if (!sc_y_is_scalar(pair->key) || pair->key->kind == SC_Y_NULL)
        return sc_error(s, SC_E0413, pair->key->span,
                        "the name of a placeholder must be text");
    for (uint32_t i = 0; good && v->kind == SC_Y_SEQ && i < v->count; i++)
        good = is_value(v->items[i]);
    if (good)
        return true;
    return sc_error(s, SC_E0413, v->span,
                    "a placeholder stands for text, a number or a list of "
                    "them");
}

static const sc_placeholders *read_file(sc_session *s, uint32_t source)
{
    const uint32_t errors = s->errors;
    uint32_t count = 0;
    const sc_y_doc *docs = sc_yaml_parse(s, source, &count);
    const sc_span at = {source, 0, 0};

    if (s->errors != errors)
        return NULL;
    if (count != 1 || docs[0].root->kind != SC_Y_MAP) {
        sc_error(s, SC_E0413, count != 0 ? docs[0].at : at,
                 "a placeholder file is one map of names to values");
        return NULL;
    }
    sc_placeholders *file = sg_new(&s->arena, sc_placeholders);
    file->map = docs[0].root;
    for (uint32_t i = 0; i < file->map->count; i++) {
        const sc_y_pair *pair = &file->map->pairs[i];
        bool found;
        if (check_entry(s, pair))
            *sg_map_put(&s->arena, &file->index, pair->key->text, &found) = i;
    }
    return s->errors == errors ? file : NULL;
}

const sc_placeholders *sc_placeholders_read(sc_session *s, uint32_t source)
{
    const uint32_t doc = s->doc;

    s->doc = SIGMA_NONE; /* errors in this file belong to no rule */
    const sc_placeholders *file = read_file(s, source);
    s->doc = doc;
    return file;
}

const sc_y *sc_placeholders_get(const sc_placeholders *file, sg_str name)
{
    const uint32_t *i = file != NULL ? sg_map_get(&file->index, name) : NULL;
    return i != NULL ? file->map->pairs[*i].value : NULL;
}

/* -------- filling --------------------------------------------------------- */

/* Two stars in a row are one. */
static void append(sc_session *s, sc_pattern *to, const sc_pattern *from)
{
    for (uint32_t i = 0; i < from->toks.count; i++) {
        const sc_tok tok = from->toks.items[i];
        const uint32_t n = to->toks.count;
        if (tok.kind != SC_TOK_STAR || n == 0 ||
            to->toks.items[n - 1].kind != SC_TOK_STAR)
            sc_pattern_add(s, to, tok);
    }
}

static sc_pattern copy_pattern(sc_session *s, const sc_pattern *p)
{
    sc_pattern copy = {0};

    for (uint32_t i = 0; i < p->toks.count; i++)
        SG_PUSH(&s->arena, &copy.toks, p->toks.items[i]);
    return copy;
}

/* Append each of `ends` to each of `all`. */
static bool multiply(sc_run *run, const sc_step *step, sc_patterns *all,
                     const sc_patterns *ends)
{
    sc_patterns out = {0};

    if (!sc_run_made(run, step, (size_t)all->count * ends->count))
        return false;
    for (uint32_t i = 0; i < all->count; i++) {
        for (uint32_t k = 0; k < ends->count; k++) {
            sc_pattern p = copy_pattern(run->s, &all->items[i]);
            append(run->s, &p, &ends->items[k]);
            SG_PUSH(&run->s->arena, &out, p);
        }
    }
    *all = out;
    return true;
}

/* In a regular expression values are inserted as written. */
static void as_regex_text(sc_session *s, sc_patterns *values)
{
    for (uint32_t i = 0; i < values->count; i++) {
        const sg_str text = sc_plain(&s->arena, &values->items[i]);
        values->items[i] = sc_pattern_text(s, text);
    }
}

static bool fill_pattern(sc_run *run, const sc_step *step,
                         const sc_value *value, sc_placeholder_fn *fn,
                         sc_patterns *all)
{
    const sc_pattern *p = &value->pattern;
    bool changed = false;

    SG_PUSH(&run->s->arena, all, (sc_pattern){0});
    for (uint32_t i = 0; i < p->toks.count; i++) {
        const sc_tok tok = p->toks.items[i];
        sc_patterns ends = {0};
        if (tok.kind == SC_TOK_PLACEHOLDER && fn(run, step, tok.text, &ends)) {
            changed = true;
            if (value->kind == SC_V_REGEX)
                as_regex_text(run->s, &ends);
        } else {
            sc_pattern same = {0};
            SG_PUSH(&run->s->arena, &same.toks, tok);
            SG_PUSH(&run->s->arena, &ends, same);
        }
        if (run->failed || !multiply(run, step, all, &ends))
            return false;
    }
    return changed;
}

static bool check_filled(sc_run *run, const sc_step *step, const sc_value *v)
{
    char reason[128] = "";
    size_t offset = 0;

    if (v->kind != SC_V_REGEX || sc_pattern_has_placeholder(&v->pattern))
        return true;
    const sg_str text = sc_regex_text(&run->s->arena, &v->pattern);
    if (sr_regex_check(text, v->re_flags, reason, sizeof(reason), &offset))
        return true;
    return sc_run_fail(run, step, SC_E0412, v->at,
                       "the regular expression is invalid once its "
                       "placeholders are filled: %s",
                       reason);
}

bool sc_fill_value(sc_run *run, const sc_step *step, const sc_value *value,
                   sc_placeholder_fn *fn, sc_values *out)
{
    sc_patterns all = {0};

    if ((value->kind != SC_V_STRING && value->kind != SC_V_REGEX) ||
        !sc_pattern_has_placeholder(&value->pattern) ||
        !fill_pattern(run, step, value, fn, &all))
        return false;
    for (uint32_t i = 0; i < all.count; i++) {
        sc_value made = *value;
        made.pattern = all.items[i];
        if (!check_filled(run, step, &made))
            return false;
        SG_PUSH(&run->s->arena, out, made);
    }
    return true;
}

/* -------- the placeholder file over a rule -------------------------------- */

static bool from_file(sc_run *run, const sc_step *step, sg_str name,
                      sc_patterns *out)
{
    const sc_y *values = sc_placeholders_get(run->placeholders, name);

    (void)step;
    for (uint32_t i = 0; i < sc_param_count(values); i++) {
        sc_pattern p = {0};
        sc_pattern_parse(run->s, sc_param_at(values, i), false, &p);
        SG_PUSH(&run->s->arena, out, p);
    }
    return values != NULL;
}

static const sg_str *left_over(const sc_value *v)
{
    for (uint32_t i = 0; i < v->pattern.toks.count; i++) {
        if (v->pattern.toks.items[i].kind == SC_TOK_PLACEHOLDER)
            return &v->pattern.toks.items[i].text;
    }
    for (uint32_t i = 0; i < v->kids.count; i++) {
        const sg_str *name = left_over(&v->kids.items[i]);
        if (name != NULL)
            return name;
    }
    return NULL;
}

/* Alternatives are filled one by one and stay in one list. */
static void fill_kids(sc_run *run, sc_value *v)
{
    sc_values kids = {0};

    for (uint32_t i = 0; i < v->kids.count && !run->failed; i++) {
        sc_value *kid = &v->kids.items[i];
        fill_kids(run, kid);
        if (!sc_fill_value(run, NULL, kid, from_file, &kids))
            SG_PUSH(&run->s->arena, &kids, *kid);
    }
    v->kids.items = kids.items;
    v->kids.count = kids.count;
    v->kids.cap = kids.cap;
}

static void fill_item(sc_run *run, sc_item *item)
{
    sc_values out = {0};

    for (uint32_t i = 0; i < item->values.count && !run->failed; i++) {
        sc_value *v = &item->values.items[i];
        sc_values made = {0};
        fill_kids(run, v);
        if (!sc_fill_value(run, NULL, v, from_file, &made))
            SG_PUSH(&run->s->arena, &made, *v);
        sc_put_values(run->s, item, v, &made, &out);
    }
    if (run->failed)
        return;
    item->values.items = out.items;
    item->values.count = out.count;
    item->values.cap = out.cap;
}

static bool item_open(const sc_item *item)
{
    for (uint32_t i = 0; i < item->values.count; i++) {
        if (left_over(&item->values.items[i]) != NULL)
            return true;
    }
    return false;
}

static void report_open(sc_run *run, const sc_item *item)
{
    for (uint32_t i = 0; i < item->values.count; i++) {
        const sc_value *v = &item->values.items[i];
        const sg_str *name = left_over(v);
        if (name == NULL)
            continue;
        sc_run_fail(run, NULL, SC_E0411, v->at,
                    "placeholder '%%%.*s%%' has no value", SG_FMT(*name));
        return;
    }
}

static void fill_det(sc_run *run, sc_det *det)
{
    for (uint32_t i = 0; i < det->kids.count && !run->failed; i++)
        fill_det(run, det->kids.items[i]);
    if (det->kind != SC_DET_ITEM || !item_open(det->item))
        return;
    if (run->placeholders != NULL)
        fill_item(run, det->item);
    if (!run->failed)
        report_open(run, det->item);
}

void sc_fill_rule(sc_run *run, sc_rule *rule)
{
    for (uint32_t i = 0; i < rule->selections.count && !run->failed; i++) {
        if (rule->selections.items[i].det != NULL)
            fill_det(run, rule->selections.items[i].det);
    }
}
