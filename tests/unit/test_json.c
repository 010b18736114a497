/*
 * test_json.c - the scanner's grammar: which lines are JSON objects and which
 * are not, with the reason and the place. Every line is scanned from memory
 * of its exact size, so that reading past it is found.
 */
#include "record/record.h"
#include "support/test.h"

#include <stdlib.h>

typedef struct accept_case {
    const char *name;
    sg_str line;
} accept_case;

typedef struct reject_case {
    const char *name;
    sg_str line;
    const char *reason; /* NULL: any */
    int at;             /* -1: any */
} reject_case;

static const accept_case accepted[] = {
    {"y_object_empty", SG_LIT("{}")},
    {"y_object_spaces", SG_LIT(" \t\r\n{ \t\r\n} \t\r\n")},
    {"y_object_basic", SG_LIT("{\"a\":1}")},
    {"y_object_all_kinds", SG_LIT("{\"a\":null,\"b\":true,\"c\":false,\"d\":"
                                  "-1.5e+7,\"e\":\"\",\"f\":[],\"g\":{}}")},
    {"y_object_empty_key", SG_LIT("{\"\":0}")},
    {"y_object_duplicated_key", SG_LIT("{\"a\":\"b\",\"a\":\"c\"}")},
    {"y_object_nul_in_key", SG_LIT("{\"foo\\u0000bar\": 42}")},
    {"y_object_newlines", SG_LIT("{\n\"a\": \"b\"\n}")},
    {"y_object_long_strings",
     SG_LIT("{\"x\":[{\"id\": \"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\"}],"
            " \"id\": \"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\"}")},
    {"y_array_nested", SG_LIT("{\"a\":[[],[[]],[1,[2,3]],{}]}")},
    {"y_array_spaces", SG_LIT("{\"a\":[ 1 , 2\t,\n3 ] }")},
    {"y_number_zero", SG_LIT("{\"a\":0}")},
    {"y_number_minus_zero", SG_LIT("{\"a\":-0}")},
    {"y_number_0e1", SG_LIT("{\"a\":0e1}")},
    {"y_number_0e+1", SG_LIT("{\"a\":0e+1}")},
    {"y_number_fraction", SG_LIT("{\"a\":0.5}")},
    {"y_number_exponents", SG_LIT("{\"a\":[1E22,1E-2,1E+2,123e45,1.5e-9]}")},
    {"y_number_huge_exponent", SG_LIT("{\"a\":[1e99999,-1e99999,1e-99999]}")},
    {"y_number_huge_integer",
     SG_LIT("{\"a\":100000000000000000000000000000000000000000000000000}")},
    {"y_number_int64_edges",
     SG_LIT("{\"a\":[9223372036854775807,-9223372036854775808,"
            "18446744073709551615,18446744073709551616]}")},
    {"y_string_escapes", SG_LIT("{\"a\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"}")},
    {"y_string_unicode_escapes",
     SG_LIT("{\"a\":\"\\u0041\\u00e9\\u20AC\\uABCD\\uabcd\"}")},
    {"y_string_nul_escape", SG_LIT("{\"a\":\"\\u0000\"}")},
    {"y_string_surrogate_pair", SG_LIT("{\"a\":\"\\uD834\\uDd1e\"}")},
    {"y_string_lone_high", SG_LIT("{\"a\":\"\\uD800\"}")},
    {"y_string_lone_low", SG_LIT("{\"a\":\"\\uDC00x\"}")},
    {"y_string_high_high", SG_LIT("{\"a\":\"\\uD800\\uD800\\n\"}")},
    {"y_string_high_then_escape", SG_LIT("{\"a\":\"\\uD800\\n\"}")},
    {"y_string_noncharacter", SG_LIT("{\"a\":\"\\uFFFF\xEF\xBF\xBF\"}")},
    {"y_string_utf8_2", SG_LIT("{\"a\":\"\xC2\x80\xDF\xBF\"}")},
    {"y_string_utf8_3", SG_LIT("{\"a\":\"\xE0\xA0\x80\xEC\x80\x80\xED\x9F\xBF"
                               "\xEE\x80\x80\xEF\xBF\xBF\"}")},
    {"y_string_utf8_4",
     SG_LIT("{\"a\":\"\xF0\x90\x80\x80\xF3\xBF\xBF\xBF\xF4\x8F\xBF\xBF\"}")},
    {"y_string_delete_char", SG_LIT("{\"a\":\"\x7f\"}")},
    {"y_string_line_separators",
     SG_LIT("{\"a\":\"\xE2\x80\xA8\xE2\x80\xA9\"}")},
    {"y_string_many_backslashes",
     SG_LIT("{\"a\":\"\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\"}")},
    {"y_string_brackets_inside", SG_LIT("{\"a\":\"}]{[,:\"}")},
};

static const reject_case rejected[] = {
    {"n_empty", SG_LIT(""), "empty line", 0},
    {"n_blank", SG_LIT("  \t "), "empty line", 4},
    {"n_top_array", SG_LIT("[1]"), "not a JSON object", 0},
    {"n_top_string", SG_LIT("\"a\""), "not a JSON object", 0},
    {"n_top_number", SG_LIT("1"), "not a JSON object", 0},
    {"n_top_null", SG_LIT("null"), "not a JSON object", 0},
    {"n_bom", SG_LIT("\xEF\xBB\xBF{}"), "not a JSON object", 0},
    {"n_nul_byte", SG_LIT("\0"), "not a JSON object", 0},
    {"n_form_feed", SG_LIT("\f{}"), "not a JSON object", 0},
    {"n_no_break_space", SG_LIT("{\xC2\xA0}"), "expected a key", 1},
    {"n_trailing_text", SG_LIT("{} x"), "text behind the object", 3},
    {"n_trailing_brace", SG_LIT("{}}"), "text behind the object", 2},
    {"n_two_objects", SG_LIT("{}{}"), "text behind the object", 2},
    {"n_trailing_nul", SG_LIT("{}\0"), "text behind the object", 2},
    {"n_trailing_comment", SG_LIT("{}//"), "text behind the object", 2},
    {"n_open", SG_LIT("{"), "the line ends too early", 1},
    {"n_open_key", SG_LIT("{\"a"), "the line ends too early", 3},
    {"n_no_colon", SG_LIT("{\"a\""), "the line ends too early", 4},
    {"n_no_value", SG_LIT("{\"a\":"), "the line ends too early", 5},
    {"n_no_close", SG_LIT("{\"a\":1"), "the line ends too early", 6},
    {"n_after_comma", SG_LIT("{\"a\":1,"), "the line ends too early", 7},
    {"n_missing_value", SG_LIT("{\"a\":}"), "expected a value", 5},
    {"n_missing_colon", SG_LIT("{\"a\" 1}"), "expected ':'", 5},
    {"n_comma_for_colon", SG_LIT("{\"a\",1}"), "expected ':'", 4},
    {"n_double_colon", SG_LIT("{\"a\"::1}"), "expected a value", 5},
    {"n_trailing_comma", SG_LIT("{\"a\":1,}"), "expected a key", 7},
    {"n_leading_comma", SG_LIT("{,\"a\":1}"), "expected a key", 1},
    {"n_double_comma", SG_LIT("{\"a\":1,,\"b\":2}"), "expected a key", 7},
    {"n_missing_comma", SG_LIT("{\"a\":1 \"b\":2}"), "expected ',' or '}'", 7},
    {"n_unquoted_key", SG_LIT("{a:1}"), "expected a key", 1},
    {"n_single_quotes", SG_LIT("{'a':1}"), "expected a key", 1},
    {"n_number_key", SG_LIT("{1:1}"), "expected a key", 1},
    {"n_bracket_mix", SG_LIT("{\"a\":[1}"), "expected ',' or ']'", 7},
    {"n_bracket_mix_2", SG_LIT("{\"a\":{]}"), "expected a key", 6},
    {"n_array_trailing_comma", SG_LIT("{\"a\":[1,]}"), "expected a value", 8},
    {"n_array_only_comma", SG_LIT("{\"a\":[,]}"), "expected a value", 6},
    {"n_array_missing_comma", SG_LIT("{\"a\":[1 2]}"), "expected ',' or ']'",
     8},
    {"n_array_colon", SG_LIT("{\"a\":[\"x\":1]}"), "expected ',' or ']'", 9},
    {"n_array_open", SG_LIT("{\"a\":["), "the line ends too early", 6},
    {"n_word_case", SG_LIT("{\"a\":True}"), "expected a value", 5},
    {"n_word_short", SG_LIT("{\"a\":nul}"), "expected a value", 5},
    {"n_word_end", SG_LIT("{\"a\":tr"), NULL, -1},
    {"n_word_long", SG_LIT("{\"a\":nulll}"), "expected ',' or '}'", 9},
    {"n_nan", SG_LIT("{\"a\":NaN}"), "expected a value", 5},
    {"n_infinity", SG_LIT("{\"a\":-Infinity}"), "bad number", 6},
    {"n_number_leading_zero", SG_LIT("{\"a\":01}"), "expected ',' or '}'", 6},
    {"n_number_minus_zero_1", SG_LIT("{\"a\":-01}"), "expected ',' or '}'", 7},
    {"n_number_plus", SG_LIT("{\"a\":+1}"), "expected a value", 5},
    {"n_number_dot_first", SG_LIT("{\"a\":.5}"), "expected a value", 5},
    {"n_number_dot_last", SG_LIT("{\"a\":1.}"), "bad number", 7},
    {"n_number_dot_e", SG_LIT("{\"a\":1.e1}"), "bad number", 7},
    {"n_number_e_last", SG_LIT("{\"a\":1e}"), "bad number", 7},
    {"n_number_e_plus", SG_LIT("{\"a\":1e+}"), "bad number", 8},
    {"n_number_e_dot", SG_LIT("{\"a\":1e1.5}"), "expected ',' or '}'", 8},
    {"n_number_minus", SG_LIT("{\"a\":-}"), "bad number", 6},
    {"n_number_minus_minus", SG_LIT("{\"a\":--1}"), "bad number", 6},
    {"n_number_hex", SG_LIT("{\"a\":0x1}"), "expected ',' or '}'", 6},
    {"n_number_fullwidth", SG_LIT("{\"a\":\xEF\xBC\x91}"), "expected a value",
     5},
    {"n_number_end", SG_LIT("{\"a\":-"), "the line ends too early", 6},
    {"n_string_newline", SG_LIT("{\"a\":\"x\ny\"}"),
     "control character in a string", 7},
    {"n_string_tab", SG_LIT("{\"a\":\"\t\"}"), "control character in a string",
     6},
    {"n_string_nul", SG_LIT("{\"a\":\"\0\"}"), "control character in a string",
     6},
    {"n_string_1f", SG_LIT("{\"a\":\"0123456789abcdefghijk\x1f\"}"),
     "control character in a string", 27},
    {"n_key_control", SG_LIT("{\"\x01\":1}"), "control character in a string",
     2},
    {"n_string_bad_escape", SG_LIT("{\"a\":\"\\x41\"}"),
     "bad escape in a string", 6},
    {"n_string_escape_quote", SG_LIT("{\"a\":\"\\'\"}"),
     "bad escape in a string", 6},
    {"n_string_escape_nul", SG_LIT("{\"a\":\"\\\0\"}"),
     "bad escape in a string", 6},
    {"n_string_escape_upper", SG_LIT("{\"a\":\"\\N\"}"),
     "bad escape in a string", 6},
    {"n_string_u_short", SG_LIT("{\"a\":\"\\u12\"}"),
     "bad \\u escape in a string", 6},
    {"n_string_u_bad_digit", SG_LIT("{\"a\":\"\\u12G4\"}"),
     "bad \\u escape in a string", 6},
    {"n_string_u_end", SG_LIT("{\"a\":\"\\u12"), "the line ends too early", 10},
    {"n_string_escape_end", SG_LIT("{\"a\":\"\\"), "the line ends too early",
     7},
    {"n_string_open", SG_LIT("{\"a\":\"abc"), "the line ends too early", 9},
    {"n_utf8_continuation", SG_LIT("{\"a\":\"\x80\"}"), "ill-formed UTF-8", 6},
    {"n_utf8_c0", SG_LIT("{\"a\":\"\xC0\xAF\"}"), "ill-formed UTF-8", 6},
    {"n_utf8_c1", SG_LIT("{\"a\":\"\xC1\xBF\"}"), "ill-formed UTF-8", 6},
    {"n_utf8_overlong_3", SG_LIT("{\"a\":\"\xE0\x9F\xBF\"}"),
     "ill-formed UTF-8", 6},
    {"n_utf8_overlong_4", SG_LIT("{\"a\":\"\xF0\x8F\xBF\xBF\"}"),
     "ill-formed UTF-8", 6},
    {"n_utf8_surrogate", SG_LIT("{\"a\":\"\xED\xA0\x80\"}"), "ill-formed UTF-8",
     6},
    {"n_utf8_above_max", SG_LIT("{\"a\":\"\xF4\x90\x80\x80\"}"),
     "ill-formed UTF-8", 6},
    {"n_utf8_f5", SG_LIT("{\"a\":\"\xF5\x80\x80\x80\"}"), "ill-formed UTF-8",
     6},
    {"n_utf8_ff", SG_LIT("{\"a\":\"\xFF\"}"), "ill-formed UTF-8", 6},
    {"n_utf8_cut_2", SG_LIT("{\"a\":\"\xC3\"}"), "ill-formed UTF-8", 6},
    {"n_utf8_cut_3", SG_LIT("{\"a\":\"\xE2\x82\"}"), "ill-formed UTF-8", 6},
    {"n_utf8_cut_4", SG_LIT("{\"a\":\"\xF0\x9F\x98\"}"), "ill-formed UTF-8", 6},
    {"n_utf8_cut_end", SG_LIT("{\"a\":\"\xF0\x9F"), "ill-formed UTF-8", 6},
    {"n_utf8_in_key", SG_LIT("{\"\xFF\":1}"), "ill-formed UTF-8", 2},
    {"n_utf8_latin1", SG_LIT("{\"a\":\"caf\xE9 and more text\"}"),
     "ill-formed UTF-8", 9},
};

typedef struct fixture {
    sg_arena arena;
    sr_event event;
    const sr_plan *plans[3];
} fixture;

/* No fields, some fields, and every scalar: all must agree on the grammar. */
static void setup(fixture *f)
{
    const sr_want fields[] = {{SG_LIT("a"), 0, false},
                              {SG_LIT("x.id"), 1, false}};
    const sr_want keywords[] = {{SG_LIT(""), 2, true}};

    memset(f, 0, sizeof *f);
    sr_event_init(&f->event, 3);
    f->plans[0] = sr_plan_new(&f->arena, NULL, 0);
    f->plans[1] = sr_plan_new(&f->arena, fields, 2);
    f->plans[2] = sr_plan_new(&f->arena, keywords, 1);
}

static void teardown(fixture *f)
{
    sr_event_free(&f->event);
    sg_arena_free(&f->arena);
}

static bool scan(fixture *f, int plan, sg_str line, sr_fault *fault)
{
    char *exact = malloc(line.len == 0 ? 1 : line.len);
    bool ok;

    if (exact == NULL)
        abort();
    if (line.len != 0)
        memcpy(exact, line.ptr, line.len);
    sr_event_begin(&f->event, (sg_str){exact, line.len});
    ok = sr_project(f->plans[plan], &f->event, fault);
    free(exact);
    return ok;
}

static void test_accepted(fixture *f, int plan)
{
    for (size_t i = 0; i < sizeof accepted / sizeof accepted[0]; i++) {
        sr_fault fault = {0};
        const bool ok = scan(f, plan, accepted[i].line, &fault);
        CHECK(ok);
        if (!ok)
            printf("  %s: %s at %zu\n", accepted[i].name, fault.reason,
                   fault.at);
    }
}

static void test_rejected(fixture *f, int plan)
{
    for (size_t i = 0; i < sizeof rejected / sizeof rejected[0]; i++) {
        const reject_case *want = &rejected[i];
        const int before = test_failures;
        sr_fault fault = {"", 0};
        CHECK(!scan(f, plan, want->line, &fault));
        if (want->reason != NULL)
            CHECK_STR(sg_str_of(fault.reason), sg_str_of(want->reason));
        if (want->at >= 0)
            CHECK_INT(fault.at, want->at);
        CHECK_INT(f->event.value_count, 0);
        CHECK(sr_first(&f->event, 0) == NULL);
        CHECK(sr_first(&f->event, 2) == NULL);
        if (test_failures != before)
            printf("  in %s\n", want->name);
    }
}

/* Every prefix of a good line is bad. */
static void test_prefixes(fixture *f, int plan)
{
    static const sg_str line =
        SG_LIT("{\"a\":[1.5e+3,{\"k\":\"v\\u00e9\\n\xE2\x82\xAC\"},true,null],"
               "\"x\":{\"id\":-0}}");
    sr_fault fault;

    CHECK(scan(f, plan, line, &fault));
    for (size_t len = 0; len < line.len; len++)
        CHECK(!scan(f, plan, (sg_str){line.ptr, len}, &fault));
}

/* The special bytes of a string at every distance from a vector's start. */
static void test_alignment(fixture *f, int plan)
{
    char line[128];
    sr_fault fault;

    for (int pad = 0; pad < 64; pad++) {
        const int n =
            snprintf(line, sizeof line, "{\"a\":\"%.*s\\u0041\"}", pad,
                     "................................"
                     "................................");
        CHECK(scan(f, plan, (sg_str){line, (size_t)n}, &fault));
        line[6 + pad] = '\x1f';
        CHECK(!scan(f, plan, (sg_str){line, (size_t)n}, &fault));
        CHECK_INT(fault.at, 6 + pad);
        line[6 + pad] = '\x80';
        CHECK(!scan(f, plan, (sg_str){line, (size_t)n}, &fault));
        CHECK_INT(fault.at, 6 + pad);
    }
}

/* depth levels in all: the object and depth - 1 arrays or objects. */
static bool nest(fixture *f, int plan, size_t depth, bool objects,
                 sr_fault *fault)
{
    sg_buf buf = {0};
    bool ok;

    sg_buf_putz(&buf, "{\"a\":");
    for (size_t i = 1; i < depth; i++)
        sg_buf_putz(&buf, objects ? "{\"a\":" : "[");
    sg_buf_putz(&buf, "1");
    for (size_t i = 1; i < depth; i++)
        sg_buf_putz(&buf, objects ? "}" : "]");
    sg_buf_putz(&buf, "}");
    ok = scan(f, plan, sg_buf_str(&buf), fault);
    sg_buf_free(&buf);
    return ok;
}

static void test_depth(fixture *f, int plan)
{
    sr_fault fault = {"", 0};

    for (int objects = 0; objects < 2; objects++) {
        CHECK(nest(f, plan, SR_MAX_DEPTH, objects, &fault));
        CHECK(!nest(f, plan, SR_MAX_DEPTH + 1, objects, &fault));
        CHECK_STR(sg_str_of(fault.reason), SG_S("nested too deeply"));
        CHECK(!nest(f, plan, 100000, objects, &fault));
    }
}

int main(void)
{
    fixture f;

    setup(&f);
    for (int plan = 0; plan < 3; plan++) {
        test_accepted(&f, plan);
        test_rejected(&f, plan);
        test_prefixes(&f, plan);
        test_alignment(&f, plan);
        test_depth(&f, plan);
    }
    teardown(&f);
    return TEST_END();
}
