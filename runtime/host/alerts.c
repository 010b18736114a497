/*
 * alerts.c - what a matched rule or a firing correlation says: its identity,
 * where it came from, what it was about. Everything is borrowed from the event
 * and the detector; nothing is allocated once warm.
 */
#include "host/shuffle.h"

#include <string.h>

enum { ID_DIGITS = 32 };

static sg_str path_of(const sr_session *s, sr_place place)
{
    return s->sources.items[place.source];
}

/* The length goes first, so that no two lists of parts read the same. */
static void add_part(sg_buf *buf, sg_str part)
{
    const uint64_t len = part.len;

    sg_buf_put(buf, (sg_str){(const char *)&len, sizeof(len)});
    sg_buf_put(buf, part);
}

/* 128 bits that depend on the rule, the place and the group alone. */
static sg_str identity_of(const sigma_detector *d, sg_buf *buf,
                          const sigma_meta *meta, const sr_alert *alert,
                          char out[ID_DIGITS])
{
    static const char digits[] = "0123456789abcdef";

    buf->len = 0;
    sg_buf_putc(buf, 0);
    add_part(buf, sr_text_of(d, meta->sha256));
    add_part(buf, sr_text_of(d, meta->id));
    add_part(buf, alert->path);
    sg_buf_put(buf, (sg_str){(const char *)&alert->line, sizeof(alert->line)});
    if (alert->generation !=
        0) /* lines of a rotated file have others' numbers */
        sg_buf_put(buf, (sg_str){(const char *)&alert->generation,
                                 sizeof(alert->generation)});
    for (uint32_t i = 0; alert->correlation && i < alert->pair_count; i++)
        add_part(buf, alert->pairs[i].text);
    for (unsigned half = 0; half < 2; half++) {
        buf->ptr[0] = (char)half;
        const uint64_t hash = sg_str_hash(sg_buf_str(buf));

        for (unsigned i = 0; i < 16; i++)
            out[half * 16 + i] = digits[hash >> (60 - i * 4) & 15];
    }
    return (sg_str){out, ID_DIGITS};
}

void sr_alert_scratch(const sigma_detector *d, sg_arena *arena,
                      sr_scratch *scratch)
{
    uint32_t matched = 1;
    uint32_t pairs = 1;

    for (uint32_t i = 0; i < d->rule_count; i++) {
        const sigma_rule *rule = &d->rules[i];

        if (rule->selection_count > matched)
            matched = rule->selection_count;
        if (rule->derive_count > pairs)
            pairs = rule->derive_count;
    }
    for (uint32_t i = 0; i < d->correlation_count; i++) {
        const sigma_correlation *def = &d->correlations[i];
        const uint32_t need = def->key_count + def->column_count;

        pairs = need > pairs ? need : pairs;
    }
    scratch->matched = sg_new_n(arena, sg_str, matched);
    scratch->pairs = sg_new_n(arena, sr_pair, pairs);
    scratch->added = sg_new_n(arena, sr_pair, (size_t)d->enrich_put_count + 1);
}

/* -------- detections ----------------------------------------------------- */

static uint32_t matched_of(sr_worker *w, const sigma_rule *rule)
{
    const sigma_detector *d = w->s->detector;
    uint32_t count = 0;

    for (uint32_t i = 0; i < rule->selection_count; i++) {
        const uint32_t index = rule->selection_first + i;

        if (sr_eval_selection(w->eval, &w->event, index))
            w->scratch.matched[count++] =
                sr_text_of(d, d->selections[index].name);
    }
    return count;
}

/* Derived fields that have a value, each once. */
static uint32_t derived_of(sr_worker *w, const sigma_rule *rule, uint32_t index)
{
    const sigma_detector *d = w->s->detector;
    const sigma_derive *derives = d->derives + rule->derive_first;
    uint32_t count = 0;

    for (uint32_t i = 0; i < rule->derive_count; i++) {
        bool seen = false;
        sg_str text;

        for (uint32_t j = 0; j < i && !seen; j++)
            seen = derives[j].field == derives[i].field;
        if (!seen &&
            sr_eval_derived(w->eval, &w->event, index, derives[i].field, &text))
            w->scratch.pairs[count++] =
                (sr_pair){sr_text_of(d, d->fields[derives[i].field].name),
                          SR_STRING, text};
    }
    return count;
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static sg_str trim(sg_str line)
{
    while (line.len != 0 && is_space(line.ptr[0]))
        line = sg_str_sub(line, 1, line.len);
    while (line.len != 0 && is_space(line.ptr[line.len - 1]))
        line.len--;
    return line;
}

static void alert_hit(sr_worker *w, sr_output *out, sr_place place,
                      const sr_hit *hit, bool piece)
{
    const sigma_rule *rule = &w->s->detector->rules[hit->rule];
    char id[ID_DIGITS];
    sr_alert alert = {
        .index = hit->rule,
        .timed = hit->timed,
        .time = hit->time,
        .path = path_of(w->s, place),
        .line = place.line,
        .generation = place.generation,
        .matched = w->scratch.matched,
        .matched_count = matched_of(w, rule),
        .pairs = w->scratch.pairs,
        .pair_count = derived_of(w, rule, hit->rule),
        .added = w->scratch.added,
        .added_count = sr_enriching_pairs(w),
    };

    if (!w->s->options->no_event)
        alert.event = trim(w->event.line);
    alert.id = identity_of(w->s->detector, &w->scratch.identity, &rule->meta,
                           &alert, id);
    if (w->s->options->action == SR_ACTION_MAP)
        sr_shuffle_put_alert(w->s->layout, &alert, sr_output_buffer(out));
    else if (piece)
        sr_output_piece(out, &alert);
    else
        sr_output_alert(out, &alert);
}

static bool is_visible(const sr_worker *w, const sr_hit *hit)
{
    return (w->s->detector->rules[hit->rule].flags & SIGMA_RULE_HIDDEN) == 0;
}

size_t sr_alert_hits(sr_worker *w, sr_output *out, sr_place place, size_t count)
{
    size_t alerts = 0;

    for (size_t i = 0; i < count; i++)
        if (is_visible(w, &w->hits[i])) {
            alert_hit(w, out, place, &w->hits[i], false);
            alerts++;
        }
    return alerts;
}

bool sr_alert_due(const sr_worker *w, const sr_item *item)
{
    for (size_t i = 0; i < item->matches; i++)
        if (is_visible(w, &w->hits[i]))
            return true;
    return false;
}

void sr_alert_pieces(sr_worker *w, sr_item *item)
{
    sg_buf *piece = sr_output_buffer(w->pieces);

    item->alerts_at = w->alerts.len;
    for (size_t i = 0; i < item->matches; i++) {
        if (!is_visible(w, &w->hits[i]))
            continue;
        piece->len = 0;
        alert_hit(w, w->pieces, item->place, &w->hits[i], true);
        sg_put_text(&w->alerts, sg_buf_str(piece));
    }
    item->alerts_len = w->alerts.len - item->alerts_at;
}

void sr_alert_again(sr_session *s, sr_output *out, sr_place place,
                    sr_alert *alert)
{
    const sigma_meta *meta = &s->detector->rules[alert->index].meta;
    char id[ID_DIGITS];

    alert->path = path_of(s, place);
    alert->line = place.line;
    alert->id = identity_of(s->detector, &s->scratch.identity, meta, alert, id);
    sr_output_piece(out, alert);
}

void sr_alert_late(sr_session *s, const sr_item *item)
{
    sg_buf *buf = s->sinks[SR_SINK_LATE].buf;

    s->stats.disordered++;
    if (s->sinks[SR_SINK_LATE].fd < 0)
        return;
    sg_buf_put(buf, SG_S("{\"path\":"));
    sg_buf_put_json(buf, path_of(s, item->place));
    sg_buf_printf(
        buf, ",\"line\":%llu,\"event\":", (unsigned long long)item->place.line);
    sg_buf_put(buf, trim(item->line));
    sg_buf_put(buf, SG_S("}\n"));
}

/* -------- correlations --------------------------------------------------- */

static void set_group(sr_session *s, const sigma_correlation *def,
                      const sr_firing *firing)
{
    const sigma_corr_key *keys = s->detector->corr_keys + def->key_first;

    for (uint32_t i = 0; i < def->key_count; i++)
        s->scratch.pairs[i] =
            (sr_pair){sr_text_of(s->detector, keys[i].name),
                      firing->keys[i].kind, firing->keys[i].text};
}

static sr_pair seen_pair(sg_str name, const sr_seen *seen)
{
    if (!seen->timed)
        return (sr_pair){.name = name, .kind = SR_NULL};
    return (sr_pair){name, seen->raw_kind, seen->raw};
}

/* A row of a report: the group, then the columns. */
static void put_report(sr_session *s, const sigma_correlation *def,
                       const sr_firing *firing)
{
    const sigma_column *columns = s->detector->columns + def->column_first;
    char count[SG_NUM_TEXT];
    char value[SG_NUM_TEXT];
    const sg_num n = {.kind = SIGMA_INT, .v = {.i = (int64_t)firing->count}};
    const sg_str count_text = {count, sg_num_text(n, count)};
    const sg_str value_text = {value, sg_num_text(firing->value, value)};

    for (uint32_t i = 0; i < def->column_count; i++) {
        sr_pair *pair = &s->scratch.pairs[def->key_count + i];
        const sg_str name = sr_text_of(s->detector, columns[i].name);

        switch (columns[i].kind) {
        case SIGMA_COLUMN_COUNT:
            *pair = (sr_pair){name, SR_NUMBER, count_text};
            break;
        case SIGMA_COLUMN_VALUE:
            *pair = (sr_pair){name, SR_NUMBER, value_text};
            break;
        case SIGMA_COLUMN_FIRST_SEEN:
            *pair = seen_pair(name, &firing->first);
            break;
        case SIGMA_COLUMN_LAST_SEEN:
        default:
            *pair = seen_pair(name, &firing->last);
            break;
        }
    }
    sr_output_row(s->out, firing->correlation, s->scratch.pairs,
                  def->key_count + def->column_count);
}

void sr_alert_firing(void *ctx, const sr_firing *firing)
{
    sr_session *s = ctx;
    const sigma_correlation *def =
        &s->detector->correlations[firing->correlation];
    char id[ID_DIGITS];

    sr_settle_until(s, sr_sequence_item(s->sequence, firing->turn));
    if (s->quiet)
        return;
    set_group(s, def, firing);
    s->stats.alerts++;
    if (s->options->search && (def->flags & SIGMA_CORR_REPORT) != 0) {
        put_report(s, def, firing);
        return;
    }
    sr_alert alert = {
        .correlation = true,
        .index = firing->correlation,
        .timed = firing->timed,
        .time = firing->time,
        .path = path_of(s, firing->place),
        .line = firing->place.line,
        .generation = firing->place.generation,
        .pairs = s->scratch.pairs,
        .pair_count = def->key_count,
        .count = firing->count,
        .value = firing->value,
        .approximate = firing->approximate,
        .error_share = firing->error.share,
        .error_most = firing->error.most,
        .first = firing->first,
        .last = firing->last,
    };

    alert.id =
        identity_of(s->detector, &s->scratch.identity, &def->meta, &alert, id);
    if (s->reduce == NULL ||
        !sr_reduce_firing(s->reduce, &alert, firing->place,
                          sr_layout_component(s->layout, firing->correlation)))
        sr_output_alert(s->out, &alert);
}
