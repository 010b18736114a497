/*
 * peer_pipe.c - reads standard input to its end and does nothing with it: what
 * a pipe allows. Prints the number of bytes. A peer to measure against.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

static char buf[1 << 20];

int main(void)
{
    unsigned long long bytes = 0;
    ssize_t n;

    (void)fcntl(STDIN_FILENO, F_SETPIPE_SZ, 1 << 20);
    while ((n = read(STDIN_FILENO, buf, sizeof(buf))) > 0)
        bytes += (unsigned long long)n;
    printf("%llu\n", bytes);
    return n < 0;
}
