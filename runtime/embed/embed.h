/*
 * embed.h - what is behind sigma.h, private to this folder: image.c reads a
 * pack's file, trust.c judges its signature, pack.c loads it, stream.c feeds
 * events to it. Built into libsigccrt.so alone.
 */
#ifndef SR_EMBED_EMBED_H
#define SR_EMBED_EMBED_H

#include "base/sg_base.h"
#include "sigma.h"

#include <stdatomic.h>

/* -------- failures (pack.c) ---------------------------------------------- */

/* Says "PATH: WHY", or WHY alone without a path; the status' own text without
 * `why`. Returns the status. Either of path and error may be NULL. */
sigma_status sr_failed(sigma_error *error, sigma_status status,
                       const char *path, const char *why);

/* Copy a structure that begins with its size, as its caller knows it, over the
 * library's, of `size` bytes and all 0. False when it asks for something that
 * this library does not know. */
bool sr_take_options(void *own, size_t size, const void *given);

/* -------- the file (image.c) --------------------------------------------- */

/* A copy of a file that nobody can change any more. */
typedef struct sr_image {
    int fd;       /* sealed, in memory */
    sg_str bytes; /* mapped */
} sr_image;

/* E_FILE, told, when it cannot be read. */
sigma_status sr_image_read(const char *path, sr_image *image,
                           sigma_error *error);
/* Whether it is a shared object for this machine with a manifest of sigcc's,
 * and whole as far as the system's loader relies on it; else why not. */
const char *sr_image_fault(const sr_image *image);
/* The bytes are not needed any more; the descriptor is. */
void sr_image_unmap(sr_image *image);
void sr_image_close(sr_image *image);

/* -------- the signature (trust.c) ---------------------------------------- */

/* Whether PATH.minisig is the signature of the bytes by the key in the file
 * `key`; told when not. */
sigma_status sr_trust(const char *path, sg_str bytes, const char *key,
                      sigma_error *error);

/* -------- the pack (pack.c) ---------------------------------------------- */

struct sigma_pack {
    atomic_size_t users; /* who opened it, and each session */
    sr_image image;
    void *object; /* of dlopen */
    const sigma_detector *detector;
    const char *manifest;
    sigma_rule_info *rules; /* then correlations */
    size_t rule_count;
    sg_arena arena; /* of their texts */
};

/* One more, or one less, needs the pack. */
void sr_pack_hold(sigma_pack *pack);
void sr_pack_drop(sigma_pack *pack);

#endif
