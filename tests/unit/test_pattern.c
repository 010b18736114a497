/* test_pattern.c - Sigma strings: escapes, wildcards, placeholders, printing.
 */
#include "sigma/reader.h"
#include "support/test.h"

static sc_session session;

/* Tokens as text: literals in brackets, * ? and <name> between them. */
static sg_str show(const sc_pattern *p)
{
    static const char *const marks[] = {"[%.*s]", "*%.*s", "?%.*s", "<%.*s>"};
    sg_buf out = {0};
    sg_str text;

    for (uint32_t i = 0; i < p->toks.count; i++) {
        sg_buf one = {0};
        const sc_tok *tok = &p->toks.items[i];
        const char *mark = marks[tok->kind];

        for (const char *c = mark; *c != '\0'; c++)
            if (*c == '%') {
                sg_buf_put(&one, tok->text);
                c += 3;
            } else {
                sg_buf_putc(&one, *c);
            }
        sg_buf_put(&out, sg_buf_str(&one));
        sg_buf_free(&one);
    }
    text = sg_arena_dup(&session.arena,
                        out.len == 0 ? SG_S("") : sg_buf_str(&out));
    sg_buf_free(&out);
    return text;
}

static void test_parse(void)
{
    static const struct {
        const char *in, *want;
        bool placeholders;
    } rows[] = {
        {"", "", false},
        {"abc", "[abc]", false},
        {"*", "*", false},
        {"a*b?c", "[a]*[b]?[c]", false},
        {"a**b", "[a]**[b]", false},
        /* section 2: one to five backslashes before a star, and alone */
        {"\\*", "[*]", false},
        {"\\?", "[?]", false},
        {"\\\\*", "[\\]*", false},
        {"\\\\\\*", "[\\*]", false},
        {"\\", "[\\]", false},
        {"\\\\", "[\\]", false},
        {"\\\\\\", "[\\\\]", false},
        {"\\\\\\\\", "[\\\\]", false},
        {"\\\\\\\\\\", "[\\\\\\]", false},
        {"C:\\*\\x", "[C:*\\x]", false},
        {"\\d\\w\\n", "[\\d\\w\\n]", false},
        {"C:\\Temp\\", "[C:\\Temp\\]", false},
        {"p\\\\\\\\q", "[p\\\\q]", false},
        /* placeholders only where they are asked for */
        {"%x%", "[%x%]", false},
        {"\\%x%", "[\\%x%]", false},
        {"%x%", "<x>", true},
        {"/home/%a-b_9%/x", "[/home/]<a-b_9>[/x]", true},
        {"%a%@%b%", "<a>[@]<b>", true},
        {"C:\\%x%\\y", "[C:%x%\\y]", true},
        {"C:\\\\%x%", "[C:\\]<x>", true},
        {"\\%keep%one%", "[%keep]<one>", true},
        {"50% of 100%", "[50% of 100%]", true},
        {"%%", "[%%]", true},
        {"%a", "[%a]", true},
        {"%a*%", "[%a]*[%]", true},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        sc_pattern p;

        sc_pattern_parse(&session, sg_str_of(rows[i].in), rows[i].placeholders,
                         &p);
        CHECK_STR(show(&p), sg_str_of(rows[i].want));
    }
}

static void test_print(void)
{
    static const struct {
        const char *in, *want; /* NULL: the same */
        bool placeholders;
    } rows[] = {
        {"", NULL, false},
        {"a*b?c", NULL, false},
        {"\\*\\?", NULL, false},
        {"C:\\Windows\\x", NULL, false},
        {"\\\\*", NULL, false},
        {"a\\\\", "a\\", false},
        {"\\\\\\\\x", "\\\\\\x", false},
        {"100%", NULL, false},
        {"C:\\\\%x%\\%", NULL, true},
        {"a\\%b%x%", NULL, true},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        sc_pattern p, again;
        sg_str text;

        sc_pattern_parse(&session, sg_str_of(rows[i].in), rows[i].placeholders,
                         &p);
        text = sc_pattern_print(&session.arena, &p);
        CHECK_STR(text,
                  sg_str_of(rows[i].want == NULL ? rows[i].in : rows[i].want));
        sc_pattern_parse(&session, text, sc_pattern_has_placeholder(&p),
                         &again);
        CHECK_STR(show(&again), show(&p));
    }
}

static void test_expand(void)
{
    static const struct {
        const char *in, *want;
        bool re;
    } rows[] = {
        {"a%x%b", "[a]<x>[b]", false},
        {"\\%x%", "[%x%]", false},
        {"\\\\%x%", "[\\%x%]", false}, /* only \% is an escape */
        {"\\\\%x%", "[\\\\]<x>", true},
        {"\\d+%x%\\.\\%", "[\\d+]<x>[\\.%]", true},
        {"*%x%", "[*]<x>", true},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        sc_pattern p = {0};

        sc_pattern_expand(&session, sg_str_of(rows[i].in), rows[i].re, &p);
        CHECK_STR(show(&p), sg_str_of(rows[i].want));
    }
}

static void test_add(void)
{
    sc_pattern p = sc_pattern_text(&session, SG_S("ab"));
    sc_pattern empty = sc_pattern_text(&session, SG_S(""));

    sc_pattern_add(&session, &p, (sc_tok){SC_TOK_TEXT, SG_S("cd")});
    sc_pattern_add(&session, &p, (sc_tok){SC_TOK_TEXT, SG_S("")});
    sc_pattern_add(&session, &p, (sc_tok){SC_TOK_STAR, SG_S("")});
    sc_pattern_add(&session, &p, (sc_tok){SC_TOK_TEXT, SG_S("e")});
    CHECK_STR(show(&p), SG_S("[abcd]*[e]"));
    CHECK_INT(empty.toks.count, 0);
    CHECK(sc_pattern_has_wildcard(&p));
    CHECK(!sc_pattern_has_wildcard(&empty));
    CHECK(!sc_pattern_has_placeholder(&p));
}

static void test_literals(void)
{
    static const struct {
        const char *in, *canonical;
        bool ok;
    } rows[] = {
        {"10.0.0.0/8", "10.0.0.0/8", true},
        {"10.1.2.3", "10.1.2.3/32", true},
        {"0.0.0.0/0", "0.0.0.0/0", true},
        {"2001:DB8:0:0::/32", "2001:db8::/32", true},
        {"::1", "::1/128", true},
        {"10.1.2.3/8", "10.0.0.0/8", false},
        {"10.255.2.3/12", "10.240.0.0/12", false},
        {"2001:db8:ffff::1/40", "2001:db8:ff00::/40", false},
        {"10.0.0.0/33", "", false},
        {"10.0.0", "", false},
        {"", "", false},
        {"10.*", "", false},
    };
    char reason[128];
    size_t offset;

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        sg_str canonical = SG_S("?");
        const char *why = "";

        CHECK_INT(sc_cidr_check(&session.arena, sg_str_of(rows[i].in),
                                &canonical, &why),
                  rows[i].ok);
        CHECK_STR(canonical, sg_str_of(rows[i].canonical));
        CHECK_INT(*why == '\0', rows[i].ok);
    }
    CHECK(sc_regex_check(SG_S("a+(b|c)$"), SIGMA_F_RE_I, reason, &offset));
    CHECK(!sc_regex_check(SG_S("ab(c"), 0, reason, &offset));
    CHECK_INT(offset, 4);
}

int main(void)
{
    sc_session_init(&session);
    test_parse();
    test_print();
    test_expand();
    test_add();
    test_literals();
    sc_session_free(&session);
    return TEST_END();
}
