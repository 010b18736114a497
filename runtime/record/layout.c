/*
 * layout.c - lines with the same keys in the same order, read without looking
 * any of them up.
 *
 * A log has few kinds of events, and those of one kind have the same keys in
 * the outermost object. The fast scanner lists where the colons behind these
 * stand and does nothing else. A layout is such a list of keys with what came
 * of it before: which keys have values that somebody wants, and which slots
 * these fill. When the line has its keys, byte by byte, and none of the wanted
 * values is a container, then the same comes of the line: cells are chosen by
 * keys and not by what scalars say. Wanted keys given twice, containers in
 * their places, keys with escapes or space before the colon make no layout;
 * such lines are read key by key.
 *
 * Layouts lie in a table by a hash, a few in each place, of which the oldest
 * goes for a new one. Where hardly any line has a known layout, looking for one
 * rests; so lines made for the purpose cost little more than they do without.
 */
#include "record/scan.h"

#include <assert.h>
#include <stdlib.h>

enum {
    PLACES_LOG2 = 8,
    PLACE = 4, /* layouts in one */
    LINE_MOST = 1 << 20,
    VALUES_MOST = 1024,
    MANY_KEYS = 48,   /* wanted of the outermost object; else it is as quick
                       * to look at the ends of keys */
    ROUND = 256,      /* lines between two looks at what they gained */
    PAYS = ROUND / 2, /* so many of them must be known */
    REST = 8 * ROUND, /* else so many pass, and each time twice as many ... */
    REST_MOST = 64 * ROUND, /* ... up to these */
    TAIL = 32 /* bytes compared without asking how long a key is */
};

/* Bytes that are compared at once, half of a TAIL. */
typedef uint64_t half __attribute__((vector_size(TAIL / 2), aligned(8)));

/* A key of a layout: its text has quotes and colon. */
typedef struct key {
    half tail[2]; /* its last bytes, zeros before a shorter one */
    const char *text;
    uint32_t len;
} key;

/* The value of a key gives so many values, one for each cell. */
typedef struct taken {
    uint32_t key, count;
    uint32_t next; /* len of the key behind it; 0: there is none */
} taken;

typedef struct filled {
    uint32_t slot, value;
} filled;

typedef struct layout {
    uint64_t hash;
    key *keys;
    taken *taken;
    filled *filled;
    uint32_t key_count, taken_count, filled_count, value_count;
} layout;

struct sr_layouts {
    uint64_t seed; /* of the plan whose layouts these are */
    layout *places[1 << PLACES_LOG2][PLACE]; /* the newest first */
    sr_keys keys;                            /* of the line at hand */
    uint64_t hash;                           /* of these */
    bool unknown;          /* they are listed, and to be learned */
    uint32_t asked, known; /* lines in this round */
    uint32_t resting;      /* lines that pass until the next one */
    uint32_t rest;         /* so many the last time; 0: the round had paid */
};

sr_layout_set sr_layouts_choose(const sr_plan *plan, uint32_t keys)
{
    const char *set = getenv("SIGCC_LAYOUTS");

    /* Other keys matter, too, or the same ones by another name. */
    if (plan->keywords != SIGMA_NONE || plan->nodes[0].wild != SIGMA_NONE ||
        plan->nodes[0].spaced)
        return SR_LAYOUTS_NEVER;
    if (set == NULL || (strcmp(set, "0") != 0 && strcmp(set, "1") != 0))
        return keys > MANY_KEYS ? SR_LAYOUTS_PAYING : SR_LAYOUTS_NEVER;
    return *set == '1' ? SR_LAYOUTS_ALWAYS : SR_LAYOUTS_NEVER;
}

static void forget(sr_layouts *l)
{
    for (uint32_t i = 0; i < 1u << PLACES_LOG2; i++)
        for (uint32_t k = 0; k < PLACE; k++) {
            free(l->places[i][k]);
            l->places[i][k] = NULL;
        }
}

void sr_layouts_free(sr_layouts *l)
{
    if (l != NULL)
        forget(l);
    free(l);
}

/* A round is over. */
static void end_round(sr_layouts *l)
{
    if (l->known >= PAYS)
        l->rest = 0;
    else if (l->rest < REST_MOST)
        l->rest = l->rest == 0 ? REST : 2 * l->rest;
    l->resting = l->rest;
    l->asked = l->known = 0;
}

/* Whether to look. */
static bool is_due(sr_layouts *l, const sr_plan *plan)
{
    if (plan->layouts == SR_LAYOUTS_ALWAYS)
        return true;
    if (l->resting != 0) {
        l->resting--;
        return false;
    }
    if (l->asked == ROUND) {
        end_round(l);
        return l->resting == 0;
    }
    l->asked++;
    return true;
}

/* -------- keys ----------------------------------------------------------- */

/* Of the last bytes of each; 0 where they cannot be read. */
static uint64_t hash_of(const char *line, const sr_keys *keys)
{
    const uint64_t odd = UINT64_C(0x9E3779B97F4A7C15);
    uint64_t hash = keys->count;

    if (keys->count == 0 || keys->at[0] < 4)
        return 0;
    /* The products do not wait for each other. */
    for (uint32_t i = 0; i < keys->count; i++)
        hash =
            (hash << 7 | hash >> 57) + sr_hash_4(line + keys->at[i] - 4) * odd;
    return hash * odd;
}

/* Bytes of a shorter key's tail that count. */
static const uint8_t mask_window[2 * TAIL] = {
    [TAIL] = 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255,
    255,          255, 255, 255, 255, 255, 255, 255, 255, 255, 255,
    255,          255, 255, 255, 255, 255, 255, 255, 255, 255};

static uint32_t tail_len(uint32_t len)
{
    return len < TAIL ? len : TAIL;
}

static inline half load_half(const void *p)
{
    half h;

    memcpy(&h, p, sizeof h);
    return h;
}

/* 0 when the text before `end`, at least TAIL bytes, ends as the key does. */
static inline half tail_differs(const char *end, const key *k)
{
    const uint8_t *mask = mask_window + tail_len(k->len);
    const half first = load_half(end - TAIL) & load_half(mask);
    const half last = load_half(end - TAIL / 2) & load_half(mask + TAIL / 2);

    return (first ^ k->tail[0]) | (last ^ k->tail[1]);
}

static bool is_text(const char *line, uint32_t end, const key *k)
{
    return end >= k->len && memcmp(line + end - k->len, k->text, k->len) == 0;
}

/* Whether these are the line's keys. None holds a quote or a backslash, so the
 * text with its quotes before the colon is all of the key. */
static bool has_keys(const layout *known, const char *line, const sr_keys *keys)
{
    half differs = {0, 0};
    uint32_t i = 0;

    if (known->key_count != keys->count)
        return false;
    for (; i < keys->count && keys->at[i] + 1 < TAIL; i++)
        if (!is_text(line, keys->at[i] + 1, &known->keys[i]))
            return false;
    for (; i < keys->count; i++) {
        const key *k = &known->keys[i];
        const uint32_t end = keys->at[i] + 1;
        differs |= tail_differs(line + end, k);
        if (k->len > TAIL && !is_text(line, end, k))
            return false;
    }
    return (differs[0] | differs[1]) == 0;
}

/* -------- values --------------------------------------------------------- */

static inline const char *before_space(const char *end)
{
    while ((unsigned char)end[-1] <= ' ')
        end--;
    return end;
}

/* The value of a key, without the space around. */
static inline sg_str value_of(const taken *from, const sr_scan *s,
                              const sr_keys *keys)
{
    const char *start = s->line + keys->at[from->key] + 1;
    const char *end = s->end;

    if (from->next != 0)
        end = s->line + keys->at[from->key + 1] + 1 - from->next;
    while ((unsigned char)*start <= ' ')
        start++;
    end = before_space(end) - 1; /* the comma, or the object's brace */
    end = before_space(end);
    return (sg_str){start, (size_t)(end - start)};
}

/* By the first byte; containers are SR_OBJECT. */
static sr_kind kind_of(char first)
{
    switch (first) {
    case '"':
        return SR_STRING;
    case '{':
    case '[':
        return SR_OBJECT;
    case 't':
    case 'f':
        return SR_BOOL;
    case 'n':
        return SR_NULL;
    default:
        return SR_NUMBER;
    }
}

static bool take_values(const layout *known, const sr_scan *s,
                        const sr_keys *keys)
{
    sr_value *value = s->event->values;

    assert(known->value_count <= s->event->value_cap);
    for (uint32_t t = 0; t < known->taken_count; t++) {
        const taken *from = &known->taken[t];
        const sg_str raw = value_of(from, s, keys);
        const sr_kind kind = *raw.ptr == '"' ? SR_STRING : kind_of(*raw.ptr);
        if (kind == SR_OBJECT)
            return false;
        for (uint32_t c = 0; c < from->count; c++, value++) {
            value->raw = raw;
            value->text.ptr = value->folded.ptr = NULL;
            value->text.len = value->folded.len = 0;
            value->num = kind == SR_NUMBER ? sr_number(raw) : (sg_num){0};
            value->next = SIGMA_NONE;
            value->kind = (uint8_t)kind;
            value->boolean = *raw.ptr == 't';
        }
    }
    return true;
}

static void fill_slots(const layout *known, sr_event *event)
{
    for (uint32_t i = 0; i < known->filled_count; i++) {
        const filled *f = &known->filled[i];
        event->slots[f->slot] = (sr_slot){f->value, f->value};
        event->filled[i] = f->slot;
    }
    event->filled_count = known->filled_count;
    event->value_count = known->value_count;
}

/* -------- reading -------------------------------------------------------- */

static layout **place_of(sr_layouts *l)
{
    return l->places[l->hash >> (64 - PLACES_LOG2)];
}

/* The layout of the keys listed; NULL when it is not known. */
static const layout *find(sr_layouts *l, const char *line)
{
    layout *const *place = place_of(l);

    for (uint32_t i = 0; i < PLACE && place[i] != NULL; i++)
        if (place[i]->hash == l->hash && has_keys(place[i], line, &l->keys))
            return place[i];
    return NULL;
}

static bool fill(sr_layouts *l, const sr_scan *s)
{
    l->hash = hash_of(s->line, &l->keys);
    const layout *known = find(l, s->line);

    l->unknown = known == NULL;
    if (l->unknown || !take_values(known, s, &l->keys))
        return false;
    fill_slots(known, s->event);
    l->known++;
    return true;
}

bool sr_layout_read(sr_scan *s)
{
    sr_layouts *l = s->event->work == NULL ? NULL : s->event->work->layouts;
    const char *const end = s->end;

    if (l == NULL)
        return false;
    l->unknown = false;
    if (s->plan->level->scan == NULL || s->event->value_count != 0 ||
        s->event->filled_count != 0 || end - s->line > LINE_MOST ||
        !is_due(l, s->plan))
        return false;
    if (l->seed != s->plan->seed[0]) {
        forget(l);
        l->seed = s->plan->seed[0];
    }
    l->keys.count = 0;
    s->keys = &l->keys;
    const bool done = s->plan->level->scan(s) && fill(l, s);
    s->keys = NULL;
    s->end = end;
    return done;
}

/* -------- learning ------------------------------------------------------- */

/* The key before a colon, with its quotes and the colon; empty when there is
 * space in between. */
static sg_str key_at(const char *line, uint32_t colon)
{
    const char *const end = line + colon + 1;
    const char *start = end - 2;

    if (*start != '"')
        return SG_S("");
    do
        start--;
    while (*start != '"');
    return (sg_str){start, (size_t)(end - start)};
}

/* What is learned of a line. */
typedef struct lesson {
    sg_str keys[SR_KEYS_MOST];
    taken taken[SR_KEYS_MOST];
    uint32_t taken_count, value_count;
    size_t texts; /* bytes of the keys */
} lesson;

/* Key `i`, and what its value gives. */
static bool learn_key(lesson *out, const sr_scan *s, const sr_keys *keys,
                      uint32_t i)
{
    const sg_str text = key_at(s->line, keys->at[i]);
    const char *value = s->line + keys->at[i] + 1;
    uint32_t node;

    if (text.len == 0)
        return false;
    out->keys[i] = text;
    out->texts += text.len;
    node = sr_node_child(s->plan, &s->plan->nodes[0],
                         sg_str_sub(text, 1, text.len - 2));
    if (node == SIGMA_NONE)
        return true;
    while (sr_is_space(*value))
        value++;
    const uint32_t count = s->plan->nodes[node].feed_count;
    out->taken[out->taken_count++] = (taken){i, count, 0};
    out->value_count += count;
    return kind_of(*value) != SR_OBJECT;
}

static bool learn_keys(lesson *out, const sr_scan *s, const sr_keys *keys)
{
    const sr_event *event = s->event;

    out->taken_count = out->value_count = 0;
    out->texts = 0;
    if (event->work->any_dead)
        return false;
    for (uint32_t i = 0; i < keys->count; i++)
        if (!learn_key(out, s, keys, i))
            return false;
    for (uint32_t i = 0; i < out->taken_count; i++) {
        const uint32_t next = out->taken[i].key + 1;
        if (next < keys->count)
            out->taken[i].next = (uint32_t)out->keys[next].len;
    }
    for (uint32_t i = 0; i < event->filled_count; i++) {
        const sr_slot *slot = &event->slots[event->filled[i]];
        if (slot->first != slot->last)
            return false;
    }
    return out->value_count == event->value_count &&
           out->value_count <= VALUES_MOST;
}

static void set_key(key *k, char *copy, sg_str text)
{
    char tail[TAIL] = {0};
    const uint32_t len = tail_len((uint32_t)text.len);

    memcpy(copy, text.ptr, text.len);
    memcpy(tail + TAIL - len, text.ptr + text.len - len, len);
    k->tail[0] = load_half(tail);
    k->tail[1] = load_half(tail + TAIL / 2);
    k->text = copy;
    k->len = (uint32_t)text.len;
}

/* In one piece of memory; NULL when there is none. */
static layout *layout_new(const lesson *from, uint32_t key_count,
                          const sr_event *event)
{
    const size_t keys = key_count * sizeof(key);
    const size_t takens = from->taken_count * sizeof(taken);
    const size_t slots = event->filled_count * sizeof(filled);
    layout *new = malloc(sizeof *new + keys + takens + slots + from->texts);
    char *text;

    if (new == NULL)
        return NULL;
    new->keys = (key *)(void *)(new + 1);
    new->taken = (taken *)(void *)(new->keys + key_count);
    new->filled = (filled *)(void *)(new->taken + from->taken_count);
    text = (char *)(new->filled + event->filled_count);
    new->key_count = key_count;
    new->taken_count = from->taken_count;
    new->filled_count = event->filled_count;
    new->value_count = from->value_count;
    for (uint32_t i = 0; i < key_count; i++) {
        set_key(&new->keys[i], text, from->keys[i]);
        text += from->keys[i].len;
    }
    if (takens != 0)
        memcpy(new->taken, from->taken, takens);
    for (uint32_t i = 0; i < event->filled_count; i++) {
        const uint32_t slot = event->filled[i];
        new->filled[i] = (filled){slot, event->slots[slot].first};
    }
    return new;
}

void sr_layout_learn(const sr_scan *s)
{
    sr_layouts *l = s->work->layouts;
    lesson out;
    layout *new, **place;

    if (l == NULL) {
        s->work->layouts = calloc(1, sizeof *l);
        return;
    }
    if (!l->unknown || !learn_keys(&out, s, &l->keys))
        return;
    new = layout_new(&out, l->keys.count, s->event);
    if (new == NULL)
        return;
    new->hash = l->hash;
    place = place_of(l);
    free(place[PLACE - 1]);
    memmove(place + 1, place, (PLACE - 1) * sizeof *place);
    *place = new;
}
