/*
 * keyed.c - judges lines by the values that stand behind the keys of a field,
 * found in the bytes of the lines without reading what is around them.
 *
 * Why a line in which no such value holds cannot have one that does. A field is
 * found by paths (shapes.def), so a value of it stands behind the last key of
 * one: in it, in an object (`#text`) or in an array. These keys have plain
 * characters only. JSON writes such a character as itself or as \uXXXX, and a
 * key between quotes with a colon behind. Hence there is in the line
 *   - the key in its quotes, which the scan finds. Behind it stands a scalar,
 *     which is read here as the scanner would, or something else, for which the
 *     line passes; or
 *   - an escape of one of the key's characters, for which it passes, too.
 * Of a key given twice both values are judged, though only the last one counts.
 * What looks like the key in some other place is judged as well: it can only
 * make a line pass.
 *
 * Some objects have the field under a key with blanks ("Threat Name", %S in
 * shapes.def), never the outermost. Where a line may have others, their own
 * keys are looked for, which end in the same few characters; what is behind in
 * the line is then searched for such a key.
 */
#include "record/needles.h"
#include "record/scan.h"

enum {
    KEYS_MOST = 4,
    COMMON_LEAST = 3, /* characters that the keys of those objects share */
    REFUSED = 16,     /* values kept */
    REFUSED_LEN = 15  /* bytes of one, at most */
};

/* A value as written that does not hold. */
typedef struct refused {
    uint8_t len; /* 0: none */
    char text[REFUSED_LEN];
} refused;

typedef struct key {
    sg_str quoted; /* in its quotes */
    size_t at;     /* where its needle begins */
} key;

struct sr_keyed {
    sr_value_fn *holds;
    void *ctx;
    sr_event event;           /* for texts of values */
    refused refused[REFUSED]; /* the same few come again and again */
    sr_needles needles;
    key keys[KEYS_MOST];
    uint32_t key_count;
    sg_str name;
    sr_needles holders; /* keys of such objects; none if they do not matter */
    sr_needles blanks;  /* ends of keys that may be the name with blanks */
};

/* -------- the keys of a field ------------------------------------------- */

/* What comes behind the last dot. */
static sg_str last_step(sg_str path)
{
    size_t at = path.len;

    while (at > 0 && path.ptr[at - 1] != '.')
        at--;
    return sg_str_sub(path, at, path.len);
}

static bool is_plain(sg_str text)
{
    bool plain = text.len != 0;

    for (size_t i = 0; i < text.len; i++)
        plain = plain && sr_is_plain(text.ptr[i]);
    return plain;
}

static bool add_key(sr_keyed *k, sg_arena *arena, sg_str name)
{
    const sg_str quoted = sg_arena_printf(arena, "\"%.*s\"", SG_FMT(name));
    const size_t len = quoted.len < SR_NEEDLE ? quoted.len : SR_NEEDLE;

    for (uint32_t i = 0; i < k->key_count; i++)
        if (sg_str_eq(k->keys[i].quoted, quoted))
            return true;
    if (!is_plain(name) || k->key_count == KEYS_MOST)
        return false;
    const size_t at = sr_needle_rarest(quoted, len);

    k->keys[k->key_count++] = (key){quoted, at};
    sr_needles_add(&k->needles, sg_str_sub(quoted, at, at + len), SR_AS_IS);
    sr_needles_hide(&k->needles, name);
    return true;
}

/* How many characters the ends of both have in common. */
static size_t common_end(sg_str a, sg_str b)
{
    size_t n = 0;

    while (n < a.len && n < b.len &&
           a.ptr[a.len - 1 - n] == b.ptr[b.len - 1 - n])
        n++;
    return n;
}

/* The key of the object that a row with %S or *.%S looks into; empty for any
 * other row. */
static sg_str holder_of(const sr_shape_row *row)
{
    sg_str path = row->path;

    if (!sg_str_ends(path, SG_S(".%S")))
        return SG_S("");
    path.len -= 3;
    if (sg_str_ends(path, SG_S(".*")))
        path.len -= 2;
    return last_step(path);
}

/* What the keys of all objects end in where keys may have blanks. */
static sg_str common_holder(void)
{
    sg_str common = SG_S("");

    for (uint32_t i = 0; i < sr_shape_row_count; i++) {
        const sg_str holder = holder_of(&sr_shape_rows[i]);
        const size_t n =
            common.len == 0 ? holder.len : common_end(common, holder);
        if (holder.len != 0)
            common = sg_str_sub(holder, holder.len - n, holder.len);
    }
    return common;
}

/* Names with blanks of their own are no other key without them. */
static bool add_blanks(sr_keyed *k, sg_arena *arena)
{
    const sg_str holder = common_holder();
    const char last[] = {k->name.ptr[k->name.len - 1], '"'};

    if (sr_has_blank(k->name))
        return true;
    if (holder.len < COMMON_LEAST || holder.len >= SR_NEEDLE ||
        !is_plain(holder))
        return false;
    const sg_str end = sg_arena_printf(arena, "%.*s\"", SG_FMT(holder));

    sr_needles_init(&k->holders);
    sr_needles_add(&k->holders, end, SR_AS_IS);
    sr_needles_hide(&k->holders, holder);
    sr_needles_init(&k->blanks);
    sr_needles_add(&k->blanks, (sg_str){last, sizeof last}, SR_AS_IS);
    sr_needles_add(&k->blanks, SG_S(" \""), SR_AS_IS);
    sr_needles_hide(&k->blanks, k->name);
    sr_needles_hide(&k->blanks, SG_S(" "));
    return true;
}

sr_keyed *sr_keyed_new(sg_arena *arena, sg_str name, sr_value_fn *holds,
                       void *ctx)
{
    sr_keyed *k = sg_new(arena, sr_keyed);

    k->holds = holds;
    k->ctx = ctx;
    k->name = name;
    sr_needles_init(&k->needles);
    bool good = add_key(k, arena, name) && add_key(k, arena, last_step(name));

    for (uint32_t i = 0; good && i < sr_shape_row_count; i++) {
        const sr_shape_row *row = &sr_shape_rows[i];
        if (row->name.len != 0 && sg_str_eq(row->name, name))
            good = add_key(k, arena, last_step(row->path));
    }
    if (!good || !add_blanks(k, arena))
        return NULL;
    sr_event_init(&k->event, 0);
    return k;
}

void sr_keyed_free(sr_keyed *k)
{
    if (k != NULL)
        sr_event_free(&k->event);
}

uint32_t sr_keyed_needles(const sr_keyed *k)
{
    return k->needles.count;
}

/* -------- looking -------------------------------------------------------- */

/* The key that the needle at `hit` is of, or NULL. */
static const key *key_at(const sr_keyed *k, sg_str text, const char *hit)
{
    const size_t at = (size_t)(hit - text.ptr);

    for (uint32_t i = 0; i < k->key_count; i++) {
        const key *one = &k->keys[i];
        if (at >= one->at &&
            sg_str_starts(sg_str_sub(text, at - one->at, text.len),
                          one->quoted))
            return one;
    }
    return NULL;
}

/* Within the line. */
static const char *over_blanks(const char *p, const char *end)
{
    while (p < end && (*p == ' ' || *p == '\t'))
        p++;
    return p;
}

/* Where such a value is kept; NULL: it is too long for that. */
static refused *place_of(sr_keyed *k, sg_str raw)
{
    const unsigned char *p = (const unsigned char *)raw.ptr;
    const size_t middle = raw.len / 2;

    if (raw.len > REFUSED_LEN)
        return NULL;
    return &k->refused[(raw.len + p[middle] + p[middle / 2] * (size_t)5) %
                       REFUSED];
}

static bool is_refused(const refused *r, sg_str raw)
{
    return r != NULL && r->len == raw.len &&
           memcmp(r->text, raw.ptr, raw.len) == 0;
}

static void keep(refused *r, sg_str raw)
{
    if (r == NULL)
        return;
    r->len = (uint8_t)raw.len;
    memcpy(r->text, raw.ptr, raw.len);
}

/* Whether the scalar holds. */
static bool holds(sr_keyed *k, sr_kind kind, sg_str raw, bool escaped)
{
    refused *const r = place_of(k, raw);
    sr_value value;

    if (is_refused(r, raw))
        return false;
    sr_fill_value(&value, kind, raw, escaped);
    value.next = SIGMA_NONE;
    sr_event_begin(&k->event, SG_S(""));
    if (k->holds(k->ctx, &k->event, &value))
        return true;
    keep(r, raw);
    return false;
}

/* Where to go on behind the value of the key that ends at p; NULL: it holds, or
 * is no scalar. */
static const char *behind_value(sr_keyed *k, const char *p, const char *end)
{
    sr_fault fault;
    sr_kind kind;

    p = over_blanks(p, end);
    if (p == end || *p != ':')
        return NULL;
    p = over_blanks(p + 1, end);
    sr_scan s = {.p = p, .line = p, .end = end, .fault = &fault};

    if (p == end || !sr_scan_scalar(&s, &kind))
        return NULL;
    const sg_str raw = {p, (size_t)(s.p - p)};

    return holds(k, kind, raw, s.escaped) ? NULL : s.p;
}

/* Whether the string that ends with this quote is the name but for some blanks.
 * What is looked at ends with the quote before. */
static bool is_name_with_blanks(sg_str name, const char *from,
                                const char *quote)
{
    size_t left = name.len;
    bool blank = false;

    for (const char *p = quote; p-- > from;) {
        if (*p == '"')
            return left == 0 && blank;
        blank = blank || *p == ' ';
        if (*p == ' ')
            continue;
        if (left == 0 || *p != name.ptr[left - 1])
            return false;
        left--;
    }
    return false;
}

bool sr_keyed_has_blanks(const sr_keyed *k, sg_str line)
{
    const char *const end = line.ptr + line.len;
    const char *const from =
        k->holders.count == 0 ? NULL : sr_needles_find(&k->holders, line);
    const char *hit;

    if (from == NULL)
        return false;
    for (const char *p = from;
         (hit = sr_needles_find(&k->blanks, (sg_str){p, (size_t)(end - p)})) !=
         NULL;
         p = hit + 1)
        if (*hit == '\\' || is_name_with_blanks(k->name, from, hit + 1))
            return true;
    return *from == '\\';
}

const char *sr_keyed_find(sr_keyed *k, sg_str text, uint64_t *stops)
{
    const char *const end = text.ptr + text.len, *hit;
    const char *p = text.ptr;

    for (; (hit = sr_needles_find(&k->needles,
                                  (sg_str){p, (size_t)(end - p)})) != NULL;
         ++*stops) {
        const key *found = key_at(k, text, hit);

        if (*hit == '\\')
            break;
        p = found == NULL
                ? hit + 1
                : behind_value(k, hit - found->at + found->quoted.len, end);
        if (p == NULL)
            break;
    }
    *stops += hit != NULL;
    return hit;
}
