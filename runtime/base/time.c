/*
 * time.c - event time as nanoseconds since 1970 UTC, without floating point:
 * every digit up to the nanosecond counts. Range: years 1677 to 2262. The
 * machine's clock and time zone play no part.
 */
#include "base/sg_base.h"

#include <string.h>

#define SECOND INT64_C(1000000000)
#define DAY_SECONDS 86400

/* -------- calendar ------------------------------------------------------ */

typedef struct civil {
    int64_t year;
    unsigned month, day;
} civil;

static bool is_leap(int64_t year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static unsigned month_days(int64_t year, unsigned month)
{
    static const unsigned char days[] = {31, 28, 31, 30, 31, 30,
                                         31, 31, 30, 31, 30, 31};

    return month == 2 && is_leap(year) ? 29 : days[month - 1];
}

/* Days before 1 January of a year, counted from 1 January of year 0. */
static int64_t days_before_year(int64_t year)
{
    const int64_t y = year - 1;

    return year == 0 ? 0 : 366 + y * 365 + y / 4 - y / 100 + y / 400;
}

enum { EPOCH_DAYS = 719528 }; /* days_before_year(1970) */

static int64_t days_of(civil date)
{
    int64_t days = days_before_year(date.year) - EPOCH_DAYS + date.day - 1;

    for (unsigned m = 1; m < date.month; m++)
        days += month_days(date.year, m);
    return days;
}

/* The date of a day since 1970; years 1 to 9999. */
static civil civil_of(int64_t days)
{
    civil date = {.month = 1};
    int64_t rest = days + EPOCH_DAYS;

    date.year = rest / 366; /* never late, early by a few years at most */
    while (days_before_year(date.year + 1) <= rest)
        date.year++;
    rest -= days_before_year(date.year);
    while (rest >= month_days(date.year, date.month)) {
        rest -= month_days(date.year, date.month);
        date.month++;
    }
    date.day = (unsigned)rest + 1;
    return date;
}

/* -------- reading ------------------------------------------------------- */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Exactly n digits at *pos. */
static bool take_number(sg_str text, size_t *pos, size_t n, unsigned *out)
{
    *out = 0;
    if (text.len - *pos < n)
        return false;
    for (size_t end = *pos + n; *pos < end; ++*pos) {
        if (!is_digit(text.ptr[*pos]))
            return false;
        *out = *out * 10 + (unsigned)(text.ptr[*pos] - '0');
    }
    return true;
}

static bool take_char(sg_str text, size_t *pos, char c)
{
    if (*pos >= text.len || text.ptr[*pos] != c)
        return false;
    ++*pos;
    return true;
}

static bool take_date(sg_str text, size_t *pos, int64_t *days)
{
    unsigned year, month, day;

    if (!take_number(text, pos, 4, &year) || !take_char(text, pos, '-') ||
        !take_number(text, pos, 2, &month) || !take_char(text, pos, '-') ||
        !take_number(text, pos, 2, &day))
        return false;
    if (month < 1 || month > 12 || day < 1 || day > month_days(year, month))
        return false;
    *days = days_of((civil){year, month, day});
    return true;
}

static bool take_clock(sg_str text, size_t *pos, int64_t *seconds)
{
    unsigned hour, minute, second;

    if (!take_number(text, pos, 2, &hour) || !take_char(text, pos, ':') ||
        !take_number(text, pos, 2, &minute) || !take_char(text, pos, ':') ||
        !take_number(text, pos, 2, &second))
        return false;
    *seconds = hour * 3600 + minute * 60 + second;
    return hour < 24 && minute < 60 && second <= 60; /* leap second */
}

/* Optional `.digits`, to the nanosecond. */
static bool take_fraction(sg_str text, size_t *pos, int64_t *ns)
{
    const size_t beg = *pos + 1;
    int64_t unit = SECOND / 10;

    *ns = 0;
    if (!take_char(text, pos, '.'))
        return true;
    for (; *pos < text.len && is_digit(text.ptr[*pos]); ++*pos) {
        *ns += (text.ptr[*pos] - '0') * unit;
        unit /= 10;
    }
    return *pos > beg;
}

/* Optional zone: Z, z, +hh:mm, -hh:mm, also without the colon. */
static bool take_zone(sg_str text, size_t *pos, int64_t *seconds)
{
    unsigned hours, minutes;
    bool west;

    *seconds = 0;
    if (*pos == text.len || take_char(text, pos, 'Z') ||
        take_char(text, pos, 'z'))
        return true;
    west = take_char(text, pos, '-');
    if (!west && !take_char(text, pos, '+'))
        return false;
    if (!take_number(text, pos, 2, &hours))
        return false;
    take_char(text, pos, ':');
    if (!take_number(text, pos, 2, &minutes) || hours > 23 || minutes > 59)
        return false;
    *seconds = hours * 3600 + minutes * 60;
    if (west)
        *seconds = -*seconds;
    return true;
}

static bool join(int64_t seconds, int64_t fraction, int64_t *ns)
{
    return !__builtin_mul_overflow(seconds, SECOND, ns) &&
           !__builtin_add_overflow(*ns, fraction, ns);
}

static bool parse_calendar(sg_str text, int64_t *ns)
{
    int64_t days, clock, fraction, zone;
    size_t pos = 0;

    if (!take_date(text, &pos, &days))
        return false;
    if (!take_char(text, &pos, 'T') && !take_char(text, &pos, 't') &&
        !take_char(text, &pos, ' '))
        return false;
    if (!take_clock(text, &pos, &clock) ||
        !take_fraction(text, &pos, &fraction) || !take_zone(text, &pos, &zone))
        return false;
    return pos == text.len &&
           join(days * DAY_SECONDS + clock - zone, fraction, ns);
}

/* Significant decimal digits; the value is 0.DIGITS * 10^point. */
typedef struct digits {
    char text[24]; /* more than 64 bits hold */
    size_t count;
    int64_t point;
    bool negative;
} digits;

enum { MAX_POINT = 1000 };

static void add_digit(digits *d, char c, bool fraction)
{
    if (d->count == 0 && c == '0') {
        d->point -= fraction;
        return;
    }
    d->point += !fraction;
    if (d->count < sizeof d->text)
        d->text[d->count++] = c;
}

static bool take_digits(sg_str text, size_t *pos, digits *d, bool fraction)
{
    const size_t beg = *pos;

    while (*pos < text.len && is_digit(text.ptr[*pos]))
        add_digit(d, text.ptr[(*pos)++], fraction);
    return *pos > beg;
}

static bool take_exponent(sg_str text, size_t *pos, digits *d)
{
    const bool negative = take_char(text, pos, '-');
    int64_t n = 0;
    size_t beg;

    if (!negative)
        take_char(text, pos, '+');
    beg = *pos;
    for (; *pos < text.len && is_digit(text.ptr[*pos]); ++*pos)
        if (n < MAX_POINT)
            n = n * 10 + (text.ptr[*pos] - '0');
    d->point += negative ? -n : n;
    return *pos > beg;
}

static bool read_digits(sg_str text, digits *d)
{
    size_t pos = 0;

    *d = (digits){.count = 0};
    d->negative = take_char(text, &pos, '-');
    if (!d->negative)
        take_char(text, &pos, '+');
    if (!take_digits(text, &pos, d, false))
        return false;
    if (take_char(text, &pos, '.') && !take_digits(text, &pos, d, true))
        return false;
    if ((take_char(text, &pos, 'e') || take_char(text, &pos, 'E')) &&
        !take_exponent(text, &pos, d))
        return false;
    return pos == text.len;
}

/* Decimal places between the unit that a number of this size is in and the
 * nanosecond: below 10^11 seconds (year 5138), below 10^14 milliseconds, below
 * 10^17 microseconds. */
static int64_t unit_shift(int64_t point)
{
    return point <= 11 ? 9 : point <= 14 ? 6 : point <= 17 ? 3 : 0;
}

static bool parse_epoch(sg_str text, int64_t *ns)
{
    digits d;
    int64_t n = 0, places;

    if (!read_digits(text, &d))
        return false;
    places = d.count == 0 ? 0 : d.point + unit_shift(d.point);
    if (places > 19)
        return false;
    for (int64_t i = 0; i < places; i++) {
        const int digit = i < (int64_t)d.count ? d.text[i] - '0' : 0;

        if (__builtin_mul_overflow(n, 10, &n) ||
            __builtin_add_overflow(n, digit, &n))
            return false;
    }
    *ns = d.negative ? -n : n;
    return true;
}

bool sg_time_parse(sg_str text, int64_t *ns)
{
    return parse_calendar(text, ns) || parse_epoch(text, ns);
}

/* -------- writing ------------------------------------------------------- */

static size_t put_number(char *out, uint64_t n, size_t width)
{
    for (size_t i = width; i-- > 0; n /= 10)
        out[i] = (char)('0' + n % 10);
    return width;
}

static size_t put_clock(char *out, uint64_t seconds)
{
    size_t len = put_number(out, seconds / 3600, 2);

    out[len++] = ':';
    len += put_number(out + len, seconds / 60 % 60, 2);
    out[len++] = ':';
    return len + put_number(out + len, seconds % 60, 2);
}

static size_t put_fraction(char *out, uint64_t ns)
{
    out[0] = '.';
    if (ns % 1000000 == 0)
        return 1 + put_number(out + 1, ns / 1000000, 3);
    if (ns % 1000 == 0)
        return 1 + put_number(out + 1, ns / 1000, 6);
    return 1 + put_number(out + 1, ns, 9);
}

size_t sg_time_text(int64_t ns, char out[SG_TIME_TEXT])
{
    const int64_t day_ns = DAY_SECONDS * SECOND;
    const int64_t days = ns / day_ns - (ns % day_ns < 0);
    const uint64_t rest = (uint64_t)(ns % day_ns + (ns % day_ns < 0) * day_ns);
    const civil date = civil_of(days);
    size_t len = put_number(out, (uint64_t)date.year, 4);

    out[len++] = '-';
    len += put_number(out + len, date.month, 2);
    out[len++] = '-';
    len += put_number(out + len, date.day, 2);
    out[len++] = 'T';
    len += put_clock(out + len, rest / (uint64_t)SECOND);
    len += put_fraction(out + len, rest % (uint64_t)SECOND);
    out[len++] = 'Z';
    out[len] = '\0';
    return len;
}

/* -------- durations ----------------------------------------------------- */

static bool unit_of(sg_str name, bool allow_ms, int64_t *ns)
{
    static const struct {
        sg_str name;
        int64_t seconds;
    } units[] = {{SG_LIT("s"), 1},       {SG_LIT("m"), 60},
                 {SG_LIT("h"), 3600},    {SG_LIT("d"), DAY_SECONDS},
                 {SG_LIT("w"), 604800},  {SG_LIT("M"), 2629746},
                 {SG_LIT("y"), 31556952}};

    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
        if (sg_str_eq(name, units[i].name)) {
            *ns = units[i].seconds * SECOND;
            return true;
        }
    *ns = SECOND / 1000;
    return allow_ms && sg_str_eq(name, SG_S("ms"));
}

bool sg_duration_parse(sg_str text, bool allow_ms, int64_t *ns)
{
    int64_t n = 0, unit;
    size_t pos = 0;

    for (; pos < text.len && is_digit(text.ptr[pos]); pos++)
        if (__builtin_mul_overflow(n, 10, &n) ||
            __builtin_add_overflow(n, text.ptr[pos] - '0', &n))
            return false;
    return pos != 0 &&
           unit_of(sg_str_sub(text, pos, text.len), allow_ms, &unit) &&
           !__builtin_mul_overflow(n, unit, ns);
}
