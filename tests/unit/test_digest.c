/*
 * test_digest.c - which edits of a pack change the digest of a correlation or
 * a rule, and which do not.
 */
#include "opt/opt.h"
#include "support/lower.h"
#include "support/test.h"

/* The pack that is edited: a correlation of two rules, one of it chained. */
static const char pack[] =
    "title: Failed\n"
    "name: failed\n"
    "id: 11111111-1111-4111-8111-111111111111\n"
    "status: test\n"
    "logsource: {product: windows, category: process_creation}\n"
    "detection:\n"
    "  tool: {Image|endswith: ['\\a.exe', '\\b.exe'], Port: 25}\n"
    "  words: [one, two]\n"
    "  other: {User|cased: Root, Net|cidr: 10.0.0.0/8, Size|gt: 5}\n"
    "  condition: tool and (words or not other)\n"
    "sigcc:\n"
    "  derive:\n"
    "    Proto: {tool: SMTP, default: None}\n"
    "level: low\n"
    "tags: [attack.t1000]\n"
    "---\n"
    "title: Done\n"
    "name: done\n"
    "logsource: {category: test}\n"
    "detection: {s: {Kind: ok, Host|fieldref: Server}, condition: s}\n"
    "---\n"
    "title: Unrelated\n"
    "logsource: {category: test}\n"
    "detection: {s: {Lone: 1}, condition: s}\n"
    "---\n"
    "title: Many\n"
    "name: many\n"
    "correlation:\n"
    "  type: event_count\n"
    "  rules: [failed]\n"
    "  group-by: [user, Proto]\n"
    "  timespan: 60s\n"
    "  condition: {gte: 3}\n"
    "level: high\n"
    "---\n"
    "title: Broken\n"
    "correlation:\n"
    "  type: temporal\n"
    "  rules: [many, done]\n"
    "  group-by: [who]\n"
    "  timespan: 1h\n"
    "  aliases:\n"
    "    who: {many: user, done: account}\n"
    "---\n"
    "title: Median\n"
    "correlation:\n"
    "  type: value_percentile\n"
    "  rules: [done]\n"
    "  timespan: 1h\n"
    "  condition: {gt: 7, field: size, percentile: 95}\n"
    "---\n"
    "title: Either\n"
    "correlation:\n"
    "  type: temporal\n"
    "  rules: [failed, done]\n"
    "  timespan: 1h\n"
    "  condition: failed and not done\n";

enum { FAILED, DONE, MANY, BROKEN, MEDIAN, EITHER, WATCHED };

static const char *const titles[WATCHED] = {"Failed", "Done",   "Many",
                                            "Broken", "Median", "Either"};

#define F (1u << FAILED)
#define D (1u << DONE)
#define M (1u << MANY)
#define B (1u << BROKEN)
#define P (1u << MEDIAN)
#define E (1u << EITHER)

typedef struct edit {
    const char *from, *to; /* the first occurrence */
    unsigned changes;      /* of these the digest */
} edit;

static const edit edits[] = {
    /* what a rule or a correlation is called and how it is shown */
    {"title: Failed", "title: Failed\ndescription: x\nauthor: y", 0},
    {"level: low", "level: critical", 0},
    {"status: test", "status: stable", 0},
    {"[attack.t1000]", "[attack.t1001, attack.t1002]", 0},
    {"id: 11111111", "id: 21111111", 0},
    {"title: Failed", "# a comment\ntitle: Failed", 0},
    {"level: high", "level: low\ngenerate: true", 0},
    {"level: high",
     "sigcc: {report: {columns: {count: N}, sort: -N, limit: 5}}", 0},
    {"60s", "1m", 0},
    {"'\\a.exe'", "\"\\\\A.EXE\"", 0},
    {"condition: tool and (words or not other)",
     "condition: (tool) and ((words) or (not (other)))", 0},
    {"[one, two]\n", "[one, two]\n  unused: {X: 1}\n", 0},
    /* the rest of the pack */
    {"{Lone: 1}", "{Lone: 2, Image: x, Size: 5}", 0},
    {"title: Failed",
     "title: New\nlogsource: {product: windows}\n"
     "detection: {s: {Zed: 1, Proto: 2}, condition: s}\n---\ntitle: Failed",
     0},
    {"title: Unrelated\nlogsource: {category: test}\n"
     "detection: {s: {Lone: 1}, condition: s}\n---\n",
     "", 0},
    /* what a rule asks */
    {"'\\a.exe'", "'\\c.exe'", F | M | B | E},
    {"Image|endswith", "Image|startswith", F | M | B | E},
    {"Image|endswith", "image|endswith", F | M | B | E},
    {"['\\a.exe', '\\b.exe']", "['\\a.exe']", F | M | B | E},
    {"Port: 25", "Port: 26", F | M | B | E},
    {"Port: 25", "Port|gte: 25", F | M | B | E},
    {"Port: 25", "Port: '25'", F | M | B | E}, /* text, as 025 is not */
    {"Port: 25", "Port: null", F | M | B | E},
    {"Port: 25", "Port: true", F | M | B | E},
    {"Port: 25", "Port|exists: true", F | M | B | E},
    {"Port: 25", "Port|minute: 25", F | M | B | E},
    {"Port: 25", "Port|hour: 25", F | M | B | E},
    {"User|cased: Root", "User: Root", F | M | B | E},
    {"User|cased: Root", "User|cased: root", F | M | B | E},
    {"User|cased: Root", "User|re: Root", F | M | B | E},
    {"User|cased: Root", "User|re|i: Root", F | M | B | E},
    {"10.0.0.0/8", "10.0.0.0/9", F | M | B | E},
    {"[one, two]", "[one, three]", F | M | B | E},
    {"words: [one, two]", "words: {w: [one, two]}", F | M | B | E},
    {"tool and (words or not other)", "tool or (words or not other)",
     F | M | B | E},
    {"tool and (words or not other)", "tool and (words or other)",
     F | M | B | E},
    {"tool and (words or not other)", "tool and not other", F | M | B | E},
    {"fieldref: Server", "fieldref: Client", D | B | P | E},
    {"Host|fieldref", "Host|fieldref|startswith", D | B | P | E},
    /* what it derives, when it happened, where it looks */
    {"tool: SMTP", "tool: POP3", F | M | B | E},
    {"tool: SMTP", "words: SMTP", F | M | B | E},
    {"tool: SMTP", "tool: SMTP, words: SMTP", F | M | B | E},
    {"default: None", "default: Some", F | M | B | E},
    {"Proto: {tool", "Other: {tool", F | M | B | E},
    {"category: process_creation", "category: dns_query", F | M | B | E},
    {"product: windows, category: process_creation", "category: test",
     F | M | B | E},
    {"category: test", "category: other_test", 0}, /* neither routes */
    /* what a correlation asks */
    {"type: event_count", "type: temporal", M | B},
    {"60s", "61s", M | B},
    {"{gte: 3}", "{gte: 4}", M | B},
    {"{gte: 3}", "{gt: 3}", M | B},
    {"{gte: 3}", "{gte: 3, lt: 9}", M | B},
    {"[user, Proto]", "[user]", M | B},
    {"[user, Proto]", "[Proto, user]", M | B},
    {"[user, Proto]", "[User, Proto]", M | B},
    {"rules: [failed]", "rules: [failed, done]", M | B},
    {"rules: [failed]", "rules: [done]", M | B},
    {"done: account", "done: login", B},
    {"  aliases:\n    who: {many: user, done: account}\n", "", B},
    {"type: temporal", "type: temporal_ordered", B},
    {"rules: [many, done]", "rules: [done, many]", B},
    {"field: size", "field: length", P},
    {"percentile: 95", "percentile: 95.5", P},
    {"{gt: 7,", "{gt: 7.5,", P},
    {"{gt: 7,", "{gt: 7.0,", 0},
    {"failed and not done", "failed or not done", E},
    {"failed and not done", "failed and done", E},
    {"failed and not done", "done and not failed", E},
};

/* -------- digests -------------------------------------------------------- */

typedef struct digests {
    char text[WATCHED][65];
} digests;

static sg_str digest_of(const sc_ir *ir, const char *title)
{
    for (uint32_t i = 0; i < ir->rules.count; i++)
        if (sg_str_starts(ir->rules.items[i].meta.title, sg_str_of(title)))
            return ir->rules.items[i].digest;
    for (uint32_t i = 0; i < ir->corrs.count; i++)
        if (sg_str_starts(ir->corrs.items[i].meta.title, sg_str_of(title)))
            return ir->corrs.items[i].digest;
    return SG_S("");
}

static void read_digests(const sc_ir *ir, digests *out)
{
    for (unsigned i = 0; i < WATCHED; i++) {
        const sg_str text = digest_of(ir, titles[i]);

        CHECK_INT(text.len, 64);
        snprintf(out->text[i], sizeof out->text[i], "%.*s", SG_FMT(text));
    }
}

static void digest_pack(const char *yaml, digests *out)
{
    lowered *l = lower(yaml);

    CHECK_INT(l->s.errors, 0);
    sc_ir_add_routes(l->ir);
    sc_ir_add_digests(l->ir);
    sc_ir_verify(l->ir);
    read_digests(l->ir, out);
    lower_free(l);
}

static sg_buf apply(const edit *e)
{
    const char *at = strstr(pack, e->from);
    sg_buf out = {0};

    CHECK(at != NULL);
    if (at == NULL)
        at = pack;
    sg_buf_put(&out, (sg_str){pack, (size_t)(at - pack)});
    sg_buf_putz(&out, e->to);
    sg_buf_putz(&out, at + strlen(e->from));
    sg_buf_putc(&out, '\0');
    return out;
}

static void test_edits(void)
{
    digests before;

    digest_pack(pack, &before);
    for (unsigned i = 0; i < WATCHED; i++)
        for (unsigned k = 0; k < i; k++)
            CHECK(strcmp(before.text[i], before.text[k]) != 0);
    for (size_t e = 0; e < sizeof edits / sizeof edits[0]; e++) {
        const int failures = test_failures;
        sg_buf yaml = apply(&edits[e]);
        digests after;
        unsigned changes = 0;

        digest_pack(yaml.ptr, &after);
        for (unsigned i = 0; i < WATCHED; i++)
            if (strcmp(before.text[i], after.text[i]) != 0)
                changes |= 1u << i;
        CHECK_INT(changes, edits[e].changes);
        if (test_failures != failures)
            printf("  edit '%s' to '%s'\n", edits[e].from, edits[e].to);
        sg_buf_free(&yaml);
    }
}

/* The order of documents, and the optimiser, which comes later. */
static void test_order(void)
{
    digests before, after;
    sg_buf yaml = {0};
    const char *rest = strstr(pack, "---\n");
    lowered *l;

    digest_pack(pack, &before);
    sg_buf_printf(&yaml, "%s---\n%.*s", rest + 4, (int)(rest - pack), pack);
    sg_buf_putc(&yaml, '\0');
    digest_pack(yaml.ptr, &after);
    CHECK(memcmp(&before, &after, sizeof before) == 0);
    sg_buf_free(&yaml);

    l = lower(pack);
    sc_ir_add_routes(l->ir);
    sc_ir_add_digests(l->ir);
    sc_opt_run(l->ir, 0);
    sc_ir_verify(l->ir);
    read_digests(l->ir, &after);
    CHECK(memcmp(&before, &after, sizeof before) == 0);
    lower_free(l);
}

/* Routing is a part of what a rule computes. */
static void test_routing(void)
{
    lowered *l = lower(pack);
    digests with, without;

    sc_ir_add_digests(l->ir);
    read_digests(l->ir, &without);
    lower_free(l);
    digest_pack(pack, &with);
    CHECK(strcmp(with.text[FAILED], without.text[FAILED]) != 0);
    CHECK(strcmp(with.text[MANY], without.text[MANY]) != 0);
    CHECK(strcmp(with.text[DONE], without.text[DONE]) == 0);
}

/* They stand in state files: a new version of the compiler that digests the
 * same rules to something else makes detectors forget. A digest changes here
 * only along with the version in the canonical text. */
static void test_pinned(void)
{
    digests have;

    digest_pack(pack, &have);
    CHECK_STR(sg_str_of(have.text[DONE]),
              SG_S("66403ebb4bb2fe9dd0e08573b7505be9f85867e08bfafcc39ccef790b26"
                   "2681c"));
    CHECK_STR(sg_str_of(have.text[MEDIAN]),
              SG_S("d0559d10e9c8ec91d893f009b246df8bbee4fb0f902f9b953336a5fd609"
                   "58157"));
}

int main(void)
{
    test_pinned();
    test_edits();
    test_order();
    test_routing();
    return TEST_END();
}
