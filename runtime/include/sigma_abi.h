/*
 * sigma_abi.h - the contract between emitted C and the runtime.
 *
 * The only header that emitted C includes. Everything here is constant data
 * plus a small inline function. Strings live in one pool and are named by
 * offset and length, so a detector needs no relocations but its functions.
 * `abi` and `size` come first in sigma_detector; the runtime checks both
 * before it reads on.
 */
#ifndef SIGMA_ABI_H
#define SIGMA_ABI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SIGMA_ABI 3u
#define SIGMA_NONE UINT32_MAX /* "no such index" in every table below */

/* A string in the pool: `len` bytes at pool + off, not NUL-terminated. */
typedef struct sigma_ref {
    uint32_t off, len;
} sigma_ref;

/* An exact number: what a rule or an event wrote, never rounded when it is an
 * integer that fits 64 bits. */
typedef enum sigma_num_kind {
    SIGMA_INT,
    SIGMA_UINT,
    SIGMA_FLOAT
} sigma_num_kind;

/* SIGMA_UINT is used only above INT64_MAX, so each value has one form. */
typedef struct sigma_num {
    sigma_num_kind kind;
    union {
        int64_t i;
        uint64_t u;
        double f;
    } v;
} sigma_num;

typedef enum sigma_op {
#define OP(name, text, operand, cost, doc) SIGMA_OP_##name,
#include "sigma_ops.def"
#undef OP
    SIGMA_OP_COUNT
} sigma_op;

/* Flags of a predicate. Each op reads only its own (see sigma_ops.def). */
enum {
    SIGMA_F_CASED = 1,     /* string ops, FIELDREF: compare case-sensitively */
    SIGMA_F_RE_I = 2,      /* REGEX: ignore case */
    SIGMA_F_RE_M = 4,      /* REGEX: ^ and $ also at line ends */
    SIGMA_F_RE_S = 8,      /* REGEX: . matches a newline */
    SIGMA_F_PART_SHIFT = 4 /* TIME_*: bits 4-6 hold a sigma_time_part */
};

typedef enum sigma_time_part {
    SIGMA_MINUTE,
    SIGMA_HOUR,
    SIGMA_DAY,
    SIGMA_WEEK,
    SIGMA_MONTH,
    SIGMA_YEAR
} sigma_time_part;

/* In GLOB literals: bytes that never occur in UTF-8 stand for wildcards. */
#define SIGMA_GLOB_STAR '\xFF' /* any run of characters, newlines too */
#define SIGMA_GLOB_ANY '\xFE'  /* exactly one code point */

/* How a field is used; the runtime projects predicate fields from every event
 * and context fields only from events that matched. */
enum {
    SIGMA_FIELD_PRED = 1,     /* some predicate reads it */
    SIGMA_FIELD_CONTEXT = 2,  /* group-by, values, event time, reports */
    SIGMA_FIELD_KEYWORDS = 4, /* not a field: every scalar value of the event */
    SIGMA_FIELD_ENRICH = 8    /* enrichment reads or adds it: as PRED */
};

typedef struct sigma_field {
    sigma_ref name; /* as the rule (after pipelines) wrote it */
    uint32_t flags;
} sigma_field;

/* One bit per event: does any value of `field` satisfy `op` with any operand
 * in [first, first + count)? What first and count index depends on the op's
 * operand kind: lits, nums, a field id, a boolean, or nothing. */
typedef struct sigma_pred {
    uint32_t field;
    uint8_t op;
    uint8_t flags;
    uint32_t first, count;
} sigma_pred;

/* The event as emitted code sees it: bits computed on demand, then kept. */
typedef struct sigma_event {
    uint64_t *known; /* bit p: predicate p was evaluated for this event */
    uint64_t *value; /* bit p: its verdict, when known */
} sigma_event;

/* Seen by the files of one detector and by nothing else; seen by packs that a
 * program loads. */
#if defined(__GNUC__)
#define SIGMA_HIDDEN __attribute__((visibility("hidden")))
#define SIGMA_VISIBLE __attribute__((visibility("default")))
#else
#define SIGMA_HIDDEN
#define SIGMA_VISIBLE
#endif

/* Evaluate predicate p, record and return its verdict. */
SIGMA_VISIBLE bool sigma_pred_eval(sigma_event *event, uint32_t p);

/* The verdict of predicate p on this event. */
static inline bool sigma_verdict(sigma_event *event, uint32_t p)
{
    const uint64_t bit = UINT64_C(1) << (p & 63);

    if ((event->known[p >> 6] & bit) != 0)
        return (event->value[p >> 6] & bit) != 0;
    return sigma_pred_eval(event, p);
}

/* The same as a call, for packs: less to compile, and less code to fetch. */
SIGMA_VISIBLE bool sigma_ask(sigma_event *event, uint32_t p);

/* How functions ask. The functions of a large pack stand in parts; each numbers
 * the predicates it asks for by itself and finds the detector's number in the
 * table that SIGMA_PART names, so that it stays the same, byte by byte, when
 * rules of other parts change. */
#ifdef SIGMA_PART
extern SIGMA_HIDDEN const uint32_t SIGMA_PART[];
#define SIGMA_P(event, p) sigma_ask(event, SIGMA_PART[p])
#else
#define SIGMA_P(event, p) sigma_verdict(event, p)
#endif

/* Functions stand in tables of their own: an address is relocated at each
 * start, which has the system copy every page that holds one. */
typedef bool sigma_match_fn(sigma_event *event);
typedef sigma_match_fn *sigma_match;

/* A search identifier that the condition uses, in rule order. */
typedef struct sigma_selection {
    sigma_ref name;
} sigma_selection;

/* One branch of a derived field: when selection `selection` of the rule holds
 * (SIGMA_NONE: always, the default) the field has this text. First wins. */
typedef struct sigma_derive {
    uint32_t field;     /* hides the event's own field of that id */
    uint32_t selection; /* index into the rule's selections */
    sigma_ref value;
} sigma_derive;

/* What an alert says about the rule or correlation that raised it. Absent
 * texts have len 0. */
typedef struct sigma_meta {
    sigma_ref id, name, title, level, status, sha256;
    uint32_t tag_first, tag_count; /* into strs */
} sigma_meta;

enum {
    SIGMA_RULE_HIDDEN = 1 /* feeds correlations only, raises no alert */
};

typedef struct sigma_rule {
    sigma_meta meta;
    uint32_t flags;
    uint32_t gate_first, gate_count; /* into gates: predicates one of which
                                      * holds whenever it matches; 0: none */
    uint32_t time_field; /* field id of the event time, or NONE: the usual */
    uint32_t selection_first, selection_count;
    uint32_t derive_first, derive_count;
    uint32_t route;   /* index into routes, or NONE: any event */
    sigma_ref digest; /* of what it computes, 64 hex digits; or empty */
} sigma_rule;

/* Whenever the rule matches, one of these predicates holds: all of one field,
 * for which a missing value is not enough. Detectors of more than
 * SIGMA_CLAUSE_RULES rules have none. */
typedef struct sigma_clause {
    uint32_t rule;
    uint32_t gate_first, gate_count; /* into gates */
} sigma_clause;

#define SIGMA_CLAUSE_RULES 8u

/* Log-source routing: rules of a route need not look at an event that it does
 * not accept, one that says it is of another log source. */
typedef struct sigma_route {
    sigma_match_fn *accepts;
} sigma_route;

typedef enum sigma_corr_type {
#define CORR(name, text, operand, doc) SIGMA_CORR_##name,
#include "sigma_correlations.def"
#undef CORR
    SIGMA_CORR_COUNT
} sigma_corr_type;

typedef enum sigma_cmp {
    SIGMA_CMP_EQ,
    SIGMA_CMP_NEQ,
    SIGMA_CMP_LT,
    SIGMA_CMP_LTE,
    SIGMA_CMP_GT,
    SIGMA_CMP_GTE
} sigma_cmp;

/* What a correlation listens to: a rule, or a correlation (by its own index;
 * inner ones come first in the table, so one pass in order serves chains). */
typedef struct sigma_corr_ref {
    uint32_t index;
    bool is_correlation;
} sigma_corr_ref;

typedef struct sigma_corr_key {
    sigma_ref name; /* as shown in alerts: group-by name after pipelines */
} sigma_corr_key;

typedef struct sigma_corr_cond {
    sigma_cmp cmp;
    sigma_num threshold;
} sigma_corr_cond;

/* Boolean temporal condition, postfix over the correlation's refs. */
typedef enum sigma_expr_op {
    SIGMA_EXPR_REF, /* push: ref `arg` was seen in the window */
    SIGMA_EXPR_AND,
    SIGMA_EXPR_OR,
    SIGMA_EXPR_NOT
} sigma_expr_op;

typedef struct sigma_expr {
    sigma_expr_op op;
    uint32_t arg;
} sigma_expr;

/* A column of the search-mode report. */
typedef enum sigma_column_kind {
    SIGMA_COLUMN_COUNT,
    SIGMA_COLUMN_VALUE,
    SIGMA_COLUMN_FIRST_SEEN,
    SIGMA_COLUMN_LAST_SEEN
} sigma_column_kind;

typedef struct sigma_column {
    sigma_column_kind kind;
    sigma_ref name;
} sigma_column;

enum {
    SIGMA_CORR_HIDDEN = 1,   /* feeds other correlations only */
    SIGMA_CORR_REPORT = 2,   /* has a sigcc.report block: flat search rows */
    SIGMA_CORR_SORT_DESC = 4 /* sort column: largest first */
};

typedef struct sigma_correlation {
    sigma_meta meta;
    uint32_t type; /* sigma_corr_type */
    uint32_t flags;
    int64_t timespan;        /* nanoseconds */
    sigma_ref timespan_text; /* as written: "5m" */
    uint32_t ref_first, ref_count;
    uint32_t key_first, key_count;
    /* Field ids: source_first + ref * (key_count + value_count) + k gives
     * the field of group key k for events of that ref; the value fields
     * follow the keys. Aliases make them differ between refs. */
    uint32_t source_first, value_count;
    uint32_t cond_first, cond_count; /* all must hold */
    uint32_t expr_first, expr_count; /* temporal types only */
    double percentile;               /* 0-100, VALUE_PERCENTILE only */
    uint32_t column_first, column_count;
    uint32_t sort_column; /* index from column_first; or column_count + key
                           * index; NONE: first_seen order */
    uint32_t limit;       /* rows of the report; NONE: all */
    sigma_ref digest;     /* of what it computes, its rules included: kept
                           * state is that of the correlation of this digest */
} sigma_correlation;

/* -------- enrichment ----------------------------------------------------- */

enum {
    SIGMA_TABLE_LEARNED = 1 /* filled from events, else from a file */
};

/* A table that events are enriched from: texts by a key of texts. */
typedef struct sigma_table {
    sigma_ref name;
    uint32_t flags;
    uint32_t key_count;
    uint32_t key_first;                  /* into strs: of the file's columns;
                                          * NONE for learned tables */
    uint32_t column_first, column_count; /* into strs */
} sigma_table;

typedef enum sigma_step_kind {
    SIGMA_STEP_LEARN, /* the event fills the table */
    SIGMA_STEP_ADD,   /* the table gives values to the event */
    SIGMA_STEP_COPY   /* a field gives its value to another */
} sigma_step_kind;

/* A condition: some value of the field is one of these texts, exactly. */
typedef struct sigma_when {
    uint32_t field;
    uint32_t str_first, str_count; /* into strs */
} sigma_when;

/* LEARN: column `to` from field `from`; ADD: field `to` from column `from`;
 * COPY: field `to` from field `from`. Of several for one target the first
 * that has a value counts; a field that has one keeps it. */
typedef struct sigma_put {
    uint32_t to, from;
} sigma_put;

typedef struct sigma_step {
    sigma_step_kind kind;
    uint32_t table;                  /* NONE for COPY */
    uint32_t when_first, when_count; /* all must hold */
    uint32_t key_first, key_count;   /* into enrich_keys: fields */
    uint32_t put_first, put_count;
} sigma_step;

/* A compiled pack of rules. */
typedef struct sigma_detector {
    uint32_t abi;  /* SIGMA_ABI */
    uint32_t size; /* sizeof(sigma_detector) of the compiler's header */
    const char *name;
    const char *version;  /* of the compiler */
    const char *manifest; /* JSON text, see the interface's manifest */
    const char *pool;
    const sigma_field *fields;
    const sigma_ref *lits;
    const sigma_num *nums;
    const sigma_pred *preds;
    const sigma_selection *selections;
    const sigma_match *holds; /* of each selection */
    const sigma_derive *derives;
    const sigma_ref *strs;
    const sigma_rule *rules;
    const sigma_match *matches; /* of each rule */
    const uint32_t *gates;      /* predicate ids */
    const sigma_clause *clauses;
    const sigma_route *routes;
    const sigma_correlation *correlations;
    const sigma_corr_ref *corr_refs;
    const sigma_corr_key *corr_keys;
    const uint32_t *corr_sources;
    const sigma_corr_cond *corr_conds;
    const sigma_expr *corr_exprs;
    const sigma_column *columns;
    uint32_t pool_size, field_count, lit_count, num_count, pred_count;
    uint32_t selection_count, derive_count, str_count, rule_count;
    uint32_t gate_count, clause_count;
    uint32_t route_count, correlation_count;
    uint32_t corr_ref_count, corr_key_count, corr_source_count;
    uint32_t corr_cond_count, corr_expr_count, column_count;
    /* Enrichment: steps in order, those that LEARN first. */
    const sigma_table *enrich_tables;
    const sigma_when *enrich_whens;
    const uint32_t *enrich_keys; /* field ids */
    const sigma_put *enrich_puts;
    const sigma_step *enrich_steps;
    uint32_t enrich_table_count, enrich_when_count, enrich_key_count;
    uint32_t enrich_put_count, enrich_step_count;
    /* Not 0: pool, name and manifest are encoded with this key (sg_encode), so
     * that no text of the rules lies in the file as it is. Name and manifest
     * then take so many bytes. */
    uint64_t key;
    uint32_t name_size, manifest_size;
} sigma_detector;

/* Where in the key's stream the encoded texts stand; the pool begins it. */
#define SIGMA_AT_NAME (UINT64_C(1) << 32)
#define SIGMA_AT_MANIFEST (UINT64_C(2) << 32)

/* The command line of a detector; see `DETECTOR --help`. Returns the exit
 * code. */
int sigma_main(int argc, char **argv, const sigma_detector *detector);

/* Text in a note of the ELF file, which `strip` leaves there: the manifest, for
 * those who want to know what a file is without running it. Its owner and type
 * are what `sigcc inspect` looks for. The runtime tells in notes of another
 * type what it is and which libraries it was built with, one in each. */
#define SIGMA_NOTE_OWNER "sigcc"
#define SIGMA_NOTE_TYPE 1
#define SIGMA_NOTE(id, string) SIGMA_NOTE_OF(id, SIGMA_NOTE_TYPE, string)
/* An encoded one has the key before it, little-endian. */
#define SIGMA_NOTE_ENCODED_TYPE 2
#define SIGMA_NOTE_ENCODED(id, string)                                         \
    SIGMA_NOTE_OF(id, SIGMA_NOTE_ENCODED_TYPE, string)
#define SIGMA_KEY_SIZE 8
/* A part of the runtime. */
#define SIGMA_NOTE_PART 3
#define SIGMA_NOTE_OF(id, kind, string)                                        \
    static const struct {                                                      \
        uint32_t owner_size, text_size, type;                                  \
        char owner[8]; /* the next multiple of 4 */                            \
        char text[sizeof(string)];                                             \
    }(id) __attribute__((section(".note.sigcc"), aligned(4), used)) = {        \
        sizeof(SIGMA_NOTE_OWNER), sizeof(string), kind, SIGMA_NOTE_OWNER,      \
        string}

/* Emitted files end with this: `main` exists only where the build asks, and
 * likewise what sigma_open looks for in a shared object. */
#if defined(SIGMA_WITH_MAIN)
#define SIGMA_MAIN(get)                                                        \
    int main(int argc, char **argv)                                            \
    {                                                                          \
        return sigma_main(argc, argv, get());                                  \
    }
#elif defined(SIGMA_WITH_PACK)
#define SIGMA_MAIN(get)                                                        \
    SIGMA_VISIBLE const sigma_detector *sigma_pack_detector(void);             \
    const sigma_detector *sigma_pack_detector(void)                            \
    {                                                                          \
        return get();                                                          \
    }
#else
#define SIGMA_MAIN(get)
#endif

#endif
