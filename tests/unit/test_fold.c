/* test_fold.c - UTF-8 and Unicode simple case folding. */
#include "support/test.h"

static void test_valid(void)
{
    static const struct {
        sg_str in;
        bool want;
    } rows[] = {
        {SG_LIT(""), true},
        {SG_LIT("plain ASCII text, longer than sixteen bytes"), true},
        {SG_LIT("\0\x7F"), true},
        {SG_LIT("\xC2\x80\xDF\xBF"), true},
        {SG_LIT("\xE0\xA0\x80\xEF\xBF\xBF"), true},
        {SG_LIT("\xF0\x90\x80\x80\xF4\x8F\xBF\xBF"), true},
        {SG_LIT("0123456789abcde\xC3\xA4xyz"), true},
        {SG_LIT("0123456789abcdef\xC3"), false},
        {SG_LIT("\x80"), false},
        {SG_LIT("\xC0\x80"), false},
        {SG_LIT("\xC1\xBF"), false},
        {SG_LIT("\xE0\x9F\xBF"), false},
        {SG_LIT("\xED\xA0\x80"), false},
        {SG_LIT("\xED\x9F\xBF\xEE\x80\x80"), true},
        {SG_LIT("\xF0\x8F\xBF\xBF"), false},
        {SG_LIT("\xF4\x90\x80\x80"), false},
        {SG_LIT("\xF5\x80\x80\x80"), false},
        {SG_LIT("\xE2\x82"), false},
        {SG_LIT("\xFE"), false},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        CHECK_INT(sg_utf8_valid(rows[i].in), rows[i].want);
}

static void test_codec(void)
{
    const sg_str wtf = SG_S("\xED\xA0\x80\xFFz");
    size_t pos = 0;

    for (uint32_t cp = 0; cp <= 0x10FFFF; cp += cp < 0x900 ? 1 : 97) {
        char text[4];
        const size_t len = sg_utf8_put(text, cp);

        pos = 0;
        CHECK_INT(sg_utf8_next((sg_str){text, len}, &pos), cp);
        CHECK_INT(pos, len);
    }
    pos = 0;
    CHECK_INT(sg_utf8_next(wtf, &pos), 0xD800);
    CHECK_INT(sg_utf8_next(wtf, &pos), 0x800000FF);
    CHECK_INT(sg_utf8_next(wtf, &pos), 'z');
    CHECK_INT(pos, wtf.len);
}

static void test_code_points(void)
{
    static const struct {
        uint32_t in, want;
    } rows[] = {
        {'A', 'a'},         {'Z', 'z'},         {'@', '@'},
        {'[', '['},         {'z', 'z'},         {0xC4, 0xE4},
        {0xD7, 0xD7},       {0xB5, 0x3BC},      {0x100, 0x101},
        {0x101, 0x101},     {0x130, 0x130},     {0x131, 0x131},
        {0x178, 0xFF},      {0x17F, 's'},       {0x1C4, 0x1C6},
        {0x1C5, 0x1C6},     {0x23A, 0x2C65},    {0x345, 0x3B9},
        {0x3A3, 0x3C3},     {0x3C2, 0x3C3},     {0x3F4, 0x3B8},
        {0x410, 0x430},     {0x13A0, 0x13A0},   {0xAB70, 0x13A0},
        {0x13F8, 0x13F0},   {0x1C80, 0x432},    {0x1E9E, 0xDF},
        {0xDF, 0xDF},       {0x1F88, 0x1F80},   {0x1FBC, 0x1FB3},
        {0x2126, 0x3C9},    {0x212A, 'k'},      {0x212B, 0xE5},
        {0x24B6, 0x24D0},   {0xA640, 0xA641},   {0xFF21, 0xFF41},
        {0x10400, 0x10428}, {0x1E900, 0x1E922}, {0x10FFFF, 0x10FFFF},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        CHECK_INT(sg_fold_cp(rows[i].in), rows[i].want);
    for (uint32_t cp = 0; cp <= 0x10FFFF; cp++)
        if (sg_fold_cp(sg_fold_cp(cp)) != sg_fold_cp(cp))
            CHECK_INT(cp, -1); /* folding twice changes nothing */
}

static void test_fold(void)
{
    static const struct {
        sg_str in, want;
    } rows[] = {
        {SG_LIT(""), SG_LIT("")},
        {SG_LIT("ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`@{"),
         SG_LIT("abcdefghijklmnopqrstuvwxyz[\\]^_`@{")},
        {SG_LIT("0123456789 abc XYZ"), SG_LIT("0123456789 abc xyz")},
        {SG_LIT("ABCDEFG\xC3\x84HIJKLMNOPQ"),
         SG_LIT("abcdefg\xC3\xA4hijklmnopq")},
        {SG_LIT("\xE2\x84\xAA\xC5\xBF"), SG_LIT("ks")},
        {SG_LIT("\xC8\xBA\xC8\xBA"), SG_LIT("\xE2\xB1\xA5\xE2\xB1\xA5")},
        {SG_LIT("STRA\xC3\x9F"
                "E"),
         SG_LIT("stra\xC3\x9F"
                "e")},
        {SG_LIT("\xC4\xB0"), SG_LIT("\xC4\xB0")},
        {SG_LIT("A\xFF"
                "B\xFE"
                "C\xC3"),
         SG_LIT("a\xFF"
                "b\xFE"
                "c\xC3")},
        {SG_LIT("\xED\xA0\x80Q"), SG_LIT("\xED\xA0\x80q")},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[128];

        CHECK(sg_fold_bound(rows[i].in.len) <= sizeof text);
        CHECK_STR(((sg_str){text, sg_fold(text, rows[i].in)}), rows[i].want);
    }
}

/* The bound holds for every code point, alone and in company. */
static void test_bound(void)
{
    for (uint32_t cp = 0; cp <= 0x10FFFF; cp++) {
        char in[4], out[4];
        const size_t len = sg_utf8_put(in, cp);

        if (sg_utf8_put(out, sg_fold_cp(cp)) > sg_fold_bound(len))
            CHECK_INT(cp, -1);
    }
    CHECK_INT(sg_fold_bound(0), 0);
}

/* Word-wise folding agrees with folding byte by byte, at every offset. */
static void test_ascii(void)
{
    char in[64], out[96];

    for (size_t beg = 0; beg < 9; beg++)
        for (unsigned c = 0; c < 128; c++) {
            bool same = true;

            memset(in, (int)c, sizeof in);
            CHECK_INT(sg_fold(out, (sg_str){in + beg, 41}), 41);
            for (size_t i = 0; i < 41; i++)
                same = same && (unsigned char)out[i] == sg_fold_cp(c);
            CHECK(same);
        }
}

int main(void)
{
    test_valid();
    test_codec();
    test_code_points();
    test_fold();
    test_bound();
    test_ascii();
    return TEST_END();
}
