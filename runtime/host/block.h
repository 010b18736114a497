/*
 * block.h - lines that one thread looks at in one go, and what it found,
 * private to this folder.
 */
#ifndef SR_HOST_BLOCK_H
#define SR_HOST_BLOCK_H

#include "host/fetch.h"
#include "host/host.h"

/*
 * However long lines are and whatever is found in them, a bounded number of
 * bytes is under way. A block takes so much text that what is found in it is
 * likely to fit (`goal`); a thread that has found enough leaves the rest of its
 * block until that is settled. All texts that threads have together are
 * bounded, too: a longer line waits until it is the only one.
 */

/* Whole lines, one behind the other, waiting to be looked at. */
typedef struct sr_stretch {
    size_t at, len;  /* of their text, with the ends of lines */
    sr_place place;  /* of the first line */
    uint64_t offset; /* likewise */
} sr_stretch;

typedef struct sr_block {
    sr_job job;
    sr_worker **workers; /* one per thread */
    sg_buf text;
    sr_stretch *stretches; /* in `text` */
    size_t stretch_count, stretch_cap;
    char *room;       /* of SR_INPUT_ROOM bytes, or NULL */
    sr_stretch piece; /* in `room`, behind the others; len 0: none */
    sr_range range;   /* what is to be read to be `piece`; len 0: nothing */
    bool ranged;      /* that is what `piece` is: its lines count from 1 on */
    bool counted;     /* how many lines it has is known */
    uint64_t turn;    /* number of the range */
    uint64_t before;  /* lines of the file before it, or SR_BLOCK_UNKNOWN */
    sr_fetches *fetches;
    size_t bytes; /* of text, when it was handed over */
    size_t next;  /* the stretch to go on with; behind the last: `piece` */
    /* Found: lines that match or cannot be read, and the bytes they speak of.
     */
    sr_item *items;
    size_t item_count, item_cap;
    size_t piece_items; /* those before are not of `piece` */
    sg_buf contributions, alerts;
} sr_block;

enum {
    SR_BLOCK_BYTES = 512 * 1024, /* of text, about */
    SR_BLOCK_PIECE = 128 * 1024, /* less is copied */
    SR_BLOCK_STRETCHES = 16 * 1024,
    SR_BLOCK_LEAST = 16 * 1024,       /* of text, where much is found */
    SR_BLOCK_FOUND = 2 * 1024 * 1024, /* bytes, one line more at most */
    SR_BLOCK_FLIGHT = 4 * 1024 * 1024 /* of text, with each thread */
};

#define SR_BLOCK_UNKNOWN UINT64_MAX

/* Blocks of a run with threads: a ring, filled at one end and settled at the
 * other, in the order of lines. */
typedef struct sr_blocks sr_blocks;

/* NULL, and told, when threads or workers cannot be made. */
sr_blocks *sr_blocks_open(sr_session *s);
void sr_blocks_close(sr_blocks *blocks);
/* A line for the block at hand; hands it over once it is full. */
void sr_blocks_line(sr_blocks *blocks, const sr_item *item);
/* The same for lines as they stand in a text that ends with the end of one: as
 * many of them as the block at hand has room for. `first` says where the first
 * one is. Returns how many bytes were taken, and in *lines how many lines. */
size_t sr_blocks_lines(sr_blocks *blocks, sg_str text, const sr_item *first,
                       uint64_t *lines);
/* The same for all lines at hand of an input, if they are many: `text`. They
 * are given out and not copied. False: they are few, or cannot be had. */
bool sr_blocks_piece(sr_blocks *blocks, sr_input *input, sg_str text,
                     const sr_item *first, uint64_t *lines);
/* The same for the next lines of a file, which a thread then reads. `first`
 * says which source and generation it is. False: they cannot be had so. If
 * true, only this may be asked of the input until sr_blocks_catch_up. */
bool sr_blocks_range(sr_blocks *blocks, sr_input *input, const sr_item *first);
/* Have the input know how many lines the threads have read, if they did. */
void sr_blocks_catch_up(sr_blocks *blocks);
/* Settle all that was handed over or is at hand. */
void sr_blocks_drain(sr_blocks *blocks);
/* What the workers counted. */
void sr_blocks_count(const sr_blocks *blocks);
void sr_blocks_profile(const sr_blocks *blocks, sr_profile *sum);

#endif
