/*
 * shuffle.c - the lines between `map` and `reduce`: fields, positions, and the
 * alerts of rules as bytes.
 */
#include "host/shuffle.h"

#include <string.h>

enum { CHECK_DIGITS = 8 };

/* -------- fields --------------------------------------------------------- */

bool sr_shuffle_split(sg_str text, sr_shuffle_line *line)
{
    for (unsigned i = 0; i < SR_SHUFFLE_FIELDS; i++) {
        const size_t end = sg_str_find(text, SG_S("\t"));
        const bool last = i + 1 == SR_SHUFFLE_FIELDS;

        if ((end == SIZE_MAX) != last)
            return false;
        line->field[i] = sg_str_sub(text, 0, last ? text.len : end);
        text = sg_str_sub(text, last ? text.len : end + 1, text.len);
    }
    return true;
}

static const char hex[] = "0123456789abcdef";

static void put_hex(sg_buf *out, uint64_t n, unsigned digits)
{
    while (digits-- != 0)
        sg_buf_putc(out, hex[n >> (4 * digits) & 15]);
}

static bool get_hex(sg_str text, uint64_t *n)
{
    *n = 0;
    for (size_t i = 0; i < text.len; i++) {
        const char *digit = memchr(hex, text.ptr[i], sizeof(hex) - 1);

        if (digit == NULL)
            return false;
        *n = *n << 4 | (uint64_t)(digit - hex);
    }
    return text.len != 0 && text.len <= 16;
}

/* Hashes have no seed of their own: any machine gets the same. */
uint64_t sr_shuffle_end(sg_buf *out, size_t beg)
{
    const uint64_t hash =
        sg_str_hash(sg_str_sub(sg_buf_str(out), beg, out->len));

    sg_buf_putc(out, '\t');
    put_hex(out, hash & UINT32_MAX, CHECK_DIGITS);
    sg_buf_putc(out, '\n');
    return hash;
}

bool sr_shuffle_check(sg_str text, const sr_shuffle_line *line, uint64_t *hash)
{
    const sg_str field = line->field[SR_SHUFFLE_FIELDS - 1];
    uint64_t said;

    if (field.len != CHECK_DIGITS || !get_hex(field, &said))
        return false;
    *hash = sg_str_hash(sg_str_sub(text, 0, text.len - CHECK_DIGITS - 1));
    return said == (*hash & UINT32_MAX);
}

/* Control characters would end a field or a line, and sort before its end. */
void sr_shuffle_escape(sg_buf *out, sg_str text)
{
    size_t at = 0;

    while (at < text.len) {
        const size_t beg = at;
        const uint32_t cp = sg_utf8_next(text, &at);
        const unsigned char c = (unsigned char)text.ptr[beg];
        const bool sound = cp < 0x80000000 && !(cp >= 0xD800 && cp <= 0xDFFF);

        if (sound && c >= 0x20 && c != 0x7F && c != '\\' && c != '|') {
            sg_buf_put(out, sg_str_sub(text, beg, at));
            continue;
        }
        for (size_t i = beg; i < at; i++) {
            sg_buf_putc(out, '\\');
            put_hex(out, (unsigned char)text.ptr[i], 2);
        }
    }
}

bool sr_shuffle_unescape(sg_buf *out, sg_str field)
{
    uint64_t n;

    for (size_t i = 0; i < field.len; i++) {
        if (field.ptr[i] != '\\') {
            sg_buf_putc(out, field.ptr[i]);
            continue;
        }
        if (field.len - i < 3 || !get_hex(sg_str_sub(field, i + 1, i + 3), &n))
            return false;
        sg_buf_putc(out, (char)n);
        i += 2;
    }
    return true;
}

/* -------- positions ------------------------------------------------------ */

void sr_shuffle_put_position(sg_buf *out, const sr_position *position)
{
    put_hex(out, position->ordinal, 8);
    sg_buf_putc(out, ':');
    sr_shuffle_escape(out, position->path);
    sg_buf_putc(out, ':');
    put_hex(out, position->line, 12);
}

bool sr_shuffle_get_position(sg_str field, sg_buf *path, sr_position *position)
{
    uint64_t ordinal;

    if (field.len < 8 + 1 + 1 + 12 || field.ptr[8] != ':' ||
        field.ptr[field.len - 13] != ':' ||
        !get_hex(sg_str_sub(field, 0, 8), &ordinal) ||
        !get_hex(sg_str_sub(field, field.len - 12, field.len), &position->line))
        return false;
    path->len = 0;
    position->ordinal = (uint32_t)ordinal;
    if (!sr_shuffle_unescape(path, sg_str_sub(field, 9, field.len - 13)))
        return false;
    position->path = sg_buf_str(path);
    return true;
}

uint64_t sr_shuffle_digest(const sr_session *s)
{
    const sigma_detector *d = s->detector;
    sg_buf buf = {0};

    sg_put_u8(&buf, s->options->search);
    for (uint32_t i = 0; i < d->correlation_count; i++)
        sg_put_text(&buf, (sg_str){d->pool + d->correlations[i].digest.off,
                                   d->correlations[i].digest.len});
    for (uint32_t i = 0; i < d->rule_count; i++)
        sg_put_text(&buf, (sg_str){d->pool + d->rules[i].digest.off,
                                   d->rules[i].digest.len});
    const uint64_t digest = sg_str_hash(sg_buf_str(&buf));

    sg_buf_free(&buf);
    return digest;
}

/* -------- alerts of rules ------------------------------------------------ */

void sr_shuffle_put_alert(const sr_layout *layout, const sr_alert *alert,
                          sg_buf *out)
{
    sg_put_u32(out, alert->index);
    sg_put_u64(out, sr_layout_rule_id(layout, alert->index));
    sg_put_u8(out, alert->timed);
    sg_put_u64(out, alert->timed ? (uint64_t)alert->time : 0);
    sg_put_u32(out, alert->matched_count);
    for (uint32_t i = 0; i < alert->matched_count; i++)
        sg_put_text(out, alert->matched[i]);
    sg_put_u32(out, alert->pair_count);
    for (uint32_t i = 0; i < alert->pair_count; i++) {
        sg_put_text(out, alert->pairs[i].name);
        sg_put_text(out, alert->pairs[i].text);
    }
    sg_put_u32(out, alert->added_count);
    for (uint32_t i = 0; i < alert->added_count; i++) {
        sg_put_text(out, alert->added[i].name);
        sg_put_u8(out, alert->added[i].kind);
        sg_put_text(out, alert->added[i].text);
    }
    sg_put_text(out, alert->event);
}

/* Numbers and truth stand in alerts as they are. */
static bool kind_valid(const sr_pair *pair)
{
    sg_num num;

    if (pair->kind == SR_NUMBER)
        return sg_num_parse(pair->text, &num);
    if (pair->kind == SR_BOOL)
        return sg_str_eq(pair->text, SG_S("true")) ||
               sg_str_eq(pair->text, SG_S("false"));
    return pair->kind == SR_STRING;
}

static bool get_added(const sigma_detector *d, sg_reader *r,
                      sr_scratch *scratch, sr_alert *alert)
{
    alert->added_count = sg_read_u32(r);
    if (alert->added_count > d->enrich_put_count)
        return false;
    for (uint32_t i = 0; i < alert->added_count; i++) {
        sr_pair *pair = &scratch->added[i];

        pair->name = sg_read_text(r);
        pair->kind = sg_read_u8(r);
        pair->text = sg_read_text(r);
        if (r->bad || !kind_valid(pair))
            return false;
    }
    return true;
}

/* The event goes out as it is: it must not end its line. */
static bool event_valid(sg_str event)
{
    return event.len == 0 ||
           (memchr(event.ptr, '\n', event.len) == NULL && event.ptr[0] == '{' &&
            event.ptr[event.len - 1] == '}');
}

bool sr_shuffle_get_alert(const sr_session *s, sg_str bytes,
                          sr_scratch *scratch, sr_alert *alert)
{
    sg_reader r = {bytes, false};

    *alert = (sr_alert){.matched = scratch->matched,
                        .pairs = scratch->pairs,
                        .added = scratch->added};
    alert->index = sg_read_u32(&r);
    const uint64_t id = sg_read_u64(&r);

    alert->timed = sg_read_u8(&r) != 0;
    alert->time = (int64_t)sg_read_u64(&r);
    alert->matched_count = sg_read_u32(&r);
    if (r.bad || alert->index >= s->detector->rule_count ||
        sr_layout_rule_id(s->layout, alert->index) != id)
        return false;
    const sigma_rule *rule = &s->detector->rules[alert->index];

    if (alert->matched_count > rule->selection_count)
        return false;
    for (uint32_t i = 0; i < alert->matched_count; i++)
        scratch->matched[i] = sg_read_text(&r);
    alert->pair_count = sg_read_u32(&r);
    if (alert->pair_count > rule->derive_count)
        return false;
    for (uint32_t i = 0; i < alert->pair_count; i++) {
        const sg_str name = sg_read_text(&r);

        scratch->pairs[i] = (sr_pair){name, SR_STRING, sg_read_text(&r)};
    }
    if (!get_added(s->detector, &r, scratch, alert))
        return false;
    alert->event = sg_read_text(&r);
    return sg_read_done(&r) && event_valid(alert->event);
}
