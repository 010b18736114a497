/*
 * zstd.c - Zstandard streams; the only file that includes zstd.h. Frames,
 * skippable ones too, follow one another. The window is bounded to 128 MiB
 * (log 27), which is what the format's tools use unless asked for more.
 */
#include "input/codec.h"

#include <stdlib.h>
#include <zstd.h>
#include <zstd_errors.h>

typedef struct zstd {
    ZSTD_DCtx *context;
    bool inside; /* a frame has begun and not ended */
    const char *failure;
} zstd;

enum { WINDOW_LOG = 27 };

static bool probe(const unsigned char *head, size_t len)
{
    if (len < 4)
        return false;
    if ((head[0] & 0xF0) == 0x50) /* skippable frame */
        return head[1] == 0x2A && head[2] == 0x4D && head[3] == 0x18;
    return head[0] == 0x28 && head[1] == 0xB5 && head[2] == 0x2F &&
           head[3] == 0xFD;
}

static void close_zstd(void *state)
{
    zstd *z = state;

    (void)ZSTD_freeDCtx(z->context);
    free(z);
}

static void *open_zstd(void)
{
    zstd *z = calloc(1, sizeof *z);

    if (z == NULL)
        return NULL;
    z->context = ZSTD_createDCtx();
    if (z->context != NULL && !ZSTD_isError(ZSTD_DCtx_setParameter(
                                  z->context, ZSTD_d_windowLogMax, WINDOW_LOG)))
        return z;
    close_zstd(z);
    return NULL;
}

static const char *explain(size_t result)
{
    const ZSTD_ErrorCode code = ZSTD_getErrorCode(result);

    if (code == ZSTD_error_frameParameter_windowTooLarge)
        return "zstd window is larger than 128 MiB (window log 27)";
    if (code == ZSTD_error_memory_allocation)
        return "out of memory";
    if (code == ZSTD_error_dictionary_wrong)
        return "zstd data needs a dictionary";
    return "zstd data is damaged";
}

/* One step; it may move input, output or both. */
static void decompress_some(zstd *z, sr_raw *raw, ZSTD_outBuffer *out)
{
    const bool more = sr_raw_fill(raw);
    const size_t before = out->pos;
    ZSTD_inBuffer in = {raw->buf + raw->pos, raw->len - raw->pos, 0};
    const size_t result = ZSTD_decompressStream(z->context, out, &in);

    raw->pos += in.pos;
    if (ZSTD_isError(result))
        z->failure = explain(result);
    else if (!more && result != 0 && out->pos == before)
        z->failure = "zstd data is cut short";
    else
        z->inside = result != 0;
}

static sr_codec_status read_zstd(void *state, sr_raw *raw, const char **reason,
                                 void *dst, size_t cap, size_t *got)
{
    zstd *z = state;
    ZSTD_outBuffer out = {dst, cap, 0};

    *got = 0;
    while (z->failure == NULL && out.pos == 0) {
        if (!z->inside && !sr_raw_fill(raw))
            return SR_CODEC_MORE;
        decompress_some(z, raw, &out);
    }
    *got = out.pos;
    if (out.pos != 0)
        return SR_CODEC_MORE;
    *reason = z->failure;
    return SR_CODEC_BAD;
}

const sr_codec sr_codec_zstd = {"zstd",    probe,      open_zstd,
                                read_zstd, close_zstd, NULL};
