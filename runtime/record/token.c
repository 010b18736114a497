/*
 * token.c - the tokens of JSON, read byte by byte and checked against RFC 8259
 * (UTF-8 included); faults say why and where.
 */
#include "record/scan.h"

#include <string.h>

bool sr_fail_at(sr_scan *s, const char *at, const char *reason)
{
    s->fault->reason = reason;
    s->fault->at = (size_t)(at - s->line);
    return false;
}

bool sr_fail(sr_scan *s, const char *reason)
{
    return sr_fail_at(s, s->p,
                      s->p == s->end ? "the line ends too early" : reason);
}

bool sr_fail_memory(sr_scan *s)
{
    return sr_fail_at(s, s->p, "out of memory");
}

/* -------- tokens ------------------------------------------------------- */

/* Length of the well-formed UTF-8 sequence at p (RFC 3629), or 0. */
size_t sr_sequence(const char *p, const char *end)
{
    const size_t left = (size_t)(end - p);
    const unsigned char *u = (const unsigned char *)p;
    const unsigned char lead = u[0];
    unsigned char low = 0x80, high = 0xBF;
    size_t len;

    if (lead < 0xC2 || lead > 0xF4)
        return 0;
    len = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    if (lead == 0xE0)
        low = 0xA0;
    else if (lead == 0xED)
        high = 0x9F; /* no surrogates */
    else if (lead == 0xF0)
        low = 0x90;
    else if (lead == 0xF4)
        high = 0x8F;
    if (left < len || u[1] < low || u[1] > high)
        return 0;
    for (size_t i = 2; i < len; i++)
        if ((u[i] & 0xC0) != 0x80)
            return 0;
    return len;
}

bool sr_is_hex(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') ||
           (c >= 'A' && c <= 'F');
}

/* Whether a backslash and c are an escape of two bytes. */
bool sr_is_short_escape(char c)
{
    switch (c) {
    case '"':
    case '\\':
    case '/':
    case 'b':
    case 'f':
    case 'n':
    case 'r':
    case 't':
        return true;
    default:
        return false;
    }
}

/* s->p at the backslash. */
static bool escape(sr_scan *s)
{
    const char *p = s->p;

    if (s->end - p < 2)
        return sr_fail_at(s, s->end, "the line ends too early");
    if (p[1] == 'u') {
        for (int i = 2; i < 6; i++) {
            if (p + i == s->end)
                return sr_fail_at(s, s->end, "the line ends too early");
            if (!sr_is_hex(p[i]))
                return sr_fail(s, "bad \\u escape in a string");
        }
        s->p += 6;
        return true;
    }
    if (!sr_is_short_escape(p[1]))
        return sr_fail(s, "bad escape in a string");
    s->p += 2;
    return true;
}

/* s->p at the opening quote; afterwards behind the closing one. */
bool sr_scan_string(sr_scan *s)
{
    size_t len;

    s->escaped = false;
    for (s->p++;;) {
        s->p = sr_special(s->p, s->end);
        if (s->p == s->end)
            return sr_fail(s, "");
        if (*s->p == '"')
            break;
        if (*s->p == '\\') {
            s->escaped = true;
            if (!escape(s))
                return false;
            continue;
        }
        if ((unsigned char)*s->p < 0x20)
            return sr_fail(s, "control character in a string");
        len = sr_sequence(s->p, s->end);
        if (len == 0)
            return sr_fail(s, "ill-formed UTF-8");
        s->p += len;
    }
    s->p++;
    return true;
}

static bool is_digit(const sr_scan *s)
{
    return s->p < s->end && *s->p >= '0' && *s->p <= '9';
}

static bool digits(sr_scan *s)
{
    if (!is_digit(s))
        return sr_fail(s, "bad number");
    while (is_digit(s))
        s->p++;
    return true;
}

static bool number(sr_scan *s)
{
    if (*s->p == '-')
        s->p++;
    if (is_digit(s) && *s->p == '0')
        s->p++;
    else if (!digits(s))
        return false;
    if (s->p < s->end && *s->p == '.') {
        s->p++;
        if (!digits(s))
            return false;
    }
    if (s->p < s->end && (*s->p | 0x20) == 'e') {
        s->p++;
        if (s->p < s->end && (*s->p == '+' || *s->p == '-'))
            s->p++;
        return digits(s);
    }
    return true;
}

static bool word(sr_scan *s, sg_str text)
{
    if ((size_t)(s->end - s->p) < text.len ||
        memcmp(s->p, text.ptr, text.len) != 0)
        return sr_fail_at(s, s->p, "expected a value");
    s->p += text.len;
    return true;
}

/* Read one scalar; its kind goes to *kind. */
bool sr_scan_scalar(sr_scan *s, sr_kind *kind)
{
    switch (*s->p) {
    case '"':
        *kind = SR_STRING;
        return sr_scan_string(s);
    case 't':
        *kind = SR_BOOL;
        return word(s, SG_S("true"));
    case 'f':
        *kind = SR_BOOL;
        return word(s, SG_S("false"));
    case 'n':
        *kind = SR_NULL;
        return word(s, SG_S("null"));
    default:
        *kind = SR_NUMBER;
        if (*s->p != '-' && !is_digit(s))
            return sr_fail(s, "expected a value");
        return number(s);
    }
}
