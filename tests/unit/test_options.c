/*
 * test_options.c - the command line: what it means, what is refused and how.
 */
#include "driver/driver.h"

#include "support/test.h"

enum { MAX_ARGS = 12 };

/* Parse a command line given as words separated by blanks; `~` stands for an
 * empty word. */
static sc_parsed parse(sg_arena *arena, const char *line, sc_options *o,
                       sg_buf *text)
{
    char *argv[MAX_ARGS + 2];
    char *words = sg_new_n(arena, char, strlen(line) + 1);
    int argc = 0;

    memcpy(words, line, strlen(line) + 1);
    argv[argc++] = words; /* the program's name is skipped */
    for (char *word = strtok(words, " "); word != NULL && argc <= MAX_ARGS;
         word = strtok(NULL, " ")) {
        if (strcmp(word, "~") == 0)
            *word = '\0';
        argv[argc++] = word;
    }
    argv[argc] = NULL;
    text->len = 0;
    return sc_options_parse(arena, argc, argv, o, text);
}

static void test_build(sg_arena *arena)
{
    sc_options o;
    sg_buf text = {0};

    CHECK_INT(parse(arena,
                    "build rules -o out --pack -p a.yml --pipeline=b x.yml", &o,
                    &text),
              SC_PARSED);
    CHECK_INT(o.command, SC_CMD_build);
    CHECK_INT(o.paths.count, 2);
    CHECK_STR(o.paths.items[1], SG_S("x.yml"));
    CHECK_STR(o.output, SG_S("out"));
    CHECK_INT(o.pipelines.count, 2);
    CHECK_STR(o.pipelines.items[1], SG_S("b"));
    CHECK(o.pack && !o.keep_going && !o.static_link);

    CHECK_INT(
        parse(arena, "build -kj4 -O1 -fno-share -oout -- -x --pack", &o, &text),
        SC_PARSED);
    CHECK(o.keep_going && !o.pack);
    CHECK_INT(o.jobs, 4);
    CHECK_STR(o.optimise, SG_S("1"));
    CHECK_STR(o.output, SG_S("out"));
    CHECK_INT(o.passes.count, 1);
    CHECK_STR(o.passes.items[0], SG_S("no-share"));
    CHECK_INT(o.paths.count, 2);
    CHECK_STR(o.paths.items[0], SG_S("-x"));

    CHECK_INT(parse(arena, "check - --format json --dump=opt", &o, &text),
              SC_PARSED);
    CHECK_STR(o.paths.items[0], SG_S("-"));
    CHECK_STR(o.check_format, SG_S("json"));
    CHECK_STR(o.dump, SG_S("opt"));
    sg_buf_free(&text);
}

static void test_wrong(sg_arena *arena)
{
    static const struct {
        const char *line, *says;
    } rows[] = {
        {"", "Usage:"},
        {"buil x", "did you mean 'build'"},
        {"\x1b[31m x", "unknown command '\\x1b[31m'"},
        {"--wrong", "unknown option '--wrong'"},
        {"build", "build needs an argument"},
        {"build x --keep-goin", "did you mean '--keep-going'"},
        {"build x --events f", "unknown option '--events'"},
        {"build x -o", "a value (OUT) is missing behind '-o'"},
        {"build x -o ~", "--output takes OUT, not ''"},
        {"build x --pack=yes", "no value is taken by '--pack=yes'"},
        {"build x --emit exe", "--emit takes bin|c|so, not 'exe'"},
        {"build x --emit bi", "--emit takes bin|c|so, not 'bi'"},
        {"build x --emit bin|c", "not 'bin|c'"},
        {"build x -O9", "-O takes 0|1|2|3|s, not '9'"},
        {"build x -j 0", "--jobs takes a number"},
        {"build x -j 1x", "--jobs takes a number"},
        {"build x -j 9999999999999", "--jobs takes a number"},
        {"build x -z", "unknown option '-z'"},
        {"--explain", "--explain takes a code"},
        {"--explain E9999", "unknown code 'E9999'"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        sc_options o;
        sg_buf text = {0};
        CHECK_INT(parse(arena, rows[i].line, &o, &text), SC_PARSED_WRONG);
        if (sg_str_find(sg_buf_str(&text), sg_str_of(rows[i].says)) == SIZE_MAX)
            CHECK_STR(sg_buf_str(&text), sg_str_of(rows[i].says));
        sg_buf_free(&text);
    }
}

static void test_show(sg_arena *arena)
{
    static const struct {
        const char *line, *says;
    } rows[] = {
        {"--help", "Exit codes:"},          {"-h", "sigcc build PATH..."},
        {"help list", "Usage: sigcc list"}, {"build --help", "--keep-going"},
        {"eval x -h", "--events FILE"},     {"--version", "sigcc " SC_VERSION},
        {"--explain E0102", "yaml-syntax"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        sc_options o;
        sg_buf text = {0};
        CHECK_INT(parse(arena, rows[i].line, &o, &text), SC_PARSED_SHOW);
        CHECK(sg_str_find(sg_buf_str(&text), sg_str_of(rows[i].says)) !=
              SIZE_MAX);
        sg_buf_free(&text);
    }
}

/* Help stays within 80 columns and speaks of each option of the command. */
static void test_help(void)
{
    for (int c = 0; c <= SC_CMD_COUNT; c++) {
        sg_buf text = {0};
        size_t column = 0, widest = 0;
        sc_options_help(&text, (sc_command)c);
        for (size_t i = 0; i < text.len; i++) {
            column = text.ptr[i] == '\n' ? 0 : column + 1;
            widest = column > widest ? column : widest;
        }
        CHECK(widest <= 80);
        CHECK(text.len > 0 && text.ptr[text.len - 1] == '\n');
        sg_buf_free(&text);
    }
}

static void test_stems(sg_arena *arena)
{
    static const struct {
        const char *path, *want;
    } rows[] = {
        {"rules/t1071.yml", "t1071"},
        {"x.yaml", "x"},
        {"a/b/", "b"},
        {"../..", "_."},
        {"x/.hidden.yml", "_hidden"},
        {"-rf.yml", "_rf"},
        {"a b\n;$(c).yml", "a_b____c_"},
        {"", "detector"},
        {"/", "detector"},
        {".yml", "detector"},
        {"\xc3\xa9.yml", "__"},
    };
    char lengthy[5000];

    memset(lengthy, 'n', sizeof(lengthy));
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        CHECK_STR(sc_path_stem(arena, sg_str_of(rows[i].path)),
                  sg_str_of(rows[i].want));
    CHECK_INT(sc_path_stem(arena, (sg_str){lengthy, sizeof(lengthy)}).len, 100);
    CHECK_STR(sc_path_safe(arena, SG_S("-x")), SG_S("./-x"));
    CHECK_STR(sc_path_safe(arena, SG_S("x")), SG_S("x"));
    CHECK_STR(sc_path_folder(arena, SG_S("x")), SG_S("."));
    CHECK_STR(sc_path_folder(arena, SG_S("/x")), SG_S("/"));
    CHECK_STR(sc_path_folder(arena, SG_S("a//x")), SG_S("a"));
}

int main(void)
{
    sg_arena arena = {0};

    test_build(&arena);
    test_wrong(&arena);
    test_show(&arena);
    test_help();
    test_stems(&arena);
    sg_arena_free(&arena);
    return TEST_END();
}
