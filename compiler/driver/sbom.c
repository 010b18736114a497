/*
 * sbom.c - SPDX 2.3: each detector, what it was generated from, what it links
 * and what built it are packages, and relationships say which is what. A thing
 * that several detectors have stands there once.
 *
 * Rules are packages, not files: SPDX wants SHA-1 of files.
 */
#include "driver/sbom.h"

#include "driver/driver.h"
#include "driver/inspect.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define NAMESPACE "https://sigcc.example.org/spdx/"

/* A package; what is empty is not told. */
typedef struct part {
    const char *kind; /* the beginning of its identifier */
    const char *purpose;
    sg_str name, version, file, sha256, license, author, source;
} part;

typedef struct sbom {
    sg_arena *arena;
    sg_buf packages, relations, licenses; /* members of arrays */
    sg_map known, related, stated;        /* packages, relations, licenses */
} sbom;

/* -------- JSON ----------------------------------------------------------- */

static void put_member(sg_buf *out, const char *key, sg_str value)
{
    if (out->ptr[out->len - 1] != '{')
        sg_buf_putc(out, ',');
    sg_buf_printf(out, "\"%s\":", key);
    sg_buf_put_json(out, value);
}

static void put_told(sg_buf *out, const char *key, sg_str value)
{
    if (value.len > 0)
        put_member(out, key, value);
}

static void next_item(sg_buf *array)
{
    sg_buf_putz(array, array->len > 0 ? ",\n{" : "{");
}

/* -------- licences and authors ------------------------------------------- */

static bool is_expression(sg_str text)
{
    static const sg_str known[] = {
#define LICENCE(expression) SG_LIT(expression),
#include "driver/licences.def"
#undef LICENCE
    };

    for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
        if (sg_str_eq(known[i], text))
            return true;
    return false;
}

/* As a package declares it. A text that may be no expression of SPDX gets an
 * identifier in this document. */
static sg_str license_of(sbom *b, sg_str text)
{
    uint32_t *number;
    sg_str id;
    bool found;

    if (text.len == 0)
        return SG_S("NOASSERTION");
    if (is_expression(text))
        return text;
    number = sg_map_put(b->arena, &b->stated, text, &found);
    if (!found)
        *number = b->stated.count;
    id = sg_arena_printf(b->arena, "LicenseRef-%" PRIu32, *number);
    if (!found) {
        next_item(&b->licenses);
        put_member(&b->licenses, "licenseId", id);
        put_member(&b->licenses, "extractedText", text);
        sg_buf_putc(&b->licenses, '}');
    }
    return id;
}

/* Parentheses hold an address in SPDX, and an entry is one line. */
static char in_person(char c)
{
    if (c == '(')
        return '[';
    if (c == ')')
        return ']';
    if ((unsigned char)c < ' ')
        return ' ';
    return c;
}

static sg_str person_of(sbom *b, sg_str author)
{
    sg_buf out = {0};
    sg_str text;

    sg_buf_putz(&out, "Person: ");
    for (size_t i = 0; i < author.len; i++)
        sg_buf_putc(&out, in_person(author.ptr[i]));
    text = sg_arena_dup(b->arena, sg_buf_str(&out));
    sg_buf_free(&out);
    return text;
}

/* -------- packages ------------------------------------------------------- */

static void put_package(sbom *b, sg_str id, const part *p)
{
    sg_buf *out = &b->packages;
    const sg_str license = license_of(b, p->license);

    next_item(out);
    put_member(out, "SPDXID", id);
    put_member(out, "name", p->name);
    put_told(out, "versionInfo", p->version);
    put_told(out, "packageFileName", p->file);
    if (p->author.len > 0)
        put_member(out, "originator", person_of(b, p->author));
    put_member(out, "downloadLocation", SG_S("NOASSERTION"));
    sg_buf_putz(out, ",\"filesAnalyzed\":false");
    if (p->sha256.len > 0) {
        sg_buf_putz(out, ",\"checksums\":[{\"algorithm\":\"SHA256\"");
        put_member(out, "checksumValue", p->sha256);
        sg_buf_putz(out, "}]");
    }
    put_member(out, "licenseConcluded", SG_S("NOASSERTION"));
    put_member(out, "licenseDeclared", license);
    put_member(out, "copyrightText", SG_S("NOASSERTION"));
    put_member(out, "primaryPackagePurpose", sg_str_of(p->purpose));
    put_told(out, "sourceInfo", p->source);
    sg_buf_putc(out, '}');
}

/* Its identifier; the package is told of when it comes for the first time. */
static sg_str add_part(sbom *b, const part *p)
{
    const sg_str texts[] = {
        sg_str_of(p->kind), p->name,    p->version, p->file,
        p->sha256,          p->license, p->author,  p->source};
    sg_buf key = {0};
    uint32_t *number;
    bool found;

    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
        sg_put_text(&key, texts[i]);
    number = sg_map_put(b->arena, &b->known,
                        sg_arena_dup(b->arena, sg_buf_str(&key)), &found);
    sg_buf_free(&key);
    if (!found)
        *number = b->known.count;
    const sg_str id =
        sg_arena_printf(b->arena, "SPDXRef-%s-%" PRIu32, p->kind, *number);

    if (!found)
        put_package(b, id, p);
    return id;
}

static void relate(sbom *b, sg_str from, const char *how, sg_str to)
{
    sg_buf *out = &b->relations;
    bool found;

    sg_map_put(b->arena, &b->related,
               sg_arena_printf(b->arena, "%.*s %s %.*s", SG_FMT(from), how,
                               SG_FMT(to)),
               &found);
    if (found)
        return;
    next_item(out);
    put_member(out, "spdxElementId", from);
    put_member(out, "relationshipType", sg_str_of(how));
    put_member(out, "relatedSpdxElement", to);
    sg_buf_putc(out, '}');
}

/* -------- what it was generated from ------------------------------------- */

/* A digest of SHA-256 in hexadecimal, or nothing. */
static sg_str digest_of(sg_str text)
{
    if (text.len != 64)
        return SG_S("");
    for (size_t i = 0; i < text.len; i++)
        if (strchr("0123456789abcdef", text.ptr[i]) == NULL)
            return SG_S("");
    return text;
}

/* The name that it has, or else its path; SPDX wants one. */
static sg_str name_of(sg_str title, sg_str path)
{
    if (title.len > 0)
        return title;
    return path.len > 0 ? path : SG_S("NOASSERTION");
}

static void add_sources(sbom *b, sg_str detector, const cJSON *manifest,
                        const char *member, const char *kind)
{
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(manifest, member);
    const cJSON *item;

    cJSON_ArrayForEach(item, list)
    {
        const sg_str path = sc_inspect_text(item, "path");
        const sg_str id = sc_inspect_text(item, "id");
        part p = {.kind = kind,
                  .purpose = "SOURCE",
                  .name = name_of(sc_inspect_text(item, "title"), path),
                  .file = path,
                  .sha256 = digest_of(sc_inspect_text(item, "sha256")),
                  .license = sc_inspect_text(item, "license"),
                  .author = sc_inspect_text(item, "author")};

        if (strcmp(kind, "Rule") == 0)
            p.source = sg_arena_printf(
                b->arena,
                "Sigma rule%s%.*s; the checksum is that of its YAML document",
                id.len > 0 ? " " : "", SG_FMT(id));
        relate(b, detector, "GENERATED_FROM", add_part(b, &p));
    }
}

/* The file of --placeholders is known by its digest alone. */
static void add_placeholders(sbom *b, sg_str detector, const cJSON *manifest)
{
    const cJSON *options =
        cJSON_GetObjectItemCaseSensitive(manifest, "options");
    const part p = {.kind = "Placeholders",
                    .purpose = "SOURCE",
                    .name = SG_S("placeholders"),
                    .sha256 =
                        digest_of(sc_inspect_text(options, "placeholders"))};

    if (p.sha256.len > 0)
        relate(b, detector, "GENERATED_FROM", add_part(b, &p));
}

/* -------- what it links, what built it ----------------------------------- */

/* Which of the needed libraries this is; SIZE_MAX: none, so it is in the file.
 */
static size_t find_needed(sbom *b, const sc_elf *elf, sg_str link)
{
    const sg_str start = sg_arena_printf(b->arena, "lib%.*s.so", SG_FMT(link));

    for (size_t i = 0; link.len > 0 && i < elf->needed.count; i++)
        if (sg_str_starts(elf->needed.items[i], start))
            return i;
    return SIZE_MAX;
}

static void add_library(sbom *b, sg_str detector, const sc_elf *elf,
                        const cJSON *about, bool *told)
{
    const size_t at = find_needed(b, elf, sc_inspect_text(about, "link"));
    part p = {.kind = "Library",
              .purpose = "LIBRARY",
              .name = name_of(sc_inspect_text(about, "name"), SG_S("")),
              .version = sc_inspect_text(about, "version"),
              .license = sc_inspect_text(about, "license"),
              .source = SG_S("the version that the runtime was built with")};

    if (at != SIZE_MAX) {
        p.file = elf->needed.items[at];
        told[at] = true;
    }
    relate(b, detector, at == SIZE_MAX ? "STATIC_LINK" : "DYNAMIC_LINK",
           add_part(b, &p));
}

/* Those the runtime was built with, then others that are needed. */
static void add_libraries(sbom *b, sg_str detector, const sc_elf *elf)
{
    bool *told = sg_new_n(b->arena, bool, (size_t)elf->needed.count + 1);

    for (uint32_t i = 0; i < elf->parts.count; i++) {
        const sg_str text = elf->parts.items[i];
        cJSON *about = cJSON_ParseWithLength(text.ptr, text.len);

        add_library(b, detector, elf, about, told);
        cJSON_Delete(about);
    }
    for (uint32_t i = 0; i < elf->needed.count; i++) {
        const part p = {.kind = "Library",
                        .purpose = "LIBRARY",
                        .name = name_of(elf->needed.items[i], SG_S("")),
                        .file = elf->needed.items[i]};

        if (!told[i])
            relate(b, detector, "DYNAMIC_LINK", add_part(b, &p));
    }
}

static void add_tools(sbom *b, sg_str detector, const sc_elf *elf,
                      const cJSON *manifest)
{
    const cJSON *compiler =
        cJSON_GetObjectItemCaseSensitive(manifest, "compiler");
    part p = {.kind = "Tool",
              .purpose = "APPLICATION",
              .name = SG_S("sigcc"),
              .version = sc_inspect_text(compiler, "version"),
              .license = SG_S("MIT")};

    relate(b, add_part(b, &p), "BUILD_TOOL_OF", detector);
    for (uint32_t i = 0; i < elf->tools.count; i++) {
        const part cc = {.kind = "Tool",
                         .purpose = "APPLICATION",
                         .name = elf->tools.items[i]};

        relate(b, add_part(b, &cc), "BUILD_TOOL_OF", detector);
    }
}

/* -------- detectors ------------------------------------------------------ */

static sg_str base_name(sg_str path)
{
    for (size_t i = path.len; i != 0; i--)
        if (path.ptr[i - 1] == '/')
            return sg_str_sub(path, i, path.len);
    return path;
}

static bool hash_file(sg_str path, char digest[65])
{
    sg_buf bytes = {0};
    const bool read = sc_path_read(path, &bytes);

    sr_sha256(sg_buf_str(&bytes), digest);
    sg_buf_free(&bytes);
    return read;
}

static const char *add_detector(sbom *b, sg_str path)
{
    static const char *const members[][2] = {{"rules", "Rule"},
                                             {"pipelines", "Pipeline"},
                                             {"filters", "Filter"},
                                             {"enrichments", "Enrichment"}};
    cJSON *manifest;
    sc_elf elf;
    char digest[65];
    const char *why = sc_inspect_read(b->arena, path, &elf, &manifest);

    if (why == NULL && !hash_file(path, digest))
        why = "it cannot be read";
    if (why == NULL) {
        const part p = {.kind = "Detector",
                        .purpose = "APPLICATION",
                        .name = name_of(base_name(path), SG_S("")),
                        .file = base_name(path),
                        .sha256 = sg_str_of(digest)};
        const sg_str id = add_part(b, &p);

        relate(b, SG_S("SPDXRef-DOCUMENT"), "DESCRIBES", id);
        for (size_t i = 0; i < sizeof(members) / sizeof(*members); i++)
            add_sources(b, id, manifest, members[i][0], members[i][1]);
        add_placeholders(b, id, manifest);
        add_libraries(b, id, &elf);
        add_tools(b, id, &elf, manifest);
    }
    cJSON_Delete(manifest);
    return why;
}

/* -------- the document --------------------------------------------------- */

/* When the builder says, else at the beginning of time: what differs each time
 * cannot be compared. */
static sg_str created(sg_arena *arena)
{
    const char *set = getenv("SOURCE_DATE_EPOCH");
    const long long most = 253402300799; /* the end of the year 9999 */
    const long long said = set != NULL ? strtoll(set, NULL, 10) : 0;
    const time_t when = (time_t)(said < 0 || said > most ? 0 : said);
    struct tm utc;
    char text[32] = "";

    if (gmtime_r(&when, &utc) != NULL)
        (void)strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &utc);
    return sg_arena_dup(arena, sg_str_of(text));
}

/* All but the head; its digest tells one document from another. */
static void put_body(const sbom *b, sg_buf *out)
{
    sg_buf_putz(out, ",\"creationInfo\":{");
    put_member(out, "created", created(b->arena));
    sg_buf_putz(out, ",\"creators\":[\"Tool: sigcc-" SC_VERSION "\"]"
                     ",\"licenseListVersion\":\"3.23\"}"
                     ",\"packages\":[\n");
    sg_buf_put(out, sg_buf_str(&b->packages));
    sg_buf_putz(out, "\n],\"relationships\":[\n");
    sg_buf_put(out, sg_buf_str(&b->relations));
    sg_buf_putz(out, "\n]");
    if (b->licenses.len > 0) {
        sg_buf_putz(out, ",\"hasExtractedLicensingInfos\":[\n");
        sg_buf_put(out, sg_buf_str(&b->licenses));
        sg_buf_putz(out, "\n]");
    }
    sg_buf_putz(out, "}\n");
}

static void put_document(sbom *b, sg_str name, sg_buf *out)
{
    sg_buf body = {0};
    char digest[65];

    put_body(b, &body);
    sr_sha256(sg_buf_str(&body), digest);
    sg_buf_putz(out, "{\"spdxVersion\":\"SPDX-2.3\",\"dataLicense\":"
                     "\"CC0-1.0\",\"SPDXID\":\"SPDXRef-DOCUMENT\"");
    put_member(out, "name", name);
    put_member(out, "documentNamespace",
               sg_arena_printf(b->arena, NAMESPACE "%s", digest));
    sg_buf_put(out, sg_buf_str(&body));
    sg_buf_free(&body);
}

const char *sc_sbom_put(sg_arena *arena, const sg_str *paths, uint32_t count,
                        sg_buf *out, sg_str *bad)
{
    sbom b = {.arena = arena};
    const char *why = NULL;

    for (uint32_t i = 0; i < count && why == NULL; i++) {
        why = add_detector(&b, paths[i]);
        if (why != NULL)
            *bad = paths[i];
    }
    if (why == NULL)
        put_document(&b,
                     count == 1 ? name_of(base_name(paths[0]), SG_S(""))
                                : SG_S("detectors"),
                     out);
    sg_buf_free(&b.packages);
    sg_buf_free(&b.relations);
    sg_buf_free(&b.licenses);
    return why;
}
