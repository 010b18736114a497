/*
 * fuzz_input.c - the line source on any bytes.
 *
 * Properties: bytes that no codec claims give the lines of a naive split;
 * wrapped in a zstd frame of raw blocks they give the same; bytes that a codec
 * claims end, with lines that keep to the limit and are numbered in order.
 * Resuming at a cursor equals reading on; so does following a file that grows.
 */
#include "input/input.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { MAX_LINE = 16 };

static void put_item(sg_buf *out, uint64_t number, uint64_t offset,
                     sr_line_status status, sg_str line)
{
    sg_buf_printf(out, "%llu@%llu %d %zu:", (unsigned long long)number,
                  (unsigned long long)offset, (int)status, line.len);
    sg_buf_put(out, line);
}

static int new_file(sg_str bytes, char path[64])
{
    const int fd = memfd_create("input", 0);

    if (fd < 0 || write(fd, bytes.ptr, bytes.len) != (ssize_t)bytes.len)
        abort();
    (void)snprintf(path, 64, "/proc/self/fd/%d", fd);
    return fd;
}

static sr_input *open_at(const char *path, bool follow, const sr_cursor *resume)
{
    const sr_input_options options = {
        .max_line = MAX_LINE, .follow = follow, .resume = resume};
    char reason[SR_INPUT_REASON];
    sr_input *input = sr_input_open_with(path, &options, reason);

    if (input == NULL)
        abort();
    return input;
}

/* Append up to `count` items to `out`; the last status. */
static sr_line_status read_items(sr_input *input, uint64_t count, sg_buf *out)
{
    uint64_t number, offset, last = 0, low = 0;
    sr_line_status status = SR_LINE;
    sg_str line;

    for (; count > 0; count--) {
        status = sr_input_next(input, &line, &number, &offset);
        if (status == SR_END || status == SR_WAIT)
            break;
        if ((last != 0 && number != last + 1) || offset < low ||
            line.len > MAX_LINE || status == SR_LOST ||
            (status == SR_BAD) != (sr_input_reason(input)[0] != '\0'))
            abort();
        last = number;
        low = offset;
        put_item(out, number, offset, status, line);
    }
    return status;
}

/* Lines of the stream, read in two parts with a cursor between them; its
 * format goes to *plain. */
static sg_buf read_all(sg_str bytes, uint64_t first, bool *plain)
{
    char path[64];
    const int fd = new_file(bytes, path);
    sr_input *input = open_at(path, false, NULL);
    sg_buf out = {0}, saved = {0};
    sr_cursor at;

    (void)read_items(input, first, &out);
    sr_input_cursor(input, &at);
    sr_cursor_write(&at, &saved);
    if (!sr_cursor_read(sg_buf_str(&saved), &at))
        abort();
    const size_t middle = out.len;

    while (read_items(input, UINT64_MAX, &out) != SR_END)
        ;
    *plain = strcmp(sr_input_format(input), "plain") == 0;
    sr_input_close(input);
    input = open_at(path, false, &at);
    saved.len = 0;
    while (read_items(input, UINT64_MAX, &saved) != SR_END)
        ;
    /* Damage told before the cursor was taken is told again. */
    if (!sg_str_ends(sg_buf_str(&saved),
                     sg_str_sub(sg_buf_str(&out), middle, out.len)) ||
        (*plain && saved.len != out.len - middle))
        abort();
    sr_input_close(input);
    sg_buf_free(&saved);
    close(fd);
    return out;
}

/* The same of a plain file that grows, the last line completed. */
static sg_buf read_growing(sg_str bytes, size_t step)
{
    char path[64];
    const int fd = new_file(SG_S(""), path);
    sr_input *input = open_at(path, true, NULL);
    sg_buf out = {0};
    size_t pos = 0;

    while (pos < bytes.len) {
        const size_t n = bytes.len - pos < step ? bytes.len - pos : step;
        if (write(fd, bytes.ptr + pos, n) != (ssize_t)n ||
            read_items(input, UINT64_MAX, &out) != SR_WAIT)
            abort();
        pos += n;
    }
    if (bytes.len != 0 && bytes.ptr[bytes.len - 1] != '\n' &&
        (write(fd, "\n", 1) != 1 ||
         read_items(input, UINT64_MAX, &out) != SR_WAIT))
        abort();
    sr_input_close(input);
    close(fd);
    return out;
}

static sg_buf split(sg_str bytes)
{
    uint64_t number = 0;
    size_t pos = 0;
    sg_buf out = {0};

    while (pos < bytes.len) {
        const sg_str rest = sg_str_sub(bytes, pos, bytes.len);
        const size_t lf = sg_str_find(rest, SG_S("\n"));
        sg_str line = sg_str_sub(rest, 0, lf);
        const size_t start = pos;
        size_t offset = start;

        pos = lf == SIZE_MAX ? bytes.len : pos + lf + 1;
        if (sg_str_ends(line, SG_S("\r")))
            line.len--;
        if (offset == 0 && sg_str_starts(line, SG_S("\xEF\xBB\xBF"))) {
            line = sg_str_sub(line, 3, line.len);
            offset = 3;
        }
        if (line.len > MAX_LINE)
            put_item(&out, ++number, start, SR_TOO_LONG, SG_S(""));
        else
            put_item(&out, ++number, offset, SR_LINE, line);
    }
    return out;
}

/* One zstd frame of raw blocks of up to `step` bytes. */
static sg_buf wrap(sg_str bytes, size_t step)
{
    sg_buf out = {0};
    size_t pos = 0;

    sg_buf_put(&out, SG_S("\x28\xb5\x2f\xfd\x00\x50"));
    do {
        const size_t left = bytes.len - pos;
        const size_t n = left < step ? left : step;
        const size_t head = n << 3 | (n == left);
        sg_buf_putc(&out, (char)(head & 0xFF));
        sg_buf_putc(&out, (char)(head >> 8 & 0xFF));
        sg_buf_putc(&out, (char)(head >> 16 & 0xFF));
        sg_buf_put(&out, sg_str_sub(bytes, pos, pos + n));
        pos += n;
    } while (pos < bytes.len);
    return out;
}

static void check_same(const sg_buf *have, const sg_buf *want)
{
    if (sg_str_eq(sg_buf_str(have), sg_buf_str(want)))
        return;
    fprintf(stderr, "have %.*s\nwant %.*s\n", SG_FMT(*have), SG_FMT(*want));
    abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const sg_str bytes = {(const char *)data, size};
    bool plain = false, wrapped_plain = true;
    const uint64_t first = size == 0 ? 0 : data[size - 1] % 8;
    sg_buf lines = read_all(bytes, first, &plain);
    sg_buf want = split(bytes);
    sg_buf frame = wrap(bytes, size == 0 ? 1 : 1 + data[0] % 64);
    sg_buf unwrapped = read_all(sg_buf_str(&frame), first, &wrapped_plain);

    if (plain) {
        sg_buf grown = read_growing(bytes, 1 + first);
        check_same(&lines, &want);
        check_same(&grown, &want);
        sg_buf_free(&grown);
    }
    if (wrapped_plain)
        abort();
    check_same(&unwrapped, &want);
    sg_buf_free(&lines);
    sg_buf_free(&want);
    sg_buf_free(&frame);
    sg_buf_free(&unwrapped);
    return 0;
}
