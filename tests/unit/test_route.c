/*
 * test_route.c - log-source routing: which events a rule of a log source looks
 * at, before and after the optimiser, and the table itself.
 */
#include "support/test.h"

#include "opt/opt.h"
#include "support/lower.h"

typedef struct route_case {
    const char *source, *event;
    bool accepts;
} route_case;

#define PROCESS "product: windows, category: process_creation"
#define SYSMON "\"Channel\":\"Microsoft-Windows-Sysmon/Operational\""
#define EVTX(system, data)                                                     \
    "{\"Event\":{\"System\":{" system "},\"EventData\":{" data "}}}"

static const route_case cases[] = {
    /* any alternative will do */
    {PROCESS, "{" SYSMON ",\"EventID\":1}", true},
    {PROCESS, "{" SYSMON ",\"EventID\":3}", false},
    {PROCESS, "{\"Channel\":\"security\",\"EventID\":\"4688\"}", true},
    {PROCESS, "{\"Channel\":\"Security\",\"EventID\":4624}", false},
    {PROCESS, "{\"Channel\":\"Security\",\"EventID\":1}", false},
    {PROCESS, "{\"Channel\":\"System\",\"EventID\":1}", false},
    /* what the event does not say does not exclude it */
    {PROCESS, "{}", true},
    {PROCESS, "{\"EventID\":1}", true},
    {PROCESS, "{\"EventID\":2}", false},
    {PROCESS, "{\"Channel\":\"Security\"}", true},
    {PROCESS, "{\"Channel\":\"Setup\"}", false},
    {PROCESS, "{\"Channel\":null,\"EventID\":null}", true},
    {PROCESS, "{\"Channel\":[],\"EventID\":{\"x\":2}}", true},
    {PROCESS, "{\"Channel\":[\"Setup\",\"Security\"]}", true},
    {PROCESS, "{\"Channel\":\"ForwardedEvents\",\"EventID\":1}", true},
    {PROCESS, "{\"Channel\":\"ForwardedEvents\",\"EventID\":2}", false},
    /* other shapes, and data that are called the same */
    {PROCESS, EVTX(SYSMON ",\"EventID\":1", "\"EventID\":2"), true},
    {PROCESS, EVTX(SYSMON ",\"EventID\":2", "\"EventID\":1"), false},
    {PROCESS,
     EVTX(SYSMON ",\"EventID\":{\"#attributes\":{},\"#text\":1}",
          "\"Channel\":\"Setup\""),
     true},
    {PROCESS,
     "{\"winlog\":{\"channel\":\"Security\",\"event_id\":\"4688\","
     "\"event_data\":{\"EventID\":1}}}",
     true},
    {PROCESS,
     "{\"winlog\":{\"channel\":\"Security\"},\"event\":{\"code\":\"4624\"}}",
     false},
    {PROCESS, "{\"log_name\":\"Security\",\"event_id\":4688,\"event_data\":{}}",
     true},
    {PROCESS, "{\"log_name\":\"Security\",\"event_id\":1,\"event_data\":{}}",
     false},
    /* services and categories */
    {"product: windows, service: security",
     "{\"Channel\":\"Security\",\"EventID\":9}", true},
    {"product: windows, service: security", "{\"Channel\":\"System\"}", false},
    {"product: windows, service: vhdmp",
     "{\"Channel\":\"Microsoft-Windows-VHDMP-Operational\"}", true},
    {"product: windows, category: dns_query",
     "{\"Channel\":\"Microsoft-Windows-DNS-Client/Operational\","
     "\"EventID\":3008}",
     true},
    {"product: windows, category: dns_query", "{" SYSMON ",\"EventID\":22}",
     true},
    {"product: windows, category: dns_query", "{" SYSMON ",\"EventID\":1}",
     false},
    {"product: windows, category: file_delete", "{" SYSMON ",\"EventID\":26}",
     true},
    {"product: windows, category: file_delete",
     "{\"Channel\":\"Microsoft-Windows-Kernel-File/Analytic\",\"EventID\":99}",
     true},
    {"product: windows, category: ps_script",
     "{\"Channel\":\"PowerShellCore/Operational\",\"EventID\":4104}", true},
    /* both a category and a service: what either allows */
    {"product: windows, category: process_creation, service: security",
     "{\"Channel\":\"Security\",\"EventID\":1}", true},
    /* other products */
    {"product: linux, service: auditd", "{\"type\":\"SYSCALL\"}", true},
    {"product: linux, service: auditd", "{\"Channel\":\"Security\"}", false},
    {"product: linux, category: process_creation",
     "{\"Channel\":\"Linux-Sysmon/Operational\",\"EventID\":1}", true},
    {"product: linux, category: process_creation", "{" SYSMON ",\"EventID\":1}",
     false},
    {"product: zeek, service: dns", "{\"_path\":\"dns\"}", true},
    {"product: zeek, service: dns", "{\"_path\":\"http\"}", false},
    {"product: zeek, service: dns", "{\"query\":\"x\"}", true},
    {"product: kubernetes, service: audit", "{\"kind\":\"Event\"}", true},
    {"product: kubernetes, service: audit", "{\"kind\":\"Pod\"}", false},
    {"product: gcp, service: gcp.audit",
     "{\"protoPayload\":{\"@type\":"
     "\"type.googleapis.com/google.cloud.audit.AuditLog\"}}",
     true},
    /* logs that no sensor of an endpoint writes */
    {"category: webserver", "{" SYSMON "}", false},
    {"category: webserver", "{\"Channel\":\"security\"}", false},
    {"category: webserver", "{\"Channel\":\"Application\"}", true},
    {"category: webserver", "{\"Channel\":\"ForwardedEvents\"}", true},
    {"category: webserver", "{\"event_simpleName\":\"X\"}", false},
    {"category: webserver", "{\"Channel\":[]}", true},
    {"category: webserver", "{}", true},
    {"product: nginx, category: webserver", "{" SYSMON "}", false},
    {"category: database", "{\"Channel\":\"Security\"}", true},
    {"category: database", "{\"Channel\":\"Windows PowerShell\"}", false},
    /* a row that says more of a source than another one */
    {"product: linux", "{\"Channel\":\"Linux-Sysmon/Operational\"}", true},
    {"product: linux", "{" SYSMON "}", false},
    {"product: linux, service: other", "{" SYSMON "}", false},
    {"product: linux, service: auditd",
     "{\"Channel\":\"Linux-Sysmon/Operational\"}", false},
    /* sources without a row */
    {"product: windows", "{\"Channel\":\"Setup\",\"EventID\":1}", true},
    {"category: process_creation", "{\"Channel\":\"Setup\"}", true},
    {"product: Windows, category: process_creation", "{\"EventID\":7}", true},
};

static lowered *lower_source(const char *source)
{
    sg_buf yaml = {0};
    lowered *l;

    sg_buf_printf(&yaml,
                  "title: r\nlogsource: {%s}\n"
                  "detection: {s: {F: null}, condition: s}\n",
                  source);
    sg_buf_putc(&yaml, '\0');
    l = lower(yaml.ptr);
    sg_buf_free(&yaml);
    sc_ir_add_routes(l->ir);
    sc_ir_verify(l->ir);
    return l;
}

static void test_cases(void)
{
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const int before = test_failures;
        lowered *l = lower_source(cases[i].source);
        sc_ref_event *event = sc_ref_event_parse(sg_str_of(cases[i].event));

        CHECK(sc_ref_rule(l->ir, 0, event) == cases[i].accepts);
        sc_opt_run(l->ir, 0);
        CHECK(sc_ref_accepts(l->ir, 0, event) == cases[i].accepts);
        CHECK(sc_ref_rule(l->ir, 0, event) == cases[i].accepts);
        if (test_failures != before)
            printf("  {%s} on %s\n", cases[i].source, cases[i].event);
        sc_ref_event_free(event);
        lower_free(l);
    }
}

static void test_dump(void)
{
    sg_buf have = {0};
    lowered *l = lower_source("product: windows, service: powershell");

    CHECK_STR(lower_dump(l, &have),
              SG_S("field f0 \"F\" pred\n"
                   "field f1 \"$Channel\" pred\n"
                   "pred p0 f0 null\n"
                   "pred p1 f1 any\n"
                   "pred p2 f1 eq {\"microsoft-windows-powershell/operational\""
                   " \"powershellcore/operational\" \"forwardedevents\"}\n"
                   "node n3 not p1\n"
                   "node n5 or n3 p2\n"
                   "route t0 n5 \"windows/powershell\"\n"
                   "rule r0 s0 route=t0 \"r\"\n"
                   "sel  s0 p0 \"s\"\n"));
    sg_buf_free(&have);
    lower_free(l);
}

/* Rules that the same rows serve share a route. */
static void test_shared(void)
{
    static const char rule[] = "---\ntitle: r\nlogsource: {%s}\n"
                               "detection: {s: {F: 1}, condition: s}\n";
    static const char *const sources[] = {
        PROCESS, PROCESS ", service: other", "product: windows",
        "product: zeek, service: dns", PROCESS};
    sg_buf yaml = {0};
    lowered *l;

    for (size_t i = 0; i < sizeof(sources) / sizeof(sources[0]); i++) {
        sg_buf_printf(&yaml, "---\ntitle: r%zu\nlogsource: {%s}\n", i,
                      sources[i]);
        sg_buf_putz(&yaml, strchr(strchr(rule, '}'), '\n') + 1);
    }
    sg_buf_putc(&yaml, '\0');
    l = lower(yaml.ptr);
    sc_ir_add_routes(l->ir);
    CHECK_INT(l->ir->rules.count, 5);
    CHECK_INT(l->ir->routes.count, 2);
    CHECK_INT(l->ir->rules.items[0].route, 0);
    CHECK_INT(l->ir->rules.items[1].route, 0);
    CHECK_INT(l->ir->rules.items[2].route, SIGMA_NONE);
    CHECK_INT(l->ir->rules.items[3].route, 1);
    CHECK_INT(l->ir->rules.items[4].route, 0);
    sg_buf_free(&yaml);
    lower_free(l);
}

/* Each row is well formed: FIELD= or FIELD!=, then numbers only or texts only;
 * "!=" with some. */
static void test_rows(void)
{
    static const struct {
        const char *product, *category, *service, *marks;
    } rows[] = {
#define SOURCE(product, category, service, marks)                              \
    {product, category, service, marks},
#include "ir/logsources.def"
#undef SOURCE
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const char *mark = rows[i].marks;
        bool ok = (rows[i].product[0] != '\0' || rows[i].category[0] != '\0' ||
                   rows[i].service[0] != '\0') &&
                  mark[0] != '\0';

        for (; ok && mark != NULL; mark = strchr(mark, ';')) {
            const size_t len = strcspn(mark += *mark == ';', ";");
            const char *eq = memchr(mark, '=', len);
            sg_num num;
            ok = eq != NULL && eq != mark && mark[0] != '!' &&
                 (eq[-1] != '!' || (size_t)(eq - mark) + 1 < len);
            for (const char *p = eq;
                 ok && p < mark + len && p[1] != '\0' && p[1] != ';';
                 p += 1 + strcspn(p + 1, "|;")) {
                const sg_str value = {p + 1, strcspn(p + 1, "|;")};
                const sg_str first = {eq + 1, strcspn(eq + 1, "|;")};
                ok = value.len > 0 &&
                     sg_num_parse(value, &num) == sg_num_parse(first, &num);
            }
        }
        if (!ok)
            printf("row %s\n", rows[i].marks);
        CHECK(ok);
    }
}

int main(void)
{
    test_cases();
    test_dump();
    test_shared();
    test_rows();
    return TEST_END();
}
