/*
 * fuzz_cidr.c - addresses are read as the C library reads them, and a network
 * holds its own address. Input: one text.
 */
#include "match/match.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char z[128];
    uint8_t bytes[16];
    sr_cidr have;
    const sg_str text = {(const char *)data, size};

    if (size >= sizeof(z))
        return 0;
    if (size != 0)
        memcpy(z, data, size);
    z[size] = '\0';
    const bool ok = sr_address_parse(text, &have);
    const bool clean = strlen(z) == size;
    const bool v4 = clean && inet_pton(AF_INET, z, bytes) == 1;
    const bool v6 = clean && !v4 && inet_pton(AF_INET6, z, bytes) == 1;
    if (ok != (v4 || v6))
        abort();
    if (ok && (have.family != (v4 ? 4 : 6) ||
               memcmp(have.bytes, bytes, v4 ? 4 : 16) != 0 ||
               !sr_cidr_covers(&have, &have)))
        abort();
    if (sr_cidr_parse(text, &have)) {
        const char *slash = strchr(z, '/');
        const size_t len = slash == NULL ? size : (size_t)(slash - z);
        if (!sr_cidr_has(&have, sg_str_sub(text, 0, len)))
            abort();
    }
    return 0;
}
