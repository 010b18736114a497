/*
 * moves.c - what a kept state holds for components that have another name in
 * this detector, since one of their correlations was added, changed or taken
 * out: those that stayed the same get it.
 *
 * Where components have grown together an event left a record for each, and
 * nobody can tell which part of the event is in both: such records are left to
 * the caller, who counts them.
 */
#include "host/host.h"

bool sr_moves_add(sr_moves *m, sr_session *s, uint64_t from, uint32_t to)
{
    if (sr_layout_component_id(s->layout, to) == from)
        return false;
    for (uint32_t i = 0; i < m->from.count; i++)
        if (m->from.items[i] == from && m->to.items[i] == to)
            return true;
    SG_PUSH(&s->arena, &m->from, from);
    SG_PUSH(&s->arena, &m->to, to);
    return true;
}

/* Whether the component was more than one. */
static bool has_grown_together(const sr_moves *m, uint32_t to)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < m->to.count; i++)
        count += m->to.items[i] == to;
    return count > 1;
}

/* The record, as one of another component. */
static sr_wire_status get_as(sr_moves *m, const sr_session *s, sg_str bytes,
                             uint32_t to, sg_buf *out)
{
    m->record.len = 0;
    sg_put_u64(&m->record, sr_layout_component_id(s->layout, to));
    sg_buf_put(&m->record, sg_str_sub(bytes, sizeof(uint64_t), bytes.len));
    sg_reader r = {sg_buf_str(&m->record), false};

    return sr_wire_get(s->layout, &r, out);
}

sr_wire_status sr_moves_get(sr_moves *m, const sr_session *s, sg_str bytes,
                            sg_buf *out)
{
    sg_reader first = {bytes, false};
    sg_reader r = {bytes, false};
    const uint64_t from = sg_read_u64(&first);
    sr_wire_status status = sr_wire_get(s->layout, &r, out);

    if (status == SR_WIRE_DAMAGED || !sg_read_done(&r))
        return SR_WIRE_DAMAGED;
    if (status == SR_WIRE_DONE)
        return status;
    for (uint32_t i = 0; i < m->from.count; i++) {
        if (m->from.items[i] != from || has_grown_together(m, m->to.items[i]))
            continue;
        const sr_wire_status moved = get_as(m, s, bytes, m->to.items[i], out);

        if (moved == SR_WIRE_DAMAGED)
            return moved;
        if (moved == SR_WIRE_DONE)
            status = moved;
    }
    return status;
}

void sr_moves_free(sr_moves *m)
{
    sg_buf_free(&m->record);
}
