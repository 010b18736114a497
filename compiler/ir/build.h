/*
 * build.h - shared by the files that lower resolved rules to IR: build.c
 * (rules, conditions), build_pred.c (detections to predicates) and
 * build_corr.c (correlations). Private to compiler/ir.
 */
#ifndef SC_IR_BUILD_H
#define SC_IR_BUILD_H

#include "ir/ir.h"
#include "sigma/ast.h"

/* "Reported, no node": what lowering returns when it fails. */
#define SC_NO_NODE UINT32_MAX

typedef SG_VEC(uint32_t) sc_ids;

enum {
    SC_MAX_RULE_NODES = 1000000 /* of one rule, selectors expanded */
};

typedef struct sc_build {
    sc_session *s;
    sc_ir *ir;
    sg_arena tmp;      /* reset per rule */
    sg_map fields;     /* name to field id; cells may be stale, see there */
    uint32_t keywords; /* field id of the keyword pseudo field, or NONE */
    sg_map placed;     /* bytes of a sc_rule pointer to its index below */
    /* Of each lowered document: its index in ir->rules or ir->corrs. */
    SG_VEC(sigma_corr_ref) places;
    uint32_t rule_nodes; /* nodes of the rule being lowered */
    bool full;           /* that rule went over SC_MAX_RULE_NODES */
} sc_build;

/* Id of a field by name; adds `flags` (SIGMA_FIELD_*). */
uint32_t sc_build_field(sc_build *b, sg_str name, uint32_t flags);

/* Append a node. Beyond SC_MAX_RULE_NODES sets b->full and yields
 * SC_NO_NODE; the rule is then reported once by its caller. */
uint32_t sc_build_node(sc_build *b, sc_node_kind kind, uint32_t first,
                       sc_span at);
uint32_t sc_build_not(sc_build *b, uint32_t kid, sc_span at);
/* AND or OR of kids: a lone kid is itself, none is TRUE or FALSE. */
uint32_t sc_build_group(sc_build *b, sc_node_kind kind, const sc_ids *kids,
                        sc_span at);

/* Lower a detection to a node over predicates. SC_NO_NODE when reported, or
 * when b->full. */
uint32_t sc_build_det(sc_build *b, const sc_det *det);

/* Who a rule is, for alerts and the manifest. */
sc_ir_meta sc_build_meta(sc_build *b, const sc_rule *rule);

/* Remember where a lowered document went, for correlations. */
void sc_build_place(sc_build *b, sc_rule *const *rule, sigma_corr_ref place);
/* Where a document went; false when it was not lowered. */
bool sc_build_where(const sc_build *b, sc_rule *const *rule,
                    sigma_corr_ref *out);

/* Lower a correlation; false when reported. */
bool sc_build_corr(sc_build *b, const sc_rule *rule);

#endif
