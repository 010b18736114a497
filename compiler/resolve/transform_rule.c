/*
 * transform_rule.c - transformations of whole rules: added conditions, log
 * source, metadata, states, refusals, nested steps.
 */
#include "resolve/pipeline.h"

/* -------- add_condition --------------------------------------------------- */

bool sc_check_add_condition(sc_session *s, sc_step *step)
{
    const sc_y *map = sc_y_get(step->y, "conditions");

    /* Each rule reads its own copy; errors are shown once, here. */
    return map == NULL || sc_read_detection(s, map) != NULL;
}

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c >= '0' && c <= '9') || c == '_';
}

/* Length of `$name` or `${name}` at the start of text, with the name; 0 when
 * there is none. */
static size_t variable_len(sg_str text, sg_str *name)
{
    const bool brace = text.len > 1 && text.ptr[1] == '{';
    const size_t beg = brace ? 2 : 1;
    size_t end = beg;

    while (end < text.len && is_word(text.ptr[end]))
        end++;
    *name = sg_str_sub(text, beg < text.len ? beg : text.len, end);
    if (end <= beg)
        return 0;
    if (!brace)
        return end;
    return end < text.len && text.ptr[end] == '}' ? end + 1 : 0;
}

static bool logsource_part(const sc_logsource *l, sg_str name, sg_str *out)
{
    if (sg_str_eq(name, SG_S("category")))
        *out = l->category;
    else if (sg_str_eq(name, SG_S("product")))
        *out = l->product;
    else if (sg_str_eq(name, SG_S("service")))
        *out = l->service;
    else
        return false;
    return true;
}

/* $category, $product and $service by the log source; `$$` is one dollar;
 * anything else stays. */
static sg_str fill_template(sc_session *s, const sc_logsource *l, sg_str text)
{
    sg_buf buf = {0};
    sg_str name, part;

    for (size_t i = 0; i < text.len;) {
        const sg_str rest = sg_str_sub(text, i, text.len);
        if (rest.ptr[0] != '$') {
            sg_buf_putc(&buf, rest.ptr[0]);
            i++;
            continue;
        }
        if (sg_str_starts(rest, SG_S("$$"))) {
            sg_buf_putc(&buf, '$');
            i += 2;
            continue;
        }
        const size_t len = variable_len(rest, &name);
        if (len != 0 && logsource_part(l, name, &part)) {
            sg_buf_put(&buf, part);
            i += len;
            continue;
        }
        sg_buf_putc(&buf, '$');
        i++;
    }
    sg_str out = sg_arena_dup(&s->arena, sg_buf_str(&buf));
    sg_buf_free(&buf);
    return out;
}

/* A copy of the values with templates filled; keys stay. */
static const sc_y *fill_tree(sc_session *s, const sc_logsource *l,
                             const sc_y *y)
{
    sc_y *copy = sg_new(&s->arena, sc_y);

    *copy = *y;
    if (y->kind == SC_Y_STR) {
        copy->text = fill_template(s, l, y->text);
        copy->exact = false;
    } else if (y->kind == SC_Y_SEQ) {
        const sc_y **items = sg_new_n(&s->arena, const sc_y *, y->count + 1);
        for (uint32_t i = 0; i < y->count; i++)
            items[i] = fill_tree(s, l, y->items[i]);
        copy->items = items;
    } else if (y->kind == SC_Y_MAP) {
        sc_y_pair *pairs = sg_new_n(&s->arena, sc_y_pair, y->count + 1);
        for (uint32_t i = 0; i < y->count; i++)
            pairs[i] = (sc_y_pair){y->pairs[i].key,
                                   fill_tree(s, l, y->pairs[i].value)};
        copy->pairs = pairs;
    }
    return copy;
}

/* `name and (old)`, with the name in a namespace of its own. */
static sc_cond *with_selection(sg_arena *arena, const sc_selection *sel,
                               bool negated, sc_cond *old)
{
    sc_cond *id = sc_cond_new(arena, SC_COND_ID, sel->at);
    id->name = sel->name;
    id->space = sel->space;
    if (negated) {
        sc_cond *not = sc_cond_new(arena, SC_COND_NOT, sel->at);
        SG_PUSH(arena, &not ->kids, id);
        id = not ;
    }
    sc_cond *both = sc_cond_new(arena, SC_COND_AND, old->at);
    SG_PUSH(arena, &both->kids, id);
    SG_PUSH(arena, &both->kids, old);
    return both;
}

bool sc_x_add_condition(sc_run *run, const sc_step *step)
{
    sc_session *s = run->s;
    sc_rule *rule = run->rule;
    const sc_y *map = sc_y_get(step->y, "conditions");

    if (rule->correlation != NULL)
        return true;
    if (sc_param_true(step->y, "template"))
        map = fill_tree(s, &rule->logsource, map);
    sc_selection sel = {.at = map->span, .space = rule->spaces++};
    sel.name = sc_param_str(step->y, "name");
    if (sel.name.len == 0)
        sel.name = sg_arena_printf(&s->arena, "_cond_%u", sel.space);
    sel.det = sc_read_detection(s, map);
    if (sel.det == NULL) {
        run->failed = true;
        return false;
    }
    sc_mark_det(run, step, sel.det);
    SG_PUSH(&s->arena, &rule->selections, sel);
    for (uint32_t i = 0; i < rule->conditions.count; i++)
        rule->conditions.items[i] =
            with_selection(&s->arena, &sel, sc_param_true(step->y, "negated"),
                           rule->conditions.items[i]);
    return sc_run_made(run, step, (size_t)rule->conditions.count + map->count);
}

/* -------- log source and metadata ----------------------------------------- */

bool sc_check_change(sc_session *s, sc_step *step)
{
    if (sc_param_str(step->y, "category").len +
            sc_param_str(step->y, "product").len +
            sc_param_str(step->y, "service").len !=
        0)
        return true;
    return sc_error(s, SC_E0405, step->at,
                    "change_logsource needs category, product or service");
}

bool sc_x_change_logsource(sc_run *run, const sc_step *step)
{
    if (run->rule->correlation != NULL)
        return true;
    run->rule->logsource = (sc_logsource){sc_param_str(step->y, "category"),
                                          sc_param_str(step->y, "product"),
                                          sc_param_str(step->y, "service")};
    return true;
}

bool sc_x_add_field(sc_run *run, const sc_step *step)
{
    const sc_y *fields = sc_y_get(step->y, "field");

    for (uint32_t i = 0; i < sc_param_count(fields); i++)
        SG_PUSH(&run->s->arena, &run->rule->fields, sc_param_at(fields, i));
    return true;
}

bool sc_x_remove_field(sc_run *run, const sc_step *step)
{
    const sc_y *fields = sc_y_get(step->y, "field");
    sc_rule *rule = run->rule;
    uint32_t count = 0;

    for (uint32_t i = 0; i < rule->fields.count; i++) {
        if (!sc_param_holds(fields, rule->fields.items[i]))
            rule->fields.items[count++] = rule->fields.items[i];
    }
    rule->fields.count = count;
    return true;
}

bool sc_x_set_field(sc_run *run, const sc_step *step)
{
    const sc_y *fields = sc_y_get(step->y, "fields");

    run->rule->fields.count = 0;
    for (uint32_t i = 0; i < sc_param_count(fields); i++)
        SG_PUSH(&run->s->arena, &run->rule->fields, sc_param_at(fields, i));
    return true;
}

bool sc_x_set_custom_attribute(sc_run *run, const sc_step *step)
{
    const sc_attribute set = {sc_param_str(step->y, "attribute"),
                              sc_param_str(step->y, "value")};
    sc_rule *rule = run->rule;

    for (uint32_t i = 0; i < rule->attributes.count; i++) {
        if (sg_str_eq(rule->attributes.items[i].name, set.name)) {
            rule->attributes.items[i].value = set.value;
            return true;
        }
    }
    SG_PUSH(&run->s->arena, &rule->attributes, set);
    return true;
}

bool sc_x_set_state(sc_run *run, const sc_step *step)
{
    const sc_state state = {sc_param_str(step->y, "key"),
                            sc_y_get(step->y, "val")};

    for (uint32_t i = 0; i < run->state.count; i++) {
        if (sg_str_eq(run->state.items[i].key, state.key)) {
            run->state.items[i] = state;
            return true;
        }
    }
    SG_PUSH(&run->s->arena, &run->state, state);
    return true;
}

/* -------- refusals and nesting -------------------------------------------- */

bool sc_x_rule_failure(sc_run *run, const sc_step *step)
{
    return sc_run_fail(run, step, SC_E0409, run->rule->at,
                       "refused by the pipeline: %.*s",
                       SG_FMT(sc_param_str(step->y, "message")));
}

static sc_det *fail_item(sc_run *run, const sc_step *step, sc_det *leaf)
{
    sc_run_fail(run, step, SC_E0409, leaf->at, "refused by the pipeline: %.*s",
                SG_FMT(sc_param_str(step->y, "message")));
    return leaf;
}

bool sc_x_detection_item_failure(sc_run *run, const sc_step *step)
{
    return sc_each_item(run, step, fail_item);
}

static sc_det *drop_item(sc_run *run, const sc_step *step, sc_det *leaf)
{
    (void)run;
    (void)step;
    (void)leaf;
    return NULL;
}

bool sc_x_drop_detection_item(sc_run *run, const sc_step *step)
{
    return sc_each_item(run, step, drop_item);
}

/* The first field of a detection that no mapping touched, or NULL. */
static const sc_item *unmapped(const sc_run *run, const sc_det *det)
{
    if (det->kind == SC_DET_ITEM) {
        const sc_item *item = det->item;
        const bool known =
            !item->has_field || sg_map_get(&run->mapped, item->field) != NULL;
        return known ? NULL : item;
    }
    for (uint32_t i = 0; i < det->kids.count; i++) {
        const sc_item *item = unmapped(run, det->kids.items[i]);
        if (item != NULL)
            return item;
    }
    return NULL;
}

bool sc_x_strict_field_mapping_failure(sc_run *run, const sc_step *step)
{
    for (uint32_t i = 0; i < run->rule->selections.count; i++) {
        const sc_det *det = run->rule->selections.items[i].det;
        const sc_item *item = det != NULL ? unmapped(run, det) : NULL;
        if (item != NULL)
            return sc_run_fail(run, step, SC_E0409, item->at,
                               "no step of the pipeline maps the field '%.*s'",
                               SG_FMT(item->field));
    }
    return true;
}

bool sc_x_nest(sc_run *run, const sc_step *step)
{
    return sc_run_steps(run, &step->steps);
}
