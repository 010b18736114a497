/*
 * lint_values.c - single values: wildcards where a modifier says it better,
 * escapes that undo them, characters nobody sees, regular expressions that are
 * none, words that other YAML readers take for something else.
 */
#include "report/pass.h"

#include <string.h>

static bool is_kind(const sc_pattern *p, uint32_t i, sc_tok_kind kind)
{
    return i < p->toks.count && p->toks.items[i].kind == kind;
}

/* -------- wildcards ------------------------------------------------------- */

void sc_lint_star_modifier(sc_lint *l)
{
    const sc_pattern *p = &l->value->pattern;
    const uint32_t last = p->toks.count - 1;
    const char *modifier = NULL;
    bool begin, end;

    if (l->value->kind != SC_V_STRING || !l->item->has_field ||
        l->item->modifiers.count > (l->item->all ? 1u : 0u))
        return;
    begin = is_kind(p, 0, SC_TOK_STAR);
    end = p->toks.count > 1 && is_kind(p, last, SC_TOK_STAR);
    if (p->toks.count == 3 && begin && end && is_kind(p, 1, SC_TOK_TEXT))
        modifier = "contains";
    else if (p->toks.count == 2 && begin && is_kind(p, 1, SC_TOK_TEXT))
        modifier = "endswith";
    else if (p->toks.count == 2 && end && is_kind(p, 0, SC_TOK_TEXT))
        modifier = "startswith";
    if (modifier == NULL)
        return;
    sc_lint_warn(l, l->value->at, "a wildcard stands for '%s'", modifier);
    sc_lint_hint(l, "write '%.*s|%s' and leave the wildcard out",
                 SG_FMT(sc_lint_cut(l->item->field)), modifier);
}

void sc_lint_double_star(sc_lint *l)
{
    const sc_pattern *p = &l->value->pattern;

    if (l->value->kind != SC_V_STRING)
        return;
    for (uint32_t i = 0; i < p->toks.count; i++)
        if (is_kind(p, i, SC_TOK_STAR) && is_kind(p, i + 1, SC_TOK_STAR)) {
            sc_lint_warn(l, l->value->at, "two '*' in a row");
            return;
        }
}

/* An escaped star between characters of a path: `C:\*\x`. A literal one
 * cannot be in a file name. */
static bool hides_star(sg_str text)
{
    const size_t len = text.len;

    for (size_t i = 0; i + 1 < len; i++) {
        size_t run = 0;

        while (i + run < len && text.ptr[i + run] == '\\')
            run++;
        if (run == 0)
            continue;
        i += run;
        if (run % 2 == 1 && i < len && text.ptr[i] == '*' &&
            (i + 1 == len || text.ptr[i + 1] == '\\') && i > run)
            return true;
    }
    return false;
}

static bool looks_like_path(sg_str text)
{
    return sg_str_find(text, SG_S(":\\")) != SIZE_MAX ||
           sg_str_starts(text, SG_S("\\"));
}

void sc_lint_escaped_star(sc_lint *l)
{
    const sg_str text = sc_lint_text(l, l->value);

    if (l->value->kind != SC_V_STRING || !looks_like_path(text) ||
        !hides_star(text))
        return;
    sc_lint_warn(l, l->value->at, "'\\*' is a literal star here");
}

void sc_lint_lone_star(sc_lint *l)
{
    const sc_pattern *p = &l->value->pattern;

    if (l->value->kind != SC_V_STRING || p->toks.count != 1 ||
        !is_kind(p, 0, SC_TOK_STAR) || l->item->modifiers.count > 0)
        return;
    if (!l->item->has_field)
        sc_lint_warn(l, l->value->at, "'*' matches every event with a value");
    else if (l->item->values.count > 1)
        sc_lint_warn(l, l->value->at, "'*' makes the other values idle");
}

/* -------- characters ------------------------------------------------------ */

static bool is_unseen(uint32_t cp)
{
    return cp < 0x20 || (cp >= 0x7F && cp < 0xA0) || cp == 0xAD ||
           (cp >= 0x200B && cp <= 0x200F) || (cp >= 0x202A && cp <= 0x202E) ||
           (cp >= 0x2060 && cp <= 0x2069) || cp == 0xFEFF;
}

static bool is_word(uint32_t cp)
{
    return (cp >= '0' && cp <= '9') ||
           ((cp | 0x20) >= 'a' && (cp | 0x20) <= 'z');
}

/* One beside a letter or digit: alone, or joining other characters, it is
 * what the rule looks for. */
static bool find_unseen(sg_str text, uint32_t *cp)
{
    uint32_t before = ' ', last = ' ';

    for (size_t pos = 0; pos < text.len;) {
        const uint32_t now = sg_utf8_next(text, &pos);

        if ((is_unseen(last) && last != '\t' && last != '\n' && last != '\r') &&
            (is_word(before) || is_word(now))) {
            *cp = last;
            return true;
        }
        before = last;
        last = now;
    }
    *cp = last;
    return is_unseen(last) && is_word(before) && last > 0x20;
}

void sc_lint_control(sc_lint *l)
{
    uint32_t cp;

    /* As written: who spells it as an escape knows that it is there. */
    if (find_unseen(sc_lint_text(l, l->value), &cp))
        sc_lint_warn(l, l->value->at, "the value holds U+%04X", cp);
}

/* -------- regular expressions --------------------------------------------- */

static sg_str regex_text(const sc_value *v)
{
    if (v->kind != SC_V_REGEX || v->pattern.toks.count != 1 ||
        v->pattern.toks.items[0].kind != SC_TOK_TEXT)
        return SG_S("");
    return v->pattern.toks.items[0].text;
}

static bool is_punctuation(char c)
{
    return strchr(".\\/-:;,_=\"'#@!%&<>~` ()[]{}+*?^$|", c) != NULL;
}

/* Whether it is plain characters, escaped ones included. */
static bool is_plain(sg_str re)
{
    for (size_t i = 0; i < re.len; i++) {
        if (re.ptr[i] == '\\') {
            if (++i >= re.len || !is_punctuation(re.ptr[i]))
                return false;
        } else if (strchr(".[]{}()*+?^$|", re.ptr[i]) != NULL) {
            return false;
        }
    }
    return re.len > 0;
}

void sc_lint_plain_regex(sc_lint *l)
{
    sg_str re = regex_text(l->value);
    const bool start = sg_str_starts(re, SG_S("^"));
    const bool end = sg_str_ends(re, SG_S("$"));
    const char *name = start && end ? "no modifier"
                       : start      ? "'startswith'"
                       : end        ? "'endswith'"
                                    : "'contains'";

    if (re.len < 2)
        return;
    re = sg_str_sub(re, start, re.len - end);
    if (!is_plain(re))
        return;
    sc_lint_warn(l, l->value->at, "the regular expression is plain text");
    sc_lint_hint(l, "use %s%s", name,
                 (l->value->re_flags & SIGMA_F_RE_I) != 0 ? ""
                                                          : " and 'cased'");
}

void sc_lint_regex_padding(sc_lint *l)
{
    const sg_str re = regex_text(l->value);
    const bool front =
        sg_str_starts(re, SG_S(".*")) && !sg_str_starts(re, SG_S(".*?"));

    if (re.len > 2 && (front || (sg_str_ends(re, SG_S(".*")) &&
                                 !sg_str_ends(re, SG_S("\\.*")))))
        sc_lint_warn(l, l->value->at, "'.*' at the %s changes nothing",
                     front ? "start" : "end");
}

/* Length of the longest run of literal characters outside of groups and
 * classes, none of them optional; 0 when an alternative may avoid it. */
static size_t longest_literal(sg_str re)
{
    size_t run = 0, best = 0, depth = 0;

    for (size_t i = 0; i < re.len; i++) {
        const char c = re.ptr[i];
        bool literal = strchr(".[]{}()*+?^$|\\", c) == NULL;

        if (c == '|' && depth == 0)
            return 0;
        depth += c == '(' || c == '[' || c == '{';
        depth -= depth > 0 && (c == ')' || c == ']' || c == '}');
        if (c == '\\' && i + 1 < re.len)
            literal = is_punctuation(re.ptr[++i]);
        if (literal && depth == 0) {
            const char next = (char)(i + 1 < re.len ? re.ptr[i + 1] : '\0');

            run = next == '?' || next == '*' || next == '{' ? 0 : run + 1;
        } else {
            run = 0;
        }
        best = run > best ? run : best;
    }
    return best;
}

void sc_lint_slow_regex(sc_lint *l)
{
    enum { LEAST = 3 };
    const sg_str re = regex_text(l->value);

    if (re.len > 0 && longest_literal(re) < LEAST)
        sc_lint_warn(l, l->value->at,
                     "the regular expression demands no literal text of %d "
                     "characters",
                     LEAST);
}

/* -------- kinds of values ------------------------------------------------- */

static bool is_number(sg_str s)
{
    return s.len > 0 && s.len < 18 && sc_lint_digits(s, 18) == s.len &&
           (s.len == 1 || s.ptr[0] != '0');
}

static bool is_quoted(const sc_lint *l, sc_span at)
{
    sg_str text;

    if (at.source >= l->s->sources.count)
        return false;
    text = l->s->sources.items[at.source].text;
    if (at.beg >= text.len)
        return false;
    return (at.beg > 0 &&
            (text.ptr[at.beg - 1] == '\'' || text.ptr[at.beg - 1] == '"')) ||
           text.ptr[at.beg] == '\'' || text.ptr[at.beg] == '"';
}

void sc_lint_quoted_number(sc_lint *l)
{
    if (l->value->kind == SC_V_STRING && l->item->has_field &&
        l->item->modifiers.count == 0 && is_quoted(l, l->value->at) &&
        is_number(sc_lint_text(l, l->value)))
        sc_lint_warn(l, l->value->at, "the number is in quotes");
}

static bool is_switch_word(sg_str s)
{
    static const char *const words[] = {"yes", "no", "on", "off", "y", "n"};

    for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
        if (sg_str_eq_nocase(s, sg_str_of(words[i])))
            return true;
    return false;
}

/* 1_000 and 12:30: numbers of YAML 1.1. */
static bool is_old_number(sg_str s)
{
    size_t marks = 0, digits = 0;

    for (size_t i = 0; i < s.len; i++) {
        marks += s.ptr[i] == '_' || s.ptr[i] == ':';
        digits += s.ptr[i] >= '0' && s.ptr[i] <= '9';
    }
    return marks > 0 && marks + digits == s.len && s.ptr[0] >= '1' &&
           s.ptr[0] <= '9' && s.ptr[s.len - 1] >= '0' &&
           s.ptr[s.len - 1] <= '9';
}

void sc_lint_yaml_word(sc_lint *l)
{
    const sg_str text = sc_lint_text(l, l->value);
    const char *kind;

    if (l->value->kind != SC_V_STRING || is_quoted(l, l->value->at) ||
        l->value->at.source >= l->s->sources.count)
        return;
    if (is_switch_word(text))
        kind = "a boolean";
    else if (is_old_number(text) ||
             (text.len > 1 && text.ptr[0] == '0' &&
              sc_lint_digits(text, text.len) == text.len))
        kind = "a number";
    else
        return;
    sc_lint_warn(l, l->value->at,
                 "'%.*s' is text here, but %s for readers of YAML 1.1",
                 SG_FMT(sc_lint_cut(text)), kind);
}

void sc_lint_empty(sc_lint *l)
{
    const bool padded = sc_lint_has_modifier(l->item, "contains") ||
                        sc_lint_has_modifier(l->item, "startswith") ||
                        sc_lint_has_modifier(l->item, "endswith");

    if (l->value->kind == SC_V_STRING && sc_lint_text(l, l->value).len == 0 &&
        (padded || !l->item->has_field))
        sc_lint_warn(l, l->value->at, "the empty text is in every value");
    else if (l->value->kind == SC_V_REGEX && l->value->pattern.toks.count == 0)
        sc_lint_warn(l, l->value->at,
                     "the empty regular expression is found in every value");
}

void sc_lint_self_reference(sc_lint *l)
{
    if (l->value->kind == SC_V_FIELDREF &&
        sg_str_eq(l->value->text, l->item->field))
        sc_lint_warn(l, l->value->at, "the field is compared with itself");
}
