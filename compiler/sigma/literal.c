/*
 * literal.c - literals that have a syntax of their own, regexes and networks:
 * checked with the functions that will match them.
 */
#include "sigma/ast.h"

#include "match/match.h"

#include <arpa/inet.h>
#include <stdio.h>

bool sc_regex_check(sg_str pattern, uint8_t flags, char reason[128],
                    size_t *offset)
{
    return sr_regex_check(pattern, flags, reason, 128, offset);
}

/* Clear the bits behind the prefix. */
static void mask(sr_cidr *net)
{
    const unsigned size = net->family == 4 ? 4 : 16;

    for (unsigned i = 0; i < size; i++) {
        const unsigned keep = net->prefix >= 8 * (i + 1) ? 8
                              : net->prefix <= 8 * i     ? 0
                                                         : net->prefix - 8 * i;
        net->bytes[i] = (uint8_t)(net->bytes[i] & (0xFF00u >> keep));
    }
}

static sg_str network_text(sg_arena *arena, const sr_cidr *net)
{
    char text[INET6_ADDRSTRLEN] = "";

    inet_ntop(net->family == 4 ? AF_INET : AF_INET6, net->bytes, text,
              sizeof(text));
    return sg_arena_printf(arena, "%s/%u", text, (unsigned)net->prefix);
}

bool sc_cidr_check(sg_arena *arena, sg_str text, sg_str *canonical,
                   const char **reason)
{
    sr_cidr net = {0};

    if (sr_cidr_parse(text, &net)) {
        *canonical = network_text(arena, &net);
        return true;
    }
    if (net.host_bits) {
        mask(&net);
        *canonical = network_text(arena, &net);
        *reason = "has bits set behind its prefix";
        return false;
    }
    *canonical = (sg_str)SG_LIT("");
    *reason = "is not an IP network";
    return false;
}
