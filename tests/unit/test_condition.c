/* test_condition.c - condition text: shape of the tree, spans, refusals. */
#include "sigma/reader.h"
#include "support/test.h"

static sc_session session;
static sc_y scalar;

/* A plain scalar that holds the text, at offset 5 of a source. */
static sc_cond *parse(sg_str text, bool plain)
{
    const sg_str source =
        sg_arena_printf(&session.arena, "###: %.*s", SG_FMT(text));

    scalar = (sc_y){.kind = SC_Y_STR, .plain = true, .exact = true};
    scalar.text = sg_str_sub(source, 5, source.len);
    scalar.span = (sc_span){sc_source_add(&session, SG_S("x"), source), 5,
                            (uint32_t)source.len};
    return sc_parse_condition(&session, &scalar, scalar.text, plain);
}

static sg_str bytes(sc_span at)
{
    return sg_str_sub(session.sources.items[at.source].text, at.beg, at.end);
}

/* Prefix form: (and a b), (not a), all:pattern, 1:them. */
static void show(sg_buf *out, const sc_cond *cond)
{
    static const char *const heads[] = {"(and", "(or", "(not"};

    if (cond->kind == SC_COND_ID) {
        sg_buf_put(out, cond->name);
        return;
    }
    if (cond->kind == SC_COND_OF) {
        sg_buf_putz(out, cond->all ? "all:" : "1:");
        sg_buf_put(out, cond->them ? SG_S("THEM") : cond->name);
        return;
    }
    sg_buf_putz(out, heads[cond->kind]);
    for (uint32_t i = 0; i < cond->kids.count; i++) {
        sg_buf_putc(out, ' ');
        show(out, cond->kids.items[i]);
    }
    sg_buf_putc(out, ')');
}

static void test_shape(void)
{
    static const struct {
        const char *in, *want;
    } rows[] = {
        {"a", "a"},
        {"a or b and c", "(or a (and b c))"},
        {"not a and b or c", "(or (and (not a) b) c)"},
        {"(a or b) and c", "(and (or a b) c)"},
        {"not (a or b) and not c", "(and (not (or a b)) (not c))"},
        {"not not a", "(not (not a))"},
        {"(a)and(b)or(not(c))", "(or (and a b) (not c))"},
        {"(((a)) and ((b)))", "(and a b)"},
        {"  a   and\n\tb\r\n", "(and a b)"},
        {"a and b and c", "(and a b c)"},
        {"1 of them", "1:THEM"},
        {"any of sel_*", "1:sel_*"},
        {"all of *_x and not 1 of sel-*", "(and all:*_x (not 1:sel-*))"},
        {"1 of sel", "1:sel"},
        {"1 of *", "1:*"},
        /* words are read whole */
        {"notepad and orders or android", "(or (and notepad orders) android)"},
        {"1st and 2nd", "(and 1st 2nd)"},
        {"all and any", "(and all any)"},
        {"1", "1"},
        {"them", "them"},
        {"not-a", "not-a"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        sc_cond *cond = parse(sg_str_of(rows[i].in), false);
        sg_buf out = {0};

        CHECK(cond != NULL);
        if (cond == NULL)
            continue;
        show(&out, cond);
        CHECK_STR(sg_buf_str(&out), sg_str_of(rows[i].want));
        sg_buf_free(&out);
    }
}

static void test_spans(void)
{
    sc_cond *cond = parse(SG_S("(aa or bb) and not 1 of cc*"), false);

    CHECK(cond != NULL);
    if (cond == NULL)
        return;
    CHECK_STR(bytes(cond->at), SG_S("(aa or bb) and not 1 of cc*"));
    CHECK_STR(bytes(cond->kids.items[0]->at), SG_S("aa or bb"));
    CHECK_STR(bytes(cond->kids.items[0]->kids.items[1]->at), SG_S("bb"));
    CHECK_STR(bytes(cond->kids.items[1]->at), SG_S("not 1 of cc*"));
    CHECK_STR(bytes(cond->kids.items[1]->kids.items[0]->at), SG_S("1 of cc*"));
}

static void check_error(const char *in, sc_code code, const char *at,
                        bool plain)
{
    const uint32_t before = session.diags.count;
    const sc_cond *cond = parse(sg_str_of(in), plain);
    const sc_diag *diag;

    CHECK(cond == NULL);
    CHECK_INT(session.diags.count, before + 1);
    if (cond != NULL || session.diags.count != before + 1) {
        printf("  for: %s\n", in);
        return;
    }
    diag = &session.diags.items[before];
    CHECK_STR(sg_str_of(sc_code_name(diag->code)),
              sg_str_of(sc_code_name(code)));
    CHECK_STR(bytes(diag->at), sg_str_of(at));
}

static void test_errors(void)
{
    static const struct {
        const char *in;
        sc_code code;
        const char *at;
    } rows[] = {
        {"", SC_E0302, ""},
        {" \n ", SC_E0302, " \n "},
        {"(a and b", SC_E0301, "("},
        {"((a)", SC_E0301, "("},
        {"a)", SC_E0301, ")"},
        {"()", SC_E0301, ")"},
        {"a and", SC_E0301, ""},
        {"a and and b", SC_E0301, "and"},
        {"and a", SC_E0301, "and"},
        {"a or or", SC_E0301, "or"},
        {"not", SC_E0301, ""},
        {"a b", SC_E0301, "b"},
        {"a (b)", SC_E0301, "("},
        {"a AND b", SC_E0301, "AND"},
        {"a && b", SC_E0301, "&"},
        {"!a", SC_E0301, "!"},
        {"a*", SC_E0301, "a*"},
        {"not a* and b", SC_E0301, "a*"},
        {"a.b", SC_E0301, "."},
        {"\xC3\xA4", SC_E0301, "\xC3\xA4"},
        {"2 of them", SC_E0303, "2 of"},
        {"x and most of y*", SC_E0303, "most of"},
        {"1 of", SC_E0301, ""},
        {"1 of (a)", SC_E0301, "("},
        {"a | count() > 5", SC_E0304, "| count() > 5"},
        {"(a | b)", SC_E0304, "| b)"},
        {"| a", SC_E0304, "| a"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
        check_error(rows[i].in, rows[i].code, rows[i].at, false);
    CHECK(parse(SG_S("r1 and not (r2 or r3)"), true) != NULL);
    check_error("1 of r*", SC_E0303, "1 of", true);
    check_error("r1 and and r2", SC_E0301, "and", true);
}

/* `count` times a text, then another. */
static sg_str repeated(const char *text, unsigned count, const char *end)
{
    sg_buf buf = {0};
    sg_str out;

    for (unsigned i = 0; i < count; i++)
        sg_buf_putz(&buf, text);
    sg_buf_putz(&buf, end);
    out = sg_arena_dup(&session.arena, sg_buf_str(&buf));
    sg_buf_free(&buf);
    return out;
}

static void test_limits(void)
{
    CHECK(parse(repeated("not ", SC_MAX_COND_DEPTH, "a"), false) != NULL);
    CHECK(parse(repeated("not ", SC_MAX_COND_DEPTH + 1, "a"), false) == NULL);
    CHECK(parse(repeated("(", 100000, "a"), false) == NULL);
    CHECK(parse(repeated("a or ", 10000, "a"), false) != NULL);
    CHECK(parse(repeated("a or ", 20000, "a"), false) == NULL);
    CHECK_INT(session.diags.items[session.diags.count - 1].code, SC_E0306);
    /* siblings do not add up */
    CHECK(parse(repeated("(a) and ", 500, "not a"), false) != NULL);
}

int main(void)
{
    sc_session_init(&session);
    test_shape();
    test_spans();
    test_errors();
    test_limits();
    sc_session_free(&session);
    return TEST_END();
}
