// peer_simdjson.cpp - the first detection over FDR lines with simdjson's
// on-demand parser reading the same fields. Prints the number of groups above
// two. A peer to measure against.
#define PCRE2_CODE_UNIT_WIDTH 8
#include <cstdio>
#include <cstring>
#include <pcre2.h>
#include <simdjson.h>
#include <string>
#include <unordered_map>

using namespace simdjson;

struct group {
    unsigned long count = 0;
    double first = 0, last = 0;
};

static bool text(ondemand::object &e, const char *name, std::string_view &out)
{
    ondemand::value v;
    if (e.find_field_unordered(name).get(v) != SUCCESS)
        return false;
    ondemand::json_type t;
    if (v.type().get(t) != SUCCESS)
        return false;
    if (t == ondemand::json_type::string)
        return v.get_string().get(out) == SUCCESS;
    if (t == ondemand::json_type::number) {
        out = v.raw_json_token();
        while (!out.empty() && (out.back() == ' ' || out.back() == '\n'))
            out.remove_suffix(1);
        return true;
    }
    return false;
}

static const char *protocol(std::string_view p)
{
    if (p == "25" || p == "465" || p == "587")
        return "SMTP";
    if (p == "110" || p == "995")
        return "POP3";
    return p == "143" || p == "993" ? "IMAP" : nullptr;
}

int main(int argc, char **argv)
{
    padded_string data;
    if (padded_string::load(argv[argc - 1]).get(data) != SUCCESS)
        return 4;
    int code;
    size_t offset;
    pcre2_code *re = pcre2_compile(
        (PCRE2_SPTR) "(?i)(outlook|thunderbird|MailClient|eM.Client|msedge|"
                     "chrome|firefox)\\.exe$",
        PCRE2_ZERO_TERMINATED, PCRE2_UTF, &code, &offset, nullptr);
    pcre2_match_data *md = pcre2_match_data_create_from_pattern(re, nullptr);
    pcre2_jit_compile(re, PCRE2_JIT_COMPLETE);

    ondemand::parser parser;
    std::unordered_map<std::string, group> groups;
    std::string key;
    const char *p = data.data(), *all = p + data.size();
    while (p < all) {
        const char *end =
            static_cast<const char *>(memchr(p, '\n', size_t(all - p)));
        if (end == nullptr)
            end = all;
        ondemand::document doc;
        ondemand::object e;
        std::string_view name, port, image, host, user, ip, time;
        padded_string_view view(p, size_t(end - p),
                                size_t(all - p) + SIMDJSON_PADDING);
        p = end + 1;
        if (parser.iterate(view).get(doc) != SUCCESS ||
            doc.get_object().get(e) != SUCCESS)
            continue;
        if (!text(e, "event_simpleName", name) || name != "NetworkConnectIP4")
            continue;
        if (!text(e, "RemotePort", port))
            continue;
        const char *proto = protocol(port);
        if (proto == nullptr || !text(e, "ImageFileName", image) ||
            pcre2_match(re, (PCRE2_SPTR)image.data(), image.size(), 0, 0, md,
                        nullptr) >= 0)
            continue;
        if (!text(e, "ComputerName", host) || !text(e, "UserName", user) ||
            !text(e, "RemoteAddressIP4", ip))
            continue;
        double t = 0;
        if (text(e, "ContextTimeStamp", time))
            t = atof(std::string(time).c_str());
        key.clear();
        for (auto s : {host, image, ip, port, std::string_view(proto), user})
            key.append(s).push_back('|');
        group &g = groups[key];
        if (g.count++ == 0)
            g.first = g.last = t;
        g.first = t < g.first ? t : g.first;
        g.last = t > g.last ? t : g.last;
    }
    unsigned long over = 0;
    for (auto &g : groups)
        over += g.second.count > 2;
    printf("%lu\n", over);
    return 0;
}
