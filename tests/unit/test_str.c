/* test_str.c - string views, buffers, JSON strings, the map. */
#include "support/test.h"

#include <stdlib.h>

static void test_views(void)
{
    const sg_str s = SG_S("certutil.exe");

    CHECK_STR(sg_str_of("abc"), SG_S("abc"));
    CHECK_STR(sg_str_sub(s, 0, 4), SG_S("cert"));
    CHECK_STR(sg_str_sub(s, 4, 100), SG_S("util.exe"));
    CHECK_STR(sg_str_sub(s, 100, 200), SG_S(""));
    CHECK_STR(sg_str_sub((sg_str){NULL, 0}, 0, 1), SG_S(""));
    CHECK(sg_str_eq((sg_str){NULL, 0}, SG_S("")));
    CHECK(!sg_str_eq(SG_S("a"), SG_S("A")));
    CHECK(sg_str_eq_nocase(SG_S("aZ[`@"), SG_S("Az[`@")));
    CHECK(!sg_str_eq_nocase(SG_S("[@"), SG_S("{`")));
    CHECK(!sg_str_eq_nocase(SG_S("\xC3\x84"), SG_S("\xC3\xA4")));
    CHECK(sg_str_cmp(SG_S("a"), SG_S("ab")) < 0);
    CHECK(sg_str_cmp(SG_S("b"), SG_S("ab")) > 0);
    CHECK(sg_str_cmp(SG_S("\xFF"), SG_S("a")) > 0);
    CHECK(sg_str_cmp(SG_S(""), (sg_str){NULL, 0}) == 0);
    CHECK(sg_str_starts(s, SG_S("cert")) && sg_str_starts(s, SG_S("")));
    CHECK(!sg_str_starts(SG_S("cer"), SG_S("cert")));
    CHECK(sg_str_ends(s, SG_S(".exe")) && sg_str_ends(s, SG_S("")));
    CHECK(!sg_str_ends(SG_S("exe"), SG_S(".exe")));
}

static void test_find(void)
{
    CHECK_INT(sg_str_find(SG_S("abcabd"), SG_S("abd")), 3);
    CHECK_INT(sg_str_find(SG_S("abc"), SG_S("")), 0);
    CHECK_INT(sg_str_find((sg_str){NULL, 0}, SG_S("")), 0);
    CHECK(sg_str_find(SG_S("abc"), SG_S("abcd")) == SIZE_MAX);
    CHECK(sg_str_find(SG_S("abc"), SG_S("x")) == SIZE_MAX);
    CHECK_INT(sg_str_find(SG_S("a\0b"), SG_S("\0b")), 1);
}

static uint64_t next(uint64_t *random)
{
    *random = *random * UINT64_C(6364136223846793005) + 1;
    return *random >> 33;
}

static size_t find_slowly(sg_str s, sg_str needle)
{
    for (size_t i = 0; i + needle.len <= s.len; i++)
        if (memcmp(s.ptr + i, needle.ptr, needle.len) == 0)
            return i;
    return SIZE_MAX;
}

/* Texts of few different bytes, so that needles nearly stand in many places;
 * at the very end of what may be read. */
static void test_find_random(void)
{
    enum { ROUNDS = 50000, TEXT = 300, NEEDLE = 24 };
    uint64_t random = 7;

    for (int i = 0; i < ROUNDS; i++) {
        const size_t len = next(&random) % TEXT;
        const size_t needle_len = 1 + next(&random) % NEEDLE;
        const unsigned letters = 1 + (unsigned)(next(&random) % 4);
        char *text = malloc(len + 1), needle[NEEDLE];

        for (size_t k = 0; k < len; k++)
            text[1 + k] = (char)('a' + next(&random) % letters);
        for (size_t k = 0; k < needle_len; k++)
            needle[k] = (char)('a' + next(&random) % letters);
        const sg_str s = {text + 1, len}, what = {needle, needle_len};
        CHECK(sg_str_find(s, what) == find_slowly(s, what));
        free(text);
    }
}

/* A needle whose ends stand everywhere, in the last place of a long text. */
static void test_find_in_vain(void)
{
    static char text[1 << 20];
    const sg_str needle = SG_S("aaaabaaaa");

    memset(text, 'a', sizeof text);
    CHECK(sg_str_find((sg_str){text, sizeof text}, needle) == SIZE_MAX);
    memcpy(text + sizeof text - needle.len, needle.ptr, needle.len);
    CHECK_INT(sg_str_find((sg_str){text, sizeof text}, needle),
              sizeof text - needle.len);
}

static void test_distance(void)
{
    static const struct {
        const char *a, *b;
        size_t want;
    } rows[] = {
        {"", "", 0},
        {"abc", "", 3},
        {"containz", "contains", 1},
        {"kitten", "sitting", 3},
        {"ab", "ba", 2},
        {"completely", "different", 8},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const sg_str a = sg_str_of(rows[i].a), b = sg_str_of(rows[i].b);

        CHECK_INT(sg_str_distance(a, b, 8), rows[i].want);
        CHECK_INT(sg_str_distance(b, a, 8), rows[i].want);
    }
    CHECK_INT(sg_str_distance(SG_S("abcdef"), SG_S("uvwxyz"), 3), 3);
}

static void test_json(void)
{
    static const struct {
        sg_str in, want;
    } rows[] = {
        {SG_LIT(""), SG_LIT("\"\"")},
        {SG_LIT("a\"b\\c"), SG_LIT("\"a\\\"b\\\\c\"")},
        {SG_LIT("\b\f\n\r\t\0\x1F"),
         SG_LIT("\"\\b\\f\\n\\r\\t\\u0000\\u001f\"")},
        {SG_LIT("\x7F"), SG_LIT("\"\\u007f\"")},
        {SG_LIT("\xC2\x9B"), SG_LIT("\"\\u009b\"")},
        {SG_LIT("\xC3\xA4\xF0\x9F\x98\x80"),
         SG_LIT("\"\xC3\xA4\xF0\x9F\x98\x80\"")},
        {SG_LIT("\xED\xA0\x80"), SG_LIT("\"\\ud800\"")},
        {SG_LIT("a\xFF\xC3"), SG_LIT("\"a\xEF\xBF\xBD\xEF\xBF\xBD\"")},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        sg_buf buf = {0};

        sg_buf_put_json(&buf, rows[i].in);
        CHECK_STR(sg_buf_str(&buf), rows[i].want);
        sg_buf_free(&buf);
    }
}

static void test_buf(void)
{
    sg_buf buf = {0};

    CHECK_STR(sg_buf_str(&buf), SG_S(""));
    sg_buf_put(&buf, SG_S(""));
    sg_buf_putz(&buf, "ab");
    sg_buf_putc(&buf, 'c');
    sg_buf_printf(&buf, "%d-%s", 7, "x");
    CHECK_STR(sg_buf_str(&buf), SG_S("abc7-x"));
    buf.len = 0;
    sg_buf_printf(&buf, "%500d", 1);
    CHECK_INT(buf.len, 500);
    CHECK_INT(buf.ptr[499], '1');
    sg_buf_free(&buf);
    CHECK(buf.ptr == NULL && buf.cap == 0);
}

static void test_buf_clear(void)
{
    sg_buf buf = {0};

    sg_buf_clear(&buf, 0);
    sg_buf_put(&buf, SG_S("some text"));
    const size_t cap = buf.cap;

    sg_buf_clear(&buf, cap);
    CHECK(buf.ptr != NULL && buf.len == 0 && buf.cap == cap);
    sg_buf_put(&buf, SG_S("other"));
    sg_buf_clear(&buf, cap - 1);
    CHECK(buf.ptr == NULL && buf.len == 0 && buf.cap == 0);
}

static void test_map(void)
{
    enum { KEYS = 5000 };
    sg_arena arena = {0};
    sg_map map = {0};
    bool found;

    CHECK(sg_map_get(&map, SG_S("x")) == NULL);
    for (uint32_t i = 0; i < KEYS; i++) {
        *sg_map_put(&arena, &map, sg_arena_printf(&arena, "key%u", i), &found) =
            i;
        CHECK(!found);
    }
    CHECK_INT(map.count, KEYS);
    for (uint32_t i = 0; i < KEYS; i++) {
        const sg_str key = sg_arena_printf(&arena, "key%u", i);
        const uint32_t *value = sg_map_get(&map, key);

        CHECK(value != NULL && *value == i);
    }
    sg_map_put(&arena, &map, SG_S("key17"), &found);
    CHECK(found);
    CHECK_INT(*sg_map_put(&arena, &map, (sg_str){NULL, 0}, &found), 0);
    CHECK(!found && sg_map_get(&map, SG_S("")) != NULL);
    CHECK(sg_map_get(&map, SG_S("key")) == NULL);
    sg_arena_free(&arena);
}

static void test_hash(void)
{
    CHECK(sg_str_hash(SG_S("")) == sg_str_hash((sg_str){NULL, 0}));
    /* Sketches count with it, from run to run: it must not change. */
    CHECK(sg_str_hash(SG_S("")) == UINT64_C(0x2D06800538D394C2));
    CHECK(sg_str_hash(SG_S("a")) != sg_str_hash(SG_S("b")));
    CHECK(sg_str_hash(SG_S("a")) != sg_str_hash(SG_S("a\0")));
}

int main(void)
{
    test_views();
    test_find();
    test_find_random();
    test_find_in_vain();
    test_distance();
    test_json();
    test_buf();
    test_buf_clear();
    test_map();
    test_hash();
    return TEST_END();
}
