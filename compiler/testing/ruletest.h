/*
 * ruletest.h - tests of rules: event files found beside rules, what they
 * demand, what the reference evaluator and a detector say about them, and the
 * reports. Which files belong to which rule is written down in find.c and in
 * `sigcc test --help`.
 */
#ifndef SC_RULETEST_H
#define SC_RULETEST_H

#include "ir/ir.h"

enum {
    SC_RT_MAX_BYTES = 64 << 20, /* of an event file */
    SC_RT_MAX_FAILURES = 20     /* kept per test; all are counted */
};

typedef enum sc_rt_kind {
    SC_RT_EVENTS, /* each event on its own */
    SC_RT_STREAM, /* all of them, for correlations */
    SC_RT_COUNT   /* at least `at_least` events match */
} sc_rt_kind;

typedef enum sc_rt_status {
    SC_RT_PASSED,
    SC_RT_FAILED,
    SC_RT_SKIPPED
} sc_rt_status;

typedef struct sc_rt_failure {
    uint32_t line; /* 1-based; 0: the file as a whole */
    sg_str reason, detail;
} sc_rt_failure;

/* A rule matched, or a correlation fired, at a line. */
typedef struct sc_rt_hit {
    bool is_correlation;
    uint32_t index, line;
} sc_rt_hit;

typedef struct sc_rt_hits {
    SG_VEC(sc_rt_hit) list;
} sc_rt_hits;

/* A rule file. */
typedef struct sc_rt_file {
    sg_str path, folder, stem;
    sg_str below;           /* its folder, from the PATH that it was found in */
    SG_VEC(uint32_t) rules; /* in ir->rules */
    SG_VEC(uint32_t) corrs; /* in ir->corrs */
} sc_rt_file;

/* An event file and what it demands. */
typedef struct sc_rt_test {
    sg_str path, label;
    bool expect_match;
    bool concatenated; /* JSON objects in any layout, else one a line */
    sc_rt_kind kind;
    uint32_t at_least;
    uint32_t file;       /* in files */
    uint32_t rule, corr; /* the only one meant, or SIGMA_NONE */
    sc_rt_status status;
    sg_str skipped; /* why */
    SG_VEC(sg_str) lines;
    uint32_t events; /* lines that are not blank */
    sc_rt_hits hits; /* of the reference evaluator, targets only */
    SG_VEC(sc_rt_failure) failures;
    uint32_t failure_count;
} sc_rt_test;

typedef struct sc_ruletest {
    sc_session *session;
    const sc_ir *ir; /* not optimised */
    SG_VEC(sc_rt_file) files;
    SG_VEC(sc_rt_test) tests;
} sc_ruletest;

/* Where to look. */
typedef struct sc_rt_places {
    const sg_str *paths; /* PATH arguments */
    uint32_t path_count;
    const sg_str *events; /* --events */
    uint32_t event_count;
    sg_str regression_root;
} sc_rt_places;

/* Find the rule files of the IR and all tests of theirs. `out` has session
 * and ir. */
void sc_rt_find(sc_ruletest *out, const sc_rt_places *places);
/* Tests that a rule's regression_tests_path names (regression.c). */
void sc_rt_find_regression(sc_ruletest *t, uint32_t file,
                           const sc_rt_places *places);
/* Read a test's events and judge them by the reference evaluator. */
void sc_rt_judge(sc_ruletest *t, sc_rt_test *test);
/* Compare with what a detector of the same rules, nothing hidden and every
 * firing written, said about the same lines. */
void sc_rt_compare(sc_ruletest *t, sc_rt_test *test, const sc_rt_hits *hits);
/* Record a failure. */
void sc_rt_fail(sc_ruletest *t, sc_rt_test *test, uint32_t line, sg_str reason,
                sg_str detail);
/* Whether the test has a say about a rule or correlation. */
bool sc_rt_targets(const sc_ruletest *t, const sc_rt_test *test,
                   bool is_correlation, uint32_t index);

/* -------- results -------------------------------------------------------- */

typedef enum sc_rt_verdict {
    SC_RT_RULE_PASSED,
    SC_RT_RULE_FAILED,
    SC_RT_RULE_UNTESTED,
    SC_RT_RULE_REJECTED,
    SC_RT_RULE_NONE /* a document that is no rule */
} sc_rt_verdict;

sc_rt_verdict sc_rt_rule_verdict(const sc_ruletest *t, uint32_t doc);
const char *sc_rt_verdict_name(sc_rt_verdict verdict);
const char *sc_rt_status_name(sc_rt_status status);

typedef struct sc_rt_totals {
    uint32_t tests, passed, failed, skipped, events;
    uint32_t rules[SC_RT_RULE_NONE];
} sc_rt_totals;

sc_rt_totals sc_rt_count(const sc_ruletest *t);

void sc_rt_text(sg_buf *out, const sc_ruletest *t, bool colour);
/* {"schema":"sigcc.test/1",...}, one line. */
void sc_rt_json(sg_buf *out, const sc_ruletest *t);
/* The array of its tests. */
void sc_rt_put_tests(sg_buf *out, const sc_ruletest *t);
/* One suite per rule file, one case per event file; untested rules are
 * skipped cases (failures with `strict`), rejected ones errors. */
void sc_rt_junit(sg_buf *out, const sc_ruletest *t, bool strict);

#endif
