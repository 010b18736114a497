/*
 * input.c - from bytes to lines. One buffer per stream: a codec appends to
 * it, lines are views into it, and what is left of the last line moves to its
 * front before more is read.
 */
#include "input/input.h"
#include "input/codec.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BOM "\xEF\xBB\xBF"

enum { RAW_SIZE = 1 << 18, LINE_SIZE = 1 << 20, PIPE_SIZE = 1 << 20 };

struct sr_input {
    sr_raw raw;
    const sr_codec *codec; /* NULL until the first read */
    void *state;
    char *buf; /* [pos, len) is decoded and not yet given out */
    size_t pos, len, cap;
    size_t scanned; /* no line end in [pos, scanned) */
    size_t max_line;
    uint64_t base;      /* offset of buf[0] in the decoded stream */
    uint64_t lines;     /* given out */
    uint64_t skip_from; /* where the line being skipped began */
    bool skipping;      /* it is too long */
    bool ended;
    char reason[SR_INPUT_REASON];
};

/* -------- raw bytes ---------------------------------------------------- */

size_t sr_raw_read(sr_raw *raw, void *dst, size_t cap)
{
    ssize_t got;

    if (raw->end)
        return 0;
    do {
        if (raw->before != NULL && !raw->before(raw->ctx)) {
            raw->end = true;
            return 0;
        }
        got = read(raw->fd, dst, cap);
    } while (got < 0 && errno == EINTR);
    if (got < 0)
        raw->failed = errno;
    raw->end = got <= 0;
    return got <= 0 ? 0 : (size_t)got;
}

bool sr_raw_fill(sr_raw *raw)
{
    if (raw->pos < raw->len)
        return true;
    raw->pos = 0;
    raw->len = sr_raw_read(raw, raw->buf, raw->cap);
    return raw->len != 0;
}

/* -------- opening and closing ------------------------------------------ */

static int open_path(const char *path)
{
    int fd;

    if (strcmp(path, "-") == 0)
        return STDIN_FILENO;
    do
        fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    while (fd < 0 && errno == EINTR);
    return fd;
}

/* 0, or why the descriptor cannot be read. */
static int prepare(int fd)
{
    struct stat st;

    if (fstat(fd, &st) != 0)
        return errno;
    if (S_ISDIR(st.st_mode))
        return EISDIR;
    if (S_ISFIFO(st.st_mode)) /* larger pipes mean fewer switches */
        (void)fcntl(fd, F_SETPIPE_SZ, PIPE_SIZE);
    else if (S_ISREG(st.st_mode))
        (void)posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    return 0;
}

static void close_fd(int fd)
{
    if (fd > STDIN_FILENO)
        close(fd);
}

static sr_input *new_input(int fd, size_t max_line)
{
    sr_input *input = calloc(1, sizeof *input);

    if (input == NULL)
        return NULL;
    input->max_line = max_line;
    input->raw.fd = fd;
    input->raw.cap = RAW_SIZE;
    input->raw.buf = malloc(RAW_SIZE);
    input->cap = LINE_SIZE;
    input->buf = malloc(LINE_SIZE);
    if (input->raw.buf != NULL && input->buf != NULL)
        return input;
    free(input->raw.buf);
    free(input->buf);
    free(input);
    return NULL;
}

sr_input *sr_input_open(const char *path, size_t max_line,
                        char reason[SR_INPUT_REASON])
{
    const int fd = open_path(path);
    int failed = fd < 0 ? errno : prepare(fd);
    sr_input *input = NULL;

    if (failed == 0) {
        input = new_input(fd, max_line);
        failed = input == NULL ? ENOMEM : 0;
    }
    if (failed != 0) {
        close_fd(fd);
        (void)snprintf(reason, SR_INPUT_REASON, "%s", strerror(failed));
    }
    return input;
}

void sr_input_close(sr_input *input)
{
    if (input == NULL)
        return;
    if (input->state != NULL)
        input->codec->close(input->state);
    close_fd(input->raw.fd);
    free(input->raw.buf);
    free(input->buf);
    free(input);
}

void sr_input_before_read(sr_input *input, bool (*before)(void *ctx), void *ctx)
{
    input->raw.before = before;
    input->raw.ctx = ctx;
}

const char *sr_input_reason(const sr_input *input)
{
    return input->reason;
}

const char *sr_input_format(const sr_input *input)
{
    return input->codec == NULL ? "" : input->codec->name;
}

/* -------- decoding ----------------------------------------------------- */

/* Choose the codec. Waits for no more than the first line, so that a slow
 * writer's first short line is not held back. */
static bool choose_codec(sr_input *input)
{
    static const sr_codec *const codecs[] = {
#define INPUT(name, doc) &sr_codec_##name,
#include "input/inputs.def"
#undef INPUT
    };
    sr_raw *raw = &input->raw;
    size_t i = 0, got = 1;

    while (raw->len < SR_PROBE && got != 0 &&
           memchr(raw->buf, '\n', raw->len) == NULL) {
        got = sr_raw_read(raw, raw->buf + raw->len, raw->cap - raw->len);
        raw->len += got;
    }
    while (i + 1 < sizeof codecs / sizeof codecs[0] &&
           !codecs[i]->probe(raw->buf, raw->len))
        i++; /* the last one takes anything */
    input->codec = codecs[i];
    input->state = codecs[i]->open();
    return input->state != NULL;
}

/* Space for at least half a LINE_SIZE behind buf[len]. */
static bool make_room(sr_input *input)
{
    char *larger;

    if (input->cap - input->len >= LINE_SIZE / 2)
        return true;
    memmove(input->buf, input->buf + input->pos, input->len - input->pos);
    input->base += input->pos;
    input->scanned -= input->pos;
    input->len -= input->pos;
    input->pos = 0;
    if (input->cap - input->len >= LINE_SIZE / 2)
        return true;
    larger = realloc(input->buf, input->cap * 2);
    if (larger == NULL)
        return false;
    input->buf = larger;
    input->cap *= 2;
    return true;
}

static void set_reason(sr_input *input, const char *reason)
{
    if (input->raw.failed != 0)
        reason = strerror(input->raw.failed);
    (void)snprintf(input->reason, sizeof input->reason, "%s", reason);
}

/* Append decoded bytes: SR_LINE if there are more, SR_END, or SR_BAD. */
static sr_line_status read_more(sr_input *input)
{
    const char *reason = "";
    size_t got = 0, room;

    if ((input->codec == NULL && !choose_codec(input)) || !make_room(input)) {
        set_reason(input, "out of memory");
        return SR_BAD;
    }
    room = input->cap - input->len;
    if (room > LINE_SIZE)
        room = LINE_SIZE;
    if (input->codec->read(input->state, &input->raw, &reason,
                           input->buf + input->len, room,
                           &got) == SR_CODEC_BAD) {
        set_reason(input, reason);
        return SR_BAD;
    }
    input->len += got;
    if (got != 0)
        return SR_LINE;
    if (input->raw.failed == 0)
        return SR_END;
    set_reason(input, "");
    return SR_BAD;
}

/* -------- lines -------------------------------------------------------- */

/* Give out [pos, end), a complete line without its LF; `next` is where the
 * following one begins. */
static sr_line_status take(sr_input *input, size_t end, size_t next,
                           sg_str *line, uint64_t *offset)
{
    sg_str text = {input->buf + input->pos, end - input->pos};
    const bool skipped = input->skipping;

    *offset = skipped ? input->skip_from : input->base + input->pos;
    input->pos = input->scanned = next;
    input->lines++;
    input->skipping = false;
    if (skipped)
        return SR_TOO_LONG;
    if (text.len != 0 && text.ptr[text.len - 1] == '\r')
        text.len--;
    if (*offset == 0 && sg_str_starts(text, SG_S(BOM)))
        text = sg_str_sub(text, sizeof BOM - 1, text.len);
    if (text.len > input->max_line)
        return SR_TOO_LONG;
    *offset = input->base + (uint64_t)(text.ptr - input->buf);
    *line = text;
    return SR_LINE;
}

/* Forget what there is of a line that is too long. A BOM and a CR do not
 * count, so a line is judged only when it exceeds the limit by more. */
static void drop_long(sr_input *input)
{
    if (!input->skipping && input->len - input->pos <= input->max_line + 4)
        return;
    if (!input->skipping)
        input->skip_from = input->base + input->pos;
    input->skipping = true;
    input->base += input->len;
    input->pos = input->len = input->scanned = 0;
}

static sr_line_status finish(sr_input *input, sr_line_status status,
                             sg_str *line, uint64_t *offset)
{
    const bool rest = input->pos < input->len || input->skipping;

    input->ended = true;
    if (status == SR_END && rest)
        return take(input, input->len, input->len, line, offset);
    *offset = input->skipping ? input->skip_from : input->base + input->pos;
    return status;
}

sr_line_status sr_input_next(sr_input *input, sg_str *line, uint64_t *number,
                             uint64_t *offset)
{
    sr_line_status status;

    *line = SG_S("");
    *number = input->lines + 1;
    *offset = input->base + input->pos;
    input->reason[0] = '\0';
    if (input->ended)
        return SR_END;
    for (;;) {
        const char *lf = memchr(input->buf + input->scanned, '\n',
                                input->len - input->scanned);
        if (lf != NULL) {
            const size_t end = (size_t)(lf - input->buf);
            return take(input, end, end + 1, line, offset);
        }
        input->scanned = input->len;
        drop_long(input);
        status = read_more(input);
        if (status != SR_LINE)
            return finish(input, status, line, offset);
    }
}
