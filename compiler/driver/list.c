/*
 * list.c - `sigcc list`: what the tables of the compiler hold, one line an
 * entry.
 */
#include "driver/driver.h"

static void put_row(sg_str name, sg_str doc)
{
    printf("%-28.*s %.*s\n", SG_FMT(name), SG_FMT(doc));
}

static void list_modifiers(sc_session *s)
{
    static const struct {
        sg_str name, alias, doc;
    } rows[] = {
#define MOD(name, alias, takes, apply, arg, doc)                               \
    {SG_LIT(#name), SG_LIT(alias), SG_LIT(doc)},
#include "sigma/modifiers.def"
#undef MOD
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        sg_str name = rows[i].name;
        if (rows[i].alias.len > 0)
            name = sg_arena_printf(&s->arena, "%.*s, %.*s", SG_FMT(name),
                                   SG_FMT(rows[i].alias));
        put_row(name, rows[i].doc);
    }
}

static void list_transforms(sc_session *s)
{
    sg_str name, doc;
    bool supported;
    const size_t count = sc_xform_list(0, &name, &supported, &doc);

    for (size_t i = 0; i < count; i++) {
        sc_xform_list(i, &name, &supported, &doc);
        if (!supported)
            doc = sg_arena_printf(&s->arena, "refused: %.*s", SG_FMT(doc));
        put_row(name, doc);
    }
}

static void list_pipelines(sc_session *s)
{
    sc_strs names = {0};

    sc_path_pipelines(&s->arena, &names);
    for (uint32_t i = 0; i < names.count; i++)
        printf("%.*s\n", SG_FMT(names.items[i]));
}

static void list_correlations(sc_session *s)
{
    (void)s;
#define CORR(name, text, operand, doc) put_row(SG_S(text), SG_S(doc));
#include "sigma_correlations.def"
#undef CORR
}

static void list_operators(sc_session *s)
{
    (void)s;
#define OP(name, text, operand, cost, doc) put_row(SG_S(text), SG_S(doc));
#include "sigma_ops.def"
#undef OP
}

static void list_diagnostics(sc_session *s)
{
    (void)s;
    for (int i = 0; i < SC_CODE_COUNT; i++)
        printf("%s %s\n", sc_code_name((sc_code)i), sc_code_slug((sc_code)i));
}

int sc_cmd_list(sc_session *s, const sc_options *o)
{
    static const struct {
        sg_str name;
        void (*list)(sc_session *);
    } topics[] = {
        {SG_LIT("modifiers"), list_modifiers},
        {SG_LIT("transforms"), list_transforms},
        {SG_LIT("pipelines"), list_pipelines},
        {SG_LIT("correlations"), list_correlations},
        {SG_LIT("operators"), list_operators},
        {SG_LIT("diagnostics"), list_diagnostics},
    };

    for (size_t i = 0; i < sizeof(topics) / sizeof(topics[0]); i++) {
        if (o->paths.count == 1 &&
            sg_str_eq(o->paths.items[0], topics[i].name)) {
            topics[i].list(s);
            return SC_EXIT_OK;
        }
    }
    return sc_fail(SC_EXIT_USAGE, "list takes one of: modifiers, transforms, "
                                  "pipelines, correlations, operators, "
                                  "diagnostics\nTry 'sigcc list --help'.");
}
