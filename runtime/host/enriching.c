/*
 * enriching.c - the detector's enrichment: its lookup files at the start, its
 * part of alerts, and its counts at the end.
 */
#include "host/host.h"

#include <string.h>

enum { TOLD = 10 };

/* A lookup file being read. */
typedef struct reading {
    sr_session *s;
    const char *path;
    uint64_t rejected; /* rows of this file */
} reading;

/* sr_lookup_reject_fn */
static void tell(void *ctx, uint64_t line, const char *reason)
{
    reading *r = ctx;

    if (r->rejected++ < TOLD)
        sr_say(r->s, "%s:%llu: unreadable: %s",
               sr_shown(r->s, sg_str_of(r->path)), (unsigned long long)line,
               reason);
}

static int unknown_lookup(sr_session *s, sg_str name)
{
    const sigma_detector *d = s->detector;
    sg_buf known = {0};

    for (uint32_t i = 0; i < d->enrich_table_count; i++) {
        if ((d->enrich_tables[i].flags & SIGMA_TABLE_LEARNED) != 0)
            continue;
        sg_buf_putz(&known, known.len == 0 ? "; it has: " : ", ");
        sr_put_shown(&known, (sg_str){d->pool + d->enrich_tables[i].name.off,
                                      d->enrich_tables[i].name.len});
    }
    sr_say(s, "this detector has no lookup '%s'%.*s", sr_shown(s, name),
           SG_FMT(known));
    sg_buf_free(&known);
    return SR_EXIT_USAGE;
}

/* One --lookup NAME=FILE. */
static int load(sr_session *s, const char *option)
{
    const char *equals = strchr(option, '=');
    const sg_str name = {option, (size_t)(equals - option)};
    reading r = {.s = s, .path = equals + 1};
    char reason[SR_INPUT_REASON];
    const uint32_t table =
        s->enrich == NULL ? SIGMA_NONE : sr_lookup_find(s->enrich, name);

    if (table == SIGMA_NONE)
        return unknown_lookup(s, name);
    if (sr_lookup_load(s->enrich, table, r.path, tell, &r, reason))
        return SR_EXIT_OK;
    sr_say(s, "cannot use %s as lookup: %s", sr_shown(s, sg_str_of(r.path)),
           reason);
    return SR_EXIT_INPUT;
}

int sr_enriching_open(sr_session *s)
{
    const sr_options *o = s->options;
    int code = SR_EXIT_OK;

    s->enrich = sr_enrich_open(s->detector, o->max_enrich);
    if (s->enrich != NULL && sr_enrich_learns(s->enrich) &&
        o->action == SR_ACTION_MAP) {
        sr_say(s, "map looks at each event alone, and this detector learns "
                  "from earlier ones: enrich events first, or run it whole");
        return SR_EXIT_USAGE;
    }
    for (uint32_t i = 0; i < o->lookup_count && code == SR_EXIT_OK; i++)
        code = load(s, o->lookups[i]);
    return code;
}

void sr_enriching_close(sr_session *s)
{
    sr_enrich_close(s->enrich);
}

bool sr_enriching_reads(const sr_session *s, const struct stat *file)
{
    for (uint32_t i = 0; i < s->options->lookup_count; i++) {
        const char *equals = strchr(s->options->lookups[i], '=');
        struct stat in;

        if (stat(equals + 1, &in) == 0 && in.st_dev == file->st_dev &&
            in.st_ino == file->st_ino)
            return true;
    }
    return false;
}

uint32_t sr_enriching_pairs(sr_worker *w)
{
    const sigma_detector *d = w->s->detector;

    for (uint32_t i = 0; i < w->enriched.added_count; i++) {
        const uint32_t field = w->enriched.added[i];
        const sigma_ref name = d->fields[field].name;
        sr_value *v = sr_first(&w->event, field);

        w->scratch.added[i] = (sr_pair){{d->pool + name.off, name.len},
                                        v->kind,
                                        sr_value_text(&w->event, v)};
    }
    return w->enriched.added_count;
}

void sr_enriching_count(sr_session *s, sr_worker *w)
{
    s->stats.enriched += w->enriched.enriched;
    s->stats.enrich_missed += w->enriched.missed;
    w->enriched.enriched = w->enriched.missed = 0;
}

void sr_enriching_gather(sr_session *s)
{
    if (s->enrich == NULL)
        return;
    const sr_enrich_stats stats = sr_enrich_totals(s->enrich);

    s->stats.enrich_learned = s->carried.learned + stats.learned;
    s->stats.enrich_entries = stats.entries;
    s->stats.enrich_evicted = s->carried.evicted + stats.evicted;
    s->stats.enrich_refused = s->carried.refused + stats.refused;
    s->stats.lookup_rows = stats.lookup_rows;
    s->stats.lookup_duplicates = stats.lookup_duplicates;
    s->stats.lookup_rejected = stats.lookup_rejected;
}

void sr_enriching_carry(sr_session *s)
{
    if (s->enrich == NULL)
        return;
    const sr_enrich_stats stats = sr_enrich_totals(s->enrich);

    s->carried.learned = s->stats.enrich_learned - stats.learned;
    s->carried.evicted = s->stats.enrich_evicted - stats.evicted;
    s->carried.refused = s->stats.enrich_refused - stats.refused;
}
