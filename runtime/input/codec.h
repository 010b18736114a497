/*
 * codec.h - inside of runtime/input: raw bytes from a descriptor, and what a
 * format has to offer. One codec per file, listed in inputs.def.
 */
#ifndef SR_CODEC_H
#define SR_CODEC_H

#include "base/sg_base.h"

enum {
    SR_PROBE = 4,         /* first bytes that a probe sees, fewer at the end */
    SR_RAW_STEP = 1 << 18 /* bytes that are read at a time */
};

/* Raw bytes: [pos, len) of buf are read but not yet used. */
typedef struct sr_raw {
    int fd;
    unsigned char *buf;
    size_t pos, len, cap;
    uint64_t total;            /* place in the descriptor behind them */
    bool regular;              /* a file, of which no read waits for more */
    bool end;                  /* the descriptor has no more */
    bool stopped;              /* `before` said no */
    int failed;                /* errno of a read, or 0 */
    bool (*before)(void *ctx); /* asked ahead of each read, unless NULL */
    void *ctx;                 /* for it */
} sr_raw;

/* Read from the descriptor into dst; 0 at the end or on failure. */
size_t sr_raw_read(sr_raw *raw, void *dst, size_t cap);
/* Make sure that there are unused bytes; false at the end or on failure. */
bool sr_raw_fill(sr_raw *raw);
/* Read on until `most` bytes are unused, or all there are; false when there is
 * none to add, or no memory. The buffer may move. */
bool sr_raw_gather(sr_raw *raw, size_t most);

typedef enum sr_codec_status {
    SR_CODEC_MORE, /* *got bytes were written; 0 only at the end */
    SR_CODEC_BAD   /* nothing was written; the reason is set */
} sr_codec_status;

typedef struct sr_codec {
    const char *name;
    bool (*probe)(const unsigned char *head, size_t len);
    /* NULL when out of memory. */
    void *(*open)(void);
    /* Write up to cap bytes to dst. A read failure is not the codec's: it
     * looks like the end of the raw bytes and is found before this is
     * believed. */
    sr_codec_status (*read)(void *state, sr_raw *raw, const char **reason,
                            void *dst, size_t cap, size_t *got);
    void (*close)(void *state);
    /* Whether a thread that reads ahead would be of use, as read takes about as
     * long each time; asked after a read. NULL: always. */
    bool (*is_steady)(const void *state);
} sr_codec;

#define INPUT(name, doc) extern const sr_codec sr_codec_##name;
#include "input/inputs.def"
#undef INPUT

#endif
