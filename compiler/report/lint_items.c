/*
 * lint_items.c - entries of selections as a whole: modifiers that do nothing or
 * lack a partner, and field names that no event has.
 */
#include "report/pass.h"

#include <string.h>

static bool has(const sc_lint *l, const char *name)
{
    return sc_lint_has_modifier(l->item, name);
}

static bool is_searched(const sc_lint *l)
{
    return has(l, "contains") || has(l, "startswith") || has(l, "endswith") ||
           !l->item->has_field;
}

void sc_lint_encoding(sc_lint *l)
{
    const bool base64 = has(l, "base64") || has(l, "base64offset");
    const bool wide = has(l, "wide") || has(l, "utf16le") ||
                      has(l, "utf16be") || has(l, "utf16");

    if (has(l, "base64offset") && !is_searched(l)) {
        sc_lint_warn(l, l->item->at, "base64offset without contains");
        sc_lint_hint(l, "the alternatives are parts of a longer text: write "
                        "base64offset|contains");
    } else if (wide && !base64) {
        sc_lint_warn(l, l->item->at, "UTF-16 without Base64");
        sc_lint_hint(l, "events hold text as UTF-8; UTF-16 is met inside "
                        "Base64");
    }
}

/* -------- modifiers without effect ---------------------------------------- */

static bool is_repeated(const sc_item *item, sg_str *name)
{
    for (uint32_t i = 0; i < item->modifiers.count; i++)
        for (uint32_t k = 0; k < i; k++)
            if (sg_str_eq(item->modifiers.items[i], item->modifiers.items[k])) {
                *name = item->modifiers.items[i];
                return true;
            }
    return false;
}

static bool has_dash(const sc_lint *l)
{
    for (uint32_t i = 0; i < l->item->values.count; i++)
        if (l->item->values.items[i].kind == SC_V_EXPANSION &&
            l->item->values.items[i].kids.count > 1)
            return true;
    return false;
}

/* A letter that has two cases. */
static bool has_letter(const sc_value *v)
{
    for (uint32_t i = 0; i < v->kids.count; i++)
        if (has_letter(&v->kids.items[i]))
            return true;
    if (v->kind != SC_V_STRING)
        return v->kind != SC_V_EXPANSION;
    for (uint32_t i = 0; i < v->pattern.toks.count; i++) {
        const sg_str text = v->pattern.toks.items[i].text;

        for (size_t k = 0; k < text.len; k++)
            if (((text.ptr[k] | 0x20) >= 'a' && (text.ptr[k] | 0x20) <= 'z') ||
                (text.ptr[k] & 0x80) != 0)
                return true;
    }
    return v->pattern.toks.count == 0;
}

static bool any_letter(const sc_lint *l)
{
    for (uint32_t i = 0; i < l->item->values.count; i++)
        if (has_letter(&l->item->values.items[i]))
            return true;
    return false;
}

void sc_lint_idle_modifier(sc_lint *l)
{
    const bool contains = has(l, "contains");
    const bool ends = has(l, "startswith") || has(l, "endswith");
    sg_str name;

    if (is_repeated(l->item, &name))
        sc_lint_warn(l, l->item->at, "'%.*s' stands twice", SG_FMT(name));
    else if (contains && ends)
        sc_lint_warn(l, l->item->at, "'%s' adds nothing to 'contains'",
                     has(l, "startswith") ? "startswith" : "endswith");
    else if (has(l, "re") && (contains || ends))
        sc_lint_warn(l, l->item->at,
                     "'%s' adds nothing: a regular expression is searched "
                     "anyway",
                     contains               ? "contains"
                     : has(l, "startswith") ? "startswith"
                                            : "endswith");
    else if (has(l, "windash") && !has_dash(l))
        sc_lint_warn(l, l->item->at,
                     "'windash' changes nothing: no value has a flag");
    else if (has(l, "cased") && !any_letter(l))
        sc_lint_warn(l, l->item->at,
                     "'cased' changes nothing: no value has a letter");
}

/* -------- fields ---------------------------------------------------------- */

/* Fields of Windows events as their sources spell them. */
static const sg_str windows_fields[] = {
#define FIELD(name) SG_LIT(name),
#include "report/windows_fields.def"
#undef FIELD
};
enum { WINDOWS_FIELDS = sizeof(windows_fields) / sizeof(*windows_fields) };

void sc_lint_field_case(sc_lint *l)
{
    if (!l->item->has_field || !sg_str_eq(l->source->product, SG_S("windows")))
        return;
    for (size_t i = 0; i < WINDOWS_FIELDS; i++) {
        if (sg_str_eq(l->item->field, windows_fields[i]))
            return;
        if (!sg_str_eq_nocase(l->item->field, windows_fields[i]))
            continue;
        sc_lint_warn(l, l->item->at,
                     "field names are case-sensitive: events have '%.*s'",
                     SG_FMT(windows_fields[i]));
        sc_lint_hint(l, "write '%.*s'", SG_FMT(windows_fields[i]));
        return;
    }
}

void sc_lint_field_name(sc_lint *l)
{
    const sg_str field = l->item->field;
    size_t i = 0;

    if (!l->item->has_field)
        return;
    if (field.ptr[0] == ' ' || field.ptr[field.len - 1] == ' ') {
        sc_lint_warn(l, l->item->at, "the field name %s with a space",
                     field.ptr[0] == ' ' ? "begins" : "ends");
        return;
    }
    while (i < field.len && strchr("*?\"'=", field.ptr[i]) == NULL)
        i++;
    if (i < field.len)
        sc_lint_warn(l, l->item->at,
                     "'%c' in a field name has no special meaning",
                     field.ptr[i]);
}

/* -------- selections ------------------------------------------------------ */

static const sc_det *find_keywords(const sc_det *det)
{
    for (uint32_t i = 0; i < det->kids.count; i++)
        if (det->kids.items[i]->kind == SC_DET_ITEM &&
            !det->kids.items[i]->item->has_field &&
            det->kids.items[i]->item->modifiers.count == 0)
            return det->kids.items[i];
    return NULL;
}

void sc_lint_mixed(sc_lint *l)
{
    const sc_det *det = l->sel->det;
    const sc_det *words;

    if (det == NULL || det->kind != SC_DET_OR)
        return;
    words = find_keywords(det);
    if (words != NULL && det->kids.count > 1)
        sc_lint_warn(l, words->at,
                     "the list mixes keywords and maps of fields");
}
