/*
 * member.h - inside of runtime/input: gzip members decompressed at once, which
 * takes a third of the time that a stream takes, where all of one fits in
 * memory.
 */
#ifndef SR_MEMBER_H
#define SR_MEMBER_H

#include "input/codec.h"

typedef struct sr_member sr_member;

/* NULL when out of memory, or when $SIGCC_INFLATE is zlib. */
sr_member *sr_member_open(void);
/* Decompress the member that begins at raw->pos and go behind it. False, and
 * raw->pos as it was, when it is damaged, cut short, too large, or not in a
 * file: then it is for a stream to read. What was decompressed before must
 * have been given out. */
bool sr_member_read(sr_member *member, sr_raw *raw);
/* Give out up to cap bytes of what was decompressed; 0 when there is none. */
size_t sr_member_give(sr_member *member, void *dst, size_t cap);
/* Whether the last one took long: while one is decompressed nothing is given
 * out, and giving it out takes next to no time. */
bool sr_member_takes_long(const sr_member *member);
/* NULL is allowed. */
void sr_member_close(sr_member *member);

#endif
