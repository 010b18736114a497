/*
 * inspect.c - `sigcc inspect`: what a detector was made from, by its own
 * manifest, without running it. The file may be anybody's: nothing in it
 * reaches a terminal as it is.
 */
#include "driver/driver.h"
#include "driver/elfnote.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

enum { LABEL = 12, DIGEST_SHOWN = 12 };

static sg_str text_of(const cJSON *object, const char *name)
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
        const sg_str digest = text_of(item, "sha256");
        const sg_str title = text_of(item, "title");

        sg_buf_putz(out, "  ");
        sc_put_safe(out, sg_str_sub(digest, 0, DIGEST_SHOWN));
        sg_buf_putz(out, "  ");
        sc_put_safe(out, text_of(item, "path"));
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

    put_line(out, "compiler", text_of(compiler, "version"));
    sg_buf_printf(out, "%-*s%d\n", LABEL, "abi",
                  cJSON_IsNumber(abi) ? abi->valueint : 0);
    put_line(out, "digest", text_of(manifest, "digest"));
    put_files(out, manifest, "rules");
    put_files(out, manifest, "pipelines");
    put_files(out, manifest, "filters");
    put_files(out, manifest, "enrichments");
    put_names(out, manifest, "options");
    put_names(out, manifest, "fields");
}

static int refuse(sg_str path, const char *why)
{
    return sc_fail_file(SC_EXIT_REJECTED, "cannot inspect", path, why);
}

int sc_cmd_inspect(sc_session *s, const sc_options *o)
{
    const sg_str path = sg_arena_dup(&s->arena, o->paths.items[0]);
    sg_buf note = {0}, out = {0};
    const char *why = o->paths.count > 1 ? "name one file at a time"
                                         : sc_elf_note(path.ptr, &note);

    if (why != NULL) {
        sg_buf_free(&note);
        return refuse(path, why);
    }
    cJSON *manifest = cJSON_ParseWithLength(note.ptr, note.len);

    sg_buf_free(&note);
    if (!cJSON_IsObject(manifest) ||
        !sg_str_starts(text_of(manifest, "schema"), SG_S("sigcc.manifest/"))) {
        cJSON_Delete(manifest);
        return refuse(path, "its manifest is damaged");
    }
    if (sg_str_eq(o->list_format, SG_S("json"))) {
        char *text = cJSON_PrintUnformatted(manifest);

        if (text == NULL)
            sg_fatal("out of memory");
        sg_buf_printf(&out, "%s\n", text);
        cJSON_free(text);
    } else {
        put_text(&out, manifest);
    }
    cJSON_Delete(manifest);
    const bool written = fwrite(out.ptr, 1, out.len, stdout) == out.len;

    sg_buf_free(&out);
    return written ? SC_EXIT_OK : SC_EXIT_FAILED;
}
