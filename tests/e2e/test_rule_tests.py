#!/usr/bin/env python3
"""sigcc test: events beside rules, their layouts, reports, and the detector as second opinion."""
import json
import os
import sys
import xml.etree.ElementTree as ET

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../support"))
from harness import Case, ROOT, main, need_shared, rule, shared  # noqa: E402

GOOD = rule({"s": {"a": "foo"}, "condition": "s"}, title="Good")
PAIR = GOOD + "\n---\n" + rule({"s": {"b": "bar"}, "condition": "s"}, title="Second").replace('"r"', '"second"')
STREAM = rule({"s": {"a": "x"}, "condition": "s"}, title="base").replace('"r"', '"base"') + """
---
title: many
name: many
correlation: {type: event_count, rules: [base], group-by: [host], timespan: 5m, condition: {gte: 2}}
"""


def hit(host, second):
    return '{"a":"x","host":"%s","time":"2026-01-01T00:00:%02dZ"}\n' % (host, second)


class RuleTests(Case):
    def judge(self, *args, status=0, **kw):
        out = json.loads(self.sigcc("test", *args, "--format", "json", status=status, **kw).stdout)
        self.assertEqual(out["schema"], "sigcc.test/1")
        return out

    def failures(self, out):
        return [(os.path.basename(t["path"]), f["line"]) for t in out["tests"] for f in t["failures"]]


class Layout(RuleTests):
    def test_beside_and_below(self):
        self.write("rules/sub/x.yml", GOOD)
        self.write("rules/sub/x.match.ndjson", '{"a":"FOO"}\n\n{"a":["z","foo"]}\n')
        self.write("ev/sub/x.no_match.ndjson", '{"a":"fo"}\n')
        self.write("ev/x.variant.match.ndjson", '{"a":"foo"}')
        self.write("ev/other.match.ndjson", "{}")
        out = self.judge(self.path("rules"), "--events", self.path("ev"))
        self.assertEqual([os.path.relpath(t["path"], self.folder) for t in out["tests"]],
                         ["rules/sub/x.match.ndjson", "ev/sub/x.no_match.ndjson", "ev/x.variant.match.ndjson"])
        self.assertEqual([t["events"] for t in out["tests"]], [2, 1, 1])
        self.assertEqual(out["summary"]["rules"], {"passed": 1, "failed": 0, "untested": 0, "rejected": 0})

    def test_longest_stem_wins(self):
        self.write("a.yml", GOOD)
        self.write("a.b.yml", rule({"s": {"b": "bar"}, "condition": "s"}, title="Other"))
        self.write("a.b.match.ndjson", '{"b":"bar"}\n')
        out = self.judge(self.folder)
        self.assertEqual([(r["title"], r["status"]) for r in out["rules"]], [("Other", "passed"), ("Good", "untested")])

    def test_label_that_is_a_name(self):
        path = self.write("x.yml", PAIR)
        self.write("x.match.ndjson", '{"a":"foo"}\n{"b":"bar"}\n')
        self.write("x.second.match.ndjson", '{"b":"bar"}\n')
        self.write("x.second.no_match.ndjson", '{"a":"foo"}\n')
        self.write("x.free.no_match.ndjson", '{"a":"none"}\n')
        self.assertEqual(self.failures(self.judge(path)), [])
        self.write("x.second.match.ndjson", '{"b":"bar"}\n{"a":"foo"}\n')
        self.assertEqual(self.failures(self.judge(path, status=1)), [("x.second.match.ndjson", 2)])


class Verdicts(RuleTests):
    def test_failures_say_where_and_why(self):
        path = self.write("x.yml", GOOD)
        self.write("x.match.ndjson", '{"a":"foo"}\n{"a":"fob"}\nnot json\n')
        self.write("x.no_match.ndjson", '{"a":"foo"}\n')
        for extra in ((), ("--no-build",)):
            out = self.judge(path, *extra, status=1)
            self.assertEqual(self.failures(out), [("x.match.ndjson", 2), ("x.match.ndjson", 3), ("x.no_match.ndjson", 1)])
        self.assertIn("event has: 'fob'", out["tests"][0]["failures"][0]["detail"])
        text = self.sigcc("test", path, status=1).stdout.decode()
        self.assertIn("x.match.ndjson:2: the event must match and does not", text)
        self.assertIn("no  a eq 'foo'; event has: 'fob'", text)
        self.assertIn("FAIL", text)
        self.assertNotIn("\x1b", text)

    def test_empty_and_unreadable_files(self):
        path = self.write("x.yml", GOOD)
        self.write("x.no_match.ndjson", "\n\n")
        os.mkdir(self.path("x.match.ndjson"))
        self.assertEqual(self.judge(path, status=1)["summary"]["failed"], 2)

    def test_untested(self):
        path = self.write("x.yml", PAIR)
        self.write("x.second.match.ndjson", '{"b":"bar"}\n')
        out = self.judge(path)
        self.assertEqual([(r["title"], r["status"]) for r in out["rules"]], [("Good", "untested"), ("Second", "passed")])
        self.judge(path, "--require-tests", status=1)
        self.assertIn("untested", self.sigcc("test", path).stdout.decode())

    def test_rejected_rules(self):
        self.write("good.yml", GOOD)
        self.write("good.match.ndjson", '{"a":"foo"}\n')
        self.write("bad.yml", rule({"s": {"a|nope": 1}, "condition": "s"}, title="Bad"))
        out = self.judge(self.folder, status=1)
        self.assertEqual([(r["title"], r["status"]) for r in out["rules"]], [("Bad", "rejected"), ("Good", "passed")])
        self.assertTrue(out["rules"][0]["code"].startswith("E02"))

    def test_exit_codes(self):
        path = self.write("x.yml", GOOD)
        self.sigcc("test", path)
        self.sigcc("test", path, "--events", self.path("nowhere"), status=2)
        self.sigcc("test", path, "--format", "sarif", status=2)
        self.sigcc("test", self.path("none.yml"), status=3)
        self.write("x.match.ndjson", '{"a":"foo"}\n')
        self.sigcc("test", path, "--cc", "/nonexistent/cc", status=3)
        self.sigcc("test", path, "--cc", "/nonexistent/cc", "--no-build")

    def test_detector_that_disagrees(self):
        """What ships is asked: a C compiler that changes a literal is found out."""
        path = self.write("x.yml", GOOD)
        self.write("x.match.ndjson", '{"a":"foo"}\n')
        cc = self.write("cc", '#!/bin/sh\nfor a in "$@"; do case $a in *detector.c) sed -i s/foo/fox/g "$a";; esac; done\nexec cc "$@"\n')
        os.chmod(cc, 0o755)
        out = self.judge(path, "--cc", cc, status=1)
        self.assertIn("the reference evaluator says yes, the detector says no", out["tests"][0]["failures"][0]["reason"])
        tmp = self.path("tmp")
        os.mkdir(tmp)
        self.judge(path, env=dict(os.environ, TMPDIR=tmp))
        self.assertEqual(os.listdir(tmp), [])


class Correlations(RuleTests):
    def test_streams(self):
        path = self.write("x.yml", STREAM)
        self.write("x.match.ndjson", hit("A", 1) + hit("B", 2) + hit("A", 3))
        self.write("x.no_match.ndjson", hit("A", 1) + hit("B", 2))
        self.write("x.many.match.ndjson", hit("A", 1) + hit("A", 2))
        self.write("x.base.match.ndjson", hit("A", 1))
        out = self.judge(path)
        self.assertEqual(sorted((os.path.basename(t["path"]), t["kind"]) for t in out["tests"]),
                         [("x.base.match.ndjson", "events"), ("x.many.match.ndjson", "stream"), ("x.match.ndjson", "stream"),
                          ("x.no_match.ndjson", "stream")])
        self.assertEqual(out["summary"]["rules"]["passed"], 2)
        self.write("x.match.ndjson", hit("A", 1) + hit("B", 2))
        self.write("x.no_match.ndjson", hit("A", 1) + hit("A", 2))
        out = self.judge(path, status=1)
        self.assertEqual(self.failures(out), [("x.match.ndjson", 0), ("x.no_match.ndjson", 2)])
        details = [f["detail"] for t in out["tests"] for f in t["failures"]]
        self.assertEqual(details, ["rule base matches 2 of 2 events\n"] * 2)


class JUnit(RuleTests):
    def junit(self, *args, status=0):
        return ET.fromstring(self.sigcc("test", *args, "--format", "junit", status=status).stdout)

    def test_well_formed_whatever_the_text(self):
        evil = "<&\"'>\x01\x1b[2J\u0085\u202e\ufffe]]>"
        rules = (rule({"s": {"a" + evil: evil}, "condition": "s"}, title="T" + evil),
                 rule({"s": {"b|nope": evil}, "condition": "s"}, title="Bad" + evil).replace('"r"', '"bad"'))
        path = self.write("x.yml", "\n---\n".join(json.dumps(json.loads(r)) for r in rules))
        self.write("x.match.ndjson", json.dumps({"a" + evil: "\x00\ud800" + evil}) + "\n")
        root = self.junit(path, status=1)
        self.assertEqual((root.tag, root.get("tests"), root.get("failures"), root.get("errors")), ("testsuites", "2", "1", "1"))
        self.assertEqual(root.find(".//error").get("type")[:3], "E02")
        self.assertIn("x.match.ndjson:1: the event must match", root.find(".//failure").text)

    def test_cases(self):
        self.write("x.yml", GOOD)
        self.write("x.match.ndjson", '{"a":"foo"}\n')
        self.write("y.yml", rule({"s": {"b": 1}, "condition": "s"}, title="Bare"))
        root = self.junit(self.folder)
        self.assertEqual([(s.get("name")[-5:], s.get("tests"), s.get("skipped")) for s in root], [("x.yml", "1", "0"), ("y.yml", "1", "1")])
        self.assertEqual(root.find(".//skipped").get("message"), "untested")
        self.assertEqual(self.junit(self.folder, "--require-tests", status=1).get("failures"), "1")


INFO = """\
id: b175f119-5c18-4f14-9f41-f68e27172f25
regression_tests_info:
- {name: Positive Detection Test, type: evtx, match_count: %d, path: regression_data/rules/x/events.evtx}
- {name: Positive Detection Test, type: json, path: regression_data/rules/x/events.json}
- {name: Other, type: evtx, path: regression_data/rules/x/none.evtx}
- {name: Up, type: json, path: ../../secret.json}
- {name: Pipelines, type: json, pipelines: [p.yml], path: regression_data/rules/x/more.json}
"""


class Regression(RuleTests):
    def make(self, count):
        self.write("top/rules/x.yml", GOOD[:-1] + ', "regression_tests_path": "regression_data/rules/x/info.yml"}')
        self.write("top/regression_data/rules/x/info.yml", INFO % count)
        self.write("top/regression_data/rules/x/more.json", "{}")
        self.write("secret.json", "{}")
        self.write("top/regression_data/rules/x/events.json",
                   json.dumps({"a": "foo", "t": "}{\"\\"}, indent=2) + "\n" + json.dumps({"a": "no"}, indent=2) + "\n")

    def test_info_and_its_events(self):
        self.make(1)
        out = self.judge(self.path("top/rules"))
        self.assertEqual([(t["status"], t["events"]) for t in out["tests"]], [("passed", 2)] + [("skipped", 0)] * 3)
        self.assertEqual(out["rules"][0]["status"], "passed")
        self.make(2)
        out = self.judge(self.path("top/rules"), status=1)
        self.assertIn("1 of 2 events match, at least 2 must", out["tests"][0]["failures"][0]["reason"])

    def test_where_it_is(self):
        self.make(1)
        os.rename(self.path("top/regression_data"), self.path("moved"))
        os.makedirs(self.path("root"))
        os.rename(self.path("moved"), self.path("root/regression_data"))
        out = self.judge(self.path("top/rules"))
        self.assertEqual([t["status"] for t in out["tests"]], ["skipped"])
        self.assertEqual(self.judge(self.path("top/rules"), "--regression-root", self.path("root"))["summary"]["passed"], 1)

    def test_paths_that_are_not_followed(self):
        for path in ("/etc/passwd", "../../../etc/passwd", "x.txt", "/tmp/x.yml"):
            file = self.write("r.yml", GOOD[:-1] + ', "regression_tests_path": %s}' % json.dumps(path))
            self.assertEqual([t["status"] for t in self.judge(file)["tests"]], ["skipped"])

    @need_shared("corpora/regression/manifest.json")
    @need_shared("sigmahq/rules")
    def test_sigmahq(self):
        with open(shared("corpora/regression/manifest.json"), encoding="utf-8") as f:
            items = json.load(f)["items"]
        rules = set()
        for it in items:
            rule_path = shared("sigmahq/" + it["rule_path"])
            if not os.path.exists(rule_path):
                continue
            folder = os.path.dirname(it["regression_tests_path"])
            entry = {"type": "evtx", "path": folder + "/events.evtx"}
            if it["match_count"] is not None:
                entry["match_count"] = it["match_count"]
            self.write("root/%s/info.yml" % folder, json.dumps({"regression_tests_info": [entry]}))
            with open(shared("corpora/" + it["events_file"]), "rb") as f:
                self.write("root/%s/events.json" % folder, f.read())
            rules.add(rule_path)
        self.assertGreater(len(rules), 100)
        out = self.judge(*sorted(rules), "--regression-root", self.path("root"), "-O0")
        self.assertEqual(out["summary"]["passed"], len(rules), [t for t in out["tests"] if t["status"] != "passed"][:3])


class Shipped(RuleTests):
    """Every rule of sigma/ has tests here, and passes them under its pipelines."""

    def test_sigma(self):
        with open(os.path.join(ROOT, "generated/recipes.txt"), encoding="utf-8") as f:
            recipes = [line.split() for line in f if line.strip() and not line.startswith("#")]
        for stem, *pipelines in recipes:
            if stem == "t1071_003_mail_protocols":  # its events are Sysmon's
                pipelines = ["sysmon_windows"]
            args = [x for p in pipelines for x in ("-p", p)]
            out = self.judge(os.path.join(ROOT, "sigma/%s.yml" % stem), *args, "--events", os.path.join(ROOT, "tests/rules"),
                             "--require-tests")
            self.assertEqual(out["summary"]["tests"], 2, stem)


if __name__ == "__main__":
    main()
