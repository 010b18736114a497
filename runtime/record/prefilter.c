/*
 * prefilter.c - tells from the bytes of a line that none of its strings can
 * hold any of some texts, so that its fields need not be read.
 *
 * Why a line that does not pass cannot match. Let a value, decoded and folded,
 * hold a text. Of the text a window of up to eight bytes is looked for (a
 * needle), chosen so that
 *   - it has printable ASCII only, and no quote, backslash or slash. JSON
 *     writes such a character as itself or as \uXXXX, in no other way;
 *   - some byte of it is in no number's text. What holds it is a string or a
 *     word, whose text is what the line says; a number's may be written in many
 *     ways (1e3).
 * So each character of the window stands in the line, one behind the other, as
 * itself or as an escape, before folding. Simple case folding makes an ASCII
 * character of its two cases, of U+017F (s) and of U+212A (k), of nothing else.
 * Hence there is in the line
 *   - the window in some mixture of cases, which the scan finds; or
 *   - an escape of one of these characters, which it finds by `\u`. The digits
 *     tell whether the escape is of any use to any window; or
 *   - one of these two characters as UTF-8, which it looks for if there is an
 *     s or k in a window.
 * Where white space, keys or damaged strings look the same, the line passes
 * for nothing. Shapes and repeated keys do not matter: every value that a field
 * can have is in the line.
 *
 * The same scan tells lines that are silent about pieces (verbatim.c): of each
 * piece it looks for a short window, one for many pieces where they share some
 * that is rare, and for all that makes a line not tell.
 *
 * A prefilter that lets most lines pass is a burden: after a round in which it
 * did, it rests for many lines before it tries again.
 */
#include "record/needles.h"
#include "record/scan.h"

enum {
    ROUND = 512,         /* lines, at least, that decide ... */
    RESTING = 32 * 1024, /* ... to let so many pass unseen */
    SHORTEST = 3,
    DETOUR = 4 /* what an s or k takes from a window's rarity */
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

static bool is_letter(char c)
{
    return c >= 'a' && c <= 'z';
}

/* -------- windows ------------------------------------------------------ */

/* JSON has no way to write it but itself and \uXXXX. */
static bool is_plain(char c)
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
        if (!is_plain(c))
            return -1;
        score += 1 + rarity[(unsigned char)c];
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

/* -------- needles ------------------------------------------------------ */

/* What a byte of a line may differ in from that of a needle. */
typedef enum likeness {
    AS_IS,
    ANY_CASE,
    HIDDEN_CASE /* see SR_HIDE_CASE: the needle has it in each byte */
} likeness;

static uint8_t fold_of(char c, likeness like)
{
    return like == HIDDEN_CASE || (like == ANY_CASE && is_letter(c))
               ? SR_HIDE_CASE
               : 0;
}

/* The two rarest bytes of a window, the farther apart the better. */
static sr_probe probe_of(sg_str window, likeness like)
{
    sr_probe probe = {.at = {0, 0}};
    int best = -1;

    for (size_t i = 0; i + 1 < window.len; i++)
        for (size_t k = i + 1; k < window.len; k++) {
            const int score = 4 * (rarity[window.ptr[i] & 127] +
                                   rarity[window.ptr[k] & 127]) +
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

static sr_needle needle_of(sg_str window, likeness like)
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

/* Look for these bytes, unless that is done. */
static void add_needle(sr_prefilter *f, sg_str window, likeness like)
{
    const sr_needle needle = needle_of(window, like);

    for (uint32_t i = 0; i < f->count; i++)
        if (f->needles[i].want == needle.want)
            return;
    f->needles[f->count] = needle;
    f->probes[f->count++] = probe_of(window, like);
}

/* A needle for the text; false when it has no window or there are too many. */
static bool add_text(sr_prefilter *f, sg_arena *arena, sg_str text)
{
    uint8_t *copy = sg_arena_alloc(arena, text.len + 1, 1);

    for (size_t i = 0; i < text.len; i++)
        copy[i] = lower((uint8_t)text.ptr[i]);
    const sg_str window = best_window((sg_str){(char *)copy, text.len});

    if (window.len == 0)
        return false;
    add_needle(f, window, ANY_CASE);
    for (size_t i = 0; i < window.len; i++)
        f->hidden[(unsigned char)window.ptr[i]] = true;
    return f->count <= SR_NEEDLES_MOST;
}

sr_prefilter *sr_prefilter_new(sg_arena *arena, const sg_str *texts,
                               uint32_t count)
{
    sr_prefilter *f = sg_new(arena, sr_prefilter);

    f->level = sr_level_choose();
    for (uint32_t i = 0; i < count; i++)
        if (!add_text(f, arena, texts[i]))
            return NULL;
    if (count == 0)
        return NULL;
    if (f->hidden['s'])
        add_needle(f, SG_S("\xC5\xBF"), AS_IS); /* U+017F */
    if (f->hidden['k'])
        add_needle(f, SG_S("\xE2\x84\xAA"), AS_IS); /* U+212A */
    return f;
}

sr_prefilter *sr_prefilter_disguises(sg_arena *arena)
{
    sr_prefilter *f = sg_new(arena, sr_prefilter);

    f->level = sr_level_choose();
    for (int c = ' '; c <= '~'; c++)
        f->hidden[c] = true;
    add_needle(f, SG_S("\\/"), AS_IS);
    add_needle(f, SG_S("\xC5\xBF"), AS_IS);     /* U+017F */
    add_needle(f, SG_S("\xE2\x84\xAA"), AS_IS); /* U+212A */
    return f;
}

/* -------- pieces of verbatim.c ----------------------------------------- */

enum {
    PIECES_MOST = 64,
    PLACES_MOST = 64, /* where windows of a piece begin */
    WINDOW_LEAST = 2,
    WINDOW_MOST = 4,
    SAMPLE_MOST = 1 << 13 /* bytes; more would say little and take long */
};

/* The pieces for which there is no needle yet. */
typedef struct bare {
    const sg_str *pieces;
    bool *done;
    uint32_t count;
} bare;

static uint32_t holders(const bare *r, sg_str window)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < r->count; i++)
        n += !r->done[i] && sg_str_find(r->pieces[i], window) != SIZE_MAX;
    return n;
}

/* The window of a piece that most of the others hold, too; of those the
 * longest. What the sample has is not rare. Empty when there is none. */
static sg_str shared_window(const bare *r, sg_str piece, sg_str sample)
{
    sg_str best = SG_S("");
    uint32_t most = 0;

    for (size_t len = WINDOW_MOST; len >= WINDOW_LEAST; len--)
        for (size_t at = 0; at + len <= piece.len && at < PLACES_MOST; at++) {
            const sg_str window = {piece.ptr + at, len};
            const uint32_t n = holders(r, window);
            if (n <= most || sg_str_find(sample, window) != SIZE_MAX)
                continue;
            best = window;
            most = n;
        }
    return best;
}

static bool add_pieces(sr_prefilter *f, const bare *r, sg_str sample)
{
    const uint32_t most = f->count + SR_NEEDLES_MOST;

    for (uint32_t i = 0; i < r->count; i++) {
        if (r->done[i])
            continue;
        const sg_str window = shared_window(r, r->pieces[i], sample);
        if (window.len == 0 || f->count == most)
            return false;
        add_needle(f, window, HIDDEN_CASE);
        for (uint32_t k = i; k < r->count; k++)
            r->done[k] =
                r->done[k] || sg_str_find(r->pieces[k], window) != SIZE_MAX;
    }
    return true;
}

sr_prefilter *sr_prefilter_pieces(sg_arena *arena, const sg_str *pieces,
                                  uint32_t count, sg_str sample)
{
    sr_prefilter *f = sr_prefilter_disguises(arena);
    sg_arena scratch = {0};

    sample.len = sample.len < SAMPLE_MOST ? sample.len : SAMPLE_MOST;
    char *hidden = sg_arena_alloc(&scratch, sample.len + 1, 1);
    const bare r = {pieces, sg_new_n(&scratch, bool, (size_t)count + 1), count};

    for (size_t i = 0; i < sample.len; i++)
        hidden[i] = (char)(sample.ptr[i] | SR_HIDE_CASE);
    const bool good =
        count <= PIECES_MOST && add_pieces(f, &r, (sg_str){hidden, sample.len});
    sg_arena_free(&scratch);
    return good ? f : NULL;
}

/* -------- looking ------------------------------------------------------ */

/* Whether \uXXXX at p stands for a character of some window. */
static bool hides(const sr_prefilter *f, const char *p)
{
    uint32_t cp;

    for (int i = 2; i < 6; i++)
        if (!sr_is_hex(p[i]))
            return false;
    cp = sr_hex4(p + 2);
    if (cp == 0x17F)
        return f->hidden['s'];
    if (cp == 0x212A)
        return f->hidden['k'];
    return cp < 128 && f->hidden[lower((uint8_t)cp)];
}

bool sr_needle_at(const sr_prefilter *f, const char *p)
{
    const uint64_t word = sr_needle_load(p);

    for (uint32_t i = 0; i < f->count; i++) {
        const sr_needle *n = &f->needles[i];
        if (((word | n->fold) & n->mask) == n->want)
            return true;
    }
    return p[0] == '\\' && p[1] == 'u' && hides(f, p);
}

const char *sr_find_plain(const sr_prefilter *f, sg_str text)
{
    char rest[2 * SR_NEEDLE] = {0};
    const size_t tail = text.len < SR_NEEDLE ? text.len : SR_NEEDLE - 1;
    const char *const end = text.ptr + (text.len - tail);

    for (const char *p = text.ptr; p < end; p++)
        if (sr_needle_at(f, p))
            return p;
    if (tail != 0)
        memcpy(rest, end, tail);
    for (size_t i = 0; i < tail; i++)
        if (sr_needle_at(f, rest + i))
            return end + i;
    return NULL;
}

/* Whether the next line is to pass unseen. */
static bool rests(sr_prefilter *f)
{
    if (f->resting == 0)
        return false;
    f->resting--;
    return true;
}

/* So many lines were looked at, and some passed. Where three of four do it is
 * not worth it. */
static void note(sr_prefilter *f, uint64_t lines, bool passed)
{
    f->asked += lines;
    f->passed += passed;
    if (f->asked < ROUND)
        return;
    f->resting = f->passed >= f->asked / 4 * 3 ? RESTING : 0;
    f->asked = f->passed = 0;
}

bool sr_prefilter_passes(sr_prefilter *f, sg_str line)
{
    if (rests(f))
        return true;
    const bool passes = f->level->find(f, line) != NULL;

    note(f, 1, passes);
    return passes;
}

/* How many bytes of the text, whole lines, come before the first that passes;
 * *next tells of the line behind them. Not much is looked at in one go: it is
 * looked at again soon, and near by then. */
static size_t find_clear(sr_prefilter *f, sg_str text, sr_look *next)
{
    enum { STRETCH = 1 << 15 };
    const size_t most = text.len < STRETCH ? text.len : STRETCH;
    const char *end = most == 0 ? NULL : memrchr(text.ptr, '\n', most);

    if (end == NULL)
        return 0;
    const char *hit =
        f->level->find(f, (sg_str){text.ptr, (size_t)(end - text.ptr) + 1});

    if (hit != NULL) {
        *next = SR_PASSES;
        end = memrchr(text.ptr, '\n', (size_t)(hit - text.ptr));
    }
    return end == NULL ? 0 : (size_t)(end - text.ptr) + 1;
}

sr_kept_out sr_prefilter_lines(sr_prefilter *f, sg_str text,
                               const sr_plan *check, size_t *clear)
{
    sr_kept_out out = {.next = SR_UNKNOWN};
    const char *p = text.ptr, *end;
    size_t left = *clear;

    if (left == 0 && rests(f)) {
        out.next = SR_PASSES;
        return out;
    }
    if (left == 0)
        left = find_clear(f, text, &out.next);
    for (; left != 0 && (end = memchr(p, '\n', left)) != NULL; p = end + 1) {
        left -= (size_t)(end - p) + 1;
        if (check != NULL &&
            !sr_is_good(check, (sg_str){p, (size_t)(end - p)})) {
            out.next = SR_KEPT_OUT;
            break;
        }
        out.ends += end > p && end[-1] == '\r' ? 2 : 1;
        out.lines++;
    }
    *clear = left;
    out.len = (size_t)(p - text.ptr);
    note(f, out.lines + (out.next != SR_UNKNOWN), out.next == SR_PASSES);
    return out;
}
