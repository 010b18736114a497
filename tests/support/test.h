/*
 * test.h - checks for unit tests: each failure prints place, have and want;
 * TEST_END() gives the exit status.
 */
#ifndef TEST_H
#define TEST_H

#include "base/sg_base.h"

#include <stdio.h>
#include <string.h>

static int test_count, test_failures;

static inline void test_result(bool ok, const char *file, int line,
                               const char *what)
{
    test_count++;
    if (ok)
        return;
    test_failures++;
    printf("%s:%d: failed: %s\n", file, line, what);
}

static inline void test_str(sg_str have, sg_str want, const char *file,
                            int line)
{
    test_count++;
    if (sg_str_eq(have, want))
        return;
    test_failures++;
    printf("%s:%d:\n  have: %.*s\n  want: %.*s\n", file, line, SG_FMT(have),
           SG_FMT(want));
}

static inline void test_int(long long have, long long want, const char *file,
                            int line)
{
    test_count++;
    if (have == want)
        return;
    test_failures++;
    printf("%s:%d: have %lld, want %lld\n", file, line, have, want);
}

#define CHECK(x) test_result((x), __FILE__, __LINE__, #x)
#define CHECK_STR(have, want) test_str((have), (want), __FILE__, __LINE__)
#define CHECK_INT(have, want)                                                  \
    test_int((long long)(have), (long long)(want), __FILE__, __LINE__)
#define TEST_END()                                                             \
    (printf("%d checks, %d failed\n", test_count, test_failures),              \
     test_failures != 0 || test_count == 0)

#endif
