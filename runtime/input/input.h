/*
 * input.h - lines of a file or of standard input, plain or compressed.
 *
 * The format is told by magic bytes (inputs.def). Memory is bounded by the
 * longest line allowed and by the window a decompressor may use; a damaged
 * stream gives its complete lines first and is then reported. A large
 * compressed file is decompressed ahead in a thread of its own, unless it is
 * followed or $SIGCC_AHEAD is 0.
 *
 * Reading may resume at a cursor, and may follow a path whose file grows and
 * is replaced. A file is recognised by its device and inode number together
 * with its beginning, or by its beginning alone if it was copied or compressed
 * since. What cannot be seen:
 * - a file emptied in place and filled again to the same beginning and at
 *   least the old length between two looks;
 * - a file copied away and emptied in place before its first byte was read, or
 *   several times between two looks while copies of it were still being read;
 * - rotated files moved to another folder before they were looked for, unless
 *   it is the one being read.
 */
#ifndef SR_INPUT_H
#define SR_INPUT_H

#include "base/sg_base.h"

#define SR_INPUT_MAX_LINE ((size_t)16 << 20) /* the usual limit */
#define SR_INPUT_TOO_LONG "line longer than 16 MiB"
#define SR_INPUT_REASON 256
#define SR_INPUT_ROOM (1 << 20) /* bytes of the buffers that are given away */
#define SR_INPUT_PRINT 1024     /* bytes of a file's beginning that tell it */

typedef struct sr_input sr_input; /* one open stream, or one followed path */

typedef enum {
    SR_LINE,
    SR_END,
    SR_TOO_LONG, /* a line over the limit was skipped: one unreadable line */
    SR_BAD,  /* stream damaged or a file unreadable: see sr_input_reason; SR_END
              * follows, or with `follow` what comes behind it */
    SR_WAIT, /* nothing now: ask again later; only with `follow` */
    SR_LOST  /* where to resume was not found, or lines may have been missed:
              * see sr_input_reason; reading goes on */
} sr_line_status;

/* Where reading stands: behind the last line given out. */
typedef struct sr_cursor {
    uint64_t dev, ino;   /* of the file; 0 for standard input and pipes */
    uint64_t generation; /* how many files the path has been before this */
    uint64_t offset;     /* in bytes of the decompressed stream */
    uint64_t line;       /* lines given out of this file */
    uint64_t print_len;  /* min(offset, SR_INPUT_PRINT) */
    uint64_t print_hash; /* of the first print_len decompressed bytes */
    int64_t modified;    /* when the file was last written, in ns since 1970 */
    bool ended;          /* nothing can follow: the file was replaced, or is
                          * compressed or no file, and was read to its end */
} sr_cursor;

/* Append the cursor as SR_CURSOR_SIZE bytes, the same on every machine. */
#define SR_CURSOR_SIZE 69
void sr_cursor_write(const sr_cursor *cursor, sg_buf *out);
/* Read such bytes; false when they are no cursor. */
bool sr_cursor_read(sg_str bytes, sr_cursor *out);

typedef struct sr_input_options {
    size_t max_line;
    bool follow;             /* see sr_input_next */
    const sr_cursor *resume; /* begin there, not at the beginning; or NULL */
} sr_input_options;

/* Open a file, or standard input for "-". NULL when it cannot be opened or is
 * a directory; `reason` then says why, without the path. With `follow` a path
 * that does not exist is waited for.
 *
 * To resume means: the file of the cursor is looked for at `path`, then among
 * the files beside it whose name begins with `path` and "." or "-". It is read
 * on from the offset (compressed ones are decompressed up to there), then the
 * files that replaced it one after the other, then `path`. Files are in order
 * of modification time; those that replaced it have a suffix that begins with
 * a digit. Standard input and pipes must be fed from the beginning again; the
 * lines of the cursor are skipped. SR_LOST says that this did not succeed;
 * reading then begins with the first file written later, or with `path`; or a
 * stream ended before the cursor, which then stays where it was.
 * All this happens in sr_input_next, not here. */
sr_input *sr_input_open_with(const char *path, const sr_input_options *options,
                             char reason[SR_INPUT_REASON]);
/* The same without following and resuming. */
sr_input *sr_input_open(const char *path, size_t max_line,
                        char reason[SR_INPUT_REASON]);

/* Have `before` called ahead of every read from the file, which may wait for
 * long, and again when a signal interrupted one. When it returns false the
 * stream ends there; a line of which a part was read is not given out. */
void sr_input_before_read(sr_input *input, bool (*before)(void *ctx),
                          void *ctx);

/* The next line without its line end (LF or CR LF); blank lines are given
 * too. The last line needs no line end. A byte order mark at the start of the
 * stream is skipped. `line` is valid until the next call and empty unless
 * SR_LINE. `number` is 1-based; `offset` is where the line begins, in bytes
 * of the decompressed stream. With SR_BAD both tell of the first line lost.
 *
 * With `follow` the end of a file is SR_WAIT, and a line without its end is
 * held until it is completed. When the path names another file, the old one
 * is read until the new one has data; its last line is given as it is then, or
 * when nothing came for a second after the file lost its name. What is written
 * to it within half a minute after that is told as SR_LOST. Numbers and offsets
 * begin anew with each file, also when it is emptied in place; what a copy
 * beside it holds beyond what was read is read first. Symbolic links count for
 * what they point to now. Compressed files do not grow: SR_END, unless the path
 * names another file already. Pipes and standard input: SR_WAIT while nothing
 * is there, SR_END at the end. */
sr_line_status sr_input_next(sr_input *input, sg_str *line, uint64_t *number,
                             uint64_t *offset);

/* The whole lines behind the last one given out that are at hand without a
 * read, with their ends; may be empty. `number` and `offset` are those of the
 * first. Valid until the next call. */
sg_str sr_input_ahead(const sr_input *input, uint64_t *number,
                      uint64_t *offset);
/* Count so many of them, from the first on, as given out: `len` bytes. */
void sr_input_pass(sr_input *input, size_t len, uint64_t lines);
/* The same, and the buffer that they are in becomes *room, of SR_INPUT_ROOM
 * bytes, which the caller frees; the input goes on with what *room was, NULL or
 * such a buffer. False, and nothing has happened, when the buffer is larger
 * than is usual, for a long line, or memory is short. */
bool sr_input_give(sr_input *input, size_t len, uint64_t lines, char **room);

/* Whole lines of a file, for whoever reads them. */
typedef struct sr_range {
    int fd; /* open as long as the input */
    uint64_t offset;
    size_t len; /* SR_INPUT_ROOM at most */
} sr_range;

#define SR_RANGE_MOST (SR_INPUT_ROOM - (128 << 10)) /* to ask for */

/* Leave the lines behind the last one given out to the caller: `size` bytes or
 * a little more. False, and nothing has happened, where lines have to be read
 * here: the input is no plain regular file or is followed, it is the first line
 * of all, lines are very long, or the end is near. More can be lent at once;
 * before anything else is asked of the input, sr_input_lent has to tell what
 * became of it. `before` of sr_input_before_read is not asked. */
bool sr_input_lend(sr_input *input, size_t size, sr_range *out);
/* All that was lent up to `offset`, where a range begins or the last one ends,
 * was read; `lines` lines of the file are before that. Reading goes on there:
 * if some ranges were not read, the input finds out why, and lends no more. */
void sr_input_lent(sr_input *input, uint64_t offset, uint64_t lines);
/* Read a range into `room`, of SR_INPUT_ROOM bytes, in any thread; returns
 * where in there it begins. NULL when it cannot be read, or ends no line any
 * more. */
const char *sr_range_read(const sr_range *range, char *room);

/* Where reading stands. What sr_input_next gave out is behind the cursor,
 * whether or not the caller has used it. */
void sr_input_cursor(const sr_input *input, sr_cursor *out);

/* How many files the path has been before the one being read. */
uint64_t sr_input_generation(const sr_input *input);

/* Why the last call gave SR_BAD or SR_LOST; "" otherwise. */
const char *sr_input_reason(const sr_input *input);

/* Name of the format in inputs.def, once a line was asked for. */
const char *sr_input_format(const sr_input *input);

/* The descriptor being read, or -1 when there is none just now. */
int sr_input_fd(const sr_input *input);

/* Whether the next read may wait: nothing is there just now. */
bool sr_input_may_wait(const sr_input *input);

/* Sleep until one of the inputs may have more, for up to timeout_ms (below 0:
 * without limit). False when none has: the time is over, a signal came, a
 * callback of sr_input_before_read (asked four times a second) said no, or all
 * have ended. */
bool sr_inputs_wait(sr_input **inputs, size_t count, int timeout_ms);

void sr_input_close(sr_input *input);

#endif
