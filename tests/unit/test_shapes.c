/*
 * test_shapes.c - the layouts of Windows events: every row of shapes.def
 * finds its field, the order of places holds, and markers decide.
 */
#include "record/plan.h"
#include "support/fields.h"
#include "support/test.h"

typedef struct shape_case {
    const char *name, *line, *want; /* see fields.h */
} shape_case;

#define EVTX(system, data)                                                     \
    "{\"Event\":{\"System\":{" system "},\"EventData\":" data "}}"
#define SYSTEM                                                                 \
    "\"Provider\":{\"#attributes\":{\"Name\":\"P\",\"Guid\":\"G\"}},"          \
    "\"EventID\":{\"#attributes\":{\"Qualifiers\":0},\"#text\":4624},"         \
    "\"TimeCreated\":{\"#attributes\":{\"SystemTime\":\"2020\"}},"             \
    "\"Execution\":{\"#attributes\":{\"ProcessID\":4,\"ThreadID\":5}},"        \
    "\"Security\":{\"#attributes\":{\"UserID\":\"S-1\"}},"                     \
    "\"Channel\":\"Security\",\"Computer\":\"PC\""
#define SEPARATE                                                               \
    "\"Provider_attributes\":{\"Name\":\"P\"},\"EventID\":7,"                  \
    "\"EventID_attributes\":{\"Qualifiers\":0},"                               \
    "\"TimeCreated_attributes\":{\"SystemTime\":\"2021\"},"                    \
    "\"Execution_attributes\":{\"ProcessID\":4,\"ThreadID\":5},"               \
    "\"Security_attributes\":{\"UserID\":\"S-2\"}"
#define TIME "Event.System.TimeCreated.#attributes.SystemTime"

static const shape_case cases[] = {
    /* evtx_dump, attributes inside */
    {"Image", EVTX(SYSTEM, "{\"Image\":\"x\"}"), "\"x\""},
    {"EventID", EVTX(SYSTEM, "{}"), "4624"},
    {"EventID", EVTX("\"EventID\":1", "null"), "1"},
    {"Channel", EVTX(SYSTEM, "null"), "\"Security\""},
    {"Computer", EVTX(SYSTEM, "null"), "\"PC\""},
    {"Provider_Name", EVTX(SYSTEM, "{}"), "\"P\""},
    {"Provider_Guid", EVTX(SYSTEM, "{}"), "\"G\""},
    {"ProcessID", EVTX(SYSTEM, "{}"), "4"},
    {"ThreadID", EVTX(SYSTEM, "{}"), "5"},
    {"UserID", EVTX(SYSTEM, "{}"), "\"S-1\""},
    {"TimeCreated", EVTX(SYSTEM, "{}"), "\"2020\""},
    {"SystemTime", EVTX(SYSTEM, "{}"), "\"2020\""},
    {TIME, EVTX(SYSTEM, "{}"), "\"2020\""},
    {"Event.System.EventID", EVTX(SYSTEM, "{}"), "4624"},
    {"Event.System.EventID.#text", EVTX(SYSTEM, "{}"), "4624"},
    {"Event.System.EventID.#attributes.Qualifiers", EVTX(SYSTEM, "{}"), "0"},
    {"Event.System.Channel", EVTX(SYSTEM, "{}"), "\"Security\""},
    {"Event.EventData.Image", EVTX(SYSTEM, "{\"Image\":\"x\"}"), "\"x\""},
    {"Nothing", EVTX(SYSTEM, "{\"Image\":\"x\"}"), "-"},
    /* attributes beside */
    {"EventID", EVTX(SEPARATE, "{}"), "7"},
    {"Provider_Name", EVTX(SEPARATE, "{}"), "\"P\""},
    {"ProcessID", EVTX(SEPARATE, "{}"), "4"},
    {"ThreadID", EVTX(SEPARATE, "{}"), "5"},
    {"UserID", EVTX(SEPARATE, "{}"), "\"S-2\""},
    {"TimeCreated", EVTX(SEPARATE, "{}"), "\"2021\""},
    {"SystemTime", EVTX(SEPARATE, "{}"), "\"2021\""},
    {TIME, EVTX(SEPARATE, "{}"), "\"2021\""},
    /* #text */
    {"Data", EVTX("", "{\"Data\":{\"#text\":[\"a\",\"b\"]}}"), "\"a\" | \"b\""},
    {"Data", EVTX("", "{\"Data\":[{\"#text\":\"a\"},\"b\",{\"x\":1}]}"),
     "\"a\" | \"b\" | {}"},
    {"Data", EVTX("", "{\"Data\":{\"#text\":null}}"), "null"},
    {"Data", EVTX("", "{\"Data\":{\"#text\":[]}}"), "[]"},
    {"Data", EVTX("", "{\"Data\":{\"#attributes\":{\"Name\":\"n\"}}}"), "{}"},
    {"Data", EVTX("", "{\"Data\":{\"#text\":1,\"#text\":2}}"), "2"},
    {"Data", EVTX("", "{\"Data\":{\"#text\":1},\"Data\":{}}"), "{}"},
    {"Data", "{\"Data\":{\"#text\":1}}", "{}"},
    {"a.Data", "{\"a\":{\"Data\":{\"#text\":1}}}", "{}"},
    {"Event", "{\"Event\":{\"#text\":1,\"System\":{}}}", "{}"},
    {"#text", EVTX("", "{\"#text\":5}"), "5"},
    /* places in order */
    {"X", EVTX("\"X\":3", "{\"X\":1}"), "1"},
    {"X",
     "{\"Event\":{\"System\":{\"X\":3},\"UserData\":{\"Any\":{\"X\":2}},"
     "\"EventData\":{\"Y\":1}}}",
     "2"},
    {"X", "{\"Event\":{\"System\":{\"X\":3},\"UserData\":{\"X\":2}}}", "3"},
    {"X", "{\"Event\":{\"System\":{},\"UserData\":{\"A\":{\"B\":{\"X\":2}}}}}",
     "-"},
    {"X", "{\"X\":0,\"Event\":{\"System\":{},\"EventData\":{\"X\":1}}}", "0"},
    {"X", "{\"X\":null,\"Event\":{\"EventData\":{\"X\":1}}}", "null"},
    {"a.b", "{\"a\":{\"b\":0},\"Event\":{\"EventData\":{\"a.b\":1}}}", "0"},
    {"a.b", "{\"Event\":{\"EventData\":{\"a.b\":1}}}", "1"},
    {"a.b", "{\"Event\":{\"EventData\":{\"a\":{\"b\":1}}}}", "-"},
    {"Product Name", EVTX("", "{\"Product Name\":\"y\"}"), "\"y\""},
    {"Provider_Name", EVTX(SYSTEM, "{\"Provider_Name\":\"own\"}"), "\"own\""},
    /* keys with blanks */
    {"ThreatName", EVTX("", "{\"Threat Name\":\"t\"}"), "\"t\""},
    {"ThreatName", EVTX("", "{\"Threat\\u0020Name\":\"t\"}"), "\"t\""},
    {"ThreatName", EVTX("", "{\"Threat Name\":{\"#text\":\"t\"}}"), "\"t\""},
    {"ThreatName", EVTX("", "{\"Threat Name\":1,\"ThreatName\":2}"), "2"},
    {"ThreatName", EVTX("", "{\"ThreatName\":null,\"Threat Name\":1}"), "null"},
    {"ThreatName", EVTX("", "{\"Threat Name\":1,\"Threat Name\":2}"), "2"},
    {"ThreatName", EVTX("", "{\" Threat Name\":1,\"ThreatName \":[2]}"),
     "1 | 2"},
    {"ThreatName", EVTX("", "{\"threat name\":1,\"Threat_Name\":2}"), "-"},
    {"Threat Name", EVTX("", "{\"ThreatName\":1,\"Threat  Name\":2}"), "-"},
    {"", EVTX("", "{\"  \":1}"), "1"},
    {"SourceName", EVTX("\"SourceName\":0", "{\"Source Name\":1}"), "1"},
    {"ThreatName",
     "{\"Event\":{\"System\":{\"Threat Name\":1},\"EventData\":{}}}", "-"},
    {"ThreatName",
     "{\"Event\":{\"System\":{},\"UserData\":{\"A\":{\"Threat Name\":1},"
     "\"B\":{\"ThreatName\":2}}}}",
     "2"},
    {"ThreatName",
     "{\"Event\":{\"System\":{},\"UserData\":{\"A\":{\"Threat Name\":1},"
     "\"B\":{\"T hreatName\":2}}}}",
     "1 | 2"},
    {"ThreatName", "{\"winlog\":{\"event_data\":{\"Threat Name\":1}}}", "1"},
    {"ThreatName", "{\"event_data\":{\"Threat Name\":1},\"event_id\":1}", "1"},
    {"ThreatName", "{\"Threat Name\":1}", "-"},
    /* what the log says, whatever the data are called */
    {"$Channel", EVTX(SYSTEM, "{\"Channel\":\"own\"}"), "\"Security\""},
    {"$EventID", EVTX(SYSTEM, "{\"EventID\":1}"), "4624"},
    {"$Provider", EVTX(SYSTEM, "{\"Provider_Name\":\"own\"}"), "\"P\""},
    {"$Provider", EVTX(SEPARATE, "{}"), "\"P\""},
    {"$Channel", "{\"winlog\":{\"channel\":\"c\",\"event_data\":{}}}", "\"c\""},
    {"$EventID", "{\"winlog\":{\"event_id\":\"1\"},\"event\":{\"code\":2}}",
     "\"1\""},
    {"$EventID", "{\"winlog\":{},\"event\":{\"code\":\"2\"}}", "\"2\""},
    {"$EventID", "{\"event\":{\"code\":\"2\"}}", "-"},
    {"$Channel",
     "{\"log_name\":\"c\",\"event_id\":1,\"event_data\":{\"Channel\":2}}",
     "\"c\""},
    {"$EventID", "{\"EventID\":3}", "3"},
    {"$Channel", "{\"Channel\":\"c\"}", "\"c\""},
    {"$Provider", "{\"SourceName\":\"s\"}", "\"s\""},
    /* UserData: any key between */
    {"P1",
     "{\"Event\":{\"System\":{},\"UserData\":{\"EventXML\":{\"P1\":\"x\"}}}}",
     "\"x\""},
    {"P1",
     "{\"Event\":{\"System\":{},\"UserData\":{\"A\":{\"P1\":1},"
     "\"B\":{\"P1\":{\"#text\":2}}}}}",
     "1 | 2"},
    {"P1",
     "{\"Event\":{\"System\":{},\"UserData\":{\"A\":{\"P1\":1},"
     "\"B\":{\"P1\":2},\"A\":{\"P1\":3}}}}",
     "2 | 3"},
    {"P1",
     "{\"Event\":{\"System\":{},\"UserData\":{\"A\":{\"P1\":1},"
     "\"\\u0041\":{}}}}",
     "-"},
    /* markers */
    {"X", "{\"Event\":{\"EventData\":{\"X\":1}}}", "1"},
    {"X", "{\"Event\":{\"System\":[],\"EventData\":[{\"X\":1}]}}", "-"},
    {"X", "{\"Event\":{\"System\":{},\"EventData\":[{\"X\":1}]}}", "1"},
    {"X", "{\"Event\":[{\"System\":{},\"EventData\":{\"X\":1}}]}", "-"},
    {"X", "{\"Event\":{\"UserData\":{\"A\":{\"X\":1}}}}", "-"},
    {"X", "{\"Event\":{\"EventData\":{\"X\":1}},\"Event\":{}}", "-"},
    {"X", "{\"Event\":{\"EventData\":{\"X\":1},\"EventData\":1}}", "-"},
    {"X", "{\"Event\":1,\"Event\":{\"EventData\":{\"X\":1}}}", "1"},
    /* Winlogbeat 7 */
    {"Image", "{\"winlog\":{\"event_data\":{\"Image\":\"x\"}}}", "\"x\""},
    {"Image", "{\"winlog\":{\"user_data\":{\"Image\":\"x\"}}}", "\"x\""},
    {"Image",
     "{\"winlog\":{\"user_data\":{\"Image\":1},\"event_data\":{\"Image\":2}}}",
     "2"},
    {"EventID", "{\"winlog\":{\"event_id\":\"11\"}}", "\"11\""},
    {"EventID", "{\"winlog\":{\"event_id\":1,\"event_data\":{\"EventID\":2}}}",
     "2"},
    {"EventID", "{\"winlog\":[{\"event_id\":1}]}", "-"},
    {"EventID", "{\"winlog.event_id\":1}", "-"},
    {"Message", "{\"winlog\":{},\"message\":\"m\"}", "\"m\""},
    {"Message", "{\"message\":\"m\"}", "-"},
    {"ThreadID", "{\"winlog\":{\"process\":{\"thread\":{\"id\":3}}}}", "3"},
    {"winlog.event_data.Image",
     "{\"winlog\":{\"event_data\":{\"Image\":\"x\"}}}", "\"x\""},
    {"process.executable", "{\"process\":{\"executable\":\"x\"}}", "\"x\""},
    /* Winlogbeat 6 */
    {"Image", "{\"event_data\":{\"Image\":1},\"log_name\":\"S\"}", "1"},
    {"Image", "{\"event_data\":{\"Image\":1},\"event_id\":null}", "1"},
    {"Image", "{\"event_data\":{\"Image\":1}}", "-"},
    {"Image", "{\"event_data\":[{\"Image\":1}],\"event_id\":1}", "-"},
    {"EventID", "{\"event_id\":5,\"event_data\":{}}", "5"},
    {"EventID", "{\"event_id\":5,\"user_data\":{}}", "5"},
    {"EventID", "{\"event_id\":5}", "-"},
    {"Channel", "{\"log_name\":\"S\",\"event_data\":{}}", "\"S\""},
    {"Computer",
     "{\"log_name\":\"S\",\"event_data\":{},\"computer_name\":\"c\"}", "\"c\""},
    {"Provider_Name",
     "{\"log_name\":\"S\",\"event_data\":{},\"source_name\":\"p\"}", "\"p\""},
    /* flat */
    {"Computer", "{\"Hostname\":\"h\"}", "\"h\""},
    {"Computer", "{\"Hostname\":\"h\",\"Computer\":\"c\"}", "\"c\""},
    {"Computer", "{\"Hostname\":\"h\",\"Computer\":null}", "null"},
    {"Provider_Name", "{\"SourceName\":\"s\"}", "\"s\""},
    {"Provider_Name", "{\"SourceName\":\"s\",\"Provider_Name\":\"p\"}",
     "\"p\""},
    {"Hostname", "{\"Computer\":\"c\"}", "-"},
    {"EventID", "{\"EventID\":1}", "1"},
    {"Computer", "{\"Hostname\":\"h\",\"Event\":{\"System\":{\"Computer\":1}}}",
     "1"},
};

static void test_cases(void)
{
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const int before = test_failures;
        sg_buf have = fields_of(sg_str_of(cases[i].line), cases[i].name);
        CHECK_STR(sg_buf_str(&have), sg_str_of(cases[i].want));
        if (test_failures != before)
            printf("  %s of %s\n", cases[i].name, cases[i].line);
        sg_buf_free(&have);
    }
}

/* Wants that name a place under the wildcard step share it with the rows. */
static void test_wildcard_shared(void)
{
    const sr_want wants[] = {{SG_LIT("Event.UserData.A.X"), 0, false},
                             {SG_LIT("X"), 1, false},
                             {SG_LIT("Event.UserData.A"), 2, false},
                             {SG_LIT("Event.UserData.A.X.Y"), 3, false}};
    static const char *const want[] = {"1 | {} | 3", "0 | 1 | {} | 3 | 4", "{}",
                                       "2"};
    sg_arena arena = {0};
    const sr_plan *plan = sr_plan_new(&arena, wants, 4);
    sr_event event;
    sr_fault fault;

    sr_event_init(&event, 4);
    sr_event_begin(&event,
                   SG_S("{\"Event\":{\"System\":{},\"UserData\":{\"0\":{\"X\":0"
                        "},\"A\":{\"X\":[1,{\"Y\":2},{\"#text\":3}]},"
                        "\"Z\":{\"X\":4}}}}"));
    CHECK(sr_project(plan, &event, &fault));
    for (uint32_t slot = 0; slot < 4; slot++) {
        sg_buf have = {0};
        fields_put_slot(&have, &event, slot);
        CHECK_STR(sg_buf_str(&have), sg_str_of(want[slot]));
        sg_buf_free(&have);
    }
    sr_event_free(&event);
    sg_arena_free(&arena);
}

/* The members of an object with "found" at a dotted path; %F is `field`. */
static void put_path(sg_buf *out, sg_str path, sg_str field)
{
    const size_t dot = sg_str_find(path, SG_S("."));
    const sg_str step = sg_str_sub(path, 0, dot);

    if (sg_str_eq(step, SG_S("%S")))
        sg_buf_putz(out, "\"So me.Fie ld\"");
    else
        sg_buf_put_json(out, sg_str_eq(step, SG_S("%F")) ? field : step);
    sg_buf_putc(out, ':');
    if (dot == SIZE_MAX) {
        sg_buf_putz(out, "\"found\"");
        return;
    }
    sg_buf_putc(out, '{');
    put_path(out, sg_str_sub(path, dot + 1, path.len), field);
    sg_buf_putc(out, '}');
}

/* Each row finds a value at its path in an event with the shape's markers,
 * which stand where the path does not override them. */
static void test_rows(void)
{
    static const char *const markers[SR_SHAPE_COUNT] = {
        [SR_SHAPE_EVTX] = "{\"Event\":{\"System\":{},\"EventData\":{},",
        [SR_SHAPE_WINLOG] = "{\"winlog\":{},",
        [SR_SHAPE_BEAT6] = "{\"log_name\":1,\"event_data\":{},",
        [SR_SHAPE_FLAT] = "{",
    };
    for (uint32_t i = 0; i < sr_shape_row_count; i++) {
        const sr_shape_row *row = &sr_shape_rows[i];
        const bool evtx = row->shape == SR_SHAPE_EVTX;
        const sg_str name = row->name.len == 0 ? SG_S("Some.Field") : row->name;
        sg_buf line = {0}, have;

        sg_buf_putz(&line, markers[row->shape]);
        put_path(&line, sg_str_sub(row->path, evtx ? 6 : 0, row->path.len),
                 name);
        sg_buf_putz(&line, evtx ? "}}" : "}");
        have = fields_of(sg_buf_str(&line), name.ptr);
        CHECK_STR(sg_buf_str(&have), SG_S("\"found\""));
        sg_buf_free(&line);
        sg_buf_free(&have);
    }
}

/* A key with blanks that is wanted as it is serves both names. */
static void test_spaced_shared(void)
{
    const sr_want wants[] = {{SG_LIT("Threat Name"), 0, false},
                             {SG_LIT("ThreatName"), 1, false},
                             {SG_LIT(""), 2, true}};
    static const char *const want[] = {"2", "1 | 2", "1 | 2 | 3"};
    sg_arena arena = {0};
    sr_event event;
    sr_fault fault;

    for (uint32_t count = 2; count <= 3; count++) { /* with keywords, too */
        sr_event_init(&event, 3);
        sr_event_begin(&event,
                       SG_S("{\"winlog\":{\"event_data\":{\"Threat Name\":0,"
                            "\"Th reatName\":1,\"Threat Name\":[2],"
                            "\"Other Name\":3}}}"));
        CHECK(sr_project(sr_plan_new(&arena, wants, count), &event, &fault));
        for (uint32_t slot = 0; slot < count; slot++) {
            sg_buf have = {0};
            fields_put_slot(&have, &event, slot);
            CHECK_STR(sg_buf_str(&have), sg_str_of(want[slot]));
            sg_buf_free(&have);
        }
        sr_event_free(&event);
    }
    sg_arena_free(&arena);
}

int main(void)
{
    test_cases();
    test_spaced_shared();
    test_wildcard_shared();
    test_rows();
    return TEST_END();
}
