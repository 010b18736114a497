/*
 * wire.c - contributions as bytes between processes: the journal of a kept
 * state, and what `map` hands to `reduce`. Rules, fields and components go by
 * names that do not depend on the build, so that a rebuilt pack can read what
 * another one wrote.
 */
#include "agg/layout.h"

#include <string.h>

/* -------- writing -------------------------------------------------------- */

static void put_num(sg_buf *out, sg_num n)
{
    uint64_t bits;

    memcpy(&bits, &n.v, sizeof(bits));
    sg_put_u8(out, (uint8_t)n.kind);
    sg_put_u64(out, bits);
}

static void put_cell(const sr_contribution *c, const sr_part_cell *cell,
                     sg_buf *out)
{
    if (cell->kind == SR_NO_VALUE)
        return;
    sg_put_u8(out, (uint8_t)cell->kind);
    sg_put_text(out, sr_bytes_of(c, cell->at, cell->len));
    if (cell->kind == SR_NUMBER)
        put_num(out, cell->num);
}

static void put_hit(const sr_layout *l, const sr_contribution *c,
                    const sr_part_hit *hit, sg_buf *out)
{
    const sr_need *need = &l->needs[hit->need];
    const sr_part_cell *cells = sr_cells_of(c) + hit->cell;
    uint32_t have = 0;

    sg_put_u64(out, l->rule_ids[hit->rule]);
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

static sg_num read_num(sg_reader *r)
{
    sg_num n = {.kind = (sigma_num_kind)sg_read_u8(r)};
    const uint64_t bits = sg_read_u64(r);

    memcpy(&n.v, &bits, sizeof(bits));
    return n;
}

/* One cell; its field's name, too. */
static sr_cell read_cell(sg_reader *r, uint64_t *field)
{
    sr_cell cell = {.kind = SR_STRING};

    *field = sg_read_u64(r);
    cell.kind = sg_read_u8(r);
    cell.text = sg_read_text(r);
    if (cell.kind == SR_NUMBER)
        cell.num = read_num(r);
    return cell;
}

static hit read_hit(sg_reader *r)
{
    hit h = {.id = sg_read_u64(r)};
    uint64_t field;

    h.timed = sg_read_u8(r);
    h.time = (int64_t)sg_read_u64(r);
    h.raw_kind = sg_read_u8(r);
    h.raw = sg_read_text(r);
    h.cells = sg_read_u32(r);
    h.at = *r;
    for (uint32_t i = 0; i < h.cells && !r->bad; i++)
        read_cell(r, &field);
    return h;
}

/* What sr_contribute asks of an event, answered from bytes. */
typedef struct answer {
    const sr_layout *l;
    const hit *hits;
    const sr_hit *rules; /* the same, by this build's numbers */
    uint32_t count;
} answer;

static bool read_field(void *ctx, uint32_t rule, uint32_t field, sr_cell *cell)
{
    const answer *a = ctx;

    for (uint32_t i = 0; i < a->count; i++) {
        if (a->rules[i].rule != rule)
            continue;
        sg_reader r = a->hits[i].at;

        for (uint32_t k = 0; k < a->hits[i].cells; k++) {
            uint64_t id;

            *cell = read_cell(&r, &id);
            if (id == a->l->field_ids[field])
                return !r.bad;
        }
    }
    return false;
}

/* Sort both lists by rule; false when a rule is there twice. */
static bool sort_hits(hit *hits, sr_hit *rules, uint32_t count)
{
    for (uint32_t i = 1; i < count; i++)
        for (uint32_t k = i; k != 0 && rules[k].rule <= rules[k - 1].rule;
             k--) {
            const sr_hit rule = rules[k];
            const hit h = hits[k];

            if (rule.rule == rules[k - 1].rule)
                return false;
            rules[k] = rules[k - 1];
            hits[k] = hits[k - 1];
            rules[k - 1] = rule;
            hits[k - 1] = h;
        }
    return true;
}

/* Make the contribution anew from hits; there may be none of `component`. */
static sr_wire_status make(const sr_layout *l, hit *hits, sr_hit *rules,
                           uint32_t count, uint32_t component, sr_place place,
                           uint64_t event, sg_buf *out)
{
    answer a = {l, hits, rules, count};
    const size_t beg = out->len;

    if (!sort_hits(hits, rules, count))
        return SR_WIRE_DAMAGED;
    if (!sr_contribute_to(l, component, rules, count, place, read_field, &a,
                          out))
        return SR_WIRE_UNKNOWN;
    sr_contribution *c = (sr_contribution *)(void *)(out->ptr + beg);

    c->event = event;
    if (sr_contribution_valid(l, sg_str_sub(sg_buf_str(out), beg, out->len)))
        return SR_WIRE_DONE;
    out->len = beg;
    return SR_WIRE_DAMAGED;
}

sr_wire_status sr_wire_get(const sr_layout *layout, sg_reader *r, sg_buf *out)
{
    enum { HIT_MIN = 26 }; /* bytes that a hit takes at least */
    const uint64_t component = sg_read_u64(r);
    const uint64_t event = sg_read_u64(r);
    sr_place place = {.source = sg_read_u32(r)};

    place.line = sg_read_u64(r);
    const uint32_t count = sg_read_u32(r);
    const uint32_t k = sr_named_find(layout->components_by_id,
                                     layout->component_count, component);

    if (r->bad || count == 0 || count > r->rest.len / HIT_MIN)
        return SR_WIRE_DAMAGED;
    sg_arena tmp = {0};
    hit *hits = sg_new_n(&tmp, hit, count);
    sr_hit *rules = sg_new_n(&tmp, sr_hit, count);
    uint32_t known = 0;

    for (uint32_t i = 0; i < count; i++) {
        hits[known] = read_hit(r);
        rules[known] = (sr_hit){
            sr_named_find(layout->rules_by_id, layout->detector->rule_count,
                          hits[known].id),
            hits[known].timed != 0,
            hits[known].time,
            hits[known].raw_kind,
            hits[known].raw,
        };
        known += rules[known].rule != SIGMA_NONE;
    }
    sr_wire_status status = r->bad ? SR_WIRE_DAMAGED : SR_WIRE_UNKNOWN;

    if (!r->bad && k != SIGMA_NONE && known != 0)
        status = make(layout, hits, rules, known, k, place, event, out);
    sg_arena_free(&tmp);
    return status;
}
