/*
 * tiny_detector.h - a detector written by hand against the ABI, for tests of
 * the runtime without the compiler.
 *
 *   rule "failed"    kind: fail            derives Proto from port
 *   rule "ok"        kind: ok              hidden, time field `when`
 *   correlation "many"    two of "failed" within 60s by user and Proto;
 *                         report: Count, First, Last, most first, 3 rows
 *   correlation "broken"  "failed" then "ok" within 60s by user
 */
#ifndef TINY_DETECTOR_H
#define TINY_DETECTOR_H

#include "sigma_abi.h"

enum { TINY_KIND, TINY_PORT, TINY_USER, TINY_PROTO, TINY_WHEN, TINY_FIELDS };

/* Offsets below count from here. */
static const char tiny_pool[] = "kind"        /* 0, 4 */
                                "port"        /* 4, 4 */
                                "user"        /* 8, 4 */
                                "Proto"       /* 12, 5 */
                                "when"        /* 17, 4 */
                                "fail"        /* 21, 4 */
                                "ok"          /* 25, 2 */
                                "25"          /* 27, 2 */
                                "587"         /* 29, 3 */
                                "SMTP"        /* 32, 4 */
                                "Other"       /* 36, 5 */
                                "sel_fail"    /* 41, 8 */
                                "sel_mail"    /* 49, 8 */
                                "Failed"      /* 57, 6 */
                                "many"        /* 63, 4 */
                                "broken"      /* 67, 6 */
                                "60s"         /* 73, 3 */
                                "Count"       /* 76, 5 */
                                "First"       /* 81, 5 */
                                "Last"        /* 86, 4 */
                                "high"        /* 90, 4 */
                                "0123456789"; /* 94, 10 */

static const sigma_field tiny_fields[TINY_FIELDS] = {
    {{0, 4}, SIGMA_FIELD_PRED},     {{4, 4}, SIGMA_FIELD_PRED},
    {{8, 4}, SIGMA_FIELD_CONTEXT},  {{12, 5}, SIGMA_FIELD_CONTEXT},
    {{17, 4}, SIGMA_FIELD_CONTEXT},
};
static const sigma_ref tiny_lits[] = {{21, 4}, {25, 2}, {27, 2}, {29, 3}};
static const sigma_pred tiny_preds[] = {
    {TINY_KIND, SIGMA_OP_EQ, 0, 0, 1},
    {TINY_KIND, SIGMA_OP_EQ, 0, 1, 1},
    {TINY_PORT, SIGMA_OP_EQ, 0, 2, 2},
};

static bool tiny_fail(sigma_event *e)
{
    return SIGMA_P(e, 0);
}

static bool tiny_ok(sigma_event *e)
{
    return SIGMA_P(e, 1);
}

static bool tiny_mail(sigma_event *e)
{
    return SIGMA_P(e, 2);
}

static const sigma_selection tiny_selections[] = {
    {{41, 8}},
    {{49, 8}},
    {{25, 2}},
};
static const sigma_match tiny_holds[] = {tiny_fail, tiny_mail, tiny_ok};
static const sigma_derive tiny_derives[] = {
    {TINY_PROTO, 1, {32, 4}},
    {TINY_PROTO, SIGMA_NONE, {36, 5}},
};
static const uint32_t tiny_gates[] = {0, 1};
static const sigma_rule tiny_rules[] = {
    {.meta = {.id = {21, 4},
              .title = {57, 6},
              .level = {90, 4},
              .sha256 = {94, 10}},
     .gate_first = 0,
     .gate_count = 1,
     .time_field = SIGMA_NONE,
     .selection_first = 0,
     .selection_count = 2,
     .derive_first = 0,
     .derive_count = 2,
     .route = SIGMA_NONE},
    {.meta = {.title = {25, 2}},
     .flags = SIGMA_RULE_HIDDEN,
     .gate_first = 1,
     .gate_count = 1,
     .time_field = TINY_WHEN,
     .selection_first = 2,
     .selection_count = 1,
     .route = SIGMA_NONE},
};
static const sigma_match tiny_matches[] = {tiny_fail, tiny_ok};
static const sigma_corr_ref tiny_refs[] = {{0, false}, {0, false}, {1, false}};
static const sigma_corr_key tiny_keys[] = {{{8, 4}}, {{12, 5}}, {{8, 4}}};
static const uint32_t tiny_sources[] = {TINY_USER, TINY_PROTO, TINY_USER,
                                        TINY_USER};
static const sigma_corr_cond tiny_conds[] = {
    {SIGMA_CMP_GTE, {.kind = SIGMA_INT, .v = {.i = 2}}},
};
static const sigma_column tiny_columns[] = {
    {SIGMA_COLUMN_COUNT, {76, 5}},
    {SIGMA_COLUMN_FIRST_SEEN, {81, 5}},
    {SIGMA_COLUMN_LAST_SEEN, {86, 4}},
};
static const sigma_correlation tiny_correlations[] = {
    {.meta = {.title = {63, 4}, .level = {90, 4}, .sha256 = {94, 10}},
     .type = SIGMA_CORR_EVENT_COUNT,
     .flags = SIGMA_CORR_REPORT | SIGMA_CORR_SORT_DESC,
     .timespan = INT64_C(60000000000),
     .timespan_text = {73, 3},
     .ref_first = 0,
     .ref_count = 1,
     .key_first = 0,
     .key_count = 2,
     .cond_count = 1,
     .column_count = 3,
     .sort_column = 0,
     .limit = 3},
    {.meta = {.title = {67, 6}},
     .type = SIGMA_CORR_TEMPORAL_ORDERED,
     .timespan = INT64_C(60000000000),
     .timespan_text = {73, 3},
     .ref_first = 1,
     .ref_count = 2,
     .key_first = 2,
     .key_count = 1,
     .source_first = 2,
     .sort_column = SIGMA_NONE,
     .limit = SIGMA_NONE},
};

/* What a test may have otherwise. */
#ifndef TINY_ABI
#define TINY_ABI SIGMA_ABI
#endif
#ifndef TINY_POOL_SIZE
#define TINY_POOL_SIZE (sizeof(tiny_pool) - 1)
#endif
#ifndef TINY_MANIFEST
#define TINY_MANIFEST "{\"schema\":\"sigcc.manifest/1\"}"
#endif

#define TINY_COUNT(rows) (uint32_t)(sizeof(rows) / sizeof((rows)[0]))

static const sigma_detector tiny_detector = {
    .abi = TINY_ABI,
    .size = sizeof(sigma_detector),
    .name = "tiny",
    .version = "1.2.3",
    .manifest = TINY_MANIFEST,
    .pool = tiny_pool,
    .fields = tiny_fields,
    .lits = tiny_lits,
    .preds = tiny_preds,
    .selections = tiny_selections,
    .holds = tiny_holds,
    .derives = tiny_derives,
    .rules = tiny_rules,
    .matches = tiny_matches,
    .gates = tiny_gates,
    .correlations = tiny_correlations,
    .corr_refs = tiny_refs,
    .corr_keys = tiny_keys,
    .corr_sources = tiny_sources,
    .corr_conds = tiny_conds,
    .columns = tiny_columns,
    .pool_size = TINY_POOL_SIZE,
    .field_count = TINY_FIELDS,
    .lit_count = TINY_COUNT(tiny_lits),
    .pred_count = TINY_COUNT(tiny_preds),
    .selection_count = TINY_COUNT(tiny_selections),
    .derive_count = TINY_COUNT(tiny_derives),
    .rule_count = TINY_COUNT(tiny_rules),
    .gate_count = TINY_COUNT(tiny_gates),
    .correlation_count = TINY_COUNT(tiny_correlations),
    .corr_ref_count = TINY_COUNT(tiny_refs),
    .corr_key_count = TINY_COUNT(tiny_keys),
    .corr_source_count = TINY_COUNT(tiny_sources),
    .corr_cond_count = TINY_COUNT(tiny_conds),
    .column_count = TINY_COUNT(tiny_columns),
};

#endif
