/*
 * options.c - the command line, read from the tables in commands.def and
 * options.def; help comes from the same rows. Wrong usage is explained and
 * never guessed at.
 */
#include "driver/tables.h"

#include <string.h>

enum { BUILD = 1 << SC_CMD_build, CHECK = 1 << SC_CMD_check };
enum { EVAL = 1 << SC_CMD_eval, TEST = 1 << SC_CMD_test };
enum { EXPLAIN = 1 << SC_CMD_explain, LISTS = 1 << SC_CMD_list };
enum { INSPECT = 1 << SC_CMD_inspect, KEYGEN = 1 << SC_CMD_keygen };
enum { SIGN = 1 << SC_CMD_sign, VERIFY = 1 << SC_CMD_verify };
enum { CI = 1 << SC_CMD_ci };

const sc_command_info sc_commands[SC_CMD_COUNT] = {
#define COMMAND(name, usage, summary, doc, example)                            \
    [SC_CMD_##name] = {SG_LIT(#name), usage, summary, doc, example},
#include "driver/commands.def"
#undef COMMAND
};

const sc_option_info sc_option_rows[] = {
#define OPT(commands, name, letter, kind, field, metavar, help)                \
    {commands,        SG_LIT(name), letter, kind, offsetof(sc_options, field), \
     SG_LIT(metavar), help},
#include "driver/options.def"
#undef OPT
};

enum { OPTION_COUNT = sizeof(sc_option_rows) / sizeof(sc_option_rows[0]) };

const size_t sc_option_count = OPTION_COUNT;

bool sc_next_choice(sg_str metavar, size_t *at, sg_str *choice)
{
    if (*at >= metavar.len || sg_str_find(metavar, SG_S("|")) == SIZE_MAX)
        return false;
    const sg_str rest = sg_str_sub(metavar, *at, metavar.len);

    *choice = sg_str_sub(rest, 0, sg_str_find(rest, SG_S("|")));
    *at += choice->len + 1;
    return true;
}

/* -------- help ----------------------------------------------------------- */

static void help_all(sg_buf *out)
{
    sg_buf_putz(out, "Compiles Sigma detection rules to native detectors.\n\n"
                     "Usage:\n");
    for (int i = 0; i < SC_CMD_COUNT; i++)
        sg_buf_printf(out, "  sigcc %.*s %s\n", SG_FMT(sc_commands[i].name),
                      sc_commands[i].usage);
    sg_buf_putz(out, "  sigcc --explain CODE\n"
                     "  sigcc --version | --help\n\nCommands:\n");
    for (int i = 0; i < SC_CMD_COUNT; i++)
        sg_buf_printf(out, "  %-9.*s %s\n", SG_FMT(sc_commands[i].name),
                      sc_commands[i].summary);
    sg_buf_putz(
        out, "\nExit codes: 0 done; 1 a rule was rejected; 2 wrong usage; "
             "3 toolchain, I/O or\ninternal failure.\n\n"
             "Try 'sigcc COMMAND --help'. A first detector:\n"
             "  sigcc build rule.yml -o detector && ./detector events.json\n");
}

/* "  -o, --output OUT", padded to a column. */
static void help_option(sg_buf *out, const sc_option_info *o)
{
    const size_t start = out->len;
    size_t width;

    if (o->letter != 0 && o->name.len > 0)
        sg_buf_printf(out, "  -%c, --%.*s", o->letter, SG_FMT(o->name));
    else if (o->letter != 0)
        sg_buf_printf(out, "  -%c", o->letter);
    else
        sg_buf_printf(out, "      --%.*s", SG_FMT(o->name));
    if (o->kind == CHOICE)
        sg_buf_printf(out, "[=%.*s]", SG_FMT(o->metavar));
    else if (o->kind != FLAG && o->name.len > 0)
        sg_buf_putc(out, strchr(o->metavar.ptr, '|') != NULL ? '=' : ' ');
    if (o->kind != CHOICE)
        sg_buf_put(out, o->metavar);
    width = out->len - start;
    if (width >= 28)
        sg_buf_printf(out, "\n%*s", 28, "");
    else
        sg_buf_printf(out, "%*s", (int)(28 - width), "");
    sg_buf_printf(out, "%s\n", o->help);
}

void sc_options_help(sg_buf *out, sc_command command)
{
    const sc_command_info *c;

    if (command == SC_CMD_COUNT) {
        help_all(out);
        return;
    }
    c = &sc_commands[command];
    sg_buf_printf(out, "Usage: sigcc %.*s %s\n\n%s\n\nOptions:\n",
                  SG_FMT(c->name), c->usage, c->doc);
    for (size_t i = 0; i < OPTION_COUNT; i++)
        if ((sc_option_rows[i].commands & (1u << command)) != 0)
            help_option(out, &sc_option_rows[i]);
    sg_buf_putz(out, "  -h, --help                this text\n\nExample:\n");
    for (const char *line = c->example; *line != '\0';) {
        const size_t n = strcspn(line, "\n");
        sg_buf_printf(out, "  %.*s\n", (int)n, line);
        line += n + (line[n] == '\n');
    }
}

/* -------- values --------------------------------------------------------- */

/* State of one parse. */
typedef struct parser {
    sg_arena *arena;
    int argc, at;
    char **argv;
    sc_options *out;
    sg_buf *text;
} parser;

SC_PRINTF(3, 4)
static sc_parsed wrong(parser *p, sg_str what, const char *fmt, ...)
{
    va_list ap;

    sg_buf_putz(p->text, "sigcc: ");
    va_start(ap, fmt);
    sg_buf_vprintf(p->text, fmt, ap);
    va_end(ap);
    if (what.ptr != NULL) {
        sg_buf_putz(p->text, " '");
        sc_put_safe(p->text, what);
        sg_buf_putc(p->text, '\'');
    }
    return SC_PARSED_WRONG;
}

static sc_parsed hint_help(parser *p)
{
    if (p->out->command == SC_CMD_COUNT)
        sg_buf_putz(p->text, "\nTry 'sigcc --help'.\n");
    else
        sg_buf_printf(p->text, "\nTry 'sigcc %.*s --help'.\n",
                      SG_FMT(sc_commands[p->out->command].name));
    return SC_PARSED_WRONG;
}

static void suggest(parser *p, sg_str word, const sg_str *names, size_t count,
                    const char *dashes)
{
    const sg_str near = sc_nearest(word, names, count);

    if (near.len > 0)
        sg_buf_printf(p->text, "; did you mean '%s%.*s'?", dashes,
                      SG_FMT(near));
}

/* Whether value is one of "a|b|c". Anything is when there is no choice. */
static bool is_choice(sg_str choices, sg_str value)
{
    sg_str choice;
    size_t at = 0;

    if (sg_str_find(choices, SG_S("|")) == SIZE_MAX)
        return true;
    while (sc_next_choice(choices, &at, &choice))
        if (sg_str_eq(choice, value))
            return true;
    return false;
}

static bool read_number(sg_str value, uint32_t *out)
{
    uint32_t n = 0;

    if (value.len == 0 || value.len > 6)
        return false;
    for (size_t i = 0; i < value.len; i++) {
        if (value.ptr[i] < '0' || value.ptr[i] > '9')
            return false;
        n = n * 10 + (uint32_t)(value.ptr[i] - '0');
    }
    *out = n;
    return n > 0;
}

static sc_parsed set_value(parser *p, const sc_option_info *o, sg_str value)
{
    char *field = (char *)p->out + o->offset;
    sc_strs *list;

    switch (o->kind) {
    case FLAG:
        break;
    case CHOICE:
    case TEXT:
        if (value.len == 0 || !is_choice(o->metavar, value)) {
            wrong(
                p, value, "-%s%.*s takes %.*s, not", o->name.len > 0 ? "-" : "",
                o->name.len > 0 ? (int)o->name.len : 1,
                o->name.len > 0 ? o->name.ptr : &o->letter, SG_FMT(o->metavar));
            return hint_help(p);
        }
        *(sg_str *)(void *)field = value;
        break;
    case LIST:
        list = (sc_strs *)(void *)field;
        SG_PUSH(p->arena, list, value);
        break;
    case NUMBER:
        if (!read_number(value, (uint32_t *)(void *)field)) {
            wrong(p, value, "--%.*s takes a number from 1 to 999999, not",
                  SG_FMT(o->name));
            return hint_help(p);
        }
        break;
    }
    return SC_PARSED;
}

/* Apply option o; `value` is what stands behind '=' or the letter, or has a
 * NULL pointer. */
static sc_parsed apply(parser *p, const sc_option_info *o, sg_str name,
                       sg_str value)
{
    if (o->kind == FLAG) {
        if (value.ptr != NULL) {
            wrong(p, name, "no value is taken by");
            return hint_help(p);
        }
        *(bool *)(void *)((char *)p->out + o->offset) = true;
        return SC_PARSED;
    }
    if (o->kind == CHOICE && value.ptr == NULL)
        value = sg_str_sub(o->metavar, 0, sg_str_find(o->metavar, SG_S("|")));
    if (value.ptr == NULL) {
        if (p->at >= p->argc) {
            wrong(p, name, "a value (%.*s) is missing behind",
                  SG_FMT(o->metavar));
            return hint_help(p);
        }
        value = sg_str_of(p->argv[p->at++]);
    }
    return set_value(p, o, value);
}

/* -------- arguments ------------------------------------------------------ */

static sc_parsed unknown(parser *p, sg_str arg, sg_str name)
{
    sg_str names[OPTION_COUNT + 1];
    size_t count = 0;

    for (size_t i = 0; i < OPTION_COUNT; i++)
        if ((sc_option_rows[i].commands & (1u << p->out->command)) != 0 &&
            sc_option_rows[i].name.len > 0)
            names[count++] = sc_option_rows[i].name;
    names[count++] = SG_S("help");
    wrong(p, arg, "unknown option");
    suggest(p, name, names, count, "--");
    return hint_help(p);
}

static const sc_option_info *find_option(sc_command command, sg_str name,
                                         char letter)
{
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        const sc_option_info *o = &sc_option_rows[i];
        if ((o->commands & (1u << command)) == 0)
            continue;
        if (letter != 0 ? o->letter == letter
                        : o->name.len > 0 && sg_str_eq(o->name, name))
            return o;
    }
    return NULL;
}

static sc_parsed parse_long(parser *p, sg_str arg)
{
    const size_t eq = sg_str_find(arg, SG_S("="));
    const sg_str name = sg_str_sub(arg, 2, eq == SIZE_MAX ? arg.len : eq);
    const sc_option_info *o = find_option(p->out->command, name, 0);
    sg_str value = {NULL, 0};

    if (o == NULL)
        return unknown(p, arg, name);
    if (eq != SIZE_MAX)
        value = sg_str_sub(arg, eq + 1, arg.len);
    return apply(p, o, arg, value);
}

static sc_parsed parse_short(parser *p, sg_str arg)
{
    for (size_t i = 1; i < arg.len; i++) {
        const sc_option_info *o =
            find_option(p->out->command, (sg_str){NULL, 0}, arg.ptr[i]);
        sg_str value = {NULL, 0};
        sc_parsed done;
        if (o == NULL)
            return unknown(p, arg, sg_str_sub(arg, 1, arg.len));
        if (o->kind != FLAG && i + 1 < arg.len)
            value = sg_str_sub(arg, i + 1, arg.len);
        done = apply(p, o, arg, value);
        if (done != SC_PARSED || o->kind != FLAG)
            return done;
    }
    return SC_PARSED;
}

/* A paragraph in lines of at most 78 characters. */
static void put_wrapped(sg_buf *out, const char *text)
{
    size_t column = 0;

    while (*text != '\0') {
        const size_t n = strcspn(text, " ");
        if (column > 0 && column + 1 + n > 78) {
            sg_buf_putc(out, '\n');
            column = 0;
        } else if (column > 0) {
            sg_buf_putc(out, ' ');
            column++;
        }
        sg_buf_put(out, (sg_str){text, n});
        column += n;
        text += n + strspn(text + n, " ");
    }
    sg_buf_putc(out, '\n');
}

static sc_parsed explain(parser *p)
{
    sg_str code = {NULL, 0};
    sc_code found;

    if (p->at < p->argc)
        code = sg_str_of(p->argv[p->at++]);
    if (code.ptr == NULL) {
        wrong(p, code, "--explain takes a code, as in: sigcc --explain E0102");
        return hint_help(p);
    }
    if (!sc_code_find(code, &found)) {
        wrong(p, code, "unknown code");
        sg_buf_putz(p->text, "\nSee 'sigcc list diagnostics'.\n");
        return SC_PARSED_WRONG;
    }
    sg_buf_printf(p->text, "%s: %s\n\n", sc_code_name(found),
                  sc_code_slug(found));
    put_wrapped(p->text, sc_code_doc(found));
    return SC_PARSED_SHOW;
}

static bool find_command(sg_str name, sc_command *out)
{
    for (int i = 0; i < SC_CMD_COUNT; i++) {
        if (sg_str_eq(name, sc_commands[i].name)) {
            *out = (sc_command)i;
            return true;
        }
    }
    return false;
}

/* The first argument: a command, or one of the few global options. */
static sc_parsed parse_command(parser *p)
{
    sg_str arg, names[SC_CMD_COUNT];

    if (p->at >= p->argc) {
        sc_options_help(p->text, SC_CMD_COUNT);
        return SC_PARSED_WRONG;
    }
    arg = sg_str_of(p->argv[p->at++]);
    if (sg_str_eq(arg, SG_S("--help")) || sg_str_eq(arg, SG_S("-h")) ||
        sg_str_eq(arg, SG_S("help"))) {
        if (p->at < p->argc &&
            find_command(sg_str_of(p->argv[p->at]), &p->out->command))
            p->at++;
        sc_options_help(p->text, p->out->command);
        return SC_PARSED_SHOW;
    }
    if (sg_str_eq(arg, SG_S("--version"))) {
        sg_buf_putz(p->text, "sigcc " SC_VERSION "\n");
        return SC_PARSED_SHOW;
    }
    if (sg_str_eq(arg, SG_S("--explain")))
        return explain(p);
    if (find_command(arg, &p->out->command))
        return SC_PARSED;
    for (int i = 0; i < SC_CMD_COUNT; i++)
        names[i] = sc_commands[i].name;
    wrong(p, arg,
          arg.len > 0 && arg.ptr[0] == '-' ? "unknown option"
                                           : "unknown command");
    suggest(p, arg, names, SC_CMD_COUNT, "");
    return hint_help(p);
}

/* Arguments behind the command. */
static sc_parsed parse_rest(parser *p)
{
    bool literal = false;
    sc_parsed done = SC_PARSED;

    while (p->at < p->argc && done == SC_PARSED) {
        const sg_str arg = sg_str_of(p->argv[p->at++]);
        if (literal || arg.len < 2 || arg.ptr[0] != '-') {
            SG_PUSH(p->arena, &p->out->paths, arg);
        } else if (sg_str_eq(arg, SG_S("--"))) {
            literal = true;
        } else if (sg_str_eq(arg, SG_S("--help")) ||
                   sg_str_eq(arg, SG_S("-h"))) {
            sc_options_help(p->text, p->out->command);
            done = SC_PARSED_SHOW;
        } else if (arg.ptr[1] == '-') {
            done = parse_long(p, arg);
        } else {
            done = parse_short(p, arg);
        }
    }
    return done;
}

sc_parsed sc_options_parse(sg_arena *arena, int argc, char **argv,
                           sc_options *out, sg_buf *text)
{
    parser p = {arena, argc, 1, argv, out, text};
    sc_parsed done;

    *out = (sc_options){.command = SC_CMD_COUNT};
    done = parse_command(&p);
    if (done == SC_PARSED)
        done = parse_rest(&p);
    if (done == SC_PARSED && out->paths.count == 0 &&
        sc_commands[out->command].usage[0] != '\0') {
        wrong(&p, (sg_str){NULL, 0}, "%.*s needs an argument",
              SG_FMT(sc_commands[out->command].name));
        return hint_help(&p);
    }
    return done;
}
