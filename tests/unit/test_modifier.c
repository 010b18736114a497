/*
 * test_modifier.c - what chains of modifiers make of values, and which are
 * refused, where. Rows are `key: value` as YAML; results are dumps.
 */
#include "sigma/reader.h"
#include "support/test.h"

static sc_session session;
static sc_ast ast;
static uint32_t source;

static void read_entry(const char *entry)
{
    sc_session_free(&session);
    sc_session_init(&session);
    ast = (sc_ast){0};
    source = sc_source_add(
        &session, SG_S("x.yml"),
        sg_arena_printf(&session.arena,
                        "title: t\nlogsource: {category: c}\ndetection:\n"
                        "  s:\n    %s\n  condition: s\n",
                        entry));
    sc_read_source(&session, source, &ast);
}

/* The dump of the selection, lines joined by "; ", without indentation. */
static sg_str dump(void)
{
    sg_buf all = {0}, out = {0};
    sg_str text = SG_S("selection \"s\"\n"), part;
    size_t beg, end;

    sc_ast_dump(&all, &ast);
    beg = all.len == 0 ? SIZE_MAX : sg_str_find(sg_buf_str(&all), text);
    if (beg != SIZE_MAX) {
        part = sg_str_sub(sg_buf_str(&all), beg + text.len, all.len);
        end = sg_str_find(part, SG_S("\n  condition"));
        part = sg_str_sub(part, 0, end == SIZE_MAX ? part.len : end);
        for (size_t i = 0; i < part.len; i++) {
            if (part.ptr[i] == '\n')
                sg_buf_putc(&out, ';');
            if (part.ptr[i] != '\n' &&
                (part.ptr[i] != ' ' || i == 0 ||
                 (part.ptr[i - 1] != ' ' && part.ptr[i - 1] != '\n')))
                sg_buf_putc(&out, part.ptr[i]);
        }
    }
    text = sg_arena_dup(&session.arena,
                        out.len == 0 ? SG_S("") : sg_buf_str(&out));
    sg_buf_free(&all);
    sg_buf_free(&out);
    return text;
}

typedef struct row {
    const char *in, *want;
} row;

static void check_rows(const row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        read_entry(rows[i].in);
        CHECK_INT(session.errors, 0);
        CHECK_STR(dump(), sg_str_of(rows[i].want));
    }
}

#define CHECK_ROWS(rows) check_rows(rows, sizeof(rows) / sizeof(*(rows)))

static void test_strings(void)
{
    static const row rows[] = {
        {"F: x", " field \"F\";string \"x\""},
        {"F|contains: 'a\\'", " field \"F\";string \"*a\\\\\\\\*\""},
        {"F|startswith: a*", " field \"F\";string \"a*\""},
        {"F|endswith: '*.tmp'", " field \"F\";string \"*.tmp\""},
        {"F|contains: ''", " field \"F\";string \"*\""},
        {"F|contains|contains: q", " field \"F\";string \"*q*\""},
        {"F|startswith|endswith: m", " field \"F\";string \"*m*\""},
        {"F|contains: 46", " field \"F\";string \"*46*\""},
        {"F|startswith: 0x1F", " field \"F\";string \"31*\""},
        {"F|contains: 00000429", " field \"F\";string \"*00000429*\""},
        {"F|cased|contains: Ab", " field \"F\";string \"*Ab*\" cased"},
        {"F|contains|all: [a, b]",
         " field \"F\" all;string \"*a*\";string \"*b*\""},
        {"F|all|neq: [a, b]", " field \"F\" all not;string \"a\";string \"b\""},
        {"F|neq|contains: a", " field \"F\" not;string \"*a*\""},
        {"F: []", " field \"F\";null"},
        {"F: [x, null, 5, true]",
         " field \"F\";string \"x\";null;number 5;true"},
        {"'|all': [POST, 200]", " keywords all;string \"POST\";number 200"},
        {"'|cased': AbC", " keywords;string \"AbC\" cased"},
    };

    CHECK_ROWS(rows);
}

static void test_encodings(void)
{
    static const row rows[] = {
        {"F|base64: attack", " field \"F\";string \"YXR0YWNr\""},
        {"F|base64: 'a\\*b'", " field \"F\";string \"YSpi\""},
        {"F|base64: a", " field \"F\";string \"YQ==\""},
        {"F|base64: na\xC3\xAFve", " field \"F\";string \"bmHDr3Zl\""},
        {"F|base64|base64: ab", " field \"F\";string \"WVdJPQ==\""},
        {"F|base64|contains: http", " field \"F\";string \"*aHR0cA==*\""},
        /* starts 0 2 3, ends by (len + i) % 3: all, -3, -2 */
        {"F|base64offset: abcdef", " field \"F\";any;string \"YWJjZGVm\";"
                                   "string \"FiY2RlZ\";string \"hYmNkZW\""},
        {"F|base64offset: ab",
         " field \"F\";any;string \"YW\";string \"Fi\";string \"hY\""},
        {"F|wide: hi", " field \"F\";string \"h\\u0000i\\u0000\""},
        {"F|utf16le|base64: hi", " field \"F\";string \"aABpAA==\""},
        {"F|utf16be|base64: hi", " field \"F\";string \"AGgAaQ==\""},
        {"F|utf16|base64: hi", " field \"F\";string \"//5oAGkA\""},
        {"F|wide|base64: \"\\U0001F600\"", " field \"F\";string \"PdgA3g==\""},
        {"F|cased|base64: a", " field \"F\";string \"YQ==\" cased"},
        {"F|contains|wide: hi", " field \"F\";string \"*h\\u0000i\\u0000*\""},
    };

    CHECK_ROWS(rows);
}

static void test_windash(void)
{
    static const struct {
        const char *in;
        uint32_t kids; /* 0: no flags, a plain string */
    } rows[] = {
        {"F|windash: ' -enc'", 5},
        {"F|windash|contains: ' -a -b'", 25},
        {"F|contains|windash: ' -d '", 5},
        {"F|windash: '-no-exit'", 5},
        {"F|windash: ' --url'", 5},
        {"F|windash: \" \\u2013file\"", 5},
        {"F|windash: ' /p'", 5},
        {"F|windash: 'start/b'", 0},
        {"F|windash: '- x'", 0},
        {"F|windash: 'x -'", 0},
        {"F|windash: '\xC3\xA4-b'", 0},
        {"F|windash: '-\xC3\xA4'", 5},
        {"F|windash: '*-b*'", 5},
        {"F|windash: ' -e* JAB'", 5},
        {"F|windash|base64offset: ' -ab'", 15},
        {"F|windash: ' -a -b -c -d -e -f'", 15625},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        read_entry(rows[i].in);
        CHECK_INT(ast.rules.count, 1);
        if (ast.rules.count != 1)
            continue;
        const sc_value *v =
            &ast.rules.items[0]->selections.items[0].det->item->values.items[0];
        CHECK_INT(v->kids.count, rows[i].kids);
        CHECK_INT(v->kind, rows[i].kids == 0 ? SC_V_STRING : SC_V_EXPANSION);
    }
    read_entry("F|cased|windash|contains: ' -Ab'");
    CHECK_STR(dump(), SG_S(" field \"F\";any;string \"* -Ab*\" cased;"
                           "string \"* /Ab*\" cased;"
                           "string \"* \xE2\x80\x93"
                           "Ab*\" cased;"
                           "string \"* \xE2\x80\x94"
                           "Ab*\" cased;"
                           "string \"* \xE2\x80\x95"
                           "Ab*\" cased"));
}

static void test_operators(void)
{
    static const row rows[] = {
        {"F|exists: true", " field \"F\";exists"},
        {"F|exists: false", " field \"F\";exists not"},
        {"F|re: 'a*\\b'", " field \"F\";regex \"a*\\\\b\""},
        {"F|re|i|m|s: a", " field \"F\";regex \"a\" flags ims"},
        {"F|re|ignorecase|multiline|dotall: a",
         " field \"F\";regex \"a\" flags ims"},
        {"F|re|contains: a+", " field \"F\";regex \"a+\""},
        {"F|neq|re: a", " field \"F\" not;regex \"a\""},
        {"F|re|expand: 'a%x%\\d'",
         " field \"F\";regex \"a\" placeholder \"x\" \"\\\\d\""},
        {"F|cidr: 10.0.0.0/8", " field \"F\";cidr 10.0.0.0/8"},
        {"F|cidr: 198.51.100.9", " field \"F\";cidr 198.51.100.9/32"},
        {"F|gt: 9007199254740993", " field \"F\";gt 9007199254740993"},
        {"F|lte: [1, 2.5]", " field \"F\";lte 1;lte 2.5"},
        {"F|fieldref: a.b", " field \"F\";fieldref \"a.b\""},
        {"F|fieldref|startswith: B", " field \"F\";fieldref-starts \"B\""},
        {"F|fieldref|startswith|endswith: B",
         " field \"F\";fieldref-contains \"B\""},
        {"F|cased|fieldref: B", " field \"F\";fieldref \"B\" cased"},
        {"F|fieldref|cased: B", " field \"F\";fieldref \"B\" cased"},
        {"F|hour: 3", " field \"F\";hour eq 3"},
        {"F|week|gte|neq: 3", " field \"F\" not;week gte 3"},
        {"F|expand: '%a%'", " field \"F\";string \"%a%\" placeholders"},
        {"F|contains|expand: '\\\\%a%'",
         " field \"F\";string \"*\\\\\\\\%a%*\" placeholders"},
        {"F|expand: 'C:\\%a%'", " field \"F\";string \"C:%a%\""},
        {"F|windash|expand: 'x%a%'",
         " field \"F\";string \"x%a%\" placeholders"},
    };

    CHECK_ROWS(rows);
}

static void check_error(const char *in, sc_code code, const char *at)
{
    const sc_diag *diag;

    read_entry(in);
    CHECK_INT(session.errors, 1);
    if (session.errors != 1) {
        printf("  for: %s\n", in);
        return;
    }
    diag = &session.diags.items[0];
    CHECK_STR(sg_str_of(sc_code_name(diag->code)),
              sg_str_of(sc_code_name(code)));
    CHECK_STR(sg_str_sub(session.sources.items[source].text, diag->at.beg,
                         diag->at.end),
              sg_str_of(at));
    CHECK(diag->hint.len > 0);
    CHECK_INT(ast.rules.count, 0);
    CHECK_INT(session.docs.items[0].status, SC_DOC_REJECTED);
}

static void test_errors(void)
{
    static const struct {
        const char *in;
        sc_code code;
        const char *at;
    } rows[] = {
        {"F|containz: x", SC_E0201, "containz"},
        {"F|Contains: x", SC_E0201, "Contains"},
        {"F| contains: x", SC_E0201, " contains"},
        {"F|contains|xyz|all: [a, b]", SC_E0201, "xyz"},
        {"F|: x", SC_E0201, ""},
        {"F||contains: x", SC_E0201, ""},
        {"F|cidr|contains: 10.0.0.0/8", SC_E0202, "contains"},
        {"F|gt|lt: 5", SC_E0202, "lt"},
        {"F|hour|gt|lt: 5", SC_E0202, "lt"},
        {"F|gte|hour: 5", SC_E0202, "hour"},
        {"F|hour|minute: 5", SC_E0202, "minute"},
        {"F|contains|re: a", SC_E0202, "re"},
        {"F|cased|cidr: 10.0.0.0/8", SC_E0202, "cidr"},
        {"F|re|cased: a", SC_E0202, "cased"},
        {"F|re|re: a", SC_E0202, "re"},
        {"F|exists|contains: true", SC_E0202, "contains"},
        {"F|fieldref|re: a", SC_E0202, "re"},
        {"F|re|fieldref: a", SC_E0202, "fieldref"},
        {"F|contains|i: a", SC_E0202, "i"},
        {"F|contains|gt: 5", SC_E0202, "gt"},
        {"F|wide|utf16be|base64: x", SC_E0202, "utf16be"},
        {"F|gt: '5'", SC_E0203, "5"},
        {"F|gt: null", SC_E0203, "null"},
        {"F|exists: 'true'", SC_E0203, "true"},
        {"F|exists: 1", SC_E0203, "1"},
        {"F|contains: true", SC_E0203, "true"},
        {"F|contains: null", SC_E0203, "null"},
        {"F|cased: 5", SC_E0203, "5"},
        {"F|i: abc", SC_E0203, "abc"},
        {"F|re: 5", SC_E0203, "5"},
        {"F|cidr: 5", SC_E0203, "5"},
        {"F|windash: [a, 5]", SC_E0203, "5"},
        {"F|hour: '5'", SC_E0203, "5"},
        {"F|base64: 'ab*'", SC_E0204, "ab*"},
        {"F|contains|base64: ab", SC_E0204, "base64"},
        {"F|windash|contains|base64: ' -ab'", SC_E0204, "base64"},
        {"F|fieldref: 'B*'", SC_E0204, "B*"},
        {"F|startswith|fieldref: B", SC_E0204, "fieldref"},
        {"F|expand|base64: '%x%'", SC_E0204, "%x%"},
        {"F|wide: 'a?'", SC_E0204, "a?"},
        {"F|base64offset: A", SC_E0205, "A"},
        {"F|re: 'a(b'", SC_E0206, "a(b"},
        {"F|re: 'ab[z-a]c'", SC_E0206, "a"},
        {"F|re: [ok, '*a']", SC_E0206, "*"},
        {"F|cidr: 10.1.2.3/8", SC_E0207, "10.1.2.3/8"},
        {"F|cidr: 10.0.0.0/33", SC_E0207, "10.0.0.0/33"},
        {"F|contains|all: x", SC_E0208, "all"},
        {"F|all: [x]", SC_E0208, "all"},
        {"F|all: []", SC_E0208, "all"},
        {"5: x", SC_E0209, "5"},
        {"F|fieldref: ''", SC_E0209, ""},
        {"'': x", SC_E0209, ""},
        {"F: {a: b}", SC_E0210, "{a: b}"},
        {"F: [a, {b: c}]", SC_E0210, "{b: c}"},
        {"F: [a, [b]]", SC_E0210, "[b]"},
        {"F: [a, []]", SC_E0210, "[]"},
        {"'|all': [a, null]", SC_E0212, "null"},
        {"'|contains': [a, true]", SC_E0203, "true"},
        {"'|cidr': 10.0.0.0/8", SC_E0212, "10.0.0.0/8"},
        {"'|gt': 5", SC_E0212, "5"},
        {"'|fieldref': a", SC_E0212, "a"},
        {"'|exists': true", SC_E0212, "true"},
        {"'|hour': 5", SC_E0212, "5"},
        {"F|windash: ' -a -b -c -d -e -f -g'", SC_E0213,
         " -a -b -c -d -e -f -g"},
        {"F|utf16|contains: hi", SC_E0214, "hi"},
        {"F|wide: '\xC3\xA4'", SC_E0214, "\xC3\xA4"},
        {"F|base64|base64|base64|base64|base64|base64|base64|base64|base64"
         "|base64|base64|base64|base64|base64|base64|base64|all: [a, b]",
         SC_E0213, "all"},
        {"F|base64offset|base64offset|base64offset|base64offset|base64offset"
         "|base64offset|base64offset|base64offset|base64offset|base64offset"
         "|base64offset|base64offset|base64offset|base64offset: abcdef",
         SC_E0213, "base64offset"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
        check_error(rows[i].in, rows[i].code, rows[i].at);
}

static void test_warnings(void)
{
    read_entry("F|hour: 24");
    CHECK_INT(session.errors, 0);
    CHECK_INT(session.warnings, 1);
    CHECK_INT(session.diags.items[0].code, SC_W0202);
    read_entry("F: [a, null]");
    CHECK_INT(session.warnings, 1);
    CHECK_INT(session.diags.items[0].code, SC_W0201);
    read_entry("F|minute|lt: 60");
    CHECK_INT(session.warnings, 0);
}

int main(void)
{
    test_strings();
    test_encodings();
    test_windash();
    test_operators();
    test_errors();
    test_warnings();
    sc_session_free(&session);
    return TEST_END();
}
