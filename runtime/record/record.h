/*
 * record.h - one event after projection: the values of wanted fields, found in
 * a JSON line without building a tree.
 *
 * A plan is made once from the fields a detector needs. sr_project scans a
 * line against it and fills an event. Views in the event borrow the line and
 * the event's arena; both live until the next sr_event_begin.
 */
#ifndef SR_RECORD_H
#define SR_RECORD_H

#include "base/sg_base.h"

typedef enum sr_kind {
    SR_NULL,
    SR_BOOL,
    SR_NUMBER,
    SR_STRING,
    SR_OBJECT, /* exists, equals nothing */
    SR_EMPTY   /* an empty array: exists, has no value */
} sr_kind;

typedef struct sr_value {
    sg_str raw;    /* the token in the line, a string's quotes included */
    sg_str text;   /* on demand, ptr NULL until then: see sr_value_text */
    sg_str folded; /* on demand, ptr NULL until then: see sr_value_folded */
    sg_num num;    /* SR_NUMBER only */
    uint32_t next; /* next value of the same field, or SIGMA_NONE */
    uint8_t kind;  /* sr_kind */
    bool boolean;  /* SR_BOOL only */
} sr_value;

/* Values of one field in event order; first is SIGMA_NONE when missing.
 * Arrays are flattened; an object in them is one SR_OBJECT. */
typedef struct sr_slot {
    uint32_t first, last;
} sr_slot;

typedef struct sr_event {
    sigma_event bits; /* first: sigma_pred_eval casts back */
    sg_str line;
    sr_slot *slots;   /* one per field of the detector, then host's own */
    uint32_t *filled; /* those that are not missing */
    sr_value *values;
    uint32_t slot_count, filled_count;
    uint32_t value_count, value_cap;
    sg_arena arena;       /* reset per event */
    struct sr_work *work; /* the projector's own; kept between events */
    void *evaluator;      /* the eval layer's context */
} sr_event;

/* Why a line could not be read; text is constant, at is a byte offset. */
typedef struct sr_fault {
    const char *reason;
    size_t at;
} sr_fault;

typedef struct sr_plan sr_plan;

/* A wanted field: its name (see semantics section 4: literal top-level key
 * first, then dotted path, then the places where Windows event shapes keep it)
 * and the slot it fills. */
typedef struct sr_want {
    sg_str name;
    uint32_t slot;
    bool keywords; /* every scalar value; name unused */
} sr_want;

enum { SR_MAX_DEPTH = 512 }; /* nesting a line may have */

/* Owned by the arena; never NULL. */
sr_plan *sr_plan_new(sg_arena *arena, const sr_want *wants, uint32_t count);

/* Ready the event for a new line: no values, all `slot_count` slots missing.
 * Allocates only until warm. */
void sr_event_init(sr_event *event, uint32_t slot_count);
void sr_event_begin(sr_event *event, sg_str line);
void sr_event_free(sr_event *event);

/* Scan event->line and fill the plan's slots. The line must be one JSON object
 * (RFC 8259, UTF-8), with white space around it allowed; keys given twice: the
 * last one wins. False with *fault filled when it is not; the event then holds
 * nothing. Several plans may be run over one event. */
bool sr_project(const sr_plan *plan, sr_event *event, sr_fault *fault);

/* Whether the line can be read, by a plan that wants nothing; *flat: it has no
 * object but the outermost. False says nothing: it may also be a line for which
 * a closer look is needed, and is not flat. */
bool sr_is_good(const sr_plan *plan, sg_str line, bool *flat);

/* Lines of which sr_is_good is true. */
typedef struct sr_good {
    size_t len;     /* bytes, line ends included */
    size_t ends;    /* bytes of line ends, LF or CR LF */
    uint64_t lines; /* each with its end */
    bool flat;      /* none of them has an object but the outermost */
} sr_good;

/* Those at the beginning of a text, which ends with a line end, up to the first
 * that is none. */
sr_good sr_good_lines(const sr_plan *plan, sg_str text);

/* Let a slot hold this one value and no other; the value's texts must live as
 * long as the event. False for want of memory. Pointers to values of the event
 * are void afterwards. */
bool sr_event_put(sr_event *event, uint32_t slot, const sr_value *value);

/* -------- prefilter ------------------------------------------------------ */

/* Tells most lines that cannot matter by their bytes alone, in stages: a line
 * passes when it passes each. Belongs to one thread. */
typedef struct sr_prefilter sr_prefilter;

/* Without a stage, in the arena. */
sr_prefilter *sr_prefilter_new(sg_arena *arena);
/* Accepts NULL. */
void sr_prefilter_free(sr_prefilter *filter);
/* A stage that lets lines pass in which a value may hold one of the texts, in
 * any case. False when lines cannot be told by these: a text is too short or
 * not plain enough, there are too many, or there is none. */
bool sr_prefilter_texts(sr_prefilter *filter, const sg_str *texts,
                        uint32_t count);

/* Whether a scalar value, whose texts live until the call returns, is one that
 * lines are let pass for. */
typedef bool sr_value_fn(void *ctx, sr_event *event, sr_value *value);

/* A stage that lets lines pass in which a value that the field may have holds.
 * False when it would have to look for too many keys, or for some that lines
 * may write in many ways. */
bool sr_prefilter_field(sr_prefilter *filter, sg_arena *arena, sg_str name,
                        sr_value_fn *holds, void *ctx);
/* Whether there is any. */
bool sr_prefilter_has_stages(const sr_prefilter *filter);
/* False: if the line can be read, some stage says that it cannot matter. True
 * says nothing: it is also the answer while looking does not pay. */
bool sr_prefilter_passes(sr_prefilter *filter, sg_str line);

/* What is known of a line. */
typedef enum sr_look {
    SR_UNKNOWN,
    SR_PASSES,
    SR_KEPT_OUT /* it does not pass */
} sr_look;

/* Lines that do not pass. */
typedef struct sr_kept_out {
    size_t len;     /* bytes, line ends included */
    size_t ends;    /* bytes of line ends, LF or CR LF */
    uint64_t lines; /* each with its end */
    sr_look next;   /* the line behind them */
} sr_kept_out;

/* Some lines at the beginning of a text that do not pass. The text begins with
 * a line and ends with a line end. With `check`, a plan that wants nothing,
 * only lines that can be read (sr_is_good); where one may not be, it is the
 * next. *clear, first 0, is for the following call, whose text begins behind
 * that next line: so many bytes of it do not pass either. */
sr_kept_out sr_prefilter_lines(sr_prefilter *filter, sg_str text,
                               const sr_plan *check, size_t *clear);

/* -------- verbatim (verbatim.c) ------------------------------------------ */

/* Looks for many texts in lines instead of values. Belongs to one thread. */
typedef struct sr_verbatim sr_verbatim;

enum { SR_HIDE_CASE = 0x20 }; /* a bit to set in each byte of a line */

sr_verbatim *sr_verbatim_new(sg_arena *arena);
/* Whether the line tells what its values hold: if it can be read and some value
 * of it, decoded or canonical, holds a text after folding, the line with
 * SR_HIDE_CASE set holds the piece of that text. */
bool sr_verbatim_tells(sr_verbatim *v, sg_str line);
/* The piece of a folded text; empty when it has none. In the arena. */
sg_str sr_verbatim_piece(sg_arena *arena, sg_str text);
/* Tells most lines without any of the pieces: a line that does not pass is one
 * that tells, and holds none. The sample is an ordinary line: speed depends on
 * it, nothing else. NULL when there are too many pieces for that, or they are
 * too ordinary. Owned by the arena. */
sr_prefilter *sr_prefilter_pieces(sg_arena *arena, const sg_str *pieces,
                                  uint32_t count, sg_str sample);

/* -------- values --------------------------------------------------------- */

/* Decoded or canonical text of a scalar: strings as is, numbers as
 * sg_num_text, true/false. Not for NULL, OBJECT, EMPTY. */
sg_str sr_value_text(sr_event *event, sr_value *value);
/* The same, case-folded; computed once. */
sg_str sr_value_folded(sr_event *event, sr_value *value);
/* False where no double holds the number: it is infinite, its text raw. */
bool sr_number_fits(const sg_num *n);

/* Iterate a field: for (v = sr_first(e, f); v; v = sr_next(e, v)). */
static inline sr_value *sr_first(sr_event *event, uint32_t slot)
{
    const uint32_t i = event->slots[slot].first;
    return i == SIGMA_NONE ? NULL : &event->values[i];
}
static inline sr_value *sr_next(sr_event *event, const sr_value *value)
{
    return value->next == SIGMA_NONE ? NULL : &event->values[value->next];
}

#endif
