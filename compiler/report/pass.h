/*
 * pass.h - between lint.c, which walks the rules, and the lint_*.c files, which
 * judge. A lint is a function that looks at the part of a rule its scope names
 * and warns under the code of its row in lints.def.
 */
#ifndef SC_PASS_H
#define SC_PASS_H

#include "report/lint.h"

/* What a lint sees. Members beyond its scope are empty. */
typedef struct sc_lint {
    sc_session *s;
    sg_arena *tmp; /* given back after each document */
    const sc_ast *ast;
    sc_code code; /* of the lint at work */

    const sc_rule *rule;     /* RULE; DETECTION of a rule */
    const sc_filter *filter; /* FILTER; DETECTION of a filter */
    const sc_y *root;        /* RULE: the document */
    bool aggregates;         /* a rule of Sigma 1 that was read as several */

    /* DETECTION and below: of a rule or a filter */
    const sc_logsource *source;
    const sc_selection *sels;
    uint32_t sel_count;
    sc_cond *const *conds;
    uint32_t cond_count;

    const sc_selection *sel; /* SELECTION and below */
    const sc_item *item;     /* ITEM and below */
    const sc_value *value;   /* VALUE */
} sc_lint;

/* Warn under the code at work. */
SC_PRINTF(3, 4)
void sc_lint_warn(sc_lint *l, sc_span at, const char *fmt, ...);
/* Replace the hint of that warning. */
SC_PRINTF(2, 3) void sc_lint_hint(sc_lint *l, const char *fmt, ...);

/* Text of the input cut to a length fit for a message. */
sg_str sc_lint_cut(sg_str text);
/* The bytes of a place; empty without one. */
sg_str sc_lint_bytes(const sc_lint *l, sc_span at);
/* The text of a value as its author would write it: without quotes. */
sg_str sc_lint_text(sc_lint *l, const sc_value *v);
bool sc_lint_has_modifier(const sc_item *item, const char *name);
/* ASCII lower case copy. */
sg_str sc_lint_lower(sg_arena *arena, sg_str s);
/* Parts of a grammar: digits at the start of s, at most `most`. */
size_t sc_lint_digits(sg_str s, size_t most);

/* Whether rule i of the collection is the one that its document is judged
 * by. */
bool sc_lint_stands_for_doc(const sc_ast *ast, uint32_t i);

/* -------- values compared (value.c) --------------------------------------- */

/* A value made ready for comparing. */
typedef struct sc_lint_value {
    const sc_value *v;
    const sc_tok *raw, *folded; /* strings and numbers */
    uint32_t count;
    bool odd; /* has placeholders: unknown text */
} sc_lint_value;

sc_lint_value *sc_lint_prepare(sc_lint *l, const sc_value *values,
                               uint32_t count);
/* Whether each event value that b matches is matched by a: never wrongly
 * true, sometimes wrongly false. */
bool sc_lint_covers(const sc_lint_value *a, const sc_lint_value *b);
/* Whether no single event value can satisfy both; never wrongly true. */
bool sc_lint_excludes(const sc_lint_value *a, const sc_lint_value *b);
/* Whether both say the same. */
bool sc_lint_same(const sc_lint_value *a, const sc_lint_value *b);

/* Every lint by its function. */
#define LINT(code, scope, preset, function) void function(sc_lint *l);
#include "report/lints.def"
#undef LINT

#endif
