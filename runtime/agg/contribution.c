/*
 * contribution.c - from an event that matched to what its correlations need of
 * it, one flat record per component.
 */
#include "agg/layout.h"

#include <assert.h>
#include <string.h>

static uint32_t aligned(size_t n)
{
    return (uint32_t)((n + 7) & ~(size_t)7);
}

/* -------- reading -------------------------------------------------------- */

const sr_part_cell *sr_part_find(const sr_layout *layout,
                                 const sr_contribution *c,
                                 const sr_part_hit *hit, uint32_t field,
                                 uint32_t likely)
{
    const sr_need *need = &layout->needs[hit->need];
    const uint32_t *fields = layout->fields + need->field_first;
    const sr_part_cell *cells = sr_cells_of(c) + hit->cell;

    uint32_t i = likely;

    if (i >= need->field_count || fields[i] != field)
        for (i = 0; i < need->field_count && fields[i] != field;)
            i++;
    return i == need->field_count || cells[i].kind == SR_NO_VALUE ? NULL
                                                                  : &cells[i];
}

/* The i-th value of the partition; NULL when the event has none. */
static const sr_part_cell *part_of(const sr_layout *l, const sr_contribution *c,
                                   uint32_t i)
{
    const uint32_t first = l->components[c->component].part_first;

    return sr_part_find(l, c, sr_hits_of(c), l->parts[first + i], i);
}

bool sr_contribution_part(const sr_layout *layout, const sr_contribution *c,
                          uint32_t i, sg_str *value)
{
    if (i >= layout->components[c->component].part_count)
        return false;
    const sr_part_cell *cell = part_of(layout, c, i);

    *value = cell == NULL ? SG_S("") : sr_bytes_of(c, cell->at, cell->len);
    return true;
}

void sr_put_sized(sg_buf *buf, sg_str value)
{
    const uint32_t len = (uint32_t)value.len;
    char *at = sg_buf_reserve(buf, sizeof(len) + len);

    memcpy(at, &len, sizeof(len));
    if (len != 0)
        memcpy(at + sizeof(len), value.ptr, len);
    buf->len += sizeof(len) + len;
}

uint64_t sr_partition_hash(const sr_layout *layout, uint32_t component,
                           sg_str parts)
{
    return sg_str_hash_seeded(parts, layout->salt + component);
}

/* -------- making --------------------------------------------------------- */

/* What sr_contribute works on. */
typedef struct maker {
    const sr_layout *l;
    const sr_matched *event;
    sg_buf *out;
} maker;

/* The first entry of a rule for this component or a later one; may be the
 * rule's end. */
static uint32_t need_from(const sr_layout *l, uint32_t rule, uint32_t component)
{
    uint32_t low = l->need_first[rule];
    uint32_t high = l->need_first[rule + 1];

    if (low == high || l->needs[low].component >= component)
        return low; /* as nearly always */
    while (low < high) {
        const uint32_t mid = low + (high - low) / 2;

        if (l->needs[mid].component < component)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

uint32_t sr_need_for(const sr_layout *l, uint32_t rule, uint32_t component)
{
    const uint32_t i = need_from(l, rule, component);

    return i < l->need_first[rule + 1] && l->needs[i].component == component
               ? i
               : SIGMA_NONE;
}

/* The first component from `least` on that some hit concerns, or
 * SIGMA_NONE. */
static uint32_t next_component(const maker *m, uint32_t least)
{
    uint32_t next = SIGMA_NONE;

    for (size_t i = 0; i < m->event->count; i++) {
        const uint32_t rule = m->event->hits[i].rule;
        const uint32_t n = need_from(m->l, rule, least);

        if (n < m->l->need_first[rule + 1] && m->l->needs[n].component < next)
            next = m->l->needs[n].component;
    }
    return next;
}

/* Returns where the bytes lie, behind their length. */
static uint32_t put_bytes(sg_buf *out, size_t beg, sg_str bytes)
{
    sr_put_sized(out, bytes);
    return (uint32_t)(out->len - bytes.len - beg);
}

static bool in_time(const maker *m, const sr_hit *hit)
{
    return hit->timed || m->l->search;
}

/* The hits that concern the component, and how many cells they take. */
static uint32_t count_hits(const maker *m, uint32_t component, uint32_t *cells)
{
    uint32_t hits = 0;

    *cells = 0;
    for (size_t i = 0; i < m->event->count; i++) {
        const uint32_t need =
            sr_need_for(m->l, m->event->hits[i].rule, component);

        if (need == SIGMA_NONE || !in_time(m, &m->event->hits[i]))
            continue;
        *cells += m->l->needs[need].field_count;
        hits++;
    }
    return hits;
}

/* Bytes of the last contribution, until more is put behind it. What is put
 * there goes straight to its place: a copy made in pieces and then moved as a
 * whole would have to wait for the pieces. */
static void *inside_last(const maker *m, size_t beg, size_t at)
{
    return m->out->ptr + beg + at;
}

static void put_hit(const maker *m, size_t beg, uint32_t at, const sr_hit *hit,
                    uint32_t need, uint32_t cell)
{
    const bool ends = m->l->components[m->l->needs[need].component].ends;
    const bool raw = ends && hit->timed;
    const uint32_t raw_at = raw ? put_bytes(m->out, beg, hit->raw) : 0;
    sr_part_hit *h = inside_last(m, beg, at);

    h->rule = hit->rule;
    h->need = need;
    h->cell = cell;
    h->timed = hit->timed;
    h->time = hit->timed ? hit->time : 0;
    if (raw) {
        h->raw_kind = hit->raw_kind;
        h->raw_at = raw_at;
        h->raw_len = (uint32_t)hit->raw.len;
    }
}

/* Texts stand one behind the other, each behind its length: so does the
 * partition whose fields follow each other (note_parts). */
static void put_cells(const maker *m, size_t beg, size_t at, uint32_t rule,
                      const sr_need *need)
{
    const uint32_t *fields = m->l->fields + need->field_first;

    for (uint32_t f = 0; f < need->field_count; f++) {
        sr_cell have;
        const bool is = m->event->read(m->event->ctx, rule, fields[f], &have) &&
                        have.text.len <= UINT32_MAX / 4;
        const uint32_t text_at = is ? put_bytes(m->out, beg, have.text) : 0;
        sr_part_cell *cell = inside_last(m, beg, at + f * sizeof(*cell));

        cell->kind = is ? have.kind : SR_NO_VALUE;
        if (!is)
            continue;
        cell->at = text_at;
        cell->len = (uint32_t)have.text.len;
        if (have.kind == SR_NUMBER)
            cell->num = have.num;
    }
}

/* Where the partition lies in one piece in what was made, if it does. */
static void note_parts(const sr_layout *l, sr_contribution *c)
{
    const sr_part_hit *hit = sr_hits_of(c);
    const uint32_t first = l->needs[hit->need].part_at;
    const uint32_t count = l->components[c->component].part_count;

    if (first == SIGMA_NONE)
        return;
    const sr_part_cell *cells = sr_cells_of(c) + hit->cell + first;

    for (uint32_t i = 0; i < count; i++)
        if (cells[i].kind == SR_NO_VALUE)
            return;
    c->parts_at = cells[0].at - (uint32_t)sizeof(uint32_t);
    c->parts_len = cells[count - 1].at + cells[count - 1].len - c->parts_at;
}

/* The hash of the partition of the contribution at `beg`, the last one; false
 * when some value is not there: without it the event takes no part in any
 * correlation of the component. */
static bool hash_partition(const maker *m, size_t beg)
{
    sg_buf *out = m->out;
    const size_t end = out->len;
    sr_contribution *c = inside_last(m, beg, 0);
    const uint32_t component = c->component;
    sg_str parts;

    if (!sr_parts_inside(c, &parts)) {
        for (uint32_t i = 0; i < m->l->components[component].part_count; i++) {
            const sr_part_cell *cell = part_of(m->l, c, i);

            if (cell == NULL)
                return false;
            const size_t at = beg + cell->at;
            const uint32_t len = cell->len;

            sg_buf_reserve(out, sizeof(len) + len);
            sr_put_sized(out, (sg_str){out->ptr + at, len});
            c = inside_last(m, beg, 0);
        }
        parts = (sg_str){out->ptr + end, out->len - end};
        out->len = end;
    }
    c->hash = sr_partition_hash(m->l, component, parts);
    return true;
}

/* Put the hits that concern the component and their cells where there is room
 * for them, their texts behind; the time is that of the first. */
static void put_hits(const maker *m, size_t beg, const sr_contribution *c)
{
    uint32_t cell = 0;
    uint32_t done = 0;

    for (size_t i = 0; i < m->event->count; i++) {
        const sr_hit *hit = &m->event->hits[i];
        const uint32_t need = sr_need_for(m->l, hit->rule, c->component);

        if (need == SIGMA_NONE || !in_time(m, hit))
            continue;
        put_hit(m, beg, c->hit_at + done++ * (uint32_t)sizeof(sr_part_hit), hit,
                need, cell);
        put_cells(m, beg, c->cells_at + cell * sizeof(sr_part_cell), hit->rule,
                  &m->l->needs[need]);
        cell += m->l->needs[need].field_count;
    }
}

/* Append the contribution of one component; false when there is none. */
static bool put_component(const maker *m, uint32_t component)
{
    const size_t beg = m->out->len;
    uint32_t cells;
    const uint32_t hits = count_hits(m, component, &cells);
    sr_contribution c = {
        .component = component,
        .place = m->event->place,
        .hit_count = hits,
        .hit_at = aligned(sizeof(c)),
    };

    if (hits == 0)
        return false;
    c.cells_at = c.hit_at + hits * aligned(sizeof(sr_part_hit));
    const uint32_t fixed = c.cells_at + cells * aligned(sizeof(sr_part_cell));

    memset(sg_buf_reserve(m->out, fixed), 0, fixed);
    m->out->len += fixed;
    put_hits(m, beg, &c);
    memset(sg_buf_reserve(m->out, 8), 0, 8);
    m->out->len = (m->out->len + 7) & ~(size_t)7;
    const sr_part_hit *first = inside_last(m, beg, c.hit_at);
    sr_contribution *made = inside_last(m, beg, 0);

    *made = c;
    made->size = (uint32_t)(m->out->len - beg);
    made->timed = first->timed;
    made->time = first->time;
    note_parts(m->l, made);
    if (hash_partition(m, beg))
        return true;
    m->out->len = beg;
    return false;
}

bool sr_contribute_to(const sr_layout *layout, uint32_t component,
                      const sr_matched *event, sg_buf *out)
{
    const maker m = {layout, event, out};

    assert(out->len % 8 == 0);
    return put_component(&m, component);
}

/* Every component carries its values itself: an event with huge ones must not
 * multiply them by the number of correlations. */
static bool is_oversized(const sg_buf *out, size_t start, size_t beg)
{
    return out->len - beg > SR_CONTRIBUTION_MOST ||
           out->len - start > SR_EVENT_MOST;
}

uint32_t sr_contribute(const sr_layout *layout, const sr_matched *event,
                       sg_buf *out, sr_missed *missed)
{
    const maker m = {layout, event, out};
    const size_t start = out->len;
    uint32_t made = 0;

    assert(out->len % 8 == 0);
    *missed = (sr_missed){.untimed = false};
    for (size_t i = 0; i < event->count; i++)
        if (!in_time(&m, &event->hits[i]) &&
            sr_layout_hears(layout, event->hits[i].rule))
            missed->untimed = true;
    for (uint32_t c = next_component(&m, 0); c != SIGMA_NONE;
         c = next_component(&m, c + 1)) {
        const size_t beg = out->len;

        if (!put_component(&m, c))
            continue;
        if (is_oversized(out, start, beg)) {
            out->len = beg;
            missed->oversized++;
            continue;
        }
        made++;
    }
    return made;
}

void sr_contributions_move(char *contributions, size_t len, uint64_t lines)
{
    for (size_t at = 0; at < len;) {
        sr_contribution *c = (sr_contribution *)(void *)(contributions + at);

        c->place.line += lines;
        at += c->size;
    }
}

/* -------- bytes from elsewhere ------------------------------------------- */

bool sr_cell_valid(uint32_t kind, sg_str text)
{
    char canonical[SG_NUM_TEXT];
    sg_num n;

    if (kind == SR_BOOL)
        return sg_str_eq(text, SG_S("true")) || sg_str_eq(text, SG_S("false"));
    if (kind == SR_NUMBER)
        return sg_num_parse(text, &n) &&
               sg_str_eq(text, (sg_str){canonical, sg_num_text(n, canonical)});
    return kind == SR_STRING;
}

/* JSON knows neither a plus sign in front nor zeros. */
bool sr_raw_valid(uint32_t kind, sg_str raw)
{
    const size_t at = raw.len != 0 && raw.ptr[0] == '-' ? 1 : 0;
    sg_num n;

    if (kind != SR_NUMBER)
        return kind == SR_STRING;
    return sg_num_parse(raw, &n) && raw.ptr[0] != '+' &&
           !(raw.len > at + 1 && raw.ptr[at] == '0' && raw.ptr[at + 1] >= '0' &&
             raw.ptr[at + 1] <= '9');
}

static bool inside(const sr_contribution *c, uint32_t at, uint32_t len)
{
    return at <= c->size && len <= c->size - at;
}

static bool cells_valid(const sr_contribution *c, uint32_t first,
                        uint32_t count)
{
    for (uint32_t i = first; i < first + count; i++) {
        const sr_part_cell *cell = &sr_cells_of(c)[i];

        if (cell->kind == SR_NO_VALUE)
            continue;
        if (cell->at < sizeof(*c) || !inside(c, cell->at, cell->len) ||
            cell->num.kind > SIGMA_FLOAT ||
            !sr_cell_valid(cell->kind, sr_bytes_of(c, cell->at, cell->len)))
            return false;
        if (cell->kind == SR_NUMBER && cell->num.kind == SIGMA_FLOAT &&
            !(cell->num.v.f - cell->num.v.f == 0))
            return false;
    }
    return true;
}

static bool time_valid(const sr_layout *l, const sr_contribution *c,
                       const sr_part_hit *h)
{
    if (h->timed > 1 || (h->timed == 0 && !l->search) ||
        !inside(c, h->raw_at, h->raw_len))
        return false;
    return h->timed == 0 || !l->components[c->component].ends ||
           sr_raw_valid(h->raw_kind, sr_bytes_of(c, h->raw_at, h->raw_len));
}

static bool hits_valid(const sr_layout *l, const sr_contribution *c)
{
    const uint64_t room = (c->size - c->cells_at) / sizeof(sr_part_cell);
    uint64_t cells = 0;

    for (uint32_t i = 0; i < c->hit_count; i++) {
        const sr_part_hit *h = &sr_hits_of(c)[i];

        if (h->rule >= l->detector->rule_count || h->cell != cells ||
            (i != 0 && h->rule <= sr_hits_of(c)[i - 1].rule) ||
            sr_need_for(l, h->rule, c->component) != h->need)
            return false;
        const uint32_t count = l->needs[h->need].field_count;

        cells += count;
        if (cells > room || !time_valid(l, c, h) ||
            !cells_valid(c, h->cell, count))
            return false;
    }
    return true;
}

/* Whether all values of the partition are there, and lie in one piece where it
 * is said that they do. */
static bool parts_valid(const sr_layout *l, const sr_contribution *c)
{
    const bool piece = c->parts_at != 0;
    uint32_t end = c->parts_at;
    uint32_t len;

    for (uint32_t i = 0; i < l->components[c->component].part_count; i++) {
        const sr_part_cell *cell = part_of(l, c, i);

        if (cell == NULL || (piece && cell->at != end + sizeof(len)))
            return false;
        memcpy(&len, (const char *)c + cell->at - sizeof(len), sizeof(len));
        if (len != cell->len)
            return false;
        end = cell->at + len;
    }
    return !piece || (end - c->parts_at == c->parts_len &&
                      l->needs[sr_hits_of(c)->need].part_at != SIGMA_NONE);
}

bool sr_contribution_valid(const sr_layout *layout, sg_str bytes)
{
    const sr_contribution *c = (const sr_contribution *)(const void *)bytes.ptr;

    if (bytes.len < sizeof(*c) || c->size != bytes.len || c->size % 8 != 0 ||
        c->component >= layout->component_count || c->hit_count == 0)
        return false;
    if (c->hit_at != aligned(sizeof(*c)) ||
        c->hit_count > (c->size - c->hit_at) / sizeof(sr_part_hit) ||
        c->cells_at != c->hit_at + c->hit_count * sizeof(sr_part_hit))
        return false;
    return hits_valid(layout, c) && parts_valid(layout, c);
}
