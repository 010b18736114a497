/*
 * changes.h - what differs from a git revision, and which documents that
 * concerns. Whatever cannot be settled counts as changed.
 */
#ifndef SC_CHANGES_H
#define SC_CHANGES_H

#include "driver/driver.h"

typedef struct sc_changes {
    sc_session *s;
    const sc_options *o;
    sg_str top;       /* of the work tree, without links */
    sg_str commit;    /* in hexadecimal digits */
    sg_map stored;    /* paths below top that the revision has */
    sg_map differing; /* ... of which the work tree has other text, or none */
    sc_strs names;    /* those again, in order */
} sc_changes;

/* Compare the work tree that the first PATH lies in with the revision. Returns
 * SC_EXIT_OK, or with a printed reason another code. */
int sc_changes_open(sc_session *s, const sc_options *o, sg_str revision,
                    sc_changes *out);
/* Whether a file is other than in the revision, or not of the work tree, or
 * reached through a link below a PATH. */
bool sc_changes_has(const sc_changes *c, sg_str path);
/* The text that a path below top has in the revision. */
bool sc_changes_old(const sc_changes *c, sg_str name, sg_buf *out);

/* Which documents the changes concern, one flag each: those of changed files,
 * those with changed tests, correlations over them; all, when something changed
 * that may serve any rule, such as a filter or pipeline (affected.c). */
const bool *sc_changes_affected(const sc_changes *c, const sc_loaded *loaded);

/* Run git in a folder with these arguments, NULL last; what it writes to
 * standard output is appended. Returns its exit status, or -1 when it could not
 * be run; `error` is then the reason, else what git said of a failure (git.c).
 */
int sc_git(sg_arena *arena, sg_str folder, const char *const *args, sg_buf *out,
           sg_buf *error);

#endif
