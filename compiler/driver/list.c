/*
 * list.c - `sigcc list`: what the tables of the compiler and the runtime hold,
 * as aligned columns or as JSON. Reads the tables themselves, so it cannot
 * fall behind them.
 */
#include "driver/driver.h"
#include "yaml/ytree.h"

enum { MAX_COLUMNS = 4 };

typedef struct row {
    sg_str cells[MAX_COLUMNS];
} row;

typedef struct table {
    sc_session *session;
    const char *columns[MAX_COLUMNS];
    uint32_t column_count;
    uint32_t shown; /* columns of the text; JSON has them all */
    SG_VEC(row) rows;
} table;

static void add(table *t, row r)
{
    SG_PUSH(&t->session->arena, &t->rows, r);
}

/* "TEXT | NUM" as "text, num". */
static sg_str words(table *t, const char *flags)
{
    sg_buf out = {0};
    sg_str text;

    for (const char *p = flags; *p != '\0'; p++) {
        if (*p == '|')
            sg_buf_putc(&out, ',');
        else if (*p >= 'A' && *p <= 'Z')
            sg_buf_putc(&out, (char)(*p - 'A' + 'a'));
        else if (*p != ' ' || p[1] != '|')
            sg_buf_putc(&out, *p);
    }
    text = sg_arena_dup(&t->session->arena, sg_buf_str(&out));
    sg_buf_free(&out);
    return text;
}

/* -------- topics --------------------------------------------------------- */

static void list_modifiers(table *t)
{
    *t = (table){t->session, {"name", "alias", "takes", "meaning"}, 4, 4, {0}};
#define MOD(name, alias, takes, apply, arg, doc)                               \
    add(t, (row){{SG_S(#name), SG_S(alias), words(t, #takes), SG_S(doc)}});
#include "sigma/modifiers.def"
#undef MOD
}

static void list_transforms(table *t)
{
    *t = (table){
        t->session, {"name", "status", "meaning", "parameters"}, 4, 3, {0}};
#define XFORM(name, params, check, apply, doc)                                 \
    add(t, (row){{SG_S(#name), SG_S("supported"), SG_S(doc), SG_S(params)}});
#define REFUSED(name, doc)                                                     \
    add(t, (row){{SG_S(#name), SG_S("refused"), SG_S(doc), SG_S("")}});
#include "resolve/transforms.def"
#undef REFUSED
#undef XFORM
}

static void list_inputs(table *t)
{
    *t = (table){t->session, {"name", "meaning"}, 2, 2, {0}};
#define INPUT(name, doc) add(t, (row){{SG_S(#name), SG_S(doc)}});
#include "input/inputs.def"
#undef INPUT
}

static void list_outputs(table *t)
{
    *t = (table){t->session, {"name", "meaning"}, 2, 2, {0}};
#define OUTPUT(name, text, doc) add(t, (row){{SG_S(text), SG_S(doc)}});
#include "output/outputs.def"
#undef OUTPUT
}

/* The text of a key of a pipeline, or nothing. */
static sg_str pipeline_text(const sc_y *root, const char *key)
{
    const sc_y *value = NULL;

    if (root->kind == SC_Y_MAP)
        value = sc_y_get(root, key);
    return value != NULL && sc_y_is_scalar(value) ? value->text : SG_S("");
}

static void list_pipelines(table *t)
{
    sc_session *s = t->session;
    sc_strs names = {0};

    *t = (table){s, {"name", "priority", "meaning"}, 3, 3, {0}};
    sc_path_pipelines(&s->arena, &names);
    for (uint32_t i = 0; i < names.count; i++) {
        const sg_str path = sc_path_pipeline(&s->arena, names.items[i]);
        const sc_y_doc *docs = NULL;
        uint32_t source, count = 0;
        row r = {{names.items[i], SG_S(""), SG_S("")}};
        if (path.len > 0 && sc_source_open(s, path, &source))
            docs = sc_yaml_parse(s, source, &count);
        if (count > 0) {
            r.cells[1] = pipeline_text(docs[0].root, "priority");
            r.cells[2] = pipeline_text(docs[0].root, "name");
        }
        add(t, r);
    }
}

static void list_enrichments(table *t)
{
    sc_session *s = t->session;
    sc_strs names = {0};

    *t = (table){s, {"name", "meaning"}, 2, 2, {0}};
    sc_path_enrichments(&s->arena, &names);
    for (uint32_t i = 0; i < names.count; i++) {
        const sg_str path = sc_path_enrichment(&s->arena, names.items[i]);
        const sc_y_doc *docs = NULL;
        uint32_t source, count = 0;
        row r = {{names.items[i], SG_S("")}};
        if (path.len > 0 && sc_source_open(s, path, &source))
            docs = sc_yaml_parse(s, source, &count);
        if (count > 0)
            r.cells[1] = pipeline_text(docs[0].root, "name");
        add(t, r);
    }
}

static void list_correlations(table *t)
{
    *t = (table){t->session, {"name", "condition", "meaning"}, 3, 3, {0}};
#define CORR(name, text, operand, doc)                                         \
    add(t, (row){{SG_S(text), words(t, #operand), SG_S(doc)}});
#include "sigma_correlations.def"
#undef CORR
}

static void list_logsources(table *t)
{
    *t = (table){
        t->session, {"product", "category", "service", "marks"}, 4, 4, {0}};
#define SOURCE(product, category, service, marks)                              \
    add(t, (row){{SG_S(product), SG_S(category), SG_S(service), SG_S(marks)}});
#include "ir/logsources.def"
#undef SOURCE
}

static void list_operators(table *t)
{
    *t = (table){t->session, {"name", "operands", "meaning"}, 3, 3, {0}};
#define OP(name, text, operand, cost, doc)                                     \
    add(t, (row){{SG_S(text), words(t, #operand), SG_S(doc)}});
#include "sigma_ops.def"
#undef OP
}

static void list_diagnostics(table *t)
{
    *t =
        (table){t->session, {"code", "severity", "name", "meaning"}, 4, 3, {0}};
#define SC_ERROR "error"
#define SC_WARNING "warning"
#define SC_NOTE "note"
#define DIAG(code, severity, slug, hint, doc)                                  \
    add(t, (row){{SG_S(#code), SG_S(severity), SG_S(slug), SG_S(doc)}});
#include "base/diag_codes.def"
#undef DIAG
#undef SC_NOTE
#undef SC_WARNING
#undef SC_ERROR
}

/* -------- printing ------------------------------------------------------- */

static void put_cell(sg_buf *out, sg_str text, size_t width)
{
    const size_t start = out->len;

    sc_put_safe(out, text);
    if (out->len - start < width)
        sg_buf_printf(out, "%*s", (int)(width - (out->len - start)), "");
}

static void put_text(sg_buf *out, const table *t)
{
    size_t widths[MAX_COLUMNS] = {0};
    row head;

    for (uint32_t c = 0; c < t->shown; c++) {
        head.cells[c] = sg_str_of(t->columns[c]);
        widths[c] = head.cells[c].len;
        for (uint32_t i = 0; i < t->rows.count; i++)
            if (t->rows.items[i].cells[c].len > widths[c])
                widths[c] = t->rows.items[i].cells[c].len;
    }
    for (uint32_t i = 0; i <= t->rows.count; i++) {
        const row *r = i == 0 ? &head : &t->rows.items[i - 1];
        for (uint32_t c = 0; c < t->shown; c++)
            put_cell(out, r->cells[c], c + 1 < t->shown ? widths[c] + 2 : 0);
        sg_buf_putc(out, '\n');
    }
}

static void put_json(sg_buf *out, const table *t, sg_str topic)
{
    sg_buf_putz(out, "{\"schema\":\"sigcc.list/1\",\"topic\":");
    sg_buf_put_json(out, topic);
    sg_buf_putz(out, ",\"entries\":[");
    for (uint32_t i = 0; i < t->rows.count; i++) {
        for (uint32_t c = 0; c < t->column_count; c++) {
            sg_buf_printf(out, "%s\"%s\":",
                          c > 0   ? ","
                          : i > 0 ? ",{"
                                  : "{",
                          t->columns[c]);
            sg_buf_put_json(out, t->rows.items[i].cells[c]);
        }
        sg_buf_putc(out, '}');
    }
    sg_buf_putz(out, "]}\n");
}

int sc_cmd_list(sc_session *s, const sc_options *o)
{
    static const struct {
        sg_str name;
        void (*list)(table *);
    } topics[] = {
        {SG_LIT("modifiers"), list_modifiers},
        {SG_LIT("transforms"), list_transforms},
        {SG_LIT("inputs"), list_inputs},
        {SG_LIT("outputs"), list_outputs},
        {SG_LIT("pipelines"), list_pipelines},
        {SG_LIT("enrichments"), list_enrichments},
        {SG_LIT("correlations"), list_correlations},
        {SG_LIT("logsources"), list_logsources},
        {SG_LIT("operators"), list_operators},
        {SG_LIT("diagnostics"), list_diagnostics},
    };
    table t = {.session = s};
    sg_buf out = {0};

    for (size_t i = 0; i < sizeof(topics) / sizeof(topics[0]); i++) {
        if (o->paths.count != 1 ||
            !sg_str_eq(o->paths.items[0], topics[i].name))
            continue;
        topics[i].list(&t);
        if (sg_str_eq(o->list_format, SG_S("json")))
            put_json(&out, &t, topics[i].name);
        else
            put_text(&out, &t);
        fwrite(out.ptr, 1, out.len, stdout);
        sg_buf_free(&out);
        return SC_EXIT_OK;
    }
    return sc_fail(SC_EXIT_USAGE,
                   "list takes one of: modifiers, transforms, inputs, outputs, "
                   "pipelines, enrichments, correlations, logsources, "
                   "operators, diagnostics\n"
                   "Try 'sigcc list --help'.");
}
