/*
 * folder.h - inside of runtime/input: the files that a path was before it was
 * rotated, as the folder shows them.
 */
#ifndef SR_FOLDER_H
#define SR_FOLDER_H

#include "base/sg_base.h"

enum { SR_FOLDER_MAX = 4096 }; /* files beside a path that are looked at */

typedef struct sr_entry {
    char *name;  /* to open it by */
    size_t stem; /* bytes of it ahead of the suffix */
    uint64_t dev, ino, size;
    int64_t modified; /* ns since 1970 */
    bool own;         /* the path itself, whatever it is; else a regular file */
    bool rotated;     /* its suffix is that of a file that was replaced */
} sr_entry;

/* In the order of writing: by time of modification, the path itself last. */
typedef struct sr_folder {
    sr_entry *items;
    size_t count;
    int path_failed;    /* errno of looking at the path, or 0 */
    const char *failed; /* why there may be more files, or NULL */
} sr_folder;

/* Look at `path` and at the files beside it, and beside the file it links to,
 * whose names are that name, "." or "-" and a suffix. A compressed file whose
 * original is still there is left out. */
void sr_folder_read(const char *path, sr_folder *out);
void sr_folder_free(sr_folder *folder);

/* The file with these numbers, or NULL. */
const sr_entry *sr_folder_find(const sr_folder *folder, uint64_t dev,
                               uint64_t ino);
/* What replaced that file: the next in order, or if it is not here the first
 * that was written after `modified`, or the path itself. NULL if there is
 * nothing yet. */
const sr_entry *sr_folder_next(const sr_folder *folder, uint64_t dev,
                               uint64_t ino, int64_t modified);
/* The entry of the path itself, or NULL. */
const sr_entry *sr_folder_own(const sr_folder *folder);

#endif
