/*
 * test_output.c - the formats, byte by byte: alerts and report rows, quoting,
 * hostile text, widths, and a file that takes no more.
 */
#include "output/output.h"
#include "support/test.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

static const char pool[] = "r-1name\"q\"highexperimentalattack.t1shaCorr5m";

/* pool offsets, by hand */
static const sigma_ref strs[] = {{26, 9}};
static const sigma_rule rules[] = {
    {.meta = {.id = {0, 3},
              .name = {3, 4},
              .title = {7, 3},
              .level = {10, 4},
              .status = {14, 12},
              .sha256 = {35, 3},
              .tag_first = 0,
              .tag_count = 1}},
    {.meta = {.title = {38, 4}}},
};
static const sigma_correlation corrs[] = {
    {.meta = {.title = {38, 4}, .level = {10, 4}},
     .type = SIGMA_CORR_VALUE_AVG,
     .timespan_text = {42, 2}},
};
static const sigma_detector detector = {.abi = SIGMA_ABI,
                                        .size = sizeof(detector),
                                        .pool = pool,
                                        .strs = strs,
                                        .rules = rules,
                                        .correlations = corrs,
                                        .rule_count = 2,
                                        .correlation_count = 1};

static sg_str lit(const char *z)
{
    return sg_str_of(z);
}

static const sg_str matched[] = {SG_LIT("sel"), SG_LIT("a,b")};
static const sr_pair derived[] = {
    {SG_LIT("P"), SR_STRING, SG_LIT("SM\"TP")},
};
static const sr_pair group[] = {
    {SG_LIT("User"), SR_STRING, SG_LIT("ann\n\xE2\x80\xAE")},
    {SG_LIT("Port"), SR_NUMBER, SG_LIT("25")},
    {SG_LIT("Ok"), SR_BOOL, SG_LIT("true")},
};
static const sr_pair row[] = {
    {SG_LIT("User"), SR_STRING, SG_LIT("=cmd()")},
    {SG_LIT("Count"), SR_NUMBER, SG_LIT("12")},
    {SG_LIT("First"), SR_NULL, {"", 0}},
};
static const sr_pair row2[] = {
    {SG_LIT("User"), SR_STRING, SG_LIT("\xE6\x97\xA5\xE6\x9C\xAC, x")},
    {SG_LIT("Count"), SR_NUMBER, SG_LIT("7")},
    {SG_LIT("First"), SR_STRING, SG_LIT("1.5")},
};

static sr_alert detection(void)
{
    return (sr_alert){.index = 0,
                      .id = lit("0123"),
                      .timed = true,
                      .time = INT64_C(1767323045678000000),
                      .path = lit("a.log"),
                      .line = 17,
                      .pairs = derived,
                      .pair_count = 1,
                      .matched = matched,
                      .matched_count = 2,
                      .event = lit("{\"a\": 1}")};
}

static sr_alert correlation(void)
{
    return (sr_alert){.correlation = true,
                      .index = 0,
                      .id = lit("4567"),
                      .path = lit("-"),
                      .line = 3,
                      .pairs = group,
                      .pair_count = 3,
                      .count = 4,
                      .value = {.kind = SIGMA_FLOAT, .v = {.f = 2.5}},
                      .first = {.timed = true, .time = 0},
                      .last = {.timed = true, .time = 1500000}};
}

/* Write the usual things in a format; the text in a static buffer. */
static sg_str written(sr_format format, unsigned width, const char *what)
{
    static char text[65536];
    char path[] = "/tmp/sigcc-test-XXXXXX";
    const int fd = mkstemp(path);
    const sr_output_options options = {
        .format = format, .fd = fd, .width = width};
    sr_output *out = sr_output_open(&detector, &options);
    const sr_alert d = detection();
    const sr_alert c = correlation();
    sr_alert bare = {.index = 1, .id = lit("89"), .path = lit("-"), .line = 1};

    unlink(path);
    for (; *what != '\0'; what++)
        switch (*what) {
        case 'd':
            sr_output_alert(out, &d);
            break;
        case 'c':
            sr_output_alert(out, &c);
            break;
        case 'b':
            sr_output_alert(out, &bare);
            break;
        case '1':
            sr_output_row(out, 0, row, 3);
            break;
        default:
            sr_output_row(out, 0, row2, 3);
            break;
        }
    CHECK(sr_output_finish(out));
    sr_output_close(out);
    const ssize_t len = pread(fd, text, sizeof(text), 0);

    close(fd);
    return (sg_str){text, len < 0 ? 0 : (size_t)len};
}

#define D_JSON                                                                 \
    "{\"schema\":\"sigcc.alert/1\",\"type\":\"detection\",\"alert_id\":"       \
    "\"0123\",\"timestamp\":\"2026-01-02T03:04:05.678Z\",\"rule\":{\"id\":"    \
    "\"r-1\",\"name\":\"name\",\"title\":\"\\\"q\\\"\",\"level\":\"high\","    \
    "\"status\":\"experimental\",\"tags\":[\"attack.t1\"],\"sha256\":"         \
    "\"sha\"},\"source\":{\"path\":\"a.log\",\"line\":17},\"matched\":"        \
    "[\"sel\",\"a,b\"],\"derived\":{\"P\":\"SM\\\"TP\"},\"event\":{\"a\": 1}}"
#define C_JSON                                                                 \
    "{\"schema\":\"sigcc.alert/1\",\"type\":\"correlation\",\"alert_id\":"     \
    "\"4567\",\"timestamp\":null,\"rule\":{\"title\":\"Corr\",\"level\":"      \
    "\"high\",\"tags\":[]},\"correlation_type\":\"value_avg\",\"group\":"      \
    "{\"User\":\"ann\\n\xE2\x80\xAE\",\"Port\":25,\"Ok\":true},\"count\":4,"   \
    "\"value\":2.5,\"first_seen\":\"1970-01-01T00:00:00.000Z\","               \
    "\"last_seen\":\"1970-01-01T00:00:00.001500Z\",\"timespan\":\"5m\","       \
    "\"source\":{\"path\":\"-\",\"line\":3}}"
#define R_JSON "{\"User\":\"=cmd()\",\"Count\":12,\"First\":null}"

static void test_json(void)
{
    CHECK_STR(written(SR_FORMAT_NDJSON, 0, "dc1"),
              SG_S(D_JSON "\n" C_JSON "\n" R_JSON "\n"));
    CHECK_STR(written(SR_FORMAT_JSON, 0, "cd1"),
              SG_S("[\n" C_JSON ",\n" D_JSON ",\n" R_JSON "\n]\n"));
    CHECK_STR(written(SR_FORMAT_JSON, 0, ""), SG_S("[]\n"));
    CHECK_STR(written(SR_FORMAT_NDJSON, 0, ""), SG_S(""));
    CHECK_STR(written(SR_FORMAT_NDJSON, 0, "b"),
              SG_S("{\"schema\":\"sigcc.alert/1\",\"type\":\"detection\","
                   "\"alert_id\":\"89\",\"timestamp\":null,\"rule\":{"
                   "\"title\":\"Corr\",\"tags\":[]},\"source\":{\"path\":\"-\","
                   "\"line\":1},\"matched\":[]}\n"));
}

static void test_csv(void)
{
    CHECK_STR(
        written(SR_FORMAT_CSV, 0, "dc12"),
        SG_S("timestamp,type,level,rule_id,rule_name,rule_title,group,count,"
             "value,first_seen,last_seen,path,line,matched,derived,alert_id,"
             "event,enriched\n"
             "2026-01-02T03:04:05.678Z,detection,high,r-1,name,\"\"\"q\"\"\",,,"
             ",,,a.log,17,\"sel;a,b\",\"{\"\"P\"\":\"\"SM\\\"\"TP\"\"}\",0123,"
             "\"{\"\"a\"\": 1}\",\n"
             ",correlation,high,,,Corr,\"{\"\"User\"\":\"\"ann\\n\xE2\x80\xAE"
             "\"\",\"\"Port\"\":25,\"\"Ok\"\":true}\",4,2.5,"
             "1970-01-01T00:00:00.000Z,1970-01-01T00:00:00.001500Z,-,3,,,4567,"
             ",\n"
             "User,Count,First\n"
             "=cmd(),12,\n"
             "\"\xE6\x97\xA5\xE6\x9C\xAC, x\",7,1.5\n"));
    CHECK_STR(written(SR_FORMAT_CSV, 0, ""), SG_S(""));
}

static void test_table(void)
{
    CHECK_STR(written(SR_FORMAT_TABLE, 0, "12"),
              SG_S("User     Count  First\n"
                   "=cmd()      12  -\n"
                   "\xE6\x97\xA5\xE6\x9C\xAC, x      7  1.5\n"));
    /* On a terminal of 13 columns; nothing hidden is sent to it. */
    CHECK_STR(written(SR_FORMAT_TABLE, 13, "12"),
              SG_S("User     Cou\xE2\x80\xA6\n"
                   "=cmd()     12\n"
                   "\xE6\x97\xA5\xE6\x9C\xAC, x     7\n"));
    const sg_str alerts = written(SR_FORMAT_TABLE, 120, "dc");

    CHECK_INT(sg_str_find(alerts, SG_S("TIME   ")), 0);
    CHECK(sg_str_find(alerts, SG_S("a.log:17 matched=sel,a,b P=SM\"TP\n")) !=
          SIZE_MAX);
    /* Where there is little room the rule yields some to the details. */
    CHECK(sg_str_find(
              written(SR_FORMAT_TABLE, 80, "c"),
              SG_S(" Corr                -:3 User=ann\\x0A\xE2\x80\xA6\n")) !=
          SIZE_MAX);
    CHECK(
        sg_str_find(
            written(SR_FORMAT_TABLE, 105, "c"),
            SG_S("-:3 User=ann\\x0A\\u{202E} Port=25 Ok=tru\xE2\x80\xA6\n")) !=
        SIZE_MAX);
    CHECK(sg_str_find(written(SR_FORMAT_TABLE, 120, "dc"),
                      SG_S("\xE2\x80\xAE")) == SIZE_MAX);
    CHECK(sg_str_find(written(SR_FORMAT_TABLE, 0, "c"),
                      SG_S("-:3 User=ann\\x0A\\u{202E} Port=25 Ok=true "
                           "count=4 value=2.5\n")) != SIZE_MAX);
}

static void test_shown(void)
{
    static const struct {
        const char *text, *want;
        size_t width;
    } cases[] = {
        {"plain", "plain", 5},
        {"a\tb\x1b[31m\x7f", "a\\x09b\\x1B[31m\\x7F", 18},
        {"\xC2\x9B", "\\x9B", 4},
        {"\xFF\xC3", "\\xFF\\xC3", 8},
        {"\xED\xA0\x80", "\\u{D800}", 8},
        {"e\xCC\x81", "e\xCC\x81", 1},
        {"\xE2\x80\xAE\xE2\x80\x8B", "\\u{202E}\\u{200B}", 16},
        {"\xF0\x9F\x98\x80", "\xF0\x9F\x98\x80", 2},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        sg_buf buf = {0};

        CHECK_INT(sr_put_shown(&buf, lit(cases[i].text)), cases[i].width);
        CHECK_STR(sg_buf_str(&buf), lit(cases[i].want));
        sg_buf_free(&buf);
    }
}

static void test_names(void)
{
    sr_format format;

    CHECK(sr_format_find(SG_S("csv"), &format) && format == SR_FORMAT_CSV);
    CHECK(!sr_format_find(SG_S("CSV"), &format));
    CHECK(!sr_format_find(SG_S(""), &format));
}

/* A failure sticks and is told. */
static void test_full(void)
{
    const int fd = open("/dev/full", O_WRONLY);
    const sr_output_options options = {.format = SR_FORMAT_NDJSON, .fd = fd};
    sr_output *out = sr_output_open(&detector, &options);
    const sr_alert alert = detection();

    if (fd < 0)
        return;
    sr_output_alert(out, &alert);
    CHECK(sr_output_waiting(out));
    CHECK_INT(sr_output_error(out), 0);
    CHECK(!sr_output_flush(out));
    CHECK_INT(sr_output_error(out), ENOSPC);
    for (unsigned i = 0; i < 1000; i++)
        sr_output_alert(out, &alert);
    CHECK(!sr_output_waiting(out));
    CHECK(!sr_output_finish(out));
    sr_output_close(out);
    close(fd);
}

int main(void)
{
    test_json();
    test_csv();
    test_table();
    test_shown();
    test_names();
    test_full();
    return TEST_END();
}
