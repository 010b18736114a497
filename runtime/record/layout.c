/*
 * layout.c - lines with the same keys in the same order, read without looking
 * any of them up.
 *
 * A log has few kinds of events, and those of one kind have the same keys. The
 * fast scanner lists the line's joints, which are colons and brackets, and does
 * nothing else. A layout is such a list, a colon with the key before it, and
 * what came of it: the values that were taken, by the joint that each stands
 * behind, and the slots that these fill.
 *
 * Why the same comes of a line with the same joints. They tell which key has a
 * scalar, an object or an array, and in what it lies; that is all that cells
 * are chosen by. They do not tell how many scalars an array has, or which: so
 * lines of which something in an array was taken make no layout. Nor do those
 * where a repeated key took something back, or with space before a colon. Such
 * lines are read key by key, and so are those with escapes in keys, which the
 * fast scanner leaves alone.
 *
 * Layouts lie in a table by a hash, a few in each place, of which the oldest
 * goes for a new one. Where hardly any line has a known layout, looking for one
 * rests; so lines made for the purpose cost little more than they do without.
 */
#include "record/habit.h"
#include "record/scan.h"

#include <assert.h>
#include <stdlib.h>

enum {
    PLACES_LOG2 = 8,
    PLACE = 4, /* layouts in one */
    LINE_MOST = 1 << 20,
    VALUES_MOST = 512,
    BYTES_MOST = 1 << 22, /* of all layouts; keys may be long */
    MANY_KEYS = 48,       /* wanted of the outermost object; else it is as
                           * quick to look at the ends of keys */
    TAIL = 32             /* bytes compared without asking how long a key is */
};

/* Half of the lines must have a known layout. */
static const sr_habit_rule habit_rule = {
    .round = 256, .pays = 256 / 2, .rest = 8 * 256, .rest_most = 64 * 256};

/* Bytes that are compared at once, half of a TAIL. */
typedef uint64_t half __attribute__((vector_size(TAIL / 2), aligned(8)));

/* A joint of a layout: a key with its quotes and colon, or a bracket. */
typedef struct joint {
    half tail[2]; /* its last bytes, zeros before a shorter one */
    const char *text;
    uint32_t len;
} joint;

/* A value that is taken. */
typedef struct taken {
    uint32_t key;  /* a scalar: the joint it stands behind; an object: its
                    * first bracket */
    uint32_t next; /* the joint behind the scalar; the object's last bracket */
    uint32_t len;  /* of that joint; 0 for an object */
} taken;

typedef struct filled {
    uint32_t slot;
    sr_slot values;
} filled;

typedef struct layout {
    uint64_t hash;
    joint *joints;
    taken *taken;    /* in the order of the event's values */
    uint32_t *nexts; /* of these values */
    filled *filled;
    size_t size; /* bytes of all this */
    uint32_t joint_count, taken_count, filled_count;
} layout;

struct sr_layouts {
    uint64_t seed;                           /* of the plan they are of */
    layout *places[1 << PLACES_LOG2][PLACE]; /* the newest first */
    size_t bytes;                            /* of these */
    sr_joints joints;                        /* of the line at hand */
    uint64_t hash;                           /* of these */
    bool unknown;   /* they are listed, and to be learned */
    sr_habit habit; /* pays for lines with a known layout */
};

sr_layout_set sr_layouts_choose(const sr_plan *plan, uint32_t keys)
{
    const char *set = getenv("SIGCC_LAYOUTS");

    if (plan->keywords != SIGMA_NONE) /* takes all scalars of arrays */
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
    l->bytes = 0;
}

void sr_layouts_free(sr_layouts *l)
{
    if (l != NULL)
        forget(l);
    free(l);
}

static bool is_due(sr_layouts *l, const sr_plan *plan)
{
    return plan->layouts == SR_LAYOUTS_ALWAYS ||
           sr_habit_is_due(&l->habit, &habit_rule);
}

/* -------- joints --------------------------------------------------------- */

/* What there is of the joint at p: a bracket, or the last bytes of a key. */
static inline uint64_t trait_of(const char *p)
{
    const uint64_t trait = sr_hash_4(p - 3);

    return *p == ':' ? trait : (uint64_t)(unsigned char)*p;
}

/* 0 where there is not enough of the line before them. */
static uint64_t hash_of(const char *line, const sr_joints *joints)
{
    const uint64_t odd = UINT64_C(0x9E3779B97F4A7C15);
    uint64_t hash = joints->count;

    if (joints->at[1] < 3)
        return 0;
    /* The products do not wait for each other. The first joint is the brace
     * of any line. */
    for (uint32_t i = 1; i < joints->count; i++)
        hash = (hash << 7 | hash >> 57) + trait_of(line + joints->at[i]) * odd;
    return hash * odd;
}

/* Bytes of a shorter joint's tail that count. */
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

/* 0 when the text before `end`, at least TAIL bytes, ends as the joint does. */
static inline half tail_differs(const char *end, const joint *j)
{
    const uint8_t *mask = mask_window + tail_len(j->len);
    const half first = load_half(end - TAIL) & load_half(mask);
    const half last = load_half(end - TAIL / 2) & load_half(mask + TAIL / 2);

    return (first ^ j->tail[0]) | (last ^ j->tail[1]);
}

static bool is_text(const char *line, uint32_t end, const joint *j)
{
    return end >= j->len && memcmp(line + end - j->len, j->text, j->len) == 0;
}

/* Whether these are the line's joints. No key holds a quote or a backslash, so
 * the text with its quotes before the colon is all of the key. */
static bool has_joints(const layout *known, const char *line,
                       const sr_joints *joints)
{
    half differs = {0, 0};
    uint32_t i = 0;

    if (known->joint_count != joints->count)
        return false;
    for (; i < joints->count && joints->at[i] + 1 < TAIL; i++)
        if (!is_text(line, joints->at[i] + 1, &known->joints[i]))
            return false;
    for (; i < joints->count; i++) {
        const joint *j = &known->joints[i];
        const uint32_t end = joints->at[i] + 1;
        differs |= tail_differs(line + end, j);
        if (j->len > TAIL && !is_text(line, end, j))
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

/* The text of a value, without the space around. */
static inline sg_str text_of(const taken *t, const char *line,
                             const sr_joints *joints)
{
    const char *start = line + joints->at[t->key];
    const char *end = line + joints->at[t->next] + 1 - t->len;

    if (t->len == 0) /* an object */
        return (sg_str){start, (size_t)(end - start)};
    do
        start++;
    while ((unsigned char)*start <= ' ');
    end = before_space(end);
    if (end[-1] == ',')
        end = before_space(end - 1);
    return (sg_str){start, (size_t)(end - start)};
}

/* By the first byte; arrays are not taken. */
static sr_kind kind_of(char first)
{
    switch (first) {
    case '"':
        return SR_STRING;
    case '{':
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

static void take_values(const layout *known, const char *line,
                        const sr_joints *joints, sr_event *event)
{
    assert(known->taken_count <= event->value_cap);
    for (uint32_t i = 0; i < known->taken_count; i++) {
        const sg_str raw = text_of(&known->taken[i], line, joints);
        const sr_kind kind = *raw.ptr == '"' ? SR_STRING : kind_of(*raw.ptr);
        sr_value *value = &event->values[i];
        /* The joints do not tell of escapes. */
        sr_fill_value(value, kind, raw, true);
        value->next = known->nexts[i];
    }
    event->value_count = known->taken_count;
}

static void fill_slots(const layout *known, sr_event *event)
{
    for (uint32_t i = 0; i < known->filled_count; i++) {
        const filled *f = &known->filled[i];
        event->slots[f->slot] = f->values;
        event->filled[i] = f->slot;
    }
    event->filled_count = known->filled_count;
}

/* -------- reading -------------------------------------------------------- */

static layout **place_of(sr_layouts *l)
{
    return l->places[l->hash >> (64 - PLACES_LOG2)];
}

/* The layout of the joints listed; NULL when it is not known. */
static const layout *find(sr_layouts *l, const char *line)
{
    layout *const *place = place_of(l);

    for (uint32_t i = 0; i < PLACE && place[i] != NULL; i++)
        if (place[i]->hash == l->hash && has_joints(place[i], line, &l->joints))
            return place[i];
    return NULL;
}

static bool fill(sr_layouts *l, const sr_scan *s)
{
    l->hash = hash_of(s->line, &l->joints);
    const layout *known = find(l, s->line);

    l->unknown = known == NULL;
    if (l->unknown)
        return false;
    take_values(known, s->line, &l->joints, s->event);
    fill_slots(known, s->event);
    sr_habit_paid(&l->habit);
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
    l->joints.count = 0;
    s->joints = &l->joints;
    const bool done = s->plan->level->scan(s) && fill(l, s);
    s->joints = NULL;
    s->end = end;
    return done;
}

/* -------- learning ------------------------------------------------------- */

/* What is learned of a line. */
typedef struct lesson {
    sg_str joints[SR_JOINTS_MOST];
    uint32_t partner[SR_JOINTS_MOST]; /* of a bracket: the one that closes it */
    bool in_array[SR_JOINTS_MOST];
    taken taken[VALUES_MOST];
    size_t texts; /* bytes of the joints */
} lesson;

/* The key before a colon, with its quotes and the colon; empty when there is
 * space in between. */
static sg_str key_before(const char *colon)
{
    const char *start = colon - 1;

    if (*start != '"')
        return SG_S("");
    do
        start--;
    while (*start != '"');
    return (sg_str){start, (size_t)(colon + 1 - start)};
}

static bool learn_joints(lesson *out, const char *line, const sr_joints *joints)
{
    uint32_t open[SR_JOINTS_MOST]; /* brackets */
    uint32_t depth = 0, arrays = 0;

    out->texts = 0;
    for (uint32_t i = 0; i < joints->count; i++) {
        const char *p = line + joints->at[i];
        out->joints[i] = *p == ':' ? key_before(p) : (sg_str){p, 1};
        out->in_array[i] = arrays != 0 || *p == '[' || *p == ']';
        out->texts += out->joints[i].len;
        if (out->joints[i].len == 0)
            return false;
        if (*p == '{' || *p == '[') {
            open[depth++] = i;
            arrays += *p == '[';
        } else if (*p != ':') {
            out->partner[open[--depth]] = i;
            arrays -= *p == ']';
        }
    }
    return true;
}

/* The last joint at the place or before it. */
static uint32_t joint_at(const sr_joints *joints, size_t place)
{
    uint32_t low = 0, high = joints->count;

    while (high - low > 1) {
        const uint32_t mid = low + (high - low) / 2;
        if (joints->at[mid] <= place)
            low = mid;
        else
            high = mid;
    }
    return low;
}

/* Which joint a value stands behind. */
static bool learn_value(lesson *out, const sr_joints *joints, const char *line,
                        const sr_value *value, taken *to)
{
    const uint32_t key = joint_at(joints, (size_t)(value->raw.ptr - line));

    if (out->in_array[key])
        return false;
    if (value->kind == SR_OBJECT)
        *to = (taken){key, out->partner[key], 0};
    else
        *to = (taken){key, key + 1, (uint32_t)out->joints[key + 1].len};
    return true;
}

static bool learn(lesson *out, const sr_scan *s, const sr_joints *joints)
{
    const sr_event *event = s->event;

    if (event->work->any_dead || event->value_count > VALUES_MOST ||
        !learn_joints(out, s->line, joints))
        return false;
    for (uint32_t i = 0; i < event->value_count; i++)
        if (!learn_value(out, joints, s->line, &event->values[i],
                         &out->taken[i]))
            return false;
    return true;
}

static void set_joint(joint *j, char *copy, sg_str text)
{
    char tail[TAIL] = {0};
    const uint32_t len = tail_len((uint32_t)text.len);

    memcpy(copy, text.ptr, text.len);
    memcpy(tail + TAIL - len, text.ptr + text.len - len, len);
    j->tail[0] = load_half(tail);
    j->tail[1] = load_half(tail + TAIL / 2);
    j->text = copy;
    j->len = (uint32_t)text.len;
}

/* What the event got. */
static void set_event(layout *to, const lesson *from, const sr_event *event)
{
    to->taken_count = event->value_count;
    for (uint32_t i = 0; i < event->value_count; i++) {
        to->taken[i] = from->taken[i];
        to->nexts[i] = event->values[i].next;
    }
    to->filled_count = event->filled_count;
    for (uint32_t i = 0; i < event->filled_count; i++) {
        const uint32_t slot = event->filled[i];
        to->filled[i] = (filled){slot, event->slots[slot]};
    }
}

/* In one piece of memory; NULL when there is none, or not so much for it. */
static layout *layout_new(const lesson *from, uint32_t joint_count,
                          const sr_event *event)
{
    const size_t size =
        sizeof(layout) + joint_count * sizeof(joint) +
        event->value_count * (sizeof(taken) + sizeof(uint32_t)) +
        event->filled_count * sizeof(filled) + from->texts;
    layout *new = size > BYTES_MOST ? NULL : malloc(size);
    char *text;

    if (new == NULL)
        return NULL;
    new->size = size;
    new->joints = (joint *)(void *)(new + 1);
    new->taken = (taken *)(void *)(new->joints + joint_count);
    new->nexts = (uint32_t *)(void *)(new->taken + event->value_count);
    new->filled = (filled *)(void *)(new->nexts + event->value_count);
    text = (char *)(new->filled + event->filled_count);
    new->joint_count = joint_count;
    for (uint32_t i = 0; i < joint_count; i++) {
        set_joint(&new->joints[i], text, from->joints[i]);
        text += from->joints[i].len;
    }
    set_event(new, from, event);
    return new;
}

/* The oldest of its place goes for it; all go where they would be too large. */
static void keep(sr_layouts *l, layout *new)
{
    layout **const place = place_of(l);
    layout *const oldest = place[PLACE - 1];

    if (oldest != NULL)
        l->bytes -= oldest->size;
    free(oldest);
    memmove(place + 1, place, (PLACE - 1) * sizeof *place);
    place[0] = NULL;
    if (l->bytes + new->size > BYTES_MOST)
        forget(l);
    l->bytes += new->size;
    new->hash = l->hash;
    place[0] = new;
}

void sr_layout_learn(const sr_scan *s)
{
    sr_layouts *l = s->work->layouts;
    lesson out;
    layout *new;

    if (l == NULL) {
        s->work->layouts = calloc(1, sizeof *l);
        return;
    }
    if (!l->unknown || !learn(&out, s, &l->joints))
        return;
    new = layout_new(&out, l->joints.count, s->event);
    if (new != NULL)
        keep(l, new);
}
