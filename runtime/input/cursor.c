/*
 * cursor.c - cursors as bytes: a magic number, the numbers in the order of the
 * structure, little-endian, and one byte for `ended`.
 */
#include "input/input.h"

static const char magic[] = "SRC1";

enum { MAGIC = 4, NUMBERS = 8 };

_Static_assert(MAGIC + 8 * NUMBERS + 1 == SR_CURSOR_SIZE, "size of a cursor");

void sr_cursor_write(const sr_cursor *cursor, sg_buf *out)
{
    const uint64_t numbers[NUMBERS] = {
        cursor->dev,        cursor->ino,
        cursor->generation, cursor->offset,
        cursor->line,       cursor->print_len,
        cursor->print_hash, (uint64_t)cursor->modified};

    sg_buf_put(out, (sg_str){magic, MAGIC});
    for (unsigned i = 0; i < NUMBERS; i++)
        for (unsigned shift = 0; shift < 64; shift += 8)
            sg_buf_putc(out, (char)(numbers[i] >> shift & 0xFF));
    sg_buf_putc(out, cursor->ended ? 1 : 0);
}

/* What every cursor fulfils: a line has at least one byte. */
static bool is_sound(const sr_cursor *c)
{
    const uint64_t print =
        c->offset < SR_INPUT_PRINT ? c->offset : SR_INPUT_PRINT;

    return c->print_len == print && c->line <= c->offset &&
           (c->offset == 0) == (c->line == 0) && c->offset <= INT64_MAX;
}

bool sr_cursor_read(sg_str bytes, sr_cursor *out)
{
    uint64_t numbers[NUMBERS] = {0};

    if (bytes.len != SR_CURSOR_SIZE ||
        !sg_str_starts(bytes, (sg_str){magic, MAGIC}) ||
        (unsigned char)bytes.ptr[SR_CURSOR_SIZE - 1] > 1)
        return false;
    for (unsigned i = 0; i < 8 * NUMBERS; i++)
        numbers[i / 8] |= (uint64_t)(unsigned char)bytes.ptr[MAGIC + i]
                          << (i % 8 * 8);
    *out = (sr_cursor){.dev = numbers[0],
                       .ino = numbers[1],
                       .generation = numbers[2],
                       .offset = numbers[3],
                       .line = numbers[4],
                       .print_len = numbers[5],
                       .print_hash = numbers[6],
                       .modified = (int64_t)numbers[7],
                       .ended = bytes.ptr[SR_CURSOR_SIZE - 1] == 1};
    return is_sound(out);
}
