/*
 * test_timepart.c - parts of timestamps as written, ISO weeks.
 */
#include "match/match.h"
#include "support/test.h"

enum { NO = -1 };

static int64_t part(const char *text, sigma_time_part which)
{
    int64_t n = NO;

    return sr_time_part(sg_str_of(text), which, &n) ? n : NO;
}

static void test_parts(void)
{
    static const struct {
        const char *text;
        int minute, hour, day, week, month, year;
    } rows[] = {
        {"2024-05-17T03:59:59Z", 59, 3, 17, 20, 5, 2024},
        {"2024-05-17 03:00:00", 0, 3, 17, 20, 5, 2024},
        {"2024-05-01T23:30:00+02:00", 30, 23, 1, 18, 5, 2024},
        {"2024-05-01T23:30:00-0230", 30, 23, 1, 18, 5, 2024},
        {"2024-05-01T23:59:59.9999999Z", 59, 23, 1, 18, 5, 2024},
        {"2024-05-01 23:59:59,123", 59, 23, 1, 18, 5, 2024},
        {"2024-05-01T23:59", 59, 23, 1, 18, 5, 2024},
        {"2016-12-31T23:59:60Z", 59, 23, 31, 52, 12, 2016},
        {"2024-05-05", NO, NO, 5, 18, 5, 2024},
        {"2024-02-29", NO, NO, 29, 9, 2, 2024},
        {"2023-02-29", NO, NO, NO, NO, NO, NO},
        {"2023-04-31", NO, NO, NO, NO, NO, NO},
        {"2023-13-01", NO, NO, NO, NO, NO, NO},
        {"2023-00-01", NO, NO, NO, NO, NO, NO},
        {"2023-01-00", NO, NO, NO, NO, NO, NO},
        {"2024-05-17T24:00:00Z", NO, NO, NO, NO, NO, NO},
        {"2024-05-17T23:60:00Z", NO, NO, NO, NO, NO, NO},
        {"2024-05-17T23:00:61Z", NO, NO, NO, NO, NO, NO},
        {"2024-05-17T23:00:00.Z", NO, NO, NO, NO, NO, NO},
        {"2024-05-17T23:00:00Zx", NO, NO, NO, NO, NO, NO},
        {"2024-05-17T23:00:00+2", NO, NO, NO, NO, NO, NO},
        {"2024-05-17T", NO, NO, NO, NO, NO, NO},
        {"2024-05-17 ", NO, NO, NO, NO, NO, NO},
        {"2024-5-17", NO, NO, NO, NO, NO, NO},
        {" 2024-05-17", NO, NO, NO, NO, NO, NO},
        {"1715912399", NO, NO, NO, NO, NO, NO},
        {"20240517", NO, NO, NO, NO, NO, NO},
        {"x", NO, NO, NO, NO, NO, NO},
        {"", NO, NO, NO, NO, NO, NO},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        CHECK_INT(part(rows[i].text, SIGMA_MINUTE), rows[i].minute);
        CHECK_INT(part(rows[i].text, SIGMA_HOUR), rows[i].hour);
        CHECK_INT(part(rows[i].text, SIGMA_DAY), rows[i].day);
        CHECK_INT(part(rows[i].text, SIGMA_WEEK), rows[i].week);
        CHECK_INT(part(rows[i].text, SIGMA_MONTH), rows[i].month);
        CHECK_INT(part(rows[i].text, SIGMA_YEAR), rows[i].year);
    }
}

static void test_weeks(void)
{
    static const struct {
        const char *text;
        int week;
    } rows[] = {
        {"2021-01-01", 53}, {"2021-01-03", 53}, {"2021-01-04", 1},
        {"2024-12-29", 52}, {"2024-12-30", 1},  {"2024-06-19", 25},
        {"2024-06-28", 26}, {"2020-12-31", 53}, {"2015-12-31", 53},
        {"2016-01-03", 53}, {"2016-01-04", 1},  {"2018-12-31", 1},
        {"2017-01-01", 52}, {"2000-01-01", 52}, {"1999-12-31", 52},
        {"2009-12-31", 53}, {"0000-01-01", 52}, {"9999-12-31", 52},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
        CHECK_INT(part(rows[i].text, SIGMA_WEEK), rows[i].week);
}

int main(void)
{
    test_parts();
    test_weeks();
    return TEST_END();
}
