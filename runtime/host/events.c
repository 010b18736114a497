/*
 * events.c - a session that a program feeds with events: each is a line of the
 * one source there is.
 */
#include "host/events.h"

#include "host/host.h"

#include <stdlib.h>
#include <string.h>

struct sr_events {
    sr_session session;
    sr_options options;
    sg_arena arena; /* options point into it */
    sg_buf said;
    uint64_t line, offset; /* events so far, and their bytes */
};

/* -------- options -------------------------------------------------------- */

/* What is about files, processes and what they print fits no embedded run. */
static const char *misfit(const sr_options *o)
{
    const struct {
        bool given;
        const char *name;
    } others[] = {
        {o->action != SR_ACTION_RUN, "map, reduce, --list and the like"},
        {o->file_count != 1 || strcmp(o->files[0], "-") != 0, "FILE"},
        {o->format_given, "--format"},
        {o->output != NULL, "--output"},
        {o->rejects != NULL, "--rejects"},
        {o->late != NULL, "--late"},
        {o->state != NULL, "--state"},
        {o->follow, "--follow"},
        {o->strict, "--strict"},
        {o->unchecked, "--unchecked"},
        {o->threads != 1, "--threads"},
        {o->stats || o->stats_json, "--stats"},
        {o->profile || o->profile_json, "--profile"},
        {o->no_sandbox, "--no-sandbox"},
        {o->cpu_limit != 0, "--cpu-limit"},
        {o->memory_limit != 0, "--memory-limit"},
    };

    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        if (others[i].given)
            return others[i].name;
    return NULL;
}

static char *copy_of(sg_arena *arena, const char *text)
{
    const sg_str copy = sg_arena_dup(arena, sg_str_of(text));

    return (char *)(uintptr_t)copy.ptr;
}

static bool read_options(sr_events *e, const sr_events_options *options,
                         sg_buf *error)
{
    enum { WORDS_MOST = 10000 };

    if (options->word_count > WORDS_MOST) {
        sg_buf_putz(error, "too many words");
        return false;
    }
    char **argv = sg_new_n(&e->arena, char *, options->word_count + 2);

    argv[0] = copy_of(&e->arena, "sigma");
    for (size_t i = 0; i < options->word_count; i++)
        argv[i + 1] = copy_of(&e->arena, options->words[i]);
    if (!sr_options_parse((int)options->word_count + 1, argv, &e->arena,
                          &e->options, error))
        return false;
    const char *name = misfit(&e->options);

    if (name == NULL)
        return true;
    sg_buf_printf(error, "%s has no place in a session", name);
    return false;
}

/* -------- opening -------------------------------------------------------- */

static bool open_session(sr_events *e, const sr_events_options *options)
{
    sr_session *s = &e->session;
    const sr_output_options output = {.format = SR_FORMAT_NDJSON,
                                      .fd = -1,
                                      .hold = true,
                                      .take = options->take,
                                      .ctx = options->ctx};

    s->options = &e->options;
    s->program = "sigma";
    s->said = &e->said;
    s->format = output.format;
    for (unsigned i = 0; i < SR_SINKS; i++)
        s->sinks[i] = (sr_sink){.fd = -1, .buf = &s->sinks[i].own};
    SG_PUSH(&s->arena, &s->sources,
            sg_arena_dup(&s->arena, sg_str_of(options->source)));
    s->out = sr_output_open(s->detector, &output);
    return sr_session_open(s) == SR_EXIT_OK;
}

sr_events *sr_events_open(const sigma_detector *detector,
                          const sr_events_options *options, sg_buf *error)
{
    sr_events *e = calloc(1, sizeof(*e));

    if (e == NULL)
        sg_fatal("out of memory");
    e->session.detector = detector;
    if (!read_options(e, options, error)) {
        sr_events_close(e);
        return NULL;
    }
    if (!open_session(e, options)) {
        sg_buf_put(error, sg_buf_str(&e->said));
        sr_events_close(e);
        return NULL;
    }
    return e;
}

void sr_events_close(sr_events *e)
{
    if (e == NULL)
        return;
    sr_session_close(&e->session);
    sg_buf_free(&e->said);
    sg_arena_free(&e->arena);
    free(e);
}

/* -------- events --------------------------------------------------------- */

static sg_str without_end(sg_str event)
{
    if (event.len != 0 && event.ptr[event.len - 1] == '\n')
        event.len--;
    if (event.len != 0 && event.ptr[event.len - 1] == '\r')
        event.len--;
    return event;
}

/* Why no line of an input could be like that; or NULL. */
static const char *no_line(sg_str event, size_t *at)
{
    const char *end =
        event.len == 0 ? NULL : memchr(event.ptr, '\n', event.len);

    *at = 0;
    if (event.len > SR_INPUT_MAX_LINE)
        return SR_INPUT_TOO_LONG;
    if (end == NULL)
        return NULL;
    *at = (size_t)(end - event.ptr);
    return "a line feed inside of the event";
}

bool sr_events_feed(sr_events *e, sg_str event)
{
    sr_session *s = &e->session;
    sr_item item = {.line = without_end(event), .offset = e->offset};
    const uint64_t unreadable = s->stats.unreadable;

    e->said.len = 0;
    e->offset += event.len;
    item.place.line = ++e->line;
    item.reason = no_line(item.line, &item.at);
    if (item.line.len > SR_INPUT_MAX_LINE)
        item.line = SG_S("");
    sr_feed_line(s, &item);
    return s->stats.unreadable == unreadable;
}

void sr_events_finish(sr_events *e)
{
    sr_session *s = &e->session;

    e->said.len = 0;
    sr_sequence_finish(s->sequence);
    sr_agg_finish(s->agg);
    sr_output_finish(s->out);
}

sg_str sr_events_said(const sr_events *e)
{
    return sg_buf_str(&e->said);
}

void sr_events_count(sr_events *e, sr_counter out[SR_COUNTERS])
{
    sr_gather(&e->session);
    sr_counters_get(&e->session.stats, out);
}
