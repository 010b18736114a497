/*
 * resolve.c - the order of things: names, references, filters, pipelines and
 * placeholders, then what is left over. See resolve.h.
 */
#include "resolve/pipeline.h"

static void check_names(sc_session *s, sc_ast *ast)
{
    for (uint32_t i = 0; i < ast->rules.count; i++) {
        sc_rule *rule = ast->rules.items[i];
        if (rule->spaces == 0)
            rule->spaces = 1;
        sc_check_rule(s, rule);
    }
    for (uint32_t i = 0; i < ast->filters.count; i++)
        sc_check_filter(s, ast->filters.items[i]);
}

void sc_resolve(sc_session *s, sc_ast *ast, const sc_pipelines *pipelines,
                const sc_placeholders *placeholders)
{
    const uint32_t doc = s->doc;
    sc_index index;
    sc_run run;

    check_names(s, ast);
    sc_index_build(s, ast, &index);
    sc_link(s, ast, &index);
    sc_cascade(s, ast);
    sc_filters_apply(s, ast, &index);
    sc_run_init(&run, s, pipelines, placeholders);
    for (uint32_t i = 0; i < ast->rules.count; i++)
        sc_run_rule(&run, ast->rules.items[i]);
    sc_run_free(&run);
    sc_cascade(s, ast);
    sc_mark_hidden(ast);
    s->doc = doc;
}
