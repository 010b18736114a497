/*
 * sg_base.h - layer 0 of compiler and runtime: string views, arenas, append
 * buffers, a string map, exact numbers, UTF-8 and case folding, JSON text.
 *
 * Ownership: a sg_str borrows. An arena owns. A function allocates its result
 * in the arena it was handed and keeps nothing else. Nothing in an arena is
 * freed alone.
 */
#ifndef SG_BASE_H
#define SG_BASE_H

#include "sigma_abi.h"

#include <stdarg.h>

/* -------- string views ------------------------------------------------- */

typedef struct sg_str {
    const char *ptr;
    size_t len;
} sg_str;

/* A literal as a view, usable in static initialisers. */
#define SG_LIT(s)                                                              \
    {                                                                          \
        "" s, sizeof(s) - 1                                                    \
    }
#define SG_S(s) ((sg_str)SG_LIT(s))
/* For printf("%.*s"); callers keep len below INT_MAX. */
#define SG_FMT(s) (int)(s).len, (s).ptr

sg_str sg_str_of(const char *z);
/* Bytes [beg, end) of s. */
sg_str sg_str_sub(sg_str s, size_t beg, size_t end);
bool sg_str_eq(sg_str a, sg_str b);
/* ASCII letters compare equal in either case. */
bool sg_str_eq_nocase(sg_str a, sg_str b);
/* Byte order, then length: <0, 0, >0. */
int sg_str_cmp(sg_str a, sg_str b);
bool sg_str_starts(sg_str s, sg_str prefix);
bool sg_str_ends(sg_str s, sg_str suffix);
/* Index of the first `needle`, or SIZE_MAX. An empty needle is at 0. */
size_t sg_str_find(sg_str s, sg_str needle);
/* Levenshtein distance, capped at `cap`; for "did you mean". */
size_t sg_str_distance(sg_str a, sg_str b, size_t cap);
/* XXH3, 64 bits, seed 0: the same in every process and on every machine. */
uint64_t sg_str_hash(sg_str s);
/* With a secret seed, for tables whose keys an attacker may choose. */
uint64_t sg_str_hash_seeded(sg_str s, uint64_t seed);

/* -------- failure ------------------------------------------------------ */

/* Print "PROGRAM: fatal: ..." and exit with 3. For the compiler's
 * exhaustion and for broken invariants; never for bad input. */
#if defined(__GNUC__)
__attribute__((noreturn, format(printf, 1, 2)))
#endif
void sg_fatal(const char *fmt, ...);

/* -------- arenas ------------------------------------------------------- */

typedef struct sg_block sg_block;

/* Grows by blocks; zero-initialise to use. Exhaustion of memory is fatal. */
typedef struct sg_arena {
    sg_block *head;
    char *next, *end; /* free part of the head block */
    size_t total;     /* bytes obtained from the system */
} sg_arena;

typedef struct sg_mark {
    sg_block *block;
    char *next;
} sg_mark;

/* Uninitialised memory; align is a power of two. */
void *sg_arena_alloc(sg_arena *arena, size_t size, size_t align);
/* Zeroed memory for n objects; overflow of n * size is fatal. */
void *sg_arena_zalloc(sg_arena *arena, size_t n, size_t size, size_t align);
#define sg_new(arena, T)                                                       \
    ((T *)sg_arena_zalloc((arena), 1, sizeof(T), _Alignof(T)))
#define sg_new_n(arena, T, n)                                                  \
    ((T *)sg_arena_zalloc((arena), (n), sizeof(T), _Alignof(T)))
sg_mark sg_arena_mark(const sg_arena *arena);
/* Give back all allocated since the mark. Debug builds poison it. Keeps at
 * least one block, so a warm arena does not call malloc again. */
void sg_arena_rewind(sg_arena *arena, sg_mark mark);
/* Forget all, keep the memory for reuse (consolidated in one block). */
void sg_arena_reset(sg_arena *arena);
void sg_arena_free(sg_arena *arena);
/* Copy, with a NUL behind it that len does not count. */
sg_str sg_arena_dup(sg_arena *arena, sg_str s);
#if defined(__GNUC__)
__attribute__((format(printf, 2, 3)))
#endif
sg_str
sg_arena_printf(sg_arena *arena, const char *fmt, ...);

/* Growable array in an arena: struct { T *items; uint32_t count, cap; }.
 * SG_PUSH appends a copy of `item` (an expression of type T). */
#define SG_VEC(T)                                                              \
    struct {                                                                   \
        T *items;                                                              \
        uint32_t count, cap;                                                   \
    }
#define SG_PUSH(arena, vec, item)                                              \
    (sg_vec_grow((arena), (void **)&(vec)->items, (vec)->count, &(vec)->cap,   \
                 sizeof(*(vec)->items)),                                       \
     (vec)->items[(vec)->count++] = (item))
void sg_vec_grow(sg_arena *arena, void **items, uint32_t count, uint32_t *cap,
                 size_t size);

/* -------- append buffers ----------------------------------------------- */

/* malloc-backed text; zero-initialise to use. Exhaustion is fatal. */
typedef struct sg_buf {
    char *ptr;
    size_t len, cap;
} sg_buf;

void sg_buf_put(sg_buf *buf, sg_str s);
void sg_buf_putz(sg_buf *buf, const char *z);
void sg_buf_putc(sg_buf *buf, char c);
#if defined(__GNUC__)
__attribute__((format(printf, 2, 3)))
#endif
void sg_buf_printf(sg_buf *buf, const char *fmt, ...);
#if defined(__GNUC__)
__attribute__((format(printf, 2, 0)))
#endif
void sg_buf_vprintf(sg_buf *buf, const char *fmt, va_list ap);
/* The same when there is no room for them. */
char *sg_buf_grow(sg_buf *buf, size_t extra);
/* Make room for `extra` more bytes; returns where they go. */
static inline char *sg_buf_reserve(sg_buf *buf, size_t extra)
{
    return extra <= buf->cap - buf->len && buf->ptr != NULL
               ? buf->ptr + buf->len
               : sg_buf_grow(buf, extra);
}
sg_str sg_buf_str(const sg_buf *buf);
/* Empty it, to be filled again. Memory goes back when it is more than `kept`
 * bytes: what one huge text needed is not held for ever. */
void sg_buf_clear(sg_buf *buf, size_t kept);
void sg_buf_free(sg_buf *buf);
/* s as a JSON string with quotes. WTF-8 lone surrogates and control characters
 * (C0, DEL, C1) are escaped; other invalid UTF-8 becomes U+FFFD. */
void sg_buf_put_json(sg_buf *buf, sg_str s);

/* -------- map from strings to indices ---------------------------------- */

typedef struct sg_map_slot sg_map_slot;

/* Keys are borrowed. Zero-initialise to use; memory from the arena. */
typedef struct sg_map {
    sg_map_slot *slots;
    uint32_t count, cap;
} sg_map;

/* The value stored for key, or NULL. */
uint32_t *sg_map_get(const sg_map *map, sg_str key);
/* Value cell of key; *found says whether it was there. New cells hold 0. A
 * cell stays where it is until the next put. */
uint32_t *sg_map_put(sg_arena *arena, sg_map *map, sg_str key, bool *found);

/* -------- numbers ------------------------------------------------------ */

typedef sigma_num sg_num;

/* Room for any number's text (the longest has 26 bytes) and a NUL. */
#define SG_NUM_TEXT 40

/* -1, 0, 1 by exact numeric value, integers against floats included. NaN
 * never reaches here. */
int sg_num_cmp(sg_num a, sg_num b);
/* `[+-]?digits[.digits][e[+-]digits]` as a whole; false otherwise, or when
 * not finite. Integers without fraction or exponent stay exact while they
 * fit 64 bits; a float with an integral value stays a float. */
bool sg_num_parse(sg_str text, sg_num *out);
/* Canonical text: integers decimal; floats the shortest decimal that reads
 * back, written as JavaScript does: without exponent in [1e-6, 1e21), else
 * like "1e+21", "1.5e-7"; -0 as "0", integral ones as "100". NUL-terminated;
 * returns the length, below SG_NUM_TEXT. */
size_t sg_num_text(sg_num n, char out[SG_NUM_TEXT]);
double sg_num_double(sg_num n);
/* Whether `value cmp threshold`; false for a cmp that does not exist. */
bool sg_num_holds(sg_num value, sigma_cmp cmp, sg_num threshold);

/* -------- bytes for files (bytes.c) -------------------------------------- */

/* Little-endian; a text is its length in 32 bits, then its bytes. */
void sg_put_u8(sg_buf *buf, uint8_t n);
void sg_put_u32(sg_buf *buf, uint32_t n);
void sg_put_u64(sg_buf *buf, uint64_t n);
void sg_put_text(sg_buf *buf, sg_str text);
void sg_put_num(sg_buf *buf, sg_num n);
/* A text that is written in place: what is appended between the two, `at` as
 * the first returned it. */
size_t sg_put_text_begin(sg_buf *buf);
void sg_put_text_end(sg_buf *buf, size_t at);

/* Reads what they wrote, or anything else: past the end numbers are 0, texts
 * are empty, and `bad` is set for good. */
typedef struct sg_reader {
    sg_str rest;
    bool bad;
} sg_reader;

uint8_t sg_read_u8(sg_reader *r);
uint32_t sg_read_u32(sg_reader *r);
uint64_t sg_read_u64(sg_reader *r);
sg_str sg_read_bytes(sg_reader *r, size_t len);
sg_str sg_read_text(sg_reader *r);
/* `bad`, too, for a kind that no number has and for a float that is not
 * finite. */
sg_num sg_read_num(sg_reader *r);
/* Whether all was read and nothing was missing. */
bool sg_read_done(const sg_reader *r);

/* RFC 4648 base64 without padding (base64.c). */
void sg_put_base64(sg_buf *buf, sg_str bytes);
/* Append what the text stands for; false, and nothing appended, when it is no
 * base64. */
bool sg_get_base64(sg_buf *out, sg_str text);

/* XOR with the bytes that `key` makes, from byte `at` of them on: encodes, and
 * decodes what it encoded, also in pieces. Hides a text from programs that look
 * for it in files; it is no cipher. `out` holds text.len bytes and may be
 * text.ptr (encode.c). */
void sg_encode(char *out, sg_str text, uint64_t key, uint64_t at);

/* -------- UTF-8 and case folding --------------------------------------- */

/* Whether all of s is well-formed UTF-8 (no surrogates, no overlongs). */
bool sg_utf8_valid(sg_str s);
/* Decode one code point at *pos < s.len and advance. An ill-formed byte comes
 * back as itself | 0x80000000 and advances by one; WTF-8 surrogates decode. */
uint32_t sg_utf8_next(sg_str s, size_t *pos);
/* Write cp (surrogates allowed) as 1-4 bytes; returns their number. */
size_t sg_utf8_put(char out[4], uint32_t cp);
/* Unicode simple (1:1) case folding of one code point. */
uint32_t sg_fold_cp(uint32_t cp);
/* Fold s into dst, which holds sg_fold_bound(s.len) bytes and does not overlap
 * s; returns the length. Ill-formed bytes (and the GLOB wildcard bytes) pass
 * through unchanged. */
size_t sg_fold(char *dst, sg_str s);
size_t sg_fold_bound(size_t len);

/* -------- event time --------------------------------------------------- */

/* Nanoseconds since 1970 UTC from text: RFC 3339, `YYYY-MM-DD hh:mm:ss[.f]`
 * (UTC), or numeric text, epoch seconds, milli-, micro- or nanoseconds by
 * magnitude. Kept to the nanosecond (digits beyond are dropped). */
bool sg_time_parse(sg_str text, int64_t *ns);
/* RFC 3339 UTC with 3, 6 or 9 fraction digits, the fewest that lose nothing.
 * out holds SG_TIME_TEXT bytes; NUL-terminated; returns the length. */
#define SG_TIME_TEXT 40
size_t sg_time_text(int64_t ns, char out[SG_TIME_TEXT]);
/* "5m" to nanoseconds: unsigned number and one unit of s m h d w M y (and ms
 * when `allow_ms`). False on anything else or overflow. */
bool sg_duration_parse(sg_str text, bool allow_ms, int64_t *ns);

#endif
