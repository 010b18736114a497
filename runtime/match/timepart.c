/*
 * timepart.c - minute, hour, day, ISO week, month and year of a timestamp as
 * it is written. No conversion between zones, no clock.
 */
#include "match/match.h"

typedef struct stamp {
    int year, month, day;
    int hour, minute; /* valid when has_time */
    bool has_time;
} stamp;

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Exactly `count` digits, a number from lo to hi. */
static bool read_number(sg_str s, size_t *pos, int count, int lo, int hi,
                        int *out)
{
    int n = 0;

    for (int i = 0; i < count; i++) {
        if (*pos == s.len || !is_digit(s.ptr[*pos]))
            return false;
        n = n * 10 + (s.ptr[(*pos)++] - '0');
    }
    *out = n;
    return n >= lo && n <= hi;
}

static bool read_char(sg_str s, size_t *pos, char c)
{
    if (*pos == s.len || s.ptr[*pos] != c)
        return false;
    (*pos)++;
    return true;
}

static bool is_leap(int year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

/* Days of the year before the first of the month. */
static int days_before(int year, int month)
{
    static const int days[] = {0,   31,  59,  90,  120, 151,
                               181, 212, 243, 273, 304, 334};

    return days[month - 1] + (month > 2 && is_leap(year));
}

static int days_in_month(int year, int month)
{
    const int next =
        month == 12 ? 365 + is_leap(year) : days_before(year, month + 1);
    return next - days_before(year, month);
}

static bool read_date(sg_str s, size_t *pos, stamp *t)
{
    return read_number(s, pos, 4, 0, 9999, &t->year) &&
           read_char(s, pos, '-') && read_number(s, pos, 2, 1, 12, &t->month) &&
           read_char(s, pos, '-') &&
           read_number(s, pos, 2, 1, days_in_month(t->year, t->month), &t->day);
}

/* [:ss[.f]]; 60 is a leap second. */
static bool read_seconds(sg_str s, size_t *pos)
{
    int unused;

    if (!read_char(s, pos, ':'))
        return true;
    if (!read_number(s, pos, 2, 0, 60, &unused))
        return false;
    if (!read_char(s, pos, '.') && !read_char(s, pos, ','))
        return true;
    const size_t beg = *pos;
    while (*pos < s.len && is_digit(s.ptr[*pos]))
        (*pos)++;
    return *pos > beg;
}

/* Nothing, Z, +hh:mm or +hhmm, up to the end. */
static bool read_zone(sg_str s, size_t *pos)
{
    int unused;

    if (*pos == s.len)
        return true;
    if (read_char(s, pos, 'Z') || read_char(s, pos, 'z'))
        return *pos == s.len;
    if (!read_char(s, pos, '+') && !read_char(s, pos, '-'))
        return false;
    if (!read_number(s, pos, 2, 0, 23, &unused))
        return false;
    (void)read_char(s, pos, ':');
    return read_number(s, pos, 2, 0, 59, &unused) && *pos == s.len;
}

static bool read_stamp(sg_str s, stamp *t)
{
    size_t pos = 0;

    if (!read_date(s, &pos, t))
        return false;
    t->has_time = pos < s.len;
    if (!t->has_time)
        return true;
    if (!read_char(s, &pos, 'T') && !read_char(s, &pos, 't') &&
        !read_char(s, &pos, ' '))
        return false;
    return read_number(s, &pos, 2, 0, 23, &t->hour) &&
           read_char(s, &pos, ':') &&
           read_number(s, &pos, 2, 0, 59, &t->minute) &&
           read_seconds(s, &pos) && read_zone(s, &pos);
}

/* Monday is 0. From the days since -399-01-01, a Monday; Gregorian. */
static int weekday(int year, int month, int day)
{
    const int y = year + 400 - 1; /* whole years before, never negative */
    const int days = y * 365 + y / 4 - y / 100 + y / 400 +
                     days_before(year, month) + day - 1;
    return days % 7;
}

static int weeks_in_year(int year)
{
    const int first = weekday(year, 1, 1);

    return first == 3 || (first == 2 && is_leap(year)) ? 53 : 52;
}

static int iso_week(const stamp *t)
{
    const int yday = days_before(t->year, t->month) + t->day;
    const int week = (yday - 1 - weekday(t->year, t->month, t->day) + 10) / 7;

    if (week < 1)
        return weeks_in_year(t->year - 1);
    return week > weeks_in_year(t->year) ? 1 : week;
}

bool sr_time_part(sg_str text, sigma_time_part part, int64_t *out)
{
    stamp t = {0};

    if (!read_stamp(text, &t))
        return false;
    switch (part) {
    case SIGMA_MINUTE:
        *out = t.minute;
        return t.has_time;
    case SIGMA_HOUR:
        *out = t.hour;
        return t.has_time;
    case SIGMA_DAY:
        *out = t.day;
        return true;
    case SIGMA_WEEK:
        *out = iso_week(&t);
        return true;
    case SIGMA_MONTH:
        *out = t.month;
        return true;
    case SIGMA_YEAR:
        *out = t.year;
        return true;
    }
    return false;
}
