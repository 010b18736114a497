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
    size_t flight;        /* bytes of text handed over */
    size_t goal;          /* bytes of text to put into a block */
    sg_buf spare;         /* the last long line's, for the next */
    sr_fetches *fetches;
    sr_input *lender; /* does not know yet what became of ranges; or NULL */
    size_t range;     /* bytes to ask for; 0: this thread reads all there is */
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

/* What a block has come to; in a thread the worker has its buffers. */
static size_t bytes_found(const sr_block *b, const sg_buf *contributions,
                          const sg_buf *alerts)
{
    return contributions->len + alerts->len + b->item_count * sizeof(sr_item);
}

static bool has_room(const sr_block *b, const sr_worker *w)
{
    return bytes_found(b, &w->contributions, &w->alerts) < SR_BLOCK_FOUND;
}

static bool in_piece(const sr_block *b)
{
    return b->next == b->stretch_count;
}

static uint64_t lines_before(sr_block *b, bool hurry)
{
    if (b->before == SR_BLOCK_UNKNOWN)
        b->before = sr_fetch_before(b->fetches, b->turn, hurry);
    return b->before;
}

/* Alerts have the number of their line, which is otherwise not needed here. */
static void make_alerts(sr_block *b, sr_worker *w, sr_item *item)
{
    const bool due = b->ranged && in_piece(b) && sr_alert_due(w, item);
    const uint64_t before = due ? lines_before(b, true) : 0;

    item->place.line += before;
    sr_alert_pieces(w, item);
    item->place.line -= before;
}

static void find_out(sr_block *b, sr_worker *w, sr_item *item)
{
    sr_worker_match(w, item);
    if (item->reason == NULL && item->matches == 0)
        return;
    if (item->reason == NULL)
        make_alerts(b, w, item);
    *new_item(b) = *item;
}

static void run_line(sr_block *b, sr_worker *w, sr_item *item)
{
    if (!sr_worker_meet(w, item->line))
        return;
    sr_profile_begin(w->profile);
    find_out(b, w, item);
    sr_profile_lap(w->profile, SR_PHASE_output);
    sr_profile_end(w->profile, &w->event);
}

/* The first line of the text, without its end; the text then begins behind. */
static sg_str cut_line(sg_str *text)
{
    const char *end = memchr(text->ptr, '\n', text->len);
    sg_str line = {text->ptr, (size_t)(end - text->ptr)};

    *text = sg_str_sub(*text, line.len + 1, text->len);
    if (line.len != 0 && line.ptr[line.len - 1] == '\r')
        line.len--;
    return line;
}

/* The stretch then begins behind what was done of it. `from`: what its place is
 * in. */
static void run_stretch(sr_block *b, sr_worker *w, const char *from,
                        sr_stretch *stretch)
{
    const char *const begin = from + stretch->at;
    sg_str text = {begin, stretch->len};
    sr_item item = {.place = stretch->place};
    size_t clear = 0;

    while (text.len != 0 && has_room(b, w)) {
        sr_kept_out out = {.next = SR_UNKNOWN};

        if (sr_worker_may_pass_over(w))
            out = sr_worker_pass_over(w, text, &clear);
        text = sg_str_sub(text, out.len, text.len);
        item.place.line += out.lines;
        if (text.len == 0)
            break;
        item.look = out.next;
        item.offset = stretch->offset + (uint64_t)(text.ptr - begin);
        item.line = cut_line(&text);
        run_line(b, w, &item);
        item.place.line++;
    }
    stretch->place = item.place;
    stretch->offset += stretch->len - text.len;
    stretch->at += stretch->len - text.len;
    stretch->len = text.len;
}

static bool is_done(const sr_block *b)
{
    return in_piece(b) && b->piece.len == 0;
}

/* What cannot be fetched is left to the input. */
static void fetch(sr_block *b, sr_worker *w)
{
    const int64_t begin = sr_profile_cpu(w->profile);
    const char *text =
        sr_fetch(b->fetches, b->turn, &b->range, b->room, &b->counted);

    b->piece.len = text == NULL ? 0 : b->range.len;
    b->piece.at = text == NULL ? 0 : (size_t)(text - b->room);
    b->range.len = 0;
    sr_profile_spent(w->profile, SR_PHASE_read, begin);
}

/* How many lines there are in a range: those looked at, and what is left for
 * when there is room for what is found in it. */
static void count_range(sr_block *b)
{
    const sg_str left = {b->room + b->piece.at, b->piece.len};

    sr_fetch_counted(b->fetches, b->turn,
                     b->piece.place.line - 1 + sr_count_lines(left));
    b->counted = true;
}

static void run_block(void *ctx, uint32_t thread)
{
    sr_block *b = ctx;
    sr_worker *w = b->workers[thread];

    if (b->range.len != 0)
        fetch(b, w);
    w->contributions = b->contributions;
    w->contributions.len = 0;
    w->alerts = b->alerts;
    w->alerts.len = 0;
    b->item_count = b->piece_items = 0;
    while (!is_done(b) && has_room(b, w)) {
        const bool last = in_piece(b);
        sr_stretch *stretch = last ? &b->piece : &b->stretches[b->next];

        run_stretch(b, w, last ? b->room : b->text.ptr, stretch);
        if (!last && stretch->len == 0)
            b->next++;
        if (!last)
            b->piece_items = b->item_count;
    }
    if (b->ranged && !b->counted)
        count_range(b);
    sr_worker_rest(w);
    b->contributions = w->contributions;
    b->alerts = w->alerts;
    w->contributions = w->alerts = (sg_buf){NULL, 0, 0};
}

/* -------- in the main thread --------------------------------------------- */

static sr_block *at_hand(const sr_blocks *blocks)
{
    return &blocks->ring[(blocks->first + blocks->used) % blocks->count];
}

/* Where much was found the next blocks take less, and the other way round. */
static void adapt(sr_blocks *blocks, const sr_block *b)
{
    const size_t found = bytes_found(b, &b->contributions, &b->alerts);

    if (found > SR_BLOCK_FOUND / 2 && blocks->goal > SR_BLOCK_LEAST)
        blocks->goal /= 2;
    else if (found < SR_BLOCK_FOUND / 8 && blocks->goal < SR_BLOCK_BYTES)
        blocks->goal *= 2;
}

/* The numbers of lines in a range become those of the file. */
static void number_lines(sr_block *b)
{
    if (!b->ranged || b->piece_items == b->item_count)
        return;
    const uint64_t before = lines_before(b, false);

    for (size_t i = b->piece_items; i < b->item_count; i++) {
        sr_item *item = &b->items[i];

        item->place.line += before;
        sr_contributions_move(b->contributions.ptr + item->contributions_at,
                              item->contributions_len, before);
    }
}

/* What a thread has found in a block. */
static void settle_found(sr_blocks *blocks, sr_block *b)
{
    sr_session *s = blocks->s;

    sr_threads_wait(s->threads, &b->job);
    const int64_t begin = sr_profile_cpu(sr_profile_main(s));

    number_lines(b);
    sr_settle_items(s, b->items, b->item_count, b->contributions.ptr,
                    b->alerts.ptr);
    sr_profile_spent(sr_profile_main(s), SR_PHASE_correlate, begin);
    /* What all blocks under way come to can be many times their text; a state
     * keeps it until their end. */
    if (s->resume == NULL && sr_sinks_full(s))
        (void)sr_session_flush(s);
    adapt(blocks, b);
    sg_buf_clear(&b->contributions, SR_ROOM_KEPT);
    sg_buf_clear(&b->alerts, SR_ROOM_KEPT);
}

/* Of the buffers that long lines needed one is kept, while more of them come.
 */
static void keep_text(sr_blocks *blocks, sr_block *b)
{
    b->text.len = 0;
    sg_buf_free(&blocks->spare);
    if (b->text.cap <= (size_t)4 * SR_BLOCK_BYTES)
        return;
    blocks->spare = b->text;
    b->text = (sg_buf){NULL, 0, 0};
}

static void settle_first(sr_blocks *blocks)
{
    sr_session *s = blocks->s;
    sr_block *b = &blocks->ring[blocks->first];

    settle_found(blocks, b);
    while (!is_done(b) && !s->stop) {
        sr_threads_submit(s->threads, &b->job);
        settle_found(blocks, b);
    }
    blocks->flight -= b->bytes;
    keep_text(blocks, b);
    b->stretch_count = b->piece.len = b->next = 0;
    b->ranged = false;
    blocks->first = (blocks->first + 1) % blocks->count;
    blocks->used--;
}

static void hand_over(sr_blocks *blocks)
{
    sr_block *b = at_hand(blocks);

    if (b->stretch_count == 0 && b->piece.len == 0)
        return;
    b->bytes = b->text.len + b->piece.len;
    blocks->flight += b->bytes;
    sr_threads_submit(blocks->s->threads, &b->job);
    blocks->used++;
    if (blocks->used == blocks->count)
        settle_first(blocks);
}

/* A long line gets a block of its own, and waits until threads have so little
 * that it may join them, or nothing. */
static void make_way(sr_blocks *blocks, size_t len)
{
    const size_t most = blocks->thread_count * (size_t)SR_BLOCK_FLIGHT;

    hand_over(blocks);
    while (blocks->used != 0 && (len > most || blocks->flight > most - len))
        settle_first(blocks);
    if (blocks->spare.cap > at_hand(blocks)->text.cap) {
        sg_buf_free(&at_hand(blocks)->text);
        at_hand(blocks)->text = blocks->spare;
        blocks->spare = (sg_buf){NULL, 0, 0};
    }
}

/* Put a stretch into the block at hand; `first` says where it begins. */
static void put_stretch(sr_blocks *blocks, const sr_item *first, sg_str text,
                        sg_str end)
{
    if (text.len > SR_BLOCK_BYTES)
        make_way(blocks, text.len);
    sr_block *b = at_hand(blocks);

    if (b->stretch_count == b->stretch_cap) {
        b->stretch_cap = b->stretch_cap == 0 ? 64 : b->stretch_cap * 2;
        b->stretches =
            realloc(b->stretches, b->stretch_cap * sizeof(*b->stretches));
        if (b->stretches == NULL)
            sg_fatal("out of memory");
    }
    b->stretches[b->stretch_count++] = (sr_stretch){
        b->text.len, text.len + end.len, first->place, first->offset};
    sg_buf_reserve(&b->text, text.len + end.len);
    sg_buf_put(&b->text, text);
    sg_buf_put(&b->text, end);
    if (b->text.len >= blocks->goal || b->stretch_count >= SR_BLOCK_STRETCHES)
        hand_over(blocks);
}

/* With a CR, so that the one that may be the line's own last byte stays. */
void sr_blocks_line(sr_blocks *blocks, const sr_item *item)
{
    put_stretch(blocks, item, item->line, SG_S("\r\n"));
}

size_t sr_blocks_lines(sr_blocks *blocks, sg_str text, const sr_item *first,
                       uint64_t *lines)
{
    const size_t room = blocks->goal - at_hand(blocks)->text.len;
    const size_t most = text.len < room ? text.len : room;
    const char *end = most == 0 ? NULL : memrchr(text.ptr, '\n', most);

    *lines = 0;
    if (end == NULL)
        return 0;
    text.len = (size_t)(end - text.ptr) + 1;
    *lines = sr_count_lines(text);
    put_stretch(blocks, first, text, SG_S(""));
    return text.len;
}

bool sr_blocks_piece(sr_blocks *blocks, sr_input *input, sg_str text,
                     const sr_item *first, uint64_t *lines)
{
    sr_block *b = at_hand(blocks);
    const uint64_t count = text.len < SR_BLOCK_PIECE ? 0 : sr_count_lines(text);

    if (count == 0 || blocks->goal < SR_BLOCK_BYTES ||
        !sr_input_give(input, text.len, count, &b->room))
        return false;
    *lines = count;
    b->piece = (sr_stretch){(size_t)(text.ptr - b->room), text.len,
                            first->place, first->offset};
    hand_over(blocks);
    return true;
}

bool sr_blocks_range(sr_blocks *blocks, sr_input *input, const sr_item *first)
{
    sr_block *b = at_hand(blocks);
    uint64_t line = 0, offset;
    size_t size = blocks->range;

    if (blocks->goal < SR_BLOCK_BYTES && blocks->goal < size)
        size = blocks->goal;
    if (size != 0 && b->room == NULL)
        b->room = malloc(SR_INPUT_ROOM);
    if (size == 0 || b->room == NULL)
        return false;
    if (blocks->lender == NULL)
        (void)sr_input_ahead(input, &line, &offset);
    if (!sr_input_lend(input, size, &b->range))
        return false;
    if (blocks->lender == NULL)
        sr_fetches_begin(blocks->fetches, b->range.offset, line - 1);
    blocks->lender = input;
    b->turn = sr_fetches_next(blocks->fetches);
    b->piece = (sr_stretch){0, b->range.len, first->place, b->range.offset};
    b->piece.place.line = 1;
    b->before = SR_BLOCK_UNKNOWN;
    b->ranged = true;
    hand_over(blocks);
    return true;
}

void sr_blocks_catch_up(sr_blocks *blocks)
{
    uint64_t offset, lines;

    if (blocks->lender == NULL)
        return;
    sr_fetches_end(blocks->fetches, &offset, &lines);
    sr_input_lent(blocks->lender, offset, lines);
    blocks->lender = NULL;
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

/* Bytes of a range: $SIGCC_RANGES, or as many as there can be. */
static size_t range_wanted(void)
{
    const char *set = getenv("SIGCC_RANGES");

    return set == NULL ? SR_RANGE_MOST : (size_t)strtoul(set, NULL, 10);
}

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
    blocks->goal = SR_BLOCK_BYTES;
    blocks->range = range_wanted();
    blocks->fetches = sr_fetches_open(blocks->count);
    blocks->ring = sg_new_n(&s->arena, sr_block, blocks->count);
    for (uint32_t i = 0; i < blocks->count; i++) {
        blocks->ring[i].job =
            (sr_job){.fn = run_block, .ctx = &blocks->ring[i]};
        blocks->ring[i].workers = blocks->workers;
        blocks->ring[i].fetches = blocks->fetches;
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
        free(b->stretches);
        free(b->room);
        free(b->items);
    }
    sg_buf_free(&blocks->spare);
    sr_fetches_close(blocks->fetches);
    for (uint32_t i = 0; i < blocks->thread_count; i++)
        sr_worker_close(blocks->workers[i]);
    free(blocks);
}
