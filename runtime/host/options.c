/*
 * options.c - the command line, read and explained from one table.
 */
#include "host/options.h"

#include <string.h>
#include <unistd.h>

typedef enum argument { NONE, NEEDED, OPTIONAL } argument;

/* Sets one option; `value` is NULL when there is none. False when the value
 * does not do. */
typedef bool set_fn(sr_options *o, const char *value);

static bool set_format(sr_options *o, const char *value)
{
    o->format_given = true;
    return sr_format_find(sg_str_of(value), &o->format);
}

static bool set_output(sr_options *o, const char *value)
{
    o->output = strcmp(value, "-") == 0 ? NULL : value;
    return *value != '\0';
}

static bool set_mode(sr_options *o, const char *value)
{
    o->search = strcmp(value, "search") == 0;
    return o->search || strcmp(value, "stream") == 0;
}

static bool set_time_field(sr_options *o, const char *value)
{
    o->time_field = value;
    return *value != '\0';
}

static bool set_lateness(sr_options *o, const char *value)
{
    return sg_duration_parse(sg_str_of(value), true, &o->lateness);
}

static bool set_every_firing(sr_options *o, const char *value)
{
    (void)value;
    return o->every_firing = true;
}

static bool set_no_event(sr_options *o, const char *value)
{
    (void)value;
    return o->no_event = true;
}

static bool set_rejects(sr_options *o, const char *value)
{
    o->rejects = value;
    return *value != '\0';
}

static bool set_strict(sr_options *o, const char *value)
{
    (void)value;
    return o->strict = true;
}

static bool set_no_prefilter(sr_options *o, const char *value)
{
    (void)value;
    return o->no_prefilter = true;
}

static bool set_unchecked(sr_options *o, const char *value)
{
    (void)value;
    return o->unchecked = true;
}

static bool set_follow(sr_options *o, const char *value)
{
    (void)value;
    return o->follow = true;
}

/* Digits, and with `units` one of K M G T behind them. Not zero. */
static bool parse_count(const char *text, bool units, uint64_t *out)
{
    static const char letters[] = "KMGT";
    uint64_t n = 0;

    if (*text < '0' || *text > '9')
        return false;
    for (; *text >= '0' && *text <= '9'; text++) {
        const uint64_t digit = (uint64_t)(*text - '0');

        if (n > (UINT64_MAX - digit) / 10)
            return false;
        n = n * 10 + digit;
    }
    const char *letter = units && *text != '\0' ? strchr(letters, *text) : NULL;

    if (letter != NULL) {
        const unsigned shift = 10 * (unsigned)(letter - letters + 1);

        if (n > UINT64_MAX >> shift)
            return false;
        n <<= shift;
        text++;
    }
    *out = n;
    return *text == '\0' && n != 0;
}

static bool set_max_groups(sr_options *o, const char *value)
{
    return parse_count(value, false, &o->max_groups);
}

static bool set_max_memory(sr_options *o, const char *value)
{
    return parse_count(value, true, &o->max_memory);
}

static bool set_cpu_limit(sr_options *o, const char *value)
{
    return parse_count(value, false, &o->cpu_limit) &&
           o->cpu_limit <= UINT32_MAX;
}

static bool set_memory_limit(sr_options *o, const char *value)
{
    return parse_count(value, true, &o->memory_limit);
}

static bool set_no_sandbox(sr_options *o, const char *value)
{
    (void)value;
    return o->no_sandbox = true;
}

static bool set_exact_values(sr_options *o, const char *value)
{
    return parse_count(value, false, &o->exact_values);
}

static bool set_late(sr_options *o, const char *value)
{
    o->late = value;
    return *value != '\0';
}

static bool set_max_enrich(sr_options *o, const char *value)
{
    return parse_count(value, true, &o->max_enrich);
}

static bool set_lookup(sr_options *o, const char *value)
{
    const char *equals = strchr(value, '=');

    o->lookups[o->lookup_count++] = value;
    return equals != NULL && equals != value && equals[1] != '\0';
}

static bool set_state(sr_options *o, const char *value)
{
    o->state = value;
    return *value != '\0';
}

/* 0 is one for each processor. */
static bool set_threads(sr_options *o, const char *value)
{
    enum { MOST = 256 };
    uint64_t n;

    if (strcmp(value, "0") == 0) {
        const long cores = sysconf(_SC_NPROCESSORS_ONLN);

        n = cores < 1 ? 1 : cores > MOST ? MOST : (uint64_t)cores;
    } else if (!parse_count(value, false, &n)) {
        return false;
    }
    o->threads = (uint32_t)n;
    return n <= MOST;
}

static bool set_slice(sr_options *o, const char *value)
{
    const char *slash = strchr(value, '/');
    char first[8];
    uint64_t slice;
    uint64_t slices;

    if (slash == NULL || (size_t)(slash - value) >= sizeof(first))
        return false;
    memcpy(first, value, (size_t)(slash - value));
    first[slash - value] = '\0';
    if (!parse_count(first, false, &slice) ||
        !parse_count(slash + 1, false, &slices))
        return false;
    o->slice = (uint32_t)slice;
    o->slices = (uint32_t)slices;
    return slices <= SR_SLICES_MOST && slice <= slices;
}

static bool set_position(sr_options *o, const char *value)
{
    uint64_t n = 0;

    o->position_given = true;
    if (strcmp(value, "0") != 0 && !parse_count(value, false, &n))
        return false;
    o->position = (uint32_t)n;
    return n <= UINT32_MAX / 2;
}

static bool set_partial(sr_options *o, const char *value)
{
    (void)value;
    return o->partial = true;
}

static bool set_stats(sr_options *o, const char *value)
{
    o->stats = true;
    o->stats_json = value != NULL;
    return value == NULL || strcmp(value, "json") == 0;
}

static bool set_profile(sr_options *o, const char *value)
{
    o->profile = true;
    o->profile_json = value != NULL;
    return value == NULL || strcmp(value, "json") == 0;
}

static bool set_list(sr_options *o, const char *value)
{
    (void)value;
    o->action = SR_ACTION_LIST;
    return true;
}

static bool set_manifest(sr_options *o, const char *value)
{
    (void)value;
    o->action = SR_ACTION_MANIFEST;
    return true;
}

static bool set_version(sr_options *o, const char *value)
{
    (void)value;
    o->action = SR_ACTION_VERSION;
    return true;
}

static bool set_help(sr_options *o, const char *value)
{
    (void)value;
    o->action = SR_ACTION_HELP;
    return true;
}

typedef struct option {
    char letter;
    argument arg;
    sg_str name;
    const char *metavar;
    set_fn *set;
    const char *doc;
} option;

static const option options[] = {
#define OPTION(letter, name, arg, metavar, setter, doc)                        \
    {letter, arg, SG_LIT(name), metavar, set_##setter, doc},
#include "host/options.def"
#undef OPTION
};

enum { OPTIONS = sizeof(options) / sizeof(options[0]) };

/* -------- reading -------------------------------------------------------- */

/* "message 'text'", the text fit for a terminal. */
static bool refuse(sg_buf *error, const char *message, sg_str text)
{
    sg_buf_putz(error, message);
    sg_buf_putz(error, " '");
    sr_put_shown(error, text);
    sg_buf_putc(error, '\'');
    return false;
}

static const option *find_name(sg_str name)
{
    for (unsigned i = 0; i < OPTIONS; i++)
        if (sg_str_eq(options[i].name, name))
            return &options[i];
    return NULL;
}

static const option *find_letter(char letter)
{
    for (unsigned i = 0; i < OPTIONS; i++)
        if (options[i].letter == letter)
            return &options[i];
    return NULL;
}

static bool refuse_name(sg_buf *error, sg_str word, sg_str name)
{
    size_t best = 3; /* a name further away is no slip of the pen */
    const option *nearest = NULL;

    for (unsigned i = 0; i < OPTIONS; i++) {
        const size_t d = sg_str_distance(name, options[i].name, best);

        if (d < best) {
            best = d;
            nearest = &options[i];
        }
    }
    refuse(error, "unknown option", word);
    if (nearest != NULL) {
        sg_buf_putz(error, "; did you mean --");
        sg_buf_put(error, nearest->name);
        sg_buf_putc(error, '?');
    }
    return false;
}

/* "--mode takes stream|search, not", or for values that are no choice "bad
 * value". */
static bool refuse_value(sg_buf *error, const option *opt, sg_str value)
{
    const bool format = opt->set == set_format;

    if (!format && strchr(opt->metavar, '|') == NULL && opt->arg == NEEDED) {
        refuse(error, "bad value", value);
        sg_buf_putz(error, " for --");
        sg_buf_put(error, opt->name);
        return false;
    }
    sg_buf_putz(error, "--");
    sg_buf_put(error, opt->name);
    sg_buf_putz(error, " takes ");
    if (!format)
        sg_buf_putz(error, opt->metavar);
    for (unsigned i = 0; format && i < SR_FORMAT_COUNT; i++)
        sg_buf_printf(error, "%s%s", i > 0 ? "|" : "",
                      sr_format_name((sr_format)i));
    return refuse(error, ", not", value);
}

static bool apply(const option *opt, const char *value, sr_options *out,
                  sg_buf *error)
{
    if (opt->set(out, value))
        return true;
    return refuse_value(error, opt, sg_str_of(value));
}

/* Where the reading of argv stands. */
typedef struct cursor {
    int argc, at;
    char **argv;
} cursor;

/* The argument of an option that needs one and did not get it with "=". */
static bool next_value(cursor *c, const option *opt, const char **value,
                       sg_buf *error)
{
    if (c->at < c->argc) {
        *value = c->argv[c->at++];
        return true;
    }
    sg_buf_putz(error, "--");
    sg_buf_put(error, opt->name);
    sg_buf_putz(error, " needs a value");
    return false;
}

/* --name, --name=value, --name value. */
static bool read_long(cursor *c, const char *word, sr_options *out,
                      sg_buf *error)
{
    const char *equals = strchr(word, '=');
    const char *value = equals == NULL ? NULL : equals + 1;
    const sg_str name = {word + 2, equals == NULL
                                       ? strlen(word + 2)
                                       : (size_t)(equals - word) - 2};
    const option *opt = find_name(name);

    if (opt == NULL)
        return refuse_name(error, sg_str_of(word), name);
    if (opt->arg == NONE && value != NULL)
        return refuse(error, "no value belongs to", sg_str_of(word));
    if (opt->arg == NEEDED && value == NULL &&
        !next_value(c, opt, &value, error))
        return false;
    return apply(opt, value, out, error);
}

/* -x, -xy, -fVALUE, -f VALUE. */
static bool read_short(cursor *c, const char *word, sr_options *out,
                       sg_buf *error)
{
    for (const char *at = word + 1; *at != '\0'; at++) {
        const option *opt = find_letter(*at);
        const char *value = NULL;

        if (opt == NULL)
            return refuse(error, "unknown option", sg_str_of(word));
        if (opt->arg == NEEDED) {
            value = at[1] != '\0' ? at + 1 : NULL;
            if (value == NULL && !next_value(c, opt, &value, error))
                return false;
        }
        if (!apply(opt, value, out, error))
            return false;
        if (value != NULL)
            break;
    }
    return true;
}

/* Options that mean nothing to what is to be done would be ignored. */
static bool fits_action(const sr_options *o, sg_buf *error)
{
    const bool map = o->action == SR_ACTION_MAP;
    const bool reduce = o->action == SR_ACTION_REDUCE;
    const struct {
        bool wrong;
        const char *message;
    } rules[] = {
        {!map && (o->slices != 0 || o->position_given),
         "--slice and --position belong to map"},
        {!reduce && o->partial, "--partial belongs to reduce"},
        {(map || reduce) && (o->state != NULL || o->late != NULL ||
                             o->lateness != 0 || o->follow),
         "--state, --late, --allowed-lateness and --follow belong to a run, "
         "not to map or reduce"},
        {o->unchecked && (map || reduce || o->strict || o->rejects != NULL),
         "--unchecked does not notice unreadable lines: not with --strict, "
         "--rejects, map or reduce"},
        {map && (o->format_given || o->every_firing),
         "--format and --every-firing belong to reduce, not to map"},
        {reduce && (o->rejects != NULL || o->strict || o->no_event ||
                    o->time_field != NULL || o->profile),
         "--rejects, --strict, --no-event, --time-field and --profile belong "
         "to map, not to reduce"},
        {reduce && o->format_given && o->format == SR_FORMAT_TABLE,
         "reduce writes ndjson, json or csv"},
        {reduce && o->file_count > 1, "reduce takes one sorted FILE"},
    };

    for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
        if (rules[i].wrong) {
            sg_buf_putz(error, rules[i].message);
            return false;
        }
    return true;
}

bool sr_options_parse(int argc, char **argv, sg_arena *arena, sr_options *out,
                      sg_buf *error)
{
    cursor c = {argc, 1, argv};
    bool only_files = false;

    *out = (sr_options){.max_groups = 1000000,
                        .max_memory = (uint64_t)1 << 30,
                        .exact_values = 65536,
                        .threads = 1,
                        .max_enrich = (uint64_t)256 << 20};
    out->files = sg_new_n(arena, const char *, (size_t)argc + 1);
    out->lookups = sg_new_n(arena, const char *, (size_t)argc + 1);
    if (argc > 1 && strcmp(argv[1], "map") == 0) {
        out->action = SR_ACTION_MAP;
        c.at++;
    } else if (argc > 1 && strcmp(argv[1], "reduce") == 0) {
        out->action = SR_ACTION_REDUCE;
        c.at++;
    }
    while (c.at < argc) {
        const char *word = argv[c.at++];

        if (only_files || word[0] != '-' || word[1] == '\0')
            out->files[out->file_count++] = word;
        else if (strcmp(word, "--") == 0)
            only_files = true;
        else if (word[1] == '-' ? !read_long(&c, word, out, error)
                                : !read_short(&c, word, out, error))
            return false;
    }
    if (out->file_count == 0)
        out->files[out->file_count++] = "-";
    return fits_action(out, error);
}

/* -------- help ----------------------------------------------------------- */

enum { HELP_COLUMN = 30 };

static void put_option(sg_buf *buf, const option *opt)
{
    const size_t beg = buf->len;

    if (opt->letter != 0)
        sg_buf_printf(buf, "  -%c, ", opt->letter);
    else
        sg_buf_putz(buf, "      ");
    sg_buf_printf(buf, "--%s", opt->name.ptr);
    if (opt->arg == NEEDED)
        sg_buf_printf(buf, " %s", opt->metavar);
    if (opt->arg == OPTIONAL)
        sg_buf_printf(buf, "[=%s]", opt->metavar);
    for (size_t width = buf->len - beg; width < HELP_COLUMN; width++)
        sg_buf_putc(buf, ' ');
    if (buf->ptr[buf->len - 1] != ' ')
        sg_buf_printf(buf, "\n%*s", HELP_COLUMN, "");
    for (const char *at = opt->doc; *at != '\0'; at++)
        if (*at == '\n')
            sg_buf_printf(buf, "\n%*s", HELP_COLUMN, "");
        else
            sg_buf_putc(buf, *at);
    sg_buf_putc(buf, '\n');
}

void sr_options_help(sg_buf *buf, const char *program)
{
    static const char head[] =
        "Searches events for what the rules inside this program describe, and "
        "writes an\nalert for each match.\n"
        "\n"
        "Input is NDJSON, one event a line, plain or compressed by gzip or "
        "zstd. Without\nFILE, or for -, it is standard input.\n"
        "\n"
        "`map` writes what correlations need of each event as lines, `LC_ALL=C "
        "sort` (or\nany engine's shuffle) brings together what belongs "
        "together, and `reduce` writes\nthe alerts that one run would: parts "
        "of "
        "the input may be mapped anywhere.\n"
        "\n";
    static const char tail[] =
        "\n"
        "Examples:\n"
        "  %s events.ndjson.gz             a table of alerts\n"
        "  tail -f events.ndjson | %s | jq .rule.title\n"
        "  %s --mode search -f csv -o report.csv day1.zst day2.zst\n"
        "  %s --follow --state state.db -o alerts.ndjson "
        "/var/log/events.ndjson\n"
        "  %s map day1.zst | LC_ALL=C sort | %s reduce\n"
        "\n"
        "Exit status: 0 ran to the end, with alerts or without; 2 wrong usage;"
        " 3 internal\nfailure; 4 an input could not be opened or read, or "
        "--strict found an unreadable\nline; 5 the output could not be "
        "written.\n"
        "\n"
        "Whatever is left out is counted and told on standard error: "
        "unreadable lines,\nevents that came too late or have no time, groups "
        "beyond the bounds.\n"
        "\n"
        "For comparisons of speed: SIGCC_SIMD in the environment names the "
        "instructions that\nread events: scalar, sse2, avx2, avx512 or neon; "
        "without it the best there are.\nSIGCC_INFLATE=zlib leaves gzip to "
        "zlib alone, SIGCC_AHEAD=0 does without the\nthread that "
        "decompresses large files ahead, SIGCC_INDEX=0 asks every rule,\n1 "
        "looks for those that can match in small detectors too, "
        "SIGCC_RECALL=0 keeps\nnothing of values that come again, "
        "SIGCC_LAYOUTS=0 looks up the keys of each event,\n1 keeps layouts in "
        "small detectors too, SIGCC_CASCADE=0 does not look for\nsingle fields "
        "in the bytes of lines, SIGCC_LINES=0 checks those that cannot\nmatch "
        "one by one, SIGCC_RANGES=0 has one thread read for all others, "
        "another\nnumber says how many bytes each reads at a time, "
        "SIGCC_SHARE=0 has each thread\nmake indexes of its own. Verdicts do "
        "not depend on them.\n";

    sg_buf_printf(buf,
                  "Usage: %s [OPTION...] [FILE...]\n"
                  "       %s map [OPTION...] [FILE...]\n"
                  "       %s reduce [OPTION...] [FILE]\n\n",
                  program, program, program);
    sg_buf_putz(buf, head);
    sg_buf_putz(buf, "Options:\n");
    for (unsigned i = 0; i < OPTIONS; i++)
        put_option(buf, &options[i]);
    sg_buf_putz(buf, "\nFormats:\n");
    for (unsigned i = 0; i < SR_FORMAT_COUNT; i++)
        sg_buf_printf(buf, "  %-8s %s\n", sr_format_name((sr_format)i),
                      sr_format_doc((sr_format)i));
    sg_buf_printf(buf, tail, program, program, program, program, program,
                  program);
}
