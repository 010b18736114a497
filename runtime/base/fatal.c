/*
 * fatal.c - the end of a process that cannot go on: memory is exhausted or an
 * invariant is broken. Never reached through bad input.
 */
#include "base/sg_base.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

void sg_fatal(const char *fmt, ...)
{
    va_list ap;

    fprintf(stderr, "%s: fatal: ", program_invocation_short_name);
    va_start(ap, fmt);
    vfprintf(stderr, fmt, ap);
    va_end(ap);
    fputc('\n', stderr);
    exit(3);
}
