/*
 * common.c - how common bytes are in what rules look for.
 */
#include "match/match.h"

unsigned sr_byte_weight(char c)
{
    static const unsigned char listed[256] = {
        ['e'] = 9, ['\\'] = 9, ['.'] = 9, ['s'] = 9, ['i'] = 9, ['o'] = 9,
        ['t'] = 9, ['r'] = 9,  ['n'] = 9, ['a'] = 9, ['c'] = 9, ['l'] = 6,
        ['m'] = 6, ['d'] = 6,  ['p'] = 6, ['u'] = 6, ['h'] = 6, ['w'] = 6,
        ['x'] = 6, ['f'] = 6,  ['g'] = 6, ['-'] = 6, ['/'] = 6, [' '] = 6,
        [':'] = 6, ['0'] = 6,  ['1'] = 6, ['2'] = 6, ['3'] = 6, ['_'] = 6,
        ['b'] = 4, ['j'] = 4,  ['k'] = 4, ['q'] = 4, ['v'] = 4, ['y'] = 4,
        ['z'] = 4};
    const unsigned char known = listed[(unsigned char)c];

    return known == 0 ? 2 : known;
}
