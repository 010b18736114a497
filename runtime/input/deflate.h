/*
 * deflate.h - inside of runtime/input: blocks of the DEFLATE format (RFC 1951)
 * at speed. It takes a block that is sound and wholly there, or leaves it
 * alone; whatever is cut, damaged, unusual or too large is zlib's.
 */
#ifndef SR_DEFLATE_H
#define SR_DEFLATE_H

#include "base/sg_base.h"

/* Where a stream of bits stands: `bits` (fewer than 8) of them in `hold`, then
 * the bytes at `next`. */
typedef struct sr_bits {
    const unsigned char *next, *end;
    uint32_t hold, bits;
} sr_bits;

/* Where the text goes: [start, next) is what matches may refer to. */
typedef struct sr_text {
    const unsigned char *start;
    unsigned char *next, *end;
} sr_text;

typedef struct sr_deflate sr_deflate; /* tables, made anew for each block */

/* NULL when out of memory. */
sr_deflate *sr_deflate_new(void);
void sr_deflate_free(sr_deflate *d);

/* Decompress one block; *last when no other follows. False leaves all but
 * what lies behind text->next as it was. */
bool sr_deflate_block(sr_deflate *d, sr_bits *in, sr_text *text, bool *last);

#endif
