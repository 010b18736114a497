/*
 * shuffle.h - the lines between `map` and `reduce`, private to this folder.
 *
 * A line is six fields with a TAB between them, so that `LC_ALL=C sort` (or
 * any engine that sorts by bytes) brings together what belongs together, in
 * the order of time:
 *
 *   shard     "-" for an alert of a rule; else the component of correlations,
 *             16 hexadecimal digits, the same in every build
 *   key       values of the fields that all of its correlations group by,
 *             joined by "|"; \ escapes what a line cannot hold
 *   time      nanoseconds since 1970 and 2^63, 16 hexadecimal digits; 0 in
 *             search mode, where events count in their order of arrival
 *   position  number of the input, 8 hexadecimal digits; its path; the line,
 *             12 hexadecimal digits; ":" between them
 *   payload   base64
 *   check     of all before its TAB, 8 hexadecimal digits
 *
 * The last line of each map's output is "~", the digest of what was computed
 * and in which mode, which slice it was, counters as name=number, and a check.
 * One of the counters, `checks`, is the sum of the hashes of all other lines
 * (64 bits; their checks are half of each), so that one that is missing is not
 * made up for by another that is there twice. It also tells the whole output
 * from every other, as no two lines are of the same event: what is there twice
 * is refused. A map of the same bytes under the same name and number is taken
 * for the same; one that wrote no line says nothing twice.
 */
#ifndef SR_HOST_SHUFFLE_H
#define SR_HOST_SHUFFLE_H

#include "host/host.h"

enum { SR_SHUFFLE_FIELDS = 6 };

/* One line taken apart; views into it. */
typedef struct sr_shuffle_line {
    sg_str field[SR_SHUFFLE_FIELDS];
} sr_shuffle_line;

/* Where an event was. */
typedef struct sr_position {
    uint32_t ordinal;
    sg_str path; /* decoded */
    uint64_t line;
} sr_position;

/* False when there are not as many fields. */
bool sr_shuffle_split(sg_str text, sr_shuffle_line *line);
/* End the line that begins at `beg`: TAB, check, line end. Returns its hash. */
uint64_t sr_shuffle_end(sg_buf *out, size_t beg);
/* Whether the line's check is that of the line, whose hash is put into *hash.
 */
bool sr_shuffle_check(sg_str text, const sr_shuffle_line *line, uint64_t *hash);
/* Text as a field holds it, and back (appended to `out`). */
void sr_shuffle_escape(sg_buf *out, sg_str text);
bool sr_shuffle_unescape(sg_buf *out, sg_str field);
void sr_shuffle_put_position(sg_buf *out, const sr_position *position);
/* The path goes to `path`, which it replaces. */
bool sr_shuffle_get_position(sg_str field, sg_buf *path, sr_position *position);
/* What map and reduce must agree on: correlations, rules and mode. */
uint64_t sr_shuffle_digest(const sr_session *s);

/* -------- alerts of rules as payloads ------------------------------------ */

void sr_shuffle_put_alert(const sr_layout *layout, const sr_alert *alert,
                          sg_buf *out);
/* Views into `bytes`; matched and pairs go to `scratch`. The place is not in
 * it. False for damaged bytes. */
bool sr_shuffle_get_alert(const sr_session *s, sg_str bytes,
                          sr_scratch *scratch, sr_alert *alert);

#endif
