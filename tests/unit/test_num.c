/* test_num.c - exact numbers: reading, comparing, canonical text. */
#include "support/test.h"

#include <math.h>
#include <stdlib.h>

static sg_num num(const char *text)
{
    sg_num n = {SIGMA_FLOAT, {.f = -12345}};

    test_result(sg_num_parse(sg_str_of(text), &n), __FILE__, __LINE__, text);
    return n;
}

static void test_text(void)
{
    static const struct {
        const char *in, *want;
        sigma_num_kind kind;
    } rows[] = {
        {"0", "0", SIGMA_INT},
        {"-0", "0", SIGMA_INT},
        {"+5", "5", SIGMA_INT},
        {"007", "7", SIGMA_INT},
        {"9223372036854775807", "9223372036854775807", SIGMA_INT},
        {"-9223372036854775808", "-9223372036854775808", SIGMA_INT},
        {"9223372036854775808", "9223372036854775808", SIGMA_UINT},
        {"18446744073709551615", "18446744073709551615", SIGMA_UINT},
        {"18446744073709551616", "18446744073709552000", SIGMA_FLOAT},
        {"-9223372036854775809", "-9223372036854776000", SIGMA_FLOAT},
        {"1.0", "1", SIGMA_FLOAT},
        {"100.0", "100", SIGMA_FLOAT},
        {"-0.0", "0", SIGMA_FLOAT},
        {"0.1", "0.1", SIGMA_FLOAT},
        {"1e3", "1000", SIGMA_FLOAT},
        {"1E+3", "1000", SIGMA_FLOAT},
        {"12.25", "12.25", SIGMA_FLOAT},
        {"-3.5e-3", "-0.0035", SIGMA_FLOAT},
        {"1762399995.797", "1762399995.797", SIGMA_FLOAT},
        {"0.30000000000000004", "0.30000000000000004", SIGMA_FLOAT},
        {"1e20", "100000000000000000000", SIGMA_FLOAT},
        {"123456789012345680000.0", "123456789012345680000", SIGMA_FLOAT},
        {"1e21", "1e+21", SIGMA_FLOAT},
        {"1.5e300", "1.5e+300", SIGMA_FLOAT},
        {"0.000001", "0.000001", SIGMA_FLOAT},
        {"0.0000015", "0.0000015", SIGMA_FLOAT},
        {"0.0000001", "1e-7", SIGMA_FLOAT},
        {"1.5e-7", "1.5e-7", SIGMA_FLOAT},
        {"5e-324", "5e-324", SIGMA_FLOAT},
        {"1e-400", "0", SIGMA_FLOAT},
        {"1.7976931348623157e308", "1.7976931348623157e+308", SIGMA_FLOAT},
        {"2.2250738585072014e-308", "2.2250738585072014e-308", SIGMA_FLOAT},
        /* a tie that only the last digit breaks */
        {"9007199254740993.0", "9007199254740992", SIGMA_FLOAT},
        {"9007199254740993.00000000000000000000000000001", "9007199254740994",
         SIGMA_FLOAT},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const sg_num n = num(rows[i].in);
        char text[SG_NUM_TEXT];
        const size_t len = sg_num_text(n, text);

        CHECK_INT(n.kind, rows[i].kind);
        CHECK_STR(((sg_str){text, len}), sg_str_of(rows[i].want));
        CHECK_INT(strlen(text), len);
    }
}

static void test_refused(void)
{
    static const char *const rows[] = {
        "",      "+",     "-",
        "1.",    ".5",    "1e",
        "1e+",   "1 ",    " 1",
        "0x10",  "1_000", "nan",
        "inf",   "1.2.3", "--1",
        "1e400", "1,5",   "e5",
        "1e5.0", "\xFF",  "1e99999999999999999999"};
    sg_num n;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        test_result(!sg_num_parse(sg_str_of(rows[i]), &n), __FILE__, __LINE__,
                    rows[i]);
    CHECK(!sg_num_parse((sg_str){NULL, 0}, &n));
}

/* Ascending; equal ones are joined by '='. */
static void test_cmp(void)
{
    static const char *const rows[] = {"-1e300",
                                       "-18446744073709551616.0",
                                       "-9223372036854775809.0",
                                       "-9223372036854775807",
                                       "-1.5",
                                       "-1",
                                       "-0.5",
                                       "0",
                                       "1e-320",
                                       "0.5",
                                       "1",
                                       "1.5",
                                       "2",
                                       "9007199254740992.0",
                                       "9007199254740993",
                                       "9223372036854775807",
                                       "9223372036854775808",
                                       "9223372036854775809",
                                       "18446744073709551615",
                                       "18446744073709551616.0",
                                       "1e300"};
    enum { COUNT = sizeof rows / sizeof rows[0] };

    for (int i = 0; i < COUNT; i++)
        for (int j = 0; j < COUNT; j++)
            CHECK_INT(sg_num_cmp(num(rows[i]), num(rows[j])),
                      (i > j) - (i < j));
    CHECK_INT(sg_num_cmp(num("3"), num("3.0")), 0);
    CHECK_INT(sg_num_cmp(num("-0.0"), num("0")), 0);
    CHECK_INT(
        sg_num_cmp(num("9223372036854775808"), num("9223372036854775808.0")),
        0);
    CHECK_INT(
        sg_num_cmp(num("-9223372036854775808"), num("-9223372036854775808.0")),
        0);
}

/* Any double's text reads back as that double, by strtod too. */
static void test_round_trip(void)
{
    uint64_t bits = 88172645463325252;

    for (int i = 0; i < 20000; i++) {
        sg_num n = {SIGMA_FLOAT, {.f = 0}}, back;
        char text[SG_NUM_TEXT];
        size_t len;

        bits ^= bits << 13;
        bits ^= bits >> 7;
        bits ^= bits << 17;
        memcpy(&n.v.f, &bits, sizeof bits);
        if (i % 3 == 0)
            n.v.f = (double)(int64_t)(bits >> 30) / 1000;
        if (!isfinite(n.v.f))
            continue;
        len = sg_num_text(n, text);
        CHECK(len < SG_NUM_TEXT);
        CHECK(sg_num_parse((sg_str){text, len}, &back));
        CHECK(sg_num_double(back) == n.v.f);
        CHECK(strtod(text, NULL) == n.v.f);
    }
}

static void test_long_digits(void)
{
    char text[3000];
    sg_num n;

    memset(text, '0', sizeof text);
    text[0] = '1';
    CHECK(!sg_num_parse((sg_str){text, 400}, &n));
    text[1] = '.';
    CHECK(sg_num_parse((sg_str){text, sizeof text}, &n));
    CHECK(n.v.f == 1.0);
    memset(text, '0', sizeof text);
    text[sizeof text - 5] = '1';
    memcpy(text + sizeof text - 4, "e-10", 4);
    CHECK(sg_num_parse((sg_str){text, sizeof text}, &n));
    CHECK(n.v.f == 1e-10);
}

int main(void)
{
    test_text();
    test_refused();
    test_cmp();
    test_round_trip();
    test_long_digits();
    return TEST_END();
}
