/*
 * pipeline.c - pySigma processing pipelines: reading the YAML and running the
 * steps over a rule. Whatever is not understood is refused by name; nothing in
 * a pipeline is skipped silently. Semantics section 11.
 */
#include "resolve/pipeline.h"

#include <string.h>

/* -------- the table of transformations ------------------------------------ */

static const sc_xform xforms[] = {
#define XFORM(name, params, check, apply, doc)                                 \
    {SG_LIT(#name), params, check, apply, doc},
#define REFUSED(name, doc) {SG_LIT(#name), NULL, NULL, NULL, doc},
#include "resolve/transforms.def"
#undef XFORM
#undef REFUSED
};

enum { XFORM_COUNT = sizeof(xforms) / sizeof(xforms[0]) };

static const sc_xform *find_xform(sc_session *s, const sc_y *type)
{
    sg_str names[XFORM_COUNT];

    for (size_t i = 0; i < XFORM_COUNT; i++) {
        names[i] = xforms[i].name;
        if (!sg_str_eq(xforms[i].name, type->text))
            continue;
        if (xforms[i].apply != NULL)
            return &xforms[i];
        sc_error(s, SC_E0406, type->span,
                 "transformation '%.*s' is not supported: %s",
                 SG_FMT(type->text), xforms[i].doc);
        return NULL;
    }
    sc_error(s, SC_E0403, type->span, "unknown transformation '%.*s'",
             SG_FMT(type->text));
    sg_str near = sc_nearest(type->text, names, XFORM_COUNT);
    if (near.len != 0)
        sc_hint(s, "did you mean '%.*s'?", SG_FMT(near));
    return NULL;
}

/* -------- reading steps --------------------------------------------------- */

static const char step_keys[] =
    "id:str type:str! rule_conditions:any rule_cond_op:=and/or "
    "rule_cond_expr:str rule_cond_not:bool detection_item_conditions:any "
    "detection_item_cond_op:=and/or detection_item_cond_expr:str "
    "detection_item_cond_not:bool field_name_conditions:any "
    "field_name_cond_op:=and/or field_name_cond_expr:str "
    "field_name_cond_not:bool";

static sc_step *read_step(sc_session *s, const sc_y *y)
{
    if (y->kind != SC_Y_MAP) {
        sc_error(s, SC_E0401, y->span, "a transformation must be a map");
        return NULL;
    }
    const sc_y *type = sc_y_get(y, "type");
    if (type == NULL || type->kind != SC_Y_STR) {
        sc_error(s, SC_E0405, y->span, "a transformation needs a type");
        return NULL;
    }
    sc_step *step = sg_new(&s->arena, sc_step);
    step->xform = find_xform(s, type);
    if (step->xform == NULL)
        return NULL;
    const char *const specs[] = {step_keys, step->xform->params};
    if (!sc_params_check(s, y, step->xform->name.ptr, specs, 2))
        return NULL;
    step->id = sc_param_str(y, "id");
    step->at = type->span;
    step->y = y;
    step->source = y->span.source;
    bool ok = sc_pconds_read(s, y, SC_ON_RULE, &step->on_rule);
    ok = sc_pconds_read(s, y, SC_ON_ITEM, &step->on_item) && ok;
    ok = sc_pconds_read(s, y, SC_ON_FIELD, &step->on_field) && ok;
    if (step->xform->check != NULL)
        ok = step->xform->check(s, step) && ok;
    return ok ? step : NULL;
}

static bool read_steps(sc_session *s, const sc_y *list, sc_steps *out)
{
    bool ok = true;

    if (list->kind != SC_Y_SEQ)
        return sc_error(s, SC_E0401, list->span,
                        "transformations must be a list, not %s",
                        sc_y_kind_name(list));
    if (list->count > SC_MAX_STEPS)
        return sc_error(s, SC_E0414, list->span, "more than %d transformations",
                        SC_MAX_STEPS);
    for (uint32_t i = 0; i < list->count; i++) {
        sc_step *step = read_step(s, list->items[i]);
        if (step != NULL)
            SG_PUSH(&s->arena, out, step);
        ok = ok && step != NULL;
    }
    return ok;
}

/* The nested steps are read like the outer ones; YAML bounds their depth. */
bool sc_check_nest(sc_session *s, sc_step *step)
{
    return read_steps(s, sc_y_get(step->y, "items"), &step->steps);
}

static uint32_t count_steps(const sc_steps *steps)
{
    uint32_t n = steps->count;

    for (uint32_t i = 0; i < steps->count; i++)
        n += count_steps(&steps->items[i]->steps);
    return n;
}

/* -------- reading pipelines ----------------------------------------------- */

/* Steps on query text: a detector has none. Types are checked, no more. */
static bool check_query_steps(sc_session *s, const sc_y *root, const char *key,
                              const sg_str *types, size_t count)
{
    const sc_y *list = sc_y_get(root, key);
    bool ok = true;

    if (list == NULL || list->kind == SC_Y_NULL)
        return true;
    if (list->kind != SC_Y_SEQ)
        return sc_error(s, SC_E0401, list->span, "%s must be a list", key);
    for (uint32_t i = 0; i < list->count; i++) {
        const sc_y *item = list->items[i];
        const sc_y *type =
            item->kind == SC_Y_MAP ? sc_y_get(item, "type") : NULL;
        if (type == NULL || type->kind != SC_Y_STR) {
            ok =
                sc_error(s, SC_E0405, item->span, "%s: a type is missing", key);
            continue;
        }
        bool known = false;
        for (size_t t = 0; t < count; t++)
            known = known || sg_str_eq(types[t], type->text);
        if (!known)
            ok = sc_error(s, SC_E0403, type->span, "%s: unknown type '%.*s'",
                          key, SG_FMT(type->text));
    }
    if (ok && list->count != 0)
        sc_warn(s, SC_W0450, list->span,
                "%s is about query text and has no effect on a detector", key);
    return ok;
}

static bool check_query_parts(sc_session *s, const sc_y *root)
{
    static const sg_str post[] = {SG_LIT("embed"),    SG_LIT("simple_template"),
                                  SG_LIT("template"), SG_LIT("json"),
                                  SG_LIT("replace"),  SG_LIT("nest")};
    static const sg_str final[] = {SG_LIT("concat"), SG_LIT("json"),
                                   SG_LIT("yaml"), SG_LIT("template"),
                                   SG_LIT("nested")};
    bool ok = check_query_steps(s, root, "postprocessing", post,
                                sizeof(post) / sizeof(post[0]));
    return check_query_steps(s, root, "finalizers", final,
                             sizeof(final) / sizeof(final[0])) &&
           ok;
}

static bool is_var(const sc_y *y)
{
    return y->kind == SC_Y_STR || y->kind == SC_Y_NUM;
}

/* Variables are texts and numbers, or lists of them. */
static bool check_vars(sc_session *s, const sc_y *vars)
{
    bool ok = true;

    if (vars->kind != SC_Y_MAP)
        return sc_error(s, SC_E0401, vars->span, "vars must be a map");
    for (uint32_t i = 0; i < vars->count; i++) {
        const sc_y *v = vars->pairs[i].value;
        bool good = is_var(v) || (v->kind == SC_Y_SEQ && v->count != 0);
        for (uint32_t k = 0; good && v->kind == SC_Y_SEQ && k < v->count; k++)
            good = is_var(v->items[k]);
        if (!good)
            ok = sc_error(s, SC_E0412, v->span,
                          "a variable must be text, a number or a list of "
                          "them");
    }
    return ok;
}

static bool read_root(sc_session *s, const sc_y *root, sc_pipeline *p)
{
    static const char *const keys[] = {
        "name:str priority:num vars:any transformations:any "
        "postprocessing:any finalizers:any allowed_backends:any"};
    const sc_y *y;

    if (!sc_params_check(s, root, "pipeline", keys, 1))
        return false;
    y = sc_y_get(root, "priority");
    if (y != NULL)
        p->priority = y->num;
    y = sc_y_get(root, "vars");
    bool ok = true;
    if (y != NULL && y->kind != SC_Y_NULL) {
        ok = check_vars(s, y);
        p->vars = ok ? y : NULL;
    }
    y = sc_y_get(root, "transformations");
    if (y != NULL && y->kind != SC_Y_NULL)
        ok = read_steps(s, y, &p->steps) && ok;
    if (count_steps(&p->steps) > SC_MAX_STEPS)
        ok = sc_error(s, SC_E0414, root->span, "more than %d transformations",
                      SC_MAX_STEPS);
    return check_query_parts(s, root) && ok;
}

/* Keep ascending priority; equal ones in the order given. */
static void insert(sc_session *s, sc_pipelines *out, sc_pipeline *p)
{
    SG_PUSH(&s->arena, &out->list, p);
    for (uint32_t i = out->list.count - 1; i > 0; i--) {
        sc_pipeline **a = &out->list.items[i - 1], **b = &out->list.items[i];
        if (sg_num_cmp((*a)->priority, (*b)->priority) <= 0)
            break;
        sc_pipeline *t = *a;
        *a = *b;
        *b = t;
    }
}

static bool read_source(sc_session *s, uint32_t source, sc_pipelines *out)
{
    const uint32_t errors = s->errors;
    uint32_t count = 0;
    const sc_y_doc *docs = sc_yaml_parse(s, source, &count);

    if (s->errors != errors)
        return false;
    if (count != 1) {
        const sc_span at = {source, 0, 0};
        return sc_error(s, SC_E0401, count > 1 ? docs[1].at : at,
                        "a pipeline file holds one document, not %u", count);
    }
    sc_pipeline *p = sg_new(&s->arena, sc_pipeline);
    if (!read_root(s, docs[0].root, p))
        return false;
    insert(s, out, p);
    return true;
}

bool sc_pipeline_read(sc_session *s, uint32_t source, sc_pipelines *out)
{
    const uint32_t doc = s->doc;

    s->doc = SIGMA_NONE; /* errors in a pipeline belong to no rule */
    bool ok = read_source(s, source, out);
    s->doc = doc;
    return ok;
}

/* -------- running --------------------------------------------------------- */

void sc_run_init(sc_run *run, sc_session *s, const sc_pipelines *pipes,
                 const sc_placeholders *placeholders)
{
    memset(run, 0, sizeof(*run));
    run->s = s;
    run->pipes = pipes;
    run->placeholders = placeholders;
    run->seen = sg_new_n(&s->arena, uint32_t, s->docs.count + 1);
}

void sc_run_free(sc_run *run)
{
    for (uint32_t i = 0; i < run->regexes.count; i++)
        sr_regex_free(run->regexes.items[i]);
    run->regexes.count = 0;
}

bool sc_run_fail(sc_run *run, const sc_step *step, sc_code code, sc_span at,
                 const char *fmt, ...)
{
    sg_buf buf = {0};
    va_list ap;

    va_start(ap, fmt);
    sg_buf_vprintf(&buf, fmt, ap);
    va_end(ap);
    sc_error(run->s, code, at, "%.*s", SG_FMT(sg_buf_str(&buf)));
    sg_buf_free(&buf);
    if (step != NULL)
        sc_note_at(run->s, step->at, "in this step of the pipeline");
    run->failed = true;
    return false;
}

bool sc_run_made(sc_run *run, const sc_step *step, size_t n)
{
    if (n <= SC_MAX_MADE - run->made) {
        run->made += (uint32_t)n;
        return true;
    }
    return sc_run_fail(run, step, SC_E0414, run->rule->at,
                       "the pipelines make more than %d values of this rule",
                       SC_MAX_MADE);
}

const sr_regex *sc_run_regex(sc_run *run, sg_str pattern)
{
    bool found;
    uint32_t *cell =
        sg_map_put(&run->s->arena, &run->regex_ids, pattern, &found);

    if (!found) {
        char reason[128];
        size_t offset;
        sr_regex *re =
            sr_regex_compile(pattern, 0, reason, sizeof(reason), &offset);
        if (re == NULL) /* it compiled when the pipeline was read */
            sg_fatal("a checked regular expression does not compile");
        *cell = run->regexes.count;
        SG_PUSH(&run->s->arena, &run->regexes, re);
    }
    return run->regexes.items[*cell];
}

bool sc_group_at(const size_t *ovector, int g, size_t *beg, size_t *end)
{
    if (g < 0 || g >= SR_REGEX_GROUPS)
        return false;
    *beg = ovector[2 * (size_t)g];
    *end = ovector[2 * (size_t)g + 1];
    return *beg != SIZE_MAX;
}

bool sc_run_any(sc_run *run, const sc_rule *rule,
                bool (*test)(const sc_rule *, const void *), const void *arg)
{
    SG_VEC(const sc_rule *) todo = {0};

    run->stamp++;
    SG_PUSH(&run->s->arena, &todo, rule);
    while (todo.count != 0) {
        const sc_rule *r = todo.items[--todo.count];
        if (run->seen[r->doc] == run->stamp)
            continue;
        run->seen[r->doc] = run->stamp;
        if (test(r, arg))
            return true;
        const sc_correlation *c = r->correlation;
        for (uint32_t i = 0; c != NULL && i < c->refs.count; i++) {
            if (c->refs.items[i].rule != NULL)
                SG_PUSH(&run->s->arena, &todo, c->refs.items[i].rule);
        }
    }
    return false;
}

static void mark(sc_run *run, const sc_step *step, sc_applied *applied)
{
    if (step->id.len != 0 && !sc_applied_has(applied, step->id))
        SG_PUSH(&run->s->arena, &applied->ids, step->id);
}

void sc_mark_item(sc_run *run, const sc_step *step, sc_item *item)
{
    mark(run, step, &item->applied);
}

void sc_mark_det(sc_run *run, const sc_step *step, sc_det *det)
{
    if (det->kind == SC_DET_ITEM)
        sc_mark_item(run, step, det->item);
    for (uint32_t i = 0; i < det->kids.count; i++)
        sc_mark_det(run, step, det->kids.items[i]);
}

bool sc_run_steps(sc_run *run, const sc_steps *steps)
{
    for (uint32_t i = 0; i < steps->count && !run->failed; i++) {
        const sc_step *step = steps->items[i];
        if (!sc_pconds_hold(run, &step->on_rule, NULL))
            continue;
        mark(run, step, &run->rule->applied);
        if (!step->xform->apply(run, step))
            return false;
    }
    return !run->failed;
}

void sc_run_rule(sc_run *run, sc_rule *rule)
{
    run->rule = rule;
    run->state.count = 0;
    run->tracked.count = 0;
    run->mapped = (sg_map){0};
    run->made = 0;
    run->failed = false;
    run->s->doc = rule->doc;
    for (uint32_t i = 0; run->pipes != NULL && i < run->pipes->list.count;
         i++) {
        if (!sc_run_steps(run, &run->pipes->list.items[i]->steps))
            return;
    }
    if (sc_doc_ok(run->s, rule->doc))
        sc_fill_rule(run, rule);
}

/* -------- walking a rule -------------------------------------------------- */

static sc_det *walk(sc_run *run, const sc_step *step, sc_det *det,
                    sc_item_change *change)
{
    uint32_t count = 0;

    if (run->failed)
        return det;
    if (det->kind == SC_DET_ITEM) {
        if (!sc_step_takes_item(run, step, det->item))
            return det;
        return change(run, step, det);
    }
    for (uint32_t i = 0; i < det->kids.count; i++) {
        sc_det *kid = walk(run, step, det->kids.items[i], change);
        if (kid != NULL)
            det->kids.items[count++] = kid;
    }
    det->kids.count = count;
    return count != 0 ? det : NULL;
}

bool sc_each_item(sc_run *run, const sc_step *step, sc_item_change *change)
{
    for (uint32_t i = 0; i < run->rule->selections.count; i++) {
        sc_selection *sel = &run->rule->selections.items[i];
        if (sel->det != NULL)
            sel->det = walk(run, step, sel->det, change);
    }
    return !run->failed;
}

void sc_put_values(sc_session *s, const sc_item *item, const sc_value *old,
                   const sc_values *made, sc_values *out)
{
    if (item->all && made->count > 1) {
        sc_value any = {.kind = SC_V_EXPANSION, .at = old->at};
        for (uint32_t i = 0; i < made->count; i++)
            SG_PUSH(&s->arena, &any.kids, made->items[i]);
        SG_PUSH(&s->arena, out, any);
        return;
    }
    for (uint32_t i = 0; i < made->count; i++)
        SG_PUSH(&s->arena, out, made->items[i]);
}

/* Change the values of one item; true when any changed. */
static bool change_values(sc_run *run, const sc_step *step, sc_item *item,
                          sc_value_change *change)
{
    sc_values out = {0};
    bool changed = false;

    for (uint32_t i = 0; i < item->values.count; i++) {
        const sc_value *v = &item->values.items[i];
        sc_values made = {0};
        if (!change(run, step, item, v, &made)) {
            SG_PUSH(&run->s->arena, &out, *v);
            continue;
        }
        if (run->failed || !sc_run_made(run, step, made.count))
            return false;
        changed = true;
        sc_put_values(run->s, item, v, &made, &out);
    }
    if (run->failed || !changed || out.count == 0)
        return false;
    item->values.items = out.items;
    item->values.count = out.count;
    item->values.cap = out.cap;
    return true;
}

bool sc_each_value(sc_run *run, const sc_step *step, sc_value_change *change)
{
    for (uint32_t i = 0; i < run->rule->selections.count; i++) {
        SG_VEC(sc_det *) todo = {0};
        if (run->rule->selections.items[i].det == NULL)
            continue;
        SG_PUSH(&run->s->arena, &todo, run->rule->selections.items[i].det);
        while (todo.count != 0 && !run->failed) {
            sc_det *det = todo.items[--todo.count];
            for (uint32_t k = det->kids.count; k > 0; k--)
                SG_PUSH(&run->s->arena, &todo, det->kids.items[k - 1]);
            if (det->kind != SC_DET_ITEM ||
                !sc_step_takes_item(run, step, det->item))
                continue;
            if (change_values(run, step, det->item, change))
                sc_mark_item(run, step, det->item);
        }
    }
    return !run->failed;
}
