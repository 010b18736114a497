/*
 * source.c - the texts a session reads: loading files, finding lines. Lines
 * end with LF, CR LF or a lone CR; a byte order mark is in no line.
 */
#include "base/base.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Whether the byte at i is the last of a line. */
static bool ends_line(sg_str text, size_t i)
{
    if (text.ptr[i] == '\r')
        return i + 1 == text.len || text.ptr[i + 1] != '\n';
    return text.ptr[i] == '\n';
}

static void find_lines(sc_session *s, sc_source *source)
{
    const sg_str text = source->text;
    uint32_t count = 1;

    for (size_t i = 0; i < text.len; i++)
        count += ends_line(text, i);
    source->line_starts = sg_new_n(&s->arena, uint32_t, count);
    source->line_starts[0] = sg_str_starts(text, SG_S("\xEF\xBB\xBF")) ? 3 : 0;
    source->line_count = 1;
    for (size_t i = 0; i < text.len; i++)
        if (ends_line(text, i))
            source->line_starts[source->line_count++] = (uint32_t)i + 1;
}

uint32_t sc_source_add(sc_session *s, sg_str path, sg_str text)
{
    sc_source source = {.path = sg_arena_dup(&s->arena, path)};

    if (text.len > SC_MAX_SOURCE)
        sg_fatal("a source of %zu bytes", text.len);
    source.text = sg_arena_dup(&s->arena, text);
    find_lines(s, &source);
    SG_PUSH(&s->arena, &s->sources, source);
    return s->sources.count - 1;
}

/* Read all of fd; NULL, or why not. */
static const char *read_all(int fd, sg_buf *buf)
{
    struct stat info;

    if (fstat(fd, &info) != 0)
        return strerror(errno);
    if (!S_ISREG(info.st_mode))
        return "not a regular file";
    for (;;) {
        char *room = sg_buf_reserve(buf, 1 << 16);
        const ssize_t n = read(fd, room, 1 << 16);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return strerror(errno);
        if (n == 0)
            return NULL;
        buf->len += (size_t)n;
        if (buf->len > SC_MAX_SOURCE)
            return "larger than 16 MiB";
    }
}

static const char *read_file(sc_session *s, sg_str path, sg_buf *buf)
{
    const char *why;
    int fd;

    if (memchr(path.ptr, '\0', path.len) != NULL)
        return "a path cannot hold a NUL";
    /* Not blocking: a FIFO without a writer must not hang the compiler. */
    fd = open(sg_arena_dup(&s->arena, path).ptr,
              O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return strerror(errno);
    why = read_all(fd, buf);
    close(fd);
    return why;
}

bool sc_source_open(sc_session *s, sg_str path, uint32_t *id)
{
    sg_buf buf = {0};
    const char *why = read_file(s, path, &buf);

    if (why == NULL)
        *id = sc_source_add(s, path, sg_buf_str(&buf));
    sg_buf_free(&buf);
    return why == NULL || sc_error(s, SC_E0101, SC_NOWHERE,
                                   "cannot read '%.*s': %s", SG_FMT(path), why);
}

/* 0-based line that holds byte `at`. */
static uint32_t line_of(const sc_source *source, uint32_t at)
{
    uint32_t low = 0, high = source->line_count;

    while (high - low > 1) {
        const uint32_t mid = low + (high - low) / 2;

        if (source->line_starts[mid] <= at)
            low = mid;
        else
            high = mid;
    }
    return low;
}

void sc_source_pos(const sc_session *s, uint32_t source, uint32_t at,
                   uint32_t *line, uint32_t *column)
{
    const sc_source *from = &s->sources.items[source];
    const uint32_t number = line_of(from, at);
    size_t pos = from->line_starts[number];

    *line = number + 1;
    *column = 1;
    while (pos < at && pos < from->text.len) {
        sg_utf8_next(from->text, &pos);
        ++*column;
    }
}

sg_str sc_source_line(const sc_session *s, uint32_t source, uint32_t line)
{
    const sc_source *from = &s->sources.items[source];
    size_t beg, end;

    if (line == 0 || line > from->line_count)
        return SG_S("");
    beg = from->line_starts[line - 1];
    end = line < from->line_count ? from->line_starts[line] : from->text.len;
    while (end > beg &&
           (from->text.ptr[end - 1] == '\n' || from->text.ptr[end - 1] == '\r'))
        end--;
    return sg_str_sub(from->text, beg, end);
}

sg_str sc_path_folder(sg_arena *arena, sg_str path)
{
    size_t end = path.len;

    while (end > 0 && path.ptr[end - 1] != '/')
        end--;
    if (end == 0)
        return SG_S(".");
    while (end > 1 && path.ptr[end - 1] == '/')
        end--;
    return sg_arena_dup(arena, sg_str_sub(path, 0, end));
}
