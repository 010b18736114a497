/*
 * test_encode.c - encoded texts: the stream, texts in pieces, and a detector
 * whose texts are decoded.
 */
#include "eval/eval.h"
#include "support/test.h"

enum { SIZE = 100 };

/* The first numbers of splitmix64 from 0, as its authors' code gives them. */
static void test_stream(void)
{
    static const char zeros[16];
    char out[16];

    sg_encode(out, (sg_str){zeros, sizeof(zeros)}, 0, 0);
    CHECK_STR(((sg_str){out, sizeof(out)}),
              SG_S("\xaf\xcd\x1d\x7b\x39\xa8\x20\xe2"
                   "\xf4\x65\xb9\xa1\x6a\x9e\x78\x6e"));
}

/* Wherever a text is cut, its pieces are encoded like the whole; twice is once
 * back. */
static void test_pieces(void)
{
    const uint64_t at = SIGMA_AT_MANIFEST + 3;
    char text[SIZE], whole[SIZE], pieces[SIZE];

    for (size_t i = 0; i < SIZE; i++)
        text[i] = (char)(i * 7);
    sg_encode(whole, (sg_str){text, SIZE}, 42, at);
    CHECK(memcmp(whole, text, SIZE) != 0);
    for (size_t cut = 0; cut <= SIZE; cut++) {
        sg_encode(pieces, (sg_str){text, cut}, 42, at);
        sg_encode(pieces + cut, (sg_str){text + cut, SIZE - cut}, 42, at + cut);
        CHECK(memcmp(whole, pieces, SIZE) == 0);
    }
    sg_encode(whole, (sg_str){whole, SIZE}, 42, at);
    CHECK(memcmp(whole, text, SIZE) == 0);
}

/* Another key or another place gives other bytes. */
static void test_keys(void)
{
    static const char zeros[64];
    const sg_str text = {zeros, sizeof(zeros)};
    char a[64], b[64];

    sg_encode(a, text, 1, 0);
    sg_encode(b, text, 2, 0);
    CHECK(memcmp(a, b, sizeof(a)) != 0);
    sg_encode(b, text, 1, SIGMA_AT_NAME);
    CHECK(memcmp(a, b, sizeof(a)) != 0);
}

static void test_detector(void)
{
    char pool[] = "literal", name[] = "name", manifest[] = "{\"a\":\"\"}";
    sigma_detector d = {.abi = SIGMA_ABI,
                        .size = sizeof(d),
                        .name = name,
                        .manifest = manifest,
                        .pool = pool,
                        .pool_size = sizeof(pool) - 1};
    sg_arena arena = {0};
    char reason[100];

    CHECK(sr_detector_decode(NULL, &arena) == NULL);
    CHECK(sr_detector_decode(&d, &arena) == &d);
    CHECK(sr_detector_manifest(&d, &arena) == manifest);
    d.key = 7;
    d.name_size = sizeof(name) - 1;
    d.manifest_size = sizeof(manifest) - 1;
    sg_encode(pool, sg_str_of(pool), d.key, 0);
    sg_encode(name, sg_str_of(name), d.key, SIGMA_AT_NAME);
    sg_encode(manifest, sg_str_of(manifest), d.key, SIGMA_AT_MANIFEST);
    const sigma_detector *clear = sr_detector_decode(&d, &arena);

    CHECK(clear != &d && d.key == 7);
    CHECK_STR(((sg_str){clear->pool, clear->pool_size}), SG_S("literal"));
    CHECK_STR(sg_str_of(clear->name), SG_S("name"));
    CHECK(clear->manifest == NULL);
    CHECK_STR(sg_str_of(sr_detector_manifest(&d, &arena)),
              SG_S("{\"a\":\"\"}"));
    CHECK(sr_detector_decode(clear, &arena) == clear);
    CHECK(sr_detector_check(clear, reason, sizeof(reason)));
    /* What the check is to refuse reaches it. */
    d.pool = NULL;
    CHECK(!sr_detector_check(sr_detector_decode(&d, &arena), reason,
                             sizeof(reason)));
    d.abi++;
    CHECK(sr_detector_decode(&d, &arena) == &d);
    sg_arena_free(&arena);
}

int main(void)
{
    test_stream();
    test_pieces();
    test_keys();
    test_detector();
    return TEST_END();
}
