/*
 * test_bytes.c - numbers and texts as bytes: their form, and what a reader
 * makes of bytes that end early or hold no number.
 */
#include "base/sg_base.h"
#include "support/test.h"

#include <math.h>

static void test_form(void)
{
    sg_buf buf = {0};

    sg_put_u8(&buf, 0xFE);
    sg_put_u32(&buf, 0x01020304);
    sg_put_u64(&buf, 0x05060708090A0B0C);
    sg_put_text(&buf, SG_S("ab"));
    sg_put_num(&buf, (sg_num){SIGMA_INT, {.i = -2}});
    CHECK_STR(sg_buf_str(&buf),
              SG_S("\xFE\x04\x03\x02\x01\x0C\x0B\x0A\x09\x08\x07\x06\x05"
                   "\x02\0\0\0"
                   "ab\0\xFE\xFF\xFF\xFF\xFF\xFF\xFF\xFF"));
    sg_reader r = {sg_buf_str(&buf), false};

    CHECK(sg_read_u8(&r) == 0xFE);
    CHECK(sg_read_u32(&r) == 0x01020304);
    CHECK(sg_read_u64(&r) == 0x05060708090A0B0C);
    CHECK_STR(sg_read_text(&r), SG_S("ab"));
    CHECK(!sg_read_done(&r));
    CHECK(sg_read_num(&r).v.i == -2);
    CHECK(sg_read_done(&r));
    sg_buf_free(&buf);
}

/* A text written in place is the same bytes, nested or empty, too. */
static void test_in_place(void)
{
    sg_buf inner = {0};
    sg_buf whole = {0};
    sg_buf placed = {0};

    sg_put_u8(&inner, 7);
    sg_put_text(&inner, SG_S(""));
    sg_put_text(&inner, SG_S("abc"));
    sg_put_text(&whole, sg_buf_str(&inner));
    sg_put_u8(&whole, 9);

    const size_t at = sg_put_text_begin(&placed);

    sg_put_u8(&placed, 7);
    sg_put_text_end(&placed, sg_put_text_begin(&placed));
    const size_t within = sg_put_text_begin(&placed);

    sg_buf_put(&placed, SG_S("abc"));
    sg_put_text_end(&placed, within);
    sg_put_text_end(&placed, at);
    sg_put_u8(&placed, 9);
    CHECK_STR(sg_buf_str(&placed), sg_buf_str(&whole));
    sg_buf_free(&inner);
    sg_buf_free(&whole);
    sg_buf_free(&placed);
}

/* Cut anywhere, nothing is read that is not there, and it is said. */
static void test_short(void)
{
    sg_buf buf = {0};

    sg_put_text(&buf, SG_S("abc"));
    sg_put_u64(&buf, UINT64_MAX);
    for (size_t len = 0; len < buf.len; len++) {
        sg_reader r = {sg_str_sub(sg_buf_str(&buf), 0, len), false};

        CHECK_STR(sg_read_text(&r), len < 7 ? SG_S("") : SG_S("abc"));
        CHECK(sg_read_u64(&r) == 0);
        CHECK(r.bad && !sg_read_done(&r));
        CHECK(sg_read_u8(&r) == 0);
    }
    sg_buf_free(&buf);
}

static bool comes_back(sg_num n)
{
    sg_buf buf = {0};

    sg_put_num(&buf, n);
    sg_reader r = {sg_buf_str(&buf), false};
    const sg_num back = sg_read_num(&r);
    const bool same = back.kind == n.kind && back.v.u == n.v.u;

    CHECK(r.rest.len == 0);
    sg_buf_free(&buf);
    return sg_read_done(&r) && same;
}

static void test_numbers(void)
{
    CHECK(comes_back((sg_num){SIGMA_INT, {.i = INT64_MIN}}));
    CHECK(comes_back((sg_num){SIGMA_UINT, {.u = UINT64_MAX}}));
    CHECK(comes_back((sg_num){SIGMA_FLOAT, {.f = -0.0}}));
    CHECK(comes_back((sg_num){SIGMA_FLOAT, {.f = 5e-324}}));
    CHECK(!comes_back((sg_num){SIGMA_FLOAT, {.f = INFINITY}}));
    CHECK(!comes_back((sg_num){SIGMA_FLOAT, {.f = -INFINITY}}));
    CHECK(!comes_back((sg_num){SIGMA_FLOAT, {.f = NAN}}));

    sg_reader no_kind = {SG_S("\xFF\0\0\0\0\0\0\0\0"), false};

    CHECK(sg_read_num(&no_kind).kind == SIGMA_INT);
    CHECK(no_kind.bad);
}

int main(void)
{
    test_form();
    test_in_place();
    test_short();
    test_numbers();
    return TEST_END();
}
