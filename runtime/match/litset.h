/*
 * litset.h - the two indexes behind sr_litset; for runtime/match only.
 */
#ifndef SR_LITSET_H
#define SR_LITSET_H

#include "match/match.h"

/* Distinct literals in byte order (ENDS: in order of their reversed bytes).
 * For STARTS and ENDS no literal is a prefix (suffix) of another: the longer
 * one would be redundant. */
typedef struct sr_sorted {
    sg_str *lits;
    uint32_t count;
} sr_sorted;

/* A trie with failure links over all bytes of the literals. */
typedef struct sr_automaton sr_automaton;

sr_sorted sr_sorted_new(sg_arena *arena, sr_lit_kind kind, const sg_str *lits,
                        uint32_t count);
/* EQ, STARTS, ENDS: whether any literal matches, by binary search. */
bool sr_sorted_match(const sr_sorted *sorted, sr_lit_kind kind, sg_str text);

/* `sorted` holds at least one literal and was made for CONTAINS. */
sr_automaton *sr_automaton_new(sg_arena *arena, const sr_sorted *sorted);
bool sr_automaton_match(const sr_automaton *automaton, sg_str text);

#endif
