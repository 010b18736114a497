/*
 * map.c - `DETECTOR map`: what a run would tell its correlations, and the
 * alerts of its rules, as lines to be sorted and reduced. Each event is looked
 * at alone, so that any part of the input can be mapped anywhere.
 */
#include "host/shuffle.h"

static void put_time(sg_buf *out, bool timed, int64_t time)
{
    sg_buf_printf(out, "\t%016llx\t",
                  timed ? (unsigned long long)time ^ 1ULL << 63 : 0ULL);
}

static sr_position position_of(const sr_session *s, sr_place place)
{
    return (sr_position){
        .ordinal = s->options->position_given
                       ? s->options->position + place.source
                       : 0,
        .path = s->sources.items[place.source],
        .line = place.line,
    };
}

/* Position and payload of the line that begins at `beg`, and its end. */
static void put_end(sr_session *s, size_t beg, sr_place place, sg_str payload)
{
    sg_buf *out = s->sinks[SR_SINK_ALERTS].buf;
    const sr_position position = position_of(s, place);

    sr_shuffle_put_position(out, &position);
    sg_buf_putc(out, '\t');
    sg_put_base64(out, payload);
    s->checks += sr_shuffle_end(out, beg);
}

static void map_alert(sr_session *s, const sr_item *item, sg_str payload)
{
    sg_buf *out = s->sinks[SR_SINK_ALERTS].buf;
    const size_t beg = out->len;
    sg_reader r = {payload, false};

    (void)sg_read_bytes(&r, 4 + 8); /* the rule */
    const bool timed = sg_read_u8(&r) != 0;

    sg_buf_put(out, SG_S("-\t"));
    put_time(out, timed, (int64_t)sg_read_u64(&r));
    put_end(s, beg, item->place, payload);
    s->stats.alerts++;
}

static void map_contribution(sr_session *s, sr_contribution *c)
{
    sg_buf *out = s->sinks[SR_SINK_ALERTS].buf;
    const size_t beg = out->len;
    sg_buf *payload = &s->scratch.identity;
    sg_str value;

    sg_buf_printf(
        out, "%016llx\t",
        (unsigned long long)sr_layout_component_id(s->layout, c->component));
    for (uint32_t i = 0; sr_contribution_part(s->layout, c, i, &value); i++) {
        if (i != 0)
            sg_buf_putc(out, '|');
        sr_shuffle_escape(out, value);
    }
    /* Where the window is all of the input, arrival is the order. */
    put_time(out, c->timed != 0 && !s->options->search, c->time);
    payload->len = 0;
    c->event = 0; /* counts events of this process: says nothing elsewhere */
    sr_wire_put(s->layout, c, 0, payload);
    put_end(s, beg, c->place, sg_buf_str(payload));
    s->stats.contributions++;
}

void sr_map_item(sr_session *s, const sr_item *item, char *contributions,
                 const char *alerts)
{
    sg_reader r = {{alerts + item->alerts_at, item->alerts_len}, false};

    while (r.rest.len != 0)
        map_alert(s, item, sg_read_text(&r));
    for (size_t at = 0; at < item->contributions_len;) {
        sr_contribution *c =
            (void *)(contributions + item->contributions_at + at);

        at += c->size;
        map_contribution(s, c);
    }
}

void sr_map_finish(sr_session *s)
{
    sg_buf *out = s->sinks[SR_SINK_ALERTS].buf;
    const size_t beg = out->len;
    const sr_options *o = s->options;

    sr_gather(s);
    /* How many lines the prefilter kept out depends on how threads came to
     * share them; what is written does not. */
    sr_stats told = s->stats;

    told.prefiltered = 0;
    sg_buf_printf(out, "~\t%016llx\t%u/%u\t%u\t",
                  (unsigned long long)sr_shuffle_digest(s),
                  o->slices == 0 ? 1 : o->slice, o->slices == 0 ? 1 : o->slices,
                  o->slices);
#define STAT(name, loss, doc)                                                  \
    sg_buf_printf(out, "%s=%llu ", #name, (unsigned long long)told.name);
#include "host/stats.def"
#undef STAT
    sg_buf_printf(out, "checks=%llu ", (unsigned long long)s->checks);
    (void)sr_shuffle_end(out, beg);
}
