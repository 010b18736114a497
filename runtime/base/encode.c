/*
 * encode.c - texts that are not to be found in a file as they are. The stream
 * is that of splitmix64 (Steele, Lea and Flood, 2014), whose word n needs none
 * of those before it.
 */
#include "base/sg_base.h"

static uint64_t word_of(uint64_t key, uint64_t n)
{
    uint64_t word = key + (n + 1) * UINT64_C(0x9e3779b97f4a7c15);

    word = (word ^ (word >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    word = (word ^ (word >> 27)) * UINT64_C(0x94d049bb133111eb);
    return word ^ (word >> 31);
}

void sg_encode(char *out, sg_str text, uint64_t key, uint64_t at)
{
    uint64_t word = 0;

    for (size_t i = 0; i < text.len; i++, at++) {
        if (i == 0 || at % 8 == 0)
            word = word_of(key, at / 8);
        out[i] = (char)((unsigned char)text.ptr[i] ^
                        (unsigned char)(word >> (at % 8 * 8)));
    }
}
