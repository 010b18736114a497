/*
 * block.h - lines that one thread looks at in one go, and what it found,
 * private to this folder.
 */
#ifndef SR_HOST_BLOCK_H
#define SR_HOST_BLOCK_H

#include "host/host.h"

/* A line waiting to be looked at; its text is in the block. */
typedef struct sr_block_line {
    size_t at, len;
    sr_place place;
    uint64_t offset;
} sr_block_line;

typedef struct sr_block {
    sr_job job;
    sr_worker **workers; /* one per thread */
    sg_buf text;
    sr_block_line *lines;
    size_t line_count, line_cap;
    /* Found: lines that match or cannot be read, and the bytes they speak of.
     */
    sr_item *items;
    size_t item_count, item_cap;
    size_t unreadable;
    sg_buf contributions, alerts;
} sr_block;

enum {
    SR_BLOCK_BYTES = 512 * 1024, /* of text, about */
    SR_BLOCK_LINES = 16 * 1024
};

/* Blocks of a run with threads: a ring, filled at one end and settled at the
 * other, in the order of lines. */
typedef struct sr_blocks sr_blocks;

/* NULL, and told, when threads or workers cannot be made. */
sr_blocks *sr_blocks_open(sr_session *s);
void sr_blocks_close(sr_blocks *blocks);
/* A line for the block at hand; hands it over once it is full. */
void sr_blocks_line(sr_blocks *blocks, const sr_item *item);
/* Settle all that was handed over or is at hand. */
void sr_blocks_drain(sr_blocks *blocks);
/* What the workers counted. */
void sr_blocks_count(const sr_blocks *blocks);
void sr_blocks_profile(const sr_blocks *blocks, sr_profile *sum);

#endif
