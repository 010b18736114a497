/*
 * json.c - the scanner: one pass over a line that checks it against RFC 8259
 * (UTF-8 included) and hands the values of planned paths to the event's cells.
 * No tree, no recursion; nesting is bounded by SR_MAX_DEPTH.
 */
#include "record/plan.h"

#include <assert.h>
#include <string.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

typedef struct scan {
    const char *p, *line, *end;
    const sr_plan *plan;
    sr_event *event;
    sr_work *work;
    uint64_t run;
    uint32_t depth; /* frames in use */
    bool escaped;   /* the string just read has a backslash */
    sr_fault *fault;
} scan;

static bool fail_at(scan *s, const char *at, const char *reason)
{
    s->fault->reason = reason;
    s->fault->at = (size_t)(at - s->line);
    return false;
}

static bool fail(scan *s, const char *reason)
{
    return fail_at(s, s->p,
                   s->p == s->end ? "the line ends too early" : reason);
}

static bool fail_memory(scan *s)
{
    return fail_at(s, s->p, "out of memory");
}

/* -------- tokens ------------------------------------------------------- */

static void skip_space(scan *s)
{
    if (s->p < s->end && (unsigned char)*s->p > ' ')
        return; /* nearly always */
    while (s->p < s->end &&
           (*s->p == ' ' || *s->p == '\t' || *s->p == '\n' || *s->p == '\r'))
        s->p++;
}

/* The first byte in [p, end) that a string cannot just pass over: quote,
 * backslash, control or non-ASCII; end when there is none. */
static inline const char *special(const char *p, const char *end)
{
#ifdef __SSE2__
    const __m128i quote = _mm_set1_epi8('"');
    const __m128i slash = _mm_set1_epi8('\\');
    const __m128i last_control = _mm_set1_epi8(0x1F);

    for (; end - p >= 16; p += 16) {
        const __m128i v = _mm_loadu_si128((const __m128i *)(const void *)p);
        const __m128i hit = _mm_or_si128(
            _mm_or_si128(_mm_cmpeq_epi8(v, quote), _mm_cmpeq_epi8(v, slash)),
            _mm_cmpeq_epi8(_mm_min_epu8(v, last_control), v));
        /* the sign bit of v itself marks non-ASCII */
        const int mask = _mm_movemask_epi8(_mm_or_si128(hit, v));
        if (mask != 0)
            return p + __builtin_ctz((unsigned)mask);
    }
#endif
    for (; p < end; p++) {
        const unsigned char c = (unsigned char)*p;
        if (c == '"' || c == '\\' || c < 0x20 || c >= 0x80)
            break;
    }
    return p;
}

/* Length of the well-formed UTF-8 sequence at p (RFC 3629), or 0. */
static size_t sequence(const char *p, const char *end)
{
    const size_t left = (size_t)(end - p);
    const unsigned char *u = (const unsigned char *)p;
    const unsigned char lead = u[0];
    unsigned char low = 0x80, high = 0xBF;
    size_t len;

    if (lead < 0xC2 || lead > 0xF4)
        return 0;
    len = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    if (lead == 0xE0)
        low = 0xA0;
    else if (lead == 0xED)
        high = 0x9F; /* no surrogates */
    else if (lead == 0xF0)
        low = 0x90;
    else if (lead == 0xF4)
        high = 0x8F;
    if (left < len || u[1] < low || u[1] > high)
        return 0;
    for (size_t i = 2; i < len; i++)
        if ((u[i] & 0xC0) != 0x80)
            return 0;
    return len;
}

static bool is_hex(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') ||
           (c >= 'A' && c <= 'F');
}

/* Whether a backslash and c are an escape of two bytes. */
static bool is_short_escape(char c)
{
    switch (c) {
    case '"':
    case '\\':
    case '/':
    case 'b':
    case 'f':
    case 'n':
    case 'r':
    case 't':
        return true;
    default:
        return false;
    }
}

/* s->p at the backslash. */
static bool escape(scan *s)
{
    const char *p = s->p;

    if (s->end - p < 2)
        return fail_at(s, s->end, "the line ends too early");
    if (p[1] == 'u') {
        for (int i = 2; i < 6; i++) {
            if (p + i == s->end)
                return fail_at(s, s->end, "the line ends too early");
            if (!is_hex(p[i]))
                return fail(s, "bad \\u escape in a string");
        }
        s->p += 6;
        return true;
    }
    if (!is_short_escape(p[1]))
        return fail(s, "bad escape in a string");
    s->p += 2;
    return true;
}

/* s->p at the opening quote; afterwards behind the closing one. */
static bool string(scan *s)
{
    size_t len;

    s->escaped = false;
    for (s->p++;;) {
        s->p = special(s->p, s->end);
        if (s->p == s->end)
            return fail(s, "");
        if (*s->p == '"')
            break;
        if (*s->p == '\\') {
            s->escaped = true;
            if (!escape(s))
                return false;
            continue;
        }
        if ((unsigned char)*s->p < 0x20)
            return fail(s, "control character in a string");
        len = sequence(s->p, s->end);
        if (len == 0)
            return fail(s, "ill-formed UTF-8");
        s->p += len;
    }
    s->p++;
    return true;
}

static bool is_digit(const scan *s)
{
    return s->p < s->end && *s->p >= '0' && *s->p <= '9';
}

static bool digits(scan *s)
{
    if (!is_digit(s))
        return fail(s, "bad number");
    while (is_digit(s))
        s->p++;
    return true;
}

static bool number(scan *s)
{
    if (*s->p == '-')
        s->p++;
    if (is_digit(s) && *s->p == '0')
        s->p++;
    else if (!digits(s))
        return false;
    if (s->p < s->end && *s->p == '.') {
        s->p++;
        if (!digits(s))
            return false;
    }
    if (s->p < s->end && (*s->p | 0x20) == 'e') {
        s->p++;
        if (s->p < s->end && (*s->p == '+' || *s->p == '-'))
            s->p++;
        return digits(s);
    }
    return true;
}

static bool word(scan *s, sg_str text)
{
    if ((size_t)(s->end - s->p) < text.len ||
        memcmp(s->p, text.ptr, text.len) != 0)
        return fail_at(s, s->p, "expected a value");
    s->p += text.len;
    return true;
}

/* Read one scalar; its kind goes to *kind. */
static bool scalar(scan *s, sr_kind *kind)
{
    switch (*s->p) {
    case '"':
        *kind = SR_STRING;
        return string(s);
    case 't':
        *kind = SR_BOOL;
        return word(s, SG_S("true"));
    case 'f':
        *kind = SR_BOOL;
        return word(s, SG_S("false"));
    case 'n':
        *kind = SR_NULL;
        return word(s, SG_S("null"));
    default:
        *kind = SR_NUMBER;
        if (*s->p != '-' && !is_digit(s))
            return fail(s, "expected a value");
        return number(s);
    }
}

/* -------- values ------------------------------------------------------- */

static bool add(scan *s, uint32_t cell, const sr_value *value)
{
    return sr_work_add(s->event, s->run, cell, value) || fail_memory(s);
}

static bool take_scalar(scan *s, uint32_t node, sr_kind kind, sg_str raw)
{
    const bool keyword = s->plan->keywords != SIGMA_NONE && kind != SR_NULL;
    sr_value value = {.raw = raw, .kind = (uint8_t)kind};
    const sr_node *to;

    if (node == SIGMA_NONE && !keyword)
        return true;
    if (node != SIGMA_NONE && s->plan->nodes[node].feed_count == 0 && !keyword)
        return true;
    if (kind == SR_NUMBER)
        value.num = sr_number(raw);
    else if (kind == SR_BOOL)
        value.boolean = raw.ptr[0] == 't';
    else if (kind == SR_STRING && !s->escaped)
        value.text = (sg_str){raw.ptr + 1, raw.len - 2};
    if (keyword && !add(s, s->plan->keywords, &value))
        return false;
    if (node == SIGMA_NONE)
        return true;
    to = &s->plan->nodes[node];
    for (uint32_t i = 0; i < to->feed_count; i++)
        if (!add(s, s->plan->feeds[to->feed_first + i], &value))
            return false;
    return true;
}

/* An object, or an empty array, at a wanted place: one value in each cell
 * that got none from inside. */
static bool take_container(scan *s, const sr_frame *frame, sr_kind kind)
{
    const sr_node *to = &s->plan->nodes[frame->node];
    const sr_value value = {
        .raw = {frame->start, (size_t)(s->p - frame->start)},
        .kind = (uint8_t)kind};

    for (uint32_t i = 0; i < to->feed_count; i++) {
        const uint32_t id = s->plan->feeds[to->feed_first + i];
        const sr_work_cell *cell = &s->work->cells[id];
        if (cell->run == s->run && cell->last >= frame->values)
            continue;
        if (!add(s, id, &value))
            return false;
    }
    if (kind == SR_OBJECT && frame->direct && to->mark != SIGMA_NONE)
        return add(s, to->mark, &value);
    return true;
}

/* -------- containers --------------------------------------------------- */

static bool enter(scan *s, uint32_t node)
{
    const sr_frame *outer;
    sr_frame *frame;

    if (s->depth == SR_MAX_DEPTH)
        return fail(s, "nested too deeply");
    outer = s->depth == 0 ? NULL : &s->work->frames[s->depth - 1];
    frame = &s->work->frames[s->depth++];
    *frame = (sr_frame){.start = s->p,
                        .node = node,
                        .child = SIGMA_NONE,
                        .seen = SIGMA_NONE,
                        .values = s->event->value_count,
                        .keys = s->work->seen_count,
                        .fresh = true};
    if (*s->p == '{') {
        frame->close = '}';
        frame->instance = ++s->work->serial;
        frame->direct = outer == NULL || outer->direct;
    } else {
        frame->close = ']';
        frame->inner = outer != NULL && outer->close == ']';
    }
    s->p++;
    return true;
}

/* The member of an object has been read: note which values it gave. */
static void end_member(scan *s, const sr_frame *frame)
{
    if (frame->child != SIGMA_NONE)
        s->work->nodes[frame->child].to = s->event->value_count;
    if (frame->seen != SIGMA_NONE)
        s->work->seen[frame->seen].to = s->event->value_count;
}

/* s->p at the closing bracket of the top frame. */
static bool leave(scan *s)
{
    const sr_frame *frame = &s->work->frames[--s->depth];
    const bool object = frame->close == '}';

    s->p++;
    sr_work_unsee(s->work, frame);
    if (frame->node != SIGMA_NONE && (object || !frame->inner) &&
        !take_container(s, frame, object ? SR_OBJECT : SR_EMPTY))
        return false;
    if (s->depth != 0)
        end_member(s, frame - 1);
    return true;
}

/* -------- members ------------------------------------------------------ */

static uint32_t find(const sr_plan *plan, const sr_node *node, uint64_t hash,
                     sg_str key)
{
    const sr_key *table = plan->keys + node->table;
    uint32_t i = (uint32_t)hash & node->mask;

    for (; table[i].node != SIGMA_NONE; i = (i + 1) & node->mask)
        if (table[i].hash == (uint32_t)(hash >> 32) &&
            sg_str_eq(table[i].text, key))
            return table[i].node;
    return node->wild;
}

static inline bool is_wanted(const sr_plan *plan, const sr_node *node,
                             sg_str key)
{
    if (node->wild != SIGMA_NONE)
        return true;
    return sr_node_may_have(plan, node, key) &&
           find(plan, node, sr_key_hash(plan, key), key) != SIGMA_NONE;
}

/* Find the key's node; a key given before in this object loses its values. */
static bool begin_member(scan *s, sr_frame *frame, sg_str key)
{
    const sr_node *node =
        frame->node == SIGMA_NONE ? NULL : &s->plan->nodes[frame->node];
    const bool any_key = s->plan->keywords != SIGMA_NONE ||
                         (node != NULL && node->wild != SIGMA_NONE);
    const uint64_t hash = sr_key_hash(s->plan, key);
    sr_work_node *at;

    if (node != NULL)
        frame->child = find(s->plan, node, hash, key);
    if (any_key) {
        frame->seen = sr_work_seen(s->event, frame, hash, key);
        if (frame->seen == SIGMA_NONE)
            return fail_memory(s);
    }
    if (frame->child == SIGMA_NONE ||
        (node != NULL && frame->child == node->wild))
        return true;
    at = &s->work->nodes[frame->child];
    if (at->instance == frame->instance)
        sr_work_kill(s->event, at->from, at->to);
    at->instance = frame->instance;
    at->from = at->to = s->event->value_count;
    return true;
}

static sg_str decoded(scan *s, sg_str key)
{
    char *dst;

    if (!s->escaped)
        return key;
    dst = sg_arena_alloc(&s->event->arena, key.len, 1);
    return (sg_str){dst, sr_decode(dst, key)};
}

/* Read a key and its colon. */
static bool member(scan *s, sr_frame *frame)
{
    const char *const start = s->p;

    if (s->p == s->end || *s->p != '"')
        return fail(s, "expected a key");
    if (!string(s))
        return false;
    if (frame->node != SIGMA_NONE || s->plan->keywords != SIGMA_NONE) {
        const sg_str key = {start + 1, (size_t)(s->p - start) - 2};
        if (!begin_member(s, frame, decoded(s, key)))
            return false;
    }
    skip_space(s);
    if (s->p == s->end || *s->p != ':')
        return fail(s, "expected ':'");
    s->p++;
    skip_space(s);
    return true;
}

/* The bulk of most events: members that nobody wants, written `,"key":"text"`
 * without white space, long escapes or non-ASCII text. Returns where the first
 * other member begins, which is then read in the general way. */
static const char *skip_plain(const scan *s, const sr_frame *frame)
{
    const sr_node *node =
        frame->node == SIGMA_NONE ? NULL : &s->plan->nodes[frame->node];
    const char *const end = s->end;
    const char *p = s->p;

    while (end - p > 2 && p[0] == ',' && p[1] == '"') {
        const char *stop = special(p + 2, end);
        const sg_str key = {p + 2, (size_t)(stop - p) - 2};
        if (end - stop < 4 || memcmp(stop, "\":\"", 3) != 0)
            break;
        if (node != NULL && is_wanted(s->plan, node, key))
            break;
        stop = special(stop + 3, end);
        while (end - stop > 2 && *stop == '\\' && is_short_escape(stop[1]))
            stop = special(stop + 2, end);
        if (stop == end || *stop != '"')
            break;
        p = stop + 1;
    }
    return p;
}

/* -------- the loop ----------------------------------------------------- */

/* s->p at the value of the current member or element. */
static bool value(scan *s, const sr_frame *frame)
{
    const bool object = frame->close == '}';
    const uint32_t node = object ? frame->child : frame->node;
    const char *const start = s->p;
    sr_kind kind = SR_NULL;

    if (s->p == s->end)
        return fail(s, "");
    if (*s->p == '{' || *s->p == '[')
        return enter(s, node);
    if (!scalar(s, &kind) ||
        !take_scalar(s, node, kind, (sg_str){start, (size_t)(s->p - start)}))
        return false;
    if (object)
        end_member(s, frame);
    return true;
}

/* One member or element of the innermost container, or its end. */
static bool step(scan *s)
{
    sr_frame *frame = &s->work->frames[s->depth - 1];
    const bool fresh = frame->fresh;

    if (!fresh && frame->close == '}' && s->plan->keywords == SIGMA_NONE)
        s->p = skip_plain(s, frame);
    skip_space(s);
    if (s->p < s->end && *s->p == frame->close)
        return leave(s);
    frame->fresh = false;
    if (!fresh) {
        if (s->p == s->end || *s->p != ',')
            return fail(s, frame->close == '}' ? "expected ',' or '}'"
                                               : "expected ',' or ']'");
        s->p++;
        skip_space(s);
    }
    if (frame->close == '}' && !member(s, frame))
        return false;
    return value(s, frame);
}

static bool document(scan *s)
{
    skip_space(s);
    if (s->p == s->end)
        return fail_at(s, s->p, "empty line");
    if (*s->p != '{')
        return fail(s, "not a JSON object");
    if (!enter(s, 0))
        return false;
    while (s->depth != 0)
        if (!step(s))
            return false;
    skip_space(s);
    return s->p == s->end || fail(s, "text behind the object");
}

bool sr_project(const sr_plan *plan, sr_event *event, sr_fault *fault)
{
    const char *const line = event->line.len == 0 ? "" : event->line.ptr;
    scan s = {.p = line,
              .line = line,
              .end = line + event->line.len,
              .plan = plan,
              .event = event,
              .run = sr_work_begin(event, plan),
              .fault = fault};

    s.work = event->work;
    if (s.run == 0 ? !fail_memory(&s) : !document(&s)) {
        event->value_count = 0;
        if (event->slot_count != 0) /* SIGMA_NONE in every place */
            memset(event->slots, 0xFF,
                   event->slot_count * sizeof *event->slots);
        return false;
    }
    sr_work_resolve(event, plan, s.run);
    return true;
}
