/*
 * input.h - lines of a file or of standard input, plain or compressed.
 *
 * The format is told by magic bytes (inputs.def). Memory is bounded by the
 * longest line allowed and by the window a decompressor may use; a damaged
 * stream gives its complete lines first and is then reported.
 */
#ifndef SR_INPUT_H
#define SR_INPUT_H

#include "base/sg_base.h"

#define SR_INPUT_MAX_LINE ((size_t)16 << 20) /* the usual limit */
#define SR_INPUT_REASON 256

typedef struct sr_input sr_input; /* one open stream */

typedef enum {
    SR_LINE,
    SR_END,
    SR_TOO_LONG, /* a line over the limit was skipped: one unreadable line */
    SR_BAD       /* stream damaged: see sr_input_reason; SR_END follows */
} sr_line_status;

/* Open a file, or standard input for "-". NULL when it cannot be opened or is
 * a directory; `reason` then says why, without the path. */
sr_input *sr_input_open(const char *path, size_t max_line,
                        char reason[SR_INPUT_REASON]);

/* Have `before` called ahead of every read from the file, which may wait for
 * long, and again when a signal interrupted one. When it returns false the
 * stream ends there. */
void sr_input_before_read(sr_input *input, bool (*before)(void *ctx),
                          void *ctx);

/* The next line without its line end (LF or CR LF); blank lines are given
 * too. The last line needs no line end. A byte order mark at the start of the
 * stream is skipped. `line` is valid until the next call and empty unless
 * SR_LINE. `number` is 1-based; `offset` is where the line begins, in bytes
 * of the decompressed stream. With SR_BAD both tell of the first line lost. */
sr_line_status sr_input_next(sr_input *input, sg_str *line, uint64_t *number,
                             uint64_t *offset);

/* Why the last call gave SR_BAD; "" otherwise. */
const char *sr_input_reason(const sr_input *input);

/* Name of the format in inputs.def, once a line was asked for. */
const char *sr_input_format(const sr_input *input);

void sr_input_close(sr_input *input);

#endif
