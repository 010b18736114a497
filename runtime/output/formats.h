/*
 * formats.h - what the formats share, private to this folder: the writer, and
 * the functions each format gives.
 */
#ifndef SR_OUTPUT_FORMATS_H
#define SR_OUTPUT_FORMATS_H

#include "output/output.h"

/* Cells of a table whose rows are not yet wide enough known. */
typedef struct sr_grid {
    sg_buf text; /* all cells, one after the other */
    struct sr_grid_cell {
        size_t end; /* in text */
        size_t width;
        bool right; /* a number: aligned to the right */
    } * cells;
    size_t count, cap;
    uint32_t columns; /* 0: no rows wait */
    size_t *widths;   /* one per column */
    bool settled;     /* widths are fixed: rows are written at once */
} sr_grid;

/* How one format writes. Any may append to out->buf; those marked * may be
 * NULL. */
typedef struct sr_format_ops {
    void (*begin)(sr_output *out); /* * before an alert's bytes */
    /* An alert's bytes, which do not depend on what was written before, unless
     * the format cannot put alerts together from pieces. */
    void (*alert)(sr_output *out, const sr_alert *alert);
    void (*end)(sr_output *out); /* * behind them */
    bool pieces;
    void (*row)(sr_output *out, const sr_pair *pairs, uint32_t count);
    void (*settle)(sr_output *out); /* * rows that wait for others to come */
    void (*finish)(sr_output *out); /* * the end of the output */
} sr_format_ops;

/* What the last line written was: a header is due when that changes. */
enum { SR_ROWS_NONE = -1, SR_ROWS_ALERTS = -2 /* else a correlation */ };

struct sr_output {
    const sigma_detector *detector;
    const sr_format_ops *ops;
    sg_buf buf;
    sg_arena arena;
    sg_str *rules; /* JSON of rule r, then of correlation c; made on demand */
    int fd, error;
    bool hold;        /* the host says when to write */
    sr_take_fn *take; /* or NULL */
    void *ctx;
    unsigned width;
    int64_t rows;     /* kind of the last line */
    bool fresh_rows;  /* the line at hand is the first of its kind */
    uint64_t objects; /* JSON: elements so far */
    sr_grid grid;
};

extern const sr_format_ops sr_format_ndjson, sr_format_json, sr_format_csv,
    sr_format_table;

const sigma_meta *sr_alert_meta(const sr_output *out, const sr_alert *alert);
sg_str sr_pool_str(const sr_output *out, sigma_ref ref);

/* Small pieces of text. */
void sr_put_u64(sg_buf *buf, uint64_t n);
void sr_put_num(sg_buf *buf, sg_num n);
/* RFC 3339, without quotes. */
void sr_put_time(sg_buf *buf, int64_t ns);
/* {"name":value,...} */
void sr_put_pairs(sg_buf *buf, const sr_pair *pairs, uint32_t count);
/* The names of matched selections with `between` between them. */
void sr_put_matched(sg_buf *buf, const sr_alert *alert, char between);

#endif
