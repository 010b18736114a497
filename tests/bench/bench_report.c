/*
 * bench_report.c - collects measurements by table, row and column.
 */
#include "bench_report.h"

#include "base/sg_base.h"

#include <stdlib.h>
#include <string.h>

typedef struct cell {
    const char *table, *row, *column;
    SG_VEC(double) values;
} cell;

struct bench_report {
    sg_arena arena;
    SG_VEC(cell) cells;
};

bench_report *bench_report_new(void)
{
    bench_report *r = calloc(1, sizeof(*r));

    if (r == NULL)
        sg_fatal("out of memory");
    return r;
}

void bench_report_free(bench_report *r)
{
    sg_arena_free(&r->arena);
    free(r);
}

static cell *find(const bench_report *r, const char *table, const char *row,
                  const char *column)
{
    for (uint32_t i = 0; i < r->cells.count; i++) {
        cell *c = &r->cells.items[i];

        if (strcmp(c->table, table) == 0 && strcmp(c->row, row) == 0 &&
            strcmp(c->column, column) == 0)
            return c;
    }
    return NULL;
}

static const char *copy(bench_report *r, const char *text)
{
    return sg_arena_dup(&r->arena, sg_str_of(text)).ptr;
}

void bench_note(bench_report *r, const char *table, const char *row,
                const char *column, double value)
{
    cell *c = find(r, table, row, column);

    if (c == NULL) {
        const cell fresh = {.table = copy(r, table),
                            .row = copy(r, row),
                            .column = copy(r, column)};

        SG_PUSH(&r->arena, &r->cells, fresh);
        c = &r->cells.items[r->cells.count - 1];
    }
    SG_PUSH(&r->arena, &c->values, value);
}

static int by_value(const void *a, const void *b)
{
    const double x = *(const double *)a;
    const double y = *(const double *)b;

    return x < y ? -1 : x > y;
}

static double median_of(const cell *c)
{
    const uint32_t n = c->values.count;

    qsort(c->values.items, n, sizeof(double), by_value);
    return n % 2 != 0
               ? c->values.items[n / 2]
               : (c->values.items[n / 2 - 1] + c->values.items[n / 2]) / 2;
}

double bench_median(const bench_report *r, const char *table, const char *row,
                    const char *column)
{
    const cell *c = find(r, table, row, column);

    return c == NULL ? 0 : median_of(c);
}

/* -------- printing ------------------------------------------------------- */

/* Whether cell i is the first of its table, and there of its row or column. */
static bool is_first(const bench_report *r, uint32_t i, bool row, bool column)
{
    const cell *c = &r->cells.items[i];

    for (uint32_t k = 0; k < i; k++) {
        const cell *other = &r->cells.items[k];

        if (strcmp(c->table, other->table) == 0 &&
            (!row || strcmp(c->row, other->row) == 0) &&
            (!column || strcmp(c->column, other->column) == 0))
            return false;
    }
    return true;
}

/* Thousands and millions with a letter, so that columns can be read. */
static void print_number(FILE *out, double v)
{
    if (v >= 1e9)
        (void)fprintf(out, "%.2f G", v / 1e9);
    else if (v >= 1e6)
        (void)fprintf(out, "%.2f M", v / 1e6);
    else if (v >= 1e4)
        (void)fprintf(out, "%.1f k", v / 1e3);
    else if (v >= 100 || v == 0)
        (void)fprintf(out, "%.0f", v);
    else
        (void)fprintf(out, "%.2f", v);
}

static void print_row(const bench_report *r, FILE *out, const char *table,
                      const char *row)
{
    (void)fprintf(out, "| %s |", row);
    for (uint32_t i = 0; i < r->cells.count; i++) {
        const cell *c = &r->cells.items[i];

        if (strcmp(c->table, table) != 0 || !is_first(r, i, false, true))
            continue;
        const cell *have = find(r, table, row, c->column);

        (void)fputc(' ', out);
        if (have != NULL)
            print_number(out, median_of(have));
        (void)fputs(" |", out);
    }
    (void)fputc('\n', out);
}

static void print_table(const bench_report *r, FILE *out, const char *table)
{
    (void)fprintf(out, "\n%s\n\n| |", table);
    for (uint32_t i = 0; i < r->cells.count; i++)
        if (strcmp(r->cells.items[i].table, table) == 0 &&
            is_first(r, i, false, true))
            (void)fprintf(out, " %s |", r->cells.items[i].column);
    (void)fputs("\n|---|", out);
    for (uint32_t i = 0; i < r->cells.count; i++)
        if (strcmp(r->cells.items[i].table, table) == 0 &&
            is_first(r, i, false, true))
            (void)fputs("---:|", out);
    (void)fputc('\n', out);
    for (uint32_t i = 0; i < r->cells.count; i++)
        if (strcmp(r->cells.items[i].table, table) == 0 &&
            is_first(r, i, true, false))
            print_row(r, out, table, r->cells.items[i].row);
}

static void print_json(const bench_report *r, FILE *out)
{
    (void)fputs("[", out);
    for (uint32_t i = 0; i < r->cells.count; i++) {
        const cell *c = &r->cells.items[i];

        (void)fprintf(out,
                      "%s\n {\"table\":\"%s\",\"row\":\"%s\",\"column\":\"%s\","
                      "\"median\":%.9g,\"values\":[",
                      i == 0 ? "" : ",", c->table, c->row, c->column,
                      median_of(c));
        for (uint32_t k = 0; k < c->values.count; k++)
            (void)fprintf(out, "%s%.9g", k == 0 ? "" : ",", c->values.items[k]);
        (void)fputs("]}", out);
    }
    (void)fputs("\n]\n", out);
}

void bench_print(const bench_report *r, FILE *out, bool json)
{
    if (json) {
        print_json(r, out);
        return;
    }
    for (uint32_t i = 0; i < r->cells.count; i++)
        if (is_first(r, i, false, false))
            print_table(r, out, r->cells.items[i].table);
}
