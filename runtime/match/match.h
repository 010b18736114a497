/*
 * match.h - how one value meets one operand: literals, sets of literals,
 * wildcards, regular expressions, networks, numbers, timestamps.
 *
 * Pure functions over text and numbers; they know neither events nor rules, so
 * the compiler may call them and cannot disagree with the runtime. Texts are
 * compared byte for byte: a caller that ignores case folds both sides first
 * (sg_fold). Nothing allocates while it matches.
 */
#ifndef SR_MATCH_H
#define SR_MATCH_H

#include "base/sg_base.h"

/* -------- literals (literal.c, litset.c) -------------------------------- */

/* Whether `needle` occurs in `text`; the empty needle always does. */
bool sr_contains(sg_str text, sg_str needle);

/* How common a byte is in paths and command lines in lower case, 1 rare to 9
 * everywhere (common.c). */
unsigned sr_byte_weight(char c);

typedef enum sr_lit_kind {
    SR_LIT_EQ,      /* the text is a literal */
    SR_LIT_STARTS,  /* ... begins with one */
    SR_LIT_ENDS,    /* ... ends with one */
    SR_LIT_CONTAINS /* ... holds one anywhere */
} sr_lit_kind;

/* Any of several literals. Time is linear in the text (plus a binary search
 * for all but CONTAINS), whatever the literals are. */
typedef struct sr_litset sr_litset;

/* Lives in the arena and borrows the bytes of the literals, not the array.
 * Never NULL; a set of no literals matches nothing. */
sr_litset *sr_litset_new(sg_arena *arena, sr_lit_kind kind, const sg_str *lits,
                         uint32_t count);
bool sr_litset_match(const sr_litset *set, sg_str text);

/* -------- wildcards (wildcard.c) ----------------------------------------- */

/* Whether the whole text matches a pattern whose SIGMA_GLOB_STAR bytes stand
 * for any run of characters and SIGMA_GLOB_ANY for one code point. At worst
 * text length times longest stretch between stars. */
bool sr_glob_match(sg_str pattern, sg_str text);
/* The rarest part of a pattern without wildcards: any match holds it. Shorter
 * than three bytes only if all parts are. */
sg_str sr_glob_run(sg_str pattern);

/* -------- regular expressions (regex.c) ---------------------------------- */

typedef struct sr_regex sr_regex;

enum {
    SR_REGEX_MAX = 65536, /* bytes of a pattern, see sr_regex_compile */
    SR_REGEX_GROUPS = 10, /* what sr_regex_exec reports, the whole included */
    SR_REGEX_NEST = 250   /* parentheses within parentheses */
};

/* Compile; flags are SIGMA_F_RE_*. NULL when refused, with the reason as text
 * and the byte offset in the pattern. malloc-owned. A compiled pattern is
 * immutable: threads may share it (each keeps its own work space).
 * What a pattern compiles to is limited too: some thousands of characters, with
 * groups counted as often as they repeat.
 * Dialect: PCRE2 in UTF mode; \d \w \s \b are ASCII; . stops at \n only; $ is
 * the very end of the value unless flag m; no \C, \G, (*COMMIT), (*SKIP), no
 * callouts. */
sr_regex *sr_regex_compile(sg_str pattern, uint32_t flags, char *reason,
                           size_t reason_size, size_t *offset);
/* Whether it would compile. */
bool sr_regex_check(sg_str pattern, uint32_t flags, char *reason,
                    size_t reason_size, size_t *offset);

/* LIMIT: the search was given up, the truth is unknown. Callers count it. The
 * limit counts work, not time: the same search always ends the same way. */
typedef enum { SR_RE_NO, SR_RE_YES, SR_RE_LIMIT } sr_re_result;

/* Search the subject, which may hold NULs and ill-formed UTF-8 (nothing but
 * a negated class or look-around touches the ill-formed parts). */
sr_re_result sr_regex_match(const sr_regex *regex, sg_str subject);
/* Search from byte `start` on and report where: group g is
 * [ovector[2g], ovector[2g + 1]), SIZE_MAX where unset; *groups of them are
 * filled. False when not found or given up. */
bool sr_regex_exec(const sr_regex *regex, sg_str subject, size_t start,
                   size_t ovector[2 * SR_REGEX_GROUPS], unsigned *groups);
/* Number of a named group, or -1. */
int sr_regex_group(const sr_regex *regex, sg_str name);
/* How it will be searched. */
typedef struct sr_regex_facts {
    bool linear;  /* what PCRE2 does not settle soon goes to an automaton */
    int required; /* byte that any match needs, or -1 */
} sr_regex_facts;
sr_regex_facts sr_regex_describe(const sr_regex *regex);
/* Accepts NULL. */
void sr_regex_free(sr_regex *regex);

/* Bytes of a set in a row (run.c). */
typedef struct sr_run {
    uint64_t of[4]; /* bit b: byte b is one of them */
    uint32_t least; /* so many bytes, at least 1 */
} sr_run;

/* Whether the text holds the run; of one that does not few bytes are read. */
bool sr_run_is_in(const sr_run *run, sg_str text);

enum { SR_REGEX_TEXTS = 16 };

/* What the folded subject of any match holds (required.c). */
typedef enum sr_need_kind {
    SR_NEED_NOTHING, /* that is known */
    SR_NEED_TEXTS,   /* one of some texts, none of them empty */
    SR_NEED_RUN
} sr_need_kind;

typedef struct sr_need {
    sr_need_kind kind;
    uint32_t count; /* of texts */
    sg_str texts[SR_REGEX_TEXTS];
    sr_run run;
} sr_need;

/* Of a pattern that compiles, whatever the flags; texts are in the arena. Of
 * what is known that which is rarest in ordinary text. */
void sr_regex_need(sg_arena *arena, sg_str pattern, sr_need *out);

/* -------- networks (cidr.c) ---------------------------------------------- */

typedef struct sr_cidr {
    uint8_t bytes[16]; /* network order; 4 used when family is 4 */
    uint8_t family;    /* 4 or 6 */
    uint8_t prefix;    /* bits; 32 or 128 for a plain address */
    bool host_bits;    /* why the parse failed: bits set behind the prefix */
} sr_cidr;

/* Parse an address or a network (ADDRESS/PREFIX): no ports, zone ids, leading
 * zeros in decimal parts, or white space. False otherwise, and when a network
 * has host bits set; host_bits is then true. */
bool sr_cidr_parse(sg_str text, sr_cidr *out);
/* Whether the text is an address, without prefix. */
bool sr_address_parse(sg_str text, sr_cidr *out);
/* Whether an address lies in the network; families do not mix. */
bool sr_cidr_covers(const sr_cidr *net, const sr_cidr *address);
/* The same for text; text that is no address lies nowhere. */
bool sr_cidr_has(const sr_cidr *net, sg_str address);

/* -------- numbers and words (number.c) ----------------------------------- */

/* `have` op `want` for NUM_EQ, LT, LTE, GT, GTE and TIME_*; exact. */
bool sr_num_holds(sigma_op op, sg_num have, sg_num want);
/* Whether the text is the number's canonical decimal text. */
bool sr_num_is_text(sg_num num, sg_str text);
/* Whether the text is the word true (or false) in any case. */
bool sr_bool_is_text(bool want, sg_str text);

/* -------- timestamps (timepart.c) ---------------------------------------- */

/* A part of a timestamp as written, without conversion between time zones:
 * YYYY-MM-DD, alone or with [T ]hh:mm[:ss[.f]] and a zone (Z, +hh:mm). A plain
 * date has no hour and minute. WEEK is ISO 8601. False for other text. */
bool sr_time_part(sg_str text, sigma_time_part part, int64_t *out);

#endif
