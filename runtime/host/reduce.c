/*
 * reduce.c - `DETECTOR reduce`: sorted lines of any number of `map`s to the
 * alerts of one run. Groups are independent of each other: one partition after
 * the other goes through the engine. What is found waits for the end, when it
 * is known that nothing was missing, and for its place in the order of the
 * input.
 */
#include "host/shuffle.h"
#include "host/spool.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What an earlier map has said at its end. */
typedef struct totals {
    uint64_t contributions, alerts, checks;
    uint32_t maps;
    uint32_t slices; /* 0: not by slices */
    bool *seen;      /* per slice */
    sg_map whole;    /* `checks` of maps that wrote lines */
} totals;

struct sr_reduce {
    sr_session *s;
    sr_spool *spool;
    bool collecting; /* what fires goes to the spool */
    sr_output *piece;
    sg_buf previous, path, payload, contribution;
    sg_map paths;              /* "ordinal:path" as in positions: source */
    SG_VEC(uint32_t) ordinals; /* per source */
    uint64_t line;             /* of the input */
    uint64_t contributions, alerts;
    uint64_t checks; /* the sum of their hashes */
    int64_t newest;  /* of the partition at hand */
    totals said;
};

typedef struct sr_reduce reduce;

/* The input cannot be trusted: nothing is written. */
static bool refuse(reduce *r, const char *why)
{
    sr_session *s = r->s;

    sr_say(s, "cannot reduce: line %llu: %s", (unsigned long long)r->line, why);
    s->exit_code = SR_EXIT_INPUT;
    s->stop = s->abandoned = true;
    return false;
}

/* -------- places --------------------------------------------------------- */

/* The source of a position, known by number and path. */
static uint32_t source_of(reduce *r, const sr_position *p, sg_str name)
{
    sr_session *s = r->s;
    bool found;
    uint32_t *source = sg_map_get(&r->paths, name);

    if (source != NULL)
        return *source;
    source =
        sg_map_put(&s->arena, &r->paths, sg_arena_dup(&s->arena, name), &found);
    *source = s->sources.count;
    SG_PUSH(&s->arena, &s->sources, sg_arena_dup(&s->arena, p->path));
    SG_PUSH(&s->arena, &r->ordinals, p->ordinal);
    return *source;
}

static bool place_of(reduce *r, sg_str field, sr_place *place)
{
    sr_position p;

    if (!sr_shuffle_get_position(field, &r->path, &p))
        return refuse(r, "not a position");
    place->source = source_of(r, &p, sg_str_sub(field, 0, field.len - 13));
    place->line = p.line;
    return true;
}

static bool keep(reduce *r, sr_place place, uint32_t kind, uint32_t component)
{
    const sr_spool_key key = {r->ordinals.items[place.source], place.source,
                              place.line, kind, component};
    sg_buf *buf = sr_output_buffer(r->piece);

    if (!sr_spool_put(r->spool, &key, sg_buf_str(buf)))
        return refuse(r, strerror(errno));
    buf->len = 0;
    return true;
}

/* -------- lines ---------------------------------------------------------- */

static bool take_alert(reduce *r, const sr_shuffle_line *line)
{
    sr_session *s = r->s;
    sr_alert alert;
    sr_place place = {.source = 0};

    r->payload.len = 0;
    if (!place_of(r, line->field[3], &place))
        return false;
    if (!sg_get_base64(&r->payload, line->field[4]) ||
        !sr_shuffle_get_alert(s, sg_buf_str(&r->payload), &s->scratch, &alert))
        return refuse(r, "a damaged alert");
    sr_output_buffer(r->piece)->len = 0;
    sr_alert_again(s, r->piece, place, &alert);
    r->alerts++;
    s->stats.alerts++;
    return keep(r, place, 0, 0);
}

/* Another partition begins. */
static bool is_new(const reduce *r, const sr_shuffle_line *line)
{
    sr_shuffle_line last;

    return !sr_shuffle_split(sg_buf_str(&r->previous), &last) ||
           !sg_str_eq(last.field[0], line->field[0]) ||
           !sg_str_eq(last.field[1], line->field[1]);
}

static bool take_contribution(reduce *r, const sr_shuffle_line *line)
{
    sr_session *s = r->s;
    sr_place place = {.source = 0};
    char shard[17];

    r->payload.len = r->contribution.len = 0;
    if (!place_of(r, line->field[3], &place))
        return false;
    if (!sg_get_base64(&r->payload, line->field[4]))
        return refuse(r, "a damaged contribution");
    sg_reader in = {sg_buf_str(&r->payload), false};

    if (sr_wire_get(s->layout, &in, &r->contribution) != SR_WIRE_DONE ||
        !sg_read_done(&in))
        return refuse(r, "a damaged contribution, or one of another detector");
    sr_contribution *c = (void *)r->contribution.ptr;

    (void)snprintf(
        shard, sizeof(shard), "%016llx",
        (unsigned long long)sr_layout_component_id(s->layout, c->component));
    if (!sg_str_eq(sg_str_of(shard), line->field[0]))
        return refuse(r, "a contribution that is not of its shard");
    if (is_new(r, line)) {
        r->newest = INT64_MIN;
        if (!s->options->search)
            sr_agg_forget(s->agg);
    }
    if (c->timed != 0 && c->time > r->newest)
        r->newest = c->time;
    c->newest = r->newest;
    c->place = place;
    r->contributions++;
    sr_agg_feed(s->agg, c);
    return !s->stop;
}

/* -------- what maps said ------------------------------------------------- */

static bool get_number(sg_str text, uint64_t *n)
{
    sg_num num;

    if (!sg_num_parse(text, &num) || num.kind == SIGMA_FLOAT ||
        (num.kind == SIGMA_INT && num.v.i < 0))
        return false;
    *n = num.v.u;
    return true;
}

/* Add the map's losses to those of this run. */
static void add_counter(reduce *r, sg_str name, uint64_t n)
{
    sr_stats *stats = &r->s->stats;

    if (sg_str_eq(name, SG_S("contributions"))) {
        r->said.contributions += n;
        return;
    }
    if (sg_str_eq(name, SG_S("alerts"))) {
        r->said.alerts += n;
        return;
    }
    if (sg_str_eq(name, SG_S("checks"))) {
        r->said.checks += n;
        return;
    }
#define STAT(stat, loss, doc)                                                  \
    if (sg_str_eq(name, SG_S(#stat)))                                          \
        stats->stat += n;
#include "host/stats.def"
#undef STAT
}

static bool take_counters(reduce *r, sg_str text)
{
    while (text.len != 0) {
        const size_t end = sg_str_find(text, SG_S(" "));
        const size_t equals = sg_str_find(text, SG_S("="));
        uint64_t n;

        if (end == SIZE_MAX || equals >= end ||
            !get_number(sg_str_sub(text, equals + 1, end), &n))
            return refuse(r, "damaged counters");
        add_counter(r, sg_str_sub(text, 0, equals), n);
        text = sg_str_sub(text, end + 1, text.len);
    }
    return true;
}

static bool take_slice(reduce *r, const sr_shuffle_line *line)
{
    totals *t = &r->said;
    const size_t slash = sg_str_find(line->field[2], SG_S("/"));
    uint64_t slice;
    uint64_t slices;

    if (slash == SIZE_MAX ||
        !get_number(sg_str_sub(line->field[2], 0, slash), &slice) ||
        !get_number(line->field[3], &slices) || slices > SR_SLICES_MOST ||
        slice == 0 || (slices != 0 && slice > slices))
        return refuse(r, "a damaged slice");
    if (t->maps++ != 0 && t->slices != slices)
        return refuse(r, "slices of different numbers");
    t->slices = (uint32_t)slices;
    if (slices == 0)
        return true;
    if (t->seen == NULL)
        t->seen = sg_new_n(&r->s->arena, bool, slices + 1);
    if (t->seen[slice])
        return refuse(r, "a slice that was there before");
    return t->seen[slice] = true;
}

/* `before`: what maps had said until this one. Its lines are there twice when
 * another has said that it wrote the same. */
static bool take_whole(reduce *r, const totals *before)
{
    totals *t = &r->said;
    bool found;

    if (t->contributions == before->contributions &&
        t->alerts == before->alerts)
        return true;
    const sg_str key = sg_arena_printf(
        &r->s->arena, "%llx", (unsigned long long)(t->checks - before->checks));

    (void)sg_map_put(&r->s->arena, &t->whole, key, &found);
    return !found || refuse(r, "a map that was there before: its output is "
                               "there twice");
}

static bool take_end(reduce *r, const sr_shuffle_line *line)
{
    const totals before = r->said;
    char digest[17];

    (void)snprintf(digest, sizeof(digest), "%016llx",
                   (unsigned long long)sr_shuffle_digest(r->s));
    if (!sg_str_eq(sg_str_of(digest), line->field[1]))
        return refuse(r, "mapped by a detector of other rules, or in another "
                         "--mode");
    return take_slice(r, line) && take_counters(r, line->field[4]) &&
           take_whole(r, &before);
}

/* Everything that was mapped has come. */
static bool is_complete(reduce *r)
{
    const totals *t = &r->said;

    if (r->s->options->partial)
        return true;
    if (t->maps == 0)
        return refuse(r, "the last line of a map is missing: the input is "
                         "truncated");
    if (t->contributions != r->contributions || t->alerts != r->alerts)
        return refuse(r, "there are not as many lines as were mapped: the "
                         "input is truncated, or lines are there twice");
    if (t->checks != r->checks)
        return refuse(r, "the lines are not those that were mapped: some are "
                         "missing, others there twice");
    for (uint32_t i = 1; i <= t->slices; i++)
        if (!t->seen[i])
            return refuse(r, "not every slice is there");
    return true;
}

/* -------- the whole ------------------------------------------------------ */

static bool take_line(reduce *r, sg_str text)
{
    sr_shuffle_line line;
    uint64_t hash;

    if (text.len == 0)
        return true;
    if (!sr_shuffle_split(text, &line))
        return refuse(r, "not a line of map");
    if (!sr_shuffle_check(text, &line, &hash))
        return refuse(r, "a damaged line");
    if (sg_str_cmp(sg_buf_str(&r->previous), text) > 0)
        return refuse(r, "the input is not sorted (LC_ALL=C sort)");
    bool done;

    if (sg_str_eq(line.field[0], SG_S("-")))
        done = take_alert(r, &line);
    else if (sg_str_eq(line.field[0], SG_S("~")))
        done = take_end(r, &line);
    else
        done = take_contribution(r, &line);
    if (!sg_str_eq(line.field[0], SG_S("~")))
        r->checks += hash;
    r->previous.len = 0;
    sg_buf_put(&r->previous, text);
    return done;
}

static int by_path(const void *a, const void *b, void *ctx)
{
    const sr_session *s = ctx;
    const uint32_t x = *(const uint32_t *)a;
    const uint32_t y = *(const uint32_t *)b;

    return sg_str_cmp(s->sources.items[x], s->sources.items[y]);
}

/* The rank of each source among all, by path. */
static uint32_t *rank_sources(sr_session *s)
{
    const uint32_t count = s->sources.count;
    uint32_t *order = sg_new_n(&s->arena, uint32_t, (size_t)count + 1);
    uint32_t *ranks = sg_new_n(&s->arena, uint32_t, (size_t)count + 1);

    for (uint32_t i = 0; i < count; i++)
        order[i] = i;
    qsort_r(order, count, sizeof(*order), by_path, s);
    for (uint32_t i = 0; i < count; i++)
        ranks[order[i]] = i;
    return ranks;
}

static void put_piece(void *ctx, sg_str bytes)
{
    sr_session *s = ctx;

    sr_output_put(s->out, bytes);
    if (sr_sinks_full(s))
        sr_sinks_write(s);
}

static void write_all(reduce *r)
{
    sr_session *s = r->s;
    const uint32_t *ranks = rank_sources(s);

    if (!sr_spool_each(r->spool, ranks, put_piece, s)) {
        refuse(r, strerror(errno));
        return;
    }
    r->collecting = false;
    sr_agg_rank_sources(s->agg, ranks);
    sr_agg_finish(s->agg);
    sr_output_finish(s->out);
    sr_sinks_write(s);
}

bool sr_reduce_firing(reduce *r, const sr_alert *alert, sr_place place,
                      uint32_t component)
{
    if (!r->collecting)
        return false;
    sr_output_buffer(r->piece)->len = 0;
    sr_output_piece(r->piece, alert);
    (void)keep(r, place, 1, component);
    return true;
}

static void read_lines(reduce *r, sr_input *input)
{
    sr_line_status status = SR_LINE;

    while (!r->s->stop && !sr_interrupted() && status != SR_END) {
        sg_str text;
        uint64_t offset;

        status = sr_input_next(input, &text, &r->line, &offset);
        if (status == SR_LINE)
            (void)take_line(r, text);
        else if (status == SR_TOO_LONG)
            (void)refuse(r, "too long");
        else if (status == SR_BAD)
            (void)refuse(r, sr_input_reason(input));
    }
    if (sr_interrupted())
        (void)refuse(r, "interrupted");
}

void sr_reduce_run(sr_session *s)
{
    enum { LINE_MOST = 256 << 20 };
    const char *path = s->options->files[0];
    char reason[SR_INPUT_REASON];
    sr_input *input = sr_input_open(path, LINE_MOST, reason);
    const sr_output_options pieces = {
        .format = s->format, .fd = -1, .hold = true};
    reduce r = {.s = s, .spool = sr_spool_open(), .collecting = true};

    r.piece = sr_output_open(s->detector, &pieces);
    s->reduce = &r;
    if (input == NULL) {
        sr_say(s, "cannot read %s: %s", sr_shown(s, sg_str_of(path)), reason);
        s->exit_code = SR_EXIT_INPUT;
    } else {
        read_lines(&r, input);
        if (!s->stop && is_complete(&r))
            write_all(&r);
        /* As one run would: what there is, and that it is not all. */
        if (s->stats.inputs_failed != 0 && s->exit_code == SR_EXIT_OK)
            s->exit_code = SR_EXIT_INPUT;
    }
    s->reduce = NULL;
    sr_input_close(input);
    sr_spool_close(r.spool);
    sr_output_close(r.piece);
    sg_buf_free(&r.previous);
    sg_buf_free(&r.path);
    sg_buf_free(&r.payload);
    sg_buf_free(&r.contribution);
}
