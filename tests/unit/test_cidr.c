/*
 * test_cidr.c - addresses and networks as text.
 */
#include "match/match.h"
#include "support/test.h"

static void test_addresses(void)
{
    static const struct {
        const char *text;
        int family; /* 0: no address */
    } rows[] = {
        {"10.0.0.1", 4},
        {"255.255.255.255", 4},
        {"0.0.0.0", 4},
        {"256.0.0.1", 0},
        {"010.0.0.1", 0},
        {"10.0.0.00", 0},
        {"10.0.0", 0},
        {"10.0.0.", 0},
        {"10.0.0.1.", 0},
        {"10.0.0.1.1", 0},
        {"10..0.1", 0},
        {".10.0.1", 0},
        {"1000.0.0.1", 0},
        {"10.0.0.1:443", 0},
        {" 10.0.0.1", 0},
        {"10.0.0.1 ", 0},
        {"+1.0.0.1", 0},
        {"0x1.0.0.1", 0},
        {"167772161", 0},
        {"", 0},
        {"::", 6},
        {"::1", 6},
        {"1::", 6},
        {"1::8", 6},
        {"1:2:3:4:5:6:7:8", 6},
        {"1:2:3:4:5:6:7::", 6},
        {"::2:3:4:5:6:7:8", 6},
        {"1:2:3:4:5:6:7:8:9", 0},
        {"1:2:3:4:5:6:7", 0},
        {"1:2:3:4::5:6:7:8", 0},
        {"1::2::3", 0},
        {":::", 0},
        {"1:::2", 0},
        {":1", 0},
        {"1:", 0},
        {":", 0},
        {"1:2:3:4:5:6:7:", 0},
        {":1:2:3:4:5:6:7", 0},
        {"fe80::1%eth0", 0},
        {"[::1]", 0},
        {"12345::", 0},
        {"g::", 0},
        {"::ffff:10.0.0.1", 6},
        {"::10.0.0.1", 6},
        {"1:2:3:4:5:6:10.0.0.1", 6},
        {"1:2:3:4:5:10.0.0.1", 0},
        {"1:2:3:4:5:6:7:10.0.0.1", 0},
        {"::10.0.0.1:1", 0},
        {"::10.0.0", 0},
        {"::010.0.0.1", 0},
        {"2001:0DB8:ABFF:0000:0000:0000:0000:0001", 6},
        {"1111:2222:3333:4444:5555:6666:123.123.123.123", 6},
        {"10.0.0.1/32", 0},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        sr_cidr a;
        const bool ok = sr_address_parse(sg_str_of(rows[i].text), &a);
        if ((ok ? a.family : 0) != rows[i].family)
            printf("address %s\n", rows[i].text);
        CHECK_INT(ok ? a.family : 0, rows[i].family);
    }
}

static void test_bytes(void)
{
    static const uint8_t want[16] = {0x20, 1, 0xd, 0xb8, 0,  0, 0, 0,
                                     0,    0, 0,   0,    10, 0, 0, 1};
    sr_cidr a;

    CHECK(sr_address_parse(SG_S("2001:db8::10.0.0.1"), &a));
    CHECK(memcmp(a.bytes, want, 16) == 0);
    CHECK(sr_address_parse(SG_S("2001:DB8:0:0::a00:1"), &a));
    CHECK(memcmp(a.bytes, want, 16) == 0);
}

static void test_networks(void)
{
    static const struct {
        const char *text;
        bool ok, host_bits;
    } rows[] = {
        {"10.0.0.0/8", true, false},    {"10.1.2.3/8", false, true},
        {"10.0.0.0/33", false, false},  {"10.0.0.0/", false, false},
        {"10.0.0.0/08", false, false},  {"10.0.0.0/-1", false, false},
        {"10.0.0.0/8 ", false, false},  {"10.0.0.0/255.0.0.0", false, false},
        {"0.0.0.0/0", true, false},     {"10.0.0.1", true, false},
        {"10.0.0.1/32", true, false},   {"10.0.0.1/31", false, true},
        {"::/0", true, false},          {"::1/128", true, false},
        {"fe80::/10", true, false},     {"fe81::/8", false, true},
        {"::/129", false, false},       {"x/8", false, false},
        {"/8", false, false},           {"10.0.0.0/8/8", false, false},
        {"2001:db8::/32", true, false}, {"2001:db8::1/64", false, true},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        sr_cidr net;
        if (sr_cidr_parse(sg_str_of(rows[i].text), &net) != rows[i].ok)
            printf("network %s\n", rows[i].text);
        CHECK(sr_cidr_parse(sg_str_of(rows[i].text), &net) == rows[i].ok);
        CHECK(net.host_bits == rows[i].host_bits);
    }
}

static void test_membership(void)
{
    static const struct {
        const char *net, *address;
        bool want;
    } rows[] = {
        {"10.20.0.0/16", "10.20.0.0", true},
        {"10.20.0.0/16", "10.20.255.255", true},
        {"10.20.0.0/16", "10.21.0.1", false},
        {"10.20.0.0/16", "110.20.1.1", false},
        {"0.0.0.0/0", "255.255.255.255", true},
        {"0.0.0.0/0", "::1", false},
        {"0.0.0.0/0", "x", false},
        {"203.0.113.7/32", "203.0.113.8", false},
        {"203.0.113.7", "203.0.113.7", true},
        {"192.168.0.128/25", "192.168.0.127", false},
        {"192.168.0.128/25", "192.168.0.128", true},
        {"128.0.0.0/1", "127.255.255.255", false},
        {"fe80::/10", "fe80::1234", true},
        {"fe80::/10", "febf:ffff::", true},
        {"fe80::/10", "fec0::", false},
        {"2001:db8:ab00::/40", "2001:0DB8:ABFF::1", true},
        {"2001:db8:ab00::/40", "2001:db8:ac00::1", false},
        {"10.0.0.0/8", "::ffff:10.0.0.1", false},
        {"::/0", "10.0.0.1", false},
        {"::/0", "ffff::", true},
        {"::1/128", "::2", false},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        sr_cidr net;
        CHECK(sr_cidr_parse(sg_str_of(rows[i].net), &net));
        CHECK(sr_cidr_has(&net, sg_str_of(rows[i].address)) == rows[i].want);
    }
}

int main(void)
{
    test_addresses();
    test_bytes();
    test_networks();
    test_membership();
    return TEST_END();
}
