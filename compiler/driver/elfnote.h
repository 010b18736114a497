/*
 * elfnote.h - what a detector's file says of itself, read without running it.
 */
#ifndef SC_DRIVER_ELFNOTE_H
#define SC_DRIVER_ELFNOTE_H

#include "base/base.h"

typedef struct sc_elf_texts {
    sg_str *items;
    uint32_t count, cap;
} sc_elf_texts;

/* Texts as they stand in the file: nothing in it is believed. */
typedef struct sc_elf {
    sg_str manifest;     /* JSON */
    sc_elf_texts parts;  /* what the runtime says it was built with: an object
                          * of JSON each (host/libraries.def) */
    sc_elf_texts needed; /* names of shared libraries */
    sc_elf_texts tools;  /* compilers, as they sign; each once */
} sc_elf;

/* Read the file into the arena. Returns NULL, or what is wrong: it is no ELF
 * file, has no manifest, or more to tell than a detector has. Libraries and
 * compilers are those that the sections name; a file without sections names
 * none. */
const char *sc_elf_read(sg_arena *arena, const char *path, sc_elf *out);

#endif
