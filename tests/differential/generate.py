#!/usr/bin/env python3
"""Random Sigma rules and random events that have a fair chance to meet.

A Generator draws from one seeded source, so a seed names a pack and its events
for ever. Values of rules and events come from the same small alphabet; each
construct used is counted, so that a run can print what it covered.
"""
import base64
import collections
import json
import random

FIELDS = ["Image", "CommandLine", "User", "EventID", "Port", "Ip", "When", "Flag", "a.b", "a.c.d", "list", "objs.k", "Hash",
          "Größe", "with space"]
WORDS = ["cmd", "exe", "PowerShell", "-enc", "/c", "\\", "\\\\", "C:\\Temp\\", "a", "A", "é", "É", "ß", "ſ", "K", "k", "日本", "\U0001f600",
         "", " ", "x*y", "q?r", "%p%", "1", "443", "0443", "1.0", "true", "TRUE", "null", "\n", "\t", "\"", "'", "?", "*", "10.0.0.1",
         "2001:db8::1", "\u2013f", "\u2015q", "-f", "/f", "--x", "\u0130", "i", "ς", "Σ", "\u0000", "z" * 40, "\u212ak\u017f" * 3]
NUMBERS = [0, 1, -1, 2, 10, 443, 4625, 2**31, 2**53 + 1, 2**63 - 1, -(2**63), 2**64 - 1, 0.5, 1.0, -0.0, 1.5, 1e3, 1e21, 1e-7, 12345678.75]
ADDRESSES = ["10.0.0.1", "10.255.0.9", "192.168.1.7", "172.16.0.1", "8.8.8.8", "::1", "2001:db8::5", "2001:db8:0:1::", "fe80::1", "::ffff:10.0.0.1",
             "010.0.0.1", "10.0.0.1:80", "256.1.1.1", "1.2.3", "", "10.0.0.1 ", "fe80::1%eth0"]
NETS = ["10.0.0.0/8", "192.168.0.0/16", "8.8.8.8", "0.0.0.0/0", "2001:db8::/32", "::1/128", "fe80::/10", "::/0", "172.16.0.0/12", "10.0.0.1/32"]
TIMES = ["2024-01-01T00:00:00Z", "2024-12-31T23:59:59.123456789Z", "2021-01-03 04:05:06", "2020-02-29", "2024-06-15T12:30:00+02:00", "noon",
         "2024-13-01T00:00:00Z", "2026-W01", 1700000000]
REGEXES = ["cmd", "^a", "z+$", "(?i)powershell", "[A-Z]:\\\\", "\\d{3}", "^$", ".", "é", "a|b|1", "(a+)+$", "\\bexe\\b", "^.*\\\\[^\\\\]+$", "\\s",
           "x\\*y", "^\\w+$", "(?:10\\.){1}", "日.", "[^a]", "a.c", "e{2,3}?", "z{30}", "[a-z]{12,}", "[^\\\\]{20}",
           "(?i)[k-s]{9}", "\\w?[\"']{1}", "[a-k]?`?\\?", ".{30}x?", "(?:z|\\d){9}|[y-z]{8}"]

# Log sources with and without a row in logsources.def, and what logs say.
SOURCES = [{"product": "windows", "category": "process_creation"}, {"product": "windows", "category": "registry_event"},
           {"product": "windows", "category": "file_delete"}, {"product": "windows", "service": "security"},
           {"product": "windows", "category": "process_creation", "service": "sysmon"}, {"product": "linux", "service": "auditd"},
           {"product": "zeek", "service": "dns"}, {"product": "windows"}, {"category": "proxy"},
           {"product": "linux"}, {"category": "dns"}]
CHANNELS = ["Security", "SECURITY", "Microsoft-Windows-Sysmon/Operational", "Windows PowerShell", "System", "ForwardedEvents", "x", "", None, [], ["x", "Security"], {"a": 1}]
EVENT_IDS = [1, 3, 12, 23, 4657, 4688, 4624, "1", "4688", "01", 4688.0, None, True, [4624, 1]]

MODIFIERS = ["contains", "startswith", "endswith", "all", "neq", "exists", "cased", "windash", "base64", "base64offset", "wide", "utf16", "utf16le",
             "utf16be", "re", "i", "m", "s", "ignorecase", "multiline", "dotall", "cidr", "lt", "lte", "gt", "gte", "fieldref", "expand", "minute",
             "hour", "day", "week", "month", "year"]
# What a long run must have drawn; fuzz.py --coverage names what is missing.
CONSTRUCTS = ["modifier:" + m for m in MODIFIERS] + ["value:" + v for v in (
    "string", "wildcard", "escape", "empty-string", "number", "boolean", "null", "null-in-list", "list", "empty-list", "placeholder")] + [
    "keywords:" + k for k in ("scalar", "list", "number", "all", "re", "re-all", "contains", "contains-all", "startswith", "cased", "windash",
                              "base64offset", "expand")] + [
    "condition:" + c for c in ("name", "not", "and", "or", "selector", "list", "1 of them", "any of them", "all of them", "1 of pattern",
                               "all of pattern", "nothing", "exact", "hidden", "double-not", "spacing")] + [
    "selection:" + f for f in ("map", "list-of-maps", "mixed", "nested-list", "keywords-in-list")] + [
    "neq:" + n for n in ("plain", "contains", "re", "cidr", "gt", "fieldref", "windash", "base64", "all", "exists", "cased", "time")] + [
    "filter:" + f for f in ("any", "list", "one", "negated", "positive")] + [
    "pipeline:" + t for t in ("field_name_mapping", "field_name_prefix_mapping", "field_name_suffix", "field_name_prefix", "drop_detection_item",
                              "hashes_fields", "replace_string", "map_string", "set_value", "convert_type", "case", "add_condition",
                              "value_placeholders", "wildcard_placeholders")] + [
    "event:" + e for e in ("flat", "evtx", "winlog", "beat6", "blank-key", "duplicate-key", "escapes")] + ["logsource:routed", "logsource:any"]


class Generator:
    def __init__(self, seed):
        self.r = random.Random(seed)
        self.used = collections.Counter()

    def use(self, name):
        self.used[name] += 1

    # -------- rules ---------------------------------------------------------

    def text(self):
        r = self.r
        return "".join(r.choice(WORDS) for _ in range(r.choice([1, 1, 1, 2, 2, 3])))

    def sigma_text(self, wildcards=True):
        """A Sigma string; sometimes with wildcards and escapes."""
        r = self.r
        s = self.text().replace("\u0000", "")
        if wildcards and r.random() < 0.4:
            for _ in range(r.randint(1, 2)):
                i = r.randint(0, len(s))
                piece = r.choice(["*", "?", "\\*", "\\?", "\\\\", "\\"])
                self.use("value:escape" if piece[0] == "\\" else "value:wildcard")
                s = s[:i] + piece + s[i:]
        if not s:
            self.use("value:empty-string")
        return s

    def plain_text(self):
        """A string without wildcards, for encodings."""
        s = "".join(c for c in self.text() if c not in "*?\\\u0000")
        return s or "ab"

    def scalar(self):
        r = self.r
        kind = r.random()
        if kind < 0.62:
            self.use("value:string")
            return self.sigma_text()
        if kind < 0.85:
            self.use("value:number")
            return r.choice(NUMBERS)
        if kind < 0.92:
            self.use("value:boolean")
            return r.random() < 0.5
        self.use("value:null")
        return None

    def several(self, one, most=4):
        r = self.r
        if r.random() < 0.5:
            return one()
        self.use("value:list")
        out = [one() for _ in range(r.randint(2, most))]
        if None in out:
            self.use("value:null-in-list")
        return out

    def strings(self):
        return self.several(self.sigma_text)

    def count_key(self, key):
        for m in key.split("|")[1:]:
            self.use("modifier:" + m)

    def item(self):
        """One (key, value) of a selection's map."""
        key, value = self.draw_item()
        self.count_key(key)
        return key, value

    def draw_item(self):
        r = self.r
        field = r.choice(FIELDS)
        kinds = ["plain"] * 6 + ["contains", "startswith", "endswith"] * 3 + [
            "all", "cased", "re", "re", "cidr", "compare", "exists", "windash", "base64", "base64offset", "wide", "fieldref", "time", "neq", "neq",
            "emptylist", "chain", "expand", "hashes"]
        kind = r.choice(kinds)
        self.use("item:" + kind)
        if kind == "plain":
            return field, self.several(self.scalar)
        if kind in ("contains", "startswith", "endswith"):
            return field + "|" + kind, self.strings()
        if kind == "all":
            key = field + "|" + r.choice(["contains|all", "all|contains", "all", "re|all", "startswith|all"])
            one = (lambda: r.choice(REGEXES)) if "re|" in key else self.sigma_text
            return key, [one(), one()]
        if kind == "cased":
            return field + "|" + r.choice(["cased", "contains|cased", "cased|startswith", "endswith|cased"]), self.strings()
        if kind == "re":
            flags = r.choice(["", "", "|i", "|m", "|s", "|i|s", "|ignorecase", "|multiline", "|dotall"])
            if flags:
                self.use("item:re-flags")
            return field + "|re" + flags, self.several(lambda: r.choice(REGEXES))
        if kind == "cidr":
            return r.choice(["Ip", field]) + "|cidr", self.several(lambda: r.choice(NETS))
        if kind == "compare":
            return r.choice(["Port", "EventID", field]) + "|" + r.choice(["lt", "lte", "gt", "gte"]), self.several(lambda: r.choice(NUMBERS))
        if kind == "exists":
            return field + "|exists", r.random() < 0.5
        if kind == "windash":
            return field + "|" + r.choice(["windash", "windash|contains", "contains|windash"]), self.several(
                lambda: r.choice(["-f", "/c", " -enc x", "a-b", "--x", "–f", "cmd /c"]))
        if kind == "base64":
            return field + "|" + r.choice(["base64", "base64|contains", "base64|cased"]), self.several(self.plain_text)
        if kind == "base64offset":
            return field + "|base64offset|contains", self.several(lambda: self.plain_text() + "xyz")
        if kind == "wide":
            mod = r.choice(["wide", "utf16le", "utf16be", "utf16"])
            self.use("item:" + mod)
            return field + "|" + mod + r.choice(["|base64offset|contains", "|base64", "|contains"]), self.plain_text() + "xy"
        if kind == "fieldref":
            return field + "|fieldref" + r.choice(["", "|startswith", "|endswith", "|contains"]), r.choice(FIELDS)
        if kind == "time":
            part, top = r.choice([("minute", 59), ("hour", 23), ("day", 31), ("week", 53), ("month", 12), ("year", 2026)])
            self.use("item:" + part)
            value = r.choice([0, 1, 2, 6, 12, 29, 30, 31, 52, 53, 2020, 2021, 2024, top])
            return "When|" + part + r.choice(["", "|gt", "|gte", "|lt", "|lte"]), value
        if kind == "neq":
            return self.neq_item(field)
        if kind == "expand":
            self.use("value:placeholder")
            value = "%" + r.choice(["names", "nets", "loose"]) + "%"
            return field + "|expand" + r.choice(["", "|contains", "|startswith", "|endswith"]), r.choice(
                [value, "x" + value, value + "y*", [value, self.plain_text()]])
        if kind == "hashes":
            return "Hashes", r.choice(["MD5=ab", ["SHA1=a", "MD5=b"], "IMPHASH=cmd"])
        if kind == "emptylist":
            self.use("value:empty-list")
            return field, []
        key = r.choice(["contains|startswith", "startswith|endswith", "windash|contains|all", "windash|cased|contains"])
        value = self.strings() if "all" not in key else [self.sigma_text(False), "-f"]
        return field + "|" + key, value

    def neq_item(self, field):
        r = self.r
        regex, net, number = (lambda: r.choice(REGEXES)), (lambda: r.choice(NETS)), (lambda: r.choice(NUMBERS))
        form, key, one = r.choice([
            ("plain", "neq", self.scalar), ("contains", "contains|neq", self.sigma_text), ("contains", "neq|contains", self.sigma_text),
            ("re", "re|neq", regex), ("re", "re|i|neq", regex), ("cidr", "cidr|neq", net), ("gt", "gt|neq", number), ("gt", "lte|neq", number),
            ("fieldref", "fieldref|neq", None), ("windash", "windash|contains|neq", lambda: r.choice(["-f", "/c x"])),
            ("base64", "base64|neq", self.plain_text), ("all", "contains|all|neq", self.sigma_text), ("exists", "exists|neq", None),
            ("cased", "cased|neq", self.sigma_text), ("time", "hour|neq", None)])
        self.use("neq:" + form)
        if form == "fieldref":
            return field + "|" + key, r.choice(FIELDS)
        if form == "exists":
            return field + "|" + key, r.random() < 0.5
        if form == "time":
            return "When|" + key, r.choice([0, 12, 23])
        if form == "all":
            return field + "|" + key, [one(), one()]
        return field + "|" + key, self.several(one)

    def keywords(self):
        r = self.r
        form = r.choice(["scalar", "list", "all", "re", "contains", "re-all", "contains-all", "startswith", "cased", "windash", "base64offset",
                         "expand"])
        self.use("keywords:" + form)
        value = self.draw_keywords(form)
        if isinstance(value, dict):
            for key in value:
                self.count_key(key)
        return value

    def draw_keywords(self, form):
        r = self.r
        if form == "scalar":
            return self.sigma_text() or "a"
        if form == "list":
            out = [self.sigma_text() or "a" for _ in range(r.randint(1, 3))]
            if r.random() < 0.3:
                self.use("keywords:number")
                out.append(r.choice([443, 1, 0.5]))
            return out
        if form == "all":
            return {"|all": [self.sigma_text(), self.sigma_text()]}
        if form == "re":
            return {"|re": r.choice(REGEXES)}
        if form == "re-all":
            return {"|re|all": [r.choice(REGEXES), r.choice(REGEXES)]}
        if form == "contains-all":
            return {"|contains|all": [self.sigma_text(), self.sigma_text()]}
        if form == "windash":
            return {"|windash": [r.choice(["-f", " /c", "--x"])]}
        if form == "base64offset":
            return {"|base64offset": self.plain_text() + "xyz"}
        if form == "expand":
            self.use("value:placeholder")
            return {"|expand": "%names%"}
        return {"|" + form: self.strings()}

    def mapping(self):
        out = {}
        for _ in range(self.r.choice([1, 1, 2, 3])):
            key, value = self.item()
            out[key] = value
        return out

    def selection(self):
        r = self.r
        p = r.random()
        if p < 0.68:
            self.use("selection:map")
            return self.mapping()
        if p < 0.86:
            self.use("selection:list-of-maps")
            return [self.mapping() for _ in range(r.randint(1, 3))]
        if p < 0.96:
            return self.keywords()
        if p < 0.98:
            self.use("selection:mixed")
            return [self.mapping(), self.sigma_text() or "a"]
        if p < 0.99:
            self.use("selection:keywords-in-list")
            return [{"|all": [self.sigma_text(), self.sigma_text()]}, self.mapping()]
        self.use("selection:nested-list")
        return [[self.mapping(), self.mapping()], self.mapping()]

    def condition(self, names, depth=0):
        r = self.r
        p = r.random()
        if depth > 3 or p < 0.4:
            self.use("condition:name")
            return r.choice(names)
        if p < 0.53:
            self.use("condition:not")
            return "not " + self.paren(names, depth)
        if p < 0.55:
            self.use("condition:double-not")
            return "not not " + self.paren(names, depth)
        if p < 0.70:
            self.use("condition:and")
            return self.paren(names, depth) + r.choice([" and ", " and ", "  and\n "]) + self.paren(names, depth)
        if p < 0.83:
            self.use("condition:or")
            return self.paren(names, depth) + " or " + self.paren(names, depth)
        if p < 0.85:
            self.use("condition:spacing")
            return "(%s)or(%s)" % (self.condition(names, depth + 1), r.choice(names))
        form, text = r.choice([
            ("1 of them", "1 of them"), ("all of them", "all of them"), ("any of them", "any of them"), ("1 of pattern", "any of sel*"),
            ("1 of pattern", "1 of s*_*"), ("all of pattern", "all of sel_*"), ("hidden", "1 of _hid*"), ("hidden", "all of _*"),
            ("exact", "1 of " + names[0]), ("nothing", "1 of none*"), ("nothing", "all of none*")])
        self.use("condition:selector")
        self.use("condition:" + form)
        return text

    def paren(self, names, depth):
        c = self.condition(names, depth + 1)
        return "(" + c + ")" if " " in c else c

    def rule(self, name):
        r = self.r
        names = ["sel_%d" % i for i in range(r.choice([1, 1, 2, 3]))]
        if r.random() < 0.2:
            names.append("_hidden")
        det = {n: self.selection() for n in names}
        if r.random() < 0.1:
            self.use("condition:list")
            det["condition"] = [self.condition(names), self.condition(names)]
        else:
            det["condition"] = self.condition(names)
        routed = r.random() < 0.4
        self.use("logsource:routed" if routed else "logsource:any")
        return {"title": "rule " + name, "name": name, "logsource": r.choice(SOURCES) if routed else {"product": "test_prod"}, "detection": det}

    # -------- filters and pipelines -----------------------------------------

    def filter(self, i, rules):
        """A filter over some of the rules, most often an exclusion."""
        r = self.r
        form = r.choice(["any", "list", "list", "one"])
        self.use("filter:" + form)
        names = [rule["name"] for rule in r.sample(rules, min(len(rules), 6))]
        positive = r.random() < 0.3
        self.use("filter:positive" if positive else "filter:negated")
        return {"title": "filter %d" % i, "name": "f%d" % i, "logsource": {"product": "test_prod"}, "filter": {
            "rules": "any" if form == "any" else names if form == "list" else names[0], "sel": self.mapping(), "other": self.selection(),
            "condition": r.choice(["sel", "1 of them", "sel or not other"]) if positive else r.choice(["not sel", "not 1 of *", "not sel and not other"])}}

    def transformation(self):
        r = self.r
        field = r.choice(FIELDS)
        t = r.choice([
            {"type": "field_name_mapping", "mapping": {field: r.choice(FIELDS), r.choice(FIELDS): r.sample(FIELDS, 2)}},
            {"type": "field_name_prefix_mapping", "mapping": {"a.": "objs.", "Co": "Im"}},
            {"type": "field_name_suffix", "suffix": ".k"}, {"type": "field_name_prefix", "prefix": "a."},
            {"type": "drop_detection_item"}, {"type": "hashes_fields", "valid_hash_algos": ["MD5", "SHA1"], "field_prefix": ""},
            {"type": "replace_string", "regex": r.choice(["cmd", "a+", "\\\\", "(e)(x)"]), "replacement": r.choice(["", "q", "x y"])},
            {"type": "map_string", "mapping": {"a": ["b", "cmd"], "cmd": "exe"}}, {"type": "set_value", "value": r.choice(["cmd", 1, 443])},
            {"type": "convert_type", "target_type": "str"}, {"type": "case", "method": r.choice(["lower", "upper"])},
            {"type": "add_condition", "conditions": {field: self.several(self.sigma_text)}, "negated": r.random() < 0.5}])
        self.use("pipeline:" + t["type"])
        narrow = {"field_name_conditions": [{"type": "include_fields", "fields": r.sample(FIELDS, 3)}]}
        if t["type"] != "add_condition" and (t["type"] in ("drop_detection_item", "set_value", "field_name_suffix", "field_name_prefix")
                                             or r.random() < 0.6):
            t.update(narrow)
        return t

    def pipeline(self):
        """A pipeline that resolves the placeholders, and some more."""
        self.use("pipeline:value_placeholders")
        self.use("pipeline:wildcard_placeholders")
        return {"name": "random", "priority": 10, "vars": {"names": ["cmd", "a*", "exe", 443], "nets": ["10.0.0.1", "k"]}, "transformations": [
            {"type": "value_placeholders", "include": ["names", "nets"]}, {"type": "wildcard_placeholders"}] + [
            self.transformation() for _ in range(self.r.choice([0, 1, 2, 3]))]}

    # -------- events --------------------------------------------------------

    def bait(self, rule):
        """A value that some item of the rule asks for, roughly."""
        found = []

        def walk(v, key=""):
            if isinstance(v, dict):
                for k, x in v.items():
                    walk(x, k)
            elif isinstance(v, list):
                for x in v:
                    walk(x, key)
            elif not isinstance(v, bool) and key != "condition":
                found.append((key, v))
        walk(rule["detection"])
        if not found:
            return None
        key, v = self.r.choice(found)
        field, *mods = key.split("|")
        if isinstance(v, str):
            v = v.replace("\\*", "\x01").replace("\\?", "\x02").replace("*", self.r.choice(["", "mid", "\n"])).replace(
                "?", self.r.choice(["u", "日"])).replace("\x01", "*").replace("\x02", "?").replace("\\\\", "\\")
            if self.r.random() < 0.3:
                v = v.swapcase()
            if "base64" in mods or "base64offset" in mods:
                raw = v.encode("utf-16-le" if set(mods) & {"wide", "utf16le"} else "utf-8", "surrogatepass")
                v = base64.b64encode(b"pad"[:self.r.randint(0, 3)] + raw).decode()
            if self.r.random() < 0.35:
                v = self.r.choice(["x", "", "\n"]) + v + self.r.choice(["y", "", " "])
        elif isinstance(v, (int, float)) and self.r.random() < 0.4:
            v = self.r.choice([str(v), v + 1, v - 1, float(v)])
        return field, v

    def value(self):
        r = self.r
        p = r.random()
        if p < 0.55:
            return self.text()
        if p < 0.7:
            return r.choice(NUMBERS)
        if p < 0.76:
            return r.random() < 0.5
        if p < 0.82:
            return None
        if p < 0.88:
            return r.choice(ADDRESSES)
        if p < 0.93:
            return r.choice(TIMES)
        if p < 0.97:
            return [self.value() for _ in range(r.randint(0, 3))]
        return {"k": self.text()}

    def put(self, event, field, v):
        """Set a field, nested or with a literal dot."""
        r = self.r
        if "." not in field or r.random() < 0.2:
            event[field] = v
            return
        parts = field.split(".")
        node = event
        for p in parts[:-1]:
            nxt = node.get(p)
            if isinstance(nxt, list):
                nxt.append({})
                nxt = nxt[-1]
            elif not isinstance(nxt, dict):
                nxt = node[p] = {}
                if r.random() < 0.25:
                    node[p] = [nxt, {parts[-1]: self.value()}]
            node = nxt
        node[parts[-1]] = v

    def event(self, rules):
        r = self.r
        event = {}
        for f in r.sample(FIELDS, r.randint(0, 7)):
            if f == "Ip" and r.random() < 0.7:
                self.put(event, f, r.choice(ADDRESSES))
            elif f == "When" and r.random() < 0.8:
                self.put(event, f, r.choice(TIMES))
            else:
                self.put(event, f, self.value())
        for _ in range(r.choice([0, 1, 2, 3])):
            b = self.bait(r.choice(rules))
            if b:
                self.put(event, b[0] or r.choice(FIELDS), b[1])
        return self.shaped(event)

    def shaped(self, event):
        """The event as one of the layouts of Windows logs has it."""
        r = self.r
        shape = r.choices(["any", "flat", "evtx", "winlog", "beat6"], [60, 10, 12, 12, 6])[0]
        if shape == "any":
            return event
        self.use("event:" + shape)
        if r.random() < 0.2:
            self.use("event:blank-key")
            event = {k[:2] + r.choice([" ", "  "]) + k[2:] if r.random() < 0.5 else k: v for k, v in event.items()}
        says = {}
        if r.random() < 0.8:
            says["Channel"] = r.choice(CHANNELS)
        if r.random() < 0.8:
            says["EventID"] = r.choice(EVENT_IDS)
        if shape == "flat":
            return {**event, **says, **({"_path": r.choice(["dns", "http"])} if r.random() < 0.3 else {})}
        if r.random() < 0.1:
            event["Channel"] = r.choice(CHANNELS)
        if shape == "evtx":
            if r.random() < 0.3 and "EventID" in says:
                says["EventID"] = {"#attributes": {"Qualifiers": 0}, "#text": says["EventID"]}
            return {"Event": {"System": says, r.choice(["EventData", "EventData", "UserData"]): r.choice([event, {"A": event, "B": {"User": "a"}}])}}
        names = {"Channel": "channel", "EventID": "event_id"} if shape == "winlog" else {"Channel": "log_name", "EventID": "event_id"}
        says = {names[k]: v for k, v in says.items()}
        data = {r.choice(["event_data", "event_data", "user_data"]): event}
        if shape == "beat6":
            return {**data, **says}
        ecs = {"event": {"code": r.choice(EVENT_IDS)}} if r.random() < 0.3 else {}
        return {"winlog": {**says, **data}, **ecs}

    def line(self, event):
        """JSON text: sometimes escaped more than needed, with a repeated key."""
        r = self.r
        s = json.dumps(event, ensure_ascii=r.random() < 0.4, separators=(",", ":") if r.random() < 0.7 else (", ", ": "))
        if r.random() < 0.08 and event:
            self.use("event:duplicate-key")
            k = r.choice(list(event))
            s = "{" + json.dumps(k) + ":" + json.dumps(self.value()) + "," + s.lstrip("{ ")
            if s.endswith(",}"):
                s = s[:-2] + "}"
        if r.random() < 0.05:
            self.use("event:escapes")
            s = s.replace("m", "\\u006d")
        return s
