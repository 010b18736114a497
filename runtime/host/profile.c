/*
 * profile.c - --profile told: the accounts of all threads in one, what is
 * dearest first, as tables for a person or as JSON for a program.
 */
#include "host/block.h"

#include <stdio.h>
#include <stdlib.h>

enum { ROWS = 20 }; /* of a table */

sr_profile *sr_profile_main(const sr_session *s)
{
    return s->worker == NULL ? NULL : s->worker->profile;
}

/* A rule or field by what it took. */
typedef struct rank {
    double ns;
    uint32_t id;
} rank;

typedef struct report {
    sr_session *s;
    const sigma_detector *d;
    const sr_profile *sum;
    sg_buf out;
    double total; /* ns of all phases */
    rank *rules, *fields;
} report;

static const struct {
    const char *name, *doc;
} phases[SR_PHASES] = {
#define PHASE(name, doc) {#name, doc},
#include "eval/phases.def"
#undef PHASE
};

/* -------- order ---------------------------------------------------------- */

static int dearest_first(const void *a, const void *b)
{
    const rank *x = a, *y = b;

    if (x->ns != y->ns)
        return x->ns < y->ns ? 1 : -1;
    return x->id < y->id ? -1 : x->id > y->id;
}

static double field_ns(const sr_profile_field *f)
{
    return f->predicates_ns + f->scan_ns;
}

static void put_in_order(report *r)
{
    const sr_profile *p = r->sum;

    r->rules = sg_new_n(&r->s->arena, rank, (size_t)p->rule_count + 1);
    for (uint32_t i = 0; i < p->rule_count; i++)
        r->rules[i] = (rank){p->rules[i].ns, i};
    qsort(r->rules, p->rule_count, sizeof(rank), dearest_first);
    r->fields = sg_new_n(&r->s->arena, rank, (size_t)p->field_count + 1);
    for (uint32_t i = 0; i < p->field_count; i++)
        r->fields[i] = (rank){field_ns(&p->fields[i]), i};
    qsort(r->fields, p->field_count, sizeof(rank), dearest_first);
    for (unsigned i = 0; i < SR_PHASES; i++)
        r->total += p->exact[i];
}

/* -------- texts ---------------------------------------------------------- */

static sg_str text_of(const report *r, sigma_ref ref)
{
    return sr_text_of(r->d, ref);
}

static sg_str field_name(const report *r, uint32_t field)
{
    const sigma_field *f = &r->d->fields[field];

    return (f->flags & SIGMA_FIELD_KEYWORDS) != 0 ? SG_S("(keywords)")
                                                  : text_of(r, f->name);
}

static double share(const report *r, double ns)
{
    return r->total > 0 ? 100 * ns / r->total : 0;
}

static double per(double ns, uint64_t n)
{
    return n == 0 ? 0 : ns / (double)n;
}

/* -------- tables --------------------------------------------------------- */

static void put_counts(sg_buf *out, const uint64_t *counts, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        sg_buf_printf(out, " %10llu", (unsigned long long)counts[i]);
}

static void put_phases(report *r)
{
    sg_buf_printf(&r->out, "%10s %6s %10s  phase\n", "ms", "%", "ns/event");
    for (unsigned i = 0; i < SR_PHASES; i++) {
        const double ns = r->sum->exact[i];

        sg_buf_printf(&r->out, "%10.2f %6.1f %10.0f  %-9s  %s\n", ns / 1e6,
                      share(r, ns), per(ns, r->sum->events), phases[i].name,
                      phases[i].doc);
    }
}

/* Rows beyond the first ones. */
static void put_others(report *r, const rank *rows, uint32_t count,
                       const char *what)
{
    double ns = 0;

    for (uint32_t i = ROWS; i < count; i++)
        ns += rows[i].ns;
    if (count > ROWS)
        sg_buf_printf(&r->out, "%10.2f %6.1f  %lu more %s\n", ns / 1e6,
                      share(r, ns), (unsigned long)(count - ROWS), what);
}

static void put_rules(report *r)
{
    sg_buf_printf(&r->out, "\n%10s %6s %10s %10s %10s %10s %10s %10s  rule\n",
                  "ms", "%", "ns each", "candidate", "asked", "evaluated",
                  "matches", "regexes");
    for (uint32_t i = 0; i < r->sum->rule_count && i < ROWS; i++) {
        const uint32_t id = r->rules[i].id;
        const sr_profile_rule *n = &r->sum->rules[id];
        const uint64_t counts[] = {n->candidates, n->asked, n->evaluated,
                                   n->matches, n->regexes};

        sg_buf_printf(&r->out, "%10.2f %6.1f %10.0f", n->ns / 1e6,
                      share(r, n->ns), per(n->ns, n->asked));
        put_counts(&r->out, counts, 5);
        sg_buf_printf(&r->out, "  %s\n",
                      sr_shown(r->s, text_of(r, r->d->rules[id].meta.title)));
    }
    put_others(r, r->rules, r->sum->rule_count, "rules");
}

static void put_fields(report *r)
{
    sg_buf_printf(&r->out, "\n%10s %6s %10s %10s %10s %10s %10s %10s  field\n",
                  "ms", "%", "scan ms", "predicates", "events", "values",
                  "bytes", "folded");
    for (uint32_t i = 0; i < r->sum->field_count && i < ROWS; i++) {
        const uint32_t id = r->fields[i].id;
        const sr_profile_field *n = &r->sum->fields[id];
        const uint64_t counts[] = {n->predicates, n->events, n->values,
                                   n->bytes, n->folded};

        sg_buf_printf(&r->out, "%10.2f %6.1f %10.2f", field_ns(n) / 1e6,
                      share(r, field_ns(n)), n->scan_ns / 1e6);
        put_counts(&r->out, counts, 5);
        sg_buf_printf(&r->out, "  %s\n", sr_shown(r->s, field_name(r, id)));
    }
    put_others(r, r->fields, r->sum->field_count, "fields");
}

static void put_tables(report *r)
{
    sg_buf_printf(
        &r->out,
        "profile of %llu events: counts are exact, times those of %llu events "
        "(%llu were\ninterrupted); a predicate that several rules ask counts "
        "for the first\n\n",
        (unsigned long long)r->sum->events, (unsigned long long)r->sum->timed,
        (unsigned long long)r->sum->interrupted);
    put_phases(r);
    put_rules(r);
    put_fields(r);
}

/* -------- JSON ----------------------------------------------------------- */

static void put_number(sg_buf *out, const char *name, uint64_t n)
{
    sg_buf_printf(out, ",\"%s\":%llu", name, (unsigned long long)n);
}

static void put_ns(sg_buf *out, const char *name, double ns)
{
    sg_buf_printf(out, ",\"%s\":%.0f", name, ns);
}

static void put_key(sg_buf *out, const char *name, sg_str text)
{
    sg_buf_printf(out, "\"%s\":", name);
    sg_buf_put_json(out, text);
}

static void put_rule_json(report *r, uint32_t id)
{
    const sr_profile_rule *n = &r->sum->rules[id];
    const sigma_meta *meta = &r->d->rules[id].meta;

    sg_buf_putc(&r->out, '{');
    put_key(&r->out, "id", text_of(r, meta->id));
    sg_buf_putc(&r->out, ',');
    put_key(&r->out, "title", text_of(r, meta->title));
    put_ns(&r->out, "ns", n->ns);
    put_number(&r->out, "candidates", n->candidates);
    put_number(&r->out, "asked", n->asked);
    put_number(&r->out, "evaluated", n->evaluated);
    put_number(&r->out, "matches", n->matches);
    put_number(&r->out, "regexes", n->regexes);
    sg_buf_putc(&r->out, '}');
}

static void put_field_json(report *r, uint32_t id)
{
    const sr_profile_field *n = &r->sum->fields[id];

    sg_buf_putc(&r->out, '{');
    put_key(&r->out, "name", field_name(r, id));
    put_ns(&r->out, "predicates_ns", n->predicates_ns);
    put_ns(&r->out, "scan_ns", n->scan_ns);
    put_number(&r->out, "predicates", n->predicates);
    put_number(&r->out, "events", n->events);
    put_number(&r->out, "values", n->values);
    put_number(&r->out, "bytes", n->bytes);
    put_number(&r->out, "folded", n->folded);
    sg_buf_putc(&r->out, '}');
}

static void put_list(report *r, const char *name, const rank *rows,
                     uint32_t count, void (*put)(report *r, uint32_t id))
{
    sg_buf_printf(&r->out, ",\"%s\":[", name);
    for (uint32_t i = 0; i < count; i++) {
        if (i > 0)
            sg_buf_putc(&r->out, ',');
        put(r, rows[i].id);
    }
    sg_buf_putc(&r->out, ']');
}

static void put_json(report *r)
{
    sg_buf_putz(&r->out, "{\"schema\":\"sigcc.profile/1\"");
    put_number(&r->out, "events", r->sum->events);
    put_number(&r->out, "timed", r->sum->timed);
    put_number(&r->out, "interrupted", r->sum->interrupted);
    sg_buf_putz(&r->out, ",\"phases\":{\"unit\":\"ns\"");
    for (unsigned i = 0; i < SR_PHASES; i++)
        put_ns(&r->out, phases[i].name, r->sum->exact[i]);
    sg_buf_putc(&r->out, '}');
    put_list(r, "rules", r->rules, r->sum->rule_count, put_rule_json);
    put_list(r, "fields", r->fields, r->sum->field_count, put_field_json);
    sg_buf_putz(&r->out, "}\n");
}

/* -------- all of it ------------------------------------------------------ */

void sr_profile_report(sr_session *s)
{
    sr_profile *sum = sr_profile_open(s->detector);
    report r = {.s = s, .d = s->detector, .sum = sum};

    if (s->worker != NULL)
        sr_profile_add(sum, s->worker->profile);
    if (s->blocks != NULL)
        sr_blocks_profile(s->blocks, sum);
    put_in_order(&r);
    if (s->options->profile_json)
        put_json(&r);
    else
        put_tables(&r);
    fwrite(r.out.ptr, 1, r.out.len, stderr);
    sg_buf_free(&r.out);
    sr_profile_close(sum);
}
