/*
 * resolve.h - what the rules mean here: references linked, filters attached,
 * pipelines and placeholders applied. Works on the AST in place.
 */
#ifndef SC_RESOLVE_H
#define SC_RESOLVE_H

#include "sigma/ast.h"

typedef struct sc_pipeline sc_pipeline; /* private to pipeline.c */

typedef struct sc_pipelines {
    SG_VEC(sc_pipeline *) list; /* ascending priority, then order given */
} sc_pipelines;

/* Read a pySigma pipeline (YAML, one document per source) and insert it by
 * priority. Unsupported or unknown transformations, conditions and keys are
 * refused by name. False when reported. */
bool sc_pipeline_read(sc_session *s, uint32_t source, sc_pipelines *out);

typedef struct sc_placeholders sc_placeholders;
/* Read `--placeholders FILE`: a YAML map name -> value or list. NULL when
 * reported. */
const sc_placeholders *sc_placeholders_read(sc_session *s, uint32_t source);

/* In order: index ids and names, link correlation references (E05 for
 * duplicates, unknown ones, cycles; a rule that depends on a rejected one is
 * rejected with it), attach filters, apply pipelines to every rule, resolve
 * placeholders from the file, reject what is still unresolved, check every
 * identifier of every condition, mark hidden rules. Rules whose doc is
 * rejected are removed from ast->rules. Afterwards ast->rules is ordered so
 * that a correlation follows all it refers to. `placeholders` may be NULL. */
void sc_resolve(sc_session *s, sc_ast *ast, const sc_pipelines *pipelines,
                const sc_placeholders *placeholders);

#endif
