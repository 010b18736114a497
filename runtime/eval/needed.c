/*
 * needed.c - the texts that an event must hold somewhere to match any rule,
 * taken from the rules' gates.
 */
#include "eval/needed.h"

#include "eval/eval.h"

/* So many texts hardly ever end up as few enough needles. */
enum { TEXTS_MOST = 64 };

typedef struct needed {
    const sigma_detector *d;
    sg_arena *arena;
    SG_VEC(sg_str) texts;
} needed;

/* Whether what satisfies the predicate holds one of its literals, or every
 * piece between the wildcards of one. */
static bool is_textual(const sigma_pred *p)
{
    return p->op == SIGMA_OP_EQ || p->op == SIGMA_OP_STARTS ||
           p->op == SIGMA_OP_ENDS || p->op == SIGMA_OP_CONTAINS ||
           p->op == SIGMA_OP_GLOB;
}

static bool add_pred(needed *n, const sigma_pred *p)
{
    if (!is_textual(p) || n->texts.count + p->count > TEXTS_MOST)
        return false;
    for (uint32_t i = 0; i < p->count; i++) {
        const sg_str text = sr_text_of(n->d, n->d->lits[p->first + i]);

        SG_PUSH(n->arena, &n->texts, text);
    }
    return true;
}

static bool add_rule(needed *n, const sigma_rule *rule)
{
    for (uint32_t i = 0; i < rule->gate_count; i++)
        if (!add_pred(n, &n->d->preds[n->d->gates[rule->gate_first + i]]))
            return false;
    return rule->gate_count != 0;
}

sr_prefilter *sr_needed_prefilter(const sigma_detector *d, sg_arena *arena)
{
    sg_arena scratch = {0};
    needed n = {.d = d, .arena = &scratch};
    sr_prefilter *filter = NULL;
    uint32_t rules = 0;

    while (rules < d->rule_count && add_rule(&n, &d->rules[rules]))
        rules++;
    if (rules == d->rule_count)
        filter = sr_prefilter_new(arena, n.texts.items, n.texts.count);
    sg_arena_free(&scratch);
    return filter;
}
