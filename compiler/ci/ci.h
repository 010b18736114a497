/*
 * ci.h - what `sigcc ci` writes for build servers and people: one JSON report,
 * a page that shows it, a layer for the ATT&CK Navigator; and what an earlier
 * report knew. Writes to buffers, opens no file.
 */
#ifndef SC_CI_H
#define SC_CI_H

#include "report/lint.h"
#include "testing/ruletest.h"

/* What is known of a document besides its status. */
typedef struct sc_ci_doc {
    const sc_rule *rule;    /* the first that it was read as, or NULL */
    bool good;              /* it compiles, whether asked for or not */
    const char *cost_class; /* "indexed", ...; NULL: not known */
    double work;            /* short comparisons for an event */
    sg_str found_by;        /* how events find it in a pack */
} sc_ci_doc;

/* The outcome of a run. Documents that --since leaves out have the status
 * SC_DOC_UNCHANGED. */
typedef struct sc_ci {
    sc_session *s;
    sc_ci_doc *docs; /* parallel to those of the session */
    const sc_ruletest *tests;
    const sg_str *fingerprints; /* parallel to the diagnostics ... */
    const bool *fatal;          /* ... whether it fails the run unless known */
    const bool *known;          /* ... whether the baseline has it */
    sg_str since;               /* the commit compared with, or empty */
    uint32_t detectors;         /* written */
} sc_ci;

typedef struct sc_ci_totals {
    sc_totals rules;
    sc_rt_totals tests;
    uint32_t findings, known, fatal; /* fatal: and not known */
} sc_ci_totals;

sc_ci_totals sc_ci_count(const sc_ci *ci);

/* {"schema":"sigcc.ci/1",...}, one line; the same run, the same bytes. */
void sc_ci_json(const sc_ci *ci, sg_buf *out);

/* One page that shows the JSON of sc_ci_json: whole in itself, no network.
 * Nothing in it can become markup (page.c). */
void sc_ci_page(sg_str json, sg_buf *out);

/* -------- ATT&CK (attack.c) ----------------------------------------------- */

/* A technique and the good rules that name it. */
typedef struct sc_ci_technique {
    sg_str id;             /* "T1059.001" */
    SG_VEC(uint32_t) docs; /* each once, in order */
} sc_ci_technique;

/* How many tactics there are. */
enum {
    SC_CI_TACTICS = sizeof((char[]){
#define TACTIC(name, title) 0,
#include "report/tactics.def"
#undef TACTIC
    })
};

typedef struct sc_ci_attack {
    SG_VEC(sc_ci_technique) techniques; /* sorted */
    uint32_t tactics[SC_CI_TACTICS];    /* number of rules */
    uint32_t *cells; /* a row of SC_CI_TACTICS a technique: number of rules
                      * that name both */
} sc_ci_attack;

/* Count the tags of all good rules. Tags do not say which technique serves
 * which tactic: a rule with several counts in each. */
void sc_ci_attack_count(const sc_ci *ci, sg_arena *arena, sc_ci_attack *out);
/* The member "attack" of the report. */
void sc_ci_attack_json(const sc_ci *ci, sg_buf *out);
/* A layer, format 4.5, for the ATT&CK Navigator. */
void sc_ci_navigator(const sc_ci *ci, sg_buf *out);

/* -------- baselines (baseline.c) ------------------------------------------ */

/* Put the fingerprints of an earlier report.json or results.sarif into `known`
 * (keys; in the arena). False when the text is neither. */
bool sc_ci_baseline(sg_arena *arena, sg_str text, sg_map *known);

#endif
