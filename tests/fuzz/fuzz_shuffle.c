/*
 * fuzz_shuffle.c - any text as what `reduce` reads, and any text as what `map`
 * writes.
 *
 * Properties: texts escaped and positions come back as they were, in lines that
 * hold no control character; bytes in base64 come back; what reduce takes from
 * hostile lines is inside its bounds. Each line of the input also gets a check
 * that is right, so that what is behind it is reached.
 */
#include "host/shuffle.h"
#include "support/tiny_detector.h"

#include <stdlib.h>
#include <string.h>

static void demand(bool holds)
{
    if (!holds)
        abort();
}

static void round_trip(sg_str text)
{
    sg_buf line = {0};
    sg_buf back = {0};
    sr_position p = {7, text, 0xABCDEF012345};
    sr_position q;

    sr_shuffle_escape(&line, text);
    for (size_t i = 0; i < line.len; i++)
        demand((unsigned char)line.ptr[i] >= 0x20 && line.ptr[i] != 0x7F);
    demand(sg_utf8_valid(sg_buf_str(&line)));
    demand(sr_shuffle_unescape(&back, sg_buf_str(&line)));
    demand(sg_str_eq(sg_buf_str(&back), text));
    line.len = 0;
    sr_shuffle_put_position(&line, &p);
    demand(sr_shuffle_get_position(sg_buf_str(&line), &back, &q));
    demand(q.ordinal == p.ordinal && q.line == p.line &&
           sg_str_eq(q.path, text));
    line.len = back.len = 0;
    sg_put_base64(&line, text);
    demand(sg_get_base64(&back, sg_buf_str(&line)));
    demand(sg_str_eq(sg_buf_str(&back), text));
    sg_buf_free(&line);
    sg_buf_free(&back);
}

static void take_payload(const sr_session *s, sr_scratch *scratch,
                         sg_str payload)
{
    sg_buf made = {0};
    sg_reader r = {payload, false};
    sr_alert alert;

    if (sr_shuffle_get_alert(s, payload, scratch, &alert)) {
        sg_buf again = {0};

        sr_shuffle_put_alert(s->layout, &alert, &again);
        demand(sg_str_eq(sg_buf_str(&again), payload));
        sg_buf_free(&again);
    }
    if (sr_wire_get(s->layout, &r, &made) == SR_WIRE_DONE)
        demand(sr_contribution_valid(s->layout, sg_buf_str(&made)));
    sg_buf_free(&made);
}

static void take_line(const sr_session *s, sr_scratch *scratch, sg_str text)
{
    sg_buf line = {0};
    sg_buf out = {0};
    sr_shuffle_line parts;
    sr_position p;
    uint64_t hash;

    sg_buf_put(&line, text);
    sr_shuffle_end(&line, 0);
    line.len--; /* its end */
    if (sr_shuffle_split(sg_buf_str(&line), &parts)) {
        demand(sr_shuffle_check(sg_buf_str(&line), &parts, &hash));
        (void)sr_shuffle_get_position(parts.field[3], &out, &p);
        out.len = 0;
        (void)sr_shuffle_unescape(&out, parts.field[1]);
        out.len = 0;
        if (sg_get_base64(&out, parts.field[4]))
            take_payload(s, scratch, sg_buf_str(&out));
    }
    sg_buf_free(&line);
    sg_buf_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static sr_session session;
    static sr_options options;
    static sr_scratch scratch;
    sg_str text = {(const char *)data, size};

    if (session.detector == NULL) {
        session.detector = &tiny_detector;
        session.options = &options;
        session.layout = sr_layout_new(&session.arena, &tiny_detector, true);
        sr_alert_scratch(&tiny_detector, &session.arena, &scratch);
    }
    round_trip(text);
    take_payload(&session, &scratch, text);
    while (text.len != 0) {
        const size_t end = sg_str_find(text, SG_S("\n"));
        const size_t len = end == SIZE_MAX ? text.len : end;

        take_line(&session, &scratch, sg_str_sub(text, 0, len));
        text = sg_str_sub(text, end == SIZE_MAX ? len : len + 1, text.len);
    }
    return 0;
}
