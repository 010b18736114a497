/*
 * needles.c - a few bytes out of texts, chosen so that they are rare, looked
 * for in lines together with the escapes that may hide them. prefilter.c says
 * why that finds what it has to.
 */
#include "record/needles.h"

#include "record/scan.h"

#include <assert.h>

enum {
    SHORTEST = 3,
    DETOUR = 4, /* what an s or k takes from a window's rarity */
    CAPITAL = 2 /* what being one adds to a letter's */
};

/* How rare a byte is in events, lower case: about -log2 of its share, less
 * four; measured over logs of Windows, Linux and sensors. */
static const uint8_t rarity[128] = {
    [' '] = 2, ['!'] = 9,  ['"'] = 0, ['#'] = 6, ['$'] = 8, ['%'] = 8,
    ['&'] = 9, ['\''] = 8, ['('] = 7, [')'] = 7, ['*'] = 9, ['+'] = 8,
    [','] = 1, ['-'] = 2,  ['.'] = 3, ['/'] = 3, ['0'] = 1, ['1'] = 1,
    ['2'] = 2, ['3'] = 2,  ['4'] = 2, ['5'] = 2, ['6'] = 2, ['7'] = 3,
    ['8'] = 2, ['9'] = 3,  [':'] = 1, [';'] = 9, ['<'] = 9, ['='] = 6,
    ['>'] = 9, ['?'] = 9,  ['@'] = 7, ['['] = 4, [']'] = 4, ['^'] = 9,
    ['_'] = 3, ['`'] = 9,  ['a'] = 0, ['b'] = 2, ['c'] = 1, ['d'] = 1,
    ['e'] = 0, ['f'] = 2,  ['g'] = 3, ['h'] = 3, ['i'] = 1, ['j'] = 5,
    ['k'] = 4, ['l'] = 2,  ['m'] = 2, ['n'] = 1, ['o'] = 1, ['p'] = 2,
    ['q'] = 5, ['r'] = 1,  ['s'] = 0, ['t'] = 1, ['u'] = 2, ['v'] = 3,
    ['w'] = 2, ['x'] = 4,  ['y'] = 3, ['z'] = 5, ['{'] = 4, ['|'] = 9,
    ['}'] = 4, ['~'] = 9};

static uint8_t lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c + 32) : c;
}

static int rarity_of(char c)
{
    const uint8_t byte = (uint8_t)c & 127;

    return rarity[lower(byte)] + (lower(byte) != byte ? CAPITAL : 0);
}

static bool is_letter(char c)
{
    return c >= 'a' && c <= 'z';
}

/* -------- windows ------------------------------------------------------ */

/* JSON has no way to write it but itself and \uXXXX. */
bool sr_is_plain(char c)
{
    return c >= ' ' && c <= '~' && c != '"' && c != '\\' && c != '/';
}

/* 123, -1.5e+300, inf */
bool sr_is_in_numbers(char c)
{
    return (c >= '0' && c <= '9') ||
           sg_str_find(SG_S("+-.einf"), (sg_str){&c, 1}) != SIZE_MAX;
}

static bool is_detour(char c)
{
    return c == 's' || c == 'k';
}

/* How rare a window is; below 0 when it cannot be used. */
static int window_score(sg_str window)
{
    int score = 0;
    bool text = false, detour = false;

    for (size_t i = 0; i < window.len; i++) {
        const char c = window.ptr[i];
        if (!sr_is_plain(c))
            return -1;
        score += 1 + rarity_of(c);
        text = text || !sr_is_in_numbers(c);
        detour = detour || is_detour(c);
    }
    score -= detour ? DETOUR : 0;
    return !text ? -1 : score < 0 ? 0 : score;
}

/* The rarest window of a text in lower case; empty when there is none. */
static sg_str best_window(sg_str text)
{
    sg_str best = SG_S("");
    int best_score = -1;

    for (size_t len = SR_NEEDLE; len >= SHORTEST; len--)
        for (size_t at = 0; at + len <= text.len; at++) {
            const sg_str window = {text.ptr + at, len};
            const int score = window_score(window);
            if (score > best_score) {
                best = window;
                best_score = score;
            }
        }
    return best;
}

/* The same of any text; in the arena. */
static sg_str window_of(sg_arena *arena, sg_str text)
{
    char *copy = sg_arena_alloc(arena, text.len + 1, 1);

    for (size_t i = 0; i < text.len; i++)
        copy[i] = (char)lower((uint8_t)text.ptr[i]);
    return best_window((sg_str){copy, text.len});
}

size_t sr_needle_rarest(sg_str text, size_t len)
{
    size_t best = 0;
    int best_score = -1;

    for (size_t at = 0; at + len <= text.len; at++) {
        int score = 0;
        for (size_t i = at; i < at + len; i++)
            score += rarity_of(text.ptr[i]);
        if (score > best_score) {
            best = at;
            best_score = score;
        }
    }
    return best;
}

/* -------- needles ------------------------------------------------------ */

static uint8_t fold_of(char c, sr_likeness like)
{
    return like == SR_HIDDEN_CASE || (like == SR_ANY_CASE && is_letter(c))
               ? SR_HIDE_CASE
               : 0;
}

/* The two rarest bytes of a window, the farther apart the better. */
static sr_probe probe_of(sg_str window, sr_likeness like)
{
    sr_probe probe = {.at = {0, 0}};
    int best = -1;

    for (size_t i = 0; i + 1 < window.len; i++)
        for (size_t k = i + 1; k < window.len; k++) {
            const int score =
                4 * (rarity_of(window.ptr[i]) + rarity_of(window.ptr[k])) +
                (int)(k - i);
            if (score <= best)
                continue;
            best = score;
            probe.at[0] = (uint8_t)i;
            probe.at[1] = (uint8_t)k;
        }
    for (int i = 0; i < 2; i++) {
        const char c = window.ptr[probe.at[i]];
        probe.byte[i] = (uint8_t)c;
        probe.fold[i] = fold_of(c, like);
    }
    return probe;
}

static sr_needle needle_of(sg_str window, sr_likeness like)
{
    uint8_t fold[SR_NEEDLE] = {0}, mask[SR_NEEDLE] = {0};
    sr_needle needle = {.want = 0};

    for (size_t i = 0; i < window.len; i++) {
        fold[i] = fold_of(window.ptr[i], like);
        mask[i] = 0xFF;
    }
    memcpy(&needle.want, window.ptr, window.len);
    memcpy(&needle.fold, fold, sizeof fold);
    memcpy(&needle.mask, mask, sizeof mask);
    return needle;
}

void sr_needles_init(sr_needles *n)
{
    *n = (sr_needles){.level = sr_level_choose()};
}

void sr_needles_add(sr_needles *n, sg_str window, sr_likeness like)
{
    const sr_needle needle = needle_of(window, like);

    for (uint32_t i = 0; i < n->count; i++)
        if (n->needles[i].want == needle.want)
            return;
    assert(n->count < SR_PROBES_MOST);
    n->folds = n->folds || like != SR_AS_IS;
    uint32_t at = n->count++;

    if ((window.ptr[0] & 0x80) == 0) { /* before those that begin otherwise */
        n->needles[at] = n->needles[n->plain];
        n->probes[at] = n->probes[n->plain];
        at = n->plain++;
    }
    n->needles[at] = needle;
    n->probes[at] = probe_of(window, like);
}

void sr_needles_hide(sr_needles *n, sg_str text)
{
    for (size_t i = 0; i < text.len; i++)
        n->hidden[lower((uint8_t)text.ptr[i])] = true;
}

/* A needle for the text; false when it has no window or there are too many. */
static bool add_text(sr_needles *n, sg_arena *scratch, sg_str text)
{
    const sg_str window = window_of(scratch, text);

    if (window.len == 0)
        return false;
    sr_needles_add(n, window, SR_ANY_CASE);
    sr_needles_hide(n, window);
    return n->count <= SR_NEEDLES_MOST;
}

bool sr_needles_texts(sr_needles *n, const sg_str *texts, uint32_t count)
{
    sg_arena scratch = {0};
    uint32_t added = 0;

    while (added < count && add_text(n, &scratch, texts[added]))
        added++;
    if (n->hidden['s'])
        sr_needles_add(n, SG_S("\xC5\xBF"), SR_AS_IS); /* U+017F */
    if (n->hidden['k'])
        sr_needles_add(n, SG_S("\xE2\x84\xAA"), SR_AS_IS); /* U+212A */
    sg_arena_free(&scratch);
    return count != 0 && added == count;
}

void sr_needles_disguises(sr_needles *n)
{
    sr_needles_add(n, SG_S("\\/"), SR_AS_IS);
    sr_needles_add(n, SG_S("\xC5\xBF"), SR_AS_IS);     /* U+017F */
    sr_needles_add(n, SG_S("\xE2\x84\xAA"), SR_AS_IS); /* U+212A */
}

/* -------- looking ------------------------------------------------------ */

/* Whether \uXXXX at p stands for a character of some window. */
static bool hides(const sr_needles *n, const char *p)
{
    uint32_t cp;

    for (int i = 2; i < 6; i++)
        if (!sr_is_hex(p[i]))
            return false;
    cp = sr_hex4(p + 2);
    if (cp == 0x17F)
        return n->hidden['s'];
    if (cp == 0x212A)
        return n->hidden['k'];
    return cp < 128 && n->hidden[lower((uint8_t)cp)];
}

bool sr_needle_at(const sr_needles *n, const char *p)
{
    const uint64_t word = sr_needle_load(p);

    for (uint32_t i = 0; i < n->count; i++) {
        const sr_needle *one = &n->needles[i];
        if (((word | one->fold) & one->mask) == one->want)
            return true;
    }
    return p[0] == '\\' && p[1] == 'u' && hides(n, p);
}

const char *sr_find_plain(const sr_needles *n, sg_str text)
{
    char rest[2 * SR_NEEDLE] = {0};
    const size_t tail = text.len < SR_NEEDLE ? text.len : SR_NEEDLE - 1;
    const char *const end = text.ptr + (text.len - tail);

    for (const char *p = text.ptr; p < end; p++)
        if (sr_needle_at(n, p))
            return p;
    if (tail != 0)
        memcpy(rest, end, tail);
    for (size_t i = 0; i < tail; i++)
        if (sr_needle_at(n, rest + i))
            return end + i;
    return NULL;
}

const char *sr_needles_find(const sr_needles *n, sg_str text)
{
    return n->level->find(n, text);
}
