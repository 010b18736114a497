/*
 * transform_fields.c - transformations of field names: in detection items, in
 * references to other fields, in the rule's list of fields, and in
 * correlations (group-by, aliases, condition fields). Fields that rules derive
 * themselves (sigcc.derive) are no event fields and keep their names.
 */
#include "resolve/pipeline.h"

/* The names that stand for a field, keywords included; false: not mapped. */
typedef bool map_fn(sc_run *run, const sc_step *step, bool has_field,
                    sg_str field, sc_names *out);

/* -------- names outside detection items ----------------------------------- */

static bool derives(const sc_rule *rule, const void *arg)
{
    const sg_str *field = arg;

    for (uint32_t i = 0; i < rule->derives.count; i++) {
        if (sg_str_eq(rule->derives.items[i].field, *field))
            return true;
    }
    return false;
}

static sc_tracked *tracked_field(sc_run *run, sg_str field)
{
    for (uint32_t i = 0; i < run->tracked.count; i++) {
        if (sg_str_eq(run->tracked.items[i].field, field))
            return &run->tracked.items[i];
    }
    SG_PUSH(&run->s->arena, &run->tracked, (sc_tracked){.field = field});
    return &run->tracked.items[run->tracked.count - 1];
}

/* The new names inherit the steps of the old one, and this step. */
static void track(sc_run *run, const sc_step *step, sg_str from,
                  const sc_names *to)
{
    const sc_tracked old = *tracked_field(run, from);

    for (uint32_t i = 0; i < to->count; i++) {
        sc_tracked *t = tracked_field(run, to->items[i]);
        if (!sg_str_eq(from, to->items[i])) {
            t->ids.count = 0;
            for (uint32_t k = 0; k < old.ids.count; k++)
                SG_PUSH(&run->s->arena, &t->ids, old.ids.items[k]);
        }
        if (step->id.len != 0)
            SG_PUSH(&run->s->arena, &t->ids, step->id);
    }
}

/* Append what stands for one bare name. */
static void map_name(sc_run *run, const sc_step *step, map_fn *map, sg_str name,
                     sc_names *out)
{
    sc_names to = {0};

    if (!sc_run_any(run, run->rule, derives, &name) &&
        map(run, step, true, name, &to) &&
        sc_step_takes_field(run, step, true, name)) {
        track(run, step, name, &to);
        for (uint32_t i = 0; i < to.count; i++)
            SG_PUSH(&run->s->arena, out, to.items[i]);
        return;
    }
    SG_PUSH(&run->s->arena, out, name);
}

static sc_names map_names(sc_run *run, const sc_step *step, map_fn *map,
                          const sg_str *names, uint32_t count)
{
    sc_names out = {0};

    for (uint32_t i = 0; i < count; i++)
        map_name(run, step, map, names[i], &out);
    sc_run_made(run, step, out.count > count ? out.count - count : 0);
    return out;
}

/* A name that must stay one name. */
static bool map_single(sc_run *run, const sc_step *step, map_fn *map,
                       const char *what, sg_str *name)
{
    sc_names out = {0};

    map_name(run, step, map, *name, &out);
    if (out.count != 1)
        return sc_run_fail(run, step, SC_E0410, run->rule->at,
                           "%s '%.*s' would become %u fields", what,
                           SG_FMT(*name), out.count);
    *name = out.items[0];
    return true;
}

static bool is_alias(const sc_correlation *c, sg_str name)
{
    for (uint32_t i = 0; i < c->aliases.count; i++) {
        if (sg_str_eq(c->aliases.items[i].alias, name))
            return true;
    }
    return false;
}

/* A report sorted by a group-by field follows its new name. */
static void follow_sort(sc_report *report, sg_str from, sg_str to)
{
    if (!report->present || !sg_str_eq(report->sort, from))
        return;
    for (uint32_t i = 0; i < report->columns.count; i++) {
        if (sg_str_eq(report->columns.items[i].name, from))
            return;
    }
    report->sort = to;
}

static void map_group_by(sc_run *run, const sc_step *step, map_fn *map,
                         sc_correlation *c)
{
    sc_names out = {0};
    sg_str sort_to = run->rule->report.sort;

    for (uint32_t i = 0; i < c->group_by.count; i++) {
        const sg_str name = c->group_by.items[i];
        const uint32_t first = out.count;
        if (is_alias(c, name))
            SG_PUSH(&run->s->arena, &out, name);
        else
            map_name(run, step, map, name, &out);
        if (first < out.count && sg_str_eq(name, run->rule->report.sort))
            sort_to = out.items[first];
    }
    follow_sort(&run->rule->report, run->rule->report.sort, sort_to);
    if (out.count > c->group_by.count)
        sc_run_made(run, step, out.count - c->group_by.count);
    c->group_by.items = out.items;
    c->group_by.count = out.count;
    c->group_by.cap = out.cap;
}

static bool map_correlation(sc_run *run, const sc_step *step, map_fn *map,
                            sc_correlation *c)
{
    for (uint32_t i = 0; i < c->aliases.count; i++) {
        sc_corr_alias *a = &c->aliases.items[i];
        for (uint32_t k = 0; k < a->fields.count; k++) {
            if (!map_single(run, step, map, "the field of an alias",
                            &a->fields.items[k]))
                return false;
        }
    }
    for (uint32_t i = 0; i < c->fields.count; i++) {
        if (!map_single(run, step, map, "the field of the condition",
                        &c->fields.items[i]))
            return false;
    }
    map_group_by(run, step, map, c);
    return !run->failed;
}

/* -------- detection items ------------------------------------------------- */

static void note_mapping(sc_run *run, bool has_field, sg_str from,
                         const sc_names *to)
{
    bool found;

    if (has_field)
        sg_map_put(&run->s->arena, &run->mapped, from, &found);
    for (uint32_t i = 0; i < to->count; i++)
        sg_map_put(&run->s->arena, &run->mapped, to->items[i], &found);
}

/* Map the fields that values refer to. */
static bool map_refs(sc_run *run, const sc_step *step, map_fn *map,
                     sc_item *item)
{
    bool changed = false;
    sc_values out = {0};

    for (uint32_t i = 0; i < item->values.count; i++) {
        const sc_value *v = &item->values.items[i];
        sc_names to = {0};
        if (v->kind != SC_V_FIELDREF || !map(run, step, true, v->text, &to) ||
            !sc_step_takes_field(run, step, true, v->text)) {
            SG_PUSH(&run->s->arena, &out, *v);
            continue;
        }
        changed = true;
        note_mapping(run, true, v->text, &to);
        sc_values refs = {0};
        for (uint32_t k = 0; k < to.count; k++) {
            sc_value ref = *v;
            ref.text = to.items[k];
            SG_PUSH(&run->s->arena, &refs, ref);
        }
        sc_put_values(run->s, item, v, &refs, &out);
        if (!sc_run_made(run, step, to.count - 1))
            return false;
    }
    if (changed) {
        item->values.items = out.items;
        item->values.count = out.count;
        item->values.cap = out.cap;
    }
    return changed;
}

static void add_stars(sc_session *s, sc_pattern *p)
{
    const sc_tok star = {SC_TOK_STAR, {0}};
    sc_pattern out = {0};

    if (p->toks.count == 0 || p->toks.items[0].kind != SC_TOK_STAR)
        SG_PUSH(&s->arena, &out.toks, star);
    for (uint32_t i = 0; i < p->toks.count; i++)
        SG_PUSH(&s->arena, &out.toks, p->toks.items[i]);
    if (out.toks.items[out.toks.count - 1].kind != SC_TOK_STAR)
        SG_PUSH(&s->arena, &out.toks, star);
    *p = out;
}

/* Keywords are substrings; on a field they must say so. */
static void keyword_value(sc_session *s, sc_value *v)
{
    if (v->kind == SC_V_NUM) {
        sg_str text = sc_num_str(&s->arena, v->num);
        *v = sc_string_value(v, sc_pattern_text(s, text));
    }
    if (v->kind == SC_V_STRING)
        add_stars(s, &v->pattern);
    for (uint32_t i = 0; i < v->kids.count; i++)
        keyword_value(s, &v->kids.items[i]);
}

static void bind_keywords(sc_session *s, sc_item *item)
{
    for (uint32_t i = 0; i < item->values.count; i++)
        keyword_value(s, &item->values.items[i]);
}

static void rename_item(sc_item *item, sg_str field)
{
    item->has_field = true;
    item->field = field;
}

/* One item per name: any of them, or all when the item is negated. */
static sc_det *spread(sc_run *run, const sc_step *step, const sc_item *item,
                      const sc_names *to)
{
    sg_arena *arena = &run->s->arena;
    sc_det *det =
        sc_det_group(arena, item->negated ? SC_DET_AND : SC_DET_OR, item->at);

    for (uint32_t i = 0; i < to->count; i++) {
        if (!sc_run_made(run, step, (size_t)item->values.count + 1))
            return det;
        sc_item *copy = sc_item_copy(arena, item);
        rename_item(copy, to->items[i]);
        sc_det *leaf = sc_det_leaf(arena, copy);
        SG_PUSH(arena, &det->kids, leaf);
    }
    return det;
}

static sc_det *map_item(sc_run *run, const sc_step *step, map_fn *map,
                        sc_det *leaf)
{
    sc_item *item = leaf->item;
    sc_names to = {0};

    if (map_refs(run, step, map, item))
        sc_mark_item(run, step, item);
    if (!map(run, step, item->has_field, item->field, &to) ||
        !sc_step_takes_field(run, step, item->has_field, item->field))
        return leaf;
    note_mapping(run, item->has_field, item->field, &to);
    if (!item->has_field)
        bind_keywords(run->s, item);
    sc_mark_item(run, step, item);
    if (to.count != 1)
        return spread(run, step, item, &to);
    rename_item(item, to.items[0]);
    return leaf;
}

/* -------- the transformations --------------------------------------------- */

/* Everything but the detection items, which each transformation walks with
 * its own callback. */
static bool map_rest(sc_run *run, const sc_step *step, map_fn *map)
{
    sc_rule *rule = run->rule;
    sc_names fields =
        map_names(run, step, map, rule->fields.items, rule->fields.count);

    rule->fields.items = fields.items;
    rule->fields.count = fields.count;
    rule->fields.cap = fields.cap;
    if (rule->correlation != NULL)
        return map_correlation(run, step, map, rule->correlation);
    return !run->failed;
}

static void push_targets(sc_run *run, const sc_y *dest, sg_str before,
                         sg_str after, sc_names *out)
{
    for (uint32_t i = 0; i < sc_param_count(dest); i++) {
        const sg_str mid = sc_param_at(dest, i);
        sg_str name = mid;
        if (before.len + after.len != 0)
            name = sg_arena_printf(&run->s->arena, "%.*s%.*s%.*s",
                                   SG_FMT(before), SG_FMT(mid), SG_FMT(after));
        SG_PUSH(&run->s->arena, out, name);
    }
}

bool sc_check_mapping(sc_session *s, sc_step *step)
{
    const sc_y *map = sc_y_get(step->y, "mapping");
    const bool prefixes =
        sg_str_eq(step->xform->name, SG_S("field_name_prefix_mapping"));
    bool ok = true;

    for (uint32_t i = 0; map != NULL && i < map->count; i++) {
        const sc_y *key = map->pairs[i].key, *to = map->pairs[i].value;
        if (!sc_y_is_scalar(key) || (prefixes && key->kind == SC_Y_NULL))
            ok = sc_error(s, SC_E0405, key->span, "a field name must be text");
        bool good = (sc_y_is_scalar(to) && to->kind != SC_Y_NULL) ||
                    (to->kind == SC_Y_SEQ && to->count != 0);
        for (uint32_t k = 0; good && to->kind == SC_Y_SEQ && k < to->count; k++)
            good =
                sc_y_is_scalar(to->items[k]) && to->items[k]->kind != SC_Y_NULL;
        if (!good)
            ok = sc_error(s, SC_E0405, to->span,
                          "a field is mapped to a name or a list of names");
    }
    return ok;
}

static bool to_mapped(sc_run *run, const sc_step *step, bool has_field,
                      sg_str field, sc_names *out)
{
    const sc_y *map = sc_y_get(step->y, "mapping");
    const sc_y *dest = has_field ? sc_y_find(map, field) : NULL;

    for (uint32_t i = 0; !has_field && i < map->count; i++) {
        if (map->pairs[i].key->kind == SC_Y_NULL)
            dest = map->pairs[i].value;
    }
    if (dest == NULL)
        return false;
    push_targets(run, dest, (sg_str){0}, (sg_str){0}, out);
    return true;
}

static sc_det *item_mapped(sc_run *run, const sc_step *step, sc_det *leaf)
{
    return map_item(run, step, to_mapped, leaf);
}

bool sc_x_field_name_mapping(sc_run *run, const sc_step *step)
{
    return map_rest(run, step, to_mapped) &&
           sc_each_item(run, step, item_mapped);
}

static bool to_prefix_mapped(sc_run *run, const sc_step *step, bool has_field,
                             sg_str field, sc_names *out)
{
    const sc_y *map = sc_y_get(step->y, "mapping");

    for (uint32_t i = 0; has_field && i < map->count; i++) {
        const sg_str prefix = map->pairs[i].key->text;
        if (!sg_str_starts(field, prefix))
            continue;
        push_targets(run, map->pairs[i].value, (sg_str){0},
                     sg_str_sub(field, prefix.len, field.len), out);
        return true;
    }
    return false;
}

static sc_det *item_prefix_mapped(sc_run *run, const sc_step *step,
                                  sc_det *leaf)
{
    return map_item(run, step, to_prefix_mapped, leaf);
}

bool sc_x_field_name_prefix_mapping(sc_run *run, const sc_step *step)
{
    return map_rest(run, step, to_prefix_mapped) &&
           sc_each_item(run, step, item_prefix_mapped);
}

static bool to_prefixed(sc_run *run, const sc_step *step, bool has_field,
                        sg_str field, sc_names *out)
{
    if (has_field)
        push_targets(run, sc_y_get(step->y, "prefix"), (sg_str){0}, field, out);
    return has_field;
}

static sc_det *item_prefixed(sc_run *run, const sc_step *step, sc_det *leaf)
{
    return map_item(run, step, to_prefixed, leaf);
}

bool sc_x_field_name_prefix(sc_run *run, const sc_step *step)
{
    return map_rest(run, step, to_prefixed) &&
           sc_each_item(run, step, item_prefixed);
}

static bool to_suffixed(sc_run *run, const sc_step *step, bool has_field,
                        sg_str field, sc_names *out)
{
    if (has_field)
        push_targets(run, sc_y_get(step->y, "suffix"), field, (sg_str){0}, out);
    return has_field;
}

static sc_det *item_suffixed(sc_run *run, const sc_step *step, sc_det *leaf)
{
    return map_item(run, step, to_suffixed, leaf);
}

bool sc_x_field_name_suffix(sc_run *run, const sc_step *step)
{
    return map_rest(run, step, to_suffixed) &&
           sc_each_item(run, step, item_suffixed);
}
