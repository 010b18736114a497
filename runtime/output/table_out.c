/*
 * table_out.c - aligned columns for people. Alerts have fixed columns and are
 * written at once; a report's rows wait for each other, up to a bound, so that
 * columns fit. Control and direction characters are shown, never sent; on a
 * terminal, lines are cut to its width.
 */
#include "output/formats.h"

#include <stdlib.h>

enum {
    GAP = 2,           /* blanks between columns */
    MAX_WIDTH = 48,    /* of a column, on a terminal */
    MAX_FILLED = 256,  /* elsewhere: values are whole, but who makes one long
                        * does not make all rows long */
    WAITING_ROWS = 500 /* then the widths found so far must do */
};

/* -------- display width -------------------------------------------------- */

typedef struct range {
    uint32_t first, last;
} range;

/* Characters that change how others look, or cannot be seen. */
static const range hidden[] = {
    {0x00, 0x1F},     {0x7F, 0x9F},     {0xAD, 0xAD},     {0x61C, 0x61C},
    {0x180E, 0x180E}, {0x200B, 0x200F}, {0x2028, 0x202E}, {0x2060, 0x206F},
    {0xD800, 0xDFFF}, {0xFEFF, 0xFEFF}, {0xFFF9, 0xFFFB}, {0xE0000, 0xE0FFF},
};
static const range combining[] = {
    {0x300, 0x36F},   {0x483, 0x489},   {0x591, 0x5BD},   {0x610, 0x61A},
    {0x64B, 0x65F},   {0x900, 0x902},   {0xE31, 0xE31},   {0xE34, 0xE3A},
    {0x1AB0, 0x1AFF}, {0x1DC0, 0x1DFF}, {0x20D0, 0x20FF}, {0xFE00, 0xFE0F},
    {0xFE20, 0xFE2F},
};
static const range wide[] = {
    {0x1100, 0x115F},   {0x2E80, 0x303E},   {0x3041, 0x4DBF},
    {0x4E00, 0xA4CF},   {0xA960, 0xA97F},   {0xAC00, 0xD7A3},
    {0xF900, 0xFAFF},   {0xFE30, 0xFE6F},   {0xFF00, 0xFF60},
    {0xFFE0, 0xFFE6},   {0x1F300, 0x1F64F}, {0x1F680, 0x1F6FF},
    {0x1F900, 0x1F9FF}, {0x20000, 0x3FFFD},
};

static bool in_ranges(uint32_t cp, const range *ranges, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (cp >= ranges[i].first && cp <= ranges[i].last)
            return true;
    return false;
}

#define IN(cp, ranges) in_ranges(cp, ranges, sizeof(ranges) / sizeof(range))

/* Append one character as it may be shown; returns its width. */
static size_t put_char(sg_buf *buf, sg_str s, size_t *pos)
{
    const size_t beg = *pos;
    const uint32_t cp = sg_utf8_next(s, pos);

    if (cp >= 0x20 && cp < 0x7F) {
        sg_buf_putc(buf, (char)cp);
        return 1;
    }
    if (cp >= 0x80000000 || IN(cp, hidden)) {
        const size_t before = buf->len;
        const uint32_t shown = cp & 0x7FFFFFFF;

        sg_buf_printf(buf, shown < 0x100 ? "\\x%02X" : "\\u{%X}", shown);
        return buf->len - before;
    }
    sg_buf_put(buf, sg_str_sub(s, beg, *pos));
    if (IN(cp, combining))
        return 0;
    return IN(cp, wide) ? 2 : 1;
}

/* Append text, at most `most` columns wide (0: all of it); returns the width.
 * What is cut ends in an ellipsis. */
static size_t put_shown(sg_buf *buf, sg_str text, size_t most)
{
    size_t width = 0;
    size_t kept = buf->len; /* ends where one more column would fit */
    size_t kept_width = 0;

    for (size_t pos = 0; pos < text.len;) {
        width += put_char(buf, text, &pos);
        if (most != 0 && width > most) {
            buf->len = kept;
            sg_buf_putz(buf, "\xE2\x80\xA6");
            return kept_width + 1;
        }
        if (width < most) {
            kept = buf->len;
            kept_width = width;
        }
    }
    return width;
}

size_t sr_put_shown(sg_buf *buf, sg_str text)
{
    return put_shown(buf, text, 0);
}

static void put_blanks(sg_buf *buf, size_t count)
{
    while (count-- != 0)
        sg_buf_putc(buf, ' ');
}

/* -------- alerts --------------------------------------------------------- */

enum {
    TIME_WIDTH = 24,
    LEVEL_WIDTH = 13,
    RULE_WIDTH = 44,
    RULE_LEAST = 18,
    DETAILS = 40 /* what the rule leaves to them where there is little room */
};

static size_t rule_width(const sr_output *out)
{
    const size_t others = TIME_WIDTH + LEVEL_WIDTH + 3 * GAP + DETAILS;

    if (out->width == 0 || out->width >= others + RULE_WIDTH)
        return RULE_WIDTH;
    return out->width > others + RULE_LEAST ? out->width - others : RULE_LEAST;
}

/* A cell that is not the last of its line. */
static void put_fixed(sg_buf *buf, sg_str text, size_t width, bool cut)
{
    const size_t shown = put_shown(buf, text, cut ? width : 0);

    put_blanks(buf, (shown < width ? width - shown : 0) + GAP);
}

static void put_pair_list(sg_buf *buf, const sr_pair *pairs, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        sg_buf_putc(buf, ' ');
        sg_buf_put(buf, pairs[i].name);
        sg_buf_putc(buf, '=');
        sg_buf_put(buf, pairs[i].text);
    }
}

/* Everything that has no column of its own; not yet fit to be shown. */
static void put_details(sg_buf *buf, const sr_alert *alert)
{
    sg_buf_put(buf, alert->path);
    sg_buf_putc(buf, ':');
    sr_put_u64(buf, alert->line);
    if (alert->matched_count != 0) {
        sg_buf_put(buf, SG_S(" matched="));
        sr_put_matched(buf, alert, ',');
    }
    put_pair_list(buf, alert->pairs, alert->pair_count);
    put_pair_list(buf, alert->added, alert->added_count);
    if (alert->correlation) {
        sg_buf_put(buf, SG_S(" count="));
        sr_put_u64(buf, alert->count);
        sg_buf_put(buf, SG_S(" value="));
        sr_put_num(buf, alert->value);
    }
}

static void put_head(sg_buf *buf, size_t rule)
{
    put_fixed(buf, SG_S("TIME"), TIME_WIDTH, false);
    put_fixed(buf, SG_S("LEVEL"), LEVEL_WIDTH, false);
    put_fixed(buf, SG_S("RULE"), rule, false);
    sg_buf_put(buf, SG_S("SOURCE AND DETAILS\n"));
}

static void table_alert(sr_output *out, const sr_alert *alert)
{
    const size_t rule = rule_width(out);
    const size_t fixed = TIME_WIDTH + LEVEL_WIDTH + rule + (size_t)3 * GAP;
    const sigma_meta *meta = sr_alert_meta(out, alert);
    const bool cut = out->width != 0;
    sg_buf *buf = &out->buf;
    sg_buf *scratch = &out->grid.text;
    char time[SG_TIME_TEXT];
    sg_str when = SG_LIT("-");

    if (alert->timed)
        when = (sg_str){time, sg_time_text(alert->time, time)};
    if (out->fresh_rows)
        put_head(buf, rule);
    put_fixed(buf, when, TIME_WIDTH, false);
    put_fixed(buf, sr_pool_str(out, meta->level), LEVEL_WIDTH, cut);
    put_fixed(buf, sr_pool_str(out, meta->title), rule, cut);
    scratch->len = 0;
    put_details(scratch, alert);
    put_shown(buf, sg_buf_str(scratch),
              !cut                       ? 0
              : out->width > fixed + GAP ? out->width - fixed
                                         : GAP);
    scratch->len = 0;
    sg_buf_putc(buf, '\n');
}

/* -------- reports -------------------------------------------------------- */

static void add_cell(sr_grid *grid, uint32_t column, sg_str text, bool right)
{
    if (grid->count == grid->cap) {
        grid->cap = grid->cap == 0 ? 256 : grid->cap * 2;
        grid->cells = realloc(grid->cells, grid->cap * sizeof(*grid->cells));
        if (grid->cells == NULL)
            sg_fatal("out of memory");
    }
    struct sr_grid_cell *cell = &grid->cells[grid->count++];

    cell->width = put_shown(&grid->text, text, 0);
    cell->end = grid->text.len;
    cell->right = right;
    if (!grid->settled && cell->width > grid->widths[column])
        grid->widths[column] = cell->width;
}

/* Write the cells of one row, which end the grid's text at beg and on. */
static void put_row(sr_output *out, const struct sr_grid_cell *cells,
                    size_t beg)
{
    const sr_grid *grid = &out->grid;
    size_t room = out->width == 0 ? SIZE_MAX : out->width;
    size_t blanks = 0; /* due before the next cell */

    for (uint32_t i = 0; i < grid->columns; i++) {
        const sg_str text =
            sg_str_sub(sg_buf_str(&grid->text), beg, cells[i].end);
        size_t width = grid->widths[i];

        if (width > (out->width != 0 ? MAX_WIDTH : MAX_FILLED))
            width = out->width != 0 ? MAX_WIDTH : MAX_FILLED;
        if (width > room)
            width = room;
        if (width == 0)
            break;
        const size_t pad = cells[i].width < width ? width - cells[i].width : 0;

        put_blanks(&out->buf, blanks + (cells[i].right ? pad : 0));
        put_shown(&out->buf, text, out->width == 0 ? 0 : width);
        blanks = (cells[i].right ? 0 : pad) + GAP;
        beg = cells[i].end;
        room = room > width + GAP ? room - width - GAP : 0;
    }
    sg_buf_putc(&out->buf, '\n');
}

/* Write the rows that wait. */
static void put_waiting(sr_output *out)
{
    sr_grid *grid = &out->grid;
    size_t beg = 0;

    if (grid->columns == 0)
        return;
    for (size_t i = 0; i + grid->columns <= grid->count; i += grid->columns) {
        put_row(out, grid->cells + i, beg);
        beg = grid->cells[i + grid->columns - 1].end;
    }
    grid->count = 0;
    grid->text.len = 0;
    grid->settled = true;
}

static void table_settle(sr_output *out)
{
    put_waiting(out);
    out->grid.columns = 0;
}

static void table_row(sr_output *out, const sr_pair *pairs, uint32_t count)
{
    sr_grid *grid = &out->grid;

    if (out->fresh_rows) {
        grid->columns = count;
        grid->widths = sg_new_n(&out->arena, size_t, count);
        grid->settled = false;
        for (uint32_t i = 0; i < grid->columns; i++)
            add_cell(grid, i, pairs[i].name, pairs[i].kind == SR_NUMBER);
    }
    for (uint32_t i = 0; i < grid->columns; i++)
        add_cell(grid, i, pairs[i].kind == SR_NULL ? SG_S("-") : pairs[i].text,
                 pairs[i].kind == SR_NUMBER);
    if (grid->settled || grid->count >= (size_t)grid->columns * WAITING_ROWS)
        put_waiting(out);
}

const sr_format_ops sr_format_table = {NULL,      table_alert,  NULL, false,
                                       table_row, table_settle, NULL};
