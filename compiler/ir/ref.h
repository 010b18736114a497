/*
 * ref.h - what the oracle's files share: the values of an event, as
 * ref_event.c finds them in its tree and refeval.c and refcorr.c compare
 * them. Beyond compiler/ir only compiler/testing, which shows them.
 */
#ifndef SC_IR_REF_H
#define SC_IR_REF_H

#include "ir/ir.h"

typedef enum sc_ref_kind_of {
    SC_REF_NULL,
    SC_REF_BOOL,
    SC_REF_NUMBER,
    SC_REF_STRING,
    SC_REF_OBJECT
} sc_ref_kind_of;

typedef struct sc_ref_value {
    sc_ref_kind_of kind;
    bool boolean;
    sg_num num;    /* NUMBER */
    sg_str text;   /* STRING as is; NUMBER canonical; BOOL the word */
    sg_str folded; /* the text in one case; sc_ref_recall sets it */
} sc_ref_value;

/* Values of one field, arrays flattened. An empty array is present and has no
 * values. */
typedef struct sc_ref_values {
    SG_VEC(sc_ref_value) list;
    bool present;
} sc_ref_values;

/* Look a field up (semantics section 4, record/shapes.def). */
void sc_ref_lookup(const sc_ref_event *event, sg_str field, sg_arena *arena,
                   sc_ref_values *out);
/* Let the event have this one value in a field, in place of its own; keywords
 * do not see it. Before the field is recalled. */
void sc_ref_event_add(sc_ref_event *event, sg_str field, sc_ref_value value);
/* Every scalar value of the whole tree, nulls included, keys not. */
void sc_ref_scalars(const sc_ref_event *event, sg_arena *arena,
                    sc_ref_values *out);
/* The values of a field (of the whole tree with `keywords`), looked up once and
 * kept with the event. */
const sc_ref_values *sc_ref_recall(const sc_ref_event *event, sg_str field,
                                   bool keywords);
/* The text with every code point folded; ill-formed bytes stay. */
sg_str sc_ref_folded(sg_str s, sg_arena *arena);
/* Whether a value has a text: neither null nor an object. */
bool sc_ref_has_text(const sc_ref_value *v);
/* The value by which correlations group or count an event of a rule: the
 * derived one, else the first of the field. False when there is none. */
bool sc_ref_first(const sc_ir *ir, uint32_t rule, uint32_t field,
                  const sc_ref_event *event, sg_arena *arena,
                  sc_ref_value *out);
/* The event's time as correlations over the rule read it. */
bool sc_ref_time(const sc_ir *ir, uint32_t rule, const sc_ref_event *event,
                 sg_arena *arena, int64_t *time);
/* Sort the rows of one correlation as its report asks for; returns how many of
 * them it shows (refsearch.c). */
uint32_t sc_ref_order(const sc_ir *ir, sc_ref_row *rows, uint32_t count);

#endif
