/*
 * crypto.h - what minisign's formats are made of, private to this folder:
 * ed25519, scrypt, base64.
 */
#ifndef SR_SIGN_CRYPTO_H
#define SR_SIGN_CRYPTO_H

#include "sign/sign.h"

enum { SR_SIGNATURE = 64, SR_SALT = 32 };

/* Bytes that nobody can guess. */
void sr_random(void *out, size_t len);
void sr_key_pair(uint8_t public_key[SR_PUBLIC_KEY],
                 uint8_t secret_key[SR_SECRET_KEY]);
void sr_sign(sg_str text, const uint8_t secret_key[SR_SECRET_KEY],
             uint8_t out[SR_SIGNATURE]);
/* Whether that is the signature of the text. */
bool sr_signed(sg_str text, const uint8_t public_key[SR_PUBLIC_KEY],
               const uint8_t signature[SR_SIGNATURE]);
/* A key from a password, by scrypt; false for want of memory. */
bool sr_scrypt(sg_str password, const uint8_t salt[SR_SALT], uint64_t ops,
               uint64_t memory, uint8_t *out, size_t len);
/* Base64 with padding. */
void sr_put_base64(sg_buf *out, const void *bytes, size_t len);
/* Exactly len bytes; false when the text is not that. */
bool sr_unbase64(sg_str text, void *out, size_t len);

#endif
