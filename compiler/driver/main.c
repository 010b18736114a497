/*
 * main.c - argv to exit code: 0 done, 1 rules rejected, 2 usage, 3 toolchain,
 * I/O or internal failure.
 */
#include "driver/driver.h"

int main(int argc, char **argv)
{
    return sc_main(argc, argv);
}
