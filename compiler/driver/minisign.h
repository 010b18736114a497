/*
 * minisign.h - keys and signatures as the program minisign has them: what one
 * writes the other reads.
 */
#ifndef SC_DRIVER_MINISIGN_H
#define SC_DRIVER_MINISIGN_H

#include "base/base.h"

enum { SC_KEY_ID = 8 };

typedef struct sc_public {
    uint8_t id[SC_KEY_ID];
    uint8_t key[SC_PUBLIC_KEY];
} sc_public;

typedef struct sc_secret {
    uint8_t id[SC_KEY_ID];
    uint8_t key[SC_SECRET_KEY];
} sc_secret;

/* A new pair. */
void sc_keys_make(sc_public *pub, sc_secret *secret);
/* The texts of key files; a secret key is encrypted unless the password is
 * empty. False for want of memory for that. */
void sc_public_put(sg_buf *out, const sc_public *pub);
bool sc_secret_put(sg_buf *out, const sc_secret *secret, sg_str password);

/* Read key files; of a public key the line alone will do. The result is NULL,
 * or what is wrong. */
const char *sc_public_get(sg_str text, sc_public *pub);
bool sc_secret_encrypted(sg_str text);
const char *sc_secret_get(sg_str text, sg_str password, sc_secret *secret);

/* The text of FILE.minisig; the comment, one line, is signed too. */
void sc_signature_put(sg_buf *out, const sc_secret *secret,
                      const uint8_t digest[SC_BLAKE2B_MOST], sg_str comment);
/* Whether that is the key's signature of what has the digest: NULL, or what is
 * wrong. *comment borrows the text. */
const char *sc_signature_check(sg_str text, const sc_public *pub,
                               const uint8_t digest[SC_BLAKE2B_MOST],
                               sg_str *comment);

#endif
