/*
 * collection.c - rules as a collection: the index of ids and names, references
 * of correlations, their order, cycles, what a rejected rule takes with it,
 * and which rules raise no alert of their own (semantics section 9).
 */
#include "resolve/pipeline.h"

#include <string.h>

/* -------- the index ------------------------------------------------------- */

static sg_str lower(sg_arena *arena, sg_str s)
{
    sg_str copy = sg_arena_dup(arena, s);
    char *p = sg_arena_alloc(arena, copy.len + 1, 1);

    for (size_t i = 0; i < copy.len; i++) {
        const char c = copy.ptr[i];
        p[i] = (char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
    }
    return (sg_str){p, copy.len};
}

static void index_key(sc_session *s, sc_index *ix, sg_map *map, sg_str key,
                      sc_rule *rule)
{
    bool found;
    uint32_t *cell = sg_map_put(&s->arena, map, key, &found);
    const uint32_t self = ix->entries.count;

    SG_PUSH(&s->arena, &ix->entries, ((sc_entry){rule, SIGMA_NONE}));
    if (!found) {
        *cell = self;
        return;
    }
    sc_entry *e = &ix->entries.items[*cell];
    s->doc = rule->doc;
    sc_warn(s, SC_W0550, rule->at, "another document is also called '%.*s'",
            SG_FMT(key));
    sc_note_at(s, e->rule->at, "the first one is here");
    ix->entries.items[self].next = e->next;
    e->next = self;
}

void sc_index_build(sc_session *s, const sc_ast *ast, sc_index *out)
{
    memset(out, 0, sizeof(*out));
    for (uint32_t i = 0; i < ast->rules.count; i++) {
        sc_rule *rule = ast->rules.items[i];
        if (rule->id.len != 0)
            index_key(s, out, &out->ids, lower(&s->arena, rule->id), rule);
        if (rule->name.len != 0)
            index_key(s, out, &out->names, rule->name, rule);
    }
    for (uint32_t i = 0; i < s->docs.count; i++) {
        const sc_doc *doc = &s->docs.items[i];
        bool found;
        if (doc->status != SC_DOC_REJECTED)
            continue;
        if (doc->id.len != 0)
            *sg_map_put(&s->arena, &out->rejected, lower(&s->arena, doc->id),
                        &found) = i;
        if (doc->name.len != 0)
            *sg_map_put(&s->arena, &out->rejected, doc->name, &found) = i;
    }
}

const sc_entry *sc_index_find(sc_session *s, const sc_index *index, sg_str text)
{
    const uint32_t *i = sg_map_get(&index->ids, lower(&s->arena, text));

    if (i == NULL)
        i = sg_map_get(&index->names, text);
    return i != NULL ? &index->entries.items[*i] : NULL;
}

/* -------- references ------------------------------------------------------ */

struct linker {
    sc_session *s;
    const sc_index *index;
};

/* A document that was rejected before it could be indexed, or NULL. */
static const sc_doc *find_rejected(const struct linker *l, sg_str text)
{
    const uint32_t *i =
        sg_map_get(&l->index->rejected, lower(&l->s->arena, text));

    if (i == NULL)
        i = sg_map_get(&l->index->rejected, text);
    return i != NULL ? &l->s->docs.items[*i] : NULL;
}

static void hint_names(const struct linker *l, sg_str text)
{
    const sc_entry *entries = l->index->entries.items;
    const uint32_t count = entries != NULL ? l->index->entries.count : 0;
    sg_str *names = sg_new_n(&l->s->arena, sg_str, (size_t)count + 1);
    size_t n = 0;

    for (uint32_t i = 0; i < count && i < 1000; i++)
        names[n++] = entries[i].rule->name;
    const sg_str near = sc_nearest(text, names, n);
    if (near.len != 0)
        sc_hint(l->s, "did you mean '%.*s'?", SG_FMT(near));
}

/* The rule of a reference; NULL when reported. */
static sc_rule *find_rule(const struct linker *l, sg_str text, sc_span at)
{
    sc_session *s = l->s;
    const sc_entry *e = sc_index_find(s, l->index, text);

    if (e == NULL) {
        const sc_doc *doc = find_rejected(l, text);
        if (doc != NULL) {
            sc_error(s, SC_E0553, at, "the rule '%.*s' was rejected",
                     SG_FMT(text));
            sc_note_at(s, doc->at, "this one");
            return NULL;
        }
        sc_error(s, SC_E0551, at, "no rule has the id or name '%.*s'",
                 SG_FMT(text));
        hint_names(l, text);
        return NULL;
    }
    if (e->next == SIGMA_NONE)
        return e->rule;
    sc_error(s, SC_E0550, at, "'%.*s' is the id or name of several documents",
             SG_FMT(text));
    sc_note_at(s, e->rule->at, "one of them");
    sc_note_at(s, l->index->entries.items[e->next].rule->at, "another");
    return NULL;
}

/* The reference among the correlation's that means a rule, or NULL. */
static sc_corr_rule_ref *ref_of(const sc_correlation *c, const sc_rule *rule)
{
    for (uint32_t i = 0; i < c->refs.count; i++) {
        if (c->refs.items[i].rule == rule)
            return &c->refs.items[i];
    }
    return NULL;
}

static void link_aliases(const struct linker *l, sc_correlation *c)
{

    for (uint32_t i = 0; i < c->aliases.count; i++) {
        sc_corr_alias *a = &c->aliases.items[i];
        for (uint32_t k = 0; k < a->rules.count; k++) {
            const sc_rule *rule =
                find_rule(l, a->rules.items[k], a->spans.items[k]);
            const sc_corr_rule_ref *ref = rule ? ref_of(c, rule) : NULL;
            if (ref != NULL) /* spelt alike from here on */
                a->rules.items[k] = ref->text;
        }
    }
}

static void link_refs(const struct linker *l, sc_correlation *c)
{
    for (uint32_t i = 0; i < c->refs.count; i++) {
        sc_corr_rule_ref *ref = &c->refs.items[i];
        if (ref->rule == NULL) /* parts of old aggregations are linked */
            ref->rule = find_rule(l, ref->text, ref->at);
    }
    link_aliases(l, c);
}

/* -------- derived fields of a correlation -------------------------------- */

static bool has_selection(const sc_rule *rule, sg_str name)
{
    for (uint32_t i = 0; i < rule->selections.count; i++)
        if (sg_str_eq(rule->selections.items[i].name, name))
            return true;
    return name.len == 0; /* the default */
}

static bool has_derive(const sc_rule *rule, sg_str field)
{
    for (uint32_t i = 0; i < rule->derives.count; i++)
        if (sg_str_eq(rule->derives.items[i].field, field))
            return true;
    return false;
}

/* Give a rule the derived field, unless it has one of that name. */
static bool lend_derive(sc_session *s, const sc_derive *derive, sc_rule *to)
{
    if (to->correlation != NULL || has_derive(to, derive->field))
        return true;
    for (uint32_t i = 0; i < derive->branches.count; i++) {
        const sc_derive_branch *b = &derive->branches.items[i];
        if (has_selection(to, b->selection))
            continue;
        sc_error(s, SC_E0530, b->at, "'%.*s' is not a selection of '%.*s'",
                 SG_FMT(b->selection), SG_FMT(to->title));
        sc_note_at(s, to->at, "this rule, which the correlation refers to");
        return false;
    }
    SG_PUSH(&s->arena, &to->derives, *derive);
    return true;
}

static void lend_derives(sc_session *s, const sc_rule *rule)
{
    const sc_correlation *c = rule->correlation;

    for (uint32_t i = 0; i < rule->derives.count; i++)
        for (uint32_t k = 0; k < c->refs.count; k++)
            if (c->refs.items[k].rule != NULL &&
                !lend_derive(s, &rule->derives.items[i], c->refs.items[k].rule))
                return;
}

/* -------- order and cycles ------------------------------------------------ */

/* The graph of references by position in ast->rules. */
struct graph {
    sc_session *s;
    sc_ast *ast;
    uint32_t *first;   /* per rule: its users in `users`, like CSR */
    uint32_t *users;   /* positions of correlations */
    uint32_t *pending; /* per rule: references not placed yet */
    uint32_t *depth;   /* per rule: correlations on the longest way down */
};

static uint32_t ref_count(const sc_rule *rule)
{
    return rule->correlation != NULL ? rule->correlation->refs.count : 0;
}

/* Position of what reference k of rule i means, or SIGMA_NONE. */
static uint32_t target(const struct graph *g, uint32_t i, uint32_t k)
{
    const sc_rule *to = g->ast->rules.items[i]->correlation->refs.items[k].rule;
    return to != NULL ? to->position : SIGMA_NONE;
}

static void build_graph(struct graph *g)
{
    sg_arena *arena = &g->s->arena;
    const uint32_t n = g->ast->rules.count;
    uint32_t edges = 0;

    g->first = sg_new_n(arena, uint32_t, (size_t)n + 2);
    g->pending = sg_new_n(arena, uint32_t, (size_t)n + 1);
    g->depth = sg_new_n(arena, uint32_t, (size_t)n + 1);
    for (uint32_t i = 0; i < n; i++)
        g->ast->rules.items[i]->position = i;
    for (uint32_t i = 0; i < n; i++) {
        for (uint32_t k = 0; k < ref_count(g->ast->rules.items[i]); k++) {
            const uint32_t t = target(g, i, k);
            if (t == SIGMA_NONE)
                continue;
            g->first[t + 1]++;
            g->pending[i]++;
            edges++;
        }
    }
    for (uint32_t i = 0; i < n; i++)
        g->first[i + 1] += g->first[i];
    g->users = sg_new_n(arena, uint32_t, (size_t)edges + 1);
    uint32_t *next = sg_new_n(arena, uint32_t, (size_t)n + 1);
    for (uint32_t i = 0; i < n; i++)
        next[i] = g->first[i];
    for (uint32_t i = 0; i < n; i++) {
        for (uint32_t k = 0; k < ref_count(g->ast->rules.items[i]); k++) {
            const uint32_t t = target(g, i, k);
            if (t != SIGMA_NONE)
                g->users[next[t]++] = i;
        }
    }
}

/* Positions so that each follows all it refers to; returns how many. What
 * hangs on a cycle is left out and keeps pending references. */
static uint32_t sort_graph(struct graph *g, uint32_t *order)
{
    const uint32_t n = g->ast->rules.count;
    uint32_t count = 0;

    for (uint32_t i = 0; i < n; i++) {
        if (g->pending[i] == 0)
            order[count++] = i;
    }
    for (uint32_t at = 0; at < count; at++) {
        const uint32_t i = order[at];
        for (uint32_t u = g->first[i]; u < g->first[i + 1]; u++) {
            const uint32_t user = g->users[u];
            if (g->depth[user] < g->depth[i] + 1)
                g->depth[user] = g->depth[i] + 1;
            if (--g->pending[user] == 0)
                order[count++] = user;
        }
    }
    return count;
}

/* Of what hangs on cycles, take away what nothing there refers to: the rest
 * are the cycles themselves. */
static void report_cycles(struct graph *g)
{
    const uint32_t n = g->ast->rules.count;
    uint32_t *users = sg_new_n(&g->s->arena, uint32_t, (size_t)n + 1);
    uint32_t *todo = sg_new_n(&g->s->arena, uint32_t, (size_t)n + 1);
    uint32_t count = 0;

    for (uint32_t i = 0; i < n; i++) {
        for (uint32_t u = g->first[i]; u < g->first[i + 1]; u++)
            users[i] += g->pending[g->users[u]] != 0;
        if (g->pending[i] != 0 && users[i] == 0)
            todo[count++] = i;
    }
    for (uint32_t at = 0; at < count; at++) {
        const uint32_t i = todo[at];
        for (uint32_t k = 0; k < ref_count(g->ast->rules.items[i]); k++) {
            const uint32_t t = target(g, i, k);
            if (t != SIGMA_NONE && g->pending[t] != 0 && --users[t] == 0)
                todo[count++] = t;
        }
    }
    for (uint32_t i = 0; i < n; i++) {
        const sc_rule *rule = g->ast->rules.items[i];
        if (g->pending[i] == 0 || rule->correlation == NULL)
            continue;
        g->s->doc = rule->doc;
        if (users[i] != 0)
            sc_error(g->s, SC_E0552, rule->correlation->at,
                     "the correlation refers to itself in the end");
        else
            sc_error(g->s, SC_E0553, rule->correlation->at,
                     "the correlation depends on a cycle of correlations");
    }
}

static void check_depth(const struct graph *g)
{
    for (uint32_t i = 0; i < g->ast->rules.count; i++) {
        const sc_rule *rule = g->ast->rules.items[i];
        if (g->pending[i] != 0 || g->depth[i] <= SC_MAX_NEST ||
            rule->correlation == NULL)
            continue;
        g->s->doc = rule->doc;
        sc_error(g->s, SC_E0554, rule->correlation->at,
                 "more than %d correlations on top of each other", SC_MAX_NEST);
    }
}

void sc_link(sc_session *s, sc_ast *ast, const sc_index *index)
{
    const struct linker l = {s, index};
    struct graph g = {.s = s, .ast = ast};
    const uint32_t n = ast->rules.count;

    for (uint32_t i = 0; i < n; i++) {
        sc_rule *rule = ast->rules.items[i];
        s->doc = rule->doc;
        if (rule->correlation != NULL) {
            link_refs(&l, rule->correlation);
            lend_derives(s, rule);
        }
    }
    build_graph(&g);
    uint32_t *order = sg_new_n(&s->arena, uint32_t, (size_t)n + 1);
    const uint32_t count = sort_graph(&g, order);
    report_cycles(&g);
    check_depth(&g);
    sc_rule **sorted = sg_new_n(&s->arena, sc_rule *, (size_t)n + 1);
    for (uint32_t i = 0; i < count; i++)
        sorted[i] = ast->rules.items[order[i]];
    ast->rules.items = sorted;
    ast->rules.count = count;
    ast->rules.cap = n + 1;
}

/* -------- rejected rules and hidden ones ---------------------------------- */

static void reject_with_refs(sc_session *s, const sc_rule *rule)
{
    const sc_correlation *c = rule->correlation;

    for (uint32_t i = 0; i < c->refs.count && sc_doc_ok(s, rule->doc); i++) {
        const sc_corr_rule_ref *ref = &c->refs.items[i];
        if (ref->rule == NULL || sc_doc_ok(s, ref->rule->doc))
            continue;
        s->doc = rule->doc;
        sc_error(s, SC_E0553, ref->at, "the rule '%.*s' was rejected",
                 SG_FMT(ref->text));
        sc_note_at(s, ref->rule->at, "this one");
    }
}

void sc_cascade(sc_session *s, sc_ast *ast)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < ast->rules.count; i++) {
        sc_rule *rule = ast->rules.items[i];
        if (rule->correlation != NULL)
            reject_with_refs(s, rule);
        if (sc_doc_ok(s, rule->doc))
            ast->rules.items[count++] = rule;
    }
    ast->rules.count = count;
}

void sc_mark_hidden(sc_ast *ast)
{
    for (uint32_t pass = 0; pass < 2; pass++) {
        for (uint32_t i = 0; i < ast->rules.count; i++) {
            const sc_correlation *c = ast->rules.items[i]->correlation;
            if (c == NULL || c->generate != (pass == 1))
                continue;
            for (uint32_t k = 0; k < c->refs.count; k++)
                c->refs.items[k].rule->hidden = pass == 0;
        }
    }
}
