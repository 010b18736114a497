/*
 * test_cwriter.c - the escapes that keep rule text from becoming C, and the
 * layouts of strings and rows.
 */
#include "emit/cwriter.h"

#include "support/test.h"

static void test_quoted(void)
{
    static const struct {
        sg_str in, want;
    } rows[] = {
        {SG_LIT(""), SG_LIT("")},
        {SG_LIT("plain"), SG_LIT("plain")},
        {SG_LIT("a\"b\\c"), SG_LIT("a\\\"b\\\\c")},
        {SG_LIT("?\?/"), SG_LIT("\\077\\077/")},
        {SG_LIT("\0"
                "7"),
         SG_LIT("\\0007")},
        {SG_LIT("\n\r\t\x1b\x7f"), SG_LIT("\\012\\015\\011\\033\\177")},
        {SG_LIT("\xff\xfe\xc3\xa9"), SG_LIT("\\377\\376\\303\\251")},
        {SG_LIT("*/ //"), SG_LIT("*/ //")},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        sg_buf out = {0};
        sc_cw_quoted(&out, rows[i].in);
        CHECK_STR(sg_buf_str(&out), rows[i].want);
        sg_buf_free(&out);
    }
    CHECK_INT(sc_cw_quoted_fit(SG_S("ab\ncd"), 6), 3);
    CHECK_INT(sc_cw_quoted_fit(SG_S("ab\ncd"), 5), 2);
    CHECK_INT(sc_cw_quoted_fit(SG_S("ab"), 100), 2);
    CHECK_INT(sc_cw_quoted_fit(SG_S("ab"), 0), 0);
}

static void test_comment(void)
{
    static const struct {
        sg_str in;
        size_t max;
        sg_str want;
    } rows[] = {
        {SG_LIT(""), 80, SG_LIT("")},
        {SG_LIT("plain text"), 80, SG_LIT("plain text")},
        {SG_LIT("*/ x /*"), 80, SG_LIT("* / x / <2A>")},
        {SG_LIT("**/"), 80, SG_LIT("** <2F>")},
        {SG_LIT("/*/"), 80, SG_LIT("/ * <2F>")},
        {SG_LIT("a\n\r\t b"), 80, SG_LIT("a b")},
        {SG_LIT("?\?/"), 80, SG_LIT("? ?<2F>")},
        {SG_LIT("end\\"), 80, SG_LIT("end<5C>")},
        {SG_LIT("nul\0x"), 80, SG_LIT("nul x")},
        {SG_LIT("\xe2\x80\xae\xff"), 80, SG_LIT("<U+202E><FF>")},
        {SG_LIT("0123456789"), 10, SG_LIT("0123456789")},
        {SG_LIT("0123456789a"), 10, SG_LIT("0123456...")},
        {SG_LIT("0123456 89a"), 10, SG_LIT("0123456...")},
        {SG_LIT("012345678\\"), 10, SG_LIT("012345678")},
        {SG_LIT("x"), 0, SG_LIT("")},
        {SG_LIT("clang-format off, clang-format on"), 80,
         SG_LIT("clang_format off, clang_format on")},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        sg_buf out = {0};
        sc_cw_comment(&out, rows[i].in, rows[i].max);
        CHECK_STR(sg_buf_str(&out), rows[i].want);
        sg_buf_free(&out);
    }
}

/* Whatever the bytes and the room: one line of printable ASCII, no longer than
 * asked, that neither ends nor opens a comment. */
static void test_comment_any(void)
{
    static const char bytes[] = "*/\\? \n\0\xe2\x80\xae\xff"
                                "a";
    uint32_t seed = 7;

    for (int round = 0; round < 20000; round++) {
        char text[24];
        sg_buf out = {0};
        const size_t max = (size_t)(round % 20);
        bool ok = true;
        for (size_t i = 0; i < sizeof(text); i++) {
            seed = seed * 1664525u + 1013904223u;
            text[i] = bytes[(seed >> 16) % (sizeof(bytes) - 1)];
        }
        sc_cw_comment(&out, (sg_str){text, sizeof(text)}, max);
        ok &= out.len <= max;
        ok &= sg_str_find(sg_buf_str(&out), SG_S("*/")) == SIZE_MAX;
        ok &= sg_str_find(sg_buf_str(&out), SG_S("/*")) == SIZE_MAX;
        ok &= sg_str_find(sg_buf_str(&out), SG_S("?\?")) == SIZE_MAX;
        for (size_t i = 0; i < out.len; i++)
            ok &= out.ptr[i] >= 0x20 && out.ptr[i] < 0x7f;
        ok &= out.len == 0 || strchr("\\/* ", out.ptr[out.len - 1]) == NULL;
        CHECK(ok);
        sg_buf_free(&out);
    }
}

static void test_string(void)
{
    char many[200];
    sg_str pieces[] = {SG_S("one"), SG_S(""), SG_S("two"), {many, 72}};
    sg_buf out = {0};
    sc_cw w = {.out = &out, .depth = 0};

    memset(many, 'x', sizeof(many));
    sc_cw_string(&w, "pool", pieces, 3);
    CHECK_STR(sg_buf_str(&out), SG_S("static const char pool[] = \"one\"\n"
                                     "                           \"two\";\n"));
    out.len = 0;
    sc_cw_string(&w, "pool", pieces + 3, 1);
    CHECK_INT(out.len, 100 + 33); /* 70 bytes on the first line */
    CHECK(out.ptr[99] == '\n');
    out.len = 0;
    sc_cw_string(&w, "none", NULL, 0);
    CHECK_STR(sg_buf_str(&out), SG_S("static const char none[] = \"\";\n"));
    sg_buf_free(&out);
}

static void test_rows(void)
{
    sg_arena arena = {0};
    sc_cw_rows rows = {0};
    sg_buf out = {0};
    sc_cw w = {.out = &out, .depth = 1};
    sc_cw_row short_row = {SG_LIT("1,"), SG_LIT("*/")};
    sc_cw_row bare = {SG_LIT("100000,"), SG_LIT("")};
    sc_cw_row long_row = {SG_LIT("100,"), SG_LIT("hundred")};

    SG_PUSH(&arena, &rows.rows, short_row);
    SG_PUSH(&arena, &rows.rows, bare);
    SG_PUSH(&arena, &rows.rows, long_row);
    sc_cw_rows_end(&w, &rows);
    CHECK_STR(sg_buf_str(&out), SG_S("    1,   /* * <2F> */\n"
                                     "    100000,\n"
                                     "    100, /* hundred */\n"));
    CHECK_INT(rows.rows.count, 0);
    sg_buf_free(&out);
    sg_arena_free(&arena);
}

int main(void)
{
    test_quoted();
    test_comment();
    test_comment_any();
    test_string();
    test_rows();
    return TEST_END();
}
