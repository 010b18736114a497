/*
 * attack.c - which ATT&CK tactics and techniques the rules name in their tags.
 * A tag is read in any case, with '_' or '-'.
 */
#include "ci/ci.h"

#include <inttypes.h>
#include <stdlib.h>

static const struct tactic {
    sg_str name;
    const char *title;
} tactics[SC_CI_TACTICS] = {
#define TACTIC(name, title) {SG_LIT(name), title},
#include "report/tactics.def"
#undef TACTIC
};

enum {
    NONE = SC_CI_TACTICS, /* no tactic */
    MAX_COMMENT = 20      /* titles in a comment of the layer */
};

/* -------- tags ------------------------------------------------------------ */

static char lower(char c)
{
    return (char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
}

/* What stands behind "attack."; empty for other tags. */
static sg_str attack_part(sg_str tag)
{
    static const char space[] = "attack.";
    const size_t len = sizeof space - 1;

    if (tag.len <= len ||
        !sg_str_eq_nocase(sg_str_sub(tag, 0, len), (sg_str){space, len}))
        return SG_S("");
    return sg_str_sub(tag, len, tag.len);
}

static unsigned find_tactic(sg_str part)
{
    for (unsigned i = 0; i < SC_CI_TACTICS; i++) {
        const sg_str name = tactics[i].name;
        size_t k = 0;

        while (k < part.len && k < name.len &&
               (lower(part.ptr[k]) == name.ptr[k] ||
                (part.ptr[k] == '_' && name.ptr[k] == '-')))
            k++;
        if (k == part.len && k == name.len)
            return i;
    }
    return NONE;
}

static bool are_digits(sg_str s, size_t beg, size_t end)
{
    for (size_t i = beg; i < end; i++)
        if (s.ptr[i] < '0' || s.ptr[i] > '9')
            return false;
    return true;
}

/* t1059, t1059.001 */
static bool is_technique(sg_str s)
{
    return (s.len == 5 || s.len == 9) && lower(s.ptr[0]) == 't' &&
           are_digits(s, 1, 5) &&
           (s.len == 5 || (s.ptr[5] == '.' && are_digits(s, 6, 9)));
}

/* -------- counting -------------------------------------------------------- */

typedef struct counter {
    sg_arena *arena;
    sc_ci_attack *out;
    sg_map index; /* technique to its place */
} counter;

static uint32_t technique_of(counter *c, sg_str part)
{
    char id[10] = "T";
    bool known;
    sg_str key;
    uint32_t *cell;

    for (size_t i = 1; i < part.len; i++)
        id[i] = part.ptr[i];
    key = sg_arena_dup(c->arena, (sg_str){id, part.len});
    cell = sg_map_put(c->arena, &c->index, key, &known);
    if (!known) {
        const sc_ci_technique t = {.id = key};

        *cell = c->out->techniques.count;
        SG_PUSH(c->arena, &c->out->techniques, t);
    }
    return *cell;
}

static void count_technique(const counter *c, uint32_t index, uint32_t doc)
{
    sc_ci_technique *t = &c->out->techniques.items[index];

    if (t->docs.count == 0 || t->docs.items[t->docs.count - 1] != doc)
        SG_PUSH(c->arena, &t->docs, doc);
}

static void count_rule(counter *c, const sc_rule *rule)
{
    bool seen[SC_CI_TACTICS] = {false};

    for (uint32_t i = 0; i < rule->tags.count; i++) {
        const sg_str part = attack_part(rule->tags.items[i]);
        const unsigned tactic = find_tactic(part);

        if (tactic != NONE && !seen[tactic]) {
            seen[tactic] = true;
            c->out->tactics[tactic]++;
        } else if (is_technique(part)) {
            count_technique(c, technique_of(c, part), rule->doc);
        }
    }
}

static void count_cells(const sc_ci *ci, sg_arena *arena, sc_ci_attack *a)
{
    a->cells = sg_new_n(arena, uint32_t,
                        ((size_t)a->techniques.count + 1) * SC_CI_TACTICS);
    for (uint32_t i = 0; i < a->techniques.count; i++) {
        const sc_ci_technique *t = &a->techniques.items[i];

        for (uint32_t k = 0; k < t->docs.count; k++) {
            const sc_rule *rule = ci->docs[t->docs.items[k]].rule;
            bool seen[SC_CI_TACTICS + 1] = {false};

            for (uint32_t n = 0; n < rule->tags.count; n++)
                seen[find_tactic(attack_part(rule->tags.items[n]))] = true;
            for (unsigned n = 0; n < SC_CI_TACTICS; n++)
                a->cells[(size_t)i * SC_CI_TACTICS + n] += seen[n];
        }
    }
}

static int by_id(const void *a, const void *b)
{
    return sg_str_cmp(((const sc_ci_technique *)a)->id,
                      ((const sc_ci_technique *)b)->id);
}

void sc_ci_attack_count(const sc_ci *ci, sg_arena *arena, sc_ci_attack *out)
{
    counter c = {.arena = arena, .out = out};

    *out = (sc_ci_attack){.cells = NULL};
    for (uint32_t i = 0; i < ci->s->docs.count; i++)
        if (ci->docs[i].rule != NULL && ci->docs[i].good)
            count_rule(&c, ci->docs[i].rule);
    if (out->techniques.count > 1)
        qsort(out->techniques.items, out->techniques.count,
              sizeof(*out->techniques.items), by_id);
    count_cells(ci, arena, out);
}

/* -------- the report ------------------------------------------------------ */

static void put_cells(const sc_ci_attack *a, unsigned tactic, sg_buf *out)
{
    bool more = false;

    for (uint32_t i = 0; i < a->techniques.count; i++) {
        const uint32_t n = a->cells[(size_t)i * SC_CI_TACTICS + tactic];

        if (n == 0)
            continue;
        sg_buf_printf(out, "%s\"%.*s\":%" PRIu32, more ? "," : "",
                      SG_FMT(a->techniques.items[i].id), n);
        more = true;
    }
}

void sc_ci_attack_json(const sc_ci *ci, sg_buf *out)
{
    sg_arena tmp = {0};
    sc_ci_attack a;
    bool more = false;

    sc_ci_attack_count(ci, &tmp, &a);
    sg_buf_putz(out, "\"attack\":{\"tactics\":[");
    for (unsigned i = 0; i < SC_CI_TACTICS; i++) {
        if (a.tactics[i] == 0)
            continue;
        sg_buf_printf(out,
                      "%s{\"name\":\"%s\",\"title\":\"%s\",\"rules\":%" PRIu32
                      ",\"techniques\":{",
                      more ? "," : "", tactics[i].name.ptr, tactics[i].title,
                      a.tactics[i]);
        put_cells(&a, i, out);
        sg_buf_putz(out, "}}");
        more = true;
    }
    sg_buf_putz(out, "],\"techniques\":{");
    for (uint32_t i = 0; i < a.techniques.count; i++)
        sg_buf_printf(out, "%s\"%.*s\":%" PRIu32, i > 0 ? "," : "",
                      SG_FMT(a.techniques.items[i].id),
                      a.techniques.items[i].docs.count);
    sg_buf_putz(out, "}}");
    sg_arena_free(&tmp);
}

/* -------- the layer ------------------------------------------------------- */

static sg_str title_of(const sc_ci *ci, uint32_t doc)
{
    const sc_doc *d = &ci->s->docs.items[doc];

    return d->title.len > 0 ? d->title : d->path;
}

/* The first titles, one a line. */
static void put_comment(const sc_ci *ci, const sc_ci_technique *t, sg_buf *out)
{
    sg_buf text = {0};

    for (uint32_t i = 0; i < t->docs.count && i < MAX_COMMENT; i++) {
        if (i > 0)
            sg_buf_putc(&text, '\n');
        sc_put_safe(&text, title_of(ci, t->docs.items[i]));
    }
    if (t->docs.count > MAX_COMMENT)
        sg_buf_printf(&text, "\nand %" PRIu32 " more",
                      t->docs.count - MAX_COMMENT);
    sg_buf_putz(out, "\"comment\":");
    sg_buf_put_json(out, sg_buf_str(&text));
    sg_buf_free(&text);
}

/* Each rule: its path, and its title. */
static void put_metadata(const sc_ci *ci, const sc_ci_technique *t, sg_buf *out)
{
    sg_buf text = {0};

    sg_buf_putz(out, ",\"metadata\":[");
    for (uint32_t i = 0; i < t->docs.count; i++) {
        const uint32_t doc = t->docs.items[i];

        sg_buf_putz(out, i > 0 ? ",{\"name\":" : "{\"name\":");
        text.len = 0;
        sc_put_safe(&text, ci->s->docs.items[doc].path);
        sg_buf_put_json(out, sg_buf_str(&text));
        text.len = 0;
        sc_put_safe(&text, title_of(ci, doc));
        sg_buf_putz(out, ",\"value\":");
        sg_buf_put_json(out, sg_buf_str(&text));
        sg_buf_putc(out, '}');
    }
    sg_buf_putc(out, ']');
    sg_buf_free(&text);
}

/* Parts of a technique follow it. */
static bool has_parts(const sc_ci_attack *a, uint32_t i)
{
    return i + 1 < a->techniques.count &&
           a->techniques.items[i + 1].id.len > a->techniques.items[i].id.len &&
           sg_str_starts(a->techniques.items[i + 1].id,
                         a->techniques.items[i].id);
}

/* A technique without a tactic is shown in every tactic that it belongs to. */
static void put_techniques(const sc_ci *ci, const sc_ci_attack *a, sg_buf *out)
{
    for (uint32_t i = 0; i < a->techniques.count; i++) {
        const sc_ci_technique *t = &a->techniques.items[i];

        sg_buf_printf(out,
                      "%s{\"techniqueID\":\"%.*s\",\"score\":%" PRIu32
                      ",\"enabled\":true,\"showSubtechniques\":%s,",
                      i > 0 ? "," : "", SG_FMT(t->id), t->docs.count,
                      has_parts(a, i) ? "true" : "false");
        put_comment(ci, t, out);
        put_metadata(ci, t, out);
        sg_buf_putc(out, '}');
    }
}

static uint32_t highest(const sc_ci_attack *a)
{
    uint32_t most = 1;

    for (uint32_t i = 0; i < a->techniques.count; i++)
        if (a->techniques.items[i].docs.count > most)
            most = a->techniques.items[i].docs.count;
    return most;
}

void sc_ci_navigator(const sc_ci *ci, sg_buf *out)
{
    sg_arena tmp = {0};
    sc_ci_attack a;
    bool more = false;

    sc_ci_attack_count(ci, &tmp, &a);
    sg_buf_putz(out,
                "{\"name\":\"Sigma rules\",\"versions\":{\"layer\":\"4.5\"},"
                "\"domain\":\"enterprise-attack\",\"description\":"
                "\"Number of rules that name a technique in their tags\","
                "\"sorting\":3,\"hideDisabled\":false,\"techniques\":[");
    put_techniques(ci, &a, out);
    sg_buf_printf(out,
                  "],\"gradient\":{\"colors\":[\"#deebf7\",\"#2171b5\"],"
                  "\"minValue\":0,\"maxValue\":%" PRIu32 "},\"metadata\":[",
                  highest(&a));
    for (unsigned i = 0; i < SC_CI_TACTICS; i++) {
        if (a.tactics[i] == 0)
            continue;
        sg_buf_printf(out,
                      "%s{\"name\":\"%s\",\"value\":\"%" PRIu32 " rules\"}",
                      more ? "," : "", tactics[i].name.ptr, a.tactics[i]);
        more = true;
    }
    sg_buf_putz(out, "]}\n");
    sg_arena_free(&tmp);
}
