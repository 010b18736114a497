/*
 * sign.h - digests, and keys and signatures as the program minisign has them:
 * what one writes the other reads. For the compiler and for programs that load
 * packs; detectors are linked without this folder, and so without libsodium.
 */
#ifndef SR_SIGN_H
#define SR_SIGN_H

#include "base/sg_base.h"

#include <stdio.h>

enum {
    SR_KEY_ID = 8,
    SR_PUBLIC_KEY = 32,
    SR_SECRET_KEY = 64,
    SR_BLAKE2B_MOST = 64, /* bytes of the longest digest */
    SR_SIGN_TEXT = 8192   /* files of keys and signatures are shorter */
};

/* -------- digests (sodium.c) --------------------------------------------- */

/* Hex SHA-256 of bytes. */
void sr_sha256(sg_str data, char out[65]);
/* Hex BLAKE2b of bytes, 32 of it: four times as fast, for what stays with us.
 */
void sr_digest(sg_str data, char out[65]);
/* BLAKE2b of len bytes, at most SR_BLAKE2B_MOST. */
void sr_blake2b(sg_str data, uint8_t *out, size_t len);
/* Of all that is left of a file; false when it cannot be read. */
bool sr_blake2b_file(FILE *file, uint8_t out[SR_BLAKE2B_MOST]);
/* Overwrite, also where nobody reads it any more. */
void sr_wipe(void *secret, size_t len);

/* -------- keys (minisign.c) ---------------------------------------------- */

typedef struct sr_public {
    uint8_t id[SR_KEY_ID];
    uint8_t key[SR_PUBLIC_KEY];
} sr_public;

typedef struct sr_secret {
    uint8_t id[SR_KEY_ID];
    uint8_t key[SR_SECRET_KEY];
} sr_secret;

/* A new pair. */
void sr_keys_make(sr_public *pub, sr_secret *secret);
/* The texts of key files; a secret key is encrypted unless the password is
 * empty. False for want of memory for that. */
void sr_public_put(sg_buf *out, const sr_public *pub);
bool sr_secret_put(sg_buf *out, const sr_secret *secret, sg_str password);

/* Read key files; of a public key the line alone will do. The result is NULL,
 * or what is wrong. */
const char *sr_public_get(sg_str text, sr_public *pub);
bool sr_secret_encrypted(sg_str text);
const char *sr_secret_get(sg_str text, sg_str password, sr_secret *secret);

/* -------- signatures (minisign.c) ---------------------------------------- */

typedef enum sr_verdict {
    SR_SIGNED,
    SR_DAMAGED,   /* it is no signature */
    SR_ALGORITHM, /* it is not of a digest */
    SR_OTHER_KEY,
    SR_ALTERED, /* it is of something else */
    SR_COMMENT  /* its comment was altered */
} sr_verdict;

/* The text of FILE.minisig; the comment, one line, is signed too. */
void sr_signature_put(sg_buf *out, const sr_secret *secret,
                      const uint8_t digest[SR_BLAKE2B_MOST], sg_str comment);
/* Whether that is the key's signature of what has the digest. *comment borrows
 * the text. */
sr_verdict sr_signature_check(sg_str text, const sr_public *pub,
                              const uint8_t digest[SR_BLAKE2B_MOST],
                              sg_str *comment);
/* What is wrong; NULL for SR_SIGNED. */
const char *sr_verdict_text(sr_verdict verdict);

#endif
