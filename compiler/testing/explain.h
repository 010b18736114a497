/*
 * explain.h - why an event does or does not match: the verdicts of the oracle
 * on each part of a rule, as a tree, and the two ways to show it. Agrees with
 * detectors because the oracle defines what they must say.
 */
#ifndef SC_EXPLAIN_H
#define SC_EXPLAIN_H

#include "ir/ref.h"

typedef enum sc_x_kind {
    SC_X_NEVER,
    SC_X_ALWAYS,
    SC_X_ITEM,      /* a field and what is asked of it */
    SC_X_SELECTION, /* `of` one: index into the rule's selections */
    SC_X_NOT,
    SC_X_ALL,
    SC_X_ANY
} sc_x_kind;

/* One operand of an item. */
typedef struct sc_x_ask {
    sg_str text;
    bool is_text; /* quoted when shown */
    bool holds;
} sc_x_ask;

typedef struct sc_x_node sc_x_node;

struct sc_x_node {
    sc_x_kind kind;
    bool holds;
    bool decides; /* the verdict of the rule rests on it */
    sc_span at;
    uint32_t selection;
    SG_VEC(sc_x_node *) kids;
    /* ITEM */
    sg_str field;
    bool keywords;
    bool every; /* all of `asks`, else any of them */
    sigma_op op;
    unsigned flags; /* SIGMA_F_* */
    SG_VEC(sc_x_ask) asks;
    sc_ref_values values; /* of the event; all of its scalars for keywords */
};

typedef struct sc_x_rule {
    uint32_t index; /* in ir->rules */
    bool holds;
    const sc_x_node *condition; /* SELECTION leaves */
    const sc_x_node *route;     /* of the log source; NULL: any event */
    sg_str route_text;
    /* By index of the rule's selections; NULL: the condition has no use. */
    SG_VEC(const sc_x_node *) selections;
} sc_x_rule;

/* A value that a correlation takes from the event. */
typedef struct sc_x_part {
    sg_str name; /* the field */
    bool found;
    sc_ref_value value;
} sc_x_part;

/* A rule, or correlation, that a correlation listens to. */
typedef struct sc_x_ref {
    uint32_t index;
    bool is_correlation;
    bool holds;
    bool timed;      /* the event's time could be read */
    bool takes_part; /* holds, timed, and no part is missing */
    SG_VEC(sc_x_part) keys;
    SG_VEC(sc_x_part) values;
} sc_x_ref;

typedef struct sc_x_corr {
    uint32_t index; /* in ir->corrs */
    bool fires;     /* after this event, were it the only one */
    SG_VEC(sc_x_ref) refs;
} sc_x_corr;

typedef struct sc_explained {
    const sc_session *session; /* for places */
    const sc_ir *ir;
    sg_str path; /* of the event, and its line */
    uint64_t line;
    SG_VEC(sc_x_rule) rules;
    SG_VEC(sc_x_corr) corrs;
} sc_explained;

typedef struct sc_x_style {
    bool colour;
    bool marks; /* U+2713 and U+2717 in place of yes and no */
} sc_x_style;

/* Judge one event by all rules and correlations of the IR, which must not be
 * optimised. `out` has session, ir, path and line already; the rest is put
 * there. Texts borrow the IR and the arena. False: the text is no JSON
 * object. */
bool sc_explain(sg_arena *arena, sg_str event, sc_explained *out);
/* One rule alone. */
sc_x_rule sc_explain_rule(const sc_ir *ir, uint32_t rule,
                          const sc_ref_event *event, sg_arena *arena);

/* The whole tree for a person. Texts of rules and events are made safe. */
void sc_explain_text(sg_buf *out, const sc_explained *x, sc_x_style style);
/* A few lines: the items on which the verdict rests. */
void sc_explain_excerpt(sg_buf *out, const sc_x_rule *rule, const char *space);
/* {"schema":"sigcc.explain/1",...}, one line. */
void sc_explain_json(sg_buf *out, const sc_explained *x);

/* Words for both (explain.c). */
const char *sc_x_corr_type(const sc_ir *ir, const sc_x_corr *c);
/* What a correlation demands: "gte 3", "a and not b". */
void sc_x_corr_condition(sg_buf *out, const sc_ir *ir, uint32_t corr);
/* Name, else title, of a rule or correlation. */
sg_str sc_x_label(const sc_ir_meta *meta);

#endif
