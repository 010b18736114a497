/*
 * tables.h - commands.def and options.def as data, for what reads the command
 * line and what tells of it: help, completion, man page.
 */
#ifndef SC_DRIVER_TABLES_H
#define SC_DRIVER_TABLES_H

#include "driver/driver.h"

typedef struct sc_command_info {
    sg_str name;
    const char *usage, *summary, *doc, *example;
} sc_command_info;

typedef enum sc_option_kind { FLAG, TEXT, LIST, NUMBER, CHOICE } sc_option_kind;

typedef struct sc_option_info {
    unsigned commands; /* bits */
    sg_str name;       /* empty: only the letter */
    char letter;       /* 0: only the name */
    sc_option_kind kind;
    size_t offset; /* in sc_options */
    sg_str metavar;
    const char *help;
} sc_option_info;

extern const sc_command_info sc_commands[SC_CMD_COUNT];
extern const sc_option_info sc_option_rows[];
extern const size_t sc_option_count;

/* The next of "a|b|c" at *at, moving on; false behind the last, and for a
 * metavar that is no choice. */
bool sc_next_choice(sg_str metavar, size_t *at, sg_str *choice);

#endif
