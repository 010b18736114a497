/*
 * fetch.h - ranges of a file that threads read for themselves, private to this
 * folder. Which numbers the lines of one have is known once those of all ranges
 * before it are counted.
 */
#ifndef SR_HOST_FETCH_H
#define SR_HOST_FETCH_H

#include "input/input.h"

typedef struct sr_fetches sr_fetches;

/* Never NULL. */
sr_fetches *sr_fetches_open(void);
/* NULL is allowed; no thread uses it any more. */
void sr_fetches_close(sr_fetches *fetches);

/* In the main thread: the ranges from here on are of a file of which `lines`
 * lines are before `offset`, where the first of them begins. All earlier ones
 * have ended. */
void sr_fetches_begin(sr_fetches *f, uint64_t offset, uint64_t lines);
/* The number of one more range. Each has to be fetched, in an order in which
 * nobody who fetches one keeps an earlier one from being fetched. */
uint64_t sr_fetches_next(sr_fetches *f);
/* Wait for all of them. Up to *offset they could be read; *lines lines of the
 * file are before that. */
void sr_fetches_end(sr_fetches *f, uint64_t *offset, uint64_t *lines);

/* In a thread: read the range of this number into `room`, of SR_INPUT_ROOM
 * bytes. Returns its text, in there; *line is the number of its first line.
 * NULL: it or an earlier one cannot be read, and nobody is to look at it. */
const char *sr_fetch(sr_fetches *f, uint64_t number, const sr_range *range,
                     char *room, uint64_t *line);

/* How many lines end in a text. */
uint64_t sr_count_lines(sg_str text);

#endif
