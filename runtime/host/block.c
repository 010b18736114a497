/*
 * block.c - lines in blocks through the threads: each block is looked at by
 * one, and settled by the main thread in the order in which it was filled.
 */
#include "host/block.h"

#include <stdlib.h>
#include <string.h>

struct sr_blocks {
    sr_session *s;
    sr_worker **workers; /* one per thread */
    uint32_t thread_count;
    sr_block *ring;
    uint32_t count;       /* blocks in the ring */
    uint32_t first, used; /* handed over; the one behind them is at hand */
};

/* -------- in a thread ---------------------------------------------------- */

static sr_item *new_item(sr_block *b)
{
    if (b->item_count == b->item_cap) {
        b->item_cap = b->item_cap == 0 ? 64 : b->item_cap * 2;
        b->items = realloc(b->items, b->item_cap * sizeof(*b->items));
        if (b->items == NULL)
            sg_fatal("out of memory");
    }
    return &b->items[b->item_count++];
}

static void find_out(sr_block *b, sr_worker *w, const sr_block_line *line)
{
    sr_item item = {
        .line = {b->text.ptr + line->at, line->len},
        .place = line->place,
        .offset = line->offset,
    };

    sr_worker_match(w, &item);
    b->unreadable += item.reason != NULL;
    if (item.reason == NULL && item.matches == 0)
        return;
    if (item.reason == NULL)
        sr_alert_pieces(w, &item);
    *new_item(b) = item;
}

static void run_line(sr_block *b, sr_worker *w, const sr_block_line *line)
{
    sr_profile_begin(w->profile);
    find_out(b, w, line);
    sr_profile_lap(w->profile, SR_PHASE_output);
    sr_profile_end(w->profile, &w->event);
}

static void run_block(void *ctx, uint32_t thread)
{
    sr_block *b = ctx;
    sr_worker *w = b->workers[thread];

    w->contributions = b->contributions;
    w->contributions.len = 0;
    w->alerts = b->alerts;
    w->alerts.len = 0;
    b->item_count = b->unreadable = 0;
    for (size_t i = 0; i < b->line_count; i++)
        run_line(b, w, &b->lines[i]);
    b->contributions = w->contributions;
    b->alerts = w->alerts;
    w->contributions = w->alerts = (sg_buf){NULL, 0, 0};
}

/* -------- in the main thread --------------------------------------------- */

static sr_block *at_hand(const sr_blocks *blocks)
{
    return &blocks->ring[(blocks->first + blocks->used) % blocks->count];
}

static void settle_first(sr_blocks *blocks)
{
    sr_session *s = blocks->s;
    sr_block *b = &blocks->ring[blocks->first];

    sr_threads_wait(s->threads, &b->job);
    const int64_t begin = sr_profile_cpu(sr_profile_main(s));

    s->stats.events += b->line_count - b->unreadable;
    sr_settle_items(s, b->items, b->item_count, b->contributions.ptr,
                    b->alerts.ptr);
    sr_profile_spent(sr_profile_main(s), SR_PHASE_correlate, begin);
    b->text.len = 0;
    b->line_count = 0;
    blocks->first = (blocks->first + 1) % blocks->count;
    blocks->used--;
}

static void hand_over(sr_blocks *blocks)
{
    sr_block *b = at_hand(blocks);

    if (b->line_count == 0)
        return;
    sr_threads_submit(blocks->s->threads, &b->job);
    blocks->used++;
    if (blocks->used == blocks->count)
        settle_first(blocks);
}

void sr_blocks_line(sr_blocks *blocks, const sr_item *item)
{
    sr_block *b = at_hand(blocks);

    if (b->line_count == b->line_cap) {
        b->line_cap = b->line_cap == 0 ? 256 : b->line_cap * 2;
        b->lines = realloc(b->lines, b->line_cap * sizeof(*b->lines));
        if (b->lines == NULL)
            sg_fatal("out of memory");
    }
    b->lines[b->line_count++] =
        (sr_block_line){b->text.len, item->line.len, item->place, item->offset};
    sg_buf_put(&b->text, item->line);
    if (b->text.len >= SR_BLOCK_BYTES || b->line_count >= SR_BLOCK_LINES)
        hand_over(blocks);
}

void sr_blocks_drain(sr_blocks *blocks)
{
    hand_over(blocks);
    while (blocks->used != 0)
        settle_first(blocks);
}

void sr_blocks_count(const sr_blocks *blocks)
{
    for (uint32_t i = 0; i < blocks->thread_count; i++)
        sr_count_worker(blocks->s, blocks->workers[i]);
}

void sr_blocks_profile(const sr_blocks *blocks, sr_profile *sum)
{
    for (uint32_t i = 0; i < blocks->thread_count; i++)
        sr_profile_add(sum, blocks->workers[i]->profile);
}

/* -------- opening and closing -------------------------------------------- */

sr_blocks *sr_blocks_open(sr_session *s)
{
    const uint32_t threads = s->options->threads;
    sr_blocks *blocks = calloc(1, sizeof(*blocks));
    bool done = blocks != NULL;

    if (blocks == NULL)
        sg_fatal("out of memory");
    blocks->s = s;
    blocks->workers = sg_new_n(&s->arena, sr_worker *, threads);
    blocks->count = threads * 2 + 2;
    blocks->ring = sg_new_n(&s->arena, sr_block, blocks->count);
    for (uint32_t i = 0; i < blocks->count; i++) {
        blocks->ring[i].job =
            (sr_job){.fn = run_block, .ctx = &blocks->ring[i]};
        blocks->ring[i].workers = blocks->workers;
    }
    while (done && blocks->thread_count < threads) {
        sr_worker *w = sr_worker_open(s);

        done = w != NULL;
        if (done)
            blocks->workers[blocks->thread_count++] = w;
    }
    if (done)
        return blocks;
    sr_blocks_close(blocks);
    return NULL;
}

void sr_blocks_close(sr_blocks *blocks)
{
    if (blocks == NULL)
        return;
    for (uint32_t i = 0; i < blocks->count; i++) {
        sr_block *b = &blocks->ring[i];

        sg_buf_free(&b->text);
        sg_buf_free(&b->contributions);
        sg_buf_free(&b->alerts);
        free(b->lines);
        free(b->items);
    }
    for (uint32_t i = 0; i < blocks->thread_count; i++)
        sr_worker_close(blocks->workers[i]);
    free(blocks);
}
