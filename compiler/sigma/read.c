/*
 * read.c - a source's documents to the AST: what kind each is, and how
 * `action:` documents join (semantics section 1).
 *
 *   global  a template; it overwrites the plain rules that follow, maps merge
 *   reset   forget the template
 *   repeat  this document over the previous rule, as a further rule
 *
 * A bad document is reported, marked rejected and left out; the others live.
 */
#include "sigma/reader.h"

typedef struct state {
    sc_reader r;
    sc_ast *ast;
    const sc_y *global;   /* template, or NULL */
    const sc_y *previous; /* the rule before, merged, or NULL */
} state;

/* Nodes of the tree, aliases expanded, as long as the budget lasts. */
static bool charge_nodes(sc_reader *r, const sc_y *y)
{
    if (r->nodes == 0)
        return false;
    r->nodes--;
    if (y->kind == SC_Y_SEQ)
        for (uint32_t i = 0; i < y->count; i++)
            if (!charge_nodes(r, y->items[i]))
                return false;
    if (y->kind == SC_Y_MAP)
        for (uint32_t i = 0; i < y->count; i++)
            if (!charge_nodes(r, y->pairs[i].key) ||
                !charge_nodes(r, y->pairs[i].value))
                return false;
    return true;
}

/* -------- merging -------------------------------------------------------- */

static const sc_y_pair *find_pair(const sc_y *map, const sc_y *key)
{
    for (uint32_t i = 0; i < map->count; i++)
        if (sc_y_is_scalar(map->pairs[i].key) &&
            sg_str_eq(map->pairs[i].key->text, key->text))
            return &map->pairs[i];
    return NULL;
}

static bool is_action(const sc_y *key)
{
    return sc_y_is_scalar(key) && sg_str_eq(key->text, SG_S("action"));
}

static const sc_y *merge(state *st, const sc_y *base, const sc_y *over,
                         bool top);

static sc_y_pair merge_pair(state *st, const sc_y_pair *base, const sc_y *over)
{
    const sc_y_pair *other = find_pair(over, base->key);
    sc_y_pair out = *base;

    if (other == NULL)
        return out;
    out = *other;
    if (base->value->kind == SC_Y_MAP && other->value->kind == SC_Y_MAP)
        out.value = merge(st, base->value, other->value, false);
    return out;
}

/* A map with the entries of both; `over` wins, but maps merge. `top`: leave
 * the action key out. Time is charged before it is spent; without budget the
 * result is incomplete, and merged() says so. */
static const sc_y *merge(state *st, const sc_y *base, const sc_y *over,
                         bool top)
{
    const uint64_t cost =
        ((uint64_t)base->count + 1) * ((uint64_t)over->count + 1) * 2;
    sg_arena *arena = &st->r.s->arena;
    SG_VEC(sc_y_pair) pairs = {0};
    sc_y *out;

    if (cost > st->r.merges) {
        st->r.merges = 0;
        return base;
    }
    st->r.merges -= cost;
    for (uint32_t i = 0; i < base->count; i++)
        if (!top || !is_action(base->pairs[i].key))
            SG_PUSH(arena, &pairs, merge_pair(st, &base->pairs[i], over));
    for (uint32_t i = 0; i < over->count; i++)
        if ((!top || !is_action(over->pairs[i].key)) &&
            find_pair(base, over->pairs[i].key) == NULL)
            SG_PUSH(arena, &pairs, over->pairs[i]);
    out = sg_new(arena, sc_y);
    *out = *base;
    out->pairs = pairs.items;
    out->count = pairs.count;
    return out;
}

/* merge(), or NULL when the source has used up its budget. */
static const sc_y *merged(state *st, const sc_y *base, const sc_y *over,
                          sc_span at)
{
    const sc_y *out = merge(st, base, over, true);

    if (st->r.merges > 0 && charge_nodes(&st->r, out))
        return out;
    sc_error(st->r.s, SC_E0506, at,
             "the 'action' documents of this file multiply to too much");
    return NULL;
}

/* -------- documents ------------------------------------------------------ */

static sg_str scalar_of(const sc_y *root, const char *key)
{
    const sc_y *y = sc_y_get(root, key);

    return y != NULL && sc_y_is_scalar(y) ? y->text : SG_S("");
}

/* Name the session's document for reports, before anything can fail. */
static void label_doc(sc_session *s, const sc_y *root)
{
    sc_doc *doc = &s->docs.items[s->doc];

    doc->title = scalar_of(root, "title");
    doc->id = scalar_of(root, "id");
    doc->name = scalar_of(root, "name");
}

/* A pySigma pipeline or an enrichment that lies among the rules. */
static bool is_other_file(const sc_y *root)
{
    return (sc_y_get(root, "transformations") != NULL ||
            sc_y_get(root, "enrich") != NULL) &&
           sc_y_get(root, "title") == NULL &&
           sc_y_get(root, "detection") == NULL;
}

/* What a document without action is. A plain rule takes the template. */
static bool read_plain(state *st, const sc_y *root)
{
    const sc_y *correlation = sc_y_get(root, "correlation");
    const sc_y *filter = sc_y_get(root, "filter");
    const sc_y *detection = sc_y_get(root, "detection");
    sg_arena *arena = &st->r.s->arena;
    sc_rule *rule;

    if ((correlation != NULL) + (filter != NULL) + (detection != NULL) > 1)
        return sc_error(st->r.s, SC_E0507, root->span,
                        "the document is several things at once; it may have "
                        "one of detection, correlation and filter");
    if (filter != NULL) {
        sc_filter *read = sc_read_filter(&st->r, root);

        if (read != NULL)
            SG_PUSH(arena, &st->ast->filters, read);
        return read != NULL;
    }
    if (correlation != NULL) {
        rule = sc_read_correlation(&st->r, root);
    } else {
        sc_aggregation agg = {0};

        st->previous = root;
        rule = sc_read_rule(&st->r, root, &agg);
        if (rule != NULL && agg.condition != NULL)
            return sc_lower_aggregation(&st->r, root, rule, &agg, st->ast);
    }
    if (rule != NULL)
        SG_PUSH(arena, &st->ast->rules, rule);
    return rule != NULL;
}

static bool is_plain_rule(const sc_y *root)
{
    return sc_y_get(root, "correlation") == NULL &&
           sc_y_get(root, "filter") == NULL;
}

static void skip_doc(sc_session *s)
{
    s->docs.items[s->doc].status = SC_DOC_SKIPPED;
}

static bool repeat(state *st, const sc_y *root, const sc_y *action)
{
    if (st->previous == NULL)
        return sc_error(st->r.s, SC_E0505, action->span,
                        "'action: repeat' without a rule before it");
    root = merged(st, st->previous, root, action->span);
    if (root == NULL)
        return false;
    label_doc(st->r.s, root);
    return read_plain(st, root);
}

static bool act(state *st, const sc_y *root, const sc_y *action)
{
    static const sg_str actions[] = {
        SG_LIT("global"),
        SG_LIT("repeat"),
        SG_LIT("reset"),
    };
    size_t which;

    if (!sc_y_is_scalar(action) ||
        !sc_one_of(action->text, actions, 3, &which)) {
        sc_error(st->r.s, SC_E0505, action->span, "unknown action '%.*s'",
                 SG_FMT(sc_show(st->r.s, sc_y_is_scalar(action) ? action->text
                                                                : SG_S(""))));
        if (!sc_y_is_scalar(action) ||
            !sc_hint_nearest(st->r.s, action->text, actions, 3))
            sc_hint(st->r.s, "known are: global, repeat, reset");
        return false;
    }
    if (which == 1)
        return repeat(st, root, action);
    st->global = which == 0 ? root : NULL;
    skip_doc(st->r.s);
    return true;
}

static bool read_root(state *st, const sc_y *root)
{
    const sc_y *action;

    if (root->kind != SC_Y_MAP) {
        sc_error(st->r.s, SC_E0105, root->span, "the document is %s, not a map",
                 sc_y_kind_name(root));
        sc_hint(st->r.s, "a rule starts with title, logsource and detection");
        return false;
    }
    label_doc(st->r.s, root);
    if (is_other_file(root)) {
        skip_doc(st->r.s);
        return true;
    }
    action = sc_y_get(root, "action");
    if (action != NULL)
        return act(st, root, action);
    if (st->global == NULL || !is_plain_rule(root))
        return read_plain(st, root);
    root = merged(st, root, st->global, root->span);
    if (root == NULL)
        return false;
    label_doc(st->r.s, root);
    return read_plain(st, root);
}

static bool read_doc(state *st, const sc_y_doc *doc)
{
    sc_doc_begin(st->r.s, doc->at);
    if (!charge_nodes(&st->r, doc->root))
        return sc_error(st->r.s, SC_E0506, doc->at,
                        "the file holds more than %u YAML nodes",
                        (unsigned)SC_READ_NODES);
    return read_root(st, doc->root);
}

void sc_read_source(sc_session *s, uint32_t source, sc_ast *ast)
{
    state st = {.ast = ast};
    uint32_t count = 0;
    const sc_y_doc *docs = sc_yaml_parse(s, source, &count);

    sc_reader_init(&st.r, s);
    for (uint32_t i = 0; i < count; i++)
        read_doc(&st, &docs[i]);
    s->doc = SIGMA_NONE;
}
