/*
 * lint_source.c - log sources: names that look misspelt, sources nobody knows,
 * and events chosen by number where a category says it better. Own sources are
 * legal, so a name must be near a known one to be called a mistake.
 */
#include "report/pass.h"

#include <string.h>

typedef struct known {
    sg_str parts[3]; /* product, category, service */
} known;

static const known sources[] = {
#define SOURCE(product, category, service, marks)                              \
    {{SG_LIT(product), SG_LIT(category), SG_LIT(service)}},
#include "ir/logsources.def"
#undef SOURCE
#define KNOWN(product, category, service)                                      \
    {{SG_LIT(product), SG_LIT(category), SG_LIT(service)}},
#include "report/known_sources.def"
#undef KNOWN
};
enum { SOURCES = sizeof(sources) / sizeof(*sources) };

static const struct sysmon_mark {
    sg_str product, category;
    const char *marks;
} sysmon[] = {
#define SOURCE(product, category, service, marks)                              \
    {SG_LIT(product), SG_LIT(category), marks},
#include "ir/logsources.def"
#undef SOURCE
};
enum { SYSMON = sizeof(sysmon) / sizeof(*sysmon) };

static const char *const part_names[] = {"product", "category", "service"};

/* Place of a part of the log source, or of the first selection's. */
static sc_span part_at(const sc_lint *l, const char *key)
{
    const sc_y *map = l->root == NULL ? NULL : sc_y_get(l->root, "logsource");
    const sc_y *y =
        map == NULL || map->kind != SC_Y_MAP ? NULL : sc_y_get(map, key);

    if (y != NULL)
        return y->span;
    if (map != NULL)
        return map->span;
    return l->filter != NULL ? l->filter->at : l->sels[0].at;
}

static void parts_of(const sc_lint *l, sg_str out[3])
{
    out[0] = l->source->product;
    out[1] = l->source->category;
    out[2] = l->source->service;
}

static bool is_known(const sg_str parts[3])
{
    for (size_t i = 0; i < SOURCES; i++)
        if (sg_str_eq(parts[0], sources[i].parts[0]) &&
            sg_str_eq(parts[1], sources[i].parts[1]) &&
            sg_str_eq(parts[2], sources[i].parts[2]))
            return true;
    return false;
}

/* Known names of a part; of products, only those of the rule's product. */
static sg_str nearest_part(sc_lint *l, const sg_str parts[3], size_t part,
                           bool *exact)
{
    sg_str names[SOURCES];
    size_t count = 0;
    bool known_product = false;

    *exact = false;
    for (size_t i = 0; i < SOURCES; i++)
        known_product |= sg_str_eq(sources[i].parts[0], parts[0]);
    for (size_t i = 0; i < SOURCES; i++) {
        const sg_str name = sources[i].parts[part];

        if (name.len == 0)
            continue;
        *exact |= sg_str_eq(name, parts[part]);
        if (part == 0 || !known_product ||
            sg_str_eq(sources[i].parts[0], parts[0]))
            names[count++] = name;
    }
    return sc_nearest(sc_lint_lower(l->tmp, parts[part]), names, count);
}

void sc_lint_source(sc_lint *l)
{
    sg_str parts[3];

    parts_of(l, parts);
    if (is_known(parts))
        return;
    for (size_t i = 0; i < 3; i++) {
        bool exact;
        sg_str near;

        if (parts[i].len == 0)
            continue;
        near = nearest_part(l, parts, i, &exact);
        if (exact || near.len == 0)
            continue;
        sc_lint_warn(l, part_at(l, part_names[i]),
                     "'%.*s' looks like a misspelt %s",
                     SG_FMT(sc_lint_cut(parts[i])), part_names[i]);
        sc_lint_hint(l, "did you mean '%.*s'?", SG_FMT(near));
    }
}

void sc_lint_foreign_source(sc_lint *l)
{
    sg_str parts[3];

    parts_of(l, parts);
    if (!is_known(parts))
        sc_lint_warn(l,
                     part_at(l, parts[0].len > 0   ? "product"
                                : parts[1].len > 0 ? "category"
                                                   : "service"),
                     "no public rule collection knows this log source");
}

/* -------- event numbers --------------------------------------------------- */

/* Find the item `EventID: numbers` of a selection without modifiers. */
static const sc_item *event_item(const sc_det *det)
{
    if (det == NULL)
        return NULL;
    if (det->kind == SC_DET_ITEM)
        return det->item->has_field && det->item->modifiers.count == 0 &&
                       sg_str_eq(det->item->field, SG_S("EventID"))
                   ? det->item
                   : NULL;
    for (uint32_t i = 0; i < det->kids.count; i++) {
        const sc_item *item = event_item(det->kids.items[i]);

        if (item != NULL)
            return item;
    }
    return NULL;
}

/* Whether the marks are those of Sysmon's log and this event number. */
static bool is_sysmon_event(sg_str marks, sg_str number)
{
    static const char log[] = "Sysmon/Operational;";
    const size_t at = sg_str_find(marks, SG_S("EventID="));

    return sg_str_find(marks, sg_str_of(log)) != SIZE_MAX && at != SIZE_MAX &&
           sg_str_eq(sg_str_sub(marks, at + strlen("EventID="), marks.len),
                     number);
}

/* The category that stands for one event number of Sysmon. */
static sg_str sysmon_category(sg_str product, sg_str number)
{
    for (size_t i = 0; i < SYSMON; i++)
        if (sysmon[i].category.len > 0 &&
            sg_str_eq(sysmon[i].product, product) &&
            is_sysmon_event(sg_str_of(sysmon[i].marks), number))
            return sysmon[i].category;
    return SG_S("");
}

void sc_lint_generic_source(sc_lint *l)
{
    if (!sg_str_eq(l->source->service, SG_S("sysmon")) ||
        l->source->category.len > 0)
        return;
    for (uint32_t i = 0; i < l->sel_count; i++) {
        const sc_item *item = event_item(l->sels[i].det);
        sg_str category;

        if (item == NULL || item->values.count != 1 ||
            item->values.items[0].kind != SC_V_NUM)
            continue;
        category = sysmon_category(l->source->product,
                                   sc_lint_text(l, &item->values.items[0]));
        if (category.len == 0)
            continue;
        sc_lint_warn(l, item->at,
                     "this event of Sysmon has the category '%.*s'",
                     SG_FMT(category));
    }
}

void sc_lint_category_event(sc_lint *l)
{
    if (l->source->category.len == 0 ||
        !sg_str_eq(l->source->product, SG_S("windows")))
        return;
    for (uint32_t i = 0; i < l->sel_count; i++) {
        const sc_item *item = event_item(l->sels[i].det);

        if (item != NULL)
            sc_lint_warn(l, item->at,
                         "the category '%.*s' already chooses the events",
                         SG_FMT(sc_lint_cut(l->source->category)));
    }
}
