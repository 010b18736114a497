/*
 * read.c - enrichment files: YAML to tables and steps. Whatever is not
 * understood is refused by name, with the nearest known one.
 */
#include "enrich/enrichment.h"

/* A file being read. */
typedef struct reader {
    sc_session *s;
    sc_enrich *out;
    uint32_t first; /* of the tables of this file */
} reader;

/* -------- keys and texts ------------------------------------------------- */

static bool is_text(const sc_y *y)
{
    return sc_y_is_scalar(y) && y->kind != SC_Y_NULL;
}

static sg_str shown(reader *r, sg_str text)
{
    sg_buf buf = {0};
    sg_str copy;

    sc_put_safe(&buf, text);
    copy = sg_arena_dup(&r->s->arena, sg_buf_str(&buf));
    sg_buf_free(&buf);
    return copy;
}

/* Report a name that is none of those known. */
static bool unknown(reader *r, sc_code code, const sc_y *y, const char *what,
                    const sg_str *names, size_t count)
{
    const sg_str text = is_text(y) ? y->text : SG_S("");
    const sg_str near = sc_nearest(text, names, count);

    sc_error(r->s, code, y->span, "unknown %s '%.*s'", what,
             SG_FMT(shown(r, text)));
    if (near.len != 0)
        sc_hint(r->s, "did you mean '%.*s'?", SG_FMT(shown(r, near)));
    return false;
}

/* A map of nothing but the keys allowed. */
static bool check_map(reader *r, const sc_y *y, const char *what,
                      const sg_str *keys, size_t count)
{
    bool ok = true;

    if (y->kind != SC_Y_MAP)
        return sc_error(r->s, SC_E0601, y->span, "%s must be a map, not %s",
                        what, sc_y_kind_name(y));
    for (uint32_t i = 0; i < y->count; i++) {
        const sc_y *key = y->pairs[i].key;
        bool found = false;
        for (size_t k = 0; k < count && is_text(key); k++)
            found |= sg_str_eq(key->text, keys[k]);
        if (!found)
            ok = unknown(r, SC_E0602, key, "key", keys, count);
    }
    return ok;
}

/* The value of a key that must be there. */
static const sc_y *need(reader *r, const sc_y *map, const char *key,
                        const char *what)
{
    const sc_y *y = sc_y_get(map, key);

    if (y == NULL)
        sc_error(r->s, SC_E0601, map->span, "%s needs '%s'", what, key);
    return y;
}

/* The text of a scalar as events have it: numbers in canonical form. */
static sg_str value_text(reader *r, const sc_y *y)
{
    char text[SG_NUM_TEXT];

    if (y->kind == SC_Y_BOOL)
        return y->boolean ? SG_S("true") : SG_S("false");
    if (y->kind != SC_Y_NUM)
        return y->text;
    const size_t len = sg_num_text(y->num, text);
    return sg_arena_dup(&r->s->arena, (sg_str){text, len});
}

static bool add_text(reader *r, const sc_y *y, const char *what,
                     sc_enrich_names *out, uint32_t most)
{
    if (!is_text(y) || y->text.len == 0)
        return sc_error(r->s, SC_E0601, y->span, "%s must be text, not %s",
                        what, is_text(y) ? "empty" : sc_y_kind_name(y));
    if (out->count == most)
        return sc_error(r->s, SC_E0607, y->span, "%s has more than %u entries",
                        what, (unsigned)most);
    SG_PUSH(&r->s->arena, out, value_text(r, y));
    return true;
}

/* A text, or a list of at least one. */
static bool read_texts(reader *r, const sc_y *y, const char *what,
                       sc_enrich_names *out, uint32_t most)
{
    if (y->kind != SC_Y_SEQ)
        return add_text(r, y, what, out, most);
    if (y->count == 0)
        return sc_error(r->s, SC_E0601, y->span, "%s must not be empty", what);
    for (uint32_t i = 0; i < y->count; i++)
        if (!add_text(r, y->items[i], what, out, most))
            return false;
    return true;
}

static bool name_at(const sc_enrich_names *names, sg_str name, uint32_t *at)
{
    for (*at = 0; *at < names->count; ++*at)
        if (sg_str_eq(names->items[*at], name))
            return true;
    return false;
}

/* The same with names that must differ, those of columns and fields. */
static bool read_names(reader *r, const sc_y *y, const char *what,
                       sc_enrich_names *out)
{
    sc_enrich_names seen = {0};
    uint32_t at;

    if (!read_texts(r, y, what, out, SC_ENRICH_PARTS))
        return false;
    for (uint32_t i = 0; i < out->count; i++) {
        if (name_at(&seen, out->items[i], &at))
            return sc_error(r->s, SC_E0601, y->span, "%s names '%.*s' twice",
                            what, SG_FMT(shown(r, out->items[i])));
        SG_PUSH(&r->s->arena, &seen, out->items[i]);
    }
    return true;
}

/* -------- parts of steps ------------------------------------------------- */

static bool read_when(reader *r, const sc_y *y, sc_enrich_step *step)
{
    if (y == NULL)
        return true;
    if (y->kind != SC_Y_MAP || y->count == 0)
        return sc_error(r->s, SC_E0601, y->span,
                        "'when' must be a map of FIELD: VALUE");
    if (y->count > SC_ENRICH_PARTS)
        return sc_error(r->s, SC_E0607, y->span,
                        "'when' has more than %u entries",
                        (unsigned)SC_ENRICH_PARTS);
    for (uint32_t i = 0; i < y->count; i++) {
        sc_enrich_when when = {0};
        if (!is_text(y->pairs[i].key) || y->pairs[i].key->text.len == 0)
            return sc_error(r->s, SC_E0601, y->pairs[i].key->span,
                            "the name of a field must be text");
        when.field = y->pairs[i].key->text;
        if (!read_texts(r, y->pairs[i].value, "a condition", &when.values,
                        SC_ENRICH_VALUES))
            return false;
        SG_PUSH(&r->s->arena, &step->when, when);
    }
    return true;
}

static bool add_put(reader *r, sc_enrich_step *step, sc_span at,
                    sc_enrich_put put)
{
    if (step->puts.count == (uint32_t)SC_ENRICH_PARTS * SC_ENRICH_PARTS)
        return sc_error(r->s, SC_E0607, at, "too many fields in one step");
    SG_PUSH(&r->s->arena, &step->puts, put);
    return true;
}

static bool find_column(reader *r, const sc_enrich_table *t, const sc_y *y,
                        uint32_t *column)
{
    if (is_text(y) && name_at(&t->columns, y->text, column))
        return true;
    unknown(r, SC_E0604, y, "column", t->columns.items, t->columns.count);
    sc_note_at(r->s, t->at, "the table's columns are named here");
    return false;
}

/* Where to look for the value of a column: the fields given for it, else the
 * field of its name. */
static bool read_values(reader *r, const sc_y *y, const sc_enrich_table *t,
                        sc_enrich_step *step)
{
    bool *given = sg_new_n(&r->s->arena, bool, t->columns.count);
    const uint32_t count = y == NULL ? 0 : y->count;
    uint32_t column = 0;

    if (y != NULL && y->kind != SC_Y_MAP)
        return sc_error(r->s, SC_E0601, y->span,
                        "'values' must be a map of COLUMN: FIELD");
    for (uint32_t i = 0; i < count; i++) {
        const sc_y *value = y->pairs[i].value;
        sc_enrich_names fields = {0};
        if (!find_column(r, t, y->pairs[i].key, &column) ||
            !read_names(r, value, "a value", &fields))
            return false;
        given[column] = true;
        for (uint32_t k = 0; k < fields.count; k++)
            if (!add_put(r, step, value->span,
                         (sc_enrich_put){.field = fields.items[k],
                                         .column = column}))
                return false;
    }
    for (uint32_t i = 0; i < t->columns.count; i++)
        if (!given[i] && !add_put(r, step, step->at,
                                  (sc_enrich_put){.field = t->columns.items[i],
                                                  .column = i}))
            return false;
    return true;
}

static bool add_step(reader *r, const sc_y *y, const sc_enrich_step *step)
{
    sc_enrich *out = r->out;

    if (out->lessons.count + out->steps.count >= SC_ENRICH_STEPS)
        return sc_error(r->s, SC_E0607, y->span, "more than %u steps",
                        (unsigned)SC_ENRICH_STEPS);
    if (step->kind == SIGMA_STEP_LEARN)
        SG_PUSH(&r->s->arena, &out->lessons, *step);
    else
        SG_PUSH(&r->s->arena, &out->steps, *step);
    return true;
}

/* -------- tables --------------------------------------------------------- */

/* One entry of `from`: events that fill the table. */
static bool read_lesson(reader *r, const sc_y *y, uint32_t table)
{
    static const sg_str keys[] = {SG_LIT("when"), SG_LIT("key"),
                                  SG_LIT("values")};
    sc_enrich_table *t = &r->out->tables.items[table];
    sc_enrich_step step = {
        .kind = SIGMA_STEP_LEARN, .table = table, .at = y->span};
    const sc_y *key;

    if (!check_map(r, y, "an entry of 'from'", keys, 3))
        return false;
    key = need(r, y, "key", "an entry of 'from'");
    if (key == NULL || !read_when(r, sc_y_get(y, "when"), &step) ||
        !read_names(r, key, "'key'", &step.key) ||
        !read_values(r, sc_y_get(y, "values"), t, &step))
        return false;
    if (t->key_count == 0)
        t->key_count = step.key.count;
    if (t->key_count != step.key.count)
        return sc_error(
            r->s, SC_E0605, key->span,
            "this key's fields are %u, those of the table's first %u",
            step.key.count, t->key_count);
    return add_step(r, y, &step);
}

static bool read_learned(reader *r, const sc_y *y, uint32_t table)
{
    const sc_y *from = need(r, y, "from", "a learned table");

    if (from == NULL)
        return false;
    if (from->kind != SC_Y_SEQ || from->count == 0)
        return sc_error(r->s, SC_E0601, from->span,
                        "'from' must be a list of maps");
    for (uint32_t i = 0; i < from->count; i++)
        if (!read_lesson(r, from->items[i], table))
            return false;
    return true;
}

/* Names stand on command lines, before a '='. */
static bool is_name(const sc_y *y)
{
    if (!is_text(y) || y->text.len == 0 || y->text.len > 64)
        return false;
    for (size_t i = 0; i < y->text.len; i++) {
        const char c = y->text.ptr[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
              (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.'))
            return false;
    }
    return true;
}

static bool check_name(reader *r, const sc_y *y)
{
    if (!is_name(y))
        return sc_error(r->s, SC_E0601, y->span,
                        "the name of a table is 1 to 64 letters, digits, '_', "
                        "'-' and '.'");
    for (uint32_t i = 0; i < r->out->tables.count; i++)
        if (sg_str_eq(r->out->tables.items[i].name, y->text)) {
            sc_error(r->s, SC_E0606, y->span, "a second table named '%.*s'",
                     SG_FMT(y->text));
            sc_note_at(r->s, r->out->tables.items[i].at, "the first");
            return false;
        }
    if (r->out->tables.count == SC_ENRICH_TABLES)
        return sc_error(r->s, SC_E0607, y->span, "more than %u tables",
                        (unsigned)SC_ENRICH_TABLES);
    return true;
}

static bool read_table(reader *r, const sc_y_pair *pair, bool learned)
{
    static const sg_str keys[2][2] = {{SG_LIT("key"), SG_LIT("columns")},
                                      {SG_LIT("from"), SG_LIT("columns")}};
    const char *what = learned ? "a learned table" : "a lookup";
    sc_enrich_table t = {
        .name = pair->key->text, .at = pair->key->span, .learned = learned};
    const sc_y *y = pair->value;
    const sc_y *columns;

    if (!check_name(r, pair->key) || !check_map(r, y, what, keys[learned], 2))
        return false;
    columns = need(r, y, "columns", what);
    if (columns == NULL || !read_names(r, columns, "'columns'", &t.columns))
        return false;
    if (!learned) {
        const sc_y *key = need(r, y, "key", what);
        if (key == NULL || !read_names(r, key, "'key'", &t.key))
            return false;
        t.key_count = t.key.count;
    }
    SG_PUSH(&r->s->arena, &r->out->tables, t);
    return !learned || read_learned(r, y, r->out->tables.count - 1);
}

static bool read_tables(reader *r, const sc_y *y, bool learned)
{
    bool ok = true;

    if (y == NULL)
        return true;
    if (y->kind != SC_Y_MAP)
        return sc_error(r->s, SC_E0601, y->span,
                        "'%s' must be a map of NAME: TABLE",
                        learned ? "learned" : "lookups");
    for (uint32_t i = 0; i < y->count; i++)
        ok &= read_table(r, &y->pairs[i], learned);
    return ok;
}

/* -------- steps ---------------------------------------------------------- */

static bool find_table(reader *r, const sc_y *y, uint32_t *table)
{
    const uint32_t count = r->out->tables.count;
    sg_str *names = sg_new_n(&r->s->arena, sg_str, count + 1);

    for (*table = 0; *table < count; ++*table) {
        names[*table] = r->out->tables.items[*table].name;
        if (is_text(y) && sg_str_eq(y->text, names[*table]))
            return true;
    }
    return unknown(r, SC_E0603, y, "table", names, count);
}

/* `add`: columns that go to fields of their names, or a map FIELD: COLUMN. */
static bool read_add(reader *r, const sc_y *y, const sc_enrich_table *t,
                     sc_enrich_step *step)
{
    const bool map = y->kind == SC_Y_MAP;
    const uint32_t count = map || y->kind == SC_Y_SEQ ? y->count : 1;

    if (count == 0)
        return sc_error(r->s, SC_E0601, y->span, "'add' must not be empty");
    for (uint32_t i = 0; i < count; i++) {
        const sc_y *to = map                   ? y->pairs[i].key
                         : y->kind == SC_Y_SEQ ? y->items[i]
                                               : y;
        sc_enrich_put put = {0};
        if (!find_column(r, t, map ? y->pairs[i].value : to, &put.column))
            return false;
        if (!is_text(to) || to->text.len == 0)
            return sc_error(r->s, SC_E0601, to->span,
                            "the name of a field must be text");
        put.field = to->text;
        if (!add_put(r, step, to->span, put))
            return false;
    }
    return true;
}

static bool read_from_table(reader *r, const sc_y *y, sc_enrich_step *step)
{
    static const sg_str keys[] = {SG_LIT("when"), SG_LIT("table"),
                                  SG_LIT("key"), SG_LIT("add")};
    const sc_y *key = sc_y_get(y, "key");
    const sc_y *add = NULL;
    sc_enrich_table *t;

    if (!check_map(r, y, "a step", keys, 4) ||
        !find_table(r, sc_y_get(y, "table"), &step->table) ||
        (add = need(r, y, "add", "a step with 'table'")) == NULL)
        return false;
    t = &r->out->tables.items[step->table];
    t->used = true;
    step->kind = SIGMA_STEP_ADD;
    if (key == NULL && t->learned)
        return need(r, y, "key", "a step with a learned table") != NULL;
    if (key == NULL)
        step->key = t->key;
    else if (!read_texts(r, key, "'key'", &step->key, SC_ENRICH_PARTS))
        return false;
    if (step->key.count != t->key_count) {
        sc_error(r->s, SC_E0605, key == NULL ? y->span : key->span,
                 "this key's fields are %u, those of the table's key %u",
                 step->key.count, t->key_count);
        sc_note_at(r->s, t->at, "the table is here");
        return false;
    }
    return read_add(r, add, t, step);
}

static bool read_copy(reader *r, const sc_y *y, sc_enrich_step *step)
{
    static const sg_str keys[] = {SG_LIT("when"), SG_LIT("copy")};
    const sc_y *copy = sc_y_get(y, "copy");

    step->kind = SIGMA_STEP_COPY;
    step->table = SIGMA_NONE;
    if (!check_map(r, y, "a step", keys, 2))
        return false;
    if (copy->kind != SC_Y_MAP || copy->count == 0)
        return sc_error(r->s, SC_E0601, copy->span,
                        "'copy' must be a map of FIELD: FIELD");
    for (uint32_t i = 0; i < copy->count; i++) {
        const sc_y *to = copy->pairs[i].key;
        sc_enrich_names from = {0};
        if (!is_text(to) || to->text.len == 0)
            return sc_error(r->s, SC_E0601, to->span,
                            "the name of a field must be text");
        if (!read_names(r, copy->pairs[i].value, "'copy'", &from))
            return false;
        for (uint32_t k = 0; k < from.count; k++)
            if (!add_put(
                    r, step, to->span,
                    (sc_enrich_put){.field = to->text, .from = from.items[k]}))
                return false;
    }
    return true;
}

static bool read_step(reader *r, const sc_y *y)
{
    sc_enrich_step step = {.at = y->span};
    bool ok;

    if (y->kind != SC_Y_MAP)
        return sc_error(r->s, SC_E0601, y->span, "a step must be a map, not %s",
                        sc_y_kind_name(y));
    if (sc_y_get(y, "table") != NULL)
        ok = read_from_table(r, y, &step);
    else if (sc_y_get(y, "copy") != NULL)
        ok = read_copy(r, y, &step);
    else
        return sc_error(r->s, SC_E0601, y->span,
                        "a step needs 'table' or 'copy'");
    return ok && read_when(r, sc_y_get(y, "when"), &step) &&
           add_step(r, y, &step);
}

static bool read_steps(reader *r, const sc_y *y)
{
    bool ok = true;

    if (y->kind != SC_Y_SEQ || y->count == 0)
        return sc_error(r->s, SC_E0601, y->span,
                        "'enrich' must be a list of steps");
    for (uint32_t i = 0; i < y->count; i++)
        ok &= read_step(r, y->items[i]);
    return ok;
}

/* -------- the file ------------------------------------------------------- */

static bool read_root(reader *r, const sc_y *root)
{
    static const sg_str keys[] = {SG_LIT("name"), SG_LIT("description"),
                                  SG_LIT("lookups"), SG_LIT("learned"),
                                  SG_LIT("enrich")};
    const sc_y *steps;
    bool ok = check_map(r, root, "an enrichment file", keys, 5);

    if (root->kind != SC_Y_MAP)
        return false;
    ok &= read_tables(r, sc_y_get(root, "lookups"), false);
    ok &= read_tables(r, sc_y_get(root, "learned"), true);
    steps = need(r, root, "enrich", "an enrichment file");
    if (!ok || steps == NULL || !read_steps(r, steps))
        return false;
    for (uint32_t i = r->first; i < r->out->tables.count; i++) {
        const sc_enrich_table *t = &r->out->tables.items[i];
        if (!t->used)
            sc_warn(r->s, SC_W0601, t->at, "no step uses the table '%.*s'",
                    SG_FMT(t->name));
    }
    return true;
}

static bool read_source(sc_session *s, uint32_t source, sc_enrich *out)
{
    const uint32_t errors = s->errors;
    reader r = {s, out, out->tables.count};
    uint32_t count;
    const sc_y_doc *docs = sc_yaml_parse(s, source, &count);

    s->doc = SIGMA_NONE;
    if (s->errors != errors)
        return false;
    if (count != 1)
        return sc_error(s, SC_E0601,
                        count > 1 ? docs[1].at : (sc_span){source, 0, 0},
                        "an enrichment file holds exactly one document");
    return read_root(&r, docs[0].root);
}

bool sc_enrich_read(sc_session *s, uint32_t source, sc_enrich *out)
{
    const uint32_t doc = s->doc;
    bool ok;

    s->doc = SIGMA_NONE; /* errors in this file belong to no rule */
    ok = read_source(s, source, out);
    s->doc = doc;
    return ok;
}
