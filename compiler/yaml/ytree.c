/*
 * ytree.c - libyaml events to a tree in the session's arena. The only file
 * that includes yaml.h. Bounded whatever the bytes: depth, nodes after alias
 * expansion (aliases share their node, so memory is bounded by the text) and
 * documents. libyaml counts characters; one cursor turns that into bytes.
 */
#include "yaml/scalar.h"

#include <string.h>
#include <yaml.h>

/* A node that waits for the list or map it stands in to end. */
typedef struct child {
    const sc_y *node;
} child;

typedef SG_VEC(child) child_vec;
typedef SG_VEC(sc_y_pair) pair_vec;

/* A named node. */
typedef struct anchor {
    const sc_y *node; /* NULL while it is being read */
    uint32_t nodes;   /* in its expanded tree */
    uint32_t height;  /* lists and maps in each other; scalars 0 */
} anchor;

/* A list or map being read; its children wait on the stack. */
typedef struct frame {
    sc_y *node;
    uint32_t base;   /* of its children on the stack */
    uint32_t nodes;  /* of the document before it */
    uint32_t height; /* of the tallest child */
    uint32_t anchor; /* index, or SIGMA_NONE */
    uint32_t end;    /* of the last child, in bytes */
} frame;

/* An error of the current document: reported when its extent is known. */
typedef struct pending {
    sc_code code;
    sc_span at, note_at;
    sg_str message;
    const char *note; /* NULL: none */
} pending;

enum { MAX_PENDING = 20 };

typedef struct reader {
    sc_session *s;
    uint32_t source;
    sg_str text; /* of the source, all of it */
    yaml_parser_t parser;
    size_t at_char;   /* cursor: characters behind the byte order mark */
    uint32_t at_byte; /* the same place in bytes */
    sg_arena tmp;     /* of one document */
    frame frames[SC_Y_MAX_DEPTH];
    uint32_t depth;
    child_vec stack;
    SG_VEC(anchor) anchors;
    sg_map anchor_names;
    uint32_t nodes; /* of the document, aliases expanded */
    const sc_y *root;
    uint32_t beg; /* of the document, or of what lies before the next */
    pending errors[MAX_PENDING];
    uint32_t error_count;
    SG_VEC(sc_y_doc) docs;
    uint32_t seen; /* documents that are not empty, rejected ones included */
    bool done;     /* the text is read to its end */
    bool rejected; /* or the rest of it is */
} reader;

/* -------- places -------------------------------------------------------- */

static bool is_continuation(char c)
{
    return ((unsigned char)c & 0xC0) == 0x80;
}

/* Byte offset of a mark. Marks come nearly in order, so this is linear in all
 * even for a file that is one line. */
static uint32_t byte_of(reader *r, yaml_mark_t mark)
{
    const sg_str text = r->text;

    while (r->at_char < mark.index && r->at_byte < text.len) {
        r->at_byte++;
        while (r->at_byte < text.len && is_continuation(text.ptr[r->at_byte]))
            r->at_byte++;
        r->at_char++;
    }
    while (r->at_char > mark.index && r->at_byte > 0) {
        r->at_byte--;
        while (r->at_byte > 0 && is_continuation(text.ptr[r->at_byte]))
            r->at_byte--;
        r->at_char--;
    }
    return r->at_byte;
}

static sc_span span_of(reader *r, yaml_mark_t beg, yaml_mark_t end)
{
    const uint32_t from = byte_of(r, beg);
    const uint32_t to = byte_of(r, end);

    return (sc_span){r->source, from, to < from ? from : to};
}

static sg_str name_of(const yaml_char_t *name)
{
    return sg_str_of((const char *)name);
}

/* -------- errors of a document ------------------------------------------ */

/* Record an error; NULL when there are too many to be of use. */
static pending *fail(reader *r, sc_code code, sc_span at, sg_str message)
{
    pending *p;

    if (r->error_count == MAX_PENDING)
        return NULL;
    p = &r->errors[r->error_count++];
    *p = (pending){.code = code, .at = at, .message = message};
    return p;
}

static void report_pending(reader *r)
{
    for (uint32_t i = 0; i < r->error_count; i++) {
        const pending *p = &r->errors[i];

        sc_error(r->s, p->code, p->at, "%.*s", SG_FMT(p->message));
        if (p->note != NULL)
            sc_note_at(r->s, p->note_at, "%s", p->note);
    }
    r->error_count = 0;
}

/* The rest of the file from the current document on is one rejected doc. */
static void reject_rest(reader *r)
{
    r->rejected = true;
    sc_doc_begin(r->s, (sc_span){r->source, r->beg, (uint32_t)r->text.len});
    report_pending(r);
}

/* A bound was hit. Reading ends here: libyaml itself takes quadratic time on
 * some texts that nest too deeply. */
static void give_up(reader *r, sc_span at, sg_str message)
{
    reject_rest(r);
    sc_error(r->s, SC_E0104, at, "%.*s", SG_FMT(message));
    r->s->doc = SIGMA_NONE;
}

static bool count_nodes(reader *r, uint32_t count, sc_span at)
{
    if (count <= SC_Y_MAX_NODES - r->nodes) {
        r->nodes += count;
        return true;
    }
    give_up(r, at,
            sg_arena_printf(&r->s->arena, "more than %d nodes in a document",
                            SC_Y_MAX_NODES));
    return false;
}

static bool count_text(reader *r, size_t len, sc_span at)
{
    if (len <= SC_Y_MAX_TEXT)
        return true;
    give_up(r, at,
            sg_arena_printf(&r->s->arena, "a text of more than %d bytes",
                            SC_Y_MAX_TEXT));
    return false;
}

/* -------- anchors and aliases ------------------------------------------- */

/* Note an anchor, if there is one; returns its index or SIGMA_NONE. */
static uint32_t open_anchor(reader *r, const yaml_char_t *name)
{
    const anchor fresh = {.node = NULL};
    bool found;

    if (name == NULL)
        return SIGMA_NONE;
    *sg_map_put(&r->tmp, &r->anchor_names, sg_arena_dup(&r->tmp, name_of(name)),
                &found) = r->anchors.count;
    SG_PUSH(&r->tmp, &r->anchors, fresh);
    return r->anchors.count - 1;
}

static void close_anchor(reader *r, uint32_t index, anchor value)
{
    if (index != SIGMA_NONE)
        r->anchors.items[index] = value;
}

/* Give a complete node to the list or map it stands in. */
static void add_node(reader *r, const sc_y *node, uint32_t height, uint32_t end)
{
    frame *parent;

    if (r->depth == 0) {
        r->root = node;
        return;
    }
    parent = &r->frames[r->depth - 1];
    if (height > parent->height)
        parent->height = height;
    parent->end = end;
    SG_PUSH(&r->tmp, &r->stack, (child){node});
}

/* What stands for an alias that means nothing; the document is rejected. */
static void add_stand_in(reader *r, sc_span at)
{
    sc_y *y = sg_new(&r->s->arena, sc_y);

    y->kind = SC_Y_STR;
    y->span = at;
    y->text = SG_S("");
    add_node(r, y, 0, at.end);
}

static void read_alias(reader *r, const yaml_event_t *event)
{
    const sg_str name = name_of(event->data.alias.anchor);
    const sc_span at = span_of(r, event->start_mark, event->end_mark);
    const uint32_t *index = sg_map_get(&r->anchor_names, name);
    const anchor *target = index == NULL ? NULL : &r->anchors.items[*index];

    if (target == NULL || target->node == NULL) {
        fail(r, SC_E0102, at,
             sg_arena_printf(&r->s->arena,
                             target == NULL
                                 ? "alias of an unknown anchor '%.*s'"
                                 : "alias within its own anchor '%.*s'",
                             SG_FMT(name)));
        add_stand_in(r, at);
        return;
    }
    if (!count_nodes(r, target->nodes, at))
        return;
    if (r->depth + target->height > SC_Y_MAX_DEPTH) {
        give_up(r, at, SG_S("nested too deeply"));
        return;
    }
    add_node(r, target->node, target->height, at.end);
}

/* -------- scalars ------------------------------------------------------- */

#define CORE_TAG "tag:yaml.org,2002:"

static void apply_tag(reader *r, sc_y *y, const yaml_char_t *name)
{
    const sg_str tag = name_of(name);
    const sg_str core = SG_S(CORE_TAG);

    y->kind = SC_Y_STR;
    if (sg_str_eq(tag, SG_S("!")))
        return; /* non-specific: not to be resolved */
    if (sg_str_starts(tag, core) &&
        sc_scalar_tagged(y, sg_str_sub(tag, core.len, tag.len)))
        return;
    fail(r, SC_E0108, y->span,
         sg_arena_printf(&r->s->arena, "tag '%.*s' is not for this value",
                         SG_FMT(tag)));
}

/* Narrow the span to the text itself where that stands in the source as is.
 * Found from the end, because properties may stand in front. */
static void find_text(const reader *r, sc_y *y, bool quoted)
{
    const uint32_t len = (uint32_t)y->text.len;
    const uint32_t end = y->span.end - (quoted ? 1 : 0);
    const uint32_t least = y->span.beg + (quoted ? 1 : 0);

    if (y->span.end <= y->span.beg || end < least || end - least < len ||
        memcmp(r->text.ptr + end - len, y->text.ptr, len) != 0)
        return;
    y->exact = true;
    y->span.beg = end - len;
    y->span.end = end;
    y->text = sg_str_sub(r->text, end - len, end);
}

static void read_scalar(reader *r, const yaml_event_t *event)
{
    const yaml_scalar_style_t style = event->data.scalar.style;
    const bool quoted = style == YAML_SINGLE_QUOTED_SCALAR_STYLE ||
                        style == YAML_DOUBLE_QUOTED_SCALAR_STYLE;
    const sc_span at = span_of(r, event->start_mark, event->end_mark);
    const sg_str text = {(const char *)event->data.scalar.value,
                         event->data.scalar.length};
    const uint32_t weight = 1 + (uint32_t)(text.len / SC_Y_NODE_TEXT);
    sc_y *y;

    if (!count_text(r, text.len, at) || !count_nodes(r, weight, at))
        return;
    y = sg_new(&r->s->arena, sc_y);
    y->plain = style == YAML_PLAIN_SCALAR_STYLE;
    y->span = at;
    y->text = text;
    if (y->plain || quoted)
        find_text(r, y, quoted);
    if (!y->exact)
        y->text = sg_arena_dup(&r->s->arena, text);
    if (event->data.scalar.tag != NULL)
        apply_tag(r, y, event->data.scalar.tag);
    else if (y->plain)
        sc_scalar_resolve(y);
    else
        y->kind = SC_Y_STR;
    close_anchor(r, open_anchor(r, event->data.scalar.anchor),
                 (anchor){y, weight, 0});
    add_node(r, y, 0, at.end);
}

/* -------- lists and maps ------------------------------------------------ */

static void check_tag(reader *r, const sc_y *y, const yaml_char_t *name)
{
    const char *want = y->kind == SC_Y_MAP ? CORE_TAG "map" : CORE_TAG "seq";

    if (name == NULL || sg_str_eq(name_of(name), SG_S("!")) ||
        sg_str_eq(name_of(name), sg_str_of(want)))
        return;
    fail(r, SC_E0108, y->span,
         sg_arena_printf(&r->s->arena, "tag '%.*s' is not for %s",
                         SG_FMT(name_of(name)), sc_y_kind_name(y)));
}

static void open_collection(reader *r, sc_y_kind kind,
                            const yaml_event_t *event)
{
    const bool map = kind == SC_Y_MAP;
    const sc_span at = span_of(r, event->start_mark, event->end_mark);
    frame *f;

    if (r->depth == SC_Y_MAX_DEPTH) {
        give_up(r, at, SG_S("nested too deeply"));
        return;
    }
    f = &r->frames[r->depth++];
    *f = (frame){.base = r->stack.count, .nodes = r->nodes, .end = at.end};
    f->anchor = open_anchor(r, map ? event->data.mapping_start.anchor
                                   : event->data.sequence_start.anchor);
    if (!count_nodes(r, 1, at))
        return;
    f->node = sg_new(&r->s->arena, sc_y);
    f->node->kind = kind;
    f->node->span = at;
    f->node->text = SG_S("");
    check_tag(r, f->node,
              map ? event->data.mapping_start.tag
                  : event->data.sequence_start.tag);
}

static void close_collection(reader *r, const frame *f)
{
    const uint32_t height = f->height + 1;

    f->node->span.end = f->end;
    close_anchor(r, f->anchor, (anchor){f->node, r->nodes - f->nodes, height});
    add_node(r, f->node, height, f->end);
}

static const frame *pop_frame(reader *r, const yaml_event_t *event)
{
    frame *f = &r->frames[--r->depth];
    const sc_span at = span_of(r, event->start_mark, event->end_mark);

    /* The end of a block collection is no text: it lies at the next token. */
    if (at.end > at.beg)
        f->end = at.end;
    return f;
}

static void close_list(reader *r, const yaml_event_t *event)
{
    const frame *f = pop_frame(r, event);
    const uint32_t count = r->stack.count - f->base;
    const sc_y **items = sg_new_n(&r->s->arena, const sc_y *, count);

    for (uint32_t i = 0; i < count; i++)
        items[i] = r->stack.items[f->base + i].node;
    f->node->items = items;
    f->node->count = count;
    r->stack.count = f->base;
    close_collection(r, f);
}

/* Entries of a map while it is put together. */
typedef struct entries {
    pair_vec pairs;
    sg_map index; /* key to its place in pairs */
} entries;

/* What keys are compared by. YAML text never holds the byte FF. */
static sg_str key_id(const sc_y *key)
{
    return key->kind == SC_Y_NULL ? SG_S("\xFF") : key->text;
}

/* Add unless the key is there; returns the pair that was there, or NULL. */
static const sc_y_pair *add_entry(reader *r, entries *e, sc_y_pair pair)
{
    bool found;
    uint32_t *place = sg_map_put(&r->tmp, &e->index, key_id(pair.key), &found);

    if (found)
        return &e->pairs.items[*place];
    *place = e->pairs.count;
    SG_PUSH(&r->tmp, &e->pairs, pair);
    return NULL;
}

static void add_own(reader *r, entries *e, sc_y_pair pair)
{
    const sc_y_pair *first;
    pending *p;

    if (!sc_y_is_scalar(pair.key)) {
        fail(r, SC_E0107, pair.key->span,
             sg_arena_printf(&r->s->arena, "%s cannot be a key",
                             sc_y_kind_name(pair.key)));
        return;
    }
    first = add_entry(r, e, pair);
    if (first == NULL)
        return;
    p = fail(r, SC_E0103, pair.key->span,
             sg_arena_printf(&r->s->arena, "duplicate key '%.*s'",
                             SG_FMT(pair.key->text)));
    if (p != NULL) {
        p->note_at = first->key->span;
        p->note = "first written here";
    }
}

static bool is_merge(const sc_y *key)
{
    return key->kind == SC_Y_STR && key->plain &&
           sg_str_eq(key->text, SG_S("<<"));
}

static void merge_map(reader *r, entries *e, const sc_y *from)
{
    if (from->kind != SC_Y_MAP) {
        fail(r, SC_E0109, from->span,
             sg_arena_printf(&r->s->arena, "%s cannot be merged into a map",
                             sc_y_kind_name(from)));
        return;
    }
    for (uint32_t i = 0; i < from->count; i++)
        add_entry(r, e, from->pairs[i]);
}

static void merge(reader *r, entries *e, const sc_y *value)
{
    if (value->kind != SC_Y_SEQ) {
        merge_map(r, e, value);
        return;
    }
    for (uint32_t i = 0; i < value->count; i++)
        merge_map(r, e, value->items[i]);
}

/* Own entries first: they win over merged ones wherever `<<` stands. */
static void fill_map(reader *r, const frame *f, entries *e)
{
    const sc_y *merged = NULL;

    for (uint32_t i = f->base; i + 1 < r->stack.count; i += 2) {
        const sc_y_pair pair = {r->stack.items[i].node,
                                r->stack.items[i + 1].node};

        if (is_merge(pair.key) && merged == NULL)
            merged = pair.value;
        else if (is_merge(pair.key))
            fail(r, SC_E0103, pair.key->span, SG_S("duplicate key '<<'"));
        else
            add_own(r, e, pair);
    }
    if (merged != NULL)
        merge(r, e, merged);
}

static void close_map(reader *r, const yaml_event_t *event)
{
    const frame *f = pop_frame(r, event);
    const sg_mark mark = sg_arena_mark(&r->tmp);
    entries e = {0};
    sc_y_pair *pairs;

    fill_map(r, f, &e);
    pairs = sg_new_n(&r->s->arena, sc_y_pair, e.pairs.count);
    if (e.pairs.count != 0)
        memcpy(pairs, e.pairs.items, e.pairs.count * sizeof *pairs);
    f->node->pairs = pairs;
    f->node->count = e.pairs.count;
    sg_arena_rewind(&r->tmp, mark);
    r->stack.count = f->base;
    close_collection(r, f);
}

/* -------- documents ----------------------------------------------------- */

/* From behind `---`: the next line, unless content follows on this one. */
static uint32_t content_start(sg_str text, uint32_t pos)
{
    size_t at = pos;

    while (at < text.len && (text.ptr[at] == ' ' || text.ptr[at] == '\t'))
        at++;
    if (at < text.len && text.ptr[at] == '#')
        while (at < text.len && text.ptr[at] != '\n' && text.ptr[at] != '\r')
            at++;
    if (at < text.len && text.ptr[at] == '\r')
        at++;
    if (at < text.len && text.ptr[at] == '\n')
        at++;
    else if (at < text.len && text.ptr[at - 1] != '\r')
        return pos;
    return (uint32_t)at;
}

static void open_document(reader *r, const yaml_event_t *event)
{
    if (!event->data.document_start.implicit)
        r->beg = content_start(r->text, byte_of(r, event->end_mark));
    sg_arena_reset(&r->tmp);
    r->stack = (child_vec){0};
    r->anchors.items = NULL;
    r->anchors.count = r->anchors.cap = 0;
    r->anchor_names = (sg_map){0};
    r->depth = 0;
    r->nodes = 0;
    r->root = NULL;
}

static bool is_empty_document(const sc_y *root)
{
    return root->kind == SC_Y_NULL && root->plain && root->text.len == 0;
}

static void close_document(reader *r, const yaml_event_t *event)
{
    const uint32_t end = byte_of(r, event->start_mark);
    const sc_span at = {r->source, r->beg, end < r->beg ? r->beg : end};

    r->beg = byte_of(r, event->end_mark);
    if (r->error_count == 0 && is_empty_document(r->root))
        return;
    r->seen++;
    if (r->error_count != 0) {
        sc_doc_begin(r->s, at);
        report_pending(r);
        r->s->doc = SIGMA_NONE;
    } else {
        const sc_y_doc doc = {r->root, at};

        SG_PUSH(&r->s->arena, &r->docs, doc);
    }
}

/* -------- text that is no YAML ------------------------------------------ */

static sc_span char_at(const reader *r, uint32_t at)
{
    size_t end = at;

    if (at < r->text.len)
        sg_utf8_next(r->text, &end);
    return (sc_span){r->source, at, (uint32_t)end};
}

static void report_syntax(reader *r)
{
    const yaml_parser_t *p = &r->parser;
    sc_span at;

    if (p->error == YAML_MEMORY_ERROR)
        sg_fatal("out of memory in the YAML reader");
    reject_rest(r);
    at = char_at(r, byte_of(r, p->problem_mark));
    sc_error(r->s, SC_E0102, at, "%s",
             p->problem != NULL ? p->problem : "not YAML");
    if (at.end > at.beg && r->text.ptr[at.beg] == '\t')
        sc_hint(r->s, "indent with spaces: tabs cannot indent");
    if (p->context != NULL && p->context_mark.index != p->problem_mark.index)
        sc_note_at(r->s, char_at(r, byte_of(r, p->context_mark)), "%s",
                   p->context);
    r->s->doc = SIGMA_NONE;
}

/* -------- events -------------------------------------------------------- */

static void read_node(reader *r, const yaml_event_t *event)
{
    if (event->type == YAML_ALIAS_EVENT)
        read_alias(r, event);
    else if (event->type == YAML_SCALAR_EVENT)
        read_scalar(r, event);
    else if (event->type == YAML_SEQUENCE_START_EVENT)
        open_collection(r, SC_Y_SEQ, event);
    else if (event->type == YAML_MAPPING_START_EVENT)
        open_collection(r, SC_Y_MAP, event);
    else if (event->type == YAML_SEQUENCE_END_EVENT)
        close_list(r, event);
    else if (event->type == YAML_MAPPING_END_EVENT)
        close_map(r, event);
}

static void read_event(reader *r, const yaml_event_t *event)
{
    if (event->type == YAML_STREAM_END_EVENT)
        r->done = true;
    else if (event->type == YAML_DOCUMENT_START_EVENT)
        open_document(r, event);
    else if (event->type == YAML_DOCUMENT_END_EVENT)
        close_document(r, event);
    else
        read_node(r, event);
}

static void check_doc_count(reader *r)
{
    if (r->done || r->rejected || r->seen < SC_Y_MAX_DOCS)
        return;
    reject_rest(r);
    sc_error(r->s, SC_E0104, char_at(r, r->beg), "more than %d documents",
             SC_Y_MAX_DOCS);
    r->s->doc = SIGMA_NONE;
}

/* Read documents until the byte `end`. False once the text is broken. */
static bool read_documents(reader *r, uint32_t end)
{
    if (!yaml_parser_initialize(&r->parser))
        sg_fatal("out of memory in the YAML reader");
    yaml_parser_set_encoding(&r->parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(
        &r->parser, (const unsigned char *)r->text.ptr + r->beg, end - r->beg);
    while (!r->done && !r->rejected) {
        yaml_event_t event;

        if (!yaml_parser_parse(&r->parser, &event)) {
            report_syntax(r);
            break;
        }
        read_event(r, &event);
        yaml_event_delete(&event);
        check_doc_count(r);
    }
    yaml_parser_delete(&r->parser);
    return !r->rejected;
}

/* -------- bytes that YAML does not allow -------------------------------- */

static bool is_allowed(uint32_t cp)
{
    if (cp < 0x20)
        return cp == '\t' || cp == '\n' || cp == '\r';
    if (cp < 0xA0)
        return cp < 0x7F || cp == 0x85;
    return cp < 0xD800 || (cp > 0xDFFF && cp < 0xFFFE) ||
           (cp > 0xFFFF && cp <= 0x10FFFF);
}

/* First byte that is ill-formed or a character outside YAML; or the end. */
static uint32_t find_bad(sg_str text, size_t pos)
{
    while (pos < text.len) {
        const size_t beg = pos;

        if (!is_allowed(sg_utf8_next(text, &pos)))
            return (uint32_t)beg;
    }
    return (uint32_t)text.len;
}

static bool is_marker(sg_str text, uint32_t at)
{
    const sg_str mark = sg_str_sub(text, at, at + 3);
    const sg_str next = sg_str_sub(text, at + 3, at + 4);

    if (!sg_str_eq(mark, SG_S("---")) && !sg_str_eq(mark, SG_S("...")))
        return false;
    return next.len == 0 || sg_str_find(SG_S("\n\r \t"), next) != SIZE_MAX;
}

/* Start of the document around a byte: of its marker, or `least`. A marker at
 * the start of a line ends every scalar, so no parsing is needed. */
static uint32_t document_around(sg_str text, uint32_t at, uint32_t least)
{
    for (; at > least; at--) {
        const char before = text.ptr[at - 1];

        if ((before == '\n' || before == '\r') && is_marker(text, at))
            return at;
    }
    return least;
}

static void report_bad(reader *r, uint32_t bad)
{
    size_t pos = bad;
    const uint32_t cp = sg_utf8_next(r->text, &pos);
    const sc_span at = {r->source, bad, (uint32_t)pos};

    r->beg = document_around(r->text, bad, r->beg);
    reject_rest(r);
    if (cp > 0x10FFFF || (cp >= 0xD800 && cp <= 0xDFFF))
        sc_error(r->s, SC_E0106, at, "not UTF-8");
    else
        sc_error(r->s, SC_E0102, at, "control character U+%04X", cp);
    r->s->doc = SIGMA_NONE;
}

const sc_y_doc *sc_yaml_parse(sc_session *s, uint32_t source, uint32_t *count)
{
    const sg_str text = s->sources.items[source].text;
    const bool bom = sg_str_starts(text, SG_S("\xEF\xBB\xBF"));
    reader *r;
    const sc_y_doc *docs;
    uint32_t bad;

    r = sg_new(&s->arena, reader);
    r->s = s;
    r->source = source;
    r->text = text;
    r->beg = r->at_byte = bom ? 3 : 0;
    s->doc = SIGMA_NONE;
    bad = find_bad(text, r->beg);
    if (bad == text.len) {
        read_documents(r, bad);
    } else if (read_documents(r, document_around(text, bad, r->beg))) {
        report_bad(r, bad);
    }
    sg_arena_free(&r->tmp);
    docs = r->docs.items;
    *count = r->docs.count;
    return docs;
}
