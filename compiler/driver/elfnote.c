/*
 * elfnote.c - finds the note that sigma_abi.h lays down, by libelf: for any
 * processor and byte order. The only file that includes its headers.
 */
#include "driver/elfnote.h"

#include "sigma_abi.h"

#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NOTES_MOST = 256 << 20 }; /* bytes of one segment of notes */

/* Append what an encoded note says. */
static bool put_decoded(sg_str note, sg_buf *out)
{
    sg_reader r = {.rest = note};
    const uint64_t key = sg_read_u64(&r);

    if (r.rest.len == 0) /* the NUL behind the text */
        return false;
    const sg_str text = sg_str_sub(r.rest, 0, r.rest.len - 1);

    sg_encode(sg_buf_reserve(out, text.len), text, key, SIGMA_AT_MANIFEST);
    out->len += text.len;
    return true;
}

/* The text among the notes of a segment; false when it is not there. */
static bool find_text(Elf_Data *data, sg_buf *out)
{
    GElf_Nhdr note;
    size_t at = 0, name, text;

    while ((at = gelf_getnote(data, at, &note, &name, &text)) != 0) {
        const char *bytes = data->d_buf;

        if (note.n_namesz != sizeof(SIGMA_NOTE_OWNER) ||
            memcmp(bytes + name, SIGMA_NOTE_OWNER, note.n_namesz) != 0)
            continue;
        if (note.n_type == SIGMA_NOTE_ENCODED_TYPE)
            return put_decoded((sg_str){bytes + text, note.n_descsz}, out);
        if (note.n_type != SIGMA_NOTE_TYPE)
            continue;
        sg_buf_put(
            out, (sg_str){bytes + text, strnlen(bytes + text, note.n_descsz)});
        return true;
    }
    return false;
}

static const char *read_notes(Elf *elf, sg_buf *out)
{
    size_t count;
    GElf_Phdr segment;

    if (elf_kind(elf) != ELF_K_ELF || elf_getphdrnum(elf, &count) != 0)
        return "it is no ELF file";
    for (size_t i = 0; i < count && i <= INT32_MAX; i++) {
        if (gelf_getphdr(elf, (int)i, &segment) == NULL ||
            segment.p_type != PT_NOTE || segment.p_filesz > NOTES_MOST)
            continue;
        Elf_Data *data = elf_getdata_rawchunk(
            elf, (int64_t)segment.p_offset, segment.p_filesz,
            segment.p_align == 8 ? ELF_T_NHDR8 : ELF_T_NHDR);

        if (data != NULL && data->d_buf != NULL && find_text(data, out))
            return NULL;
    }
    return "it holds no manifest: no detector, or one of an older sigcc";
}

const char *sc_elf_note(const char *path, sg_buf *out)
{
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    const char *why = NULL;
    struct stat st;

    if (fd < 0)
        return strerror(errno);
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        why = "it is no regular file";
    } else {
        (void)elf_version(EV_CURRENT);
        Elf *elf = elf_begin(fd, ELF_C_READ, NULL);

        why = elf == NULL ? "it cannot be read as ELF" : read_notes(elf, out);
        (void)elf_end(elf);
    }
    (void)close(fd);
    return why;
}
