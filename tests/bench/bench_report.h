/*
 * bench_report.h - figures of a benchmark: tables of medians, as Markdown and
 * as JSON.
 */
#ifndef BENCH_REPORT_H
#define BENCH_REPORT_H

#include <stdbool.h>
#include <stdio.h>

typedef struct bench_report bench_report;

/* Never NULL. */
bench_report *bench_report_new(void);
/* One measurement of a cell; tables, rows and columns come into being in the
 * order in which they are first named. The texts are copied; they hold no
 * quotes and no control characters. */
void bench_note(bench_report *r, const char *table, const char *row,
                const char *column, double value);
/* The median of a cell's measurements, or 0. */
double bench_median(const bench_report *r, const char *table, const char *row,
                    const char *column);
void bench_print(const bench_report *r, FILE *out, bool json);
void bench_report_free(bench_report *r);

#endif
