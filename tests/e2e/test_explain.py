#!/usr/bin/env python3
"""sigcc explain: agrees with detectors, shows what decides, obeys no text."""
import concurrent.futures
import glob
import json
import os
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../support"))
from harness import Case, ROOT, SIGCC, main, rule  # noqa: E402
from streams import ASAN  # noqa: E402

CASES = 210


def conformance():
    """Cases with events, evenly from all files."""
    cases = []
    for path in sorted(glob.glob(os.path.join(ROOT, "tests/conformance/*.json"))):
        with open(path, encoding="utf-8") as f:
            cases += [c for c in json.load(f) if "events" in c]
    step = max(1, len(cases) // CASES)
    picked = cases[::step]
    return picked + [c for c in cases if c not in picked][:max(0, CASES - len(picked))]


def check_tree(node):
    """Every verdict follows from those below it."""
    kids = [check_tree(k) for k in node.get("of", [])]
    asks = [a["holds"] for a in node.get("asks", [])]
    kind = node["kind"]
    want = {"all": lambda: all(kids), "any": lambda: any(kids), "not": lambda: not kids[0], "never": lambda: False,
            "always": lambda: True, "selection": lambda: node["holds"]}
    if kind == "item":
        holds = (all(asks) if node.get("quantifier") == "all" else any(asks)) if asks else node["holds"]
    else:
        holds = want[kind]()
    assert holds == node["holds"], node
    return holds


class Agreement(Case):
    def one(self, number, case):
        folder = os.path.join(self.folder, str(number))
        os.mkdir(folder)

        def file(name, text):
            with open(os.path.join(folder, name), "wb") as f:
                f.write(text.encode("utf-8", "surrogatepass"))
            return os.path.join(folder, name)
        docs = [d for d in case["rule"].split("\n---") if d.strip() and "\ncorrelation:" not in "\n" + d]
        args = [file("rule.yml", "\n---".join(docs))]
        for kind, flag in (("filter", "--filter"), ("pipeline", "-p")):
            texts = case.get(kind, [])
            for i, text in enumerate([texts] if isinstance(texts, str) else texts):
                args += [flag, file("%s%d.yml" % (kind, i), text)]
        events = file("events.ndjson", "".join(json.dumps(e["event"]) + "\n" for e in case["events"]))
        det = os.path.join(folder, "det")
        p = subprocess.run([SIGCC, "build", *args, "--pack", "-O0", "-o", det], capture_output=True, timeout=120)
        assert p.returncode == 0, p.stderr
        fired = {}
        for line in subprocess.run([det, "-f", "ndjson", "--no-event", events], capture_output=True, timeout=60, check=True).stdout.splitlines():
            a = json.loads(line)
            fired.setdefault(a["source"]["line"], set()).add(a["rule"].get("name") or a["rule"]["title"])
        for n in range(1, len(case["events"]) + 1):
            p = subprocess.run([SIGCC, "explain", *args, events, "--line", str(n), "--format", "json"], capture_output=True, timeout=60)
            assert p.returncode == 0, p.stderr
            x = json.loads(p.stdout)
            got = {r.get("name") or r["title"] for r in x["rules"] if r["match"]}
            assert got == fired.get(n, set()), "%s, event %d: explain %s, detector %s" % (case["name"], n, got, fired.get(n))
            for r in x["rules"]:
                assert not r["match"] or check_tree(r["tree"]), r
                for s in r["selections"]:
                    check_tree(s["tree"])
                assert r["tree"]["decides"] == r.get("route", {}).get("holds", True)
        return len(case["events"])

    def test_conformance_cases(self):
        cases = conformance()
        self.assertGreaterEqual(len(cases), 200)
        cases = cases[::20 if ASAN else 3]  # slow, and the same code for all
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            events = sum(pool.map(self.one, range(len(cases)), cases))
        self.assertGreaterEqual(events, 15 if ASAN else 130)


RULE = rule({"sel": {"Image|endswith": ["\\a.exe", "\\b.exe"], "Port": [25, 587], "Cmd|contains|all": ["x", "y"]},
             "filter_1": {"User": None}, "condition": "sel and not 1 of filter_*"}, title="A title")


class Show(Case):
    def explain(self, text, event, *args, status=0, **kw):
        path = self.write("r.yml", text)
        return self.sigcc("explain", path, self.write("e.json", event), *args, status=status, **kw).stdout.decode()

    def test_text(self):
        out = self.explain(RULE, '{"Image":"C:\\\\A.EXE","Port":443,"User":"u"}')
        self.assertTrue(out.startswith("no  A title [r]"), out)
        for want in ("condition: sel and not 1 of filter_*", "Image ends any of '\\a.exe', '\\b.exe' (1 of 2 holds)", "event has: 'C:\\A.EXE'",
                     "Port num any of 25, 587  <- decides", "event has: 443", "Cmd contains all of 'x', 'y'  <- decides", "event has: missing",
                     "selection filter_1"):
            self.assertIn(want, out)
        self.assertNotIn("\x1b", out)
        self.assertNotIn("endswith any of '\\a.exe', '\\b.exe' (1 of 2 holds)  <- decides", out)
        out = self.explain(RULE, '{"Image":"/b.exe","Port":"25","Cmd":"yx","User":"u"}')
        self.assertIn("no  Image", out)
        out = self.explain(RULE, '{"Image":"\\\\b.exe","Port":"25","Cmd":"yx","User":"u"}')
        self.assertTrue(out.startswith("yes A title"), out)

    def test_json_of_one_rule(self):
        text = RULE + "\n---\n" + rule({"kw": ["foo"], "condition": "kw"}, title="other").replace('"r"', '"second"')
        event = '{"z":["FOO",null,1]}'
        x = json.loads(self.explain(text, event, "--format", "json"))
        self.assertEqual(x["schema"], "sigcc.explain/1")
        self.assertEqual([(r["title"], r["match"]) for r in x["rules"]], [("A title", False), ("other", True)])
        self.assertEqual(x["summary"], {"rules": 2, "matched": 1})
        for name in ("second", "other"):
            x = json.loads(self.explain(text, event, "--format", "json", "--rule", name))
            self.assertEqual([r["title"] for r in x["rules"]], ["other"])
        item = x["rules"][0]["selections"][0]["tree"]
        self.assertEqual((item["keywords"], item["operator"], item["values"]), (True, "contains", ["FOO", None, 1]))

    def test_log_source(self):
        text = json.dumps({"title": "t", "logsource": {"product": "windows", "category": "process_creation"},
                           "detection": {"s": {"Image": "x"}, "condition": "s"}})
        event = '{"Channel":"Security","EventID":4624,"Image":"x"}'
        r = json.loads(self.explain(text, event, "--format", "json"))["rules"][0]
        self.assertEqual((r["match"], r["route"]["holds"], r["tree"]["holds"], r["tree"]["decides"]), (False, False, True, False))
        self.assertIn("not an event of windows/process_creation", self.explain(text, event))
        self.assertTrue(self.explain(text, event, "--no-logsource-routing").startswith("yes t"))

    def test_hostile_text(self):
        evil = "\x1b]0;pwned\x07\u202e"
        text = rule({"sel\x1b[2J": {"f" + evil: evil, "n": "x" * 5000}, "condition": "1 of them"}, title=evil)
        out = self.explain(text, json.dumps({"f" + evil: [evil, "y" * 100000], "n": {"deep": 1}}))
        for bad in ("\x1b", "\x07", "\u202e"):
            self.assertNotIn(bad, out)
        self.assertLess(len(out), 5000)
        x = self.explain(text, json.dumps({"n": evil}), "--format", "json")
        self.assertEqual(json.loads(x)["rules"][0]["title"], evil)
        self.assertNotIn("\x1b", x)

    def test_lines_and_stdin(self):
        path = self.write("r.yml", rule({"s": {"a": 1}, "condition": "s"}))
        lines = b'\n{"a":2}\n{"a":1}\n'

        def first(*args, status=0):
            return self.sigcc("explain", path, "-", "--format", "json", *args, stdin=lines, status=status).stdout
        self.assertEqual(json.loads(first())["event"]["line"], 2)
        self.assertTrue(json.loads(first("--line", "3"))["rules"][0]["match"])
        self.assertEqual(first("--line", "9", status=3), b"")
        self.assertEqual(first("--line", "1", status=3), b"")
        pretty = json.dumps({"a": 1}, indent=2)
        self.assertTrue(json.loads(self.explain(rule({"s": {"a": 1}, "condition": "s"}), pretty, "--format", "json"))["rules"][0]["match"])

    def test_exit_codes(self):
        good = self.write("r.yml", RULE)
        bad = self.write("bad.yml", rule({"s": {"a|nope": 1}, "condition": "s"}))
        event = self.write("e.json", "{}")
        self.sigcc("explain", good, event)
        self.sigcc("explain", good, bad, event, status=1)
        self.sigcc("explain", good, status=2)
        self.sigcc("explain", good, event, "--rule", "nobody", status=2)
        self.sigcc("explain", good, event, "--format", "sarif", status=2)
        self.sigcc("explain", good, self.path("none.json"), status=3)
        self.sigcc("explain", good, self.write("t.json", "[1]"), status=3)


CORRELATION = rule({"s": {"a": "x"}, "condition": "s"}, title="base").replace('"r"', '"base"') + """
---
title: many
name: many
correlation:
  type: event_count
  rules: [base]
  group-by: [host, user]
  timespan: 5m
  condition: {gte: %d}
"""


class Correlations(Case):
    def test_group_and_part(self):
        path = self.write("r.yml", CORRELATION % 2)
        x = self.sigcc("explain", path, "-", "--format", "json", stdin=b'{"a":"x","host":"H","user":7,"time":1700000000}').stdout
        c = json.loads(x)["correlations"][0]
        self.assertEqual((c["fires"], c["condition"], c["type"], c["timespan"]), (False, "gte 2", "event_count", "5m"))
        self.assertEqual(c["refs"], [{"rule": "base", "holds": True, "timed": True, "takes_part": True,
                                      "group": [{"field": "host", "value": "H"}, {"field": "user", "value": 7}], "values": []}])
        for event, part in (('{"a":"x","host":"H","time":1}', False), ('{"a":"x","host":"H","user":7}', False), ('{"a":"y"}', False)):
            x = self.sigcc("explain", path, "-", "--format", "json", stdin=event.encode()).stdout
            self.assertEqual(json.loads(x)["correlations"][0]["refs"][0]["takes_part"], part)
        out = self.sigcc("explain", path, "-", stdin=b'{"a":"x","host":"H"}').stdout.decode()
        self.assertIn("group: host = 'H', user = missing", out)
        self.assertIn("takes no part", out)

    def test_fires_alone_as_detectors_do(self):
        path = self.write("r.yml", CORRELATION % 1)
        event = b'{"a":"x","host":"H","user":7,"time":1700000000}\n'
        self.assertTrue(json.loads(self.sigcc("explain", path, "-", "--format", "json", stdin=event).stdout)["correlations"][0]["fires"])
        self.assertEqual([a["type"] for a in self.detect(self.build(path), stdin=event)], ["correlation"])


class Lists(Case):
    def test_every_topic(self):
        for topic, name in (("modifiers", "windash"), ("transforms", "field_name_mapping"), ("inputs", "zstd"), ("outputs", "csv"),
                            ("pipelines", "sysmon_windows"), ("correlations", "value_count"), ("operators", "cidr"), ("diagnostics", "E0102")):
            text = self.sigcc("list", topic).stdout.decode()
            data = json.loads(self.sigcc("list", topic, "--format", "json").stdout)
            self.assertEqual((data["schema"], data["topic"]), ("sigcc.list/1", topic))
            names = [e.get("name") if topic != "diagnostics" else e["code"] for e in data["entries"]]
            self.assertIn(name, names)
            self.assertEqual(len(set(names)), len(names))
            self.assertEqual(len(text.splitlines()), len(names) + 1)
            for n, line in zip(names, text.splitlines()[1:]):
                self.assertTrue(line.startswith(n), line)

    def test_explain_code(self):
        for e in json.loads(self.sigcc("list", "diagnostics", "--format", "json").stdout)["entries"]:
            text = self.sigcc("--explain", e["code"]).stdout.decode()
            self.assertTrue(text.startswith("%s: %s\n\n" % (e["code"], e["name"])), text)
            self.assertEqual(" ".join(text.split("\n\n", 1)[1].split()), " ".join(e["meaning"].split()))
            self.assertLessEqual(max(map(len, text.splitlines())), 80)
        self.sigcc("--explain", "E9999", status=2)


if __name__ == "__main__":
    main()
