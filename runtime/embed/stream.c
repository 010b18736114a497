/*
 * stream.c - sessions: events in, alerts out.
 */
#include "embed/embed.h"

#include "host/events.h"

#include <stdlib.h>
#include <string.h>

struct sigma_session {
    sigma_pack *pack;
    sr_events *events;
    sigma_alert_fn *on_alert;
    void *context;
    bool busy, finished;
    sigma_error reason; /* of the latest failure */
    sigma_counter counters[SR_COUNTERS];
};

/* -------- alerts --------------------------------------------------------- */

static const sigma_kind kind_of[] = {
    [SR_TOLD_DETECTION] = SIGMA_DETECTION,
    [SR_TOLD_CORRELATION] = SIGMA_CORRELATION,
    [SR_TOLD_ROW] = SIGMA_ROW,
};

/* sr_take_fn */
static void tell(void *ctx, sr_told told, uint32_t index, sg_buf *line)
{
    const sigma_session *s = ctx;
    const size_t before =
        told == SR_TOLD_DETECTION ? 0 : s->pack->detector->rule_count;
    const size_t len = line->len - 1;
    const sigma_alert alert = {.kind = kind_of[told],
                               .rule = &s->pack->rules[before + index],
                               .json = {line->ptr, len}};

    line->ptr[len] = '\0';
    s->on_alert(s->context, &alert);
}

/* -------- failures ------------------------------------------------------- */

/* The last line that was said: what it all came to. */
static sigma_status failed(sigma_error *error, sigma_status status, sg_str said)
{
    size_t begin;

    if (said.len != 0 && said.ptr[said.len - 1] == '\n')
        said.len--;
    for (begin = said.len; begin != 0 && said.ptr[begin - 1] != '\n';)
        begin--;
    sg_buf line = {0};

    sg_buf_put(&line, sg_str_sub(said, begin, said.len));
    sg_buf_putc(&line, '\0');
    sr_failed(error, status, NULL, line.len > 1 ? line.ptr : NULL);
    sg_buf_free(&line);
    return status;
}

/* Whether the session can go on; else why not. */
static sigma_status enter(sigma_session *s)
{
    if (s == NULL)
        return SIGMA_E_ARGUMENT;
    if (s->busy)
        return SIGMA_E_BUSY;
    if (s->finished)
        return sr_failed(&s->reason, SIGMA_E_FINISHED, NULL, NULL);
    s->reason.text[0] = '\0';
    s->busy = true;
    return SIGMA_OK;
}

const char *sigma_reason(const sigma_session *s)
{
    return s == NULL ? "" : s->reason.text;
}

/* -------- a session ------------------------------------------------------ */

static bool fits(const sigma_start_options *o)
{
    if (o->on_alert == NULL || (o->words == NULL && o->word_count != 0))
        return false;
    for (size_t i = 0; i < o->word_count; i++)
        if (o->words[i] == NULL)
            return false;
    return true;
}

sigma_status sigma_start(sigma_pack *pack, const sigma_start_options *options,
                         sigma_session **out, sigma_error *error)
{
    sigma_start_options own = {.size = sizeof(own)};

    if (pack == NULL || out == NULL || options == NULL ||
        !sr_take_options(&own, sizeof(own), options) || !fits(&own))
        return sr_failed(error, SIGMA_E_ARGUMENT, NULL, NULL);
    sigma_session *s = calloc(1, sizeof(*s));
    sg_buf said = {0};

    if (s == NULL)
        sg_fatal("out of memory");
    const sr_events_options how = {
        .take = tell,
        .ctx = s,
        .source = own.source != NULL ? own.source : "-",
        .words = own.words,
        .word_count = own.word_count,
    };

    s->pack = pack;
    s->on_alert = own.on_alert;
    s->context = own.context;
    s->events = sr_events_open(pack->detector, &how, &said);
    if (s->events != NULL) {
        sr_pack_hold(pack);
        *out = s;
    } else {
        failed(error, SIGMA_E_OPTION, sg_buf_str(&said));
        free(s);
        s = NULL;
    }
    sg_buf_free(&said);
    return s != NULL ? SIGMA_OK : SIGMA_E_OPTION;
}

void sigma_end(sigma_session *s)
{
    if (s == NULL)
        return;
    sr_events_close(s->events);
    sr_pack_drop(s->pack);
    free(s);
}

sigma_status sigma_feed(sigma_session *s, const char *json, size_t len)
{
    sigma_status status =
        json == NULL && len != 0 ? SIGMA_E_ARGUMENT : enter(s);

    if (status != SIGMA_OK)
        return status;
    if (!sr_events_feed(s->events, (sg_str){json != NULL ? json : "", len}))
        status =
            failed(&s->reason, SIGMA_E_UNREADABLE, sr_events_said(s->events));
    s->busy = false;
    return status;
}

sigma_status sigma_finish(sigma_session *s)
{
    const sigma_status status = enter(s);

    if (status != SIGMA_OK)
        return status;
    sr_events_finish(s->events);
    s->finished = true;
    s->busy = false;
    return SIGMA_OK;
}

const sigma_counter *sigma_counters(sigma_session *s, size_t *count)
{
    sr_counter counters[SR_COUNTERS];

    if (s == NULL || count == NULL || s->busy)
        return NULL;
    sr_events_count(s->events, counters);
    for (size_t i = 0; i < SR_COUNTERS; i++)
        s->counters[i] = (sigma_counter){counters[i].name, counters[i].doc,
                                         counters[i].value, counters[i].loss};
    *count = SR_COUNTERS;
    return s->counters;
}
