/*
 * test_number.c - a rule's number or boolean against numbers and text.
 */
#include "match/match.h"
#include "support/test.h"

static sg_num number(const char *text)
{
    sg_num n = {SIGMA_INT, {0}};

    CHECK(sg_num_parse(sg_str_of(text), &n));
    return n;
}

static void test_orders(void)
{
    static const struct {
        const char *have, *want;
        int order;
    } rows[] = {
        {"5", "5", 0},
        {"4", "5", -1},
        {"-11", "-10", -1},
        {"1.0", "1", 0},
        {"0.75", "0.7", 1},
        {"9007199254740993", "9007199254740992", 1},
        {"9007199254740993", "9007199254740992.0", 1},
        {"18446744073709551615", "9223372036854775807", 1},
        {"-9223372036854775808", "18446744073709551615", -1},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        const sg_num a = number(rows[i].have);
        const sg_num b = number(rows[i].want);
        const int order = rows[i].order;
        CHECK(sr_num_holds(SIGMA_OP_NUM_EQ, a, b) == (order == 0));
        CHECK(sr_num_holds(SIGMA_OP_LT, a, b) == (order < 0));
        CHECK(sr_num_holds(SIGMA_OP_LTE, a, b) == (order <= 0));
        CHECK(sr_num_holds(SIGMA_OP_GT, a, b) == (order > 0));
        CHECK(sr_num_holds(SIGMA_OP_GTE, a, b) == (order >= 0));
        CHECK(sr_num_holds(SIGMA_OP_TIME_EQ, a, b) == (order == 0));
        CHECK(sr_num_holds(SIGMA_OP_TIME_LT, a, b) == (order < 0));
        CHECK(sr_num_holds(SIGMA_OP_TIME_LTE, a, b) == (order <= 0));
        CHECK(sr_num_holds(SIGMA_OP_TIME_GT, a, b) == (order > 0));
        CHECK(sr_num_holds(SIGMA_OP_TIME_GTE, a, b) == (order >= 0));
    }
}

static void test_canonical_text(void)
{
    CHECK(sr_num_is_text(number("443"), SG_S("443")));
    CHECK(!sr_num_is_text(number("443"), SG_S("0443")));
    CHECK(!sr_num_is_text(number("443"), SG_S("443.0")));
    CHECK(!sr_num_is_text(number("443"), SG_S(" 443")));
    CHECK(!sr_num_is_text(number("443"), SG_S("+443")));
    CHECK(!sr_num_is_text(number("443"), SG_S("")));
    CHECK(sr_num_is_text(number("7.5"), SG_S("7.5")));
    CHECK(sr_num_is_text(number("1.0"), SG_S("1")));
    CHECK(sr_num_is_text(number("-5"), SG_S("-5")));
}

static void test_words(void)
{
    CHECK(sr_bool_is_text(true, SG_S("true")));
    CHECK(sr_bool_is_text(true, SG_S("TRUE")));
    CHECK(!sr_bool_is_text(true, SG_S("1")));
    CHECK(!sr_bool_is_text(true, SG_S("yes")));
    CHECK(!sr_bool_is_text(true, SG_S("true ")));
    CHECK(sr_bool_is_text(false, SG_S("False")));
    CHECK(!sr_bool_is_text(false, SG_S("true")));
}

int main(void)
{
    test_orders();
    test_canonical_text();
    test_words();
    return TEST_END();
}
