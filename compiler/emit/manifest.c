/*
 * manifest.c - what a detector was made from, as one line of JSON
 * (interface.md, "Manifest"): no time, no host, no absolute path.
 */
#include "emit/module.h"

#include <inttypes.h>
#include <string.h>

static void put_member(sg_buf *out, const char *key, sg_str value)
{
    if (out->ptr[out->len - 1] != '{')
        sg_buf_putc(out, ',');
    sg_buf_put_json(out, sg_str_of(key));
    sg_buf_putc(out, ':');
    sg_buf_put_json(out, value);
}

static void put_rule(sc_session *s, sg_buf *out, const sc_emit_options *o,
                     const sc_ir_meta *meta)
{
    if (out->ptr[out->len - 1] == '}')
        sg_buf_putc(out, ',');
    sg_buf_putc(out, '{');
    if (meta->id.len > 0)
        put_member(out, "id", meta->id);
    put_member(out, "title", meta->title);
    if (meta->author.len > 0)
        put_member(out, "author", meta->author);
    if (meta->license.len > 0)
        put_member(out, "license", meta->license);
    if (meta->doc < s->docs.count) {
        const sc_doc *doc = &s->docs.items[meta->doc];
        put_member(out, "path", sc_emit_path(&s->arena, o, doc->path));
        put_member(out, "sha256", sg_str_of(doc->sha256));
    }
    sg_buf_putc(out, '}');
}

/* A rule's line of the digest. */
static void put_doc(const sc_session *s, sg_buf *out, const sc_ir_meta *meta)
{
    if (meta->doc < s->docs.count)
        sg_buf_printf(out, "rule %s\n", s->docs.items[meta->doc].sha256);
    else
        sg_buf_printf(out, "rule %.*s\n", SG_FMT(meta->title));
}

static void put_files(sc_session *s, sg_buf *out, const sc_emit_options *o,
                      const sc_manifest_file *files, uint32_t count)
{
    sg_buf_putc(out, '[');
    for (uint32_t i = 0; i < count; i++) {
        sg_buf_putz(out, i > 0 ? ",{" : "{");
        put_member(out, "path", sc_emit_path(&s->arena, o, files[i].path));
        put_member(out, "sha256", sg_str_of(files[i].sha256));
        sg_buf_putc(out, '}');
    }
    sg_buf_putc(out, ']');
}

/* "name" is a member that is true, "name=value" one with a text. */
static void put_options(sg_buf *out, const sc_emit_options *o)
{
    sg_buf_putc(out, '{');
    for (uint32_t i = 0; i < o->flags.count; i++) {
        const sg_str flag = o->flags.items[i];
        const size_t eq = sg_str_find(flag, SG_S("="));
        if (i > 0)
            sg_buf_putc(out, ',');
        sg_buf_put_json(out, eq == SIZE_MAX ? flag : sg_str_sub(flag, 0, eq));
        sg_buf_putc(out, ':');
        if (eq == SIZE_MAX)
            sg_buf_putz(out, "true");
        else
            sg_buf_put_json(out, sg_str_sub(flag, eq + 1, flag.len));
    }
    sg_buf_putc(out, '}');
}

static void put_fields(sg_buf *out, const sc_ir *ir)
{
    bool first = true;

    sg_buf_putc(out, '[');
    for (uint32_t i = 0; i < ir->fields.count; i++) {
        const sc_ir_field *f = &ir->fields.items[i];
        if ((f->flags & SIGMA_FIELD_KEYWORDS) != 0)
            continue;
        if (!first)
            sg_buf_putc(out, ',');
        first = false;
        sg_buf_put_json(out, f->name);
    }
    sg_buf_putc(out, ']');
}

/* Digest of what decides the detector, wherever its files lie: the rules,
 * pipelines, filters and enrichments by their digests, the options, the
 * compiler. */
static void put_digest(sc_session *s, sg_buf *out, const sc_ir *ir,
                       const sc_emit_options *o)
{
    sg_buf in = {0};
    char digest[65];

    sg_buf_putz(&in, "sigcc " SC_VERSION "\n");
    for (uint32_t i = 0; i < ir->rules.count; i++)
        put_doc(s, &in, &ir->rules.items[i].meta);
    for (uint32_t i = 0; i < ir->corrs.count; i++)
        put_doc(s, &in, &ir->corrs.items[i].meta);
    for (uint32_t i = 0; i < o->pipelines.count; i++)
        sg_buf_printf(&in, "pipeline %s\n", o->pipelines.items[i].sha256);
    for (uint32_t i = 0; i < o->filters.count; i++)
        sg_buf_printf(&in, "filter %s\n", o->filters.items[i].sha256);
    for (uint32_t i = 0; i < o->enrichments.count; i++)
        sg_buf_printf(&in, "enrich %s\n", o->enrichments.items[i].sha256);
    put_options(&in, o);
    sr_sha256(sg_buf_str(&in), digest);
    sg_buf_put_json(out, sg_str_of(digest));
    sg_buf_free(&in);
}

sg_str sc_emit_manifest(sc_session *s, const sc_ir *ir,
                        const sc_emit_options *o)
{
    sg_buf out = {0};
    sg_str copy;

    sg_buf_putz(&out, "{\"schema\":\"sigcc.manifest/1\",");
    sg_buf_putz(&out, "\"compiler\":{\"version\":\"" SC_VERSION "\"},");
    sg_buf_printf(&out, "\"abi\":%u,\"rules\":[", SIGMA_ABI);
    for (uint32_t i = 0; i < ir->rules.count; i++)
        put_rule(s, &out, o, &ir->rules.items[i].meta);
    for (uint32_t i = 0; i < ir->corrs.count; i++)
        put_rule(s, &out, o, &ir->corrs.items[i].meta);
    sg_buf_putz(&out, "],\"pipelines\":");
    put_files(s, &out, o, o->pipelines.items, o->pipelines.count);
    sg_buf_putz(&out, ",\"filters\":");
    put_files(s, &out, o, o->filters.items, o->filters.count);
    sg_buf_putz(&out, ",\"enrichments\":");
    put_files(s, &out, o, o->enrichments.items, o->enrichments.count);
    sg_buf_putz(&out, ",\"options\":");
    put_options(&out, o);
    sg_buf_putz(&out, ",\"fields\":");
    put_fields(&out, ir);
    sg_buf_putz(&out, ",\"digest\":");
    put_digest(s, &out, ir, o);
    sg_buf_putc(&out, '}');
    copy = sg_arena_dup(&s->arena, sg_buf_str(&out));
    sg_buf_free(&out);
    return copy;
}
