/*
 * sarif.c - the result of `sigcc check` as SARIF 2.1.0, for code scanning
 * services and editors. Places are relative URIs, columns count code points,
 * and fingerprints survive edits elsewhere in the file.
 */
#include "report/lint.h"

#include <inttypes.h>
#include <string.h>

/* What one log is written with. */
typedef struct writer {
    sc_session *s;
    sg_arena *tmp;
    sg_buf *out;
    const sc_places *places;
    const sg_str *fingerprints;
    const bool *known;
    uint32_t index[SC_CODE_COUNT]; /* of rules in the log, plus 1 */
} writer;

static void put_text(writer *w, const char *key, sg_str value)
{
    sg_buf_printf(w->out, "\"%s\":", key);
    sg_buf_put_json(w->out, value);
}

/* {"text": ...}, the message object of SARIF. */
static void put_message(writer *w, const char *key, sg_str value)
{
    sg_buf_printf(w->out, "\"%s\":{", key);
    put_text(w, "text", value);
    sg_buf_putc(w->out, '}');
}

/* -------- paths ----------------------------------------------------------- */

/* Percent-encoded; a colon in the first part would read as a scheme. */
static void put_uri(writer *w, sg_str path)
{
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                "abcdefghijklmnopqrstuvwxyz0123456789-._~/";

    path = sc_place_shorten(w->places, path);
    sg_buf_putc(w->out, '"');
    for (size_t i = 0; i < path.len; i++) {
        const char c = path.ptr[i];

        if (c != '\0' && strchr(plain, c) != NULL)
            sg_buf_putc(w->out, c);
        else
            sg_buf_printf(w->out, "%%%02X", (unsigned)(unsigned char)c);
    }
    sg_buf_putc(w->out, '"');
}

/* -------- places ---------------------------------------------------------- */

static void put_region(writer *w, sc_span at)
{
    uint32_t line, column, end_line, end_column;

    sc_source_pos(w->s, at.source, at.beg, &line, &column);
    sc_source_pos(w->s, at.source, at.end, &end_line, &end_column);
    sg_buf_printf(w->out,
                  ",\"region\":{\"startLine\":%" PRIu32
                  ",\"startColumn\":%" PRIu32 ",\"endLine\":%" PRIu32
                  ",\"endColumn\":%" PRIu32 "}",
                  line, column, end_line, end_column);
}

/* {"physicalLocation": ...} of a source, or of a file without text. */
static void put_location(writer *w, sc_span at, sg_str path)
{
    const bool placed = at.source < w->s->sources.count;

    sg_buf_putz(w->out,
                "{\"physicalLocation\":{\"artifactLocation\":{\"uri\":");
    put_uri(w, placed ? w->s->sources.items[at.source].path : path);
    sg_buf_putz(w->out, ",\"uriBaseId\":\"%SRCROOT%\"}");
    if (placed)
        put_region(w, at);
    sg_buf_putc(w->out, '}');
}

static sg_str doc_path(const writer *w, const sc_diag *diag)
{
    return diag->doc < w->s->docs.count ? w->s->docs.items[diag->doc].path
                                        : SG_S("");
}

static void put_locations(writer *w, const sc_diag *diag)
{
    const sg_str path = doc_path(w, diag);

    if (diag->at.source >= w->s->sources.count && path.len == 0)
        return;
    sg_buf_putz(w->out, ",\"locations\":[");
    put_location(w, diag->at, path);
    sg_buf_putz(w->out, "}]");
}

static void put_related(writer *w, const sc_diag *diag)
{
    bool first = true;

    for (uint32_t i = 0; i < diag->notes.count; i++) {
        const sc_related *note = &diag->notes.items[i];

        if (note->at.source >= w->s->sources.count)
            continue;
        sg_buf_putz(w->out, first ? ",\"relatedLocations\":[" : ",");
        put_location(w, note->at, SG_S(""));
        sg_buf_putc(w->out, ',');
        put_message(w, "message", note->text);
        sg_buf_putc(w->out, '}');
        first = false;
    }
    if (!first)
        sg_buf_putc(w->out, ']');
}

/* -------- results --------------------------------------------------------- */

static const char *level_of(sc_severity severity)
{
    return severity == SC_ERROR     ? "error"
           : severity == SC_WARNING ? "warning"
                                    : "note";
}

static void put_result(writer *w, uint32_t index)
{
    const sc_diag *diag = &w->s->diags.items[index];
    sg_str text = diag->message;

    if (diag->hint.len > 0)
        text = sg_arena_printf(w->tmp, "%.*s (%.*s)", SG_FMT(text),
                               SG_FMT(diag->hint));
    sg_buf_printf(w->out,
                  "{\"ruleId\":\"%s\",\"ruleIndex\":%" PRIu32
                  ",\"level\":\"%s\",",
                  sc_code_name(diag->code), w->index[diag->code] - 1,
                  level_of(diag->severity));
    put_message(w, "message", text);
    put_locations(w, diag);
    put_related(w, diag);
    if (w->known != NULL)
        sg_buf_printf(w->out, ",\"baselineState\":\"%s\"",
                      w->known[index] ? "unchanged" : "new");
    sg_buf_putz(w->out, ",\"partialFingerprints\":{");
    put_text(w, "sigcc/v1", w->fingerprints[index]);
    sg_buf_putz(w->out, "}}");
}

/* -------- rules ----------------------------------------------------------- */

/* "duplicate-id" as "DuplicateId". */
static void put_name(writer *w, const char *slug)
{
    bool up = true;

    sg_buf_putz(w->out, ",\"name\":\"");
    for (; *slug != '\0'; slug++) {
        if (*slug == '-') {
            up = true;
            continue;
        }
        sg_buf_putc(w->out, (char)(up && *slug >= 'a' && *slug <= 'z'
                                       ? *slug - ('a' - 'A')
                                       : *slug));
        up = false;
    }
    sg_buf_putc(w->out, '"');
}

/* The first sentence. */
static sg_str first_sentence(sg_str doc)
{
    const size_t end = sg_str_find(doc, SG_S(". "));

    return end == SIZE_MAX ? doc : sg_str_sub(doc, 0, end + 1);
}

static void put_rule(writer *w, sc_code code)
{
    const sg_str doc = sg_str_of(sc_code_doc(code));
    const bool error = sc_code_name(code)[0] == 'E';

    sg_buf_printf(w->out, "{\"id\":\"%s\"", sc_code_name(code));
    put_name(w, sc_code_slug(code));
    sg_buf_putc(w->out, ',');
    put_message(w, "shortDescription", first_sentence(doc));
    sg_buf_putc(w->out, ',');
    put_message(w, "fullDescription", doc);
    sg_buf_putc(w->out, ',');
    put_message(w, "help", doc);
    sg_buf_printf(w->out, ",\"defaultConfiguration\":{\"level\":\"%s\"}}",
                  error ? "error" : "warning");
}

/* The codes that occur, in order. */
static void put_rules(writer *w)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < w->s->diags.count; i++)
        w->index[w->s->diags.items[i].code] = 1;
    for (size_t i = 0; i < SC_CODE_COUNT; i++) {
        if (w->index[i] == 0)
            continue;
        if (count > 0)
            sg_buf_putc(w->out, ',');
        w->index[i] = ++count;
        put_rule(w, (sc_code)i);
    }
}

void sc_check_sarif(sc_session *s, sg_buf *out, const sc_places *places,
                    const bool *known)
{
    sg_arena tmp = {0};
    const uint32_t *order = sc_diag_order(s, &tmp);
    writer w = {.s = s,
                .tmp = &tmp,
                .out = out,
                .places = places,
                .fingerprints = sc_fingerprints(s, places, &tmp),
                .known = known};

    sg_buf_putz(out, "{\"$schema\":\"https://json.schemastore.org/"
                     "sarif-2.1.0.json\",\"version\":\"2.1.0\",\"runs\":[{"
                     "\"tool\":{\"driver\":{\"name\":\"sigcc\",\"version\":"
                     "\"" SC_VERSION "\",\"rules\":[");
    put_rules(&w);
    sg_buf_putz(out, "]}},\"columnKind\":\"unicodeCodePoints\",\"results\":[");
    for (uint32_t i = 0; i < s->diags.count; i++) {
        if (i > 0)
            sg_buf_putc(out, ',');
        put_result(&w, order[i]);
    }
    sg_buf_putz(out, "]}]}\n");
    sg_arena_free(&tmp);
}
