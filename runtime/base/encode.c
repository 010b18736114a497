/*
 * encode.c - texts that are not to be found in a file as they are. The stream
 * is that of splitmix64 (Steele, Lea and Flood, 2014), whose word n needs none
 * of those before it.
 */
#include "base/sg_base.h"

#include <string.h>

enum { WORD = sizeof(uint64_t) };

static uint64_t word_of(uint64_t key, uint64_t n)
{
    uint64_t word = key + (n + 1) * UINT64_C(0x9e3779b97f4a7c15);

    word = (word ^ (word >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    word = (word ^ (word >> 27)) * UINT64_C(0x94d049bb133111eb);
    return word ^ (word >> 31);
}

/* The word as it stands in memory: its lowest byte comes first. */
static uint64_t in_memory(uint64_t word)
{
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    return __builtin_bswap64(word);
#else
    return word;
#endif
}

static void encode_word(char *out, const char *in, uint64_t word)
{
    uint64_t bytes;

    memcpy(&bytes, in, WORD);
    bytes ^= in_memory(word);
    memcpy(out, &bytes, WORD);
}

void sg_encode(char *out, sg_str text, uint64_t key, uint64_t at)
{
    for (size_t i = 0; i < text.len;) {
        const uint64_t word = word_of(key, (at + i) / WORD);
        const unsigned first = (unsigned)((at + i) % WORD);

        if (first == 0 && text.len - i >= WORD) {
            encode_word(out + i, text.ptr + i, word);
            i += WORD;
            continue;
        }
        for (unsigned k = first; k < WORD && i < text.len; k++, i++)
            out[i] = (char)((unsigned char)text.ptr[i] ^
                            (unsigned char)(word >> 8 * k));
    }
}
