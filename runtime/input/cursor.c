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
        sg_put_u64(out, numbers[i]);
    sg_put_u8(out, cursor->ended);
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
    sg_reader r = {bytes, false};
    uint64_t numbers[NUMBERS];

    if (!sg_str_eq(sg_read_bytes(&r, MAGIC), (sg_str){magic, MAGIC}))
        return false;
    for (unsigned i = 0; i < NUMBERS; i++)
        numbers[i] = sg_read_u64(&r);
    const uint8_t ended = sg_read_u8(&r);

    if (!sg_read_done(&r) || ended > 1)
        return false;
    *out = (sr_cursor){.dev = numbers[0],
                       .ino = numbers[1],
                       .generation = numbers[2],
                       .offset = numbers[3],
                       .line = numbers[4],
                       .print_len = numbers[5],
                       .print_hash = numbers[6],
                       .modified = (int64_t)numbers[7],
                       .ended = ended == 1};
    return is_sound(out);
}
