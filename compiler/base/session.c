/*
 * session.c - life of a session, and its documents: the units that are
 * compiled, rejected or skipped, each with a digest of its bytes.
 */
#include "base/base.h"

void sc_session_init(sc_session *s)
{
    *s = (sc_session){.doc = SIGMA_NONE};
}

void sc_session_free(sc_session *s)
{
    sg_arena_free(&s->arena);
    *s = (sc_session){.doc = SIGMA_NONE};
}

uint32_t sc_doc_begin(sc_session *s, sc_span at)
{
    sc_doc doc = {.at = at, .status = SC_DOC_OK, .diag = SIGMA_NONE};
    sg_str bytes = SG_S("");

    doc.path = doc.id = doc.title = doc.name = bytes;
    if (at.source < s->sources.count) {
        const sc_source *source = &s->sources.items[at.source];

        doc.path = source->path;
        bytes = sg_str_sub(source->text, at.beg, at.end);
    }
    sr_sha256(bytes, doc.sha256);
    s->doc = s->docs.count;
    SG_PUSH(&s->arena, &s->docs, doc);
    return s->doc;
}

bool sc_doc_ok(const sc_session *s, uint32_t doc)
{
    return doc < s->docs.count && s->docs.items[doc].status == SC_DOC_OK;
}
