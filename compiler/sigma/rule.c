/*
 * rule.c - detection rules: metadata, log source, selections, conditions
 * (semantics section 1). Mandatory parts are errors when missing or wrong; the
 * rest of the metadata is taken as it comes, with warnings.
 */
#include "sigma/reader.h"

static const sg_str root_keys[] = {
    SG_LIT("title"),  SG_LIT("logsource"),   SG_LIT("detection"),
    SG_LIT("filter"), SG_LIT("correlation"),
};

enum { ROOT_KEYS = sizeof(root_keys) / sizeof(*root_keys) };

/* A key of the document that looks like a misspelled mandatory one. */
static const sc_y *near_key(const sc_y *root, sg_str want)
{
    for (uint32_t i = 0; i < root->count; i++) {
        const sg_str key = root->pairs[i].key->text;

        if (sc_y_is_scalar(root->pairs[i].key) &&
            !sc_one_of(key, root_keys, ROOT_KEYS, NULL) &&
            sc_nearest(key, &want, 1).len > 0)
            return root->pairs[i].key;
    }
    return NULL;
}

/* The place to name when something is missing: the first key. */
static sc_span head_of(const sc_y *map)
{
    return map->count > 0 ? map->pairs[0].key->span : map->span;
}

bool sc_missing(sc_reader *r, const sc_y *root, const char *key,
                const char *what)
{
    const sc_y *near = near_key(root, sg_str_of(key));

    if (near == NULL) {
        sc_error(r->s, SC_E0501, head_of(root), "%s has no '%s'", what, key);
        sc_hint(r->s, "add '%s:'", key);
        return false;
    }
    sc_error(r->s, SC_E0501, near->span, "%s has no '%s'", what, key);
    sc_hint(r->s, "did you mean '%s' here?", key);
    return false;
}

/* -------- metadata ------------------------------------------------------- */

static size_t count_chars(sg_str text)
{
    size_t pos = 0, count = 0;

    while (pos < text.len) {
        sg_utf8_next(text, &pos);
        count++;
    }
    return count;
}

bool sc_read_title(sc_reader *r, const sc_y *root, const char *what,
                   sg_str *out)
{
    const sc_y *y = sc_y_get(root, "title");

    if (y == NULL)
        return sc_missing(r, root, "title", what);
    if (y->kind != SC_Y_STR) {
        sc_error(r->s, SC_E0502, y->span, "title must be a string, this is %s",
                 sc_y_kind_name(y));
        if (sc_y_is_scalar(y) && y->text.len > 0)
            sc_hint(r->s, "put it in quotes");
        return false;
    }
    if (y->text.len == 0)
        return sc_error(r->s, SC_E0501, y->span, "the title is empty");
    if (count_chars(y->text) > SC_MAX_TITLE)
        return sc_error(r->s, SC_E0503, y->span,
                        "the title has %zu characters, at most %d are allowed",
                        count_chars(y->text), SC_MAX_TITLE);
    *out = y->text;
    return true;
}

bool sc_read_label(sc_reader *r, const sc_y *root, const char *key, sg_str *out)
{
    const sc_y *y = sc_y_get(root, key);

    if (y == NULL || y->kind == SC_Y_NULL)
        return true;
    if (!sc_y_is_scalar(y))
        return sc_error(r->s, SC_E0502, y->span,
                        "%s must be a string, this is %s", key,
                        sc_y_kind_name(y));
    *out = y->text;
    return true;
}

/* Informational text: a list or a map in its place is left out. */
static sg_str read_info(sc_reader *r, const sc_y *root, const char *key)
{
    const sc_y *y = sc_y_get(root, key);

    if (y == NULL || y->kind == SC_Y_NULL)
        return SG_S("");
    if (sc_y_is_scalar(y))
        return y->text;
    sc_warn(r->s, SC_W0502, y->span, "%s should be a string, this is %s", key,
            sc_y_kind_name(y));
    return SG_S("");
}

static sg_str read_word(sc_reader *r, const sc_y *root, const char *key,
                        const sg_str *known, size_t count)
{
    const sg_str word = read_info(r, root, key);

    if (word.len == 0 || sc_one_of(word, known, count, NULL))
        return word;
    sc_warn(r->s, SC_W0501, sc_y_get(root, key)->span, "unknown %s '%.*s'", key,
            SG_FMT(sc_show(r->s, word)));
    sc_hint_nearest(r->s, word, known, count);
    return word;
}

static bool push_info(sc_reader *r, const sc_y *y, const char *key,
                      sc_texts *out)
{
    if (sc_y_is_scalar(y) && y->text.len > 0) {
        SG_PUSH(&r->s->arena, &out->list, ((sc_text){y->text, y->span}));
        return true;
    }
    sc_warn(r->s, SC_W0502, y->span, "%s should be a list of strings", key);
    return false;
}

static sc_texts read_infos(sc_reader *r, const sc_y *root, const char *key)
{
    const sc_y *y = sc_y_get(root, key);
    sc_texts out = {0};

    if (y == NULL || y->kind == SC_Y_NULL)
        return out;
    if (y->kind != SC_Y_SEQ) {
        push_info(r, y, key, &out);
        return out;
    }
    for (uint32_t i = 0; i < y->count; i++)
        if (!push_info(r, y->items[i], key, &out))
            break;
    return out;
}

void sc_read_metadata(sc_reader *r, const sc_y *root, sc_rule *rule)
{
    static const sg_str levels[] = {
        SG_LIT("informational"), SG_LIT("low"),      SG_LIT("medium"),
        SG_LIT("high"),          SG_LIT("critical"),
    };
    static const sg_str statuses[] = {
        SG_LIT("stable"),     SG_LIT("test"),        SG_LIT("experimental"),
        SG_LIT("deprecated"), SG_LIT("unsupported"),
    };
    const sc_texts tags = read_infos(r, root, "tags");
    const sc_texts fields = read_infos(r, root, "fields");

    rule->level =
        read_word(r, root, "level", levels, sizeof(levels) / sizeof(*levels));
    rule->status = read_word(r, root, "status", statuses,
                             sizeof(statuses) / sizeof(*statuses));
    rule->description = read_info(r, root, "description");
    rule->author = read_info(r, root, "author");
    rule->license = read_info(r, root, "license");
    rule->date = read_info(r, root, "date");
    rule->taxonomy = read_info(r, root, "taxonomy");
    for (uint32_t i = 0; i < tags.list.count; i++)
        SG_PUSH(&r->s->arena, &rule->tags, tags.list.items[i].text);
    for (uint32_t i = 0; i < fields.list.count; i++)
        SG_PUSH(&r->s->arena, &rule->fields, fields.list.items[i].text);
}

/* -------- log source ----------------------------------------------------- */

static bool read_source(sc_reader *r, const sc_y *map, const char *key,
                        sg_str *out)
{
    const sc_y *y = sc_y_get(map, key);

    if (y == NULL || y->kind == SC_Y_NULL)
        return true;
    if (y->kind != SC_Y_STR) {
        sc_error(r->s, SC_E0504, y->span, "%s must be a string, this is %s",
                 key, sc_y_kind_name(y));
        if (sc_y_is_scalar(y))
            sc_hint(r->s, "put it in quotes");
        return false;
    }
    *out = y->text;
    return true;
}

bool sc_read_logsource(sc_reader *r, const sc_y *root, sc_logsource *out)
{
    const sc_y *y = sc_y_get(root, "logsource");

    if (y == NULL)
        return sc_missing(r, root, "logsource", "the document");
    if (y->kind != SC_Y_MAP) {
        sc_error(r->s, SC_E0504, y->span, "logsource must be a map, this is %s",
                 sc_y_kind_name(y));
        sc_hint(r->s, "write category, product or service below it");
        return false;
    }
    if (!read_source(r, y, "category", &out->category) ||
        !read_source(r, y, "product", &out->product) ||
        !read_source(r, y, "service", &out->service))
        return false;
    if (out->category.len + out->product.len + out->service.len > 0)
        return true;
    return sc_error(r->s, SC_E0504, y->span,
                    "the logsource names no category, product or service");
}

static bool part_contains(sg_str a, sg_str b)
{
    return a.len == 0 || sg_str_eq(a, b);
}

bool sc_logsource_contains(const sc_logsource *a, const sc_logsource *b)
{
    return part_contains(a->category, b->category) &&
           part_contains(a->product, b->product) &&
           part_contains(a->service, b->service);
}

/* -------- conditions ----------------------------------------------------- */

static bool refuse_undefined(sc_reader *r, const sc_cond *cond,
                             const sc_selection *selections, uint32_t count)
{
    enum { MOST = 1000 };
    const uint32_t shown = count < MOST ? count : MOST;
    sg_str *names = sg_new_n(&r->s->arena, sg_str, shown + 1);

    for (uint32_t i = 0; i < shown; i++)
        names[i] = selections[i].name;
    sc_error(r->s, SC_E0305, cond->at,
             "the condition uses '%.*s', which is not defined",
             SG_FMT(sc_show(r->s, cond->name)));
    if (!sc_hint_nearest(r->s, cond->name, names, shown))
        sc_hint_list(r->s, "defined are", names, shown);
    return false;
}

/* The first name of the condition that is not in the map, or NULL. */
static const sc_cond *find_undefined(const sc_cond *cond, const sg_map *names)
{
    const sc_cond *found = NULL;

    if (cond->kind == SC_COND_ID)
        return sg_map_get(names, cond->name) == NULL ? cond : NULL;
    for (uint32_t i = 0; i < cond->kids.count && found == NULL; i++)
        found = find_undefined(cond->kids.items[i], names);
    return found;
}

sg_map sc_selection_names(sc_reader *r, const sc_selection *selections,
                          uint32_t count)
{
    sg_map names = {0};
    bool found;

    for (uint32_t i = 0; i < count; i++)
        *sg_map_put(&r->s->arena, &names, selections[i].name, &found) = i;
    return names;
}

sc_cond *sc_read_condition(sc_reader *r, const sc_y *y, const sg_map *names,
                           const sc_selection *selections)
{
    if (y->kind != SC_Y_STR) {
        sc_error(r->s, SC_E0307, y->span,
                 "a condition must be a string, this is %s", sc_y_kind_name(y));
        return NULL;
    }
    return sc_read_condition_text(r, y, y->text, names, selections);
}

sc_cond *sc_read_condition_text(sc_reader *r, const sc_y *y, sg_str text,
                                const sg_map *names,
                                const sc_selection *selections)
{
    const sc_cond *undefined;
    sc_cond *cond = sc_parse_condition(r->s, y, text, false);

    if (cond == NULL)
        return NULL;
    undefined = find_undefined(cond, names);
    if (undefined == NULL)
        return cond;
    refuse_undefined(r, undefined, selections, names->count);
    return NULL;
}

static bool push_condition(sc_reader *r, const sc_y *y, const sg_map *names,
                           sc_rule *rule)
{
    sc_cond *cond = sc_read_condition(r, y, names, rule->selections.items);

    if (cond == NULL)
        return false;
    SG_PUSH(&r->s->arena, &rule->conditions, cond);
    return true;
}

/* A single condition with a pipe: read what stands before it. */
static bool split_aggregation(sc_reader *r, const sc_y *detection,
                              const sg_map *names, sc_rule *rule,
                              sc_aggregation *agg)
{
    const sc_y *y = sc_y_get(detection, "condition");
    const sg_str text = sg_str_sub(y->text, 0, agg->pipe);
    sc_cond *cond =
        sc_read_condition_text(r, y, text, names, rule->selections.items);

    if (cond == NULL)
        return false;
    agg->condition = y;
    agg->timeframe = sc_y_get(detection, "timeframe");
    agg->names = *names;
    agg->selections = rule->selections.items;
    SG_PUSH(&r->s->arena, &rule->conditions, cond);
    return true;
}

static bool read_conditions(sc_reader *r, const sc_y *detection, sc_rule *rule,
                            sc_aggregation *agg)
{
    const sc_y *y = sc_y_get(detection, "condition");
    const sg_map names =
        sc_selection_names(r, rule->selections.items, rule->selections.count);

    if (y == NULL || y->kind == SC_Y_NULL) {
        sc_error(r->s, SC_E0307, y == NULL ? head_of(detection) : y->span,
                 "the detection has no condition");
        return false;
    }
    agg->pipe =
        y->kind == SC_Y_STR ? sg_str_find(y->text, SG_S("|")) : SIZE_MAX;
    if (agg->pipe != SIZE_MAX)
        return split_aggregation(r, detection, &names, rule, agg);
    if (y->kind != SC_Y_SEQ)
        return push_condition(r, y, &names, rule);
    if (y->count == 0)
        return sc_error(r->s, SC_E0307, y->span,
                        "the list of conditions is empty");
    for (uint32_t i = 0; i < y->count; i++)
        if (!push_condition(r, y->items[i], &names, rule))
            return false;
    return true;
}

/* -------- detection ------------------------------------------------------ */

static bool is_reserved(const sc_y *key)
{
    static const sg_str reserved[] = {
        SG_LIT("condition"),
        SG_LIT("timeframe"),
    };

    return sc_y_is_scalar(key) && sc_one_of(key->text, reserved, 2, NULL);
}

static bool read_detection(sc_reader *r, const sc_y *root, sc_rule *rule,
                           sc_aggregation *agg)
{
    const sc_y *y = sc_y_get(root, "detection");

    if (y == NULL)
        return sc_missing(r, root, "detection", "the rule");
    if (y->kind != SC_Y_MAP)
        return sc_error(r->s, SC_E0502, y->span,
                        "detection must be a map, this is %s",
                        sc_y_kind_name(y));
    for (uint32_t i = 0; i < y->count; i++) {
        sc_selection selection;

        if (is_reserved(y->pairs[i].key))
            continue;
        if (!sc_read_selection(r, &y->pairs[i], &selection))
            return false;
        SG_PUSH(&r->s->arena, &rule->selections, selection);
    }
    if (rule->selections.count > 0)
        return read_conditions(r, y, rule, agg);
    return sc_error(r->s, SC_E0501, y->count > 0 ? head_of(y) : y->span,
                    "the detection has no search identifier");
}

sc_rule *sc_read_rule(sc_reader *r, const sc_y *root, sc_aggregation *agg)
{
    sc_rule *rule = sg_new(&r->s->arena, sc_rule);

    rule->doc = r->s->doc;
    rule->at = root->span;
    rule->yaml = root;
    rule->spaces = 1;
    rule->report.limit = SIGMA_NONE;
    if (!sc_read_title(r, root, "the rule", &rule->title) ||
        !sc_read_label(r, root, "id", &rule->id) ||
        !sc_read_label(r, root, "name", &rule->name))
        return NULL;
    sc_read_metadata(r, root, rule);
    if (!sc_read_logsource(r, root, &rule->logsource) ||
        !read_detection(r, root, rule, agg) ||
        !sc_read_extension(r, root, rule))
        return NULL;
    return rule;
}
