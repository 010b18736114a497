/*
 * diag.c - collecting diagnostics. An error marks the document being worked on
 * as rejected; the work goes on with the next one. Messages are kept as
 * written and escaped only when shown.
 */
#include "base/base.h"

static const struct code_info {
    sc_severity severity;
    const char *name, *slug, *hint, *doc;
} codes[SC_CODE_COUNT] = {
#define DIAG(code, severity, slug, hint, doc)                                  \
    [SC_##code] = {severity, #code, slug, hint, doc},
#include "base/diag_codes.def"
#undef DIAG
};

const char *sc_code_name(sc_code code)
{
    return codes[code].name;
}

const char *sc_code_slug(sc_code code)
{
    return codes[code].slug;
}

const char *sc_code_doc(sc_code code)
{
    return codes[code].doc;
}

bool sc_code_find(sg_str name, sc_code *out)
{
    for (size_t i = 0; i < SC_CODE_COUNT; i++)
        if (sg_str_eq_nocase(name, sg_str_of(codes[i].name))) {
            *out = (sc_code)i;
            return true;
        }
    return false;
}

/* A message quotes at most so much of the input. */
enum { MAX_MESSAGE = 1000 };

SC_PRINTF(2, 0)
static sg_str format(sc_session *s, const char *fmt, va_list ap)
{
    sg_buf buf = {0};
    sg_str text;

    sg_buf_vprintf(&buf, fmt, ap);
    if (buf.len > MAX_MESSAGE) {
        buf.len = MAX_MESSAGE;
        while (buf.len > 0 && (buf.ptr[buf.len - 1] & 0xC0) == 0x80)
            buf.len--; /* no half character at the cut */
        if (buf.len > 0 && (buf.ptr[buf.len - 1] & 0x80) != 0)
            buf.len--;
        sg_buf_putz(&buf, "...");
    }
    text = sg_arena_dup(&s->arena, sg_buf_str(&buf));
    sg_buf_free(&buf);
    return text;
}

static void reject_doc(sc_session *s, uint32_t diag)
{
    sc_doc *doc;

    if (s->doc >= s->docs.count)
        return;
    doc = &s->docs.items[s->doc];
    doc->status = SC_DOC_REJECTED;
    if (doc->diag == SIGMA_NONE)
        doc->diag = diag;
}

static void report(sc_session *s, sc_diag diag)
{
    diag.doc = s->doc;
    diag.hint = sg_str_of(codes[diag.code].hint);
    if (diag.severity == SC_ERROR) {
        s->errors++;
        reject_doc(s, s->diags.count);
    } else {
        s->warnings++;
    }
    SG_PUSH(&s->arena, &s->diags, diag);
}

bool sc_error(sc_session *s, sc_code code, sc_span at, const char *fmt, ...)
{
    sc_diag diag = {.code = code, .severity = SC_ERROR, .at = at};
    va_list ap;

    va_start(ap, fmt);
    diag.message = format(s, fmt, ap);
    va_end(ap);
    report(s, diag);
    return false;
}

void sc_warn(sc_session *s, sc_code code, sc_span at, const char *fmt, ...)
{
    sc_diag diag = {.code = code, .severity = SC_WARNING, .at = at};
    va_list ap;

    va_start(ap, fmt);
    diag.message = format(s, fmt, ap);
    va_end(ap);
    report(s, diag);
}

void sc_fault(sc_session *s, uint32_t doc, sc_code code, sc_span at,
              const char *fmt, ...)
{
    sc_diag diag = {.code = code, .severity = SC_ERROR, .at = at};
    va_list ap;

    va_start(ap, fmt);
    diag.message = format(s, fmt, ap);
    va_end(ap);
    s->doc = SIGMA_NONE;
    report(s, diag);
    s->diags.items[s->diags.count - 1].doc = doc;
}

void sc_diag_retain(sc_session *s, const bool *keep)
{
    uint32_t *moved = sg_new_n(&s->arena, uint32_t, s->diags.count + 1);
    uint32_t kept = 0;

    for (uint32_t i = 0; i < s->diags.count; i++) {
        const sc_diag diag = s->diags.items[i];

        moved[i] = keep[i] ? kept : SIGMA_NONE;
        if (keep[i])
            s->diags.items[kept++] = diag;
        else if (diag.severity == SC_ERROR)
            s->errors--;
        else
            s->warnings--;
    }
    s->diags.count = kept;
    for (uint32_t i = 0; i < s->docs.count; i++)
        if (s->docs.items[i].diag != SIGMA_NONE)
            s->docs.items[i].diag = moved[s->docs.items[i].diag];
}

void sc_hint(sc_session *s, const char *fmt, ...)
{
    va_list ap;

    if (s->diags.count == 0)
        return;
    va_start(ap, fmt);
    s->diags.items[s->diags.count - 1].hint = format(s, fmt, ap);
    va_end(ap);
}

void sc_note_at(sc_session *s, sc_span at, const char *fmt, ...)
{
    sc_related note = {.at = at};
    sc_diag *diag;
    va_list ap;

    if (s->diags.count == 0)
        return;
    va_start(ap, fmt);
    note.text = format(s, fmt, ap);
    va_end(ap);
    diag = &s->diags.items[s->diags.count - 1];
    SG_PUSH(&s->arena, &diag->notes, note);
}
