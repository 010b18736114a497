/*
 * fuzz_json.c - the projecting scanner against a naive reading of the same
 * line: a recursive parser that builds a tree, and a lookup that walks it as
 * the head of shapes.def says.
 *
 * Properties: both accept or both refuse; every field has the same values in
 * the same order; every level of the scanner gives the same reason and place
 * for a line that it refuses. Input is a line as it is, or, when its first byte
 * is odd, choices for a generator of events.
 */
#include "record/scan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* -------- the naive tree ----------------------------------------------- */

typedef struct tree tree;
struct tree {
    char kind; /* s n t f 0 (null) o a */
    sg_str text;
    struct member *members;
    uint32_t count, cap;
};

typedef struct member {
    sg_str key;
    tree *value;
} member;

typedef struct parser {
    sg_arena *arena;
    const unsigned char *p, *end;
    int depth;
} parser;

static void blank(parser *in)
{
    while (in->p < in->end && (*in->p == ' ' || *in->p == '\t' ||
                               *in->p == '\r' || *in->p == '\n'))
        in->p++;
}

static bool eat(parser *in, const char *word)
{
    const size_t n = strlen(word);

    if ((size_t)(in->end - in->p) < n || memcmp(in->p, word, n) != 0)
        return false;
    in->p += n;
    return true;
}

static int hex_digit(unsigned char c)
{
    static const char all[] = "0123456789abcdef";
    const char *at =
        c == 0 ? NULL : strchr(all, c >= 'A' && c <= 'F' ? c + 32 : c);

    return at == NULL ? -1 : (int)(at - all);
}

static long hex_unit(parser *in)
{
    long unit = 0;

    if (in->end - in->p < 4)
        return -1;
    for (int i = 0; i < 4; i++) {
        const int digit = hex_digit(*in->p++);
        if (digit < 0)
            return -1;
        unit = unit * 16 + digit;
    }
    return unit;
}

static bool parse_unicode(parser *in, sg_buf *out)
{
    const unsigned char *later;
    long unit = hex_unit(in), low;
    char bytes[4];

    if (unit < 0)
        return false;
    later = in->p;
    if (unit >= 0xD800 && unit < 0xDC00 && eat(in, "\\u")) {
        low = hex_unit(in);
        if (low >= 0xDC00 && low < 0xE000)
            unit = 0x10000 + (unit - 0xD800) * 0x400 + (low - 0xDC00);
        else
            in->p = later; /* judged when its turn comes */
    }
    sg_buf_put(out, (sg_str){bytes, sg_utf8_put(bytes, (uint32_t)unit)});
    return true;
}

static bool parse_escape(parser *in, sg_buf *out)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    const char *at;

    if (in->p == in->end)
        return false;
    if (*in->p == 'u') {
        in->p++;
        return parse_unicode(in, out);
    }
    at = *in->p == 0 ? NULL : strchr(from, *in->p);
    if (at == NULL)
        return false;
    in->p++;
    sg_buf_putc(out, to[at - from]);
    return true;
}

static bool parse_string(parser *in, sg_str *text)
{
    const unsigned char *start = in->p;
    sg_buf out = {0};
    bool ok = false;

    while (in->p < in->end && *in->p >= 0x20) {
        const unsigned char c = *in->p++;
        if (c == '"') {
            ok = sg_utf8_valid(
                (sg_str){(const char *)start, (size_t)(in->p - start)});
            break;
        }
        if (c != '\\')
            sg_buf_putc(&out, (char)c);
        else if (!parse_escape(in, &out))
            break;
    }
    *text = sg_arena_dup(in->arena, sg_buf_str(&out));
    sg_buf_free(&out);
    return ok;
}

static size_t run_of_digits(parser *in)
{
    const unsigned char *start = in->p;

    while (in->p < in->end && *in->p >= '0' && *in->p <= '9')
        in->p++;
    return (size_t)(in->p - start);
}

static bool parse_number(parser *in, sg_str *text)
{
    const unsigned char *start = in->p, *whole;
    size_t n;

    (void)eat(in, "-");
    whole = in->p;
    n = run_of_digits(in);
    if (n == 0)
        return false;
    if (n > 1 && *whole == '0')
        return false;
    if (eat(in, ".") && run_of_digits(in) == 0)
        return false;
    if (eat(in, "e") || eat(in, "E")) {
        if (!eat(in, "+"))
            (void)eat(in, "-");
        if (run_of_digits(in) == 0)
            return false;
    }
    *text = (sg_str){(const char *)start, (size_t)(in->p - start)};
    return true;
}

static void put_kid(parser *in, tree *t, sg_str key, tree *kid)
{
    for (uint32_t i = 0; t->kind == 'o' && i < t->count; i++)
        if (sg_str_eq(t->members[i].key, key)) { /* the last one wins */
            t->count--;
            memmove(t->members + i, t->members + i + 1,
                    (t->count - i) * sizeof *t->members);
            break;
        }
    sg_vec_grow(in->arena, (void **)&t->members, t->count, &t->cap,
                sizeof *t->members);
    t->members[t->count++] = (member){key, kid};
}

static tree *parse_value(parser *in);

static tree *parse_members(parser *in, tree *t, const char *close)
{
    blank(in);
    if (eat(in, close))
        return t;
    for (;;) {
        sg_str key = {"", 0};
        tree *kid;
        blank(in);
        if (t->kind == 'o') {
            if (!eat(in, "\"") || !parse_string(in, &key))
                return NULL;
            blank(in);
            if (!eat(in, ":"))
                return NULL;
        }
        kid = parse_value(in);
        if (kid == NULL)
            return NULL;
        put_kid(in, t, key, kid);
        blank(in);
        if (eat(in, close))
            return t;
        if (!eat(in, ","))
            return NULL;
    }
}

static tree *parse_value(parser *in)
{
    tree *t = sg_new(in->arena, tree);
    tree *whole = NULL;

    blank(in);
    if (eat(in, "{") || eat(in, "[")) {
        const bool object = in->p[-1] == '{';
        t->kind = object ? 'o' : 'a';
        if (++in->depth <= SR_MAX_DEPTH)
            whole = parse_members(in, t, object ? "}" : "]");
        in->depth--;
        return whole;
    }
    if (eat(in, "\"")) {
        t->kind = 's';
        return parse_string(in, &t->text) ? t : NULL;
    }
    if (eat(in, "true"))
        t->kind = 't';
    else if (eat(in, "false"))
        t->kind = 'f';
    else if (eat(in, "null"))
        t->kind = '0';
    if (t->kind != 0)
        return t;
    t->kind = 'n';
    return parse_number(in, &t->text) ? t : NULL;
}

static tree *parse_line(sg_arena *arena, sg_str line)
{
    const unsigned char *p = (const unsigned char *)line.ptr;
    parser in = {arena, p, p + line.len, 0};
    tree *t;

    blank(&in);
    if (in.p == in.end || *in.p != '{')
        return NULL;
    t = parse_value(&in);
    blank(&in);
    return in.p == in.end ? t : NULL;
}

/* -------- the naive lookup --------------------------------------------- */

/* Values as text: kind, length and bytes of each. */
static void put_scalar(sg_buf *out, char kind, sg_str text)
{
    sg_buf_printf(out, "%c%zu:", kind, text.len);
    sg_buf_put(out, text);
}

static tree *kid_of(const tree *t, sg_str key)
{
    for (uint32_t i = 0; t != NULL && t->kind == 'o' && i < t->count; i++)
        if (sg_str_eq(t->members[i].key, key))
            return t->members[i].value;
    return NULL;
}

static void put_value(sg_buf *out, const tree *t, bool text, bool inner)
{
    const tree *instead = text ? kid_of(t, SG_S("#text")) : NULL;
    const size_t before = out->len;

    if (instead != NULL) {
        put_value(out, instead, false, false);
    } else if (t->kind == 'a') {
        for (uint32_t i = 0; i < t->count; i++)
            put_value(out, t->members[i].value, text, true);
        if (out->len == before && !inner)
            put_scalar(out, '[', SG_S(""));
    } else {
        put_scalar(out, t->kind, t->text);
    }
}

/* Whether a key has blanks and is `name` without them. */
static bool is_spaced(sg_str key, sg_str name)
{
    size_t n = 0, blanks = 0;

    for (size_t i = 0; i < key.len; i++) {
        if (key.ptr[i] == ' ')
            blanks++;
        else if (n == name.len || key.ptr[i] != name.ptr[n++])
            return false;
    }
    return n == name.len && blanks > 0;
}

/* What is below t at a path; `field` as for rows of shapes.def, or NULL. */
static void put_path(sg_buf *out, const tree *t, sg_str path,
                     const sg_str *field, bool text)
{
    const size_t dot = sg_str_find(path, SG_S("."));
    const bool last = dot == SIZE_MAX;
    sg_str step = sg_str_sub(path, 0, dot), rest = SG_S("");
    bool any, spaced;

    if (t->kind == 'a')
        for (uint32_t i = 0; i < t->count; i++)
            put_path(out, t->members[i].value, path, field, text);
    if (t->kind != 'o')
        return;
    if (!last)
        rest = sg_str_sub(path, dot + 1, path.len);
    any = field != NULL && sg_str_eq(step, SG_S("*"));
    spaced = field != NULL && sg_str_eq(step, SG_S("%S"));
    if (spaced || (field != NULL && sg_str_eq(step, SG_S("%F"))))
        step = *field;
    for (uint32_t i = 0; i < t->count; i++) {
        const sg_str key = t->members[i].key;
        if (!any && !(spaced ? is_spaced(key, step) : sg_str_eq(key, step)))
            continue;
        if (last)
            put_value(out, t->members[i].value, text, false);
        else
            put_path(out, t->members[i].value, rest, field, text);
    }
}

static bool is_object(const tree *t, sg_str path)
{
    while (path.len != 0) {
        const size_t dot = sg_str_find(path, SG_S("."));
        t = kid_of(t, sg_str_sub(path, 0, dot));
        path = dot == SIZE_MAX ? SG_S("") : sg_str_sub(path, dot + 1, path.len);
    }
    return t != NULL && t->kind == 'o';
}

static bool has_shape(const tree *t, sr_shape shape)
{
    const sr_shape_marks *marks = &sr_shape_marks_of[shape];
    bool object = marks->object[0].len == 0, key = marks->key[0].len == 0;

    for (int i = 0; i < 2; i++) {
        object |= marks->object[i].len != 0 && is_object(t, marks->object[i]);
        key |= marks->key[i].len != 0 && kid_of(t, marks->key[i]) != NULL;
    }
    return object && key;
}

static bool has_text(sg_str path)
{
    return sg_str_starts(path, SG_S("Event."));
}

static void naive_field(sg_buf *out, const tree *t, sg_str name)
{
    const tree *literal = kid_of(t, name);

    if (literal != NULL) {
        put_value(out, literal, false, false);
        return;
    }
    if (sg_str_find(name, SG_S(".")) != SIZE_MAX)
        put_path(out, t, name, NULL, has_text(name));
    for (uint32_t i = 0; out->len == 0 && i < sr_shape_row_count; i++) {
        const sr_shape_row *row = &sr_shape_rows[i];
        if ((row->name.len == 0 || sg_str_eq(row->name, name)) &&
            has_shape(t, row->shape))
            put_path(out, t, row->path, &name, has_text(row->path));
    }
}

static void naive_keywords(sg_buf *out, const tree *t)
{
    if (t->kind == 'o' || t->kind == 'a')
        for (uint32_t i = 0; i < t->count; i++)
            naive_keywords(out, t->members[i].value);
    else if (t->kind != '0')
        put_scalar(out, t->kind, t->text);
}

/* -------- comparing ---------------------------------------------------- */

static const char *const names[] = {"a",
                                    "b",
                                    "a.b",
                                    "a.b.c",
                                    "",
                                    "#text",
                                    "Event",
                                    "EventID",
                                    "Image",
                                    "Data",
                                    "Computer",
                                    "Provider_Name",
                                    "TimeCreated",
                                    "Event.System.EventID",
                                    "Event.UserData.A.Image",
                                    "Event.UserData.A",
                                    "Event.UserData",
                                    "Event.EventData.Data",
                                    "winlog.event_data.Image",
                                    "a.*",
                                    "*",
                                    "Name",
                                    "Event.System.Provider.#attributes.Name",
                                    "event_data"};

enum { NAMES = sizeof names / sizeof names[0], SLOTS = NAMES + 1 };

static void put_slot(sg_buf *out, sr_event *event, uint32_t slot)
{
    for (sr_value *v = sr_first(event, slot); v != NULL;
         v = sr_next(event, v)) {
        if (v->kind == SR_STRING)
            put_scalar(out, 's', sr_value_text(event, v));
        else if (v->kind == SR_NUMBER)
            put_scalar(out, 'n', v->raw);
        else if (v->kind == SR_BOOL)
            put_scalar(out, v->boolean ? 't' : 'f', SG_S(""));
        else
            put_scalar(out, "0nnso["[v->kind], SG_S(""));
        if (v->kind != SR_EMPTY && v->kind != SR_OBJECT && v->kind != SR_NULL)
            (void)sr_value_folded(event, v);
    }
}

static void check_slot(sr_event *event, uint32_t slot, const tree *t)
{
    sg_buf have = {0}, want = {0};

    put_slot(&have, event, slot);
    if (slot == NAMES)
        naive_keywords(&want, t);
    else
        naive_field(&want, t, sg_str_of(names[slot]));
    if (!sg_str_eq(sg_buf_str(&have), sg_buf_str(&want))) {
        fprintf(stderr, "%s\nof %.*s\n  have %.*s\n  want %.*s\n",
                slot == NAMES ? "keywords" : names[slot], SG_FMT(event->line),
                SG_FMT(have), SG_FMT(want));
        abort();
    }
    sg_buf_free(&have);
    sg_buf_free(&want);
}

static void refuse(const sr_plan *plan, sg_str line, const char *what)
{
    fprintf(stderr, "%s\n  %s: %s\n", "levels differ", plan->level->name, what);
    fprintf(stderr, "of %.*s\n", SG_FMT(line));
    abort();
}

/* One level of the scanner, on event->line. */
static void check_level(sr_plan *plan, sr_event *event, const tree *t,
                        uint32_t slots)
{
    const sr_level *level = plan->level;
    const sg_str line = event->line;
    sr_fault fault, careful;

    sr_event_begin(event, line);
    if (sr_project(plan, event, &fault) != (t != NULL))
        refuse(plan, line, t != NULL ? fault.reason : "accepts");
    for (uint32_t slot = 0; t != NULL && slot < slots; slot++)
        check_slot(event, slot, t);
    if (t != NULL)
        return;
    plan->level = sr_level_named("scalar");
    sr_event_begin(event, line);
    (void)sr_project(plan, event, &careful);
    plan->level = level;
    if (fault.at != careful.at || strcmp(fault.reason, careful.reason) != 0)
        refuse(plan, line, fault.reason);
}

static void check_line(sg_str line)
{
    static sg_arena plans;
    static sr_plan *plan[2]; /* with and without keywords */
    static sr_event event;
    sg_arena arena = {0};
    const tree *t = parse_line(&arena, line);

    if (plan[0] == NULL) {
        sr_want wants[SLOTS] = {{.slot = 0}};
        for (uint32_t i = 0; i < NAMES; i++)
            wants[i] = (sr_want){sg_str_of(names[i]), i, false};
        wants[NAMES] = (sr_want){SG_S(""), NAMES, true};
        plan[0] = sr_plan_new(&plans, wants, SLOTS);
        plan[1] = sr_plan_new(&plans, wants, NAMES);
        sr_event_init(&event, SLOTS);
    }
    event.line = line;
    for (uint32_t i = 0; i < 2; i++)
        for (uint32_t l = 0; sr_levels[l] != NULL; l++)
            if (sr_levels[l]->usable()) {
                plan[i]->level = sr_levels[l];
                check_level(plan[i], &event, t, SLOTS - i);
            }
    sg_arena_free(&arena);
}

/* -------- generator ---------------------------------------------------- */

typedef struct choices {
    const uint8_t *p, *end;
} choices;

static uint32_t choose(choices *in, uint32_t count)
{
    return in->p == in->end ? 0 : *in->p++ % count;
}

static void put_any(sg_buf *out, choices *in, int depth);

static void put_object(sg_buf *out, choices *in, int depth)
{
    static const char *const keys[] = {"a",
                                       "b",
                                       "c",
                                       "Event",
                                       "System",
                                       "EventData",
                                       "UserData",
                                       "A",
                                       "Image",
                                       "EventID",
                                       "#text",
                                       "#attributes",
                                       "Name",
                                       "Provider",
                                       "winlog",
                                       "event_data",
                                       "event_id",
                                       "log_name",
                                       "user_data",
                                       "Computer",
                                       "Hostname",
                                       "computer_name",
                                       "Data",
                                       "a.b",
                                       "",
                                       "\\u0061",
                                       "\\u0045vent",
                                       "*",
                                       "TimeCreated",
                                       "SystemTime"};
    const uint32_t few = choose(in, 7); /* many: keys are looked up by hash */
    const uint32_t members = few < 6 ? few : 10 + choose(in, 30);

    sg_buf_putc(out, '{');
    for (uint32_t i = 0; i < members; i++) {
        sg_buf_printf(out, "%s\"%s\":", i == 0 ? "" : ",",
                      keys[choose(in, sizeof keys / sizeof keys[0])]);
        put_any(out, in, depth + 1);
    }
    sg_buf_putc(out, '}');
}

static void put_any(sg_buf *out, choices *in, int depth)
{
    static const char *const scalars[] = {"null",   "true",
                                          "false",  "0",
                                          "-1.5e3", "\"\"",
                                          "\"x\"",  "\"\\ud83d\\ude00\\ud800\"",
                                          "1e999",  "12345678901234567890123"};
    const uint32_t what = depth > 20 ? 0 : choose(in, 8);

    if (what >= 3) {
        put_object(out, in, depth);
    } else if (what == 2) {
        const uint32_t count = choose(in, 4);
        sg_buf_putc(out, '[');
        for (uint32_t i = 0; i < count; i++) {
            if (i != 0)
                sg_buf_putc(out, ',');
            put_any(out, in, depth + 1);
        }
        sg_buf_putc(out, ']');
    } else {
        sg_buf_putz(out, scalars[choose(in, 10)]);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    sg_buf line = {0};
    choices in = {data, data + size};

    if (choose(&in, 2) == 1)
        put_object(&line, &in, 0);
    else
        sg_buf_put(&line,
                   (sg_str){(const char *)in.p, (size_t)(in.end - in.p)});
    check_line(sg_buf_str(&line));
    sg_buf_free(&line);
    return 0;
}
