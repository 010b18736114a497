/*
 * elfnote.c - finds the notes that sigma_abi.h lays down, the shared libraries
 * and the compilers' signatures, by libelf: for any processor and byte order.
 * The only file that includes its headers.
 */
#include "driver/elfnote.h"

#include "sigma_abi.h"

#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    NOTES_MOST = 256 << 20, /* bytes of one segment of notes */
    TEXTS_MOST = 1000,      /* libraries and the like, of a kind ... */
    TEXT_MOST = 4096        /* ... and bytes of one */
};

typedef struct reading {
    sg_arena *arena;
    Elf *elf;
    sc_elf *out;
    bool crowded; /* somebody wants to exhaust whoever reads this */
} reading;

static void take(reading *r, sc_elf_texts *texts, sg_str text)
{
    r->crowded |= texts->count >= TEXTS_MOST || text.len > TEXT_MOST;
    if (!r->crowded)
        SG_PUSH(r->arena, texts, sg_arena_dup(r->arena, text));
}

/* -------- notes ---------------------------------------------------------- */

/* What an encoded note says; empty when it is cut off. */
static sg_str decoded(sg_arena *arena, sg_str note)
{
    sg_reader r = {.rest = note};
    const uint64_t key = sg_read_u64(&r);

    if (r.rest.len == 0) /* the NUL behind the text */
        return SG_S("");
    const sg_str text = sg_str_sub(r.rest, 0, r.rest.len - 1);
    char *out = sg_arena_alloc(arena, text.len + 1, 1);

    sg_encode(out, text, key, SIGMA_AT_MANIFEST);
    return (sg_str){out, text.len};
}

static void take_note(reading *r, uint32_t type, sg_str bytes)
{
    const sg_str text = {bytes.ptr, strnlen(bytes.ptr, bytes.len)};

    if (type == SIGMA_NOTE_PART)
        take(r, &r->out->parts, text);
    else if (r->out->manifest.ptr != NULL)
        return;
    else if (type == SIGMA_NOTE_TYPE)
        r->out->manifest = sg_arena_dup(r->arena, text);
    else if (type == SIGMA_NOTE_ENCODED_TYPE)
        r->out->manifest = decoded(r->arena, bytes);
}

/* Ours among the notes of a segment. */
static void take_notes(reading *r, Elf_Data *data)
{
    GElf_Nhdr note;
    size_t at = 0, name, text;

    while ((at = gelf_getnote(data, at, &note, &name, &text)) != 0) {
        const char *bytes = data->d_buf;

        if (note.n_namesz != sizeof(SIGMA_NOTE_OWNER) ||
            memcmp(bytes + name, SIGMA_NOTE_OWNER, note.n_namesz) != 0)
            continue;
        take_note(r, note.n_type, (sg_str){bytes + text, note.n_descsz});
    }
}

static const char *read_notes(reading *r)
{
    size_t count;
    GElf_Phdr segment;

    if (elf_kind(r->elf) != ELF_K_ELF || elf_getphdrnum(r->elf, &count) != 0)
        return "it is no ELF file";
    for (size_t i = 0; i < count && i <= INT32_MAX && !r->crowded; i++) {
        if (gelf_getphdr(r->elf, (int)i, &segment) == NULL ||
            segment.p_type != PT_NOTE || segment.p_filesz > NOTES_MOST)
            continue;
        Elf_Data *data = elf_getdata_rawchunk(
            r->elf, (int64_t)segment.p_offset, segment.p_filesz,
            segment.p_align == 8 ? ELF_T_NHDR8 : ELF_T_NHDR);

        if (data != NULL && data->d_buf != NULL)
            take_notes(r, data);
    }
    if (r->out->manifest.ptr == NULL)
        return "it holds no manifest: no detector, or one of an older sigcc";
    return NULL;
}

/* -------- sections ------------------------------------------------------- */

static void take_needed(reading *r, const GElf_Shdr *section, Elf_Data *data)
{
    GElf_Dyn entry;

    for (int i = 0; !r->crowded && gelf_getdyn(data, i, &entry) != NULL; i++) {
        const char *name =
            entry.d_tag == DT_NEEDED
                ? elf_strptr(r->elf, section->sh_link, entry.d_un.d_val)
                : NULL;

        if (name != NULL)
            take(r, &r->out->needed, sg_str_of(name));
    }
}

/* Lines with NULs for ends, which the linker took from all that it linked. */
static void take_tools(reading *r, const Elf_Data *data)
{
    sg_str rest = {data->d_buf, data->d_size};
    sg_map seen = {0};

    while (rest.len > 0 && !r->crowded) {
        const sg_str tool = {rest.ptr, strnlen(rest.ptr, rest.len)};
        bool found = tool.len == 0;

        if (!found)
            sg_map_put(r->arena, &seen, tool, &found);
        if (!found)
            take(r, &r->out->tools, tool);
        rest = sg_str_sub(rest, tool.len + 1, rest.len);
    }
}

static void read_sections(reading *r)
{
    Elf_Scn *at = NULL;
    size_t names;

    if (elf_getshdrstrndx(r->elf, &names) != 0)
        return;
    while (!r->crowded && (at = elf_nextscn(r->elf, at)) != NULL) {
        GElf_Shdr section;
        const char *name;

        if (gelf_getshdr(at, &section) == NULL ||
            (name = elf_strptr(r->elf, names, section.sh_name)) == NULL)
            continue;
        const bool tools =
            section.sh_type == SHT_PROGBITS && strcmp(name, ".comment") == 0;
        Elf_Data *data = tools || section.sh_type == SHT_DYNAMIC
                             ? elf_getdata(at, NULL)
                             : NULL;

        if (data == NULL || data->d_buf == NULL)
            continue;
        if (tools)
            take_tools(r, data);
        else
            take_needed(r, &section, data);
    }
}

/* -------- files ---------------------------------------------------------- */

static const char *read_open(sg_arena *arena, int fd, sc_elf *out)
{
    reading r = {.arena = arena, .out = out};
    const char *why;

    (void)elf_version(EV_CURRENT);
    r.elf = elf_begin(fd, ELF_C_READ, NULL);
    why = r.elf == NULL ? "it cannot be read as ELF" : read_notes(&r);
    if (why == NULL)
        read_sections(&r);
    if (why == NULL && r.crowded)
        why = "it has more to tell than a detector";
    (void)elf_end(r.elf);
    return why;
}

const char *sc_elf_read(sg_arena *arena, const char *path, sc_elf *out)
{
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    const char *why;
    struct stat st;

    *out = (sc_elf){0};
    if (fd < 0)
        return strerror(errno);
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
        why = "it is no regular file";
    else
        why = read_open(arena, fd, out);
    (void)close(fd);
    return why;
}
