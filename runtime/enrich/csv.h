/*
 * csv.h - one record of CSV (RFC 4180) to cells, private to this folder.
 */
#ifndef SR_ENRICH_CSV_H
#define SR_ENRICH_CSV_H

#include "base/sg_base.h"

enum {
    SR_CSV_CELLS = 1024, /* that a record may have */
    SR_CSV_RECORD = 1 << 20
};

/* Whether quotes are still open at the end: the record goes on in the next
 * line. They were after the first `open` bytes, if that is not 0. */
bool sr_csv_is_open(sg_str record, size_t open);
/* Split a whole record; texts go to `text`, which is emptied first, and the
 * cells, SR_CSV_CELLS at most, borrow it. NULL, or why the record is none. */
const char *sr_csv_split(sg_str record, sg_buf *text, sg_str *cells,
                         uint32_t *count);

#endif
