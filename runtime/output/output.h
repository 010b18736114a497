/*
 * output.h - alerts and report rows to bytes: NDJSON, JSON, CSV or a table.
 *
 * A writer buffers; the host says when to flush. An error sticks: afterwards
 * nothing is written and every call says so. What an alert looks like is the
 * interface's section "Alerts".
 */
#ifndef SR_OUTPUT_H
#define SR_OUTPUT_H

#include "agg/agg.h"

typedef enum sr_format {
#define OUTPUT(name, text, doc) SR_FORMAT_##name,
#include "output/outputs.def"
#undef OUTPUT
    SR_FORMAT_COUNT
} sr_format;

/* False for an unknown name. */
bool sr_format_find(sg_str name, sr_format *out);
const char *sr_format_name(sr_format format);
const char *sr_format_doc(sr_format format);

/* A named value. SR_STRING: text is encoded; SR_NUMBER, SR_BOOL: it stands as
 * it is; SR_NULL: no value. */
typedef struct sr_pair {
    sg_str name;
    uint8_t kind;
    sg_str text;
} sr_pair;

/* One alert; everything is borrowed. */
typedef struct sr_alert {
    bool correlation; /* else a detection */
    uint32_t index;   /* of the rule or the correlation */
    sg_str id;
    bool timed;
    int64_t time;
    sg_str path;
    uint64_t line;
    uint32_t generation;  /* of the file; goes into the id alone */
    const sr_pair *pairs; /* group, or derived fields */
    uint32_t pair_count;
    const sr_pair *added; /* detection: fields from enrichment */
    uint32_t added_count;
    const sg_str *matched; /* detection: names of selections */
    uint32_t matched_count;
    sg_str event;     /* detection: JSON text; empty: left out */
    uint64_t count;   /* correlation */
    sg_num value;     /* correlation */
    bool approximate; /* the value comes from a sketch, and is off by at most */
    double error_share; /* this share of it (infinite where it is 0), that is */
    double error_most;  /* so much */
    sr_seen first, last; /* correlation */
} sr_alert;

/* Text for a terminal: control, direction and invisible characters are shown
 * as escapes. Returns the columns it takes. */
size_t sr_put_shown(sg_buf *buf, sg_str text);

typedef struct sr_output sr_output;

/* What a line tells of. */
typedef enum sr_told {
    SR_TOLD_DETECTION,   /* an alert of a rule */
    SR_TOLD_CORRELATION, /* an alert of a correlation */
    SR_TOLD_ROW          /* a row of a correlation's report */
} sr_told;

/* Takes a line with its end, which it may change, and the index of its rule or
 * correlation. */
typedef void sr_take_fn(void *ctx, sr_told told, uint32_t index, sg_buf *line);

typedef struct sr_output_options {
    sr_format format;
    int fd;           /* stays the caller's */
    bool hold;        /* write nothing: the caller takes it from the buffer */
    sr_take_fn *take; /* or NULL; takes each line, of NDJSON that is held */
    void *ctx;
    unsigned width; /* of the terminal; 0: not a terminal, nothing is cut */
} sr_output_options;

/* The detector must outlive the writer. Never NULL. */
sr_output *sr_output_open(const sigma_detector *detector,
                          const sr_output_options *options);

void sr_output_alert(sr_output *out, const sr_alert *alert);
/* A row of the report of a correlation: all its rows have the same names. */
void sr_output_row(sr_output *out, uint32_t correlation, const sr_pair *pairs,
                   uint32_t count);

/* Alerts in pieces, for formats that allow it (not with `take`): one thread
 * makes the bytes of an alert (appended to its own writer's buffer), another
 * puts them where they belong. */
bool sr_output_pieces(const sr_output *out);
void sr_output_piece(sr_output *out, const sr_alert *alert);
void sr_output_put(sr_output *out, sg_str piece);
/* What waits to be written; the caller may take it and set its length to 0. */
sg_buf *sr_output_buffer(sr_output *out);

/* What a writer must know to go on where another left off. */
typedef struct sr_output_state {
    int64_t rows;
    uint64_t objects;
} sr_output_state;
sr_output_state sr_output_state_get(const sr_output *out);
void sr_output_state_set(sr_output *out, sr_output_state state);

/* Whether bytes wait to be written. */
bool sr_output_waiting(const sr_output *out);
/* Write what waits. False once writing has failed. */
bool sr_output_flush(sr_output *out);
/* Write the end of the format and all that waits. False when anything failed
 * ever. */
bool sr_output_finish(sr_output *out);
/* errno of the first failure, or 0. */
int sr_output_error(const sr_output *out);
/* Forgets what waits. Accepts NULL. */
void sr_output_close(sr_output *out);

#endif
