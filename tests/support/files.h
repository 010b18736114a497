/*
 * files.h - for tests of inputs: a folder of files to write, move and remove,
 * and what an input makes of them as text.
 */
#ifndef FILES_H
#define FILES_H

#include "input/input.h"
#include "support/test.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char files_folder[] = "/tmp/sigcc-test-files-XXXXXX";

static inline void files_open(void)
{
    if (mkdtemp(files_folder) == NULL || chdir(files_folder) != 0)
        abort();
}

/* Remove all that is in the folder. */
static inline void files_clear(void)
{
    DIR *dir = opendir(".");
    const struct dirent *d;

    while (dir != NULL && (d = readdir(dir)) != NULL)
        if (d->d_name[0] != '.' && unlink(d->d_name) != 0)
            (void)rmdir(d->d_name);
    if (dir != NULL)
        closedir(dir);
}

static inline void files_close(void)
{
    files_clear();
    if (chdir("/") != 0 || rmdir(files_folder) != 0)
        printf("%s is left behind\n", files_folder);
}

static inline void files_put(const char *name, int flags, sg_str bytes)
{
    const int fd = open(name, O_WRONLY | O_CREAT | O_CLOEXEC | flags, 0600);

    if (fd < 0 || write(fd, bytes.ptr, bytes.len) != (ssize_t)bytes.len)
        abort();
    close(fd);
}

static inline void files_append(const char *name, const char *text)
{
    files_put(name, O_APPEND, sg_str_of(text));
}

static inline void files_write(const char *name, const char *text)
{
    files_put(name, O_TRUNC, sg_str_of(text));
}

/* `to` becomes what `from` holds, in a file of its own. */
static inline void files_copy(const char *from, const char *to)
{
    char bytes[1 << 16];
    const int fd = open(from, O_RDONLY | O_CLOEXEC);
    const ssize_t got = fd < 0 ? -1 : read(fd, bytes, sizeof bytes);

    if (got < 0 || got == (ssize_t)sizeof bytes)
        abort();
    close(fd);
    files_put(to, O_TRUNC, (sg_str){bytes, (size_t)got});
}

static inline void files_move(const char *from, const char *to)
{
    if (rename(from, to) != 0)
        abort();
}

static inline sr_input *files_input(const char *path, bool follow,
                                    const sr_cursor *resume)
{
    const sr_input_options options = {
        .max_line = 64, .follow = follow, .resume = resume};
    char reason[SR_INPUT_REASON];
    sr_input *in = sr_input_open_with(path, &options, reason);

    if (in == NULL) {
        printf("%s: %s\n", path, reason);
        abort();
    }
    return in;
}

/* Append what one call gives, like "2 text;", "2 long;", "lost;", "bad;". */
static inline sr_line_status files_next(sr_input *in, sg_buf *out)
{
    uint64_t number, offset;
    sg_str line;
    const sr_line_status status = sr_input_next(in, &line, &number, &offset);

    if (status == SR_LINE || status == SR_TOO_LONG)
        sg_buf_printf(out, "%llu ", (unsigned long long)number);
    if (status == SR_LINE)
        sg_buf_put(out, line);
    if (status != SR_WAIT && status != SR_END)
        sg_buf_putz(out, status == SR_LINE       ? ";"
                         : status == SR_TOO_LONG ? "long;"
                         : status == SR_LOST     ? "lost;"
                                                 : "bad;");
    CHECK((status == SR_BAD || status == SR_LOST) ==
          (sr_input_reason(in)[0] != '\0'));
    return status;
}

/* Read until there is nothing now, or no more. */
static inline sr_line_status files_read(sr_input *in, sg_buf *out)
{
    sr_line_status status;

    do
        status = files_next(in, out);
    while (status != SR_WAIT && status != SR_END);
    return status;
}

/* Read and sleep until so much time is over. */
static inline void files_read_for(sr_input *in, sg_buf *out, int ms)
{
    for (int i = 0; i < ms / 100; i++) {
        files_read(in, out);
        usleep(100000);
    }
    files_read(in, out);
}

/* What is read must be this, then nothing now. */
static inline void files_want(sr_input *in, const char *want, const char *file,
                              int line)
{
    sg_buf have = {0};
    const sr_line_status status = files_read(in, &have);

    test_str(sg_buf_str(&have), sg_str_of(want), file, line);
    test_result(status == SR_WAIT, file, line, "nothing now");
    sg_buf_free(&have);
}

#define WANT(in, want) files_want((in), (want), __FILE__, __LINE__)

#endif
