/*
 * inspect.c - `sigcc inspect`: what a detector was made from, by its own
 * manifest, without running it. The file may be anybody's: nothing in it
 * reaches a terminal as it is.
 */
#include "driver/inspect.h"
#include "driver/driver.h"
#include "driver/sbom.h"

#include <stdlib.h>
#include <string.h>

enum { LABEL = 12, DIGEST_SHOWN = 12 };

sg_str sc_inspect_text(const cJSON *object, const char *name)
{
    const cJSON *member = cJSON_GetObjectItemCaseSensitive(object, name);

    return cJSON_IsString(member) ? sg_str_of(member->valuestring) : SG_S("");
}

static void put_line(sg_buf *out, const char *label, sg_str text)
{
    sg_buf_printf(out, "%-*s", LABEL, label);
    sc_put_safe(out, text);
    sg_buf_putc(out, '\n');
}

/* Path and the beginning of the digest of each; a title behind rules. */
static void put_files(sg_buf *out, const cJSON *manifest, const char *name)
{
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(manifest, name);
    const cJSON *item;

    if (cJSON_GetArraySize(list) == 0)
        return;
    sg_buf_printf(out, "%-*s%d\n", LABEL, name, cJSON_GetArraySize(list));
    cJSON_ArrayForEach(item, list)
    {
        const sg_str digest = sc_inspect_text(item, "sha256");
        const sg_str title = sc_inspect_text(item, "title");

        sg_buf_putz(out, "  ");
        sc_put_safe(out, sg_str_sub(digest, 0, DIGEST_SHOWN));
        sg_buf_putz(out, "  ");
        sc_put_safe(out, sc_inspect_text(item, "path"));
        if (title.len != 0) {
            sg_buf_putz(out, "  ");
            sc_put_safe(out, title);
        }
        sg_buf_putc(out, '\n');
    }
}

static void put_names(sg_buf *out, const cJSON *manifest, const char *name)
{
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(manifest, name);
    const cJSON *item;
    bool first = true;

    if (cJSON_GetArraySize(list) == 0)
        return;
    sg_buf_printf(out, "%-*s", LABEL, name);
    cJSON_ArrayForEach(item, list)
    {
        const char *text = item->string != NULL   ? item->string
                           : cJSON_IsString(item) ? item->valuestring
                                                  : "";

        sg_buf_putz(out, first ? "" : ", ");
        sc_put_safe(out, sg_str_of(text));
        first = false;
    }
    sg_buf_putc(out, '\n');
}

static void put_text(sg_buf *out, const cJSON *manifest)
{
    const cJSON *abi = cJSON_GetObjectItemCaseSensitive(manifest, "abi");
    const cJSON *compiler =
        cJSON_GetObjectItemCaseSensitive(manifest, "compiler");

    put_line(out, "compiler", sc_inspect_text(compiler, "version"));
    sg_buf_printf(out, "%-*s%d\n", LABEL, "abi",
                  cJSON_IsNumber(abi) ? abi->valueint : 0);
    put_line(out, "digest", sc_inspect_text(manifest, "digest"));
    put_files(out, manifest, "rules");
    put_files(out, manifest, "pipelines");
    put_files(out, manifest, "filters");
    put_files(out, manifest, "enrichments");
    put_names(out, manifest, "options");
    put_names(out, manifest, "fields");
}

const char *sc_inspect_read(sg_arena *arena, sg_str path, sc_elf *elf,
                            cJSON **manifest)
{
    const char *why = sc_elf_read(arena, sg_arena_dup(arena, path).ptr, elf);

    *manifest = NULL;
    if (why != NULL)
        return why;
    *manifest = cJSON_ParseWithLength(elf->manifest.ptr, elf->manifest.len);
    if (cJSON_IsObject(*manifest) &&
        sg_str_starts(sc_inspect_text(*manifest, "schema"),
                      SG_S("sigcc.manifest/")))
        return NULL;
    cJSON_Delete(*manifest);
    *manifest = NULL;
    return "its manifest is damaged";
}

/* -------- the command ---------------------------------------------------- */

/* cJSON escapes what is below a blank. What else a terminal obeys, and what is
 * no UTF-8, can only be part of a string. */
static void put_json(sg_buf *out, const cJSON *manifest)
{
    char *printed = cJSON_PrintUnformatted(manifest);
    const sg_str text = sg_str_of(printed != NULL ? printed : "");

    if (printed == NULL)
        sg_fatal("out of memory");
    for (size_t pos = 0; pos < text.len;) {
        const size_t beg = pos;
        const uint32_t cp = sg_utf8_next(text, &pos);

        if (cp >= 0x80000000)
            sg_buf_putz(out, "\xEF\xBF\xBD");
        else if ((cp >= 0x7F && cp < 0xA0) || (cp >= 0xD800 && cp <= 0xDFFF))
            sg_buf_printf(out, "\\u%04x", (unsigned)cp);
        else
            sg_buf_put(out, sg_str_sub(text, beg, pos));
    }
    sg_buf_putc(out, '\n');
    cJSON_free(printed);
}

static const char *put(sc_session *s, const sc_options *o, sg_str path,
                       sg_buf *out)
{
    cJSON *manifest;
    sc_elf elf;
    const char *why;

    if (o->paths.count > 1)
        return "name one file at a time";
    if (sg_str_eq(o->inspect_format, SG_S("spdx")))
        return sc_sbom_put(&s->arena, &path, 1, out, &path);
    why = sc_inspect_read(&s->arena, path, &elf, &manifest);
    if (why != NULL)
        return why;
    if (sg_str_eq(o->inspect_format, SG_S("json")))
        put_json(out, manifest);
    else
        put_text(out, manifest);
    cJSON_Delete(manifest);
    return NULL;
}

int sc_cmd_inspect(sc_session *s, const sc_options *o)
{
    const sg_str path = o->paths.items[0];
    sg_buf out = {0};
    const char *why = put(s, o, path, &out);
    int code = SC_EXIT_OK;

    if (why != NULL)
        code = sc_fail_file(SC_EXIT_REJECTED, "cannot inspect", path, why);
    else if (fwrite(out.ptr, 1, out.len, stdout) != out.len)
        code = SC_EXIT_FAILED;
    sg_buf_free(&out);
    return code;
}
