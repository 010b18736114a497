/*
 * fuzz_wildcard.c - the linear wildcard matcher agrees with one that tries
 * every length of every star. Input: pattern, a zero byte, text.
 */
#include "match/match.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { PATTERN_MOST = 12, TEXT_MOST = 24 };

/* What a pair of places gave: unknown, no, yes. */
typedef struct memo {
    char known[PATTERN_MOST + 1][TEXT_MOST + 1];
} memo;

static bool naive(memo *m, sg_str pattern, size_t p, sg_str text, size_t t);

/* A star stands for whole characters only. */
static bool star(memo *m, sg_str pattern, size_t p, sg_str text, size_t t)
{
    for (;;) {
        if (naive(m, pattern, p + 1, text, t))
            return true;
        if (t == text.len)
            return false;
        (void)sg_utf8_next(text, &t);
    }
}

static bool one(memo *m, sg_str pattern, size_t p, sg_str text, size_t t)
{
    if (p == pattern.len)
        return t == text.len;
    if (pattern.ptr[p] == SIGMA_GLOB_STAR)
        return star(m, pattern, p, text, t);
    if (t == text.len)
        return false;
    if (pattern.ptr[p] == SIGMA_GLOB_ANY)
        (void)sg_utf8_next(text, &t);
    else if (pattern.ptr[p] == text.ptr[t])
        t++;
    else
        return false;
    return naive(m, pattern, p + 1, text, t);
}

static bool naive(memo *m, sg_str pattern, size_t p, sg_str text, size_t t)
{
    char *known = &m->known[p][t];

    if (*known == 0)
        *known = one(m, pattern, p, text, t) ? 2 : 1;
    return *known == 2;
}

/* Literal stretches begin characters, as in every pattern of a rule. */
static bool is_whole(sg_str pattern)
{
    size_t pos = 0;

    while (pos < pattern.len) {
        const char c = pattern.ptr[pos];
        const uint32_t cp = sg_utf8_next(pattern, &pos);
        if ((cp & 0x80000000u) != 0 && c != SIGMA_GLOB_STAR &&
            c != SIGMA_GLOB_ANY)
            return false;
    }
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char pattern[PATTERN_MOST];
    memo m = {0};
    const uint8_t *zero = size == 0 ? NULL : memchr(data, 0, size);

    if (zero == NULL)
        return 0;
    const size_t plen = (size_t)(zero - data);
    const size_t tlen = size - plen - 1;
    if (plen > PATTERN_MOST || tlen > TEXT_MOST)
        return 0;
    for (size_t i = 0; i < plen; i++)
        pattern[i] = data[i] == '*'   ? SIGMA_GLOB_STAR
                     : data[i] == '?' ? SIGMA_GLOB_ANY
                                      : (char)data[i];
    const sg_str p = {pattern, plen};
    const sg_str t = {(const char *)zero + 1, tlen};
    if (is_whole(p) && sr_glob_match(p, t) != naive(&m, p, 0, t, 0))
        abort();
    return 0;
}
