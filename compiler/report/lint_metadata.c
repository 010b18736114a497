/*
 * lint_metadata.c - the parts of a document that say nothing about matching:
 * who, when, why, where from. What the conventions of public rule collections
 * ask for, as far as a mistake is likely.
 */
#include "report/pass.h"

/* Place for what concerns the whole document: its title. */
static sc_span title_at(const sc_lint *l)
{
    const sc_y *title = sc_y_get(l->root, "title");

    return title != NULL ? title->span : l->rule->at;
}

static bool is_present(const sc_lint *l, const char *key)
{
    const sc_y *y = sc_y_get(l->root, key);

    return y != NULL && y->kind != SC_Y_NULL &&
           !(sc_y_is_scalar(y) && y->text.len == 0);
}

void sc_lint_missing(sc_lint *l)
{
    static const char *const wanted[] = {"id",     "status", "description",
                                         "author", "date",   "level"};
    sg_buf list = {0};

    for (size_t i = 0; i < sizeof(wanted) / sizeof(*wanted); i++)
        if (!is_present(l, wanted[i]))
            sg_buf_printf(&list, "%s%s", list.len > 0 ? ", " : "", wanted[i]);
    if (list.len > 0)
        sc_lint_warn(l, title_at(l), "the document has no %.*s",
                     SG_FMT(sg_buf_str(&list)));
    sg_buf_free(&list);
}

/* -------- id -------------------------------------------------------------- */

static bool is_hex(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') ||
           (c >= 'A' && c <= 'F');
}

static bool is_uuid(sg_str s)
{
    if (s.len != 36)
        return false;
    for (size_t i = 0; i < s.len; i++) {
        const bool dash = i == 8 || i == 13 || i == 18 || i == 23;

        if (dash ? s.ptr[i] != '-' : !is_hex(s.ptr[i]))
            return false;
    }
    return true;
}

void sc_lint_uuid(sc_lint *l)
{
    const sg_str id = l->rule->id;

    if (id.len > 0 && !is_uuid(id))
        sc_lint_warn(l, sc_y_get(l->root, "id")->span,
                     "the id '%.*s' is not a UUID", SG_FMT(sc_lint_cut(id)));
}

/* -------- title ----------------------------------------------------------- */

void sc_lint_same_title(sc_lint *l)
{
    sg_map titles = {0};

    for (uint32_t i = 0; i < l->ast->rules.count; i++) {
        const sc_rule *rule = l->ast->rules.items[i];
        const sg_str key = sc_lint_lower(l->tmp, rule->title);
        bool found;
        uint32_t *cell;

        if (!sc_lint_stands_for_doc(l->ast, i))
            continue;
        cell = sg_map_put(l->tmp, &titles, key, &found);

        if (!found) {
            *cell = i;
            continue;
        }
        l->s->doc = rule->doc;
        l->rule = rule;
        l->root = rule->yaml;
        sc_lint_warn(l, title_at(l), "another document has the same title");
        l->root = l->ast->rules.items[*cell]->yaml;
        l->rule = l->ast->rules.items[*cell];
        sc_note_at(l->s, title_at(l), "the first one is here");
    }
    l->rule = NULL;
    l->root = NULL;
    l->s->doc = SIGMA_NONE;
}

void sc_lint_title(sc_lint *l)
{
    enum { MOST = 110 };
    const sg_str title = l->rule->title;
    size_t chars = 0;

    for (size_t pos = 0; pos < title.len; chars++)
        sg_utf8_next(title, &pos);
    if (chars > MOST)
        sc_lint_warn(l, title_at(l),
                     "the title has %zu characters, more than %d", chars, MOST);
    else if (sg_str_ends(title, SG_S(".")))
        sc_lint_warn(l, title_at(l), "the title ends with a full stop");
    else if (sg_str_starts(title, SG_S("Detects ")))
        sc_lint_warn(l, title_at(l), "the title starts with 'Detects'");
}

/* -------- dates ----------------------------------------------------------- */

static unsigned number_at(sg_str s, size_t at, size_t len)
{
    unsigned n = 0;

    for (size_t i = at; i < at + len; i++)
        n = n * 10 + (unsigned)(s.ptr[i] - '0');
    return n;
}

/* YYYY-MM-DD of the calendar; `dash` is what parts it. */
static bool is_date(sg_str s, char dash)
{
    static const unsigned char days[] = {31, 28, 31, 30, 31, 30,
                                         31, 31, 30, 31, 30, 31};
    unsigned year, month, day;
    bool leap;

    if (s.len != 10 || s.ptr[4] != dash || s.ptr[7] != dash ||
        sc_lint_digits(s, 4) != 4 ||
        sc_lint_digits(sg_str_sub(s, 5, 7), 2) != 2 ||
        sc_lint_digits(sg_str_sub(s, 8, 10), 2) != 2)
        return false;
    year = number_at(s, 0, 4);
    month = number_at(s, 5, 2);
    day = number_at(s, 8, 2);
    leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return month >= 1 && month <= 12 && day >= 1 &&
           day <= days[month - 1] + (unsigned)(month == 2 && leap);
}

static bool check_date(sc_lint *l, const char *key)
{
    const sc_y *y = sc_y_get(l->root, key);

    if (y == NULL || y->kind == SC_Y_NULL || !sc_y_is_scalar(y))
        return false;
    if (is_date(y->text, '-'))
        return true;
    sc_lint_warn(l, y->span, "%s is not a day written YYYY-MM-DD", key);
    if (is_date(y->text, '/'))
        sc_lint_hint(l, "write %.4s-%.2s-%.2s", y->text.ptr, y->text.ptr + 5,
                     y->text.ptr + 8);
    return false;
}

void sc_lint_date(sc_lint *l)
{
    const bool date = check_date(l, "date");
    const bool modified = check_date(l, "modified");

    if (!date || !modified)
        return;
    if (sg_str_cmp(sc_y_get(l->root, "modified")->text,
                   sc_y_get(l->root, "date")->text) >= 0)
        return;
    sc_lint_warn(l, sc_y_get(l->root, "modified")->span,
                 "modified lies before date");
    sc_lint_hint(l, "the first version has 'date', the last one 'modified'");
}

/* -------- texts ----------------------------------------------------------- */

void sc_lint_description(sc_lint *l)
{
    enum { LEAST = 16 };
    const sg_str text = l->rule->description;

    if (text.len > 0 && text.len < LEAST)
        sc_lint_warn(l, sc_y_get(l->root, "description")->span,
                     "the description says little");
}

void sc_lint_not_list(sc_lint *l)
{
    static const char *const lists[] = {"references", "falsepositives", "tags",
                                        "fields", "related"};

    for (size_t i = 0; i < sizeof(lists) / sizeof(*lists); i++) {
        const sc_y *y = sc_y_get(l->root, lists[i]);

        if (y != NULL && y->kind != SC_Y_SEQ && y->kind != SC_Y_NULL)
            sc_lint_warn(l, y->span, "%s should be a list, this is %s",
                         lists[i], sc_y_kind_name(y));
    }
}

/* Texts with a space are notes, which people leave for want of a link. */
static bool lacks_scheme(sg_str s)
{
    return sg_str_find(s, SG_S("://")) == SIZE_MAX &&
           sg_str_find(s, SG_S(" ")) == SIZE_MAX &&
           (sg_str_starts(s, SG_S("www.")) ||
            (sg_str_find(s, SG_S(".")) != SIZE_MAX &&
             sg_str_find(s, SG_S("/")) != SIZE_MAX));
}

/* Item i of a list of the document when it is a string. */
static const sc_y *text_in(const sc_y *list, uint32_t i)
{
    return list->items[i]->kind == SC_Y_STR ? list->items[i] : NULL;
}

static const sc_y *list_of(const sc_lint *l, const char *key)
{
    const sc_y *y = sc_y_get(l->root, key);

    return y != NULL && y->kind == SC_Y_SEQ ? y : NULL;
}

void sc_lint_reference(sc_lint *l)
{
    const sc_y *list = list_of(l, "references");

    for (uint32_t i = 0; list != NULL && i < list->count; i++) {
        const sc_y *y = text_in(list, i);

        if (y == NULL || y->text.len == 0)
            sc_lint_warn(l, list->items[i]->span, "the reference is no text");
        else if (lacks_scheme(y->text))
            sc_lint_warn(l, y->span, "the link has no scheme");
    }
}

/* Warn about texts of a list that came before. */
static void find_repeats(sc_lint *l, const char *key, const char *what)
{
    const sc_y *list = list_of(l, key);
    sg_map seen = {0};

    for (uint32_t i = 0; list != NULL && i < list->count; i++) {
        const sc_y *y = text_in(list, i);
        bool found;
        uint32_t *cell;

        if (y == NULL)
            continue;
        cell = sg_map_put(l->tmp, &seen, y->text, &found);
        if (!found) {
            *cell = i;
            continue;
        }
        sc_lint_warn(l, y->span, "the %s is listed twice", what);
        sc_note_at(l->s, list->items[*cell]->span, "the first one is here");
    }
}

void sc_lint_same_link(sc_lint *l)
{
    find_repeats(l, "references", "reference");
}

void sc_lint_same_tag(sc_lint *l)
{
    find_repeats(l, "tags", "tag");
}

static bool is_idle_word(sg_str text)
{
    static const char *const words[] = {"none",
                                        "no",
                                        "n/a",
                                        "na",
                                        "nothing",
                                        "pentest",
                                        "penetration test",
                                        "penetration testing",
                                        "penetration tests",
                                        "pentests",
                                        "-",
                                        "no fp"};

    for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
        if (sg_str_eq_nocase(text, sg_str_of(words[i])))
            return true;
    return false;
}

void sc_lint_false_positive(sc_lint *l)
{
    const sc_y *list = list_of(l, "falsepositives");

    for (uint32_t i = 0; list != NULL && i < list->count; i++) {
        const sc_y *y = list->items[i];

        if (!sc_y_is_scalar(y) || y->text.len == 0)
            sc_lint_warn(l, y->span, "the false positive is no text");
        else if (is_idle_word(y->text))
            sc_lint_warn(l, y->span, "'%.*s' is no false positive",
                         SG_FMT(sc_lint_cut(y->text)));
    }
}

/* -------- keys ------------------------------------------------------------ */

void sc_lint_key(sc_lint *l)
{
    static const sg_str known[] = {
        SG_LIT("title"),          SG_LIT("id"),
        SG_LIT("name"),           SG_LIT("related"),
        SG_LIT("taxonomy"),       SG_LIT("status"),
        SG_LIT("description"),    SG_LIT("license"),
        SG_LIT("author"),         SG_LIT("references"),
        SG_LIT("date"),           SG_LIT("modified"),
        SG_LIT("logsource"),      SG_LIT("detection"),
        SG_LIT("fields"),         SG_LIT("level"),
        SG_LIT("tags"),           SG_LIT("scope"),
        SG_LIT("correlation"),    SG_LIT("filter"),
        SG_LIT("generate"),       SG_LIT("sigcc"),
        SG_LIT("action"),         SG_LIT("simulation"),
        SG_LIT("custom"),         SG_LIT("sigma-version"),
        SG_LIT("falsepositives"), SG_LIT("regression_tests_path"),
    };
    enum { KNOWN = sizeof(known) / sizeof(*known) };

    for (uint32_t i = 0; i < l->root->count; i++) {
        const sc_y *key = l->root->pairs[i].key;
        sg_str near;
        bool exact = false;

        if (!sc_y_is_scalar(key))
            continue;
        for (size_t k = 0; k < KNOWN; k++)
            exact |= sg_str_eq(key->text, known[k]);
        if (exact)
            continue;
        near = sc_nearest(sc_lint_lower(l->tmp, key->text), known, KNOWN);
        if (near.len == 0)
            continue;
        sc_lint_warn(l, key->span, "'%.*s' looks like a misspelt '%.*s'",
                     SG_FMT(sc_lint_cut(key->text)), SG_FMT(near));
        if (sc_y_get(l->root, near.ptr) == NULL)
            sc_lint_hint(l, "write '%.*s'", SG_FMT(near));
    }
}

/* -------- related --------------------------------------------------------- */

static void tell_self(sc_lint *l, const sc_y *id)
{
    sc_lint_warn(l, id->span, "the document is related to itself");
    sc_lint_hint(l, "give the id of the other rule");
}

static void check_relation(sc_lint *l, const sc_y *y)
{
    static const sg_str types[] = {
        SG_LIT("derived"),     SG_LIT("obsolete"), SG_LIT("obsoletes"),
        SG_LIT("merged"),      SG_LIT("renamed"),  SG_LIT("similar"),
        SG_LIT("correlation"),
    };
    enum { TYPES = sizeof(types) / sizeof(*types) };
    const sc_y *id = y->kind == SC_Y_MAP ? sc_y_get(y, "id") : NULL;
    const sc_y *type = y->kind == SC_Y_MAP ? sc_y_get(y, "type") : NULL;
    bool known = false;
    sg_str near;

    if (id == NULL || type == NULL) {
        sc_lint_warn(l, y->span, "a relation has an id and a type");
        return;
    }
    if (!sc_y_is_scalar(id) || !is_uuid(id->text))
        sc_lint_warn(l, id->span, "the related id is not a UUID");
    else if (sg_str_eq_nocase(id->text, l->rule->id))
        tell_self(l, id);
    for (size_t i = 0; i < TYPES; i++)
        known |= sc_y_is_scalar(type) && sg_str_eq(type->text, types[i]);
    if (known)
        return;
    sc_lint_warn(l, type->span, "unknown type of relation");
    near =
        sc_y_is_scalar(type) ? sc_nearest(type->text, types, TYPES) : SG_S("");
    if (near.len > 0)
        sc_lint_hint(l, "did you mean '%.*s'?", SG_FMT(near));
    else
        sc_lint_hint(l, "known are: derived, obsolete, merged, renamed, "
                        "similar");
}

void sc_lint_related(sc_lint *l)
{
    const sc_y *list = list_of(l, "related");

    for (uint32_t i = 0; list != NULL && i < list->count; i++)
        check_relation(l, list->items[i]);
}

/* -------- the rest -------------------------------------------------------- */

void sc_lint_deprecated(sc_lint *l)
{
    if (sg_str_eq(l->rule->status, SG_S("deprecated")) ||
        sg_str_eq(l->rule->status, SG_S("unsupported")))
        sc_lint_warn(l, sc_y_get(l->root, "status")->span,
                     "the document calls itself %.*s", SG_FMT(l->rule->status));
}

void sc_lint_file_name(sc_lint *l)
{
    enum { LEAST = 10, MOST = 90 };
    const sg_str path = l->s->docs.items[l->rule->doc].path;
    size_t beg = path.len;
    bool plain = true;
    sg_str name;

    while (beg > 0 && path.ptr[beg - 1] != '/')
        beg--;
    name = sg_str_sub(path, beg, path.len);
    for (size_t i = 0; i < name.len; i++) {
        const char c = name.ptr[i];

        plain &= (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' ||
                 c == '.';
    }
    if (plain && sg_str_ends(name, SG_S(".yml")) && name.len >= LEAST &&
        name.len <= MOST)
        return;
    sc_lint_warn(l, title_at(l), "the file is called '%.*s'",
                 SG_FMT(sc_lint_cut(name)));
}

void sc_lint_timeframe(sc_lint *l)
{
    const sc_y *detection = sc_y_get(l->root, "detection");

    if (l->aggregates || detection == NULL || detection->kind != SC_Y_MAP)
        return;
    for (uint32_t i = 0; i < detection->count; i++) {
        const sc_y *key = detection->pairs[i].key;

        if (sc_y_is_scalar(key) && sg_str_eq(key->text, SG_S("timeframe")))
            sc_lint_warn(l, key->span, "'timeframe' has no effect");
    }
}
