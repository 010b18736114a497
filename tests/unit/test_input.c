/*
 * test_input.c - lines of plain, gzip and zstd streams: numbers, offsets, line
 * ends, limits, damage. Also standard input, slow writers and signals.
 */
#include "input/input.h"
#include "support/pack.h"
#include "support/test.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

/* "one LF tw" and "o LF three LF", each compressed on its own */
#define GZIP_1                                                                 \
    "\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\xcb\xcf\x4b\xe5\x2a\x29\x07\x00" \
    "\x8a\x0f\x3f\xea\x06\x00\x00\x00"
#define GZIP_2                                                                 \
    "\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\xcb\xe7\x2a\xc9\x28\x4a\x4d\xe5" \
    "\x02\x00\x4b\x56\x1d\x86\x08\x00\x00\x00"
#define ZSTD_1                                                                 \
    "\x28\xb5\x2f\xfd\x04\x58\x31\x00\x00\x6f\x6e\x65\x0a\x74\x77\x2a\xd9\x83" \
    "\xc7"
#define ZSTD_2                                                                 \
    "\x28\xb5\x2f\xfd\x04\x58\x41\x00\x00\x6f\x0a\x74\x68\x72\x65\x65\x0a\x30" \
    "\xf5\xb4\xbb"
#define ZSTD_SKIP "\x50\x2a\x4d\x18\x03\x00\x00\x00xyz"
#define BOM "\xEF\xBB\xBF"
#define THREE "1@0 one, 2@4 two, 3@8 three"

typedef struct input_case {
    const char *name;
    sg_str bytes;
    const char *want; /* NUMBER@OFFSET TEXT, ... */
} input_case;

/* The limit is 8 bytes. */
static const input_case cases[] = {
    {"empty", SG_LIT(""), ""},
    {"lines", SG_LIT("a\nbc\n"), "1@0 a, 2@2 bc"},
    {"no last line end", SG_LIT("a\nbc"), "1@0 a, 2@2 bc"},
    {"cr lf", SG_LIT("a\r\nb\r\r\n\r\nc\r"), "1@0 a, 2@3 b\r, 3@7 , 4@9 c"},
    {"blank lines", SG_LIT("\n \n\na"), "1@0 , 2@1  , 3@3 , 4@4 a"},
    {"one newline", SG_LIT("\n"), "1@0 "},
    {"nul bytes stay", SG_LIT("a\0b\n"), NULL},
    {"bom", SG_LIT(BOM "a\n" BOM "b"), "1@3 a, 2@5 " BOM "b"},
    {"bom alone", SG_LIT(BOM), "1@3 "},
    {"bom and cr", SG_LIT(BOM "12345678\r\nb"), "1@3 12345678, 2@13 b"},
    {"half a bom", SG_LIT("\xEF\xBB\n"), "1@0 \xEF\xBB"},
    {"short", SG_LIT("{}"), "1@0 {}"},
    {"at the limit", SG_LIT("12345678\n12345678\r\nx"),
     "1@0 12345678, 2@9 12345678, 3@19 x"},
    {"above the limit", SG_LIT("123456789\nx\n12345678901234567890"),
     "1@0 long, 2@10 x, 3@12 long"},
    {"gzip", SG_LIT(GZIP_1), "1@0 one, 2@4 tw"},
    {"gzip members", SG_LIT(GZIP_1 GZIP_2), THREE},
    {"gzip padding", SG_LIT(GZIP_1 GZIP_2 "\0\0\0\0"), THREE},
    {"gzip magic alone", SG_LIT("\x1f\x8b"), "1@0 bad gzip data is cut short"},
    {"gzip damaged head", SG_LIT("\x1f\x8b\x07\x00\x00\x00"),
     "1@0 bad gzip data is damaged"},
    {"gzip and text", SG_LIT(GZIP_1 GZIP_2 "text"),
     THREE ", 4@14 bad gzip data is damaged"},
    {"gzip padding and text", SG_LIT(GZIP_1 GZIP_2 "\0\0text"),
     THREE ", 4@14 bad gzip data is damaged"},
    {"gzip cut between members", SG_LIT(GZIP_1 "\x1f"),
     "1@0 one, 2@4 bad gzip data is cut short"},
    {"not gzip", SG_LIT("\x1fz\n"), "1@0 \x1fz"},
    {"zstd", SG_LIT(ZSTD_1), "1@0 one, 2@4 tw"},
    {"zstd frames", SG_LIT(ZSTD_1 ZSTD_2), THREE},
    {"zstd skippable", SG_LIT(ZSTD_SKIP ZSTD_1 ZSTD_SKIP ZSTD_2 ZSTD_SKIP),
     THREE},
    {"zstd only skippable", SG_LIT(ZSTD_SKIP), ""},
    {"zstd and text", SG_LIT(ZSTD_1 ZSTD_2 "text"),
     THREE ", 4@14 bad zstd data is damaged"},
    {"zstd window", SG_LIT("\x28\xb5\x2f\xfd\x00\x90\x31\x00\x00one\ntw"),
     "1@0 bad zstd window is larger than 128 MiB (window log 27)"},
    {"zstd magic alone", SG_LIT("\x28\xb5\x2f\xfd"),
     "1@0 bad zstd data is cut short"},
    {"not zstd", SG_LIT("(x)\n"), "1@0 (x)"},
};

/* -------- helpers ------------------------------------------------------ */

static void put_line(sg_buf *out, sr_line_status status, sg_str line,
                     const char *reason)
{
    if (status == SR_LINE)
        sg_buf_put(out, line);
    else if (status == SR_TOO_LONG)
        sg_buf_putz(out, "long");
    else
        sg_buf_printf(out, "bad %s", reason);
}

/* All of a stream as one text. */
static sg_buf read_path(const char *path, size_t max_line)
{
    char reason[SR_INPUT_REASON];
    sr_input *input = sr_input_open(path, max_line, reason);
    uint64_t number, offset;
    sr_line_status status;
    sg_buf out = {0};
    sg_str line;

    if (input == NULL) {
        sg_buf_printf(&out, "no: %s", reason);
        return out;
    }
    while ((status = sr_input_next(input, &line, &number, &offset)) != SR_END) {
        sg_buf_printf(&out, "%s%llu@%llu ", out.len == 0 ? "" : ", ",
                      (unsigned long long)number, (unsigned long long)offset);
        put_line(&out, status, line, sr_input_reason(input));
    }
    CHECK(sr_input_next(input, &line, &number, &offset) == SR_END);
    sr_input_close(input);
    return out;
}

static char path[] = "/tmp/sigcc-test-input-XXXXXX";

static void write_file(sg_str bytes)
{
    FILE *file = fopen(path, "wb");

    if (file == NULL || fwrite(bytes.ptr, 1, bytes.len, file) != bytes.len ||
        fclose(file) != 0)
        abort();
}

static void check_bytes(sg_str bytes, size_t max_line, sg_str want)
{
    sg_buf have;

    write_file(bytes);
    have = read_path(path, max_line);
    CHECK_STR(sg_buf_str(&have), want);
    sg_buf_free(&have);
}

/* -------- tests -------------------------------------------------------- */

static void test_cases(void)
{
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const input_case *c = &cases[i];
        const int before = test_failures;
        check_bytes(c->bytes, 8,
                    c->want == NULL ? SG_S("1@0 a\0b") : sg_str_of(c->want));
        if (test_failures != before)
            printf("  in '%s'\n", c->name);
    }
}

/* Whatever is cut off, the complete lines before it arrive. */
static void test_cut(sg_str bytes, const char *reason)
{
    for (size_t len = 5; len < bytes.len; len++) {
        sg_buf have;
        sg_str text;
        write_file((sg_str){bytes.ptr, len});
        have = read_path(path, 100);
        text = sg_buf_str(&have);
        CHECK(sg_str_ends(text, sg_str_of(reason)));
        CHECK(sg_str_starts(text, SG_S("1@0 bad")) ||
              sg_str_starts(text, SG_S("1@0 one, 2@4 bad")) ||
              sg_str_starts(text, SG_S("1@0 one, 2@4 two, 3@8 bad")) ||
              sg_str_starts(text, SG_S(THREE ", 4@14 bad")));
        sg_buf_free(&have);
    }
}

static void test_flipped_bits(sg_str bytes)
{
    char copy[64];

    for (size_t bit = 0; bit < bytes.len * 8; bit++) {
        sg_buf have;
        memcpy(copy, bytes.ptr, bytes.len);
        copy[bit / 8] = (char)(copy[bit / 8] ^ 1 << (bit % 8));
        write_file((sg_str){copy, bytes.len});
        have = read_path(path, 100);
        CHECK(bit / 8 > 3 || have.len != 0); /* no crash, no endless loop */
        sg_buf_free(&have);
    }
}

/* Lines of many lengths across all buffer borders. */
static void put_long_text(sg_buf *text, sg_buf *want, size_t lines)
{
    for (size_t i = 0; i < lines; i++) {
        const size_t len = i * i * 977 % 300007;
        const size_t offset = text->len;
        char *p = sg_buf_reserve(text, len + 1);
        memset(p, 'a' + (int)(i % 26), len);
        p[len] = '\n';
        text->len += len + 1;
        sg_buf_printf(want, "%s%zu@%zu ", i == 0 ? "" : ", ", i + 1, offset);
        sg_buf_put(want, (sg_str){text->ptr + offset, len});
    }
}

static void test_long_text(void)
{
    sg_buf text = {0}, want = {0}, packed = {0};

    put_long_text(&text, &want, 120);
    check_bytes(sg_buf_str(&text), 1 << 20, sg_buf_str(&want));
    put_gzip(&packed, sg_str_sub(sg_buf_str(&text), 0, 1000000));
    put_gzip(&packed, sg_str_sub(sg_buf_str(&text), 1000000, 1000000));
    put_gzip(&packed, sg_str_sub(sg_buf_str(&text), 1000000, text.len));
    check_bytes(sg_buf_str(&packed), 1 << 20, sg_buf_str(&want));
    packed.len = 0;
    put_zstd(&packed, sg_str_sub(sg_buf_str(&text), 0, 3000001));
    put_zstd(&packed, SG_S(""));
    put_zstd(&packed, sg_str_sub(sg_buf_str(&text), 3000001, text.len));
    check_bytes(sg_buf_str(&packed), 1 << 20, sg_buf_str(&want));
    sg_buf_free(&packed);
    sg_buf_free(&want);
    sg_buf_free(&text);
}

/* Far above the limit, between good lines; then exactly at a large limit. */
/* With a thread that decompresses and without: the same. */
static void compare_beside(sg_str bytes)
{
    sg_buf alone, beside;

    write_file(bytes);
    CHECK(setenv("SIGCC_AHEAD", "0", 1) == 0);
    alone = read_path(path, 1 << 20);
    CHECK(unsetenv("SIGCC_AHEAD") == 0);
    beside = read_path(path, 1 << 20);
    CHECK(sg_str_eq(sg_buf_str(&beside), sg_buf_str(&alone)));
    CHECK(alone.len != 0);
    sg_buf_free(&alone);
    sg_buf_free(&beside);
}

static bool count_down(void *ctx)
{
    int *left = ctx;

    return (*left)-- > 0;
}

/* Ended by the caller, or left in the middle, with pieces still to come. */
static void test_leaving_beside(int reads)
{
    char reason[SR_INPUT_REASON];
    uint64_t number, offset, lines = 0;
    sr_input *input = sr_input_open(path, 1 << 20, reason);
    sg_str line;

    sr_input_before_read(input, count_down, &reads);
    while (lines < 20 &&
           sr_input_next(input, &line, &number, &offset) == SR_LINE)
        lines++;
    CHECK(reads >= 0 ||
          sr_input_next(input, &line, &number, &offset) == SR_END);
    sr_input_close(input);
}

/* Two members, the first of that many bytes. */
static void test_beside(void (*put)(sg_buf *out, sg_str text), size_t first)
{
    sg_buf text = {0}, want = {0}, packed = {0};

    put_long_text(&text, &want, 120);
    put(&packed, sg_str_sub(sg_buf_str(&text), 0, first));
    put(&packed, sg_str_sub(sg_buf_str(&text), first, first + 3000000));
    for (size_t cut = 0; cut < 20; cut++)
        compare_beside(
            sg_str_sub(sg_buf_str(&packed), 0, packed.len - cut * cut * 8011));
    for (size_t i = 0; i < 20; i++) {
        packed.ptr[i * packed.len / 20] ^= 4;
        compare_beside(sg_buf_str(&packed));
        packed.ptr[i * packed.len / 20] ^= 4;
    }
    write_file(sg_buf_str(&packed));
    for (int reads = 1; reads < 40; reads += 3)
        test_leaving_beside(reads);
    sg_buf_free(&text);
    sg_buf_free(&want);
    sg_buf_free(&packed);
}

static void test_huge_lines(void)
{
    const size_t huge = (size_t)20 << 20;
    sg_buf text = {0}, want = {0};

    sg_buf_putz(&text, "first\n");
    memset(sg_buf_reserve(&text, huge), 'x', huge);
    text.len += huge;
    sg_buf_putz(&text, "\nlast\n");
    sg_buf_printf(&want, "1@0 first, 2@6 long, 3@%zu last", huge + 7);
    check_bytes(sg_buf_str(&text), SR_INPUT_MAX_LINE, sg_buf_str(&want));
    text.len = 6 + huge;
    check_bytes(sg_buf_str(&text), SR_INPUT_MAX_LINE,
                SG_S("1@0 first, 2@6 long"));
    want.len = 0;
    sg_buf_putz(&want, "1@0 first, 2@6 ");
    sg_buf_put(&want, sg_str_sub(sg_buf_str(&text), 6, text.len));
    check_bytes(sg_buf_str(&text), huge, sg_buf_str(&want));
    sg_buf_free(&want);
    sg_buf_free(&text);
}

static void test_open_failures(void)
{
    sg_buf have = read_path("/nonexistent/file", 8);

    CHECK_STR(sg_buf_str(&have), SG_S("no: No such file or directory"));
    sg_buf_free(&have);
    have = read_path("/tmp", 8);
    CHECK_STR(sg_buf_str(&have), SG_S("no: Is a directory"));
    sg_buf_free(&have);
}

static void ignore(int signal)
{
    (void)signal;
}

/* A child writes byte by byte into standard input, signals interrupt. */
static void test_slow_pipe(sg_str bytes, sg_str want)
{
    const struct itimerval often = {{0, 500}, {0, 500}},
                           never = {{0, 0}, {0, 0}};
    struct sigaction action = {.sa_handler = ignore}; /* no SA_RESTART */
    int ends[2];
    pid_t child;
    sg_buf have;

    if (pipe(ends) != 0)
        abort();
    child = fork();
    if (child == 0) {
        close(ends[0]);
        for (size_t i = 0; i < bytes.len; i++) {
            usleep(200);
            if (write(ends[1], bytes.ptr + i, 1) != 1)
                _exit(1);
        }
        _exit(0);
    }
    CHECK(child > 0);
    close(ends[1]);
    dup2(ends[0], STDIN_FILENO);
    close(ends[0]);
    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &often, NULL);
    have = read_path("-", 8);
    setitimer(ITIMER_REAL, &never, NULL);
    waitpid(child, NULL, 0);
    CHECK_STR(sg_buf_str(&have), want);
    sg_buf_free(&have);
}

/* A line is given out while the writer still holds the pipe open. */
static void test_prompt(void)
{
    char reason[SR_INPUT_REASON];
    uint64_t number, offset;
    sr_input *input;
    sg_str line;
    int ends[2];

    if (pipe(ends) != 0)
        abort();
    dup2(ends[0], STDIN_FILENO);
    close(ends[0]);
    input = sr_input_open("-", 8, reason);
    CHECK(input != NULL && strcmp(sr_input_format(input), "") == 0);
    CHECK(write(ends[1], "{}\n", 3) == 3);
    CHECK(sr_input_next(input, &line, &number, &offset) == SR_LINE);
    CHECK_STR(line, SG_S("{}"));
    CHECK(strcmp(sr_input_format(input), "plain") == 0);
    close(ends[1]);
    CHECK(sr_input_next(input, &line, &number, &offset) == SR_END);
    sr_input_close(input);
    CHECK(fcntl(STDIN_FILENO, F_GETFD) >= 0); /* stdin stays open */
}

/* Lines at hand, and passing over some of them. */
static void test_ahead(void)
{
    char reason[SR_INPUT_REASON];
    uint64_t number, offset, first, from;
    sr_input *input;
    sr_cursor at;
    sg_str line;

    write_file(SG_S("one\ntwo\r\nthree\n\nfive\nsix"));
    input = sr_input_open(path, 8, reason);
    CHECK_STR(sr_input_ahead(input, &first, &from), SG_S(""));
    CHECK(sr_input_next(input, &line, &number, &offset) == SR_LINE);
    CHECK_STR(sr_input_ahead(input, &first, &from),
              SG_S("two\r\nthree\n\nfive\n"));
    CHECK(first == 2 && from == 4);
    sr_input_pass(input, 0, 0);
    sr_input_pass(input, 11, 2);
    CHECK_STR(sr_input_ahead(input, &first, &from), SG_S("\nfive\n"));
    CHECK(first == 4 && from == 15);
    sr_input_cursor(input, &at);
    CHECK_INT(at.line, 3);
    CHECK_INT(at.offset, 15);
    CHECK(sr_input_next(input, &line, &number, &offset) == SR_LINE);
    CHECK(line.len == 0 && number == 4 && offset == 15);
    sr_input_pass(input, 5, 1);
    CHECK_STR(sr_input_ahead(input, &first, &from), SG_S(""));
    CHECK(sr_input_next(input, &line, &number, &offset) == SR_LINE);
    CHECK_STR(line, SG_S("six"));
    CHECK(number == 6 && offset == 21);
    CHECK_STR(sr_input_ahead(input, &first, &from), SG_S(""));
    CHECK(sr_input_next(input, &line, &number, &offset) == SR_END);
    CHECK_STR(sr_input_ahead(input, &first, &from), SG_S(""));
    sr_input_close(input);
}

/* A buffer given away with the lines in it, and reading on. */
static void test_give(void)
{
    char reason[SR_INPUT_REASON];
    uint64_t number, offset;
    char *room = NULL;
    sr_input *input;
    sg_str line, text;

    write_file(SG_S("one\ntwo\nthree\nfour"));
    input = sr_input_open(path, 8, reason);
    CHECK(!sr_input_give(input, 0, 0, &room));
    CHECK(sr_input_next(input, &line, &number, &offset) == SR_LINE);
    text = sr_input_ahead(input, &number, &offset);
    CHECK(sr_input_give(input, 4, 1, &room));
    CHECK_STR(((sg_str){text.ptr, 4}), SG_S("two\n"));
    CHECK(text.ptr == room + 4);
    text = sr_input_ahead(input, &number, &offset);
    CHECK_STR(text, SG_S("three\n"));
    CHECK(number == 3 && offset == 8);
    CHECK(sr_input_give(input, text.len, 1, &room));
    CHECK(text.ptr == room);
    CHECK_STR(text, SG_S("three\n"));
    CHECK(sr_input_next(input, &line, &number, &offset) == SR_LINE);
    CHECK_STR(line, SG_S("four"));
    CHECK(number == 4 && offset == 14);
    CHECK(sr_input_next(input, &line, &number, &offset) == SR_END);
    sr_input_close(input);
    free(room);
}

/* What a long line needed goes back: buffers can be given away again. */
static void test_give_after_long(void)
{
    enum { LONG = 10 << 20, LINES = 1 << 16, SIZE = 1024 };
    char reason[SR_INPUT_REASON];
    uint64_t number, offset;
    char *room = NULL;
    sr_input *input;
    sg_buf text = {0};
    uint64_t lines = 0, given = 0;
    sg_str line;

    memset(sg_buf_reserve(&text, LONG), 'x', LONG);
    text.len = LONG;
    for (unsigned i = 0; i < LINES; i++)
        sg_buf_printf(&text, "\n%*u", SIZE - 1, i);
    write_file(sg_buf_str(&text));
    input = sr_input_open(path, SR_INPUT_MAX_LINE, reason);
    while (sr_input_next(input, &line, &number, &offset) == SR_LINE) {
        const size_t len = number == 1 ? LONG : SIZE - 1;

        CHECK(line.len == len && number == ++lines);
        CHECK(offset == (number == 1 ? 0 : LONG + 1 + SIZE * (number - 2)));
        const sg_str ahead = sr_input_ahead(input, &number, &offset);

        if (sr_input_give(input, ahead.len, ahead.len / SIZE, &room)) {
            given += ahead.len / SIZE;
            lines += ahead.len / SIZE;
        }
    }
    CHECK(lines == LINES + 1);
    CHECK(given > LINES / 2);
    sr_input_close(input);
    sg_buf_free(&text);
    free(room);
}

/* Line i of the file of numbered lines; each is as long as the others. */
enum { NUMBERED = 10, NUMBERED_LINES = 1000 };

static sr_input *open_numbered(bool follow)
{
    const sr_input_options options = {.max_line = 64, .follow = follow};
    char reason[SR_INPUT_REASON];
    sg_buf text = {0};

    for (unsigned i = 1; i <= NUMBERED_LINES; i++)
        sg_buf_printf(&text, "%*u\n", NUMBERED - 1, i);
    sg_buf_put(&text, SG_S("rest"));
    write_file(sg_buf_str(&text));
    sg_buf_free(&text);
    return sr_input_open_with(path, &options, reason);
}

/* The next line of the file of numbered ones is `want`. */
static bool next_is(sr_input *input, uint64_t want)
{
    uint64_t number, offset;
    sg_str line;

    return sr_input_next(input, &line, &number, &offset) == SR_LINE &&
           strtoull(line.ptr, NULL, 10) == want && number == want &&
           offset == (want - 1) * NUMBERED;
}

/* Ranges follow one another, are whole lines, and lie in a room as in a page.
 */
static void test_lend(void)
{
    static char room[SR_INPUT_ROOM];
    sr_input *input = open_numbered(false);
    uint64_t at = NUMBERED, lines = 1, number, offset;
    sr_range range;
    sg_str line;

    CHECK(!sr_input_lend(input, 1, &range)); /* not the first line */
    CHECK(next_is(input, 1));
    for (size_t size = 0; sr_input_lend(input, size, &range); size++) {
        const char *text = sr_range_read(&range, room);

        CHECK(range.offset == at);
        CHECK(range.len >= size && range.len <= size + NUMBERED);
        CHECK(range.len % NUMBERED == 0);
        CHECK(text != NULL && text >= room);
        CHECK(((uintptr_t)text - range.offset) % 4096 == 0);
        CHECK(strtoull(text, NULL, 10) == at / NUMBERED + 1);
        at += range.len;
        lines += range.len / NUMBERED;
    }
    CHECK(lines > NUMBERED_LINES / 2);
    sr_input_lent(input, at, lines);
    while (lines < NUMBERED_LINES)
        CHECK(next_is(input, ++lines));
    CHECK(sr_input_next(input, &line, &number, &offset) == SR_LINE);
    CHECK_STR(line, SG_S("rest"));
    CHECK_INT(number, NUMBERED_LINES + 1);
    CHECK(sr_input_next(input, &line, &number, &offset) == SR_END);
    sr_input_close(input);
}

/* What cannot be read as it was lent is read by the input. */
static void test_lend_of_cut_file(void)
{
    static char room[SR_INPUT_ROOM];
    sr_input *input = open_numbered(false);
    uint64_t number, offset;
    sr_range ranges[3];
    sg_str line;

    CHECK(next_is(input, 1));
    for (unsigned i = 0; i < 3; i++)
        CHECK(sr_input_lend(input, 200, &ranges[i]));
    CHECK(truncate(path, (off_t)ranges[2].offset - 15) == 0);
    CHECK(sr_range_read(&ranges[0], room) != NULL);
    CHECK(sr_range_read(&ranges[1], room) == NULL);
    CHECK(sr_range_read(&ranges[2], room) == NULL);
    number = ranges[1].offset / NUMBERED;
    sr_input_lent(input, ranges[1].offset, number);
    CHECK(!sr_input_lend(input, 200, &ranges[2]));
    while ((number + 1) * NUMBERED <= ranges[2].offset - 15)
        CHECK(next_is(input, ++number));
    CHECK(!sr_input_lend(input, 1, &ranges[2]));
    CHECK(sr_input_next(input, &line, &offset, &offset) == SR_LINE);
    CHECK_INT(line.len, NUMBERED - 5);
    CHECK(sr_input_next(input, &line, &number, &offset) == SR_END);
    sr_input_close(input);
}

/* Files that are followed are not lent, nor very long lines, nor what has to be
 * decompressed. */
static void test_lend_nothing(void)
{
    enum { LONG = 200000 };
    char reason[SR_INPUT_REASON];
    uint64_t number, offset;
    sr_input *input = open_numbered(true);
    sg_buf text = {0}, packed = {0};
    sr_range range;
    sg_str line;

    CHECK(next_is(input, 1));
    CHECK(!sr_input_lend(input, 200, &range));
    sr_input_close(input);
    for (unsigned i = 0; i < 4; i++)
        sg_buf_printf(&text, "x\n%*u\n", LONG, i);
    write_file(sg_buf_str(&text));
    input = sr_input_open(path, SR_INPUT_MAX_LINE, reason);
    CHECK(sr_input_next(input, &line, &number, &offset) == SR_LINE);
    CHECK(!sr_input_lend(input, 10, &range));
    for (unsigned i = 0; i < 7; i++)
        CHECK(sr_input_next(input, &line, &number, &offset) == SR_LINE);
    CHECK(line.len == LONG && number == 8);
    sr_input_close(input);
    text.len = 0;
    for (unsigned i = 0; i < 4000; i++)
        sg_buf_printf(&text, "%u\n", i);
    put_gzip(&packed, sg_buf_str(&text));
    write_file(sg_buf_str(&packed));
    input = sr_input_open(path, 8, reason);
    CHECK(sr_input_next(input, &line, &number, &offset) == SR_LINE);
    CHECK(!sr_input_lend(input, 1, &range));
    sr_input_close(input);
    sg_buf_free(&packed);
    sg_buf_free(&text);
}

int main(void)
{
    const int fd = mkstemp(path);

    if (fd < 0)
        return 1;
    close(fd);
    test_cases();
    test_cut(SG_S(GZIP_1), "gzip data is cut short");
    test_cut(SG_S(ZSTD_1), "zstd data is cut short");
    test_flipped_bits(SG_S(GZIP_1));
    test_flipped_bits(SG_S(ZSTD_1));
    test_long_text();
    test_beside(put_gzip, 1000000);
    test_beside(put_gzip, 5000000);
    test_beside(put_zstd, 1000000);
    test_huge_lines();
    test_open_failures();
    test_ahead();
    test_give();
    test_give_after_long();
    test_lend();
    test_lend_of_cut_file();
    test_lend_nothing();
    unlink(path);
    test_slow_pipe(SG_S(GZIP_1 GZIP_2), SG_S(THREE));
    test_slow_pipe(SG_S(ZSTD_1 ZSTD_2), SG_S(THREE));
    test_slow_pipe(SG_S("{}\n123456789\nx"), SG_S("1@0 {}, 2@3 long, 3@13 x"));
    test_prompt();
    return TEST_END();
}
