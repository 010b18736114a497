/*
 * test_crypto.c - digests against what their definitions say of known texts.
 */
#include "sign/sign.h"
#include "support/test.h"

int main(void)
{
    char hex[65];

    sr_sha256(SG_S("abc"), hex);
    CHECK_STR(sg_str_of(hex),
              SG_S("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20"
                   "015ad"));
    sr_digest(SG_S("abc"), hex);
    CHECK_STR(sg_str_of(hex),
              SG_S("bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d"
                   "52319"));
    sr_digest((sg_str){NULL, 0}, hex);
    CHECK_STR(sg_str_of(hex),
              SG_S("0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12"
                   "fe3a8"));
    return TEST_END();
}
