/*
 * agg_kit.h - what drives the correlation engine in bench_agg: detectors made
 * in memory, events that are a few texts, and clocks around the engine alone.
 */
#ifndef BENCH_AGG_KIT_H
#define BENCH_AGG_KIT_H

#include "agg/agg.h"

enum {
    KIT_FIELDS = 7,  /* six keys at most; the value is the field behind */
    KIT_TEXT = 144,  /* bytes of one event's texts */
    KIT_BATCH = 256, /* events that arrive together, as from one block */
    KIT_BUCKETS = 1024
};

/* What a detector's correlations are like; all of them alike. */
typedef struct kit_shape {
    uint32_t type; /* sigma_corr_type */
    uint32_t corrs;
    bool one_rule; /* all listen to rule 0; else correlation i to rule i and,
                    * of temporal types, i + 1 */
    uint32_t keys;
    int64_t timespan; /* ns */
    uint64_t max_memory, exact_values;
} kit_shape;

typedef struct kit_event {
    uint32_t rule;
    int64_t time;
    sr_cell fields[KIT_FIELDS]; /* the first keys, then a value */
    char text[KIT_TEXT];        /* their bytes */
} kit_event;

/* Times by size: 16 buckets to an octave. */
typedef struct kit_histogram {
    uint64_t counts[KIT_BUCKETS];
    uint64_t count, most;
} kit_histogram;

typedef struct kit {
    sg_arena arena;
    sigma_detector detector;
    sr_layout *layout;
    sr_agg *agg;
    sg_buf made; /* contributions of the batch at hand */
    const sr_contribution **list;
    size_t list_cap;
    uint64_t events, updates;
    int64_t newest;
    uint64_t fired;
    double making, feeding; /* seconds in sr_contribute; in the engine */
} kit;

/* Never NULL. */
kit *kit_open(const kit_shape *shape);
void kit_close(kit *k);
/* Feed at most KIT_BATCH events together and add to the clocks. */
void kit_feed(kit *k, const kit_event *events, size_t count);
/* The same one by one, each engine call into the histogram (which costs time
 * itself: use no clock of such a run). */
void kit_feed_slowly(kit *k, const kit_event *events, size_t count,
                     kit_histogram *pauses);
/* Forget events, updates and clocks so far. */
void kit_reset_clocks(kit *k);

/* The time, in ns, that a share of all took at most. */
uint64_t kit_quantile(const kit_histogram *h, double share);

/* Seconds of this thread on a processor: what others run does not count. */
double kit_seconds(void);
/* Resident memory of this process, in bytes. */
double kit_resident(void);

/* The next of a sequence that is the same in every run. */
uint64_t kit_random(uint64_t *state);

/* Name group g by one field of 12 bytes, or by six as connections to mail
 * servers are, about 100 bytes; the fields point into the event. */
void kit_name_short(kit_event *e, uint64_t g);
void kit_name_long(kit_event *e, uint64_t g);
/* Give field `at` the number n. */
void kit_put_number(kit_event *e, uint32_t at, uint64_t n);

#endif
