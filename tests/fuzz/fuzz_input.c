/*
 * fuzz_input.c - the line source on any bytes.
 *
 * Properties: bytes that no codec claims give the lines of a naive split;
 * wrapped in a zstd frame of raw blocks they give the same; bytes that a codec
 * claims end, with lines that keep to the limit and are numbered in order.
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

/* Lines of the stream; its format goes to *plain. */
static sg_buf read_all(sg_str bytes, bool *plain)
{
    const int fd = memfd_create("input", 0);
    char path[64], reason[SR_INPUT_REASON];
    uint64_t number, offset, last = 0, low = 0;
    sr_line_status status;
    sr_input *input;
    sg_buf out = {0};
    sg_str line;

    if (fd < 0 || write(fd, bytes.ptr, bytes.len) != (ssize_t)bytes.len)
        abort();
    (void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    input = sr_input_open(path, MAX_LINE, reason);
    if (input == NULL)
        abort();
    while ((status = sr_input_next(input, &line, &number, &offset)) != SR_END) {
        if (number != ++last || offset < low || line.len > MAX_LINE ||
            (status == SR_BAD) != (sr_input_reason(input)[0] != '\0'))
            abort();
        low = offset;
        put_item(&out, number, offset, status, line);
    }
    *plain = strcmp(sr_input_format(input), "plain") == 0;
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
    sg_buf lines = read_all(bytes, &plain);
    sg_buf want = split(bytes);
    sg_buf frame = wrap(bytes, size == 0 ? 1 : 1 + data[0] % 64);
    sg_buf unwrapped = read_all(sg_buf_str(&frame), &wrapped_plain);

    if (plain)
        check_same(&lines, &want);
    if (wrapped_plain)
        abort();
    check_same(&unwrapped, &want);
    sg_buf_free(&lines);
    sg_buf_free(&want);
    sg_buf_free(&frame);
    sg_buf_free(&unwrapped);
    return 0;
}
