/*
 * wire.c - contributions as bytes between processes: the journal of a kept
 * state, and what `map` hands to `reduce`. Rules, fields and components go by
 * names that do not depend on the build, so that a rebuilt pack can read what
 * another one wrote.
 */
#include "agg/layout.h"

/* -------- writing -------------------------------------------------------- */

static void put_cell(const sr_contribution *c, const sr_part_cell *cell,
                     sg_buf *out)
{
    if (cell->kind == SR_NO_VALUE)
        return;
    sg_put_u8(out, (uint8_t)cell->kind);
    sg_put_text(out, sr_bytes_of(c, cell->at, cell->len));
    if (cell->kind == SR_NUMBER)
        sg_put_num(out, cell->num);
}

static void put_hit(const sr_layout *l, const sr_contribution *c,
                    const sr_part_hit *hit, sg_buf *out)
{
    const sr_need *need = &l->needs[hit->need];
    const sr_part_cell *cells = sr_cells_of(c) + hit->cell;
    uint32_t have = 0;

    sg_put_u64(out, sr_layout_rule_id(l, hit->rule));
    sg_put_u8(out, hit->timed);
    sg_put_u64(out, (uint64_t)hit->time);
    sg_put_u8(out, hit->raw_kind);
    sg_put_text(out, sr_bytes_of(c, hit->raw_at, hit->raw_len));
    for (uint32_t i = 0; i < need->field_count; i++)
        have += cells[i].kind != SR_NO_VALUE;
    sg_put_u32(out, have);
    for (uint32_t i = 0; i < need->field_count; i++) {
        if (cells[i].kind == SR_NO_VALUE)
            continue;
        sg_put_u64(out, l->field_ids[l->fields[need->field_first + i]]);
        put_cell(c, &cells[i], out);
    }
}

void sr_wire_put(const sr_layout *layout, const sr_contribution *c,
                 uint32_t source, sg_buf *out)
{
    sg_put_u64(out, layout->component_ids[c->component]);
    sg_put_u64(out, c->event);
    sg_put_u32(out, source);
    sg_put_u32(out, c->place.generation);
    sg_put_u64(out, c->place.line);
    sg_put_u32(out, c->hit_count);
    for (uint32_t i = 0; i < c->hit_count; i++)
        put_hit(layout, c, &sr_hits_of(c)[i], out);
}

/* -------- reading -------------------------------------------------------- */

/* A hit read but not yet placed. */
typedef struct hit {
    uint64_t id;
    uint8_t timed, raw_kind;
    int64_t time;
    sg_str raw;
    uint32_t cells;
    sg_reader at; /* its cells */
} hit;

/* One cell; its field's name, too. */
static sr_cell read_cell(sg_reader *r, uint64_t *field)
{
    sr_cell cell = {.kind = SR_STRING};

    *field = sg_read_u64(r);
    cell.kind = sg_read_u8(r);
    cell.text = sg_read_text(r);
    if (cell.kind == SR_NUMBER)
        cell.num = sg_read_num(r);
    return cell;
}

static hit read_hit(sg_reader *r)
{
    hit h = {.id = sg_read_u64(r)};
    uint64_t field;

    h.timed = sg_read_u8(r);
    r->bad = r->bad || h.timed > 1;
    h.time = (int64_t)sg_read_u64(r);
    h.raw_kind = sg_read_u8(r);
    h.raw = sg_read_text(r);
    h.cells = sg_read_u32(r);
    h.at = *r;
    for (uint32_t i = 0; i < h.cells && !r->bad; i++)
        read_cell(r, &field);
    return h;
}

/* Where names of this id begin, or would. */
static uint32_t find(const sr_named *named, uint32_t count, uint64_t id)
{
    uint32_t low = 0;
    uint32_t high = count;

    while (low < high) {
        const uint32_t mid = low + (high - low) / 2;

        if (named[mid].id < id)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

static uint32_t component_of(const sr_layout *l, uint64_t id)
{
    const uint32_t at = find(l->components_by_id, l->component_count, id);

    return at < l->component_count && l->components_by_id[at].id == id
               ? l->components_by_id[at].index
               : SIGMA_NONE;
}

/* How many hits before have the id of this one; *sound becomes false when one
 * has another time, as it cannot have. */
static uint32_t same_before(const hit *h, const hit *before, uint32_t count,
                            bool *sound)
{
    uint32_t same = 0;

    for (uint32_t i = 0; i < count; i++) {
        if (before[i].id != h->id)
            continue;
        same++;
        *sound =
            *sound && before[i].timed == h->timed && before[i].time == h->time;
    }
    return same;
}

/* The rule of this id that the component listens to; of several, which match
 * the same events, each hit of the id means another one: this one skips as many
 * as there were before. SIGMA_NONE when there is none. */
static uint32_t rule_of(const sr_layout *l, uint32_t component, uint64_t id,
                        uint32_t skip)
{
    const uint32_t rules = l->heard_count;
    uint32_t found = SIGMA_NONE;

    for (uint32_t i = find(l->heard_by_id, rules, id);
         i < rules && l->heard_by_id[i].id == id; i++) {
        const uint32_t rule = l->heard_by_id[i].index;

        if (sr_need_for(l, rule, component) == SIGMA_NONE)
            continue;
        if (found != SIGMA_NONE && skip-- == 0)
            break;
        found = rule;
    }
    return found;
}

/* What sr_contribute asks of an event, answered from bytes. */
typedef struct answer {
    const sr_layout *l;
    const hit *hits;
    sr_hit *rules; /* the same, by this build's numbers */
    uint32_t *at;  /* places of both, ascending by rule */
    uint32_t count;
    bool twins; /* some hits have the same id */
} answer;

static const hit *hit_of(const answer *a, uint32_t rule)
{
    uint32_t low = 0;
    uint32_t high = a->count;

    while (high - low > 1) {
        const uint32_t mid = low + (high - low) / 2;

        if (a->rules[mid].rule <= rule)
            low = mid;
        else
            high = mid;
    }
    return &a->hits[a->at[low]];
}

static bool find_cell(const answer *a, const hit *h, uint32_t field,
                      sr_cell *cell)
{
    sg_reader r = h->at;

    for (uint32_t k = 0; k < h->cells; k++) {
        uint64_t id;

        *cell = read_cell(&r, &id);
        if (id == a->l->field_ids[field])
            return !r.bad;
    }
    return false;
}

/* Rules that compute the same see the same values, but each hit carries what
 * was asked of its own rule. */
static bool read_field(void *ctx, uint32_t rule, uint32_t field, sr_cell *cell)
{
    const answer *a = ctx;
    const hit *own = hit_of(a, rule);
    bool found = find_cell(a, own, field, cell);

    for (uint32_t i = 0; a->twins && i < a->count && !found; i++)
        found =
            a->hits[i].id == own->id && find_cell(a, &a->hits[i], field, cell);
    return found;
}

/* Sort the rules, and with them the places of their hits; false when a rule is
 * there twice. */
static bool sort_hits(answer *a)
{
    for (uint32_t i = 0; i < a->count; i++) {
        const sr_hit rule = a->rules[i];
        uint32_t k = i;

        for (; k != 0 && rule.rule <= a->rules[k - 1].rule; k--) {
            if (rule.rule == a->rules[k - 1].rule)
                return false;
            a->rules[k] = a->rules[k - 1];
            a->at[k] = a->at[k - 1];
        }
        a->rules[k] = rule;
        a->at[k] = i;
    }
    return true;
}

/* Make the contribution anew from hits; there may be none of `component`. */
static sr_wire_status make(answer *a, uint32_t component, sr_place place,
                           uint64_t event, sg_buf *out)
{
    const size_t beg = out->len;

    if (!sort_hits(a))
        return SR_WIRE_DAMAGED;
    const sr_matched matched = {a->rules, a->count, place, read_field, a};

    if (!sr_contribute_to(a->l, component, &matched, out))
        return SR_WIRE_UNKNOWN;
    sr_contribution *c = (sr_contribution *)(void *)(out->ptr + beg);

    c->event = event;
    if (sr_contribution_valid(a->l, sg_str_sub(sg_buf_str(out), beg, out->len)))
        return SR_WIRE_DONE;
    out->len = beg;
    return SR_WIRE_DAMAGED;
}

/* A hit as its event would have it. The writer left out how the event wrote
 * the time when its reports did not show that. */
static sr_hit hit_as_read(const hit *h, uint32_t rule, sg_arena *arena)
{
    sr_hit out = {rule, h->timed != 0, h->time, h->raw_kind, h->raw};

    if (out.timed && out.raw.len == 0) {
        char *text = sg_new_n(arena, char, SG_TIME_TEXT);

        out.raw_kind = SR_STRING;
        out.raw = (sg_str){text, sg_time_text(h->time, text)};
    }
    return out;
}

/* Read `count` hits; those whose rule the component does not know are left
 * out. */
static void read_hits(answer *a, sg_reader *r, uint32_t count,
                      uint32_t component, sg_arena *arena)
{
    const uint32_t rules = a->l->detector->rule_count;
    const size_t most = (size_t)(count < rules ? count : rules) + 1;
    hit *hits = sg_new_n(arena, hit, most);

    a->hits = hits;
    a->rules = sg_new_n(arena, sr_hit, most);
    a->at = sg_new_n(arena, uint32_t, most);
    for (uint32_t i = 0; i < count && !r->bad; i++) {
        hit *h = &hits[a->count];

        *h = read_hit(r);
        if (r->bad || component == SIGMA_NONE)
            continue;
        bool sound = true;
        const uint32_t same = same_before(h, hits, a->count, &sound);
        const uint32_t rule = rule_of(a->l, component, h->id, same);

        a->twins = a->twins || same != 0;
        if (rule != SIGMA_NONE)
            a->rules[a->count++] = hit_as_read(h, rule, arena);
        r->bad = !sound || a->count > rules;
    }
}

sr_wire_status sr_wire_get(const sr_layout *layout, sg_reader *r, sg_buf *out)
{
    enum { HIT_MIN = 26 }; /* bytes that a hit takes at least */
    const uint64_t id = sg_read_u64(r);
    const uint64_t event = sg_read_u64(r);
    sr_place place = {.source = sg_read_u32(r)};

    place.generation = sg_read_u32(r);
    place.line = sg_read_u64(r);
    const uint32_t count = sg_read_u32(r);
    const uint32_t component = component_of(layout, id);
    const size_t before = r->rest.len;

    if (r->bad || count == 0 || count > r->rest.len / HIT_MIN)
        return SR_WIRE_DAMAGED;
    sg_arena tmp = {0};
    answer a = {.l = layout};

    read_hits(&a, r, count, component, &tmp);
    /* The bytes are never more than the contribution was. */
    r->bad = r->bad || before - r->rest.len > SR_CONTRIBUTION_MOST;
    sr_wire_status status = r->bad ? SR_WIRE_DAMAGED : SR_WIRE_UNKNOWN;

    if (!r->bad && a.count != 0)
        status = make(&a, component, place, event, out);
    sg_arena_free(&tmp);
    return status;
}
