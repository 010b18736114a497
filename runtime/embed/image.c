/*
 * image.c - a pack's file, read once into memory that is sealed: what is
 * verified is what is loaded, whatever becomes of the file. Before the system's
 * loader sees it, which trusts what it loads, its headers are looked at here.
 */
#include "embed/embed.h"

#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { IMAGE_MOST = 1 << 30 };

/* -------- reading -------------------------------------------------------- */

/* All of the file into the other one: NULL, or why not. */
static const char *copy(int from, int to)
{
    char buffer[1 << 15];
    size_t total = 0;
    ssize_t got;

    while ((got = read(from, buffer, sizeof(buffer))) != 0) {
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return strerror(errno);
        total += (size_t)got;
        if (total > IMAGE_MOST)
            return "it is too large";
        for (ssize_t at = 0; at < got;) {
            const ssize_t put = write(to, buffer + at, (size_t)(got - at));

            if (put < 0 && errno != EINTR)
                return strerror(errno);
            at += put < 0 ? 0 : put;
        }
    }
    return total == 0 ? "it is empty" : NULL;
}

/* Nobody writes to it from now on; map it. */
static const char *seal(sr_image *image)
{
    const int seals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;
    struct stat st;

    if (fcntl(image->fd, F_ADD_SEALS, seals) != 0 || fstat(image->fd, &st) != 0)
        return strerror(errno);
    void *map =
        mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, image->fd, 0);

    if (map == MAP_FAILED)
        return strerror(errno);
    image->bytes = (sg_str){map, (size_t)st.st_size};
    return NULL;
}

static const char *read_file(int fd, sr_image *image)
{
    struct stat st;

    if (fstat(fd, &st) != 0)
        return strerror(errno);
    if (!S_ISREG(st.st_mode))
        return "it is no regular file";
    image->fd = memfd_create("sigma_pack", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (image->fd < 0)
        return strerror(errno);
    const char *why = copy(fd, image->fd);

    return why != NULL ? why : seal(image);
}

sigma_status sr_image_read(const char *path, sr_image *image,
                           sigma_error *error)
{
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

    *image = (sr_image){.fd = -1};
    if (fd < 0)
        return sr_failed(error, SIGMA_E_FILE, path, strerror(errno));
    const char *why = read_file(fd, image);

    (void)close(fd);
    if (why == NULL)
        return SIGMA_OK;
    sr_image_close(image);
    return sr_failed(error, SIGMA_E_FILE, path, why);
}

void sr_image_unmap(sr_image *image)
{
    if (image->bytes.ptr != NULL)
        (void)munmap((void *)(uintptr_t)image->bytes.ptr, image->bytes.len);
    image->bytes = (sg_str){NULL, 0};
}

void sr_image_close(sr_image *image)
{
    sr_image_unmap(image);
    if (image->fd >= 0)
        (void)close(image->fd);
    image->fd = -1;
}

/* -------- headers -------------------------------------------------------- */

/* Copy what stands at an offset, wherever that is aligned; false when the file
 * ends before. */
static bool get(sg_str bytes, uint64_t at, void *out, size_t len)
{
    if (at > bytes.len || len > bytes.len - at)
        return false;
    memcpy(out, bytes.ptr + at, len);
    return true;
}

static bool is_inside(sg_str bytes, uint64_t at, uint64_t len)
{
    return at <= bytes.len && len <= bytes.len - at;
}

/* Whether a segment of notes holds the manifest. */
static bool has_manifest(sg_str notes)
{
    ElfW(Nhdr) note;
    uint64_t at = 0;

    while (get(notes, at, &note, sizeof(note))) {
        const uint64_t name = at + sizeof(note);
        const uint64_t text = name + (((uint64_t)note.n_namesz + 3) & ~3ULL);

        if ((note.n_type == SIGMA_NOTE_TYPE ||
             note.n_type == SIGMA_NOTE_ENCODED_TYPE) &&
            note.n_namesz == sizeof(SIGMA_NOTE_OWNER) &&
            is_inside(notes, name, note.n_namesz) &&
            memcmp(notes.ptr + name, SIGMA_NOTE_OWNER, note.n_namesz) == 0)
            return is_inside(notes, text, note.n_descsz);
        at = text + (((uint64_t)note.n_descsz + 3) & ~3ULL);
    }
    return false;
}

static bool is_native(const ElfW(Ehdr) * head)
{
    const unsigned char mine = sizeof(void *) == 8 ? ELFCLASS64 : ELFCLASS32;
    const uint16_t one = 1;
    unsigned char order;

    memcpy(&order, &one, 1);
    return memcmp(head->e_ident, ELFMAG, SELFMAG) == 0 &&
           head->e_ident[EI_CLASS] == mine &&
           head->e_ident[EI_DATA] == (order == 1 ? ELFDATA2LSB : ELFDATA2MSB) &&
           head->e_type == ET_DYN && head->e_phentsize == sizeof(ElfW(Phdr));
}

const char *sr_image_fault(const sr_image *image)
{
    const sg_str bytes = image->bytes;
    bool found = false;
    ElfW(Ehdr) head;
    ElfW(Phdr) part;

    if (!get(bytes, 0, &head, sizeof(head)) || !is_native(&head))
        return "it is no shared object for this machine";
    for (unsigned i = 0; i < head.e_phnum; i++) {
        if (!get(bytes, head.e_phoff + (uint64_t)i * sizeof(part), &part,
                 sizeof(part)) ||
            !is_inside(bytes, part.p_offset, part.p_filesz))
            return "it is not whole";
        if (part.p_type == PT_NOTE && !found)
            found = has_manifest(
                (sg_str){bytes.ptr + part.p_offset, (size_t)part.p_filesz});
    }
    return found ? NULL : "it holds no manifest of sigcc's";
}
