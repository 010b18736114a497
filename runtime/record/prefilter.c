/*
 * prefilter.c - tells from the bytes of a line that no rule can match it, so
 * that its fields need not be read. There are stages of two kinds: some texts,
 * one of which a value has to hold, and fields, of which a value has to be one
 * of some (keyed.c).
 *
 * Why a line without the texts cannot match. Let a value, decoded and folded,
 * hold a text. Of the text a window of up to eight bytes is looked for (a
 * needle), chosen so that
 *   - it has printable ASCII only, and no quote, backslash or slash. JSON
 *     writes such a character as itself or as \uXXXX, in no other way;
 *   - some byte of it is in no number's text. What holds it is a string or a
 *     word, whose text is what the line says; a number's may be written in many
 *     ways (1e3).
 * So each character of the window stands in the line, one behind the other, as
 * itself or as an escape, before folding. Simple case folding makes an ASCII
 * character of its two cases, of U+017F (s) and of U+212A (k), of nothing else.
 * Hence there is in the line
 *   - the window in some mixture of cases, which the scan finds; or
 *   - an escape of one of these characters, which it finds by `\u`. The digits
 *     tell whether the escape is of any use to any window; or
 *   - one of these two characters as UTF-8, which it looks for if there is an
 *     s or k in a window.
 * Where white space, keys or damaged strings look the same, the line passes
 * for nothing. Shapes and repeated keys do not matter: every value that a field
 * can have is in the line.
 *
 * The same scan tells lines that are silent about pieces (verbatim.c): of each
 * piece it looks for a short window, one for many pieces where they share some
 * that is rare, and for all that makes a line not tell.
 *
 * Which stage is worth its while depends on the events, so each is tried on
 * some lines now and then. Those that let most of them pass are a burden and
 * rest; the one that leaves least to do looks through many lines at once, the
 * others at what it has left.
 */
#include "record/needles.h"
#include "record/scan.h"

#include <assert.h>
#include <stdlib.h>

enum {
    ROUND = 512,      /* lines of a trial, at least, which decides ... */
    TERM = 32 * 1024, /* ... for so many lines */
    STAGES_MOST = 8,  /* more would hardly add anything */
    /* What costs as much, about: */
    NEEDLE_COST = 1, /* one more needle for a line, */
    STOP_COST = 3,   /* a close look, */
    PASS_COST = 9    /* a line that passes, for the next stage */
};

typedef struct stage {
    sr_needles texts;
    sr_keyed *field;        /* if not NULL it looks, and there are no texts */
    uint64_t passed, stops; /* in this trial; stops: close looks */
} stage;

struct sr_prefilter {
    stage stages[STAGES_MOST];
    uint32_t count;
    stage *active[STAGES_MOST]; /* the one to begin with first */
    uint32_t active_count;      /* 0: it rests */
    uint64_t left;              /* lines until the next trial; 0: it is on */
    uint64_t asked, passed;     /* lines of this round */
    bool by_line;        /* what does not pass is checked line by line ... */
    bool always_by_line; /* ... also where it need not be */
};

/* -------- stages ------------------------------------------------------- */

sr_prefilter *sr_prefilter_new(sg_arena *arena)
{
    sr_prefilter *f = sg_new(arena, sr_prefilter);
    const char *set = getenv("SIGCC_LINES");

    f->always_by_line = set != NULL && strcmp(set, "0") == 0;
    return f;
}

void sr_prefilter_free(sr_prefilter *f)
{
    for (uint32_t i = 0; f != NULL && i < f->count; i++)
        sr_keyed_free(f->stages[i].field);
}

bool sr_prefilter_has_stages(const sr_prefilter *f)
{
    return f->count != 0;
}

sr_needles *sr_prefilter_needles(sr_prefilter *f)
{
    assert(f->count < STAGES_MOST);
    stage *s = &f->stages[f->count++];

    sr_needles_init(&s->texts);
    return &s->texts;
}

bool sr_prefilter_texts(sr_prefilter *f, const sg_str *texts, uint32_t count)
{
    const bool good = sr_needles_texts(sr_prefilter_needles(f), texts, count);

    f->count -= !good;
    return good;
}

bool sr_prefilter_field(sr_prefilter *f, sg_arena *arena, sg_str name,
                        sr_value_fn *holds, void *ctx)
{
    if (f->count == STAGES_MOST)
        return false;
    sr_keyed *field = sr_keyed_new(arena, name, holds, ctx);

    if (field == NULL)
        return false;
    f->stages[f->count++].field = field;
    return true;
}

/* A place in the first line of the text that passes, or NULL; but for keys with
 * blanks. */
static const char *stage_find(stage *s, sg_str text)
{
    if (s->field != NULL)
        return sr_keyed_find(s->field, text, &s->stops);
    const char *hit = sr_needles_find(&s->texts, text);

    s->stops += hit != NULL;
    return hit;
}

static bool has_blanks(const stage *s, sg_str line)
{
    return s->field != NULL && sr_keyed_has_blanks(s->field, line);
}

/* Whether a line passes. */
static bool stage_passes(stage *s, sg_str line)
{
    return stage_find(s, line) != NULL || has_blanks(s, line);
}

/* -------- which of them ------------------------------------------------ */

/* What beginning with it would cost, for so many lines. */
static uint64_t stage_cost(const stage *s, uint64_t lines)
{
    const uint64_t needles =
        s->field != NULL ? sr_keyed_needles(s->field) : s->texts.count;

    return NEEDLE_COST * needles * lines + STOP_COST * s->stops +
           PASS_COST * s->passed;
}

/* Those that keep out one line in four, at least; the cheapest first. */
static void choose(sr_prefilter *f)
{
    f->active_count = 0;
    for (uint32_t i = 0; i < f->count; i++) {
        stage *s = &f->stages[i];
        const uint64_t cost = stage_cost(s, f->asked);
        uint32_t at = f->active_count;

        if (s->passed >= f->asked / 4 * 3)
            continue;
        for (; at != 0 && stage_cost(f->active[at - 1], f->asked) > cost; at--)
            f->active[at] = f->active[at - 1];
        f->active[at] = s;
        f->active_count++;
    }
}

static bool is_trial(const sr_prefilter *f)
{
    return f->left == 0;
}

static void begin_trial(sr_prefilter *f)
{
    f->left = f->asked = f->passed = 0;
    for (uint32_t i = 0; i < f->count; i++)
        f->stages[i].passed = f->stages[i].stops = 0;
}

static void end_trial(sr_prefilter *f)
{
    choose(f);
    f->left = TERM;
    f->asked = f->passed = 0;
}

/* So many lines were looked at, and some passed. Where three of four do,
 * another trial comes early. */
static void note(sr_prefilter *f, uint64_t lines, bool passed)
{
    f->asked += lines;
    f->passed += passed;
    if (is_trial(f)) {
        if (f->asked >= ROUND)
            end_trial(f);
        return;
    }
    if (lines >= f->left ||
        (f->asked >= ROUND && f->passed >= f->asked / 4 * 3)) {
        begin_trial(f);
        return;
    }
    f->left -= lines;
    if (f->asked >= ROUND)
        f->asked = f->passed = 0;
}

/* Whether the next line is to pass unseen. */
static bool rests(sr_prefilter *f)
{
    if (is_trial(f) || f->active_count != 0)
        return false;
    if (--f->left == 0)
        begin_trial(f);
    return true;
}

/* -------- one line ----------------------------------------------------- */

/* Every stage has a look, for the sake of its counts. */
static bool tries(sr_prefilter *f, sg_str line)
{
    bool passes = true;

    for (uint32_t i = 0; i < f->count; i++) {
        const bool one = stage_passes(&f->stages[i], line);

        f->stages[i].passed += one;
        passes = passes && one;
    }
    return passes;
}

/* Whether it passes the stages at work, but for the first few. */
static bool passes_from(sr_prefilter *f, uint32_t first, sg_str line)
{
    for (uint32_t i = first; i < f->active_count; i++)
        if (!stage_passes(f->active[i], line))
            return false;
    return true;
}

bool sr_prefilter_passes(sr_prefilter *f, sg_str line)
{
    if (rests(f))
        return true;
    const bool passes = is_trial(f) ? tries(f, line) : passes_from(f, 0, line);

    note(f, 1, passes);
    return passes;
}

/* -------- many lines --------------------------------------------------- */

/* The line of whole lines that this place is in, with its end. */
static sg_str line_around(sg_str text, const char *at)
{
    const char *end = text.ptr + text.len;
    const char *before = memrchr(text.ptr, '\n', (size_t)(at - text.ptr));
    const char *stop = memchr(at, '\n', (size_t)(end - at));
    const char *begin = before == NULL ? text.ptr : before + 1;

    end = stop == NULL ? end : stop + 1;
    return (sg_str){begin, (size_t)(end - begin)};
}

/* Where the first line of whole lines begins that passes, or NULL. */
static const char *find_line(sr_prefilter *f, sg_str text)
{
    const char *const end = text.ptr + text.len, *hit;

    while (text.len != 0 && (hit = stage_find(f->active[0], text)) != NULL) {
        const sg_str line = line_around(text, hit);

        if (passes_from(f, 1, line))
            return line.ptr;
        text.ptr = line.ptr + line.len;
        text.len = (size_t)(end - text.ptr);
    }
    return NULL;
}

/* The same in a trial. */
static const char *try_lines(sr_prefilter *f, sg_str text)
{
    while (text.len != 0) {
        const sg_str line = line_around(text, text.ptr);

        if (tries(f, line))
            return line.ptr;
        text = sg_str_sub(text, line.len, text.len);
    }
    return NULL;
}

/* How many bytes of the text, whole lines, come before the first that passes;
 * *next tells of the line behind them. Not much is looked at in one go: it is
 * looked at again soon, and near by then. */
static size_t find_clear(sr_prefilter *f, sg_str text, sr_look *next)
{
    enum { STRETCH = 1 << 15 };
    const size_t most = text.len < STRETCH ? text.len : STRETCH;
    const char *end = most == 0 ? NULL : memrchr(text.ptr, '\n', most);

    if (end == NULL)
        return 0;
    text.len = (size_t)(end - text.ptr) + 1;
    const char *hit = is_trial(f) ? try_lines(f, text) : find_line(f, text);

    if (hit == NULL)
        return text.len;
    *next = SR_PASSES;
    return (size_t)(hit - text.ptr);
}

/* Whether lines that were kept out may have a field under a key with blanks:
 * by the first stage, the others have looked for them. When that was in an
 * earlier call it may have been any. */
static bool may_have_blanks(const sr_prefilter *f, sg_str lines, bool earlier)
{
    bool may = f->active_count != 0 && has_blanks(f->active[0], lines);

    for (uint32_t i = 0; earlier && !may && i < f->count; i++)
        may = has_blanks(&f->stages[i], lines);
    return may;
}

/* False: nothing is to be looked for. */
static bool looks_for_blanks(const sr_prefilter *f, bool earlier)
{
    return earlier || (f->active_count != 0 && f->active[0]->field != NULL);
}

/* What is known of a line that no stage found anything in. UNKNOWN: it can be
 * read and does not pass. */
static sr_look look_again(const sr_prefilter *f, sg_str line,
                          const sr_plan *check, bool earlier)
{
    bool flat =
        check == NULL &&
        (line.len == 0 || memchr(line.ptr + 1, '{', line.len - 1) == NULL);
    const bool good = check == NULL || sr_is_good(check, line, &flat);

    if (!flat && may_have_blanks(f, line, earlier))
        return SR_PASSES;
    return good ? SR_UNKNOWN : SR_KEPT_OUT;
}

/* Lines of that kind, one by one, up to the first of which something else is
 * known. */
static void pass_each(const sr_prefilter *f, sg_str text, const sr_plan *check,
                      bool earlier, sr_kept_out *out)
{
    const char *p = text.ptr, *end;

    for (; (end = memchr(p, '\n', text.len - out->len)) != NULL; p = end + 1) {
        const sr_look look =
            look_again(f, (sg_str){p, (size_t)(end - p)}, check, earlier);

        if (look != SR_UNKNOWN) {
            out->next = look;
            break;
        }
        out->ends += end > p && end[-1] == '\r' ? 2 : 1;
        out->lines++;
        out->len = (size_t)(end - text.ptr) + 1;
    }
}

/* The same in one go. Then only lines that may have keys with blanks are looked
 * at again; once one has, the rest is left to pass_each, lest much be checked
 * many times. */
static void pass_all(sr_prefilter *f, sg_str text, const sr_plan *check,
                     bool earlier, sr_kept_out *out)
{
    const sr_good good = sr_good_lines(check, text);
    const sg_str rest = sg_str_sub(text, good.len, text.len);

    out->len = good.len;
    out->ends = good.ends;
    out->lines = good.lines;
    if (good.lines != 0 && !good.flat && looks_for_blanks(f, earlier)) {
        *out = (sr_kept_out){.next = SR_UNKNOWN};
        pass_each(f, sg_str_sub(text, 0, good.len), NULL, earlier, out);
        f->by_line = out->next != SR_UNKNOWN;
    }
    if (rest.len != 0 && out->next == SR_UNKNOWN)
        out->next = may_have_blanks(f, line_around(rest, rest.ptr), earlier)
                        ? SR_PASSES
                        : SR_KEPT_OUT;
}

sr_kept_out sr_prefilter_lines(sr_prefilter *f, sg_str text,
                               const sr_plan *check, size_t *clear)
{
    sr_kept_out out = {.next = SR_UNKNOWN};
    const bool earlier = *clear != 0;

    if (!earlier && rests(f)) {
        out.next = SR_PASSES;
        return out;
    }
    if (!earlier)
        f->by_line = f->always_by_line;
    sr_look behind = SR_UNKNOWN;
    const size_t left = earlier ? *clear : find_clear(f, text, &behind);
    const sg_str lines = sg_str_sub(text, 0, left);

    if (left != 0 && check != NULL && !f->by_line)
        pass_all(f, lines, check, earlier, &out);
    else if (left != 0)
        pass_each(f, lines, check, earlier, &out);
    *clear = left - out.len;
    if (*clear != 0) /* the next line is one of these */
        *clear -= line_around(lines, text.ptr + out.len).len;
    else
        out.next = behind;
    note(f, out.lines + (out.next != SR_UNKNOWN), out.next == SR_PASSES);
    return out;
}
