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

/* -------- output ---------------------------------------------------------- */

/* Diagnostics in order of place, with source lines; of each warning only the
 * first few, and of each file at most SC_MAX_SHOWN errors, unless `all`; then a
 * table of codes and counts. */
void sc_check_text(const sc_session *s, sg_buf *out, bool colour, bool all);
/* {"schema":"sigcc.check/1",...}, one line. */
void sc_check_json(const sc_session *s, sg_buf *out);
/* SARIF 2.1.0. `roots` are the given PATHs, `folder` the working one: places
 * are told relative to it, or else to the PATH that led to them. */
void sc_check_sarif(sc_session *s, sg_buf *out, sg_str folder,
                    const sg_str *roots, uint32_t root_count);

#endif
