/*
 * json.c - the careful scanner: one pass over a line that checks it against
 * RFC 8259 and hands the values of planned paths to the event's cells. No
 * tree, no recursion; nesting is bounded by SR_MAX_DEPTH. It judges every line
 * that a fast scanner did not find good.
 */
#include "record/scan.h"

#include <string.h>

static sg_str decoded(sr_scan *s, sg_str key)
{
    char *dst;

    if (!s->escaped)
        return key;
    dst = sg_arena_alloc(&s->event->arena, key.len, 1);
    return (sg_str){dst, sr_decode(dst, key)};
}

/* Read a key and its colon. */
static bool member(sr_scan *s, sr_frame *frame)
{
    const char *const start = s->p;

    if (s->p == s->end || *s->p != '"')
        return sr_fail(s, "expected a key");
    if (!sr_scan_string(s))
        return false;
    if (frame->node != SIGMA_NONE || s->plan->keywords != SIGMA_NONE) {
        const sg_str key = {start + 1, (size_t)(s->p - start) - 2};
        if (!sr_begin_member(s, frame, decoded(s, key)))
            return false;
    }
    sr_skip_space(s);
    if (s->p == s->end || *s->p != ':')
        return sr_fail(s, "expected ':'");
    s->p++;
    sr_skip_space(s);
    return true;
}

/* The bulk of most events: members that nobody wants, written `,"key":"text"`
 * without white space, long escapes or non-ASCII text. Returns where the first
 * other member begins, which is then read in the general way. */
static const char *skip_plain(const sr_scan *s, const sr_frame *frame)
{
    const sr_node *node =
        frame->node == SIGMA_NONE ? NULL : &s->plan->nodes[frame->node];
    const char *const end = s->end;
    const char *p = s->p;

    while (end - p > 2 && p[0] == ',' && p[1] == '"') {
        const char *stop = sr_special(p + 2, end);
        const sg_str key = {p + 2, (size_t)(stop - p) - 2};
        if (end - stop < 4 || memcmp(stop, "\":\"", 3) != 0)
            break;
        if (node != NULL && sr_is_wanted(s->plan, node, key))
            break;
        stop = sr_special(stop + 3, end);
        while (end - stop > 2 && *stop == '\\' && sr_is_short_escape(stop[1]))
            stop = sr_special(stop + 2, end);
        if (stop == end || *stop != '"')
            break;
        p = stop + 1;
    }
    return p;
}

/* -------- the loop ----------------------------------------------------- */

/* s->p at the value of the current member or element. */
static bool value(sr_scan *s, const sr_frame *frame)
{
    const bool object = frame->close == '}';
    const uint32_t node = object ? frame->child : frame->node;
    const char *const start = s->p;
    sr_kind kind = SR_NULL;

    if (s->p == s->end)
        return sr_fail(s, "");
    if (*s->p == '{' || *s->p == '[')
        return sr_enter(s, node);
    if (!sr_scan_scalar(s, &kind) ||
        !sr_take_scalar(s, node, kind, (sg_str){start, (size_t)(s->p - start)}))
        return false;
    if (object)
        sr_end_member(s, frame);
    return true;
}

/* One member or element of the innermost container, or its end. */
static bool step(sr_scan *s)
{
    sr_frame *frame = &s->work->frames[s->depth - 1];
    const bool fresh = frame->fresh;

    if (!fresh && frame->close == '}' && s->plan->keywords == SIGMA_NONE)
        s->p = skip_plain(s, frame);
    sr_skip_space(s);
    if (s->p < s->end && *s->p == frame->close)
        return sr_leave(s);
    frame->fresh = false;
    if (!fresh) {
        if (s->p == s->end || *s->p != ',')
            return sr_fail(s, frame->close == '}' ? "expected ',' or '}'"
                                                  : "expected ',' or ']'");
        s->p++;
        sr_skip_space(s);
    }
    if (frame->close == '}' && !member(s, frame))
        return false;
    return value(s, frame);
}

static bool document(sr_scan *s)
{
    sr_skip_space(s);
    if (s->p == s->end)
        return sr_fail_at(s, s->p, "empty line");
    if (*s->p != '{')
        return sr_fail(s, "not a JSON object");
    if (!sr_enter(s, 0))
        return false;
    while (s->depth != 0)
        if (!step(s))
            return false;
    sr_skip_space(s);
    return s->p == s->end || sr_fail(s, "text behind the object");
}

/* By the plan's level; what that does not find good, with care. */
static bool run(sr_scan *s)
{
    const char *const end = s->end;

    s->run = sr_work_begin(s->event, s->plan);
    s->work = s->event->work;
    if (s->run == 0)
        return sr_fail_memory(s);
    if (s->plan->level->scan == NULL)
        return document(s);
    if (s->plan->level->scan(s))
        return true;
    /* Begin again: fields one by one, as copies of what was just written are
     * slow to load. */
    s->p = s->line;
    s->end = end;
    s->depth = 0;
    s->escaped = false;
    s->event->value_count = s->values;
    s->run = sr_work_begin(s->event, s->plan);
    return document(s);
}

bool sr_is_good(const sr_plan *plan, sg_str line, bool *flat)
{
    sr_fault fault;
    sr_scan s = {.p = line.ptr,
                 .line = line.ptr,
                 .end = line.ptr + line.len,
                 .plan = plan,
                 .fault = &fault};

    const bool good = plan->level->scan != NULL && plan->level->scan(&s);

    *flat = good && !s.nested;
    return good;
}

sr_good sr_good_lines(const sr_plan *plan, sg_str text)
{
    return plan->level->lines == NULL ? (sr_good){.flat = true}
                                      : plan->level->lines(plan, text);
}

bool sr_project(const sr_plan *plan, sr_event *event, sr_fault *fault)
{
    const char *const line = event->line.len == 0 ? "" : event->line.ptr;
    sr_scan s = {.p = line,
                 .line = line,
                 .end = line + event->line.len,
                 .plan = plan,
                 .event = event,
                 .values = event->value_count,
                 .fault = fault};

    if (plan->layouts != SR_LAYOUTS_NEVER && sr_layout_read(&s))
        return true;
    if (!run(&s)) {
        /* Values of a line that turned out bad are no values. */
        sr_event_forget(event);
        return false;
    }
    sr_work_resolve(event, plan, s.run);
    if (plan->layouts != SR_LAYOUTS_NEVER)
        sr_layout_learn(&s);
    return true;
}
