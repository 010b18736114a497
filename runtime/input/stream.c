/*
 * stream.c - from bytes to lines. One buffer per stream: a codec appends to
 * it, lines are views into it, and what is left of the last line moves to its
 * front before more is read.
 */
#include "input/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BOM "\xEF\xBB\xBF"

enum {
    LINE_SIZE = SR_INPUT_ROOM,
    MOST_KEPT = 4 << 20, /* of a buffer, once long lines are over: ... */
    CALM = 16,           /* ... after so many reads */
    PIPE_SIZE = 1 << 20,
    LARGE = 1 << 20 /* bytes of a file; smaller ones are done in no time */
};

int64_t sr_nanoseconds(const struct timespec *t)
{
    return (int64_t)((uint64_t)t->tv_sec * 1000000000 + (uint64_t)t->tv_nsec);
}

/* -------- opening and closing ------------------------------------------ */

int sr_stream_path(const char *path, bool ahead)
{
    const int flags = O_RDONLY | O_CLOEXEC | O_NOCTTY;
    int fd;

    if (strcmp(path, "-") == 0)
        return STDIN_FILENO;
    do
        fd = open(path, ahead ? flags | O_NONBLOCK : flags);
    while (fd < 0 && errno == EINTR);
    if (fd >= 0 && ahead)
        (void)fcntl(fd, F_SETFL, flags);
    return fd;
}

void sr_stream_close_fd(int fd)
{
    if (fd > STDIN_FILENO)
        close(fd);
}

/* Learn what the descriptor is: 0, or why it cannot be read. */
static int prepare(sr_stream *s)
{
    struct stat st;

    if (fstat(s->raw.fd, &st) != 0)
        return errno;
    if (S_ISDIR(st.st_mode))
        return EISDIR;
    if (S_ISFIFO(st.st_mode)) /* larger pipes mean fewer switches */
        (void)fcntl(s->raw.fd, F_SETPIPE_SZ, PIPE_SIZE);
    s->regular = s->raw.regular = S_ISREG(st.st_mode);
    if (!s->regular)
        return 0;
    (void)posix_fadvise(s->raw.fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    s->large = st.st_size >= LARGE;
    s->dev = st.st_dev;
    s->ino = st.st_ino;
    s->modified = sr_nanoseconds(&st.st_mtim);
    return 0;
}

sr_stream *sr_stream_new(int fd, size_t max_line)
{
    sr_stream *s = calloc(1, sizeof *s);
    int failed = ENOMEM;

    if (s == NULL) {
        sr_stream_close_fd(fd);
        errno = failed;
        return NULL;
    }
    s->max_line = max_line;
    s->raw.fd = fd;
    s->raw.cap = SR_RAW_STEP;
    s->raw.buf = malloc(SR_RAW_STEP);
    s->cap = LINE_SIZE;
    s->buf = malloc(LINE_SIZE);
    if (s->raw.buf != NULL && s->buf != NULL)
        failed = prepare(s);
    if (failed == 0)
        return s;
    sr_stream_close(s);
    errno = failed;
    return NULL;
}

void sr_stream_close(sr_stream *s)
{
    if (s == NULL)
        return;
    sr_ahead_close(s->ahead);
    if (s->state != NULL)
        s->codec->close(s->state);
    sr_stream_close_fd(s->raw.fd);
    free(s->raw.buf);
    free(s->buf);
    free(s);
}

/* -------- decoding ----------------------------------------------------- */

static void set_reason(sr_stream *s, const char *reason)
{
    if (s->raw.failed != 0)
        reason = strerror(s->raw.failed);
    (void)snprintf(s->reason, sizeof s->reason, "%s", reason);
}

/* Whether a read would have to wait, which a stream followed does not. A poll
 * that fails leaves it to the read. */
static bool is_dry(const sr_stream *s)
{
    struct pollfd ready = {.fd = s->raw.fd, .events = POLLIN};

    return s->follow && !s->regular && !s->raw.end && !s->full &&
           s->raw.pos == s->raw.len && poll(&ready, 1, 0) == 0;
}

/* Enough to choose the codec: no more than the first line, so that a slow
 * writer's first short line is not held back. */
static bool knows_format(const sr_raw *raw)
{
    return raw->len >= SR_PROBE || memchr(raw->buf, '\n', raw->len) != NULL;
}

/* Whether the file is not the one that was read so far, though its inode is.
 * Asked after a read, so that bytes of the new content are never taken. */
static bool is_rewritten(sr_stream *s)
{
    char head[SR_INPUT_PRINT];
    struct stat st;
    ssize_t got;

    if (fstat(s->raw.fd, &st) != 0)
        return false;
    if (st.st_size < 0 || (uint64_t)st.st_size < s->raw.total)
        return true;
    do
        got = pread(s->raw.fd, head, s->head_len, 0);
    while (got < 0 && errno == EINTR);
    if (got >= 0 &&
        ((size_t)got != s->head_len || memcmp(head, s->head, s->head_len) != 0))
        return true;
    s->modified = sr_nanoseconds(&st.st_mtim);
    return false;
}

/* Choose the codec: SR_LINE, SR_WAIT or SR_BAD. */
static sr_line_status choose_codec(sr_stream *s)
{
    static const sr_codec *const codecs[] = {
#define INPUT(name, doc) &sr_codec_##name,
#include "input/inputs.def"
#undef INPUT
    };
    sr_raw *raw = &s->raw;
    size_t i = 0, got = 1;

    while (!knows_format(raw) && got != 0) {
        struct pollfd ready = {.fd = raw->fd, .events = POLLIN};
        if (s->follow && !s->regular && poll(&ready, 1, 0) == 0)
            return SR_WAIT;
        got = sr_raw_read(raw, raw->buf + raw->len, raw->cap - raw->len);
        raw->len += got;
    }
    if (!knows_format(raw) && s->follow && s->regular && raw->failed == 0 &&
        !raw->stopped) {
        raw->end = false;
        s->replaced = is_rewritten(s);
        return SR_WAIT;
    }
    while (i + 1 < sizeof codecs / sizeof codecs[0] &&
           !codecs[i]->probe(raw->buf, raw->len))
        i++; /* the last one takes anything */
    s->codec = codecs[i];
    s->state = codecs[i]->open();
    if (s->state == NULL) {
        set_reason(s, "out of memory");
        return SR_BAD;
    }
    return SR_LINE;
}

/* Leave the codec to a thread once it is seen to be of use. */
static void go_ahead(sr_stream *s)
{
    if (s->ahead != NULL || !s->beside || !s->large ||
        s->codec == &sr_codec_plain ||
        (s->codec->is_steady != NULL && !s->codec->is_steady(s->state)))
        return;
    s->ahead = sr_ahead_open(s->codec, s->state, &s->raw);
    s->beside = s->ahead != NULL;
}

static sr_codec_status decode(sr_stream *s, const char **reason, size_t room,
                              size_t *got)
{
    char *to = s->buf + s->len;

    if (s->ahead != NULL)
        return sr_ahead_read(s->ahead, &s->raw, reason, to, room, got);
    return s->codec->read(s->state, &s->raw, reason, to, room, got);
}

static void move_to_front(sr_stream *s)
{
    memmove(s->buf, s->buf + s->pos, s->len - s->pos);
    s->base += s->pos;
    s->scanned -= s->pos;
    s->len -= s->pos;
    s->pos = 0;
}

/* No more long lines: the memory that they needed goes back. */
static void shrink(sr_stream *s)
{
    char *smaller;

    move_to_front(s);
    smaller = realloc(s->buf, LINE_SIZE);
    if (smaller == NULL)
        return;
    s->buf = smaller;
    s->cap = LINE_SIZE;
}

/* Space for at least half a LINE_SIZE behind buf[len]. */
static bool make_room(sr_stream *s)
{
    char *larger;

    s->calm = s->len - s->pos > LINE_SIZE ? 0 : s->calm + 1;
    if (s->cap > MOST_KEPT && s->calm >= CALM &&
        s->len - s->pos <= LINE_SIZE / 2)
        shrink(s);
    if (s->cap - s->len >= LINE_SIZE / 2)
        return true;
    move_to_front(s);
    if (s->cap - s->len >= LINE_SIZE / 2)
        return true;
    larger = realloc(s->buf, s->cap * 2);
    if (larger == NULL)
        return false;
    s->buf = larger;
    s->cap *= 2;
    return true;
}

/* Take `got` bytes behind buf[len], the first of the stream into `head`. */
static void append(sr_stream *s, size_t got)
{
    const uint64_t from = s->base + s->len;
    const size_t known = s->head_len;

    if (from <= known && got > known - from) {
        const size_t skip = (size_t)(known - from);
        size_t n = got - skip;
        if (n > SR_INPUT_PRINT - known)
            n = SR_INPUT_PRINT - known;
        memcpy(s->head + known, s->buf + s->len + skip, n);
        s->head_len += n;
    }
    s->len += got;
}

/* Take what the codec gave; nothing is the end, or only for now. */
static sr_line_status settle(sr_stream *s, size_t got)
{
    const bool grows = s->follow && s->regular && s->codec == &sr_codec_plain;

    if (grows && is_rewritten(s)) {
        s->replaced = true;
        return SR_WAIT;
    }
    append(s, got);
    if (got != 0)
        return SR_LINE;
    if (s->raw.failed != 0) {
        set_reason(s, "");
        return SR_BAD;
    }
    if (!grows || s->raw.stopped)
        return SR_END;
    s->raw.end = false;
    return SR_WAIT;
}

sr_line_status sr_stream_more(sr_stream *s)
{
    const char *reason = "";
    size_t got = 0, room;
    sr_line_status status = SR_LINE;

    if (s->replaced && s->follow)
        return SR_WAIT;
    if (s->codec == NULL)
        status = choose_codec(s);
    if (status != SR_LINE)
        return status;
    if (!make_room(s)) {
        set_reason(s, "out of memory");
        return SR_BAD;
    }
    if (is_dry(s))
        return SR_WAIT;
    room = s->cap - s->len;
    if (room > LINE_SIZE)
        room = LINE_SIZE;
    if (decode(s, &reason, room, &got) == SR_CODEC_BAD) {
        set_reason(s, reason);
        return s->raw.stopped ? SR_END : SR_BAD;
    }
    s->full = got == room && s->codec != &sr_codec_plain;
    if (got != 0)
        go_ahead(s);
    return settle(s, got);
}

/* -------- lines -------------------------------------------------------- */

/* Give out [pos, end), a complete line without its LF; `next` is where the
 * following one begins. */
static sr_line_status take(sr_stream *s, size_t end, size_t next, sg_str *line,
                           uint64_t *offset)
{
    sg_str text = {s->buf + s->pos, end - s->pos};
    const bool skipped = s->skipping;

    *offset = skipped ? s->skip_from : s->base + s->pos;
    s->pos = s->scanned = next;
    s->lines++;
    s->skipping = false;
    if (skipped)
        return SR_TOO_LONG;
    if (text.len != 0 && text.ptr[text.len - 1] == '\r')
        text.len--;
    if (*offset == 0 && sg_str_starts(text, SG_S(BOM)))
        text = sg_str_sub(text, sizeof BOM - 1, text.len);
    if (text.len > s->max_line)
        return SR_TOO_LONG;
    *offset = s->base + (uint64_t)(text.ptr - s->buf);
    *line = text;
    return SR_LINE;
}

/* Forget what there is of a line that is too long. A BOM and a CR do not
 * count, so a line is judged only when it exceeds the limit by more. */
static void drop_long(sr_stream *s)
{
    if (!s->skipping && s->len - s->pos <= s->max_line + 4)
        return;
    if (!s->skipping)
        s->skip_from = s->base + s->pos;
    s->skipping = true;
    s->base += s->len;
    s->pos = s->len = s->scanned = 0;
}

static uint64_t place(const sr_stream *s)
{
    return s->skipping ? s->skip_from : s->base + s->pos;
}

/* Not a line: the end in some way, or nothing yet. */
static sr_line_status leave_off(sr_stream *s, sr_line_status status,
                                sg_str *line, uint64_t *offset)
{
    const bool rest = s->pos < s->len || s->skipping;

    *offset = place(s);
    if (status == SR_WAIT)
        return status;
    s->ended = true;
    s->bad = status == SR_BAD;
    if (status == SR_END && rest && !s->raw.stopped)
        return take(s, s->len, s->len, line, offset);
    return status;
}

sr_line_status sr_stream_next(sr_stream *s, sg_str *line, uint64_t *number,
                              uint64_t *offset)
{
    sr_line_status status;

    *line = SG_S("");
    *number = s->lines + 1;
    *offset = place(s);
    s->reason[0] = '\0';
    if (s->ended)
        return SR_END;
    for (;;) {
        const char *lf = memchr(s->buf + s->scanned, '\n', s->len - s->scanned);
        if (lf != NULL) {
            const size_t end = (size_t)(lf - s->buf);
            return take(s, end, end + 1, line, offset);
        }
        s->scanned = s->len;
        drop_long(s);
        status = sr_stream_more(s);
        if (status != SR_LINE)
            return leave_off(s, status, line, offset);
    }
}

sg_str sr_stream_ahead(const sr_stream *s, uint64_t *number, uint64_t *offset)
{
    const char *const text = s->buf + s->pos;
    const char *last = NULL;

    *number = s->lines + 1;
    *offset = s->base + s->pos;
    /* The first line of all may have a byte order mark. */
    if (!s->skipping && !s->ended && *offset != 0)
        last = memrchr(text, '\n', s->len - s->pos);
    return (sg_str){text, last == NULL ? 0 : (size_t)(last - text) + 1};
}

void sr_stream_pass(sr_stream *s, size_t len, uint64_t lines)
{
    s->pos += len;
    if (s->scanned < s->pos)
        s->scanned = s->pos;
    s->lines += lines;
}

bool sr_stream_give(sr_stream *s, size_t len, uint64_t lines, char **room)
{
    char *const old = s->buf;

    if (s->cap != LINE_SIZE)
        return false;
    if (*room == NULL)
        *room = malloc(LINE_SIZE);
    if (*room == NULL)
        return false;
    sr_stream_pass(s, len, lines);
    s->base += s->pos;
    s->len -= s->pos;
    memcpy(*room, old + s->pos, s->len);
    s->pos = s->scanned = 0;
    s->buf = *room;
    *room = old;
    return true;
}

/* -------- places ------------------------------------------------------- */

void sr_stream_follow(sr_stream *s)
{
    s->follow = true;
    s->ended = s->bad;
    s->raw.end = s->raw.stopped || s->raw.failed != 0;
}

void sr_stream_finish(sr_stream *s, bool read_on)
{
    s->follow = false;
    s->raw.end = s->raw.end || !read_on;
}

void sr_stream_cursor(const sr_stream *s, sr_cursor *out)
{
    struct stat st;

    *out = (sr_cursor){.dev = s->dev,
                       .ino = s->ino,
                       .offset = place(s),
                       .line = s->lines,
                       .modified = s->modified};
    out->print_len =
        out->offset < SR_INPUT_PRINT ? out->offset : SR_INPUT_PRINT;
    out->print_hash = sg_str_hash((sg_str){s->head, (size_t)out->print_len});
    if (s->regular && fstat(s->raw.fd, &st) == 0)
        out->modified = sr_nanoseconds(&st.st_mtim);
}

bool sr_stream_begins(const sr_stream *s, const sr_cursor *cursor)
{
    const size_t len = (size_t)cursor->print_len;

    return len <= s->head_len &&
           sg_str_hash((sg_str){s->head, len}) == cursor->print_hash;
}

bool sr_stream_jump(sr_stream *s, uint64_t offset)
{
    if (lseek(s->raw.fd, (off_t)offset, SEEK_SET) < 0)
        return false;
    s->raw.pos = s->raw.len = 0;
    s->raw.total = s->base = offset;
    s->raw.end = false;
    s->pos = s->len = s->scanned = 0;
    return true;
}

/* Plain bytes need not be read to be skipped. */
static sr_match seek_plain(sr_stream *s, uint64_t offset)
{
    struct stat st;

    if (fstat(s->raw.fd, &st) != 0 || st.st_size < 0 ||
        (uint64_t)st.st_size < offset)
        return SR_SHORT;
    return sr_stream_jump(s, offset) ? SR_FOUND : SR_OTHER;
}

static sr_match seek_decoding(sr_stream *s, uint64_t offset)
{
    while (s->base + s->len < offset) {
        s->base += s->len;
        s->pos = s->len = s->scanned = 0;
        if (sr_stream_more(s) != SR_LINE)
            return SR_SHORT;
    }
    s->pos = s->scanned = (size_t)(offset - s->base);
    return SR_FOUND;
}

sr_match sr_stream_seek(sr_stream *s, const sr_cursor *cursor)
{
    sr_match match;

    while (s->head_len < cursor->print_len)
        if (sr_stream_more(s) != SR_LINE)
            break;
    if (!sr_stream_begins(s, cursor))
        return SR_OTHER;
    if (cursor->offset == 0)
        return SR_FOUND;
    match = s->codec == &sr_codec_plain ? seek_plain(s, cursor->offset)
                                        : seek_decoding(s, cursor->offset);
    s->lines = cursor->line;
    return match;
}

bool sr_stream_changed(const sr_stream *s)
{
    struct stat st;

    return fstat(s->raw.fd, &st) != 0 || st.st_size < 0 ||
           (uint64_t)st.st_size != s->raw.total ||
           sr_nanoseconds(&st.st_mtim) != s->modified;
}
