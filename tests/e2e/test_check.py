#!/usr/bin/env python3
"""sigcc check: which warnings there are, how they are told, exit statuses."""
import glob
import json
import os
import re
import sys
import urllib.parse

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../support"))
from harness import Case, main, rule  # noqa: E402

ROOT = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../.."))
PACK = os.path.join(ROOT, "../shared/sigmahq")
META = ("id: 5013c9ae-6c2c-4a6c-9c6f-2f2b4f9f1f1%d\nstatus: test\ndescription: A rule of a test, long enough.\nauthor: a\n"
        "date: 2026-01-02\nlevel: low\n")
STARS = ("title: Stars %d\n" + META + "logsource: {category: process_creation, product: windows}\ndetection:\n"
         "    s:\n        Image|contains: '\u65e5\u672c **'\n    condition: s\n")
BAD = "title: Bad\nlogsource: {category: test}\ndetection:\n    s: {Image|contians: a}\n    condition: s\n"


def shape(value, want, path="$"):
    """Assert the shape of JSON: a type, a list [shape], a map {key: shape} whose keys ending in ? may be absent."""
    if isinstance(want, dict):
        assert isinstance(value, dict), path
        known = {k.rstrip("?") for k in want}
        assert set(value) <= known, "%s: unknown keys %s" % (path, set(value) - known)
        for k, v in want.items():
            if k.rstrip("?") in value:
                shape(value[k.rstrip("?")], v, path + "." + k)
            else:
                assert k.endswith("?"), "%s: no %s" % (path, k)
    elif isinstance(want, list):
        assert isinstance(value, list), path
        for i, v in enumerate(value):
            shape(v, want[0], "%s[%d]" % (path, i))
    elif isinstance(want, type):
        assert isinstance(value, want) and not (want is int and isinstance(value, bool)), "%s: %r" % (path, value)
    elif callable(want):
        assert want(value), "%s: %r" % (path, value)
    else:
        assert value == want, "%s: %r is not %r" % (path, value, want)


def positive(n):
    return isinstance(n, int) and n >= 1


def level(s):
    return s in ("error", "warning", "note")


def code(s):
    return re.fullmatch(r"[EW]\d{4}", s)


def uri(s):
    parts = urllib.parse.urlsplit(s)
    return s and not parts.scheme and not s.startswith("/") and ".." not in s.split("/") and re.fullmatch(r"[A-Za-z0-9._~/%-]+", s)


PLACE = {"path?": str, "line?": positive, "column?": positive, "end_line?": positive, "end_column?": positive}
JSON = {"schema": "sigcc.check/1",
        "diagnostics": [dict(PLACE, code=code, severity=level, slug=str, message=str, **{
            "hint?": str, "rule?": {"id": str, "title": str}, "notes?": [dict(PLACE, message=str)]})],
        "summary": {k: int for k in ("rules", "accepted", "rejected", "skipped", "errors", "warnings")}}
TEXT = {"text": lambda s: isinstance(s, str) and s}
LOCATION = {"physicalLocation": {"artifactLocation": {"uri": uri, "uriBaseId": "%SRCROOT%"},
                                 "region?": {k: positive for k in ("startLine", "startColumn", "endLine", "endColumn")}}, "message?": TEXT}
SARIF = {"$schema": str, "version": "2.1.0", "runs": [{
    "tool": {"driver": {"name": "sigcc", "version": str, "rules": [{
        "id": code, "name": lambda s: re.fullmatch(r"[A-Z][A-Za-z0-9]+", s), "shortDescription": TEXT, "fullDescription": TEXT, "help": TEXT,
        "defaultConfiguration": {"level": level}}]}},
    "columnKind": "unicodeCodePoints",
    "results": [{"ruleId": code, "ruleIndex": lambda n: isinstance(n, int) and n >= 0, "level": level, "message": TEXT, "locations?": [LOCATION],
                 "relatedLocations?": [LOCATION],
                 "partialFingerprints": {"sigcc/v1": lambda s: re.fullmatch(r"[0-9a-f]{32}:[1-9]\d*", s)}}]}]}


class Check(Case):
    def json_of(self, *args, status=0):
        p = self.sigcc("check", "--format", "json", *args, status=status, cwd=self.folder)
        out = json.loads(p.stdout)
        shape(out, JSON)
        return out

    def sarif_of(self, *args, status=0):
        p = self.sigcc("check", "--format", "sarif", *args, status=status, cwd=self.folder)
        out = json.loads(p.stdout)
        shape(out, SARIF)
        run = out["runs"][0]
        ids = [r["id"] for r in run["tool"]["driver"]["rules"]]
        self.assertEqual(len(ids), len(set(ids)))
        for r in run["results"]:
            self.assertEqual(ids[r["ruleIndex"]], r["ruleId"])
        return run["results"]

    def codes(self, *args, status=0):
        return sorted({d["code"] for d in self.json_of(*args, status=status)["diagnostics"]})

    def test_exit_status(self):
        good = self.write("good.yml", STARS % (1, 1))
        bad = self.write("bad.yml", BAD)
        self.sigcc("check", good, status=0)
        self.sigcc("check", "--fail-on", "error", good, status=0)
        self.sigcc("check", "--fail-on", "warning", good, status=1)
        self.sigcc("check", "--fail-on", "warning", "--disable", "all", good, status=0)
        self.sigcc("check", "--disable", "all", bad, status=1)
        self.sigcc("check", "--disable", "E0201", bad, status=2)
        self.sigcc("check", "--only", "W9999", good, status=2)
        self.sigcc("check", "--format", "xml", good, status=2)

    def test_choice(self):
        path = self.write("r.yml", (STARS % (1, 1)).replace("status: test\n", "").replace("Image|", "image|"))
        self.assertEqual(self.codes(path), ["W0701", "W0805", "W0827"])
        self.assertEqual(self.codes("--disable", "W0805", path), ["W0701", "W0827"])
        self.assertEqual(self.codes("--disable", "double-wildcard", "--disable", "w0701", path), ["W0827"])
        self.assertEqual(self.codes("--only", "W0805", "--only", "W0701", path), ["W0701", "W0805"])
        self.assertEqual(self.codes("--only", "W0719", path), ["W0719"])
        self.assertEqual(self.codes("--enable", "file-name", path), ["W0701", "W0719", "W0805", "W0827"])
        self.assertEqual(self.codes("--disable", "all", path), [])

    def test_json_places(self):
        path = self.write("r.yml", STARS % (1, 1) + "---\n" + BAD)
        out = self.json_of(path, status=1)
        first, second = out["diagnostics"]
        self.assertEqual((first["code"], first["severity"], first["line"], first["column"], first["end_column"]), ("W0805", "warning", 11, 26, 31))
        self.assertEqual(first["rule"]["title"], "Stars 1")
        self.assertEqual((second["code"], second["severity"], second["line"]), ("E0201", "error", 17))
        self.assertEqual(out["summary"], {"rules": 2, "accepted": 1, "rejected": 1, "skipped": 0, "errors": 1, "warnings": 1})

    def test_text_is_bounded(self):
        for i in range(9):
            self.write("p/r%d.yml" % i, STARS % (i, i))
        some = self.sigcc("check", self.path("p")).stderr.decode()
        self.assertEqual(some.count("warning[W0805]"), 5)
        self.assertIn("4 of 9 warnings are not shown", some)
        every = self.sigcc("check", "--all", self.path("p")).stderr.decode()
        self.assertEqual(every.count("warning[W0805]"), 9)

    def test_errors_of_a_file_are_bounded(self):
        bad, other = self.write("bad.yml", "---\n".join([BAD] * 50)), self.write("other.yml", BAD)
        some = self.sigcc("check", bad, other, status=1).stderr.decode()
        self.assertEqual(some.count("error[E0201]"), 21)
        self.assertIn("bad.yml: 30 more errors; --all shows them\n", some)
        every = self.sigcc("check", "--all", bad, other, status=1).stderr.decode()
        self.assertEqual((every.count("error[E0201]"), "more error" in every), (51, False))
        self.assertEqual(len(self.json_of(bad, other, status=1)["diagnostics"]), 51)

    def test_costs_while_building(self):
        rules = [rule({"s": {"a": "x"}, "condition": "s"}, id="1"), rule({"s": {"b|contains": "y"}, "condition": "not s"}, id="2").replace('"r"', '"q"')]
        path = self.write("r.yml", "\n---\n".join(rules))
        for form in ("text", "json"):
            checked = self.sigcc("check", path, "--cost=" + form).stdout
            self.assertIn(b"indexed", checked)
            for pack in ([], ["--pack"]):
                built = self.sigcc("build", path, "-o", self.path("det%d" % len(pack)), "--cost=" + form, *pack)
                self.assertEqual(built.stdout, checked)
                self.assertTrue(os.path.exists(self.path("det%d" % len(pack))))

    def test_sarif_uris(self):
        name = "a b/caf\u00e9 #1%.yml"
        path = self.write(name, STARS % (1, 1))
        for given in (name, path, self.path("a b"), "./a b", "."):
            uris = {r["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for r in self.sarif_of(given)}
            self.assertEqual({urllib.parse.unquote(u) for u in uris}, {name})
        os.makedirs(self.path("elsewhere"))
        p = self.sigcc("check", "--format", "sarif", self.path("a b"), cwd=self.path("elsewhere"))
        self.assertNotIn(self.folder, p.stdout.decode())
        shape(json.loads(p.stdout), SARIF)

    def test_sarif_fingerprints(self):
        two = STARS % (1, 1) + "---\n" + STARS % (2, 2)
        before = [r["partialFingerprints"]["sigcc/v1"] for r in self.sarif_of(self.write("r.yml", two))]
        after = [r["partialFingerprints"]["sigcc/v1"] for r in self.sarif_of(self.write("r.yml", "# a comment\n\n" + two))]
        self.assertEqual(before, after)
        self.assertEqual(len(set(before)), 2)

    def test_sarif_without_place(self):
        out = self.sarif_of(self.write("r.yml", STARS % (1, 1)), "--filter", "no_such_file", status=1)
        self.assertEqual([r["ruleId"] for r in out if r["level"] == "error"], ["E0101"])

    def test_aggregations_are_judged_once(self):
        path = self.write("r.yml", "title: Old\nlogsource: {category: test}\ndetection:\n    a: {F: 1}\n    b: {F: 2}\n    timeframe: 5m\n"
                                   "    condition: a | near b\n---\ntitle: Older\nlogsource: {category: test}\ndetection:\n    a: {F: 1}\n"
                                   "    timeframe: 5m\n    condition: a | count() by F > 3\n")
        found = [d["code"] for d in self.json_of(path)["diagnostics"]]
        self.assertEqual(found.count("W0701"), 2)
        self.assertFalse({"W0703", "W0720", "W0801"} & set(found), found)

    def test_public_pack(self):
        folders = sorted(glob.glob(os.path.join(PACK, "rules*")))
        if not folders:
            self.skipTest("the public rules are not here")
        report = self.path("report.json")
        out = self.json_of(*folders, "--report", report, status=1)
        self.assertEqual({d["code"] for d in out["diagnostics"] if d["severity"] == "error"}, {"E0411"})
        self.assertEqual((out["summary"]["accepted"], out["summary"]["rejected"]), (3755, 25))
        self.assertLess(out["summary"]["warnings"], 200, "the lints are too loud to be heard")
        files = {os.path.realpath(f) for d in folders for f in glob.glob(d + "/**/*.yml", recursive=True)}
        with open(report, encoding="utf-8") as f:
            rules = json.load(f)["rules"]
        self.assertEqual({os.path.realpath(r["path"]) for r in rules}, files)
        self.assertEqual(sum(r["status"] == "rejected" and r["code"] == "E0411" for r in rules), 25)
        p = self.sigcc("check", "--format", "sarif", *folders, status=1)
        shape(json.loads(p.stdout), SARIF)


if __name__ == "__main__":
    main()
