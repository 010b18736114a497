/*
 * eval.h - a detector's rules against one projected event: predicate bits on
 * demand, gates and routes, then the rules' own functions.
 *
 * An evaluator belongs to one thread and judges one event at a time. It
 * allocates when opened; afterwards only an event's arena and the work space
 * of regular expressions grow, and each of these is compiled when first asked,
 * until all are warm. Evaluators of several threads can share what is made of
 * the detector.
 */
#ifndef SR_EVAL_H
#define SR_EVAL_H

#include "eval/profile.h"
#include "eval/share.h"

typedef struct sr_eval sr_eval;

/* A text of the detector, which it borrows. */
static inline sg_str sr_text_of(const sigma_detector *d, sigma_ref ref)
{
    return (sg_str){d->pool + ref.off, ref.len};
}

static inline bool sr_is_keywords(const sigma_detector *d, uint32_t field)
{
    return (d->fields[field].flags & SIGMA_FIELD_KEYWORDS) != 0;
}

/* Losses, none of which is silent. */
typedef struct sr_eval_stats {
    uint64_t regex_limits;   /* searches given up: counted as "not found" */
    uint64_t candidates;     /* rules asked since their gate may be open */
    uint64_t regex_refusals; /* not made, as the expression did not compile */
    uint64_t pair_limits;    /* field references between huge arrays cut off */
    uint64_t regexes;        /* searches made; no loss */
} sr_eval_stats;

/* The detector with its texts in clear: itself, or a copy in the arena when
 * they are encoded. Comes before the check, which reads texts; one of another
 * ABI is left for that to refuse (decode.c). A copy has no manifest. */
const sigma_detector *sr_detector_decode(const sigma_detector *d,
                                         sg_arena *arena);
/* The manifest in clear of a detector as it stands in its file, which has
 * passed the check: its own text, or a copy in the arena. */
const char *sr_detector_manifest(const sigma_detector *d, sg_arena *arena);

/* Whether every table of the detector is in order: ABI, size, all indices and
 * ranges, kinds, networks, functions present. False with the reason. A detector
 * that passes cannot make the runtime read outside its tables. */
bool sr_detector_check(const sigma_detector *d, char *reason,
                       size_t reason_size);
/* The same but for tables that only events need, as they are most of a large
 * pack. An evaluator checks those before it reads them, and the process ends
 * when they are not in order. */
bool sr_detector_check_start(const sigma_detector *d, char *reason,
                             size_t reason_size);

/* For a detector that has passed sr_detector_check_start, and outlives the
 * evaluator. NULL with the reason when out of memory. */
sr_eval *sr_eval_open(const sigma_detector *d, char *reason,
                      size_t reason_size);
/* The same for another thread: what either of them makes of the detector both
 * use. They may be closed in any order, by one thread. */
sr_eval *sr_eval_beside(const sr_eval *other, char *reason, size_t reason_size);
/* Accepts NULL. */
void sr_eval_close(sr_eval *eval);
/* For what the evaluator's thread makes for all those that share. */
sr_maker *sr_eval_maker(const sr_eval *eval);

/* Wanted fields, for sr_plan_new: those that predicates read (context false),
 * or those needed beyond them once an event matched (context true). The slot
 * is the field's id. Owned by the evaluator. */
const sr_want *sr_eval_wants(sr_eval *eval, bool context, uint32_t *count);

/* A prefilter for lines, in the arena, which uses the evaluator; free it first
 * (sr_prefilter_free): what it does not pass matches no rule,
 * and judging it would count nothing. NULL: these rules cannot do without an
 * event's fields, or there are so many that it is quicker to read them. Void
 * for detectors that enrich: a field may then hold what the line does not. */
sr_prefilter *sr_eval_prefilter(sr_eval *eval, sg_arena *arena);

/* Keep account of rules and fields there from now on; NULL: no more. */
void sr_eval_profile(sr_eval *eval, sr_profile *profile);

/* Make the event, whose predicate fields are in its slots, the one to judge:
 * forgets all bits, sets event->evaluator. */
void sr_eval_begin(sr_eval *eval, sr_event *event);

/* Indices of the rules that match, ascending, into hits, which holds
 * rule_count of them; returns their number. */
size_t sr_eval_rules(sr_eval *eval, sr_event *event, uint32_t *hits);
/* One rule: its gate, its route, its condition. */
bool sr_eval_rule(sr_eval *eval, sr_event *event, uint32_t rule);

/* Whether the rule derives the field, so that the event's own is hidden. */
bool sr_eval_derives(const sr_eval *eval, uint32_t rule, uint32_t field);
/* Text of a derived field: of the first branch whose selection holds. False
 * when none does (the field is then missing, see sr_eval_derives). */
bool sr_eval_derived(sr_eval *eval, sr_event *event, uint32_t rule,
                     uint32_t field, sg_str *text);

/* Whether a selection (index into the detector's table) holds. */
bool sr_eval_selection(sr_eval *eval, sr_event *event, uint32_t selection);

const sr_eval_stats *sr_eval_stats_get(const sr_eval *eval);
/* What was counted since the last call. */
sr_eval_stats sr_eval_stats_take(sr_eval *eval);

#endif
