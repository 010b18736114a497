/*
 * follow.h - inside of runtime/input: an input, which is one stream or several
 * one after the other, and the ways from one to the next.
 */
#ifndef SR_FOLLOW_H
#define SR_FOLLOW_H

#include "input/folder.h"
#include "input/stream.h"

struct sr_input {
    char *path;
    size_t max_line;
    bool follow;
    bool (*before)(void *ctx); /* of the caller, or NULL */
    void *ctx;
    bool stopped; /* it said no */

    sr_stream *stream; /* NULL: none yet */
    bool resuming;     /* the place `at` is still to be reached */
    bool checked;      /* the stream resumed begins as it should */
    bool fell_short;   /* it ended before that place, which was told */
    sr_cursor at;      /* where reading stands without a stream */
    uint64_t generation;
    bool opened;    /* there was a file: the next is another generation */
    bool elsewhere; /* the stream's file was found under another name */
    bool leaving;   /* the stream has no future: give its rest, go on */
    bool ended;

    /* What the next file comes behind: the path itself, or what replaced
     * the file with these numbers. */
    bool only_path;
    bool again; /* that file itself, from its beginning, if it is there */
    uint64_t last_dev, last_ino;
    int64_t last_modified;

    /* How long a file that lost its name has been quiet. */
    int64_t quiet_since; /* monotonic ns; 0: it has its name */
    uint64_t quiet_total;
    bool looked_again; /* at its end, after there was reason to leave it */
    bool flushed;      /* its last line was given as it is */
    bool flushing;     /* is being given; the file is not left for that */

    int left_fd; /* the last file but one, while it is watched; or -1 */
    uint64_t left_size;
    int64_t left_at;

    int told; /* errno that the path cannot be opened with, told */
    bool scan_told;
    int notify, watch; /* inotify; -1: none */
    bool unwatched;    /* none can be had */
    char reason[SR_INPUT_REASON];
};

/* Quiet so long, the last line of a file without a name is complete. */
#define SR_GRACE_NS INT64_C(1000000000)
/* So long a file that was left is watched. */
#define SR_LINGER_NS INT64_C(30000000000)

int64_t sr_monotonic(void);

/* A stream that asks the caller's callback; NULL with errno. Owns fd. */
sr_stream *sr_input_stream(sr_input *in, int fd);
/* The same of an entry; errno is ENOENT when it is not that file any more. */
sr_stream *sr_input_open_entry(sr_input *in, const sr_entry *entry);
/* Read this stream of that entry from now on. */
void sr_input_use(sr_input *in, sr_stream *s, const sr_entry *entry);

/* Watch the file that was left no longer. */
void sr_input_forget_left(sr_input *in);

/* All below: SR_LINE means that the stream is to be read (on). */

/* Reach the cursor `at`. */
sr_line_status sr_input_resume(sr_input *in);
/* Open what comes next. */
sr_line_status sr_input_advance(sr_input *in);
/* The stream gave SR_END or SR_WAIT. */
sr_line_status sr_input_at_end(sr_input *in, sr_line_status status);

/* Look beside the path for a file that holds what the cursor's did. With
 * *found at the cursor, or NULL when it ends before; NULL if there is none.
 * *moved when a file had another name by then: it may have been that one. */
const sr_entry *sr_input_find_copy(sr_input *in, const sr_folder *folder,
                                   const sr_cursor *cursor, sr_stream **found,
                                   bool *moved);

/* Whether path names the file of the stream. */
bool sr_input_named(const sr_input *in);
/* Stop using inotify, or only for the file open. */
void sr_input_unwatch(sr_input *in);
void sr_input_unwatch_file(sr_input *in);

#endif
