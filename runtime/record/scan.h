/*
 * scan.h - inside of the scanner: the state of one scan, and what every way of
 * scanning shares: tokens (token.c), and what is done with keys, values and
 * containers once the grammar has found them (take.c).
 *
 * There is one careful scanner (json.c), byte by byte, and per vector width a
 * fast one (level_*.c, all from walk.h). A fast one only says whether a line
 * is good; why it is bad is for the careful one to find out. So all of them
 * give the same values, reasons and places.
 */
#ifndef SR_SCAN_H
#define SR_SCAN_H

#include "record/plan.h"
#include "record/sieve.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

/* Where the colons and brackets of a line stand, those in strings aside, from
 * its beginning. */
enum { SR_JOINTS_MOST = 512 };
typedef struct sr_joints {
    uint32_t count;
    uint32_t at[SR_JOINTS_MOST + 1]; /* filled in pairs */
} sr_joints;

typedef struct sr_scan {
    const char *p, *line, *end;
    const sr_plan *plan;
    sr_event *event;
    sr_work *work;
    uint64_t run;
    sr_joints *joints; /* to be listed and nothing else; or NULL */
    uint32_t depth;    /* frames in use */
    uint32_t values;   /* the event had before */
    bool escaped;      /* the string just read has a backslash */
    bool nested;       /* set by fast scanners: an object has others in it */
    sr_fault *fault;
} sr_scan;

/* A fast scanner; it moves s->end behind the line's last brace. False when the
 * line is bad, or not for it to judge. Values that it added by then are to be
 * forgotten; the fault is not filled. */
typedef bool sr_scan_fn(sr_scan *s);

/* A fast scanner of many lines: sr_good_lines. */
typedef sr_good sr_lines_fn(const sr_plan *plan, sg_str text);

/* The scan of a prefilter: sr_needles_find. */
typedef struct sr_needles sr_needles;
typedef const char *sr_find_fn(const sr_needles *n, sg_str text);
/* The one that looks at each place by itself. */
sr_find_fn sr_find_plain;

/* -------- choice of a level (level.c) ---------------------------------- */

struct sr_level {
    const char *name;
    bool (*usable)(void); /* has this processor what it takes? */
    sr_scan_fn *scan;     /* NULL: the careful one alone */
    sr_lines_fn *lines;   /* NULL as well */
    sr_find_fn *find;
    sr_sift_fn *sift; /* NULL: it has no look-ups in tables */
};

/* All levels of this build, best first, NULL behind them; the last one is
 * "scalar" and always usable. */
extern const sr_level *const sr_levels[];
/* The usable level of that name, or NULL. */
const sr_level *sr_level_named(const char *name);
/* The one $SIGCC_SIMD names when it is usable, else the best. */
const sr_level *sr_level_choose(void);

/* -------- layouts (layout.c) -------------------------------------------- */

/* For a plan that wants so many keys of the outermost object. */
sr_layout_set sr_layouts_choose(const sr_plan *plan, uint32_t keys);
/* Fill the event by what is known of lines with the same keys. False: nothing
 * is done. */
bool sr_layout_read(sr_scan *s);
/* Learn from an event that sr_layout_read could not fill, now that it is. */
void sr_layout_learn(const sr_scan *s);

/* -------- faults ------------------------------------------------------- */

/* These return false. */
bool sr_fail_at(sr_scan *s, const char *at, const char *reason);
bool sr_fail(sr_scan *s, const char *reason); /* at s->p, or: ends too early */
bool sr_fail_memory(sr_scan *s);

/* -------- tokens ------------------------------------------------------- */

/* Length of the well-formed UTF-8 sequence (RFC 3629) at p < end, or 0. */
size_t sr_sequence(const char *p, const char *end);
/* Whether a backslash and c are an escape of two bytes. */
bool sr_is_short_escape(char c);
bool sr_is_hex(char c);
/* The value of four of those. */
uint32_t sr_hex4(const char *p);
/* s->p at the opening quote; afterwards behind the closing one. */
bool sr_scan_string(sr_scan *s);
/* Read one scalar, s->p < s->end at its first byte; its kind goes to *kind. */
bool sr_scan_scalar(sr_scan *s, sr_kind *kind);

/* The first byte in [p, end) that a string cannot just pass over: quote,
 * backslash, control or non-ASCII; end when there is none. */
static inline const char *sr_special(const char *p, const char *end)
{
#ifdef __SSE2__
    const __m128i quote = _mm_set1_epi8('"');
    const __m128i slash = _mm_set1_epi8('\\');
    const __m128i last_control = _mm_set1_epi8(0x1F);

    for (; end - p >= 16; p += 16) {
        const __m128i v = _mm_loadu_si128((const __m128i *)(const void *)p);
        const __m128i hit = _mm_or_si128(
            _mm_or_si128(_mm_cmpeq_epi8(v, quote), _mm_cmpeq_epi8(v, slash)),
            _mm_cmpeq_epi8(_mm_min_epu8(v, last_control), v));
        /* the sign bit of v itself marks non-ASCII */
        const int mask = _mm_movemask_epi8(_mm_or_si128(hit, v));
        if (mask != 0)
            return p + __builtin_ctz((unsigned)mask);
    }
#endif
    for (; p < end; p++) {
        const unsigned char c = (unsigned char)*p;
        if (c == '"' || c == '\\' || c < 0x20 || c >= 0x80)
            break;
    }
    return p;
}

static inline bool sr_is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static inline void sr_skip_space(sr_scan *s)
{
    if (s->p < s->end && (unsigned char)*s->p > ' ')
        return; /* nearly always */
    while (s->p < s->end && sr_is_space(*s->p))
        s->p++;
}

/* -------- what the grammar found --------------------------------------- */

/* The value of a scalar, all but `next`: member by member, since a copy of what
 * was just written is slow to load. */
static inline void sr_fill_value(sr_value *value, sr_kind kind, sg_str raw,
                                 bool escaped)
{
    value->raw = raw;
    value->text.ptr = value->folded.ptr = NULL;
    value->text.len = value->folded.len = 0;
    value->num = kind == SR_NUMBER ? sr_number(raw) : (sg_num){0};
    value->kind = (uint8_t)kind;
    value->boolean = kind == SR_BOOL && raw.ptr[0] == 't';
    if (kind == SR_STRING && !escaped)
        value->text = (sg_str){raw.ptr + 1, raw.len - 2};
}

/* A scalar for a node, or SIGMA_NONE, and for keywords. */
bool sr_take_scalar(sr_scan *s, uint32_t node, sr_kind kind, sg_str raw);
/* s->p at an opening bracket: a frame for that container; s->p moves on. */
bool sr_enter(sr_scan *s, uint32_t node);
/* s->p at the closing bracket of the top frame; s->p moves on. */
bool sr_leave(sr_scan *s);
/* A key of the top frame, an object, as written: find its node. What it gave
 * before in this object is void. */
bool sr_begin_member(sr_scan *s, sr_frame *frame, sg_str key);
/* The same for a key of which sr_is_guessed. */
void sr_begin_guessed(sr_scan *s, sr_frame *frame);
/* Whether the key of the top frame is what its guess says, and nothing else has
 * to be known of it. For a frame that wants nothing but named keys. */
static inline bool sr_is_guessed(const sr_scan *s, const sr_frame *frame,
                                 const sr_node *node, sg_str key)
{
    const uint32_t place = *frame->guess;

    if (place > node->mask)
        return false;
    const sr_key *guess = &s->plan->keys[node->table + place];
    return guess->node != SIGMA_NONE && sr_key_eq(guess->text, key) &&
           !(node->spaced && sr_has_blank(key));
}
/* The member has been read: note which values it gave. */
void sr_end_member(sr_scan *s, const sr_frame *frame);
/* False: nobody wants this key of the node (without escapes). */
bool sr_is_wanted(const sr_plan *plan, const sr_node *node, sg_str key);

#endif
