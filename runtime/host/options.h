/*
 * options.h - a detector's command line.
 */
#ifndef SR_HOST_OPTIONS_H
#define SR_HOST_OPTIONS_H

#include "output/output.h"

typedef enum sr_action {
    SR_ACTION_RUN,
    SR_ACTION_LIST,
    SR_ACTION_MANIFEST,
    SR_ACTION_VERSION,
    SR_ACTION_HELP
} sr_action;

typedef struct sr_options {
    sr_action action;
    sr_format format;
    bool format_given;
    bool search, strict, no_event, every_firing, stats, stats_json;
    const char *output, *time_field, *rejects; /* NULL: not given */
    int64_t lateness;                          /* ns */
    uint64_t max_groups, max_memory, max_enrich;
    const char **files; /* those of argv, or "-"; in the arena */
    uint32_t file_count;
    const char **lookups; /* each NAME=FILE; in the arena */
    uint32_t lookup_count;
} sr_options;

/* Read argv. False with a message for the user in `error`, which holds one
 * line without its end; control characters are escaped. */
bool sr_options_parse(int argc, char **argv, sg_arena *arena, sr_options *out,
                      sg_buf *error);
/* The text of --help, of a detector that was called as `program`. */
void sr_options_help(sg_buf *buf, const char *program);

#endif
