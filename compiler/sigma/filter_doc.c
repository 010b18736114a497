/*
 * filter_doc.c - filter documents (semantics section 8): title, logsource and
 *
 *   filter:
 *     rules: any, one id or name, or a list of them (empty: any)
 *     NAME: selection ...
 *     condition: one string
 *
 * Which rules it names is found out later; unknown ones are no error.
 */
#include "sigma/reader.h"

static bool read_rules(sc_reader *r, const sc_y *map, sc_filter *filter)
{
    const sc_y *y = sc_y_get(map, "rules");
    sc_texts rules = {0};

    if (y == NULL) {
        sc_error(r->s, SC_E0501, map->span, "the filter has no 'rules'");
        sc_hint(r->s, "list ids or names of rules, or write 'rules: any'");
        return false;
    }
    if (y->kind == SC_Y_NULL)
        return sc_error(r->s, SC_E0502, y->span, "'rules' has no value");
    if (y->kind == SC_Y_STR && sg_str_eq(y->text, SG_S("any"))) {
        filter->any = true;
        return true;
    }
    if (!sc_read_texts(r, y, "rules", SC_E0502, &rules))
        return false;
    for (uint32_t i = 0; i < rules.list.count; i++) {
        SG_PUSH(&r->s->arena, &filter->rules, rules.list.items[i].text);
        SG_PUSH(&r->s->arena, &filter->rules_at, rules.list.items[i].at);
    }
    filter->any = filter->rules.count == 0;
    return true;
}

static bool is_reserved(const sc_y *key)
{
    static const sg_str reserved[] = {SG_LIT("rules"), SG_LIT("condition")};

    return sc_y_is_scalar(key) && sc_one_of(key->text, reserved, 2, NULL);
}

static bool read_selections(sc_reader *r, const sc_y *map, sc_filter *filter)
{
    for (uint32_t i = 0; i < map->count; i++) {
        sc_selection selection;

        if (is_reserved(map->pairs[i].key))
            continue;
        if (!sc_read_selection(r, &map->pairs[i], &selection))
            return false;
        SG_PUSH(&r->s->arena, &filter->selections, selection);
    }
    if (filter->selections.count > 0)
        return true;
    return sc_error(r->s, SC_E0501, map->span,
                    "the filter has no search identifier");
}

static bool read_condition(sc_reader *r, const sc_y *map, sc_filter *filter)
{
    const sc_y *y = sc_y_get(map, "condition");
    const sg_map names = sc_selection_names(r, filter->selections.items,
                                            filter->selections.count);

    if (y == NULL || y->kind == SC_Y_NULL)
        return sc_error(r->s, SC_E0307, y == NULL ? map->span : y->span,
                        "the filter has no condition");
    filter->condition_yaml = y;
    filter->condition =
        sc_read_condition(r, y, &names, filter->selections.items);
    return filter->condition != NULL;
}

sc_filter *sc_read_filter(sc_reader *r, const sc_y *root)
{
    const sc_y *map = sc_y_get(root, "filter");
    sc_filter *filter = sg_new(&r->s->arena, sc_filter);

    filter->doc = r->s->doc;
    filter->at = root->span;
    if (!sc_read_title(r, root, "the filter", &filter->title) ||
        !sc_read_label(r, root, "id", &filter->id) ||
        !sc_read_label(r, root, "name", &filter->name) ||
        !sc_read_logsource(r, root, &filter->logsource))
        return NULL;
    if (map->kind != SC_Y_MAP) {
        sc_error(r->s, SC_E0502, map->span, "filter must be a map, this is %s",
                 sc_y_kind_name(map));
        return NULL;
    }
    if (!read_rules(r, map, filter) || !read_selections(r, map, filter) ||
        !read_condition(r, map, filter))
        return NULL;
    return filter;
}
