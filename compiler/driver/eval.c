/*
 * eval.c - `sigcc eval`: the reference evaluator over a file of events, one
 * line of JSON per event, or per firing of a correlation. What detectors are
 * compared with.
 */
#include "driver/driver.h"
#include "opt/opt.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static int by_text(const void *a, const void *b)
{
    return sg_str_cmp(*(const sg_str *)a, *(const sg_str *)b);
}

static sg_str label(const sc_ir_meta *meta)
{
    return meta->name.len > 0 ? meta->name : meta->title;
}

/* Labels of the rules that match; returns their number. */
static size_t match_rules(const sc_ir *ir, const sc_ref_event *event,
                          sg_str *labels)
{
    size_t count = 0;

    for (uint32_t i = 0; i < ir->rules.count; i++)
        if (sc_ref_rule(ir, i, event))
            labels[count++] = label(&ir->rules.items[i].meta);
    if (count > 1)
        qsort(labels, count, sizeof(*labels), by_text);
    return count;
}

static void put_result(sg_buf *out, const sc_ir *ir, sc_ref_enrich *enrich,
                       uint64_t number, sg_str line, sg_str *labels)
{
    sc_ref_event *event = sc_ref_event_parse(line);
    size_t count;

    sg_buf_printf(out, "{\"line\":%" PRIu64, number);
    if (event == NULL) {
        sg_buf_putz(out, ",\"error\":\"not a JSON object\"}\n");
        return;
    }
    sc_ref_enrich_event(enrich, event);
    count = match_rules(ir, event, labels);
    sg_buf_putz(out, ",\"rules\":[");
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            sg_buf_putc(out, ',');
        sg_buf_put_json(out, labels[i]);
    }
    sg_buf_putz(out, "]}\n");
    sc_ref_event_free(event);
}

static bool is_blank(sg_str line)
{
    for (size_t i = 0; i < line.len; i++)
        if (strchr(" \t\r\n", line.ptr[i]) == NULL || line.ptr[i] == '\0')
            return false;
    return true;
}

static int read_result(FILE *file)
{
    return ferror(file)
               ? sc_fail(SC_EXIT_FAILED, "the events: %s", strerror(errno))
               : SC_EXIT_OK;
}

/* -------- correlations --------------------------------------------------- */

static void put_group(sg_buf *out, const sc_ir *ir, const sc_ir_corr *corr,
                      const sg_str *keys)
{
    sg_buf_putz(out, ",\"group\":{");
    for (uint32_t i = 0; i < corr->key_count; i++) {
        if (i > 0)
            sg_buf_putc(out, ',');
        sg_buf_put_json(out, ir->keys.items[corr->key_first + i]);
        sg_buf_putc(out, ':');
        sg_buf_put_json(out, keys[i]);
    }
    sg_buf_putc(out, '}');
}

static void put_count(sg_buf *out, uint32_t count, sg_num value)
{
    char text[SG_NUM_TEXT + 1];

    text[sg_num_text(value, text)] = '\0';
    sg_buf_printf(out, ",\"count\":%" PRIu32 ",\"value\":%s", count, text);
}

/* The time, and how the event wrote it. */
static void put_seen(sg_buf *out, const char *name, const sc_ref_seen *seen)
{
    char text[SG_TIME_TEXT];

    if (!seen->timed) {
        sg_buf_printf(out, ",\"%s_seen\":null,\"%s_text\":null", name, name);
        return;
    }
    sg_time_text(seen->time, text);
    sg_buf_printf(out, ",\"%s_seen\":\"%s\",\"%s_text\":", name, text, name);
    if (seen->number)
        sg_buf_put(out, seen->text);
    else
        sg_buf_put_json(out, seen->text);
}

static void put_firing(sg_buf *out, const sc_ir *ir, const sc_ref_firing *f)
{
    const sc_ir_corr *corr = &ir->corrs.items[f->corr];
    char text[SG_TIME_TEXT];

    sg_buf_printf(out, "{\"line\":%" PRIu32 ",\"rule\":", f->line);
    sg_buf_put_json(out, label(&corr->meta));
    sg_time_text(f->time, text);
    sg_buf_printf(out, ",\"timestamp\":\"%s\"", text);
    put_group(out, ir, corr, f->keys);
    put_count(out, f->count, f->value);
    sg_buf_printf(out, ",\"begins\":%s}\n", f->begins ? "true" : "false");
}

static void put_row(sg_buf *out, const sc_ir *ir, const sc_ref_row *row)
{
    const sc_ir_corr *corr = &ir->corrs.items[row->corr];

    sg_buf_printf(out, "{\"line\":%" PRIu32 ",\"rule\":", row->line);
    sg_buf_put_json(out, label(&corr->meta));
    put_group(out, ir, corr, row->keys);
    put_count(out, row->count, row->value);
    put_seen(out, "first", &row->first);
    put_seen(out, "last", &row->last);
    sg_buf_putz(out, "}\n");
}

/* All firings of correlations that no other one hides. */
static void put_firings(sg_buf *out, const sc_ir *ir, sc_ref_enrich *enrich,
                        const sg_str *lines, uint32_t count, sg_arena *arena)
{
    sc_ref_firings firings;

    sc_ref_correlate_enriched(ir, enrich, lines, count, arena, &firings);
    for (uint32_t i = 0; i < firings.list.count; i++) {
        const sc_ref_firing *f = &firings.list.items[i];

        if ((ir->corrs.items[f->corr].flags & SIGMA_CORR_HIDDEN) == 0)
            put_firing(out, ir, f);
    }
}

/* The rows of their reports. */
static void put_rows(sg_buf *out, const sc_ir *ir, sc_ref_enrich *enrich,
                     const sg_str *lines, uint32_t count, sg_arena *arena)
{
    sc_ref_rows rows;

    sc_ref_search(ir, enrich, lines, count, arena, &rows);
    for (uint32_t i = 0; i < rows.list.count; i++)
        put_row(out, ir, &rows.list.items[i]);
}

static int eval_correlations(sc_session *s, const sc_ir *ir,
                             sc_ref_enrich *enrich, FILE *file, bool search)
{
    SG_VEC(sg_str) lines = {0};
    sg_buf out = {0};
    char *line = NULL;
    size_t cap = 0;
    ssize_t len;

    while ((len = getline(&line, &cap, file)) >= 0)
        SG_PUSH(&s->arena, &lines,
                sg_arena_dup(&s->arena, (sg_str){line, (size_t)len}));
    free(line);
    if (search)
        put_rows(&out, ir, enrich, lines.items, lines.count, &s->arena);
    else
        put_firings(&out, ir, enrich, lines.items, lines.count, &s->arena);
    fwrite(out.ptr, 1, out.len, stdout);
    sg_buf_free(&out);
    return read_result(file);
}

/* -------- rules ---------------------------------------------------------- */

static int eval_file(sc_session *s, const sc_ir *ir, sc_ref_enrich *enrich,
                     FILE *file)
{
    sg_str *labels = sg_new_n(&s->arena, sg_str, ir->rules.count);
    sg_buf out = {0};
    char *line = NULL;
    size_t cap = 0;
    ssize_t len;

    for (uint64_t number = 1; (len = getline(&line, &cap, file)) >= 0;
         number++) {
        sg_str text = {line, (size_t)len};
        if (text.len > 0 && text.ptr[text.len - 1] == '\n')
            text.len--;
        if (is_blank(text))
            continue;
        put_result(&out, ir, enrich, number, text, labels);
        fwrite(out.ptr, 1, out.len, stdout);
        out.len = 0;
    }
    free(line);
    sg_buf_free(&out);
    return read_result(file);
}

/* -------- lookups -------------------------------------------------------- */

/* One --lookup NAME=FILE. */
static int load_lookup(sc_session *s, sc_ref_enrich *enrich, sg_str option)
{
    const size_t at = sg_str_find(option, SG_S("="));
    uint32_t source;

    if (at == SIZE_MAX)
        return sc_fail(SC_EXIT_USAGE, "--lookup takes NAME=FILE");
    s->doc = SIGMA_NONE;
    if (!sc_source_open(s, sg_str_sub(option, at + 1, option.len), &source))
        return SC_EXIT_FAILED;
    if (!sc_ref_enrich_lookup(enrich, sg_str_sub(option, 0, at),
                              s->sources.items[source].text))
        return sc_fail(SC_EXIT_USAGE, "the enrichment has no such lookup");
    return SC_EXIT_OK;
}

static int load_lookups(sc_session *s, const sc_options *o, const sc_ir *ir,
                        sc_ref_enrich **enrich)
{
    int code = SC_EXIT_OK;

    *enrich = sc_ref_enrich_new(ir, &s->arena);
    for (uint32_t i = 0; i < o->lookups.count && code == SC_EXIT_OK; i++)
        code = load_lookup(s, *enrich, o->lookups.items[i]);
    return code;
}

int sc_cmd_eval(sc_session *s, const sc_options *o)
{
    const bool standard = sg_str_eq(o->events, SG_S("-"));
    sc_ref_enrich *enrich;
    sc_loaded loaded;
    FILE *file;
    int code;

    if (o->events.len == 0)
        return sc_fail(SC_EXIT_USAGE, "eval needs --events FILE\n"
                                      "Try 'sigcc eval --help'.");
    code = sc_load(s, o, &loaded);
    if (code != SC_EXIT_OK)
        return sc_finish(s, o, code);
    if (o->optimised)
        sc_opt_run(loaded.ir, loaded.disabled);
    code = load_lookups(s, o, loaded.ir, &enrich);
    if (code != SC_EXIT_OK)
        return sc_finish(s, o, code);
    file = standard ? stdin : fopen(o->events.ptr, "rb");
    if (file == NULL) {
        code = sc_fail(SC_EXIT_FAILED, "the events: %s", strerror(errno));
        return sc_finish(s, o, code);
    }
    code = o->correlations || o->search
               ? eval_correlations(s, loaded.ir, enrich, file, o->search)
               : eval_file(s, loaded.ir, enrich, file);
    if (!standard)
        fclose(file);
    return sc_finish(s, o, code);
}
