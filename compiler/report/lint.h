/*
 * lint.h - what `sigcc check` says about rules that are legal but look wrong,
 * and how it says all of that: as text, JSON or SARIF. Lints only warn and
 * change nothing; they work on the AST as it was read, before filters and
 * pipelines, because that is what the author wrote.
 */
#ifndef SC_LINT_H
#define SC_LINT_H

#include "sigma/ast.h"

/* Which codes may be reported: one flag a code, errors always. */
typedef struct sc_code_set {
    bool on[SC_CODE_COUNT];
} sc_code_set;

/* Everything but the lints that lints.def leaves to those who ask. */
void sc_code_set_init(sc_code_set *set);
/* Set the lints and warnings that `word` names: a code, a slug, or `all`.
 * False when it names none or an error. */
bool sc_code_set_put(sc_code_set *set, sg_str word, bool on);
/* Clear every lint and warning. */
void sc_code_set_clear(sc_code_set *set);
/* The known code or slug nearest to `word`, or an empty string. */
sg_str sc_code_set_nearest(sg_str word);

/* Judge every rule, correlation and filter; what is found goes to the
 * session's diagnostics. */
void sc_lint_run(sc_session *s, const sc_ast *ast, const sc_code_set *set);
/* Whether the code is one of the lints, and whether it is on by default. */
bool sc_lint_find(sc_code code, bool *on);

/* Drop the warnings that are not in the set (other stages report without
 * asking). */
void sc_code_set_filter(sc_session *s, const sc_code_set *set);

/* -------- what became of each rule (status.c) ----------------------------- */

/* JSON of --report (interface.md), one line. */
void sc_report_put(const sc_session *s, sg_buf *out);
/* The members of one document in it, without braces: path, status, and code,
 * reason and place of the error that rejected it. */
void sc_report_put_doc(const sc_session *s, sg_buf *out, const sc_doc *doc);
/* Totals over the session's documents. */
typedef struct sc_totals {
    uint32_t rules, compiled, rejected, skipped, unchanged;
} sc_totals;
sc_totals sc_report_totals(const sc_session *s);

/* -------- places as reports tell them (place.c) --------------------------- */

/* `roots` are the given PATHs, `folder` the working one. */
typedef struct sc_places {
    sg_str folder;
    const sg_str *roots;
    uint32_t root_count;
} sc_places;

/* The path from the working folder on; else, from the folder that holds the
 * PATH it was found by; else its name. */
sg_str sc_place_shorten(const sc_places *places, sg_str path);
/* One of each diagnostic, in the arena, by its index: a digest of the code, the
 * document and the text at the place, but not of the line, so that it survives
 * edits elsewhere in the file; equal ones are numbered in order of place. */
const sg_str *sc_fingerprints(const sc_session *s, const sc_places *places,
                              sg_arena *arena);

/* -------- output ---------------------------------------------------------- */

/* Diagnostics in order of place, with source lines; of each warning only the
 * first few, and of each file at most SC_MAX_SHOWN errors, unless `all`; then a
 * table of codes and counts. */
void sc_check_text(const sc_session *s, sg_buf *out, bool colour, bool all);
/* {"schema":"sigcc.check/1",...}, one line. */
void sc_check_json(const sc_session *s, sg_buf *out);
/* The members of one diagnostic in it, without braces. */
void sc_check_put_diag(const sc_session *s, sg_buf *out, const sc_diag *diag);
/* SARIF 2.1.0. `known` says, unless it is NULL, which diagnostics a baseline
 * has. */
void sc_check_sarif(sc_session *s, sg_buf *out, const sc_places *places,
                    const bool *known);

#endif
