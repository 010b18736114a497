/*
 * elfnote.h - the manifest in a detector's file, read without running it.
 */
#ifndef SC_DRIVER_ELFNOTE_H
#define SC_DRIVER_ELFNOTE_H

#include "base/base.h"

/* Append the text of SIGMA_NOTE in the file to out. Returns NULL, or what is
 * wrong. Nothing in the file is believed. */
const char *sc_elf_note(const char *path, sg_buf *out);

#endif
