/* test_time.c - event times and durations. */
#include "support/test.h"

#define S INT64_C(1000000000)

static void test_parse(void)
{
    static const struct {
        const char *in;
        int64_t want;
    } rows[] = {
        {"1970-01-01T00:00:00Z", 0},
        {"1970-01-01 00:00:00", 0},
        {"1970-01-01T00:00:00", 0},
        {"1970-01-01t00:00:01z", S},
        {"2026-01-02T03:04:05.678Z", 1767323045 * S + 678000000},
        {"2026-01-02 03:04:05.678", 1767323045 * S + 678000000},
        {"2026-01-02T03:04:05+02:00", 1767315845 * S},
        {"2026-01-02T03:04:05.5-0530", 1767342845 * S + 500000000},
        {"2024-02-29T23:59:60Z", 1709251200 * S},
        {"2000-02-29T00:00:00Z", 951782400 * S},
        {"1969-12-31T23:59:59.999999999Z", -1},
        {"1900-01-01T00:00:00Z", -2208988800 * S},
        {"2026-01-02T03:04:05.123456789987Z", 1767323045 * S + 123456789},
        {"2262-04-11T23:47:16.854775807Z", INT64_MAX},
        {"0", 0},
        {"1762399995", 1762399995 * S},
        {"1762399995.797", 1762399995 * S + 797000000},
        {"1762399995.7971234567", 1762399995 * S + 797123456},
        {"1762399997855", INT64_C(1762399997855) * 1000000},
        {"1762399997855.5", INT64_C(1762399997855500) * 1000},
        {"1762399997855123", INT64_C(1762399997855123) * 1000},
        {"1762399997855123456", INT64_C(1762399997855123456)},
        {"1.762399995797e9", 1762399995 * S + 797000000},
        {"1762399995797E-3", 1762399995 * S + 797000000},
        {"-1.5", -1500000000},
        {"+1", S},
        {"0.000000001", 1},
        {"0.0000000001", 0},
        {"00001762399995", 1762399995 * S},
        {"9223372036854775807", INT64_MAX},
        {"9223372036854", INT64_C(9223372036854) * 1000000},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int64_t ns = -77;

        test_result(sg_time_parse(sg_str_of(rows[i].in), &ns), __FILE__,
                    __LINE__, rows[i].in);
        CHECK_INT(ns, rows[i].want);
    }
}

static void test_refused(void)
{
    static const char *const rows[] = {
        "",
        "-",
        ".5",
        "5.",
        "1e",
        "abc",
        "12 ",
        "2026-01-02",
        "2026-01-02T03:04",
        "2026-01-02T03:04:05.",
        "2026-01-02T03:04:05 Z",
        "2026-13-02T03:04:05Z",
        "2026-00-02T03:04:05Z",
        "2026-02-29T03:04:05Z",
        "2026-01-00T03:04:05Z",
        "2026-01-02T24:04:05Z",
        "2026-01-02T03:60:05Z",
        "2026-01-02T03:04:61Z",
        "2026-01-02T03:04:05+2",
        "2026-01-02T03:04:05+24:00",
        "2026-01-02T03:04:05Zx",
        "2263-01-01T00:00:00Z",
        "0000-01-01T00:00:00Z",
        "99999999999",
        "99999999999999",
        "9223372036854775808",
        "18446744073709551615",
        "1e400",
        "1e-",
        "0x10",
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int64_t ns;

        test_result(!sg_time_parse(sg_str_of(rows[i]), &ns), __FILE__, __LINE__,
                    rows[i]);
    }
}

static void test_text(void)
{
    static const struct {
        int64_t in;
        const char *want;
    } rows[] = {
        {0, "1970-01-01T00:00:00.000Z"},
        {-1, "1969-12-31T23:59:59.999999999Z"},
        {1767323045 * S + 678000000, "2026-01-02T03:04:05.678Z"},
        {1767323045 * S + 678100000, "2026-01-02T03:04:05.678100Z"},
        {1709251199 * S, "2024-02-29T23:59:59.000Z"},
        {951868800 * S, "2000-03-01T00:00:00.000Z"},
        {INT64_MAX, "2262-04-11T23:47:16.854775807Z"},
        {INT64_MIN, "1677-09-21T00:12:43.145224192Z"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[SG_TIME_TEXT];
        const size_t len = sg_time_text(rows[i].in, text);

        CHECK_STR(((sg_str){text, len}), sg_str_of(rows[i].want));
        CHECK_INT(text[len], 0);
    }
}

static void test_round_trip(void)
{
    for (int64_t day = -106751; day < 106751; day += 13) {
        const int64_t ns = day * 86400 * S + day * 1001 + 7;
        char text[SG_TIME_TEXT];
        int64_t back = 0;

        CHECK(sg_time_parse((sg_str){text, sg_time_text(ns, text)}, &back));
        CHECK_INT(back, ns);
    }
}

static void test_duration(void)
{
    static const struct {
        const char *in;
        bool ms;
        int64_t want; /* -1: refused */
    } rows[] = {
        {"5m", false, 300 * S},
        {"0s", false, 0},
        {"1h", false, 3600 * S},
        {"2d", false, 172800 * S},
        {"1w", false, 604800 * S},
        {"1M", false, 2629746 * S},
        {"1y", false, 31556952 * S},
        {"250ms", true, 250000000},
        {"250ms", false, -1},
        {"", true, -1},
        {"5", true, -1},
        {"m", true, -1},
        {"+5m", true, -1},
        {"-5m", true, -1},
        {"5 m", true, -1},
        {"5mm", true, -1},
        {"1.5h", true, -1},
        {"5m ", true, -1},
        {"9223372036s", false, 9223372036 * S},
        {"9223372037s", false, -1},
        {"99999999999999999999s", false, -1},
        {"300y", false, -1},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int64_t ns = -1;

        if (!sg_duration_parse(sg_str_of(rows[i].in), rows[i].ms, &ns))
            ns = -1;
        CHECK_INT(ns, rows[i].want);
    }
}

int main(void)
{
    test_parse();
    test_refused();
    test_text();
    test_round_trip();
    test_duration();
    return TEST_END();
}
