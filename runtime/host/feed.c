/*
 * feed.c - lines from the inputs: one input after the other, or, with --follow,
 * as they come. Nothing waits long: before a read that may block, and at least
 * once a second, what was found goes out.
 */
#include "host/block.h"

#include <string.h>
#include <time.h>

enum {
    FLUSH_NS = 1000000000,
    QUOTA = 1 << 16, /* lines of one input before others have their turn */
    LOOK = 256       /* lines between two looks at the clock */
};

/* One input while it is read. */
typedef struct feed {
    sr_session *s;
    sr_input *input; /* NULL: ended, or never opened */
    uint32_t source;
    bool unknown; /* no kept state knows which file it is */
    size_t clear; /* bytes at hand that the prefilter does not let pass */
} feed;

static int64_t clock_now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC_COARSE, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void drain(sr_session *s)
{
    if (s->blocks != NULL)
        sr_blocks_drain(s->blocks);
}

static void catch_up(sr_session *s)
{
    if (s->blocks != NULL)
        sr_blocks_catch_up(s->blocks);
}

/* All lines so far are settled; where reading stands is noted. */
static void note(feed *f)
{
    sr_session *s = f->s;

    drain(s);
    if (s->resume != NULL && f->input != NULL) {
        sr_cursor cursor;

        catch_up(s);
        sr_input_cursor(f->input, &cursor);
        sr_resume_reading(s, f->source, &cursor);
    }
}

/* What was found goes out. */
static void let_go(feed *f)
{
    note(f);
    f->s->flushed = clock_now();
    sr_session_flush(f->s);
}

/* Let nothing wait for long. So many lines came before those just taken. */
static void flush_if_old(feed *f, uint64_t before, uint64_t lines)
{
    sr_session *s = f->s;

    if (s->resume == NULL && sr_sinks_full(s)) {
        let_go(f);
        return;
    }
    if (before != 0 && before / LOOK == lines / LOOK && !sr_sinks_waiting(s))
        return;
    const int64_t now = clock_now();

    if (s->resume != NULL ? sr_resume_due(s, now)
                          : now - s->flushed >= FLUSH_NS)
        let_go(f);
}

static bool goes_on(const sr_session *s)
{
    return !s->stop && !sr_interrupted();
}

/* The input is about to read and may wait for long: let go of what waits.
 * False ends the input. */
static bool before_read(void *ctx)
{
    feed *f = ctx;
    sr_session *s = f->s;

    if (!s->options->search && goes_on(s) && sr_input_may_wait(f->input))
        let_go(f);
    return goes_on(s);
}

/* -------- lines ---------------------------------------------------------- */

/* Map: slices take turns with blocks of the input. */
static bool is_ours(const sr_session *s, const sr_item *item)
{
    enum { BLOCK_BITS = 20 };
    const sr_options *o = s->options;

    return o->slices == 0 ||
           (item->offset >> BLOCK_BITS) % o->slices == o->slice - 1;
}

void sr_feed_line(sr_session *s, sr_item *item)
{
    if (!is_ours(s, item))
        return;
    if (item->reason != NULL) {
        drain(s);
        s->stats.lines++;
        s->stats.bytes += item->line.len;
        sr_reject(s, item);
        return;
    }
    if (s->blocks != NULL)
        sr_blocks_line(s->blocks, item);
    else if (sr_worker_meet(s->worker, item->line))
        sr_settle_line(s, item);
}

static void take_failure(feed *f, const sr_item *item)
{
    sr_session *s = f->s;

    drain(s);
    s->stats.inputs_failed++;
    s->exit_code = SR_EXIT_INPUT;
    sr_say(s, "cannot read %s after line %llu: %s",
           sr_shown(s, s->sources.items[f->source]),
           (unsigned long long)(item->place.line - 1),
           sr_input_reason(f->input));
}

/* Deal with many lines at hand at once; returns how many. What is known of the
 * line behind them goes into the item. */
static uint64_t pass_over(feed *f, sr_item *item)
{
    uint64_t number, offset;

    if (!sr_worker_may_pass_over(f->s->worker))
        return 0;
    const sr_kept_out out = sr_worker_pass_over(
        f->s->worker, sr_input_ahead(f->input, &number, &offset), &f->clear);

    item->look = out.next;
    sr_input_pass(f->input, out.len, out.lines);
    return out.lines;
}

/* Whether lines may go to the threads unseen: with slices, some of them may be
 * another's. */
static bool may_pass_on(const sr_session *s)
{
    return s->blocks != NULL && s->options->slices == 0;
}

/* Pass lines at hand on to the threads as they are; returns how many. */
static uint64_t pass_on(feed *f, sr_item *item)
{
    uint64_t lines;

    if (!may_pass_on(f->s))
        return 0;
    const sg_str text =
        sr_input_ahead(f->input, &item->place.line, &item->offset);

    if (sr_blocks_piece(f->s->blocks, f->input, text, item, &lines))
        return lines;
    const size_t len = sr_blocks_lines(f->s->blocks, text, item, &lines);

    sr_input_pass(f->input, len, lines);
    return lines;
}

/* Read a line, and what can be taken before it at once; false when there is
 * none, for now or for good. *lines counts them. */
static bool take_next(feed *f, uint64_t *lines)
{
    sr_session *s = f->s;
    sr_item item = {.place = {.source = f->source}};

    item.place.generation = (uint32_t)sr_input_generation(f->input);
    if (may_pass_on(s) && sr_blocks_range(s->blocks, f->input, &item)) {
        *lines += LOOK; /* about; nobody has counted them */
        return !s->stop;
    }
    catch_up(s);
    *lines += 1 + (s->blocks == NULL ? pass_over(f, &item) : pass_on(f, &item));
    const sr_line_status status =
        sr_input_next(f->input, &item.line, &item.place.line, &item.offset);

    if (s->stop)
        return false;
    item.place.generation = (uint32_t)sr_input_generation(f->input);
    switch (status) {
    case SR_LINE:
        sr_feed_line(s, &item);
        return true;
    case SR_TOO_LONG:
        item.reason = SR_INPUT_TOO_LONG;
        item.line = SG_S("");
        sr_feed_line(s, &item);
        return true;
    case SR_BAD:
        take_failure(f, &item);
        return true;
    case SR_LOST:
        drain(s);
        s->stats.inputs_lost++;
        sr_say(s, "%s: %s", sr_shown(s, s->sources.items[f->source]),
               sr_input_reason(f->input));
        return true;
    case SR_WAIT:
        return false;
    case SR_END:
    default:
        note(f);
        sr_input_close(f->input);
        f->input = NULL;
        return false;
    }
}

/* Say at once which file is read: it may be rotated before anything else is
 * kept of it. */
static void meet(feed *f)
{
    if (!f->unknown || f->input == NULL)
        return;
    f->unknown = false;
    let_go(f);
}

/* Lines of one input, until it has no more or others should have a turn;
 * whether there was any. */
static bool take_lines(feed *f)
{
    uint64_t before = 0, lines = 0;

    while (lines < QUOTA && goes_on(f->s) && f->input != NULL &&
           take_next(f, &lines)) {
        flush_if_old(f, before, lines);
        meet(f);
        before = lines;
    }
    meet(f);
    return before != 0;
}

/* -------- all inputs ----------------------------------------------------- */

static void open_input(sr_session *s, feed *f, uint32_t file)
{
    const char *path = s->options->files[file];
    const sr_input_options options = {
        .max_line = SR_INPUT_MAX_LINE,
        .follow = s->options->follow,
        .resume =
            s->resume == NULL ? NULL : sr_resume_cursor(s, s->source_of[file]),
    };
    char reason[SR_INPUT_REASON];

    *f = (feed){s, sr_input_open_with(path, &options, reason),
                s->source_of[file], s->resume != NULL && options.resume == NULL,
                0};
    if (f->input != NULL) {
        sr_input_before_read(f->input, before_read, f);
        return;
    }
    drain(s);
    s->stats.inputs_failed++;
    s->exit_code = SR_EXIT_INPUT;
    sr_say(s, "cannot read %s: %s", sr_shown(s, sg_str_of(path)), reason);
}

static void read_in_turn(sr_session *s, feed *feeds)
{
    const uint32_t count = s->options->file_count;
    sr_input **waiting = sg_new_n(&s->arena, sr_input *, count);

    for (uint32_t i = 0; i < count; i++)
        open_input(s, &feeds[i], i);
    for (;;) {
        size_t open = 0;
        bool news = false;

        for (uint32_t i = 0; i < count && goes_on(s); i++) {
            news = take_lines(&feeds[i]) || news;
            note(&feeds[i]);
            if (feeds[i].input != NULL)
                waiting[open++] = feeds[i].input;
        }
        if (open == 0 || !goes_on(s))
            return;
        if (news)
            continue;
        s->flushed = clock_now();
        sr_session_flush(s);
        (void)sr_inputs_wait(waiting, open, 1000);
    }
}

static void read_one_by_one(sr_session *s, feed *feeds)
{
    for (uint32_t i = 0; i < s->options->file_count && goes_on(s); i++) {
        open_input(s, &feeds[i], i);
        while (goes_on(s) && feeds[i].input != NULL)
            (void)take_lines(&feeds[i]);
    }
}

/* What an earlier run came upon has not become readable. */
static bool is_refused(sr_session *s)
{
    if (!sr_resume_refused(s))
        return false;
    sr_say(s, "an earlier run stopped at an unreadable line (--strict); "
              "without --strict reading goes on behind it");
    s->exit_code = SR_EXIT_INPUT;
    s->stop = s->abandoned = true;
    return true;
}

void sr_feed(sr_session *s)
{
    feed *feeds = sg_new_n(&s->arena, feed, s->options->file_count);

    if (is_refused(s))
        return;
    s->flushed = clock_now();
    if (s->options->follow)
        read_in_turn(s, feeds);
    else
        read_one_by_one(s, feeds);
    drain(s);
    for (uint32_t i = 0; i < s->options->file_count; i++) {
        if (feeds[i].input != NULL)
            note(&feeds[i]);
        sr_input_close(feeds[i].input);
    }
}
