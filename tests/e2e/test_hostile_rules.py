#!/usr/bin/env python3
"""Rule packs come from attackers: their text stays text."""
import json
import os
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../support"))
from harness import Case, SIGCC, main, rule  # noqa: E402

TITLES = ["end */ int evil(void) { return 1; } /*", 'quote " end', "back \\ slash \\", "tri ??/ graph ??>", "line\nbreak\r\n#error x",
          "nul \x00 byte", "right \u202e to left \u2066", "x" * 256, "$(touch PWNED)", "; touch PWNED ;", "`touch PWNED`", "%s%n%s", "\x1b[31mred",
          "é日本\U0001f600", "// comment \\", "\t", "#include </etc/passwd>", "'; DROP", "@@", "_Pragma(\"x\")"]
STRICT = ["-std=c11", "-Wall", "-Wextra", "-Wpedantic", "-Wshadow", "-Wconversion", "-Wsign-conversion", "-Wstrict-prototypes", "-Wcast-qual",
          "-Wundef", "-Wformat=2", "-Wvla", "-Wwrite-strings", "-Wno-overlength-strings", "-Werror", "-fsyntax-only"]


def include_dir():
    return os.path.abspath(os.path.join(os.path.dirname(SIGCC), "../include/sigcc"))


class HostileRules(Case):
    def check_quiet(self):
        self.assertFalse(os.path.exists(self.path("PWNED")))
        self.assertFalse(os.path.exists("PWNED"))

    def pack(self):
        docs = []
        for i, t in enumerate(TITLES):
            docs.append(json.dumps({
                "title": t, "name": "n%d" % i + t[:40], "id": "i%d" % i + t[:40], "status": "test", "level": "low", "tags": ["attack.t1", t],
                "description": t, "logsource": {"product": t or "x"},
                "detection": {"s": {"f%d" % i + t: "v%d" % i, t + "g": [t.replace("*", ""), 1]}, "odd.name|" + str(i): {"z" + t[:9].replace("|", ""): t[:9]},
                              "condition": "s"}}, ensure_ascii=False))
        return "\n---\n".join(docs)

    def test_text_never_becomes_code(self):
        path = self.write("pack.yml", self.pack().replace("|" + "re", "|x"))
        c = self.path("pack.c")
        self.sigcc("build", "--pack", "--emit", "c", "--keep-going", path, "-o", c, status=0 if self.all_good(path) else 1, cwd=self.folder)
        for cc in ("gcc", "clang-14"):
            try:
                p = self.run_([cc, *STRICT, "-I", include_dir(), c])
            except FileNotFoundError:
                continue
            self.assertEqual(p.returncode, 0, p.stderr.decode(errors="replace")[:3000])
        with open(c, "rb") as f:
            text = f.read()
        for bad in (b"\x00", b"\x1b", "\u202e".encode(), b"??/"):
            self.assertNotIn(bad, text)
        self.check_quiet()

    def all_good(self, path):
        return self.run_([SIGCC, "check", path]).returncode == 0

    def test_alerts_carry_the_text_back(self):
        for t in TITLES:
            det = self.build(self.write("r.yml", rule({"s": {"a": "x"}, "condition": "s"}, title=t)), cwd=self.folder)
            alerts = self.detect(det, stdin=b'{"a":"x"}\n')
            self.assertEqual([a["rule"]["title"] for a in alerts], [t])
        self.check_quiet()

    def test_diagnostics_do_not_reach_the_terminal_raw(self):
        path = self.write("r.yml", '{"title": "t\\u001b[2J\u202e", "logsource": {"product": "p"}, "detection": {"s": {"a|nope\u202e": 1}, "condition": "s"}}')
        p = self.sigcc("check", path, status=1)
        self.assertNotIn(b"\x1b", p.stderr)
        self.assertNotIn("\u202e".encode(), p.stderr)

    def test_names_and_paths_never_reach_a_shell(self):
        for name in ("$(touch PWNED).yml", "; touch PWNED.yml", "-o PWNED.yml", "a b'\".yml", "--help.yml", "@x.yml"):
            folder = self.path("d")
            path = self.write("d/" + name, rule({"s": {"a": "x"}, "condition": "s"}))
            det = self.build(path, cwd=folder)
            self.assertEqual(len(self.detect(det, stdin=b'{"a":"x"}\n')), 1)
            for out in ("-o-out", "out put", "$(touch PWNED)"):
                self.sigcc("build", path, "-o", os.path.join(folder, out), cwd=folder)
            os.remove(path)
            self.assertFalse(os.path.exists(os.path.join(folder, "PWNED")))
        self.check_quiet()

    def test_yaml_bomb_deep_and_large(self):
        bomb = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join("%s: &%s [%s]\n" % (b, b, ",".join(["*" + a] * 9)) for a, b in zip("abcdefgh", "bcdefghi"))
        deep = "title: t\nlogsource: {product: x}\ndetection: {s: " + "[" * 100 + "x" + "]" * 100 + ", condition: s}\n"
        parens = rule({"s": {"a": 1}, "condition": "(" * 200 + "s" + ")" * 200})
        for text in (bomb, deep, parens):
            p = self.run_([SIGCC, "check", self.write("x.yml", text)], timeout=10)
            self.assertEqual(p.returncode, 1, p.stderr[-500:])
        head = "title: t\nlogsource: {product: x}\ncustom: &x '%s'\ndetection: {s: {a: [%s]}, condition: s}\n"
        for text in (head % ("", ",".join(map(str, range(1000000)))), head % ("*?" * 5000000, "y"), head % ("*?" * 500000, ",".join(["*x"] * 1000))):
            p = self.run_([SIGCC, "check", self.write("x.yml", text)], timeout=10)
            self.assertEqual((p.returncode, b"E0104" in p.stderr), (1, True), p.stderr[-500:])
        many = "\n---\n".join(rule({"s": {"a": str(i)}, "condition": "s"}, title="t%d" % i, id=str(i)).replace('"name": "r", ', "") for i in range(10000))
        p = self.run_([SIGCC, "check", self.write("many.yml", many)], timeout=60)
        self.assertEqual(p.returncode, 0, p.stderr[-500:])

    def test_one_bad_rule_costs_only_itself(self):
        good = rule({"s": {"a": "x"}, "condition": "s"}, title="good").replace('"r"', '"good"')
        bad = rule({"s": {"a|nope": "x"}, "condition": "s"}, title="bad").replace('"r"', '"bad"')
        path = self.write("r.yml", good + "\n---\n" + bad)
        report = self.path("report.json")
        self.build("--pack", path, status=1)
        self.assertFalse(os.path.exists(self.path("det")))
        det = self.build("--pack", "--keep-going", "--report", report, path, status=1)
        self.assertEqual(len(self.detect(det, stdin=b'{"a":"x"}\n')), 1)
        with open(report, encoding="utf-8") as f:
            r = json.load(f)
        self.assertEqual(r["summary"], {"rules": 2, "compiled": 1, "rejected": 1, "skipped": 0})
        self.assertEqual([(x["title"], x["status"]) for x in r["rules"]], [("good", "compiled"), ("bad", "rejected")])
        self.assertTrue(r["rules"][1]["code"].startswith("E02"))


class Reproducible(Case):
    def test_same_bytes_from_any_folder(self):
        seen = set()
        for folder in ("one", "other/deeper"):
            path = self.write(folder + "/r.yml", rule({"s": {"a": "x"}, "condition": "s"}))
            env = dict(os.environ, TMPDIR=os.path.dirname(path), TZ="Asia/Tokyo" if folder == "one" else "UTC", LC_ALL="C")
            det = os.path.join(os.path.dirname(path), "det")
            self.sigcc("build", "r.yml", "-o", det, cwd=os.path.dirname(path), env=env)
            with open(det, "rb") as f:
                seen.add(f.read())
        if any(b"__asan_init" in data for data in seen):
            self.skipTest("a sanitised detector keeps the path of its source")
        self.assertEqual(len(seen), 1)


if __name__ == "__main__":
    main()
