/* test_ytree.c - YAML to tree: the core schema, spans, limits, rejection. */
#include "support/test.h"
#include "yaml/ytree.h"

#include <stdlib.h>

static sc_session session;
static uint32_t source, count;

static const sc_y_doc *parse_str(sg_str text)
{
    sc_session_free(&session);
    sc_session_init(&session);
    source = sc_source_add(&session, SG_S("x.yml"), text);
    return sc_yaml_parse(&session, source, &count);
}

static const sc_y_doc *parse(const char *text)
{
    return parse_str(sg_str_of(text));
}

static sg_str bytes(sc_span at)
{
    return sg_str_sub(session.sources.items[source].text, at.beg, at.end);
}

/* The dump of the only document, without places. */
static void check_dump(const char *text, const char *want, int line)
{
    const sc_y_doc *docs = parse(text);
    sg_buf out = {0}, have = {0};
    bool place = false;

    if (count == 1)
        sc_y_dump(&out, docs[0].root);
    for (size_t i = 0; i < out.len; i++) {
        if (i + 1 < out.len && out.ptr[i] == ' ' && out.ptr[i + 1] == '@')
            place = true;
        if (out.ptr[i] == '\n')
            place = false;
        if (!place)
            sg_buf_putc(&have, out.ptr[i]);
    }
    test_int(session.errors, 0, __FILE__, line);
    test_str(sg_buf_str(&have), sg_str_of(want), __FILE__, line);
    sg_buf_free(&out);
    sg_buf_free(&have);
}

static void test_schema(void)
{
    static const struct {
        const char *in, *want;
    } rows[] = {
        {"31", "int 31"},
        {"-31", "int -31"},
        {"+31", "int 31"},
        {"0", "int 0"},
        {"-0", "int 0"},
        {"0x1F", "int 31"},
        {"0x1g", "str \"0x1g\""},
        {"-0x1F", "str \"-0x1F\""},
        {"0x", "str \"0x\""},
        {"0o17", "int 15"},
        {"0o8", "str \"0o8\""},
        {"017", "str \"017\""},
        {"00", "str \"00\""},
        {"-01", "str \"-01\""},
        {"00000429", "str \"00000429\""},
        {"9223372036854775807", "int 9223372036854775807"},
        {"18446744073709551615", "int 18446744073709551615"},
        {"0xFFFFFFFFFFFFFFFF", "int 18446744073709551615"},
        {"0x10000000000000000", "str \"0x10000000000000000\""},
        {"1.5", "float 1.5"},
        {"1.0", "float 1"},
        {".5", "float 0.5"},
        {"-.5", "float -0.5"},
        {"1.", "float 1"},
        {"1e3", "float 1000"},
        {"1.e3", "float 1000"},
        {"1.5E-3", "float 0.0015"},
        {"1e999", "str \"1e999\""},
        {".", "str \".\""},
        {".e5", "str \".e5\""},
        {"1e", "str \"1e\""},
        {"e5", "str \"e5\""},
        {".inf", "str \".inf\""},
        {"-.INF", "str \"-.INF\""},
        {".nan", "str \".nan\""},
        {"1_000", "str \"1_000\""},
        {"22:15", "str \"22:15\""},
        {"2025-01-01", "str \"2025-01-01\""},
        {"1.2.3.4", "str \"1.2.3.4\""},
        {"yes", "str \"yes\""},
        {"No", "str \"No\""},
        {"on", "str \"on\""},
        {"true", "bool true"},
        {"True", "bool true"},
        {"TRUE", "bool true"},
        {"tRUE", "str \"tRUE\""},
        {"False", "bool false"},
        {"~", "null"},
        {"null", "null"},
        {"Null", "null"},
        {"NULL", "null"},
        {"nULL", "str \"nULL\""},
        {"", "null"},
        {"''", "str \"\""},
        {"'31'", "str \"31\""},
        {"\"true\"", "str \"true\""},
        {"!!str 31", "str \"31\""},
        {"! 31", "str \"31\""},
        {"!!int '31'", "int 31"},
        {"!!int 031", "int 31"},
        {"!!float 3", "float 3"},
        {"!!bool 'true'", "bool true"},
        {"!!null ''", "null"},
        {"!!str", "str \"\""},
        {"!<tag:yaml.org,2002:int> 7", "int 7"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[128], want[128];

        snprintf(text, sizeof text, "k: %s\n", rows[i].in);
        snprintf(want, sizeof want, "map 1\n  str \"k\": %s\n", rows[i].want);
        check_dump(text, want, __LINE__);
    }
}

static void test_shapes(void)
{
    check_dump("a: [1, {b: c}, []]\n",
               "map 1\n  str \"a\": seq 3\n    - int 1\n"
               "    - map 1\n      str \"b\": str \"c\"\n    - seq 0\n",
               __LINE__);
    check_dump("{}", "map 0\n", __LINE__);
    check_dump("a: |\n  x\n  y\nb: >-\n  x\n  y\n",
               "map 2\n  str \"a\": str \"x\\ny\\n\"\n"
               "  str \"b\": str \"x y\"\n",
               __LINE__);
    check_dump("\xEF\xBB\xBF"
               "a: x\r\nb: y\r\n",
               "map 2\n  str \"a\": str \"x\"\n  str \"b\": str \"y\"\n",
               __LINE__);
    check_dump("~: 1\n1: 2\n", "map 2\n  null: int 1\n  int 1: int 2\n",
               __LINE__);
    check_dump("a: &x [1]\nb: *x\n",
               "map 2\n  str \"a\": seq 1\n    - int 1\n"
               "  str \"b\": seq 1\n    - int 1\n",
               __LINE__);
    check_dump("!!map {a: !!seq [x]}",
               "map 1\n  str \"a\": seq 1\n    - str \"x\"\n", __LINE__);
    check_dump("a: \"\\u0430\\U0001F600\\0\"\n",
               "map 1\n  str \"a\": str \"\xD0\xB0\xF0\x9F\x98\x80\\u0000\"\n",
               __LINE__);
}

static void test_merge(void)
{
    check_dump("- &b {A: 1, B: 1}\n- {<<: *b, B: 2}\n",
               "seq 2\n  - map 2\n    str \"A\": int 1\n    str \"B\": int 1\n"
               "  - map 2\n    str \"B\": int 2\n    str \"A\": int 1\n",
               __LINE__);
    check_dump("- &a {x: 1}\n- &b {x: 2, y: 2}\n- {y: 3, <<: [*a, *b]}\n",
               "seq 3\n  - map 1\n    str \"x\": int 1\n"
               "  - map 2\n    str \"x\": int 2\n    str \"y\": int 2\n"
               "  - map 2\n    str \"y\": int 3\n    str \"x\": int 1\n",
               __LINE__);
    check_dump("'<<': 1\n", "map 1\n  str \"<<\": int 1\n", __LINE__);
}

/* Spans of values under key k, with whether the text is exact. */
static void test_spans(void)
{
    static const struct {
        const char *in, *want;
        bool exact;
    } rows[] = {
        {"k: plain # c\n", "plain", true},
        {"k: 'sq'\n", "sq", true},
        {"k: \"dq\"\n", "dq", true},
        {"k: &a !!str 'sq'\n", "sq", true},
        {"k: &a x\n", "x", true},
        {"\xC3\xA4: \xE2\x82\xAC\nk: \xF0\x9F\x98\x80z\n", "\xF0\x9F\x98\x80z",
         true},
        {"\xEF\xBB\xBFk: x\n", "x", true},
        {"a: b\r\nk: x\r\n", "x", true},
        {"k: ''\n", "", true},
        {"k: 'it''s'\n", "'it''s'", false},
        {"k: \"a\\tb\"\n", "\"a\\tb\"", false},
        {"k: two\n  lines\n", "two\n  lines", false},
        {"k: [a, b] # c\n", "[a, b]", false},
        {"k: {a: b}\n", "{a: b}", false},
        {"k:\n  - a\n  - b\n\n# c\nl: 1\n", "- a\n  - b", false},
        {"k:\n  a: b\n  c:\n    d: e\n\n", "a: b\n  c:\n    d: e", false},
        {"k: 31\n", "31", true},
        {"k:\n", "", true},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const sc_y_doc *docs = parse(rows[i].in);
        const sc_y *y = count == 1 ? sc_y_get(docs[0].root, "k") : NULL;

        CHECK(y != NULL);
        if (y == NULL)
            continue;
        CHECK_STR(bytes(y->span), sg_str_of(rows[i].want));
        if (sc_y_is_scalar(y) && y->span.end > y->span.beg)
            CHECK_INT(y->exact, rows[i].exact);
    }
}

static void test_access(void)
{
    const sc_y_doc *docs = parse("Image|endswith: 'x'\n~: 1\nb: [1]\n");
    const sc_y *root = docs[0].root;

    CHECK_INT(count, 1);
    CHECK(sc_y_get(root, "Image|endswith") == root->pairs[0].value);
    CHECK(sc_y_get(root, "null") == NULL && sc_y_get(root, "~") == NULL);
    CHECK(sc_y_get(root, "Image") == NULL);
    CHECK(sc_y_get(root->pairs[0].value, "x") == NULL);
    CHECK_STR(bytes(sc_y_subspan(root->pairs[0].key, 6, 14)), SG_S("endswith"));
    CHECK_STR(bytes(sc_y_subspan(root->pairs[0].key, 6, 99)),
              SG_S("Image|endswith"));
    CHECK_STR(sg_str_of(sc_y_kind_name(root)), SG_S("a map"));
    CHECK(!sc_y_is_scalar(sc_y_get(root, "b")));
    CHECK(root->pairs[0].key->plain && !root->pairs[0].value->plain);
}

static void test_documents(void)
{
    const sc_y_doc *docs =
        parse("a: 1\n---\n---  # c\nb: 2\n# tail\n...\n--- {c: 3}\n---\n# no\n"
              "--- |\n text\n");

    CHECK_INT(session.errors, 0);
    CHECK_INT(count, 4);
    if (count != 4)
        return;
    CHECK_STR(bytes(docs[0].at), SG_S("a: 1\n"));
    CHECK_STR(bytes(docs[1].at), SG_S("b: 2\n# tail\n"));
    CHECK_STR(bytes(docs[2].at), SG_S(" {c: 3}\n"));
    CHECK_STR(bytes(docs[3].at), SG_S(" |\n text\n"));
    docs = parse("\xEF\xBB\xBF---\r\na: 1\r\n---\r\nb: 2");
    CHECK_INT(count, 2);
    CHECK_STR(bytes(docs[0].at), SG_S("a: 1\r\n"));
    CHECK_STR(bytes(docs[1].at), SG_S("b: 2"));
    docs = parse("%YAML 1.2\n---\na: 1\n");
    CHECK_INT(count, 1);
    CHECK_STR(bytes(docs[0].at), SG_S("a: 1\n"));
    parse("");
    CHECK_INT(count, 0);
    parse("# only a comment\n");
    CHECK_INT(count, 0);
    CHECK_INT(session.docs.count, 0);
    parse("a: &x 1\n---\nb: *x\n");
    CHECK_INT(count, 1);
    CHECK_INT(session.errors, 1);
}

/* Errors: code, the bytes it points at, documents kept, rejected docs. */
static void test_errors(void)
{
    static const struct {
        const char *in;
        sc_code code;
        const char *at;
        uint32_t kept;
        const char *rejected; /* bytes of the rejected doc */
    } rows[] = {
        {"a: 1\na: 2\n", SC_E0103, "a", 0, "a: 1\na: 2\n"},
        {"a: {x: 1, 'x': 2}\n", SC_E0103, "x", 0, NULL},
        {"~: 1\nnull: 2\n", SC_E0103, "null", 0, NULL},
        {"x: &b {}\n<<: *b\n<<: *b\n", SC_E0103, "<<", 0, NULL},
        {"a: 1\n---\nb: 1\nb: 2\n---\nc: 3\n", SC_E0103, "b", 2,
         "b: 1\nb: 2\n"},
        {"a: 1\n---\nb: 'x\n---\nc: 3\n", SC_E0102, "-", 1,
         "b: 'x\n---\nc: 3\n"},
        {"a: 1\n---\nb: [\n", SC_E0102, "", 1, "b: [\n"},
        {"a:\n\tb: 1\n", SC_E0102, "\t", 0, NULL},
        {"a: *x\n", SC_E0102, "*x", 0, NULL},
        {"a: &x [*x]\n", SC_E0102, "*x", 0, NULL},
        {"a: &x 1\nb: &x [*x]\n", SC_E0102, "*x", 0, NULL},
        {"{a: b}: c\n", SC_E0107, "{a: b}", 0, NULL},
        {"? [a]\n: c\n", SC_E0107, "[a]", 0, NULL},
        {"a: !!binary x\n", SC_E0108, "x", 0, NULL},
        {"a: !mine x\n", SC_E0108, "x", 0, NULL},
        {"a: !!int x\n", SC_E0108, "x", 0, NULL},
        {"a: !!float .inf\n", SC_E0108, ".inf", 0, NULL},
        {"a: !!set {x}\n", SC_E0108, "!!set {", 0, NULL},
        {"a: !!map [x]\n", SC_E0108, "!!map [", 0, NULL},
        {"<<: 1\n", SC_E0109, "1", 0, NULL},
        {"<<: [{a: 1}, x]\n", SC_E0109, "x", 0, NULL},
        {"a: 1\n---\nb: \xC3\n", SC_E0106, "\xC3", 1, "---\nb: \xC3\n"},
        {"a: \xED\xA0\x80\n", SC_E0106, "\xED\xA0\x80", 0, NULL},
        {"a: 1\n...\n# \x01\n", SC_E0102, "\x01", 1, "...\n# \x01\n"},
        {"a: 1\n--- # \x7F\n", SC_E0102, "\x7F", 1, "--- # \x7F\n"},
        {"a: [\n---\nb: \x01\n", SC_E0102, "", 0, "a: [\n---\nb: \x01\n"},
        {"%FOO\n", SC_E0102, NULL, 0, NULL},
        {"%YAML 3.0\n---\na: 1\n", SC_E0102, NULL, 0, NULL},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const sc_diag *diag;
        const sc_doc *doc;

        parse(rows[i].in);
        test_result(session.diags.count == 1 && session.docs.count == 1,
                    __FILE__, __LINE__, rows[i].in);
        if (session.diags.count != 1 || session.docs.count != 1)
            continue;
        diag = &session.diags.items[0];
        doc = &session.docs.items[0];
        CHECK_STR(sg_str_of(sc_code_name(diag->code)),
                  sg_str_of(sc_code_name(rows[i].code)));
        if (rows[i].at != NULL && rows[i].at[0] != '\0')
            CHECK_STR(bytes(diag->at), sg_str_of(rows[i].at));
        CHECK_INT(count, rows[i].kept);
        CHECK_INT(doc->status, SC_DOC_REJECTED);
        CHECK_INT(diag->doc, 0);
        CHECK_INT(session.doc, SIGMA_NONE);
        if (rows[i].rejected != NULL)
            CHECK_STR(bytes(doc->at), sg_str_of(rows[i].rejected));
    }
}

static void test_several_errors(void)
{
    parse("a: 1\na: 2\nb: !x y\nb: 3\n");
    CHECK_INT(session.errors, 3);
    CHECK_INT(session.docs.count, 1);
    CHECK_INT(session.diags.items[0].notes.count, 0);
    CHECK_INT(session.diags.items[1].notes.count, 1);
    CHECK_STR(session.diags.items[1].message, SG_S("duplicate key 'a'"));
    CHECK_INT(session.diags.items[1].notes.items[0].at.beg, 0);
}

/* Each level holds ten of the level below: billions when expanded. */
static void test_bomb(void)
{
    sg_buf text = {0};

    sg_buf_putz(&text, "ok: 1\n---\na0: &a0 [x]\n");
    for (int i = 1; i < 30; i++) {
        sg_buf_printf(&text, "a%d: &a%d [", i, i);
        for (int j = 0; j < 10; j++)
            sg_buf_printf(&text, "*a%d,", i - 1);
        sg_buf_putz(&text, "]\n");
    }
    parse_str(sg_buf_str(&text));
    CHECK_INT(session.errors, 1);
    CHECK_INT(session.diags.items[0].code, SC_E0104);
    CHECK_INT(count, 1);
    CHECK(session.arena.total < 4 << 20);
    sg_buf_free(&text);
}

static void check_depth(int depth, bool flow, uint32_t errors)
{
    sg_buf text = {0};

    sg_buf_putz(&text, "");
    for (int i = 0; i < depth; i++)
        sg_buf_putz(&text, flow ? "[" : "- ");
    sg_buf_putz(&text, "x");
    for (int i = 0; flow && i < depth; i++)
        sg_buf_putz(&text, "]");
    parse_str(sg_buf_str(&text));
    CHECK_INT(session.errors, errors);
    CHECK_INT(count, errors == 0);
    if (errors != 0)
        CHECK_INT(session.diags.items[0].code, SC_E0104);
    sg_buf_free(&text);
}

static void test_depth(void)
{
    check_depth(SC_Y_MAX_DEPTH, true, 0);
    check_depth(SC_Y_MAX_DEPTH + 1, true, 1);
    check_depth(SC_Y_MAX_DEPTH, false, 0);
    check_depth(SC_Y_MAX_DEPTH + 1, false, 1);
    check_depth(900, true, 1);
    /* Depth counts through aliases. */
    parse(
        "a: &a [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["
        "x]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]\n"
        "b: [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[*a]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]\n");
    CHECK_INT(session.errors, 1);
    CHECK_INT(session.diags.items[0].code, SC_E0104);
}

/* One line of many thousand nodes, with characters of two bytes. */
static void test_wide(void)
{
    sg_buf text = {0};
    const sc_y_doc *docs;
    const sc_y *last;

    sg_buf_putz(&text, "[");
    for (int i = 0; i < 20000; i++)
        sg_buf_printf(&text, "\xC3\xA4%d, ", i);
    sg_buf_putz(&text, "end]");
    docs = parse_str(sg_buf_str(&text));
    CHECK_INT(session.errors, 0);
    CHECK_INT(count, 1);
    last = docs[0].root->items[docs[0].root->count - 1];
    CHECK_INT(docs[0].root->count, 20001);
    CHECK_STR(bytes(last->span), SG_S("end"));
    sg_buf_free(&text);
}

int main(void)
{
    sc_session_init(&session);
    test_schema();
    test_shapes();
    test_merge();
    test_spans();
    test_access();
    test_documents();
    test_errors();
    test_several_errors();
    test_bomb();
    test_depth();
    test_wide();
    sc_session_free(&session);
    return TEST_END();
}
