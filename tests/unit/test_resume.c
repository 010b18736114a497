/*
 * test_resume.c - reading from a cursor gives exactly what was left: in plain
 * and compressed files, in streams fed again, after rotations meanwhile.
 */
#include "support/files.h"
#include "support/pack.h"

#include <sys/wait.h>

#define TEXT "\xEF\xBB\xBFone\r\n\ntwo \xC3\xA4\nthree\n" LONG "\n\nlast"
#define LONG                                                                   \
    "0123456789012345678901234567890123456789012345678901234567890123456789"
enum { TEXT_LINES = 7 };

/* -------- cursors as bytes --------------------------------------------- */

static void test_bytes(void)
{
    const sr_cursor at = {.dev = 1,
                          .ino = UINT64_MAX,
                          .generation = 3,
                          .offset = 5000,
                          .line = 17,
                          .print_len = SR_INPUT_PRINT,
                          .print_hash = UINT64_C(0x123456789ABCDEF0),
                          .modified = -5,
                          .ended = true};
    sr_cursor back;
    sg_buf bytes = {0};

    sr_cursor_write(&at, &bytes);
    CHECK_INT(bytes.len, SR_CURSOR_SIZE);
    CHECK_STR(sg_str_sub(sg_buf_str(&bytes), 0, 14),
              SG_S("SRC1\1\0\0\0\0\0\0\0\xFF\xFF"));
    CHECK(sr_cursor_read(sg_buf_str(&bytes), &back));
    CHECK(back.dev == 1 && back.ino == UINT64_MAX && back.generation == 3 &&
          back.offset == 5000 && back.line == 17 &&
          back.print_len == SR_INPUT_PRINT &&
          back.print_hash == at.print_hash && back.modified == -5 &&
          back.ended);
    for (size_t len = 0; len < bytes.len; len++)
        CHECK(!sr_cursor_read((sg_str){bytes.ptr, len}, &back));
    bytes.ptr[bytes.len - 1] = 2;
    CHECK(!sr_cursor_read(sg_buf_str(&bytes), &back));
    bytes.len = 0;
    sr_cursor_write(&(sr_cursor){.offset = 5, .line = 1, .print_len = 4},
                    &bytes);
    CHECK(!sr_cursor_read(sg_buf_str(&bytes), &back));
    bytes.len = 0;
    sr_cursor_write(&(sr_cursor){.offset = 5, .line = 6, .print_len = 5},
                    &bytes);
    CHECK(!sr_cursor_read(sg_buf_str(&bytes), &back));
    sg_buf_free(&bytes);
}

/* -------- every line boundary ------------------------------------------ */

/* Feed `bytes` to standard input. */
static void feed(sg_str bytes)
{
    int ends[2];

    CHECK(pipe(ends) == 0 &&
          write(ends[1], bytes.ptr, bytes.len) == (ssize_t)bytes.len);
    close(ends[1]);
    dup2(ends[0], STDIN_FILENO);
    close(ends[0]);
}

static sr_input *open_bytes(const char *path, sg_str bytes, bool follow,
                            const sr_cursor *resume)
{
    if (strcmp(path, "-") == 0)
        feed(bytes);
    return files_input(path, follow, resume);
}

/* Read some lines, take the cursor through bytes, read the rest anew. */
static void resume_at(const char *path, sg_str bytes, bool follow, int lines)
{
    sg_buf have = {0}, want = {0}, saved = {0};
    sr_cursor at = {0};
    sr_input *in = open_bytes(path, bytes, follow, NULL);

    for (int i = 0; i < lines; i++)
        files_next(in, &want);
    want.len = 0;
    sr_input_cursor(in, &at);
    CHECK_INT(at.line, lines);
    sr_cursor_write(&at, &saved);
    const sr_line_status end = files_read(in, &want);

    sr_input_close(in);
    CHECK(sr_cursor_read(sg_buf_str(&saved), &at));
    in = open_bytes(path, bytes, follow, &at);
    CHECK_INT(files_read(in, &have), end);
    CHECK_STR(sg_buf_str(&have), sg_buf_str(&want));
    sr_input_close(in);
    sg_buf_free(&have);
    sg_buf_free(&want);
    sg_buf_free(&saved);
}

static void test_boundaries(const char *path, sg_str bytes)
{
    if (strcmp(path, "-") != 0)
        files_put(path, O_TRUNC, bytes);
    for (int follow = 0; follow < 2; follow++)
        for (int lines = 0; lines <= TEXT_LINES; lines++)
            if (!follow || lines < TEXT_LINES) /* the last is held */
                resume_at(path, bytes, follow == 1, lines);
}

/* Longer than all buffers, so that compressed bytes are skipped in steps. */
static void test_large(void)
{
    sg_buf text = {0}, packed = {0}, have = {0};
    sr_cursor at;

    for (int i = 1; i <= 400000; i++)
        sg_buf_printf(&text, "line %d\n", i);
    put_gzip(&packed, sg_buf_str(&text));
    files_put("log", O_TRUNC, sg_buf_str(&packed));
    sr_input *in = files_input("log", false, NULL);

    for (int i = 0; i < 399998; i++, have.len = 0)
        files_next(in, &have);
    sr_input_cursor(in, &at);
    CHECK(at.print_len == SR_INPUT_PRINT);
    sr_input_close(in);
    in = files_input("log", false, &at);
    files_read(in, &have);
    CHECK_STR(sg_buf_str(&have),
              SG_S("399999 line 399999;400000 line 400000;"));
    sr_input_close(in);
    sg_buf_free(&text);
    sg_buf_free(&packed);
    sg_buf_free(&have);
}

/* -------- what happens meanwhile --------------------------------------- */

/* "log" holds a1 a2 a3; two lines of it were read. */
static sr_cursor read_two(void)
{
    sg_buf have = {0};
    sr_cursor at;

    files_clear();
    files_write("log", "a1\na2\na3\n");
    sr_input *in = files_input("log", false, NULL);

    files_next(in, &have);
    files_next(in, &have);
    sr_input_cursor(in, &at);
    sr_input_close(in);
    sg_buf_free(&have);
    return at;
}

static void want_rest(const sr_cursor *at, bool follow, const char *want)
{
    sg_buf have = {0};
    sr_input *in = files_input("log", follow, at);

    CHECK_INT(files_read(in, &have), follow ? SR_WAIT : SR_END);
    CHECK_STR(sg_buf_str(&have), sg_str_of(want));
    sr_input_close(in);
    sg_buf_free(&have);
}

static void want_both(const sr_cursor *at, const char *want)
{
    want_rest(at, false, want);
    want_rest(at, true, want);
}

static void rotate(const char *text)
{
    static const char *const names[] = {"log.3", "log.2", "log.1", "log"};

    for (int i = 0; i < 3; i++)
        if (access(names[i + 1], F_OK) == 0)
            files_move(names[i + 1], names[i]);
    files_write("log", text);
}

static void test_rotations(void)
{
    const sr_cursor at = read_two();

    want_both(&at, "3 a3;");
    rotate("b1\n");
    want_both(&at, "3 a3;1 b1;");
    rotate("c1\n");
    want_both(&at, "3 a3;1 b1;1 c1;");
    rotate("d1\n");
    want_both(&at, "3 a3;1 b1;1 c1;1 d1;");
    rotate("e1\n"); /* the first is gone now */
    want_both(&at, "lost;1 b1;1 c1;1 d1;1 e1;");
}

static void test_compressed_since(void)
{
    sg_buf packed = {0};
    const sr_cursor at = read_two();

    usleep(20000);
    rotate("b1\n");
    put_zstd(&packed, SG_S("a1\na2\na3\n"));
    files_put("log.1.zst", 0, sg_buf_str(&packed));
    want_both(&at, "3 a3;1 b1;"); /* both are there: one is read */
    unlink("log.1");
    want_both(&at, "3 a3;1 b1;");
    sg_buf_free(&packed);
}

static void test_replaced(void)
{
    sr_cursor at = read_two();

    files_write("log", "b1\nb2\nb3\n"); /* in place, as long */
    want_both(&at, "lost;1 b1;2 b2;3 b3;");
    files_write("log", "a1\n"); /* shorter */
    want_both(&at, "lost;1 a1;");
    unlink("log"); /* may get the same inode number */
    files_write("log", "c1\nc2\nc3\n");
    want_both(&at, "lost;1 c1;2 c2;3 c3;");
    unlink("log");
    want_rest(&at, true, "lost;");
    at.ended = true;
    want_rest(&at, true, "");
    files_write("log", "d1\n");
    want_both(&at, "1 d1;");
}

static void test_copied(void)
{
    const sr_cursor at = read_two();

    files_copy("log", "other");
    files_move("other", "log"); /* copied back */
    want_both(&at, "3 a3;");
    files_copy("log", "log.1");
    files_write("log", "b1\n"); /* copied away, emptied in place */
    want_both(&at, "3 a3;1 b1;");
    files_write("log.1", "a1\na2\n"); /* nothing more in the copy */
    want_both(&at, "1 b1;");
}

/* Generations go on, and the cursor before the first read is the old one. */
static void test_cursor(void)
{
    const sr_cursor at = read_two();
    sg_buf have = {0};
    sr_cursor now;

    rotate("b1\n");
    sr_input *in = files_input("log", true, &at);

    sr_input_cursor(in, &now);
    CHECK(now.ino == at.ino && now.line == 2 && now.offset == 6);
    files_read(in, &have);
    sr_input_cursor(in, &now);
    CHECK(now.generation == 1 && now.line == 1 && now.offset == 3);
    CHECK(now.ino != at.ino && !now.ended);
    sr_input_close(in);
    sg_buf_free(&have);
}

/* -------- streams ------------------------------------------------------ */

static void want_stream(const sr_cursor *at, const char *text, const char *want)
{
    sg_buf have = {0};
    sr_input *in = open_bytes("-", sg_str_of(text), false, at);

    CHECK_INT(files_read(in, &have), SR_END);
    CHECK_STR(sg_buf_str(&have), sg_str_of(want));
    sr_input_close(in);
    sg_buf_free(&have);
}

/* What ends too early leaves the cursor where it is: the next one is not read
 * again from there. */
static void want_short(const sr_cursor *at, sg_str bytes, const char *want)
{
    sg_buf have = {0};
    sr_cursor now;
    sr_input *in = open_bytes("-", bytes, false, at);

    CHECK_INT(files_read(in, &have), SR_END);
    CHECK_STR(sg_buf_str(&have), sg_str_of(want));
    sr_input_cursor(in, &now);
    CHECK(now.line == at->line && now.offset == at->offset &&
          now.print_len == at->print_len && now.print_hash == at->print_hash);
    sr_input_close(in);
    sg_buf_free(&have);
}

static void test_streams(void)
{
    sg_buf have = {0};
    sg_buf packed = {0};
    sr_cursor at;
    sr_input *in = open_bytes("-", SG_S("a\nb\nc\n"), false, NULL);

    files_next(in, &have);
    files_next(in, &have);
    sr_input_cursor(in, &at);
    CHECK(at.dev == 0 && at.ino == 0 && at.line == 2 && at.offset == 4);
    files_read(in, &have);
    sr_input_close(in);
    sg_buf_free(&have);
    want_stream(&at, "a\nb\nc\nd", "3 c;4 d;");
    want_stream(&at, "a\nb\n", "");
    want_stream(&at, "a\n", "lost;1 a;");
    want_stream(&at, "x\ny\nz\n", "lost;1 x;2 y;3 z;");
    want_stream(&at, "", "lost;");
    want_short(&at, SG_S(""), "lost;");
    at.line = 3; /* more lines than were there */
    want_short(&at, SG_S("a\nb\n"), "lost;");
    put_zstd(&packed, SG_S("a\nb\nc\n"));
    packed.len = 8; /* nothing comes out of it */
    want_short(&at, sg_buf_str(&packed), "bad;");
    sg_buf_free(&packed);
    want_stream(&at, "a\nb\nc\nd\n", "lost;4 d;");
}

int main(void)
{
    sg_buf packed = {0};

    files_open();
    test_bytes();
    test_boundaries("log", SG_S(TEXT));
    test_boundaries("-", SG_S(TEXT));
    put_gzip(&packed, SG_S(TEXT));
    resume_at("-", sg_buf_str(&packed), false, 3);
    files_put("log", O_TRUNC, sg_buf_str(&packed));
    for (int lines = 0; lines <= TEXT_LINES; lines++) {
        resume_at("log", SG_S(""), false, lines);
        resume_at("log", SG_S(""), true, lines);
        resume_at("-", sg_buf_str(&packed), true, lines);
    }
    packed.len = 0;
    put_zstd(&packed, SG_S(TEXT));
    files_put("log", O_TRUNC, sg_buf_str(&packed));
    for (int lines = 0; lines <= TEXT_LINES; lines++)
        resume_at("log", SG_S(""), lines % 2 == 0, lines);
    sg_buf_free(&packed);
    test_large();
    test_rotations();
    test_compressed_since();
    test_replaced();
    test_copied();
    test_cursor();
    test_streams();
    files_close();
    return TEST_END();
}
