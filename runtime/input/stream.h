/*
 * stream.h - inside of runtime/input: one open descriptor as lines.
 */
#ifndef SR_STREAM_H
#define SR_STREAM_H

#include "input/ahead.h"
#include "input/codec.h"
#include "input/input.h"

typedef struct sr_stream {
    sr_raw raw;
    const sr_codec *codec; /* NULL until the first read */
    void *state;
    sr_ahead *ahead; /* runs the codec in a thread; or NULL */
    char *buf;       /* [pos, len) is decoded and not yet given out */
    size_t pos, len, cap;
    size_t scanned; /* no line end in [pos, scanned) */
    unsigned calm;  /* reads since a long line */
    size_t max_line;
    uint64_t base;      /* offset of buf[0] in the decoded stream */
    uint64_t lines;     /* given out */
    uint64_t skip_from; /* where the line being skipped began */
    uint64_t lend_from; /* nothing before it is lent */
    bool skipping;      /* it is too long */
    bool ended;
    bool bad;      /* damage or a failure was told */
    bool regular;  /* a regular file */
    bool large;    /* one that is worth a thread */
    bool beside;   /* may be decompressed in a thread; set before reading, and
                    * taken back where none can be had */
    bool follow;   /* SR_WAIT, not SR_END, where there is no more */
    bool replaced; /* the file followed was emptied or rewritten in place */
    bool full;     /* the codec may hold more than it gave */
    uint64_t dev, ino;
    int64_t modified; /* last known, ns */
    size_t head_len;
    char head[SR_INPUT_PRINT]; /* the beginning of the decoded stream */
    char reason[SR_INPUT_REASON];
} sr_stream;

/* A descriptor to read `path` from, standard input for "-"; else -1 with
 * errno. With `ahead` a pipe is opened before anybody writes to it. */
int sr_stream_path(const char *path, bool ahead);
void sr_stream_close_fd(int fd);
/* Own the descriptor from now on. NULL, with the descriptor closed and errno
 * set, when it is a directory or memory is short. */
sr_stream *sr_stream_new(int fd, size_t max_line);
void sr_stream_close(sr_stream *s);

/* As sr_input_next; SR_WAIT only while `follow`. */
sr_line_status sr_stream_next(sr_stream *s, sg_str *line, uint64_t *number,
                              uint64_t *offset);
/* As sr_input_ahead, sr_input_pass, sr_input_give, sr_input_lend and
 * sr_input_lent. */
sg_str sr_stream_ahead(const sr_stream *s, uint64_t *number, uint64_t *offset);
void sr_stream_pass(sr_stream *s, size_t len, uint64_t lines);
bool sr_stream_give(sr_stream *s, size_t len, uint64_t lines, char **room);
bool sr_stream_lend(sr_stream *s, size_t size, sr_range *out);
void sr_stream_lent(sr_stream *s, uint64_t offset, uint64_t lines);
/* Go to where a line begins in a plain regular file; what is at hand is
 * dropped. False, with errno, and nothing has happened, when that fails. */
bool sr_stream_jump(sr_stream *s, uint64_t offset);
/* Decode more, give nothing out: SR_LINE if there is more, else as above. */
sr_line_status sr_stream_more(sr_stream *s);

/* Expect more from now on, though the end may have been met. */
void sr_stream_follow(sr_stream *s);
/* Expect no more: what is there, with `read_on` also in the file, is given
 * out to the last byte, then SR_END. */
void sr_stream_finish(sr_stream *s, bool read_on);

/* Fill in all but the generation. */
void sr_stream_cursor(const sr_stream *s, sr_cursor *out);

typedef enum {
    SR_FOUND, /* reading goes on at the cursor */
    SR_SHORT, /* begins as the cursor's file did, but ends before it */
    SR_OTHER  /* another file, or unreadable */
} sr_match;

/* Whether the stream begins as the cursor's did, as far as it was decoded. */
bool sr_stream_begins(const sr_stream *s, const sr_cursor *cursor);
/* Go to the cursor in a regular file just opened. Unless it is found the
 * stream is of no more use. */
sr_match sr_stream_seek(sr_stream *s, const sr_cursor *cursor);

/* Whether the file has changed since its end was met. */
bool sr_stream_changed(const sr_stream *s);

/* A time of a file, in ns since 1970. */
struct timespec;
int64_t sr_nanoseconds(const struct timespec *t);

#endif
