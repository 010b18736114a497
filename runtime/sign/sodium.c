/*
 * sodium.c - digests and signatures, by libsodium. The only file that includes
 * sodium.h.
 */
#include "sign/crypto.h"

#include <sodium.h>

_Static_assert(crypto_hash_sha256_BYTES * 2 + 1 == 65, "hex digest and NUL");
_Static_assert(crypto_sign_PUBLICKEYBYTES == SR_PUBLIC_KEY &&
                   crypto_sign_SECRETKEYBYTES == SR_SECRET_KEY &&
                   crypto_sign_BYTES == SR_SIGNATURE &&
                   crypto_generichash_BYTES_MAX == SR_BLAKE2B_MOST,
               "sizes in the headers");

static const unsigned char *bytes_of(sg_str data)
{
    return (const unsigned char *)(data.len == 0 ? "" : data.ptr);
}

void sr_sha256(sg_str data, char out[65])
{
    unsigned char digest[crypto_hash_sha256_BYTES];

    crypto_hash_sha256(digest, bytes_of(data), data.len);
    sodium_bin2hex(out, 65, digest, sizeof digest);
}

void sr_digest(sg_str data, char out[65])
{
    unsigned char digest[crypto_hash_sha256_BYTES];

    /* It is what chooses the implementation for this processor. */
    if (sodium_init() < 0)
        sg_fatal("libsodium cannot be used");
    sr_blake2b(data, digest, sizeof digest);
    sodium_bin2hex(out, 65, digest, sizeof digest);
}

/* -------- signatures ----------------------------------------------------- */

void sr_random(void *out, size_t len)
{
    if (sodium_init() < 0)
        sg_fatal("no source of random numbers");
    randombytes_buf(out, len);
}

void sr_key_pair(uint8_t public_key[SR_PUBLIC_KEY],
                 uint8_t secret_key[SR_SECRET_KEY])
{
    if (sodium_init() < 0 || crypto_sign_keypair(public_key, secret_key) != 0)
        sg_fatal("no source of random numbers");
}

void sr_sign(sg_str text, const uint8_t secret_key[SR_SECRET_KEY],
             uint8_t out[SR_SIGNATURE])
{
    crypto_sign_detached(out, NULL, bytes_of(text), text.len, secret_key);
}

bool sr_signed(sg_str text, const uint8_t public_key[SR_PUBLIC_KEY],
               const uint8_t signature[SR_SIGNATURE])
{
    return crypto_sign_verify_detached(signature, bytes_of(text), text.len,
                                       public_key) == 0;
}

void sr_blake2b(sg_str data, uint8_t *out, size_t len)
{
    crypto_generichash(out, len, bytes_of(data), data.len, NULL, 0);
}

bool sr_blake2b_file(FILE *file, uint8_t out[SR_BLAKE2B_MOST])
{
    unsigned char buffer[1 << 14];
    crypto_generichash_state state;
    size_t n;

    crypto_generichash_init(&state, NULL, 0, SR_BLAKE2B_MOST);
    while ((n = fread(buffer, 1, sizeof buffer, file)) != 0)
        crypto_generichash_update(&state, buffer, n);
    crypto_generichash_final(&state, out, SR_BLAKE2B_MOST);
    return ferror(file) == 0;
}

bool sr_scrypt(sg_str password, const uint8_t salt[SR_SALT], uint64_t ops,
               uint64_t memory, uint8_t *out, size_t len)
{
    _Static_assert(crypto_pwhash_scryptsalsa208sha256_SALTBYTES == SR_SALT,
                   "size in crypto.h");
    return memory <= SIZE_MAX && crypto_pwhash_scryptsalsa208sha256(
                                     out, len, password.ptr, password.len, salt,
                                     ops, (size_t)memory) == 0;
}

void sr_wipe(void *secret, size_t len)
{
    sodium_memzero(secret, len);
}

void sr_put_base64(sg_buf *out, const void *bytes, size_t len)
{
    const size_t size =
        sodium_base64_encoded_len(len, sodium_base64_VARIANT_ORIGINAL);

    sg_buf_reserve(out, size);
    sodium_bin2base64(out->ptr + out->len, size, bytes, len,
                      sodium_base64_VARIANT_ORIGINAL);
    out->len += size - 1; /* a NUL is behind it */
}

bool sr_unbase64(sg_str text, void *out, size_t len)
{
    size_t have;
    const char *end;

    return sodium_base642bin(out, len, text.ptr, text.len, NULL, &have, &end,
                             sodium_base64_VARIANT_ORIGINAL) == 0 &&
           have == len && end == text.ptr + text.len;
}
