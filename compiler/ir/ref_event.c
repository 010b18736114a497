/*
 * ref_event.c - events of the oracle: JSON text to a cJSON tree, and fields
 * found in it.
 *
 * cJSON keeps numbers as doubles, texts as C strings, and refuses lone
 * surrogates. So the text is rewritten first: a number becomes a string that
 * begins with bytes no UTF-8 text has; U+0000 becomes C0 80; \u escapes become
 * bytes, lone surrogates as WTF-8. value_of undoes it.
 */
#include "ir/ref.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_DEPTH = 512 }; /* as the runtime's SR_MAX_DEPTH */

#define NUMBER_MARK "\xFFn"

/* A value that enrichment gave. */
typedef struct addition {
    sg_str field;
    sc_ref_value value;
} addition;

/* What was looked up so far. */
typedef struct memory {
    sg_arena arena;
    sg_map names; /* index in lists */
    SG_VEC(const sc_ref_values *) lists;
    const sc_ref_values *scalars;
    SG_VEC(addition) added;
} memory;

struct sc_ref_event {
    cJSON *root;
    memory *memory;
};

/* -------- rewriting the text --------------------------------------------- */

typedef struct rewriter {
    sg_str in;
    size_t at;
    sg_buf out;
    unsigned depth;
} rewriter;

static bool more(const rewriter *r)
{
    return r->at < r->in.len;
}

static char peek(const rewriter *r)
{
    if (!more(r))
        return '\0';
    return r->in.ptr[r->at];
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static bool skip_digits(rewriter *r)
{
    const size_t beg = r->at;

    while (is_digit(peek(r)))
        r->at++;
    return r->at > beg;
}

/* The JSON grammar of numbers. */
static bool skip_number(rewriter *r)
{
    if (peek(r) == '-')
        r->at++;
    if (peek(r) == '0')
        r->at++;
    else if (!skip_digits(r))
        return false;
    if (peek(r) == '.') {
        r->at++;
        if (!skip_digits(r))
            return false;
    }
    if (peek(r) == 'e' || peek(r) == 'E') {
        r->at++;
        if (peek(r) == '+' || peek(r) == '-')
            r->at++;
        if (!skip_digits(r))
            return false;
    }
    return true;
}

static bool copy_number(rewriter *r)
{
    const size_t beg = r->at;
    size_t next;

    if (!skip_number(r))
        return false;
    sg_buf_putz(&r->out, "\"" NUMBER_MARK);
    sg_buf_put(&r->out, sg_str_sub(r->in, beg, r->at));
    sg_buf_putc(&r->out, '"');
    for (next = r->at; next < r->in.len && is_blank(r->in.ptr[next]); next++)
        ;
    /* As a string it would pass for a key. */
    return next == r->in.len || r->in.ptr[next] != ':';
}

/* Four hexadecimal digits at `at`, or -1. */
static int32_t hex4(const rewriter *r, size_t at)
{
    int32_t n = 0;
    size_t i;

    if (at + 4 > r->in.len)
        return -1;
    for (i = at; i < at + 4; i++) {
        const char c = r->in.ptr[i];

        if (is_digit(c))
            n = n * 16 + (c - '0');
        else if (c >= 'a' && c <= 'f')
            n = n * 16 + (c - 'a' + 10);
        else if (c >= 'A' && c <= 'F')
            n = n * 16 + (c - 'A' + 10);
        else
            return -1;
    }
    return n;
}

/* The escape whose `u` is at r->at: as bytes, or left alone where a byte
 * would need an escape of its own. */
static bool copy_unicode(rewriter *r)
{
    int32_t cp = hex4(r, r->at + 1);
    char bytes[4];

    if (cp < 0)
        return false;
    r->at += 5;
    if (cp >= 0xD800 && cp < 0xDC00 && r->at + 1 < r->in.len &&
        peek(r) == '\\' && r->in.ptr[r->at + 1] == 'u') {
        const int32_t low = hex4(r, r->at + 2);

        if (low >= 0xDC00 && low < 0xE000) {
            cp = 0x10000 + ((cp - 0xD800) << 10) + (low - 0xDC00);
            r->at += 6;
        }
    }
    if (cp == 0)
        sg_buf_put(&r->out, SG_S("\xC0\x80"));
    else if (cp < 0x80)
        sg_buf_printf(&r->out, "\\u%04x", (unsigned)cp);
    else
        sg_buf_put(&r->out, (sg_str){bytes, sg_utf8_put(bytes, (uint32_t)cp)});
    return true;
}

static bool copy_string(rewriter *r)
{
    sg_buf_putc(&r->out, '"');
    r->at++;
    while (more(r) && peek(r) != '"') {
        const char c = r->in.ptr[r->at++];

        if ((unsigned char)c < 0x20)
            return false;
        if (c != '\\') {
            sg_buf_putc(&r->out, c);
        } else if (peek(r) == 'u') {
            if (!copy_unicode(r))
                return false;
        } else {
            sg_buf_putc(&r->out, c);
            sg_buf_putc(&r->out, peek(r)); /* cJSON judges it */
            r->at++;
        }
    }
    if (!more(r))
        return false;
    sg_buf_putc(&r->out, '"');
    r->at++;
    return true;
}

/* One token or white space outside of strings. */
static bool copy_token(rewriter *r)
{
    const char c = peek(r);

    if (c == '"')
        return copy_string(r);
    if (c == '-' || is_digit(c))
        return copy_number(r);
    if (c == '{' || c == '[')
        r->depth++;
    if (c == '}' || c == ']')
        r->depth--;
    if (r->depth > MAX_DEPTH)
        return false;
    /* cJSON takes any control character for white space. */
    if ((unsigned char)c < 0x20 && !is_blank(c))
        return false;
    sg_buf_putc(&r->out, c);
    r->at++;
    return true;
}

static cJSON *parse_tree(const sg_buf *text)
{
    const char *end = NULL;
    cJSON *root = cJSON_ParseWithLengthOpts(text->ptr, text->len, &end, false);

    if (root == NULL)
        return NULL;
    while (end < text->ptr + text->len && is_blank(*end))
        end++;
    if (cJSON_IsObject(root) && end == text->ptr + text->len)
        return root;
    cJSON_Delete(root);
    return NULL;
}

sc_ref_event *sc_ref_event_parse(sg_str line)
{
    rewriter r = {.in = line};
    sc_ref_event *event = NULL;
    cJSON *root = NULL;
    bool ok = sg_utf8_valid(line);

    while (more(&r) && is_blank(peek(&r)))
        r.at++;
    /* A byte order mark would pass cJSON. */
    ok = ok && peek(&r) == '{';
    while (ok && more(&r))
        ok = copy_token(&r);
    if (ok)
        root = parse_tree(&r.out);
    sg_buf_free(&r.out);
    if (root == NULL)
        return NULL;
    event = malloc(sizeof(*event));
    if (event == NULL)
        sg_fatal("out of memory");
    event->root = root;
    event->memory = calloc(1, sizeof(*event->memory));
    if (event->memory == NULL)
        sg_fatal("out of memory");
    return event;
}

void sc_ref_event_free(sc_ref_event *event)
{
    if (event == NULL)
        return;
    cJSON_Delete(event->root);
    sg_arena_free(&event->memory->arena);
    free(event->memory);
    free(event);
}

/* -------- values --------------------------------------------------------- */

/* Text of a rewritten C string: C0 80 is a NUL again. */
static sg_str original(const char *z, sg_arena *arena)
{
    const size_t len = strlen(z);
    char *dst = sg_arena_alloc(arena, len + 1, 1);
    size_t i, n = 0;

    for (i = 0; i < len; i++) {
        if ((unsigned char)z[i] == 0xC0) {
            dst[n++] = '\0';
            i++;
        } else {
            dst[n++] = z[i];
        }
    }
    return (sg_str){dst, n};
}

static bool is_number(const cJSON *node)
{
    return cJSON_IsString(node) &&
           strncmp(node->valuestring, NUMBER_MARK, 2) == 0;
}

/* A number too large for any double is infinite, its text as written. */
static sc_ref_value number_of(const cJSON *node, sg_arena *arena)
{
    sg_str text = sg_str_of(node->valuestring + 2);
    sc_ref_value v = {.kind = SC_REF_NUMBER};
    char canonical[SG_NUM_TEXT];

    if (sg_num_parse(text, &v.num)) {
        text.len = sg_num_text(v.num, canonical);
        text.ptr = canonical;
    } else {
        v.num.kind = SIGMA_FLOAT;
        v.num.v.f = text.ptr[0] == '-' ? -HUGE_VAL : HUGE_VAL;
    }
    v.text = sg_arena_dup(arena, text);
    return v;
}

static sc_ref_value value_of(const cJSON *node, sg_arena *arena)
{
    sc_ref_value v = {.kind = SC_REF_NULL};

    if (is_number(node))
        return number_of(node, arena);
    if (cJSON_IsString(node)) {
        v.kind = SC_REF_STRING;
        v.text = original(node->valuestring, arena);
    } else if (cJSON_IsBool(node)) {
        v.kind = SC_REF_BOOL;
        v.boolean = cJSON_IsTrue(node) != 0;
        v.text = v.boolean ? SG_S("true") : SG_S("false");
    } else if (!cJSON_IsNull(node)) {
        v.kind = SC_REF_OBJECT;
    }
    return v;
}

bool sc_ref_has_text(const sc_ref_value *v)
{
    return v->kind != SC_REF_NULL && v->kind != SC_REF_OBJECT;
}

/* Whether a rewritten key is the name. */
static bool z_is(const char *z, sg_str name)
{
    size_t i;

    for (i = 0; i < name.len; i++) {
        if (name.ptr[i] == '\0') {
            if (strncmp(z, "\xC0\x80", 2) != 0)
                return false;
            z += 2;
        } else if (*z++ != name.ptr[i]) {
            return false;
        }
    }
    return *z == '\0';
}

static bool key_is(const cJSON *node, sg_str name)
{
    return z_is(node->string, name);
}

/* A key given twice: the last one counts. */
static const cJSON *member(const cJSON *object, sg_str name)
{
    const cJSON *node, *found = NULL;

    if (!cJSON_IsObject(object))
        return NULL;
    cJSON_ArrayForEach(node, object)
    {
        if (key_is(node, name))
            found = node;
    }
    return found;
}

/* Whether a later member of the same object has the same key. */
static bool is_hidden(const cJSON *node)
{
    const cJSON *next;

    for (next = node->next; next != NULL; next = next->next)
        if (strcmp(next->string, node->string) == 0)
            return true;
    return false;
}

static void scalars_under(const cJSON *node, sg_arena *arena,
                          sc_ref_values *out)
{
    const cJSON *kid;

    if (!cJSON_IsObject(node) && !cJSON_IsArray(node)) {
        SG_PUSH(arena, &out->list, value_of(node, arena));
        return;
    }
    cJSON_ArrayForEach(kid, node)
    {
        if (cJSON_IsArray(node) || !is_hidden(kid))
            scalars_under(kid, arena, out);
    }
}

void sc_ref_scalars(const sc_ref_event *event, sg_arena *arena,
                    sc_ref_values *out)
{
    memset(out, 0, sizeof(*out));
    out->present = true;
    scalars_under(event->root, arena, out);
}

/* -------- lookup --------------------------------------------------------- */

typedef struct step {
    sg_str key;
    bool any;    /* whatever key */
    bool spaced; /* each key that has blanks and is `key` without them */
} step;

typedef struct path {
    SG_VEC(step) steps;
    bool text; /* an object at its end stands for its #text */
} path;

typedef struct search {
    const cJSON *root;
    sg_arena *arena;
    sc_ref_values *out;
} search;

static bool is_text_root(sg_str key)
{
#define SHAPE(id, object1, object2, key1, key2)
#define FIELD(shape, name, path)
#define PREFIX(shape, path)
#define TEXT(root)                                                             \
    if (sg_str_eq(key, SG_S(root)))                                            \
        return true;
#include "record/shapes.def"
#undef TEXT
#undef PREFIX
#undef FIELD
#undef SHAPE
    return false;
}

/* Split at dots. With `field`, %F, %S and * are read as shapes.def says. */
static path split(search *s, sg_str text, const sg_str *field)
{
    path p = {.text = false};
    size_t beg = 0, end;

    for (end = 0; end <= text.len; end++) {
        step st;

        if (end < text.len && text.ptr[end] != '.')
            continue;
        st.key = sg_str_sub(text, beg, end);
        st.any = field != NULL && sg_str_eq(st.key, SG_S("*"));
        st.spaced = field != NULL && sg_str_eq(st.key, SG_S("%S"));
        if (st.spaced || (field != NULL && sg_str_eq(st.key, SG_S("%F"))))
            st.key = *field;
        SG_PUSH(s->arena, &p.steps, st);
        beg = end + 1;
    }
    p.text = p.steps.count > 1 && is_text_root(p.steps.items[0].key);
    return p;
}

/* The end of a path: its value or values. */
static void collect(search *s, const cJSON *node, bool text)
{
    const cJSON *kid, *inner = text ? member(node, SG_S("#text")) : NULL;

    s->out->present = true;
    if (cJSON_IsArray(node)) {
        cJSON_ArrayForEach(kid, node)
        {
            collect(s, kid, text);
        }
        return;
    }
    if (inner != NULL)
        collect(s, inner, false);
    else
        SG_PUSH(s->arena, &s->out->list, value_of(node, s->arena));
}

static bool is_spaced(const cJSON *node, sg_str name)
{
    size_t len = strlen(node->string), i, n = 0;
    char *squeezed = malloc(len + 1);
    bool same;

    if (squeezed == NULL)
        sg_fatal("out of memory");
    for (i = 0; i < len; i++)
        if (node->string[i] != ' ')
            squeezed[n++] = node->string[i];
    squeezed[n] = '\0';
    same = n < len && z_is(squeezed, name);
    free(squeezed);
    return same;
}

/* Whether a step goes to this member of an object. */
static bool leads_to(const step *st, const cJSON *kid)
{
    if (st->spaced ? !is_spaced(kid, st->key)
                   : !st->any && !key_is(kid, st->key))
        return false;
    return !is_hidden(kid);
}

static void walk(search *s, const cJSON *node, const path *p, uint32_t at)
{
    const cJSON *kid;

    if (at == p->steps.count) {
        collect(s, node, p->text);
        return;
    }
    if (!cJSON_IsArray(node) && !cJSON_IsObject(node))
        return;
    cJSON_ArrayForEach(kid, node)
    {
        if (cJSON_IsArray(node))
            walk(s, kid, p, at);
        else if (leads_to(&p->steps.items[at], kid))
            walk(s, kid, p, at + 1);
    }
}

static bool try_path(search *s, path p)
{
    if (!s->out->present)
        walk(s, s->root, &p, 0);
    return s->out->present;
}

/* Whether an object stands at a path, reached through objects only. */
static bool has_object(search *s, sg_str text)
{
    const path p = split(s, text, NULL);
    const cJSON *node = s->root;
    uint32_t i;

    for (i = 0; node != NULL && i < p.steps.count; i++)
        node = member(node, p.steps.items[i].key);
    return node != NULL && cJSON_IsObject(node);
}

/* Markers of a shape; "" asks for nothing. */
typedef struct markers {
    sg_str object1, object2, key1, key2;
} markers;

static bool has_shape(search *s, const markers *m)
{
    if (m->object1.len > 0 && !has_object(s, m->object1) &&
        (m->object2.len == 0 || !has_object(s, m->object2)))
        return false;
    if (m->key1.len == 0)
        return true;
    return member(s->root, m->key1) != NULL ||
           (m->key2.len > 0 && member(s->root, m->key2) != NULL);
}

enum {
#define SHAPE(id, object1, object2, key1, key2) SHAPE_##id,
#define FIELD(shape, name, path)
#define PREFIX(shape, path)
#define TEXT(root)
#include "record/shapes.def"
#undef TEXT
#undef PREFIX
#undef FIELD
#undef SHAPE
    SHAPE_COUNT
};

static const markers shapes[SHAPE_COUNT] = {
#define SHAPE(id, object1, object2, key1, key2)                                \
    [SHAPE_##                                                                  \
        id] = {SG_LIT(object1), SG_LIT(object2), SG_LIT(key1), SG_LIT(key2)},
#define FIELD(shape, name, path)
#define PREFIX(shape, path)
#define TEXT(root)
#include "record/shapes.def"
#undef TEXT
#undef PREFIX
#undef FIELD
#undef SHAPE
};

typedef struct row {
    sg_str name; /* unless any: the field it is for */
    sg_str path;
    int shape;
    bool any;
} row;

static const row rows[] = {
#define SHAPE(id, object1, object2, key1, key2)
#define FIELD(shape, name, path)                                               \
    {SG_LIT(name), SG_LIT(path), SHAPE_##shape, false},
#define PREFIX(shape, path) {SG_LIT(""), SG_LIT(path), SHAPE_##shape, true},
#define TEXT(root)
#include "record/shapes.def"
#undef TEXT
#undef PREFIX
#undef FIELD
#undef SHAPE
};

void sc_ref_event_add(sc_ref_event *event, sg_str field, sc_ref_value value)
{
    memory *m = event->memory;

    value.text = sg_arena_dup(&m->arena, value.text);
    SG_PUSH(&m->arena, &m->added,
            ((addition){sg_arena_dup(&m->arena, field), value}));
}

/* What enrichment gave stands before all that the event has. */
static bool look_up_added(const memory *m, sg_str field, sg_arena *arena,
                          sc_ref_values *out)
{
    for (uint32_t i = 0; i < m->added.count; i++)
        if (sg_str_eq(m->added.items[i].field, field)) {
            sc_ref_value value = m->added.items[i].value;

            value.text = sg_arena_dup(arena, value.text);
            SG_PUSH(arena, &out->list, value);
            return out->present = true;
        }
    return false;
}

void sc_ref_lookup(const sc_ref_event *event, sg_str field, sg_arena *arena,
                   sc_ref_values *out)
{
    search s = {event->root, arena, out};
    path literal = {.text = false};
    size_t i;

    memset(out, 0, sizeof(*out));
    if (look_up_added(event->memory, field, arena, out))
        return;
    SG_PUSH(arena, &literal.steps, ((step){.key = field}));
    if (try_path(&s, literal) || try_path(&s, split(&s, field, NULL)))
        return;
    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (!rows[i].any && !sg_str_eq(rows[i].name, field))
            continue;
        if (has_shape(&s, &shapes[rows[i].shape]) &&
            try_path(&s, split(&s, rows[i].path, rows[i].any ? &field : NULL)))
            return;
    }
}

/* -------- what was looked up ---------------------------------------------- */

static const sc_ref_values *remember(memory *m, const sc_ref_values *values)
{
    sc_ref_values *kept = sg_new(&m->arena, sc_ref_values);
    uint32_t i;

    *kept = *values;
    for (i = 0; i < kept->list.count; i++)
        if (sc_ref_has_text(&kept->list.items[i]))
            kept->list.items[i].folded =
                sc_ref_folded(kept->list.items[i].text, &m->arena);
    return kept;
}

const sc_ref_values *sc_ref_recall(const sc_ref_event *event, sg_str field,
                                   bool keywords)
{
    memory *m = event->memory;
    sc_ref_values values;
    const uint32_t *at;
    bool found;

    if (keywords) {
        if (m->scalars == NULL) {
            sc_ref_scalars(event, &m->arena, &values);
            m->scalars = remember(m, &values);
        }
        return m->scalars;
    }
    at = sg_map_get(&m->names, field);
    if (at != NULL)
        return m->lists.items[*at];
    /* The event may outlive the rules that name the field. */
    *sg_map_put(&m->arena, &m->names, sg_arena_dup(&m->arena, field), &found) =
        m->lists.count;
    sc_ref_lookup(event, field, &m->arena, &values);
    SG_PUSH(&m->arena, &m->lists, remember(m, &values));
    return m->lists.items[m->lists.count - 1];
}
