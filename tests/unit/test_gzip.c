/*
 * test_gzip.c - gzip streams by member.c and by zlib alone: the same bytes and
 * the same end, of members of any make and size, whole, cut or damaged, over
 * buffers of any size, of files and of what is none.
 *
 * usage: test_gzip [ROUNDS]
 */
#include "input/codec.h"
#include "input/member.h"
#include "support/test.h"

#include <stdlib.h>
#include <unistd.h>
#include <zlib.h>

static uint64_t seed = 1;

static uint32_t draw(uint32_t below)
{
    seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(seed >> 33) % below;
}

/* Words again and again, with noise between them. */
static void put_text(sg_buf *text)
{
    static const char *const words[] = {"process", "C:\\Windows\\System32",
                                        "\n", "svchost.exe", "aaaaaaaa"};
    const uint32_t noise = 1 + draw(12);
    const size_t want = text->len + draw(draw(8) == 0 ? 400000 : 3000);

    while (text->len < want)
        if (draw(noise) == 0)
            sg_buf_putc(text, (char)draw(256));
        else
            sg_buf_putz(text, words[draw(5)]);
}

static void deflate_all(z_stream *z, sg_buf *out, sg_str text)
{
    /* zlib's own bound is too low for some of these. */
    const size_t bound = 2 * text.len + 1000;

    z->next_in = (unsigned char *)(uintptr_t)text.ptr;
    z->avail_in = (uInt)text.len;
    z->next_out = (unsigned char *)sg_buf_reserve(out, bound);
    z->avail_out = (uInt)bound;
    if (deflate(z, Z_FINISH) != Z_STREAM_END)
        abort();
    out->len += z->total_out;
    deflateEnd(z);
}

/* One member as gzip makes it. */
static void put_plain_member(sg_buf *out, sg_str text)
{
    z_stream z = {0};

    if (deflateInit2(&z, 1, Z_DEFLATED, 16 + MAX_WBITS, 8,
                     Z_DEFAULT_STRATEGY) != Z_OK)
        abort();
    deflate_all(&z, out, text);
}

/* One member of a random make: level, strategy, window, header. */
static void put_member(sg_buf *out, sg_str text, int level)
{
    static const int strategies[] = {Z_DEFAULT_STRATEGY, Z_FIXED,
                                     Z_HUFFMAN_ONLY, Z_RLE, Z_FILTERED};
    unsigned char extra[] = "extra", name[] = "a name", comment[] = "none";
    gz_header header = {.extra = draw(2) != 0 ? extra : NULL,
                        .extra_len = sizeof extra,
                        .name = draw(2) != 0 ? name : NULL,
                        .comment = draw(2) != 0 ? comment : NULL,
                        .hcrc = (int)draw(2)};
    z_stream z = {0};

    if (deflateInit2(&z, level, Z_DEFLATED, 16 + 9 + (int)draw(7),
                     1 + (int)draw(9), strategies[draw(5)]) != Z_OK ||
        (draw(2) != 0 && deflateSetHeader(&z, &header) != Z_OK))
        abort();
    deflate_all(&z, out, text);
}

/* All bytes of the stream, and behind them how it ended. */
static sg_buf inflate_all(const char *how, sg_str packed, size_t raw_size,
                          size_t step)
{
    char name[] = "/tmp/test_gzip.XXXXXX";
    const char *reason = "end";
    sg_buf out = {0};
    size_t got = 1;
    sr_raw raw = {
        .fd = mkstemp(name), .cap = raw_size, .regular = draw(2) != 0};
    void *state;

    raw.buf = malloc(raw_size);
    if (setenv("SIGCC_INFLATE", how, 1) != 0 || raw.fd < 0 ||
        unlink(name) != 0 || raw.buf == NULL ||
        pwrite(raw.fd, packed.ptr, packed.len, 0) != (ssize_t)packed.len)
        abort();
    state = sr_codec_gzip.open();
    while (got != 0) {
        (void)sr_codec_gzip.read(state, &raw, &reason,
                                 sg_buf_reserve(&out, step), step, &got);
        out.len += got;
    }
    sg_buf_putz(&out, reason);
    sr_codec_gzip.close(state);
    close(raw.fd);
    free(raw.buf);
    return out;
}

static void compare_by(sg_str packed, const sg_buf *want, size_t raw_size,
                       size_t step)
{
    sg_buf fast = inflate_all("fast", packed, raw_size, step);
    sg_buf slow = inflate_all("zlib", packed, raw_size, step);

    CHECK(sg_str_eq(sg_buf_str(&fast), sg_buf_str(&slow)));
    if (want != NULL)
        CHECK(sg_str_eq(sg_buf_str(&fast), sg_buf_str(want)));
    sg_buf_free(&fast);
    sg_buf_free(&slow);
}

static void compare(sg_str packed, const sg_buf *want)
{
    compare_by(packed, want, draw(2) == 0 ? 1 + draw(40) : SR_RAW_STEP,
               draw(2) == 0 ? 1 + draw(2000) : 1 << 20);
}

static void damage(sg_buf *packed)
{
    const uint32_t kind = draw(3);

    if (kind == 0)
        packed->len = draw((uint32_t)packed->len + 1);
    for (uint32_t i = 0; kind != 0 && i < kind; i++)
        packed->ptr[draw((uint32_t)packed->len)] ^= (char)(1 << draw(8));
}

static void round_of(uint64_t number)
{
    const int before = test_failures;
    sg_buf text = {0}, packed = {0};

    seed = number;
    for (uint32_t members = 1 + draw(3); members > 0; members--) {
        const size_t from = text.len;
        put_text(&text);
        put_member(&packed, sg_str_sub(sg_buf_str(&text), from, text.len),
                   (int)draw(10));
    }
    for (uint32_t zeros = draw(3); zeros > 0; zeros--)
        sg_buf_putc(&packed, '\0');
    sg_buf_putz(&text, "end");
    compare(sg_buf_str(&packed), &text);
    for (int i = 0; i < 4; i++) {
        damage(&packed);
        if (packed.len != 0)
            compare(sg_buf_str(&packed), NULL);
        else
            break;
    }
    if (test_failures != before)
        printf("  in round %llu\n", (unsigned long long)number);
    sg_buf_free(&text);
    sg_buf_free(&packed);
}

/* Many members of more than are held at once, then one that is too large for
 * that, packed or unpacked, and one more. */
static void test_large(bool packs_well)
{
    sg_buf text = {0}, packed = {0}, want = {0};
    const size_t large = packs_well ? (65 << 20) : (33 << 20);

    memset(sg_buf_reserve(&text, large), 'a', large);
    for (size_t i = 0; i < 9; i++) {
        const size_t len = i == 7 ? large : 5 << 20;
        put_member(&packed, (sg_str){text.ptr, len}, packs_well ? 1 : 0);
        sg_buf_put(&want, (sg_str){text.ptr, len});
    }
    sg_buf_putz(&want, "end");
    for (int i = 0; i < 2; i++) /* both in a file and in what is none */
        compare_by(sg_buf_str(&packed), &want, SR_RAW_STEP, 1 << 18);
    sg_buf_free(&text);
    sg_buf_free(&packed);
    sg_buf_free(&want);
}

/* Whether a thread would be of use changes with the members: it is for small
 * ones, and for what is zlib's. */
static void test_steady(void)
{
    static const struct {
        size_t len;
        bool steady;
    } members[] = {
        {1000, true}, {5 << 20, false}, {1000, true}, {65 << 20, true}};
    const size_t most = 65 << 20;
    const char *reason = "";
    char *text = calloc(1, most), *out = malloc(most);
    sg_buf packed = {0};
    sr_raw raw = {.fd = -1, .regular = true, .end = true};
    void *state = sr_codec_gzip.open();
    size_t got, left;

    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++)
        put_plain_member(&packed, (sg_str){text, members[i].len});
    raw.buf = (unsigned char *)packed.ptr;
    raw.len = raw.cap = packed.len;
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
        for (left = members[i].len; left != 0; left -= got) {
            (void)sr_codec_gzip.read(state, &raw, &reason, out, left, &got);
            CHECK(sr_codec_gzip.is_steady(state) == members[i].steady);
            if (got == 0)
                break;
        }
        CHECK(left == 0);
    }
    sr_codec_gzip.close(state);
    sg_buf_free(&packed);
    free(text);
    free(out);
}

static void test_switch(void)
{
    CHECK(setenv("SIGCC_INFLATE", "zlib", 1) == 0);
    CHECK(sr_member_open() == NULL);
    CHECK(unsetenv("SIGCC_INFLATE") == 0);
    sr_member *m = sr_member_open();
    CHECK(m != NULL);
    sr_member_close(m);
}

int main(int argc, char **argv)
{
    const uint64_t rounds = argc > 1 ? strtoull(argv[1], NULL, 10) : 100;

    for (uint64_t i = 0; i < rounds; i++)
        round_of(i);
    test_large(false);
    test_large(true);
    test_switch();
    test_steady();
    return TEST_END();
}
