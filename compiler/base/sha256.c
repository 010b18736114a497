/*
 * sha256.c - digests, by libsodium. The only file that includes sodium.h.
 */
#include "base/base.h"

#include <sodium.h>

_Static_assert(crypto_hash_sha256_BYTES * 2 + 1 == 65, "hex digest and NUL");

void sc_sha256(sg_str data, char out[65])
{
    unsigned char digest[crypto_hash_sha256_BYTES];
    const char *bytes = data.len == 0 ? "" : data.ptr;

    crypto_hash_sha256(digest, (const unsigned char *)bytes, data.len);
    sodium_bin2hex(out, 65, digest, sizeof digest);
}
