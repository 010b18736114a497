/*
 * lessons.c - what enrichment has learned, as records for a kept state: the
 * table's name and columns, the key, the value. A table that is another now
 * begins empty.
 */
#include "host/host.h"

/* The same while the table is. */
static uint64_t table_id(const sigma_detector *d, uint32_t table)
{
    const sigma_table *t = &d->enrich_tables[table];
    sg_buf buf = {0};

    sg_put_text(&buf, (sg_str){d->pool + t->name.off, t->name.len});
    sg_put_u32(&buf, t->key_count);
    for (uint32_t i = 0; i < t->column_count; i++) {
        const sigma_ref name = d->strs[t->column_first + i];

        sg_put_text(&buf, (sg_str){d->pool + name.off, name.len});
    }
    const uint64_t id = sg_str_hash(sg_buf_str(&buf));

    sg_buf_free(&buf);
    return id;
}

static uint32_t table_of(const sigma_detector *d, uint64_t id)
{
    for (uint32_t i = 0; i < d->enrich_table_count; i++)
        if ((d->enrich_tables[i].flags & SIGMA_TABLE_LEARNED) != 0 &&
            table_id(d, i) == id)
            return i;
    return SIGMA_NONE;
}

void sr_lesson_put(const sr_session *s, uint32_t table, sg_str key,
                   sg_str value, sg_buf *out)
{
    sg_put_u64(out, table_id(s->detector, table));
    sg_put_text(out, key);
    sg_put_text(out, value);
}

bool sr_lessons_read(sr_session *s, sg_str bytes, uint64_t *dropped)
{
    sg_reader r = {bytes, false};

    while (r.rest.len != 0) {
        const uint32_t table = table_of(s->detector, sg_read_u64(&r));
        const sg_str key = sg_read_text(&r);
        const sg_str value = sg_read_text(&r);

        if (r.bad)
            return false;
        if (table == SIGMA_NONE || s->enrich == NULL)
            (*dropped)++;
        else if (!sr_enrich_restore(s->enrich, table, key, value))
            return false;
    }
    return true;
}
