/*
 * options.h - a detector's command line.
 */
#ifndef SR_HOST_OPTIONS_H
#define SR_HOST_OPTIONS_H

#include "output/output.h"

typedef enum sr_action {
    SR_ACTION_RUN,
    SR_ACTION_MAP,
    SR_ACTION_REDUCE,
    SR_ACTION_LIST,
    SR_ACTION_MANIFEST,
    SR_ACTION_VERSION,
    SR_ACTION_HELP
} sr_action;

enum { SR_SLICES_MOST = 65536 };

typedef struct sr_options {
    sr_action action;
    sr_format format;
    bool format_given;
    bool search, strict, no_event, every_firing, follow, stats, stats_json;
    bool no_sandbox, no_prefilter, unchecked;
    bool profile, profile_json;
    const char *output, *time_field, *rejects, *late, *state; /* or NULL */
    int64_t lateness;                                         /* ns */
    uint64_t max_groups, max_memory, exact_values, max_enrich;
    uint32_t threads;
    uint32_t slice, slices; /* map: the slice-th of slices; 0: all of it */
    bool position_given, partial;
    uint32_t position;  /* map: number of the first file */
    const char **files; /* those of argv, or "-"; in the arena */
    uint32_t file_count;
    const char **lookups; /* each NAME=FILE; in the arena */
    uint32_t lookup_count;
    uint64_t cpu_limit, memory_limit; /* seconds, bytes; 0: none */
} sr_options;

/* Read argv. False with a message for the user in `error`, which holds one
 * line without its end; control characters are escaped. */
bool sr_options_parse(int argc, char **argv, sg_arena *arena, sr_options *out,
                      sg_buf *error);
/* The text of --help, of a detector that was called as `program`. */
void sr_options_help(sg_buf *buf, const char *program);

#endif
