/*
 * pipeline.h - private to compiler/resolve: pipelines as read from YAML, the
 * run of all pipelines over one rule, and helpers shared by the
 * transformations. A transformation is a row in transforms.def and a function
 * sc_x_NAME; a condition is a row in pconditions.def.
 */
#ifndef SC_PIPELINE_H
#define SC_PIPELINE_H

#include "match/match.h"
#include "resolve/resolve.h"

typedef SG_VEC(sg_str) sc_names;
typedef SG_VEC(sc_value) sc_values;

enum {
    SC_MAX_STEPS = 4096,      /* of one pipeline, nested ones included */
    SC_MAX_MADE = 200000,     /* items and values made for one rule */
    SC_MAX_FILTERED = 500000, /* parts that filters add to all rules */
    SC_MAX_NEST = 64,         /* correlations within correlations */
    SC_REPLACE_MAX = 1 << 20  /* bytes of one replaced string */
};

/* -------- parameters (params.c) ------------------------------------------ */

/* Check a map against specs: words `key:type`, where type is one of str strs
 * (one or a list) list bool num scalar map any, or `=a/b` for a choice; a `!`
 * at the end makes the key mandatory. Reports unknown keys, wrong types,
 * missing keys; `what` names the map in messages. */
bool sc_params_check(sc_session *s, const sc_y *map, const char *what,
                     const char *const *specs, size_t count);
/* Value of a key given as a view, or NULL. */
const sc_y *sc_y_find(const sc_y *map, sg_str key);
/* Text of a scalar parameter, empty when absent or null. */
sg_str sc_param_str(const sc_y *map, const char *key);
/* Whether a boolean parameter is there and true. */
bool sc_param_true(const sc_y *map, const char *key);
/* Length and members of a `strs` or `list` parameter (`y` may be NULL). */
uint32_t sc_param_count(const sc_y *y);
sg_str sc_param_at(const sc_y *y, uint32_t i);
/* Whether a `strs` parameter holds the text. */
bool sc_param_holds(const sc_y *y, sg_str text);
/* Report a regular expression that does not compile (E0408). */
bool sc_param_regex(sc_session *s, const sc_y *y);

/* -------- what a pipeline is --------------------------------------------- */

typedef struct sc_run sc_run;
typedef struct sc_step sc_step;

enum { SC_ON_RULE = 1, SC_ON_ITEM = 2, SC_ON_FIELD = 4 };

/* What a condition looks at. On items, `item` is set; on bare field names it
 * is NULL. Keywords have no field. */
typedef struct sc_subject {
    const sc_item *item;
    bool has_field;
    sg_str field;
} sc_subject;

typedef struct sc_pcond_info {
    sg_str name;
    uint32_t scope; /* SC_ON_* */
    const char *params;
    bool (*check)(sc_session *, const sc_y *); /* or NULL */
    bool (*holds)(sc_run *, const sc_y *, const sc_subject *);
} sc_pcond_info;

typedef struct sc_pcond {
    const sc_pcond_info *info;
    sg_str name; /* its key in a map of conditions; empty in a list */
    const sc_y *y;
} sc_pcond;

typedef struct sc_pconds {
    SG_VEC(sc_pcond) list;
    sc_cond *expr; /* over the names, or NULL */
    bool any, negated;
} sc_pconds;

typedef struct sc_xform {
    sg_str name;
    const char *params;
    bool (*check)(sc_session *, sc_step *);   /* at reading, or NULL */
    bool (*apply)(sc_run *, const sc_step *); /* NULL: refused by name */
    const char *doc;
} sc_xform;

typedef SG_VEC(sc_step *) sc_steps;

struct sc_step {
    const sc_xform *xform;
    sg_str id; /* empty: none */
    sc_span at;
    const sc_y *y;
    uint32_t source; /* of the pipeline */
    sc_pconds on_rule, on_item, on_field;
    sc_steps steps;  /* nest */
    sc_names values; /* file_placeholders */
};

struct sc_pipeline {
    sg_num priority;
    const sc_y *vars; /* map, or NULL */
    sc_steps steps;
};

/* Read conditions `prefix`conditions and their joining keys from a step
 * (pipeline_cond.c). `scope` is one of SC_ON_*. */
bool sc_pconds_read(sc_session *s, const sc_y *step, uint32_t scope,
                    sc_pconds *out);
/* Whether they hold; without conditions they do. On an item, conditions on
 * field names look at its field and at the fields its values refer to. */
bool sc_pconds_hold(sc_run *run, const sc_pconds *conds, const sc_subject *sub);
/* The item conditions and the field conditions of a step for an item. */
bool sc_step_takes_item(sc_run *run, const sc_step *step, const sc_item *item);
/* The field conditions of a step for a bare name. */
bool sc_step_takes_field(sc_run *run, const sc_step *step, bool has_field_name,
                         sg_str field);
/* -------- running -------------------------------------------------------- */

typedef struct sc_state {
    sg_str key;
    const sc_y *value;
} sc_state;

typedef struct sc_tracked { /* steps applied to a bare field name */
    sg_str field;
    sc_names ids;
} sc_tracked;

struct sc_run {
    sc_session *s;
    const sc_pipelines *pipes;
    const sc_placeholders *placeholders;
    sc_rule *rule;
    SG_VEC(sc_state) state;
    SG_VEC(sc_tracked) tracked;
    sg_map mapped; /* field names that some mapping read or wrote */
    uint32_t made; /* items and values made for this rule */
    bool failed;   /* the rule is rejected: stop */
    /* whole run */
    sg_map regex_ids;
    SG_VEC(sr_regex *) regexes;
    uint32_t *seen; /* per session doc: stamp of the last visit */
    uint32_t stamp;
    uint32_t *upper; /* folded code point to its upper case; lazily */
};

void sc_run_init(sc_run *run, sc_session *s, const sc_pipelines *pipes,
                 const sc_placeholders *placeholders);
void sc_run_free(sc_run *run);
/* Apply all pipelines to a rule; errors reject it. */
void sc_run_rule(sc_run *run, sc_rule *rule);
bool sc_run_steps(sc_run *run, const sc_steps *steps);
/* Reject the rule: reports at `at` with a note naming the step. False. */
SC_PRINTF(5, 6)
bool sc_run_fail(sc_run *run, const sc_step *step, sc_code code, sc_span at,
                 const char *fmt, ...);
/* Account for `n` new items or values; false when the rule makes too many. */
bool sc_run_made(sc_run *run, const sc_step *step, size_t n);
/* A regular expression that was checked at reading; NULL never. */
const sr_regex *sc_run_regex(sc_run *run, sg_str pattern);
/* Where group g matched; false when it did not, or there is no such group. */
bool sc_group_at(const size_t *ovector, int g, size_t *beg, size_t *end);
/* Whether `test` holds for the rule or any rule it refers to, however deep. */
bool sc_run_any(sc_run *run, const sc_rule *rule,
                bool (*test)(const sc_rule *, const void *), const void *arg);
/* Note that a step changed an item, or all items below a detection. */
void sc_mark_item(sc_run *run, const sc_step *step, sc_item *item);
void sc_mark_det(sc_run *run, const sc_step *step, sc_det *det);
bool sc_applied_has(const sc_applied *applied, sg_str id);

/* Call `change` for every item the step takes. It returns the detection to put
 * in place: the leaf itself, another, or NULL to drop it. */
typedef sc_det *sc_item_change(sc_run *run, const sc_step *step, sc_det *leaf);
bool sc_each_item(sc_run *run, const sc_step *step, sc_item_change *change);
/* Call `change` for every value of every such item (not inside expansions).
 * It pushes the values to put in place and returns true, or false to keep. */
typedef bool sc_value_change(sc_run *run, const sc_step *step,
                             const sc_item *item, const sc_value *value,
                             sc_values *out);
bool sc_each_value(sc_run *run, const sc_step *step, sc_value_change *change);
/* Append what stands for one value of an item. Several values under `all`
 * stay alternatives of each other. */
void sc_put_values(sc_session *s, const sc_item *item, const sc_value *old,
                   const sc_values *made, sc_values *out);

#define XFORM(name, params, check, apply, doc)                                 \
    bool apply(sc_run *run, const sc_step *step);
#define REFUSED(name, doc)
#include "resolve/transforms.def"
#undef XFORM
#undef REFUSED

/* Checks at reading (transform files). */
bool sc_check_add_condition(sc_session *s, sc_step *step);
bool sc_check_change(sc_session *s, sc_step *step);
bool sc_check_extract(sc_session *s, sc_step *step);
bool sc_check_file(sc_session *s, sc_step *step);
bool sc_check_mapping(sc_session *s, sc_step *step);
bool sc_check_map_string(sc_session *s, sc_step *step);
bool sc_check_nest(sc_session *s, sc_step *step);
bool sc_check_placeholders(sc_session *s, sc_step *step);
bool sc_check_regex(sc_session *s, sc_step *step);
bool sc_check_set_value(sc_session *s, sc_step *step);

/* -------- values (values.c) ---------------------------------------------- */

/* A Sigma string as text, as regular expressions of pipelines see it:
 * wildcards as * and ?, literal ones escaped, placeholders as %name%,
 * backslashes single. Not one to one: a backslash before a wildcard reads
 * like a literal wildcard. */
sg_str sc_plain(sg_arena *arena, const sc_pattern *p);
/* Read such text: \* and \? are literal, other backslashes themselves. Appends
 * to the pattern. */
void sc_plain_parse(sc_session *s, sg_str text, bool placeholders,
                    sc_pattern *out);
/* The TEXT of a pattern that has nothing else, wildcards as written. */
sg_str sc_regex_text(sg_arena *arena, const sc_pattern *p);
bool sc_pattern_same(const sc_pattern *a, const sc_pattern *b);
/* A scalar of a pipeline as a value: a Sigma string, number, bool or null. */
sc_value sc_value_of(sc_session *s, const sc_y *y);
bool sc_value_same(const sc_value *a, const sc_value *b);
sc_value sc_string_value(const sc_value *like, sc_pattern pattern);
sg_str sc_num_str(sg_arena *arena, sg_num n);

sc_value sc_value_copy(sg_arena *arena, const sc_value *v);
sc_item *sc_item_copy(sg_arena *arena, const sc_item *item);
sc_det *sc_det_copy(sg_arena *arena, const sc_det *det);
/* Copy with every name moved to a namespace. */
sc_cond *sc_cond_copy(sg_arena *arena, const sc_cond *cond, uint32_t space);
sc_det *sc_det_leaf(sg_arena *arena, sc_item *item);
sc_det *sc_det_group(sg_arena *arena, sc_det_kind kind, sc_span at);
sc_cond *sc_cond_new(sg_arena *arena, sc_cond_kind kind, sc_span at);

/* -------- placeholders (placeholders.c) ---------------------------------- */

/* Values of a name in the placeholder file: a scalar or list, or NULL. */
const sc_y *sc_placeholders_get(const sc_placeholders *file, sg_str name);
/* What stands for a placeholder: true and patterns, or false to keep it. */
typedef SG_VEC(sc_pattern) sc_patterns;
typedef bool sc_placeholder_fn(sc_run *run, const sc_step *step, sg_str name,
                               sc_patterns *out);
/* Replace the placeholders of a string or regular expression by all
 * combinations. False when nothing changed or the rule failed. */
bool sc_fill_value(sc_run *run, const sc_step *step, const sc_value *value,
                   sc_placeholder_fn *fn, sc_values *out);
/* Fill from the placeholder file, inside expansions too; then reject the rule
 * when a placeholder is left (E0411). */
void sc_fill_rule(sc_run *run, sc_rule *rule);

/* -------- the stages of sc_resolve --------------------------------------- */

/* Rules by id (letter case ignored) and by name (collection.c). Rules with the
 * same id, or the same name, are chained in input order. */
typedef struct sc_entry {
    sc_rule *rule;
    uint32_t next; /* index into entries, or SIGMA_NONE */
} sc_entry;

typedef struct sc_index {
    sg_map ids, names; /* to entries; the first of a chain */
    sg_map rejected;   /* ids and names of rejected documents, to docs */
    SG_VEC(sc_entry) entries;
} sc_index;

/* Index all rules; duplicates are warned about. */
void sc_index_build(sc_session *s, const sc_ast *ast, sc_index *out);
/* The first rule of that id, else of that name; NULL when there is none. */
const sc_entry *sc_index_find(sc_session *s, const sc_index *index,
                              sg_str text);

/* Link references and aliases, refuse cycles, put rules before the
 * correlations that refer to them. */
void sc_link(sc_session *s, sc_ast *ast, const sc_index *index);
/* Reject correlations that refer to rejected documents; drop rejected ones.
 * Rules are in the order of sc_link. */
void sc_cascade(sc_session *s, sc_ast *ast);
/* Mark rules that only feed correlations. */
void sc_mark_hidden(sc_ast *ast);
/* check.c: warn about selectors that match nothing. */
void sc_check_rule(sc_session *s, const sc_rule *rule);
void sc_check_filter(sc_session *s, const sc_filter *filter);
/* filter.c: attach filters to the rules they are for. */
void sc_filters_apply(sc_session *s, const sc_ast *ast, const sc_index *index);

#endif
