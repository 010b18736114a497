/* test_diag.c - sources, documents, diagnostics and how they are shown. */
#include "base/base.h"
#include "support/test.h"

#include <stdlib.h>
#include <unistd.h>

static sc_session session;

static uint32_t add(const char *text)
{
    return sc_source_add(&session, SG_S("rules/x.yml"), sg_str_of(text));
}

/* What is shown now; then a fresh session. */
static void check_render(const char *want, int line)
{
    sg_buf out = {0};

    sc_diag_render(&session, &out, false);
    test_str(sg_buf_str(&out), sg_str_of(want), __FILE__, line);
    sg_buf_free(&out);
    sc_session_free(&session);
    sc_session_init(&session);
}

static void test_codes(void)
{
    for (int i = 0; i < SC_CODE_COUNT; i++) {
        const sg_str name = sg_str_of(sc_code_name((sc_code)i));
        sc_code found = SC_CODE_COUNT;

        CHECK_INT(name.len, 5);
        CHECK(name.ptr[0] == 'E' || name.ptr[0] == 'W');
        CHECK(sc_code_find(name, &found) && found == (sc_code)i);
        test_result(sc_code_slug((sc_code)i)[0] != '\0', __FILE__, __LINE__,
                    name.ptr);
        test_result(sc_code_doc((sc_code)i)[0] != '\0', __FILE__, __LINE__,
                    name.ptr);
        for (int j = 0; j < i; j++)
            test_result(
                strcmp(sc_code_slug((sc_code)i), sc_code_slug((sc_code)j)) != 0,
                __FILE__, __LINE__, name.ptr);
    }
    CHECK(!sc_code_find(SG_S("E9999"), &(sc_code){0}));
}

/* Letter and severity of each row agree. */
static void test_severities(void)
{
#define DIAG(code, severity, slug, hint, doc)                                  \
    CHECK_INT(severity, #code[0] == 'E' ? SC_ERROR : SC_WARNING);
#include "base/diag_codes.def"
#undef DIAG
}

static void test_lines(void)
{
    const uint32_t id = add("\xEF\xBB\xBF"
                            "ab\r\n\xC3\xA4x\ry\n\nlast");
    static const struct {
        uint32_t at, line, column;
    } rows[] = {{3, 1, 1},  {4, 1, 2},  {5, 1, 3},  {7, 2, 1},  {9, 2, 2},
                {11, 3, 1}, {13, 4, 1}, {14, 5, 1}, {18, 5, 5}, {0, 1, 1}};
    static const char *const lines[] = {"", "ab", "\xC3\xA4x", "y", "", "last"};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint32_t line, column;

        sc_source_pos(&session, id, rows[i].at, &line, &column);
        CHECK_INT(line, rows[i].line);
        CHECK_INT(column, rows[i].column);
    }
    for (uint32_t i = 0; i < 6; i++)
        CHECK_STR(sc_source_line(&session, id, i), sg_str_of(lines[i]));
    CHECK_STR(sc_source_line(&session, id, 7), SG_S(""));
    CHECK_STR(sc_source_line(&session, add(""), 1), SG_S(""));
}

static void test_open(void)
{
    char path[] = "/tmp/test_diag_XXXXXX";
    const int fd = mkstemp(path);
    uint32_t id = 0;

    CHECK(fd >= 0 && write(fd, "a: 1\n", 5) == 5);
    close(fd);
    CHECK(sc_source_open(&session, sg_str_of(path), &id));
    CHECK_STR(session.sources.items[id].text, SG_S("a: 1\n"));
    unlink(path);
    CHECK(!sc_source_open(&session, sg_str_of(path), &id));
    CHECK(!sc_source_open(&session, SG_S("/"), &id));
    CHECK(!sc_source_open(&session, SG_S("/dev/null"), &id));
    CHECK(!sc_source_open(&session, SG_S("a\0b"), &id));
    CHECK_INT(session.errors, 4);
    CHECK_INT(session.diags.items[0].code, SC_E0101);
    sc_session_free(&session);
    sc_session_init(&session);
}

static void test_docs(void)
{
    const uint32_t id = add("abc---\n");
    const uint32_t doc = sc_doc_begin(&session, (sc_span){id, 0, 3});

    CHECK_INT(session.doc, doc);
    CHECK(sc_doc_ok(&session, doc));
    CHECK_STR(session.docs.items[doc].path, SG_S("rules/x.yml"));
    CHECK_STR(sg_str_of(session.docs.items[doc].sha256),
              SG_S("ba7816bf8f01cfea414140de5dae2223"
                   "b00361a396177a9cb410ff61f20015ad"));
    sc_warn(&session, SC_E0102, (sc_span){id, 0, 1}, "only a warning");
    CHECK(sc_doc_ok(&session, doc));
    CHECK(!sc_error(&session, SC_E0102, (sc_span){id, 0, 1}, "one"));
    sc_error(&session, SC_E0103, (sc_span){id, 0, 1}, "two");
    CHECK(!sc_doc_ok(&session, doc));
    CHECK_INT(session.docs.items[doc].diag, 1);
    CHECK_INT(session.diags.items[2].doc, doc);
    CHECK(!sc_doc_ok(&session, SIGMA_NONE));
    CHECK_INT(session.errors, 2);
    CHECK_INT(session.warnings, 1);
    sc_session_free(&session);
    sc_session_init(&session);
}

static void test_render(void)
{
    uint32_t id = add("sel:\n  Image|containz: 'http'\n");

    sc_error(&session, SC_E0102, (sc_span){id, 13, 21}, "unknown modifier '%s'",
             "containz");
    sc_hint(&session, "did you mean '%s'?", "contains");
    sc_note_at(&session, (sc_span){id, 0, 3}, "in this selection");
    check_render("rules/x.yml:2:9: error[E0102]: unknown modifier 'containz'\n"
                 "    2 |   Image|containz: 'http'\n"
                 "      |         ^~~~~~~~\n"
                 "      = hint: did you mean 'contains'?\n"
                 "rules/x.yml:1:1: note: in this selection\n"
                 "    1 | sel:\n"
                 "      | ^~~\n",
                 __LINE__);

    sc_error(&session, SC_E0106, SC_NOWHERE, "no place");
    check_render("error[E0106]: no place\n"
                 "      = hint: save the file as UTF-8\n",
                 __LINE__);

    id = add("a\tb\xE6\xBC\xA2"
             "c: x\n\n");
    sc_warn(&session, SC_E0102, (sc_span){id, 6, 60}, "wide");
    sc_error(&session, SC_E0102, (sc_span){id, 11, 11}, "empty line");
    sc_error(&session, SC_E0102, (sc_span){id, 12, 12}, "end");
    check_render("rules/x.yml:1:5: warning[E0102]: wide\n"
                 "    1 | a    b\xE6\xBC\xA2"
                 "c: x\n"
                 "      |         ^~~~\n"
                 "rules/x.yml:2:1: error[E0102]: empty line\n"
                 "    2 |\n"
                 "      | ^\n"
                 "rules/x.yml:3:1: error[E0102]: end\n"
                 "    3 |\n"
                 "      | ^\n",
                 __LINE__);
}

/* Nothing that a terminal obeys comes through. */
static void test_escapes(void)
{
    const uint32_t id =
        sc_source_add(&session, SG_S("x\x1b[2J.yml"),
                      SG_S("k: \x1b]0;t\x07\xE2\x80\xAE\xC2\x9B\xFF!\n"));

    sc_error(&session, SC_E0102, (sc_span){id, 0, 1}, "bad %s",
             "\r\n\xE2\x81\xA6\xF3\xA0\x81\x81");
    check_render("x\\x1b[2J.yml:1:1: error[E0102]: bad "
                 "\\x0d\\x0a\\u2066\\U000e0041\n"
                 "    1 | k: \\x1b]0;t\\x07\\u202e\\u009b\\xff!\n"
                 "      | ^\n",
                 __LINE__);
}

static void test_order_and_limit(void)
{
    const uint32_t a = add("a\nb\nc\n");
    const uint32_t b = add("d\n");
    sg_buf out = {0};

    sc_error(&session, SC_E0102, (sc_span){b, 0, 1}, "in the second");
    for (int i = 0; i < 25; i++)
        sc_error(&session, SC_E0102, (sc_span){a, 2, 3}, "number %d", i);
    sc_error(&session, SC_E0102, (sc_span){a, 0, 1}, "first");
    sc_warn(&session, SC_E0102, (sc_span){a, 4, 5}, "a warning");
    sc_diag_render(&session, &out, false);
    CHECK(sg_str_starts(sg_buf_str(&out), SG_S("rules/x.yml:1:1: error[E0102]: "
                                               "first\n")));
    CHECK(sg_str_find(sg_buf_str(&out), SG_S("number 18\n")) != SIZE_MAX);
    CHECK(sg_str_find(sg_buf_str(&out), SG_S("number 19\n")) == SIZE_MAX);
    CHECK(sg_str_find(sg_buf_str(&out), SG_S("a warning\n")) != SIZE_MAX);
    CHECK(sg_str_find(sg_buf_str(&out),
                      SG_S("\nrules/x.yml: 6 more errors\n")) != SIZE_MAX);
    CHECK(sg_str_ends(sg_buf_str(&out),
                      SG_S("in the second\n    1 | d\n      | ^\n")));
    sg_buf_free(&out);
    sc_session_free(&session);
    sc_session_init(&session);
}

/* A line of any length is shown as a window that holds the caret. */
static void test_long_line(void)
{
    enum { LEN = 100000 };
    char *text = malloc(LEN);
    uint32_t id;

    CHECK(text != NULL);
    if (text == NULL)
        return;
    memset(text, 'a', LEN);
    text[50000] = 'X';
    id = sc_source_add(&session, SG_S("x"), (sg_str){text, LEN});
    for (uint32_t at = 0; at < LEN; at += 25000) {
        sg_buf out = {0};
        size_t mark, caret;

        session.diags.count = 0;
        sc_error(&session, SC_E0102, (sc_span){id, at, LEN}, "long");
        sc_diag_render(&session, &out, false);
        CHECK(out.len < 350);
        mark = sg_str_find(sg_buf_str(&out), SG_S("X"));
        caret = sg_str_find(sg_buf_str(&out), SG_S("^"));
        CHECK(caret != SIZE_MAX && (mark != SIZE_MAX) == (at == 50000));
        if (at == 50000) { /* X stands over the caret */
            const size_t line = sg_str_find(sg_buf_str(&out), SG_S("    1 |"));
            const size_t under = sg_str_find(sg_buf_str(&out), SG_S("      |"));

            CHECK_INT(mark - line, caret - under);
        }
        sg_buf_free(&out);
    }
    free(text);
    sc_session_free(&session);
    sc_session_init(&session);
}

static void test_long_message(void)
{
    sg_arena arena = {0};
    char *text = sg_arena_alloc(&arena, 5001, 1);

    for (int i = 0; i < 5000; i += 2)
        memcpy(text + i, "\xC3\xA4", 2);
    text[5000] = '\0';
    sc_error(&session, SC_E0102, SC_NOWHERE, "x%s", text);
    CHECK(session.diags.items[0].message.len < 1010);
    CHECK(sg_utf8_valid(session.diags.items[0].message));
    sg_arena_free(&arena);
    sc_session_free(&session);
    sc_session_init(&session);
}

static void test_colour(void)
{
    sg_buf out = {0};

    sc_error(&session, SC_E0102, (sc_span){add("ab"), 0, 1}, "m");
    sc_diag_render(&session, &out, true);
    CHECK(sg_str_find(sg_buf_str(&out),
                      SG_S("\x1b[1;31merror[E0102]:\x1b[0m m\n")) != SIZE_MAX);
    sg_buf_free(&out);
    sc_session_free(&session);
    sc_session_init(&session);
}

/* A fault leaves its document accepted; what is dropped leaves no trace in
 * counts, nor in the documents that later errors are referred to by. */
static void test_faults_and_retain(void)
{
    const uint32_t source = add("a: 1\n---\nb: 2\n");
    const uint32_t first = sc_doc_begin(&session, (sc_span){source, 0, 4});
    const uint32_t second = sc_doc_begin(&session, (sc_span){source, 9, 13});
    const bool keep[] = {false, false, true, true};

    sc_warn(&session, SC_W0705, (sc_span){source, 9, 10}, "w");
    session.doc = first;
    sc_error(&session, SC_E0102, (sc_span){source, 0, 1}, "dropped");
    session.doc = second;
    sc_error(&session, SC_E0102, (sc_span){source, 9, 10}, "kept");
    sc_fault(&session, first, SC_E1001, (sc_span){source, 0, 0}, "fault");
    CHECK_INT(session.errors, 3);
    CHECK_INT(session.diags.items[3].doc, first);
    CHECK_INT(session.docs.items[first].diag, 1);
    CHECK_INT(session.docs.items[second].diag, 2);
    sc_diag_retain(&session, keep);
    CHECK_INT(session.diags.count, 2);
    CHECK_INT(session.errors, 2);
    CHECK_INT(session.warnings, 0);
    CHECK_STR(session.diags.items[0].message, SG_S("kept"));
    CHECK_INT(session.docs.items[first].diag, SIGMA_NONE);
    CHECK_INT(session.docs.items[second].diag, 0);
    session.docs.items[first].status = SC_DOC_OK;
    sc_fault(&session, first, SC_E1003, SC_NOWHERE, "again");
    CHECK(sc_doc_ok(&session, first));
    sc_session_free(&session);
    sc_session_init(&session);
}

static void test_nearest(void)
{
    static const sg_str words[] = {SG_LIT("contains"), SG_LIT("startswith"),
                                   SG_LIT("re"), SG_LIT("cidr")};

    CHECK_STR(sc_nearest(SG_S("containz"), words, 4), SG_S("contains"));
    CHECK_STR(sc_nearest(SG_S("RE"), words, 4), SG_S("re"));
    CHECK_STR(sc_nearest(SG_S("startwith"), words, 4), SG_S("startswith"));
    CHECK_STR(sc_nearest(SG_S("cird"), words, 4), SG_S(""));
    CHECK_STR(sc_nearest(SG_S("cid"), words, 4), SG_S("cidr"));
    CHECK_STR(sc_nearest(SG_S("xy"), words, 4), SG_S(""));
    CHECK_STR(sc_nearest(SG_S(""), words, 4), SG_S(""));
    CHECK_STR(sc_nearest(SG_S("banana"), words, 4), SG_S(""));
}

int main(void)
{
    sc_session_init(&session);
    test_codes();
    test_severities();
    test_lines();
    test_open();
    test_docs();
    test_render();
    test_escapes();
    test_order_and_limit();
    test_long_line();
    test_long_message();
    test_colour();
    test_faults_and_retain();
    test_nearest();
    sc_session_free(&session);
    return TEST_END();
}
