#!/usr/bin/env python3
"""A thousand rules with something hostile in every text they can have, through everything that shows or compiles them.

SIGCC_SEED=N makes others. What a rule's text may do is be told of: as text in reports and alerts, escaped on a terminal. Each rule is built or
refused with a code, and nothing appears where nobody asked for it.
"""
import csv
import io
import json
import os
import pty
import random
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
import urllib.parse

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../support"))
import test_ci as reports  # noqa: E402
from harness import Case, SIGCC, main  # noqa: E402
from streams import ASAN  # noqa: E402
from test_hostile_rules import STRICT, include_dir  # noqa: E402

COUNT = 120 if ASAN else 1000
SEED = int(os.environ.get("SIGCC_SEED", "1"))
# @ becomes a path that must not come to be.
PAYLOADS = [
    # C
    "*/ int evil(void) { return 1; } /*", '"; system("touch @"); "', "\\", "??/", "??=include <x>", "#include \"/etc/passwd\"", "\n#include </etc/passwd>\n",
    '_Pragma("GCC poison printf")', 'asm(".incbin \\"/etc/passwd\\"")', "// line \\\nsplice", "__attribute__((constructor))", "%:include <x>", "'", '"',
    "#pragma GCC plugin", "\r#error\r", "\f\v", "\u2028#error", "{0}", "/**/", "%%", "??<", "u8R\"x(", "\\u0000", "\\x41", "\n\n\n", "case 0: default:",
    # options of compilers, shells
    "-o @", "-fplugin=@", "@@", "-include@", "--help", "-", "--", "-Wl,-rpath=@", "-x c", "$(touch @)", "`touch @`", "; touch @ ;", "| touch @", "&& touch @",
    "$HOME", "${IFS}", "~", "*", "?", "> @", "\ntouch @\n", "a b'\"c", "!x",
    # paths
    "../../../@", "@", "/../..", "..", ".", "file://@", "a/" * 300, "x" * 5000, "nul\u0000byte", "C:\\..\\@", "CON", "\u0000",
    # markup
    "<script>document.body.id='PWNED'</script>", "</script><script>document.body.id='PWNED'</script>", "<img src=x onerror=\"document.body.id='PWNED'\">",
    "\" onmouseover=\"document.body.id='PWNED'", "' autofocus onfocus='document.body.id=1", "javascript:document.body.id='PWNED'", "<!--", "-->", "<!--<script>",
    "<svg/onload=document.body.id=1>", "<base href=//x>", "<style>*{display:none}</style>", "&lt;b&gt;&amp;&#60;", "<iframe srcdoc='<b>'>", "</title>", "</style>",
    "{{script}}{{data}}{{style}}", "[x](javascript:alert(1))", "![x](http://x/y)", "**b** _i_ `c` | d", "# h", "]]>", "<![CDATA[", "<!DOCTYPE x [<!ENTITY y SYSTEM 'file:///'>]>",
    "&y;", "__proto__", "constructor", "toString", "${7*7}", "{%x%}",
    # tables, formats
    "=1+1", "+cmd|' /C calc'!A0", "@SUM(1)", "-1+1", "\t=1", "a,b;c\td", "a\r\nb", "%s%n%s%n", "%99999999d", "{}{0}%(x)s",
    # terminals
    "\x1b[35;45mX", "\x1b]0;owned\x07", "\x1b]52;c;b3duZWQ=\x07", "\x1b[2J\x1b[H", "\x9b35m", "\x9d0;x\x9c", "\x07\x07", "\x08\x08\x08", "\r overwritten", "\x7f",
    "\u202egnp.exe", "\u2066x\u2069", "\u200b\u200f", "\ufeff", "\x1bP1$r\x1b\\", "\x85next", "\u2029p",
    # YAML's own, numbers, words
    "yes", "null", "1e400", "0x1f", "1 of them", "not", "and (", "selection", "all of *", "a|b", "x|contains", ".", "a..b", "a.*", "$x", "keywords", "é日本\U0001f600", "",
]
SLOTS = ["title", "id", "name", "description", "author", "tags", "references", "level", "status", "date", "license", "falsepositives", "custom", "category", "product",
         "service", "field", "value", "value", "value", "selection", "condition", "derive"]
CORRELATED = ["title", "id", "name", "level", "tags", "group", "alias", "field", "timespan", "type", "description"]
MODIFIERS = ["contains", "startswith", "endswith", "all", "neq", "exists", "cased", "windash", "base64", "base64offset", "wide", "utf16be", "utf16", "re", "i", "m", "s",
             "cidr", "lt", "lte", "gt", "gte", "fieldref", "expand", "minute", "hour"]


CONTROLS = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f]")


class Maker:
    """Rules by a seed; `canary` is what must not come to be."""

    def __init__(self, seed, canary, benign=False):
        self.random, self.canary, self.benign = random.Random(seed), canary, benign

    def text(self):
        chosen = self.random.choice(PAYLOADS).replace("@", self.canary)
        if self.random.random() < 0.2:
            chosen += self.random.choice(PAYLOADS).replace("@", self.canary)
        return "plain" if self.benign else chosen

    def key(self):
        """YAML takes no longer ones."""
        return self.text()[:300]

    def detection(self, n, slots):
        field = self.key() if "field" in slots else "Image"
        if slots.count("value") > 1:
            field += "|" + "|".join(self.random.sample(MODIFIERS, self.random.choice((1, 1, 1, 2))))
        value = [self.text() for _ in range(self.random.choice((1, 2)))] if "value" in slots else "x"
        probe = self.key() if "selection" in slots else "probe"
        return {probe: {"Probe": "p%d" % n}, "other": {field: value},
                "condition": self.text() if "condition" in slots else "1 of them"}

    def head(self, n, slots):
        said = {"title": "t%d" % n, "id": "i%d" % n, "name": "n%d" % n, "level": "low", "status": "test", "tags": ["attack.execution", "attack.t1059"]}
        for slot in ("title", "id", "level", "status", "description", "author", "date", "license", "custom"):
            if slot in slots:
                said[slot] = self.text()
        if "name" in slots:
            said["name"] += self.text()
        for slot in ("tags", "references", "falsepositives"):
            if slot in slots:
                said[slot] = ["attack.t1059", self.text()]
        return said

    def rule(self, n):
        slots = self.random.choices(SLOTS, k=self.random.randint(1, 5))
        said = {**self.head(n, slots), "logsource": {"product": "p"}, "detection": self.detection(n, slots)}
        for slot in ("category", "product", "service"):
            if slot in slots:
                said["logsource"][slot] = self.text()
        if "derive" in slots:
            said["sigcc"] = {"derive": {self.key(): {"other": self.text(), "default": self.text()}}}
        return said

    def correlation(self, n, of):
        slots = self.random.choices(CORRELATED, k=self.random.randint(1, 3))
        said = {"type": self.text() if "type" in slots else "value_count", "rules": [of], "timespan": self.text() if "timespan" in slots else "5m", "generate": True,
                "group-by": [self.text(), "Probe"] if "group" in slots else ["Probe"],
                "condition": {"gte": 1, "field": self.text() if "field" in slots else "Probe"}}
        if "alias" in slots:
            said["aliases"] = {self.key(): {of: self.text()}}
        return {**self.head(n, slots), "correlation": said}

    def rules(self, count):
        made = []
        while len(made) < count:
            n = len(made)
            if n % 20 == 19:
                made.append(self.correlation(n, made[-1]["name"]))
            else:
                made.append(self.rule(n))
        return made

    def file_name(self, n):
        text = self.text().replace("/", "\u2215").replace("\0", "")
        while len(text.encode()) > 150:
            text = text[:len(text) // 2]
        return "%s%s%d.yml" % ("_" if text.startswith(".") else "", text, n)  # hidden files are left out


def as_yaml(docs):
    """As JSON, with escapes for what YAML takes for a line's end or for no character."""
    text = "\n---\n".join(json.dumps(d, ensure_ascii=False) for d in docs)
    return re.sub("[\x7f-\x9f\u2028\u2029\ufeff]", lambda m: "\\u%04x" % ord(m.group()), text)


def listing(folder):
    """Everything below, and how large it is."""
    found = {}
    for at, folders, files in os.walk(os.fsencode(folder)):
        for name in folders + files:
            path = os.path.join(at, name)
            found[path] = os.lstat(path).st_size if name in files else -1
    return found


class Thousand(Case):
    """One run of `ci` for all tests."""

    @classmethod
    def setUpClass(cls):
        cls.root = tempfile.mkdtemp(prefix="sigcc-test-")
        cls.addClassCleanup(shutil.rmtree, cls.root, ignore_errors=True)
        for name in ("home", "tmp", "work"):
            os.makedirs(os.path.join(cls.root, name))
        cls.work = os.path.join(cls.root, "work")
        cls.env = dict(os.environ, HOME=cls.root + "/home", TMPDIR=cls.root + "/tmp", NO_COLOR="1", SIGCC_CACHE="off")
        cls.canary = cls.root + "/PWNED"
        maker = Maker(SEED, cls.canary)
        cls.rules = maker.rules(COUNT)
        cls.put("rules", maker, cls.rules)
        cls.put("benign", Maker(SEED, cls.canary, benign=True), [{"title": "t%d" % i, "logsource": {"product": "p"},
                                                               "detection": {"s": {"Probe": "p%d" % i}, "condition": "s"}} for i in range(3)])
        cls.pipeline(maker)
        cls.events = "".join(json.dumps({"Probe": "p%d" % i, "Image": "y"}) + "\n" for i in range(COUNT)).encode()
        cls.write_in("events.ndjson", cls.events)
        cls.before = listing(cls.root)
        cls.ci = cls.sigcc_in("ci", "rules", "--pack", "-p", cls.pipeline_name, "-o", "out", "-O", "0", "-j", "2")
        cls.after = listing(cls.root)

    @classmethod
    def write_in(cls, name, data):
        path = os.path.join(os.fsencode(cls.work), os.fsencode(name))
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as f:
            f.write(data)

    @classmethod
    def put(cls, folder, maker, docs):
        """Some to a file, with names that are hostile too, and tests beside some files."""
        for n, at in enumerate(range(0, len(docs), 5)):
            name = folder + "/" + maker.file_name(n)
            cls.write_in(name, as_yaml(docs[at:at + 5]).encode("utf-8", "surrogatepass"))
            if n % 40 == 0:
                cls.write_in(name[:-4] + ".match.ndjson", b'{"Probe":"nothing"}\n')

    @classmethod
    def pipeline(cls, maker):
        cls.pipeline_name = "./" + maker.file_name(0)
        mapping = {"Mapped%d" % i: maker.text() or "x" for i in range(20)}
        cls.write_in(cls.pipeline_name, as_yaml([{"name": maker.text(), "priority": 1, "vars": {maker.text(): maker.text()}, "transformations": [
            {"id": maker.text(), "type": "field_name_mapping", "mapping": mapping}]}]).encode())

    @classmethod
    def sigcc_in(cls, *args, **kw):
        return subprocess.run([SIGCC, *args], cwd=cls.work, env=cls.env, capture_output=True, timeout=600, stdin=subprocess.DEVNULL, **kw)

    def read(self, name):
        with open(os.path.join(self.work, name), encoding="utf-8", newline="") as f:
            return f.read()

    def detector(self, *args, stdin=b""):
        p = self.run_([self.work + "/out/pack", *args], stdin=stdin, cwd=self.work, env=self.env)
        self.assertEqual(p.returncode, 0, p.stderr[-2000:])
        return p.stdout

    # -------- what became of them --------------------------------------------

    def test_each_is_built_or_refused(self):
        self.assertEqual(self.ci.returncode, 1, self.ci.stderr[-3000:])
        report = json.loads(self.read("out/report.json"))
        s = report["summary"]
        self.assertEqual((s["rules"], s["compiled"] + s["rejected"], s["skipped"]), (COUNT, COUNT, 0))
        self.assertEqual(len(report["rules"]), COUNT)
        for r in report["rules"]:
            self.assertIn(r["status"], ("compiled", "rejected"))
            if r["status"] == "rejected":
                self.assertRegex(r["code"], r"^E\d{4}$")
                self.assertTrue(r["reason"])
        self.assertGreater(s["compiled"], COUNT // 2)
        self.assertGreater(s["rejected"], COUNT // 50)
        check = self.sigcc_in("check", "rules", "-p", self.pipeline_name, "--format", "json", "--report", "check.json")
        self.assertEqual(check.returncode, 1)
        again = json.loads(self.read("check.json"))
        self.assertEqual([(r.get("title"), r["status"]) for r in again["rules"]], [(r.get("title"), r["status"]) for r in report["rules"]])

    def test_nothing_else_came_to_be(self):
        out = os.fsencode(self.work + "/out")
        changed = {p for p in set(self.before) | set(self.after) if self.before.get(p) != self.after.get(p)}
        self.assertEqual({p for p in changed if p != out and not p.startswith(out + b"/")}, set())
        self.assertEqual(set(os.listdir(out)), {b"pack", os.fsencode(reports.SBOM)} | {os.fsencode(f) for f in reports.FILES})
        self.assertFalse(os.path.exists(self.canary))
        self.assertFalse(os.path.exists("/PWNED") or os.path.exists("PWNED"))

    # -------- the detector ---------------------------------------------------

    def test_alerts_carry_the_texts_back(self):
        built = [r for r in json.loads(self.read("out/report.json"))["rules"] if r["status"] == "compiled"]
        alerts = [json.loads(line) for line in self.detector("-f", "ndjson", "--every-firing", "events.ndjson").splitlines()]
        by_probe = {}
        for a in alerts:
            if a["type"] == "detection":
                by_probe.setdefault(a["event"]["Probe"], []).append(a)
        seen = 0
        for n, r in enumerate(self.rules):
            mine = [a["rule"] for a in by_probe.get("p%d" % n, []) if a["rule"]["title"] == r["title"]]
            if "correlation" in r or not mine:
                continue
            seen += 1
            want = {k: r[k] for k in ("title", "id", "name", "level", "status") if r.get(k)}
            want["tags"] = [t for t in r["tags"] if t]  # empty ones are left out, with a warning
            self.assertIn(want, [{k: m[k] for k in want if k in m} for m in mine])
            self.assertIn(next(iter(r["detection"])), [name for a in by_probe["p%d" % n] for name in a["matched"]])
        # All that were built and whose condition is not a hostile one match their event.
        self.assertGreater(seen, len(built) * 8 // 10)
        titles = [a["rule"]["title"] for a in alerts]
        self.assertTrue(set(titles) <= {r["title"] for r in self.rules})
        rows = list(csv.reader(io.StringIO(self.detector("-f", "csv", "--every-firing", "events.ndjson").decode("utf-8"), newline="")))
        self.assertEqual([row[rows[0].index("rule_title")] for row in rows[1:]], titles)

    def test_detector_and_evaluator_agree(self):
        """Over events that have what the rules ask for, in fields of hostile names."""
        asked = [next(iter(r["detection"]["other"].items())) for r in self.rules if "detection" in r][::8]
        events = [{field.split("|")[0] or "x": value[0] if isinstance(value, list) else value} for field, value in asked]
        self.write_in("asked.ndjson", "".join(json.dumps(e) + "\n" for e in events).encode())
        p = self.sigcc_in("eval", "rules", "-p", self.pipeline_name, "--events", "asked.ndjson")
        want = {e["line"]: e["rules"] for e in map(json.loads, p.stdout.splitlines())}
        have = {line: [] for line in want}
        for a in map(json.loads, self.detector("-f", "ndjson", "asked.ndjson").splitlines()):
            if a["type"] == "detection":
                have[a["source"]["line"]].append(a["rule"].get("name") or a["rule"]["title"])
        self.assertEqual({line: sorted(names, key=str.encode) for line, names in have.items()}, want)
        self.assertGreater(sum(map(len, want.values())), COUNT // 40)

    def test_listing(self):
        listed = [json.loads(line) for line in self.detector("--list", "-f", "ndjson").splitlines()]
        self.assertLess(len(self.detector("--list")), COUNT * 1000)  # a long name fills up no other row
        self.assertTrue({r["title"] for r in listed} <= {r["title"] for r in self.rules})
        self.assertGreaterEqual(len(listed), json.loads(self.read("out/report.json"))["summary"]["compiled"])

    def test_text_never_becomes_code(self):
        p = self.sigcc_in("build", "rules", "--pack", "--emit", "c", "--keep-going", "-p", self.pipeline_name, "-o", self.path("pack.c"))
        self.assertEqual(p.returncode, 1, p.stderr[-2000:])
        for cc in ("gcc", "clang-14"):
            try:
                p = self.run_([cc, *STRICT, "-I", include_dir(), self.path("pack.c")], timeout=300)
            except FileNotFoundError:
                continue
            self.assertEqual(p.returncode, 0, p.stderr.decode(errors="replace")[:3000])
        with open(self.path("pack.c"), "rb") as f:
            text = f.read()
        self.assertEqual(re.findall(rb"[\x00-\x09\x0b-\x1f\x7f]|\?\?[=/'()!<>-]|\\\n|^ *# *(?!include \"sigma_abi\.h\")\w+.*", text, re.M), [])
        text.decode("utf-8")
        self.assertEqual(reports.TERMINAL.findall(text.decode("utf-8")), [])

    # -------- reports --------------------------------------------------------

    def test_reports_are_whole(self):
        report = json.loads(self.read("out/report.json"))
        self.assertEqual(sorted(r.get("title", "") for r in report["rules"]), sorted(r["title"] for r in self.rules))
        sarif = json.loads(self.read("out/results.sarif"))
        reports.check_sarif(self, sarif)
        for result in sarif["runs"][0]["results"]:
            for place in result.get("locations", []):
                name = urllib.parse.unquote(place["physicalLocation"]["artifactLocation"]["uri"])
                self.assertTrue(os.path.exists(os.path.join(self.work, name)), name)
        junit = reports.check_junit(self, self.read("out/junit.xml"))
        self.assertGreater(len(list(junit.iter("testcase"))), 0)
        reports.check_navigator(self, json.loads(self.read("out/navigator.json")))
        spdx = json.loads(self.read("out/" + reports.SBOM))
        listed = {json.loads(line)["title"] for line in self.detector("--list", "-f", "ndjson").splitlines()}
        self.assertTrue({t for t in listed if t and "\0" not in t} <= {p["name"] for p in spdx["packages"]})

    def test_the_page(self):
        """Its elements and attributes are those of harmless rules, and its script is its own."""
        self.sigcc_in("ci", "benign", "--no-build", "-o", self.path("plain"))
        with open(self.path("plain/report.html"), encoding="utf-8") as f:
            want = reports.outline(f.read())
        have = reports.outline(self.read("out/report.html"))
        self.assertEqual(have.tags, want.tags)
        self.assertEqual(have.scripts[1], want.scripts[1])
        self.assertEqual(have.policy, want.policy)
        self.assertFalse([k for _, attrs in have.tags for k, _ in attrs if k.startswith("on") or k in ("style", "src")])
        self.assertEqual(json.loads(have.scripts[0]), json.loads(self.read("out/report.json")))

    @unittest.skipUnless(reports.CHROMIUM, "skipped: no chromium to look at the page with")
    def test_in_a_browser(self):
        p = self.run_([reports.CHROMIUM, "--headless=new", "--no-sandbox", "--disable-gpu", "--user-data-dir=" + self.path("profile"),
                       "--dump-dom", "file://" + self.work + "/out/report.html"])
        made = reports.outline(p.stdout.decode("utf-8"))
        tags = [t for t, _ in made.tags]
        self.assertGreater(tags.count("tr"), 100)
        self.assertEqual({"img", "svg", "iframe", "base"} & set(tags), set())
        self.assertEqual((tags.count("script"), tags.count("style")), (2, 1))
        body, = (dict(attrs) for t, attrs in made.tags if t == "body")
        self.assertNotIn("id", body)
        for _, attrs in made.tags:
            for key, value in attrs:
                self.assertNotRegex(key, r"^on")
                self.assertNotRegex(value or "", r"^\s*javascript:")

    # -------- terminals ------------------------------------------------------

    def on_terminal(self, *args, colour=False):
        """What a terminal would get from both outputs."""
        env = {k: v for k, v in self.env.items() if k != "NO_COLOR" or not colour}
        parent, child = pty.openpty()
        p = subprocess.Popen(args, cwd=self.work, env=env, stdin=subprocess.DEVNULL, stdout=child, stderr=child)
        os.close(child)
        shown = b""
        while True:
            try:
                block = os.read(parent, 1 << 16)
            except OSError:  # all have closed it
                break
            if not block:
                break
            shown += block
        os.close(parent)
        self.assertIn(p.wait(), (0, 1), shown[-2000:])
        return shown.decode("utf-8")

    def test_terminals(self):
        """Nothing that a terminal obeys but line ends, the line of progress, and with colour what sigcc itself sends."""
        pipeline = ["-p", self.pipeline_name]
        self.write_in("event.json", b'{"Probe":"p1","Image":"\\u001b[35;45mX\\u202e"}')
        names = os.listdir(os.fsencode(self.work) + b"/rules")
        some = [os.path.join(b"rules", n) for n in sorted(names) if n.endswith(b".yml")][:12]
        detector = self.work + "/out/pack"
        commands = [[SIGCC, "check", "rules", *pipeline, "--all"], [SIGCC, "check", "rules", *pipeline, "--all", "--cost"],
                    [SIGCC, "explain", *some, "event.json", *pipeline], [SIGCC, "test", "rules", "--no-build", *pipeline],
                    [SIGCC, "ci", "rules", "--no-build", "-o", self.path("again"), *pipeline], [SIGCC, "inspect", detector],
                    [detector, "-f", "table", "event.json"], [detector, "-f", "table", "events.ndjson"], [detector, "--list"],
                    [detector, "-f", "table", "--stats", "--profile", "events.ndjson"]]
        for command in commands:
            for colour in (False, True):
                shown = self.on_terminal(*command, colour=colour)
                rest = re.sub("\r\n|\r\x1b\\[K", "", shown)
                if colour:
                    rest = re.sub("\x1b\\[(0|0?1|[013];?3[0-9]|0?1;3[0-9]|3[0-9]|9[0-9]|2)?m", "", rest)
                self.check_shown(rest, reports.TERMINAL, command)

    def check_shown(self, shown, bad, command):
        found = {shown[max(0, m.start() - 40):m.end() + 10] for m in bad.finditer(shown)}
        self.assertEqual(sorted(found)[:3], [], command)

    def test_formats_for_programs(self):
        """Whoever looks at them on a terminal sees no control character either; what only turns letters round is the text's own."""
        pipeline = ["-p", self.pipeline_name]
        detector = self.work + "/out/pack"
        self.write_in("event.json", b'{"Probe":"p1","Image":"\\u001b[35;45mX"}')
        commands = [[SIGCC, "check", "rules", *pipeline, "--format", "json"], [SIGCC, "check", "rules", *pipeline, "--format", "sarif"],
                    [SIGCC, "check", "rules", *pipeline, "--cost=json"], [SIGCC, "test", "rules", "--no-build", *pipeline, "--format", "json"],
                    [SIGCC, "test", "rules", "--no-build", *pipeline, "--format", "junit"],
                    [SIGCC, "inspect", detector, "--format=json"], [SIGCC, "inspect", detector, "--format=spdx"], [detector, "--manifest"],
                    [SIGCC, "eval", "rules", *pipeline, "--events", "events.ndjson"],
                    [detector, "-f", "ndjson", "events.ndjson"], [detector, "-f", "json", "events.ndjson"], [detector, "--list", "-f", "ndjson"]]
        commands += [[SIGCC, "check", "rules", *pipeline, "--dump", stage] for stage in ("yaml", "ast", "rules", "ir", "opt")]
        for command in commands:
            shown = self.on_terminal(*command)
            self.assertGreater(len(shown), 100, command)
            self.check_shown(re.sub("\r\n|\r\x1b\\[K", "", shown), CONTROLS, command)


if __name__ == "__main__":
    main()
