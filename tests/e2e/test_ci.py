#!/usr/bin/env python3
"""sigcc ci: one run over a rule repository, its reports, --since, baselines, budgets, hostile texts."""
import base64
import hashlib
import html.parser
import json
import os
import re
import shutil
import subprocess
import sys
import unittest
import xml.etree.ElementTree as ET

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../support"))
from harness import Case, ROOT, SIGCC, main  # noqa: E402

SBOM = "sbom.spdx.json"  # where detectors were built
FILES = {"junit.xml", "navigator.json", "report.html", "report.json", "results.sarif"}
META = {"status": "test", "description": "A rule that is here to be tested.", "author": "sigcc", "date": "2024-01-01", "level": "low"}
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")


def rule(number, value=None, **extra):
    """A rule without any finding, as JSON text, which is YAML."""
    return json.dumps({"title": "Rule %d" % number, "id": "%08d-0000-4000-8000-000000000000" % number, "name": "rule%d" % number, **META,
                       "logsource": {"product": "windows", "category": "process_creation"},
                       "detection": {"tool": {"Image|endswith": value or "\\tool%d.exe" % number}, "condition": "tool"}, **extra},
                      ensure_ascii=False) + "\n"


def correlation(*names, generate=False):
    return json.dumps({"title": "Many", "id": "99999999-0000-4000-8000-000000000000", "name": "many", **META,
                       "correlation": {"type": "event_count", "rules": list(names), "group-by": ["Computer"], "timespan": "5m",
                                       "condition": {"gte": 3}, "generate": generate}}) + "\n"


FILTER = json.dumps({"title": "Not here", "id": "88888888-0000-4000-8000-000000000000",
                     "logsource": {"product": "windows", "category": "process_creation"},
                     "filter": {"rules": "any", "selection": {"Computer": "test"}, "condition": "not selection"}}) + "\n"


class CiCase(Case):
    def setUp(self):
        super().setUp()
        self.env = dict(os.environ, NO_COLOR="1", SIGCC_CACHE="off")

    def ci(self, *args, status=0, out="out", paths=("rules",), **kw):
        kw.setdefault("env", self.env)
        self.last = self.sigcc("ci", *paths, "-o", out, *args, status=status, cwd=self.folder, **kw)
        return self.load(out + "/report.json")

    def load(self, name):
        with open(self.path(name), encoding="utf-8") as f:
            return json.load(f)

    def read(self, name):
        with open(self.path(name), encoding="utf-8", newline="") as f:
            return f.read()

    def statuses(self, report):
        return {os.path.basename(r["path"]): r["status"] for r in report["rules"]}

    def git(self, *args):
        env = dict(self.env, GIT_CONFIG_GLOBAL="/dev/null", GIT_CONFIG_SYSTEM="/dev/null")
        p = subprocess.run(["git", "-c", "user.name=t", "-c", "user.email=t@t", "-c", "init.defaultBranch=main", *args], cwd=self.folder,
                           capture_output=True, env=env, timeout=60)
        self.assertEqual(p.returncode, 0, p.stderr)

    def commit(self):
        self.git("add", "-A")
        self.git("commit", "-qm", "x")

    def detectors(self, out):
        folder = self.path(out + "/detectors")
        return sorted(os.listdir(folder)) if os.path.isdir(folder) else []


# -------- what the formats demand --------------------------------------------

def check_sarif(case, log):
    """The parts of SARIF 2.1.0 that its schema requires, and those that code scanning needs."""
    case.assertEqual(log["version"], "2.1.0")
    for run in log["runs"]:
        driver = run["tool"]["driver"]
        case.assertTrue(driver["name"])
        ids = [r["id"] for r in driver["rules"]]
        case.assertEqual(len(ids), len(set(ids)))
        for r in run["results"]:
            case.assertTrue(r["message"]["text"])
            case.assertIn(r["level"], ("error", "warning", "note"))
            case.assertEqual(ids[r["ruleIndex"]], r["ruleId"])
            case.assertRegex(r["partialFingerprints"]["sigcc/v1"], r"^[0-9a-f]{32}:\d+$")
            case.assertIn(r.get("baselineState", "new"), ("new", "unchanged"))
            for loc in r.get("locations", []):
                place = loc["physicalLocation"]
                case.assertRegex(place["artifactLocation"]["uri"], r"^[A-Za-z0-9\-._~/%]+$")
                region = place.get("region", {"startLine": 1, "startColumn": 1})
                case.assertGreaterEqual(min(region["startLine"], region["startColumn"]), 1)


def check_junit(case, text):
    root = ET.fromstring(text)
    case.assertEqual(root.tag, "testsuites")
    for suite in [root] + list(root):
        cases = list(suite.iter("testcase"))
        case.assertEqual(int(suite.get("tests")), len(cases))
        for key, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
            case.assertEqual(int(suite.get(key)), sum(c.find(tag) is not None for c in cases))
        for c in cases:
            case.assertTrue(c.get("name") is not None and c.get("classname") is not None)
    return root


def check_navigator(case, layer):
    case.assertEqual(layer["versions"]["layer"], "4.5")
    case.assertIn(layer["domain"], ("enterprise-attack", "mobile-attack", "ics-attack"))
    case.assertTrue(layer["name"])
    case.assertGreaterEqual(len(layer["gradient"]["colors"]), 2)
    case.assertLess(layer["gradient"]["minValue"], layer["gradient"]["maxValue"])
    ids = [t["techniqueID"] for t in layer["techniques"]]
    case.assertEqual(ids, sorted(set(ids)))
    for t in layer["techniques"]:
        case.assertRegex(t["techniqueID"], r"^T\d{4}(\.\d{3})?$")
        case.assertIsInstance(t["score"], int)
        case.assertEqual(t["score"], len(t["metadata"]))
        for m in t["metadata"] + layer["metadata"]:
            case.assertTrue(m["name"] and m["value"])


# -------- one run ------------------------------------------------------------

class OneRun(CiCase):
    def test_all_is_well(self):
        self.write("rules/a.yml", rule(1, tags=["attack.execution", "attack.t1059.001", "attack.t1059"]))
        self.write("rules/sub/b.yml", rule(2, tags=["attack.Defense_Evasion", "attack.T1059.001", "attack.s0002"]))
        self.write("rules/a.match.ndjson", '{"Image":"C:\\\\tool1.exe"}\n')
        report = self.ci("--fail-on", "error")
        self.assertEqual(set(os.listdir(self.path("out"))), FILES | {"detectors", SBOM})
        self.assertEqual(self.detectors("out"), ["a", "b"])
        self.assertEqual(report["schema"], "sigcc.ci/1")
        self.assertEqual(self.statuses(report), {"a.yml": "compiled", "b.yml": "compiled"})
        self.assertEqual([r["test"] for r in report["rules"]], ["passed", "untested"])
        self.assertEqual([r["cost"]["class"] for r in report["rules"]], ["indexed"] * 2)
        self.assertEqual([r["level"] for r in report["rules"]], ["low"] * 2)
        s = report["summary"]
        self.assertEqual((s["rules"], s["compiled"], s["tests"], s["passed"], s["untested"], s["failing"], s["detectors"]),
                         (2, 2, 1, 1, 1, 0, 2))
        out = self.last.stdout.decode()
        self.assertIn("2 compiled, 0 rejected, 0 skipped, 0 unchanged", out)
        self.assertTrue(out.endswith("passed\n"))
        self.assertNotIn(b"\x1b", self.last.stderr)
        layer = self.load("out/navigator.json")
        check_navigator(self, layer)
        self.assertEqual([(t["techniqueID"], t["score"]) for t in layer["techniques"]], [("T1059", 1), ("T1059.001", 2)])
        self.assertEqual(layer["techniques"][1]["comment"], "Rule 1\nRule 2")
        self.assertEqual({m["name"] for m in layer["metadata"]}, {"execution", "defense-evasion"})
        self.assertEqual(report["attack"]["tactics"][0]["techniques"], {"T1059": 1, "T1059.001": 1})
        # What was built works.
        alerts = self.detect(self.path("out/detectors/a"), stdin=b'{"Image":"C:\\\\TOOL1.EXE"}\n')
        self.assertEqual([a["rule"]["title"] for a in alerts], ["Rule 1"])

    def test_bad_rules_do_not_keep_good_ones_back(self):
        self.write("rules/a.yml", rule(1))
        self.write("rules/b.yml", rule(2).replace("endswith", "endswth"))
        self.write("rules/c.yml", rule(3))
        self.write("rules/c.match.ndjson", '{"Image":"C:\\\\tool3.exe"}\n\n{"Image":"no"}\n{"Image":"no"}\n')
        report = self.ci("--pack", status=1)
        self.assertEqual(set(os.listdir(self.path("out"))), FILES | {"pack", SBOM})
        self.assertEqual(self.statuses(report), {"a.yml": "compiled", "b.yml": "rejected", "c.yml": "compiled"})
        b = report["rules"][1]
        self.assertEqual((b["code"], b["hint"]), ("E0201", "did you mean 'endswith'?"))
        self.assertGreater(b["column"], 1)
        self.assertEqual([(f["code"], os.path.basename(f["path"]), f["line"]) for f in report["findings"]],
                         [("E0201", "b.yml", 1), ("E1001", "c.match.ndjson", 3)])
        self.assertEqual(report["tests"][0]["failed"], 2)
        root = check_junit(self, self.read("out/junit.xml"))
        self.assertEqual((root.get("tests"), root.get("failures"), root.get("errors")), ("3", "1", "1"))
        sarif = self.load("out/results.sarif")
        check_sarif(self, sarif)
        self.assertEqual([r["ruleId"] for r in sarif["runs"][0]["results"]], ["E0201", "E1001"])
        self.assertIn("failed\n", self.last.stdout.decode())
        listed = self.run_([self.path("out/pack"), "--list"]).stdout.decode()
        self.assertIn("Rule 1", listed)
        self.assertIn("Rule 3", listed)

    def test_the_same_run_gives_the_same_bytes(self):
        self.write("rules/a.yml", rule(1) + "---\n" + rule(2, status="odd"))
        for out in ("x", "y"):
            self.ci("--no-build", out=out, status=1)
        for name in FILES:
            self.assertEqual(self.read("x/" + name), self.read("y/" + name), name)

    def test_warnings_fail_unless_told(self):
        self.write("rules/a.yml", rule(1, date="yesterday"))
        self.assertEqual(self.ci(status=1)["summary"]["failing"], 1)
        self.assertEqual(self.ci("--fail-on", "error")["summary"]["failing"], 0)
        self.assertEqual(self.ci("--disable", "W0705")["findings"], [])

    def test_only_bad_rules(self):
        self.write("rules/a.yml", rule(1).replace("endswith", "endswth"))
        report = self.ci(status=1)
        self.assertEqual((report["summary"]["detectors"], self.detectors("out")), (0, []))
        check_junit(self, self.read("out/junit.xml"))

    def test_bad_pipeline(self):
        self.write("rules/a.yml", rule(1))
        self.write("p.yml", "transformations: [{type: nonsense}]\n")
        report = self.ci("-p", "p.yml", status=1)
        self.assertEqual([f["severity"] for f in report["findings"]], ["error"])
        check_sarif(self, self.load("out/results.sarif"))
        check_navigator(self, self.load("out/navigator.json"))

    def test_broken_toolchain(self):
        self.write("rules/a.yml", rule(1))
        report = self.ci("--cc", "false", status=3)
        self.assertIn("E0901", [f["code"] for f in report["findings"]])
        self.assertIn("broken", self.last.stdout.decode())

    def test_usage(self):
        self.write("rules/a.yml", rule(1))
        for args in (["--max-cost", "dear"], ["--max-cost=-1"], ["--baseline", "none.json"], ["--since", "HEAD"], ["--only", "W9999"],
                     ["--events", "none"], ["--fail-on", "nothing"]):
            p = self.sigcc("ci", "rules", "-o", "out", *args, status=2, cwd=self.folder, env=self.env)
            self.assertTrue(p.stderr.startswith(b"sigcc: "), args)


# -------- baselines and budgets ----------------------------------------------

class Baselines(CiCase):
    def test_only_new_findings_fail(self):
        self.write("rules/a.yml", rule(1, date="yesterday"))
        self.write("rules/b.yml", rule(2).replace("endswith", "endswth"))
        self.ci(status=1, out="old")
        for baseline in ("old/report.json", "old/results.sarif"):
            # The same findings further down.
            self.write("rules/a.yml", "# moved\n\n" + rule(1, date="yesterday"))
            report = self.ci("--baseline", baseline)
            self.assertEqual((report["summary"]["known"], report["summary"]["failing"]), (2, 0))
            self.assertTrue(all(f["known"] for f in report["findings"]))
            self.assertEqual([r["baselineState"] for r in self.load("out/results.sarif")["runs"][0]["results"]], ["unchanged"] * 2)
            self.assertNotIn(b"W0705", self.last.stderr)
            self.write("rules/a.yml", rule(1, date="yesterday", status="odd"))
            report = self.ci("--baseline", baseline, status=1)
            self.assertEqual([f["known"] for f in report["findings"]].count(False), 1)
            self.assertNotIn(b"W0705", self.last.stderr)

    def test_failed_tests_are_told_apart(self):
        self.write("rules/a.yml", rule(1))
        self.write("rules/a.match.ndjson", '{"Image":"no"}\n')
        self.ci("--no-build", status=1, out="old")
        self.ci("--no-build", "--baseline", "old/report.json")
        self.write("rules/a.other.match.ndjson", '{"Image":"no"}\n')
        os.remove(self.path("rules/a.match.ndjson"))
        self.ci("--no-build", "--baseline", "old/report.json", status=1)

    def test_not_a_baseline(self):
        self.write("rules/a.yml", rule(1))
        for text in ("", "[]", "{}", '{"schema":"sigcc.ci/1"}', '{"schema":"sigcc.ci/1","findings":[{}]}', '{"runs":[{}]}', "[" * 5000, "\0"):
            self.write("base", text)
            self.sigcc("ci", "rules", "-o", "out", "--baseline", "base", status=2, cwd=self.folder, env=self.env)

    def test_budget_of_a_rule_by_itself(self):
        """What a rule costs does not depend on which others are in the run: --since leaves most of them out."""
        kind = {"IntegrityLevel": "Strange"}
        for n in range(100):
            self.write("rules/%03d.yml" % n, rule(n, detection={"f": {**kind, "CommandLine|contains": "word%d" % n}, "condition": "f"}))
        self.write("rules/a.yml", rule(999, detection={"f": {**kind, "CommandLine|re": "[a-c]{3}|[0-9]{4}"}, "condition": "f"}))
        costs = [next(r["cost"] for r in self.ci("--no-build", "--only", "W0705", paths=paths)["rules"] if r["path"].endswith("a.yml"))
                 for paths in (("rules",), ("rules/a.yml",))]
        self.assertEqual(*costs)

    def test_budgets(self):
        negation = {"detection": {"f": {"Image": "x"}, "condition": "not f"}}
        regex = {"detection": {"f": {"CommandLine|re": "[a-c]{3}|[0-9]{4}"}, "condition": "f"}}
        self.write("rules/a.yml", rule(1, **negation))
        self.write("rules/b.yml", rule(2, **regex))
        self.write("rules/c.yml", rule(3))
        found = lambda *args, status=1: [(f["code"], os.path.basename(f["path"])) for f in  # noqa: E731
                                         self.ci("--only", "W0705", *args, status=status)["findings"]]
        self.assertEqual(found(status=0), [])
        self.assertEqual(found("--max-cost", "open", status=0), [])
        self.assertEqual(found("--max-cost", "gated"), [("E1003", "a.yml")])
        self.assertEqual(found("--max-cost", "indexed"), [("E1003", "a.yml"), ("E1003", "b.yml")])
        self.assertEqual(found("--max-cost", "0"), [("E1003", "a.yml"), ("E1003", "b.yml"), ("E1003", "c.yml")])
        self.assertEqual(found("--max-cost", "999999", status=0), [])
        self.assertEqual(found("--require-gate"), [("E1004", "a.yml")])
        self.assertEqual(found("--require-regex-literal"), [("E1005", "b.yml")])
        # A budget fails the run even where warnings do not, unless it is known.
        self.assertEqual(found("--require-gate", "--fail-on", "error"), [("E1004", "a.yml")])
        shutil.copy(self.path("out/report.json"), self.path("base.json"))
        self.assertEqual(found("--require-gate", "--baseline", "base.json", status=0), [("E1004", "a.yml")])


# -------- changes ------------------------------------------------------------

class Since(CiCase):
    def setUp(self):
        super().setUp()
        for i in (1, 2, 3):
            self.write("rules/r%d.yml" % i, rule(i))
            self.write("rules/r%d.match.ndjson" % i, '{"Image":"C:\\\\tool%d.exe"}\n' % i)
        self.write("rules/many.yml", correlation("rule3"))
        self.write(".gitignore", "out*\n")
        self.git("init", "-q")
        self.commit()

    def looked_at(self, *args, status=0, **kw):
        """Names of the rule files that a run looked at."""
        shutil.rmtree(self.path("out"), ignore_errors=True)
        report = self.ci("--since", "HEAD", *args, status=status, **kw)
        seen = [name for name, s in self.statuses(report).items() if s != "unchanged"]
        self.assertEqual(report["summary"]["unchanged"], len(report["rules"]) - sum(r["status"] != "unchanged" for r in report["rules"]))
        return sorted(n[:-4] for n in seen)

    EVERY = ["many", "r1", "r2", "r3"]

    def test_nothing_changed(self):
        self.assertEqual(self.looked_at(), [])
        self.assertEqual(self.detectors("out"), [])
        self.assertEqual(self.load("out/report.json")["summary"]["tests"], 0)
        self.assertRegex(self.load("out/report.json")["since"], "^[0-9a-f]{40}")

    def test_one_rule_changed(self):
        self.write("rules/r1.yml", rule(1, value="\\other.exe"))
        self.assertEqual(self.looked_at(status=1), ["r1"])
        self.assertEqual(self.detectors("out"), ["r1"])
        report = self.load("out/report.json")
        self.assertEqual([t["path"] for t in report["tests"]], ["rules/r1.match.ndjson"])
        self.assertEqual([f["code"] for f in report["findings"]], ["E1001"])
        self.assertNotIn("cost", report["rules"][-1])
        self.assertEqual(len(check_junit(self, self.read("out/junit.xml"))), 1)

    def test_findings_of_the_rest_are_left_out(self):
        self.write("rules/r2.yml", rule(2, date="yesterday"))
        self.commit()
        self.write("rules/r1.yml", rule(1, date="tomorrow"))
        self.assertEqual(self.looked_at(status=1), ["r1"])
        full = {f["fingerprint"] for f in self.ci(status=1, out="out2")["findings"]}
        part = {f["fingerprint"] for f in self.load("out/report.json")["findings"]}
        self.assertTrue(part < full)
        # Two of the same: the one that is told of lies in a file without changes.
        self.write("rules/r1.yml", rule(1).replace("Rule 1", "Rule 2"))
        self.looked_at(status=1)
        self.assertIn("W0703", [f["code"] for f in self.load("out/report.json")["findings"]])

    def test_cached_pack_is_whole(self):
        self.write("rules/r1.yml", rule(1, value="\\other1.exe"))
        self.assertEqual(self.looked_at("--pack", status=1), ["r1"])
        listed = self.run_([self.path("out/pack"), "--list"]).stdout.decode()
        for title in ("Rule 1", "Rule 2", "Many"):
            self.assertIn(title, listed)

    def test_correlation_over_a_changed_rule(self):
        self.write("rules/r3.yml", rule(3, value="\\tool3.exe", status="stable"))
        self.assertEqual(self.looked_at(), ["many", "r3"])
        self.assertEqual(self.detectors("out"), ["many"])

    def test_rule_that_breaks_a_correlation(self):
        self.write("rules/r3.yml", rule(3).replace("endswith", "endswth"))
        self.assertEqual(self.looked_at(status=1), ["many", "r3"])

    def test_rule_that_is_gone(self):
        os.remove(self.path("rules/r3.yml"))
        self.assertEqual(self.looked_at(status=1), ["many"])
        self.assertEqual(self.load("out/report.json")["findings"][0]["code"], "E0551")

    def test_correlation_that_is_gone(self):
        os.remove(self.path("rules/many.yml"))
        self.assertEqual(self.looked_at(), ["r3"])
        self.assertEqual(self.detectors("out"), ["r3"])

    def test_filters(self):
        self.write("rules/filter.yml", FILTER)
        self.assertEqual([n for n in self.looked_at() if n != "filter"], self.EVERY)
        self.commit()
        self.assertEqual([n for n in self.looked_at() if n != "filter"], [])
        os.remove(self.path("rules/filter.yml"))
        self.assertEqual(self.looked_at(), self.EVERY)

    def test_filter_of_an_option(self):
        self.write("f.yml", FILTER)
        self.commit()
        self.assertEqual([n for n in self.looked_at("--filter", "f.yml") if n != "f"], [])
        self.write("f.yml", FILTER.replace("test", "prod"))
        self.assertEqual([n for n in self.looked_at("--filter", "f.yml") if n != "f"], self.EVERY)

    def test_pipelines_and_placeholders(self):
        self.write("p.yml", "name: p\ntransformations: [{type: field_name_mapping, mapping: {Image: Image}}]\n")
        self.write("v.yml", "names: [a]\n")
        self.commit()
        options = ("-p", "p.yml", "--placeholders", "v.yml", "-p", "windows_audit")
        self.assertEqual(self.looked_at(*options, "--no-build"), [])
        self.write("v.yml", "names: [b]\n")
        self.assertEqual(self.looked_at(*options, "--no-build", status=1), self.EVERY)
        self.commit()
        self.write("p.yml", "name: p\ntransformations: []\n")
        self.assertEqual(self.looked_at(*options, "--no-build", status=1), self.EVERY)

    def test_events(self):
        self.write("rules/r1.match.ndjson", '{"Image":"D:\\\\tool1.exe"}\n')
        self.write("rules/r2.new.match.ndjson", '{"Image":"D:\\\\tool2.exe"}\n')
        self.assertEqual(self.looked_at(), ["r1", "r2"])
        self.commit()
        os.remove(self.path("rules/r1.match.ndjson"))
        self.assertEqual(self.looked_at("--require-tests", status=1), ["r1"])

    def test_events_of_an_unchanged_rule_are_not_taken_for_others(self):
        self.write("rules/r1.sub.yml", rule(5))
        self.write("rules/r1.sub.match.ndjson", '{"Image":"C:\\\\tool5.exe"}\n')
        self.commit()
        self.write("rules/r1.yml", rule(1, status="stable"))
        self.assertEqual(self.looked_at(), ["r1"])
        self.assertEqual([t["path"] for t in self.load("out/report.json")["tests"]], ["rules/r1.match.ndjson"])

    def test_regression_data(self):
        self.write("rules/r1.yml", rule(1, regression_tests_path="data/r1/info.yml"))
        self.write("rules/r2.yml", rule(2, regression_tests_path="data/none/info.yml"))
        self.write("data/r1/info.yml", "regression_tests_info: [{name: a, type: json, path: data/r1/e.json}]\n")
        self.write("data/r1/e.json", '{"Image":"C:\\\\tool1.exe"}')
        self.commit()
        options = ("--no-build", "--disable", "W0714")
        self.assertEqual(self.looked_at(*options), [])
        self.write("data/r1/e.json", '{"Image":"D:\\\\tool1.exe"}')
        self.assertEqual(self.looked_at(*options), ["r1"])
        os.remove(self.path("data/r1/e.json"))
        self.assertEqual(self.looked_at(*options), ["r1", "r2"])
        self.commit()
        self.write("data/r1/info.yml", "regression_tests_info: []\n")
        self.assertEqual(self.looked_at(*options), self.EVERY)

    def test_new_and_ignored_files(self):
        self.write(".gitignore", "out*\nignored.yml\n")
        self.commit()
        self.write("rules/new.yml", rule(5))
        self.write("rules/ignored.yml", rule(6))
        self.git("add", "rules/new.yml")
        self.assertEqual(self.looked_at(), ["ignored", "new"])

    def test_odd_names(self):
        names = ["a b", "a\nb", "-x", "\u00e9", 'q"q', "a\\b"]
        for i, name in enumerate(names):
            self.write("rules/" + name + ".yml", rule(10 + i))
        self.commit()
        self.assertEqual(self.looked_at(), [])
        for i, name in enumerate(names):
            self.write("rules/" + name + ".yml", rule(10 + i, status="stable"))
        self.assertEqual(self.looked_at("--no-build"), sorted(names))

    def test_links(self):
        self.write("elsewhere/l.yml", rule(7))
        self.write("elsewhere2/l.yml", rule(8))
        os.symlink("../elsewhere", self.path("rules/dir"))
        self.commit()
        self.assertEqual(self.looked_at("--no-build"), ["l"])  # not told apart: counts as changed

    def test_settings_of_git_change_nothing(self):
        self.write("rules/r1.yml", rule(1, status="stable"))
        self.write("trap.sh", "#!/bin/sh\ntouch %s\n" % self.path("trapped"))
        os.chmod(self.path("trap.sh"), 0o755)
        trap = self.path("trap.sh")
        self.git("add", "trap.sh")
        for key, value in (("diff.external", trap), ("core.fsmonitor", trap), ("core.pager", trap), ("diff.relative", "true"),
                           ("diff.noprefix", "true"), ("core.quotePath", "true"), ("diff.renames", "copies"), ("color.ui", "always")):
            self.git("config", key, value)
        env = dict(self.env, GIT_DIR="/nowhere", GIT_WORK_TREE="/", GIT_INDEX_FILE="/nowhere", GIT_EXTERNAL_DIFF=trap, GIT_PAGER=trap,
                   GIT_DIFF_OPTS="-u0", GIT_LITERAL_PATHSPECS="0", GIT_CEILING_DIRECTORIES=self.folder)
        if os.path.exists(self.path("trapped")):  # by this test's own use of git
            os.remove(self.path("trapped"))
        self.assertEqual(self.looked_at(env=env), ["r1"])
        self.assertFalse(os.path.exists(self.path("trapped")))

    def test_from_another_folder(self):
        self.write("rules/r1.yml", rule(1, status="stable"))
        p = self.sigcc("ci", self.path("rules"), "-o", self.path("out"), "--since", "HEAD", "--no-build", cwd="/", env=self.env)
        self.assertIn(b"1 compiled, 0 rejected, 0 skipped, 3 unchanged", p.stdout)

    def test_bad_revisions(self):
        for rev in ("-x", "--output=pwned", "none", "HEAD~99", "a b; touch pwned", "HEAD:rules", "\x1b[31m"):
            p = self.sigcc("ci", "rules", "-o", "out", "--since=" + rev, status=2, cwd=self.folder, env=self.env)
            self.assertIn(b"--since", p.stderr)
            self.assertNotIn(b"\x1b", p.stderr)
        self.assertFalse(os.path.exists(self.path("pwned")))

    def test_no_git(self):
        p = self.sigcc("ci", "rules", "-o", "out", "--since=HEAD", status=3, cwd=self.folder, env=dict(self.env, PATH="/nowhere"))
        self.assertIn(b"git cannot be run", p.stderr)


# -------- hostile texts ------------------------------------------------------

HOSTILE = ['</script><img src=x onerror="alert(1)">', "<!--<script>", "]]><x/>&amp;&#60;b&#62;", "\x1b]0;owned\x07\x1b[31mred", "**bold** [x](javascript:alert(1))",
           "\u202etxt.exe\u2028\u2029\u200b", "{{script}}{{data}}", "a" * 200, "'\"`${alert(1)}\\"]
TERMINAL = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069]")


class Outline(html.parser.HTMLParser):
    """Tags and attributes of a page, and the text of its scripts."""

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.tags, self.scripts, self.styles, self.policy = [], [], [], ""

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, tuple(attrs)))
        if tag == "script":
            self.scripts.append("")
        if tag == "style":
            self.styles.append("")
        if ("http-equiv", "Content-Security-Policy") in attrs:
            self.policy = dict(attrs)["content"]
            self.tags[-1] = (tag, ())

    def handle_data(self, data):
        if self.cdata_elem == "script":
            self.scripts[-1] += data
        if self.cdata_elem == "style":
            self.styles[-1] += data


def source(name):
    with open(os.path.join(ROOT, "compiler/ci", name), encoding="utf-8") as f:
        return f.read()


def outline(text):
    parser = Outline()
    parser.feed(text)
    parser.close()
    return parser


def digest(text):
    return "'sha256-%s'" % base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


class Hostile(CiCase):
    def make(self):
        self.write("rules/plain.yml", rule(1))
        self.ci("--no-build", out="plain")
        for i, text in enumerate(HOSTILE):
            self.write("rules/h%d.yml" % i, rule(10 + i, value=text, title=text, tags=["attack.execution", "attack.t1059", text], level=text,
                                                 falsepositives=[text], author=text))
            self.write("rules/h%d.match.ndjson" % i, json.dumps({"Image": text + text}) + "\n" + json.dumps({"Image": text + "!"}) + "\n")
        for i, text in enumerate(t for t in HOSTILE if "/" not in t and len(t) < 100):
            self.write("rules/%s.yml" % text, rule(30 + i, title=text).replace("endswith", "ends" + "with<b>"))
        return self.ci("--no-build", status=1)

    def test_nothing_becomes_markup(self):
        report = self.make()
        page = self.read("out/report.html")
        have, want = outline(page), outline(self.read("plain/report.html"))
        self.assertEqual(have.tags, want.tags)
        self.assertEqual([t for t, _ in have.tags].count("script"), 2)
        self.assertEqual(json.loads(have.scripts[0]), report)
        self.assertNotRegex(have.scripts[0], "[<>&\u2028\u2029]")
        titles = {r["title"] for r in report["rules"]}
        self.assertTrue(set(HOSTILE) <= titles)

    def test_policy(self):
        self.make()
        page = outline(self.read("out/report.html"))
        self.assertIn("default-src 'none'", page.policy)
        self.assertIn("script-src " + digest(page.scripts[1]), page.policy)
        self.assertIn("style-src " + digest(page.styles[0]), page.policy)
        self.assertNotIn("unsafe", page.policy)
        script = source("page.js")
        self.assertEqual(page.scripts[1], script)
        self.assertNotRegex(script, r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|new Function|\bfetch\(|XMLHttp|https?://|\.style\b")
        for tag, attrs in page.tags:
            for key, value in attrs:
                self.assertNotRegex(key, r"^(on|style$|src$)")
                self.assertTrue(key != "href" or value.startswith("#"))

    def test_nothing_reaches_the_terminal(self):
        self.make()
        for stream in (self.last.stdout, self.last.stderr):
            text = stream.decode("utf-8")
            self.assertEqual(TERMINAL.findall(text), [])

    def test_other_reports(self):
        self.make()
        check_junit(self, self.read("out/junit.xml"))
        check_sarif(self, self.load("out/results.sarif"))
        layer = self.load("out/navigator.json")
        check_navigator(self, layer)
        for t in layer["techniques"]:
            self.assertEqual(TERMINAL.findall(t["comment"] + "".join(m["name"] + m["value"] for m in t["metadata"])), [])
        self.assertEqual(set(os.listdir(self.path("out"))), FILES)
        self.ci(status=1)
        self.assertEqual(set(os.listdir(self.path("out"))), FILES | {"detectors", SBOM})
        for name in self.detectors("out"):
            self.assertRegex(name, r"^[A-Za-z0-9_][A-Za-z0-9._-]*$")

    @unittest.skipUnless(CHROMIUM, "skipped: no chromium to look at the page with")
    def test_in_a_browser(self):
        report = self.make()
        page = self.read("out/report.html")
        p = self.run_([CHROMIUM, "--headless=new", "--no-sandbox", "--disable-gpu", "--user-data-dir=" + self.path("profile"),
                       "--dump-dom", "file://" + self.path("out/report.html")])
        made = outline(p.stdout.decode("utf-8"))
        tags = [t for t, _ in made.tags]
        self.assertNotIn("img", tags)
        self.assertNotIn("b", tags)
        self.assertEqual(tags.count("script"), 2)
        self.assertNotIn("alert(", [v for _, attrs in made.tags for _, v in attrs])
        self.assertGreater(tags.count("tr"), len(report["rules"]))
        self.assertEqual(tags.count("table"), 4)
        self.assertTrue(all(dict(a).get("scope") in ("col", "row") for t, a in made.tags if t == "th"))
        self.assertNotEqual(page, p.stdout.decode("utf-8"))


# -------- the page -----------------------------------------------------------

class Page(unittest.TestCase):
    """What can be told of the page from its files."""

    def setUp(self):
        self.css, self.html = source("page.css"), source("page.html")

    def colours(self, block):
        return dict(re.findall(r"--([a-z0-9-]+): (#[0-9a-f]{6})", block))

    def luminance(self, colour):
        parts = [int(colour[i:i + 2], 16) / 255 for i in (1, 3, 5)]
        lin = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
        return 0.2126 * lin[0] + 0.7152 * lin[1] + 0.0722 * lin[2]

    def contrast(self, a, b):
        x, y = sorted((self.luminance(a), self.luminance(b)), reverse=True)
        return (x + 0.05) / (y + 0.05)

    def test_contrast(self):
        light, dark = self.css.split("@media (prefers-color-scheme: dark)")[:2]
        light, dark = self.colours(light), self.colours(dark.split("* {")[0])
        self.assertEqual(set(light), set(dark))
        for c in (light, dark):
            for fore in ("text", "faint", "link", "good", "bad", "warn"):
                for back in ("ground", "raised"):
                    self.assertGreaterEqual(self.contrast(c[fore], c[back]), 4.5, (fore, back))
            for i in (1, 2, 3):
                self.assertGreaterEqual(self.contrast(c["text"], c["heat%d" % i]), 4.5, i)
            self.assertGreaterEqual(self.contrast(c["on-heat4"], c["heat4"]), 4.5)
            for part in ("line", "focus"):  # borders and the ring of the focus
                self.assertGreaterEqual(self.contrast(c[part], c["ground"]), 3, part)

    def test_headings_and_labels(self):
        page = outline(self.html)
        ids = {dict(a)["id"] for _, a in page.tags if "id" in dict(a)}
        for tag, attrs in page.tags:
            a = dict(attrs)
            for key in ("aria-labelledby",):
                self.assertTrue(a.get(key) is None or a[key] in ids)
            if a.get("href"):
                self.assertIn(a["href"][1:], ids)
        self.assertEqual([dict(a).get("lang") for t, a in page.tags if t == "html"], ["en"])
        levels = [int(t[1]) for t, _ in page.tags if re.match(r"h\d$", t)]
        self.assertEqual((levels[0], levels.count(1), max(levels)), (1, 1, 2))


if __name__ == "__main__":
    if not os.path.exists(SIGCC):
        sys.exit("no sigcc at " + SIGCC)
    main()
