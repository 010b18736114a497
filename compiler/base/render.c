/*
 * render.c - diagnostics as text for people: place, message, the source line
 * with a caret, hint. Nothing from the input reaches the output unescaped, and
 * long lines are cut to a window around the caret.
 */
#include "base/base.h"

#include <stdlib.h>
#include <string.h>

enum {
    LINE_WIDTH = 120, /* columns of source text */
    LEAD_WIDTH = 40,  /* of them before the caret, in a long line */
    TAB_WIDTH = 4
};

/* -------- characters ---------------------------------------------------- */

/* One character as shown. */
typedef struct cell {
    char text[12];
    size_t len;
    size_t width; /* terminal columns */
} cell;

typedef struct range {
    uint32_t first, last;
} range;

static bool in_ranges(const range *ranges, size_t count, uint32_t cp)
{
    for (size_t i = 0; i < count; i++)
        if (cp >= ranges[i].first && cp <= ranges[i].last)
            return true;
    return false;
}

/* Characters that are invisible or steer the direction of text. */
static bool is_hidden(uint32_t cp)
{
    static const range hidden[] = {
        {0x7F, 0x9F},       {0xAD, 0xAD},     {0x034F, 0x034F},
        {0x0600, 0x0605},   {0x061C, 0x061C}, {0x115F, 0x1160},
        {0x17B4, 0x17B5},   {0x180B, 0x180F}, {0x200B, 0x200F},
        {0x2028, 0x202E},   {0x2060, 0x206F}, {0x3164, 0x3164},
        {0xD800, 0xDFFF},   {0xFE00, 0xFE0F}, {0xFEFF, 0xFEFF},
        {0xFFA0, 0xFFA0},   {0xFFF0, 0xFFFB}, {0xFFFE, 0xFFFF},
        {0xE0000, 0x10FFFF}};

    return in_ranges(hidden, sizeof hidden / sizeof hidden[0], cp);
}

/* Roughly the East Asian wide characters and emoji. */
static bool is_wide(uint32_t cp)
{
    static const range wide[] = {{0x1100, 0x115F},   {0x2E80, 0xA4CF},
                                 {0xAC00, 0xD7A3},   {0xF900, 0xFAFF},
                                 {0xFE30, 0xFE6F},   {0xFF00, 0xFF60},
                                 {0xFFE0, 0xFFE6},   {0x1F300, 0x1F64F},
                                 {0x1F900, 0x1F9FF}, {0x20000, 0x3FFFD}};

    return in_ranges(wide, sizeof wide / sizeof wide[0], cp);
}

static size_t width_of(uint32_t cp)
{
    if (cp >= 0x0300 && cp <= 0x036F)
        return 0; /* combining */
    return is_wide(cp) ? 2 : 1;
}

static void escape(cell *c, char letter, int digits, uint32_t n)
{
    c->len = (size_t)snprintf(c->text, sizeof c->text, "\\%c%0*x", letter,
                              digits, n);
    c->width = c->len;
}

static cell next_cell(sg_str text, size_t *pos)
{
    const size_t beg = *pos;
    const uint32_t cp = sg_utf8_next(text, pos);
    cell c = {.len = *pos - beg};

    if (cp >= 0x80000000 || cp < 0x20 || cp == 0x7F) {
        escape(&c, 'x', 2, cp & 0xFF);
    } else if (is_hidden(cp) && cp < 0x10000) {
        escape(&c, 'u', 4, cp);
    } else if (is_hidden(cp)) {
        escape(&c, 'U', 8, cp);
    } else {
        memcpy(c.text, text.ptr + beg, c.len);
        c.width = width_of(cp);
    }
    return c;
}

void sc_put_safe(sg_buf *out, sg_str text)
{
    for (size_t pos = 0; pos < text.len;) {
        const cell c = next_cell(text, &pos);

        sg_buf_put(out, (sg_str){c.text, c.len});
    }
}

/* -------- source lines -------------------------------------------------- */

typedef struct view {
    const sc_session *s;
    sg_buf *out;
    bool colour;
} view;

static void sgr(const view *v, const char *codes)
{
    if (v->colour)
        sg_buf_printf(v->out, "\x1b[%sm", codes);
}

static void put_repeated(sg_buf *out, char c, size_t count)
{
    memset(sg_buf_reserve(out, count), c, count);
    out->len += count;
}

/* Where to begin a line whose caret is at byte `caret`. */
static size_t window_start(sg_str line, size_t caret)
{
    size_t pos = caret;

    if (line.len <= LINE_WIDTH)
        return 0;
    for (int i = 0; i < LEAD_WIDTH && pos > 0; i++)
        do
            pos--;
        while (pos > 0 && (line.ptr[pos] & 0xC0) == 0x80);
    return pos;
}

/* Put the window of line; the columns of the bytes beg and end in it. */
static void put_window(sg_buf *out, sg_str line, size_t *beg, size_t *end)
{
    size_t pos = window_start(line, *beg);
    size_t width = 0, from = SIZE_MAX, to = SIZE_MAX;

    if (pos > 0) {
        sg_buf_putz(out, "...");
        width = 3;
    }
    while (pos < line.len && width < LINE_WIDTH) {
        cell c;

        if (pos >= *beg && from == SIZE_MAX)
            from = width;
        if (pos >= *end && to == SIZE_MAX)
            to = width;
        c = next_cell(line, &pos);
        if (c.len == 4 && memcmp(c.text, "\\x09", 4) == 0)
            memset(c.text, ' ', TAB_WIDTH);
        sg_buf_put(out, (sg_str){c.text, c.len});
        width += c.width;
    }
    if (pos < line.len)
        sg_buf_putz(out, "...");
    *beg = from == SIZE_MAX ? width : from;
    *end = to == SIZE_MAX ? width : to;
}

_Static_assert(TAB_WIDTH == 4, "a tab takes the place of its escape");

static void put_excerpt(const view *v, sc_span at, const char *caret_colour)
{
    const sc_source *source = &v->s->sources.items[at.source];
    uint32_t number, column;
    size_t beg, end, start;
    sg_str line;
    int gutter;

    sc_source_pos(v->s, at.source, at.beg, &number, &column);
    line = sc_source_line(v->s, at.source, number);
    start = source->line_starts[number - 1];
    beg = at.beg > start ? at.beg - start : 0;
    end = at.end > start ? at.end - start : 0;
    beg = beg < line.len ? beg : line.len;
    end = end < line.len ? end : line.len;
    gutter = snprintf(NULL, 0, "%5u", number);
    sgr(v, "34");
    sg_buf_printf(v->out, "%5u |", number);
    sgr(v, "0");
    if (line.len != 0)
        sg_buf_putc(v->out, ' ');
    put_window(v->out, line, &beg, &end);
    sgr(v, "34");
    sg_buf_printf(v->out, "\n%*s |", gutter, "");
    sgr(v, "0");
    put_repeated(v->out, ' ', beg + 1);
    sgr(v, caret_colour);
    sg_buf_putc(v->out, '^');
    put_repeated(v->out, '~', end > beg ? end - beg - 1 : 0);
    sgr(v, "0");
    sg_buf_putc(v->out, '\n');
}

/* -------- diagnostics --------------------------------------------------- */

static bool has_place(const view *v, sc_span at)
{
    return at.source < v->s->sources.count;
}

static void put_place(const view *v, sc_span at)
{
    uint32_t line, column;

    if (!has_place(v, at))
        return;
    sc_source_pos(v->s, at.source, at.beg, &line, &column);
    sgr(v, "1");
    sc_put_safe(v->out, v->s->sources.items[at.source].path);
    sg_buf_printf(v->out, ":%u:%u: ", line, column);
    sgr(v, "0");
}

static const char *severity_name(sc_severity severity)
{
    return severity == SC_ERROR     ? "error"
           : severity == SC_WARNING ? "warning"
                                    : "note";
}

static const char *severity_colour(sc_severity severity)
{
    return severity == SC_ERROR     ? "1;31"
           : severity == SC_WARNING ? "1;35"
                                    : "1;36";
}

static void put_note(const view *v, const sc_related *note)
{
    const char *colour = severity_colour(SC_NOTE);

    put_place(v, note->at);
    sgr(v, colour);
    sg_buf_putz(v->out, "note:");
    sgr(v, "0");
    sg_buf_putc(v->out, ' ');
    sc_put_safe(v->out, note->text);
    sg_buf_putc(v->out, '\n');
    if (has_place(v, note->at))
        put_excerpt(v, note->at, colour);
}

static void put_diag(const view *v, const sc_diag *diag)
{
    const char *colour = severity_colour(diag->severity);

    put_place(v, diag->at);
    sgr(v, colour);
    sg_buf_printf(v->out, "%s[%s]:", severity_name(diag->severity),
                  sc_code_name(diag->code));
    sgr(v, "0");
    sg_buf_putc(v->out, ' ');
    sc_put_safe(v->out, diag->message);
    sg_buf_putc(v->out, '\n');
    if (has_place(v, diag->at))
        put_excerpt(v, diag->at, colour);
    if (diag->hint.len != 0) {
        sg_buf_putz(v->out, "      = hint: ");
        sc_put_safe(v->out, diag->hint);
        sg_buf_putc(v->out, '\n');
    }
    for (uint32_t i = 0; i < diag->notes.count; i++)
        put_note(v, &diag->notes.items[i]);
}

/* -------- all of them --------------------------------------------------- */

typedef struct sort_key {
    uint32_t source, beg, index;
} sort_key;

static int compare(uint32_t a, uint32_t b)
{
    return (a > b) - (a < b);
}

static int by_place(const void *a, const void *b)
{
    const sort_key *x = a, *y = b;

    if (x->source != y->source)
        return compare(x->source, y->source);
    if (x->beg != y->beg)
        return compare(x->beg, y->beg);
    return compare(x->index, y->index);
}

static sort_key *sort_diags(const sc_session *s, sg_arena *tmp)
{
    const uint32_t count = s->diags.count;
    sort_key *keys = sg_new_n(tmp, sort_key, count);

    for (uint32_t i = 0; i < count; i++) {
        const sc_span at = s->diags.items[i].at;

        keys[i] = (sort_key){at.source, at.beg, i};
    }
    if (count > 1)
        qsort(keys, count, sizeof *keys, by_place);
    return keys;
}

/* How many of each severity one source has had. */
typedef struct tally {
    uint32_t counts[SC_NOTE + 1];
} tally;

static void put_rest(const view *v, uint32_t source, const tally *t)
{
    for (sc_severity i = SC_ERROR; i <= SC_WARNING; i++) {
        const uint32_t rest = t->counts[i] - SC_MAX_SHOWN;

        if (t->counts[i] <= SC_MAX_SHOWN || source >= v->s->sources.count)
            continue;
        sc_put_safe(v->out, v->s->sources.items[source].path);
        sg_buf_printf(v->out, ": %u more %s%s\n", rest, severity_name(i),
                      rest == 1 ? "" : "s");
    }
}

void sc_diag_render_one(const sc_session *s, sg_buf *out, bool colour,
                        uint32_t diag)
{
    const view v = {s, out, colour};

    put_diag(&v, &s->diags.items[diag]);
}

const uint32_t *sc_diag_order(const sc_session *s, sg_arena *arena)
{
    const sort_key *keys = sort_diags(s, arena);
    uint32_t *order = sg_new_n(arena, uint32_t, s->diags.count);

    for (uint32_t i = 0; i < s->diags.count; i++)
        order[i] = keys[i].index;
    return order;
}

void sc_diag_render(const sc_session *s, sg_buf *out, bool colour)
{
    const view v = {s, out, colour};
    sg_arena tmp = {0};
    const sort_key *keys = sort_diags(s, &tmp);
    tally t = {0};

    for (uint32_t i = 0; i < s->diags.count; i++) {
        const sc_diag *diag = &s->diags.items[keys[i].index];
        const uint32_t nth = ++t.counts[diag->severity];

        if (nth <= SC_MAX_SHOWN || keys[i].source >= s->sources.count)
            put_diag(&v, diag);
        if (i + 1 == s->diags.count || keys[i + 1].source != keys[i].source) {
            put_rest(&v, keys[i].source, &t);
            t = (tally){0};
        }
    }
    sg_arena_free(&tmp);
}
