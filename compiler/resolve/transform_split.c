/*
 * transform_split.c - transformations that turn one item into items on other
 * fields: hashes_fields (Hashes to a field per algorithm) and extract_fields
 * (named groups of a regular expression to fields).
 */
#include "resolve/pipeline.h"

static bool all_strings(const sc_item *item)
{
    for (uint32_t i = 0; i < item->values.count; i++) {
        if (item->values.items[i].kind != SC_V_STRING)
            return false;
    }
    return true;
}

/* A plain item on another field; negation of the old one stays. */
static sc_item *new_item(sg_arena *arena, const sc_item *old, sg_str field)
{
    sc_item *item = sg_new(arena, sc_item);

    item->at = old->at;
    item->has_field = true;
    item->field = field;
    item->negated = old->negated;
    item->modifiers.items = old->modifiers.items;
    item->modifiers.count = old->modifiers.count;
    item->modifiers.cap = old->modifiers.cap;
    return item;
}

/* -------- hashes_fields --------------------------------------------------- */

struct hash {
    sg_str algo, value;
};

static sg_str strip_wildcards(sg_str s, bool left)
{
    while (s.len != 0 && (s.ptr[s.len - 1] == '*' || s.ptr[s.len - 1] == '?'))
        s.len--;
    while (left && s.len != 0 && (s.ptr[0] == '*' || s.ptr[0] == '?'))
        s = sg_str_sub(s, 1, s.len);
    return s;
}

static sg_str algo_by_length(size_t len)
{
    switch (len) {
    case 32:
        return SG_S("MD5");
    case 40:
        return SG_S("SHA1");
    case 64:
        return SG_S("SHA256");
    case 128:
        return SG_S("SHA512");
    default:
        return SG_S("");
    }
}

static size_t count_char(sg_str s, char c, size_t *first)
{
    size_t n = 0;

    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] == c && n++ == 0)
            *first = i;
    }
    return n;
}

/* `ALGO=value`, `ALGO|value`, or a bare value whose length tells. */
static struct hash split_hash(sg_str text)
{
    struct hash h = {SG_S(""), SG_S("")};
    size_t at = 0;
    const size_t bars = count_char(text, '|', &at);
    const size_t parts = bars != 0 ? bars : count_char(text, '=', &at);

    if (parts == 1) {
        h.algo = sg_str_sub(text, 0, at);
        while (h.algo.len != 0 && h.algo.ptr[0] == '*')
            h.algo = sg_str_sub(h.algo, 1, h.algo.len);
        h.value = strip_wildcards(sg_str_sub(text, at + 1, text.len), true);
        return h;
    }
    h.value =
        strip_wildcards(parts == 0 ? text : sg_str_sub(text, 0, at), true);
    h.algo = algo_by_length(h.value.len);
    return h;
}

/* The name of a valid algorithm as the pipeline writes it, or empty. */
static sg_str valid_algo(const sc_step *step, sg_str algo)
{
    const sc_y *valid = sc_y_get(step->y, "valid_hash_algos");

    for (uint32_t i = 0; i < sc_param_count(valid); i++) {
        if (sg_str_eq_nocase(sc_param_at(valid, i), algo))
            return sc_param_at(valid, i);
    }
    return (sg_str){"", 0};
}

/* The item for a field among the group's, made when it is not there. */
static sc_item *group_item(sg_arena *arena, sc_det *group, const sc_item *old,
                           sg_str field)
{
    for (uint32_t i = 0; i < group->kids.count; i++) {
        if (sg_str_eq(group->kids.items[i]->item->field, field))
            return group->kids.items[i]->item;
    }
    sc_item *item = new_item(arena, old, field);
    item->all = old->all;
    sc_det *leaf = sc_det_leaf(arena, item);
    SG_PUSH(arena, &group->kids, leaf);
    return item;
}

static void add_hash(sc_run *run, const sc_step *step, const sc_item *old,
                     const sc_value *v, sc_det *group)
{
    sg_arena *arena = &run->s->arena;
    const sg_str prefix = sc_param_str(step->y, "field_prefix");
    const struct hash h = split_hash(sc_plain(arena, &v->pattern));
    const sg_str algo =
        h.algo.len != 0 ? valid_algo(step, h.algo) : (sg_str)SG_LIT("");

    if (algo.len == 0 || h.value.len == 0) {
        sc_warn(run->s, SC_W0451, v->at,
                "no field for this hash: the pipeline knows no algorithm "
                "'%.*s'",
                SG_FMT(h.algo));
        return;
    }
    sg_str field = prefix;
    if (!sc_param_true(step->y, "drop_algo_prefix"))
        field =
            sg_arena_printf(arena, "%.*s%.*s", SG_FMT(prefix), SG_FMT(algo));
    if (field.len == 0)
        return;
    sc_value made = sc_string_value(v, (sc_pattern){0});
    sc_pattern_parse(run->s, h.value, false, &made.pattern);
    sc_item *item = group_item(arena, group, old, field);
    SG_PUSH(arena, &item->values, made);
}

static bool parses_field(const sc_step *step, const sc_item *item)
{
    const sc_y *fields = sc_y_get(step->y, "field_to_parse");

    if (!item->has_field)
        return false;
    if (fields == NULL)
        return sg_str_eq(item->field, SG_S("Hashes")) ||
               sg_str_eq(item->field, SG_S("Hash"));
    return sc_param_holds(fields, item->field);
}

static sc_det *split_hashes(sc_run *run, const sc_step *step, sc_det *leaf)
{
    const sc_item *item = leaf->item;

    if (!parses_field(step, item) || !all_strings(item))
        return leaf;
    /* Of a list any hash may hit; with `all`, or negated, every one must. */
    sc_det *group = sc_det_group(
        &run->s->arena, item->all || item->negated ? SC_DET_AND : SC_DET_OR,
        item->at);
    for (uint32_t i = 0; i < item->values.count; i++)
        add_hash(run, step, item, &item->values.items[i], group);
    if (group->kids.count == 0) {
        sc_run_fail(run, step, SC_E0410, item->at,
                    "'%.*s' holds no hash that the pipeline knows",
                    SG_FMT(item->field));
        return leaf;
    }
    sc_run_made(run, step, item->values.count);
    sc_mark_det(run, step, group);
    return group;
}

bool sc_x_hashes_fields(sc_run *run, const sc_step *step)
{
    return sc_each_item(run, step, split_hashes);
}

/* -------- extract_fields -------------------------------------------------- */

/* The next `(?P<name>` or `(?<name>` of a pattern from *pos on. Names found in
 * classes or behind backslashes do no harm: the engine does not know them. */
static bool next_group(sg_str regex, size_t *pos, sg_str *name)
{
    for (size_t i = *pos; i + 3 < regex.len; i++) {
        if (regex.ptr[i] == '\\') {
            i++;
            continue;
        }
        if (regex.ptr[i] != '(' || regex.ptr[i + 1] != '?')
            continue;
        size_t beg = i + 2 + (regex.ptr[i + 2] == 'P');
        if (beg >= regex.len || regex.ptr[beg] != '<')
            continue;
        size_t end = ++beg;
        while (end < regex.len && regex.ptr[end] != '>')
            end++;
        *name = sg_str_sub(regex, beg, end);
        *pos = end;
        if (name->len != 0 && name->ptr[0] != '=' && name->ptr[0] != '!')
            return true;
        i = end;
    }
    return false;
}

bool sc_check_extract(sc_session *s, sc_step *step)
{
    const sc_y *regex = sc_y_get(step->y, "regex");
    size_t pos = 0;
    sg_str name;

    if (regex == NULL || !sc_check_regex(s, step))
        return false;
    if (next_group(regex->text, &pos, &name))
        return true;
    return sc_error(s, SC_E0405, regex->span,
                    "the regular expression needs a named group");
}

static sc_value typed_value(sc_session *s, const sc_value *like, sg_str text)
{
    sc_value v = {.kind = SC_V_NULL, .at = like->at};
    const bool zero = text.ptr[0] == '0' && text.len > 1;

    if (sg_str_eq_nocase(text, SG_S("null")) ||
        sg_str_eq_nocase(text, SG_S("none")))
        return v;
    v.kind = SC_V_NUM;
    if (!zero && sg_num_parse(text, &v.num))
        return v;
    v = sc_string_value(like, (sc_pattern){0});
    sc_pattern_parse(s, text, false, &v.pattern);
    return v;
}

/* The fields of one value, all of which must hold; NULL without a match. */
static sc_det *extract_one(sc_run *run, const sc_step *step,
                           const sc_item *item, const sc_value *v)
{
    sg_arena *arena = &run->s->arena;
    const sg_str regex = sc_param_str(step->y, "regex");
    const sg_str prefix = sc_param_str(step->y, "field_prefix");
    const sr_regex *re = sc_run_regex(run, regex);
    const sg_str text = sc_plain(arena, &v->pattern);
    size_t ovector[2 * SR_REGEX_GROUPS], pos = 0;
    unsigned groups;
    sg_str name;

    if (!sr_regex_exec(re, text, 0, ovector, &groups) || ovector[0] != 0)
        return NULL;
    sc_det *both = sc_det_group(arena, SC_DET_AND, item->at);
    while (next_group(regex, &pos, &name)) {
        const int g = sr_regex_group(re, name);
        size_t beg, end;
        if (g <= 0 || !sc_group_at(ovector, g, &beg, &end) || beg == end)
            continue;
        sg_str field = name;
        if (prefix.len != 0)
            field = sg_arena_printf(arena, "%.*s.%.*s", SG_FMT(prefix),
                                    SG_FMT(name));
        sc_item *made = new_item(arena, item, field);
        const sc_value value =
            typed_value(run->s, v, sg_str_sub(text, beg, end));
        SG_PUSH(arena, &made->values, value);
        sc_det *leaf = sc_det_leaf(arena, made);
        SG_PUSH(arena, &both->kids, leaf);
    }
    return both->kids.count != 0 ? both : NULL;
}

static sc_det *keep_value(sg_arena *arena, const sc_item *item,
                          const sc_value *v)
{
    sc_item *made = new_item(arena, item, item->field);

    made->has_field = item->has_field;
    SG_PUSH(arena, &made->values, *v);
    return sc_det_leaf(arena, made);
}

static sc_det *extract_item(sc_run *run, const sc_step *step, sc_det *leaf)
{
    sg_arena *arena = &run->s->arena;
    const sc_item *item = leaf->item;
    const bool keep = sc_param_true(step->y, "preserve_unmatched");
    sc_det *all =
        sc_det_group(arena, item->all ? SC_DET_AND : SC_DET_OR, item->at);
    uint32_t matched = 0;

    if (!all_strings(item))
        return leaf;
    for (uint32_t i = 0; i < item->values.count; i++) {
        const sc_value *v = &item->values.items[i];
        sc_det *one = extract_one(run, step, item, v);
        matched += one != NULL;
        if (one == NULL && keep)
            one = keep_value(arena, item, v);
        if (one != NULL)
            SG_PUSH(arena, &all->kids, one);
    }
    if (matched == 0)
        return leaf;
    if (item->negated) {
        sc_run_fail(run, step, SC_E0410, item->at,
                    "a negated value cannot be split into several fields");
        return leaf;
    }
    if (all->kids.count < item->values.count)
        sc_warn(run->s, SC_W0451, item->at,
                "values that the regular expression does not match are left "
                "out");
    sc_run_made(run, step, (size_t)item->values.count * SR_REGEX_GROUPS);
    sc_mark_det(run, step, all);
    return all->kids.count == 1 ? all->kids.items[0] : all;
}

bool sc_x_extract_fields(sc_run *run, const sc_step *step)
{
    return sc_each_item(run, step, extract_item);
}
