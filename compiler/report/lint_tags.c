/*
 * lint_tags.c - tags are NAMESPACE.NAME, and the well-known namespaces have a
 * grammar of their own: attack, car, cve, d3fend, detection, stp, tlp.
 */
#include "report/pass.h"

static const sg_str tactics[] = {
#define TACTIC(name, title) SG_LIT(name),
#include "report/tactics.def"
#undef TACTIC
};
enum { TACTICS = sizeof(tactics) / sizeof(*tactics) };

static const sg_str tlps[] = {
    SG_LIT("red"),          SG_LIT("amber"), SG_LIT("amber+strict"),
    SG_LIT("amber-strict"), SG_LIT("green"), SG_LIT("clear"),
    SG_LIT("white"),
};

static const sg_str detections[] = {
    SG_LIT("dfir"),
    SG_LIT("emerging-threats"),
    SG_LIT("threat-hunting"),
};

static bool one_of(sg_str word, const sg_str *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (sg_str_eq(word, list[i]))
            return true;
    return false;
}

/* Whether s is exactly `digits` digits from `at` on. */
static bool digits_to_end(sg_str s, size_t at, size_t digits)
{
    return s.len == at + digits &&
           sc_lint_digits(sg_str_sub(s, at, s.len), digits) == digits;
}

/* -------- grammars of the namespaces -------------------------------------- */

/* t1059, t1059.001, s0002, g0010, ds0005, c0001, m1013, a tactic. */
static bool is_attack(sg_str s)
{
    if (one_of(s, tactics, TACTICS))
        return true;
    if (s.len < 5)
        return false;
    if (s.ptr[0] == 't' && s.len == 9)
        return sc_lint_digits(sg_str_sub(s, 1, 5), 4) == 4 && s.ptr[5] == '.' &&
               digits_to_end(s, 6, 3);
    if (sg_str_starts(s, SG_S("ds")) || sg_str_starts(s, SG_S("ta")))
        return digits_to_end(s, 2, 4);
    return (s.ptr[0] == 't' || s.ptr[0] == 's' || s.ptr[0] == 'g' ||
            s.ptr[0] == 'c' || s.ptr[0] == 'm') &&
           digits_to_end(s, 1, 4);
}

/* 2021-44228 */
static bool is_cve(sg_str s)
{
    size_t rest;

    if (sc_lint_digits(s, 4) != 4 || s.len < 9 || s.ptr[4] != '-')
        return false;
    rest = sc_lint_digits(sg_str_sub(s, 5, s.len), 19);
    return rest >= 4 && s.len == 5 + rest;
}

/* 2013-05-002 */
static bool is_car(sg_str s)
{
    return s.len == 11 && sc_lint_digits(s, 4) == 4 && s.ptr[4] == '-' &&
           sc_lint_digits(sg_str_sub(s, 5, 7), 2) == 2 && s.ptr[7] == '-' &&
           digits_to_end(s, 8, 3);
}

static bool is_d3fend(sg_str s)
{
    return sg_str_starts(s, SG_S("d3-")) || sg_str_starts(s, SG_S("d3f-"));
}

static bool is_detection(sg_str s)
{
    return one_of(s, detections, sizeof(detections) / sizeof(*detections));
}

/* Summiting the Pyramid: level 1 to 5, then the kind of events. */
static bool is_stp(sg_str s)
{
    if (s.len == 0 || s.ptr[0] < '1' || s.ptr[0] > '5')
        return false;
    return s.len == 1 || (s.len == 2 && (s.ptr[1] == 'a' || s.ptr[1] == 'u' ||
                                         s.ptr[1] == 'k'));
}

static bool is_tlp(sg_str s)
{
    return one_of(s, tlps, sizeof(tlps) / sizeof(*tlps));
}

static const struct name_space {
    sg_str name;
    bool (*valid)(sg_str rest);
    const char *form;
} spaces[] = {
    {SG_LIT("attack"), is_attack,
     "a technique (attack.t1059.001), tactic (attack.execution), group, "
     "software or data source"},
    {SG_LIT("car"), is_car, "car.YYYY-MM-NNN"},
    {SG_LIT("cve"), is_cve, "cve.YYYY-NNNN"},
    {SG_LIT("d3fend"), is_d3fend, "d3fend.d3-NAME"},
    {SG_LIT("detection"), is_detection,
     "detection.dfir, detection.emerging-threats or detection.threat-hunting"},
    {SG_LIT("stp"), is_stp, "stp.4 or stp.4u"},
    {SG_LIT("tlp"), is_tlp, "tlp.clear, green, amber, amber+strict or red"},
};
enum { SPACES = sizeof(spaces) / sizeof(*spaces) };

/* -------- tags ------------------------------------------------------------ */

/* The name before the first dot; rest is what follows. */
static sg_str split(sg_str tag, sg_str *rest)
{
    const size_t dot = sg_str_find(tag, SG_S("."));

    if (dot == SIZE_MAX) {
        *rest = SG_S("");
        return tag;
    }
    *rest = sg_str_sub(tag, dot + 1, tag.len);
    return sg_str_sub(tag, 0, dot);
}

static const struct name_space *find_space(sg_str name)
{
    for (size_t i = 0; i < SPACES; i++)
        if (sg_str_eq(name, spaces[i].name))
            return &spaces[i];
    return NULL;
}

static const sc_y *next_tag(const sc_lint *l, uint32_t i)
{
    const sc_y *list = sc_y_get(l->root, "tags");

    if (list == NULL || list->kind != SC_Y_SEQ || i >= list->count)
        return NULL;
    return list->items[i];
}

static void check_space(sc_lint *l, const sc_y *y)
{
    sg_str rest, names[SPACES];
    const sg_str name = split(y->text, &rest);
    sg_str near;

    if (find_space(name) != NULL)
        return;
    for (size_t i = 0; i < SPACES; i++)
        names[i] = spaces[i].name;
    sc_lint_warn(l, y->span, "the tag has no known namespace");
    near = sc_nearest(sc_lint_lower(l->tmp, name), names, SPACES);
    if (near.len > 0)
        sc_lint_hint(l, "did you mean '%.*s'?", SG_FMT(near));
}

void sc_lint_namespace(sc_lint *l)
{
    const sc_y *y;

    for (uint32_t i = 0; (y = next_tag(l, i)) != NULL; i++)
        if (y->kind == SC_Y_STR)
            check_space(l, y);
}

/* Lower case, and '_' as '-': how tags were once written. */
static sg_str modern(sc_lint *l, sg_str s)
{
    const sg_str lower = sc_lint_lower(l->tmp, s);
    char *p = sg_arena_alloc(l->tmp, s.len + 1, 1);

    for (size_t i = 0; i < s.len; i++)
        p[i] = (char)(lower.ptr[i] == '_' ? '-' : lower.ptr[i]);
    return (sg_str){p, s.len};
}

static void check_form(sc_lint *l, const sc_y *y)
{
    sg_str rest, now, near = SG_S("");
    const sg_str name = split(y->text, &rest);
    const struct name_space *space = find_space(name);

    if (space == NULL || space->valid(rest))
        return;
    sc_lint_warn(l, y->span, "'%.*s' is not of the form of %.*s tags",
                 SG_FMT(sc_lint_cut(y->text)), SG_FMT(name));
    now = modern(l, rest);
    if (space->valid(now))
        near = now;
    else if (space->valid == is_attack)
        near = sc_nearest(now, tactics, TACTICS);
    if (near.len > 0)
        sc_lint_hint(l, "write '%.*s.%.*s'", SG_FMT(name), SG_FMT(near));
    else
        sc_lint_hint(l, "the form is %s", space->form);
}

void sc_lint_tag(sc_lint *l)
{
    const sc_y *y;

    for (uint32_t i = 0; (y = next_tag(l, i)) != NULL; i++)
        if (y->kind == SC_Y_STR)
            check_form(l, y);
}
