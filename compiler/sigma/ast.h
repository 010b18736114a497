/*
 * ast.h - Sigma as data: rules, filters, correlations. What a rule says, with
 * modifiers already applied to its values (semantics sections 2-6); nothing
 * about matching. Resolve changes this tree in place (pipelines, filters,
 * placeholders), so it is not const.
 */
#ifndef SC_AST_H
#define SC_AST_H

#include "yaml/ytree.h"

/* -------- values --------------------------------------------------------- */

typedef enum sc_tok_kind {
    SC_TOK_TEXT, /* literal bytes (UTF-8; may hold NUL) */
    SC_TOK_STAR,
    SC_TOK_ANY, /* ? */
    SC_TOK_PLACEHOLDER
} sc_tok_kind;

typedef struct sc_tok {
    sc_tok_kind kind;
    sg_str text; /* TEXT: bytes, never empty; PLACEHOLDER: its name */
} sc_tok;

/* A parsed Sigma string. Adjacent TEXT tokens are joined; no tokens: "". */
typedef struct sc_pattern {
    SG_VEC(sc_tok) toks;
} sc_pattern;

typedef enum sc_value_kind {
    SC_V_NULL,
    SC_V_BOOL,
    SC_V_NUM,
    SC_V_STRING,   /* pattern, cased */
    SC_V_REGEX,    /* pattern of TEXT and PLACEHOLDER only; re_flags */
    SC_V_CIDR,     /* text: canonical network, e.g. 10.0.0.0/8 */
    SC_V_COMPARE,  /* cmp, num */
    SC_V_FIELDREF, /* text: field; ref_kind; cased */
    SC_V_EXISTS,   /* boolean */
    SC_V_TIMEPART, /* part, cmp, num */
    SC_V_EXPANSION /* any of kids: windash, base64offset, placeholders */
} sc_value_kind;

typedef enum sc_ref_kind {
    SC_REF_EQ,
    SC_REF_STARTS,
    SC_REF_ENDS,
    SC_REF_CONTAINS
} sc_ref_kind;

typedef struct sc_value sc_value;
struct sc_value {
    sc_value_kind kind;
    sc_span at;
    bool boolean, cased;
    sc_pattern pattern;
    uint8_t re_flags; /* SIGMA_F_RE_* */
    sigma_cmp cmp;
    sigma_time_part part;
    sc_ref_kind ref_kind;
    sg_num num;
    sg_str text;
    SG_VEC(sc_value) kids;
};

/* Names of pipeline items applied so far (processing_item_applied). */
typedef struct sc_applied {
    SG_VEC(sg_str) ids;
} sc_applied;

/* field|modifiers: values. One entry of a selection's map, or keywords. */
typedef struct sc_item {
    sc_span at;     /* the key, or the list of keywords */
    bool has_field; /* false: keywords */
    sg_str field;
    bool all;                 /* values are ANDed, else ORed */
    bool negated;             /* neq: NOT of the whole */
    SG_VEC(sg_str) modifiers; /* as written, for messages */
    SG_VEC(sc_value) values;  /* never empty after reading ([] is null) */
    sc_applied applied, field_applied;
} sc_item;

typedef enum sc_det_kind { SC_DET_ITEM, SC_DET_AND, SC_DET_OR } sc_det_kind;

typedef struct sc_det sc_det;
struct sc_det {
    sc_det_kind kind;
    sc_span at;
    sc_item *item; /* SC_DET_ITEM */
    SG_VEC(sc_det *) kids;
};

/* A search identifier and what it selects. det is NULL once a pipeline has
 * dropped all of it: the identifier then vanishes from conditions. */
typedef struct sc_selection {
    sg_str name;
    sc_span at;
    sc_det *det;
    uint32_t space; /* namespace: 0 the rule's, 1.. one per filter and added
                     * condition; selectors see only their own */
} sc_selection;

/* -------- conditions ----------------------------------------------------- */

typedef enum sc_cond_kind {
    SC_COND_AND,
    SC_COND_OR,
    SC_COND_NOT, /* one kid */
    SC_COND_ID,  /* name */
    SC_COND_OF   /* quantifier `all` over selections matching name or them */
} sc_cond_kind;

typedef struct sc_cond sc_cond;
struct sc_cond {
    sc_cond_kind kind;
    sc_span at;
    bool all;  /* OF: all of, else 1/any of */
    bool them; /* OF */
    sg_str name;
    uint32_t space; /* ID, OF: namespace of names */
    SG_VEC(sc_cond *) kids;
};

/* Parse condition text (grammar: semantics section 6). `y` gives the spans.
 * Reports and returns NULL on error. Nesting is bounded at 64. Serves boolean
 * temporal conditions too, with `plain`: no quantifiers. Names are not looked
 * up here. */
sc_cond *sc_parse_condition(sc_session *s, const sc_y *y, sg_str text,
                            bool plain);

/* Whether a selector (SC_COND_OF) picks a selection: same namespace, name
 * matched by the pattern; names that begin with _ only by patterns that do,
 * never by `them` (semantics section 6). */
bool sc_cond_selects(const sc_cond *of, const sc_selection *sel);

/* -------- documents ------------------------------------------------------ */

typedef struct sc_logsource {
    sg_str category, product, service; /* empty: not set */
} sc_logsource;

/* Whether each attribute set in `a` equals that of `b` (section 7). */
bool sc_logsource_contains(const sc_logsource *a, const sc_logsource *b);

/* One branch of a sigcc.derive field. */
typedef struct sc_derive_branch {
    sg_str selection; /* empty: default */
    sg_str value;
    sc_span at;
} sc_derive_branch;

typedef struct sc_derive {
    sg_str field;
    sc_span at;
    SG_VEC(sc_derive_branch) branches; /* default last */
} sc_derive;

typedef struct sc_report_column {
    sigma_column_kind kind;
    sg_str name;
} sc_report_column;

typedef struct sc_report {
    bool present;
    sc_span at;
    SG_VEC(sc_report_column) columns;
    sg_str sort; /* column or group-by name; empty: none */
    sc_span sort_at;
    bool descending;
    uint32_t limit; /* SIGMA_NONE: none */
} sc_report;

typedef struct sc_attribute { /* custom attributes set by pipelines */
    sg_str name, value;
} sc_attribute;

typedef struct sc_corr_alias {
    sg_str alias;
    sc_span at;
    SG_VEC(sg_str) rules; /* parallel: reference text -> field */
    SG_VEC(sg_str) fields;
    SG_VEC(sc_span) spans; /* of the rule references */
} sc_corr_alias;

typedef struct sc_rule sc_rule;

typedef struct sc_corr_rule_ref {
    sg_str text;
    sc_span at;
    sc_rule *rule; /* filled by sc_link */
} sc_corr_rule_ref;

typedef struct sc_correlation {
    sigma_corr_type type;
    sc_span at;
    SG_VEC(sc_corr_rule_ref) refs;
    SG_VEC(sg_str) group_by;
    int64_t timespan; /* ns */
    sg_str timespan_text;
    SG_VEC(sigma_corr_cond) conds;
    SG_VEC(sg_str) fields; /* of value_* */
    double percentile;
    sc_cond *expr; /* boolean temporal condition, or NULL; names are refs */
    SG_VEC(sc_corr_alias) aliases;
    bool generate;
} sc_correlation;

/* A detection rule, or a correlation when `correlation` is not NULL. */
struct sc_rule {
    uint32_t doc; /* index into session docs */
    sc_span at;
    const sc_y *yaml; /* the document, after action: merging */
    sg_str title, id, name, status, level, description, author, license, date,
        taxonomy;
    SG_VEC(sg_str) tags, fields;
    sc_logsource logsource;
    SG_VEC(sc_selection) selections;
    SG_VEC(sc_cond *) conditions; /* any of */
    SG_VEC(sc_derive) derives;
    sc_report report;
    sc_correlation *correlation;
    SG_VEC(sc_attribute) attributes;
    sc_applied applied;
    uint32_t spaces;   /* namespaces handed out so far, at least 1 */
    bool hidden;       /* a correlation without generate refers to it */
    uint32_t position; /* in ast->rules while resolve orders them */
};

typedef struct sc_filter {
    uint32_t doc;
    sc_span at;
    sg_str title, id, name;
    sc_logsource logsource;
    bool any; /* applies to every rule of the log source */
    SG_VEC(sg_str) rules;
    SG_VEC(sc_span) rules_at; /* parallel */
    SG_VEC(sc_selection) selections;
    sc_cond *condition;
    const sc_y *condition_yaml;
} sc_filter;

typedef struct sc_ast {
    SG_VEC(sc_rule *) rules; /* rules and correlations, input order */
    SG_VEC(sc_filter *) filters;
} sc_ast;

/* Read every document of a source into the AST (read.c): opens one session doc
 * per document (`action: global/reset` ones are SC_DOC_SKIPPED), handles
 * action: merging. A bad document is reported, marked rejected, left out. */
void sc_read_source(sc_session *s, uint32_t source, sc_ast *ast);

/* -------- shared readers -------------------------------------------------- */

/* Read a detection (map, list, scalar) as the value of a search identifier.
 * NULL when reported. */
sc_det *sc_read_detection(sc_session *s, const sc_y *y);

/* Parse a Sigma string: escapes, * and ?. With `placeholders`, %name% too
 * (`\%` is a plain percent). */
void sc_pattern_parse(sc_session *s, sg_str text, bool placeholders,
                      sc_pattern *out);
/* The inverse: text that parses back to the pattern. */
sg_str sc_pattern_print(sg_arena *arena, const sc_pattern *p);
bool sc_pattern_has_wildcard(const sc_pattern *p);
bool sc_pattern_has_placeholder(const sc_pattern *p);
/* A pattern of one TEXT token (none when empty). */
sc_pattern sc_pattern_text(sc_session *s, sg_str text);
/* Append a token, joining texts. */
void sc_pattern_add(sc_session *s, sc_pattern *p, sc_tok tok);

/* Whether PCRE2 accepts the pattern; else the reason and offset. */
bool sc_regex_check(sg_str pattern, uint8_t flags, char reason[128],
                    size_t *offset);
/* The canonical text of a network ("10.1.2.3" becomes "10.1.2.3/32"); false
 * with a reason for bad syntax (canonical is empty then) and for host bits
 * (canonical is the network that was probably meant). */
bool sc_cidr_check(sg_arena *arena, sg_str text, sg_str *canonical,
                   const char **reason);

/* AST as stable text (--dump=ast, and --dump=rules after resolve). */
void sc_ast_dump(sg_buf *out, const sc_ast *ast);

#endif
