/*
 * fetch.h - ranges of a file that threads read for themselves, private to this
 * folder. Which numbers the lines of one have is known once those of all ranges
 * before it are counted: whoever looks through a range counts them, too, so
 * that this takes nothing, unless somebody cannot wait for it.
 */
#ifndef SR_HOST_FETCH_H
#define SR_HOST_FETCH_H

#include "input/input.h"

typedef struct sr_fetches sr_fetches;

/* Never NULL. `most`: so many ranges are given before numbers of lines in the
 * first of them are not asked for any more. */
sr_fetches *sr_fetches_open(uint32_t most);
/* NULL is allowed; no thread uses it any more. */
void sr_fetches_close(sr_fetches *fetches);

/* In the main thread: the ranges from here on are of a file of which `lines`
 * lines are before `offset`, where the first of them begins. All earlier ones
 * have ended. */
void sr_fetches_begin(sr_fetches *f, uint64_t offset, uint64_t lines);
/* The number of one more range. Each has to be fetched and counted, in an order
 * in which nobody who is about one keeps an earlier one from being fetched and
 * counted. */
uint64_t sr_fetches_next(sr_fetches *f);
/* Wait for all of them. Up to *offset they could be read; *lines lines of the
 * file are before that. */
void sr_fetches_end(sr_fetches *f, uint64_t *offset, uint64_t *lines);

/* In a thread: read the range of this number into `room`, of SR_INPUT_ROOM
 * bytes. Returns its text, in there. NULL: it or an earlier one cannot be read,
 * and nobody is to look at it. *counted: the caller need not count it. */
const char *sr_fetch(sr_fetches *f, uint64_t number, const sr_range *range,
                     char *room, bool *counted);
/* So many lines the range of this number has. */
void sr_fetch_counted(sr_fetches *f, uint64_t number, uint64_t lines);
/* How many lines of the file are before the range of this number; waits until
 * those of all ranges before it are counted. Hurry: have the next ranges
 * counted as soon as they are read, as somebody will wait for it. */
uint64_t sr_fetch_before(sr_fetches *f, uint64_t number, bool hurry);

/* How many lines end in a text. */
uint64_t sr_count_lines(sg_str text);

#endif
