/*
 * place.c - how reports name files, and what tells a diagnostic apart from
 * others from one run to the next.
 */
#include "report/lint.h"

#include <inttypes.h>

/* -------- paths ----------------------------------------------------------- */

/* The path below a folder, or an empty string. */
static sg_str below(sg_str path, sg_str folder)
{
    if (sg_str_ends(folder, SG_S("/")))
        folder.len--;
    if (folder.len == 0 || !sg_str_starts(path, folder) ||
        path.len <= folder.len + 1 || path.ptr[folder.len] != '/')
        return SG_S("");
    return sg_str_sub(path, folder.len + 1, path.len);
}

/* Without its last part; empty for a bare name. */
static sg_str parent(sg_str path)
{
    if (sg_str_ends(path, SG_S("/")))
        path.len--;
    while (path.len > 0 && path.ptr[path.len - 1] != '/')
        path.len--;
    return path;
}

static bool is_outside(sg_str path)
{
    return sg_str_starts(path, SG_S("/")) || sg_str_starts(path, SG_S("../")) ||
           sg_str_find(path, SG_S("/../")) != SIZE_MAX;
}

sg_str sc_place_shorten(const sc_places *places, sg_str path)
{
    sg_str rest = below(path, places->folder);

    while (sg_str_starts(path, SG_S("./")))
        path = sg_str_sub(path, 2, path.len);
    if (!is_outside(path))
        return path;
    for (uint32_t i = 0; i < places->root_count && rest.len == 0; i++) {
        const sg_str root = places->roots[i];

        if (sg_str_eq(root, path) || below(path, root).len > 0)
            rest = below(path, parent(root));
    }
    if (rest.len > 0 && !is_outside(rest))
        return rest;
    return sg_str_sub(path, parent(path).len, path.len);
}

/* -------- fingerprints ---------------------------------------------------- */

/* What the digest is of. A place outside of the document's own file counts
 * with its path. */
static void put_identity(const sc_session *s, const sc_places *places,
                         const sc_diag *diag, sg_buf *out)
{
    const sc_doc *doc =
        diag->doc < s->docs.count ? &s->docs.items[diag->doc] : NULL;
    const sc_source *source = diag->at.source < s->sources.count
                                  ? &s->sources.items[diag->at.source]
                                  : NULL;

    sg_buf_printf(out, "%s\n", sc_code_name(diag->code));
    if (doc != NULL)
        sg_buf_put(out, doc->id.len > 0 ? doc->id
                                        : sc_place_shorten(places, doc->path));
    sg_buf_putc(out, '\n');
    if (doc != NULL && source != NULL && !sg_str_eq(doc->path, source->path)) {
        sg_buf_put(out, sc_place_shorten(places, source->path));
        sg_buf_putc(out, '\n');
    }
    if (source != NULL)
        sg_buf_put(out, sg_str_sub(source->text, diag->at.beg, diag->at.end));
}

const sg_str *sc_fingerprints(const sc_session *s, const sc_places *places,
                              sg_arena *arena)
{
    sg_str *out = sg_new_n(arena, sg_str, (size_t)s->diags.count + 1);
    const uint32_t *order = sc_diag_order(s, arena);
    sg_map seen = {0}; /* digests so far, and how often */
    sg_buf identity = {0};

    for (uint32_t i = 0; i < s->diags.count; i++) {
        char digest[65];
        bool found;
        sg_str key;

        identity.len = 0;
        put_identity(s, places, &s->diags.items[order[i]], &identity);
        sr_sha256(sg_buf_str(&identity), digest);
        key = sg_arena_dup(arena, (sg_str){digest, 32});
        out[order[i]] =
            sg_arena_printf(arena, "%.*s:%" PRIu32, SG_FMT(key),
                            ++*sg_map_put(arena, &seen, key, &found));
    }
    sg_buf_free(&identity);
    return out;
}
