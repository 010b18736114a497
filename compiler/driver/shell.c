/*
 * shell.c - `sigcc completion` and `sigcc man`: the tables of commands and
 * options as shells and man want them.
 */
#include "driver/tables.h"

#include <string.h>

static bool takes(sc_command command, const sc_option_info *o)
{
    return (o->commands & 1U << command) != 0;
}

static bool print_all(sg_buf *out)
{
    const bool done = fwrite(out->ptr, 1, out->len, stdout) == out->len &&
                      fflush(stdout) == 0;

    sg_buf_free(out);
    return done;
}

/* -------- bash ----------------------------------------------------------- */

/* --name, or --name=choice for each choice. */
static void put_words(sg_buf *out, const sc_option_info *o)
{
    sg_str choice;
    size_t at = 0;

    if (o->name.len == 0)
        return;
    if (o->kind == CHOICE || !sc_next_choice(o->metavar, &(size_t){0}, &choice))
        sg_buf_printf(out, " --%.*s", SG_FMT(o->name));
    while (sc_next_choice(o->metavar, &at, &choice))
        sg_buf_printf(out, " --%.*s=%.*s", SG_FMT(o->name), SG_FMT(choice));
}

static void put_bash(sg_buf *out)
{
    sg_buf_putz(out, "# bash completion of sigcc\n"
                     "_sigcc()\n"
                     "{\n"
                     "    local cur words\n"
                     "    _get_comp_words_by_ref -n = cur 2>/dev/null ||\n"
                     "        cur=${COMP_WORDS[COMP_CWORD]}\n"
                     "    if [ \"$COMP_CWORD\" = 1 ]; then\n"
                     "        words=\"--help --version --explain");
    for (unsigned i = 0; i < SC_CMD_COUNT; i++)
        sg_buf_printf(out, " %.*s", SG_FMT(sc_commands[i].name));
    sg_buf_putz(out, "\"\n    else\n        case ${COMP_WORDS[1]} in\n");
    for (unsigned i = 0; i < SC_CMD_COUNT; i++) {
        sg_buf_printf(out, "        %.*s) words=\"--help",
                      SG_FMT(sc_commands[i].name));
        for (size_t k = 0; k < sc_option_count; k++)
            if (takes((sc_command)i, &sc_option_rows[k]))
                put_words(out, &sc_option_rows[k]);
        sg_buf_putz(out, "\" ;;\n");
    }
    sg_buf_putz(
        out, "        esac\n"
             "    fi\n"
             "    COMPREPLY=()\n"
             "    if [ \"$COMP_CWORD\" = 1 ] || [ \"${cur:0:1}\" = - ]; then\n"
             "        COMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n"
             "        if [[ $cur == *=* ]]; then\n"
             "            COMPREPLY=(\"${COMPREPLY[@]#*=}\")\n"
             "        fi\n"
             "    fi\n"
             "}\n"
             "complete -o default -F _sigcc sigcc\n");
}

/* -------- zsh ------------------------------------------------------------ */

/* Inside '...' of a shell, where brackets and colons mean something to zsh. */
static void put_help(sg_buf *out, const char *help, const char *special)
{
    for (; *help != '\0'; help++) {
        if (*help == '\'')
            sg_buf_putz(out, "'\\''");
        else if (strchr(special, *help) != NULL)
            sg_buf_printf(out, "\\%c", *help);
        else
            sg_buf_put(out, (sg_str){*help == '\n' ? " " : help, 1});
    }
}

static void put_zsh_option(sg_buf *out, const sc_option_info *o)
{
    const bool choice = sg_str_find(o->metavar, SG_S("|")) != SIZE_MAX;
    sg_str one;
    size_t at = 0;

    if (o->name.len == 0)
        return;
    sg_buf_printf(out, " \\\n            '%s--%.*s%s[",
                  o->kind == LIST ? "*" : "", SG_FMT(o->name),
                  o->kind == FLAG     ? ""
                  : o->kind == CHOICE ? "=-"
                                      : "=");
    put_help(out, o->help, "[]\\:");
    sg_buf_putc(out, ']');
    if (o->kind != FLAG) {
        sg_buf_printf(out, "%s:%.*s:", o->kind == CHOICE ? ":" : "",
                      choice ? 5 : (int)o->metavar.len,
                      choice ? "value" : o->metavar.ptr);
        sg_buf_putc(out, choice ? '(' : '_');
        if (!choice)
            sg_buf_putz(out, "files");
        for (bool first = true; sc_next_choice(o->metavar, &at, &one);
             first = false)
            sg_buf_printf(out, "%s%.*s", first ? "" : " ", SG_FMT(one));
        if (choice)
            sg_buf_putc(out, ')');
    }
    sg_buf_putc(out, '\'');
}

static void put_zsh(sg_buf *out)
{
    sg_buf_putz(out, "#compdef sigcc\n"
                     "_sigcc()\n"
                     "{\n"
                     "    local -a commands=(\n");
    for (unsigned i = 0; i < SC_CMD_COUNT; i++) {
        sg_buf_printf(out, "        '%.*s:", SG_FMT(sc_commands[i].name));
        put_help(out, sc_commands[i].summary, "\\:");
        sg_buf_putz(out, "'\n");
    }
    sg_buf_putz(out, "    )\n"
                     "    if (( CURRENT == 2 )); then\n"
                     "        _describe command commands\n"
                     "        return\n"
                     "    fi\n"
                     "    local command=$words[2]\n"
                     "    shift words\n"
                     "    (( CURRENT-- ))\n"
                     "    case $command in\n");
    for (unsigned i = 0; i < SC_CMD_COUNT; i++) {
        sg_buf_printf(out, "    %.*s)\n        _arguments '--help[this text]'",
                      SG_FMT(sc_commands[i].name));
        for (size_t k = 0; k < sc_option_count; k++)
            if (takes((sc_command)i, &sc_option_rows[k]))
                put_zsh_option(out, &sc_option_rows[k]);
        sg_buf_putz(out, " '*:file:_files' ;;\n");
    }
    sg_buf_putz(out, "    esac\n}\n_sigcc \"$@\"\n");
}

/* -------- fish ----------------------------------------------------------- */

/* Inside '...' of fish. */
static void put_fish_text(sg_buf *out, const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text == '\'' || *text == '\\')
            sg_buf_putc(out, '\\');
        sg_buf_put(out, (sg_str){*text == '\n' ? " " : text, 1});
    }
}

static void put_fish_option(sg_buf *out, const sc_option_info *o,
                            sg_str command)
{
    sg_str choice;
    size_t at = 0;

    sg_buf_printf(out,
                  "complete -c sigcc -n '__fish_seen_subcommand_from %.*s'",
                  SG_FMT(command));
    if (o->name.len != 0)
        sg_buf_printf(out, " -l %.*s", SG_FMT(o->name));
    if (o->letter != 0)
        sg_buf_printf(out, " -s %c", o->letter);
    if (o->kind != FLAG && o->kind != CHOICE)
        sg_buf_putz(out, " -r");
    for (bool first = true; sc_next_choice(o->metavar, &at, &choice);
         first = false)
        sg_buf_printf(out, "%s%.*s", first ? " -a '" : " ", SG_FMT(choice));
    sg_buf_putz(out, at != 0 ? "' -d '" : " -d '");
    put_fish_text(out, o->help);
    sg_buf_putz(out, "'\n");
}

static void put_fish(sg_buf *out)
{
    sg_buf_putz(out, "# fish completion of sigcc\n");
    for (unsigned i = 0; i < SC_CMD_COUNT; i++) {
        sg_buf_printf(
            out, "complete -c sigcc -n __fish_use_subcommand -f -a %.*s -d '",
            SG_FMT(sc_commands[i].name));
        put_fish_text(out, sc_commands[i].summary);
        sg_buf_putz(out, "'\n");
        for (size_t k = 0; k < sc_option_count; k++)
            if (takes((sc_command)i, &sc_option_rows[k]))
                put_fish_option(out, &sc_option_rows[k], sc_commands[i].name);
    }
}

int sc_cmd_completion(sc_session *s, const sc_options *o)
{
    static const struct {
        const char *name;
        void (*put)(sg_buf *out);
    } shells[] = {{"bash", put_bash}, {"zsh", put_zsh}, {"fish", put_fish}};
    sg_buf out = {0};

    (void)s;
    for (size_t i = 0; i < sizeof(shells) / sizeof(shells[0]); i++)
        if (o->paths.count == 1 &&
            sg_str_eq(o->paths.items[0], sg_str_of(shells[i].name))) {
            shells[i].put(&out);
            return print_all(&out) ? SC_EXIT_OK : SC_EXIT_FAILED;
        }
    return sc_fail(SC_EXIT_USAGE, "completion is for bash, zsh or fish");
}

/* -------- man ------------------------------------------------------------ */

/* Text as roff: no line is a request, a hyphen stays one. */
static void put_roff(sg_buf *out, sg_str text)
{
    bool start = true;

    for (size_t i = 0; i < text.len; i++) {
        const char c = text.ptr[i];

        if (start && (c == '.' || c == '\''))
            sg_buf_putz(out, "\\&");
        if (c == '\\')
            sg_buf_putz(out, "\\e");
        else if (c == '-')
            sg_buf_putz(out, "\\-");
        else
            sg_buf_putc(out, c);
        start = c == '\n';
    }
}

static void put_man_option(sg_buf *out, const sc_option_info *o)
{
    sg_buf_putz(out, ".TP\n.B ");
    if (o->letter != 0)
        sg_buf_printf(out, "\\-%c%s", o->letter, o->name.len != 0 ? ", " : "");
    if (o->name.len != 0) {
        sg_buf_putz(out, "\\-\\-");
        put_roff(out, o->name);
    }
    if (o->kind != FLAG) {
        sg_buf_putz(out, o->kind == CHOICE  ? "[="
                         : o->name.len != 0 ? " "
                                            : "");
        put_roff(out, o->metavar);
        sg_buf_putz(out, o->kind == CHOICE ? "]" : "");
    }
    sg_buf_putc(out, '\n');
    put_roff(out, sg_str_of(o->help));
    sg_buf_putc(out, '\n');
}

static void put_man_command(sg_buf *out, unsigned i)
{
    const sc_command_info *c = &sc_commands[i];

    sg_buf_putz(out, ".SS sigcc ");
    put_roff(out, c->name);
    sg_buf_putc(out, ' ');
    put_roff(out, sg_str_of(c->usage));
    sg_buf_putz(out, "\n.nf\n");
    put_roff(out, sg_str_of(c->doc));
    sg_buf_putz(out, "\n.fi\n");
    for (size_t k = 0; k < sc_option_count; k++)
        if (takes((sc_command)i, &sc_option_rows[k]))
            put_man_option(out, &sc_option_rows[k]);
    sg_buf_putz(out, ".PP\nExample:\n.PP\n.nf\n.RS\n");
    put_roff(out, sg_str_of(c->example));
    sg_buf_putz(out, "\n.RE\n.fi\n");
}

int sc_cmd_man(sc_session *s, const sc_options *o)
{
    sg_buf out = {0};

    (void)s;
    if (o->paths.count > 0)
        return sc_fail(SC_EXIT_USAGE, "man takes no arguments");
    sg_buf_putz(&out,
                ".TH SIGCC 1 \"\" \"sigcc " SC_VERSION "\" \"User Commands\"\n"
                ".SH NAME\n"
                "sigcc \\- compile Sigma detection rules to native detectors\n"
                ".SH SYNOPSIS\n.B sigcc\n.I COMMAND\n[\\fIOPTION\\fR...]\n"
                ".SH COMMANDS\n");
    for (unsigned i = 0; i < SC_CMD_COUNT; i++)
        put_man_command(&out, i);
    sg_buf_putz(
        &out, ".SH EXIT STATUS\n"
              "0 done; 1 a rule was rejected, or what was asked for does not "
              "hold; 2 wrong usage; 3 toolchain, I/O or internal failure.\n"
              ".SH SEE ALSO\n"
              "The detectors' own help: \\fB\\-\\-help\\fR of any of them.\n");
    return print_all(&out) ? SC_EXIT_OK : SC_EXIT_FAILED;
}
