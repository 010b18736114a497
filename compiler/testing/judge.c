/*
 * judge.c - a test's events before the reference evaluator, and what a
 * detector said about them beside it. Every failure says which event, what
 * was demanded, and on which part of the rule the verdict rests.
 */
#include "testing/explain.h"
#include "testing/ruletest.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_EXCERPTS = 3 };

void sc_rt_fail(sc_ruletest *t, sc_rt_test *test, uint32_t line, sg_str reason,
                sg_str detail)
{
    test->status = SC_RT_FAILED;
    test->failure_count++;
    if (test->failures.count < SC_RT_MAX_FAILURES)
        SG_PUSH(&t->session->arena, &test->failures,
                ((sc_rt_failure){line, reason, detail}));
}

/* -------- reading -------------------------------------------------------- */

static bool read_file(sg_arena *arena, sg_str path, sg_str *out)
{
    FILE *file = fopen(path.ptr, "rb");
    sg_buf text = {0};
    size_t n = 1;
    bool ok;

    if (file == NULL)
        return false;
    while (n > 0 && text.len <= SC_RT_MAX_BYTES) {
        char *to = sg_buf_reserve(&text, 65536);
        n = fread(to, 1, 65536, file);
        text.len += n;
    }
    ok = ferror(file) == 0;
    if (ok && text.len > SC_RT_MAX_BYTES) {
        errno = EFBIG;
        ok = false;
    }
    fclose(file);
    *out = sg_arena_dup(arena, sg_buf_str(&text));
    sg_buf_free(&text);
    return ok;
}

static void split_lines(sg_arena *arena, sg_str text, sc_rt_test *test)
{
    for (size_t beg = 0; beg < text.len;) {
        const char *end = memchr(text.ptr + beg, '\n', text.len - beg);
        const size_t n =
            end == NULL ? text.len - beg : (size_t)(end - text.ptr) - beg;
        SG_PUSH(arena, &test->lines, sg_str_sub(text, beg, beg + n));
        beg += n + 1;
    }
}

/* The object that begins at text[beg], to its closing brace or the end. */
static size_t object_end(sg_str text, size_t beg)
{
    size_t depth = 0, i;
    bool quoted = false;

    for (i = beg; i < text.len; i++) {
        const char c = text.ptr[i];
        if (quoted && c == '\\')
            i++;
        else if (c == '"')
            quoted = !quoted;
        else if (!quoted && c == '{')
            depth++;
        else if (!quoted && c == '}' && --depth == 0)
            return i + 1;
    }
    return text.len;
}

/* Objects one after the other, or in a list, each as one line. */
static void split_objects(sg_arena *arena, sg_str text, sc_rt_test *test)
{
    for (size_t i = 0; i < text.len;) {
        size_t end;
        char *line;
        if (strchr(" \t\r\n[],", text.ptr[i]) != NULL && text.ptr[i] != '\0') {
            i++;
            continue;
        }
        end = text.ptr[i] == '{' ? object_end(text, i) : text.len;
        line = sg_new_n(arena, char, end - i + 1);
        memcpy(line, text.ptr + i, end - i);
        for (size_t k = 0; k < end - i; k++)
            if (line[k] == '\n' || line[k] == '\r')
                line[k] = ' ';
        SG_PUSH(arena, &test->lines, ((sg_str){line, end - i}));
        i = end;
    }
}

static bool is_blank(sg_str line)
{
    for (size_t i = 0; i < line.len; i++)
        if (line.ptr[i] == '\0' || strchr(" \t\r", line.ptr[i]) == NULL)
            return false;
    return true;
}

static bool read_events(sc_ruletest *t, sc_rt_test *test)
{
    sg_arena *arena = &t->session->arena;
    sg_str text;

    if (!read_file(arena, test->path, &text)) {
        sc_rt_fail(t, test, 0,
                   sg_arena_printf(arena, "the file cannot be read: %s",
                                   strerror(errno)),
                   SG_S(""));
        return false;
    }
    if (test->concatenated)
        split_objects(arena, text, test);
    else
        split_lines(arena, text, test);
    for (uint32_t i = 0; i < test->lines.count; i++)
        test->events += !is_blank(test->lines.items[i]);
    if (test->events == 0)
        sc_rt_fail(t, test, 0, SG_S("the file holds no event"), SG_S(""));
    return test->events > 0;
}

/* -------- targets -------------------------------------------------------- */

static bool holds_index(const uint32_t *items, uint32_t count, uint32_t index)
{
    for (uint32_t i = 0; i < count; i++)
        if (items[i] == index)
            return true;
    return false;
}

bool sc_rt_targets(const sc_ruletest *t, const sc_rt_test *test,
                   bool is_correlation, uint32_t index)
{
    const sc_rt_file *file = &t->files.items[test->file];

    if (test->kind != SC_RT_STREAM)
        return !is_correlation &&
               (test->rule == SIGMA_NONE
                    ? holds_index(file->rules.items, file->rules.count, index)
                    : test->rule == index);
    return is_correlation &&
           (test->corr == SIGMA_NONE
                ? holds_index(file->corrs.items, file->corrs.count, index)
                : test->corr == index);
}

/* The rules that events are judged by. */
static const uint32_t *targets(const sc_ruletest *t, const sc_rt_test *test,
                               uint32_t *count)
{
    const sc_rt_file *file = &t->files.items[test->file];

    *count = test->rule == SIGMA_NONE ? file->rules.count : 1;
    return test->rule == SIGMA_NONE ? file->rules.items : &test->rule;
}

/* -------- events --------------------------------------------------------- */

/* Why the rules say what they say; those that match, or those that do not. */
static sg_str reasons(sc_ruletest *t, const sc_rt_test *test,
                      const sc_ref_event *event, bool matching)
{
    sg_arena tmp = {0};
    sg_buf out = {0};
    sg_str text;
    uint32_t count, shown = 0;
    const uint32_t *rules = targets(t, test, &count);

    for (uint32_t i = 0; i < count && shown < MAX_EXCERPTS; i++) {
        const sc_x_rule x = sc_explain_rule(t->ir, rules[i], event, &tmp);
        if (x.holds != matching)
            continue;
        shown++;
        sg_buf_putz(&out, "rule ");
        sc_put_safe(&out, sc_x_label(&t->ir->rules.items[rules[i]].meta));
        sg_buf_putz(&out, x.holds ? " matches:\n" : " does not match:\n");
        sc_explain_excerpt(&out, &x, "  ");
    }
    text = sg_arena_dup(&t->session->arena, sg_buf_str(&out));
    sg_buf_free(&out);
    sg_arena_free(&tmp);
    return text;
}

/* Judge one event; whether a target matches. */
static bool judge_event(sc_ruletest *t, sc_rt_test *test, uint32_t line,
                        const sc_ref_event *event)
{
    uint32_t count;
    const uint32_t *rules = targets(t, test, &count);
    bool any = false;

    for (uint32_t i = 0; i < count; i++) {
        if (!sc_ref_rule(t->ir, rules[i], event))
            continue;
        any = true;
        SG_PUSH(&t->session->arena, &test->hits.list,
                ((sc_rt_hit){false, rules[i], line}));
    }
    if (test->kind == SC_RT_EVENTS && any != test->expect_match)
        sc_rt_fail(t, test, line,
                   any ? SG_S("the event must not match and does")
                       : SG_S("the event must match and does not"),
                   reasons(t, test, event, any));
    return any;
}

static void judge_count(sc_ruletest *t, sc_rt_test *test, uint32_t matched,
                        uint32_t missed)
{
    sg_arena *arena = &t->session->arena;
    sc_ref_event *event = NULL;
    sg_str detail = SG_S("");

    if (test->kind != SC_RT_COUNT || matched >= test->at_least)
        return;
    if (missed > 0)
        event = sc_ref_event_parse(test->lines.items[missed - 1]);
    if (event != NULL)
        detail = reasons(t, test, event, false);
    sc_ref_event_free(event);
    sc_rt_fail(t, test, missed,
               sg_arena_printf(arena, "%u of %u events match, at least %u must",
                               matched, test->events, test->at_least),
               detail);
}

static void judge_events(sc_ruletest *t, sc_rt_test *test)
{
    uint32_t matched = 0, missed = 0;

    for (uint32_t i = 0; i < test->lines.count; i++) {
        sc_ref_event *event;
        bool any;
        if (is_blank(test->lines.items[i]))
            continue;
        event = sc_ref_event_parse(test->lines.items[i]);
        if (event == NULL) {
            sc_rt_fail(t, test, i + 1, SG_S("the line is no JSON object"),
                       SG_S(""));
            continue;
        }
        any = judge_event(t, test, i + 1, event);
        matched += any;
        if (!any && missed == 0)
            missed = i + 1;
        sc_ref_event_free(event);
    }
    judge_count(t, test, matched, missed);
}

/* -------- streams -------------------------------------------------------- */

static sg_str corr_label(const sc_ruletest *t, uint32_t corr)
{
    return sc_x_label(&t->ir->corrs.items[corr].meta);
}

/* How many events each rule below the file's correlations matched. */
static sg_str base_counts(sc_ruletest *t, const sc_rt_test *test)
{
    const sc_rt_file *file = &t->files.items[test->file];
    sg_buf out = {0};
    sg_str text;

    for (uint32_t i = 0; i < file->rules.count; i++) {
        const uint32_t rule = file->rules.items[i];
        uint32_t matched = 0;
        for (uint32_t k = 0; k < test->lines.count; k++) {
            sc_ref_event *event = sc_ref_event_parse(test->lines.items[k]);
            if (event == NULL)
                continue;
            matched += sc_ref_rule(t->ir, rule, event);
            sc_ref_event_free(event);
        }
        sg_buf_putz(&out, "rule ");
        sc_put_safe(&out, sc_x_label(&t->ir->rules.items[rule].meta));
        sg_buf_printf(&out, " matches %u of %u events\n", matched,
                      test->events);
    }
    text = sg_arena_dup(&t->session->arena, sg_buf_str(&out));
    sg_buf_free(&out);
    return text;
}

static void check_lines(sc_ruletest *t, sc_rt_test *test)
{
    for (uint32_t i = 0; i < test->lines.count; i++) {
        sc_ref_event *event;
        if (is_blank(test->lines.items[i]))
            continue;
        event = sc_ref_event_parse(test->lines.items[i]);
        if (event == NULL)
            sc_rt_fail(t, test, i + 1, SG_S("the line is no JSON object"),
                       SG_S(""));
        sc_ref_event_free(event);
    }
}

static void judge_stream(sc_ruletest *t, sc_rt_test *test)
{
    sg_arena *arena = &t->session->arena;
    sc_ref_firings firings;

    check_lines(t, test);
    sc_ref_correlate(t->ir, test->lines.items, test->lines.count, arena,
                     &firings);
    for (uint32_t i = 0; i < firings.list.count; i++) {
        const sc_ref_firing *f = &firings.list.items[i];
        if (sc_rt_targets(t, test, true, f->corr))
            SG_PUSH(arena, &test->hits.list,
                    ((sc_rt_hit){true, f->corr, f->line}));
    }
    if (test->expect_match && test->hits.list.count == 0)
        sc_rt_fail(t, test, 0, SG_S("no correlation fires over these events"),
                   base_counts(t, test));
    if (!test->expect_match && test->hits.list.count > 0) {
        const sc_rt_hit *hit = &test->hits.list.items[0];
        sg_buf reason = {0};
        sg_buf_putz(&reason, "correlation ");
        sc_put_safe(&reason, corr_label(t, hit->index));
        sg_buf_putz(&reason, " must not fire and does");
        sc_rt_fail(t, test, hit->line, sg_arena_dup(arena, sg_buf_str(&reason)),
                   base_counts(t, test));
        sg_buf_free(&reason);
    }
}

void sc_rt_judge(sc_ruletest *t, sc_rt_test *test)
{
    if (test->status == SC_RT_SKIPPED || !read_events(t, test))
        return;
    if (test->kind == SC_RT_STREAM)
        judge_stream(t, test);
    else
        judge_events(t, test);
}

/* -------- the detector --------------------------------------------------- */

static int by_place(const void *a, const void *b)
{
    const sc_rt_hit *x = a, *y = b;

    if (x->line != y->line)
        return x->line < y->line ? -1 : 1;
    if (x->is_correlation != y->is_correlation)
        return x->is_correlation ? 1 : -1;
    if (x->index != y->index)
        return x->index < y->index ? -1 : 1;
    return 0;
}

static void differ(sc_ruletest *t, sc_rt_test *test, const sc_rt_hit *hit,
                   const char *who, const char *other)
{
    sg_buf reason = {0};

    sg_buf_putz(&reason, hit->is_correlation ? "correlation " : "rule ");
    sc_put_safe(&reason,
                hit->is_correlation
                    ? corr_label(t, hit->index)
                    : sc_x_label(&t->ir->rules.items[hit->index].meta));
    sg_buf_printf(&reason, ": %s says yes, %s says no", who, other);
    sc_rt_fail(t, test, hit->line,
               sg_arena_dup(&t->session->arena, sg_buf_str(&reason)), SG_S(""));
    sg_buf_free(&reason);
}

void sc_rt_compare(sc_ruletest *t, sc_rt_test *test, const sc_rt_hits *hits)
{
    static const char *const detector = "the detector";
    static const char *const oracle = "the reference evaluator";
    sc_rt_hits have = {0};
    const uint32_t want_count = test->hits.list.count;
    uint32_t h = 0, w = 0;

    for (uint32_t i = 0; i < hits->list.count; i++)
        if (sc_rt_targets(t, test, hits->list.items[i].is_correlation,
                          hits->list.items[i].index))
            SG_PUSH(&t->session->arena, &have.list, hits->list.items[i]);
    if (have.list.count > 1)
        qsort(have.list.items, have.list.count, sizeof(sc_rt_hit), by_place);
    if (want_count > 1)
        qsort(test->hits.list.items, want_count, sizeof(sc_rt_hit), by_place);
    while (h < have.list.count || w < want_count) {
        int c = 0;
        if (h == have.list.count)
            c = 1;
        else if (w == want_count)
            c = -1;
        else
            c = by_place(&have.list.items[h], &test->hits.list.items[w]);
        if (c < 0)
            differ(t, test, &have.list.items[h], detector, oracle);
        else if (c > 0)
            differ(t, test, &test->hits.list.items[w], oracle, detector);
        h += c <= 0;
        w += c >= 0;
    }
}
